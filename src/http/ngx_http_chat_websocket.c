
#include "ngx_http_chat_websocket.h"
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_connections.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_output.h"
#include "ngx_http_chat_token.h"
#include "ngx_http_chat_transport.h"


static size_t ngx_http_chat_websocket_bound(ngx_http_chat_form_t *form,
    size_t len);
static u_char *ngx_http_chat_websocket_frame(ngx_http_chat_form_t *form,
    u_char *p, ngx_http_chat_entry_t *e, u_char *text);
static size_t ngx_http_chat_websocket_deflate(ngx_http_chat_form_t *form,
    u_char *p, u_char *text, size_t len);
static ngx_int_t ngx_http_chat_websocket_reply(ngx_http_chat_session_t *s,
    u_char *text, size_t len);
static void ngx_http_chat_websocket_ping(ngx_http_chat_session_t *s);
static ngx_uint_t ngx_http_chat_websocket_close(ngx_http_chat_session_t *s,
    ngx_uint_t code, const char *reason);
static void ngx_http_chat_websocket_closed(ngx_http_chat_session_t *s);

static ngx_int_t ngx_http_chat_websocket_enter(ngx_http_request_t *r,
    ngx_http_chat_session_t *s);
static ngx_http_chat_session_t *ngx_http_chat_websocket_create(
    ngx_http_request_t *r, ngx_http_chat_identity_t *identity,
    chat_deflate_params_t *deflate);
static void ngx_http_chat_websocket_await(ngx_http_chat_session_t *s);
static ngx_int_t ngx_http_chat_websocket_form(ngx_http_chat_session_t *s,
    chat_deflate_params_t *deflate);
static void ngx_http_chat_websocket_cleanup(void *data);
static void ngx_http_chat_websocket_take_handler(ngx_event_t *ev);
static void ngx_http_chat_websocket_take(ngx_http_chat_session_t *s);
static void ngx_http_chat_websocket_begin(ngx_http_chat_session_t *s,
    u_char *early, size_t len);
static void ngx_http_chat_websocket_name(ngx_connection_t *c);
static u_char *ngx_http_chat_websocket_named(ngx_log_t *log, u_char *buf,
    size_t len);


static const ngx_http_chat_transport_t  ngx_http_chat_websocket = {
    ngx_string("websocket"),
    ngx_http_chat_websocket_bound,
    ngx_http_chat_websocket_frame,
    ngx_http_chat_websocket_reply,
    ngx_http_chat_websocket_read,
    ngx_http_chat_websocket_ping,
    ngx_http_chat_websocket_close,
    ngx_http_chat_event_gap,
    ngx_http_chat_event_lost,
    ngx_http_chat_event_bye,
    ngx_http_chat_websocket_closed
};


/* The worker's: connections to take over. */

static struct {
    ngx_queue_t  queue;
    ngx_event_t  event;
} ngx_http_chat_taken;


/* nginx's own, of all connections of HTTP. */

static ngx_log_handler_pt  ngx_http_chat_log_handler;


/* as many as its location has limits */
#define ngx_http_chat_websocket_counted(s)                                    \
    ((ngx_http_chat_counted_t *) (ngx_http_chat_websocket_of(s) + 1))


ngx_int_t
ngx_http_chat_websocket_start(ngx_http_request_t *r,
    ngx_http_chat_identity_t *identity, chat_deflate_params_t *deflate)
{
    ngx_int_t                  rc;
    ngx_http_chat_session_t   *s;
    ngx_http_chat_loc_conf_t  *chcf;

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    if (chcf->zone->slot == NGX_HTTP_CHAT_NO_SLOT) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "chat_zone \"%V\" has no slot left for this worker, "
                      "give it more with \"workers=\"", &chcf->zone->name);
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (r->main->count != 1) {

        /* such a subrequest would come back to a connection that is ours */

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "chat location cannot have subrequests in the "
                      "background, set \"mirror off\" there");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s = ngx_http_chat_websocket_create(r, identity, deflate);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_chat_websocket_enter(r, s);

    if (rc != NGX_OK) {

        /* the client may be back before the request is freed */

        ngx_http_chat_connections_leave(s, ngx_http_chat_websocket_counted(s));
        return rc;
    }

    r->keepalive = 0;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (ngx_http_send_special(r, NGX_HTTP_FLUSH) == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_http_chat_websocket_await(s);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    r->main->count++;

    return NGX_DONE;
}


/* OK, or a status: it is one too many, or the room has no place for it. */

static ngx_int_t
ngx_http_chat_websocket_enter(ngx_http_request_t *r,
    ngx_http_chat_session_t *s)
{
    ngx_int_t  rc;
    ngx_str_t  room;

    rc = ngx_http_chat_websocket_count(s, r);
    if (rc != NGX_OK) {
        return rc;
    }

    /* in raw mode it joins before there is a word to refuse it by */

    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW
        && !ngx_http_chat_access_raw(s, NGX_HTTP_CHAT_ACT_JOIN))
    {
        return ngx_http_chat_refuse(r, NGX_HTTP_FORBIDDEN,
                                    "an access rule or its API key does "
                                    "not let it in", NULL);
    }

    /* nothing is delivered before the connection is ours */

    s->blocked = 1;

    rc = ngx_http_chat_enter(s);

    switch (rc) {

    case NGX_OK:
        return NGX_OK;

    case NGX_DONE:
        room.data = ngx_http_chat_session_room(s);
        room.len = s->room_len;

        return ngx_http_chat_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                    "room has all the members that "
                                    "\"chat_room_members\" allows", &room);

    case NGX_DECLINED:
        return NGX_HTTP_SERVICE_UNAVAILABLE;

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


/* The session of a request, freed with it unless it is taken over. */

static ngx_http_chat_session_t *
ngx_http_chat_websocket_create(ngx_http_request_t *r,
    ngx_http_chat_identity_t *identity, chat_deflate_params_t *deflate)
{
    ngx_http_cleanup_t         *cln;
    ngx_http_chat_ctx_t        *ctx;
    ngx_http_chat_session_t    *s;
    ngx_http_chat_loc_conf_t   *chcf;
    ngx_http_chat_websocket_t  *ws;

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    s = ngx_http_chat_session_create(r->connection, chcf->zone,
                                     &chcf->settings,
                                     &ngx_http_chat_websocket, identity,
                                     sizeof(ngx_http_chat_websocket_t)
                                     + ngx_http_chat_connections_size(chcf));
    if (s == NULL) {
        return NULL;
    }

    s->conf = chcf;
    s->request = r;

    cln->handler = ngx_http_chat_websocket_cleanup;
    cln->data = s;

    ws = ngx_http_chat_websocket_of(s);
    ws->cleanup = cln;

    chat_ws_decoder_init(&ws->decoder,
                         ngx_http_chat_message_max(&chcf->settings),
                         deflate != NULL);

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);
    ctx->session = s;

    if (ngx_http_chat_rate_keys(r, s) != NGX_OK
        || ngx_http_chat_websocket_form(s, deflate) != NGX_OK)
    {
        return NULL;
    }

    return s;
}


/*
 * nginx's functions that called us still use the request: the connection is
 * taken over when they have returned.
 */

static void
ngx_http_chat_websocket_await(ngx_http_chat_session_t *s)
{
    if (ngx_http_chat_taken.event.handler == NULL) {
        ngx_queue_init(&ngx_http_chat_taken.queue);
        ngx_http_chat_taken.event.handler =
                                        ngx_http_chat_websocket_take_handler;
        ngx_http_chat_taken.event.log = ngx_cycle->log;
    }

    s->queued = 1;
    ngx_queue_insert_tail(&ngx_http_chat_taken.queue, &s->queue);

    ngx_post_event(&ngx_http_chat_taken.event, &ngx_posted_events);
}


/*
 * The parameter of a form: 0, or window, level and least size to compress,
 * for which bytes are the same.
 */

static ngx_int_t
ngx_http_chat_websocket_form(ngx_http_chat_session_t *s,
    chat_deflate_params_t *deflate)
{
    uintptr_t  param;
    ngx_int_t  form;

    param = 0;

    if (deflate) {
        param = deflate->server_bits
                | (uintptr_t) s->settings->compression_level << 4
                | (uintptr_t) s->settings->compression_min << 8;
    }

    form = ngx_http_chat_run_form(&ngx_http_chat_websocket, param);

    if (form < 0) {
        ngx_log_error(NGX_LOG_ERR, s->connection->log, 0,
                      "too many different \"chat_compression\" settings");
        return NGX_ERROR;
    }

    s->framer = (uint8_t) form;

    return NGX_OK;
}


/* The request ends before its connection was taken over. */

static void
ngx_http_chat_websocket_cleanup(void *data)
{
    ngx_http_chat_session_t  *s = data;

    ngx_http_request_t   *r;
    ngx_http_chat_ctx_t  *ctx;

    r = s->request;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);

    /* an internal redirect to an error page clears the contexts */

    if (ctx) {
        ctx->session = NULL;
    }

    ngx_http_chat_connections_leave(s, ngx_http_chat_websocket_counted(s));

    ngx_http_chat_session_discard(s);
}


static void
ngx_http_chat_websocket_take_handler(ngx_event_t *ev)
{
    ngx_queue_t              *q;
    ngx_http_chat_session_t  *s;

    (void) ev;    /* it has no data: the queue is the worker's */

    while (!ngx_queue_empty(&ngx_http_chat_taken.queue)) {
        q = ngx_queue_head(&ngx_http_chat_taken.queue);
        ngx_queue_remove(q);

        s = ngx_queue_data(q, ngx_http_chat_session_t, queue);
        s->queued = 0;

        ngx_http_chat_websocket_take(s);
    }
}


static void
ngx_http_chat_websocket_take(ngx_http_chat_session_t *s)
{
    size_t                      len;
    u_char                     *early;
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_chat_loc_conf_t   *chcf;
    ngx_http_chat_websocket_t  *ws;

    c = s->connection;
    r = s->request;
    chcf = s->conf;

    if (c->error || c->buffered || ngx_tcp_nodelay(c) != NGX_OK
        || ngx_http_chat_credential_keep(s, r) != NGX_OK)
    {
        /* not even the answer to the handshake could be sent */
        ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
        ngx_http_run_posted_requests(c);
        return;
    }

    ws = ngx_http_chat_websocket_of(s);
    ws->cleanup->handler = NULL;

    /* frames may have come in the same segment as the handshake */

    len = r->header_in->last - r->header_in->pos;
    early = NULL;

    if (len) {
        early = ngx_alloc(len, c->log);
        if (early) {
            ngx_memcpy(early, r->header_in->pos, len);
        }
    }

    /* who it is may still have to be made of the request */

    if (!chcf->keep_request && !s->pending) {
        ngx_http_chat_release(s, r);
        s->request = NULL;
    }

#if (NGX_HTTP_SSL)

    if (c->ssl) {

        /* a run's bytes may lie elsewhere when the rest of them is sent */

        SSL_set_mode(c->ssl->connection,
                     SSL_MODE_ENABLE_PARTIAL_WRITE
                     |SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }

#endif

    ngx_http_chat_websocket_begin(s, early, len);
}


/* The connection is ours; early: what came behind the handshake, or NULL if
 * len is 0 or there was no memory for it. */

static void
ngx_http_chat_websocket_begin(ngx_http_chat_session_t *s, u_char *early,
    size_t len)
{
    ngx_connection_t  *c;

    c = s->connection;

    ngx_http_chat_session_start(s);
    ngx_http_chat_websocket_name(c);

    /* the list may be another one since it was let in */

    ngx_http_chat_revoked_session(s);

    if (len && early == NULL) {
        ngx_http_chat_session_finalize(s);
        return;
    }

    if (!s->closing) {
        ngx_http_chat_begin(s);
    }

    ngx_http_chat_output_unblock(s);

    if (early) {
        s->bytes_in += len;
        ngx_http_chat_websocket_input(s, early, early + len);
        ngx_free(early);
    }

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_chat_session_finalize(s);
    }
}


/* From now on lines of the log name the user behind the client's address. */

static void
ngx_http_chat_websocket_name(ngx_connection_t *c)
{
    if (c->log->handler != ngx_http_chat_websocket_named) {
        ngx_http_chat_log_handler = c->log->handler;
        c->log->handler = ngx_http_chat_websocket_named;
    }
}


static u_char *
ngx_http_chat_websocket_named(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                   *p, sid[NGX_HTTP_CHAT_SESSION_ID_LEN];
    ngx_http_log_ctx_t       *ctx;
    ngx_http_chat_session_t  *s;

    p = ngx_http_chat_log_handler(log, buf, len);

    ctx = log->data;
    s = ngx_http_chat_session_of(ctx->connection);

    if (s == NULL || s->pending) {
        return p;
    }

    ngx_http_chat_session_sid(s, sid);

    return ngx_snprintf(p, len - (p - buf), ", user: \"%*s\", session: %*s",
                        (size_t) s->user_len, ngx_http_chat_session_user(s),
                        (size_t) NGX_HTTP_CHAT_SESSION_ID_LEN, sid);
}


ngx_int_t
ngx_http_chat_websocket_count(ngx_http_chat_session_t *s,
    ngx_http_request_t *r)
{
    return ngx_http_chat_connections_enter(r,
                                          ngx_http_chat_websocket_counted(s));
}


void
ngx_http_chat_websocket_forget(ngx_http_chat_session_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    ngx_http_chat_release(s, s->request);

    s->request = NULL;

    c->log->action = "chatting";
}


static size_t
ngx_http_chat_websocket_bound(ngx_http_chat_form_t *form, size_t len)
{
    return CHAT_WS_HEADER_MAX + (form->param ? chat_deflate_bound(len) : len);
}


static u_char *
ngx_http_chat_websocket_frame(ngx_http_chat_form_t *form, u_char *p,
    ngx_http_chat_entry_t *e, u_char *text)
{
    size_t      len;
    ngx_uint_t  first;

    first = CHAT_WS_FIN | CHAT_WS_TEXT;

    if (e->flags & NGX_HTTP_CHAT_ENTRY_BINARY) {
        first = CHAT_WS_FIN | CHAT_WS_BINARY;
    }

    len = ngx_http_chat_websocket_deflate(form, p + CHAT_WS_HEADER_MAX, text,
                                          e->len);

    if (len) {
        text = p + CHAT_WS_HEADER_MAX;
        first |= CHAT_WS_RSV1;

    } else {
        len = e->len;
    }

    p += chat_ws_header(p, first, len);

    return ngx_movemem(p, text, len);
}


/* The size of the deflated text; 0: it is to go as it is. */

static size_t
ngx_http_chat_websocket_deflate(ngx_http_chat_form_t *form, u_char *p,
    u_char *text, size_t len)
{
    size_t  out;

    if (form->param == 0 || len < form->param >> 8) {
        return 0;
    }

    if (form->state == NULL) {
        form->state = chat_deflater_create(form->param >> 4 & 0xf,
                                           form->param & 0xf);
        if (form->state == NULL) {
            return 0;
        }
    }

    if (chat_deflate(form->state, text, len, p, chat_deflate_bound(len), &out)
            != CHAT_DEFLATE_OK
        || out >= len)
    {
        return 0;
    }

    return out;
}


static ngx_int_t
ngx_http_chat_websocket_reply(ngx_http_chat_session_t *s, u_char *text,
    size_t len)
{
    u_char                 *p, *last;
    ngx_http_chat_form_t   *form;
    ngx_http_chat_entry_t   e;

    form = ngx_http_chat_run_form_of(s->framer);

    ngx_memzero(&e, sizeof(e));

    e.len = (uint32_t) len;
    e.flags = NGX_HTTP_CHAT_ENTRY_EVENT;

    p = ngx_http_chat_output_reserve(s, ngx_http_chat_websocket_bound(form,
                                                                      len));
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = ngx_http_chat_websocket_frame(form, p, &e, text);

    ngx_http_chat_output_added(s, last - p);

    s->messages_out++;

    return NGX_OK;
}


void
ngx_http_chat_websocket_control_frame(ngx_http_chat_session_t *s,
    ngx_uint_t opcode, u_char *data, size_t len)
{
    u_char  *p, *last;

    p = ngx_http_chat_output_reserve(s, CHAT_WS_HEADER_MAX + len);
    if (p == NULL) {
        ngx_http_chat_session_finalize(s);
        return;
    }

    last = p + chat_ws_header(p, CHAT_WS_FIN | opcode, len);

    if (len) {
        last = ngx_cpymem(last, data, len);
    }

    ngx_http_chat_output_added(s, last - p);
}


static void
ngx_http_chat_websocket_ping(ngx_http_chat_session_t *s)
{
    ngx_http_chat_websocket_control_frame(s, CHAT_WS_PING, NULL, 0);
}


static ngx_uint_t
ngx_http_chat_websocket_close(ngx_http_chat_session_t *s, ngx_uint_t code,
    const char *reason)
{
    u_char  *p;

    p = ngx_http_chat_output_reserve(s, 2 + CHAT_WS_CONTROL_MAX);
    if (p == NULL) {
        ngx_http_chat_session_finalize(s);
        return 0;
    }

    ngx_http_chat_output_added(s, chat_ws_close_frame(p, code, reason,
                                                      ngx_strlen(reason)));
    return 1;
}


static void
ngx_http_chat_websocket_closed(ngx_http_chat_session_t *s)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (s->typing) {
        ngx_http_chat_typing_stop(s, 0);
    }

    ngx_http_chat_authorize_forget(s);
    ngx_http_chat_connections_leave(s, ngx_http_chat_websocket_counted(s));

    ngx_http_chat_log_session(s);

    ngx_http_chat_websocket_partial_free(s, 1);

    c = s->connection;
    r = s->request;

    c->idle = 0;

    if (r) {
        /* writes the access log's line, which may ask for the session */
        ngx_http_free_request(r, 0);
    }

    ngx_http_chat_token_end(s);

    ngx_http_close_connection(c);
}
