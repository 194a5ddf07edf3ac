#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The load of the soak, in a process of its own: short Pythons come and go, in control groups of containers, and one
floods. It counts what they raise, and says so each second, as a line of JSON, until standard input ends.

    load.py DIRECTORY WORKERS PRIVATE(0|1) FLOOD(events a burst)
"""
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../live"))
import util  # noqa: E402

# Raises 21 events of a name, or 22 with one more word: itself, a child of it, and one that it executes.
CHURN = """
import os, sys, subprocess
name = "soak." + sys.argv[1]
for number in range(20):
    sys.audit(name, number, "x" * number)
pid = os.fork()
if not pid:
    sys.audit(name)
    os._exit(0)
os.waitpid(pid, 0)
if len(sys.argv) > 2:
    subprocess.run([sys.executable, "-S", "-c", "import sys; sys.audit(sys.argv[1])", name], check=True)
"""
FLOOD = """
import sys
for line in sys.stdin:
    for number in range(int(line)):
        sys.audit("soak.flood", number, "a process that floods")
    print("done", flush=True)
"""
FRESH_EVERY = 40  # processes
CONTAINER_EVERY = 20
FLOOD_EVERY = 10  # seconds
FLOOD_TURNS = 6  # of one process
PROCESSES_KEPT = 16384  # PROCESSES_MAX of user/output.c
COPIES = 4


def copies(directory, worker):
    """Interpreters that are there before anything runs: attached beforehand, so that nothing of them is missed."""
    return [os.path.join(directory, str(worker), str(i), "python3.11") for i in range(COPIES)]


class Container:
    """A control group as Docker names it, another one now and then; none where there is no right to make one."""

    def __init__(self):
        places = [p for p in ("/sys/fs/cgroup", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified")
                  if os.path.exists(f"{p}/cgroup.procs") and os.access(p, os.W_OK)]
        self.top = f"{places[0]}/pytrail-soak-{os.getpid()}/docker" if places else None
        self.path = None

    def change(self):
        if not self.top:
            return
        self.remove()
        self.path = f"{self.top}/{secrets.token_hex(32)}"
        os.makedirs(self.path, exist_ok=True)

    def enter(self):
        return ["sh", "-c", f'echo $$ >{self.path}/cgroup.procs; exec "$@"', "sh"] if self.path else []

    def remove(self):
        if self.path:
            util.wait_until(lambda: util.removed(self.path), "the control group is empty")
            self.path = None


class Worker(threading.Thread):
    """Something that raises events until told to stop; raised counts those of processes that ended well."""

    def __init__(self):
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.processes = 0
        self.raised = {"known": 0, "fresh": 0, "flood": 0}


class Churn(Worker):
    """Starts one process after the other."""

    def __init__(self, directory, number, private):
        super().__init__()
        self.directory, self.private = os.path.join(directory, str(number)), private
        self.copies = copies(directory, number)
        self.container = Container()

    def choose(self):
        """Which interpreter, and the kind that it is: one that is known beforehand, or a fresh file."""
        if self.processes % FRESH_EVERY == 0:
            return util.private_python(os.path.join(self.directory, "fresh"), f"python{self.processes}"), "fresh"
        if self.processes % 3 == 0 and not self.private:
            return util.SYSTEM_PYTHON, "known"
        return self.copies[self.processes % COPIES], "known"

    def run(self):
        while not self.done.is_set():
            self.processes += 1
            if self.processes % CONTAINER_EVERY == 1:
                self.container.change()
            python, kind = self.choose()
            more = ["again"] if self.processes % 5 == 0 else []
            ended = subprocess.run([*self.container.enter(), python, "-S", "-c", CHURN, kind, *more],
                                   env=util.python_env(), check=False, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL)
            if ended.returncode:
                sys.exit(f"load.py: a process ended with {ended.returncode}: what it raised is not known")
            self.raised[kind] += 21 + len(more)
            if kind == "fresh":
                shutil.rmtree(os.path.dirname(python))
        self.container.remove()


class Flood(Worker):
    """One process that raises so many events at once as the machine gives, again and again."""

    def __init__(self, python, burst):
        super().__init__()
        self.python, self.burst = python, burst

    def run(self):
        while self.burst and not self.done.is_set():
            self.processes += 1
            with subprocess.Popen([self.python, "-S", "-c", FLOOD], text=True, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, env=util.python_env()) as process:
                for _ in range(FLOOD_TURNS):
                    process.stdin.write(f"{self.burst}\n")
                    process.stdin.flush()
                    if process.stdout.readline() != "done\n":
                        sys.exit("load.py: the flood ended before its time")
                    self.raised["flood"] += self.burst
                    if self.done.wait(FLOOD_EVERY):
                        break
                process.stdin.close()


def fill():
    """More processes than are kept, as fast as they can be had: each new one takes the place of another then."""
    for _ in range(PROCESSES_KEPT + 1000):
        pid = os.fork()
        if not pid:
            sys.audit("soak.known")
            os._exit(0)
        os.waitpid(pid, 0)
    return PROCESSES_KEPT + 1000


def say(filled, workers):
    total = {kind: sum(w.raised[kind] for w in workers) for kind in workers[0].raised}
    total["known"] += filled
    print(json.dumps({"processes": filled + sum(w.processes for w in workers), **total}), flush=True)


def main():
    directory, count, private, burst = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1", int(sys.argv[4])
    filled = fill()
    workers = [Churn(directory, i, private) for i in range(count)]
    workers.append(Flood(copies(directory, 0)[0], burst))
    for worker in workers:
        worker.start()
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.wait(1):
        if not all(w.is_alive() or w.burst == 0 for w in workers[-1:]) or not all(w.is_alive() for w in workers[:-1]):
            sys.exit("load.py: part of the load has ended")
        say(filled, workers)
    for worker in workers:
        worker.done.set()
    for worker in workers:
        worker.join()
    top = workers[0].container.top
    if top:
        for path in (top, os.path.dirname(top)):
            os.rmdir(path)
    say(filled, workers)


if __name__ == "__main__":
    main()
