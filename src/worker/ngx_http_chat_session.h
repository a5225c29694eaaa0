
/*
 * A session: one client's connection, whatever its transport.
 *
 * It is allocated outside of nginx's pools so that nothing but it and the
 * connection's own pool remains of a handshake.  Made by
 * ngx_http_chat_session_create(), ended by ngx_http_chat_session_close() or
 * _finalize(), which may be called from anywhere and more than once; the
 * memory goes away with an empty stack, from a posted event.
 */


#ifndef _NGX_HTTP_CHAT_SESSION_H_INCLUDED_
#define _NGX_HTTP_CHAT_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_chat_settings.h"


#define NGX_HTTP_CHAT_SESSION_ID_LEN  32       /* hex digits */


typedef struct ngx_http_chat_transport_s  ngx_http_chat_transport_t;
typedef struct ngx_http_chat_member_s     ngx_http_chat_member_t;
typedef struct ngx_http_chat_local_s      ngx_http_chat_local_t;


/* Who came in.  The strings are the caller's; a session copies them. */
typedef struct {
    ngx_str_t                       user;      /* 1..64 bytes, checked */
    ngx_str_t                       name;
    ngx_str_t                       color;     /* "#rrggbb" */
    ngx_str_t                       room;      /* joined on connect, or empty */
    ngx_uint_t                      role;      /* NGX_HTTP_CHAT_ROLE_... */
    uint64_t                        rates[NGX_HTTP_CHAT_RATES_MAX];
                                               /* keys, see limit.h */
    unsigned                        guest:1;
    unsigned                        pending:1; /* will say who by a token */
} ngx_http_chat_identity_t;


/* What a session was let into a room with, where that is less than its
 * location allows: see ngx_http_chat_admission_t. */
typedef struct {
    uint64_t                        key;       /* of the bucket, see limit.h */
    uint32_t                        rate;
    uint32_t                        message_size;
    uint16_t                        burst;
    uint16_t                        refused;   /* in a row, by this rate */
} ngx_http_chat_allowance_t;


/* A place in a session's list of joined rooms. */
typedef struct {
    ngx_http_chat_local_t          *local;     /* NULL = free */
    uint32_t                        index;     /* in local->members */
    uint32_t                        occupant;  /* who it is there; 0 in raw */
} ngx_http_chat_joined_t;


struct ngx_http_chat_session_s {
    ngx_connection_t                 *connection;
    ngx_http_chat_zone_t             *zone;
    ngx_http_chat_settings_t         *settings;
    const ngx_http_chat_transport_t  *transport;

    /* for src/http alone: its location's configuration, the kept request */
    void                             *conf;
    void                             *request;

    ngx_msec_t                        started;    /* ngx_current_msec then */

    ngx_http_chat_joined_t            joined0;    /* the first one is inline */
    ngx_http_chat_joined_t           *joined;     /* joined0, or allocated */

    ngx_queue_t                       queue;      /* flush or closing queue */

    struct ngx_http_chat_out_s       *out;        /* bytes that must go first */
    struct ngx_http_chat_partial_s   *partial;    /* half a frame or message */

    u_char                           *profile;    /* name and color, chosen */
    struct ngx_http_chat_claim_s     *claims;     /* on names; NULL = none */
    struct ngx_http_chat_token_s     *token;      /* chat's; NULL = none */
    ngx_event_t                      *throttle;   /* while it is throttled */

    uint64_t                          id;         /* unique in the zone */
    uint64_t                          own_seq;    /* raw, echo off: its last */

    uint64_t                          bytes_in;
    uint64_t                          bytes_out;
    uint32_t                          messages_in;
    uint32_t                          messages_out;

    uint16_t                          njoined;    /* rooms joined now */
    uint16_t                          joined_size;
    uint16_t                          close_code;
    uint16_t                          tail;       /* behind the strings */

    uint8_t                           user_len;
    uint8_t                           name_len;
    uint8_t                           color_len;
    uint8_t                           room_len;   /* the room at connect */
    uint8_t                           pings;      /* unanswered */
    uint8_t                           framer;     /* index of a run's form */

    uint8_t                           role;       /* that it came with */
    uint16_t                          refused;    /* in a row, by a rate */

    unsigned                          guest:1;
    unsigned                          pending:1;  /* nobody yet: see "auth" */
    unsigned                          inboxed:1;  /* its inbox is asleep */
    unsigned                          boxless:1;  /* the zone had no block */
    unsigned                          throttled:1; /* until tokens are back */
    unsigned                          asking:1;   /* whether it may join */
    unsigned                          typing:1;   /* somewhere */
    unsigned                          limited:1;  /* has allowances */
    unsigned                          expelled:1; /* a member is to go */
    unsigned                          heard:1;    /* since the last ping tick */
    unsigned                          blocked:1;  /* the socket takes nothing */
    unsigned                          read_blocked:1; /* it owes us reading */
    unsigned                          queued:1;   /* s->queue is linked */
    unsigned                          tls:1;
    unsigned                          shutting:1; /* waits to be told bye */
    unsigned                          closing:1;  /* close frame is queued */
    unsigned                          peer_closed:1; /* or need not answer */
    unsigned                          lingering:1; /* until the peer's FIN */
    unsigned                          dead:1;     /* finalize is posted */

    /* user, room, name and color that it came with, one after the other;
     * then the inbox (chat.v1), the keys of its rates, the transport's */
    u_char                            strings[1];
};


#define ngx_http_chat_session_user(s)   ((s)->strings)
#define ngx_http_chat_session_room(s)   ((s)->strings + (s)->user_len)
#define ngx_http_chat_session_name(s)                                         \
    ((s)->profile ? (s)->profile                                              \
                  : (s)->strings + (s)->user_len + (s)->room_len)
#define ngx_http_chat_session_color(s)                                        \
    (ngx_http_chat_session_name(s) + (s)->name_len)


/* NULL: no memory (not logged).  The connection is not touched yet. */
ngx_http_chat_session_t *ngx_http_chat_session_create(ngx_connection_t *c,
    ngx_http_chat_zone_t *zone, ngx_http_chat_settings_t *settings,
    const ngx_http_chat_transport_t *transport,
    ngx_http_chat_identity_t *identity, size_t transport_size);

/* One that was created pending is that user from now on. */
void ngx_http_chat_session_identify(ngx_http_chat_session_t *s,
    ngx_http_chat_identity_t *identity);

/* The one that has this connection; NULL: it is not a session's. */
ngx_http_chat_session_t *ngx_http_chat_session_of(ngx_connection_t *c);

/* The transport's own part of the session, transport_size bytes, aligned. */
void *ngx_http_chat_session_private(ngx_http_chat_session_t *s);

/* Keys of its location's rates, as many as settings->nrates. */
uint64_t *ngx_http_chat_session_rates(ngx_http_chat_session_t *s);

/* Its name in the protocol, SESSION_ID_LEN hex digits: unique, no secret. */
void ngx_http_chat_session_sid(ngx_http_chat_session_t *s, u_char *sid);

/* Who it is to a room.  The strings are the session's. */
void ngx_http_chat_session_person(ngx_http_chat_session_t *s,
    ngx_http_chat_person_t *person);

/* Another name and color; both are copied.  ERROR: no memory. */
ngx_int_t ngx_http_chat_session_rename(ngx_http_chat_session_t *s,
    ngx_str_t *name, u_char color[3]);

/* Nothing is read from it for that many ms; or until now. */
void ngx_http_chat_session_throttle(ngx_http_chat_session_t *s, ngx_msec_t ms);
void ngx_http_chat_session_unthrottle(ngx_http_chat_session_t *s);

/* Frees one that was created and not started; its connection stays. */
void ngx_http_chat_session_discard(ngx_http_chat_session_t *s);

/* From now on the connection's events are the session's. */
void ngx_http_chat_session_start(ngx_http_chat_session_t *s);

/* Leaves its rooms, sends a close with that code where the transport has one,
 * waits for the peer's, bounded. */
void ngx_http_chat_session_close(ngx_http_chat_session_t *s, ngx_uint_t code,
    const char *reason);

/* Goes without a word: the connection is broken or the farewell is over. */
void ngx_http_chat_session_finalize(ngx_http_chat_session_t *s);

/* Sums up its counters of what was sent, before they are read. */
void ngx_http_chat_session_counters(ngx_http_chat_session_t *s);

/* For delivery: a queued session's turn, with an otherwise empty stack. */
void ngx_http_chat_session_turn(ngx_http_chat_session_t *s);


#endif /* _NGX_HTTP_CHAT_SESSION_H_INCLUDED_ */
