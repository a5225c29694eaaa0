
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "chat_deflate.h"


#define CHAT_DEFLATE_NAME              "permessage-deflate"

#define CHAT_DEFLATE_SERVER_TAKEOVER   0x01
#define CHAT_DEFLATE_CLIENT_TAKEOVER   0x02
#define CHAT_DEFLATE_SERVER_BITS       0x04
#define CHAT_DEFLATE_CLIENT_BITS       0x08

/* What zlib can do without a header: a window of 8 bits becomes 9 there. */
#define CHAT_DEFLATE_BITS_MIN          9
#define CHAT_DEFLATE_BITS_MAX          15

#define CHAT_DEFLATE_TAIL              4      /* 00 00 ff ff */

#define CHAT_DEFLATE_SMALL_BITS        11
#define CHAT_DEFLATE_SMALL_MEM         5
#define CHAT_DEFLATE_LARGE_MEM         8

/* Bit of data_type: inflate() stopped between two blocks. */
#define CHAT_INFLATE_BLOCK             128

/* zlib matches up to its window less MAX_MATCH + MIN_MATCH + 1 back. */
#define CHAT_DEFLATE_MATCH_LESS        262

/* A param's value or the reason why it has none. */
#define CHAT_DEFLATE_NO_VALUE          0
#define CHAT_DEFLATE_BAD_VALUE         -1


typedef struct {
    const unsigned char  *pos;
    const unsigned char  *end;
} chat_deflate_scan_t;


/*
 * Every message begins with an empty window, so zlib clears its hash table
 * for each: 64 KiB of it at the usual size.  A message that fits a window of
 * 2 KiB compresses as well with that window and a table of 8 KiB, in a sixth
 * less time.  The large stream is made when the first longer message comes.
 */
struct chat_deflater_s {
    z_stream  small;
    z_stream  large;
    size_t    small_max;     /* longest message for the small stream */
    int       level;
    int       bits;
    unsigned  large_made:1;
};


struct chat_inflater_s {
    z_stream       z;
    size_t         size;     /* of the message so far */
    unsigned       full:1;   /* all of "out" is used, spare is written to */
    unsigned       ended:1;  /* a BFINAL block was the last thing read */
    unsigned char  spare;
};


static int chat_deflate_offer(chat_deflate_params_t *p,
    chat_deflate_scan_t *s);
static void chat_deflate_next_offer(chat_deflate_scan_t *s);
static int chat_deflate_param(chat_deflate_params_t *p,
    chat_deflate_scan_t *s, unsigned *seen);
static unsigned chat_deflate_param_find(const unsigned char *name,
    size_t len);
static int chat_deflate_value(chat_deflate_scan_t *s);
static int chat_deflate_quoted(chat_deflate_scan_t *s, unsigned char *value,
    size_t *len);
static int chat_deflate_bits(const unsigned char *value, size_t len);
static size_t chat_deflate_token(chat_deflate_scan_t *s);
static void chat_deflate_skip_space(chat_deflate_scan_t *s);
static int chat_deflate_stream(z_stream *z, int level, int bits, int mem);
static int chat_inflate_tail(chat_inflater_t *i);
static int chat_inflate_input(chat_inflater_t *i, const unsigned char *in,
    size_t len);


int
chat_deflate_negotiate(chat_deflate_params_t *p, const unsigned char *value,
    size_t len)
{
    chat_deflate_scan_t    s;
    chat_deflate_params_t  params;

    s.pos = value;
    s.end = value + len;

    while (s.pos < s.end) {

        memset(&params, 0, sizeof(chat_deflate_params_t));
        params.server_bits = CHAT_DEFLATE_BITS_MAX;

        if (chat_deflate_offer(&params, &s)) {
            *p = params;
            return 1;
        }

        chat_deflate_next_offer(&s);
    }

    return 0;
}


/* On 0 the position is somewhere inside the offer, but not in a quoted
 * string. */

static int
chat_deflate_offer(chat_deflate_params_t *p, chat_deflate_scan_t *s)
{
    size_t                len;
    unsigned              seen;
    const unsigned char  *name;

    chat_deflate_skip_space(s);

    name = s->pos;
    len = chat_deflate_token(s);

    if (len != sizeof(CHAT_DEFLATE_NAME) - 1
        || memcmp(name, CHAT_DEFLATE_NAME, len) != 0)
    {
        return 0;
    }

    seen = 0;

    for ( ;; ) {
        chat_deflate_skip_space(s);

        if (s->pos == s->end || *s->pos == ',') {
            return 1;
        }

        if (*s->pos != ';') {
            return 0;
        }

        s->pos++;

        if (!chat_deflate_param(p, s, &seen)) {
            return 0;
        }
    }
}


static void
chat_deflate_next_offer(chat_deflate_scan_t *s)
{
    size_t         len;
    unsigned char  value[2];

    while (s->pos < s->end) {

        if (*s->pos == '"') {
            (void) chat_deflate_quoted(s, value, &len);
            continue;
        }

        if (*s->pos++ == ',') {
            return;
        }
    }
}


static int
chat_deflate_param(chat_deflate_params_t *p, chat_deflate_scan_t *s,
    unsigned *seen)
{
    int                   bits;
    size_t                len;
    unsigned              param;
    const unsigned char  *name;

    chat_deflate_skip_space(s);

    name = s->pos;
    len = chat_deflate_token(s);
    param = chat_deflate_param_find(name, len);

    if (param == 0 || (*seen & param)) {
        return 0;
    }

    *seen |= param;

    bits = chat_deflate_value(s);

    switch (param) {

    case CHAT_DEFLATE_SERVER_BITS:
        if (bits < CHAT_DEFLATE_BITS_MIN) {
            return 0;
        }

        p->server_bits = (uint8_t) bits;
        p->server_bits_given = 1;

        return 1;

    case CHAT_DEFLATE_CLIENT_BITS:
        return bits != CHAT_DEFLATE_BAD_VALUE;

    default:
        return bits == CHAT_DEFLATE_NO_VALUE;
    }
}


static unsigned
chat_deflate_param_find(const unsigned char *name, size_t len)
{
    size_t  i;

    static const struct {
        const char  *name;
        unsigned     param;
    } params[] = {
        { "server_no_context_takeover", CHAT_DEFLATE_SERVER_TAKEOVER },
        { "client_no_context_takeover", CHAT_DEFLATE_CLIENT_TAKEOVER },
        { "server_max_window_bits", CHAT_DEFLATE_SERVER_BITS },
        { "client_max_window_bits", CHAT_DEFLATE_CLIENT_BITS }
    };

    for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {

        if (len == strlen(params[i].name)
            && memcmp(name, params[i].name, len) == 0)
        {
            return params[i].param;
        }
    }

    return 0;
}


/* The window's bits, 8..15, that "=" and a value give, or NO_VALUE where no
 * "=" follows; BAD_VALUE is any other value. */

static int
chat_deflate_value(chat_deflate_scan_t *s)
{
    size_t                len;
    unsigned char         value[2];
    const unsigned char  *start;

    chat_deflate_skip_space(s);

    if (s->pos == s->end || *s->pos != '=') {
        return CHAT_DEFLATE_NO_VALUE;
    }

    s->pos++;

    chat_deflate_skip_space(s);

    if (s->pos < s->end && *s->pos == '"') {
        return chat_deflate_quoted(s, value, &len)
               ? chat_deflate_bits(value, len) : CHAT_DEFLATE_BAD_VALUE;
    }

    start = s->pos;
    len = chat_deflate_token(s);

    return chat_deflate_bits(start, len);
}


/*
 * Goes behind the quoted string whatever is in it; 0: it has no end.  The
 * value is what stands in it with "\" undone, of which the first two bytes
 * are kept: that a quoted value must be a token (RFC 6455 9.1) is no question
 * where all that is ever accepted is a number.
 */

static int
chat_deflate_quoted(chat_deflate_scan_t *s, unsigned char *value, size_t *len)
{
    size_t         n;
    unsigned char  ch;

    n = 0;

    for (s->pos++; s->pos < s->end; n++) {
        ch = *s->pos++;

        if (ch == '"') {
            *len = n;
            return 1;
        }

        if (ch == '\\') {

            if (s->pos == s->end) {
                return 0;
            }

            ch = *s->pos++;
        }

        if (n < 2) {
            value[n] = ch;
        }
    }

    return 0;
}


/* Decimal without leading zeros, RFC 7692 7.1.2.1. */

static int
chat_deflate_bits(const unsigned char *value, size_t len)
{
    if (len == 1 && (value[0] == '8' || value[0] == '9')) {
        return value[0] - '0';
    }

    if (len == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') {
        return 10 + value[1] - '0';
    }

    return CHAT_DEFLATE_BAD_VALUE;
}


/* What a token may not hold besides makes it an unknown one. */

static size_t
chat_deflate_token(chat_deflate_scan_t *s)
{
    const unsigned char  *start;

    for (start = s->pos; s->pos < s->end; s->pos++) {

        switch (*s->pos) {

        case ' ':
        case '\t':
        case '"':
        case ',':
        case ';':
        case '=':
            return s->pos - start;
        }
    }

    return s->pos - start;
}


static void
chat_deflate_skip_space(chat_deflate_scan_t *s)
{
    while (s->pos < s->end && (*s->pos == ' ' || *s->pos == '\t')) {
        s->pos++;
    }
}


size_t
chat_deflate_response(const chat_deflate_params_t *p, unsigned char *buf)
{
    size_t  len;

    static const char  response[] = CHAT_DEFLATE_NAME
        "; server_no_context_takeover; client_no_context_takeover";
    static const char  bits[] = "; server_max_window_bits=";

    len = sizeof(response) - 1;
    memcpy(buf, response, len);

    if (!p->server_bits_given) {
        return len;
    }

    memcpy(buf + len, bits, sizeof(bits) - 1);
    len += sizeof(bits) - 1;

    if (p->server_bits >= 10) {
        buf[len++] = '1';
    }

    buf[len++] = '0' + p->server_bits % 10;

    return len;
}


chat_deflater_t *
chat_deflater_create(int level, int bits)
{
    int               small;
    chat_deflater_t  *d;

    if (level < 1 || level > 9
        || bits < CHAT_DEFLATE_BITS_MIN || bits > CHAT_DEFLATE_BITS_MAX)
    {
        return NULL;
    }

    d = calloc(1, sizeof(chat_deflater_t));
    if (d == NULL) {
        return NULL;
    }

    small = (bits < CHAT_DEFLATE_SMALL_BITS) ? bits : CHAT_DEFLATE_SMALL_BITS;

    d->level = level;
    d->bits = bits;
    d->small_max = ((size_t) 1 << small) - CHAT_DEFLATE_MATCH_LESS;

    if (!chat_deflate_stream(&d->small, level, small, CHAT_DEFLATE_SMALL_MEM))
    {
        free(d);
        return NULL;
    }

    return d;
}


static int
chat_deflate_stream(z_stream *z, int level, int bits, int mem)
{
    return deflateInit2(z, level, Z_DEFLATED, -bits, mem,
                        Z_DEFAULT_STRATEGY)
           == Z_OK;
}


void
chat_deflater_free(chat_deflater_t *d)
{
    if (d == NULL) {
        return;
    }

    (void) deflateEnd(&d->small);

    if (d->large_made) {
        (void) deflateEnd(&d->large);
    }

    free(d);
}


/* zlib's bound for any window and memory, and the flush's empty block. */

size_t
chat_deflate_bound(size_t len)
{
    return len + (len >> 3) + (len >> 6) + 32;
}


int
chat_deflate(chat_deflater_t *d, const unsigned char *in, size_t len,
    unsigned char *out, size_t out_max, size_t *out_len)
{
    z_stream  *z;

    *out_len = 0;

    if (len > UINT_MAX || out_max > UINT_MAX) {
        return CHAT_DEFLATE_TOO_LARGE;
    }

    z = &d->small;

    if (len > d->small_max) {
        z = &d->large;

        if (!d->large_made
            && !chat_deflate_stream(z, d->level, d->bits,
                                    CHAT_DEFLATE_LARGE_MEM))
        {
            return CHAT_DEFLATE_ERROR;
        }

        d->large_made = 1;
    }

    if (deflateReset(z) != Z_OK) {
        return CHAT_DEFLATE_ERROR;
    }

    z->next_in = (unsigned char *) in;
    z->avail_in = (uInt) len;
    z->next_out = out;
    z->avail_out = (uInt) out_max;

    if (deflate(z, Z_SYNC_FLUSH) != Z_OK) {
        return out_max ? CHAT_DEFLATE_ERROR : CHAT_DEFLATE_TOO_LARGE;
    }

    /* the flush is known to be whole only if it left room */

    if (z->avail_out == 0) {
        return CHAT_DEFLATE_TOO_LARGE;
    }

    *out_len = out_max - z->avail_out - CHAT_DEFLATE_TAIL;

    return CHAT_DEFLATE_OK;
}


chat_inflater_t *
chat_inflater_create(void)
{
    chat_inflater_t  *i;

    i = calloc(1, sizeof(chat_inflater_t));
    if (i == NULL) {
        return NULL;
    }

    if (inflateInit2(&i->z, -CHAT_DEFLATE_BITS_MAX) != Z_OK) {
        free(i);
        return NULL;
    }

    return i;
}


void
chat_inflater_free(chat_inflater_t *i)
{
    if (i == NULL) {
        return;
    }

    (void) inflateEnd(&i->z);

    free(i);
}


int
chat_inflate(chat_inflater_t *i, const unsigned char *in, size_t len,
    unsigned char *out, size_t out_max, size_t *out_len)
{
    int  rc;

    *out_len = 0;

    if (len > UINT_MAX) {
        return CHAT_DEFLATE_TOO_LARGE;
    }

    if (inflateReset(&i->z) != Z_OK) {
        return CHAT_DEFLATE_ERROR;
    }

    i->size = 0;
    i->full = 0;
    i->ended = 1;
    i->z.next_out = out;
    i->z.avail_out = (out_max > UINT_MAX) ? UINT_MAX : (uInt) out_max;

    rc = chat_inflate_input(i, in, len);

    /* a message that ends with a BFINAL block, and one of no bytes, are whole
     * without the tail, which would be half a block then */

    if (rc == CHAT_DEFLATE_OK && !i->ended) {
        rc = chat_inflate_tail(i);
    }

    if (rc != CHAT_DEFLATE_ERROR) {
        *out_len = i->size;
    }

    return rc;
}


/*
 * The four bytes must be the rest of an empty block that has begun before
 * them.  In a message that was cut they mean something else, most often
 * bytes of text and, being many ones at the end, often the end of a block.
 */

static int
chat_inflate_tail(chat_inflater_t *i)
{
    int     rc;
    size_t  size;

    static const unsigned char  tail[CHAT_DEFLATE_TAIL] = { 0, 0, 0xff, 0xff };

    size = i->size;

    rc = chat_inflate_input(i, tail, CHAT_DEFLATE_TAIL);

    if (rc == CHAT_DEFLATE_OK
        && (i->size != size || !(i->z.data_type & CHAT_INFLATE_BLOCK)))
    {
        return CHAT_DEFLATE_ERROR;
    }

    return (rc == CHAT_DEFLATE_OK) ? CHAT_DEFLATE_OK : CHAT_DEFLATE_ERROR;
}


static int
chat_inflate_input(chat_inflater_t *i, const unsigned char *in, size_t len)
{
    int        rc;
    uInt       room;
    z_stream  *z;

    z = &i->z;

    z->next_in = (unsigned char *) in;
    z->avail_in = (uInt) len;

    while (z->avail_in || z->avail_out == 0) {

        /* whether there is more than "out" takes is known by taking it */

        if (z->avail_out == 0) {
            i->full = 1;
            z->next_out = &i->spare;
            z->avail_out = 1;
        }

        room = z->avail_out;

        rc = inflate(z, Z_SYNC_FLUSH);

        if (rc == Z_BUF_ERROR) {
            break;
        }

        if (i->full && z->avail_out == 0) {
            return CHAT_DEFLATE_TOO_LARGE;
        }

        i->size += room - z->avail_out;
        i->ended = (rc == Z_STREAM_END);

        /* behind a BFINAL block another stream begins, RFC 7692 7.2.3.4 */

        if (rc == Z_STREAM_END) {
            rc = inflateReset(z);
        }

        if (rc != Z_OK) {
            return CHAT_DEFLATE_ERROR;
        }
    }

    return CHAT_DEFLATE_OK;
}
