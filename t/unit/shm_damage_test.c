
/*
 * Somebody wrote where he should not: into the blocks of a room's log.  That
 * room may lose its messages, but nobody crashes, runs for ever, reads what
 * lies outside, or loses another room's messages; and the repair finds every
 * block.  What cannot be told from a sound log is left out: a link that leads
 * to a block of another room's log.
 *
 *     shm_damage [seed]
 */


#include <signal.h>
#include <unistd.h>

#include "shm_kit.h"
#include "test.h"


#define DAMAGE_SEEDS  4000
#define DAMAGE_ROOMS  3
#define DAMAGE_STEPS  25
#define DAMAGE_BUF    8192
#define DAMAGE_STUCK  60                /* seconds */


typedef struct {
    ngx_http_chat_zone_t        zone;
    uint32_t                    rooms[DAMAGE_ROOMS];
    uint64_t                    epochs[DAMAGE_ROOMS];
    ngx_http_chat_cursor_t      cursors[DAMAGE_ROOMS];
    uint64_t                    random;
    uint64_t                    seed;
} damage_t;


static uint64_t                   damage_seed;
static uint64_t                   damage_now;
static ngx_uint_t                 damage_resets;
static const char                *damage_names[] = { "victim", "a", "b" };
static ngx_http_chat_retention_t  damage_keep = { 1000, 86400000, 1048576,
                                                   3600000, 120000 };


static void
damage_stuck(int signo)
{
    printf("Bail out! stuck with seed %llu\n",
           (unsigned long long) damage_now);
    (void) fflush(stdout);
    _exit(EXIT_FAILURE);
}


static ngx_uint_t
damage_roll(damage_t *d, ngx_uint_t n)
{
    return (ngx_uint_t) shm_random(&d->random, n);
}


static void
damage_init(damage_t *d, uint64_t seed)
{
    ngx_uint_t                  i, n;
    ngx_http_chat_room_view_t   view;

    d->seed = seed;
    d->random = seed;

    shm_zone_make(&d->zone, 100, 2);

    for (i = 0; i < DAMAGE_ROOMS; i++) {
        d->rooms[i] = shm_join(&d->zone, damage_names[i], &damage_keep,
                               &view);
        d->epochs[i] = view.epoch;
        d->cursors[i] = view.head;

        for (n = 1 + damage_roll(d, 12); n; n--) {
            test_eq(shm_append(&d->zone, d->rooms[i], view.epoch,
                               &damage_keep, damage_roll(d, 900), i),
                    NGX_OK);
        }
    }

    /* blocks that were used and are free again */

    for (i = 0; i < 3; i++) {
        n = ngx_http_chat_block_alloc(&d->zone, NGX_HTTP_CHAT_BLOCK_LOG);
        ngx_http_chat_block_free(&d->zone, (uint32_t) n, (uint32_t) n, 1);
    }
}


/* Any block of the victim's log. */

static uint32_t
damage_block(damage_t *d)
{
    uint32_t    n, next;
    ngx_uint_t  i;

    n = ngx_http_chat_log_first(&ngx_http_chat_room(&d->zone,
                                                    d->rooms[0])->log);

    for (i = damage_roll(d, 12); n && i; i--) {
        next = ngx_http_chat_block(&d->zone, n)->next;

        if (next == 0 || next > d->zone.sh->nblocks
            || ngx_http_chat_block(&d->zone, next)->kind
               != NGX_HTTP_CHAT_BLOCK_LOG)
        {
            break;
        }

        n = next;
    }

    return n;
}


/* Leads nowhere, out of the zone, to a room's block, or back. */

static uint32_t
damage_link(damage_t *d)
{
    switch (damage_roll(d, 5)) {

    case 0:
        return 0;

    case 1:
        return d->zone.sh->nblocks + 1 + damage_roll(d, 3);

    case 2:
        return d->rooms[damage_roll(d, DAMAGE_ROOMS)];

    case 3:
        return (uint32_t) damage_roll(d, 0xffffffff) | 0x10000;

    default:
        return damage_block(d);
    }
}


static void
damage_do(damage_t *d)
{
    uint32_t                    len;
    ngx_uint_t                  i, n;
    ngx_http_chat_block_sh_t   *block;
    ngx_http_chat_log_state_t  *st;

    block = ngx_http_chat_block(&d->zone, damage_block(d));
    st = ngx_http_chat_log_state(&ngx_http_chat_room(&d->zone,
                                                     d->rooms[0])->log);

    switch (damage_roll(d, 5)) {

    case 0:
        block->next = damage_link(d);
        break;

    case 1:
        block->kind = (uint16_t) damage_roll(d, 5);
        break;

    case 2:
        /* the oldest entry's length */
        block = ngx_http_chat_block(&d->zone, st->first_block);

        if (st->first_off + sizeof(len) <= NGX_HTTP_CHAT_BLOCK_DATA) {
            ngx_memcpy(&len, block->data + st->first_off, sizeof(len));
            len = damage_roll(d, 2) ? (uint32_t) damage_roll(d, 0xffffffff)
                                    : len + damage_roll(d, 64) - 32;
            ngx_memcpy(block->data + st->first_off, &len, sizeof(len));
        }

        break;

    default:
        i = damage_roll(d, NGX_HTTP_CHAT_BLOCK_DATA);
        n = damage_roll(d, 2) ? 1 + damage_roll(d, 8)
                              : NGX_HTTP_CHAT_BLOCK_DATA;

        for ( /* void */ ; n && i < NGX_HTTP_CHAT_BLOCK_DATA; i++, n--) {
            block->data[i] = (u_char) damage_roll(d, 256);
        }
    }
}


/* Or the state itself, which lies in the room. */

static void
damage_state(damage_t *d)
{
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(&ngx_http_chat_room(&d->zone,
                                                     d->rooms[0])->log);

    switch (damage_roll(d, 6)) {

    case 0:
        st->first_block = damage_link(d);
        break;

    case 1:
        st->last_block = damage_link(d);
        break;

    case 2:
        st->first_off = (uint16_t) damage_roll(d, 65536);
        break;

    case 3:
        st->last_off = (uint16_t) damage_roll(d, 65536);
        break;

    case 4:
        st->bytes += damage_roll(d, 2000);
        st->bytes -= damage_roll(d, 2000);
        break;

    default:
        st->first_seq += damage_roll(d, 20);
    }
}


static void
damage_enter(damage_t *d, ngx_uint_t i)
{
    ngx_http_chat_room_view_t  view;

    d->rooms[i] = shm_join(&d->zone, damage_names[i], &damage_keep, &view);
    d->epochs[i] = view.epoch;
    d->cursors[i] = view.head;
}


static ngx_int_t
damage_read(damage_t *d, ngx_uint_t i, size_t size)
{
    size_t                     used, need;
    uint64_t                   gap;
    ngx_int_t                  rc;
    ngx_uint_t                 n, k;
    shm_entry_t                entries[DAMAGE_BUF / 32];
    ngx_http_chat_room_view_t  view;
    static u_char              buf[DAMAGE_BUF];

    rc = ngx_http_chat_room_read(&d->zone, d->rooms[i], d->epochs[i],
                                 &d->cursors[i], buf, size, &used, &need,
                                 &gap, &view);
    if (rc == NGX_DECLINED) {
        /* no more than the zone could hold */
        test_ok(need <= d->zone.sh->nblocks * NGX_HTTP_CHAT_BLOCK_SIZE);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    test_ok(used <= size);

    n = shm_entries(buf, used, entries, DAMAGE_BUF / 32);

    for (k = 0; k < n && i; k++) {
        test_ok(shm_text_is(entries[k].text, entries[k].header.len, i));
    }

    return rc;
}


static void
damage_step(damage_t *d, ngx_uint_t i)
{
    ngx_int_t  rc;

    rc = NGX_OK;

    switch (damage_roll(d, 6)) {

    case 0:
        rc = shm_append(&d->zone, d->rooms[i], d->epochs[i], &damage_keep,
                        damage_roll(d, 1500), i);
        break;

    case 1:
        rc = ngx_http_chat_room_seek(&d->zone, d->rooms[i], d->epochs[i],
                                     damage_roll(d, 20), &d->cursors[i]);
        break;

    case 2:
        ngx_http_chat_room(&d->zone, d->rooms[i])->messages
                                              = (uint32_t) damage_roll(d, 9);
        ngx_http_chat_room_trim(&d->zone, d->rooms[i], d->epochs[i],
                                damage_roll(d, 2));
        break;

    case 3:
        ngx_stub_time(SHM_NOW + damage_roll(d, 10000));
        damage_enter(d, i);
        break;

    default:
        rc = damage_read(d, i, damage_roll(d, DAMAGE_BUF));
    }

    if (rc == NGX_ERROR || rc == NGX_ABORT) {
        test_eq(i, 0);
        damage_resets++;
        damage_enter(d, i);
    }
}


/* The sound rooms have what they had, whatever became of the victim. */

static void
damage_check_others(damage_t *d)
{
    ngx_int_t   rc;
    ngx_uint_t  i, k;

    for (i = 1; i < DAMAGE_ROOMS; i++) {
        test_eq(ngx_http_chat_room_seek(&d->zone, d->rooms[i], d->epochs[i],
                                        0, &d->cursors[i]), NGX_OK);

        for (k = 0; k < 100; k++) {
            rc = damage_read(d, i, DAMAGE_BUF);
            test_eq(rc, NGX_OK);
        }
    }
}


/* All the zone's blocks are asked for, so that the damaged log must give. */

static void
damage_evict(damage_t *d)
{
    uint32_t                   n;
    ngx_uint_t                 i;
    ngx_http_chat_room_view_t  view;

    if (damage_roll(d, 2)) {
        ngx_http_chat_room_reap(&d->zone, 0, 0);
    }

    n = shm_join(&d->zone, "greedy", &damage_keep, &view);

    for (i = 0; n && i < 40; i++) {
        ngx_stub_time(SHM_NOW + 20000 + i * 200);

        if (shm_append(&d->zone, n, view.epoch, &damage_keep, 3000, i)
            != NGX_OK)
        {
            break;
        }
    }
}


static void
damage_run(uint64_t seed, ngx_uint_t state)
{
    const char       *wrong;
    ngx_uint_t        i;
    static damage_t   d;

    damage_now = seed;
    damage_init(&d, seed);

    if (state) {
        damage_state(&d);

    } else {
        damage_do(&d);

        if (damage_roll(&d, 2)) {
            damage_do(&d);
        }
    }

    for (i = 0; i < DAMAGE_STEPS; i++) {

        damage_step(&d, damage_roll(&d, 3) ? 0 : damage_roll(&d, 3));
    }

    damage_check_others(&d);

    if (seed % 2) {
        damage_evict(&d);
    }

    /* the first one finds what hangs nowhere, the second finds nothing */

    test_ok(ngx_http_chat_repair(&d.zone) >= 0);
    ngx_http_chat_room_reap(&d.zone, 1, 0);
    test_ok(ngx_http_chat_repair(&d.zone) >= 0);
    test_eq(ngx_http_chat_repair(&d.zone), 0);

    wrong = shm_complete(&d.zone);
    test_ok(wrong == NULL);

    if (test_state()->failed) {
        printf("# seed %llu%s%s\n", (unsigned long long) seed,
               wrong ? ": " : "", wrong ? wrong : "");
    }

    shm_zone_free(&d.zone);
}


static void
damage_all(ngx_uint_t state)
{
    uint64_t  seed, last;

    (void) alarm(DAMAGE_STUCK * (unsigned) shm_slowness());

    if (damage_seed) {
        damage_run(damage_seed, state);
        return;
    }

    damage_resets = 0;
    last = DAMAGE_SEEDS / shm_slowness();

    for (seed = 1; seed <= last && !test_state()->failed; seed++) {
        damage_run(seed, state);
    }

    printf("# seeds 1 to %u, %u resets\n", (unsigned) last,
           (unsigned) damage_resets);

    test_ok(damage_resets > last / 10);
}


static void
test_blocks(void)
{
    damage_all(0);
}


static void
test_state_words(void)
{
    damage_all(1);
}


static ngx_http_chat_log_state_t *
damage_log(damage_t *d, ngx_uint_t i)
{
    return ngx_http_chat_log_state(&ngx_http_chat_room(&d->zone,
                                                       d->rooms[i])->log);
}


/*
 * The head's block leads to another room's log: nobody goes there, neither to
 * append nor to give blocks back.
 */

static void
test_behind_head(void)
{
    uint32_t         last, *next;
    ngx_uint_t       i;
    static damage_t  d;

    for (i = 0; i < 3; i++) {
        damage_init(&d, 5);

        last = damage_log(&d, 0)->last_block;
        next = &ngx_http_chat_block(&d.zone, last)->next;
        *next = damage_log(&d, 1)->first_block;

        if (i == 0) {
            test_eq(shm_append(&d.zone, d.rooms[0], d.epochs[0],
                               &damage_keep, 1500, 0), NGX_OK);
            test_eq(d.zone.sh->leaks, 1);

        } else if (i == 1) {
            (void) ngx_http_chat_room_leave(&d.zone, d.rooms[0], d.epochs[0],
                                            0, 0);

            ngx_http_chat_zone_lock(&d.zone, 0);
            ngx_http_chat_log_clear_locked(&d.zone,
                           &ngx_http_chat_room(&d.zone, d.rooms[0])->log);
            ngx_http_chat_zone_unlock(&d.zone, 0);

            test_eq(d.zone.sh->leaks, 1);
        }

        damage_check_others(&d);

        test_ok(ngx_http_chat_repair(&d.zone) >= 0);
        test_ok(shm_complete(&d.zone) == NULL);

        damage_check_others(&d);
        shm_zone_free(&d.zone);
    }
}


/* A chain that passes the head too early goes on: the head's block is not
 * given back for that. */

static void
test_past_head(void)
{
    uint32_t                    blocks[4], last;
    ngx_uint_t                  i;
    static damage_t             d;
    ngx_http_chat_log_state_t  *st;

    damage_init(&d, 5);
    ngx_http_chat_log_clear_locked(&d.zone,
                           &ngx_http_chat_room(&d.zone, d.rooms[0])->log);

    test_eq(shm_append(&d.zone, d.rooms[0], d.epochs[0], &damage_keep,
                       2 * NGX_HTTP_CHAT_BLOCK_DATA + 100, 0), NGX_OK);
    test_eq(shm_append(&d.zone, d.rooms[0], d.epochs[0], &damage_keep,
                       NGX_HTTP_CHAT_BLOCK_DATA, 0), NGX_OK);

    st = damage_log(&d, 0);
    blocks[0] = st->first_block;

    for (i = 1; i < 4; i++) {
        blocks[i] = ngx_http_chat_block(&d.zone, blocks[i - 1])->next;
    }

    last = st->last_block;
    test_eq(last, blocks[3]);

    ngx_http_chat_block(&d.zone, blocks[0])->next = last;
    ngx_http_chat_block(&d.zone, last)->next = blocks[1];

    ngx_http_chat_room(&d.zone, d.rooms[0])->messages = 1;
    ngx_http_chat_room(&d.zone, d.rooms[0])->backlog = 0;
    ngx_http_chat_room_trim(&d.zone, d.rooms[0], d.epochs[0], 0);

    test_eq(ngx_http_chat_block(&d.zone, last)->kind,
            NGX_HTTP_CHAT_BLOCK_LOG);
    test_eq(damage_log(&d, 0)->first_seq, damage_log(&d, 0)->next_seq);
    test_eq(d.zone.sh->leaks, 1);

    test_ok(ngx_http_chat_repair(&d.zone) > 0);
    test_ok(shm_complete(&d.zone) == NULL);

    shm_zone_free(&d.zone);
}


/* Rooms that lead back to themselves, and residents that do. */

static void
test_rings(void)
{
    ngx_uint_t                  i;
    static damage_t             d;
    ngx_http_chat_room_view_t   view;
    ngx_http_chat_room_sh_t    *room;

    (void) alarm(DAMAGE_STUCK * (unsigned) shm_slowness());

    shm_zone_make(&d.zone, 100, 20);

    for (i = 0; i < 20; i++) {
        d.zone.slot = i;
        d.rooms[0] = shm_join(&d.zone, "victim", &damage_keep, &view);
    }

    room = ngx_http_chat_room(&d.zone, d.rooms[0]);

    test_ok(room->more != 0);
    ngx_http_chat_block(&d.zone, room->more)->next = room->more;
    room->next = d.rooms[0];

    test_eq(ngx_http_chat_repair(&d.zone), 0);
    test_eq(room->next, 0);
    test_ok(shm_complete(&d.zone) == NULL);

    room->next = d.zone.sh->nblocks + 1000000;
    test_eq(ngx_http_chat_repair(&d.zone), 0);
    test_ok(shm_complete(&d.zone) == NULL);

    (void) alarm(0);
    shm_zone_free(&d.zone);
}


/* Those who are in a room that begins anew are made to look. */

static void
test_told(void)
{
    uint64_t         epoch;
    static damage_t  d;

    damage_init(&d, 7);

    d.zone.slot = 1;
    damage_enter(&d, 0);
    d.zone.slot = 0;

    epoch = d.epochs[0];
    test_eq(d.zone.slots[1].rescan, 0);

    ngx_http_chat_block(&d.zone, ngx_http_chat_log_first(
        &ngx_http_chat_room(&d.zone, d.rooms[0])->log))->data[8] ^= 0xff;

    test_eq(ngx_http_chat_room_seek(&d.zone, d.rooms[0], epoch, 2,
                                    &d.cursors[0]), NGX_ERROR);
    test_eq(d.zone.slots[1].rescan, 1);
    test_eq(d.zone.sh->leaks, 1);
    test_ok(ngx_http_chat_room(&d.zone, d.rooms[0])->epoch != epoch);
    test_eq(ngx_http_chat_room_seek(&d.zone, d.rooms[0], epoch, 2,
                                    &d.cursors[0]), NGX_ABORT);

    test_ok(ngx_http_chat_repair(&d.zone) > 0);
    test_ok(shm_complete(&d.zone) == NULL);

    shm_zone_free(&d.zone);
}


int
main(int argc, char **argv)
{
    if (argc > 1) {
        damage_seed = strtoull(argv[1], NULL, 10);
    }

    (void) signal(SIGALRM, damage_stuck);

    test_run("blocks of a log that were written over", test_blocks);
    test_run("a log's state that was written over", test_state_words);
    test_run("a link behind the head is not followed", test_behind_head);
    test_run("a chain that passes the head", test_past_head);
    test_run("the repair ends", test_rings);
    test_run("who is in a damaged room is told", test_told);

    return test_done();
}
