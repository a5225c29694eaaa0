
#include "ngx_http_chat_moderate.h"
#include "ngx_http_chat_occupant.h"
#include "ngx_http_chat_presence.h"
#include "ngx_http_chat_purge.h"


/* What a command does to a user, and how that is told. */
typedef struct {
    const char                *event;
    ngx_uint_t                 what;         /* NGX_HTTP_CHAT_CHANGE_... */
    ngx_uint_t                 undo;
} ngx_http_chat_sanction_t;


/* One command at work. */
typedef struct {
    chat_command_t                  *cmd;
    const ngx_http_chat_sanction_t  *sanction;
    uint64_t                         until;  /* 0: not to be told */
    ngx_http_chat_change_t           change;
    ngx_http_chat_purge_t            purge;
} ngx_http_chat_moderation_t;


static ngx_int_t ngx_http_chat_find(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m, uint32_t *room,
    uint64_t *epoch);
static ngx_int_t ngx_http_chat_moderate_check(
    ngx_http_chat_moderation_t *mod, ngx_http_chat_session_t *s,
    ngx_http_chat_standing_t *other);
static ngx_int_t ngx_http_chat_moderate_publish(
    ngx_http_chat_moderation_t *mod, ngx_http_chat_publish_t *p);
static void ngx_http_chat_moderate_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);
static void ngx_http_chat_moderate_reply(ngx_http_chat_session_t *s,
    ngx_http_chat_moderation_t *mod);
static ngx_int_t ngx_http_chat_moderate_ok(ngx_http_chat_session_t *s,
    chat_command_t *cmd, chat_json_writer_t *w);
static void ngx_http_chat_grant_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);


static const ngx_http_chat_sanction_t  ngx_http_chat_sanctions[CHAT_CMD_N] = {
    [CHAT_CMD_KICK]   = { "kicked",   NGX_HTTP_CHAT_CHANGE_KICK, 0 },
    [CHAT_CMD_MUTE]   = { "muted",    NGX_HTTP_CHAT_CHANGE_MUTE, 0 },
    [CHAT_CMD_UNMUTE] = { "unmuted",  NGX_HTTP_CHAT_CHANGE_MUTE, 1 },
    [CHAT_CMD_BAN]    = { "banned",   NGX_HTTP_CHAT_CHANGE_BAN,  0 },
    [CHAT_CMD_UNBAN]  = { "unbanned", NGX_HTTP_CHAT_CHANGE_BAN,  1 }
};


ngx_int_t
ngx_http_chat_standings(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m, ngx_http_chat_standing_t *own,
    ngx_http_chat_standing_t *other)
{
    uint32_t    room;
    uint64_t    epoch;
    ngx_int_t   rc;
    ngx_str_t   user;

    if (ngx_http_chat_find(s, cmd, m, &room, &epoch) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (m) {
        rc = ngx_http_chat_room_occupant(s->zone, room, epoch,
                                         ngx_http_chat_member_occupant(m),
                                         own);

        if (rc == NGX_OK && (own->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED)) {
            ngx_http_chat_expelled(s, cmd, room, epoch);
            return NGX_DECLINED;
        }

    } else {
        user.data = ngx_http_chat_session_user(s);
        user.len = s->user_len;

        rc = ngx_http_chat_room_standing(s->zone, room, epoch, &user, own);
    }

    if (rc == NGX_OK && other) {
        user.data = (u_char *) cmd->user.data;
        user.len = cmd->user.len;

        rc = ngx_http_chat_room_standing(s->zone, room, epoch, &user, other);
    }

    if (rc != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, rc);
    }

    return rc;
}


/* The room that the command names, in which the session may be a member. */

static ngx_int_t
ngx_http_chat_find(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m, uint32_t *room, uint64_t *epoch)
{
    ngx_str_t                  name;
    ngx_http_chat_local_t     *local;
    ngx_http_chat_standing_t   nobody;

    if (m) {
        local = ngx_http_chat_member_local(m);
        *room = ngx_http_chat_local_room(local);
        *epoch = local->epoch;
        return NGX_OK;
    }

    name.data = (u_char *) cmd->room.data;
    name.len = cmd->room.len;

    if (name.data[0] == '@'
        || (s->settings->room_allowed
            && !s->settings->room_allowed(s->settings->room_names, &name)))
    {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                                  "this room is not for you");
        return NGX_DECLINED;
    }

    *room = ngx_http_chat_room_find(s->zone, &name, epoch);

    if (*room) {
        return NGX_OK;
    }

    /* whose role is too low is not to learn which rooms there are */

    ngx_memzero(&nobody, sizeof(nobody));

    if (ngx_http_chat_allowed(s, cmd, &nobody) == NGX_OK) {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_NO_SUCH_ROOM, NULL,
                                  "there is no such room");
    }

    return NGX_DECLINED;
}


void
ngx_http_chat_expelled(ngx_http_chat_session_t *s, chat_command_t *cmd,
    uint32_t room, uint64_t epoch)
{
    ngx_str_t                 user;
    ngx_http_chat_standing_t  own;

    user.data = ngx_http_chat_session_user(s);
    user.len = s->user_len;

    if (ngx_http_chat_room_standing(s->zone, room, epoch, &user, &own)
        == NGX_OK
        && ngx_http_chat_allowed(s, cmd, &own) != NGX_OK)
    {
        return;
    }

    ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_NOT_JOINED, NULL,
                              "you were removed from this room");
}


ngx_int_t
ngx_http_chat_moderate_begin(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m, ngx_http_chat_publish_t *p,
    ngx_http_chat_standing_t *other)
{
    ngx_http_chat_standing_t  own;

    if (ngx_http_chat_standings(s, cmd, m, &own, other) != NGX_OK
        || ngx_http_chat_allowed(s, cmd, &own) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (other && ngx_http_chat_allowed_on(s, cmd, &own, other) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (m) {
        ngx_http_chat_publish_to(p, ngx_http_chat_member_local(m), s);
        return NGX_OK;
    }

    /* what the room keeps is the business of those who are in it */

    ngx_memzero(p, sizeof(ngx_http_chat_publish_t));

    p->zone = s->zone;
    p->session = s;

    return ngx_http_chat_find(s, cmd, NULL, &p->room, &p->epoch);
}


void
ngx_http_chat_command_moderate(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m)
{
    ngx_int_t                    rc;
    ngx_http_chat_publish_t      p;
    ngx_http_chat_standing_t     other;
    ngx_http_chat_moderation_t   mod;

    if (ngx_http_chat_moderate_begin(s, cmd, m, &p, &other) != NGX_OK) {
        return;
    }

    ngx_memzero(&mod, sizeof(mod));

    mod.cmd = cmd;
    mod.sanction = &ngx_http_chat_sanctions[cmd->type];

    if (ngx_http_chat_moderate_check(&mod, s, &other) != NGX_OK) {
        return;
    }

    rc = NGX_OK;

    if (cmd->purge) {
        rc = ngx_http_chat_purge_find(&mod.purge, &p, &cmd->user);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_chat_moderate_publish(&mod, &p);
    }

    if (rc != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, rc);
    }

    ngx_http_chat_purge_free(&mod.purge);
}


/* Is there anything to do?  OK; DECLINED: no, the reply was sent. */

static ngx_int_t
ngx_http_chat_moderate_check(ngx_http_chat_moderation_t *mod,
    ngx_http_chat_session_t *s, ngx_http_chat_standing_t *other)
{
    uint64_t                 now, until;
    chat_command_t          *cmd;
    ngx_http_chat_change_t  *change;

    cmd = mod->cmd;
    now = ngx_http_chat_reply_now();

    change = &mod->change;
    change->what = mod->sanction->what;
    change->user.data = (u_char *) cmd->user.data;
    change->user.len = cmd->user.len;

    mod->until = NGX_HTTP_CHAT_FOREVER;

    if (change->what == NGX_HTTP_CHAT_CHANGE_KICK) {

        if (other->here == 0
            && !(other->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED))
        {
            ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_NO_SUCH_USER, NULL,
                                      "there is no such user in this room");
            return NGX_DECLINED;
        }

        return NGX_OK;
    }

    if (mod->sanction->undo) {
        until = (change->what == NGX_HTTP_CHAT_CHANGE_BAN) ? other->banned
                                                           : other->muted;

        if (until <= now) {
            ngx_http_chat_moderate_reply(s, mod);
            return NGX_DECLINED;
        }

        return NGX_OK;
    }

    if (cmd->given & CHAT_F_DURATION) {
        mod->until = ngx_min(now + cmd->duration, CHAT_SEQ_MAX);
    }

    change->until = mod->until;

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_moderate_publish(ngx_http_chat_moderation_t *mod,
    ngx_http_chat_publish_t *p)
{
    size_t                   head;
    chat_command_t          *cmd;
    chat_json_writer_t       w;
    ngx_http_chat_append_t  *entry;

    cmd = mod->cmd;

    if (ngx_http_chat_reply_begin(&w, 512
                          + ngx_http_chat_reply_string(cmd->room.len)
                          + ngx_http_chat_reply_string(cmd->user.len)
                          + ngx_http_chat_reply_string(p->session->user_len)
                          + ngx_http_chat_reply_string(cmd->reason.len))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    chat_json_lit(&w, "{\"type\":\"");
    chat_json_put(&w, mod->sanction->event, ngx_strlen(mod->sanction->event));
    chat_json_lit(&w, "\"");
    ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
    chat_json_lit(&w, ",\"seq\":");

    head = w.pos - w.start;

    ngx_http_chat_reply_field(&w, "user", cmd->user.data, cmd->user.len);
    ngx_http_chat_reply_field(&w, "by", ngx_http_chat_session_user(p->session),
                              p->session->user_len);
    ngx_http_chat_reply_until(&w, mod->until);

    if (cmd->given & CHAT_F_REASON) {
        ngx_http_chat_reply_field(&w, "reason", cmd->reason.data,
                                  cmd->reason.len);
    }

    if (cmd->purge) {
        ngx_http_chat_reply_flag(&w, "purge", 1);
    }

    chat_json_lit(&w, "}");

    p->handler = ngx_http_chat_moderate_handler;
    p->data = mod;
    p->append.change = &mod->change;

    entry = &p->append.entry;
    entry->flags = NGX_HTTP_CHAT_ENTRY_EVENT;
    entry->sender = (uint32_t) p->session->id;
    entry->head.data = w.start;
    entry->head.len = head;
    entry->tail.data = w.start + head;
    entry->tail.len = w.pos - w.start - head;

    if (mod->purge.ntargets) {
        entry->flags |= NGX_HTTP_CHAT_ENTRY_AMENDS;
        entry->targets = mod->purge.targets;
        entry->ntargets = mod->purge.ntargets;
        entry->amend = NGX_HTTP_CHAT_ENTRY_DELETED;
    }

    ngx_http_chat_publish(p);

    return NGX_OK;
}


static void
ngx_http_chat_moderate_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    ngx_str_t                    user, room;
    ngx_http_chat_standing_t     other;
    ngx_http_chat_moderation_t  *mod;

    mod = p->data;

    if (rc == NGX_BUSY && mod->purge.ntargets) {

        /* the only message of his was dropped or deleted meanwhile */

        mod->purge.ntargets = 0;
        p->append.entry.flags = NGX_HTTP_CHAT_ENTRY_EVENT;
        p->append.entry.ntargets = 0;
        ngx_http_chat_publish(p);
        return;
    }

    if (rc == NGX_DECLINED
        && mod->sanction->what == NGX_HTTP_CHAT_CHANGE_KICK)
    {
        user = mod->change.user;

        if (ngx_http_chat_room_standing(p->zone, p->room, p->epoch, &user,
                                        &other)
            == NGX_OK
            && ngx_http_chat_moderate_check(mod, p->session, &other)
               != NGX_OK)
        {
            return;
        }
    }

    if (rc != NGX_OK) {
        ngx_http_chat_fail(p->session, &mod->cmd->id, rc);
        return;
    }

    ngx_http_chat_moderate_reply(p->session, mod);

    if (!mod->sanction->undo
        && mod->sanction->what != NGX_HTTP_CHAT_CHANGE_MUTE)
    {
        room.data = (u_char *) mod->cmd->room.data;
        room.len = mod->cmd->room.len;

        ngx_http_chat_presence_fewer(p->zone, p->room, p->epoch, &room);
    }

    if (mod->cmd->purge) {
        ngx_http_chat_purge_late(&mod->purge, p, &mod->cmd->room);
    }
}


static void
ngx_http_chat_moderate_reply(ngx_http_chat_session_t *s,
    ngx_http_chat_moderation_t *mod)
{
    chat_command_t      *cmd;
    chat_json_writer_t   w;

    cmd = mod->cmd;

    if (ngx_http_chat_moderate_ok(s, cmd, &w) != NGX_OK) {
        return;
    }

    if (mod->sanction->what != NGX_HTTP_CHAT_CHANGE_KICK) {
        ngx_http_chat_reply_until(&w, mod->until);
    }

    if (cmd->purge) {
        ngx_http_chat_reply_number(&w, "purged", mod->purge.ntargets);
    }

    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}


/* Begins the answer: who was meant, and where. */

static ngx_int_t
ngx_http_chat_moderate_ok(ngx_http_chat_session_t *s, chat_command_t *cmd,
    chat_json_writer_t *w)
{
    if (ngx_http_chat_reply_ok(s, w, &cmd->id,
                               128 + ngx_http_chat_reply_string(cmd->room.len)
                               + ngx_http_chat_reply_string(cmd->user.len))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_chat_reply_field(w, "room", cmd->room.data, cmd->room.len);
    ngx_http_chat_reply_field(w, "user", cmd->user.data, cmd->user.len);

    return NGX_OK;
}


void
ngx_http_chat_command_grant(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    chat_json_writer_t         w;
    ngx_http_chat_change_t     change;
    ngx_http_chat_publish_t    p;
    ngx_http_chat_standing_t   other;

    if (ngx_http_chat_moderate_begin(s, cmd, m, &p, &other) != NGX_OK) {
        return;
    }

    if (ngx_http_chat_reply_begin(&w, 256
                              + ngx_http_chat_reply_string(cmd->room.len)
                              + ngx_http_chat_reply_string(cmd->user.len)
                              + ngx_http_chat_reply_string(s->user_len))
        != NGX_OK)
    {
        ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        return;
    }

    chat_json_lit(&w, "{\"type\":\"granted\"");
    ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
    ngx_http_chat_reply_field(&w, "user", cmd->user.data, cmd->user.len);
    ngx_http_chat_reply_field(&w, "role", cmd->role.data, cmd->role.len);
    ngx_http_chat_reply_field(&w, "by", ngx_http_chat_session_user(s),
                              s->user_len);
    chat_json_lit(&w, "}");

    ngx_memzero(&change, sizeof(change));

    change.what = NGX_HTTP_CHAT_CHANGE_GRANT;
    change.role = ngx_http_chat_role_of(cmd->role.data, cmd->role.len);
    change.user.data = (u_char *) cmd->user.data;
    change.user.len = cmd->user.len;

    p.handler = ngx_http_chat_grant_handler;
    p.data = cmd;
    p.append.change = &change;
    p.append.entry.flags = NGX_HTTP_CHAT_ENTRY_PASSING;
    p.append.entry.head.data = w.start;
    p.append.entry.head.len = w.pos - w.start;

    ngx_http_chat_publish(&p);
}


static void
ngx_http_chat_grant_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    chat_command_t           *cmd;
    chat_json_writer_t        w;
    ngx_http_chat_session_t  *s;

    s = p->session;
    cmd = p->data;

    if (rc != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, rc);
        return;
    }

    if (ngx_http_chat_moderate_ok(s, cmd, &w) != NGX_OK) {
        return;
    }

    ngx_http_chat_reply_field(&w, "role", cmd->role.data, cmd->role.len);
    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}
