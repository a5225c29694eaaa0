
/*
 * chat_fold: names that look like each other, and names that do not.
 */


#include "chat_fold.h"
#include "chat_utf8.h"
#include "test.h"


typedef struct {
    const char  *one;
    const char  *other;
    int          plain;     /* the same by the first folding */
    int          looks;     /* and by a closer look */
} fold_case_t;


static const fold_case_t  fold_cases[] = {
    { "alice", "alice", 1, 1 },
    { "alice", "ALICE", 1, 1 },
    { "alice", "bob", 0, 0 },
    { "alice", "alic", 0, 0 },
    { "alice", "\xd0\xb0lice", 1, 1 },             /* Cyrillic a */
    { "alice", "\xd0\x90lice", 1, 1 },             /* its capital */
    { "alice", "al\xd1\x96""c\xd0\xb5", 1, 1 },    /* i and e, too */
    { "alice", "\xce\x91lice", 1, 1 },             /* Greek Alpha */
    { "bob", "b\xce\xbf""b", 1, 1 },               /* omicron */
    { "alice", "al\xc3\xad""ce", 1, 1 },           /* i, acute */
    { "alice", "ali\xcc\x81""ce", 1, 1 },          /* i and a mark */
    { "alice", "\xe1\xba\xa1lice", 1, 1 },         /* a, dot below */
    { "alice", "ali\xe2\x80\x8b""ce", 1, 1 },      /* zero-width space */
    { "alice", "ali\xe2\x80\xae""ce", 1, 1 },      /* right to left */
    { "alice", "alice\xef\xb8\x8f", 1, 1 },        /* a variant of it */
    { "alice", "alice\xf3\xa0\x81\xa1", 1, 1 },    /* a tag */
    { "alice", " alice.", 1, 1 },
    { "alice", "a-l_i c\xc2\xa0""e", 1, 1 },
    { "alice", "\xef\xbd\x81\xef\xbd\x8cice", 1, 1 },       /* full-width */
    { "alice", "\xf0\x9d\x90\x80lice", 1, 1 },     /* mathematical A */
    { "alice", "\xf0\x9d\x9a\xa3lice", 0, 0 },     /* z, the last of them */
    { "zoe", "\xf0\x9d\x9a\xa3oe", 1, 1 },
    { "alice", "\xe2\x93\x90lice", 1, 1 },         /* in a circle */
    { "alice", "\xf0\x9f\x85\xb0lice", 1, 1 },     /* in a square */
    { "user9", "user\xf0\x9d\x9f\xbf", 1, 1 },     /* monospace 9 */
    { "alice", "\xc7\x8elice", 1, 1 },             /* with a caron */
    { "fiona", "\xef\xac\x81ona", 1, 1 },          /* a ligature */
    /* small capitals */
    { "alice", "\xe1\xb4\x80\xca\x9f\xc9\xaa\xe1\xb4\x84\xe1\xb4\x87", 1, 1 },
    /* the B that the mathematical ones lack */
    { "bob", "\xe2\x84\xacob", 1, 1 },
    { "alice", "\xf0\x9d\x9a\xa8lice", 1, 1 },     /* mathematical Alpha */
    { "alice", "\xf0\x9d\x9b\xa2lice", 1, 1 },     /* and a slanted one */
    { "theo", "t\xf0\x9d\x92\x89""eo", 1, 1 },     /* its h is elsewhere */
    { "user1", "user\xe2\x91\xa0", 1, 1 },         /* in a circle */
    { "user2", "user\xe2\x9d\xb7", 1, 1 },         /* a black one */
    { "user3", "user\xc2\xb3", 1, 1 },             /* raised */
    { "user0", "user\xe2\x93\xaa", 1, 1 },         /* zero */
    { "alice", "\xe2\x92\x9clice", 1, 1 },         /* in parentheses */
    { "ljuba", "\xc7\x89uba", 1, 1 },              /* lj */
    { "louis xiv", "louis \xe2\x85\xa9\xe2\x85\xb3", 1, 1 },  /* numerals */
    { "alice", "ali\xe2\xb7\xa0""ce", 1, 1 },      /* a Cyrillic mark */
    /* a musical sign without a shape */
    { "alice", "ali\xf0\x9d\x85\xb3""ce", 1, 1 },
    { "alice", "\xe1\xb5\x83lice", 1, 1 },         /* a raised a */
    { "alice", "a1ice", 0, 1 },
    { "alice", "aIice", 0, 1 },
    { "root", "r00t", 0, 1 },
    { "modern", "modem", 0, 1 },
    { "www", "vvvvvv", 0, 1 },
    { "anna", "anma", 0, 0 },
    { "ivan", "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd", 0, 0 },   /* in Cyrillic */
    { "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd",
      1, 1 },
    { "\xe5\xbc\xa0", "\xe7\x8e\x8b", 0, 0 },      /* two Chinese names */
    { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x81", 0, 0 },
    { "...", "..", 0, 0 },                         /* nothing is left */
    { "...", "...", 1, 1 }
};


static int
fold_same(const char *one, const char *other, int looks)
{
    int             same;
    size_t          n[2];
    unsigned char  *text[2], *out[2];

    text[0] = test_copy(one, strlen(one));
    text[1] = test_copy(other, strlen(other));
    out[0] = test_copy(one, strlen(one));
    out[1] = test_copy(other, strlen(other));

    n[0] = chat_fold(out[0], text[0], strlen(one), looks);
    n[1] = chat_fold(out[1], text[1], strlen(other), looks);

    same = (n[0] == n[1] && memcmp(out[0], out[1], n[0]) == 0);

    free(text[0]);
    free(text[1]);
    free(out[0]);
    free(out[1]);

    return same;
}


static void
test_cases(void)
{
    size_t              i;
    const fold_case_t  *c;

    for (i = 0; i < sizeof(fold_cases) / sizeof(fold_cases[0]); i++) {
        c = &fold_cases[i];

        test_eq_at(__FILE__, __LINE__, c->other,
                   fold_same(c->one, c->other, 0), c->plain);
        test_eq_at(__FILE__, __LINE__, c->other,
                   fold_same(c->one, c->other, 1), c->looks);
    }
}


static void
test_text(void)
{
    unsigned char  out[16];

    test_eq(chat_fold(out, (unsigned char *) "Al\xc3\xad""ce", 6, 0), 5);
    test_ok(memcmp(out, "alice", 5) == 0);

    test_eq(chat_fold(out, (unsigned char *) "Al\xc3\xad""ce", 6, 1), 5);
    test_ok(memcmp(out, "allce", 5) == 0);

    test_eq(chat_fold(out, (unsigned char *) "", 0, 1), 0);
}


/* Each code point: never longer, always valid, and its own folding. */

static void
test_all(void)
{
    size_t          n, len, again;
    unsigned int    code;
    unsigned char   text[4], *in, *out, twice[4];

    for (code = 1; code < 0x110000; code++) {

        if (code >= 0xd800 && code < 0xe000) {
            continue;
        }

        len = 0;

        if (code < 0x80) {
            text[len++] = (unsigned char) code;

        } else {

            if (code < 0x800) {
                text[len++] = (unsigned char) (0xc0 | code >> 6);

            } else {

                if (code < 0x10000) {
                    text[len++] = (unsigned char) (0xe0 | code >> 12);

                } else {
                    text[len++] = (unsigned char) (0xf0 | code >> 18);
                    text[len++] = (unsigned char) (0x80 | (code >> 12 & 0x3f));
                }

                text[len++] = (unsigned char) (0x80 | (code >> 6 & 0x3f));
            }

            text[len++] = (unsigned char) (0x80 | (code & 0x3f));
        }

        in = test_copy(text, len);
        out = test_copy(text, len);

        n = chat_fold(out, in, len, 1);

        test_ok(n >= 1 && n <= len);
        test_ok(chat_utf8_valid(out, n));

        again = chat_fold(twice, out, n, 1);
        test_ok(again == n && memcmp(twice, out, n) == 0);

        free(in);
        free(out);
    }
}


int
main(void)
{
    test_run("names by twos", test_cases);
    test_run("a folding's text", test_text);
    test_run("every code point", test_all);

    return test_done();
}
