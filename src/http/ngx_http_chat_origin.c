
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"


/* "scheme://host:port" in its parts, of which only the host must be there. */
typedef struct {
    ngx_str_t                  scheme;
    ngx_str_t                  host;           /* without a last dot */
    ngx_uint_t                 port;           /* 0: not given */
} ngx_http_chat_origin_t;


typedef enum {
    ngx_http_chat_origin_same = 0,
    ngx_http_chat_origin_host,
    ngx_http_chat_origin_suffix,
    ngx_http_chat_origin_regex
} ngx_http_chat_origin_e;


typedef struct {
    ngx_http_chat_origin_e     type;
    ngx_http_chat_origin_t     origin;         /* a suffix has its dot */
    ngx_uint_t                 any_port;       /* unsigned  any_port:1; */
#if (NGX_PCRE)
    ngx_regex_t               *regex;
#endif
} ngx_http_chat_origin_rule_t;


static ngx_uint_t ngx_http_chat_origin_match(ngx_http_request_t *r,
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *text,
    ngx_http_chat_origin_t *origin);
static ngx_uint_t ngx_http_chat_origin_match_same(ngx_http_request_t *r,
    ngx_http_chat_origin_t *origin);
static ngx_uint_t ngx_http_chat_origin_match_host(
    ngx_http_chat_origin_rule_t *rule, ngx_http_chat_origin_t *origin);
static ngx_uint_t ngx_http_chat_origin_equal(ngx_str_t *a, ngx_str_t *b);
static ngx_uint_t ngx_http_chat_origin_web(ngx_str_t *scheme);
static ngx_uint_t ngx_http_chat_origin_default_port(ngx_str_t *scheme);

static ngx_int_t ngx_http_chat_origin_parse(ngx_http_chat_origin_t *o,
    ngx_str_t *text);
static u_char *ngx_http_chat_origin_parse_scheme(ngx_http_chat_origin_t *o,
    u_char *p, u_char *last);
static u_char *ngx_http_chat_origin_parse_host(ngx_http_chat_origin_t *o,
    u_char *p, u_char *last);
static ngx_int_t ngx_http_chat_origin_parse_port(ngx_http_chat_origin_t *o,
    u_char *p, u_char *last);

static char *ngx_http_chat_origin_rule(ngx_conf_t *cf,
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *value);
static char *ngx_http_chat_origin_rule_regex(ngx_conf_t *cf,
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *value);
static char *ngx_http_chat_origin_rule_host(ngx_conf_t *cf,
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *value);


ngx_uint_t
ngx_http_chat_origin_allowed(ngx_http_request_t *r, ngx_array_t *origins,
    ngx_str_t *text)
{
    ngx_uint_t                    i;
    ngx_http_chat_origin_t        origin;
    ngx_http_chat_origin_rule_t  *rule;

    if (origins == NULL) {
        return 1;
    }

    /* "null" ends here: it has no scheme */

    if (ngx_http_chat_origin_parse(&origin, text) != NGX_OK
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
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *text,
    ngx_http_chat_origin_t *origin)
{
    switch (rule->type) {

    case ngx_http_chat_origin_same:
        return ngx_http_chat_origin_match_same(r, origin);

#if (NGX_PCRE)
    case ngx_http_chat_origin_regex:
        return ngx_regex_exec(rule->regex, text, NULL, 0) >= 0;
#endif

    default: /* a host or a suffix */
        return ngx_http_chat_origin_match_host(rule, origin);
    }
}


/*
 * The Host header is what the browser wrote into its address.  If it names no
 * port then that was the default one of the page's scheme.  Whether the
 * scheme is the same we know over TLS alone: behind a proxy that ends it, an
 * "https" page comes in as a plain request.
 */

static ngx_uint_t
ngx_http_chat_origin_match_same(ngx_http_request_t *r,
    ngx_http_chat_origin_t *origin)
{
    ngx_uint_t              port;
    ngx_http_chat_origin_t  host;

    if (r->headers_in.host == NULL
        || ngx_http_chat_origin_parse(&host, &r->headers_in.host->value)
           != NGX_OK
        || host.scheme.len)
    {
        return 0;
    }

    if (!ngx_http_chat_origin_web(&origin->scheme)
        || !ngx_http_chat_origin_equal(&origin->host, &host.host))
    {
        return 0;
    }

    port = ngx_http_chat_origin_default_port(&origin->scheme);

#if (NGX_HTTP_SSL)
    if (r->connection->ssl && port != 443) {
        return 0;
    }
#endif

    return (origin->port ? origin->port : port)
           == (host.port ? host.port : port);
}


static ngx_uint_t
ngx_http_chat_origin_match_host(ngx_http_chat_origin_rule_t *rule,
    ngx_http_chat_origin_t *origin)
{
    ngx_str_t   host, *scheme;
    ngx_uint_t  port;

    scheme = &rule->origin.scheme;

    if (scheme->len ? !ngx_http_chat_origin_equal(scheme, &origin->scheme)
                    : !ngx_http_chat_origin_web(&origin->scheme))
    {
        return 0;
    }

    host = origin->host;

    if (rule->type == ngx_http_chat_origin_suffix) {

        if (host.len <= rule->origin.host.len) {
            return 0;
        }

        host.data += host.len - rule->origin.host.len;
        host.len = rule->origin.host.len;
    }

    if (!ngx_http_chat_origin_equal(&host, &rule->origin.host)) {
        return 0;
    }

    port = ngx_http_chat_origin_default_port(&origin->scheme);

    return rule->any_port
           || (origin->port ? origin->port : port)
              == (rule->origin.port ? rule->origin.port : port);
}


static ngx_uint_t
ngx_http_chat_origin_equal(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_strncasecmp(a->data, b->data, a->len) == 0;
}


static ngx_uint_t
ngx_http_chat_origin_web(ngx_str_t *scheme)
{
    return ngx_http_chat_origin_default_port(scheme) != 0;
}


/* 0: it is not a scheme of the web. */

static ngx_uint_t
ngx_http_chat_origin_default_port(ngx_str_t *scheme)
{
    static ngx_str_t  http = ngx_string("http");
    static ngx_str_t  https = ngx_string("https");

    if (ngx_http_chat_origin_equal(scheme, &https)) {
        return 443;
    }

    return ngx_http_chat_origin_equal(scheme, &http) ? 80 : 0;
}


static ngx_int_t
ngx_http_chat_origin_parse(ngx_http_chat_origin_t *o, ngx_str_t *text)
{
    u_char  *p, *last;

    ngx_memzero(o, sizeof(ngx_http_chat_origin_t));

    p = text->data;
    last = p + text->len;

    p = ngx_http_chat_origin_parse_scheme(o, p, last);

    p = ngx_http_chat_origin_parse_host(o, p, last);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_chat_origin_parse_port(o, p, last);
}


static u_char *
ngx_http_chat_origin_parse_scheme(ngx_http_chat_origin_t *o, u_char *p,
    u_char *last)
{
    u_char  ch, *start;

    start = p;

    for ( /* void */ ; p < last; p++) {
        ch = *p | 0x20;

        if (!(ch >= 'a' && ch <= 'z') && !(*p >= '0' && *p <= '9')
            && *p != '+' && *p != '-' && *p != '.')
        {
            break;
        }
    }

    if (p == start || last - p < 3 || ngx_strncmp(p, "://", 3) != 0) {
        return start;
    }

    o->scheme.data = start;
    o->scheme.len = p - start;

    return p + 3;
}


/* NULL: there is no host. */

static u_char *
ngx_http_chat_origin_parse_host(ngx_http_chat_origin_t *o, u_char *p,
    u_char *last)
{
    u_char      ch;
    ngx_uint_t  literal;

    o->host.data = p;
    literal = (p < last && *p == '[');

    for (p += literal; p < last; p++) {
        ch = *p | 0x20;

        if (!(ch >= 'a' && ch <= 'z') && !(*p >= '0' && *p <= '9')
            && *p != '-' && *p != '.' && *p != '_'
            && !(literal && *p == ':'))
        {
            break;
        }
    }

    if (literal && (p == last || *p++ != ']')) {
        return NULL;
    }

    o->host.len = p - o->host.data;

    if (o->host.len && p[-1] == '.') {
        o->host.len--;
    }

    return o->host.len ? p : NULL;
}


static ngx_int_t
ngx_http_chat_origin_parse_port(ngx_http_chat_origin_t *o, u_char *p,
    u_char *last)
{
    ngx_int_t  port;

    if (p == last) {
        return NGX_OK;
    }

    if (*p++ != ':') {
        return NGX_ERROR;
    }

    port = ngx_atoi(p, last - p);

    if (port < 1 || port > 65535) {
        return NGX_ERROR;
    }

    o->port = port;

    return NGX_OK;
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

    return ngx_http_chat_origin_rule_host(cf, rule, value);
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


static char *
ngx_http_chat_origin_rule_host(ngx_conf_t *cf,
    ngx_http_chat_origin_rule_t *rule, ngx_str_t *value)
{
    u_char     *p, *last;
    ngx_str_t   host;

    rule->type = ngx_http_chat_origin_host;

    last = value->data + value->len;
    p = ngx_http_chat_origin_parse_scheme(&rule->origin, value->data, last);

    host.data = p;
    host.len = last - p;

    if (host.len > 2 && ngx_strcmp(host.data + host.len - 2, ":*") == 0) {
        rule->any_port = 1;
        host.len -= 2;
    }

    if (host.len > 2 && ngx_strncmp(host.data, "*.", 2) == 0) {
        rule->type = ngx_http_chat_origin_suffix;
        host.data++;
        host.len--;
    }

    last = host.data + host.len;
    p = ngx_http_chat_origin_parse_host(&rule->origin, host.data, last);

    if (p == NULL
        || ngx_http_chat_origin_parse_port(&rule->origin, p, last) != NGX_OK)
    {
        return ngx_http_chat_conf_invalid(cf, value,
                          "\"same\", \"any\", a host as \"example.com\", "
                          "\"*.example.com\" or \"https://example.com:8443\", "
                          "or a \"~regex\"");
    }

    return NGX_CONF_OK;
}
