# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""HEC: events, its own codes, and acknowledgements."""
import json
import re

import pytest

from driving import item
from fakes import Fake, HttpDrive, answer, cannot_open, silent

CHANNEL = "X-Splunk-Request-Channel"
OK = {"text": "Success", "code": 0}


@pytest.fixture(name="token")
def fixture_token(tmp_path):
    (tmp_path / "token").write_text("0123-abc\n")
    return str(tmp_path / "token")


def events(request):
    """The strict reading: JSON objects one behind the other, nothing between them."""
    assert request.path == "/services/collector/event"
    assert request.headers["Authorization"] == "Splunk 0123-abc"
    text, found = request.body.decode(), []
    while text:
        event, end = json.JSONDecoder().raw_decode(text)
        assert set(event) <= {"time", "host", "source", "sourcetype", "index", "event", "fields"}
        assert all(isinstance(v, str) for v in event["fields"].values())
        found.append(event)
        text = text[end:]
    return found


class Hec:
    """Acknowledges after so many questions; never: None."""

    def __init__(self, asked=1):
        self.asked, self.next, self.channels = asked, 7, set()

    def __call__(self, request):
        channel = request.headers[CHANNEL]
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                            channel)
        self.channels.add(channel)
        if request.path == "/services/collector/event":
            events(request)
            self.next += 1
            return answer(200, {**OK, "ackId": self.next})
        assert request.path == "/services/collector/ack"
        assert request.headers["Content-Encoding"] is None
        assert request.json() == {"acks": [self.next]}
        if self.asked is not None:
            self.asked -= 1
        done = self.asked is not None and self.asked <= 0
        return answer(200, {"acks": {str(self.next): done}})


def drive_to(fake, token, path="", **settings):
    return HttpDrive(f"splunk+http://127.0.0.1:{fake.port}{path}", token=token, **settings)


def sent(respond, token, items=None, **settings):
    with Fake(respond) as fake, drive_to(fake, token, **settings) as drive:
        result = drive.send(items or [item(1)])
    return result, fake.requests


def test_events(token):
    items = [item(n, time_ns=1700000000123456789, body={"n": n, "x": '"é\u2028'}) for n in range(2)]
    result, requests = sent([answer(200, OK)], token, items, index="main", format="ecs")
    assert result["status"] == "ok"
    first, second = events(requests[0])
    assert first == {"time": 1700000000.123456, "host": "testhost", "source": "pytrail",
                     "sourcetype": "pytrail:ecs", "index": "main",
                     "event": {"n": 0, "x": '"é\u2028'},
                     "fields": {"severity": "medium", "id": "b00t-0", "category": "process"}}
    assert second["event"]["n"] == 1
    assert '"time":1700000000.123456,' in requests[0].body.decode()


def test_text_goes_as_a_string(token):
    _, requests = sent([answer(200, OK)], token, [item(1, body='CEF:0|"x"\\n')], format="cef")
    assert events(requests[0])[0]["event"] == 'CEF:0|"x"\\n'


@pytest.mark.parametrize("path", ["", "/", "/services/collector", "/services/collector/event"])
def test_where_to(token, path):
    with Fake([answer(200, OK)]) as fake, drive_to(fake, token, path) as drive:
        assert drive.send([item(1)])["status"] == "ok"
        assert fake.requests[0].path == "/services/collector/event"


@pytest.mark.parametrize("status, code, wanted", [
    (403, 1, "denied"), (401, 2, "denied"), (401, 3, "denied"), (403, 4, "denied"),
    (400, 5, "rejected"), (400, 6, "rejected"), (400, 7, "denied"), (500, 8, "retry"),
    (503, 9, "retry"), (400, 10, "denied"), (400, 11, "denied"), (400, 12, "rejected"),
    (400, 13, "rejected"), (400, 14, "denied"), (400, 15, "rejected"), (400, 16, "denied"),
    (503, 20, "retry"), (503, 23, "retry"), (429, 26, "retry"), (400, 999, "rejected"),
    (413, 27, "retry"), (200, 9, "retry"), (200, 7, "denied")])
def test_codes(token, status, code, wanted):
    result, _ = sent([answer(status, {"text": "Their words", "code": code})], token)
    assert (result["status"], result["reason"]) == (wanted, "HEC: Their words")


@pytest.mark.parametrize("body", ["", "<html>", "{}", "[]", {"text": "Success"},
                                  {"text": "Success", "code": "0"}])
def test_an_answer_that_is_none_of_hec(token, body):
    assert sent([answer(200, body)], token)[0]["status"] == "retry"


def test_acknowledged(token):
    hec = Hec(asked=2)
    with Fake(hec) as fake, drive_to(fake, token) as drive:
        assert drive.send([item(1)])["status"] == "ok"
        assert [r.path for r in fake.requests].count("/services/collector/ack") == 2
        hec.asked = 1
        assert drive.send([item(2)])["status"] == "ok"
        assert len(hec.channels) == 1


def test_not_acknowledged_in_time(token):
    result, _ = sent(Hec(asked=None), token, ack_timeout="1s")
    assert result["status"] == "retry" and "not acknowledged" in result["reason"]


def test_interrupted_while_it_waits(token):
    with Fake(Hec(asked=None)) as fake, drive_to(fake, token) as drive:
        drive.begin([item(1)])
        fake.seen()
        fake.seen()
        drive.interrupt_now()
        assert drive.answer()["reason"] == "interrupted"


@pytest.mark.parametrize("answers, wanted", [
    ([answer(503, {"text": "Server is busy", "code": 9}), answer(200, {"acks": {"8": True}})], "ok"),
    ([answer(200, "garbage"), answer(200, {"acks": {"8": False}}),
      answer(200, {"acks": {"8": True}})], "ok"),
    ([answer(200, {"acks": {"9": True}}), answer(200, {"acks": {"8": "true"}}),
      answer(200, {"acks": {"8": True}})], "ok"),
    ([answer(400, {"text": "ACK is disabled", "code": 14})], "denied"),
    ([answer(404)], "denied")])
def test_questions_that_fail(token, answers, wanted):
    left = [answer(200, {**OK, "ackId": 8})] + answers
    result, _ = sent(lambda request: left.pop(0), token)
    assert result["status"] == wanted and not left


def test_ack_on_and_off(token):
    result, requests = sent([answer(200, OK)], token, ack="on")
    assert result["status"] == "denied" and "'ack'" in result["reason"]
    assert requests[0].headers[CHANNEL]
    result, requests = sent([answer(200, {**OK, "ackId": 1})], token, ack="off")
    assert result["status"] == "ok" and len(requests) == 1 and not requests[0].headers[CHANNEL]


def test_no_ack_when_the_receiver_is_silent(token):
    left = [answer(200, {**OK, "ackId": 8}), silent]
    result, _ = sent(lambda request: left.pop(0) if len(left) > 1 else silent, token,
                     timeout="300ms", ack_timeout="1s")
    assert result["status"] == "retry"


def test_bodies_that_would_forge_an_event(token):
    items = [item(1), item(2, body='{"a":1}\n{"event":"forged"}'), item(3)]
    result, requests = sent([answer(200, OK)], token, items)
    assert result["items"] == ["ok", "rejected", "ok"]
    assert [e["fields"]["id"] for e in events(requests[0])] == ["b00t-1", "b00t-3"]


def test_without_a_token():
    assert "'token'" in cannot_open("splunk+http://h")
