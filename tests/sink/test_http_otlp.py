# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""OTLP/HTTP logs: both encodings, read by protoc and by a strict reading of protobuf's JSON mapping."""
import json
import os
import re
import struct
import subprocess
import sys

import pytest

from driving import HOSTILE, item
from fakes import Fake, HttpDrive, answer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "formats"))
import schemas  # noqa: E402

LOGS = "opentelemetry/proto/collector/logs/v1/logs_service.proto"
REQUEST = "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest"
RESPONSE = "opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse"


def protoc(*args, data):
    root = schemas.need("otlp-1.11.0")
    return subprocess.run(["protoc", f"-I{root}", *args, LOGS], input=data, check=True,
                          capture_output=True).stdout


def unquote(text):
    """A string of protobuf's text format: C escapes of bytes, which must be UTF-8."""
    return re.sub(rb"\\(\d{3}|.)", lambda m: bytes([int(m[1], 8)]) if len(m[1]) == 3 else
                  {b"n": b"\n", b"t": b"\t", b"r": b"\r"}.get(m[1], m[1]), text).decode()


def decode(data):
    """protoc --decode as nested lists of (name, value)."""
    top = []
    stack = [top]
    for line in protoc(f"--decode={REQUEST}", data=data).splitlines():
        line = line.strip()
        if line.endswith(b"{"):
            name = line[:-1].strip().decode()
            assert not name.isdigit(), "a field that the schema does not have"
            stack[-1].append((name, []))
            stack.append(stack[-1][-1][1])
        elif line == b"}":
            stack.pop()
        else:
            name, _, value = line.partition(b": ")
            name = name.decode()
            assert not name.isdigit(), "a field that the schema does not have"
            stack[-1].append((name, unquote(value[1:-1]) if value[:1] == b'"' else value.decode()))
    return top


def all_of(fields, name):
    return [value for key, value in fields if key == name]


def one_of(fields, name):
    (value,) = all_of(fields, name)
    return value


def any_text(fields):
    """An AnyValue of the text format as Python has it."""
    if not fields:
        return None
    ((name, value),) = fields
    if name == "kvlist_value":
        # protoc does not print an empty key, the default.
        return {(all_of(p, "key") or [""])[0]: any_text(one_of(p, "value")) for p in all_of(value, "values")}
    if name == "array_value":
        return [any_text(v) for v in all_of(value, "values")]
    return {"string_value": str, "int_value": int, "double_value": float,
            "bool_value": lambda text: text == "true"}[name](value)


def any_json(value):
    """The same of protobuf's JSON."""
    if value == {}:
        return None
    ((name, value),) = value.items()
    if name == "kvlistValue":
        return {pair["key"]: any_json(pair["value"]) for pair in value["values"]}
    if name == "arrayValue":
        return [any_json(v) for v in value["values"]]
    if name == "intValue":
        assert isinstance(value, str)
        return int(value)
    assert isinstance(value, {"stringValue": str, "doubleValue": float, "boolValue": bool}[name])
    return value


def from_protobuf(data):
    logs = one_of(decode(data), "resource_logs")
    scope_logs = one_of(logs, "scope_logs")
    scope = one_of(scope_logs, "scope")
    attributes = lambda fields: {one_of(a, "key"): any_text(one_of(a, "value"))
                                 for a in all_of(fields, "attributes")}
    return (attributes(one_of(logs, "resource")), (one_of(scope, "name"), one_of(scope, "version")), [
        {"time": int(one_of(r, "time_unix_nano")), "observed": int(one_of(r, "observed_time_unix_nano")),
         "number": one_of(r, "severity_number"), "severity": one_of(r, "severity_text"),
         "name": one_of(r, "event_name"), "body": any_text(one_of(r, "body")),
         "attributes": attributes(r)} for r in all_of(scope_logs, "log_records")])


NUMBERS = {9: "SEVERITY_NUMBER_INFO", 10: "SEVERITY_NUMBER_INFO2", 13: "SEVERITY_NUMBER_WARN",
           17: "SEVERITY_NUMBER_ERROR", 21: "SEVERITY_NUMBER_FATAL"}


def from_json(data):
    body = json.loads(data)
    assert list(body) == ["resourceLogs"]
    (logs,) = body["resourceLogs"]
    (scope_logs,) = logs["scopeLogs"]
    attributes = lambda o: {a["key"]: any_json(a["value"]) for a in o["attributes"]}
    records = scope_logs["logRecords"]
    for r in records:
        assert isinstance(r["timeUnixNano"], str) and isinstance(r["observedTimeUnixNano"], str)
    return (attributes(logs["resource"]), (scope_logs["scope"]["name"], scope_logs["scope"]["version"]), [
        {"time": int(r["timeUnixNano"]), "observed": int(r["observedTimeUnixNano"]),
         "number": NUMBERS[r["severityNumber"]], "severity": r["severityText"], "name": r["eventName"],
         "body": any_json(r["body"]), "attributes": attributes(r)} for r in records])


def sent(respond, items, path="", **settings):
    with Fake(respond) as fake:
        with HttpDrive(f"otlp+http://127.0.0.1:{fake.port}{path}", **settings) as drive:
            return drive.send(items), fake.requests


def read(encoding, items, **settings):
    """What arrives, by a reader of that encoding."""
    kind = "application/json" if encoding == "json" else "application/x-protobuf"
    result, (request,) = sent([answer(200, Content_Type=kind)], items, encoding=encoding, **settings)
    assert result["status"] == "ok", result
    assert request.path == "/v1/logs" and request.headers["Content-Type"] == kind
    return (from_json if encoding == "json" else from_protobuf)(request.body)


both = pytest.mark.parametrize("encoding", ["protobuf", "json"])
BODY = {"n": 1, "big": 2**63 - 1, "low": -2**63, "huge": 2**64 - 1, "inf": 10**400, "z": 0, "neg": -0.5, "f": 1.5, "e": 1e300, "t": True, "no": False,
        "null": None, "s": "é\n\"\\/\U0001f40d", "o": {"": [], "x": {}}, "a": [1, "2", [None, [3]]]}


@both
def test_records(encoding):
    resource, scope, records = read(encoding, [item(n, severity=n, body=BODY) for n in range(7)])
    assert resource["service.name"] == "pytrail" and resource["host.name"] == "testhost"
    assert resource["pytrail.boot_id"] == "b00t" and resource["service.version"] == scope[1]
    assert scope[0] == "pytrail" and len(records) == 7
    first = records[0]
    assert first["body"] == {**BODY, "huge": str(2**64 - 1), "inf": str(10**400)}
    assert (first["time"], first["name"]) == (1790000000123456789, "os.system")
    assert first["observed"] > 1_700_000_000_000_000_000
    assert first["attributes"] == {"log.record.uid": "b00t-0", "pytrail.event": "os.system",
                                   "pytrail.category": "process", "pytrail.entity_id": "e" * 32}
    assert [r["severity"] for r in records] == ["informational", "informational", "low", "medium", "high",
                                                "critical", "critical"]
    assert [r["number"][16:] for r in records] == ["INFO", "INFO", "INFO2", "WARN", "ERROR", "FATAL", "FATAL"]


@both
def test_texts(encoding):
    _, _, records = read(encoding, [item(n, body=text) for n, text in enumerate(HOSTILE)], format="text")
    assert [r["body"] for r in records] == HOSTILE
    _, _, records = read(encoding, [item(1, body='{"a":1}')], body="text", service="s")
    assert records[0]["body"] == '{"a":1}'


@both
def test_hostile_strings_in_structures(encoding):
    _, _, records = read(encoding, [item(n, body=json.dumps({t: [t]})) for n, t in enumerate(HOSTILE)])
    assert [r["body"] for r in records] == [{t: [t]} for t in HOSTILE]


@both
def test_what_is_no_utf8(encoding):
    """Lone surrogates, as the formats escape bytes that are no UTF-8, and bare bytes."""
    items = [item(1, body=r'{"a":"x\udcffy\ud83d","b":"\ud83d\u0041\ud83d\udc0d"}', event="a"),
             {**item(2), "body_hex": b'{"a":"'.hex() + "fffe" + b'"}'.hex()}]
    _, _, records = read(encoding, items)
    assert records[0]["body"] == {"a": "x\ufffdy\ufffd", "b": "\ufffdA\U0001f40d"}
    assert records[1]["body"] == {"a": "\ufffd\ufffd"}


@both
@pytest.mark.parametrize("body", ['{"a":', '{"a":1}x', '{"a" 1}', '{"a":01x}', '{"a":"\\x"}', '{"a":"\\u12"}',
                                  "[" * 100 + "]" * 100, '{"a":tru}', '{"a":--1}', '{"a":1e}', "", "{,}", "[01]", "[1.]", "[.5]", "[+1]", "[1.5e+]", "[-]", "[1,]"])
def test_what_is_no_json_goes_as_text(encoding, body):
    _, _, records = read(encoding, [item(1, body=body), item(2)])
    assert [r["body"] for r in records] == [body, {"n": 2}]


@both
def test_names_of_what_is_no_audit_event(encoding):
    _, _, records = read(encoding, [item(k, kind=k, event="") for k in (1, 2, 3, 4)])
    assert [r["name"] for r in records] == ["pytrail.audit", "pytrail.process", "pytrail.lost",
                                            "pytrail.alert"]


@pytest.mark.parametrize("path, wanted", [("/", "/v1/logs"), ("/v1/logs", "/v1/logs"),
                                          ("/otlp/", "/otlp/v1/logs")])
def test_where_to(path, wanted):
    assert sent([answer(200)], [item(1)], path)[1][0].path == wanted


# Answers

def encoded(encoding, rejected, message=""):
    if encoding == "json":
        return answer(200, {"partialSuccess": {"rejectedLogRecords": str(rejected), "errorMessage": message}},
                      Content_Type="application/json")
    text = f'partial_success {{ rejected_log_records: {rejected} error_message: "{message}" }}'
    return answer(200, protoc(f"--encode={RESPONSE}", data=text.encode()),
                  Content_Type="application/x-protobuf")


@both
def test_partial_success_is_final(encoding):
    with Fake([encoded(encoding, 2, "too old")]) as fake:
        drive = HttpDrive(f"otlp+http://127.0.0.1:{fake.port}", encoding=encoding)
        result = drive.send([item(n) for n in range(5)])
        assert (result["status"], result["dropped"]) == ("ok", 2)
        assert "dropped 2 of 5 records" in result["reason"] and "too old" in result["reason"]
        assert drive.send([item(n) for n in range(5)])["dropped"] == 2
        said = drive.close()
        assert said.count("\n") == 1 and "2 records dropped for good" in said and "too old" in said
        assert len(fake.requests) == 2


@both
def test_nothing_and_all_rejected(encoding):
    result, _ = sent([encoded(encoding, 0, "deprecated")], [item(1)], encoding=encoding)
    assert (result["status"], result["dropped"], result["reason"]) == ("ok", 0, "deprecated")
    result, _ = sent([encoded(encoding, 2, "bad")], [item(1), item(2)], encoding=encoding)
    assert result["items"] == ["rejected", "rejected"] and result["dropped"] == 0


@both
@pytest.mark.parametrize("rejected", [-1, 3, 2**62])
def test_counts_that_lie(encoding, rejected):
    result, _ = sent([encoded(encoding, rejected)], [item(1), item(2)], encoding=encoding)
    assert (result["status"], result["dropped"]) == ("retry", 0)


@both
@pytest.mark.parametrize("body", [b"<html>log in</html>", b"[]", b'{"partialSuccess":1}', b"\x0a\xff",
                                  b"\x0a\x02\x12\x09", b"\x0b", b"\xff" * 20, b'{"partialSuccess":{'])
def test_an_answer_that_is_none_of_otlp(encoding, body):
    kind = "application/json" if encoding == "json" else "application/x-protobuf"
    result, _ = sent([answer(200, body, Content_Type=kind)], [item(1)], encoding=encoding)
    assert result["status"] == "retry"


@both
@pytest.mark.parametrize("code, status", [(400, "rejected"), (401, "denied"), (404, "denied"),
                                          (413, "too_large"), (429, "retry"), (500, "denied"),
                                          (501, "denied"), (502, "retry"), (503, "retry"),
                                          (504, "retry"), (507, "denied")])
def test_refusals(encoding, code, status):
    if encoding == "json":
        send = answer(code, {"code": 3, "message": "their words"}, Content_Type="application/json",
                      Retry_After="3")
    else:
        send = answer(code, b"\x08\x03\x12\x0btheir words", Content_Type="application/x-protobuf",
                      Retry_After="3")
    result, _ = sent([send], [item(1)], encoding=encoding)
    assert (result["status"], result["retry_after"]) == (status, 3)
    assert result["reason"] == f"HTTP status {code}: their words"


@both
def test_floats_beyond_the_range(encoding):
    _, _, records = read(encoding, [item(1, body='{"a":1e999,"b":-2.5e-3}')])
    assert records[0]["body"] == {"a": "1e999", "b": -2.5e-3}


def test_float_bits():
    """doubleValue as protoc reads it is the very number."""
    values = [0.1, -0.0, 5e-324, 1.7976931348623157e308]
    _, _, records = read("protobuf", [item(1, body={"v": values})])
    for got, wanted in zip(records[0]["body"]["v"], values):
        assert struct.pack("d", got) == struct.pack("d", wanted)
