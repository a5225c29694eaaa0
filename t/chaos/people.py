# The clients: they come back, resume, and send again what was not answered.

# Copyright (C) the chat module's authors

import asyncio
import random

from ledger import View
from wire import Wire

PATIENCE = 3        # seconds without an answer, then the connection is dead


class Person:
    """One user with one connection in some rooms.  rate: messages a second.
    seed makes what it does the same in each run."""

    def __init__(self, chaos, user, rooms, rate=0, path="/chat", strict=True,
                 size=0, away=0):
        self.chaos = chaos
        self.ledger = chaos.ledger
        self.user = user
        self.rate = rate
        self.path = path
        self.strict = strict
        self.size = size
        self.away = away
        self.random = random.Random(f"{chaos.seed} {user}")
        self.views = {room: View(self.ledger, user, room, strict)
                      for room in rooms}
        self.views["@" + user] = View(self.ledger, user, "@" + user, strict)
        self.rooms = rooms
        self.sent = 0
        self.pending = {}       # body -> command
        self.direct = {}        # body -> to whom, acknowledged
        self.waiting = {}       # id -> (function, deadline)
        self.refused = 0
        self.ids = 0
        self.wire = None
        self.ready = False
        self.writing = True
        self.going = True
        self.gone = None
        self.hint = 0
        self.ends = 0

    # a connection's life

    async def live(self):
        while self.going:
            try:
                await self.session()
            except (OSError, asyncio.TimeoutError):
                await asyncio.sleep(0.02 + self.random.random() / 10)
            if self.away and self.going:
                await asyncio.sleep(self.random.random() * self.away)

    async def session(self):
        loop = asyncio.get_running_loop()
        gone = self.gone = loop.create_future()
        self.waiting = {}
        self.ready = False
        self.hint = 0

        for view in self.views.values():
            view.live = False

        self.waiting["welcome"] = (self.on_welcome, loop.time() + PATIENCE)
        self.wire = Wire(
            f"{self.path}?user={self.user}", self.random.random() < 0.5,
            self.on_json, lambda code: gone.done() or gone.set_result(code))

        await asyncio.wait_for(loop.create_connection(
            lambda: self.wire, "127.0.0.1", self.chaos.port), PATIENCE)

        leave = (loop.time() + self.random.random() * self.away
                 if self.away else None)

        while not gone.done():
            await asyncio.wait([gone], timeout=self.pause())
            now = loop.time()

            if gone.done():
                break
            if any(late < now for _, late in self.waiting.values()):
                self.ledger.counts["given up"] += 1
                self.wire.drop()
            elif not self.going or leave and leave < now:
                if not self.pending:
                    self.random.choice((self.wire.close, self.wire.reset,
                                        self.wire.drop))()
            elif self.ready:
                self.act()

        self.ready = False
        self.ends += 1

        if self.hint and self.going:
            await asyncio.sleep(min(self.hint, 500) / 1000)

    def pause(self):
        return self.random.expovariate(self.rate) if self.rate else 0.1

    def act(self):
        if self.writing and self.rate and len(self.pending) < 8:
            self.say()
            if self.random.random() < 0.02:
                # it arrives, and the answer does not
                self.wire.leave()
        elif not self.waiting:
            self.ask({"type": "ping"}, lambda reply: None)

    # what it says

    def ask(self, command, handler):
        self.ids += 1
        late = asyncio.get_running_loop().time() + PATIENCE
        self.waiting[self.ids] = (handler, late)
        self.wire.send(dict(command, id=self.ids))

    def say(self):
        self.sent += 1
        body = f"{self.user}:{self.sent}"
        command = {"type": "send", "nonce": body,
                   "text": body + " " + "x" * self.random.randrange(
                       self.size * 2 + 60)}

        if self.path == "/chat" and self.random.random() < 0.1:
            command["to"] = self.random.choice(self.chaos.users)
        else:
            command["room"] = self.random.choice(self.rooms)

        self.pending[body] = command
        self.ask(command, lambda reply: self.on_sent(body, reply))

        if self.chaos.broken == "nonce" and self.random.random() < 0.05:
            self.ask(dict(command, nonce=body + "again"), lambda reply: None)

    def on_sent(self, body, reply):
        command = self.pending.get(body)

        if command is None:
            return

        if reply["type"] == "ok":
            room = reply["room"]
            del self.pending[body]
            self.ledger.ack(room, self.views[room].epoch, reply["seq"], body)

            if "to" in command:
                self.direct[body] = command["to"]
            elif self.random.random() < 0.03:
                self.amend(room, reply["seq"])
            if reply.get("duplicate"):
                self.ledger.counts["sent again"] += 1

        elif reply["code"] in ("zone_full", "unavailable", "no_such_user"):
            del self.pending[body]
            self.refused += 1
            self.ledger.counts[reply["code"]] += 1

        else:
            del self.pending[body]
            self.ledger.fault("refused", f"{self.user}: {reply}")

    def amend(self, room, seq):
        command = {"type": "delete", "room": room, "seq": seq}
        if self.random.random() < 0.6:
            command.update(type="edit", text="y" * 40)
        self.ask(command, self.on_amended)

    def on_amended(self, reply):
        if reply["type"] == "error" and reply["code"] not in (
                "zone_full", "no_such_message"):
            self.ledger.fault("refused", f"{self.user}: {reply}")

    # what it hears

    def on_json(self, m):
        if self.chaos.hear(self, m):
            self.hear(m)

    def hear(self, m):
        kind = m["type"]

        if kind in ("ok", "error"):
            handler, _ = self.waiting.pop(m.get("id"), (None, 0))
            if handler:
                handler(m)
            else:
                self.ledger.fault("strange", f"{self.user}: {m}")
        elif kind == "welcome":
            self.waiting.pop("welcome")[0](m)
        elif kind == "bye":
            self.hint = m["reconnect"] + 1
            self.ledger.counts["bye"] += 1
        elif "room" in m and m["room"] in self.views:
            self.views[m["room"]].event(m)

    def on_welcome(self, m):
        left = len(self.views)

        def on_joined(room, reply):
            nonlocal left

            if reply["type"] != "ok":
                self.ledger.counts[reply["code"]] += 1
                if reply["code"] not in ("zone_full", "unavailable"):
                    self.ledger.fault("refused", f"{self.user}: {reply}")
                return self.wire.drop()

            self.views[room].joined(reply)
            left -= 1
            if left == 0:
                self.ready = True
                for body, command in self.pending.items():
                    self.ask(command, lambda reply, body=body:
                             self.on_sent(body, reply))

        for room, view in self.views.items():
            command = {"type": "join", "room": room, "presence": True}
            if view.epoch is not None:
                command.update(epoch=view.epoch, seq=view.last)
            self.ask(command, lambda reply, room=room: on_joined(room, reply))

    def members(self, room, handler):
        if self.ready:
            self.ask({"type": "members", "room": room}, handler)
