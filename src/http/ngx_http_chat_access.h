
/*
 * Who may do what in which room: rules of variables, a backend that is asked,
 * and a list of those who are to be put out.
 */


#ifndef _NGX_HTTP_CHAT_ACCESS_H_INCLUDED_
#define _NGX_HTTP_CHAT_ACCESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_chat_credential.h"


typedef struct ngx_http_chat_ask_s  ngx_http_chat_ask_t;


/* The directives of this header's files, in a location. */
typedef struct {
    /* by NGX_HTTP_CHAT_ACT_...; NULL: it is allowed */
    ngx_http_complex_value_t         *rules[NGX_HTTP_CHAT_ACTS];
    ngx_http_chat_keyfile_t          *revoked;   /* NULL: off */

    /* "chat_authorize" and its cache */
    ngx_str_t                         uri;       /* empty: nobody is asked */
    ngx_msec_t                        timeout;
    ngx_msec_t                        valid;     /* 0 = nothing is kept */
    ngx_http_complex_value_t         *key;       /* NULL: the user */
} ngx_http_chat_access_t;


/* What a request is told of an act; in its context. */
typedef struct {
    ngx_str_t                         room;
    ngx_uint_t                        role;
    ngx_str_t                         sid;       /* where no session is left */
} ngx_http_chat_act_t;


/*
 * access.c: the directive "chat_access", and what is settings->access: the
 * rules and the session's API key must both allow what is done.
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

/* What was computed for the request, as by "map", is so anew when it is asked
 * for again: before claims are looked at that are others than before. */
void ngx_http_chat_act_recompute(ngx_http_request_t *r);


/*
 * revoke.c: the directive "chat_revoked".  Each worker looks at the files from
 * its start on, and closes those of its sessions that are in them.
 */
char *ngx_http_chat_set_revoked(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_chat_revoked_start(ngx_cycle_t *cycle);

/* Of somebody who comes now, with that token if it has claims.  OK, or the
 * status to refuse him with. */
ngx_int_t ngx_http_chat_revoked(ngx_http_chat_access_t *access,
    ngx_str_t *user, chat_jwt_t *jwt, ngx_log_t *log);

/* Closes that session if it is in its location's file, or its API key is no
 * longer in the other one. */
void ngx_http_chat_revoked_session(ngx_http_chat_session_t *s);


/*
 * authorize.c: the directives "chat_authorize" and "chat_authorize_cache",
 * and what is settings->authorize.
 */
char *ngx_http_chat_set_authorize(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_chat_set_authorize_cache(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Of whole location configurations. */
char *ngx_http_chat_authorize_merge(ngx_conf_t *cf, void *parent, void *child);

ngx_int_t ngx_http_chat_authorize(ngx_http_chat_session_t *s, ngx_str_t *room,
    ngx_http_chat_admission_t *how, void *waiting);

/* The session goes, whatever it waits for. */
void ngx_http_chat_authorize_forget(ngx_http_chat_session_t *s);


/*
 * ask.c: a subrequest to that URI of the session's server, which does not need
 * the session any more.  The handler is called once, and never before this
 * returns; status 0: there was none.  NULL: there is no memory, and no call.
 */
typedef void (*ngx_http_chat_answer_pt)(void *data, ngx_uint_t status,
    ngx_http_request_t *r);

ngx_http_chat_ask_t *ngx_http_chat_ask(ngx_http_chat_session_t *s,
    ngx_http_chat_act_t *act, ngx_str_t *uri, ngx_http_chat_answer_pt handler,
    void *data);

/* Nobody waits for the answer, which has not come: the handler is not called,
 * and whoever is asked is let go.  Not for a handler to call. */
void ngx_http_chat_ask_cancel(ngx_http_chat_ask_t *ask);


#endif /* _NGX_HTTP_CHAT_ACCESS_H_INCLUDED_ */
