
/*
 * Runs of ASCII are skipped 16 or 8 bytes at a time and whole characters are
 * checked from registers; only a character that lies across two pieces, or
 * that is wrong, goes through the byte-wise states.  The fast paths never
 * refuse anything: what they do not take is left to the states to judge.
 */


#include <string.h>

#include "chat_utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif


#define CHAT_UTF8_HIGH_BITS  0x8080808080808080ULL

#define chat_utf8_is_next(ch)  (((ch) & 0xc0) == 0x80)


static const unsigned char *chat_utf8_ascii(const unsigned char *p,
    const unsigned char *last);
static const unsigned char *chat_utf8_wide(const unsigned char *p,
    const unsigned char *last);
static size_t chat_utf8_size(const unsigned char *p);
static int chat_utf8_step(chat_utf8_t *u, unsigned ch);
static int chat_utf8_lead(chat_utf8_t *u, unsigned ch);


int
chat_utf8_feed(chat_utf8_t *u, const unsigned char *data, size_t len)
{
    const unsigned char  *p, *last;

    p = data;
    last = data + len;

    while (p < last) {

        if (u->need == 0) {
            p = chat_utf8_ascii(p, last);
            p = chat_utf8_wide(p, last);

            if (p == last) {
                break;
            }
        }

        if (!chat_utf8_step(u, *p++)) {
            return 0;
        }
    }

    return 1;
}


int
chat_utf8_valid(const unsigned char *data, size_t len)
{
    chat_utf8_t  u;

    memset(&u, 0, sizeof(chat_utf8_t));

    return chat_utf8_feed(&u, data, len) && chat_utf8_complete(&u);
}


int
chat_utf8_name(const unsigned char *data, size_t len, size_t min, size_t max)
{
    size_t  n;

    if (len < min || len > max || !chat_utf8_valid(data, len)) {
        return 0;
    }

    for (n = 0; n < len; n++) {

        if (data[n] < 0x20 || data[n] == 0x7f) {
            return 0;
        }

        /* C1 is c2 80 .. c2 9f; the text is valid, so c2 has a next byte */

        if (data[n] == 0xc2 && data[n + 1] < 0xa0) {
            return 0;
        }
    }

    return 1;
}


/* The first byte that is not ASCII, or last. */

static const unsigned char *
chat_utf8_ascii(const unsigned char *p, const unsigned char *last)
{
    uint64_t  w;
#if defined(__SSE2__)
    __m128i   a, b, c, d;
    unsigned  bits;

    while (last - p >= 64) {
        a = _mm_loadu_si128((const __m128i *) p);
        b = _mm_loadu_si128((const __m128i *) (p + 16));
        c = _mm_loadu_si128((const __m128i *) (p + 32));
        d = _mm_loadu_si128((const __m128i *) (p + 48));

        if (_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(a, b),
                                           _mm_or_si128(c, d))))
        {
            break;
        }

        p += 64;
    }

    while (last - p >= 16) {
        bits = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *) p));

        if (bits) {
            return p + __builtin_ctz(bits);
        }

        p += 16;
    }
#endif

    while (last - p >= 8) {
        memcpy(&w, p, 8);

        if (w & CHAT_UTF8_HIGH_BITS) {
            break;
        }

        p += 8;
    }

    while (p < last && *p < 0x80) {
        p++;
    }

    return p;
}


/* Behind the valid characters above ASCII that are whole from p on. */

static const unsigned char *
chat_utf8_wide(const unsigned char *p, const unsigned char *last)
{
    size_t  n;

    while (last - p >= 4) {

        if (p[0] < 0xe0) {

            if (p[0] < 0xc2 || !chat_utf8_is_next(p[1])) {
                break;
            }

            p += 2;
            continue;
        }

        n = chat_utf8_size(p);

        if (n == 0) {
            break;
        }

        p += n;
    }

    return p;
}


/* 3 or 4 where the four bytes at p begin with such a character, else 0. */

static size_t
chat_utf8_size(const unsigned char *p)
{
    unsigned  code;

    if (!chat_utf8_is_next(p[1]) || !chat_utf8_is_next(p[2])) {
        return 0;
    }

    code = (p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);

    if (p[0] < 0xf0) {
        return (code < 0x800 || code - 0xd800 < 0x800) ? 0 : 3;
    }

    if (p[0] > 0xf4 || !chat_utf8_is_next(p[3])) {
        return 0;
    }

    /* the code point without its lowest six bits: U+10000 .. U+10FFFF */

    return (code - 0x400 < 0x4400 - 0x400) ? 4 : 0;
}


static int
chat_utf8_step(chat_utf8_t *u, unsigned ch)
{
    if (u->need == 0) {
        return ch < 0x80 || chat_utf8_lead(u, ch);
    }

    if (ch < u->low || ch > u->high) {
        return 0;
    }

    u->need--;
    u->low = 0x80;
    u->high = 0xbf;

    return 1;
}


/*
 * Only the second byte of a character has bounds of its own (Unicode, table
 * 3-7): they keep out over-long forms (e0, f0), surrogates (ed) and what lies
 * above U+10FFFF (f4).
 */

static int
chat_utf8_lead(chat_utf8_t *u, unsigned ch)
{
    u->low = 0x80;
    u->high = 0xbf;

    if (ch < 0xc2 || ch > 0xf4) {
        return 0;
    }

    switch (ch) {

    case 0xe0:
        u->low = 0xa0;
        break;

    case 0xed:
        u->high = 0x9f;
        break;

    case 0xf0:
        u->low = 0x90;
        break;

    case 0xf4:
        u->high = 0x8f;
        break;
    }

    u->need = (ch < 0xe0) ? 1 : (ch < 0xf0) ? 2 : 3;

    return 1;
}
