
/*
 * A room's people: who comes and goes, and what is known of them.
 */


#ifndef _NGX_HTTP_CHAT_CROWD_H_INCLUDED_
#define _NGX_HTTP_CHAT_CROWD_H_INCLUDED_


#include "ngx_http_chat_room.h"


/*
 * One more member from this worker's slot in the room of that name, which is
 * made if there is none; fills in the view.  person NULL: raw mode, where
 * there are no people.  Else *occupant is who he is there, his first
 * connection is announced if "announce" is given, and "max" is how many users
 * there may be, or connections if person is NULL; 0 = any number.  OK;
 * DECLINED: the zone is full, or the name is longer than a room's may be;
 * BUSY: the room is.
 */
ngx_int_t ngx_http_chat_room_join(ngx_http_chat_zone_t *z, ngx_str_t *name,
    ngx_http_chat_retention_t *retention, ngx_http_chat_person_t *person,
    ngx_uint_t max, ngx_http_chat_announce_t *announce, uint32_t *n,
    uint32_t *occupant, ngx_http_chat_room_view_t *view);

/*
 * One member less from this worker's slot.  1: it was the user's last
 * connection, and room_left() is to be called after "delay" ms.  A room whose
 * name begins with NGX_HTTP_CHAT_COUNTER is gone with its last member.
 */
ngx_uint_t ngx_http_chat_room_leave(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, uint32_t occupant, ngx_msec_t delay);

/* The user has left if he has not come back: announces it.  OK; AGAIN: he is
 * to be left alone for *wait more ms; DECLINED: he is back or was seen to. */
ngx_int_t ngx_http_chat_room_left(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_str_t *user, ngx_http_chat_announce_t *announce,
    ngx_msec_t *wait);

/* Tells the number of users (announce->count), if that is due. */
void ngx_http_chat_room_count(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_http_chat_announce_t *announce);

/* The same after somebody was expelled, which all are told in its place where
 * each of them is told of by name. */
void ngx_http_chat_room_fewer(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_http_chat_announce_t *announce);

/* What the room knows of the user.  OK; ABORT. */
ngx_int_t ngx_http_chat_room_standing(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_str_t *user, ngx_http_chat_standing_t *standing);

/* The same of an occupant with a connection on this worker: expelled or not,
 * with no search. */
ngx_int_t ngx_http_chat_room_occupant(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, uint32_t occupant, ngx_http_chat_standing_t *standing);

/* If this occupant, of this worker, was expelled: by which entry; else 0.
 * Takes no lock. */
uint64_t ngx_http_chat_room_expelled(ngx_http_chat_zone_t *z,
    uint32_t occupant);

/* Moves his read marker forward.  OK; DECLINED: it was there already, or the
 * user is unknown; ABORT. */
ngx_int_t ngx_http_chat_room_mark(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_str_t *user, uint64_t seq);

/*
 * His name and color, if they differ from what the room has, and the passing
 * event that says so; a NULL event: none.  chosen: by himself, so that what
 * he comes with next time does not count.  OK; DECLINED: nothing to do; ABORT.
 */
ngx_int_t ngx_http_chat_room_rename(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_http_chat_person_t *person, ngx_uint_t chosen,
    ngx_http_chat_append_t *event, uint16_t *slots, ngx_uint_t *nslots);

/*
 * Who is there, in the order of the room's list, at most max; *people is
 * allocated with ngx_alloc() and the caller's, *nusers how many it has.  The
 * view is of the same moment.  OK; ERROR: no memory; ABORT.
 */
ngx_int_t ngx_http_chat_room_people(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_uint_t max, ngx_http_chat_standing_t **people,
    ngx_uint_t *nusers, ngx_http_chat_room_view_t *view);

/* Takes a dead worker's members out of all rooms; whoever is away then is
 * due to be said to have left within "delay" ms, see room_due(). */
void ngx_http_chat_room_reap(ngx_http_chat_zone_t *z, ngx_uint_t slot,
    ngx_msec_t delay);

/*
 * Users who are due to be said to have left for more than "late" ms, for
 * their worker died: at most max, as room index, epoch and user.  Goes over
 * n buckets from *bucket on.
 */
typedef struct {
    uint32_t                   room;
    uint64_t                   epoch;
    uint8_t                    user_len;
    u_char                     user[NGX_HTTP_CHAT_PERSON_MAX];
} ngx_http_chat_due_t;

ngx_uint_t ngx_http_chat_room_due(ngx_http_chat_zone_t *z, uint32_t *bucket,
    ngx_uint_t n, ngx_msec_t late, ngx_http_chat_due_t *due, ngx_uint_t max);


#endif /* _NGX_HTTP_CHAT_CROWD_H_INCLUDED_ */
