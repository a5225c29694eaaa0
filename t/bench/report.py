"""docs/benchmarks.md out of the results."""

import os
import platform
import statistics
import textwrap
import time

from rows import ROWS, SERVERS

HEAD = """# Benchmarks

Written by `make bench` (`t/bench/run`); do not edit.

{date}: {cores} cores, {cpu}, Linux {kernel}; {versions}.
{rounds} rounds of {time:.1f} s each after {warmup:.1f} s of warming up,
interleaved: in each round every server runs once, and a ratio is taken
between two runs of the same round. All figures are medians of the rounds,
in brackets the lowest and the highest.

## Against the bars

{bars}

"""

HOW = """## How it is measured

- The **floor** (`t/bench/floor.c`) is a broadcast on bare sockets: it reads
  a message and sends one prepared frame to each member. The **batching
  floor** first reads everything that is readable in an epoll round and then
  sends each member one piece with all of it. The **sliced floor** stops
  after 64 members for a turn of the event loop. They have no checks, pings,
  history or limits: what a server takes beyond them is its own.
- The **load generator** (`t/bench/load.c`) is one process on epoll, with
  connections from eight loopback addresses. Each message carries room,
  publisher, number and time. Each receiver checks for each publisher that
  nothing is lost, repeated or out of order, and all members of a room are
  compared in the order that they saw: *faults* in the tables are the sum of
  all that, of refused messages and of gaps. "In flight": a publisher sends
  its next message when one of its own has come back to it. "One at a time":
  when it has come to all members, so that it does not matter to whom a
  server sends first. Publishers join last.
- **CPU** is that of all processes of the server, user and system, from
  /proc/PID/task/*/schedstat over the measured time, divided by the messages
  that the members received in it. The kernel's work for a `send` on
  loopback, up to the receiver's queue, is in it. *server* and *load* are how
  busy both were (100 % is one core).
- **Memory** is the growth of anonymous memory (process memory) and of shared
  memory (`Pss_Anon` and `Pss_Shmem` in /proc/PID/smaps_rollup, what is shared
  counted once) of all processes of the server, from a fresh start to all
  connections open and joined, divided by the connections. What nginx allocates
  in advance for connections and events is there at the start and so not in it.
  The connections are in use afterwards, which shows that they were members.
- **CPU to connect and join** is all that the server used from its start until
  the last one had joined, divided by the connections: handshake, `welcome` and
  `joined`.
- With one worker the server is pinned to CPU 0 and the load generator to
  CPU 1, where it never sleeps: a `send` on loopback would otherwise have to
  wake it, which costs more on some machines than the `send`, and more for
  the server that is slower. With two workers (or threads) nothing is pinned
  and server and load share the cores; the sockets listen with `reuseport`,
  so that each has half of the connections.
- nginx runs with `worker_connections 20000` and no access log. Raw mode is
  measured without history, chat.v1 with the last 100 messages of each room.
  nchan is `nchan_pubsub websocket` with a buffer of 1,000 messages, `ws` a
  broadcast loop over the members without compression (`t/bench/ws.js`).
- With two workers a message reaches half of its members through another
  process, which has to be woken and scheduled first; a thread of the floor
  sends to all of them itself. Server and load share two cores then, so this
  second hop is what p99 shows: the CPU per delivery in that row is about the
  floor's.
- Processes beside the bench show in p99 first: where the floor of the same
  row is over a bar too, the machine was not quiet enough for that bar.
- Figures in *other measurements* were taken on another machine of this kind
  and are not part of the run.
"""


def median(values):
    return statistics.median(values) if values else None


def value_list(row, runs):
    return [row["value"](run, row["group"]) for run in runs if run]


def ratio_list(row, runs, base_runs):
    return [row["value"](a, row["group"]) / row["value"](b, row["group"])
            for a, b in zip(runs, base_runs)
            if a and b and row["value"](b, row["group"]) > 0]


def number(value):
    if value is None:
        return "–"

    if value >= 100:
        return "{:,.0f}".format(value)

    if value >= 10:
        return "%.1f" % value

    return "%.2f" % value if value >= 0.2 else "%.3f" % value


def spread(values):
    if not values:
        return "–"

    if len(values) == 1:
        return number(values[0])

    return "%s [%s–%s]" % (number(median(values)), number(min(values)),
                           number(max(values)))


def table(head, lines):
    out = ["| " + " | ".join(head) + " |",
           "|" + " --- |" * len(head)]
    out += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(out)


def bar_line(row, bar, results):
    name, factor, base = bar
    runs = results.get(name, [])

    if base is None:
        values = value_list(row, runs)
        limit = "≤ %s %s" % (number(factor), row["unit"])
    else:
        values = ratio_list(row, runs, results.get(base, []))
        limit = "≤ %s × %s" % (number(factor), SERVERS[base]["title"]
                               .split(":")[0])

    got = median(values)

    if got is None:
        verdict = "not measured"
    elif got <= factor:
        verdict = "reached"
    else:
        verdict = "**missed by %.0f %%**" % (100 * (got / factor - 1))

    return [row["title"], SERVERS[name]["title"], row["what"], limit,
            spread(values), verdict]


def faults(run):
    return run["refused"] + run["gaps"] + sum(
        group[key] for group in run["groups"].values()
        for key in ("lost", "repeated", "astray", "unordered", "stalled"))


def server_line(row, name, runs, results):
    good = [run for run in runs if run]
    title = SERVERS[name]["title"]

    if not good:
        return [title, "failed"] + ["–"] * (8 + len(row.get("extra", [])))

    group = row["group"]
    base = row["base"]
    ratio = "–"

    if base is not None and base in results:
        ratio = spread(ratio_list(row, runs, results[base]))

    def middle(key):
        return median([run["groups"][group][key] for run in good])

    extra = [number(median([value(run, group) for run in good]))
             for _, value in row.get("extra", [])]

    return [title, spread(value_list(row, runs)), ratio] + extra + [
            number(median([run["cpu_per_delivery"] for run in good])),
            number(middle("deliveries_per_second")),
            number(middle("p50") / 1000), number(middle("p99") / 1000),
            "%.0f %%" % (100 * median([r["server_busy"] for r in good])),
            "%.0f %%" % (100 * median([r["load_busy"] for r in good])),
            "%d" % sum(faults(run) for run in good)
            + ("" if len(good) == len(runs) else
               ", %d runs failed" % (len(runs) - len(good)))]


def row_section(row, results):
    lines = [server_line(row, name, runs, results)
             for name, runs in results.items() if runs]

    base = row["base"]
    head = ["server", "%s, %s" % (row["what"], row["unit"]),
            "× " + SERVERS[base]["title"].split(":")[0] if base else "ratio"]
    head += [name for name, _ in row.get("extra", [])]
    head += ["CPU, ns", row.get("things", "deliveries") + "/s", "p50, ms",
             "p99, ms", "server", "load", "faults"]

    text = "## %s\n\n%s\n" % (row["title"][0].upper() + row["title"][1:],
                              table(head, lines))

    if row.get("note"):
        text += "\n%s\n" % textwrap.fill(row["note"], 80)

    if row["reference"]:
        text += "\nOther measurements: %s.\n" % row["reference"]

    return text


def tls_note(results):
    """What TLS takes: the same connections with it and without."""

    lines = []

    for plain in ("raw", "chat", "nchan"):
        row = next(row for row in ROWS if row["name"] == "idle")
        with_tls = median(value_list(row, results.get("tls", {})
                                     .get(plain + "-tls", [])))
        without = median(value_list(row, results.get("idle", {})
                                    .get(plain, [])))

        if with_tls is not None and without is not None:
            lines.append("- %s: %s bytes, of which %s are there without TLS "
                         "too and %s come with it (OpenSSL's session, its "
                         "buffers and nginx's record of it)."
                         % (SERVERS[plain]["title"], number(with_tls),
                            number(without), number(with_tls - without)))

    return "\n".join(lines) + "\n\n" if lines else ""


def profile_section(profiles):
    """What part of a server's time each object takes."""

    lines = []

    for row in ROWS:
        for name, profile in profiles.get(row["name"], {}).items():
            shares = {"kernel": 0, "libc": 0, "module": 0, "nginx": 0,
                      "else": 0}

            for share, name_of in profile["objects"]:
                for key, mark in (("kernel", "[kernel"), ("libc", "libc."),
                                  ("module", "ngx_http_chat_module"),
                                  ("nginx", "nginx"), ("else", "")):
                    if name_of.startswith(mark):
                        shares[key] += share
                        break

            lines.append([row["title"], SERVERS[name]["title"]]
                         + ["%.1f %%" % share for share in shares.values()])

    if not lines:
        return ""

    return "## Where the time goes\n\n" + table(
        ["work", "server", "kernel", "libc", "the module", "nginx",
         "else"], lines) + (
        "\n\nBy perf (cpu-clock), in one run more a server. \"Else\" is the "
        "floor's own code, node, libraries and nchan.\n\n")


def processor():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()

    return platform.machine()


def write_report(results, profiles, skipped, versions, args):
    bars = [bar_line(row, bar, results[row["name"]])
            for row in ROWS if row["name"] in results for bar in row["bars"]]

    text = HEAD.format(
        date=time.strftime("%Y-%m-%d", time.gmtime()), cores=os.cpu_count(),
        cpu=processor(), kernel=platform.release().split("-")[0],
        versions=", ".join("%s %s" % item for item in versions.items()),
        rounds=args.rounds, time=args.time / 1000, warmup=args.warmup / 1000,
        bars=table(["work", "server", "what", "bar", "measured", ""], bars))

    for why in sorted(set(skipped.values())):
        text += "Left out: %s.\n\n" % why

    for row in ROWS:
        if any(results.get(row["name"], {}).values()):
            text += row_section(row, results[row["name"]]) + "\n"

            if row["name"] == "tls":
                text += tls_note(results)

    return text + profile_section(profiles) + HOW
