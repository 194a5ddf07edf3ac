# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""`-o ecs`: every event of the table, with arguments of many kinds, against ECS itself and against the index
templates that are shipped."""
import json
import os

import pytest

import ecs_check
import schemas

TEMPLATES = os.path.join(schemas.ROOT, "scripts/packaging/elasticsearch")


def template(name):
    with open(os.path.join(TEMPLATES, name), encoding="utf-8") as file:
        return json.load(file)


def template_fields(name):
    """Field: mapping of a leaf."""
    def walk(properties, prefix):
        for key, value in properties.items():
            if "properties" in value:
                yield from walk(value["properties"], prefix + key + ".")
            else:
                yield prefix + key, value
    return dict(walk(template(name)["template"]["mappings"]["properties"], ""))


def own_fields():
    return {n: m["type"] for n, m in template_fields("index-template.json").items()
            if n.startswith("pytrail.")}


@pytest.fixture(scope="module", name="docs")
def docs_fixture(every):
    return schemas.documents(schemas.replay(every, "ecs")[0])


def of(docs, name):
    return [d for d in docs if d["event"].get("code") == name]


def test_every_event(docs):
    checker = ecs_check.Checker(own_fields())
    for doc in docs:
        checker.check(doc)
    known = {m["event"] for m in schemas.mapping()}
    assert known <= {d["event"].get("code") for d in docs}
    # what a template has and no document: the live host's, and what these records have not
    absent = own_fields().keys() - checker.seen - {
        n for n in own_fields() if n.startswith(("pytrail.audit.call_site.", "pytrail.python."))}
    assert absent == {"pytrail.audit.enrichment", "pytrail.process.args_truncated", "pytrail.process.unit",
                      "pytrail.alert.name", "pytrail.alert.output", "pytrail.audit.redacted"}


def test_attack_of_all(every):
    docs = schemas.documents(schemas.replay(every, "ecs", "--attack=all")[0])
    checker = ecs_check.Checker(own_fields())
    rows = {(m["event"], m["ecs"]["action"], m["ecs"]["type"][0]): m for m in schemas.mapping()}
    for doc in docs:
        checker.check(doc)
        row = rows.get((doc["event"].get("code"), doc["event"]["action"], doc["event"]["type"][0]))
        assert doc.get("threat") == (row["threat"] if row else None)


def test_redacted(every):
    """What redaction makes of arguments is sound, too."""
    checker = ecs_check.Checker(own_fields())
    docs = schemas.documents(schemas.replay(every, "ecs", "--redact")[0])
    for doc in docs:
        checker.check(doc)
    assert "$redacted" in of(docs, "builtins.input/result")[0]["pytrail"]["audit"]["args"]["result"]


def test_attack(docs, every):
    """By default of what is high only."""
    assert {d["event"]["code"] for d in docs if "threat" in d} == {
        m["event"] for m in schemas.mapping() if m["threat"] and m["ecs"]["severity"] >= 4}
    none = schemas.documents(schemas.replay(every, "ecs", "--attack=none")[0])
    assert not any("threat" in d for d in none)


def test_templates():
    fields = template_fields("index-template.json")
    official = schemas.ecs_fields()
    for name, field in fields.items():
        kind = field["type"]
        if not name.startswith("pytrail."):
            assert kind == official[name][0], name
            assert ("text" in field.get("fields", {})) == (name + ".text" in official), name
        if kind == "keyword":
            assert field["ignore_above"] == 1024
        if kind == "flattened":
            assert field["ignore_above"] * 4 + 64 < 32766  # bytes of a term of Lucene
    assert fields["pytrail.audit.args"]["type"] == "flattened"
    whole = template("index-template.json")
    assert whole["index_patterns"] == ["logs-pytrail.audit-*"] and whole["data_stream"] == {}
    assert whole["template"]["mappings"]["dynamic"] is False


def test_opensearch_template():
    """The same, but for the name of the flattened type."""
    ours = template_fields("index-template.json")
    theirs = template_fields("opensearch-index-template.json")
    assert theirs.pop("pytrail.audit.args") == {"type": "flat_object"}
    ours.pop("pytrail.audit.args")
    assert ours == theirs


def test_meaning(docs):
    """The fields of plausible arguments: each event's first record."""
    first = {}
    for doc in docs:
        first.setdefault(doc["event"].get("code"), doc)
    opened = first["open"]
    assert opened["file"] == {"path": "/srv/app/lib.tar.gz", "name": "lib.tar.gz", "extension": "gz"}
    assert (opened["event"]["action"], opened["event"]["type"]) == ("file-open", ["access"])
    assert opened["pytrail"]["audit"]["args"] == {"path": "/srv/app/lib.tar.gz", "mode": "name",
                                                  "flags": "524288"}
    created = of(docs, "open")[1]
    assert (created["event"]["action"], created["event"]["type"]) == ("file-create", ["creation"])
    renamed = first["os.rename"]
    assert renamed["file"]["path"] == "/srv/app/lib.tar.gz"
    assert renamed["pytrail"]["audit"]["source_path"] == "/srv/old"
    assert first["os.chmod"]["file"]["mode"] == "0644"
    assert first["os.chown"]["file"]["uid"] == "1000"
    connected = first["socket.connect"]
    assert connected["destination"] == {"address": "192.0.2.7", "ip": "192.0.2.7", "port": 443}
    assert connected["related"]["ip"] == ["192.0.2.7"] and connected["network"] == {"type": "ipv4"}
    six = of(docs, "socket.connect")[1]
    assert six["destination"] == {"address": "fe80::1%eth0", "ip": "fe80::1", "port": 443}
    assert first["socket.bind"]["server"]["port"] == 443
    assert first["http.client.connect"]["destination"] == {
        "address": "www.example.org", "domain": "www.example.org", "port": 80}
    request = first["urllib.Request"]
    assert request["url"] == {
        "original": "https://www.example.org/a/b?c=d", "full": "https://www.example.org/a/b?c=d",
        "scheme": "https", "domain": "www.example.org", "path": "/a/b", "query": "c=d"}
    assert request["http"]["request"]["method"] == "POST"
    six = of(docs, "urllib.Request")[1]["url"]
    assert (six["domain"], six["port"], six["fragment"]) == ("2001:db8::1", 8443, "d")
    assert first["ctypes.dlopen"]["dll"] == {"name": "lib.tar.gz", "path": "/srv/app/lib.tar.gz"}
    assert first["socket.getaddrinfo"]["dns"]["question"]["name"] == "www.example.org"
    assert first["exec"]["pytrail"]["audit"]["code"] == {"name": "Thing.method", "file": "/srv/app/thing.py"}
    assert first["exec"]["file"]["name"] == "thing.py"
    assert first["os.kill"]["pytrail"]["audit"]["target"] == {"pid": 9, "signal": 9}
    assert first["import"]["pytrail"]["audit"]["args"]["sys_path"] == "name"


def test_processes(docs):
    """The process to be started is `process`, who starts it its parent; an exec stays what it is."""
    spawned = of(docs, "subprocess.Popen")[0]
    assert spawned["process"]["args"] == ["id", "-u", "a b"]
    assert spawned["process"]["command_line"] == "id -u a b"
    assert (spawned["process"]["executable"], spawned["process"]["name"]) == ("/usr/bin/id", "id")
    assert "pid" not in spawned["process"]
    parent = spawned["process"]["parent"]
    assert (parent["pid"], parent["name"], parent["thread"]["id"]) == (4242, "python3", 4243)
    assert parent["entity_id"] == spawned["pytrail"]["process"]["entity_id"]
    executed = of(docs, "os.exec")[0]["process"]
    assert (executed["pid"], executed["args"]) == (4242, ["id", "-u", "a b"])
    assert executed["previous"]["executable"] == "/srv/venv/bin/python3"
    other = of(docs, "open")[0]
    assert other["process"]["pid"] == other["pytrail"]["process"]["pid"] == 4242
    assert other["process"]["parent"] == {"pid": 4000, "name": "sh", "executable": "/bin/sh"}
    assert other["orchestrator"]["resource"]["id"] == "01234567-89ab-cdef-0123-456789abcdef"
    assert other["orchestrator"]["namespace"] == "shop"
    assert other["container"] == {"id": "0123456789abcdef", "name": "web", "image": {"name": "img:1"}}
    assert other["process"]["args"][-1] == "a|b=c\\ d\n\\xff"


def test_notes(docs):
    cut = [d for d in of(docs, "open") if "truncated" in d["pytrail"]["audit"]][0]
    assert {"path": "args.path", "length": 400} in cut["pytrail"]["audit"]["truncated"]
    assert "name" not in cut["file"]
    undecoded = [d for d in of(docs, "open") if "undecoded" in d["pytrail"]["audit"]][0]
    assert undecoded["pytrail"]["audit"]["undecoded"] == ["args"]
    assert "args" not in undecoded["pytrail"]["audit"]
    nameless = [d for d in docs if "code" not in d["event"]][0]
    assert nameless["pytrail"]["audit"]["unreadable"] == ["event"]


def test_other_records(docs):
    lost = of(docs, "pytrail.lost")
    assert [d["pytrail"]["lost"] for d in lost] == [
        {"count": 2**63 - 1, "cause": "ring_full"}, {"count": 1, "cause": "scratch"},
        {"count": 2, "cause": "unknown"}]
    assert lost[0]["event"]["kind"] == "pipeline_error" and "process" not in lost[0]
    late = of(docs, "pytrail.process.attach")[0]
    assert late["pytrail"]["attach"] == {"late": True, "late_ns": 12}
    assert late["pytrail"]["python"]["file"] == "/usr/lib/libpython\\xff"
    assert of(docs, "pytrail.process.detach")[0]["event"]["reason"] == "exec"
    assert of(docs, "pytrail.process.exec")[0]["event"]["type"] == ["start"]
    assert of(docs, "pytrail.process.exit")[0]["event"]["type"] == ["end"]


def test_sequence(docs):
    assert sorted(d["event"]["sequence"] for d in docs) == list(range(len(docs)))
    assert len({d["event"]["id"] for d in docs}) == len(docs)
