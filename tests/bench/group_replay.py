# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""How fast a collector turns records into lines: `pytrail replay` of recorded `open` events."""
import os
import subprocess
import time

from tracers import Pytrail
from world import Producer, Unavailable

FORMATS = ("json", "text", "ecs", "ocsf", "cef", "leef")
EVENTS, EVENTS_QUICK = 1_000_000, 200_000


def record(world, say):
    """The file of recorded events, and how many there are in it."""
    path, wanted = world.path("open.records"), EVENTS_QUICK if world.quick else EVENTS
    say(f"replay: recording {wanted} events")
    producer = Producer(world)
    try:
        with Pytrail(world, producer, "--ring-size", "256M", "--record", path) as tracer:
            producer.ask("measure", "open", wanted // 1000, 1000, 60)
        counts = tracer.counts()
    finally:
        producer.close()
    if counts["events"] < wanted // 2:
        raise Unavailable(f"only {counts['events']} events could be recorded")
    return path, counts["events"]


def replay(world, path, output):
    """(seconds of wall, seconds of CPU), or None when the format does not exist."""
    begin = time.perf_counter()
    child = subprocess.Popen([world.pytrail, "replay", path, "-o", output], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stderr.close()
    if child.returncode == 2:
        return None
    if child.returncode:
        raise Unavailable(f"replay ended with {child.returncode}: {said[-200:]!r}")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime


def run(world, results, say):
    skipped = {}
    path, events = record(world, say)
    results.add("replay", "size", 0, os.path.getsize(path) / events)
    outputs = [(f, f"{f}:/dev/null") for f in FORMATS] + [("json to a file",
                                                           f"json:{world.path('replay.json')}")]
    for number in range(3 if world.quick else 5):
        for name, output in outputs:
            if name in skipped:
                continue
            say(f"replay, round {number + 1}: {name}")
            took = replay(world, path, output)
            if not took:
                skipped[name] = f"this pytrail has no format {name}"
                continue
            results.add(name, "wall rate", number, events / took[0])
            results.add(name, "rate", number, events / took[1])
    os.unlink(path)
    return skipped
