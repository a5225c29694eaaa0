
/*
 * Direct messages: entries in the inboxes of both users, each of which is a
 * room of its own with a numbering of its own.  First the receiver's, then the
 * author's, whose number the author is told: so what was acknowledged is in
 * both, and what is sent again after a worker died in between is said once in
 * each, by its nonce.  The author's copy names the receiver's, for edits.
 */


#include "ngx_http_chat_command.h"


/* "@" and a user. */
#define NGX_HTTP_CHAT_INBOX_NAME  (1 + NGX_HTTP_CHAT_PERSON_MAX)


typedef struct {
    chat_command_t            *cmd;
    ngx_str_t                  user;
    ngx_str_t                  inbox;
    ngx_str_t                  peer;        /* the receiver's inbox */
    ngx_http_chat_message_t    message;
    ngx_http_chat_publish_t    to;
    ngx_http_chat_publish_t    own;
    ngx_http_chat_standing_t   author;
    u_char                     inbox_name[NGX_HTTP_CHAT_INBOX_NAME];
    u_char                     peer_name[NGX_HTTP_CHAT_INBOX_NAME];
    u_char                     nonce[CHAT_USER_MAX + 1 + CHAT_NONCE_MAX];
} ngx_http_chat_direct_t;


static void ngx_http_chat_direct_name(ngx_str_t *name, u_char *buf,
    const void *user, size_t len);
static ngx_int_t ngx_http_chat_direct_access(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_uint_t act, ngx_str_t *peer);
static ngx_int_t ngx_http_chat_direct_find(ngx_http_chat_session_t *s,
    ngx_http_chat_direct_t *d);
static void ngx_http_chat_direct_nonce(ngx_http_chat_direct_t *d);
static void ngx_http_chat_direct_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);
static void ngx_http_chat_direct_own(ngx_http_chat_session_t *s,
    ngx_http_chat_direct_t *d);
static void ngx_http_chat_direct_sent_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);
static ngx_int_t ngx_http_chat_direct_copy(ngx_str_t *text, ngx_str_t *peer,
    uint64_t *seq);
static void ngx_http_chat_direct_amended_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);


void
ngx_http_chat_direct_send(ngx_http_chat_session_t *s, chat_command_t *cmd)
{
    chat_json_writer_t      w;
    ngx_http_chat_direct_t  d;

    d.cmd = cmd;

    if (ngx_http_chat_direct_find(s, &d) != NGX_OK
        || ngx_http_chat_content_get(s, cmd, &d.message.content) != NGX_OK)
    {
        return;
    }

    d.message.author = &d.author;
    d.message.to_seq = 0;

    if (cmd->given & CHAT_F_NONCE) {
        ngx_http_chat_direct_nonce(&d);
    }

    if (d.to.room == d.own.room) {
        ngx_http_chat_direct_own(s, &d);

    } else {
        d.message.room = d.peer;

        if (ngx_http_chat_message_text(s, &w, &d.message, &d.to.append.entry)
            != NGX_OK)
        {
            return;
        }

        ngx_http_chat_publish(&d.to);
    }

    if (s->typing && !s->closing && !s->dead) {
        ngx_http_chat_typing_stop(s, d.to.room);
    }
}


static void
ngx_http_chat_direct_name(ngx_str_t *name, u_char *buf, const void *user,
    size_t len)
{
    buf[0] = '@';
    ngx_memcpy(buf + 1, user, len);

    name->data = buf;
    name->len = len + 1;
}


ngx_int_t
ngx_http_chat_direct_allowed(ngx_http_chat_session_t *s, chat_command_t *cmd)
{
    u_char     name[NGX_HTTP_CHAT_INBOX_NAME];
    ngx_str_t  peer;

    if (!(cmd->given & CHAT_F_TO)) {
        return NGX_OK;
    }

    ngx_http_chat_direct_name(&peer, name, cmd->to.data, cmd->to.len);

    return ngx_http_chat_direct_access(s, cmd, NGX_HTTP_CHAT_ACT_SEND, &peer);
}


static ngx_int_t
ngx_http_chat_direct_access(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_uint_t act, ngx_str_t *peer)
{
    ngx_http_chat_standing_t  nobody;

    ngx_memzero(&nobody, sizeof(ngx_http_chat_standing_t));

    if (ngx_http_chat_access(s, act, peer, &nobody)) {
        return NGX_OK;
    }

    ngx_http_chat_access_refuse(s, cmd, peer);

    return NGX_DECLINED;
}


/* Both inboxes, and how the author is called. */

static ngx_int_t
ngx_http_chat_direct_find(ngx_http_chat_session_t *s,
    ngx_http_chat_direct_t *d)
{
    chat_command_t  *cmd;

    cmd = d->cmd;

    d->user.data = ngx_http_chat_session_user(s);
    d->user.len = s->user_len;

    ngx_http_chat_direct_name(&d->inbox, d->inbox_name, d->user.data,
                              d->user.len);
    ngx_http_chat_direct_name(&d->peer, d->peer_name, cmd->to.data,
                              cmd->to.len);

    if (ngx_http_chat_publish_named(&d->to, &d->peer, s) != NGX_OK) {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_NO_SUCH_USER, NULL,
                                  "there is no such user");
        return NGX_ERROR;
    }

    if (ngx_http_chat_publish_named(&d->own, &d->inbox, s) != NGX_OK
        || ngx_http_chat_room_standing(s->zone, d->own.room, d->own.epoch,
                                       &d->user, &d->author)
           != NGX_OK
        || d->author.occupant == 0)
    {
        ngx_http_chat_fail(s, &cmd->id, s->boxless ? NGX_DECLINED : NGX_ABORT);
        return NGX_ERROR;
    }

    d->to.data = d;
    d->to.handler = ngx_http_chat_direct_handler;
    d->to.append.retention = &s->settings->retention;

    d->own.data = d;
    d->own.handler = ngx_http_chat_direct_sent_handler;
    d->own.append.retention = &s->settings->retention;
    d->own.append.occupant = d->author.occupant;

    return NGX_OK;
}


/*
 * The receiver's inbox knows the nonces of each author.  In the author's own
 * one a nonce goes with the receiver, lest one that is used for two of them
 * is a message that one got and nobody has sent.
 */

static void
ngx_http_chat_direct_nonce(ngx_http_chat_direct_t *d)
{
    u_char          *p;
    chat_command_t  *cmd;

    cmd = d->cmd;

    d->to.append.user = d->user;
    d->to.append.nonce.data = (u_char *) cmd->nonce.data;
    d->to.append.nonce.len = cmd->nonce.len;

    p = ngx_cpymem(d->nonce, cmd->to.data, cmd->to.len);
    *p++ = '\0';
    p = ngx_cpymem(p, cmd->nonce.data, cmd->nonce.len);

    d->own.append.nonce.data = d->nonce;
    d->own.append.nonce.len = p - d->nonce;
}


static void
ngx_http_chat_direct_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    ngx_http_chat_direct_t  *d;

    d = p->data;

    if (rc != NGX_OK) {

        /* the receiver's inbox has gone: he is nobody now */

        if (rc == NGX_ABORT) {
            ngx_http_chat_reply_error(p->session, &d->cmd->id,
                                      CHAT_ERR_NO_SUCH_USER, NULL,
                                      "there is no such user");
            return;
        }

        ngx_http_chat_fail(p->session, &d->cmd->id, rc);
        return;
    }

    d->message.to_seq = p->append.entry.seq;

    ngx_http_chat_direct_own(p->session, d);
}


static void
ngx_http_chat_direct_own(ngx_http_chat_session_t *s, ngx_http_chat_direct_t *d)
{
    chat_json_writer_t  w;

    d->message.room = d->inbox;

    if (ngx_http_chat_message_text(s, &w, &d->message, &d->own.append.entry)
        == NGX_OK)
    {
        ngx_http_chat_publish(&d->own);
    }
}


static void
ngx_http_chat_direct_sent_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    ngx_http_chat_direct_t  *d;

    d = p->data;

    if (rc != NGX_OK) {
        ngx_http_chat_fail(p->session, &d->cmd->id, rc);
        return;
    }

    ngx_http_chat_message_sent(p->session, &d->cmd->id, &d->inbox,
                               &p->append.entry, p->append.duplicate);
}


void
ngx_http_chat_direct_typing(ngx_http_chat_session_t *s, chat_command_t *cmd)
{
    u_char                   name[NGX_HTTP_CHAT_INBOX_NAME];
    ngx_str_t                peer;
    chat_json_writer_t       w;
    ngx_http_chat_publish_t  p;

    ngx_http_chat_direct_name(&peer, name, cmd->to.data, cmd->to.len);

    if (ngx_http_chat_publish_named(&p, &peer, s) != NGX_OK) {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_NO_SUCH_USER, NULL,
                                  "there is no such user");
        return;
    }

    if (ngx_http_chat_reply_begin(&w, 128
                            + ngx_http_chat_reply_string(cmd->to.len)
                            + ngx_http_chat_reply_string(s->user_len))
        != NGX_OK)
    {
        ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        return;
    }

    chat_json_lit(&w, "{\"type\":\"typing\"");
    ngx_http_chat_reply_field(&w, "to", cmd->to.data, cmd->to.len);
    ngx_http_chat_reply_field(&w, "user", ngx_http_chat_session_user(s),
                              s->user_len);

    ngx_http_chat_typing_set(s, p.room, p.epoch, cmd->on, w.start,
                             w.pos - w.start);

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id, 1) == NGX_OK) {
        chat_json_lit(&w, "}");
        ngx_http_chat_reply_send(s, &w);
    }
}


ngx_int_t
ngx_http_chat_direct_amend(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_content_t *content, ngx_str_t *text)
{
    u_char                   name[NGX_HTTP_CHAT_INBOX_NAME];
    uint64_t                 seq;
    ngx_int_t                rc;
    ngx_str_t                other;
    ngx_http_chat_amend_t    amend;
    ngx_http_chat_publish_t  p;

    amend.room.data = name;
    amend.content = content;

    if (ngx_http_chat_direct_copy(text, &amend.room, &seq) != NGX_OK) {
        return NGX_OK;
    }

    rc = ngx_http_chat_direct_access(s, cmd,
                                     content ? NGX_HTTP_CHAT_ACT_SEND
                                             : NGX_HTTP_CHAT_ACT_DELETE,
                                     &amend.room);

    if (rc != NGX_OK
        || ngx_http_chat_publish_named(&p, &amend.room, s) != NGX_OK)
    {
        return rc;
    }

    /* it may have been dropped there, or be another life's number */

    if (ngx_http_chat_target(p.zone, p.room, p.epoch, seq, &amend.target,
                             &other)
        != NGX_OK)
    {
        return NGX_OK;
    }

    p.handler = ngx_http_chat_direct_amended_handler;

    if (ngx_http_chat_target_own(s, &other)
        && ngx_http_chat_amend_text(s, &amend, &p) == NGX_OK)
    {
        ngx_http_chat_publish(&p);
    }

    ngx_free(other.data);

    return NGX_OK;
}


/* Where the receiver's copy of that message is: peer->data is the caller's. */

static ngx_int_t
ngx_http_chat_direct_copy(ngx_str_t *text, ngx_str_t *peer, uint64_t *seq)
{
    off_t        n;
    size_t       len;
    json_t      *to;
    ngx_int_t    rc;
    chat_str_t   user, number;

    if (!chat_json_raw(text->data, text->len, "to", &user)
        || !chat_json_raw(text->data, text->len, "to_seq", &number))
    {
        return NGX_DECLINED;
    }

    n = ngx_atoof((u_char *) number.data, number.len);

    if (n <= 0) {
        return NGX_DECLINED;
    }

    *seq = n;

    to = json_loadb((const char *) user.data, user.len, JSON_DECODE_ANY, NULL);
    if (to == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    len = json_string_length(to);

    if (len > 0 && len <= NGX_HTTP_CHAT_PERSON_MAX) {
        ngx_http_chat_direct_name(peer, peer->data, json_string_value(to),
                                  len);
        rc = NGX_OK;
    }

    json_decref(to);

    return rc;
}


static void
ngx_http_chat_direct_amended_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    (void) p;
    (void) rc;    /* the author is told of his own copy */
}
