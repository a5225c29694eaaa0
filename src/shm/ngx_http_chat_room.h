
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
#include "ngx_http_chat_person.h"


#define NGX_HTTP_CHAT_ROOM_NAME_MAX   129    /* 128 and the raw mode's mark */
#define NGX_HTTP_CHAT_TOPIC_MAX       500    /* bytes: one block's */
#define NGX_HTTP_CHAT_RESIDENTS       4
#define NGX_HTTP_CHAT_RESIDENTS_MORE                                          \
    (NGX_HTTP_CHAT_BLOCK_DATA / sizeof(ngx_http_chat_resident_t))

/* Of the passing log, which is for who lags alone. */
#define NGX_HTTP_CHAT_PASSING_BACKLOG (64 * 1024)

/* Settings, and which of them are given. */
#define NGX_HTTP_CHAT_ROOM_LOCKED        0x01
#define NGX_HTTP_CHAT_ROOM_MEMBERS_ONLY  0x02
#define NGX_HTTP_CHAT_ROOM_SLOW          0x04
#define NGX_HTTP_CHAT_ROOM_TOPIC         0x08

/* Begins the names of rooms that only count connections. */
#define NGX_HTTP_CHAT_COUNTER         0x02

/* A worker that has members in the room. */
typedef struct {
    uint16_t                   slot;
    uint16_t                   news;     /* it was told and has not read yet */
    uint32_t                   members;  /* its members, 0 = place is free */
} ngx_http_chat_resident_t;


/* 488 bytes of a block's 504. */
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
    uint16_t                   first_passing; /* as in a cursor */
    ngx_http_chat_cursor_t     head;         /* of both logs */
} ngx_http_chat_room_view_t;


/* Are passing entries from the cursor on no longer there? */
#define ngx_http_chat_room_passed(view, cursor)                               \
    ((uint16_t) ((view)->head.passing - (cursor)->passing)                    \
     > (uint16_t) ((view)->head.passing - (view)->first_passing))


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
 * first and *gap is the seq where it stood, else 0; whether passing entries
 * were dropped is asked of the view, with the cursor as it was.  OK; DECLINED:
 * the first entry needs *need bytes, which do not fit; ABORT; ERROR: the log
 * was damaged and is empty and of a new epoch.
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

/*
 * Goes over "n" more buckets, wherever the last call of any worker stopped:
 * drops what is too old, forgets people of whom there is nothing to know and
 * rooms that are empty, idle and of no further use.
 */
void ngx_http_chat_room_sweep(ngx_http_chat_zone_t *z, ngx_uint_t n);

#endif /* _NGX_HTTP_CHAT_ROOM_H_INCLUDED_ */
