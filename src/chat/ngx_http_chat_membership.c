
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_join.h"
#include "ngx_http_chat_occupant.h"
#include "ngx_http_chat_publish.h"
#include "ngx_http_chat_rate.h"

#include "chat_ws.h"


#define NGX_HTTP_CHAT_UNREAD_MAX  1000     /* messages that are counted */


/* A join and what its answer says of the room. */
typedef struct {
    chat_command_t                 *cmd;
    ngx_str_t                       room;
    uint64_t                        history;
    ngx_http_chat_member_t         *m;
    ngx_http_chat_room_view_t       view;
    ngx_http_chat_standing_t        own;
    ngx_http_chat_standing_t       *people;
    ngx_uint_t                      npeople;
    ngx_http_chat_room_settings_t   settings;
    ngx_uint_t                      unread;
    ngx_http_chat_admission_t       how;       /* it comes in */
    unsigned                        event:1;   /* "joined", not "ok" */
    unsigned                        blind:1;   /* what was is not for it */
    u_char                          topic[NGX_HTTP_CHAT_TOPIC_MAX];
} ngx_http_chat_join_t;


/* A join that waits for its room's answer, with its strings behind it. */
typedef struct {
    chat_command_t                  cmd;
    ngx_http_chat_join_t            join;
} ngx_http_chat_waiting_t;


static void ngx_http_chat_join(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join);
static ngx_int_t ngx_http_chat_join_again(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join);
static ngx_int_t ngx_http_chat_join_named(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join);
static ngx_int_t ngx_http_chat_join_allowed(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join);
static ngx_int_t ngx_http_chat_join_authorize(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join);
static void ngx_http_chat_join_refuse(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join, ngx_int_t rc);
static ngx_http_chat_waiting_t *ngx_http_chat_join_wait(
    ngx_http_chat_session_t *s, ngx_http_chat_join_t *join);
static void ngx_http_chat_join_strings(ngx_http_chat_join_t *join, u_char *p);
static void ngx_http_chat_join_finish(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join);
static ngx_int_t ngx_http_chat_join_room(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join);
static ngx_int_t ngx_http_chat_join_own(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join);
static ngx_int_t ngx_http_chat_join_look(ngx_http_chat_join_t *join);
static uint64_t ngx_http_chat_join_from(ngx_http_chat_join_t *join,
    ngx_uint_t *recovered);
static ngx_int_t ngx_http_chat_join_answer(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join);
static ngx_int_t ngx_http_chat_join_silent(ngx_http_chat_join_t *join);
static ngx_int_t ngx_http_chat_join_seek(ngx_http_chat_local_t *local,
    uint64_t seq, ngx_http_chat_member_t *m);
static ngx_int_t ngx_http_chat_join_head(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join, chat_json_writer_t *w);
static ngx_int_t ngx_http_chat_join_state(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join, chat_json_writer_t *w);
static void ngx_http_chat_join_limits(chat_json_writer_t *w,
    ngx_http_chat_allowance_t *allowance);


#define ngx_http_chat_join_resumes(join)                                      \
    ((join)->cmd->given & CHAT_F_EPOCH)


void
ngx_http_chat_command_join(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    ngx_http_chat_join_t  join;

    ngx_memzero(&join, offsetof(ngx_http_chat_join_t, topic));

    join.cmd = cmd;
    join.room.data = (u_char *) cmd->room.data;
    join.room.len = cmd->room.len;
    join.m = m;
    join.history = (cmd->given & CHAT_F_HISTORY)
                       ? cmd->history
                       : ngx_min(NGX_HTTP_CHAT_HISTORY_DEFAULT,
                                 s->settings->history_page);

    ngx_http_chat_join(s, &join);
}


void
ngx_http_chat_join_at_once(ngx_http_chat_session_t *s)
{
    chat_command_t        cmd;
    ngx_http_chat_join_t  join;

    ngx_memzero(&cmd, sizeof(cmd));
    ngx_memzero(&join, offsetof(ngx_http_chat_join_t, topic));

    cmd.type = CHAT_CMD_JOIN;
    cmd.given = CHAT_F_ROOM;
    cmd.room.data = ngx_http_chat_session_room(s);
    cmd.room.len = s->room_len;

    join.cmd = &cmd;
    join.room.data = ngx_http_chat_session_room(s);
    join.room.len = s->room_len;
    join.m = ngx_http_chat_member_find(s, &join.room);
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

    rc = ngx_http_chat_member_join(s, &room, NULL, &view, &m);

    if (rc == NGX_DECLINED) {
        ngx_http_chat_publish_full(s->zone);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (!ngx_http_chat_access_raw(s, NGX_HTTP_CHAT_ACT_HISTORY)) {
        m->cursor = view.head;
        return NGX_OK;
    }

    /* history is what a cursor further back gets */

    return ngx_http_chat_join_seek(ngx_http_chat_member_local(m),
                                   view.visible_seq, m);
}


static void
ngx_http_chat_join(ngx_http_chat_session_t *s, ngx_http_chat_join_t *join)
{
    join->how.role = s->role;

    if (ngx_http_chat_join_named(s, join) == NGX_OK
        && ngx_http_chat_join_again(s, join) == NGX_OK
        && ngx_http_chat_join_authorize(s, join) == NGX_OK)
    {
        ngx_http_chat_join_finish(s, join);
    }
}


static void
ngx_http_chat_join_finish(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join)
{
    if (ngx_http_chat_join_allowed(s, join) != NGX_OK
        || ngx_http_chat_join_room(s, join) != NGX_OK)
    {
        return;
    }

    join->blind = !ngx_http_chat_access(s, NGX_HTTP_CHAT_ACT_HISTORY,
                                        &join->room, &join->own);

    if (ngx_http_chat_join_answer(s, join) != NGX_OK) {
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "no memory");
    }

    if (join->people) {
        ngx_free(join->people);
    }

    /* what came since, and what was too much for one answer; also what reading
     * the log has taken note of for all members here */

    ngx_http_chat_deliver_room(ngx_http_chat_member_local(join->m));
}


static ngx_int_t
ngx_http_chat_join_named(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join)
{
    if (join->room.data[0] == '@') {

        if (join->m) {
            return NGX_OK;
        }

        ngx_http_chat_reply_error(s, &join->cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                                  "this is another user's inbox");
        return NGX_ERROR;
    }

    if (s->settings->room_allowed
        && !s->settings->room_allowed(s->settings->room_names, &join->room))
    {
        ngx_http_chat_reply_error(s, &join->cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                                  "a room may not have this name here");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_join_allowed(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join)
{
    uint32_t   room;
    uint64_t   epoch;
    ngx_str_t  user;

    if (join->room.data[0] == '@') {
        return NGX_OK;
    }

    user.data = ngx_http_chat_session_user(s);
    user.len = s->user_len;

    room = ngx_http_chat_room_find(s->zone, &join->room, &epoch);

    /* there is nothing to know where it is gone since, or is not yet */

    if (room == 0
        || ngx_http_chat_room_standing(s->zone, room, epoch, &user,
                                       &join->own)
           != NGX_OK)
    {
        ngx_memzero(&join->own, sizeof(ngx_http_chat_standing_t));
    }

    if (join->m == NULL && s->settings->authorize) {

        /* as whom it will be there */

        join->own.here = 1;
        join->own.role = join->how.role;
    }

    return ngx_http_chat_allowed(s, join->cmd, &join->own);
}


/* A member joins once more, to resume: its place stays, unless it was
 * expelled and has not been removed yet. */

static ngx_int_t
ngx_http_chat_join_again(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join)
{
    ngx_int_t               rc;
    ngx_http_chat_local_t  *local;

    if (join->m == NULL) {
        return NGX_OK;
    }

    local = ngx_http_chat_member_local(join->m);

    rc = ngx_http_chat_room_occupant(local->zone,
                                     ngx_http_chat_local_room(local),
                                     local->epoch,
                                   ngx_http_chat_member_occupant(join->m),
                                     &join->own);

    if (rc == NGX_OK && (join->own.flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED)) {
        ngx_http_chat_member_leave(join->m);
        join->m = NULL;
        return NGX_OK;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_chat_room_view(local->zone,
                                     ngx_http_chat_local_room(local),
                                     local->epoch, &join->view);
    }

    if (rc != NGX_OK) {
        ngx_http_chat_fail(s, &join->cmd->id, NGX_ABORT);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Somebody else may have to be asked.  OK; else it was answered, or is when
 * the answer has come. */

static ngx_int_t
ngx_http_chat_join_authorize(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join)
{
    ngx_int_t                 rc;
    ngx_http_chat_waiting_t  *waiting;

    if (join->m || s->settings->authorize == NULL) {
        return NGX_OK;
    }

    rc = s->settings->authorize(s, &join->room, &join->how, NULL);

    if (rc == NGX_AGAIN) {
        waiting = ngx_http_chat_join_wait(s, join);

        if (waiting == NULL) {
            ngx_http_chat_fail(s, &join->cmd->id, NGX_ERROR);
            return NGX_ERROR;
        }

        rc = s->settings->authorize(s, &join->room, &join->how, waiting);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        ngx_free(waiting);
    }

    if (rc != NGX_OK) {
        ngx_http_chat_join_refuse(s, join, rc);
    }

    return rc;
}


static void
ngx_http_chat_join_refuse(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join, ngx_int_t rc)
{
    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "client was refused by the backend that is asked, "
                      "room: \"%V\"", &join->room);

        ngx_http_chat_reply_error(s, &join->cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                                  "you are not allowed into this room");
        return;
    }

    ngx_http_chat_reply_error(s, &join->cmd->id, CHAT_ERR_UNAVAILABLE, NULL,
                              "who may join cannot be found out now, "
                              "try again later");
}


/* The command's text is its buffer's, which is used again. */

static ngx_http_chat_waiting_t *
ngx_http_chat_join_wait(ngx_http_chat_session_t *s, ngx_http_chat_join_t *join)
{
    size_t                    len;
    chat_command_t           *cmd;
    ngx_http_chat_waiting_t  *waiting;

    cmd = join->cmd;
    len = cmd->id.len + cmd->epoch.len + cmd->room.len;

    waiting = ngx_alloc(sizeof(ngx_http_chat_waiting_t) + len,
                        s->connection->log);
    if (waiting == NULL) {
        return NULL;
    }

    ngx_memzero(waiting, sizeof(ngx_http_chat_waiting_t));

    waiting->cmd.type = cmd->type;
    waiting->cmd.given = cmd->given;
    waiting->cmd.id = cmd->id;
    waiting->cmd.room = cmd->room;
    waiting->cmd.epoch = cmd->epoch;
    waiting->cmd.seq = cmd->seq;
    waiting->cmd.presence = cmd->presence;

    waiting->join.cmd = &waiting->cmd;
    waiting->join.history = join->history;
    waiting->join.event = join->event;

    ngx_http_chat_join_strings(&waiting->join, (u_char *) (waiting + 1));

    return waiting;
}


static void
ngx_http_chat_join_strings(ngx_http_chat_join_t *join, u_char *p)
{
    ngx_uint_t   i;
    chat_str_t  *strings[3];

    strings[0] = &join->cmd->id;
    strings[1] = &join->cmd->epoch;
    strings[2] = &join->cmd->room;

    for (i = 0; i < 3; i++) {

        if (strings[i]->len) {
            ngx_memcpy(p, strings[i]->data, strings[i]->len);
        }

        strings[i]->data = (void *) p;
        p += strings[i]->len;
    }

    join->room.data = (u_char *) join->cmd->room.data;
    join->room.len = join->cmd->room.len;
}


void
ngx_http_chat_join_authorized(ngx_http_chat_session_t *s, void *data,
    ngx_int_t rc, ngx_http_chat_admission_t *how)
{
    ngx_http_chat_waiting_t *waiting = data;

    ngx_http_chat_join_t  *join;

    join = &waiting->join;

    if (rc != NGX_OK) {
        ngx_http_chat_join_refuse(s, join, rc);

    } else {
        join->how = *how;
        ngx_http_chat_join_finish(s, join);
    }

    ngx_free(waiting);
}


static ngx_int_t
ngx_http_chat_join_room(ngx_http_chat_session_t *s, ngx_http_chat_join_t *join)
{
    uint8_t      came;
    ngx_int_t    rc;
    const char  *role;

    if (join->m) {
        return NGX_OK;
    }

    if (s->njoined >= s->settings->rooms_max) {
        ngx_http_chat_reply_error(s, &join->cmd->id, CHAT_ERR_ROOM_LIMIT, NULL,
                                  "too many rooms on this connection, "
                                  "leave one first");
        return NGX_ERROR;
    }

    role = ngx_http_chat_role_name(ngx_http_chat_role(join->how.role,
                                                      join->own.granted));

    /* the role is the room's alone */

    came = s->role;
    s->role = (uint8_t) join->how.role;

    rc = ngx_http_chat_member_join(s, &join->room, role, &join->view,
                                   &join->m);
    s->role = came;

    switch (rc) {

    case NGX_OK:

        if (ngx_http_chat_rate_limit(join->m, &join->how) != NGX_OK) {
            ngx_http_chat_member_leave(join->m);
            ngx_http_chat_fail(s, &join->cmd->id, NGX_ERROR);
            return NGX_ERROR;
        }

        return ngx_http_chat_join_own(s, join);

    case NGX_DONE:
        ngx_http_chat_reply_error(s, &join->cmd->id, CHAT_ERR_ROOM_FULL, NULL,
                                  "there are too many members in the room");
        return NGX_ERROR;

    case NGX_DECLINED:
        ngx_http_chat_publish_full(s->zone);
        ngx_http_chat_fail(s, &join->cmd->id, NGX_DECLINED);
        return NGX_ERROR;

    default:
        ngx_http_chat_fail(s, &join->cmd->id, NGX_ERROR);
        return NGX_ERROR;
    }
}


/* Who the newcomer is there.  A ban may have come since he was let in. */

static ngx_int_t
ngx_http_chat_join_own(ngx_http_chat_session_t *s, ngx_http_chat_join_t *join)
{
    ngx_http_chat_local_t  *local;

    local = ngx_http_chat_member_local(join->m);

    if (ngx_http_chat_room_occupant(local->zone,
                                    ngx_http_chat_local_room(local),
                                    local->epoch,
                                  ngx_http_chat_member_occupant(join->m),
                                    &join->own)
        != NGX_OK)
    {
        ngx_http_chat_fail(s, &join->cmd->id, NGX_ABORT);
        return NGX_ERROR;
    }

    if (join->own.banned == 0
        || ngx_http_chat_allowed(s, join->cmd, &join->own) == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_http_chat_member_leave(join->m);

    return NGX_ERROR;
}


/* The first entry that the newcomer is to get. */

static uint64_t
ngx_http_chat_join_from(ngx_http_chat_join_t *join, ngx_uint_t *recovered)
{
    u_char                      epoch[NGX_HTTP_CHAT_EPOCH_LEN];
    chat_command_t             *cmd;
    ngx_http_chat_room_view_t  *view;

    cmd = join->cmd;
    view = &join->view;

    if (join->blind) {
        *recovered = 0;
        return view->next_seq;
    }

    if (ngx_http_chat_join_resumes(join)) {
        ngx_http_chat_epoch_text(epoch, view->epoch);

        if (cmd->epoch.len == NGX_HTTP_CHAT_EPOCH_LEN
            && ngx_memcmp(cmd->epoch.data, epoch, NGX_HTTP_CHAT_EPOCH_LEN)
               == 0
            && cmd->seq < view->next_seq
            && cmd->seq + 1 >= view->visible_seq)
        {
            *recovered = 1;
            return cmd->seq + 1;
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
    ngx_http_chat_join_t *join)
{
    uint64_t                 from, end;
    ngx_int_t                rc;
    ngx_uint_t               recovered;
    chat_json_writer_t       w;
    ngx_http_chat_cursor_t   next;

    if (join->cmd->id.len == 0 && !join->event) {
        return ngx_http_chat_join_silent(join);
    }

    if (ngx_http_chat_join_look(join) != NGX_OK
        || ngx_http_chat_join_head(s, join, &w) != NGX_OK
        || ngx_http_chat_join_state(s, join, &w) != NGX_OK)
    {
        return NGX_ERROR;
    }

    from = ngx_http_chat_join_from(join, &recovered);
    end = ngx_min(join->view.next_seq, from + s->settings->history_page);

    next.passing = join->view.head.passing;

    rc = ngx_http_chat_history_put(ngx_http_chat_member_local(join->m), &w,
                                   from, end, NGX_HTTP_CHAT_REPLY_MAX, &next);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (ngx_http_chat_join_resumes(join)) {
        ngx_http_chat_reply_flag(&w, "recovered",
                                 recovered && rc == NGX_OK);
    }

    chat_json_lit(&w, "}");

    join->m->cursor = next;

    ngx_http_chat_reply_send(s, &w);

    return NGX_OK;
}


/* Nobody asked for an answer: what was missed comes as events. */

static ngx_int_t
ngx_http_chat_join_silent(ngx_http_chat_join_t *join)
{
    uint64_t                 from;
    ngx_int_t                rc;
    ngx_uint_t               recovered;
    ngx_http_chat_member_t  *m;

    m = join->m;

    m->cursor = join->view.head;

    from = ngx_http_chat_join_from(join, &recovered);

    if (!recovered) {
        return NGX_OK;
    }

    rc = ngx_http_chat_join_seek(ngx_http_chat_member_local(m), from, m);

    if (m->cursor.seq > from) {
        /* dropped since the view was taken: to be told of as a gap */
        m->cursor.seq = from;
        m->cursor.block = 0;
    }

    return rc;
}


static ngx_int_t
ngx_http_chat_join_seek(ngx_http_chat_local_t *local, uint64_t seq,
    ngx_http_chat_member_t *m)
{
    return ngx_http_chat_room_seek(local->zone,
                                   ngx_http_chat_local_room(local),
                                   local->epoch, seq, &m->cursor);
}


/* Who is there, and how the room is set. */

static ngx_int_t
ngx_http_chat_join_look(ngx_http_chat_join_t *join)
{
    uint32_t                n;
    ngx_http_chat_zone_t   *z;
    ngx_http_chat_local_t  *local;

    local = ngx_http_chat_member_local(join->m);
    n = ngx_http_chat_local_room(local);
    z = local->zone;

    if (join->cmd->presence
        && ngx_http_chat_room_people(z, n, local->epoch,
                                     NGX_HTTP_CHAT_PEOPLE_MAX, &join->people,
                                     &join->npeople, &join->view)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    join->settings.topic.data = join->topic;
    join->settings.topic.len = ngx_http_chat_room_topic(z, n, local->epoch,
                                                        join->topic,
                                                        &join->settings);

    join->settings.given = NGX_HTTP_CHAT_ROOM_TOPIC
                           |NGX_HTTP_CHAT_ROOM_SLOW
                           |NGX_HTTP_CHAT_ROOM_LOCKED
                           |NGX_HTTP_CHAT_ROOM_MEMBERS_ONLY;

    join->unread = ngx_http_chat_room_unread(z, n, local->epoch,
                                             join->own.read + 1,
                                             NGX_HTTP_CHAT_UNREAD_MAX);

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_join_head(ngx_http_chat_session_t *s, ngx_http_chat_join_t *join,
    chat_json_writer_t *w)
{
    chat_command_t  *cmd;

    cmd = join->cmd;

    if (ngx_http_chat_reply_begin(w, 1024 + cmd->id.len
                           + ngx_http_chat_reply_string(join->room.len)
                           + ngx_http_chat_reply_string(NGX_HTTP_CHAT_TOPIC_MAX)
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
        chat_json_put(w, cmd->id.data, cmd->id.len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_join_state(ngx_http_chat_session_t *s,
    ngx_http_chat_join_t *join, chat_json_writer_t *w)
{
    const char  *role;

    role = ngx_http_chat_role_name(ngx_http_chat_role_own(s, &join->own));

    ngx_http_chat_reply_field(w, "room", join->room.data, join->room.len);
    ngx_http_chat_reply_epoch(w, join->view.epoch);
    ngx_http_chat_reply_number(w, "seq", join->view.next_seq - 1);
    ngx_http_chat_reply_number(w, "members", join->view.users);

    ngx_http_chat_settings_put(w, &join->settings);

    ngx_http_chat_reply_field(w, "role", role, ngx_strlen(role));
    ngx_http_chat_join_limits(w, ngx_http_chat_member_allowance(join->m));
    ngx_http_chat_reply_number(w, "read", join->own.read);
    ngx_http_chat_reply_number(w, "unread", join->unread);

    if (join->cmd->presence) {
        return ngx_http_chat_presence_put(w, join->people, join->npeople);
    }

    return NGX_OK;
}


/* What of the welcome's is less here. */

static void
ngx_http_chat_join_limits(chat_json_writer_t *w,
    ngx_http_chat_allowance_t *allowance)
{
    if (allowance == NULL) {
        return;
    }

    chat_json_lit(w, ",\"limits\":{");

    if (allowance->message_size) {
        chat_json_lit(w, "\"message_size\":");
        chat_json_uint(w, allowance->message_size);
    }

    if (allowance->rate) {
        if (allowance->message_size) {
            chat_json_lit(w, ",");
        }

        ngx_http_chat_reply_rate(w, allowance->rate, allowance->burst);
    }

    chat_json_lit(w, "}");
}


void
ngx_http_chat_command_leave(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    chat_json_writer_t      w;
    ngx_http_chat_local_t  *local;

    if (cmd->room.data[0] == '@') {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                                  "one's own inbox cannot be left");
        return;
    }

    local = ngx_http_chat_member_local(m);

    if (s->typing) {
        ngx_http_chat_typing_stop(s, ngx_http_chat_local_room(local));
    }

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
