
/*
 * A run: some entries of a log, from one cursor on, in one form, as the bytes
 * that go to every member at that cursor.  Built once, sent many times; kept
 * while its room is being walked, and made longer when entries come meanwhile.
 */


#ifndef _NGX_HTTP_CHAT_RUN_H_INCLUDED_
#define _NGX_HTTP_CHAT_RUN_H_INCLUDED_


#include "ngx_http_chat_member.h"
#include "ngx_http_chat_transport.h"


#define NGX_HTTP_CHAT_RUN_SIZE      65536   /* bytes, or one entry */
#define NGX_HTTP_CHAT_RUN_LAGGARD   16384
#define NGX_HTTP_CHAT_RUNS          4       /* kept for a room at a time */


/* Where a framed entry ends in the bytes, and the cursor behind it. */
typedef struct {
    size_t                     end;
    uint32_t                   sender;
    ngx_http_chat_cursor_t     after;
} ngx_http_chat_mark_t;


typedef struct {
    ngx_queue_t                queue;      /* of its room's, or of free ones */
    ngx_http_chat_cursor_t     from;       /* of the first entry */
    ngx_http_chat_cursor_t     to;         /* behind the last one */
    u_char                    *buf;
    size_t                     len;
    size_t                     size;
    ngx_http_chat_mark_t      *marks;      /* one an entry */
    ngx_uint_t                 nmarks;
    ngx_uint_t                 marks_size;
    uint8_t                    form;
} ngx_http_chat_run_t;


/* What was dropped before a member came to it. */
typedef struct {
    uint64_t                   from;       /* kept: from there to the cursor;
                                              0 if there was nothing */
    ngx_uint_t                 passing;    /* 1: something that passes */
    ngx_uint_t                 users;      /* in the room now */
} ngx_http_chat_missed_t;


/*
 * The run from the member's cursor on, with at least one entry.  OK;
 * DECLINED: there is nothing to send; BUSY: the entries at the cursor were
 * dropped, and it was moved behind them; ABORT: the room is gone; ERROR: no
 * memory.
 */
ngx_int_t ngx_http_chat_run_get(ngx_http_chat_local_t *local,
    ngx_http_chat_member_t *m, size_t max, ngx_http_chat_run_t **run,
    ngx_http_chat_missed_t *missed);

/* A run of the same entries but those that a session sent itself; it is good
 * until the next call.  NULL: no memory. */
ngx_http_chat_run_t *ngx_http_chat_run_without(ngx_http_chat_run_t *run,
    uint32_t sender);

/* The run up to and with the entry seq, of the same bytes; good until the
 * next call.  NULL: it is not in it. */
ngx_http_chat_run_t *ngx_http_chat_run_until(ngx_http_chat_run_t *run,
    uint64_t seq);

/* The number of marks that lie within the first n bytes. */
ngx_uint_t ngx_http_chat_run_entries(ngx_http_chat_run_t *run, size_t n);

/* The walk is over. */
void ngx_http_chat_run_release(ngx_http_chat_local_t *local);

/* The index of a form, made if it is new; < 0: there are too many. */
ngx_int_t ngx_http_chat_run_form(const ngx_http_chat_transport_t *transport,
    uintptr_t param);

/* The form of that index. */
ngx_http_chat_form_t *ngx_http_chat_run_form_of(ngx_uint_t form);

/*
 * Reads entries into the worker's buffer, which grows to hold at least one:
 * what run_get() frames, and what a reply with history is built from.  The
 * entries stand one after the other, each a header (unaligned) and its text;
 * see ngx_http_chat_entry_t for amended ones, and chat_amend.h.
 * Results as ngx_http_chat_room_read() but DECLINED; ERROR: no memory, too.
 */
ngx_int_t ngx_http_chat_run_read(ngx_http_chat_local_t *local,
    ngx_http_chat_cursor_t *cursor, size_t max, u_char **buf, size_t *len,
    uint64_t *gap, ngx_http_chat_room_view_t *view);

/* The room was looked at: its members here are now measured by that. */
void ngx_http_chat_run_seen(ngx_http_chat_local_t *local,
    ngx_http_chat_room_view_t *view);


#endif /* _NGX_HTTP_CHAT_RUN_H_INCLUDED_ */
