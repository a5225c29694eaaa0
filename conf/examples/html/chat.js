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
 *
 * What a room looks like now (its people, its messages with all edits) is kept
 * by room.js, on top of this.
 */

const ENTRIES = new Set(['message', 'edited', 'deleted', 'room', 'kicked',
                         'muted', 'unmuted', 'banned', 'unbanned']);

/* events of who comes and goes */
const PEOPLE = new Set(['joined', 'left', 'members']);

/* close codes after which another attempt would end the same way */
const FATAL = new Map([[1008, 'policy'], [4001, 'expired'], [4003, 'banned'],
                       [4008, 'connection_limit']]);

/* refusals of a join that pass by themselves */
const PASSING = new Set(['rate_limited', 'unavailable', 'zone_full', 'internal',
                         'timeout']);

/* and those of a page of history: any other leaves a gap */
const LATER = new Set(['rate_limited', 'unavailable', 'timeout']);

const MAX_TRIES = 5;
const ASK_WITHIN = 1000;    /* ms: others have missed who came and went, too */

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
        this.counted = false;   /* some came or went without being named */
        this.asking = null;     /* the timer until it is asked who is there */
    }

    get current() {
        return this.joined && !this.filling && this.seq >= this.newest;
    }
}


/* The server's token bucket as far as it can be known here. */

class Bucket {
    constructor({ rate, burst }) {
        this.rate = rate || 0;          /* a second; 0 = no limit */
        this.burst = burst || 1;
        this.tokens = this.burst;
        this.filled = performance.now();
    }

    take() {
        this.#fill();
        this.tokens--;
    }

    /* ms until there are n */

    wait(n = 1) {
        if (!this.rate) {
            return 0;
        }

        this.#fill();

        return Math.max(0, (n - this.tokens) * 1000 / this.rate);
    }

    #fill() {
        const now = performance.now();

        this.tokens = Math.min(this.burst, this.tokens
                               + (now - this.filled) * this.rate / 1000);
        this.filled = now;
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
    #inbox = null;
    #bucket = new Bucket({});
    #flushTimer = null;
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

    get color() {
        return this.#welcome?.color;
    }

    get limits() {
        return this.#welcome?.limits ?? {};
    }

    get rooms() {
        return [...this.#rooms.keys()].filter((name) => name[0] !== '@');
    }

    /* Would a command that can be left out delay one that can't? */

    get hurried() {
        return this.#bucket.wait(3) > 0;
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
     * recent messages to get; presence: whether the reply shall list who is
     * there.  The messages are handed out as events, followed by the event
     * "entered", before the promise resolves with the server's reply.
     */

    join(name, options = {}) {
        if (this.user !== undefined && name === `@${this.user}`) {
            return this.inbox(options);
        }

        let room = this.#rooms.get(name);

        if (!room) {
            room = new Room(name, options);
            this.#rooms.set(name, room);
        }

        return this.#await(room);
    }

    /*
     * Follows the own inbox, where direct messages are kept.  Without this
     * they come as well, but not those that were missed.
     */

    inbox(options = {}) {
        this.#inbox ??= new Room(null, options);
        this.#nameInbox();

        return this.#await(this.#inbox);
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
     * name: of a room, or "@user" for a direct message to that user.
     * content: a text, or an object with text, data, reply_to.  Resolves with
     * room, seq and ts once the server has stored the message, also if that
     * takes several connections.
     */

    send(name, content) {
        const fields = { ...address(name), ...body(content) };

        fields.nonce ??= `${this.#noncePrefix}-${++this.#lastNonce}`;

        const error = this.#refuse(fields);

        if (error) {
            return Promise.reject(error);
        }

        return new Promise((resolve, reject) => {
            const item = { fields, resolve, reject, sent: false, tries: 0,
                           refused: 0 };

            this.#outbox.set(fields.nonce, item);
            this.#emit({ type: 'sending', ...fields });
            this.#flush();
        });
    }

    edit(name, seq, content) {
        return this.request('edit', { room: name, seq, ...body(content) });
    }

    react(name, seq, emoji, on = true) {
        return this.request('react', { room: name, seq, emoji, on });
    }

    /* name: of a room, or "@user" */

    typing(name, on = true) {
        return this.request('typing', { ...address(name), on });
    }

    members(name) {
        return this.request('members', { room: name });
    }

    /* options: prefix, limit */

    listRooms(options = {}) {
        return this.request('rooms', options);
    }

    /* fields: name and/or color */

    profile(fields) {
        return this.request('profile', fields).then((reply) => {
            this.#rename(reply);
            return reply;
        });
    }

    grant(name, user, role) {
        return this.request('grant', { room: name, user, role });
    }

    /* settings: any of topic, slow (ms), locked, members_only */

    set(name, settings) {
        return this.request('set', { room: name, ...settings });
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

        const verdict = this.#verdict(code)
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

    /* a function may give another token the next time */

    #verdict(code) {
        return code === 4001 && typeof this.#url === 'function'
               ? undefined : FATAL.get(code);
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
        clearTimeout(this.#flushTimer);

        this.#flushTimer = null;
        this.#probing = false;

        for (const room of this.#rooms.values()) {
            this.#stop(room);
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

        for (const item of [...this.#outbox.values()]) {
            this.#settle(item, error);
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

        this.#bucket.take();
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
        if (event.type === 'profile' && event.user === this.user) {
            this.#rename(event);

        } else if (PEOPLE.has(event.type)) {
            this.#moved(event);
        }

        if (!ENTRIES.has(event.type) || event.seq === undefined) {
            this.#emit(event);
            return;
        }

        const room = this.#rooms.get(event.room);

        if (room?.joined) {
            this.#entry(room, event);

        } else if (!room && event.room === `@${this.user}`) {
            this.#emit(event);          /* an inbox that is not followed */
        }
    }

    /* Is it still known who is there, to who wants to know it? */

    #moved({ type, room: name, lost }) {
        const room = this.#rooms.get(name);

        if (!room?.options.presence) {
            return;
        }

        if (type === 'members' && !lost) {
            room.counted = true;

        } else if (lost || room.counted) {
            room.counted = false;
            this.#ask(room);
        }
    }

    #ask(room) {
        room.asking ??= setTimeout(() => {
            room.asking = null;

            if (room.filling || this.hurried) {
                this.#ask(room);

            } else if (room.joined) {
                this.#request('members', { room: room.name },
                              (...result) => this.#present(room, ...result));
            }
        }, Math.random() * ASK_WITHIN);
    }

    #present(room, error, reply) {
        if (LATER.has(error?.code)) {
            this.#ask(room);

        } else if (!error && room.joined) {
            this.#emit({ type: 'members', room: room.name,
                         members: reply.members, presence: reply.presence });
        }
    }

    #rename({ name, color }) {
        this.#welcome.name = name ?? this.#welcome.name;
        this.#welcome.color = color ?? this.#welcome.color;
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
        this.#limit(event.limits ?? {});
        this.#nameInbox();
        this.#waiters = [];
        this.#setState('open', {});
        this.#emit(event);

        /* who is let in only to be thrown out again goes on backing off */
        this.#stableTimer = setTimeout(() => { this.#attempt = 0; }, 5000);
        this.#watch();

        for (const room of this.#rooms.values()) {
            this.#join(room);
        }

        this.#flush();

        waiters.forEach((waiter) => waiter.resolve(event));
    }

    /* The bucket is the user's: another connection does not fill it. */

    #limit(limits) {
        if (this.#bucket.rate !== (limits.rate || 0)
            || this.#bucket.burst !== (limits.burst || 1))
        {
            this.#bucket = new Bucket(limits);
        }
    }

    /* rooms */

    #await(room) {
        return new Promise((resolve, reject) => {
            room.waiters.push({ resolve, reject });

            if (this.#state === 'open' && room.waiters.length === 1) {
                this.#join(room);
            }
        });
    }

    /* A guest's inbox goes with the identity: the next one's is another. */

    #nameInbox() {
        const room = this.#inbox;
        const name = this.user === undefined ? null : `@${this.user}`;

        if (!room || room.name === name) {
            return;
        }

        if (room.name !== null) {
            this.#rooms.delete(room.name);
            this.#emit({ type: 'reset', room: room.name, epoch: null });
        }

        room.name = name;
        room.epoch = room.seq = null;
        this.#rooms.set(name, room);
    }

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

        if (error.code === 'rate_limited'
            || (room.epoch !== null && PASSING.has(error.code)))
        {
            this.#later(room, error, () => this.#join(room));
            return;
        }

        if (room.waiters.length === 0) {
            this.#lostRoom(room, error);

        } else {
            this.#forget(room, error);
        }
    }

    #later(room, error, again) {
        clearTimeout(room.timer);
        room.timer = setTimeout(again, error.retry_after
                                       ?? 1000 + Math.random() * 2000);
    }

    /* A membership has ended that nobody has given up. */

    #lostRoom(room, error) {
        const { name, code, ...fields } = error;

        this.#forget(room, error);
        this.#emit({ ...fields, type: 'error', room: room.name, code,
                     message: error.message });
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
        room.counted = false;

        for (const entry of messages) {
            this.#entry(room, { type: 'message', room: room.name, ...entry });
        }

        /* of a long resume the rest comes alive, of anything else it doesn't */
        if (!reply.recovered && !room.filling && room.seq < reply.seq) {
            this.#fill(room, reply.seq);
        }

        const waiters = room.waiters;
        const { type, id, messages: entries, ...state } = reply;

        room.waiters = [];
        this.#emit({ ...state, type: 'entered', room: room.name });
        waiters.forEach((waiter) => waiter.resolve(reply));
        this.#flush();
    }

    #stop(room) {
        clearTimeout(room.timer);
        clearTimeout(room.asking);
        room.asking = null;
    }

    #forget(room, error) {
        this.#stop(room);
        room.joined = false;
        this.#rooms.delete(room.name);
        this.#inbox = room === this.#inbox ? null : this.#inbox;
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
            this.#flush();
        }
    }

    #deliver(room, event) {
        const item = this.#outbox.get(event.nonce);

        room.seq = event.seq;

        if (item && this.#log(item) === room && this.isMine(event)) {
            this.#settle(item, null,
                         { room: room.name, seq: event.seq, ts: event.ts });
        }

        this.#emit(event);

        /* an old one in history is about an earlier stay */

        if ((event.type === 'kicked' || event.type === 'banned')
            && event.user === this.user && event.seq > room.newest
            && this.#rooms.get(room.name) === room)
        {
            this.#lostRoom(room, new ChatError(event.type, event.reason,
                                               { by: event.by,
                                                 until: event.until }));
        }
    }

    /* the room in which a message of our own will appear */

    #log({ fields }) {
        return fields.to === undefined ? this.#rooms.get(fields.room)
                                       : this.#inbox;
    }

    /* Reads what is missing up to the entry "to" from history. */

    #fill(room, to) {
        room.filling = true;

        this.#request('history', { room: room.name, after: room.seq },
                      (error, reply) => {
            if (!room.joined || error?.code === 'disconnected') {
                return;
            }

            if (LATER.has(error?.code)) {
                this.#later(room, error, () => this.#fill(room, to));
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
        this.#flush();

        /* who was put out may be in it, and have come back before that */

        if (room.options.presence) {
            this.#ask(room);
        }
    }

    /* messages on their way out */

    #refuse(fields) {
        if (this.#state === 'closed') {
            return new ChatError('closed');
        }

        if (fields.to === undefined && !this.#rooms.has(fields.room)) {
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
     * our own message may be among that.  What would be over the rate waits.
     */

    #flush() {
        if (this.#state !== 'open' || this.#bye || this.#flushTimer) {
            return;
        }

        for (const item of [...this.#outbox.values()]) {
            const room = this.#log(item);

            if (item.sent || (room ? !room.current
                                   : item.fields.to === undefined))
            {
                continue;
            }

            const wait = this.#bucket.wait();

            if (wait > 0) {
                this.#pause(wait);
                return;
            }

            this.#transmit(item);
        }
    }

    #pause(wait) {
        clearTimeout(this.#flushTimer);
        this.#flushTimer = setTimeout(() => {
            this.#flushTimer = null;
            this.#flush();
        }, wait);
    }

    #transmit(item) {
        if (++item.tries > MAX_TRIES) {
            this.#settle(item, new ChatError('undelivered'));
            return;
        }

        item.sent = true;

        this.#request('send', item.fields, (error, reply) => {
            if (error?.code === 'rate_limited' && ++item.refused < MAX_TRIES) {
                item.sent = false;
                item.tries--;
                this.#pause(error.retry_after ?? 1000);

            } else if (error?.code !== 'disconnected') {
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


/*
 * delete(room, seq), kick(room, user, options) and so on.  options: reason;
 * duration of a mute or ban (ms, without one until it is undone); purge of
 * a kick or ban (that user's messages are deleted too).
 */

for (const type of ['delete', 'read']) {
    ChatClient.prototype[type] = function (name, seq) {
        return this.request(type, { room: name, seq });
    };
}

for (const type of ['kick', 'mute', 'unmute', 'ban', 'unban']) {
    ChatClient.prototype[type] = function (name, user, options = {}) {
        return this.request(type, { room: name, user, ...options });
    };
}


/* "@" leads a user's name, for what may go to a room or to a user */

function address(name) {
    return name.startsWith('@') ? { to: name.slice(1) } : { room: name };
}


function body(content) {
    return content !== null && typeof content === 'object'
           ? { ...content } : { text: String(content) };
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
