
/*
 * What comes from a client, and what it means: the doors through which a
 * transport hands messages up, and the commands behind them.
 */


#ifndef _NGX_HTTP_CHAT_COMMAND_H_INCLUDED_
#define _NGX_HTTP_CHAT_COMMAND_H_INCLUDED_


#include "ngx_http_chat_publish.h"
#include "ngx_http_chat_reply.h"
#include "ngx_http_chat_rights.h"


/* The most users that an answer lists; more are counted. */
#define NGX_HTTP_CHAT_PEOPLE_MAX       1000

/* Recent messages in an answer where the client names no number. */
#define NGX_HTTP_CHAT_HISTORY_DEFAULT  50


/*
 * For transports, before the client is told that it is connected: in raw mode,
 * which has no other word for it, it is a member of its room from then on.
 * OK; DECLINED: the zone is full; DONE: the room is; ERROR, ABORT: no memory,
 * or a fault.
 */
ngx_int_t ngx_http_chat_enter(ngx_http_chat_session_t *s);

/*
 * For transports.  "begin" is a session's first word: the welcome, and the
 * room that its location names.  "message" is one whole message from it;
 * binary counts in raw mode alone.  They may close the session.
 */
void ngx_http_chat_begin(ngx_http_chat_session_t *s);
void ngx_http_chat_message(ngx_http_chat_session_t *s, u_char *text,
    size_t len, ngx_uint_t binary);

/* The largest message that is still read to be refused with an error reply;
 * what is above closes the session. */
uint64_t ngx_http_chat_message_max(ngx_http_chat_settings_t *settings);

/* The events of the same names for one session.  ERROR: it speaks a protocol
 * that has none, or there is no memory. */
ngx_int_t ngx_http_chat_event_gap(ngx_http_chat_session_t *s, ngx_str_t *room,
    uint64_t from, uint64_t to);
ngx_int_t ngx_http_chat_event_lost(ngx_http_chat_session_t *s, ngx_str_t *room,
    ngx_uint_t users);
void ngx_http_chat_event_bye(ngx_http_chat_session_t *s, ngx_uint_t restart,
    ngx_msec_t reconnect);


/* At its begin: how the session's user is called, where names that imitate
 * another's are looked for.  OK; DECLINED: the zone is full; ERROR. */
ngx_int_t ngx_http_chat_profile_begin(ngx_http_chat_session_t *s);


/*
 * The commands' own functions.  m is the session's membership of the room
 * that the command names, where the table says that it is needed.
 */
void ngx_http_chat_command_join(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_leave(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_send(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_edit(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_delete(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_react(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_typing(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_read(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_history(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_members(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_rooms(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_profile(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
/* kick, mute, unmute, ban and unban */
void ngx_http_chat_command_moderate(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_grant(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_set(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_auth(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);
void ngx_http_chat_command_ping(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m);

/* What the command's room knows of the session's user, as it was when the
 * command was let in; zeroed where it has no room.  For handlers alone, before
 * they publish. */
ngx_http_chat_standing_t *ngx_http_chat_command_standing(void);

/*
 * message.c: what a message says.  content_get() filters its text: OK; else
 * the error reply was sent.  content_put() writes ,"text":... and ,"data":...
 */
typedef struct {
    chat_command_t            *cmd;
    ngx_str_t                  masked;     /* in place of the text, or NULL */
    size_t                     size;       /* the most that it becomes */
} ngx_http_chat_content_t;

ngx_int_t ngx_http_chat_content_get(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_content_t *content);
void ngx_http_chat_content_put(chat_json_writer_t *w,
    ngx_http_chat_content_t *content);

/*
 * A message for a room.  message_text() writes its event and sets the entry
 * up for it: OK; else the error reply was sent.  message_sent() is the reply
 * to its author.
 */
typedef struct {
    ngx_str_t                  room;
    ngx_http_chat_standing_t  *author;
    uint64_t                   to_seq;     /* in the receiver's inbox, or 0 */
    ngx_http_chat_content_t    content;
} ngx_http_chat_message_t;

ngx_int_t ngx_http_chat_message_text(ngx_http_chat_session_t *s,
    chat_json_writer_t *w, ngx_http_chat_message_t *message,
    ngx_http_chat_append_t *entry);
void ngx_http_chat_message_sent(ngx_http_chat_session_t *s, chat_str_t *id,
    ngx_str_t *room, ngx_http_chat_append_t *entry, ngx_uint_t duplicate);

/*
 * edit.c: the message "seq" of a room, not deleted.  *text is its event,
 * allocated with ngx_alloc() and the caller's; the cursor its place.  OK;
 * DECLINED: there is none; ABORT: the room is gone; ERROR: no memory.
 */
ngx_int_t ngx_http_chat_target(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, uint64_t seq, ngx_http_chat_cursor_t *cursor,
    ngx_str_t *text);

/* 1: it is the session's user who wrote it. */
ngx_uint_t ngx_http_chat_target_own(ngx_http_chat_session_t *s,
    ngx_str_t *text);

/* An edit of a message, or, without a content, its deletion: sets up the entry
 * that says so.  ERROR: no memory. */
typedef struct {
    ngx_str_t                  room;
    ngx_http_chat_cursor_t     target;
    ngx_http_chat_content_t   *content;
} ngx_http_chat_amend_t;

ngx_int_t ngx_http_chat_amend_text(ngx_http_chat_session_t *s,
    ngx_http_chat_amend_t *amend, ngx_http_chat_publish_t *p);

/* direct.c: the same to the receiver's copy of a direct message, of which text
 * is the author's.  OK; DECLINED: he may not write there, and it was said. */
ngx_int_t ngx_http_chat_direct_amend(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_content_t *content, ngx_str_t *text);

/* The answer to what failed: a publish, a look at a room. */
void ngx_http_chat_fail(ngx_http_chat_session_t *s, chat_str_t *id,
    ngx_int_t rc);

/* {"type":"ok",...,"room":...,"seq":...} */
void ngx_http_chat_reply_seq(ngx_http_chat_session_t *s, chat_command_t *cmd,
    uint64_t seq);

/* direct.c: "send" and "typing" with "to", and whether a command without a
 * room is allowed: OK; else the error reply was sent. */
void ngx_http_chat_direct_send(ngx_http_chat_session_t *s,
    chat_command_t *cmd);
void ngx_http_chat_direct_typing(ngx_http_chat_session_t *s,
    chat_command_t *cmd);
ngx_int_t ngx_http_chat_direct_allowed(ngx_http_chat_session_t *s,
    chat_command_t *cmd);

/*
 * typing.c: the session types in a room, or no more.  text: the event up to
 * "on", its length; what follows is added.
 */
void ngx_http_chat_typing_set(ngx_http_chat_session_t *s, uint32_t room,
    uint64_t epoch, ngx_uint_t on, u_char *text, size_t len);

/* It types no more in that room, or in any (0). */
void ngx_http_chat_typing_stop(ngx_http_chat_session_t *s, uint32_t room);

/* token.c: a command of a session that must say first who it is. */
void ngx_http_chat_command_pending(ngx_http_chat_session_t *s,
    chat_str_t *id);

/*
 * Finds a room, and what it knows of the user: OK; else the error reply was
 * sent.  other: the user that the command names, or NULL.
 */
ngx_int_t ngx_http_chat_standings(ngx_http_chat_session_t *s,
    chat_command_t *cmd, ngx_http_chat_member_t *m,
    ngx_http_chat_standing_t *own, ngx_http_chat_standing_t *other);

/* The error reply to one who was expelled from the room, while this worker has
 * not removed him yet: banned, or no member. */
void ngx_http_chat_expelled(ngx_http_chat_session_t *s, chat_command_t *cmd,
    uint32_t room, uint64_t epoch);

/* ,"members":n and ,"presence":[...] of people as room_people() gives them. */
ngx_int_t ngx_http_chat_presence_put(chat_json_writer_t *w,
    ngx_http_chat_standing_t *people, ngx_uint_t n);

/* ,"topic":... and what of the settings "given" names, for "room" events and
 * replies. */
void ngx_http_chat_settings_put(chat_json_writer_t *w,
    ngx_http_chat_room_settings_t *settings);

/* Joins the room that the location names. */
void ngx_http_chat_join_at_once(ngx_http_chat_session_t *s);

/* A message in raw mode: to the session's only room, as it is. */
void ngx_http_chat_raw_message(ngx_http_chat_session_t *s, u_char *text,
    size_t len, ngx_uint_t binary);

/*
 * Puts ,"messages":[...] with the entries from "from" on, in front of "end",
 * behind what w has, and no more once that has grown to max bytes.  *next is
 * the first one that is not in it; its "passing" is the caller's, the head's
 * when he looked.  OK; DECLINED: the log has dropped some of them, it holds
 * those behind; ERROR: no memory, or the room is gone.
 */
ngx_int_t ngx_http_chat_history_put(ngx_http_chat_local_t *local,
    chat_json_writer_t *w, uint64_t from, uint64_t end, size_t max,
    ngx_http_chat_cursor_t *next);


#endif /* _NGX_HTTP_CHAT_COMMAND_H_INCLUDED_ */
