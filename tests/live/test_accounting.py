# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Accounting: a known number of events, more than a tiny ring can hold. Every one is written,
filtered or counted as lost, and the three figures add up exactly."""
import signal

import pytest
import util
from util import SUMMARY, Target, Tracer, events, json_lines

TOTAL = 200_000
RING = "64K"

# Raises nothing but these events: os.read and os.write raise none.
COUNTED = """
import os, sys
total = int(sys.argv[1])
os.write(1, b"ready\\n")
while os.read(0, 1):
    for number in range(total):
        sys.audit("test.odd" if number & 1 else "test.even", number)
    os.write(1, b"done\\n")
"""


def start(python, total=TOTAL):
    target = Target(python, COUNTED, [str(total)])
    target.expect("ready")
    target.map = target.probes.bias(target.pid, python)
    return target


def trace(target, out, *args):
    return Tracer("-p", str(target.pid), "-o", f"json:{out}", "--ring-size", RING, *args)


def go(*targets):
    for target in targets:
        target.process.stdin.write("x")
        target.process.stdin.flush()
    for target in targets:
        target.expect("done")


def check(path, tracer, total):
    """(emitted, filtered, lost), proven to add up to total."""
    with open(path, encoding="utf-8") as file:
        records = json_lines(file.read())
    emitted = events(records)
    losses = [r for r in records if r["type"] == "lost"]
    lost = sum(r["count"] for r in losses)
    summary = tracer.summary()
    assert summary["events"] == len(emitted)
    assert summary["lost"] == lost
    assert summary["events"] + summary["filtered"] + summary["lost"] == total
    for record in losses:
        assert record["cause"] == "ring_full" and record["count"] > 0
    return len(emitted), summary["filtered"], lost


def assert_in_order(path, *pids):
    with open(path, encoding="utf-8") as file:
        records = json_lines(file.read())
    for pid in pids:
        numbers = [r["args"]["arg0"] for r in events(records, pid=pid)]
        assert numbers == sorted(set(numbers)), "an event is twice there, or out of order"


def test_full_speed(python, tmp_path):
    out = tmp_path / "out"
    with start(python) as target, trace(target, out) as tracer:
        tracer.wait_attached(target)
        go(target)
        assert tracer.stop() == 0
    emitted, filtered, _ = check(out, tracer, TOTAL)
    assert emitted > 0 and filtered == 0
    assert_in_order(out, target.pid)


def test_a_reader_that_stands_still(python, tmp_path):
    """What does not fit the ring is lost for certain; what fits is there."""
    out = tmp_path / "out"
    with start(python) as target, trace(target, out) as tracer:
        tracer.wait_attached(target)
        tracer.process.send_signal(signal.SIGSTOP)
        go(target)
        tracer.process.send_signal(signal.SIGCONT)
        assert tracer.stop() == 0
    emitted, _, lost = check(out, tracer, TOTAL)
    assert emitted > 100 and lost > TOTAL // 2
    assert_in_order(out, target.pid)
    # The loss is said of the process that had it.
    with open(out, encoding="utf-8") as file:
        losses = [r for r in json_lines(file.read()) if r["type"] == "lost"]
    assert sum(r["count"] for r in losses if r.get("process", {}).get("pid") == target.pid) == lost


def test_filtered_too(python, tmp_path):
    out = tmp_path / "out"
    with start(python) as target, trace(target, out, "-e", "test.even") as tracer:
        tracer.wait_attached(target)
        go(target)
        assert tracer.stop() == 0
    emitted, filtered, _ = check(out, tracer, TOTAL)
    # What is not wanted can be lost, too: of a name that the kernel does not know pytrail decides.
    assert 0 < filtered <= TOTAL // 2 and 0 < emitted <= TOTAL // 2
    with open(out, encoding="utf-8") as file:
        assert not events(json_lines(file.read()), "test.odd")


def test_several_processes(python, tmp_path):
    out = tmp_path / "out"
    with start(python) as first, start(python) as second, start(python) as third:
        pids = [arg for target in (first, second, third) for arg in ("-p", str(target.pid))]
        with Tracer(*pids, "-o", f"json:{out}", "--ring-size", RING) as tracer:
            tracer.wait_attached(first, second, third)
            go(first, second, third)
            assert tracer.stop() == 0
    check(out, tracer, 3 * TOTAL)
    assert_in_order(out, first.pid, second.pid, third.pid)


def test_a_large_ring_loses_nothing(python, tmp_path):
    out = tmp_path / "out"
    total = 20_000
    with start(python, total) as target, Tracer("-p", str(target.pid), "-o", f"json:{out}",
                                                "--ring-size", "64M") as tracer:
        tracer.wait_attached(target)
        go(target)
        assert tracer.stop() == 0
    assert check(out, tracer, total) == (total, 0, 0)


@pytest.mark.parametrize("strict, status", [([], 0), (["--strict"], 4)])
def test_strict(python, strict, status):
    with start(python) as target, trace(target, "/dev/null", *strict) as tracer:
        tracer.wait_attached(target)
        tracer.process.send_signal(signal.SIGSTOP)
        go(target)
        tracer.process.send_signal(signal.SIGCONT)
        assert tracer.stop() == status, tracer.stderr
    assert int(SUMMARY.search(tracer.stderr)["lost"]) > 0


def test_strict_without_a_loss(target):
    with Tracer("-p", str(target.pid), "-o", "json", "--strict") as tracer:
        tracer.wait_attached(target)
        target.do('sys.audit("test.v", 1)')
        assert tracer.stop() == 0


def test_stats_say_the_same(python, tmp_path):
    out = tmp_path / "out"
    with start(python) as target, trace(target, out, "--stats", "-e", "test.even") as tracer:
        tracer.wait_attached(target)
        go(target)
        assert tracer.stop() == 0
    summary = tracer.summary()
    for figure in (TOTAL, summary["events"], summary["filtered"]):
        assert str(figure) in tracer.stderr.replace(SUMMARY.search(tracer.stderr)[0], "")
