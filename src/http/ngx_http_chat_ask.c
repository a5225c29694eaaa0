
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"


#define NGX_HTTP_CHAT_ASK_POOL_SIZE  4096
#define NGX_HTTP_CHAT_ASK_LINGER     1000      /* ms between two looks */


/*
 * The client's connection is a session's, and may go at any time: so the
 * subrequest has a connection of its own, of no socket, and a request of its
 * own, in one pool.  All of it goes when the subrequest has ended, by itself
 * or since nobody waits for it.
 */
struct ngx_http_chat_ask_s {
    ngx_http_chat_answer_pt      handler;
    void                        *data;     /* NULL: it has been called */
    ngx_http_request_t          *request;
    ngx_http_post_subrequest_t   post;
    ngx_event_t                  event;
    ngx_connection_t             connection;
    ngx_event_t                  read;
    ngx_event_t                  write;
    ngx_log_t                    log;
    ngx_http_log_ctx_t           log_ctx;
};


static ngx_int_t ngx_http_chat_ask_connection(ngx_http_chat_ask_t *ask,
    ngx_connection_t *client, ngx_pool_t *pool);
static void ngx_http_chat_ask_event(ngx_event_t *ev, ngx_connection_t *c);
static void ngx_http_chat_ask_run(ngx_event_t *ev);
static ngx_chain_t *ngx_http_chat_ask_send(ngx_connection_t *c,
    ngx_chain_t *in, off_t limit);
static ngx_http_request_t *ngx_http_chat_ask_request(ngx_http_chat_ask_t *ask,
    ngx_http_chat_session_t *s, ngx_http_chat_act_t *act, ngx_pool_t *pool);
static ngx_int_t ngx_http_chat_ask_room(ngx_http_request_t *r,
    ngx_http_chat_session_t *s, ngx_http_chat_act_t *act);
static ngx_int_t ngx_http_chat_ask_headers(ngx_http_request_t *r,
    ngx_http_request_t *kept);
static ngx_int_t ngx_http_chat_ask_header(ngx_http_request_t *r,
    ngx_table_elt_t *from);
static ngx_int_t ngx_http_chat_ask_copy(ngx_pool_t *pool, ngx_str_t *to,
    u_char *data, size_t len);
static void ngx_http_chat_ask_start(ngx_event_t *ev);
static ngx_int_t ngx_http_chat_ask_answered(ngx_http_request_t *r, void *data,
    ngx_int_t rc);
static void ngx_http_chat_ask_tell(ngx_http_chat_ask_t *ask,
    ngx_uint_t status, ngx_http_request_t *r);
static void ngx_http_chat_ask_done(ngx_http_request_t *r);
static void ngx_http_chat_ask_cancel_again(ngx_event_t *ev);
static void ngx_http_chat_ask_free(ngx_event_t *ev);


ngx_http_chat_ask_t *
ngx_http_chat_ask(ngx_http_chat_session_t *s, ngx_http_chat_act_t *act,
    ngx_str_t *uri, ngx_http_chat_answer_pt handler, void *data)
{
    ngx_pool_t           *pool;
    ngx_http_request_t   *sr;
    ngx_http_chat_ask_t  *ask;

    ask = ngx_calloc(sizeof(ngx_http_chat_ask_t), s->connection->log);
    if (ask == NULL) {
        return NULL;
    }

    pool = ngx_create_pool(NGX_HTTP_CHAT_ASK_POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        ngx_free(ask);
        return NULL;
    }

    ask->handler = handler;
    ask->data = data;
    ask->post.handler = ngx_http_chat_ask_answered;
    ask->post.data = ask;

    if (ngx_http_chat_ask_connection(ask, s->connection, pool) == NGX_OK) {
        ask->request = ngx_http_chat_ask_request(ask, s, act, pool);
    }

    if (ask->request == NULL
        || ngx_http_subrequest(ask->request, uri, NULL, &sr, &ask->post,
                               NGX_HTTP_SUBREQUEST_WAITED)
           != NGX_OK)
    {
        ngx_destroy_pool(pool);
        ngx_free(ask);
        return NULL;
    }

    /* a status and headers are all that is asked for */

    sr->header_only = 1;

    /* it may end at once, and is not to before our callers have returned */

    ask->event.handler = ngx_http_chat_ask_start;
    ask->event.data = ask;
    ask->event.log = &ask->log;

    ngx_post_event(&ask->event, &ngx_posted_events);

    return ask;
}


static ngx_int_t
ngx_http_chat_ask_connection(ngx_http_chat_ask_t *ask,
    ngx_connection_t *client, ngx_pool_t *pool)
{
    ngx_connection_t  *c;

    c = &ask->connection;

    ask->log = *client->log;
    ask->log.connection = client->number;
    ask->log.handler = NULL;
    ask->log.data = &ask->log_ctx;
    ask->log.action = "asking who may join";
    ask->log_ctx.connection = c;

    c->fd = (ngx_socket_t) -1;
    c->pool = pool;
    c->log = &ask->log;
    c->number = client->number;
    c->start_time = ngx_current_msec;
    c->type = SOCK_STREAM;
    c->listening = client->listening;
    c->send_chain = ngx_http_chat_ask_send;
    c->read = &ask->read;
    c->write = &ask->write;

    ngx_http_chat_ask_event(c->read, c);
    ngx_http_chat_ask_event(c->write, c);

    /* so that nobody has them watched */

    c->read->active = 1;
    c->write->active = (ngx_event_flags & NGX_USE_CLEAR_EVENT) ? 1 : 0;

    c->write->write = 1;
    c->write->ready = 1;

    /* the client's may be gone before these are asked for */

    c->sockaddr = ngx_palloc(pool, sizeof(ngx_sockaddr_t));
    c->local_sockaddr = ngx_pcalloc(pool, sizeof(ngx_sockaddr_t));

    if (c->sockaddr == NULL || c->local_sockaddr == NULL) {
        return NGX_ERROR;
    }

    c->socklen = ngx_min(client->socklen, (socklen_t) sizeof(ngx_sockaddr_t));
    ngx_memcpy(c->sockaddr, client->sockaddr, c->socklen);

    if (ngx_connection_local_sockaddr(client, NULL, 0) == NGX_OK) {
        c->local_socklen = ngx_min(client->local_socklen,
                                   (socklen_t) sizeof(ngx_sockaddr_t));
        ngx_memcpy(c->local_sockaddr, client->local_sockaddr,
                   c->local_socklen);
    }

    return ngx_http_chat_ask_copy(pool, &c->addr_text, client->addr_text.data,
                                  client->addr_text.len);
}


static void
ngx_http_chat_ask_event(ngx_event_t *ev, ngx_connection_t *c)
{
    ev->data = c;
    ev->log = c->log;
    ev->handler = ngx_http_chat_ask_run;
    ev->index = NGX_INVALID_INDEX;
}


/* A timer: "limit_req" and others hold a request back by its connection's. */

static void
ngx_http_chat_ask_run(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    c = ev->data;
    r = c->data;

    if (ev->delayed && ev->timedout) {
        ev->delayed = 0;
        ev->timedout = 0;
    }

    if (ev->write) {
        r->write_event_handler(r);

    } else {
        r->read_event_handler(r);
    }

    ngx_http_run_posted_requests(c);
}


/* What somebody says all the same goes nowhere. */

static ngx_chain_t *
ngx_http_chat_ask_send(ngx_connection_t *c, ngx_chain_t *in, off_t limit)
{
    (void) c;
    (void) limit;

    for ( /* void */ ; in; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }

    return NULL;
}


/* As much of the handshake's as a backend may want to know. */

static ngx_http_request_t *
ngx_http_chat_ask_request(ngx_http_chat_ask_t *ask,
    ngx_http_chat_session_t *s, ngx_http_chat_act_t *act, ngx_pool_t *pool)
{
    ngx_time_t                *tp;
    ngx_http_request_t        *r, *kept;
    ngx_http_chat_loc_conf_t  *chcf;

    kept = s->request;
    chcf = s->conf;

    if (kept == NULL) {
        return NULL;
    }

    /* with nothing of the session but what is put in place below */

    r = ngx_http_chat_made_request(s, chcf, pool);
    if (r == NULL) {
        return NULL;
    }

    tp = ngx_timeofday();

    r->start_sec = tp->sec;
    r->start_msec = tp->msec;
    r->connection = &ask->connection;
    r->connection->data = r;
    r->count = 1;
    r->subrequests = NGX_HTTP_MAX_SUBREQUESTS + 1;
    r->uri_changes = NGX_HTTP_MAX_URI_CHANGES + 1;
    r->logged = 1;
    r->header_sent = 0;
    r->read_event_handler = ngx_http_request_empty_handler;
    r->write_event_handler = ngx_http_chat_ask_done;

    ask->log_ctx.request = r;
    ask->log_ctx.current_request = r;

    /* by which it finds what it is part of */

    r->ctx[ngx_http_chat_module.ctx_index] = NULL;

    if (ngx_http_chat_ask_room(r, s, act) != NGX_OK
        || ngx_http_chat_ask_copy(pool, &r->unparsed_uri,
                                  kept->unparsed_uri.data,
                                  kept->unparsed_uri.len)
           != NGX_OK
        || ngx_http_chat_ask_headers(r, kept) != NGX_OK)
    {
        return NULL;
    }

    return r;
}


static ngx_int_t
ngx_http_chat_ask_room(ngx_http_request_t *r, ngx_http_chat_session_t *s,
    ngx_http_chat_act_t *act)
{
    ngx_http_chat_act_t       *asked;
    ngx_http_chat_ctx_t       *ctx;
    ngx_http_chat_identity_t  *id;
    u_char                     sid[NGX_HTTP_CHAT_SESSION_ID_LEN];

    ctx = ngx_http_chat_ctx(r);
    asked = ngx_palloc(r->pool, sizeof(ngx_http_chat_act_t));

    if (ctx == NULL || asked == NULL) {
        return NGX_ERROR;
    }

    ctx->act = asked;
    asked->role = act->role;

    id = &ctx->identity;

    id->guest = s->guest;

    if (ngx_http_chat_ask_copy(r->pool, &id->user,
                               ngx_http_chat_session_user(s), s->user_len)
        != NGX_OK
        || ngx_http_chat_ask_copy(r->pool, &id->name,
                                  ngx_http_chat_session_name(s), s->name_len)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_chat_session_sid(s, sid);

    if (ngx_http_chat_ask_copy(r->pool, &asked->sid, sid,
                               NGX_HTTP_CHAT_SESSION_ID_LEN)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_chat_ask_copy(r->pool, &asked->room, act->room.data,
                                  act->room.len);
}


static ngx_int_t
ngx_http_chat_ask_headers(ngx_http_request_t *r, ngx_http_request_t *kept)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    /* the server is that of the location, whatever "Host" says */

    if (ngx_http_chat_ask_copy(r->pool, &r->headers_in.server,
                               kept->headers_in.server.data,
                               kept->headers_in.server.len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

#if (nginx_version < 1023000)

    if (ngx_array_init(&r->headers_in.cookies, r->pool, 1,
                       sizeof(ngx_table_elt_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

#endif

    for (part = &kept->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash
                && ngx_http_chat_ask_header(r, &h[i]) != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_ask_header(ngx_http_request_t *r, ngx_table_elt_t *from)
{
    ngx_uint_t                  i;
    ngx_str_t                   low;
    ngx_table_elt_t            *h;
    ngx_http_header_t          *hh;
    ngx_http_core_main_conf_t  *cmcf;

    static const char  *handshake[] = {
        "connection", "upgrade", "sec-websocket-", "content-length", NULL
    };

    for (i = 0; handshake[i]; i++) {
        if (from->key.len >= ngx_strlen(handshake[i])
            && ngx_strncmp(from->lowcase_key, handshake[i],
                           ngx_strlen(handshake[i]))
               == 0)
        {
            return NGX_OK;
        }
    }

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = from->hash;

    if (ngx_http_chat_ask_copy(r->pool, &h->key, from->key.data,
                               from->key.len)
        != NGX_OK
        || ngx_http_chat_ask_copy(r->pool, &h->value, from->value.data,
                                  from->value.len)
           != NGX_OK
        || ngx_http_chat_ask_copy(r->pool, &low, from->lowcase_key,
                                  from->key.len)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    h->lowcase_key = low.data;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    hh = ngx_hash_find(&cmcf->headers_in_hash, h->hash, h->lowcase_key,
                       h->key.len);

    if (hh == NULL || hh->handler(r, h, hh->offset) == NGX_OK) {
        return NGX_OK;
    }

    return NGX_ERROR;
}


/* With a zero behind it, which headers have, too. */

static ngx_int_t
ngx_http_chat_ask_copy(ngx_pool_t *pool, ngx_str_t *to, u_char *data,
    size_t len)
{
    to->data = ngx_pnalloc(pool, len + 1);
    if (to->data == NULL) {
        return NGX_ERROR;
    }

    if (len) {
        ngx_memcpy(to->data, data, len);
    }

    to->data[len] = '\0';
    to->len = len;

    return NGX_OK;
}


static void
ngx_http_chat_ask_start(ngx_event_t *ev)
{
    ngx_http_chat_ask_t *ask = ev->data;

    ngx_http_run_posted_requests(&ask->connection);
}


/*
 * Whatever it came to, the subrequest has ended: any other result than OK
 * would have nginx answer, or end, a client's request that is not there.
 */

static ngx_int_t
ngx_http_chat_ask_answered(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    ngx_http_chat_ask_t *ask = data;

    ngx_http_chat_ask_tell(ask, (rc >= NGX_HTTP_SPECIAL_RESPONSE)
                                ? (ngx_uint_t) rc
                                : (rc == NGX_ERROR) ? 0
                                                    : r->headers_out.status,
                           r);
    return NGX_OK;
}


static void
ngx_http_chat_ask_tell(ngx_http_chat_ask_t *ask, ngx_uint_t status,
    ngx_http_request_t *r)
{
    void  *waiting;

    waiting = ask->data;
    ask->data = NULL;

    if (waiting) {
        ask->handler(waiting, status, r);
    }
}


static void
ngx_http_chat_ask_done(ngx_http_request_t *r)
{
    ngx_http_chat_ask_t  *ask;

    ask = (ngx_http_chat_ask_t *) ((u_char *) r->connection
                              - offsetof(ngx_http_chat_ask_t, connection));

    ngx_http_chat_ask_tell(ask, 0, r);

    if (ask->event.timer_set) {
        ngx_del_timer(&ask->event);
    }

    /* those who called us still look at it */

    ask->event.handler = ngx_http_chat_ask_free;

    ngx_post_event(&ask->event, &ngx_posted_events);
}


/* As nginx ends a request whose client has gone: by its cleanup handlers. */

void
ngx_http_chat_ask_cancel(ngx_http_chat_ask_t *ask)
{
    ngx_http_cleanup_t  *cln;
    ngx_http_request_t  *r;

    ask->data = NULL;

    r = ask->request;

    if (r->blocked) {

        /* a thread works for it, or it waits for a cache's lock */

        ask->event.handler = ngx_http_chat_ask_cancel_again;
        ask->event.cancelable = 1;

        ngx_add_timer(&ask->event, NGX_HTTP_CHAT_ASK_LINGER);
        return;
    }

    cln = r->cleanup;
    r->cleanup = NULL;

    /* one more, or the last to give it up would end a client's connection */

    r->count++;

    for ( /* void */ ; cln; cln = cln->next) {
        if (cln->handler) {
            cln->handler(cln->data);
        }
    }

    r->count = 1;
    r->posted_requests = NULL;
    r->write_event_handler = ngx_http_request_empty_handler;
    r->connection->data = r;

    ask->event.handler = ngx_http_chat_ask_free;

    ngx_post_event(&ask->event, &ngx_posted_events);
}


static void
ngx_http_chat_ask_cancel_again(ngx_event_t *ev)
{
    ngx_http_chat_ask_cancel(ev->data);
}


static void
ngx_http_chat_ask_free(ngx_event_t *ev)
{
    ngx_uint_t            i;
    ngx_event_t          *events[2];
    ngx_http_chat_ask_t  *ask;

    ask = ev->data;

    if (ask->request->count > 1 || ask->request->blocked) {

        /* as a cache's update in the background */

        ev->cancelable = 1;
        ngx_add_timer(ev, NGX_HTTP_CHAT_ASK_LINGER);
        return;
    }

    events[0] = &ask->read;
    events[1] = &ask->write;

    for (i = 0; i < 2; i++) {

        if (events[i]->timer_set) {
            ngx_del_timer(events[i]);
        }

        if (events[i]->posted) {
            ngx_delete_posted_event(events[i]);
        }
    }

    ngx_http_free_request(ask->request, 0);

    ngx_free(ask);
}
