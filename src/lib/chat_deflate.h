
/*
 * permessage-deflate (RFC 7692): negotiation, and whole messages deflated and
 * inflated without context takeover in either direction, so that a session
 * keeps no state and one compressed message serves every client.
 */


#ifndef _CHAT_DEFLATE_H_INCLUDED_
#define _CHAT_DEFLATE_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#define CHAT_DEFLATE_RESPONSE_MAX  128

#define CHAT_DEFLATE_OK            0
#define CHAT_DEFLATE_TOO_LARGE     1    /* the output would pass its limit */
#define CHAT_DEFLATE_ERROR        -1    /* not a deflate stream; no memory */


typedef struct {
    uint8_t   server_bits;   /* window for what we send, 9..15 */
    unsigned  server_bits_given:1;   /* the client asked for that window */
} chat_deflate_params_t;

typedef struct chat_deflater_s  chat_deflater_t;
typedef struct chat_inflater_s  chat_inflater_t;


/*
 * Reads the value of Sec-WebSocket-Extensions (several header lines are
 * several calls; the first acceptable offer wins) and returns 1 if an offer
 * was accepted, 0 if none.  Time is linear in len whatever the bytes are.
 * An offer with a parameter that is unknown, doubled or malformed, or with
 * server_max_window_bits=8 (which zlib cannot do), is declined: RFC 7692 5.1.
 */
int chat_deflate_negotiate(chat_deflate_params_t *p, const unsigned char *value,
    size_t len);

/* Writes the response header's value, without a trailing zero; returns its
 * length, at most CHAT_DEFLATE_RESPONSE_MAX.  Both no_context_takeover
 * parameters are always in it (7.1.1 allows a server to add them). */
size_t chat_deflate_response(const chat_deflate_params_t *p,
    unsigned char *buf);


/* level 1..9, bits 9..15; NULL: no memory, or not such a level or window.  It
 * takes 24 KiB, and 256 KiB more when the first message of over 1.7 KiB comes
 * (less with a smaller window). */
chat_deflater_t *chat_deflater_create(int level, int bits);
void chat_deflater_free(chat_deflater_t *d);

/* The most that deflating len bytes can give. */
size_t chat_deflate_bound(size_t len);

/* One message into out, without the trailing 00 00 ff ff (7.2.1).  OK or
 * TOO_LARGE (cannot happen with a chat_deflate_bound() buffer), ERROR. */
int chat_deflate(chat_deflater_t *d, const unsigned char *in, size_t len,
    unsigned char *out, size_t out_max, size_t *out_len);


/* Window of 15 bits, so it reads what any client sends.  NULL: no memory. */
chat_inflater_t *chat_inflater_create(void);
void chat_inflater_free(chat_inflater_t *i);

/*
 * One message as it came, without the 00 00 ff ff.  Never writes more than
 * out_max bytes nor goes on inflating behind them: a bomb costs what a message
 * of out_max bytes costs.  Blocks with BFINAL set are taken (7.2.3.4); a
 * message that does not end as 7.2.1 says is an ERROR.  After TOO_LARGE out
 * is full, after an ERROR *out_len is 0.
 */
int chat_inflate(chat_inflater_t *i, const unsigned char *in, size_t len,
    unsigned char *out, size_t out_max, size_t *out_len);


#endif /* _CHAT_DEFLATE_H_INCLUDED_ */
