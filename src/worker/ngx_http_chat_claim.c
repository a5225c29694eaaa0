
#include "ngx_http_chat_claim.h"

#include "chat_fold.h"


#define NGX_HTTP_CHAT_CLAIM_PREFIX      5      /* bytes of a room's name */
#define NGX_HTTP_CHAT_CLAIM_MAX         64     /* bytes of a name */


/* A place among those who are called so; room 0: none. */
typedef struct {
    uint32_t                   room;
    uint32_t                   occupant;
    uint64_t                   epoch;
} ngx_http_chat_claim_place_t;


struct ngx_http_chat_claim_s {
    ngx_http_chat_claim_place_t   user;
    ngx_http_chat_claim_place_t   name;
};


static ngx_int_t ngx_http_chat_claim_take(ngx_http_chat_session_t *s,
    ngx_http_chat_claim_place_t *place, ngx_str_t *name, ngx_uint_t force);
static ngx_uint_t ngx_http_chat_claim_away(ngx_http_chat_session_t *s,
    ngx_str_t *name);
static void ngx_http_chat_claim_leave(ngx_http_chat_session_t *s,
    ngx_http_chat_claim_place_t *place);


ngx_int_t
ngx_http_chat_claim_name(ngx_http_chat_session_t *s, ngx_str_t *name,
    ngx_uint_t force)
{
    ngx_int_t                     rc;
    ngx_str_t                     user;
    ngx_http_chat_claim_place_t   place;

    if (s->settings->imitation == NGX_HTTP_CHAT_IMITATION_OFF) {
        return NGX_OK;
    }

    if (s->claims == NULL) {
        s->claims = ngx_calloc(sizeof(struct ngx_http_chat_claim_s),
                               s->connection->log);
        if (s->claims == NULL) {
            return NGX_ERROR;
        }

        user.data = ngx_http_chat_session_user(s);
        user.len = s->user_len;

        rc = ngx_http_chat_claim_take(s, &s->claims->user, &user, 1);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (!force && ngx_http_chat_claim_away(s, name)) {
        return NGX_BUSY;
    }

    rc = ngx_http_chat_claim_take(s, &place, name, force);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_chat_claim_leave(s, &s->claims->name);
    s->claims->name = place;

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_claim_take(ngx_http_chat_session_t *s,
    ngx_http_chat_claim_place_t *place, ngx_str_t *name, ngx_uint_t force)
{
    u_char                     *p, buf[NGX_HTTP_CHAT_CLAIM_PREFIX
                                       + NGX_HTTP_CHAT_CLAIM_MAX];
    ngx_int_t                   rc;
    ngx_str_t                   room;
    ngx_http_chat_person_t      person;
    ngx_http_chat_announce_t    announce;
    ngx_http_chat_retention_t   retention;
    ngx_http_chat_room_view_t   view;

    /* a name is never longer: what chose it has looked */

    if (name->len > NGX_HTTP_CHAT_CLAIM_MAX) {
        return NGX_ERROR;
    }

    p = buf;
    *p++ = NGX_HTTP_CHAT_COUNTER;
    p = ngx_cpymem(p, "name", NGX_HTTP_CHAT_CLAIM_PREFIX - 1);
    p += chat_fold(p, name->data, name->len, 1);

    room.data = buf;
    room.len = p - buf;

    ngx_http_chat_session_person(s, &person);
    person.name = person.user;

    ngx_memzero(&retention, sizeof(ngx_http_chat_retention_t));
    ngx_memzero(&announce, sizeof(ngx_http_chat_announce_t));
    announce.presence = NGX_HTTP_CHAT_PRESENCE_OFF;

    rc = ngx_http_chat_room_join(s->zone, &room, &retention, &person,
                                 force ? 0 : 1, &announce, &place->room,
                                 &place->occupant, &view);
    place->epoch = view.epoch;

    if (rc != NGX_OK) {
        place->room = 0;
    }

    return rc;
}


/* 1: another user's identity is just that, whether he is there or not. */

static ngx_uint_t
ngx_http_chat_claim_away(ngx_http_chat_session_t *s, ngx_str_t *name)
{
    u_char      buf[1 + NGX_HTTP_CHAT_CLAIM_MAX];
    uint64_t    epoch;
    ngx_str_t   inbox;
    ngx_uint_t  i;

    inbox.data = buf;
    buf[0] = '@';

    for (i = 0; i < 2; i++) {

        if (i == 0) {
            ngx_memcpy(buf + 1, name->data, name->len);
            inbox.len = 1 + name->len;

        } else {
            inbox.len = 1 + chat_fold(buf + 1, name->data, name->len, 0);
        }

        if (ngx_memn2cmp(buf + 1, ngx_http_chat_session_user(s),
                         inbox.len - 1, s->user_len)
            != 0
            && ngx_http_chat_room_find(s->zone, &inbox, &epoch))
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_chat_claim_release(ngx_http_chat_session_t *s)
{
    if (s->claims == NULL) {
        return;
    }

    ngx_http_chat_claim_leave(s, &s->claims->name);
    ngx_http_chat_claim_leave(s, &s->claims->user);

    ngx_free(s->claims);
    s->claims = NULL;
}


static void
ngx_http_chat_claim_leave(ngx_http_chat_session_t *s,
    ngx_http_chat_claim_place_t *place)
{
    uint16_t                  slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_str_t                 user;
    ngx_msec_t                wait;
    ngx_http_chat_announce_t  announce;

    if (place->room == 0) {
        return;
    }

    if (ngx_http_chat_room_leave(s->zone, place->room, place->epoch,
                                 place->occupant, 0))
    {
        /* others are called so, too, and he is not one of them any more */

        ngx_memzero(&announce, sizeof(ngx_http_chat_announce_t));
        announce.slots = slots;

        user.data = ngx_http_chat_session_user(s);
        user.len = s->user_len;

        (void) ngx_http_chat_room_left(s->zone, place->room, place->epoch,
                                       &user, &announce, &wait);
    }

    place->room = 0;
}
