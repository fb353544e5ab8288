#!/usr/bin/env bash
# Builds and tests on Debian 13, where users are, and lets its streams talk to those of this system:
# portability.sh
# debootstraps it into a folder that later runs use again (WORMHOLE_CACHE, else under XDG_CACHE_HOME
# or /var/cache), from the package source that this system's apt uses. Root only (exit 77 otherwise).
set -euo pipefail
cd "$(dirname "$0")/.."
suite=trixie
root=${WORMHOLE_CACHE:-${XDG_CACHE_HOME:-/var/cache}/wormhole}/$suite
packages=g++,cmake,ninja-build,ccache,pkg-config,libboost-dev,libboost-json-dev,libsodium-dev,libyaml-cpp-dev
packages+=,libspdlog-dev,libcli11-dev,libgtest-dev,libngtcp2-dev,python3

[ "$(id -u)" = 0 ] || { echo "needs root for debootstrap and chroot"; exit 77; }
command -v debootstrap >/dev/null || { echo "no debootstrap: run scripts/deps.sh portability"; exit 77; }

# The first URI that serves Debian itself (not its security archive, nor somebody else's packages).
mirror() {
  apt-get indextargets --format '$(SITE) $(COMPONENT) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
    awk '$2 == "main" && $3 == "Debian" && $4 == "Debian" {print $1; exit}'
}

make_root() {
  local from
  from=$(mirror)
  [ -n "$from" ] || { echo "portability: apt knows no package source of Debian" >&2; exit 1; }
  echo "portability: making Debian 13 in $root"
  rm -rf "$root.new"
  mkdir -p "$(dirname "$root")"
  debootstrap --variant=minbase --include="$packages" "$suite" "$root.new" "$from" ||
    { tail -n 5 "$root.new/debootstrap/debootstrap.log" >&2; exit 1; }
  echo "$packages" >"$root.new/etc/wormhole-packages"
  rm -rf "$root"
  mv "$root.new" "$root"
}

# Half a root (an interrupted run) or another list of packages: anew.
[ "$(cat "$root/etc/wormhole-packages" 2>/dev/null)" = "$packages" ] || make_root

# Sources are copied, so that nothing of this system is mounted or written.
rm -rf "$root/wormhole"
mkdir -p "$root/wormhole"
tar -c --exclude='./build*' --exclude=./.git --exclude=node_modules . | tar -x -C "$root/wormhole"
unshare --mount --pid --fork chroot "$root" /bin/sh -euc '
  mount -t proc proc /proc
  mount -t tmpfs tmpfs /dev/shm 2>/dev/null || true
  export CCACHE_DIR=/var/cache/ccache LC_ALL=C.UTF-8
  cd /wormhole
  cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release
  cmake --build /build --target wormhole unit_tests sim_tests stream_pipe
  ctest --test-dir /build -L "^(unit|sim)$" -j "$(nproc)" --output-on-failure --no-tests=error'
echo "portability: builds and passes on Debian 13"

# Another version of libngtcp2 on each side.
here=$(dirname "$root")/here
cmake --fresh -S . -B "$here" -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$here" --target stream_pipe | tail -n 1
this="$here/tests/stream_pipe"
other="chroot $root /build/tests/stream_pipe"
echo "portability: streams, this system calls Debian 13"
tests/interop/pair.sh "$this caller" "$other listener"
echo "portability: streams, Debian 13 calls this system"
tests/interop/pair.sh "$other caller" "$this listener"
echo "portability: streams of both understand each other"
