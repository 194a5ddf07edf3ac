# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What an event costs the process that raises it, beside other ways to see it."""
import os

from tracers import Bcc, Bpftrace, Floor, Pytrail, PytrailUprobe
from world import Disturbed, Idle, Producer, Unavailable

SHAPES = ("open", "import", "exec", "popen", "none", "id")
BATCH = 1000  # events: too few for a time slice to end in most batches on a busy machine

# case, title, shapes that it is measured with
CASES = (
    ("nothing", "nothing attached", SHAPES),
    ("floor", "empty BPF program, both arguments by BPF_USDT (the floor)", SHAPES),
    ("floor-raw", "empty BPF program, registers not read", ("open",)),
    ("noop", "in-process Python hook that does nothing", SHAPES),
    ("json", "in-process Python hook, one JSON line to a buffered file", SHAPES),
    ("json-write", "the same, one write() an event", ("open",)),
    ("c", "in-process C hook, one JSON line to a buffered file", SHAPES),
    ("null", "pytrail, JSON to /dev/null", ("open",)),
    ("others", "pytrail, JSON to /dev/null: other events", SHAPES[1:]),  # losses are theirs alone
    ("file", "pytrail, JSON to a file", ("open",)),
    ("file-big", "the same, --ring-size 256M", ("open",)),  # none lost while the disk takes its time
    ("by-name", "pytrail, event filtered out by name", ("open",)),
    ("by-pid", "pytrail tracing another process of the binary", ("open",)),
    ("by-map", "pytrail tracing two others (filter in BPF)", ("open",)),
    ("uprobe", "pytrail by uprobes, JSON to /dev/null", SHAPES),
    ("uprobe-floor", "empty BPF program at the same uprobe sites", SHAPES),
    ("bpftrace", "bpftrace printing event and arguments", ("open",)),
    ("bcc", "bcc's Python front end doing the same", ("open",)),
)


class Bench:
    """The producers and decoys of all cases, alive for the whole group."""

    def __init__(self, world):
        self.world = world
        self.skipped = {}
        self.hooked = {hook: Producer(world, hook, world.path(f"hook-{hook}.json"))
                       for hook in ("noop", "json", "json-write", "c")}
        self.target = Producer(world)
        self.decoys = [Idle(world), Idle(world)]

    def close(self):
        for process in (*self.hooked.values(), self.target, *self.decoys):
            process.close()

    def tracer(self, case):
        """The tracer of a case; None where none runs."""
        world, target = self.world, self.target
        if case == "floor":
            return Floor(world, target)
        if case == "floor-raw":
            return Floor(world, target, "raw")
        if case == "uprobe-floor":
            return Floor(world, target, "uprobe")
        if case == "uprobe":
            return PytrailUprobe(world, target)
        if case in ("null", "others"):
            return Pytrail(world, target)
        if case == "file":
            return Pytrail(world, target, outputs=[f"json:{world.path('trace.json')}"])
        if case == "file-big":
            return Pytrail(world, target, "--ring-size", "256M",
                           outputs=[f"json:{world.path('trace.json')}"])
        if case == "by-name":
            return Pytrail(world, target, "-e", "!open")
        if case == "by-pid":
            return Pytrail(world, target, traced=self.decoys[:1])
        if case == "by-map":
            return Pytrail(world, target, traced=self.decoys)
        if case == "bpftrace":
            return Bpftrace(world, target)
        return Bcc(world, target) if case == "bcc" else None


def measure(producer, shapes, batches, seconds):
    return {shape: producer.ask("measure", shape, batches, BATCH, seconds) for shape in shapes}


def run_case(bench, case, shapes, batches, seconds):
    """({shape: answer}, counts of the tracer)"""
    if case == "nothing" or case in bench.hooked:
        producer = bench.hooked.get(case, bench.target)
        producer.wait_untouched()
        answers = measure(producer, shapes, batches, seconds)
        producer.wait_untouched()
        return answers, {}
    tracer = bench.tracer(case)
    with tracer:
        answers = measure(bench.target, shapes, batches, seconds)
    counts = tracer.counts() if isinstance(tracer, Pytrail) else {}
    if isinstance(tracer, Bpftrace):
        counts["lost"] = tracer.lost()
    return answers, counts


def keep(results, case, number, answers, counts):
    events = sum(answer["events"] for answer in answers.values())
    if "lost" in counts:
        results.add(case, "lost share", number, counts["lost"] / events)
    if case == "others":
        case = "null"
    for shape, answer in answers.items():
        results.add(case, f"{shape} wall", number, middle(answer["wall_ns"]))
        results.add(case, f"{shape} cpu", number, middle(answer["cpu_ns"]))
        results.add(case, f"{shape} best", number, min(answer["wall_ns"]))


def middle(values):
    return sorted(values)[len(values) // 2]


def run(world, results, say):
    """Fills results; returns {case: why it was skipped}."""
    rounds, batches, seconds = (2, 100, 0.3) if world.quick else (5, 300, 1)
    bench = Bench(world)
    try:
        for number in range(rounds):
            for case, title, shapes in CASES:
                if case in bench.skipped:
                    continue
                say(f"producer, round {number + 1} of {rounds}: {title}")
                try:
                    answers, counts = run_case(bench, case, shapes, batches, seconds)
                except Disturbed as e:
                    bench.skipped[f"{case}, round {number + 1}"] = str(e)
                    continue
                except (Unavailable, AssertionError, OSError) as e:
                    bench.skipped[case] = str(e)
                    continue
                keep(results, case, number, answers, counts)
            for name in os.listdir(world.dir):
                if name.endswith(".json"):
                    os.truncate(world.path(name), 0)
    finally:
        bench.close()
    return bench.skipped
