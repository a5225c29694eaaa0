
/*
 * UTF-8 validation (RFC 3629) of a text that arrives in pieces.
 *
 * The checker is a state of a few bytes: zero it, feed it each piece in order,
 * ask at the end whether the text was cut inside a character.  It refuses
 * over-long forms, surrogates and everything above U+10FFFF at the first byte
 * that cannot be part of a valid text (fail-fast, RFC 6455 8.1).
 */


#ifndef _CHAT_UTF8_H_INCLUDED_
#define _CHAT_UTF8_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


typedef struct {
    uint8_t  need;      /* continuation bytes still to come, 0..3 */
    uint8_t  low;       /* least value allowed for the next one */
    uint8_t  high;      /* greatest value allowed for the next one */
} chat_utf8_t;


/* 1: valid so far, 0: this text can never become valid.  After 0 the state
 * must be zeroed before it is used again. */
int chat_utf8_feed(chat_utf8_t *u, const unsigned char *data, size_t len);

/* 1: no character is left half-done. */
#define chat_utf8_complete(u)  ((u)->need == 0)

/* 1: a whole text is valid. */
int chat_utf8_valid(const unsigned char *data, size_t len);

/* 1: a valid text of min..max bytes without control characters (C0, DEL and
 * C1, U+0080..U+009F): what a user's, a room's or a profile's name may be. */
int chat_utf8_name(const unsigned char *data, size_t len, size_t min,
    size_t max);


#endif /* _CHAT_UTF8_H_INCLUDED_ */
