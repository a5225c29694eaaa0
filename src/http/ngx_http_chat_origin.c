
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"

#include "chat_origin.h"


typedef enum {
    ngx_http_chat_origin_same = 0,
    ngx_http_chat_origin_host,
    ngx_http_chat_origin_regex
} ngx_http_chat_origin_e;


typedef struct {
    ngx_http_chat_origin_e     type;
    chat_origin_rule_t         host;
#if (NGX_PCRE)
    ngx_regex_t               *regex;
#endif
} ngx_http_chat_origin_rule_t;


static ngx_uint_t ngx_http_chat_origin_match(ngx_http_request_t *r,
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *text, chat_origin_t *origin);
static ngx_uint_t ngx_http_chat_origin_match_same(ngx_http_request_t *r,
    chat_origin_t *origin);

static char *ngx_http_chat_origin_rule(ngx_conf_t *cf,
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *value);
static char *ngx_http_chat_origin_rule_regex(ngx_conf_t *cf,
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *value);


ngx_uint_t
ngx_http_chat_origin_allowed(ngx_http_request_t *r, ngx_array_t *origins,
    ngx_str_t *text)
{
    ngx_uint_t                    i;
    chat_origin_t                 origin;
    ngx_http_chat_origin_rule_t  *rule;

    if (origins == NULL) {
        return 1;
    }

    /* "null" ends here: it has no scheme */

    if (!chat_origin_parse(&origin, text->data, text->len)
        || origin.scheme.len == 0)
    {
        return 0;
    }

    rule = origins->elts;

    for (i = 0; i < origins->nelts; i++) {
        if (ngx_http_chat_origin_match(r, &rule[i], text, &origin)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_chat_origin_match(ngx_http_request_t *r,
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *text, chat_origin_t *origin)
{
    switch (rule->type) {

    case ngx_http_chat_origin_same:
        return ngx_http_chat_origin_match_same(r, origin);

#if (NGX_PCRE)
    case ngx_http_chat_origin_regex:
        return ngx_regex_exec(rule->regex, text, NULL, 0) >= 0;
#endif

    default: /* a host, or all below it */
        return chat_origin_match(&rule->host, origin);
    }
}


static ngx_uint_t
ngx_http_chat_origin_match_same(ngx_http_request_t *r, chat_origin_t *origin)
{
    int             tls;
    ngx_str_t      *value;
    chat_origin_t   host;

    if (r->headers_in.host == NULL) {
        return 0;
    }

    tls = 0;
    value = &r->headers_in.host->value;

#if (NGX_HTTP_SSL)
    tls = (r->connection->ssl != NULL);
#endif

    return chat_origin_parse(&host, value->data, value->len)
           && chat_origin_same(&host, origin, tls);
}


char *
ngx_http_chat_set_origins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_http_chat_origin_rule_t  *rule;

    (void) cmd;

    if (chcf->origins != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "any") == 0) {
        chcf->origins = NULL;
        return NGX_CONF_OK;
    }

    chcf->origins = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                     sizeof(ngx_http_chat_origin_rule_t));
    if (chcf->origins == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        rule = ngx_array_push(chcf->origins);
        if (rule == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(rule, sizeof(ngx_http_chat_origin_rule_t));

        if (ngx_http_chat_origin_rule(cf, rule, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_chat_origins_merge(ngx_conf_t *cf, ngx_array_t *prev,
    ngx_array_t **origins)
{
    ngx_http_chat_origin_rule_t  *rule;

    if (*origins != NGX_CONF_UNSET_PTR) {
        return NGX_CONF_OK;
    }

    *origins = prev;

    if (prev != NGX_CONF_UNSET_PTR) {
        return NGX_CONF_OK;
    }

    /* the default is "same" */

    *origins = ngx_array_create(cf->pool, 1,
                                sizeof(ngx_http_chat_origin_rule_t));
    if (*origins == NULL) {
        return NGX_CONF_ERROR;
    }

    rule = ngx_array_push(*origins);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rule, sizeof(ngx_http_chat_origin_rule_t));

    return NGX_CONF_OK;
}


static char *
ngx_http_chat_origin_rule(ngx_conf_t *cf, ngx_http_chat_origin_rule_t *rule,
    ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "any") == 0) {
        return ngx_http_chat_conf_invalid(cf, value, "the only one");
    }

    if (ngx_strcmp(value->data, "same") == 0) {
        rule->type = ngx_http_chat_origin_same;
        return NGX_CONF_OK;
    }

    if (value->len && value->data[0] == '~') {
        return ngx_http_chat_origin_rule_regex(cf, rule, value);
    }

    rule->type = ngx_http_chat_origin_host;

    if (!chat_origin_rule(&rule->host, value->data, value->len)) {
        return ngx_http_chat_conf_invalid(cf, value,
                          "\"same\", \"any\", a host as \"example.com\", "
                          "\"*.example.com\" or \"https://example.com:8443\", "
                          "or a \"~regex\"");
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_chat_origin_rule_regex(ngx_conf_t *cf,
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *value)
{
#if (NGX_PCRE)
    u_char               errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t  rc;

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern.len = value->len - 1;
    rc.pattern.data = value->data + 1;
    rc.pool = cf->pool;
    rc.options = NGX_REGEX_CASELESS;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (rc.pattern.len == 0) {
        return ngx_http_chat_conf_invalid(cf, value,
                                          "followed by a regular expression");
    }

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"chat_origins\" "
                           "directive: %V", value, &rc.err);
        return NGX_CONF_ERROR;
    }

    rule->type = ngx_http_chat_origin_regex;
    rule->regex = rc.regex;

    return NGX_CONF_OK;
#else
    (void) rule;

    return ngx_http_chat_conf_invalid(cf, value,
                                "a host: nginx is built without PCRE here");
#endif
}
