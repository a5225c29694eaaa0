
#include "ngx_http_chat_repair.h"
#include "ngx_http_chat_room.h"


static void ngx_http_chat_repair_lock_all(ngx_http_chat_zone_t *z);
static void ngx_http_chat_repair_unlock_all(ngx_http_chat_zone_t *z);
static void ngx_http_chat_repair_mark_rooms(ngx_http_chat_zone_t *z,
    u_char *marks);
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
    uint32_t                  i, *link;
    ngx_http_chat_room_sh_t  *room;

    z->sh->lru.oldest = 0;
    z->sh->lru.newest = 0;
    z->sh->lru.rooms = 0;

    for (i = 0; i < z->sh->nbuckets; i++) {
        link = &z->buckets[i];

        while (ngx_http_chat_repair_mark(z, marks, link,
                                       NGX_HTTP_CHAT_BLOCK_ROOM))
        {
            room = ngx_http_chat_room(z, *link);

            ngx_http_chat_repair_mark_chain(z, marks, &room->more,
                                          NGX_HTTP_CHAT_BLOCK_RESIDENTS);
            ngx_http_chat_repair_mark_log(z, marks, &room->log);

            /* the order of use is lost, which costs nothing but fairness */

            ngx_http_chat_room_relink_locked(z, *link);

            link = &room->next;
        }
    }

    z->sh->lru.broken = 0;
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
