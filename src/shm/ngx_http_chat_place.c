
#include "ngx_http_chat_place.h"
#include "ngx_http_chat_block.h"


ngx_uint_t
ngx_http_chat_log_is_block(ngx_http_chat_zone_t *z, uint32_t n)
{
    return n && n <= z->sh->nblocks
           && ngx_http_chat_block(z, n)->kind == NGX_HTTP_CHAT_BLOCK_LOG;
}


void
ngx_http_chat_log_put(ngx_http_chat_zone_t *z, ngx_http_chat_log_place_t *p,
    const void *data, size_t len)
{
    size_t         n;
    const u_char  *from;

    from = data;

    while (len) {

        if (p->off == NGX_HTTP_CHAT_BLOCK_DATA) {
            p->block = ngx_http_chat_block(z, p->block)->next;
            p->off = 0;
        }

        n = ngx_min(len, NGX_HTTP_CHAT_BLOCK_DATA - p->off);

        ngx_memcpy(ngx_http_chat_block(z, p->block)->data + p->off, from, n);

        p->off += n;
        from += n;
        len -= n;
    }
}


ngx_int_t
ngx_http_chat_log_get(ngx_http_chat_zone_t *z, ngx_http_chat_log_place_t *p,
    void *data, size_t len)
{
    size_t   n;
    u_char  *to;

    to = data;

    while (len) {

        if (p->block == 0 || p->block > z->sh->nblocks
            || p->off > NGX_HTTP_CHAT_BLOCK_DATA)
        {
            return NGX_ERROR;
        }

        if (p->off == NGX_HTTP_CHAT_BLOCK_DATA) {
            p->block = ngx_http_chat_block(z, p->block)->next;
            p->off = 0;
            continue;
        }

        n = ngx_min(len, NGX_HTTP_CHAT_BLOCK_DATA - p->off);

        if (to) {
            ngx_memcpy(to, ngx_http_chat_block(z, p->block)->data + p->off, n);
            to += n;
        }

        p->off += n;
        len -= n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_log_header(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_log_place_t *p,
    ngx_http_chat_entry_t *e)
{
    if (ngx_http_chat_log_get(z, p, e, sizeof(ngx_http_chat_entry_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (sizeof(ngx_http_chat_entry_t) + e->len > st->bytes
        || e->seq < st->first_seq
        || e->seq >= st->next_seq)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A cursor at the oldest entry may stand at the end of the
 * block before it, which is gone by now; the state knows the place in the next
 * one.
 */

void
ngx_http_chat_log_place(ngx_http_chat_log_state_t *st,
    ngx_http_chat_cursor_t *cursor, ngx_http_chat_log_place_t *p)
{
    if (cursor->seq == st->first_seq) {
        cursor->block = st->first_block;
        cursor->off = st->first_off;
    }

    p->block = cursor->block;
    p->off = cursor->off;
}
