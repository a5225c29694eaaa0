
/*
 * Copyright (C) the chat module's authors
 */


#include "chat_glob.h"


int
chat_glob(const unsigned char *pattern, size_t len, const unsigned char *name,
    size_t name_len)
{
    const unsigned char  *p, *pend, *s, *send, *star, *from;

    p = pattern;
    pend = p + len;
    s = name;
    send = s + name_len;
    star = NULL;
    from = s;

    while (s < send) {

        if (p < pend && *p == '*') {
            star = ++p;
            from = s;
            continue;
        }

        if (p < pend && *p == '?') {
            p++;

            do {
                s++;
            } while (s < send && (*s & 0xc0) == 0x80);

            continue;
        }

        if (p < pend && *p == *s) {
            p++;
            s++;
            continue;
        }

        if (star == NULL) {
            return 0;
        }

        /* only the last one met: what an earlier one took is as good */

        p = star;
        s = ++from;
    }

    while (p < pend && *p == '*') {
        p++;
    }

    return p == pend;
}
