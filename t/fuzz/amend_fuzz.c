
/*
 * Two texts, one behind a line end in front of the other, as an event and what
 * amends it.  Nothing outside of them is read, no more than the bound is
 * written, and what two objects become is an object.
 */


#include <stdlib.h>
#include <string.h>

#include "chat_amend.h"


int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);


static unsigned char *
amend_fuzz_copy(const unsigned char *data, size_t len)
{
    unsigned char  *p;

    p = malloc(len ? len : 1);

    if (len) {
        memcpy(p, data, len);
    }

    return p;
}


static int
amend_fuzz_object(const unsigned char *text, size_t len)
{
    json_t  *root;

    root = json_loadb((const char *) text, len, 0, NULL);
    json_decref(root);

    return root != NULL;
}


static void
amend_fuzz(const unsigned char *text, size_t len, const unsigned char *by,
    size_t by_len, int deleted)
{
    int                   rc, objects;
    unsigned char        *a, *b, *out;
    chat_json_writer_t    w;

    a = amend_fuzz_copy(text, len);
    b = amend_fuzz_copy(by, by_len);
    out = malloc(chat_amend_bound(len + by_len));

    objects = amend_fuzz_object(a, len) && amend_fuzz_object(b, by_len);

    chat_json_begin(&w, out, chat_amend_bound(len + by_len));

    rc = chat_amend(&w, a, len, b, by_len, deleted);

    if (w.lost
        || (rc != 0 && w.pos != out)
        || (rc == 0 && objects && !amend_fuzz_object(out, w.pos - out)))
    {
        abort();
    }

    free(a);
    free(b);
    free(out);
}


int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const unsigned char  *end;

    end = size ? memchr(data, '\n', size) : NULL;

    if (end == NULL) {
        return 0;
    }

    amend_fuzz(data, end - data, end + 1, data + size - end - 1, 0);
    amend_fuzz(data, end - data, end + 1, data + size - end - 1, 1);

    return 0;
}
