# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Sends items by one driver (build/tests/sink/drive), and waits for what receivers have got."""
import json
import os
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LONG = 30  # seconds that a receiver may take, however busy the machine

# What the traced process may put into any text.
HOSTILE = [
    'quotes " and \' and \\ and ]',
    "newline \n tab \t return \r",
    "controls \x00\x01\x07\x1b[31m\x7f\x85",
    "\u202eright to left \ufeff bom \U0001f40d",
    "<34>1 2003-10-11T22:14:15.003Z mymachine su - ID47 - forged",
    "%s %n %08x {} ${jndi:ldap://x} $(id) `id`",
    "a|b=c\\=d||",
    "",
    "x" * 100_000,
]


def program():
    """The program to test: that of the sanitizers when run.py asks for it."""
    san = "build/san" in os.environ.get("PYTRAIL", "")
    return os.path.join(ROOT, "build/san" if san else "build", "tests/sink/drive")


def wait_for(what, seconds=LONG):
    """The first true value of what(), looked at again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


def item(n=0, **fields):
    """An item as drive reads it; body: a str, or an object to be JSON."""
    it = {"id": f"b00t-{n}", "seq": n, "event": "os.system", "category": "process", "severity": 3,
          "entity": "e" * 32, "body": {"n": n}}
    it.update(fields)
    if not isinstance(it["body"], str):
        it["body"] = json.dumps(it["body"], ensure_ascii=False)
    return it


class Drive:
    """A driver that has been opened; send() gives what it says of a batch."""

    def __init__(self, url, *settings, format=None, env=None, options=()):
        command = [program(), *options]
        for setting in settings:
            command += ["--set", setting]
        if format:
            command += ["--format", format]
        self.process = subprocess.Popen(command + [url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env={**os.environ, **(env or {})})

    def write(self, *objects):
        for o in objects:
            self.process.stdin.write(json.dumps(o).encode() + b"\n")

    def begin(self, items):
        self.write(*items)
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"drive ended: {self.process.stderr.read().decode()}")
        return json.loads(line)

    def send(self, items):
        self.begin(items)
        return self.answer()

    def until_delivered(self, items, seconds=LONG):
        """As a worker does: what is to be sent again is sent again, in order."""
        end = time.monotonic() + seconds
        while items:
            answer = self.send(items)
            assert set(answer["items"]) <= {"ok", "retry"}, answer
            items = [it for it, said in zip(items, answer["items"]) if said != "ok"]
            if items:
                assert time.monotonic() < end, answer
                time.sleep(0.05)

    def interrupt(self, seconds):
        self.write({"interrupt": seconds})

    def close(self):
        """Ends it; its exit status and what the sanitizers say are looked at."""
        self.process.stdin.close()
        status = self.process.wait(LONG)
        said = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        assert status == 0, said
        return said

    def refusal(self):
        """The sentence of a driver that could not be opened."""
        _, said = self.process.communicate(timeout=LONG)
        assert self.process.returncode == 1 and b"Sanitizer" not in said, said
        return said.decode().strip()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            self.process.kill()
            self.process.communicate()
        else:
            self.close()
