"""What is measured: the servers, the rows of work, and the bars."""


def nginx(family, workers=1, **more):
    return dict(family=family, workers=workers, **more)


SERVERS = {
    "floor": dict(family="floor", args=[],
                  title="floor: a send a message and member"),
    "batch": dict(family="floor", args=["-b"],
                  title="batching floor: a send a round and member"),
    "sliced": dict(family="floor", args=["-b", "-s", "64"],
                   title="sliced floor: the batching one, in slices of 64"),
    "floor-2": dict(family="floor", args=["-t", "2"],
                    title="floor of two threads"),
    "raw": nginx("chat", title="this module, raw"),
    "chat": nginx("chat", protocol="chat.v1",
                  title="this module, chat.v1"),
    "raw-2": nginx("chat", 2, title="this module, raw, 2 workers"),
    "chat-2": nginx("chat", 2, protocol="chat.v1",
                    title="this module, chat.v1, 2 workers"),
    "raw-tls": nginx("chat", tls=True, title="this module, raw, TLS"),
    "chat-tls": nginx("chat", protocol="chat.v1", tls=True,
                      title="this module, chat.v1, TLS"),
    "nchan": nginx("nchan", title="nchan"),
    "nchan-2": nginx("nchan", 2, title="nchan, 2 workers"),
    "nchan-tls": nginx("nchan", tls=True, title="nchan, TLS"),
    "ws": dict(family="ws", title="npm ws"),
}


def cpu(result, group):
    return result["cpu_per_delivery"]


def p99(result, group):
    return result["groups"][group]["p99"] / 1000


def last(result, group):
    return result["groups"][group]["last_p50"] / 1000


def own_memory(result, group):
    return result["own"] / result["members"]


def shared_memory(result, group):
    return result["shared"] / result["members"]


def setup(result, group):
    """From a fresh start until all have joined, us a connection."""

    return result["setup_cpu"] / result["members"] / 1000


def turn(result, group):
    """A delivery of a storm is a join with its leave: us."""

    return result["cpu_per_delivery"] / 1000


def events(result, group):
    """What one of the members is told in a second, in the room or not."""

    return (result["groups"][group]["events"] / result["seconds"]
            / result["members"])


def filled(result, group):
    """Bytes of a zone with so many rooms, a room."""

    return result["shared"] / FILLED


FILLED = 100000

ONE_WORKER = ["floor", "batch", "raw", "chat", "nchan", "ws"]

IDLE = [("shared memory, bytes", shared_memory),
        ("CPU to connect and join, us", setup)]

SHARED = """The bar is on the memory of the processes. What chat.v1 takes of
the zone beside it belongs to the user and not to the connection, and has no
bar: these are 10,000 users with names, each of whom has a place in a room (248
bytes: name, color, role, what was read) and an inbox, a room of the user's own
that takes direct messages also while no connection is open (two blocks of 512
bytes). A user's second connection to the same rooms takes nothing more, a
guest has no inbox once gone, and the zone's size is set by the configuration.
"""

STORM = """Half of them are in the room at any time; 64 at a time join and as
many leave. p50 and p99 are from asking to join to the answer. Everybody who
leaves has left at once (`chat_leave_delay 0`), but in a room of so many the
members are only told their number, once a second (`chat_presence_limit`).
"""

STORM_SMALL = """50 are in the room at any time, and each of them is told of
everybody who comes and of everybody who goes: 100 events a join with its leave.
"""

FILL = """1,000 other connections are in 100 of these rooms each, with one
message in each. The zone's bytes are all that it took, divided by the rooms:
room, user and message have a block of 512 bytes each.
"""

# Of each row: what is measured, in which unit, against which server
# (None: as it is), and the bars: server, factor, compared with which
# server (None: with the number itself).  "reference" are measurements of
# other servers on a machine of this kind, that are not part of the run.
# "extra" are columns more, "note" is said below the table.

ROWS = [
    dict(name="fanout", profile=["floor", "raw", "chat", "nchan"],
         title="one room, 1,000 members, one 128-byte message at a time",
         groups=["name=room,members=1000,inflight=1,all=1,size=128"],
         group="room", pin=True, servers=ONE_WORKER,
         value=cpu, unit="ns", what="server CPU per delivery",
         base="floor",
         bars=[("raw", 1.06, "floor"), ("chat", 1.06, "floor")],
         reference="uWebSockets 1.04, nchan 1.17, ws 1.44, socket.io 1.78"),

    dict(name="fanout1",
         title="the same, the next message already when the publisher has "
               "its own",
         groups=["name=room,members=1000,inflight=1,size=128"],
         group="room", pin=True, servers=ONE_WORKER,
         value=cpu, unit="ns", what="server CPU per delivery",
         base="floor", bars=[], reference=""),

    dict(name="fanout8",
         title="one room, 1,000 members, 8 messages in flight",
         groups=["name=room,members=1000,inflight=8,size=128"],
         group="room", pin=True, servers=ONE_WORKER,
         value=cpu, unit="ns", what="server CPU per delivery",
         base="floor",
         bars=[("raw", 0.30, "floor"), ("chat", 0.30, "floor")],
         reference="batching floor 0.26, uWebSockets 0.28, nchan 1.35"),

    dict(name="chatty", profile=["floor", "raw", "chat", "nchan"],
         title="chatty room: 50 members all sending, 48 bytes, 4 in flight "
               "each",
         groups=["name=room,members=50,publishers=50,inflight=4,size=48"],
         group="room", pin=True, servers=ONE_WORKER,
         value=cpu, unit="ns", what="server CPU per delivery",
         base="floor",
         bars=[("raw", 0.05, "floor"), ("chat", 0.08, "floor")],
         reference="batching floor 0.03, uWebSockets 0.58, nchan 0.67"),

    dict(name="rooms", profile=["floor", "raw", "chat", "nchan"],
         title="100 rooms of 20 members, 3,000 messages a second",
         groups=["name=room,rooms=100,members=20,publishers=20,rate=3000,"
                 "size=128"],
         group="room", pin=True, servers=ONE_WORKER,
         value=cpu, unit="ns", what="server CPU per delivery",
         base="floor",
         bars=[("raw", 1.05, "floor"), ("chat", 1.05, "floor")],
         reference="uWebSockets 0.92, nchan 1.19"),

    dict(name="rooms2",
         title="the same, 2 workers",
         groups=["name=room,rooms=100,members=20,publishers=20,rate=3000,"
                 "size=128"],
         group="room", pin=False,
         servers=["floor-2", "raw-2", "chat-2", "nchan-2"],
         value=p99, unit="ms", what="p99", base="floor-2",
         bars=[("raw-2", 1.0, "floor-2"), ("chat-2", 1.0, "floor-2")],
         reference="nchan's CPU 1.39"),

    dict(name="big",
         title="one room of 10,000 members, 10 messages a second, 2 workers",
         groups=["name=room,members=10000,rate=10,size=128"],
         group="room", pin=False,
         servers=["floor-2", "raw-2", "chat-2", "nchan-2", "ws"],
         value=last, unit="ms", what="last member's latency, p50",
         base="floor-2",
         bars=[("raw-2", 1.1, "floor-2"), ("chat-2", 1.1, "floor-2")],
         reference="nchan 1.28"),

    dict(name="mixed",
         title="20 small rooms of 20 members, 200 messages a second, beside "
               "a fan-out to 5,000 members",
         groups=["name=small,rooms=20,members=20,rate=200,size=128",
                 "name=big,members=5000,inflight=1,size=128"],
         group="small", pin=True,
         servers=["floor", "sliced", "raw", "chat", "nchan", "ws"],
         value=p99, unit="ms", what="p99 of the small rooms", base=None,
         bars=[("sliced", 1.5, None), ("raw", 1.5, None), ("chat", 1.5, None),
               ("raw", 1 / 20, "nchan"), ("chat", 1 / 20, "nchan")],
         reference="sliced floor 0.7 ms, floor 46, uWebSockets 57, nchan "
                   "63, push-stream 259"),

    dict(name="mixed2",
         title="the same, 2 workers",
         groups=["name=small,rooms=20,members=20,rate=200,size=128",
                 "name=big,members=5000,inflight=1,size=128"],
         group="small", pin=False, rounds=1,
         servers=["floor-2", "raw-2", "chat-2", "nchan-2"],
         value=p99, unit="ms", what="p99 of the small rooms", base=None,
         bars=[], reference="nchan 18 ms"),

    dict(name="filled",
         title="100 rooms of 20 members, 3,000 messages a second, in a zone "
               "with 100,000 other rooms",
         groups=["name=fill,members=1000,fill=100",
                 "name=room,rooms=100,members=20,publishers=20,rate=3000,"
                 "size=128"],
         group="room", pin=True, servers=["floor", "chat"],
         value=cpu, unit="ns", what="server CPU per delivery",
         base="floor", bars=[("chat", 1.05, "floor")], reference="",
         extra=[("zone, bytes a room", filled)],
         note=FILL),

    dict(name="storm",
         title="join and leave storm: 10,000 connections, one room, one comes "
               "as another goes",
         groups=["name=storm,members=10000,storm=1,inflight=64"],
         group="storm", pin=True, rounds=3, location="/storm",
         servers=["chat"],
         value=turn, unit="us", what="server CPU per join with a leave",
         base=None, things="joins", bars=[], reference="",
         extra=[("events a second and connection", events)],
         note=STORM),

    dict(name="storm-small",
         title="join and leave storm: 100 connections, one room, one comes as "
               "another goes",
         groups=["name=storm,members=100,storm=1,inflight=8"],
         group="storm", pin=True, rounds=3, location="/storm",
         servers=["chat"],
         value=turn, unit="us", what="server CPU per join with a leave",
         base=None, things="joins", bars=[], reference="",
         extra=[("events a second and connection", events)],
         note=STORM_SMALL),

    dict(name="idle",
         title="10,000 idle connections in 100 rooms",
         groups=["name=room,rooms=100,members=100,rate=10,size=128"],
         group="room", pin=True, rounds=1,
         servers=["floor", "raw", "chat", "nchan", "ws"],
         value=own_memory, unit="bytes",
         what="process memory per connection", base=None,
         bars=[("raw", 1024, None), ("chat", 1024, None)],
         extra=IDLE,
         note=SHARED,
         reference="uWebSockets 0.5 KB, ws 6.4 KB, push-stream 9.8 KB, "
                   "nchan 10.4 KB, socket.io 15.3 KB"),

    dict(name="tls",
         title="the same over TLS",
         groups=["name=room,rooms=100,members=100,rate=10,size=128"],
         group="room", pin=True, rounds=1,
         servers=["raw-tls", "chat-tls", "nchan-tls"],
         value=own_memory, unit="bytes",
         what="process memory per connection", base=None,
         bars=[], reference="", extra=IDLE),
]
