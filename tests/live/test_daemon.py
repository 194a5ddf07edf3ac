# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The service, tracing real Pythons: its outputs, reload, metrics, health, status, and that nothing gets lost.

PYTRAIL_NUMBERED sets how many events "nothing is lost" raises (60000)."""
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest
import util

sys.path.insert(0, os.path.join(util.ROOT, "tests/daemon"))
sys.path.insert(0, os.path.join(util.ROOT, "tests/sink"))
from fakes import Fake, answer  # noqa: E402
from relp import Receiver  # noqa: E402

LIMIT = util.LIMIT
NUMBERED = int(os.environ.get("PYTRAIL_NUMBERED", "60000"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    """`pytrail daemon` with everything of its own in one directory."""

    def __init__(self, directory, outputs, extra="", metrics="", ring="8M", max_size="256M", spool=None):
        self.directory = str(directory)
        self.path = f"{self.directory}/pytrail.yaml"
        self.port = free_port()
        self.spool = spool or f"{self.directory}/spool"
        # the exporter, another user, must be able to get there
        for parent in [self.directory, *map(str, directory.parents)]:
            if parent.startswith("/tmp/"):
                os.chmod(parent, 0o755)
        self.common = (f"trace: {{events: 'test.*', ring_size: {ring}, interpreters: none}}\n"
                       f"spool: {{directory: {self.spool}, max_size: {max_size}}}\n"
                       f"control: {{socket: {self.directory}/control.sock}}\n"
                       f"metrics: {{listen: '127.0.0.1:{self.port}'{metrics}}}\n{extra}")
        self.configure(outputs)
        self.process, self.said = None, []

    def configure(self, outputs):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(self.common + outputs)

    def start(self):
        """Returns when systemd would be told that it is ready."""
        address = f"{self.directory}/notify"
        if os.path.exists(address):
            os.unlink(address)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(address)
        self.told = queue.Queue()
        threading.Thread(target=self.listen, args=(self.notify, self.told), daemon=True).start()
        self.process = subprocess.Popen([util.PYTRAIL, "daemon", "-c", self.path], text=True,
                                        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                        env={**os.environ, "NOTIFY_SOCKET": address})
        self.thread = threading.Thread(target=self.read, args=(self.process,), daemon=True)
        self.thread.start()
        self.wait_told("READY=1")
        return self

    def read(self, process):
        for line in process.stderr:
            self.said.append(line.rstrip("\n"))

    @staticmethod
    def listen(address, told):
        while True:
            told.put(address.recv(4096).decode())

    def wait_told(self, what):
        end = time.monotonic() + LIMIT
        while True:
            try:
                if what in self.told.get(timeout=0.2):
                    return
            except queue.Empty:
                pass
            assert self.process.poll() is None and time.monotonic() < end, (what, self.said)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(LIMIT)
        self.thread.join(LIMIT)
        return code

    def reload(self):
        self.process.send_signal(signal.SIGHUP)
        self.wait_told("RELOADING=1")
        self.wait_told("READY=1")

    def exporter(self):
        return self.child("pytrail-export")

    def starter(self):
        return self.child("pytrail-start")

    def child(self, name):
        """Of that name, None: there is none."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        for pid in children:
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                    if file.read().strip() == name:
                        return int(pid)
            except OSError:
                pass
        return None

    def status(self):
        result = subprocess.run([util.PYTRAIL, "status", "--json", "--socket",
                                 f"{self.directory}/control.sock"], capture_output=True, check=False,
                                timeout=LIMIT)
        assert result.returncode == 0, (result.stderr, self.process.poll(), self.said[-5:])
        return json.loads(result.stdout)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=LIMIT) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def relp(name, receiver, more=""):
    return (f"- {{name: {name}, to: 'relp://127.0.0.1:{receiver.port}', format: json, batch_wait: 50ms, "
            f"retry_min: 50ms, retry_max: 200ms, timeout: 5s{more}}}\n")


def records(receiver, since=0):
    return [json.loads(body) for body in receiver.taken(since)]


def numbers(found):
    return [r["args"]["arg0"] for r in found if r["type"] == "audit" and r["event"] == "test.number"]


def wait_numbers(receiver, want, daemon=None):
    """Waits until all these have arrived; looks at each message once, and briefly."""
    left, at = set(want), 0
    limit = 120 + len(left) / 4000

    def arrived():
        nonlocal at
        found = receiver.taken(at)
        at += len(found)
        left.difference_update(int(m[1]) for m in map(NUMBER.search, found) if m)
        return not left
    try:
        util.wait_until(arrived, "all have arrived", limit=limit)
    except AssertionError:
        sample = sorted(left)
        lost = [r for r in map(json.loads, receiver.taken()) if r["type"] in ("lost", "alert")]
        raise AssertionError(f"{len(left)} of {len(want)} have not arrived, {sample[:5]} to {sample[-5:]}; "
                             f"{at} messages; {lost}; {daemon and daemon.status()}") from None


NUMBER = re.compile(rb'"event":"test.number","args":{"arg0":(\d+)}')

def test_outputs_reload_and_end(tmp_path, target):
    receiver, second = Receiver(), Receiver()
    file = tmp_path / "events.json"
    outputs = f"outputs:\n- {{name: file, to: {file}}}\n" + relp("a", receiver)
    with Daemon(tmp_path, outputs, metrics=f", textfile: {tmp_path}/m.prom, interval: 1s") as daemon:
        # whatever is mapped is attached before READY
        target.do("import sys; sys.audit('test.number', 1)")
        wait_numbers(receiver, {1})
        util.wait_until(lambda: '"arg0":1}' in file.read_text(), "the file has it")
        started = [r for r in records(receiver) if r["type"] == "alert"][0]
        assert started["alert"] == "started" and "since" not in started

        # another output in place of the first
        daemon.configure("outputs:\n" + relp("b", second) + f"- {{name: file, to: {file}}}\n")
        daemon.reload()
        target.do("sys.audit('test.number', 2)")
        wait_numbers(second, {2})
        assert 2 not in numbers(records(receiver))
        assert any(r["type"] == "alert" and r["alert"] == "reloaded" for r in records(second))

        # a bad configuration changes nothing
        daemon.configure("outputs:\n" + relp("b", second) + "  nonsense: 1\n")
        daemon.reload()
        util.wait_until(lambda: any("the one of before stays" in s for s in daemon.said), "it says so")
        target.do("sys.audit('test.number', 3)")
        wait_numbers(second, {3})

        # figures
        code, metrics = daemon.get("/metrics")
        assert code == 200 and 'pytrail_output_delivered_total{output="b"}' in metrics

        def counted():  # others on the host may raise such events, too
            return sum(int(n) for n in re.findall(r'severity="2"\} (\d+)', daemon.get("/metrics")[1]))
        util.wait_until(lambda: counted() >= 3, "three events counted")
        check_metrics(daemon.get("/metrics")[1])
        check_metrics((tmp_path / "m.prom").read_text())
        assert daemon.get("/healthz") == (200, "ok\n")
        assert daemon.get("/nothing")[0] == 404
        status = daemon.status()
        assert status["healthy"] and status["events"] == 3 and status["lost"] == {}
        assert [o["name"] for o in status["outputs"]] == ["b"]
        text = subprocess.run([util.PYTRAIL, "status", "--socket", f"{tmp_path}/control.sock"],
                              capture_output=True, text=True, check=True, timeout=LIMIT).stdout
        assert "healthy" in text and "output b (relp)" in text
        assert os.stat(tmp_path / "control.sock").st_mode & 0o777 == 0o600

        target.do("sys.audit('test.number', 4)")
        assert daemon.stop() == 0, daemon.said
    assert '"arg0":4}' in file.read_text()
    assert not os.path.exists(tmp_path / "control.sock")
    wait_numbers(second, {4})


def check_metrics(text):
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed (package prometheus)")
    result = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                            capture_output=True, timeout=LIMIT, check=False)
    assert (result.returncode, result.stdout + result.stderr) == (0, ""), result


def test_health_without_a_receiver(tmp_path, target):
    with Daemon(tmp_path, f"outputs:\n- {{name: a, to: 'relp://127.0.0.1:{free_port()}'}}\n") as daemon:
        target.do("import sys; sys.audit('test.number', 1)")
        util.wait_until(lambda: daemon.status()["outputs"][0]["state"] == "retrying", "it is retried")
        assert daemon.status()["outputs"][0]["pending"] >= 1
        begin = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - begin < LIMIT


def test_an_output_that_is_refused_rings_once(tmp_path, target):
    """The other output is told, and again when the credentials are good; the refused one gets all of it then."""
    receiver = Receiver()
    good = threading.Event()

    def respond(request):
        return answer(200) if good.is_set() else answer(403, "who\u001b[31m are you")
    with Fake(respond) as fake, Daemon(tmp_path, "outputs:\n" + relp("a", receiver) + (
            f"- {{name: hook, to: 'webhook+http://127.0.0.1:{fake.port}/', format: json, batch_wait: 50ms, "
            "retry_min: 50ms, retry_max: 200ms}\n")) as daemon:
        def alerts():
            return [r for r in records(receiver) if r["type"] == "alert" and r["alert"].startswith("output_")]
        target.do("import sys; sys.audit('test.number', 1)")
        util.wait_until(alerts, "the alert arrives")
        for _ in range(5):  # it is tried again, and not told again
            fake.seen()
        util.wait_until(lambda: [(o["state"], o["last_code"], o["delivered"]) for o in daemon.status()["outputs"]
                                 if o["name"] == "hook"] == [("held", 403, 0)], "the status has it")
        good.set()
        util.wait_until(lambda: len(alerts()) == 2, "so does its end")
        held, accepted = alerts()
        assert held["alert"] == "output_held" and "hook" in json.dumps(held) and "403" in json.dumps(held)
        assert accepted["alert"] == "output_accepted" and "hook" in json.dumps(accepted)

        def delivered():
            return [r for request in fake.requests[-20:] for r in map(json.loads, request.body.splitlines())]
        util.wait_until(lambda: any(r["type"] == "audit" for r in delivered()) and
                        any(r.get("alert") == "output_accepted" for r in delivered()), "the rest arrives")
        assert daemon.stop() == 0
    assert len([line for line in daemon.said if "refuses us" in line]) == 1, daemon.said
    assert not [line for line in daemon.said if "\x1b" in line]


def test_a_manager_that_does_not_listen(tmp_path, target):
    """Its socket's queue is full: tracing goes on."""
    address = str(tmp_path / "deaf")
    receiver = Receiver()
    daemon = Daemon(tmp_path, "outputs:\n" + relp("r", receiver))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        deaf.bind(address)
        filler.setblocking(False)
        try:
            while True:
                filler.sendto(b"x", address)
        except BlockingIOError:
            pass
        with subprocess.Popen([util.PYTRAIL, "daemon", "-c", daemon.path],
                              env={**os.environ, "NOTIFY_SOCKET": address}) as process:
            try:
                util.wait_until(receiver.count, "it has started")
                daemon.process = process
                target.do("import sys; sys.audit('test.number', 0)")
                util.wait_until(lambda: target.do("sys.audit('test.number', 1)") or
                                1 in numbers(records(receiver)), "events arrive")
                daemon.status()
            finally:
                process.terminate()
                assert process.wait(LIMIT) == 0


def test_who_starts_exporters_is_killed(tmp_path, target):
    """The exporter goes on; when it is killed, too, that is said, tracing goes on and what is sent stays in the spool."""
    receiver = Receiver()
    with Daemon(tmp_path, "outputs:\n" + relp("r", receiver)) as daemon:
        os.kill(daemon.starter(), signal.SIGKILL)
        target.do("sys.audit('test.number', 1)")
        wait_numbers(receiver, {1}, daemon)
        os.kill(daemon.exporter(), signal.SIGKILL)
        util.wait_until(lambda: any("the process that starts it was killed; restart pytrail" in line
                                    for line in daemon.said), "that is said")
        target.do("sys.audit('test.number', 2)")
        util.wait_until(lambda: daemon.status()["spool"]["written"] >= 3, "it is in the spool")
        assert daemon.stop() == 0
        daemon.start()
        wait_numbers(receiver, {1, 2}, daemon)
        assert daemon.stop() == 0


def test_no_second_daemon(tmp_path):
    with Daemon(tmp_path, "outputs:\n- {name: f, to: /dev/null}\n") as daemon:
        result = subprocess.run([util.PYTRAIL, "daemon", "-c", daemon.path], capture_output=True,
                                text=True, timeout=LIMIT, check=False)
        assert result.returncode == 1 and "another daemon listens at" in result.stderr


def test_nothing_is_lost(tmp_path, target):
    """Numbered events while the receiver is killed ten times, the exporter ten times, the daemon three times."""
    receiver = Receiver()
    daemon = Daemon(tmp_path, "outputs:\n" + relp("r", receiver), ring="64M", max_size="4G")
    plan = [kind for i in range(10) for kind in ("receiver", "exporter")]
    for at in (5, 12, 19):
        plan.insert(at, "daemon")
    chunk = NUMBERED // len(plan)
    in_danger = set()
    target.do("import sys, time")
    # breathes, so that the ring is not what is tested
    target.do("exec('def emit(a, b):\\n for i in range(a, b):\\n  sys.audit(\"test.number\", i)\\n"
              "  if i % 500 == 0: time.sleep(0.002)')")
    with daemon:
        for step, kind in enumerate(plan):
            first = step * chunk
            worker = threading.Thread(target=target.do, args=(f"emit({first}, {first + chunk})",))
            worker.start()
            seen = receiver.count()
            util.wait_until(lambda n=seen: receiver.count() > n or not worker.is_alive(), "some arrive")
            if kind == "receiver":
                receiver.kill()
                time.sleep(0.05)
                receiver.start()
            elif kind == "exporter":
                pid = util.wait_until(daemon.exporter, "an exporter")
                os.kill(pid, signal.SIGKILL)
            else:
                in_danger.update(range(first, first + chunk))
                pid = daemon.exporter()
                daemon.process.kill()
                daemon.process.wait()
                util.wait_until(lambda p=pid: p is None or not os.path.exists(f"/proc/{p}"),
                                "the exporter ends with the daemon")
                daemon.start()
            worker.join(LIMIT)
            assert not worker.is_alive()
        wait_numbers(receiver, set(range(chunk * len(plan))) - in_danger, daemon)
        restarts = daemon.status()["exporter"]["restarts"]
        assert daemon.stop() == 0
    found = records(receiver)
    ids = {}
    first_seen = []
    for record in found:
        if record["type"] == "audit" and record["event"] == "test.number":
            number = record["args"]["arg0"]
            if number not in ids:
                first_seen.append(number)
            ids.setdefault(number, set()).add(record["id"])
    assert all(len(v) == 1 for v in ids.values()), "a duplicate has the id of the first"
    assert first_seen == sorted(first_seen), "the order of a process is kept"
    missing = set(range(chunk * len(plan))) - set(ids)
    assert missing <= in_danger
    alerts = [r for r in found if r["type"] == "alert" and r["alert"] == "started"]
    assert len({a["id"] for a in alerts}) == 4 and sum("since" in a for a in alerts) >= 3
    duplicates = len(numbers(found)) - len(ids)
    print(f"{chunk * len(plan)} events, {duplicates} duplicates, {len(missing)} raised while the daemon "
          f"was down, exporter restarts since then {restarts}")


@pytest.mark.skipif(os.getuid() != 0, reason="mounts")
def test_a_full_disk(tmp_path, target):
    """The spool's disk is full: tracing goes on, every record that finds no room is counted, and said."""
    mount = tmp_path / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3M", "tmpfs", mount], check=True)
    try:
        receiver = Receiver()
        receiver.kill()
        with Daemon(tmp_path, "outputs:\n" + relp("r", receiver), spool=f"{mount}/spool") as daemon:
            target.do("import sys")
            target.do("for i in range(20000): sys.audit('test.number', i)")
            util.wait_until(lambda: daemon.status()["events"] >= 20000, "all are seen")
            spool = daemon.status()["spool"]
            assert spool["evicted"] + spool["lost_full"] + spool["lost_error"] > 0, spool
            receiver.start()
            util.wait_until(lambda: daemon.status()["outputs"][0]["pending"] == 0, "it is delivered",
                            limit=120)
            assert daemon.stop() == 0
        found = records(receiver)
        lost = sum(r["count"] for r in found if r["type"] == "lost" and r["cause"].startswith("spool"))
        arrived = len({r["id"] for r in found if r["type"] == "audit"})
        assert lost and arrived + lost == 20000 + 1 - sum(r["type"] == "alert" for r in found), (arrived, lost)
    finally:
        subprocess.run(["umount", "-l", mount], check=True)
