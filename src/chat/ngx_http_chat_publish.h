
/*
 * The only door into a log.  Whoever has something for a room gives it here,
 * and is told the outcome through a handler: at once where the log is this
 * node's own; nothing may be assumed about that, or about where a room's
 * numbers come from.
 */


#ifndef _NGX_HTTP_CHAT_PUBLISH_H_INCLUDED_
#define _NGX_HTTP_CHAT_PUBLISH_H_INCLUDED_


#include "ngx_http_chat_member.h"


typedef struct ngx_http_chat_publish_s  ngx_http_chat_publish_t;

/* rc: what ngx_http_chat_room_append() returns; append.entry has seq and ts,
 * if it is OK. */
typedef void (*ngx_http_chat_publish_pt)(ngx_http_chat_publish_t *p,
    ngx_int_t rc);


struct ngx_http_chat_publish_s {
    ngx_http_chat_zone_t         *zone;
    uint32_t                      room;
    uint64_t                      epoch;
    ngx_http_chat_room_append_t   append;      /* slots is set by publish() */
    ngx_http_chat_publish_pt      handler;
    ngx_http_chat_session_t      *session;     /* the handler's */
    void                         *data;        /* the handler's */
};


/* Sets a publish up for the room that a member is in, zeroed else. */
void ngx_http_chat_publish_to(ngx_http_chat_publish_t *p,
    ngx_http_chat_local_t *local, ngx_http_chat_session_t *s);

/* The same for any room, without a say in what it keeps.  DECLINED: there is
 * none of that name. */
ngx_int_t ngx_http_chat_publish_named(ngx_http_chat_publish_t *p,
    ngx_str_t *room, ngx_http_chat_session_t *s);

void ngx_http_chat_publish(ngx_http_chat_publish_t *p);

/* A passing event, finished text, for whoever is there.  Nobody is told if
 * there is no memory for it. */
void ngx_http_chat_publish_event(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, u_char *text, size_t len);

/* Says in the log that the zone is full; clients can repeat what leads to it,
 * so it is a line a second at most. */
void ngx_http_chat_publish_full(ngx_http_chat_zone_t *z);


#endif /* _NGX_HTTP_CHAT_PUBLISH_H_INCLUDED_ */
