# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""`pytrail replay` of a record file with everything in it, against the renderings kept here.

To make these anew after a wanted change: UPDATE=1 pytest tests/replay; then read the difference.
"""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build/pytrail"))
BUILD_RECORDS = os.path.join(ROOT, "build/tests/replay/build_records")
ENV = {**os.environ, "TZ": "UTC", "TERM": "xterm"}
ENV.pop("NO_COLOR", None)
with open(os.path.join(ROOT, "bpf/wire.h"), encoding="utf-8") as wire:
    VERSION = int(re.search(r"define PT_WIRE_VERSION (\d+)", wire.read())[1])
LAST = 128  # bytes of the last record: a struct pt_audit and what is behind it


@pytest.fixture(scope="session", name="records")
def records_fixture(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "all.rec"
    subprocess.run([BUILD_RECORDS, path], check=True)
    return path


def replay(*args, **kwargs):
    return subprocess.run([PYTRAIL, "replay", *map(str, args)], env=ENV, capture_output=True,
                          timeout=120, check=False, **kwargs)


def same(got, name):
    path = os.path.join(HERE, name)
    if os.environ.get("UPDATE"):
        with open(path, "wb") as file:
            file.write(got)
    with open(path, "rb") as file:
        assert got.split(b"\n") == file.read().split(b"\n")


def in_terminal(args, columns, env):
    """What is written to a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    with subprocess.Popen([PYTRAIL, "replay", *map(str, args)], stdout=theirs,
                          stderr=subprocess.DEVNULL, env=env) as process:
        os.close(theirs)
        out = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            out += part
        assert process.wait() == 0
    os.close(ours)
    return out


def test_json(records):
    done = replay(records, "-o", "json")
    assert done.returncode == 0
    assert re.fullmatch(rb"pytrail: \d+ events, 0 filtered, 36 lost, 3 processes, \d+\.\d s\n",
                        done.stderr)
    same(done.stdout, "all.json")


def test_text(records):
    done = replay(records, "-o", "text", "-q")
    assert (done.returncode, done.stderr) == (0, b"")
    same(done.stdout, "all.txt")


def test_terminal(records):
    same(in_terminal([records], 100, ENV), "all-100-color.txt")
    plain = in_terminal([records], 100, {**ENV, "NO_COLOR": "1"})
    assert b"\033" not in plain
    same(plain, "all-100.txt")


def columns(text):
    """Of a line of our own golden data: wide characters count two."""
    import unicodedata
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


@pytest.mark.parametrize("width", [1, 2, 13, 40, 41, 42, 43, 57, 80, 100, 500])
def test_fits(records, width):
    lines = in_terminal([records], width, {**ENV, "NO_COLOR": "1"}).decode().split("\n")
    for line in lines:
        assert columns(line) <= width


class Schema:
    """As much of JSON Schema as the schema uses; anything else in it is an error here."""

    IGNORED = {"$schema", "$id", "$defs", "title", "description", "contentEncoding"}
    TYPES = {"object": dict, "array": list, "string": str, "null": type(None), "boolean": bool}

    def __init__(self, schema):
        self.root = schema

    def is_type(self, value, name):
        if name in ("number", "integer"):
            return not isinstance(value, bool) and isinstance(
                value, int if name == "integer" else (int, float))
        return isinstance(value, self.TYPES[name])

    def valid(self, value, schema):
        if isinstance(schema, bool):
            return schema
        return all(getattr(self, "k_" + key.strip("$"))(value, arg, schema)
                   for key, arg in schema.items() if key not in self.IGNORED)

    def k_ref(self, value, ref, _):
        assert ref.startswith("#/$defs/")
        return self.valid(value, self.root["$defs"][ref[len("#/$defs/"):]])

    def k_type(self, value, names, _):
        return any(self.is_type(value, n) for n in ([names] if isinstance(names, str) else names))

    def k_const(self, value, const, _):
        return value == const and isinstance(value, bool) == isinstance(const, bool)

    def k_enum(self, value, values, _):
        return value in values

    def k_pattern(self, value, pattern, _):
        return not isinstance(value, str) or re.search(pattern, value) is not None

    def k_minimum(self, value, limit, _):
        return not isinstance(value, (int, float)) or value >= limit

    def k_minItems(self, value, limit, _):
        return not isinstance(value, list) or len(value) >= limit

    def k_maxItems(self, value, limit, _):
        return not isinstance(value, list) or len(value) <= limit

    def k_items(self, value, schema, _):
        return not isinstance(value, list) or all(self.valid(v, schema) for v in value)

    def k_required(self, value, names, _):
        return not isinstance(value, dict) or all(n in value for n in names)

    def k_properties(self, value, schemas, _):
        return not isinstance(value, dict) or all(
            self.valid(value[n], s) for n, s in schemas.items() if n in value)

    def k_additionalProperties(self, value, schema, parent):
        return not isinstance(value, dict) or all(
            self.valid(v, schema) for n, v in value.items() if n not in parent.get("properties", {}))

    def k_propertyNames(self, value, schema, _):
        return not isinstance(value, dict) or all(self.valid(n, schema) for n in value)

    def k_not(self, value, schema, _):
        return not self.valid(value, schema)

    def k_anyOf(self, value, schemas, _):
        return any(self.valid(value, s) for s in schemas)

    def k_oneOf(self, value, schemas, _):
        return sum(self.valid(value, s) for s in schemas) == 1


def unique(pairs):
    assert len({k for k, _ in pairs}) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("redact", [[], ["--redact"], ["--redact=*:*"]])
def test_schema(records, redact):
    with open(os.path.join(ROOT, "user/format/schema.json"), encoding="utf-8") as file:
        schema = Schema(json.load(file))
    done = replay(records, "-o", "json", *redact)
    seqs = []
    for line in done.stdout.splitlines():
        record = json.loads(line, object_pairs_hook=unique)
        assert schema.valid(record, schema.root), line
        seqs.append(record["seq"])
        wrong = {**record, "seq": -1}
        assert not schema.valid(wrong, schema.root)
    assert seqs == list(range(len(seqs)))


def test_values_are_exact(records):
    args = {}
    for line in replay(records, "-o", "json").stdout.splitlines():
        record = json.loads(line)
        if record.get("args") and record["event"]:
            args[record["event"]] = list(record["args"].values())
    assert args["test.latin1"][1] == bytes(range(256)).decode("latin-1")
    assert args["test.wide"][2] == b"gr\xc3\xbc\xc3\x9fe \xff\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 " \
        b"\xe2\x82".decode("utf-8", "surrogateescape")
    floats = [1.0, -0.0, 0.1, 1e16, 5e-324, 1.7976931348623157e308]
    assert [repr(v) for v in args["test.floats"][:6]] == [repr(v) for v in floats]


def test_redacted_values(records, tmp_path):
    """Each value by one key: the same hashes again, others without it, no text of any argument."""
    key = tmp_path / "key"
    first, again = (replay(records, "-o", "json", "--redact=*:*", "--redact-key", key).stdout
                    for _ in range(2))
    assert first == again and os.stat(key).st_mode & 0o777 == 0o600
    assert first.count(b'{"$redacted":"hmac-sha256-128:') > 50
    assert b'"path":"/etc/passwd"' not in first
    other = replay(records, "-o", "json", "--redact=*:*").stdout
    assert other != first and len(other) == len(first)
    assert replay(records, "-o", "json", "--redact=none").stdout == replay(records).stdout
    key.chmod(0o640)
    done = replay(records, "--redact", "--redact-key", key)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.count(b"\n") == 1 and b"others may read" in done.stderr


def test_several_outputs_and_patterns(records, tmp_path):
    done = replay(records, "-e", "open,test.f*", "-o", f"json:{tmp_path}/a", "-o", "text", "-o",
                  f"text:{tmp_path}/b")
    assert done.returncode == 0
    assert b" 2 events, " in done.stderr
    events = [json.loads(line) for line in open(tmp_path / "a", encoding="utf-8")]
    assert [e["event"] for e in events if e["type"] == "audit"] == ["open", "test.floats"]
    assert done.stdout == (tmp_path / "b").read_bytes()
    assert os.stat(tmp_path / "a").st_mode & 0o777 == 0o600


def test_max_events(records):
    done = replay(records, "--max-events", "3", "-o", "json")
    assert done.returncode == 0
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()
            if b'"audit"' in line] == [
        "open", "test.scalars", "test.big"]


def test_standard_input(records):
    with open(records, "rb") as file:
        assert replay("-", stdin=file).stdout == replay(records).stdout


@pytest.mark.parametrize("cut", [1, 8, 72, 100])
def test_torn(records, tmp_path, cut):
    data = records.read_bytes()
    whole = replay(records).stdout.splitlines()
    (tmp_path / "torn").write_bytes(data[:-cut])
    done = replay(tmp_path / "torn")
    assert done.returncode == 1
    assert done.stdout.splitlines() == whole[:-1]
    said = re.findall(rb"is torn: the record at byte (\d+) is not whole\n", done.stderr)
    assert [int(at) for at in said] == [len(data) - LAST]


def test_lying_size(records, tmp_path):
    data = bytearray(records.read_bytes())
    struct.pack_into("<I", data, len(data) - LAST, 0xfffffff8)
    (tmp_path / "lies").write_bytes(data)
    done = replay(tmp_path / "lies")
    assert done.returncode == 1
    assert b"damaged at byte %d:" % (len(data) - LAST) in done.stderr


def test_malformed_record_is_a_loss(records, tmp_path):
    data = bytearray(records.read_bytes())
    data[-LAST + 4] = 200  # kind
    (tmp_path / "odd").write_bytes(data)
    done = replay(tmp_path / "odd")
    assert done.returncode == 1
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["type"], last["cause"], last["count"]) == ("lost", "malformed", 1)


@pytest.mark.parametrize("data, said", [
    (b"", b"is not a record file"), (b"#!/bin/sh\n" * 20, b"is not a record file"),
    (b"pytrail\n" + struct.pack("<II", 99, 72) + bytes(56), b"version 99"),
    (b"pytrail\n" + struct.pack("<II", VERSION - 1, 72) + bytes(56),
     b"version %d; this pytrail reads version %d" % (VERSION - 1, VERSION)),
    (b"pytrail\n" + struct.pack("<II", VERSION, 8) + bytes(56), b"header"),
    (b"pytrail\n" + struct.pack("<II", VERSION, 4096) + bytes(56), b"header"),
])
def test_no_record_file(tmp_path, data, said):
    (tmp_path / "x").write_bytes(data)
    done = replay(tmp_path / "x")
    assert (done.returncode, done.stdout) == (1, b"")
    assert said in done.stderr and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("args, code, said", [
    (["-o", "xml", "x"], 2, b"there is no format 'xml', there are text, json"),
    (["-o", "json:", "x"], 2, b"a destination is missing"),
    ([], 2, b"a file is missing"), (["a", "b"], 2, b"one file"), (["--nope", "x"], 2, b"--nope"),
    (["--redact=envs", "x"], 2, b"'envs' is no rule: there are input,"),
    (["--redact=a:b:c", "x"], 2, b"no EVENT:ARGUMENT"),
    (["--redact-key", "/nonexistent/key", "--redact", "x"], 1, b"'/nonexistent/key'"),
    (["--max-events", "0", "x"], 2, b"--max-events"), (["-o"], 2, b"needs a value"),
    (["/nonexistent"], 1, b"No such file"),
])
def test_usage(args, code, said, records):
    done = replay(*[records if a == "x" else a for a in args])
    assert (done.returncode, done.stdout) == (code, b"")
    assert said in done.stderr and done.stderr.count(b"\n") == 1


def test_full_disk(records):
    done = replay(records, "-o", "json:/dev/full")
    assert done.returncode == 1
    assert done.stderr.count(b"cannot write to /dev/full: No space left on device\n") == 1


def test_closed_pipe(records):
    ours, theirs = os.pipe()
    os.close(ours)
    with subprocess.Popen([PYTRAIL, "replay", records], stdout=theirs, stderr=subprocess.PIPE,
                          env=ENV) as process:
        os.close(theirs)
        said = process.stderr.read()
        assert process.wait() == 0
    assert said.count(b"\n") == 1 and b"events" in said
