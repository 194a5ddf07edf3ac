#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Runs the live tests on Debian's kernels, each in a virtual machine: tests/vm/matrix.py [KERNEL...]

Kernels: 5.10 6.1 6.12 6.18 newest; with +full behind it one that preempts wherever it can (preempt=full). With
--arch arm64: 5.10 6.1 6.12, on what was built by `make ARCH=arm64` (`make test-arm64` does both). Prints a
table, kernels by groups of tests ("-": there is nothing of it on that kernel), and what failed; what each guest printed,
and its console, are in build/vm/KERNEL/. Closes with `N passed, N failed`."""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "verifier")]

import figures  # noqa: E402
import guest  # noqa: E402
import guest_tests  # noqa: E402

KERNELS = {"amd64": ("5.10", "6.1", "6.12", "6.18", "newest", "6.12+full", "6.18+full", "newest+full"),
           "arm64": ("5.10", "6.1", "6.12")}
NAMES = [group.__name__ for group in guest_tests.GROUPS]
FULL_NAMES = ("usdt", "preemption", "follow", "hostile", "kernel")  # of those that preemption can harm
SECONDS = 3600  # for a guest: ten times what it takes on a machine with nothing else to do


def fetched(names):
    """{name: (version, directory)} of the kernels that could be had."""
    plain = list(dict.fromkeys(name.removesuffix("+full") for name in names))
    done = subprocess.run([os.path.join(HERE, "fetch.sh"), *plain], stdout=subprocess.PIPE, text=True,
                          check=False)
    rows = {line.split()[0]: tuple(line.split()[1:]) for line in done.stdout.splitlines()}
    return {name: rows[name.removesuffix("+full")] for name in names if name.removesuffix("+full") in rows}


def groups_of(name, groups):
    return [g for g in groups if g in FULL_NAMES] if name.endswith("+full") else groups


def surroundings(arch):
    """What a guest of this architecture runs in: keywords of guest.run(), and the program under test."""
    if arch == "amd64":
        return {}, os.path.join(ROOT, "build/pytrail")
    done = subprocess.run([os.path.join(HERE, "sysroot.sh"), arch], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(1)
    return ({"arch": arch, "root": done.stdout.strip(), "share": ROOT},
            os.path.join(ROOT, "build", arch, "pytrail"))


def run(name, directory, groups, quick, where=({}, os.path.join(ROOT, "build/pytrail")), seconds=SECONDS):
    """{group: row} of a kernel, and the guest's Result."""
    groups = groups_of(name, groups)
    boot = "preempt=full" if name.endswith("+full") else ""
    work = os.path.join(ROOT, "build/vm", name.replace(":", "-"))
    options, program = where
    script = (f"cd '{ROOT}' && PYTRAIL='{program}' exec /usr/bin/python3 -B tests/vm/guest_tests.py "
              f"{'--quick ' if quick else ''}{' '.join(groups)}\n")
    for _ in range(2):
        result = guest.run(directory, script, work, seconds, boot=boot, **options)
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


def cell(kernel, rows, group, groups):
    if group not in groups_of(kernel, groups):
        return "-"
    if group not in rows:
        return "not run"
    return {True: "ok", None: "-"}.get(rows[group]["ok"], "FAILED")


def table(results, versions, groups):
    names = {kernel: f"{kernel} ({versions[kernel]})" for kernel in results}
    width = max(map(len, names.values()))
    lines = [" " * width + "".join(f"  {g:<10}" for g in groups)]
    for kernel, (rows, _) in results.items():
        cells = [cell(kernel, rows, g, groups) for g in groups]
        lines.append(f"{names[kernel]:<{width}}" + "".join(f"  {c:<10}" for c in cells))
    return "\n".join(line.rstrip() for line in lines)


def report(kernel, rows, result, groups):
    for group in groups_of(kernel, groups):
        row = rows.get(group)
        if row:
            said = {True: "ok", None: "nothing to test"}.get(row["ok"], "FAILED")
            print(f"{kernel} {group}: {said} in {row['seconds']} s: {row['said']}")
        else:
            print(f"{kernel} {group}: FAILED: the guest did not come to it (status {result.status}, "
                  f"{result.seconds:.0f} s); see {os.path.relpath(result.console, ROOT)}")
    sys.stdout.flush()


def record(results, versions):
    """Writes down what the verifiers had to do."""
    rows = figures.load()
    for kernel, (groups, _) in results.items():
        key = figures.key_of(versions[kernel], "aarch64" if kernel.endswith(":arm64") else "x86_64")
        measured = groups.get("verifier", {}).get("figures")
        if measured:  # a program that it is not given any more has none
            rows = {row: of for row, of in rows.items() if row[0] != key}
            rows.update(((key, program), of) for program, of in measured.items())
    figures.save(rows)


def passed(kernel, rows, groups):
    """How many groups did."""
    return sum(g in rows and rows[g]["ok"] is not False for g in groups_of(kernel, groups))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--group", action="append", choices=NAMES, help="only these groups; repeats")
    parser.add_argument("--quick", action="store_true", help="fewer programs for usdt and uprobe")
    parser.add_argument("--record", action="store_true", help="write down the verifiers' figures as those to hold to")
    parser.add_argument("--arch", choices=KERNELS, default="amd64")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="guests at once")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL")
    options = parser.parse_args()
    groups = options.group or NAMES
    wanted = options.kernels or KERNELS[options.arch]
    if options.arch != "amd64":
        wanted = [f"{name}:{options.arch}" for name in wanted]
    where = surroundings(options.arch)
    found = fetched(wanted)
    results = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = {k: pool.submit(run, k, found[k][1], groups, options.quick, where)
                   for k in wanted if k in found}
        for kernel, future in futures.items():
            try:
                results[kernel] = future.result()
            except guest.Unavailable as error:
                sys.exit(f"matrix.py: {error}")
            report(kernel, *results[kernel], groups)
    versions = {k: found[k][0] for k in results}
    if results:
        print("\n" + table(results, versions, groups) + "\n")
    if options.record:
        record(results, versions)
    good = sum(passed(k, rows, groups) for k, (rows, _) in results.items())
    failed = sum(len(groups_of(k, groups)) for k in wanted) - good
    for kernel in wanted:
        if kernel not in found:
            print(f"matrix.py: Linux {kernel} could not be fetched")
    print(f"{good} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
