
/*
 * A room: a name, a log, and which workers have members in it.  One block.
 *
 * Rooms hang on the bucket of their hash, guarded by the hash's lock, and on
 * the zone's list by use.  A room stays as long as a worker resides in it; an
 * empty one stays until its memory is needed.  Whoever keeps a room's index
 * keeps its epoch too: a number made for this life of the room's numbering.
 * A call with another epoch is answered NGX_ABORT.
 *
 * All functions lock by themselves but those named _locked.
 */


#ifndef _NGX_HTTP_CHAT_ROOM_H_INCLUDED_
#define _NGX_HTTP_CHAT_ROOM_H_INCLUDED_


#include "ngx_http_chat_zone.h"
#include "ngx_http_chat_block.h"
#include "ngx_http_chat_log.h"


#define NGX_HTTP_CHAT_ROOM_NAME_MAX   129    /* 128 and the raw mode's mark */
#define NGX_HTTP_CHAT_TOPIC_MAX       500    /* bytes: one block's */
#define NGX_HTTP_CHAT_PERSON_MAX      64     /* bytes of a user, of a name */
#define NGX_HTTP_CHAT_RESIDENTS       4
#define NGX_HTTP_CHAT_RESIDENTS_MORE                                          \
    (NGX_HTTP_CHAT_BLOCK_DATA / sizeof(ngx_http_chat_resident_t))

/* Of the passing log, which is for who lags alone. */
#define NGX_HTTP_CHAT_PASSING_BACKLOG (64 * 1024)

#define NGX_HTTP_CHAT_FOREVER         ((uint64_t) -1)

/* Roles: who has the higher one may do more. */
#define NGX_HTTP_CHAT_ROLE_NONE       0      /* nothing was said of it */
#define NGX_HTTP_CHAT_ROLE_MEMBER     1
#define NGX_HTTP_CHAT_ROLE_MODERATOR  2
#define NGX_HTTP_CHAT_ROLE_OWNER      3

/* Settings, and which of them are given. */
#define NGX_HTTP_CHAT_ROOM_LOCKED        0x01
#define NGX_HTTP_CHAT_ROOM_MEMBERS_ONLY  0x02
#define NGX_HTTP_CHAT_ROOM_SLOW          0x04
#define NGX_HTTP_CHAT_ROOM_TOPIC         0x08

/* How coming and going is announced. */
#define NGX_HTTP_CHAT_PRESENCE_OFF    0
#define NGX_HTTP_CHAT_PRESENCE_COUNT  1
#define NGX_HTTP_CHAT_PRESENCE_FULL   2

/* Begins the names of rooms that only count connections. */
#define NGX_HTTP_CHAT_COUNTER         0x02

#define NGX_HTTP_CHAT_COUNT_PAUSE     1000   /* ms between two counts */


/* A worker that has members in the room. */
typedef struct {
    uint16_t                   slot;
    uint16_t                   news;     /* it was told and has not read yet */
    uint32_t                   members;  /* its members, 0 = place is free */
} ngx_http_chat_resident_t;


/* 496 bytes of a block's 504. */
typedef struct {
    uint32_t                   next;     /* in the bucket */
    uint32_t                   hash;
    uint32_t                   older;    /* in the list by use */
    uint32_t                   newer;
    uint32_t                   used;     /* seconds, when last moved there */
    uint32_t                   more;     /* blocks of further residents */
    uint64_t                   epoch;
    uint64_t                   age;      /* the last user's retention */
    uint64_t                   counted;  /* ms, when users were last told */
    uint32_t                   backlog;
    uint32_t                   messages;
    uint32_t                   idle;     /* seconds, then it is forgotten */
    uint32_t                   window;   /* seconds that nonces are kept */
    uint32_t                   members;  /* connections: sum of residents' */
    uint32_t                   users;    /* people there, see occupant.h */
    uint32_t                   people;   /* first block of occupants */
    uint32_t                   vacant;   /* a block with a free place, maybe */
    uint32_t                   changes;  /* grows: members are to be looked
                                            at, one was expelled or renamed */
    uint32_t                   unsure;   /* an occupant, see nonce.h */
    uint32_t                   intent;   /* its block, see change.h */
    uint32_t                   told;     /* users, as they were last told */
    uint32_t                   topic;    /* its block: u16 length, text */
    uint32_t                   slow;     /* ms between a user's messages */
    uint32_t                   announce; /* presence << 30 | limit, of the
                                            latest join */
    ngx_http_chat_log_sh_t     log;
    ngx_http_chat_log_sh_t     passing;
    ngx_http_chat_resident_t   residents[NGX_HTTP_CHAT_RESIDENTS];
    uint8_t                    settings; /* LOCKED, MEMBERS_ONLY */
    uint8_t                    name_len;
    u_char                     name[NGX_HTTP_CHAT_ROOM_NAME_MAX];
} ngx_http_chat_room_sh_t;


/* A room as it was at one moment. */
typedef struct {
    uint64_t                   epoch;
    uint64_t                   next_seq;
    uint64_t                   first_seq;    /* oldest kept entry */
    uint64_t                   visible_seq;  /* oldest entry of the history */
    ngx_uint_t                 members;      /* connections */
    ngx_uint_t                 users;
    uint32_t                   changes;
    ngx_http_chat_cursor_t     head;         /* of both logs */
} ngx_http_chat_room_view_t;


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


typedef struct {
    ngx_uint_t                 given;        /* NGX_HTTP_CHAT_ROOM_... */
    ngx_uint_t                 flags;        /* LOCKED, MEMBERS_ONLY */
    uint64_t                   slow;
    ngx_str_t                  topic;
} ngx_http_chat_room_settings_t;


/* An append with all that belongs to it; what is not needed is NULL or 0. */
typedef struct {
    ngx_http_chat_append_t         entry;
    ngx_http_chat_retention_t     *retention;
    uint32_t                       occupant; /* whose message it is: it moves
                                                his read marker */
    unsigned                       slow:1;   /* slow mode holds for him */
    ngx_str_t                      user;     /* or, occupant 0: who is made
                                                one, absent, for his nonce */
    ngx_str_t                      nonce;    /* of the occupant */
    ngx_http_chat_change_t        *change;
    ngx_http_chat_room_settings_t *settings;
    uint64_t                       wait;     /* out, ms: slow mode's */
    unsigned                       duplicate:1;   /* out: nothing was added */
    uint16_t                      *slots;    /* out, of SLOTS_MAX: to tell */
    ngx_uint_t                     nslots;
} ngx_http_chat_room_append_t;


#define ngx_http_chat_room(z, n)                                              \
    ((ngx_http_chat_room_sh_t *) ngx_http_chat_block(z, n)->data)


/* The room of that name; 0: there is none. */
uint32_t ngx_http_chat_room_find(ngx_http_chat_zone_t *z, ngx_str_t *name,
    uint64_t *epoch);

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

/*
 * Appends an entry and trims the log; or, where the entry's flags say so, a
 * passing one, with no entry at all if they are 0.  retention NULL: what the
 * room keeps stays as it is.  Evicts others' history if the zone is full.  OK,
 * with duplicate set and the first one's seq and ts in the entry if the nonce
 * is known; DECLINED: nothing is left to evict, or there is nobody to kick;
 * BUSY: slow mode, or the only target is gone; ABORT: the room is, or the
 * occupant was expelled.
 */
ngx_int_t ngx_http_chat_room_append(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_http_chat_room_append_t *a);

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

/* Copies the topic to buf, of TOPIC_MAX bytes; its length. */
size_t ngx_http_chat_room_topic(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, u_char *buf, ngx_http_chat_room_settings_t *settings);

/* Messages from "seq" on that the log has, counted up to max. */
ngx_uint_t ngx_http_chat_room_unread(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, uint64_t seq, ngx_uint_t max);

/*
 * Up to n rooms from the list by use, the latest first, beginning behind the
 * room *place (0: at the start).  Copies index and epoch; returns how many.
 */
ngx_uint_t ngx_http_chat_room_list(ngx_http_chat_zone_t *z, uint32_t *place,
    uint32_t *rooms, uint64_t *epochs, ngx_uint_t n);

/* Its name, to buf of ROOM_NAME_MAX bytes.  0: it is gone. */
size_t ngx_http_chat_room_name_of(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, u_char *buf);

/*
 * Copies entries at a cursor, see ngx_http_chat_log_read_locked(), with the
 * passing ones where they belong; *used is the bytes copied.  Marks the news
 * as read by this worker; the view tells where the log stands.  If the log has
 * dropped the entry at the cursor, the cursor is moved to the oldest kept one
 * first and *gap is the seq where it stood, else 0; passing entries are
 * dropped without a word.  OK; DECLINED: the first entry needs *need bytes,
 * which do not fit; ABORT; ERROR: the log was damaged and is empty and of a
 * new epoch.
 */
ngx_int_t ngx_http_chat_room_read(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_http_chat_cursor_t *cursor, u_char *buf, size_t size,
    size_t *used, size_t *need, uint64_t *gap,
    ngx_http_chat_room_view_t *view);

/* Finds the place of the entry seq, or of the oldest one if that is newer, or
 * of the head if seq is beyond it; leaves cursor->passing alone.  OK, ABORT,
 * ERROR as above. */
ngx_int_t ngx_http_chat_room_seek(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, uint64_t seq, ngx_http_chat_cursor_t *cursor);

/* Where the room stands, and marks the news as read.  OK, ABORT. */
ngx_int_t ngx_http_chat_room_view(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_http_chat_room_view_t *view);

/* Drops what is no longer to be kept, without an append; lag as in
 * ngx_http_chat_log_trim_locked(). */
void ngx_http_chat_room_trim(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_uint_t lag);

/* Takes a dead worker's members out of all rooms; whoever is away then is
 * due to be said to have left within "delay" ms, see room_due(). */
void ngx_http_chat_room_reap(ngx_http_chat_zone_t *z, ngx_uint_t slot,
    ngx_msec_t delay);

/*
 * Goes over "n" more buckets, wherever the last call of any worker stopped:
 * drops what is too old, forgets people of whom there is nothing to know and
 * rooms that are empty, idle and of no further use.
 */
void ngx_http_chat_room_sweep(ngx_http_chat_zone_t *z, ngx_uint_t n);

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

/* For src/shm's own: all but lock() are called with the room's lock held. */

/* Wall clock, ms. */
uint64_t ngx_http_chat_room_now(void);

/* The room of that index, locked, if it is still the one of that epoch. */
ngx_http_chat_room_sh_t *ngx_http_chat_room_lock(ngx_http_chat_zone_t *z,
    uint32_t n, uint64_t epoch);

/* Ends what somebody who died had begun; nothing else may come first. */
void ngx_http_chat_room_settle_locked(ngx_http_chat_zone_t *z, uint32_t n);

uint32_t ngx_http_chat_room_find_locked(ngx_http_chat_zone_t *z,
    ngx_str_t *name, uint32_t hash);
uint32_t ngx_http_chat_room_make_locked(ngx_http_chat_zone_t *z,
    ngx_str_t *name, uint32_t hash);
void ngx_http_chat_room_delete_locked(ngx_http_chat_zone_t *z, uint32_t n);

/*
 * The log makes no sense: someone wrote where he should not.  The room begins
 * anew under another epoch, and the repair collects what can't be walked.
 */
void ngx_http_chat_room_reset_locked(ngx_http_chat_zone_t *z, uint32_t n);

void ngx_http_chat_room_keep_locked(ngx_http_chat_room_sh_t *room,
    ngx_http_chat_retention_t *retention);
void ngx_http_chat_room_look_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_room_view_t *view);

/* That is his name and color from now on. */
void ngx_http_chat_standing_call_locked(ngx_http_chat_zone_t *z, uint32_t o,
    ngx_http_chat_person_t *person);

/* Drops what both logs are not to keep; lag: somebody may be behind. */
void ngx_http_chat_room_trim_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_uint_t lag);

/* Appends a passing entry, if anybody is there.  OK; AGAIN: no blocks. */
ngx_int_t ngx_http_chat_room_pass_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_append_t *a);


#endif /* _NGX_HTTP_CHAT_ROOM_H_INCLUDED_ */
