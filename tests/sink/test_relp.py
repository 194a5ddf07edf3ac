# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The RELP driver against rsyslog's imrelp, and receivers that behave badly."""
import re

import pytest

from driving import HOSTILE, Drive, item, wait_for
from receivers import Listener, free_port, rsyslog_relp, rsyslog_tcp


def ok(answer):
    assert answer["items"] == ["ok"] * len(answer["items"]), answer


def numbers(receiver):
    return [m["$!"]["n"] for m in receiver.messages(0)]


def tls_settings(certificates, client=None, ca=None):
    cert, key = client or certificates.client
    return [f"tls_ca={ca or certificates.good.ca}", f"tls_cert={cert}", f"tls_key={key}"]


def test_hostile(tmp_path):
    with rsyslog_relp(tmp_path) as receiver, Drive(f"relp://127.0.0.1:{receiver.port}") as drive:
        ok(drive.send([item(n, body={"n": n, "text": text}) for n, text in enumerate(HOSTILE)]))
        # acknowledged is written: nothing is waited for here
        got = {m["$!"]["n"]: m["$!"]["text"] for m in receiver.messages(0)}
        for n, text in enumerate(HOSTILE):
            assert got[n] == text or "\x00" in text


def test_many(tmp_path):
    """Far more than the window, in several batches over one session."""
    with rsyslog_relp(tmp_path) as receiver, Drive(f"relp://127.0.0.1:{receiver.port}") as drive:
        for batch in range(3):
            ok(drive.send([item(batch * 3000 + n) for n in range(3000)]))
        assert numbers(receiver) == list(range(9000)), "all of them, once, in order"


def test_killed_and_restarted(tmp_path):
    """Whatever was acknowledged is in the file, however often the receiver is killed in mid-stream."""
    with rsyslog_relp(tmp_path) as receiver, \
            Drive(f"relp://127.0.0.1:{receiver.port}", "timeout=5s") as drive:
        delivered = set()
        kills = 0
        for batch in range(6):
            items = [item(batch * 2000 + n, body={"n": batch * 2000 + n, "pad": "p" * 200}) for n in range(2000)]
            before = len(receiver.lines())
            drive.begin(items)
            if batch % 2 == 0:
                wait_for(lambda: len(receiver.lines()) > before + 50)
                receiver.kill()
                kills += 1
                receiver.start()
            answer = drive.answer()
            assert set(answer["items"]) <= {"ok", "retry"}
            acknowledged = {it["seq"] for it, said in zip(items, answer["items"]) if said == "ok"}
            assert acknowledged <= set(numbers(receiver))
            delivered |= acknowledged
            rest = [it for it, said in zip(items, answer["items"]) if said != "ok"]
            drive.until_delivered(rest)
        assert kills == 3
        assert set(numbers(receiver)) == set(range(12_000))


def test_nobody_there():
    with Drive(f"relp://127.0.0.1:{free_port()}") as drive:
        answer = drive.send([item(1), item(2)])
        assert answer["items"] == ["retry", "retry"] and "refused" in answer["reason"]


def test_tls(tmp_path, certificates):
    with rsyslog_relp(tmp_path, certificates) as receiver:
        url = f"relp+tls://localhost:{receiver.port}"
        with Drive(url, *tls_settings(certificates)) as drive:
            ok(drive.send([item(n) for n in range(1000)]))
            assert numbers(receiver) == list(range(1000))
        for settings in (tls_settings(certificates, ca=certificates.other.ca), [f"tls_ca={certificates.good.ca}",
                                                                                "tls_name=elsewhere.example"]):
            with Drive(url, *settings) as drive:
                answer = drive.send([item(1)])
                assert answer["items"] == ["denied"] and "not accepted" in answer["reason"], answer
        for settings in (tls_settings(certificates, client=certificates.stranger),
                         [f"tls_ca={certificates.good.ca}"]):
            with Drive(url, "timeout=3s", *settings) as drive:
                answer = drive.send([item(1)])
                assert answer["items"] in (["denied"], ["retry"]), answer
        assert len(numbers(receiver)) == 1000


def test_not_relp(tmp_path):
    """A receiver of plain syslog says nothing at all."""
    with rsyslog_tcp(tmp_path) as receiver, \
            Drive(f"relp://127.0.0.1:{receiver.port}", "timeout=300ms") as drive:
        assert drive.send([item(1)])["items"] == ["retry"]


class Server(Listener):
    """A RELP server of our own: answers(txnr, command, data) gives bytes, None to close."""

    def __init__(self, answers):
        self.answers = answers
        super().__init__(self.session)
        self.url = f"relp://127.0.0.1:{self.port}"

    def session(self, connection):
        with connection, connection.makefile("rb") as file:
            self.talk(connection, file)

    def talk(self, connection, file):
        while True:
            head = b""
            while not re.fullmatch(rb"\d+ [a-z]+ (0\n|[1-9]\d* )", head):
                byte = file.read(1)
                if not byte:
                    return
                head += byte
            txnr, command, length = head.split()
            data = file.read(int(length) + 1)[:-1] if int(length) else b""
            answer = self.answers(int(txnr), command, data)
            if answer is None:
                return
            connection.sendall(answer)


HELLO = b"relp_version=0\ncommands=syslog"


def rsp(txnr, text):
    return b"%d rsp %d %s\n" % (txnr, len(text), text)


def polite(txnr, command, data):
    return rsp(txnr, b"200 OK\n" + HELLO if command == b"open" else b"200 OK")


def test_closes_after_some():
    """Those that were acknowledged are delivered, the others are not."""
    def answers(txnr, command, data):
        if txnr > 100:
            return None
        return polite(txnr, command, data) if txnr <= 11 else b""

    with Server(answers) as server, Drive(server.url) as drive:
        answer = drive.send([item(n) for n in range(100)])
        assert answer["items"] == ["ok"] * 10 + ["retry"] * 90


def test_refuses_some():
    def answers(txnr, command, data):
        return rsp(txnr, b"500 disk is full") if command == b"syslog" and txnr % 2 else polite(txnr, command, data)

    with Server(answers) as server, Drive(server.url) as drive:
        answer = drive.send([item(n) for n in range(10)])
        assert answer["items"] == ["ok", "retry"] * 5
        assert answer["code"] == 500 and "500 disk is full" in answer["reason"]


def test_answers_out_of_order():
    held = []

    def answers(txnr, command, data):
        if command == b"open":
            return polite(txnr, command, data)
        held.append(rsp(txnr, b"200 OK"))
        return b"".join(reversed(held)) if len(held) == 20 else b""

    with Server(answers) as server, Drive(server.url) as drive:
        ok(drive.send([item(n) for n in range(20)]))


def test_server_closes_in_good_order():
    def answers(txnr, command, data):
        hint = b"0 serverclose 0\n" if command == b"syslog" else b""
        return polite(txnr, command, data) + hint

    with Server(answers) as server, Drive(server.url) as drive:
        ok(drive.send([item(1)]))
        ok(drive.send([item(2)]))
        assert len(server.connections) == 2


@pytest.mark.parametrize("lie", [b"1 rsp 99999999 200 OK", b"\0" * 100, b"1 rsp x\n", b"99 rsp 6 200 OK\n",
                                 b"1 rsp 3 abc\n", b"1 syslog 2 hi\n", b"9999999999 rsp 0\n", b"x" * 10000])
@pytest.mark.parametrize("when", [b"open", b"syslog"])
def test_lies(lie, when):
    def answers(txnr, command, data):
        return lie if command == when else polite(txnr, command, data)

    with Server(answers) as server, Drive(server.url, "timeout=300ms") as drive:
        answer = drive.send([item(1), item(2)])
        assert set(answer["items"]) == {"retry"} and answer["reason"]


@pytest.mark.parametrize("answer, reason", [
    (b"500 go away", "the receiver refuses the session: 500 go away"),
    (b"200 OK\nrelp_version=0\ncommands=foo,syslogs", "the receiver takes no syslog messages")])
def test_no_session(answer, reason):
    with Server(lambda txnr, command, data: rsp(txnr, answer)) as server, Drive(server.url) as drive:
        said = drive.send([item(1)])
        assert said["items"] == ["retry"] and said["reason"] == reason


def test_silence_and_interrupt():
    def answers(txnr, command, data):
        return b"" if command == b"syslog" else polite(txnr, command, data)

    with Server(answers) as server:
        with Drive(server.url, "timeout=300ms") as drive:
            answer = drive.send([item(1)])
            assert answer["items"] == ["retry"] and "timed out" in answer["reason"]
        with Drive(server.url, "timeout=1h") as drive:
            drive.interrupt(0.2)
            assert drive.send([item(n) for n in range(1000)])["items"] == ["retry"] * 1000


def test_limit():
    with Server(polite) as server, Drive(server.url, "max_message=1K") as drive:
        answer = drive.send([item(1), item(2, body="x" * 2000), item(3)])
        assert answer["items"] == ["ok", "rejected", "ok"] and "above the limit" in answer["reason"]
