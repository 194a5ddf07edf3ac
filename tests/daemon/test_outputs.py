# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Each driver in the confined exporter: another user, no capabilities, few system calls; all records arrive."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests/sink"))
from brokers import Mock, Nats  # noqa: E402
from certificates import Certificates  # noqa: E402
from fakes import Fake, answer, tls_server  # noqa: E402
from journal import Journald  # noqa: E402
from receivers import need, rsyslog_relp, rsyslog_tcp, rsyslog_tls, rsyslog_udp, rsyslog_unix  # noqa: E402

PYTRAIL = os.environ.get("PYTRAIL", os.path.join(ROOT, "build/pytrail"))
HOSTS = ["127.0.0.1", "localhost"]  # a name is looked up by the confined process


@pytest.fixture(scope="session", name="ids")
def ids_fixture(records):
    """Of all records, in their order."""
    done = subprocess.run([PYTRAIL, "replay", "-o", "json", records], capture_output=True, timeout=120, check=True)
    return [json.loads(line)["id"] for line in done.stdout.splitlines()]


@pytest.fixture(name="place")
def place_fixture():
    """A directory that any user can reach, as pytest's own are not."""
    path = tempfile.mkdtemp(prefix="pytrail-outputs-")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session", name="authority")
def authority_fixture():
    path = tempfile.mkdtemp(prefix="pytrail-outputs-")
    os.chmod(path, 0o755)
    yield Certificates(path)
    shutil.rmtree(path, ignore_errors=True)


def deliver(records, output):
    """Delivered to the last record, without a complaint."""
    done = subprocess.run([PYTRAIL, "replay", "-o", output, records], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1, f"no more than the summary is said: {done.stderr}"


def json_lines(requests):
    return [json.loads(line) for request in requests for line in request.body.splitlines()]


class Bulk:
    """_bulk that takes all documents."""

    def __init__(self):
        self.ids = []

    def __call__(self, request):
        ids = [json.loads(line)["create"]["_id"] for line in request.body.splitlines()[::2]]
        self.ids += ids
        return answer(201, {"errors": False, "items": [{"create": {"_id": i, "status": 201}} for i in ids]})


@pytest.mark.parametrize("host", HOSTS)
def test_elasticsearch(records, ids, host):
    bulk = Bulk()
    with Fake(bulk) as fake:
        deliver(records, f"ecs:elasticsearch+http://{host}:{fake.port}")
    assert bulk.ids == ids


@pytest.mark.parametrize("host", HOSTS)
def test_elasticsearch_tls(records, ids, authority, host):
    """The authority's file is read, and OpenSSL works, under the filter."""
    bulk = Bulk()
    with Fake(bulk, tls_server(authority.server)) as fake:
        deliver(records, f"ecs:elasticsearch+https://{host}:{fake.port}?tls_ca={authority.good.ca}")
    assert bulk.ids == ids


def test_client_certificate_that_only_root_reads(records, ids, authority):
    """The key is read before the privileges are gone."""
    bulk = Bulk()
    cert, key = authority.client
    os.chmod(key, 0o600)
    with Fake(bulk, tls_server(authority.server, authority.good.ca)) as fake:
        deliver(records, f"ecs:elasticsearch+https://localhost:{fake.port}?tls_ca={authority.good.ca}"
                f"&tls_cert={cert}&tls_key={key}")
    assert bulk.ids == ids


def test_splunk_with_acknowledgements(records, ids, place):
    got, acks = [], []

    def hec(request):
        if request.path.startswith("/services/collector/ack"):
            acks.append(request.json()["acks"])
            return answer(200, {"acks": {str(n): True for n in acks[-1]}})
        text = request.body.decode()
        while text:
            event, end = json.JSONDecoder().raw_decode(text)
            got.append(event["event"]["id"])
            text = text[end:]
        return answer(200, {"text": "Success", "code": 0, "ackId": len(got)})

    token = os.path.join(place, "token")
    with open(token, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write("0123-abc\n")
    with Fake(hec) as fake:
        deliver(records, f"json:splunk+http://localhost:{fake.port}?token={token}&ack=on")
    assert got == ids and acks


def test_otlp(records, ids):
    with Fake([answer(200, {})]) as fake:
        deliver(records, f"otlp+http://localhost:{fake.port}?encoding=json")
    logs = [record for request in fake.requests for resource in request.json()["resourceLogs"]
            for scope in resource["scopeLogs"] for record in scope["logRecords"]]
    assert len(logs) == len(ids)
    hosts = {a["value"]["stringValue"] for request in fake.requests for resource in request.json()["resourceLogs"]
             for a in resource["resource"]["attributes"] if a["key"] == "host.name"}
    assert hosts == {socket.gethostname()}


def test_loki(records, ids):
    with Fake([answer(204)]) as fake:
        deliver(records, f"json:loki+http://localhost:{fake.port}")
    lines = [json.loads(value[1])["id"] for request in fake.requests for stream in request.json()["streams"]
             for value in stream["values"]]
    assert sorted(lines) == sorted(ids)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_webhook(records, ids, coding):
    with Fake([answer(200)]) as fake:
        deliver(records, f"json:webhook+http://localhost:{fake.port}/hook?compression={coding}")
    assert [record["id"] for record in json_lines(fake.requests)] == ids


def syslog_ids(receiver, ids):
    return [message["$!"]["id"] for message in receiver.messages(len(ids))]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("scheme, make", [("syslog+tcp", rsyslog_tcp), ("relp", rsyslog_relp)])
def test_rsyslog(records, ids, place, scheme, make, host):
    with make(place) as receiver:
        deliver(records, f"json:{scheme}://{host}:{receiver.port}")
        assert syslog_ids(receiver, ids) == ids


@pytest.mark.parametrize("scheme, make", [("syslog+tls", rsyslog_tls), ("relp+tls", rsyslog_relp)])
def test_rsyslog_tls(records, ids, place, authority, scheme, make):
    cert, key = authority.client
    with make(place, authority) as receiver:
        deliver(records, f"json:{scheme}://localhost:{receiver.port}?tls_ca={authority.good.ca}"
                f"&tls_cert={cert}&tls_key={key}")
        assert syslog_ids(receiver, ids) == ids


def test_rsyslog_udp(records, ids, place):
    rsyslog, port = rsyslog_udp(place)
    with rsyslog as receiver:
        deliver(records, f"json:syslog+udp://localhost:{port}")
        assert sorted(syslog_ids(receiver, ids)) == sorted(ids)


def test_rsyslog_unix(records, ids, place):
    with rsyslog_unix(place) as receiver:
        deliver(records, f"json:syslog+unix://{receiver.path('socket')}")
        assert syslog_ids(receiver, ids) == ids


@pytest.mark.parametrize("host", HOSTS)
def test_kafka(records, ids, host):
    """Keyed by process: all of them, in order within each partition."""
    need("kcat")
    with Mock() as mock:
        servers = mock.servers.replace("127.0.0.1", host)
        deliver(records, f"json:kafka://{servers}/events")
        got = [json.loads(message["payload"])["id"] for message in mock.consume()]
    assert sorted(got) == sorted(ids)


@pytest.mark.parametrize("host", HOSTS)
def test_nats(records, ids, place, host):
    with Nats(place) as server:
        server.add_stream()
        deliver(records, f"json:nats://{host}:{server.port}/events.python")
        assert [json.loads(data)["id"] for data, _ in server.messages()] == ids


def test_journald(records, ids, place):
    with Journald(place) as receiver:
        deliver(records, f"json:journald://{receiver.socket}")
        assert len(receiver.entries(len(ids))) == len(ids)


def test_exec(records, ids, place):
    command, out = os.path.join(place, "command"), os.path.join(place, "out")
    with open(command, "w", encoding="ascii") as file:
        file.write('#!/bin/sh\nexec cat >>"$1"\n')
    os.chmod(command, 0o755)
    with open(out, "wb"):
        pass
    os.chmod(out, 0o666)
    deliver(records, f"json:exec:{command}?argument={out}")
    with open(out, "rb") as file:
        assert [json.loads(line)["id"] for line in file] == ids


def test_what_a_command_has_open(records, place):
    """Neither the link to the tracer nor the metrics' socket, by which it could speak for the exporter."""
    command, out = os.path.join(place, "command"), os.path.join(place, "out")
    with open(command, "w", encoding="ascii") as file:
        file.write('#!/bin/sh\nfor fd in /proc/self/fd/[3-9]; do readlink "$fd"; done >"$1"\nexec cat >/dev/null\n')
    os.chmod(command, 0o755)
    with open(out, "wb"):
        pass
    os.chmod(out, 0o666)
    deliver(records, f"json:exec:{command}?argument={out}")
    with open(out, encoding="utf-8") as file:
        # the shell's own script
        assert [line for line in file.read().split("\n") if line and line != command] == []
