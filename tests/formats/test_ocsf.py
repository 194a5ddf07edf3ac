# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""`-o ocsf`: every event of the table, with arguments of many kinds, against OCSF itself."""
import copy

import pytest

import ocsf_check
import schemas


@pytest.fixture(scope="module", name="docs")
def docs_fixture(every):
    return schemas.documents(schemas.replay(every, "ocsf", "--attack=all")[0])


def of(docs, name):
    return [d for d in docs if d["metadata"].get("event_code") == name]


def test_every_event(docs):
    validator = ocsf_check.Validator()
    for doc in docs:
        validator.check(doc)
    assert {m["event"] for m in schemas.mapping()} <= {d["metadata"].get("event_code") for d in docs}
    uids = {(m["event"], m["ocsf"]["type_uid"]) for m in schemas.mapping()}
    for doc in docs:
        if doc["unmapped"].get("known"):
            assert (doc["metadata"]["event_code"], doc["type_uid"]) in uids


@pytest.mark.parametrize("change, said", [
    (lambda d: d.pop("time"), "time is required"),
    (lambda d: d["file"].pop("name"), "name is required"),
    (lambda d: d.update(activity_id=77), "is not in the enumeration"),
    (lambda d: d.update(severity_id="1"), "'1'"),
    (lambda d: d.update(colour=1), "there is no attribute colour"),
    (lambda d: d["device"].pop("instance_uid"), "at_least_one"),
    (lambda d: d["actor"]["process"].update(pid=2**40), str(2**40)),
    (lambda d: d["metadata"].update(profiles=[]), "profile that is not named"),
])
def test_the_validator_sees_mistakes(docs, change, said):
    doc = copy.deepcopy(of(docs, "open")[0])
    ocsf_check.Validator().check(doc)
    change(doc)
    with pytest.raises(AssertionError) as caught:
        ocsf_check.Validator().check(doc)
    assert said in str(caught.value)


def test_redacted(every):
    validator = ocsf_check.Validator()
    for doc in schemas.documents(schemas.replay(every, "ocsf", "--redact")[0]):
        validator.check(doc)


def test_attack(docs, every):
    shown = of(docs, "pty.spawn")[0]["attacks"][0]
    assert shown == {"version": "18.1", "tactic": {"uid": "TA0002", "name": "Execution"},
                     "technique": {"uid": "T1059", "name": "Command and Scripting Interpreter"},
                     "sub_technique": {"uid": "T1059.004", "name": "Unix Shell"}}
    default = schemas.documents(schemas.replay(every, "ocsf")[0])
    assert {d["severity_id"] for d in default if "attacks" in d} == {4}


def test_meaning(docs):
    first = {}
    for doc in docs:
        first.setdefault(doc["metadata"].get("event_code"), doc)
    opened = first["open"]
    assert opened["file"] == {"name": "lib.tar.gz", "type_id": 0, "ext": "gz", "path": "/srv/app/lib.tar.gz"}
    assert opened["unmapped"]["args"] == {"path": "/srv/app/lib.tar.gz", "mode": "name", "flags": "524288"}
    assert opened["unmapped"]["time_ns"].startswith(str(opened["time"]))
    renamed = first["os.rename"]
    assert (renamed["file"]["path"], renamed["file_result"]["path"]) == ("/srv/old", "/srv/app/lib.tar.gz")
    spawned = first["subprocess.Popen"]
    assert spawned["process"] == {"uid": spawned["metadata"]["uid"], "path": "/usr/bin/id", "name": "id",
                                  "cmd_line": "id -u a b", "working_directory": "/srv/old"}
    assert spawned["actor"]["process"]["pid"] == 4242
    assert first["os.exec"]["process"]["pid"] == 4242
    assert first["os.kill"]["process"] == {"pid": 9} and first["os.kill"]["type_uid"] == 100702
    assert first["socket.connect"]["dst_endpoint"] == {"ip": "192.0.2.7", "port": 443}
    assert first["urllib.Request"]["http_request"]["url"]["hostname"] == "www.example.org"
    assert first["urllib.Request"]["activity_name"] == "Post"
    assert first["cpython.run_command"]["script"]["script_content"] == {"value": "name"}
    assert first["exec"]["script"]["script_content"] == {"value": "", "is_truncated": True}
    assert first["exec"]["script"]["file"]["path"] == "/srv/app/thing.py"
    assert first["ctypes.dlopen"]["module"]["file"]["path"] == "/srv/app/lib.tar.gz"
    assert first["socket.getaddrinfo"]["query"] == {"hostname": "www.example.org"}


def test_other_records(docs):
    assert [d["unmapped"]["lost"] for d in of(docs, "pytrail.lost")] == [str(2**64 - 1), "1", "2"]
    assert of(docs, "pytrail.process.exec")[0]["activity_name"] == "Launch"
    assert of(docs, "pytrail.process.exit")[0]["activity_name"] == "Terminate"
    assert of(docs, "pytrail.process.attach")[0]["unmapped"]["late_ns"] == "12"
    assert of(docs, "pytrail.process.detach")[0]["unmapped"]["reason"] == "exec"
