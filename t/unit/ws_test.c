
/*
 * WebSocket frames: whole, cut at every position, byte by byte.
 */


#include "chat_ws.h"
#include "test.h"
#include "ws_trace.h"


#define WS_FIN      CHAT_WS_FIN
#define WS_FRAMES   8
#define WS_STREAM   4096
#define WS_HEADER   14          /* of a frame that a client sends */
#define WS_MAX      1000
#define WS_MIB      1048576


typedef struct {
    unsigned     first;
    const char  *payload;       /* NULL: no more frames */
} ws_frame_t;

typedef struct {
    ws_frame_t   frames[WS_FRAMES];
    const char  *trace;
} ws_case_t;


static const unsigned char  ws_key[4] = { 0x37, 0xfa, 0x21, 0x3d };


static size_t ws_frame(unsigned char *p, unsigned first, const void *payload,
    size_t len);
static size_t ws_header(unsigned char *p, unsigned first, size_t len);
static void ws_check(const unsigned char *stream, size_t len,
    unsigned deflate, const char *want);
static void ws_check_cut(const unsigned char *stream, size_t len, size_t cut,
    unsigned deflate, const ws_trace_t *whole);
static void ws_check_cases(const ws_case_t *cases, size_t n,
    unsigned deflate);
static void ws_check_raw(const char *bytes, size_t len, const char *want);
static void ws_first_two(unsigned inside, unsigned deflate);
static int ws_header_allowed(unsigned a, unsigned b, unsigned inside,
    unsigned deflate);
static unsigned ws_fragments(size_t n, size_t size, uint64_t max);
static unsigned ws_announce(uint64_t len, uint64_t max, unsigned first,
    unsigned deflate, size_t bytes);
static void ws_unmask_one(size_t at, size_t len, size_t turn);


#define ws_raw(bytes, want)  ws_check_raw(bytes, sizeof(bytes) - 1, want)

#define ws_cases_check(cases, deflate)                                        \
    ws_check_cases(cases, sizeof(cases) / sizeof(cases[0]), deflate)


/* A client's frame, masked; returns its size. */

static size_t
ws_frame(unsigned char *p, unsigned first, const void *payload, size_t len)
{
    size_t                i, n;
    const unsigned char  *data;

    n = ws_header(p, first, len);
    data = payload;

    for (i = 0; i < len; i++) {
        p[n + i] = data[i] ^ ws_key[i & 3];
    }

    return n + len;
}


static size_t
ws_header(unsigned char *p, unsigned first, size_t len)
{
    size_t  n;

    n = chat_ws_header(p, first, len);
    p[1] |= 0x80;

    memcpy(p + n, ws_key, 4);

    return n + 4;
}


/* A stream of WS_MAX at most gives that trace whole, in any two pieces, byte
 * by byte and in threes. */

static void
ws_check(const unsigned char *stream, size_t len, unsigned deflate,
    const char *want)
{
    size_t      cut;
    ws_trace_t  whole;

    ws_trace_init(&whole, WS_MAX, deflate);
    ws_trace_feed(&whole, stream, len);

    test_str(whole.text ? whole.text : "", want);

    for (cut = 1; cut < len; cut++) {
        ws_check_cut(stream, len, cut, deflate, &whole);
    }

    ws_trace_free(&whole);
}


static void
ws_check_cut(const unsigned char *stream, size_t len, size_t cut,
    unsigned deflate, const ws_trace_t *whole)
{
    size_t      n, step;
    ws_trace_t  t, steps;

    ws_trace_init(&t, WS_MAX, deflate);
    ws_trace_feed(&t, stream, cut);
    ws_trace_feed(&t, stream + cut, len - cut);

    test_ok(ws_trace_alike(&t, whole));

    ws_trace_free(&t);

    /* and in pieces of that size */

    ws_trace_init(&steps, WS_MAX, deflate);

    for (n = 0; n < len; n += step) {
        step = (len - n < cut) ? len - n : cut;
        ws_trace_feed(&steps, stream + n, step);
    }

    test_ok(ws_trace_alike(&steps, whole));

    ws_trace_free(&steps);
}


static void
ws_check_cases(const ws_case_t *cases, size_t n, unsigned deflate)
{
    size_t             i, k, len;
    unsigned char      stream[WS_STREAM];
    const ws_frame_t  *f;

    for (i = 0; i < n; i++) {
        len = 0;

        for (k = 0; k < WS_FRAMES && cases[i].frames[k].payload; k++) {
            f = &cases[i].frames[k];

            len += ws_frame(stream + len, f->first, f->payload,
                            strlen(f->payload));
        }

        ws_check(stream, len, deflate, cases[i].trace);
    }
}


static void
ws_check_raw(const char *bytes, size_t len, const char *want)
{
    ws_check((const unsigned char *) bytes, len, 0, want);
}


/* RFC 6455 5.7 */

static void
test_examples(void)
{
    ws_raw("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "T(Hello)");
    ws_raw("\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "I(Hello)");
    ws_raw("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "O(Hello)");
    ws_raw("", "");
}


static void
test_messages(void)
{
    static const ws_case_t  cases[] = {
        { { { WS_FIN | 1, "one" }, { WS_FIN | 2, "two" } }, "T(one)B(two)" },
        { { { WS_FIN | 1, "" }, { WS_FIN | 2, "" } }, "T()B()" },
        { { { 1, "a" }, { 0, "b" }, { WS_FIN, "c" } }, "T(abc)" },
        { { { 2, "" }, { 0, "" }, { WS_FIN, "" } }, "B()" },
        { { { 1, "" }, { WS_FIN, "x" }, { WS_FIN | 1, "y" } }, "T(x)T(y)" },
        { { { 1, "a" }, { WS_FIN | 9, "p" }, { WS_FIN | 10, "" },
            { WS_FIN, "b" }, { WS_FIN | 9, "" } }, "T(aI(p)O()b)I()" },
        { { { 1, "a" }, { WS_FIN | 8, "\x03\xe8" "bye" }, { WS_FIN, "b" } },
          "T(aC(\x03\xe8" "bye)" },
        { { { WS_FIN | 8, "" }, { WS_FIN | 1, "x" } }, "C()" },
        { { { WS_FIN | 8, "\x03\xe9" }, { 0x7f, "x" } }, "C(\x03\xe9)" }
    };

    ws_cases_check(cases, 0);
    ws_cases_check(cases, 1);
}


static void
test_broken_messages(void)
{
    static const ws_case_t  cases[] = {
        { { { WS_FIN, "a" } }, "!1002 continuation of no message" },
        { { { 0, "" } }, "!1002 continuation of no message" },
        { { { WS_FIN | 1, "a" }, { WS_FIN, "b" } },
          "T(a)!1002 continuation of no message" },
        { { { 1, "a" }, { WS_FIN | 1, "b" } },
          "T(a!1002 new message inside a fragmented one" },
        { { { 2, "a" }, { 2, "b" } },
          "B(a!1002 new message inside a fragmented one" },
        { { { 9, "a" } }, "!1002 control frame is fragmented" },
        { { { 8, "" } }, "!1002 control frame is fragmented" },
        { { { WS_FIN | 3, "a" } }, "!1002 reserved opcode" },
        { { { WS_FIN | 7, "a" } }, "!1002 reserved opcode" },
        { { { WS_FIN | 11, "a" } }, "!1002 reserved opcode" },
        { { { WS_FIN | 15, "a" } }, "!1002 reserved opcode" },
        { { { WS_FIN | 0x10 | 1, "a" } }, "!1002 reserved bit is set" },
        { { { WS_FIN | 0x20 | 1, "a" } }, "!1002 reserved bit is set" },
        { { { WS_FIN | 0x40 | 9, "a" } },
          "!1002 reserved bit is set in a control frame" },
        { { { 1, "a" }, { WS_FIN | 0x40, "b" } },
          "T(a!1002 reserved bit is set in a continuation" },
    };

    ws_cases_check(cases, 0);
    ws_cases_check(cases, 1);

    ws_raw("\xc1\x81\0\0\0\0x", "!1002 reserved bit is set");
    ws_raw("\x81\x01x", "!1002 frame is not masked");
    ws_raw("\x89\xfe\0\x7e\0\0\0\0", "!1002 control frame is too long");
    ws_raw("GET / HTTP/1.1\r\n", "!1002 reserved opcode");
}


static void
test_compressed(void)
{
    static const ws_case_t  cases[] = {
        { { { WS_FIN | 0x40 | 1, "\xff\x80" } }, "Tz(\xff\x80)" },
        { { { 0x40 | 2, "a" }, { WS_FIN | 9, "p" }, { WS_FIN, "b" },
            { WS_FIN | 1, "c" } }, "Bz(aI(p)b)T(c)" },
        { { { 0x40 | 1, "\xff" }, { WS_FIN, "\xff" }, { WS_FIN | 1, "\xff" } },
          "Tz(\xff\xff)!1007 text is not UTF-8" },
        { { { WS_FIN | 0x40 | 1, "" } }, "Tz()" },
        { { { 1, "a" }, { WS_FIN | 0x40, "b" } },
          "T(a!1002 reserved bit is set in a continuation" },
        { { { 0x40 | 1, "a" }, { WS_FIN | 0x40, "b" } },
          "Tz(a!1002 reserved bit is set in a continuation" }
    };

    ws_cases_check(cases, 1);
}


static void
test_text(void)
{
    static const ws_case_t  cases[] = {
        { { { 1, "\xe2" }, { 0, "\x82" }, { WS_FIN, "\xac" } },
          "T(\xe2\x82\xac)" },
        { { { 1, "\xe2\x82" }, { WS_FIN | 9, "\xff" }, { WS_FIN, "\xac" } },
          "T(\xe2\x82I(\xff)\xac)" },
        { { { 1, "\xe2" }, { 0, "" }, { WS_FIN, "\x82\xac" } },
          "T(\xe2\x82\xac)" },
        { { { WS_FIN | 1, "\xe2\x82" } },
          "!1007 text ends inside a character" },
        { { { 1, "\xe2\x82" }, { WS_FIN, "" } },
          "T(\xe2\x82!1007 text ends inside a character" },
        { { { 1, "ok" }, { 0, "\xed" }, { 0, "\xa0" }, { WS_FIN, "\x80" } },
          "T(ok\xed!1007 text is not UTF-8" },
        { { { WS_FIN | 1, "\xe2\x82\xac" }, { WS_FIN | 1, "\x82" } },
          "T(\xe2\x82\xac)!1007 text is not UTF-8" },
        { { { WS_FIN | 2, "\xff\xc0" } }, "B(\xff\xc0)" }
    };

    ws_cases_check(cases, 0);
    ws_cases_check(cases, 1);
}


/* A text is refused while it comes: nothing after the bad byte is awaited. */

static void
test_text_fail_fast(void)
{
    size_t         len;
    ws_trace_t     t;
    unsigned char  stream[64];

    len = ws_header(stream, WS_FIN | 1, 900);
    stream[len++] = 'a' ^ ws_key[0];
    stream[len++] = 0xc3 ^ ws_key[1];
    stream[len++] = 'a' ^ ws_key[2];

    ws_trace_init(&t, WS_MAX, 0);
    ws_trace_feed(&t, stream, len - 1);
    test_str(t.text, "T(a\xc3");
    ws_trace_feed(&t, stream + len - 1, 1);
    test_str(t.text, "T(a\xc3!1007 text is not UTF-8");
    ws_trace_free(&t);
}


/* Every first two bytes, between messages and inside one. */

static void
test_first_two(void)
{
    ws_first_two(0, 0);
    ws_first_two(0, 1);
    ws_first_two(1, 0);
    ws_first_two(1, 1);
}


static void
ws_first_two(unsigned inside, unsigned deflate)
{
    int                rc, want;
    unsigned           a, b;
    unsigned char      buf[16], *pos;
    chat_ws_event_t    ev;
    chat_ws_decoder_t  start, d;

    chat_ws_decoder_init(&start, WS_MAX, deflate);

    if (inside) {
        pos = buf;
        rc = chat_ws_decode(&start, &pos, buf + ws_frame(buf, 2, "", 0), &ev);
        test_eq(rc, CHAT_WS_DATA);
    }

    for (a = 0; a < 256; a++) {
        for (b = 0; b < 256; b++) {
            buf[0] = (unsigned char) a;
            buf[1] = (unsigned char) b;

            want = ws_header_allowed(a, b, inside, deflate);

            /* an error of the first byte is told without the second */

            d = start;
            pos = buf;
            rc = chat_ws_decode(&d, &pos, buf + 1, &ev);

            test_eq(rc, ws_header_allowed(a, 0x80, inside, deflate)
                        ? CHAT_WS_AGAIN : CHAT_WS_ERROR);
            test_ok(pos == buf);

            d = start;
            rc = chat_ws_decode(&d, &pos, buf + 2, &ev);

            test_eq(rc, want ? CHAT_WS_AGAIN : CHAT_WS_ERROR);
            test_ok(pos == buf);
            test_eq(ev.close_code, want ? 0 : CHAT_WS_PROTOCOL);
        }
    }
}


/* RFC 6455 5.2, 5.4, 5.5; RFC 7692 6: in the words of the documents. */

static int
ws_header_allowed(unsigned a, unsigned b, unsigned inside, unsigned deflate)
{
    unsigned  fin, rsv1, rsv2, rsv3, opcode, mask, len;

    fin = a >> 7;
    rsv1 = a >> 6 & 1;
    rsv2 = a >> 5 & 1;
    rsv3 = a >> 4 & 1;
    opcode = a & 15;
    mask = b >> 7;
    len = b & 127;

    if (!mask || rsv2 || rsv3) {
        return 0;
    }

    switch (opcode) {

    case CHAT_WS_CONTINUATION:
        return inside && !rsv1;

    case CHAT_WS_TEXT:
    case CHAT_WS_BINARY:
        return !inside && (!rsv1 || deflate);

    case CHAT_WS_CLOSE:
    case CHAT_WS_PING:
    case CHAT_WS_PONG:
        return fin && !rsv1 && len <= 125;

    default:
        return 0;
    }
}


static void
test_lengths(void)
{
    size_t          i, n, cut, len;
    ws_trace_t      t;
    unsigned char  *stream, *payload;

    static const size_t  lens[] = {
        0, 1, 2, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537
    };

    for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        len = lens[i];
        payload = test_copy(NULL, len);
        stream = test_copy(NULL, WS_HEADER + len);

        memset(payload, 'x', len);

        n = ws_frame(stream, WS_FIN | 1, payload, len);

        /* around the header, and around the end */

        for (cut = 0; cut <= n; cut += (cut == 20 && n > 40) ? n - 40 : 1) {
            ws_trace_init(&t, len, 0);
            ws_trace_feed(&t, stream, cut);
            ws_trace_feed(&t, stream + cut, n - cut);

            test_ok(!t.broken && !t.failed);
            test_eq(t.len, len + 3);
            test_ok(t.text && memcmp(t.text, "T(", 2) == 0
                    && memcmp(t.text + 2, payload, len) == 0
                    && t.text[t.len - 1] == ')');

            ws_trace_free(&t);
        }

        free(payload);
        free(stream);
    }
}


static void
test_length_forms(void)
{
    static const char  min[] = "!1002 frame length is not in its shortest form";

    ws_raw("\x82\xfe\0\x7d\0\0\0\0", min);
    ws_raw("\x82\xfe\0\0\0\0\0\0", min);
    ws_raw("\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0", min);
    ws_raw("\x82\xff\0\0\0\0\0\0\0\0\0\0\0\0", min);
    ws_raw("\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0",
           "!1002 frame length has its highest bit set");
    ws_raw("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
           "!1002 frame length has its highest bit set");
    ws_raw("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
           "!1009 message is too big");
    ws_raw("\x82\xff\0\0\0\x01\0\0\0\0\0\0\0\0", "!1009 message is too big");
}


/* What a header that announces len is refused with, given its first bytes
 * only; 0 if it is not. */

static unsigned
ws_announce(uint64_t len, uint64_t max, unsigned first, unsigned deflate,
    size_t bytes)
{
    unsigned char      buf[WS_HEADER], *pos;
    chat_ws_event_t    ev;
    chat_ws_decoder_t  d;

    (void) ws_header(buf, first, len);

    chat_ws_decoder_init(&d, max, deflate);

    pos = buf;

    return chat_ws_decode(&d, &pos, buf + bytes, &ev) == CHAT_WS_ERROR
           ? ev.close_code : 0;
}


static void
test_size_at_header(void)
{
    unsigned  rsv;

    rsv = WS_FIN | CHAT_WS_RSV1 | 2;

    /* the length is enough, the key is not awaited */

    test_eq(ws_announce(100, 100, WS_FIN | 2, 0, 2), 0);
    test_eq(ws_announce(101, 100, WS_FIN | 2, 0, 2), 1009);
    test_eq(ws_announce(1001, 1000, WS_FIN | 2, 0, 3), 0);
    test_eq(ws_announce(1000, 1000, WS_FIN | 2, 0, 4), 0);
    test_eq(ws_announce(1001, 1000, WS_FIN | 2, 0, 4), 1009);
    test_eq(ws_announce(WS_MIB + 1, WS_MIB, WS_FIN | 2, 0, 9), 0);
    test_eq(ws_announce(WS_MIB, WS_MIB, WS_FIN | 2, 0, 10), 0);
    test_eq(ws_announce(WS_MIB + 1, WS_MIB, WS_FIN | 2, 0, 10), 1009);
    test_eq(ws_announce(1, 0, WS_FIN | 1, 0, 2), 1009);
    test_eq(ws_announce(0, 0, WS_FIN | 1, 0, 6), 0);

    /* no limit at all, as far as numbers go */

    test_eq(ws_announce(INT64_MAX, UINT64_MAX, WS_FIN | 2, 0, 14), 0);
    test_eq(ws_announce(INT64_MAX, UINT64_MAX, rsv, 1, 14), 0);

    /* what deflate may add: 6400/8 + 6400/64 + 64 */

    test_eq(ws_announce(6400, 6400, rsv, 1, 4), 0);
    test_eq(ws_announce(7364, 6400, rsv, 1, 4), 0);
    test_eq(ws_announce(7365, 6400, rsv, 1, 4), 1009);
    test_eq(ws_announce(6401, 6400, WS_FIN | 2, 1, 4), 1009);
}


/* The limits are a message's, not a connection's, and a compressed message
 * keeps its own over all of its fragments. */

static void
test_many(void)
{
    int                rc;
    size_t             n;
    unsigned           first;
    unsigned char      buf[8 + 600], *pos;
    chat_ws_event_t    ev;
    chat_ws_decoder_t  d;

    chat_ws_decoder_init(&d, WS_MAX, 1);

    for (n = 0; n < 40000; n++) {
        first = (n & 1) ? WS_FIN : (n & 2) ? CHAT_WS_RSV1 | 2 : 2;

        memset(buf, 0, sizeof(buf));
        (void) ws_header(buf, first, 500 + ((n & 3) == 3 ? 100 : 0));

        pos = buf;
        rc = chat_ws_decode(&d, &pos, buf + sizeof(buf), &ev);

        test_eq(rc, CHAT_WS_DATA);
        test_eq(ev.last, n & 1);
        test_eq(ev.compressed, n >> 1 & 1);
    }
}


/* The close code that a message of n + 1 such fragments ends with, or 0. */

static unsigned
ws_fragments(size_t n, size_t size, uint64_t max)
{
    int                rc;
    size_t             i, len;
    unsigned           code;
    unsigned char      frame[WS_HEADER + 256], buf[WS_HEADER + 256], *pos;
    chat_ws_event_t    ev;
    chat_ws_decoder_t  d;

    memset(buf, 'x', sizeof(buf));
    memset(&ev, 0, sizeof(chat_ws_event_t));
    chat_ws_decoder_init(&d, max, 0);

    code = 0;

    for (i = 0; i <= n && code == 0; i++) {
        len = ws_frame(frame, (i == 0) ? 1 : (i == n) ? WS_FIN : 0, buf + 14,
                       (i == n) ? 0 : size);

        memcpy(buf, frame, len);

        pos = buf;
        rc = chat_ws_decode(&d, &pos, buf + len, &ev);
        code = ev.close_code;

        test_eq(rc, code ? CHAT_WS_ERROR : CHAT_WS_DATA);
        test_ok(code || (pos == buf + len && ev.len == len - 6));

        memset(buf, 'x', sizeof(buf));
    }

    test_ok(code || ev.last);

    return code;
}


static void
test_fragments(void)
{
    /* the size limit counts them together */

    test_eq(ws_fragments(10, 100, 1000), 0);
    test_eq(ws_fragments(10, 100, 999), 1009);

    test_eq(ws_fragments(4 * WS_MIB / 64, 64, 4 * WS_MIB), 0);
    test_eq(ws_fragments(16383, 1, 16384), 0);
    test_eq(ws_fragments(16384, 1, 16384), 0);

    /* 16384 + 64000/64 */

    test_eq(ws_fragments(17383, 0, 64000), 0);
    test_eq(ws_fragments(17384, 0, 64000), 1009);
    test_eq(ws_fragments(10000000, 0, 16384), 1009);
}


static void
test_close(void)
{
    int                rc, want;
    unsigned           code;
    unsigned char      buf[WS_HEADER + 8], payload[2], *pos;
    chat_ws_event_t    ev;
    chat_ws_decoder_t  d;

    static const ws_case_t  cases[] = {
        { { { WS_FIN | 8, "x" } }, "!1002 close frame with half a code" },
        { { { WS_FIN | 8, "\x03\xed" } }, "!1002 invalid close code" },
        { { { WS_FIN | 8, "\x03\xe8gr\xc3\xbc\xc3\x9f" "e" } },
          "C(\x03\xe8gr\xc3\xbc\xc3\x9f" "e)" },
        { { { WS_FIN | 8, "\x03\xe8gr\xc3" } },
          "!1007 close reason is not UTF-8" },
        { { { WS_FIN | 8, "\x03\xe8\xff" } },
          "!1007 close reason is not UTF-8" },
        { { { WS_FIN | 8, "\x0f\xa0" }, { WS_FIN | 8, "x" } },
          "C(\x0f\xa0)" }
    };

    ws_cases_check(cases, 0);

    for (code = 0; code < 65536; code++) {
        payload[0] = (unsigned char) (code >> 8);
        payload[1] = (unsigned char) code;

        want = (code >= 1000 && code <= 1014 && code != 1004 && code != 1005
                && code != 1006)
               || (code >= 3000 && code <= 4999);

        chat_ws_decoder_init(&d, WS_MAX, 0);
        pos = buf;
        rc = chat_ws_decode(&d, &pos,
                            buf + ws_frame(buf, WS_FIN | 8, payload, 2), &ev);

        test_eq(rc, want ? CHAT_WS_CONTROL : CHAT_WS_ERROR);
        test_eq(want ? chat_ws_close_code(ev.data, ev.len) : code, code);
        test_eq(ev.close_code, want ? 0 : CHAT_WS_PROTOCOL);
    }

    test_eq(chat_ws_close_code(payload, 0), CHAT_WS_NO_STATUS);
}


/* A control frame is taken whole, and the longest one leaves no more behind
 * than CHAT_WS_REST_MAX says. */

static void
test_control_whole(void)
{
    size_t             n, len;
    unsigned char      stream[WS_HEADER + CHAT_WS_CONTROL_MAX];
    unsigned char      payload[CHAT_WS_CONTROL_MAX], *buf, *pos;
    chat_ws_event_t    ev;
    chat_ws_decoder_t  d;

    memset(payload, 'p', sizeof(payload));
    chat_ws_decoder_init(&d, WS_MAX, 0);

    len = ws_frame(stream, WS_FIN | 9, payload, sizeof(payload));

    test_eq(len, CHAT_WS_REST_MAX);

    for (n = 0; n < len; n++) {
        buf = test_copy(stream, n);
        pos = buf;

        test_eq(chat_ws_decode(&d, &pos, buf + n, &ev), CHAT_WS_AGAIN);
        test_ok(pos == buf && (n == 0 || memcmp(buf, stream, n) == 0));

        free(buf);
    }

    pos = stream;

    test_eq(chat_ws_decode(&d, &pos, stream + len, &ev), CHAT_WS_CONTROL);
    test_ok(pos == stream + len);
    test_ok(ev.len == 125 && memcmp(ev.data, payload, 125) == 0);
}


/* An error is for ever. */

static void
test_failed(void)
{
    unsigned char      bad[] = { 0x83 }, good[WS_HEADER], *pos, *end;
    chat_ws_event_t    ev;
    chat_ws_decoder_t  d;

    chat_ws_decoder_init(&d, WS_MAX, 0);

    pos = bad;
    test_eq(chat_ws_decode(&d, &pos, bad + 1, &ev), CHAT_WS_ERROR);

    end = good + ws_frame(good, WS_FIN | 1, "x", 1);
    pos = good;
    test_eq(chat_ws_decode(&d, &pos, end, &ev), CHAT_WS_ERROR);
    test_eq(ev.close_code, CHAT_WS_PROTOCOL);
    test_str(ev.reason, "input after an error");
}


static void
test_header(void)
{
    size_t         i;
    unsigned char  buf[CHAT_WS_HEADER_MAX];

    static const struct {
        uint64_t     len;
        const char  *bytes;
        size_t       size;
    } cases[] = {
        { 0, "\x81\x00", 2 },
        { 125, "\x81\x7d", 2 },
        { 126, "\x81\x7e\x00\x7e", 4 },
        { 65535, "\x81\x7e\xff\xff", 4 },
        { 65536, "\x81\x7f\0\0\0\0\0\x01\0\0", 10 },
        { 0x0123456789abcdefULL, "\x81\x7f\x01\x23\x45\x67\x89\xab\xcd\xef",
          10 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_eq(chat_ws_header(buf, WS_FIN | 1, cases[i].len), cases[i].size);
        test_ok(memcmp(buf, cases[i].bytes, cases[i].size) == 0);
    }
}


static void
test_close_frame(void)
{
    size_t         i, n;
    unsigned char  buf[2 + CHAT_WS_CONTROL_MAX];
    char           reason[130];

    test_eq(chat_ws_close_frame(buf, CHAT_WS_NO_STATUS, "", 0), 2);
    test_ok(memcmp(buf, "\x88\0", 2) == 0);

    test_eq(chat_ws_close_frame(buf, 1002, "no", 2), 6);
    test_ok(memcmp(buf, "\x88\x04\x03\xea" "no", 6) == 0);

    test_eq(chat_ws_close_frame(buf, 1000, NULL, 0), 4);
    test_ok(memcmp(buf, "\x88\x02\x03\xe8", 4) == 0);

    memset(reason, 'r', sizeof(reason));

    for (i = 120; i <= sizeof(reason); i++) {
        test_eq(chat_ws_close_frame(buf, 1000, reason, i),
                4 + (i < 123 ? i : 123));
    }

    /* a character that would pass the end at each place of it */

    for (i = 118; i < 124; i++) {
        memset(reason, 'r', sizeof(reason));
        memcpy(reason + i, "\xf0\x9f\x98\x80", 4);

        n = chat_ws_close_frame(buf, 1000, reason, sizeof(reason));

        test_eq(n, (i > 119) ? 4 + i : 127);
        test_eq(buf[1], n - 2);
        test_ok(chat_utf8_valid(buf + 4, n - 4));
        test_ok(memcmp(buf + 4, reason, n - 4) == 0);
    }
}


static void
test_unmask(void)
{
    size_t  at, len, turn;

    for (at = 0; at < 64; at++) {
        for (len = 0; len <= 200; len++) {
            for (turn = 0; turn < 4; turn++) {
                ws_unmask_one(at, len, turn);
            }
        }
    }
}


static void
ws_unmask_one(size_t at, size_t len, size_t turn)
{
    size_t         i;
    unsigned       bad;
    unsigned char  mask[4];

    static unsigned char  buf[64 + 200 + 64] __attribute__((aligned(64)));

    for (i = 0; i < sizeof(buf); i++) {
        buf[i] = (unsigned char) (i * 7);
    }

    for (i = 0; i < 4; i++) {
        mask[i] = ws_key[(i + turn) & 3];
    }

    chat_ws_unmask(buf + at, len, mask);

    bad = 0;

    for (i = 0; i < sizeof(buf); i++) {
        bad += buf[i] != (unsigned char) (i * 7 ^ (
                   (i < at || i >= at + len) ? 0
                                             : ws_key[(i - at + turn) & 3]));
    }

    test_eq(bad, 0);

    for (i = 0; i < 4; i++) {
        test_eq(mask[i], ws_key[(i + turn + len) & 3]);
    }
}


int
main(void)
{
    test_run("the examples of RFC 6455", test_examples);
    test_run("messages, fragments, controls between", test_messages);
    test_run("broken messages", test_broken_messages);
    test_run("compressed messages", test_compressed);
    test_run("text over fragments", test_text);
    test_run("text refused while it comes", test_text_fail_fast);
    test_run("every first two bytes", test_first_two);
    test_run("lengths of each form", test_lengths);
    test_run("over-long and negative lengths", test_length_forms);
    test_run("size refused at the header", test_size_at_header);
    test_run("number of fragments", test_fragments);
    test_run("many messages of one decoder", test_many);
    test_run("close frames", test_close);
    test_run("control frames are taken whole", test_control_whole);
    test_run("an error is for ever", test_failed);
    test_run("encoded headers", test_header);
    test_run("encoded close frames", test_close_frame);
    test_run("unmasking at every alignment and length", test_unmask);

    return test_done();
}
