
/*
 * What a transport gives to delivery: how entries become bytes, and how a
 * session of it is spoken to.  The tables are static in src/http.
 */


#ifndef _NGX_HTTP_CHAT_TRANSPORT_H_INCLUDED_
#define _NGX_HTTP_CHAT_TRANSPORT_H_INCLUDED_


#include "ngx_http_chat_session.h"
#include "ngx_http_chat_log.h"


/*
 * A form: all members whose bytes are the same for the same entries.  Forms
 * are few, kept per worker for ever, and named by their index.  To the worker
 * "param" is only something to compare.
 */
typedef struct {
    const ngx_http_chat_transport_t  *transport;
    uintptr_t                         param;
    void                             *state;     /* the transport's */
} ngx_http_chat_form_t;


struct ngx_http_chat_transport_s {
    ngx_str_t    name;

    /* The most bytes that an entry of len bytes can become in that form. */
    size_t     (*bound)(ngx_http_chat_form_t *form, size_t len);

    /* Writes an entry's bytes to p, which has room for the bound; returns
     * their end, or NULL if there is no memory for it. */
    u_char    *(*frame)(ngx_http_chat_form_t *form, u_char *p,
                        ngx_http_chat_entry_t *e, u_char *text);

    /* Queues a message for this session alone, ahead of what it has not been
     * sent yet.  ERROR: no memory, the session is to be closed. */
    ngx_int_t  (*reply)(ngx_http_chat_session_t *s, u_char *text, size_t len);

    /* Reads what the connection has; called for its read events. */
    void       (*read)(ngx_http_chat_session_t *s);

    void       (*ping)(ngx_http_chat_session_t *s);

    /* Queues the farewell.  1: the peer is expected to answer it. */
    ngx_uint_t (*close)(ngx_http_chat_session_t *s, ngx_uint_t code,
                        const char *reason);

    /* These members missed the entries from .. to.  ERROR: the transport
     * cannot say so, the session is to be closed. */
    ngx_int_t  (*gap)(ngx_http_chat_session_t *s, ngx_str_t *room,
                      uint64_t from, uint64_t to);

    /* It may have missed who came and went; so many users are there now.
     * ERROR as above. */
    ngx_int_t  (*lost)(ngx_http_chat_session_t *s, ngx_str_t *room,
                       ngx_uint_t users);

    /* The worker goes: the session is to come back after that many ms. */
    void       (*bye)(ngx_http_chat_session_t *s, ngx_uint_t restart,
                      ngx_msec_t reconnect);

    /* The session ends: gives back what is the transport's, closes the
     * connection.  The last call; the session is freed after it. */
    void       (*closed)(ngx_http_chat_session_t *s);
};


#endif /* _NGX_HTTP_CHAT_TRANSPORT_H_INCLUDED_ */
