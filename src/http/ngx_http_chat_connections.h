
/*
 * How many connections there may be, and how fast they may come.
 *
 * A counter is a room without people, whose members are the connections: so
 * it is the same for all workers, those of a killed one are taken out with
 * all that it had, and it is gone when nobody is connected.
 */


#ifndef _NGX_HTTP_CHAT_CONNECTIONS_H_INCLUDED_
#define _NGX_HTTP_CHAT_CONNECTIONS_H_INCLUDED_


#include "ngx_http_chat_module.h"


#define NGX_HTTP_CHAT_CONNECTIONS_MAX   8

/* What became of a connection by the limits: a context's "limit". */
#define NGX_HTTP_CHAT_LIMIT_NONE        0
#define NGX_HTTP_CHAT_LIMIT_PASSED      1
#define NGX_HTTP_CHAT_LIMIT_REJECTED    2
#define NGX_HTTP_CHAT_LIMIT_DRY_RUN     3

/* The close code of a connection whose user has too many of them. */
#define NGX_HTTP_CHAT_CONNECTION_LIMIT  4008


/* Where a connection is counted; zeroed before it is. */
typedef struct {
    uint32_t                   room;       /* 0: it is not */
    uint64_t                   epoch;
} ngx_http_chat_counted_t;


char *ngx_http_chat_set_connections(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_chat_set_connection_rate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Takes a token of each rate: first of those by an address, "early", before
 * anything is known of who comes, then of the others.  OK, or a status to
 * refuse the request with.
 */
ngx_int_t ngx_http_chat_connection_rates(ngx_http_request_t *r,
    ngx_uint_t early);

/* Bytes of a session's own part that are for "counted". */
size_t ngx_http_chat_connections_size(ngx_http_chat_loc_conf_t *chcf);

/* Counts a connection wherever it is not counted yet and its key is not
 * empty.  OK, or a status; what is counted then still has to leave. */
ngx_int_t ngx_http_chat_connections_enter(ngx_http_request_t *r,
    ngx_http_chat_counted_t *counted);

void ngx_http_chat_connections_leave(ngx_http_chat_session_t *s,
    ngx_http_chat_counted_t *counted);

/* Variables: "$chat_limit_status", "$chat_limit_rejected_<zone>" with
 * "$chat_limit_dry_run_<zone>", and "$chat_remote_net". */
ngx_int_t ngx_http_chat_limit_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_chat_limit_count(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_chat_net_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


#endif /* _NGX_HTTP_CHAT_CONNECTIONS_H_INCLUDED_ */
