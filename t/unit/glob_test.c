
/*
 * chat_glob: patterns of rooms.
 */


#include <time.h>

#include "chat_glob.h"
#include "test.h"


typedef struct {
    const char  *pattern;
    const char  *name;
    int          match;
} glob_case_t;


static const glob_case_t  glob_cases[] = {
    { "", "", 1 }, { "", "a", 0 }, { "a", "", 0 }, { "a", "a", 1 },
    { "a", "b", 0 }, { "a", "A", 0 }, { "a", "ab", 0 }, { "ab", "a", 0 },
    { "*", "", 1 }, { "*", "lobby", 1 }, { "**", "lobby", 1 },
    { "a*", "a", 1 }, { "a*", "abc", 1 }, { "a*", "ba", 0 },
    { "*a", "a", 1 }, { "*a", "bca", 1 }, { "*a", "ab", 0 },
    { "a*b", "ab", 1 }, { "a*b", "axxb", 1 }, { "a*b", "axxbx", 0 },
    { "a*b*c", "a1b2c", 1 }, { "a*b*c", "a1c2b", 0 },
    { "*ab", "aab", 1 }, { "*aab", "aaab", 1 }, { "a*ab", "aab", 1 },
    { "a*ab", "ab", 0 },
    { "?", "a", 1 }, { "?", "", 0 }, { "?", "ab", 0 }, { "??", "ab", 1 },
    { "?", "\xc3\xb6", 1 }, { "?", "\xf0\x9f\x98\x80", 1 },
    { "??", "\xc3\xb6", 0 }, { "a?c", "a\xe2\x82\xac""c", 1 },
    { "*?", "", 0 }, { "*?", "a", 1 }, { "?*", "abc", 1 },
    { "room-?-*", "room-1-x", 1 }, { "room-?-*", "room-12-x", 0 },
    { "*\xb6", "\xc3\xb6", 1 },
    { "[a]", "a", 0 }, { "[a]", "[a]", 1 }, { "\\*", "*", 0 }
};


static void
test_cases(void)
{
    int                 match;
    size_t              i;
    unsigned char      *pattern, *name;
    const glob_case_t  *c;

    for (i = 0; i < sizeof(glob_cases) / sizeof(glob_cases[0]); i++) {
        c = &glob_cases[i];

        pattern = test_copy(c->pattern, strlen(c->pattern));
        name = test_copy(c->name, strlen(c->name));

        match = chat_glob(pattern, strlen(c->pattern), name, strlen(c->name));

        test_eq_at(__FILE__, __LINE__, c->pattern, match, c->match);

        free(pattern);
        free(name);
    }
}


/* Many stars and a name that all but fits: no pattern takes for ever. */

static void
test_bounded(void)
{
    int            i;
    clock_t        start;
    unsigned char  pattern[256], name[1024];

    memset(name, 'a', sizeof(name));

    for (i = 0; i < 256; i += 2) {
        pattern[i] = '*';
        pattern[i + 1] = 'a';
    }

    pattern[255] = 'b';

    start = clock();

    for (i = 0; i < 100; i++) {
        test_eq(chat_glob(pattern, 256, name, 1024), 0);
    }

    test_ok(clock() - start < 2 * CLOCKS_PER_SEC);
}


int
main(void)
{
    test_run("patterns and names", test_cases);
    test_run("many stars", test_bounded);

    return test_done();
}
