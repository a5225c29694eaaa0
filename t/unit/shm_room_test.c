
/*
 * Rooms: members, epochs, what goes first when the zone is full, allocations
 * that fail, and several processes in one room.
 */


#include <sys/wait.h>
#include <unistd.h>

#include "shm_kit.h"
#include "test.h"


#define ROOM_SLOTS    80
#define ROOM_ENTRIES  4000              /* of each writer */
#define ROOM_WRITERS  2
#define ROOM_READERS  2
#define ROOM_BUF      8192


static ngx_http_chat_retention_t  room_keep = { 100, 86400000, 1048576,
                                                 3600000, 120000 };
static ngx_http_chat_retention_t  room_none = { 0, 0, 1048576, 3600000,
                                                 120000 };


static uint32_t
room_find(ngx_http_chat_zone_t *z, const char *name)
{
    uint32_t                  n, b;
    ngx_http_chat_room_sh_t  *room;

    for (b = 0; b < z->sh->nbuckets; b++) {

        for (n = z->buckets[b]; n; n = room->next) {
            room = ngx_http_chat_room(z, n);

            if (room->name_len == ngx_strlen(name)
                && ngx_memcmp(room->name, name, room->name_len) == 0)
            {
                return n;
            }
        }
    }

    return 0;
}


static void
room_text(char *name, const char *word, ngx_uint_t n)
{
    (void) snprintf(name, 24, "%s%u", word, (unsigned) n);
}


/* Entries kept by a room, -1 if it is gone. */

static long
room_kept(ngx_http_chat_zone_t *z, const char *name)
{
    uint32_t                    n;
    ngx_http_chat_log_state_t  *st;

    n = room_find(z, name);

    if (n == 0) {
        return -1;
    }

    st = ngx_http_chat_log_state(&ngx_http_chat_room(z, n)->log);

    return (long) (st->next_seq - st->first_seq);
}


static ngx_int_t
room_append(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    uint16_t *slots, ngx_uint_t *nslots)
{
    ngx_int_t                    rc;
    ngx_http_chat_room_append_t  a;

    ngx_memzero(&a, sizeof(ngx_http_chat_room_append_t));
    ngx_str_set(&a.entry.head, "text");

    a.entry.flags = NGX_HTTP_CHAT_ENTRY_TEXT;
    a.retention = &room_keep;
    a.slots = slots;

    rc = ngx_http_chat_room_append(z, n, epoch, &a);

    *nslots = a.nslots;

    return rc;
}


/* Each slot's members are its own; more than a few slots take a block. */

static void
test_members(void)
{
    uint32_t                    n;
    ngx_uint_t                  i, k, free, members;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_room_view_t   view, last;

    z = &zone;
    shm_zone_make(z, 100, ROOM_SLOTS);
    free = z->sh->pool.nfree;

    n = 0;
    members = 0;

    for (i = 0; i < ROOM_SLOTS; i++) {
        z->slot = i;

        for (k = 0; k <= i % 3; k++) {
            test_ok(n == 0 || shm_join(z, "room", &room_keep, &view) == n);

            if (n == 0) {
                n = shm_join(z, "room", &room_keep, &view);
                last = view;
            }

            members++;
            test_eq(view.members, members);
            test_ok(view.epoch == last.epoch);
        }
    }

    /* 8 in the room, 63 in a block */

    test_eq(free - z->sh->pool.nfree, 3);

    test_ok(shm_complete(z) == NULL);

    /* a slot without members has nothing to leave */

    z->slot = ROOM_SLOTS + 1;
    (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);
    test_eq(ngx_http_chat_room(z, n)->members, members);

    for (i = ROOM_SLOTS; i; i--) {
        z->slot = i - 1;

        for (k = 0; k <= (i - 1) % 3; k++) {
            (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);
            members--;
            test_eq(ngx_http_chat_room(z, n)->members, members);
        }

        (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);
        test_eq(ngx_http_chat_room(z, n)->members, members);
    }

    /* places are used again */

    for (i = 0; i < 200; i++) {
        z->slot = i % ROOM_SLOTS;
        test_ok(shm_join(z, "room", &room_keep, &view) == n);
        (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);
    }

    test_eq(free - z->sh->pool.nfree, 3);
    test_ok(shm_complete(z) == NULL);

    shm_zone_free(z);
}


/* Who is told: each slot with members, once until it has looked. */

static void
test_news(void)
{
    uint16_t                    slots[NGX_HTTP_CHAT_SLOTS_MAX];
    uint32_t                    n;
    ngx_uint_t                  i, nslots;
    u_char                      told[ROOM_SLOTS];
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_room_view_t   view;

    z = &zone;
    shm_zone_make(z, 100, ROOM_SLOTS);
    ngx_memzero(told, sizeof(told));

    for (i = 0; i < ROOM_SLOTS; i++) {
        z->slot = i;
        n = shm_join(z, "room", &room_keep, &view);
    }

    z->slot = 40;
    (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);

    test_eq(room_append(z, n, view.epoch, slots, &nslots), NGX_OK);
    test_eq(nslots, ROOM_SLOTS - 1);

    for (i = 0; i < nslots; i++) {
        test_ok(slots[i] < ROOM_SLOTS && slots[i] != 40
                && !told[slots[i]]++);
    }

    test_eq(room_append(z, n, view.epoch, slots, &nslots), NGX_OK);
    test_eq(nslots, 0);

    z->slot = 70;
    test_eq(ngx_http_chat_room_view(z, n, view.epoch, &view), NGX_OK);

    z->slot = 3;
    test_eq(room_append(z, n, view.epoch, slots, &nslots), NGX_OK);
    test_eq(nslots, 1);
    test_eq(slots[0], 70);

    shm_zone_free(z);
}


/* An index and an epoch of a former room are of no use, whoever has them. */

static void
test_epochs(void)
{
    size_t                      used, need;
    uint16_t                    slots[NGX_HTTP_CHAT_SLOTS_MAX];
    uint32_t                    n, old;
    uint64_t                    gap, epochs[200];
    ngx_uint_t                  i, k, nslots;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_cursor_t      cursor;
    ngx_http_chat_room_view_t   view;
    u_char                      buf[64];

    z = &zone;
    shm_zone_make(z, 64, 2);
    old = 0;

    for (i = 0; i < 200; i++) {
        n = shm_join(z, "room", &room_keep, &view);
        epochs[i] = view.epoch;

        test_ok(view.epoch != 0);
        test_eq(view.next_seq, 1);

        for (k = 0; k < i; k++) {
            test_ok(epochs[k] != epochs[i]);
        }

        if (i) {
            cursor = view.head;
            test_eq(n, old);
            test_eq(room_append(z, n, epochs[i - 1], slots, &nslots),
                    NGX_ABORT);
            test_eq(ngx_http_chat_room_view(z, n, epochs[i - 1], &view),
                    NGX_ABORT);
            test_eq(ngx_http_chat_room_seek(z, n, epochs[i - 1], 1, &cursor),
                    NGX_ABORT);
            test_eq(ngx_http_chat_room_read(z, n, epochs[i - 1], &cursor, buf,
                                            64, &used, &need, &gap, &view),
                    NGX_ABORT);
            (void) ngx_http_chat_room_leave(z, n, epochs[i - 1], 0, 0);
            ngx_http_chat_room_trim(z, n, epochs[i - 1], 0);
            test_eq(ngx_http_chat_room(z, n)->members, 1);
        }

        (void) ngx_http_chat_room_leave(z, n, epochs[i], 0, 0);
        old = n;

        /* the zone fills up, and the room goes */

        while (room_find(z, "room") && z->sh->pool.nfree) {
            (void) ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
        }

        n = shm_join(z, "other", &room_none, &view);
        test_eq(n, old);
        test_eq(room_find(z, "room"), 0);

        (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);
    }

    shm_zone_free(z);
}


/*
 * The least recently used room gives first.  Its history goes, all but the
 * block of the head, and itself only when nobody is in it.
 */

static void
test_eviction(void)
{
    char                        name[24];
    uint32_t                    n, rooms[12];
    ngx_uint_t                  i, k, gone;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_room_view_t   view, views[12];

    z = &zone;
    shm_zone_make(z, 64, 2);

    /* 12 rooms of 5 blocks, of which "room0" is the oldest */

    for (i = 0; i < 12; i++) {
        ngx_stub_time(SHM_NOW + i * 2000);
        room_text(name, "room", i);
        rooms[i] = shm_join(z, name, &room_keep, &views[i]);

        for (k = 0; k < 4; k++) {
            test_eq(shm_append(z, rooms[i], views[i].epoch, &room_keep,
                               400, 1), NGX_OK);
        }
    }

    /* now "room0" is the latest, and in "room1" is nobody */

    ngx_stub_time(SHM_NOW + 100000);
    test_eq(shm_append(z, rooms[0], views[0].epoch, &room_keep, 10, 1),
            NGX_OK);
    (void) ngx_http_chat_room_leave(z, rooms[1], views[1].epoch, 0, 0);

    while (z->sh->pool.nfree) {
        (void) ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
    }

    gone = 0;

    for (i = 0; i < 12; i++) {
        room_text(name, "new", i);
        n = shm_join(z, name, &room_keep, &view);
        test_ok(n != 0);

        /* what is taken is taken from the front */

        for (k = 1; k < 12; k++) {
            room_text(name, "room", k);

            if (k == 1 && room_kept(z, name) == -1) {
                gone = 1;
                continue;
            }

            if (room_kept(z, name) == 4) {
                break;
            }

            test_eq(room_kept(z, name), 0);
        }

        for ( /* void */ ; k <= 12; k++) {
            room_text(name, "room", k % 12);
            test_eq(room_kept(z, name), k == 12 ? 5 : 4);
        }
    }

    test_eq(gone, 1);
    test_ok(z->sh->evicted >= 3);

    shm_zone_free(z);
}


/* Nothing is left to give: refused, and all is well when there is again. */

static void
test_full(void)
{
    char                        name[24];
    uint32_t                    n, last;
    ngx_uint_t                  i, pause;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_room_view_t   view, old;

    z = &zone;
    shm_zone_make(z, 64, 2);
    ngx_memzero(&old, sizeof(old));
    last = 0;

    for (i = 0; i < 1000; i++) {
        room_text(name, "room", i);
        n = shm_join(z, name, &room_keep, &view);

        if (n == 0) {
            break;
        }

        last = n;
        old = view;
    }

    test_eq(i, z->sh->nblocks);
    test_eq(shm_append(z, last, old.epoch, &room_keep, 10, 1), NGX_DECLINED);
    test_ok(z->sh->full != 0);

    /* not everyone looks through all rooms again at once, and the later the
     * more of them there are */

    pause = 100 + z->sh->nblocks / 10;
    test_ok(pause > 104);

    ngx_stub_time(SHM_NOW + pause - 1);

    test_eq(shm_join(z, "more", &room_keep, &view), 0);
    test_eq(z->sh->full, (ngx_msec_t) SHM_NOW);
    test_ok(shm_complete(z) == NULL);
    test_eq(z->sh->lru.rooms, z->sh->nblocks);

    ngx_stub_time(SHM_NOW + pause);

    test_eq(shm_join(z, "more", &room_keep, &view), 0);
    test_eq(z->sh->full, (ngx_msec_t) SHM_NOW + pause);

    /* but at once where somebody has left a room to those who come */

    (void) ngx_http_chat_room_leave(z, room_find(z, "room7"),
                             ngx_http_chat_room(z, room_find(z, "room7"))
                                 ->epoch, 0, 0);

    test_eq(shm_append(z, last, old.epoch, &room_keep, 10, 1), NGX_OK);
    test_eq(room_find(z, "room7"), 0);
    test_eq(z->sh->full, 0);
    test_ok(shm_complete(z) == NULL);

    shm_zone_free(z);
}


static void
test_names(void)
{
    char                        name[256];
    uint32_t                    n;
    ngx_uint_t                  len;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_room_view_t   view;

    z = &zone;
    shm_zone_make(z, 64, 2);

    for (len = 1; len < sizeof(name); len++) {
        ngx_memset(name, 'x', len);
        name[len] = '\0';

        n = shm_join(z, name, &room_none, &view);

        test_eq(n != 0, len <= NGX_HTTP_CHAT_ROOM_NAME_MAX);

        if (n) {
            test_eq(view.members, 1);
            test_eq(room_find(z, name), n);
            (void) ngx_http_chat_room_leave(z, n, view.epoch, 0, 0);
        }
    }

    test_ok(shm_complete(z) == NULL);

    shm_zone_free(z);
}


/* A name that can be no room's costs no other room its messages. */

static void
test_long_name(void)
{
    char                        name[256];
    uint32_t                    n;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_room_view_t   view;

    z = &zone;
    shm_zone_make(z, 64, 2);

    n = shm_join(z, "room", &room_keep, &view);
    test_eq(shm_append(z, n, view.epoch, &room_keep, 1000, 1), NGX_OK);
    test_eq(shm_append(z, n, view.epoch, &room_keep, 1000, 2), NGX_OK);

    ngx_memset(name, 'x', NGX_HTTP_CHAT_ROOM_NAME_MAX + 1);
    name[NGX_HTTP_CHAT_ROOM_NAME_MAX + 1] = '\0';

    test_eq(shm_join(z, name, &room_keep, &view), 0);
    test_eq(room_kept(z, "room"), 2);
    test_eq(z->sh->evicted, 0);

    shm_zone_free(z);
}


/* A worker has died: its members are gone from all rooms, the others stay. */

static void
test_reap(void)
{
    char                        name[24];
    uint32_t                    n;
    ngx_uint_t                  i, k;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_room_view_t   view;

    z = &zone;
    shm_zone_make(z, 200, ROOM_SLOTS);

    for (i = 0; i < 50; i++) {
        room_text(name, "room", i);

        for (k = 0; k < 12; k++) {
            z->slot = k;

            if ((i + k) % 3) {
                test_ok(shm_join(z, name, &room_keep, &view) != 0);
                test_ok(shm_join(z, name, &room_keep, &view) != 0);
            }
        }
    }

    ngx_http_chat_room_reap(z, 10, 0);

    test_eq(z->sh->reaped, 1);
    test_ok(shm_complete(z) == NULL);

    for (i = 0; i < 50; i++) {
        room_text(name, "room", i);
        n = room_find(z, name);

        for (k = 0, view.members = 0; k < 12; k++) {
            view.members += (k != 10 && (i + k) % 3) ? 2 : 0;
        }

        test_eq(ngx_http_chat_room(z, n)->members, view.members);
    }

    shm_zone_free(z);
}


/*
 * The n-th block that an operation needs is not there, for all n: then the
 * room is as it was, and nothing is lost.
 */

static void
room_starve(ngx_uint_t n, ngx_uint_t first, size_t len)
{
    uint32_t                    room;
    ngx_int_t                   rc;
    ngx_uint_t                  need, held;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_room_view_t   view, after;

    z = &zone;
    shm_zone_make(z, 64, 2);

    room = shm_join(z, "room", &room_keep, &view);

    if (first) {
        test_eq(shm_append(z, room, view.epoch, &room_keep, first, 1),
                NGX_OK);
    }

    for (held = 0; z->sh->pool.nfree > n; held++) {
        (void) ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
    }

    need = (first ? first + 32 : 0) + len + 32;
    need = (need + NGX_HTTP_CHAT_BLOCK_DATA - 1) / NGX_HTTP_CHAT_BLOCK_DATA;
    need -= first ? (first + 32 + NGX_HTTP_CHAT_BLOCK_DATA - 1)
                     / NGX_HTTP_CHAT_BLOCK_DATA : 0;

    test_eq(ngx_http_chat_room_view(z, room, view.epoch, &view), NGX_OK);
    rc = shm_append(z, room, view.epoch, &room_keep, len, 2);
    test_eq(rc, n >= need ? NGX_OK : NGX_DECLINED);
    test_eq(ngx_http_chat_room_view(z, room, view.epoch, &after), NGX_OK);

    test_eq(after.next_seq, view.next_seq + (rc == NGX_OK));
    test_eq(after.first_seq, view.first_seq);
    test_eq(z->sh->pool.nfree, rc == NGX_OK ? n - need : n);

    /* only what was taken above hangs nowhere */

    test_eq(ngx_http_chat_repair(z), held);
    test_ok(shm_complete(z) == NULL);

    shm_zone_free(z);
}


static void
test_starve(void)
{
    ngx_uint_t  n;

    for (n = 0; n < 14; n++) {
        room_starve(n, 0, 0);
        room_starve(n, 0, 472);
        room_starve(n, 0, 473);
        room_starve(n, 0, 5000);
        room_starve(n, 100, 372);
        room_starve(n, 472, 0);
        room_starve(n, 300, 5000);
    }
}


/* A room for whose residents there is no block, and a zone for no room. */

static void
test_starve_join(void)
{
    uint32_t                    room;
    ngx_uint_t                  i, n;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_room_view_t   view;

    z = &zone;

    for (n = 0; n < 3; n++) {
        shm_zone_make(z, 64, ROOM_SLOTS);

        while (z->sh->pool.nfree > n) {
            (void) ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
        }

        for (i = 0; i < 20; i++) {
            z->slot = i;
            room = shm_join(z, "room", &room_keep, &view);
            test_eq(room != 0, n > (i >= NGX_HTTP_CHAT_RESIDENTS));
        }

        test_eq(z->sh->pool.nfree, 0);
        test_ok(ngx_http_chat_repair(z) >= 0);
        test_ok(shm_complete(z) == NULL);

        shm_zone_free(z);
    }

    /* nor memory to repair with */

    shm_zone_make(z, 64, 2);
    z->sh->leaks = 1;
    ngx_stub.no_memory = 1;
    test_eq(ngx_http_chat_repair(z), -1);
    test_eq(z->sh->leaks, 1);
    ngx_stub.no_memory = 0;
    test_eq(ngx_http_chat_repair(z), 0);
    test_eq(z->sh->leaks, 0);
    test_eq(z->sh->stripes[0].word + z->sh->lru.lock.word
            + z->sh->pool.lock.word, 0);
    shm_zone_free(z);
}


/* Where a reader stands, and where it is put when its entry is gone. */

static void
test_read(void)
{
    size_t                      used, need;
    uint32_t                    n;
    uint64_t                    gap;
    ngx_uint_t                  i;
    shm_entry_t                 entries[8];
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_cursor_t      cursor, laggard;
    ngx_http_chat_retention_t   few;
    ngx_http_chat_room_view_t   view;
    static u_char               buf[ROOM_BUF];

    z = &zone;
    shm_zone_make(z, 64, 2);

    n = shm_join(z, "room", &room_keep, &view);
    cursor = view.head;
    laggard = view.head;
    test_eq(cursor.seq, 1);

    test_eq(ngx_http_chat_room_read(z, n, view.epoch, &cursor, buf, ROOM_BUF,
                                    &used, &need, &gap, &view), NGX_OK);
    test_eq(used, 0);

    few = room_keep;
    few.messages = 3;
    few.backlog = 0;

    for (i = 1; i <= 6; i++) {
        test_eq(shm_append(z, n, view.epoch, &few, 200, i), NGX_OK);
    }

    test_eq(ngx_http_chat_room_read(z, n, view.epoch, &laggard, buf, 100,
                                    &used, &need, &gap, &view),
            NGX_DECLINED);
    test_eq(need, 232);
    test_eq(gap, 1);
    test_eq(view.next_seq, 7);
    test_eq(view.visible_seq, 4);
    test_eq(laggard.seq, view.first_seq);
    test_ok(view.first_seq == 4);

    test_eq(ngx_http_chat_room_read(z, n, view.epoch, &laggard, buf, ROOM_BUF,
                                    &used, &need, &gap, &view), NGX_OK);
    test_eq(gap, 0);
    test_eq(shm_entries(buf, used, entries, 8), 3);
    test_ok(shm_text_is(entries[2].text, 200, 6));

    test_eq(ngx_http_chat_room_seek(z, n, view.epoch, 0, &cursor), NGX_OK);
    test_eq(cursor.seq, 4);
    test_eq(ngx_http_chat_room_seek(z, n, view.epoch, 6, &cursor), NGX_OK);
    test_eq(cursor.seq, 6);
    test_eq(ngx_http_chat_room_seek(z, n, view.epoch, 99, &cursor), NGX_OK);
    test_eq(cursor.seq, 7);

    /* what is too old is shown to nobody */

    ngx_stub_time(SHM_NOW + 86400000 + 1);
    test_eq(ngx_http_chat_room_view(z, n, view.epoch, &view), NGX_OK);
    test_eq(view.first_seq, 7);

    /* and time does not run backwards */

    test_eq(shm_append(z, n, view.epoch, &room_keep, 10, 1), NGX_OK);
    ngx_stub_time(SHM_NOW);
    test_eq(shm_append(z, n, view.epoch, &room_keep, 10, 1), NGX_OK);

    test_eq(ngx_http_chat_room_read(z, n, view.epoch, &cursor, buf, ROOM_BUF,
                                    &used, &need, &gap, &view), NGX_OK);
    test_eq(shm_entries(buf, used, entries, 8), 2);
    test_ok(entries[0].header.ts == SHM_NOW + 86400001);
    test_ok(entries[1].header.ts == SHM_NOW + 86400001);

    shm_zone_free(z);
}


/* More entries than a seek passes under one lock. */

static void
test_long_seek(void)
{
    uint32_t                    n;
    uint64_t                    seq;
    ngx_uint_t                  i;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_cursor_t      cursor;
    ngx_http_chat_retention_t   many;
    ngx_http_chat_room_view_t   view;

    z = &zone;
    shm_zone_make(z, 1000, 2);

    many = room_keep;
    many.messages = 10000;
    n = shm_join(z, "room", &many, &view);

    for (i = 1; i <= 5000; i++) {
        test_eq(shm_append(z, n, view.epoch, &many, i % 50, i), NGX_OK);
    }

    for (seq = 1; seq <= 5001; seq += 511) {
        test_eq(ngx_http_chat_room_seek(z, n, view.epoch, seq, &cursor),
                NGX_OK);
        test_eq(cursor.seq, seq);
    }

    shm_zone_free(z);
}


static void
room_writer(ngx_http_chat_zone_t *z, ngx_uint_t who)
{
    uint32_t                    n;
    ngx_uint_t                  i, k;
    volatile uint32_t          *place;
    ngx_http_chat_room_view_t   view;

    ngx_pid = getpid();
    z->slot = who;

    n = shm_join(z, "room", &room_none, &view);

    for (i = 0; i < ROOM_ENTRIES; i++) {

        if (shm_append(z, n, view.epoch, &room_none, i % 700,
                       (uint64_t) who << 24 | i)
            != NGX_OK)
        {
            _exit(2);
        }

        /* not so far ahead that a reader loses something */

        for (k = ROOM_WRITERS; k < ROOM_WRITERS + ROOM_READERS; k++) {
            place = &z->slots[k].head;

            while (i > 500 && *place + 500 < i) {
                ngx_sched_yield();
            }
        }
    }

    _exit(0);
}


/* Everything in the order of its numbers, and each writer's in its own. */

static void
room_reader(ngx_http_chat_zone_t *z, ngx_uint_t who)
{
    size_t                      used, need;
    uint32_t                    n;
    uint64_t                    gap, seq;
    ngx_int_t                   rc;
    ngx_uint_t                  i, k, count, next[ROOM_WRITERS];
    shm_entry_t                 entries[ROOM_BUF / 32];
    ngx_http_chat_cursor_t      cursor;
    ngx_http_chat_room_view_t   view;
    static u_char               buf[ROOM_BUF];

    ngx_pid = getpid();
    z->slot = who;
    ngx_memzero(next, sizeof(next));

    n = room_find(z, "room");
    ngx_memzero(&cursor, sizeof(ngx_http_chat_cursor_t));
    cursor.seq = 1;
    view.epoch = ngx_http_chat_room(z, n)->epoch;

    while (cursor.seq <= ROOM_WRITERS * ROOM_ENTRIES) {
        seq = cursor.seq;
        rc = ngx_http_chat_room_read(z, n, view.epoch, &cursor, buf,
                                     800 + seq % 7000, &used, &need, &gap,
                                     &view);
        if (rc != NGX_OK || gap) {
            _exit(2);
        }

        count = shm_entries(buf, used, entries, ROOM_BUF / 32);

        for (i = 0; i < count; i++) {
            k = entries[i].header.sender >> 24;

            if (entries[i].header.seq != seq + i || k >= ROOM_WRITERS
                || (entries[i].header.sender & 0xffffff) != next[k]++
                || !shm_text_is(entries[i].text, entries[i].header.len,
                                entries[i].header.sender))
            {
                _exit(3);
            }
        }

        /* the writers wait for it */

        z->slots[who].head = (uint32_t) (next[0] < next[1] ? next[0]
                                                           : next[1]);
    }

    _exit(next[0] == ROOM_ENTRIES && next[1] == ROOM_ENTRIES ? 0 : 4);
}


static void
test_together(void)
{
    int                         status;
    uint32_t                    n;
    ngx_uint_t                  i;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_room_view_t   view;

    z = &zone;
    (void) alarm(60 * (unsigned) shm_slowness());

    shm_zone_make(z, 20000, ROOM_SLOTS);
    z->slot = ROOM_SLOTS - 1;
    n = shm_join(z, "room", &room_none, &view);

    for (i = 0; i < ROOM_WRITERS + ROOM_READERS; i++) {

        if (fork() == 0) {

            if (i < ROOM_WRITERS) {
                room_writer(z, i);
            }

            room_reader(z, i);
        }
    }

    for (i = 0; i < ROOM_WRITERS + ROOM_READERS; i++) {
        test_ok(wait(&status) > 0);
        test_eq(status, 0);
    }

    test_eq(ngx_http_chat_room_view(z, n, view.epoch, &view), NGX_OK);
    test_eq(view.next_seq, ROOM_WRITERS * ROOM_ENTRIES + 1);
    test_eq(view.members, ROOM_WRITERS + 1);
    test_ok(shm_complete(z) == NULL);

    (void) alarm(0);
    shm_zone_free(z);
}


int
main(void)
{
    test_run("members are counted by worker", test_members);
    test_run("workers are told once", test_news);
    test_run("no epoch comes twice", test_epochs);
    test_run("the least recently used goes first", test_eviction);
    test_run("a full zone refuses and recovers", test_full);
    test_run("names of any length", test_names);
    test_run("a name too long evicts nothing", test_long_name);
    test_run("a dead worker's members", test_reap);
    test_run("an append without enough blocks", test_starve);
    test_run("a join without enough blocks", test_starve_join);
    test_run("what a reader gets", test_read);
    test_run("a seek over many entries", test_long_seek);
    test_run("writers and readers at once", test_together);

    return test_done();
}
