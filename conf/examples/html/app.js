/*
 * Copyright (C) the chat module's authors
 *
 * The page: who comes in where, what the connection does, and which room or
 * conversation is looked at.  The protocol is spoken by chat.js, room.js knows
 * what rooms look like, log.js and composer.js show one.
 */

import { ChatClient } from './chat.js';
import { ChatRoom, Inbox } from './room.js';
import { Log } from './log.js';
import { Composer } from './composer.js';
import { askPerson, askProfile, askRoom, askSettings, askUser, showMembers }
    from './people.js';
import { $, ask, avatar, button, count, displayName, element, failed, moment,
         paint, reason, toast } from './ui.js';

const PAGE = 50;
const KEEP = 1000;
const JUMP_PAGES = 10;
const NAME_BYTES = 64;          /* of an identity, percent-encoded */

let chat = null;
let inbox = null;
let current = null;             /* the room or conversation that is shown */
let below = 0;                  /* messages that came while scrolled up */
let loading = false;
let countdown = null;
let noticeTimer = null;

const rooms = new Map();

const log = new Log($('log'), act);
const composer = new Composer(() => {
    log.clearUnread();
    toEnd();
});


/* coming and going */

function enter(name, names, shown) {
    chat = new ChatClient(`chat?user=${encodeURIComponent(name)}`);
    inbox = new Inbox(chat, { history: PAGE });

    remember('name', name);
    $('entrance').hidden = true;
    $('chat').hidden = false;

    listen(chat, inbox);
    showMe({ user: encodeURIComponent(name) });
    chat.connect().catch(() => {});     /* "state" tells */

    names.forEach((each) => { openRoom(each).first = true; });
    show(rooms.get(shown) ?? [...rooms.values()][0]);
    inbox.join().catch(() => {});       /* the rooms tell as well */
    $('text').focus();
}


function leave(message) {
    const gone = chat;

    chat = null;
    inbox.close();
    rooms.forEach((room) => room.close());
    rooms.clear();
    gone.close();
    forget('rooms');
    stopCountdown();
    clearTimeout(noticeTimer);
    noticeTimer = null;
    current = null;
    log.show(null);
    composer.show(null, '');
    drawers();

    $('notice').hidden = true;
    $('chat').hidden = true;
    $('entrance').hidden = false;
    $('enter-error').textContent = message ?? '';
    $('room').focus();
    document.title = 'Chat';
}


function listen(client, box) {
    const on = (type, listener) => client.on(type, (event) => {
        if (client === chat) {
            listener(event);
        }
    });

    on('state', showState);
    on('welcome', () => showMe(client));
    on('profile', ({ user }) => {
        if (user === client.user) {
            showMe(client);
        }
    });

    on('error', (event) => {
        if (!event.room) {
            toast(`The server says: ${event.message ?? event.code}`, 'error');
        }
    });

    box.watch(({ what, conversation }) => {
        if (what === 'conversation' && conversation && !conversation.watched) {
            conversation.watched = true;
            conversation.watch((change) => changed(conversation, change));
        }

        showLists();
    });
}


function openRoom(name) {
    const room = new ChatRoom(chat, name, { history: PAGE });

    room.loading = true;
    rooms.get(name)?.close();
    rooms.set(name, room);
    room.watch((change) => changed(room, change));

    room.join().then(() => {
        room.loading = false;
        settled(room);

    }, (error) => refused(room, error));

    rememberRooms();
    showLists();

    return room;
}


function refused(room, error) {
    if (rooms.get(room.name) !== room || error.code === 'closed') {
        return;
    }

    const text = `Joining ${room.name} is not possible: ${reason(error)}.`;

    if (room.first && rooms.size === 1 && inbox.conversations.size === 0) {
        $('room').value = room.name;
        leave(text);
        return;
    }

    room.loading = false;
    room.gone = error;
    room.close();

    if (room !== current) {
        toast(text, 'error');
    }

    showLists();
    redraw(room);
}


function closeRoom(room) {
    rooms.delete(room.name);

    if (!room.gone) {
        room.leave().catch(() => {});
    }

    if (rooms.size === 0 && inbox.conversations.size === 0) {
        leave();
        return;
    }

    rememberRooms();
    show([...rooms.values()][0] ?? [...inbox.conversations.values()][0]);
}


/* what changes in a room or conversation */

function changed(room, change) {
    const { what, message } = change;

    if (what === 'gone') {
        room.gone = change.error;
    }

    if (what !== 'typing' && what !== 'amended') {
        showLists();
    }

    if (room !== current || room.loading) {
        return;                 /* all at once, when it has come */
    }

    switch (what) {

    case 'message':
        received(room, message, change.mine);
        break;

    case 'note':
        grown(() => log.append(message));
        break;

    case 'amended':
        grown(() => log.update(message));
        composer.amended(message);
        break;

    case 'profile':
        log.rename(change.user);
        break;

    case 'pending':
        composer.pending();
        $('empty').hidden = room.messages.length + room.pending.length > 0;
        break;

    case 'reset':
        log.show(room);
        break;
    }

    if (what === 'settings') {
        composer.refresh();
    }

    if (what === 'gone') {
        redraw(room);
    }

    showHead();
    showTyping();
}


function received(room, message, mine) {
    const follows = mine || atEnd();

    composer.pending();

    if (document.hidden && !mine) {
        log.markUnread();
    }

    log.append(message);
    $('empty').hidden = true;

    if (!follows) {
        below++;
        $('newest').hidden = false;
        $('newest').textContent = `${count(below, 'new message')} ↓`;
        return;
    }

    if (room.messages.length > KEEP + PAGE && room.prune(KEEP)) {
        room.more = true;
        log.prune();
        showEarlier();
    }

    toEnd();
}


/* The answer to the join has been handed out: what was there is on screen. */

function settled(room) {
    if (room === current) {
        redraw(room);
    }

    showLists();
}


/* Changes the list; who was at its end stays there. */

function grown(change) {
    const follows = atEnd();

    change();

    if (follows) {
        toEnd();
    }
}


/* what is looked at */

function show(room) {
    current = room;
    setUrl(room);
    remember('room', room.name);
    drawers();
    redraw(room);
    $('text').focus();
}


function redraw(room) {
    if (room !== current) {
        return;
    }

    $('messages').ariaLive = 'off';     /* nobody wants history read out */
    below = 0;
    log.show(room.loading ? null : room);
    composer.show(room, title(room));
    $('empty').hidden = room.loading
                        || room.messages.length + room.pending.length > 0;
    showEarlier();
    showHead();
    showTyping();
    showNotice();
    toEnd();
    $('messages').ariaLive = 'polite';
}


function title(room) {
    return room.peer === undefined ? room.name
           : displayName({ user: room.peer, name: room.title });
}


function showHead() {
    const direct = current.peer !== undefined;

    $('room-name').textContent = title(current);
    $('topic').textContent = direct ? 'Only the two of you read this'
                                    : current.topic;
    $('who').hidden = $('more').hidden = direct;
    document.body.classList.toggle('direct', direct);

    if (!direct) {
        $('who').textContent = count(current.count, 'person', 'people');
        showMembers(current, (user) => person(user));
    }
}


function showTyping() {
    const names = current.typing.map(displayName);

    $('typing').textContent = names.length === 0 ? ''
        : names.length === 1 ? `${names[0]} is typing…`
        : names.length === 2 ? `${names[0]} and ${names[1]} are typing…`
        : 'Several people are typing…';
}


function showMe(me) {
    const name = element('span', 'name', displayName(me));

    name.dir = 'auto';
    $('me').replaceChildren(avatar(me), name);
}


function showLists() {
    if (!chat) {
        return;
    }

    const talks = [...inbox.conversations.values()].sort((a, b) => {
        return b.last - a.last;
    });

    $('rooms').replaceChildren(...[...rooms.values()].map(entryOf));
    $('directs').replaceChildren(...talks.map(entryOf));

    const all = [...rooms.values(), ...talks];
    const unread = all.reduce((sum, room) => sum + unreadOf(room), 0);
    const elsewhere = all.some((room) => room !== current && unreadOf(room));

    $('menu-unread').hidden = !elsewhere;
    document.title = (unread ? `(${unread > 99 ? '99+' : unread}) ` : '')
                     + `${current ? title(current) : ''} · Chat`;
}


function unreadOf(room) {
    return room.loading || room.gone ? 0 : room.unread;
}


function entryOf(room) {
    const item = element('li');
    const node = button('entry', '', () => show(room));
    const name = element('span', 'name', title(room));
    const unread = unreadOf(room);

    name.dir = 'auto';

    if (room.peer === undefined) {
        node.append(element('span', 'hash', '#'));

    } else {
        const peer = { user: room.peer, name: room.title, color: room.color };

        paint(node, room.color);
        node.append(avatar(peer));
    }

    node.append(name);
    node.ariaCurrent = String(room === current);
    node.classList.toggle('gone', Boolean(room.gone));

    if (unread) {
        const badge = element('span', 'badge', unread > 99 ? '99+'
                                               : String(unread));

        badge.ariaLabel = count(unread, 'unread message');
        node.append(badge);
    }

    item.append(node);

    return item;
}


/* what a person wants done */

function act(action, message, detail) {
    const room = current;

    switch (action) {

    case 'react':
        room.react(message.seq, detail).catch(failed('No reaction'));
        break;

    case 'reply':
        composer.reply(message);
        break;

    case 'edit':
        composer.edit(message);
        break;

    case 'delete':
        remove(room, message);
        break;

    case 'jump':
        jump(room, detail);
        break;

    case 'person':
        person(detail);
        break;

    case 'undo':
        chat[message.type === 'banned' ? 'unban' : 'unmute'](room.name,
                                                             message.user)
            .catch(failed('This is refused'));
        break;
    }
}


async function remove(room, message) {
    $('confirm-text').textContent = message.text ?? '';

    if (await ask($('confirm'))) {
        room.delete(message.seq).catch(failed('It was not deleted'));
    }
}


async function person(user) {
    const room = current;

    drawers();

    if (user === chat.user && !room.owns) {
        askProfile(chat);

    } else if (await askPerson(room, user)) {
        write(user, room.members?.get(user));
    }
}


function write(user, known) {
    const conversation = inbox.with(user);

    conversation.title = known?.name ?? conversation.title;
    conversation.color ??= known?.color;
    show(conversation);
}


async function jump(room, seq) {
    for (let i = 0; i < JUMP_PAGES && !room.find(seq) && room.more; i++) {
        if (!await loadEarlier()) {
            return;
        }
    }

    if (room === current && !log.reveal(seq)) {
        toast('This message is no longer there.');
    }
}


/* the list's place */

function showEarlier() {
    $('earlier').hidden = !current.more || Boolean(current.gone);
}


async function loadEarlier() {
    const room = current;
    const scroller = $('scroller');

    if (loading || !room.more || room.gone || room.loading) {
        return false;
    }

    loading = true;

    try {
        const items = await room.earlier(PAGE);

        if (room === current) {
            const height = scroller.scrollHeight - scroller.scrollTop;

            log.prepend(items);
            showEarlier();
            scroller.scrollTop = scroller.scrollHeight - height;
        }

        return true;

    } catch (error) {
        failed('Earlier messages cannot be read')(error);

        return false;

    } finally {
        loading = false;
    }
}


function atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = $('scroller');

    return scrollHeight - scrollTop - clientHeight < 80;
}


function toEnd() {
    $('scroller').scrollTop = $('scroller').scrollHeight;
    below = 0;
    $('newest').hidden = true;
    seen();
}


/* What is on the screen of somebody who looks is read. */

function seen() {
    if (document.hidden || !current || current.loading || !atEnd()) {
        return;
    }

    if (current.peer === undefined) {
        current.markRead();

    } else {
        inbox.markRead(current);
    }
}


/* the connection's state */

function showState(event) {
    const texts = { connecting: 'Connecting', open: 'Connected',
                    waiting: 'Offline', closed: 'Disconnected' };

    $('state').dataset.state = event.state;
    $('state-text').textContent = texts[event.state];
    document.body.dataset.state = event.state;
    stopCountdown();

    switch (event.state) {

    case 'open':
        clearTimeout(noticeTimer);
        noticeTimer = null;
        showNotice();
        break;

    case 'waiting':
        startCountdown(event.delay);

        /* most breaks are over before there is something to read */
        noticeTimer ??= setTimeout(() => {
            notice('No connection to the server.', 'busy', 'Try now');
        }, event.attempt > 1 ? 0 : 800);
        break;

    case 'closed':
        if (event.error.code !== 'closed') {
            clearTimeout(noticeTimer);
            noticeTimer = null;
            notice(`Disconnected: ${reason(event.error)}.`, 'error',
                   'Connect again');
        }

        break;
    }
}


/* what stands above the messages while all is well with the connection */

function showNotice() {
    if (chat.state === 'waiting' || chat.state === 'closed') {
        return;
    }

    if (current?.gone) {
        notice(gone(current.gone), 'error', 'Join again');

    } else {
        $('notice').hidden = true;
    }
}


function gone(error) {
    const { code, message, by, until } = error;

    if (by === undefined) {
        return `You are not in this room: ${reason(error)}.`;
    }

    const who = displayName({ user: by });
    const why = message && message !== code ? `: “${message}”` : '';
    const end = until ? ` until ${moment(until)}` : '';

    return code === 'kicked'
           ? `You were removed from this room by ${who}${why}.`
           : `You are banned from this room by ${who}${end}${why}.`;
}


function notice(text, kind, action) {
    $('notice').dataset.kind = kind;
    $('notice').hidden = false;
    $('notice-text').textContent = text;
    $('retry').textContent = action;
}


function startCountdown(delay) {
    const end = Date.now() + delay;

    const tick = () => {
        const left = Math.ceil((end - Date.now()) / 1000);

        $('countdown').textContent = left > 0 ? `Next attempt in ${left} s.`
                                              : 'Connecting…';
    };

    tick();
    countdown = setInterval(tick, 250);
}


function stopCountdown() {
    clearInterval(countdown);
    $('countdown').textContent = '';
}


function retry() {
    if (chat.state === 'closed') {
        const { name } = remembered();
        const names = [...rooms.keys()];
        const { name: shown } = current;

        leave();
        enter(name, names, shown);

    } else if (current.gone && chat.state === 'open') {
        show(openRoom(current.name));

    } else {
        chat.connect().catch(() => {});
    }
}


/* the drawers of narrow windows */

function drawers(open) {
    for (const [id, control] of [['side', 'menu'], ['people', 'who']]) {
        const shown = open === id && !$(id).classList.contains('open');

        $(id).classList.toggle('open', shown);
        $(control).ariaExpanded = String(shown);

        if (shown) {
            $(id).querySelector('button:not(.narrow)')?.focus();
        }
    }

    $('shade').hidden = !document.querySelector('.side.open, .people.open');
}


function setUrl(room) {
    const url = new URL(location.href);

    if (room.peer === undefined) {
        url.searchParams.set('room', room.name);
        history.replaceState(null, '', url);
    }
}


/* The tab keeps all over a reload; the browser keeps the name for later. */

function remember(key, value) {
    try {
        sessionStorage.setItem(`chat.${key}`, value);
        localStorage.setItem(`chat.${key}`, value);

    } catch {
        /* storage is forbidden: the form asks again */
    }
}


function rememberRooms() {
    remember('rooms', JSON.stringify([...rooms.keys()]));
}


function forget(key) {
    try {
        sessionStorage.removeItem(`chat.${key}`);

    } catch {
        /* nothing was kept */
    }
}


function remembered() {
    try {
        return { name: sessionStorage.getItem('chat.name'),
                 room: sessionStorage.getItem('chat.room'),
                 rooms: JSON.parse(sessionStorage.getItem('chat.rooms')),
                 lastName: localStorage.getItem('chat.name') };

    } catch {
        return {};
    }
}


$('enter').addEventListener('submit', (e) => {
    const name = $('name').value.trim();
    const roomName = $('room').value.trim();

    e.preventDefault();

    if (name === '' || roomName === '') {
        $('enter-error').textContent = 'Please fill in both.';

    } else if (encodeURIComponent(name).length > NAME_BYTES) {
        $('enter-error').textContent = 'This name is too long.';
        $('name').focus();

    } else if (roomName.startsWith('@')) {
        $('enter-error').textContent = 'A room cannot begin with "@".';
        $('room').focus();

    } else {
        $('enter-error').textContent = '';
        enter(name, [roomName], roomName);
    }
});

$('scroller').addEventListener('scroll', () => {
    if (atEnd()) {
        below = 0;
        $('newest').hidden = true;
        seen();
    }

    if ($('scroller').scrollTop < 40) {
        loadEarlier();
    }
}, { passive: true });

$('scroller').addEventListener('keydown', (e) => {
    if (e.key === 'ArrowUp' && e.target === $('scroller') && atEnd()) {
        e.preventDefault();
        log.focus();
    }
});

document.addEventListener('visibilitychange', () => {
    if (!chat) {
        return;
    }

    if (document.hidden) {
        log.clearUnread();

    } else {
        seen();
    }
});

document.addEventListener('keydown', (e) => {
    if (e.key === 'Escape') {
        drawers();
    }
});

$('earlier').addEventListener('click', loadEarlier);
$('newest').addEventListener('click', toEnd);
$('retry').addEventListener('click', retry);
$('leave').addEventListener('click', () => leave());
$('me').addEventListener('click', () => askProfile(chat));
$('menu').addEventListener('click', () => drawers('side'));
$('who').addEventListener('click', () => drawers('people'));
$('people-close').addEventListener('click', () => drawers());
$('shade').addEventListener('click', () => drawers());

$('find').addEventListener('click', async () => {
    const name = await askRoom(chat);

    if (name?.startsWith('@')) {
        toast('A room cannot begin with "@".', 'error');

    } else if (name) {
        show(rooms.get(name) ?? openRoom(name));
    }
});

$('write').addEventListener('click', async () => {
    const user = await askUser();

    if (user) {
        write(user);
    }
});

$('more').addEventListener('click', async () => {
    const room = current;

    if (await askSettings(room)) {
        closeRoom(room);
    }
});


const kept = remembered();
const asked = new URLSearchParams(location.search).get('room');

$('name').value = kept.name ?? kept.lastName ?? '';
$('room').value = asked ?? 'lobby';

if (kept.name && kept.rooms?.length
    && (!asked || kept.rooms.includes(asked)))
{
    enter(kept.name, kept.rooms, kept.room);

} else {
    ($('name').value ? $('room') : $('name')).focus();
}
