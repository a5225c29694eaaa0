
#include "ngx_http_chat_room.h"


#define NGX_HTTP_CHAT_SEEK_STEPS   1024   /* entries passed under one lock */
#define NGX_HTTP_CHAT_EVICT_BLOCKS 32     /* freed by one eviction, about */
#define NGX_HTTP_CHAT_EVICT_PAUSE  100    /* ms between two vain searches */


static uint32_t ngx_http_chat_room_find_locked(ngx_http_chat_zone_t *z,
    ngx_str_t *name, uint32_t hash);
static uint32_t ngx_http_chat_room_make_locked(ngx_http_chat_zone_t *z,
    ngx_str_t *name, uint32_t hash);
static void ngx_http_chat_room_delete_locked(ngx_http_chat_zone_t *z,
    uint32_t n);
static ngx_http_chat_room_sh_t *ngx_http_chat_room_lock(
    ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch);
static void ngx_http_chat_room_keep(ngx_http_chat_room_sh_t *room,
    ngx_http_chat_retention_t *retention);
static void ngx_http_chat_room_kept(ngx_http_chat_room_sh_t *room,
    ngx_http_chat_retention_t *retention);
static void ngx_http_chat_room_look_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_room_view_t *view);
static void ngx_http_chat_room_reset_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room);
static uint64_t ngx_http_chat_room_epoch(ngx_http_chat_zone_t *z);

static ngx_http_chat_resident_t *ngx_http_chat_resident_next(
    ngx_http_chat_zone_t *z, ngx_http_chat_room_sh_t *room, uint32_t *block,
    ngx_uint_t *i);
static ngx_http_chat_resident_t *ngx_http_chat_resident_find(
    ngx_http_chat_zone_t *z, ngx_http_chat_room_sh_t *room, ngx_uint_t slot);
static ngx_http_chat_resident_t *ngx_http_chat_resident_add(
    ngx_http_chat_zone_t *z, ngx_http_chat_room_sh_t *room, ngx_uint_t slot);
static void ngx_http_chat_resident_count(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room);
static ngx_uint_t ngx_http_chat_resident_tell(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, uint16_t *slots);
static void ngx_http_chat_resident_heard(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room);

static void ngx_http_chat_room_touch(ngx_http_chat_zone_t *z, uint32_t n);
static ngx_uint_t ngx_http_chat_room_lock_list(ngx_http_chat_zone_t *z);
static void ngx_http_chat_room_unlink_locked(ngx_http_chat_zone_t *z,
    uint32_t n);
static ngx_int_t ngx_http_chat_room_evict(ngx_http_chat_zone_t *z);
static ngx_uint_t ngx_http_chat_room_evict_one(ngx_http_chat_zone_t *z);


static uint64_t
ngx_http_chat_room_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


uint32_t
ngx_http_chat_room_join(ngx_http_chat_zone_t *z, ngx_str_t *name,
    ngx_http_chat_retention_t *retention, ngx_http_chat_room_view_t *view)
{
    uint32_t                   hash, n;
    ngx_http_chat_room_sh_t   *room;
    ngx_http_chat_resident_t  *re;

    if (name->len > NGX_HTTP_CHAT_ROOM_NAME_MAX) {
        return 0;
    }

    room = NULL;
    hash = ngx_murmur_hash2(name->data, name->len);

    do {
        ngx_http_chat_zone_lock(z, hash);

        n = ngx_http_chat_room_find_locked(z, name, hash);

        if (n == 0) {
            n = ngx_http_chat_room_make_locked(z, name, hash);
        }

        re = NULL;

        if (n) {
            room = ngx_http_chat_room(z, n);

            re = ngx_http_chat_resident_find(z, room, z->slot);

            if (re == NULL) {
                re = ngx_http_chat_resident_add(z, room, z->slot);
            }
        }

        if (re) {
            re->members++;
            ngx_http_chat_resident_count(z, room);

            ngx_http_chat_room_keep(room, retention);
            ngx_http_chat_room_look_locked(z, room, view);
            ngx_http_chat_room_touch(z, n);
        }

        ngx_http_chat_zone_unlock(z, hash);

        if (re) {
            return n;
        }

    } while (ngx_http_chat_room_evict(z) == NGX_OK);

    return 0;
}


void
ngx_http_chat_room_leave(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch)
{
    uint32_t                   hash;
    ngx_http_chat_room_sh_t   *room;
    ngx_http_chat_resident_t  *re;
    ngx_http_chat_retention_t  retention;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return;
    }

    hash = room->hash;
    re = ngx_http_chat_resident_find(z, room, z->slot);

    if (re) {
        re->members--;
        ngx_http_chat_resident_count(z, room);
    }

    if (room->members == 0) {
        ngx_http_chat_room_kept(room, &retention);
        ngx_http_chat_log_trim_locked(z, &room->log, &retention, 0,
                                      ngx_http_chat_room_now());
    }

    ngx_http_chat_zone_unlock(z, hash);
}


ngx_int_t
ngx_http_chat_room_append(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_http_chat_append_t *a, ngx_http_chat_retention_t *retention,
    uint16_t *slots, ngx_uint_t *nslots)
{
    uint32_t                  hash;
    uint64_t                  now;
    ngx_int_t                 rc;
    ngx_http_chat_room_sh_t  *room;

    now = ngx_http_chat_room_now();

    do {
        room = ngx_http_chat_room_lock(z, n, epoch);
        if (room == NULL) {
            return NGX_ABORT;
        }

        hash = room->hash;

        rc = ngx_http_chat_log_append_locked(z, &room->log, a, now);

        if (rc == NGX_OK) {
            ngx_http_chat_room_keep(room, retention);
            ngx_http_chat_log_trim_locked(z, &room->log, retention,
                                          room->members, now);

            *nslots = ngx_http_chat_resident_tell(z, room, slots);

            ngx_http_chat_room_touch(z, n);

        } else if (rc == NGX_ERROR) {
            ngx_http_chat_room_reset_locked(z, room);
            rc = NGX_ABORT;
        }

        ngx_http_chat_zone_unlock(z, hash);

    } while (rc == NGX_DECLINED && ngx_http_chat_room_evict(z) == NGX_OK);

    return rc;
}


ngx_int_t
ngx_http_chat_room_read(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_http_chat_cursor_t *cursor, u_char *buf, size_t size, size_t *used,
    size_t *need, uint64_t *gap, ngx_http_chat_room_view_t *view)
{
    ssize_t                   len;
    uint32_t                  hash;
    ngx_int_t                 rc;
    ngx_http_chat_room_sh_t  *room;

    *used = 0;
    *gap = 0;

    rc = NGX_OK;
    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return NGX_ABORT;
    }

    hash = room->hash;

    ngx_http_chat_resident_heard(z, room);
    ngx_http_chat_room_look_locked(z, room, view);

    if (cursor->seq < view->first_seq) {
        *gap = cursor->seq;
        cursor->seq = view->first_seq;
        cursor->block = 0;
    }

    if (cursor->seq < view->next_seq) {
        len = ngx_http_chat_log_read_locked(z, &room->log, cursor, buf, size,
                                            need);
        if (len > 0) {
            *used = len;

        } else if (len == 0) {
            rc = NGX_DECLINED;

        } else {
            ngx_http_chat_room_reset_locked(z, room);
            rc = NGX_ERROR;
        }
    }

    ngx_http_chat_zone_unlock(z, hash);

    return rc;
}


ngx_int_t
ngx_http_chat_room_seek(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    uint64_t seq, ngx_http_chat_cursor_t *cursor)
{
    uint32_t                    hash;
    ngx_int_t                   rc;
    ngx_http_chat_room_sh_t    *room;
    ngx_http_chat_log_state_t  *st;

    cursor->seq = 0;
    cursor->block = 0;
    cursor->off = 0;

    do {
        room = ngx_http_chat_room_lock(z, n, epoch);
        if (room == NULL) {
            return NGX_ABORT;
        }

        hash = room->hash;
        st = ngx_http_chat_log_state(&room->log);

        seq = ngx_min(ngx_max(seq, st->first_seq), st->next_seq);

        rc = ngx_http_chat_log_seek_locked(z, &room->log, cursor, seq,
                                           NGX_HTTP_CHAT_SEEK_STEPS);
        if (rc == NGX_ERROR) {
            ngx_http_chat_room_reset_locked(z, room);
        }

        ngx_http_chat_zone_unlock(z, hash);

    } while (rc == NGX_AGAIN);

    return rc;
}


ngx_int_t
ngx_http_chat_room_view(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_http_chat_room_view_t *view)
{
    uint32_t                  hash;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return NGX_ABORT;
    }

    hash = room->hash;

    ngx_http_chat_resident_heard(z, room);
    ngx_http_chat_room_look_locked(z, room, view);

    ngx_http_chat_zone_unlock(z, hash);

    return NGX_OK;
}


void
ngx_http_chat_room_trim(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_uint_t lag)
{
    uint32_t                   hash;
    ngx_http_chat_room_sh_t   *room;
    ngx_http_chat_retention_t  retention;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return;
    }

    hash = room->hash;

    ngx_http_chat_room_kept(room, &retention);
    ngx_http_chat_log_trim_locked(z, &room->log, &retention, lag,
                                  ngx_http_chat_room_now());

    ngx_http_chat_zone_unlock(z, hash);
}


void
ngx_http_chat_room_reap(ngx_http_chat_zone_t *z, ngx_uint_t slot)
{
    uint32_t                   i, n;
    ngx_http_chat_room_sh_t   *room;
    ngx_http_chat_resident_t  *re;

    for (i = 0; i < z->sh->nbuckets; i++) {

        /* a bucket's rooms share its lock: there are more of them than locks */

        ngx_http_chat_zone_lock(z, i);

        for (n = z->buckets[i]; n; n = room->next) {
            room = ngx_http_chat_room(z, n);

            re = ngx_http_chat_resident_find(z, room, slot);

            if (re) {
                re->members = 0;
                re->news = 0;
            }

            /* of each room: he may have died between two counts of any */

            ngx_http_chat_resident_count(z, room);
        }

        ngx_http_chat_zone_unlock(z, i);
    }

    z->sh->reaped++;
}


static uint32_t
ngx_http_chat_room_find_locked(ngx_http_chat_zone_t *z, ngx_str_t *name,
    uint32_t hash)
{
    uint32_t                  n;
    ngx_http_chat_room_sh_t  *room;

    for (n = z->buckets[hash & (z->sh->nbuckets - 1)]; n; n = room->next) {
        room = ngx_http_chat_room(z, n);

        if (room->hash == hash
            && room->name_len == name->len
            && ngx_memcmp(room->name, name->data, name->len) == 0)
        {
            return n;
        }
    }

    return 0;
}


static uint32_t
ngx_http_chat_room_make_locked(ngx_http_chat_zone_t *z, ngx_str_t *name,
    uint32_t hash)
{
    uint32_t                  n, *bucket;
    ngx_http_chat_room_sh_t  *room;

    n = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_ROOM);
    if (n == 0) {
        return 0;
    }

    bucket = &z->buckets[hash & (z->sh->nbuckets - 1)];
    room = ngx_http_chat_room(z, n);

    ngx_memzero(room, sizeof(ngx_http_chat_room_sh_t));

    room->next = *bucket;
    room->hash = hash;
    room->epoch = ngx_http_chat_room_epoch(z);
    room->name_len = (uint8_t) name->len;
    ngx_memcpy(room->name, name->data, name->len);

    ngx_http_chat_log_init_locked(&room->log);

    ngx_memory_barrier();

    *bucket = n;

    if (ngx_http_chat_room_lock_list(z)) {
        ngx_http_chat_room_relink_locked(z, n);
    }

    ngx_http_chat_unlock(&z->sh->lru.lock);

    return n;
}


static void
ngx_http_chat_room_delete_locked(ngx_http_chat_zone_t *z, uint32_t n)
{
    uint32_t                 *p, more;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    if (ngx_http_chat_room_lock_list(z)) {
        ngx_http_chat_room_unlink_locked(z, n);
    }

    ngx_http_chat_unlock(&z->sh->lru.lock);

    for (p = &z->buckets[room->hash & (z->sh->nbuckets - 1)];
         *p && *p != n;
         p = &ngx_http_chat_room(z, *p)->next)
    {
        /* void */
    }

    if (*p == n) {
        *p = room->next;
    }

    ngx_memory_barrier();

    ngx_http_chat_log_clear_locked(z, &room->log);

    while (room->more) {
        more = room->more;
        room->more = ngx_http_chat_block(z, more)->next;
        ngx_http_chat_block_free(z, more, more, 1);
    }

    room->epoch = 0;

    ngx_http_chat_block_free(z, n, n, 1);
}


/* The room of that index, locked, if it is still the one of that epoch. */

static ngx_http_chat_room_sh_t *
ngx_http_chat_room_lock(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch)
{
    uint32_t                  hash;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);
    hash = room->hash;

    ngx_http_chat_zone_lock(z, hash);

    if (ngx_http_chat_block(z, n)->kind == NGX_HTTP_CHAT_BLOCK_ROOM
        && room->hash == hash
        && room->epoch == epoch)
    {
        return room;
    }

    ngx_http_chat_zone_unlock(z, hash);

    return NULL;
}


static void
ngx_http_chat_room_keep(ngx_http_chat_room_sh_t *room,
    ngx_http_chat_retention_t *retention)
{
    room->messages = (uint32_t) retention->messages;
    room->age = retention->age;
    room->backlog = retention->backlog;
}


static void
ngx_http_chat_room_kept(ngx_http_chat_room_sh_t *room,
    ngx_http_chat_retention_t *retention)
{
    retention->messages = room->messages;
    retention->age = (ngx_msec_t) room->age;
    retention->backlog = (size_t) room->backlog;
}


static void
ngx_http_chat_room_look_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_room_view_t *view)
{
    ngx_http_chat_log_state_t  *st;
    ngx_http_chat_retention_t   retention;

    ngx_http_chat_room_kept(room, &retention);

    /* nobody is shown what has become too old since the last append */

    ngx_http_chat_log_trim_locked(z, &room->log, &retention, room->members,
                                  ngx_http_chat_room_now());

    st = ngx_http_chat_log_state(&room->log);

    view->epoch = room->epoch;
    view->next_seq = st->next_seq;
    view->first_seq = st->first_seq;
    view->visible_seq = ngx_http_chat_log_visible_locked(&room->log,
                                                         &retention);
    view->members = room->members;
    view->head.seq = st->next_seq;
    view->head.block = st->last_block;
    view->head.off = st->last_off;
}


/*
 * The log makes no sense: someone wrote where he should not.  The room begins
 * anew under another epoch, and the repair collects what can't be walked.
 */

static void
ngx_http_chat_room_reset_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room)
{
    uint32_t                   block;
    ngx_uint_t                 i;
    ngx_http_chat_resident_t  *re;

    room->epoch = ngx_http_chat_room_epoch(z);

    /* nobody will be told of this room again who is not told now */

    block = 0;
    i = 0;

    for ( ;; ) {
        re = ngx_http_chat_resident_next(z, room, &block, &i);

        if (re == NULL) {
            break;
        }

        if (re->members && re->slot < z->sh->nslots) {
            z->slots[re->slot].rescan = 1;
        }
    }

    room->members = 0;
    room->more = 0;

    ngx_memzero(room->residents, sizeof(room->residents));
    ngx_http_chat_log_init_locked(&room->log);

    z->sh->leaks = 1;
}


static uint64_t
ngx_http_chat_room_epoch(ngx_http_chat_zone_t *z)
{
    uint64_t  n;

    n = (uint64_t) ngx_atomic_fetch_add(&z->sh->life, 1) + 1;

    /* an odd factor: n and the product are one to one, so no epoch recurs */

    n = z->sh->seed + n * 0x9e3779b97f4a7c15ULL;

    return n ? n : 1;
}


/* Walks over all places for residents; *block and *i begin with 0. */

static ngx_http_chat_resident_t *
ngx_http_chat_resident_next(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, uint32_t *block, ngx_uint_t *i)
{
    ngx_http_chat_resident_t  *re;

    if (*block == 0) {

        if (*i < NGX_HTTP_CHAT_RESIDENTS) {
            return &room->residents[(*i)++];
        }

        *block = room->more;
        *i = 0;

    } else if (*i == NGX_HTTP_CHAT_RESIDENTS_MORE) {
        *block = ngx_http_chat_block(z, *block)->next;
        *i = 0;
    }

    if (*block == 0 || *block > z->sh->nblocks) {
        return NULL;
    }

    re = (ngx_http_chat_resident_t *) ngx_http_chat_block(z, *block)->data;

    return &re[(*i)++];
}


static ngx_http_chat_resident_t *
ngx_http_chat_resident_find(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_uint_t slot)
{
    uint32_t                   block;
    ngx_uint_t                 i;
    ngx_http_chat_resident_t  *re;

    block = 0;
    i = 0;

    for ( ;; ) {
        re = ngx_http_chat_resident_next(z, room, &block, &i);

        if (re == NULL || (re->members && re->slot == slot)) {
            return re;
        }
    }
}


/* A place for a new resident, still with 0 members; NULL: the zone is full. */

static ngx_http_chat_resident_t *
ngx_http_chat_resident_add(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_uint_t slot)
{
    uint32_t                   block, n;
    ngx_uint_t                 i;
    ngx_http_chat_resident_t  *re;

    block = 0;
    i = 0;

    do {
        re = ngx_http_chat_resident_next(z, room, &block, &i);
    } while (re && re->members);

    if (re == NULL) {
        n = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_RESIDENTS);
        if (n == 0) {
            return NULL;
        }

        ngx_memzero(ngx_http_chat_block(z, n)->data, NGX_HTTP_CHAT_BLOCK_DATA);
        ngx_http_chat_block(z, n)->next = room->more;

        ngx_memory_barrier();

        room->more = n;

        re = (ngx_http_chat_resident_t *) ngx_http_chat_block(z, n)->data;
    }

    re->slot = (uint16_t) slot;
    re->news = 0;

    return re;
}


/*
 * A room's members are those of its residents, always added up anew: a number
 * that is moved along with theirs would stay wrong when someone dies between.
 */

static void
ngx_http_chat_resident_count(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room)
{
    uint32_t                   block, members;
    ngx_uint_t                 i;
    ngx_http_chat_resident_t  *re;

    block = 0;
    i = 0;
    members = 0;

    for ( ;; ) {
        re = ngx_http_chat_resident_next(z, room, &block, &i);

        if (re == NULL) {
            break;
        }

        members += re->members;
    }

    room->members = members;
}


/* Lists the workers that do not know yet that there are news. */

static ngx_uint_t
ngx_http_chat_resident_tell(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, uint16_t *slots)
{
    uint32_t                   block;
    ngx_uint_t                 i, n;
    ngx_http_chat_resident_t  *re;

    n = 0;
    block = 0;
    i = 0;

    for ( ;; ) {
        re = ngx_http_chat_resident_next(z, room, &block, &i);

        if (re == NULL || n == NGX_HTTP_CHAT_SLOTS_MAX) {
            return n;
        }

        if (re->members && !re->news) {
            re->news = 1;
            slots[n++] = re->slot;
        }
    }
}


static void
ngx_http_chat_resident_heard(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room)
{
    ngx_http_chat_resident_t  *re;

    re = ngx_http_chat_resident_find(z, room, z->slot);

    if (re) {
        re->news = 0;
    }
}


/* Moves a room to the young end of the list, at most once a second. */

static void
ngx_http_chat_room_touch(ngx_http_chat_zone_t *z, uint32_t n)
{
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    if (room->used == (uint32_t) ngx_time()) {
        return;
    }

    if (ngx_http_chat_room_lock_list(z)) {
        ngx_http_chat_room_unlink_locked(z, n);
        ngx_http_chat_room_relink_locked(z, n);
    }

    ngx_http_chat_unlock(&z->sh->lru.lock);
}


/*
 * Locks the list by use.  0: someone died while he changed it; until the
 * repair its links may lead to blocks that are rooms no more.
 */

static ngx_uint_t
ngx_http_chat_room_lock_list(ngx_http_chat_zone_t *z)
{
    if (ngx_http_chat_lock(&z->sh->lru.lock)) {
        z->sh->leaks = 1;
        z->sh->lru.broken = 1;
    }

    return !z->sh->lru.broken;
}


void
ngx_http_chat_room_relink_locked(ngx_http_chat_zone_t *z, uint32_t n)
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


static void
ngx_http_chat_room_unlink_locked(ngx_http_chat_zone_t *z, uint32_t n)
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


/*
 * Frees some blocks: from the least recently used room that has any to give.
 * DECLINED: no room has.  After a vain search over all rooms the next one
 * waits, so that a full zone does not cost everyone a walk for each message.
 */

static ngx_int_t
ngx_http_chat_room_evict(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  n;
    ngx_msec_t  full;

    full = z->sh->full;

    if (full && ngx_current_msec - full < NGX_HTTP_CHAT_EVICT_PAUSE) {
        return NGX_DECLINED;
    }

    for (n = z->sh->lru.rooms; n; n--) {

        if (ngx_http_chat_room_evict_one(z)) {
            z->sh->full = 0;
            z->sh->evicted++;
            return NGX_OK;
        }
    }

    z->sh->full = ngx_current_msec;

    return NGX_DECLINED;
}


/* The oldest room gives blocks, or goes to the end of the list. */

static ngx_uint_t
ngx_http_chat_room_evict_one(ngx_http_chat_zone_t *z)
{
    uint32_t                  n, hash;
    uint64_t                  epoch;
    ngx_uint_t                freed;
    ngx_http_chat_room_sh_t  *room;

    hash = 0;
    epoch = 0;

    n = ngx_http_chat_room_lock_list(z) ? z->sh->lru.oldest : 0;

    if (n) {
        hash = ngx_http_chat_room(z, n)->hash;
        epoch = ngx_http_chat_room(z, n)->epoch;
    }

    ngx_http_chat_unlock(&z->sh->lru.lock);

    if (n == 0) {
        return 0;
    }

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return 0;
    }

    freed = ngx_http_chat_log_drop_locked(z, &room->log,
                                          NGX_HTTP_CHAT_EVICT_BLOCKS);

    if (freed == 0 && room->members == 0) {
        ngx_http_chat_room_delete_locked(z, n);
        freed = 1;

    } else if (freed == 0) {
        room->used = 0;
        ngx_http_chat_room_touch(z, n);
    }

    ngx_http_chat_zone_unlock(z, hash);

    return freed;
}
