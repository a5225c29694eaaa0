
/*
 * What src/shm calls of nginx, for tests without an nginx: a clock that
 * stands still until it is set, memory that can be made to run out, a log
 * that counts, and as much of the configuration as a zone asks for.
 */


#ifndef _NGX_STUB_H_INCLUDED_
#define _NGX_STUB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* A number that no process has: as ngx_pid, it makes one that is dead. */
#define NGX_STUB_DEAD  0x7ffffff0


typedef struct {
    ngx_uint_t       no_memory;      /* ngx_alloc() and ngx_calloc() fail */
    ngx_uint_t       logged;         /* messages */
    ngx_uint_t       level;          /* of the last one */
    char             text[256];      /* its format */

    ngx_shm_zone_t   zone;           /* the one zone that can be added */
    ngx_cycle_t      cycle;
    ngx_cycle_t      former;         /* the cycle before, with no zones */
    ngx_core_conf_t  core;
    ngx_pool_t       pool;
} ngx_stub_t;


extern ngx_stub_t  ngx_stub;


/* Sets all clocks; ms since 1970. */
void ngx_stub_time(uint64_t ms);

/* A configuration in which a zone may be added. */
void ngx_stub_conf(ngx_conf_t *cf);

/* Memory of a zone, with a slab pool at its begin of which all is free. */
void ngx_stub_shm(ngx_shm_zone_t *zone, size_t size);


#endif /* _NGX_STUB_H_INCLUDED_ */
