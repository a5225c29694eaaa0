
/*
 * A join whose answer has to wait, for src/http, which asks somebody else for
 * it; see settings->authorize.
 */


#ifndef _NGX_HTTP_CHAT_JOIN_H_INCLUDED_
#define _NGX_HTTP_CHAT_JOIN_H_INCLUDED_


#include "ngx_http_chat_session.h"


/* What was found out for that join: results as those of settings->authorize.
 * "waiting" is freed. */
void ngx_http_chat_join_authorized(ngx_http_chat_session_t *s, void *waiting,
    ngx_int_t rc, ngx_http_chat_admission_t *how);


#endif /* _NGX_HTTP_CHAT_JOIN_H_INCLUDED_ */
