
#include "ngx_http_chat_websocket.h"
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_output.h"
#include "ngx_http_chat_rate.h"


#define NGX_HTTP_CHAT_WS_BUFFER  65536     /* the worker's, for one recv() */
#define NGX_HTTP_CHAT_WS_READS   8         /* of them in one wake-up */
#define NGX_HTTP_CHAT_WS_PART    1024      /* a message's first buffer */


/* Lent to a session while it has half a frame or a part of a message. */
struct ngx_http_chat_partial_s {
    u_char                   *message;
    size_t                    len;
    size_t                    size;

    /* has come, and waits until the replies to what was before it have gone */
    u_char                   *input;
    size_t                    input_len;

    size_t                    rest_len;
    u_char                    rest[CHAT_WS_REST_MAX];
};


static ngx_uint_t ngx_http_chat_websocket_held(ngx_http_chat_session_t *s);
static ssize_t ngx_http_chat_websocket_rest(ngx_http_chat_session_t *s,
    u_char *buf);
static ngx_int_t ngx_http_chat_websocket_delay(ngx_http_chat_session_t *s,
    u_char *data, size_t len);
static void ngx_http_chat_websocket_resume(ngx_http_chat_session_t *s);
static ngx_int_t ngx_http_chat_websocket_save(ngx_http_chat_session_t *s,
    u_char *data, size_t len);
static struct ngx_http_chat_partial_s *ngx_http_chat_websocket_partial(
    ngx_http_chat_session_t *s);
static void ngx_http_chat_websocket_data(ngx_http_chat_session_t *s,
    chat_ws_event_t *ev);
static ngx_int_t ngx_http_chat_websocket_gather(ngx_http_chat_session_t *s,
    chat_ws_event_t *ev);
static void ngx_http_chat_websocket_inflate(ngx_http_chat_session_t *s,
    chat_ws_event_t *ev);
static void ngx_http_chat_websocket_control(ngx_http_chat_session_t *s,
    chat_ws_event_t *ev);
static void ngx_http_chat_websocket_fail(ngx_http_chat_session_t *s,
    ngx_uint_t code, const char *reason);


/* The worker's buffers. */

static struct {
    chat_inflater_t   *inflater;
    u_char            *inflated;
    size_t             inflated_size;
    u_char             buf[NGX_HTTP_CHAT_WS_BUFFER];
} ngx_http_chat_ws;


void
ngx_http_chat_websocket_read(ngx_http_chat_session_t *s)
{
    size_t             size;
    ssize_t            n, rest;
    ngx_uint_t         i;
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    n = 0;
    c = s->connection;
    rev = c->read;

    /* one read must not bring more than a small backlog holds */

    size = ngx_min(NGX_HTTP_CHAT_WS_BUFFER,
                   s->settings->retention.backlog / 4 + CHAT_WS_REST_MAX);

    if (s->partial && s->partial->input) {

        ngx_http_chat_websocket_resume(s);

        if (ngx_http_chat_websocket_held(s)) {
            return;
        }
    }

    for (i = 0; i < NGX_HTTP_CHAT_WS_READS && rev->ready; i++) {

        if (ngx_http_chat_deliver_pressed(s)) {
            break;
        }

        rest = ngx_http_chat_websocket_rest(s, ngx_http_chat_ws.buf);

        n = c->recv(c, ngx_http_chat_ws.buf + rest, size - rest);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == 0) {
            /* it has ended its side, and may still read what it asked for */
            (void) ngx_http_chat_output_flush(s);
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_http_chat_session_finalize(s);
            return;
        }

        s->bytes_in += n;
        s->heard = 1;

        ngx_http_chat_websocket_input(s, ngx_http_chat_ws.buf,
                                      ngx_http_chat_ws.buf + rest + n);

        if (ngx_http_chat_websocket_held(s)) {
            return;
        }
    }

    if (rev->ready && n != NGX_AGAIN) {

        /* others have their turn first */

        ngx_post_event(rev, &ngx_posted_next_events);
        return;
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_http_chat_session_finalize(s);
    }
}


/* 1: nothing more is to be read from it, now or ever. */

static ngx_uint_t
ngx_http_chat_websocket_held(ngx_http_chat_session_t *s)
{
    return s->dead || s->read_blocked || s->throttled || s->lingering;
}


/* Puts the beginning of a frame, kept from the last time, into buf. */

static ssize_t
ngx_http_chat_websocket_rest(ngx_http_chat_session_t *s, u_char *buf)
{
    if (s->partial == NULL) {
        return 0;
    }

    ngx_memcpy(buf, s->partial->rest, s->partial->rest_len);

    return s->partial->rest_len;
}


void
ngx_http_chat_websocket_input(ngx_http_chat_session_t *s, u_char *pos,
    u_char *end)
{
    ngx_int_t                   rc;
    chat_ws_event_t             ev;
    ngx_http_chat_websocket_t  *ws;

    ws = ngx_http_chat_websocket_of(s);

    if (s->partial) {
        s->partial->rest_len = 0;
    }

    while (!s->dead && !s->peer_closed) {

        if ((s->read_blocked || s->throttled) && pos < end) {

            if (ngx_http_chat_websocket_delay(s, pos, end - pos) != NGX_OK) {
                ngx_http_chat_session_finalize(s);
            }

            return;
        }

        rc = chat_ws_decode(&ws->decoder, &pos, end, &ev);

        if (rc == CHAT_WS_AGAIN) {

            if (ngx_http_chat_websocket_save(s, pos, end - pos) != NGX_OK) {
                ngx_http_chat_session_finalize(s);
            }

            return;
        }

        switch (rc) {

        case CHAT_WS_DATA:
            ngx_http_chat_websocket_data(s, &ev);
            break;

        case CHAT_WS_CONTROL:
            ngx_http_chat_websocket_control(s, &ev);
            break;

        default:
            ngx_http_chat_websocket_fail(s, ev.close_code, ev.reason);
            break;
        }
    }
}


/*
 * A few bytes of input can ask for megabytes of history: the rest of it is
 * not looked at before the socket has taken most of the replies.  The same
 * where a rate holds a client back.
 */

static ngx_int_t
ngx_http_chat_websocket_delay(ngx_http_chat_session_t *s, u_char *data,
    size_t len)
{
    struct ngx_http_chat_partial_s  *partial;

    partial = ngx_http_chat_websocket_partial(s);

    if (partial == NULL) {
        return NGX_ERROR;
    }

    partial->input = ngx_alloc(len, s->connection->log);
    if (partial->input == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(partial->input, data, len);
    partial->input_len = len;

    return NGX_OK;
}


static void
ngx_http_chat_websocket_resume(ngx_http_chat_session_t *s)
{
    u_char  *input;

    input = s->partial->input;
    s->partial->input = NULL;

    ngx_http_chat_websocket_input(s, input, input + s->partial->input_len);

    ngx_free(input);
}


static ngx_int_t
ngx_http_chat_websocket_save(ngx_http_chat_session_t *s, u_char *data,
    size_t len)
{
    struct ngx_http_chat_partial_s  *partial;

    if (len == 0) {
        ngx_http_chat_websocket_partial_free(s, 0);
        return NGX_OK;
    }

    partial = ngx_http_chat_websocket_partial(s);

    if (partial == NULL || len > CHAT_WS_REST_MAX) {
        return NGX_ERROR;
    }

    ngx_memcpy(partial->rest, data, len);
    partial->rest_len = len;

    return NGX_OK;
}


static struct ngx_http_chat_partial_s *
ngx_http_chat_websocket_partial(ngx_http_chat_session_t *s)
{
    if (s->partial == NULL) {
        s->partial = ngx_calloc(sizeof(struct ngx_http_chat_partial_s),
                                s->connection->log);
    }

    return s->partial;
}


/* Gives back what is no longer needed, or all. */

void
ngx_http_chat_websocket_partial_free(ngx_http_chat_session_t *s,
    ngx_uint_t all)
{
    struct ngx_http_chat_partial_s  *partial;

    partial = s->partial;

    if (partial == NULL
        || (!all && (partial->message || partial->rest_len)))
    {
        return;
    }

    if (partial->message) {
        ngx_free(partial->message);
    }

    if (partial->input) {
        ngx_free(partial->input);
    }

    ngx_free(partial);

    s->partial = NULL;
}


/* A part of a message: most are whole, and are taken from where they are. */

static void
ngx_http_chat_websocket_data(ngx_http_chat_session_t *s, chat_ws_event_t *ev)
{
    u_char  *message;

    if (s->closing) {
        return;
    }

    if (!ev->first || !ev->last) {

        if (ngx_http_chat_websocket_gather(s, ev) != NGX_OK) {
            ngx_http_chat_session_finalize(s);
            return;
        }

        if (!ev->last) {
            return;
        }
    }

    if (ev->compressed) {
        ngx_http_chat_websocket_inflate(s, ev);

    } else {
        ngx_http_chat_message(s, ev->data, ev->len,
                              ev->opcode == CHAT_WS_BINARY);
    }

    if (s->partial && s->partial->message) {
        message = s->partial->message;

        s->partial->message = NULL;
        s->partial->len = 0;
        s->partial->size = 0;

        ngx_free(message);
    }
}


/* Adds a part to the message; the last one gives the event the whole. */

static ngx_int_t
ngx_http_chat_websocket_gather(ngx_http_chat_session_t *s,
    chat_ws_event_t *ev)
{
    size_t                           size;
    u_char                          *p;
    struct ngx_http_chat_partial_s  *partial;

    partial = ngx_http_chat_websocket_partial(s);

    if (partial == NULL) {
        return NGX_ERROR;
    }

    if (partial->message == NULL || partial->size - partial->len < ev->len) {

        size = ngx_max(partial->size, NGX_HTTP_CHAT_WS_PART);

        while (size - partial->len < ev->len) {
            size *= 2;
        }

        p = ngx_alloc(size, s->connection->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (partial->message) {
            ngx_memcpy(p, partial->message, partial->len);
            ngx_free(partial->message);
        }

        partial->message = p;
        partial->size = size;
    }

    ngx_memcpy(partial->message + partial->len, ev->data, ev->len);
    partial->len += ev->len;

    ev->data = partial->message;
    ev->len = partial->len;

    return NGX_OK;
}


static void
ngx_http_chat_websocket_inflate(ngx_http_chat_session_t *s,
    chat_ws_event_t *ev)
{
    int      rc;
    size_t   max, len;
    u_char  *p;

    max = (size_t) ngx_http_chat_message_max(s->settings);

    if (ngx_http_chat_ws.inflated_size < max) {
        p = ngx_alloc(max, s->connection->log);
        if (p == NULL) {
            ngx_http_chat_session_finalize(s);
            return;
        }

        if (ngx_http_chat_ws.inflated) {
            ngx_free(ngx_http_chat_ws.inflated);
        }

        ngx_http_chat_ws.inflated = p;
        ngx_http_chat_ws.inflated_size = max;
    }

    if (ngx_http_chat_ws.inflater == NULL) {
        ngx_http_chat_ws.inflater = chat_inflater_create();

        if (ngx_http_chat_ws.inflater == NULL) {
            ngx_http_chat_session_finalize(s);
            return;
        }
    }

    rc = chat_inflate(ngx_http_chat_ws.inflater, ev->data, ev->len,
                      ngx_http_chat_ws.inflated, max, &len);

    if (rc == CHAT_DEFLATE_TOO_LARGE) {
        ngx_http_chat_websocket_fail(s, CHAT_WS_TOO_BIG,
                                     "message too large");

    } else if (rc != CHAT_DEFLATE_OK) {
        ngx_http_chat_websocket_fail(s, CHAT_WS_BAD_DATA,
                                     "not a deflate stream");

    } else if (ev->opcode == CHAT_WS_TEXT
               && !chat_utf8_valid(ngx_http_chat_ws.inflated, len))
    {
        ngx_http_chat_websocket_fail(s, CHAT_WS_BAD_DATA, "invalid UTF-8");

    } else {
        ngx_http_chat_message(s, ngx_http_chat_ws.inflated, len,
                              ev->opcode == CHAT_WS_BINARY);
    }
}


static void
ngx_http_chat_websocket_control(ngx_http_chat_session_t *s,
    chat_ws_event_t *ev)
{
    ngx_msec_t  wait;
    ngx_uint_t  code;

    switch (ev->opcode) {

    case CHAT_WS_PING:

        /* over the rate it is answered all the same: only who floods is not */

        if (!s->closing) {
            (void) ngx_http_chat_rate(s, &wait);
        }

        if (!s->closing && !s->dead) {
            ngx_http_chat_websocket_control_frame(s, CHAT_WS_PONG, ev->data,
                                                  ev->len);
        }

        break;

    case CHAT_WS_CLOSE:

        code = chat_ws_close_code(ev->data, ev->len);

        /* what was said in front of it goes out in front of the answer */

        ngx_http_chat_deliver_session(s);

        s->peer_closed = 1;

        if (s->closing) {
            /* the answer to ours */
            ngx_http_chat_deliver_flush(s);
            break;
        }

        ngx_http_chat_session_close(s, code, "");

        break;

    default: /* CHAT_WS_PONG */
        break;
    }
}


/* The peer broke a rule: no answer to our close frame is waited for. */

static void
ngx_http_chat_websocket_fail(ngx_http_chat_session_t *s, ngx_uint_t code,
    const char *reason)
{
    ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                  "client broke the WebSocket protocol: %s, closed with %ui",
                  reason, code);

    ngx_http_chat_deliver_session(s);

    s->peer_closed = 1;

    if (s->closing) {
        ngx_http_chat_deliver_flush(s);
        return;
    }

    ngx_http_chat_session_close(s, code, reason);
}
