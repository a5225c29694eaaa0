
/*
 * A byte's place in a log, which may be behind the last byte of its block.
 * get() copies len bytes and moves the place, data NULL: only that; ERROR: the
 * chain leads out of the zone.  put() trusts the chain.  header() reads one
 * that can be an entry's of that state, else ERROR; place() is where a cursor
 * stands.
 */


#ifndef _NGX_HTTP_CHAT_PLACE_H_INCLUDED_
#define _NGX_HTTP_CHAT_PLACE_H_INCLUDED_


#include "ngx_http_chat_log.h"


typedef struct {
    uint32_t               block;
    uint32_t               off;
} ngx_http_chat_log_place_t;


ngx_uint_t ngx_http_chat_log_is_block(ngx_http_chat_zone_t *z, uint32_t n);
ngx_int_t ngx_http_chat_log_get(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_place_t *p, void *data, size_t len);
void ngx_http_chat_log_put(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_place_t *p, const void *data, size_t len);
ngx_int_t ngx_http_chat_log_header(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_log_place_t *p,
    ngx_http_chat_entry_t *e);
void ngx_http_chat_log_place(ngx_http_chat_log_state_t *st,
    ngx_http_chat_cursor_t *cursor, ngx_http_chat_log_place_t *p);


#endif /* _NGX_HTTP_CHAT_PLACE_H_INCLUDED_ */
