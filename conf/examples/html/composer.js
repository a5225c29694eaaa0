/*
 * Copyright (C) the chat module's authors
 *
 * The message field: what is written, to whom it replies or what it edits, what
 * forbids it now, and the messages that are on their way.
 */

import { $, button, element, moment, reason, seconds, failed }
    from './ui.js';
import { messageItem, nameOf, snippet } from './log.js';

const bytes = (text) => new TextEncoder().encode(text).length;


export class Composer {
    #room = null;
    #title = '';
    #drafts = new WeakMap();
    #reply = null;
    #edit = null;
    #timer = null;
    #onSent;

    /* sent(): a message of our own was put on its way */

    constructor(sent) {
        this.#onSent = sent;

        $('compose').addEventListener('submit', (e) => {
            e.preventDefault();
            this.#submit();
        });

        $('text').addEventListener('keydown', (e) => this.#key(e));
        $('text').addEventListener('input', () => this.#typed());
        $('text').addEventListener('blur', () => this.#room?.setTyping(false));
        $('cancel').addEventListener('click', () => this.#cancel());
    }

    /* Turns to another room; what was written in the last one is kept. */

    show(room, title) {
        if (room !== this.#room) {
            if (this.#room) {
                this.#room.setTyping(false);
                this.#drafts.set(this.#room, $('text').value);
            }

            this.#edit = this.#reply = null;
            $('text').value = (room && this.#drafts.get(room)) ?? '';
        }

        this.#room = room;
        this.#title = title;
        this.#context();
        this.#resize();
        this.refresh();
        this.pending();
    }

    reply(message) {
        this.#leaveEdit();
        this.#reply = message;
        this.#context();
        $('text').focus();
    }

    edit(message) {
        this.#edit = message;
        this.#reply = null;
        $('text').value = message.text;
        this.#context();
        this.#typed();
        $('text').focus();
        $('text').select();
    }

    /* A message is no longer what it was. */

    amended(message) {
        if (message.deleted
            && (message === this.#edit || message === this.#reply))
        {
            this.#cancel();
        }
    }

    /* What the room forbids now, and until when. */

    refresh() {
        const room = this.#room;

        clearTimeout(this.#timer);

        if (!room) {
            return;
        }

        const closed = this.#closed();
        const wait = room.wait ?? 0;

        $('text').disabled = closed !== null;
        $('send').disabled = closed !== null || (wait > 0 && !this.#edit);
        $('text-label').textContent = closed ?? `Message ${this.#title}`;
        this.#hint();

        const muted = room.mutedUntil ? room.mutedUntil - Date.now() : 0;

        if (wait > 0) {
            this.#timer = setTimeout(() => this.refresh(),
                                     wait % 1000 || 1000);

        } else if (muted > 0) {
            this.#timer = setTimeout(() => this.refresh(),
                                     Math.min(muted, 60000));
        }
    }

    /* own messages on their way */

    pending() {
        const items = (this.#room?.pending ?? []).map((message) => {
            const item = messageItem(message, this.#room);

            item.classList.add('follow', message.error ? 'failed' : 'pending');

            if (message.error) {
                item.append(this.#failure(message));

            } else {
                item.querySelector('.body').append(
                    element('span', 'aside', 'Sending…'));
            }

            return item;
        });

        items[0]?.classList.add('apart');
        $('outbox').replaceChildren(...items);
    }

    #failure(message) {
        const node = element('p', 'failure');
        const room = this.#room;

        /* it stays: a time to wait would soon be wrong, the hint has it */
        const why = reason({ code: message.error.code,
                             message: message.error.message });

        node.setAttribute('role', 'alert');
        node.append(element('span', '', `Not sent: ${why}.`),
                    button('', 'Try again', () => {
                        room.retry(message).catch(() => {});
                    }),
                    button('', 'Discard', () => room.discard(message)));

        return node;
    }

    #closed() {
        const room = this.#room;

        if (room.gone) {
            return 'You are not in this room';
        }

        if (room.silent) {
            return room.mutedUntil === null ? 'You are muted'
                   : `You are muted until ${moment(room.mutedUntil)}`;
        }

        return room.locked && !room.moderates
               ? 'The room is locked: only moderators may write' : null;
    }

    #key(e) {
        if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
            e.preventDefault();
            this.#submit();

        } else if (e.key === 'Escape' && (this.#edit || this.#reply)) {
            e.preventDefault();
            this.#cancel();

        } else if (e.key === 'ArrowUp' && $('text').value === '') {
            const last = this.#room?.messages.findLast((message) => {
                return message.type === 'message'
                       && this.#room.mayEdit(message);
            });

            if (last) {
                e.preventDefault();
                this.edit(last);
            }
        }
    }

    #typed() {
        this.#resize();
        this.#hint();

        if (!this.#edit) {
            this.#room?.setTyping($('text').value.trim() !== '');
        }
    }

    #resize() {
        const field = $('text');

        $('text-label').classList.toggle('unseen', field.value !== '');
        field.style.height = 'auto';
        field.style.height = `${field.scrollHeight + 2}px`;
    }

    #hint() {
        const limit = (this.#room?.chat.limits.message_size ?? Infinity) - 300;
        const size = bytes($('text').value);
        const wait = this.#room?.wait ?? 0;
        let text = '';

        if (size > limit) {
            text = `Too long by ${size - limit} bytes.`;

        } else if (wait > 0) {
            text = `Slow mode: you can write again in ${seconds(wait)}.`;

        } else if (size > limit * 0.8) {
            text = `${limit - size} bytes left.`;

        } else if (this.#room?.slow && !this.#room.moderates) {
            text = `Slow mode: one message every ${seconds(this.#room.slow)}.`;
        }

        /* a screen reader would read each second of a countdown */
        $('hint').ariaLive = wait > 0 ? 'off' : 'polite';

        if ($('hint').textContent !== text) {
            $('hint').textContent = text;
        }

        $('hint').dataset.kind = size > limit ? 'error' : '';
    }

    #context() {
        const message = this.#edit ?? this.#reply;

        $('context').hidden = !message;

        if (message) {
            $('context-what').textContent = this.#edit ? 'Edit'
                : `Reply to ${nameOf(message.user, this.#room)}`;
            $('context-text').textContent = snippet(message);
        }

        this.refresh();
    }

    #leaveEdit() {
        if (this.#edit) {
            this.#edit = null;
            $('text').value = '';
            this.#resize();
        }
    }

    #cancel() {
        this.#leaveEdit();
        this.#reply = null;
        this.#context();
        $('text').focus();
    }

    #submit() {
        const field = $('text');
        const text = field.value.trim();
        const room = this.#room;

        if (text === '' || !room || this.#closed() !== null) {
            return;
        }

        if (this.#edit) {
            room.edit(this.#edit.seq, text)
                .catch(failed('The message was not changed'));
            this.#cancel();
            return;
        }

        if (room.wait > 0) {
            return;
        }

        const content = { text };

        if (this.#reply) {
            content.reply_to = this.#reply.seq;
        }

        const waiting = room.pending.length;
        const sent = room.send(content);

        if (room.pending.length > waiting) {
            sent.catch(() => {});       /* it is shown with the message */
            field.value = '';
            this.#reply = null;
            this.#context();
            this.#resize();

        } else {
            sent.catch(failed('Not sent'));
        }

        this.#onSent();
        field.focus();
    }
}
