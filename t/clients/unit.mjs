/*
 * Copyright (C) the chat module's authors
 *
 * The client module alone, against a server made of a few lines.
 */

import { end, is, ok, sleep, until } from './lib.mjs';
import { again, ChatClient, client, code, entry, reset, Socket, sockets }
    from './fake.mjs';

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

/* each command */

{
    const { chat } = await client();
    const [socket] = sockets;
    const calls = [
        [chat.edit('r', 3, 'new'),
         { type: 'edit', room: 'r', seq: 3, text: 'new' }],
        [chat.edit('r', 3, { data: [1] }),
         { type: 'edit', room: 'r', seq: 3, data: [1] }],
        [chat.delete('r', 3), { type: 'delete', room: 'r', seq: 3 }],
        [chat.react('r', 3, '+1'),
         { type: 'react', room: 'r', seq: 3, emoji: '+1', on: true }],
        [chat.react('r', 3, '+1', false),
         { type: 'react', room: 'r', seq: 3, emoji: '+1', on: false }],
        [chat.typing('r'), { type: 'typing', room: 'r', on: true }],
        [chat.typing('@bob', false), { type: 'typing', to: 'bob', on: false }],
        [chat.read('r', 3), { type: 'read', room: 'r', seq: 3 }],
        [chat.history('r', { before: 9 }),
         { type: 'history', room: 'r', before: 9 }],
        [chat.members('r'), { type: 'members', room: 'r' }],
        [chat.listRooms({ prefix: 'x' }), { type: 'rooms', prefix: 'x' }],
        [chat.kick('r', 'bob', { purge: true, reason: 'x' }),
         { type: 'kick', room: 'r', user: 'bob', purge: true, reason: 'x' }],
        [chat.mute('r', 'bob', { duration: 5 }),
         { type: 'mute', room: 'r', user: 'bob', duration: 5 }],
        [chat.unmute('r', 'bob'), { type: 'unmute', room: 'r', user: 'bob' }],
        [chat.ban('r', 'bob'), { type: 'ban', room: 'r', user: 'bob' }],
        [chat.unban('r', 'bob'), { type: 'unban', room: 'r', user: 'bob' }],
        [chat.grant('r', 'bob', 'moderator'),
         { type: 'grant', room: 'r', user: 'bob', role: 'moderator' }],
        [chat.set('r', { slow: 5000 }),
         { type: 'set', room: 'r', slow: 5000 }],
        [chat.request('auth', { token: 't' }), { type: 'auth', token: 't' }]];

    is(socket.sent.slice(-calls.length).map(({ id, ...rest }) => rest),
       calls.map(([, command]) => command), 'the commands');

    calls.forEach(([, { type }], i) => {
        socket.says({ type: 'ok', id: socket.sent.at(i - calls.length).id, i });
    });

    is((await Promise.all(calls.map(([promise]) => promise))).map((r) => r.i),
       calls.map((call, i) => i), 'each resolves with its reply');
    chat.close();
}

/* the own profile */

{
    const { chat } = await client();

    sockets[0].says({ type: 'profile', room: 'r', user: 'me', name: 'My Self',
                      color: '#112233' },
                    { type: 'profile', room: 'r', user: 'other', name: 'x' });
    is([chat.user, chat.name, chat.color], ['me', 'My Self', '#112233'],
       'a new name, given elsewhere, is known');

    const renamed = chat.profile({ name: 'Me' });

    sockets[0].answers('profile', { name: 'Me', color: '#000001' });
    await renamed;
    is([chat.name, chat.color], ['Me', '#000001'], 'so is one given here');
    chat.close();
}

/* direct messages and the inbox */

{
    const { chat, seen, of } = await client();
    const sent = chat.send('@bob', 'psst');
    const { id, ...command } = sockets[0].last('send');

    is([command.to, command.room, command.text], ['bob', undefined, 'psst'],
       'a direct message needs no room');

    sockets[0].says({ type: 'ok', id, room: '@me', seq: 1, ts: 9 });
    is((await sent).room, '@me', 'and is acknowledged');
    sockets[0].says(entry(1, { room: '@me', to: 'bob' }),
                    entry(1, { room: '@else' }));
    is(of('message').map((e) => e.room), ['@me'],
       'the own inbox needs no join, another\'s is not heard');

    const followed = chat.inbox({ history: 5 });

    is(sockets[0].last('join').room, '@me', 'the inbox can be followed');
    sockets[0].answers('join', { room: '@me', epoch: 'i', seq: 2,
                                 messages: [entry(1, { room: '@me' }),
                                            entry(2, { room: '@me' })] });
    await followed;
    is(chat.rooms, ['r'], 'and is no room among others');

    const second = chat.send('@bob', 'again');

    sockets[0].breaks();

    const socket = await again(1);

    is(socket.sent.filter((e) => e.type === 'join')
             .map(({ room, seq }) => [room, seq]), [['r', 0], ['@me', 2]],
       'it is resumed');
    is(socket.count('send'), 0, 'nothing is sent before it is');
    socket.says({ type: 'ok', id: socket.last('join').id, room: '@me',
                  epoch: 'i', seq: 3, recovered: true,
                  messages: [entry(3, { room: '@me', user: 'me', to: 'bob',
                                        nonce: chat.outbox[0].nonce })] });
    is((await second).seq, 3, 'what is found in it is not sent again');
    is(socket.count('send'), 0, 'indeed');

    socket.breaks();

    const other = await again(2, { user: 'me2', guest: true });

    is(other.last('join'), { type: 'join', id: other.last('join').id,
                             history: 5, room: '@me2' },
       'another identity has another inbox');
    is(of('reset').map((e) => e.room), ['@me'], 'the old one is gone');
    is(seen.filter((e) => e.type === 'error'), [], 'without an error');

    const waiting = code(chat.send('@bob', 'late'));

    chat.close();
    is(await waiting, 'closed', 'a direct message ends with the client');
}

/* the state after a join */

{
    const { chat, seen } = await client();
    const joined = chat.join('s', { presence: true });

    is(sockets[0].last('join').presence, true, 'options go with the join');
    sockets[0].answers('join', { room: 's', epoch: 'e', seq: 1, members: 2,
                                 role: 'owner', presence: [],
                                 messages: [entry(1, { room: 's' })] });
    await joined;

    const last = seen.slice(-2);

    is(last.map((e) => e.type), ['message', 'entered'],
       'the state comes after the messages');
    is([last[1].room, last[1].role, last[1].members, last[1].messages,
        last[1].id], ['s', 'owner', 2, undefined, undefined],
       'it is the reply without them');
    chat.close();
}

/* thrown out */

for (const type of ['kicked', 'banned']) {
    const { chat, of } = await client();
    const waiting = code(chat.send('r', 'too late'));

    sockets[0].says({ type, room: 'r', seq: 1, user: 'bob', by: 'mod' });
    is(chat.rooms, ['r'], `${type}: somebody else`);
    sockets[0].says({ type, room: 'r', seq: 2, user: 'me', by: 'mod',
                      until: 7, reason: 'spam' });
    is(chat.rooms, [], `${type}: the room is left`);
    is(await waiting, type, `${type}: what waited for it ends`);

    const [{ code: why, until: end, message }] = of('error');

    is([why, end, message, of(type).length], [type, 7, 'spam', 2],
       `${type}: it is told with reason and end`);
    sockets[0].breaks();
    is((await again(1)).count('join'), 0, `${type}: and not joined again`);
    chat.close();
}

{
    const { chat } = await client();
    const joined = chat.join('s');

    sockets[0].answers('join', { room: 's', epoch: 'e', seq: 4, messages: [
        { type: 'kicked', room: 's', seq: 3, user: 'me', by: 'mod' },
        entry(4, { room: 's' })] });
    await joined;
    is(chat.rooms, ['r', 's'], 'an old kick in history ends no new stay');
    chat.close();
}

/* rates */

{
    const { chat } = await client({}, 0);

    sockets[0].welcomes({ limits: { rate: 50, burst: 3 } });
    sockets[0].answers('join', { room: 'r', epoch: 'e1', seq: 0 });
    is(chat.hurried, true, 'a join has cost a token');

    for (let i = 0; i < 6; i++) {
        chat.send('r', `${i}`).catch(() => {});
    }

    const texts = () => sockets[0].sent.filter((e) => e.type === 'send')
                                       .map((e) => e.text);

    is(texts(), ['0', '1'], 'no more is sent than the rate lets through');

    const started = performance.now();

    await until(() => texts().length === 6, 'the rest');
    is(texts(), ['0', '1', '2', '3', '4', '5'], 'the rest follows in order');
    ok(performance.now() - started > 60, 'as the tokens come');
    chat.close();
}

{
    const { chat } = await client();
    const sent = chat.send('r', 'x');
    const refused = code(chat.send('r', 'y'));
    const [x, y] = sockets[0].sent.filter((e) => e.type === 'send');
    const refuse = (id) => sockets[0].says({ type: 'error', id,
                                             code: 'rate_limited',
                                             retry_after: 5 });

    refuse(x.id);
    await until(() => sockets[0].count('send') === 3, 'a second attempt');
    is(sockets[0].last('send').nonce, x.nonce,
       'what was over the rate is sent again');
    sockets[0].answers('send', { room: 'r', seq: 1, ts: 1 });
    await sent;

    for (let n = 4; n < 8; n++) {
        refuse(n === 4 ? y.id : sockets[0].last('send').id);
        await until(() => sockets[0].count('send') === n, 'an attempt');
    }

    refuse(sockets[0].last('send').id);
    is(await refused, 'rate_limited', 'five times');

    const joined = chat.join('s');

    sockets[0].refuses('join', 'rate_limited', { retry_after: 5 });
    await until(() => sockets[0].count('join') === 3, 'a second join');
    sockets[0].answers('join', { room: 's', epoch: 'e', seq: 0 });
    is((await joined).room, 's', 'a join is tried again too');
    chat.close();
}

{
    const { chat, seqs, of } = await client();

    sockets[0].says(entry(3));
    sockets[0].refuses('history', 'rate_limited', { retry_after: 5 });
    await until(() => sockets[0].count('history') === 2, 'a second question');
    sockets[0].answers('history', { messages: [entry(1), entry(2)] });
    is([seqs(), of('gap')], [[1, 2, 3], []],
       'a hole is not given up for a rate');
    chat.close();
}

/* a token that has expired */

{
    let n = 0;

    reset();

    const chat = new ChatClient(() => `ws://host/?token=${++n}`,
                                { WebSocket: Socket, minDelay: 1,
                                  maxDelay: 1 });

    chat.connect().catch(() => {});
    (await until(() => sockets[0], 'a socket')).breaks(4001);
    is((await until(() => sockets[1], 'a socket')).url, 'ws://host/?token=2',
       'a function may have a new token after 4001');
    chat.close();
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
    reset();

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

    reset();

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
