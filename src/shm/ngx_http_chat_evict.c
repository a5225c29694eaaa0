
#include "ngx_http_chat_evict.h"
#include "ngx_http_chat_inner.h"
#include "ngx_http_chat_change.h"
#include "ngx_http_chat_occupant.h"
#include "ngx_http_chat_nonce.h"


#define NGX_HTTP_CHAT_EVICT_BLOCKS 32     /* freed by one eviction, about */
#define NGX_HTTP_CHAT_EVICT_PAUSE  100    /* ms between two vain searches */
#define NGX_HTTP_CHAT_EVICT_LOOKS  10     /* and rooms, for each ms more */


static ngx_uint_t ngx_http_chat_evict_one(ngx_http_chat_zone_t *z,
    ngx_uint_t squeeze);
static ngx_uint_t ngx_http_chat_evict_room(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_uint_t squeeze);
static ngx_uint_t ngx_http_chat_evict_people(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_uint_t squeeze);
static ngx_uint_t ngx_http_chat_evict_empty(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_uint_t squeeze);
static void ngx_http_chat_evict_sweep(ngx_http_chat_zone_t *z, uint32_t n);
static ngx_uint_t ngx_http_chat_evict_nonces(ngx_http_chat_zone_t *z,
    uint32_t n);


ngx_uint_t
ngx_http_chat_evict_lock(ngx_http_chat_zone_t *z)
{
    if (ngx_http_chat_lock(&z->sh->lru.lock)) {
        z->sh->leaks = 1;
        z->sh->lru.broken = 1;
    }

    return !z->sh->lru.broken;
}


void
ngx_http_chat_evict_unlock(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_unlock(&z->sh->lru.lock);
}


void
ngx_http_chat_evict_touch_locked(ngx_http_chat_zone_t *z, uint32_t n)
{
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    if (room->used == (uint32_t) ngx_time()) {
        return;
    }

    if (ngx_http_chat_evict_lock(z)) {
        ngx_http_chat_evict_unlink_locked(z, n);
        ngx_http_chat_evict_link_locked(z, n);
    }

    ngx_http_chat_evict_unlock(z);
}


void
ngx_http_chat_evict_link_locked(ngx_http_chat_zone_t *z, uint32_t n)
{
    ngx_http_chat_lru_sh_t   *lru;
    ngx_http_chat_room_sh_t  *room;

    lru = &z->sh->lru;
    room = ngx_http_chat_room(z, n);

    room->used = (uint32_t) ngx_time();
    room->newer = 0;
    room->older = lru->newest;

    if (lru->newest) {
        ngx_http_chat_room(z, lru->newest)->newer = n;

    } else {
        lru->oldest = n;
    }

    lru->newest = n;
    lru->rooms++;
}


void
ngx_http_chat_evict_unlink_locked(ngx_http_chat_zone_t *z, uint32_t n)
{
    ngx_http_chat_lru_sh_t   *lru;
    ngx_http_chat_room_sh_t  *room;

    lru = &z->sh->lru;
    room = ngx_http_chat_room(z, n);

    if (room->older == 0 && lru->oldest != n) {
        /* whoever made the room, or deleted it, died beside the list */
        return;
    }

    if (room->older) {
        ngx_http_chat_room(z, room->older)->newer = room->newer;

    } else {
        lru->oldest = room->newer;
    }

    if (room->newer) {
        ngx_http_chat_room(z, room->newer)->older = room->older;

    } else {
        lru->newest = room->older;
    }

    room->older = 0;
    room->newer = 0;

    lru->rooms--;
}


ngx_uint_t
ngx_http_chat_room_list(ngx_http_chat_zone_t *z, uint32_t *place,
    uint32_t *rooms, uint64_t *epochs, ngx_uint_t n)
{
    uint32_t                  next;
    ngx_uint_t                i;
    ngx_http_chat_room_sh_t  *room;

    i = 0;

    if (!ngx_http_chat_evict_lock(z)) {
        ngx_http_chat_evict_unlock(z);
        return 0;
    }

    next = z->sh->lru.newest;

    if (*place) {
        room = ngx_http_chat_room(z, *place);

        /* 0 too if it has left the list: then this is the end */

        next = (ngx_http_chat_block(z, *place)->kind
                == NGX_HTTP_CHAT_BLOCK_ROOM) ? room->older : 0;
    }

    while (next && i < n) {
        room = ngx_http_chat_room(z, next);

        rooms[i] = next;
        epochs[i] = room->epoch;
        i++;

        *place = next;
        next = room->older;
    }

    ngx_http_chat_evict_unlock(z);

    return i;
}


/*
 * A vain search looks at each room, about 1 us, while its worker does nothing
 * else; whoever has it made again and again is to get a hundredth of the time.
 */

ngx_int_t
ngx_http_chat_evict(ngx_http_chat_zone_t *z, ngx_uint_t *tries,
    ngx_uint_t need)
{
    ngx_uint_t  n, squeeze, freed;
    ngx_msec_t  full, pause;

    full = z->sh->full;
    pause = NGX_HTTP_CHAT_EVICT_PAUSE
            + z->sh->lru.rooms / NGX_HTTP_CHAT_EVICT_LOOKS;

    if (*tries == 0 || (full && ngx_current_msec - full < pause)) {
        return NGX_DECLINED;
    }

    (*tries)--;
    freed = 0;

    for (squeeze = 0; squeeze < 2; squeeze++) {

        for (n = z->sh->lru.rooms; n; n--) {

            if (ngx_http_chat_evict_one(z, squeeze)) {
                z->sh->evicted++;
                freed = 1;
            }

            if (freed && z->sh->pool.nfree >= need) {
                z->sh->full = 0;
                return NGX_OK;
            }
        }
    }

    if (freed && z->sh->pool.nfree) {

        /* less than was asked for, which may be more than it takes */

        z->sh->full = 0;
        return NGX_OK;
    }

    z->sh->full = ngx_current_msec;

    return NGX_DECLINED;
}


/* The oldest room gives blocks, or goes to the end of the list. */

static ngx_uint_t
ngx_http_chat_evict_one(ngx_http_chat_zone_t *z, ngx_uint_t squeeze)
{
    uint32_t                  n, hash;
    uint64_t                  epoch;
    ngx_uint_t                freed;
    ngx_http_chat_room_sh_t  *room;

    epoch = 0;

    n = ngx_http_chat_evict_lock(z) ? z->sh->lru.oldest : 0;

    if (n) {
        epoch = ngx_http_chat_room(z, n)->epoch;
    }

    ngx_http_chat_evict_unlock(z);

    if (n == 0) {
        return 0;
    }

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return 0;
    }

    hash = room->hash;

    freed = ngx_http_chat_evict_room(z, n, squeeze);

    if (freed == 0) {
        room->used = 0;
        ngx_http_chat_evict_touch_locked(z, n);
    }

    ngx_http_chat_zone_unlock(z, hash);

    return freed;
}


static ngx_uint_t
ngx_http_chat_evict_room(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_uint_t squeeze)
{
    ngx_uint_t                freed;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    freed = ngx_http_chat_log_drop_locked(z, &room->log,
                                          NGX_HTTP_CHAT_EVICT_BLOCKS);
    if (freed) {
        return freed;
    }

    freed = ngx_http_chat_log_drop_locked(z, &room->passing,
                                          NGX_HTTP_CHAT_EVICT_BLOCKS);
    if (freed) {
        return freed;
    }

    freed = ngx_http_chat_evict_people(z, n, squeeze);

    /* an empty inbox says that there was such a user */

    if (ngx_http_chat_evict_empty(z, n, squeeze)
        && (squeeze || (room->name[0] != '@'
                        && !ngx_http_chat_evict_nonces(z, n))))
    {
        ngx_http_chat_room_delete_locked(z, n);
        freed++;
    }

    return freed;
}


/* Forgets people of whom there is nothing to know; returns how many. */

static ngx_uint_t
ngx_http_chat_evict_people(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_uint_t squeeze)
{
    uint32_t                  o, next;
    uint64_t                  now;
    ngx_uint_t                gone;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);
    now = ngx_http_chat_room_now();
    gone = 0;

    next = ngx_http_chat_occupant_next_locked(z, n, 0);

    while (next) {
        o = next;
        next = ngx_http_chat_occupant_next_locked(z, n, o);

        if (now > (uint64_t) room->window * 1000) {
            (void) ngx_http_chat_nonce_trim_locked(z, o,
                                       now - (uint64_t) room->window * 1000);
        }

        gone += ngx_http_chat_occupant_forget_locked(z, o, now, squeeze);
    }

    return gone;
}


/*
 * Is nobody there, and nothing that says how the room is to be?  Those who
 * went a moment ago have nobody to be told of it.
 */

static ngx_uint_t
ngx_http_chat_evict_empty(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_uint_t squeeze)
{
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    return room->members == 0 && (squeeze || room->users == 0)
           && !ngx_http_chat_change_matters_locked(z, n);
}


void
ngx_http_chat_room_sweep(ngx_http_chat_zone_t *z, ngx_uint_t n)
{
    uint32_t    i, room, next;
    ngx_uint_t  first;

    n = ngx_min(n, z->sh->nbuckets);
    first = ngx_atomic_fetch_add(&z->sh->sweep, n);

    for ( /* void */ ; n; n--, first++) {
        i = (uint32_t) (first & (z->sh->nbuckets - 1));

        if (z->buckets[i] == 0) {
            continue;
        }

        ngx_http_chat_zone_lock(z, i);

        for (room = z->buckets[i]; room; room = next) {
            next = ngx_http_chat_room(z, room)->next;
            ngx_http_chat_evict_sweep(z, room);
        }

        ngx_http_chat_zone_unlock(z, i);
    }
}


static void
ngx_http_chat_evict_sweep(ngx_http_chat_zone_t *z, uint32_t n)
{
    ngx_http_chat_room_sh_t    *room;
    ngx_http_chat_log_state_t  *st;

    room = ngx_http_chat_room(z, n);

    ngx_http_chat_room_settle_locked(z, n);
    ngx_http_chat_room_trim_locked(z, room, room->members);

    (void) ngx_http_chat_evict_people(z, n, 0);

    st = ngx_http_chat_log_state(&room->log);

    if (room->name[0] != '@'
        && st->first_seq == st->next_seq
        && (uint64_t) ngx_time() >= (uint64_t) room->used + room->idle
        && ngx_http_chat_evict_empty(z, n, 0)
        && !ngx_http_chat_evict_nonces(z, n))
    {
        ngx_http_chat_room_delete_locked(z, n);
    }
}


/*
 * A message may come once more as long as its nonce is remembered; markers of
 * what was read tell nothing in a room that has no history, and go with it.
 */

static ngx_uint_t
ngx_http_chat_evict_nonces(ngx_http_chat_zone_t *z, uint32_t n)
{
    uint32_t  o;

    for (o = ngx_http_chat_occupant_next_locked(z, n, 0);
         o;
         o = ngx_http_chat_occupant_next_locked(z, n, o))
    {
        if (ngx_http_chat_occupant(z, o)->nonces) {
            return 1;
        }
    }

    return 0;
}
