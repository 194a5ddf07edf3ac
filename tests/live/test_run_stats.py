# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The run time of the BPF programs, as --bpf-stats and the daemon's metrics tell it; nothing where nobody asked."""
import re
import subprocess

import util
from test_daemon import Daemon
from util import Target

COUNT = 1000
RAISE = f"import sys\nfor i in range({COUNT}): sys.audit('test.v', i)"
ON = "/proc/sys/kernel/bpf_stats_enabled"


def trace(*options, before=()):
    command = [*before, util.PYTRAIL, "trace", "--interpreters", "none", "--probe=usdt", "-o", "json:/dev/null",
               "-e", "test.v", *options, "--", util.SYSTEM_PYTHON, "-I", "-c", RAISE]
    return subprocess.run(command, capture_output=True, text=True, timeout=util.LIMIT, check=True).stderr


def test_trace():
    said = trace("--bpf-stats")
    runs = {name: (int(n), int(ns)) for name, n, ns in re.findall(r"(\w+) (\d+) runs of (\d+) ns", said)}
    n, ns = next(v for name, v in runs.items() if name.startswith("audit_"))
    assert n >= COUNT and ns > 0
    assert "watch_exit" in runs
    assert "left out" not in said


def test_not_asked_for():
    assert "runs of" not in trace("--stats")


def test_not_allowed():
    """It is said, and the trace goes on without."""
    said = trace("--bpf-stats", before=["setpriv", "--bounding-set", "-sys_admin"])
    assert "the run time of BPF programs is not measured: Operation not permitted" in said
    assert f"{COUNT} events" in said and "runs of" not in said


def metric(text, name):
    """{program: value}"""
    return {k: float(v) for k, v in re.findall(rf'^pytrail_{name}{{program="(\w+)"}} (\S+)$', text, re.M)}


def test_metrics(tmp_path):
    python = util.private_python(tmp_path)
    outputs = f"outputs:\n- {{name: file, to: {tmp_path}/out.json, format: json}}\n"
    with Daemon(tmp_path, outputs, metrics=", bpf_stats: yes") as daemon, Target(python) as target:
        def counted():
            target.do("; ".join(["sys.audit('test.v')"] * 10))
            runs = metric(daemon.get("/metrics")[1], "bpf_runs_total")
            return any(name.startswith("audit_") and n >= 10 for name, n in runs.items())
        util.wait_until(counted, "runs are counted")
        text = daemon.get("/metrics")[1]
        name = next(n for n in metric(text, "bpf_runs_total") if n.startswith("audit_"))
        assert metric(text, "bpf_run_seconds_total")[name] > 0
        assert metric(text, "bpf_missed_runs_total")[name] == 0
        assert daemon.stop() == 0


def test_no_metrics_without(tmp_path):
    outputs = f"outputs:\n- {{name: file, to: {tmp_path}/out.json, format: json}}\n"
    with Daemon(tmp_path, outputs) as daemon:
        util.wait_until(lambda: "pytrail_processes_total" in daemon.get("/metrics")[1], "metrics are served")
        assert "bpf_run" not in daemon.get("/metrics")[1]
        assert daemon.stop() == 0
