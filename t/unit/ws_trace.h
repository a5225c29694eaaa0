
/*
 * What a decoder makes of a stream, as a line of text that does not depend on
 * how the stream was cut: "T(" or "B(" begins a message ("Tz(" a compressed
 * one) and ")" ends it, its bytes stand between; C, I and O are close, ping
 * and pong with theirs; "!1002 reason" is an error and ends it.
 *
 * Payload that came before an error is handed out or not as the cuts have it,
 * so two traces with an error are alike if the error is the same and one's
 * events begin with the other's.
 */


#ifndef _CHAT_WS_TRACE_H_INCLUDED_
#define _CHAT_WS_TRACE_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat_ws.h"


typedef struct {
    chat_ws_decoder_t   decoder;
    char               *text;
    size_t              len;
    size_t              size;
    size_t              error;       /* where "!" stands in it */
    unsigned            failed:1;
    unsigned            broken:1;    /* the decoder broke its contract */
    unsigned            open:1;      /* inside a message */
    size_t              rest_len;
    unsigned char       rest[CHAT_WS_REST_MAX];
} ws_trace_t;


static inline void
ws_trace_init(ws_trace_t *t, uint64_t max, unsigned deflate)
{
    memset(t, 0, sizeof(ws_trace_t));

    chat_ws_decoder_init(&t->decoder, max, deflate);
}


static inline void
ws_trace_free(ws_trace_t *t)
{
    free(t->text);
}


static inline void
ws_trace_put(ws_trace_t *t, const void *data, size_t len)
{
    if (t->size - t->len <= len) {
        t->size = (t->len + len + 64) * 2;
        t->text = realloc(t->text, t->size);

        if (t->text == NULL) {
            abort();
        }
    }

    if (len) {
        memcpy(t->text + t->len, data, len);
    }

    t->len += len;
    t->text[t->len] = '\0';
}


static inline void
ws_trace_part(ws_trace_t *t, const chat_ws_event_t *ev)
{
    if (ev->first == t->open
        || (ev->opcode != CHAT_WS_TEXT && ev->opcode != CHAT_WS_BINARY))
    {
        t->broken = 1;
    }

    if (ev->first) {
        ws_trace_put(t, ev->opcode == CHAT_WS_TEXT ? "T" : "B", 1);
        ws_trace_put(t, "z(", ev->compressed ? 2 : 0);
        ws_trace_put(t, "(", ev->compressed ? 0 : 1);
    }

    t->open = !ev->last;

    ws_trace_put(t, ev->data, ev->len);
    ws_trace_put(t, ")", ev->last);
}


static inline void
ws_trace_control(ws_trace_t *t, const chat_ws_event_t *ev)
{
    if (ev->opcode < CHAT_WS_CLOSE || ev->opcode > CHAT_WS_PONG
        || ev->len > CHAT_WS_CONTROL_MAX)
    {
        t->broken = 1;
        return;
    }

    ws_trace_put(t, &"CIO"[ev->opcode - CHAT_WS_CLOSE], 1);
    ws_trace_put(t, "(", 1);
    ws_trace_put(t, ev->data, ev->len);
    ws_trace_put(t, ")", 1);
}


static inline void
ws_trace_error(ws_trace_t *t, const chat_ws_event_t *ev)
{
    char  buf[128];
    int   n;

    t->failed = 1;
    t->error = t->len;

    n = snprintf(buf, sizeof(buf), "!%u %s", ev->close_code, ev->reason);

    ws_trace_put(t, buf, n);
}


/* One read from the socket: what is left of the last one stands before it,
 * in memory of exactly their size. */

static inline void
ws_trace_feed(ws_trace_t *t, const unsigned char *data, size_t len)
{
    int               rc;
    size_t            size;
    unsigned char    *buf, *pos, *end;
    chat_ws_event_t   ev;

    if (t->failed || t->broken) {
        return;
    }

    size = t->rest_len + len;
    buf = malloc(size ? size : 1);

    if (buf == NULL) {
        abort();
    }

    memcpy(buf, t->rest, t->rest_len);

    if (len) {
        memcpy(buf + t->rest_len, data, len);
    }

    pos = buf;
    end = buf + size;

    do {
        rc = chat_ws_decode(&t->decoder, &pos, end, &ev);

        switch (rc) {

        case CHAT_WS_DATA:
            ws_trace_part(t, &ev);
            break;

        case CHAT_WS_CONTROL:
            ws_trace_control(t, &ev);
            break;

        case CHAT_WS_ERROR:
            ws_trace_error(t, &ev);
            break;
        }

    } while (rc > 0 && !t->broken);

    if (rc == CHAT_WS_AGAIN) {
        t->rest_len = end - pos;

        if (t->rest_len > CHAT_WS_REST_MAX) {
            t->broken = 1;

        } else {
            memcpy(t->rest, pos, t->rest_len);
        }
    }

    free(buf);
}


static inline int
ws_trace_alike(const ws_trace_t *a, const ws_trace_t *b)
{
    size_t             n;
    const ws_trace_t  *less;

    if (a->broken || b->broken || a->failed != b->failed) {
        return 0;
    }

    if (!a->failed) {
        return a->len == b->len
               && (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
    }

    less = (a->error < b->error) ? a : b;
    n = less->error;

    return a->len - a->error == b->len - b->error
           && memcmp(a->text + a->error, b->text + b->error,
                     a->len - a->error)
              == 0
           && memcmp(a->text, b->text, n) == 0;
}


#endif /* _CHAT_WS_TRACE_H_INCLUDED_ */
