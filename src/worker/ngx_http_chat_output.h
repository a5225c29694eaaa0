
/*
 * Writing to one session.  A session has no queue of messages; what it may
 * have is a small buffer of bytes that must go before anything else: replies,
 * control frames, the rest of a frame that was begun.
 */


#ifndef _NGX_HTTP_CHAT_OUTPUT_H_INCLUDED_
#define _NGX_HTTP_CHAT_OUTPUT_H_INCLUDED_


#include "ngx_http_chat_session.h"
#include "ngx_http_chat_run.h"


/* Above so many waiting bytes nothing more is read from the session. */
#define NGX_HTTP_CHAT_OUT_HIGH   65536


struct ngx_http_chat_out_s {
    size_t                     pos;
    size_t                     last;
    size_t                     size;
    u_char                     data[1];
};


/* The bytes that wait. */
#define ngx_http_chat_output_waiting(s)                                       \
    ((s)->out ? (s)->out->last - (s)->out->pos : 0)

/*
 * Room for len more bytes, which are not there until _added(); they go out
 * when this round's messages have been read.  NULL: no memory.
 */
u_char *ngx_http_chat_output_reserve(ngx_http_chat_session_t *s, size_t len);
void ngx_http_chat_output_added(ngx_http_chat_session_t *s, size_t len);

/* Sends what waits.  OK: all is gone; AGAIN: the socket is full, its write
 * event will come; ERROR: the session is finalized. */
ngx_int_t ngx_http_chat_output_flush(ngx_http_chat_session_t *s);

/* Sends a run to a member, the slow way; moves its cursor as far as it came.
 * OK: all of it; AGAIN, ERROR as above. */
ngx_int_t ngx_http_chat_output_run(ngx_http_chat_member_t *m,
    ngx_http_chat_run_t *run);

/* Goes on after send(2) took only "sent" bytes of the run, or none. */
ngx_int_t ngx_http_chat_output_short(ngx_http_chat_member_t *m,
    ngx_http_chat_run_t *run, size_t sent);

/* The socket takes bytes again. */
void ngx_http_chat_output_unblock(ngx_http_chat_session_t *s);


#endif /* _NGX_HTTP_CHAT_OUTPUT_H_INCLUDED_ */
