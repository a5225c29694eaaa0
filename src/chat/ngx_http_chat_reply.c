
#include "ngx_http_chat_reply.h"
#include "ngx_http_chat_transport.h"

#include "chat_ws.h"


#define NGX_HTTP_CHAT_REPLY_FIRST  16384    /* bytes, kept for ever */


static ngx_int_t ngx_http_chat_reply_error_begin(ngx_http_chat_session_t *s,
    chat_json_writer_t *w, chat_str_t *id, chat_err_e code);
static void ngx_http_chat_reply_error_end(ngx_http_chat_session_t *s,
    chat_json_writer_t *w, const char *message);


static struct {
    u_char  *buf;
    size_t   size;
} ngx_http_chat_reply_buffer;


ngx_int_t
ngx_http_chat_reply_begin(chat_json_writer_t *w, size_t size)
{
    /* what a long history made large is not kept */

    if (ngx_http_chat_reply_buffer.size > 4 * NGX_HTTP_CHAT_REPLY_FIRST) {
        ngx_free(ngx_http_chat_reply_buffer.buf);
        ngx_http_chat_reply_buffer.buf = NULL;
        ngx_http_chat_reply_buffer.size = 0;
    }

    chat_json_begin(w, ngx_http_chat_reply_buffer.buf,
                    ngx_http_chat_reply_buffer.size);

    return ngx_http_chat_reply_more(w, size);
}


ngx_int_t
ngx_http_chat_reply_more(chat_json_writer_t *w, size_t size)
{
    size_t   used, want;
    u_char  *p;

    used = w->pos - w->start;

    if (w->start && (size_t) (w->end - w->pos) >= size) {
        return NGX_OK;
    }

    want = ngx_max(ngx_http_chat_reply_buffer.size, NGX_HTTP_CHAT_REPLY_FIRST);

    while (want < used + size) {
        want *= 2;
    }

    p = ngx_alloc(want, ngx_cycle->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (w->start) {
        ngx_memcpy(p, w->start, used);
        ngx_free(w->start);
    }

    ngx_http_chat_reply_buffer.buf = p;
    ngx_http_chat_reply_buffer.size = want;

    w->start = p;
    w->pos = p + used;
    w->end = p + want;

    return NGX_OK;
}


void
ngx_http_chat_reply_send(ngx_http_chat_session_t *s, chat_json_writer_t *w)
{
    if (w->lost) {
        ngx_log_error(NGX_LOG_ALERT, s->connection->log, 0,
                      "chat reply was %uz bytes longer than reckoned",
                      w->lost);
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "internal error");
        return;
    }

    if (s->transport->reply(s, w->start, w->pos - w->start) != NGX_OK) {
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "no memory");
    }
}


ngx_int_t
ngx_http_chat_reply_ok(ngx_http_chat_session_t *s, chat_json_writer_t *w,
    chat_str_t *id, size_t size)
{
    if (id->len == 0) {
        return NGX_DECLINED;
    }

    if (ngx_http_chat_reply_begin(w, sizeof("{\"type\":\"ok\",\"id\":")
                                     + id->len + size)
        != NGX_OK)
    {
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "no memory");
        return NGX_ERROR;
    }

    chat_json_lit(w, "{\"type\":\"ok\",\"id\":");
    chat_json_put(w, id->data, id->len);

    return NGX_OK;
}


void
ngx_http_chat_reply_error(ngx_http_chat_session_t *s, chat_str_t *id,
    chat_err_e code, const char *field, const char *message)
{
    chat_json_writer_t  w;

    if (ngx_http_chat_reply_error_begin(s, &w, id, code) != NGX_OK) {
        return;
    }

    if (field) {
        ngx_http_chat_reply_field(&w, "field", field, ngx_strlen(field));
    }

    ngx_http_chat_reply_error_end(s, &w, message);
}


void
ngx_http_chat_reply_error_until(ngx_http_chat_session_t *s, chat_str_t *id,
    chat_err_e code, uint64_t until, const char *message)
{
    chat_json_writer_t  w;

    if (ngx_http_chat_reply_error_begin(s, &w, id, code) != NGX_OK) {
        return;
    }

    ngx_http_chat_reply_until(&w, until);
    ngx_http_chat_reply_error_end(s, &w, message);
}


void
ngx_http_chat_reply_error_after(ngx_http_chat_session_t *s, chat_str_t *id,
    chat_err_e code, uint64_t wait, const char *message)
{
    chat_json_writer_t  w;

    if (ngx_http_chat_reply_error_begin(s, &w, id, code) != NGX_OK) {
        return;
    }

    ngx_http_chat_reply_number(&w, "retry_after", wait);
    ngx_http_chat_reply_error_end(s, &w, message);
}


static ngx_int_t
ngx_http_chat_reply_error_begin(ngx_http_chat_session_t *s,
    chat_json_writer_t *w, chat_str_t *id, chat_err_e code)
{
    const char  *name;

    if (ngx_http_chat_reply_begin(w, 1024 + id->len) != NGX_OK) {
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "no memory");
        return NGX_ERROR;
    }

    name = chat_error_name(code);

    chat_json_lit(w, "{\"type\":\"error\"");

    if (id->len) {
        chat_json_lit(w, ",\"id\":");
        chat_json_put(w, id->data, id->len);
    }

    ngx_http_chat_reply_field(w, "code", name, ngx_strlen(name));

    return NGX_OK;
}


static void
ngx_http_chat_reply_error_end(ngx_http_chat_session_t *s,
    chat_json_writer_t *w, const char *message)
{
    ngx_http_chat_reply_field(w, "message", message, ngx_strlen(message));
    chat_json_lit(w, "}");

    ngx_http_chat_reply_send(s, w);
}


void
ngx_http_chat_reply_field(chat_json_writer_t *w, const char *name,
    const void *value, size_t len)
{
    chat_json_lit(w, ",\"");
    chat_json_put(w, name, ngx_strlen(name));
    chat_json_lit(w, "\":");
    chat_json_string(w, value, len);
}


void
ngx_http_chat_reply_number(chat_json_writer_t *w, const char *name,
    uint64_t value)
{
    chat_json_lit(w, ",\"");
    chat_json_put(w, name, ngx_strlen(name));
    chat_json_lit(w, "\":");
    chat_json_uint(w, value);
}


void
ngx_http_chat_reply_flag(chat_json_writer_t *w, const char *name,
    ngx_uint_t value)
{
    chat_json_lit(w, ",\"");
    chat_json_put(w, name, ngx_strlen(name));

    if (value) {
        chat_json_lit(w, "\":true");
        return;
    }

    chat_json_lit(w, "\":false");
}


/* Clients are told messages a second. */

void
ngx_http_chat_reply_rate(chat_json_writer_t *w, ngx_uint_t rate,
    ngx_uint_t burst)
{
    u_char  buf[NGX_INT_T_LEN + sizeof(".000")], *p;

    p = ngx_sprintf(buf, "%ui.%03ui", rate / 1000, rate % 1000);

    while (p[-1] == '0') {
        p--;
    }

    if (p[-1] == '.') {
        p--;
    }

    chat_json_lit(w, "\"rate\":");
    chat_json_put(w, buf, p - buf);
    ngx_http_chat_reply_number(w, "burst", burst);
}


void
ngx_http_chat_reply_until(chat_json_writer_t *w, uint64_t until)
{
    if (until == NGX_HTTP_CHAT_FOREVER) {
        chat_json_lit(w, ",\"until\":null");
        return;
    }

    ngx_http_chat_reply_number(w, "until", until);
}


void
ngx_http_chat_reply_epoch(chat_json_writer_t *w, uint64_t epoch)
{
    u_char  text[NGX_HTTP_CHAT_EPOCH_LEN];

    ngx_http_chat_epoch_text(text, epoch);
    ngx_http_chat_reply_field(w, "epoch", text, NGX_HTTP_CHAT_EPOCH_LEN);
}


void
ngx_http_chat_epoch_text(u_char *p, uint64_t epoch)
{
    ngx_uint_t           i;
    static const u_char  hex[] = "0123456789abcdef";

    for (i = NGX_HTTP_CHAT_EPOCH_LEN; i; i--) {
        p[i - 1] = hex[epoch & 0xf];
        epoch >>= 4;
    }
}


void
ngx_http_chat_color_text(u_char *p, const u_char *color)
{
    *p++ = '#';
    ngx_hex_dump(p, (u_char *) color, 3);
}


size_t
ngx_http_chat_reply_person_size(ngx_http_chat_session_t *s)
{
    return sizeof(",\"user\":,\"name\":,\"color\":")
           + ngx_http_chat_reply_string(s->user_len)
           + ngx_http_chat_reply_string(s->name_len)
           + ngx_http_chat_reply_string(s->color_len);
}


void
ngx_http_chat_reply_person(chat_json_writer_t *w, ngx_http_chat_session_t *s)
{
    ngx_http_chat_reply_field(w, "user", ngx_http_chat_session_user(s),
                              s->user_len);
    ngx_http_chat_reply_field(w, "name", ngx_http_chat_session_name(s),
                              s->name_len);
    ngx_http_chat_reply_field(w, "color", ngx_http_chat_session_color(s),
                              s->color_len);
}


void
ngx_http_chat_reply_standing(chat_json_writer_t *w,
    ngx_http_chat_standing_t *standing)
{
    u_char  color[NGX_HTTP_CHAT_COLOR_LEN];

    ngx_http_chat_color_text(color, standing->color);

    ngx_http_chat_reply_field(w, "user", standing->user, standing->user_len);
    ngx_http_chat_reply_field(w, "name", standing->name, standing->name_len);
    ngx_http_chat_reply_field(w, "color", color, NGX_HTTP_CHAT_COLOR_LEN);
}


uint64_t
ngx_http_chat_reply_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}
