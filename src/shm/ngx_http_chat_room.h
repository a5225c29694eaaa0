
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
#define NGX_HTTP_CHAT_RESIDENTS       8
#define NGX_HTTP_CHAT_RESIDENTS_MORE                                          \
    (NGX_HTTP_CHAT_BLOCK_DATA / sizeof(ngx_http_chat_resident_t))


/* A worker that has members in the room. */
typedef struct {
    uint16_t                   slot;
    uint16_t                   news;     /* it was told and has not read yet */
    uint32_t                   members;  /* its members, 0 = place is free */
} ngx_http_chat_resident_t;


/* 360 bytes of a block's 504. */
typedef struct {
    uint32_t                   next;     /* in the bucket */
    uint32_t                   hash;
    uint32_t                   older;    /* in the list by use */
    uint32_t                   newer;
    uint32_t                   used;     /* seconds, when last moved there */
    uint32_t                   more;     /* blocks of further residents */
    uint64_t                   epoch;
    uint64_t                   age;      /* the last user's retention */
    uint64_t                   backlog;
    uint32_t                   messages;
    uint32_t                   members;  /* sum of the residents' */
    ngx_http_chat_log_sh_t     log;
    ngx_http_chat_resident_t   residents[NGX_HTTP_CHAT_RESIDENTS];
    uint8_t                    name_len;
    u_char                     name[NGX_HTTP_CHAT_ROOM_NAME_MAX];
} ngx_http_chat_room_sh_t;


/* A room as it was at one moment. */
typedef struct {
    uint64_t                   epoch;
    uint64_t                   next_seq;
    uint64_t                   first_seq;    /* oldest kept entry */
    uint64_t                   visible_seq;  /* oldest entry of the history */
    ngx_uint_t                 members;
    ngx_http_chat_cursor_t     head;
} ngx_http_chat_room_view_t;


#define ngx_http_chat_room(z, n)                                              \
    ((ngx_http_chat_room_sh_t *) ngx_http_chat_block(z, n)->data)


/*
 * One more member from this worker's slot in the room of that name, which is
 * made if there is none; fills in the view.  0: the zone is full, or the name
 * is longer than a room's may be.
 */
uint32_t ngx_http_chat_room_join(ngx_http_chat_zone_t *z, ngx_str_t *name,
    ngx_http_chat_retention_t *retention, ngx_http_chat_room_view_t *view);

/* One member less from this worker's slot. */
void ngx_http_chat_room_leave(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch);

/*
 * Appends an entry and trims the log.  Evicts others' history if the zone is
 * full.  slots gets the workers that are to be told, up to SLOTS_MAX, and
 * *nslots how many.  OK; DECLINED: nothing is left to evict; ABORT.
 */
ngx_int_t ngx_http_chat_room_append(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_http_chat_append_t *a,
    ngx_http_chat_retention_t *retention, uint16_t *slots,
    ngx_uint_t *nslots);

/*
 * Copies entries at a cursor, see ngx_http_chat_log_read_locked(); *used is
 * the bytes copied.  Marks the news as read by this worker; the view tells
 * where the log stands.  If the log has dropped the entry at the cursor, the
 * cursor is moved to the oldest kept one first and *gap is the seq where it
 * stood, else 0.  OK; DECLINED: the first entry needs *need bytes, which do
 * not fit; ABORT; ERROR: the log was damaged and is empty and of a new epoch.
 */
ngx_int_t ngx_http_chat_room_read(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_http_chat_cursor_t *cursor, u_char *buf, size_t size,
    size_t *used, size_t *need, uint64_t *gap,
    ngx_http_chat_room_view_t *view);

/* Finds the place of the entry seq, or of the oldest one if that is newer, or
 * of the head if seq is beyond it.  OK, ABORT, ERROR as above. */
ngx_int_t ngx_http_chat_room_seek(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, uint64_t seq, ngx_http_chat_cursor_t *cursor);

/* Where the room stands, and marks the news as read.  OK, ABORT. */
ngx_int_t ngx_http_chat_room_view(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_http_chat_room_view_t *view);

/* Drops what is no longer to be kept, without an append; lag as in
 * ngx_http_chat_log_trim_locked(). */
void ngx_http_chat_room_trim(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_uint_t lag);

/* Takes a dead worker's members out of all rooms. */
void ngx_http_chat_room_reap(ngx_http_chat_zone_t *z, ngx_uint_t slot);

/* The repair's: puts a room on the list by use; the list's lock is held. */
void ngx_http_chat_room_relink_locked(ngx_http_chat_zone_t *z, uint32_t n);


#endif /* _NGX_HTTP_CHAT_ROOM_H_INCLUDED_ */
