
/*
 * Copyright (C) the chat module's authors
 */


#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "chat_base64url.h"


long
chat_base64url(unsigned char *out, const unsigned char *in, size_t len)
{
    size_t          i;
    uint32_t        bits;
    unsigned        have;
    const char     *p;
    unsigned char  *start;

    static const char  alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "abcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_";

    if (len % 4 == 1 || len > INT_MAX) {
        return -1;
    }

    start = out;
    bits = 0;
    have = 0;

    for (i = 0; i < len; i++) {

        p = in[i] ? strchr(alphabet, in[i]) : NULL;

        if (p == NULL) {
            return -1;
        }

        bits = (bits << 6 | (uint32_t) (p - alphabet)) & 0xfff;
        have += 6;

        if (have >= 8) {
            have -= 8;
            *out++ = (unsigned char) (bits >> have);
        }
    }

    /* two spellings of one signature would be two tokens */

    if (bits & ((1u << have) - 1)) {
        return -1;
    }

    return (long) (out - start);
}
