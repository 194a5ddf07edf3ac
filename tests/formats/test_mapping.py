# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""events/mapping.tsv and the tables beside it, against the schemas' own lists."""
import os
import subprocess

import pytest

import schemas

AUDIT = os.path.join(schemas.ROOT, "events/audit.tsv")
GEN = ["/usr/bin/python3", os.path.join(schemas.ROOT, "scripts/gen-mapping.py")]


def rows(name):
    with open(os.path.join(schemas.ROOT, "events", name), encoding="ascii") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return lines[1:]


def test_every_event_is_mapped():
    events = {r[0] for r in rows("audit.tsv")}
    assert {m["event"] for m in schemas.mapping()} == events


def test_severity_and_category_are_those_of_audit_tsv():
    audit = {r[0]: (r[2], int(r[3])) for r in rows("audit.tsv")}
    for m in schemas.mapping():
        assert (m["ecs"]["category"][0], m["ecs"]["severity"]) == audit[m["event"]]
        assert m["ocsf"]["severity_id"] == audit[m["event"]][1]


def test_ocsf():
    classes = {c["uid"]: c for c in schemas.ocsf()["classes"].values()}
    version = dict((r[0], r[1]) for r in rows("ocsf.tsv"))["version"]
    assert version == schemas.ocsf()["version"]
    for uid, name, category, activities in rows("ocsf.tsv")[1:]:
        official = classes[int(uid)]
        assert "@deprecated" not in official
        assert name == official["caption"]
        assert category == f"{official['category_uid']} {official['category_name']}"
        enum = official["attributes"]["activity_id"]["enum"]
        assert dict(a.split("=") for a in activities.split(",")) == {
            k: v["caption"] for k, v in enum.items()}


def test_attack():
    official = schemas.attack()
    for ident, name, tactics, _ in rows("attack.tsv")[1:]:
        assert official[ident] == (name, tactics), ident
    used = {m["attack"] for m in schemas.mapping() if m["attack"]}
    listed = {r[0] for r in rows("attack.tsv")[1:]}
    assert used <= listed and listed == used | {u.split(".")[0] for u in used}


@pytest.mark.parametrize("change, said", [
    (("open\taccess", "opem\taccess"), "audit.tsv has no event 'opem'"),
    (("open\taccess", "open\tstart"), "its type is one of"),
    (("path=file flags=open_flags", "path=fil flags=open_flags"), "there is no role 'fil'"),
    (("path=file flags=open_flags", "pat=file flags=open_flags"), "'open' has no argument 'pat'"),
    (("file-open\t1001/14", "file-open\t1001/77"), "class 1001 has no activity 77"),
    (("file-open\t1001/14", "file-open\t77/1"), "ocsf.tsv has no such class"),
    (("file-open\t1001/14\tT1005", "file-open\t1001/14\tT9999"), "attack.tsv has no technique 'T9999'"),
    (("open?write", "open?wrote"), "there is no condition 'wrote'"),
    (("os.*\t", "oz.*\t"), "audit.tsv has no module 'oz'"),
    (("file-open\t", "File Open\t"), "'File Open' is no action"),
    (("*\tinfo", "x\tinfo"), "there is no row '*'"),
    (("file-open\t1001/14\t", "file-open\t"), "there must be 6 columns"),
])
def test_mistakes_are_named(tmp_path, change, said):
    for name in ("audit.tsv", "mapping.tsv", "attack.tsv", "ocsf.tsv"):
        with open(os.path.join(schemas.ROOT, "events", name), encoding="ascii") as file:
            text = file.read()
        if name == "mapping.tsv":
            assert "\n" + change[0] in text or change[0] in text
            text = text.replace(*change)
        (tmp_path / name).write_text(text)
    done = subprocess.run([*GEN, "check", tmp_path / "audit.tsv"], capture_output=True, check=False)
    assert done.returncode == 1
    assert said in done.stderr.decode() and "mapping.tsv:" in done.stderr.decode()


def test_check():
    subprocess.run([*GEN, "check", AUDIT], check=True)
