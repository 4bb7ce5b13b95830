#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does a bare Debian need nothing but a clone? Makes a fresh Debian tree with debootstrap, copies the
# committed files in, and runs ./dev run (until it serves) and ./dev test inside by chroot.
#
#   sudo tools/bare.sh [--release 12|13] [--keep] [--run-only] [FOLDER]
#
# FOLDER is where the tree is made (default: a new folder below TMPDIR; about 3 GB). It is removed at
# the end unless --keep is given. The mirror is the one this machine's apt uses, or MOAT_MIRROR.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

release=12 keep='' run_only='' folder=''
while (($#)); do
  case $1 in
    --release) release=${2:?--release needs 12 or 13}; shift ;;
    --keep) keep=yes ;;
    --run-only) run_only=yes ;;
    -h | --help) sed -n '3,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) echo "bare.sh does not know '$1'; see --help" >&2; exit 2 ;;
    *) folder=$1 ;;
  esac
  shift
done
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
step() { printf '==> %s\n' "$*"; }
case $release in
  12) suite=bookworm ;;
  13) suite=trixie ;;
  *) fail "this tries Debian 12 and 13, not '$release'" ;;
esac
((EUID == 0)) || fail "chroot needs root: sudo tools/bare.sh"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"

# The first mirror of Debian itself in apt's sources, old format or new.
mirror=${MOAT_MIRROR:-$(
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
    sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *(https?:[^ ]*\/debian)\/?( .*)?$/\3/p' | head -n 1 || true
)}
[[ -n $mirror ]] || fail "no Debian mirror in this machine's apt sources; name one by MOAT_MIRROR"

made=''
if [[ -z $folder ]]; then
  folder=$(mktemp -d "${TMPDIR:-/tmp}/moat-bare.XXXXXX")
  made=yes
fi
[[ -z $(ls -A "$folder" 2>/dev/null) ]] || fail "$folder is not empty"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

inside=''  # the process group of what runs in the tree
cleanup() {
  [[ -z $inside ]] || kill -TERM -- "-$inside" 2>/dev/null || true
  local place
  for place in dev/pts dev/shm dev proc; do
    while mountpoint -q "$folder/$place" && umount -l "$folder/$place"; do :; done
  done
  if [[ -n $keep ]]; then
    echo "The tree stays in $folder"
  else
    # Never across a mount that could not be undone.
    rm -rf --one-file-system "$folder"
  fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "A bare Debian $release ($suite) in $folder"
log=$folder.log
debootstrap --variant=minbase "$suite" "$folder" "$mirror" >"$log" 2>&1 ||
  { tail -n 20 "$log" >&2; fail "debootstrap failed; its log is $log"; }
rm -f "$log"

# What this machine needs to reach its mirror, a newcomer's machine has too: the network's own settings.
cp /etc/resolv.conf /etc/hosts "$folder/etc/"
for setting in /etc/apt/apt.conf.d/*; do
  if grep -qE 'Acquire::|Proxy' "$setting" 2>/dev/null; then cp "$setting" "$folder/etc/apt/apt.conf.d/"; fi
done
{
  echo "deb $mirror $suite main"
  echo "deb $mirror $suite-updates main"
  echo "deb ${MOAT_SECURITY_MIRROR:-${mirror%/debian}/debian-security} $suite-security main"
} >"$folder/etc/apt/sources.list"
npm_registry=$(npm config get registry 2>/dev/null || true)
[[ -z $npm_registry || $npm_registry == undefined ]] || echo "registry=$npm_registry" >"$folder/root/.npmrc"
npm_ca=$(npm config get cafile 2>/dev/null || true)
if [[ -f $npm_ca ]]; then
  cp "$npm_ca" "$folder/root/network-ca.pem"
  echo "cafile=/root/network-ca.pem" >>"$folder/root/.npmrc"
fi

mountpoint -q "$folder/proc" || mount -t proc proc "$folder/proc"
mount --bind /dev "$folder/dev"
[[ ! -d /dev/pts ]] || mount --bind /dev/pts "$folder/dev/pts"
mkdir -p "$folder/dev/shm"
mountpoint -q "$folder/dev/shm" || mount -t tmpfs -o mode=1777 tmpfs "$folder/dev/shm"

step "The committed files, as a clone would bring them"
mkdir -p "$folder/moat"
git -C "$root" archive HEAD | tar -x -C "$folder/moat"

run_inside() {
  setsid chroot "$folder" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    TERM=dumb LANG=C.UTF-8 ${MOAT_JOBS:+MOAT_JOBS=$MOAT_JOBS} /bin/bash -c "cd /moat && exec $1" </dev/null &
  inside=$!
}

step "./dev run, until https://localhost:8443 answers"
begin=$SECONDS
out=$folder/run.log
run_inside './dev run --https 127.0.0.1:18443 --http 127.0.0.1:18080' >"$out" 2>&1
shown=0
until (exec 3<>/dev/tcp/127.0.0.1/18443) 2>/dev/null; do
  kill -0 "$inside" 2>/dev/null || { tail -n 40 "$out" >&2; fail "./dev run ended before it served"; }
  ((SECONDS - begin < 3600)) || { tail -n 40 "$out" >&2; fail "./dev run served nothing within an hour"; }
  lines=$(wc -l <"$out")
  ((lines == shown)) || sed -n "$((shown + 1)),${lines}p" "$out"
  shown=$lines
  sleep 1
done
sleep 1
sed -n "$((shown + 1)),\$p" "$out"
printf '    served after %d s\n' "$((SECONDS - begin))"
kill -TERM "$inside"
wait "$inside" || fail "./dev run did not end well when it was stopped"
inside=''

step "./dev run again"
begin=$(date +%s%N)
run_inside './dev run --https 127.0.0.1:18443 --http 127.0.0.1:18080' >"$out" 2>&1
until (exec 3<>/dev/tcp/127.0.0.1/18443) 2>/dev/null; do
  kill -0 "$inside" 2>/dev/null || { tail -n 40 "$out" >&2; fail "./dev run ended before it served"; }
  sleep 0.05
done
printf '    served after %d ms\n' "$((($(date +%s%N) - begin) / 1000000))"
kill -TERM "$inside"
wait "$inside" || fail "./dev run did not end well when it was stopped"
inside=''

if [[ -z $run_only ]]; then
  step "./dev test"
  run_inside './dev test'
  wait "$inside" || fail "./dev test failed in a bare Debian $release"
  inside=''
fi
step "A bare Debian $release needs nothing but a clone."
