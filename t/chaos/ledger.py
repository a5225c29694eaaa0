# The checker: what was acknowledged, against what each member saw.

# Copyright (C) the chat module's authors

import collections


class Ledger:
    """All that the clients were told.  A fault is a line in .faults; strict
    rooms may lose nothing, others must say so with "gap"."""

    def __init__(self):
        self.faults = []
        self.acked = {}         # body -> (room, epoch, seq)
        self.seen = {}          # (room, epoch, seq) -> (type, user, body)
        self.place = {}         # (room, epoch, body) -> seq
        self.ts = {}            # (room, epoch) -> {seq: ts}
        self.heads = {}         # room -> (epoch, seq), the newest known
        self.life = collections.defaultdict(int)    # epoch -> restarts
        self.restarts = 0
        self.counts = collections.Counter()

    def fault(self, kind, text):
        self.counts[kind] += 1
        if self.counts[kind] <= 20:
            self.faults.append(f"{kind}: {text}")

    def restarted(self):
        self.restarts += 1

    def ack(self, room, epoch, seq, body):
        self.counts["acknowledged"] += 1
        old = self.acked.get(body)

        if old and old[1] == epoch and old != (room, epoch, seq):
            self.fault("duplicated", f"{body} was {old}, then {seq}")

        self.acked[body] = (room, epoch, seq)
        self.note_head(room, epoch, seq)

    def note_head(self, room, epoch, seq):
        head = self.heads.get(room)
        if head is None or head[0] != epoch or head[1] < seq:
            self.heads[room] = (epoch, seq)

    def epoch(self, room, epoch, strict):
        """Rooms have one life as long as nginx was not restarted."""
        known = self.heads.get(room)
        self.life.setdefault((room, epoch), self.restarts)

        if known and known[0] != epoch:
            if strict and known[1] and (
                    self.life[room, epoch] == self.life[room, known[0]]):
                self.fault("lost", f"{room} began anew: {known[0]}, {epoch}")
            self.heads[room] = (epoch, 0)

    def entry(self, who, room, epoch, m):
        """One entry that somebody saw."""
        seq, kind = m["seq"], m["type"]
        body = m.get("nonce") if kind == "message" else None
        what = (kind, m.get("user"), m.get("text", "").split(" ")[0]
                if kind == "message" and not ("edited" in m or "deleted" in m)
                else None, body)
        old = self.seen.get((room, epoch, seq))
        self.counts["seen"] += 1

        if old is None:
            self.seen[room, epoch, seq] = what
            self.note_ts(room, epoch, seq, m["ts"])
        elif old[:2] + old[3:] != what[:2] + what[3:] or (
                old[2] and what[2] and old[2] != what[2]):
            self.fault("differs", f"{who}: {room} {seq} is {what}, not {old}")
        elif old[2] is None:
            self.seen[room, epoch, seq] = what

        if what[2] is not None:
            first = self.place.setdefault((room, epoch, what[2]), seq)
            if first != seq:
                self.fault("duplicated",
                           f"{room}: {what[2]} is {first} and {seq}")

    def note_ts(self, room, epoch, seq, ts):
        times = self.ts.setdefault((room, epoch), {})
        times[seq] = ts
        if times.get(seq - 1, ts) > ts or times.get(seq + 1, ts) < ts:
            self.fault("reordered", f"{room} {seq}: ts goes backwards, {ts}")

    def settle(self):
        """At the end: each acknowledged message stands where it was said."""
        for body, (room, epoch, seq) in self.acked.items():
            if self.life.get((room, epoch)) != self.restarts:
                continue
            what = self.seen.get((room, epoch, seq))
            if what is None:
                if room[0] != "~":
                    self.fault("lost", f"{room} {seq} {body}: nobody saw it")
            elif what[2] != body and not (what[2] is None and what[3] == body):
                self.fault("lost", f"{room} {seq} is {what}, not {body}")

    def delivered(self, body, inbox):
        """A direct message must stand in the other's inbox, too."""
        return any(self.place.get((inbox, epoch, body))
                   for room, epoch in list(self.life) if room == inbox)


class View:
    """What one member has seen of one room."""

    def __init__(self, ledger, who, room, strict):
        self.ledger = ledger
        self.who = who
        self.room = room
        self.strict = strict
        self.epoch = None
        self.last = 0
        self.skipped = set()
        self.people = set()
        self.live = False

    def fault(self, kind, text):
        self.ledger.fault(kind, f"{self.who} in {self.room}: {text}")

    def joined(self, reply):
        epoch, messages = reply["epoch"], reply["messages"]
        resumed = self.epoch is not None
        self.ledger.epoch(self.room, epoch, self.strict)

        if resumed and not reply.get("recovered"):
            self.ledger.counts["unrecovered"] += 1
            if self.strict and self.last and self.epoch == epoch:
                self.fault("lost", f"not recovered from {self.last}, the "
                           f"room is at {reply['seq']}")

        if not resumed or not reply.get("recovered"):
            self.last = (messages[0]["seq"] - 1 if messages
                         else reply["seq"])
            self.skipped.clear()

        self.epoch = epoch
        self.people = {p["user"] for p in reply.get("presence", [])}
        self.live = True

        for m in messages:
            self.entry(m)

        self.ledger.note_head(self.room, epoch, self.last)

    def entry(self, m):
        seq = m["seq"]

        if seq <= self.last:
            self.fault("reordered" if seq in self.skipped else "duplicated",
                       f"{seq} came after {self.last}")
        elif seq != self.last + 1:
            self.fault("lost", f"{seq} came after {self.last}")
            self.skipped.update(range(self.last + 1, seq))

        self.last = max(seq, self.last)
        self.ledger.entry(self.who, self.room, self.epoch, m)

    def event(self, m):
        if not self.live:
            return

        kind = m["type"]

        if "seq" in m and kind != "read":
            self.entry(m)
            self.ledger.note_head(self.room, self.epoch, self.last)
        elif kind == "joined":
            self.people.add(m["user"])
        elif kind == "left":
            self.people.discard(m["user"])
        elif kind == "gap":
            self.ledger.counts["gaps"] += 1
            if self.strict:
                self.fault("lost", f"gap {m['from']}-{m['to']}")
            elif m["from"] != self.last + 1:
                self.fault("lost", f"gap {m} after {self.last}")
            self.last = max(self.last, m["to"])
