
#include <sys/mman.h>

#include "ngx_stub.h"


static u_char *ngx_stub_number(u_char *buf, uint64_t n);


static ngx_log_t   ngx_stub_log;
static ngx_time_t  ngx_stub_now;
static void       *ngx_stub_ctx[1];

ngx_stub_t         ngx_stub;

ngx_pid_t             ngx_pid;
ngx_uint_t            ngx_pagesize = 4096;
ngx_module_t          ngx_core_module;
volatile ngx_cycle_t *ngx_cycle = &ngx_stub.cycle;
volatile ngx_msec_t   ngx_current_msec;
volatile ngx_time_t  *ngx_cached_time = &ngx_stub_now;


void
ngx_stub_time(uint64_t ms)
{
    ngx_stub_now.sec = (time_t) (ms / 1000);
    ngx_stub_now.msec = (ngx_uint_t) (ms % 1000);
    ngx_current_msec = (ngx_msec_t) ms;

    ngx_stub_log.log_level = NGX_LOG_DEBUG;
    ngx_stub.cycle.log = &ngx_stub_log;
}


void
ngx_stub_conf(ngx_conf_t *cf)
{
    ngx_memzero(&ngx_stub, sizeof(ngx_stub_t));
    ngx_memzero(cf, sizeof(ngx_conf_t));

    ngx_stub_time(1000);

    ngx_stub_ctx[0] = &ngx_stub.core;
    ngx_stub.core.worker_processes = 1;
    ngx_stub.cycle.conf_ctx = (void ****) ngx_stub_ctx;
    ngx_stub.cycle.old_cycle = &ngx_stub.former;

    cf->cycle = &ngx_stub.cycle;
    cf->pool = &ngx_stub.pool;
    cf->log = &ngx_stub_log;
}


void
ngx_stub_shm(ngx_shm_zone_t *zone, size_t size)
{
    ngx_slab_pool_t  *shpool;

    zone->shm.addr = mmap(NULL, size, PROT_READ|PROT_WRITE,
                          MAP_ANON|MAP_SHARED, -1, 0);
    if (zone->shm.addr == MAP_FAILED) {
        exit(2);
    }

    zone->shm.size = size;
    zone->shm.log = &ngx_stub_log;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    shpool->start = zone->shm.addr + ngx_pagesize;
    shpool->end = zone->shm.addr + size;
    shpool->pfree = (size - ngx_pagesize) / ngx_pagesize;
}


/* Pages one after the other, never given back. */

void *
ngx_slab_alloc(ngx_slab_pool_t *pool, size_t size)
{
    u_char      *p;
    ngx_uint_t   pages;

    pages = (size + ngx_pagesize - 1) / ngx_pagesize;

    if (pages > pool->pfree) {
        return NULL;
    }

    p = pool->start;
    pool->start += pages * ngx_pagesize;
    pool->pfree -= pages;

    return p;
}


ngx_shm_zone_t *
ngx_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    ngx_shm_zone_t  *zone;

    zone = &ngx_stub.zone;

    if (name->len == 0) {
        return NULL;
    }

    zone->shm.name = *name;
    zone->shm.log = cf->log;
    zone->tag = tag;

    if (size) {
        zone->shm.size = size;
    }

    return zone;
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    return ngx_stub.no_memory ? NULL : malloc(size);
}


void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    return ngx_stub.no_memory ? NULL : calloc(1, size);
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    return ngx_calloc(size, NULL);
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    ngx_stub.logged++;
    ngx_stub.level = level;
    (void) snprintf(ngx_stub.text, sizeof(ngx_stub.text), "%s", fmt);
}


void ngx_cdecl
ngx_conf_log_error(ngx_uint_t level, ngx_conf_t *cf, ngx_err_t err,
    const char *fmt, ...)
{
    ngx_log_error_core(level, cf->log, err, "%s", fmt);
}


/* Any mixing does: FNV-1a, folded. */

uint32_t
ngx_murmur_hash2(u_char *data, size_t len)
{
    uint32_t  h;

    h = 2166136261U;

    while (len--) {
        h = (h ^ *data++) * 16777619U;
    }

    return h ^ (h >> 15);
}


static u_char *
ngx_stub_number(u_char *buf, uint64_t n)
{
    u_char  digits[24], *p;

    p = digits + sizeof(digits);

    do {
        *--p = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n);

    while (p < digits + sizeof(digits)) {
        *buf++ = *p++;
    }

    return buf;
}


/* Knows %uL, %V and %Z. */

u_char * ngx_cdecl
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    va_list     args;
    ngx_str_t  *s;

    va_start(args, fmt);

    while (*fmt) {

        if (*fmt != '%') {
            *buf++ = (u_char) *fmt++;
            continue;
        }

        fmt++;

        if (*fmt == 'u') {
            buf = ngx_stub_number(buf, va_arg(args, uint64_t));
            fmt++;

        } else if (*fmt == 'V') {
            s = va_arg(args, ngx_str_t *);
            buf = ngx_cpymem(buf, s->data, s->len);

        } else {
            *buf++ = '\0';
        }

        fmt++;
    }

    va_end(args);

    return buf;
}
