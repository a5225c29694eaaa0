/*
 * Copyright (C) the chat module's authors
 *
 * What a room looks like now: its people, its settings and its messages, with
 * all that was edited, deleted and reacted applied to them.  Made of the events
 * of a ChatClient; knows nothing of pages.
 *
 *     const chat = new ChatClient('/chat?user=alice');
 *     const lobby = new ChatRoom(chat, 'lobby');
 *
 *     lobby.watch(() => show(lobby.messages, lobby.people));
 *     await chat.connect();
 *     await lobby.join();
 *     await lobby.send('Hello!');
 */

const TYPING_AGAIN = 4000;      /* ms; the server forgets after 6 seconds */
const TYPING_SHOWN = 7000;
const READ_DELAY = 700;
const LATE_MAX = 1000;

const RANKS = { member: 0, moderator: 1, owner: 2 };

const ACTS = new Set(['kicked', 'muted', 'unmuted', 'banned', 'unbanned',
                      'room']);


class Emitter {
    #listeners = new Set();

    /*
     * The listener is called with what has changed: {what, ...}, see
     * docs/client.md.  Returns a function that ends it.
     */

    watch(listener) {
        this.#listeners.add(listener);

        return () => this.#listeners.delete(listener);
    }

    changed(what, fields = {}) {
        for (const listener of [...this.#listeners]) {
            listener({ what, ...fields });
        }
    }
}


/* A list of messages with their seq, oldest first. */

class Messages extends Emitter {
    #bySeq = new Map();

    constructor(chat, name) {
        super();

        this.chat = chat;
        this.name = name;
        this.messages = [];
        this.pending = [];      /* own ones that have no number yet */
        this.typists = new Map();
        this.unread = 0;
        this.readTo = 0;
        this.countedTo = 0;     /* unread is the server's count up to here */
        this.off = [];
    }

    find(seq) {
        return this.#bySeq.get(seq);
    }

    get last() {
        return this.messages.findLast((item) => item.seq)?.seq ?? 0;
    }

    /* who is typing, without oneself, as [{user, name}] */

    get typing() {
        return [...this.typists.values()].filter(({ user }) => {
            return user !== this.chat.user;
        });
    }

    close() {
        this.off.forEach((off) => off());
        this.typists.forEach(({ timer }) => clearTimeout(timer));
    }

    listen(type, listener) {
        this.off.push(this.chat.on(type, listener));
    }

    /* the tail of the list */

    add(message) {
        const item = { ...message };

        this.messages.push(item);

        if (item.seq) {
            this.#bySeq.set(item.seq, item);
        }

        return item;
    }

    /* the head of it, oldest first */

    addEarlier(entries) {
        const items = entries.filter(({ seq }) => !this.#bySeq.has(seq))
                             .map((entry) => ({ type: 'message', ...entry }));

        items.forEach((item) => this.#bySeq.set(item.seq, item));
        this.messages.unshift(...items);

        return items;
    }

    /* Drops the oldest beyond n; history has them. */

    prune(n) {
        const gone = this.messages.splice(0, this.messages.length - n);

        gone.forEach(({ seq }) => this.#bySeq.delete(seq));

        return gone.length > 0;
    }

    empty() {
        this.messages = [];
        this.#bySeq.clear();
        this.unread = this.readTo = this.countedTo = 0;
    }

    arrived(message) {
        const mine = this.chat.isMine(message);
        const waiting = mine && message.nonce !== undefined;

        if (waiting) {
            this.pending = this.pending.filter(({ nonce }) => {
                return nonce !== message.nonce;
            });
        }

        this.types(message.user, false);

        if (mine) {
            this.unread = 0;
            this.readTo = message.seq;

        } else if (message.seq > Math.max(this.readTo, this.countedTo)) {
            this.unread++;
        }

        const item = this.add(message);

        this.changed('message', { message: item, mine });
    }

    types(user, on, name = user) {
        const known = this.typists.get(user);

        clearTimeout(known?.timer);

        if (!on) {
            if (this.typists.delete(user)) {
                this.changed('typing');
            }

            return;
        }

        const timer = setTimeout(() => this.types(user, false), TYPING_SHOWN);

        this.typists.set(user, { user, name, timer });
        this.changed('typing');
    }

    /* Tells the others, as seldom as they can still rely on it. */

    setTyping(on) {
        const now = Date.now();
        const told = this.typingTold ?? 0;

        if (on ? now - told < TYPING_AGAIN || this.chat.hurried
               : told === 0)
        {
            return;
        }

        /* what the server has forgotten need not be taken back */

        const needless = !on && now - told > TYPING_SHOWN;

        this.typingTold = on ? now : 0;

        if (!needless && this.chat.state === 'open') {
            this.chat.typing(this.address, on).catch(() => {});
        }
    }

    /* Resolves as ChatClient.send() does; "pending" has it until then. */

    send(content) {
        let item;

        const off = this.chat.on('sending', ({ type, ...fields }) => {
            item = { ...fields, user: this.chat.user, error: null };
        });

        const sent = this.chat.send(this.address, content);

        off();
        this.typingTold = 0;            /* the server knows */

        if (item) {
            this.pending.push(item);
            this.changed('pending');

            sent.then(() => this.#sent(item), (error) => {
                this.#failed(item, error);
            });
        }

        return sent;
    }

    /* A message that failed is sent again, or given up. */

    retry(item) {
        const { text, data, reply_to: replyTo } = item;

        this.discard(item);

        return this.send({ text, data, reply_to: replyTo });
    }

    discard(item) {
        this.pending = this.pending.filter((other) => other !== item);
        this.changed('pending');
    }

    /* The event takes it out; if it came first, it has done so already. */

    #sent(item) {
        item.stored = true;
    }

    #failed(item, error) {
        if (this.pending.includes(item)) {
            item.error = error;
            this.changed('pending', { item, error });
        }
    }
}


export class ChatRoom extends Messages {
    #options;
    #late = new Map();          /* amendments of messages not read yet */
    #newest = 0;                /* seq at the latest join */
    #slowUntil = 0;
    #readTimer = null;

    /* options: history, as that of ChatClient.join() */

    constructor(chat, name, options = {}) {
        super(chat, name);

        this.address = name;
        this.joined = false;
        this.members = new Map();
        this.count = 0;
        this.topic = '';
        this.role = 'member';
        this.slow = 0;
        this.locked = false;
        this.membersOnly = false;
        this.mutedUntil = undefined;    /* null: without end */
        this.markers = new Map();       /* how far each user has read */
        this.more = false;
        this.#options = { presence: true, ...options };

        this.#listen();
    }

    /* members by role and name, as an array */

    get people() {
        return [...this.members.values()].sort((a, b) => {
            return RANKS[b.role] - RANKS[a.role]
                   || a.name.localeCompare(b.name);
        });
    }

    get moderates() {
        return RANKS[this.role] >= RANKS.moderator;
    }

    get owns() {
        return this.role === 'owner';
    }

    /* May one act on that member? */

    mayActOn(member) {
        return this.moderates && member.user !== this.chat.user
               && (RANKS[this.role] > RANKS[member.role] || this.owns);
    }

    mayDelete(message) {
        return !message.deleted && (this.moderates
                                    || this.chat.isMine(message));
    }

    mayEdit(message) {
        return !message.deleted && typeof message.text === 'string'
               && this.chat.isMine(message);
    }

    /* ms until slow mode lets one send again */

    get wait() {
        return Math.max(0, this.#slowUntil - Date.now());
    }

    get silent() {
        return this.mutedUntil === null || this.mutedUntil > Date.now();
    }

    join() {
        return this.chat.join(this.name, this.#options);
    }

    leave() {
        this.close();

        return this.chat.leave(this.name);
    }

    close() {
        super.close();
        clearTimeout(this.#readTimer);
    }

    send(content) {
        const sent = super.send(content);

        sent.then(() => {
            if (this.slow && !this.moderates) {
                this.#slowTo(this.slow);
            }

        }, (error) => this.#refused(error));

        return sent;
    }

    edit(seq, text) {
        return this.chat.edit(this.name, seq, text);
    }

    delete(seq) {
        return this.chat.delete(this.name, seq);
    }

    /* Adds one's reaction, or takes it back. */

    react(seq, emoji) {
        const users = this.find(seq)?.reactions?.get(emoji);

        return this.chat.react(this.name, seq, emoji,
                               !users?.has(this.chat.user));
    }

    /* Reads one more page of history; resolves with what it has brought. */

    async earlier(limit = 50) {
        const before = this.messages.find((item) => item.seq)?.seq;

        if (!before || !this.more) {
            return [];
        }

        const reply = await this.chat.history(this.name, { before, limit });
        const items = this.addEarlier(reply.messages.filter(shown));

        for (const item of items) {
            const late = this.#late.get(item.seq);

            if (late) {
                apply(item, late);
            }
        }

        this.more = reply.more && reply.messages.length > 0;
        this.changed('earlier', { items });

        return items;
    }

    /* What there is has been seen; the server is told a little later. */

    markRead() {
        if (this.unread === 0 || !this.joined) {
            return;
        }

        this.unread = 0;
        this.readTo = this.last;
        this.changed('unread');
        this.#readTimer ??= setTimeout(() => this.#tellRead(), READ_DELAY);
    }

    #tellRead() {
        this.#readTimer = null;

        if (this.chat.state !== 'open' || !this.joined || !this.readTo) {
            return;
        }

        if (this.chat.hurried) {
            this.#readTimer = setTimeout(() => this.#tellRead(), READ_DELAY);
            return;
        }

        this.chat.read(this.name, this.readTo).catch(() => {});
    }

    #listen() {
        const here = (type, handler) => {
            this.listen(type, (event) => {
                if (event.room === this.name) {
                    handler(event);
                }
            });
        };

        here('entered', (event) => this.#entered(event));
        here('message', (event) => this.arrived(event));
        here('edited', (event) => this.#amended(event));
        here('deleted', (event) => this.#amended(event));
        here('reacted', (event) => this.#reacted(event));
        here('joined', (event) => this.#came(event));
        here('left', (event) => this.#went(event));
        here('members', (event) => this.#met(event));
        here('typing', (event) => this.#typed(event));
        here('read', (event) => this.#read(event));
        here('profile', (event) => this.#renamed(event));
        here('granted', ({ user, role }) => this.#granted(user, role));
        here('gap', ({ from, to }) => this.#note({ type: 'gap', from, to }));
        here('reset', () => this.#reset());
        here('error', (event) => this.#gone(event));

        ACTS.forEach((type) => here(type, (event) => this.#acted(event)));

        this.listen('state', ({ state }) => {
            if (state !== 'open') {
                this.joined = false;
                this.typists.forEach(({ user }) => this.types(user, false));
            }
        });
    }

    /* The answer to a join is the state, whatever was known before. */

    #entered(event) {
        this.joined = true;
        this.role = event.role ?? this.role;
        this.count = event.members ?? this.count;
        this.#settings(event);

        this.#newest = event.seq ?? this.#newest;
        this.#present(event.presence);

        if (event.read !== undefined) {
            this.readTo = Math.max(this.readTo, event.read);
        }

        if (event.unread !== undefined) {
            this.unread = event.unread;
            this.countedTo = event.seq;
        }

        this.more = (this.messages.find((item) => item.seq)?.seq ?? 1) > 1;
        this.changed('entered');
    }

    /* all who are there, if that is told */

    #present(members) {
        if (members) {
            this.members = new Map(members.map((member) => {
                return [member.user, member];
            }));
        }
    }

    #amended(event) {
        const item = this.find(event.target);

        if (item) {
            apply(item, event);
            this.changed('amended', { message: item });

        } else if (event.target !== undefined) {
            this.#late.delete(event.target);
            this.#late.set(event.target, event);

            if (this.#late.size > LATE_MAX) {
                this.#late.delete(this.#late.keys().next().value);
            }
        }
    }

    #reacted({ target, user, emoji, on }) {
        const item = this.find(target);

        if (!item) {
            return;
        }

        item.reactions ??= new Map();

        const users = item.reactions.get(emoji) ?? new Set();

        if (on) {
            item.reactions.set(emoji, users.add(user));

        } else if (users.delete(user) && users.size === 0) {
            item.reactions.delete(emoji);
        }

        this.changed('amended', { message: item });
    }

    #came({ user, name, color, role = 'member', members, ts }) {
        if (user === undefined) {
            return;                     /* the location's own join */
        }

        const known = this.members.get(user);

        this.members.set(user, { role, since: ts, ...known, user, name,
                                 color });
        this.#counted(members);
    }

    #went({ user, members }) {
        this.members.delete(user);
        this.types(user, false);
        this.#counted(members);
    }

    #met({ members, presence }) {
        this.#present(presence);
        this.#counted(members);
    }

    #counted(members) {
        this.count = members ?? this.count;
        this.changed('members');
    }

    #typed({ user, on }) {
        this.types(user, on, this.members.get(user)?.name ?? user);
    }

    #read({ user, seq }) {
        this.markers.set(user, Math.max(seq, this.markers.get(user) ?? 0));

        if (user === this.chat.user && seq > this.readTo) {
            this.readTo = seq;
            this.unread = this.messages.filter((item) => {
                return item.type === 'message' && item.seq > seq;
            }).length;
            this.changed('unread');
        }
    }

    #renamed({ user, name, color }) {
        const member = this.members.get(user);

        if (member) {
            Object.assign(member, { name, color });
        }

        this.changed('profile', { user, name, color });
    }

    #granted(user, role) {
        const member = this.members.get(user);

        if (member) {
            member.role = role;
        }

        if (user === this.chat.user) {
            this.role = role;
            this.changed('settings');
        }

        this.changed('members');
    }

    #acted(event) {
        const mine = event.user === this.chat.user;

        if (event.type === 'room') {
            this.#settings(event);
            this.changed('settings');

        } else if (event.type === 'kicked' || event.type === 'banned') {
            /* what was before the join is known by its answer */

            if (event.seq > this.#newest && this.members.delete(event.user)) {
                this.#counted(event.members ?? this.count - 1);
            }

            if (event.purge) {
                this.#purged(event);
            }

        } else if (mine && event.type === 'muted') {
            this.mutedUntil = event.until ?? null;
            this.changed('settings');

        } else if (mine && event.type === 'unmuted') {
            this.mutedUntil = undefined;
            this.changed('settings');
        }

        this.#note(event);
    }

    #purged({ user, by, ts }) {
        for (const item of this.messages) {
            if (item.type === 'message' && item.user === user
                && !item.deleted)
            {
                apply(item, { type: 'deleted', user: by, ts });
                this.changed('amended', { message: item });
            }
        }
    }

    #settings({ topic, slow, locked, members_only: membersOnly }) {
        this.topic = topic ?? this.topic;
        this.slow = slow ?? this.slow;
        this.locked = locked ?? this.locked;
        this.membersOnly = membersOnly ?? this.membersOnly;

        if (slow === 0) {
            this.#slowUntil = 0;
        }
    }

    #refused({ code, retry_after: wait, until }) {
        if (code === 'slow_mode') {
            this.#slowTo(wait ?? this.slow);

        } else if (code === 'locked') {
            this.locked = true;
            this.changed('settings');

        } else if (code === 'muted') {
            this.mutedUntil = until ?? null;
            this.changed('settings');
        }
    }

    #slowTo(wait) {
        this.#slowUntil = Date.now() + wait;
        this.changed('settings');
    }

    #note(event) {
        this.changed('note', { message: this.add(event) });
    }

    #reset() {
        this.empty();
        this.#late.clear();
        this.changed('reset');
    }

    #gone(event) {
        this.joined = false;
        this.close();
        this.changed('gone', { error: event });
    }
}


/* What two people have written to each other. */

export class Conversation extends Messages {
    constructor(chat, peer) {
        super(chat, `@${peer}`);

        this.peer = peer;
        this.address = `@${peer}`;
        this.color = undefined;
        this.title = peer;
    }

    mayEdit(message) {
        return this.mayDelete(message) && typeof message.text === 'string';
    }

    mayDelete(message) {
        return !message.deleted && this.chat.isMine(message);
    }

    /* A message stands in both inboxes; the server amends both. */

    edit(seq, text) {
        return this.chat.edit(`@${this.chat.user}`, seq, text);
    }

    delete(seq) {
        return this.chat.delete(`@${this.chat.user}`, seq);
    }
}


/*
 * The own inbox as conversations, one a user.  Its changes have "what":
 * "conversation" (a new one, or news in one) and those of the conversations
 * themselves, which have listeners of their own.
 */

export class Inbox extends Emitter {
    #off = [];
    #seen = 0;
    #told = 0;
    #newest = 0;
    #timer = null;

    constructor(chat, options = {}) {
        super();

        this.chat = chat;
        this.options = options;
        this.conversations = new Map();

        this.#listen('message', (event) => this.#arrived(event));
        this.#listen('entered', (event) => this.#entered(event));
        this.#listen('edited', (event) => this.#amended(event));
        this.#listen('deleted', (event) => this.#amended(event));
        this.#listen('read', ({ seq }) => this.#read(seq));
        this.#listen('reset', () => this.#reset());

        this.#off.push(chat.on('typing', (event) => this.#typed(event)));
    }

    join() {
        return this.chat.inbox(this.options);
    }

    close() {
        clearTimeout(this.#timer);
        this.#off.forEach((off) => off());
        this.conversations.forEach((conversation) => conversation.close());
    }

    with(peer) {
        let conversation = this.conversations.get(peer);

        if (!conversation) {
            conversation = new Conversation(this.chat, peer);
            this.conversations.set(peer, conversation);
            this.changed('conversation', { conversation });
        }

        return conversation;
    }

    markRead(conversation) {
        if (conversation.unread) {
            conversation.unread = 0;
            conversation.readTo = conversation.last;
            conversation.changed('unread');
            this.#timer ??= setTimeout(() => this.#tellRead(), READ_DELAY);
        }
    }

    #listen(type, handler) {
        this.#off.push(this.chat.on(type, (event) => {
            if (event.room === `@${this.chat.user}` || type === 'reset'
                && event.room?.startsWith('@'))
            {
                handler(event);
            }
        }));
    }

    #arrived(event) {
        const mine = this.chat.isMine(event);
        const conversation = this.with(mine ? event.to : event.user);

        if (!mine) {
            conversation.title = event.name ?? conversation.title;
            conversation.color = event.color;
        }

        this.#newest = event.seq;
        conversation.readTo = Math.max(conversation.readTo, this.#seen);
        conversation.arrived(event);
        this.changed('conversation', { conversation });
    }

    #amended(event) {
        for (const conversation of this.conversations.values()) {
            const item = conversation.find(event.target);

            if (item) {
                apply(item, event);
                conversation.changed('amended', { message: item });
            }
        }
    }

    #entered({ read = 0 }) {
        this.#read(read);
        this.changed('entered');
    }

    /* somebody, maybe oneself elsewhere, has read all up to here */

    #read(seq) {
        if (seq <= this.#seen) {
            return;
        }

        this.#seen = seq;

        for (const conversation of this.conversations.values()) {
            conversation.readTo = Math.max(conversation.readTo, seq);
            conversation.unread = conversation.messages.filter((item) => {
                return item.seq > conversation.readTo
                       && !this.chat.isMine(item);
            }).length;
            conversation.changed('unread');
        }
    }

    /* The inbox has one marker: it stands before the first unread message. */

    #tellRead() {
        let to = this.#newest;

        this.#timer = null;

        for (const { messages, readTo, unread } of this.conversations.values())
        {
            if (unread) {
                const first = messages.find(({ seq, user }) => {
                    return seq > readTo && user !== this.chat.user;
                });

                to = Math.min(to, (first?.seq ?? to + 1) - 1);
            }
        }

        if (this.chat.state === 'open' && to > this.#told) {
            this.#told = to;
            this.chat.read(`@${this.chat.user}`, to).catch(() => {});
        }
    }

    #typed({ to, user, on }) {
        if (to !== undefined && to === this.chat.user) {
            const conversation = this.conversations.get(user);

            conversation?.types(user, on, conversation.title);
        }
    }

    #reset() {
        this.#seen = this.#told = this.#newest = 0;

        for (const conversation of this.conversations.values()) {
            conversation.empty();
            conversation.changed('reset');
        }
    }
}


/* Does an entry of history appear in the list? */

function shown({ type }) {
    return type === undefined || type === 'message' || ACTS.has(type);
}


/* A message may have come as a later edit has left it. */

function apply(item, { type, text, data, user, ts, deleted }) {
    if (type === 'deleted') {
        delete item.text;
        delete item.data;
        delete item.reactions;
        Object.assign(item, { deleted: ts, deletedBy: user });

    } else if (!item.deleted && !deleted && ts >= (item.edited ?? 0)) {
        delete item.text;
        delete item.data;
        Object.assign(item, { edited: ts },
                      text !== undefined && { text },
                      data !== undefined && { data });
    }
}
