# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Programs of a user without rights that were made to be dear to look at, while the whole host is traced: what they cost
must not keep pytrail from reading the ring. Another program's events go on through one of two seconds, and none is lost."""
import os
import struct
import subprocess

import pytest
import util
from util import Tracer

HERE = os.path.dirname(os.path.abspath(__file__))
NOBODY = 65534
MACHINE, PAUSE = {
    "x86_64": (62, bytes.fromhex("b8220000000f05ebf7")),  # mov eax, 34; syscall; jmp
    # mov x0, 0; mov x1, 0; mov x2, 0; mov x3, 0; mov x8, 73 (ppoll); svc 0; b
    "aarch64": (183, bytes.fromhex("000080d2010080d2020080d2030080d2280980d2010000d4faffff17")),
}[os.uname().machine]

STEADY = """
import sys, time
number = 0
print("ready", flush=True)
while True:
    sys.audit("steady", number)
    number += 1
    time.sleep(0.001)
"""

def note(location):
    text = struct.pack("<QQQ", location, 0, 0) + b"python\0audit\0" + b"8@%rdi 8@%rsi\0"
    return struct.pack("<III", 8, len(text), 3) + b"stapsdt\0" + text + bytes(-len(text) % 4)


def elf(path, holes=(), symbols=0, name=0, needed=0, search="", size=0, sites=0):
    """An executable that waits, and says of itself what is given. holes: sections of notes of that many bytes, all the same
    hole; symbols: so many functions called _PySys_Audit. and `name` more characters; sites: of python:audit."""
    strings = b"\0libpythonX\0" + search.encode() + b"\0"
    dynamic = [(5, 0x1000), (10, len(strings)), (29, 12), *[(1, 1)] * needed, (0, 0)]
    data = bytearray(0x1000) + strings
    data += bytes(-len(data) % 16)
    at = len(data)
    data += b"".join(struct.pack("<QQ", *entry) for entry in dynamic)
    labels = b"\0.note.stapsdt\0"
    names = b"\0PySys_Audit\0_PySys_Audit." + b"a" * name + b"\0"
    symbol = lambda where: struct.pack("<IBBHQQ", where, 2, 0, 1, 0x800, 16)  # noqa: E731
    parts = {"labels": labels, "names": names, "symbols": symbol(1) + symbol(13) * symbols,
             "notes": b"".join(note(0x900 + 16 * i) for i in range(sites))}
    place = {}
    for part, text in parts.items():
        data += bytes(-len(data) % 8)
        place[part] = (len(data), len(text))
        data += text
    data += bytes(-len(data) % 8)
    table = len(data)
    # type, name, offset, size, link, entry size
    sections = [(0, 0, 0, 0, 0, 0), (2, 0, *place["symbols"], 2, 24), (3, 0, *place["names"], 0, 0),
                (3, 0, *place["labels"], 0, 0), (7, 1, *place["notes"], 0, 0)]
    hole = table + 64 * (len(sections) + len(holes))
    sections += [(7, 1, hole, length, 0, 0) for length in holes]
    data += b"".join(struct.pack("<IIQQQQIIQQ", label, kind, 0, 0, offset, length, link, 0, 1, entry)
                     for kind, label, offset, length, link, entry in sections)
    data[:64] = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, MACHINE, 1, 0x800, 64, table, 0, 64, 56, 2, 64,
                            len(sections), 3)
    data[64:176] = (struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, len(data), len(data), 0x1000) +
                    struct.pack("<IIQQQQQQ", 2, 4, at, at, at, 16 * len(dynamic), 16 * len(dynamic), 8))
    data[0x800:0x800 + len(PAUSE)] = PAUSE
    with open(path, "wb") as file:
        file.write(data)
        file.truncate(max(len(data), size))
        os.fchmod(file.fileno(), 0o755)
    return path


class Sensor:
    """The whole host traced, for the events of a program that raises a thousand a second."""

    def __init__(self):
        self.steady = subprocess.Popen([util.SYSTEM_PYTHON, "-c", STEADY], stdout=subprocess.PIPE, text=True)
        assert self.steady.stdout.readline() == "ready\n"
        self.tracer = Tracer("-e", "steady", "-o", "json", "--ring-size", "512K")

    def __enter__(self):
        try:
            self.more(1)
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.tracer.__exit__()
        self.steady.kill()
        self.steady.wait()
        self.steady.stdout.close()

    def numbers(self, records):
        return [r["args"]["arg0"] for r in util.events(records, "steady", self.steady.pid)]

    def more(self, count):
        """So many events more than have come out by now come out."""
        with self.tracer.changed:
            last = self.tracer.lines[-1:]
        until = max([0, *self.numbers(util.json_lines("\n".join(last)))]) + count
        self.tracer.wait_for(lambda r: max([0, *self.numbers([r])]) >= until,
                             f"events of the program that behaves, to number {until}")

    def check(self):
        assert self.tracer.stop() == 0, self.tracer.stderr
        records = self.tracer.records()
        assert not [r for r in records if r["type"] == "lost"], self.tracer.stderr
        numbers = self.numbers(records)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert self.tracer.summary()["lost"] == 0


@pytest.fixture
def place(tmp_path):
    """A directory of that user's, which it can reach."""
    path = tmp_path / "its"
    path.mkdir()
    os.chown(path, NOBODY, NOBODY)
    for parent in path.parents:
        if parent.stat().st_mode & 0o005 != 0o005 and parent.is_relative_to("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    return path


DEAR = {
    # each of so many libraries looked for in so many directories
    "search": {"needed": 4000, "search": ":" * 4094},
    # each of so many sections of notes read
    "notes": {"holes": [128 << 20] * 65000, "size": 160 << 20},
    # each of so many symbols has the same long name
    "names": {"symbols": 200_000, "name": 1 << 20},
}


@pytest.mark.parametrize("kind", DEAR)
def test_executables(kind, place):
    path, started = elf(place / "python-of-its-own", **DEAR[kind]), []
    try:
        with Sensor() as sensor:
            for _ in range(5):
                # another file to pytrail each time
                os.utime(path)
                started.append(subprocess.Popen([path], user=NOBODY, group=NOBODY, cwd=place))
            sensor.more(2000)
            sensor.check()
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_mappings(place):
    program = place / "mappings"
    subprocess.run(["cc", "-O2", "-o", program, os.path.join(HERE, "mappings.c")], check=True)
    started = [subprocess.Popen([program, "60000"], user=NOBODY, group=NOBODY, text=True, cwd=directory(place, str(i)),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE) for i in range(2)]
    try:
        for process in started:
            assert int(process.stdout.readline()) > 50000
        with Sensor() as sensor:
            for process in started * 3:
                process.stdin.write("\n")
                process.stdin.flush()
                assert process.stdout.readline() == "done\n"
            sensor.more(2000)
            sensor.check()
    finally:
        for process in started:
            process.kill()
            process.communicate()


def directory(place, name):
    path = place / name
    path.mkdir()
    os.chown(path, NOBODY, NOBODY)
    return path


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the made sites take their arguments from registers of x86-64")
def test_sites_of_files_that_nothing_runs_are_used_again(place):
    """There is room for 4096: a user's files must not use it up for good."""
    files = [elf(place / f"python-{i}", sites=32) for i in range(160)]

    def attached():
        return {line.split(" of ")[1].split(" (")[0] for line in tracer.stderr.splitlines() if "attached 32 usdt sites of" in line}

    with Tracer("--interpreters", "none", "-e", "no.such", "--probe=usdt", "-o", "json") as tracer:
        util.wait_until(lambda: "; Ctrl-C ends it" in tracer.stderr, "pytrail traces the host")
        for some in (files[:80], files[80:]):
            started = [subprocess.Popen([path], user=NOBODY, group=NOBODY, cwd=place) for path in some]
            util.wait_until(lambda paths={str(p) for p in some}: paths <= attached(), "all of them are attached")
            for process in started:
                process.kill()
                process.wait()
            util.wait_until(lambda count=len(some): tracer.stderr.count("detached") >= count, "they are detached")
        assert "cannot attach" not in tracer.stderr
        assert tracer.stop() == 0
