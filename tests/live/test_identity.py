# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Who raised an event: each process says in an event what it knows of itself, and the record must agree."""
import json
import os
import shutil
import subprocess
import sys

import pytest
import util
from util import Tracer, events, json_lines, run

PYTHON = util.SYSTEM_PYTHON

# say(name): an event with what the process knows of itself.
SAY = """
import json, os, sys, threading
def say(name):
    with open("/proc/self/stat") as file:
        start = int(file.read().rsplit(")", 1)[1].split()[19])
    with open("/proc/self/cmdline", "rb") as file:
        argv = file.read()[:-1].decode().split("\\0")
    sys.audit("test.id", json.dumps({
        "name": name, "pid": os.getpid(), "tid": threading.get_native_id(), "ppid": os.getppid(),
        "argv": argv, "cwd": os.getcwd(), "start": start, "uid": os.getuid(), "euid": os.geteuid(),
        "gid": os.getgid(), "egid": os.getegid()}))
"""
FORK = SAY + """
say("parent")
pid = os.fork()
if not pid:
    say("fork")
    os._exit(0)
os.waitpid(pid, 0)
say("parent")
"""
EXEC = SAY + """
say("before")
if len(sys.argv) == 1:
    os.execv(sys.executable, [sys.executable, sys.argv[0], "again"])
"""
THREADS = SAY + """
say("main")
threads = [threading.Thread(target=say, args=("thread",)) for i in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
"""
DAEMON = SAY + """
say("first")
ours, theirs = os.pipe()
if not os.fork():
    os.setsid()
    say("second")
    second = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == second:
        pass
    os.chdir("/")
    say("daemon")
    os.write(theirs, b"x")
    os._exit(0)
os.close(theirs)
os.read(ours, 1)
"""
SPAWN = SAY + """
import subprocess
say("parent")
if len(sys.argv) == 1:
    argv = [sys.executable, sys.argv[0], "posix_spawn"]
    os.waitpid(os.posix_spawn(argv[0], argv, os.environ), 0)
    subprocess.run([sys.executable, sys.argv[0], "vfork"], check=True)
"""
SETUID = SAY + """
say("root")
os.setegid(65533); os.seteuid(65534)
say("effective")
os.seteuid(0); os.setgid(65533); os.setuid(65534)
say("real")
"""
TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def check(record):
    """What the process says of itself is what the record says; its name for itself."""
    own = json.loads(record["args"]["arg0"])
    process = record["process"]
    for field in ("pid", "tid", "ppid", "uid", "gid", "argv"):
        assert process[field] == own[field], (field, own, process)
    assert process.get("euid", process["uid"]) == own["euid"]
    assert process.get("egid", process["gid"]) == own["egid"]
    assert process["start_ns"] // TICK == own["start"]
    assert "enrichment" not in record
    ancestors = process["ancestry"]
    assert ancestors[0]["pid"] == own["ppid"] or own["name"] == "daemon"
    assert ancestors[-1]["pid"] == 1 or len(ancestors) == 16
    return own["name"]


@pytest.mark.parametrize("code, names", [
    (FORK, ["parent", "fork", "parent"]), (EXEC, ["before", "before"]),
    (THREADS, ["main"] + ["thread"] * 4), (DAEMON, ["first", "second", "daemon"]),
    (SPAWN, ["parent"] * 3), (SETUID, ["root", "effective", "real"]),
], ids=["fork", "exec", "threads", "daemon", "spawn", "setuid"])
def test_identity(tmp_path, code, names):
    (tmp_path / "id.py").write_text(code)
    done = run("trace", "-o", "json", "-e", "test.id", "--", PYTHON, str(tmp_path / "id.py"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    records = events(json_lines(done.stdout))
    assert [check(r) for r in records] == names
    by_pid = {}
    for record in records:
        process = record["process"]
        assert process["cwd"] == str(tmp_path)
        assert record["python"]["script"] == str(tmp_path / "id.py")
        by_pid.setdefault(process["pid"], set()).add(process["entity_id"])
    # one entity for each process, whatever it executes
    assert all(len(ids) == 1 for ids in by_pid.values())
    assert len({i for ids in by_pid.values() for i in ids}) == len(by_pid)


def test_a_child_that_is_gone(tmp_path):
    """Hundreds of children that end at once: each has the facts of its parent, none is partial."""
    (tmp_path / "many.py").write_text(
        "import os, sys\nfor i in range(300):\n    if not os.fork():\n"
        "        sys.audit('test.gone')\n        os._exit(0)\nwhile i:\n    os.wait(); i -= 1\n")
    done = run("trace", "-o", "json", "-e", "test.gone", "--", PYTHON, str(tmp_path / "many.py"))
    records = events(json_lines(done.stdout))
    assert len(records) == 300 and len({r["process"]["pid"] for r in records}) == 300
    for record in records:
        assert "enrichment" not in record
        assert record["process"]["argv"] == [PYTHON, str(tmp_path / "many.py")]


def wanted(code):
    return ["-c", f"import sys, os; sys.audit('test.here', os.getpid()){code}"]


def unshare(*args):
    return ["unshare", "--fork", "--pid", "--mount-proc", *args]


def test_namespaces(tmp_path):
    """PID, mount and user namespaces: the host's numbers, and its own."""
    for more in ([], ["--user", "--map-root-user"]):
        done = run("trace", "-o", "json", "-e", "test.*", "--", *unshare(*more), PYTHON, *wanted(""))
        record, = events(json_lines(done.stdout))
        process = record["process"]
        assert process["ns_pid"] == record["args"]["arg0"] == 1
        assert process["pid"] > 1 and process["uid"] == os.getuid()
        assert process["ancestry"][0]["comm"] == "unshare"


def copy_root(root):
    """A root with an interpreter, its libraries and no more."""
    out = subprocess.run(["ldd", PYTHON], stdout=subprocess.PIPE, text=True, check=True).stdout
    files = {word for word in out.split() if word.startswith("/")} | {os.path.realpath(PYTHON)}
    for name in files:
        os.makedirs(root + os.path.dirname(name), exist_ok=True)
        shutil.copy(os.path.realpath(name), root + name)
    lib = f"/usr/lib/python{sys.version_info[0]}.{sys.version_info[1]}"
    shutil.copytree(lib, root + lib, ignore=shutil.ignore_patterns(
        "test", "__pycache__", "idlelib", "tkinter", "lib2to3", "ensurepip", "pydoc_data", "*.so"))
    os.makedirs(root + "/proc", exist_ok=True)
    os.makedirs(root + "/srv", exist_ok=True)


def whole(tracer):
    """The events whose process was there long enough."""
    return [r for r in events(tracer.records(), "test.here") if "enrichment" not in r]


def test_chroot_and_overlay(tmp_path):
    """One lower file in two overlays is one attachment; the paths are those of the process's root."""
    lower = str(tmp_path / "lower")
    copy_root(lower)
    with util.overlays(lower, tmp_path) as roots:
        with Tracer("-o", "json", "-e", "test.here") as tracer:
            util.wait_until(lambda: "tracing every" in tracer.stderr, "pytrail is ready")
            for root in roots:
                def started(root=root):
                    # the first start of a file that was never seen is attached too late: until it is seen
                    subprocess.run(["unshare", "--mount", "--pid", "--fork", "chroot", root, PYTHON, "-S",
                                    *wanted("")], check=True)
                    return len(whole(tracer))
                before = len(whole(tracer))
                util.wait_until(lambda b=before, s=started: s() > b, f"an event of {root}")
            assert tracer.stop() == 0
        for record in whole(tracer):
            process = record["process"]
            assert process["exe"].endswith(os.path.realpath(PYTHON))
            assert process["ns_pid"] == 1
        said = [line for line in tracer.stderr.splitlines() if ": attached" in line and
                str(tmp_path) in line]
        assert len(said) == 1, said


ID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
POD = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize("path, facts", [
    (f"/docker/{ID}", {"container_id": ID}),
    (f"/system.slice/docker-{ID}.scope", {"container_id": ID}),
    (f"/kubepods/besteffort/pod{POD}/{ID}", {"container_id": ID, "pod_uid": POD}),
    (f"/kubepods.slice/kubepods-pod{POD.replace('-', '_')}.slice/cri-containerd-{ID}.scope",
     {"container_id": ID, "pod_uid": POD}),
    (f"/kubepods.slice/kubepods-pod{POD.replace('-', '_')}.slice/crio-{ID}.scope",
     {"container_id": ID, "pod_uid": POD}),
    (f"/machine.slice/libpod-{ID}.scope/container", {"container_id": ID}),
    ("/system.slice/app.service", {"unit": "app.service"}),
])
def test_control_groups(path, facts):
    with util.control_group(path) as enter:
        done = run("trace", "-o", "json", "-e", "test.*", "--container", ID[:6] if "container_id" in facts
                   else "!x", "--cgroup", "/pytrail-test", "--", *enter, PYTHON, *wanted(""))
        record, = events(json_lines(done.stdout))
        process = record["process"]
        assert process["cgroup"] == "/pytrail-test" + path
        for name in ("container_id", "pod_uid", "unit"):
            assert process.get(name) == facts.get(name)


def test_upgrade_of_a_running_interpreter(tmp_path):
    """Another file takes the name of one that runs: both are traced, each as what it is."""
    python = util.private_python(tmp_path / "bin")
    with util.Target(python) as old:
        shutil.copy(python, python + ".new")
        os.rename(python + ".new", python)
        with Tracer("-o", "json", "-e", "test.*") as tracer:
            tracer.wait_seen(old)
            with util.Target(python) as new:
                tracer.wait_seen(new)
            assert tracer.stop() == 0
    exes = {r["process"]["pid"]: r["process"]["exe"] for r in events(tracer.records(), "test.ready")}
    assert exes[old.pid] == python + " (deleted)" and exes[new.pid] == python


LIFE = SAY + """
import subprocess
if len(sys.argv) == 1:
    subprocess.run([sys.executable, sys.argv[0], "again"], check=True)
    subprocess.run(["true"], check=True)
say("parent")
"""


@pytest.mark.parametrize("whole_host", [False, True])
def test_process_records(tmp_path, whole_host):
    """--processes: every exec and exit of what is traced, in order, live and replayed."""
    (tmp_path / "life.py").write_text(LIFE)
    command = [PYTHON, str(tmp_path / "life.py")]
    args = ["-o", "json", "-e", "test.id", "--processes", "--record", str(tmp_path / "rec")]
    if whole_host:
        with Tracer(*args, "--script", str(tmp_path / "life.py")) as tracer:
            util.wait_until(lambda: "tracing every" in tracer.stderr, "pytrail is ready")
            pid = subprocess.Popen(command)
            assert pid.wait(util.LIMIT) == 0
            pid = pid.pid
            tracer.wait_for(lambda r: r.get("action") == "exit" and r["process"]["pid"] == pid, "its exit")
            assert tracer.stop() == 0
            records = tracer.records()
    else:
        done = run("trace", *args, "--", *command)
        records = json_lines(done.stdout)
        pid = next(r["process"]["pid"] for r in records)
    assert [r["seq"] for r in records] == list(range(len(records)))
    life = [(r["action"], r["process"]["comm"]) for r in records if r["type"] == "process" and
            r["action"] in ("exec", "exit")]
    python = os.path.basename(PYTHON)
    inner = [("exec", python), ("exit", python)]
    # in whole-host mode children are no business of ours unless they are Pythons
    other = [] if whole_host else [("exec", "true"), ("exit", "true")]
    assert life == inner[:1] + inner + other + inner[1:]
    assert [check(r) for r in events(records)] == ["parent"] * 2
    done = run("replay", "-o", "json", str(tmp_path / "rec"))
    again = json_lines(done.stdout)
    assert len(again) == len(records)
    for live, replayed in zip(records, again):
        assert replayed.get("enrichment") == live.get("enrichment")
        # true may be gone before anybody can look; whatever was still there then is not recorded
        if "enrichment" in live:
            assert live["process"]["comm"] == "true"
            live["process"] = {k: live["process"][k] for k in replayed["process"]}
        assert (replayed["type"], replayed["process"]) == (live["type"], live["process"])
