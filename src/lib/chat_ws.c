
#include <string.h>

#include "chat_ws.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif


#define CHAT_WS_RSV23          0x30
#define CHAT_WS_OPCODE         0x0f
#define CHAT_WS_CONTROL_BIT    0x08
#define CHAT_WS_MASK           0x80
#define CHAT_WS_LEN            0x7f

#define CHAT_WS_CLOSE_REASON   (CHAT_WS_CONTROL_MAX - 2)

/*
 * A message of 16 KiB may come byte by byte and one of 4 MiB in pieces of 64;
 * empty fragments, which the size limit does not count, end here.
 */
#define CHAT_WS_FRAGMENTS      16384
#define CHAT_WS_FRAGMENT_SIZE  64


typedef struct {
    uint64_t  len;           /* of the payload */
    size_t    size;          /* of the header */
    uint8_t   first;         /* the first byte: FIN, RSV, opcode */
} chat_ws_frame_t;


static int chat_ws_read_header(chat_ws_decoder_t *d, unsigned char *p,
    size_t n, chat_ws_frame_t *f, chat_ws_event_t *ev);
static const char *chat_ws_check_first(const chat_ws_decoder_t *d,
    unsigned ch);
static const char *chat_ws_check_second(unsigned first, unsigned ch);
static const char *chat_ws_read_length(chat_ws_frame_t *f,
    const unsigned char *p);
static int chat_ws_begin_data(chat_ws_decoder_t *d, unsigned char *p,
    const chat_ws_frame_t *f, chat_ws_event_t *ev);
static uint64_t chat_ws_limit(const chat_ws_decoder_t *d, unsigned first);
static int chat_ws_data(chat_ws_decoder_t *d, unsigned char **pos,
    unsigned char *end, chat_ws_event_t *ev);
static int chat_ws_check_text(chat_ws_decoder_t *d, chat_ws_event_t *ev);
static void chat_ws_end_message(chat_ws_decoder_t *d);
static int chat_ws_control(chat_ws_decoder_t *d, unsigned char **pos,
    unsigned char *end, const chat_ws_frame_t *f, chat_ws_event_t *ev);
static int chat_ws_check_close(chat_ws_decoder_t *d, chat_ws_event_t *ev);
static int chat_ws_code_allowed(unsigned code);
static int chat_ws_fail(chat_ws_decoder_t *d, chat_ws_event_t *ev,
    unsigned code, const char *reason);


void
chat_ws_decoder_init(chat_ws_decoder_t *d, uint64_t message_max,
    unsigned deflate)
{
    memset(d, 0, sizeof(chat_ws_decoder_t));

    d->message_max = message_max;
    d->deflate = deflate ? 1 : 0;
}


int
chat_ws_decode(chat_ws_decoder_t *d, unsigned char **pos, unsigned char *end,
    chat_ws_event_t *ev)
{
    int              rc;
    chat_ws_frame_t  f;

    memset(ev, 0, sizeof(chat_ws_event_t));

    if (d->failed) {
        return chat_ws_fail(d, ev, CHAT_WS_PROTOCOL, "input after an error");
    }

    /* what follows a close frame is not looked at, RFC 6455 1.4 */

    if (d->closed) {
        *pos = end;
        return CHAT_WS_AGAIN;
    }

    if (d->in_frame) {
        return chat_ws_data(d, pos, end, ev);
    }

    rc = chat_ws_read_header(d, *pos, end - *pos, &f, ev);

    if (rc != CHAT_WS_DATA) {
        return (rc == CHAT_WS_CONTROL) ? chat_ws_control(d, pos, end, &f, ev)
                                       : rc;
    }

    rc = chat_ws_begin_data(d, *pos, &f, ev);

    if (rc != CHAT_WS_DATA) {
        return rc;
    }

    *pos += f.size;

    return chat_ws_data(d, pos, end, ev);
}


/*
 * DATA or CONTROL: the header is whole and f is set.  Every byte is checked
 * as soon as it is there, so that a peer which does not speak WebSocket is
 * refused at its first byte and not when it has sent enough of them.
 */

static int
chat_ws_read_header(chat_ws_decoder_t *d, unsigned char *p, size_t n,
    chat_ws_frame_t *f, chat_ws_event_t *ev)
{
    const char  *reason;

    if (n == 0) {
        return CHAT_WS_AGAIN;
    }

    reason = chat_ws_check_first(d, p[0]);

    if (reason == NULL && n > 1) {
        reason = chat_ws_check_second(p[0], p[1]);
    }

    if (reason) {
        return chat_ws_fail(d, ev, CHAT_WS_PROTOCOL, reason);
    }

    if (n == 1) {
        return CHAT_WS_AGAIN;
    }

    f->first = p[0];
    f->len = p[1] & CHAT_WS_LEN;
    f->size = (f->len < 126) ? 2 : (f->len == 126) ? 4 : 10;

    if (n < f->size) {
        return CHAT_WS_AGAIN;
    }

    reason = chat_ws_read_length(f, p);

    if (reason) {
        return chat_ws_fail(d, ev, CHAT_WS_PROTOCOL, reason);
    }

    f->size += 4;

    if (f->first & CHAT_WS_CONTROL_BIT) {
        return (n < f->size) ? CHAT_WS_AGAIN : CHAT_WS_CONTROL;
    }

    /* the size is refused before the masking key is waited for */

    if (f->len > chat_ws_limit(d, f->first) - d->message_size) {
        return chat_ws_fail(d, ev, CHAT_WS_TOO_BIG, "message is too big");
    }

    return (n < f->size) ? CHAT_WS_AGAIN : CHAT_WS_DATA;
}


static const char *
chat_ws_check_first(const chat_ws_decoder_t *d, unsigned ch)
{
    unsigned  opcode;

    opcode = ch & CHAT_WS_OPCODE;

    if (ch & CHAT_WS_RSV23) {
        return "reserved bit is set";
    }

    if (opcode & CHAT_WS_CONTROL_BIT) {

        if (opcode > CHAT_WS_PONG) {
            return "reserved opcode";
        }

        if (ch & CHAT_WS_RSV1) {
            return "reserved bit is set in a control frame";
        }

        return (ch & CHAT_WS_FIN) ? NULL : "control frame is fragmented";
    }

    if (opcode > CHAT_WS_BINARY) {
        return "reserved opcode";
    }

    if (opcode == CHAT_WS_CONTINUATION) {

        if (d->opcode == 0) {
            return "continuation of no message";
        }

        return (ch & CHAT_WS_RSV1) ? "reserved bit is set in a continuation"
                                   : NULL;
    }

    if (d->opcode) {
        return "new message inside a fragmented one";
    }

    return ((ch & CHAT_WS_RSV1) && !d->deflate) ? "reserved bit is set" : NULL;
}


static const char *
chat_ws_check_second(unsigned first, unsigned ch)
{
    if (!(ch & CHAT_WS_MASK)) {
        return "frame is not masked";
    }

    if ((first & CHAT_WS_CONTROL_BIT)
        && (ch & CHAT_WS_LEN) > CHAT_WS_CONTROL_MAX)
    {
        return "control frame is too long";
    }

    return NULL;
}


static const char *
chat_ws_read_length(chat_ws_frame_t *f, const unsigned char *p)
{
    size_t    i;
    uint64_t  len, least;

    if (f->size == 2) {
        return NULL;
    }

    len = 0;

    for (i = 2; i < f->size; i++) {
        len = len << 8 | p[i];
    }

    least = (f->size == 4) ? 126 : 65536;

    if (len < least) {
        return "frame length is not in its shortest form";
    }

    if (len >> 63) {
        return "frame length has its highest bit set";
    }

    f->len = len;

    return NULL;
}


static int
chat_ws_begin_data(chat_ws_decoder_t *d, unsigned char *p,
    const chat_ws_frame_t *f, chat_ws_event_t *ev)
{
    if (d->opcode == 0) {
        d->opcode = f->first & CHAT_WS_OPCODE;
        d->compressed = (f->first & CHAT_WS_RSV1) ? 1 : 0;

    } else if (d->fragments
               >= CHAT_WS_FRAGMENTS + d->message_max / CHAT_WS_FRAGMENT_SIZE)
    {
        return chat_ws_fail(d, ev, CHAT_WS_TOO_BIG, "too many fragments");
    }

    d->fragments++;
    d->message_size += f->len;
    d->frame_rest = f->len;
    d->fin = (f->first & CHAT_WS_FIN) ? 1 : 0;
    d->in_frame = 1;

    memcpy(d->mask, p + f->size - 4, 4);

    return CHAT_WS_DATA;
}


/*
 * Deflate that finds no match and uses the smallest blocks that zlib knows
 * adds an eighth and a sixty-fourth, see its deflateBound().
 */

static uint64_t
chat_ws_limit(const chat_ws_decoder_t *d, unsigned first)
{
    unsigned  compressed;
    uint64_t  more;

    compressed = d->opcode ? d->compressed : (first & CHAT_WS_RSV1);

    if (!compressed) {
        return d->message_max;
    }

    more = d->message_max / 8 + d->message_max / 64 + 64;

    return (more > UINT64_MAX - d->message_max) ? UINT64_MAX
                                                : d->message_max + more;
}


static int
chat_ws_data(chat_ws_decoder_t *d, unsigned char **pos, unsigned char *end,
    chat_ws_event_t *ev)
{
    size_t  len;

    len = end - *pos;

    if (len > d->frame_rest) {
        len = (size_t) d->frame_rest;
    }

    if (len == 0 && d->frame_rest) {
        return CHAT_WS_AGAIN;
    }

    ev->data = *pos;
    ev->len = len;
    ev->opcode = d->opcode;
    ev->compressed = d->compressed;
    ev->first = !d->begun;

    chat_ws_unmask(*pos, len, d->mask);

    *pos += len;
    d->frame_rest -= len;
    d->begun = 1;

    if (d->frame_rest == 0) {
        d->in_frame = 0;
        ev->last = d->fin;
    }

    if (d->opcode == CHAT_WS_TEXT && !d->compressed
        && chat_ws_check_text(d, ev) != CHAT_WS_DATA)
    {
        return CHAT_WS_ERROR;
    }

    if (ev->last) {
        chat_ws_end_message(d);
    }

    return CHAT_WS_DATA;
}


static int
chat_ws_check_text(chat_ws_decoder_t *d, chat_ws_event_t *ev)
{
    if (!chat_utf8_feed(&d->utf8, ev->data, ev->len)) {
        return chat_ws_fail(d, ev, CHAT_WS_BAD_DATA, "text is not UTF-8");
    }

    if (ev->last && !chat_utf8_complete(&d->utf8)) {
        return chat_ws_fail(d, ev, CHAT_WS_BAD_DATA,
                            "text ends inside a character");
    }

    return CHAT_WS_DATA;
}


static void
chat_ws_end_message(chat_ws_decoder_t *d)
{
    d->opcode = 0;
    d->compressed = 0;
    d->begun = 0;
    d->fragments = 0;
    d->message_size = 0;
}


static int
chat_ws_control(chat_ws_decoder_t *d, unsigned char **pos, unsigned char *end,
    const chat_ws_frame_t *f, chat_ws_event_t *ev)
{
    size_t         len;
    unsigned char  mask[4], *p;

    p = *pos + f->size;
    len = (size_t) f->len;

    if ((size_t) (end - p) < len) {
        return CHAT_WS_AGAIN;
    }

    memcpy(mask, p - 4, 4);
    chat_ws_unmask(p, len, mask);

    *pos = p + len;

    ev->data = p;
    ev->len = len;
    ev->opcode = f->first & CHAT_WS_OPCODE;

    return (ev->opcode == CHAT_WS_CLOSE) ? chat_ws_check_close(d, ev)
                                         : CHAT_WS_CONTROL;
}


static int
chat_ws_check_close(chat_ws_decoder_t *d, chat_ws_event_t *ev)
{
    if (ev->len == 1) {
        return chat_ws_fail(d, ev, CHAT_WS_PROTOCOL,
                            "close frame with half a code");
    }

    if (ev->len
        && !chat_ws_code_allowed(chat_ws_close_code(ev->data, ev->len)))
    {
        return chat_ws_fail(d, ev, CHAT_WS_PROTOCOL, "invalid close code");
    }

    if (ev->len && !chat_utf8_valid(ev->data + 2, ev->len - 2)) {
        return chat_ws_fail(d, ev, CHAT_WS_BAD_DATA,
                            "close reason is not UTF-8");
    }

    d->closed = 1;

    return CHAT_WS_CONTROL;
}


/* RFC 6455 7.4 with 1012 to 1014 of the IANA registry. */

static int
chat_ws_code_allowed(unsigned code)
{
    if (code >= 3000) {
        return code < 5000;
    }

    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}


static int
chat_ws_fail(chat_ws_decoder_t *d, chat_ws_event_t *ev, unsigned code,
    const char *reason)
{
    memset(ev, 0, sizeof(chat_ws_event_t));

    ev->close_code = (uint16_t) code;
    ev->reason = reason;

    d->failed = 1;

    return CHAT_WS_ERROR;
}


size_t
chat_ws_header(unsigned char *p, unsigned first, uint64_t len)
{
    int  shift;

    *p++ = (unsigned char) first;

    if (len < 126) {
        *p = (unsigned char) len;
        return 2;
    }

    if (len < 65536) {
        *p++ = 126;
        *p++ = (unsigned char) (len >> 8);
        *p = (unsigned char) len;
        return 4;
    }

    *p++ = 127;

    for (shift = 56; shift >= 0; shift -= 8) {
        *p++ = (unsigned char) (len >> shift);
    }

    return CHAT_WS_HEADER_MAX;
}


size_t
chat_ws_close_frame(unsigned char *p, unsigned code, const char *reason,
    size_t len)
{
    if (code == CHAT_WS_NO_STATUS) {
        return chat_ws_header(p, CHAT_WS_FIN | CHAT_WS_CLOSE, 0);
    }

    if (len > CHAT_WS_CLOSE_REASON) {
        len = CHAT_WS_CLOSE_REASON;

        while (len && ((unsigned char) reason[len] & 0xc0) == 0x80) {
            len--;
        }
    }

    p += chat_ws_header(p, CHAT_WS_FIN | CHAT_WS_CLOSE, 2 + len);

    *p++ = (unsigned char) (code >> 8);
    *p++ = (unsigned char) code;

    if (len) {
        memcpy(p, reason, len);
    }

    return 2 + 2 + len;
}


unsigned
chat_ws_close_code(const unsigned char *data, size_t len)
{
    return (len < 2) ? CHAT_WS_NO_STATUS : (unsigned) data[0] << 8 | data[1];
}


/* Every step of 16 or 8 bytes is a multiple of the key's length, so the key
 * needs no turning before the last few bytes. */

void
chat_ws_unmask(unsigned char *data, size_t len, unsigned char mask[4])
{
    size_t         i;
    uint32_t       half;
    uint64_t       key, w;
    unsigned char  rest[4];
#if defined(__SSE2__)
    __m128i        k, *v;
#endif

    memcpy(&half, mask, 4);

#if defined(__SSE2__)
    k = _mm_set1_epi32((int) half);

    for ( /* void */ ; len >= 64; len -= 64) {
        v = (__m128i *) data;

        _mm_storeu_si128(v, _mm_xor_si128(_mm_loadu_si128(v), k));
        _mm_storeu_si128(v + 1, _mm_xor_si128(_mm_loadu_si128(v + 1), k));
        _mm_storeu_si128(v + 2, _mm_xor_si128(_mm_loadu_si128(v + 2), k));
        _mm_storeu_si128(v + 3, _mm_xor_si128(_mm_loadu_si128(v + 3), k));

        data += 64;
    }
#endif

    key = (uint64_t) half << 32 | half;

    for ( /* void */ ; len >= 8; len -= 8) {
        memcpy(&w, data, 8);
        w ^= key;
        memcpy(data, &w, 8);

        data += 8;
    }

    for (i = 0; i < len; i++) {
        data[i] ^= mask[i & 3];
    }

    memcpy(rest, mask, 4);

    for (i = 0; i < 4; i++) {
        mask[i] = rest[(i + len) & 3];
    }
}
