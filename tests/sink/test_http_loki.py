# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Loki's push API: labels, entries, structured metadata."""
import pytest

from driving import HOSTILE, item
from fakes import Fake, HttpDrive, answer, cannot_open


def entries(request, labels=("category", "host", "job", "severity")):
    """The strict reading: [(labels, ns, line, metadata)]."""
    assert request.path == "/loki/api/v1/push"
    assert request.headers["Content-Type"] == "application/json"
    body = request.json()
    assert list(body) == ["streams"]
    found, seen = [], []
    for stream in body["streams"]:
        assert set(stream) == {"stream", "values"} and stream["values"]
        assert set(stream["stream"]) <= set(labels)
        assert stream["stream"] not in seen
        seen.append(stream["stream"])
        for stamp, line, *metadata in stream["values"]:
            assert isinstance(stamp, str) and stamp.isdigit() and isinstance(line, str)
            assert len(metadata) <= 1
            assert all(isinstance(v, str) for m in metadata for v in m.values())
            found.append((stream["stream"], int(stamp), line, *metadata))
    return found


def sent(respond, items, format=None, **settings):
    with Fake(respond) as fake:
        with HttpDrive(f"loki+http://127.0.0.1:{fake.port}", format=format, **settings) as drive:
            return drive.send(items), fake.requests


def test_entries_by_stream():
    items = [item(n, severity=s, category=c, time_ns=1700000000000000000 + n)
             for n, (s, c) in enumerate([(1, "file"), (5, "process"), (1, "file"), (9, ""), (1, "process")])]
    result, requests = sent([answer(204)], items)
    assert (result["status"], result["code"]) == ("ok", 204)
    found = sorted(entries(requests[0]), key=lambda e: e[1])
    common = {"job": "pytrail", "host": "testhost"}
    assert [e[0] for e in found] == [
        {**common, "category": "file", "severity": "informational"},
        {**common, "category": "process", "severity": "critical"},
        {**common, "category": "file", "severity": "informational"},
        {**common, "severity": "critical"},
        {**common, "category": "process", "severity": "informational"}]
    assert found[2][1:] == (1700000000000000002, '{"n": 2}',
                            {"id": "b00t-2", "event": "os.system", "entity": "e" * 32})


def test_settings(tmp_path):
    (tmp_path / "p").write_text("pw")
    _, requests = sent([answer(204)], [item(1)], job="sensors", label=["env=prod", "site=a=b"],
                       tenant="t1", metadata="no", user="123", password=str(tmp_path / "p"))
    labels, _, _, *metadata = entries(requests[0], ("category", "host", "job", "severity", "env",
                                                    "site"))[0]
    assert (labels["job"], labels["env"], labels["site"]) == ("sensors", "prod", "a=b")
    assert metadata == [] and requests[0].headers["X-Scope-OrgID"] == "t1"
    assert requests[0].basic() == "123:pw"


def test_hostile_texts():
    result, requests = sent([answer(204)], [item(n, body=text) for n, text in enumerate(HOSTILE)],
                            format="text")
    assert result["status"] == "ok"
    assert [e[2] for e in entries(requests[0])] == HOSTILE


def test_bytes_that_are_no_utf8():
    items = [item(1), {**item(2), "body_hex": "61ff62eda0803ce282"}]
    _, requests = sent([answer(204)], items, format="text")
    assert entries(requests[0])[1][2] == "a\ufffdb\ufffd\ufffd\ufffd<\ufffd\ufffd"


def test_thousands_of_categories_lose_the_label_only():
    items = [item(n, category=f"c{n}", severity=n % 5 + 1) for n in range(3000)]
    _, requests = sent([answer(204)], items)
    found = entries(requests[0])
    assert sorted(e[3]["id"] for e in found) == sorted(i["id"] for i in items)
    for labels, _, _, metadata in found:
        assert labels.get("category", metadata["id"].replace("b00t-", "c")) \
            == metadata["id"].replace("b00t-", "c")


@pytest.mark.parametrize("code, text, status", [
    (400, "entry for stream '{job=\"pytrail\"}' has timestamp too old", "rejected"),
    (400, "stream '{}' has structured metadata attached, but this feature is disallowed. Please see "
          "`limits_config.allow_structured_metadata`", "denied"),
    (401, "no org id", "denied"), (404, "", "denied"), (429, "ingestion rate limit", "retry"),
    (500, "", "retry")])
def test_refusals(code, text, status):
    result, _ = sent([answer(code, text)], [item(1)])
    assert result["status"] == status
    assert text[:20] in result["reason"] or "'metadata'" in result["reason"]


@pytest.mark.parametrize("label", ["x", "=x", "x=", "1a=b", "a-b=c", "job=x", "severity=x"])
def test_labels_that_are_none(label):
    assert "'label'" in cannot_open("loki+http://h", label=label)
