
#include "ngx_http_chat_log.h"
#include "ngx_http_chat_amend.h"
#include "ngx_http_chat_block.h"


#define NGX_HTTP_CHAT_LOG_BETWEEN  ",\"ts\":"

/* Of a state's span: the oldest entry must be looked at to know its age. */
#define NGX_HTTP_CHAT_LOG_SPAN     ((uint32_t) -1)


static ngx_http_chat_log_state_t *ngx_http_chat_log_begin(
    ngx_http_chat_log_sh_t *log);
static void ngx_http_chat_log_commit(ngx_http_chat_log_sh_t *log);
static ngx_int_t ngx_http_chat_log_reserve(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, size_t size);
static void ngx_http_chat_log_unreserve(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_log_state_t *st);
static void ngx_http_chat_log_cut(ngx_http_chat_zone_t *z, uint32_t last);
static uint32_t ngx_http_chat_log_next(ngx_http_chat_zone_t *z, uint32_t n);
static void ngx_http_chat_log_aged(ngx_http_chat_log_state_t *st,
    uint64_t ts);
static void ngx_http_chat_log_measure(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st);
static ngx_uint_t ngx_http_chat_log_fresh(ngx_http_chat_log_state_t *st,
    ngx_http_chat_retention_t *retention, ngx_uint_t lag, uint64_t now);
static size_t ngx_http_chat_log_number(ngx_http_chat_append_t *a,
    u_char *buf);
static u_char *ngx_http_chat_log_digits(u_char *p, uint64_t n);
static ngx_int_t ngx_http_chat_log_oldest(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_entry_t *e,
    ngx_http_chat_log_place_t *p);
static ngx_int_t ngx_http_chat_log_pop(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_entry_t *e,
    ngx_http_chat_log_place_t *p, ngx_uint_t *blocks);
static void ngx_http_chat_log_give_up(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st);
static void ngx_http_chat_log_release(ngx_http_chat_zone_t *z,
    uint32_t first, ngx_uint_t n);
static void ngx_http_chat_log_release_all(ngx_http_chat_zone_t *z,
    uint32_t first);
static ngx_uint_t ngx_http_chat_log_sound(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st);


void
ngx_http_chat_log_init_locked(ngx_http_chat_log_sh_t *log)
{
    ngx_memzero(log, sizeof(ngx_http_chat_log_sh_t));

    log->states[0].first_seq = 1;
    log->states[0].next_seq = 1;
}


/* The state to change: a copy beside the current one. */

static ngx_http_chat_log_state_t *
ngx_http_chat_log_begin(ngx_http_chat_log_sh_t *log)
{
    ngx_http_chat_log_state_t  *st;

    st = &log->states[(log->current + 1) & 1];
    *st = *ngx_http_chat_log_state(log);

    return st;
}


static void
ngx_http_chat_log_commit(ngx_http_chat_log_sh_t *log)
{
    ngx_memory_barrier();

    log->current++;

    ngx_memory_barrier();
}


ngx_int_t
ngx_http_chat_log_append_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_append_t *a, uint64_t now)
{
    size_t                      digits;
    ngx_int_t                   rc;
    ngx_http_chat_entry_t       e;
    ngx_http_chat_log_place_t       p, by;
    ngx_http_chat_log_state_t  *st;
    u_char                      buf[2 * NGX_INT64_LEN
                                    + sizeof(NGX_HTTP_CHAT_LOG_BETWEEN)];

    st = ngx_http_chat_log_begin(log);

    a->seq = st->next_seq;
    a->ts = ngx_max(now, st->last_ts);

    e.flags = (uint16_t) a->flags;
    e.after_off = 0;
    e.seq = a->seq;
    e.ts = a->ts;
    e.sender = a->sender;
    e.after_block = 0;

    if (a->ntargets && ngx_http_chat_amend_targets(z, st, a, &e) == 0
        && a->ntargets == 1)
    {
        return NGX_BUSY;
    }

    digits = ngx_http_chat_log_number(a, buf);
    e.len = (uint32_t) (a->head.len + digits + a->tail.len);

    rc = ngx_http_chat_log_reserve(z, st, sizeof(e) + e.len);

    if (rc != NGX_OK) {
        ngx_http_chat_log_unreserve(z, log, st);
        return rc;
    }

    p.block = st->last_block;
    p.off = st->last_off;
    by = p;

    ngx_http_chat_log_put(z, &p, &e, sizeof(e));
    ngx_http_chat_log_put(z, &p, a->head.data, a->head.len);
    ngx_http_chat_log_put(z, &p, buf, digits);
    ngx_http_chat_log_put(z, &p, a->tail.data, a->tail.len);

    ngx_http_chat_log_aged(st, a->ts);

    st->last_block = p.block;
    st->last_off = (uint16_t) p.off;
    st->last_ts = a->ts;
    st->bytes += sizeof(e) + e.len;
    st->next_seq++;

    if (a->ntargets) {
        ngx_http_chat_amend_mark(z, log, a);
    }

    ngx_http_chat_log_commit(log);

    if (a->ntargets) {
        ngx_http_chat_amend_apply(z, log, a, &by);
    }

    return NGX_OK;
}


/* An event's number and time, and what is between them. */

static size_t
ngx_http_chat_log_number(ngx_http_chat_append_t *a, u_char *buf)
{
    u_char    *p;
    uint64_t   number;

    if (!(a->flags & (NGX_HTTP_CHAT_ENTRY_EVENT|NGX_HTTP_CHAT_ENTRY_PASSING))
        || ((a->flags & NGX_HTTP_CHAT_ENTRY_PASSING) && a->tail.len == 0))
    {
        return 0;
    }

    number = a->number ? a->number : a->seq;

    p = ngx_http_chat_log_digits(buf, number);
    p = ngx_cpymem(p, NGX_HTTP_CHAT_LOG_BETWEEN,
                   sizeof(NGX_HTTP_CHAT_LOG_BETWEEN) - 1);
    p = ngx_http_chat_log_digits(p, a->ts);

    return p - buf;
}


/* ngx_sprintf() takes three times as long, and the lock is held. */

static u_char *
ngx_http_chat_log_digits(u_char *p, uint64_t n)
{
    u_char  buf[NGX_INT64_LEN], *first;

    first = buf + NGX_INT64_LEN;

    do {
        *--first = (u_char) (n % 10 + '0');
        n /= 10;
    } while (n);

    return ngx_cpymem(p, first, buf + NGX_INT64_LEN - first);
}


/* An entry of that time comes behind the others: how old is the oldest one
 * then? */

static void
ngx_http_chat_log_aged(ngx_http_chat_log_state_t *st, uint64_t ts)
{
    uint64_t  span;

    if (st->first_seq == st->next_seq) {
        st->span = 0;
        return;
    }

    span = st->span + (ts - st->last_ts);

    st->span = (uint32_t) ngx_min(span, NGX_HTTP_CHAT_LOG_SPAN);
}


/* Makes room for size bytes behind the head. */

static ngx_int_t
ngx_http_chat_log_reserve(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, size_t size)
{
    size_t    have;
    uint32_t  n, next;

    if (st->last_block == 0) {
        n = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
        if (n == 0) {
            return NGX_DECLINED;
        }

        st->first_block = n;
        st->first_off = 0;
        st->last_block = n;
        st->last_off = 0;
    }

    if (!ngx_http_chat_log_is_block(z, st->last_block)
        || st->last_off > NGX_HTTP_CHAT_BLOCK_DATA
        || st->first_seq > st->next_seq)
    {
        st->first_block = 0;
        return NGX_ERROR;
    }

    have = NGX_HTTP_CHAT_BLOCK_DATA - st->last_off;
    n = st->last_block;

    ngx_http_chat_log_cut(z, n);

    while (have < size) {
        next = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
        if (next == 0) {
            return NGX_DECLINED;
        }

        ngx_http_chat_block(z, n)->next = next;

        n = next;
        have += NGX_HTTP_CHAT_BLOCK_DATA;
    }

    return NGX_OK;
}


/* What hangs behind the head is of no use: somebody died who put it there, or
 * wrote where he should not. */

static void
ngx_http_chat_log_cut(ngx_http_chat_zone_t *z, uint32_t last)
{
    if (ngx_http_chat_block(z, last)->next) {
        ngx_http_chat_block(z, last)->next = 0;
        z->sh->leaks = 1;
    }
}


/*
 * The next block of a chain.  0: there is none, or what stands there cannot
 * be one; then what hung on it is left to the repair.
 */

static uint32_t
ngx_http_chat_log_next(ngx_http_chat_zone_t *z, uint32_t n)
{
    n = ngx_http_chat_block(z, n)->next;

    if (n && !ngx_http_chat_log_is_block(z, n)) {
        z->sh->leaks = 1;
        return 0;
    }

    return n;
}


/*
 * Gives the blocks behind the head back; all of them, if the state that was
 * to be changed is that of a log without any.
 */

static void
ngx_http_chat_log_unreserve(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_log_state_t *st)
{
    uint32_t  last, first;

    last = ngx_http_chat_log_state(log)->last_block;

    if (ngx_http_chat_log_is_block(z, last)) {
        first = ngx_http_chat_log_next(z, last);
        ngx_http_chat_block(z, last)->next = 0;

    } else {
        first = st->first_block;
    }

    if (first) {
        ngx_http_chat_log_release_all(z, first);
    }
}


/* The oldest entry's header, and the place behind it. */

static ngx_int_t
ngx_http_chat_log_oldest(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_entry_t *e,
    ngx_http_chat_log_place_t *p)
{
    p->block = st->first_block;
    p->off = st->first_off;

    if (ngx_http_chat_log_header(z, st, p, e) != NGX_OK
        || e->seq != st->first_seq)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Takes the oldest entry, whose header was read and whose text begins at p,
 * out of a state that is not current yet, and counts the blocks that are no
 * longer used.  ERROR: the log is damaged.
 */

static ngx_int_t
ngx_http_chat_log_pop(ngx_http_chat_zone_t *z, ngx_http_chat_log_state_t *st,
    ngx_http_chat_entry_t *e, ngx_http_chat_log_place_t *p, ngx_uint_t *blocks)
{
    uint32_t    n;
    ngx_uint_t  passed;

    if (ngx_http_chat_log_get(z, p, NULL, e->len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (st->first_seq + 1 == st->next_seq
        && (p->block != st->last_block || p->off != st->last_off))
    {
        return NGX_ERROR;
    }

    if (p->off == NGX_HTTP_CHAT_BLOCK_DATA && p->block != st->last_block) {
        p->block = ngx_http_chat_log_next(z, p->block);
        p->off = 0;

        if (p->block == 0) {
            return NGX_ERROR;
        }
    }

    passed = 0;

    for (n = st->first_block; n != p->block; passed++) {

        if (n == st->last_block) {
            /* the chain goes on where the log has ended */
            return NGX_ERROR;
        }

        n = ngx_http_chat_block(z, n)->next;
    }

    *blocks += passed;

    st->first_seq++;
    st->bytes -= sizeof(ngx_http_chat_entry_t) + e->len;
    st->first_block = p->block;
    st->first_off = (uint16_t) p->off;

    return NGX_OK;
}


/* A damaged log goes on at its head; the repair finds its blocks. */

static void
ngx_http_chat_log_give_up(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st)
{
    st->first_seq = st->next_seq;
    st->bytes = 0;
    st->first_block = st->last_block;
    st->first_off = st->last_off;
    st->span = 0;

    z->sh->leaks = 1;
}


/*
 * Is there surely nothing to be dropped?  So much is known from the state
 * alone, without a look at the oldest entry, which is in no cache.
 */

static ngx_uint_t
ngx_http_chat_log_fresh(ngx_http_chat_log_state_t *st,
    ngx_http_chat_retention_t *retention, ngx_uint_t lag, uint64_t now)
{
    uint64_t  ts;

    if (st->first_seq == st->next_seq) {
        return 1;
    }

    if (st->span == NGX_HTTP_CHAT_LOG_SPAN) {
        return 0;
    }

    ts = st->last_ts - st->span;

    if (st->first_seq + retention->messages >= st->next_seq) {
        return ts + retention->age > now;
    }

    return lag && st->bytes <= retention->backlog
           && ts + NGX_HTTP_CHAT_BACKLOG_TIME > now;
}


/* After entries were taken out of a state that is not current yet. */

static void
ngx_http_chat_log_measure(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st)
{
    ngx_http_chat_entry_t  e;
    ngx_http_chat_log_place_t  p;

    st->span = 0;

    if (st->first_seq == st->next_seq) {
        return;
    }

    if (ngx_http_chat_log_oldest(z, st, &e, &p) != NGX_OK) {
        ngx_http_chat_log_give_up(z, st);
        return;
    }

    if (e.ts < st->last_ts) {
        st->span = (uint32_t) ngx_min(st->last_ts - e.ts,
                                      NGX_HTTP_CHAT_LOG_SPAN);
    }
}


void
ngx_http_chat_log_trim_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_retention_t *retention,
    ngx_uint_t lag, uint64_t now)
{
    uint32_t                    first;
    ngx_uint_t                  blocks;
    ngx_http_chat_entry_t       e;
    ngx_http_chat_log_place_t       p;
    ngx_http_chat_log_state_t  *st;

    if (ngx_http_chat_log_fresh(ngx_http_chat_log_state(log), retention, lag,
                                now))
    {
        return;
    }

    st = ngx_http_chat_log_begin(log);

    first = st->first_block;
    blocks = 0;

    while (st->first_seq < st->next_seq) {

        if (ngx_http_chat_log_oldest(z, st, &e, &p) != NGX_OK) {
            ngx_http_chat_log_give_up(z, st);
            break;
        }

        if (e.seq + retention->messages >= st->next_seq) {

            if (e.ts + retention->age > now) {
                break;
            }

        } else if (lag
                   && st->bytes - (sizeof(e) + e.len) <= retention->backlog
                   && e.ts + NGX_HTTP_CHAT_BACKLOG_TIME > now)
        {
            break;
        }

        if (ngx_http_chat_log_pop(z, st, &e, &p, &blocks) != NGX_OK) {
            ngx_http_chat_log_give_up(z, st);
            break;
        }
    }

    if (st->first_seq == ngx_http_chat_log_state(log)->first_seq) {
        return;
    }

    ngx_http_chat_log_measure(z, st);

    ngx_http_chat_log_commit(log);
    ngx_http_chat_log_release(z, first, blocks);
}


ngx_uint_t
ngx_http_chat_log_drop_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_uint_t n)
{
    uint32_t                    first;
    ngx_uint_t                  blocks;
    ngx_http_chat_entry_t       e;
    ngx_http_chat_log_place_t       p;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_begin(log);

    first = st->first_block;
    blocks = 0;

    while (st->first_block != st->last_block && blocks < n) {

        if (ngx_http_chat_log_oldest(z, st, &e, &p) != NGX_OK
            || ngx_http_chat_log_pop(z, st, &e, &p, &blocks) != NGX_OK)
        {
            ngx_http_chat_log_give_up(z, st);
            break;
        }
    }

    ngx_http_chat_log_measure(z, st);

    ngx_http_chat_log_commit(log);
    ngx_http_chat_log_release(z, first, blocks);

    return blocks;
}


/* Gives n blocks back, the first ones of a chain; each knows that it is free,
 * so that a wrong link to it is seen. */

static void
ngx_http_chat_log_release(ngx_http_chat_zone_t *z, uint32_t first,
    ngx_uint_t n)
{
    uint32_t    last;
    ngx_uint_t  i;

    last = first;

    for (i = 1; i < n; i++) {
        ngx_http_chat_block(z, last)->kind = NGX_HTTP_CHAT_BLOCK_FREE;
        last = ngx_http_chat_block(z, last)->next;
    }

    ngx_http_chat_block_free(z, first, last, n);
}


/* Gives a chain back to its end, or to where it runs into itself. */

static void
ngx_http_chat_log_release_all(ngx_http_chat_zone_t *z, uint32_t first)
{
    uint32_t    last, next;
    ngx_uint_t  n;

    next = first;
    n = 0;

    do {
        last = next;
        n++;

        ngx_http_chat_block(z, last)->kind = NGX_HTTP_CHAT_BLOCK_FREE;

        next = ngx_http_chat_log_next(z, last);
    } while (next);

    ngx_http_chat_block_free(z, first, last, n);
}


void
ngx_http_chat_log_clear_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log)
{
    uint32_t                    first, last;
    ngx_uint_t                  sound;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_begin(log);

    first = st->first_block;
    last = st->last_block;
    sound = ngx_http_chat_log_sound(z, st);

    st->first_seq = st->next_seq;
    st->bytes = 0;
    st->first_block = 0;
    st->first_off = 0;
    st->last_block = 0;
    st->last_off = 0;

    ngx_http_chat_log_commit(log);

    if (!sound) {
        z->sh->leaks = 1;

    } else if (first) {
        ngx_http_chat_log_cut(z, last);
        ngx_http_chat_log_release_all(z, first);
    }
}


void
ngx_http_chat_log_check_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log)
{
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_begin(log);

    if (!ngx_http_chat_log_sound(z, st)) {
        ngx_http_chat_log_give_up(z, st);

        if (!ngx_http_chat_log_sound(z, st)) {
            st->first_block = 0;
            st->first_off = 0;
            st->last_block = 0;
            st->last_off = 0;
        }

        ngx_http_chat_log_commit(log);
    }

    if (st->last_block) {
        ngx_http_chat_block(z, st->last_block)->next = 0;
    }
}


/* Does the chain lead to the head's block in as many steps as the bytes say?
 * Another one may run into blocks that are not ours to give back. */

static ngx_uint_t
ngx_http_chat_log_sound(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st)
{
    uint32_t  n;
    uint64_t  bytes;

    if (st->first_seq > st->next_seq) {
        return 0;
    }

    if (st->first_block == 0 && st->last_block == 0) {
        return st->bytes == 0;
    }

    if (!ngx_http_chat_log_is_block(z, st->first_block)
        || st->first_off > NGX_HTTP_CHAT_BLOCK_DATA
        || st->last_off > NGX_HTTP_CHAT_BLOCK_DATA)
    {
        return 0;
    }

    bytes = st->first_off + st->bytes;

    for (n = st->first_block; n != st->last_block; /* void */ ) {

        if (bytes < NGX_HTTP_CHAT_BLOCK_DATA) {
            return 0;
        }

        bytes -= NGX_HTTP_CHAT_BLOCK_DATA;
        n = ngx_http_chat_log_next(z, n);

        if (n == 0) {
            return 0;
        }
    }

    return bytes == st->last_off;
}
