
/*
 * Presence: who comes and goes, as a room's members are told.
 *
 * "joined" is appended with the join itself, so that an answer to "join" is
 * the state exactly at its cursor.  A user whose last connection has gone is
 * given chat_leave_delay to come back; the worker that saw him go keeps the
 * time, and if it dies, another one finds him by ngx_http_chat_room_due().
 */


#ifndef _NGX_HTTP_CHAT_PRESENCE_H_INCLUDED_
#define _NGX_HTTP_CHAT_PRESENCE_H_INCLUDED_


#include "ngx_http_chat_member.h"


/* A dead worker's people have so long to come back. */
#define NGX_HTTP_CHAT_PRESENCE_REAP  500      /* ms */


/*
 * Fills in what the session's user coming into a room is announced by.  The
 * texts are the worker's, good until the next call.  ERROR: no memory.
 */
ngx_int_t ngx_http_chat_presence_joined(ngx_http_chat_session_t *s,
    ngx_str_t *room, ngx_http_chat_announce_t *announce);

/* Tells the workers that the announcement names; and is to be called once
 * more later if there is a count to be told then. */
void ngx_http_chat_presence_told(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_http_chat_settings_t *settings,
    ngx_http_chat_announce_t *announce);

/* His last connection has gone: after settings->leave_delay he has left. */
void ngx_http_chat_presence_away(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_http_chat_settings_t *settings, ngx_str_t *user);

/* Once a second: people of workers that died. */
void ngx_http_chat_presence_tick(ngx_http_chat_zone_t *z);

/* The room has changes, see room.h: looks for members that were expelled, and
 * in an inbox for a new profile of its user. */
void ngx_http_chat_presence_changes(ngx_http_chat_local_t *local);


#endif /* _NGX_HTTP_CHAT_PRESENCE_H_INCLUDED_ */
