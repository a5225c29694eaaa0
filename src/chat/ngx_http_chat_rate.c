
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_limit.h"

#include "chat_ws.h"


/* So many times the burst refused in a row is flooding, PROTOCOL 10. */
#define NGX_HTTP_CHAT_RATE_FLOOD  10


static ngx_int_t ngx_http_chat_rate_refused(ngx_http_chat_session_t *s,
    ngx_uint_t burst);
static void ngx_http_chat_rate_close(ngx_http_chat_session_t *s);


ngx_int_t
ngx_http_chat_rate(ngx_http_chat_session_t *s, ngx_msec_t *wait)
{
    uint64_t              *keys;
    ngx_msec_t             ms, pause;
    ngx_uint_t             i, burst;
    ngx_http_chat_rate_t  *rate;

    *wait = 0;

    if (s->settings->nrates == 0) {
        return NGX_OK;
    }

    burst = 0;
    pause = 0;
    keys = ngx_http_chat_session_rates(s);

    for (i = 0; i < s->settings->nrates; i++) {

        if (keys[i] == 0) {
            continue;
        }

        rate = &s->settings->rates[i];

        ms = ngx_http_chat_limit_take(s->zone, keys[i], rate->rate,
                                      rate->burst, ngx_current_msec,
                                   rate->action == NGX_HTTP_CHAT_RATE_DELAY);
        if (ms == 0) {
            continue;
        }

        switch (rate->action) {

        case NGX_HTTP_CHAT_RATE_DELAY:
            pause = ngx_max(pause, ms);
            break;

        case NGX_HTTP_CHAT_RATE_CLOSE:
            *wait = ms;
            ngx_http_chat_rate_close(s);
            return NGX_DECLINED;

        default: /* NGX_HTTP_CHAT_RATE_REJECT */

            if (ms > *wait) {
                *wait = ms;
                burst = rate->burst;
            }
        }
    }

    if (pause) {
        ngx_http_chat_session_throttle(s, pause);
    }

    if (*wait) {
        return ngx_http_chat_rate_refused(s, burst);
    }

    /* of one who has not said who he is, it is how often he has tried to */

    if (!s->pending) {
        s->refused = 0;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_rate_refused(ngx_http_chat_session_t *s, ngx_uint_t burst)
{
    s->refused++;

    if (s->refused > NGX_HTTP_CHAT_RATE_FLOOD * burst) {
        ngx_http_chat_rate_close(s);
    }

    return NGX_DECLINED;
}


static void
ngx_http_chat_rate_close(ngx_http_chat_session_t *s)
{
    ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                  "client sends too many messages, closed with %d",
                  CHAT_WS_POLICY);

    ngx_http_chat_session_close(s, CHAT_WS_POLICY, "too many messages");
}
