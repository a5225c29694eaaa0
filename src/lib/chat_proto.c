
/*
 * The vocabulary of chat.v1: tables of fields, commands and error codes, and
 * the reader that they drive.
 */


#include <string.h>

#include "chat_proto.h"
#include "chat_utf8.h"


#define CHAT_FIELDS_MAX   8         /* most fields of one command */
#define CHAT_PLAIN_MAX    12        /* members, some unknown */
#define CHAT_EPOCH_MAX    64
#define CHAT_EMOJI_MAX    32
#define CHAT_REASON_MAX   512
#define CHAT_SLOW_MAX     86400000  /* ms, a day */
#define CHAT_TOKEN_MAX    16384

/* Written as the maximum of a field, this means the caller's "page". */
#define CHAT_PAGE         UINT64_MAX

/* Bits of the two fields that every command may have. */
#define CHAT_F_ID         0x40000000
#define CHAT_F_TYPE       0x80000000


typedef enum {
    CHAT_KIND_NAME = 0,             /* chat_utf8_name() */
    CHAT_KIND_STRING,               /* without U+0000 */
    CHAT_KIND_TEXT,                 /* any string */
    CHAT_KIND_COLOR,
    CHAT_KIND_ROLE,
    CHAT_KIND_UINT,
    CHAT_KIND_BOOL,
    CHAT_KIND_ANY
} chat_kind_e;


/* min and max are bytes of a string, or values of a number. */
typedef struct {
    const char   *name;
    size_t        len;
    uint32_t      bit;
    chat_kind_e   kind;
    uint64_t      min;
    uint64_t      max;
    size_t        value;            /* where it goes; not for a bool */
    size_t        raw;              /* and its raw token; 0: nowhere */
    const char   *rule;             /* what would be right, for a person */
} chat_field_t;


typedef enum {
    CHAT_FIELD_END = 0,
    CHAT_FIELD_ROOM,
    CHAT_FIELD_TO,
    CHAT_FIELD_TEXT,
    CHAT_FIELD_DATA,
    CHAT_FIELD_NONCE,
    CHAT_FIELD_REPLY_TO,
    CHAT_FIELD_EPOCH,
    CHAT_FIELD_SEEN,
    CHAT_FIELD_SEQ,
    CHAT_FIELD_HISTORY,
    CHAT_FIELD_PRESENCE,
    CHAT_FIELD_BEFORE,
    CHAT_FIELD_AFTER,
    CHAT_FIELD_LIMIT,
    CHAT_FIELD_EMOJI,
    CHAT_FIELD_ON,
    CHAT_FIELD_PREFIX,
    CHAT_FIELD_NAME,
    CHAT_FIELD_COLOR,
    CHAT_FIELD_USER,
    CHAT_FIELD_REASON,
    CHAT_FIELD_DURATION,
    CHAT_FIELD_ROLE,
    CHAT_FIELD_TOPIC,
    CHAT_FIELD_SLOW,
    CHAT_FIELD_LOCKED,
    CHAT_FIELD_MEMBERS_ONLY,
    CHAT_FIELD_PURGE,
    CHAT_FIELD_TOKEN,
    CHAT_FIELD_ID,
    CHAT_FIELD_TYPE
} chat_field_e;


/* Fields are checked in the order in which they stand here. */
typedef struct {
    const char   *name;
    size_t        len;
    uint8_t       fields[CHAT_FIELDS_MAX + 1];
    uint32_t      need;             /* all of these */
    uint32_t      one;              /* exactly one of these */
    uint32_t      any;              /* at least one of these */
    uint32_t      most;             /* at most one of these */
    uint32_t      pair;             /* all of these or none */
} chat_rule_t;


/* A command's text, as plain members or as a tree. */
typedef struct {
    const unsigned char  *text;
    size_t                len;
    json_t               *root;
    int                   n;
    chat_json_plain_t     plain[CHAT_PLAIN_MAX];
} chat_source_t;


/* What was given, by place in the command's list of fields. */
typedef struct {
    uint32_t              given;
    chat_json_plain_t     value[CHAT_FIELDS_MAX];
} chat_given_t;


static int chat_command_source(chat_source_t *source,
    const unsigned char *text, size_t len, const char **reason);
static int chat_command_id(chat_command_t *cmd, const chat_json_plain_t *id);
static const chat_rule_t *chat_command_rule(const chat_str_t *type);
static void chat_command_given(const chat_rule_t *rule, chat_source_t *source,
    chat_given_t *given);
static void chat_command_value(chat_json_plain_t *member, json_t *value);
static void chat_command_take(const chat_rule_t *rule,
    const chat_json_plain_t *member, chat_given_t *given);
static int chat_command_fields(chat_command_t *cmd, const chat_rule_t *rule,
    const chat_given_t *given, uint64_t page, chat_error_t *err);
static uint32_t chat_command_missing(const chat_rule_t *rule, uint32_t given);
static int chat_field_read(chat_command_t *cmd, const chat_field_t *field,
    const chat_json_plain_t *value, uint64_t page);
static int chat_field_uint(chat_command_t *cmd, const chat_field_t *field,
    const chat_json_plain_t *value, uint64_t page);
static int chat_field_string(const chat_field_t *field, const chat_str_t *s);
static int chat_field_color(const chat_str_t *s);
static int chat_field_role(const chat_str_t *s);
static void chat_field_bool(chat_command_t *cmd, uint32_t bit, unsigned on);
static int chat_command_fail(chat_error_t *err, chat_err_e code,
    const char *field, const char *message);


#define chat_name(s)     s, sizeof(s) - 1
#define chat_at(member)  offsetof(chat_command_t, member)


static const chat_field_t  chat_fields[] = {

    { chat_name(""), 0, CHAT_KIND_ANY, 0, 0, 0, 0, "" },

    { chat_name("room"), CHAT_F_ROOM, CHAT_KIND_NAME, 1, CHAT_ROOM_NAME_MAX,
      chat_at(room), 0,
      "room: 1 to 128 bytes without control characters" },

    { chat_name("to"), CHAT_F_TO, CHAT_KIND_NAME, 1, CHAT_USER_MAX,
      chat_at(to), 0,
      "to: 1 to 64 bytes without control characters, and no room" },

    { chat_name("text"), CHAT_F_TEXT, CHAT_KIND_TEXT, 0, UINT64_MAX,
      chat_at(text), chat_at(text_raw),
      "text: a string; text or data is needed" },

    { chat_name("data"), CHAT_F_DATA, CHAT_KIND_ANY, 0, 0,
      0, chat_at(data_raw),
      "data: any value" },

    { chat_name("nonce"), CHAT_F_NONCE, CHAT_KIND_STRING, 1, CHAT_NONCE_MAX,
      chat_at(nonce), chat_at(nonce_raw),
      "nonce: a string of 1 to 64 bytes" },

    { chat_name("reply_to"), CHAT_F_REPLY_TO, CHAT_KIND_UINT, 1, CHAT_SEQ_MAX,
      chat_at(reply_to), 0,
      "reply_to: the seq of a message" },

    { chat_name("epoch"), CHAT_F_EPOCH, CHAT_KIND_STRING, 0, CHAT_EPOCH_MAX,
      chat_at(epoch), 0,
      "epoch: a string of up to 64 bytes, together with seq" },

    { chat_name("seq"), CHAT_F_SEQ, CHAT_KIND_UINT, 0, CHAT_SEQ_MAX,
      chat_at(seq), 0,
      "seq: the last one seen or 0, together with epoch" },

    { chat_name("seq"), CHAT_F_SEQ, CHAT_KIND_UINT, 1, CHAT_SEQ_MAX,
      chat_at(seq), 0,
      "seq: the number of a message" },

    { chat_name("history"), CHAT_F_HISTORY, CHAT_KIND_UINT, 0, CHAT_PAGE,
      chat_at(history), 0,
      "history: 0 to a page of messages" },

    { chat_name("presence"), CHAT_F_PRESENCE, CHAT_KIND_BOOL, 0, 0, 0, 0,
      "presence: true or false" },

    { chat_name("before"), CHAT_F_BEFORE, CHAT_KIND_UINT, 1, CHAT_SEQ_MAX,
      chat_at(before), 0,
      "before: a seq" },

    { chat_name("after"), CHAT_F_AFTER, CHAT_KIND_UINT, 0, CHAT_SEQ_MAX,
      chat_at(after), 0,
      "after: a seq or 0, not together with before" },

    { chat_name("limit"), CHAT_F_LIMIT, CHAT_KIND_UINT, 1, CHAT_PAGE,
      chat_at(limit), 0,
      "limit: 1 to a page" },

    { chat_name("emoji"), CHAT_F_EMOJI, CHAT_KIND_STRING, 1, CHAT_EMOJI_MAX,
      chat_at(emoji), 0,
      "emoji: a string of 1 to 32 bytes" },

    { chat_name("on"), CHAT_F_ON, CHAT_KIND_BOOL, 0, 0, 0, 0,
      "on: true or false" },

    { chat_name("prefix"), CHAT_F_PREFIX, CHAT_KIND_NAME, 0,
      CHAT_ROOM_NAME_MAX, chat_at(prefix), 0,
      "prefix: up to 128 bytes without control characters" },

    { chat_name("name"), CHAT_F_NAME, CHAT_KIND_NAME, 1, CHAT_USER_MAX,
      chat_at(name), 0,
      "name: 1 to 64 bytes without control characters" },

    { chat_name("color"), CHAT_F_COLOR, CHAT_KIND_COLOR, 0, 0,
      chat_at(color), 0,
      "color: #rrggbb" },

    { chat_name("user"), CHAT_F_USER, CHAT_KIND_NAME, 1, CHAT_USER_MAX,
      chat_at(user), 0,
      "user: 1 to 64 bytes without control characters" },

    { chat_name("reason"), CHAT_F_REASON, CHAT_KIND_STRING, 0,
      CHAT_REASON_MAX, chat_at(reason), 0,
      "reason: a string of up to 512 bytes" },

    { chat_name("duration"), CHAT_F_DURATION, CHAT_KIND_UINT, 0, CHAT_SEQ_MAX,
      chat_at(duration), 0,
      "duration: milliseconds" },

    { chat_name("role"), CHAT_F_ROLE, CHAT_KIND_ROLE, 0, 0, chat_at(role), 0,
      "role: member, moderator or owner" },

    { chat_name("topic"), CHAT_F_TOPIC, CHAT_KIND_STRING, 0, CHAT_TOPIC_MAX,
      chat_at(topic), 0,
      "topic: a string of up to 500 bytes" },

    { chat_name("slow"), CHAT_F_SLOW, CHAT_KIND_UINT, 0, CHAT_SLOW_MAX,
      chat_at(slow), 0,
      "slow: milliseconds, up to a day, 0 is off" },

    { chat_name("locked"), CHAT_F_LOCKED, CHAT_KIND_BOOL, 0, 0, 0, 0,
      "locked: true or false" },

    { chat_name("members_only"), CHAT_F_MEMBERS_ONLY, CHAT_KIND_BOOL, 0, 0,
      0, 0,
      "members_only: true or false" },

    { chat_name("purge"), CHAT_F_PURGE, CHAT_KIND_BOOL, 0, 0, 0, 0,
      "purge: true or false" },

    { chat_name("token"), CHAT_F_TOKEN, CHAT_KIND_STRING, 0, CHAT_TOKEN_MAX,
      chat_at(token), 0,
      "token: a string of up to 16384 bytes" },

    { chat_name("id"), CHAT_F_ID, CHAT_KIND_ANY, 0, 0, 0, 0,
      "id: a number or a string of up to 64 bytes" },

    { chat_name("type"), CHAT_F_TYPE, CHAT_KIND_ANY, 0, 0, 0, 0,
      "type: the name of a command" }
};


/* Read before the command is known. */

static const chat_rule_t  chat_head = {
    .fields = { CHAT_FIELD_ID, CHAT_FIELD_TYPE }
};


static const chat_rule_t  chat_rules[CHAT_CMD_N] = {

    [CHAT_CMD_JOIN] =
    { .name = "join", .len = 4,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_EPOCH, CHAT_FIELD_SEEN,
                  CHAT_FIELD_HISTORY, CHAT_FIELD_PRESENCE },
      .need = CHAT_F_ROOM,
      .pair = CHAT_F_EPOCH | CHAT_F_SEQ },

    [CHAT_CMD_LEAVE] =
    { .name = "leave", .len = 5,
      .fields = { CHAT_FIELD_ROOM },
      .need = CHAT_F_ROOM },

    [CHAT_CMD_SEND] =
    { .name = "send", .len = 4,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_TO, CHAT_FIELD_TEXT,
                  CHAT_FIELD_DATA, CHAT_FIELD_NONCE, CHAT_FIELD_REPLY_TO },
      .one = CHAT_F_ROOM | CHAT_F_TO,
      .any = CHAT_F_TEXT | CHAT_F_DATA },

    [CHAT_CMD_EDIT] =
    { .name = "edit", .len = 4,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_SEQ, CHAT_FIELD_TEXT,
                  CHAT_FIELD_DATA },
      .need = CHAT_F_ROOM | CHAT_F_SEQ,
      .any = CHAT_F_TEXT | CHAT_F_DATA },

    [CHAT_CMD_DELETE] =
    { .name = "delete", .len = 6,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_SEQ },
      .need = CHAT_F_ROOM | CHAT_F_SEQ },

    [CHAT_CMD_REACT] =
    { .name = "react", .len = 5,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_SEQ, CHAT_FIELD_EMOJI,
                  CHAT_FIELD_ON },
      .need = CHAT_F_ROOM | CHAT_F_SEQ | CHAT_F_EMOJI },

    [CHAT_CMD_TYPING] =
    { .name = "typing", .len = 6,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_TO, CHAT_FIELD_ON },
      .one = CHAT_F_ROOM | CHAT_F_TO },

    [CHAT_CMD_READ] =
    { .name = "read", .len = 4,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_SEQ },
      .need = CHAT_F_ROOM | CHAT_F_SEQ },

    [CHAT_CMD_HISTORY] =
    { .name = "history", .len = 7,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_BEFORE, CHAT_FIELD_AFTER,
                  CHAT_FIELD_LIMIT },
      .need = CHAT_F_ROOM,
      .most = CHAT_F_BEFORE | CHAT_F_AFTER },

    [CHAT_CMD_MEMBERS] =
    { .name = "members", .len = 7,
      .fields = { CHAT_FIELD_ROOM },
      .need = CHAT_F_ROOM },

    [CHAT_CMD_ROOMS] =
    { .name = "rooms", .len = 5,
      .fields = { CHAT_FIELD_PREFIX, CHAT_FIELD_LIMIT } },

    [CHAT_CMD_PROFILE] =
    { .name = "profile", .len = 7,
      .fields = { CHAT_FIELD_NAME, CHAT_FIELD_COLOR },
      .any = CHAT_F_NAME | CHAT_F_COLOR },

    [CHAT_CMD_KICK] =
    { .name = "kick", .len = 4,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_USER, CHAT_FIELD_REASON,
                  CHAT_FIELD_PURGE },
      .need = CHAT_F_ROOM | CHAT_F_USER },

    [CHAT_CMD_MUTE] =
    { .name = "mute", .len = 4,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_USER, CHAT_FIELD_DURATION,
                  CHAT_FIELD_REASON },
      .need = CHAT_F_ROOM | CHAT_F_USER },

    [CHAT_CMD_UNMUTE] =
    { .name = "unmute", .len = 6,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_USER, CHAT_FIELD_DURATION,
                  CHAT_FIELD_REASON },
      .need = CHAT_F_ROOM | CHAT_F_USER },

    [CHAT_CMD_BAN] =
    { .name = "ban", .len = 3,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_USER, CHAT_FIELD_DURATION,
                  CHAT_FIELD_REASON, CHAT_FIELD_PURGE },
      .need = CHAT_F_ROOM | CHAT_F_USER },

    [CHAT_CMD_UNBAN] =
    { .name = "unban", .len = 5,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_USER, CHAT_FIELD_DURATION,
                  CHAT_FIELD_REASON },
      .need = CHAT_F_ROOM | CHAT_F_USER },

    [CHAT_CMD_GRANT] =
    { .name = "grant", .len = 5,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_USER, CHAT_FIELD_ROLE },
      .need = CHAT_F_ROOM | CHAT_F_USER | CHAT_F_ROLE },

    [CHAT_CMD_SET] =
    { .name = "set", .len = 3,
      .fields = { CHAT_FIELD_ROOM, CHAT_FIELD_TOPIC, CHAT_FIELD_SLOW,
                  CHAT_FIELD_LOCKED, CHAT_FIELD_MEMBERS_ONLY },
      .need = CHAT_F_ROOM,
      .any = CHAT_F_TOPIC | CHAT_F_SLOW | CHAT_F_LOCKED
             | CHAT_F_MEMBERS_ONLY },

    [CHAT_CMD_AUTH] =
    { .name = "auth", .len = 4,
      .fields = { CHAT_FIELD_TOKEN },
      .need = CHAT_F_TOKEN },

    [CHAT_CMD_PING] =
    { .name = "ping", .len = 4 }
};


static const char  *chat_errors[CHAT_ERR_N] = {
    [CHAT_ERR_NONE] = "none",
    [CHAT_ERR_BAD_JSON] = "bad_json",
    [CHAT_ERR_BAD_REQUEST] = "bad_request",
    [CHAT_ERR_UNKNOWN_TYPE] = "unknown_type",
    [CHAT_ERR_UNAUTHORIZED] = "unauthorized",
    [CHAT_ERR_EXPIRED] = "expired",
    [CHAT_ERR_FORBIDDEN] = "forbidden",
    [CHAT_ERR_BANNED] = "banned",
    [CHAT_ERR_MUTED] = "muted",
    [CHAT_ERR_NOT_JOINED] = "not_joined",
    [CHAT_ERR_NO_SUCH_ROOM] = "no_such_room",
    [CHAT_ERR_NO_SUCH_USER] = "no_such_user",
    [CHAT_ERR_NO_SUCH_MESSAGE] = "no_such_message",
    [CHAT_ERR_ROOM_LIMIT] = "room_limit",
    [CHAT_ERR_ROOM_FULL] = "room_full",
    [CHAT_ERR_RATE_LIMITED] = "rate_limited",
    [CHAT_ERR_TOO_LARGE] = "too_large",
    [CHAT_ERR_REJECTED] = "rejected",
    [CHAT_ERR_SLOW_MODE] = "slow_mode",
    [CHAT_ERR_LOCKED] = "locked",
    [CHAT_ERR_ZONE_FULL] = "zone_full",
    [CHAT_ERR_UNAVAILABLE] = "unavailable",
    [CHAT_ERR_INTERNAL] = "internal"
};


int
chat_command_parse(chat_command_t *cmd, const unsigned char *text, size_t len,
    uint64_t page, chat_error_t *err)
{
    const char         *reason;
    chat_given_t        given;
    chat_source_t       source;
    const chat_rule_t  *rule;

    memset(cmd, 0, sizeof(chat_command_t));

    cmd->type = CHAT_CMD_N;
    cmd->on = 1;

    if (chat_command_source(&source, text, len, &reason) != 0) {
        return chat_command_fail(err, (reason == chat_json_no_memory)
                                      ? CHAT_ERR_INTERNAL : CHAT_ERR_BAD_JSON,
                                 NULL, reason);
    }

    cmd->root = source.root;

    chat_command_given(&chat_head, &source, &given);

    if ((given.given & CHAT_F_ID) && chat_command_id(cmd, &given.value[0]) != 0)
    {
        return chat_command_fail(err, CHAT_ERR_BAD_REQUEST, "id",
                                 chat_fields[CHAT_FIELD_ID].rule);
    }

    if (!(given.given & CHAT_F_TYPE) || given.value[1].type != JSON_STRING) {
        return chat_command_fail(err, CHAT_ERR_BAD_REQUEST, "type",
                                 chat_fields[CHAT_FIELD_TYPE].rule);
    }

    rule = chat_command_rule(&given.value[1].string);

    if (rule == NULL) {
        return chat_command_fail(err, CHAT_ERR_UNKNOWN_TYPE, NULL,
                                 "no such command");
    }

    cmd->type = (chat_cmd_e) (rule - chat_rules);

    chat_command_given(rule, &source, &given);

    return chat_command_fields(cmd, rule, &given, page, err);
}


void
chat_command_free(chat_command_t *cmd)
{
    json_decref(cmd->root);
    cmd->root = NULL;
}


const char *
chat_error_name(chat_err_e code)
{
    return ((unsigned) code < CHAT_ERR_N) ? chat_errors[code] : "internal";
}


static int
chat_command_source(chat_source_t *source, const unsigned char *text,
    size_t len, const char **reason)
{
    source->text = text;
    source->len = len;
    source->root = NULL;
    source->n = chat_json_plain(text, len, source->plain, CHAT_PLAIN_MAX);

    if (source->n > 0) {
        return 0;
    }

    source->root = chat_json_object(text, len, reason);

    return (source->root != NULL) ? 0 : -1;
}


static int
chat_command_id(chat_command_t *cmd, const chat_json_plain_t *id)
{
    const chat_str_t  *s;

    switch (id->type) {

    case JSON_STRING:
        s = &id->string;

        if (s->len > CHAT_ID_MAX || memchr(s->data, '\0', s->len) != NULL) {
            return -1;
        }

        break;

    case JSON_INTEGER:
    case JSON_REAL:

        if (id->raw.len > CHAT_ID_MAX) {
            return -1;
        }

        break;

    default:
        return -1;
    }

    cmd->id = id->raw;

    return 0;
}


static const chat_rule_t *
chat_command_rule(const chat_str_t *type)
{
    const chat_rule_t  *rule;

    for (rule = chat_rules; rule < chat_rules + CHAT_CMD_N; rule++) {

        if (rule->len == type->len
            && memcmp(rule->name, type->data, type->len) == 0)
        {
            return rule;
        }
    }

    return NULL;
}


/*
 * One pass over the members.  Of a tree jansson keeps their order, so its
 * iterator gives the decoded keys and values to the raw tokens of the walk.
 */

static void
chat_command_given(const chat_rule_t *rule, chat_source_t *source,
    chat_given_t *given)
{
    int                 i;
    void               *iter;
    chat_str_t          rawkey;
    const char         *key;
    chat_json_walk_t    walk;
    chat_json_plain_t   member;

    given->given = 0;

    if (source->root == NULL) {

        for (i = 0; i < source->n; i++) {
            chat_command_take(rule, &source->plain[i], given);
        }

        return;
    }

    chat_json_walk(&walk, source->text, source->len);

    for (iter = json_object_iter(source->root);
         iter != NULL && chat_json_next(&walk, &rawkey, &member.raw);
         iter = json_object_iter_next(source->root, iter))
    {
        key = json_object_iter_key(iter);

        member.key.data = (const unsigned char *) key;
        member.key.len = strlen(key);

        chat_command_value(&member, json_object_iter_value(iter));
        chat_command_take(rule, &member, given);
    }
}


static void
chat_command_value(chat_json_plain_t *member, json_t *value)
{
    member->type = json_typeof(value);
    member->number = json_integer_value(value);
    member->string.data = (const unsigned char *) json_string_value(value);
    member->string.len = json_string_length(value);
}


static void
chat_command_take(const chat_rule_t *rule, const chat_json_plain_t *member,
    chat_given_t *given)
{
    unsigned             i;
    const chat_field_t  *field;

    for (i = 0; rule->fields[i] != CHAT_FIELD_END; i++) {
        field = &chat_fields[rule->fields[i]];

        if (field->len == member->key.len
            && memcmp(field->name, member->key.data, field->len) == 0)
        {
            given->given |= field->bit;
            given->value[i] = *member;
            break;
        }
    }
}


static int
chat_command_fields(chat_command_t *cmd, const chat_rule_t *rule,
    const chat_given_t *given, uint64_t page, chat_error_t *err)
{
    uint32_t             missing, clash;
    unsigned             i;
    const chat_field_t  *field;

    missing = chat_command_missing(rule, given->given);
    clash = 0;

    /* of two that exclude each other the one with the higher bit is named */

    if ((given->given & rule->one) == rule->one) {
        clash |= rule->one & (rule->one - 1);
    }

    if ((given->given & rule->most) == rule->most) {
        clash |= rule->most & (rule->most - 1);
    }

    for (i = 0; rule->fields[i] != CHAT_FIELD_END; i++) {
        field = &chat_fields[rule->fields[i]];

        if ((given->given & field->bit) == 0) {

            if (missing & field->bit) {
                return chat_command_fail(err, CHAT_ERR_BAD_REQUEST,
                                         field->name, field->rule);
            }

            continue;
        }

        if (chat_field_read(cmd, field, &given->value[i], page) != 0
            || (clash & field->bit))
        {
            return chat_command_fail(err, CHAT_ERR_BAD_REQUEST, field->name,
                                     field->rule);
        }

        if (field->raw != 0) {
            *(chat_str_t *) ((char *) cmd + field->raw) = given->value[i].raw;
        }

        cmd->given |= field->bit;
    }

    return 0;
}


static uint32_t
chat_command_missing(const chat_rule_t *rule, uint32_t given)
{
    uint32_t  missing;

    missing = rule->need;

    if ((given & rule->one) == 0) {
        missing |= rule->one;
    }

    if ((given & rule->any) == 0) {
        missing |= rule->any;
    }

    if (given & rule->pair) {
        missing |= rule->pair;
    }

    return missing & ~given;
}


static int
chat_field_read(chat_command_t *cmd, const chat_field_t *field,
    const chat_json_plain_t *value, uint64_t page)
{
    switch (field->kind) {

    case CHAT_KIND_ANY:
        return 0;

    case CHAT_KIND_BOOL:
        if (value->type != JSON_TRUE && value->type != JSON_FALSE) {
            return -1;
        }

        chat_field_bool(cmd, field->bit, (value->type == JSON_TRUE) ? 1 : 0);
        return 0;

    case CHAT_KIND_UINT:
        return chat_field_uint(cmd, field, value, page);

    default:
        break;
    }

    if (value->type != JSON_STRING
        || chat_field_string(field, &value->string) != 0)
    {
        return -1;
    }

    *(chat_str_t *) ((char *) cmd + field->value) = value->string;
    return 0;
}


static int
chat_field_uint(chat_command_t *cmd, const chat_field_t *field,
    const chat_json_plain_t *value, uint64_t page)
{
    uint64_t    max;
    json_int_t  n;

    n = value->number;
    max = (field->max == CHAT_PAGE) ? page : field->max;

    if (value->type != JSON_INTEGER || n < 0 || (uint64_t) n < field->min
        || (uint64_t) n > max)
    {
        return -1;
    }

    *(uint64_t *) ((char *) cmd + field->value) = (uint64_t) n;
    return 0;
}


static int
chat_field_string(const chat_field_t *field, const chat_str_t *s)
{
    switch (field->kind) {

    case CHAT_KIND_NAME:
        return chat_utf8_name(s->data, s->len, field->min, field->max)
               ? 0 : -1;

    case CHAT_KIND_COLOR:
        return chat_field_color(s);

    case CHAT_KIND_ROLE:
        return chat_field_role(s);

    case CHAT_KIND_STRING:
        if (memchr(s->data, '\0', s->len) != NULL) {
            return -1;
        }

        /* fall through */

    default:
        return (s->len < field->min || s->len > field->max) ? -1 : 0;
    }
}


static int
chat_field_color(const chat_str_t *s)
{
    size_t         i;
    unsigned char  c;

    if (s->len != 7 || s->data[0] != '#') {
        return -1;
    }

    for (i = 1; i < 7; i++) {
        c = s->data[i];

        if (!(c >= '0' && c <= '9')
            && !(c >= 'a' && c <= 'f')
            && !(c >= 'A' && c <= 'F'))
        {
            return -1;
        }
    }

    return 0;
}


static int
chat_field_role(const chat_str_t *s)
{
    size_t  i;

    static const chat_str_t  roles[] = {
        chat_str("member"),
        chat_str("moderator"),
        chat_str("owner")
    };

    for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {

        if (s->len == roles[i].len
            && memcmp(s->data, roles[i].data, s->len) == 0)
        {
            return 0;
        }
    }

    return -1;
}


/* Bit fields have no address. */

static void
chat_field_bool(chat_command_t *cmd, uint32_t bit, unsigned on)
{
    switch (bit) {

    case CHAT_F_PRESENCE:
        cmd->presence = on;
        break;

    case CHAT_F_ON:
        cmd->on = on;
        break;

    case CHAT_F_LOCKED:
        cmd->locked = on;
        break;

    case CHAT_F_MEMBERS_ONLY:
        cmd->members_only = on;
        break;

    case CHAT_F_PURGE:
        cmd->purge = on;
        break;
    }
}


static int
chat_command_fail(chat_error_t *err, chat_err_e code, const char *field,
    const char *message)
{
    err->code = code;
    err->field = field;
    err->message = message;

    return -1;
}
