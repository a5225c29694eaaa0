
/*
 * An occupant: what a room knows of one user, however many connections he has
 * there: whether he is there, how he is called, what he may do, what he has
 * read.  Kept as long as he is there, or as long as there is something to
 * know: a role, a ban, a mute, a read marker, nonces.
 *
 * Two occupants share a block.  A room's blocks are a list, for walks over all
 * of its people; and an occupant hangs on a bucket of the zone's table, whose
 * buckets are split among the stripes' locks, as rooms' are, so that the
 * room's lock guards it.  Its name is the block's index times two, plus one if
 * it is the block's second one; 0 is none.
 *
 * Who is there is counted by worker, in "here", so that a dead worker's share
 * can be taken out.  A kick or ban takes the occupant out of the table and
 * leaves it to the connections that are still to be removed; what is to be
 * known of the user for longer goes to a new one, as does his next join.
 *
 * All functions here are called with the room's lock held.  Each change comes
 * to be by one store; who dies in between loses at worst a block, until the
 * repair.
 */


#ifndef _NGX_HTTP_CHAT_OCCUPANT_H_INCLUDED_
#define _NGX_HTTP_CHAT_OCCUPANT_H_INCLUDED_


#include "ngx_http_chat_room.h"


#define NGX_HTTP_CHAT_OCCUPANT_HERE   8     /* workers, before "more" */
#define NGX_HTTP_CHAT_OCCUPANT_MORE   (NGX_HTTP_CHAT_BLOCK_DATA / 4)

/* flags */
#define NGX_HTTP_CHAT_OCCUPANT_COUNTED   0x01  /* is one of room->users */
#define NGX_HTTP_CHAT_OCCUPANT_EXPELLED  0x02  /* not in the table any more */
#define NGX_HTTP_CHAT_OCCUPANT_CHOSEN    0x04  /* the profile is his choice */
#define NGX_HTTP_CHAT_OCCUPANT_GUEST     0x08  /* forgotten when he goes */


/* 248 bytes, two in a block.  Times are ms since 1970, but for "due", which is
 * of ngx_current_msec. */
typedef struct {
    uint32_t                   next;       /* in the bucket */
    uint32_t                   hash;       /* of the room and the user */
    uint32_t                   room;
    uint32_t                   nonces;     /* the newest block of them */
    uint32_t                   more;       /* blocks of further "here" */
    uint32_t                   here[NGX_HTTP_CHAT_OCCUPANT_HERE];
                                           /* slot << 24 | connections */
    uint64_t                   since;      /* he came */
    uint64_t                   due;        /* "left" is to be said; 0 = no */
    uint64_t                   read;       /* a seq, 0 = none */
    uint64_t                   muted;      /* until; 0 = is not, FOREVER */
    uint64_t                   banned;     /* likewise */
    uint64_t                   sent;       /* his latest message */
    uint64_t                   expelled;   /* seq of the kick or ban */
    uint8_t                    granted;    /* a role, or 0 */
    uint8_t                    role;       /* the one he came with, or 0 */
    uint8_t                    flags;
    uint8_t                    user_len;   /* 0: the place is free */
    uint8_t                    name_len;
    u_char                     color[3];   /* red, green, blue */
    u_char                     user[NGX_HTTP_CHAT_PERSON_MAX];
    u_char                     name[NGX_HTTP_CHAT_PERSON_MAX];
} ngx_http_chat_occupant_sh_t;


typedef struct {
    uint32_t                     prev;     /* in the room's list of blocks */
    uint32_t                     reserved;
    ngx_http_chat_occupant_sh_t  places[2];
} ngx_http_chat_people_sh_t;


#define ngx_http_chat_occupant(z, o)                                          \
    (&((ngx_http_chat_people_sh_t *)                                          \
       ngx_http_chat_block(z, (o) >> 1)->data)->places[(o) & 1])


/* The user's occupant of a room, or 0. */
uint32_t ngx_http_chat_occupant_find_locked(ngx_http_chat_zone_t *z,
    uint32_t room, ngx_str_t *user);

/* Finds or makes it.  0: no blocks are left. */
uint32_t ngx_http_chat_occupant_get_locked(ngx_http_chat_zone_t *z,
    uint32_t room, ngx_str_t *user);

/* One connection more from this worker.  DECLINED: no blocks are left. */
ngx_int_t ngx_http_chat_occupant_enter_locked(ngx_http_chat_zone_t *z,
    uint32_t o);

/* One less, from that slot; returns how many are left on all workers. */
ngx_uint_t ngx_http_chat_occupant_leave_locked(ngx_http_chat_zone_t *z,
    uint32_t o, ngx_uint_t slot);

/* All of that slot's are gone; returns how many are left on others. */
ngx_uint_t ngx_http_chat_occupant_reap_locked(ngx_http_chat_zone_t *z,
    uint32_t o, ngx_uint_t slot);

/* Connections on all workers. */
ngx_uint_t ngx_http_chat_occupant_here_locked(ngx_http_chat_zone_t *z,
    uint32_t o);

/*
 * Takes him out of the room by an entry of that seq: his connections are to
 * be removed by their workers.  A grant, ban, mute and read marker go on in
 * a new occupant.  DECLINED: no blocks are left, nothing has changed.
 */
ngx_int_t ngx_http_chat_occupant_expel_locked(ngx_http_chat_zone_t *z,
    uint32_t o, uint64_t seq);

/*
 * Frees him if he is not there and there is nothing to know of him.  squeeze:
 * read markers and nonces are not worth their memory.  1: he is gone.
 */
ngx_uint_t ngx_http_chat_occupant_forget_locked(ngx_http_chat_zone_t *z,
    uint32_t o, uint64_t now, ngx_uint_t squeeze);

/* Frees all of a room's. */
void ngx_http_chat_occupant_clear_locked(ngx_http_chat_zone_t *z,
    uint32_t room);

/* A room's occupants one after the other, from 0 on; 0 is the end.  The one
 * that was returned may be freed before the next call if the next one was
 * asked for before. */
uint32_t ngx_http_chat_occupant_next_locked(ngx_http_chat_zone_t *z,
    uint32_t room, uint32_t o);

/* Does the room have to be kept for its people: is there any role, ban or
 * mute in force? */
ngx_uint_t ngx_http_chat_occupant_matters_locked(ngx_http_chat_zone_t *z,
    uint32_t room, uint64_t now);

/* Counts room->users anew, and returns them: who is there, and who was a
 * moment ago and has not been said to have left. */
ngx_uint_t ngx_http_chat_occupant_count_locked(ngx_http_chat_zone_t *z,
    uint32_t room);

/* Copies what is known of him, and of the room's settings. */
void ngx_http_chat_occupant_look_locked(ngx_http_chat_zone_t *z,
    uint32_t room, uint32_t o, ngx_http_chat_standing_t *standing);


#endif /* _NGX_HTTP_CHAT_OCCUPANT_H_INCLUDED_ */
