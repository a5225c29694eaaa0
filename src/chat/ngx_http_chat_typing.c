
/*
 * Who types, and who has read how far: what concerns those who are there, and
 * is never kept as an entry.
 *
 * A client that types says so again and again, and may go without a word.  So
 * the worker remembers its typists for a few seconds: they are a list by time
 * with one timer, and hang on a small table by session.  They name a session
 * by its number, so none of them can outlive what it points to.
 */


#include "ngx_http_chat_command.h"
#include "ngx_http_chat_deliver.h"


#define NGX_HTTP_CHAT_TYPING_AGAIN    3000   /* ms, not said again before */
#define NGX_HTTP_CHAT_TYPING_LIFE     6000   /* ms, after the last word */
#define NGX_HTTP_CHAT_TYPING_MAX      16     /* a session, at a time */
#define NGX_HTTP_CHAT_TYPING_BUCKETS  64


typedef struct {
    ngx_queue_t                queue;      /* by time */
    ngx_queue_t                bucket;
    ngx_http_chat_zone_t      *zone;
    uint64_t                   session;
    uint64_t                   epoch;
    uint32_t                   room;
    ngx_msec_t                 said;
    ngx_msec_t                 until;
    size_t                     len;
    u_char                     text[1];    /* up to "on", and room for that */
} ngx_http_chat_typist_t;


static void ngx_http_chat_typing_init(void);
static ngx_queue_t *ngx_http_chat_typing_bucket(ngx_http_chat_session_t *s);
static ngx_http_chat_typist_t *ngx_http_chat_typing_find(
    ngx_http_chat_session_t *s, uint32_t room, ngx_uint_t *n);
static void ngx_http_chat_typing_begin(ngx_http_chat_session_t *s,
    uint32_t room, uint64_t epoch, u_char *text, size_t len);
static void ngx_http_chat_typing_again(ngx_http_chat_typist_t *t);
static void ngx_http_chat_typing_end(ngx_http_chat_typist_t *t);
static void ngx_http_chat_typing_say(ngx_http_chat_typist_t *t, ngx_uint_t on);
static void ngx_http_chat_typing_timer(void);
static void ngx_http_chat_typing_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_chat_read_mark(ngx_http_chat_session_t *s,
    ngx_http_chat_local_t *local, uint64_t *seq);
static ngx_int_t ngx_http_chat_typing_event(ngx_http_chat_session_t *s,
    chat_command_t *cmd, const char *head, chat_json_writer_t *w);


static struct {
    ngx_queue_t  typists;
    ngx_queue_t  buckets[NGX_HTTP_CHAT_TYPING_BUCKETS];
    ngx_event_t  timer;
    ngx_uint_t   ready;
} ngx_http_chat_typing;


void
ngx_http_chat_command_typing(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    chat_json_writer_t      w;
    ngx_http_chat_local_t  *local;

    if (cmd->given & CHAT_F_TO) {
        ngx_http_chat_direct_typing(s, cmd);
        return;
    }

    if (ngx_http_chat_typing_event(s, cmd, "{\"type\":\"typing\"", &w)
        != NGX_OK)
    {
        return;
    }

    local = ngx_http_chat_member_local(m);

    ngx_http_chat_typing_set(s, ngx_http_chat_local_room(local), local->epoch,
                             cmd->on, w.start, w.pos - w.start);

    if (ngx_http_chat_reply_ok(s, &w, &cmd->id, 1) == NGX_OK) {
        chat_json_lit(&w, "}");
        ngx_http_chat_reply_send(s, &w);
    }
}


void
ngx_http_chat_typing_set(ngx_http_chat_session_t *s, uint32_t room,
    uint64_t epoch, ngx_uint_t on, u_char *text, size_t len)
{
    ngx_uint_t               n;
    ngx_http_chat_typist_t  *t;

    ngx_http_chat_typing_init();

    t = ngx_http_chat_typing_find(s, room, &n);

    if (on) {

        if (t) {
            ngx_http_chat_typing_again(t);
            return;
        }

        if (n >= NGX_HTTP_CHAT_TYPING_MAX) {
            t = ngx_http_chat_typing_find(s, 0, &n);
            ngx_http_chat_typing_end(t);
        }

        ngx_http_chat_typing_begin(s, room, epoch, text, len);
        return;
    }

    if (t) {
        ngx_http_chat_typing_end(t);
    }
}


void
ngx_http_chat_typing_stop(ngx_http_chat_session_t *s, uint32_t room)
{
    ngx_uint_t               n;
    ngx_http_chat_typist_t  *t;

    ngx_http_chat_typing_init();

    for ( ;; ) {
        t = ngx_http_chat_typing_find(s, room, &n);

        if (t == NULL) {
            break;
        }

        ngx_http_chat_typing_end(t);
    }

    s->typing = (n != 0);
}


static void
ngx_http_chat_typing_init(void)
{
    ngx_uint_t  i;

    if (ngx_http_chat_typing.ready) {
        return;
    }

    ngx_queue_init(&ngx_http_chat_typing.typists);

    for (i = 0; i < NGX_HTTP_CHAT_TYPING_BUCKETS; i++) {
        ngx_queue_init(&ngx_http_chat_typing.buckets[i]);
    }

    /* nginx's debug log reads a timer's data as a connection */

    ngx_http_chat_typing.timer.data = &ngx_http_chat_typing;
    ngx_http_chat_typing.timer.handler = ngx_http_chat_typing_handler;
    ngx_http_chat_typing.timer.log = ngx_cycle->log;
    ngx_http_chat_typing.timer.cancelable = 1;

    ngx_http_chat_typing.ready = 1;
}


static ngx_queue_t *
ngx_http_chat_typing_bucket(ngx_http_chat_session_t *s)
{
    return &ngx_http_chat_typing.buckets[s->id % NGX_HTTP_CHAT_TYPING_BUCKETS];
}


/* The session's typist in that room, or its oldest one (0).  *n is how many
 * were seen that are the session's. */

static ngx_http_chat_typist_t *
ngx_http_chat_typing_find(ngx_http_chat_session_t *s, uint32_t room,
    ngx_uint_t *n)
{
    ngx_queue_t             *q, *bucket;
    ngx_http_chat_typist_t  *t;

    *n = 0;

    bucket = ngx_http_chat_typing_bucket(s);

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        t = ngx_queue_data(q, ngx_http_chat_typist_t, bucket);

        if (t->session != s->id || t->zone != s->zone) {
            continue;
        }

        (*n)++;

        if (room == 0 || t->room == room) {
            return t;
        }
    }

    return NULL;
}


static void
ngx_http_chat_typing_begin(ngx_http_chat_session_t *s, uint32_t room,
    uint64_t epoch, u_char *text, size_t len)
{
    ngx_http_chat_typist_t  *t;

    t = ngx_alloc(sizeof(ngx_http_chat_typist_t) + len
                  + sizeof(",\"on\":false}"), ngx_cycle->log);

    if (t == NULL) {
        return;
    }

    t->zone = s->zone;
    t->session = s->id;
    t->epoch = epoch;
    t->room = room;
    t->said = ngx_current_msec;
    t->until = ngx_current_msec + NGX_HTTP_CHAT_TYPING_LIFE;
    t->len = len;

    ngx_memcpy(t->text, text, len);

    ngx_queue_insert_tail(&ngx_http_chat_typing.typists, &t->queue);
    ngx_queue_insert_tail(ngx_http_chat_typing_bucket(s), &t->bucket);

    s->typing = 1;

    ngx_http_chat_typing_say(t, 1);
    ngx_http_chat_typing_timer();
}


static void
ngx_http_chat_typing_again(ngx_http_chat_typist_t *t)
{
    t->until = ngx_current_msec + NGX_HTTP_CHAT_TYPING_LIFE;

    ngx_queue_remove(&t->queue);
    ngx_queue_insert_tail(&ngx_http_chat_typing.typists, &t->queue);

    if (ngx_current_msec - t->said < NGX_HTTP_CHAT_TYPING_AGAIN) {
        return;
    }

    t->said = ngx_current_msec;

    ngx_http_chat_typing_say(t, 1);
}


static void
ngx_http_chat_typing_end(ngx_http_chat_typist_t *t)
{
    ngx_queue_remove(&t->queue);
    ngx_queue_remove(&t->bucket);

    ngx_http_chat_typing_say(t, 0);

    ngx_free(t);
}


static void
ngx_http_chat_typing_say(ngx_http_chat_typist_t *t, ngx_uint_t on)
{
    u_char  *p;

    p = t->text + t->len;

    p = on ? ngx_cpymem(p, ",\"on\":true}", sizeof(",\"on\":true}") - 1)
           : ngx_cpymem(p, ",\"on\":false}", sizeof(",\"on\":false}") - 1);

    ngx_http_chat_publish_event(t->zone, t->room, t->epoch, t->text,
                                p - t->text);
}


static void
ngx_http_chat_typing_timer(void)
{
    ngx_queue_t             *q;
    ngx_http_chat_typist_t  *t;

    if (ngx_http_chat_typing.timer.timer_set
        || ngx_queue_empty(&ngx_http_chat_typing.typists))
    {
        return;
    }

    q = ngx_queue_head(&ngx_http_chat_typing.typists);
    t = ngx_queue_data(q, ngx_http_chat_typist_t, queue);

    ngx_add_timer(&ngx_http_chat_typing.timer,
                  ngx_max((ngx_msec_int_t) (t->until - ngx_current_msec), 1));
}


static void
ngx_http_chat_typing_handler(ngx_event_t *ev)
{
    ngx_queue_t             *q;
    ngx_http_chat_typist_t  *t;

    while (!ngx_queue_empty(&ngx_http_chat_typing.typists)) {

        q = ngx_queue_head(&ngx_http_chat_typing.typists);
        t = ngx_queue_data(q, ngx_http_chat_typist_t, queue);

        if ((ngx_msec_int_t) (t->until - ngx_current_msec) > 0) {
            break;
        }

        ngx_http_chat_typing_end(t);
    }

    ngx_http_chat_typing_timer();
}


void
ngx_http_chat_command_read(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    uint64_t                seq;
    ngx_int_t               rc;
    chat_json_writer_t      w;
    ngx_http_chat_local_t  *local;

    local = ngx_http_chat_member_local(m);
    seq = cmd->seq;

    rc = ngx_http_chat_read_mark(s, local, &seq);

    if (rc == NGX_DECLINED) {
        ngx_http_chat_reply_seq(s, cmd, seq);
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_chat_fail(s, &cmd->id, NGX_ABORT);
        return;
    }

    if (ngx_http_chat_typing_event(s, cmd, "{\"type\":\"read\"", &w)
        != NGX_OK)
    {
        return;
    }

    ngx_http_chat_reply_number(&w, "seq", seq);
    chat_json_lit(&w, "}");

    ngx_http_chat_publish_event(local->zone, ngx_http_chat_local_room(local),
                                local->epoch, w.start, w.pos - w.start);

    ngx_http_chat_reply_seq(s, cmd, seq);
}


/* *seq becomes the newest one if it is beyond it: nobody has read what was not
 * said yet. */

static ngx_int_t
ngx_http_chat_read_mark(ngx_http_chat_session_t *s,
    ngx_http_chat_local_t *local, uint64_t *seq)
{
    ngx_str_t                   user;
    ngx_http_chat_room_view_t   view;

    if (ngx_http_chat_room_view(local->zone, ngx_http_chat_local_room(local),
                                local->epoch, &view)
        != NGX_OK)
    {
        return NGX_ABORT;
    }

    /* what the view has taken note of is still to be delivered */

    ngx_http_chat_deliver_room(local);

    *seq = ngx_min(*seq, view.next_seq - 1);

    user.data = ngx_http_chat_session_user(s);
    user.len = s->user_len;

    return ngx_http_chat_room_mark(local->zone,
                                   ngx_http_chat_local_room(local),
                                   local->epoch, &user, *seq);
}


/* Begins an event of that head: who it is, and in which room. */

static ngx_int_t
ngx_http_chat_typing_event(ngx_http_chat_session_t *s, chat_command_t *cmd,
    const char *head, chat_json_writer_t *w)
{
    if (ngx_http_chat_reply_begin(w, 128
                            + ngx_http_chat_reply_string(cmd->room.len)
                            + ngx_http_chat_reply_string(s->user_len))
        != NGX_OK)
    {
        ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        return NGX_ERROR;
    }

    chat_json_put(w, head, ngx_strlen(head));
    ngx_http_chat_reply_field(w, "room", cmd->room.data, cmd->room.len);
    ngx_http_chat_reply_field(w, "user", ngx_http_chat_session_user(s),
                              s->user_len);

    return NGX_OK;
}
