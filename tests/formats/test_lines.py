# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""`-o cef` and `-o leef`: every event of the table, with arguments of many kinds, by grammars written here from the
vendors' documents: CEF's implementation standard, QRadar's LEEF guide."""
import ipaddress
import json
import re

import pytest

import schemas

# CEF's dictionary, as much of it as is used; custom strings have a label each.
CEF_KEYS = {"rt", "externalId", "cat", "act", "dvchost", "spid", "suid", "duid", "sproc", "deviceProcessName",
            "filePath", "fname", "oldFilePath", "dst", "dhost", "dpt", "request", "requestMethod", "dproc", "dpid",
            "reason", "cnt", "msg", "destinationServiceName"}
CEF_LABELS = {"cn1": "sequence", "cn2": "parentProcessId", "cn3": "threadId", "cs1": "args",
              "cs2": "commandLine", "cs3": "processEntityId", "cs4": "containerId", "cs5": "attackTechnique",
              "cs6": "notes", "flexString1": "childCommandLine", "flexString2": "pythonVersion"}
LEEF_KEYS = {"devTime", "devTimeFormat", "sev", "id", "sequence", "cat", "action", "identHostName", "pid", "ppid",
             "tid", "usrName", "effectiveUid", "process", "executable", "commandLine", "processEntityId",
             "containerId", "resource", "fileName", "sourcePath", "dst", "dstHost", "dstPort", "url", "method",
             "childExecutable", "childCommandLine", "targetPid", "attackTechnique", "args", "notes",
             "pythonVersion", "reason", "count", "msg", "output"}


def cef_header(text):
    """Seven fields, | and \\ in them escaped; what follows."""
    fields, current, i = [], "", 0
    while len(fields) < 7:
        c = text[i]
        if c == "\\":
            assert text[i + 1] in "\\|", f"a header has \\{text[i + 1]}"
            current += text[i + 1]
            i += 1
        elif c == "|":
            fields.append(current)
            current = ""
        else:
            current += c
        i += 1
    return fields, text[i:]


def cef_value(text):
    """A value's escapes taken away: \\\\, \\=, \\n, \\r, and nothing else."""
    out, i = "", 0
    while i < len(text):
        if text[i] == "\\":
            assert i + 1 < len(text) and text[i + 1] in "\\=nr", f"a value has {text[i:i + 2]}"
            out += {"n": "\n", "r": "\r"}.get(text[i + 1], text[i + 1])
            i += 1
        else:
            assert text[i] != "=", f"a value has a bare =: {text}"
            out += text[i]
        i += 1
    return out


def cef(line):
    """(header, {key: value}) of a line."""
    header, rest = cef_header(line)
    assert header[0] == "CEF:0" and header[1:3] == ["pytrail", "pytrail"]
    assert 0 <= int(header[6]) <= 10
    # a key is what stands before a = that is not escaped, back to the blank before it
    marks = [m.start() for m in re.finditer(r"\\.|=", rest) if m[0] == "="]
    starts = [0] + [rest.rindex(" ", 0, m) + 1 for m in marks[1:]]
    values = {}
    for number, mark in enumerate(marks):
        end = starts[number + 1] - 1 if number + 1 < len(marks) else len(rest)
        key = rest[starts[number]:mark]
        assert re.fullmatch(r"[A-Za-z0-9]+", key), key
        assert key not in values, f"{key} is there twice"
        values[key] = cef_value(rest[mark + 1:end])
    for key in list(values):
        if key.endswith("Label"):
            assert CEF_LABELS[key[:-5]] == values.pop(key)
            assert key[:-5] in values
        else:
            assert key in CEF_KEYS or key in CEF_LABELS, key
    return header, values


def leef(line):
    fields = line.split("|", 6)
    assert fields[0] == "LEEF:2.0" and fields[1:3] == ["pytrail", "pytrail"] and fields[5] == "x09"
    values = {}
    for pair in fields[6].split("\t"):
        key, equals, value = pair.partition("=")
        assert equals and key in LEEF_KEYS, pair
        assert key not in values, f"{key} is there twice"
        values[key] = value
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", values["devTime"])
    assert 1 <= int(values["sev"]) <= 10
    return fields, values


def texts(lines, allowed):
    out = []
    for line in lines:
        text = line.decode("utf-8")
        assert all(0x20 <= ord(c) != 0x7f and not 0x80 <= ord(c) < 0xa0 or c in allowed for c in text)
        assert not re.search("[\u2028-\u202e\u2066-\u2069\u200e\u200f\u061c]", text)
        out.append(text)
    return out


@pytest.fixture(scope="module", name="cefs")
def cefs_fixture(every):
    return [cef(t) for t in texts(schemas.replay(every, "cef")[0], "")]


@pytest.fixture(scope="module", name="leefs")
def leefs_fixture(every):
    return [leef(t) for t in texts(schemas.replay(every, "leef")[0], "\t")]


@pytest.fixture(scope="module", name="jsons")
def jsons_fixture(every):
    return [json.loads(line) for line in schemas.replay(every, "json")[0]]


def test_cef(cefs, jsons):
    """Each value comes back as the `json` format has it."""
    assert len(cefs) == len(jsons)
    for (header, values), doc in zip(cefs, jsons):
        assert values["externalId"] == doc["id"] and values["cn1"] == str(doc["seq"])
        for key in ("spid", "dpt", "dpid", "cnt", "rt", "suid", "cn2", "cn3"):
            assert key not in values or re.fullmatch(r"\d+", values[key])
        if "dst" in values:
            ipaddress.ip_address(values["dst"])
        if doc["type"] == "audit":
            if doc["event"] and doc["known"]:
                assert header[4] == doc["event"]
            assert json.loads(values["cs1"]) == doc["args"] if "cs1" in values else "args" not in doc
            assert ("truncated" in doc or "unreadable" in doc or "undecoded" in doc) == ("cs6" in values)
            if "cs6" in values:
                json.loads(values["cs6"])


def test_leef(leefs, jsons):
    assert len(leefs) == len(jsons)
    for (fields, values), doc in zip(leefs, jsons):
        assert values["id"] == doc["id"] and values["sequence"] == str(doc["seq"])
        if doc["type"] == "audit":
            if doc["event"] and doc["known"]:
                assert fields[4] == doc["event"]
            assert json.loads(values["args"]) == doc["args"] if "args" in values else "args" not in doc


def test_meaning(cefs, leefs):
    first = {}
    for header, values in cefs:
        first.setdefault(header[4], (header, values))
    header, opened = first["open"]
    assert header[5:] == ["file-open", "1"]
    assert (opened["filePath"], opened["fname"]) == ("/srv/app/lib.tar.gz", "lib.tar.gz")
    assert (opened["spid"], opened["sproc"], opened["suid"]) == ("4242", "python3", "1000")
    assert opened["cs2"] == "/srv/venv/bin/python3 -m app a|b=c\\ d\n\\xff"
    connected = first["socket.connect"][1]
    assert (connected["dst"], connected["dpt"]) == ("192.0.2.7", "443")
    spawned = first["subprocess.Popen"][1]
    assert (spawned["dproc"], spawned["flexString1"]) == ("/usr/bin/id", "id -u a b")
    assert first["os.rename"][1]["oldFilePath"] == "/srv/old"
    assert first["pty.spawn"][1]["cs5"] == "T1059.004" and first["pty.spawn"][0][6] == "8"
    assert first["pytrail.lost"][1]["cnt"] == str(2**64 - 1)
    assert first["pytrail.process.detach"][1]["reason"] == "exec"
    assert first["no|such=\\event \\xff"][1]["act"] == "audit"
    first = {}
    for fields, values in leefs:
        first.setdefault(fields[4], values)
    assert first["open"]["resource"] == "/srv/app/lib.tar.gz"
    assert first["open"]["cat"] == "file"
    assert first["socket.connect"]["dst"] == "192.0.2.7"
    assert first["subprocess.Popen"]["childCommandLine"] == "id -u a b"
    assert first["open"]["commandLine"] == "/srv/venv/bin/python3 -m app a|b=c\\ d\\n\\xff"
