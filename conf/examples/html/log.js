/*
 * Copyright (C) the chat module's authors
 *
 * The list of messages: rows in the order of the room's numbers, days and
 * groups between them.  What users wrote enters the page as text only.
 */

const GROUP = 5 * 60 * 1000;
const KEEP = 1000;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit',
                                                   minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full',
                                                  timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long',
                                                 day: 'numeric',
                                                 month: 'long' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });


export class Log {
    #list;
    #isMine;
    #rows = [];
    #unread = null;

    /* isMine(message) tells own messages from others' */

    constructor(list, isMine) {
        this.#list = list;
        this.#isMine = isMine;
    }

    get size() {
        return this.#rows.length;
    }

    /* the room's number of the oldest message shown */

    get first() {
        return this.#rows.find((row) => row.message.seq)?.message.seq;
    }

    /* does the next own message follow one? */

    get endsMine() {
        const last = this.#rows.at(-1)?.message;

        return last !== undefined && this.#isMine(last);
    }

    append(message) {
        const row = this.#row(message);

        this.#rows.push(row);
        this.#list.append(row.item);
        this.#arrange(this.#rows.length - 1);
    }

    /* an older part of history, oldest first */

    prepend(messages) {
        const rows = messages.map((message) => this.#row(message));

        this.#rows.unshift(...rows);
        this.#list.prepend(...rows.map((row) => row.item));

        for (let i = 0; i <= rows.length && i < this.#rows.length; i++) {
            this.#arrange(i);
        }
    }

    /* a line of our own between the messages */

    note(text) {
        const item = element('li', 'note', text);
        const ts = this.#rows.at(-1)?.message.ts ?? Date.now();

        this.#rows.push({ message: { ts }, item, day: null });
        this.#list.append(item);
    }

    clear() {
        this.#rows = [];
        this.#unread = null;
        this.#list.replaceChildren();
    }

    /* The next message is the first that was not seen. */

    markUnread() {
        if (!this.#unread) {
            this.#unread = element('li', 'unread', 'New');
            this.#list.append(this.#unread);
        }
    }

    clearUnread() {
        this.#unread?.remove();
        this.#unread = null;
    }

    /* Drops the oldest rows; true if there were too many. */

    prune() {
        if (this.#rows.length <= KEEP) {
            return false;
        }

        for (const row of this.#rows.splice(0, this.#rows.length - KEEP)) {
            row.day?.remove();
            row.item.remove();
        }

        this.#arrange(0);

        return true;
    }

    #row(message) {
        const mine = this.#isMine(message);

        return { message, day: null, item: messageItem(message, mine) };
    }

    /* day line and group of a row, which depend on the one before */

    #arrange(i) {
        const row = this.#rows[i];
        const before = this.#rows[i - 1];
        const starts = dayKey(row.message.ts) !== dayKey(before?.message.ts);

        if (starts && !row.day) {
            row.day = element('li', 'day', dayName(row.message.ts));
            row.item.before(row.day);

        } else if (!starts && row.day) {
            row.day.remove();
            row.day = null;
        }

        row.item.classList.toggle('follow',
            !starts && before.message.user === row.message.user
            && row.item.previousElementSibling === before.item
            && row.message.ts - before.message.ts < GROUP);
    }
}


/* One message as a list item; ts is absent while it is on its way. */

export function messageItem(message, mine) {
    const item = element('li', mine ? 'message mine' : 'message');
    const head = element('p', 'head');
    const body = element('div', 'body');
    const bubble = element('div', 'bubble');
    const name = mine ? 'You' : displayName(message);
    const avatar = element('span', 'avatar', initial(name));

    avatar.ariaHidden = 'true';
    item.style.setProperty('--hue', hue(message.color));
    head.append(element('span', 'name', name));
    bubble.append(...content(message));
    body.append(bubble);

    if (message.ts) {
        const aside = timeElement(message.ts, 'aside');

        aside.ariaHidden = 'true';
        head.append(timeElement(message.ts));
        body.append(aside);
    }

    item.append(avatar, head, body);

    return item;
}


/*
 * nginx passes an argument of the URL on as it stands there, so the identity
 * is a percent-encoded name.
 */

export function displayName(event) {
    const name = event.name ?? event.user ?? '';

    try {
        return decodeURIComponent(name);

    } catch {
        return name;
    }
}


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


function content(message) {
    if (typeof message.text === 'string') {
        return withLinks(message.text);
    }

    if (message.data !== undefined) {
        return [element('code', '', JSON.stringify(message.data))];
    }

    return [element('em', '', 'empty message')];
}


/* Web addresses become links, all the rest text. */

function withLinks(text) {
    const nodes = [];
    let last = 0;

    for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"'`]+/g)) {
        const url = match[0].replace(/[.,:;!?)\]}]+$/, '');

        if (!URL.canParse?.(url)) {
            continue;
        }

        const link = element('a', '', url);

        link.href = url;
        link.target = '_blank';
        link.rel = 'noopener noreferrer nofollow';

        nodes.push(text.slice(last, match.index), link);
        last = match.index + url.length;
    }

    nodes.push(text.slice(last));

    return nodes;
}


function timeElement(ts, className) {
    const date = new Date(ts);
    const node = element('time', className, clock.format(date));

    node.dateTime = date.toISOString();
    node.title = full.format(date);

    return node;
}


function dayKey(ts) {
    return ts === undefined ? '' : new Date(ts).toDateString();
}


function dayName(ts) {
    const now = new Date();
    const date = new Date(ts);

    if (date.toDateString() === now.toDateString()) {
        return 'Today';
    }

    now.setDate(now.getDate() - 1);

    if (date.toDateString() === now.toDateString()) {
        return 'Yesterday';
    }

    return date.getFullYear() === new Date().getFullYear()
           ? day.format(date) : dayOfYear.format(date);
}


function initial(name) {
    return [...name.trim()][0]?.toUpperCase() ?? '?';
}


/* Only the hue of a user's color is used: contrast is the style sheet's. */

function hue(color) {
    const parts = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);

    if (!parts) {
        return 220;
    }

    const [r, g, b] = parts.slice(1).map((part) => parseInt(part, 16));
    const angle = Math.atan2(Math.sqrt(3) * (g - b), 2 * r - g - b);

    return Math.round((angle * 180 / Math.PI + 360) % 360);
}
