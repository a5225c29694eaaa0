# nginx and what is done to it.

# Copyright (C) the chat module's authors

import http.client
import mmap
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

PAGE = struct.Struct("=qIIIiiiI4xQ")

CONF = """
{load}
env LD_PRELOAD;
env CHAOS_FAULTS;
user {user};
daemon off;
worker_processes 4;
worker_shutdown_timeout 5s;
error_log {root}/error.log info;
pid {root}/nginx.pid;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {root}/t1;
    proxy_temp_path {root}/t2;
    fastcgi_temp_path {root}/t3;
    uwsgi_temp_path {root}/t4;
    scgi_temp_path {root}/t5;
    chat_zone main:48m;
    chat_zone small:1m;
    chat_rate off;
    chat_leave_delay 500ms;
    chat_close_delay 300ms;
    chat_nonce_window {window};
    chat_room_idle 1s;
    chat_history {history};
    server {{
        listen 127.0.0.1:{port} {reuseport};
        location /chat {{ chat main; chat_user $arg_user; }}
        location /small {{ chat small; chat_user $arg_user; }}
        location /fill {{
            chat small;
            chat_user $arg_user;
            chat_history messages=100 age=3s;
        }}
        location /used {{
            return 200 "$chat_zone_used_main $chat_zone_used_small";
        }}
    }}
}}
"""


class Server:

    def __init__(self, root, port, binary, module, preload, reuseport):
        self.root = pathlib.Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "error.log").write_text("")
        self.port = port
        self.binary = binary
        self.module = module
        self.preload = preload
        self.reuseport = reuseport
        self.process = None
        self.stopped = set()
        self.deaths = []
        self.hits = {}
        self.symbols = []
        page = self.root / "faults"
        page.write_bytes(bytes(PAGE.size))
        self.page = mmap.mmap(os.open(page, os.O_RDWR), PAGE.size)
        if preload:
            self.read_symbols()

    # its life

    def configure(self, history="messages=100000 age=24h", window="30s"):
        (self.root / "nginx.conf").write_text(CONF.format(
            load=f"load_module {self.module};" if self.module else "",
            root=self.root, port=self.port, history=history, window=window,
            reuseport="reuseport" if self.reuseport else "",
            user="root" if os.getuid() == 0 else "nobody"))

    def start(self):
        env = dict(os.environ)
        if self.preload:
            env.update(LD_PRELOAD=self.preload,
                       CHAOS_FAULTS=str(self.root / "faults"))
        self.process = subprocess.Popen(
            [self.binary, "-p", str(self.root), "-c",
             str(self.root / "nginx.conf"), "-e",
             str(self.root / "error.log")], env=env)
        self.poke(master=self.process.pid, armed=0)
        for _ in range(500):
            try:
                self.used()
                return
            except OSError:
                time.sleep(0.01)
        raise SystemExit("nginx does not start:\n"
                         + (self.root / "error.log").read_text()[-2000:])

    def workers(self):
        found = []
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                text = stat.read_text()
            except OSError:
                continue
            m = re.match(r"(\d+) \(.*\) (\S) (\d+)", text)
            if m and int(m[3]) == self.process.pid and m[2] != "Z":
                found.append(int(m[1]))
        return sorted(found)

    def kill(self, pid, name):
        try:
            os.kill(pid, name)
        except ProcessLookupError:
            pass

    def freeze(self, pid):
        self.stopped.add(pid)
        self.kill(pid, signal.SIGSTOP)

    def thaw(self, *pids):
        for pid in pids or list(self.stopped):
            self.stopped.discard(pid)
            self.kill(pid, signal.SIGCONT)

    def signal(self, name):
        self.kill(self.process.pid, name)

    def old(self):
        """Workers that are told to go and still there."""
        log = (self.root / "error.log").read_text()
        gone = {int(x) for x in re.findall(
            r" (\d+)#\d+: gracefully shutting down", log)}
        return [pid for pid in self.workers() if pid in gone]

    # its fault points

    def read_symbols(self):
        out = subprocess.run(["nm", "-S", "--defined-only", self.module],
                             capture_output=True, text=True, check=True)
        source = pathlib.Path(__file__).parents[2] / "src" / "shm"
        ours = "\n".join(f.read_text() for f in source.glob("*.c"))
        ours = set(re.findall(r"^(ngx_http_chat_\w+)\(", ours, re.M))

        for line in out.stdout.split("\n"):
            m = re.match(r"(\w+) (\w+) [tT] ([^.\s]+)", line)
            if m and m[3] in ours:
                self.symbols.append((m[3], int(m[1], 16), int(m[2], 16)))

    def poke(self, **fields):
        names = "clock armed lo hi count master died sweep where".split()
        page = dict(zip(names, PAGE.unpack(self.page[:])))
        page.update(fields)
        self.page[:] = PAGE.pack(*page.values())
        return page

    def arm(self, name, at, size, count):
        self.poke(armed=0)
        self.poke(lo=at, hi=at + size, count=count, died=0, where=0)
        self.poke(armed=1)
        self.aim = name

    def disarm(self):
        """Where somebody died, if he did."""
        page = self.poke(armed=0)
        if not page["died"]:
            return None
        self.hits[self.aim] = self.hits.get(self.aim, 0) + 1
        return self.aim, page["where"]

    def step_clock(self, ms):
        self.page[:8] = struct.pack("=q", ms)

    # its figures

    def used(self):
        """Bytes in use in both zones."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            c.request("GET", "/used")
            return [int(x) for x in c.getresponse().read().split()]
        finally:
            c.close()

    def descriptors(self):
        """Of each worker: a list of what else it has open than its own."""
        return {pid: len(os.listdir(f"/proc/{pid}/fd"))
                for pid in self.workers() + [self.process.pid]}

    def memory(self):
        """Of the workers, in KiB, without the zones."""
        sizes = []
        for pid in self.workers():
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            sizes.append(int(re.search(r"RssAnon:\s+(\d+)", status)[1]))
        return sizes

    def strange(self):
        """Lines of the log that nothing done to it explains."""
        found = []
        for line in (self.root / "error.log").open():
            if re.search(r"\[(alert|crit|emerg)\]|exited on signal"
                         r"|Sanitizer|runtime error", line):
                if "exited on signal 9" not in line:
                    found.append(line.rstrip())
        return found
