# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What the groups of the benchmark share: the places, the interpreter, its producers, the machine."""
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build", "bench")

sys.path.insert(0, os.path.join(ROOT, "tests", "live"))
import util  # noqa: E402


class Unavailable(Exception):
    """This cannot be measured here: the reason."""


class Disturbed(Unavailable):
    """Somebody else's tracer is attached to the process measured."""


class World:
    """One run: a copy of the interpreter that nobody else traces, and of the pytrail measured."""

    def __init__(self, quick):
        self.quick = quick
        self.dir = tempfile.mkdtemp(prefix="run-", dir=BUILD)
        self.pytrail = shutil.copy(util.PYTRAIL, os.path.join(self.dir, "pytrail"))
        self.python = util.private_python(self.dir)
        self.probes = util.Probes(self.python)
        self.uprobes = []  # [(link address, 0)] of what `pytrail --probe uprobe` attaches to
        self.env = {**util.python_env(), "PYTHONHASHSEED": "0"}
        self.floor = os.path.join(BUILD, "floor")
        self.chook = os.path.join(BUILD, "chook.so")
        if not self.probes.sites:
            raise Unavailable(f"{util.SYSTEM_PYTHON} has no python:audit probe")
        about = json.loads(subprocess.run(
            [self.python, "-c", "import json, sys, sysconfig; print(json.dumps([list(sys.version_info"
             "[:2]), sysconfig.get_path('stdlib')]))"], env=self.env, stdout=subprocess.PIPE, text=True,
            check=True).stdout)
        self.version, self.stdlib = tuple(about[0]), about[1]
        # of a compact ASCII str, its characters: wstr went in 3.12 (Include/cpython/unicodeobject.h)
        self.str_data = 40 if self.version >= (3, 12) else 48

    def path(self, name):
        return os.path.join(self.dir, name)

    def spawn(self, *args, **options):
        """A process of the copied interpreter, with pipes."""
        return subprocess.Popen([self.python, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True, env=self.env, cwd=self.dir, **options)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class Process:
    """A process of the interpreter, with a view of its probe sites."""

    def __init__(self, world, *args):
        self.world = world
        self.popen = world.spawn(*args)
        self.pid = self.popen.pid
        line = self.popen.stdout.readline()
        if line != "ready\n":
            raise Unavailable(f"{' '.join(args)} said {line!r}")
        self.map = world.probes.bias(self.pid, world.python)

    def memory(self, address, size):
        with open(f"/proc/{self.pid}/mem", "rb") as memory:
            memory.seek(address)
            return memory.read(size)

    def patched(self):
        """Whether a breakpoint (or the kernel's optimised call) is at a site, or a semaphore is up."""
        return any(self.memory(self.map + pc, 1)[0] != self.world.probes.file_byte(pc) or
                   (semaphore and self.memory(self.map + semaphore, 2) != b"\0\0")
                   for pc, semaphore in self.world.probes.sites + self.world.uprobes)

    def text_changes(self):
        """Link addresses where code in memory is not that of the file; of a run the first."""
        probes, found = self.world.probes, []
        for _, flags, offset, vaddr, _, size, _, _ in probes.loads:
            if not flags & 1:  # PF_X
                continue
            wanted, there = probes.data[offset:offset + size], self.memory(self.map + vaddr, size)
            if wanted == there:
                continue
            different = [i for i in range(size) if wanted[i] != there[i]]
            found += [vaddr + i for i in different if i - 1 not in different]
        return found

    def attached(self):
        return all(self.memory(self.map + pc, 1)[0] != self.world.probes.file_byte(pc) and
                   (not semaphore or self.memory(self.map + semaphore, 2) != b"\0\0")
                   for pc, semaphore in self.world.probes.sites)

    def wait_untouched(self):
        """Until no breakpoint is in it: a tracer's are gone some time after it has ended."""
        try:
            util.wait_until(lambda: not self.patched(), "no tracer is attached", 10)
        except AssertionError:
            raise Disturbed("another tracer is attached to what is measured: of the whole host?") from None

    def close(self):
        self.popen.stdin.close()
        self.popen.kill()
        self.popen.wait()
        self.popen.stdout.close()


class Producer(Process):
    """producer.py with one kind of hook inside."""

    def __init__(self, world, hook="none", to="/dev/null"):
        super().__init__(world, os.path.join(HERE, "producer.py"), hook, to, world.chook)

    def raise_one(self):
        """One event, os.fork."""
        self.ask("measure", "none", 0, 1, 0)

    def ask(self, *words):
        self.begin(*words)
        return self.end()

    def begin(self, *words):
        self.popen.stdin.write(" ".join(map(str, words)) + "\n")
        self.popen.stdin.flush()

    def end(self):
        line = self.popen.stdout.readline()
        if not line:
            raise Unavailable(f"a producer ended with {self.popen.wait()}")
        return json.loads(line)


class Idle(Process):
    """A live interpreter that does nothing."""

    def __init__(self, world):
        super().__init__(world, "-c", "import sys; print('ready', flush=True); sys.stdin.read()")


def machine():
    model = ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":", 1)[1].strip() for line in file if
                          line.startswith("model name")), "")
    except OSError:
        pass
    return {"cores": os.cpu_count(), "cpu": model, "kernel": platform.release(),
            "preempt": platform.version(), "arch": platform.machine(),
            "load_at_start": os.getloadavg()[0], "python": util.SYSTEM_PYTHON,
            "python_version": subprocess.run(
                [util.SYSTEM_PYTHON, "-c", "import platform; print(platform.python_version())"],
                stdout=subprocess.PIPE, text=True, check=True).stdout.strip()}
