# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Redaction of real events: a program that handles secrets in every way that there is a rule for is traced, and
none of them is in any format; without --redact they are there, so that the test can fail."""
import base64
import json
import os
import pty
import re
import subprocess

import pytest
from util import PYTRAIL

WORKLOAD = r'''
import ftplib, http.client, os, smtplib, socket, subprocess, sys, threading, urllib.request

def secret(n):
    return "Hunter2-%02d-s3cret" % n

def serve(lines):
    """A server that greets, answers every line, and ends with the client. Its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    def run():
        peer = listener.accept()[0]
        with peer, peer.makefile("rb") as file:
            peer.sendall(lines(None))
            for line in file:
                peer.sendall(lines(line))
    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1]

input("? ")
web = serve(lambda line: b"HTTP/1.0 200 OK\r\n\r\n" if line == b"\r\n" else b"")
c = http.client.HTTPConnection("127.0.0.1", web)
c.request("POST", "/", body=secret(1).encode(), headers={"Authorization": "Bearer " + secret(2)})
c.close()
mail = serve(lambda line: b"334 \r\n" if line and line.startswith(b"AUTH") else b"235 ok\r\n"
             if line and line[:4] in (b"SHVu",) else b"250 ok\r\n" if line else b"220 hi\r\n")
s = smtplib.SMTP("127.0.0.1", mail, local_hostname="h")
s.docmd("AUTH PLAIN", secret(3))
s.close()
f = ftplib.FTP()
f.connect("127.0.0.1", serve(lambda line: b"331 pw\r\n" if line and line[:4] == b"USER" else b"230 ok\r\n"))
f.login("me", secret(4))
f.close()
subprocess.run(["true", "--password=" + secret(5), "--token", secret(6)], env={"NAME": secret(7)})
subprocess.run("mysql -u root -p%s db 2>/dev/null; true" % secret(8), shell=True)
os.system("true -H 'Authorization: Bearer %s'" % secret(9))
os.environ["DB_PASSWORD"] = secret(10)
os.posix_spawn("/bin/true", ["true", "https://u:%s@h/" % secret(11)], {b"A": secret(12).encode()})
try:
    open("https://user:%s@host/?x=1" % secret(13))
except OSError:
    pass
web = serve(lambda line: b"HTTP/1.0 200 OK\r\n\r\n" if line == b"\r\n" else b"")
urllib.request.urlopen(urllib.request.Request(
    "http://127.0.0.1:%d/?access_token=%s" % (web, secret(14)), data=secret(15).encode(),
    headers={"Cookie": secret(16)})).close()
sys.audit("my.event", {"user": "me", "password": [secret(17), {"x": secret(18).encode()}]})
sys.audit("my.event", "ftp://ü€:%s@h" % secret(19), b"ftp://u:%s@h" % secret(20).encode())
compile("connect(password='%s')" % secret(21), "<string>", "exec")
sys.audit("http.client.send", None, (secret(22) * 5000).encode())
sys.audit("my.event", "https://u:" + secret(23) * 5000)
if os.fork() == 0:
    os.execve("/bin/true", ["true", "--api-key", secret(24)], {"B": secret(25)})
os.wait()
'''
# On the command line itself, and typed.
ARGUMENTS = ["--password=Hunter2-30-s3cret", "--db-token", "Hunter2-31-s3cret",
             "https://u:Hunter2-32-s3cret@h/"]
TYPED = "Hunter2-33-s3cret\n"
SECRETS = {*range(1, 26), 30, 31, 32, 33}
PATTERN = re.compile(rb"Hunter2-(\d\d)-s3cret")


def formats():
    said = subprocess.run([PYTRAIL, "replay", "-o", "nope", "/dev/null"], capture_output=True,
                          text=True, check=False).stderr
    if "there are" not in said:  # /dev/null is no record file
        said = subprocess.run([PYTRAIL, "trace", "-o", "nope", "--", "true"], capture_output=True,
                              text=True, check=False).stderr
    return re.search(r"there are ([\w, ]+)", said)[1].split(", ")


@pytest.fixture(scope="module", name="traced")
def traced_fixture(tmp_path_factory):
    """Where the outputs of one run are: raw, hidden, and its records."""
    path = tmp_path_factory.mktemp("redact")
    (path / "work.py").write_text(WORKLOAD)
    ours, theirs = pty.openpty()  # what is typed is an event on a terminal only
    with subprocess.Popen(
            [PYTRAIL, "trace", "--redact", "--redact-key", path / "key", "--processes", "-o",
             f"json:{path}/hidden", "--record", path / "records", "--", "/usr/bin/python3",
             path / "work.py", *ARGUMENTS], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
            text=True) as process:
        os.close(theirs)
        os.write(ours, TYPED.encode())
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said
    os.close(ours)
    assert " 0 lost, " in said
    return path


def found(data):
    return {int(n) for n in PATTERN.findall(data)}


def replay(traced, form, *options):
    done = subprocess.run([PYTRAIL, "replay", "-q", traced / "records", "-o", form, *options],
                          capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_secrets_are_there_without_it(traced):
    data = replay(traced, "json")
    plain = [base64.b64decode(coded) for coded in re.findall(rb'"\$bytes":"([^"]*)"', data)]
    assert SECRETS - found(data) - found(b"\n".join(plain)) == set()


@pytest.mark.parametrize("form", formats())
def test_no_secret_in_any_format(traced, form):
    data = replay(traced, form, "--redact")
    assert data.count(b"\n") > 50 and b"redacted" in data
    plain = [base64.b64decode(coded[skip:][:(len(coded) - skip) // 4 * 4])
             for coded in set(re.findall(rb"[A-Za-z0-9+/]{20,}", data)) for skip in range(4)]
    assert not found(data) and not found(b"\n".join(plain))


def audits(data):
    return [r for r in map(json.loads, data.splitlines()) if r["type"] == "audit"]


def test_live_is_as_replayed(traced):
    live = (traced / "hidden").read_bytes()
    assert not found(live)
    again = replay(traced, "json", "--redact", "--redact-key", traced / "key")
    assert [(r["event"], r["args"]) for r in audits(live)] == [
        (r["event"], r["args"]) for r in audits(again)]


def test_what_stands_there_instead(traced):
    by_event = {}
    for record in audits((traced / "hidden").read_bytes()):
        by_event.setdefault(record["event"], []).append(record)
    typed = by_event["builtins.input/result"][0]
    assert typed["args"]["result"]["length"] == len(TYPED) - 1
    assert re.fullmatch("hmac-sha256-128:[0-9a-f]{32}", typed["args"]["result"]["$redacted"])
    popen = by_event["subprocess.Popen"][0]
    assert popen["args"]["env"]["NAME"]["length"] == 17
    assert re.fullmatch("--password=<redacted:hmac-sha256-128:[0-9a-f]{32}:17>",
                        popen["args"]["args"][1])
    assert popen["redacted"] == ["args.args[1]", "args.args[2]"] or \
        popen["redacted"] == ["args.args[1]", "args.args[3]"]
    assert popen["process"]["redacted"] == ["argv"]
    long = by_event["my.event"][-1]
    assert long["truncated"]["args.arg0"]["length"] > 80000 and long["redacted"] == ["args.arg0"]
    commands = [r["args"]["cmd"] for r in by_event["ftplib.sendcmd"]]
    assert commands[0] == "USER me\r\n" or commands[0] == "USER me"
    assert commands[1].startswith("PASS <redacted:")
    lengths = {r["args"]["data"].get("length") for r in by_event["http.client.send"]}
    assert len(lengths) >= 2 and None not in lengths
