# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Runs pytrail with one call of the C library failing (inject.c), and what must hold then: it never crashes and never
hangs; it ends with one of its exit codes, and says why in whole sentences; what it says is complete is."""
import errno
import os
import re
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build", "pytrail"))
INJECT = os.path.join(ROOT, "build/tests/faults/inject.so")
RECORDS = os.path.join(ROOT, "build/tests/replay/build_records")
SANITIZED = "san" in os.path.basename(os.path.dirname(PYTRAIL))
LIMIT = 60  # seconds; ten thousand times what a run takes

# What can fail how: name, calls, errno (0: less is done than was asked), whether it must be of no consequence.
FAMILIES = {
    "memory": ("malloc,calloc,realloc", errno.ENOMEM, False),
    "open": ("open,opendir,fopen,memfd_create", errno.EMFILE, False),
    "descriptors": ("dup,pipe2,socket,socketpair,epoll_create1,eventfd,signalfd", errno.EMFILE, False),
    "read": ("read,pread,recv,recvmsg", errno.EIO, False),
    "read-interrupted": ("read,pread,recv,recvmsg", errno.EINTR, True),
    "read-short": ("read,pread", 0, True),
    "write": ("write,send,sendmsg", errno.ENOSPC, False),
    "write-interrupted": ("write", errno.EINTR, True),
    "write-short": ("write", 0, True),
    "wait-interrupted": ("poll,epoll_wait", errno.EINTR, True),
    "map": ("mmap", errno.ENOMEM, False),
    "file": ("close,fsync,fdatasync,ftruncate,fstat,stat,mkdir,mkdirat", errno.EIO, False),
    "epoll": ("epoll_ctl", errno.ENOSPC, False),
    "fork": ("fork,pthread_create", errno.EAGAIN, False),
    "random": ("getrandom", errno.EIO, False),
    "kernel": ("bpf,perf_event_open", errno.ENOMEM, False),
}

SAID = re.compile(r"^pytrail: \S.*$")


def same(got, want):
    """Line by line; of a process that not all could be found of that is said ("partial"), and a call site is found
    or not."""
    if got == want:
        return True
    got, want = got.splitlines(), want.splitlines()
    return len(got) == len(want) and all(a == b or (b'"enrichment":"partial"' in a) or
                                         (b'"call_site"' in b and b'"call_site"' not in a) for a, b in zip(got, want))


class Case:
    """A command that works, and every way for one of its calls to fail. words: {out} is a file it may write."""

    def __init__(self, words, stdin=None, setup=None, compare=True, env=None, before=()):
        self.words, self.stdin, self.setup, self.compare = words, stdin, setup, compare
        self.env, self.before = env or {}, list(before)
        self.directory = tempfile.mkdtemp(prefix="pytrail-faults-")
        os.chmod(self.directory, 0o755)
        self.out = os.path.join(self.directory, "out")
        self.report = os.path.join(self.directory, "report")
        self.want = None

    def run(self, calls, nth, error, every=False):
        for name in os.listdir(self.directory):
            if name.startswith("out"):
                os.unlink(os.path.join(self.directory, name))
        if os.path.exists(self.report):
            os.unlink(self.report)
        if self.setup:
            self.setup(self.directory)
        env = {**os.environ, **self.env, "LD_PRELOAD": INJECT, "FAULT_CALLS": calls, "FAULT_NTH": str(nth),
               "FAULT_ERRNO": str(error), "FAULT_REPORT": self.report,
               "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99:allocator_may_return_null=1:detect_leaks=" +
                               ("0" if nth else "1"),
               "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99:print_stacktrace=1"}
        if every:
            env["FAULT_EVERY"] = "1"
        words = [word.format(out=self.out, dir=self.directory) for word in self.words]
        return subprocess.run([*self.before, PYTRAIL, *words], stdin=self.stdin or subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=LIMIT, check=False)

    def output(self, done):
        """Standard output, and the files."""
        parts = [done.stdout]
        for name in sorted(os.listdir(self.directory)):
            if name.startswith("out"):
                with open(os.path.join(self.directory, name), "rb") as file:
                    parts.append(file.read())
        return b"".join(parts)

    def count(self, calls):
        done = self.run(calls, 0, 0)
        assert done.returncode == 0, (self.words, done.stderr)
        self.want = self.output(done)
        with open(self.report, encoding="ascii") as file:
            return int(file.read())

    def judge(self, done, harmless):
        """What is wrong, None: nothing."""
        said = done.stderr.decode(errors="replace")
        if done.returncode < 0:
            return f"ended by {signal.Signals(-done.returncode).name}\n{said}"
        if done.returncode not in (0, 1, 2, 3, 4):
            return f"exit status {done.returncode}\n{said}"
        odd = [line for line in said.splitlines() if not SAID.match(line)]
        if odd:
            return f"says {odd}"
        if harmless and done.returncode:
            return f"exit status {done.returncode} from what is of no consequence: {said}"
        if done.returncode and not said:
            return f"exit status {done.returncode} and not a word"
        if not done.returncode and self.compare and not same(self.output(done), self.want):
            if "warning" not in said and "cannot" not in said:
                return f"exit status 0, but not all is there, and that is not said: {said}"
        return None

    def check(self, family, most=None, every=False):
        """All of them, or `most` spread over the run. What went wrong, as texts."""
        calls, error, harmless = FAMILIES[family]
        total = self.count(calls)
        step = max(1, -(-total // most)) if most else 1
        wrong = []
        for nth in range(1, total + 1, step):
            try:
                text = self.judge(self.run(calls, nth, error, every), harmless)
            except subprocess.TimeoutExpired:
                text = "does not end"
            if text:
                wrong.append(f"{' '.join(self.words)}: {family}, call {nth} of {total}: {text}")
        return wrong


def main():
    """faults.py FAMILY[,...] WORDS...: for a look by hand."""
    case = Case(sys.argv[2:], compare=True)
    for family in sys.argv[1].split(","):
        for text in case.check(family):
            print(text)


if __name__ == "__main__":
    main()
