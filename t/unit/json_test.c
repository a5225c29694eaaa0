
/*
 * chat_json: what is one JSON object and what is not, plain objects against
 * trees, raw tokens, the writer, each allocation failing once.
 */


#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chat_json.h"
#include "test.h"


#define JSON_TEST_BIG  (1024 * 1024)


/* Checks of a table's rows: name says which one. */

#define ok(cond, name)                                                        \
    test_eq_at(__FILE__, __LINE__, name, (cond) ? 1 : 0, 1)

#define is_int(got, want, name)                                               \
    test_eq_at(__FILE__, __LINE__, name, (long long) (got),                   \
               (long long) (want))

#define is_str(got, want, name)                                               \
    test_str_at(__FILE__, __LINE__, name, got, want)


typedef struct {
    const char  *text;
    size_t       len;       /* 0: up to the terminator */
    const char  *reason;    /* NULL: taken */
} json_case_t;


typedef struct {
    const char  *text;
    const char  *name;
    const char  *raw;       /* NULL: not found */
} json_raw_case_t;


static size_t  json_allocations, json_fail_at;


static const json_case_t  json_cases[] = {
    { "{}", 0, NULL },
    { " \t\r\n{ } \n", 0, NULL },
    { "{\"a\":null,\"b\":true,\"c\":false,\"d\":\"\",\"e\":[],\"f\":{}}", 0,
      NULL },

    { "", 0, "not an object" },
    { "   ", 0, "not an object" },
    { "[]", 0, "not an object" },
    { "null", 0, "not an object" },
    { "\"{}\"", 0, "not an object" },
    { "1", 0, "not an object" },
    { "\xef\xbb\xbf{}", 0, "not an object" },
    { "\f{}", 0, "not an object" },
    { "\0{}", 3, "a NUL byte" },

    { "{", 0, "the text ends too early" },
    { "{\"a\":1", 0, "the text ends too early" },
    { "{\"a", 0, "the text ends too early" },
    { "{\"a\":\"\\", 0, "invalid syntax" },
    { "{\"a\":\"\\\"}", 0, "the text ends too early" },
    { "{\"a\":\"\\u00", 0, "invalid syntax" },

    { "{}{}", 0, "something follows the object" },
    { "{}x", 0, "something follows the object" },
    { "{},", 0, "something follows the object" },
    { "{}\0", 3, "a NUL byte" },

    { "{a:1}", 0, "invalid syntax" },
    { "{'a':1}", 0, "invalid syntax" },
    { "{\"a\":1,}", 0, "invalid syntax" },
    { "{,}", 0, "invalid syntax" },
    { "{\"a\" 1}", 0, "invalid syntax" },
    { "{\"a\":}", 0, "invalid syntax" },
    { "{\"a\":1 \"b\":2}", 0, "invalid syntax" },
    { "{1:1}", 0, "invalid syntax" },
    { "{\"a\":[1,]}", 0, "invalid syntax" },
    { "{\"a\":[}", 0, "invalid syntax" },
    { "{\"a\":[1}]", 0, "invalid syntax" },
    { "{\"a\":\f1}", 0, "invalid syntax" },
    { "{\"a\":1/**/}", 0, "invalid syntax" },
    { "{\"a\":\0}", 7, "a NUL byte" },
    { "{\"a\":1\0}", 8, "a NUL byte" },
    { "{\"a\":1\0,\"b\":2}", 14, "a NUL byte" },
    { "{\"a\":true\0}", 11, "a NUL byte" },

    { "{\"a\":True}", 0, "invalid syntax" },
    { "{\"a\":nul}", 0, "invalid syntax" },
    { "{\"a\":NaN}", 0, "invalid syntax" },
    { "{\"a\":Infinity}", 0, "invalid syntax" },
    { "{\"a\":undefined}", 0, "invalid syntax" },

    { "{\"a\":0}", 0, NULL },
    { "{\"a\":-0}", 0, NULL },
    { "{\"a\":1.5e+3}", 0, NULL },
    { "{\"a\":1E-3}", 0, NULL },
    { "{\"a\":-1.0e5}", 0, NULL },
    { "{\"a\":9223372036854775807}", 0, NULL },
    { "{\"a\":9223372036854775808}", 0, NULL },
    { "{\"a\":-9223372036854775809}", 0, NULL },
    { "{\"a\":[1e400,-1E+400,1e-400]}", 0, NULL },
    { "{\"a\":12345678901234567890.5,\"b\":1e999}", 0, NULL },
    { "{\"a\":01}", 0, "invalid syntax" },
    { "{\"a\":-}", 0, "invalid syntax" },
    { "{\"a\":+1}", 0, "invalid syntax" },
    { "{\"a\":.5}", 0, "invalid syntax" },
    { "{\"a\":1.}", 0, "invalid syntax" },
    { "{\"a\":1e}", 0, "invalid syntax" },
    { "{\"a\":1e+}", 0, "invalid syntax" },
    { "{\"a\":0x10}", 0, "invalid syntax" },
    { "{\"a\":1.2.3}", 0, "invalid syntax" },
    { "{\"b\":1e400,\"a\":012345678901234567890}", 0, "invalid syntax" },
    { "{\"b\":1e400,\"a\":12345678901234567890.}", 0, "invalid syntax" },
    { "{\"b\":1e400,\"a\":12345678901234567890.1.2}", 0, "invalid syntax" },
    { "{\"b\":1e400,\"a\":1e5.5}", 0, "invalid syntax" },
    { "{\"b\":1e400,\"a\":1e}", 0, "invalid syntax" },
    { "{\"b\":1e400", 0, "the text ends too early" },
    { "{\"b\":1e400}1", 0, "something follows the object" },

    { "{\"a\":1,\"a\":2}", 0, "the same key twice" },
    { "{\"a\":1,\"\\u0061\":1}", 0, "the same key twice" },
    { "{\"a\":{\"b\":1,\"b\":1}}", 0, "the same key twice" },
    { "{\"a\":[{\"\":1,\"\":1}]}", 0, "the same key twice" },
    { "{\"a\":{\"a\":{\"a\":1}}}", 0, NULL },

    { "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}", 0, NULL },
    { "{\"a\":\"\\u0000\"}", 0, NULL },
    { "{\"a\\u0000\":1}", 0, "\\u0000 in a key" },
    { "{\"a\":{\"\\u0000\":1}}", 0, "\\u0000 in a key" },
    { "{\"a\":\"\\x41\"}", 0, "invalid syntax" },
    { "{\"a\":\"\\'\"}", 0, "invalid syntax" },
    { "{\"a\":\"\\u12g4\"}", 0, "invalid syntax" },
    { "{\"a\":\"\n\"}", 0, "invalid syntax" },
    { "{\"a\":\"\t\"}", 0, "invalid syntax" },
    { "{\"a\":\"\x1f\"}", 0, "invalid syntax" },
    { "{\"a\":\"\0\"}", 9, "a NUL byte" },
    { "{\"a\":\"\x7f\"}", 0, NULL },

    { "{\"a\":\"\\ud83d\\ude00\"}", 0, NULL },
    { "{\"a\":\"\\uD800\"}", 0, "invalid syntax" },
    { "{\"a\":\"\\udc00\"}", 0, "invalid syntax" },
    { "{\"a\":\"\\ud83dx\"}", 0, "invalid syntax" },
    { "{\"a\":\"\\ud83d\\n\"}", 0, "invalid syntax" },
    { "{\"a\":\"\\ud83d\\ud83d\"}", 0, "invalid syntax" },
    { "{\"a\":\"\\ude00\\ud83d\"}", 0, "invalid syntax" },
    { "{\"\\ud800\":1}", 0, "invalid syntax" },

    { "{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"}", 0,
      NULL },
    { "{\"a\":\"\x80\"}", 0, "invalid UTF-8" },
    { "{\"a\":\"\xc3\"}", 0, "invalid UTF-8" },
    { "{\"a\":\"\xc0\xaf\"}", 0, "invalid UTF-8" },
    { "{\"a\":\"\xe0\x80\xaf\"}", 0, "invalid UTF-8" },
    { "{\"a\":\"\xed\xa0\x80\"}", 0, "invalid UTF-8" },
    { "{\"a\":\"\xf4\x90\x80\x80\"}", 0, "invalid UTF-8" },
    { "{\"a\":\"\xf8\x88\x80\x80\x80\"}", 0, "invalid UTF-8" },
    { "{\"a\":\"\xff\"}", 0, "invalid UTF-8" },
    { "{\"\xff\":1}", 0, "invalid UTF-8" },
    { "{\"a\":1\xc3\xa9}", 0, "invalid syntax" }
};


static const json_raw_case_t  json_raw_cases[] = {
    { "{\"a\":1e400}", "a", "1e400" },
    { "{\"a\":12345678901234567890}", "a", "12345678901234567890" },
    { "{\"a\":-1.0}", "a", "-1.0" },
    { "{\"a\":1.0E+05 }", "a", "1.0E+05" },
    { "{\"a\":\"\\u00e9\"}", "a", "\"\\u00e9\"" },
    { "{\"a\":\"\xc3\xa9\"}", "a", "\"\xc3\xa9\"" },
    { "{\"a\":\"\\\\\"}", "a", "\"\\\\\"" },
    { "{\"a\":\"\\\\\\\"\",\"b\":2}", "b", "2" },
    { "{\"a\":\"\",\"b\":\"x\"}", "a", "\"\"" },
    { "{\"x\":{\"a\":1},\"a\":2}", "a", "2" },
    { "{\"x\":[{\"a\":1}],\"a\":2}", "a", "2" },
    { "{\"x\":\"\\\"a\\\":1,\",\"a\":2}", "a", "2" },
    { "{\"x\":\"}\",\"y\":\"]\",\"a\":2}", "a", "2" },
    { " { \"x\" : 1 ,\n\t\"a\"\r:\n[ 1 , { \"b\" : \"]\" } ] } ", "a",
      "[ 1 , { \"b\" : \"]\" } ]" },
    { "{\"a\":{}}", "a", "{}" },
    { "{\"a\":{\"b\":{\"c\":\"}\"}},\"d\":null}", "a",
      "{\"b\":{\"c\":\"}\"}}" },
    { "{\"a\":{\"b\":{\"c\":\"}\"}},\"d\":null}", "d", "null" },
    { "{\"\\u0074ype\":1}", "type", "1" },
    { "{\"\\u0074\\u0079\\u0070\\u0065\":1}", "type", "1" },
    { "{\"typ\\u0065x\":1,\"typ\\u0065\":2}", "type", "2" },
    { "{\"\\u00e9\":1}", "\xc3\xa9", "1" },
    { "{\"\\u20AC\":1}", "\xe2\x82\xac", "1" },
    { "{\"\\ud83d\\uDE00\":1}", "\xf0\x9f\x98\x80", "1" },
    { "{\"\\\"\\\\\\/\\b\\f\\n\\r\\t\":1}", "\"\\/\b\f\n\r\t", "1" },
    { "{\"typ\":1,\"types\":2,\"Type\":3}", "type", NULL },
    { "{\"typ\\u0065s\":1}", "type", NULL },
    { "{\"\\u0074yp\":1}", "type", NULL },
    { "{\"\":7}", "", "7" },
    { "{\"x\":{\"a\":1}}", "a", NULL },
    { "{}", "a", NULL },
    { " { } ", "a", NULL }
};


static void
json_object_test(void)
{
    char                name[128];
    size_t              i, len;
    json_t             *root;
    const char         *reason;
    unsigned char      *exact;
    const json_case_t  *c;

    for (i = 0; i < sizeof(json_cases) / sizeof(json_cases[0]); i++) {
        c = &json_cases[i];
        len = (c->len != 0) ? c->len : strlen(c->text);

        /* nothing behind the text may be read */
        exact = test_copy(c->text, len);

        reason = "taken";
        root = chat_json_object(exact, len, &reason);

        snprintf(name, sizeof(name), "object %zu: %.80s", i, c->text);
        is_str(reason, c->reason ? c->reason : "taken", name);
        ok((root != NULL) == (c->reason == NULL), name);

        json_decref(root);
        free(exact);
    }

    test_ok(chat_json_object(NULL, 0, &reason) == NULL);
}


static void
json_depth_test(void)
{
    char         text[512], name[64];
    size_t       n;
    json_t      *root;
    unsigned     depth, kind;
    const char  *reason;

    static const char  closed[] =
        "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}";
    static const char  flat[] =
        "{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
        "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}";

    for (kind = 0; kind < 2; kind++) {

        for (depth = 1; depth <= 34; depth++) {
            memcpy(text, "{\"a\":", 5);

            for (n = 5; n < 5 + (depth - 1) * (kind ? 5 : 1); /* void */ ) {
                memcpy(text + n, kind ? "{\"a\":" : "[", kind ? 5 : 1);
                n += kind ? 5 : 1;
            }

            text[n++] = '1';
            memset(text + n, kind ? '}' : ']', depth - 1);
            n += depth - 1;
            text[n++] = '}';

            reason = "taken";
            root = chat_json_object((unsigned char *) text, n, &reason);

            snprintf(name, sizeof(name), "%u %s deep", depth,
                     kind ? "objects" : "arrays");
            is_str(reason, depth <= 32 ? "taken" : "nested too deeply", name);
            json_decref(root);
        }
    }

    /* brackets in strings are none, and many side by side are not deep */

    root = chat_json_object((const unsigned char *) closed,
                            sizeof(closed) - 1, &reason);
    ok(root != NULL, "brackets in a string");
    json_decref(root);

    root = chat_json_object((const unsigned char *) flat, sizeof(flat) - 1,
                            &reason);
    ok(root != NULL, "brackets side by side");
    json_decref(root);
}


static double
json_time(const unsigned char *text, size_t len, int *taken)
{
    json_t           *root;
    const char       *reason;
    struct timespec   start, end;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);

    root = chat_json_object(text, len, &reason);
    *taken = (root != NULL);
    json_decref(root);

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);

    return (double) (end.tv_sec - start.tv_sec)
           + (double) (end.tv_nsec - start.tv_nsec) / 1e9;
}


/*
 * A megabyte of each kind that has hurt a parser somewhere.  The bounds are
 * far above what linear work takes, under a sanitizer or valgrind too, and
 * far below what quadratic work would.
 */

static void
json_big_test(void)
{
    int             taken;
    char            name[64];
    size_t          i, n, unit;
    double          took;
    unsigned char  *text;

    static const struct {
        const char  *head;
        const char  *unit;
        const char  *tail;
        int          taken;
    } cases[] = {
        { "{\"a\":", "[", "", 0 },
        { "", "{\"a\":", "", 0 },
        { "{\"a\":[", "[],", "[]]}", 1 },
        { "{\"a\":", "]", "", 0 },
        { "{\"a\":\"", "[", "\"}", 1 },
        { "{\"a\":\"", "\\\\", "\"}", 1 },
        { "{\"a\":\"", "\\\"", "\"}", 1 },
        { "{\"a\":\"", "\\\\", "", 0 },
        { "{\"a\":", "1", "}", 1 },
        { "{\"a\":0.", "1", "}", 1 },
        { "{\"a\":1e", "1", "}", 1 },
        { "{\"a\":[", "1e400,", "1]}", 1 },
        { "", " ", "{}", 1 },
        { "{}", " ", "", 1 },
        { "", "\"", "", 0 },
        { "{\"a\":\"", "\\u0000", "\"}", 1 }
    };

    text = malloc(JSON_TEST_BIG + 64);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n = strlen(cases[i].head);
        memcpy(text, cases[i].head, n);

        unit = strlen(cases[i].unit);

        while (n < JSON_TEST_BIG) {
            memcpy(text + n, cases[i].unit, unit);
            n += unit;
        }

        memcpy(text + n, cases[i].tail, strlen(cases[i].tail));
        n += strlen(cases[i].tail);

        took = json_time(text, n, &taken);

        snprintf(name, sizeof(name), "1 MB of %s", cases[i].unit);
        is_int(taken, cases[i].taken, name);
        ok(took < 20.0, name);
    }

    /* a hundred thousand different keys */

    n = 0;
    text[n++] = '{';

    for (i = 0; i < 100000; i++) {
        n += (size_t) snprintf((char *) text + n, 16, "%s\"%zx\":1",
                               i ? "," : "", i);
    }

    text[n++] = '}';

    took = json_time(text, n, &taken);
    ok(taken && took < 20.0, "100,000 keys");

    free(text);
}


static void
json_raw_test(void)
{
    int                     found;
    char                    name[128], got[128];
    size_t                  i, len;
    chat_str_t              raw;
    const json_raw_case_t  *c;

    for (i = 0; i < sizeof(json_raw_cases) / sizeof(json_raw_cases[0]); i++) {
        c = &json_raw_cases[i];
        len = strlen(c->text);

        found = chat_json_raw((const unsigned char *) c->text, len, c->name,
                              &raw);

        snprintf(got, sizeof(got), "%.*s", (int) raw.len,
                 raw.len ? (const char *) raw.data : "");
        snprintf(name, sizeof(name), "raw %zu: %.80s", i, c->text);

        is_int(found, c->raw != NULL, name);
        is_str(got, c->raw ? c->raw : "", name);
    }
}


/* A plain object has the members of the tree, in its order. */

static void
json_plain_same(const chat_json_plain_t *m, int n, const unsigned char *text,
    size_t len, const char *name)
{
    int               i;
    void             *iter;
    json_t           *root, *value;
    chat_str_t        key, raw;
    const char       *reason;
    chat_json_walk_t  walk;

    root = chat_json_object(text, len, &reason);

    is_int(json_object_size(root), n, name);

    iter = json_object_iter(root);
    chat_json_walk(&walk, text, len);

    for (i = 0; i < n && iter != NULL; i++) {
        value = json_object_iter_value(iter);

        ok(chat_json_next(&walk, &key, &raw) == 1, name);
        ok(raw.data == m[i].raw.data && raw.len == m[i].raw.len, name);
        ok(strlen(json_object_iter_key(iter)) == m[i].key.len
           && memcmp(json_object_iter_key(iter), m[i].key.data, m[i].key.len)
              == 0, name);
        is_int(m[i].type, json_typeof(value), name);

        if (m[i].type == JSON_STRING) {
            ok(json_string_length(value) == m[i].string.len
               && memcmp(json_string_value(value), m[i].string.data,
                         m[i].string.len) == 0, name);
        }

        if (m[i].type == JSON_INTEGER) {
            is_int(m[i].number, json_integer_value(value), name);
        }

        iter = json_object_iter_next(root, iter);
    }

    json_decref(root);
}


static int
json_plain_try(const void *text, size_t len)
{
    int                n;
    char               name[128];
    unsigned char     *exact;
    chat_json_plain_t  members[4];

    exact = test_copy(text, len);
    n = chat_json_plain(exact, len, members, 4);

    if (n != -1) {
        snprintf(name, sizeof(name), "plain: %.*s", (int) len,
                 (const char *) text);
        json_plain_same(members, n, exact, len, name);
    }

    free(exact);

    return n;
}


static void
json_plain_test(void)
{
    size_t  i;

    static const struct {
        const char  *text;
        int          n;
    } cases[] = {
        { "{\"a\":1}", 1 },
        { " {\t\"a\" :\n0 ,\r\"b\":\"\" } ", 2 },
        { "{\"a\":true,\"b\":false,\"c\":null,\"d\":\"x\"}", 4 },
        { "{\"\":999999999999999999}", 1 },
        { "{\"\xd0\xb6\":\"\xf0\x9f\x98\x80\x7f\"}", 1 },

        { "{}", -1 },
        { "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1}", -1 },
        { "{\"a\":{}}", -1 },
        { "{\"a\":[]}", -1 },
        { "{\"a\":\"\\n\"}", -1 },
        { "{\"\\u0061\":1}", -1 },
        { "{\"a\":-1}", -1 },
        { "{\"a\":1.0}", -1 },
        { "{\"a\":1e1}", -1 },
        { "{\"a\":01}", -1 },
        { "{\"a\":1000000000000000000}", -1 },
        { "{\"a\":1,\"a\":1}", -1 },
        { "{\"a\":truer}", -1 },
        { "{\"a\":\"\x1f\"}", -1 },
        { "{\"a\":\"\xff\"}", -1 },
        { "{\"a\":\"\xed\xa0\x80\"}", -1 },
        { "{\"a\":1,}", -1 },
        { "{,\"a\":1}", -1 },
        { "{\"a\":1}}", -1 },
        { "{\"a\":1}x", -1 },
        { "{\"a\" 1}", -1 },
        { "{\"a\":}", -1 },
        { "[\"a\"]", -1 },
        { "", -1 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(json_plain_try(cases[i].text, strlen(cases[i].text)),
               cases[i].n, cases[i].text);
    }
}


/* Whatever is plain with one byte of it cut off or another one, too. */

static void
json_plain_changed_test(void)
{
    char      text[128];
    size_t    i, len, taken;
    unsigned  c;

    static const char  plain[] =
        "{\"type\":\"sEnd\", \"id\":170,\"a\":\"\xc3\xa9\xe2\x82\xac\","
        "\"t\":true}";

    len = sizeof(plain) - 1;
    taken = 0;

    for (i = 0; i < len; i++) {
        memcpy(text, plain, len);

        is_int(json_plain_try(text, i), -1, "cut");

        for (c = 0; c < 256; c++) {
            text[i] = (char) c;
            taken += (json_plain_try(text, len) != -1);
        }
    }

    test_ok(taken > len && taken < len * 128);
}


static void
json_walk_test(void)
{
    char               all[256];
    size_t             n;
    chat_str_t         key, value;
    chat_json_walk_t   walk;

    static const char  text[] =
        " { \"z\" : 1 , \"\\u0061\":\"b\\\"\" ,\"m\":[1, {\"q\":2}],"
        "\"c\":{ },\"0\":true} ";

    n = 0;
    chat_json_walk(&walk, (const unsigned char *) text, sizeof(text) - 1);

    while (chat_json_next(&walk, &key, &value)) {
        n += (size_t) snprintf(all + n, sizeof(all) - n, "%.*s=%.*s;",
                               (int) key.len, (const char *) key.data,
                               (int) value.len, (const char *) value.data);
    }

    is_str(all, "\"z\"=1;\"\\u0061\"=\"b\\\"\";\"m\"=[1, {\"q\":2}];"
           "\"c\"={ };\"0\"=true;", "members in the text's order");
}


static void
json_string_test(void)
{
    size_t              i, len, size;
    char                name[128];
    unsigned char       buf[128];
    chat_json_writer_t  w;

    static const struct {
        const char  *in;
        size_t       len;
        const char  *out;
    } cases[] = {
        { "", 0, "\"\"" },
        { "plain", 5, "\"plain\"" },
        { "\"\\/", 3, "\"\\\"\\\\/\"" },
        { "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"" },
        { "\0\1\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\\u007f\"" },
        { "a\nb", 3, "\"a\\nb\"" },
        { "\xe2\x80\xa8\xe2\x80\xa9", 6, "\"\\u2028\\u2029\"" },
        { "\xe2\x80\xa7\xe2\x80\xaa\xe2\x82\xa8", 9,
          "\"\xe2\x80\xa7\xe2\x80\xaa\xe2\x82\xa8\"" },
        { "\xe2\x80", 2, "\"\xe2\x80\"" },
        { "\xc3\xa9\xf0\x9f\x98\x80</script>", 15,
          "\"\xc3\xa9\xf0\x9f\x98\x80</script>\"" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = strlen(cases[i].out);

        /* every size that is too small, and the first that is not */

        for (size = 0; size <= len; size++) {
            memset(buf, '#', sizeof(buf));
            chat_json_begin(&w, buf, size);
            chat_json_string(&w, cases[i].in, cases[i].len);

            snprintf(name, sizeof(name), "string %zu in %zu bytes", i, size);

            if (size < len) {
                ok(w.lost != 0
                   && w.lost + (size_t) (w.pos - w.start) == len
                   && buf[size] == '#', name);
                continue;
            }

            buf[len] = '\0';
            is_str((char *) buf, cases[i].out, name);
            ok(w.lost == 0 && w.pos == w.end, name);
        }
    }
}


static void
json_writer_test(void)
{
    size_t              i;
    unsigned char       buf[64];
    chat_json_writer_t  w;

    static const struct {
        uint64_t     n;
        const char  *out;
    } cases[] = {
        { 0, "0" },
        { 9, "9" },
        { 10, "10" },
        { 9007199254740991ULL, "9007199254740991" },
        { UINT64_MAX, "18446744073709551615" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        chat_json_begin(&w, buf, sizeof(buf));
        chat_json_uint(&w, cases[i].n);
        *w.pos = '\0';
        is_str((char *) buf, cases[i].out, "a number");
    }

    memset(buf, '#', sizeof(buf));
    chat_json_begin(&w, buf, 6);
    chat_json_lit(&w, "abc");
    chat_json_lit(&w, "defg");
    chat_json_lit(&w, "h");
    is_int(w.pos - w.start, 3, "nothing goes behind what was lost");
    is_int(w.lost, 5, "what was lost is counted");
    ok(memcmp(buf, "abc####", 7) == 0, "nothing is half written");
}


/* The n-th allocation fails and all behind it succeed. */

static void *
json_fail_malloc(size_t size)
{
    json_allocations++;

    if (json_allocations == json_fail_at) {
        return NULL;
    }

    return malloc(size);
}


static void
json_memory_test(void)
{
    int          done;
    size_t       i, n;
    json_t      *root;
    const char  *reason;

    static const char  *texts[] = {
        "{\"type\":\"send\",\"id\":12,\"data\":[1,{\"a\":\"b\"},2.5]}",
        "{\"a\":1e400}"
    };

    json_set_alloc_funcs(json_fail_malloc, free);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        done = 0;

        for (n = 1; n < 200 && !done; n++) {
            json_allocations = 0;
            json_fail_at = n;
            reason = "";

            root = chat_json_object((const unsigned char *) texts[i],
                                    strlen(texts[i]), &reason);

            done = (root != NULL && json_allocations < n);

            if (!done) {
                ok(root == NULL && reason[0] != '\0',
                   "an allocation fails");
            }

            if (n == 1) {
                is_str(reason, chat_json_no_memory, "and is named");
            }

            json_decref(root);
        }

        ok(done && n > 5, "all allocations failed once");
    }

    json_set_alloc_funcs(malloc, free);
}


int
main(void)
{
    test_run("what is an object", json_object_test);
    test_run("depth", json_depth_test);
    test_run("a megabyte of it", json_big_test);
    test_run("plain objects", json_plain_test);
    test_run("plain objects with a byte changed", json_plain_changed_test);
    test_run("raw tokens", json_raw_test);
    test_run("the walk", json_walk_test);
    test_run("written strings", json_string_test);
    test_run("the writer's bounds", json_writer_test);
    test_run("no memory", json_memory_test);

    return test_done();
}
