/*
 * Copyright (C) the chat module's authors
 *
 * Who is let in by the configurations conf/examples/door_*.conf, and who is
 * not.  Arguments: the door's name, the server's port, its folder, and what
 * else the door needs: a port for a proxy, or that of plain HTTP.
 */

import { createHmac } from 'node:crypto';
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, renameSync,
         writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';

import { ask, end, is, ok, require, sleep, top, until } from './lib.mjs';
import { provider, proxy } from './identity.mjs';

const [door, port, dir, more] = process.argv.slice(2);
const WebSocket = require('ws');

const file = (name) => readFileSync(path.join(dir, name));
const log = () => file('logs/door.log').toString().split('\n');


/*
 * Resolves with the status of a handshake, and where that is 101 with the
 * first message, the socket and a way to wait for more.
 */

function knock(url, options = {}) {
    const ws = new WebSocket(url, 'chat.v1', options);
    const heard = [];
    let worker;

    return new Promise((resolve) => {
        ws.on('unexpected-response', (req, res) => {
            res.resume();
            resolve({ status: res.statusCode, headers: res.headers });
        });

        ws.on('error', (error) => resolve({ status: 0, error }));

        ws.on('upgrade', (res) => {
            worker = res.headers['x-worker'];
        });

        ws.on('message', (data) => {
            heard.push(JSON.parse(data));

            if (heard.length === 1) {
                resolve({ status: 101, ws, heard, worker, ...heard[0] });
            }
        });

        ws.on('close', (code) => {
            ws.code = code;
        });
    });
}


async function status(...args) {
    const { status: code, ws } = await knock(...args);

    ws?.terminate();

    return code;
}


/* Two connections of the same user, each on a worker of its own. */

async function pair(...args) {
    const one = await knock(...args);

    for ( ;; ) {
        const two = await knock(...args);

        if (two.worker !== one.worker) {
            return [one, two];
        }

        two.ws.terminate();
    }
}


/* The reply to a command, which waits for its turn where that is soon. */

let lastId = 0;

async function say({ ws, heard }, command) {
    for ( ;; ) {
        const id = ++lastId;

        ws.send(JSON.stringify({ ...command, id }));

        const reply = await until(() => heard.find((event) => event.id === id),
                                  `an answer to ${command.type}`);

        if (reply.code !== 'rate_limited' || reply.retry_after > 5000) {
            return reply;
        }

        await sleep(reply.retry_after);
    }
}


const verdict = async (who, command) => {
    const reply = await say(who, command);

    return reply.code ?? reply.type;
};


/* A token of the application, as the examples are configured. */

function token(claims, key = file('chat.secret')) {
    const part = (text) => Buffer.from(text).toString('base64url');
    const text = `${part('{"alg":"HS256"}')}.${part(JSON.stringify({
        iss: 'https://example.com/', aud: 'chat', sub: 'alice',
        exp: Math.floor(Date.now() / 1000) + 600, ...claims }))}`;

    return `${text}.${createHmac('sha256', key).update(text)
                      .digest('base64url')}`;
}


function get(url, options = {}) {
    const { request } = url.startsWith('https') ? https : http;

    return new Promise((resolve, reject) => {
        request(url, options, (res) => {
            res.resume();
            resolve({ status: res.statusCode, headers: res.headers });
        }).on('error', reject).end();
    });
}


/* How many lines of the door's log match, once there are that many. */

async function logged(re, n, name) {
    const count = () => log().filter((line) => re.test(line)).length;

    await until(() => count() >= n, name);
    is(count(), n, name);
}


const doors = {

    async passwords() {
        const url = `ws://127.0.0.1:${port}/chat`;
        const as = (user, word) => knock(url, { auth: `${user}:${word}` });

        is(await status(url), 401, 'no password, no chat');
        is((await as('alice', 'wrong')).status, 401, 'nor with a wrong one');
        is((await as('mallory', 'x')).status, 401, 'nor with no such user');

        const alice = await as('alice', 'alice-secret');
        const bob = await as('bob', 'bob-secret');
        const carol = await as('carol', 'carol-secret');

        is([alice, bob, carol].map(({ user, guest }) => [user, guest]),
           [['alice', false], ['bob', false], ['carol', false]],
           'with a password one is known by it');

        for (const { ws } of [alice, bob, carol]) {
            ws.send('{"type":"join","id":1,"room":"lobby"}');
        }

        for (const [{ heard }, role] of [[alice, 'owner'], [bob, 'moderator'],
                                         [carol, 'member']])
        {
            const reply = await until(() => heard.find(({ id }) => id === 1),
                                      'a join');

            is(reply.role, role, `the map makes a ${role}`);
        }

        let refused = 0;

        for (let i = 0; i < 12; i++) {
            refused += (await as('alice', `guess ${i}`)).status === 429;
        }

        ok(refused >= 7, 'passwords cannot be guessed for long');
        await logged(/ 101$/, 3, 'the log has 101 for whom was let in');
        await logged(/127\.0\.0\.1 - 401$/, 1, 'and 401 for who was not');
        await logged(/ 429$/, refused, 'and 429 for who guessed');
        ok(!log().some((line) => /secret/.test(line)),
           'and no password');
    },

    async network() {
        const base = `ws://127.0.0.1:${port}/chat`;
        const from = (address, word, url = base) => knock(url, {
            headers: { 'X-Forwarded-For': address }, auth: word });

        const office = await from('192.0.2.7');

        is([office.user, office.guest], ['office-192.0.2.7', false],
           'the office comes in as it is');
        is((await from('198.51.100.1')).status, 401, 'others do not');
        is((await from('198.51.100.1', 'alice:wrong')).status, 401,
           'nor with a wrong password');
        is((await from('198.51.100.1', 'alice:alice-secret')).user, 'alice',
           'but with a good one');
        is((await from('192.0.2.7, 198.51.100.1')).status, 401,
           'nobody says by himself that he is of the office');
        is((await from('198.51.100.1', 'alice:alice-secret',
                       `${base}/office`)).status, 403,
           'where the office is alone a password does not help');
        is((await from('192.0.2.7', undefined, `${base}/office`)).status, 101,
           'and the office comes in');

        const net = [];

        for (let i = 1; i <= 4; i++) {
            net.push(await from(`2001:db8:0:1::${i}`));
        }

        is(net.map(({ status: code }) => code), [101, 101, 101, 101],
           'four connections of an IPv6 network');
        is((await from('2001:db8:0:1:ffff::1')).status, 429,
           'a fifth is refused, whatever its address there');
        is((await from('2001:db8:0:2::1')).status, 101, 'another network');

        net[0].ws.close();
        await until(async () => (await from('2001:db8:0:1::9')).status === 101,
                    'one of them has gone');
        ok(true, 'and one more may come when one has gone');

        await logged(/^198\.51\.100\.1 \S+ 403$/, 1,
                     'the log has the address, and the status');
        await logged(/^198\.51\.100\.1 \S+ 401$/, 3, 'of each refusal');

        let refused = 0;

        for (let i = 0; i < 40; i++) {
            refused += (await from('203.0.113.1')).status === 429;
        }

        ok(refused > 10, 'whoever comes too fast is refused');
    },

    async certificate() {
        const url = `wss://127.0.0.1:${port}/chat`;
        const ca = file('certs/example.com.pem');
        const as = (name) => knock(url, {
            ca, servername: 'example.com',
            ...name && { cert: file(`certs/${name}.pem`),
                         key: file(`certs/${name}.key`) } });

        const alice = await as('alice');
        const bob = await as('bob');

        is([alice.user, bob.user], ['alice', 'bob'],
           'one is known by the certificate');

        for (const { ws } of [alice, bob]) {
            ws.send('{"type":"join","id":1,"room":"lobby"}');
        }

        for (const [{ heard }, role] of [[alice, 'moderator'],
                                         [bob, 'member']])
        {
            const reply = await until(() => heard.find(({ id }) => id === 1),
                                      'a join');

            is(reply.role, role, `its unit makes a ${role}`);
        }

        is((await as('')).status, 400, 'no certificate, no chat');
        is((await as('mallory')).status, 400, 'nor with another authority\'s');
        is((await as('nobody')).status, 401, 'nor with no name in it');

        await logged(/ SUCCESS 101$/, 2, 'the log has who was let in');
        await logged(/ SUCCESS 401$/, 1, 'and who has no name');
        ok(!log().some((line) => /(?:NONE|FAILED).* 101$/.test(line)),
           'and nobody else');
    },

    async openid() {
        const base = `http://127.0.0.1:${port}`;
        const url = `ws://127.0.0.1:${port}/chat`;
        const idp = await provider({
            'user-1': { preferred_username: 'Alice', groups: ['chat-admins'] },
            'user-2': { preferred_username: 'Bob', groups: ['all', 'staff'] },
            'user-3': { preferred_username: 'Carol', groups: [] } });

        await proxy(more, idp.issuer);

        /* What a browser does from a page on, with its cookies. */

        const browse = async (start, jar = {}, spoil = (to) => to) => {
            let at = new URL(start, base);

            for (let hops = 0; hops < 10; hops++) {
                const res = await get(at.href, { headers: {
                    Cookie: Object.entries(jar).map((c) => c.join('='))
                            .join('; ') } });

                for (const set of res.headers['set-cookie'] ?? []) {
                    const [name, value] = set.split(';')[0].split('=');

                    jar[name] = value;
                }

                if (res.status !== 302) {
                    return { status: res.status, jar };
                }

                at = spoil(new URL(res.headers.location, at));
            }

            return { status: 'a circle', jar };
        };
        const headers = (jar) => ({ headers: {
            Cookie: `_oauth2_proxy=${jar._oauth2_proxy}` } });

        is(await status(url), 401, 'who is not logged in gets no chat');
        is(await status(url, headers({ _oauth2_proxy: 'made-up' })), 401,
           'nor with a cookie that was made up');

        const jars = {};

        for (const [user, name, role] of [['user-1', 'Alice', 'owner'],
                                          ['user-2', 'Bob', 'moderator'],
                                          ['user-3', 'Carol', 'member']])
        {
            idp.user = user;

            const page = await browse('/');

            is(page.status, 200, `${name} gets the page after logging in`);
            jars[user] = page.jar;

            const chat = await knock(url, headers(page.jar));

            is([chat.user, chat.name, chat.guest], [user, name, false],
               `${name} is known by what the provider says`);

            chat.ws.send('{"type":"join","id":1,"room":"lobby"}');

            const reply = await until(
                () => chat.heard.find(({ id }) => id === 1), 'a join');

            is(reply.role, role, `the groups make a ${role}`);
        }

        is(await status(url, { headers: { ...headers(jars['user-1']).headers,
                                          Origin: 'https://evil.example' } }),
           403, 'another site\'s page cannot use the cookie');

        for (idp.fault of ['key', 'issuer', 'audience', 'nonce', 'expired']) {
            const { status: code, jar } = await browse('/');

            is([code, await status(url, headers(jar))], [403, 401],
               `a token with a wrong ${idp.fault} makes no session`);
        }

        idp.fault = '';

        const forged = (to) => {
            if (to.pathname === '/oauth2/callback') {
                to.searchParams.set('state', 'forged');
            }

            return to;
        };

        is((await browse('/', {}, forged)).status, 403,
           'nor does an answer that nobody asked for');
        is(await status(`${url}/../oauth2/auth`), 404,
           'the subrequest\'s location is not for the outside');

        await get(`${base}/oauth2/sign_out`, headers(jars['user-1']));
        is(await status(url, headers(jars['user-1'])), 401,
           'who has logged out does not come back');

        await logged(/ 101$/, 3, 'the log has whom was let in');
        await logged(/ 403$/, 1, 'the foreign page');
        await logged(/ 401$/, 8, 'and each handshake without a session');
    },

    async hardened() {
        const url = `wss://127.0.0.1:${port}/chat`;
        const base = `https://127.0.0.1:${port}`;
        const tls = { ca: file('certs/example.com.pem'),
                      servername: 'example.com' };
        const tokens = [];
        const as = (claims, { key, ...others } = {}) => {
            tokens.push(token(claims, key));

            return knock(url, { ...tls, headers: {
                Host: 'example.com', Origin: 'https://example.com',
                Cookie: `chat_token=${tokens.at(-1)}`, ...others } });
        };
        const host = { ...tls, headers: { Host: 'example.com' } };

        const page = await get(`${base}/`, host);

        is([page.status, page.headers['strict-transport-security'],
            page.headers['x-content-type-options'], page.headers.server],
           [200, 'max-age=63072000', 'nosniff', 'nginx'],
           'the page comes with HSTS, and without a version');
        is((await get(`${base}/../chat.secret`, host)).status, 404,
           'the secret is not served');
        is((await get(`${base}/`, { ...tls, headers: { Host: 'other' } }))
           .status, 421, 'another name is not served');
        is((await get(`${base}/`, { ...host, method: 'DELETE' })).status, 403,
           'nor another method');

        is(await status(`ws://127.0.0.1:${more}/chat`), 301,
           'plain ws:// is not served');

        const alice = await as({});

        is([alice.status, alice.user], [101, 'alice'], 'a user comes in');
        ok(!alice.ws.extensions, 'without compression');

        for (const [origin, name] of [
            [undefined, 'no Origin'],
            ['null', 'null'],
            ['http://example.com', 'plain HTTP'],
            ['https://example.com.evil.example', 'a longer name'],
            ['https://evilexample.com', 'a longer name in front'],
            ['https://www.example.com', 'a name below'],
            ['https://example.com:8443', 'another port']])
        {
            const headers = { Host: 'example.com',
                              Cookie: `chat_token=${token({})}` };

            if (origin) {
                headers.Origin = origin;
            }

            is(await status(url, { ...tls, headers }), 403,
               `an Origin that is ${name} is refused`);
        }

        const seconds = Math.floor(Date.now() / 1000);

        for (const [claims, name, key] of [
            [{}, 'another secret', 'y'.repeat(64)],
            [{ iss: 'https://other/' }, 'another issuer'],
            [{ aud: 'mail' }, 'another audience'],
            [{ exp: seconds - 60 }, 'an end in the past'],
            [{ nbf: seconds + 60 }, 'a beginning in the future']])
        {
            is((await as(claims, { key })).status, 401,
               `a token with ${name} is refused`);
        }

        is((await as({}, { Cookie: '' })).status, 401, 'and none, too');

        alice.ws.send(JSON.stringify({ type: 'join', id: 1, room: 'lobby' }));
        await until(() => alice.heard.find(({ id }) => id === 1)?.type === 'ok',
                    'a join');

        const refused = async (command, code) => {
            const id = alice.heard.length + 100;

            alice.ws.send(JSON.stringify({ id, ...command }));

            const reply = await until(
                () => alice.heard.find((event) => event.id === id), code);

            is(reply.code, code, `${command.type}: ${code}`);
        };

        await refused({ type: 'join', room: 'No Such Room' }, 'forbidden');
        await refused({ type: 'send', room: 'lobby', text: 'x'.repeat(5000) },
                      'too_large');

        for (let i = 0; i < 12; i++) {
            alice.ws.send('{"type":"ping"}');
        }

        await until(() => alice.heard.some(({ code }) => code
                                                         === 'rate_limited'),
                    'rate_limited');
        ok(true, 'too many messages: rate_limited');

        let codes = [];

        for (let i = 0; i < 30; i++) {
            codes.push((await as({ sub: `user-${i}` })).status);
        }

        ok(codes.includes(429), 'connections that come too fast are refused');
        await logged(/" 429 .* REJECTED$/, codes.filter((c) => c === 429).length,
                     'the log has them');
        await logged(/"GET \/chat" 403 /, 7, 'and each refused origin');

        appendFileSync(path.join(dir, 'chat.revoked'), 'user alice\n');
        await until(() => alice.ws.code, 'a close');
        is(alice.ws.code, 4003, 'who is to go is gone');

        const logs = ['logs/door.log', 'logs/sessions.log', 'logs/error.log']
                     .map((name) => file(name).toString()).join('');

        ok(tokens.every((one) => !logs.includes(one.split('.')[2])),
           'no token stands in any log');
    },

    async rules() {
        const url = `ws://127.0.0.1:${port}/chat`;
        const from = (address, claims) => pair(url, { headers: {
            'X-Forwarded-For': address,
            ...claims && { Authorization: `Bearer ${token(claims)}` } } });

        const carol = { sub: 'carol', role: 'team' };
        const people = {
            alice: await from('198.51.100.1', { sub: 'alice', staff: true }),
            bob: await from('198.51.100.1', { sub: 'bob', staff: false }),
            'bob in the office': await from('192.0.2.7', { sub: 'bob' }),
            carol: await from('192.0.2.7', carol),
            'carol at home': await from('198.51.100.1', carol),
            dora: await from('198.51.100.1', { sub: 'dora', role: 'head' }),
            'a guest': await from('198.51.100.1') };

        const rooms = ['diary-bob', 'lobby', 'news'];

        const join = (room) => ({ type: 'join', room });
        const send = (room) => ({ type: 'send', room, text: `of ${room}` });
        const write = (to) => ({ type: 'send', to, text: 'x' });
        const topic = (room) => ({ type: 'set', room, topic: 'x' });
        const back = (room) => ({ type: 'history', room });

        const acts = [
            ['alice', join('staff-1'), 'ok', 'the staff join their rooms'],
            ['bob', join('staff-1'), 'forbidden', 'who is not of it does not'],
            ['bob', join('staff-2'), 'forbidden', 'nor one that there is not'],
            ['bob', join('Staff-1'), 'forbidden', 'nor one that looks so'],
            ['a guest', join('staff-1'), 'forbidden', 'nor does a guest'],

            ['bob', send('news'), 'ok', 'users write in the news'],
            ['a guest', send('news'), 'forbidden', 'guests do not'],
            ['bob', send('lobby'), 'ok', 'users write in an open room'],
            ['a guest', send('lobby'), 'ok', 'and so do guests'],
            ['bob', send('diary-bob'), 'ok', 'a diary is written by its own'],
            ['alice', send('diary-bob'), 'forbidden', 'and by nobody else'],
            ['a guest', send('diary-bob'), 'forbidden', 'by no guest either'],
            ['bob', write('alice'), 'ok', 'users write to each other'],
            ['a guest', write('alice'), 'forbidden', 'guests to nobody'],

            ['bob', back('lobby'), 'ok', 'users read back'],
            ['a guest', back('lobby'), 'forbidden', 'guests do not'],
            ['a guest', back('news'), 'ok', 'but in the news'],

            ['carol', topic('lobby'), 'ok', 'moderating from the office'],
            ['carol at home', topic('lobby'), 'forbidden', 'and not at home'],
            ['dora', topic('lobby'), 'ok', 'an owner from wherever it is'],
            ['bob in the office', topic('lobby'), 'forbidden',
             'the office makes no moderator']];

        is([people.alice[0].guest, people['a guest'][0].guest], [false, true],
           'users come with a token, others are guests');

        for (const n of [0, 1]) {
            for (const [who, { [n]: one }] of Object.entries(people)) {
                is([await verdict(one, join('lobby')),
                    await verdict(one, join('news')),
                    await verdict(one, join('diary-bob'))], ['ok', 'ok', 'ok'],
                   `worker ${n + 1}: ${who} may be in other rooms`);
            }

            for (const [who, command, expected, name] of acts) {
                is(await verdict(people[who][n], command), expected,
                   `worker ${n + 1}: ${name}`);
            }

            const again = async (room) => (await say(people['a guest'][n],
                                                     join(room))).messages;

            is([(await again('lobby')).length, (await again('news'))[0].text],
               [0, 'of news'],
               `worker ${n + 1}: a join gives guests the news alone`);

            const list = async (who) => (await say(people[who][n],
                                                   { type: 'rooms' }))
                                        .rooms.map(({ room }) => room).sort();

            is([await list('alice'), await list('bob')],
               [[...rooms, 'staff-1'], rooms],
               `worker ${n + 1}: rooms of the staff are listed for it alone`);
        }

        const [bob] = people.bob;

        is(await verdict(bob, { type: 'auth', token: token({ sub: 'bob',
                                                             staff: true }) }),
           'ok', 'bob gets another token');
        is(await verdict(bob, join('staff-1')), 'ok',
           'and is held against that one');

        const [home] = people['carol at home'];

        await say(people.dora[0], { type: 'grant', room: 'lobby',
                                    user: 'carol', role: 'owner' });
        is([await verdict(home, topic('lobby')),
            await verdict(home, topic('news'))], ['ok', 'forbidden'],
           'the role is that in the room');
    },

    async backend() {
        const url = `ws://127.0.0.1:${port}/chat`;
        const asked = [];
        const may = {
            alice: { red: { 'X-Chat-Role': 'owner' }, blue: {} },
            bob: { red: { 'X-Chat-Rate': '30r/m' },
                   strange: { 'X-Chat-Role': 'king' },
                   slow: { 'X-Chat-Rate': '1r/m', 'X-Chat-Burst': 1 },
                   small: { 'X-Chat-Message-Size': 200 } } };
        let late = false;

        const backend = http.createServer((req, res) => {
            const { 'x-chat-user': user, 'x-chat-room': room } = req.headers;
            const answer = may[user]?.[room];

            asked.push(req);

            if (!late) {
                res.writeHead(answer ? 204 : 403, answer).end();
            }
        });

        const start = () => new Promise((resolve) => {
            backend.listen(more, '127.0.0.1', resolve);
        });
        const stop = () => new Promise((resolve) => {
            backend.close(resolve);
        });

        const as = (sub) => pair(url, { headers: {
            'X-Chat-User': 'alice', 'X-Chat-Role': 'owner', 'X-Chat-Guest': '',
            ...sub && { Authorization: `Bearer ${token({ sub })}` } } });
        const join = (room) => ({ type: 'join', room });

        const matrix = async (name) => {
            const [alice, bob, guest] = [await as('alice'), await as('bob'),
                                         await as()];

            for (const n of [0, 1]) {
                const rooms = [];

                for (const [who, room] of [[alice, 'red'], [alice, 'blue'],
                                           [bob, 'red'], [bob, 'blue'],
                                           [guest, 'red']])
                {
                    const { role, limits, code } = await say(who[n],
                                                             join(room));

                    rooms.push(code ?? [role, limits?.rate]);
                }

                is(rooms, [['owner', undefined], ['member', undefined],
                           ['member', 0.5], 'forbidden', 'forbidden'],
                   `${name}, worker ${n + 1}: who may join, and as what`);
            }

            return [alice, bob, guest];
        };

        await start();

        const [alice, bob, guest] = await matrix('a backend');

        is(asked.length, 10, 'it was asked for each of them, by each worker');

        const told = (who) => {
            const { method, url: uri, headers } = asked.find(
                (req) => req.headers['x-chat-user'] === who.user);

            return [method, uri, headers['x-chat-room'],
                    headers['x-chat-guest']];
        };

        is([told(alice[0]), told(guest[0])],
           [['GET', '/may-join', 'red', undefined],
            ['GET', '/may-join', 'red', '1']],
           'it is told who comes, and where to');
        is(asked.filter(({ headers }) => headers['x-chat-role']
                                         ?? headers.authorization), [],
           'and nothing that the client has put beside it');

        for (const { [0]: again } of [await as('alice'), await as('bob')]) {
            await say(again, join('red'));
            await say(again, join('blue'));
        }

        is(asked.length, 10, 'its answers are kept, a yes as a no');
        is([await verdict(bob[0], join('red ')), asked.length],
           ['forbidden', 10], 'it is not asked of a name with blanks');
        is((await get(`http://127.0.0.1:${port}/may-join`)).status, 404,
           'nobody else asks it');

        for (const room of ['slow', 'small']) {
            await say(bob[0], join(room));
            await say(bob[1], join(room));
        }

        const send = (room) => ({ type: 'send', room, text: 'x'.repeat(250) });

        await say(bob[0], send('slow'));
        is([await verdict(bob[1], send('slow')),
            await verdict(bob[0], send('small')),
            await verdict(bob[0], send('red'))],
           ['rate_limited', 'too_large', 'ok'],
           'limits of a room, on both workers');

        is(await verdict(bob[0], join('strange')), 'unavailable',
           'a role that there is not is no answer');

        late = true;
        is(await verdict(alice[0], join('green')), 'unavailable',
           'nor is one that does not come');
        late = false;

        await stop();
        is(await verdict(alice[0], join('green')), 'unavailable',
           'without a backend nobody joins');
        is(await verdict(alice[0], { type: 'send', room: 'red', text: 'x' }),
           'ok', 'and who is there stays');

        may.alice.green = {};
        await start();
        is(await verdict(alice[0], join('green')), 'ok',
           'with it they do, at once');
        await stop();

        await small(matrix);
    },

    async revoked() {
        const url = `ws://127.0.0.1:${port}/chat`;
        const list = path.join(dir, 'chat.revoked');
        const now = Math.floor(Date.now() / 1000);
        const bearer = (claims) => [url, { headers: {
            Authorization: `Bearer ${token({ iat: now - 10, ...claims })}` } }];

        const phone = { jti: 'a1' };
        const desk = { jti: 'b2' };

        const onPhone = await pair(...bearer(phone));
        const atDesk = await pair(...bearer(desk));
        const mallory = await pair(...bearer({ sub: 'mallory', jti: 'c3' }));

        const out = async (who, name) => {
            await until(() => who.every(({ ws }) => ws.code), name);

            return who.map(({ ws }) => ws.code);
        };
        const here = async (who) => {
            for (const one of who) {
                await say(one, { type: 'ping' });
            }

            return who.map(({ ws }) => ws.code);
        };
        const anyone = [undefined, undefined];

        appendFileSync(list, 'token a1\n');
        is(await out(onPhone, 'a token'), [4001, 4001],
           'logged out on one device: its sessions, on both workers');
        is(await status(...bearer(phone)), 401, 'and that token is none');
        is(await here(atDesk), anyone, 'the other device goes on');

        appendFileSync(list, `user alice ${now}\n`);
        is(await out(atDesk, 'a user'), [4003, 4003],
           'logged out everywhere: the others, too');
        is(await status(...bearer(desk)), 403, 'and no token of before');
        is((await pair(...bearer({ iat: now, jti: 'd4' })))
           .map(({ user }) => user), ['alice', 'alice'],
           'who logs in again comes in');
        is(await here(mallory), anyone, 'other users go on');

        appendFileSync(list, 'user mallory\n');
        is(await out(mallory, 'another user'), [4003, 4003],
           'a user is put out, on both workers');
        is(await status(...bearer({ sub: 'mallory', iat: now + 5 })), 403,
           'and logging in again does not help');

        writeFileSync(`${list}.new`, 'token a1\n');
        renameSync(`${list}.new`, list);
        await until(async () => (await status(...bearer({ sub: 'mallory' })))
                                === 101, 'the line is gone');
        ok(true, 'but that the line is taken away');
        is(await status(...bearer(phone)), 401, 'and what was left holds');
    },
};


/* The backend of docs/auth.md, as it stands there. */

async function small(matrix) {
    const [, code] = readFileSync(path.join(top, 'docs/auth.md')).toString()
                     .match(/^```python\n(.*?)^```$/ms);

    const child = spawn('python3', ['-c', code.replace('8000', more)],
                        { stdio: 'ignore' });
    let failed = false;

    child.on('error', () => {
        failed = true;
    });
    process.on('exit', () => child.kill());

    await until(() => failed || get(`http://127.0.0.1:${more}/`)
                                .then(() => true, () => false), 'python3');

    if (failed) {
        console.log('# the backend of docs/auth.md needs python3');
        return;
    }

    await ask('reload');
    await matrix('the small one');
}


await doors[door]();
end();
