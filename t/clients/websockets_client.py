# Copyright (C) the chat module's authors

"""The Python package "websockets" as a client.

Argument: the server's host and port.  Prints its results for the test that
plays it (see t/lib/ChatServer.pm).
"""

import asyncio
import json
import random
import sys

import websockets

HOST = sys.argv[1]

# Debian 12 has version 10, later ones have moved the client
connect = websockets.connect


def ok(value, name):
    print(('' if value else 'not ') + 'ok - ' + name, flush=True)
    return value


def equal(value, expected, name):
    if not ok(value == expected, name):
        print('# got %.300r, expected %.300r' % (value, expected), flush=True)


def dial(uri, **options):
    return connect('ws://%s%s' % (HOST, uri), max_size=None, **options)


def extensions(ws):
    found = getattr(ws, 'extensions', None)

    if found is None:
        found = ws.protocol.extensions

    return [extension.name for extension in found]


async def receive(ws, timeout=10):
    return await asyncio.wait_for(ws.recv(), timeout)


async def event(ws, kind):
    """The next event or reply of a kind; others before it are passed over."""
    while True:
        message = json.loads(await receive(ws))

        if message['type'] == kind:
            return message


async def say(ws, **command):
    await ws.send(json.dumps(command, ensure_ascii=False))


async def closed(ws):
    """The code with which the server closes."""
    try:
        while True:
            await receive(ws)

    except websockets.ConnectionClosed as e:
        return e.rcvd.code if e.rcvd else 1006


async def raw_messages(name, compression):
    async with dial('/raw?room=' + name, compression=compression) as a, \
               dial('/raw?room=' + name, compression=None) as b:

        equal(extensions(a), ['permessage-deflate'] if compression else [],
              name + ': the extension')

        for message in ['Grüße, 世界 \U0001f600', '', b'\x00\xff\x01',
                        'many times the same ' * 5000,
                        random.Random(1).randbytes(300000)]:
            await a.send(message)
            equal([await receive(a), await receive(b)], [message, message],
                  '%s: %s of %d' % (name, type(message).__name__,
                                    len(message)))

        # a message from an iterable goes out in fragments
        parts = ['part %d, ' % i for i in range(100)]
        await a.send(parts)
        equal(await receive(b), ''.join(parts), name + ': fragments')

        pong = await a.ping(b'are you there')
        await asyncio.wait_for(pong, 10)
        ok(True, name + ': a ping is answered')

        await a.close(1000, 'enough')
        equal(a.close_code, 1000, name + ': a normal close')


async def broken_text():
    async with dial('/raw?room=utf8', compression=None) as ws:
        transport = getattr(ws, 'transport', None)

        # a text frame, masked with zeros, whose payload is not UTF-8
        transport.write(b'\x81\x82\x00\x00\x00\x00\xc3\x28')
        equal(await closed(ws), 1007, 'text that is not UTF-8')


async def too_large():
    async with dial('/raw?room=large') as ws:
        await ws.send(b'\0' * ((1 << 20) + 1))
        equal(await closed(ws), 1009, 'a message that is too large')


async def conversation(compression):
    name = 'deflate' if compression else 'plain'
    options = dict(subprotocols=['chat.v1'], compression=compression)

    async with dial('/chat?user=anna', **options) as anna, \
               dial('/chat?user=ben', **options) as ben:

        equal(anna.subprotocol, 'chat.v1', name + ': the subprotocol')
        equal(extensions(anna), ['permessage-deflate'] if compression else [],
              name + ': the extension with it')

        welcome = await event(anna, 'welcome')
        equal((welcome['user'], welcome['protocol']), ('anna', 'chat.v1'),
              name + ': welcome')

        for ws in (anna, ben):
            await say(ws, type='join', id=1, room=name)
            reply = await event(ws, 'ok')
            equal((reply['id'], reply['room'], reply['messages']),
                  (1, name, []), name + ': an empty room is joined')

        text = 'Schöne Grüße \U0001f44b <&> "quoted" \\ \u2028 ' * 40
        await say(anna, type='send', id='s', room=name, text=text,
                  nonce='n1', data={'n': [1, 2.5, None, True]})

        seen = [await event(ws, 'message') for ws in (anna, ben)]
        equal(seen[0], seen[1], name + ': both get the same')
        equal((seen[1]['text'], seen[1]['nonce'], seen[1]['data']),
              (text, 'n1', {'n': [1, 2.5, None, True]}),
              name + ': as it was sent')

        # everybody at once, then everything is counted
        for i in range(200):
            await say((anna, ben)[i % 2], type='send', room=name, text=str(i))

        a = [await event(anna, 'message') for i in range(200)]
        b = [await event(ben, 'message') for i in range(200)]

        equal(a, b, name + ': the same order for both')
        equal([m['seq'] for m in a], list(range(2, 202)),
              name + ': without a hole')
        equal(sorted(int(m['text']) for m in a), list(range(200)),
              name + ': and complete')

        await say(ben, type='history', id=2, room=name, limit=3)
        reply = await event(ben, 'ok')
        equal([m['seq'] for m in reply['messages']], [199, 200, 201],
              name + ': history')

        await ben.send('{"type":')
        equal((await event(ben, 'error'))['code'], 'bad_json',
              name + ': an error closes nothing')

        await say(ben, type='ping', id=3)
        equal((await event(ben, 'ok'))['id'], 3, name + ': as a ping shows')

    async with dial('/chat?user=carol', **options) as carol:
        await say(carol, type='join', id=1, room=name, epoch=reply['epoch'],
                  seq=198)
        resumed = await event(carol, 'ok')
        equal((resumed['recovered'], [m['seq'] for m in resumed['messages']]),
              (True, [199, 200, 201]), name + ': resume')


async def main():
    await raw_messages('plain', None)
    await raw_messages('deflate', 'deflate')
    await broken_text()
    await too_large()
    await conversation(None)
    await conversation('deflate')
    print('end', flush=True)


asyncio.run(main())
