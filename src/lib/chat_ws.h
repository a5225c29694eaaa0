
/*
 * WebSocket frames (RFC 6455, section 5), server side: a decoder of what
 * clients send and an encoder of frame headers.  No I/O, no allocation.
 *
 * The decoder is a small struct in the session: init, decode until "again",
 * and so on for the connection's life; there is nothing to free.  It keeps
 * no input: a frame's header and a control frame are taken whole or not at
 * all, so after CHAT_WS_AGAIN the bytes from *pos on (never more than
 * CHAT_WS_REST_MAX) must be put in front of the next input.  Payload of data
 * frames is handed out at once, as it comes, unmasked in place.
 */


#ifndef _CHAT_WS_H_INCLUDED_
#define _CHAT_WS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "chat_utf8.h"


#define CHAT_WS_CONTINUATION  0x0
#define CHAT_WS_TEXT          0x1
#define CHAT_WS_BINARY        0x2
#define CHAT_WS_CLOSE         0x8
#define CHAT_WS_PING          0x9
#define CHAT_WS_PONG          0xa

#define CHAT_WS_RSV1          0x40
#define CHAT_WS_FIN           0x80

#define CHAT_WS_CONTROL_MAX   125       /* RFC 6455 5.5 */
#define CHAT_WS_REST_MAX      (2 + 4 + CHAT_WS_CONTROL_MAX)
#define CHAT_WS_HEADER_MAX    10        /* of a frame that a server sends */

/* Close codes, RFC 6455 7.4.1 and the IANA registry. */
#define CHAT_WS_NORMAL        1000
#define CHAT_WS_GOING_AWAY    1001
#define CHAT_WS_PROTOCOL      1002
#define CHAT_WS_UNSUPPORTED   1003
#define CHAT_WS_NO_STATUS     1005      /* never on the wire */
#define CHAT_WS_ABNORMAL      1006      /* never on the wire */
#define CHAT_WS_BAD_DATA      1007
#define CHAT_WS_POLICY        1008
#define CHAT_WS_TOO_BIG       1009
#define CHAT_WS_INTERNAL      1011
#define CHAT_WS_RESTART       1012
#define CHAT_WS_TRY_LATER     1013


typedef struct {
    uint64_t     frame_rest;     /* payload bytes of this frame to come */
    uint64_t     message_size;   /* announced for the current message so far */
    uint64_t     message_max;    /* limit of the above, plain messages */
    uint32_t     fragments;      /* of the current message so far */
    unsigned char  mask[4];      /* rotated: mask[0] is for the next byte */
    chat_utf8_t  utf8;
    uint8_t      opcode;         /* of the current message, 0 = none open */
    unsigned     deflate:1;      /* permessage-deflate was negotiated */
    unsigned     compressed:1;   /* the current message is compressed */
    unsigned     in_frame:1;     /* inside a data frame */
    unsigned     fin:1;          /* that frame ends the message */
    unsigned     begun:1;        /* a part of the message was handed out */
    unsigned     closed:1;       /* a close frame came: input is dropped */
    unsigned     failed:1;       /* an error was returned: no more input */
} chat_ws_decoder_t;


typedef struct {
    unsigned char  *data;        /* in the caller's input, unmasked */
    size_t          len;
    uint8_t         opcode;      /* CHAT_WS_TEXT .. CHAT_WS_PONG */
    unsigned        first:1;     /* data: this part begins a message */
    unsigned        last:1;      /* data: this part ends it */
    unsigned        compressed:1;
    uint16_t        close_code;  /* error: what to close with */
    const char     *reason;      /* error: static text for log and peer */
} chat_ws_event_t;


#define CHAT_WS_AGAIN      0     /* all that can be used is used */
#define CHAT_WS_DATA       1     /* a part (it may be empty) of a message */
#define CHAT_WS_CONTROL    2     /* a whole close, ping or pong */
#define CHAT_WS_ERROR     -1     /* event's close_code and reason are set */


/*
 * message_max is the largest message in bytes, all fragments together; a
 * frame that would pass it is refused when its header is read, with 1009.
 * Compressed messages are held to message_max plus what deflate may add to
 * incompressible data; what they inflate to is the inflater's to bound.
 */
void chat_ws_decoder_init(chat_ws_decoder_t *d, uint64_t message_max,
    unsigned deflate);

/*
 * Takes one event out of *pos .. end and moves *pos behind it; to be called
 * again until it returns AGAIN, for there may be more, an empty frame with no
 * bytes left included.  The input is written to (unmasking).  Text that is
 * not compressed is checked to be UTF-8 as it comes (1007).  A close frame's
 * payload is checked too (7.4); what comes after it is dropped unread.
 *
 * Fragments are bounded: a message may have 16384 and one more for every 64
 * bytes of message_max; the next one is refused with 1009.
 */
int chat_ws_decode(chat_ws_decoder_t *d, unsigned char **pos,
    unsigned char *end, chat_ws_event_t *ev);

/*
 * Writes the header of a frame of len payload bytes to p, which has room for
 * CHAT_WS_HEADER_MAX, and returns its size.  first is the first byte: FIN,
 * RSV1 and the opcode.
 */
size_t chat_ws_header(unsigned char *p, unsigned first, uint64_t len);

/*
 * Writes a whole close frame to p, which has room for 2 + CONTROL_MAX bytes,
 * and returns its size.  reason is UTF-8, cut at a character's end if it is
 * too long; code CHAT_WS_NO_STATUS makes an empty close frame.
 */
size_t chat_ws_close_frame(unsigned char *p, unsigned code,
    const char *reason, size_t len);

/* The code in a close frame's checked payload; 1005 if there is none. */
unsigned chat_ws_close_code(const unsigned char *data, size_t len);

/* In place; mask is rotated by len so that it fits the bytes that follow. */
void chat_ws_unmask(unsigned char *data, size_t len, unsigned char mask[4]);


#endif /* _CHAT_WS_H_INCLUDED_ */
