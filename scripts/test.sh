#!/usr/bin/env bash
# Builds and runs every gate of the project, each with a time budget (docs/testing.md):
#   scripts/test.sh           all gates
#   scripts/test.sh --quick   without sanitizers, lab and portability
#   scripts/test.sh NAME...   only these gates
# One line per gate, its output in build/logs/NAME.log; the last line is the count. Exit 1 when one failed.
set -euo pipefail
cd "$(dirname "$0")/.."

# Name and budget in seconds on two idle cores; the sum stays under 55 minutes. A gate over its budget is called slow;
# at twice the budget it fails: shared machines' speed moves by a factor of two with their neighbours.
gates=(deps:240 format:20 layers:10 build:480 unit:60 sim:100 shell:120 cli:90 quickstart:60 tidy:540
  fuzz:60 instructions:90 sanitizers:800 lab:300 portability:400)
slow=" sanitizers lab portability "
built=" unit sim shell cli quickstart tidy fuzz instructions lab "  # pointless after a failed build

skip() { echo "$*"; exit 77; }
is_root() { [ "$(id -u)" = 0 ]; }

configure_and_build() {  # directory, then cmake arguments
  local dir=$1
  shift
  cmake -S . -B "$dir" -G Ninja -Wno-dev "$@" && cmake --build "$dir"
}

ctest_of() {  # directory, label
  [ -n "$(find "tests/$2" -name '*.cpp' -print -quit 2>/dev/null)" ] || skip "there are no tests under tests/$2"
  ctest --test-dir "$1" -L "^$2\$" -j "$(nproc)" --output-on-failure --no-tests=error
}

gate_deps() {
  local sets=(build test)
  if is_root && [ -z "${WORMHOLE_QUICK:-}" ]; then sets+=(lab portability); fi
  scripts/deps.sh "${sets[@]}"
}
gate_format() { scripts/format.sh --check; }
gate_layers() { scripts/layers.py --self-test && scripts/layers.py; }
gate_build() { configure_and_build build -DCMAKE_BUILD_TYPE=Release; }
gate_unit() { ctest_of build unit; }
gate_sim() { ctest_of build sim; }
gate_shell() { ctest_of build shell; }
gate_cli() {
  python3 tests/cli/run.py build/wormhole
}
gate_quickstart() { scripts/quickstart.sh --once; }
gate_tidy() { scripts/tidy.sh build; }
gate_fuzz() { ctest_of build fuzz; }
gate_instructions() { scripts/instructions.py --self-test && scripts/instructions.py; }
gate_sanitizers() {
  local label
  configure_and_build build-sanitizers -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" \
    -DWORMHOLE_SANITIZE=address,undefined
  export WORMHOLE_SEEDS=0.2  # they are twenty times slower, and look for other mistakes than the judge of deliveries does
  export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_stack_use_after_return=1
  for label in unit sim shell fuzz; do
    [ -z "$(find "tests/$label" -name '*.cpp' -print -quit 2>/dev/null)" ] || ctest_of build-sanitizers $label
  done
}
gate_lab() {
  is_root || skip "needs root for network namespaces"
  unshare --net true 2>/dev/null || skip "this system gives no network namespaces"
  python3 tests/lab/run.py
}
gate_portability() {
  is_root || skip "needs root for debootstrap and chroot"
  scripts/portability.sh
}

# In one block: bash reads a script as it runs, and an edit during a long run must not matter.
{
if [ "${1:-}" = --gate ]; then
  "gate_$2"
  exit
fi

chosen=()
for gate in "${gates[@]}"; do
  [ "${1:-}" = --quick ] && [[ $slow == *" ${gate%%:*} "* ]] && continue
  chosen+=("$gate")
done
if [ "${1:-}" = --quick ]; then
  export WORMHOLE_QUICK=1
elif [ $# -gt 0 ]; then
  chosen=()
  for name in "$@"; do
    gate=$(printf '%s\n' "${gates[@]}" | grep "^$name:") || { echo "test: no gate '$name'; there are: ${gates[*]%%:*}" >&2; exit 2; }
    chosen+=("$gate")
  done
fi

mkdir -p build/logs
exec 9>build/logs/lock
flock -n 9 || { echo "test: another run works in build/ already; wait for it" >&2; exit 2; }
running=
trap '[ -z "$running" ] || kill "$running" 2>/dev/null; echo "test: interrupted" >&2; exit 130' INT TERM

passed=0 failed=0 skipped=0 broken=
run_gate() {  # name, budget
  local name=$1 budget=$2 log=build/logs/$1.log start=$SECONDS rc=0
  if [ -n "$broken" ] && [[ $built == *" $name "* ]]; then
    printf 'FAIL  %-12s needs the build\n' "$name"
    failed=$((failed + 1))
    return
  fi
  timeout -k 10 "$((2 * budget))" bash scripts/test.sh --gate "$name" >"$log" 2>&1 9>&- </dev/null &
  running=$!
  wait "$running" || rc=$?
  running=
  local took="$((SECONDS - start)) s of $budget"
  case $rc in
    0)
      passed=$((passed + 1))
      [ "$((SECONDS - start))" -le "$budget" ] || took+=" (slow)"
      printf 'ok    %-12s %s\n' "$name" "$took"
      ;;
    77) skipped=$((skipped + 1)); printf 'skip  %-12s %s\n' "$name" "$(tail -n 1 "$log")" ;;
    *)
      failed=$((failed + 1))
      [ "$name" = build ] && broken=1
      [ $rc = 124 ] || [ $rc = 137 ] && took="over twice its budget of $budget s"
      printf 'FAIL  %-12s %s; the end of %s:\n' "$name" "$took" "$log"
      # What went wrong first: its name is seldom among the last lines.
      grep -nE '\*\*\*Failed|\*\*\*Timeout|\*\*\*Exception|Failure$|ERROR: |SUMMARY: |runtime error: |error: |FAIL' "$log" | head -n 15 | cut -c 1-200 | sed 's/^/      > /' || true
      tail -n 20 "$log" | cut -c 1-200 | sed 's/^/      | /'
      ;;
  esac
}

for gate in "${chosen[@]}"; do run_gate "${gate%%:*}" "${gate##*:}"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
exit
}
