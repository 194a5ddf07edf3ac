# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What watches from outside: pytrail, the floor, bpftrace, bcc. Each a context: attached when entered
(as the target's own memory shows), gone from the target when left."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from world import HERE, Unavailable, util

LIMIT = 60  # seconds for a tracer to attach or to end


class Tracer:
    """A process that attaches to `target` (world.Process), or to `traced` instead, and detaches when
    told to."""

    def __init__(self, target, command, traced=(), **options):
        self.target, self.traced = target, traced
        target.wait_untouched()
        self.errors = tempfile.TemporaryFile("w+")
        options.setdefault("stdout", subprocess.DEVNULL)
        self.popen = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=self.errors, **options)
        self.usage = None

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def is_attached(self):
        return all(process.attached() for process in self.traced or (self.target,))

    def __enter__(self):
        try:
            util.wait_until(lambda: self.popen.poll() is not None or self.is_attached(),
                            f"{self.popen.args[0]} attaches", LIMIT)
            if self.popen.poll() is not None:
                raise Unavailable(f"{os.path.basename(self.popen.args[0])} ended: "
                                  f"{self.said()[-300:].strip()}")
        except BaseException:
            self.popen.kill()
            self.popen.wait()
            raise
        return self

    def ask_to_end(self):
        os.kill(self.popen.pid, signal.SIGINT)  # not by Popen, which would reap it without its usage

    def __exit__(self, *_):
        if self.popen.returncode is None:
            self.ask_to_end()
            _, status, self.usage = os.wait4(self.popen.pid, 0)
            self.popen.returncode = os.waitstatus_to_exitcode(status)
        self.popen.stdin.close()
        if self.popen.stdout:
            self.popen.stdout.close()
        for process in (self.target, *self.traced):
            process.wait_untouched()

    def cpu_seconds(self):
        """User and system time of the tracer, once it has ended."""
        return self.usage.ru_utime + self.usage.ru_stime


class Floor(Tracer):
    """The empty program of floor.bpf.c: at the USDT site with its arguments read; without (raw); or at
    the sites that `pytrail --probe uprobe` has."""

    def __init__(self, world, target, kind="usdt"):
        sites = {"usdt": [], "raw": world.probes.sites, "uprobe": world.uprobes}[kind]
        offsets = [file_offset(world.probes, pc) +
                   (":" + file_offset(world.probes, semaphore) if semaphore else "")
                   for pc, semaphore in sites]
        super().__init__(target, [world.floor, "uprobe" if offsets else "usdt", world.python, *offsets],
                         stdout=subprocess.PIPE)

    def is_attached(self):
        return self.popen.stdout.readline() == b"attached\n"

    def ask_to_end(self):
        self.popen.stdin.close()


def file_offset(probes, address):
    for _, _, offset, vaddr, _, filesz, _, _ in probes.loads:
        if vaddr <= address < vaddr + filesz:
            return hex(offset + address - vaddr)
    raise Unavailable(f"no segment holds {address:#x}")


class Pytrail(Tracer):
    """`pytrail trace` of the target, or of other processes of the same binary instead."""

    def __init__(self, world, target, *options, traced=(), outputs=("json:/dev/null",), **popen):
        pids = [arg for process in traced or (target,) for arg in ("-p", str(process.pid))]
        out = [arg for output in outputs for arg in ("-o", output)]
        super().__init__(target, [world.pytrail, "trace", "-v", *pids, *out, *options], traced,
                         **popen)

    def is_attached(self):
        """It says so; the breakpoints are there before the programs are."""
        alone = len(os.listdir(f"/proc/{self.popen.pid}/task")) == 1  # no program is loaded on the side any more
        return "attached" in self.said() and super().is_attached() and alone

    def counts(self):
        """events, filtered, lost of the summary, once it has ended."""
        match = util.SUMMARY.search(self.said())
        if not match:
            raise Unavailable(f"pytrail wrote no summary: {self.said()[-300:]}")
        return {k: int(match[k]) for k in ("events", "filtered", "lost")}


class PytrailUprobe(Pytrail):
    """The same through uprobes on CPython's audit functions, as where there is no USDT probe. Learns
    the sites from what is patched when it is first attached."""

    def __init__(self, world, target):
        self.world = world
        super().__init__(world, target, "--probe", "uprobe")

    def is_attached(self):
        if "attached" not in self.said():
            return False
        if not self.world.uprobes:
            self.world.uprobes = [(address, 0) for address in self.target.text_changes()]
        return bool(self.world.uprobes)


class Bpftrace(Tracer):
    """bpftrace 0.17 and later, printing event, and arguments as if they were those of open."""

    # Of a tuple ob_size is at 16, and its items from 24 on; of an int the first digit is at 24
    # (Include/cpython/tupleobject.h, longintrepr.h, 3.8 to 3.13)
    SCRIPT = """
usdt:PATH:python:audit
{
	$args = arg1;
	$n = *(int64 *)($args + 16);
	if ($n == 3) {
		printf("%d %s %s %s %d\\n", pid, str(arg0), str(*(uint64 *)($args + 24) + STR),
		       str(*(uint64 *)($args + 32) + STR), *(uint32 *)(*(uint64 *)($args + 40) + 24));
	} else if ($n > 0) {
		printf("%d %s %s\\n", pid, str(arg0), str(*(uint64 *)($args + 24) + STR));
	} else {
		printf("%d %s\\n", pid, str(arg0));
	}
}
"""

    def __init__(self, world, target, one_process=True, shown=b"os.fork"):
        if not shutil.which("bpftrace"):
            raise Unavailable("bpftrace is not installed")
        self.out, self.shown = world.path("bpftrace.json"), shown
        script = world.path("events.bt")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.SCRIPT.replace("PATH", world.python).replace("STR", str(world.str_data)))
        command = ["bpftrace", *(["-p", str(target.pid)] if one_process else []), script]
        with open(self.out, "wb") as out:
            super().__init__(target, command, stdout=out)

    def is_attached(self):
        """The breakpoint is there before the program is: what counts is that an event is printed."""
        if not super().is_attached():
            return False
        self.target.raise_one()
        with open(self.out, "rb") as out:
            return self.shown in out.read(1 << 16)

    def lost(self):
        return sum(int(n) for n in re.findall(r"Lost (\d+) events", self.said()))


class Bcc(Tracer):
    """bcc's Python front end doing the same: bcc_audit.py."""

    def __init__(self, world, target):
        if not have_bcc():
            raise Unavailable("python3-bpfcc is not installed")
        # what it compiles with; BCC_KERNEL_SOURCE is its own variable
        if not (os.environ.get("BCC_KERNEL_SOURCE") or os.path.exists("/sys/kernel/kheaders.tar.xz") or
                os.path.exists(f"/lib/modules/{os.uname().release}/build")):
            raise Unavailable("bcc needs the headers of the running kernel, which are not installed")
        with open(world.path("bcc.json"), "wb") as out:
            super().__init__(target, ["/usr/bin/python3", os.path.join(HERE, "bcc_audit.py"),
                                      str(target.pid), str(world.str_data)], stdout=out)

    def is_attached(self):
        return "ready" in self.said()


def have_bcc():
    return subprocess.run(["/usr/bin/python3", "-c", "import bcc"], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0
