
/*
 * The pool of equal blocks that rooms and logs are made of.  It cannot
 * fragment, and a chain of any length is given back in one step.
 *
 *   0        4        6        8                                          512
 *  +--------+--------+--------+---------------------------------------------+
 *  | next   | kind   |        | data: a room, or a part of a log's bytes    |
 *  +--------+--------+--------+---------------------------------------------+
 */


#ifndef _NGX_HTTP_CHAT_BLOCK_H_INCLUDED_
#define _NGX_HTTP_CHAT_BLOCK_H_INCLUDED_


#include "ngx_http_chat_zone.h"


#define NGX_HTTP_CHAT_BLOCK_SIZE  512
#define NGX_HTTP_CHAT_BLOCK_DATA  (NGX_HTTP_CHAT_BLOCK_SIZE - 8)

#define NGX_HTTP_CHAT_BLOCK_FREE       0
#define NGX_HTTP_CHAT_BLOCK_ROOM       1
#define NGX_HTTP_CHAT_BLOCK_LOG        2
#define NGX_HTTP_CHAT_BLOCK_RESIDENTS  3
#define NGX_HTTP_CHAT_BLOCK_PEOPLE     4
#define NGX_HTTP_CHAT_BLOCK_HERE       5
#define NGX_HTTP_CHAT_BLOCK_NONCES     6
#define NGX_HTTP_CHAT_BLOCK_TOPIC      7
#define NGX_HTTP_CHAT_BLOCK_INTENT     8


typedef struct {
    uint32_t                   next;
    uint16_t                   kind;
    uint16_t                   reserved;
    u_char                     data[NGX_HTTP_CHAT_BLOCK_DATA];
} ngx_http_chat_block_sh_t;


#define ngx_http_chat_block(z, n)                                             \
    ((ngx_http_chat_block_sh_t *)                                             \
     ((z)->blocks + (size_t) (n) * NGX_HTTP_CHAT_BLOCK_SIZE))


/* 0: none is left.  The block's next is 0, its data are not cleared. */
uint32_t ngx_http_chat_block_alloc(ngx_http_chat_zone_t *z, ngx_uint_t kind);

/* Gives back the chain first .. last of n blocks. */
void ngx_http_chat_block_free(ngx_http_chat_zone_t *z, uint32_t first,
    uint32_t last, ngx_uint_t n);


#endif /* _NGX_HTTP_CHAT_BLOCK_H_INCLUDED_ */
