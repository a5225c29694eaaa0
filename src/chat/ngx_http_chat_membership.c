
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_publish.h"

#include "chat_ws.h"


/* What a join is to give. */
typedef struct {
    ngx_str_t     room;
    chat_str_t    id;
    chat_str_t    epoch;
    uint64_t      seq;
    uint64_t      history;
    unsigned      resume:1;
    unsigned      event:1;         /* answer with "joined" in place of "ok" */
} ngx_http_chat_join_t;


static void ngx_http_chat_join(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join);
static ngx_int_t ngx_http_chat_join_room(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join, ngx_http_chat_room_view_t *view,
    ngx_http_chat_member_t **m);
static uint64_t ngx_http_chat_join_from(ngx_http_chat_join_t *join,
    ngx_http_chat_room_view_t *view, ngx_uint_t *recovered);
static ngx_int_t ngx_http_chat_join_answer(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join, ngx_http_chat_room_view_t *view,
    ngx_http_chat_member_t *m);
static ngx_int_t ngx_http_chat_join_seek(ngx_http_chat_local_t *local,
    uint64_t seq, ngx_http_chat_member_t *m);
static ngx_int_t ngx_http_chat_join_head(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join, chat_json_writer_t *w);


void
ngx_http_chat_command_join(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    ngx_http_chat_join_t  join;

    (void) m;    /* there need not be one yet */

    ngx_memzero(&join, sizeof(join));

    join.room.data = (u_char *) cmd->room.data;
    join.room.len = cmd->room.len;
    join.id = cmd->id;
    join.epoch = cmd->epoch;
    join.seq = cmd->seq;
    join.resume = (cmd->given & CHAT_F_EPOCH) ? 1 : 0;
    join.history = (cmd->given & CHAT_F_HISTORY)
                       ? cmd->history
                       : ngx_min(NGX_HTTP_CHAT_HISTORY_DEFAULT,
                                 s->settings->history_page);

    ngx_http_chat_join(s, &join);
}


void
ngx_http_chat_join_at_once(ngx_http_chat_session_t *s)
{
    ngx_http_chat_join_t  join;

    ngx_memzero(&join, sizeof(join));

    join.room.data = ngx_http_chat_session_room(s);
    join.room.len = s->room_len;
    join.event = 1;
    join.history = ngx_min(NGX_HTTP_CHAT_HISTORY_DEFAULT,
                           s->settings->history_page);

    ngx_http_chat_join(s, &join);
}


ngx_int_t
ngx_http_chat_enter(ngx_http_chat_session_t *s)
{
    ngx_int_t                   rc;
    ngx_str_t                   room;
    ngx_http_chat_member_t     *m;
    ngx_http_chat_room_view_t   view;

    if (s->settings->protocol != NGX_HTTP_CHAT_PROTOCOL_RAW) {
        return NGX_OK;
    }

    room.data = ngx_http_chat_session_room(s);
    room.len = s->room_len;

    rc = ngx_http_chat_member_join(s, &room, &view, &m);

    if (rc == NGX_DECLINED) {
        ngx_http_chat_publish_full(s->zone);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    /* history is what a cursor further back gets */

    return ngx_http_chat_join_seek(ngx_http_chat_member_local(m),
                                   view.visible_seq, m);
}


static void
ngx_http_chat_join(ngx_http_chat_session_t *s, ngx_http_chat_join_t *join)
{
    ngx_http_chat_member_t     *m;
    ngx_http_chat_room_view_t   view;

    if (join->room.data[0] == '@') {
        ngx_http_chat_reply_error(s, &join->id, CHAT_ERR_FORBIDDEN, NULL,
                                  "names with a leading @ are inboxes");
        return;
    }

    m = ngx_http_chat_member_find(s, &join->room);

    if (m) {
        /* once more, to resume: from the beginning */
        ngx_http_chat_member_leave(m);
    }

    if (s->njoined >= s->settings->rooms_max) {
        ngx_http_chat_reply_error(s, &join->id, CHAT_ERR_ROOM_LIMIT, NULL,
                                  "too many rooms on this connection, "
                                  "leave one first");
        return;
    }

    if (ngx_http_chat_join_room(s, join, &view, &m) != NGX_OK) {
        return;
    }

    if (ngx_http_chat_join_answer(s, join, &view, m) != NGX_OK) {
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "no memory");
    }

    /* what came since, and what was too much for one answer; also what reading
     * the log has taken note of for all members here */

    ngx_http_chat_deliver_room(ngx_http_chat_member_local(m));
}


static ngx_int_t
ngx_http_chat_join_room(ngx_http_chat_session_t *s, ngx_http_chat_join_t *join,
    ngx_http_chat_room_view_t *view, ngx_http_chat_member_t **m)
{
    ngx_int_t  rc;

    rc = ngx_http_chat_member_join(s, &join->room, view, m);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_DECLINED) {
        ngx_http_chat_publish_full(s->zone);
        ngx_http_chat_reply_error(s, &join->id, CHAT_ERR_ZONE_FULL, NULL,
                                  "the server's memory is full, "
                                  "try again later");

    } else {
        ngx_http_chat_reply_error(s, &join->id, CHAT_ERR_INTERNAL, NULL,
                                  "the server has no memory, "
                                  "try again later");
    }

    return NGX_ERROR;
}


/* The first entry that the newcomer is to get. */

static uint64_t
ngx_http_chat_join_from(ngx_http_chat_join_t *join,
    ngx_http_chat_room_view_t *view, ngx_uint_t *recovered)
{
    u_char  epoch[NGX_HTTP_CHAT_EPOCH_LEN];

    if (join->resume) {
        ngx_http_chat_epoch_text(epoch, view->epoch);

        if (join->epoch.len == NGX_HTTP_CHAT_EPOCH_LEN
            && ngx_memcmp(join->epoch.data, epoch, NGX_HTTP_CHAT_EPOCH_LEN)
               == 0
            && join->seq < view->next_seq
            && join->seq + 1 >= view->visible_seq)
        {
            *recovered = 1;
            return join->seq + 1;
        }
    }

    *recovered = 0;

    return view->next_seq - ngx_min(join->history,
                                    view->next_seq - view->visible_seq);
}


/*
 * The state of the room exactly at the cursor: what the answer does not have
 * follows it as events.
 */

static ngx_int_t
ngx_http_chat_join_answer(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join, ngx_http_chat_room_view_t *view,
    ngx_http_chat_member_t *m)
{
    uint64_t                 from, end;
    ngx_int_t                rc;
    ngx_uint_t               recovered;
    chat_json_writer_t       w;
    ngx_http_chat_local_t   *local;
    ngx_http_chat_cursor_t   next;

    local = ngx_http_chat_member_local(m);

    from = ngx_http_chat_join_from(join, view, &recovered);
    end = ngx_min(view->next_seq, from + s->settings->history_page);

    if (join->id.len == 0 && !join->event) {

        /* nobody asked for an answer: what was missed comes as events */

        if (!recovered) {
            return NGX_OK;
        }

        rc = ngx_http_chat_join_seek(local, from, m);

        if (m->cursor.seq > from) {
            /* dropped since the view was taken: to be told of as a gap */
            m->cursor.seq = from;
            m->cursor.block = 0;
        }

        return rc;
    }

    if (ngx_http_chat_join_head(s, join, &w) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_chat_reply_field(&w, "room", join->room.data, join->room.len);
    ngx_http_chat_reply_epoch(&w, view->epoch);
    ngx_http_chat_reply_number(&w, "seq", view->next_seq - 1);
    ngx_http_chat_reply_number(&w, "members", view->members);

    chat_json_lit(&w, ",\"topic\":\"\",\"role\":\"member\"");

    rc = ngx_http_chat_history_put(local, &w, from, end,
                                   NGX_HTTP_CHAT_REPLY_MAX, &next);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (join->resume) {
        ngx_http_chat_reply_flag(&w, "recovered",
                                 recovered && rc == NGX_OK);
    }

    chat_json_lit(&w, "}");

    m->cursor = next;

    ngx_http_chat_reply_send(s, &w);

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_join_seek(ngx_http_chat_local_t *local, uint64_t seq,
    ngx_http_chat_member_t *m)
{
    return ngx_http_chat_room_seek(local->zone,
                                   ngx_http_chat_local_room(local),
                                   local->epoch, seq, &m->cursor);
}


static ngx_int_t
ngx_http_chat_join_head(ngx_http_chat_session_t *s, ngx_http_chat_join_t *join,
    chat_json_writer_t *w)
{
    if (ngx_http_chat_reply_begin(w, 512 + join->id.len
                              + ngx_http_chat_reply_string(join->room.len)
                              + ngx_http_chat_reply_person_size(s))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (join->event) {
        chat_json_lit(w, "{\"type\":\"joined\"");
        ngx_http_chat_reply_person(w, s);
        ngx_http_chat_reply_number(w, "ts", ngx_http_chat_reply_now());

    } else {
        chat_json_lit(w, "{\"type\":\"ok\",\"id\":");
        chat_json_put(w, join->id.data, join->id.len);
    }

    return NGX_OK;
}


void
ngx_http_chat_command_leave(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    chat_json_writer_t  w;

    ngx_http_chat_member_leave(m);

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id,
                         64 + ngx_http_chat_reply_string(cmd->room.len))
        != NGX_OK)
    {
        return;
    }

    ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}
