# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Containers by the names that their runtimes give them: in events, to select by, in list and top."""
import json
import os

import pytest
import util
from util import PYTRAIL, Target, Tracer, events, json_lines, run  # noqa: F401

ID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
DOCKER = f"/docker/{ID}"
PODMAN = f"/machine.slice/libpod-{ID}.scope/container"
KUBERNETES = f"/kubepods/besteffort/pod01234567-89ab-cdef-0123-456789abcdef/{ID}"


def put(root, path, value):
    os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
    with open(f"{root}/{path}", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.chmod(f"{root}/{path}", 0o600)


def docker(root, name="web"):
    put(root, f"var/lib/docker/containers/{ID}/config.v2.json",
        {"ID": ID, "Name": f"/{name}", "Config": {"Image": "nginx:1.25"}})


def podman(root):
    put(root, "var/lib/containers/storage/overlay-containers/containers.json",
        [{"id": ID, "names": ["web"], "metadata": json.dumps({"image-name": "nginx:1.25"})}])


def containerd(root):
    put(root, f"run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json",
        {"annotations": {"io.kubernetes.cri.container-name": "web",
                         "io.kubernetes.cri.image-name": "nginx:1.25",
                         "io.kubernetes.cri.sandbox-name": "shop-1",
                         "io.kubernetes.cri.sandbox-namespace": "shop"}})


@pytest.fixture(name="root")
def root_fixture(tmp_path, monkeypatch):
    """pytrail takes this for the root of the host."""
    monkeypatch.setenv("PYTRAIL_HOST_ROOT", str(tmp_path / "root"))
    return tmp_path / "root"


def trace(enter, *args):
    done = run("trace", "-o", "json", "-e", "test.*", *args, "--", *enter, util.SYSTEM_PYTHON, "-c",
               "import sys; sys.audit('test.here')")
    assert done.returncode == 0, done.stderr
    return events(json_lines(done.stdout))


@pytest.mark.parametrize("path, write, pod", [(DOCKER, docker, False), (PODMAN, podman, False),
                                              (KUBERNETES, containerd, True)],
                         ids=["docker", "podman", "kubernetes"])
def test_names(root, path, write, pod):
    write(root)
    with util.control_group(path) as enter:
        for args in ([], ["--container", "web"], ["--container", "w?b*"], ["--container", ID[:12]]):
            record, = trace(enter, *args)
            process = record["process"]
            assert (process["container_id"], process["container_name"],
                    process["container_image"]) == (ID, "web", "nginx:1.25")
            assert process.get("pod_name") == ("shop-1" if pod else None)
            assert process.get("pod_namespace") == ("shop" if pod else None)
        for args in (["--container", "!web"], ["--container", "we"], ["--container", "web2"]):
            assert trace(enter, *args) == []


def test_not_known(root):
    """Without a file that says it there is no name, and a name selects nothing."""
    with util.control_group(DOCKER) as enter:
        record, = trace(enter)
        assert record["process"]["container_id"] == ID
        assert "container_name" not in record["process"]
        assert trace(enter, "--container", "web") == []
        # nor by one that anybody could have written
        docker(root)
        os.chmod(f"{root}/var/lib/docker/containers/{ID}/config.v2.json", 0o666)
        assert trace(enter, "--container", "web") == []


def test_recorded(root, tmp_path):
    docker(root, 'a"\x1b[31m')
    with util.control_group(DOCKER) as enter:
        record, = trace(enter, "--record", str(tmp_path / "rec"))
    again, = events(json_lines(run("replay", "-o", "json", str(tmp_path / "rec")).stdout))
    assert again["process"]["container_name"] == 'a"\x1b[31m'
    assert again["process"] == record["process"]


def test_list_and_top(root, python):
    docker(root, "web\x1b")
    with util.control_group(DOCKER) as enter, Target(python, before=enter) as target:
        line = next(x for x in run("list").stdout.splitlines() if x.startswith(f"{target.pid} "))
        assert r" web\x1b " in line
        found = [r for r in map(json.loads, run("list", "--json").stdout.splitlines())
                 if r["pid"] == target.pid]
        assert [(r["container_id"], r["container_name"], r["container_image"]) for r in found] == [
            (ID, "web\x1b", "nginx:1.25")]
        # an event every now and then until top has seen some
        target.process.stdin.write("import time\nwhile True: sys.audit('test.v'); time.sleep(0.01)\n")
        target.process.stdin.flush()
        done = run("top", "--once", "-p", str(target.pid), "--container", "web*", "-e", "test.*")
        assert done.returncode == 0, done.stderr
    assert f"web\\x1b ({ID[:12]})" in done.stdout
    row = next(x for x in done.stdout.splitlines() if x.split()[:1] == [str(target.pid)])
    assert r"web\x1b" in row


def test_top_selects(python, tmp_path):
    """By everything that trace selects by."""
    script = tmp_path / "work.py"
    script.write_text("import sys, time\nwhile True:\n    sys.audit('test.v')\n    time.sleep(0.001)\n")
    with Target(python, code=f"exec(open({str(script)!r}).read())") as target:
        def seen(*args):
            done = run("top", "--once", "--interval", "0.3", "--by", "event", "-p", str(target.pid), *args)
            assert done.returncode == 0, done.stderr
            return "test.v" in done.stdout
        for args in (["--exe", os.path.basename(python)], ["--comm", "python3*"], ["--cgroup", "/"],
                     ["--uid", str(os.getuid())], ["--container", "!x"], ["--venv", "!x"], ["--script", "!x"]):
            assert seen(*args), args
        for args in (["--exe", "nothing"], ["--comm", "!python3*"], ["--cgroup", "/none"], ["--uid", "!0"],
                     ["--container", "x"], ["--venv", "x"], ["--script", "x"]):
            assert not seen(*args), args
