
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_websocket.h"
#include "ngx_http_chat_connections.h"
#include "ngx_http_chat_reply.h"
#include "ngx_http_chat_token.h"


#define NGX_HTTP_CHAT_RENEW_POOL_SIZE  4096


static ngx_int_t ngx_http_chat_renew(ngx_http_chat_session_t *s,
    ngx_http_request_t *r, ngx_http_chat_credential_t *cr);
static ngx_int_t ngx_http_chat_renew_first(ngx_http_chat_session_t *s,
    ngx_http_request_t *r);
static ngx_int_t ngx_http_chat_renew_same(ngx_http_chat_session_t *s,
    ngx_http_request_t *r, ngx_http_chat_credential_t *cr);
static ngx_int_t ngx_http_chat_renew_user(ngx_http_request_t *r,
    ngx_http_chat_credential_t *cr, ngx_http_chat_identity_t *identity);


/* What ends, ends with the credential, or with the patience for one. */

ngx_int_t
ngx_http_chat_credential_keep(ngx_http_chat_session_t *s,
    ngx_http_request_t *r)
{
    ngx_http_chat_ctx_t         *ctx;
    ngx_http_chat_loc_conf_t    *chcf;
    ngx_http_chat_credential_t  *cr;

    chcf = s->conf;

    if (s->pending) {
        return ngx_http_chat_token_set(s, NULL, 0,
                                       (int64_t) ngx_http_chat_reply_now()
                                       + (int64_t) chcf->doors.timeout);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);
    cr = ctx ? ctx->credential : NULL;

    if (cr == NULL || cr->kind == NGX_HTTP_CHAT_CREDENTIAL_NONE) {
        return NGX_OK;
    }

    if (cr->kind == NGX_HTTP_CHAT_CREDENTIAL_KEY) {
        return ngx_http_chat_key_keep(s, cr->hash,
                                      ngx_http_chat_key_role(cr->scopes),
                                      cr->ends);
    }

    return ngx_http_chat_token_set(s, cr->jwt.text, cr->jwt.len, cr->ends);
}


/*
 * A token that a connected client has sent.  Its request may be gone: then
 * one is made for as long as the variables in directives are evaluated.
 */

ngx_int_t
ngx_http_chat_authenticate(ngx_http_chat_session_t *s, ngx_str_t *token)
{
    ngx_int_t                   rc;
    ngx_pool_t                 *pool;
    ngx_http_request_t         *r;
    ngx_http_chat_loc_conf_t   *chcf;
    ngx_http_chat_credential_t  cr;

    if (s->token && s->token->key) {

        /* what its key is not for would be got round */

        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "client's new token was refused: it came with an API "
                      "key");

        return NGX_DECLINED;
    }

    chcf = s->conf;

    ngx_memzero(&cr, sizeof(ngx_http_chat_credential_t));

    if (ngx_http_chat_jwt_verify(&chcf->doors, token, s->connection->log, &cr)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (cr.kind != NGX_HTTP_CHAT_CREDENTIAL_TOKEN) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "client's new token was refused: %s", cr.reason);

        return (cr.kind == NGX_HTTP_CHAT_CREDENTIAL_EXPIRED) ? NGX_ABORT
                                                             : NGX_DECLINED;
    }

    cr.conf = chcf;
    rc = NGX_ERROR;

    pool = ngx_create_pool(NGX_HTTP_CHAT_RENEW_POOL_SIZE, s->connection->log);

    if (pool) {

        /* what is taken from a request's own pool stays until its end */

        r = s->pending ? s->request
                       : ngx_http_chat_made_request(s, chcf, pool);

        if (r) {
            rc = ngx_http_chat_renew(s, r, &cr);
        }

        ngx_destroy_pool(pool);
    }

    chat_jwt_free(&cr.jwt);

    return rc;
}


static ngx_int_t
ngx_http_chat_renew(ngx_http_chat_session_t *s, ngx_http_request_t *r,
    ngx_http_chat_credential_t *cr)
{
    ngx_int_t                  rc;
    ngx_uint_t                 pending;
    ngx_http_chat_ctx_t       *ctx;
    ngx_http_chat_loc_conf_t  *chcf;

    chcf = s->conf;
    pending = s->pending;

    if (pending) {
        ctx = ngx_http_chat_ctx(r);
        if (ctx == NULL) {
            return NGX_ERROR;
        }

        ctx->credential = cr;
        rc = ngx_http_chat_renew_first(s, r);
        ctx->credential = NULL;

        /* it may lie in the token, and the session has it */

        ngx_str_null(&ctx->identity.user);

    } else {
        rc = ngx_http_chat_renew_same(s, r, cr);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_chat_token_set(s, cr->jwt.text, cr->jwt.len, cr->ends)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    s->pending = 0;

    if (s->request) {

        /* its log is to have the new one's claims */

        ctx = ngx_http_get_module_ctx((ngx_http_request_t *) s->request,
                                      ngx_http_chat_module);
        if (ctx) {
            ctx->credential = NULL;
        }

        ngx_http_chat_act_recompute(s->request);
    }

    if (pending && !chcf->keep_request) {
        ngx_http_chat_websocket_forget(s);
    }

    return NGX_OK;
}


/* All that a handshake would have done with the token. */

static ngx_int_t
ngx_http_chat_renew_first(ngx_http_chat_session_t *s, ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_chat_ctx_t       *ctx;
    ngx_http_chat_identity_t   identity;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);

    ngx_memzero(&identity, sizeof(ngx_http_chat_identity_t));

    ngx_http_chat_act_recompute(r);

    rc = ngx_http_chat_identify(r, s->conf, &identity);

    if (rc != NGX_OK || identity.pending) {
        return (rc == NGX_HTTP_INTERNAL_SERVER_ERROR) ? NGX_ERROR
                                                      : NGX_DECLINED;
    }

    ctx->identity = identity;

    ngx_http_chat_session_identify(s, &identity);

    if (ngx_http_chat_connection_rates(r, 0) != NGX_OK
        || ngx_http_chat_websocket_count(s, r) != NGX_OK)
    {
        ngx_http_chat_session_close(s, NGX_HTTP_CHAT_CONNECTION_LIMIT,
                                    "too many connections");
        return NGX_DECLINED;
    }

    return ngx_http_chat_rate_keys(r, s);
}


/*
 * The same person as before: the same issuer and subject, and the same user
 * by "chat_user" if that is made of claims.  If it is, the role may have
 * changed with the claims, too.
 */

static ngx_int_t
ngx_http_chat_renew_same(ngx_http_chat_session_t *s, ngx_http_request_t *r,
    ngx_http_chat_credential_t *cr)
{
    ngx_int_t                    rc;
    ngx_uint_t                   same;
    ngx_http_chat_identity_t     before, now;
    ngx_http_chat_loc_conf_t    *chcf;
    ngx_http_chat_credential_t  *old;

    old = ngx_http_chat_credential(r);
    if (old == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&before, sizeof(ngx_http_chat_identity_t));
    ngx_memzero(&now, sizeof(ngx_http_chat_identity_t));

    rc = ngx_http_chat_renew_user(r, old, &before);

    if (rc == NGX_OK) {
        rc = ngx_http_chat_renew_user(r, cr, &now);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    same = now.user.len == before.user.len
           && ngx_memn2cmp(now.user.data, before.user.data, now.user.len,
                           before.user.len)
              == 0;

    if (old->kind == NGX_HTTP_CHAT_CREDENTIAL_TOKEN) {
        same = same && chat_jwt_same(&old->jwt, &cr->jwt);

    } else {
        same = ngx_memn2cmp(now.user.data, ngx_http_chat_session_user(s),
                            now.user.len, s->user_len)
               == 0;
    }

    chcf = s->conf;

    if (ngx_http_chat_revoked(&chcf->access, &now.user, &cr->jwt,
                              s->connection->log)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "client's new token, or its user, was revoked");
        return NGX_DECLINED;
    }

    if (!same) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "client's new token is another user's");
        return NGX_BUSY;
    }

    if (before.role == s->role) {
        s->role = (uint8_t) now.role;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_renew_user(ngx_http_request_t *r, ngx_http_chat_credential_t *cr,
    ngx_http_chat_identity_t *identity)
{
    chat_str_t                  sub;
    ngx_http_chat_ctx_t        *ctx;
    ngx_http_chat_loc_conf_t   *chcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);
    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    ctx->credential = cr;

    ngx_http_chat_act_recompute(r);

    if (chcf->user
        && ngx_http_complex_value(r, chcf->user, &identity->user) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (identity->user.len == 0 && cr->jwt.claims
        && chat_jwt_subject(&cr->jwt, &sub))
    {
        identity->user.data = (u_char *) sub.data;
        identity->user.len = sub.len;
    }

    if (ngx_http_chat_identify_role(r, chcf, identity) != NGX_OK) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}
