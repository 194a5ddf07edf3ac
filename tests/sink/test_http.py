# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What all HTTP drivers share, shown by the plainest of them or by Elasticsearch's."""
import email.utils
import json
import re
import select
import socket
import threading
import time

import pytest

from certificates import openssl
from driving import item
from fakes import (Fake, HttpDrive, answer, cannot_open, close, closed_port, endless, half, raw, reset,
                   silent, tls_server)


def bulk_ok(request):
    """All are taken, as _bulk says it."""
    lines = request.body.split(b"\n")
    ids = [json.loads(line)["create"]["_id"] for line in lines[:-1:2]]
    return answer(200, {"errors": False, "items": [{"create": {"_id": i, "status": 201}} for i in ids]})


@pytest.fixture(name="secret")
def fixture_secret(tmp_path):
    def write(text):
        path = tmp_path / f"secret{len(list(tmp_path.iterdir()))}"
        path.write_text(text)
        return str(path)
    return write


def url(fake, scheme="elasticsearch+http", host="127.0.0.1"):
    return f"{scheme}://{host}:{fake.port}"


def one(respond, **settings):
    """What becomes of one batch of two items."""
    with Fake(respond) as fake, HttpDrive(url(fake), **settings) as drive:
        result = drive.send([item(1), item(2)])
    return result


def test_a_connection_is_kept():
    with Fake(bulk_ok) as fake, HttpDrive(url(fake)) as drive:
        for number in range(5):
            assert drive.send([item(number)])["status"] == "ok"
        assert (len(fake.requests), fake.connections) == (5, 1)
        assert fake.requests[0].headers["User-Agent"].startswith("pytrail/")


def test_a_kept_connection_that_the_receiver_closed_is_no_failure():
    def respond(request):
        send = bulk_ok(request)
        return lambda handler: (send(handler), close(handler))
    with Fake(respond) as fake, HttpDrive(url(fake)) as drive:
        for number in range(3):
            assert drive.send([item(number)])["status"] == "ok"
        assert fake.connections == 3


@pytest.mark.parametrize("code, status", [
    (301, "denied"), (302, "denied"), (304, "denied"), (307, "denied"), (308, "denied"),
    (400, "rejected"), (401, "denied"), (402, "denied"), (403, "denied"), (404, "denied"),
    (405, "denied"), (407, "denied"), (408, "retry"), (410, "denied"), (413, "too_large"),
    (415, "denied"), (422, "rejected"), (425, "retry"), (429, "retry"), (431, "denied"),
    (500, "retry"), (501, "denied"), (502, "retry"), (503, "retry"), (504, "retry"),
    (507, "retry"), (599, "retry")])
def test_status_codes(code, status):
    result = one([answer(code, "no", Location="http://elsewhere.example/")])
    assert (result["status"], result["code"]) == (status, code)
    assert f"HTTP status {code}" in result["reason"]


def test_redirects_are_not_followed():
    with Fake(bulk_ok) as other:
        for code in (301, 307):
            with Fake([answer(code, Location=url(other, "http"))]) as fake, HttpDrive(url(fake)) as drive:
                result = drive.send([item(1)])
                assert result["status"] == "denied" and "redirects" in result["reason"]
        assert other.requests == []


def test_retry_after_in_seconds_and_as_a_date():
    assert one([answer(429, Retry_After="7")])["retry_after"] == 7
    assert one([answer(503, Retry_After="0")])["retry_after"] == 0
    assert one([answer(429, Retry_After="soon")])["retry_after"] == 0
    assert one([answer(429, Retry_After="-5")])["retry_after"] == 0
    assert one([answer(429, Retry_After="999999999999")])["retry_after"] == 3600
    at = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert 0 < one([answer(503, Retry_After=at)])["retry_after"] <= 101
    past = email.utils.formatdate(time.time() - 100, usegmt=True)
    assert one([answer(503, Retry_After=past)])["retry_after"] == 0


@pytest.mark.parametrize("respond", [
    close, reset, half(b'{"errors":false'), raw(b"garbage\r\n\r\n"), raw(b"HTTP/1.1 abc\r\n\r\n"),
    raw(b"HTTP/1.1 200 OK\r\nContent-Le"), raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{", reset),
    raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    answer(200, "<html>log in</html>"), answer(200, ""), answer(200, "[" * 100000),
    answer(200, b'{"items":' + b'{"a":' * 5000), answer(200, b"\xff\xfe\0"),
    answer(200, '{"errors":false}'), answer(200, '{"errors":false,"items":{}}'),
    endless(b" " * 65536), endless(b"x" * 4096, b"HTTP/1.1 200 OK\r\nX: "),
    endless(b"X-Header: x\r\n" * 1000, b"HTTP/1.1 200 OK\r\n")])
def test_a_broken_answer_is_no_delivery(respond):
    result = one([respond])
    assert result["status"] == "retry" and result["reason"]


def test_nobody_listens():
    with HttpDrive(f"elasticsearch+http://127.0.0.1:{closed_port()}") as drive:
        result = drive.send([item(1)])
        assert result["status"] == "retry" and "connect" in result["reason"]


def test_time_out():
    for respond in (silent, raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", silent)):
        result = one([respond], timeout="300ms")
        assert result["status"] == "retry" and "timed out" in result["reason"]


def test_reset_in_mid_body():
    def before(handler):
        handler.rfile.read(1000)
        reset(handler)
    with Fake([answer(200)], before_body=before) as fake:
        with HttpDrive(url(fake), options=["--sigpipe"], compression="none") as drive:
            for _ in range(2):
                result = drive.send([item(1, body=json.dumps({"x": "y" * 3_000_000}))])
                assert result["status"] == "retry"


def test_refused_before_the_body_is_read():
    """413 of a server that does not want the rest: the code counts, not the broken upload."""
    def before(handler):
        answer(413)(handler)
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_WR)
        while handler.connection.recv(65536):
            pass
    with Fake([answer(200)], before_body=before) as fake, HttpDrive(url(fake), compression="none") as drive:
        assert drive.send([item(1, body=json.dumps({"x": "y" * 5_000_000}))])["status"] == "too_large"


def test_interrupt():
    with Fake([silent]) as fake, HttpDrive(url(fake)) as drive:
        drive.begin([item(1)])
        fake.seen()
        drive.interrupt_now()
        result = drive.answer()
        assert (result["status"], result["reason"]) == ("retry", "interrupted")
        assert drive.send([item(2)])["reason"] == "interrupted"
        assert len(fake.requests) == 1


@pytest.mark.parametrize("coding", ["none", "gzip"])
def test_compression(coding):
    with Fake(bulk_ok) as fake, HttpDrive(url(fake), compression=coding) as drive:
        result = drive.send([item(n, body=json.dumps({"x": "y" * 1000})) for n in range(100)])
        request = fake.requests[0]
        assert result["status"] == "ok"
        assert request.headers["Content-Encoding"] == (None if coding == "none" else coding)
        assert (len(request.raw) < 10_000) == (coding != "none")
        assert len(request.raw) < result["bytes"] < len(request.raw) + 2000


def test_headers_and_credentials(secret):
    cases = [({"user": "u", "password": secret("p:ä\n")}, "Basic"),
             ({"token": secret("t0ken\n")}, "Bearer t0ken"),
             ({"api_key": secret("a2V5")}, "ApiKey a2V5"),
             ({"secret_headers": secret("authorization: Own x\n\nX-Key: 1\r\n")}, "Own x")]
    for settings, wanted in cases:
        with Fake(bulk_ok) as fake, HttpDrive(url(fake), header=["X-A: 1", "X-B:2"], **settings) as drive:
            assert drive.send([item(1)])["status"] == "ok"
            request = fake.requests[0]
            assert (request.headers["X-A"], request.headers["X-B"]) == ("1", "2")
            if wanted == "Basic":
                assert request.basic() == "u:p:ä"
            else:
                assert request.headers["Authorization"] == wanted
            assert request.headers["X-Key"] == ("1" if wanted == "Own x" else None)


def test_credentials_in_the_clear_are_said(secret):
    said = HttpDrive("elasticsearch+http://192.0.2.1", token=secret("x")).close()
    assert "sends its credentials in the clear" in said
    assert HttpDrive("elasticsearch+http://127.0.0.1", token=secret("x")).close() == ""


@pytest.mark.parametrize("address, settings, words", [
    ("elasticsearch+http://u:hunter2@h", {}, ["'user'", "'password'"]),
    ("elasticsearch+http://hunter2@h", {}, ["'token'"]),
    ("elasticsearch+http://", {}, ["URL"]),
    ("elasticsearch+http://h:99999", {}, ["URL", "Port"]),
    ("elasticsearch+http://h/#x", {}, ["'#'"]),
    ("elasticsearch+http://h", {"proxy": "http://u:hunter2@p"}, ["'proxy'", "'proxy_password'"]),
    ("elasticsearch+http://h", {"proxy": "ftp://p"}, ["'proxy'", "socks5h"]),
    ("elasticsearch+http://h", {"proxy_user": "u"}, ["'proxy_user'", "'proxy'"]),
    ("elasticsearch+http://h", {"header": "x"}, ["'header'", "Name: value"]),
    ("elasticsearch+http://h", {"header": "X: a\nY: b"}, ["'header'", "Name: value"]),
    ("elasticsearch+http://h", {"header": "Content-Length: 1"}, ["'Content-Length'"]),
    ("elasticsearch+http://h", {"header": "Authorization: hunter2"}, ["'secret_headers'"]),
    ("elasticsearch+http://h", {"user": "u"}, ["'user'", "'password'"]),
    ("elasticsearch+http://h", {"tls_ca": "/dev/null"}, ["'tls_ca'", "https"]),
    ("elasticsearch+https://h", {"tls_ca": "/nonexistent"}, ["'tls_ca'", "No such file"]),
    ("elasticsearch+https://h", {"tls_name": "a b"}, ["'tls_name'"]),
    ("elasticsearch+https://h", {"tls_key": "/dev/null"}, ["'tls_key'", "'tls_cert'"]),
    ("elasticsearch+http://h", {"token": "/dev/null"}, ["'token'", "one line"]),
    ("elasticsearch+http://h", {"index": "Upper"}, ["'index'", "'Upper'"]),
    ("elasticsearch+http://h", {"compression": "zstd"}, ["'compression'", "none|gzip"])])
def test_what_cannot_be_opened(address, settings, words):
    said = cannot_open(address, **settings)
    assert "hunter2" not in said
    for word in words:
        assert word in said


def test_two_ways_to_authenticate(secret):
    said = cannot_open("elasticsearch+http://h", token=secret("x"), user="u", password=secret("p"))
    assert "one way too many" in said


def test_a_secret_with_a_newline_in_it(secret):
    said = cannot_open("elasticsearch+http://h", token=secret("a\nX-Evil: 1"))
    assert "'token'" in said and "one line" in said


# TLS

def tls_url(fake, host="localhost"):
    return url(fake, "elasticsearch+https", host)


def test_tls(certificates):
    with Fake(bulk_ok, tls_server(certificates.server)) as fake, HttpDrive(tls_url(fake), tls_ca=certificates.good.ca) as drive:
        for number in range(2):
            assert drive.send([item(number)])["status"] == "ok"
        assert fake.connections == 1


def test_tls_peer_not_trusted(certificates):
    with Fake(bulk_ok, tls_server(certificates.server)) as fake, HttpDrive(tls_url(fake)) as drive:
        result = drive.send([item(1)])
        assert result["status"] == "denied" and "'tls_ca'" in result["reason"]
    with Fake(bulk_ok, tls_server(certificates.stranger)) as fake, HttpDrive(tls_url(fake), tls_ca=certificates.good.ca) as drive:
        assert drive.send([item(1)])["status"] == "denied"
        assert fake.requests == []


def test_tls_name(certificates):
    with Fake(bulk_ok, tls_server(certificates.misnamed)) as fake:
        with HttpDrive(tls_url(fake), tls_ca=certificates.good.ca) as drive:
            result = drive.send([item(1)])
            assert result["status"] == "denied" and "'tls_name'" in result["reason"]
        with HttpDrive(tls_url(fake), tls_ca=certificates.good.ca, tls_name="elsewhere.example") as drive:
            assert drive.send([item(1)])["status"] == "ok"
            assert fake.requests[0].headers.get_all("Host") == [f"localhost:{fake.port}"]
        with HttpDrive(tls_url(fake), tls_ca=certificates.good.ca, tls_name="evil.example") as drive:
            assert drive.send([item(1)])["status"] == "denied"


def test_tls_not_verified_is_said(certificates):
    with Fake(bulk_ok, tls_server(certificates.stranger)) as fake:
        drive = HttpDrive(tls_url(fake), tls_verify="no")
        assert drive.send([item(1)])["status"] == "ok"
        assert "does not check the receiver's certificate" in drive.close()


def test_client_certificate(certificates):
    with Fake(bulk_ok, tls_server(certificates.server, certificates.good.ca)) as fake:
        with HttpDrive(tls_url(fake), tls_ca=certificates.good.ca, tls_cert=certificates.client[0],
                   tls_key=certificates.client[1]) as drive:
            assert drive.send([item(1)])["status"] == "ok"
            assert (("commonName", "client"),) in fake.requests[0].certificate["subject"]
        both = certificates.good.path("both.pem")
        with open(both, "w", encoding="ascii") as file:
            for name in certificates.client:
                with open(name, encoding="ascii") as part:
                    file.write(part.read())
        with HttpDrive(tls_url(fake), tls_ca=certificates.good.ca, tls_cert=both) as drive:
            assert drive.send([item(1)])["status"] == "ok"


def test_client_certificate_not_accepted(certificates):
    with Fake(bulk_ok, tls_server(certificates.server, certificates.good.ca)) as fake:
        with HttpDrive(tls_url(fake), tls_ca=certificates.good.ca) as drive:
            result = drive.send([item(1)])
            assert result["status"] == "denied" and "'tls_cert'" in result["reason"], result['reason']
        with HttpDrive(tls_url(fake), tls_ca=certificates.good.ca, tls_cert=certificates.stranger[0],
                   tls_key=certificates.stranger[1]) as drive:
            result = drive.send([item(1)])
            assert result["status"] == "denied" and "'tls_cert'" in result["reason"], result['reason']
        assert fake.requests == []


def test_a_reset_in_place_of_an_alert(certificates):
    """With TLS 1.3 the client has its handshake behind it by then: it cannot know why."""
    with Fake(bulk_ok, tls_server(certificates.server, certificates.good.ca)) as fake:
        fake.server.no_linger = True
        with HttpDrive(tls_url(fake), tls_ca=certificates.good.ca) as drive:
            for _ in range(5):
                result = drive.send([item(1)])
                assert result["status"] in ("retry", "denied")
                assert "'tls_cert'" in result["reason"]


@pytest.mark.parametrize("kind", ["encrypted", "another's", "none"])
def test_a_key_that_cannot_be_used(certificates, kind):
    """OpenSSL must not ask for a passphrase."""
    key = {"encrypted": certificates.good.path("locked.key"), "another's": certificates.stranger[1],
           "none": certificates.good.ca}[kind]
    if kind == "encrypted":
        openssl(None, "ec", "-aes128", "-passout", "pass:secret", "-in", certificates.client[1],
                "-out", key)
    with Fake(bulk_ok, tls_server(certificates.server, certificates.good.ca)) as fake:
        with HttpDrive(tls_url(fake), tls_ca=certificates.good.ca, tls_cert=certificates.client[0],
                   tls_key=key) as drive:
            result = drive.send([item(1)])
            assert result["status"] == "denied" and "'tls_key'" in result["reason"]


def test_plain_and_tls_mixed_up(certificates):
    with Fake(bulk_ok) as fake, HttpDrive(tls_url(fake), tls_ca=certificates.good.ca) as drive:
        result = drive.send([item(1)])
        assert result["status"] == "denied" and "speaks no TLS" in result["reason"]
    said = "<center>The plain HTTP request was sent to HTTPS port</center>"
    result = one([answer(400, said)])
    assert result["status"] == "denied" and "give an https URL" in result["reason"]


def test_reset_in_the_handshake(certificates):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def accept():
            connection, _ = server.accept()
            connection.recv(100)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
        threading.Thread(target=accept, daemon=True).start()
        with HttpDrive(f"elasticsearch+https://localhost:{server.getsockname()[1]}",
                   tls_ca=certificates.good.ca) as drive:
            assert drive.send([item(1)])["status"] == "retry"


# Proxies

class Proxy:
    """CONNECT and requests by absolute URL, as a forward proxy has them."""

    def __init__(self, target, status=b"200 OK"):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target, self.status, self.heads = target, status, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.heads.append(head)
        if not self.status.startswith(b"200"):
            client.sendall(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % self.status)
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self.target))
        if head.startswith(b"CONNECT"):
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            server.sendall(re.sub(rb"^(POST )http://[^/]*", rb"\1", head))
        while True:
            for ready in select.select([client, server], [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    client.close()
                    server.close()
                    return
                (server if ready is client else client).sendall(data)


@pytest.mark.parametrize("tls", [False, True])
def test_proxy(certificates, secret, tls):
    with Fake(bulk_ok, tls_server(certificates.server) if tls else None) as fake:
        proxy = Proxy(fake.port)
        settings = {"tls_ca": certificates.good.ca} if tls else {}
        address = tls_url(fake) if tls else url(fake, host="localhost")
        with HttpDrive(address, proxy=f"http://127.0.0.1:{proxy.port}", proxy_user="u",
                   proxy_password=secret("p"), **settings) as drive:
            assert drive.send([item(1)])["status"] == "ok"
        assert proxy.heads[0].startswith(b"CONNECT localhost:" if tls else b"POST http://localhost:")
        assert b"Proxy-Authorization: Basic dTpw\r\n" in proxy.heads[0]
        assert fake.requests[0].headers["Proxy-Authorization"] is None or not tls


@pytest.mark.parametrize("said, status", [(b"407 No", "denied"), (b"403 No", "denied"),
                                          (b"502 Bad", "retry"), (b"400 Bad", "retry")])
def test_proxy_refuses(certificates, said, status):
    proxy = Proxy(0, said)
    with HttpDrive("elasticsearch+https://localhost:1", proxy=f"http://127.0.0.1:{proxy.port}",
               tls_ca=certificates.good.ca) as drive:
        result = drive.send([item(1)])
        assert result["status"] == status and "from the proxy" in result["reason"]


def test_the_environment_names_no_proxy():
    names = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    env = {name: f"http://127.0.0.1:{closed_port()}" for name in names}
    with Fake(bulk_ok) as fake, HttpDrive(url(fake), env=env) as drive:
        assert drive.send([item(1)])["status"] == "ok"


# The library

@pytest.mark.parametrize("scheme", ["elasticsearch", "opensearch", "splunk", "otlp", "loki", "webhook"])
def test_without_libcurl(tmp_path, secret, scheme):
    """Hidden by a file of that name, found before the system's, that is no library."""
    token = secret("x")
    (tmp_path / "libcurl.so.4").write_bytes(b"")
    said = cannot_open(f"{scheme}+http://h", env={"LD_LIBRARY_PATH": str(tmp_path)}, token=token)
    assert said == "libcurl.so.4 is needed and not installed (Debian's package libcurl4)"
