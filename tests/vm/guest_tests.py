#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The live tests that are run on every kernel, in a guest: tests/vm/guest_tests.py [--quick] GROUP...

One line for each group, a JSON object: group, ok (null: there is nothing of it on this kernel), seconds, said. Few
programs and few starts of pytrail, for under software emulation the verifier takes a minute for what takes it
0.2 s."""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIVE = os.path.join(ROOT, "tests", "live")
sys.path[:0] = [LIVE, os.path.join(ROOT, "tests", "verifier")]

import figures  # noqa: E402
import oracle  # noqa: E402
import util  # noqa: E402

WORKLOADS = os.path.join(LIVE, "workloads")
LIMIT = 900  # seconds for a run
PROGRAMS = ("cases.py", "threads.py", "forks.py")
QUICK = False  # only the first of them
COMPLAINTS = re.compile(r"BUG:|Oops|WARNING:|general protection|stall|lockup|hung_task|blocked for more than|KASAN|scheduling while")
# Of the emulated machine, as it starts; and the words it is started with.
HARMLESS = re.compile(r"x86/cpu|clocksource|TSC|ommand line: |CPU stall warnings timeout set")
oracle.START_LIMIT = 600
util.LIMIT = LIMIT

# Meanwhile pytrail, which is the program's parent, is stopped: an emulated processor raises no faster than it reads.
FLOOD = """
import os, signal, sys
os.kill(os.getppid(), signal.SIGSTOP)
for i in range(60000):
    sys.audit("pytrail.flood", i)
os.kill(os.getppid(), signal.SIGCONT)
"""
# Two programs take turns on the one processor, each with arguments of its own: a record that has some of
# both was decoded in memory that they shared.
TURNS = """
import os, sys
mark = sys.argv[1]
value = [mark * 40, (mark * 7, mark * 300), {mark * 5: mark * 90}]
pid = os.fork()
for i in range(4000):
    sys.audit("pytrail.turn", mark if pid else mark * 2, value if pid else (value, value))
if pid:
    os.waitpid(pid, 0)
"""

# Four of them; the program that starts them is attached before it runs.
START = """
import subprocess, sys
for turn in [subprocess.Popen([sys.executable, "-I", sys.argv[1], mark]) for mark in "abcd"]:
    turn.wait()
"""


def trace(options, command, limit=LIMIT):
    return subprocess.run([oracle.PYTRAIL, "trace", "--interpreters", "none", *options, "--", *command],
                          capture_output=True, text=True, errors="replace", timeout=limit, check=False)


def check():
    """pytrail check says that this kernel can be traced."""
    done = subprocess.run([oracle.PYTRAIL, "check"], capture_output=True, text=True, timeout=LIMIT,
                          check=False)
    missing = re.findall(r"^missing +(.*?)  ", done.stdout, re.M)
    return done.returncode == 0, "without " + ", ".join(missing) if missing else "all there"


def verifier():
    """The verifier accepts each program, and has not much more work with it than when that was last recorded."""
    found, refused, said = figures.measure()
    if refused or not found:
        return False, "refused: " + " ".join(refused) + "\n" + said[-1500:]
    over = figures.over(found)
    if over:
        return False, "more work than is recorded in tests/verifier/figures.tsv: " + "; ".join(over), found
    most = max(found, key=lambda name: found[name][0])
    return True, f"{found[most][0]:,} instructions, {found[most][1]:,} states at most ({most})", found


def only_unreadable(result):
    """Whether nothing differs but values that pytrail says it could not read."""
    odd = [said for said in result.said if "\n    unreadable: [" in said]
    return (result.events and not result.missing and not result.extra
            and result.different == len(odd) == len(result.said) and " 0 lost," in result.summary)


def with_oracle(options):
    """Case files, threads and forks: what pytrail says equals what the hook in the process says, but for pages
    that are not in memory on a kernel without sleepable uprobes."""
    events, unreadable, said = 0, 0, []
    may_sleep = not util.lacks("sleepable uprobes")
    for name in PROGRAMS[:1] if QUICK else PROGRAMS:
        result = oracle.run([os.path.join(WORKLOADS, name)], options=["--interpreters", "none", *options],
                            limit=LIMIT)
        events += result.events
        if not may_sleep and only_unreadable(result) and not result.status:
            unreadable += result.different
        elif not result.ok or result.status:
            said.append(f"{name}: {result}\n{result.output[-1500:]}")
    return not said, "\n".join(said) or (f"{events:,} events, 0 missing, 0 extra, "
                                         f"{unreadable} with something unreadable, 0 different else")


def usdt():
    return with_oracle(["--probe=usdt"])


def uprobe():
    return with_oracle(["--probe=uprobe"])


def accounting():
    """A ring that overflows: what was seen is what was emitted and what was lost."""
    done = trace(["-o", "json:/dev/null", "--ring-size", "64K", "--probe=usdt", "-e", "pytrail.*", "--stats"],
                 [oracle.PYTHON, "-I", "-c", FLOOD])
    found = re.search(r"^pytrail: (\d+) events, (\d+) filtered, (\d+) lost", done.stderr, re.M)
    if not found:
        return False, done.stderr[-1500:]
    emitted, _, lost = map(int, found.groups())
    return emitted + lost == 60000 and emitted > 0 < lost, f"{emitted} emitted + {lost} lost"


def preemption():
    """Programs that take turns on one processor: no record is mixed of two, and the kernel leaves no run of the program
    on the probe out. What was never touched since a fork cannot be read without sleeping by an arm64 processor that
    sets no access flags itself: it is marked."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as program:
        program.write(TURNS)
        program.flush()
        done = trace(["-o", "json", "--ring-size", "64M", "--probe=usdt", "-e", "pytrail.turn", "--bpf-stats"],
                     [oracle.PYTHON, "-I", "-c", START, program.name])
    mixed = unreadable = 0
    records = [json.loads(line) for line in done.stdout.splitlines()]
    for record in records:
        mark, value = record["args"].values()
        if "unreadable" in record:
            unreadable += 1
        else:
            mixed += len(set(re.sub(r"[^a-z]", "", json.dumps(value)))) != 1 or mark[0] not in json.dumps(value)
    # those at tracepoints may be, from 7.0 on: that is said, and made up for
    left_out = re.search(r"(audit|entry)_\w+ [^,;]*left out by the kernel", done.stderr)
    no_flags = os.uname().machine == "aarch64" and util.lacks("sleepable uprobes")
    ok = len(records) == 32000 and not mixed and not left_out and (no_flags or not unreadable)
    said = f"{len(records)} records, {mixed} mixed, {unreadable} with something unreadable"
    return ok, said + ("" if ok else "\n" + done.stderr[-1500:])


def plain():
    """The programs that do not sleep, which kernels from 5.15 to 6.5 are given: on those that take both."""
    if util.lacks("sleepable uprobes"):
        return None, "this kernel is given them, or others, too"
    os.environ["PYTRAIL_WITHOUT"] = "sleepable uprobes,multi-uprobe links"
    try:
        if trace(["--probe=usdt"], ["/bin/true"]).returncode:
            return None, "this kernel takes programs that sleep only"
        return with_oracle(["--probe=usdt"])
    finally:
        del os.environ["PYTRAIL_WITHOUT"]


def pytest(*args, **env):
    """Some of the live tests, as they are."""
    command = ["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--tb=short", *args]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=2 * LIMIT, check=False,
                          cwd=LIVE, env={**os.environ, "PYTRAIL_TEST_LIMIT": str(LIMIT), **env})
    said = done.stdout.strip().splitlines()
    return done.returncode == 0, said[-1].strip("= ") if said and not done.returncode else done.stdout[-3000:]


def follow():
    """Children of processes that take turns on one processor: each is followed, and the trace ends."""
    return pytest("test_processes.py::test_children_of_processes_that_take_turns")


def absent():
    """Arguments that are not in memory."""
    return pytest("test_hostile.py::test_absent_pages", "-k", "usdt")


def hostile():
    """Programs that forge, hold pages back, blind themselves, flood, and end in the middle."""
    names = ["pages_that_do_not_come[usdt]", "own_probe_switched_off[patch]"]
    more = ["pages_that_do_not_come[uprobe]", "forged[usdt-types]", "forged[usdt-strings]", "forged[uprobe-sequences]",
            "ends_in_the_middle[usdt-kill]", "a_flood_is_throttled[usdt]"]
    return pytest(*(f"test_hostile.py::test_{name}" for name in (names if QUICK else names + more)))


def attach():
    """Attached and detached again and again, killed in between, beside another tracer."""
    names = ["attach_and_detach", "two_tracers_at_once", "many_threads_while_it_attaches"]
    return pytest(*(f"test_attach.py::test_{name}" for name in (names[:1] if QUICK else names)),
                  PYTRAIL_TEST_TURNS="2" if QUICK else "5")


def tamper():
    """Programs that disarm and overwrite their own probes are told of."""
    return pytest("test_tamper.py::test_own_probe", *(["-k", "disarmed"] if QUICK else []))


def kernel():
    """The kernel itself has found nothing wrong all along. (Last: it looks back.)"""
    log = subprocess.run(["dmesg"], capture_output=True, text=True, errors="replace", check=False).stdout
    bad = [line for line in log.splitlines() if COMPLAINTS.search(line) and not HARMLESS.search(line)]
    return not bad, "\n".join(bad[:20]) or f"no complaint in {len(log.splitlines())} lines of its log"


GROUPS = (check, verifier, usdt, uprobe, plain, accounting, preemption, follow, absent, hostile, attach, tamper, kernel)


def main():
    global QUICK  # pylint: disable=global-statement
    QUICK = "--quick" in sys.argv[1:]
    wanted = [word for word in sys.argv[1:] if word != "--quick"]
    for group in GROUPS:
        if wanted and group.__name__ not in wanted:
            continue
        begin = time.monotonic()
        try:
            good, said, *more = group()
        except Exception as error:  # pylint: disable=broad-except
            good, said, more = False, f"{type(error).__name__}: {error}", []
        print(json.dumps({"group": group.__name__, "ok": good, "seconds": round(time.monotonic() - begin, 1),
                          "said": said, "figures": more[0] if more else None}), flush=True)


if __name__ == "__main__":
    main()
