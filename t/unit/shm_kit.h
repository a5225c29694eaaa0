
/*
 * What the tests of src/shm share: zones between guard pages, texts that can
 * be told by their numbers, and a census that counts a zone's blocks without
 * any help from the code that it judges.
 */


#ifndef _SHM_KIT_H_INCLUDED_
#define _SHM_KIT_H_INCLUDED_


#include "ngx_stub.h"
#include "ngx_http_chat_crowd.h"
#include "ngx_http_chat_occupant.h"
#include "ngx_http_chat_change.h"
#include "ngx_http_chat_amend.h"
#include "ngx_http_chat_repair.h"


#define SHM_NOW  1700000000000ULL       /* where the tests' clock begins, ms */


/* An entry as read: its header, and its text in the reader's buffer. */
typedef struct {
    ngx_http_chat_entry_t  header;
    u_char                *text;
} shm_entry_t;


typedef struct {
    ngx_uint_t             rooms;        /* on the buckets */
    ngx_uint_t             listed;       /* on the list by use */
    ngx_uint_t             held;         /* blocks of rooms and their logs */
    ngx_uint_t             free;         /* blocks on the pool's chain */
    ngx_uint_t             unused;       /* blocks never handed out */
} shm_census_t;


/* How many times slower than by itself this program may be: more than once
 * under valgrind, where no child can be stepped either. */
ngx_uint_t shm_slowness(void);

/* A random number below n, from a state that any number begins. */
uint64_t shm_random(uint64_t *state, uint64_t n);

/* A zone of at least so many blocks in shared memory that ends at a page that
 * must not be touched, with slot 0 ours; and its end. */
void shm_zone_make(ngx_http_chat_zone_t *z, ngx_uint_t blocks,
    ngx_uint_t slots);
void shm_zone_free(ngx_http_chat_zone_t *z);

/* The bytes of the zone, from z->sh on. */
size_t shm_zone_size(ngx_http_chat_zone_t *z);

/* A handle of the zone's copy at addr. */
void shm_zone_at(ngx_http_chat_zone_t *copy, ngx_http_chat_zone_t *z,
    u_char *addr);

/* Len bytes that tell the number they were made of, and are they? */
void shm_text(u_char *buf, size_t len, uint64_t number);
ngx_uint_t shm_text_is(u_char *buf, size_t len, uint64_t number);

/* Blocks from first to the end of the chain, 0 if there is no end. */
ngx_uint_t shm_chain(ngx_http_chat_zone_t *z, uint32_t first);

/* Counts everything.  NULL, or what is wrong with the zone. */
const char *shm_census(ngx_http_chat_zone_t *z, shm_census_t *census);

/* As above, and every block must be held, free or unused. */
const char *shm_complete(ngx_http_chat_zone_t *z);

/* Cuts what a read gave into entries, up to max; returns how many. */
ngx_uint_t shm_entries(u_char *buf, size_t used, shm_entry_t *entries,
    ngx_uint_t max);

/* A member in the room "name" from z->slot, and its room; 0: no room.  The
 * user NULL: nobody in particular; else *occupant is set. */
uint32_t shm_join(ngx_http_chat_zone_t *z, const char *name,
    ngx_http_chat_retention_t *retention, ngx_http_chat_room_view_t *view);
uint32_t shm_join_as(ngx_http_chat_zone_t *z, const char *name,
    const char *user, ngx_http_chat_retention_t *retention,
    uint32_t *occupant, ngx_http_chat_room_view_t *view);

/* Appends len bytes made of the number as an entry of that sender. */
ngx_int_t shm_append(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch,
    ngx_http_chat_retention_t *retention, size_t len, uint64_t number);


#endif /* _SHM_KIT_H_INCLUDED_ */
