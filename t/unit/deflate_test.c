
/*
 * permessage-deflate: what is negotiated, and messages there and back.
 */


#include <time.h>
#include <zlib.h>

#include "chat_deflate.h"
#include "test.h"


#define DEFLATE_MIB     1048576
#define DEFLATE_LIMIT   16384

/* As negotiate() says it in deflate_negotiate(). */
#define DEFLATE_NONE    0
#define DEFLATE_GIVEN   100


typedef struct {
    const char  *value;
    int          want;
} deflate_offer_t;

typedef struct {
    const char  *data;
    size_t       len;
    const char  *text;
} deflate_stream_t;


#define deflate_bytes(s)  s, sizeof(s) - 1


static int deflate_negotiate(const char *value, size_t len);
static void deflate_fill(unsigned char *p, size_t len, unsigned kind);
static void deflate_round_trip(chat_deflater_t *d, chat_inflater_t *i,
    int bits, const unsigned char *in, size_t len);
static int deflate_window_holds(const unsigned char *data, size_t len,
    int bits);
static int deflate_inflate(const char *data, size_t len, size_t max,
    const char *want);
static size_t deflate_join(unsigned char *out, size_t max, int level,
    int flush);


static const deflate_offer_t  deflate_offers[] = {
    { "permessage-deflate", 15 },
    { "permessage-deflate; client_max_window_bits", 15 },
    { "permessage-deflate; client_max_window_bits=10", 15 },
    { "permessage-deflate; client_max_window_bits=8", 15 },
    { "permessage-deflate;client_max_window_bits=\"15\"", 15 },
    { "permessage-deflate; server_no_context_takeover", 15 },
    { "permessage-deflate; client_no_context_takeover", 15 },
    { "permessage-deflate; server_max_window_bits=15", 115 },
    { "permessage-deflate; server_max_window_bits=10", 110 },
    { "permessage-deflate; server_max_window_bits=9", 109 },
    { "permessage-deflate; server_max_window_bits=\"12\"", 112 },
    { "permessage-deflate; server_max_window_bits=\"\\1\\2\"", 112 },
    { "permessage-deflate; server_no_context_takeover; "
      "client_no_context_takeover; server_max_window_bits=11; "
      "client_max_window_bits=9", 111 },
    { " \tpermessage-deflate\t ;\tserver_max_window_bits\t=\t10 \t", 110 },
    { ",, ,permessage-deflate,,", 15 },
    { "x-webkit-deflate-frame, permessage-deflate", 15 },
    { "foo; bar=\"a,b;c\\\"d\"; baz, permessage-deflate", 15 },
    { "permessage-deflate, permessage-deflate; "
      "server_max_window_bits=10", 15 },

    /* the next offer is taken */

    { "permessage-deflate; server_max_window_bits=8, permessage-deflate",
      15 },
    { "permessage-deflate; unknown, permessage-deflate; "
      "server_max_window_bits=10", 110 },
    { "permessage-deflate; server_max_window_bits=9; unknown=\",\", "
      "permessage-deflate", 15 },
    { "permessage-deflate; client_max_window_bits=\"0,8\", "
      "permessage-deflate", 15 },
    { "foo=, ;=, \"x\", permessage-deflate", 15 },

    /* declined */

    { "", DEFLATE_NONE },
    { ",", DEFLATE_NONE },
    { "permessage-deflat", DEFLATE_NONE },
    { "permessage-deflatex", DEFLATE_NONE },
    { "Permessage-Deflate", DEFLATE_NONE },
    { "permessage-deflate;", DEFLATE_NONE },
    { "permessage-deflate; ; client_max_window_bits", DEFLATE_NONE },
    { "permessage-deflate client_max_window_bits", DEFLATE_NONE },
    { "permessage-deflate=1", DEFLATE_NONE },
    { "permessage-deflate=client_max_window_bits", DEFLATE_NONE },
    { "permessage-deflate:client_max_window_bits", DEFLATE_NONE },
    { "\"permessage-deflate\"", DEFLATE_NONE },
    { "x\", permessage-deflate", DEFLATE_NONE },
    { "permessage-deflate; unknown", DEFLATE_NONE },
    { "permessage-deflate; constructor", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=\"\"", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=\"10", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=\"10\\",
      DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=\"10\"x",
      DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=\"1 \"", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=\"100\"",
      DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=8", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=\"8\"", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=7", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=0", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=16", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=08", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=09", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=05", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=010", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=1:", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=1/", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=+10", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=-9", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=1e1", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=0xa", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=10.0", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=100", DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=4294967306",
      DEFLATE_NONE },
    { "permessage-deflate; client_max_window_bits=7", DEFLATE_NONE },
    { "permessage-deflate; client_max_window_bits=16", DEFLATE_NONE },
    { "permessage-deflate; client_max_window_bits=08", DEFLATE_NONE },
    { "permessage-deflate; client_max_window_bits=+10", DEFLATE_NONE },
    { "permessage-deflate; client_max_window_bits=1e1", DEFLATE_NONE },
    { "permessage-deflate; client_max_window_bits=", DEFLATE_NONE },
    { "permessage-deflate; client_max_window_bits=\"\"", DEFLATE_NONE },
    { "permessage-deflate; client_max_window_bits=true", DEFLATE_NONE },
    { "permessage-deflate; server_no_context_takeover=1", DEFLATE_NONE },
    { "permessage-deflate; server_no_context_takeover=9", DEFLATE_NONE },
    { "permessage-deflate; client_no_context_takeover=10",
      DEFLATE_NONE },
    { "permessage-deflate; client_no_context_takeover=", DEFLATE_NONE },
    { "permessage-deflate; client_max_window_bits; "
      "client_max_window_bits", DEFLATE_NONE },
    { "permessage-deflate; client_max_window_bits; "
      "server_no_context_takeover; client_max_window_bits",
      DEFLATE_NONE },
    { "permessage-deflate; server_max_window_bits=10; "
      "server_max_window_bits=10", DEFLATE_NONE },
    { "permessage-deflate; server_no_context_takeover; "
      "server_no_context_takeover", DEFLATE_NONE },
    { "permessage-deflate; client_no_context_takeover; "
      "client_no_context_takeover", DEFLATE_NONE },
    { "permessage-deflate\xc3\xa4", DEFLATE_NONE },
    { "permessage-deflate; \xff", DEFLATE_NONE },
    { "permessage-deflate\r\n", DEFLATE_NONE }
};


/* DEFLATE_NONE, or the window with DEFLATE_GIVEN added if it was asked for. */

static int
deflate_negotiate(const char *value, size_t len)
{
    int                     rc;
    unsigned char          *copy;
    chat_deflate_params_t   p;

    memset(&p, 0, sizeof(chat_deflate_params_t));

    copy = test_copy(value, len);
    rc = chat_deflate_negotiate(&p, copy, len);
    free(copy);

    test_ok(rc == 1 || (rc == 0 && p.server_bits == 0));

    return p.server_bits + (p.server_bits_given ? DEFLATE_GIVEN : 0);
}


static void
test_offers(void)
{
    int                     rc;
    size_t                  i;
    const deflate_offer_t  *offer;

    for (i = 0; i < sizeof(deflate_offers) / sizeof(deflate_offers[0]); i++) {
        offer = &deflate_offers[i];
        rc = deflate_negotiate(offer->value, strlen(offer->value));

        if (rc != offer->want) {
            printf("# in: %s\n", offer->value);
        }

        test_eq(rc, offer->want);
    }
}


/* Cut anywhere, an offer is taken where it is a shorter one, and no byte
 * behind the end is looked at. */

static void
test_offers_cut(void)
{
    int     want;
    size_t  len;

    static const char  offer[] = "permessage-deflate; client_max_window_bits"
                                 "; server_max_window_bits=\"1\\0\"";

    for (len = 0; len < sizeof(offer); len++) {

        want = (len == 18 || len == 42) ? 15
               : (len == sizeof(offer) - 1) ? 110 : DEFLATE_NONE;

        test_eq(deflate_negotiate(offer, len), want);
    }

    /* a zero is a byte like any other */

    test_eq(deflate_negotiate(deflate_bytes("permessage-deflate\0")),
            DEFLATE_NONE);
    test_eq(deflate_negotiate(deflate_bytes("a\0b, permessage-deflate")), 15);
}


/* A megabyte of each takes milliseconds if it is read once, and hours if the
 * time were quadratic. */

static void
test_offers_linear(void)
{
    size_t   i, n, len;
    char    *value;
    clock_t  start;

    static const char  *units[] = {
        ",", " ", ", ", ";", "; ", "\"", "\\", "\"\\", "=", "a", "a,", "a;",
        "\"a", "\"\",", "a=\"b\",", "permessage-deflate;",
        "permessage-deflate; ,", "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; client_max_window_bits=\"", "\xff"
    };

    value = (char *) test_copy(NULL, DEFLATE_MIB);

    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        len = strlen(units[i]);

        for (n = 0; n + len <= DEFLATE_MIB; n += len) {
            memcpy(value + n, units[i], len);
        }

        start = clock();
        test_eq(deflate_negotiate(value, n), DEFLATE_NONE);
        test_ok(clock() - start < 2 * CLOCKS_PER_SEC);
    }

    free(value);
}


static void
test_response(void)
{
    int                    bits;
    size_t                 len;
    char                   want[CHAT_DEFLATE_RESPONSE_MAX];
    unsigned char          buf[CHAT_DEFLATE_RESPONSE_MAX + 1];
    chat_deflate_params_t  p;

    static const char  plain[] = "permessage-deflate; "
        "server_no_context_takeover; client_no_context_takeover";

    memset(&p, 0, sizeof(chat_deflate_params_t));
    p.server_bits = 15;

    len = chat_deflate_response(&p, buf);
    buf[len] = '\0';
    test_str((char *) buf, plain);

    for (bits = 9; bits <= 15; bits++) {
        p.server_bits = (uint8_t) bits;
        p.server_bits_given = 1;

        (void) snprintf(want, sizeof(want), "%s; server_max_window_bits=%d",
                        plain, bits);

        len = chat_deflate_response(&p, buf);
        test_ok(len <= CHAT_DEFLATE_RESPONSE_MAX);
        buf[len] = '\0';
        test_str((char *) buf, want);
        test_eq(deflate_negotiate((char *) buf, len), DEFLATE_GIVEN + bits);
    }
}


/* 0: zeros, 1: noise, 2: words, 3: noise that comes again at every distance
 * that some window reaches. */

static void
deflate_fill(unsigned char *p, size_t len, unsigned kind)
{
    size_t    i;
    uint32_t  r;

    static const char  words[] = "{\"type\":\"message\",\"room\":\"lobby\","
        "\"seq\":12,\"user\":\"alice\",\"text\":\"hello there\"} ";

    r = 2463534242u;

    for (i = 0; i < len; i++) {
        r ^= r << 13;
        r ^= r >> 17;
        r ^= r << 5;

        p[i] = (kind == 0) ? 0
               : (kind == 1) ? (unsigned char) r
               : (kind == 2) ? words[(i + (i >> 7) * 5) % (sizeof(words) - 1)]
               : (i < 700) ? (unsigned char) r : p[i - 700];
    }
}


static void
test_round_trips(void)
{
    int               level, bits;
    size_t            n;
    unsigned          kind;
    unsigned char    *in;
    chat_deflater_t  *d;
    chat_inflater_t  *i;

    static const size_t  lens[] = {
        0, 1, 2, 125, 126, 249, 250, 251, 1000, 1786, 1787, 5000, 70000
    };

    i = chat_inflater_create();

    for (bits = 9; bits <= 15; bits++) {
        for (level = 1; level <= 9; level++) {
            d = chat_deflater_create(level, bits);

            for (n = 0; n < sizeof(lens) / sizeof(lens[0]); n++) {
                for (kind = 0; kind < 4; kind++) {
                    in = test_copy(NULL, lens[n]);
                    deflate_fill(in, lens[n], kind);
                    deflate_round_trip(d, i, bits, in, lens[n]);
                    free(in);
                }
            }

            chat_deflater_free(d);
        }
    }

    chat_inflater_free(i);
}


static void
deflate_round_trip(chat_deflater_t *d, chat_inflater_t *i, int bits,
    const unsigned char *in, size_t len)
{
    size_t          n, back_len;
    unsigned char  *out, *back;

    out = test_copy(NULL, chat_deflate_bound(len));
    back = test_copy(NULL, len);

    test_eq(chat_deflate(d, in, len, out, chat_deflate_bound(len), &n),
            CHAT_DEFLATE_OK);

    /* never an empty frame, never the tail of the flush */

    test_ok(n > 0 && n <= chat_deflate_bound(len));
    test_ok(n < 4 || memcmp(out + n - 4, "\0\0\xff\xff", 4) != 0);
    test_ok(deflate_window_holds(out, n, bits));

    test_eq(chat_inflate(i, out, n, back, len, &back_len), CHAT_DEFLATE_OK);
    test_eq(back_len, len);
    test_ok(len == 0 || memcmp(in, back, len) == 0);

    free(out);
    free(back);
}


/* A peer with no more window than it asked for can read it. */

static int
deflate_window_holds(const unsigned char *data, size_t len, int bits)
{
    int            rc;
    z_stream       z;
    unsigned char  out[256];

    memset(&z, 0, sizeof(z_stream));

    if (inflateInit2(&z, -bits) != Z_OK) {
        return 0;
    }

    z.next_in = (unsigned char *) data;
    z.avail_in = (uInt) len;

    do {
        z.next_out = out;
        z.avail_out = sizeof(out);

        rc = inflate(&z, Z_SYNC_FLUSH);

    } while (rc == Z_OK && z.avail_out == 0);

    (void) inflateEnd(&z);

    return rc == Z_OK || rc == Z_BUF_ERROR;
}


/* RFC 7692 7.2.3.6 and 7.2.3.1: an empty message is one byte, and one that
 * came before is not referred to. */

static void
test_deflated(void)
{
    size_t            n, m;
    unsigned char     a[64], b[64];
    chat_deflater_t  *d;

    d = chat_deflater_create(6, 15);

    test_eq(chat_deflate(d, NULL, 0, a, sizeof(a), &n), CHAT_DEFLATE_OK);
    test_ok(n == 1 && a[0] == 0);

    test_eq(chat_deflate(d, (unsigned char *) "Hello", 5, a, sizeof(a), &n),
            CHAT_DEFLATE_OK);
    test_ok(n == 7 && memcmp(a, "\xf2\x48\xcd\xc9\xc9\x07\0", 7) == 0);

    test_eq(chat_deflate(d, (unsigned char *) "Hello", 5, b, sizeof(b), &m),
            CHAT_DEFLATE_OK);
    test_ok(n == m && memcmp(a, b, n) == 0);

    chat_deflater_free(d);
    chat_deflater_free(NULL);

    test_ok(chat_deflater_create(0, 15) == NULL);
    test_ok(chat_deflater_create(10, 15) == NULL);
    test_ok(chat_deflater_create(1, 8) == NULL);
    test_ok(chat_deflater_create(1, 16) == NULL);
}


/* Both of the streams inside see all of a message that is given to them: the
 * last bytes repeat the first. */

static void
test_deflate_reach(void)
{
    size_t            i, k, n, m;
    unsigned char     in[32768], out[40000];
    chat_deflater_t  *d;

    static const size_t  lens[] = {
        1786, 1787, 2040, 2048, 2049, 16384, 32506
    };

    d = chat_deflater_create(9, 15);

    for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        deflate_fill(in, lens[i], 1);

        /* 6 bits of 8, or they would be stored as they are */

        for (k = 0; k < lens[i]; k++) {
            in[k] &= 0x3f;
        }

        test_eq(chat_deflate(d, in, lens[i], out, sizeof(out), &n),
                CHAT_DEFLATE_OK);

        memcpy(in + lens[i] - 100, in, 100);

        test_eq(chat_deflate(d, in, lens[i], out, sizeof(out), &m),
                CHAT_DEFLATE_OK);
        test_ok(m < n - 60);
    }

    chat_deflater_free(d);
}


/* Room for what it takes and the flush's four bytes and one: less is refused,
 * and nothing is written behind. */

static void
test_deflate_room(void)
{
    int               rc;
    size_t            n, max, want, kind;
    unsigned char     in[2000], *out;
    chat_deflater_t  *d;

    d = chat_deflater_create(1, 15);

    for (kind = 0; kind < 4; kind++) {
        deflate_fill(in, sizeof(in), kind);

        out = test_copy(NULL, chat_deflate_bound(sizeof(in)));
        test_eq(chat_deflate(d, in, sizeof(in), out,
                             chat_deflate_bound(sizeof(in)), &want),
                CHAT_DEFLATE_OK);
        free(out);

        for (max = 0; max <= want + 8; max++) {
            out = test_copy(NULL, max);
            rc = chat_deflate(d, in, sizeof(in), out, max, &n);

            test_eq(rc, (max > want + 4) ? CHAT_DEFLATE_OK
                                         : CHAT_DEFLATE_TOO_LARGE);
            test_eq(n, (max > want + 4) ? want : 0);

            free(out);
        }
    }

    chat_deflater_free(d);
}


/* The return code; OK is taken back as ERROR if the text is another. */

static int
deflate_inflate(const char *data, size_t len, size_t max, const char *want)
{
    int               rc;
    size_t            n;
    unsigned char    *in, *out;
    chat_inflater_t  *i;

    i = chat_inflater_create();
    in = test_copy(data, len);
    out = test_copy(NULL, max);

    rc = chat_inflate(i, in, len, out, max, &n);

    test_ok(n <= max);

    if (rc == CHAT_DEFLATE_OK
        && (n != strlen(want) || (n && memcmp(out, want, n) != 0)))
    {
        rc = CHAT_DEFLATE_ERROR;
    }

    free(in);
    free(out);
    chat_inflater_free(i);

    return rc;
}


/* RFC 7692 7.2.3 and the forms that it allows besides. */

static void
test_inflated(void)
{
    int     rc;
    size_t  i, max, len;

    static const deflate_stream_t  streams[] = {
        { deflate_bytes("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello" },
        { deflate_bytes("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff\x00"),
          "Hello" },
        { deflate_bytes("\x00\x05\x00\xfa\xff" "Hello\x00"), "Hello" },
        { deflate_bytes("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Hello" },
        { deflate_bytes("\xf3\x48\xcd\xc9\xc9\x07\x00"), "Hello" },
        { deflate_bytes("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07"
                        "\x00"), "Hello" },

        /* ends in a match: there is output when no input is left */

        { deflate_bytes("\x4a\x4c\xc4\x04\x00\x00"), "aaaaaaaaaaaaaaaaaaaa" },
        { deflate_bytes("\x4b\x4c\xc4\x04\x00"), "aaaaaaaaaaaaaaaaaaaa" },

        /* two and three streams that end */

        { deflate_bytes("\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07"
                        "\x00\x00"), "HelloHello" },
        { deflate_bytes("\x01\x02\x00\xfd\xff" "He\x01\x00\x00\xff\xff\x01\x03"
                        "\x00\xfc\xff" "llo\x00"), "Hello" },

        /* empty messages */

        { deflate_bytes("\x00"), "" },
        { deflate_bytes("\x02\x00"), "" },
        { deflate_bytes("\x03\x00"), "" },
        { deflate_bytes("\x03\x00\x00"), "" },
        { deflate_bytes("\x01\x00\x00\xff\xff\x00"), "" },
        { deflate_bytes(""), "" }
    };

    for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        len = strlen(streams[i].text);

        for (max = 0; max < len + 3; max++) {
            rc = deflate_inflate(streams[i].data, streams[i].len, max,
                                 streams[i].text);

            if (rc != (max < len ? CHAT_DEFLATE_TOO_LARGE : CHAT_DEFLATE_OK)) {
                printf("# stream %u, max %u\n", (unsigned) i, (unsigned) max);
            }

            test_eq(rc, max < len ? CHAT_DEFLATE_TOO_LARGE : CHAT_DEFLATE_OK);
        }
    }
}


static void
test_not_deflate(void)
{
    size_t  i;

    static const deflate_stream_t  streams[] = {

        /* block type 3, lengths that differ, a distance before the start */

        { deflate_bytes("\x07"), "" },
        { deflate_bytes("\x00\x05\x00\xfa\xfe" "Hello\x00"), "Hello" },
        { deflate_bytes("\xf2\x48\x05\x41\x00\x00"), "H" },
        { deflate_bytes("\x02\x7e\x00\x00"), "" },

        /* ends inside a block, without the flush's first byte, and with the
         * four bytes that belong away */

        { deflate_bytes("\x00\x05\x00\xfa\xff" "Hel"), "Hel" },
        { deflate_bytes("\x00\x05\x00\xfa\xff" "Hello"), "Hello" },
        { deflate_bytes("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"),
          "Hello" },
        { deflate_bytes("\xf3\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff\x07"),
          "Hello" },
        { deflate_bytes("\xff\xff\xff\xff"), "" }
    };

    for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        test_eq(deflate_inflate(streams[i].data, streams[i].len, 64,
                                streams[i].text),
                CHAT_DEFLATE_ERROR);
    }
}


/* A message that was cut is not taken for a whole one; but a first byte of
 * zero, with which a stored block begins, is the empty message. */

static void
test_inflate_cut(void)
{
    int               rc;
    size_t            n, len, cut, got;
    unsigned          kind;
    unsigned char     in[3000], out[4000], back[3000], *copy;
    chat_deflater_t  *d;
    chat_inflater_t  *i;

    d = chat_deflater_create(9, 15);
    i = chat_inflater_create();

    for (kind = 1; kind < 4; kind++) {
        for (len = 5; len <= sizeof(in); len += 599) {
            deflate_fill(in, len, kind);

            rc = chat_deflate(d, in, len, out, sizeof(out), &n);
            test_eq(rc, CHAT_DEFLATE_OK);

            for (cut = 1; cut < n; cut++) {
                copy = test_copy(out, cut);
                rc = chat_inflate(i, copy, cut, back, sizeof(back), &got);
                test_eq(rc, (cut == 1 && out[0] == 0) ? CHAT_DEFLATE_OK
                                                      : CHAT_DEFLATE_ERROR);
                test_eq(got, 0);
                free(copy);
            }

            /* and the inflater is none the worse */

            rc = chat_inflate(i, out, n, back, sizeof(back), &got);
            test_ok(rc == CHAT_DEFLATE_OK && got == len
                    && memcmp(in, back, len) == 0);
        }
    }

    chat_deflater_free(d);
    chat_inflater_free(i);
}


/* Nothing of one message can be reached from the next: a match 700 bytes
 * back in "b" is in "a" alone. */

static void
test_no_takeover(void)
{
    size_t            n, m, got;
    z_stream          z;
    unsigned char     in[700], a[1024], b[64], out[1024];
    chat_inflater_t  *i;

    deflate_fill(in, sizeof(in), 1);
    memset(&z, 0, sizeof(z_stream));

    test_eq(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);

    z.next_in = in;
    z.avail_in = sizeof(in);
    z.next_out = a;
    z.avail_out = sizeof(a);
    test_eq(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    n = sizeof(a) - z.avail_out - 4;

    z.next_in = in;
    z.avail_in = sizeof(in);
    z.next_out = b;
    z.avail_out = sizeof(b);
    test_eq(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    m = sizeof(b) - z.avail_out - 4;

    (void) deflateEnd(&z);

    i = chat_inflater_create();

    test_eq(chat_inflate(i, a, n, out, sizeof(out), &got), CHAT_DEFLATE_OK);
    test_eq(got, sizeof(in));
    test_eq(chat_inflate(i, b, m, out, sizeof(out), &got), CHAT_DEFLATE_ERROR);
    test_eq(got, 0);

    chat_inflater_free(i);
    chat_inflater_free(NULL);
}


/* Words in pieces, each ended with that flush: blocks of all kinds, and for
 * Z_FINISH streams of their own.  Returns the message's size. */

static size_t
deflate_join(unsigned char *out, size_t max, int level, int flush)
{
    size_t         n, step;
    z_stream       z;
    unsigned char  in[3000];

    deflate_fill(in, sizeof(in), 2);
    memset(&z, 0, sizeof(z_stream));

    (void) deflateInit2(&z, level, Z_DEFLATED, -12, 8, Z_DEFAULT_STRATEGY);

    z.next_out = out;
    z.avail_out = (uInt) max;

    for (n = 0, step = 1; n < sizeof(in); n += step, step *= 2) {
        step = (sizeof(in) - n < step) ? sizeof(in) - n : step;

        z.next_in = in + n;
        z.avail_in = (uInt) step;
        (void) deflate(&z, flush);

        if (flush == Z_FINISH) {
            (void) deflateReset(&z);
            z.next_out = out + (max - z.avail_out);
        }
    }

    (void) deflate(&z, Z_FULL_FLUSH);
    (void) deflateEnd(&z);

    return max - z.avail_out - 4;
}


static void
test_blocks(void)
{
    int               level, rc;
    size_t            k, n, got, max;
    unsigned char     in[3000], out[8192], *back, *copy;
    chat_inflater_t  *i;

    static const int  flushes[] = {
        Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK,
        Z_FINISH
    };

    i = chat_inflater_create();
    deflate_fill(in, sizeof(in), 2);

    for (k = 0; k < sizeof(flushes) / sizeof(flushes[0]); k++) {
        for (level = 0; level <= 9; level++) {
            n = deflate_join(out, sizeof(out), level, flushes[k]);
            copy = test_copy(out, n);

            for (max = sizeof(in) - 2; max <= sizeof(in) + 2; max++) {
                back = test_copy(NULL, max);
                rc = chat_inflate(i, copy, n, back, max, &got);

                test_eq(rc, (max < sizeof(in)) ? CHAT_DEFLATE_TOO_LARGE
                                               : CHAT_DEFLATE_OK);
                test_ok(got == (max < sizeof(in) ? max : sizeof(in)));
                test_ok(memcmp(in, back, got) == 0);

                free(back);
            }

            free(copy);
        }
    }

    chat_inflater_free(i);
}


/* The last byte may hold a match's end and the block's: all input is used and
 * output is still to come. */

static void
test_pending(void)
{
    int               rc;
    size_t            n, got, len, max;
    unsigned char     in[2300], out[64], *back;
    chat_deflater_t  *d;
    chat_inflater_t  *i;

    d = chat_deflater_create(9, 15);
    i = chat_inflater_create();

    memset(in, 'a', sizeof(in));

    for (len = 2000; len <= sizeof(in); len++) {
        test_eq(chat_deflate(d, in, len, out, sizeof(out), &n),
                CHAT_DEFLATE_OK);

        for (max = len - 260; max <= len + 1; max++) {
            back = test_copy(NULL, max);
            rc = chat_inflate(i, out, n, back, max, &got);

            test_eq(rc, (max < len) ? CHAT_DEFLATE_TOO_LARGE
                                    : CHAT_DEFLATE_OK);
            test_eq(got, (max < len) ? max : len);

            free(back);
        }
    }

    chat_deflater_free(d);
    chat_inflater_free(i);
}


/* A megabyte that inflates to one thousand, a thousand times over: it costs
 * what 16 KiB cost, or this took minutes. */

static void
test_bomb(void)
{
    size_t            n, got, times;
    clock_t           start;
    z_stream          z;
    unsigned char    *zeros, *out, *back;
    chat_inflater_t  *i;

    zeros = test_copy(NULL, DEFLATE_MIB);
    out = test_copy(NULL, DEFLATE_MIB);
    back = test_copy(NULL, DEFLATE_LIMIT);

    memset(zeros, 0, DEFLATE_MIB);
    memset(&z, 0, sizeof(z_stream));

    (void) deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    z.next_in = zeros;
    z.avail_in = DEFLATE_MIB;
    z.next_out = out;
    z.avail_out = DEFLATE_MIB;
    (void) deflate(&z, Z_FULL_FLUSH);
    n = DEFLATE_MIB - z.avail_out;
    (void) deflateEnd(&z);

    test_ok(n < DEFLATE_MIB / 1000);

    for (got = n; got + n <= DEFLATE_MIB; got += n) {
        memcpy(out + got, out, n);
    }

    i = chat_inflater_create();
    start = clock();

    for (times = 0; times < 1000; times++) {
        test_eq(chat_inflate(i, out, DEFLATE_MIB, back, DEFLATE_LIMIT, &n),
                CHAT_DEFLATE_TOO_LARGE);
        test_eq(n, DEFLATE_LIMIT);
    }

    test_ok(clock() - start < 10 * CLOCKS_PER_SEC);

    chat_inflater_free(i);
    free(zeros);
    free(out);
    free(back);
}


int
main(void)
{
    test_run("offers", test_offers);
    test_run("an offer cut at every position", test_offers_cut);
    test_run("offers are read in linear time", test_offers_linear);
    test_run("the response", test_response);
    test_run("there and back, every window and level", test_round_trips);
    test_run("what is deflated", test_deflated);
    test_run("a match may reach the whole message", test_deflate_reach);
    test_run("deflate keeps to its room", test_deflate_room);
    test_run("inflate, every limit", test_inflated);
    test_run("what is not deflate", test_not_deflate);
    test_run("a message cut at every position", test_inflate_cut);
    test_run("no message reaches into another", test_no_takeover);
    test_run("blocks of every kind", test_blocks);
    test_run("input is used up before output", test_pending);
    test_run("a bomb costs no more than the limit", test_bomb);

    return test_done();
}
