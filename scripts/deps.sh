#!/usr/bin/env bash
# Installs what wormhole needs from Debian's packages: deps.sh [build] [test] [lab] [portability]
#   build        compiler, cmake and the libraries (the default)
#   test         what the gates of test.sh need beside them: clang-format, clang-tidy, valgrind
#   lab          namespaces, firewall, and for the tests between namespaces GStreamer, node, iperf3, OpenSSH, nginx,
#                Redis and netcat
#   portability  debootstrap
# Needs root or sudo only when something is missing. Safe to run twice; quick when all is there.
set -euo pipefail

log() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

# Debian 12's default Boost is 1.74, which is too old; its 1.81 packages carry the version.
boost_packages() {
  if apt-cache show libboost-json1.81-dev >/dev/null 2>&1; then
    echo libboost1.81-dev libboost-json1.81-dev
  else
    echo libboost-dev libboost-json-dev
  fi
}

packages_of() {
  case $1 in
    build)
      echo g++ cmake ninja-build ccache pkg-config python3 libsodium-dev libngtcp2-dev libyaml-cpp-dev \
        libspdlog-dev libcli11-dev libgtest-dev
      boost_packages
      ;;
    test) echo clang-format clang-tidy curl procps valgrind ;;
    lab)
      echo iproute2 nftables conntrack iputils-ping iperf3 socat coturn vim-tiny \
        gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
        gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav \
        openssh-server openssh-client nginx-light curl redis-server redis-tools netcat-openbsd
      # A node from elsewhere serves as well, and Debian's would conflict with it.
      command -v node >/dev/null || echo nodejs
      command -v npm >/dev/null || echo npm
      ;;
    portability) echo debootstrap ;;
    *) die "unknown set '$1'; there are: build test lab portability" ;;
  esac
}

missing_of() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
      echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "'$1' needs root and there is no sudo: run this once as root: scripts/deps.sh ${sets[*]}"
  fi
}

# Packages such as coturn would start a service: exit code 101 of policy-rc.d forbids it.
forbid_services() {
  [ -e /usr/sbin/policy-rc.d ] && return
  printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
  as_root chmod 755 /usr/sbin/policy-rc.d
  trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 "$@" </dev/null
}

command -v apt-get >/dev/null || die "this is not a Debian: install the packages that docs/testing.md lists by hand"
sets=("$@")
[ ${#sets[@]} -gt 0 ] || sets=(build)
# Without package lists nothing can be looked up, not even which Boost this Debian has.
if [ -z "$(apt-cache policy g++ 2>/dev/null)" ]; then
  log "fetching the package lists"
  as_root apt-get update -q
fi
wanted=()
for set in "${sets[@]}"; do
  mapfile -t -O ${#wanted[@]} wanted < <(packages_of "$set" | tr ' ' '\n')
done
mapfile -t missing < <(missing_of "${wanted[@]}")
if [ ${#missing[@]} = 0 ]; then
  log "all packages for ${sets[*]} are there"
  exit 0
fi
log "installing ${#missing[@]} packages for ${sets[*]}: ${missing[*]}"
forbid_services
if ! apt_install "${missing[@]}"; then
  log "that failed; once more with fresh package lists"
  as_root apt-get update -q
  apt_install "${missing[@]}"
fi
log "done"
