
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"


#define NGX_HTTP_CHAT_LEEWAY_MAX  (60 * 60 * 1000)


static void *ngx_http_chat_jwt_parse_file(ngx_str_t *name, u_char *text,
    size_t len, const char **reason, ngx_uint_t *line);
static void *ngx_http_chat_jwt_parse_json(ngx_str_t *name, u_char *text,
    size_t len, const char **reason, ngx_uint_t *line);
static void ngx_http_chat_jwt_free(void *data);
static char *ngx_http_chat_jwt_serves(ngx_conf_t *cf,
    ngx_http_chat_doors_t *doors, ngx_str_t *value);
static int64_t ngx_http_chat_jwt_now(void);

static char *ngx_http_chat_jwt_algs(ngx_conf_t *cf,
    ngx_http_chat_doors_t *doors, ngx_str_t *value, ngx_str_t *list);
static char *ngx_http_chat_jwt_claim(ngx_conf_t *cf, ngx_array_t **claims,
    ngx_str_t *value);


static const ngx_http_chat_keyfile_type_t  ngx_http_chat_jwt_file = {
    "keys",
    CHAT_JWK_FILE_MAX,
    ngx_http_chat_jwt_parse_file,
    ngx_http_chat_jwt_free
};


static const ngx_http_chat_keyfile_type_t  ngx_http_chat_jwt_json = {
    "keys",
    CHAT_JWK_FILE_MAX,
    ngx_http_chat_jwt_parse_json,
    ngx_http_chat_jwt_free
};


static void *
ngx_http_chat_jwt_parse_file(ngx_str_t *name, u_char *text, size_t len,
    const char **reason, ngx_uint_t *line)
{
    (void) name;
    (void) line;    /* a secret has none */

    return chat_jwk_set_file(text, len, reason);
}


static void *
ngx_http_chat_jwt_parse_json(ngx_str_t *name, u_char *text, size_t len,
    const char **reason, ngx_uint_t *line)
{
    chat_jwk_set_t  *keys;

    (void) line;    /* jansson's are not passed on */

    keys = chat_jwk_set_json(text, len, reason);

    if (keys && !chat_jwk_set_serves(keys, 0)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "there is no key in \"%V\", nobody's token is good",
                      name);
    }

    return keys;
}


static void
ngx_http_chat_jwt_free(void *data)
{
    chat_jwk_set_free(data);
}


ngx_int_t
ngx_http_chat_jwt_verify(ngx_http_chat_doors_t *doors, ngx_str_t *token,
    ngx_log_t *log, ngx_http_chat_credential_t *cr)
{
    int64_t            now;
    chat_jwt_e         rc;
    chat_jwk_set_t    *keys;
    chat_jwt_rules_t   rules;

    ngx_memzero(&rules, sizeof(chat_jwt_rules_t));

    if (doors->iss) {
        rules.iss = doors->iss->elts;
        rules.niss = doors->iss->nelts;
    }

    if (doors->aud) {
        rules.aud = doors->aud->elts;
        rules.naud = doors->aud->nelts;
    }

    rules.leeway = doors->leeway;
    rules.algs = doors->algs;

    now = ngx_http_chat_jwt_now();
    keys = ngx_http_chat_keyfile_data(doors->jwt, log);

    rc = chat_jwt_verify(&cr->jwt, token->data, token->len, keys, &rules, now,
                         &cr->reason);

    switch (rc) {

    case CHAT_JWT_OK:
        cr->kind = NGX_HTTP_CHAT_CREDENTIAL_TOKEN;
        cr->ends = cr->jwt.expires;

        /* one that is let in behind its time has the leeway to live */

        if (cr->ends && cr->ends <= now) {
            cr->ends += doors->leeway;
        }

        return NGX_OK;

    case CHAT_JWT_EXPIRED:
        cr->kind = NGX_HTTP_CHAT_CREDENTIAL_EXPIRED;
        return NGX_OK;

    case CHAT_JWT_BAD:
        cr->kind = NGX_HTTP_CHAT_CREDENTIAL_BAD;
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


static int64_t
ngx_http_chat_jwt_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000 + tp->msec;
}


ngx_int_t
ngx_http_chat_jwt_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    size_t                       len;
    chat_str_t                   value;
    ngx_http_chat_credential_t  *cr;

    v->not_found = 1;

    cr = ngx_http_chat_credential(r);
    if (cr == NULL) {
        return NGX_ERROR;
    }

    if (cr->jwt.claims == NULL) {
        return NGX_OK;
    }

    len = sizeof("chat_jwt_claim_") - 1;

    if (chat_jwt_claim(&cr->jwt, (char *) name->data + len, name->len - len,
                       &value)
        == 0)
    {
        return NGX_OK;
    }

    /* a log may be written when the token's memory is gone */

    v->data = ngx_pnalloc(r->pool, value.len);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(v->data, value.data, value.len);

    v->len = value.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


void
ngx_http_chat_doors_create(ngx_http_chat_doors_t *doors)
{
    doors->jwt = NGX_CONF_UNSET_PTR;
    doors->token = NGX_CONF_UNSET_PTR;
    doors->iss = NGX_CONF_UNSET_PTR;
    doors->aud = NGX_CONF_UNSET_PTR;
    doors->leeway = NGX_CONF_UNSET_MSEC;
    doors->api_keys = NGX_CONF_UNSET_PTR;
    doors->timeout = NGX_CONF_UNSET_MSEC;
}


void
ngx_http_chat_doors_merge(ngx_http_chat_doors_t *prev,
    ngx_http_chat_doors_t *conf)
{
    if (conf->jwt == NGX_CONF_UNSET_PTR) {
        conf->algs = prev->algs;
    }

    ngx_conf_merge_ptr_value(conf->jwt, prev->jwt, NULL);
    ngx_conf_merge_ptr_value(conf->token, prev->token, NULL);

    /* one directive sets all three */

    if (conf->leeway == NGX_CONF_UNSET_MSEC) {
        ngx_conf_merge_ptr_value(conf->iss, prev->iss, NULL);
        ngx_conf_merge_ptr_value(conf->aud, prev->aud, NULL);
    }

    ngx_conf_merge_msec_value(conf->leeway, prev->leeway, 30000);
    ngx_conf_merge_ptr_value(conf->api_keys, prev->api_keys, NULL);
    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 0);
}


char *
ngx_http_chat_set_jwt(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t                  *value, path, algs;
    ngx_uint_t                  i;
    ngx_http_chat_doors_t      *doors;
    ngx_http_chat_main_conf_t  *chmcf;

    static const char  expected[] = "\"off\", \"key=file\" or \"jwks=file\", "
                                    "and \"alg=\" may follow a file";

    doors = &chcf->doors;
    value = cf->args->elts;

    if (doors->jwt != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    chmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_chat_module);
    chmcf->doors = 1;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        doors->jwt = NULL;
        return (cf->args->nelts == 2) ? NGX_CONF_OK
                   : ngx_http_chat_conf_invalid(cf, &value[2], "left out");
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (!ngx_http_chat_conf_param(&value[i], "alg=", &algs)) {
            return ngx_http_chat_conf_invalid(cf, &value[i], expected);
        }

        if (ngx_http_chat_jwt_algs(cf, doors, &value[i], &algs)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_chat_conf_param(&value[1], "key=", &path) && path.len) {
        doors->jwt = ngx_http_chat_keyfile_add(cf, &path,
                                               &ngx_http_chat_jwt_file);

    } else if (ngx_http_chat_conf_param(&value[1], "jwks=", &path)
               && path.len)
    {
        doors->jwt = ngx_http_chat_keyfile_add(cf, &path,
                                               &ngx_http_chat_jwt_json);

    } else {
        return ngx_http_chat_conf_invalid(cf, &value[1], expected);
    }

    return doors->jwt ? ngx_http_chat_jwt_serves(cf, doors, &value[1])
                      : NGX_CONF_ERROR;
}


/* No mistake: the file may be another one soon. */

static char *
ngx_http_chat_jwt_serves(ngx_conf_t *cf, ngx_http_chat_doors_t *doors,
    ngx_str_t *value)
{
    chat_jwk_set_t  *keys;

    keys = ngx_http_chat_keyfile_data(doors->jwt, cf->log);

    if (doors->algs && !chat_jwk_set_serves(keys, doors->algs)) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "no key in \"chat_jwt %V\" is for the algorithms "
                           "of \"alg=\", nobody's token will be good", value);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_chat_jwt_algs(ngx_conf_t *cf, ngx_http_chat_doors_t *doors,
    ngx_str_t *value, ngx_str_t *list)
{
    u_char      *p, *end, *comma;
    chat_jwa_e   alg;

    end = list->data + list->len;

    for (p = list->data; p <= end; p = comma + 1) {

        comma = ngx_strlchr(p, end, ',');

        if (comma == NULL) {
            comma = end;
        }

        alg = chat_jwa_find(p, comma - p);

        if (alg == CHAT_JWA_N) {
            return ngx_http_chat_conf_invalid(cf, value,
                                   "a list of HS256, HS384, HS512, RS256, "
                                   "RS384, RS512, PS256, PS384, PS512, "
                                   "ES256, ES384, ES512, EdDSA with commas");
        }

        doors->algs |= 1u << alg;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_chat_set_jwt_claims(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    char                   *rv;
    ngx_str_t              *value, rest;
    ngx_uint_t              i;
    ngx_http_chat_doors_t  *doors;

    doors = &chcf->doors;
    value = cf->args->elts;

    if (doors->leeway != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    doors->iss = NULL;
    doors->aud = NULL;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_chat_conf_param(&value[i], "iss=", &rest) && rest.len) {
            rv = ngx_http_chat_jwt_claim(cf, &doors->iss, &rest);

        } else if (ngx_http_chat_conf_param(&value[i], "aud=", &rest)
                   && rest.len)
        {
            rv = ngx_http_chat_jwt_claim(cf, &doors->aud, &rest);

        } else if (doors->leeway == NGX_CONF_UNSET_MSEC
                   && ngx_http_chat_conf_param(&value[i], "leeway=", &rest))
        {
            doors->leeway = ngx_parse_time(&rest, 0);
            rv = (doors->leeway <= NGX_HTTP_CHAT_LEEWAY_MAX)
                 ? NGX_CONF_OK
                 : ngx_http_chat_conf_invalid(cf, &value[i],
                                              "\"leeway=\" and a time up to "
                                              "1h");

        } else {
            rv = ngx_http_chat_conf_invalid(cf, &value[i],
                                            "\"iss=name\", \"aud=name\" or "
                                            "one \"leeway=time\"");
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (doors->leeway == NGX_CONF_UNSET_MSEC) {
        doors->leeway = 30000;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_chat_jwt_claim(ngx_conf_t *cf, ngx_array_t **claims,
    ngx_str_t *value)
{
    chat_str_t  *claim;

    if (*claims == NULL) {
        *claims = ngx_array_create(cf->pool, 2, sizeof(chat_str_t));
        if (*claims == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    claim = ngx_array_push(*claims);
    if (claim == NULL) {
        return NGX_CONF_ERROR;
    }

    claim->data = value->data;
    claim->len = value->len;

    return NGX_CONF_OK;
}
