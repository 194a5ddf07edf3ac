#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""pytrail as a service of systemd, for a guest that has booted it: installs it, and tries in this order what its unit
promises. A line of JSON for each: test, whether it passed, what was seen."""
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMIT = 300  # seconds for what is waited for
PIECE = "/etc/pytrail/conf.d/test.yaml"
FILE = "/var/log/pytrail/events.json"
SECOND = "/var/log/pytrail/second.json"
SLOW = "/etc/systemd/system/pytrail.service.d/slow.conf"
FRESH = "/usr/local/bin/fresh-python"
METRICS = "/var/log/pytrail/metrics.prom"
RECEIVED = bytearray()  # what the exporter has sent


def run(*command, good=True):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=LIMIT, check=False)
    if good and done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}"
                             f"{journal()[-1500:]}")
    return done


def journal():
    return run("journalctl", "-b", "-u", "pytrail", "-o", "cat", "--no-pager", good=False).stdout


def show(name):
    return run("systemctl", "show", "pytrail", "-p", name, "--value").stdout.strip()


def wait(condition, what):
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {LIMIT} s; {journal()[-1500:]}")
        time.sleep(0.2)


def configure(more="", form="json", top=""):
    with open(PIECE, "w", encoding="utf-8") as file:
        file.write(f"outputs: [{{name: siem, to: 'syslog+tcp://127.0.0.1:5514', format: {form}}}{more}]\n"
                   f"metrics: {{listen: '127.0.0.1:9464', textfile: {METRICS}, interval: 1s}}\n{top}")


def listen():
    server = socket.create_server(("127.0.0.1", 5514))

    def take(connection):
        while data := connection.recv(1 << 16):
            RECEIVED.extend(data)

    def accept():
        while True:
            threading.Thread(target=take, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def named(event):
    return f'"event":"{event}"'.encode()


def raised(name, python="/usr/bin/python3"):
    """An event of that name reaches the file and the receiver. (The name alone is in the program's other events.)"""
    run(python, "-I", "-c", f"import sys; sys.audit('{name}', 'for pytrail')")

    def there():
        with open(FILE, encoding="utf-8") as file:
            return named(name) in file.read().encode() and named(name) in RECEIVED

    wait(there, f"{name} in {FILE} and at the receiver")


def wrong_configuration():
    """Said, and not tried again and again."""
    configure(form="nonsense")
    assert run("systemctl", "start", "pytrail", good=False).returncode
    assert (show("ActiveState"), show("ExecMainStatus"), show("NRestarts")) == ("failed", "2", "0")
    assert "there is no format 'nonsense'" in journal()
    return "refused once"


def read_only():
    """An output in a place that the unit closes: it is said what opens it."""
    configure(", {name: elsewhere, to: /var/pytrail.json}")
    run("systemctl", "reset-failed", "pytrail")
    assert run("systemctl", "start", "pytrail", good=False).returncode
    assert "ReadWritePaths=" in journal()
    run("systemctl", "stop", "pytrail")
    return [line for line in journal().splitlines() if "ReadWritePaths=" in line][0]


def start():
    """Ready when systemd says that it runs; confined."""
    configure()
    run("systemctl", "reset-failed", "pytrail", good=False)
    run("systemctl", "start", "pytrail")
    pid = show("MainPID")
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        status = dict(line.rstrip("\n").split(":\t") for line in file)
    capabilities = {n for n in range(64) if int(status["CapEff"], 16) >> n & 1}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    assert status["CapPrm"] == status["CapEff"] == status["CapBnd"] and len(capabilities) < 9, status
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as file:
        ways = {line.split()[4]: line.split()[5].split(",")[0] for line in file}
    assert ways["/"] == "ro" and ways["/var/log/pytrail"] == ways["/var/lib/pytrail"] == "rw", ways
    users = {pwd.getpwuid(os.stat(f"/proc/{child}").st_uid).pw_name for child in children()}
    assert "pytrail" in users, users
    return f"capabilities {status['CapEff']}; {show('StatusText')}"


def children():
    with open(f"/sys/fs/cgroup{show('ControlGroup')}/cgroup.procs", encoding="utf-8") as file:
        return file.read().split()


def modes():
    """What is root's, and the exporter's, is theirs alone; metrics are not."""
    wait(lambda: os.path.exists(METRICS), METRICS)
    told = {path: oct(os.stat(path).st_mode & 0o777) for path in
            ("/var/lib/pytrail", "/var/lib/pytrail/spool", "/run/pytrail/control.sock", FILE, METRICS)}
    assert list(told.values()) == ["0o711", "0o750", "0o600", "0o600", "0o644"], told
    return str(told)


def events():
    """They are in the file, and the exporter, which is another user, has sent them."""
    raised("service.first")
    return f"{len(RECEIVED)} bytes received"


def well():
    """The daemon, and its health by HTTP, say that all is well."""
    with urllib.request.urlopen("http://127.0.0.1:9464/healthz", timeout=LIMIT) as answer:
        assert answer.status == 200
    said = run("/usr/sbin/pytrail", "status").stdout
    assert ": healthy" in said, said
    return said.splitlines()[0]


def reload():
    """Other outputs, the same process; a wrong configuration changes nothing."""
    pid = show("MainPID")
    configure(f", {{name: more, to: {SECOND}, format: ecs}}")
    run("systemctl", "reload", "pytrail")
    wait(lambda: "read again: 3 outputs" in journal(), "the journal tells of it")
    raised("service.second")

    def there():
        with open(SECOND, encoding="utf-8") as file:
            return '"code":"service.second"' in file.read()

    wait(there, f"service.second in {SECOND}")
    configure(form="nonsense")
    run("systemctl", "reload", "pytrail")
    wait(lambda: "the one of before stays" in journal(), "the journal tells of it")
    raised("service.same")
    configure()
    assert show("MainPID") == pid
    return "3 outputs"


def rotated():
    """By logrotate, as it is installed: what comes then is in a new file, with a wrong configuration, too."""
    for form in ("json", "nonsense"):
        configure(form=form)
        before = os.stat(FILE).st_ino
        run("/usr/sbin/logrotate", "--force", "/etc/logrotate.d/pytrail")
        raised(f"service.rotated_{form}")
        assert os.stat(FILE).st_ino != before and os.stat(FILE + ".1").st_ino == before
    configure()
    return "reopened"


def killed():
    """It is started again, and its exporter with it."""
    pid = show("MainPID")
    run("systemctl", "kill", "-s", "KILL", "--kill-who=main", "pytrail")
    wait(lambda: show("ActiveState") == "active" and show("MainPID") not in ("0", pid), "it runs again")
    raised("service.last")
    assert show("NRestarts") == "1"
    return "started again"


def more():
    """What asks the kernel for more: fanotify, by which new files are held."""
    configure(top="trace: {hold_new: 10s}\n")
    run("systemctl", "restart", "pytrail")
    shutil.copy("/usr/bin/python3", FRESH)
    raised("service.fresh", python=FRESH)
    with open(FILE, encoding="utf-8") as file:
        first = [line for line in file if f'"exe":"{FRESH}"' in line][0]
    assert json.loads(first)["event"] != "service.fresh", first  # those of its start are there, too
    return json.loads(first)["event"]


def stop():
    run("systemctl", "stop", "pytrail")
    assert (show("Result"), show("ExecMainStatus")) == ("success", "0")
    return journal().strip().splitlines()[-1]


def refusals():
    """Nothing that it wanted was refused to it by its unit. (Last: it looks back.)"""
    bad = [line for line in journal().splitlines() if re.search(r"denied|not permitted|not implemented|read-only", line, re.I)
           and "/var/pytrail.json" not in line]
    assert not bad, bad
    return "none"


TESTS = (wrong_configuration, read_only, start, modes, events, well, reload, rotated, killed, more, stop, refusals)


def main():
    run("make", "-s", "-C", ROOT, "install-files", "PREFIX=/usr", "SYSCONFDIR=/etc")
    run("systemd-sysusers")
    os.makedirs(os.path.dirname(SLOW))
    with open(SLOW, "w", encoding="utf-8") as file:  # an emulated machine may be
        file.write("[Service]\nTimeoutStartSec=300\nTimeoutStopSec=300\nWatchdogSec=300\n")
    run("systemctl", "daemon-reload")
    listen()
    for test in TESTS:
        try:
            good, said = True, test()
        except Exception as error:  # pylint: disable=broad-except
            good, said = False, f"{type(error).__name__}: {error}"
        print(json.dumps({"test": test.__name__, "ok": good, "said": said}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
