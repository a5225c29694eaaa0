
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"
#include "ngx_http_chat_token.h"


/* Shorter ones are no secrets, and would blot out half of a line. */
#define NGX_HTTP_CHAT_CREDENTIAL_MIN  16


/* Where a credential may stand, in the order in which they are looked at. */
typedef ngx_int_t (*ngx_http_chat_credential_pt)(ngx_http_request_t *r,
    ngx_str_t *value);


static ngx_int_t ngx_http_chat_credential_verify(ngx_http_request_t *r,
    ngx_http_chat_doors_t *doors, ngx_http_chat_credential_t *cr);
static ngx_int_t ngx_http_chat_credential_restore(ngx_http_chat_session_t *s,
    ngx_http_chat_credential_t *cr);
static ngx_int_t ngx_http_chat_credential_find(ngx_http_request_t *r,
    ngx_http_chat_doors_t *doors, ngx_str_t *value, ngx_uint_t *key);
static void ngx_http_chat_credential_key(ngx_http_request_t *r,
    ngx_http_chat_doors_t *doors, ngx_str_t *secret,
    ngx_http_chat_credential_t *cr);
static void ngx_http_chat_credential_cleanup(void *data);

static ngx_int_t ngx_http_chat_credential_header(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_chat_credential_protocol(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_chat_credential_authorization(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_chat_credential_argument(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_chat_credential_cookie(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_chat_credential_variable(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static ngx_table_elt_t *ngx_http_chat_credential_next(ngx_http_request_t *r,
    const char *name, size_t len, ngx_list_part_t **part, ngx_uint_t *i);
static void ngx_http_chat_credential_bearer(ngx_str_t *value);

static ngx_int_t ngx_http_chat_credential_rewrite(ngx_http_request_t *r);
static ngx_uint_t ngx_http_chat_credential_named(ngx_http_chat_doors_t *doors,
    ngx_str_t *name);
static ngx_int_t ngx_http_chat_credential_keep_argument(ngx_http_request_t *r,
    ngx_str_t *name);
static void ngx_http_chat_credential_mask(ngx_http_request_t *r,
    ngx_str_t *name);
static void ngx_http_chat_credential_mask_args(u_char *p, u_char *end,
    ngx_str_t *name);
static void ngx_http_chat_credential_blot(ngx_str_t *text, ngx_str_t *value);


/* What a browser's page chose comes before what it sends by itself. */

static const ngx_http_chat_credential_pt  ngx_http_chat_credential_places[] = {
    ngx_http_chat_credential_protocol,
    ngx_http_chat_credential_authorization,
    ngx_http_chat_credential_argument,
    ngx_http_chat_credential_cookie,
    NULL
};


ngx_http_chat_credential_t *
ngx_http_chat_credential(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_cleanup_t          *cln;
    ngx_http_chat_ctx_t         *ctx;
    ngx_http_chat_loc_conf_t    *chcf;
    ngx_http_chat_credential_t  *cr;

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    ctx = ngx_http_chat_ctx(r);
    if (ctx == NULL) {
        return NULL;
    }

    cr = ctx->credential;

    /* before the request has its location that may have been another's */

    if (cr && (ctx->session || cr->conf == chcf)) {
        return cr;
    }

    cr = ngx_pcalloc(r->pool, sizeof(ngx_http_chat_credential_t));
    if (cr == NULL) {
        return NULL;
    }

    cln = (ngx_http_cleanup_t *) ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_chat_credential_cleanup;
    cln->data = cr;

    cr->conf = chcf;

    rc = ctx->session ? ngx_http_chat_credential_restore(ctx->session, cr)
                      : ngx_http_chat_credential_verify(r, &chcf->doors, cr);

    if (rc != NGX_OK) {
        return NULL;
    }

    ctx->credential = cr;

    return cr;
}


static ngx_int_t
ngx_http_chat_credential_verify(ngx_http_request_t *r,
    ngx_http_chat_doors_t *doors, ngx_http_chat_credential_t *cr)
{
    ngx_int_t   rc;
    ngx_str_t   value;
    ngx_uint_t  key;

    rc = ngx_http_chat_credential_find(r, doors, &value, &key);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc == NGX_ABORT) {
        cr->kind = NGX_HTTP_CHAT_CREDENTIAL_BAD;
        cr->reason = "several tokens in the subprotocols";
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (key) {
        ngx_http_chat_credential_key(r, doors, &value, cr);
        return NGX_OK;
    }

    return ngx_http_chat_jwt_verify(doors, &value, r->connection->log, cr);
}


/* The request is gone: what its session has kept of it. */

static ngx_int_t
ngx_http_chat_credential_restore(ngx_http_chat_session_t *s,
    ngx_http_chat_credential_t *cr)
{
    if (s->token == NULL || s->token->len == 0 || s->token->key) {
        return NGX_OK;
    }

    cr->kind = NGX_HTTP_CHAT_CREDENTIAL_TOKEN;
    cr->ends = s->token->ends;

    if (chat_jwt_restore(&cr->jwt, s->token->text, s->token->len, cr->ends)
        != CHAT_JWT_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* A token has dots, and no API key has one.  DECLINED: there is neither. */

static ngx_int_t
ngx_http_chat_credential_find(ngx_http_request_t *r,
    ngx_http_chat_doors_t *doors, ngx_str_t *value, ngx_uint_t *key)
{
    ngx_int_t                           rc;
    ngx_str_t                           name;
    const ngx_http_chat_credential_pt  *place;

    *key = 1;

    if (doors->api_keys && ngx_http_chat_credential_header(r, value)
                           == NGX_OK)
    {
        return NGX_OK;
    }

    if (doors->jwt == NULL && doors->api_keys == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    if (doors->jwt && ngx_http_chat_credential_named(doors, &name)) {
        rc = ngx_http_chat_credential_argument(r, value);

    } else if (doors->jwt && doors->token) {

        if (ngx_http_complex_value(r, doors->token, value) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_chat_credential_bearer(value);
        rc = value->len ? NGX_OK : NGX_DECLINED;

    } else {

        for (place = ngx_http_chat_credential_places;
             *place && rc == NGX_DECLINED;
             place++)
        {
            rc = (*place)(r, value);
        }
    }

    if (rc != NGX_OK) {
        return rc;
    }

    *key = (doors->api_keys
            && (doors->jwt == NULL
                || ngx_strlchr(value->data, value->data + value->len, '.')
                   == NULL));

    return NGX_OK;
}


static void
ngx_http_chat_credential_key(ngx_http_request_t *r,
    ngx_http_chat_doors_t *doors, ngx_str_t *secret,
    ngx_http_chat_credential_t *cr)
{
    ngx_http_chat_key_t  *key;

    key = ngx_http_chat_key_find(doors->api_keys, secret, r->connection->log);

    if (key == NULL) {
        cr->kind = NGX_HTTP_CHAT_CREDENTIAL_BAD;
        cr->reason = "the API key is unknown, or its time is over";
        return;
    }

    /* the file may be read anew while the request goes on */

    cr->name.data = ngx_pstrdup(r->pool, &key->name);

    if (cr->name.data == NULL) {
        cr->kind = NGX_HTTP_CHAT_CREDENTIAL_BAD;
        cr->reason = "no memory";
        return;
    }

    cr->kind = NGX_HTTP_CHAT_CREDENTIAL_KEY;
    cr->name.len = key->name.len;
    cr->scopes = key->scopes;
    cr->ends = (int64_t) key->expires * 1000;

    ngx_memcpy(cr->hash, key->hash, NGX_HTTP_CHAT_KEY_HASH);
}


static void
ngx_http_chat_credential_cleanup(void *data)
{
    ngx_http_chat_credential_t  *cr = data;

    chat_jwt_free(&cr->jwt);
}


static ngx_int_t
ngx_http_chat_credential_header(ngx_http_request_t *r, ngx_str_t *value)
{
    static ngx_str_t  name = ngx_string("http_x_api_key");

    return ngx_http_chat_credential_variable(r, &name, value);
}


/* "bearer.<token>" among the names; it is never one that is selected. */

static ngx_int_t
ngx_http_chat_credential_protocol(ngx_http_request_t *r, ngx_str_t *value)
{
    u_char           *p, *end, *last;
    ngx_uint_t        i, found;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const char  name[] = "sec-websocket-protocol";
    static const char  prefix[] = "bearer.";

    found = 0;
    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_chat_credential_next(r, name, sizeof(name) - 1,
                                              &part, &i))
           != NULL)
    {
        end = h->value.data + h->value.len;

        for (p = h->value.data; p < end; p = last + 1) {

            while (p < end && (*p == ' ' || *p == '\t')) {
                p++;
            }

            for (last = p; last < end && *last != ','; last++) {
                /* void */
            }

            if ((size_t) (last - p) < sizeof(prefix) - 1
                || ngx_strncmp(p, prefix, sizeof(prefix) - 1) != 0)
            {
                continue;
            }

            value->data = p + sizeof(prefix) - 1;
            value->len = last - value->data;

            while (value->len && (value->data[value->len - 1] == ' '
                                  || value->data[value->len - 1] == '\t'))
            {
                value->len--;
            }

            found++;
        }
    }

    return (found > 1) ? NGX_ABORT : found ? NGX_OK : NGX_DECLINED;
}


/* Other schemes are other modules'. */

static ngx_int_t
ngx_http_chat_credential_authorization(ngx_http_request_t *r,
    ngx_str_t *value)
{
    if (r->headers_in.authorization == NULL) {
        return NGX_DECLINED;
    }

    *value = r->headers_in.authorization->value;

    ngx_http_chat_credential_bearer(value);

    return (value->data == r->headers_in.authorization->value.data)
           ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_http_chat_credential_argument(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_str_t                  name;
    ngx_http_chat_ctx_t       *ctx;
    ngx_http_chat_loc_conf_t  *chcf;

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);

    if (ctx && ctx->argument.len) {
        *value = ctx->argument;
        return NGX_OK;
    }

    (void) ngx_http_chat_credential_named(&chcf->doors, &name);

    return (ngx_http_arg(r, name.data, name.len, value) == NGX_OK
            && value->len)
           ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_chat_credential_cookie(ngx_http_request_t *r, ngx_str_t *value)
{
    static ngx_str_t  name = ngx_string("cookie_chat_token");

    return ngx_http_chat_credential_variable(r, &name, value);
}


/* nginx's versions keep headers of one name in different ways. */

static ngx_int_t
ngx_http_chat_credential_variable(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_http_variable_value_t  *v;

    v = ngx_http_get_variable(r, name,
                              ngx_hash_key(name->data, name->len));

    if (v == NULL || v->not_found || v->len == 0) {
        return NGX_DECLINED;
    }

    value->data = v->data;
    value->len = v->len;

    return NGX_OK;
}


static ngx_table_elt_t *
ngx_http_chat_credential_next(ngx_http_request_t *r, const char *name,
    size_t len, ngx_list_part_t **part, ngx_uint_t *i)
{
    ngx_table_elt_t  *h;

    for ( /* void */ ; *part; *part = (*part)->next, *i = 0) {

        h = (*part)->elts;

        while (*i < (*part)->nelts) {
            h = (ngx_table_elt_t *) (*part)->elts + (*i)++;

            if (h->hash && h->key.len == len
                && ngx_strncmp(h->lowcase_key, name, len) == 0)
            {
                return h;
            }
        }
    }

    return NULL;
}


/* Takes the scheme away, RFC 6750 2.1. */

static void
ngx_http_chat_credential_bearer(ngx_str_t *value)
{
    static const char  scheme[] = "bearer";

    size_t  len;

    len = sizeof(scheme) - 1;

    if (value->len < len
        || ngx_strncasecmp(value->data, (u_char *) scheme, len) != 0
        || (value->len > len && value->data[len] != ' '))
    {
        return;
    }

    do {
        value->data++;
        value->len--;
        len--;
    } while (len);

    while (value->len && value->data[0] == ' ') {
        value->data++;
        value->len--;
    }
}


/* 1: "chat_jwt_token" is an argument of the request's line, and nothing else;
 * a log has those lines, and so its name is as good as "token". */

static ngx_uint_t
ngx_http_chat_credential_named(ngx_http_chat_doors_t *doors, ngx_str_t *name)
{
    u_char      ch;
    ngx_str_t   text;
    ngx_uint_t  i;

    static const char  prefix[] = "arg_";

    ngx_str_set(name, "token");

    if (doors->token == NULL || doors->token->value.len < sizeof("$arg_")
        || doors->token->value.data[0] != '$')
    {
        return 0;
    }

    text.data = doors->token->value.data + 1;
    text.len = doors->token->value.len - 1;

    if (text.data[0] == '{' && text.data[text.len - 1] == '}') {
        text.data++;
        text.len -= 2;
    }

    if (text.len < sizeof(prefix)
        || ngx_strncmp(text.data, prefix, sizeof(prefix) - 1) != 0)
    {
        return 0;
    }

    for (i = 0; i < text.len; i++) {

        ch = text.data[i];

        if (!((ch >= '0' && ch <= '9') || ch == '_'
              || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z')))
        {
            return 0;
        }
    }

    name->data = text.data + sizeof(prefix) - 1;
    name->len = text.len - (sizeof(prefix) - 1);

    return 1;
}


ngx_int_t
ngx_http_chat_credential_hide(ngx_http_request_t *r)
{
    ngx_str_t                  name;
    ngx_uint_t                 named;
    ngx_http_chat_loc_conf_t  *chcf;

    static ngx_str_t  token = ngx_string("token");

    if (r->args.len == 0) {
        return NGX_OK;
    }

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    named = ngx_http_chat_credential_named(&chcf->doors, &name);

    if (ngx_http_chat_credential_keep_argument(r, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    /* any more of that name, which count for nothing and may be good */

    ngx_http_chat_credential_mask(r, &name);

    if (named) {
        ngx_http_chat_credential_mask(r, &token);
    }

    return NGX_OK;
}


/* The first of that name is what counts, wherever "rewrite" has it from. */

static ngx_int_t
ngx_http_chat_credential_keep_argument(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_str_t             value;
    ngx_http_chat_ctx_t  *ctx;

    if (ngx_http_arg(r, name->data, name->len, &value) != NGX_OK
        || value.len < NGX_HTTP_CHAT_CREDENTIAL_MIN)
    {
        return NGX_OK;
    }

    ctx = ngx_http_chat_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    value.data = ngx_pstrdup(r->pool, &value);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    /* in HTTP/1 all three are one and the same memory, in HTTP/2 not */

    ngx_http_chat_credential_blot(&r->request_line, &value);
    ngx_http_chat_credential_blot(&r->unparsed_uri, &value);
    ngx_http_chat_credential_blot(&r->args, &value);

    /* by "rewrite" into another location it comes again, with asterisks */

    if (ctx->argument.len == 0) {
        ctx->argument = value;
    }

    return NGX_OK;
}


static void
ngx_http_chat_credential_mask(ngx_http_request_t *r, ngx_str_t *name)
{
    u_char      *p, *end, *last;
    ngx_str_t   *line;
    ngx_uint_t   i;

    ngx_http_chat_credential_mask_args(r->args.data,
                                       r->args.data + r->args.len, name);

    for (i = 0; i < 2; i++) {

        line = i ? &r->unparsed_uri : &r->request_line;
        end = line->data + line->len;

        p = ngx_strlchr(line->data, end, '?');

        if (p == NULL) {
            continue;
        }

        /* the version stands behind it in the request's line */

        last = ngx_strlchr(p, end, ' ');

        ngx_http_chat_credential_mask_args(p + 1, last ? last : end, name);
    }
}


/* In one pass: there may be as many of them as the line is long. */

static void
ngx_http_chat_credential_mask_args(u_char *p, u_char *end, ngx_str_t *name)
{
    u_char  *last, *value;

    for ( /* void */ ; p < end; p = last + 1) {

        last = ngx_strlchr(p, end, '&');

        if (last == NULL) {
            last = end;
        }

        if ((size_t) (last - p) <= name->len
            || p[name->len] != '='
            || ngx_strncasecmp(p, name->data, name->len) != 0)
        {
            continue;
        }

        value = p + name->len + 1;

        if (last - value >= NGX_HTTP_CHAT_CREDENTIAL_MIN) {
            ngx_memset(value, '*', last - value);
        }
    }
}


static void
ngx_http_chat_credential_blot(ngx_str_t *text, ngx_str_t *value)
{
    u_char  *p, *end;

    p = text->data;
    end = text->data + text->len;

    while ((size_t) (end - p) >= value->len) {

        if (ngx_memcmp(p, value->data, value->len) != 0) {
            p++;
            continue;
        }

        ngx_memset(p, '*', value->len);
        p += value->len;
    }
}


/* As soon as the location is known, and so before any module that may refuse
 * the request and say so in a log. */

static ngx_int_t
ngx_http_chat_credential_rewrite(ngx_http_request_t *r)
{
    ngx_http_chat_loc_conf_t  *chcf;

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    if (chcf->zone == NULL || r != r->main
        || (chcf->doors.jwt == NULL && chcf->doors.api_keys == NULL))
    {
        return NGX_DECLINED;
    }

    if (ngx_http_chat_credential_hide(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_chat_credential_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_chat_main_conf_t  *chmcf;

    chmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_chat_module);

    /* whoever has none of it pays nothing for it */

    if (!chmcf->doors) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_chat_credential_rewrite;

    return NGX_OK;
}
