/*
 * Copyright (C) the chat module's authors
 *
 * What all parts of the page use: elements, names and colors of people, times,
 * errors in words, dialogs.
 */

export const $ = (id) => document.getElementById(id);

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit',
                                                   minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full',
                                                  timeStyle: 'medium' });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium',
                                                   timeStyle: 'short' });

const REASONS = {
    rate_limited: 'too many messages, wait a moment',
    too_large: 'the message is too long',
    rejected: 'the server refuses this text',
    zone_full: 'the server has no memory left',
    unavailable: 'the server cannot do it now',
    outbox_full: 'too many messages wait already',
    undelivered: 'the connection broke again and again',
    forbidden: 'you are not allowed to do this',
    room_limit: 'you are in too many rooms',
    room_full: 'the room is full',
    not_joined: 'you are not in this room',
    no_such_room: 'there is no such room',
    no_such_user: 'nobody has been here under this name',
    no_such_message: 'the message is no longer there',
    policy: 'the server closed the connection',
    connection_limit: 'there are too many connections',
    slow_mode: 'slow mode is on, wait a moment',
    locked: 'the room is locked',
    muted: 'you are muted',
    banned: 'you are banned',
    kicked: 'you were removed',
    expired: 'your session has expired',
    unauthorized: 'the server does not know you',
    disconnected: 'the connection was lost',
    timeout: 'the server did not answer'
};


export function element(tag, className, text) {
    const node = document.createElement(tag);

    if (className) {
        node.className = className;
    }

    if (text !== undefined) {
        node.textContent = text;
    }

    return node;
}


export function button(className, text, action) {
    const node = element('button', className, text);

    node.type = 'button';
    node.addEventListener('click', action);

    return node;
}


/*
 * nginx passes an argument of the URL on as it stands there, so the identity
 * is a percent-encoded name; a name that was chosen is not.
 */

export function displayName({ user = '', name = user }) {
    if (name !== user) {
        return name;
    }

    try {
        return decodeURIComponent(user);

    } catch {
        return user;
    }
}


export function avatar(person) {
    const name = displayName(person).trim();
    const node = element('span', 'avatar',
                         [...name][0]?.toUpperCase() ?? '?');

    node.ariaHidden = 'true';
    paint(node, person.color);

    return node;
}


/* Only the hue of a user's color is used: contrast is the style sheet's. */

export function paint(node, color) {
    const parts = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
    let hue = 220;
    let gray = false;

    if (parts) {
        const [r, g, b] = parts.slice(1).map((part) => parseInt(part, 16));
        const angle = Math.atan2(Math.sqrt(3) * (g - b), 2 * r - g - b);

        hue = Math.round((angle * 180 / Math.PI + 360) % 360);
        gray = Math.max(r, g, b) - Math.min(r, g, b) < 24;
    }

    node.style.setProperty('--hue', hue);
    node.style.setProperty('--gray', gray ? 0 : 1);
}


export function time(ts, className) {
    const date = new Date(ts);
    const node = element('time', className, clock.format(date));

    node.dateTime = date.toISOString();
    node.title = full.format(date);

    return node;
}


export function moment(ts) {
    const date = new Date(ts);

    return date.toDateString() === new Date().toDateString()
           ? clock.format(date) : short.format(date);
}


export function seconds(ms) {
    const left = Math.max(1, Math.ceil(ms / 1000));

    return left < 60 ? `${left} s`
           : `${Math.floor(left / 60)} min ${left % 60} s`;
}


export function count(n, one, many = `${one}s`) {
    return n === 1 ? `1 ${one}` : `${n} ${many}`;
}


/* An error as a part of a sentence. */

export function reason(error) {
    const text = REASONS[error.code] ?? error.message ?? error.code;

    if (error.retry_after) {
        return `${text.split(',')[0]}, try again in `
               + seconds(error.retry_after);
    }

    if (error.until) {
        return `${text} until ${moment(error.until)}`;
    }

    return text;
}


/* a message at the edge of the window that goes by itself */

let toastTimer = null;

export function toast(text, kind = '') {
    const node = $('toast');

    clearTimeout(toastTimer);
    node.textContent = text;
    node.dataset.kind = kind;
    node.hidden = false;
    toastTimer = setTimeout(() => { node.hidden = true; }, 6000);
}


export function failed(what) {
    return (error) => toast(`${what}: ${reason(error)}.`, 'error');
}


/*
 * Opens a dialog; resolves with the fields of its form and the value of the
 * button, or with null if it was dismissed.
 */

export function ask(dialog) {
    const form = dialog.querySelector('form');

    dialog.returnValue = '';
    dialog.showModal();

    return new Promise((resolve) => {
        dialog.addEventListener('close', () => {
            const fields = Object.fromEntries(new FormData(form));

            resolve(dialog.returnValue
                    ? { ...fields, action: dialog.returnValue } : null);
        }, { once: true });
    });
}


for (const dialog of document.querySelectorAll('dialog')) {
    for (const node of dialog.querySelectorAll('[data-close]')) {
        node.addEventListener('click', () => dialog.close());
    }

    /* a click beside it */
    dialog.addEventListener('click', (e) => {
        if (e.target === dialog) {
            dialog.close();
        }
    });
}
