
/*
 * What the parts of a room's code in src/shm have of each other.  All but the
 * lock itself are called with the room's lock held.
 */


#ifndef _NGX_HTTP_CHAT_INNER_H_INCLUDED_
#define _NGX_HTTP_CHAT_INNER_H_INCLUDED_


#include "ngx_http_chat_room.h"


/* Wall clock, ms. */
uint64_t ngx_http_chat_room_now(void);

/* The room of that index, locked, if it is still the one of that epoch. */
ngx_http_chat_room_sh_t *ngx_http_chat_room_lock(ngx_http_chat_zone_t *z,
    uint32_t n, uint64_t epoch);

/* Ends what somebody who died had begun; nothing else may come first. */
void ngx_http_chat_room_settle_locked(ngx_http_chat_zone_t *z, uint32_t n);

uint32_t ngx_http_chat_room_find_locked(ngx_http_chat_zone_t *z,
    ngx_str_t *name, uint32_t hash);
uint32_t ngx_http_chat_room_make_locked(ngx_http_chat_zone_t *z,
    ngx_str_t *name, uint32_t hash);
void ngx_http_chat_room_delete_locked(ngx_http_chat_zone_t *z, uint32_t n);

/*
 * The log makes no sense: someone wrote where he should not.  The room begins
 * anew under another epoch, and the repair collects what can't be walked.
 */
void ngx_http_chat_room_reset_locked(ngx_http_chat_zone_t *z, uint32_t n);

void ngx_http_chat_room_keep_locked(ngx_http_chat_room_sh_t *room,
    ngx_http_chat_retention_t *retention);
void ngx_http_chat_room_look_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_room_view_t *view);

/* That is his name and color from now on. */
void ngx_http_chat_standing_call_locked(ngx_http_chat_zone_t *z, uint32_t o,
    ngx_http_chat_person_t *person);

/* He is nowhere, and needs no blocks to say so. */
void ngx_http_chat_here_free_locked(ngx_http_chat_zone_t *z, uint32_t o);

/* Drops what both logs are not to keep; lag: somebody may be behind. */
void ngx_http_chat_room_trim_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_uint_t lag);

/* Appends a passing entry, if anybody is there.  OK; AGAIN: no blocks. */
ngx_int_t ngx_http_chat_room_pass_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_append_t *a);


#endif /* _NGX_HTTP_CHAT_INNER_H_INCLUDED_ */
