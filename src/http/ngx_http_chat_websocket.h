
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


/*
 * r has passed every check and its headers_out say 101.  Makes the session,
 * sends the header and takes the connection over from a posted event.  deflate
 * is NULL where the extension was not agreed on.  Returns NGX_DONE, or a
 * status to finalize the request with.
 */
ngx_int_t ngx_http_chat_websocket_start(ngx_http_request_t *r,
    ngx_http_chat_identity_t *identity, chat_deflate_params_t *deflate);

/* Counts a session by who it is, now that this is known; OK, or a status. */
ngx_int_t ngx_http_chat_websocket_count(ngx_http_chat_session_t *s,
    ngx_http_request_t *r);

/* The request, which was kept until somebody has said who it is, may go. */
void ngx_http_chat_websocket_forget(ngx_http_chat_session_t *s);

/* release.c: frees a request and its buffers; the connection stays, and is the
 * session's, with the client's address. */
void ngx_http_chat_release(ngx_http_chat_session_t *s, ngx_http_request_t *r);

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
