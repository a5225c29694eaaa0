/*
 * Copyright (C) the chat module's authors
 *
 * A client of the protocol chat.v1: one ES module, no dependency, for browsers
 * and for Node (22 and newer as it is, older ones with the class of the "ws"
 * package given as the option WebSocket).
 *
 *     const chat = new ChatClient('/chat?user=alice');
 *
 *     chat.on('message', (m) => console.log(m.name, m.text));
 *     await chat.connect();
 *     await chat.join('lobby');
 *     await chat.send('lobby', 'Hello!');
 *
 * A room is a log and this client holds a cursor in it (epoch and seq): every
 * entry is handed out once and in order, whether it came with the answer to
 * a join, alive, or from history after a gap.  After a lost connection rooms
 * are joined again from the cursor, and what was not acknowledged is sent
 * again unless it is found among the missed entries.
 */

const ENTRIES = new Set(['message', 'edited', 'deleted', 'room', 'kicked',
                         'muted', 'unmuted', 'banned', 'unbanned']);

/* close codes after which another attempt would end the same way */
const FATAL = new Map([[1008, 'policy'], [4001, 'expired'], [4003, 'banned'],
                       [4008, 'connection_limit']]);

/* refusals of a join that pass by themselves */
const PASSING = new Set(['rate_limited', 'unavailable', 'zone_full', 'internal',
                         'timeout']);

const MAX_TRIES = 5;

const DEFAULTS = {
    protocols: ['chat.v1'],
    minDelay: 500,          /* ms; the first reconnect waits 0 to this */
    maxDelay: 30000,        /* ms; and no later one longer than this */
    maxAttempts: Infinity,  /* reconnects in a row before giving up */
    connectTimeout: 15000,  /* ms until "welcome" */
    requestTimeout: 10000,  /* ms until a reply; "send" waits without end */
    pongTimeout: 10000,     /* ms a silent connection has to answer "ping" */
    maxOutbox: 1000         /* messages that wait for a connection */
};


export class ChatError extends Error {

    /* code is one of the protocol's, or one of those in docs/client.md */

    constructor(code, message, fields = {}) {
        super(message || code);

        const { type, id, message: text, ...rest } = fields;

        Object.assign(this, rest);
        this.name = 'ChatError';
        this.code = code;
    }
}


/* what the client knows of a room: seq is that of the last entry handed out */

class Room {
    constructor(name, options) {
        this.name = name;
        this.options = options;
        this.epoch = null;
        this.seq = null;
        this.newest = 0;        /* seq that the last join has promised */
        this.joined = false;
        this.filling = false;   /* entries wait in held for missing ones */
        this.held = [];
        this.waiters = [];
        this.timer = null;
    }

    get current() {
        return this.joined && !this.filling && this.seq >= this.newest;
    }
}


export class ChatClient {
    #url;
    #options;
    #WebSocket;
    #socket = null;
    #state = 'idle';
    #welcome = null;
    #identities = new Set();
    #listeners = new Map();
    #waiters = [];
    #rooms = new Map();
    #requests = new Map();
    #outbox = new Map();
    #lastId = 0;
    #noncePrefix = random();
    #lastNonce = 0;
    #attempt = 0;
    #serial = 0;
    #timer = null;
    #stableTimer = null;
    #watchTimer = null;
    #bye = null;
    #seen = 0;
    #probing = false;
    #wake = () => this.#woken();

    /*
     * url: a string, absolute or relative to the page, http or ws; or
     * a function that returns one or a promise of one, asked at each attempt.
     */

    constructor(url, options = {}) {
        this.#url = url;
        this.#options = { ...DEFAULTS, ...options };
        this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;

        if (!this.#WebSocket) {
            throw new ChatError('no_websocket',
                                'no WebSocket here, give one as an option');
        }
    }

    /* "idle", "connecting", "open", "waiting" or "closed" */

    get state() {
        return this.#state;
    }

    get user() {
        return this.#welcome?.user;
    }

    get name() {
        return this.#welcome?.name;
    }

    get limits() {
        return this.#welcome?.limits ?? {};
    }

    get rooms() {
        return [...this.#rooms.keys()];
    }

    /* messages that have no acknowledgement yet, oldest first */

    get outbox() {
        return [...this.#outbox.values()].map((item) => ({ ...item.fields }));
    }

    /* A guest gets another identity with each connection: all are ours. */

    isMine(event) {
        return this.#identities.has(event.user);
    }

    /*
     * Listens to an event of the protocol, to "state", "sending" or "reset",
     * or to all with "*".  Returns a function that ends it.
     */

    on(type, listener) {
        const list = this.#listeners.get(type) ?? new Set();

        this.#listeners.set(type, list.add(listener));

        return () => list.delete(listener);
    }

    off(type, listener) {
        this.#listeners.get(type)?.delete(listener);
    }

    /*
     * Resolves with "welcome".  Attempts go on until one succeeds; while one
     * is waited for, a call makes it now.
     */

    connect() {
        if (this.#state === 'open') {
            return Promise.resolve(this.#welcome);
        }

        const promise = new Promise((resolve, reject) => {
            this.#waiters.push({ resolve, reject });
        });

        if (this.#state !== 'connecting') {
            if (this.#state !== 'waiting') {
                this.#attempt = 0;
                globalThis.addEventListener?.('online', this.#wake);
                globalThis.document?.addEventListener('visibilitychange',
                                                      this.#wake);
            }

            this.#open();
        }

        return promise;
    }

    /* The end: everything that still waits is rejected with code "closed". */

    close(code = 1000, reason = '') {
        if (this.#state !== 'idle' && this.#state !== 'closed') {
            this.#finish(new ChatError('closed'), code, reason);
        }
    }

    /*
     * Joins a room and stays in it over reconnects.  options.history: how many
     * recent messages to get.  They are handed out as events before the
     * promise resolves with the server's reply.
     */

    join(name, options = {}) {
        let room = this.#rooms.get(name);

        if (!room) {
            room = new Room(name, options);
            this.#rooms.set(name, room);
        }

        return new Promise((resolve, reject) => {
            room.waiters.push({ resolve, reject });

            if (this.#state === 'open' && room.waiters.length === 1) {
                this.#join(room);
            }
        });
    }

    leave(name) {
        const room = this.#rooms.get(name);

        if (!room) {
            return Promise.reject(new ChatError('not_joined'));
        }

        const joined = room.joined;

        this.#forget(room, new ChatError('not_joined', 'the room was left'));

        return joined ? this.request('leave', { room: name })
                      : Promise.resolve({ room: name });
    }

    /*
     * content: a text, or an object with text, data, reply_to.  Resolves with
     * room, seq and ts once the server has stored the message, also if that
     * takes several connections.
     */

    send(name, content) {
        const fields = { room: name,
                         ...(typeof content === 'object' ? content
                             : { text: String(content) }) };

        fields.nonce ??= `${this.#noncePrefix}-${++this.#lastNonce}`;

        const error = this.#refuse(fields);

        if (error) {
            return Promise.reject(error);
        }

        return new Promise((resolve, reject) => {
            const item = { fields, resolve, reject, sent: false, tries: 0 };

            this.#outbox.set(fields.nonce, item);
            this.#emit({ type: 'sending', ...fields });
            this.#flush(this.#rooms.get(name));
        });
    }

    /* options: before or after (a seq), limit; nothing becomes an event */

    history(name, options = {}) {
        return this.request('history', { room: name, ...options });
    }

    /* Any command of the protocol; resolves with the reply. */

    request(type, fields = {}) {
        return new Promise((resolve, reject) => {
            this.#request(type, fields, (error, reply) => {
                error ? reject(error) : resolve(reply);
            });
        });
    }

    /* the connection */

    async #open() {
        const serial = ++this.#serial;

        clearTimeout(this.#timer);
        this.#setState('connecting', { attempt: this.#attempt });

        this.#timer = setTimeout(() => {
            this.#drop(4000, 'no welcome came in time');
        }, this.#options.connectTimeout);

        let url;

        try {
            url = typeof this.#url === 'function' ? await this.#url()
                                                  : this.#url;

        } catch (e) {
            if (serial === this.#serial) {
                this.#lost(4000, `no URL to connect to: ${e.message}`);
            }

            return;
        }

        if (serial !== this.#serial) {
            return;
        }

        try {
            this.#attach(new this.#WebSocket(socketUrl(url),
                                             this.#options.protocols));

        } catch (e) {
            this.#finish(new ChatError('bad_url', e.message));
        }
    }

    #attach(socket) {
        this.#socket = socket;

        socket.onmessage = (e) => {
            if (socket === this.#socket) {
                this.#receive(e.data);
            }
        };

        socket.onclose = (e) => {
            if (socket === this.#socket) {
                this.#socket = null;
                this.#lost(e.code, e.reason);
            }
        };

        socket.onerror = () => {};      /* "close" follows and says more */
    }

    /* Gives a connection up without waiting for the peer's part of it. */

    #drop(code, reason) {
        const socket = this.#socket;

        this.#socket = null;
        this.#serial++;
        this.#lost(code, reason);
        socket?.close(code);
    }

    #lost(code, reason) {
        this.#disconnected();

        const verdict = FATAL.get(code)
                        ?? (this.#attempt >= this.#options.maxAttempts
                            ? 'unreachable' : null);

        if (verdict) {
            this.#finish(new ChatError(verdict, reason, { close: code }));
            return;
        }

        const delay = this.#delay();

        this.#attempt++;
        this.#bye = null;
        this.#timer = setTimeout(() => this.#open(), delay);
        this.#setState('waiting', { code, reason, delay,
                                    attempt: this.#attempt });
    }

    /* exponential backoff with full jitter, or what the server asked for */

    #delay() {
        if (this.#bye) {
            return Math.max(0, this.#bye.until - performance.now());
        }

        const { minDelay, maxDelay } = this.#options;
        const ceiling = Math.min(maxDelay, minDelay * 2 ** this.#attempt);

        return Math.random() * ceiling;
    }

    #disconnected() {
        clearTimeout(this.#timer);
        clearTimeout(this.#stableTimer);
        clearTimeout(this.#watchTimer);

        this.#probing = false;

        for (const room of this.#rooms.values()) {
            clearTimeout(room.timer);
            room.joined = false;
            room.filling = false;
            room.held = [];
        }

        for (const item of this.#outbox.values()) {
            item.sent = false;
        }

        const requests = [...this.#requests.values()];

        this.#requests.clear();

        for (const { done, timer } of requests) {
            clearTimeout(timer);
            done(new ChatError('disconnected'));
        }
    }

    #finish(error, code = 1000, reason = '') {
        const socket = this.#socket;
        const waiters = this.#waiters;

        this.#socket = null;
        this.#serial++;
        this.#bye = null;
        this.#waiters = [];
        this.#disconnected();

        globalThis.removeEventListener?.('online', this.#wake);
        globalThis.document?.removeEventListener('visibilitychange',
                                                 this.#wake);

        for (const room of [...this.#rooms.values()]) {
            this.#forget(room, error);
        }

        waiters.forEach((waiter) => waiter.reject(error));
        socket?.close(code, reason);

        this.#setState('closed', { error });
    }

    #setState(state, fields) {
        this.#state = state;
        this.#emit({ type: 'state', state, ...fields });
    }

    #emit(event) {
        for (const type of [event.type, '*']) {
            for (const listener of [...(this.#listeners.get(type) ?? [])]) {
                try {
                    listener(event);

                } catch (e) {
                    /* a listener's fault is not the connection's */
                    queueMicrotask(() => { throw e; });
                }
            }
        }
    }

    /* A browser hides the server's pings: silence is ended by our own. */

    #watch() {
        const interval = this.#welcome.ping || 25000;
        const quiet = performance.now() - this.#seen;

        if (quiet >= interval) {
            this.#probe();
        }

        this.#watchTimer = setTimeout(() => this.#watch(),
                                      Math.max(interval - quiet, 1000));
    }

    #probe() {
        if (this.#probing) {
            return;
        }

        const sent = performance.now();

        this.#probing = true;

        this.#request('ping', {}, (error) => {
            this.#probing = false;

            if (error?.code === 'timeout' && this.#seen < sent) {
                this.#drop(4000, 'the server does not answer');
            }
        }, this.#options.pongTimeout);
    }

    /* the network is back, or the page is looked at again */

    #woken() {
        if (this.#state === 'waiting') {
            this.#open();

        } else if (this.#state === 'open') {
            this.#probe();
        }
    }

    /* commands and replies */

    /* Calls done(error, reply) once, at once when the reply is read. */

    #request(type, fields, done, timeout = this.#options.requestTimeout) {
        if (this.#state !== 'open') {
            done(new ChatError('disconnected'));
            return;
        }

        const id = ++this.#lastId;
        const request = { done, timer: null };

        if (timeout) {
            request.timer = setTimeout(() => {
                this.#requests.delete(id);
                done(new ChatError('timeout', `no reply to ${type}`));
            }, timeout);
        }

        this.#requests.set(id, request);
        this.#socket.send(JSON.stringify({ type, id, ...fields }));
    }

    #receive(data) {
        let event;

        this.#seen = performance.now();

        try {
            event = JSON.parse(data);

        } catch {
            event = null;
        }

        if (typeof event?.type !== 'string') {
            this.#drop(4000, 'the server does not speak chat.v1');
            return;
        }

        if (event.id !== undefined
            && (event.type === 'ok' || event.type === 'error'))
        {
            this.#replied(event);
            return;
        }

        switch (event.type) {

        case 'welcome':
            this.#welcomed(event);
            return;

        case 'bye':
            this.#bye = { until: this.#seen + (event.reconnect ?? 0) };
            this.#emit(event);
            return;

        case 'gap':
            this.#missed(event);
            return;

        case 'joined':
            if (event.epoch !== undefined) {
                this.#autoJoined(event);
                return;
            }

            break;
        }

        this.#dispatch(event);
    }

    #dispatch(event) {
        if (!ENTRIES.has(event.type) || event.seq === undefined) {
            this.#emit(event);
            return;
        }

        const room = this.#rooms.get(event.room);

        if (room?.joined) {
            this.#entry(room, event);
        }
    }

    #replied(event) {
        const request = this.#requests.get(event.id);

        if (!request) {
            return;
        }

        this.#requests.delete(event.id);
        clearTimeout(request.timer);

        if (event.type === 'error') {
            request.done(new ChatError(event.code, event.message, event));

        } else {
            request.done(null, event);
        }
    }

    #welcomed(event) {
        const waiters = this.#waiters;

        clearTimeout(this.#timer);

        this.#welcome = event;
        this.#identities.add(event.user);
        this.#waiters = [];
        this.#setState('open', {});
        this.#emit(event);

        /* who is let in only to be thrown out again goes on backing off */
        this.#stableTimer = setTimeout(() => { this.#attempt = 0; }, 5000);
        this.#watch();

        for (const room of this.#rooms.values()) {
            this.#join(room);
        }

        waiters.forEach((waiter) => waiter.resolve(event));
    }

    /* rooms */

    #join(room) {
        const fields = { ...room.options, room: room.name };

        if (room.epoch !== null) {
            fields.epoch = room.epoch;
            fields.seq = room.seq;
        }

        this.#request('join', fields, (error, reply) => {
            if (this.#rooms.get(room.name) !== room) {
                return;
            }

            if (error) {
                this.#notJoined(room, error);

            } else {
                this.#joined(room, reply);
            }
        });
    }

    #notJoined(room, error) {
        if (error.code === 'disconnected') {
            return;                     /* joined again after a reconnect */
        }

        if (room.epoch !== null && PASSING.has(error.code)) {
            room.timer = setTimeout(() => this.#join(room),
                                    error.retry_after
                                    ?? 1000 + Math.random() * 2000);
            return;
        }

        if (room.waiters.length === 0) {
            this.#emit({ type: 'error', room: room.name, code: error.code,
                         message: error.message });
        }

        this.#forget(room, error);
    }

    /* the location's chat_room joins without being asked */

    #autoJoined(event) {
        let room = this.#rooms.get(event.room);

        if (!room) {
            room = new Room(event.room, {});
            this.#rooms.set(event.room, room);
        }

        this.#joined(room, event);
        this.#emit(event);
    }

    #joined(room, reply) {
        const messages = reply.messages ?? [];

        if (room.epoch !== null
            && (room.epoch !== reply.epoch || room.seq > reply.seq))
        {
            /* what the application shows belongs to another life of it */
            room.seq = null;
            this.#emit({ type: 'reset', room: room.name, epoch: reply.epoch });
        }

        room.epoch = reply.epoch;
        room.seq ??= messages.length ? messages[0].seq - 1 : reply.seq;
        room.newest = reply.seq;
        room.joined = true;

        for (const entry of messages) {
            this.#entry(room, { type: 'message', room: room.name, ...entry });
        }

        /* of a long resume the rest comes alive, of anything else it doesn't */
        if (!reply.recovered && !room.filling && room.seq < reply.seq) {
            this.#fill(room, reply.seq);
        }

        const waiters = room.waiters;

        room.waiters = [];
        waiters.forEach((waiter) => waiter.resolve(reply));
        this.#flush(room);
    }

    #forget(room, error) {
        clearTimeout(room.timer);
        room.joined = false;
        this.#rooms.delete(room.name);
        room.waiters.forEach((waiter) => waiter.reject(error));

        for (const item of [...this.#outbox.values()]) {
            if (item.fields.room === room.name) {
                this.#settle(item, error);
            }
        }
    }

    #missed(event) {
        const room = this.#rooms.get(event.room);

        if (room?.joined && !room.filling && event.to > room.seq) {
            this.#fill(room, event.to);
        }
    }

    /* Hands an entry out, once, and none before its predecessor. */

    #entry(room, event) {
        if (room.filling) {
            room.held.push(event);
            return;
        }

        if (event.seq <= room.seq) {
            return;
        }

        if (event.seq > room.seq + 1) {
            room.held.push(event);
            this.#fill(room, event.seq - 1);
            return;
        }

        this.#deliver(room, event);

        if (room.seq === room.newest) {
            this.#flush(room);
        }
    }

    #deliver(room, event) {
        const item = this.#outbox.get(event.nonce);

        room.seq = event.seq;

        if (item && item.fields.room === room.name && this.isMine(event)) {
            this.#settle(item, null,
                         { room: room.name, seq: event.seq, ts: event.ts });
        }

        this.#emit(event);
    }

    /* Reads what is missing up to the entry "to" from history. */

    #fill(room, to) {
        room.filling = true;

        this.#request('history', { room: room.name, after: room.seq },
                      (error, reply) => {
            if (!room.joined || error?.code === 'disconnected') {
                return;
            }

            const entries = (reply?.messages ?? []).filter((entry) => {
                return entry.seq > room.seq;
            });

            const next = entries.length ? entries[0].seq : to + 1;

            if (next > room.seq + 1) {
                this.#emit({ type: 'gap', room: room.name, from: room.seq + 1,
                             to: next - 1 });
                room.seq = next - 1;
            }

            for (const entry of entries) {
                this.#deliver(room,
                              { type: 'message', room: room.name, ...entry });
            }

            if (room.seq < to) {
                this.#fill(room, to);

            } else {
                this.#filled(room);
            }
        });
    }

    #filled(room) {
        const held = room.held;

        room.held = [];
        room.filling = false;
        held.forEach((event) => this.#entry(room, event));
        this.#flush(room);
    }

    /* messages on their way out */

    #refuse(fields) {
        if (this.#state === 'closed') {
            return new ChatError('closed');
        }

        if (!this.#rooms.has(fields.room)) {
            return new ChatError('not_joined', 'join the room first');
        }

        if (this.#outbox.size >= this.#options.maxOutbox) {
            return new ChatError('outbox_full');
        }

        const size = new TextEncoder().encode(JSON.stringify(fields)).length;

        if (size + 40 > (this.limits.message_size ?? Infinity)) {
            return new ChatError('too_large', 'the message is too large');
        }

        return null;
    }

    /*
     * Nothing is sent into a room before all that was missed in it is read:
     * our own message may be among that.
     */

    #flush(room) {
        if (!room?.current || this.#state !== 'open' || this.#bye) {
            return;
        }

        for (const item of [...this.#outbox.values()]) {
            if (item.fields.room === room.name && !item.sent) {
                this.#transmit(item);
            }
        }
    }

    #transmit(item) {
        if (++item.tries > MAX_TRIES) {
            this.#settle(item, new ChatError('undelivered'));
            return;
        }

        item.sent = true;

        this.#request('send', item.fields, (error, reply) => {
            if (error?.code !== 'disconnected') {
                this.#settle(item, error, reply);
            }
        }, 0);
    }

    #settle(item, error, reply) {
        if (!this.#outbox.delete(item.fields.nonce)) {
            return;
        }

        if (error) {
            item.reject(error);

        } else {
            item.resolve({ ...reply, nonce: item.fields.nonce });
        }
    }
}


function random() {
    return Math.random().toString(36).slice(2, 12).padEnd(10, '0');
}


function socketUrl(url) {
    const absolute = new URL(url, globalThis.location?.href);

    absolute.protocol = absolute.protocol.replace(/^http/, 'ws');
    absolute.hash = '';

    return absolute.href;
}
