
/*
 * A member: a session in a room, that is a cursor into the room's log.
 *
 * A worker's members of one room stand in one array, with everything that
 * delivery touches for each of them, so that a walk over thousands does not
 * leave it.  A session names its places by room and index; who leaves is
 * replaced by the last one.
 */


#ifndef _NGX_HTTP_CHAT_MEMBER_H_INCLUDED_
#define _NGX_HTTP_CHAT_MEMBER_H_INCLUDED_


#include "ngx_http_chat_session.h"


/* Delivery passes it by: its socket takes nothing, or it is going. */
#define NGX_HTTP_CHAT_MEMBER_BLOCKED  0x01
/* It needs more than one send() of the shared bytes: TLS, bytes that must go
 * first, or own messages that it must not get. */
#define NGX_HTTP_CHAT_MEMBER_SLOW     0x02
/* Was kicked or banned: gets what comes up to that, and is removed. */
#define NGX_HTTP_CHAT_MEMBER_EXPELLED 0x04
/* Has got that; its session is about to remove it. */
#define NGX_HTTP_CHAT_MEMBER_GONE     0x08


/* 48 bytes. */
struct ngx_http_chat_member_s {
    ngx_http_chat_session_t   *session;
    ngx_http_chat_cursor_t     cursor;
    uint64_t                   bytes;      /* sent, not yet in the session's */
    uint32_t                   messages;   /* likewise */
    ngx_socket_t               fd;
    uint16_t                   joined;     /* index in session->joined */
    uint8_t                    form;
    uint8_t                    flags;
};


/*
 * A chat.v1 session's own inbox, the room "@user".  It is a member of it from
 * the start, but becomes one in this worker's memory only when something comes
 * for it: until then this is all that it costs.
 */
typedef struct {
    ngx_rbtree_node_t          node;       /* by the room; worker's */
    uint64_t                   epoch;
    ngx_http_chat_cursor_t     cursor;
    uint32_t                   occupant;
    uint16_t                   changes;    /* of the room, the low half */
    uint16_t                   offset;     /* of this in its session */
} ngx_http_chat_inbox_t;


/* A room as this worker sees it; exists while it has members here. */
struct ngx_http_chat_local_s {
    ngx_rbtree_node_t          node;       /* by the room's index */
    ngx_http_chat_zone_t      *zone;
    uint64_t                   epoch;

    ngx_http_chat_member_t    *members;
    uint32_t                   nmembers;
    uint32_t                   size;

    uint32_t                   walk;       /* members below are to be visited */
    unsigned                   news:1;     /* since the walk began */
    unsigned                   behind:1;   /* a member did not get everything */
    unsigned                   queued:1;   /* queue is linked: delivering */
    unsigned                   warm:1;     /* to be trimmed when it is quiet */
    unsigned                   pressed:1;  /* pending is a lot */

    size_t                     pending;    /* bytes, since the walk began */

    uint64_t                   next_seq;   /* of the log, as last seen */
    uint32_t                   changes;    /* of the room, likewise */
    uint16_t                   passing;    /* head of the passing log */
    unsigned                   inbox:1;    /* its name begins with @ */
    unsigned                   counting:1; /* users are to be told later */
    ngx_msec_t                 delivered;  /* when the last walk began */
    ngx_msec_t                 delay;      /* before a walk begins */
    ngx_event_t                wait;       /* that delay's timer */

    ngx_queue_t                queue;      /* of delivery */
    ngx_queue_t                warmth;     /* of rooms to be trimmed */
    ngx_queue_t                runs;

    ngx_str_t                  name;       /* behind the struct */
};


#define ngx_http_chat_local_room(local)  ((uint32_t) (local)->node.key)


/*
 * Makes the session a member of a room, from the head on, and announces its
 * user if this is his first connection there.  DECLINED: the zone is full;
 * ERROR: no memory; BUSY: it is one already; DONE: the room is full.  role is
 * what he is called there, NULL in raw mode.  *view is the room at the cursor;
 * *m is good until the next join or leave.
 */
ngx_int_t ngx_http_chat_member_join(ngx_http_chat_session_t *s,
    ngx_str_t *room, const char *role, ngx_http_chat_room_view_t *view,
    ngx_http_chat_member_t **m);

/* NULL: it is not a member of that room.  Wakes its own inbox. */
ngx_http_chat_member_t *ngx_http_chat_member_find(ngx_http_chat_session_t *s,
    ngx_str_t *room);

/* The place for it in the session; NULL in raw mode. */
ngx_http_chat_inbox_t *ngx_http_chat_session_inbox(ngx_http_chat_session_t *s);

/*
 * Opens the session's own inbox, asleep: it counts as a member, and costs
 * nothing more than its place in the session.  DECLINED: the zone is full.
 * The profile that the user has chosen before, if any, becomes the session's.
 */
ngx_int_t ngx_http_chat_inbox_open(ngx_http_chat_session_t *s);

/* Makes those of that room that are asleep members, at their cursors. */
void ngx_http_chat_inbox_wake(ngx_http_chat_zone_t *z, uint32_t room);

/* Nothing has come for the inbox for a while: its members fall asleep. */
void ngx_http_chat_inbox_sleep(ngx_http_chat_local_t *local);

/* Looks whether there is anything for the first room from "key" on with
 * members asleep, and wakes them if so; returns its index, 0: there is none. */
uint32_t ngx_http_chat_inbox_look(ngx_http_chat_zone_t *z, uint32_t key);

/* The session's place in its own inbox, awake; NULL: no memory. */
ngx_http_chat_member_t *ngx_http_chat_inbox_member(
    ngx_http_chat_session_t *s);

/* The occupant of a member. */
#define ngx_http_chat_member_occupant(m)                                      \
    ((m)->session->joined[(m)->joined].occupant)

/* The room that a member is a member of. */
#define ngx_http_chat_member_local(m)                                         \
    ((m)->session->joined[(m)->joined].local)

/* A session's member by its place, or NULL. */
#define ngx_http_chat_session_member(s, i)                                    \
    ((s)->joined[i].local                                                     \
     ? &(s)->joined[i].local->members[(s)->joined[i].index] : NULL)

/* What it is allowed there, or NULL: all that its location allows. */
ngx_http_chat_allowance_t *ngx_http_chat_member_allowance(
    ngx_http_chat_member_t *m);

/* Is that from now on, which is zeroed and as long as the member.  NULL: no
 * memory. */
ngx_http_chat_allowance_t *ngx_http_chat_member_limit(
    ngx_http_chat_member_t *m);

void ngx_http_chat_member_leave(ngx_http_chat_member_t *m);
void ngx_http_chat_member_leave_all(ngx_http_chat_session_t *s);

/* The rooms that it was expelled from. */
void ngx_http_chat_member_leave_gone(ngx_http_chat_session_t *s);

/* Sets or clears a flag of all of a session's members. */
void ngx_http_chat_member_set(ngx_http_chat_session_t *s, ngx_uint_t flag);
void ngx_http_chat_member_clear(ngx_http_chat_session_t *s, ngx_uint_t flag);

/* What it has counted goes to the session's own counters. */
void ngx_http_chat_member_count(ngx_http_chat_member_t *m);


#endif /* _NGX_HTTP_CHAT_MEMBER_H_INCLUDED_ */
