
/*
 * Who may do what: one table of all commands, and one function that looks
 * into it, for each command that comes.
 */


#ifndef _NGX_HTTP_CHAT_RIGHTS_H_INCLUDED_
#define _NGX_HTTP_CHAT_RIGHTS_H_INCLUDED_


#include "ngx_http_chat_reply.h"


/* The role that counts: the room's grant, or what he came with; an owner by
 * configuration is one whatever was granted. */
ngx_uint_t ngx_http_chat_role(ngx_uint_t came, ngx_uint_t granted);

/* Of the session's user in a room: what he came with, there where
 * "chat_authorize" has said so; and the role that counts. */
ngx_uint_t ngx_http_chat_role_came(ngx_http_chat_session_t *s,
    ngx_http_chat_standing_t *standing);
ngx_uint_t ngx_http_chat_role_own(ngx_http_chat_session_t *s,
    ngx_http_chat_standing_t *standing);

/* 1: the location allows that act, NGX_HTTP_CHAT_ACT_..., in that room. */
ngx_uint_t ngx_http_chat_access(ngx_http_chat_session_t *s, ngx_uint_t act,
    ngx_str_t *room, ngx_http_chat_standing_t *standing);

/* Else: the error reply, and a line in the log. */
void ngx_http_chat_access_refuse(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_str_t *room);

/* As access() in raw mode: in the session's only room, which knows nobody. */
ngx_uint_t ngx_http_chat_access_raw(ngx_http_chat_session_t *s,
    ngx_uint_t act);

/* "member", "moderator", "owner"; and back, ROLE_NONE for none of these. */
const char *ngx_http_chat_role_name(ngx_uint_t role);
ngx_uint_t ngx_http_chat_role_of(const void *name, size_t len);

/* 1: the command needs membership of the room that it names. */
ngx_uint_t ngx_http_chat_rights_joined(ngx_http_chat_session_t *s,
    chat_cmd_e type);

/* 1: the room's slow mode, if it is on, holds for him. */
ngx_uint_t ngx_http_chat_rights_slow(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_standing_t *standing);

/* 1: a room that is for members only knows him by a role or a grant, or it is
 * for everybody. */
ngx_uint_t ngx_http_chat_rights_member(ngx_http_chat_session_t *s,
    ngx_http_chat_standing_t *standing);

/*
 * May the session do that in the room?  standing is its user's there, zeroed
 * where the room does not know him.  OK; else the error reply was sent.
 */
ngx_int_t ngx_http_chat_allowed(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_standing_t *standing);

/* May a moderator or owner act on that user: only on one of a lower role, but
 * owners on each other.  OK; else the error reply was sent. */
ngx_int_t ngx_http_chat_allowed_on(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_standing_t *standing,
    ngx_http_chat_standing_t *other);


#endif /* _NGX_HTTP_CHAT_RIGHTS_H_INCLUDED_ */
