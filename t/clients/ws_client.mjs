/*
 * Copyright (C) the chat module's authors
 *
 * The npm package "ws" as a client.  Argument: the server's host and port.
 */

import { ask, end, is, ok, require, until } from './lib.mjs';

const [host] = process.argv.slice(2);
const WebSocket = require('ws');

const text = 'Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich. ';


/* A connection that keeps what it hears. */

function open(uri, protocols = [], options = {}) {
    const ws = new WebSocket(`ws://${host}${uri}`, protocols, options);

    ws.heard = [];
    ws.pings = 0;
    ws.on('message', (data, isBinary) => ws.heard.push({ data, isBinary }));
    ws.on('ping', () => ws.pings++);
    ws.gone = new Promise((resolve) => ws.on('close', resolve));

    return new Promise((resolve, reject) => {
        ws.on('open', () => resolve(ws));
        ws.on('unexpected-response', (req, res) => reject(res.statusCode));
        ws.on('error', reject);
    });
}


function hears(ws, n) {
    return until(() => ws.heard.length >= n, `message ${n}`);
}


function joined(parts) {
    return Buffer.concat(parts).toString();
}


/* Sends one message in fragments of so many bytes, a ping in the middle. */

function sendFragments(ws, data, size, binary) {
    const n = Math.ceil(data.length / size);

    for (let i = 0; i < n; i++) {
        ws.send(data.subarray(i * size, (i + 1) * size),
                { binary, fin: i === n - 1 });

        if (i === n >> 1) {
            ws.ping('in between');
        }
    }
}


async function rawMessages(name, options) {
    const ws = await open(`/raw?room=${name}`, [], options);
    const wanted = options.perMessageDeflate === false ? ''
                                                       : 'permessage-deflate';

    is(ws.extensions, wanted, `${name}: the extension`);

    ws.send(text);
    await hears(ws, 1);
    is([ws.heard[0].data.toString(), ws.heard[0].isBinary], [text, false],
       `${name}: text as text`);

    ws.send(Buffer.from([0, 255, 1, 254]));
    await hears(ws, 2);
    is([[...ws.heard[1].data], ws.heard[1].isBinary], [[0, 255, 1, 254], true],
       `${name}: binary as binary`);

    const big = Buffer.from(text.repeat(20000));
    const pongs = [];

    ws.on('pong', (data) => pongs.push(data.toString()));
    sendFragments(ws, big, 16381, false);
    await hears(ws, 3);
    ok(ws.heard[2].data.equals(big), `${name}: ${big.length} bytes of text `
       + 'in fragments, characters cut');
    await until(() => pongs.length, 'a pong');
    is(pongs, ['in between'], `${name}: a ping between them is answered`);

    const noise = Buffer.alloc(1 << 20);

    for (let i = 0; i < noise.length; i++) {
        noise[i] = (i * 2654435761) >>> 24;
    }

    sendFragments(ws, noise, 65536, true);
    await hears(ws, 4);
    ok(ws.heard[3].data.equals(noise) && ws.heard[3].isBinary,
       `${name}: 1 MiB of binary in fragments`);

    ws.send('');
    await hears(ws, 5);
    is(ws.heard[4].data.length, 0, `${name}: an empty message`);

    ws.close(1000, 'done');
    is(await ws.gone, 1000, `${name}: a normal close`);
}


await rawMessages('plain', { perMessageDeflate: false });
await rawMessages('deflate', { perMessageDeflate: { threshold: 0 } });
await rawMessages('alone', { perMessageDeflate: {
    threshold: 0, clientNoContextTakeover: true,
    serverNoContextTakeover: true } });
await rawMessages('window', { perMessageDeflate: {
    threshold: 0, clientMaxWindowBits: 9, serverMaxWindowBits: 9 } });

/* those who compress and those who don't share a room */

{
    const small = await open('/raw?room=mixed');
    const large = await open('/raw?room=mixed', [],
                             { perMessageDeflate: false });
    const message = text.repeat(1000);
    const before = [small, large].map((ws) => ws._socket.bytesRead);

    large.send(message);
    await Promise.all([hears(small, 1), hears(large, 1)]);

    const [a, b] = [small, large].map((ws, i) => ws._socket.bytesRead
                                                 - before[i]);

    ok(small.heard[0].data.toString() === message
       && large.heard[0].data.toString() === message,
       'both kinds of members get the same');
    ok(a < message.length / 20, 'the one that compresses by few bytes');
    ok(b > message.length, 'the other by all of them');

    small.terminate();
    large.terminate();
}

/* pings of the server, which ws answers by itself */

{
    const ws = await open('/quick?room=p');

    await until(() => ws.pings >= 3, 'pings');
    is(ws.readyState, WebSocket.OPEN, 'who answers pings stays');

    const dumb = await open('/quick?room=p', [], { autoPong: false });

    await dumb.gone;
    ok(true, 'who does not answer is closed');
    ws.terminate();
}

/* closing */

for (const [send, expected] of [[[1000, 'bye'], 1000], [[4321, 'ours'], 4321],
                                [[], 1005]])
{
    const ws = await open('/raw?room=close');

    ws.close(...send);
    is(await ws.gone, expected, `close ${send[0] ?? 'without a code'}`);
}

{
    const ws = await open('/raw?room=close');

    ws.send(Buffer.from([0xc3, 0x28]), { binary: false, compress: false });
    is(await ws.gone, 1007, 'text that is not UTF-8 is closed with 1007');

    const large = await open('/raw?room=close', [],
                             { perMessageDeflate: false });

    large.send(Buffer.alloc((2 << 20) + 1));
    is(await large.gone, 1009, 'one byte too many with 1009');

    const bomb = await open('/raw?room=close', [],
                            { perMessageDeflate: { threshold: 0 } });

    bomb.send(Buffer.alloc(64 << 20));
    is(await bomb.gone, 1009, 'and so what inflates to too many');
}

/* handshakes */

is(await open('/raw?room=x', [], { origin: 'http://evil.example' })
         .catch((status) => status), 403, 'a foreign origin is refused');
is((await open('/raw?room=x', [], { origin: `http://${host}` })).readyState,
   WebSocket.OPEN, 'the host\'s own is not');
is((await open('/chat', ['other', 'chat.v1'])).protocol, 'chat.v1',
   'the subprotocol is selected among several');

/* chat.v1 over two workers */

async function person(user, options) {
    const ws = await open(`/chat?user=${user}`, ['chat.v1'], options);

    ws.events = [];
    ws.on('message', (data) => ws.events.push(JSON.parse(data)));
    ws.says = (command) => ws.send(JSON.stringify(command));
    ws.next = (type) => until(() => ws.events.find((e) => e.type === type),
                              type);
    ws.messages = () => ws.events.filter((e) => e.type === 'message');

    return ws;
}

{
    const anna = await person('anna');
    let ben = await person('ben', { perMessageDeflate: false });

    while (await ask('worker user=anna') === await ask('worker user=ben')) {
        ben.terminate();
        ben = await person('ben', { perMessageDeflate: false });
    }

    const all = [anna, ben];

    for (const ws of all) {
        ws.says({ type: 'join', id: 'j', room: 'talk' });
        is((await ws.next('ok')).room, 'talk', 'a room is joined');
    }

    for (let i = 0; i < 300; i++) {
        all[i % 2].says({ type: 'send', room: 'talk', text: `line ${i}`,
                          data: { i } });
    }

    await until(() => all.every((ws) => ws.messages().length === 300),
                '300 messages with both');

    const [a, b] = all.map((ws) => ws.messages());

    is(a, b, 'members on two workers see the same, in the same order');
    is(a.map((e) => e.seq), a.map((e, i) => i + 1), 'with no number missing');

    for (const user of ['anna', 'ben']) {
        const own = a.filter((e) => e.user === user).map((e) => e.data.i);

        is(own, [...own].sort((x, y) => x - y), `${user}'s in their order`);
        is(own.length, 150, 'and all of them');
    }

    ben.send(Buffer.from(JSON.stringify({ type: 'ping', id: 'p' })));
    await until(() => ben.events.some((e) => e.id === 'p' && e.ts > 0),
                'a command in a binary frame');
    ok(true, 'a command may come in a binary frame');
}

end();
