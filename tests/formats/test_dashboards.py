# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The dashboards that are shipped: they parse, hang together, and name only fields and metrics that there are."""
import glob
import json
import os
import re

import pytest

import schemas
from test_ecs import template_fields

DASHBOARDS = os.path.join(schemas.ROOT, "scripts/packaging/dashboards")
# What is exported by the daemon.
METRICS = {"pytrail_events_total": {"category", "severity"}, "pytrail_events_lost_total": {"stage", "reason"},
           "pytrail_healthy": set(), "pytrail_spool_bytes": set(),
           "pytrail_output_delivered_total": {"output"}, "pytrail_output_errors_total": {"output", "reason"},
           "pytrail_output_oldest_age_seconds": {"output"}, "pytrail_resident_memory_bytes": {"process"}}
WORDS = re.compile(r"\b([a-z_]+(?:\.[a-z_]+)+)\s*:")


def fields():
    return set(template_fields("index-template.json"))


def saved_objects():
    with open(os.path.join(DASHBOARDS, "saved-objects.ndjson"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def grafana(name):
    with open(os.path.join(DASHBOARDS, name), encoding="utf-8") as file:
        return json.load(file)


def test_saved_objects():
    objects = saved_objects()
    ids = {(o["type"], o["id"]) for o in objects}
    assert len(ids) == len(objects)
    known = fields()
    for o in objects:
        for reference in o["references"]:
            assert (reference["type"], reference["id"]) in ids
        attributes = o["attributes"]
        if o["type"] == "visualization":
            for aggregation in json.loads(attributes["visState"])["aggs"]:
                field = aggregation["params"].get("field")
                assert field is None or field in known, field
        if o["type"] == "search":
            assert set(attributes["columns"]) <= known
        if "kibanaSavedObjectMeta" in attributes:
            query = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
            assert set(WORDS.findall(query)) <= known, query
        if o["type"] == "dashboard":
            names = {r["name"] for r in o["references"]}
            assert {p["panelRefName"] for p in json.loads(attributes["panelsJSON"])} == names


@pytest.mark.parametrize("path", sorted(glob.glob(os.path.join(DASHBOARDS, "grafana-*.json"))))
def test_grafana(path):
    whole = grafana(os.path.basename(path))
    variables = {v["name"] for v in whole["templating"]["list"]}
    assert len({p["id"] for p in whole["panels"]}) == len(whole["panels"])
    for panel in whole["panels"]:
        assert panel["datasource"]["uid"].strip("${}") in variables
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 and panel["targets"]


def test_elasticsearch_fields():
    known = fields()
    for panel in grafana("grafana-elasticsearch.json")["panels"]:
        for target in panel["targets"]:
            assert set(WORDS.findall(target["query"])) <= known, target["query"]
            for bucket in target["bucketAggs"]:
                assert bucket["field"] in known


def test_metrics():
    for panel in grafana("grafana-sensors.json")["panels"]:
        for target in panel["targets"]:
            names = set(re.findall(r"pytrail_[a-z_]+", target["expr"]))
            assert names and names <= METRICS.keys(), target["expr"]
            labels = {"instance"}.union(*(METRICS[n] for n in names))
            for group in re.findall(r"by \(([^)]*)\)", target["expr"]):
                assert set(group.split(", ")) <= labels


def test_loki():
    """Stream labels are category and severity; what `| json` makes of nested fields has underscores."""
    flat = {name.replace(".", "_") for name in fields()} | {"category", "severity"}
    for panel in grafana("grafana-loki.json")["panels"]:
        for target in panel["targets"]:
            for group in re.findall(r"by \(([^)]*)\)", target["expr"]):
                assert set(group.split(", ")) <= flat
            assert set(re.findall(r"\| ([a-z_]+)=", target["expr"])) <= flat
