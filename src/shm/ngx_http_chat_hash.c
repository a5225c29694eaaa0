
#include "ngx_http_chat_hash.h"


#define ngx_http_chat_hash_rotate(v, n)  (((v) << (n)) | ((v) >> (64 - (n))))


static void ngx_http_chat_hash_rounds(uint64_t *v, ngx_uint_t n);


/*
 * SipHash with one round a word and three at the end, which is what hash
 * tables ask for.
 */

uint64_t
ngx_http_chat_hash(ngx_http_chat_zone_t *z, uint64_t kind, u_char *data,
    size_t len)
{
    size_t    left;
    uint64_t  v[4], k[2], word;

    k[0] = z->sh->secret[0];
    k[1] = z->sh->secret[1] ^ kind;

    v[0] = k[0] ^ 0x736f6d6570736575ULL;
    v[1] = k[1] ^ 0x646f72616e646f6dULL;
    v[2] = k[0] ^ 0x6c7967656e657261ULL;
    v[3] = k[1] ^ 0x7465646279746573ULL;

    for (left = len; left >= 8; left -= 8) {
        ngx_memcpy(&word, data, 8);
        data += 8;

        v[3] ^= word;
        ngx_http_chat_hash_rounds(v, 1);
        v[0] ^= word;
    }

    word = 0;
    ngx_memcpy(&word, data, left);
    word ^= (uint64_t) len << 56;

    v[3] ^= word;
    ngx_http_chat_hash_rounds(v, 1);
    v[0] ^= word;

    v[2] ^= 0xff;
    ngx_http_chat_hash_rounds(v, 3);

    return v[0] ^ v[1] ^ v[2] ^ v[3];
}


static void
ngx_http_chat_hash_rounds(uint64_t *v, ngx_uint_t n)
{
    while (n--) {
        v[0] += v[1];
        v[1] = ngx_http_chat_hash_rotate(v[1], 13) ^ v[0];
        v[0] = ngx_http_chat_hash_rotate(v[0], 32);

        v[2] += v[3];
        v[3] = ngx_http_chat_hash_rotate(v[3], 16) ^ v[2];

        v[0] += v[3];
        v[3] = ngx_http_chat_hash_rotate(v[3], 21) ^ v[0];

        v[2] += v[1];
        v[1] = ngx_http_chat_hash_rotate(v[1], 17) ^ v[2];
        v[2] = ngx_http_chat_hash_rotate(v[2], 32);
    }
}
