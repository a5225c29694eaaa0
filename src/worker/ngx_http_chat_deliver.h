
/*
 * Delivery: rooms with news are walked in slices, after all of an event-loop
 * round's reads; each member is sent everything between its cursor and the
 * head.  Then the replies of the round go out, where they did not go with
 * the messages.
 */


#ifndef _NGX_HTTP_CHAT_DELIVER_H_INCLUDED_
#define _NGX_HTTP_CHAT_DELIVER_H_INCLUDED_


#include "ngx_http_chat_run.h"


#define NGX_HTTP_CHAT_SLICE   64     /* members of a room in one step */
#define NGX_HTTP_CHAT_PASS    256    /* sends in one pass of the event loop */


/* There are entries that this room's members here may not have. */
void ngx_http_chat_deliver_room(ngx_http_chat_local_t *local);

/* All of a session's members get what there is, now: its socket takes bytes
 * again, or the session is about to be closed.  Not from within a delivery. */
void ngx_http_chat_deliver_session(ngx_http_chat_session_t *s);

/*
 * So many bytes were appended to the room from here.  When a quarter of its
 * backlog waits for its members here the room is pressed: nothing more is read
 * from them in this round, lest the log drops what nobody was slow to take.
 */
void ngx_http_chat_deliver_press(ngx_http_chat_local_t *local, size_t len,
    size_t backlog);

/* 1: one of the session's rooms is pressed. */
ngx_uint_t ngx_http_chat_deliver_pressed(ngx_http_chat_session_t *s);

/* The session has bytes waiting, or is to be ended, at the end of the pass. */
void ngx_http_chat_deliver_flush(ngx_http_chat_session_t *s);

/* A new room's links and timer. */
void ngx_http_chat_deliver_prepare(ngx_http_chat_local_t *local);

/* The room goes: nothing of it may stay in the queues. */
void ngx_http_chat_deliver_forget(ngx_http_chat_local_t *local);

/* Once a second: rooms long quiet give their backlog back. */
void ngx_http_chat_deliver_trim(ngx_http_chat_zone_t *z);


#endif /* _NGX_HTTP_CHAT_DELIVER_H_INCLUDED_ */
