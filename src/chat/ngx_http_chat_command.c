
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_transport.h"

#include "chat_ws.h"


#define NGX_HTTP_CHAT_COMMAND_JOINED  0x01     /* it needs membership */


typedef void (*ngx_http_chat_command_pt)(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);


typedef struct {
    ngx_http_chat_command_pt  handler;
    ngx_uint_t                needs;
} ngx_http_chat_command_def_t;


static void ngx_http_chat_command(ngx_http_chat_session_t *s, u_char *text,
    size_t len);
static void ngx_http_chat_welcome(ngx_http_chat_session_t *s);


/* Which fields a command has, and their bounds, is in lib/chat_proto.c. */

static const ngx_http_chat_command_def_t  ngx_http_chat_commands[CHAT_CMD_N] = {

    [CHAT_CMD_JOIN]    = { ngx_http_chat_command_join, 0 },

    [CHAT_CMD_LEAVE]   = { ngx_http_chat_command_leave,
                           NGX_HTTP_CHAT_COMMAND_JOINED },

    [CHAT_CMD_SEND]    = { ngx_http_chat_command_send,
                           NGX_HTTP_CHAT_COMMAND_JOINED },

    [CHAT_CMD_HISTORY] = { ngx_http_chat_command_history,
                           NGX_HTTP_CHAT_COMMAND_JOINED },

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
    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW) {
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
    s->messages_in++;

    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW) {
        ngx_http_chat_raw_message(s, text, len, binary);
        return;
    }

    ngx_http_chat_command(s, text, len);
}


static void
ngx_http_chat_command(ngx_http_chat_session_t *s, u_char *text, size_t len)
{
    ngx_int_t                           rc;
    ngx_str_t                           room;
    chat_error_t                        err;
    chat_command_t                      cmd;
    ngx_http_chat_member_t             *m;
    const ngx_http_chat_command_def_t  *def;

    m = NULL;

    rc = chat_command_parse(&cmd, text, len, s->settings->history_page, &err);

    if (len > s->settings->message_size) {
        ngx_http_chat_reply_error(s, &cmd.id, CHAT_ERR_TOO_LARGE, NULL,
                                  "the message is too large");
        goto done;
    }

    if (cmd.type != CHAT_CMD_N
        && ngx_http_chat_commands[cmd.type].handler == NULL)
    {
        ngx_http_chat_reply_error(s, &cmd.id, CHAT_ERR_UNKNOWN_TYPE, NULL,
                                  "no such command");
        goto done;
    }

    if (rc != 0) {
        ngx_http_chat_reply_error(s, &cmd.id, err.code, err.field,
                                  err.message);
        goto done;
    }

    def = &ngx_http_chat_commands[cmd.type];

    if (def->needs & NGX_HTTP_CHAT_COMMAND_JOINED) {

        if (!(cmd.given & CHAT_F_ROOM)) {
            ngx_http_chat_reply_error(s, &cmd.id, CHAT_ERR_BAD_REQUEST, "to",
                                      "there are no direct messages");
            goto done;
        }

        room.data = (u_char *) cmd.room.data;
        room.len = cmd.room.len;

        m = ngx_http_chat_member_find(s, &room);

        if (m == NULL) {
            ngx_http_chat_reply_error(s, &cmd.id, CHAT_ERR_NOT_JOINED, NULL,
                                      "join the room first");
            goto done;
        }
    }

    def->handler(s, &cmd, m);

done:

    chat_command_free(&cmd);
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
    chat_json_writer_t  w;

    if (ngx_http_chat_reply_begin(&w,
                                  512 + ngx_http_chat_reply_person_size(s))
        != NGX_OK)
    {
        ngx_http_chat_session_close(s, CHAT_WS_INTERNAL, "no memory");
        return;
    }

    chat_json_lit(&w, "{\"type\":\"welcome\",\"protocol\":\"chat.v1\"");
    ngx_http_chat_reply_field(&w, "session", s->sid,
                              NGX_HTTP_CHAT_SESSION_ID_LEN);
    ngx_http_chat_reply_person(&w, s);

    ngx_http_chat_reply_flag(&w, "guest", s->guest);

    ngx_http_chat_reply_number(&w, "ts", ngx_http_chat_reply_now());

    chat_json_lit(&w, ",\"limits\":{\"message_size\":");
    chat_json_uint(&w, s->settings->message_size);
    ngx_http_chat_reply_number(&w, "rooms", s->settings->rooms_max);

    /* 0: there is no rate, PROTOCOL 10 */

    chat_json_lit(&w, ",\"rate\":0,\"burst\":0}");

    ngx_http_chat_reply_number(&w, "ping", s->settings->ping_interval);
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
