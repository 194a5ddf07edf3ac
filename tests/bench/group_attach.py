# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A host with 200 live Pythons: time until the first event of whole-host tracing, and memory."""
import subprocess
import time

from group_end import status_kib
from tracers import Pytrail, Tracer
from world import Idle, Producer

LIVE = 200


class WholeHost(Tracer):
    def __init__(self, world, target):
        self.begin = time.perf_counter()
        super().__init__(target, [world.pytrail, "trace", "-e", "open", "-o", "json"],
                         stdout=subprocess.PIPE)

    def is_attached(self):
        """Once a line of the target is there."""
        wanted = f'"pid":{self.target.pid},'.encode()
        for line in self.popen.stdout:
            if wanted in line:
                return True
        return False

    def __exit__(self, *exc):
        self.ask_to_end()
        while self.popen.stdout.read(1 << 20):
            pass
        super().__exit__(*exc)


def first_event(world, results, number, ticker):
    ticker.begin("pace", 2000, 3)
    with WholeHost(world, ticker) as tracer:
        results.add("attach", "first event s", number, time.perf_counter() - tracer.begin)
        results.add("attach", "anonymous MiB", number, status_kib(tracer.popen.pid, "RssAnon") / 1024)
        results.add("attach", "resident MiB", number, status_kib(tracer.popen.pid, "VmRSS") / 1024)
    ticker.end()


def untouched(world, results, number, ticker):
    """What the producer pays while nothing is attached, once everything has been."""
    with Pytrail(world, ticker):
        pass
    answer = ticker.ask("measure", "open", 100, 1000, 1)
    results.add("attach", "after detach ns", number, sorted(answer["wall_ns"])[50])


def run(world, results, say):
    say(f"attach: starting {LIVE} interpreters")
    ticker = Producer(world)
    fresh = ticker.ask("measure", "open", 100, 1000, 1)
    results.add("attach", "before attach ns", 0, sorted(fresh["wall_ns"])[50])
    idle = [Idle(world) for _ in range(LIVE)]
    try:
        for number in range(1 if world.quick else 5):
            say(f"attach: round {number + 1}")
            first_event(world, results, number, ticker)
        untouched(world, results, 0, ticker)
    finally:
        for process in (*idle, ticker):
            process.close()
    return {}
