
/*
 * The unit tests' frame: a program is a list of functions, each of which is
 * one line of TAP and may check as often as it likes.
 *
 *     static void
 *     test_something(void)
 *     {
 *         test_ok(1 + 1 == 2);
 *         test_eq(1 + 1, 2);
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         test_run("something", test_something);
 *         return test_done();
 *     }
 *
 * A failed check prints where it stands and what it got, the first ten of
 * a function, and lets the function go on.
 */


#ifndef _CHAT_TEST_H_INCLUDED_
#define _CHAT_TEST_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define TEST_SHOWN  10


typedef struct {
    unsigned long  checks;
    unsigned long  failed;       /* checks, of the function that runs */
    unsigned int   tests;
    unsigned int   bad;          /* functions with failed checks */
} test_state_t;


#define test_ok(cond)                                                         \
    ((cond) ? (void) test_state()->checks++                                   \
            : test_report(__FILE__, __LINE__, #cond))

#define test_eq(got, want)                                                    \
    test_eq_at(__FILE__, __LINE__, #got, (long long) (got),                   \
               (long long) (want))

#define test_str(got, want)                                                   \
    test_str_at(__FILE__, __LINE__, #got, got, want)


/* One for the whole program, whichever of its files include this. */

__attribute__((weak)) test_state_t  test_state_of_all;


static inline test_state_t *
test_state(void)
{
    return &test_state_of_all;
}


static inline void
test_report(const char *file, int line, const char *what)
{
    test_state_t  *st;

    st = test_state();

    st->checks++;

    if (st->failed++ < TEST_SHOWN) {
        printf("# %s:%d: failed: %s\n", file, line, what);
    }
}


static inline void
test_eq_at(const char *file, int line, const char *what, long long got,
    long long want)
{
    char  buf[512];

    if (got == want) {
        test_state()->checks++;
        return;
    }

    (void) snprintf(buf, sizeof(buf), "%s is %lld, not %lld", what, got, want);
    test_report(file, line, buf);
}


static inline void
test_str_at(const char *file, int line, const char *what, const char *got,
    const char *want)
{
    char  buf[1024];

    if (strcmp(got, want) == 0) {
        test_state()->checks++;
        return;
    }

    (void) snprintf(buf, sizeof(buf), "%s is \"%.400s\", not \"%.400s\"", what,
                    got, want);
    test_report(file, line, buf);
}


static inline void
test_run(const char *name, void (*test)(void))
{
    test_state_t  *st;

    st = test_state();

    st->tests++;
    st->failed = 0;

    test();

    if (st->failed) {
        st->bad++;
        printf("# %lu checks failed\n", st->failed);
    }

    printf("%sok %u - %s\n", st->failed ? "not " : "", st->tests, name);
    (void) fflush(stdout);
}


/* The program's exit status. */

static inline int
test_done(void)
{
    test_state_t  *st;

    st = test_state();

    printf("# %lu checks\n1..%u\n", st->checks, st->tests);

    return st->bad ? EXIT_FAILURE : EXIT_SUCCESS;
}


/* A copy in memory of exactly that size, so that a byte read or written
 * outside of it is seen by the sanitizers. */

static inline unsigned char *
test_copy(const void *data, size_t len)
{
    unsigned char  *p;

    p = malloc(len ? len : 1);

    if (p == NULL) {
        printf("Bail out! no memory\n");
        exit(EXIT_FAILURE);
    }

    if (data && len) {
        memcpy(p, data, len);
    }

    return p;
}


#endif /* _CHAT_TEST_H_INCLUDED_ */
