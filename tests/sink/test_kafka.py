# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The Kafka driver against librdkafka's mock cluster, with kcat as a separate consumer."""
import json
import ssl
import struct

import pytest

from brokers import Mock
from driving import HOSTILE, Drive, item
from receivers import Listener, free_port, need

PRODUCE, INIT_PRODUCER_ID = 0, 22  # API keys of Kafka's protocol
LEADER, TOO_LARGE, NOT_ENOUGH, TOPIC_DENIED, SEQUENCE, INVALID_RECORD = 6, 10, 19, 29, 45, 87  # error codes


@pytest.fixture
def mock():
    need("kcat")
    with Mock() as m:
        yield m


def ok(answer):
    assert answer["items"] == ["ok"] * len(answer["items"]), answer


def numbers(messages):
    return [json.loads(m["payload"])["n"] for m in messages]


def test_key_headers_and_hostile_bodies(mock):
    items = [item(n, entity=f"process{n % 3}", body={"n": n, "text": text}) for n, text in enumerate(HOSTILE)]
    with Drive(mock.url(), format="ecs") as drive:
        ok(drive.send(items))
    got = {json.loads(m["payload"])["n"]: m for m in mock.consume()}
    assert len(got) == len(items)
    for n, text in enumerate(HOSTILE):
        m = got[n]
        assert json.loads(m["payload"])["text"] == text
        assert m["key"] == f"process{n % 3}" and m["ts"] == 1790000000123
        assert m["headers"] == ["content-type", "application/json", "schema", "ecs/9.4.0", "event-id", f"b00t-{n}"]


def test_order_of_a_process(mock):
    with Drive(mock.url()) as drive:
        for batch in range(5):
            ok(drive.send([item(batch * 200 + n, entity=f"p{n % 7}") for n in range(200)]))
    by_key = {}
    for m in mock.consume():
        by_key.setdefault(m["key"], []).append((m["partition"], m["offset"], json.loads(m["payload"])["n"]))
    assert len(by_key) == 7
    for messages in by_key.values():
        assert len({partition for partition, _, _ in messages}) == 1
        assert [n for _, _, n in sorted(messages)] == sorted(n for _, _, n in messages)


def test_text_formats(mock):
    with Drive(mock.url(), format="cef") as drive:
        ok(drive.send([item(1, body="CEF:0|a", entity="")]))
    m = mock.consume()[0]
    assert m["payload"] == "CEF:0|a" and m["key"] is None
    assert m["headers"][1] == "text/plain; charset=utf-8" and m["headers"][3].startswith("pytrail-cef/")


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_compression(mock, compression):
    with Drive(mock.url(), f"compression={compression}") as drive:
        ok(drive.send([item(n, body={"n": n, "pad": "p" * 1000}) for n in range(100)]))
    assert sorted(numbers(mock.consume())) == list(range(100))


@pytest.mark.parametrize("error", [LEADER, NOT_ENOUGH])
def test_errors_that_pass(mock, error):
    """The library tries again by itself; nothing is lost and nothing is there twice."""
    with Drive(mock.url()) as drive:
        ok(drive.send([item(0)]))
        mock.tell(f"errors {PRODUCE} {error} 3")
        ok(drive.send([item(n) for n in range(1, 100)]))
    assert sorted(numbers(mock.consume())) == list(range(100))


def test_denied(mock):
    with Drive(mock.url(), "timeout=5s") as drive:
        mock.tell(f"errors {PRODUCE} {TOPIC_DENIED} 50")
        answer = drive.send([item(1), item(2)])
        assert set(answer["items"]) == {"denied"} and answer["code"] == TOPIC_DENIED
        assert "authorization" in answer["reason"].lower()


def test_too_large_for_us(mock):
    with Drive(mock.url(), "property=message.max.bytes=50000") as drive:
        answer = drive.send([item(1), item(2, body="x" * 60_000), item(3)])
        assert answer["items"] == ["ok", "rejected", "ok"] and "too large" in answer["reason"].lower()
    assert sorted(numbers(mock.consume())) == [1, 3]


def test_too_large_for_the_broker(mock):
    with Drive(mock.url(), "timeout=5s") as drive:
        ok(drive.send([item(0)]))
        mock.tell(f"errors {PRODUCE} {TOO_LARGE} 1")
        assert set(drive.send([item(1), item(2)])["items"]) == {"too_large"}, "smaller batches may do"
        mock.tell(f"errors {PRODUCE} {TOO_LARGE} 1")
        assert drive.send([item(1)])["items"] == ["rejected"], "there are no smaller ones"
        drive.until_delivered([item(3)])


def test_invalid_record(mock):
    with Drive(mock.url(), "timeout=5s") as drive:
        mock.tell(f"errors {PRODUCE} {INVALID_RECORD} 1")
        assert drive.send([item(1)])["items"] == ["rejected"]


def test_fatal_error_of_idempotence(mock):
    """A producer whose sequence the broker does not know any more is replaced."""
    with Drive(mock.url(), "timeout=5s") as drive:
        ok(drive.send([item(0)]))
        mock.tell(f"errors {PRODUCE} {SEQUENCE} 1")
        items = [item(n) for n in range(1, 50)]
        answer = drive.send(items)
        assert set(answer["items"]) <= {"retry", "ok"}, answer
        drive.until_delivered([it for it, said in zip(items, answer["items"]) if said != "ok"])
    assert set(numbers(mock.consume())) == set(range(50))


def test_all_brokers_down_and_up(mock):
    with Drive(mock.url(), "timeout=1s") as drive:
        drive.until_delivered([item(0)])  # a second is short for the library's first one on a busy machine
        for broker in (1, 2, 3):
            mock.tell(f"down {broker}")
        answer = drive.send([item(1), item(2)])
        assert set(answer["items"]) == {"retry"} and answer["reason"]
        for broker in (1, 2, 3):
            mock.tell(f"up {broker}")
        drive.until_delivered([item(1), item(2)])
    assert set(numbers(mock.consume())) == {0, 1, 2}


def test_one_broker_down(mock):
    with Drive(mock.url(), "timeout=10s") as drive:
        ok(drive.send([item(n, entity=f"p{n}") for n in range(20)]))
        mock.tell("down 2")
        drive.begin([item(20 + n, entity=f"p{n}") for n in range(20)])
        mock.tell("up 2")
        ok(drive.answer())
    assert set(numbers(mock.consume())) == set(range(40))


def test_slow_broker(mock):
    for broker in (1, 2, 3):
        mock.tell(f"rtt {broker} 300")
    with Drive(mock.url(), "timeout=20s") as drive:
        ok(drive.send([item(n) for n in range(10)]))
    assert sorted(numbers(mock.consume())) == list(range(10))


def test_nobody_there_and_interrupt():
    with Drive(f"kafka://127.0.0.1:{free_port()}/events", "timeout=1h") as drive:
        drive.interrupt(0.3)
        answer = drive.send([item(1)])
        assert answer["items"] == ["retry"] and answer["reason"]
        assert drive.send([item(2)])["items"] == ["retry"], "and so do later ones"


def test_tls_with_one_that_has_none(mock):
    servers = mock.servers
    with Drive(f"kafka+tls://{servers}/events", "timeout=3s") as drive:
        answer = drive.send([item(1)])
        assert answer["items"] in (["denied"], ["retry"]) and answer["reason"], answer


def test_sasl_with_one_that_has_none(tmp_path, mock):
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    with Drive(mock.url(), "timeout=3s", "sasl_mechanism=PLAIN", "sasl_username=u",
               f"sasl_password={secret}") as drive:
        answer = drive.send([item(1)])
        assert answer["items"] in (["denied"], ["retry"]) and "hunter2" not in answer["reason"], answer


class Broker(Listener):
    """As much of a broker as logging in takes (https://kafka.apache.org/protocol): code answers it."""

    def __init__(self, code):
        self.code, self.logins = code, []
        super().__init__(self.talk)

    def talk(self, connection):
        with connection, connection.makefile("rb") as file:
            while size := file.read(4):
                request = file.read(struct.unpack(">i", size)[0])
                key, version, correlation = struct.unpack(">hhi", request[:8])
                body = struct.pack(">i", correlation) + self.answer(key, version, request)
                connection.sendall(struct.pack(">i", len(body)) + body)

    def answer(self, key, version, request):
        if key == 18:  # ApiVersions
            known = [(0, 0, 8), (3, 0, 4), (17, 0, 1), (18, 0, 0), (22, 0, 1), (36, 0, 0)]
            return struct.pack(">hi", 35 if version else 0, len(known)) + b"".join(
                struct.pack(">hhh", *api) for api in known)
        if key == 17:  # SaslHandshake
            return struct.pack(">hih5s", 0, 1, 5, b"PLAIN")
        assert key == 36  # SaslAuthenticate
        self.logins.append(request)
        return struct.pack(">hh8si", self.code, 8, b"go away!", 0)


def test_sasl_refused(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    with Broker(58) as broker, Drive(f"kafka://127.0.0.1:{broker.port}/events", "timeout=1h", "sasl_mechanism=PLAIN",
                                     "sasl_username=me", f"sasl_password={secret}") as drive:
        answer = drive.send([item(1), item(2)])
        assert answer["items"] == ["denied", "denied"] and "go away!" in answer["reason"], answer
        assert "hunter2" not in answer["reason"]
        assert broker.logins[0].endswith(b"\0me\0hunter2")


@pytest.mark.parametrize("good", [True, False])
def test_tls(certificates, good):
    """The handshake, with certificates on both sides; the mock cluster has no TLS to go on with."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.good.ca)
    context.load_cert_chain(*certificates.server)
    context.verify_mode = ssl.CERT_REQUIRED
    seen = []

    def serve(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            seen.append(dict(pair for field in tls.getpeercert()["subject"] for pair in field))
            tls.recv(1)

    ca = certificates.good.ca if good else certificates.other.ca
    cert, key = certificates.client
    timeout = "2s" if good else "1h"  # a refusal ends the waiting, however late a busy machine comes to it
    with Listener(serve) as broker, Drive(f"kafka+tls://localhost:{broker.port}/events", f"timeout={timeout}",
                                          f"tls_ca={ca}", f"tls_cert={cert}", f"tls_key={key}") as drive:
        answer = drive.send([item(1)])
        assert answer["items"] == ["retry" if good else "denied"], answer
    assert ({"commonName": "client"} in seen) == good


@pytest.mark.parametrize("url, settings, sentence", [
    ("kafka://h:9092", [], "is not a URL that can be used here"),
    ("kafka://h:9092/", [], "is not a URL that can be used here"),
    ("kafka://h:9092/a b", [], "is not a URL that can be used here"),
    ("kafka://u:p@h:9092/t", [], "is not a URL that can be used here"),
    ("kafka://h/t", ["property=acks=1"], "the property 'acks' cannot be set: all of them are awaited"),
    ("kafka://h/t", ["property=sasl.password=x"], "set 'sasl_password'"),
    ("kafka://h/t", ["property=nonsense"], "'property' takes NAME=VALUE"),
    ("kafka://h/t", ["property=no.such=1"], "librdkafka does not take the property 'no.such': No such"),
    ("kafka://h/t", ["property=linger.ms=x"], "librdkafka does not take the property 'linger.ms'"),
    ("kafka://h/t", ["property=max.in.flight=100"], "librdkafka cannot be used so: "),
    ("kafka://h/t", ["sasl_username=u"], "need 'sasl_mechanism', too"),
    ("kafka+tls://h/t", ["tls_name=x"], "'tls_name' cannot be set for Kafka"),
    ("kafka+tls://h/t", ["tls_ca=/nowhere"], "librdkafka")])
def test_settings(url, settings, sentence):
    assert sentence in Drive(url, *settings).refusal()
