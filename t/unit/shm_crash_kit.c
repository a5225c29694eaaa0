
#include <time.h>

#include "shm_crash_kit.h"


crash_op_t                  crash_op;
u_char                      crash_text[CRASH_BUF];
u_char                      crash_buf[CRASH_BUF];

ngx_http_chat_retention_t   crash_keep = { 1000, 86400000, 1048576, 3600000,
                                           120000 };

static u_char              *crash_copy;
static crash_view_t         crash_old;
static crash_view_t         crash_new;
static const crash_case_t  *crash_now;


static void crash_entry_whole(shm_entry_t *e, ngx_uint_t i, uint64_t seq);


double
crash_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


uint32_t
crash_find(ngx_http_chat_zone_t *z, ngx_uint_t i)
{
    uint32_t                  n, b;
    ngx_http_chat_room_sh_t  *room;

    for (b = 0; b < z->sh->nbuckets; b++) {

        for (n = z->buckets[b]; n; n = room->next) {
            room = ngx_http_chat_room(z, n);

            if (room->name_len == 1 && room->name[0] == CRASH_ROOMS[i]) {
                return n;
            }
        }
    }

    return 0;
}


uint32_t
crash_join(ngx_http_chat_zone_t *z, ngx_uint_t i,
    ngx_http_chat_room_view_t *view)
{
    char  name[2];

    name[0] = CRASH_ROOMS[i];
    name[1] = '\0';

    return shm_join(z, name, &crash_keep, view);
}


uint64_t
crash_number(ngx_uint_t i, uint64_t seq, size_t len)
{
    return ((uint64_t) CRASH_ROOMS[i] << 40) | (seq << 16 & 0xffffffff) | len;
}


/* An amended one has its own text in front of the other's. */

static void
crash_entry_whole(shm_entry_t *e, ngx_uint_t i, uint64_t seq)
{
    size_t  len;

    if (e->header.flags & (NGX_HTTP_CHAT_ENTRY_EVENT
                           |NGX_HTTP_CHAT_ENTRY_PASSING))
    {
        test_ok(e->header.len >= 4 && ngx_memcmp(e->text, "{\"n\"", 4) == 0);
        return;
    }

    len = e->header.len;

    if (ngx_http_chat_entry_amended(&e->header)) {
        len -= e->header.sender;

        test_ok(e->header.sender >= 4
                && ngx_memcmp(e->text + len, "{\"n\"", 4) == 0);

    } else {
        test_eq(e->header.sender, (uint32_t) crash_number(i, seq, len));
    }

    test_ok(shm_text_is(e->text, len, crash_number(i, seq, len)));
}


/* Every entry from a place on must be whole and the one that it says. */

static void
crash_read(ngx_http_chat_zone_t *z, uint32_t n, ngx_uint_t i,
    crash_room_t *seen)
{
    size_t                     used, need;
    uint64_t                   gap, number;
    ngx_int_t                  rc;
    ngx_uint_t                 k, count;
    shm_entry_t                entries[64];
    ngx_http_chat_cursor_t     cursor;
    ngx_http_chat_room_view_t  view;

    ngx_memzero(&cursor, sizeof(ngx_http_chat_cursor_t));

    rc = ngx_http_chat_room_seek(z, n, seen->epoch, 0, &cursor);
    test_eq(rc, NGX_OK);

    while (rc == NGX_OK && cursor.seq < seen->next) {
        number = cursor.seq;

        rc = ngx_http_chat_room_read(z, n, seen->epoch, &cursor, crash_buf,
                                     8192, &used, &need, &gap, &view);
        test_eq(rc, NGX_OK);
        test_eq(gap, 0);

        count = shm_entries(crash_buf, used, entries, 64);

        for (k = 0; k < count; k++) {
            test_eq(entries[k].header.seq, number);
            test_ok(entries[k].header.ts - SHM_NOW < 100000);
            test_eq(entries[k].header.flags & NGX_HTTP_CHAT_ENTRY_MARKED, 0);

            crash_entry_whole(&entries[k], i, number);

            if (!(entries[k].header.flags & NGX_HTTP_CHAT_ENTRY_PASSING)) {
                number++;
            }
        }

        test_eq(cursor.seq, number);
    }
}


static ngx_uint_t
crash_others(ngx_http_chat_zone_t *z, ngx_http_chat_room_sh_t *room)
{
    uint32_t                   n;
    ngx_uint_t                 i, members;
    ngx_http_chat_resident_t  *re;

    members = 0;

    for (i = 0; i < NGX_HTTP_CHAT_RESIDENTS; i++) {
        re = &room->residents[i];
        members += re->slot ? re->members : 0;
    }

    for (n = room->more; n; n = ngx_http_chat_block(z, n)->next) {
        re = (ngx_http_chat_resident_t *) ngx_http_chat_block(z, n)->data;

        for (i = 0; i < NGX_HTTP_CHAT_RESIDENTS_MORE; i++) {
            members += re[i].slot ? re[i].members : 0;
        }
    }

    return members;
}


void
crash_observe(ngx_http_chat_zone_t *z, crash_view_t *view)
{
    uint32_t                   n;
    ngx_uint_t                 i;
    crash_room_t              *seen;
    ngx_http_chat_room_view_t  v;

    ngx_memzero(view, sizeof(crash_view_t));

    for (i = 0; i < CRASH_NROOMS; i++) {
        n = crash_find(z, i);

        if (n == 0) {
            continue;
        }

        seen = &view->rooms[i];
        seen->present = 1;
        seen->epoch = ngx_http_chat_room(z, n)->epoch;
        seen->others = crash_others(z, ngx_http_chat_room(z, n));

        test_eq(ngx_http_chat_room_view(z, n, seen->epoch, &v), NGX_OK);

        seen->first = v.first_seq;
        seen->next = v.next_seq;

        crash_read(z, n, i, seen);
    }
}


/* Between the old and the new state: nothing else was dropped or appended. */

static void
crash_compare(crash_view_t *got, crash_view_t *old, crash_view_t *new)
{
    ngx_uint_t     i;
    crash_room_t  *g, *o, *n;

    for (i = 0; i < CRASH_NROOMS; i++) {
        g = &got->rooms[i];
        o = &old->rooms[i];
        n = &new->rooms[i];

        if (!g->present) {
            test_ok(!o->present || !n->present);
            continue;
        }

        test_ok(o->present || n->present);

        if (o->present) {
            test_ok(g->epoch == o->epoch);
            test_ok(g->first >= o->first);
            test_ok(g->next == o->next || (n->present && g->next == n->next));
            test_eq(g->others, o->others);
        }

        if (n->present) {
            test_ok(g->first <= n->first);
        }
    }
}


ngx_int_t
crash_use_room(ngx_http_chat_zone_t *z, ngx_uint_t i)
{
    uint32_t                   n;
    ngx_int_t                  rc;
    crash_room_t               seen;
    ngx_http_chat_room_view_t  view;

    n = crash_join(z, i, &view);

    if (n == 0) {
        return NGX_DECLINED;
    }

    rc = shm_append(z, n, view.epoch, &crash_keep, 100 + 40 * i,
                    crash_number(i, view.next_seq, 100 + 40 * i));

    seen.epoch = view.epoch;
    seen.next = view.next_seq + (rc == NGX_OK);

    if (rc != NGX_OK) {
        test_eq(rc, NGX_DECLINED);
    }

    test_eq(ngx_http_chat_room_view(z, n, view.epoch, &view), NGX_OK);
    test_eq(view.next_seq, seen.next);

    crash_read(z, n, i, &seen);

    (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);

    return rc;
}


/* The rooms in an order that moves them past each other. */

static void
crash_use(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    for (i = 0; i < CRASH_NROOMS; i++) {
        ngx_stub_time(SHM_NOW + 20000 + i * 3000);
        (void) crash_use_room(z, (i * 3 + 1) % CRASH_NROOMS);
    }
}


static void
crash_members(ngx_http_chat_zone_t *z, crash_view_t *old)
{
    uint32_t    n;
    ngx_uint_t  i;

    for (i = 0; i < CRASH_NROOMS; i++) {
        n = crash_find(z, i);

        if (n) {
            test_eq(ngx_http_chat_room(z, n)->members,
                    old->rooms[i].others);
        }
    }
}


/* What another worker makes of a zone in which slot 0's has died. */

static void
crash_recover(ngx_http_chat_zone_t *z, crash_view_t *old, crash_view_t *new,
    ngx_uint_t use)
{
    double        start;
    const char   *wrong;
    crash_view_t  got;

    ngx_stub_time(SHM_NOW + 10000);

    start = crash_clock();
    crash_observe(z, &got);
    test_ok(crash_clock() - start < 1.0);

    crash_compare(&got, old, new);

    if (crash_now->check) {
        crash_now->check(z, got.rooms[0].next != old->rooms[0].next);
    }

    if (use) {
        crash_use(z);
    }

    ngx_http_chat_room_reap(z, 0, 0);

    crash_members(z, old);

    test_ok(ngx_http_chat_repair(z) >= 0);
    test_eq(z->sh->leaks, 0);

    wrong = shm_complete(z);

    if (wrong) {
        printf("# %s\n", wrong);
    }

    test_ok(wrong == NULL);

    if (crash_now->check) {
        crash_now->check(z, got.rooms[0].next != old->rooms[0].next);
    }

    /* and the zone is as good as ever */

    ngx_stub_time(SHM_NOW + 90000);
    test_eq(crash_use_room(z, 0), NGX_OK);

    crash_observe(z, &got);
    test_ok(shm_complete(z) == NULL);
}


static void
crash_state(ngx_http_chat_zone_t *z, u_char *bytes)
{
    ngx_uint_t             use;
    ngx_http_chat_zone_t   copy;

    for (use = 0; use < 2; use++) {
        ngx_memcpy(crash_copy, bytes, shm_zone_size(z));
        shm_zone_at(&copy, z, crash_copy);
        copy.slot = 1;

        crash_recover(&copy, &crash_old, &crash_new, use);
    }
}


/* The states before and after, made on copies. */

static void
crash_expect(ngx_http_chat_zone_t *z)
{
    crash_op_t            op;
    ngx_http_chat_zone_t  copy;

    shm_zone_at(&copy, z, crash_copy);
    ngx_memcpy(crash_copy, z->sh, shm_zone_size(z));
    crash_observe(&copy, &crash_old);

    op = crash_op;
    ngx_memcpy(crash_copy, z->sh, shm_zone_size(z));
    ngx_stub_time(SHM_NOW + 5000);
    crash_now->run(&copy);
    crash_observe(&copy, &crash_new);
    crash_op = op;
}


static void
crash_run(const crash_case_t *c)
{
    step_t                step;
    ngx_http_chat_zone_t  zone;

    crash_now = c;

    step.name = c->name;
    step.run = c->run;
    step.state = crash_state;
    step.stride = c->stride;

    step_alarm(c->name);

    shm_zone_make(&zone, 64, CRASH_SLOTS);
    c->setup(&zone);

    crash_copy = malloc(shm_zone_size(&zone) + 64);

    if (crash_copy == NULL) {
        exit(2);
    }

    crash_expect(&zone);

    ngx_stub_time(SHM_NOW + 5000);
    step_run(&zone, &step);

    free(crash_copy);
    shm_zone_free(&zone);
}


void
crash_run_all(const crash_case_t *cases, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (!step_possible()) {
        printf("# skipped: no child can be stepped here\n");
        return;
    }

    for (i = 0; i < n && !test_state()->failed; i++) {
        crash_run(&cases[i]);
    }
}


uint32_t
crash_fill(ngx_http_chat_zone_t *z, ngx_uint_t i, ngx_uint_t slot,
    ngx_uint_t entries, size_t len)
{
    uint32_t                   n;
    ngx_http_chat_room_view_t  view;

    z->slot = slot;

    n = crash_join(z, i, &view);

    while (n && entries--) {

        if (shm_append(z, n, view.epoch, &crash_keep, len,
                       crash_number(i, view.next_seq++, len)) != NGX_OK)
        {
            break;
        }
    }

    z->slot = 0;

    return n;
}


void
crash_setup(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    for (i = 0; i < 3; i++) {
        ngx_stub_time(SHM_NOW + i * 1000);
        (void) crash_fill(z, i, 1, i == 2 ? 0 : 5, 150 + 111 * i);
    }

    ngx_memzero(&crash_op, sizeof(crash_op_t));

    crash_op.room = crash_fill(z, 0, 0, 0, 0);
    crash_op.epoch = ngx_http_chat_room(z, crash_op.room)->epoch;
    crash_op.keep = crash_keep;
}


void
crash_entry(ngx_http_chat_zone_t *z, ngx_uint_t i, size_t len)
{
    uint64_t                  seq;
    ngx_http_chat_room_sh_t  *room;

    crash_op.room = crash_find(z, i);
    room = ngx_http_chat_room(z, crash_op.room);
    seq = ngx_http_chat_log_state(&room->log)->next_seq;

    crash_op.epoch = room->epoch;
    crash_op.append.entry.flags = NGX_HTTP_CHAT_ENTRY_TEXT;
    crash_op.append.entry.sender = (uint32_t) crash_number(i, seq, len);
    crash_op.append.entry.head.data = crash_text;
    crash_op.append.entry.head.len = len;

    shm_text(crash_text, len, crash_number(i, seq, len));
}


void
crash_run_append(ngx_http_chat_zone_t *z)
{
    crash_op.append.retention = &crash_op.keep;
    crash_op.append.slots = crash_op.slots;

    (void) ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                     &crash_op.append);
}


void
crash_event(ngx_http_chat_append_t *a)
{
    ngx_str_set(&a->head, "{\"n\":");
    ngx_str_set(&a->tail, "}");

    a->flags = NGX_HTTP_CHAT_ENTRY_EVENT;
}


void
crash_run_join(ngx_http_chat_zone_t *z)
{
    uint32_t  n;

    (void) ngx_http_chat_room_join(z, &crash_op.name, &crash_op.keep,
                                   crash_op.person.user.len
                                   ? &crash_op.person : NULL,
                                   0, crash_op.announce, &n,
                                   &crash_op.occupant, &crash_op.view);
}
