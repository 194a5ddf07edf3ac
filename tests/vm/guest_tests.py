#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The live tests that are run on every kernel, in a guest: tests/vm/guest_tests.py [--quick] GROUP...

One line for each group, a JSON object: group, ok, seconds, said. Few programs and few starts of pytrail, for
under software emulation the verifier takes a minute for what takes it 0.2 s."""
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
sys.path.insert(0, LIVE)

import oracle  # noqa: E402

WORKLOADS = os.path.join(LIVE, "workloads")
LIMIT = 900  # seconds for a run
PROGRAMS = ("cases.py", "threads.py", "forks.py")
QUICK = False  # only the first of them
oracle.START_LIMIT = 600

FLOOD = """
import sys
for i in range(60000):
    sys.audit("pytrail.flood", i)
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
    """The verifier accepts each program, and has less work with it than a limit."""
    done = subprocess.run([os.path.join(ROOT, "build/tests/verifier/stats")], capture_output=True,
                          text=True, timeout=LIMIT, check=False)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    most = max(rows, key=lambda row: int(row[2]), default=None)
    refused = [row[0] for row in rows if row[1] != "ok"]
    if refused:
        return False, "refused: " + " ".join(refused) + "\n" + done.stderr[-1500:]
    return done.returncode == 0, f"{int(most[2]):,} instructions at most ({most[0]})"


def sleeps():
    """Whether arguments that are not in memory can be read: only by a program that may sleep."""
    done = subprocess.run([oracle.PYTRAIL, "check"], capture_output=True, text=True, timeout=LIMIT,
                          check=False)
    return re.search(r"^missing +sleepable uprobes", done.stdout, re.M) is None


def only_unreadable(result):
    """Whether nothing differs but values that pytrail says it could not read."""
    odd = [said for said in result.said if "\n    unreadable: [" in said]
    return (result.events and not result.missing and not result.extra
            and result.different == len(odd) == len(result.said) and " 0 lost," in result.summary)


def with_oracle(options):
    """Case files, threads and forks: what pytrail says equals what the hook in the process says, but for pages
    that are not in memory on a kernel without sleepable uprobes."""
    events, unreadable, said = 0, 0, []
    may_sleep = sleeps()
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
    return emitted + lost == 60000 and emitted > 0, f"{emitted} emitted + {lost} lost"


def preemption():
    """Programs that take turns on one processor: no record is mixed of two."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as program:
        program.write(TURNS)
        program.flush()
        done = trace(["-o", "json", "--ring-size", "64M", "--probe=usdt", "-e", "pytrail.turn"],
                     ["/bin/sh", "-c", f"for m in a b c d; do {oracle.PYTHON} -I {program.name} $m & done; wait"])
    records = [json.loads(line) for line in done.stdout.splitlines()]
    mixed = 0
    for record in records:
        mark, value = record["args"].values()
        mixed += len(set(re.sub(r"[^a-z]", "", json.dumps(value)))) != 1 or mark[0] not in json.dumps(value)
    return len(records) == 32000 and not mixed, f"{len(records)} records, {mixed} mixed"


GROUPS = (check, verifier, usdt, uprobe, accounting, preemption)


def main():
    global QUICK  # pylint: disable=global-statement
    QUICK = "--quick" in sys.argv[1:]
    wanted = [word for word in sys.argv[1:] if word != "--quick"]
    for group in GROUPS:
        if wanted and group.__name__ not in wanted:
            continue
        begin = time.monotonic()
        try:
            good, said = group()
        except Exception as error:  # pylint: disable=broad-except
            good, said = False, f"{type(error).__name__}: {error}"
        print(json.dumps({"group": group.__name__, "ok": good, "seconds": round(time.monotonic() - begin, 1),
                          "said": said}), flush=True)


if __name__ == "__main__":
    main()
