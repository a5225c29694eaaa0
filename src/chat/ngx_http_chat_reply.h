
/*
 * Replies and events for one session, built in the worker's buffer.
 */


#ifndef _NGX_HTTP_CHAT_REPLY_H_INCLUDED_
#define _NGX_HTTP_CHAT_REPLY_H_INCLUDED_


#include "ngx_http_chat_member.h"

#include "chat_proto.h"


/* A reply with history stops growing there; the rest follows as events. */
#define NGX_HTTP_CHAT_REPLY_MAX   (1024 * 1024)

/* The most bytes that n bytes of text become as a JSON string. */
#define ngx_http_chat_reply_string(n)   (6 * (n) + 2)


/*
 * Begins a text with room for at least size bytes.  The buffer is the
 * worker's: one text at a time.  ERROR: no memory.
 */
ngx_int_t ngx_http_chat_reply_begin(chat_json_writer_t *w, size_t size);

/* Makes sure of that much more room.  ERROR: no memory. */
ngx_int_t ngx_http_chat_reply_more(chat_json_writer_t *w, size_t size);

/* Queues the text for the session; closes the session if that fails. */
void ngx_http_chat_reply_send(ngx_http_chat_session_t *s,
    chat_json_writer_t *w);

/* Begins {"type":"ok","id":... and returns OK; DECLINED where the command has
 * no id and so gets no reply; ERROR: no memory, the session is closed. */
ngx_int_t ngx_http_chat_reply_ok(ngx_http_chat_session_t *s,
    chat_json_writer_t *w, chat_str_t *id, size_t size);

/* The error reply; field may be NULL. */
void ngx_http_chat_reply_error(ngx_http_chat_session_t *s, chat_str_t *id,
    chat_err_e code, const char *field, const char *message);

/* The same with "until", ms since 1970 or FOREVER, and with "retry_after". */
void ngx_http_chat_reply_error_until(ngx_http_chat_session_t *s,
    chat_str_t *id, chat_err_e code, uint64_t until, const char *message);
void ngx_http_chat_reply_error_after(ngx_http_chat_session_t *s,
    chat_str_t *id, chat_err_e code, uint64_t wait, const char *message);

/* ,"name":"value" and ,"name":n and ,"name":true */
void ngx_http_chat_reply_field(chat_json_writer_t *w, const char *name,
    const void *value, size_t len);
void ngx_http_chat_reply_number(chat_json_writer_t *w, const char *name,
    uint64_t value);
void ngx_http_chat_reply_flag(chat_json_writer_t *w, const char *name,
    ngx_uint_t value);

/* "rate":n,"burst":n of a rate in messages in 1000 s, 0 = none */
void ngx_http_chat_reply_rate(chat_json_writer_t *w, ngx_uint_t rate,
    ngx_uint_t burst);

/* ,"until":n, or null where that is FOREVER */
void ngx_http_chat_reply_until(chat_json_writer_t *w, uint64_t until);

/* ,"epoch":"..." */
void ngx_http_chat_reply_epoch(chat_json_writer_t *w, uint64_t epoch);

/* The epoch's text: 16 hex digits. */
#define NGX_HTTP_CHAT_EPOCH_LEN  16
void ngx_http_chat_epoch_text(u_char *p, uint64_t epoch);

/* ,"user":...,"name":...,"color":... of a session. */
void ngx_http_chat_reply_person(chat_json_writer_t *w,
    ngx_http_chat_session_t *s);
size_t ngx_http_chat_reply_person_size(ngx_http_chat_session_t *s);

/* The same of a user whom a room knows, in at most so many bytes. */
#define NGX_HTTP_CHAT_REPLY_STANDING  1024
void ngx_http_chat_reply_standing(chat_json_writer_t *w,
    ngx_http_chat_standing_t *standing);

/* "#rrggbb" */
#define NGX_HTTP_CHAT_COLOR_LEN  7
void ngx_http_chat_color_text(u_char *p, const u_char *color);

/* Milliseconds since 1970. */
uint64_t ngx_http_chat_reply_now(void);


#endif /* _NGX_HTTP_CHAT_REPLY_H_INCLUDED_ */
