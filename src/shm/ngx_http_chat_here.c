
#include "ngx_http_chat_inner.h"
#include "ngx_http_chat_occupant.h"


#define NGX_HTTP_CHAT_HERE_SLOT       24
#define NGX_HTTP_CHAT_HERE_MASK       0x00ffffff

#define ngx_http_chat_here(z, n)                                              \
    ((uint32_t *) ngx_http_chat_block(z, n)->data)


/* A walk over an occupant's counts, those in its blocks included. */
typedef struct {
    uint32_t   *counts;
    uint32_t    next;                      /* block */
    ngx_uint_t  n;
    ngx_uint_t  i;
} ngx_http_chat_here_t;


static uint32_t *ngx_http_chat_here_first(ngx_http_chat_zone_t *z, uint32_t o,
    ngx_http_chat_here_t *h);
static uint32_t *ngx_http_chat_here_next(ngx_http_chat_zone_t *z,
    ngx_http_chat_here_t *h);
static ngx_int_t ngx_http_chat_here_more(ngx_http_chat_zone_t *z, uint32_t o);
static ngx_uint_t ngx_http_chat_here_sub(ngx_http_chat_zone_t *z, uint32_t o,
    ngx_uint_t slot, uint32_t n);


ngx_int_t
ngx_http_chat_occupant_enter_locked(ngx_http_chat_zone_t *z, uint32_t o)
{
    uint32_t              *here, *place;
    ngx_http_chat_here_t   h;

    place = NULL;

    for (here = ngx_http_chat_here_first(z, o, &h);
         here;
         here = ngx_http_chat_here_next(z, &h))
    {
        if ((*here & NGX_HTTP_CHAT_HERE_MASK) == 0) {
            place = place ? place : here;
            continue;
        }

        if (*here >> NGX_HTTP_CHAT_HERE_SLOT == z->slot) {
            (*here)++;
            return NGX_OK;
        }
    }

    if (place == NULL) {
        return ngx_http_chat_here_more(z, o);
    }

    *place = (uint32_t) z->slot << NGX_HTTP_CHAT_HERE_SLOT | 1;

    return NGX_OK;
}


ngx_uint_t
ngx_http_chat_occupant_leave_locked(ngx_http_chat_zone_t *z, uint32_t o,
    ngx_uint_t slot)
{
    return ngx_http_chat_here_sub(z, o, slot, 1);
}


ngx_uint_t
ngx_http_chat_occupant_reap_locked(ngx_http_chat_zone_t *z, uint32_t o,
    ngx_uint_t slot)
{
    return ngx_http_chat_here_sub(z, o, slot, NGX_HTTP_CHAT_HERE_MASK);
}


ngx_uint_t
ngx_http_chat_occupant_here_locked(ngx_http_chat_zone_t *z, uint32_t o)
{
    uint32_t              *here;
    ngx_uint_t             n;
    ngx_http_chat_here_t   h;

    n = 0;

    for (here = ngx_http_chat_here_first(z, o, &h);
         here;
         here = ngx_http_chat_here_next(z, &h))
    {
        n += *here & NGX_HTTP_CHAT_HERE_MASK;
    }

    return n;
}


static uint32_t *
ngx_http_chat_here_first(ngx_http_chat_zone_t *z, uint32_t o,
    ngx_http_chat_here_t *h)
{
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(z, o);

    h->counts = occupant->here;
    h->next = occupant->more;
    h->n = NGX_HTTP_CHAT_OCCUPANT_HERE;
    h->i = 0;

    return ngx_http_chat_here_next(z, h);
}


static uint32_t *
ngx_http_chat_here_next(ngx_http_chat_zone_t *z, ngx_http_chat_here_t *h)
{
    if (h->i == h->n) {

        if (h->next == 0) {
            return NULL;
        }

        h->counts = ngx_http_chat_here(z, h->next);
        h->next = ngx_http_chat_block(z, h->next)->next;
        h->n = NGX_HTTP_CHAT_OCCUPANT_MORE;
        h->i = 0;
    }

    return &h->counts[h->i++];
}


/* A first connection from this worker, in a block of its own. */

static ngx_int_t
ngx_http_chat_here_more(ngx_http_chat_zone_t *z, uint32_t o)
{
    uint32_t                      n;
    ngx_http_chat_occupant_sh_t  *occupant;

    n = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_HERE);
    if (n == 0) {
        return NGX_DECLINED;
    }

    occupant = ngx_http_chat_occupant(z, o);

    ngx_memzero(ngx_http_chat_block(z, n)->data, NGX_HTTP_CHAT_BLOCK_DATA);
    ngx_http_chat_here(z, n)[0] =
                          (uint32_t) z->slot << NGX_HTTP_CHAT_HERE_SLOT | 1;
    ngx_http_chat_block(z, n)->next = occupant->more;

    ngx_memory_barrier();

    occupant->more = n;

    return NGX_OK;
}


/* n or all connections less from that slot; how many are left on all. */

static ngx_uint_t
ngx_http_chat_here_sub(ngx_http_chat_zone_t *z, uint32_t o, ngx_uint_t slot,
    uint32_t n)
{
    uint32_t              *here, count;
    ngx_uint_t             left;
    ngx_http_chat_here_t   h;

    left = 0;

    for (here = ngx_http_chat_here_first(z, o, &h);
         here;
         here = ngx_http_chat_here_next(z, &h))
    {
        count = *here & NGX_HTTP_CHAT_HERE_MASK;

        if (*here >> NGX_HTTP_CHAT_HERE_SLOT == slot) {
            *here -= ngx_min(n, count);
        }

        left += *here & NGX_HTTP_CHAT_HERE_MASK;
    }

    if (left == 0) {
        ngx_http_chat_here_free_locked(z, o);
    }

    return left;
}


void
ngx_http_chat_here_free_locked(ngx_http_chat_zone_t *z, uint32_t o)
{
    uint32_t                      n, next;
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(z, o);

    n = occupant->more;

    if (n == 0) {
        return;
    }

    occupant->more = 0;

    ngx_memory_barrier();

    while (n) {
        next = ngx_http_chat_block(z, n)->next;
        ngx_http_chat_block_free(z, n, n, 1);
        n = next;
    }
}
