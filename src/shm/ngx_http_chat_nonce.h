
/*
 * Nonces: which message of an occupant has which seq, so that one that is sent
 * again after a lost connection is not said twice.  A chain of blocks, from
 * the newest one on, each filled from its start.
 *
 * A nonce is written before its message is appended, and while that is so the
 * room says which occupant's latest nonce is not sure.  Whoever comes next
 * under the lock settles it: a message of that seq exists, or the nonce goes.
 *
 * All functions are called with the room's lock held.
 */


#ifndef _NGX_HTTP_CHAT_NONCE_H_INCLUDED_
#define _NGX_HTTP_CHAT_NONCE_H_INCLUDED_


#include "ngx_http_chat_occupant.h"


#define NGX_HTTP_CHAT_NONCES      20       /* in a block */
#define NGX_HTTP_CHAT_NONCES_MAX  1000     /* about, of an occupant */


typedef struct {
    uint64_t                   hash;       /* of the nonce, keyed by the zone */
    uint64_t                   seq;
    uint64_t                   ts;
} ngx_http_chat_nonce_sh_t;


typedef struct {
    uint32_t                   n;          /* used ones */
    uint32_t                   reserved;
    ngx_http_chat_nonce_sh_t   nonces[NGX_HTTP_CHAT_NONCES];
} ngx_http_chat_nonces_sh_t;


uint64_t ngx_http_chat_nonce_hash(ngx_http_chat_zone_t *z, ngx_str_t *nonce);

/* The message with that nonce, newer than "since" in ms; NULL: none. */
ngx_http_chat_nonce_sh_t *ngx_http_chat_nonce_find_locked(
    ngx_http_chat_zone_t *z, uint32_t o, uint64_t hash, uint64_t since);

/* Adds one; what is older than "since" is given back.  DECLINED: no blocks are
 * left. */
ngx_int_t ngx_http_chat_nonce_add_locked(ngx_http_chat_zone_t *z, uint32_t o,
    uint64_t hash, uint64_t seq, uint64_t ts, uint64_t since);

/* Takes the newest one back if it is of seq or a later one. */
void ngx_http_chat_nonce_undo_locked(ngx_http_chat_zone_t *z, uint32_t o,
    uint64_t seq);

/* Gives back what is older than since; 1: there are others. */
ngx_uint_t ngx_http_chat_nonce_trim_locked(ngx_http_chat_zone_t *z,
    uint32_t o, uint64_t since);

void ngx_http_chat_nonce_clear_locked(ngx_http_chat_zone_t *z, uint32_t o);


#endif /* _NGX_HTTP_CHAT_NONCE_H_INCLUDED_ */
