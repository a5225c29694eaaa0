
/*
 * What an edit or a deletion makes of an event's text.
 */


#include <string.h>

#include "chat_amend.h"


static int chat_amend_copy(chat_json_writer_t *w, const unsigned char *text,
    size_t len);
static int chat_amend_put(chat_json_writer_t *w, const unsigned char *amend,
    size_t len, int deleted);
static int chat_amend_content(const chat_str_t *key);
static int chat_amend_key(const chat_str_t *key, const char *name, size_t len);
static void chat_amend_member(chat_json_writer_t *w, const chat_str_t *key,
    const chat_str_t *value);


#define chat_amend_is(key, name)                                              \
    chat_amend_key(key, "\"" name "\"", sizeof("\"" name "\"") - 1)


int
chat_amend(chat_json_writer_t *w, const unsigned char *text, size_t len,
    const unsigned char *amend, size_t amend_len, int deleted)
{
    chat_json_writer_t  saved;

    saved = *w;

    if (chat_amend_copy(w, text, len) == 0
        && chat_amend_put(w, amend, amend_len, deleted) == 0)
    {
        return 0;
    }

    *w = saved;

    return -1;
}


/* All but the content, and without the last brace. */

static int
chat_amend_copy(chat_json_writer_t *w, const unsigned char *text, size_t len)
{
    int               first;
    chat_str_t        key, value;
    chat_json_walk_t  walk;

    if (len < 2 || text[0] != '{' || text[len - 1] != '}') {
        return -1;
    }

    first = 1;

    chat_json_lit(w, "{");
    chat_json_walk(&walk, text, len);

    while (chat_json_next(&walk, &key, &value)) {

        if (chat_amend_content(&key)) {
            continue;
        }

        if (!first) {
            chat_json_lit(w, ",");
        }

        chat_amend_member(w, &key, &value);
        first = 0;
    }

    /* what is put behind it begins with a comma */

    return (first || walk.pos != text + len - 1) ? -1 : 0;
}


static int
chat_amend_put(chat_json_writer_t *w, const unsigned char *amend, size_t len,
    int deleted)
{
    chat_str_t        ts, key, value;
    chat_json_walk_t  walk;

    if (len < 2 || amend[0] != '{' || amend[len - 1] != '}') {
        return -1;
    }

    ts.data = NULL;
    ts.len = 0;

    chat_json_walk(&walk, amend, len);

    while (chat_json_next(&walk, &key, &value)) {

        if (chat_amend_is(&key, "ts")) {
            ts = value;

        } else if (!deleted && chat_amend_content(&key)) {
            chat_json_lit(w, ",");
            chat_amend_member(w, &key, &value);
        }
    }

    if (walk.pos != amend + len - 1 || ts.len == 0) {
        return -1;
    }

    if (deleted) {
        chat_json_lit(w, ",\"deleted\":");

    } else {
        chat_json_lit(w, ",\"edited\":");
    }

    chat_json_put(w, ts.data, ts.len);
    chat_json_lit(w, "}");

    return 0;
}


static int
chat_amend_content(const chat_str_t *key)
{
    return chat_amend_is(key, "text") || chat_amend_is(key, "data");
}


/* Keys are compared as they stand there: this module escapes none of its. */

static int
chat_amend_key(const chat_str_t *key, const char *name, size_t len)
{
    return key->len == len && memcmp(key->data, name, len) == 0;
}


static void
chat_amend_member(chat_json_writer_t *w, const chat_str_t *key,
    const chat_str_t *value)
{
    chat_json_put(w, key->data, key->len);
    chat_json_lit(w, ":");
    chat_json_put(w, value->data, value->len);
}
