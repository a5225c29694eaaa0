
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_notify.h"
#include "ngx_http_chat_publish.h"


#define NGX_HTTP_CHAT_TARGET_SIZE  4096    /* bytes, most messages are less */


static ngx_int_t ngx_http_chat_amend_other(ngx_http_chat_session_t *s,
    chat_command_t *cmd);
static void ngx_http_chat_amend(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m,
    ngx_http_chat_content_t *content);
static ngx_int_t ngx_http_chat_amend_room(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m,
    ngx_http_chat_publish_t *p);
static ngx_int_t ngx_http_chat_amend_target(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_publish_t *p,
    ngx_http_chat_cursor_t *cursor, ngx_str_t *text);
static void ngx_http_chat_amended_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);
static ngx_int_t ngx_http_chat_target_read(ngx_http_chat_zone_t *z,
    uint32_t room, uint64_t epoch, ngx_http_chat_cursor_t cursor,
    ngx_str_t *text);
static ngx_int_t ngx_http_chat_target_entry(u_char *buf, size_t used,
    uint64_t seq, ngx_str_t *text);


void
ngx_http_chat_command_edit(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    ngx_http_chat_content_t  content;

    if (ngx_http_chat_content_get(s, cmd, &content) == NGX_OK) {
        ngx_http_chat_amend(s, cmd, m, &content);
    }
}


void
ngx_http_chat_command_delete(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    ngx_http_chat_amend(s, cmd, m, NULL);
}


/* It is another user's message. */

static ngx_int_t
ngx_http_chat_amend_other(ngx_http_chat_session_t *s, chat_command_t *cmd)
{
    ngx_str_t                  room;
    ngx_http_chat_standing_t  *own;

    own = ngx_http_chat_command_standing();

    room.data = (u_char *) cmd->room.data;
    room.len = cmd->room.len;

    if (ngx_http_chat_role_own(s, own) >= NGX_HTTP_CHAT_ROLE_MODERATOR
        && ngx_http_chat_access(s, NGX_HTTP_CHAT_ACT_MODERATE, &room, own))
    {
        return NGX_OK;
    }

    ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                              "only its author or a moderator may do this");
    return NGX_DECLINED;
}


/* Without a content it is a deletion. */

static void
ngx_http_chat_amend(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m, ngx_http_chat_content_t *content)
{
    ngx_str_t                 text;
    ngx_uint_t                own;
    ngx_http_chat_amend_t     amend;
    ngx_http_chat_cursor_t    cursor;
    ngx_http_chat_publish_t   p;

    if (ngx_http_chat_amend_room(s, cmd, m, &p) != NGX_OK
        || ngx_http_chat_amend_target(s, cmd, &p, &cursor, &text) != NGX_OK)
    {
        return;
    }

    own = ngx_http_chat_target_own(s, &text);

    if (!own && ngx_http_chat_amend_other(s, cmd) != NGX_OK) {
        goto done;
    }

    if (own && cmd->room.data[0] == '@'
        && ngx_http_chat_direct_amend(s, cmd, content, &text) != NGX_OK)
    {
        goto done;
    }

    amend.room.data = (u_char *) cmd->room.data;
    amend.room.len = cmd->room.len;
    amend.target = cursor;
    amend.content = content;

    p.handler = ngx_http_chat_amended_handler;
    p.data = cmd;

    if (ngx_http_chat_amend_text(s, &amend, &p) != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        goto done;
    }

    ngx_http_chat_publish(&p);

done:

    ngx_free(text.data);
}


/* Membership is not needed, but then the room's history is not this location's
 * business. */

static ngx_int_t
ngx_http_chat_amend_room(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m, ngx_http_chat_publish_t *p)
{
    ngx_str_t  room;

    if (m) {
        ngx_http_chat_publish_to(p, ngx_http_chat_member_local(m), s);
        return NGX_OK;
    }

    room.data = (u_char *) cmd->room.data;
    room.len = cmd->room.len;

    if (ngx_http_chat_publish_named(p, &room, s) == NGX_OK) {
        return NGX_OK;
    }

    ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_NO_SUCH_ROOM, NULL,
                              "there is no such room");

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_chat_amend_target(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_publish_t *p, ngx_http_chat_cursor_t *cursor,
    ngx_str_t *text)
{
    ngx_int_t  rc;

    rc = ngx_http_chat_target(p->zone, p->room, p->epoch, cmd->seq, cursor,
                              text);

    if (rc == NGX_DECLINED) {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_NO_SUCH_MESSAGE, NULL,
                                  "there is no such message");

    } else if (rc != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, rc);
    }

    return rc;
}


ngx_int_t
ngx_http_chat_amend_text(ngx_http_chat_session_t *s,
    ngx_http_chat_amend_t *amend, ngx_http_chat_publish_t *p)
{
    size_t                    head;
    chat_json_writer_t        w;
    ngx_http_chat_append_t   *entry;
    ngx_http_chat_content_t  *content;

    content = amend->content;

    if (ngx_http_chat_reply_begin(&w, 256
                            + ngx_http_chat_reply_string(amend->room.len)
                            + ngx_http_chat_reply_string(s->user_len)
                            + (content ? content->size : 0))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (content) {
        chat_json_lit(&w, "{\"type\":\"edited\"");

    } else {
        chat_json_lit(&w, "{\"type\":\"deleted\"");
    }

    ngx_http_chat_reply_field(&w, "room", amend->room.data, amend->room.len);
    chat_json_lit(&w, ",\"seq\":");

    head = w.pos - w.start;

    ngx_http_chat_reply_number(&w, "target", amend->target.seq);
    ngx_http_chat_reply_field(&w, "user", ngx_http_chat_session_user(s),
                              s->user_len);

    if (content) {
        ngx_http_chat_content_put(&w, content);
    }

    chat_json_lit(&w, "}");

    entry = &p->append.entry;

    entry->flags = NGX_HTTP_CHAT_ENTRY_EVENT|NGX_HTTP_CHAT_ENTRY_AMENDS;
    entry->head.data = w.start;
    entry->head.len = head;
    entry->tail.data = w.start + head;
    entry->tail.len = w.pos - w.start - head;
    entry->targets = &amend->target;
    entry->ntargets = 1;
    entry->amend = content ? NGX_HTTP_CHAT_ENTRY_EDITED
                           : NGX_HTTP_CHAT_ENTRY_DELETED;

    return NGX_OK;
}


static void
ngx_http_chat_amended_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    chat_command_t           *cmd;
    ngx_http_chat_session_t  *s;

    s = p->session;
    cmd = p->data;

    if (rc == NGX_OK) {
        ngx_http_chat_reply_seq(s, cmd, cmd->seq);
        return;
    }

    if (rc == NGX_BUSY) {

        /* somebody else was faster */

        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_NO_SUCH_MESSAGE, NULL,
                                  "there is no such message");
        return;
    }

    ngx_http_chat_fail(s, &cmd->id, rc);
}


void
ngx_http_chat_command_react(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    ngx_str_t                text;
    chat_json_writer_t       w;
    ngx_http_chat_cursor_t   cursor;
    ngx_http_chat_publish_t  p;

    ngx_http_chat_publish_to(&p, ngx_http_chat_member_local(m), s);

    if (ngx_http_chat_amend_target(s, cmd, &p, &cursor, &text) != NGX_OK) {
        return;
    }

    ngx_free(text.data);

    if (ngx_http_chat_reply_begin(&w, 256
                            + ngx_http_chat_reply_string(cmd->room.len)
                            + ngx_http_chat_reply_string(s->user_len)
                            + ngx_http_chat_reply_string(cmd->emoji.len))
        != NGX_OK)
    {
        ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        return;
    }

    chat_json_lit(&w, "{\"type\":\"reacted\"");
    ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
    ngx_http_chat_reply_number(&w, "target", cmd->seq);
    ngx_http_chat_reply_field(&w, "user", ngx_http_chat_session_user(s),
                              s->user_len);
    ngx_http_chat_reply_field(&w, "emoji", cmd->emoji.data, cmd->emoji.len);
    ngx_http_chat_reply_flag(&w, "on", cmd->on);
    chat_json_lit(&w, "}");

    ngx_http_chat_publish_event(p.zone, p.room, p.epoch, w.start,
                                w.pos - w.start);

    ngx_http_chat_reply_seq(s, cmd, cmd->seq);
}


void
ngx_http_chat_reply_seq(ngx_http_chat_session_t *s, chat_command_t *cmd,
    uint64_t seq)
{
    chat_json_writer_t  w;

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id,
                         64 + ngx_http_chat_reply_string(cmd->room.len))
        != NGX_OK)
    {
        return;
    }

    ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
    ngx_http_chat_reply_number(&w, "seq", seq);
    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}


ngx_int_t
ngx_http_chat_target(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch,
    uint64_t seq, ngx_http_chat_cursor_t *cursor, ngx_str_t *text)
{
    ngx_int_t                   rc;
    ngx_http_chat_local_t      *local;
    ngx_http_chat_room_view_t   view;

    rc = ngx_http_chat_room_view(z, room, epoch, &view);

    if (rc != NGX_OK) {
        return NGX_ABORT;
    }

    /* what the view has taken note of is still to be delivered */

    local = ngx_http_chat_worker_room(z, room);

    if (local && local->epoch == epoch) {
        ngx_http_chat_deliver_room(local);
    }

    if (seq < view.visible_seq || seq >= view.next_seq) {
        return NGX_DECLINED;
    }

    *cursor = view.head;

    if (ngx_http_chat_room_seek(z, room, epoch, seq, cursor) != NGX_OK) {
        return NGX_ABORT;
    }

    if (cursor->seq != seq) {
        return NGX_DECLINED;
    }

    /* of what passes nothing comes in front of it */

    cursor->passing = view.head.passing;

    return ngx_http_chat_target_read(z, room, epoch, *cursor, text);
}


static ngx_int_t
ngx_http_chat_target_read(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_http_chat_cursor_t cursor, ngx_str_t *text)
{
    size_t                      size, used, need;
    u_char                     *buf;
    uint64_t                    gap, seq;
    ngx_int_t                   rc;
    ngx_http_chat_room_view_t   view;

    seq = cursor.seq;
    need = NGX_HTTP_CHAT_TARGET_SIZE;

    for ( ;; ) {
        size = need;

        buf = ngx_alloc(size, ngx_cycle->log);
        if (buf == NULL) {
            return NGX_ERROR;
        }

        gap = 0;
        used = 0;

        rc = ngx_http_chat_room_read(z, room, epoch, &cursor, buf, size,
                                     &used, &need, &gap, &view);

        if (rc != NGX_DECLINED || gap || need <= size) {
            break;
        }

        ngx_free(buf);
    }

    if (rc == NGX_OK && gap == 0
        && ngx_http_chat_target_entry(buf, used, seq, text) == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_free(buf);

    return (rc == NGX_ABORT || rc == NGX_ERROR) ? NGX_ABORT : NGX_DECLINED;
}


/* The event's own text, moved to the start of the buffer. */

static ngx_int_t
ngx_http_chat_target_entry(u_char *buf, size_t used, uint64_t seq,
    ngx_str_t *text)
{
    ngx_http_chat_entry_t  e;

    if (used < sizeof(e)) {
        return NGX_DECLINED;
    }

    ngx_memcpy(&e, buf, sizeof(e));

    if (e.seq != seq
        || !(e.flags & NGX_HTTP_CHAT_ENTRY_MESSAGE)
        || (e.flags & NGX_HTTP_CHAT_ENTRY_DELETED))
    {
        return NGX_DECLINED;
    }

    text->data = buf;
    text->len = e.len - (ngx_http_chat_entry_amended(&e) ? e.sender : 0);

    ngx_memmove(buf, buf + sizeof(e), text->len);

    return NGX_OK;
}


ngx_uint_t
ngx_http_chat_target_own(ngx_http_chat_session_t *s, ngx_str_t *text)
{
    u_char              buf[ngx_http_chat_reply_string(CHAT_USER_MAX)];
    chat_str_t          user;
    chat_json_writer_t  w;

    chat_json_begin(&w, buf, sizeof(buf));
    chat_json_string(&w, ngx_http_chat_session_user(s), s->user_len);

    return chat_json_raw(text->data, text->len, "user", &user)
           && user.len == (size_t) (w.pos - w.start)
           && ngx_memcmp(user.data, buf, user.len) == 0;
}
