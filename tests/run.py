#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Runs the tests: tests/run.py [--all] [--fuzz-seconds N] [TIER[/NAME]...]

Tiers, in order: format (make fmt-check), lint (make lint), unit (programs of build/tests/unit), san (the same under
AddressSanitizer and UndefinedBehaviorSanitizer, and what runs build/san/pytrail), fuzz, and the
pytest files of every directory of tests/. Those that trace live processes come last, one by one, and fuzzing beside
them, with what time they leave; the others are run side by side. Each test's output is in build/test-logs/; the
tail of what failed is printed, and at the end each test that did, by name. The closing line is
`N passed, N failed, N skipped`; exit status 1 if anything failed.

PYTRAIL_NO_LIVE=1 leaves out the tests on live processes; otherwise they fail where the machine
cannot be traced, with the reason.
"""
import argparse
import concurrent.futures
import contextlib
import glob
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = os.path.join(ROOT, "build", "test-logs")
BASE = tempfile.mkdtemp(prefix="pt-")  # short: names of sockets are limited
NUMBERS = itertools.count(1)
TAIL = 60  # lines of a failed test's log
LIMIT = {"format": 120, "lint": 600, "unit": 120, "san": 600, "live": 1500, "vm": 1800}  # seconds
LIMIT_DEFAULT = 900
# Files whose tests trace live processes: all of these directories, and in others those of this name.
LIVE = ("live",)
LIVE_NAME = "test_live_"
LIVE_SAN = ("test_cli.py", "test_processes.py", "test_top.py")  # of these, those that run with sanitizers, too
SAN_ENV = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}
# Where sessions are scheduled as groups (CONFIG_SCHED_AUTOGROUP) a process's own niceness counts within its one only.
YIELD = ["sh", "-c", "echo 19 2>/dev/null >/proc/self/autogroup; exec nice -n 19 \"$@\"", "sh"]


class Test:
    """One program to run: counts(log) gives (passed, failed, skipped), None: by its exit status."""

    def __init__(self, tier, name, command, counts=None, env=None, limit=None):
        self.tier, self.name, self.command = tier, name, command
        self.counts, self.env = counts, env or {}
        self.limit = limit or LIMIT.get(tier, LIMIT_DEFAULT)
        self.yields = False  # it has only the time that others leave
        self.base = None  # what pytest's tmp_path is made in
        self.live = tier in LIVE or name.startswith(LIVE_NAME)
        self.log = os.path.join(LOGS, f"{tier}-{name}.log".replace("/", "-"))

    def run(self):
        """(passed, failed, skipped, seconds)"""
        begin = time.monotonic()
        with open(self.log, "wb") as log:
            status = self.execute(log)
        took = time.monotonic() - begin
        counts = self.counts(self) if self.counts else None
        passed, failed, skipped = counts or (int(status == 0), 0, 0)
        if status != 0 and not failed:  # it crashed, or never came to count
            failed = 1
            with open(self.log, "a", encoding="utf-8") as log:
                log.write(f"\nrun.py: exit status {status}\n")
        return passed, failed, skipped, took

    def execute(self, log):
        process = subprocess.Popen((YIELD if self.yields else []) + self.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**os.environ, **self.env})
        try:
            return process.wait(self.limit)
        except subprocess.TimeoutExpired:
            log.write(f"\nrun.py: not done within {self.limit} s, killed\n".encode())
            return -signal.SIGKILL
        finally:
            try:  # what it left running, too
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
            self.clean()

    def clean(self):
        """Removes what the tests have made, unless something is still mounted there."""
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            if self.base and f" {self.base}/" not in mounts.read():
                shutil.rmtree(self.base, ignore_errors=True)


def cmocka_counts(test):
    """From the summary of every group of a cmocka program."""
    with open(test.log, encoding="utf-8", errors="replace") as file:
        text = file.read()

    def total(word):
        return sum(int(n) for n in re.findall(rf"^\[ +{word} +\] (\d+) test", text, re.M))

    if "tests run." not in text and "test(s) run." not in text:
        return None
    return total("PASSED"), total("FAILED"), total("SKIPPED")


def pytest_counts(test):
    """From the XML that pytest wrote; None when it did not get so far."""
    try:
        suite = xml.etree.ElementTree.parse(test.log + ".xml").getroot().find("testsuite")
        number = {k: int(suite.get(k, 0)) for k in ("tests", "failures", "errors", "skipped")}
    except (OSError, xml.etree.ElementTree.ParseError, AttributeError, ValueError):
        return None
    failed = number["failures"] + number["errors"]
    return number["tests"] - failed - number["skipped"], failed, number["skipped"]


def failures(test):
    """The names of the tests in it that failed, with what pytest says of each: what is known of them."""
    try:
        with open(test.log, encoding="utf-8", errors="replace") as file:
            names = re.findall(r"^\[  FAILED  \] (?!\d+ test)(.+)", file.read(), re.M)
        for case in xml.etree.ElementTree.parse(test.log + ".xml").getroot().iter("testcase"):
            said = [what.get("message", "") for what in case if what.tag in ("failure", "error")]
            if said:
                names.append(f"{case.get('name')}: {(said[0].splitlines() or [''])[0][:200]}")
    except (OSError, xml.etree.ElementTree.ParseError):
        pass  # no pytest, or it was killed
    return list(dict.fromkeys(names)) or ["see its log"]


def unit_tests(tier, directory, env=None):
    return [Test(tier, os.path.basename(path), [path], cmocka_counts, env)
            for path in sorted(glob.glob(os.path.join(ROOT, directory, "tests/unit/test_*")))
            if os.access(path, os.X_OK) and not path.endswith(".d")]


def pytest_test(tier, path, env=None, prefix=""):
    name = prefix + os.path.basename(path)[:-len(".py")]
    test = Test(tier, name, None, pytest_counts, env)
    # Not the one that pytest chooses: each run of it closes the directory above all of these to other users, such as
    # the exporters of the tests beside it.
    test.base = os.path.join(BASE, str(next(NUMBERS)))
    test.command = ["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider",
                    "--tb=short", "-o", "junit_family=xunit2", f"--junitxml={test.log}.xml",
                    f"--basetemp={test.base}", path]
    return test


def pytest_files(directory):
    """Those that pytest finds tests in: others are scripts that the tests run."""
    found = []
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", directory, "test_*.py"))):
        with open(path, encoding="utf-8") as file:
            if re.search(r"^\s*def test_", file.read(), re.M):
                found.append(path)
    return found


# What is fuzzed beside tests/fuzz/corpus/NAME: real files that the repository has anyway.
MORE_SEEDS = {"fuzz_config": ["scripts/packaging/config"]}


def fuzz_tests(seconds):
    tests = []
    for source in sorted(glob.glob(os.path.join(ROOT, "tests/fuzz/fuzz_*.c"))):
        name = os.path.basename(source)[:-len(".c")]
        program = os.path.join(ROOT, "build/fuzz", name)
        found = os.path.join(ROOT, "build/fuzz/corpus", name)
        os.makedirs(found, exist_ok=True)
        seeds = [os.path.join(ROOT, path) for path in [f"tests/fuzz/corpus/{name}", *MORE_SEEDS.get(name, [])]]
        corpus = [found] + [path for path in seeds if os.path.isdir(path)]
        dictionary = os.path.join(ROOT, "tests/fuzz/dict", name + ".dict")
        if os.path.exists(dictionary):
            corpus.append(f"-dict={dictionary}")
        tests.append(Test("fuzz", name, [program, f"-max_total_time={seconds}", "-timeout=10",
                                         "-rss_limit_mb=2048", "-print_final_stats=1",
                                         f"-artifact_prefix={LOGS}/{name}-", *corpus],
                          limit=seconds + 600))
    return tests


def discover(fuzz_seconds):
    """All tests, in the order in which they run."""
    tests = [Test("format", "fmt-check", ["make", "-s", "fmt-check"]), Test("lint", "lint", ["make", "-s", "lint"])]
    tests += unit_tests("unit", "build") + unit_tests("san", "build/san", SAN_ENV)
    tests += fuzz_tests(fuzz_seconds)
    san_env = {**SAN_ENV, "PYTRAIL": os.path.join(ROOT, "build/san/pytrail")}
    tests += [pytest_test("san", path, san_env, directory + "-")
              for directory in ("cli", "replay", "sink", "daemon", "faults") for path in pytest_files(directory)
              if not os.path.basename(path).startswith(LIVE_NAME)]
    directories = [os.path.basename(os.path.dirname(d))
                   for d in sorted(glob.glob(os.path.join(ROOT, "tests/*/")))]
    for directory in [d for d in directories if d not in LIVE] + list(LIVE):
        tests += [pytest_test(directory, path) for path in pytest_files(directory)]
    tests += [pytest_test("live", os.path.join(ROOT, "tests/live", name), san_env, "san-")
              for name in LIVE_SAN]
    return tests


def why_not_live():
    """Why this machine cannot be traced, "" when it can."""
    program = os.environ.get("PYTRAIL", os.path.join(ROOT, "build/pytrail"))
    try:
        check = subprocess.run([program, "check"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{program} check: {error}"
    if check.returncode == 0:
        return ""
    said = (check.stderr.strip() or check.stdout.strip()).decode(errors="replace")
    return said or f"{program} check: exit status {check.returncode}"


def report(test, passed, failed, skipped, took):
    parts = [f"{passed} passed"] + ([f"{failed} FAILED"] if failed else [])
    parts += [f"{skipped} skipped"] if skipped else []
    print(f"{test.tier + '/' + test.name:<40} {', '.join(parts):<34} {took:7.1f} s", flush=True)
    if not failed:
        return
    with open(test.log, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    for line in lines[-TAIL:]:
        print("    " + line)
    print(f"    (all of it: {os.path.relpath(test.log, ROOT)})", flush=True)


def run_live(test, reason):
    """What it came to; not run at all where the machine cannot be traced: one failed, with the reason."""
    if not reason:
        return test.run()
    with open(test.log, "w", encoding="utf-8") as log:
        log.write(f"run.py: this machine cannot be traced:\n{reason}\n")
    return 0, 1, 0, 0.0


class Tally:
    """What all came to."""

    def __init__(self):
        self.passed, self.failed, self.skipped, self.with_failures = 0, 0, 0, []

    def take(self, test, result):
        report(test, *result)
        passed, failed, skipped, _ = result
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.with_failures.append(test)


def run_all(tests, jobs):
    """Those that trace nothing side by side, then those that do, one after the other: they see each other. The Tally."""
    tally = Tally()
    live = [test for test in tests if test.live]
    no_live = os.environ.get("PYTRAIL_NO_LIVE", "") not in ("", "0")
    for test in tests:
        test.yields = test.tier == "fuzz" and bool(live) and not no_live
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for test, result in pool.map(lambda test: (test, test.run()),
                                     [test for test in tests if not test.live and not test.yields]):
            tally.take(test, result)
    if no_live:
        print(f"{len(live)} files of tests on live processes: not run, PYTRAIL_NO_LIVE is set", flush=True)
        tally.skipped += len(live)
        return tally
    reason = why_not_live() if live else ""
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        fuzzed = beside.map(lambda test: (test, test.run()), [test for test in tests if test.yields])
        for test in live:
            tally.take(test, run_live(test, reason))
        for test, result in fuzzed:
            tally.take(test, result)
    return tally


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true",
                        help="fetch and build interpreters that are not there yet, and use them")
    parser.add_argument("--fuzz-seconds", type=int, default=5, help="for each fuzz target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(),
                        help="tests that trace nothing, at once")
    parser.add_argument("only", nargs="*", metavar="TIER[/NAME]")
    options = parser.parse_args()
    if options.all:
        os.environ["PYTRAIL_TEST_ALL"] = "1"
    shutil.rmtree(LOGS, ignore_errors=True)
    os.makedirs(LOGS)
    begin = time.monotonic()
    os.chmod(BASE, 0o755)
    tests = discover(options.fuzz_seconds)
    if options.only:
        tests = [t for t in tests if t.tier in options.only or f"{t.tier}/{t.name}" in options.only]
        if not tests:
            sys.exit(f"run.py: no test is named {' or '.join(options.only)}")
    tally = run_all(tests, options.jobs)
    for test in tally.with_failures:
        for name in failures(test)[:20]:
            print(f"FAILED {test.tier}/{test.name}: {name}")
    with contextlib.suppress(OSError):  # what was left in it stays
        os.rmdir(BASE)
    print(f"{time.monotonic() - begin:.0f} s; logs in build/test-logs/\n")
    print(f"{tally.passed} passed, {tally.failed} failed" + (f", {tally.skipped} skipped" if tally.skipped else ""))
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
