
/*
 * A claim: while a user is connected, what his name and his identity look like
 * is his, so that nobody else can call himself so.
 *
 * A claim is a room that nobody can join by a name, called by the folding,
 * with the user in it; so all workers know of it, those of a killed one are
 * taken out with all that it had, and it is gone when nobody is connected who
 * is called so.
 */


#ifndef _NGX_HTTP_CHAT_CLAIM_H_INCLUDED_
#define _NGX_HTTP_CHAT_CLAIM_H_INCLUDED_


#include "ngx_http_chat_session.h"


/*
 * The session's user is to be called so: he gives up the claim on the name
 * before.  With force, also if others look so; without, BUSY then, and nothing
 * has changed.  The first call claims the identity, too.  OK, also where names
 * are not looked at; BUSY; DECLINED: the zone is full; ERROR: no memory.
 */
ngx_int_t ngx_http_chat_claim_name(ngx_http_chat_session_t *s,
    ngx_str_t *name, ngx_uint_t force);

void ngx_http_chat_claim_release(ngx_http_chat_session_t *s);


#endif /* _NGX_HTTP_CHAT_CLAIM_H_INCLUDED_ */
