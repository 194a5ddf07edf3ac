#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Runs the live tests on Debian's kernels, each in a virtual machine: tests/vm/matrix.py [KERNEL...]

Kernels: 5.10 6.1 6.12 6.18 newest. Prints a table, kernels by groups of tests, and what failed; what each
guest printed, and its console, are in build/vm/KERNEL/. Closes with `N passed, N failed`."""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import guest  # noqa: E402
import guest_tests  # noqa: E402

KERNELS = ("5.10", "6.1", "6.12", "6.18", "newest")
NAMES = [group.__name__ for group in guest_tests.GROUPS]
SECONDS = 1500  # for a guest: ten times what it takes on a machine with nothing else to do


def fetched(names):
    """{name: (version, directory)} of the kernels that could be had."""
    done = subprocess.run([os.path.join(HERE, "fetch.sh"), *names], stdout=subprocess.PIPE, text=True,
                          check=False)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {name: (version, directory) for name, version, directory in rows}


def run(name, directory, groups, quick):
    """{group: row} of a kernel, and the guest's Result."""
    work = os.path.join(ROOT, "build/vm", name)
    script = (f"cd '{ROOT}' && exec /usr/bin/python3 -B tests/vm/guest_tests.py "
              f"{'--quick ' if quick else ''}{' '.join(groups)}\n")
    for _ in range(2):
        result = guest.run(directory, script, work, SECONDS)
        if result.output.strip():
            break  # it started: what comes out of it counts
    rows = {}
    for line in result.output.splitlines():
        try:
            row = json.loads(line)
            rows[row["group"]] = row
        except (ValueError, KeyError, TypeError):
            continue
    return rows, result


def table(results, versions, groups):
    width = max(12, *(len(f"{k} ({versions[k]})") for k in results))
    lines = [" " * width + "".join(f"  {g:<11}" for g in groups)]
    for kernel, (rows, _) in results.items():
        cells = ["ok" if rows.get(g, {}).get("ok") else "FAILED" if g in rows else "not run" for g in groups]
        lines.append(f"{f'{kernel} ({versions[kernel]})':<{width}}" + "".join(f"  {c:<11}" for c in cells))
    return "\n".join(lines)


def report(kernel, rows, result, groups):
    for group in groups:
        row = rows.get(group)
        if row:
            print(f"{kernel} {group}: {'ok' if row['ok'] else 'FAILED'} in {row['seconds']} s: {row['said']}")
        else:
            print(f"{kernel} {group}: FAILED: the guest did not come to it (status {result.status}, "
                  f"{result.seconds:.0f} s); see {os.path.relpath(result.console, ROOT)}")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--group", action="append", choices=NAMES, help="only these groups; repeats")
    parser.add_argument("--quick", action="store_true", help="fewer programs for usdt and uprobe")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="guests at once")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL")
    options = parser.parse_args()
    groups = options.group or NAMES
    wanted = options.kernels or KERNELS
    found = fetched(wanted)
    results = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = {k: pool.submit(run, k, found[k][1], groups, options.quick) for k in wanted if k in found}
        for kernel, future in futures.items():
            try:
                results[kernel] = future.result()
            except guest.Unavailable as error:
                sys.exit(f"matrix.py: {error}")
            report(kernel, *results[kernel], groups)
    if results:
        print("\n" + table(results, {k: found[k][0] for k in results}, groups) + "\n")
    passed = sum(bool(rows.get(g, {}).get("ok")) for rows, _ in results.values() for g in groups)
    failed = len(groups) * len(wanted) - passed
    for kernel in wanted:
        if kernel not in found:
            print(f"matrix.py: Linux {kernel} could not be fetched")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
