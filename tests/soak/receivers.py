# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Receivers that fail and come back, and count what they have taken: each record once, however often it came."""
import collections
import os
import re
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../daemon"), os.path.join(HERE, "../sink")]
import fakes  # noqa: E402
import relp  # noqa: E402

HEAD = re.compile(rb'{"type":"(\w+)","id":"[0-9a-f]+-(\d+)"')
EVENT = re.compile(rb'"event":"([^"]+)"')
LOST = re.compile(rb'"count":(\d+),"cause":"(\w+)"')


class Account:
    """What has arrived: records by their number, events by name, losses by cause."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = bytearray()
        self.records = self.duplicates = self.audit = 0
        self.events, self.lost = collections.Counter(), collections.Counter()

    def take(self, body):
        head = HEAD.match(body)
        assert head, body[:200]
        with self.lock:
            if self.is_known(int(head[2])):
                self.duplicates += 1
                return
            self.records += 1
            if head[1] == b"audit":
                self.audit += 1
                self.events[EVENT.search(body)[1].decode()] += 1
            elif head[1] == b"lost":
                count, cause = LOST.search(body).groups()
                self.lost[cause.decode()] += int(count)

    def is_known(self, number):
        """Whether a record of that number was there before; it is now."""
        at, bit = number >> 3, 1 << (number & 7)
        if at >= len(self.seen):
            self.seen += bytes(at + 1 - len(self.seen) + (1 << 16))
        known = self.seen[at] & bit
        self.seen[at] |= bit
        return known


class Relp(relp.Receiver):
    """By RELP; its failure is that it is gone."""

    def __init__(self):
        self.account = Account()
        super().__init__()

    def keep(self, body):
        self.account.take(body)

    def phases(self):
        """What it does in turn: seconds, a function."""
        return [(25, lambda: None), (8, self.kill), (0, self.start)]


class Hook:
    """By HTTP; it fails in many ways."""

    WAYS = {"good": fakes.answer(200), "unavailable": fakes.answer(503, Retry_After="1"), "reset": fakes.reset,
            "refused": fakes.answer(403, "no"), "half": fakes.half(b"{}"), "too many": fakes.answer(429)}

    def __init__(self):
        self.account, self.way = Account(), "good"
        self.fake = fakes.Fake(self.respond)
        self.fake.server.requests = collections.deque(maxlen=1)  # it runs for hours
        self.fake.__enter__()
        self.port = self.fake.port

    def respond(self, request):
        if self.way == "silent":
            return self.silent
        if self.way == "good":
            for line in request.body.splitlines():
                self.account.take(line)
        return self.WAYS[self.way]

    @staticmethod
    def silent(handler):
        """For longer than the sender waits."""
        handler.close_connection = True
        handler.server.stop.wait(3)

    def phases(self):
        turns = []
        for way in (*self.WAYS, "silent"):
            if way != "good":
                turns += [(20, lambda: setattr(self, "way", "good")), (5, lambda w=way: setattr(self, "way", w))]
        return [*turns, (0, lambda: setattr(self, "way", "good"))]


class Trouble(threading.Thread):
    """Goes through the phases of something, again and again; at the end all is well with it."""

    def __init__(self, phases):
        super().__init__(daemon=True)
        self.phases, self.done, self.turns = phases, threading.Event(), 0

    def run(self):
        while not self.done.is_set():
            for seconds, what in self.phases:
                if self.done.is_set() and seconds:  # what makes it well is done all the same
                    continue
                what()
                self.done.wait(seconds)
            self.turns += 1

    def stop(self):
        self.done.set()
        self.join()
