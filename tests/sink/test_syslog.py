# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The syslog driver against rsyslog, syslog-ng, and receivers that behave badly."""
import json
import os
import re
import socket
import struct
import threading

import pytest

from driving import HOSTILE, LONG, Drive, item, wait_for
from receivers import Listener, SyslogNg, free_port, rsyslog_tcp, rsyslog_tls, rsyslog_udp, rsyslog_unix


def ok(answer):
    assert answer["items"] == ["ok"] * len(answer["items"]), answer
    return answer


def tls_settings(certificates, client=None, ca=None):
    cert, key = client or certificates.client
    return [f"tls_ca={ca or certificates.good.ca}", f"tls_cert={cert}", f"tls_key={key}"]


def hostile_items():
    return [item(n, event=text[:255].replace("\x00", ""), entity=text[:63], category=text[:31],
                 id=f"b00t-{n}", body={"n": n, "text": text}) for n, text in enumerate(HOSTILE)]


def bodies(messages):
    return {m["$!"]["n"]: m["$!"] for m in messages}


def assert_hostile_arrived(messages):
    got = bodies(messages)
    for n, text in enumerate(HOSTILE):
        # rsyslog's JSON library ends a text at a NUL, which is its own
        assert got[n]["text"] == text or "\x00" in text, n
    assert len(messages) == len(HOSTILE), "one message each: nothing was taken for another one"


def test_rsyslog_tcp_fields(tmp_path):
    with rsyslog_tcp(tmp_path) as receiver, \
            Drive(f"syslog+tcp://127.0.0.1:{receiver.port}", "facility=local3", "hostname=sensor7") as drive:
        ok(drive.send([item(1, severity=5, event="socket.connect", id='i"]\\')]))
        m = receiver.messages(1)[0]
    assert (m["pri"], m["syslogfacility"], m["syslogseverity"]) == (str(19 * 8 + 2), "19", "2")
    assert (m["hostname"], m["app-name"], m["msgid"]) == ("sensor7", "pytrail", "socket.connect")
    assert m["protocol-version"] == "1"
    assert m["timereported"].startswith("2026-09-21T14:13:20.123456")
    assert m["structured-data"] == (f'[pytrail@32473 id="i\\"\\]\\\\" event="socket.connect" category="process" '
                                    f'entity="{"e" * 32}" seq="1" severity="5"]')
    assert m["$!"]["n"] == 1, "mmjsonparse took the body"


def test_rsyslog_tcp_hostile(tmp_path):
    with rsyslog_tcp(tmp_path) as receiver, Drive(f"syslog+tcp://127.0.0.1:{receiver.port}") as drive:
        ok(drive.send(hostile_items()))
        assert_hostile_arrived(receiver.messages(len(HOSTILE)))


def test_rsyslog_tls(tmp_path, certificates):
    with rsyslog_tls(tmp_path, certificates) as receiver, \
            Drive(f"syslog+tls://localhost:{receiver.port}", *tls_settings(certificates)) as drive:
        ok(drive.send(hostile_items()))
        ok(drive.send([item(100)]))
        assert_hostile_arrived([m for m in receiver.messages(len(HOSTILE) + 1) if m["$!"]["n"] < 100])


@pytest.mark.parametrize("case", ["unknown authority", "another name", "no certificate", "strange certificate",
                                  "not tls"])
def test_tls_refused(tmp_path, certificates, case):
    settings = tls_settings(certificates)
    server = None
    if case == "unknown authority":
        settings = tls_settings(certificates, ca=certificates.other.ca)
    elif case == "another name":
        server = certificates.misnamed
    elif case == "no certificate":
        settings = [f"tls_ca={certificates.good.ca}"]
    elif case == "strange certificate":
        settings = tls_settings(certificates, client=certificates.stranger)
    receiver = rsyslog_tcp(tmp_path) if case == "not tls" else rsyslog_tls(tmp_path, certificates, server)
    with receiver, Drive(f"syslog+tls://localhost:{receiver.port}", "timeout=3s", *settings) as drive:
        answer = drive.send([item(1), item(2)])
        # rsyslog drops what is not TLS, or whom it does not know, without a word at times
        allowed = {"denied"} if case in ("unknown authority", "another name") else {"denied", "retry"}
        assert set(answer["items"]) <= allowed and answer["reason"], answer
        assert not receiver.lines() or case == "not tls"


def test_tls_name_and_no_verify(tmp_path, certificates):
    with rsyslog_tls(tmp_path, certificates, certificates.misnamed) as receiver:
        url = f"syslog+tls://127.0.0.1:{receiver.port}"
        with Drive(url, *tls_settings(certificates), "tls_name=elsewhere.example") as drive:
            ok(drive.send([item(1)]))
        with Drive(url, *tls_settings(certificates, ca=certificates.other.ca), "tls_verify=no") as drive:
            ok(drive.send([item(2)]))
        receiver.wait_lines(2)


@pytest.mark.parametrize("setting, sentence", [
    ("tls_ca=/nowhere", "'tls_ca': no certificates could be loaded from '/nowhere'"),
    ("tls_cert=/nowhere", "'tls_cert': no certificate could be loaded from '/nowhere'")])
def test_tls_settings_are_checked_at_once(setting, sentence):
    assert sentence in Drive("syslog+tls://localhost", setting).refusal()


def test_tls_key_must_match(certificates):
    cert, _ = certificates.client
    _, key = certificates.server
    url = "syslog+tls://localhost"
    assert Drive(url, f"tls_cert={cert}", f"tls_key={key}").refusal() == "'tls_key' is not the key of 'tls_cert'"
    assert Drive(url, f"tls_cert={cert}").refusal() == "'tls_cert' needs 'tls_key', too"
    assert "'tls_key' is no private key" in Drive(url, f"tls_cert={cert}", f"tls_key={cert}").refusal()


def test_killed_and_restarted(tmp_path):
    """What is sent after the death is held; between the batches nothing is lost."""
    with rsyslog_tcp(tmp_path) as receiver, Drive(f"syslog+tcp://127.0.0.1:{receiver.port}") as drive:
        n = 0
        for _ in range(4):
            batch = [item(n + i) for i in range(100)]
            n += 100
            ok(drive.send(batch))
            receiver.wait_lines(n)
            receiver.kill()
            answer = drive.send([item(10_000)])
            assert answer["items"] == ["retry"], "a dead receiver has taken nothing"
            receiver.start()
        ok(drive.send([item(n)]))
        wait_for(lambda: n in bodies(receiver.messages(1)))
        assert set(bodies(receiver.messages(n))) >= set(range(n + 1))


def test_killed_in_mid_stream(tmp_path):
    """The batch that was under way is sent again as a whole."""
    with rsyslog_tcp(tmp_path) as receiver, Drive(f"syslog+tcp://127.0.0.1:{receiver.port}") as drive:
        big = [item(n, body={"n": n, "pad": "p" * 50_000}) for n in range(400)]
        drive.begin(big)
        receiver.wait_lines(20)
        receiver.kill()
        answer = drive.answer()
        if set(answer["items"]) == {"ok"}:
            pytest.skip("all of it was with the receiver's kernel before it died")
        assert set(answer["items"]) == {"retry"}
        receiver.start()
        drive.until_delivered(big)
        wait_for(lambda: set(bodies(receiver.messages(1))) == set(range(400)))


class Peer(Listener):
    """A receiver with little room; by a unix socket when a path is given."""

    def __init__(self, serve, path=None):
        listening = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        listening.bind(path or ("127.0.0.1", 0))
        listening.listen()
        super().__init__(serve, listening)
        self.url = f"syslog+unix://{path}" if path else f"syslog+tcp://127.0.0.1:{self.port}"


BIG = [item(n, body="x" * 100_000) for n in range(100)]


def test_never_reads():
    with Peer(lambda connection: None) as peer, Drive(peer.url, "timeout=300ms") as drive:
        answer = drive.send(BIG)
        assert set(answer["items"]) == {"retry"} and "timed out" in answer["reason"]


def test_interrupted():
    with Peer(lambda connection: None) as peer, Drive(peer.url, "timeout=1h") as drive:
        drive.interrupt(0.2)
        assert set(drive.send(BIG)["items"]) == {"retry"}
        assert set(drive.send([item(1)])["items"]) == {"retry"}, "and so do later ones"


def test_reads_slowly():
    """Longer than the time-out in all, but never so long without any progress."""
    got = bytearray()

    def read_slowly(connection):
        while chunk := connection.recv(65536):
            got.extend(chunk)
            threading.Event().wait(0.025)

    with Peer(read_slowly) as peer, Drive(peer.url, "timeout=3s") as drive:
        ok(drive.send(BIG))
        frames = re.findall(rb"(\d+) <", bytes(got))
        wait_for(lambda: len(got) >= 100 * 100_000)
        assert frames


def test_closes_when_idle():
    """Receivers end connections that say nothing: the next batch has a new one."""
    done = threading.Event()

    def read_and_close(connection):
        connection.recv(65536)
        connection.close()
        done.set()

    with Peer(read_and_close) as peer, Drive(peer.url) as drive:
        for n in range(3):
            done.clear()
            drive.begin([item(n)])
            answer = drive.answer()
            assert done.wait(LONG)
            # it may have closed before the batch's end was seen, or after
            assert answer["items"] in (["ok"], ["retry"])
        assert len(peer.connections) == 3


def test_resets():
    def reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.recv(1000)
        connection.close()

    with Peer(reset) as peer, Drive(peer.url) as drive:
        assert set(drive.send(BIG)["items"]) == {"retry"}


def test_udp(tmp_path):
    receiver, port = rsyslog_udp(tmp_path)
    with receiver, Drive(f"syslog+udp://127.0.0.1:{port}") as drive:
        items = hostile_items()
        # the first may come before it listens, which ICMP tells
        drive.until_delivered([item(99)])
        answer = drive.send(items)
        assert answer["items"] == ["ok"] * (len(items) - 1) + ["rejected"], "100 kB are too much for UDP"
        assert "above the limit of 65507" in answer["reason"]
        got = bodies(receiver.messages(len(items)))
        assert set(got) == set(range(len(items) - 1)) | {99}


def test_udp_nobody_listens():
    with Drive(f"syslog+udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}") as drive:
        answer = drive.send([item(n) for n in range(3)])
        assert set(answer["items"]) == {"retry"} and "refused" in answer["reason"]


def test_unix_datagrams(tmp_path):
    with rsyslog_unix(tmp_path) as receiver, Drive(f"syslog+unix://{tmp_path}/socket") as drive:
        wait_for(lambda: os.path.exists(f"{tmp_path}/socket"))
        ok(drive.send(hostile_items()))
        assert_hostile_arrived(receiver.messages(len(HOSTILE)))
        receiver.kill()
        assert drive.send([item(50)])["items"] == ["retry"]
        receiver.start()
        drive.until_delivered([item(51)])
        receiver.wait_lines(len(HOSTILE) + 1)


def test_unix_stream(tmp_path):
    got = bytearray()

    def read(connection):
        while chunk := connection.recv(65536):
            got.extend(chunk)

    with Peer(read, f"{tmp_path}/s") as peer, Drive(peer.url) as drive:
        ok(drive.send([item(1, body="one\nline\0only"), item(2)]))
        wait_for(lambda: got.count(b"\n") == 2)
        assert got.endswith(b'{"n": 2}\n') and b"one line only\n" in got


def test_unix_queue_full(tmp_path):
    """A receiver that does not read holds the output, until its time-out."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(f"{tmp_path}/s")
        with Drive(f"syslog+unix://{tmp_path}/s", "timeout=300ms") as drive:
            answer = drive.send([item(n) for n in range(2000)])
            assert set(answer["items"]) == {"retry"} and "timed out" in answer["reason"]


def test_rfc3164(tmp_path):
    with rsyslog_tcp(tmp_path) as receiver, \
            Drive(f"syslog+tcp://127.0.0.1:{receiver.port}", "protocol=rfc3164", "app_name=py", "prefix=@cee:",
                  env={"TZ": "UTC"}) as drive:
        ok(drive.send([item(1, severity=1)]))
        m = receiver.messages(1)[0]
    assert m["programname"] == "py" and re.fullmatch(r"py\[\d+\]:", m["syslogtag"])
    assert m["hostname"] == "testhost" and m["syslogseverity"] == "6"
    assert "09-21T14:13:20" in m["timereported"]
    assert m["msg"] == ' @cee: {"n": 1}'


def test_limit(tmp_path):
    with Peer(lambda c: None) as peer, Drive(peer.url, "max_message=1K") as drive:
        answer = drive.send([item(1), item(2, body="x" * 2000), item(3)])
        assert answer["items"] == ["ok", "rejected", "ok"]
        assert "above the limit of 1024" in answer["reason"]


@pytest.mark.parametrize("url, sentence", [
    ("syslog+tcp:127.0.0.1", "'//' and a host have to follow the scheme"),
    ("syslog+tcp://", "the host is missing"),
    ("syslog+tcp://h:0", "the port is not a number from 1 to 65535"),
    ("syslog+tcp://h:99999", "the port is not a number from 1 to 65535"),
    ("syslog+tcp://u:p@h", "a user or password belongs into the settings"),
    ("syslog+tcp://h/path", "has a path"),
    ("syslog+udp://[::1", "has no end"),
    ("syslog+unix:relative", "an absolute path")])
def test_urls(url, sentence):
    assert sentence in Drive(url).refusal()


@pytest.mark.parametrize("transport", ["tcp", "tls", "unix"])
def test_syslog_ng(tmp_path, certificates, transport):
    port = free_port()
    settings = []
    if transport == "tcp":
        source = f'syslog(ip("127.0.0.1") port({port}) transport("tcp"))'
        url = f"syslog+tcp://127.0.0.1:{port}"
    elif transport == "tls":
        cert, key = certificates.server
        source = (f'syslog(ip("127.0.0.1") port({port}) transport("tls") tls(cert-file("{cert}") '
                  f'key-file("{key}") ca-file("{certificates.good.ca}") peer-verify(required-trusted)))')
        url = f"syslog+tls://127.0.0.1:{port}"
        settings = tls_settings(certificates)
    else:
        source = f'unix-stream("{tmp_path}/socket" flags(syslog-protocol))'
        url = f"syslog+unix://{tmp_path}/socket"
    with SyslogNg(tmp_path, source, None if transport == "unix" else port) as receiver:
        with Drive(url, *settings) as drive:
            ok(drive.send(hostile_items()))
            messages = receiver.messages(len(HOSTILE))
        assert len(messages) == len(HOSTILE)
        got = {json.loads(m["MESSAGE"])["n"]: m for m in messages}
        for n, text in enumerate(HOSTILE):
            assert json.loads(got[n]["MESSAGE"])["text"] == text
            assert got[n]["PROGRAM"] == "pytrail"
        if transport == "tls":
            with Drive(url, *tls_settings(certificates, client=certificates.stranger)) as drive:
                answer = drive.send([item(1)])
                assert answer["items"] == ["denied"], answer
            with Drive(url, f"tls_ca={certificates.good.ca}") as drive:
                answer = drive.send([item(1)])
                assert answer["items"] == ["denied"], answer
