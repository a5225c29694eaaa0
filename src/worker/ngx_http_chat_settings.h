
/*
 * What a location's directives say, as plain values: all that the layers below
 * src/http know of the configuration.
 */


#ifndef _NGX_HTTP_CHAT_SETTINGS_H_INCLUDED_
#define _NGX_HTTP_CHAT_SETTINGS_H_INCLUDED_


#include "ngx_http_chat_crowd.h"


#define NGX_HTTP_CHAT_PROTOCOL_V1   0
#define NGX_HTTP_CHAT_PROTOCOL_RAW  1

/* What becomes of a name that looks like another user's. */
#define NGX_HTTP_CHAT_IMITATION_OFF     0
#define NGX_HTTP_CHAT_IMITATION_MARK    1
#define NGX_HTTP_CHAT_IMITATION_REJECT  2


typedef struct ngx_http_chat_session_s    ngx_http_chat_session_t;


#define NGX_HTTP_CHAT_RATE_BURST    10     /* where none is given */

/* Ten times as many refused ones must fit into a session's counter. */
#define NGX_HTTP_CHAT_BURST_MAX     6000


/* How a session is let into a room by who was asked. */
typedef struct {
    ngx_uint_t                      role;      /* NGX_HTTP_CHAT_ROLE_... */
    ngx_uint_t                      rate;      /* tokens in 1000 s; 0 = none */
    ngx_uint_t                      burst;     /* >= 1 */
    size_t                          message_size;  /* bytes; 0 = none */
} ngx_http_chat_admission_t;


/* One "chat_rate".  Its key was evaluated at the handshake. */
typedef struct {
    ngx_uint_t                      rate;      /* tokens in 1000 s */
    ngx_uint_t                      burst;     /* >= 1 */
    ngx_uint_t                      action;    /* NGX_HTTP_CHAT_RATE_... */
} ngx_http_chat_rate_t;

#define NGX_HTTP_CHAT_RATE_REJECT   0
#define NGX_HTTP_CHAT_RATE_DELAY    1
#define NGX_HTTP_CHAT_RATE_CLOSE    2

#define NGX_HTTP_CHAT_RATES_MAX     8


/* What "chat_access" has rules for; and what one may do oneself with what one
 * has said, which has none. */
#define NGX_HTTP_CHAT_ACT_NONE      0
#define NGX_HTTP_CHAT_ACT_JOIN      1
#define NGX_HTTP_CHAT_ACT_SEND      2
#define NGX_HTTP_CHAT_ACT_HISTORY   3
#define NGX_HTTP_CHAT_ACT_MODERATE  4
#define NGX_HTTP_CHAT_ACT_DELETE    5
#define NGX_HTTP_CHAT_ACTS          6


/* Lives in the cycle. */
typedef struct {
    ngx_uint_t                      protocol;
    size_t                          message_size;      /* bytes, >= 1 */
    ngx_http_chat_retention_t       retention;
    ngx_uint_t                      history_page;      /* >= 1 */
    ngx_uint_t                      rooms_max;         /* >= 1, a session */
    ngx_msec_t                      ping_interval;     /* 0 = no pings */
    ngx_msec_t                      send_timeout;
    ngx_msec_t                      close_delay;
    ngx_msec_t                      delay;             /* 0 = deliver at once */
    size_t                          compression_min;   /* bytes of payload */
    ngx_int_t                       compression_level; /* 1..9 */
    ngx_flag_t                      compression;
    ngx_flag_t                      echo;              /* raw mode */

    ngx_http_chat_rate_t           *rates;
    ngx_uint_t                      nrates;

    ngx_uint_t                      presence;          /* PRESENCE_... */
    ngx_uint_t                      presence_limit;    /* users */
    ngx_msec_t                      leave_delay;
    ngx_uint_t                      room_members;      /* 0 = any number */

    /* 1: may a room of that name be joined here; NULL = any may */
    ngx_uint_t                    (*room_allowed)(void *data,
                                        ngx_str_t *room);
    void                           *room_names;

    /*
     * Filters a text (UTF-8): OK, as it is; DONE, *out is what it becomes,
     * good until the next call; DECLINED, it is refused; ERROR, no memory.
     * NULL = there are none.
     */
    ngx_int_t                     (*filter)(void *data, ngx_str_t *text,
                                        ngx_str_t *out);
    void                           *filters;

    ngx_uint_t                      imitation;         /* IMITATION_... */

    /*
     * A token that the client has sent: OK, the session is its user's from
     * now on, or still; BUSY, it is another user's; ABORT, it has expired;
     * DECLINED, it is refused; ERROR, no memory.  NULL = none are taken.
     */
    ngx_int_t                     (*authenticate)(ngx_http_chat_session_t *s,
                                        ngx_str_t *token);

    /* 1: who has that role in that room may do that there; NULL = any may */
    ngx_uint_t                    (*access)(ngx_http_chat_session_t *s,
                                        ngx_uint_t act, ngx_str_t *room,
                                        ngx_uint_t role);

    /*
     * Is the session to be let into that room: OK, with *how; DECLINED; BUSY,
     * who knows that cannot be asked; AGAIN, he has not been asked yet, and
     * is if "waiting" is given: the session is not read from until that comes
     * back by ngx_http_chat_join_authorized(), or it is freed with ngx_free()
     * where no session is left.  NULL = nobody is asked.
     */
    ngx_int_t                     (*authorize)(ngx_http_chat_session_t *s,
                                        ngx_str_t *room,
                                        ngx_http_chat_admission_t *how,
                                        void *waiting);
} ngx_http_chat_settings_t;


#endif /* _NGX_HTTP_CHAT_SETTINGS_H_INCLUDED_ */
