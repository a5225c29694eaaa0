
/*
 * Hours' worth of what a zone goes through, its clock running faster than any:
 * rooms come and go, people too, messages are of all sizes, and memory is
 * nearly or wholly used.  What is used, what an append takes and what has to
 * be evicted must be at the end what it was at the begin; and when all have
 * gone, every block is free again.
 *
 *     soak [seconds [seed]]
 */


#include <time.h>

#include "shm_kit.h"
#include "test.h"


#define SOAK_BLOCKS   3000
#define SOAK_ROOMS    3000               /* names */
#define SOAK_USERS    40                 /* likewise */
#define SOAK_CONNS    150
#define SOAK_WINDOWS  20
#define SOAK_TAKEN    20000              /* appends timed in a window */
#define SOAK_TEXT     6000
#define SOAK_AWAY     2000               /* ms, until one has left */
#define SOAK_FACTOR   3.0                /* that noise may make of a time */


typedef struct {
    uint32_t                   room;
    uint32_t                   occupant;
    uint64_t                   epoch;
    ngx_uint_t                 user;
    ngx_http_chat_cursor_t     cursor;
} soak_conn_t;


/* What is seen in one part of the time. */
typedef struct {
    double                     used;     /* blocks, the mean */
    double                     rooms;
    double                     p50;      /* of an append, us */
    double                     p99;
    double                     evicted;  /* in 1000 appends */
    double                     refused;  /* likewise */
    ngx_uint_t                 appends;
    uint64_t                   bytes;
} soak_window_t;


static uint64_t               soak_seed = 1;
static uint64_t               soak_now;
static double                 soak_seconds = 2;
static ngx_uint_t             soak_percent;
static ngx_uint_t             soak_n;
static soak_conn_t            soak_conns[SOAK_CONNS];
static soak_window_t          soak_windows[SOAK_WINDOWS];
static double                 soak_times[SOAK_TAKEN];
static uint16_t               soak_slots[NGX_HTTP_CHAT_SLOTS_MAX];
static ngx_http_chat_zone_t   soak_zone, *z = &soak_zone;

static ngx_http_chat_retention_t  soak_long = {
    200, 60000, 65536, 20000, 5000
};

static ngx_http_chat_retention_t  soak_short = {
    2, 60000, 2048, 20000, 5000
};


static uint64_t
soak_random(uint64_t n)
{
    return shm_random(&soak_seed, n);
}


/* Of this process alone, so that a busy machine does not count. */

static double
soak_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static ngx_uint_t
soak_used(void)
{
    return z->sh->nblocks - z->sh->pool.nfree;
}


/* History is long while there is room for it. */

static ngx_http_chat_retention_t *
soak_keep(void)
{
    return (soak_used() * 100 >= z->sh->nblocks * soak_percent) ? &soak_short
                                                                : &soak_long;
}


static void
soak_announce(ngx_http_chat_announce_t *an)
{
    ngx_memzero(an, sizeof(ngx_http_chat_announce_t));

    an->presence = NGX_HTTP_CHAT_PRESENCE_FULL;
    an->limit = 20;
    an->slots = soak_slots;

    an->event.flags = NGX_HTTP_CHAT_ENTRY_EVENT;
    an->event.head.data = (u_char *) "{\"members\":";
    an->event.head.len = 11;
    an->event.tail.data = (u_char *) "}";
    an->event.tail.len = 1;
    an->count = an->event;
}


static void
soak_user(ngx_str_t *s, u_char *buf, ngx_uint_t user)
{
    s->data = buf;
    s->len = (size_t) snprintf((char *) buf, 32, "user-%02u", (unsigned) user);
}


static void
soak_join(void)
{
    u_char                      user[32], room[32];
    ngx_int_t                   rc;
    ngx_str_t                   name;
    soak_conn_t                *c;
    ngx_http_chat_person_t      person;
    ngx_http_chat_announce_t    an;
    ngx_http_chat_room_view_t   view;

    if (soak_n == SOAK_CONNS) {
        return;
    }

    c = &soak_conns[soak_n];
    c->user = soak_random(SOAK_USERS);

    name.data = room;
    name.len = (size_t) snprintf((char *) room, sizeof(room), "room-%u",
                                 (unsigned) soak_random(SOAK_ROOMS));

    ngx_memzero(&person, sizeof(ngx_http_chat_person_t));
    soak_user(&person.user, user, c->user);
    person.name = person.user;
    soak_announce(&an);

    rc = ngx_http_chat_room_join(z, &name, soak_keep(), &person, 0, &an,
                                 &c->room, &c->occupant, &view);
    test_ok(rc == NGX_OK || rc == NGX_DECLINED);

    if (rc == NGX_OK) {
        c->epoch = view.epoch;
        c->cursor = view.head;
        soak_n++;
    }
}


static void
soak_leave(ngx_uint_t i)
{
    soak_conn_t  *c;

    c = &soak_conns[i];

    (void) ngx_http_chat_room_leave(z, c->room, c->epoch, c->occupant,
                                    SOAK_AWAY);

    *c = soak_conns[--soak_n];
}


static void
soak_append(soak_conn_t *c, soak_window_t *w)
{
    double                       begin;
    size_t                       len;
    u_char                       nonce[16];
    ngx_int_t                    rc;
    ngx_http_chat_room_append_t  a;
    static u_char                text[SOAK_TEXT];

    ngx_memzero(&a, sizeof(ngx_http_chat_room_append_t));

    len = soak_random(8) ? 20 + soak_random(300) : soak_random(SOAK_TEXT);

    a.entry.head.data = text;
    a.entry.head.len = len;
    a.entry.flags = NGX_HTTP_CHAT_ENTRY_TEXT|NGX_HTTP_CHAT_ENTRY_MESSAGE;
    a.retention = soak_keep();
    a.slots = soak_slots;
    a.occupant = c->occupant;

    if (soak_random(2)) {
        a.nonce.data = nonce;
        a.nonce.len = (size_t) snprintf((char *) nonce, sizeof(nonce), "%llu",
                                 (unsigned long long) soak_random(1u << 30));
    }

    begin = soak_clock();
    rc = ngx_http_chat_room_append(z, c->room, c->epoch, &a);

    soak_times[w->appends % SOAK_TAKEN] = (soak_clock() - begin) * 1e6;

    test_ok(rc == NGX_OK || rc == NGX_DECLINED);

    w->appends++;
    w->bytes += len;
    w->refused += (rc == NGX_DECLINED);
}


static void
soak_read(soak_conn_t *c)
{
    size_t                      used, need;
    uint64_t                    gap;
    ngx_http_chat_room_view_t   view;
    static u_char               buf[32768];

    test_ok(ngx_http_chat_room_read(z, c->room, c->epoch, &c->cursor, buf,
                                    sizeof(buf), &used, &need, &gap, &view)
            == NGX_OK);
}


/* As the workers do each second. */

static void
soak_tick(void)
{
    uint32_t                   bucket;
    ngx_str_t                  user;
    ngx_uint_t                 i, n;
    ngx_msec_t                 wait;
    ngx_http_chat_due_t        due[16];
    ngx_http_chat_announce_t   an;

    ngx_http_chat_room_sweep(z, z->sh->nbuckets / 16);

    bucket = 0;

    while (bucket < z->sh->nbuckets) {
        n = ngx_http_chat_room_due(z, &bucket, z->sh->nbuckets, 0, due, 16);

        for (i = 0; i < n; i++) {
            user.data = due[i].user;
            user.len = due[i].user_len;

            soak_announce(&an);
            (void) ngx_http_chat_room_left(z, due[i].room, due[i].epoch, &user,
                                           &an, &wait);
        }

        if (n == 0) {
            break;
        }
    }
}


static void
soak_op(soak_window_t *w)
{
    ngx_uint_t  i;

    soak_now += soak_random(40);
    ngx_stub_time(soak_now);

    if (soak_n < SOAK_CONNS / 2 || soak_random(16) == 0) {
        soak_join();
        return;
    }

    i = soak_random(soak_n);

    switch (soak_random(16)) {

    case 0:
        soak_leave(i);
        break;

    case 1:
    case 2:
    case 3:
        soak_read(&soak_conns[i]);
        break;

    default:
        soak_append(&soak_conns[i], w);
    }
}


static int
soak_compare(const void *a, const void *b)
{
    const double  *one = a, *two = b;

    return (*one > *two) - (*one < *two);
}


/* So long, or so many operations: the first window sets how many, and all the
 * others do as much. */

static ngx_uint_t
soak_window(soak_window_t *w, ngx_uint_t ops)
{
    double      end;
    uint64_t    tick;
    ngx_uint_t  i, n, evicted;

    ngx_memzero(w, sizeof(soak_window_t));

    end = soak_clock() + soak_seconds / SOAK_WINDOWS;
    evicted = z->sh->evicted;
    tick = soak_now;

    for (i = 0; ops ? i < ops : soak_clock() < end; i++) {
        soak_op(w);

        if (soak_now - tick >= 1000) {
            tick = soak_now;
            soak_tick();
        }

        w->used += soak_used();
        w->rooms += z->sh->lru.rooms;
    }

    n = ngx_min(w->appends, SOAK_TAKEN);
    qsort(soak_times, n, sizeof(double), soak_compare);

    w->p50 = soak_times[n / 2];
    w->p99 = soak_times[n - 1 - n / 100];
    w->used /= i;
    w->rooms /= i;
    w->evicted = (z->sh->evicted - evicted) * 1000.0 / w->appends;
    w->refused = w->refused * 1000.0 / w->appends;

    return i;
}


static double
soak_median(ngx_uint_t first, size_t off)
{
    double      v[SOAK_WINDOWS / 4];
    ngx_uint_t  i;

    for (i = 0; i < SOAK_WINDOWS / 4; i++) {
        ngx_memcpy(&v[i], (u_char *) &soak_windows[first + i] + off,
                   sizeof(double));
    }

    qsort(v, SOAK_WINDOWS / 4, sizeof(double), soak_compare);

    return v[SOAK_WINDOWS / 8];
}


/* The first and the last quarter, each by its median; to be within factor, or
 * nearer than "near". */

static void
soak_same(const char *name, size_t off, double factor, double near)
{
    double  a, b;

    a = soak_median(0, off);
    b = soak_median(SOAK_WINDOWS - SOAK_WINDOWS / 4, off);

    printf("#   %-28s %10.2f   then %10.2f\n", name, a, b);

    test_ok((b <= a * factor && a <= b * factor)
            || (b - a < near && a - b < near));
}


static void
soak_end(void)
{
    ngx_uint_t   i;
    const char  *wrong;

    wrong = shm_complete(z);

    if (wrong) {
        printf("# %s\n", wrong);
    }

    test_ok(wrong == NULL);

    while (soak_n) {
        soak_leave(0);
    }

    /* idle rooms go after a minute, nonces before */

    for (i = 0; i < 400; i++) {
        soak_now += 1000;
        ngx_stub_time(soak_now);
        soak_tick();
    }

    ngx_stub_time(soak_now + 2 * 86400000);
    soak_now += 2 * 86400000;
    ngx_http_chat_room_sweep(z, z->sh->nbuckets);
    ngx_http_chat_room_sweep(z, z->sh->nbuckets);

    test_ok(shm_complete(z) == NULL);
    test_eq(z->sh->lru.rooms, 0);
    test_eq(z->sh->pool.nfree, z->sh->nblocks);
    test_eq(z->sh->leaks, 0);
}


static void
soak_run(void)
{
    double      begin;
    uint64_t    first, bytes;
    ngx_uint_t  i, ops, appends;

    shm_zone_make(z, SOAK_BLOCKS, 2);

    soak_now = SHM_NOW;
    soak_n = 0;
    begin = soak_clock();

    /* until it is as full as it will be */

    for (i = 0; i < SOAK_BLOCKS * 20; i++) {
        soak_op(&soak_windows[0]);

        if (i % 50 == 0) {
            soak_tick();
        }
    }

    first = soak_now;
    ops = 0;
    bytes = 0;
    appends = 0;

    for (i = 0; i < SOAK_WINDOWS; i++) {
        ops = soak_window(&soak_windows[i], ops);
        bytes += soak_windows[i].bytes;
        appends += soak_windows[i].appends;
    }

    printf("# %.1f hours in %.1f s: %lu operations, %lu messages, %lu MB, "
           "%lu rooms made, %lu evictions\n",
           (double) (soak_now - first) / 3600000, soak_clock() - begin,
           (unsigned long) ops * SOAK_WINDOWS, (unsigned long) appends,
           (unsigned long) (bytes >> 20), (unsigned long) z->sh->life,
           (unsigned long) z->sh->evicted);

    soak_same("blocks used", offsetof(soak_window_t, used), 1.03, 0);
    soak_same("rooms", offsetof(soak_window_t, rooms), 1.1, 0);
    soak_same("us an append, p50", offsetof(soak_window_t, p50),
              SOAK_FACTOR, 0.5);
    soak_same("us an append, p99", offsetof(soak_window_t, p99),
              SOAK_FACTOR, 5);
    soak_same("evictions in 1000 messages", offsetof(soak_window_t, evicted),
              1.15, 5);
    soak_same("refused in 1000 messages", offsetof(soak_window_t, refused),
              1.5, 5);

    soak_end();
    shm_zone_free(z);
}


static void
test_nearly_full(void)
{
    soak_percent = 95;
    soak_run();

    test_ok(soak_median(SOAK_WINDOWS - SOAK_WINDOWS / 4,
                        offsetof(soak_window_t, used))
            > 0.9 * SOAK_BLOCKS);
}


static void
test_full(void)
{
    soak_percent = 101;
    soak_run();

    test_ok(soak_median(0, offsetof(soak_window_t, evicted)) > 1);
}


int
main(int argc, char **argv)
{
    if (argc > 1) {
        soak_seconds = strtod(argv[1], NULL) / 2;
    }

    if (argc > 2) {
        soak_seed = strtoull(argv[2], NULL, 10);
    }

    test_run("a zone at 95 %", test_nearly_full);
    test_run("a full zone", test_full);

    return test_done();
}
