#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Runs a program under an in-process audit hook and under pytrail at once, and compares what they saw:

    tests/live/oracle.py [--python COMMAND] [--max-string N] … (PROGRAM | -m MODULE) [ARGUMENT...]

event for event and argument for argument, per thread. Prints the first differences and
`N events, 0 missing, 0 extra, 0 different`; exit status 1 unless it is 0/0/0 and nothing was lost.

Compared is what lies between the events BEGIN and END of hook.py in the process that raises them, and
all events of the processes it forked, to their end or to their exec(): a process that did not come
from it by fork alone has no hook. Events of other threads after END are left out on both sides.
"""

import argparse
import collections
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

from compare import event_difference, short  # noqa: E402
from hook import BEGIN, END, HELLO  # noqa: E402

PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build", "pytrail"))
PYTHON = "/usr/bin/python3.11"
CAPS = (4096, 128, 4)
LIMIT = 900  # seconds for a program
START_LIMIT = 30
SHOWN = 12  # differences described

Event = collections.namedtuple("Event", "name values truncated")


class Result:
    def __init__(self):
        self.events = self.threads = self.missing = self.extra = self.different = 0
        self.said = []
        self.status = None  # of the program
        self.summary = ""  # pytrail's last line
        self.names = collections.Counter()  # the events that were compared

    @property
    def ok(self):
        return (self.events > 0 and not (self.missing or self.extra or self.different)
                and " 0 lost," in self.summary)

    def say(self, text):
        if len(self.said) < SHOWN:
            self.said.append(text)

    def __str__(self):
        counts = "%d events, %d missing, %d extra, %d different (%d threads, exit status %s; %s)" % (
            self.events, self.missing, self.extra, self.different, self.threads, self.status,
            self.summary or "no summary")
        return "\n".join(self.said + [counts])


def read_hook(path):
    """{(pid, tid): [Event]} in the order in which each thread raised them."""
    threads = collections.defaultdict(list)
    with open(path, encoding="ascii") as file:
        for line in file:
            pid, tid, number, name, values, truncated = json.loads(line)
            threads[pid, tid].append((number, Event(name, values, truncated)))
    return {key: [event for _, event in sorted(events, key=lambda e: e[0])]
            for key, events in threads.items()}


def read_pytrail(path):
    """The same of pytrail's output, whose records are whole: {(pid, tid): [record]}."""
    threads = collections.defaultdict(list)
    with open(path, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            if record["type"] == "audit":
                process = record["process"]
                threads[process["pid"], process["tid"]].append(record)
            elif record["type"] == "lost":
                threads["lost"].append(record)
    return threads


def window(wanted, got):
    """Cuts both to what is to be compared (see above)."""
    begun = {pid: records[i]["monotonic_ns"] for (pid, _), records in got.items()
             for i, r in enumerate(records) if r["event"] == BEGIN}
    ended = {}
    for (pid, _), records in got.items():
        for r in records:
            if r["event"] == END:
                ended[pid] = min(r["monotonic_ns"], ended.get(pid, r["monotonic_ns"]))
    for key in wanted:
        pid = key[0]
        first = begun.get(pid, 0)
        last = ended.get(pid, float("inf"))
        records = [r for r in got.get(key, []) if first <= r["monotonic_ns"] <= last]
        events = wanted[key]
        names = [e.name for e in events]
        if BEGIN in names:
            del events[:names.index(BEGIN)]
        if events and events[-1].name == "os.exec":
            records = records[:len(events)]
        got[key] = records
    for key in list(got):
        # A thread the hook never saw counts only if it was there within the window.
        if key not in wanted:
            pid = key[0]
            known = pid in begun or pid in ended or any(p == pid for p, _ in wanted)
            if not known:
                del got[key]
                continue
            got[key] = [r for r in got[key]
                        if begun.get(pid, 0) <= r["monotonic_ns"] <= ended.get(pid, float("inf"))]


def compare_pair(result, where, event, record):
    result.events += 1
    result.names[event.name] += 1
    if event.values is None:
        said = "the hook failed: %s" % event.truncated
    else:
        said = event_difference(event.values, [tuple(t) for t in event.truncated], record)
    if said:
        result.different += 1
        result.say("%s %s %s\n    %s" % (where, event.name, short(event.values), said))


def compare_thread(result, key, events, records):
    where = "%d/%d" % key
    names = [e.name for e in events]
    got_names = [r["event"] for r in records]
    if names == got_names:
        blocks = [("equal", 0, len(names), 0, len(names))]
    else:
        head = 0
        while head < min(len(names), len(got_names)) and names[head] == got_names[head]:
            head += 1
        matcher = difflib.SequenceMatcher(None, names[head:head + 5000], got_names[head:head + 5000],
                                          autojunk=False)
        blocks = [("equal", 0, head, 0, head)]
        blocks += [(tag, a + head, b + head, c + head, d + head)
                   for tag, a, b, c, d in matcher.get_opcodes()]
        blocks.append(("replace", head + 5000, len(names), head + 5000, len(got_names)))
    for tag, a, b, c, d in blocks:
        if tag == "equal":
            for event, record in zip(events[a:b], records[c:d]):
                compare_pair(result, where, event, record)
            continue
        for event in events[a:b]:
            result.missing += 1
            result.say("%s missing: %s %s" % (where, event.name, short(event.values)))
        for record in records[c:d]:
            result.extra += 1
            result.say("%s extra: %s %s" % (where, record["event"], short(record.get("args"))))


def compare(hook_path, json_path):
    result = Result()
    wanted, got = read_hook(hook_path), read_pytrail(json_path)
    for record in got.pop("lost", ()):
        result.say("lost: %s" % record)
    window(wanted, got)
    for key in sorted(set(wanted) | set(got)):
        result.threads += 1
        compare_thread(result, key, wanted.get(key, []), got.get(key, []))
    return result


def is_script(command):
    """Whether a command is a script that starts something else."""
    with open(command, "rb") as file:
        return file.read(2) == b"#!"


class Traced:
    """The program and pytrail, started together: pytrail starts the program, or, when the interpreter
    is not what is executed first (a script that starts it), it is attached to it and what it forks."""

    def __init__(self, options, command, output, **rest):
        self.program = None
        what = ["--"] + command
        if is_script(command[0]):
            self.program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, **rest)
            self.wait_for_interpreter()
            what = ["-f", "-p", str(self.program.pid)]
        self.pytrail = subprocess.Popen([PYTRAIL, "trace"] + options + what, stdin=subprocess.DEVNULL,
                                        stdout=output, stderr=output, **rest)

    def wait_for_interpreter(self):
        """Until the file of the interpreter is mapped: it may be the loader that is executed."""
        end = time.monotonic() + START_LIMIT
        while self.program.poll() is None and time.monotonic() < end:
            with open("/proc/%d/maps" % self.program.pid, encoding="utf-8", errors="replace") as maps:
                if re.search(r" r-xp .*/(lib)?python3[^/]*$", maps.read(), re.M):
                    return
            time.sleep(0.01)

    def wait(self, limit):
        """The program's exit status."""
        status = self.program.wait(limit) if self.program else None
        ended = self.pytrail.wait(limit)
        return ended if status is None else status

    def kill(self):
        for process in (self.program, self.pytrail):
            if process and process.poll() is None:
                process.kill()
                process.wait()


def give_go(process, json_path, go):
    """Waits until pytrail has written a HELLO (or ended), then lets the program begin."""
    seen = b""
    end = time.monotonic() + START_LIMIT
    while process.poll() is None and time.monotonic() < end:
        try:
            with open(json_path, "rb") as file:
                seen = file.read()
        except FileNotFoundError:
            pass
        if HELLO.encode() in seen:
            break
        time.sleep(0.01)
    with open(go, "w", encoding="ascii"):
        pass


def only_needed(python, options):
    """Debian's interpreters have USDT: the programs for others are not loaded, which takes the verifier most of
    a second each time."""
    probe = python == PYTHON and not any(option.startswith("--probe") for option in options)
    return ["--probe=usdt"] if probe else []


def run(program, python=PYTHON, caps=CAPS, keep=None, ring_size="64M", env=None, cwd=None,
        limit=LIMIT, options=(), runner="hook.py", comparison=compare):
    """Runs it; a Result. keep: a directory for what both sides wrote; options: more of pytrail's."""
    with tempfile.TemporaryDirectory(prefix="pytrail-oracle-") as tmp:
        where = keep or tmp
        hook_path = os.path.join(where, "hook.jsonl")
        json_path = os.path.join(where, "pytrail.json")
        go = hook_path + ".go"
        for path in (hook_path, json_path, go):
            if os.path.exists(path):
                os.unlink(path)
        options = [*only_needed(python, options), "--ring-size", ring_size, "--max-string", str(caps[0]),
                   "--max-items", str(caps[1]), "--max-depth", str(caps[2]), "-o", "json:" + json_path,
                   *options]
        command = [python, os.path.join(HERE, runner), hook_path, *map(str, caps), *program]
        with open(os.path.join(where, "output"), "w+b") as output:
            traced = Traced(options, command, output, env=env, cwd=cwd)
            try:
                give_go(traced.pytrail, json_path, go)
                status = traced.wait(limit)
            finally:
                traced.kill()
            output.seek(0)
            text = output.read().decode(errors="replace")
        summaries = re.findall(r"^pytrail: \d+ events.*$", text, re.M)
        if not summaries or not os.path.exists(hook_path):
            raise RuntimeError("%s\n%s" % (" ".join(command), text))
        result = comparison(hook_path, json_path)
        result.status = status
        result.summary = summaries[-1]
        result.output = text
        return result


def main():
    parser = argparse.ArgumentParser(usage="%(prog)s [options] (PROGRAM | -m MODULE) [ARGUMENT...]")
    parser.add_argument("--python", default=PYTHON)
    parser.add_argument("--max-string", type=int, default=CAPS[0])
    parser.add_argument("--max-items", type=int, default=CAPS[1])
    parser.add_argument("--max-depth", type=int, default=CAPS[2])
    parser.add_argument("--keep", help="directory for what both sides wrote")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    words = sys.argv[1:]
    module = []
    if "-m" in words:  # argparse would take it for an option of its own
        module = words[words.index("-m"):]
        words = words[:-len(module)]
    options = parser.parse_args(words)
    options.program += module
    if not options.program:
        parser.error("no program")
    result = run(options.program, options.python,
                 (options.max_string, options.max_items, options.max_depth), options.keep)
    print(result)
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main())
