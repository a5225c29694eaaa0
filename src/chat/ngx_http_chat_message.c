
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_publish.h"

#include "chat_ws.h"


#define NGX_HTTP_CHAT_HISTORY_CHUNK  65536   /* read under one lock, bytes */


static void ngx_http_chat_sent_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);
static void ngx_http_chat_raw_sent_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);
static ngx_int_t ngx_http_chat_history_entries(chat_json_writer_t *w,
    u_char *buf, size_t len, uint64_t end, ngx_uint_t *count,
    ngx_http_chat_cursor_t *next);


void
ngx_http_chat_command_send(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    size_t                    head;
    chat_json_writer_t        w;
    ngx_http_chat_publish_t   p;

    if (ngx_http_chat_reply_begin(&w,
                          512 + ngx_http_chat_reply_string(cmd->room.len)
                          + ngx_http_chat_reply_person_size(s)
                          + cmd->text_raw.len + cmd->data_raw.len
                          + cmd->nonce_raw.len)
        != NGX_OK)
    {
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "no memory");
        return;
    }

    /* the log puts the seq and the time between head and tail */

    chat_json_lit(&w, "{\"type\":\"message\"");
    ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
    chat_json_lit(&w, ",\"seq\":");

    head = w.pos - w.start;

    ngx_http_chat_reply_person(&w, s);

    if (cmd->given & CHAT_F_TEXT) {
        chat_json_lit(&w, ",\"text\":");
        chat_json_put(&w, cmd->text_raw.data, cmd->text_raw.len);
    }

    if (cmd->given & CHAT_F_DATA) {
        chat_json_lit(&w, ",\"data\":");
        chat_json_put(&w, cmd->data_raw.data, cmd->data_raw.len);
    }

    if (cmd->given & CHAT_F_NONCE) {
        chat_json_lit(&w, ",\"nonce\":");
        chat_json_put(&w, cmd->nonce_raw.data, cmd->nonce_raw.len);
    }

    if (cmd->given & CHAT_F_REPLY_TO) {
        ngx_http_chat_reply_number(&w, "reply_to", cmd->reply_to);
    }

    chat_json_lit(&w, "}");

    p.local = ngx_http_chat_member_local(m);
    p.retention = &s->settings->retention;
    p.handler = ngx_http_chat_sent_handler;
    p.session = s;
    p.data = cmd;

    p.entry.flags = NGX_HTTP_CHAT_ENTRY_EVENT;
    p.entry.sender = (uint32_t) s->id;
    p.entry.head.data = w.start;
    p.entry.head.len = head;
    p.entry.tail.data = w.start + head;
    p.entry.tail.len = w.pos - w.start - head;

    ngx_http_chat_publish(&p);
}


static void
ngx_http_chat_sent_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    chat_command_t           *cmd;
    chat_json_writer_t        w;
    ngx_http_chat_session_t  *s;

    s = p->session;
    cmd = p->data;

    if (rc == NGX_DECLINED) {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_ZONE_FULL, NULL,
                                  "the server's memory is full, "
                                  "try again later");
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_INTERNAL, NULL,
                                  "the room was restarted");
        ngx_http_chat_session_close(s, CHAT_WS_RESTART,
                                    "the room was restarted");
        return;
    }

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id,
                        128 + ngx_http_chat_reply_string(cmd->room.len))
        != NGX_OK)
    {
        return;
    }

    ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
    ngx_http_chat_reply_number(&w, "seq", p->entry.seq);
    ngx_http_chat_reply_number(&w, "ts", p->entry.ts);
    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}


void
ngx_http_chat_raw_message(ngx_http_chat_session_t *s, u_char *text, size_t len,
    ngx_uint_t binary)
{
    ngx_http_chat_member_t   *m;
    ngx_http_chat_publish_t   p;

    m = ngx_http_chat_session_member(s, 0);

    if (m == NULL) {
        return;
    }

    p.local = ngx_http_chat_member_local(m);
    p.retention = &s->settings->retention;
    p.handler = ngx_http_chat_raw_sent_handler;
    p.session = s;
    p.data = NULL;

    p.entry.flags = binary ? NGX_HTTP_CHAT_ENTRY_BINARY
                           : NGX_HTTP_CHAT_ENTRY_TEXT;
    p.entry.sender = (uint32_t) s->id;
    p.entry.head.data = text;
    p.entry.head.len = len;
    ngx_str_null(&p.entry.tail);

    ngx_http_chat_publish(&p);
}


static void
ngx_http_chat_raw_sent_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    ngx_http_chat_session_t  *s;

    s = p->session;

    if (rc == NGX_DECLINED) {

        /* there is no other way to say that the message was not taken */

        ngx_http_chat_session_close(s, CHAT_WS_TRY_LATER,
                                    "the server's memory is full");
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_chat_session_close(s, CHAT_WS_RESTART,
                                    "the room was restarted");
        return;
    }

    if (!s->settings->echo) {
        s->own_seq = p->entry.seq;
        ngx_http_chat_member_set(s, NGX_HTTP_CHAT_MEMBER_SLOW);
    }
}


void
ngx_http_chat_command_history(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    uint64_t                    from, end, limit;
    ngx_uint_t                  more;
    chat_json_writer_t          w;
    ngx_http_chat_local_t      *local;
    ngx_http_chat_cursor_t      next;
    ngx_http_chat_room_view_t   view;

    local = ngx_http_chat_member_local(m);

    if (ngx_http_chat_room_view(local->zone, ngx_http_chat_local_room(local),
                                local->epoch, &view)
        != NGX_OK)
    {
        ngx_http_chat_session_close(s, CHAT_WS_RESTART,
                                    "the room was restarted");
        return;
    }

    /* what the view has taken note of is still to be delivered */

    ngx_http_chat_deliver_room(local);

    limit = ngx_min(NGX_HTTP_CHAT_HISTORY_DEFAULT, s->settings->history_page);

    if (cmd->given & CHAT_F_LIMIT) {
        limit = cmd->limit;
    }

    if (cmd->given & CHAT_F_AFTER) {
        from = ngx_max(view.visible_seq, cmd->after + 1);
        from = ngx_min(from, view.next_seq);
        end = ngx_min(view.next_seq, from + limit);

    } else {
        end = view.next_seq;

        if (cmd->given & CHAT_F_BEFORE) {
            end = ngx_min(end, cmd->before);
        }

        end = ngx_max(end, view.visible_seq);
        from = end - ngx_min(limit, end - view.visible_seq);
    }

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id,
                        256 + ngx_http_chat_reply_string(cmd->room.len))
        != NGX_OK)
    {
        return;
    }

    ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
    ngx_http_chat_reply_epoch(&w, view.epoch);

    if (ngx_http_chat_history_put(local, &w, from, end, (size_t) -1, &next)
        == NGX_ERROR)
    {
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "no memory");
        return;
    }

    if (cmd->given & CHAT_F_AFTER) {
        more = (next.seq < view.next_seq);

    } else {
        more = (from > view.visible_seq);
    }

    ngx_http_chat_reply_flag(&w, "more", more);
    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}


ngx_int_t
ngx_http_chat_history_put(ngx_http_chat_local_t *local, chat_json_writer_t *w,
    uint64_t from, uint64_t end, size_t max, ngx_http_chat_cursor_t *next)
{
    size_t                     len, start;
    u_char                    *buf;
    uint64_t                   gap;
    ngx_int_t                  rc;
    ngx_uint_t                 count;
    ngx_http_chat_cursor_t     cursor;
    ngx_http_chat_room_view_t  view;

    if (ngx_http_chat_reply_more(w, 64) != NGX_OK
        || ngx_http_chat_room_seek(local->zone,
                                   ngx_http_chat_local_room(local),
                                   local->epoch, from, &cursor)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    chat_json_lit(w, ",\"messages\":[");

    count = 0;
    start = w->pos - w->start;
    rc = (cursor.seq > from && from < end) ? NGX_DECLINED : NGX_OK;
    *next = cursor;

    while (next->seq < end && (size_t) (w->pos - w->start) < max) {
        cursor = *next;

        if (ngx_http_chat_run_read(local, &cursor, NGX_HTTP_CHAT_HISTORY_CHUNK,
                                   &buf, &len, &gap, &view)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (gap) {
            /* there are to be no holes in it */
            w->pos = w->start + start;
            count = 0;
            rc = NGX_DECLINED;
        }

        if (len == 0) {
            break;
        }

        if (ngx_http_chat_history_entries(w, buf, len, end, &count, next)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (next->seq > end) {
        /* all of them are gone, and more: a cursor there finds a gap */
        next->seq = end;
        next->block = 0;
    }

    if (ngx_http_chat_reply_more(w, 64) != NGX_OK) {
        return NGX_ERROR;
    }

    chat_json_lit(w, "]");

    return rc;
}


/* The texts of the entries in buf that are in front of "end". */

static ngx_int_t
ngx_http_chat_history_entries(chat_json_writer_t *w, u_char *buf, size_t len,
    uint64_t end, ngx_uint_t *count, ngx_http_chat_cursor_t *next)
{
    u_char                 *last;
    ngx_http_chat_entry_t   e;

    if (ngx_http_chat_reply_more(w, len) != NGX_OK) {
        return NGX_ERROR;
    }

    for (last = buf + len; buf < last; buf += e.len) {

        ngx_memcpy(&e, buf, sizeof(e));
        buf += sizeof(e);

        if (e.seq >= end) {
            next->seq = end;
            break;
        }

        if (e.flags & NGX_HTTP_CHAT_ENTRY_EVENT) {

            if ((*count)++) {
                chat_json_lit(w, ",");
            }

            chat_json_put(w, buf, e.len);
        }

        next->seq = e.seq + 1;
        next->block = e.after_block;
        next->off = e.after_off;
    }

    return NGX_OK;
}
