# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""HTTP servers that are strict, or as hostile as a test wants, and a driver to send to them."""
import base64
import contextlib
import gzip
import http.server
import json
import signal
import socket
import ssl
import struct
import subprocess
import threading

from driving import LONG, Drive

class HttpDrive(Drive):
    """A driver with its settings as keywords; the value of one may be a list."""

    def __init__(self, url, format=None, env=None, options=(), **settings):
        given = [f"{name}={one}" for name, value in settings.items()
                 for one in (value if isinstance(value, list) else [value])]
        super().__init__(url, *given, format=format, env=env, options=options)

    def interrupt_now(self):
        self.process.send_signal(signal.SIGUSR1)


def cannot_open(url, **arguments):
    """The sentence that says why."""
    said = HttpDrive(url, **arguments).refusal()
    assert said and "\n" not in said
    return said


class Request:
    def __init__(self, handler, raw):
        self.method, self.path, self.headers = handler.command, handler.path, handler.headers
        self.raw = raw
        self.client = handler.client_address
        self.certificate = None
        if isinstance(handler.connection, ssl.SSLSocket):
            self.certificate = handler.connection.getpeercert()
        coding = self.headers.get("Content-Encoding")
        assert coding in (None, "gzip", "zstd"), coding
        if coding == "gzip":
            raw = gzip.decompress(raw)
        elif coding == "zstd":
            raw = subprocess.run(["zstd", "-dc"], input=raw, check=True, capture_output=True).stdout
        self.body = raw

    def basic(self):
        scheme, _, value = self.headers["Authorization"].partition(" ")
        assert scheme == "Basic"
        return base64.b64decode(value, validate=True).decode()

    def json(self):
        return json.loads(self.body)


def answer(status, body=b"", **headers):
    """What a well-behaved server sends."""
    def send(handler):
        data = body
        if not isinstance(data, bytes):
            data = json.dumps(data).encode() if not isinstance(data, str) else data.encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if status != 204:
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        if status != 204:
            handler.wfile.write(data)
    return send


def close(handler):
    handler.close_connection = True


def reset(handler):
    """RST in place of FIN."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def raw(data, then=close):
    def send(handler):
        handler.wfile.write(data)
        handler.wfile.flush()
        then(handler)
    return send


def half(body):
    """Promises more than it sends."""
    return raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
               % (len(body) + 10, body))


def endless(chunk, head=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"):
    """Until the client has had enough."""
    def send(handler):
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.wfile.write(head)
            while not handler.server.stop.is_set():
                handler.wfile.write(chunk)
    return send


def silent(handler):
    """Says nothing, but keeps the connection."""
    handler.close_connection = True
    handler.server.stop.wait(LONG)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        server = self.server
        if server.before_body:
            server.before_body(self)
            if self.close_connection:
                return
        try:
            assert "Transfer-Encoding" not in self.headers and "Expect" not in self.headers
            data = self.rfile.read(int(self.headers["Content-Length"]))
            request = Request(self, data)
            server.requests.append(request)
            server.seen.release()
            send = server.respond(request)
        except AssertionError as error:
            server.errors.append(error)
            send = answer(400, f"strict: {error}")
        send(self)

    do_PUT = do_POST

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    no_linger = False
    request_queue_size = 64

    def finish_request(self, request, client_address):
        if isinstance(request, ssl.SSLSocket):
            try:
                request.do_handshake()
            except ssl.SSLError:
                # Closed at once, what is left unread would turn the alert into a reset.
                while not self.no_linger and socket.socket.recv(request, 65536):
                    pass
                raise
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # clients that go away are what is tested

    def get_request(self):
        connection, address = super().get_request()
        self.connections += 1
        return connection, address


class Fake:
    """
    respond: what is done with a request: a function of it that returns one of the above, or a list of those,
    one a request, the last one again and again. Errors of strict checks fail the test at the end.
    """

    def __init__(self, respond, tls=None, before_body=None, port=0):
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.stop = threading.Event()
        self.server.seen = threading.Semaphore(0)
        self.server.requests, self.server.errors, self.server.connections = [], [], 0
        self.server.before_body = before_body
        if not callable(respond):
            answers = list(respond)
            respond = lambda request: answers.pop(0) if len(answers) > 1 else answers[0]
        self.server.respond = respond
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.requests = self.server.requests

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, kind, *exc):
        self.server.stop.set()
        self.server.shutdown()
        self.server.server_close()
        if kind is None:
            assert self.server.errors == []

    def seen(self):
        """Waits for one more request."""
        assert self.server.seen.acquire(timeout=LONG)

    @property
    def connections(self):
        return self.server.connections


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tls_server(pair, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context
