/*
 * Copyright (C) the chat module's authors
 *
 * A conversation in each of the example configurations.  Arguments: the
 * example's name, the server's port, and then for wss that of plain HTTP and
 * the certificate, for api_keys the file of the keys.
 */

import { createHmac } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

import { end, importClient, is, ok, require, until } from './lib.mjs';

const [example, port, ...more] = process.argv.slice(2);
const { ChatClient } = await importClient();
const WebSocket = require('ws');


/* Resolves with the status, the headers and the body. */

function get(url, options = {}) {
    const { request } = url.startsWith('https') ? https : http;

    return new Promise((resolve, reject) => {
        request(url, options, async (res) => {
            const parts = [];

            for await (const part of res) {
                parts.push(part);
            }

            resolve({ status: res.statusCode, headers: res.headers,
                      body: Buffer.concat(parts).toString() });
        }).on('error', reject).end();
    });
}


async function talk(base, room, Socket = WebSocket) {
    const chats = ['Anna', 'Ben'].map((user) => {
        const chat = new ChatClient(`${base}/chat?user=${user}`,
                                    { WebSocket: Socket });

        chat.heard = [];
        chat.on('message', ({ user: from, text }) => {
            chat.heard.push(`${from}: ${text}`);
        });

        return chat;
    });

    for (const chat of chats) {
        await chat.connect();
        await chat.join(room);
    }

    await chats[0].send(room, 'Hello');
    await chats[1].send(room, 'Good day');

    for (const chat of chats) {
        await until(() => chat.heard.length === 2, 'two messages');
    }

    const users = chats.map((chat) => chat.user);
    const expected = [`${users[0]}: Hello`, `${users[1]}: Good day`];

    is(chats.map((chat) => chat.heard), [expected, expected],
       `${example}: a conversation`);
    chats.forEach((chat) => chat.close());

    return users;
}


/* The page and what it loads, and that nothing else is served. */

async function page(base, options) {
    const index = await get(`${base}/`, options);

    is([index.status, index.headers['content-type']],
       [200, 'text/html; charset=utf-8'], `${example}: the page`);

    const csp = index.headers['content-security-policy'];

    ok(csp.includes("script-src 'self'") && csp.includes("default-src 'none'")
       && !csp.includes('unsafe'), `${example}: no script from elsewhere`);
    is(index.headers['x-content-type-options'], 'nosniff',
       `${example}: nor of another type`);

    const script = /^(text|application)\/javascript/;

    for (const [name, type] of [['app.js', script], ['chat.js', script],
                                ['composer.js', script], ['log.js', script],
                                ['people.js', script], ['room.js', script],
                                ['ui.js', script], ['chat.css', /^text\/css/],
                                ['chat.svg', /^image\/svg\+xml/]])
    {
        const { status, headers } = await get(`${base}/${name}`, options);

        ok(status === 200 && type.test(headers['content-type']),
           `${example}: ${name}`);
    }

    is((await get(`${base}/nothing`, options)).status, 404,
       `${example}: what is not there`);
}


/* For what is answered with a status that is not 101. */

const handshake = { headers: {
    'Connection': 'Upgrade', 'Upgrade': 'websocket',
    'Sec-WebSocket-Version': 13,
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
} };


function raw(uri) {
    const ws = new WebSocket(`ws://127.0.0.1:${port}${uri}`);

    ws.heard = [];
    ws.on('message', (data, binary) => {
        ws.heard.push(binary ? [...data] : data.toString());
    });

    return new Promise((resolve, reject) => {
        ws.on('open', () => resolve(ws));
        ws.on('error', reject);
    });
}


function hears(ws, n) {
    return until(() => ws.heard.length >= n, `message ${n}`);
}


/* One that has come in with a key, and what it is answered. */

async function program(part) {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/bots`, {
        headers: { 'X-Api-Key': part.repeat(4) },
    });

    ws.heard = [];
    ws.on('message', (text) => ws.heard.push(JSON.parse(text)));
    ws.on('close', (code) => {
        ws.code = code;
    });
    await until(() => ws.heard.length, 'the welcome');

    return ws;
}


async function told(ws, type, room) {
    const n = ws.heard.length;

    ws.send(JSON.stringify({ type, id: n, room, text: 'hot' }));

    return until(() => ws.heard.find(({ id }) => id === n),
                 `the answer to ${type}`);
}


const examples = {

    async minimal() {
        const users = await talk(`http://127.0.0.1:${port}`, 'lobby');

        ok(users.every((user) => /^guest-/.test(user))
           && users[0] !== users[1], 'minimal: everybody is a guest');
    },

    async chat() {
        const base = `http://127.0.0.1:${port}`;

        await page(base);
        is(await talk(base, 'lobby'), ['Anna', 'Ben'],
           'chat: everybody is who they say they are');
        is((await get(`${base}/chat`)).status >= 400, true,
           'chat: the location is for WebSocket');
    },

    async raw() {
        const a = await raw('/broadcast/news');

        for (let i = 0; i < 12; i++) {
            a.send(`news ${i}`);
        }

        a.send(Buffer.from([0, 128, 255]));
        await hears(a, 13);

        const b = await raw('/broadcast/news');

        await hears(b, 10);
        is(b.heard, [...Array.from({ length: 9 }, (_, i) => `news ${i + 3}`),
                     [0, 128, 255]], 'raw: who comes late hears the last ten');

        const other = await raw('/broadcast/weather');

        b.send('both');
        await Promise.all([hears(a, 14), hears(b, 11)]);
        is([a.heard.at(-1), b.heard.at(-1), other.heard], ['both', 'both', []],
           'raw: one room hears it, the other not');

        const one = await raw('/relay/x');
        const two = await raw('/relay/x');

        one.send('1');
        two.send('2');
        await Promise.all([hears(one, 1), hears(two, 1)]);
        one.send('3');
        await hears(two, 2);
        is([one.heard, two.heard], [['2'], ['1', '3']],
           'raw: a relay does not echo');
    },

    async moderated() {
        const as = async (user) => {
            const chat = new ChatClient(`http://127.0.0.1:${port}/chat`, {
                WebSocket: class extends WebSocket {
                    constructor(url, protocols) {
                        super(url, protocols, { auth: `${user}:${user}-secret` });
                    }
                } });

            chat.heard = [];
            chat.on('message', ({ text }) => chat.heard.push(text));
            await chat.connect();

            return chat;
        };
        const refused = (promise) => promise.then(() => 'done',
                                                  ({ code }) => code);

        is((await get(`http://127.0.0.1:${port}/chat`)).status, 401,
           'moderated: nobody without a password');

        const [alice, bob, carol] = [await as('alice'), await as('bob'),
                                     await as('carol')];

        for (const chat of [alice, bob, carol]) {
            await chat.join('lobby');
        }

        is([await refused(carol.join('elsewhere')),
            await refused(carol.join('team/a-1'))], ['forbidden', 'done'],
           'moderated: rooms have the names that they may have');

        await carol.send('lobby', 'darn, 1234 5678 9012 3456');
        await until(() => bob.heard.length === 1, 'a message');
        is(bob.heard, ["****, (a card's number)"],
           'moderated: texts are filtered');
        is(await refused(carol.send('lobby', 'see Join-our-other-chat.example')),
           'rejected', 'moderated: or refused');

        is([await refused(carol.request('mute', { room: 'lobby', user: 'bob' })),
            await refused(bob.request('mute', { room: 'lobby', user: 'alice' })),
            await refused(bob.request('mute', { room: 'lobby',
                                                user: 'carol' })),
            await refused(carol.send('lobby', 'but')),
            await refused(alice.request('unmute', { room: 'lobby',
                                                    user: 'carol' })),
            await refused(carol.send('lobby', 'thank you'))],
           ['forbidden', 'forbidden', 'done', 'muted', 'done', 'done'],
           'moderated: each with the rights of their role');

        /* the client itself keeps to the rate: this one does not */

        const dave = new WebSocket(`ws://127.0.0.1:${port}/chat`, 'chat.v1',
                                   { auth: 'dave:dave-secret' });
        const codes = [];

        dave.on('message', (data) => codes.push(JSON.parse(data).code));
        dave.on('open', () => {
            for (let id = 1; id <= 20; id++) {
                dave.send(JSON.stringify({ type: 'ping', id }));
            }
        });
        await until(() => codes.length === 21, 'twenty answers');
        ok(codes[10] === undefined && codes[20] === 'rate_limited',
           'moderated: nobody floods');
        dave.close();

        [alice, bob, carol].forEach((chat) => chat.close());
    },

    async jwt() {
        const base = `http://127.0.0.1:${port}`;
        const token = (claims) => {
            const input = [{ alg: 'HS256' },
                           { iss: 'https://example.com/', aud: 'chat',
                             ...claims }]
                .map((part) => Buffer.from(JSON.stringify(part))
                     .toString('base64url')).join('.');

            return `${input}.${createHmac('sha256', 'x'.repeat(64))
                .update(input).digest('base64url')}`;
        };
        const chat = new ChatClient(`${base}/chat`, {
            WebSocket, protocols: ['chat.v1', `bearer.${token({
                sub: 'u1', name: 'Anna', role: 'staff',
                exp: Math.floor(Date.now() / 1000) + 60,
            })}`],
        });

        await chat.connect();
        const { role } = await chat.join('lobby');

        is([chat.user, chat.name, role], ['u1', 'Anna', 'moderator'],
           'jwt: the token says who it is');
        chat.close();

        is((await get(`${base}/chat`, handshake)).status, 401,
           'jwt: nobody without');
        is((await get(`${base}/chat?token=${token({ sub: 'u', aud: 'shop' })}`,
                      handshake)).status, 401,
           'jwt: nor with one for another audience');

        const later = await raw('/chat/later');

        later.send(JSON.stringify({ type: 'auth', id: 1,
                                    token: token({ sub: 'u2' }) }));
        await hears(later, 2);
        is(later.heard.map(JSON.parse).map(({ type, user }) => [type, user]),
           [['welcome', 'u2'], ['ok', 'u2']], 'jwt: or in the first message');
        later.close();
    },

    async api_keys() {
        const base = `http://127.0.0.1:${port}`;
        const guest = new ChatClient(`${base}/chat`, { WebSocket });
        const heard = [];

        guest.on('message', ({ user, text }) => heard.push([user, text]));
        await guest.connect();
        await guest.join('lobby');

        const bot = await program('0123456789abcdef');

        is((await told(bot, 'join', 'lobby')).type, 'ok',
           'api_keys: a program joins');
        await told(bot, 'send', 'lobby');
        await until(() => heard.length === 1, 'a message');
        is(heard, [['news', 'hot']], 'api_keys: and speaks');
        is((await get(`${base}/bots`, handshake)).status, 401,
           'api_keys: nobody else is let in there');

        const shop = await program('fedcba9876543210');

        is((await told(shop, 'join', 'lobby')).code, 'forbidden',
           'api_keys: a key for one room is not for another');
        is((await told(shop, 'join', 'orders')).type, 'ok',
           'api_keys: but for that one');
        is((await told(shop, 'send', 'orders')).type, 'ok',
           'api_keys: it speaks there');

        const count = await program('0f1e2d3c4b5a6978');

        is((await told(count, 'join', 'orders')).messages.length, 1,
           'api_keys: a key for reading reads');
        is((await told(count, 'send', 'orders')).code, 'forbidden',
           'api_keys: and does not speak');

        const [keys] = more;
        const lines = readFileSync(keys, 'utf8').split('\n');

        writeFileSync(`${keys}.new`, lines.filter((line) =>
            !line.startsWith('shop:')).join('\n'));
        renameSync(`${keys}.new`, keys);
        await until(() => shop.code, 'the end of a connection');
        is(shop.code, 4001, 'api_keys: without its line it is put out');
        is((await told(count, 'join', 'lobby')).type, 'ok',
           'api_keys: and no other is');
        [bot, count, guest].forEach((one) => one.close());
    },

    async wss() {
        const [plainPort, certificate] = more;
        const ca = readFileSync(certificate);
        const base = `https://localhost:${port}`;
        const origin = (value) => new Promise((resolve) => {
            const ws = new WebSocket(`wss://localhost:${port}/chat`,
                                     { ca, origin: value });

            ws.on('unexpected-response', (req, res) => {
                resolve(res.statusCode);
                ws.terminate();
            });
            ws.on('open', () => { resolve(101); ws.terminate(); });
            ws.on('error', () => {});
        });

        await page(base, { ca });

        is((await get(base, { ca })).headers['strict-transport-security'],
           'max-age=31536000', 'wss: browsers shall come by HTTPS');

        await talk(base, 'lobby', class extends WebSocket {
            constructor(url, protocols) {
                super(url, protocols, { ca });
            }
        });

        is([await origin('https://example.com'),
            await origin('https://www.example.com')], [101, 101],
           'wss: pages of the named hosts may connect');
        is([await origin('https://evil.example'),
            await origin('https://example.com.evil.example'),
            await origin('http://example.com'),
            await origin('https://localhost')], [403, 403, 403, 403],
           'wss: no others, nor without TLS');

        const plain = await get(`http://127.0.0.1:${plainPort}/chat?user=x`, {
            headers: { Connection: 'Upgrade', Upgrade: 'websocket',
                       'Sec-WebSocket-Version': 13,
                       'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' } });

        is([plain.status, plain.headers.location],
           [301, 'https://example.com/chat?user=x'],
           'wss: plain HTTP is redirected');
    }
};


await examples[example]();
end();
