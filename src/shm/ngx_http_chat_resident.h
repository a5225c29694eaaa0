
/*
 * Residents: the workers that have members in a room, how many each, and
 * whether they were told of news.  The first few stand in the room, others in
 * blocks of their own.
 *
 * All functions are called with the room's lock held.
 */


#ifndef _NGX_HTTP_CHAT_RESIDENT_H_INCLUDED_
#define _NGX_HTTP_CHAT_RESIDENT_H_INCLUDED_


#include "ngx_http_chat_room.h"


/* The worker in that slot, or NULL. */
ngx_http_chat_resident_t *ngx_http_chat_resident_find_locked(
    ngx_http_chat_zone_t *z, ngx_http_chat_room_sh_t *room, ngx_uint_t slot);

/* The same, or a place for it, still with 0 members; NULL: the zone is
 * full. */
ngx_http_chat_resident_t *ngx_http_chat_resident_get_locked(
    ngx_http_chat_zone_t *z, ngx_http_chat_room_sh_t *room, ngx_uint_t slot);

/*
 * A room's members are those of its residents, always added up anew: a number
 * that is moved along with theirs would stay wrong when someone dies between.
 */
void ngx_http_chat_resident_count_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room);

/* Lists the workers that do not know yet that there are news. */
ngx_uint_t ngx_http_chat_resident_tell_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, uint16_t *slots);

/* This worker is looking. */
void ngx_http_chat_resident_heard_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room);

/* Nobody is there any more, and who was has to look at all of its rooms. */
void ngx_http_chat_resident_reset_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room);

/* Gives the blocks back. */
void ngx_http_chat_resident_clear_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room);


#endif /* _NGX_HTTP_CHAT_RESIDENT_H_INCLUDED_ */
