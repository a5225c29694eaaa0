
/*
 * A purge: one user's messages are looked for in a room, so that the entry
 * that kicks or bans him can amend them all.
 *
 * Zeroed by its owner, filled by _find(), given back by _free().
 */


#ifndef _NGX_HTTP_CHAT_PURGE_H_INCLUDED_
#define _NGX_HTTP_CHAT_PURGE_H_INCLUDED_


#include "ngx_http_chat_publish.h"
#include "ngx_http_chat_reply.h"


#define NGX_HTTP_CHAT_PURGE_ENTRIES  10000   /* the latest ones of a room */


typedef struct {
    ngx_http_chat_zone_t      *zone;
    uint32_t                   room;
    uint64_t                   epoch;

    ngx_http_chat_cursor_t    *targets;      /* his messages' places */
    ngx_uint_t                 ntargets;

    uint64_t                   next;         /* looked at up to there */
    uint16_t                   passing;      /* head of the passing log */
    u_char                    *buf;
    size_t                     size;

    size_t                     len;          /* the user as a JSON string */
    u_char                     user[ngx_http_chat_reply_string(
                                        NGX_HTTP_CHAT_PERSON_MAX)];
} ngx_http_chat_purge_t;


/* Looks through the room of p.  OK; ABORT: the room is gone; ERROR: no
 * memory. */
ngx_int_t ngx_http_chat_purge_find(ngx_http_chat_purge_t *purge,
    ngx_http_chat_publish_t *p, chat_str_t *user);

/* Deletes, one by one, what he wrote while his messages were looked for, in
 * front of the entry that p has published. */
void ngx_http_chat_purge_late(ngx_http_chat_purge_t *purge,
    ngx_http_chat_publish_t *p, chat_str_t *room);

void ngx_http_chat_purge_free(ngx_http_chat_purge_t *purge);


#endif /* _NGX_HTTP_CHAT_PURGE_H_INCLUDED_ */
