
/*
 * What members of a room read: kept and passing entries in the order in which
 * they came, edited and deleted ones as they are now.
 *
 * Random lives of a room are followed in a plain list.  Readers with cursors
 * of their own read pieces of any size, go on from behind any entry of what
 * they got, and must get what the list has.
 *
 *     shm_merge [first seed [last seed]]
 */


#include "shm_kit.h"
#include "test.h"


#define MERGE_SEEDS    400
#define MERGE_STEPS    300
#define MERGE_READERS  4
#define MERGE_BUF      65536
#define MERGE_PASSING  (NGX_HTTP_CHAT_ENTRY_PASSING)


typedef struct {
    uint64_t                   seq;      /* 0: it passes */
    uint64_t                   ts;
    uint64_t                   target;   /* of what amends */
    ngx_uint_t                 message;
    ngx_uint_t                 edited;   /* the item that did it, or 0 */
    ngx_uint_t                 deleted;  /* likewise */
} merge_item_t;


typedef struct {
    ngx_http_chat_cursor_t     cursor;
    ngx_uint_t                 next;     /* item */
    ngx_uint_t                 place;    /* the last passing one behind it */
} merge_reader_t;


typedef struct {
    ngx_http_chat_zone_t       zone;
    uint32_t                   room;
    uint64_t                   epoch;
    uint64_t                   seed;
    uint64_t                   random;
    uint64_t                   now;
    uint64_t                   next_seq;
    ngx_uint_t                 nitems;   /* from 1 */
    merge_item_t               items[MERGE_STEPS + 2];
    merge_reader_t             readers[MERGE_READERS];
} merge_t;


static ngx_uint_t  merge_read_entries;
static ngx_uint_t  merge_read_passing;
static ngx_uint_t  merge_read_amended;
static ngx_uint_t  merge_read_lost;
static uint64_t    merge_first = 1;
static uint64_t    merge_last = MERGE_SEEDS;

static ngx_http_chat_retention_t  merge_keep = { 40, 600000, 8192, 3600000,
                                                 120000 };


/* The text of item i: its number, and filled up to some length. */

static size_t
merge_text(ngx_uint_t i, u_char *buf)
{
    size_t  len;

    len = (size_t) snprintf((char *) buf, 32, "<%u:", (unsigned) i);

    while (len < 20 + (i * 37) % 120) {
        buf[len++] = (u_char) ('a' + i % 26);
    }

    buf[len++] = '>';

    return len;
}


static ngx_uint_t
merge_find(merge_t *m, uint64_t seq)
{
    ngx_uint_t  i;

    for (i = 1; i <= m->nitems; i++) {

        if (m->items[i].seq == seq) {
            return i;
        }
    }

    return 0;
}


static ngx_int_t
merge_append(merge_t *m, ngx_http_chat_append_t *entry)
{
    ngx_int_t                     rc;
    uint16_t                      slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_http_chat_room_append_t   a;
    static u_char                 text[256];

    ngx_memzero(&a, sizeof(ngx_http_chat_room_append_t));

    a.entry = *entry;
    a.entry.head.data = text;
    a.entry.head.len = merge_text(m->nitems + 1, text);
    a.retention = &merge_keep;
    a.slots = slots;

    rc = ngx_http_chat_room_append(&m->zone, m->room, m->epoch, &a);

    if (rc != NGX_OK) {
        return rc;
    }

    m->nitems++;

    ngx_memzero(&m->items[m->nitems], sizeof(merge_item_t));

    m->items[m->nitems].ts = a.entry.ts;
    m->items[m->nitems].seq = a.entry.seq;

    if (!(entry->flags & MERGE_PASSING)) {
        test_eq(a.entry.seq, m->next_seq);
        m->next_seq++;
    }

    return NGX_OK;
}


static void
merge_say(merge_t *m)
{
    ngx_http_chat_append_t  a;

    ngx_memzero(&a, sizeof(ngx_http_chat_append_t));

    if (shm_random(&m->random, 2)) {
        a.flags = MERGE_PASSING;

    } else {
        a.flags = NGX_HTTP_CHAT_ENTRY_TEXT|NGX_HTTP_CHAT_ENTRY_MESSAGE;
    }

    test_eq(merge_append(m, &a), NGX_OK);

    m->items[m->nitems].message = !(a.flags & MERGE_PASSING);
}


/* A target, or none if that is no message or is deleted. */

static ngx_uint_t
merge_target(merge_t *m, ngx_http_chat_cursor_t *cursor)
{
    uint64_t    seq;
    ngx_uint_t  i;

    if (m->next_seq == 1) {
        return 0;
    }

    seq = 1 + shm_random(&m->random, m->next_seq - 1);
    i = merge_find(m, seq);

    if (!m->items[i].message
        || ngx_http_chat_room_seek(&m->zone, m->room, m->epoch, seq, cursor)
           != NGX_OK
        || cursor->seq != seq)
    {
        return 0;
    }

    return i;
}


static void
merge_delete(merge_t *m, ngx_uint_t target)
{
    ngx_uint_t  i;

    if (m->items[target].deleted) {
        return;
    }

    m->items[target].deleted = m->nitems;

    for (i = 1; i < m->nitems; i++) {

        if (m->items[i].target == m->items[target].seq
            && m->items[i].seq)
        {
            m->items[i].deleted = m->nitems;
        }
    }
}


static void
merge_amend(merge_t *m)
{
    uint64_t                  first;
    ngx_int_t                 rc;
    ngx_uint_t                i, n, items[3];
    ngx_http_chat_append_t    a;
    ngx_http_chat_cursor_t    targets[3];
    ngx_http_chat_room_sh_t  *room;

    ngx_memzero(&a, sizeof(ngx_http_chat_append_t));

    room = ngx_http_chat_room(&m->zone, m->room);

    a.flags = NGX_HTTP_CHAT_ENTRY_TEXT|NGX_HTTP_CHAT_ENTRY_AMENDS;
    a.amend = shm_random(&m->random, 3) ? NGX_HTTP_CHAT_ENTRY_EDITED
                                        : NGX_HTTP_CHAT_ENTRY_DELETED;
    a.targets = targets;

    n = 1 + (a.amend == NGX_HTTP_CHAT_ENTRY_DELETED
             ? (ngx_uint_t) shm_random(&m->random, 3) : 0);

    for (i = 0; i < n; i++) {
        items[i] = merge_target(m, &targets[i]);

        if (items[i] == 0) {
            return;
        }
    }

    a.ntargets = n;
    first = ngx_http_chat_log_state(&room->log)->first_seq;

    rc = merge_append(m, &a);

    if (n == 1
        && (m->items[items[0]].seq < first || m->items[items[0]].deleted))
    {
        test_eq(rc, NGX_BUSY);
        return;
    }

    test_eq(rc, NGX_OK);

    if (a.amend == NGX_HTTP_CHAT_ENTRY_EDITED) {
        m->items[m->nitems].target = m->items[items[0]].seq;
        m->items[items[0]].edited = m->nitems;
        return;
    }

    for (i = 0; i < n; i++) {
        merge_delete(m, items[i]);
    }
}


/* Item i as it was read. */

static void
merge_compare(merge_t *m, shm_entry_t *e, ngx_uint_t i)
{
    size_t         len;
    ngx_uint_t     by;
    merge_item_t  *item;
    u_char         text[512];

    item = &m->items[i];
    len = merge_text(i, text);
    by = item->deleted ? item->deleted : item->edited;

    test_eq(e->header.flags & NGX_HTTP_CHAT_ENTRY_AMENDED,
            (item->deleted ? NGX_HTTP_CHAT_ENTRY_DELETED : 0)
            | (item->edited ? NGX_HTTP_CHAT_ENTRY_EDITED : 0));
    test_eq(e->header.ts, item->ts);

    merge_read_entries++;

    if (by) {
        test_eq(e->header.sender, merge_text(by, text + len));
        len += e->header.sender;
        merge_read_amended++;
    }

    test_eq(e->header.len, len);
    test_ok(ngx_memcmp(e->text, text, len) == 0);

    if (item->seq) {
        test_eq(e->header.seq, item->seq);

    } else {
        test_ok((e->header.flags & MERGE_PASSING) != 0);
        merge_read_passing++;
    }
}


/* Where a worker goes on behind an entry, by what the copy says. */

static void
merge_after(ngx_http_chat_cursor_t *cursor, shm_entry_t *e)
{
    cursor->seq = e->header.seq;
    cursor->block = e->header.after_block;
    cursor->off = e->header.after_off;

    if (e->header.flags & MERGE_PASSING) {
        cursor->passing = (uint16_t) e->header.sender;

    } else {
        cursor->seq++;
    }
}


/* What was dropped is passed over: kept entries below "first", and passing
 * ones that are too old. */

static void
merge_skip(merge_t *m, merge_reader_t *r, uint64_t first)
{
    merge_item_t  *item;

    for ( /* void */ ; r->next <= m->nitems; r->next++) {
        item = &m->items[r->next];

        if (item->seq ? item->seq >= first
                      : item->ts + NGX_HTTP_CHAT_BACKLOG_TIME > m->now)
        {
            return;
        }
    }
}


/* The last item that has passed and is too old to be read; 0: there is none
 * in front of the reader. */

static ngx_uint_t
merge_lost(merge_t *m, merge_reader_t *r)
{
    ngx_uint_t  i;

    for (i = m->nitems; i > r->place; i--) {

        if (m->items[i].seq == 0
            && m->items[i].ts + NGX_HTTP_CHAT_BACKLOG_TIME <= m->now)
        {
            merge_read_lost++;
            return i;
        }
    }

    return 0;
}


static void
merge_read(merge_t *m, merge_reader_t *r)
{
    size_t                     size, used, need;
    uint64_t                   gap;
    ngx_int_t                  rc;
    ngx_uint_t                 i, n, lost, stop, first;
    ngx_http_chat_cursor_t     begin;
    ngx_http_chat_room_view_t  view;
    static u_char              buf[MERGE_BUF];
    static shm_entry_t         entries[MERGE_STEPS + 1];

    begin = r->cursor;
    first = r->next;
    size = 32 + (size_t) shm_random(&m->random, 3000);

    rc = ngx_http_chat_room_read(&m->zone, m->room, m->epoch, &r->cursor, buf,
                                 size, &used, &need, &gap, &view);

    if (rc == NGX_DECLINED) {
        test_eq(used, 0);
        test_ok(need > size && need < 600);

        rc = ngx_http_chat_room_read(&m->zone, m->room, m->epoch, &r->cursor,
                                     buf, need, &used, &need, &gap, &view);
        test_ok(used > 0);
    }

    test_eq(rc, NGX_OK);

    lost = merge_lost(m, r);

    test_eq(ngx_http_chat_room_passed(&view, &begin), lost != 0);

    n = shm_entries(buf, used, entries, MERGE_STEPS + 1);
    stop = n ? (ngx_uint_t) shm_random(&m->random, n) : 0;

    for (i = 0; i < n && !test_state()->failed; i++) {
        merge_skip(m, r, view.first_seq);

        test_ok(r->next <= m->nitems);

        merge_compare(m, &entries[i], r->next);

        if (m->items[r->next].seq == 0) {
            r->place = r->next;
        }

        r->next++;

        if (i == stop && shm_random(&m->random, 3) == 0) {
            r->cursor.passing = begin.passing;

            for (i = 0; i <= stop; i++) {
                merge_after(&r->cursor, &entries[i]);
            }

            return;
        }
    }

    r->place = ngx_max(r->place, lost);

    if (n == 0) {
        merge_skip(m, r, view.first_seq);
        test_ok(r->next > m->nitems);
        test_eq(r->cursor.seq, m->next_seq);
        test_ok(r->next >= first);
    }
}


static void
merge_unread(merge_t *m)
{
    uint64_t                     seq, first;
    ngx_uint_t                   i, n;
    ngx_http_chat_log_state_t   *st;

    st = ngx_http_chat_log_state(&ngx_http_chat_room(&m->zone, m->room)->log);

    seq = 1 + shm_random(&m->random, m->next_seq);
    first = ngx_max(seq, st->first_seq);
    n = 0;

    for (i = 1; i <= m->nitems; i++) {
        n += (m->items[i].message && m->items[i].seq >= first
              && !m->items[i].deleted);
    }

    test_eq(ngx_http_chat_room_unread(&m->zone, m->room, m->epoch, seq, 1000),
            n);
    test_eq(ngx_http_chat_room_unread(&m->zone, m->room, m->epoch, seq, 5),
            ngx_min(n, 5));
}


static void
merge_start(merge_t *m, merge_reader_t *r)
{
    ngx_http_chat_room_view_t  view;

    test_eq(ngx_http_chat_room_view(&m->zone, m->room, m->epoch, &view),
            NGX_OK);

    r->cursor = view.head;
    r->next = m->nitems + 1;
    r->place = m->nitems;
}


static void
merge_life(merge_t *m, uint64_t seed)
{
    uint64_t                   op;
    ngx_uint_t                 i;
    ngx_http_chat_room_view_t  view;

    ngx_memzero(m, sizeof(merge_t));

    m->seed = seed;
    m->random = seed;
    m->now = SHM_NOW;
    m->next_seq = 1;

    shm_zone_make(&m->zone, 400, 2);

    m->room = shm_join(&m->zone, "room", &merge_keep, &view);
    m->epoch = view.epoch;

    for (i = 0; i < MERGE_READERS; i++) {
        merge_start(m, &m->readers[i]);
    }

    while (m->nitems < MERGE_STEPS && !test_state()->failed) {
        op = shm_random(&m->random, 100);

        if (op < 45) {
            merge_say(m);

        } else if (op < 60) {
            merge_amend(m);

        } else if (op < 90) {
            merge_read(m, &m->readers[shm_random(&m->random,
                                                 MERGE_READERS)]);

        } else if (op < 92) {
            merge_start(m, &m->readers[shm_random(&m->random,
                                                  MERGE_READERS)]);

        } else if (op < 96) {
            merge_unread(m);

        } else {
            m->now += shm_random(&m->random, 9000);
            ngx_stub_time(m->now);
        }
    }

    test_ok(shm_complete(&m->zone) == NULL);

    /* when all have gone, nothing is left of what passed */

    (void) ngx_http_chat_room_leave(&m->zone, m->room, m->epoch, 0, 0);
    test_eq(ngx_http_chat_log_first(&ngx_http_chat_room(&m->zone,
                                                        m->room)->passing),
            0);
    test_ok(shm_complete(&m->zone) == NULL);

    if (test_state()->failed) {
        printf("# seed %llu, item %u\n", (unsigned long long) seed,
               (unsigned) m->nitems);
    }

    shm_zone_free(&m->zone);
}


static void
test_merge(void)
{
    uint64_t        seed;
    static merge_t  m;

    for (seed = merge_first; seed <= merge_last && !test_state()->failed;
         seed++)
    {
        merge_life(&m, seed);
    }

    printf("# seeds %llu to %llu, %u entries read, %u passing, %u amended, "
           "%u times some had passed\n",
           (unsigned long long) merge_first, (unsigned long long) merge_last,
           (unsigned) merge_read_entries, (unsigned) merge_read_passing,
           (unsigned) merge_read_amended, (unsigned) merge_read_lost);

    /* the readers were not idle */

    test_ok(merge_read_passing > 50 * (merge_last - merge_first + 1));
    test_ok(merge_read_amended > 10 * (merge_last - merge_first + 1));
    test_ok(merge_read_lost >= (merge_last - merge_first + 1) / 2);
}


/* Passing entries push nothing out of what is kept, and go by themselves. */

static void
test_passing(void)
{
    ngx_uint_t                 i;
    ngx_http_chat_log_state_t *st, *pst;
    ngx_http_chat_append_t     a;
    ngx_http_chat_room_view_t  view;
    static merge_t             m;

    ngx_memzero(&m, sizeof(merge_t));
    m.next_seq = 1;

    shm_zone_make(&m.zone, 400, 2);

    m.room = shm_join(&m.zone, "room", &merge_keep, &view);
    m.epoch = view.epoch;

    ngx_memzero(&a, sizeof(ngx_http_chat_append_t));

    a.flags = NGX_HTTP_CHAT_ENTRY_TEXT;

    for (i = 0; i < 40; i++) {
        test_eq(merge_append(&m, &a), NGX_OK);
    }

    a.flags = MERGE_PASSING;

    for (i = 0; i < 10000; i++) {
        m.nitems = i % MERGE_STEPS;
        test_eq(merge_append(&m, &a), NGX_OK);
    }

    st = ngx_http_chat_log_state(&ngx_http_chat_room(&m.zone, m.room)->log);
    pst = ngx_http_chat_log_state(&ngx_http_chat_room(&m.zone,
                                                      m.room)->passing);

    test_eq(st->first_seq, 1);
    test_eq(st->next_seq, 41);
    test_ok(pst->next_seq == 10001);
    test_ok(pst->bytes <= NGX_HTTP_CHAT_PASSING_BACKLOG + 400);
    test_ok(pst->bytes > NGX_HTTP_CHAT_PASSING_BACKLOG - 400);

    ngx_stub_time(SHM_NOW + NGX_HTTP_CHAT_BACKLOG_TIME);

    test_eq(ngx_http_chat_room_view(&m.zone, m.room, m.epoch, &view), NGX_OK);
    test_eq(ngx_http_chat_log_first(&ngx_http_chat_room(&m.zone,
                                                        m.room)->passing),
            0);
    test_eq(view.head.passing, 10001);
    test_ok(shm_complete(&m.zone) == NULL);

    shm_zone_free(&m.zone);
}


int
main(int argc, char **argv)
{
    if (argc > 1) {
        merge_first = strtoull(argv[1], NULL, 10);
        merge_last = (argc > 2) ? strtoull(argv[2], NULL, 10) : merge_first;
    }

    test_run("members read what came, in its order", test_merge);
    test_run("what passes leaves nothing behind", test_passing);

    return test_done();
}
