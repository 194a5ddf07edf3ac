# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Message brokers for the tests, with a client each: librdkafka's mock cluster, and nats-server."""
import base64
import json
import os
import socket
import subprocess

from driving import LONG, ROOT
from receivers import Receiver, free_port, listens, need


class Mock:
    def __init__(self):
        self.process = subprocess.Popen([os.path.join(ROOT, "build/tests/sink/mock_kafka")], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.servers = self.process.stdout.readline().strip()
        self.tell("topic events 4")

    def tell(self, command):
        print(command, file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "done\n"

    def url(self, topic="events"):
        return f"kafka://{self.servers}/{topic}"

    def consume(self, topic="events"):
        """All messages there are, by a consumer that has nothing in common with the driver."""
        done = subprocess.run([need("kcat"), "-C", "-e", "-q", "-b", self.servers, "-t", topic, "-J"],
                              capture_output=True, timeout=LONG * 2, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(LONG)


class Client:
    """As much of the NATS protocol as the tests need."""

    def __init__(self, port, user=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.file = self.socket.makefile("rb")
        assert self.file.readline().startswith(b"INFO ")
        options = {"verbose": False, "headers": True, "no_responders": True}
        if user:
            options["user"], options["pass"] = user
        self.write(b"CONNECT " + json.dumps(options).encode() + b"\r\nSUB _INBOX.t 1\r\n")

    def write(self, data):
        self.socket.sendall(data)

    def request(self, subject, payload):
        data = json.dumps(payload).encode()
        self.write(f"PUB {subject} _INBOX.t {len(data)}\r\n".encode() + data + b"\r\n")
        while True:
            line = self.file.readline().split()
            if line[0] == b"PING":
                self.write(b"PONG\r\n")
            elif line[0] == b"MSG":
                return json.loads(self.file.read(int(line[-1]) + 2))
            else:
                raise AssertionError(line)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()
        self.socket.close()


class Nats(Receiver):
    def __init__(self, directory, extra="", user=None):
        super().__init__(directory)
        self.port, self.user = free_port(), user
        with open(self.path("conf"), "w", encoding="ascii") as file:
            file.write(f'listen: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{self.directory}/js" }}\n{extra}\n')

    def command(self):
        return [need("nats-server"), "-c", self.path("conf")]

    def ready(self):
        return listens(self.port) and b"Server is ready" in self.log()

    def log(self):
        with open(self.path("log"), "rb") as file:
            return file.read()[self.begin:]

    def start(self):
        self.begin = os.path.getsize(self.path("log")) if os.path.exists(self.path("log")) else 0
        return super().start()

    def client(self):
        return Client(self.port, self.user)

    def add_stream(self, **options):
        with self.client() as client:
            answer = client.request("$JS.API.STREAM.CREATE.EVENTS",
                                    {"name": "EVENTS", "subjects": ["events.>"], "storage": "file", **options})
            assert "error" not in answer, answer

    def messages(self):
        with self.client() as client:
            state = client.request("$JS.API.STREAM.INFO.EVENTS", {})["state"]
            found = []
            for seq in range(1, state["last_seq"] + 1):
                m = client.request("$JS.API.STREAM.MSG.GET.EVENTS", {"seq": seq})["message"]
                headers = base64.b64decode(m["hdrs"]).decode().split("\r\n")[1:]
                found.append((base64.b64decode(m.get("data", "")).decode(),
                              dict(h.split(": ", 1) for h in headers if h)))
            return found

    def url(self, subject="events.python", scheme="nats"):
        return f"{scheme}://127.0.0.1:{self.port}/{subject}"
