/*
 * Copyright (C) the chat module's authors
 *
 * A conversation in each of the example configurations.  Arguments: the
 * example's name, the server's port, and for wss that of plain HTTP and the
 * certificate.
 */

import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

import { end, importClient, is, ok, require, until } from './lib.mjs';

const [example, port, plainPort, certificate] = process.argv.slice(2);
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

    async wss() {
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
