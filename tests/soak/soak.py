#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""pytrail for a long time under mixed load: tests/soak/soak.py [--minutes 30] [--scope host|command] [--private]

Thousands of Pythons come and go, in control groups of containers, as forks, by executing another, as fresh files
that are deleted once they have run; one floods, and is throttled. What is seen goes to a RELP and an HTTP receiver
that are killed, silent, broken or refuse, and come back, and to a file that is rotated; the exporter is killed now and
then. Before the first sample there are more processes than pytrail keeps the facts of.

At the end all is well again and delivered, and then: seen = emitted + filtered + lost; each receiver has each event
that was emitted; what the load raised has arrived or is counted as lost. Meanwhile memory and descriptors of
tracer and exporter are sampled: beyond the warm-up, a fifth of the time, they may grow by no more than
--memory-kib and --descriptors. Exit status 1 if any of it does not hold.

`--scope host` (default) is the daemon, on everything; `--scope command` is `pytrail trace -- COMMAND` on the
load alone, and with --private on copies of the interpreter only: other work on the machine goes on undisturbed.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../live")]
import load  # noqa: E402
import receivers  # noqa: E402
import util  # noqa: E402
from sample import Sample, exporter_of, verdict  # noqa: E402

MAX_RATE = 2000  # events a second of one process
ROTATE_SIZE, KEEP = 20 << 20, 2
DRAIN = 300  # seconds for what waits at the end
COMPLAINTS = re.compile(r"Sanitizer|runtime error:")


class Tracer:
    """What both ways to run pytrail have in common. pid: of the tracer, once it is started."""

    def __init__(self, options, directory, hook, relp_receiver):
        self.options, self.directory = options, directory
        self.spool, self.file = f"{directory}/spool", f"{directory}/events.json"
        self.said_path = f"{directory}/said"
        common = {"format": "json", "batch_wait": "200ms", "retry_min": "100ms", "retry_max": "2s", "timeout": "2s"}
        self.outputs = [("relp", f"relp://127.0.0.1:{relp_receiver.port}", common),
                        ("hook", f"webhook+http://127.0.0.1:{hook.port}/", {**common, "compression": "gzip"}),
                        ("file", self.file, {"format": "json", "rotate_size": ROTATE_SIZE, "keep": KEEP,
                                             "compress": "zstd"})]
        self.process = self.pid = None
        known = [f"{directory}/python3.11"]
        for worker in range(options.workers):
            known += load.copies(directory, worker)
        for path in known:
            util.private_python(os.path.dirname(path))
        self.interpreters = ("" if options.private else "+") + ":".join(known)
        python = known[0] if options.private or options.scope == "command" else util.SYSTEM_PYTHON
        self.load_words = [python, "-B", os.path.join(HERE, "load.py"), directory, str(options.workers),
                           str(int(options.private)), str(options.flood)]
        self.load = {}

    def read_load(self, stream):
        for line in stream:
            self.load = json.loads(line)

    def start_load(self, before=(), stderr=None):
        """The process that was started: the load, or what runs it."""
        process = subprocess.Popen([*before, *self.load_words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=stderr, text=True, env=util.python_env())
        self.reader = threading.Thread(target=self.read_load, args=(process.stdout,), daemon=True)
        self.reader.start()
        return process

    def said(self):
        with open(self.said_path, encoding="utf-8", errors="replace") as file:
            return file.read()


class Command(Tracer):
    """`pytrail trace -- load`."""

    def start(self):
        words = [util.PYTRAIL, "trace", "-e", "soak.*", "--interpreters", self.interpreters, "--stats",
                 "--max-rate", str(MAX_RATE), "--spool", self.spool, "--drain-timeout", str(DRAIN), "--tamper"]
        for _, to, settings in self.outputs:
            settings = dict(settings)
            query = "&".join(f"{k}={v}" for k, v in settings.items() if k != "format")
            words += ["-o", f"{settings['format']}:{to}?{query}"]
        with open(self.said_path, "w", encoding="utf-8") as said:
            self.process = self.start_load([*words, "--"], said)
        self.pid = self.process.pid

    def stop(self, _delivered):
        """Its figures, once all is delivered."""
        self.process.stdin.close()
        status = self.process.wait(DRAIN + 600)
        self.reader.join()
        line, = re.findall(r"stats: kernel: (.*)", self.said())
        seen, emitted = map(int, re.match(r"(\d+) seen = (\d+) emitted", line).groups())
        figures = {"seen": seen, "events": int(re.search(r"output: (\d+) events", line)[1]), "emitted": emitted,
                   "filtered": sum(map(int, re.findall(r"\+ (\d+) filtered", line))),
                   "lost": {cause: int(n) for n, cause in re.findall(r"\+ (\d+) lost \((\w+)\)", line) if int(n)}}
        return status, figures


class Daemon(Tracer):
    """`pytrail daemon` on the host, and the load beside it."""

    def start(self):
        path, socket = f"{self.directory}/pytrail.yaml", f"{self.directory}/control.sock"
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"trace": {"events": ["soak.*"], "interpreters": self.interpreters, "max_rate": MAX_RATE},
                       "spool": {"directory": self.spool}, "control": {"socket": socket},
                       "metrics": {"textfile": f"{self.directory}/metrics.prom", "interval": "5s"},
                       "outputs": [{"name": name, "to": to, **settings} for name, to, settings in self.outputs]}, file)
        with open(self.said_path, "w", encoding="utf-8") as said:
            self.daemon = subprocess.Popen([util.PYTRAIL, "daemon", "-c", path], stdin=subprocess.DEVNULL, stderr=said)
        self.pid, self.socket = self.daemon.pid, socket
        util.wait_until(lambda: self.daemon.poll() is not None or self.status(), "it is ready", limit=120)
        self.process = self.start_load()

    def status(self):
        asked = subprocess.run([util.PYTRAIL, "status", "--json", "--socket", self.socket], capture_output=True,
                               timeout=util.LIMIT, check=False)
        return json.loads(asked.stdout) if asked.returncode == 0 else None

    def at_rest(self):
        """Its figures when nothing is on its way any more."""
        figures = self.status()
        rest = figures["seen"] == figures["events"] + figures["filtered"] + sum(figures["lost"].values())
        return rest and not any(o["pending"] for o in figures["outputs"]) and figures

    def stop(self, delivered):
        self.process.stdin.close()
        status = self.process.wait(600)
        self.reader.join()
        try:
            figures = util.wait_until(lambda: delivered() and self.at_rest(), "all is delivered", limit=DRAIN)
        except AssertionError:
            figures = self.status()
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(120) or status, figures


def account(tracer, figures, accounts, raised):
    """The sums that have to be right, printed; those that are not, as sentences."""
    lost = sum(figures["lost"].values())
    print(f"seen {figures['seen']} = emitted {figures['events']} + filtered {figures['filtered']} + lost {lost} "
          f"{figures['lost']}")
    wrong = []
    if figures["seen"] != figures["events"] + figures["filtered"] + lost:
        wrong.append("seen is not emitted + filtered + lost")
    for name, one in accounts.items():
        spool = sum(n for cause, n in one.lost.items() if cause.startswith("spool"))
        print(f"{name}: {one.audit} events arrived, {spool} lost in the spool, {one.duplicates} duplicates")
        if one.audit + spool != figures["events"]:
            wrong.append(f"{name}: {one.audit} arrived and {spool} lost are not the {figures['events']} emitted")
        missing = raised["known"] + raised["flood"] - one.events["soak.known"] - one.events["soak.flood"]
        fresh = raised["fresh"] - one.events["soak.fresh"]
        print(f"{name}: {raised['known'] + raised['flood']} raised by files known beforehand, {missing} of them did not "
              f"arrive, {lost + spool} counted as lost; {fresh} of {raised['fresh']} raised by fresh files not seen")
        # what fresh files lost is counted there, too
        if not 0 <= lost + spool - missing <= fresh:
            wrong.append(f"{name}: {missing} events are missing, {lost + spool} are counted as lost")
    files = [os.path.join(tracer.directory, n) for n in os.listdir(tracer.directory) if n.startswith("events.json")]
    if not 0 < len(files) <= KEEP + 1 or os.path.getsize(tracer.file) > ROTATE_SIZE:
        wrong.append(f"the file is not rotated as it should: {files}")
    return wrong


def kill_exporter(tracer):
    pid = exporter_of(tracer.pid)
    if pid:
        os.kill(pid, signal.SIGKILL)


def watch(tracer, options, accounts):
    """Samples until the time is over, or pytrail is."""
    samples, begin = [], time.monotonic()
    print(Sample.TITLES, flush=True)
    while time.monotonic() - begin < options.minutes * 60:
        time.sleep(options.every)  # the distance of samples, not a wait for anything
        if tracer.process.poll() is not None:
            break
        try:
            samples.append(Sample(tracer.pid, begin, tracer.load, accounts["relp"].audit, tracer.spool))
        except (FileNotFoundError, ProcessLookupError, KeyError):
            break
        print(samples[-1], flush=True)
    return samples


def soak(options, directory):
    hook, relp = receivers.Hook(), receivers.Relp()
    accounts = {"relp": relp.account, "hook": hook.account}
    tracer = (Command if options.scope == "command" else Daemon)(options, directory, hook, relp)
    tracer.start()
    util.wait_until(lambda: tracer.load or tracer.process.poll() is not None, "the load has begun", limit=3600)
    assert tracer.process.poll() is None, tracer.said()[-2000:]
    troubles = [receivers.Trouble(phases) for phases in (
        relp.phases(), hook.phases(), [(45, lambda: None), (1, lambda: kill_exporter(tracer))])]
    for trouble in troubles:
        trouble.start()
    samples = watch(tracer, options, accounts)
    for trouble in troubles:
        trouble.stop()

    def delivered():
        return accounts["relp"].audit == accounts["hook"].audit
    status, figures = tracer.stop(delivered)
    said = tracer.said()
    print("\n".join(line for line in said.splitlines()[-40:] if "the first events may be missing" not in line))
    wrong = verdict(samples, options.minutes * 60, options.memory_kib, options.descriptors)
    print(f"{tracer.load['processes']} processes; the RELP receiver died {troubles[0].turns} times, the HTTP receiver "
          f"went through its faults {troubles[1].turns} times, the exporter was killed {troubles[2].turns} times")
    wrong += account(tracer, figures, accounts, tracer.load)
    if status:
        wrong.append(f"exit status {status}")
    wrong += [line for line in said.splitlines() if COMPLAINTS.search(line)][:3]
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=5, help="seconds between samples")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--flood", type=int, default=20000, help="events of one burst, each 10 s; 0: none")
    parser.add_argument("--scope", choices=("host", "command"), default="host",
                        help="the daemon on the whole host, or trace on the load only")
    parser.add_argument("--private", action="store_true", help="run only copies of the interpreter")
    parser.add_argument("--memory-kib", type=int, default=4096)
    parser.add_argument("--descriptors", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pytrail-soak-") as directory:
        os.chmod(directory, 0o755)  # the exporter, another user, reads the spool
        wrong = soak(options, directory)
    for sentence in wrong:
        print("FAILED: " + sentence)
    if not wrong:
        print("flat and exact")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
