# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Private instances of real receivers, in a directory of their own; never the system's service."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest

from driving import LONG, wait_for


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def need(name):
    """The path of a program, or the test is skipped by its name."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"no {name} here")
    return path


class Listener:
    """A receiver of our own on a stream socket: serve(connection) in a thread, one after another."""

    def __init__(self, serve, listening=None):
        self.socket = listening or socket.create_server(("127.0.0.1", 0))
        self.serve = serve
        self.connections = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            try:
                self.serve(connection)
            except (OSError, ValueError, struct.error):  # the driver has gone, or what it sends is cut
                connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.connections:
            connection.close()
        self.thread.join(LONG)


class Receiver:
    """A program that can be killed and started again."""

    def __init__(self, directory):
        self.directory = str(directory)
        self.process = None

    def command(self):
        raise NotImplementedError

    def ready(self):
        raise NotImplementedError

    def start(self):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.directory, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=self.environment())
        wait_for(self.is_ready)
        return self

    def environment(self):
        return None

    def is_ready(self):
        if self.process.poll() is not None:
            with open(self.path("log"), errors="replace") as log:
                raise AssertionError(f"{self.process.args}: ended: {log.read()[-4000:]}")
        return self.ready()

    def path(self, name):
        return os.path.join(self.directory, name)

    def stop(self, how=signal.SIGTERM):
        if self.process:
            self.process.send_signal(how)
            try:
                self.process.wait(LONG)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def kill(self):
        self.stop(signal.SIGKILL)

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.stop()

    def lines(self, name="out"):
        """What it has written so far, whole lines only."""
        try:
            with open(self.path(name), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return []
        return data[:data.rfind(b"\n") + 1].splitlines()

    def wait_lines(self, count, name="out"):
        wait_for(lambda: len(self.lines(name)) >= count)
        return self.lines(name)


class Rsyslog(Receiver):
    """rsyslogd with the input given; every message is a line of JSON (its property jsonmesg)."""

    FRAME = """
global(workDirectory="%(dir)s" maxMessageSize="256k" %(globals)s)
module(load="mmjsonparse")
%(input)s
template(name="all" type="list") { property(name="jsonmesg") constant(value="\\n") }
ruleset(name="r" queue.type="%(queue)s") {
	action(type="mmjsonparse" cookie="")
	action(type="omfile" file="%(dir)s/out" template="all" asyncWriting="off" flushOnTXEnd="on")
}
"""

    def __init__(self, directory, config, port=None, globals="", queue="LinkedList"):
        super().__init__(directory)
        self.port = port
        with open(self.path("conf"), "w", encoding="utf-8") as file:
            file.write(self.FRAME % {"dir": self.directory, "input": config, "globals": globals,
                                     "queue": queue})

    def command(self):
        return [need("rsyslogd"), "-n", "-C", "-f", self.path("conf"), "-i", self.path("pid")]

    def ready(self):
        return listens(self.port) if self.port else os.path.exists(self.path("pid"))

    def messages(self, count):
        """Without a line that it was killed in the middle of."""
        return [m for m in map(parsed, self.wait_lines(count)) if m]


def parsed(line):
    try:
        return json.loads(line)
    except ValueError:
        return None


def rsyslog_tcp(directory):
    port = free_port()
    return Rsyslog(directory, 'module(load="imtcp")\n'
                   f'input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="r")', port)


def rsyslog_tls(directory, certificates, server=None):
    """TLS by OpenSSL; a client certificate of the good authority is asked for."""
    port = free_port()
    cert, key = server or certificates.server
    tls = (f'DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{certificates.good.ca}" '
           f'DefaultNetstreamDriverCertFile="{cert}" DefaultNetstreamDriverKeyFile="{key}"')
    return Rsyslog(directory, 'module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" '
                   'StreamDriver.AuthMode="x509/certvalid")\n'
                   f'input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="r")', port, tls)


def rsyslog_relp(directory, certificates=None, server=None):
    """What it has acknowledged is in the file: there is no queue between."""
    port = free_port()
    tls = ""
    if certificates:
        cert, key = server or certificates.server
        tls = (f'tls="on" tls.caCert="{certificates.good.ca}" tls.myCert="{cert}" tls.myPrivKey="{key}" '
               'tls.authMode="certvalid"')
    return Rsyslog(directory, 'module(load="imrelp" ruleset="r" tls.tlslib="openssl")\n'
                   f'input(type="imrelp" address="127.0.0.1" port="{port}" maxDataSize="256k" {tls})',
                   port, queue="Direct")


def rsyslog_udp(directory):
    port = free_port(socket.SOCK_DGRAM)
    return Rsyslog(directory, 'module(load="imudp")\n'
                   f'input(type="imudp" address="127.0.0.1" port="{port}" ruleset="r" rcvbufSize="4m")'), port


def rsyslog_unix(directory):
    return Rsyslog(directory, 'module(load="imuxsock" SysSock.Use="off")\n'
                   f'input(type="imuxsock" Socket="{directory}/socket" UseSysTimeStamp="off" '
                   'UseSpecialParser="off" RateLimit.Interval="0" ruleset="r")')


class SyslogNg(Receiver):
    """syslog-ng, which cannot be installed beside rsyslog: unpacked from Debian's package into a cache."""

    def __init__(self, directory, source, port=None):
        super().__init__(directory)
        self.port = port
        self.root = os.path.join(os.environ.get("PYTRAIL_SYSLOG_NG") or
                                 os.path.expanduser("~/.cache/pytrail/syslog-ng"), "root")
        if not os.path.exists(self.root):
            fetch = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fetch-syslog-ng.sh")
            subprocess.run([fetch], check=False, stdout=subprocess.DEVNULL, timeout=300)
        if not os.path.exists(self.root):
            pytest.skip("no syslog-ng here, and it could not be fetched")
        with open(self.path("conf"), "w", encoding="utf-8") as file:
            file.write('@version: 3.38\noptions { log-msg-size(262144); flush-lines(1); keep-hostname(yes); };\n'
                       f'source s {{ {source}; }};\n'
                       'destination d { file("%s/out" template("$(format-json --scope rfc5424 --key .SDATA.*)\\n")); };\n'
                       'log { source(s); destination(d); };\n' % self.directory)

    def command(self):
        return [os.path.join(self.root, "usr/sbin/syslog-ng"), "-F", "--no-caps", "-f", self.path("conf"),
                "-p", self.path("pid"), "-R", self.path("persist"), "-c", self.path("ctl"),
                f"--module-path={self.root}/usr/lib/syslog-ng/3.38"]

    def environment(self):
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(
            [f"{self.root}/usr/lib/syslog-ng", f"{self.root}/usr/lib/x86_64-linux-gnu",
             f"{self.root}/lib/x86_64-linux-gnu"])}

    def ready(self):
        return listens(self.port) if self.port else os.path.exists(self.path("ctl"))

    def messages(self, count):
        return [json.loads(line) for line in self.wait_lines(count)]
