
#include "ngx_http_chat_output.h"
#include "ngx_http_chat_deliver.h"


#define NGX_HTTP_CHAT_OUT_FIRST   256      /* a buffer's first size, bytes */

/* OpenSSL has taken up to so many bytes when it says "again": RFC 8446 5.1 */
#define NGX_HTTP_CHAT_TLS_RECORD  16384


static ngx_int_t ngx_http_chat_output_append(ngx_http_chat_session_t *s,
    u_char *data, size_t len);
static ngx_int_t ngx_http_chat_output_commit(ngx_http_chat_member_t *m,
    ngx_http_chat_run_t *run, size_t sent);
static void ngx_http_chat_output_advance(ngx_http_chat_member_t *m,
    ngx_http_chat_run_t *run, ngx_uint_t n, size_t sent);
static ngx_int_t ngx_http_chat_output_blocked(ngx_http_chat_session_t *s);
static void ngx_http_chat_output_settle(ngx_http_chat_session_t *s);


u_char *
ngx_http_chat_output_reserve(ngx_http_chat_session_t *s, size_t len)
{
    size_t                       size, waiting;
    struct ngx_http_chat_out_s  *out;

    out = s->out;

    if (out && out->size - out->last >= len) {
        return out->data + out->last;
    }

    waiting = ngx_http_chat_output_waiting(s);
    size = NGX_HTTP_CHAT_OUT_FIRST;

    while (size < waiting + len) {
        size *= 2;
    }

    out = ngx_alloc(sizeof(struct ngx_http_chat_out_s) + size,
                    s->connection->log);
    if (out == NULL) {
        return NULL;
    }

    out->pos = 0;
    out->last = waiting;
    out->size = size;

    if (s->out) {
        ngx_memcpy(out->data, s->out->data + s->out->pos, waiting);
        ngx_free(s->out);
    }

    s->out = out;

    return out->data + out->last;
}


void
ngx_http_chat_output_added(ngx_http_chat_session_t *s, size_t len)
{
    s->out->last += len;

    if (ngx_http_chat_output_waiting(s) > NGX_HTTP_CHAT_OUT_HIGH) {
        s->read_blocked = 1;
    }

    ngx_http_chat_member_set(s, NGX_HTTP_CHAT_MEMBER_SLOW);
    ngx_http_chat_deliver_flush(s);
}


static ngx_int_t
ngx_http_chat_output_append(ngx_http_chat_session_t *s, u_char *data,
    size_t len)
{
    u_char  *p;

    if (len == 0) {
        return NGX_OK;
    }

    p = ngx_http_chat_output_reserve(s, len);
    if (p == NULL) {
        ngx_http_chat_session_finalize(s);
        return NGX_ERROR;
    }

    ngx_memcpy(p, data, len);
    s->out->last += len;

    ngx_http_chat_member_set(s, NGX_HTTP_CHAT_MEMBER_SLOW);

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_output_flush(ngx_http_chat_session_t *s)
{
    ssize_t                      n;
    ngx_connection_t            *c;
    struct ngx_http_chat_out_s  *out;

    if (s->dead) {
        return NGX_ERROR;
    }

    c = s->connection;
    out = s->out;

    while (out && out->pos < out->last) {

        if (!c->write->ready) {
            return ngx_http_chat_output_blocked(s);
        }

        n = c->send(c, out->data + out->pos, out->last - out->pos);

        if (n == NGX_ERROR) {
            ngx_http_chat_session_finalize(s);
            return NGX_ERROR;
        }

        if (n == NGX_AGAIN || n == 0) {
            return ngx_http_chat_output_blocked(s);
        }

        out->pos += n;
        s->bytes_out += n;
    }

    if (out) {
        ngx_free(out);
        s->out = NULL;
    }

    ngx_http_chat_output_settle(s);

    if (s->read_blocked) {
        s->read_blocked = 0;
        ngx_post_event(c->read, &ngx_posted_events);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_output_run(ngx_http_chat_member_t *m, ngx_http_chat_run_t *run)
{
    size_t                    sent;
    ssize_t                   n;
    ngx_int_t                 rc;
    ngx_connection_t         *c;
    ngx_http_chat_session_t  *s;

    s = m->session;
    c = s->connection;

    if (s->dead || s->blocked) {
        return NGX_AGAIN;
    }

    if (s->own_seq >= run->from.seq) {
        run = ngx_http_chat_run_without(run, (uint32_t) s->id);
        if (run == NULL) {
            ngx_http_chat_session_finalize(s);
            return NGX_ERROR;
        }
    }

    if (ngx_http_chat_output_waiting(s)) {

        if (run->len <= NGX_HTTP_CHAT_RUN_LAGGARD) {

            /* a reply and what came with it: one system call for both */

            if (ngx_http_chat_output_append(s, run->buf, run->len) != NGX_OK) {
                return NGX_ERROR;
            }

            ngx_http_chat_output_advance(m, run, run->nmarks, 0);

            return ngx_http_chat_output_flush(s);
        }

        rc = ngx_http_chat_output_flush(s);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    for (sent = 0; sent < run->len; sent += n) {

        n = c->send(c, run->buf + sent, run->len - sent);

        if (n == NGX_ERROR) {
            ngx_http_chat_session_finalize(s);
            return NGX_ERROR;
        }

        if (n == NGX_AGAIN || n == 0) {
            return ngx_http_chat_output_commit(m, run, sent);
        }
    }

    ngx_http_chat_output_advance(m, run, run->nmarks, sent);
    ngx_http_chat_output_settle(s);

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_output_short(ngx_http_chat_member_t *m, ngx_http_chat_run_t *run,
    size_t sent)
{
    m->session->connection->write->ready = 0;

    return ngx_http_chat_output_commit(m, run, sent);
}


/*
 * The socket took no more than "sent" bytes.  A frame that was begun must be
 * finished before anything else goes, and so must what OpenSSL has already
 * made a record of: the rest of it becomes the session's.
 */

static ngx_int_t
ngx_http_chat_output_commit(ngx_http_chat_member_t *m,
    ngx_http_chat_run_t *run, size_t sent)
{
    size_t                    begun, end;
    ngx_uint_t                n;
    ngx_http_chat_session_t  *s;

    s = m->session;
    begun = sent;

    if (s->tls) {
        begun = ngx_min(sent + NGX_HTTP_CHAT_TLS_RECORD, run->len);
    }

    n = ngx_http_chat_run_entries(run, begun);
    end = n ? run->marks[n - 1].end : 0;

    if (begun > end) {
        end = run->marks[n++].end;
    }

    if (end > sent
        && ngx_http_chat_output_append(s, run->buf + sent, end - sent)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_chat_output_advance(m, run, n, sent);

    return ngx_http_chat_output_blocked(s);
}


/* The member has got, or its session holds, the first n entries. */

static void
ngx_http_chat_output_advance(ngx_http_chat_member_t *m,
    ngx_http_chat_run_t *run, ngx_uint_t n, size_t sent)
{
    if (n == run->nmarks) {
        m->cursor = run->to;

    } else if (n) {
        m->cursor = run->marks[n - 1].after;
    }

    m->messages += n;
    m->bytes += sent;
}


static ngx_int_t
ngx_http_chat_output_blocked(ngx_http_chat_session_t *s)
{
    ngx_event_t  *wev;

    wev = s->connection->write;

    s->blocked = 1;
    ngx_http_chat_member_set(s, NGX_HTTP_CHAT_MEMBER_BLOCKED);

    if (!wev->timer_set) {
        wev->cancelable = 1;
        ngx_add_timer(wev, s->settings->send_timeout);
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_http_chat_session_finalize(s);
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


void
ngx_http_chat_output_unblock(ngx_http_chat_session_t *s)
{
    s->blocked = 0;

    if (s->connection->write->timer_set) {
        ngx_del_timer(s->connection->write);
    }

    if (ngx_http_chat_output_flush(s) != NGX_OK || s->closing) {
        return;
    }

    ngx_http_chat_member_clear(s, NGX_HTTP_CHAT_MEMBER_BLOCKED);
    ngx_http_chat_deliver_session(s);
}


/* Members of a session with nothing special about it go the fast way. */

static void
ngx_http_chat_output_settle(ngx_http_chat_session_t *s)
{
    ngx_uint_t               i;
    ngx_http_chat_member_t  *m;

    if (s->tls || s->out) {
        return;
    }

    for (i = 0; i < s->joined_size; i++) {
        m = ngx_http_chat_session_member(s, i);

        if (m && s->own_seq < m->cursor.seq) {
            m->flags &= (uint8_t) ~NGX_HTTP_CHAT_MEMBER_SLOW;
        }
    }
}
