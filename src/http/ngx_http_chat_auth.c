
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"
#include "ngx_http_chat_rights.h"

#if (NGX_OPENSSL)
#include <openssl/rand.h>
#else
#include <sys/random.h>
#endif

#include "chat_utf8.h"


#define NGX_HTTP_CHAT_GUEST_BYTES  3       /* two hex digits each */
#define NGX_HTTP_CHAT_GUEST_TRIES  32      /* to find a name nobody has */
#define NGX_HTTP_CHAT_COLOR_LEN    7       /* "#rrggbb" */

/* Of a derived color: the range of its red, green and blue, ... */
#define NGX_HTTP_CHAT_COLOR_LOW    40
#define NGX_HTTP_CHAT_COLOR_HIGH   224

/* ... and its brightness, where 255 * 255 is white's. */
#define NGX_HTTP_CHAT_COLOR_LIGHT  11700


static ngx_int_t ngx_http_chat_identify_user(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_identity_t *identity);
static ngx_int_t ngx_http_chat_identify_credential(ngx_http_request_t *r,
    ngx_http_chat_credential_t *cr);
static ngx_int_t ngx_http_chat_identify_challenge(ngx_http_request_t *r,
    const char *reason);
static void ngx_http_chat_identify_bearer(ngx_http_chat_credential_t *cr,
    ngx_http_chat_identity_t *identity, ngx_str_t *user);
static ngx_int_t ngx_http_chat_identify_guest(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_identity_t *identity);
static ngx_int_t ngx_http_chat_identify_profile(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_identity_t *identity);
static ngx_int_t ngx_http_chat_identify_room(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_identity_t *identity);
static ngx_int_t ngx_http_chat_value(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, ngx_str_t *value);
static ngx_int_t ngx_http_chat_random(u_char *buf, size_t len);
static ngx_uint_t ngx_http_chat_user_valid(ngx_str_t *user);
static ngx_uint_t ngx_http_chat_role_valid(ngx_str_t *role);
static ngx_uint_t ngx_http_chat_color_valid(ngx_str_t *color);
static void ngx_http_chat_color_derive(ngx_str_t *user, u_char *color);
static ngx_uint_t ngx_http_chat_color_light(ngx_uint_t *rgb);


ngx_int_t
ngx_http_chat_identify(ngx_http_request_t *r, ngx_http_chat_loc_conf_t *chcf,
    ngx_http_chat_identity_t *identity)
{
    ngx_int_t  rc;

    rc = ngx_http_chat_identify_user(r, chcf, identity);
    if (rc != NGX_OK || identity->pending) {
        return rc;
    }

    if (ngx_http_chat_identify_profile(r, chcf, identity) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_chat_identify_role(r, chcf, identity);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_chat_identify_room(r, chcf, identity);
}


static ngx_int_t
ngx_http_chat_identify_user(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_identity_t *identity)
{
    ngx_int_t                    rc;
    ngx_str_t                    user;
    ngx_http_chat_credential_t  *cr;

    cr = ngx_http_chat_credential(r);
    if (cr == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_chat_identify_credential(r, cr);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_chat_value(r, chcf->user, &user) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (user.len == 0) {
        ngx_http_chat_identify_bearer(cr, identity, &user);
    }

    if (user.len) {
        rc = ngx_http_chat_revoked(&chcf->access, &user, &cr->jwt,
                                   r->connection->log);

        if (rc == NGX_HTTP_UNAUTHORIZED) {
            return ngx_http_chat_identify_challenge(r,
                                                    "the token was revoked");
        }

        if (rc != NGX_OK) {
            return ngx_http_chat_refuse(r, rc, "the user was revoked", NULL);
        }

        /* what is refused here had better not be quoted in a log */

        if (!ngx_http_chat_user_valid(&user)) {
            return ngx_http_chat_refuse(r, NGX_HTTP_FORBIDDEN,
                                        "user is over 64 bytes, not UTF-8 or "
                                        "has control characters", NULL);
        }

        identity->user = user;
        return NGX_OK;
    }

    if (cr->kind == NGX_HTTP_CHAT_CREDENTIAL_TOKEN) {
        return ngx_http_chat_refuse(r, NGX_HTTP_FORBIDDEN,
                                    "the token names no user", NULL);
    }

    if (chcf->guests) {
        return ngx_http_chat_identify_guest(r, chcf, identity);
    }

    if (chcf->doors.jwt && chcf->doors.timeout
        && chcf->settings.protocol == NGX_HTTP_CHAT_PROTOCOL_V1)
    {
        ngx_str_set(&identity->user, "");
        ngx_str_set(&identity->name, "");
        ngx_str_set(&identity->color, "");

        identity->pending = 1;

        return NGX_OK;
    }

    return ngx_http_chat_identify_challenge(r,
                                        "no user, and no guests are let in");
}


/* Who presents something that is no good is not who he says, nor a guest. */

static ngx_int_t
ngx_http_chat_identify_credential(ngx_http_request_t *r,
    ngx_http_chat_credential_t *cr)
{
    switch (cr->kind) {

    case NGX_HTTP_CHAT_CREDENTIAL_BAD:
    case NGX_HTTP_CHAT_CREDENTIAL_EXPIRED:
        return ngx_http_chat_identify_challenge(r, cr->reason);

    case NGX_HTTP_CHAT_CREDENTIAL_KEY:

        /* to be in a room is to read it */

        if (!(cr->scopes & NGX_HTTP_CHAT_SCOPE_HISTORY)) {
            return ngx_http_chat_refuse(r, NGX_HTTP_FORBIDDEN,
                                        "without the scope \"history\" an "
                                        "API key reads nothing by WebSocket "
                                        "and is for the API alone",
                                        &cr->name);
        }

        return NGX_OK;

    default:
        return NGX_OK;
    }
}


static ngx_int_t
ngx_http_chat_identify_challenge(ngx_http_request_t *r, const char *reason)
{
    ngx_http_chat_loc_conf_t  *chcf;

    static ngx_str_t  bearer = ngx_string("Bearer");

    chcf = ngx_http_get_module_loc_conf(r, ngx_http_chat_module);

    if ((chcf->doors.jwt || chcf->doors.api_keys) && !r->header_sent
        && ngx_http_chat_add_header(r, "WWW-Authenticate", &bearer) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_chat_refuse(r, NGX_HTTP_UNAUTHORIZED, reason, NULL);
}


/* Whom the credential itself names. */

static void
ngx_http_chat_identify_bearer(ngx_http_chat_credential_t *cr,
    ngx_http_chat_identity_t *identity, ngx_str_t *user)
{
    chat_str_t  sub;

    if (cr->kind == NGX_HTTP_CHAT_CREDENTIAL_KEY) {
        *user = cr->name;
        identity->role = ngx_http_chat_key_role(cr->scopes);
        return;
    }

    if (cr->kind == NGX_HTTP_CHAT_CREDENTIAL_TOKEN
        && chat_jwt_subject(&cr->jwt, &sub))
    {
        user->data = (u_char *) sub.data;
        user->len = sub.len;
    }
}


/*
 * Six digits are few where guests are many, and whoever has another one's name
 * has his inbox: a name with an inbox is somebody's already.
 */

static ngx_int_t
ngx_http_chat_identify_guest(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_identity_t *identity)
{
    u_char      *p, random[NGX_HTTP_CHAT_GUEST_BYTES];
    uint64_t     epoch;
    ngx_str_t    inbox;
    ngx_uint_t   tries;

    p = ngx_pnalloc(r->pool, sizeof("@guest-") - 1 + 2 * sizeof(random));
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    inbox.data = p;

    p = ngx_cpymem(p, "@guest-", sizeof("@guest-") - 1);

    for (tries = NGX_HTTP_CHAT_GUEST_TRIES; tries; tries--) {

        if (ngx_http_chat_random(random, sizeof(random)) != NGX_OK) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, ngx_errno,
                          "no random bytes for a guest's name");
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        inbox.len = ngx_hex_dump(p, random, sizeof(random)) - inbox.data;

        if (ngx_http_chat_room_find(chcf->zone, &inbox, &epoch) == 0) {

            identity->user.data = inbox.data + 1;
            identity->user.len = inbox.len - 1;
            identity->guest = 1;

            return NGX_OK;
        }
    }

    return ngx_http_chat_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                "no free name was found for a guest", NULL);
}


static ngx_int_t
ngx_http_chat_identify_profile(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_identity_t *identity)
{
    ngx_str_t  *name, *color;

    name = &identity->name;
    color = &identity->color;

    if (ngx_http_chat_value(r, chcf->user_name, name) != NGX_OK
        || ngx_http_chat_value(r, chcf->user_color, color) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ngx_http_chat_user_valid(name)) {
        *name = identity->user;
    }

    if (ngx_http_chat_color_valid(color)) {
        return NGX_OK;
    }

    color->len = NGX_HTTP_CHAT_COLOR_LEN;
    color->data = ngx_pnalloc(r->pool, NGX_HTTP_CHAT_COLOR_LEN);
    if (color->data == NULL) {
        return NGX_ERROR;
    }

    ngx_http_chat_color_derive(&identity->user, color->data);

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_identify_role(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_identity_t *identity)
{
    ngx_str_t  role;

    if (ngx_http_chat_value(r, chcf->user_role, &role) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (role.len == 0) {
        return NGX_OK;
    }

    identity->role = ngx_http_chat_role_of(role.data, role.len);

    if (identity->role != NGX_HTTP_CHAT_ROLE_NONE) {
        return NGX_OK;
    }

    /* whoever is to have fewer rights than a member must not get a member's */

    return ngx_http_chat_refuse(r, NGX_HTTP_FORBIDDEN,
                                "role is none of \"member\", \"moderator\" "
                                "and \"owner\"", NULL);
}


static ngx_int_t
ngx_http_chat_identify_room(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_chat_identity_t *identity)
{
    ngx_str_t                    room;
    ngx_http_chat_credential_t  *cr;

    if (ngx_http_chat_value(r, chcf->room, &room) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* without a room a raw client could neither speak nor listen */

    if (room.len == 0
        && chcf->settings.protocol != NGX_HTTP_CHAT_PROTOCOL_RAW)
    {
        return NGX_OK;
    }

    if (!ngx_http_chat_room_name(&room)) {
        return ngx_http_chat_refuse(r, NGX_HTTP_FORBIDDEN,
                                    "room's name is empty, over 128 bytes, "
                                    "not UTF-8, has control characters or "
                                    "begins with \"@\"", NULL);
    }

    if (chcf->settings.room_allowed
        && !chcf->settings.room_allowed(chcf->settings.room_names, &room))
    {
        return ngx_http_chat_refuse(r, NGX_HTTP_FORBIDDEN,
                                    "room's name is none that "
                                    "\"chat_room_names\" allows", &room);
    }

    cr = ngx_http_chat_credential(r);
    if (cr == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* in chat.v1 there are words to say so, and other rooms */

    if (chcf->settings.protocol == NGX_HTTP_CHAT_PROTOCOL_RAW
        && !ngx_http_chat_key_opens(chcf->doors.api_keys, cr, &room,
                                    r->connection->log))
    {
        return ngx_http_chat_refuse(r, NGX_HTTP_FORBIDDEN,
                                    "the API key is not for the room", &room);
    }

    identity->room = room;

    return NGX_OK;
}


ngx_uint_t
ngx_http_chat_room_name(ngx_str_t *name)
{
    return chat_utf8_name(name->data, name->len, 1, NGX_HTTP_CHAT_ROOM_MAX)
           && name->data[0] != '@';
}


static ngx_int_t
ngx_http_chat_value(ngx_http_request_t *r, ngx_http_complex_value_t *cv,
    ngx_str_t *value)
{
    if (cv == NULL) {
        ngx_str_null(value);
        return NGX_OK;
    }

    return ngx_http_complex_value(r, cv, value);
}


static ngx_int_t
ngx_http_chat_random(u_char *buf, size_t len)
{
#if (NGX_OPENSSL)
    return RAND_bytes(buf, len) == 1 ? NGX_OK : NGX_ERROR;
#else
    return getentropy(buf, len) == 0 ? NGX_OK : NGX_ERROR;
#endif
}


static ngx_uint_t
ngx_http_chat_user_valid(ngx_str_t *user)
{
    return chat_utf8_name(user->data, user->len, 1, NGX_HTTP_CHAT_USER_MAX);
}


static ngx_uint_t
ngx_http_chat_role_valid(ngx_str_t *role)
{
    return ngx_http_chat_role_of(role->data, role->len)
           != NGX_HTTP_CHAT_ROLE_NONE;
}


static ngx_uint_t
ngx_http_chat_color_valid(ngx_str_t *color)
{
    u_char      ch;
    ngx_uint_t  i;

    if (color->len != NGX_HTTP_CHAT_COLOR_LEN || color->data[0] != '#') {
        return 0;
    }

    for (i = 1; i < color->len; i++) {
        ch = color->data[i] | 0x20;

        if (!(ch >= '0' && ch <= '9') && !(ch >= 'a' && ch <= 'f')) {
            return 0;
        }
    }

    return 1;
}


/*
 * A color for who chose none, the same in every process and version: the
 * user's FNV-1a hash picks a hue of 360, and the hue is then made darker or
 * lighter in steps of 1/16 until all are about as bright as each other, so
 * that names can be read on white (contrast 4.4 or more) and on #1c1c1e (3.3
 * or more).
 */

static void
ngx_http_chat_color_derive(ngx_str_t *user, u_char *color)
{
    uint32_t    hash;
    ngx_uint_t  i, hue, rise, rgb[3], *up, *top, *low;

    hash = 2166136261u;

    for (i = 0; i < user->len; i++) {
        hash = (hash ^ user->data[i]) * 16777619u;
    }

    /* from each primary color to the next, first the next one rises */

    hue = hash % 360;
    rise = hue % 60 * (NGX_HTTP_CHAT_COLOR_HIGH - NGX_HTTP_CHAT_COLOR_LOW) / 60;

    top = &rgb[(hue + 60) / 120 % 3];
    low = &rgb[((hue + 60) / 120 + (hue / 60 % 2 ? 1 : 2)) % 3];
    up = &rgb[((hue + 60) / 120 + (hue / 60 % 2 ? 2 : 1)) % 3];

    *top = NGX_HTTP_CHAT_COLOR_HIGH;
    *low = NGX_HTTP_CHAT_COLOR_LOW;
    *up = hue / 60 % 2 ? NGX_HTTP_CHAT_COLOR_HIGH - rise
                       : NGX_HTTP_CHAT_COLOR_LOW + rise;

    while (ngx_http_chat_color_light(rgb) > NGX_HTTP_CHAT_COLOR_LIGHT) {
        for (i = 0; i < 3; i++) {
            rgb[i] -= rgb[i] / 16;
        }
    }

    while (ngx_http_chat_color_light(rgb) < NGX_HTTP_CHAT_COLOR_LIGHT) {
        for (i = 0; i < 3; i++) {
            rgb[i] += (255 - rgb[i] + 15) / 16;
        }
    }

    (void) ngx_sprintf(color, "#%02xi%02xi%02xi", rgb[0], rgb[1], rgb[2]);
}


/* The eye's weights of red, green and blue in 1/256, gamma taken as 2. */

static ngx_uint_t
ngx_http_chat_color_light(ngx_uint_t *rgb)
{
    return (54 * rgb[0] * rgb[0] + 183 * rgb[1] * rgb[1]
            + 19 * rgb[2] * rgb[2])
           / 256;
}


char *
ngx_http_chat_set_person(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_complex_value_t  *cv;

    static const struct {
        const char   *directive;
        ngx_uint_t  (*valid)(ngx_str_t *value);
        const char   *expected;
    } rules[] = {
        { "chat_user", ngx_http_chat_user_valid,
          "1 to 64 bytes of UTF-8 without control characters" },

        { "chat_user_name", ngx_http_chat_user_valid,
          "1 to 64 bytes of UTF-8 without control characters" },

        { "chat_user_color", ngx_http_chat_color_valid,
          "a color as \"#3a7bd5\"" },

        { "chat_user_role", ngx_http_chat_role_valid,
          "\"member\", \"moderator\" or \"owner\"" },

        { NULL, NULL, NULL }
    };

    rv = ngx_http_set_complex_value_slot(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    cv = *(ngx_http_complex_value_t **) (p + cmd->offset);
    value = cf->args->elts;

    /* what has variables is looked at when somebody comes */

    if (cv->lengths || cv->value.len == 0) {
        return NGX_CONF_OK;
    }

    for (i = 0; rules[i].directive; i++) {

        if (ngx_strcmp(rules[i].directive, value[0].data) == 0
            && !rules[i].valid(&cv->value))
        {
            return ngx_http_chat_conf_invalid(cf, &value[1],
                                              rules[i].expected);
        }
    }

    return NGX_CONF_OK;
}
