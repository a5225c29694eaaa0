
/*
 * chat_proto: every command with every field at, below and over its bounds,
 * the rules between fields, the order of the checks, ids, raw tokens, names.
 */


#include <stddef.h>
#include <string.h>

#include "chat_proto.h"
#include "test.h"


#define PROTO_TEST_PAGE  100

/* As "{", and the object is not a plain one. */
#define PROTO_TREE       "{\"tree\":[],"


/* Checks of a table's rows: name says which one. */

#define ok(cond, name)                                                        \
    test_eq_at(__FILE__, __LINE__, name, (cond) ? 1 : 0, 1)

#define is_int(got, want, name)                                               \
    test_eq_at(__FILE__, __LINE__, name, (long long) (got),                   \
               (long long) (want))

#define is_str(got, want, name)                                               \
    test_str_at(__FILE__, __LINE__, name, got, want)


typedef enum {
    PROTO_NAME = 0,
    PROTO_STRING,
    PROTO_TEXT,
    PROTO_UINT,
    PROTO_BOOL,
    PROTO_COLOR,
    PROTO_ROLE,
    PROTO_ANY
} proto_kind_e;


typedef struct {
    const char    *name;
    uint32_t       bit;
    proto_kind_e   kind;
    uint64_t       min;
    uint64_t       max;
    size_t         at;
} proto_field_t;


/* others: what must stand beside the field. */
typedef struct {
    const char    *command;
    const char    *field;
    const char    *others;
} proto_pair_t;


typedef struct {
    const char    *text;
    chat_err_e     code;        /* CHAT_ERR_NONE: taken */
    const char    *field;       /* "": none */
    const char    *id;          /* "": none */
} proto_case_t;


static char  proto_text[32768];


#define proto_at(member)  offsetof(chat_command_t, member)


static const proto_field_t  proto_fields[] = {
    { "room", CHAT_F_ROOM, PROTO_NAME, 1, 128, proto_at(room) },
    { "to", CHAT_F_TO, PROTO_NAME, 1, 64, proto_at(to) },
    { "user", CHAT_F_USER, PROTO_NAME, 1, 64, proto_at(user) },
    { "name", CHAT_F_NAME, PROTO_NAME, 1, 64, proto_at(name) },
    { "prefix", CHAT_F_PREFIX, PROTO_NAME, 0, 128, proto_at(prefix) },
    { "text", CHAT_F_TEXT, PROTO_TEXT, 0, 20000, proto_at(text) },
    { "data", CHAT_F_DATA, PROTO_ANY, 0, 0, 0 },
    { "nonce", CHAT_F_NONCE, PROTO_STRING, 1, 64, proto_at(nonce) },
    { "reply_to", CHAT_F_REPLY_TO, PROTO_UINT, 1, 9007199254740991,
      proto_at(reply_to) },
    { "epoch", CHAT_F_EPOCH, PROTO_STRING, 0, 64, proto_at(epoch) },
    { "seq", CHAT_F_SEQ, PROTO_UINT, 1, 9007199254740991, proto_at(seq) },
    { "history", CHAT_F_HISTORY, PROTO_UINT, 0, PROTO_TEST_PAGE,
      proto_at(history) },
    { "presence", CHAT_F_PRESENCE, PROTO_BOOL, 0, 0, 0 },
    { "before", CHAT_F_BEFORE, PROTO_UINT, 1, 9007199254740991,
      proto_at(before) },
    { "after", CHAT_F_AFTER, PROTO_UINT, 0, 9007199254740991,
      proto_at(after) },
    { "limit", CHAT_F_LIMIT, PROTO_UINT, 1, PROTO_TEST_PAGE,
      proto_at(limit) },
    { "emoji", CHAT_F_EMOJI, PROTO_STRING, 1, 32, proto_at(emoji) },
    { "on", CHAT_F_ON, PROTO_BOOL, 0, 0, 0 },
    { "color", CHAT_F_COLOR, PROTO_COLOR, 0, 0, proto_at(color) },
    { "reason", CHAT_F_REASON, PROTO_STRING, 0, 512, proto_at(reason) },
    { "duration", CHAT_F_DURATION, PROTO_UINT, 0, 9007199254740991,
      proto_at(duration) },
    { "role", CHAT_F_ROLE, PROTO_ROLE, 0, 0, proto_at(role) },
    { "topic", CHAT_F_TOPIC, PROTO_STRING, 0, 500, proto_at(topic) },
    { "slow", CHAT_F_SLOW, PROTO_UINT, 0, 86400000, proto_at(slow) },
    { "locked", CHAT_F_LOCKED, PROTO_BOOL, 0, 0, 0 },
    { "members_only", CHAT_F_MEMBERS_ONLY, PROTO_BOOL, 0, 0, 0 },
    { "purge", CHAT_F_PURGE, PROTO_BOOL, 0, 0, 0 },
    { "token", CHAT_F_TOKEN, PROTO_STRING, 0, 16384, proto_at(token) }
};


#define ROOM  ",\"room\":\"r\""
#define SEQ   ",\"seq\":1"
#define USER  ",\"user\":\"u\""


static const proto_pair_t  proto_pairs[] = {
    { "join", "room", "" },
    { "join", "epoch", ROOM SEQ },
    { "join", "seq", ROOM ",\"epoch\":\"e\"" },
    { "join", "history", ROOM },
    { "join", "presence", ROOM },
    { "leave", "room", "" },
    { "send", "room", ",\"text\":\"t\"" },
    { "send", "to", ",\"text\":\"t\"" },
    { "send", "text", ROOM },
    { "send", "data", ROOM },
    { "send", "nonce", ROOM ",\"text\":\"t\"" },
    { "send", "reply_to", ROOM ",\"text\":\"t\"" },
    { "edit", "room", SEQ ",\"text\":\"t\"" },
    { "edit", "seq", ROOM ",\"text\":\"t\"" },
    { "edit", "text", ROOM SEQ },
    { "edit", "data", ROOM SEQ },
    { "delete", "room", SEQ },
    { "delete", "seq", ROOM },
    { "react", "room", SEQ ",\"emoji\":\"+\"" },
    { "react", "seq", ROOM ",\"emoji\":\"+\"" },
    { "react", "emoji", ROOM SEQ },
    { "react", "on", ROOM SEQ ",\"emoji\":\"+\"" },
    { "typing", "room", "" },
    { "typing", "to", "" },
    { "typing", "on", ROOM },
    { "read", "room", SEQ },
    { "read", "seq", ROOM },
    { "history", "room", "" },
    { "history", "before", ROOM },
    { "history", "after", ROOM },
    { "history", "limit", ROOM },
    { "members", "room", "" },
    { "rooms", "prefix", "" },
    { "rooms", "limit", "" },
    { "profile", "name", "" },
    { "profile", "color", "" },
    { "kick", "room", USER },
    { "kick", "user", ROOM },
    { "kick", "reason", ROOM USER },
    { "kick", "purge", ROOM USER },
    { "mute", "room", USER },
    { "mute", "user", ROOM },
    { "mute", "duration", ROOM USER },
    { "mute", "reason", ROOM USER },
    { "unmute", "room", USER },
    { "unmute", "user", ROOM },
    { "unmute", "duration", ROOM USER },
    { "unmute", "reason", ROOM USER },
    { "ban", "room", USER },
    { "ban", "user", ROOM },
    { "ban", "duration", ROOM USER },
    { "ban", "reason", ROOM USER },
    { "ban", "purge", ROOM USER },
    { "unban", "room", USER },
    { "unban", "user", ROOM },
    { "unban", "duration", ROOM USER },
    { "unban", "reason", ROOM USER },
    { "grant", "room", USER ",\"role\":\"owner\"" },
    { "grant", "user", ROOM ",\"role\":\"owner\"" },
    { "grant", "role", ROOM USER },
    { "set", "room", ",\"topic\":\"\"" },
    { "set", "topic", ROOM },
    { "set", "slow", ROOM },
    { "set", "locked", ROOM },
    { "set", "members_only", ROOM },
    { "auth", "token", "" }
};


#define OK(text)  { text, CHAT_ERR_NONE, "", "1" }
#define BAD(text, field)  { text, CHAT_ERR_BAD_REQUEST, field, "1" }
#define C(type)  "{\"id\":1,\"type\":\"" type "\""


/* What is needed, and the rules between fields. */

static const proto_case_t  proto_rules[] = {
    BAD(C("join") "}", "room"),
    OK(C("join") ROOM "}"),
    OK(C("join") ROOM ",\"epoch\":\"e\",\"seq\":0}"),
    BAD(C("join") ROOM ",\"epoch\":\"e\"}", "seq"),
    BAD(C("join") ROOM ",\"seq\":5}", "epoch"),
    BAD(C("leave") "}", "room"),

    BAD(C("send") "}", "room"),
    BAD(C("send") ",\"text\":\"t\"}", "room"),
    BAD(C("send") ROOM "}", "text"),
    BAD(C("send") ",\"to\":\"u\"}", "text"),
    BAD(C("send") ROOM ",\"to\":\"u\",\"text\":\"t\"}", "to"),
    BAD(C("send") ROOM ",\"nonce\":\"n\"}", "text"),
    OK(C("send") ROOM ",\"data\":null}"),
    OK(C("send") ROOM ",\"text\":\"\"}"),
    OK(C("send") ROOM ",\"text\":\"t\",\"data\":[]}"),
    OK(C("send") ",\"to\":\"u\",\"data\":0}"),

    BAD(C("edit") SEQ ",\"text\":\"t\"}", "room"),
    BAD(C("edit") ROOM ",\"text\":\"t\"}", "seq"),
    BAD(C("edit") ROOM SEQ "}", "text"),
    OK(C("edit") ROOM SEQ ",\"data\":null}"),
    BAD(C("delete") SEQ "}", "room"),
    BAD(C("delete") ROOM "}", "seq"),
    BAD(C("react") SEQ ",\"emoji\":\"+\"}", "room"),
    BAD(C("react") ROOM ",\"emoji\":\"+\"}", "seq"),
    BAD(C("react") ROOM SEQ "}", "emoji"),
    BAD(C("typing") "}", "room"),
    BAD(C("typing") ROOM ",\"to\":\"u\"}", "to"),
    BAD(C("read") SEQ "}", "room"),
    BAD(C("read") ROOM "}", "seq"),

    BAD(C("history") "}", "room"),
    OK(C("history") ROOM "}"),
    BAD(C("history") ROOM ",\"before\":9,\"after\":1}", "after"),
    BAD(C("history") ROOM ",\"after\":1,\"before\":9}", "after"),
    BAD(C("members") "}", "room"),
    OK(C("rooms") "}"),
    BAD(C("profile") "}", "name"),
    OK(C("profile") ",\"name\":\"n\",\"color\":\"#000000\"}"),

    BAD(C("kick") USER "}", "room"),
    BAD(C("kick") ROOM "}", "user"),
    BAD(C("mute") USER "}", "room"),
    BAD(C("mute") ROOM "}", "user"),
    BAD(C("unmute") USER "}", "room"),
    BAD(C("unmute") ROOM "}", "user"),
    BAD(C("ban") USER "}", "room"),
    BAD(C("ban") ROOM "}", "user"),
    BAD(C("unban") USER "}", "room"),
    BAD(C("unban") ROOM "}", "user"),
    BAD(C("grant") USER ",\"role\":\"owner\"}", "room"),
    BAD(C("grant") ROOM ",\"role\":\"owner\"}", "user"),
    BAD(C("grant") ROOM USER "}", "role"),
    BAD(C("set") ",\"topic\":\"t\"}", "room"),
    BAD(C("set") ROOM "}", "topic"),
    OK(C("set") ROOM ",\"topic\":\"\",\"slow\":0,\"locked\":false,"
       "\"members_only\":true}"),
    BAD(C("auth") "}", "token"),
    OK(C("ping") "}"),

    /* the table's order, whatever the text's */

    BAD(C("send") ",\"nonce\":1,\"data\":1,\"text\":1,\"room\":1}", "room"),
    BAD(C("send") ",\"nonce\":1,\"text\":1" ROOM "}", "text"),
    BAD(C("send") ",\"text\":1}", "room"),
    BAD(C("send") ",\"room\":1,\"to\":\"u\",\"text\":\"t\"}", "room"),
    BAD(C("send") ROOM ",\"to\":\"u\",\"text\":1}", "to"),
    BAD(C("join") ROOM ",\"epoch\":1}", "epoch"),
    BAD(C("join") ROOM ",\"seq\":\"\"}", "epoch"),
    BAD(C("join") ROOM ",\"history\":-1,\"epoch\":\"e\"}", "seq"),

    /* fields of other commands are unknown fields */

    OK(C("leave") ROOM ",\"text\":1,\"seq\":-1,\"to\":null,\"user\":\"\"}"),
    OK(C("ping") ",\"room\":\"\",\"token\":1,\"color\":\"red\",\"x\":{}}"),
    OK(C("join") ROOM ",\"Room\":1,\"roo\":1,\"rooms\":1,\"\":1}"),

    /* a key is what it means */

    OK("{\"\\u0069d\":1,\"\\u0074ype\":\"\\u006aoin\",\"ro\\u006fm\":\"r\"}"),
    BAD("{\"id\":1,\"\\u0074ype\":\"join\",\"ro\\u006fm\":\"\"}", "room")
};


#define ID(id)  "{\"type\":\"ping\",\"id\":" id "}"
#define ID_OK(id)  { ID(id), CHAT_ERR_NONE, "", id }
#define ID_BAD(id)  { ID(id), CHAT_ERR_BAD_REQUEST, "id", "" }

#define D32  "12345678901234567890123456789012"
#define U32  "\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9"       \
             "\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9"       \
             "\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9"       \
             "\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9"


static const proto_case_t  proto_heads[] = {
    { "{\"type\":\"ping\"}", CHAT_ERR_NONE, "", "" },
    ID_OK("0"),
    ID_OK("-0"),
    ID_OK("-17"),
    ID_OK("1.0"),
    ID_OK("1e400"),
    ID_OK("12345678901234567890"),
    ID_OK(D32 D32),
    ID_BAD(D32 D32 "1"),
    ID_BAD("0." D32 "1234567890123456789012345678901"),
    ID_OK("\"\""),
    ID_OK("\"a\""),
    ID_OK("\"\\n\""),
    ID_OK("\"" D32 D32 "\""),
    ID_BAD("\"" D32 D32 "1\""),
    ID_OK("\"" U32 "\""),
    ID_BAD("\"" U32 "1\""),
    ID_BAD("\"\\u0000\""),
    ID_BAD("\"a\\u0000b\""),
    ID_BAD("null"),
    ID_BAD("true"),
    ID_BAD("[]"),
    ID_BAD("[1]"),
    ID_BAD("{}"),

    { "{\"id\" : 7 , \"type\":\"ping\"}", CHAT_ERR_NONE, "", "7" },
    { "{\"x\":{\"id\":3},\"type\":\"ping\",\"\\u0069d\":7}", CHAT_ERR_NONE,
      "", "7" },

    /* the order: bad_json, id, type, unknown_type, fields */

    { "", CHAT_ERR_BAD_JSON, "", "" },
    { "[]", CHAT_ERR_BAD_JSON, "", "" },
    { "{\"id\":7,\"type\":\"ping\"", CHAT_ERR_BAD_JSON, "", "" },
    { "{\"id\":7,\"type\":\"ping\"}}", CHAT_ERR_BAD_JSON, "", "" },
    { "{\"id\":7,\"id\":7,\"type\":\"ping\"}", CHAT_ERR_BAD_JSON, "", "" },
    { "{\"id\":7,\"type\":\"ping\",\"\\u0074ype\":\"ping\"}",
      CHAT_ERR_BAD_JSON, "", "" },
    { "{\"id\":7,\"type\":\"send\",\"room\":\"r\",\"text\":\"\\ud800\"}",
      CHAT_ERR_BAD_JSON, "", "" },
    { "{\"id\":7,\"type\":\"send\",\"room\":\"r\",\"text\":\"\xff\"}",
      CHAT_ERR_BAD_JSON, "", "" },
    { "{\"id\":null}", CHAT_ERR_BAD_REQUEST, "id", "" },
    { "{\"type\":1,\"id\":null}", CHAT_ERR_BAD_REQUEST, "id", "" },
    { "{}", CHAT_ERR_BAD_REQUEST, "type", "" },
    { "{\"id\":7}", CHAT_ERR_BAD_REQUEST, "type", "7" },
    { "{\"id\":7,\"type\":null}", CHAT_ERR_BAD_REQUEST, "type", "7" },
    { "{\"id\":7,\"type\":1}", CHAT_ERR_BAD_REQUEST, "type", "7" },
    { "{\"id\":7,\"type\":[\"ping\"]}", CHAT_ERR_BAD_REQUEST, "type", "7" },
    { "{\"id\":7,\"Type\":\"ping\"}", CHAT_ERR_BAD_REQUEST, "type", "7" },
    { "{\"id\":7,\"x\":{\"type\":\"ping\"}}", CHAT_ERR_BAD_REQUEST, "type",
      "7" },
    { "{\"type\":\"\",\"id\":7}", CHAT_ERR_UNKNOWN_TYPE, "", "7" },
    { "{\"type\":\"pin\",\"id\":7}", CHAT_ERR_UNKNOWN_TYPE, "", "7" },
    { "{\"type\":\"pings\",\"id\":7}", CHAT_ERR_UNKNOWN_TYPE, "", "7" },
    { "{\"type\":\"Ping\",\"id\":7}", CHAT_ERR_UNKNOWN_TYPE, "", "7" },
    { "{\"type\":\"ping\\u0000\",\"id\":7}", CHAT_ERR_UNKNOWN_TYPE, "", "7" },
    { "{\"type\":\"message\",\"id\":7}", CHAT_ERR_UNKNOWN_TYPE, "", "7" },
    { "{\"type\":\"pong\",\"room\":1,\"id\":7}", CHAT_ERR_UNKNOWN_TYPE, "",
      "7" },
    { "{\"type\":\"join\",\"room\":1,\"id\":\"7\"}", CHAT_ERR_BAD_REQUEST,
      "room", "\"7\"" },
    { "{\"type\":\"join\",\"room\":1}", CHAT_ERR_BAD_REQUEST, "room", "" }
};


static const struct {
    const char  *name;
    chat_cmd_e   type;
} proto_names[] = {
    { "join", CHAT_CMD_JOIN },
    { "leave", CHAT_CMD_LEAVE },
    { "send", CHAT_CMD_SEND },
    { "edit", CHAT_CMD_EDIT },
    { "delete", CHAT_CMD_DELETE },
    { "react", CHAT_CMD_REACT },
    { "typing", CHAT_CMD_TYPING },
    { "read", CHAT_CMD_READ },
    { "history", CHAT_CMD_HISTORY },
    { "members", CHAT_CMD_MEMBERS },
    { "rooms", CHAT_CMD_ROOMS },
    { "profile", CHAT_CMD_PROFILE },
    { "kick", CHAT_CMD_KICK },
    { "mute", CHAT_CMD_MUTE },
    { "unmute", CHAT_CMD_UNMUTE },
    { "ban", CHAT_CMD_BAN },
    { "unban", CHAT_CMD_UNBAN },
    { "grant", CHAT_CMD_GRANT },
    { "set", CHAT_CMD_SET },
    { "auth", CHAT_CMD_AUTH },
    { "ping", CHAT_CMD_PING }
};


static chat_cmd_e
proto_type(const char *name)
{
    size_t  i;

    for (i = 0; i < CHAT_CMD_N; i++) {

        if (strcmp(proto_names[i].name, name) == 0) {
            return proto_names[i].type;
        }
    }

    return CHAT_CMD_N;
}


/* Parses a copy of exactly the text's size, checks what came of it. */

static void
proto_parse(const char *text, chat_err_e code, const char *field,
    const char *id, const char *name)
{
    int             rc;
    char            got[256];
    size_t          len;
    chat_error_t    err;
    unsigned char  *exact;
    chat_command_t  cmd;

    len = strlen(text);
    exact = test_copy(text, len);

    err.code = CHAT_ERR_NONE;
    err.field = NULL;
    err.message = "";

    rc = chat_command_parse(&cmd, exact, len, PROTO_TEST_PAGE, &err);

    is_int(rc, (code == CHAT_ERR_NONE) ? 0 : -1, name);
    is_str(chat_error_name(err.code), chat_error_name(code), name);
    is_str(err.field ? err.field : "", field, name);
    ok((err.message[0] != '\0') == (rc != 0), name);

    snprintf(got, sizeof(got), "%.*s", (int) cmd.id.len,
             cmd.id.len ? (const char *) cmd.id.data : "");
    is_str(got, id, name);

    /* a command that was not recognised is none */
    ok(rc == 0 || code != CHAT_ERR_UNKNOWN_TYPE || cmd.type == CHAT_CMD_N,
       name);

    chat_command_free(&cmd);
    free(exact);
}


static void
proto_cases(const proto_case_t *cases, size_t n)
{
    char    name[128], tree[1024];
    size_t  i;

    for (i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "row %zu: %.100s", i, cases[i].text);
        proto_parse(cases[i].text, cases[i].code, cases[i].field,
                    cases[i].id, name);

        if (strncmp(cases[i].text, "{\"", 2) == 0) {
            snprintf(tree, sizeof(tree), PROTO_TREE "%s", cases[i].text + 1);
            proto_parse(tree, cases[i].code, cases[i].field, cases[i].id,
                        name);
        }
    }
}


static void
proto_rules_test(void)
{
    proto_cases(proto_rules, sizeof(proto_rules) / sizeof(proto_rules[0]));
}


static void
proto_heads_test(void)
{
    proto_cases(proto_heads, sizeof(proto_heads) / sizeof(proto_heads[0]));
}


/* The value as the command holds it, against its text. */

static void
proto_value(const proto_field_t *f, const chat_command_t *cmd,
    const char *value, size_t len, const char *name)
{
    char               got[32];
    const chat_str_t  *s;

    if (f->kind == PROTO_UINT) {
        snprintf(got, sizeof(got), "%llu", (unsigned long long)
                 *(const uint64_t *) ((const char *) cmd + f->at));
        ok(strlen(got) == len && memcmp(got, value, len) == 0, name);

    } else if (f->at != 0 && memchr(value, '\\', len) == NULL) {
        s = (const chat_str_t *) ((const char *) cmd + f->at);
        ok(s->len == len - 2 && memcmp(s->data, value + 1, s->len) == 0,
           name);
    }
}


/* One value in one field of one command: it is taken or the field is named. */

static void
proto_try_as(const char *begin, const proto_pair_t *pair,
    const proto_field_t *f, const char *value, size_t len, int taken)
{
    int             rc;
    char            name[128];
    size_t          n;
    chat_error_t    err;
    chat_command_t  cmd;

    n = (size_t) snprintf(proto_text, sizeof(proto_text),
                          "%s\"type\":\"%s\",\"id\":7%s,\"%s\":",
                          begin, pair->command, pair->others, pair->field);
    memcpy(proto_text + n, value, len);
    n += len;
    proto_text[n++] = '}';

    snprintf(name, sizeof(name), "%s %s %.40s (%zu bytes)", pair->command,
             pair->field, value, len);

    err.code = CHAT_ERR_NONE;
    err.field = "";

    rc = chat_command_parse(&cmd, (unsigned char *) proto_text, n,
                            PROTO_TEST_PAGE, &err);

    is_int(rc, taken ? 0 : -1, name);
    is_str(chat_error_name(err.code), taken ? "none" : "bad_request", name);
    is_str(err.field, taken ? "" : pair->field, name);
    is_int(cmd.type, proto_type(pair->command), name);
    ok(cmd.id.len == 1 && cmd.id.data[0] == '7', name);

    if (taken) {
        ok(cmd.given & f->bit, name);
        proto_value(f, &cmd, value, len, name);
    }

    chat_command_free(&cmd);
}


/* What is nested is read by another way, with the same end. */

static void
proto_try(const proto_pair_t *pair, const proto_field_t *f, const char *value,
    size_t len, int taken)
{
    proto_try_as("{", pair, f, value, len, taken);
    proto_try_as(PROTO_TREE, pair, f, value, len, taken);
}


static void
proto_try_all(const proto_pair_t *pair, const proto_field_t *f,
    const char *const *values, int taken)
{
    while (*values != NULL) {
        proto_try(pair, f, *values, strlen(*values), taken);
        values++;
    }
}


static void
proto_try_length(const proto_pair_t *pair, const proto_field_t *f,
    uint64_t bytes, int taken)
{
    size_t       n, i;
    static char  value[32768];

    /* characters of two bytes, and one of one where that is odd */

    n = 0;
    value[n++] = '"';

    if (bytes & 1) {
        value[n++] = 'x';
    }

    for (i = 0; i < bytes / 2; i++) {
        value[n++] = '\xc3';
        value[n++] = '\xa9';
    }

    value[n++] = '"';

    proto_try(pair, f, value, n, taken);
}


static void
proto_strings(const proto_pair_t *pair, const proto_field_t *f)
{
    static const char *const  wrong[] = {
        "null", "true", "1", "[]", "{}", "[\"a\"]", NULL
    };
    static const char *const  nul[] = {
        "\"\\u0000\"", "\"a\\u0000\"", "\"a\\u0000b\"", NULL
    };
    static const char *const  controls[] = {
        "\"\\n\"", "\"a\\u001f\"", "\"a\x7f\"", "\"\xc2\x80\"",
        "\"\\u009f\"", NULL
    };
    static const char *const  fine[] = {
        "\"@a\"", "\"a b\"", "\"\xc2\xa0\"", "\"\\u00e9\"",
        "\"\xf0\x9f\x98\x80\"", "\"<&>\"", NULL
    };

    if (f->min > 0) {
        proto_try_length(pair, f, f->min - 1, 0);
    }

    proto_try_length(pair, f, f->min, 1);
    proto_try_length(pair, f, f->max - 1, 1);
    proto_try_length(pair, f, f->max, 1);

    if (f->kind != PROTO_TEXT) {
        proto_try_length(pair, f, f->max + 1, 0);
    }

    proto_try_all(pair, f, wrong, 0);
    proto_try_all(pair, f, nul, f->kind == PROTO_TEXT);
    proto_try_all(pair, f, controls, f->kind != PROTO_NAME);
    proto_try_all(pair, f, fine, 1);
}


static void
proto_try_number(const proto_pair_t *pair, const proto_field_t *f,
    long long n, int taken)
{
    int   len;
    char  value[32];

    len = snprintf(value, sizeof(value), "%lld", n);
    proto_try(pair, f, value, (size_t) len, taken);
}


static void
proto_numbers(const proto_pair_t *pair, const proto_field_t *f)
{
    long long  min;

    static const char *const  wrong[] = {
        "null", "true", "\"5\"", "[]", "{}", "[5]", "5.0", "5e0", "0.5",
        "-5", "9007199254740993", "9223372036854775807",
        "9223372036854775808", "12345678901234567890",
        "18446744073709551617", "1e400", "-1e400", NULL
    };

    min = (long long) f->min;

    if (strcmp(pair->command, "join") == 0 && strcmp(f->name, "seq") == 0) {
        min = 0;
    }

    proto_try_number(pair, f, min - 1, 0);
    proto_try_number(pair, f, min, 1);
    proto_try_number(pair, f, 5, 1);
    proto_try_number(pair, f, (long long) f->max, 1);
    proto_try_number(pair, f, (long long) f->max + 1, 0);
    proto_try_all(pair, f, wrong, 0);
}


static void
proto_fields_test(void)
{
    size_t                i;
    const proto_field_t  *f;

    static const char *const  no_bool[] = {
        "null", "0", "1", "\"true\"", "[]", "{}", NULL
    };
    static const char *const  is_bool[] = { "true", "false", NULL };
    static const char *const  no_color[] = {
        "null", "1", "\"\"", "\"red\"", "\"#12345\"", "\"#1234567\"",
        "\"123456\"", "\"x123456\"", "\"#12345g\"", "\"#12345G\"",
        "\"#12345/\"", "\"#12345:\"", "\"#12345@\"", "\"#12345`\"",
        "\"#12345\\u0010\"", "\"#12345\\u0000\"", NULL
    };
    static const char *const  is_color[] = {
        "\"#000000\"", "\"#09afAF\"", "\"#ffffff\"", NULL
    };
    static const char *const  no_role[] = {
        "null", "1", "\"\"", "\"admin\"", "\"Owner\"", "\"owners\"",
        "\"owne\"", "\"owner\\u0000\"", NULL
    };
    static const char *const  is_role[] = {
        "\"member\"", "\"moderator\"", "\"owner\"", NULL
    };
    static const char *const  is_any[] = {
        "null", "true", "1e400", "\"\\u0000\"", "[]", "{\"a\":[1]}", NULL
    };

    for (i = 0; i < sizeof(proto_pairs) / sizeof(proto_pairs[0]); i++) {

        for (f = proto_fields; strcmp(f->name, proto_pairs[i].field); f++) {
            /* void */
        }

        switch (f->kind) {

        case PROTO_UINT:
            proto_numbers(&proto_pairs[i], f);
            break;

        case PROTO_BOOL:
            proto_try_all(&proto_pairs[i], f, is_bool, 1);
            proto_try_all(&proto_pairs[i], f, no_bool, 0);
            break;

        case PROTO_COLOR:
            proto_try_all(&proto_pairs[i], f, is_color, 1);
            proto_try_all(&proto_pairs[i], f, no_color, 0);
            break;

        case PROTO_ROLE:
            proto_try_all(&proto_pairs[i], f, is_role, 1);
            proto_try_all(&proto_pairs[i], f, no_role, 0);
            break;

        case PROTO_ANY:
            proto_try_all(&proto_pairs[i], f, is_any, 1);
            break;

        default:
            proto_strings(&proto_pairs[i], f);
        }
    }
}


/* Values of bools, and what they are where nothing was given. */

static void
proto_bools_test(void)
{
    size_t          i;
    chat_error_t    err;
    chat_command_t  cmd;

    static const struct {
        const char  *text;
        unsigned     on, presence, locked, members_only, purge;
    } cases[] = {
        { C("ping") "}", 1, 0, 0, 0, 0 },
        { C("typing") ROOM "}", 1, 0, 0, 0, 0 },
        { C("typing") ROOM ",\"on\":false}", 0, 0, 0, 0, 0 },
        { C("react") ROOM SEQ ",\"emoji\":\"+\",\"on\":true}", 1, 0, 0, 0, 0 },
        { C("join") ROOM ",\"presence\":true,\"on\":false}", 1, 1, 0, 0, 0 },
        { C("join") ROOM ",\"presence\":false}", 1, 0, 0, 0, 0 },
        { C("set") ROOM ",\"locked\":true}", 1, 0, 1, 0, 0 },
        { C("set") ROOM ",\"members_only\":true}", 1, 0, 0, 1, 0 },
        { C("set") ROOM ",\"members_only\":false,\"locked\":false}", 1, 0, 0,
          0, 0 },
        { C("kick") ROOM USER ",\"purge\":true}", 1, 0, 0, 0, 1 },
        { C("ban") ROOM USER ",\"purge\":true}", 1, 0, 0, 0, 1 },
        { C("ban") ROOM USER ",\"purge\":false}", 1, 0, 0, 0, 0 },
        { C("unban") ROOM USER ",\"purge\":true}", 1, 0, 0, 0, 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(chat_command_parse(&cmd, (const unsigned char *) cases[i].text,
                                  strlen(cases[i].text), 1, &err),
               0, cases[i].text);

        is_int(cmd.on, cases[i].on, cases[i].text);
        is_int(cmd.presence, cases[i].presence, cases[i].text);
        is_int(cmd.locked, cases[i].locked, cases[i].text);
        is_int(cmd.members_only, cases[i].members_only, cases[i].text);
        is_int(cmd.purge, cases[i].purge, cases[i].text);

        chat_command_free(&cmd);
    }
}


static void
proto_raw_is(const chat_str_t *raw, const char *want)
{
    char  got[128];

    snprintf(got, sizeof(got), "%.*s", (int) raw->len,
             raw->len ? (const char *) raw->data : "");
    test_str(got, want);
}


static void
proto_raw_test(void)
{
    size_t          i;
    chat_error_t    err;
    chat_command_t  cmd;

    static const char  head[] =
        "{\"type\":\"send\",\"room\":\"r\",\"unknown\":{\"data\":0},"
        "\"nonce\" : \"\\u006e\" ,\"text\":\"\\u00e9\\\"\",\"id\":1.0,"
        "\"data\" :\n";
    static const char *const  values[] = {
        "1e400", "12345678901234567890", "1.0", "\"\\u00e9\"", "-0",
        "[1, 2,\n{\"id\":\"]\"}]", "{\"text\":\"no\"}", "null", NULL
    };

    for (i = 0; values[i] != NULL; i++) {
        snprintf(proto_text, sizeof(proto_text), "%s%s\t, \"x\":1}", head,
                 values[i]);

        test_eq(chat_command_parse(&cmd, (unsigned char *) proto_text,
                                   strlen(proto_text), 1, &err),
                0);

        test_eq(cmd.type, CHAT_CMD_SEND);
        test_eq(cmd.given, CHAT_F_ROOM | CHAT_F_NONCE | CHAT_F_TEXT
                           | CHAT_F_DATA);
        proto_raw_is(&cmd.id, "1.0");
        proto_raw_is(&cmd.nonce_raw, "\"\\u006e\"");
        proto_raw_is(&cmd.nonce, "n");
        proto_raw_is(&cmd.text_raw, "\"\\u00e9\\\"\"");
        proto_raw_is(&cmd.text, "\xc3\xa9\"");
        proto_raw_is(&cmd.data_raw, values[i]);
        proto_raw_is(&cmd.to, "");

        chat_command_free(&cmd);
    }
}


/* The page that the caller names is the bound, also a very large one. */

static void
proto_page_test(void)
{
    size_t          i;
    chat_error_t    err;
    chat_command_t  cmd;

    static const struct {
        const char  *text;
        uint64_t     page;
        int          rc;
    } cases[] = {
        { C("history") ROOM ",\"limit\":1}", 1, 0 },
        { C("history") ROOM ",\"limit\":2}", 1, -1 },
        { C("history") ROOM ",\"limit\":500}", 500, 0 },
        { C("rooms") ",\"limit\":3}", 2, -1 },
        { C("join") ROOM ",\"history\":0}", 1, 0 },
        { C("join") ROOM ",\"history\":2}", 1, -1 },
        { C("join") ROOM ",\"history\":9007199254740992}", UINT64_MAX, 0 },
        { C("join") ROOM ",\"history\":-1}", UINT64_MAX, -1 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(chat_command_parse(&cmd, (const unsigned char *) cases[i].text,
                                  strlen(cases[i].text), cases[i].page, &err),
               cases[i].rc, cases[i].text);
        chat_command_free(&cmd);
        chat_command_free(&cmd);
    }
}


static void
proto_names_test(void)
{
    size_t  i, j;

    static const char *const  codes[] = {
        "none", "bad_json", "bad_request", "unknown_type", "unauthorized",
        "expired", "forbidden", "banned", "muted", "not_joined",
        "no_such_room", "no_such_user", "no_such_message", "room_limit",
        "room_full", "rate_limited", "too_large", "rejected", "slow_mode",
        "locked", "zone_full", "unavailable", "internal"
    };

    test_eq(sizeof(proto_names) / sizeof(proto_names[0]), CHAT_CMD_N);
    test_eq(sizeof(codes) / sizeof(codes[0]), CHAT_ERR_N);

    for (i = 0; i < CHAT_ERR_N; i++) {
        test_str(chat_error_name((chat_err_e) i), codes[i]);
    }

    test_str(chat_error_name(CHAT_ERR_N), "internal");

    /* the rows above leave no command out */

    for (i = 0; i < CHAT_CMD_N; i++) {

        for (j = 0; j < sizeof(proto_pairs) / sizeof(proto_pairs[0]); j++) {

            if (strcmp(proto_pairs[j].command, proto_names[i].name) == 0) {
                break;
            }
        }

        ok(j < sizeof(proto_pairs) / sizeof(proto_pairs[0])
           || proto_names[i].type == CHAT_CMD_PING, proto_names[i].name);
    }
}


static void *
proto_no_malloc(size_t size)
{
    (void) size;

    return NULL;
}


static void
proto_memory_test(void)
{
    chat_error_t    err;
    chat_command_t  cmd;

    json_set_alloc_funcs(proto_no_malloc, free);

    test_eq(chat_command_parse(&cmd, (const unsigned char *) "{\"id\":[]}", 9,
                               1, &err),
            -1);
    test_eq(err.code, CHAT_ERR_INTERNAL);
    test_eq(cmd.id.len, 0);

    chat_command_free(&cmd);
    chat_command_free(&cmd);

    json_set_alloc_funcs(malloc, free);
}


int
main(void)
{
    test_run("ids, types and the order of checks", proto_heads_test);
    test_run("every field of every command", proto_fields_test);
    test_run("what is needed, rules between fields", proto_rules_test);
    test_run("bools", proto_bools_test);
    test_run("raw tokens", proto_raw_test);
    test_run("the page", proto_page_test);
    test_run("names", proto_names_test);
    test_run("no memory", proto_memory_test);

    return test_done();
}
