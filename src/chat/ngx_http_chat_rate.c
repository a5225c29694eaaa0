
#include "ngx_http_chat_rate.h"
#include "ngx_http_chat_limit.h"
#include "ngx_http_chat_room.h"

#include "chat_proto.h"
#include "chat_ws.h"


/* So many times the burst refused in a row is flooding, PROTOCOL 10. */
#define NGX_HTTP_CHAT_RATE_FLOOD  10

/* Apart from the "kind" of any "chat_rate". */
#define NGX_HTTP_CHAT_RATE_ROOM   1


static ngx_int_t ngx_http_chat_rate_refused(ngx_http_chat_session_t *s,
    uint16_t *refused, ngx_uint_t burst);
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
        return ngx_http_chat_rate_refused(s, &s->refused, burst);
    }

    /* of one who has not said who he is, it is how often he has tried to */

    if (!s->pending) {
        s->refused = 0;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_rate_refused(ngx_http_chat_session_t *s, uint16_t *refused,
    ngx_uint_t burst)
{
    if (++*refused > NGX_HTTP_CHAT_RATE_FLOOD * burst) {
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


/* A user's connections share a rate that all of them have in a room. */

ngx_int_t
ngx_http_chat_rate_limit(ngx_http_chat_member_t *m,
    ngx_http_chat_admission_t *how)
{
    u_char                     *p;
    ngx_str_t                   key, *room;
    ngx_http_chat_session_t    *s;
    ngx_http_chat_allowance_t  *allowance;
    u_char                      buf[NGX_HTTP_CHAT_ROOM_NAME_MAX + 1
                                    + CHAT_USER_MAX + 2 * NGX_INT_T_LEN];

    s = m->session;

    if (how->rate == 0
        && (how->message_size == 0
            || how->message_size >= s->settings->message_size))
    {
        return NGX_OK;
    }

    allowance = ngx_http_chat_member_limit(m);

    if (allowance == NULL) {
        return NGX_ERROR;
    }

    allowance->rate = (uint32_t) how->rate;
    allowance->burst = (uint16_t) how->burst;

    if (how->message_size < s->settings->message_size) {
        allowance->message_size = (uint32_t) how->message_size;
    }

    room = &ngx_http_chat_member_local(m)->name;

    p = ngx_sprintf(buf, "%V%Z%ui/%ui/", room, how->rate, how->burst);
    p = ngx_cpymem(p, ngx_http_chat_session_user(s), s->user_len);

    key.data = buf;
    key.len = p - buf;

    allowance->key = ngx_http_chat_limit_key(s->zone, NGX_HTTP_CHAT_RATE_ROOM,
                                             &key);

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_rate_room(ngx_http_chat_member_t *m, ngx_msec_t *wait)
{
    ngx_http_chat_session_t    *s;
    ngx_http_chat_allowance_t  *allowance;

    s = m->session;
    allowance = ngx_http_chat_member_allowance(m);

    *wait = 0;

    if (allowance->rate) {
        *wait = ngx_http_chat_limit_take(s->zone, allowance->key,
                                         allowance->rate, allowance->burst,
                                         ngx_current_msec, 0);
    }

    if (*wait) {
        return ngx_http_chat_rate_refused(s, &allowance->refused,
                                          allowance->burst);
    }

    allowance->refused = 0;

    return NGX_OK;
}
