
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"
#include "ngx_http_chat_connections.h"
#include "ngx_http_chat_transport.h"


typedef enum {
    ngx_http_chat_variable_user = 0,
    ngx_http_chat_variable_user_name,
    ngx_http_chat_variable_room,
    ngx_http_chat_variable_role,
    ngx_http_chat_variable_guest,
    ngx_http_chat_variable_session,
    ngx_http_chat_variable_protocol,
    ngx_http_chat_variable_transport,
    ngx_http_chat_variable_messages_in,
    ngx_http_chat_variable_messages_out,
    ngx_http_chat_variable_bytes_in,
    ngx_http_chat_variable_bytes_out,
    ngx_http_chat_variable_close_code,
    ngx_http_chat_variable_duration
} ngx_http_chat_variable_e;


static ngx_int_t ngx_http_chat_variable_handler(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_chat_variable_profile(ngx_http_request_t *r,
    ngx_http_chat_ctx_t *ctx, ngx_http_chat_variable_e which, ngx_str_t *value);
static ngx_int_t ngx_http_chat_variable_static(ngx_http_request_t *r,
    ngx_http_chat_ctx_t *ctx, ngx_http_chat_variable_e which, ngx_str_t *value);
static ngx_int_t ngx_http_chat_variable_counter(ngx_http_request_t *r,
    ngx_http_chat_session_t *s, ngx_http_chat_variable_e which,
    ngx_str_t *value);
static ngx_int_t ngx_http_chat_variable_copy(ngx_http_request_t *r,
    ngx_str_t *value, u_char *data, size_t len);

static ngx_int_t ngx_http_chat_variable_zone(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_chat_vars[] = {

    { ngx_string("chat_user"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_user, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_user_name"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_user_name, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_room"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_room, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_role"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_role, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_guest"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_guest, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_session"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_session, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_protocol"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_protocol, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_transport"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_transport, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_messages_in"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_messages_in, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_messages_out"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_messages_out, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_bytes_in"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_bytes_in, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_bytes_out"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_bytes_out, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_close_code"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_close_code, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_duration"), NULL, ngx_http_chat_variable_handler,
      ngx_http_chat_variable_duration, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_zone_size_"), NULL, ngx_http_chat_variable_zone,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("chat_zone_used_"), NULL, ngx_http_chat_variable_zone,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("chat_zone_free_"), NULL, ngx_http_chat_variable_zone,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("chat_limit_status"), NULL, ngx_http_chat_limit_variable,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_limit_rejected_"), NULL, ngx_http_chat_limit_count,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("chat_limit_dry_run_"), NULL, ngx_http_chat_limit_count,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("chat_remote_net"), NULL, ngx_http_chat_net_variable,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("chat_jwt_claim_"), NULL, ngx_http_chat_jwt_variable,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_chat_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_chat_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


/*
 * A session's values are copied: it may be gone before the request is.  What
 * is not known yet, or not at all, is "not found", which logs show as "-".
 */

static ngx_int_t
ngx_http_chat_variable_handler(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_int_t                  rc;
    ngx_str_t                  value;
    ngx_http_chat_ctx_t       *ctx;
    ngx_http_chat_variable_e   which;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);

    if (ctx == NULL) {

        /* a subrequest is of its request's user */

        ctx = ngx_http_get_module_ctx(r->main, ngx_http_chat_module);
    }

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    which = (ngx_http_chat_variable_e) data;
    ngx_str_null(&value);

    if (which <= ngx_http_chat_variable_room) {
        rc = ngx_http_chat_variable_profile(r, ctx, which, &value);

    } else if (which <= ngx_http_chat_variable_transport) {
        rc = ngx_http_chat_variable_static(r, ctx, which, &value);

    } else if (ctx->session) {
        rc = ngx_http_chat_variable_counter(r, ctx->session, which, &value);

    } else {
        rc = NGX_OK;
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (value.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = value.len;
    v->data = value.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_variable_profile(ngx_http_request_t *r,
    ngx_http_chat_ctx_t *ctx, ngx_http_chat_variable_e which, ngx_str_t *value)
{
    ngx_http_chat_session_t  *s;

    s = ctx->session;

    switch (which) {

    case ngx_http_chat_variable_user:

        if (s == NULL) {
            *value = ctx->identity.user;
            return NGX_OK;
        }

        return ngx_http_chat_variable_copy(r, value,
                                           ngx_http_chat_session_user(s),
                                           s->user_len);

    case ngx_http_chat_variable_user_name:

        if (s == NULL) {
            *value = ctx->identity.name;
            return NGX_OK;
        }

        return ngx_http_chat_variable_copy(r, value,
                                           ngx_http_chat_session_name(s),
                                           s->name_len);

    default: /* ngx_http_chat_variable_room */

        if (ctx->act) {
            return ngx_http_chat_variable_copy(r, value, ctx->act->room.data,
                                               ctx->act->room.len);
        }

        if (s == NULL) {
            *value = ctx->identity.room;
            return NGX_OK;
        }

        return ngx_http_chat_variable_copy(r, value,
                                           ngx_http_chat_session_room(s),
                                           s->room_len);
    }
}


static ngx_int_t
ngx_http_chat_variable_static(ngx_http_request_t *r, ngx_http_chat_ctx_t *ctx,
    ngx_http_chat_variable_e which, ngx_str_t *value)
{
    u_char                     sid[NGX_HTTP_CHAT_SESSION_ID_LEN];
    ngx_http_chat_loc_conf_t  *chcf;

    static ngx_str_t  roles[] = {
        ngx_string("member"),              /* nothing was said of it */
        ngx_string("member"),
        ngx_string("moderator"),
        ngx_string("owner")
    };

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    switch (which) {

    case ngx_http_chat_variable_role:

        *value = roles[ctx->act ? ctx->act->role
                                : ctx->session ? ctx->session->role
                                               : ctx->identity.role];
        return NGX_OK;

    case ngx_http_chat_variable_guest:

        if (ctx->session ? ctx->session->guest : ctx->identity.guest) {
            ngx_str_set(value, "1");
        }

        return NGX_OK;

    case ngx_http_chat_variable_session:

        if (ctx->session == NULL) {

            if (ctx->act) {
                *value = ctx->act->sid;
            }

            return NGX_OK;
        }

        ngx_http_chat_session_sid(ctx->session, sid);

        return ngx_http_chat_variable_copy(r, value, sid,
                                           NGX_HTTP_CHAT_SESSION_ID_LEN);

    case ngx_http_chat_variable_protocol:

        if (chcf->settings.protocol == NGX_HTTP_CHAT_PROTOCOL_RAW) {
            ngx_str_set(value, "raw");
            return NGX_OK;
        }

        ngx_str_set(value, "chat.v1");
        return NGX_OK;

    default: /* ngx_http_chat_variable_transport */

        if (ctx->session) {
            *value = ctx->session->transport->name;
        }

        return NGX_OK;
    }
}


static ngx_int_t
ngx_http_chat_variable_counter(ngx_http_request_t *r,
    ngx_http_chat_session_t *s, ngx_http_chat_variable_e which,
    ngx_str_t *value)
{
    u_char      *p;
    uint64_t     n;
    ngx_msec_t   ms;

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN + sizeof(".000") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;

    if (which == ngx_http_chat_variable_duration) {
        ms = ngx_current_msec - s->started;
        value->len = ngx_sprintf(p, "%M.%03M", ms / 1000, ms % 1000) - p;
        return NGX_OK;
    }

    ngx_http_chat_session_counters(s);

    switch (which) {

    case ngx_http_chat_variable_messages_in:
        n = s->messages_in;
        break;

    case ngx_http_chat_variable_messages_out:
        n = s->messages_out;
        break;

    case ngx_http_chat_variable_bytes_in:
        n = s->bytes_in;
        break;

    case ngx_http_chat_variable_bytes_out:
        n = s->bytes_out;
        break;

    default: /* ngx_http_chat_variable_close_code */

        if (s->close_code == 0) {
            return NGX_OK;
        }

        n = s->close_code;
    }

    value->len = ngx_sprintf(p, "%uL", n) - p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_variable_copy(ngx_http_request_t *r, ngx_str_t *value,
    u_char *data, size_t len)
{
    if (len == 0) {
        return NGX_OK;
    }

    value->data = ngx_pnalloc(r->pool, len);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(value->data, data, len);
    value->len = len;

    return NGX_OK;
}


/*
 * Of any zone by its name, in bytes: "$chat_zone_free_<zone>" is what is free
 * for rooms, people and messages, and with "used" it makes up the "size".
 */

static ngx_int_t
ngx_http_chat_variable_zone(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    size_t                 n, free;
    ngx_str_t              zone;
    ngx_http_chat_zone_t  *z;

    zone.data = name->data + sizeof("chat_zone_size_") - 1;
    zone.len = name->len - (sizeof("chat_zone_size_") - 1);

    z = ngx_http_chat_variable_zone_named(r, &zone);

    if (z == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, NGX_SIZE_T_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    n = z->shm_zone->shm.size;
    free = (size_t) z->sh->pool.nfree * NGX_HTTP_CHAT_BLOCK_SIZE;

    switch (name->data[sizeof("chat_zone_") - 1]) {

    case 'u': /* used */
        n -= free;
        break;

    case 'f': /* free */
        n = free;
        break;

    default: /* size */
        break;
    }

    v->len = ngx_sprintf(v->data, "%uz", n) - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


ngx_http_chat_zone_t *
ngx_http_chat_variable_zone_named(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_uint_t                   i;
    ngx_http_chat_zone_t       **zones;
    ngx_http_chat_main_conf_t   *chmcf;

    chmcf = ngx_http_get_module_main_conf(r, ngx_http_chat_module);
    zones = chmcf->zones.elts;

    for (i = 0; i < chmcf->zones.nelts; i++) {

        /* nginx makes the names of variables lower case */

        if (zones[i]->name.len == name->len
            && ngx_strncasecmp(zones[i]->name.data, name->data, name->len)
               == 0)
        {
            return zones[i];
        }
    }

    return NULL;
}
