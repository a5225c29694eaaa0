
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_websocket.h"


static void ngx_http_chat_release_buffers(ngx_connection_t *c,
    ngx_http_connection_t *hc);
static void ngx_http_chat_release_address(ngx_connection_t *c,
    ngx_sockaddr_t *sockaddr, socklen_t socklen, ngx_str_t *text);


void
ngx_http_chat_release(ngx_http_chat_session_t *s, ngx_http_request_t *r)
{
    socklen_t               socklen;
    ngx_str_t               text;
    ngx_sockaddr_t          sockaddr;
    ngx_connection_t       *c;
    ngx_http_connection_t  *hc;

    c = s->connection;
    hc = r->http_connection;

    socklen = ngx_min(c->socklen, (socklen_t) sizeof(ngx_sockaddr_t));
    ngx_memcpy(&sockaddr, c->sockaddr, socklen);
    text = c->addr_text;

    ngx_http_free_request(r, 0);

    c->destroyed = 0;

    if (c->addr_text.data != text.data) {

        /* realip has put the proxy's address back: logs are to name ours */

        ngx_http_chat_release_address(c, &sockaddr, socklen, &text);
    }

    ngx_http_chat_release_buffers(c, hc);

#if (NGX_HTTP_SSL)
    if (c->ssl) {
        ngx_ssl_free_buffer(c);
    }
#endif
}


static void
ngx_http_chat_release_address(ngx_connection_t *c, ngx_sockaddr_t *sockaddr,
    socklen_t socklen, ngx_str_t *text)
{
    void  *p;

    p = ngx_palloc(c->pool, socklen);
    if (p == NULL) {
        return;
    }

    ngx_memcpy(p, sockaddr, socklen);

    c->sockaddr = p;
    c->socklen = socklen;
    c->addr_text = *text;
}


/* As nginx does for an idle keepalive connection. */

static void
ngx_http_chat_release_buffers(ngx_connection_t *c,
    ngx_http_connection_t *hc)
{
    ngx_uint_t     i;
    ngx_chain_t   *cl, *next, *chains[2];

    if (c->buffer && ngx_pfree(c->pool, c->buffer->start) == NGX_OK) {
        c->buffer = NULL;
    }

    chains[0] = hc->free;
    chains[1] = hc->busy;

    for (i = 0; i < 2; i++) {

        for (cl = chains[i]; cl; cl = next) {
            next = cl->next;

            (void) ngx_pfree(c->pool, cl->buf->start);
            ngx_free_chain(c->pool, cl);
        }
    }

    hc->free = NULL;
    hc->busy = NULL;
    hc->nbusy = 0;
}
