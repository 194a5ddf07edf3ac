# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Measures what tracing costs, beside other ways to do it: bench.py [--quick] [GROUP...]

Groups: producer, replay, end, real, attach. The cases of a group are interleaved, round by round, and
compared within a round. Prints tables to standard output, and writes build/bench.json (all figures)
and build/bench.svg (a chart). What is not installed is skipped with its name. No target fails the
command: exit status 0 unless nothing could be measured at all.
"""
import argparse
import importlib
import json
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import chart  # noqa: E402
import report  # noqa: E402
from stats import Series  # noqa: E402
from targets import all_targets  # noqa: E402
from world import ROOT, Unavailable, World, machine  # noqa: E402

GROUPS = ("producer", "replay", "end", "real", "attach")


def options():
    parser = argparse.ArgumentParser(prog="bench.py", description="Measures what tracing costs.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--quick", action="store_true", help="under two minutes, wider spread")
    parser.add_argument("--output", default=os.path.join(ROOT, "build"), metavar="DIRECTORY",
                        help="where bench.json and bench.svg go (build)")
    chosen = parser.parse_args()
    unknown = [g for g in chosen.groups if g not in GROUPS]
    if unknown:
        parser.error(f"there is no group {unknown[0]}, there are {', '.join(GROUPS)}")
    return chosen


def run_groups(world, groups):
    """(Series, {what was skipped: why})"""
    results, skipped, begin = Series(), {}, time.monotonic()

    def say(text):
        print(f"{time.monotonic() - begin:6.1f} s  {text}", file=sys.stderr, flush=True)

    for group in groups:
        try:
            skipped.update(importlib.import_module(f"group_{group}").run(world, results, say))
        except (Unavailable, AssertionError, OSError) as e:
            skipped[group] = f"{type(e).__name__}: {e}"  # what it has measured so far stays
    return results, skipped


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    chosen = options()
    groups = [g for g in GROUPS if not chosen.groups or g in chosen.groups]
    if os.geteuid() != 0:
        sys.exit("bench.py: tracing needs root")
    about = machine()
    try:
        world = World(chosen.quick)
    except Unavailable as e:
        sys.exit(f"bench.py: {e}")
    try:
        results, skipped = run_groups(world, groups)
    finally:
        world.close()
    targets = all_targets(results, groups)
    raw = {"machine": about, "quick": chosen.quick, "groups": groups, "skipped": skipped,
           "results": results.as_dict(), "targets": [t.as_dict() for t in targets]}
    write(os.path.join(chosen.output, "bench.json"), json.dumps(raw, indent=1) + "\n")
    bars = chart.bars(results)
    if bars:
        write(os.path.join(chosen.output, "bench.svg"), chart.draw(bars, chart.subtitle(about)))
    print(report.render(about, results, groups, skipped, targets), end="")
    if not results.data:
        sys.exit(1)


if __name__ == "__main__":
    main()
