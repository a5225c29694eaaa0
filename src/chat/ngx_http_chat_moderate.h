
/*
 * What the commands that change a room or its people have in common.
 */


#ifndef _NGX_HTTP_CHAT_MODERATE_H_INCLUDED_
#define _NGX_HTTP_CHAT_MODERATE_H_INCLUDED_


#include "ngx_http_chat_command.h"
#include "ngx_http_chat_publish.h"


/*
 * May the session do what the command says, and to the user that it names
 * (other, or NULL)?  Then p is set up for the room; m may be NULL: a moderator
 * need not be in it.  OK; else the error reply was sent.
 */
ngx_int_t ngx_http_chat_moderate_begin(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m,
    ngx_http_chat_publish_t *p, ngx_http_chat_standing_t *other);


#endif /* _NGX_HTTP_CHAT_MODERATE_H_INCLUDED_ */
