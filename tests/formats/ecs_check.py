# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Whether documents are sound in the Elastic Common Schema."""
import datetime
import ipaddress
import re

import schemas

# What a field of our own may be, below "pytrail": as the index template has it.
CATEGORY_TYPES = {
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "database": {"access", "change", "info", "error"},
    "email": {"info"},
    "file": {"access", "change", "creation", "deletion", "info"},
    "host": {"access", "change", "end", "info", "start"},
    "library": {"start"},
    "network": {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
    "package": {"access", "change", "deletion", "info", "installation", "start"},
    "process": {"access", "change", "end", "info", "start"},
    "registry": {"access", "change", "creation", "deletion"},
    "web": {"access", "error", "info"},
}
KINDS = {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"}
STRINGS = {"keyword", "wildcard", "match_only_text", "constant_keyword"}


def is_date(value):
    return isinstance(value, str) and re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", value) and datetime.datetime.fromisoformat(value[:19])


def is_ip(value):
    try:
        return isinstance(value, str) and str(ipaddress.ip_address(value)) is not None
    except ValueError:
        return False


def is_of(value, kind):
    if kind in STRINGS:
        return isinstance(value, str)
    if kind == "long":
        return isinstance(value, int) and not isinstance(value, bool) and -2**63 <= value < 2**63
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "date":
        return bool(is_date(value))
    if kind == "ip":
        return is_ip(value)
    if kind == "flattened":
        return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
    return False


def leaves(value, opaque, path=""):
    """(field, value, whether it is in an array) of a document; objects in arrays are gone into."""
    if isinstance(value, dict) and path not in opaque:
        for key, inner in value.items():
            assert "." not in key, f"{path}: a dotted key: {key}"
            yield from leaves(inner, opaque, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        for inner in value:
            yield from leaves(inner, opaque, path)
    elif isinstance(value, list):
        for inner in value:
            yield path, inner, True
    else:
        yield path, value, False


class Checker:
    """Of all documents of a stream: names, types, and that a field is always the same."""

    def __init__(self, own):
        """own: the fields below pytrail, name: type."""
        self.fields = dict(schemas.ecs_fields())
        self.fields.update({name: (kind, "") for name, kind in own.items()})
        self.opaque = {n for n, (kind, _) in self.fields.items() if kind == "flattened"}
        self.shapes = {}  # field: in an array or not
        self.seen = set()

    def check(self, doc):
        for field, value, in_array in leaves(doc, self.opaque):
            assert field in self.fields, f"there is no field {field}"
            kind, normal = self.fields[field]
            assert value is not None, f"{field} is null"
            assert is_of(value, kind), f"{field} is {kind}, not {value!r}"
            if normal == "array":
                assert in_array, f"{field} is an array by ECS"
            shape = self.shapes.setdefault(field, in_array)
            assert shape == in_array, f"{field} is an array at times"
            self.seen.add(field)
        event = doc["event"]
        assert event["kind"] in KINDS
        for category in event["category"]:
            assert set(event["type"]) <= CATEGORY_TYPES[category], event
        assert event["outcome"] in ("success", "failure", "unknown")
        assert is_date(doc["@timestamp"]) and doc["ecs"] == {"version": "9.4.0"}
