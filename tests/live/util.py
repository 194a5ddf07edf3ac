# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What the live tests share: interpreters to trace, pytrail running beside the test, and a look at
the target's memory that owes nothing to pytrail: its USDT semaphores and the bytes of its
probe sites.

Nothing here sleeps in the hope that something has happened by then: the tests wait for a line of
output or a change in the target, with limits far above what it takes.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build", "pytrail"))
SYSTEM_PYTHON = next(p for p in ("/usr/bin/python3.11", "/usr/bin/python3") if os.path.exists(p))
LIMIT = int(os.environ.get("PYTRAIL_TEST_LIMIT", "60"))  # seconds for anything to happen

# What <sys/sdt.h> puts where a probe is.
NOP = {"x86_64": b"\x90", "aarch64": b"\x1f\x20\x03\xd5"}[os.uname().machine]

SUMMARY = re.compile(r"^pytrail: (?P<events>\d+) events, (?P<filtered>\d+) filtered, "
                     r"(?P<lost>\d+) lost, (?P<processes>\d+) process(es)?, "
                     r"(?P<seconds>[\d.]+) s$", re.M)


def wait_until(condition, what, limit=LIMIT):
    """Polls condition() until it is true; its value."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(0.005)


# --- probe sites, read from the ELF notes ------------------------------------------------


class Probes:
    """The python:audit sites of an ELF64 file of this machine: [(link address, semaphore)]."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        phoff, shoff = struct.unpack_from("<QQ", self.data, 32)
        phentsize, phnum, shentsize, shnum, shstrndx = struct.unpack_from("<5H", self.data, 54)
        # p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz ...
        segments = [struct.unpack_from("<IIQQQQQQ", self.data, phoff + i * phentsize)
                    for i in range(phnum)]
        self.loads = [ph for ph in segments if ph[0] == 1]
        # sh_name, sh_type, sh_flags, sh_addr, sh_offset, sh_size ...
        sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, shoff + i * shentsize)
                    for i in range(shnum)]
        names = sections[shstrndx][4]
        by_name = {self.string(names + s[0]): s for s in sections}
        base = by_name.get(b".stapsdt.base")
        note = by_name.get(b".note.stapsdt")
        self.sites = self.read_notes(note, base) if note and base else []

    def string(self, at):
        return self.data[at:self.data.index(b"\0", at)]

    def read_notes(self, note, base):
        sites, at, end = [], note[4], note[4] + note[5]
        while at < end:
            namesz, descsz, _ = struct.unpack_from("<III", self.data, at)
            desc = at + 12 + (namesz + 3 & ~3)
            pc, linked_base, semaphore = struct.unpack_from("<QQQ", self.data, desc)
            provider = self.string(desc + 24)
            name = self.string(desc + 24 + len(provider) + 1)
            if (provider, name) == (b"python", b"audit"):
                moved = base[3] - linked_base  # by prelink
                sites.append((pc + moved, semaphore + moved if semaphore else 0))
            at = desc + (descsz + 3 & ~3)
        return sites

    def file_offset(self, address):
        for _, _, offset, vaddr, _, filesz, _, _ in self.loads:
            if vaddr <= address < vaddr + filesz:
                return offset + address - vaddr
        raise AssertionError(f"no segment holds {address:#x}")

    def file_byte(self, address):
        return self.data[self.file_offset(address)]

    def bias(self, pid, path):
        """Run-time minus link-time address of the file in a process."""
        inode = os.stat(path).st_ino
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
            for line in maps:
                span, _, offset, _, number = line.split()[:5]
                if int(number) != inode:
                    continue
                start, offset = int(span.split("-")[0], 16), int(offset, 16)
                for load in self.loads:
                    if load[2] & ~0xfff == offset:
                        return start - (load[3] & ~0xfff)
        raise AssertionError(f"{path} is not mapped by {pid}")


# --- targets -----------------------------------------------------------------------------

# Does what it is told, line by line, and says when it is done.
OBEDIENT = """
import os, sys
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


def private_python(directory, name="python3.11"):
    """A copy of the system's interpreter: a file of its own, that nobody else traces."""
    path = os.path.join(str(directory), name)
    os.makedirs(str(directory), exist_ok=True)
    if not os.path.exists(path):
        shutil.copy(os.path.realpath(SYSTEM_PYTHON), path)
    return path


def python_env():
    """What a copied interpreter needs to find its library; no bytecode written."""
    return {**os.environ, "PYTHONHOME": "/usr", "PYTHONDONTWRITEBYTECODE": "1"}


@contextlib.contextmanager
def control_group(path):
    """Makes a control group of that path below /pytrail-test: of version 2, or of one controller of version
    1. The words in front of a command that enters it."""
    places = [p for p in ("/sys/fs/cgroup", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified")
              if os.path.exists(f"{p}/cgroup.procs") and os.access(p, os.W_OK)]
    if not places:
        import pytest
        pytest.skip("no control group can be made here")
    made = [places[0]]
    try:
        for part in ["pytrail-test", *path.strip("/").split("/")]:
            # one that a killed run has left is taken over
            os.makedirs(f"{made[-1]}/{part}", exist_ok=True)
            made.append(f"{made[-1]}/{part}")
        yield ["sh", "-c", f'echo $$ > {made[-1]}/cgroup.procs; exec "$@"', "sh"]
    finally:
        for directory in reversed(made[1:]):
            # what has ended a moment ago may be in it still
            wait_until(lambda d=directory: not os.path.exists(d) or removed(d), "the group is empty")


@contextlib.contextmanager
def overlays(lower, directory):
    """Two overlays over the same lower directory: where they are mounted."""
    mounted = []
    try:
        for name in "ab":
            parts = [os.path.join(str(directory), f"{name}-{p}") for p in ("upper", "work", "merged")]
            for part in parts:
                os.mkdir(part)
            done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                                   f"lowerdir={lower},upperdir={parts[0]},workdir={parts[1]}", parts[2]],
                                  stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                import pytest
                pytest.skip(f"no overlay can be mounted here: {done.stderr.strip()}")
            mounted.append(parts[2])
        yield mounted
    finally:
        for root in mounted:
            subprocess.run(["umount", root], check=True)


def removed(directory):
    try:
        os.rmdir(directory)
    except OSError:
        return False
    return True


class Target:
    """A Python process that runs code on demand. Ends with the `with` statement."""

    def __init__(self, python, code=OBEDIENT, args=(), before=()):
        """before: words in front of the command that execute it in the end."""
        self.python = python
        self.probes = Probes(os.path.realpath(python))
        env = python_env() if not python.startswith("/usr/") else None
        self.process = subprocess.Popen([*before, python, "-c", code, *args], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=env)
        self.pid = self.process.pid
        if code is OBEDIENT:
            self.expect("ready")
            self.map = self.probes.bias(self.pid, os.path.realpath(python))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def expect(self, line):
        got = self.process.stdout.readline()
        assert got == line + "\n", f"the target said {got!r}, its status is {self.process.poll()}"

    def do(self, code):
        """Runs one line of code in the target and waits until it is done."""
        self.process.stdin.write(code + "\n")
        self.process.stdin.flush()
        self.expect("done")

    def memory(self, address, size):
        with open(f"/proc/{self.pid}/mem", "rb") as memory:
            memory.seek(address)
            return memory.read(size)

    def semaphores(self):
        """Of every site: how many tracers there are, as the target sees it."""
        return [struct.unpack("<H", self.memory(self.map + semaphore, 2))[0]
                for _, semaphore in self.probes.sites if semaphore]

    def patched(self):
        """Of every site: whether its instruction in memory is not the one of the file."""
        return [self.memory(self.map + pc, 1)[0] != self.probes.file_byte(pc)
                for pc, _ in self.probes.sites]

    def is_attached(self):
        """The breakpoints are in place. The kernel does that before it runs a program at them."""
        return all(n > 0 for n in self.semaphores()) and all(self.patched())

    def is_clean(self):
        return not any(self.semaphores()) and not any(self.patched())


# --- pytrail -----------------------------------------------------------------------------


def run(*args, limit=LIMIT, **kwargs):
    """Runs pytrail to its end: CompletedProcess with text."""
    kwargs.setdefault("stdout", subprocess.PIPE)
    kwargs.setdefault("stderr", subprocess.PIPE)
    return subprocess.run([PYTRAIL, *args], text=True, timeout=limit, check=False, **kwargs)


def lacks(feature):
    """Whether `pytrail check` misses it, by name, on this kernel."""
    return re.search(rf"^missing +{feature}  ", run("check").stdout, re.M) is not None


def json_lines(text):
    """Every line is one JSON object with a type: nothing else is on standard output."""
    records = [json.loads(line) for line in text.splitlines()]
    assert all(isinstance(r, dict) and "type" in r for r in records)
    return records


def events(records, name=None, pid=None):
    return [r for r in records if r["type"] == "audit" and (name is None or r["event"] == name) and
            (pid is None or r["process"]["pid"] == pid)]


def has_usdt(pid):
    """Whether the executable of a process has python:audit."""
    try:
        with open(f"/proc/{pid}/exe", "rb") as file:
            return b"python\0audit\0" in file.read()
    except OSError:
        return False


def only_needed(args):
    """Options for a trace of processes that have USDT: the programs for others are not loaded, which takes the
    verifier most of a second each time."""
    pids = [args[i + 1] for i, arg in enumerate(args[:-1]) if arg == "-p"]
    chosen = any(a.startswith("--probe") or a in ("-f", "--follow", "--") for a in args)
    return ["--probe=usdt"] if pids and not chosen and all(map(has_usdt, pids)) else []


def loads(python):
    """Whether the programs can be loaded. Since 6.15 or so the verifier refuses those that do not sleep, for functions
    that they share with those that do; such a kernel has no need of them."""
    with Target(python) as target:
        return run("trace", "-p", str(target.pid), "--duration", "0.1").returncode == 0


class Tracer:
    """`pytrail trace -v` beside the test, its lines read as they come."""

    def __init__(self, *args):
        args = (*only_needed(args), *args)
        self.process = subprocess.Popen([PYTRAIL, "trace", "-v", *args], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.changed = threading.Condition()
        self.lines, self.said = [], []
        self.threads = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines),
                                     (self.process.stderr, self.said)) if pair[0]]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def read(self, stream, into):
        for line in stream:
            with self.changed:
                into.append(line.rstrip("\n"))
                self.changed.notify_all()

    @property
    def stderr(self):
        with self.changed:
            return "\n".join(self.said)

    def records(self):
        with self.changed:
            return json_lines("\n".join(self.lines))

    def wait_for(self, match, what, limit=LIMIT):
        """The first JSON record for which match(record) holds."""
        end, seen = time.monotonic() + limit, 0
        with self.changed:
            while True:
                for line in self.lines[seen:]:
                    record = json.loads(line)
                    if match(record):
                        return record
                seen = len(self.lines)
                if time.monotonic() > end:
                    raise AssertionError(f"not within {limit} s: {what}\n" + "\n".join(self.said))
                self.changed.wait(0.2)

    def wait_event(self, name, pid=None, limit=LIMIT):
        return self.wait_for(lambda r: events([r], name, pid), f"event {name} of {pid}", limit)

    def wait_attached(self, *targets):
        """pytrail says that it has attached the file, and the target shows it."""
        def attached(target):
            path = os.path.realpath(target.python)
            said = any("attached" in line and path in line for line in self.stderr.splitlines())
            return said and target.is_attached()
        for target in targets:
            wait_until(lambda t=target: attached(t) or self.process.poll() is not None,
                       f"pytrail attaches to {target.pid}")
            assert self.process.poll() is None, f"pytrail ended: {self.stderr}"

    def wait_seen(self, target):
        """Lets the target raise an event until it is seen."""
        def seen():
            target.do('sys.audit("test.ready")')
            return events(self.records(), "test.ready", target.pid)
        wait_until(seen, f"an event of {target.pid} is seen")

    def wait_end(self, limit=LIMIT):
        """The exit status, all output read."""
        status = self.process.wait(limit)
        for thread in self.threads:
            thread.join(limit)
        return status

    def stop(self, number=signal.SIGINT, limit=LIMIT):
        self.process.send_signal(number)
        return self.wait_end(limit)

    def summary(self):
        """The summary's numbers."""
        found = SUMMARY.findall(self.stderr)
        assert len(found) == 1, f"no summary, or several: {self.stderr!r}"
        match = SUMMARY.search(self.stderr)
        return {k: int(match[k]) for k in ("events", "filtered", "lost", "processes")}
