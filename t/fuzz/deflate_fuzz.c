
/*
 * Inflate: any bytes, with a limit of output from the input; what it takes
 * must be taken with a limit of just its size too, refused with one less, and
 * come back from deflate.  Deflate: the same bytes as a text.
 *
 * Input: two bytes of limit, one byte of level and window, the message.
 */


#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat_deflate.h"


#define deflate_fuzz_must(cond)                                               \
    if (!(cond)) {                                                            \
        fprintf(stderr, "failed: %s\n", #cond);                               \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void deflate_fuzz_inflate(const uint8_t *data, size_t size,
    size_t max);
static void deflate_fuzz_round_trip(unsigned settings, const uint8_t *data,
    size_t size);
static int deflate_fuzz_run(const uint8_t *data, size_t size, uint8_t **out,
    size_t max, size_t *len);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t  max;

    if (size < 3) {
        return 0;
    }

    max = (size_t) data[0] << 8 | data[1];

    deflate_fuzz_inflate(data + 3, size - 3, max);
    deflate_fuzz_round_trip(data[2], data + 3, size - 3);

    return 0;
}


static void
deflate_fuzz_inflate(const uint8_t *data, size_t size, size_t max)
{
    int       rc;
    size_t    len, again;
    uint8_t  *out, *exact;

    rc = deflate_fuzz_run(data, size, &out, max, &len);

    deflate_fuzz_must(len <= max);
    deflate_fuzz_must(rc != CHAT_DEFLATE_ERROR || len == 0);
    deflate_fuzz_must(rc != CHAT_DEFLATE_TOO_LARGE || len == max);

    if (rc == CHAT_DEFLATE_OK) {
        rc = deflate_fuzz_run(data, size, &exact, len, &again);

        deflate_fuzz_must(rc == CHAT_DEFLATE_OK && again == len);
        deflate_fuzz_must(len == 0 || memcmp(out, exact, len) == 0);
        free(exact);

        if (len) {
            rc = deflate_fuzz_run(data, size, &exact, len - 1, &again);

            deflate_fuzz_must(rc == CHAT_DEFLATE_TOO_LARGE);
            free(exact);
        }

        deflate_fuzz_round_trip(0, out, len);
    }

    free(out);
}


static void
deflate_fuzz_round_trip(unsigned settings, const uint8_t *data, size_t size)
{
    int               rc;
    size_t            len, back_len, max;
    uint8_t          *out, *back;
    chat_deflater_t  *d;

    d = chat_deflater_create(1 + settings % 9, 9 + settings / 9 % 7);
    max = chat_deflate_bound(size);
    out = malloc(max);

    deflate_fuzz_must(d && out);

    rc = chat_deflate(d, data, size, out, max, &len);
    deflate_fuzz_must(rc == CHAT_DEFLATE_OK && len);

    rc = deflate_fuzz_run(out, len, &back, size, &back_len);
    deflate_fuzz_must(rc == CHAT_DEFLATE_OK && back_len == size);
    deflate_fuzz_must(size == 0 || memcmp(back, data, size) == 0);

    /* never a byte more than there is room for */

    rc = chat_deflate(d, data, size, out, len, &back_len);
    deflate_fuzz_must(rc == CHAT_DEFLATE_TOO_LARGE);

    rc = chat_deflate(d, data, size, out, 0, &back_len);
    deflate_fuzz_must(rc == CHAT_DEFLATE_TOO_LARGE && back_len == 0);

    rc = chat_deflate(d, data, size, out, (size_t) UINT_MAX + 1, &back_len);
    deflate_fuzz_must(rc == CHAT_DEFLATE_TOO_LARGE);

    deflate_fuzz_must(chat_deflater_create(0, 15) == NULL);

    free(back);
    free(out);
    chat_deflater_free(d);
    chat_deflater_free(NULL);
}


static int
deflate_fuzz_run(const uint8_t *data, size_t size, uint8_t **out, size_t max,
    size_t *len)
{
    int               rc;
    chat_inflater_t  *i;

    i = chat_inflater_create();
    *out = malloc(max ? max : 1);

    deflate_fuzz_must(i && *out);

    rc = chat_inflate(i, data, (size_t) UINT_MAX + 1, *out, max, len);
    deflate_fuzz_must(rc == CHAT_DEFLATE_TOO_LARGE && *len == 0);

    rc = chat_inflate(i, data, size, *out, max, len);

    chat_inflater_free(i);
    chat_inflater_free(NULL);

    return rc;
}
