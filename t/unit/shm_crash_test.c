
/*
 * A worker dies anywhere.
 *
 * A child makes one operation step by step, an instruction at a time.  After
 * each step that changed the zone, the zone is what it would be had the child
 * been killed there: on copies of it another worker goes on, before and after
 * a repair, and must find either the old or the new state of every log, whole
 * entries, exact counts and, in the end, every block.  The child's pid in the
 * locks is one that no process has.
 *
 * Then children are killed for good at random moments of many operations.
 *
 *     shm_crash [seed]
 */


#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "shm_kit.h"
#include "ngx_http_chat_nonce.h"
#include "test.h"


#define CRASH_ROOMS     "abcdefgh"
#define CRASH_NROOMS    8
#define CRASH_SLOTS     12
#define CRASH_BUF       65536
#define CRASH_STUCK     60               /* seconds */
#define CRASH_KILLS     300


typedef struct {
    ngx_uint_t                  present;
    uint64_t                    epoch;
    uint64_t                    first;
    uint64_t                    next;
    ngx_uint_t                  others;  /* members that are not slot 0's */
} crash_room_t;


typedef struct {
    crash_room_t                rooms[CRASH_NROOMS];
} crash_view_t;


/* What the child does, all of it made ready before its first step. */
typedef struct {
    uint32_t                    room;
    uint64_t                    epoch;
    uint32_t                    block;
    ngx_str_t                   name;
    uint32_t                       occupant;
    ngx_http_chat_person_t         person;
    ngx_http_chat_announce_t      *announce;
    ngx_http_chat_room_append_t    append;
    ngx_http_chat_retention_t      keep;
    ngx_http_chat_room_view_t      view;
    uint16_t                       slots[NGX_HTTP_CHAT_SLOTS_MAX];
} crash_op_t;


typedef struct {
    const char                 *name;
    void                      (*setup)(ngx_http_chat_zone_t *z);
    void                      (*run)(ngx_http_chat_zone_t *z);
    ngx_uint_t                  stride;  /* of changes looked at, 0 = all */

    /* of what came with the entry, if that is there */
    void                      (*check)(ngx_http_chat_zone_t *z,
                                  ngx_uint_t there);
} crash_case_t;


static uint64_t              crash_seed = 1;
static const crash_case_t   *crash_now;
static ngx_uint_t            crash_steps;
static ngx_uint_t            crash_states;
static crash_op_t            crash_op;
static u_char                crash_text[CRASH_BUF];
static u_char                crash_buf[CRASH_BUF];
static u_char               *crash_copy;
static volatile ngx_uint_t  *crash_done;

static ngx_http_chat_retention_t  crash_keep = { 1000, 86400000, 1048576,
                                                 3600000, 120000 };


static void crash_event(ngx_http_chat_append_t *a);
static void crash_entry_whole(shm_entry_t *e, ngx_uint_t i, uint64_t seq);


static void
crash_stuck(int signo)
{
    printf("Bail out! stuck in \"%s\", step %u\n",
           crash_now ? crash_now->name : "kills", (unsigned) crash_steps);
    (void) fflush(stdout);
    _exit(EXIT_FAILURE);
}


static double
crash_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static uint32_t
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


static uint32_t
crash_join(ngx_http_chat_zone_t *z, ngx_uint_t i,
    ngx_http_chat_room_view_t *view)
{
    char  name[2];

    name[0] = CRASH_ROOMS[i];
    name[1] = '\0';

    return shm_join(z, name, &crash_keep, view);
}


static uint64_t
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


static void
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


/* As any worker does: joins, appends, reads, leaves. */

static ngx_int_t
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
crash_state(ngx_http_chat_zone_t *z, u_char *bytes, crash_view_t *old,
    crash_view_t *new)
{
    ngx_uint_t             use;
    ngx_http_chat_zone_t   copy;

    crash_states++;

    for (use = 0; use < 2; use++) {
        ngx_memcpy(crash_copy, bytes, shm_zone_size(z));
        shm_zone_at(&copy, z, crash_copy);
        copy.slot = 1;

        crash_recover(&copy, old, new, use);
    }
}


/* The states before and after, made on copies. */

static void
crash_expect(ngx_http_chat_zone_t *z, crash_view_t *old, crash_view_t *new)
{
    crash_op_t            op;
    ngx_http_chat_zone_t  copy;

    shm_zone_at(&copy, z, crash_copy);
    ngx_memcpy(crash_copy, z->sh, shm_zone_size(z));
    crash_observe(&copy, old);

    op = crash_op;
    ngx_memcpy(crash_copy, z->sh, shm_zone_size(z));
    ngx_stub_time(SHM_NOW + 5000);
    crash_now->run(&copy);
    crash_observe(&copy, new);
    crash_op = op;
}


static pid_t
crash_child(ngx_http_chat_zone_t *z)
{
    pid_t  pid;

    *crash_done = 0;

    pid = fork();

    if (pid == 0) {
        (void) alarm(0);

        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(EXIT_FAILURE);
        }

        ngx_stub_time(SHM_NOW + 5000);
        ngx_pid = NGX_STUB_DEAD;

        (void) raise(SIGSTOP);
        crash_now->run(z);
        *crash_done = 1;

        for ( ;; ) {
            (void) pause();
        }
    }

    return pid;
}


static void
crash_step(ngx_http_chat_zone_t *z, pid_t pid, u_char *last,
    crash_view_t *old, crash_view_t *new)
{
    int         status;
    ngx_uint_t  changes;

    changes = 0;

    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)
           && !*crash_done && !test_state()->failed)
    {
        crash_steps++;

        if (ngx_memcmp(last, z->sh, shm_zone_size(z)) != 0) {
            ngx_memcpy(last, z->sh, shm_zone_size(z));

            if (crash_now->stride == 0
                || changes++ % crash_now->stride == crash_now->stride / 2)
            {
                crash_state(z, last, old, new);
            }
        }

        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0) {
            break;
        }
    }

    test_ok(*crash_done);

    if (test_state()->failed) {
        printf("# \"%s\" fails at step %u\n", crash_now->name,
               (unsigned) crash_steps);
    }
}


static void
crash_run(const crash_case_t *c)
{
    pid_t                 pid;
    u_char               *last;
    crash_view_t          old, new;
    ngx_http_chat_zone_t  zone, *z;

    z = &zone;
    crash_now = c;
    crash_steps = 0;
    crash_states = 0;

    (void) alarm(CRASH_STUCK * (unsigned) shm_slowness());

    shm_zone_make(z, 64, CRASH_SLOTS);
    c->setup(z);

    crash_copy = malloc(shm_zone_size(z) + 64);
    last = test_copy(z->sh, shm_zone_size(z));

    if (crash_copy == NULL) {
        exit(2);
    }

    crash_expect(z, &old, &new);

    pid = crash_child(z);

    if (pid > 0) {
        crash_step(z, pid, last, &old, &new);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
    }

    test_ok(pid > 0);

    /* the operation was one: something was there to be interrupted */

    test_ok(crash_states > 2);

    printf("# %s: %u steps, %u states\n", c->name, (unsigned) crash_steps,
           (unsigned) crash_states);

    free(last);
    free(crash_copy);
    shm_zone_free(z);
}


/* Joins a room from a slot and appends so many entries. */

static uint32_t
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


/* Three rooms of three seconds; the victim will be in room "a". */

static void
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


static void
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


static void
crash_run_append(ngx_http_chat_zone_t *z)
{
    crash_op.append.retention = &crash_op.keep;
    crash_op.append.slots = crash_op.slots;

    (void) ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                     &crash_op.append);
}


static void
crash_run_change(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                     &crash_op.append);
}


static void
crash_setup_small(ngx_http_chat_zone_t *z)
{
    crash_setup(z);
    crash_entry(z, 0, 60);
}


static void
crash_setup_large(ngx_http_chat_zone_t *z)
{
    crash_setup(z);
    crash_entry(z, 0, 2600);
}


static void
crash_setup_first(ngx_http_chat_zone_t *z)
{
    crash_setup(z);
    (void) crash_fill(z, 2, 0, 0, 0);
    crash_entry(z, 2, 1300);
}


/* An append whose trim gives several blocks back. */

static void
crash_setup_trimming(ngx_http_chat_zone_t *z)
{
    crash_setup(z);
    (void) crash_fill(z, 0, 1, 4, 700);
    crash_entry(z, 0, 100);

    crash_op.keep.messages = 2;
    crash_op.keep.backlog = 0;
}


static void
crash_setup_trim(ngx_http_chat_zone_t *z)
{
    crash_setup(z);
    (void) crash_fill(z, 0, 1, 4, 700);

    ngx_http_chat_room(z, crash_op.room)->messages = 3;
}


static void
crash_run_trim(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_room_trim(z, crash_op.room, crash_op.epoch, 0);
}


/* A room's first member makes it. */

static void
crash_setup_make(ngx_http_chat_zone_t *z)
{
    crash_setup(z);
    crash_op.name.data = (u_char *) &CRASH_ROOMS[5];
    crash_op.name.len = 1;
}


/* A block that was used and given back is taken again, a log's at that. */

static void
crash_setup_remake(ngx_http_chat_zone_t *z)
{
    crash_setup_make(z);
    (void) crash_fill(z, 0, 1, 1, 1800);
    (void) ngx_http_chat_log_drop_locked(z,
                           &ngx_http_chat_room(z, crash_find(z, 0))->log, 6);
}


static void
crash_run_join(ngx_http_chat_zone_t *z)
{
    uint32_t  n;

    (void) ngx_http_chat_room_join(z, &crash_op.name, &crash_op.keep,
                                   crash_op.person.user.len
                                   ? &crash_op.person : NULL,
                                   0, crash_op.announce, &n,
                                   &crash_op.occupant, &crash_op.view);
}


/* Eight workers reside in the room: the ninth needs a block of residents. */

static void
crash_setup_ninth(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    crash_setup(z);

    for (i = 2; i < 9; i++) {
        (void) crash_fill(z, 1, i, 0, 0);
    }

    crash_op.name.data = (u_char *) &CRASH_ROOMS[1];
    crash_op.name.len = 1;
}


static void
crash_run_leave(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_room_leave(z, crash_op.room, crash_op.epoch, 0, 0);
}


/* The last member leaves, and the log is trimmed. */

static void
crash_setup_last(ngx_http_chat_zone_t *z)
{
    crash_setup(z);
    crash_op.room = crash_fill(z, 3, 0, 6, 500);
    crash_op.epoch = ngx_http_chat_room(z, crash_op.room)->epoch;
    ngx_http_chat_room(z, crash_op.room)->messages = 2;
}


/* A full zone whose oldest room gives some history. */

static void
crash_setup_evict(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    crash_setup(z);

    for (i = 3; i < 6; i++) {
        ngx_stub_time(SHM_NOW + i * 500);
        (void) crash_fill(z, i, 1, 14, 400);
    }

    while (z->sh->pool.nfree) {
        (void) crash_fill(z, 4, 1, 1, 200);
    }

    ngx_stub_time(SHM_NOW + 4000);
    crash_entry(z, 0, 3000);
}


/* A full zone whose oldest room has no members and one block: it goes. */

static void
crash_setup_delete(ngx_http_chat_zone_t *z)
{
    uint32_t                   n;
    ngx_http_chat_room_view_t  view;

    n = shm_join(z, "g", &crash_keep, &view);
    (void) shm_append(z, n, view.epoch, &crash_keep, 20,
                      crash_number(6, 1, 20));
    (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);

    crash_setup_evict(z);
}


/*
 * The room before ours in the list by use is the first to go, and its block
 * the first to be used again, by a log.
 */

static void
crash_setup_neighbour(ngx_http_chat_zone_t *z)
{
    uint32_t                   n;
    ngx_http_chat_room_view_t  view;

    n = shm_join(z, "g", &crash_keep, &view);
    (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);

    ngx_stub_time(SHM_NOW + 1000);
    crash_op.room = crash_fill(z, 0, 1, 1, 100);

    ngx_stub_time(SHM_NOW + 2000);
    (void) crash_fill(z, 1, 1, 2, 200);

    while (z->sh->pool.nfree) {
        (void) crash_fill(z, 2, 1, 1, 100);
    }

    (void) crash_fill(z, 1, 1, 1, 504 - 3 * 32 - 400 - 8);

    crash_op.epoch = ngx_http_chat_room(z, crash_op.room)->epoch;
    crash_op.keep = crash_keep;
    crash_entry(z, 0, 60);
}


static void
crash_run_reap(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_room_reap(z, 0, 0);
}


static void
crash_run_repair(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_repair(z);
}


static void
crash_run_clear(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, crash_op.room);

    ngx_http_chat_zone_lock(z, room->hash);
    ngx_http_chat_log_clear_locked(z, &room->log);
    ngx_http_chat_zone_unlock(z, room->hash);
}


static void
crash_run_alloc(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
}


static void
crash_setup_free(ngx_http_chat_zone_t *z)
{
    crash_setup(z);
    crash_op.block = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
}


static void
crash_run_free(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_block_free(z, crash_op.block, crash_op.block, 1);
}


/* Alice, who is the dead worker's, and Bob, in room "a". */

static void
crash_setup_people(ngx_http_chat_zone_t *z)
{
    uint32_t                   bob;
    ngx_http_chat_room_view_t  view;

    crash_setup(z);

    z->slot = 1;
    crash_op.room = shm_join_as(z, "a", "bob", &crash_keep, &bob, &view);
    z->slot = 0;
    (void) shm_join_as(z, "a", "alice", &crash_keep, &crash_op.occupant,
                       &view);

    crash_op.epoch = view.epoch;
    ngx_http_chat_room(z, crash_op.room)->announce =
                               (uint32_t) NGX_HTTP_CHAT_PRESENCE_FULL << 30 | 9;

    crash_event(&crash_op.append.entry);
}


/* "{"n":1,"ts":2}" */

static void
crash_event(ngx_http_chat_append_t *a)
{
    ngx_str_set(&a->head, "{\"n\":");
    ngx_str_set(&a->tail, "}");

    a->flags = NGX_HTTP_CHAT_ENTRY_EVENT;
}


static ngx_str_t *
crash_user(const char *name)
{
    static ngx_str_t  user;

    user.data = (u_char *) name;
    user.len = ngx_strlen(name);

    return &user;
}


static void
crash_standing(ngx_http_chat_zone_t *z, const char *user,
    ngx_http_chat_standing_t *standing)
{
    uint32_t  n;

    n = crash_find(z, 0);

    test_eq(ngx_http_chat_room_standing(z, n, ngx_http_chat_room(z, n)->epoch,
                                        crash_user(user), standing),
            NGX_OK);
}


static void
crash_setup_nonce(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    crash_setup_people(z);

    crash_op.append.retention = &crash_op.keep;
    crash_op.append.slots = crash_op.slots;
    crash_op.append.occupant = crash_op.occupant;
    crash_op.append.entry.flags |= NGX_HTTP_CHAT_ENTRY_MESSAGE;

    /* the last one of a block has been used: the next needs another */

    for (i = 0; i < NGX_HTTP_CHAT_NONCES; i++) {
        crash_op.append.nonce.data = (u_char *) &"abcdefghijklmnopqrstuv"[i];
        crash_op.append.nonce.len = 1;
        (void) ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                         &crash_op.append);
    }

    ngx_str_set(&crash_op.append.nonce, "the one");
}


/* A nonce is known if its message is there, and has its number; one that was
 * never said can be said. */

static void
crash_check_nonce(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    uint64_t                       next;
    ngx_http_chat_room_sh_t       *room;
    ngx_http_chat_nonce_sh_t      *nonce;
    ngx_http_chat_occupant_sh_t   *oc;

    room = ngx_http_chat_room(z, crash_op.room);
    oc = ngx_http_chat_occupant(z, crash_op.occupant);
    next = ngx_http_chat_log_state(&room->log)->next_seq;

    nonce = ngx_http_chat_nonce_find_locked(z, crash_op.occupant,
                      ngx_http_chat_nonce_hash(z, &crash_op.append.nonce), 0);

    test_eq(nonce != NULL, there);
    test_eq(room->unsure, 0);
    test_ok(oc->user_len == 5);

    if (nonce) {
        test_ok(nonce->seq < next);
        test_eq(nonce->seq, 5 + NGX_HTTP_CHAT_NONCES + 1);
    }
}


/* Bob, who has a role, has read and is away on other workers, is banned, and
 * the room gets settings. */

static void
crash_setup_ban(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_occupant_sh_t            *oc;
    static ngx_http_chat_change_t           change;
    static ngx_http_chat_room_settings_t    settings;

    crash_setup_people(z);

    ngx_str_set(&settings.topic, "old");
    settings.given = NGX_HTTP_CHAT_ROOM_TOPIC;

    crash_op.append.slots = crash_op.slots;
    crash_op.append.settings = &settings;
    crash_op.append.entry.flags = 0;
    (void) ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                     &crash_op.append);

    crash_event(&crash_op.append.entry);
    ngx_str_set(&settings.topic, "new");
    settings.given |= NGX_HTTP_CHAT_ROOM_LOCKED|NGX_HTTP_CHAT_ROOM_SLOW;
    settings.flags = NGX_HTTP_CHAT_ROOM_LOCKED;
    settings.slow = 700;

    change.user = *crash_user("bob");
    change.what = NGX_HTTP_CHAT_CHANGE_BAN;
    change.until = NGX_HTTP_CHAT_FOREVER;

    crash_op.append.change = &change;

    oc = ngx_http_chat_occupant(z,
                          ngx_http_chat_occupant_find_locked(z, crash_op.room,
                                                       crash_user("bob")));
    oc->granted = NGX_HTTP_CHAT_ROLE_MODERATOR;
    oc->read = 3;
}


static void
crash_check_ban(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    u_char                         topic[NGX_HTTP_CHAT_TOPIC_MAX];
    uint32_t                       n;
    ngx_http_chat_standing_t       bob;
    ngx_http_chat_room_settings_t  settings;

    n = crash_find(z, 0);

    crash_standing(z, "bob", &bob);

    test_ok(bob.occupant != 0);
    test_eq(bob.banned, there ? NGX_HTTP_CHAT_FOREVER : 0);
    test_eq(bob.granted, NGX_HTTP_CHAT_ROLE_MODERATOR);
    test_eq(bob.read, 3);
    test_eq(bob.here, !there);
    test_eq((bob.flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED) != 0, !there);
    test_eq(ngx_http_chat_room(z, n)->changes != 0, there);

    test_eq(ngx_http_chat_room_topic(z, n, ngx_http_chat_room(z, n)->epoch,
                                     topic, &settings),
            3);
    test_ok(ngx_memcmp(topic, there ? "new" : "old", 3) == 0);
    test_eq(settings.flags, there ? NGX_HTTP_CHAT_ROOM_LOCKED : 0);
    test_eq(settings.slow, there ? 700 : 0);
    test_eq(ngx_http_chat_room(z, n)->intent, 0);
}


/* What is shown of entry seq of room "a": its flags, and the seq of the one
 * that amends it, which is its text's number. */

static ngx_uint_t
crash_amended(ngx_http_chat_zone_t *z, uint64_t seq, uint64_t *by)
{
    size_t                     used, need;
    uint32_t                   n;
    uint64_t                   gap;
    ngx_uint_t                 i, count;
    shm_entry_t                entries[64], *e;
    ngx_http_chat_cursor_t     cursor;
    ngx_http_chat_room_view_t  view;

    n = crash_find(z, 0);

    ngx_memzero(&cursor, sizeof(ngx_http_chat_cursor_t));

    (void) ngx_http_chat_room_view(z, n, ngx_http_chat_room(z, n)->epoch,
                                   &view);
    cursor.passing = view.head.passing;

    (void) ngx_http_chat_room_seek(z, n, view.epoch, seq, &cursor);
    (void) ngx_http_chat_room_read(z, n, view.epoch, &cursor, crash_buf,
                                   8192, &used, &need, &gap, &view);

    count = shm_entries(crash_buf, used, entries, 64);
    test_ok(count > 0);
    *by = 0;

    for (i = 0; i < count; i++) {
        e = &entries[i];

        if (e->header.seq != seq) {
            continue;
        }

        if (ngx_http_chat_entry_amended(&e->header)) {
            *by = strtoull((char *) e->text + e->header.len
                           - e->header.sender + 5, NULL, 10);
        }

        return e->header.flags & NGX_HTTP_CHAT_ENTRY_AMENDED;
    }

    return 0;
}


static ngx_http_chat_cursor_t  crash_targets[3];


static void
crash_target(ngx_http_chat_zone_t *z, ngx_uint_t i, uint64_t seq)
{
    (void) ngx_http_chat_room_seek(z, crash_op.room, crash_op.epoch, seq,
                                   &crash_targets[i]);
    crash_op.append.entry.targets = crash_targets;
    crash_op.append.entry.ntargets = i + 1;
}


static void
crash_setup_edit(ngx_http_chat_zone_t *z)
{
    crash_setup_people(z);

    crash_op.append.slots = crash_op.slots;
    crash_op.append.entry.flags |= NGX_HTTP_CHAT_ENTRY_AMENDS;
    crash_op.append.entry.amend = NGX_HTTP_CHAT_ENTRY_EDITED;

    /* entry 3's header runs on over a block's end */

    crash_target(z, 0, 3);
}


static void
crash_check_edit(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    uint64_t  by;

    test_eq(crash_amended(z, 3, &by),
            there ? NGX_HTTP_CHAT_ENTRY_EDITED : 0);
    test_eq(by, there ? 6 : 0);
}


static void
crash_setup_reedit(ngx_http_chat_zone_t *z)
{
    crash_setup_edit(z);

    test_eq(ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                      &crash_op.append),
            NGX_OK);
    crash_target(z, 0, 3);
}


static void
crash_check_reedit(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    uint64_t  by;

    test_eq(crash_amended(z, 3, &by), NGX_HTTP_CHAT_ENTRY_EDITED);
    test_eq(by, there ? 7 : 6);
    test_eq(crash_amended(z, 6, &by), 0);
}


/* An entry that was edited twice is deleted, with another one. */

static void
crash_setup_purge(ngx_http_chat_zone_t *z)
{
    crash_setup_reedit(z);

    test_eq(ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                      &crash_op.append),
            NGX_OK);

    crash_op.append.entry.amend = NGX_HTTP_CHAT_ENTRY_DELETED;

    crash_target(z, 0, 3);
    crash_target(z, 1, 5);
}


static void
crash_check_purge(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    uint64_t    by, seq;
    ngx_uint_t  flags;

    for (seq = 1; seq <= 7; seq++) {
        flags = crash_amended(z, seq, &by);

        if (seq == 1 || seq == 2 || seq == 4) {
            test_eq(flags, 0);
            continue;
        }

        test_eq((flags & NGX_HTTP_CHAT_ENTRY_DELETED) != 0, there);
        test_eq(by, there ? 8 : (seq == 3) ? 7 : 0);
    }
}


/* A user's first connection, announced; he is away or there, never half. */

static void
crash_setup_come(ngx_http_chat_zone_t *z)
{
    static ngx_http_chat_announce_t  announce;

    crash_setup_people(z);

    ngx_memzero(&announce, sizeof(ngx_http_chat_announce_t));
    crash_event(&announce.event);
    announce.presence = NGX_HTTP_CHAT_PRESENCE_FULL;
    announce.limit = 9;
    announce.slots = crash_op.slots;

    crash_op.announce = &announce;
    crash_op.name.data = (u_char *) CRASH_ROOMS;
    crash_op.name.len = 1;
    crash_op.person.user = *crash_user("carol");
    crash_op.person.name = crash_op.person.user;
}


static void
crash_check_come(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    ngx_http_chat_standing_t  bob, carol;

    crash_standing(z, "bob", &bob);
    crash_standing(z, "carol", &carol);

    test_eq(bob.here, 1);
    test_ok(carol.name_len == 0 || carol.name_len == 5);
    test_ok(carol.here <= 1);
}


static void
crash_run_go(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_room_leave(z, crash_op.room, crash_op.epoch,
                                    crash_op.occupant, 0);
}


/* Alice was there or is due to be said to have gone, until the reaping; then
 * that she has gone can be said once. */

static void
crash_check_go(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    ngx_msec_t                 wait;
    ngx_http_chat_room_sh_t   *room;
    ngx_http_chat_announce_t   announce;
    ngx_http_chat_standing_t   alice;

    crash_standing(z, "alice", &alice);

    if (z->sh->reaped == 0) {
        test_ok(alice.flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED);
        return;
    }

    room = ngx_http_chat_room(z, crash_op.room);
    test_eq(alice.here, 0);

    ngx_memzero(&announce, sizeof(ngx_http_chat_announce_t));
    crash_event(&announce.event);
    announce.slots = crash_op.slots;

    test_eq(ngx_http_chat_room_left(z, crash_op.room, room->epoch,
                                    crash_user("alice"), &announce, &wait),
            NGX_OK);
    test_eq(room->users, 1);
    test_eq(announce.event.number, 1);
    test_eq(ngx_http_chat_room_left(z, crash_op.room, room->epoch,
                                    crash_user("alice"), &announce, &wait),
            NGX_DECLINED);
}


static void
crash_setup_gone(ngx_http_chat_zone_t *z)
{
    static ngx_http_chat_announce_t  announce;

    crash_setup_people(z);
    crash_run_go(z);

    ngx_memzero(&announce, sizeof(ngx_http_chat_announce_t));
    crash_event(&announce.event);
    announce.slots = crash_op.slots;
    crash_op.announce = &announce;
}


static void
crash_run_gone(ngx_http_chat_zone_t *z)
{
    ngx_msec_t  wait;

    (void) ngx_http_chat_room_left(z, crash_op.room, crash_op.epoch,
                                   crash_user("alice"), crash_op.announce,
                                   &wait);
}


static void
crash_setup_rename(ngx_http_chat_zone_t *z)
{
    crash_setup_people(z);

    crash_op.person.user = *crash_user("bob");
    crash_op.person.name = *crash_user("robert");
}


static void
crash_run_rename(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  n;

    (void) ngx_http_chat_room_rename(z, crash_op.room, crash_op.epoch,
                                     &crash_op.person, 0,
                                     &crash_op.append.entry, crash_op.slots,
                                     &n);
}


static void
crash_check_rename(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    ngx_http_chat_standing_t  bob;

    crash_standing(z, "bob", &bob);

    test_ok(bob.name_len == 0
            || (bob.name_len == 3 && ngx_memcmp(bob.name, "bob", 3) == 0)
            || (bob.name_len == 6 && ngx_memcmp(bob.name, "robert", 6) == 0));
}


static const crash_case_t  crash_cases[] = {
    { "append", crash_setup_small, crash_run_append, 0, NULL },
    { "append of many blocks", crash_setup_large, crash_run_append, 0, NULL },
    { "append to an empty room", crash_setup_first, crash_run_append, 0, NULL },
    { "append that trims", crash_setup_trimming, crash_run_append, 0, NULL },
    { "trim", crash_setup_trim, crash_run_trim, 0, NULL },
    { "clear", crash_setup_trim, crash_run_clear, 0, NULL },
    { "join that makes a room", crash_setup_make, crash_run_join, 0, NULL },
    { "join that makes a room of old blocks", crash_setup_remake,
      crash_run_join, 0, NULL },
    { "join as the ninth worker", crash_setup_ninth, crash_run_join, 0, NULL },
    { "leave", crash_setup, crash_run_leave, 0, NULL },
    { "leave of the last member", crash_setup_last, crash_run_leave, 0, NULL },
    { "append that evicts history", crash_setup_evict, crash_run_append, 0, NULL },
    { "append that evicts a room", crash_setup_delete, crash_run_append, 0, NULL },
    { "append beside a room that goes", crash_setup_neighbour,
      crash_run_append, 0, NULL },
    { "reap", crash_setup, crash_run_reap, 0, NULL },
    { "repair", crash_setup_free, crash_run_repair, 12, NULL },
    { "block alloc", crash_setup, crash_run_alloc, 0, NULL },
    { "block free", crash_setup_free, crash_run_free, 0, NULL },
    { "append with a nonce", crash_setup_nonce, crash_run_append, 0,
      crash_check_nonce },
    { "ban, and settings", crash_setup_ban, crash_run_change, 0,
      crash_check_ban },
    { "edit", crash_setup_edit, crash_run_change, 0, crash_check_edit },
    { "second edit", crash_setup_reedit, crash_run_change, 0,
      crash_check_reedit },
    { "purge", crash_setup_purge, crash_run_change, 0, crash_check_purge },
    { "join of a user", crash_setup_come, crash_run_join, 0,
      crash_check_come },
    { "leave of a user", crash_setup_people, crash_run_go, 0,
      crash_check_go },
    { "a user has left", crash_setup_gone, crash_run_gone, 0, NULL },
    { "rename", crash_setup_rename, crash_run_rename, 0, crash_check_rename }
};


/* Some containers forbid it, and valgrind would be stepped itself. */

static ngx_uint_t
crash_steppable(void)
{
    int    status;
    pid_t  pid;

    if (shm_slowness() > 1) {
        return 0;
    }

    pid = fork();

    if (pid == 0) {
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
    }

    return waitpid(pid, &status, 0) == pid && status == 0;
}


static void
test_steps(void)
{
    ngx_uint_t  i;

    if (!crash_steppable()) {
        printf("# skipped: no child can be stepped here\n");
        return;
    }

    for (i = 0; i < sizeof(crash_cases) / sizeof(crash_cases[0]); i++) {
        crash_run(&crash_cases[i]);

        if (test_state()->failed) {
            break;
        }
    }
}


/* The killed one's life: any operations in any order, without an end. */

static void
crash_live(ngx_http_chat_zone_t *z, uint64_t seed)
{
    size_t                     len;
    uint32_t                   n;
    ngx_uint_t                 i;
    ngx_http_chat_room_view_t  view;

    for ( ;; ) {
        ngx_stub_time(SHM_NOW + shm_random(&seed, 100000));

        i = (ngx_uint_t) shm_random(&seed, CRASH_NROOMS);
        len = shm_random(&seed, 4) ? shm_random(&seed, 300)
                                   : shm_random(&seed, 3000);

        n = crash_join(z, i, &view);

        if (n == 0) {
            continue;
        }

        (void) shm_append(z, n, view.epoch, &crash_keep, len,
                          crash_number(i, view.next_seq, len));

        if (shm_random(&seed, 3)) {
            (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);
        }
    }
}


static void
crash_kill(ngx_http_chat_zone_t *z, uint64_t *seed)
{
    pid_t             pid;
    struct timespec   ts;

    pid = fork();

    if (pid == 0) {
        (void) alarm(0);
        ngx_pid = getpid();
        z->slot = 0;
        z->slots[0].pid = (ngx_atomic_uint_t) ngx_pid;
        crash_live(z, *seed);
    }

    while (pid > 0 && z->slots[0].pid == 0) {
        ngx_sched_yield();
    }

    ts.tv_sec = 0;
    ts.tv_nsec = 200000 + (long) shm_random(seed, 3000000);

    (void) nanosleep(&ts, NULL);

    test_ok(pid > 0 && kill(pid, SIGKILL) == 0);
    test_ok(waitpid(pid, NULL, 0) == pid);
}


static void
test_kills(void)
{
    double                start;
    ngx_uint_t            i, broken, kills;
    crash_view_t          view;
    ngx_http_chat_zone_t  zone;

    crash_now = NULL;
    broken = 0;

    (void) alarm(CRASH_STUCK * (unsigned) shm_slowness());

    shm_zone_make(&zone, 200, CRASH_SLOTS);
    zone.slots[0].pid = 0;

    kills = CRASH_KILLS / shm_slowness();

    for (i = 0; i < kills && !test_state()->failed; i++) {
        crash_steps = i;
        crash_kill(&zone, &crash_seed);

        zone.slot = 1;
        ngx_stub_time(SHM_NOW + 100000);

        start = crash_clock();
        crash_observe(&zone, &view);
        test_ok(crash_clock() - start < 1.0 * shm_slowness());

        test_eq(ngx_http_chat_zone_find_dead(&zone), 0);
        ngx_http_chat_room_reap(&zone, 0, 0);
        ngx_http_chat_zone_release(&zone, 0);

        broken += zone.sh->leaks;

        if (zone.sh->leaks) {
            test_ok(ngx_http_chat_repair(&zone) >= 0);
        }

        test_ok(shm_complete(&zone) == NULL);
    }

    printf("# %u killed, %u of them inside a lock\n", (unsigned) kills,
           (unsigned) broken);

    shm_zone_free(&zone);
}


int
main(int argc, char **argv)
{
    if (argc > 1) {
        crash_seed = strtoull(argv[1], NULL, 10);
    }

    (void) signal(SIGALRM, crash_stuck);

    crash_done = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED,
                      -1, 0);
    if (crash_done == MAP_FAILED) {
        return EXIT_FAILURE;
    }

    test_run("whoever dies at any instruction harms nobody", test_steps);
    test_run("neither does whoever is killed at any moment", test_kills);

    return test_done();
}
