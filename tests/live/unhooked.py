# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Traces a program that has no audit hook, and compares the trace with what the hook of hook.py wrote
of an identical run of the same program:

    hooked = oracle.run(program, python, keep=directory, env=ENV)
    result = unhooked.run(program, python, recording=directory + "/hook.jsonl")

The program must do the same in every run. What cannot be the same is made so on both sides: addresses,
and the order of sets. The main thread's events are compared in their order; every other thread is
compared with one that did the same, and the events of those that no other equals (workers of a pool
share the work as it comes) as one heap.
"""

import collections
import json
import os

import oracle
from canon import merged
from hook import BEGIN, END

# Strings hash the same in every run.
ENV = {**os.environ, "PYTHONHASHSEED": "0"}
ADDRESSES = range(1 << 40, 1 << 47)  # of user space, as an int among the arguments


def same(value):
    """A value without what differs from run to run."""
    if type(value) in (list, tuple):
        return [same(v) for v in value]
    if type(value) is int:
        return "address" if value in ADDRESSES else value
    if type(value) is str:
        return merged(value)
    if type(value) is not dict:
        return value
    if "$object" in value and "address" in value:
        return {**value, "address": "0x"}
    if "$set" in value:
        return {"$set": sorted(map(same, value["$set"]), key=text_of)}
    return {merged(k): same(v) for k, v in value.items()}


def text_of(value):
    return json.dumps(value, sort_keys=True)


def wanted_events(path):
    """{(pid, tid): [Event]}, and the key of the main thread."""
    threads = oracle.read_hook(path)
    main = next(key for key, events in threads.items() if any(e.name == BEGIN for e in events))
    del threads[main][:[e.name for e in threads[main]].index(BEGIN)]
    return {key: [e._replace(values=same(e.values)) for e in events]
            for key, events in threads.items() if events}, main


def got_records(path, result):
    """The same of the trace: the records between BEGIN and END, and all of forked processes."""
    threads = oracle.read_pytrail(path)
    for record in threads.pop("lost", ()):
        result.say("lost: %s" % record)
    main = next((key for key, records in threads.items()
                 if any(r["event"] == BEGIN for r in records)), None)
    if not main:
        return {}, None
    first = next(r["monotonic_ns"] for r in threads[main] if r["event"] == BEGIN)
    last = next((r["monotonic_ns"] for r in threads[main] if r["event"] == END), float("inf"))
    cut = {}
    for key, records in threads.items():
        kept = [{**r, "args": same(r["args"])} for r in records
                if key[0] != main[0] or first <= r["monotonic_ns"] <= last]
        if kept:
            cut[key] = kept
    return cut, main


def event_key(event):
    return event.name, text_of(event.values)


def record_key(record):
    return record["event"], text_of(list(record.get("args", {}).values()))


def pair_threads(wanted, got):
    """Pairs of threads that did the same; the other threads, of both."""
    waiting = collections.defaultdict(list)
    for key, records in got.items():
        waiting[tuple(map(record_key, records))].append(key)
    pairs, rest = [], []
    for key, events in wanted.items():
        equals = waiting[tuple(map(event_key, events))]
        if equals:
            pairs.append((key, equals.pop()))
        else:
            rest.append(key)
    return pairs, rest, [key for keys in waiting.values() for key in keys]


def compare_heaps(result, events, records):
    waiting = collections.defaultdict(list)
    for record in records:
        waiting[record_key(record)].append(record)
    for event in events:
        equals = waiting[event_key(event)]
        if equals:
            oracle.compare_pair(result, "a worker", event, equals.pop())
        else:
            result.missing += 1
            result.say("missing: %s %s" % (event.name, oracle.short(event.values)))
    for left in waiting.values():
        for record in left:
            result.extra += 1
            result.say("extra: %s %s" % (record["event"], oracle.short(record.get("args"))))


def compare(recording, json_path):
    result = oracle.Result()
    wanted, main = wanted_events(recording)
    got, traced_main = got_records(json_path, result)
    result.threads = len(wanted)
    oracle.compare_thread(result, main, wanted.pop(main), got.pop(traced_main, []))
    pairs, rest, traced_rest = pair_threads(wanted, got)
    for key, traced in pairs:
        oracle.compare_thread(result, key, wanted[key], got[traced])
    compare_heaps(result, [e for key in rest for e in wanted[key]],
                  [r for key in traced_rest for r in got[key]])
    return result


def run(program, python, recording, **rest):
    rest.setdefault("env", ENV)
    return oracle.run(program, python, runner="nohook.py",
                      comparison=lambda _, json_path: compare(recording, json_path), **rest)


def run_twice(program, python, directory, **rest):
    """With the hook and without it: both Results. What the runs wrote is kept in the directory."""
    rest.setdefault("env", ENV)
    kept = [os.path.join(str(directory), name) for name in ("hooked", "unhooked")]
    for path in kept:
        os.makedirs(path, exist_ok=True)
    hooked = oracle.run(program, python, keep=kept[0], **rest)
    return hooked, run(program, python, os.path.join(kept[0], "hook.jsonl"), keep=kept[1], **rest)
