
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"


static ngx_int_t ngx_http_chat_refuse_method(ngx_http_request_t *r);


ngx_int_t
ngx_http_chat_handler(ngx_http_request_t *r)
{
    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "chat location \"%V\" cannot serve a subrequest",
                      &r->uri);
        return NGX_HTTP_NOT_FOUND;
    }

    if (ngx_http_chat_ctx(r) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method != NGX_HTTP_GET) {
        return ngx_http_chat_refuse_method(r);
    }

    return ngx_http_chat_upgrade(r);
}


ngx_http_chat_ctx_t *
ngx_http_chat_ctx(ngx_http_request_t *r)
{
    ngx_http_chat_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);

    if (ctx) {
        return ctx;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_chat_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_chat_module);

    return ctx;
}


static ngx_int_t
ngx_http_chat_refuse_method(ngx_http_request_t *r)
{
    static ngx_str_t  allowed = ngx_string("GET");

    if (ngx_http_chat_add_header(r, "Allow", &allowed) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_chat_refuse(r, NGX_HTTP_NOT_ALLOWED,
                                "method is not allowed", &r->method_name);
}


ngx_int_t
ngx_http_chat_refuse(ngx_http_request_t *r, ngx_int_t status,
    const char *reason, ngx_str_t *value)
{
    if (value) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "chat request refused with %i: %s: \"%V\"",
                      status, reason, value);

    } else {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "chat request refused with %i: %s", status, reason);
    }

    return status;
}


ngx_int_t
ngx_http_chat_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *) name;
    h->value = *value;

    return NGX_OK;
}
