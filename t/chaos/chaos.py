#!/usr/bin/env python3

# Chaos: a chat with four workers, to which all happens that may happen, and a
# checker that knows what must be true all the same.  See "run" for the usage.

# Copyright (C) the chat module's authors

import argparse
import asyncio
import random
import shutil
import signal
import socket
import sys
import time

from ledger import Ledger
from people import Person
from server import Server

ROOMS = ["r1", "r2", "r3"]
LEAVE_DELAY = 0.5

BREAKS = ("drop", "double", "swap", "ack", "nonce", "presence", "leak")


class Chaos:

    def __init__(self, args):
        self.args = args
        self.seed = args.seed
        self.port = args.port
        self.broken = args.broken
        self.random = random.Random(args.seed)
        self.ledger = Ledger()
        self.server = Server(args.root, args.port, args.nginx, args.module,
                             args.preload, self.random.random() < 0.5)
        self.users = [f"u{n}" for n in range(args.users)]
        self.people = []
        self.visitors = []
        self.tasks = []
        self.held = {}
        self.begin = time.monotonic()
        self.clock = 0

    def say(self, text):
        print(f"{time.monotonic() - self.begin:7.2f}  {text}", flush=True)

    # the checker's own test: what a broken chat would let the clients hear

    def hear(self, person, m):
        if not self.broken or m["type"] != "message" or (
                m["room"] not in ROOMS):
            return True

        if self.broken == "drop":
            return self.random.random() > 0.005
        if self.broken == "double" and self.random.random() < 0.005:
            person.hear(m)
        if self.broken == "swap":
            other = self.held.pop(person.user, None)
            if other:
                person.hear(m)
                person.hear(other)
                return False
            if self.random.random() < 0.005:
                self.held[person.user] = m
                return False
        if self.broken == "ack" and self.random.random() < 0.01:
            view = person.views[m["room"]]
            self.ledger.ack(m["room"], view.epoch, m["seq"],
                            f"nobody:{self.random.random()}")

        return True

    # who takes part

    def invite(self):
        small = [Person(self, f"s{n}", ["~1", "~2"], 3, "/small", False, 1500)
                 for n in range(4)]
        users = [Person(self, u, ROOMS[:2] if n % 3 else ROOMS,
                        self.args.rate) for n, u in enumerate(self.users)]
        self.people = users + small
        self.visitors = [Person(self, f"v{n}", [self.random.choice(ROOMS)],
                                away=1.5) for n in range(6)]

    def come(self, people):
        for person in people:
            person.going = True
            person.task = asyncio.create_task(person.live())
            self.tasks.append(person.task)

    async def go(self, people):
        for person in people:
            person.going = False
        await self.until("people are gone", 20, lambda: all(
            p.task.done() for p in people))

    async def until(self, what, time_, condition):
        loop = asyncio.get_running_loop()
        end = loop.time() + time_ * self.args.slowness

        while not condition():
            for task in self.tasks:
                if task.done() and task.exception():
                    raise task.exception()
            if loop.time() > end:
                return self.ledger.fault("stuck", f"not in {time_} s: {what}")
            await asyncio.sleep(0.02)

    # the faults

    def one(self):
        workers = self.server.workers()
        return self.random.choice(workers) if workers else 0

    async def kill(self):
        n = 4 if self.random.random() < 0.1 else 1
        for pid in self.random.sample(self.server.workers()[:4], n):
            self.server.kill(pid, signal.SIGKILL)
        self.say(f"kill {n}")

    async def point(self):
        if not self.server.symbols:
            return await self.kill()

        for _ in range(12):
            self.server.arm(*self.random.choice(self.server.symbols),
                            self.random.choice((1, 2, 3, 5, 8, 20, 50)))
            await asyncio.sleep(0.25)
            where = self.server.disarm()
            if where:
                return self.say(f"killed in {where[0]}, at {where[1]:#x}")

        self.say("nobody came where he was to be killed")

    async def freeze(self):
        pid = self.one()
        if not pid:
            return
        seconds = self.random.choice((0.3, 1, 2, 4))
        self.say(f"freeze {pid} for {seconds} s")
        self.server.freeze(pid)

        async def thaw():
            await asyncio.sleep(seconds)
            self.server.thaw(pid)

        self.tasks.append(asyncio.create_task(thaw()))

    async def reload(self):
        n = self.random.choice((1, 1, 2, 3))
        self.say(f"reload {n}")
        self.ledger.counts["reloads"] += n
        for _ in range(n):
            self.server.signal(signal.SIGHUP)
            await asyncio.sleep(self.random.choice((0.05, 0.3, 1)))

    async def quit(self):
        self.say("quit, and start again")
        self.server.thaw()
        self.server.signal(signal.SIGQUIT)
        await self.until("nginx quits", 12,
                         lambda: self.server.process.poll() is not None)
        if self.server.process.poll() is None:
            raise SystemExit("nginx does not quit")
        self.ledger.restarted()
        self.server.start()

    async def reset(self):
        ready = [p for p in self.people if p.ready]
        n = min(len(ready), self.random.choice((1, 3, 8)))
        self.say(f"reset {n}")
        for person in self.random.sample(ready, n):
            person.wire.reset()

    async def slow(self):
        ready = [p for p in self.people if p.ready]
        n = min(len(ready), 3)
        self.say(f"slow {n}")

        async def sleepy(wire):
            wire.read(False)
            await asyncio.sleep(self.random.choice((0.5, 2)))
            wire.read(True)

        for person in self.random.sample(ready, n):
            self.tasks.append(asyncio.create_task(sleepy(person.wire)))

    async def fill(self):
        self.say("fill the small zone")
        rooms = [f"~f{self.random.randrange(10 ** 6)}" for _ in range(12)]
        filler = Person(self, f"f{self.random.randrange(3)}", rooms, 400,
                        "/fill", False, 6000)
        self.come([filler])
        await asyncio.sleep(1.5)
        filler.going = filler.writing = False
        self.visitors.append(filler)

    async def step(self):
        self.clock += self.random.choice((-1, 1)) * self.random.choice(
            (500, 5000, 12000))
        self.clock = max(-12000, min(12000, self.clock))
        self.say(f"clock {self.clock} ms")
        self.server.step_clock(self.clock)

    async def storm(self):
        faults = [(self.kill, 3), (self.point, 8), (self.freeze, 2),
                  (self.reload, 1.5), (self.reset, 2), (self.slow, 2),
                  (self.fill, 1), (self.step, 1)]
        if self.args.only:
            faults = [(f, w) for f, w in faults
                      if f.__name__ == self.args.only]
        end = time.monotonic() + self.args.seconds
        half = not self.args.only and time.monotonic() + self.args.seconds * 0.6

        while time.monotonic() < end:
            await asyncio.sleep(self.random.random() * 0.6)
            if half and time.monotonic() > half:
                half = 0
                await self.quit()
                continue
            fault, = self.random.choices([f for f, _ in faults],
                                         [w for _, w in faults])
            await fault()

    # what must be true then

    async def calm(self):
        self.server.thaw()
        self.server.disarm()
        await self.go(self.visitors)
        await self.until("all are back", 12,
                         lambda: all(p.ready for p in self.people))
        for person in self.people:
            person.writing = False
        await self.until("all is answered", 12, lambda: all(
            p.ready and not p.pending for p in self.people))
        await self.until("all have seen all", 5, self.even)
        self.uneven()

    def strict(self):
        return [view for person in self.people
                for view in person.views.values() if view.strict]

    def even(self):
        return all(self.behind(view) == 0 for view in self.strict())

    def behind(self, view):
        epoch, seq = self.ledger.heads.get(view.room, (view.epoch, 0))
        return seq - view.last if view.epoch == epoch else -1

    def uneven(self):
        for view in self.strict():
            if self.behind(view):
                view.fault("lost", f"at {view.epoch} {view.last}, the room "
                           f"is at {self.ledger.heads[view.room]}")
        for person in self.people:
            for body, to in person.direct.items():
                epoch = self.ledger.acked[body][:2]
                if self.ledger.life[epoch] == self.ledger.restarts and (
                        not self.ledger.delivered(body, "@" + to)):
                    self.ledger.fault("lost", f"{body} is not in @{to}")

    async def presence(self):
        began = time.monotonic()
        wrong = {}

        def asked(person, room, expected, reply):
            got = {p["user"] for p in reply.get("presence", [])}
            if got != expected or person.views[room].people != expected:
                wrong[person.user, room] = (sorted(got), sorted(
                    person.views[room].people), sorted(expected))

        while True:
            wrong.clear()
            for person in self.people:
                for room in person.rooms:
                    expected = {p.user for p in self.people if room in p.rooms}
                    person.members(room, lambda reply, a=(
                        person, room, expected): asked(*a, reply))
            await self.until("members are told", 3, lambda: all(
                p.ready and not p.waiting for p in self.people))
            took = time.monotonic() - began
            if not wrong or took > (LEAVE_DELAY + 1.5) * self.args.slowness:
                break
            await asyncio.sleep(0.1)

        self.say(f"presence right after {took:.2f} s" if not wrong
                 else "presence is wrong")
        for (user, room), what in wrong.items():
            self.ledger.fault("presence", f"{user} in {room}: members {what[0]}"
                              f", by events {what[1]}, really {what[2]}")

    async def rest(self):
        """All have left: what is in use then, when history has gone, too."""
        self.server.configure("messages=10 age=1s", "1s")
        await self.fresh()

        # rooms that go and come again are no fault here
        ledger, self.ledger = self.ledger, Ledger()
        guests = [Person(self, p.user, p.rooms, 0, p.path, False)
                  for p in self.people + self.visitors]
        guests += [Person(self, f"f{n}", ["~f"], 0, "/fill", False)
                   for n in range(3)]
        self.ledger = ledger
        known = {}
        guests = [known.setdefault(g.user, g) for g in guests
                  if g.user not in known]
        if self.broken == "leak" and self.begun:
            guests[0].views["leaked"] = type(guests[0].views[ROOMS[0]])(
                Ledger(), guests[0].user, "leaked", False)
            self.come(guests[:1])
            await self.until("it leaks", 10, lambda: guests[0].ready)
            del guests[0]
        self.come(guests)
        await self.until("guests are there", 10,
                         lambda: all(g.ready for g in guests))

        # an inbox to which something came stays, so each has one
        for guest in guests:
            if guest.path == "/chat":
                guest.ask({"type": "send", "to": guest.user, "text": "me"},
                          lambda reply: None)
        await self.until("guests are answered", 10, lambda: all(
            not g.waiting for g in guests))
        await self.go(guests)
        self.server.poke(sweep=1)

        best = figures = None
        steady = 0
        for _ in range(160 * round(self.args.slowness)):
            await asyncio.sleep(0.25)
            figures = self.server.used()
            steady = steady + 1 if figures == best else 0
            best = figures
            if figures == self.begun[0] if self.begun else steady >= 10:
                break

        self.server.poke(sweep=0)

        return (figures, sorted(self.server.descriptors().values()),
                max(self.server.memory()))

    async def fresh(self):
        """New workers, which did nothing before."""
        old = set(self.server.workers())
        self.server.signal(signal.SIGHUP)
        await self.until("the old workers are gone", 15, lambda: (
            not old & set(self.server.workers())
            and len(self.server.workers()) == 4))

    def compare(self, before, after):
        self.say(f"at rest: {before}, then {after}")
        for n, zone in enumerate(("main", "small")):
            if after[0][n] != before[0][n]:
                self.ledger.fault("leak", f"zone {zone}: {before[0][n]} bytes "
                                  f"in use before, {after[0][n]} after")
        if after[1] != before[1]:
            self.ledger.fault("leak", f"descriptors: {before[1]} before, "
                              f"{after[1]} after")
        if after[2] > before[2] + 2048:
            self.ledger.fault("leak", f"memory of a worker: {before[2]} KiB "
                              f"before, {after[2]} after")

    async def run(self):
        self.begun = None
        self.invite()
        self.server.configure("messages=10 age=1s", "1s")
        self.server.start()

        try:
            # only with every sweep going over all it is over soon
            if self.args.preload and self.broken in (None, "leak"):
                self.begun = await self.rest()
            self.server.configure()
            await self.fresh()
            self.come(self.people + self.visitors)
            await self.until("all are there", 10,
                             lambda: all(p.ready for p in self.people))
            await self.storm()
            await self.calm()
            if self.broken == "presence":
                ghost = Person(self, "ghost", ROOMS)
                self.come([ghost])
                await self.until("a ghost", 5, lambda: ghost.ready)
            await self.presence()
            self.ledger.settle()
            await self.go(self.people)
            if self.begun:
                self.compare(self.begun, await self.rest())

        finally:
            self.server.thaw()
            self.server.signal(signal.SIGTERM)
            self.server.process.wait(10)

        for line in self.server.strange():
            self.ledger.fault("log", line)

    def report(self):
        counts = self.ledger.counts
        self.say(", ".join(f"{k} {counts[k]}" for k in sorted(counts)))
        if self.server.hits:
            self.say(f"{sum(self.server.hits.values())} deaths at fault "
                     f"points in {len(self.server.hits)} functions: "
                     + " ".join(f"{k.replace('ngx_http_chat_', '')}={v}"
                                for k, v in sorted(self.server.hits.items())))
        for line in self.ledger.faults:
            print(f"FAULT {line}")
        print(f"chaos: seed {self.seed}: lost {counts['lost']}, duplicated "
              f"{counts['duplicated']}, reordered {counts['reordered']}, "
              f"{len(self.ledger.faults)} faults, "
              f"{counts['acknowledged']} acknowledged", flush=True)


def free_port():
    """Below those that the kernel gives to clients."""
    for _ in range(100):
        port = random.randrange(20000, 30000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise SystemExit("no free port")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--seed", default=str(random.randrange(10 ** 6)))
    p.add_argument("--port", type=int, default=free_port())
    p.add_argument("--root", required=True)
    p.add_argument("--nginx", default="nginx")
    p.add_argument("--module", default="")
    p.add_argument("--preload", default="")
    p.add_argument("--users", type=int, default=12)
    p.add_argument("--rate", type=float, default=12)
    p.add_argument("--slowness", type=float, default=1)
    p.add_argument("--only", help="one kind of fault, \"reload\"")
    p.add_argument("--break", dest="broken", choices=BREAKS)
    args = p.parse_args()

    print(f"chaos: seed {args.seed}, {args.seconds:g} s", flush=True)
    chaos = Chaos(args)
    asyncio.run(chaos.run())
    chaos.report()

    if not chaos.ledger.faults:
        shutil.rmtree(args.root)
        return 0

    print(f"chaos: the log is {args.root}/error.log")
    return 1


if __name__ == "__main__":
    sys.exit(main())
