
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_publish.h"

#include "chat_amend.h"
#include "chat_ws.h"


#define NGX_HTTP_CHAT_HISTORY_CHUNK  65536   /* read under one lock, bytes */


static void ngx_http_chat_sent_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);
static void ngx_http_chat_message_slow(ngx_http_chat_session_t *s,
    chat_str_t *id, uint64_t wait);
static void ngx_http_chat_raw_sent_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);
static ngx_int_t ngx_http_chat_history_entries(chat_json_writer_t *w,
    u_char *buf, size_t len, uint64_t end, ngx_uint_t *count,
    ngx_http_chat_cursor_t *next);
static void ngx_http_chat_history_entry(chat_json_writer_t *w,
    ngx_http_chat_entry_t *e, u_char *text);


void
ngx_http_chat_command_send(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    chat_json_writer_t          w;
    ngx_http_chat_publish_t     p;
    ngx_http_chat_message_t     message;
    ngx_http_chat_standing_t   *own;

    if (cmd->given & CHAT_F_TO) {
        ngx_http_chat_direct_send(s, cmd);
        return;
    }

    own = ngx_http_chat_command_standing();

    message.room.data = (u_char *) cmd->room.data;
    message.room.len = cmd->room.len;
    message.author = own;
    message.to_seq = 0;

    ngx_http_chat_publish_to(&p, ngx_http_chat_member_local(m), s);

    if (ngx_http_chat_content_get(s, cmd, &message.content) != NGX_OK
        || ngx_http_chat_message_text(s, &w, &message, &p.append.entry)
           != NGX_OK)
    {
        return;
    }

    p.handler = ngx_http_chat_sent_handler;
    p.data = cmd;

    p.append.occupant = ngx_http_chat_member_occupant(m);
    p.append.slow = ngx_http_chat_rights_slow(s, cmd, own);

    if (cmd->given & CHAT_F_NONCE) {
        p.append.nonce.data = (u_char *) cmd->nonce.data;
        p.append.nonce.len = cmd->nonce.len;
    }

    ngx_http_chat_publish(&p);

    if (s->typing && !s->closing && !s->dead) {
        ngx_http_chat_typing_stop(s, p.room);
    }
}


static void
ngx_http_chat_sent_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    ngx_str_t                 room;
    chat_command_t           *cmd;
    ngx_http_chat_session_t  *s;

    s = p->session;
    cmd = p->data;

    if (rc == NGX_BUSY) {
        ngx_http_chat_message_slow(s, &cmd->id, p->append.wait);
        return;
    }

    if (rc == NGX_ABORT
        && ngx_http_chat_room_expelled(p->zone, p->append.occupant))
    {
        /* since he was let in */

        ngx_http_chat_expelled(s, cmd, p->room, p->epoch);
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, rc);
        return;
    }

    room.data = (u_char *) cmd->room.data;
    room.len = cmd->room.len;

    ngx_http_chat_message_sent(s, &cmd->id, &room, &p->append.entry,
                               p->append.duplicate);
}


static void
ngx_http_chat_message_slow(ngx_http_chat_session_t *s, chat_str_t *id,
    uint64_t wait)
{
    u_char  text[sizeof("slow mode, try again in  ms") + NGX_INT64_LEN];

    (void) ngx_sprintf(text, "slow mode, try again in %uL ms%Z", wait);

    ngx_http_chat_reply_error_after(s, id, CHAT_ERR_SLOW_MODE, wait,
                                    (char *) text);
}


void
ngx_http_chat_message_sent(ngx_http_chat_session_t *s, chat_str_t *id,
    ngx_str_t *room, ngx_http_chat_append_t *entry, ngx_uint_t duplicate)
{
    chat_json_writer_t  w;

    if (ngx_http_chat_reply_ok(s, &w, id,
                               128 + ngx_http_chat_reply_string(room->len))
        != NGX_OK)
    {
        return;
    }

    ngx_http_chat_reply_field(&w, "room", room->data, room->len);
    ngx_http_chat_reply_number(&w, "seq", entry->seq);
    ngx_http_chat_reply_number(&w, "ts", entry->ts);

    if (duplicate) {
        ngx_http_chat_reply_flag(&w, "duplicate", 1);
    }

    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}


ngx_int_t
ngx_http_chat_message_text(ngx_http_chat_session_t *s, chat_json_writer_t *w,
    ngx_http_chat_message_t *message, ngx_http_chat_append_t *entry)
{
    size_t           head;
    chat_command_t  *cmd;

    cmd = message->content.cmd;

    if (ngx_http_chat_reply_begin(w, 512 + NGX_HTTP_CHAT_REPLY_STANDING
                                + ngx_http_chat_reply_string(message->room.len)
                                + ngx_http_chat_reply_string(cmd->to.len)
                                + message->content.size + cmd->nonce_raw.len)
        != NGX_OK)
    {
        ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        return NGX_ERROR;
    }

    /* the log puts the seq and the time between head and tail */

    chat_json_lit(w, "{\"type\":\"message\"");
    ngx_http_chat_reply_field(w, "room", message->room.data,
                              message->room.len);
    chat_json_lit(w, ",\"seq\":");

    head = w->pos - w->start;

    ngx_http_chat_reply_standing(w, message->author);
    ngx_http_chat_content_put(w, &message->content);

    if (cmd->given & CHAT_F_NONCE) {
        chat_json_lit(w, ",\"nonce\":");
        chat_json_put(w, cmd->nonce_raw.data, cmd->nonce_raw.len);
    }

    if (cmd->given & CHAT_F_REPLY_TO) {
        ngx_http_chat_reply_number(w, "reply_to", cmd->reply_to);
    }

    if (cmd->given & CHAT_F_TO) {
        ngx_http_chat_reply_field(w, "to", cmd->to.data, cmd->to.len);
    }

    if (message->to_seq) {
        ngx_http_chat_reply_number(w, "to_seq", message->to_seq);
    }

    chat_json_lit(w, "}");

    entry->flags = NGX_HTTP_CHAT_ENTRY_EVENT|NGX_HTTP_CHAT_ENTRY_MESSAGE;
    entry->head.data = w->start;
    entry->head.len = head;
    entry->tail.data = w->start + head;
    entry->tail.len = w->pos - w->start - head;

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_content_get(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_content_t *content)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    content->cmd = cmd;
    ngx_str_null(&content->masked);

    content->size = sizeof(",\"text\":,\"data\":") + cmd->text_raw.len
                    + cmd->data_raw.len;

    if (!(cmd->given & CHAT_F_TEXT) || s->settings->filter == NULL) {
        return NGX_OK;
    }

    text.data = (u_char *) cmd->text.data;
    text.len = cmd->text.len;

    rc = s->settings->filter(s->settings->filters, &text, &content->masked);

    switch (rc) {

    case NGX_DONE:
        content->size += ngx_http_chat_reply_string(content->masked.len);
        return NGX_OK;

    case NGX_OK:
        ngx_str_null(&content->masked);
        return NGX_OK;

    case NGX_DECLINED:
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_REJECTED, NULL,
                                  "a filter refused the text");
        return NGX_ERROR;

    default:
        ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        return NGX_ERROR;
    }
}


void
ngx_http_chat_content_put(chat_json_writer_t *w,
    ngx_http_chat_content_t *content)
{
    chat_command_t  *cmd;

    cmd = content->cmd;

    if (content->masked.data) {
        ngx_http_chat_reply_field(w, "text", content->masked.data,
                                  content->masked.len);

    } else if (cmd->given & CHAT_F_TEXT) {
        chat_json_lit(w, ",\"text\":");
        chat_json_put(w, cmd->text_raw.data, cmd->text_raw.len);
    }

    if (cmd->given & CHAT_F_DATA) {
        chat_json_lit(w, ",\"data\":");
        chat_json_put(w, cmd->data_raw.data, cmd->data_raw.len);
    }
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

    if (!ngx_http_chat_access_raw(s, NGX_HTTP_CHAT_ACT_SEND)) {

        /* there is no word to say so, as where it is over the rate */
        return;
    }

    ngx_http_chat_publish_to(&p, ngx_http_chat_member_local(m), s);

    p.handler = ngx_http_chat_raw_sent_handler;

    p.append.entry.flags = binary ? NGX_HTTP_CHAT_ENTRY_BINARY
                                  : NGX_HTTP_CHAT_ENTRY_TEXT;
    p.append.entry.head.data = text;
    p.append.entry.head.len = len;

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
        s->own_seq = p->append.entry.seq;
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
        ngx_http_chat_fail(s, &cmd->id, NGX_ABORT);
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

    next.passing = view.head.passing;

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
    uint64_t                   gap, seq;
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

    /* what passes is no history */

    cursor.passing = next->passing;

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

        seq = next->seq;

        if (ngx_http_chat_history_entries(w, buf, len, end, &count, next)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (next->seq == seq) {
            break;
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


/* The texts of the entries in buf that are in front of "end".  An amended one
 * is longer by less than the header that does not go into the text. */

static ngx_int_t
ngx_http_chat_history_entries(chat_json_writer_t *w, u_char *buf, size_t len,
    uint64_t end, ngx_uint_t *count, ngx_http_chat_cursor_t *next)
{
    u_char                 *last;
    ngx_http_chat_entry_t   e;

    if (ngx_http_chat_reply_more(w, 2 * len) != NGX_OK) {
        return NGX_ERROR;
    }

    for (last = buf + len; buf < last; buf += e.len) {

        ngx_memcpy(&e, buf, sizeof(e));
        buf += sizeof(e);

        if (e.flags & NGX_HTTP_CHAT_ENTRY_PASSING) {
            continue;
        }

        if (e.seq >= end) {
            next->seq = end;
            break;
        }

        if (e.flags & NGX_HTTP_CHAT_ENTRY_EVENT) {

            if ((*count)++) {
                chat_json_lit(w, ",");
            }

            ngx_http_chat_history_entry(w, &e, buf);
        }

        next->seq = e.seq + 1;
        next->block = e.after_block;
        next->off = e.after_off;
    }

    return NGX_OK;
}


static void
ngx_http_chat_history_entry(chat_json_writer_t *w, ngx_http_chat_entry_t *e,
    u_char *text)
{
    size_t  len;

    len = e->len;

    if (ngx_http_chat_entry_amended(e)) {
        len -= e->sender;

        if (chat_amend(w, text, len, text + len, e->sender,
                       e->flags & NGX_HTTP_CHAT_ENTRY_DELETED)
            == 0)
        {
            return;
        }
    }

    chat_json_put(w, text, len);
}
