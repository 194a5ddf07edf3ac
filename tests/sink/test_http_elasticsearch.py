# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""_bulk: what is sent, and what each verdict of the answer means."""
import json

import pytest

from driving import item
from fakes import Fake, HttpDrive, answer, cannot_open


def documents(request):
    """The strict reading of a body: pairs of lines, create only, each with its _id."""
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert request.body.endswith(b"\n") and b"\n\n" not in request.body
    lines = [json.loads(line) for line in request.body.decode().split("\n")[:-1]]
    actions, docs = lines[::2], lines[1::2]
    assert len(actions) == len(docs)
    for action in actions:
        assert list(action) == ["create"] and set(action["create"]) == {"_id"}
    return [(a["create"]["_id"], d) for a, d in zip(actions, docs)]


def verdicts(statuses, **reasons):
    """An answer with these statuses in turn."""
    def respond(request):
        items = []
        for (name, _), status in zip(documents(request), statuses):
            one = {"_id": name, "status": status}
            if not 200 <= status < 300:
                one["error"] = {"type": reasons.get("type", "some_exception"),
                                "reason": reasons.get("reason", "because")}
            items.append({"create": one})
        return answer(200, {"errors": any(s >= 300 for s in statuses), "items": items})
    return respond


def sent(respond, items, **settings):
    with Fake(respond) as fake, HttpDrive(f"elasticsearch+http://127.0.0.1:{fake.port}",
                                      **settings) as drive:
        result = drive.send(items)
    return result, fake.requests


def test_documents_are_created_under_their_ids():
    items = [item(n, body=json.dumps({"n": n, "x": "é\n\u2028"})) for n in range(3)]
    result, requests = sent(verdicts([201, 200, 201]), items)
    assert result["status"] == "ok" and result["items"] == ["ok"] * 3
    assert documents(requests[0]) == [(f"b00t-{n}", {"n": n, "x": "é\n\u2028"}) for n in range(3)]
    path, _, query = requests[0].path.partition("?")
    assert path == "/logs-pytrail.audit-default/_bulk"
    assert query.startswith("filter_path=errors,") and "items.*.status" in query


@pytest.mark.parametrize("base, settings, path", [
    ("", {"index": "my-index"}, "/my-index/_bulk?"),
    ("/prefix/", {"index": "my-index"}, "/prefix/my-index/_bulk?"),
    ("", {"pipeline": "a b&c"}, "&pipeline=a%20b%26c")])
def test_where_to(base, settings, path):
    with Fake(verdicts([201])) as fake:
        with HttpDrive(f"opensearch+http://127.0.0.1:{fake.port}{base}", **settings) as drive:
            assert drive.send([item(1)])["status"] == "ok"
        assert path in fake.requests[0].path


@pytest.mark.parametrize("status, kind, wanted", [
    (409, "version_conflict_engine_exception", "ok"),
    (429, "es_rejected_execution_exception", "retry"),
    (503, "unavailable_shards_exception", "retry"),
    (500, "anything", "retry"),
    (400, "document_parsing_exception", "rejected"),
    (400, "illegal_argument_exception", "rejected"),
    (400, "invalid_index_name_exception", "denied"),
    (400, "validation_exception", "denied"),
    (403, "security_exception", "denied"),
    (403, "cluster_block_exception", "denied"),
    (404, "index_not_found_exception", "denied"),
    (413, "too_large", "too_large"),
    (0, "nonsense", "retry"), (700, "nonsense", "retry")])
def test_verdicts_on_items(status, kind, wanted):
    result, _ = sent(verdicts([201, status, 201], type=kind), [item(n) for n in range(3)])
    assert result["items"] == ["ok", wanted, "ok"]
    if wanted != "ok":
        assert result["reason"] == f"{kind}: because"


def test_a_missing_pipeline_holds():
    reason = "pipeline with id [x] does not exist"
    result, _ = sent(verdicts([400], type="illegal_argument_exception", reason=reason), [item(1)])
    assert result["items"] == ["denied"]


@pytest.mark.parametrize("change", [
    lambda a: a["items"].pop(), lambda a: a["items"].append(a["items"][0]),
    lambda a: a["items"].reverse(), lambda a: a["items"].__setitem__(1, {}),
    lambda a: a["items"].__setitem__(1, None), lambda a: a["items"].__setitem__(1, "x"),
    lambda a: a["items"][1]["create"].pop("status"),
    lambda a: a["items"][1]["create"].__setitem__("status", "201"),
    lambda a: a["items"][1]["create"].__setitem__("_id", "b00t-7"),
    lambda a: a.__setitem__("items", {"0": 1}), lambda a: a.pop("items")])
def test_an_answer_that_lies_is_not_believed(change):
    def respond(request):
        good = {"errors": False, "items": [{"create": {"_id": name, "status": 201}}
                                           for name, _ in documents(request)]}
        change(good)
        return answer(200, good)
    result, _ = sent(respond, [item(n) for n in range(3)])
    assert result["status"] == "retry" and result["items"] == ["retry"] * 3
    assert "not one of Elasticsearch's _bulk" in result["reason"]


def test_an_answer_that_ends_early_rejects_nothing():
    """What it said of the first was not more true than the rest."""
    def respond(request):
        name = documents(request)[0][0]
        bad = {"_id": name, "status": 400, "error": {"type": "document_parsing_exception", "reason": "r"}}
        return answer(200, {"errors": True, "items": [{"create": bad}]})
    result, _ = sent(respond, [item(1), item(2), item(3, body="no object")])
    assert result["items"] == ["retry", "retry", "rejected"]


def test_an_answer_of_many_errors_fits():
    count = 2000
    result, _ = sent(verdicts([429] * count, reason="r" * 2000), [item(n) for n in range(count)])
    assert result["items"] == ["retry"] * count


def test_bodies_that_are_no_line_of_json_are_not_sent():
    bad = ['{"a":1}\n{"delete":{"_id":"1"}}', "text", "", "{"]
    items = [item(0)] + [item(n + 1, body=body) for n, body in enumerate(bad)] + [item(9)]
    result, requests = sent(verdicts([201, 429]), items)
    assert result["items"] == ["ok"] + ["rejected"] * 4 + ["retry"]
    assert [name for name, _ in documents(requests[0])] == ["b00t-0", "b00t-9"]
    result, requests = sent(verdicts([]), items[1:3])
    assert result["status"] == "rejected" and not requests


@pytest.mark.parametrize("code, error, status", [
    (400, {"type": "parse_exception", "reason": "bad"}, "rejected"),
    (400, {"type": "illegal_argument_exception", "reason": "pipeline with id [x] does not exist"},
     "denied"),
    (429, {"type": "circuit_breaking_exception", "reason": "full"}, "retry"),
    (401, {"type": "security_exception", "reason": "missing credentials"}, "denied"),
    (404, {"type": "index_not_found_exception", "reason": "no such index [x]"}, "denied")])
def test_the_whole_request_refused(code, error, status):
    result, _ = sent([answer(code, {"error": error, "status": code})], [item(1)])
    assert (result["status"], result["code"]) == (status, code)
    assert result["reason"] == f"{error['type']}: {error['reason']}"


def test_ids_with_quotes():
    items = [item(1, id='a"\\é\x01'), item(2, id="")]
    def respond(request):
        lines = [json.loads(line) for line in request.body.decode().splitlines()[::2]]
        assert lines == [{"create": {"_id": 'a"\\é\x01'}}, {"create": {}}]
        return answer(200, {"items": [{"create": {"_id": 'a"\\é\x01', "status": 201}},
                                      {"create": {"_id": "theirs", "status": 201}}]})
    assert sent(respond, items)[0]["items"] == ["ok", "ok"]


@pytest.mark.parametrize("name", ["text", "cef", "leef"])
def test_formats_that_are_no_documents(name):
    assert "ecs, ocsf or json" in cannot_open("elasticsearch+http://h", format=name)
