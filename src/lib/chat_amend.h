
/*
 * Amended events: what an edit or a deletion makes of a message, from the
 * texts of both as they stand in the log.
 */


#ifndef _CHAT_AMEND_H_INCLUDED_
#define _CHAT_AMEND_H_INCLUDED_


#include "chat_json.h"


/* The most bytes that the two of them together become. */
#define chat_amend_bound(len)  ((len) + 64)

/*
 * Writes the event as it is now.  An edited one has the amending event's
 * "text" and "data" in place of its own, and "edited", that event's "ts"; a
 * deleted one has neither, and "deleted".  Both texts are events that this
 * module wrote.  0: done; -1: they are not, and nothing was written.
 */
int chat_amend(chat_json_writer_t *w, const unsigned char *text, size_t len,
    const unsigned char *amend, size_t amend_len, int deleted);


#endif /* _CHAT_AMEND_H_INCLUDED_ */
