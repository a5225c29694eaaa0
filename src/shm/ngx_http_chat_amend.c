
#include "ngx_http_chat_amend.h"


static ngx_int_t ngx_http_chat_amend_entry(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_log_place_t *p,
    ngx_http_chat_entry_t *e);
static ngx_uint_t ngx_http_chat_amend_former(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_log_place_t *p,
    ngx_http_chat_entry_t *e, ngx_uint_t amend);
static void ngx_http_chat_amend_flags(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_place_t *p, uint16_t flags);
static void ngx_http_chat_amend_link(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_place_t *p, ngx_http_chat_log_place_t *by);
static void ngx_http_chat_amend_settle_one(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_place_t *p, ngx_http_chat_log_place_t *by,
    uint16_t flags, ngx_uint_t amend);


ngx_uint_t
ngx_http_chat_amend_find(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_entry_t *e,
    ngx_http_chat_entry_t *by, ngx_http_chat_log_place_t *p)
{
    uint64_t  target;

    p->block = e->after_block;
    p->off = e->after_off;

    if (!ngx_http_chat_log_is_block(z, p->block)
        || ngx_http_chat_log_header(z, st, p, by) != NGX_OK
        || !(by->flags & NGX_HTTP_CHAT_ENTRY_AMENDS)
        || by->seq <= e->seq)
    {
        return 0;
    }

    if (by->sender == 0) {
        return 1;
    }

    target = (e->flags & NGX_HTTP_CHAT_ENTRY_AMENDS) ? e->seq - e->sender
                                                     : e->seq;

    return by->seq - by->sender == target;
}


ngx_uint_t
ngx_http_chat_amend_targets(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_append_t *a,
    ngx_http_chat_entry_t *e)
{
    ngx_uint_t               i, n;
    ngx_http_chat_entry_t    t;
    ngx_http_chat_log_place_t    p;
    ngx_http_chat_cursor_t  *cursor;

    n = 0;
    e->sender = 0;

    for (i = 0; i < a->ntargets; i++) {
        cursor = &a->targets[i];

        if (cursor->seq < st->first_seq || cursor->seq >= st->next_seq) {
            cursor->block = 0;
            continue;
        }

        ngx_http_chat_log_place(st, cursor, &p);

        if (ngx_http_chat_amend_entry(z, st, &p, &t) != NGX_OK
            || t.seq != cursor->seq
            || (t.flags & NGX_HTTP_CHAT_ENTRY_DELETED))
        {
            cursor->block = 0;
            continue;
        }

        n++;
    }

    if (a->ntargets == 1 && n == 1) {
        e->sender = (uint32_t) (a->seq - t.seq);

        if (t.flags & NGX_HTTP_CHAT_ENTRY_EDITED) {
            e->after_block = t.after_block;
            e->after_off = t.after_off;
        }
    }

    return n;
}


/* The header at a place that stays; a place with nothing in it is no error. */

static ngx_int_t
ngx_http_chat_amend_entry(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_log_place_t *p,
    ngx_http_chat_entry_t *e)
{
    ngx_http_chat_log_place_t  q;

    q = *p;

    if (!ngx_http_chat_log_is_block(z, q.block)) {
        return NGX_DECLINED;
    }

    return ngx_http_chat_log_header(z, st, &q, e);
}


void
ngx_http_chat_amend_mark(ngx_http_chat_zone_t *z, ngx_http_chat_log_sh_t *log,
    ngx_http_chat_append_t *a)
{
    ngx_uint_t                  i;
    ngx_http_chat_log_place_t       p;
    ngx_http_chat_entry_t       e;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(log);

    log->amending = (uint32_t) ((a->amend & NGX_HTTP_CHAT_ENTRY_AMENDED)
                                | (a->seq & 1));
    ngx_memory_barrier();

    for (i = 0; i < a->ntargets; i++) {
        p.block = a->targets[i].block;
        p.off = a->targets[i].off;

        while (p.block && ngx_http_chat_amend_entry(z, st, &p, &e) == NGX_OK) {
            ngx_http_chat_amend_flags(z, &p,
                                    e.flags | NGX_HTTP_CHAT_ENTRY_MARKED);

            if (!ngx_http_chat_amend_former(z, st, &p, &e, a->amend)) {
                break;
            }
        }
    }

    ngx_memory_barrier();
}


/*
 * Moves on to the edit before: of an edited entry the latest one, of an edit
 * the one that its target had before.  0: there is none that this one is to
 * change, too.
 */

static ngx_uint_t
ngx_http_chat_amend_former(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_log_place_t *p,
    ngx_http_chat_entry_t *e, ngx_uint_t amend)
{
    uint64_t               seq;
    ngx_http_chat_entry_t  by;

    if (!(amend & NGX_HTTP_CHAT_ENTRY_DELETED)
        || !(e->flags & (NGX_HTTP_CHAT_ENTRY_EDITED
                         |NGX_HTTP_CHAT_ENTRY_AMENDS)))
    {
        return 0;
    }

    seq = e->seq;
    p->block = e->after_block;
    p->off = e->after_off;

    if (ngx_http_chat_amend_entry(z, st, p, &by) != NGX_OK
        || !(by.flags & NGX_HTTP_CHAT_ENTRY_AMENDS))
    {
        return 0;
    }

    /* edits are met from the latest one on, so a chain cannot go in circles */

    return (e->flags & NGX_HTTP_CHAT_ENTRY_AMENDS) ? by.seq < seq
                                                   : by.seq > seq;
}


void
ngx_http_chat_amend_apply(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_append_t *a,
    ngx_http_chat_log_place_t *by)
{
    uint16_t                    flags;
    ngx_uint_t                  i, more;
    ngx_http_chat_log_place_t       p, q;
    ngx_http_chat_entry_t       e;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(log);

    for (i = 0; i < a->ntargets; i++) {
        p.block = a->targets[i].block;
        p.off = a->targets[i].off;

        while (p.block && ngx_http_chat_amend_entry(z, st, &p, &e) == NGX_OK
               && (e.flags & NGX_HTTP_CHAT_ENTRY_MARKED))
        {
            q = p;
            more = ngx_http_chat_amend_former(z, st, &q, &e, a->amend);

            flags = (e.flags & ~NGX_HTTP_CHAT_ENTRY_MARKED)
                    | (a->amend & NGX_HTTP_CHAT_ENTRY_AMENDED);

            ngx_http_chat_amend_link(z, &p, by);
            ngx_memory_barrier();
            ngx_http_chat_amend_flags(z, &p, flags);

            if (!more) {
                break;
            }

            p = q;
        }
    }

    ngx_memory_barrier();

    log->amending = 0;
}


/* The low byte, which says what the entry became, goes before the high one
 * with the mark. */

static void
ngx_http_chat_amend_flags(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_place_t *p, uint16_t flags)
{
    u_char                  byte;
    ngx_uint_t              i;
    ngx_http_chat_log_place_t   q;

    q = *p;

    if (ngx_http_chat_log_get(z, &q, NULL,
                               offsetof(ngx_http_chat_entry_t, flags))
        != NGX_OK)
    {
        return;
    }

    for (i = 0; i < 2; i++) {
        byte = ((u_char *) &flags)[i];
        ngx_http_chat_log_put(z, &q, &byte, 1);
        ngx_memory_barrier();
    }
}


static void
ngx_http_chat_amend_link(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_place_t *p, ngx_http_chat_log_place_t *by)
{
    uint16_t               off;
    ngx_http_chat_log_place_t  q;

    q = *p;
    off = (uint16_t) by->off;

    if (ngx_http_chat_log_get(z, &q, NULL,
                               offsetof(ngx_http_chat_entry_t, after_off))
        != NGX_OK)
    {
        return;
    }

    ngx_http_chat_log_put(z, &q, &off, sizeof(uint16_t));

    if (ngx_http_chat_log_get(z, &q, NULL,
                               offsetof(ngx_http_chat_entry_t, after_block)
                               - offsetof(ngx_http_chat_entry_t, seq))
        != NGX_OK)
    {
        return;
    }

    ngx_http_chat_log_put(z, &q, &by->block, sizeof(uint32_t));
}


void
ngx_http_chat_amend_settle_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log)
{
    ngx_uint_t                  amend, there;
    ngx_http_chat_entry_t       e;
    ngx_http_chat_log_place_t       p, by;
    ngx_http_chat_cursor_t      cursor;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(log);

    amend = log->amending & NGX_HTTP_CHAT_ENTRY_AMENDED;
    there = ((st->next_seq - 1) & 1) == (log->amending & 1);

    by.block = 0;
    by.off = 0;
    cursor.block = 0;
    cursor.seq = 0;

    if (there && st->first_seq < st->next_seq
        && ngx_http_chat_log_seek_locked(z, log, &cursor, st->next_seq - 1,
                                         (ngx_uint_t) -1)
           == NGX_OK)
    {
        ngx_http_chat_log_place(st, &cursor, &by);
    }

    cursor.block = 0;
    cursor.seq = 0;

    while (ngx_http_chat_log_seek_locked(z, log, &cursor,
                                         ngx_max(cursor.seq, st->first_seq),
                                         1)
           == NGX_OK
           && cursor.seq < st->next_seq
           && ngx_http_chat_log_peek_locked(z, log, &cursor, &e) == NGX_OK)
    {
        ngx_http_chat_log_place(st, &cursor, &p);

        if (e.flags & NGX_HTTP_CHAT_ENTRY_MARKED) {
            ngx_http_chat_amend_settle_one(z, &p, &by, e.flags, amend);
        }

        if (ngx_http_chat_log_seek_locked(z, log, &cursor, cursor.seq + 1, 1)
            != NGX_OK)
        {
            break;
        }
    }

    ngx_memory_barrier();

    log->amending = 0;
}


/* by->block 0: as if nothing had been. */

static void
ngx_http_chat_amend_settle_one(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_place_t *p, ngx_http_chat_log_place_t *by,
    uint16_t flags, ngx_uint_t amend)
{
    flags &= ~NGX_HTTP_CHAT_ENTRY_MARKED;

    if (by->block) {
        ngx_http_chat_amend_link(z, p, by);
        ngx_memory_barrier();

        flags |= amend;
    }

    ngx_http_chat_amend_flags(z, p, flags);
}
