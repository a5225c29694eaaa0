
/*
 * The token or API key that a session came with, and its end: a word in time
 * that another one is wanted, and the close if none comes.  All sessions of a
 * worker share one timer.
 */


#ifndef _NGX_HTTP_CHAT_TOKEN_H_INCLUDED_
#define _NGX_HTTP_CHAT_TOKEN_H_INCLUDED_


#include "ngx_http_chat_session.h"


typedef struct ngx_http_chat_token_s  ngx_http_chat_token_t;


/* Belongs to its session: session->token, NULL where it came with none. */
struct ngx_http_chat_token_s {
    ngx_rbtree_node_t         node;        /* by the time of what is next */
    ngx_http_chat_session_t  *session;
    int64_t                   ends;        /* ms since 1970; 0 = never */
    int32_t                   lead;        /* ms, "expiring" before the end */
    size_t                    len;         /* of the text; 0: there is none */
    uint8_t                   role;        /* that the key gave; 0 = none */
    unsigned                  key:1;       /* it is an API key */
    unsigned                  warned:1;    /* "expiring" was said */
    unsigned                  queued:1;    /* the node is linked */
    u_char                    text[1];     /* claims in JSON; a key's hash */
};


/*
 * The session has this token from now on, instead of the one that it had.
 * ends: ms since 1970, or 0.  ERROR: no memory, it keeps what it has.
 */
ngx_int_t ngx_http_chat_token_set(ngx_http_chat_session_t *s, u_char *text,
    size_t len, int64_t ends);

/* The session has none any more; before it goes. */
void ngx_http_chat_token_end(ngx_http_chat_session_t *s);


#endif /* _NGX_HTTP_CHAT_TOKEN_H_INCLUDED_ */
