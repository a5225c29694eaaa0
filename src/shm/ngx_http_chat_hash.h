
/*
 * A keyed hash, for all that users choose: names, nonces, addresses.  Who does
 * not know the zone's key cannot make two that meet.
 */


#ifndef _NGX_HTTP_CHAT_HASH_H_INCLUDED_
#define _NGX_HTTP_CHAT_HASH_H_INCLUDED_


#include "ngx_http_chat_zone.h"


/* Kinds; that of a room's people is its index. */
#define NGX_HTTP_CHAT_HASH_NONCE  ((uint64_t) 1 << 62)
#define NGX_HTTP_CHAT_HASH_LIMIT  ((uint64_t) 1 << 63)


/* "kind" keeps apart what has the same bytes and another meaning. */
uint64_t ngx_http_chat_hash(ngx_http_chat_zone_t *z, uint64_t kind,
    u_char *data, size_t len);


#endif /* _NGX_HTTP_CHAT_HASH_H_INCLUDED_ */
