/*
 * Copyright (C) the chat module's authors
 *
 * A server made of a few lines, and clients of it, for what a real one does
 * seldom or not on demand.
 */

import { importClient, until } from './lib.mjs';

export const { ChatClient } = await importClient();

export let sockets = [];


export class Socket {
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


export function entry(seq, fields) {
    return { type: 'message', room: 'r', seq, ts: seq, user: 'other',
             text: `m${seq}`, ...fields };
}


export function reset() {
    sockets = [];
}


/* A client that is connected, and in the room "r" at seq. */

export async function client(options, seq = 0) {
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

export async function again(n, fields) {
    const socket = await until(() => sockets[n], `socket ${n}`);

    socket.welcomes(fields);

    return socket;
}


export function code(promise) {
    return promise.then(() => 'ok', (error) => error.code);
}
