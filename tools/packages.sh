# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Installs what is missing of tools/packages.txt. Sourced by ./dev, which defines say, step and fail.

# The column of packages.txt for this machine, or nothing when its packages are not apt's.
package_column() {
  local ID='' VERSION_ID='' ID_LIKE=''
  [[ -r /etc/os-release ]] && . /etc/os-release
  command -v apt-get >/dev/null || return 0
  case "$ID:$VERSION_ID" in
    debian:12) echo 3 ;;
    debian:13) echo 4 ;;
    *) [[ " $ID $ID_LIKE " == *" ubuntu "* || " $ID $ID_LIKE " == *" debian "* ]] && echo 5 || true ;;
  esac
}

# Prints the packages of the given sets that are not there yet, one a line.
missing_packages() {
  local column=$1 set probe rest package
  shift
  local -a ask=()
  while read -r set probe rest; do
    [[ -z $set || $set == \#* || " $* " != *" $set "* ]] && continue
    local -a by_release=($rest)
    package=${by_release[column - 3]}
    [[ $package == - ]] && continue
    if [[ $probe == cmd:* ]]; then
      command -v "${probe#cmd:}" >/dev/null || echo "$package"
    else
      ask+=("$package")
    fi
  done <"$root/tools/packages.txt"
  ((${#ask[@]})) || return 0
  dpkg-query -W -f '${Package} ${Status}\n' "${ask[@]}" 2>/dev/null |
    awk -v want="${ask[*]}" '$NF == "installed" {have[$1] = 1}
      END {n = split(want, w, " "); for (i = 1; i <= n; i++) if (!have[w[i]]) print w[i]}'
}

# One line that moves on a terminal, a line for each package elsewhere.
show_apt_progress() {
  local line last=''
  while IFS= read -r line; do
    case $line in
      Get:* | Unpacking* | "Setting up"*) ;;
      *) continue ;;
    esac
    if [[ -t 1 ]]; then
      printf '\r\033[K    %.70s' "$line"
      last=yes
    elif [[ $line == "Setting up"* ]]; then
      printf '    %s\n' "$line"
    fi
  done
  [[ -z $last ]] || printf '\r\033[K'
}

# need SET…: installs what those sets lack, asking sudo when not root.
need() {
  local column
  column=$(package_column)
  if [[ -z $column ]]; then
    [[ -n ${MOAT_SAID_NO_APT:-} ]] || say "This is no Debian or Ubuntu: install what tools/packages.txt lists for '$*' yourself."
    MOAT_SAID_NO_APT=yes
    return 0
  fi
  local -a packages
  mapfile -t packages < <(missing_packages "$column" "$@" | sort -u)
  ((${#packages[@]})) || return 0
  [[ $column != 5 ]] || say "This release is untested; the packages should have these names all the same."
  step "Installing ${#packages[@]} packages: ${packages[*]}"

  local -a as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "These need root, and there is no sudo here. As root, run:  apt-get install ${packages[*]}"
    as_root=(sudo)
  fi
  mkdir -p "$root/build"
  local log=$root/build/packages.log policy='' status=0
  # A package such as nginx starts its service when it is installed; nobody asked for that.
  if [[ ! -e /usr/sbin/policy-rc.d ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
    "${as_root[@]}" chmod 755 /usr/sbin/policy-rc.d
    policy=/usr/sbin/policy-rc.d
  fi
  {
    "${as_root[@]}" apt-get -q update &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends install "${packages[@]}"
  } </dev/null 2>&1 | tee "$log" | show_apt_progress || status=$?
  [[ -z $policy ]] || "${as_root[@]}" rm -f "$policy"
  if [[ " ${packages[*]} " == *" nginx "* ]] && command -v systemctl >/dev/null; then
    "${as_root[@]}" systemctl disable -q nginx 2>/dev/null || true
  fi
  if ((status)); then
    tail -n 15 "$log" >&2
    fail "apt could not install them (the whole log is build/packages.log). Is the network there, and does 'apt-get update' work?"
  fi
}
