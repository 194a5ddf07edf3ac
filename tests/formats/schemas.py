# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The official schemas, which are not in this repository: in PYTRAIL_SCHEMAS, or ../shared/schemas beside the
clone. Tests that need one are skipped by name where it is not."""
import csv
import functools
import json
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build/pytrail"))
BUILD_EVERY = os.path.join(ROOT, "build/tests/formats/build_every")


def path(name):
    """Of a file of the schemas, or None."""
    places = [os.environ["PYTRAIL_SCHEMAS"]] if os.environ.get("PYTRAIL_SCHEMAS") else [
        os.path.join(ROOT, "../shared/schemas"),
        os.path.join(ROOT, "../../shared/schemas")]  # of a work tree that is one deeper
    for place in places:
        found = os.path.join(place, name)
        if os.path.exists(found):
            return found
    return None


def need(name):
    found = path(name)
    if not found:
        pytest.skip(f"the schema {name} is not here (PYTRAIL_SCHEMAS)")
    return found


@functools.lru_cache()
def ecs_fields():
    """Name: (type, normalisation)."""
    with open(need("ecs-9.4.0/fields.csv"), encoding="utf-8", newline="") as file:
        return {r["Field"]: (r["Type"], r["Normalization"]) for r in csv.DictReader(file)}


@functools.lru_cache()
def ocsf():
    with open(need("ocsf-1.8.0/compiled.json"), encoding="utf-8") as file:
        return json.load(file)


@functools.lru_cache()
def attack():
    """Id: (name, tactics)."""
    with open(need("attack-18.1/techniques.tsv"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return {r[0]: (r[1], r[2]) for r in rows}


def mapping():
    """What scripts/gen-mapping.py makes of each event."""
    done = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "scripts/gen-mapping.py"), "json",
                           os.path.join(ROOT, "events/audit.tsv")], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def replay(records, output, *options):
    """The lines that a file of records is rendered to, and what was said."""
    done = subprocess.run([PYTRAIL, "replay", str(records), "-o", output, *options],
                          capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(b"\n")
    return done.stdout[:-1].split(b"\n"), done.stderr


def lone_surrogates(value):
    """Whether a JSON value has any: not every reader takes them."""
    if isinstance(value, str):
        return any(0xd800 <= ord(c) <= 0xdfff for c in value)
    if isinstance(value, dict):
        return any(lone_surrogates(k) or lone_surrogates(v) for k, v in value.items())
    return isinstance(value, list) and any(map(lone_surrogates, value))


def unique_object(pairs):
    """For json.loads: a name twice in an object is an error."""
    out = dict(pairs)
    assert len(out) == len(pairs), [k for k, _ in pairs]
    return out


def documents(lines):
    """Lines of JSON, as strict readers take them."""
    out = []
    for line in lines:
        text = line.decode("utf-8")
        assert all(0x20 <= ord(c) != 0x7f for c in text)
        out.append(json.loads(text, object_pairs_hook=unique_object))
        assert not lone_surrogates(out[-1]), text
    return out
