
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_rate.h"
#include "ngx_http_chat_token.h"

#include "chat_ws.h"


/* It is let in by what the room that it names knows of the user; handlers
 * without this look for themselves. */
#define NGX_HTTP_CHAT_COMMAND_ROOM  0x01

/* It adds to the room, and who was let in with limits is held to them. */
#define NGX_HTTP_CHAT_COMMAND_ADDS  0x02


typedef void (*ngx_http_chat_command_pt)(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);


typedef struct {
    ngx_http_chat_command_pt  handler;
    ngx_uint_t                flags;
} ngx_http_chat_command_def_t;


static void ngx_http_chat_command(ngx_http_chat_session_t *s, u_char *text,
    size_t len);
static ngx_int_t ngx_http_chat_command_check(ngx_http_chat_session_t *s,
    chat_command_t *cmd, size_t len, chat_error_t *err);
static ngx_int_t ngx_http_chat_command_size(ngx_http_chat_session_t *s,
    chat_command_t *cmd, size_t len, size_t max);
static ngx_int_t ngx_http_chat_command_within(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_uint_t flags, ngx_http_chat_member_t *m,
    size_t len);
static void ngx_http_chat_command_limited(ngx_http_chat_session_t *s,
    chat_str_t *id, ngx_msec_t wait);
static ngx_int_t ngx_http_chat_command_room(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_uint_t flags, ngx_http_chat_member_t **m);
static void ngx_http_chat_welcome(ngx_http_chat_session_t *s);


static ngx_http_chat_standing_t  ngx_http_chat_command_own;


/* Which fields a command has, and their bounds, is in lib/chat_proto.c; who
 * may use it in rights.c. */

static const ngx_http_chat_command_def_t  ngx_http_chat_commands[CHAT_CMD_N] = {

    [CHAT_CMD_JOIN]    = { ngx_http_chat_command_join, 0 },

    [CHAT_CMD_LEAVE]   = { ngx_http_chat_command_leave,
                           NGX_HTTP_CHAT_COMMAND_ROOM },

    [CHAT_CMD_SEND]    = { ngx_http_chat_command_send,
                           NGX_HTTP_CHAT_COMMAND_ROOM
                           |NGX_HTTP_CHAT_COMMAND_ADDS },

    [CHAT_CMD_EDIT]    = { ngx_http_chat_command_edit,
                           NGX_HTTP_CHAT_COMMAND_ROOM
                           |NGX_HTTP_CHAT_COMMAND_ADDS },

    [CHAT_CMD_DELETE]  = { ngx_http_chat_command_delete,
                           NGX_HTTP_CHAT_COMMAND_ROOM },

    [CHAT_CMD_REACT]   = { ngx_http_chat_command_react,
                           NGX_HTTP_CHAT_COMMAND_ROOM
                           |NGX_HTTP_CHAT_COMMAND_ADDS },

    [CHAT_CMD_TYPING]  = { ngx_http_chat_command_typing,
                           NGX_HTTP_CHAT_COMMAND_ROOM },

    [CHAT_CMD_READ]    = { ngx_http_chat_command_read,
                           NGX_HTTP_CHAT_COMMAND_ROOM },

    [CHAT_CMD_HISTORY] = { ngx_http_chat_command_history,
                           NGX_HTTP_CHAT_COMMAND_ROOM },

    [CHAT_CMD_MEMBERS] = { ngx_http_chat_command_members,
                           NGX_HTTP_CHAT_COMMAND_ROOM },

    [CHAT_CMD_ROOMS]   = { ngx_http_chat_command_rooms, 0 },
    [CHAT_CMD_PROFILE] = { ngx_http_chat_command_profile, 0 },
    [CHAT_CMD_KICK]    = { ngx_http_chat_command_moderate, 0 },
    [CHAT_CMD_MUTE]    = { ngx_http_chat_command_moderate, 0 },
    [CHAT_CMD_UNMUTE]  = { ngx_http_chat_command_moderate, 0 },
    [CHAT_CMD_BAN]     = { ngx_http_chat_command_moderate, 0 },
    [CHAT_CMD_UNBAN]   = { ngx_http_chat_command_moderate, 0 },
    [CHAT_CMD_GRANT]   = { ngx_http_chat_command_grant, 0 },
    [CHAT_CMD_SET]     = { ngx_http_chat_command_set, 0 },
    [CHAT_CMD_AUTH]    = { ngx_http_chat_command_auth, 0 },
    [CHAT_CMD_PING]    = { ngx_http_chat_command_ping, 0 },
};


uint64_t
ngx_http_chat_message_max(ngx_http_chat_settings_t *settings)
{
    if (settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW) {
        return settings->message_size;
    }

    return (uint64_t) 2 * settings->message_size;
}


void
ngx_http_chat_begin(ngx_http_chat_session_t *s)
{
    ngx_int_t  rc;

    /* who is pending is welcomed when it is known who it is */

    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW || s->pending) {
        return;
    }

    /* first, for the user may have a profile there */

    rc = ngx_http_chat_inbox_open(s);

    if (rc == NGX_DECLINED) {

        /* the rest works, and each of its commands tries again */

        ngx_http_chat_publish_full(s->zone);
        s->boxless = 1;
        rc = NGX_OK;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_chat_profile_begin(s);
    }

    if (rc == NGX_DECLINED) {
        ngx_http_chat_publish_full(s->zone);

    } else if (rc != NGX_OK) {
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "no memory");
        return;
    }

    ngx_http_chat_welcome(s);

    if (s->room_len && !s->closing && !s->dead) {
        ngx_http_chat_join_at_once(s);
    }
}


void
ngx_http_chat_message(ngx_http_chat_session_t *s, u_char *text, size_t len,
    ngx_uint_t binary)
{
    ngx_msec_t  wait;

    s->messages_in++;

    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW) {

        if (ngx_http_chat_rate(s, &wait) == NGX_OK) {
            ngx_http_chat_raw_message(s, text, len, binary);
        }

        return;
    }

    ngx_http_chat_command(s, text, len);
}


static void
ngx_http_chat_command(ngx_http_chat_session_t *s, u_char *text, size_t len)
{
    ngx_int_t                           rc;
    ngx_msec_t                          wait;
    chat_error_t                        err;
    chat_command_t                      cmd;
    ngx_http_chat_member_t             *m;
    const ngx_http_chat_command_def_t  *def;

    rc = ngx_http_chat_rate(s, &wait);

    if (s->closing || s->dead) {
        return;
    }

    if (s->boxless && ngx_http_chat_inbox_open(s) == NGX_OK) {
        s->boxless = 0;
    }

    ngx_memzero(&err, sizeof(err));

    /* also where it is refused: an error has the command's id */

    (void) chat_command_parse(&cmd, text, len, s->settings->history_page,
                              &err);

    if (rc != NGX_OK) {
        ngx_http_chat_command_limited(s, &cmd.id, wait);
        goto done;
    }

    if (s->pending && cmd.type != CHAT_CMD_AUTH) {
        ngx_http_chat_command_pending(s, &cmd.id);
        goto done;
    }

    if (ngx_http_chat_command_check(s, &cmd, len, &err) != NGX_OK) {
        goto done;
    }

    def = &ngx_http_chat_commands[cmd.type];

    if (ngx_http_chat_command_room(s, &cmd, def->flags, &m) == NGX_OK
        && ngx_http_chat_command_within(s, &cmd, def->flags, m, len)
           == NGX_OK)
    {
        def->handler(s, &cmd, m);
    }

done:

    chat_command_free(&cmd);
}


static ngx_int_t
ngx_http_chat_command_check(ngx_http_chat_session_t *s, chat_command_t *cmd,
    size_t len, chat_error_t *err)
{
    if (ngx_http_chat_command_size(s, cmd, len, s->settings->message_size)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (err->code != CHAT_ERR_NONE) {
        ngx_http_chat_reply_error(s, &cmd->id, err->code, err->field,
                                  err->message);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_command_size(ngx_http_chat_session_t *s, chat_command_t *cmd,
    size_t len, size_t max)
{
    if (len <= max) {
        return NGX_OK;
    }

    ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_TOO_LARGE, NULL,
                              "the message is too large");
    return NGX_ERROR;
}


/* Is it within what the session is allowed in that room? */

static ngx_int_t
ngx_http_chat_command_within(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_uint_t flags, ngx_http_chat_member_t *m, size_t len)
{
    ngx_msec_t                  wait;
    ngx_http_chat_allowance_t  *allowance;

    if (m == NULL || !(flags & NGX_HTTP_CHAT_COMMAND_ADDS)) {
        return NGX_OK;
    }

    allowance = ngx_http_chat_member_allowance(m);

    if (allowance == NULL) {
        return NGX_OK;
    }

    if (allowance->message_size
        && ngx_http_chat_command_size(s, cmd, len, allowance->message_size)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_chat_rate_room(m, &wait) == NGX_OK) {
        return NGX_OK;
    }

    if (!s->closing) {
        ngx_http_chat_command_limited(s, &cmd->id, wait);
    }

    return NGX_ERROR;
}


static void
ngx_http_chat_command_limited(ngx_http_chat_session_t *s, chat_str_t *id,
    ngx_msec_t wait)
{
    u_char  text[sizeof("too many messages, try again in  ms")
                 + NGX_INT_T_LEN];

    (void) ngx_sprintf(text, "too many messages, try again in %M ms%Z", wait);

    ngx_http_chat_reply_error_after(s, id, CHAT_ERR_RATE_LIMITED, wait,
                                    (char *) text);
}


/* May the command be used in the room that it names?  Else it was answered. */

static ngx_int_t
ngx_http_chat_command_room(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_uint_t flags, ngx_http_chat_member_t **m)
{
    ngx_str_t  room;

    *m = NULL;

    ngx_memzero(&ngx_http_chat_command_own, sizeof(ngx_http_chat_standing_t));

    if (!(cmd->given & CHAT_F_ROOM)) {
        return ngx_http_chat_direct_allowed(s, cmd);
    }

    room.data = (u_char *) cmd->room.data;
    room.len = cmd->room.len;

    if (room.data[0] != '@') {
        *m = ngx_http_chat_member_find(s, &room);

    } else if (room.len == (size_t) s->user_len + 1
               && ngx_memcmp(room.data + 1, ngx_http_chat_session_user(s),
                             s->user_len)
                  == 0)
    {
        *m = ngx_http_chat_inbox_member(s);

        if (*m == NULL) {
            ngx_http_chat_fail(s, &cmd->id, s->boxless ? NGX_DECLINED
                                                       : NGX_ERROR);
            return NGX_ERROR;
        }

    } else {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                                  "this is another user's inbox");
        return NGX_ERROR;
    }

    if (*m == NULL && ngx_http_chat_rights_joined(s, cmd->type)) {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_NOT_JOINED, NULL,
                                  "join the room first");
        return NGX_ERROR;
    }

    if (!(flags & NGX_HTTP_CHAT_COMMAND_ROOM)) {
        return NGX_OK;
    }

    if (ngx_http_chat_standings(s, cmd, *m, &ngx_http_chat_command_own, NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_chat_allowed(s, cmd, &ngx_http_chat_command_own);
}


ngx_http_chat_standing_t *
ngx_http_chat_command_standing(void)
{
    return &ngx_http_chat_command_own;
}


void
ngx_http_chat_fail(ngx_http_chat_session_t *s, chat_str_t *id, ngx_int_t rc)
{
    if (rc == NGX_DECLINED) {
        ngx_http_chat_reply_error(s, id, CHAT_ERR_ZONE_FULL, NULL,
                                  "the server's memory is full, "
                                  "try again later");
        return;
    }

    if (rc == NGX_ABORT) {
        ngx_http_chat_reply_error(s, id, CHAT_ERR_INTERNAL, NULL,
                                  "the room was restarted");
        ngx_http_chat_session_close(s, CHAT_WS_RESTART,
                                    "the room was restarted");
        return;
    }

    ngx_http_chat_reply_error(s, id, CHAT_ERR_INTERNAL, NULL,
                              "the server has no memory, try again later");
}


void
ngx_http_chat_command_ping(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    chat_json_writer_t  w;

    (void) m;    /* no room is needed */

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id, 64) != NGX_OK) {
        return;
    }

    ngx_http_chat_reply_number(&w, "ts", ngx_http_chat_reply_now());
    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}


static void
ngx_http_chat_welcome(ngx_http_chat_session_t *s)
{
    u_char              sid[NGX_HTTP_CHAT_SESSION_ID_LEN];
    chat_json_writer_t  w;

    if (ngx_http_chat_reply_begin(&w,
                                  512 + ngx_http_chat_reply_person_size(s))
        != NGX_OK)
    {
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "no memory");
        return;
    }

    chat_json_lit(&w, "{\"type\":\"welcome\",\"protocol\":\"chat.v1\"");
    ngx_http_chat_session_sid(s, sid);
    ngx_http_chat_reply_field(&w, "session", sid,
                              NGX_HTTP_CHAT_SESSION_ID_LEN);
    ngx_http_chat_reply_person(&w, s);

    ngx_http_chat_reply_flag(&w, "guest", s->guest);

    ngx_http_chat_reply_number(&w, "ts", ngx_http_chat_reply_now());

    chat_json_lit(&w, ",\"limits\":{\"message_size\":");
    chat_json_uint(&w, s->settings->message_size);
    ngx_http_chat_reply_number(&w, "rooms", s->settings->rooms_max);
    chat_json_lit(&w, ",");

    if (s->settings->nrates) {
        ngx_http_chat_reply_rate(&w, s->settings->rates[0].rate,
                                 s->settings->rates[0].burst);

    } else {
        ngx_http_chat_reply_rate(&w, 0, 0);
    }

    chat_json_lit(&w, "}");

    ngx_http_chat_reply_number(&w, "ping", s->settings->ping_interval);

    if (s->token && s->token->ends) {
        ngx_http_chat_reply_number(&w, "expires", (uint64_t) s->token->ends);
    }

    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}


ngx_int_t
ngx_http_chat_event_gap(ngx_http_chat_session_t *s, ngx_str_t *room,
    uint64_t from, uint64_t to)
{
    chat_json_writer_t  w;

    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW
        || ngx_http_chat_reply_begin(&w,
                                 128 + ngx_http_chat_reply_string(room->len))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    chat_json_lit(&w, "{\"type\":\"gap\"");
    ngx_http_chat_reply_field(&w, "room", room->data, room->len);
    ngx_http_chat_reply_number(&w, "from", from);
    ngx_http_chat_reply_number(&w, "to", to);
    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);

    return s->closing ? NGX_ERROR : NGX_OK;
}


/*
 * The event "members", for one.  Where people are named, he is to ask who is
 * there; where they are counted, that is all he needs to know.
 */

ngx_int_t
ngx_http_chat_event_lost(ngx_http_chat_session_t *s, ngx_str_t *room,
    ngx_uint_t users)
{
    chat_json_writer_t         w;
    ngx_http_chat_settings_t  *settings;

    settings = s->settings;

    if (settings->presence == NGX_HTTP_CHAT_PRESENCE_OFF) {
        return NGX_OK;
    }

    if (ngx_http_chat_reply_begin(&w,
                                 128 + ngx_http_chat_reply_string(room->len))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    chat_json_lit(&w, "{\"type\":\"members\"");
    ngx_http_chat_reply_field(&w, "room", room->data, room->len);
    ngx_http_chat_reply_number(&w, "members", users);
    ngx_http_chat_reply_number(&w, "ts", ngx_http_chat_reply_now());

    if (settings->presence == NGX_HTTP_CHAT_PRESENCE_FULL
        && users <= settings->presence_limit)
    {
        chat_json_lit(&w, ",\"lost\":true");
    }

    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);

    return s->closing ? NGX_ERROR : NGX_OK;
}


void
ngx_http_chat_event_bye(ngx_http_chat_session_t *s, ngx_uint_t restart,
    ngx_msec_t reconnect)
{
    const char          *reason;
    chat_json_writer_t   w;

    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW
        || ngx_http_chat_reply_begin(&w, 128) != NGX_OK)
    {
        return;
    }

    chat_json_lit(&w, "{\"type\":\"bye\"");

    reason = restart ? "restart" : "shutdown";

    ngx_http_chat_reply_field(&w, "reason", reason, ngx_strlen(reason));
    ngx_http_chat_reply_number(&w, "reconnect", reconnect);
    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}
