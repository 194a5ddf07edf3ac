# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What pytrail takes, looked at now and then, and whether it grows."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../live"))
import bpfmaps  # noqa: E402

HASHES = ("processes", "losses", "filter", "rates")  # maps whose entries are counted
WARM_UP = 5  # the first such part of the time is not looked at


def exporter_of(pid):
    """The process that talks to the receivers, None while it is started again."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        for child in children:
            with open(f"/proc/{child}/cmdline", "rb") as file:
                if file.read().startswith(b"pytrail\0"):
                    return int(child)
    except OSError:
        pass
    return None


class Process:
    """Memory (KiB), descriptors and processor time (s) of one process."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            fields = dict(line.split(":", 1) for line in status)
        self.rss = int(fields["VmRSS"].split()[0])
        self.anonymous = int(fields["RssAnon"].split()[0])
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        self.cpu = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def size_of(directory):
    """KiB of the files below it; one that goes meanwhile is not counted."""
    total = 0
    for path, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.stat(os.path.join(path, name)).st_size
            except FileNotFoundError:
                pass
    return total // 1024


class Sample:
    """One look."""

    TITLES = (f"{'s':>5} {'processes':>9} {'raised':>9} {'arrived':>9} | {'rss KiB':>8} {'anon':>7} {'fds':>4} "
              f"{'cpu s':>7} | exporter {'rss KiB':>8} {'anon':>7} {'fds':>4} | {'spool KiB':>9} | "
              + " ".join(f"{n:>9}" for n in HASHES))

    def __init__(self, pid, begin, load, arrived, spool):
        self.seconds = time.monotonic() - begin
        self.load, self.arrived = load, arrived
        self.tracer = Process(pid)
        try:
            self.exporter = Process(exporter_of(pid))
        except (OSError, KeyError):  # between two of them
            self.exporter = None
        self.spool = size_of(spool)
        maps = bpfmaps.of_process(pid)
        self.maps = {n: bpfmaps.entries(maps[n]["id"]) for n in HASHES if n in maps}

    def __str__(self):
        t, e = self.tracer, self.exporter
        raised = sum(self.load[kind] for kind in ("known", "fresh", "flood"))
        exporter = f"{e.rss:8} {e.anonymous:7} {e.descriptors:4}" if e else f"{'-':>8} {'-':>7} {'-':>4}"
        return (f"{self.seconds:5.0f} {self.load['processes']:9} {raised:9} {self.arrived:9} | {t.rss:8} "
                f"{t.anonymous:7} {t.descriptors:4} {t.cpu:7.1f} |          {exporter} | {self.spool:9} | "
                + " ".join(f"{self.maps.get(n, 0):9}" for n in HASHES))


def verdict(samples, seconds, memory_kib, descriptors):
    """What has grown beyond its bound after the warm-up, as sentences."""
    steady = [s for s in samples if s.seconds >= seconds / WARM_UP]
    if len(steady) < 4:
        return ["too few samples"]
    # the first and the last third: one sample more or less says nothing
    third, wrong = max(1, len(steady) // 3), []
    for who in ("tracer", "exporter"):
        for name, bound, of in (("anonymous memory (KiB)", memory_kib, lambda p: p.anonymous),
                                ("resident memory (KiB)", None, lambda p: p.rss),
                                ("descriptors", descriptors, lambda p: p.descriptors)):
            def most(part, of=of, who=who):
                return max((of(getattr(s, who)) for s in part if getattr(s, who)), default=0)
            early, late = most(steady[:third]), most(steady[-third:])
            print(f"{who}: {name}: at most {early} in the first third after the warm-up, {late} in the last"
                  + (f"; bound +{bound}" if bound is not None else ""))
            if bound is not None and late > early + bound:
                wrong.append(f"{name} of the {who} grew by {late - early}")
    for name in HASHES:
        print(f"map {name}: at most {max(s.maps.get(name, 0) for s in steady)} entries")
    return wrong
