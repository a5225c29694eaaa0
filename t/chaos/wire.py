# A WebSocket client that is small and quick, for many connections in one
# event loop.

# Copyright (C) the chat module's authors

import asyncio
import json
import socket
import struct
import zlib


class Wire(asyncio.Protocol):
    """Calls on_json(object) for each message, and on_end(close code)."""

    def __init__(self, path, deflate, on_json, on_end):
        self.path = path
        self.deflate = deflate
        self.on_json = on_json
        self.on_end = on_end
        self.buffer = bytearray()
        self.transport = None
        self.opened = False
        self.ended = False
        self.code = None
        self.parts = []

    def connection_made(self, transport):
        self.transport = transport
        zipped = ("Sec-WebSocket-Extensions: permessage-deflate\r\n"
                  if self.deflate else "")
        transport.write(
            (f"GET {self.path} HTTP/1.1\r\nHost: chaos\r\n"
             "Upgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\n"
             f"Sec-WebSocket-Protocol: chat.v1\r\n{zipped}\r\n").encode())

    def data_received(self, data):
        self.buffer += data

        if not self.opened:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self.buffer.startswith(b"HTTP/1.1 101 "):
                self.code = int(bytes(self.buffer[9:12]))
                return self.drop()
            del self.buffer[:end + 4]
            self.opened = True

        while not self.ended and self.frame():
            pass

    def frame(self):
        b = self.buffer

        if len(b) < 2:
            return False

        n, at = b[1], 2

        if n == 126:
            if len(b) < 4:
                return False
            n, at = struct.unpack_from(">H", b, 2)[0], 4

        elif n == 127:
            if len(b) < 10:
                return False
            n, at = struct.unpack_from(">Q", b, 2)[0], 10

        if len(b) < at + n:
            return False

        op, zipped, payload = b[0] & 15, b[0] & 0x40, bytes(b[at:at + n])
        del b[:at + n]

        if op == 1:
            if zipped:
                payload = zlib.decompressobj(-15).decompress(
                    payload + b"\0\0\xff\xff")
            self.on_json(json.loads(payload))

        elif op == 9:
            self.write(10, payload)

        elif op == 8:
            self.code = struct.unpack(">H", payload[:2])[0] if n else 1005
            self.write(8, payload[:2])
            self.transport.close()

        return True

    def write(self, op, payload):
        if self.transport is None or self.transport.is_closing():
            return

        n = len(payload)

        # a mask of zeros is a mask, too

        if n < 126:
            head = struct.pack(">BBI", 0x80 | op, 0x80 | n, 0)
        else:
            head = struct.pack(">BBHI", 0x80 | op, 0xfe, n, 0)

        self.transport.write(head + payload)

    def send(self, command):
        self.write(1, json.dumps(command).encode())

    def close(self):
        self.write(8, struct.pack(">H", 1000))
        self.transport.close()

    def leave(self):
        """Ends it when all is sent, and hears nothing any more."""
        self.ended = True
        self.transport.close()

    def drop(self):
        if self.transport is not None:
            self.transport.abort()

    def reset(self):
        """Ends it by a RST."""
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        self.transport.abort()

    def read(self, on):
        if not self.transport.is_closing():
            if on:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def connection_lost(self, error):
        self.ended = True
        self.on_end(self.code)
