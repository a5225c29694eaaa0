/*
 * Copyright (C) the chat module's authors
 *
 * The client module against a server made of a few lines, for what a real
 * one does seldom or not on demand.
 */

import { end, importClient, is, ok, sleep, until } from './lib.mjs';

const { ChatClient } = await importClient();

let sockets = [];


class Socket {
    constructor(url, protocols) {
        this.url = url;
        this.protocols = protocols;
        this.sent = [];
        sockets.push(this);
    }

    send(text) {
        this.sent.push(JSON.parse(text));
    }

    close(code) {
        this.closed = code;
    }

    /* the server's side */

    says(...events) {
        for (const event of events) {
            this.onmessage({ data: typeof event === 'string' ? event
                                   : JSON.stringify(event) });
        }
    }

    welcomes(fields) {
        this.says({ type: 'welcome', user: 'me', ping: 25000,
                    limits: { message_size: 1000 }, ...fields });
    }

    breaks(code = 1006, reason = '') {
        this.onclose({ code, reason });
    }

    /* the last command of a type, and an answer to it */

    last(type) {
        return this.sent.filter((command) => command.type === type).at(-1);
    }

    count(type) {
        return this.sent.filter((command) => command.type === type).length;
    }

    answers(type, fields) {
        this.says({ type: 'ok', id: this.last(type).id, ...fields });
    }

    refuses(type, code, fields) {
        this.says({ type: 'error', id: this.last(type).id, code,
                    message: code, ...fields });
    }
}


function entry(seq, fields) {
    return { type: 'message', room: 'r', seq, ts: seq, user: 'other',
             text: `m${seq}`, ...fields };
}


/* A client that is connected, and in the room "r" at seq. */

async function client(options, seq = 0) {
    sockets = [];

    const chat = new ChatClient('ws://host/chat',
                                { WebSocket: Socket, minDelay: 10, maxDelay: 20,
                                  ...options });
    const seen = [];

    chat.on('*', (event) => seen.push(event));

    const connected = chat.connect();

    await until(() => sockets.length, 'a socket');
    sockets[0].welcomes();
    await connected;

    const joined = chat.join('r');

    sockets[0].answers('join', { room: 'r', epoch: 'e1', seq, messages: [] });
    await joined;

    const of = (type) => seen.filter((event) => event.type === type);

    return { chat, seen, of, seqs: () => of('message').map((e) => e.seq) };
}


/* the next socket of a client that has lost one */

async function again(n, fields) {
    const socket = await until(() => sockets[n], `socket ${n}`);

    socket.welcomes(fields);

    return socket;
}


function code(promise) {
    return promise.then(() => 'ok', (error) => error.code);
}


/* a cursor in each room */

{
    const { chat, seqs, of } = await client({}, 3);
    const [socket] = sockets;

    is(socket.protocols, ['chat.v1'], 'the subprotocol is asked for');

    socket.says(entry(4), entry(4), entry(3), entry(5));
    is(seqs(), [4, 5], 'what was handed out is not handed out again');

    socket.says(entry(6, { room: 'elsewhere' }));
    is(seqs(), [4, 5], 'nothing comes of a room that was not joined');

    socket.says(entry(9), entry(10));
    is(seqs(), [4, 5], 'what comes after a hole waits');
    is(socket.last('history').after, 5, 'and the hole is asked for');

    socket.answers('history', { messages: [entry(6), entry(7), entry(8),
                                           entry(9)] });
    is(seqs(), [4, 5, 6, 7, 8, 9, 10], 'all come in order, once');
    is(of('gap'), [], 'and nobody is told of a gap');

    socket.says({ type: 'gap', room: 'r', from: 11, to: 14 });
    socket.answers('history', { messages: [entry(13), entry(14)] });
    is(seqs().slice(-2), [13, 14], 'a gap is filled as far as it goes');
    is(of('gap').map(({ from, to }) => [from, to]), [[11, 12]],
       'and the rest of it told');

    socket.says(entry(16));
    socket.refuses('history', 'internal');
    is(seqs().at(-1), 16, 'a hole that cannot be filled ends');
    is(of('gap').length, 2, 'with a gap');
    chat.close();
}

/* resume */

{
    const { chat, seqs, of } = await client({}, 3);

    sockets[0].says(entry(4));
    sockets[0].breaks();

    let socket = await again(1);
    const { epoch, seq } = socket.last('join');

    is([epoch, seq], ['e1', 4], 'a room is resumed from the cursor');

    socket.answers('join', { room: 'r', epoch: 'e1', seq: 7, recovered: true,
                             messages: [entry(5), entry(6)] });

    const sent = chat.send('r', 'new');

    is(socket.count('send'), 0, 'of a long resume the reply is the beginning');
    socket.says(entry(7));
    is(seqs(), [4, 5, 6, 7], 'what was missed comes, the rest of it alive');
    is(socket.count('history'), 0, 'and is not asked for');
    is(socket.count('send'), 1, 'at its end the room is ready');
    socket.answers('send', { room: 'r', seq: 8, ts: 8 });
    await sent;
    socket.says(entry(8));
    is(seqs(), [4, 5, 6, 7, 8], 'and goes on');

    socket.breaks();
    socket = await again(2);
    socket.answers('join', { room: 'r', epoch: 'e1', seq: 20, recovered: false,
                             messages: [entry(19), entry(20)] });
    socket.answers('history', { messages: [entry(18), entry(19), entry(20)] });
    is(seqs().slice(5), [18, 19, 20], 'not recovered: what there is');
    is(of('gap').map(({ from, to }) => [from, to]), [[9, 17]], 'after a gap');

    socket.breaks();
    socket = await again(3);
    socket.answers('join', { room: 'r', epoch: 'e2', seq: 2, recovered: false,
                             messages: [entry(1), entry(2)] });
    is(of('reset').map((e) => e.epoch), ['e2'], 'another epoch is told');
    is(seqs().slice(8), [1, 2], 'and its numbers begin anew');

    socket.breaks();
    socket = await again(4);
    socket.answers('join', { room: 'r', epoch: 'e2', seq: 5, recovered: false,
                             messages: [] });
    socket.answers('history', { messages: [entry(5)] });
    is(seqs().slice(10), [5], 'what no answer brings is asked for');
    is(of('gap').length, 2, 'as far as it goes');

    socket.breaks();
    socket = await again(5);
    socket.refuses('join', 'unavailable', { retry_after: 10 });
    await until(() => socket.count('join') === 2, 'a second join');
    socket.refuses('join', 'forbidden');
    is(of('error').map((e) => e.code), ['forbidden'],
       'a join that is refused for good is told');
    is(chat.rooms, [], 'and ends the membership');
    chat.close();
}

/* nothing of a room before the answer to the join */

{
    const { chat, seqs } = await client();
    const joined = chat.join('s');

    sockets[0].says(entry(5, { room: 's' }));
    sockets[0].answers('join', { room: 's', epoch: 'e', seq: 5,
                                 messages: [entry(4), entry(5)] });
    is((await joined).seq, 5, 'a join resolves with the reply');
    is(seqs(), [4, 5], 'and nothing came before it');
    chat.close();
}

/* the location's own room */

{
    const { chat, of } = await client();

    sockets[0].says({ type: 'joined', room: 'own', epoch: 'x', seq: 1,
                      messages: [entry(1, { room: 'own' })] },
                    entry(2, { room: 'own' }));
    is(of('message').map((e) => [e.room, e.seq]), [['own', 1], ['own', 2]],
       'a room that the server joins is followed too');
    is(chat.rooms, ['r', 'own'], 'and known');
    chat.close();
}

/* the outbox */

{
    const { chat, of } = await client();

    const first = chat.send('r', 'one');
    const second = chat.send('r', { text: 'two', data: [1] });

    is(of('sending').map((e) => e.text), ['one', 'two'], 'sending is told');
    is(sockets[0].last('send').data, [1], 'an object is sent as it is');
    sockets[0].breaks();

    const third = chat.send('r', 'three');
    const socket = await again(1, { user: 'me-again' });
    const nonce = chat.outbox[0].nonce;

    is(chat.outbox.length, 3, 'all wait for a connection');
    is(socket.count('send'), 0, 'nothing is sent before the room is resumed');

    socket.answers('join', { room: 'r', epoch: 'e1', seq: 1, recovered: true,
                             messages: [entry(1, { user: 'me', nonce,
                                                   text: 'one' })] });
    is((await first).seq, 1, 'a missed message of our own acknowledges');
    is(socket.sent.filter((e) => e.type === 'send').map((e) => e.text),
       ['two', 'three'], 'and only the others are sent again, in order');

    socket.says(entry(2, { nonce: chat.outbox[0].nonce, user: 'thief' }));
    is(chat.outbox.length, 2, 'somebody else\'s message acknowledges nothing');

    socket.says({ type: 'ok', id: socket.last('send').id, seq: 4, ts: 9 });
    is((await third).seq, 4, 'an acknowledgement is the reply');

    socket.says({ type: 'error', id: socket.last('send').id - 1,
                  code: 'rejected', message: 'no', retry_after: 7 });

    const error = await second.catch((e) => e);

    is([error.code, error.retry_after, error instanceof Error],
       ['rejected', 7, true], 'a refusal is the rejection, with its fields');
    chat.close();
}

{
    const { chat } = await client();
    const sent = code(chat.send('r', 'poison'));

    for (let i = 0; i < 5; i++) {
        sockets[i].breaks();
        (await again(i + 1)).answers('join', { room: 'r', epoch: 'e1', seq: 0,
                                               recovered: true });
    }

    is(await sent, 'undelivered',
       'a message that goes down with five connections is given up');
    is(sockets[5].count('send'), 0, 'and is not sent a sixth time');
    chat.close();
}

{
    const { chat } = await client({ maxOutbox: 1 });

    is(await code(chat.send('x', 'text')), 'not_joined', 'sent to no room');
    is(await code(chat.send('r', 'x'.repeat(1000))), 'too_large',
       'what the server would refuse is not sent');

    const sent = code(chat.send('r', 'text'));

    is(await code(chat.send('r', 'text')), 'outbox_full', 'one too many');

    const left = code(chat.leave('r'));

    is(await sent, 'not_joined', 'what waits for a room goes with it');
    sockets[0].answers('leave', { room: 'r' });
    is(await left, 'ok', 'leaving is acknowledged');

    const asked = code(chat.request('rooms'));

    chat.close();
    is(await asked, 'disconnected', 'a request ends with its connection');
    is(await code(chat.send('r', 'text')), 'closed', 'the end is the end');
    is(sockets[0].closed, 1000, 'a close is a normal one');
}

/* reconnecting */

{
    const { chat, of } = await client({ minDelay: 1000, maxDelay: 4000 });
    const ceilings = [1000, 2000, 4000, 4000, 4000];

    for (const [i, ceiling] of ceilings.entries()) {
        sockets[i].breaks();
        ok(of('state').at(-1).delay <= ceiling,
           `attempt ${i + 1} is within ${ceiling} ms`);
        chat.connect().catch(() => {});
        await until(() => sockets[i + 1], 'a socket');
    }

    const random = Math.random;

    Math.random = () => 0.999;
    sockets[5].breaks();
    ok(of('state').at(-1).delay > 3900, 'and may be as late as that');
    chat.connect().catch(() => {});
    Math.random = () => 0;
    sockets[6].breaks();
    is(of('state').at(-1).delay, 0, 'or at once: the jitter is full');
    Math.random = random;
    chat.close();
}

{
    const { chat, of } = await client({ minDelay: 5000, maxDelay: 9000 });

    sockets[0].says({ type: 'bye', reason: 'restart', reconnect: 300 });
    chat.send('r', 'late').catch(() => {});
    is(sockets[0].count('send'), 0, 'after "bye" nothing is sent');
    sockets[0].breaks(1012);

    const { delay } = of('state').at(-1);

    ok(delay > 200 && delay <= 300, 'the server says when to come back');
    await again(1);
    sockets[1].answers('join', { room: 'r', epoch: 'e1', seq: 0,
                                 recovered: true });
    is(sockets[1].count('send'), 1, 'and then it is');
    chat.close();
}

for (const [number, name] of [[1008, 'policy'], [4001, 'expired'],
                              [4003, 'banned'], [4008, 'connection_limit']])
{
    const { chat, of } = await client();

    sockets[0].breaks(number);
    is([chat.state, of('state').at(-1).error.code], ['closed', name],
       `close code ${number} is final`);
    await sleep(30);
    is(sockets.length, 1, 'and no attempt follows');
}

{
    const { chat, of } = await client({ maxAttempts: 2 });

    sockets[0].breaks();
    (await until(() => sockets[1], 'a socket')).breaks();

    const waits = code(chat.connect());

    (await until(() => sockets[2], 'a socket')).breaks();
    is(await waits, 'unreachable', 'attempts end where a bound is set');
    is(of('state').at(-1).error.close, 1006, 'with the last close code');
}

{
    sockets = [];

    const chat = new ChatClient('ws://host/',
                                { WebSocket: Socket, connectTimeout: 30,
                                  minDelay: 1, maxDelay: 1 });

    chat.connect().catch(() => {});
    await until(() => sockets.length > 2, 'more attempts');
    is(sockets[0].closed, 4000, 'a server that says nothing is given up');
    chat.close();
}

/* silence */

{
    const { chat, seqs } = await client({ pongTimeout: 100 });
    const started = performance.now();

    sockets[0].welcomes({ ping: 1000 });
    await until(() => sockets[0].count('ping'), 'a ping');
    ok(performance.now() - started >= 990, 'a quiet connection is asked');
    sockets[0].answers('ping', { ts: 1 });
    await until(() => sockets[0].count('ping') === 2, 'a second ping');
    await until(() => sockets[1], 'a socket');
    is(sockets[0].closed, 4000, 'one that does not answer is given up');
    (await again(1)).answers('join', { room: 'r', epoch: 'e1', seq: 0,
                                       recovered: true });
    sockets[0].says(entry(1));
    sockets[0].breaks();
    is([chat.state, seqs()], ['open', []],
       'and whatever comes of it later is not heard');
    chat.close();
}

/* the rest */

{
    let n = 0;
    const urls = ['http://host/a', 'https://host/b'];

    sockets = [];

    const chat = new ChatClient(async () => urls[n++],
                                { WebSocket: Socket, maxDelay: 1 });

    chat.connect().catch(() => {});
    (await until(() => sockets[0], 'a socket')).breaks();
    await until(() => sockets[1], 'a socket');
    is(sockets.map((socket) => socket.url), ['ws://host/a', 'wss://host/b'],
       'a function gives the URL of each attempt');
    chat.close();
}

{
    const { chat, of } = await client();

    sockets[0].says('not JSON');
    is([sockets[0].closed, chat.state], [4000, 'waiting'],
       'who does not speak the protocol is left');
    sockets[0].breaks();
    is(of('state').filter((e) => e.state === 'waiting').length, 1,
       'once');
    chat.close();
}

{
    const { chat, seqs } = await client();
    const faults = [];

    process.on('uncaughtException', (e) => faults.push(e.message));
    chat.on('message', () => { throw new Error('of a listener'); });

    const stop = chat.on('message', () => { faults.push('heard'); });

    stop();
    sockets[0].says(entry(1), entry(2));
    await sleep(10);
    is(seqs(), [1, 2], 'a listener that throws disturbs nobody');
    is(faults, ['of a listener', 'of a listener'], 'but is not hidden');
    chat.close();
}

{
    const chat = new ChatClient('no URL', { WebSocket: Socket });

    is(await code(chat.connect()), 'bad_url', 'a bad URL is told at once');
}

end();
