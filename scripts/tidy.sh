#!/usr/bin/env bash
# clang-tidy over the core rooms' sources: tidy.sh [BUILD_DIR]
# A file costs nothing when it, its headers, .clang-tidy and its flags are as they were when it last
# passed: BUILD_DIR/tidy/ holds one stamp, named by the hash of all that, for each file that passed.
# Version 14 (Debian 12) only, since every version has other checks (exit 77 otherwise).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
core=(base impair crypto wire model session hop congestion group nat punch path stream shaper peer client server)

command -v clang-tidy >/dev/null || { echo "tidy: no clang-tidy: run scripts/deps.sh test" >&2; exit 77; }
version=$(clang-tidy --version | grep -oE 'version [0-9]+' | head -n 1)
[ "$version" = 'version 14' ] || { echo "tidy: clang-tidy $version, the checks are version 14's" >&2; exit 77; }
[ -f "$build/compile_commands.json" ] || { echo "tidy: no $build/compile_commands.json: build first" >&2; exit 1; }
mkdir -p "$build/tidy"

# The hash of everything that decides a file's findings.
fingerprint() {
  { g++ -std=c++20 -MM -MT x -Iinclude -Isrc "$1" | tr -d '\\\n' | sed 's/^x://' | xargs cat
    cat .clang-tidy scripts/tidy.sh; clang-tidy --version; } | sha256sum | cut -c1-40
}

check_one() {
  local stamp
  stamp=$build/tidy/$(fingerprint "$1")
  [ -e "$stamp" ] && return
  echo "tidy: $1"
  clang-tidy --quiet -p "$build" "$1" 2>/dev/null && touch "$stamp"
}
export -f fingerprint check_one
export build

for room in "${core[@]}"; do find "src/$room" -name '*.cpp' -print0; done |
  xargs -0 -P "$(nproc)" -I{} bash -c 'set -euo pipefail; check_one "$1"' _ {}
echo "tidy: the core is clean"
