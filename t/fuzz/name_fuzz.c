
/*
 * Any bytes as a name: UTF-8 is the same whole and cut anywhere; a folding is
 * no longer than the name, is UTF-8, and folds to itself; and the name, with
 * a part of itself as the pattern, is matched as a plain search would.  The
 * first byte says where it is cut.
 */


#include <stdlib.h>
#include <string.h>

#include "chat_fold.h"
#include "chat_glob.h"
#include "chat_utf8.h"


#define NAME_FUZZ_MAX  128               /* as long as names can be */


#define name_fuzz_must(cond)                                                  \
    do {                                                                      \
        if (!(cond)) {                                                        \
            abort();                                                          \
        }                                                                     \
    } while (0)


int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);


static void
name_fuzz_utf8(const unsigned char *data, size_t size, size_t cut)
{
    int          cut_good, good;
    chat_utf8_t  u;

    good = chat_utf8_valid(data, size);

    memset(&u, 0, sizeof(chat_utf8_t));

    cut_good = chat_utf8_feed(&u, data, cut)
               && chat_utf8_feed(&u, data + cut, size - cut)
               && chat_utf8_complete(&u);

    name_fuzz_must(good == cut_good);

    if (chat_utf8_name(data, size, 1, NAME_FUZZ_MAX)) {
        name_fuzz_must(good && size >= 1 && size <= NAME_FUZZ_MAX);
        name_fuzz_must(!chat_utf8_name(data, size, size + 1, size + 1));
    }
}


static void
name_fuzz_fold(const unsigned char *data, size_t size, int looks)
{
    size_t          n, m;
    unsigned char  *once, *twice;

    once = malloc(size ? size : 1);
    n = chat_fold(once, data, size, looks);

    name_fuzz_must(n <= size && (n > 0 || size == 0));
    name_fuzz_must(chat_utf8_valid(once, n));

    twice = malloc(n ? n : 1);
    m = chat_fold(twice, once, n, looks);

    name_fuzz_must(m <= n && (m > 0 || n == 0));

    if (!looks) {
        name_fuzz_must(m == n && memcmp(once, twice, n) == 0);
    }

    free(once);
    free(twice);
}


/* The slow and simple way, for names of a few characters. */

static int
name_fuzz_matches(const unsigned char *p, size_t len, const unsigned char *s,
    size_t n)
{
    if (len == 0) {
        return n == 0;
    }

    if (*p == '*') {
        return name_fuzz_matches(p + 1, len - 1, s, n)
               || (n && name_fuzz_matches(p, len, s + 1, n - 1));
    }

    if (n == 0) {
        return 0;
    }

    if (*p == '?') {

        do {
            s++;
            n--;
        } while (n && (*s & 0xc0) == 0x80);

        return name_fuzz_matches(p + 1, len - 1, s, n);
    }

    return *p == *s && name_fuzz_matches(p + 1, len - 1, s + 1, n - 1);
}


static void
name_fuzz_glob(const unsigned char *data, size_t size, size_t cut)
{
    int             found;
    unsigned char  *pattern, *name;

    if (!chat_utf8_valid(data, cut)
        || !chat_utf8_valid(data + cut, size - cut))
    {
        return;
    }

    /* copies: what is read outside of them is seen */

    pattern = malloc(cut + 1);
    name = malloc(size - cut + 1);
    memcpy(pattern, data, cut);
    memcpy(name, data + cut, size - cut);

    pattern = realloc(pattern, cut ? cut : 1);
    name = realloc(name, size > cut ? size - cut : 1);

    found = chat_glob(pattern, cut, name, size - cut);

    if (size <= 24) {
        name_fuzz_must(found == name_fuzz_matches(pattern, cut, name,
                                                  size - cut));
    }

    free(pattern);
    free(name);
}


int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    size_t  cut;

    if (size < 1) {
        return 0;
    }

    size--;
    cut = data[0];
    cut = (cut < size) ? cut : size;
    data++;

    name_fuzz_utf8(data, size, cut);

    if (chat_utf8_valid(data, size)) {
        name_fuzz_fold(data, size, 0);
        name_fuzz_fold(data, size, 1);
    }

    name_fuzz_glob(data, size, cut);

    return 0;
}
