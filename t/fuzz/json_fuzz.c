
/*
 * Any bytes as a command.  What is taken must hold together: raw tokens lie
 * inside the text and are JSON by themselves, decoded strings pass through
 * the writer and back unchanged, and what is refused says why.
 */


#include <stdlib.h>
#include <string.h>

#include "chat_proto.h"
#include "chat_utf8.h"


#define JSON_FUZZ_PAGE  100


#define json_fuzz_check(cond)                                                 \
    do {                                                                      \
        if (!(cond)) {                                                        \
            abort();                                                          \
        }                                                                     \
    } while (0)


int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);


/* A token by itself, in an object of its own: taken, and the same again. */

static void
json_fuzz_raw(const unsigned char *data, size_t size, const chat_str_t *raw)
{
    json_t         *root;
    chat_str_t      again;
    const char     *reason;
    unsigned char  *text;

    json_fuzz_check(raw->len > 0 && raw->data >= data
                    && raw->data + raw->len <= data + size);

    text = malloc(raw->len + 6);
    memcpy(text, "{\"x\":", 5);
    memcpy(text + 5, raw->data, raw->len);
    text[raw->len + 5] = '}';

    root = chat_json_object(text, raw->len + 6, &reason);
    json_fuzz_check(root != NULL && json_object_size(root) == 1);

    json_fuzz_check(chat_json_raw(text, raw->len + 6, "x", &again) == 1);
    json_fuzz_check(again.len == raw->len
                    && memcmp(again.data, raw->data, raw->len) == 0);

    json_decref(root);
    free(text);
}


/* The writer's text is read back as the same string. */

static void
json_fuzz_string(const void *data, size_t len)
{
    size_t               size;
    json_t              *string;
    json_error_t         error;
    unsigned char       *buf;
    chat_json_writer_t   w;

    json_fuzz_check(chat_utf8_valid(data, len));

    /* the size that is needed, as the writer counts it */

    chat_json_begin(&w, (unsigned char *) &error, 0);
    chat_json_string(&w, data, len);
    size = w.lost;

    buf = malloc(size);
    chat_json_begin(&w, buf, size);
    chat_json_string(&w, data, len);
    json_fuzz_check(w.lost == 0 && w.pos == w.end);

    string = json_loadb((char *) buf, size, JSON_DECODE_ANY | JSON_ALLOW_NUL,
                        &error);

    json_fuzz_check(json_is_string(string)
                    && json_string_length(string) == len
                    && memcmp(json_string_value(string), data, len) == 0);

    json_decref(string);
    free(buf);
}


static void
json_fuzz_number(const unsigned char *data, size_t size)
{
    uint64_t             n;
    unsigned char        buf[21];
    chat_json_writer_t   w;

    n = 0;
    memcpy(&n, data, size < sizeof(n) ? size : sizeof(n));

    chat_json_begin(&w, buf, sizeof(buf) - 1);
    chat_json_uint(&w, n);
    *w.pos = '\0';

    json_fuzz_check(w.lost == 0 && strtoull((char *) buf, NULL, 10) == n);
}


/* Each member is found under its decoded key, with the walk's own token. */

static void
json_fuzz_members(const unsigned char *data, size_t size, json_t *root)
{
    void              *iter;
    size_t             n;
    chat_str_t         key, value, raw;
    const char        *name;
    chat_json_walk_t   walk;

    n = 0;
    iter = json_object_iter(root);
    chat_json_walk(&walk, data, size);

    while (chat_json_next(&walk, &key, &value)) {
        json_fuzz_check(iter != NULL);
        json_fuzz_raw(data, size, &value);
        json_fuzz_raw(data, size, &key);

        name = json_object_iter_key(iter);
        json_fuzz_string(name, strlen(name));

        /* n members by name are n walks: enough of them */

        if (n < 64) {
            json_fuzz_check(chat_json_raw(data, size, name, &raw) == 1);
            json_fuzz_check(raw.data == value.data && raw.len == value.len);
        }

        if (json_is_string(json_object_iter_value(iter))) {
            json_fuzz_string(json_string_value(json_object_iter_value(iter)),
                             json_string_length(json_object_iter_value(iter)));
        }

        iter = json_object_iter_next(root, iter);
        n++;
    }

    json_fuzz_check(iter == NULL && n == json_object_size(root));
}


/* What is plain has the members that the tree has. */

static void
json_fuzz_plain(const unsigned char *data, size_t size, json_t *root)
{
    int                 i, n;
    void               *iter;
    json_t             *value;
    chat_json_plain_t  *m, members[12];

    n = chat_json_plain(data, size, members, 12);

    if (n == -1) {
        return;
    }

    json_fuzz_check(root != NULL && json_object_size(root) == (size_t) n);

    iter = json_object_iter(root);

    for (i = 0; i < n; i++) {
        m = &members[i];
        value = json_object_iter_value(iter);

        json_fuzz_check(strlen(json_object_iter_key(iter)) == m->key.len
                        && memcmp(json_object_iter_key(iter), m->key.data,
                                  m->key.len)
                           == 0);
        json_fuzz_check(m->type == json_typeof(value));
        json_fuzz_check(m->type != JSON_INTEGER
                        || m->number == json_integer_value(value));
        json_fuzz_check(m->type != JSON_STRING
                        || (json_string_length(value) == m->string.len
                            && memcmp(json_string_value(value),
                                      m->string.data, m->string.len)
                               == 0));

        iter = json_object_iter_next(root, iter);
    }
}


static void
json_fuzz_command(const unsigned char *data, size_t size,
    const chat_command_t *cmd)
{
    json_fuzz_check(cmd->type < CHAT_CMD_N);

    if (cmd->given & CHAT_F_ROOM) {
        json_fuzz_check(chat_utf8_name(cmd->room.data, cmd->room.len, 1,
                                       CHAT_ROOM_NAME_MAX));
    }

    if (cmd->given & CHAT_F_TEXT) {
        json_fuzz_raw(data, size, &cmd->text_raw);
        json_fuzz_string(cmd->text.data, cmd->text.len);
    }

    if (cmd->given & CHAT_F_DATA) {
        json_fuzz_raw(data, size, &cmd->data_raw);
    }

    if (cmd->given & CHAT_F_NONCE) {
        json_fuzz_raw(data, size, &cmd->nonce_raw);
        json_fuzz_check(cmd->nonce.len <= CHAT_NONCE_MAX);
    }

    json_fuzz_check(cmd->seq <= CHAT_SEQ_MAX && cmd->after <= CHAT_SEQ_MAX);
    json_fuzz_check(cmd->limit <= JSON_FUZZ_PAGE);
}


int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    int             rc;
    json_t         *root;
    const char     *reason;
    chat_error_t    err;
    chat_command_t  cmd;

    memset(&err, 0, sizeof(chat_error_t));

    rc = chat_command_parse(&cmd, data, size, JSON_FUZZ_PAGE, &err);

    root = chat_json_object(data, size, &reason);

    json_fuzz_check((root != NULL) == (err.code != CHAT_ERR_BAD_JSON));

    if (root != NULL) {
        json_fuzz_members(data, size, root);
    }

    json_fuzz_plain(data, size, root);
    json_decref(root);

    if (cmd.id.len != 0) {
        json_fuzz_raw(data, size, &cmd.id);
    }

    if (rc == 0) {
        json_fuzz_command(data, size, &cmd);

    } else {
        json_fuzz_check(err.code == CHAT_ERR_BAD_JSON
                        || err.code == CHAT_ERR_BAD_REQUEST
                        || err.code == CHAT_ERR_UNKNOWN_TYPE);
        json_fuzz_check(err.message != NULL);
        json_fuzz_check(chat_error_name(err.code)[0] != '\0');
        json_fuzz_check((err.code == CHAT_ERR_BAD_REQUEST)
                        == (err.field != NULL));
    }

    chat_command_free(&cmd);

    /* and any bytes through the writer that are UTF-8 */

    if (chat_utf8_valid(data, size)) {
        json_fuzz_string(data, size);
    }

    json_fuzz_number(data, size);

    return 0;
}
