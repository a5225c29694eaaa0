
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
 * texts are the worker's, good until the next call.
 */
void ngx_http_chat_presence_joined(ngx_http_chat_session_t *s,
    ngx_str_t *room, const char *role, ngx_http_chat_announce_t *announce);

/* Tells the workers that the announcement names; and if there is a count to
 * be told later, sees to that. */
void ngx_http_chat_presence_told(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_http_chat_announce_t *announce);

/* His last connection has gone: after settings->leave_delay he has left. */
void ngx_http_chat_presence_away(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_http_chat_settings_t *settings, ngx_str_t *user);

/* Somebody was expelled: there may be a count to be told. */
void ngx_http_chat_presence_fewer(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_str_t *name);

/*
 * A worker has gone, and some of its people are yet to be said to have left:
 * looks for them for a while.  "wait" is when the first ones are due, in ms.
 */
void ngx_http_chat_presence_search(ngx_http_chat_zone_t *z, ngx_msec_t wait);

/* Once a second, in one worker: people of workers that died. */
void ngx_http_chat_presence_tick(ngx_http_chat_zone_t *z);

/* From the worker's start. */
void ngx_http_chat_presence_init(ngx_http_chat_zone_t *z);

/* The user's own choice of name and color, which that inbox has, if any. */
void ngx_http_chat_presence_profile(ngx_http_chat_session_t *s, uint32_t room,
    uint64_t epoch, uint32_t occupant);

/*
 * The user is another person now: the session has that name and color, and so
 * has he in all of its rooms but the inbox, where this is announced unless
 * another one of his sessions has done so.
 */
void ngx_http_chat_presence_rename(ngx_http_chat_session_t *s,
    ngx_http_chat_person_t *person);

/* The room has changes, see room.h: looks for members that were expelled, and
 * in an inbox for a new profile of its user. */
void ngx_http_chat_presence_changes(ngx_http_chat_local_t *local);


#endif /* _NGX_HTTP_CHAT_PRESENCE_H_INCLUDED_ */
