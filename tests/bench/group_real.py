# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Real programs, untraced and traced: wall and CPU time.

Each case has an interpreter file of its own, and its tracer all the time: so the same program runs in one case right
behind the other, in an order that changes, and what the machine does meanwhile is the same for all.
"""
import contextlib
import copy
import json
import os
import shutil
import subprocess

from tracers import Bpftrace, Pytrail
from world import HERE, Process, Unavailable, util

FILTER = ("subprocess.*,os.exec,os.posix_spawn,os.system,socket.connect,ctypes.*,pickle.find_class,"
          "compile")
CASES = (
    ("untraced", "untraced"),
    ("full", "pytrail, everything, JSON on disk"),
    ("filter", "pytrail, security-minded filter, JSON on disk"),
    ("bpftrace", "bpftrace, everything, to disk"),
)


# Of Django's requests: blocks of some tenths of a second.
BLOCKS, BLOCKS_QUICK, BLOCK = 40, 6, 100


class Launcher(Process):
    """programs/launcher.py: what it starts is followed."""

    options = ("-f",)
    one_process = False
    shown = b"subprocess.Popen"

    def __init__(self, world):
        super().__init__(world, os.path.join(HERE, "programs", "launcher.py"))

    def start(self, argv, cwd):
        self.popen.stdin.write(json.dumps({"argv": argv, "cwd": cwd}) + "\n")
        self.popen.stdin.flush()
        return json.loads(self.popen.stdout.readline())

    def raise_one(self):
        self.start(["/bin/true"], "/")  # subprocess.Popen; and os.fork is in no event of it


class Django(Process):
    """programs/django_app.py, which answers requests when it is told to."""

    options = ()
    one_process = True
    shown = b"open"

    def __init__(self, world):
        super().__init__(world, os.path.join(HERE, "programs", "django_app.py"))

    def answer(self, requests):
        self.popen.stdin.write(f"{requests}\n")
        self.popen.stdin.flush()
        line = self.popen.stdout.readline()
        if not line:
            raise Unavailable(f"Django ended with {self.popen.wait()}")
        return json.loads(line)

    def raise_one(self):
        self.answer(1)  # the page reads a file


def programs(world):
    """[(name, words behind the interpreter, cwd, runs a round)] of those that are here, {name: why not} of the others."""
    python, found, missing = world.python, [], {}

    def has(module):
        return subprocess.run([python, "-c", f"import {module}"], env=world.env, check=False,
                              stderr=subprocess.DEVNULL).returncode == 0

    if has("django"):
        found.append(("Django start", [os.path.join(HERE, "programs", "django_app.py")], world.dir, 1))
    else:
        missing["Django start, Django requests"] = "python3-django is not installed"
    hg = shutil.which("hg")
    if hg and has("mercurial"):
        found.append(("hg log", [hg, "log", "--stat"], mercurial(world, hg), 1 if world.quick else 3))
    else:
        missing["hg log"] = "mercurial is not installed"
    ansible = shutil.which("ansible")
    if ansible and has("ansible"):
        found.append(("ansible localhost", [ansible, "localhost", "-m", "ping"], world.dir, 1))
    else:
        missing["ansible localhost"] = "ansible is not installed"
    found.append(("compileall", ["-m", "compileall", "-q", "-f", library(world)], world.dir, 1))
    if has("test.test_json"):
        tests = ["test_json"] if world.quick else ["test_json", "test_pathlib"]
        found += [(test, ["-m", "test", test], world.dir, 1) for test in tests]
    else:
        missing["test_json, test_pathlib"] = "libpython3.11-testsuite is not installed"
    return found, missing


def mercurial(world, hg):
    """A repository with a few hundred changes of a file."""
    path = world.path("repository")
    count = 100 if world.quick else 400
    for args in (["init", path], ["-R", path, "debugbuilddag", "-m", "-q", f"+{count}"]):
        subprocess.run([world.python, hg, *args], env=world.env, check=True, cwd=world.dir,
                       stdout=subprocess.DEVNULL)
    return path


def library(world):
    """Parts of the standard library to compile."""
    path = world.path("library")
    for name in ("json", "email") if world.quick else ("json", "email", "asyncio", "unittest",
                                                       "importlib", "concurrent", "logging"):
        shutil.copytree(os.path.join(world.stdlib, name), os.path.join(path, name),
                        ignore=shutil.ignore_patterns("__pycache__"))
    return path


def tracer(world, case, process):
    """What watches the process, and with a launcher its children."""
    if case == "untraced":
        return contextlib.nullcontext()
    if case == "bpftrace":
        return Bpftrace(world, process, one_process=process.one_process, shown=process.shown)
    wanted = ("-e", FILTER) if case == "filter" else ()
    return Pytrail(world, process, *process.options, *wanted, outputs=[f"json:{world.path('real.json')}"])


def world_of(world, case):
    """A place of the case's own: what probes a file is for all that run it."""
    own = copy.copy(world)
    own.dir = world.path(case)
    own.python = util.private_python(own.dir)
    return own


class Cases:
    """A process in each case, watched as the case says. Those that fail are left out with the reason."""

    def __init__(self, world, make, stack, skipped):
        self.skipped, self.traced, self.processes = skipped, {}, {}
        for case, _ in CASES:
            if case in skipped:
                continue
            own = world_of(world, case)
            try:
                process = make(own)
                stack.callback(process.close)
                self.traced[case] = stack.enter_context(tracer(own, case, process))
                self.processes[case] = process
            except (Unavailable, AssertionError) as e:
                skipped[case] = str(e)

    def each(self, number, fn):
        """fn(case, process), each time beginning with another one."""
        cases = list(self.processes)
        first = number % len(cases)
        for case in cases[first:] + cases[:first]:
            try:
                fn(case, self.processes[case])
            except Unavailable as e:
                self.skipped[case] = str(e)
                del self.processes[case]


def run_programs(world, found, results, say, skipped):
    counts = {}
    with contextlib.ExitStack() as stack:
        cases = Cases(world, Launcher, stack, skipped)

        def start(case, launcher, name, words, cwd, number):
            answer = launcher.start([launcher.world.python, *words], cwd)
            if answer["status"]:
                raise Unavailable(f"{name} ended with {answer['status']}: {answer['said'][-300:]}")
            if number >= 0:
                results.add(case, f"{name} wall", number, answer["wall"])
                results.add(case, f"{name} cpu", number, answer["cpu"])

        for _, words, cwd, _ in found:  # once before: files in the page cache, bytecode written
            cases.each(0, lambda case, process: start(case, process, "a program", words, cwd, -1))
        for number in range(1 if world.quick else 5):
            for name, words, cwd, times in found:
                say(f"real programs, round {number + 1}: {name}")
                for again in range(number * times, (number + 1) * times):
                    cases.each(again, lambda case, process: start(case, process, name, words, cwd, again))
        counts = {case: traced for case, traced in cases.traced.items() if isinstance(traced, Pytrail)}
    for case, traced in counts.items():
        for word, value in traced.counts().items():
            results.add(case, word, 0, value)


def run_requests(world, results, say, skipped):
    with contextlib.ExitStack() as stack:
        say("real programs: Django requests")
        cases = Cases(world, Django, stack, skipped)

        def answer(case, process, number):
            took = process.answer(BLOCK)
            if number >= 0:
                results.add(case, "Django requests wall", number, took["wall"])
                results.add(case, "Django requests cpu", number, took["cpu"])

        for number in range(-2, BLOCKS_QUICK if world.quick else BLOCKS):  # two to warm up
            cases.each(number, lambda case, process: answer(case, process, number))


def run(world, results, say):
    found, skipped = programs(world)
    if any(name == "Django start" for name, *_ in found):
        run_requests(world, results, say, skipped)
    run_programs(world, found, results, say, skipped)
    return skipped
