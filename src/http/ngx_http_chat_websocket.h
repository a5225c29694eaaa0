
/*
 * The transport in two halves.  websocket.c takes a connection over from its
 * request, frames what goes out and closes; websocket_read.c makes messages
 * of the bytes that come.
 */


#ifndef _NGX_HTTP_CHAT_WEBSOCKET_H_INCLUDED_
#define _NGX_HTTP_CHAT_WEBSOCKET_H_INCLUDED_


#include "ngx_http_chat_module.h"

#include "chat_ws.h"


/* A session's own part. */
typedef struct {
    chat_ws_decoder_t         decoder;

    /* until the connection is taken over: notices if the request ends */
    ngx_http_cleanup_t       *cleanup;
} ngx_http_chat_websocket_t;


#define ngx_http_chat_websocket_of(s)                                         \
    ((ngx_http_chat_websocket_t *) ngx_http_chat_session_private(s))


/* The transport's; finalizes the session where it has to. */
void ngx_http_chat_websocket_read(ngx_http_chat_session_t *s);

/* What came with the handshake: the session may be dead afterwards. */
void ngx_http_chat_websocket_input(ngx_http_chat_session_t *s,
    u_char *pos, u_char *end);

/* Gives back what is no longer needed of half a message, or all. */
void ngx_http_chat_websocket_partial_free(ngx_http_chat_session_t *s,
    ngx_uint_t all);

/* Queues a ping or a pong. */
void ngx_http_chat_websocket_control_frame(ngx_http_chat_session_t *s,
    ngx_uint_t opcode, u_char *data, size_t len);


#endif /* _NGX_HTTP_CHAT_WEBSOCKET_H_INCLUDED_ */
