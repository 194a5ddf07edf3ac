# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The process that raises events: producer.py HOOK FILE [CHOOK.SO]

HOOK is what watches it from inside: none, noop, json (one line an event into FILE, buffered),
json-write (the same with one write() an event), c (the same as json, in C). Commands come on standard
input, each answered by one line of JSON:

  measure SHAPE BATCHES SIZE SECONDS   ns per event of each batch, by the clock and by CPU time, after
                                       some batches to warm up; ends early after SECONDS
  flood SECONDS                        raises `open` as fast as it can: how many
  pace RATE SECONDS                    raises `open` at about RATE a second, in bursts of a millisecond

The loops raise through sys.audit what CPython itself raises, with arguments of the same shapes; but
`id` is id(), whose event builtins.id is raised in C.
"""
import json
import os
import sys
import time

MODE = 524288  # os.O_CLOEXEC, as open() has it


def shapes():
    """Event name and arguments by shape."""
    environment = {f"VARIABLE_{i:02}": f"/some/value/of/ordinary/length/{i}" for i in range(40)}
    code = compile("def f(a, b):\n    return a + b\n", "/srv/app/module.py", "exec")
    return {
        # chr: open() makes its mode of a C string, which gives the one str "r" that there is
        "open": ("open", "/usr/lib/python3.11/encodings/utf_8.py", chr(114), MODE),
        "import": ("import", "json.decoder", None, list(sys.path), list(sys.meta_path),
                   list(sys.path_hooks)),
        "exec": ("exec", code),
        "popen": ("subprocess.Popen", "/usr/bin/git", ["/usr/bin/git", "log", "--oneline", "-20"],
                  "/srv/app", environment),
        "none": ("os.fork",),
        "id": ("builtins.id", environment),
    }


def install(kind, path, library):
    if kind == "noop":
        sys.addaudithook(lambda event, args: None)
    elif kind in ("json", "json-write"):
        encode = json.JSONEncoder(default=repr).encode
        write = open(path, "w", encoding="utf-8").write if kind == "json" else None
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if not write else -1
        pid, now = os.getpid(), time.time_ns

        def hook(event, args):
            line = encode({"time_ns": now(), "pid": pid, "event": event, "args": args}) + "\n"
            if write:
                write(line)
            else:
                os.write(fd, line.encode())
        sys.addaudithook(hook)
    elif kind == "c":
        import ctypes
        if ctypes.PyDLL(library).bench_hook__install(path.encode()):
            raise SystemExit("cannot add the hook in C")


def loop_of(count_of_args):
    """A loop that passes the arguments one by one: unpacking a tuple would be part of the cost."""
    names = [f"a{i}" for i in range(count_of_args)]
    space = {}
    exec(f"def loop(audit, args, count):\n"
         f"    {', '.join(names)}, = args\n"
         f"    for _ in range(count):\n"
         f"        audit({', '.join(names)})\n", space)
    return space["loop"]


def id_loop(_audit, args, count):
    one = args[1]
    for _ in range(count):
        id(one)


LOOPS = {n: loop_of(n) for n in range(1, 7)}  # beforehand: exec raises events, too


WARM_UP = 4  # batches


def measure(args, batches, size, limit):
    run, audit = LOOPS[len(args)] if args[0] != "builtins.id" else id_loop, sys.audit
    clock, cpu = time.perf_counter_ns, time.thread_time_ns
    wall_ns, cpu_ns = [], []
    for _ in range(WARM_UP if batches else 1):
        run(audit, args, size)
    end = clock() + int(limit * 1e9)
    for _ in range(batches):
        c, w = cpu(), clock()
        run(audit, args, size)
        now, used = clock(), cpu() - c
        wall_ns.append((now - w) / size)
        cpu_ns.append(used / size)
        if now > end:
            break
    raised = size * (len(wall_ns) + (WARM_UP if batches else 1))
    return {"wall_ns": wall_ns, "cpu_ns": cpu_ns, "events": raised}


def flood(args, seconds):
    run, audit, total = LOOPS[len(args)], sys.audit, 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        run(audit, args, 1000)
        total += 1000
    return {"events": total, "seconds": time.perf_counter() - begin}


def pace(args, rate, seconds):
    run, audit, total = LOOPS[len(args)], sys.audit, 0
    begin = time.perf_counter()
    while True:
        passed = time.perf_counter() - begin
        if passed >= seconds:
            return {"events": total, "seconds": passed}
        due = int(passed * rate) - total
        run(audit, args, due)
        total += due
        time.sleep(0.001)


def main():
    kind, path = sys.argv[1], sys.argv[2]
    library = sys.argv[3] if len(sys.argv) > 3 else ""
    known = shapes()
    install(kind, path, library)
    print("ready", flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "measure":
            answer = measure(known[rest[0]], int(rest[1]), int(rest[2]), float(rest[3]))
        elif word == "flood":
            answer = flood(known["open"], float(rest[0]))
        elif word == "pace":
            answer = pace(known["open"], float(rest[0]), float(rest[1]))
        else:
            answer = {"error": "no such command"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
