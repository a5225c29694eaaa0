
/*
 * Amending: what an edit or a deletion does to the entries that it is on.
 *
 * Their texts stay.  Each gets a flag, EDITED or DELETED, and the place of the
 * entry that amends it; with a deleted message all of its former edits are
 * deleted, too.  These are many stores, and whoever makes them may die:
 *
 *   log->amending   what the marked ones are to become, and the lowest bit of
 *                   the amending entry's seq
 *   marks           a flag on everything that is to be amended
 *   commit          the amending entry is there, see log.h
 *   changes         link, then flag, then the mark goes, one by one
 *   log->amending   0
 *
 * Until the last step whoever comes next can tell, by the entry's being there
 * or not, whether what is marked is to be changed or to be left as it was.
 *
 * All functions are called with the room's lock held.
 */


#ifndef _NGX_HTTP_CHAT_AMEND_H_INCLUDED_
#define _NGX_HTTP_CHAT_AMEND_H_INCLUDED_


#include "ngx_http_chat_place.h"


/*
 * Ends what an append that was cut off had begun; to be called, if
 * log->amending is not 0, before anything else is done with the log.
 */
void ngx_http_chat_amend_settle_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log);


/* For the log: the steps of an append. */

/*
 * Counts the targets that there still are, and makes the others cursors
 * without a place.  The entry e of a single one gets its distance, and the
 * link to the one that amended it last.
 */
ngx_uint_t ngx_http_chat_amend_targets(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_append_t *a,
    ngx_http_chat_entry_t *e);

void ngx_http_chat_amend_mark(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_append_t *a);

/* The entry that begins at "by" is there. */
void ngx_http_chat_amend_apply(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_sh_t *log, ngx_http_chat_append_t *a,
    ngx_http_chat_log_place_t *by);

/*
 * The entry that amends e: its header, and where its text begins.  0: what
 * stands at that place is not of it, for someone wrote where he should not.
 */
ngx_uint_t ngx_http_chat_amend_find(ngx_http_chat_zone_t *z,
    ngx_http_chat_log_state_t *st, ngx_http_chat_entry_t *e,
    ngx_http_chat_entry_t *by, ngx_http_chat_log_place_t *p);


#endif /* _NGX_HTTP_CHAT_AMEND_H_INCLUDED_ */
