#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Builds in Debian's releases, by their own compilers and libraries: tests/builds/matrix.py [--full] [SUITE...]

For each suite a root directory of its own (tests/builds/root.sh): what scripts/deps.sh says is installed, then
pytrail is built by gcc, by clang and as a static program, the tests that need no root are run (unit, cli, replay;
--full: `make check`), and a Python of that root is traced. The static program that was built in the first suite
has to run in all of them: check, replay of a file, and a trace. Prints a table; logs are in build/test-builds/.
Exit status 1 when something failed. Needs root, debootstrap, and Debian's packages.
"""
import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LOGS = os.path.join(ROOT, "build/test-builds")
SUITES = ("bookworm", "trixie", "sid")
# What the tests that are run want beside what building wants.
TEST_PACKAGES = "libcmocka-dev python3-pytest python3-yaml binutils procps"
BUILDS = {"gcc": "CC=gcc", "clang": "CC=clang", "static": "CC=gcc STATIC=1"}
TESTS = "unit cli/test_events cli/test_usage replay/test_replay"
SMOKE = ("%s trace -o json -e builds.smoke -- python3 -c 'import sys; sys.audit(\"builds.smoke\", 42)' "
         "| grep '\"event\":\"builds.smoke\",\"args\":{\"arg0\":42}' && %s check")
VERSIONS = ("gcc -dumpfullversion; clang -dumpversion; pkg-config --modversion libbpf; "
            "ldd --version | sed -n '1s/.* //p'; python3 -c 'import sys; print(sys.version.split()[0])'")


class Suite:
    """A root directory, and what came of each step in it: True, False, or None when it was not tried."""

    def __init__(self, name):
        self.name, self.results, self.versions = name, {}, []
        made = subprocess.run([f"{HERE}/root.sh", "make", name], stdout=subprocess.PIPE, text=True, check=False)
        self.root = made.stdout.strip() if made.returncode == 0 else None
        self.results["root"] = self.root is not None

    def run(self, step, command, live=False, limit=3600):
        """Runs a shell command in the root; its output is in a log."""
        log = os.path.join(LOGS, f"{self.name}-{step}.log")
        with open(log, "w", encoding="utf-8") as file:
            try:
                status = subprocess.run([f"{HERE}/root.sh", "run", self.name, *(["-l"] if live else []), "sh", "-c",
                                         command], stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        timeout=limit, check=False).returncode
            except subprocess.TimeoutExpired:
                status = -1
        self.results[step] = status == 0
        print(f"{self.name} {step}: {'ok' if status == 0 else 'FAILED, see ' + os.path.relpath(log, ROOT)}", flush=True)
        return status == 0

    def output(self, command):
        done = subprocess.run([f"{HERE}/root.sh", "run", self.name, "sh", "-c", command], text=True,
                              stdout=subprocess.PIPE, check=False)
        return done.stdout.split()

    def prepare(self):
        return self.root and self.run("packages", "scripts/deps.sh build && { dpkg -s %s >/dev/null 2>&1 || apt-get "
                                      "install -y -qq --no-install-recommends %s; }" % (TEST_PACKAGES, TEST_PACKAGES))

    def build(self, kind, full):
        """Builds, tests and traces."""
        program = "build/static/pytrail" if kind == "static" else "build/pytrail"
        make = f"make -s -k -j{os.cpu_count()} {BUILDS[kind]}"
        if not self.run(kind, f"rm -rf build/* && {make} all"):
            return
        if kind != "static":
            tests = f"{make} check" if full else (
                f"{make} unit-tests build/tests/replay/build_records build/tests/bench/spool_bench && "
                f"PYTRAIL_NO_LIVE=1 python3 tests/run.py {TESTS}")
            self.run(f"{kind} tests", tests)
        self.run(f"{kind} trace", SMOKE % (program, program), live=True, limit=300)

    def take_static(self, source, records):
        """The program of another suite runs here."""
        place = os.path.join(self.root, "build/from-elsewhere")
        os.makedirs(place, exist_ok=True)
        shutil.copy(source, f"{place}/pytrail")
        shutil.copy(records, f"{place}/all.rec")
        program = "build/from-elsewhere/pytrail"
        self.run("taken static", f"{program} replay {program[:-8]}/all.rec -o json | grep -c type && "
                 + SMOKE % (program, program), live=True, limit=300)


def table(suites):
    """Suites by steps."""
    steps = ["gcc", "gcc tests", "gcc trace", "clang", "clang tests", "clang trace", "static", "static trace",
             "taken static"]
    print(f"\n{'':10} {'gcc, clang, libbpf, libc, Python':36} " + " ".join(f"{s:>12}" for s in steps))
    for suite in suites:
        words = [{True: "ok", False: "FAILED", None: "-"}[suite.results.get(step)] for step in steps]
        print(f"{suite.name:10} {' '.join(suite.versions):36} " + " ".join(f"{w:>12}" for w in words))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all tests that need no root, sanitizers included")
    parser.add_argument("suites", nargs="*", default=SUITES)
    options = parser.parse_args()
    os.makedirs(LOGS, exist_ok=True)
    suites = [Suite(name) for name in options.suites]
    for suite in suites:
        if not suite.prepare():
            continue
        suite.versions = suite.output(VERSIONS)
        for kind in BUILDS:
            suite.build(kind, options.full)
        # kept: the next build clears the directory
        built = os.path.join(suite.root, "build/static/pytrail")
        if os.path.exists(built):
            shutil.copy(built, os.path.join(LOGS, f"pytrail-{suite.name}"))
    program, records = os.path.join(LOGS, f"pytrail-{suites[0].name}"), os.path.join(LOGS, "all.rec")
    subprocess.run([os.path.join(ROOT, "build/tests/replay/build_records"), records], check=True)
    for suite in suites:
        if suite.root and os.path.exists(program):
            suite.take_static(program, records)
    table(suites)
    sys.exit(0 if all(all(s.results.values()) for s in suites) else 1)


if __name__ == "__main__":
    main()
