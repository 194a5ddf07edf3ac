# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Whatever fails, and however pytrail ends: what is traced has no breakpoint left, its semaphore is 0, it is not
stopped, what was held is executed, and no exporter stays."""
import json
import os
import random
import resource
import select
import shutil
import signal
import subprocess
import threading
import time

import pytest
import util
from faults import FAMILIES, SANITIZED, Case

# Which calls and moments are taken: another each day they would find something, and be of no use to who looks for it.
SEED = int(os.environ.get("PYTRAIL_SEED", "7"))
DEATHS = int(os.environ.get("PYTRAIL_DEATHS", "6"))


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def untouched(target):
    """As if it had never been traced. What the kernel does at a tracer's end may take it a moment."""
    util.wait_until(target.is_clean, "no breakpoint is left, and the semaphore is 0")
    assert state_of(target.pid) not in "Tt"
    with open(f"/proc/{target.pid}/status", encoding="utf-8") as file:
        assert "TracerPid:\t0\n" in file.read()
    target.do("sys.audit('test.after', 1)")


@pytest.mark.parametrize("family", ["memory", "open", "descriptors", "read", "file", "epoll", "kernel", "map"])
def test_a_call_fails(target, family):
    words = ["trace", "--probe=usdt", "-o", "json:{out}", "-p", str(target.pid), "--duration", "0.05"]
    case = Case(words, compare=False)
    calls, error, harmless = FAMILIES[family]
    total = case.count(calls)
    rand = random.Random(SEED)
    wrong = []
    for nth in rand.sample(range(1, total + 1), min(total, 2 if SANITIZED else 4)):
        for every in (False, True):
            done = case.run(calls, nth, error, every)
            text = case.judge(done, harmless)
            if text:
                wrong.append(f"{family}, call {nth} of {total}{' on' if every else ''}: {text}")
            untouched(target)
    assert not wrong, "\n".join(wrong)


def test_few_descriptors(target):
    for limit in range(8, 40, 8):
        def few(most=limit):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        done = util.run("trace", "-q", "--probe=usdt", "-p", str(target.pid), "--duration", "0.05", "-o", "json:/dev/null",
                        preexec_fn=few)
        assert done.returncode in (0, 1, 3), (limit, done)
        assert done.returncode == 0 or done.stderr.startswith("pytrail: "), (limit, done)
        untouched(target)


class Busy:
    """A target that raises events all the time."""

    def __init__(self, target):
        self.target, self.go = target, True
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while self.go:
            self.target.do("for i in range(200): sys.audit('test.busy', i, 'x' * 50)")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.go = False
        self.thread.join()


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(n) for n in file.read().split()]
    except OSError:
        return []


def gone(pid):
    try:
        return state_of(pid) == "Z"
    except OSError:
        return True


def end_at(words, number, after):
    """Started, and ended by a signal `after` seconds later, at whatever it does then. Its children at that moment."""
    process = subprocess.Popen([util.PYTRAIL, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    try:
        process.wait(after)  # nothing to be awaited: the moment is what is tested
    except subprocess.TimeoutExpired:
        pass
    left = children(process.pid)
    process.send_signal(number)
    try:
        said = process.communicate(timeout=util.LIMIT)[1]
    finally:
        process.kill()
    if number == signal.SIGTERM:
        assert process.returncode in (0, -signal.SIGTERM), said
    elif process.returncode >= 0:
        assert process.returncode in (0, 99), said  # the sanitizer's own end
    for pid in left:
        util.wait_until(lambda p=pid: gone(p), "the exporter and who starts it end, too")
    return said


MOMENTS = [(number, at) for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV) for at in range(DEATHS // 3 or 1)]


def moments():
    """Some in the start, some while it traces."""
    rand = random.Random(SEED)
    return [(number, rand.uniform(0.0, 0.6) if at % 2 == 0 else rand.uniform(0.6, 2.0)) for number, at in MOMENTS]


def test_the_end_of_trace(target, tmp_path):
    """While it starts, attaches, traces, holds what is executed, and with an exporter."""
    for number, after in moments():
        with Busy(target):
            end_at(["trace", "-q", "--probe=usdt", "-e", "test.*", "--interpreters", "none", "--hold-new=30000",
                    "--processes", "-o", f"json:{tmp_path}/out.json", "-o", "json:exec:/bin/cat"], number, after)
        untouched(target)
        # a Python that is new here would have been held
        begin = time.monotonic()
        python = util.private_python(tmp_path / f"new-{number}-{after}")
        subprocess.run([python, "-I", "-S", "-c", "1"], env=util.python_env(), check=True, timeout=util.LIMIT)
        assert time.monotonic() - begin < 25, "it was held after the end"
        shutil.rmtree(os.path.dirname(python))


def test_the_end_of_the_daemon(target, tmp_path):
    for parent in [tmp_path, *tmp_path.parents]:
        if str(parent).startswith("/tmp/"):
            os.chmod(parent, 0o755)
    config = tmp_path / "pytrail.yaml"
    config.write_text("trace: {events: 'test.*', interpreters: none, probe: usdt}\n"
                      f"spool: {{directory: {tmp_path}/spool, max_size: 256M}}\n"
                      f"control: {{socket: {tmp_path}/control.sock}}\n"
                      "outputs: [{name: cat, to: 'exec:/bin/cat'}]\n", encoding="utf-8")
    for number, after in moments()[::2]:
        with Busy(target):
            end_at(["daemon", "-c", str(config)], number, after)
        untouched(target)
    # what it left is no hindrance to the next one
    done = util.run("spool", "--json", str(tmp_path / "spool")) if os.path.exists(tmp_path / "spool") else None
    assert done is None or done.returncode in (0, 1, 2)
    with Busy(target):
        assert end_at(["daemon", "-c", str(config)], signal.SIGTERM, 2.0) is not None


def test_the_command_goes_on(tmp_path):
    """A command that pytrail was killed in front of ends as it would without."""
    out = tmp_path / "done"
    code = f"import sys, time; sys.stdin.read(); open({str(out)!r}, 'w').write('whole')"
    process = subprocess.Popen([util.PYTRAIL, "trace", "-q", "--probe=usdt", "-o", "json:/dev/null", "--",
                                util.SYSTEM_PYTHON, "-c", code], stdin=subprocess.PIPE)

    def runs(pid):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().startswith(util.SYSTEM_PYTHON.encode())
    command = util.wait_until(lambda: [pid for pid in children(process.pid) if runs(pid)], "it runs")[0]
    process.kill()
    process.wait()
    assert state_of(command) not in "Tt"
    process.stdin.close()
    util.wait_until(lambda: out.exists() and out.read_text() == "whole", "the command ends its work")


def test_killed_while_it_waits_for_a_full_pipe(target):
    """What it writes to is not read: it can be ended, and nothing is left."""
    reader, writer = os.pipe()
    process = subprocess.Popen([util.PYTRAIL, "trace", "-q", "--probe=usdt", "-p", str(target.pid), "-o", "json"],
                               stdout=writer, stdin=subprocess.DEVNULL)
    os.close(writer)

    def writes():
        target.do("for i in range(5000): sys.audit('test.full', 'x' * 100)")
        return select.select([reader], [], [], 0.2)[0]
    util.wait_until(writes, "it writes")
    process.kill()
    process.wait()
    untouched(target)
    data = b"".join(iter(lambda: os.read(reader, 65536), b""))
    os.close(reader)
    assert json.loads(data.split(b"\n")[0])["type"] == "audit"

