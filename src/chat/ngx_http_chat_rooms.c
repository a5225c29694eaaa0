
#include "ngx_http_chat_moderate.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_notify.h"


#define NGX_HTTP_CHAT_ROOMS_DEFAULT  50
#define NGX_HTTP_CHAT_ROOMS_LOOK     10000   /* rooms, for one answer */
#define NGX_HTTP_CHAT_ROOMS_STEP     64      /* of these, at a time */

#define NGX_HTTP_CHAT_SETTINGS_ALL                                            \
    (NGX_HTTP_CHAT_ROOM_LOCKED|NGX_HTTP_CHAT_ROOM_MEMBERS_ONLY                \
     |NGX_HTTP_CHAT_ROOM_SLOW|NGX_HTTP_CHAT_ROOM_TOPIC)


static ngx_int_t ngx_http_chat_rooms_put(ngx_http_chat_session_t *s,
    chat_command_t *cmd, chat_json_writer_t *w);
static ngx_int_t ngx_http_chat_rooms_one(ngx_http_chat_session_t *s,
    chat_command_t *cmd, chat_json_writer_t *w, uint32_t room, uint64_t epoch,
    ngx_uint_t first);
static ngx_uint_t ngx_http_chat_rooms_listed(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_str_t *name);
static void ngx_http_chat_settings_get(chat_command_t *cmd,
    ngx_http_chat_room_settings_t *settings);
static void ngx_http_chat_set_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);


void
ngx_http_chat_command_rooms(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    chat_json_writer_t  w;

    (void) m;    /* it is of no room */

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id, 64) != NGX_OK) {
        return;
    }

    if (ngx_http_chat_rooms_put(s, cmd, &w) != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        return;
    }

    ngx_http_chat_reply_send(s, &w);
}


static ngx_int_t
ngx_http_chat_rooms_put(ngx_http_chat_session_t *s, chat_command_t *cmd,
    chat_json_writer_t *w)
{
    uint32_t    place, rooms[NGX_HTTP_CHAT_ROOMS_STEP];
    uint64_t    epochs[NGX_HTTP_CHAT_ROOMS_STEP];
    ngx_int_t   rc;
    ngx_uint_t  i, n, limit, listed, looked;

    limit = ngx_min(NGX_HTTP_CHAT_ROOMS_DEFAULT, s->settings->history_page);

    if (cmd->given & CHAT_F_LIMIT) {
        limit = cmd->limit;
    }

    chat_json_lit(w, ",\"rooms\":[");

    place = 0;
    listed = 0;

    for (looked = 0; looked < NGX_HTTP_CHAT_ROOMS_LOOK; looked += n) {

        n = ngx_http_chat_room_list(s->zone, &place, rooms, epochs,
                                    NGX_HTTP_CHAT_ROOMS_STEP);

        for (i = 0; i < n && listed < limit; i++) {
            rc = ngx_http_chat_rooms_one(s, cmd, w, rooms[i], epochs[i],
                                         listed == 0);
            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_OK) {
                listed++;
            }
        }

        if (n == 0 || listed == limit) {
            break;
        }
    }

    chat_json_lit(w, "]}");

    return NGX_OK;
}


/* OK; DECLINED: it is none to be listed, or gone; ERROR: no memory. */

static ngx_int_t
ngx_http_chat_rooms_one(ngx_http_chat_session_t *s, chat_command_t *cmd,
    chat_json_writer_t *w, uint32_t room, uint64_t epoch, ngx_uint_t first)
{
    u_char                          buf[NGX_HTTP_CHAT_ROOM_NAME_MAX];
    u_char                          topic[NGX_HTTP_CHAT_TOPIC_MAX];
    ngx_str_t                       name, user;
    ngx_http_chat_local_t          *local;
    ngx_http_chat_standing_t        own;
    ngx_http_chat_room_view_t       view;
    ngx_http_chat_room_settings_t   settings;

    name.data = buf;
    name.len = ngx_http_chat_room_name_of(s->zone, room, epoch, buf);

    if (!ngx_http_chat_rooms_listed(s, cmd, &name)) {
        return NGX_DECLINED;
    }

    user.data = ngx_http_chat_session_user(s);
    user.len = s->user_len;

    /* of rooms that a backend has to be asked about only one's own are told */

    if (ngx_http_chat_room_standing(s->zone, room, epoch, &user, &own)
        != NGX_OK
        || (s->settings->authorize && own.here == 0)
        || !ngx_http_chat_rights_member(s, &own)
        || !ngx_http_chat_access(s, NGX_HTTP_CHAT_ACT_JOIN, &name, &own)
        || ngx_http_chat_room_view(s->zone, room, epoch, &view) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    /* what the view has taken note of is still to be delivered */

    local = ngx_http_chat_worker_room(s->zone, room);

    if (local) {
        ngx_http_chat_deliver_room(local);
    }

    ngx_memzero(&settings, sizeof(settings));

    settings.topic.data = topic;
    settings.topic.len = ngx_http_chat_room_topic(s->zone, room, epoch, topic,
                                                  &settings);
    settings.given = NGX_HTTP_CHAT_ROOM_TOPIC;

    if (ngx_http_chat_reply_more(w, 128 + ngx_http_chat_reply_string(name.len)
                             + ngx_http_chat_reply_string(settings.topic.len))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!first) {
        chat_json_lit(w, ",");
    }

    chat_json_lit(w, "{\"room\":");
    chat_json_string(w, name.data, name.len);
    ngx_http_chat_reply_number(w, "members", view.users);
    ngx_http_chat_reply_number(w, "seq", view.next_seq - 1);
    ngx_http_chat_settings_put(w, &settings);
    chat_json_lit(w, "}");

    return NGX_OK;
}


/* Inboxes, and what begins with a control character: raw mode's rooms and
 * those that nobody joins, are not for people to see. */

static ngx_uint_t
ngx_http_chat_rooms_listed(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_str_t *name)
{
    if (name->len == 0 || name->data[0] == '@' || name->data[0] < ' ') {
        return 0;
    }

    if (cmd->prefix.len > name->len
        || (cmd->prefix.len
            && ngx_memcmp(cmd->prefix.data, name->data, cmd->prefix.len) != 0))
    {
        return 0;
    }

    return s->settings->room_allowed == NULL
           || s->settings->room_allowed(s->settings->room_names, name);
}


void
ngx_http_chat_command_set(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    size_t                          head;
    chat_json_writer_t              w;
    ngx_http_chat_append_t         *entry;
    ngx_http_chat_publish_t         p;
    ngx_http_chat_room_settings_t   settings;

    if (ngx_http_chat_moderate_begin(s, cmd, m, &p, NULL) != NGX_OK) {
        return;
    }

    if (ngx_http_chat_reply_begin(&w, 256
                                  + ngx_http_chat_reply_string(cmd->room.len)
                                  + ngx_http_chat_reply_string(cmd->topic.len)
                                  + ngx_http_chat_reply_string(s->user_len))
        != NGX_OK)
    {
        ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        return;
    }

    ngx_http_chat_settings_get(cmd, &settings);

    chat_json_lit(&w, "{\"type\":\"room\"");
    ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
    chat_json_lit(&w, ",\"seq\":");

    head = w.pos - w.start;

    ngx_http_chat_settings_put(&w, &settings);
    ngx_http_chat_reply_field(&w, "user", ngx_http_chat_session_user(s),
                              s->user_len);
    chat_json_lit(&w, "}");

    p.handler = ngx_http_chat_set_handler;
    p.data = cmd;
    p.append.settings = &settings;

    entry = &p.append.entry;
    entry->flags = NGX_HTTP_CHAT_ENTRY_EVENT;
    entry->head.data = w.start;
    entry->head.len = head;
    entry->tail.data = w.start + head;
    entry->tail.len = w.pos - w.start - head;

    ngx_http_chat_publish(&p);
}


static void
ngx_http_chat_set_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    u_char                          topic[NGX_HTTP_CHAT_TOPIC_MAX];
    chat_command_t                 *cmd;
    chat_json_writer_t              w;
    ngx_http_chat_session_t        *s;
    ngx_http_chat_room_settings_t   settings;

    s = p->session;
    cmd = p->data;

    if (rc != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, rc);
        return;
    }

    ngx_memzero(&settings, sizeof(settings));

    settings.topic.data = topic;
    settings.topic.len = ngx_http_chat_room_topic(p->zone, p->room, p->epoch,
                                                  topic, &settings);
    settings.given = NGX_HTTP_CHAT_SETTINGS_ALL;

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id, 256
                               + ngx_http_chat_reply_string(cmd->room.len)
                               + ngx_http_chat_reply_string(
                                                         settings.topic.len))
        != NGX_OK)
    {
        return;
    }

    ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
    ngx_http_chat_settings_put(&w, &settings);
    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}


static void
ngx_http_chat_settings_get(chat_command_t *cmd,
    ngx_http_chat_room_settings_t *settings)
{
    ngx_memzero(settings, sizeof(ngx_http_chat_room_settings_t));

    if (cmd->given & CHAT_F_TOPIC) {
        settings->given |= NGX_HTTP_CHAT_ROOM_TOPIC;
        settings->topic.data = (u_char *) cmd->topic.data;
        settings->topic.len = cmd->topic.len;
    }

    if (cmd->given & CHAT_F_SLOW) {
        settings->given |= NGX_HTTP_CHAT_ROOM_SLOW;
        settings->slow = cmd->slow;
    }

    if (cmd->given & CHAT_F_LOCKED) {
        settings->given |= NGX_HTTP_CHAT_ROOM_LOCKED;
        settings->flags |= cmd->locked ? NGX_HTTP_CHAT_ROOM_LOCKED : 0;
    }

    if (cmd->given & CHAT_F_MEMBERS_ONLY) {
        settings->given |= NGX_HTTP_CHAT_ROOM_MEMBERS_ONLY;
        settings->flags |= cmd->members_only ? NGX_HTTP_CHAT_ROOM_MEMBERS_ONLY
                                             : 0;
    }
}


void
ngx_http_chat_settings_put(chat_json_writer_t *w,
    ngx_http_chat_room_settings_t *settings)
{
    if (settings->given & NGX_HTTP_CHAT_ROOM_TOPIC) {
        ngx_http_chat_reply_field(w, "topic", settings->topic.data,
                                  settings->topic.len);
    }

    if (settings->given & NGX_HTTP_CHAT_ROOM_SLOW) {
        ngx_http_chat_reply_number(w, "slow", settings->slow);
    }

    if (settings->given & NGX_HTTP_CHAT_ROOM_LOCKED) {
        ngx_http_chat_reply_flag(w, "locked",
                                 settings->flags & NGX_HTTP_CHAT_ROOM_LOCKED);
    }

    if (settings->given & NGX_HTTP_CHAT_ROOM_MEMBERS_ONLY) {
        ngx_http_chat_reply_flag(w, "members_only",
                                 settings->flags
                                 & NGX_HTTP_CHAT_ROOM_MEMBERS_ONLY);
    }
}
