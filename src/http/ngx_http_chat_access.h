
/*
 * Who may do what in which room: rules of variables, a backend that is asked,
 * and a list of those who are to be put out.
 */


#ifndef _NGX_HTTP_CHAT_ACCESS_H_INCLUDED_
#define _NGX_HTTP_CHAT_ACCESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_chat_session.h"


/* The directives of this header's files, in a location. */
typedef struct {
    /* by NGX_HTTP_CHAT_ACT_...; NULL: it is allowed */
    ngx_http_complex_value_t         *rules[NGX_HTTP_CHAT_ACTS];
} ngx_http_chat_access_t;


/* What a request is told of an act; in its context. */
typedef struct {
    ngx_str_t                         room;
    ngx_uint_t                        role;
} ngx_http_chat_act_t;


/*
 * access.c: the directive "chat_access", and what is settings->access.
 */
char *ngx_http_chat_set_access(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_chat_access_create(ngx_http_chat_access_t *access);

/* Returns whether there is any rule. */
ngx_uint_t ngx_http_chat_access_merge(ngx_http_chat_access_t *prev,
    ngx_http_chat_access_t *conf);

/* At the end of the configuration. */
ngx_int_t ngx_http_chat_access_init(ngx_conf_t *cf);

ngx_uint_t ngx_http_chat_access_allowed(ngx_http_chat_session_t *s,
    ngx_uint_t act, ngx_str_t *room, ngx_uint_t role);

/* As a session's own request is when it does something in a room; of that
 * pool.  NULL: no memory. */
ngx_http_request_t *ngx_http_chat_act_request(ngx_http_chat_session_t *s,
    ngx_http_chat_act_t *act, ngx_pool_t *pool);


#endif /* _NGX_HTTP_CHAT_ACCESS_H_INCLUDED_ */
