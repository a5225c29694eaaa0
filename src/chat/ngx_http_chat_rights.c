
#include "ngx_http_chat_rights.h"


#define MEMBER     NGX_HTTP_CHAT_ROLE_MEMBER
#define MODERATOR  NGX_HTTP_CHAT_ROLE_MODERATOR
#define OWNER      NGX_HTTP_CHAT_ROLE_OWNER

/* What the location is asked: nothing, or NGX_HTTP_CHAT_ACT_... */
#define FREE       NGX_HTTP_CHAT_ACT_NONE
#define JOIN       NGX_HTTP_CHAT_ACT_JOIN
#define SEND       NGX_HTTP_CHAT_ACT_SEND
#define HISTORY    NGX_HTTP_CHAT_ACT_HISTORY
#define MODERATE   NGX_HTTP_CHAT_ACT_MODERATE
#define DELETE     NGX_HTTP_CHAT_ACT_DELETE


/*
 * least: the role that it takes.  joined: it needs membership of the room.
 * Then what keeps a user from it: a ban; a room that is for members only and
 * has never heard of him; a mute; a locked room and slow mode, neither of
 * which is for moderators.  access: what "chat_access" and an API key are
 * asked for at last.
 */
typedef struct {
    uint8_t                    least;
    unsigned                   joined:1;
    unsigned                   banned:1;
    unsigned                   closed:1;
    unsigned                   muted:1;
    unsigned                   locked:1;
    unsigned                   slow:1;
    uint8_t                    access;
} ngx_http_chat_right_t;


static const ngx_http_chat_right_t  ngx_http_chat_rights[CHAT_CMD_N] = {

    /*                     least      |   held back by         access
     *                                 |   banned        locked
     *                               joined    closed        slow
     *                                             muted
     */
    [CHAT_CMD_JOIN]    = { MEMBER,    0,   1,   1,   0,   0,   0,   JOIN },
    [CHAT_CMD_LEAVE]   = { MEMBER,    1,   0,   0,   0,   0,   0,   FREE },
    [CHAT_CMD_SEND]    = { MEMBER,    1,   1,   1,   1,   1,   1,   SEND },
    [CHAT_CMD_EDIT]    = { MEMBER,    0,   1,   1,   1,   1,   0,   SEND },
    [CHAT_CMD_DELETE]  = { MEMBER,    0,   1,   1,   0,   0,   0,   DELETE },
    [CHAT_CMD_REACT]   = { MEMBER,    1,   1,   1,   1,   0,   0,   SEND },
    [CHAT_CMD_TYPING]  = { MEMBER,    1,   1,   1,   1,   1,   0,   SEND },
    [CHAT_CMD_READ]    = { MEMBER,    1,   1,   1,   0,   0,   0,   FREE },
    [CHAT_CMD_HISTORY] = { MEMBER,    1,   1,   1,   0,   0,   0,   HISTORY },
    [CHAT_CMD_MEMBERS] = { MEMBER,    1,   1,   1,   0,   0,   0,   FREE },

    [CHAT_CMD_KICK]    = { MODERATOR, 0,   1,   1,   0,   0,   0,   MODERATE },
    [CHAT_CMD_MUTE]    = { MODERATOR, 0,   1,   1,   0,   0,   0,   MODERATE },
    [CHAT_CMD_UNMUTE]  = { MODERATOR, 0,   1,   1,   0,   0,   0,   MODERATE },
    [CHAT_CMD_BAN]     = { MODERATOR, 0,   1,   1,   0,   0,   0,   MODERATE },
    [CHAT_CMD_UNBAN]   = { MODERATOR, 0,   1,   1,   0,   0,   0,   MODERATE },
    [CHAT_CMD_SET]     = { MODERATOR, 0,   1,   1,   0,   0,   0,   MODERATE },
    [CHAT_CMD_GRANT]   = { OWNER,     0,   1,   1,   0,   0,   0,   MODERATE },

    /* of no room */
    [CHAT_CMD_ROOMS]   = { MEMBER,    0,   0,   0,   0,   0,   0,   FREE },
    [CHAT_CMD_PROFILE] = { MEMBER,    0,   0,   0,   0,   0,   0,   FREE },
    [CHAT_CMD_AUTH]    = { MEMBER,    0,   0,   0,   0,   0,   0,   FREE },
    [CHAT_CMD_PING]    = { MEMBER,    0,   0,   0,   0,   0,   0,   FREE }
};


ngx_uint_t
ngx_http_chat_role(ngx_uint_t came, ngx_uint_t granted)
{
    if (came == OWNER) {
        return OWNER;
    }

    if (granted != NGX_HTTP_CHAT_ROLE_NONE) {
        return granted;
    }

    return ngx_max(came, MEMBER);
}


const char *
ngx_http_chat_role_name(ngx_uint_t role)
{
    switch (role) {

    case OWNER:
        return "owner";

    case MODERATOR:
        return "moderator";

    default:
        return "member";
    }
}


ngx_uint_t
ngx_http_chat_role_of(const void *name, size_t len)
{
    ngx_uint_t   role;
    const char  *s;

    for (role = OWNER; role >= MEMBER; role--) {
        s = ngx_http_chat_role_name(role);

        if (len == ngx_strlen(s) && ngx_memcmp(name, s, len) == 0) {
            return role;
        }
    }

    return NGX_HTTP_CHAT_ROLE_NONE;
}


ngx_uint_t
ngx_http_chat_role_came(ngx_http_chat_session_t *s,
    ngx_http_chat_standing_t *standing)
{
    /* by "chat_authorize" a user may have come into each room with another */

    return (s->settings->authorize && standing->here) ? standing->role
                                                      : s->role;
}


ngx_uint_t
ngx_http_chat_role_own(ngx_http_chat_session_t *s,
    ngx_http_chat_standing_t *standing)
{
    return ngx_http_chat_role(ngx_http_chat_role_came(s, standing),
                              standing->granted);
}


ngx_uint_t
ngx_http_chat_access(ngx_http_chat_session_t *s, ngx_uint_t act,
    ngx_str_t *room, ngx_http_chat_standing_t *standing)
{
    return s->settings->access == NULL || act == NGX_HTTP_CHAT_ACT_NONE
           || s->settings->access(s, act, room,
                                  ngx_http_chat_role_own(s, standing));
}


void
ngx_http_chat_access_refuse(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_str_t *room)
{
    ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                  "client was refused by an access rule or its API key, "
                  "room: \"%V\"", room);

    ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                              "an access rule does not allow this");
}


ngx_uint_t
ngx_http_chat_access_raw(ngx_http_chat_session_t *s, ngx_uint_t act)
{
    ngx_str_t  room;

    if (s->settings->access == NULL) {
        return 1;
    }

    room.data = ngx_http_chat_session_room(s);
    room.len = s->room_len;

    return s->settings->access(s, act, &room,
                               ngx_http_chat_role(s->role,
                                                  NGX_HTTP_CHAT_ROLE_NONE));
}


ngx_uint_t
ngx_http_chat_rights_joined(ngx_http_chat_session_t *s, chat_cmd_e type)
{
    /* what somebody may write where "chat_authorize" decides is decided when
     * he joins, and not to be had by leaving again */

    return ngx_http_chat_rights[type].joined
           || (type == CHAT_CMD_EDIT && s->settings->authorize);
}


ngx_uint_t
ngx_http_chat_rights_slow(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_standing_t *standing)
{
    return ngx_http_chat_rights[cmd->type].slow
           && ngx_http_chat_role_own(s, standing) < MODERATOR;
}


ngx_uint_t
ngx_http_chat_rights_member(ngx_http_chat_session_t *s,
    ngx_http_chat_standing_t *standing)
{
    return !(standing->settings & NGX_HTTP_CHAT_ROOM_MEMBERS_ONLY)
           || ngx_http_chat_role_came(s, standing) != NGX_HTTP_CHAT_ROLE_NONE
           || standing->granted != NGX_HTTP_CHAT_ROLE_NONE;
}


ngx_int_t
ngx_http_chat_allowed(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_standing_t *standing)
{
    uint64_t                      now;
    ngx_str_t                     room;
    ngx_uint_t                    role, came;
    const ngx_http_chat_right_t  *right;

    right = &ngx_http_chat_rights[cmd->type];
    came = ngx_http_chat_role_came(s, standing);
    role = ngx_http_chat_role(came, standing->granted);
    now = ngx_http_chat_reply_now();

    /* nobody can shut an owner by configuration out, or up */

    if (right->banned && standing->banned > now && came != OWNER) {
        ngx_http_chat_reply_error_until(s, &cmd->id, CHAT_ERR_BANNED,
                                        standing->banned,
                                        "you are banned from this room");
        return NGX_DECLINED;
    }

    if (right->closed && !ngx_http_chat_rights_member(s, standing)) {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                                  "this room is for its members only");
        return NGX_DECLINED;
    }

    /* an inbox has no moderators */

    if (role < right->least
        || (right->least > MEMBER && cmd->room.data[0] == '@'))
    {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                                  "your role does not allow this");
        return NGX_DECLINED;
    }

    if (right->muted && standing->muted > now && came != OWNER) {
        ngx_http_chat_reply_error_until(s, &cmd->id, CHAT_ERR_MUTED,
                                        standing->muted,
                                        "you are muted in this room");
        return NGX_DECLINED;
    }

    if (right->locked && (standing->settings & NGX_HTTP_CHAT_ROOM_LOCKED)
        && role < MODERATOR)
    {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_LOCKED, NULL,
                                  "this room is locked, "
                                  "only moderators may write");
        return NGX_DECLINED;
    }

    room.data = (u_char *) cmd->room.data;
    room.len = cmd->room.len;

    if (!ngx_http_chat_access(s, right->access, &room, standing)) {
        ngx_http_chat_access_refuse(s, cmd, &room);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_allowed_on(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_standing_t *standing, ngx_http_chat_standing_t *other)
{
    ngx_uint_t  role;

    role = ngx_http_chat_role_own(s, standing);

    if (role == OWNER
        || role > ngx_http_chat_role(other->role, other->granted))
    {
        return NGX_OK;
    }

    ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                              "your role does not allow this "
                              "to a user of that role");
    return NGX_DECLINED;
}
