# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Producers at full speed against one collector: events a second, losses, CPU, memory; and the time
from event to line at a moderate rate."""
import os
import re
import subprocess
import threading
import time

from stats import quantile
from tracers import Pytrail
from world import Producer

CASES = (
    ("1", "1 producer", 1, ()),
    ("2", "2 producers", 2, ()),
    ("4", "4 producers", 4, ()),
    ("4 256M", "4 producers, --ring-size 256M", 4, ("--ring-size", "256M")),
)
RATE = 10_000  # events a second for the latency
MONOTONIC = re.compile(rb'"monotonic_ns":(\d+)')


def status_kib(pid, field):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next((int(line.split()[1]) for line in file if line.startswith(field)), 0)


def flood(world, results, number, case, options, producers, seconds):
    with Pytrail(world, producers[0], *options, traced=producers) as tracer:
        begin = time.perf_counter()
        for producer in producers:
            producer.begin("flood", seconds)
        raised = sum(producer.end()["events"] for producer in producers)
        took = time.perf_counter() - begin
        anonymous = status_kib(tracer.popen.pid, "RssAnon")
    counts = tracer.counts()
    results.add(case, "raised rate", number, raised / took)
    results.add(case, "lost share", number, counts["lost"] / raised)
    results.add(case, "lost", number, counts["lost"])
    results.add(case, "unaccounted", number,
                raised - counts["events"] - counts["lost"] - counts["filtered"])
    results.add(case, "collector cores", number, tracer.cpu_seconds() / took)
    results.add(case, "anonymous MiB", number, anonymous / 1024)
    results.add(case, "resident MiB", number, tracer.usage.ru_maxrss / 1024)


class Reader(threading.Thread):
    """Reads a pipe and keeps when each piece came."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self.pipe, self.pieces = pipe, []
        self.start()

    def run(self):
        fd = self.pipe.fileno()
        while True:
            data = os.read(fd, 1 << 20)
            if not data:
                return
            self.pieces.append((time.monotonic_ns(), data))

    def latencies_ms(self):
        """Of every line, when its end was there."""
        out, rest = [], b""
        for when, data in self.pieces:
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                match = MONOTONIC.search(line)
                if match and b'"event":"open"' in line:
                    out.append((when - int(match[1])) / 1e6)
        return out


def latency(world, results, number, producer, seconds):
    tracer = Pytrail(world, producer, outputs=["json"], stdout=subprocess.PIPE)
    reader = Reader(tracer.popen.stdout)
    with tracer:
        producer.ask("pace", RATE, seconds)
        tracer.ask_to_end()
        reader.join()
    took = reader.latencies_ms()
    results.add("latency", "events", number, len(took))
    results.add("latency", "p50 ms", number, quantile(took, 0.5))
    results.add("latency", "p99 ms", number, quantile(took, 0.99))
    results.add("latency", "max ms", number, max(took, default=None))


def run(world, results, say):
    rounds, seconds = (1, 2) if world.quick else (3, 10)
    producers = [Producer(world) for _ in range(4)]
    try:
        for number in range(rounds):
            for case, title, count, options in CASES:
                say(f"end to end, round {number + 1} of {rounds}: {title}")
                flood(world, results, number, case, options, producers[:count], seconds)
            say(f"end to end, round {number + 1} of {rounds}: latency")
            latency(world, results, number, producers[0], seconds)
        if not world.quick:
            say("end to end: 1 producer for 60 s")
            flood(world, results, 0, "1 60s", (), producers[:1], 60)
    finally:
        for producer in producers:
            producer.close()
    return {"1 60s": "only without --quick"} if world.quick else {}
