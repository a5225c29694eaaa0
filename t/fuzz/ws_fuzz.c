
/*
 * The frame decoder: the same bytes whole, byte by byte and cut as the input
 * says must give the same trace.
 *
 * Input: one byte of flags (bit 0: permessage-deflate was negotiated, bits 1
 * and 2: the size limit), one byte N, N & 15 bytes of piece sizes less
 * one, used in turn, and the stream.
 */


#include "chat_ws.h"
#include "ws_trace.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void ws_fuzz_cut(const ws_trace_t *whole, unsigned flags,
    const uint8_t *sizes, size_t n, const uint8_t *data, size_t size);
static void ws_fuzz_write(unsigned flags, const uint8_t *data, size_t size);
static void ws_fuzz_init(ws_trace_t *t, unsigned flags);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          n;
    unsigned        flags;
    ws_trace_t      whole;
    const uint8_t  *sizes;

    static const uint8_t  one[] = { 0 };

    if (size < 2) {
        return 0;
    }

    flags = data[0];
    n = data[1] & 15;
    sizes = data + 2;

    if (size - 2 < n) {
        return 0;
    }

    data = sizes + n;
    size -= 2 + n;

    ws_fuzz_init(&whole, flags);
    ws_trace_feed(&whole, data, size);

    ws_fuzz_cut(&whole, flags, one, 1, data, size);

    if (n) {
        ws_fuzz_cut(&whole, flags, sizes, n, data, size);
    }

    ws_trace_free(&whole);

    ws_fuzz_write(flags, data, size);

    return 0;
}


/* What is written is as long as was said, and a frame of ours. */

static void
ws_fuzz_write(unsigned flags, const uint8_t *data, size_t size)
{
    size_t     i, n;
    unsigned   code;
    uint64_t   len;
    uint8_t    p[2 + CHAT_WS_CONTROL_MAX];

    for (i = 0; i < 64; i += 8) {
        len = (uint64_t) size << i;

        if (chat_ws_header(p, flags, len)
            != (len < 126 ? 2 : len < 65536 ? 4 : CHAT_WS_HEADER_MAX)
            || p[0] != flags || (p[1] & 0x80))
        {
            abort();
        }
    }

    code = 4000 + flags % 2;

    n = chat_ws_close_frame(p, code, (const char *) data, size);

    if (n < 4 || n != 2 + (size_t) p[1] || n > sizeof(p)
        || chat_ws_close_code(p + 2, p[1]) != code)
    {
        abort();
    }

    if (chat_ws_close_frame(p, CHAT_WS_NO_STATUS, NULL, 0) != 2) {
        abort();
    }
}


static void
ws_fuzz_cut(const ws_trace_t *whole, unsigned flags, const uint8_t *sizes,
    size_t n, const uint8_t *data, size_t size)
{
    size_t      i, step;
    ws_trace_t  t;

    ws_fuzz_init(&t, flags);

    for (i = 0; size; i++) {
        step = (size_t) sizes[i % n] + 1;
        step = (step > size) ? size : step;

        ws_trace_feed(&t, data, step);

        data += step;
        size -= step;
    }

    if (!ws_trace_alike(&t, whole)) {
        fprintf(stderr, "whole: %s\ncut:   %s\n",
                whole->text ? whole->text : "", t.text ? t.text : "");
        abort();
    }

    ws_trace_free(&t);
}


static void
ws_fuzz_init(ws_trace_t *t, unsigned flags)
{
    static const uint64_t  limits[] = { 16, 300, 70000, UINT64_MAX };

    ws_trace_init(t, limits[flags >> 1 & 3], flags & 1);
}
