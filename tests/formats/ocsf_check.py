# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A validator of OCSF events: classes, objects, required attributes, constraints, enumerations, types."""
import re

import schemas


class Validator:
    def __init__(self):
        schema = schemas.ocsf()
        self.classes = {c["uid"]: c for c in schema["classes"].values()}
        self.objects = schema["objects"]
        self.types = schema["dictionary"]["types"]["attributes"]
        self.profiles = set(schema["profiles"])

    def check(self, event):
        """Raises AssertionError with the place."""
        cls = self.classes[event["class_uid"]]
        assert "@deprecated" not in cls
        self.active = set(event["metadata"].get("profiles", []))
        assert self.active <= self.profiles, self.active - self.profiles
        assert self.active <= set(cls["profiles"]), (cls["name"], self.active - set(cls["profiles"]))
        self.attributes(event, cls, cls["name"])
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert (event["category_uid"], event["category_name"]) == (cls["category_uid"], cls["category_name"])
        assert event["class_name"] == cls["caption"]
        for name in ("activity", "severity", "status"):
            if f"{name}_id" in event:
                self.caption(event, cls, name)

    def caption(self, event, cls, name):
        """The text beside a number is its caption, or, of 99, the source's own."""
        number = event[f"{name}_id"]
        text = event.get("activity_name" if name == "activity" else name)
        if number != 99:
            assert text == cls["attributes"][f"{name}_id"]["enum"][str(number)]["caption"], text

    def applies(self, attribute):
        return not attribute.get("profiles") or self.active & set(attribute["profiles"])

    def attributes(self, value, definition, place):
        assert isinstance(value, dict), place
        known = definition["attributes"]
        for name, inner in value.items():
            assert name in known, f"{place}: there is no attribute {name}"
            attribute = known[name]
            assert "@deprecated" not in attribute, f"{place}.{name} is deprecated"
            assert self.applies(attribute), f"{place}.{name} is of a profile that is not named"
            self.attribute(inner, attribute, f"{place}.{name}")
        for name, attribute in known.items():
            if attribute.get("requirement") == "required" and self.applies(attribute):
                assert name in value, f"{place}: {name} is required"
        for rule, names in (definition.get("constraints") or {}).items():
            cnt = sum(n in value for n in names)
            assert cnt >= 1 if rule == "at_least_one" else cnt == 1, f"{place}: {rule} of {names}"

    def attribute(self, value, attribute, place):
        if attribute.get("is_array"):
            assert isinstance(value, list), place
            for inner in value:
                self.one(inner, attribute, place)
        else:
            self.one(value, attribute, place)

    def one(self, value, attribute, place):
        if attribute["type"] == "object_t":
            name = attribute["object_type"]
            if name == "object":
                assert isinstance(value, dict), place
            else:
                self.attributes(value, self.objects[name], place)
            return
        self.scalar(value, attribute["type"], place)
        if "enum" in attribute:
            assert str(value) in attribute["enum"], f"{place}: {value} is not in the enumeration"

    def scalar(self, value, name, place):
        kind = self.types[name]
        base = kind.get("type", name)
        if base == "string_t":
            assert isinstance(value, str), f"{place}: {value!r} is no string"
            assert len(value) <= kind.get("max_len", len(value)), place
            if "regex" in kind:
                assert re.search(kind["regex"], value), f"{place}: {value!r} is no {name}"
        elif base in ("integer_t", "long_t"):
            bits = 31 if base == "integer_t" else 63
            assert isinstance(value, int) and not isinstance(value, bool), f"{place}: {value!r}"
            assert -2**bits <= value < 2**bits or name == "integer_t" and place.endswith(
                (".sequence", ".auid", ".euid", ".egid")), f"{place}: {value}"
            low, high = kind.get("range", (value, value))
            assert low <= value <= high, f"{place}: {value}"
        elif base == "boolean_t":
            assert isinstance(value, bool), place
        else:
            raise AssertionError(f"{place}: the type {name} is not expected here")
