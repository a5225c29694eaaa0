
/*
 * Changes: what an entry does beside being there, that is whom it kicks, mutes
 * or bans, and which settings it makes.  The entry and its change must be both
 * or neither, whenever somebody dies:
 *
 *   prepare   an intent, a block on the room, has all that the change needs
 *   commit    the entry is appended
 *   apply     the change is made, in steps that may be made again
 *             and the block goes
 *
 * Who finds an intent on a room sees by its entry's being there or not whether
 * to apply or to drop it.  Expelling may need a block and find none; then the
 * intent stays, and is tried again by whoever comes next.
 *
 * All functions are called with the room's lock held.
 */


#ifndef _NGX_HTTP_CHAT_CHANGE_H_INCLUDED_
#define _NGX_HTTP_CHAT_CHANGE_H_INCLUDED_


#include "ngx_http_chat_room.h"


typedef struct {
    uint64_t                   seq;        /* of the entry */
    uint64_t                   until;
    uint32_t                   occupant;   /* 0 = nobody is changed */
    uint32_t                   topic;      /* a block, if one is given */
    uint32_t                   slow;
    uint8_t                    what;       /* NGX_HTTP_CHAT_CHANGE_... */
    uint8_t                    role;
    uint8_t                    given;      /* NGX_HTTP_CHAT_ROOM_... */
    uint8_t                    flags;
} ngx_http_chat_intent_sh_t;


/* OK; AGAIN: no blocks are left; DECLINED: there is nobody to kick. */
ngx_int_t ngx_http_chat_change_prepare_locked(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_http_chat_room_append_t *a);

/* Is the entry of the room's intent there? */
ngx_uint_t ngx_http_chat_change_is_sure(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room);

/* The entry is there.  OK; AGAIN: no blocks are left, the intent stays. */
ngx_int_t ngx_http_chat_change_apply_locked(ngx_http_chat_zone_t *z,
    uint32_t n);

/* The entry is not. */
void ngx_http_chat_change_cancel_locked(ngx_http_chat_zone_t *z, uint32_t n);

/* Is there anything but its log for which a room has to be kept? */
ngx_uint_t ngx_http_chat_change_matters_locked(ngx_http_chat_zone_t *z,
    uint32_t n);


#endif /* _NGX_HTTP_CHAT_CHANGE_H_INCLUDED_ */
