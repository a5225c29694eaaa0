/*
 * Copyright (C) the chat module's authors
 *
 * The client module with a real server: what reaches whom while nginx
 * reloads, and while its workers are killed.  Argument: host and port.
 */

import net from 'node:net';

import { ask, end, importClient, is, ok, require, sleep, until }
    from './lib.mjs';

const [host] = process.argv.slice(2);
const { ChatClient } = await importClient();
const WebSocket = require('ws');


function client(user, options = {}, uri = '/chat') {
    const chat = new ChatClient(`http://${options.host ?? host}${uri}`
                                + `?user=${user}`,
                                { WebSocket, minDelay: 200, ...options });

    chat.texts = [];
    chat.states = [];
    chat.faults = [];
    chat.on('message', (message) => chat.texts.push(message.text));
    chat.on('state', (event) => chat.states.push(event.state));
    chat.on('gap', (event) => chat.faults.push(event));
    chat.on('reset', (event) => chat.faults.push(event));

    return chat;
}


async function member(user, room, options, uri) {
    const chat = client(user, options, uri);

    await chat.connect();
    await chat.join(room);

    return chat;
}


/* two members on two workers */

async function couple(room) {
    const a = await member(`a-${room}`, room);
    let b = await member(`b-${room}`, room);

    while (await ask(`worker user=a-${room}`)
           === await ask(`worker user=b-${room}`))
    {
        b.close();
        b = await member(`b-${room}`, room);
    }

    return [a, b];
}


/* Sends n texts, some milliseconds apart; resolves when all are stored. */

async function talk(chat, room, n) {
    const sent = [];

    for (let i = 0; i < n; i++) {
        sent.push(chat.send(room, `${room} ${i}`));
        await sleep(3);
    }

    return Promise.all(sent);
}


function lines(room, n) {
    return Array.from({ length: n }, (_, i) => `${room} ${i}`);
}


async function arrived(chat, n) {
    await until(() => chat.texts.length >= n, `${n} messages`, 30000)
          .catch((e) => console.log(`# ${e.message}`));
    await sleep(100);           /* one too many would come now */
}


/* a conversation */

{
    const anna = client('anna');
    const welcome = await anna.connect();

    is([welcome.user, anna.user, welcome.protocol],
       ['anna', 'anna', 'chat.v1'], 'welcome');
    is(await anna.send('talk', 'x').catch((e) => e.code), 'not_joined',
       'nothing is sent into a room before it is joined');

    const joined = await anna.join('talk');

    is([joined.room, joined.seq, joined.messages], ['talk', 0, []],
       'an empty room');

    const sent = await anna.send('talk', 'Hello!');

    is([sent.room, sent.seq], ['talk', 1], 'sending resolves with the number');
    ok(Math.abs(sent.ts - Date.now()) < 60000, 'and the time');
    is((await anna.send('talk', { data: { x: [1, null] } })).seq, 2,
       'data without a text');
    await until(() => anna.texts.length === 2, 'two messages');
    is(anna.texts, ['Hello!', undefined], 'both come back');

    const error = await anna.request('nonsense').catch((e) => e);

    is([error.name, error.code], ['ChatError', 'unknown_type'],
       'an unknown command is refused');
    is(await anna.join('@x').catch((e) => e.code) === 'ok', false,
       'a reserved room too');
    is(await anna.send('talk', 'x'.repeat(20000)).catch((e) => e.code),
       'too_large', 'and too long a message');

    for (let i = 0; i < 10; i++) {
        await anna.send('talk', `n${i}`);
    }

    const page = await anna.history('talk', { before: 6, limit: 3 });

    is([page.messages.map((e) => e.seq), page.more], [[3, 4, 5], true],
       'history, a page of it');

    const late = client('late');

    await late.connect();
    await late.join('talk', { history: 2 });
    is(late.texts, ['n8', 'n9'], 'who comes late gets what was asked for');

    await anna.leave('talk');
    await late.send('talk', 'behind your back');
    is(anna.texts.at(-1), 'n9', 'who left hears nothing');
    anna.close();
    late.close();
}

/* a reload in mid-traffic */

{
    const [a, b] = await couple('reload');
    const talking = talk(a, 'reload', 300);

    await sleep(100);
    is(await ask('reload'), 'done', 'nginx reloads');

    const sent = await talking;

    is(sent.map((e) => e.seq), sent.map((e, i) => i + 1),
       'reload: all that was sent is stored, once and in order');
    await until(() => b.states.lastIndexOf('waiting') > 0, 'a reconnect');
    await arrived(b, 300);
    is(b.texts, lines('reload', 300), 'reload: all arrive, once, in order');
    is(a.texts, lines('reload', 300), 'reload: with the sender too');
    is([a.states, b.states],
       Array(2).fill(['connecting', 'open', 'waiting', 'connecting', 'open']),
       'reload: one new connection each');
    is([...a.faults, ...b.faults], [], 'reload: nobody was told of a gap');
    a.close();
    b.close();
}

/* the receiver's worker is killed */

{
    const [a, b] = await couple('killed');
    const talking = talk(a, 'killed', 200);

    await sleep(100);
    is(await ask(`kill ${await ask('worker user=b-killed')}`), 'done',
       'a worker is killed');
    await talking;
    await arrived(b, 200);
    is(b.texts, lines('killed', 200), 'kill: all arrive, once, in order');
    is(a.texts, lines('killed', 200), 'kill: with the sender too');
    is(a.states, ['connecting', 'open'],
       'kill: members on the other worker notice nothing');
    is(b.states.slice(0, 3), ['connecting', 'open', 'waiting'],
       'kill: the killed one\'s come back');
    is([...a.faults, ...b.faults], [], 'kill: nobody was told of a gap');
    a.close();
    b.close();
}

/* the sender's worker is killed */

{
    const [a, b] = await couple('sender');
    const talking = talk(a, 'sender', 200);

    await sleep(100);
    is(await ask(`kill ${await ask('worker user=a-sender')}`), 'done',
       'the sender\'s worker is killed');

    const sent = await talking;

    is(new Set(sent.map((e) => e.seq)).size, 200,
       'sender: each message has a number of its own');
    await arrived(b, 200);
    is(b.texts, lines('sender', 200),
       'sender: nothing is lost, doubled or out of order');
    is(a.texts, b.texts, 'sender: and the same with both');
    a.close();
    b.close();
}

/* a connection that has gone silent: a proxy that stops passing bytes on */

{
    let stalled = false;
    let accepted = 0;
    const [address, port] = host.split(':');

    const proxy = net.createServer((near) => {
        const far = net.connect(port, address);
        const first = ++accepted === 1;

        for (const [from, to] of [[near, far], [far, near]]) {
            from.on('data', (data) => stalled && first || to.write(data));
            from.on('close', () => stalled && first || to.destroy());
            from.on('error', () => {});
        }
    });

    await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));

    const a = await member('silent', 'silent', { pongTimeout: 300,
        host: `127.0.0.1:${proxy.address().port}` }, '/quick');
    const b = await member('talker', 'silent');

    stalled = true;
    await b.send('silent', 'into the void');
    await until(() => a.texts.length, 'the missed message');
    is(a.texts, ['into the void'], 'a silent connection is replaced');
    is(accepted, 2, 'by one other');
    a.close();
    b.close();
}

end();
