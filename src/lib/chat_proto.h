
/*
 * The chat.v1 protocol's vocabulary (docs/protocol.md): commands with their
 * fields, error codes.  Two tables drive it: the commands' table says which
 * fields each command takes and which it needs, the fields' table says type
 * and bounds of each; "bad_request" and its "field" follow from them.
 */


#ifndef _CHAT_PROTO_H_INCLUDED_
#define _CHAT_PROTO_H_INCLUDED_


#include "chat_json.h"


#define CHAT_ROOM_NAME_MAX   128        /* bytes */
#define CHAT_USER_MAX        64
#define CHAT_ID_MAX          64
#define CHAT_NONCE_MAX       64
#define CHAT_TOPIC_MAX       500
#define CHAT_SEQ_MAX         9007199254740991ULL    /* 2^53 - 1 */


typedef enum {
    CHAT_CMD_JOIN = 0,
    CHAT_CMD_LEAVE,
    CHAT_CMD_SEND,
    CHAT_CMD_EDIT,
    CHAT_CMD_DELETE,
    CHAT_CMD_REACT,
    CHAT_CMD_TYPING,
    CHAT_CMD_READ,
    CHAT_CMD_HISTORY,
    CHAT_CMD_MEMBERS,
    CHAT_CMD_ROOMS,
    CHAT_CMD_PROFILE,
    CHAT_CMD_KICK,
    CHAT_CMD_MUTE,
    CHAT_CMD_UNMUTE,
    CHAT_CMD_BAN,
    CHAT_CMD_UNBAN,
    CHAT_CMD_GRANT,
    CHAT_CMD_SET,
    CHAT_CMD_AUTH,
    CHAT_CMD_PING,
    CHAT_CMD_N                           /* how many; never a command */
} chat_cmd_e;


/* Bits of chat_command_t.given. */
#define CHAT_F_ROOM          0x00000001
#define CHAT_F_TO            0x00000002
#define CHAT_F_TEXT          0x00000004
#define CHAT_F_DATA          0x00000008
#define CHAT_F_NONCE         0x00000010
#define CHAT_F_REPLY_TO      0x00000020
#define CHAT_F_EPOCH         0x00000040
#define CHAT_F_SEQ           0x00000080
#define CHAT_F_HISTORY       0x00000100
#define CHAT_F_PRESENCE      0x00000200
#define CHAT_F_BEFORE        0x00000400
#define CHAT_F_AFTER         0x00000800
#define CHAT_F_LIMIT         0x00001000
#define CHAT_F_EMOJI         0x00002000
#define CHAT_F_ON            0x00004000
#define CHAT_F_PREFIX        0x00008000
#define CHAT_F_NAME          0x00010000
#define CHAT_F_COLOR         0x00020000
#define CHAT_F_USER          0x00040000
#define CHAT_F_REASON        0x00080000
#define CHAT_F_DURATION      0x00100000
#define CHAT_F_ROLE          0x00200000
#define CHAT_F_TOPIC         0x00400000
#define CHAT_F_SLOW          0x00800000
#define CHAT_F_LOCKED        0x01000000
#define CHAT_F_MEMBERS_ONLY  0x02000000
#define CHAT_F_TOKEN         0x04000000
#define CHAT_F_PURGE         0x08000000


typedef enum {
    CHAT_ERR_NONE = 0,
    CHAT_ERR_BAD_JSON,
    CHAT_ERR_BAD_REQUEST,
    CHAT_ERR_UNKNOWN_TYPE,
    CHAT_ERR_UNAUTHORIZED,
    CHAT_ERR_EXPIRED,
    CHAT_ERR_FORBIDDEN,
    CHAT_ERR_BANNED,
    CHAT_ERR_MUTED,
    CHAT_ERR_NOT_JOINED,
    CHAT_ERR_NO_SUCH_ROOM,
    CHAT_ERR_NO_SUCH_USER,
    CHAT_ERR_NO_SUCH_MESSAGE,
    CHAT_ERR_ROOM_LIMIT,
    CHAT_ERR_ROOM_FULL,
    CHAT_ERR_RATE_LIMITED,
    CHAT_ERR_TOO_LARGE,
    CHAT_ERR_REJECTED,
    CHAT_ERR_SLOW_MODE,
    CHAT_ERR_LOCKED,
    CHAT_ERR_ZONE_FULL,
    CHAT_ERR_UNAVAILABLE,
    CHAT_ERR_INTERNAL,
    CHAT_ERR_N
} chat_err_e;


typedef struct {
    chat_err_e   code;
    const char  *field;      /* bad_request: which field, or NULL */
    const char  *message;    /* static text for a person */
} chat_error_t;


/*
 * A parsed command.  Strings and raw tokens point into the text and into
 * "root": both must outlive it.  Raw tokens (id, text_raw, data_raw,
 * nonce_raw) are JSON as the client wrote it and may be put into a reply or
 * an event as they are; data_raw alone may have line ends in it.  A leading
 * "@" of room is no error here.
 */
typedef struct {
    chat_cmd_e    type;
    uint32_t      given;         /* CHAT_F_...: which fields were there */
    chat_str_t    id;            /* raw; len 0 = none */

    chat_str_t    room;          /* decoded UTF-8, checked */
    chat_str_t    to;
    chat_str_t    user;
    chat_str_t    epoch;
    chat_str_t    nonce;
    chat_str_t    emoji;
    chat_str_t    prefix;
    chat_str_t    name;
    chat_str_t    color;
    chat_str_t    reason;
    chat_str_t    role;
    chat_str_t    topic;
    chat_str_t    token;
    chat_str_t    text;          /* decoded */

    chat_str_t    text_raw;
    chat_str_t    data_raw;
    chat_str_t    nonce_raw;

    uint64_t      seq;
    uint64_t      reply_to;
    uint64_t      before;
    uint64_t      after;
    uint64_t      limit;
    uint64_t      history;
    uint64_t      duration;      /* ms */
    uint64_t      slow;          /* ms */

    unsigned      presence:1;
    unsigned      on:1;          /* 1 where not given */
    unsigned      locked:1;
    unsigned      members_only:1;
    unsigned      purge:1;

    json_t       *root;
} chat_command_t;


/*
 * Reads one command.  page is the most that "limit" and "history" may be; the
 * size of a text is the caller's business.  0: done, and chat_command_free()
 * must follow; -1: *err is set; cmd->id is set all the same if it could be
 * read (it then points into text alone), cmd->type if it was a known one
 * (else CHAT_CMD_N), and chat_command_free() must still follow.
 *
 * What is wrong is looked for in this order: the JSON (bad_json, or internal
 * where memory ran out), id, type, unknown_type, and then each field in the
 * order of the commands' table.  Rules between fields are checked with them:
 * room with to, before with after (named is the second one), epoch without
 * seq or the reverse, send and edit without text and data, profile and set
 * with nothing (named is the first one that is missing).
 */
int chat_command_parse(chat_command_t *cmd, const unsigned char *text,
    size_t len, uint64_t page, chat_error_t *err);
void chat_command_free(chat_command_t *cmd);

/* The name on the wire, a static string. */
const char *chat_error_name(chat_err_e code);


#endif /* _CHAT_PROTO_H_INCLUDED_ */
