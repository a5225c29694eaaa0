
/*
 * The value of Sec-WebSocket-Extensions: what is accepted is in range, stays
 * so with empty elements and unknown offers around it, and the response to it
 * is an offer that gives the same.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat_deflate.h"


#define handshake_fuzz_must(cond)                                             \
    if (!(cond)) {                                                            \
        fprintf(stderr, "failed: %s\n", #cond);                               \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void handshake_fuzz_around(const chat_deflate_params_t *p,
    const char *before, const uint8_t *data, size_t size, const char *after);
static void handshake_fuzz_same(const chat_deflate_params_t *p,
    const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                  len;
    uint8_t                *response;
    chat_deflate_params_t   p;

    memset(&p, 0, sizeof(chat_deflate_params_t));

    if (!chat_deflate_negotiate(&p, data, size)) {
        handshake_fuzz_must(p.server_bits == 0);
        return 0;
    }

    handshake_fuzz_must(p.server_bits >= 9 && p.server_bits <= 15);
    handshake_fuzz_must(p.server_bits_given || p.server_bits == 15);

    handshake_fuzz_around(&p, "", data, size, "");
    handshake_fuzz_around(&p, ", ,\t", data, size, ",");
    handshake_fuzz_around(&p, "x; y=\",permessage-deflate,\\\"\";z ,",
                          data, size, ", \"");
    handshake_fuzz_around(&p, "x=\"\\\",permessage-deflate,\",", data, size,
                          "");
    handshake_fuzz_around(&p, "permessage-deflate; server_max_window_bits=8,",
                          data, size, "");

    response = malloc(CHAT_DEFLATE_RESPONSE_MAX);
    handshake_fuzz_must(response);

    len = chat_deflate_response(&p, response);
    handshake_fuzz_must(len <= CHAT_DEFLATE_RESPONSE_MAX);
    handshake_fuzz_same(&p, response, len);

    free(response);

    return 0;
}


static void
handshake_fuzz_around(const chat_deflate_params_t *p, const char *before,
    const uint8_t *data, size_t size, const char *after)
{
    size_t    n, m;
    uint8_t  *value;

    n = strlen(before);
    m = strlen(after);

    value = malloc(n + size + m);
    handshake_fuzz_must(value);

    memcpy(value, before, n);
    memcpy(value + n, data, size);
    memcpy(value + n + size, after, m);

    handshake_fuzz_same(p, value, n + size + m);

    free(value);
}


static void
handshake_fuzz_same(const chat_deflate_params_t *p, const uint8_t *data,
    size_t size)
{
    chat_deflate_params_t  q;

    handshake_fuzz_must(chat_deflate_negotiate(&q, data, size));
    handshake_fuzz_must(q.server_bits == p->server_bits);
    handshake_fuzz_must(q.server_bits_given == p->server_bits_given);
}
