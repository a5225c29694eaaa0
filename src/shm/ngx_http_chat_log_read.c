
#include "ngx_http_chat_log.h"
#include "ngx_http_chat_amend.h"
#include "ngx_http_chat_place.h"


static ssize_t ngx_http_chat_log_copy(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_log_place_t *p,
    ngx_http_chat_entry_t *e, u_char *buf, size_t size, size_t *need);


uint64_t
ngx_http_chat_log_visible_locked(ngx_http_chat_log_sh_t *log,
    ngx_http_chat_retention_t *retention)
{
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(log);

    if (st->next_seq - st->first_seq <= retention->messages) {
        return st->first_seq;
    }

    return st->next_seq - retention->messages;
}


ngx_int_t
ngx_http_chat_log_seek_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_cursor_t *cursor, uint64_t seq,
    ngx_uint_t steps)
{
    ngx_http_chat_entry_t       e;
    ngx_http_chat_log_place_t       p;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(log);

    if (seq == st->next_seq) {
        cursor->seq = seq;
        cursor->block = st->last_block;
        cursor->off = st->last_off;
        return NGX_OK;
    }

    if (cursor->block == 0
        || cursor->seq < st->first_seq
        || cursor->seq > seq)
    {
        cursor->seq = st->first_seq;
        cursor->block = st->first_block;
        cursor->off = st->first_off;
    }

    ngx_http_chat_log_place(st, cursor, &p);

    while (cursor->seq < seq) {

        if (steps-- == 0) {
            return NGX_AGAIN;
        }

        if (ngx_http_chat_log_header(z, st, &p, &e) != NGX_OK
            || e.seq != cursor->seq
            || ngx_http_chat_log_get(z, &p, NULL, e.len) != NGX_OK)
        {
            return NGX_ERROR;
        }

        cursor->seq++;
        cursor->block = p.block;
        cursor->off = (uint16_t) p.off;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_log_peek_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_cursor_t *cursor,
    ngx_http_chat_entry_t *e)
{
    ngx_http_chat_log_place_t       p;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(log);

    ngx_http_chat_log_place(st, cursor, &p);

    if (ngx_http_chat_log_header(z, st, &p, e) != NGX_OK
        || e->seq != cursor->seq)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_log_count_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_cursor_t *cursor,
    ngx_uint_t *n, ngx_uint_t max, ngx_uint_t steps)
{
    ngx_http_chat_entry_t       e;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(log);

    while (cursor->seq < st->next_seq && *n < max) {

        if (steps-- == 0) {
            return NGX_AGAIN;
        }

        if (ngx_http_chat_log_peek_locked(z, log, cursor, &e) != NGX_OK
            || ngx_http_chat_log_seek_locked(z, log, cursor, cursor->seq + 1,
                                             1)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if ((e.flags & NGX_HTTP_CHAT_ENTRY_MESSAGE)
            && !(e.flags & NGX_HTTP_CHAT_ENTRY_DELETED))
        {
            (*n)++;
        }
    }

    return NGX_OK;
}


ssize_t
ngx_http_chat_log_read_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_cursor_t *cursor, uint64_t end,
    u_char *buf, size_t size, size_t *need)
{
    size_t                      used;
    ssize_t                     n;
    ngx_http_chat_entry_t       e;
    ngx_http_chat_log_place_t       p;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(log);

    ngx_http_chat_log_place(st, cursor, &p);

    used = 0;
    end = ngx_min(end, st->next_seq);

    while (cursor->seq < end) {

        if (ngx_http_chat_log_header(z, st, &p, &e) != NGX_OK
            || e.seq != cursor->seq)
        {
            return NGX_ERROR;
        }

        n = ngx_http_chat_log_copy(z, st, &p, &e, buf + used, size - used,
                                   need);
        if (n == 0) {
            break;
        }

        if (n < 0) {
            return NGX_ERROR;
        }

        used += n;

        cursor->seq++;
        cursor->block = p.block;
        cursor->off = (uint16_t) p.off;
    }

    return used;
}


/*
 * Copies the entry whose header was read and whose text begins at p, and moves
 * p behind it.  0: it does not fit.
 */

static ssize_t
ngx_http_chat_log_copy(ngx_http_chat_zone_t *z, ngx_http_chat_log_state_t *st,
    ngx_http_chat_log_place_t *p, ngx_http_chat_entry_t *e, u_char *buf,
    size_t size, size_t *need)
{
    u_char                 *text;
    ngx_http_chat_entry_t   by;
    ngx_http_chat_log_place_t   q;

    by.len = 0;

    if (ngx_http_chat_entry_amended(e)
        && !ngx_http_chat_amend_find(z, st, e, &by, &q))
    {
        e->flags &= ~NGX_HTTP_CHAT_ENTRY_AMENDED;
        by.len = 0;
    }

    *need = sizeof(ngx_http_chat_entry_t) + e->len + by.len;

    if (*need > size) {
        return 0;
    }

    text = buf + sizeof(ngx_http_chat_entry_t);

    if (ngx_http_chat_log_get(z, p, text, e->len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_chat_entry_amended(e)) {

        if (ngx_http_chat_log_get(z, &q, text + e->len, by.len) != NGX_OK) {
            return NGX_ERROR;
        }

        e->len += by.len;
        e->sender = by.len;
    }

    e->after_block = p->block;
    e->after_off = (uint16_t) p->off;

    ngx_memcpy(buf, e, sizeof(ngx_http_chat_entry_t));

    return *need;
}
