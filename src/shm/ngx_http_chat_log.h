
/*
 * A log: a room's entries, one after the other, in a chain of blocks.
 *
 * Entries run on across block ends.  The state says what is valid: everything
 * between tail and head.  It is kept twice: a change is written beside the
 * current state and comes to be by one store to "current", so that who dies
 * in the middle of a change has changed nothing.
 *
 *        tail                                           head
 *         v                                              v
 *   +----------+    +----------+    +----------+    +----------+
 *   |  . e1 e2 | -> | e2 e3 e4 | -> | e4 e4 e4 | -> | e4 e5    |
 *   +----------+    +----------+    +----------+    +----------+
 *
 *   an entry:  | len 4 | flags 2 | 2 | seq 8 | ts 8 | sender 4 | 4 | text ...
 *
 * An entry's text is never changed.  What an edit or a deletion changes is two
 * bits of the entry's flags, and the place of the entry that amends it, which
 * is newer and so is kept as long as the amended one is.
 *
 * A room has two logs: what it keeps, and what passes (who came, who types),
 * which must push nothing out of the first.  A passing entry's "sender" is the
 * low half of the seq that the room would have given next: it comes in front
 * of that one.
 *
 * The block of the head stays as long as anyone has a cursor there.  All
 * functions here are called with the room's lock held.
 */


#ifndef _NGX_HTTP_CHAT_LOG_H_INCLUDED_
#define _NGX_HTTP_CHAT_LOG_H_INCLUDED_


#include "ngx_http_chat_zone.h"


#define NGX_HTTP_CHAT_ENTRY_TEXT    0x0001     /* raw mode: a text message */
#define NGX_HTTP_CHAT_ENTRY_BINARY  0x0002     /* raw mode: a binary one */
#define NGX_HTTP_CHAT_ENTRY_EVENT   0x0004     /* chat.v1: an event's JSON */
#define NGX_HTTP_CHAT_ENTRY_PASSING 0x0008     /* likewise, it has no seq */
#define NGX_HTTP_CHAT_ENTRY_MESSAGE 0x0010     /* an event that can be unread */
#define NGX_HTTP_CHAT_ENTRY_AMENDS  0x0020     /* an event on earlier entries */

/* Set later, in place: the entry was amended. */
#define NGX_HTTP_CHAT_ENTRY_EDITED  0x0040
#define NGX_HTTP_CHAT_ENTRY_DELETED 0x0080

/* The entry that is being appended amends it; never seen by who reads. */
#define NGX_HTTP_CHAT_ENTRY_MARKED  0x0100

#define NGX_HTTP_CHAT_ENTRY_AMENDED                                           \
    (NGX_HTTP_CHAT_ENTRY_EDITED|NGX_HTTP_CHAT_ENTRY_DELETED)

#define NGX_HTTP_CHAT_BACKLOG_TIME  30000      /* ms */


/*
 * What stands in front of an entry's text, 32 bytes.
 *
 * In the log, after_block and after_off are the place of the latest entry that
 * amends this one; in an entry that amends one other, the place of the former
 * one that did, and sender is how many entries before it the amended one
 * stands, or 0 if it amends several.
 *
 * In a reader's copy they are the place behind the entry; and if it was
 * amended, the amending entry's text follows its own, len is the bytes of
 * both, and sender is those of the amending one.  In a copy of a passing entry
 * seq and the place are those of the kept entry that comes behind it, which is
 * where the cursor stands, and sender is the cursor's "passing" behind it.
 */
typedef struct {
    uint32_t               len;          /* of the text, bytes */
    uint16_t               flags;
    uint16_t               after_off;
    uint64_t               seq;
    uint64_t               ts;           /* ms since 1970, never decreasing */
    uint32_t               sender;       /* of a session's id, 0 = none */
    uint32_t               after_block;
} ngx_http_chat_entry_t;


#define ngx_http_chat_entry_amended(e)                                        \
    ((e)->flags & NGX_HTTP_CHAT_ENTRY_AMENDED)


/*
 * A place in a log: the entry "seq" begins at that byte of that block.  It
 * holds as long as the log has not dropped that entry, that is as long as
 * seq >= first_seq; block 0 means that the place is yet to be found.
 * "passing" is the low part of the number of the next passing entry; those are
 * few, and looked for from the oldest one.
 */
typedef struct {
    uint64_t               seq;
    uint32_t               block;
    uint16_t               off;
    uint16_t               passing;
} ngx_http_chat_cursor_t;


#define ngx_http_chat_cursor_same(a, b)                                       \
    ((a)->seq == (b)->seq && (a)->passing == (b)->passing)


typedef struct {
    uint64_t               first_seq;    /* the oldest kept entry's */
    uint64_t               next_seq;     /* the next one's, from 1 */
    uint64_t               last_ts;
    uint64_t               bytes;        /* kept, headers included */
    uint32_t               first_block;  /* 0: no blocks at all */
    uint32_t               last_block;
    uint16_t               first_off;
    uint16_t               last_off;
    uint32_t               span;         /* ms: so much older than last_ts is
                                            the oldest; the largest value:
                                            or even more */
} ngx_http_chat_log_state_t;


typedef struct {
    ngx_http_chat_log_state_t  states[2];
    volatile uint32_t          current;  /* its lowest bit selects one */
    volatile uint32_t          amending; /* see amend.h */
} ngx_http_chat_log_sh_t;


/*
 * What is to be appended.  Text and binary: head alone, as it is.  Event:
 * head, a number in digits, "between", the ts in digits, tail; so head ends
 * in "seq": or the like and tail begins behind the time.  The number is the
 * seq, or "number" where that is not 0.  A passing event without a tail is
 * its head, as it is.  seq and ts are set by append.
 *
 * targets: the entries that this one amends, each a cursor with a place; they
 * get the flags "amend".
 */
typedef struct {
    ngx_str_t                head;
    ngx_str_t                tail;
    uint32_t                 sender;
    uint64_t                 seq;
    uint64_t                 ts;
    uint64_t                 number;
    ngx_uint_t               flags;

    ngx_http_chat_cursor_t  *targets;
    ngx_uint_t               ntargets;
    ngx_uint_t               amend;
} ngx_http_chat_append_t;


#define ngx_http_chat_log_state(log)  (&(log)->states[(log)->current & 1])
#define ngx_http_chat_log_first(log)                                          \
    (ngx_http_chat_log_state(log)->first_block)


void ngx_http_chat_log_init_locked(ngx_http_chat_log_sh_t *log);

/* OK; DECLINED: no blocks are left, and nothing has changed; BUSY: likewise,
 * the only target was dropped or deleted before; ERROR: the log is damaged.
 * now in ms. */
ngx_int_t ngx_http_chat_log_append_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_append_t *a, uint64_t now);

/*
 * Drops from the tail what is not to be kept: what is older than the age, and
 * what is beyond the count unless the backlog still holds it for who lags
 * (lag is 0 if nobody can).  The backlog is what is behind an entry, so that
 * the latest one is never dropped before it was delivered.  The block of the
 * head is kept.
 */
void ngx_http_chat_log_trim_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_retention_t *retention,
    ngx_uint_t lag, uint64_t now);

/* Drops the oldest entries until n blocks are free or only the head's block
 * is left; returns how many were freed. */
ngx_uint_t ngx_http_chat_log_drop_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_uint_t n);

/* Gives all blocks back.  No cursor into the log may exist. */
void ngx_http_chat_log_clear_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log);

/* The repair's: gives the entries up if the chain of blocks is damaged, and
 * what hangs behind the head. */
void ngx_http_chat_log_check_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log);

/* The oldest entry that belongs to the history; next_seq: there is none. */
uint64_t ngx_http_chat_log_visible_locked(ngx_http_chat_log_sh_t *log,
    ngx_http_chat_retention_t *retention);

/* The header of the entry at a cursor that has a place.  OK; ERROR: the log
 * is damaged. */
ngx_int_t ngx_http_chat_log_peek_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_cursor_t *cursor,
    ngx_http_chat_entry_t *e);

/*
 * Counts messages that were not deleted from a cursor with a place on, at most
 * "max" of them and in "steps" entries, and moves the cursor behind them; adds
 * to *n.  OK; AGAIN: there are more entries; ERROR: the log is damaged.
 */
ngx_int_t ngx_http_chat_log_count_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_cursor_t *cursor,
    ngx_uint_t *n, ngx_uint_t max, ngx_uint_t steps);

/*
 * Moves a cursor to the entry seq (first_seq .. next_seq), at most "steps"
 * entries further than where it is, or from the tail if it has no place.
 * OK: it is there; AGAIN: call again; ERROR: the log is damaged.
 */
ngx_int_t ngx_http_chat_log_seek_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_cursor_t *cursor, uint64_t seq,
    ngx_uint_t steps);

/*
 * Copies whole entries in front of "end", each a header and its text, from a
 * cursor that has a place, as many as fit, and moves the cursor behind them.
 * A place for "passing" is not looked at.  Returns the bytes
 * used; 0 with entries left: the first one needs *need bytes; NGX_ERROR: the
 * log is damaged.
 */
ssize_t ngx_http_chat_log_read_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_cursor_t *cursor,
    uint64_t end, u_char *buf, size_t size, size_t *need);


#endif /* _NGX_HTTP_CHAT_LOG_H_INCLUDED_ */
