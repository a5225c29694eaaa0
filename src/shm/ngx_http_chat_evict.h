
/*
 * Which rooms may go: the list by use, what is taken from whom when the zone
 * is full, and the sweep.
 */


#ifndef _NGX_HTTP_CHAT_EVICT_H_INCLUDED_
#define _NGX_HTTP_CHAT_EVICT_H_INCLUDED_


#include "ngx_http_chat_room.h"


/* Evictions that one call may ask for, beside those for its bytes. */
#define NGX_HTTP_CHAT_EVICT_TRIES  64


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
 * Frees some blocks: history of the least recently used room that has any, and
 * when there is none read markers and nonces of who is away, and empty rooms.
 * DECLINED: nobody has any.  After a vain search over all rooms the next one
 * waits, so that a full zone does not cost everyone a walk for each message.
 * tries is how often this may be asked for one thing: what was just made for
 * it may be what is evicted.  No lock is held.
 */
ngx_int_t ngx_http_chat_evict(ngx_http_chat_zone_t *z, ngx_uint_t *tries);


#endif /* _NGX_HTTP_CHAT_EVICT_H_INCLUDED_ */
