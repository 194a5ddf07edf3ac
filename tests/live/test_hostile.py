# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A traced program that forges all that it can, beside one that behaves: pytrail goes on, each event of the second
comes as it was, every event is accounted for, what is odd is marked, and nothing gets out unescaped."""
import json
import os
import re
import signal
import unicodedata

import pytest
import util
from util import Target, Tracer, events

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "workloads", "hostile.py")
PROBES = ["usdt", "uprobe"]
FORMATS = ["text", "json", "ecs", "ocsf", "cef", "leef"]
STEADY = 2000
FLOOD = 200_000

# Its events come at all times that the other one works, and are known exactly.
BEHAVES = """
import os, sys
os.write(1, b"ready\\n")
while os.read(0, 1):
    for number in range(int(sys.argv[1])):
        sys.audit("steady", number, ["text", {"a": number}], (None, 1.5))
    os.write(1, b"done\\n")
"""

# Members beside the arguments that say so; each label not named here must have one of them.
MARKS = ("truncated", "unreadable")
# What is like any object of its kind, lies and all, and so not marked.
PLAIN = {
    "str kind 0 compact 0", "str kind 0 compact 1", "str kind 1 compact 1", "str kind 2 compact 1",
    "str kind 4 compact 1", "str surrogates", "str beyond", "type all flags",
}


@pytest.fixture(params=PROBES)
def probe(request):
    return request.param


class Pair:
    """The hostile program and the one that behaves, in one run of pytrail."""

    def __init__(self, python, case, probe, *options, steady=STEADY, args=(), scope=None, alone=False):
        self.beats, self.alone = steady, alone  # alone: that the other one does its work is all that is seen of it
        self.out = os.path.join(os.path.dirname(python), "out.json")
        self.steady = Target(python, BEHAVES, [str(steady)])
        self.steady.expect("ready")
        self.steady.map = self.steady.probes.bias(self.steady.pid, python)
        with open(PROGRAM, encoding="utf-8") as file:
            self.hostile = Target(python, file.read(), [case, *args])
        self.hostile.expect("ready")
        self.hostile.map = self.hostile.probes.bias(self.hostile.pid, python)
        self.probe = probe
        scope = scope or ["-p", str(self.hostile.pid)] + ([] if alone else ["-p", str(self.steady.pid)])
        self.tracer = Tracer(*scope, f"--probe={probe}", "-o", f"json:{self.out}", "--ring-size", "64M", *options)

    def __enter__(self):
        if self.probe == "usdt":
            self.tracer.wait_attached(self.hostile, *([] if self.alone else [self.steady]))
        else:
            util.wait_until(lambda: "; Ctrl-C ends it" in self.tracer.stderr, "pytrail attaches")
        return self

    def __exit__(self, *_):
        # the tracer last: it cannot end before a page that the hostile one holds comes
        for part in (self.hostile, self.steady, self.tracer):
            part.__exit__()

    def go(self, ends=False):
        """Lets both do what they do, the one that behaves before, beside and after the other."""
        probes = self.hostile.probes
        told = [",".join(hex(self.hostile.map + a) for a in column if a) for column in zip(*probes.sites)]
        self.beat()
        self.tell(" ".join(reversed(told)))
        self.beat()
        if ends:
            self.hostile.process.wait(util.LIMIT)
        else:
            self.hostile.expect("done")
        self.beat()

    def tell(self, line=""):
        self.hostile.process.stdin.write(line + "\n")
        self.hostile.process.stdin.flush()

    def beat(self):
        self.steady.process.stdin.write("x")
        self.steady.process.stdin.flush()
        self.steady.expect("done")

    def end(self, lossless=True):
        """Stops pytrail, which must have survived: the hostile program's records."""
        assert self.tracer.process.poll() is None, self.tracer.stderr
        assert self.tracer.stop() == 0, self.tracer.stderr
        self.check_steady()
        self.check_account(lossless)
        return events(self.records(), pid=self.hostile.pid)

    def records(self):
        """What is in the file; of a line that is still being written nothing."""
        running = self.tracer.process.poll() is None
        with open(self.out, encoding="utf-8") as file:
            text = file.read()
        return util.json_lines(text[:text.rfind("\n") + 1] if running else text)

    def check_steady(self):
        steady = events(self.records(), "steady", self.steady.pid)
        assert len(steady) == (0 if self.alone else 3 * self.beats)
        for i, record in enumerate(steady):
            number = i % self.beats
            assert list(record["args"].values()) == [number, ["text", {"a": number}], [None, 1.5]]
            assert not any(mark in record for mark in MARKS)

    def check_account(self, lossless):
        records = self.records()
        summary = self.tracer.summary()
        lost = sum(r["count"] for r in records if r["type"] == "lost")
        assert (summary["events"], summary["lost"]) == (len(events(records)), lost)
        assert not any(r.get("process", {}).get("pid") == self.steady.pid for r in records if r["type"] == "lost")
        if lossless:
            assert lost == 0


def labelled(records):
    return {r["args"]["arg0"]: r for r in records if r["event"] == "hostile"}


@pytest.mark.parametrize("case", ["sequences", "strings", "types", "tables", "memory", "cycles", "sizes"])
def test_forged(python, case, probe):
    with Pair(python, case, probe) as pair:
        pair.go()
        records = pair.end()
    assert records[-1]["event"] == "hostile.end"
    found = labelled(records)
    assert found
    for label, record in found.items():
        plain = label in PLAIN or is_object(record)
        assert plain or any(mark in record for mark in MARKS), (label, str(record["args"])[:1000])


def is_object(record):
    """It was told to be an object of no known kind, and so not looked into."""
    value = record["args"].get("arg1")
    return isinstance(value, dict) and "$object" in value


@pytest.mark.parametrize("case", ["mutations"])
def test_what_changes_while_it_is_read(python, case, probe):
    with Pair(python, case, probe) as pair:
        pair.go()
        records = pair.end()
    numbers = [r["args"]["arg0"] for r in records if r["event"] == "hostile.mutation"]
    assert len(numbers) == 500 and numbers == sorted(set(numbers))


def out_of_line(text):
    """Characters that a terminal obeys, or that end a line for some reader of it."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Zl", "Zp") and c != "\n"}


def test_nothing_unescaped(python, probe, tmp_path):
    """In any format: one line a record, nothing that a terminal obeys, and JSON that says what it was."""
    outs = {name: str(tmp_path / name) for name in FORMATS}
    options = [part for name, path in outs.items() for part in ("-o", f"{name}:{path}")]
    with Pair(python, "escapes", probe, *options) as pair:
        pair.go()
        records = pair.end()
    found = [r["args"]["arg1"] for r in records if r["event"] == "hostile" and len(r["args"]) > 2]
    assert "\x1b]0;owned\x07" in found and "\r\n" in found
    lines = {}
    for name, path in outs.items():
        with open(path, encoding="utf-8", newline="\n") as file:  # UTF-8 it is, too
            lines[name] = file.read().split("\n")[:-1]
        assert not {c for line in lines[name] for c in out_of_line(line)} - ({"\t"} if name == "leef" else set()), name
    for name in ("json", "ecs", "ocsf"):
        assert len([json.loads(line) for line in lines[name]]) == len(lines["json"])
    assert len({len(lines[name]) for name in FORMATS if name != "text"}) == 1
    assert {r["process"]["comm"] for r in records if r["args"].get("arg1") == "comm"} == {'\x1b[31m\nA\udcff"'}


@pytest.mark.parametrize("case", ["exit", "kill", "exec", "exec itself"])
def test_ends_in_the_middle(python, case, probe):
    with Pair(python, case, probe) as pair:
        pair.go(ends=True)
        records = pair.end(lossless=False)
    going = [r for r in records if r["event"] == "hostile.going"]
    assert going
    for record in going:
        number = record["args"]["arg0"]
        assert list(record["args"].values()) == [number, [number], "text"]


@pytest.mark.parametrize("case", ["semaphore full", "protect"])
def test_own_probe_in_vain(python, case):
    """What a program does to its own probe that leaves it in place."""
    with Pair(python, case, "usdt") as pair:
        pair.go()
        records = pair.end()
    assert records[-1]["event"] == "hostile.end"


@pytest.mark.parametrize("case", ["semaphore 0", "patch"])
def test_own_probe_switched_off(python, case):
    """A program can blind the USDT probe in itself, and only there."""
    with Pair(python, case, "usdt") as pair:
        pair.go()
        records = pair.end()
    assert not [r for r in records if r["event"] == "hostile.end"]


def test_own_probe_unmapped(python):
    """The program does not survive that; all else does."""
    with Pair(python, "unmap", "usdt") as pair:
        pair.go(ends=True)
        assert pair.hostile.process.returncode < 0
        pair.end()


def test_a_flood_is_throttled(python, probe):
    """A process that floods loses events of its own; one that behaves loses none, though the ring is small."""
    with Pair(python, "flood", probe, "--ring-size", "64K", "--max-rate", "300/s", "--stats", steady=40) as pair:
        pair.go()
        emitted = len(pair.end(lossless=False))
    lost = [r for r in pair.records() if r["type"] == "lost"]
    assert {(r["cause"], r["process"]["pid"]) for r in lost} == {("throttled", pair.hostile.pid)}
    # the events of the flood, the one before and the one behind it: each is there or counted
    assert emitted + sum(r["count"] for r in lost) == FLOOD + 2
    assert emitted >= 300
    # the figures add up
    figures, = re.findall(r"stats: kernel: (.*?);", pair.tracer.stderr)
    seen, parts = figures.split(" seen = ")
    assert int(seen) == sum(int(part.split()[0]) for part in re.sub(r"\(\d.*?\)", "", parts).split(" + ")), figures
    assert f" + {FLOOD + 2 - emitted} lost (throttled)" in figures


@pytest.mark.parametrize("rate", ["0", "-1", "1/m", "/s", "1e9", "many"])
def test_bad_rates(rate):
    said = util.run("trace", "--max-rate", rate)
    assert said.returncode == 2 and "--max-rate takes a number from 1 to 100000000" in said.stderr


ABSENT = {"never touched", "dropped", "paged out"}


def test_pages_that_do_not_come(python, probe):
    """Programs that wait for a page for as long as a process likes, as many as there is room for and more: others' events
    come all the same, and what was waited for is whole. (Each wait leaves the processor to the other program, in the
    middle: nothing of one may be where the other finds it.)"""
    count = 80
    with Pair(python, "held", probe, "-f", args=[str(count)]) as pair:
        pair.beat()
        pair.tell()
        held = int(re.fullmatch(r"held (\d+)\n", pair.hostile.process.stdout.readline())[1])
        pair.beat()
        pair.tell()
        pair.hostile.expect("done")
        pair.beat()
        pair.end()
        records = [list(r["args"].values()) for r in events(pair.records(), "hostile")]
    assert sorted(number for _, number, _ in records) == list(range(count))
    whole = [number for _, number, value in records if value == [f"absent {number}"]]
    assert len(whole) == held < count / 2
    assert sum(value == [None] for _, _, value in records) == count - held


def test_ends_while_a_page_does_not_come(python):
    """What has been seen is written, and the summary said, though the kernel does not detach before the page comes."""
    with Pair(python, "held", "usdt", "-f", args=["4"]) as pair:
        pair.beat()
        pair.tell()
        held = int(pair.hostile.process.stdout.readline().split()[1])
        pair.beat()
        pair.tracer.process.send_signal(signal.SIGINT)
        util.wait_until(lambda: util.SUMMARY.search(pair.tracer.stderr), "the summary")
        assert len(events(pair.records(), "steady", pair.steady.pid)) == 2 * STEADY
        assert held == 0 or "keeps the kernel from detaching" in pair.tracer.stderr
        pair.tell()
        pair.hostile.expect("done")
        assert pair.tracer.wait_end() == 0


def test_files_go_while_a_page_does_not_come(python, tmp_path):
    """A trace of the host lets go of a file that is gone, and does not wait for what holds a page back elsewhere."""
    gone = util.private_python(tmp_path / "gone")
    with Pair(python, "held", "usdt", args=["2"], scope=["-v"]) as pair:
        with Target(gone) as target:
            pair.tracer.wait_attached(target)
            os.unlink(gone)
        pair.tell()
        assert pair.hostile.process.stdout.readline().startswith("held ")
        util.wait_until(lambda: f"detached {gone}" in pair.tracer.stderr, "the file that is gone is let go of")
        pair.beat()
        util.wait_until(lambda: len(events(pair.records(), "steady", pair.steady.pid)) == STEADY, "events")
        pair.tell()
        pair.hostile.expect("done")
        assert pair.tracer.stop() == 0


SLEEP, UNLOCKED = "sleepable uprobes", "unlocked perf uprobes"


@pytest.mark.parametrize("alone,without,sleeps", [
    (False, "", True), (False, f"{SLEEP},multi-uprobe links", False), (False, UNLOCKED, True),
    (True, "", True), (True, UNLOCKED, False)])
def test_absent_pages(python, probe, alone, without, sleeps, monkeypatch, tmp_path):
    """What is not in memory is read by a program that may sleep; by another it is said to be unreadable. One process
    alone has perf uprobes, whose programs sleep only where the kernel lets others pass meanwhile."""
    monkeypatch.chdir(tmp_path)
    if sleeps and (util.lacks(SLEEP) or (alone and util.lacks(UNLOCKED))):
        pytest.skip("no program may sleep on this kernel")
    monkeypatch.setenv("PYTRAIL_WITHOUT", without)
    if not sleeps and not util.loads(python):
        pytest.skip("this kernel takes programs that sleep only")
    with Pair(python, "absent", probe, "--stats", alone=alone) as pair:
        pair.go()
        found = {label: r for label, r in labelled(pair.end()).items() if label in ABSENT}
    assert {"never touched", "dropped"} <= set(found)
    for record in found.values():
        if sleeps:
            assert record["args"]["arg1"] == [f"absent {n}" for n in range(4)] and "unreadable" not in record
        else:
            assert record["args"]["arg1"] == [None] * 4
            assert record["unreadable"] == [f"args.arg1[{n}]" for n in range(4)]
    counted = int(re.search(r"(\d+) values unreadable", pair.tracer.stderr)[1])
    assert counted == 0 if sleeps else counted >= 4 * len(found)
