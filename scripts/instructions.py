#!/usr/bin/env python3
"""Counts the instructions that our own code executes for one packet, and holds them against bench/instructions/baseline.json.

    scripts/instructions.py              passes within 5 % of the baseline, both ways
    scripts/instructions.py --record     writes what it counts into the baseline
    scripts/instructions.py --self-test  shows that a count which has grown fails

Times differ from run to run by half; instructions under callgrind do not differ at all. The program hot_path (of the normal
build, bench/instructions/) takes 1,200-byte datagrams through the real cores, step by step: seal and send, relay, open and
deliver. Only its own code counts: libsodium's and libc's functions are picked by the processor. Exit code 77: this machine
cannot count (no valgrind, or a compiler without a baseline).
"""
import argparse
import copy
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASELINE = ROOT / "bench" / "instructions" / "baseline.json"
TOLERANCE = 0.05  # between two counts of the same source there is none; a careless line costs more
LISTED = 12  # functions that the baseline and a failure name


def self_costs(text, program):
    """Instructions by function of one callgrind file: those executed in `program` itself, without what it calls.

    The format: https://valgrind.org/docs/manual/cl-format.html. A name is written out once, then referred to by its number.
    """
    names, costs = {}, {}
    of_program, function, skip = False, "", False
    for line in text.splitlines():
        kind, _, value = line.partition("=")
        if kind in ("ob", "fn", "cob", "cfn"):
            number, _, name = value.partition(" ")
            key = (kind[-2:], number)
            name = names.setdefault(key, name)
            if kind == "ob":
                of_program = name == str(program)
            elif kind == "fn":
                function = name
        elif kind == "calls":
            skip = True  # the next line is the cost of what was called
        elif re.match(r"[+*\-\d]", line):
            if of_program and not skip and not function.startswith("counted_"):
                costs[short(function)] = costs.get(short(function), 0) + int(line.split()[-1])
            skip = False
    return costs


def short(function):
    """The name without parameters and the project's own namespace: for people, overloads together."""
    return re.sub(r"\(.*", "", function.replace("wormhole::", "").replace("(anonymous namespace)::", ""))[:80]


def count(program, packets):
    """The compiler, and by step the instructions per packet: their total and the functions that cost most."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=counted_*", "--dump-after=end_step",
             f"--callgrind-out-file={out}", program, str(packets)],
            # The environment lies on the stack and could shift what lies behind it.
            env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
        if run.returncode:
            sys.exit(f"instructions: {program} failed under callgrind: {run.stderr[-2000:]}")
        compiler = re.search(r"^compiler (\S+)$", run.stdout, re.M).group(1)
        steps = {}
        for number, (name, of) in enumerate(re.findall(r"^step (\S+) (\d+)$", run.stdout, re.M), 1):
            costs = self_costs(pathlib.Path(f"{out}.{number}").read_text(), program)
            most = sorted(costs, key=lambda f: (-costs[f], f))[:LISTED]
            steps[name] = {"total": round(sum(costs.values()) / int(of), 1),
                           "functions": {function: round(costs[function] / int(of), 1) for function in most}}
    return compiler, steps


def what_changed(was, now):
    """The functions whose cost moved most, as lines."""
    moved = {f: now["functions"].get(f, 0) - was["functions"].get(f, 0) for f in {**was["functions"], **now["functions"]}}
    most = sorted((f for f in moved if abs(moved[f]) >= 1), key=lambda f: -abs(moved[f]))[:6]
    return [f"      {moved[f]:+8.1f}  {f}" for f in most]


def complaints(baseline, steps):
    """What differs from the baseline by more than the tolerance; nothing when all is well."""
    lines = [f"{name}: in the baseline, but no longer counted: --record" for name in baseline if name not in steps]
    for name, now in steps.items():
        was = baseline.get(name)
        if was is None:
            lines.append(f"{name}: not in the baseline: --record")
            continue
        change = now["total"] / was["total"] - 1
        if abs(change) <= TOLERANCE:
            continue
        wish = "find out why, or --record it with the reason in the commit" if change > 0 else "faster than recorded: --record it"
        lines.append(f"{name}: {now['total']:.1f} instructions a packet, the baseline has {was['total']:.1f} ({change:+.1%}); {wish}")
        lines += what_changed(was, now)
    return lines


SAMPLE = """events: Ir
ob=(1) /x/hot_path
fn=(1) counted_app
5 7
fn=(2) wormhole::Peer::send(int)
10 100
cob=(2) /lib/libsodium.so
cfn=(3) seal
calls=1 20
+1 9999
* 20
ob=(2)
fn=(3)
30 9999
ob=(1)
fn=(2)
-3 5
"""


def self_test():
    """The gate's own mistakes: reads callgrind's format, and fails when it must."""
    assert self_costs(SAMPLE, "/x/hot_path") == {"Peer::send": 125}, self_costs(SAMPLE, "/x/hot_path")
    recorded = {"send/1": {"total": 1000.0, "functions": {"Peer::send": 600.0, "Outbox::net": 400.0}}}

    def judged(factor):
        changed = copy.deepcopy(recorded)
        changed["send/1"]["total"] *= factor
        changed["send/1"]["functions"]["Peer::send"] += 1000 * (factor - 1)
        return "\n".join(complaints(recorded, changed))

    assert judged(1.0) == judged(1.04) == judged(0.96) == ""
    assert "find out why" in judged(1.06) and "+60.0  Peer::send" in judged(1.06)
    assert "faster than recorded" in judged(0.94)
    assert "no longer counted" in "".join(complaints(recorded, {}))
    assert "not in the baseline" in "".join(complaints({}, recorded))
    print("self-test: a count that grows, one that shrinks, one that is gone and a new one are all told")


def record(compiler, steps):
    every = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    every[compiler] = steps
    BASELINE.write_text(json.dumps(every, indent=1, sort_keys=True) + "\n")
    print(f"recorded for {compiler} in {BASELINE.relative_to(ROOT)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write the baseline of this compiler")
    parser.add_argument("--self-test", action="store_true", help="check the check; counts nothing")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/bench/instructions/hot_path",
                        help="default: %(default)s, which must be a Release build")
    parser.add_argument("--packets", type=int, default=512, help="of each step (default %(default)s; the share of a packet stays)")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    if not shutil.which("valgrind"):
        print("there is no valgrind: scripts/deps.sh test")
        return sys.exit(77)
    if not options.program.exists():
        sys.exit(f"instructions: no {options.program}: build first (cmake --build build --target hot_path)")
    compiler, steps = count(options.program.resolve(), options.packets)
    for name, step in steps.items():
        print(f"{name:20} {step['total']:8.1f} instructions a packet")
    if options.record:
        return record(compiler, steps)
    baseline = json.loads(BASELINE.read_text()).get(compiler)
    if baseline is None:
        print(f"no baseline for {compiler} in {BASELINE.relative_to(ROOT)}: --record makes one")
        return sys.exit(77)
    lines = complaints(baseline, steps)
    print("\n".join(lines) or f"all within {TOLERANCE:.0%} of the baseline of {compiler}")
    return sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
