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
 * and one publisher, when it has come to all members.  A group with storm=1
 * sends no messages: half of its members are in the room, and in each turn,
 * inflight of them at a time, one leaves and another joins.  One with fill=N
 * sends all of its own before the measured time: each member joins N rooms
 * that nobody else is in and stays there, with one message in each.  In the
 * target, %r stands for the room (for nothing in such groups) and %u for the
 * user.  With -B the generator never
 * sleeps, and the server's sends never have to wake it.  The command of -c is
 * run when the measured time begins.  The result is one JSON object.
 */


#define _GNU_SOURCE

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>


#define LOAD_EVENTS       64
#define LOAD_ADDRESSES    8
#define LOAD_SETTLE       60      /* seconds */


static void load_options(int argc, char **argv);
static void load_group(char *spec);
static void load_pids(const char *list);
static void load_fillers(void);
static void load_limits(void);
static void load_rooms(group_t *g);
static void load_connect(group_t *g, SSL_CTX *tls);
static void load_target(char *dst, size_t size, room_t *room, uint32_t n);
static void load_settle(void);
static void load_start(void);
static void load_until(uint64_t deadline);
static void load_drain(void);
static int load_events(group_t *g);
static void load_wait(uint64_t deadline);
static void load_pace(group_t *g);


group_t                 load_groups[LOAD_GROUPS];
unsigned                load_ngroups;

pid_t                   load_pid[LOAD_PIDS];
unsigned                load_npids;

int                     load_is_chat;
int                     load_running;
int                     load_measuring;
uint64_t                load_now;
uint64_t                load_began;
int64_t                 load_setup;
int64_t                 load_own;
int64_t                 load_shared;

static int              load_port;
static int              load_is_tls;
static int              load_is_busy;
static const char      *load_url = "/raw?room=%r";
static const char      *load_command;
static uint64_t         load_warmup = 1000;
static uint64_t         load_time = 3000;

static int              load_epoll;
static link_message_pt  load_handler;


int
main(int argc, char **argv)
{
    mark_t          from, to;
    int64_t         cpu;
    SSL_CTX        *tls;
    unsigned        i;
    proc_memory_t   before, after;

    (void) signal(SIGPIPE, SIG_IGN);

    load_options(argc, argv);
    load_fillers();
    load_limits();

    load_traffic_init();

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

    cpu = proc_cpu_ns(load_pid, load_npids);

    if (cpu < 0 || proc_memory(&before, load_pid, load_npids) != 0) {
        load_die("a server process is gone", "");
    }

    for (i = 0; i < load_ngroups; i++) {
        load_rooms(&load_groups[i]);
        load_connect(&load_groups[i], tls);
    }

    load_settle();

    if (proc_memory(&after, load_pid, load_npids) != 0) {
        load_die("a server process is gone", "");
    }

    load_setup = proc_cpu_ns(load_pid, load_npids) - cpu;
    load_own = after.own - before.own;
    load_shared = after.shared - before.shared;

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
        { "all", offsetof(group_t, all) },
        { "storm", offsetof(group_t, storm) },
        { "fill", offsetof(group_t, fill) }
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

        for (i = 0; i < sizeof(fields) / sizeof(fields[0])
                    && strcmp(word, fields[i].name) != 0; i++) {
            /* void */
        }

        if (i == sizeof(fields) / sizeof(fields[0])) {
            load_die("unknown word in group:", word);
        }

        *(uint32_t *) ((char *) g + fields[i].offset) =
                                         (uint32_t) strtoul(value, NULL, 10);
    }

    if (g->size < LOAD_STAMP || g->size > LOAD_MESSAGE_MAX
        || g->publishers > g->members || g->publishers == 0
        || g->publishers > 4096 || g->rooms == 0
        || (g->all && (g->publishers > 1 || g->rate > 0))
        || (g->storm && g->inflight > g->members / 4)
        || (g->fill && g->rooms > 1))
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


/* Without chat.v1 a connection is in one room: there is nothing to fill. */

static void
load_fillers(void)
{
    unsigned  i, n;

    n = 0;

    for (i = 0; i < load_ngroups; i++) {

        if (load_is_chat || !load_groups[i].fill) {
            load_groups[n++] = load_groups[i];
        }
    }

    load_ngroups = n;
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
    int          k, joins;
    char        *last;
    const char  *p;

    last = dst + size - 1;
    joins = !room->group->storm && !room->group->fill;

    for (p = load_url; *p != '\0' && dst < last; p++) {

        if (p[0] == '%' && (p[1] == 'r' || p[1] == 'u')) {
            p++;

            k = (*p == 'r') ? snprintf(dst, (size_t) (last - dst), "%s",
                                       joins ? room->name : "")
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

    limit = load_clock(CLOCK_MONOTONIC) + LOAD_SETTLE * load_second;

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

        if (g->storm) {
            load_storm_start(g);
            continue;
        }

        if (g->rate > 0 || g->fill) {
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


uint64_t
load_clock(clockid_t id)
{
    struct timespec  ts;

    (void) clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * load_second + (uint64_t) ts.tv_nsec;
}


void
load_die(const char *what, const char *detail)
{
    (void) fflush(stdout);
    (void) fprintf(stderr, "load: %s %s\n", what, detail);
    exit(1);
}
