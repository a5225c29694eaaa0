/*
 * Copyright (C) the chat module's authors
 *
 * What room.js makes of the events: people, messages with what was edited,
 * deleted and reacted, typing, unread messages, conversations.
 */

import { end, importClient, is, ok, sleep, until } from './lib.mjs';
import { again, client, code, entry, sockets } from './fake.mjs';

const { ChatRoom, Inbox } = await importClient('room');

const person = (user, fields) => ({ user, name: user.toUpperCase(),
                                    color: '#123456', role: 'member',
                                    since: 1, ...fields });
const people = (...users) => users.map((user) => person(user));
const named = (user) => person(user);


/* A room "s" that has been joined, with what the reply says. */

async function room(reply = {}) {
    const { chat } = await client();
    const s = new ChatRoom(chat, 's', { history: 10 });
    const changes = [];

    s.watch((change) => changes.push(change.what));

    const joined = s.join();

    sockets[0].answers('join', { room: 's', epoch: 'e', seq: 0, members: 1,
                                 messages: [], topic: '', role: 'member',
                                 presence: [person('me')], ...reply });
    await joined;

    const says = (type, fields) => {
        sockets[0].says({ type, room: 's', ts: 100, ...fields });
    };

    return { chat, s, says, changes,
             texts: () => s.messages.map(({ text }) => text) };
}


/* people */

{
    const { chat, s, says, changes } = await room({ members: 3, topic: 'T',
        role: 'moderator', presence: [person('me', { role: 'moderator' }),
                                      person('zoe', { role: 'owner' })] });
    const users = () => s.people.map(({ user }) => user);

    is(sockets[0].last('join').presence, true, 'people are asked for');
    is([s.topic, s.role, s.count, s.joined], ['T', 'moderator', 3, true],
       'the reply is the state');
    is(users(), ['zoe', 'me'], 'people come in the order of their roles');

    says('joined', person('bob', { members: 4, role: undefined }));
    is([users(), s.count], [['zoe', 'me', 'bob'], 4], 'somebody came');
    is(changes.at(-1), 'members', 'which is told');
    says('profile', { user: 'bob', name: 'Adam', color: '#000000' });
    is([s.people[2].name, s.people[2].color], ['Adam', '#000000'],
       'has another name and color');
    says('granted', { user: 'bob', role: 'owner' });
    is(users(), ['bob', 'zoe', 'me'], 'has another role');
    says('members', { members: 900 });
    is(s.count, 900, 'many are only counted');
    says('left', { user: 'bob', members: 3 });
    is([users(), s.count], [['zoe', 'me'], 3], 'somebody went');

    const eve = person('eve');

    says('joined', { ...eve, members: 4 });
    is([s.mayActOn(s.members.get('eve')), s.mayActOn(s.members.get('zoe')),
        s.mayActOn(s.members.get('me'))], [true, false, false],
       'moderators act on members only');
    says('granted', { user: 'me', role: 'owner' });
    is([s.owns, s.mayActOn(s.members.get('zoe'))], [true, true],
       'owners on each other too');
    says('banned', { seq: 1, user: 'eve', by: 'zoe' });
    is([users(), s.count], [['me', 'zoe'], 3], 'who is banned is gone');

    sockets[0].breaks();
    is(s.joined, false, 'a lost connection is no presence');

    const socket = await again(1);

    is(socket.last('join').presence, true, 'people are asked for again');
    socket.answers('join', { room: 's', epoch: 'e', seq: 1, recovered: true,
                             members: 1, role: 'member', messages: [],
                             presence: people('me') });
    is([users(), s.count, s.role, s.joined], [['me'], 1, 'member', true],
       'the next reply replaces all');
    chat.close();
}

/* people of whom nobody was told */

{
    const { chat, s, says } = await room({ seq: 5, messages: [
        entry(5, { room: 's' })] });
    const [socket] = sockets;
    const users = () => s.people.map(({ user }) => user);
    const asked = (n) => until(() => socket.count('members') === n,
                               `people are asked for, time ${n}`);

    says('joined', person('zombie', { members: 2 }));
    says('members', { members: 2, lost: true });
    says('members', { members: 2, lost: true });
    says('joined', person('amy', { members: 2 }));
    await asked(1);
    is(socket.last('members').room, 's', 'whoever was lost is asked for');
    socket.answers('members', { room: 's', members: 3,
                                presence: people('me', 'amy', 'ben') });
    is([users(), s.count], [['amy', 'ben', 'me'], 3], 'the list is right');
    says('left', { user: 'amy', members: 2 });
    is([users(), s.count], [['ben', 'me'], 2], 'and goes on from there');

    says('members', { members: 300 });
    says('members', { members: 2 });
    says('joined', person('cat', { members: 3 }));
    await asked(2);
    socket.refuses('members', 'rate_limited', { retry_after: 10 });
    await asked(3);
    socket.answers('members', { room: 's', members: 2,
                                presence: people('me', 'cat') });
    is(users(), ['cat', 'me'], 'those whom a crowd has hidden are asked for');

    says('gap', { from: 6, to: 9 });
    says('joined', person('dan', { members: 3 }));
    socket.answers('history', { messages: [
        { type: 'kicked', room: 's', seq: 8, ts: 8, user: 'dan', by: 'me' },
        entry(9, { room: 's' })] });
    is(users(), ['cat', 'me'], 'who was kicked in a gap');
    await asked(4);
    socket.answers('members', { room: 's', members: 3,
                                presence: people('me', 'cat', 'dan') });
    is(users(), ['cat', 'dan', 'me'], 'and has come back, is there');

    for (let n = 0; n < 20; n++) {
        says('members', { members: 3, lost: true });
    }

    await sleep(1100);
    is(socket.count('members'), 5, 'all that was lost is asked for at once');
    chat.close();
}

/* an old kick is about an earlier stay */

{
    const { chat, s, says } = await room({ seq: 9, recovered: true,
        messages: [entry(1, { room: 's' })], presence: people('me', 'dan') });

    says('kicked', { seq: 2, user: 'dan', by: 'mod' });
    is(s.members.has('dan'), true, 'who was kicked before the join is there');
    says('kicked', { seq: 3, user: 'eve', by: 'mod' });
    for (let seq = 4; seq < 10; seq++) {
        says('message', { seq, user: 'other', text: 'm' });
    }
    says('kicked', { seq: 10, user: 'dan', by: 'mod' });
    is(s.members.has('dan'), false, 'who is kicked later is not');
    chat.close();
}

/* messages */

{
    const { chat, s, says, texts } = await room({ seq: 3, messages: [
        entry(2, { room: 's', edited: 50, text: 'as it is' }),
        entry(3, { room: 's', text: undefined, deleted: 60 })] });

    is([texts(), s.more], [['as it is', undefined], true], 'from the reply');

    says('edited', { seq: 4, target: 2, text: 'older', user: 'other', ts: 40 });
    is(texts()[0], 'as it is', 'an edit that is in it is not undone');
    says('edited', { seq: 5, target: 2, text: 'newer', user: 'other' });
    is([texts()[0], s.find(2).edited], ['newer', 100], 'a newer one applies');
    says('edited', { seq: 6, target: 2, data: { x: 1 }, user: 'other' });
    is([texts()[0], s.find(2).data], [undefined, { x: 1 }],
       'text and data are replaced together');
    says('reacted', { target: 2, user: 'a', emoji: '+1', on: true });
    says('reacted', { target: 2, user: 'b', emoji: '+1', on: true });
    says('reacted', { target: 2, user: 'a', emoji: '+1', on: false });
    is([...s.find(2).reactions].map(([emoji, users]) => [emoji, [...users]]),
       [['+1', ['b']]], 'reactions are counted by user');
    says('reacted', { target: 2, user: 'b', emoji: '+1', on: false });
    is(s.find(2).reactions.size, 0, 'the last one goes');

    const reacted = s.react(2, '+1');

    is(sockets[0].last('react').on, true, 'a reaction is added');
    sockets[0].answers('react');
    await reacted;
    says('reacted', { target: 2, user: 'me', emoji: '+1', on: true });
    s.react(2, '+1').catch(() => {});
    is(sockets[0].last('react').on, false, 'the same again takes it back');

    says('deleted', { seq: 7, target: 2, user: 'mod' });
    is([s.find(2).data, s.find(2).deleted, s.find(2).deletedBy,
        s.find(2).reactions], [undefined, 100, 'mod', undefined],
       'nothing is left of what was deleted');
    says('edited', { seq: 8, target: 2, text: 'zombie', user: 'other' });
    is(texts()[0], undefined, 'nor does it come back');

    says('message', { seq: 9, user: 'eve', text: 'spam' });
    says('message', { seq: 10, user: 'me', text: 'mine' });
    is([s.mayEdit(s.find(9)), s.mayEdit(s.find(10)), s.mayDelete(s.find(9)),
        s.mayDelete(s.find(10))], [false, true, false, true],
       'members may change what is theirs');
    s.role = 'moderator';
    is([s.mayEdit(s.find(9)), s.mayDelete(s.find(9)), s.mayDelete(s.find(2))],
       [false, true, false], 'moderators may delete the others\' too');
    says('kicked', { seq: 11, user: 'eve', by: 'mod', purge: true });
    says('message', { seq: 12, user: 'eve', text: 'back' });
    is(s.messages.filter(({ user }) => user === 'eve')
                 .map(({ type, text }) => [type, text]),
       [['message', undefined], ['kicked', undefined], ['message', 'back']],
       'a purge takes all that was said before it');
    chat.close();
}

/* earlier messages */

{
    const { chat, s, says, texts } = await room({ seq: 6, messages: [
        entry(5, { room: 's' }), entry(6, { room: 's' })] });
    const asked = s.earlier(3);
    const { before, limit } = sockets[0].last('history');

    is([before, limit], [5, 3], 'history is read from the first one on');
    says('edited', { seq: 7, target: 3, text: 'edited meanwhile' });
    sockets[0].answers('history', { more: true, messages: [
        entry(2, { room: 's' }), entry(3, { room: 's' }),
        { type: 'edited', room: 's', seq: 4, target: 2, text: 'old' }] });
    is((await asked).map(({ seq }) => seq), [2, 3], 'what was read');
    is(texts(), ['m2', 'edited meanwhile', 'm5', 'm6'],
       'with what has happened to it meanwhile');

    const last = s.earlier(3);

    is(sockets[0].last('history').before, 2, 'and on');
    sockets[0].answers('history', { more: false,
                                    messages: [entry(1, { room: 's' })] });
    await last;
    is([s.more, await s.earlier(3), sockets[0].count('history')],
       [false, [], 2], 'to the beginning');
    is([s.prune(2), texts(), s.find(2)], [true, ['m5', 'm6'], undefined],
       'and what is old can be dropped');

    sockets[0].breaks();
    (await again(1)).answers('join', { room: 's', epoch: 'e9', seq: 0,
                                       recovered: false, messages: [] });
    is(texts(), [], 'another epoch begins with nothing');
    chat.close();
}

/* messages on their way */

{
    const { chat, s, says } = await room();
    const sent = s.send({ text: 'hi', reply_to: 4 });

    is(s.pending.map(({ text, error }) => [text, error]), [['hi', null]],
       'a message waits');

    const { nonce } = s.pending[0];

    says('message', { seq: 1, user: 'other', nonce, text: 'hi' });
    is(s.pending.length, 1, 'somebody else\'s is another');
    says('message', { seq: 2, user: 'me', nonce, text: 'hi', reply_to: 4 });
    is([s.pending, s.messages.length], [[], 2], 'until it comes');
    await sent;

    const failed = code(s.send('bad'));

    sockets[0].refuses('send', 'rejected');
    is(await failed, 'rejected', 'a refusal is the sender\'s');
    is(s.pending.map(({ error }) => error.code), ['rejected'], 'and stays');

    const [item] = s.pending;
    const second = code(s.retry(item));

    is([sockets[0].last('send').text, s.pending.length], ['bad', 1],
       'it can be sent again');
    ok(sockets[0].last('send').nonce !== item.nonce, 'as another message');
    sockets[0].refuses('send', 'rejected');
    await second;
    s.discard(s.pending[0]);
    is(s.pending, [], 'or be given up');
    chat.close();
}

/* what the room forbids now */

{
    const { chat, s, says } = await room();

    says('room', { seq: 1, slow: 5000, topic: 'new', user: 'mod' });
    is([s.slow, s.topic, s.locked, s.wait], [5000, 'new', false, 0],
       'settings change');

    const sent = s.send('one');

    sockets[0].answers('send', { room: 's', seq: 2, ts: 1 });
    says('message', { seq: 2, user: 'me', text: 'one' });
    await sent;
    ok(s.wait > 4500 && s.wait <= 5000, 'after a message one has to wait');
    says('room', { seq: 3, slow: 0, user: 'mod' });
    is(s.wait, 0, 'until slow mode ends');

    const refused = code(s.send('two'));

    sockets[0].refuses('send', 'slow_mode', { retry_after: 3000 });
    await refused;
    ok(s.wait > 2500 && s.wait <= 3000, 'or as long as a refusal says');

    const locked = code(s.send('three'));

    sockets[0].refuses('send', 'locked');
    await locked;
    is(s.locked, true, 'a refusal tells of a lock');
    says('room', { seq: 4, locked: false, user: 'mod' });
    is(s.locked, false, 'an event of its end');

    says('muted', { seq: 5, user: 'me', until: Date.now() + 60000 });
    is(s.silent, true, 'muted');
    says('unmuted', { seq: 6, user: 'me' });
    is(s.silent, false, 'unmuted');
    says('muted', { seq: 7, user: 'me', until: null });
    is(s.silent, true, 'muted without an end');
    says('muted', { seq: 8, user: 'me', until: Date.now() - 1 });
    is(s.silent, false, 'muted for a time that is over');
    chat.close();
}

/* typing */

{
    const { chat, s, says } = await room({ presence: [person('me'),
                                                      person('bob')] });

    says('typing', { user: 'bob', on: true });
    says('typing', { user: 'me', on: true });
    is(s.typing.map(({ name }) => name), ['BOB'], 'the others are typing');
    says('message', { seq: 1, user: 'bob', text: 'x' });
    is(s.typing, [], 'until they have said it');
    says('typing', { user: 'bob', on: true });
    says('typing', { user: 'bob', on: false });
    is(s.typing, [], 'or not');

    s.setTyping(true);
    s.setTyping(true);
    is(sockets[0].count('typing'), 1, 'typing is told once');
    s.setTyping(false);
    s.setTyping(false);
    is([sockets[0].count('typing'), sockets[0].last('typing').on], [2, false],
       'its end too');
    s.setTyping(true);
    s.send('done').catch(() => {});
    s.setTyping(false);
    is(sockets[0].count('typing'), 3, 'a message says by itself that it ends');
    chat.close();
}

/* unread */

{
    const { chat, s, says, changes } = await room({ seq: 40, read: 8,
        unread: 32, messages: [entry(39, { room: 's' }),
                               entry(40, { room: 's' })] });

    is([s.unread, s.readTo], [32, 8], 'the server counts what is unread');
    says('message', { seq: 41, user: 'bob', text: 'x' });
    says('message', { seq: 42, user: 'bob', text: 'y' });
    is(s.unread, 34, 'and here what comes');
    s.markRead();
    s.markRead();
    is([s.unread, changes.at(-1)], [0, 'unread'], 'all is read');
    await until(() => sockets[0].count('read'), 'the marker');
    is([sockets[0].last('read').seq, sockets[0].count('read')], [42, 1],
       'the server is told once');
    says('message', { seq: 43, user: 'bob', text: 'z' });
    says('message', { seq: 44, user: 'bob', text: 'z' });
    says('read', { user: 'me', seq: 43 });
    is(s.unread, 1, 'what another connection has read is read');
    says('read', { user: 'bob', seq: 44 });
    is([s.unread, s.markers.get('bob')], [1, 44], 'others read for themselves');
    says('message', { seq: 45, user: 'me', text: 'mine' });
    is(s.unread, 0, 'who answers has read');

    sockets[0].breaks();

    const socket = await again(1);

    socket.answers('join', { room: 's', epoch: 'e', seq: 47, read: 45,
                             recovered: true, unread: 2,
                             messages: [entry(46, { room: 's' })] });
    is(s.unread, 2, 'after a reconnect the server has counted');
    socket.says(entry(47, { room: 's' }));
    is(s.unread, 2, 'also what follows of a long resume');
    socket.says(entry(48, { room: 's' }));
    is(s.unread, 3, 'but not what is new');
    chat.close();
}

/* the end */

{
    const { chat, s, says, changes } = await room();

    says('banned', { seq: 1, user: 'me', by: 'mod', until: 9, reason: 'x' });
    is([changes.at(-1), s.joined], ['gone', false], 'who is banned is out');
    is(s.messages.at(-1).type, 'banned', 'and sees why');

    const n = changes.length;

    says('message', { seq: 2, user: 'bob', text: 'x' });
    is(changes.length, n, 'it is all that is heard');
    chat.close();
}

/* conversations */

{
    const { chat } = await client();
    const inbox = new Inbox(chat, { history: 20 });
    const joined = inbox.join();
    const direct = (seq, user, to, fields) => entry(seq, { room: '@me', user,
                                                           to, ...fields });

    sockets[0].answers('join', { room: '@me', epoch: 'i', seq: 4, read: 2,
                                 messages: [direct(1, 'bob', 'me'),
                                            direct(2, 'me', 'bob'),
                                            direct(3, 'eve', 'me'),
                                            direct(4, 'bob', 'me')] });
    await joined;

    const seen = () => [...inbox.conversations.values()].map((c) => {
        return [c.peer, c.unread, c.messages.map(({ seq }) => seq)];
    });

    is(seen(), [['bob', 1, [1, 2, 4]], ['eve', 1, [3]]],
       'messages are sorted by whom they are exchanged with');
    inbox.markRead(inbox.with('bob'));
    is(seen()[0][1], 0, 'one of them is read');
    sockets[0].says(direct(5, 'bob', 'me'), direct(6, 'me', 'me'));
    is(seen(), [['bob', 1, [1, 2, 4, 5]], ['eve', 1, [3]], ['me', 0, [6]]],
       'more comes, some of it from oneself');
    inbox.markRead(inbox.with('eve'));
    await until(() => sockets[0].count('read'), 'the marker');
    is([sockets[0].last('read').room, sockets[0].last('read').seq], ['@me', 4],
       'the marker stands before what is unread');
    sockets[0].says({ type: 'read', room: '@me', user: 'me', seq: 6 });
    is(seen().map(([, unread]) => unread), [0, 0, 0], 'read elsewhere');

    const bob = inbox.with('bob');
    const sent = bob.send('psst');

    is([sockets[0].last('send').to, bob.pending.length], ['bob', 1],
       'an answer');
    sockets[0].says(direct(7, 'me', 'bob', { nonce: bob.pending[0].nonce }));
    is([(await sent).seq, bob.pending.length], [7, 0], 'arrives');
    sockets[0].says({ type: 'typing', to: 'me', user: 'bob', on: true });
    is(bob.typing.length, 1, 'typing too');

    bob.edit(7, 'hush').catch(() => {});
    is([sockets[0].last('edit').room, sockets[0].last('edit').seq],
       ['@me', 7], 'an own message can be edited');
    sockets[0].says({ type: 'edited', room: '@me', seq: 8, target: 7,
                      user: 'me', ts: 9, text: 'hush' },
                    { type: 'deleted', room: '@me', seq: 9, target: 5,
                      user: 'bob', ts: 9 });
    is([bob.find(7).text, bob.find(5).text, bob.mayEdit(bob.find(7)),
        bob.mayEdit(bob.find(4))], ['hush', undefined, true, false],
       'and is, as the other\'s are');
    chat.close();
}

end();
