
#include "ngx_http_chat_block.h"


uint32_t
ngx_http_chat_block_alloc(ngx_http_chat_zone_t *z, ngx_uint_t kind)
{
    uint32_t                   n;
    ngx_http_chat_pool_sh_t   *pool;
    ngx_http_chat_block_sh_t  *block;

    pool = &z->sh->pool;

    ngx_http_chat_zone_lock_inner(z, &pool->lock);

    n = pool->free;

    if (n) {
        pool->free = ngx_http_chat_block(z, n)->next;
        pool->nfree--;

    } else if (pool->unused <= z->sh->nblocks) {
        n = pool->unused++;
        pool->nfree--;
    }

    ngx_http_chat_unlock(&pool->lock);

    if (n) {
        block = ngx_http_chat_block(z, n);
        block->next = 0;
        block->kind = (uint16_t) kind;
        block->reserved = 0;
    }

    return n;
}


void
ngx_http_chat_block_free(ngx_http_chat_zone_t *z, uint32_t first,
    uint32_t last, ngx_uint_t n)
{
    ngx_http_chat_pool_sh_t  *pool;

    if (n == 0) {
        return;
    }

    pool = &z->sh->pool;

    ngx_http_chat_block(z, last)->kind = NGX_HTTP_CHAT_BLOCK_FREE;

    ngx_http_chat_zone_lock_inner(z, &pool->lock);

    ngx_http_chat_block(z, last)->next = pool->free;

    ngx_memory_barrier();

    pool->free = first;
    pool->nfree += n;

    ngx_http_chat_unlock(&pool->lock);
}
