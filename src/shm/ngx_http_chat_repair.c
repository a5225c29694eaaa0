
#include "ngx_http_chat_repair.h"
#include "ngx_http_chat_occupant.h"
#include "ngx_http_chat_change.h"
#include "ngx_http_chat_evict.h"


static void ngx_http_chat_repair_lock_all(ngx_http_chat_zone_t *z);
static void ngx_http_chat_repair_unlock_all(ngx_http_chat_zone_t *z);
static void ngx_http_chat_repair_mark_rooms(ngx_http_chat_zone_t *z,
    u_char *marks);
static void ngx_http_chat_repair_mark_room(ngx_http_chat_zone_t *z,
    u_char *marks, uint32_t n);
static void ngx_http_chat_repair_mark_people(ngx_http_chat_zone_t *z,
    u_char *marks, uint32_t n);
static void ngx_http_chat_repair_mark_intent(ngx_http_chat_zone_t *z,
    u_char *marks, ngx_http_chat_room_sh_t *room);
static void ngx_http_chat_repair_people(ngx_http_chat_zone_t *z,
    u_char *marks);
static uint32_t ngx_http_chat_repair_next(ngx_http_chat_zone_t *z,
    uint32_t o);
static ngx_uint_t ngx_http_chat_repair_is_person(ngx_http_chat_zone_t *z,
    u_char *marks, uint32_t o, uint32_t bucket);
static void ngx_http_chat_repair_mark_log(ngx_http_chat_zone_t *z,
    u_char *marks, ngx_http_chat_log_sh_t *log);
static void ngx_http_chat_repair_mark_chain(ngx_http_chat_zone_t *z,
    u_char *marks, uint32_t *link, ngx_uint_t kind);
static ngx_uint_t ngx_http_chat_repair_mark(ngx_http_chat_zone_t *z,
    u_char *marks, uint32_t *link, ngx_uint_t kind);
static ngx_int_t ngx_http_chat_repair_pool(ngx_http_chat_zone_t *z,
    u_char *marks);


ngx_int_t
ngx_http_chat_repair(ngx_http_chat_zone_t *z)
{
    u_char     *marks;
    ngx_int_t   found;

    marks = ngx_calloc(z->sh->nblocks / 8 + 1, ngx_cycle->log);
    if (marks == NULL) {
        return -1;
    }

    ngx_http_chat_repair_lock_all(z);

    z->sh->leaks = 0;

    ngx_http_chat_repair_mark_rooms(z, marks);
    ngx_http_chat_repair_people(z, marks);
    found = ngx_http_chat_repair_pool(z, marks);

    z->sh->repairs++;

    ngx_http_chat_repair_unlock_all(z);

    ngx_free(marks);

    return found;
}


static void
ngx_http_chat_repair_lock_all(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_CHAT_STRIPES; i++) {
        (void) ngx_http_chat_lock(&z->sh->stripes[i]);
    }

    (void) ngx_http_chat_lock(&z->sh->lru.lock);
    (void) ngx_http_chat_lock(&z->sh->pool.lock);
}


static void
ngx_http_chat_repair_unlock_all(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    ngx_http_chat_unlock(&z->sh->pool.lock);
    ngx_http_chat_unlock(&z->sh->lru.lock);

    for (i = NGX_HTTP_CHAT_STRIPES; i; i--) {
        ngx_http_chat_unlock(&z->sh->stripes[i - 1]);
    }
}


static void
ngx_http_chat_repair_mark_rooms(ngx_http_chat_zone_t *z, u_char *marks)
{
    uint32_t  i, *link;

    z->sh->lru.oldest = 0;
    z->sh->lru.newest = 0;
    z->sh->lru.rooms = 0;

    for (i = 0; i < z->sh->nbuckets; i++) {
        link = &z->buckets[i];

        while (ngx_http_chat_repair_mark(z, marks, link,
                                       NGX_HTTP_CHAT_BLOCK_ROOM))
        {
            ngx_http_chat_repair_mark_room(z, marks, *link);

            /* the order of use is lost, which costs nothing but fairness */

            ngx_http_chat_evict_link_locked(z, *link);

            link = &ngx_http_chat_room(z, *link)->next;
        }
    }

    z->sh->lru.broken = 0;
}


static void
ngx_http_chat_repair_mark_room(ngx_http_chat_zone_t *z, u_char *marks,
    uint32_t n)
{
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    ngx_http_chat_repair_mark_chain(z, marks, &room->more,
                                  NGX_HTTP_CHAT_BLOCK_RESIDENTS);
    ngx_http_chat_repair_mark_log(z, marks, &room->log);
    ngx_http_chat_repair_mark_log(z, marks, &room->passing);

    (void) ngx_http_chat_repair_mark(z, marks, &room->topic,
                                     NGX_HTTP_CHAT_BLOCK_TOPIC);

    ngx_http_chat_repair_mark_intent(z, marks, room);
    ngx_http_chat_repair_mark_people(z, marks, n);
}


/* Whoever locks the room next applies it or drops it. */

static void
ngx_http_chat_repair_mark_intent(ngx_http_chat_zone_t *z, u_char *marks,
    ngx_http_chat_room_sh_t *room)
{
    ngx_http_chat_intent_sh_t  *in;

    if (!ngx_http_chat_repair_mark(z, marks, &room->intent,
                                   NGX_HTTP_CHAT_BLOCK_INTENT))
    {
        return;
    }

    in = (ngx_http_chat_intent_sh_t *)
             ngx_http_chat_block(z, room->intent)->data;

    if (in->topic != room->topic) {
        (void) ngx_http_chat_repair_mark(z, marks, &in->topic,
                                         NGX_HTTP_CHAT_BLOCK_TOPIC);
    }
}


static void
ngx_http_chat_repair_mark_people(ngx_http_chat_zone_t *z, u_char *marks,
    uint32_t n)
{
    uint32_t                      prev, *link;
    ngx_uint_t                    i;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_people_sh_t    *people;
    ngx_http_chat_occupant_sh_t  *oc;

    room = ngx_http_chat_room(z, n);
    room->vacant = 0;

    prev = 0;
    link = &room->people;

    while (ngx_http_chat_repair_mark(z, marks, link,
                                   NGX_HTTP_CHAT_BLOCK_PEOPLE))
    {
        people = (ngx_http_chat_people_sh_t *)
                     ngx_http_chat_block(z, *link)->data;

        people->prev = prev;

        for (i = 0; i < 2; i++) {
            oc = &people->places[i];

            if (oc->user_len == 0) {
                continue;
            }

            if (oc->user_len > NGX_HTTP_CHAT_PERSON_MAX || oc->room != n) {
                oc->user_len = 0;
                continue;
            }

            ngx_http_chat_repair_mark_chain(z, marks, &oc->more,
                                          NGX_HTTP_CHAT_BLOCK_HERE);
            ngx_http_chat_repair_mark_chain(z, marks, &oc->nonces,
                                          NGX_HTTP_CHAT_BLOCK_NONCES);
        }

        prev = *link;
        link = &ngx_http_chat_block(z, prev)->next;
    }
}


/*
 * Takes out of the table who is in no room.  Nobody is put in: who was not in
 * it was expelled, or was not there yet.
 */

static void
ngx_http_chat_repair_people(ngx_http_chat_zone_t *z, u_char *marks)
{
    uint32_t    i, *link;
    ngx_uint_t  n;

    for (i = 0; i < z->sh->nbuckets; i++) {
        link = &z->people[i];

        /* more of them than there are places would be a circle */

        for (n = 2 * (ngx_uint_t) z->sh->nblocks; *link && n; n--) {

            if (!ngx_http_chat_repair_is_person(z, marks, *link, i)) {
                *link = ngx_http_chat_repair_next(z, *link);
                continue;
            }

            link = &ngx_http_chat_occupant(z, *link)->next;
        }

        *link = 0;
    }
}


static ngx_uint_t
ngx_http_chat_repair_is_person(ngx_http_chat_zone_t *z, u_char *marks,
    uint32_t o, uint32_t bucket)
{
    uint32_t                      n, i;
    ngx_http_chat_occupant_sh_t  *oc;

    n = o >> 1;

    if (n == 0 || n > z->sh->nblocks
        || !(marks[n / 8] & (1 << (n % 8)))
        || ngx_http_chat_block(z, n)->kind != NGX_HTTP_CHAT_BLOCK_PEOPLE)
    {
        return 0;
    }

    oc = ngx_http_chat_occupant(z, o);

    if (oc->user_len == 0) {
        return 0;
    }

    i = (oc->hash & (z->sh->nbuckets - 1) & ~(NGX_HTTP_CHAT_STRIPES - 1))
        | (ngx_http_chat_room(z, oc->room)->hash
           & (NGX_HTTP_CHAT_STRIPES - 1));

    return i == bucket;
}


/* What follows somebody who is no one: his block may have been anything
 * since, and then the chain ends here. */

static uint32_t
ngx_http_chat_repair_next(ngx_http_chat_zone_t *z, uint32_t o)
{
    uint32_t  n;

    n = o >> 1;

    if (n == 0 || n > z->sh->nblocks
        || ngx_http_chat_block(z, n)->kind != NGX_HTTP_CHAT_BLOCK_PEOPLE)
    {
        return 0;
    }

    n = ngx_http_chat_occupant(z, o)->next;

    return ((n >> 1) <= z->sh->nblocks) ? n : 0;
}


static void
ngx_http_chat_repair_mark_log(ngx_http_chat_zone_t *z, u_char *marks,
    ngx_http_chat_log_sh_t *log)
{
    uint32_t  first;

    ngx_http_chat_log_check_locked(z, log);

    first = ngx_http_chat_log_first(log);

    ngx_http_chat_repair_mark_chain(z, marks, &first, NGX_HTTP_CHAT_BLOCK_LOG);
}


static void
ngx_http_chat_repair_mark_chain(ngx_http_chat_zone_t *z, u_char *marks,
    uint32_t *link, ngx_uint_t kind)
{
    while (ngx_http_chat_repair_mark(z, marks, link, kind)) {
        link = &ngx_http_chat_block(z, *link)->next;
    }
}


/* Marks the block that a link leads to; 0: the chain ends, or is cut here
 * for what follows cannot be of it. */

static ngx_uint_t
ngx_http_chat_repair_mark(ngx_http_chat_zone_t *z, u_char *marks,
    uint32_t *link, ngx_uint_t kind)
{
    u_char    bit;
    uint32_t  n;

    n = *link;
    bit = (u_char) (1 << (n % 8));

    if (n == 0) {
        return 0;
    }

    if (n >= z->sh->pool.unused
        || ngx_http_chat_block(z, n)->kind != kind
        || (marks[n / 8] & bit))
    {
        *link = 0;
        return 0;
    }

    marks[n / 8] |= bit;

    return 1;
}


static ngx_int_t
ngx_http_chat_repair_pool(ngx_http_chat_zone_t *z, u_char *marks)
{
    uint32_t                   n;
    ngx_uint_t                 nfree;
    ngx_http_chat_pool_sh_t   *pool;
    ngx_http_chat_block_sh_t  *block;

    pool = &z->sh->pool;

    nfree = z->sh->nblocks - (pool->unused - 1);
    pool->free = 0;

    /* downwards, so that low blocks are handed out first again */

    for (n = pool->unused - 1; n; n--) {

        if (marks[n / 8] & (1 << (n % 8))) {
            continue;
        }

        block = ngx_http_chat_block(z, n);
        block->kind = NGX_HTTP_CHAT_BLOCK_FREE;
        block->next = pool->free;
        pool->free = n;
        nfree++;
    }

    n = (uint32_t) (nfree - pool->nfree);
    pool->nfree = nfree;

    return (int32_t) n;
}
