# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Programs that embed Python: a database, a web server, a debugger. Their events come with the right process,
when it starts while pytrail traces, and when it was there before."""
import contextlib
import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import urllib.request

import pytest
import util
from util import Tracer, events

GDB = shutil.which("gdb")
POSTGRES = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), None)
PLPYTHON = POSTGRES and os.path.exists(POSTGRES.replace("/bin", "/lib/plpython3.so"))
UWSGI = shutil.which("uwsgi-core") or shutil.which("uwsgi")
UWSGI_PLUGIN = next(iter(sorted(glob.glob("/usr/lib/uwsgi/plugins/python3*_plugin.so"))), None)
USER = "nobody"

needs_gdb = pytest.mark.skipif(not GDB, reason="gdb is not installed")
needs_postgres = pytest.mark.skipif(not PLPYTHON, reason="PostgreSQL's plpython3 is not installed")
needs_uwsgi = pytest.mark.skipif(not (UWSGI and UWSGI_PLUGIN), reason="uwsgi's Python is not installed")


def tracer(*args):
    return Tracer("-o", "json", "-e", "test.*", "--processes", *args)


def wait_ready(trace):
    util.wait_until(lambda: "tracing every" in trace.stderr or trace.process.poll() is not None,
                    "pytrail is ready")
    assert trace.process.poll() is None, trace.stderr


def check(trace, name, exe, uid=0):
    """The event of that name says in its argument which process raised it."""
    record = trace.wait_event(name)
    process = record["process"]
    assert process["pid"] == record["args"]["arg0"]
    assert process["exe"] == os.path.realpath(exe)
    assert process["comm"] == os.path.basename(exe)[:15] and process["uid"] == uid
    # it is no interpreter: its command line says nothing of a script
    assert not {"script", "module", "command"} & set(record["python"])
    told = [r for r in trace.records() if r.get("action") == "attach" and
            r["process"]["entity_id"] == process["entity_id"]]
    assert len(told) == 1 and "libpython3" in told[0]["python"]["file"]
    return record, told[0]


@contextlib.contextmanager
def directory():
    """A directory of an unprivileged user, whom pytest's own are closed to."""
    path = tempfile.mkdtemp(prefix="pytrail-test-")
    try:
        shutil.chown(path, USER)
        yield path
    finally:
        shutil.rmtree(path)


def as_user(*words):
    """The words in front of a command that an unprivileged user runs."""
    user = pwd.getpwnam(USER)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *words]


# --- gdb -------------------------------------------------------------------------------------


def raise_in_gdb(name):
    return f"python import os, sys; sys.audit('test.{name}', os.getpid())"


@needs_gdb
def test_gdb_that_starts():
    with tracer() as trace:
        wait_ready(trace)
        subprocess.run([GDB, "-nx", "-q", "-batch", "-ex", raise_in_gdb("gdb")], check=True,
                       stdout=subprocess.DEVNULL)
        _, told = check(trace, "test.gdb", GDB)
        assert "late" not in told
        assert trace.stop() == 0


@needs_gdb
def test_gdb_that_was_there():
    with subprocess.Popen([GDB, "-nx", "-q"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        process.stdin.write("echo ready\\n\n")
        process.stdin.flush()
        next(line for line in process.stdout if "ready" in line)
        with tracer() as trace:
            wait_ready(trace)
            process.stdin.write(raise_in_gdb("gdb") + "\n")
            process.stdin.flush()
            _, told = check(trace, "test.gdb", GDB)
            assert told["late"] is True
            assert trace.stop() == 0
        process.kill()


# --- PostgreSQL ------------------------------------------------------------------------------


class Postgres:
    """A cluster of its own: only a socket in its directory."""

    def __init__(self, path):
        self.path = path
        self.run("initdb", "-D", f"{path}/data", "-A", "trust", "-U", "test", "--no-sync")
        self.server = None

    def words(self, name, *args):
        return as_user(f"{POSTGRES}/{name}", *args)

    def run(self, name, *args):
        return subprocess.run(self.words(name, *args), check=True, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, cwd=self.path).stdout

    def start(self):
        self.server = subprocess.Popen(
            self.words("postgres", "-D", f"{self.path}/data", "-k", self.path, "-c", "listen_addresses=",
                       "-c", "fsync=off"),
            cwd=self.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        util.wait_until(lambda: subprocess.run(
            self.words("pg_isready", "-q", "-h", self.path), check=False).returncode == 0, "the server is up")

    def client(self):
        return [*self.words("psql"), "-h", self.path, "-U", "test", "-d", "postgres", "-qAt", "-v",
                "ON_ERROR_STOP=1"]

    def sql(self, text):
        return subprocess.run(self.client(), input=text, check=True, text=True, cwd=self.path,
                              stdout=subprocess.PIPE).stdout

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait(util.LIMIT)


SETUP = """
CREATE EXTENSION plpython3u;
CREATE FUNCTION raise_event(name text) RETURNS int AS $$
import os, sys
sys.audit("test." + name, os.getpid())
return os.getpid()
$$ LANGUAGE plpython3u;
"""


@pytest.fixture(name="postgres")
def postgres_fixture():
    with directory() as path:
        cluster = Postgres(path)
        try:
            yield cluster
        finally:
            cluster.stop()


@needs_postgres
def test_postgres(postgres):
    """A server and a session that were there, and a session that comes; then a server that starts."""
    uid, exe = pwd.getpwnam(USER).pw_uid, f"{POSTGRES}/postgres"
    postgres.start()
    postgres.sql(SETUP)
    with subprocess.Popen(postgres.client(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          cwd=postgres.path) as session:
        def ask(text):
            session.stdin.write(text + "\n")
            session.stdin.flush()
            return session.stdout.readline().strip()
        pid = ask("SELECT raise_event('before');")
        with tracer() as trace:
            wait_ready(trace)
            assert ask("SELECT raise_event('there');") == pid
            record, told = check(trace, "test.there", exe, uid)
            assert str(record["process"]["pid"]) == pid and told["late"] is True
            # a backend is forked and loads Python with its first function
            pid = int(postgres.sql("SELECT raise_event('new');"))
            record, told = check(trace, "test.new", exe, uid)
            assert record["process"]["pid"] == pid and "late" not in told
            assert record["process"]["ppid"] == postgres.server.pid
            session.stdin.close()
            session.wait(util.LIMIT)
            postgres.stop()
            postgres.start()
            postgres.sql("SELECT raise_event('again');")
            record, told = check(trace, "test.again", exe, uid)
            assert record["process"]["ppid"] == postgres.server.pid and "late" not in told
            assert trace.stop() == 0
            assert trace.summary()["lost"] == 0
    assert not events(trace.records(), "test.before")


# --- uwsgi -----------------------------------------------------------------------------------

APPLICATION = """
import os, sys
def application(environ, start_response):
    sys.audit("test." + environ["PATH_INFO"].strip("/"), os.getpid())
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


@contextlib.contextmanager
def web_server(path):
    """Its base address. Workers are forked by a master that has loaded Python and the application."""
    with open(f"{path}/app.py", "w", encoding="ascii") as file:
        file.write(APPLICATION)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = as_user(UWSGI, "--plugin", UWSGI_PLUGIN, "--http-socket", f"127.0.0.1:{port}", "--wsgi-file",
                    f"{path}/app.py", "--master", "--workers", "2", "--need-app", "--die-on-term")
    with subprocess.Popen(words, cwd=path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            base = f"http://127.0.0.1:{port}"
            util.wait_until(lambda: answers(base + "/up"), "the server answers")
            yield base, server.pid
        finally:
            server.terminate()
            server.wait(util.LIMIT)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=util.LIMIT) as answer:
            return int(answer.read())
    except OSError:
        return None


def check_request(trace, base, name, master):
    pid = answers(f"{base}/{name}")
    record, told = check(trace, f"test.{name}", UWSGI, pwd.getpwnam(USER).pw_uid)
    assert record["process"]["pid"] == pid and record["process"]["ppid"] == master
    return told


@needs_uwsgi
def test_web_server_that_was_there():
    with directory() as path, web_server(path) as (base, master), tracer() as trace:
        wait_ready(trace)
        assert check_request(trace, base, "there", master)["late"] is True
        assert trace.stop() == 0


@needs_uwsgi
def test_web_server_that_starts():
    with directory() as path, tracer() as trace:
        wait_ready(trace)
        with web_server(path) as (base, master):
            assert "late" not in check_request(trace, base, "new", master)
            assert trace.stop() == 0
