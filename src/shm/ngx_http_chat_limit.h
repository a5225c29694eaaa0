
/*
 * Token buckets, shared by all workers: a table of fixed size in which a key's
 * hash names a set of few places.  No locks, no allocation, nothing to repair:
 * a bucket is one word that is exchanged at once.  A new key takes the place
 * of the one in its set that was left alone for longest, which then starts
 * full again should it come back: with very many keys at a time limits become
 * milder, never stricter.
 */


#ifndef _NGX_HTTP_CHAT_LIMIT_H_INCLUDED_
#define _NGX_HTTP_CHAT_LIMIT_H_INCLUDED_


#include "ngx_http_chat_zone.h"


#define NGX_HTTP_CHAT_LIMIT_WAYS  4        /* a cache line */


/* One bucket, 16 bytes. */
typedef struct ngx_http_chat_limit_sh_s {
    ngx_atomic_t               key;        /* 0 = free */
    ngx_atomic_t               level;      /* us: the time when it is full */
} ngx_http_chat_limit_sh_t;


/* A key's hash: "kind" keeps those of several limits apart.  Never 0. */
uint64_t ngx_http_chat_limit_key(ngx_http_chat_zone_t *z, ngx_uint_t kind,
    ngx_str_t *key);

/*
 * Takes one token of the bucket, which gets "rate" of them in 1000 s and holds
 * burst, at least 1.  now is a monotonic time in ms.  0: taken; else how many
 * ms it takes until there is one.  force: takes it all the same (the bucket
 * then is in debt), and returns how long until it is paid.
 */
ngx_msec_t ngx_http_chat_limit_take(ngx_http_chat_zone_t *z, uint64_t key,
    ngx_uint_t rate, ngx_uint_t burst, ngx_msec_t now, ngx_uint_t force);


#endif /* _NGX_HTTP_CHAT_LIMIT_H_INCLUDED_ */
