
/*
 * The zone: everything that the workers share.
 *
 * One shared memory zone is one chat.  Its memory is carved once, when it is
 * made, and nothing in it is ever allocated in any other way than as a block
 * of NGX_HTTP_CHAT_BLOCK_SIZE bytes, so it cannot fragment:
 *
 *   nginx's own   root (below)     slots    buckets         limits   blocks
 *  +-------------+----------------+--------+---------------+--------+---------+
 *  | slab header | layout, locks, | one a  | first room of | token  | rooms,  |
 *  |             | counters, pool | worker | a hash; first | buckets| people, |
 *  |             | and lru        |        | occupant      |        | logs    |
 *  +-------------+----------------+--------+---------------+--------+---------+
 *
 * Blocks are named by their index; 0 is none.  They are handed out from the
 * low end first, so that memory never used is never touched.
 *
 * Locks, in the order in which they may be nested: a stripe (rooms are hashed
 * onto them, and no two are ever held, but by the repair, in their order),
 * then the lru's or the pool's or a slot's.  No lock is held while anything
 * is logged, allocated from pools or written to a socket.
 */


#ifndef _NGX_HTTP_CHAT_ZONE_H_INCLUDED_
#define _NGX_HTTP_CHAT_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_chat_lock.h"


#define NGX_HTTP_CHAT_LAYOUT         0x63683033     /* "ch03" */

#define NGX_HTTP_CHAT_STRIPES        64
#define NGX_HTTP_CHAT_SLOTS_MAX      256
#define NGX_HTTP_CHAT_RING           512            /* rooms, a power of two */
#define NGX_HTTP_CHAT_NO_SLOT        ((ngx_uint_t) -1)
#define NGX_HTTP_CHAT_ZONE_MIN       (512 * 1024)   /* bytes */


/* What a room keeps. */
typedef struct {
    ngx_uint_t                 messages;   /* 0: no history */
    ngx_msec_t                 age;
    size_t                     backlog;    /* bytes, for who lags behind */
    ngx_msec_t                 idle;       /* an empty room's life, then */
    ngx_msec_t                 window;     /* that nonces are remembered */
} ngx_http_chat_retention_t;


/*
 * A worker's place, 2.2 KiB.  Claimed in init_process by writing one's pid,
 * given back in exit_process.  The ring names rooms with news for this worker;
 * when it is full "rescan" is set instead, and the worker looks at all of its
 * rooms.  "signaled" is set by whoever wrote to the descriptor, and cleared by
 * the worker before it reads the ring: one wake-up for any number of news.
 */
typedef struct {
    ngx_atomic_t               pid;
    ngx_atomic_t               signaled;
    ngx_atomic_t               rescan;
    ngx_atomic_t               sessions;   /* its worker's alone to write */
    ngx_int_t                  fd[2];      /* to read, to write; inherited */
    ngx_http_chat_lock_t       lock;       /* guards the ring */
    uint32_t                   head;       /* grows for ever: next to write */
    uint32_t                   tail;       /* next to read */
    uint32_t                   ring[NGX_HTTP_CHAT_RING];
} ngx_http_chat_slot_sh_t;


/* The pool of blocks. */
typedef struct {
    ngx_http_chat_lock_t       lock;
    uint32_t                   free;       /* first of the free ones' chain */
    uint32_t                   unused;     /* from here on none was ever used */
    ngx_atomic_t               nfree;      /* unused ones included */
} ngx_http_chat_pool_sh_t;


/* All rooms, from the least recently used to the latest. */
typedef struct {
    ngx_http_chat_lock_t       lock;
    uint32_t                   oldest;
    uint32_t                   newest;
    ngx_atomic_t               rooms;
    ngx_atomic_t               broken;     /* not to be used until a repair */
} ngx_http_chat_lru_sh_t;


typedef struct {
    uint32_t                   layout;
    uint32_t                   nslots;
    uint32_t                   nblocks;    /* block indices are 1..nblocks */
    uint32_t                   nbuckets;   /* a power of two, >= STRIPES */
    uint32_t                   nlimits;    /* sets of buckets, likewise */

    uint64_t                   seed;       /* random: makes epochs unique */
    uint64_t                   secret[2];  /* of hashes; told to nobody */

    ngx_atomic_t               generation; /* of configurations, by master */
    ngx_atomic_t               leaks;      /* a lock was broken: repair */
    ngx_atomic_t               session;    /* the last session's id */
    ngx_atomic_t               life;       /* rooms ever made */
    ngx_atomic_t               full;       /* ms: nothing could be evicted */
    ngx_atomic_t               swept;      /* ms: the latest sweep */
    ngx_atomic_t               sweep;      /* the next one's first bucket */

    ngx_atomic_t               evicted;    /* counters */
    ngx_atomic_t               repairs;
    ngx_atomic_t               reaped;
    ngx_atomic_t               rejected;   /* at the door, by its limits */
    ngx_atomic_t               dry_run;    /* and those let in all the same */

    ngx_http_chat_pool_sh_t    pool;
    ngx_http_chat_lru_sh_t     lru;
    ngx_http_chat_lock_t       stripes[NGX_HTTP_CHAT_STRIPES];
} ngx_http_chat_zone_sh_t;


/* This process's handle of a zone; lives as long as its cycle. */
typedef struct {
    ngx_str_t                  name;
    ngx_shm_zone_t            *shm_zone;
    ngx_cycle_t               *cycle;
    ngx_uint_t                 workers;    /* slots asked for, 0 = default */

    ngx_http_chat_zone_sh_t   *sh;
    ngx_http_chat_slot_sh_t   *slots;
    uint32_t                  *buckets;    /* rooms */
    uint32_t                  *people;     /* occupants, as many buckets */
    struct ngx_http_chat_limit_sh_s
                              *limits;
    u_char                    *blocks;     /* block n at n * BLOCK_SIZE */

    ngx_uint_t                 slot;       /* this worker's, or NO_SLOT */
    ngx_uint_t                 generation; /* this worker's configuration's */
    void                      *worker;     /* src/worker's */
} ngx_http_chat_zone_t;


/*
 * A zone of that name: defined if size is not 0, else referred to.  workers
 * is the number of slots, 0 = default.  NULL: an error, which is logged.
 */
ngx_http_chat_zone_t *ngx_http_chat_zone_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, ngx_uint_t workers, void *tag);

/* Lays a zone out in "size" bytes at "addr"; ERROR: it is too small.  Apart
 * from _add() for the unit tests. */
ngx_int_t ngx_http_chat_zone_format(ngx_http_chat_zone_t *z, u_char *addr,
    size_t size, ngx_uint_t nslots);

/* The lock of the rooms with that hash. */
void ngx_http_chat_zone_lock(ngx_http_chat_zone_t *z, uint32_t hash);
void ngx_http_chat_zone_unlock(ngx_http_chat_zone_t *z, uint32_t hash);

/* Locks one of the inner locks; notes it if its holder had died. */
void ngx_http_chat_zone_lock_inner(ngx_http_chat_zone_t *z,
    ngx_http_chat_lock_t *lock);

/*
 * Takes a free slot, or a dead worker's: then *dead is 1 and its rooms must be
 * told by ngx_http_chat_room_reap() before anybody joins one from here.
 * NGX_HTTP_CHAT_NO_SLOT: all are in use.
 */
ngx_uint_t ngx_http_chat_zone_claim(ngx_http_chat_zone_t *z, ngx_uint_t *dead);
void ngx_http_chat_zone_release(ngx_http_chat_zone_t *z, ngx_uint_t slot);

/* A slot whose worker has died, now ours to reap and release; or NO_SLOT. */
ngx_uint_t ngx_http_chat_zone_find_dead(ngx_http_chat_zone_t *z);

/*
 * Tells the worker in that slot of news in a room.  1: it must be woken by
 * writing to its descriptor; 0: it will come by itself.
 */
ngx_uint_t ngx_http_chat_zone_push(ngx_http_chat_zone_t *z, ngx_uint_t slot,
    uint32_t room);

/* The next room with news for a slot, or 0. */
uint32_t ngx_http_chat_zone_pull(ngx_http_chat_zone_t *z, ngx_uint_t slot);


#endif /* _NGX_HTTP_CHAT_ZONE_H_INCLUDED_ */
