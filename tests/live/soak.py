#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Thousands of short Pythons come and go under pytrail, whose memory, file descriptors and BPF maps are
sampled meanwhile: tests/live/soak.py [--minutes 30] [--every 5] [--scope host|command] [--private]

Three kinds take turns: the system's interpreter, one of a few copies, and now and then a fresh copy
that is deleted once it has run. Each raises a known number of events of its own, forks, and starts another.
Before the first sample there are as many processes as pytrail keeps the facts of. Memory and descriptors may
grow while pytrail warms up, for a fifth of the time; beyond that by no more than --memory-kib and
--descriptors.
Exit status 1 if they do, or if pytrail ends. With --private only copies are run, and with `--scope command`
nothing else on the host is attached: other work goes on undisturbed.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bpfmaps  # noqa: E402
import util  # noqa: E402

CHURN = """
import os, sys, subprocess
for number in range(20):
    sys.audit("soak.event", number, "x" * number)
pid = os.fork()
if not pid:
    sys.audit("soak.child")
    os._exit(0)
os.waitpid(pid, 0)
if len(sys.argv) > 1:
    subprocess.run([sys.executable, "-S", "-c", "import sys; sys.audit('soak.grandchild')"])
"""
FRESH_EVERY = 40  # processes
PROCESSES_KEPT = 16384  # PROCESSES_MAX of user/output.c
COPIES = 4
HASHES = ("processes", "losses", "filter")  # maps whose entries are counted


class Churn(threading.Thread):
    """Starts one process after the other until told to stop."""

    def __init__(self, directory, number, started, private):
        super().__init__(daemon=True)
        self.directory, self.started = os.path.join(directory, str(number)), started
        self.private = private
        self.done = threading.Event()
        self.count = 0
        self.copies = [util.private_python(os.path.join(self.directory, str(i)))
                       for i in range(COPIES)]

    def run(self):
        env = util.python_env()
        while not self.done.is_set():
            self.count += 1
            python, fresh = self.copies[self.count % COPIES], None
            if self.count % 3 == 0 and not self.private:
                python = util.SYSTEM_PYTHON
            if self.count % FRESH_EVERY == 0:
                fresh = os.path.join(self.directory, "fresh")
                python = util.private_python(fresh, f"python{self.count}")
            words = ["again"] if self.count % 5 == 0 else []
            # where the command is traced, not the host: from within it
            subprocess.run([python, "-S", "-c", CHURN, *words], env=env, check=False,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            if fresh:
                shutil.rmtree(fresh)
            self.started(self.count)


def fill():
    """More processes than are kept, as fast as they can be had: each new one takes the place of another then."""
    for _ in range(PROCESSES_KEPT + 1000):
        pid = os.fork()
        if not pid:
            sys.audit("soak.fill")
            os._exit(0)
        os.waitpid(pid, 0)


def churn(directory, workers, private):
    """Runs them, and says each second how many processes there were, until standard input ends."""
    fill()
    threads = [Churn(directory, i, lambda _: None, private) for i in range(workers)]
    for thread in threads:
        thread.start()
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.wait(1):
        print(sum(t.count for t in threads), flush=True)
    for thread in threads:
        thread.done.set()
    for thread in threads:
        thread.join()
    print(sum(t.count for t in threads), flush=True)


class Sample:
    """One look at pytrail."""

    def __init__(self, pid, started, begin):
        self.seconds = time.monotonic() - begin
        self.started = started
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            fields = dict(line.split(":", 1) for line in status)
        self.rss = int(fields["VmRSS"].split()[0])
        self.anonymous = int(fields["RssAnon"].split()[0])
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        self.cpu = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        maps = bpfmaps.of_process(pid)
        self.maps = {n: bpfmaps.entries(maps[n]["id"]) for n in HASHES if n in maps}
        self.memlock = sum(int(m.get("bytes_memlock", 0)) for m in maps.values()) // 1024

    TITLES = (f"{'s':>6} {'processes':>9} {'rss KiB':>8} {'anon KiB':>8} {'fds':>5} {'cpu s':>6} "
              f"{'maps KiB':>8}  " + " ".join(f"{n:>9}" for n in HASHES))

    def __str__(self):
        return (f"{self.seconds:6.0f} {self.started:9} {self.rss:8} {self.anonymous:8} "
                f"{self.descriptors:5} {self.cpu:6.1f} {self.memlock:8}  " +
                " ".join(f"{self.maps.get(n, 0):9}" for n in HASHES))


class Workers:
    """The churn in a process of its own, which pytrail follows or, in whole-host mode, need not."""

    def __init__(self, directory, options, tracer_words=(), said="/dev/null"):
        python = util.private_python(directory) if options.private else util.SYSTEM_PYTHON
        command = [python, "-B", os.path.abspath(__file__), "--churn", directory,
                   "--workers", str(options.workers), *(["--private"] if options.private else [])]
        with open(said, "w", encoding="utf-8") as file:
            self.process = subprocess.Popen([*tracer_words, *command], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=file, text=True,
                                            env=util.python_env())
        self.count = 0
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.count = int(line)

    def stop(self):
        self.process.stdin.close()
        status = self.process.wait(60)
        self.thread.join(10)
        return status


def verdict(samples, options):
    """What has grown beyond its bound after the warm-up, as sentences."""
    steady = [s for s in samples if s.seconds >= options.minutes * 60 / 5]
    if len(steady) < 4:
        return ["too few samples"]
    # the first and the last third: one sample more or less says nothing
    third = max(1, len(steady) // 3)
    wrong = []
    for name, bound, of in (("memory (KiB)", options.memory_kib, lambda s: s.anonymous),
                            ("descriptors", options.descriptors, lambda s: s.descriptors)):
        early = max(of(s) for s in steady[:third])
        late = max(of(s) for s in steady[-third:])
        print(f"{name}: at most {early} in the first third after the warm-up, {late} in the last; "
              f"bound +{bound}")
        if late > early + bound:
            wrong.append(f"{name} grew by {late - early}")
    for name in HASHES:
        most = max(s.maps.get(name, 0) for s in steady)
        print(f"map {name}: at most {most} entries")
    return wrong


def events_of(path):
    """How many events of its own the churn was seen to raise."""
    with open(path, "rb") as file:
        return sum(b'"event":"soak.event"' in line for line in file)


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def report(said):
    """What pytrail said: its last lines, and how many of what is to be expected."""
    late = [line for line in said.splitlines() if "the first events may be missing" in line]
    rest = [line for line in said.splitlines() if line not in set(late)]
    print("\n".join(rest[-12:]))
    print(f"(and {len(late)} times that a fresh file was attached after its process had started)")


def soak(options, directory):
    out, said = os.path.join(directory, "out.json"), os.path.join(directory, "said")
    words = [util.PYTRAIL, "trace", "-o", f"json:{out}", "-e", "soak.*", "--stats"]
    if options.private:
        words += ["--interpreters", "none"]
    if options.scope == "host":
        with open(said, "w", encoding="utf-8") as file:
            tracer = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=file)
        util.wait_until(lambda: "Ctrl-C ends it" in read(said), "it is attached")
        workers = Workers(directory, options)
        pid = tracer.pid
    else:
        workers = Workers(directory, options, [*words, "--"], said)
        pid = workers.process.pid
    util.wait_until(lambda: workers.count, "the first process", limit=900)
    begin, samples, ended = time.monotonic(), [], False
    print(Sample.TITLES, flush=True)
    while time.monotonic() - begin < options.minutes * 60:
        time.sleep(options.every)  # the distance of samples, not a wait for anything
        try:
            samples.append(Sample(pid, workers.count, begin))
        except (FileNotFoundError, ProcessLookupError, KeyError):
            ended = True
            break
        print(samples[-1], flush=True)
    status = workers.stop()
    if options.scope == "host":
        tracer.send_signal(signal.SIGINT)
        status = tracer.wait(60)
    report(read(said))
    wrong = verdict(samples, options)
    print(f"{workers.count} processes started, {events_of(out)} soak.event seen of "
          f"{workers.count * 20} raised")
    if ended or status:
        wrong.append(f"pytrail ended before its time, exit status {status}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=5, help="seconds between samples")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--scope", choices=("host", "command"), default="host",
                        help="trace the whole host, or only the churn, by following it")
    parser.add_argument("--private", action="store_true", help="run only copies of the interpreter")
    parser.add_argument("--memory-kib", type=int, default=4096)
    parser.add_argument("--descriptors", type=int, default=64)
    parser.add_argument("--churn", metavar="DIRECTORY", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.churn:
        churn(options.churn, options.workers, options.private)
        return
    with tempfile.TemporaryDirectory(prefix="pytrail-soak-") as directory:
        wrong = soak(options, directory)
    for sentence in wrong:
        print("FAILED: " + sentence)
    if not wrong:
        print("flat")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
