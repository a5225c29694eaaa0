
#include "ngx_http_chat_zone.h"
#include "ngx_http_chat_block.h"
#include "ngx_http_chat_limit.h"


#define NGX_HTTP_CHAT_ZONE_LIMITS  64      /* the part that limits get */


static ngx_int_t ngx_http_chat_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static void ngx_http_chat_zone_compare(ngx_shm_zone_t *shm_zone);
static void ngx_http_chat_zone_attach(ngx_http_chat_zone_t *z, u_char *addr);
static size_t ngx_http_chat_zone_head(ngx_uint_t nslots);
static size_t ngx_http_chat_zone_tables(ngx_uint_t nbuckets,
    ngx_uint_t nlimits);
static uint64_t ngx_http_chat_zone_random(void);
static void ngx_http_chat_zone_secret(ngx_http_chat_zone_sh_t *sh);


ngx_http_chat_zone_t *
ngx_http_chat_zone_add(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    ngx_uint_t workers, void *tag)
{
    ngx_shm_zone_t        *shm_zone;
    ngx_http_chat_zone_t  *z;

    shm_zone = ngx_shared_memory_add(cf, name, size, tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    z = shm_zone->data;

    if (z == NULL) {
        z = ngx_pcalloc(cf->pool, sizeof(ngx_http_chat_zone_t));
        if (z == NULL) {
            return NULL;
        }

        z->name = shm_zone->shm.name;
        z->shm_zone = shm_zone;
        z->cycle = cf->cycle;
        z->slot = NGX_HTTP_CHAT_NO_SLOT;

        shm_zone->data = z;
    }

    if (size == 0) {
        return z;
    }

    if (shm_zone->init) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"chat_zone\" \"%V\" is already defined, "
                           "give the second zone another name", name);
        return NULL;
    }

    shm_zone->init = ngx_http_chat_zone_init;
    z->workers = workers;

    return z;
}


static ngx_int_t
ngx_http_chat_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_chat_zone_t  *oz = data;

    size_t                 len, size;
    u_char                *addr;
    ngx_uint_t             nslots;
    ngx_core_conf_t       *ccf;
    ngx_slab_pool_t       *shpool;
    ngx_http_chat_zone_t  *z;

    z = shm_zone->data;

    nslots = z->workers;

    if (nslots == 0) {

        /* not ngx_cycle: that one is still the former configuration's */

        ccf = (ngx_core_conf_t *) ngx_get_conf(z->cycle->conf_ctx,
                                               ngx_core_module);

        nslots = 4 * (ngx_uint_t) ngx_max(ccf->worker_processes, 1);
        nslots = ngx_min(ngx_max(nslots, 64), NGX_HTTP_CHAT_SLOTS_MAX);
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (oz || shm_zone->shm.exists) {
        addr = shpool->data;

        if (((ngx_http_chat_zone_sh_t *) addr)->layout
            != NGX_HTTP_CHAT_LAYOUT)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "chat_zone \"%V\" was made by another version of "
                          "the module: restart nginx instead of reloading it",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        ngx_http_chat_zone_attach(z, addr);

        if (z->workers && z->workers != z->sh->nslots) {
            ngx_log_error(NGX_LOG_WARN, shm_zone->shm.log, 0,
                          "chat_zone \"%V\" keeps its %uD worker slots, "
                          "\"workers=%ui\" takes effect after a restart",
                          &shm_zone->shm.name, z->sh->nslots, z->workers);
        }

        return NGX_OK;
    }

    ngx_http_chat_zone_compare(shm_zone);

    len = sizeof(" in chat_zone \"\"") + shm_zone->shm.name.len;

    shpool->log_ctx = ngx_slab_alloc(shpool, len);
    if (shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(shpool->log_ctx, " in chat_zone \"%V\"%Z",
                &shm_zone->shm.name);

    /* all that is left, as one run of pages */

    size = shpool->pfree * ngx_pagesize;

    addr = size ? ngx_slab_alloc(shpool, size) : NULL;

    if (addr == NULL
        || ngx_http_chat_zone_format(z, addr, size, nslots) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "chat_zone \"%V\" is too small for %ui worker slots, "
                      "make it larger or give it fewer with \"workers=\"",
                      &shm_zone->shm.name, nslots);
        return NGX_ERROR;
    }

    shpool->data = addr;

    return NGX_OK;
}


/* Whoever reloads must learn that what the zone had is not kept. */

static void
ngx_http_chat_zone_compare(ngx_shm_zone_t *shm_zone)
{
    ngx_uint_t             i;
    ngx_shm_zone_t        *old;
    ngx_list_part_t       *part;
    ngx_http_chat_zone_t  *z;

    z = shm_zone->data;

    part = &z->cycle->old_cycle->shared_memory.part;
    old = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {

            if (part->next == NULL) {
                return;
            }

            part = part->next;
            old = part->elts;
            i = 0;
        }

        if (old[i].tag == shm_zone->tag
            && old[i].shm.size != shm_zone->shm.size
            && old[i].shm.name.len == shm_zone->shm.name.len
            && ngx_strncmp(old[i].shm.name.data, shm_zone->shm.name.data,
                           shm_zone->shm.name.len)
               == 0)
        {
            ngx_log_error(NGX_LOG_WARN, shm_zone->shm.log, 0,
                          "chat_zone \"%V\" has %uz bytes instead of %uz and "
                          "is made anew: its rooms begin again, clients "
                          "cannot resume",
                          &shm_zone->shm.name, shm_zone->shm.size,
                          old[i].shm.size);
            return;
        }
    }
}


ngx_int_t
ngx_http_chat_zone_format(ngx_http_chat_zone_t *z, u_char *addr, size_t size,
    ngx_uint_t nslots)
{
    size_t                    head, tables;
    uint32_t                  nblocks, nbuckets, nlimits;
    ngx_uint_t                i;
    ngx_http_chat_zone_sh_t  *sh;

    head = ngx_http_chat_zone_head(nslots);

    if (size < head + 64 * NGX_HTTP_CHAT_BLOCK_SIZE) {
        return NGX_ERROR;
    }

    /* 2^31 blocks are a terabyte */

    nblocks = (uint32_t) ngx_min((size - head) / NGX_HTTP_CHAT_BLOCK_SIZE,
                                 0x7fffffff);
    nbuckets = NGX_HTTP_CHAT_STRIPES;
    nlimits = 1;

    while (nbuckets < nblocks / 4) {
        nbuckets <<= 1;
    }

    while (ngx_http_chat_zone_tables(0, 2 * nlimits)
           <= (size - head) / NGX_HTTP_CHAT_ZONE_LIMITS)
    {
        nlimits <<= 1;
    }

    /* one block less than fits, for block 0 is none */

    tables = ngx_http_chat_zone_tables(nbuckets, nlimits);
    nblocks = (uint32_t) ngx_min((size - head - tables)
                                 / NGX_HTTP_CHAT_BLOCK_SIZE - 1, 0x7fffffff);

    sh = (ngx_http_chat_zone_sh_t *) addr;

    ngx_memzero(addr, head);

    sh->nslots = (uint32_t) nslots;
    sh->nblocks = nblocks;
    sh->nbuckets = nbuckets;
    sh->nlimits = nlimits;
    sh->seed = ngx_http_chat_zone_random();
    sh->pool.unused = 1;
    sh->pool.nfree = nblocks;

    ngx_http_chat_zone_secret(sh);
    ngx_http_chat_zone_attach(z, addr);

    ngx_memzero(z->buckets, tables);

    for (i = 0; i < nslots; i++) {
        z->slots[i].fd[0] = -1;
        z->slots[i].fd[1] = -1;
    }

    sh->layout = NGX_HTTP_CHAT_LAYOUT;

    return NGX_OK;
}


static void
ngx_http_chat_zone_attach(ngx_http_chat_zone_t *z, u_char *addr)
{
    u_char  *p;

    z->sh = (ngx_http_chat_zone_sh_t *) addr;
    z->slots = (ngx_http_chat_slot_sh_t *)
                   (addr + ngx_align(sizeof(ngx_http_chat_zone_sh_t), 64));

    p = addr + ngx_http_chat_zone_head(z->sh->nslots);

    z->buckets = (uint32_t *) p;
    z->people = z->buckets + z->sh->nbuckets;

    p = ngx_align_ptr(p + ngx_http_chat_zone_tables(z->sh->nbuckets, 0), 64);

    z->limits = (ngx_http_chat_limit_sh_t *) p;

    /* index 1 is the first: its place is behind the tables */

    p += ngx_http_chat_zone_tables(0, z->sh->nlimits);

    z->blocks = p - NGX_HTTP_CHAT_BLOCK_SIZE;
}


static size_t
ngx_http_chat_zone_head(ngx_uint_t nslots)
{
    return ngx_align(sizeof(ngx_http_chat_zone_sh_t), 64)
           + ngx_align(nslots * sizeof(ngx_http_chat_slot_sh_t), 64);
}


/* The buckets of rooms and of people, and the limits. */

static size_t
ngx_http_chat_zone_tables(ngx_uint_t nbuckets, ngx_uint_t nlimits)
{
    return ngx_align(2 * nbuckets * sizeof(uint32_t), 64)
           + ngx_align(nlimits * NGX_HTTP_CHAT_LIMIT_WAYS
                       * sizeof(ngx_http_chat_limit_sh_t), 64);
}


/* What hashes of users' own words are keyed by: who can guess it can make a
 * chain of them long. */

static void
ngx_http_chat_zone_secret(ngx_http_chat_zone_sh_t *sh)
{
    ssize_t   n;
    ngx_fd_t  fd;

    sh->secret[0] = ngx_http_chat_zone_random();
    sh->secret[1] = ngx_http_chat_zone_random();

    fd = ngx_open_file("/dev/urandom", NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    n = read(fd, sh->secret, sizeof(sh->secret));
    (void) n;

    (void) ngx_close_file(fd);
}


static uint64_t
ngx_http_chat_zone_random(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    /* not a secret: it must only differ from the zone's former lives */

    return ((uint64_t) ngx_random() << 33) ^ ((uint64_t) ngx_random() << 11)
           ^ ((uint64_t) tp->sec * 1000 + tp->msec)
           ^ ((uint64_t) ngx_pid << 44);
}


void
ngx_http_chat_zone_lock(ngx_http_chat_zone_t *z, uint32_t hash)
{
    ngx_http_chat_zone_lock_inner(z,
                         &z->sh->stripes[hash & (NGX_HTTP_CHAT_STRIPES - 1)]);
}


void
ngx_http_chat_zone_unlock(ngx_http_chat_zone_t *z, uint32_t hash)
{
    ngx_http_chat_unlock(&z->sh->stripes[hash & (NGX_HTTP_CHAT_STRIPES - 1)]);
}


void
ngx_http_chat_zone_lock_inner(ngx_http_chat_zone_t *z,
    ngx_http_chat_lock_t *lock)
{
    if (ngx_http_chat_lock(lock)) {
        z->sh->leaks = 1;
    }
}


ngx_uint_t
ngx_http_chat_zone_claim(ngx_http_chat_zone_t *z, ngx_uint_t *dead)
{
    ngx_uint_t                i;
    ngx_atomic_uint_t         pid;
    ngx_http_chat_slot_sh_t  *slot;

    for (i = 0; i < z->sh->nslots; i++) {
        slot = &z->slots[i];
        pid = slot->pid;

        /* our own number in a slot is a predecessor's of the same pid */

        if (pid != 0
            && pid != (ngx_atomic_uint_t) ngx_pid
            && ngx_http_chat_pid_alive((ngx_pid_t) pid))
        {
            continue;
        }

        if (!ngx_atomic_cmp_set(&slot->pid, pid, (ngx_atomic_uint_t) ngx_pid)) {
            continue;
        }

        *dead = (pid != 0);

        ngx_http_chat_zone_lock_inner(z, &slot->lock);

        slot->tail = slot->head;
        slot->signaled = 0;
        slot->rescan = 0;
        slot->sessions = 0;

        ngx_http_chat_unlock(&slot->lock);

        return i;
    }

    return NGX_HTTP_CHAT_NO_SLOT;
}


void
ngx_http_chat_zone_release(ngx_http_chat_zone_t *z, ngx_uint_t slot)
{
    z->slots[slot].sessions = 0;

    ngx_memory_barrier();

    z->slots[slot].pid = 0;
}


ngx_uint_t
ngx_http_chat_zone_find_dead(ngx_http_chat_zone_t *z)
{
    ngx_uint_t         i;
    ngx_atomic_uint_t  pid;

    for (i = 0; i < z->sh->nslots; i++) {
        pid = z->slots[i].pid;

        if (pid == 0
            || i == z->slot
            || ngx_http_chat_pid_alive((ngx_pid_t) pid))
        {
            continue;
        }

        if (ngx_atomic_cmp_set(&z->slots[i].pid, pid,
                               (ngx_atomic_uint_t) ngx_pid))
        {
            return i;
        }
    }

    return NGX_HTTP_CHAT_NO_SLOT;
}


ngx_uint_t
ngx_http_chat_zone_push(ngx_http_chat_zone_t *z, ngx_uint_t n, uint32_t room)
{
    ngx_http_chat_slot_sh_t  *slot;

    slot = &z->slots[n];

    ngx_http_chat_zone_lock_inner(z, &slot->lock);

    if (slot->head - slot->tail < NGX_HTTP_CHAT_RING) {
        slot->ring[slot->head & (NGX_HTTP_CHAT_RING - 1)] = room;
        ngx_memory_barrier();
        slot->head++;

    } else {
        slot->rescan = 1;
    }

    ngx_http_chat_unlock(&slot->lock);

    return ngx_atomic_cmp_set(&slot->signaled, 0, 1);
}


uint32_t
ngx_http_chat_zone_pull(ngx_http_chat_zone_t *z, ngx_uint_t n)
{
    uint32_t                  room;
    ngx_http_chat_slot_sh_t  *slot;

    slot = &z->slots[n];
    room = 0;

    ngx_http_chat_zone_lock_inner(z, &slot->lock);

    if (slot->tail != slot->head) {
        room = slot->ring[slot->tail & (NGX_HTTP_CHAT_RING - 1)];
        slot->tail++;
    }

    ngx_http_chat_unlock(&slot->lock);

    return room;
}
