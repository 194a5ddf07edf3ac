# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Real programs, untraced and traced: wall and CPU time."""
import json
import os
import shutil
import subprocess

from tracers import Bpftrace, Pytrail
from world import HERE, Process, Unavailable

FILTER = ("subprocess.*,os.exec,os.posix_spawn,os.system,socket.connect,ctypes.*,pickle.find_class,"
          "compile")
CASES = (
    ("untraced", "untraced"),
    ("full", "pytrail, everything, JSON on disk"),
    ("filter", "pytrail, security-minded filter, JSON on disk"),
    ("bpftrace", "bpftrace, everything, to disk"),
)


class Launcher(Process):
    """programs/launcher.py: what it starts is followed."""

    def __init__(self, world):
        super().__init__(world, os.path.join(HERE, "programs", "launcher.py"))

    def start(self, argv, cwd):
        self.popen.stdin.write(json.dumps({"argv": argv, "cwd": cwd}) + "\n")
        self.popen.stdin.flush()
        return json.loads(self.popen.stdout.readline())

    def raise_one(self):
        self.start(["/bin/true"], "/")  # subprocess.Popen; and os.fork is in no event of it


def programs(world):
    """[(name, steady, argv, cwd)] of those that are here, {name: why not} of the others."""
    python, found, missing = world.python, [], {}

    def has(module):
        return subprocess.run([python, "-c", f"import {module}"], env=world.env, check=False,
                              stderr=subprocess.DEVNULL).returncode == 0

    if has("django"):
        found.append(("Django", [python, os.path.join(HERE, "programs", "django_app.py"),
                                 "300" if world.quick else "2000"], world.dir))
    else:
        missing["Django"] = "python3-django is not installed"
    hg = shutil.which("hg")
    if hg and has("mercurial"):
        found.append(("hg log", [python, hg, "log", "--stat"], mercurial(world, hg)))
    else:
        missing["hg log"] = "mercurial is not installed"
    ansible = shutil.which("ansible")
    if ansible and has("ansible"):
        found.append(("ansible localhost", [python, ansible, "localhost", "-m", "ping"], world.dir))
    else:
        missing["ansible localhost"] = "ansible is not installed"
    found.append(("compileall", [python, "-m", "compileall", "-q", "-f", library(world)], world.dir))
    if has("test.test_json"):
        tests = ["test_json"] if world.quick else ["test_json", "test_pathlib"]
        found += [(test, [python, "-m", "test", test], world.dir) for test in tests]
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


def tracer(world, case, launcher):
    out = [f"json:{world.path('real.json')}"]
    if case == "full":
        return Pytrail(world, launcher, "-f", outputs=out)
    if case == "filter":
        return Pytrail(world, launcher, "-f", "-e", FILTER, outputs=out)
    return Bpftrace(world, launcher, one_process=False, shown=b"subprocess.Popen")


def run_all(launcher, found, results, case, number):
    for name, argv, cwd in found:
        answer = launcher.start(argv, cwd)
        if answer["status"]:
            raise Unavailable(f"{name} ended with {answer['status']}: {answer['said'][-300:]}")
        if name == "Django":
            split = json.loads(answer["said"].splitlines()[-1])
            results.add(case, "Django start wall", number, split["start"])
            results.add(case, "Django requests wall", number, split["steady"])
            results.add(case, "Django start cpu", number, answer["cpu"] - split["steady_cpu"])
            results.add(case, "Django requests cpu", number, split["steady_cpu"])
        else:
            results.add(case, f"{name} wall", number, answer["wall"])
            results.add(case, f"{name} cpu", number, answer["cpu"])


def run_case(world, case, launcher, found, results, number):
    if case == "untraced":
        run_all(launcher, found, results, case, number)
        return
    traced = tracer(world, case, launcher)
    with traced:
        run_all(launcher, found, results, case, number)
    if isinstance(traced, Pytrail):
        counts = traced.counts()
        for word, value in counts.items():
            results.add(case, word, number, value)


def run(world, results, say):
    found, skipped = programs(world)
    launcher = Launcher(world)
    try:
        for _, argv, cwd in found:  # once before: files in the page cache, bytecode written
            launcher.start(argv, cwd)
        for number in range(1 if world.quick else 5):
            for case, title in CASES:
                if case in skipped:
                    continue
                say(f"real programs, round {number + 1}: {title}")
                try:
                    run_case(world, case, launcher, found, results, number)
                except (Unavailable, AssertionError) as e:
                    skipped[case] = str(e)
    finally:
        launcher.close()
    return skipped
