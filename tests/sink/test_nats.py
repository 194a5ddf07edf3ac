# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The NATS driver against nats-server with JetStream, read by a client of our own."""
import json
import signal

import pytest

from brokers import Nats
from driving import HOSTILE, Drive, item
from receivers import free_port


@pytest.fixture
def nats(tmp_path):
    with Nats(tmp_path) as server:
        server.add_stream()
        yield server


def numbers(server):
    return [json.loads(data)["n"] for data, _ in server.messages()]


def test_hostile_and_headers(nats):
    with Drive(nats.url(), format="ecs") as drive:
        items = [item(n, body={"n": n, "text": text}) for n, text in enumerate(HOSTILE)]
        assert set(drive.send(items)["items"]) == {"ok"}
    messages = nats.messages()
    assert [json.loads(data)["text"] for data, _ in messages] == HOSTILE
    assert messages[3][1] == {"Nats-Msg-Id": "b00t-3", "Content-Type": "application/json", "Schema": "ecs/9.4.0"}


def test_duplicates_are_known(nats):
    with Drive(nats.url()) as drive:
        for _ in range(3):
            assert set(drive.send([item(n) for n in range(20)])["items"]) == {"ok"}
        drive.send([item(20, id="evil\r\nNats-Rollup: all")])
    assert numbers(nats) == list(range(21))
    assert nats.messages()[-1][1]["Nats-Msg-Id"] == "evil__Nats-Rollup:_all"


def test_many_batches_in_order(nats):
    with Drive(nats.url()) as drive:
        for batch in range(5):
            assert set(drive.send([item(batch * 500 + n) for n in range(500)])["items"]) == {"ok"}
    assert numbers(nats) == list(range(2500))


def test_killed_and_restarted(tmp_path):
    with Nats(tmp_path) as server:
        server.add_stream()
        with Drive(server.url(), "timeout=5s") as drive:
            for batch in range(3):
                items = [item(batch * 3000 + n, body={"n": batch * 3000 + n, "pad": "p" * 500}) for n in range(3000)]
                drive.begin(items)
                server.kill()
                answer = drive.answer()
                assert set(answer["items"]) <= {"ok", "retry"}
                server.start()
                drive.until_delivered([it for it, said in zip(items, answer["items"]) if said != "ok"])
        got = numbers(server)
        assert set(got) == set(range(9000)) and len(got) == 9000, "all, each once"


def test_no_stream(nats):
    with Drive(nats.url("elsewhere"), "timeout=3s") as drive:
        answer = drive.send([item(1), item(2)])
        assert answer["items"] == ["retry"] * 2 and answer["reason"] == "no stream takes the subject"


def test_larger_than_the_server_takes(nats):
    with Drive(nats.url()) as drive:
        answer = drive.send([item(1), item(2, body="x" * 2_000_000), item(3)])
        assert answer["items"] == ["ok", "rejected", "ok"] and "max_payload" in answer["reason"]
    assert numbers(nats) == [1, 3]


def test_larger_than_the_stream_takes(tmp_path):
    with Nats(tmp_path) as server:
        server.add_stream(max_msg_size=1000)
        with Drive(server.url()) as drive:
            answer = drive.send([item(1), item(2, body="x" * 2000), item(3)])
            assert answer["items"] == ["ok", "rejected", "ok"] and "exceeds maximum" in answer["reason"]


def test_full(tmp_path):
    with Nats(tmp_path) as server:
        server.add_stream(max_msgs=5, discard="new")
        with Drive(server.url()) as drive:
            answer = drive.send([item(n) for n in range(8)])
            assert answer["items"] == ["ok"] * 5 + ["retry"] * 3 and "maximum messages" in answer["reason"]


def test_stopped_and_interrupt(nats):
    with Drive(nats.url(), "timeout=500ms") as drive:
        assert drive.send([item(0)])["items"] == ["ok"]
        nats.process.send_signal(signal.SIGSTOP)
        answer = drive.send([item(1)])
        nats.process.send_signal(signal.SIGCONT)
        assert answer["items"] == ["retry"] and answer["reason"]
        drive.until_delivered([item(1)])
    with Drive(nats.url(), "timeout=1h") as drive:
        assert drive.send([item(0)])["items"] == ["ok"]
        nats.process.send_signal(signal.SIGSTOP)
        drive.interrupt(0.2)
        assert drive.send([item(2)])["items"] == ["retry"]
        nats.process.send_signal(signal.SIGCONT)
        assert drive.send([item(3)])["items"] == ["retry"], "and so do later ones"


def test_nobody_there():
    with Drive(f"nats://127.0.0.1:{free_port()}/s") as drive:
        answer = drive.send([item(1)])
        assert answer["items"] == ["retry"] and answer["reason"]


def test_login(tmp_path):
    users = ('authorization { users: [ {user: u, password: right, permissions: {publish: ["events.ok", "$JS.>"], '
             'subscribe: ">"}} ] }')
    (tmp_path / "right").write_text("right\n")
    (tmp_path / "wrong").write_text("wrong\n")
    with Nats(tmp_path, users, ("u", "right")) as server:
        server.add_stream()
        with Drive(server.url("events.ok"), "user=u", f"password={tmp_path}/right") as drive:
            assert drive.send([item(1)])["items"] == ["ok"]
        for settings in ([], ["user=u", f"password={tmp_path}/wrong"], [f"token={tmp_path}/wrong"]):
            with Drive(server.url("events.ok"), *settings) as drive:
                answer = drive.send([item(1)])
                assert answer["items"] == ["denied"] and "wrong" not in answer["reason"], answer
        with Drive(server.url("events.secret"), "user=u", f"password={tmp_path}/right", "timeout=5s") as drive:
            answer = drive.send([item(1)])
            assert answer["items"] == ["denied"] and "ermission" in answer["reason"], answer


def test_tls(tmp_path, certificates):
    cert, key = certificates.server
    tls = f'tls {{ cert_file: "{cert}", key_file: "{key}", ca_file: "{certificates.good.ca}", verify: true }}'
    plain = tmp_path / "plain"
    plain.mkdir()
    own, own_key = certificates.client
    other, other_key = certificates.stranger
    good = [f"tls_ca={certificates.good.ca}", f"tls_cert={own}", f"tls_key={own_key}"]
    with Nats(tmp_path, tls) as server:
        with Drive(server.url(scheme="nats+tls"), "timeout=3s", *good, "tls_name=localhost") as drive:
            # there is no stream yet: who we are was accepted
            assert drive.send([item(1)])["reason"] == "no stream takes the subject"
        for settings in ([f"tls_ca={certificates.other.ca}", *good[1:]], [*good, "tls_name=elsewhere.example"],
                         [good[0], f"tls_cert={other}", f"tls_key={other_key}"], good[:1]):
            with Drive(server.url(scheme="nats+tls"), "timeout=3s", *settings) as drive:
                answer = drive.send([item(1)])
                assert answer["items"] in (["denied"], ["retry"]) and answer["reason"], answer
                if "tls_name=elsewhere.example" in settings or certificates.other.ca in settings[0]:
                    assert answer["items"] == ["denied"], answer
        with Drive(server.url(), "timeout=3s") as drive:
            assert drive.send([item(1)])["items"] == ["denied"], "TLS is wanted there"
    with Nats(plain) as server:
        with Drive(server.url(scheme="nats+tls"), "timeout=3s", *good) as drive:
            assert drive.send([item(1)])["items"] == ["denied"], "there is no TLS"


@pytest.mark.parametrize("url, settings, sentence", [
    ("nats://h", [], "a subject without wildcards"),
    ("nats://h/a.>", [], "a subject without wildcards"),
    ("nats://h/a..b", [], "a subject without wildcards"),
    ("nats://h/s", ["user=u"], "give 'user' and 'password', or 'token', or 'credentials'"),
    ("nats+tls://h/s", ["tls_ca=/nowhere"], "libnats does not take 'tls_ca'"),
    ("nats+tls://h/s", ["tls_cert=/nowhere"], "'tls_cert' needs 'tls_key', too")])
def test_settings(url, settings, sentence):
    assert sentence in Drive(url, *settings).refusal()
