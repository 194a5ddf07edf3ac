# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Plain webhooks: lines and arrays."""
import json
import random

import pytest

from driving import item
from fakes import Fake, HttpDrive, answer, cannot_open, endless, half


def sent(respond, items, scheme="webhook+http", path="/hook", format=None, **settings):
    with Fake(respond) as fake:
        with HttpDrive(f"{scheme}://127.0.0.1:{fake.port}{path}", format=format, **settings) as drive:
            return drive.send(items), fake.requests


@pytest.mark.parametrize("coding", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("scheme", ["webhook+http", "http"])
def test_lines(scheme, coding):
    result, requests = sent([answer(202)], [item(1), item(2)], scheme, compression=coding)
    assert (result["status"], result["code"]) == ("ok", 202)
    assert requests[0].method == "POST" and requests[0].path == "/hook"
    assert requests[0].headers["Content-Type"] == "application/x-ndjson"
    assert requests[0].headers["Content-Encoding"] == (None if coding == "none" else coding)
    assert requests[0].body == b'{"n": 1}\n{"n": 2}\n'


def test_array():
    _, requests = sent([answer(200)], [item(1), item(2)], body="array", method="PUT")
    assert requests[0].method == "PUT" and requests[0].json() == [{"n": 1}, {"n": 2}]
    assert requests[0].headers["Content-Type"] == "application/json"


def test_texts():
    items = [item(1, body="CEF:0|é"), item(2, body='"')]
    _, requests = sent([answer(200)], items, format="cef")
    assert requests[0].headers["Content-Type"] == "text/plain; charset=utf-8"
    assert requests[0].body.decode() == 'CEF:0|é\n"\n'
    _, requests = sent([answer(200)], items, format="cef", body="array", content_type="a/b")
    assert requests[0].json() == ["CEF:0|é", '"'] and requests[0].headers["Content-Type"] == "a/b"


def test_what_is_not_a_line_stays_here():
    items = [item(1, body='{"a":1}\n{"b":2}'), item(2), item(3, body="")]
    result, requests = sent([answer(200)], items)
    assert result["items"] == ["rejected", "ok", "rejected"] and requests[0].body == b'{"n": 2}\n'
    result, requests = sent([answer(503)], items)
    assert result["items"] == ["rejected", "retry", "rejected"]
    result, requests = sent([answer(200)], items[:1])
    assert result["status"] == "rejected" and not requests


def test_tokens_in_the_url(tmp_path):
    (tmp_path / "path").write_text("/T0KEN?a=b\n")
    _, requests = sent([answer(200)], [item(1)], secret_path=str(tmp_path / "path"))
    assert requests[0].path == "/hook/T0KEN?a=b"
    _, requests = sent([answer(200)], [item(1)], query="x=%20y")
    assert requests[0].path == "/hook?x=%20y"


def test_the_status_counts_not_the_body():
    assert sent([answer(200, "x" * 100_000)], [item(1)])[0]["status"] == "ok"
    assert sent([endless(b"x" * 1000)], [item(1)])[0]["status"] == "ok"
    assert sent([half(b"x")], [item(1)])[0]["status"] == "retry"


@pytest.mark.parametrize("settings, word", [({"query": "a b"}, "'query'"), ({"query": "a#b"}, "'query'"),
                                            ({"content_type": "a\r\nX: y"}, "'content_type'"),
                                            ({"secret_path": "/dev/null"}, "'secret_path'")])
def test_settings_that_are_none(settings, word):
    assert word in cannot_open("webhook+http://h", **settings)


def test_a_batch_that_compresses_little():
    body = json.dumps({"x": random.Random(1).randbytes(500_000).hex()})
    for coding in ("gzip", "zstd"):
        result, requests = sent([answer(200)], [item(1, body=body)], compression=coding)
        assert result["status"] == "ok" and requests[0].body == body.encode() + b"\n"
