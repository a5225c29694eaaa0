
#include "ngx_http_chat_nonce.h"
#include "ngx_http_chat_hash.h"


#define NGX_HTTP_CHAT_NONCE_BLOCKS                                            \
    (NGX_HTTP_CHAT_NONCES_MAX / NGX_HTTP_CHAT_NONCES)


#define ngx_http_chat_nonces(z, n)                                            \
    ((ngx_http_chat_nonces_sh_t *) ngx_http_chat_block(z, n)->data)


static void ngx_http_chat_nonce_cut(ngx_http_chat_zone_t *z, uint32_t *link);
static void ngx_http_chat_nonce_drop(ngx_http_chat_zone_t *z, uint32_t o,
    uint64_t since, ngx_uint_t max);


uint64_t
ngx_http_chat_nonce_hash(ngx_http_chat_zone_t *z, ngx_str_t *nonce)
{
    return ngx_http_chat_hash(z, NGX_HTTP_CHAT_HASH_NONCE, nonce->data,
                              nonce->len);
}


ngx_http_chat_nonce_sh_t *
ngx_http_chat_nonce_find_locked(ngx_http_chat_zone_t *z, uint32_t o,
    uint64_t hash, uint64_t since)
{
    uint32_t                    n, i;
    ngx_http_chat_nonce_sh_t   *nonce;
    ngx_http_chat_nonces_sh_t  *ns;

    for (n = ngx_http_chat_occupant(z, o)->nonces;
         n;
         n = ngx_http_chat_block(z, n)->next)
    {
        ns = ngx_http_chat_nonces(z, n);

        for (i = ns->n; i; i--) {
            nonce = &ns->nonces[i - 1];

            if (nonce->ts < since) {
                return NULL;
            }

            if (nonce->hash == hash) {
                return nonce;
            }
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_chat_nonce_add_locked(ngx_http_chat_zone_t *z, uint32_t o,
    uint64_t hash, uint64_t seq, uint64_t ts, uint64_t since)
{
    uint32_t                      n;
    ngx_http_chat_nonce_sh_t     *nonce;
    ngx_http_chat_nonces_sh_t    *ns;
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(z, o);
    n = occupant->nonces;

    if (n == 0 || ngx_http_chat_nonces(z, n)->n >= NGX_HTTP_CHAT_NONCES) {

        /* old ones are looked for once a block, and before one is asked for */

        ngx_http_chat_nonce_drop(z, o, since, NGX_HTTP_CHAT_NONCE_BLOCKS - 1);

        n = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_NONCES);
        if (n == 0) {
            return NGX_DECLINED;
        }

        ngx_http_chat_nonces(z, n)->n = 0;
        ngx_http_chat_nonces(z, n)->reserved = 0;
        ngx_http_chat_block(z, n)->next = occupant->nonces;
    }

    ns = ngx_http_chat_nonces(z, n);

    nonce = &ns->nonces[ns->n];
    nonce->hash = hash;
    nonce->seq = seq;
    nonce->ts = ts;

    ngx_memory_barrier();

    ns->n++;

    ngx_memory_barrier();

    occupant->nonces = n;

    return NGX_OK;
}


void
ngx_http_chat_nonce_undo_locked(ngx_http_chat_zone_t *z, uint32_t o,
    uint64_t seq)
{
    uint32_t                      n;
    ngx_http_chat_nonces_sh_t    *ns;
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(z, o);
    n = occupant->nonces;

    if (n == 0) {
        return;
    }

    ns = ngx_http_chat_nonces(z, n);

    if (ns->nonces[ns->n - 1].seq < seq) {
        return;
    }

    /* no block in the chain is ever empty */

    if (ns->n > 1) {
        ns->n--;
        return;
    }

    occupant->nonces = ngx_http_chat_block(z, n)->next;

    ngx_memory_barrier();

    ngx_http_chat_block_free(z, n, n, 1);
}


ngx_uint_t
ngx_http_chat_nonce_trim_locked(ngx_http_chat_zone_t *z, uint32_t o,
    uint64_t since)
{
    ngx_http_chat_nonce_drop(z, o, since, NGX_HTTP_CHAT_NONCE_BLOCKS);

    return ngx_http_chat_occupant(z, o)->nonces != 0;
}


void
ngx_http_chat_nonce_clear_locked(ngx_http_chat_zone_t *z, uint32_t o)
{
    ngx_http_chat_nonce_cut(z, &ngx_http_chat_occupant(z, o)->nonces);
}


/* Keeps the blocks whose newest is not older than since, at most max. */

static void
ngx_http_chat_nonce_drop(ngx_http_chat_zone_t *z, uint32_t o, uint64_t since,
    ngx_uint_t max)
{
    uint32_t                   *link;
    ngx_uint_t                  i;
    ngx_http_chat_nonces_sh_t  *ns;

    link = &ngx_http_chat_occupant(z, o)->nonces;

    for (i = 0; *link && i < max; i++) {
        ns = ngx_http_chat_nonces(z, *link);

        if (ns->nonces[ns->n - 1].ts < since) {
            break;
        }

        link = &ngx_http_chat_block(z, *link)->next;
    }

    ngx_http_chat_nonce_cut(z, link);
}


/* Gives back the chain that a link leads to. */

static void
ngx_http_chat_nonce_cut(ngx_http_chat_zone_t *z, uint32_t *link)
{
    uint32_t    first, last, next;
    ngx_uint_t  n;

    first = *link;

    if (first == 0) {
        return;
    }

    *link = 0;

    ngx_memory_barrier();

    last = first;
    n = 1;

    for ( ;; ) {
        ngx_http_chat_block(z, last)->kind = NGX_HTTP_CHAT_BLOCK_FREE;

        next = ngx_http_chat_block(z, last)->next;

        if (next == 0) {
            break;
        }

        last = next;
        n++;
    }

    ngx_http_chat_block_free(z, first, last, n);
}
