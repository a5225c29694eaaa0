
/*
 * What an edit or a deletion makes of an event: against cases written down,
 * and against jansson's trees for events of all shapes.
 */


#include "chat_amend.h"
#include "test.h"


#define AMEND_SHAPES  4096


static const char *amend(const char *text, const char *by, int deleted);
static size_t amend_event(char *buf, size_t size, unsigned shape, int edit);
static json_t *amend_expected(const char *text, const char *by, int deleted);


/* In memory of exactly the promised size; the text of the last call. */

static const char *
amend(const char *text, const char *by, int deleted)
{
    int                   rc;
    size_t                len, by_len, size, n;
    unsigned char        *a, *b, *out;
    chat_json_writer_t    w;
    static char           result[8192];

    len = strlen(text);
    by_len = strlen(by);
    size = chat_amend_bound(len + by_len);

    a = test_copy(text, len);
    b = test_copy(by, by_len);
    out = test_copy(NULL, size);

    chat_json_begin(&w, out, size);

    rc = chat_amend(&w, a, len, b, by_len, deleted);

    test_eq(w.lost, 0);

    n = w.pos - w.start;
    memcpy(result, out, n);
    result[n] = '\0';

    if (rc != 0) {
        test_eq(rc, -1);
        test_eq(n, 0);
        memcpy(result, "refused", sizeof("refused"));
    }

    free(a);
    free(b);
    free(out);

    return result;
}


static void
test_edit(void)
{
    test_str(amend("{\"type\":\"message\",\"room\":\"r\",\"seq\":1,\"ts\":5,"
                   "\"user\":\"u\",\"text\":\"a\",\"nonce\":\"n\"}",
                   "{\"type\":\"edited\",\"room\":\"r\",\"seq\":2,\"ts\":7,"
                   "\"target\":1,\"user\":\"v\",\"text\":\"b\"}", 0),
             "{\"type\":\"message\",\"room\":\"r\",\"seq\":1,\"ts\":5,"
             "\"user\":\"u\",\"nonce\":\"n\",\"text\":\"b\",\"edited\":7}");

    /* the edit's content is all there is now */

    test_str(amend("{\"seq\":1,\"text\":\"a\",\"data\":[1,2]}",
                   "{\"ts\":7,\"data\":null}", 0),
             "{\"seq\":1,\"data\":null,\"edited\":7}");

    test_str(amend("{\"seq\":1,\"data\":{\"text\":1}}",
                   "{\"ts\":7,\"text\":\"\",\"data\":{\"ts\":1}}", 0),
             "{\"seq\":1,\"text\":\"\",\"data\":{\"ts\":1},\"edited\":7}");

    test_str(amend("{\"text\":\"a\",\"seq\":1}", "{\"ts\":7,\"text\":\"b\"}",
                   0),
             "{\"seq\":1,\"text\":\"b\",\"edited\":7}");
}


static void
test_delete(void)
{
    test_str(amend("{\"type\":\"message\",\"seq\":1,\"user\":\"u\","
                   "\"text\":\"a\",\"data\":{\"data\":1},\"reply_to\":3}",
                   "{\"type\":\"deleted\",\"ts\":7,\"target\":1,"
                   "\"user\":\"v\"}", 1),
             "{\"type\":\"message\",\"seq\":1,\"user\":\"u\",\"reply_to\":3,"
             "\"deleted\":7}");

    /* a purge says more, of which nothing is the message's */

    test_str(amend("{\"seq\":1,\"text\":\"a\"}",
                   "{\"type\":\"banned\",\"ts\":9,\"until\":null,"
                   "\"text\":\"x\",\"data\":1}", 1),
             "{\"seq\":1,\"deleted\":9}");
}


/* What looks like a member's end or name and stands in a string. */

static void
test_inside_strings(void)
{
    test_str(amend("{\"seq\":1,\"user\":\"\\\",\\\"text\\\":1,{}\","
                   "\"text\":\"}]\\\\\"}",
                   "{\"name\":\"\\\"ts\\\":1\",\"ts\":2,\"text\":\"\\\\\\\"\"}",
                   0),
             "{\"seq\":1,\"user\":\"\\\",\\\"text\\\":1,{}\","
             "\"text\":\"\\\\\\\"\",\"edited\":2}");

    test_str(amend("{\"seq\":1,\"data\":[ 1,\n{\"a\":[]} ],\"to\":\"x\"}",
                   "{\"ts\":2,\"data\":{ }\n}", 0), "refused");

    test_str(amend("{\"seq\":1,\"data\":[ 1,\n{\"a\":[]} ],\"to\":\"x\"}",
                   "{\"ts\":2,\"data\":{ \n}}", 0),
             "{\"seq\":1,\"to\":\"x\",\"data\":{ \n},\"edited\":2}");
}


/* They are damage, and nothing of them may be shown as half an event. */

static void
test_no_event(void)
{
    size_t                     i;
    static const char *const   texts[] = {
        "", "{", "}", "{}", "[1]", "{\"seq\":1", "{\"seq\"}", "{\"seq\":1}}",
        "{\"seq\":1,\"text\":\"}", "{\"seq\":1 2}", "x{\"seq\":1}",
        "{\"text\":\"a\"}"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        test_str(amend(texts[i], "{\"ts\":1,\"text\":\"b\"}", 0), "refused");
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        test_str(amend("{\"seq\":1,\"text\":\"a\"}", texts[i], 0), "refused");
        test_str(amend("{\"seq\":1,\"text\":\"a\"}", texts[i], 1), "refused");
    }
}


/* Behind what is in the writer already, which a refusal leaves as it was. */

static void
test_behind(void)
{
    char                buf[128];
    chat_json_writer_t  w;

    chat_json_begin(&w, (unsigned char *) buf, sizeof(buf) - 1);
    chat_json_lit(&w, "[");

    test_eq(chat_amend(&w, (const unsigned char *) "{\"seq\":1}", 9,
                       (const unsigned char *) "{\"tt\":7}", 8, 0), -1);
    test_eq(chat_amend(&w, (const unsigned char *) "{\"seq\":1}", 9,
                       (const unsigned char *) "{\"ts\":7}", 8, 1), 0);

    *w.pos = '\0';
    test_str(buf, "[{\"seq\":1,\"deleted\":7}");

    /* where it does not fit, that is counted */

    chat_json_begin(&w, (unsigned char *) buf, 4);

    test_eq(chat_amend(&w, (const unsigned char *) "{\"seq\":1}", 9,
                       (const unsigned char *) "{\"ts\":7}", 8, 1), 0);
    test_eq(w.pos - w.start + w.lost, 21);
}


/* Some of these members, in an order that the shape's bits choose. */

static size_t
amend_event(char *buf, size_t size, unsigned shape, int edit)
{
    size_t                    n, i, at;
    static const char *const  members[] = {
        "\"text\":\"%s\\\"text\\\":\\\\\"", "\"data\":{\"text\":[%s],\"a\":{}}",
        "\"user\":\"}\\u2028%s\"", "\"nonce\":\"{\\\"data\\\":%s\"",
        "\"reply_to\":12%s", "\"to\":\"[%s\""
    };

    n = snprintf(buf, size, "{\"ts\":%u", edit ? 77 : 11);

    for (i = 0; i < 6; i++) {
        at = (i + (shape >> 6)) % 6;

        if (shape & (1U << at)) {
            n += snprintf(buf + n, size - n, ",");
            n += snprintf(buf + n, size - n, members[at], edit ? "2" : "1");
        }
    }

    n += snprintf(buf + n, size - n, "}");

    return n;
}


static json_t *
amend_expected(const char *text, const char *by, int deleted)
{
    json_t      *event, *other, *value;
    const char  *reason;

    event = chat_json_object((const unsigned char *) text, strlen(text),
                             &reason);
    other = chat_json_object((const unsigned char *) by, strlen(by), &reason);

    json_object_del(event, "text");
    json_object_del(event, "data");

    if (!deleted) {
        value = json_object_get(other, "text");

        if (value) {
            json_object_set(event, "text", value);
        }

        value = json_object_get(other, "data");

        if (value) {
            json_object_set(event, "data", value);
        }
    }

    json_object_set(event, deleted ? "deleted" : "edited",
                    json_object_get(other, "ts"));
    json_decref(other);

    return event;
}


static void
test_shapes(void)
{
    int          deleted;
    char         text[512], by[512];
    json_t      *want, *got;
    unsigned     shape;
    const char  *reason, *out;

    for (shape = 0; shape < AMEND_SHAPES; shape++) {
        deleted = shape & 1;

        amend_event(text, sizeof(text), shape * 7919, 0);
        amend_event(by, sizeof(by), shape * 104729 >> 3, 1);

        want = amend_expected(text, by, deleted);
        out = amend(text, by, deleted);
        got = chat_json_object((const unsigned char *) out, strlen(out),
                               &reason);

        test_ok(want != NULL && got != NULL && json_equal(want, got));

        json_decref(want);
        json_decref(got);
    }
}


int
main(void)
{
    test_run("edited", test_edit);
    test_run("deleted", test_delete);
    test_run("strings that look like more", test_inside_strings);
    test_run("what is no event", test_no_event);
    test_run("behind other text", test_behind);
    test_run("all shapes, as a tree has it", test_shapes);

    return test_done();
}
