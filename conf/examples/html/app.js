/*
 * Copyright (C) the chat module's authors
 *
 * The page: who comes in where, what the connection does, and the message
 * field.  Messages are shown by log.js, the protocol is spoken by chat.js.
 */

import { ChatClient } from './chat.js';
import { Log, element, messageItem } from './log.js';

const $ = (id) => document.getElementById(id);

const PAGE = 50;
const NAME_BYTES = 64;          /* of an identity, percent-encoded */

const REASONS = {
    rate_limited: 'too many messages at once',
    too_large: 'the message is too long',
    rejected: 'the text was refused',
    zone_full: 'the server has no memory left',
    unavailable: 'the server cannot take it now',
    outbox_full: 'too many messages wait already',
    undelivered: 'the connection broke again and again',
    forbidden: 'this is not allowed',
    room_limit: 'too many rooms',
    room_full: 'the room is full',
    no_such_room: 'there is no such room',
    policy: 'the server closed the connection',
    connection_limit: 'too many connections',
    banned: 'you are banned'
};

const bytes = (text) => new TextEncoder().encode(text).length;

let chat = null;
let room = null;
let unread = 0;
let below = 0;                  /* messages that came while scrolled up */
let loading = false;
let countdown = null;
let noticeTimer = null;

const log = new Log($('log'), (message) => chat.isMine(message));


/* coming and going */

function enter(name, roomName) {
    room = roomName;
    chat = new ChatClient(`chat?user=${encodeURIComponent(name)}`);

    remember('name', name);
    remember('room', room);
    setUrl(room);

    $('room-name').textContent = room;
    $('who').textContent = `You are ${name}`;
    $('text-label').textContent = `Message ${room}`;
    $('entrance').hidden = true;
    $('chat').hidden = false;
    $('text').focus();
    $('messages').ariaLive = 'off';     /* nobody wants history read out */
    setTitle();

    listen(chat);
    chat.connect().catch(() => {});     /* "state" tells */

    chat.join(room, { history: PAGE }).then(settled, (error) => {
        if (error.code !== 'closed' && chat?.state !== 'closed') {
            back(`Joining is not possible: ${reason(error)}.`);
        }
    });
}


function back(message) {
    const gone = chat;

    chat = null;
    gone.close();
    forget('room');
    stopCountdown();
    log.clear();
    unread = below = 0;

    $('outbox').replaceChildren();
    $('notice').hidden = true;
    $('empty').hidden = true;
    $('earlier').hidden = true;
    $('newest').hidden = true;
    $('text').value = '';
    edited();
    $('chat').hidden = true;
    $('entrance').hidden = false;
    $('enter-error').textContent = message ?? '';
    $('room').value = room;
    $('room').focus();
    document.title = 'Chat';
}


function listen(client) {
    const on = (type, listener) => client.on(type, (event) => {
        if (client === chat) {
            listener(event);
        }
    });

    on('state', showState);
    on('message', received);
    on('sending', showPending);

    on('gap', ({ from, to }) => {
        const n = to - from + 1;

        log.note(n === 1 ? 'One message could not be recovered.'
                         : `${n} messages could not be recovered.`);
    });

    on('reset', () => {
        log.clear();
        log.note('The server has started a new history of this room.');
    });

    on('error', (event) => {
        if (event.room === room) {
            back(`You are no longer in the room: ${reason(event)}.`);

        } else {
            hint(`The server says: ${event.message ?? event.code}`, 'error');
        }
    });
}


/* the connection's state */

function showState(event) {
    const texts = { connecting: 'Connecting', open: 'Connected',
                    waiting: 'Offline', closed: 'Disconnected' };

    $('state').dataset.state = event.state;
    $('state-text').textContent = texts[event.state];
    stopCountdown();

    switch (event.state) {

    case 'open':
        clearTimeout(noticeTimer);
        noticeTimer = null;
        $('notice').hidden = true;
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

        log.clear();
        $('outbox').replaceChildren();
        $('notice').hidden = true;
        enter(name, room);
        return;
    }

    chat.connect().catch(() => {});
}


/* messages */

function received(message) {
    const mine = chat.isMine(message);
    const follows = mine || atEnd();

    if (message.nonce && mine) {
        pendingItem(message.nonce)?.remove();
    }

    if (document.hidden && !mine) {
        log.markUnread();
        unread++;
        setTitle();
    }

    log.append(message);
    $('empty').hidden = true;

    if (follows) {
        if (log.prune()) {
            showEarlier();
        }

        toEnd();

    } else {
        below++;
        $('newest').hidden = false;
        $('newest').textContent = below === 1 ? '1 new message ↓'
                                              : `${below} new messages ↓`;
    }
}


/* The answer to the join has been handed out: what was there is on screen. */

function settled() {
    $('empty').hidden = log.size > 0;
    $('messages').ariaLive = 'polite';
    showEarlier();
    toEnd();
}


function showEarlier() {
    $('earlier').hidden = !(log.first > 1);
}


async function loadEarlier() {
    if (loading || $('earlier').hidden) {
        return;
    }

    const scroller = $('scroller');
    const client = chat;

    loading = true;

    try {
        const { messages, more } = await client.history(room, {
            before: log.first, limit: PAGE });

        if (client === chat) {
            const height = scroller.scrollHeight - scroller.scrollTop;

            log.prepend(messages.filter((entry) => {
                return (entry.type ?? 'message') === 'message';
            }));

            $('earlier').hidden = !more;
            scroller.scrollTop = scroller.scrollHeight - height;
        }

    } catch (error) {
        hint(`Earlier messages cannot be read: ${reason(error)}.`, 'error');

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
}


/* own messages on their way */

function pendingItem(nonce) {
    return [...$('outbox').children].find((item) => {
        return item.dataset.nonce === nonce;
    });
}


function showPending(message) {
    const item = messageItem(message, true);

    item.classList.add('pending', 'follow');
    item.classList.toggle('apart', !$('outbox').firstChild && !log.endsMine);
    item.dataset.nonce = message.nonce;
    item.querySelector('.body').append(element('span', 'aside', 'Sending…'));

    $('outbox').append(item);
    $('empty').hidden = true;
    toEnd();
}


function showFailure(item, text, error) {
    const failure = element('p', 'failure');
    const again = element('button', '', 'Try again');
    const discard = element('button', '', 'Discard');

    again.type = discard.type = 'button';
    again.addEventListener('click', () => { item.remove(); post(text); });
    discard.addEventListener('click', () => item.remove());

    failure.setAttribute('role', 'alert');
    failure.append(element('span', '', `Not sent: ${reason(error)}.`),
                   again, discard);

    item.classList.replace('pending', 'failed');
    item.querySelector('.aside').remove();
    item.append(failure);
    toEnd();
}


function post(text) {
    let nonce;
    const stop = chat.on('sending', (message) => { nonce = message.nonce; });
    const sent = chat.send(room, text);

    stop();

    sent.catch((error) => {
        const item = pendingItem(nonce);

        if (item) {
            showFailure(item, text, error);

        } else {
            hint(`Not sent: ${reason(error)}.`, 'error');
        }
    });

    return nonce !== undefined;
}


/* the message field */

function submit() {
    const field = $('text');
    const text = field.value.trim();

    if (text === '') {
        return;
    }

    log.clearUnread();

    if (post(text)) {
        field.value = '';
        edited();
    }

    field.focus();
}


function edited() {
    const field = $('text');
    const limit = (chat?.limits.message_size ?? Infinity) - 200;
    const size = bytes(field.value);

    $('text-label').classList.toggle('unseen', field.value !== '');

    field.style.height = 'auto';
    field.style.height = `${field.scrollHeight + 2}px`;

    if (size > limit) {
        hint(`Too long by ${size - limit} bytes.`, 'error');

    } else if (size > limit * 0.8) {
        hint(`${limit - size} bytes left.`);

    } else {
        hint('');
    }
}


function hint(text, kind = '') {
    $('hint').textContent = text;
    $('hint').dataset.kind = kind;
}


/* around it */

function reason(error) {
    if (error.code === 'rate_limited' && error.retry_after) {
        return `too many messages, try again in `
               + `${Math.ceil(error.retry_after / 1000)} s`;
    }

    return REASONS[error.code] ?? error.message ?? error.code;
}


function setTitle() {
    document.title = (unread ? `(${unread}) ` : '') + `${room} · Chat`;
}


function setUrl(name) {
    const url = new URL(location.href);

    url.searchParams.set('room', name);
    history.replaceState(null, '', url);
}


/* The tab keeps both over a reload; the browser keeps the name for later. */

function remember(key, value) {
    try {
        sessionStorage.setItem(`chat.${key}`, value);
        localStorage.setItem(`chat.${key}`, value);

    } catch {
        /* storage is forbidden: the form asks again */
    }
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
        enter(name, roomName);
    }
});

$('compose').addEventListener('submit', (e) => {
    e.preventDefault();
    submit();
});

$('text').addEventListener('keydown', (e) => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
        e.preventDefault();
        submit();
    }
});

$('scroller').addEventListener('scroll', () => {
    if (atEnd()) {
        below = 0;
        $('newest').hidden = true;
    }

    if ($('scroller').scrollTop < 40) {
        loadEarlier();
    }
}, { passive: true });

document.addEventListener('visibilitychange', () => {
    if (!document.hidden && chat) {
        unread = 0;
        setTitle();

    } else if (chat) {
        log.clearUnread();
    }
});

$('text').addEventListener('input', edited);
$('earlier').addEventListener('click', loadEarlier);
$('newest').addEventListener('click', toEnd);
$('retry').addEventListener('click', retry);
$('leave').addEventListener('click', () => back());


const kept = remembered();
const asked = new URLSearchParams(location.search).get('room');

$('name').value = kept.name ?? kept.lastName ?? '';
$('room').value = asked ?? kept.room ?? 'lobby';

if (kept.name && kept.room && (asked ?? kept.room) === kept.room) {
    enter(kept.name, kept.room);

} else {
    ($('name').value ? $('room') : $('name')).focus();
}
