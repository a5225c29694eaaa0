
#include "ngx_http_chat_moderate.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_notify.h"
#include "ngx_http_chat_presence.h"
#include "ngx_http_chat_claim.h"


static void ngx_http_chat_profile_new(chat_command_t *cmd,
    ngx_http_chat_standing_t *standing, ngx_http_chat_person_t *person);
static ngx_int_t ngx_http_chat_profile_claim(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_person_t *person, u_char *buf);
static void ngx_http_chat_profile_mark(ngx_str_t *name, ngx_str_t *user,
    u_char *buf);
static ngx_int_t ngx_http_chat_profile_keep(ngx_http_chat_local_t *inbox,
    ngx_http_chat_person_t *person);


void
ngx_http_chat_command_members(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    ngx_int_t                   rc;
    ngx_uint_t                  n;
    chat_json_writer_t          w;
    ngx_http_chat_local_t      *local;
    ngx_http_chat_standing_t   *people;
    ngx_http_chat_room_view_t   view;

    if (cmd->id.len == 0) {
        return;
    }

    local = ngx_http_chat_member_local(m);

    rc = ngx_http_chat_room_people(local->zone,
                                   ngx_http_chat_local_room(local),
                                   local->epoch, NGX_HTTP_CHAT_PEOPLE_MAX,
                                   &people, &n, &view);
    if (rc != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, rc);
        return;
    }

    /* what the view has taken note of is still to be delivered */

    ngx_http_chat_deliver_room(local);

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id,
                          128 + ngx_http_chat_reply_string(cmd->room.len))
        == NGX_OK)
    {
        ngx_http_chat_reply_field(&w, "room", cmd->room.data, cmd->room.len);
        ngx_http_chat_reply_number(&w, "members", view.users);

        if (ngx_http_chat_presence_put(&w, people, n) == NGX_OK) {
            chat_json_lit(&w, "}");
            ngx_http_chat_reply_send(s, &w);

        } else {
            ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        }
    }

    ngx_free(people);
}


ngx_int_t
ngx_http_chat_presence_put(chat_json_writer_t *w,
    ngx_http_chat_standing_t *people, ngx_uint_t n)
{
    ngx_uint_t   i;
    const char  *role;

    if (ngx_http_chat_reply_more(w, 64) != NGX_OK) {
        return NGX_ERROR;
    }

    chat_json_lit(w, ",\"presence\":[");

    for (i = 0; i < n; i++) {

        if (ngx_http_chat_reply_more(w, 128 + NGX_HTTP_CHAT_REPLY_STANDING)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (i) {
            chat_json_lit(w, ",");
        }

        chat_json_lit(w, "{\"since\":");
        chat_json_uint(w, people[i].since);
        ngx_http_chat_reply_standing(w, &people[i]);

        role = ngx_http_chat_role_name(ngx_http_chat_role(people[i].role,
                                                          people[i].granted));

        ngx_http_chat_reply_field(w, "role", role, ngx_strlen(role));
        chat_json_lit(w, "}");
    }

    chat_json_lit(w, "]");

    return NGX_OK;
}


/*
 * A profile is the user's, not the connection's: it is kept in the inbox, by
 * whose change all workers with connections of his learn of it.
 */

void
ngx_http_chat_command_profile(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    u_char                      color[NGX_HTTP_CHAT_COLOR_LEN];
    u_char                      buf[NGX_HTTP_CHAT_PERSON_MAX];
    ngx_int_t                   rc;
    chat_json_writer_t          w;
    ngx_http_chat_local_t      *inbox;
    ngx_http_chat_person_t      person;
    ngx_http_chat_standing_t    standing;

    m = ngx_http_chat_inbox_member(s);

    if (m == NULL) {
        ngx_http_chat_fail(s, &cmd->id, s->boxless ? NGX_DECLINED : NGX_ERROR);
        return;
    }

    inbox = ngx_http_chat_member_local(m);

    rc = ngx_http_chat_room_occupant(inbox->zone,
                                     ngx_http_chat_local_room(inbox),
                                     inbox->epoch,
                                     ngx_http_chat_member_occupant(m),
                                     &standing);
    if (rc == NGX_OK) {
        ngx_http_chat_session_person(s, &person);
        ngx_http_chat_profile_new(cmd, &standing, &person);

        rc = ngx_http_chat_profile_claim(s, cmd, &person, buf);
    }

    if (rc == NGX_BUSY) {
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_REJECTED, NULL,
                                  "the name looks like another user's");
        return;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_chat_profile_keep(inbox, &person);
    }

    if (rc != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, rc);
        return;
    }

    ngx_http_chat_color_text(color, person.color);

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id,
                           128 + ngx_http_chat_reply_string(person.name.len))
        == NGX_OK)
    {
        ngx_http_chat_reply_field(&w, "name", person.name.data,
                                  person.name.len);
        ngx_http_chat_reply_field(&w, "color", color, NGX_HTTP_CHAT_COLOR_LEN);
        chat_json_lit(&w, "}");

        ngx_http_chat_reply_send(s, &w);
    }

    ngx_http_chat_presence_rename(s, &person);
}


/* What the command does not give stays as it is. */

static void
ngx_http_chat_profile_new(chat_command_t *cmd,
    ngx_http_chat_standing_t *standing, ngx_http_chat_person_t *person)
{
    ngx_uint_t  i;

    person->name.data = standing->name;
    person->name.len = standing->name_len;
    ngx_memcpy(person->color, standing->color, sizeof(person->color));

    if (cmd->given & CHAT_F_NAME) {
        person->name.data = (u_char *) cmd->name.data;
        person->name.len = cmd->name.len;
    }

    if (cmd->given & CHAT_F_COLOR) {

        for (i = 0; i < sizeof(person->color); i++) {
            person->color[i] = (u_char)
                ngx_hextoi((u_char *) cmd->color.data + 1 + 2 * i, 2);
        }
    }
}


/* OK; BUSY: the name is refused; else as ngx_http_chat_claim_name().  A name
 * that is marked stands in buf. */

static ngx_int_t
ngx_http_chat_profile_claim(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_person_t *person, u_char *buf)
{
    ngx_int_t  rc;

    if (!(cmd->given & CHAT_F_NAME)) {
        return NGX_OK;
    }

    rc = ngx_http_chat_claim_name(s, &person->name, 0);

    if (rc == NGX_BUSY
        && s->settings->imitation == NGX_HTTP_CHAT_IMITATION_MARK)
    {
        ngx_http_chat_profile_mark(&person->name, &person->user, buf);
        return NGX_OK;
    }

    return rc;
}


/* "name (user)", with as much of the name as there is room for. */

static void
ngx_http_chat_profile_mark(ngx_str_t *name, ngx_str_t *user, u_char *buf)
{
    u_char  *p;
    size_t   len;

    if (user->len + sizeof(" ()") - 1 >= NGX_HTTP_CHAT_PERSON_MAX) {
        *name = *user;
        return;
    }

    len = ngx_min(name->len,
                  NGX_HTTP_CHAT_PERSON_MAX - user->len - (sizeof(" ()") - 1));

    if (len < name->len) {

        /* not within a character */

        while (len && (name->data[len] & 0xc0) == 0x80) {
            len--;
        }
    }

    p = ngx_cpymem(buf, name->data, len);
    *p++ = ' ';
    *p++ = '(';
    p = ngx_cpymem(p, user->data, user->len);
    *p++ = ')';

    name->data = buf;
    name->len = p - buf;
}


/* Whom the configuration knows by a name is called so; a guest may not look
 * like him, nor like any other user who is there. */

ngx_int_t
ngx_http_chat_profile_begin(ngx_http_chat_session_t *s)
{
    u_char                  buf[NGX_HTTP_CHAT_PERSON_MAX];
    ngx_int_t               rc;
    ngx_http_chat_person_t  person;

    ngx_http_chat_session_person(s, &person);

    rc = ngx_http_chat_claim_name(s, &person.name, !s->guest);

    if (rc != NGX_BUSY) {
        return rc;
    }

    if (s->settings->imitation == NGX_HTTP_CHAT_IMITATION_MARK) {
        ngx_http_chat_profile_mark(&person.name, &person.user, buf);

    } else {
        person.name = person.user;
    }

    return ngx_http_chat_session_rename(s, &person.name, person.color);
}


static ngx_int_t
ngx_http_chat_profile_keep(ngx_http_chat_local_t *inbox,
    ngx_http_chat_person_t *person)
{
    uint32_t    room;
    uint16_t    slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_int_t   rc;
    ngx_uint_t  nslots;

    room = ngx_http_chat_local_room(inbox);
    nslots = 0;

    rc = ngx_http_chat_room_rename(inbox->zone, room, inbox->epoch, person, 1,
                                   NULL, slots, &nslots);
    if (rc == NGX_OK) {
        ngx_http_chat_deliver_room(inbox);
        ngx_http_chat_notify(inbox->zone, room, slots, nslots);
    }

    return (rc == NGX_DECLINED) ? NGX_OK : rc;
}
