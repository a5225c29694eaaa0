
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_websocket.h"
#include "ngx_http_chat_connections.h"

#include <ngx_sha1.h>


#define NGX_HTTP_CHAT_UPGRADE_REQUIRED  426

#define NGX_HTTP_CHAT_KEY_LEN           24     /* 16 bytes in base64 */
#define NGX_HTTP_CHAT_SHA1_LEN          20
#define NGX_HTTP_CHAT_GUID              "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


/* What a handshake's headers say, each of which may be there several times. */
typedef struct {
    ngx_str_t               key;
    ngx_str_t               version;
    ngx_str_t               origin;
    ngx_uint_t              nkeys;
    ngx_uint_t              nversions;
    ngx_uint_t              norigins;
    chat_deflate_params_t   deflate;
    unsigned                upgrade:1;         /* to "websocket" */
    unsigned                connection:1;      /* has "upgrade" */
    unsigned                protocol:1;        /* offers "chat.v1" */
    unsigned                deflated:1;        /* an offer was acceptable */
} ngx_http_chat_handshake_t;


typedef struct {
    ngx_str_t               name;
    void                  (*handler)(ngx_http_chat_handshake_t *hs,
                                ngx_str_t *value);
} ngx_http_chat_handshake_header_t;


static void ngx_http_chat_handshake_read(ngx_http_request_t *r,
    ngx_http_chat_handshake_t *hs);
static void ngx_http_chat_handshake_header(ngx_http_chat_handshake_t *hs,
    ngx_table_elt_t *h);
static void ngx_http_chat_handshake_upgrade(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value);
static void ngx_http_chat_handshake_connection(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value);
static void ngx_http_chat_handshake_key(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value);
static void ngx_http_chat_handshake_version(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value);
static void ngx_http_chat_handshake_protocol(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value);
static void ngx_http_chat_handshake_extensions(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value);
static void ngx_http_chat_handshake_origin(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value);

static ngx_uint_t ngx_http_chat_handshake_token(ngx_str_t *list,
    const char *token, ngx_uint_t caseless);
static ngx_int_t ngx_http_chat_handshake_check(ngx_http_request_t *r,
    ngx_http_chat_handshake_t *hs);
static ngx_uint_t ngx_http_chat_handshake_key_valid(ngx_str_t *key);
static ngx_int_t ngx_http_chat_upgrade_required(ngx_http_request_t *r,
    const char *reason, ngx_str_t *value);
static ngx_int_t ngx_http_chat_upgrade_origin(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_handshake_t *hs);
static ngx_int_t ngx_http_chat_upgrade_response(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_handshake_t *hs);
static ngx_int_t ngx_http_chat_upgrade_accept(ngx_http_request_t *r,
    ngx_str_t *key);
static ngx_int_t ngx_http_chat_upgrade_extensions(ngx_http_request_t *r,
    chat_deflate_params_t *deflate);


static ngx_str_t  ngx_http_chat_websocket = ngx_string("websocket");
static ngx_str_t  ngx_http_chat_version = ngx_string("13");
static ngx_str_t  ngx_http_chat_v1 = ngx_string("chat.v1");


static ngx_http_chat_handshake_header_t  ngx_http_chat_handshake_headers[] = {

    { ngx_string("upgrade"), ngx_http_chat_handshake_upgrade },
    { ngx_string("connection"), ngx_http_chat_handshake_connection },
    { ngx_string("sec-websocket-key"), ngx_http_chat_handshake_key },
    { ngx_string("sec-websocket-version"), ngx_http_chat_handshake_version },
    { ngx_string("sec-websocket-protocol"), ngx_http_chat_handshake_protocol },
    { ngx_string("sec-websocket-extensions"),
      ngx_http_chat_handshake_extensions },
    { ngx_string("origin"), ngx_http_chat_handshake_origin },

    { ngx_null_string, NULL }
};


ngx_int_t
ngx_http_chat_upgrade(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_chat_ctx_t        *ctx;
    ngx_http_chat_loc_conf_t   *chcf;
    ngx_http_chat_handshake_t   hs;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);
    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    ngx_http_chat_handshake_read(r, &hs);

    rc = ngx_http_chat_handshake_check(r, &hs);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_chat_upgrade_origin(r, chcf, &hs);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_chat_connection_rates(r, 1);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_chat_identify(r, chcf, &ctx->identity);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_chat_connection_rates(r, 0);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!chcf->settings.compression) {
        hs.deflated = 0;
    }

    if (ngx_http_chat_upgrade_response(r, chcf, &hs) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_chat_websocket_start(r, &ctx->identity,
                                         hs.deflated ? &hs.deflate : NULL);
}


/* One walk over the headers, however many lines they come in. */

static void
ngx_http_chat_handshake_read(ngx_http_request_t *r,
    ngx_http_chat_handshake_t *hs)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_memzero(hs, sizeof(ngx_http_chat_handshake_t));

    /* quoted in the log, also if missing */

    ngx_str_set(&hs->key, "");
    ngx_str_set(&hs->version, "");

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash) {
                ngx_http_chat_handshake_header(hs, &h[i]);
            }
        }
    }
}


static void
ngx_http_chat_handshake_header(ngx_http_chat_handshake_t *hs,
    ngx_table_elt_t *h)
{
    ngx_http_chat_handshake_header_t  *hh;

    for (hh = ngx_http_chat_handshake_headers; hh->name.len; hh++) {

        if (hh->name.len == h->key.len
            && ngx_strncmp(hh->name.data, h->lowcase_key, h->key.len) == 0)
        {
            hh->handler(hs, &h->value);
            return;
        }
    }
}


static void
ngx_http_chat_handshake_upgrade(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value)
{
    if (ngx_http_chat_handshake_token(value, "websocket", 1)) {
        hs->upgrade = 1;
    }
}


static void
ngx_http_chat_handshake_connection(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value)
{
    if (ngx_http_chat_handshake_token(value, "upgrade", 1)) {
        hs->connection = 1;
    }
}


static void
ngx_http_chat_handshake_key(ngx_http_chat_handshake_t *hs, ngx_str_t *value)
{
    hs->key = *value;
    hs->nkeys++;
}


static void
ngx_http_chat_handshake_version(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value)
{
    hs->version = *value;
    hs->nversions++;
}


static void
ngx_http_chat_handshake_protocol(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value)
{
    if (ngx_http_chat_handshake_token(value, "chat.v1", 0)) {
        hs->protocol = 1;
    }
}


static void
ngx_http_chat_handshake_extensions(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value)
{
    /* the first acceptable offer wins */

    if (!hs->deflated
        && chat_deflate_negotiate(&hs->deflate, value->data, value->len))
    {
        hs->deflated = 1;
    }
}


static void
ngx_http_chat_handshake_origin(ngx_http_chat_handshake_t *hs,
    ngx_str_t *value)
{
    hs->origin = *value;
    hs->norigins++;
}


/* 1: the comma-separated list has that token. */

static ngx_uint_t
ngx_http_chat_handshake_token(ngx_str_t *list, const char *token,
    ngx_uint_t caseless)
{
    size_t   len;
    u_char  *p, *last, *end, *start;

    len = ngx_strlen(token);
    p = list->data;
    end = p + list->len;

    while (p < end) {

        while (p < end && (*p == ' ' || *p == '\t' || *p == ',')) {
            p++;
        }

        start = p;

        while (p < end && *p != ',') {
            p++;
        }

        last = p;

        while (last > start && (last[-1] == ' ' || last[-1] == '\t')) {
            last--;
        }

        if ((size_t) (last - start) != len) {
            continue;
        }

        if (caseless ? ngx_strncasecmp(start, (u_char *) token, len) == 0
                     : ngx_strncmp(start, token, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* Everything that is the same for any location; RFC 6455 4.2.1. */

static ngx_int_t
ngx_http_chat_handshake_check(ngx_http_request_t *r,
    ngx_http_chat_handshake_t *hs)
{
    if (r->http_version < NGX_HTTP_VERSION_11) {
        return ngx_http_chat_refuse(r, NGX_HTTP_BAD_REQUEST,
                                    "HTTP is older than 1.1", NULL);
    }

    if (r->http_version > NGX_HTTP_VERSION_11) {
        return ngx_http_chat_upgrade_required(r,
                                     "WebSocket needs HTTP/1.1", NULL);
    }

    if (!hs->upgrade) {
        return ngx_http_chat_upgrade_required(r,
                                     "no \"websocket\" in Upgrade", NULL);
    }

    if (!hs->connection) {
        return ngx_http_chat_upgrade_required(r,
                                     "no \"upgrade\" in Connection", NULL);
    }

    if (hs->nversions != 1
        || hs->version.len != ngx_http_chat_version.len
        || ngx_strncmp(hs->version.data, ngx_http_chat_version.data,
                       hs->version.len)
           != 0)
    {
        return ngx_http_chat_upgrade_required(r,
                              "WebSocket version is not 13", &hs->version);
    }

    if (hs->nkeys != 1 || !ngx_http_chat_handshake_key_valid(&hs->key)) {
        return ngx_http_chat_refuse(r, NGX_HTTP_BAD_REQUEST,
                                    "Sec-WebSocket-Key is not one value of "
                                    "16 bytes", &hs->key);
    }

    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        return ngx_http_chat_refuse(r, NGX_HTTP_BAD_REQUEST,
                                    "handshake has a body", NULL);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_chat_handshake_key_valid(ngx_str_t *key)
{
    u_char     buf[ngx_base64_decoded_length(NGX_HTTP_CHAT_KEY_LEN)];
    ngx_str_t  decoded;

    /* the decoder takes a key without its padding, too */

    if (key->len != NGX_HTTP_CHAT_KEY_LEN
        || key->data[NGX_HTTP_CHAT_KEY_LEN - 2] != '='
        || key->data[NGX_HTTP_CHAT_KEY_LEN - 1] != '=')
    {
        return 0;
    }

    decoded.data = buf;

    return ngx_decode_base64(&decoded, key) == NGX_OK && decoded.len == 16;
}


static ngx_int_t
ngx_http_chat_upgrade_required(ngx_http_request_t *r, const char *reason,
    ngx_str_t *value)
{
    /* HTTP/2 and later have no Upgrade header, RFC 9113 8.6 */

    if (r->http_version == NGX_HTTP_VERSION_11
        && ngx_http_chat_add_header(r, "Upgrade", &ngx_http_chat_websocket)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_chat_add_header(r, "Sec-WebSocket-Version",
                                 &ngx_http_chat_version)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_chat_refuse(r, NGX_HTTP_CHAT_UPGRADE_REQUIRED, reason,
                                value);
}


static ngx_int_t
ngx_http_chat_upgrade_origin(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_handshake_t *hs)
{
    if (hs->norigins == 0) {
        return NGX_OK;
    }

    if (hs->norigins > 1) {
        return ngx_http_chat_refuse(r, NGX_HTTP_FORBIDDEN,
                                    "several Origin headers", NULL);
    }

    if (!ngx_http_chat_origin_allowed(r, chcf->origins, &hs->origin)) {
        return ngx_http_chat_refuse(r, NGX_HTTP_FORBIDDEN,
                                    "origin is not allowed", &hs->origin);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_upgrade_response(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_handshake_t *hs)
{
    /* "Connection: upgrade" is nginx's own with a 101 */

    if (ngx_http_chat_add_header(r, "Upgrade", &ngx_http_chat_websocket)
        != NGX_OK
        || ngx_http_chat_upgrade_accept(r, &hs->key) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* a raw location does not speak what the name promises */

    if (hs->protocol
        && chcf->settings.protocol == NGX_HTTP_CHAT_PROTOCOL_V1
        && ngx_http_chat_add_header(r, "Sec-WebSocket-Protocol",
                                    &ngx_http_chat_v1)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (hs->deflated
        && ngx_http_chat_upgrade_extensions(r, &hs->deflate) != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->keepalive = 0;
    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    ngx_str_set(&r->headers_out.status_line, "101 Switching Protocols");

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_upgrade_accept(ngx_http_request_t *r, ngx_str_t *key)
{
    u_char      digest[NGX_HTTP_CHAT_SHA1_LEN];
    ngx_str_t   value, accept;
    ngx_sha1_t  sha1;

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, key->data, key->len);
    ngx_sha1_update(&sha1, NGX_HTTP_CHAT_GUID, sizeof(NGX_HTTP_CHAT_GUID) - 1);
    ngx_sha1_final(digest, &sha1);

    value.len = NGX_HTTP_CHAT_SHA1_LEN;
    value.data = digest;

    accept.data = ngx_pnalloc(r->pool,
                              ngx_base64_encoded_length(sizeof(digest)));
    if (accept.data == NULL) {
        return NGX_ERROR;
    }

    ngx_encode_base64(&accept, &value);

    return ngx_http_chat_add_header(r, "Sec-WebSocket-Accept", &accept);
}


static ngx_int_t
ngx_http_chat_upgrade_extensions(ngx_http_request_t *r,
    chat_deflate_params_t *deflate)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, CHAT_DEFLATE_RESPONSE_MAX);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = chat_deflate_response(deflate, value.data);

    return ngx_http_chat_add_header(r, "Sec-WebSocket-Extensions", &value);
}
