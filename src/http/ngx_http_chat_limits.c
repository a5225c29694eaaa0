
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"
#include "ngx_http_chat_limit.h"


#define NGX_HTTP_CHAT_RATE_MAX  1000000  /* messages in a second, a minute */


/* One "chat_rate". */
typedef struct {
    ngx_http_chat_rate_t       rate;
    ngx_http_complex_value_t   key;
    ngx_uint_t                 kind;       /* apart for other rates and keys */
} ngx_http_chat_rate_conf_t;


static char *ngx_http_chat_rate_param(ngx_conf_t *cf,
    ngx_http_chat_rate_conf_t *rate, ngx_str_t *value);
static char *ngx_http_chat_rate_default(ngx_conf_t *cf, ngx_array_t **rates);
static char *ngx_http_chat_rate_finish(ngx_conf_t *cf,
    ngx_http_chat_rate_conf_t *rate);


ngx_int_t
ngx_http_chat_rate_keys(ngx_http_request_t *r, ngx_http_chat_session_t *s)
{
    uint64_t                   *keys;
    ngx_str_t                   key;
    ngx_uint_t                  i;
    ngx_http_chat_loc_conf_t   *chcf;
    ngx_http_chat_rate_conf_t  *rates;

    chcf = s->conf;

    if (chcf->rates == NULL) {
        return NGX_OK;
    }

    rates = chcf->rates->elts;
    keys = ngx_http_chat_session_rates(s);

    for (i = 0; i < chcf->rates->nelts; i++) {

        if (ngx_http_complex_value(r, &rates[i].key, &key) != NGX_OK) {
            return NGX_ERROR;
        }

        /* as with nginx's own limits, an empty key is not counted */

        keys[i] = key.len ? ngx_http_chat_limit_key(s->zone, rates[i].kind,
                                                    &key)
                          : 0;
    }

    return NGX_OK;
}


char *
ngx_http_chat_set_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_chat_rate_conf_t  *rate;

    (void) cmd;

    value = cf->args->elts;

    if (chcf->rates == NULL) {
        return "is duplicate";
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {

        if (chcf->rates != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        chcf->rates = NULL;
        return NGX_CONF_OK;
    }

    if (chcf->rates == NGX_CONF_UNSET_PTR) {
        chcf->rates = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_http_chat_rate_conf_t));
        if (chcf->rates == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (chcf->rates->nelts == NGX_HTTP_CHAT_RATES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many \"chat_rate\" directives, %d may stand "
                           "at one level", NGX_HTTP_CHAT_RATES_MAX);
        return NGX_CONF_ERROR;
    }

    rate = ngx_array_push(chcf->rates);
    if (rate == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rate, sizeof(ngx_http_chat_rate_conf_t));
    rate->rate.action = NGX_CONF_UNSET_UINT;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_chat_rate_param(cf, rate, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (rate->rate.rate == 0) {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                               "\"off\", or have \"rate=\", as \"rate=5r/s\"");
    }

    return ngx_http_chat_rate_finish(cf, rate);
}


static char *
ngx_http_chat_rate_param(ngx_conf_t *cf, ngx_http_chat_rate_conf_t *rate,
    ngx_str_t *value)
{
    ngx_int_t   burst;
    ngx_str_t   rest;
    ngx_uint_t  n;

    static ngx_conf_enum_t  actions[] = {
        { ngx_string("reject"), NGX_HTTP_CHAT_RATE_REJECT },
        { ngx_string("delay"), NGX_HTTP_CHAT_RATE_DELAY },
        { ngx_string("close"), NGX_HTTP_CHAT_RATE_CLOSE },
        { ngx_null_string, 0 }
    };

    if (rate->rate.rate == 0
        && ngx_http_chat_conf_param(value, "rate=", &rest))
    {
        rate->rate.rate = ngx_http_chat_rate_parse(&rest);

        if (rate->rate.rate == 0) {
            return ngx_http_chat_conf_invalid(cf, value,
                                  "\"rate=\" and a number from 1 to 1000000 "
                                  "with \"r/s\" or \"r/m\" behind");
        }

        return NGX_CONF_OK;
    }

    if (rate->rate.burst == 0
        && ngx_http_chat_conf_param(value, "burst=", &rest))
    {
        burst = ngx_atoi(rest.data, rest.len);

        if (burst < 1 || burst > NGX_HTTP_CHAT_BURST_MAX) {
            return ngx_http_chat_conf_invalid(cf, value,
                                   "\"burst=\" and a number from 1 to 6000");
        }

        rate->rate.burst = burst;
        return NGX_CONF_OK;
    }

    if (rate->key.value.len == 0
        && ngx_http_chat_conf_param(value, "key=", &rest)
        && rest.len)
    {
        return ngx_http_chat_conf_complex(cf, &rest, &rate->key);
    }

    if (rate->rate.action == NGX_CONF_UNSET_UINT
        && ngx_http_chat_conf_param(value, "action=", &rest))
    {
        for (n = 0; actions[n].name.len; n++) {

            if (rest.len == actions[n].name.len
                && ngx_strncmp(rest.data, actions[n].name.data, rest.len) == 0)
            {
                rate->rate.action = actions[n].value;
                return NGX_CONF_OK;
            }
        }

        return ngx_http_chat_conf_invalid(cf, value,
                    "\"action=\" and \"reject\", \"delay\" or \"close\"");
    }

    return ngx_http_chat_conf_invalid(cf, value,
                         "\"off\" alone, or one each of \"rate=\", "
                         "\"burst=\", \"key=\" and \"action=\"");
}


ngx_uint_t
ngx_http_chat_rate_parse(ngx_str_t *value)
{
    u_char     *unit;
    ngx_int_t   n;

    if (value->len < sizeof("1r/s") - 1) {
        return 0;
    }

    unit = value->data + value->len - (sizeof("r/s") - 1);

    n = ngx_atoi(value->data, unit - value->data);

    if (n < 1 || n > NGX_HTTP_CHAT_RATE_MAX) {
        return 0;
    }

    if (ngx_strncmp(unit, "r/s", 3) == 0) {
        return n * 1000;
    }

    if (ngx_strncmp(unit, "r/m", 3) == 0) {
        return (n * 1000 + 30) / 60;
    }

    return 0;
}


/*
 * The same rate by the same key is one limit, wherever in the configuration
 * it stands, and goes on over a reload; any other one has buckets of its own.
 */

static char *
ngx_http_chat_rate_finish(ngx_conf_t *cf, ngx_http_chat_rate_conf_t *rate)
{
    uint32_t   hash;
    ngx_str_t  user = ngx_string("$chat_user");

    if (rate->key.value.len == 0
        && ngx_http_chat_conf_complex(cf, &user, &rate->key) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (rate->rate.burst == 0) {
        rate->rate.burst = NGX_HTTP_CHAT_RATE_BURST;
    }

    if (rate->rate.action == NGX_CONF_UNSET_UINT) {
        rate->rate.action = NGX_HTTP_CHAT_RATE_REJECT;
    }

    ngx_crc32_init(hash);
    ngx_crc32_update(&hash, (u_char *) &rate->rate, sizeof(rate->rate));
    ngx_crc32_update(&hash, rate->key.value.data, rate->key.value.len);
    ngx_crc32_final(hash);

    rate->kind = hash;

    return NGX_CONF_OK;
}


char *
ngx_http_chat_rate_merge(ngx_conf_t *cf, ngx_array_t *prev,
    ngx_http_chat_loc_conf_t *conf)
{
    ngx_uint_t                  i;
    ngx_http_chat_rate_t       *plain;
    ngx_http_chat_rate_conf_t  *rates;

    if (conf->rates == NGX_CONF_UNSET_PTR) {

        if (prev == NGX_CONF_UNSET_PTR
            && ngx_http_chat_rate_default(cf, &prev) != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        conf->rates = prev;
    }

    if (conf->zone == NULL || conf->rates == NULL) {
        return NGX_CONF_OK;
    }

    rates = conf->rates->elts;

    plain = ngx_palloc(cf->pool,
                       conf->rates->nelts * sizeof(ngx_http_chat_rate_t));
    if (plain == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < conf->rates->nelts; i++) {
        plain[i] = rates[i].rate;
    }

    conf->settings.rates = plain;
    conf->settings.nrates = conf->rates->nelts;

    return NGX_CONF_OK;
}


static char *
ngx_http_chat_rate_default(ngx_conf_t *cf, ngx_array_t **rates)
{
    ngx_http_chat_rate_conf_t  *rate;

    *rates = ngx_array_create(cf->pool, 1, sizeof(ngx_http_chat_rate_conf_t));
    if (*rates == NULL) {
        return NGX_CONF_ERROR;
    }

    rate = ngx_array_push(*rates);
    if (rate == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rate, sizeof(ngx_http_chat_rate_conf_t));

    rate->rate.rate = 5 * 1000;
    rate->rate.action = NGX_HTTP_CHAT_RATE_REJECT;

    return ngx_http_chat_rate_finish(cf, rate);
}
