
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"
#include "ngx_http_chat_connections.h"
#include "ngx_http_chat_limit.h"

#include <ngx_sha1.h>


#define NGX_HTTP_CHAT_TOO_MANY           429
#define NGX_HTTP_CHAT_CONNECTIONS_ALL    1000000
#define NGX_HTTP_CHAT_CONNECTION_BURST   10
#define NGX_HTTP_CHAT_CONNECTION_KEY     64   /* bytes; a longer one's hash */
#define NGX_HTTP_CHAT_CONNECTION_KIND    0x636f6e6e


/* One "chat_connections". */
typedef struct {
    ngx_uint_t                 max;
    ngx_http_complex_value_t   key;        /* empty: the whole zone */
    ngx_str_t                  text;       /* the directive's, for logs */
    uint32_t                   kind;       /* apart for other keys */
} ngx_http_chat_connections_conf_t;


/* One "chat_connection_rate". */
typedef struct {
    ngx_uint_t                 rate;       /* tokens in 1000 s */
    ngx_uint_t                 burst;
    ngx_uint_t                 kind;
    ngx_http_complex_value_t   key;
    ngx_str_t                  text;
    ngx_uint_t                 early;      /* unsigned  early:1; */
} ngx_http_chat_connection_rate_t;


static ngx_int_t ngx_http_chat_connection_take(ngx_http_request_t *r,
    ngx_http_chat_connection_rate_t *rate, ngx_str_t *key);
static ngx_int_t ngx_http_chat_connections_one(ngx_http_request_t *r,
    ngx_http_chat_connections_conf_t *limit, ngx_http_chat_counted_t *counted);
static void ngx_http_chat_connections_name(
    ngx_http_chat_connections_conf_t *limit, ngx_str_t *key, ngx_str_t *name);
static ngx_int_t ngx_http_chat_connections_over(ngx_http_request_t *r,
    const char *directive, ngx_str_t *text);
static void ngx_http_chat_connections_passed(ngx_http_request_t *r);

static char *ngx_http_chat_connections_add(ngx_conf_t *cf,
    ngx_array_t **limits, size_t size, void *place);
static char *ngx_http_chat_connections_text(ngx_conf_t *cf, ngx_str_t *text);
static char *ngx_http_chat_connections_unique(ngx_conf_t *cf,
    ngx_array_t *limits);
static uint32_t ngx_http_chat_connections_kind(ngx_str_t *key);
static char *ngx_http_chat_connection_rate_param(ngx_conf_t *cf,
    ngx_http_chat_connection_rate_t *rate, ngx_str_t *value);
static char *ngx_http_chat_connection_rate_finish(ngx_conf_t *cf,
    ngx_http_chat_connection_rate_t *rate);


/* A counter keeps nothing: it has no history, and is gone when it is 0. */

static ngx_http_chat_retention_t  ngx_http_chat_connections_retention;


ngx_int_t
ngx_http_chat_connection_rates(ngx_http_request_t *r, ngx_uint_t early)
{
    ngx_int_t                         rc;
    ngx_str_t                         key;
    ngx_uint_t                        i;
    ngx_http_chat_loc_conf_t         *chcf;
    ngx_http_chat_connection_rate_t  *rates;

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    if (chcf->connection_rates == NULL) {
        return NGX_OK;
    }

    rates = chcf->connection_rates->elts;

    for (i = 0; i < chcf->connection_rates->nelts; i++) {

        if (rates[i].early != early) {
            continue;
        }

        if (ngx_http_complex_value(r, &rates[i].key, &key) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (key.len == 0) {
            continue;
        }

        rc = ngx_http_chat_connection_take(r, &rates[i], &key);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_connection_take(ngx_http_request_t *r,
    ngx_http_chat_connection_rate_t *rate, ngx_str_t *key)
{
    u_char                    *p;
    uint64_t                   hash;
    ngx_str_t                  value;
    ngx_msec_t                 wait;
    ngx_http_chat_loc_conf_t  *chcf;

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    hash = ngx_http_chat_limit_key(chcf->zone, rate->kind, key);

    wait = ngx_http_chat_limit_take(chcf->zone, hash, rate->rate, rate->burst,
                                    ngx_current_msec, 0);
    if (wait == 0) {
        ngx_http_chat_connections_passed(r);
        return NGX_OK;
    }

    if (ngx_http_chat_connections_over(r, "chat_connection_rate", &rate->text)
        == NGX_OK)
    {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "%M", (wait + 999) / 1000) - p;

    if (ngx_http_chat_add_header(r, "Retry-After", &value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_chat_refuse(r, NGX_HTTP_CHAT_TOO_MANY,
                                "connections come too fast for "
                                "\"chat_connection_rate\"", &rate->text);
}


ngx_int_t
ngx_http_chat_connections_enter(ngx_http_request_t *r,
    ngx_http_chat_counted_t *counted)
{
    ngx_int_t                          rc;
    ngx_uint_t                         i;
    ngx_http_chat_loc_conf_t          *chcf;
    ngx_http_chat_connections_conf_t  *limits;

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    if (chcf->connections == NULL) {
        return NGX_OK;
    }

    limits = chcf->connections->elts;

    for (i = 0; i < chcf->connections->nelts; i++) {

        /* by "auth" it may come again, when more keys are known */

        if (counted[i].room) {
            continue;
        }

        rc = ngx_http_chat_connections_one(r, &limits[i], &counted[i]);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_connections_one(ngx_http_request_t *r,
    ngx_http_chat_connections_conf_t *limit, ngx_http_chat_counted_t *counted)
{
    u_char                      buf[NGX_HTTP_CHAT_ROOM_NAME_MAX];
    uint32_t                    occupant;
    ngx_int_t                   rc;
    ngx_str_t                   key, name;
    ngx_http_chat_loc_conf_t   *chcf;
    ngx_http_chat_room_view_t   view;

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    if (ngx_http_complex_value(r, &limit->key, &key) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* as with nginx's own limits, an empty key is not counted */

    if (limit->key.value.len && key.len == 0) {
        return NGX_OK;
    }

    name.data = buf;
    ngx_http_chat_connections_name(limit, &key, &name);

    rc = ngx_http_chat_room_join(chcf->zone, &name,
                                 &ngx_http_chat_connections_retention, NULL,
                                 limit->max, NULL, &counted->room, &occupant,
                                 &view);

    if (rc == NGX_BUSY
        && ngx_http_chat_connections_over(r, "chat_connections", &limit->text)
           == NGX_OK)
    {
        rc = ngx_http_chat_room_join(chcf->zone, &name,
                                     &ngx_http_chat_connections_retention,
                                     NULL, 0, NULL, &counted->room, &occupant,
                                     &view);
    }

    if (rc == NGX_OK) {
        counted->epoch = view.epoch;
        ngx_http_chat_connections_passed(r);
        return NGX_OK;
    }

    counted->room = 0;

    if (rc != NGX_BUSY) {
        return ngx_http_chat_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                    "zone is full: connections cannot be "
                                    "counted", NULL);
    }

    return ngx_http_chat_refuse(r, limit->key.value.len
                                       ? NGX_HTTP_CHAT_TOO_MANY
                                       : NGX_HTTP_SERVICE_UNAVAILABLE,
                                "as many connections as \"chat_connections\" "
                                "allows", &limit->text);
}


/* A room that nobody can join by a name: one member each connection. */

static void
ngx_http_chat_connections_name(ngx_http_chat_connections_conf_t *limit,
    ngx_str_t *key, ngx_str_t *name)
{
    u_char      *p;
    ngx_sha1_t   sha1;

    p = name->data;

    *p++ = NGX_HTTP_CHAT_COUNTER;
    p = ngx_cpymem(p, &limit->kind, sizeof(uint32_t));

    if (key->len == 0) {

        /* the whole zone's: a copy from NULL is undefined */

    } else if (key->len <= NGX_HTTP_CHAT_CONNECTION_KEY) {
        p = ngx_cpymem(p, key->data, key->len);

    } else {

        /* longer than any that stands there itself */

        ngx_memset(p, '#', NGX_HTTP_CHAT_CONNECTION_KEY);
        p += NGX_HTTP_CHAT_CONNECTION_KEY;

        ngx_sha1_init(&sha1);
        ngx_sha1_update(&sha1, key->data, key->len);
        ngx_sha1_final(p, &sha1);

        p += 20;
    }

    name->len = p - name->data;
}


void
ngx_http_chat_connections_leave(ngx_http_chat_session_t *s,
    ngx_http_chat_counted_t *counted)
{
    ngx_uint_t                 i;
    ngx_http_chat_loc_conf_t  *chcf;

    chcf = s->conf;

    if (chcf->connections == NULL) {
        return;
    }

    for (i = 0; i < chcf->connections->nelts; i++) {

        if (counted[i].room) {
            (void) ngx_http_chat_room_leave(s->zone, counted[i].room,
                                            counted[i].epoch, 0, 0);
            counted[i].room = 0;
        }
    }
}


size_t
ngx_http_chat_connections_size(ngx_http_chat_loc_conf_t *chcf)
{
    return chcf->connections
           ? chcf->connections->nelts * sizeof(ngx_http_chat_counted_t) : 0;
}


/* Counts that a limit is over; OK: it is only to be told. */

static ngx_int_t
ngx_http_chat_connections_over(ngx_http_request_t *r, const char *directive,
    ngx_str_t *text)
{
    ngx_http_chat_ctx_t       *ctx;
    ngx_http_chat_loc_conf_t  *chcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);
    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    if (!chcf->limits_dry_run) {
        ctx->limit = NGX_HTTP_CHAT_LIMIT_REJECTED;
        (void) ngx_atomic_fetch_add(&chcf->zone->sh->rejected, 1);
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "chat connection is over a limit, dry run: "
                  "\"%s\": \"%V\"", directive, text);

    ctx->limit = NGX_HTTP_CHAT_LIMIT_DRY_RUN;
    (void) ngx_atomic_fetch_add(&chcf->zone->sh->dry_run, 1);

    return NGX_OK;
}


static void
ngx_http_chat_connections_passed(ngx_http_request_t *r)
{
    ngx_http_chat_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);

    if (ctx->limit == NGX_HTTP_CHAT_LIMIT_NONE) {
        ctx->limit = NGX_HTTP_CHAT_LIMIT_PASSED;
    }
}


ngx_int_t
ngx_http_chat_limit_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_chat_ctx_t  *ctx;

    static ngx_str_t  names[] = {
        ngx_null_string,
        ngx_string("PASSED"),
        ngx_string("REJECTED"),
        ngx_string("REJECTED_DRY_RUN")
    };

    (void) data;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);

    if (ctx == NULL || ctx->limit == NGX_HTTP_CHAT_LIMIT_NONE) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = names[ctx->limit].len;
    v->data = names[ctx->limit].data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_limit_count(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    size_t                 len;
    ngx_str_t              zone;
    ngx_uint_t             passed;
    ngx_http_chat_zone_t  *z;

    static ngx_str_t  rejected = ngx_string("chat_limit_rejected_");
    static ngx_str_t  dry_run = ngx_string("chat_limit_dry_run_");

    passed = ngx_strncmp(name->data, dry_run.data, dry_run.len) == 0;
    len = passed ? dry_run.len : rejected.len;

    zone.data = name->data + len;
    zone.len = name->len - len;

    z = ngx_http_chat_variable_zone_named(r, &zone);

    if (z == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, NGX_ATOMIC_T_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, "%uA", passed ? z->sh->dry_run
                                                : z->sh->rejected)
             - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/*
 * Whom an address belongs to, as bytes: an IPv4 address, or the /64 of an
 * IPv6 one, within which anybody can take a new address for each connection.
 */

ngx_int_t
ngx_http_chat_net_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_connection_t     *c;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    (void) data;

    c = r->connection;

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    switch (c->sockaddr->sa_family) {

#if (NGX_HAVE_INET6)

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) c->sockaddr;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            v->len = sizeof(in_addr_t);
            v->data = sin6->sin6_addr.s6_addr + 12;
            break;
        }

        v->len = 8;
        v->data = sin6->sin6_addr.s6_addr;
        break;

#endif

    case AF_INET:
        sin = (struct sockaddr_in *) c->sockaddr;
        v->len = sizeof(in_addr_t);
        v->data = (u_char *) &sin->sin_addr;
        break;

    default: /* a Unix socket has one peer, the proxy in front */
        v->len = c->addr_text.len;
        v->data = c->addr_text.data;
    }

    return NGX_OK;
}


char *
ngx_http_chat_set_connections(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    char                              *rv;
    ngx_str_t                         *value, key;
    ngx_int_t                          n;
    ngx_http_chat_connections_conf_t  *limit;

    (void) cmd;

    value = cf->args->elts;

    rv = ngx_http_chat_connections_add(cf, &chcf->connections,
                                     sizeof(ngx_http_chat_connections_conf_t),
                                     &limit);
    if (rv != NGX_CONF_OK || limit == NULL) {
        return rv;
    }

    n = ngx_atoi(value[1].data, value[1].len);

    if (n < 1 || n > NGX_HTTP_CHAT_CONNECTIONS_ALL) {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                          "\"off\" alone, or a number between 1 and 1000000");
    }

    limit->max = n;

    ngx_str_null(&key);

    if (cf->args->nelts == 3
        && (!ngx_http_chat_conf_param(&value[2], "key=", &key)
            || key.len == 0))
    {
        return ngx_http_chat_conf_invalid(cf, &value[2],
                            "\"key=\" and a value, as \"key=$chat_user\"");
    }

    /* the same key is one counter, wherever in the configuration it stands */

    limit->kind = ngx_http_chat_connections_kind(&key);

    if (ngx_http_chat_conf_complex(cf, &key, &limit->key) != NGX_CONF_OK
        || ngx_http_chat_connections_text(cf, &limit->text) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_chat_connections_unique(cf, chcf->connections);
}


/* A new element of a directive's array; a NULL one: "off". */

static char *
ngx_http_chat_connections_add(ngx_conf_t *cf, ngx_array_t **limits,
    size_t size, void *place)
{
    void **element = place;

    ngx_str_t  *value;

    *element = NULL;
    value = cf->args->elts;

    if (*limits == NULL) {
        return "is duplicate";
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {

        if (*limits != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        *limits = NULL;
        return NGX_CONF_OK;
    }

    if (*limits == NGX_CONF_UNSET_PTR) {
        *limits = ngx_array_create(cf->pool, 2, size);
        if (*limits == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if ((*limits)->nelts == NGX_HTTP_CHAT_CONNECTIONS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many \"%V\" directives, %d may stand "
                           "at one level", &value[0],
                           NGX_HTTP_CHAT_CONNECTIONS_MAX);
        return NGX_CONF_ERROR;
    }

    *element = ngx_array_push(*limits);
    if (*element == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(*element, size);

    return NGX_CONF_OK;
}


/* What stands behind the directive's name, in one piece. */

static char *
ngx_http_chat_connections_text(ngx_conf_t *cf, ngx_str_t *text)
{
    u_char      *p;
    size_t       len;
    ngx_str_t   *value;
    ngx_uint_t   i;

    len = 0;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        len += value[i].len + 1;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    text->data = p;
    text->len = len - 1;

    for (i = 1; i < cf->args->nelts; i++) {
        p = ngx_cpymem(p, value[i].data, value[i].len);
        *p++ = ' ';
    }

    return NGX_CONF_OK;
}


/* Of two numbers for one key only the smaller would ever count. */

static char *
ngx_http_chat_connections_unique(ngx_conf_t *cf, ngx_array_t *limits)
{
    ngx_uint_t                         i;
    ngx_http_chat_connections_conf_t  *limit, *last;

    limit = limits->elts;
    last = &limit[limits->nelts - 1];

    for (i = 0; i < limits->nelts - 1; i++) {

        if (limit[i].key.value.len == last->key.value.len
            && (last->key.value.len == 0
                || ngx_strncmp(limit[i].key.value.data, last->key.value.data,
                               last->key.value.len) == 0))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"chat_connections %V\" has the key of "
                               "\"chat_connections %V\" before it",
                               &last->text, &limit[i].text);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static uint32_t
ngx_http_chat_connections_kind(ngx_str_t *key)
{
    return key->len ? ngx_crc32_long(key->data, key->len) : 0;
}


char *
ngx_http_chat_set_connection_rate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    char                             *rv;
    ngx_str_t                        *value;
    ngx_uint_t                        i;
    ngx_http_chat_connection_rate_t  *rate;

    (void) cmd;

    value = cf->args->elts;

    rv = ngx_http_chat_connections_add(cf, &chcf->connection_rates,
                                      sizeof(ngx_http_chat_connection_rate_t),
                                      &rate);
    if (rv != NGX_CONF_OK || rate == NULL) {
        return rv;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_chat_connection_rate_param(cf, rate, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (rate->rate == 0) {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                              "\"off\", or have \"rate=\", as \"rate=1r/s\"");
    }

    if (ngx_http_chat_connections_text(cf, &rate->text) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_chat_connection_rate_finish(cf, rate);
}


static char *
ngx_http_chat_connection_rate_param(ngx_conf_t *cf,
    ngx_http_chat_connection_rate_t *rate, ngx_str_t *value)
{
    ngx_int_t  burst;
    ngx_str_t  rest;

    if (rate->rate == 0 && ngx_http_chat_conf_param(value, "rate=", &rest)) {
        rate->rate = ngx_http_chat_rate_parse(&rest);

        if (rate->rate == 0) {
            return ngx_http_chat_conf_invalid(cf, value,
                                  "\"rate=\" and a number from 1 to 1000000 "
                                  "with \"r/s\" or \"r/m\" behind");
        }

        return NGX_CONF_OK;
    }

    if (rate->burst == 0 && ngx_http_chat_conf_param(value, "burst=", &rest)) {
        burst = ngx_atoi(rest.data, rest.len);

        if (burst < 1 || burst > NGX_HTTP_CHAT_CONNECTIONS_ALL) {
            return ngx_http_chat_conf_invalid(cf, value,
                                "\"burst=\" and a number from 1 to 1000000");
        }

        rate->burst = burst;
        return NGX_CONF_OK;
    }

    if (rate->key.value.len == 0
        && ngx_http_chat_conf_param(value, "key=", &rest)
        && rest.len)
    {
        return ngx_http_chat_conf_complex(cf, &rest, &rate->key);
    }

    return ngx_http_chat_conf_invalid(cf, value,
                                      "\"off\" alone, or one each of "
                                      "\"rate=\", \"burst=\" and \"key=\"");
}


/*
 * By an address it is counted before anybody is asked who he is, so that
 * guessed passwords and tokens are limited, too; another key may depend on
 * the answer.
 */

static char *
ngx_http_chat_connection_rate_finish(ngx_conf_t *cf,
    ngx_http_chat_connection_rate_t *rate)
{
    ngx_str_t   *key;
    ngx_uint_t   i;

    static ngx_str_t  early[] = {
        ngx_string("$chat_remote_net"),
        ngx_string("${chat_remote_net}"),
        ngx_string("$binary_remote_addr"),
        ngx_string("${binary_remote_addr}"),
        ngx_string("$remote_addr"),
        ngx_string("${remote_addr}")
    };

    key = &rate->key.value;

    if (key->len == 0
        && ngx_http_chat_conf_complex(cf, &early[0], &rate->key)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < sizeof(early) / sizeof(early[0]); i++) {

        if (key->len == early[i].len
            && ngx_strncmp(key->data, early[i].data, key->len) == 0)
        {
            rate->early = 1;
        }
    }

    if (rate->burst == 0) {
        rate->burst = NGX_HTTP_CHAT_CONNECTION_BURST;
    }

    rate->kind = ngx_http_chat_connections_kind(key)
                 ^ NGX_HTTP_CHAT_CONNECTION_KIND
                 ^ rate->rate ^ rate->burst << 16;

    return NGX_CONF_OK;
}
