# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A RELP receiver that can be killed and started again: it acknowledges what it has taken, and keeps it."""
import re
import socket
import threading

FRAME = re.compile(rb"(\d+) (\w+) (\d+)(?: |(?=\n))")


class Receiver:
    """Keeps the JSON of every message, in the order of arrival, across restarts."""

    def __init__(self, port=0):
        self.bodies, self.lock, self.port = [], threading.Lock(), port
        self.listener, self.connections = None, []
        self.start()

    def start(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def kill(self):
        """As a process that dies: what was not acknowledged may or may not have been taken."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for connection in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.connections = []

    def accept(self, listener):
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with self.lock:
                self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        data = b""
        try:
            while chunk := connection.recv(1 << 20):
                data = self.take(connection, data + chunk)
        except OSError:
            pass
        connection.close()

    def take(self, connection, data):
        """Answers every whole frame; returns what is left."""
        at, answer = 0, []
        while match := FRAME.match(data, at):
            end = match.end() + int(match[3])
            if len(data) < end + 1:
                break
            number, command, body = match[1], match[2], data[match.end():end]
            at = end + 1
            if command == b"syslog":
                self.keep(body[body.index(b"{"):])
            text = b"200 OK"
            if command == b"open":
                text += b"\nrelp_version=0\nrelp_software=test\ncommands=syslog"
            answer.append(b"%s rsp %d %s\n" % (number, len(text), text))
        if answer:
            connection.sendall(b"".join(answer))
        return data[at:]

    def keep(self, body):
        with self.lock:
            self.bodies.append(body)

    def count(self):
        with self.lock:
            return len(self.bodies)

    def taken(self, since=0):
        with self.lock:
            return self.bodies[since:]
