
/*
 * Which rooms may go: the list by use, what is taken from whom when the zone
 * is full, and the sweep.
 */


#ifndef _NGX_HTTP_CHAT_EVICT_H_INCLUDED_
#define _NGX_HTTP_CHAT_EVICT_H_INCLUDED_


#include "ngx_http_chat_room.h"


/* How often one thing may ask for memory, and for how many blocks, beside
 * those of its bytes. */
#define NGX_HTTP_CHAT_EVICT_TRIES  8
#define NGX_HTTP_CHAT_EVICT_NEED   8


/*
 * Locks the list by use.  0: someone died while he changed it; until the
 * repair its links may lead to blocks that are rooms no more.
 */
ngx_uint_t ngx_http_chat_evict_lock(ngx_http_chat_zone_t *z);
void ngx_http_chat_evict_unlock(ngx_http_chat_zone_t *z);

/* Puts a room at the young end; takes it out.  The list is locked. */
void ngx_http_chat_evict_link_locked(ngx_http_chat_zone_t *z, uint32_t n);
void ngx_http_chat_evict_unlink_locked(ngx_http_chat_zone_t *z, uint32_t n);

/* Moves a room to the young end, at most once a second.  The room is locked. */
void ngx_http_chat_evict_touch_locked(ngx_http_chat_zone_t *z, uint32_t n);

/*
 * Frees blocks until "need" are free: history of the least recently used rooms
 * that have any, and when there is none read markers and nonces of who is
 * away, and empty rooms.  OK, also if it is fewer; DECLINED: nobody has any.
 * After a vain search over all rooms the next one waits, so that a full zone
 * does not cost everyone a walk for each message.  tries is how often this may
 * be asked for one thing, for others may take what was freed.  What was just
 * made for it, a room as yet empty, may be evicted too: so what is needed for
 * all of it is to be asked for at once.  No lock is held.
 */
ngx_int_t ngx_http_chat_evict(ngx_http_chat_zone_t *z, ngx_uint_t *tries,
    ngx_uint_t need);


#endif /* _NGX_HTTP_CHAT_EVICT_H_INCLUDED_ */
