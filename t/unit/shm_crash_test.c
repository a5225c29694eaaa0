
/*
 * A worker dies anywhere in what it does to rooms and logs; and then children
 * are killed for good at random moments of many operations.
 *
 *     shm_crash [seed]
 */


#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "shm_crash_kit.h"


#define CRASH_KILLS     300


static uint64_t  crash_seed = 1;


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
    { "append", crash_setup_small, crash_run_append, 0, NULL },
    { "append of many blocks", crash_setup_large,
      crash_run_append, 0, NULL },
    { "append to an empty room", crash_setup_first,
      crash_run_append, 0, NULL },
    { "append that trims", crash_setup_trimming, crash_run_append, 0, NULL },
    { "trim", crash_setup_trim, crash_run_trim, 0, NULL },
    { "clear", crash_setup_trim, crash_run_clear, 0, NULL },
    { "join that makes a room", crash_setup_make, crash_run_join, 0, NULL },
    { "join that makes a room of old blocks", crash_setup_remake,
      crash_run_join, 0, NULL },
    { "join as the ninth worker", crash_setup_ninth,
      crash_run_join, 0, NULL },
    { "leave", crash_setup, crash_run_leave, 0, NULL },
    { "leave of the last member", crash_setup_last,
      crash_run_leave, 0, NULL },
    { "append that evicts history", crash_setup_evict,
      crash_run_append, 0, NULL },
    { "append that evicts a room", crash_setup_delete,
      crash_run_append, 0, NULL },
    { "append beside a room that goes", crash_setup_neighbour,
      crash_run_append, 0, NULL },
    { "reap", crash_setup, crash_run_reap, 0, NULL },
    { "repair", crash_setup_free, crash_run_repair, 12, NULL },
    { "block alloc", crash_setup, crash_run_alloc, 0, NULL },
    { "block free", crash_setup_free, crash_run_free, 0, NULL }
};


static void
test_steps(void)
{
    crash_run_all(crash_cases, sizeof(crash_cases) / sizeof(crash_cases[0]));
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

    broken = 0;

    step_alarm("kills");

    shm_zone_make(&zone, 200, CRASH_SLOTS);
    zone.slots[0].pid = 0;

    kills = CRASH_KILLS / shm_slowness();

    for (i = 0; i < kills && !test_state()->failed; i++) {
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

    step_start();

    test_run("whoever dies at any instruction harms nobody", test_steps);
    test_run("neither does whoever is killed at any moment", test_kills);

    return test_done();
}
