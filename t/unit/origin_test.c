
/*
 * chat_origin: origins in their parts, and what they are held against.
 */


#include "chat_origin.h"
#include "test.h"


typedef struct {
    const char  *origin;
    const char  *other;
    int          match;                 /* -1: one of them is none */
} origin_case_t;


/* Without TLS; with it, only what begins with "https" is the same. */

static const origin_case_t  origin_same[] = {
    { "http://a.b", "a.b", 1 }, { "https://a.b", "a.b", 1 },
    { "HTTPS://A.b", "a.B", 1 }, { "http://a.b.", "a.b", 1 },
    { "http://a.b", "a.b.", 1 }, { "http://a.b:80", "a.b", 1 },
    { "https://a.b:443", "a.b:443", 1 }, { "http://a.b:0080", "a.b", 1 },
    { "http://a.b:8080", "a.b:8080", 1 }, { "http://[::1]:1", "[::1]:1", 1 },
    { "https://a.b", "a.b:80", 0 }, { "http://a.b:8080", "a.b", 0 },
    { "http://a.b", "a.b:443", 0 }, { "ftp://a.b", "a.b", 0 },
    { "http://a.b.c", "a.b", 0 }, { "http://x.a.b", "a.b", 0 },
    { "http://a.b", "http://a.b", 0 }, { "http://a_b", "a_b", 1 },
    { "http://a.b..", "a.b", 0 }, { "http://[::1]", "::1", -1 },
    { "http://a.b/", "a.b", -1 }, { "http://a.b@c", "c", -1 },
    { "http://a.b:", "a.b", -1 }, { "http://a.b:0", "a.b", -1 },
    { "http://a.b:65536", "a.b", -1 }, { "http://a.b:8a", "a.b", -1 },
    { "http://a.b:4294967376", "a.b", -1 }, { "http://[::1", "[::1", -1 },
    { "http://", "a", -1 }, { "http://.", "a", -1 }, { "", "a", -1 },
    { "http://a b", "a", -1 }, { "http://\xc3\xa4.b", "a", -1 }
};


static const origin_case_t  origin_rules[] = {
    { "https://a.b", "a.b", 1 }, { "http://a.b", "a.b", 1 },
    { "ftp://a.b", "a.b", 0 }, { "app://a.b", "app://a.b", 1 },
    { "http://a.b", "https://a.b", 0 }, { "https://a.b", "https://a.b", 1 },
    { "http://x.a.b", "*.a.b", 1 }, { "http://y.x.a.b", "*.a.b", 1 },
    { "http://a.b", "*.a.b", 0 }, { "http://xa.b", "*.a.b", 0 },
    { "http://x.a.b.c", "*.a.b", 0 }, { "http://x.a.b.", "*.a.b", 1 },
    { "http://.a.b", "*.a.b", 0 }, { "http://a.b:81", "a.b", 0 },
    { "http://a.b:81", "a.b:81", 1 }, { "http://a.b:81", "a.b:*", 1 },
    { "http://a.b:81", "*.b:*", 1 }, { "https://a.b:443", "a.b:80", 0 },
    { "https://x.a.b:8443", "https://*.a.b:8443", 1 },
    { "http://a.b", "*", -1 }, { "http://a.b", "*.", -1 },
    { "http://a.b", "a*.b", -1 }, { "http://a.b", "a.b:*:*", -1 },
    { "http://a.b", "a.b/", -1 }
};


static void
test_same(void)
{
    int                   match, tls;
    size_t                i, n, m;
    chat_origin_t         o, host;
    unsigned char        *text, *other;
    const origin_case_t  *c;

    for (i = 0; i < sizeof(origin_same) / sizeof(origin_same[0]); i++) {
        c = &origin_same[i];

        n = strlen(c->origin);
        m = strlen(c->other);

        text = test_copy(c->origin, n);
        other = test_copy(c->other, m);

        match = -1;

        if (chat_origin_parse(&o, text, n)
            && chat_origin_parse(&host, other, m))
        {
            match = chat_origin_same(&host, &o, 0);
            tls = match && (c->origin[4] | 0x20) == 's';

            test_eq_at(__FILE__, __LINE__, c->origin,
                       chat_origin_same(&host, &o, 1), tls);
        }

        test_eq_at(__FILE__, __LINE__, c->origin, match, c->match);

        free(text);
        free(other);
    }
}


static void
test_rules(void)
{
    int                   match;
    size_t                i, n, m;
    unsigned char        *text, *other;
    chat_origin_t         o;
    chat_origin_rule_t    rule;
    const origin_case_t  *c;

    for (i = 0; i < sizeof(origin_rules) / sizeof(origin_rules[0]); i++) {
        c = &origin_rules[i];

        n = strlen(c->origin);
        m = strlen(c->other);

        text = test_copy(c->origin, n);
        other = test_copy(c->other, m);

        match = -1;

        if (chat_origin_parse(&o, text, n)
            && chat_origin_rule(&rule, other, m))
        {
            match = chat_origin_match(&rule, &o);
        }

        test_eq_at(__FILE__, __LINE__, c->other, match, c->match);

        free(text);
        free(other);
    }
}


int
main(void)
{
    test_run("the host that was asked", test_same);
    test_run("rules", test_rules);

    return test_done();
}
