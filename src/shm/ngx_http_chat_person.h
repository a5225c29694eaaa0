
/*
 * A person: who does something in a room, how he is announced, what is known
 * of him, and what can be done to him.
 */


#ifndef _NGX_HTTP_CHAT_PERSON_H_INCLUDED_
#define _NGX_HTTP_CHAT_PERSON_H_INCLUDED_


#include "ngx_http_chat_log.h"


#define NGX_HTTP_CHAT_PERSON_MAX      64     /* bytes of a user, of a name */
#define NGX_HTTP_CHAT_FOREVER         ((uint64_t) -1)

/* Roles: who has the higher one may do more. */
#define NGX_HTTP_CHAT_ROLE_NONE       0      /* nothing was said of it */
#define NGX_HTTP_CHAT_ROLE_MEMBER     1
#define NGX_HTTP_CHAT_ROLE_MODERATOR  2
#define NGX_HTTP_CHAT_ROLE_OWNER      3

/* How coming and going is announced. */
#define NGX_HTTP_CHAT_PRESENCE_OFF    0
#define NGX_HTTP_CHAT_PRESENCE_COUNT  1
#define NGX_HTTP_CHAT_PRESENCE_FULL   2

#define NGX_HTTP_CHAT_COUNT_PAUSE     1000   /* ms between two counts */


/*
 * Who does something.  The strings are the caller's.  role is what he came
 * with; color is red, green, blue.
 */
typedef struct {
    ngx_str_t                  user;         /* 1..64 bytes */
    ngx_str_t                  name;         /* likewise */
    u_char                     color[3];
    ngx_uint_t                 role;
    ngx_uint_t                 guest;
} ngx_http_chat_person_t;


/* What a room knows of a user, and its settings; a copy. */
typedef struct {
    uint32_t                   occupant;     /* 0: nothing is known of him */
    ngx_uint_t                 granted;      /* a role, or NONE */
    ngx_uint_t                 role;         /* the one he came with, or NONE */
    ngx_uint_t                 here;         /* connections */
    ngx_uint_t                 flags;        /* NGX_HTTP_CHAT_OCCUPANT_... */
    uint64_t                   since;
    uint64_t                   muted;        /* until, ms; 0 = is not */
    uint64_t                   banned;
    uint64_t                   read;
    uint64_t                   slow;         /* the room's */
    ngx_uint_t                 settings;
    ngx_uint_t                 users;
    u_char                     color[3];
    uint8_t                    user_len;
    uint8_t                    name_len;
    u_char                     user[NGX_HTTP_CHAT_PERSON_MAX];
    u_char                     name[NGX_HTTP_CHAT_PERSON_MAX];
} ngx_http_chat_standing_t;


/*
 * Coming or going, as it is announced.  "event" is the passing event up to
 * "members": and from behind the time on (ngx_http_chat_append_t); "count" is
 * the one that only counts.  Which one it is depends on the room at that
 * moment.  presence and limit are read by a join, which keeps them in the
 * room for those who leave.
 */
typedef struct {
    ngx_uint_t                 presence;     /* NGX_HTTP_CHAT_PRESENCE_... */
    ngx_uint_t                 limit;        /* users; above it COUNT holds */
    ngx_http_chat_append_t     event;
    ngx_http_chat_append_t     count;
    uint64_t                   later;        /* out: ms until the count is to
                                                be told by room_count(), or 0 */
    uint16_t                  *slots;        /* out: who is to be told; the */
    ngx_uint_t                 nslots;       /* caller's, of SLOTS_MAX */
} ngx_http_chat_announce_t;


/* What an entry changes, under the same lock and only if it is appended. */
typedef struct {
    ngx_str_t                  user;
    ngx_uint_t                 what;         /* NGX_HTTP_CHAT_CHANGE_... */
    uint64_t                   until;        /* of a mute or ban */
    ngx_uint_t                 role;         /* of a grant */
} ngx_http_chat_change_t;

#define NGX_HTTP_CHAT_CHANGE_KICK    1       /* DECLINED if he is not there */
#define NGX_HTTP_CHAT_CHANGE_MUTE    2       /* until 0: unmute */
#define NGX_HTTP_CHAT_CHANGE_BAN     3       /* until 0: unban */
#define NGX_HTTP_CHAT_CHANGE_GRANT   4       /* no entry: append may be NULL */


#endif /* _NGX_HTTP_CHAT_PERSON_H_INCLUDED_ */
