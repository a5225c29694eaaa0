/*
 * Copyright (C) the chat module's authors
 *
 * The list of messages: rows in the order of the room's numbers, days and
 * groups between them.  What users wrote enters the page as text only.
 */

import { $, avatar, button, displayName, element, moment, paint, seconds,
         time } from './ui.js';

const GROUP = 5 * 60 * 1000;

const EMOJI = ['👍', '❤️', '😂', '🎉', '😮', '😢', '🙏', '👀'];

const day = new Intl.DateTimeFormat(undefined, { weekday: 'long',
                                                 day: 'numeric',
                                                 month: 'long' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });


export class Log {
    #list;
    #act;
    #room = null;
    #rows = [];
    #unread = null;
    #tools;
    #held = null;           /* the item that has the tools */

    /*
     * act(action, message, detail): what a person wants done with a message:
     * "react" (an emoji), "reply", "edit", "delete", "jump" (a seq), "person"
     * (a user), "undo" (of a moderator's act).
     */

    constructor(list, act) {
        this.#list = list;
        this.#act = act;
        this.#tools = this.#makeTools();
        this.#listen();
    }

    /* Shows another room, or nothing. */

    show(room) {
        this.#room = room;
        this.#rows = [];
        this.#unread = null;
        this.#held = null;
        this.#list.replaceChildren();

        for (const message of room?.messages ?? []) {
            if (room.unread && room.readTo && !this.#unread
                && message.seq > room.readTo && !room.chat.isMine(message))
            {
                this.markUnread();
            }

            this.append(message);
        }
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

    /* The message is not what it was. */

    update(message) {
        const i = this.#rows.findIndex((row) => row.message === message);

        if (i < 0) {
            return;
        }

        const row = this.#rows[i];
        const focused = row.item.contains(document.activeElement);
        const item = this.#item(message);

        row.item.replaceWith(item);
        row.item = item;
        this.#arrange(i);

        if (focused) {
            item.focus();
        }
    }

    /* Somebody has another name or color. */

    rename(user) {
        for (const row of this.#rows) {
            if (row.message.user === user) {
                this.update(row.message);
            }
        }
    }

    /* Scrolls to a message; false if it is not there. */

    reveal(seq) {
        const item = this.#rows.find((row) => row.message.seq === seq)?.item;

        if (!item) {
            return false;
        }

        item.scrollIntoView({ block: 'center' });
        item.focus({ preventScroll: true });
        item.classList.remove('flash');
        void item.offsetWidth;          /* so that it begins again */
        item.classList.add('flash');

        return true;
    }

    /* The next message is the first that was not seen. */

    markUnread() {
        if (!this.#unread) {
            this.#unread = element('li', 'unread', 'New');
            this.#list.append(this.#unread);
        }
    }

    clearUnread() {
        const next = this.#unread?.nextElementSibling;
        const i = this.#rows.findIndex((row) => row.item === next);

        this.#unread?.remove();
        this.#unread = null;

        if (i >= 0) {
            this.#arrange(i);           /* it may belong to a group now */
        }
    }

    /* Drops the rows of messages that the room has dropped. */

    prune() {
        const kept = new Set(this.#room.messages);
        const n = this.#rows.findIndex((row) => kept.has(row.message));

        for (const row of this.#rows.splice(0, Math.max(n, 0))) {
            row.day?.remove();
            row.item.remove();
        }

        if (this.#rows.length) {
            this.#arrange(0);
        }
    }

    #row(message) {
        return { message, day: null, item: this.#item(message) };
    }

    #item(message) {
        if (message.type !== 'message') {
            return this.#note(message);
        }

        const item = messageItem(message, this.#room);

        item.tabIndex = -1;
        item.querySelector('.quote')?.addEventListener('click', () => {
            this.#act('jump', message, message.reply_to);
        });
        item.querySelector('button.name')?.addEventListener('click', () => {
            this.#act('person', message, message.user);
        });

        if (message.reactions?.size) {
            item.append(this.#reactions(message));
        }

        return item;
    }

    #note(message) {
        const item = element('li', 'note');
        const text = noteText(message, this.#room);

        item.append(element('span', '', text));

        if ((message.type === 'banned' || message.type === 'muted')
            && this.#room.moderates
            && message.user !== this.#room.chat.user)
        {
            item.append(button('link', 'Undo', () => {
                this.#act('undo', message);
            }));
        }

        return item;
    }

    #reactions(message) {
        const node = element('div', 'reactions');

        for (const [emoji, users] of message.reactions) {
            const names = [...users].map((user) => nameOf(user, this.#room));
            const chip = button('chip', '', () => {
                this.#act('react', message, emoji);
            });

            chip.append(element('span', 'emoji', emoji),
                        element('span', '', String(users.size)));
            chip.title = names.join(', ');
            chip.ariaPressed = String(users.has(this.#room.chat.user));
            chip.ariaLabel = `${emoji} ${users.size}: ${names.join(', ')}`;
            node.append(chip);
        }

        return node;
    }

    /* day line and group of a row, which depend on the one before */

    #arrange(i) {
        const row = this.#rows[i];
        const before = this.#rows[i - 1];
        const ts = row.message.ts ?? before?.message.ts;
        const starts = dayKey(ts) !== dayKey(before?.message.ts ?? ts)
                       || !before;

        if (starts && !row.day && ts !== undefined) {
            row.day = element('li', 'day', dayName(ts));
            row.item.before(row.day);

        } else if (!starts && row.day) {
            row.day.remove();
            row.day = null;
        }

        row.item.classList.toggle('follow',
            !starts && row.message.type === 'message'
            && before.message.type === 'message'
            && before.message.user === row.message.user
            && !row.message.reply_to
            && row.item.previousElementSibling === before.item
            && row.message.ts - before.message.ts < GROUP);
    }

    /* what can be done with a message: one toolbar, lent to one of them */

    #makeTools() {
        const tools = $('tools').content.firstElementChild.cloneNode(true);
        const emoji = tools.querySelector('.choice');

        for (const text of EMOJI) {
            const node = button('emoji', text, () => {
                this.#act('react', this.#heldMessage(), text);
                this.#open(false);
            });

            node.ariaLabel = `React with ${text}`;
            emoji.append(node);
        }

        tools.addEventListener('click', (e) => {
            const { action } = e.target.closest('button')?.dataset ?? {};

            if (action === 'choose') {
                this.#open(emoji.hidden);

            } else if (action) {
                this.#act(action, this.#heldMessage());
            }
        });

        return tools;
    }

    #heldMessage() {
        return this.#rows.find((row) => row.item === this.#held)?.message;
    }

    #open(on) {
        const [choice] = this.#tools.getElementsByClassName('choice');

        choice.hidden = !on;
        this.#tools.querySelector('[data-action="choose"]')
                   .ariaExpanded = String(on);

        if (on) {
            choice.firstElementChild.focus();
        }
    }

    #hold(item) {
        if (item === this.#held) {
            return;
        }

        this.#held = item;

        const message = this.#heldMessage();
        const room = this.#room;

        if (!message || message.deleted || room.gone) {
            this.#tools.remove();
            return;
        }

        const may = { choose: room.react && !room.silent, reply: room.react,
                      edit: room.mayEdit(message),
                      delete: room.mayDelete(message) };

        for (const node of this.#tools.querySelectorAll('[data-action]')) {
            node.hidden = !may[node.dataset.action];
        }

        this.#open(false);
        item.querySelector('.bubble').append(this.#tools);
    }

    #listen() {
        const hold = (e) => {
            const item = e.target.closest('.message');

            if (item && item.parentNode === this.#list) {
                this.#hold(item);
            }
        };

        this.#list.addEventListener('pointerover', hold);
        this.#list.addEventListener('focusin', hold);
        this.#list.addEventListener('click', hold);
        this.#list.addEventListener('keydown', (e) => this.#key(e));

        this.#list.addEventListener('pointerleave', () => {
            if (!this.#held?.contains(document.activeElement)) {
                this.#tools.remove();
                this.#held = null;
            }
        });
    }

    #key(e) {
        const item = e.target.closest('.message');
        const items = [...this.#list.querySelectorAll('.message')];
        const steps = { ArrowUp: -1, ArrowDown: 1, Home: -items.length,
                        End: items.length };

        if (e.key === 'Escape') {
            this.#open(false);
            $('text').focus();

        } else if (item && e.key in steps) {
            const i = items.indexOf(item) + steps[e.key];

            e.preventDefault();
            items[Math.min(Math.max(i, 0), items.length - 1)].focus();
        }
    }

    /* The last message gets the keyboard's focus. */

    focus() {
        [...this.#list.querySelectorAll('.message')].at(-1)?.focus();
    }
}


/* One message as a list item; ts is absent while it is on its way. */

export function messageItem(message, room) {
    const mine = room.chat.isMine(message);
    const item = element('li', mine ? 'message mine' : 'message');
    const head = element('p', 'head');
    const body = element('div', 'body');
    const bubble = element('div', 'bubble');

    paint(item, message.color);
    item.dataset.seq = message.seq ?? '';

    if (mine) {
        head.append(element('span', 'name', 'You'));

    } else {
        const name = element('button', 'name', displayName(message));

        name.type = 'button';
        head.append(name);
    }

    if (message.reply_to) {
        bubble.append(quote(room, message.reply_to));
    }

    bubble.append(...content(message));
    body.append(bubble);

    if (message.ts) {
        const aside = time(message.ts, 'aside');

        aside.ariaHidden = 'true';
        head.append(time(message.ts));
        body.append(aside);
    }

    if (message.edited && !message.deleted) {
        const mark = element('span', 'edited', 'edited');

        mark.title = moment(message.edited);
        bubble.append(mark);
    }

    item.classList.toggle('deleted', Boolean(message.deleted));
    item.append(avatar(message), head, body);

    return item;
}


export function nameOf(user, room) {
    if (user === room.chat.user) {
        return 'you';
    }

    const known = room.members?.get(user)
                  ?? room.messages.findLast((message) => {
        return message.user === user && message.name !== undefined;
    });

    return displayName({ user, name: known?.name });
}


export function snippet(message) {
    if (!message) {
        return 'an earlier message';
    }

    if (message.deleted) {
        return 'a deleted message';
    }

    const text = message.text ?? JSON.stringify(message.data) ?? '';

    return text.length > 140 ? `${text.slice(0, 140)}…` : text;
}


function quote(room, seq) {
    const message = room.find(seq);
    const node = element('button', 'quote');

    node.type = 'button';

    if (message) {
        paint(node, message.color);
        node.append(element('span', 'of', room.chat.isMine(message) ? 'You'
                                          : displayName(message)));
    }

    node.append(element('span', 'said', snippet(message)));
    node.title = 'Go to this message';

    return node;
}


function content(message) {
    if (message.deleted) {
        return [element('em', '', 'This message was deleted.')];
    }

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


/* what moderators did, as a sentence */

function noteText(event, room) {
    const { type, user, by, until, reason, from, to } = event;
    const who = by && by !== user ? capital(nameOf(by, room)) : null;
    const whom = user ? nameOf(user, room) : '';
    const end = until ? ` until ${moment(until)}` : '';
    const why = reason ? `: “${reason}”` : '';
    const passive = (act) => {
        return who ? `${who} ${act} ${whom}${end}${why}.`
               : `${capital(whom)} ${whom === 'you' ? 'were' : 'was'} ${act}`
                 + `${end}${why}.`;
    };

    switch (type) {

    case 'gap':
        return from === to ? 'One message could not be recovered.'
               : `${to - from + 1} messages could not be recovered.`;

    case 'room':
        return roomText(event, capital(whom));

    case 'kicked':
        return passive('removed');

    default:
        return passive(type);
    }
}


function roomText({ topic, slow, locked, members_only: only }, who) {
    const parts = [];

    if (topic !== undefined) {
        parts.push(topic ? `set the topic to “${topic}”`
                         : 'removed the topic');
    }

    if (slow !== undefined) {
        parts.push(slow ? `turned slow mode on (${seconds(slow)})`
                        : 'turned slow mode off');
    }

    if (locked !== undefined) {
        parts.push(locked ? 'locked the room' : 'unlocked the room');
    }

    if (only !== undefined) {
        parts.push(only ? 'closed the room to others'
                        : 'opened the room to everybody');
    }

    return `${who} ${parts.join(', ')}.`;
}


function capital(text) {
    return text === 'you' ? 'You' : text;
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
