
#include "ngx_http_chat_resident.h"


static ngx_http_chat_resident_t *ngx_http_chat_resident_next(
    ngx_http_chat_zone_t *z, ngx_http_chat_room_sh_t *room, uint32_t *block,
    ngx_uint_t *i);
static ngx_http_chat_resident_t *ngx_http_chat_resident_add(
    ngx_http_chat_zone_t *z, ngx_http_chat_room_sh_t *room);


/* Walks over all places; *block and *i begin with 0.  NULL: the end. */

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


ngx_http_chat_resident_t *
ngx_http_chat_resident_find_locked(ngx_http_chat_zone_t *z,
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


ngx_http_chat_resident_t *
ngx_http_chat_resident_get_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_uint_t slot)
{
    ngx_http_chat_resident_t  *re;

    re = ngx_http_chat_resident_find_locked(z, room, slot);

    if (re) {
        return re;
    }

    re = ngx_http_chat_resident_add(z, room);

    if (re) {
        re->slot = (uint16_t) slot;
        re->news = 0;
    }

    return re;
}


static ngx_http_chat_resident_t *
ngx_http_chat_resident_add(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room)
{
    uint32_t                   block, n;
    ngx_uint_t                 i;
    ngx_http_chat_resident_t  *re;

    block = 0;
    i = 0;

    do {
        re = ngx_http_chat_resident_next(z, room, &block, &i);
    } while (re && re->members);

    if (re) {
        return re;
    }

    n = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_RESIDENTS);
    if (n == 0) {
        return NULL;
    }

    ngx_memzero(ngx_http_chat_block(z, n)->data, NGX_HTTP_CHAT_BLOCK_DATA);
    ngx_http_chat_block(z, n)->next = room->more;

    ngx_memory_barrier();

    room->more = n;

    return (ngx_http_chat_resident_t *) ngx_http_chat_block(z, n)->data;
}


void
ngx_http_chat_resident_count_locked(ngx_http_chat_zone_t *z,
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


ngx_uint_t
ngx_http_chat_resident_tell_locked(ngx_http_chat_zone_t *z,
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


void
ngx_http_chat_resident_heard_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room)
{
    ngx_http_chat_resident_t  *re;

    re = ngx_http_chat_resident_find_locked(z, room, z->slot);

    if (re) {
        re->news = 0;
    }
}


void
ngx_http_chat_resident_reset_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room)
{
    uint32_t                   block;
    ngx_uint_t                 i;
    ngx_http_chat_resident_t  *re;

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
}


void
ngx_http_chat_resident_clear_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room)
{
    uint32_t  more;

    while (room->more) {
        more = room->more;
        room->more = ngx_http_chat_block(z, more)->next;

        ngx_http_chat_block_free(z, more, more, 1);
    }
}
