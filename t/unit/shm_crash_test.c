
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

    rc = ngx_http_chat_room_seek(z, n, seen->epoch, 0, &cursor);
    test_eq(rc, NGX_OK);

    while (rc == NGX_OK && cursor.seq < seen->next) {
        number = cursor.seq;

        rc = ngx_http_chat_room_read(z, n, seen->epoch, &cursor, crash_buf,
                                     8192, &used, &need, &gap, &view);
        test_eq(rc, NGX_OK);
        test_eq(gap, 0);

        count = shm_entries(crash_buf, used, entries, 64);
        test_eq(cursor.seq, number + count);

        for (k = 0; k < count; k++) {
            test_eq(entries[k].header.seq, number + k);
            test_ok(entries[k].header.ts - SHM_NOW < 100000);
            test_eq(entries[k].header.sender,
                    (uint32_t) crash_number(i, number + k,
                                            entries[k].header.len));
            test_ok(shm_text_is(entries[k].text, entries[k].header.len,
                                crash_number(i, number + k,
                                             entries[k].header.len)));
        }
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


static const crash_case_t  crash_cases[] = {
    { "append", crash_setup_small, crash_run_append, 0 },
    { "append of many blocks", crash_setup_large, crash_run_append, 0 },
    { "append to an empty room", crash_setup_first, crash_run_append, 0 },
    { "append that trims", crash_setup_trimming, crash_run_append, 0 },
    { "trim", crash_setup_trim, crash_run_trim, 0 },
    { "clear", crash_setup_trim, crash_run_clear, 0 },
    { "join that makes a room", crash_setup_make, crash_run_join, 0 },
    { "join that makes a room of old blocks", crash_setup_remake,
      crash_run_join, 0 },
    { "join as the ninth worker", crash_setup_ninth, crash_run_join, 0 },
    { "leave", crash_setup, crash_run_leave, 0 },
    { "leave of the last member", crash_setup_last, crash_run_leave, 0 },
    { "append that evicts history", crash_setup_evict, crash_run_append, 0 },
    { "append that evicts a room", crash_setup_delete, crash_run_append, 0 },
    { "append beside a room that goes", crash_setup_neighbour,
      crash_run_append, 0 },
    { "reap", crash_setup, crash_run_reap, 0 },
    { "repair", crash_setup_free, crash_run_repair, 12 },
    { "block alloc", crash_setup, crash_run_alloc, 0 },
    { "block free", crash_setup_free, crash_run_free, 0 }
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
