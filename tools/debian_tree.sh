#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command of this repository in another release of Debian: a tree made by debootstrap, with a
# copy of the committed sources in it. As root, who may mount.
#
#   tools/debian_tree.sh trixie /var/tmp/trixie ./dev test -LE 'long|browser'
#
# The tree is made where it is not there yet, and is kept; delete it by hand. The command's own
# packages are installed by ./dev, as on a bare machine.
set -euo pipefail
[[ $# -ge 3 ]] || { sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
release=$1 tree=$2
shift 2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ $(id -u) == 0 ]] || { echo "debian_tree.sh: needs root, for chroot and mount" >&2; exit 1; }
for tool in debootstrap rsync; do
  command -v "$tool" >/dev/null || apt-get install -y --no-install-recommends "$tool"
done

if [[ ! -x $tree/bin/sh ]]; then
  mirror=$(sed -n 's/^URIs: *//p; s/^deb *\(\[.*\]\)\? *\(http[^ ]*\) .*/\2/p' \
    /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | grep -m 1 'debian/*$')
  debootstrap --variant=minbase --include=ca-certificates "$release" "$tree" "$mirror"
  # What this machine needs to reach its mirror, that one needs too.
  for file in /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf.d/99*; do
    [[ -f $file ]] && cp "$file" "$tree/etc/apt/apt.conf.d/"
  done
fi
cp /etc/resolv.conf "$tree/etc/resolv.conf"
[[ -f ~/.npmrc ]] && cp ~/.npmrc "$tree/root/.npmrc"
if [[ -f ${NODE_EXTRA_CA_CERTS:-} ]]; then cp "$NODE_EXTRA_CA_CERTS" "$tree/root/extra-ca.pem"; fi

mounted=()
unmount() {
  local at
  for ((at = ${#mounted[@]} - 1; at >= 0; --at)); do umount -l "${mounted[at]}"; done
}
trap unmount EXIT
for place in proc sys dev dev/pts; do
  mountpoint -q "$tree/$place" && continue
  mkdir -p "$tree/$place"
  mount --bind "/$place" "$tree/$place"
  mounted+=("$tree/$place")
done

# Only what differs, so that what was built there before is not built again.
mkdir -p "$tree/moat" "$tree/moat.head"
git -C "$root" archive HEAD | tar -x -C "$tree/moat.head"
rsync -rlpc "$tree/moat.head/" "$tree/moat/"
rm -rf "$tree/moat.head"
if [[ -n ${MOAT_CORPORA:-} ]]; then
  mkdir -p "$tree/corpora"
  mountpoint -q "$tree/corpora" || { mount --bind -o ro "$MOAT_CORPORA" "$tree/corpora"; mounted+=("$tree/corpora"); }
fi
chroot "$tree" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/root/extra-ca.pem} ${MOAT_CORPORA:+MOAT_CORPORA=/corpora} DEBIAN_FRONTEND=noninteractive sh -c 'cd /moat && exec "$@"' sh "$@"
