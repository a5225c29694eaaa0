
/*
 * UTF-8: whole, in pieces, byte by byte, at every place of a vector, against
 * a reference that decodes one character after the other.
 *
 * CHAT_TEST_LONG=1 in the environment tries all of the 2^32 sequences of four
 * bytes instead of those that begin a character of four bytes and a choice of
 * the others.
 */


#include "chat_utf8.h"
#include "test.h"


/* Bytes at which something begins or ends, for sequences by choice. */
static const unsigned char  utf8_edges[] = {
    0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2,
    0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5,
    0xf7, 0xf8, 0xff
};


static int utf8_reference(const unsigned char *p, size_t len);
static size_t utf8_reference_char(const unsigned char *p, size_t len);
static int utf8_bytewise(const unsigned char *p, size_t len);
static void utf8_four(unsigned lead);
static void utf8_pieces(const unsigned char *text, size_t len);


/* The definition, RFC 3629: decode, then look whether the form is shortest
 * and the code point one that may be there. */

static int
utf8_reference(const unsigned char *p, size_t len)
{
    size_t  n;

    while (len) {
        n = utf8_reference_char(p, len);

        if (n == 0) {
            return 0;
        }

        p += n;
        len -= n;
    }

    return 1;
}


static size_t
utf8_reference_char(const unsigned char *p, size_t len)
{
    size_t    i, n;
    unsigned  code;

    static const unsigned  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    if (p[0] < 0x80) {
        return 1;
    }

    n = ((p[0] & 0xe0) == 0xc0) ? 2
        : ((p[0] & 0xf0) == 0xe0) ? 3
        : ((p[0] & 0xf8) == 0xf0) ? 4 : 0;

    if (n == 0 || n > len) {
        return 0;
    }

    code = p[0] & (0x7f >> n);

    for (i = 1; i < n; i++) {

        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        code = code << 6 | (p[i] & 0x3f);
    }

    if (code < least[n] || code > 0x10ffff
        || (code >= 0xd800 && code <= 0xdfff))
    {
        return 0;
    }

    return n;
}


static int
utf8_bytewise(const unsigned char *p, size_t len)
{
    size_t       i;
    chat_utf8_t  u;

    memset(&u, 0, sizeof(chat_utf8_t));

    for (i = 0; i < len; i++) {

        if (!chat_utf8_feed(&u, p + i, 1)) {
            return 0;
        }
    }

    return chat_utf8_complete(&u);
}


static void
test_short(void)
{
    int            want;
    size_t         len;
    unsigned       n, max;
    unsigned char  p[3];

    test_ok(chat_utf8_valid((const unsigned char *) "", 0));

    for (len = 1; len <= 3; len++) {
        max = 1u << (8 * len);

        for (n = 0; n < max; n++) {
            p[0] = (unsigned char) n;
            p[1] = (unsigned char) (n >> 8);
            p[2] = (unsigned char) (n >> 16);

            want = utf8_reference(p, len);

            test_ok(chat_utf8_valid(p, len) == want);
            test_ok(utf8_bytewise(p, len) == want);
        }
    }
}


static void
test_four(void)
{
    unsigned  lead;

    for (lead = 0xf0; lead <= 0xf4; lead++) {
        utf8_four(lead);
    }

    if (getenv("CHAT_TEST_LONG") == NULL) {
        return;
    }

    for (lead = 0; lead <= 0xff; lead++) {
        utf8_four(lead);
    }
}


static void
utf8_four(unsigned lead)
{
    unsigned       n;
    unsigned char  p[4];

    p[0] = (unsigned char) lead;

    for (n = 0; n < 1 << 24; n++) {
        p[1] = (unsigned char) (n >> 16);
        p[2] = (unsigned char) (n >> 8);
        p[3] = (unsigned char) n;

        test_ok(chat_utf8_valid(p, 4) == utf8_reference(p, 4));
    }
}


/* Any two bytes and then two of the edges: a character before another. */

static void
test_four_edges(void)
{
    int            want;
    size_t         i, k;
    unsigned       n;
    unsigned char  p[4];

    for (n = 0; n < 65536; n++) {
        p[0] = (unsigned char) (n >> 8);
        p[1] = (unsigned char) n;

        for (i = 0; i < sizeof(utf8_edges); i++) {
            p[2] = utf8_edges[i];

            for (k = 0; k < sizeof(utf8_edges); k++) {
                p[3] = utf8_edges[k];

                want = utf8_reference(p, 4);

                test_ok(chat_utf8_valid(p, 4) == want);
                test_ok(utf8_bytewise(p, 4) == want);
            }
        }
    }
}


/* Each sequence at each place between ASCII, so that every step of the
 * vectors and every alignment meets it. */

static void
test_places(void)
{
    size_t         i, k, len, at;
    unsigned char  text[160], *p;

    for (i = 0; i < sizeof(utf8_edges); i++) {
        for (k = 0; k < sizeof(utf8_edges); k++) {
            for (at = 0; at <= 140; at++) {
                memset(text, 'a', sizeof(text));

                text[at] = utf8_edges[i];
                text[at + 1] = utf8_edges[k];
                text[at + 2] = 0xbf;

                len = at + 3 + (i + k) % 17;
                p = test_copy(text, len);

                test_ok(chat_utf8_valid(p, len) == utf8_reference(p, len));

                free(p);
            }
        }
    }
}


static void
test_pieces(void)
{
    size_t  i;

    static const char  *texts[] = {
        "",
        "plain",
        "gr\xc3\xbc\xc3\x9f" "e",
        "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
        "\xe4\xbd\xa0\xe5\xa5\xbd a \xe2\x82\xac",
        "\xf0\x9f\x98\x80\xf0\x9f\x91\x8d\xf4\x8f\xbf\xbf!",
        "0123456789012345678901234567890123456789012345678901234567890123456789"
        "\xc3\xa4" "0123456789\xe2\x82\xac" "01234567890123456789",
        "ends inside \xe2\x82",
        "surrogate \xed\xa0\x80 here",
        "too high \xf4\x90\x80\x80 here",
        "over-long \xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf",
        "no lead \x80 here"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        utf8_pieces((const unsigned char *) texts[i], strlen(texts[i]));
    }
}


static void
utf8_pieces(const unsigned char *text, size_t len)
{
    int             ok, want;
    size_t          i, k;
    chat_utf8_t     u;
    unsigned char  *a, *b, *c;

    want = utf8_reference(text, len);

    test_ok(chat_utf8_valid(text, len) == want);
    test_ok(utf8_bytewise(text, len) == want);

    for (i = 0; i <= len; i++) {
        for (k = i; k <= len; k++) {
            a = test_copy(text, i);
            b = test_copy(text + i, k - i);
            c = test_copy(text + k, len - k);

            memset(&u, 0, sizeof(chat_utf8_t));

            ok = chat_utf8_feed(&u, a, i)
                 && chat_utf8_feed(&u, b, k - i)
                 && chat_utf8_feed(&u, c, len - k)
                 && chat_utf8_complete(&u);

            test_ok(ok == want);

            free(a);
            free(b);
            free(c);
        }
    }
}


/* The first byte with which no valid text can begin so is refused, and none
 * before it. */

static void
test_fail_fast(void)
{
    size_t       i, n, len;
    chat_utf8_t  u;

    static const struct {
        const char  *text;
        size_t       bad;
    } cases[] = {
        { "\xc0\xaf", 0 },
        { "\xc1\xbf", 0 },
        { "\x80", 0 },
        { "\xf5\x80\x80\x80", 0 },
        { "\xff", 0 },
        { "\xe0\x9f\xbf", 1 },
        { "\xed\xa0\x80", 1 },
        { "\xf0\x8f\xbf\xbf", 1 },
        { "\xf4\x90\x80\x80", 1 },
        { "\xe2\x28\xa1", 1 },
        { "\xe2\x82\x28", 2 },
        { "\xf0\x9f\x98\x28", 3 },
        { "abc\xc3\xa4\xe2\x82\xac\xf4\x8f\xbf\xc0", 11 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = strlen(cases[i].text);

        memset(&u, 0, sizeof(chat_utf8_t));

        for (n = 0; n < len; n++) {

            if (!chat_utf8_feed(&u, (const unsigned char *) cases[i].text + n,
                                1))
            {
                break;
            }
        }

        test_eq(n, cases[i].bad);

        memset(&u, 0, sizeof(chat_utf8_t));

        test_ok(chat_utf8_feed(&u, (const unsigned char *) cases[i].text, n));
        test_ok(!chat_utf8_feed(&u, (const unsigned char *) cases[i].text + n,
                                1));
    }
}


static void
test_name(void)
{
    size_t         i;
    unsigned       n;
    unsigned char  ch;

    static const struct {
        const char  *text;
        size_t       len;
        int          want;
    } cases[] = {
        { "alice", 5, 1 },
        { "", 0, 0 },
        { "12345678", 8, 1 },
        { "123456789", 9, 0 },
        { "gr\xc3\xbcn", 5, 1 },
        { "\xc2\xa0", 2, 1 },
        { "\xc2\x9f", 2, 0 },
        { "\xc2\x80", 2, 0 },
        { "a\x7f", 2, 0 },
        { "a\0b", 3, 0 },
        { "a\nb", 3, 0 },
        { "a\x1f", 2, 0 },
        { "a b", 3, 1 },
        { "\xe2\x82", 2, 0 },
        { "\xed\xa0\x80", 3, 0 },
        { "\xc2", 1, 0 },
        { "\xf0\x9f\x98\x80", 4, 1 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_eq(chat_utf8_name((const unsigned char *) cases[i].text,
                               cases[i].len, 1, 8),
                cases[i].want);
    }

    for (n = 0; n < 0x80; n++) {
        ch = (unsigned char) n;

        test_eq(chat_utf8_name(&ch, 1, 1, 8), n >= 0x20 && n != 0x7f);
    }

    test_ok(chat_utf8_name((const unsigned char *) "", 0, 0, 8));
    test_ok(!chat_utf8_name((const unsigned char *) "ab", 2, 3, 8));
}


int
main(void)
{
    test_run("every sequence of one to three bytes", test_short);
    test_run("every character of four bytes", test_four);
    test_run("four bytes of any two and two edges", test_four_edges);
    test_run("every place between ASCII", test_places);
    test_run("cut at every two positions", test_pieces);
    test_run("refused at the first bad byte", test_fail_fast);
    test_run("names", test_name);

    return test_done();
}
