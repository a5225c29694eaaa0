/*
 * Load generator: groups of rooms with many members each, over WebSocket,
 * in raw mode (any server that sends each message to all members) or in
 * chat.v1.  Every message carries room, publisher, number and time, so each
 * receiver checks that nothing is lost, repeated, reordered or astray.
 *
 *     load -p PORT [-m raw|chat] [-u TARGET] [-s PID,PID] [-w MS] [-t MS]
 *          [-S] [-B] [-c COMMAND] -g name=fan,rooms=1,members=1000,
 *          publishers=1,inflight=1,rate=0,size=128 [-g ...]
 *
 * A group with a rate is paced (messages a second over all of its rooms);
 * one without is closed: a publisher has that many messages in flight and
 * sends the next one when one of its own has come back to it, or, with all=1
 * and one publisher, when it has come to all members.  In the target, %r
 * stands for the room and %u for the user.  With -B the generator never
 * sleeps, and the server's sends never have to wake it.  The command of -c is
 * run when the measured time begins.  The result is one JSON object.
 */


#define _GNU_SOURCE

#include "hist.h"
#include "link.h"
#include "proc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>


#define LOAD_GROUPS       4
#define LOAD_PIDS         128
#define LOAD_EVENTS       64
#define LOAD_ADDRESSES    8
#define LOAD_TRACKS       1024
#define LOAD_MESSAGE_MAX  1024
#define LOAD_ROOM_NAME    32

/* "B", room 3, publisher 2, number 5, time 8 digits of 6 bits */

#define LOAD_STAMP        19

#define load_second       UINT64_C(1000000000)
#define load_ms           UINT64_C(1000000)


typedef struct group_s  group_t;
typedef struct room_s   room_t;


typedef struct {
    link_t     link;              /* first: a link is its member */

    room_t    *room;
    uint32_t   number;
    int32_t    publisher;         /* number in the room, or -1 */
    uint32_t   next;              /* number of the next own message */
    uint32_t   ready;
    uint64_t   order;             /* hash of all messages, as they came */
    uint32_t  *expect;            /* next number of each publisher */
} member_t;


/* how many members a message has reached, for the last one's latency */

typedef struct {
    uint32_t   number;
    uint32_t   count;
} track_t;


struct room_s {
    char       name[LOAD_ROOM_NAME];
    group_t   *group;
    uint32_t   number;
    uint32_t   turn;              /* the publisher whose turn it is */
    size_t     hint;              /* where the last event had its text */
    member_t  *members;
    track_t   *tracks;
};


struct group_s {
    char       name[LOAD_ROOM_NAME];
    uint32_t   rooms;
    uint32_t   members;
    uint32_t   publishers;
    uint32_t   inflight;
    uint32_t   rate;
    uint32_t   size;
    uint32_t   all;

    int        epoll;
    uint32_t   turn;
    uint32_t   ready;
    uint64_t   due;
    room_t    *room;

    uint64_t   sent;
    uint64_t   received;
    uint64_t   measured;
    uint64_t   measured_sent;
    uint64_t   lost;
    uint64_t   repeated;
    uint64_t   astray;
    uint64_t   unordered;
    uint64_t   stalled;

    hist_t     latency;
    hist_t     last;
};


typedef struct {
    uint64_t   at;
    uint64_t   own_cpu;
    int64_t    server_cpu;
} mark_t;


static void load_options(int argc, char **argv);
static void load_group(char *spec);
static void load_pids(const char *list);
static void load_limits(void);
static void load_rooms(group_t *g);
static void load_connect(group_t *g, SSL_CTX *tls);
static void load_target(char *dst, size_t size, room_t *room, uint32_t n);
static void load_settle(void);
static void load_start(void);
static void load_until(uint64_t deadline);
static void load_drain(void);
static uint64_t load_pending(void);
static int load_events(group_t *g);
static void load_wait(uint64_t deadline);
static void load_pace(group_t *g);
static void load_publish(member_t *m);
static void load_raw(link_t *l, const unsigned char *p, size_t n);
static void load_chat(link_t *l, const unsigned char *p, size_t n);
static void load_event(member_t *m, const unsigned char *p, size_t n);
static void load_deliver(member_t *m, const unsigned char *p, size_t n);
static void load_check(member_t *m, uint32_t publisher, uint32_t number);
static void load_track(room_t *room, uint32_t number, uint64_t latency);
static void load_put(char *dst, unsigned digits, uint64_t value);
static uint64_t load_get(const unsigned char *p, unsigned digits);
static void load_mark(mark_t *mark);
static void load_missing(group_t *g);
static void load_report(const mark_t *from, const mark_t *to);
static void load_report_group(group_t *g, double seconds);
static uint64_t load_clock(clockid_t id);
static void load_die(const char *what, const char *detail);


static const char       load_digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
                                        "WXYZabcdefghijklmnopqrstuvwxyz-_";

static uint8_t          load_values[256];

static group_t          load_groups[LOAD_GROUPS];
static unsigned         load_ngroups;

static pid_t            load_pid[LOAD_PIDS];
static unsigned         load_npids;

static int              load_port;
static int              load_is_chat;
static int              load_is_tls;
static int              load_is_busy;
static const char      *load_url = "/raw?room=%r";
static const char      *load_command;
static uint64_t         load_warmup = 1000;
static uint64_t         load_time = 3000;

static int              load_epoll;
static int              load_running;
static int              load_measuring;
static uint64_t         load_now;
static uint64_t         load_began;
static uint64_t         load_memory;
static uint64_t         load_refused;
static uint64_t         load_gaps;
static char             load_refusal[256];
static link_message_pt  load_handler;


int
main(int argc, char **argv)
{
    mark_t    from, to;
    int64_t   before, after;
    SSL_CTX  *tls;
    unsigned  i;

    (void) signal(SIGPIPE, SIG_IGN);

    load_options(argc, argv);
    load_limits();

    for (i = 0; i < 64; i++) {
        load_values[(unsigned char) load_digits[i]] = (uint8_t) i;
    }

    tls = NULL;

    if (load_is_tls) {
        tls = SSL_CTX_new(TLS_client_method());

        if (tls == NULL) {
            load_die("no TLS context", "");
        }

        (void) SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    }

    load_began = load_clock(CLOCK_MONOTONIC);
    load_handler = load_is_chat ? load_chat : load_raw;
    load_epoll = epoll_create1(EPOLL_CLOEXEC);

    before = proc_memory(load_pid, load_npids);

    for (i = 0; i < load_ngroups; i++) {
        load_rooms(&load_groups[i]);
        load_connect(&load_groups[i], tls);
    }

    load_settle();

    after = proc_memory(load_pid, load_npids);

    if (before < 0 || after < 0) {
        load_die("a server process is gone", "");
    }

    load_memory = (after > before) ? (uint64_t) (after - before) : 0;

    load_start();
    load_until(load_clock(CLOCK_MONOTONIC) + load_warmup * load_ms);

    if (load_command != NULL && system(load_command) != 0) {
        load_die("failed:", load_command);
    }

    load_mark(&from);
    load_measuring = 1;
    load_until(from.at + load_time * load_ms);
    load_measuring = 0;
    load_mark(&to);

    load_drain();

    for (i = 0; i < load_ngroups; i++) {
        load_missing(&load_groups[i]);
    }

    load_report(&from, &to);

    return 0;
}


static void
load_options(int argc, char **argv)
{
    int  opt;

    while ((opt = getopt(argc, argv, "p:m:u:s:w:t:g:c:SB")) != -1) {

        switch (opt) {

        case 'p':
            load_port = (int) strtol(optarg, NULL, 10);
            break;

        case 'm':
            load_is_chat = (strcmp(optarg, "chat") == 0);
            break;

        case 'u':
            load_url = optarg;
            break;

        case 's':
            load_pids(optarg);
            break;

        case 'w':
            load_warmup = strtoull(optarg, NULL, 10);
            break;

        case 't':
            load_time = strtoull(optarg, NULL, 10);
            break;

        case 'g':
            load_group(optarg);
            break;

        case 'c':
            load_command = optarg;
            break;

        case 'S':
            load_is_tls = 1;
            break;

        case 'B':
            load_is_busy = 1;
            break;

        default:
            load_die("usage:", "load -p PORT -g GROUP [-g GROUP]");
        }
    }

    if (load_port <= 0 || load_port > 65535 || load_ngroups == 0) {
        load_die("usage:", "load -p PORT -g GROUP [-g GROUP]");
    }
}


static void
load_group(char *spec)
{
    char      *word, *value, *save;
    size_t     i;
    group_t   *g;

    static const struct {
        const char  *name;
        size_t       offset;
    } fields[] = {
        { "rooms", offsetof(group_t, rooms) },
        { "members", offsetof(group_t, members) },
        { "publishers", offsetof(group_t, publishers) },
        { "inflight", offsetof(group_t, inflight) },
        { "rate", offsetof(group_t, rate) },
        { "size", offsetof(group_t, size) },
        { "all", offsetof(group_t, all) }
    };

    if (load_ngroups == LOAD_GROUPS) {
        load_die("too many groups:", spec);
    }

    g = &load_groups[load_ngroups++];

    g->rooms = 1;
    g->members = 2;
    g->publishers = 1;
    g->inflight = 1;
    g->size = 128;

    for (word = strtok_r(spec, ",", &save);
         word != NULL;
         word = strtok_r(NULL, ",", &save))
    {
        value = strchr(word, '=');
        if (value == NULL) {
            load_die("no value in group:", word);
        }

        *value++ = '\0';

        if (strcmp(word, "name") == 0) {
            (void) snprintf(g->name, sizeof(g->name), "%s", value);
            continue;
        }

        for (i = 0; i < 7 && strcmp(word, fields[i].name) != 0; i++) {
            /* void */
        }

        if (i == 7) {
            load_die("unknown word in group:", word);
        }

        *(uint32_t *) ((char *) g + fields[i].offset) =
                                         (uint32_t) strtoul(value, NULL, 10);
    }

    if (g->size < LOAD_STAMP || g->size > LOAD_MESSAGE_MAX
        || g->publishers > g->members || g->publishers == 0
        || g->publishers > 4096 || g->rooms == 0
        || (g->all && (g->publishers > 1 || g->rate > 0)))
    {
        load_die("a group's numbers are out of range:", g->name);
    }
}


static void
load_pids(const char *list)
{
    char  *end;

    while (*list != '\0' && load_npids < LOAD_PIDS) {
        load_pid[load_npids++] = (pid_t) strtol(list, &end, 10);
        list = (*end == ',') ? end + 1 : end;

        if (*end != ',' && *end != '\0') {
            load_die("not a list of process numbers:", list);
        }
    }
}


static void
load_limits(void)
{
    uint32_t       wanted;
    unsigned       i;
    struct rlimit  limit;

    wanted = 64;

    for (i = 0; i < load_ngroups; i++) {
        wanted += load_groups[i].rooms * load_groups[i].members;
    }

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        load_die("getrlimit() failed:", strerror(errno));
    }

    if (limit.rlim_cur >= wanted) {
        return;
    }

    limit.rlim_cur = wanted;

    if (limit.rlim_max < wanted) {
        limit.rlim_max = wanted;
    }

    if (setrlimit(RLIMIT_NOFILE, &limit) == -1) {
        load_die("too few open files are allowed:", strerror(errno));
    }
}


static void
load_rooms(group_t *g)
{
    room_t    *room;
    member_t  *m;
    uint32_t   i, n;

    g->epoll = epoll_create1(EPOLL_CLOEXEC);
    g->room = calloc(g->rooms, sizeof(room_t));

    if (g->epoll == -1 || g->room == NULL) {
        load_die("no memory", "");
    }

    for (i = 0; i < g->rooms; i++) {
        room = &g->room[i];

        room->group = g;
        room->number = i;
        room->members = calloc(g->members, sizeof(member_t));
        room->tracks = calloc(LOAD_TRACKS, sizeof(track_t));

        if (room->members == NULL || room->tracks == NULL) {
            load_die("no memory", "");
        }

        (void) snprintf(room->name, LOAD_ROOM_NAME, "%.20s%u", g->name, i);

        for (n = 0; n < g->members; n++) {
            m = &room->members[n];

            m->room = room;
            m->number = n;
            m->expect = calloc(g->publishers, sizeof(uint32_t));

            if (m->expect == NULL) {
                load_die("no memory", "");
            }

            /* the publishers join last */

            m->publisher = (int32_t) (n + g->publishers)
                           - (int32_t) g->members;
        }
    }
}


static void
load_connect(group_t *g, SSL_CTX *tls)
{
    char                target[256];
    uint32_t            i, n;
    link_to_t           to;
    member_t           *m;
    struct epoll_event  ee;

    memset(&to, 0, sizeof(to));

    to.to.sin_family = AF_INET;
    to.to.sin_port = htons((uint16_t) load_port);
    to.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.target = target;
    to.protocol = load_is_chat ? "chat.v1" : NULL;
    to.tls = tls;

    ee.events = EPOLLIN;

    for (n = 0; n < g->members; n++) {

        for (i = 0; i < g->rooms; i++) {
            m = &g->room[i].members[n];

            load_target(target, sizeof(target), m->room, n);
            to.from = htonl(INADDR_LOOPBACK + 1
                            + (n * g->rooms + i) % LOAD_ADDRESSES);

            if (link_open(&m->link, &to) != 0) {
                load_die("cannot connect:", link_error);
            }

            ee.data.ptr = m;

            if (epoll_ctl(g->epoll, EPOLL_CTL_ADD, m->link.fd, &ee) == -1) {
                load_die("epoll_ctl() failed:", strerror(errno));
            }

            if (!load_is_chat) {
                m->ready = 1;
                g->ready++;
            }

            if (link_feed(&m->link, load_handler) != 0) {
                load_die("connection lost:", link_error);
            }
        }
    }

    ee.data.ptr = g;

    if (epoll_ctl(load_epoll, EPOLL_CTL_ADD, g->epoll, &ee) == -1) {
        load_die("epoll_ctl() failed:", strerror(errno));
    }
}


static void
load_target(char *dst, size_t size, room_t *room, uint32_t n)
{
    int          k;
    char        *last;
    const char  *p;

    last = dst + size - 1;

    for (p = load_url; *p != '\0' && dst < last; p++) {

        if (p[0] == '%' && (p[1] == 'r' || p[1] == 'u')) {
            p++;

            k = (*p == 'r') ? snprintf(dst, (size_t) (last - dst), "%s",
                                       room->name)
                            : snprintf(dst, (size_t) (last - dst), "%s-%u",
                                       room->name, n);

            dst += (k < last - dst) ? k : last - dst;
            continue;
        }

        *dst++ = *p;
    }

    *dst = '\0';
}


/* until everybody has joined, and a little longer */

static void
load_settle(void)
{
    unsigned  i;
    uint64_t  limit;

    limit = load_clock(CLOCK_MONOTONIC) + 20 * load_second;

    for (i = 0; i < load_ngroups; i++) {

        while (load_groups[i].ready
               < load_groups[i].rooms * load_groups[i].members)
        {
            if (load_clock(CLOCK_MONOTONIC) > limit) {
                load_die("not all members were told that they have joined",
                         load_refusal);
            }

            load_until(load_clock(CLOCK_MONOTONIC) + 50 * load_ms);
        }
    }

    load_until(load_clock(CLOCK_MONOTONIC) + 500 * load_ms);
}


static void
load_start(void)
{
    group_t   *g;
    uint32_t   i, n, k;
    unsigned   j;

    load_running = 1;
    load_now = load_clock(CLOCK_MONOTONIC);

    for (j = 0; j < load_ngroups; j++) {
        g = &load_groups[j];
        g->due = load_now;

        if (g->rate > 0) {
            continue;
        }

        for (i = 0; i < g->rooms; i++) {
            for (n = g->members - g->publishers; n < g->members; n++) {
                for (k = 0; k < g->inflight; k++) {
                    load_publish(&g->room[i].members[n]);
                }
            }
        }
    }
}


/*
 * Groups take turns, a few events each, so that the crowd of one does not
 * delay the reading, and so the latency, of the other.
 */

static void
load_until(uint64_t deadline)
{
    int       busy;
    unsigned  i;

    for ( ;; ) {
        busy = 0;

        for (i = 0; i < load_ngroups; i++) {
            load_now = load_clock(CLOCK_MONOTONIC);

            if (load_running) {
                load_pace(&load_groups[i]);
            }

            busy += load_events(&load_groups[i]);
        }

        if (load_now >= deadline) {
            return;
        }

        if (!busy && !load_is_busy) {
            load_wait(deadline);
        }
    }
}


/* until all is there, or nothing has come for a second */

static void
load_drain(void)
{
    uint64_t  pending, before, limit;

    load_running = 0;
    before = 0;
    limit = 0;

    for ( ;; ) {
        load_until(load_clock(CLOCK_MONOTONIC) + 50 * load_ms);

        pending = load_pending();

        if (pending != before) {
            before = pending;
            limit = load_now + load_second;
        }

        if (pending == 0 || load_now >= limit) {
            break;
        }
    }

    /* one more turn, for what should not come */

    load_until(load_clock(CLOCK_MONOTONIC) + 200 * load_ms);
}


static uint64_t
load_pending(void)
{
    group_t   *g;
    uint64_t   pending, wanted;
    unsigned   i;

    pending = 0;

    for (i = 0; i < load_ngroups; i++) {
        g = &load_groups[i];
        wanted = g->sent * g->members;

        pending += (g->received < wanted) ? wanted - g->received : 0;
    }

    return pending;
}


static int
load_events(group_t *g)
{
    int                 i, n;
    member_t           *m;
    struct epoll_event  events[LOAD_EVENTS];

    n = epoll_wait(g->epoll, events, LOAD_EVENTS, 0);

    if (n == -1 && errno != EINTR) {
        load_die("epoll_wait() failed:", strerror(errno));
    }

    for (i = 0; i < n; i++) {
        m = events[i].data.ptr;
        load_now = load_clock(CLOCK_MONOTONIC);

        if (link_read(&m->link, load_handler) != 0) {
            load_die("connection lost:", link_error);
        }
    }

    return n > 0;
}


static void
load_wait(uint64_t deadline)
{
    uint64_t            next, now;
    unsigned            i;
    struct timespec     timeout;
    struct epoll_event  events[LOAD_GROUPS];

    next = deadline;

    for (i = 0; load_running && i < load_ngroups; i++) {

        if (load_groups[i].rate > 0 && load_groups[i].due < next) {
            next = load_groups[i].due;
        }
    }

    now = load_clock(CLOCK_MONOTONIC);

    if (next <= now) {
        return;
    }

    timeout.tv_sec = (time_t) ((next - now) / load_second);
    timeout.tv_nsec = (long) ((next - now) % load_second);

    if (epoll_pwait2(load_epoll, events, LOAD_GROUPS, &timeout, NULL) == -1
        && errno != EINTR)
    {
        load_die("epoll_pwait2() failed:", strerror(errno));
    }
}


static void
load_pace(group_t *g)
{
    room_t    *room;
    uint32_t   n;

    if (g->rate == 0) {
        return;
    }

    while (g->due <= load_now) {
        room = &g->room[g->turn];
        n = g->members - 1 - room->turn;

        load_publish(&room->members[n]);

        g->turn = (g->turn + 1) % g->rooms;
        room->turn = (room->turn + 1) % g->publishers;
        g->due += load_second / g->rate;
    }
}


static void
load_publish(member_t *m)
{
    int       n, rc;
    char      text[LOAD_MESSAGE_MAX + 1];
    char      command[LOAD_MESSAGE_MAX + 128];
    group_t  *g;

    g = m->room->group;

    memset(text, 'x', g->size);

    text[0] = 'B';
    load_put(text + 1, 3, m->room->number);
    load_put(text + 4, 2, (uint64_t) m->publisher);
    load_put(text + 6, 5, m->next);
    load_put(text + 11, 8, load_clock(CLOCK_MONOTONIC) - load_began);

    if (load_is_chat) {
        n = snprintf(command, sizeof(command),
                     "{\"type\":\"send\",\"room\":\"%s\",\"text\":\"%.*s\"}",
                     m->room->name, (int) g->size, text);

        rc = link_send(&m->link, command, (size_t) n);

    } else {
        rc = link_send(&m->link, text, g->size);
    }

    if (rc < 0 || (rc > 0 && g->rate == 0)) {
        load_die("cannot publish:", link_error);
    }

    if (rc > 0) {
        g->stalled++;
        return;
    }

    m->next++;
    g->sent++;

    if (load_measuring) {
        g->measured_sent++;
    }
}


static void
load_raw(link_t *l, const unsigned char *p, size_t n)
{
    /* what is no message of ours is the server's own remark */

    if (n >= LOAD_STAMP && p[0] == 'B') {
        load_deliver((member_t *) l, p, n);
    }
}


static void
load_chat(link_t *l, const unsigned char *p, size_t n)
{
    size_t                hint;
    member_t             *m;
    const unsigned char  *text;

    static const char  type[] = "{\"type\":\"message\"";
    static const char  mark[] = "\"text\":\"B";

    m = (member_t *) l;

    if (n < sizeof(type) || memcmp(p, type, sizeof(type) - 1) != 0) {
        load_event(m, p, n);
        return;
    }

    hint = m->room->hint;
    text = p + hint;

    if (hint == 0 || hint + sizeof(mark) > n
        || memcmp(text, mark, sizeof(mark) - 1) != 0)
    {
        text = memmem(p, n, mark, sizeof(mark) - 1);

        if (text == NULL) {
            load_die("a message without a text of ours", "");
        }

        m->room->hint = (size_t) (text - p);
    }

    text += sizeof(mark) - 2;

    if (p + n - text < m->room->group->size) {
        load_die("a message was cut", "");
    }

    load_deliver(m, text, m->room->group->size);
}


static void
load_event(member_t *m, const unsigned char *p, size_t n)
{
    if (memmem(p, n, "\"type\":\"joined\"", 15) != NULL) {

        if (!m->ready) {
            m->ready = 1;
            m->room->group->ready++;
        }

        return;
    }

    if (memmem(p, n, "\"type\":\"gap\"", 12) != NULL) {
        load_gaps++;
    }

    if (memmem(p, n, "\"type\":\"error\"", 14) != NULL) {

        if (load_refused++ == 0) {
            (void) snprintf(load_refusal, sizeof(load_refusal), "%.*s",
                            (int) n, (const char *) p);
            (void) fprintf(stderr, "load: refused: %s\n", load_refusal);
        }
    }
}


static void
load_deliver(member_t *m, const unsigned char *p, size_t n)
{
    room_t    *room;
    group_t   *g;
    uint64_t   latency, sent;
    uint32_t   publisher, number;

    room = m->room;
    g = room->group;

    publisher = (uint32_t) load_get(p + 4, 2);
    number = (uint32_t) load_get(p + 6, 5);
    sent = load_began + load_get(p + 11, 8);

    if (n != g->size || load_get(p + 1, 3) != room->number
        || publisher >= g->publishers)
    {
        g->astray++;
        return;
    }

    g->received++;
    load_check(m, publisher, number);

    latency = (load_now > sent) ? load_now - sent : 0;

    if (load_measuring) {
        g->measured++;
        hist_add(&g->latency, latency);
    }

    if (g->publishers == 1) {
        load_track(room, number, latency);
    }

    if (m->publisher == (int32_t) publisher && g->rate == 0 && !g->all
        && load_running)
    {
        load_publish(m);
    }
}


static void
load_check(member_t *m, uint32_t publisher, uint32_t number)
{
    group_t   *g;
    uint32_t   expect;

    g = m->room->group;
    expect = m->expect[publisher];

    m->order = (m->order ^ (((uint64_t) publisher << 32) | number))
               * UINT64_C(0x9e3779b97f4a7c15);
    m->order ^= m->order >> 29;

    if (number == expect) {
        m->expect[publisher]++;

    } else if (number > expect) {
        g->lost += number - expect;
        m->expect[publisher] = number + 1;

    } else {
        g->repeated++;
    }
}


static void
load_track(room_t *room, uint32_t number, uint64_t latency)
{
    group_t  *g;
    track_t  *track;

    g = room->group;
    track = &room->tracks[number % LOAD_TRACKS];

    if (track->number != number) {
        track->number = number;
        track->count = 0;
    }

    track->count++;

    if (track->count < g->members) {
        return;
    }

    if (load_measuring) {
        hist_add(&g->last, latency);
    }

    if (g->all && load_running) {
        load_publish(&room->members[g->members - 1]);
    }
}


static void
load_put(char *dst, unsigned digits, uint64_t value)
{
    while (digits-- > 0) {
        dst[digits] = load_digits[value & 63];
        value >>= 6;
    }
}


static uint64_t
load_get(const unsigned char *p, unsigned digits)
{
    uint64_t  value;

    value = 0;

    while (digits-- > 0) {
        value = (value << 6) | load_values[*p++];
    }

    return value;
}


static void
load_mark(mark_t *mark)
{
    mark->at = load_clock(CLOCK_MONOTONIC);
    mark->own_cpu = load_clock(CLOCK_PROCESS_CPUTIME_ID);
    mark->server_cpu = proc_cpu_ns(load_pid, load_npids);

    if (mark->server_cpu < 0) {
        load_die("a server process is gone", "");
    }
}


/* what never came, and who saw another order than the first member */

static void
load_missing(group_t *g)
{
    room_t    *room;
    member_t  *m;
    uint32_t   i, n, k, sent;

    for (i = 0; i < g->rooms; i++) {
        room = &g->room[i];

        for (n = 0; n < g->members; n++) {
            m = &room->members[n];

            for (k = 0; k < g->publishers; k++) {
                sent = room->members[g->members - g->publishers + k].next;
                g->lost += sent - m->expect[k];
            }

            if (m->order != room->members[0].order) {
                g->unordered++;
            }
        }
    }
}


static void
load_report(const mark_t *from, const mark_t *to)
{
    double    wall, cpu;
    uint64_t  measured, members;
    unsigned  i;

    measured = 0;
    members = 0;

    for (i = 0; i < load_ngroups; i++) {
        measured += load_groups[i].measured;
        members += load_groups[i].rooms * load_groups[i].members;
    }

    wall = (double) (to->at - from->at);
    cpu = (double) (to->server_cpu - from->server_cpu);

    (void) printf("{\"seconds\":%.3f,\"cpu_per_delivery\":%.2f,"
                  "\"server_busy\":%.3f,\"load_busy\":%.3f,"
                  "\"memory\":%" PRIu64 ",\"memory_per_member\":%.1f,"
                  "\"refused\":%" PRIu64 ",\"gaps\":%" PRIu64
                  ",\"groups\":{",
                  wall / 1e9, measured ? cpu / (double) measured : 0.0,
                  cpu / wall, (double) (to->own_cpu - from->own_cpu) / wall,
                  load_memory, (double) load_memory / (double) members,
                  load_refused, load_gaps);

    for (i = 0; i < load_ngroups; i++) {
        (void) printf("%s", i ? "," : "");
        load_report_group(&load_groups[i], wall / 1e9);
    }

    (void) printf("}}\n");
}


static void
load_report_group(group_t *g, double seconds)
{
    (void) printf("\"%s\":{\"messages\":%" PRIu64 ",\"deliveries\":%" PRIu64
                  ",\"deliveries_per_second\":%.0f,\"p50\":%.1f,"
                  "\"p99\":%.1f,\"max\":%.1f,\"last_p50\":%.1f,"
                  "\"lost\":%" PRIu64 ",\"repeated\":%" PRIu64
                  ",\"astray\":%" PRIu64 ",\"unordered\":%" PRIu64
                  ",\"stalled\":%" PRIu64 "}",
                  g->name, g->measured_sent, g->measured,
                  (double) g->measured / seconds,
                  (double) hist_quantile(&g->latency, 0.5) / 1e3,
                  (double) hist_quantile(&g->latency, 0.99) / 1e3,
                  (double) g->latency.max / 1e3,
                  (double) hist_quantile(&g->last, 0.5) / 1e3,
                  g->lost, g->repeated, g->astray, g->unordered, g->stalled);
}


static uint64_t
load_clock(clockid_t id)
{
    struct timespec  ts;

    (void) clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * load_second + (uint64_t) ts.tv_nsec;
}


static void
load_die(const char *what, const char *detail)
{
    (void) fflush(stdout);
    (void) fprintf(stderr, "load: %s %s\n", what, detail);
    exit(1);
}
