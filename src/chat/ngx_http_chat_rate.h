
/*
 * How many messages a session may send: by its location's rates, and in a
 * room that it was let into with limits.
 */


#ifndef _NGX_HTTP_CHAT_RATE_H_INCLUDED_
#define _NGX_HTTP_CHAT_RATE_H_INCLUDED_


#include "ngx_http_chat_member.h"


/*
 * A message or a ping came, and costs a token of each rate.  OK; DECLINED:
 * there is none, and *wait is how many ms until there is.  It may throttle or
 * close the session.
 */
ngx_int_t ngx_http_chat_rate(ngx_http_chat_session_t *s, ngx_msec_t *wait);

/* The member is held in its room to what it was let in with.  ERROR: no
 * memory. */
ngx_int_t ngx_http_chat_rate_limit(ngx_http_chat_member_t *m,
    ngx_http_chat_admission_t *how);

/* As ngx_http_chat_rate(), of what adds to the member's room, which has an
 * allowance. */
ngx_int_t ngx_http_chat_rate_room(ngx_http_chat_member_t *m, ngx_msec_t *wait);


#endif /* _NGX_HTTP_CHAT_RATE_H_INCLUDED_ */
