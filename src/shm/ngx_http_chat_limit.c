
#include "ngx_http_chat_limit.h"
#include "ngx_http_chat_hash.h"


#define NGX_HTTP_CHAT_LIMIT_SPAN  1000000000         /* us; 1000 s */
#define NGX_HTTP_CHAT_LIMIT_DEBT  1000               /* tokens, beyond burst */

/* us: no bucket takes so long to fill, so that who says it was damaged */
#if (NGX_PTR_SIZE == 8)
#define NGX_HTTP_CHAT_LIMIT_NEVER ((int64_t) 1 << 50)

#else
#define NGX_HTTP_CHAT_LIMIT_NEVER ((int64_t) 1 << 30)
#endif


static ngx_http_chat_limit_sh_t *ngx_http_chat_limit_find(
    ngx_http_chat_limit_sh_t *set, ngx_atomic_uint_t key,
    ngx_atomic_uint_t now);
static void ngx_http_chat_limit_merge(ngx_http_chat_limit_sh_t *bucket,
    ngx_http_chat_limit_sh_t *other, ngx_atomic_uint_t key,
    ngx_atomic_uint_t now);
static void ngx_http_chat_limit_claim(ngx_http_chat_limit_sh_t *set,
    ngx_atomic_uint_t key, ngx_atomic_uint_t now);


uint64_t
ngx_http_chat_limit_key(ngx_http_chat_zone_t *z, ngx_uint_t kind,
    ngx_str_t *key)
{
    uint64_t  hash;

    hash = ngx_http_chat_hash(z, NGX_HTTP_CHAT_HASH_LIMIT | kind, key->data,
                              key->len);

    /* nor may it be 0 where a bucket's word is half as long */

    return (ngx_atomic_uint_t) hash ? hash : 1;
}


/* How far a level is ahead of now, however the clock has gone. */

static int64_t
ngx_http_chat_limit_ahead(ngx_atomic_uint_t level, ngx_atomic_uint_t now)
{
    return (ngx_atomic_int_t) (level - now);
}


ngx_msec_t
ngx_http_chat_limit_take(ngx_http_chat_zone_t *z, uint64_t key,
    ngx_uint_t rate, ngx_uint_t burst, ngx_msec_t msec, ngx_uint_t force)
{
    int64_t                    cost, full, most, ahead, wait;
    ngx_atomic_uint_t          level, now;
    ngx_http_chat_limit_sh_t  *set, *bucket;

    rate = ngx_min(ngx_max(rate, 1), NGX_HTTP_CHAT_LIMIT_SPAN);
    burst = ngx_min(ngx_max(burst, 1), NGX_HTTP_CHAT_LIMIT_SPAN);

    /* rounded up: never more than allowed */

    cost = (NGX_HTTP_CHAT_LIMIT_SPAN + rate - 1) / rate;
    full = ngx_min((int64_t) burst * cost, NGX_HTTP_CHAT_LIMIT_NEVER / 2);
    most = ngx_min(full + NGX_HTTP_CHAT_LIMIT_DEBT * cost,
                   NGX_HTTP_CHAT_LIMIT_NEVER);

    now = (ngx_atomic_uint_t) msec * 1000;
    set = z->limits + (key & (z->sh->nlimits - 1)) * NGX_HTTP_CHAT_LIMIT_WAYS;

    for ( ;; ) {
        bucket = ngx_http_chat_limit_find(set, (ngx_atomic_uint_t) key, now);

        if (bucket == NULL) {
            ngx_http_chat_limit_claim(set, (ngx_atomic_uint_t) key, now);
            continue;
        }

        level = bucket->level;
        ahead = ngx_http_chat_limit_ahead(level, now);

        /* what is beyond all debts was damaged, or the clock was */

        if (ahead < 0 || ahead > most) {
            ahead = 0;
        }

        ahead += cost;
        wait = ngx_max(ahead - full, 0);
        wait = (wait + 999) / 1000;

        if (wait && !force) {
            return (ngx_msec_t) wait;
        }

        ahead = ngx_min(ahead, most);

        /* another key may have got the place: then nothing was taken */

        if (ngx_atomic_cmp_set(&bucket->level, level,
                               now + (ngx_atomic_uint_t) ahead)
            && bucket->key == (ngx_atomic_uint_t) key)
        {
            return (ngx_msec_t) wait;
        }
    }
}


/*
 * The key's bucket in the set; NULL: it has none.  Two processes that made one
 * at the same time may have made two: whoever sees both keeps the first.
 */

static ngx_http_chat_limit_sh_t *
ngx_http_chat_limit_find(ngx_http_chat_limit_sh_t *set, ngx_atomic_uint_t key,
    ngx_atomic_uint_t now)
{
    ngx_uint_t                 i;
    ngx_http_chat_limit_sh_t  *found;

    found = NULL;

    for (i = 0; i < NGX_HTTP_CHAT_LIMIT_WAYS; i++) {

        if (set[i].key != key) {
            continue;
        }

        if (found) {
            ngx_http_chat_limit_merge(found, &set[i], key, now);

        } else {
            found = &set[i];
        }
    }

    return found;
}


/* Gives the other place up; what was taken there is taken from the bucket. */

static void
ngx_http_chat_limit_merge(ngx_http_chat_limit_sh_t *bucket,
    ngx_http_chat_limit_sh_t *other, ngx_atomic_uint_t key,
    ngx_atomic_uint_t now)
{
    int64_t            ahead, taken;
    ngx_atomic_uint_t  level;

    if (!ngx_atomic_cmp_set(&other->key, key, 0)) {
        return;
    }

    taken = ngx_http_chat_limit_ahead(other->level, now);

    if (taken <= 0 || taken > NGX_HTTP_CHAT_LIMIT_NEVER) {
        return;
    }

    do {
        level = bucket->level;
        ahead = ngx_max(ngx_http_chat_limit_ahead(level, now), 0);

    } while (!ngx_atomic_cmp_set(&bucket->level, level,
                                 now + (ngx_atomic_uint_t) (ahead + taken)));
}


/*
 * Makes a place the key's: a free one, or the one that has been full for
 * longest.  Whether that came to be is for the caller to see, by looking again.
 */

static void
ngx_http_chat_limit_claim(ngx_http_chat_limit_sh_t *set, ngx_atomic_uint_t key,
    ngx_atomic_uint_t now)
{
    int64_t                    ahead, least;
    ngx_uint_t                 i;
    ngx_atomic_uint_t          former, level, its_key, its_level;
    ngx_http_chat_limit_sh_t  *oldest;

    oldest = NULL;
    former = 0;
    level = 0;
    least = NGX_HTTP_CHAT_LIMIT_NEVER;

    for (i = 0; i < NGX_HTTP_CHAT_LIMIT_WAYS; i++) {

        /*
         * In this order, so that what another process takes once it has made
         * the place its key's is seen, below.
         */

        its_level = set[i].level;
        ngx_memory_barrier();
        its_key = set[i].key;

        if (its_key == key) {
            return;
        }

        ahead = ngx_http_chat_limit_ahead(its_level, now);

        if (its_key == 0 || ahead > NGX_HTTP_CHAT_LIMIT_NEVER) {
            ahead = -2 * NGX_HTTP_CHAT_LIMIT_NEVER;
        }

        if (oldest == NULL || ahead < least) {
            least = ahead;
            oldest = &set[i];
            level = its_level;
            former = its_key;
        }
    }

    /* full first, then the key's: or it might begin with another's debt */

    if (ngx_atomic_cmp_set(&oldest->level, level, now)) {
        (void) ngx_atomic_cmp_set(&oldest->key, former, key);
    }
}
