
/*
 * What a name looks like: two names with the same folding can be taken for
 * each other.
 *
 * One pass over the code points, with tables of a few hundred entries and no
 * more; docs/security.md says what they cover.  It is no measure of whether a
 * name is good, and never changes one.
 */


#ifndef _CHAT_FOLD_H_INCLUDED_
#define _CHAT_FOLD_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/*
 * Folds a valid UTF-8 text of len bytes to "out", which has room for as many;
 * returns the folding's length.  Case, accents, full-width and mathematical
 * forms go, with spaces, dots, dashes and what is not seen at all; Cyrillic
 * and Greek letters become the Latin ones that they look like.  A text of
 * which nothing would be left is its own folding.
 *
 * looks 0: so far; 1: and what differs by a closer look only becomes the
 * same, "0" and "o", "1", "l" and "i", "rn" and "m", "vv" and "w".
 */
size_t chat_fold(unsigned char *out, const unsigned char *text, size_t len,
    int looks);


#endif /* _CHAT_FOLD_H_INCLUDED_ */
