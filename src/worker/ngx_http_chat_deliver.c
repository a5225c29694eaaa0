
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_output.h"

#include "chat_ws.h"


#define NGX_HTTP_CHAT_LAGGARD_RUNS  4       /* in one go, of one member */
#define NGX_HTTP_CHAT_TRIM_ROOMS    1000    /* in one second */
#define NGX_HTTP_CHAT_INBOX_QUIET   5000    /* ms, then it falls asleep */
#define NGX_HTTP_CHAT_HOLD          1000    /* ms */
#define NGX_HTTP_CHAT_PASSED        16384   /* more than a passing log has */


static void ngx_http_chat_deliver_handler(ngx_event_t *ev);
static void ngx_http_chat_deliver_hold(void);
static void ngx_http_chat_deliver_delay_handler(ngx_event_t *ev);
static void ngx_http_chat_deliver_release(ngx_http_chat_local_t *local);
static void ngx_http_chat_deliver_queue(ngx_http_chat_local_t *local);
static void ngx_http_chat_deliver_rooms(ngx_queue_t *rooms);
static void ngx_http_chat_deliver_sessions(void);
static ngx_uint_t ngx_http_chat_deliver_slice(ngx_http_chat_local_t *local,
    ngx_uint_t *sends);
static ngx_int_t ngx_http_chat_deliver_look(ngx_http_chat_local_t *local);
static ngx_uint_t ngx_http_chat_deliver_skips(ngx_http_chat_local_t *local,
    ngx_http_chat_member_t *m);
static void ngx_http_chat_deliver_member(ngx_http_chat_member_t *m);
static ngx_int_t ngx_http_chat_deliver_one(ngx_http_chat_local_t *local,
    ngx_http_chat_member_t *m, size_t max);
static ngx_int_t ngx_http_chat_deliver_send(ngx_http_chat_member_t *m,
    ngx_http_chat_run_t *run);
static ngx_int_t ngx_http_chat_deliver_slow(ngx_http_chat_member_t *m,
    ngx_http_chat_run_t *run);
static ngx_uint_t ngx_http_chat_deliver_gone(ngx_http_chat_member_t *m);
static ngx_int_t ngx_http_chat_deliver_missed(ngx_http_chat_local_t *local,
    ngx_http_chat_member_t *m, ngx_http_chat_missed_t *missed);
static void ngx_http_chat_deliver_lost(ngx_http_chat_local_t *local);


/* Has got everything, as far as this worker knows. */
#define ngx_http_chat_deliver_done(local, m)                                  \
    ((m)->cursor.seq >= (local)->next_seq                                     \
     && (m)->cursor.passing == (local)->passing)


static struct {
    ngx_queue_t   rooms;         /* to be walked */
    ngx_queue_t   walks;         /* begun, and left for the event loop */
    ngx_queue_t   warm;          /* walked some time ago, to be trimmed */
    ngx_queue_t   sessions;      /* with bytes to flush, or to be ended */
    ngx_event_t   event;
    ngx_event_t   hold;          /* an exiting worker waits for sessions */
    ngx_uint_t    pressed;       /* rooms that are, or 0 */
    ngx_uint_t    ready;
} ngx_http_chat_deliveries;


static void
ngx_http_chat_deliver_init(void)
{
    if (ngx_http_chat_deliveries.ready) {
        return;
    }

    ngx_queue_init(&ngx_http_chat_deliveries.rooms);
    ngx_queue_init(&ngx_http_chat_deliveries.walks);
    ngx_queue_init(&ngx_http_chat_deliveries.warm);
    ngx_queue_init(&ngx_http_chat_deliveries.sessions);

    ngx_http_chat_deliveries.event.handler = ngx_http_chat_deliver_handler;
    ngx_http_chat_deliveries.event.log = ngx_cycle->log;

    /* nginx's debug log reads a timer's data as a connection */

    ngx_http_chat_deliveries.hold.data = &ngx_http_chat_deliveries;
    ngx_http_chat_deliveries.hold.handler = ngx_http_chat_deliver_handler;

    ngx_http_chat_deliveries.hold.log = ngx_cycle->log;

    ngx_http_chat_deliveries.ready = 1;
}


void
ngx_http_chat_deliver_prepare(ngx_http_chat_local_t *local)
{
    local->wait.handler = ngx_http_chat_deliver_delay_handler;
    local->wait.data = local;
    local->wait.log = ngx_cycle->log;
    local->wait.cancelable = 1;
}


void
ngx_http_chat_deliver_room(ngx_http_chat_local_t *local)
{
    local->news = 1;

    if (local->queued || local->wait.timer_set) {
        return;
    }

    if (local->delay) {
        ngx_add_timer(&local->wait, local->delay);
        return;
    }

    ngx_http_chat_deliver_queue(local);
}


static void
ngx_http_chat_deliver_delay_handler(ngx_event_t *ev)
{
    ngx_http_chat_deliver_queue(ev->data);
}


void
ngx_http_chat_deliver_press(ngx_http_chat_local_t *local, size_t len,
    size_t backlog)
{
    local->pending += len;

    if (local->pending <= backlog / 4 || local->pressed) {
        return;
    }

    local->pressed = 1;
    ngx_http_chat_deliveries.pressed++;

    if (local->wait.timer_set) {
        ngx_del_timer(&local->wait);
        ngx_http_chat_deliver_queue(local);
    }
}


ngx_uint_t
ngx_http_chat_deliver_pressed(ngx_http_chat_session_t *s)
{
    ngx_uint_t  i;

    if (ngx_http_chat_deliveries.pressed == 0) {
        return 0;
    }

    for (i = 0; i < s->joined_size; i++) {
        if (s->joined[i].local && s->joined[i].local->pressed) {
            return 1;
        }
    }

    return 0;
}


/* Its members here are on the way to the head again. */

static void
ngx_http_chat_deliver_release(ngx_http_chat_local_t *local)
{
    local->pending = 0;

    if (local->pressed) {
        local->pressed = 0;
        ngx_http_chat_deliveries.pressed--;
    }
}


static void
ngx_http_chat_deliver_queue(ngx_http_chat_local_t *local)
{
    ngx_http_chat_deliver_init();

    if (!local->queued) {
        local->queued = 1;
        ngx_queue_insert_tail(&ngx_http_chat_deliveries.rooms, &local->queue);
    }

    if (!ngx_http_chat_deliveries.event.posted) {
        ngx_post_event(&ngx_http_chat_deliveries.event, &ngx_posted_events);
    }
}


void
ngx_http_chat_deliver_flush(ngx_http_chat_session_t *s)
{
    ngx_http_chat_deliver_init();

    if (!s->queued) {
        s->queued = 1;
        ngx_queue_insert_tail(&ngx_http_chat_deliveries.sessions, &s->queue);
    }

    if (!ngx_http_chat_deliveries.event.posted) {
        ngx_post_event(&ngx_http_chat_deliveries.event, &ngx_posted_events);
    }
}


void
ngx_http_chat_deliver_forget(ngx_http_chat_local_t *local)
{
    if (local->queued) {
        ngx_queue_remove(&local->queue);
    }

    if (local->warm) {
        ngx_queue_remove(&local->warmth);
    }

    if (local->wait.timer_set) {
        ngx_del_timer(&local->wait);
    }

    ngx_http_chat_deliver_release(local);
}


static void
ngx_http_chat_deliver_handler(ngx_event_t *ev)
{
    (void) ev;    /* the posted event or the timer below */

    /* a small room does not wait behind a large one's next slice */

    ngx_http_chat_deliver_rooms(&ngx_http_chat_deliveries.rooms);
    ngx_http_chat_deliver_rooms(&ngx_http_chat_deliveries.walks);
    ngx_http_chat_deliver_sessions();

    if (!ngx_http_chat_deliveries.event.posted
        && (!ngx_queue_empty(&ngx_http_chat_deliveries.rooms)
            || !ngx_queue_empty(&ngx_http_chat_deliveries.walks)
            || !ngx_queue_empty(&ngx_http_chat_deliveries.sessions)))
    {
        /* the event loop has its turn first */

        ngx_post_event(&ngx_http_chat_deliveries.event,
                       &ngx_posted_next_events);
    }

    ngx_http_chat_deliver_hold();
}


/*
 * An exiting worker goes when no timer is left, and does not ask whether any
 * event is posted: sessions that are still to be ended need a timer.
 */

static void
ngx_http_chat_deliver_hold(void)
{
    ngx_event_t  *hold;

    hold = &ngx_http_chat_deliveries.hold;

    if (ngx_queue_empty(&ngx_http_chat_deliveries.sessions)) {

        if (hold->timer_set) {
            ngx_del_timer(hold);
        }

        return;
    }

    if (!hold->timer_set) {
        ngx_add_timer(hold, NGX_HTTP_CHAT_HOLD);
    }
}


/* One slice of each room in turn, until all have had one or it is enough. */

static void
ngx_http_chat_deliver_rooms(ngx_queue_t *rooms)
{
    ngx_uint_t              sends;
    ngx_queue_t            *q, *last;
    ngx_http_chat_local_t  *local;

    if (ngx_queue_empty(rooms)) {
        return;
    }

    sends = 0;
    last = ngx_queue_last(rooms);

    do {
        q = ngx_queue_head(rooms);
        ngx_queue_remove(q);

        local = ngx_queue_data(q, ngx_http_chat_local_t, queue);

        if (ngx_http_chat_deliver_slice(local, &sends)) {
            ngx_queue_insert_tail(&ngx_http_chat_deliveries.walks, q);
            continue;
        }

        local->queued = 0;
        ngx_http_chat_run_release(local);

        if (!local->warm) {
            local->warm = 1;
            ngx_queue_insert_tail(&ngx_http_chat_deliveries.warm,
                                  &local->warmth);
        }

    } while (q != last && sends < NGX_HTTP_CHAT_PASS);
}


static void
ngx_http_chat_deliver_sessions(void)
{
    ngx_uint_t                n;
    ngx_queue_t              *q;
    ngx_http_chat_session_t  *s;

    for (n = NGX_HTTP_CHAT_PASS;
         n && !ngx_queue_empty(&ngx_http_chat_deliveries.sessions);
         n--)
    {
        q = ngx_queue_head(&ngx_http_chat_deliveries.sessions);
        ngx_queue_remove(q);

        s = ngx_queue_data(q, ngx_http_chat_session_t, queue);
        s->queued = 0;

        ngx_http_chat_session_turn(s);
    }
}


/* Returns 1 if the room has to be come back to. */

static ngx_uint_t
ngx_http_chat_deliver_slice(ngx_http_chat_local_t *local, ngx_uint_t *sends)
{
    ngx_uint_t               n;
    ngx_http_chat_member_t  *m;

    if (local->news) {

        if (ngx_http_chat_deliver_look(local) != NGX_OK) {
            ngx_http_chat_deliver_lost(local);
            return 0;
        }

        if (local->walk) {
            /* who was passed already has to be visited once more */
            local->behind = 1;
        }
    }

    if (local->walk == 0) {
        local->walk = local->nmembers;
        local->behind = 0;
        local->delivered = ngx_current_msec;

        ngx_http_chat_deliver_release(local);
    }

    n = 0;

    while (local->walk && n < NGX_HTTP_CHAT_SLICE) {
        m = &local->members[--local->walk];

        if (m->flags & (NGX_HTTP_CHAT_MEMBER_BLOCKED
                        |NGX_HTTP_CHAT_MEMBER_EXPELLED)
            && ngx_http_chat_deliver_skips(local, m))
        {
            continue;
        }

        if (ngx_http_chat_deliver_done(local, m)) {
            continue;
        }

        n++;

        if (ngx_http_chat_deliver_one(local, m, NGX_HTTP_CHAT_RUN_SIZE)
            == NGX_OK
            && !(m->flags & NGX_HTTP_CHAT_MEMBER_GONE)
            && !ngx_http_chat_deliver_done(local, m))
        {
            local->behind = 1;
        }
    }

    *sends += n;

    return local->walk || local->behind || local->news;
}


/* Where does the log stand?  From here on another publish tells us anew. */

static ngx_int_t
ngx_http_chat_deliver_look(ngx_http_chat_local_t *local)
{
    ngx_int_t                  rc;
    ngx_http_chat_room_view_t  view;

    local->news = 0;

    rc = ngx_http_chat_room_view(local->zone, ngx_http_chat_local_room(local),
                                 local->epoch, &view);
    if (rc == NGX_OK) {
        ngx_http_chat_run_seen(local, &view);
    }

    return rc;
}


/*
 * 1: it is passed by.  A place in what passes has 16 bits: it is drawn along,
 * for much later it would look like one that has missed nothing.
 */

static ngx_uint_t
ngx_http_chat_deliver_skips(ngx_http_chat_local_t *local,
    ngx_http_chat_member_t *m)
{
    uint16_t  behind;

    if (!(m->flags & NGX_HTTP_CHAT_MEMBER_BLOCKED)) {
        return ngx_http_chat_deliver_gone(m);
    }

    behind = (uint16_t) (local->passing - m->cursor.passing);

    if (behind > NGX_HTTP_CHAT_PASSED) {
        m->cursor.passing = (uint16_t) (local->passing - NGX_HTTP_CHAT_PASSED);
    }

    return 1;
}


/* OK: sent or nothing to send; AGAIN, ERROR: as for the output. */

static ngx_int_t
ngx_http_chat_deliver_one(ngx_http_chat_local_t *local,
    ngx_http_chat_member_t *m, size_t max)
{
    ngx_int_t                rc;
    ngx_uint_t               tries;
    ngx_http_chat_run_t     *run;
    ngx_http_chat_missed_t   missed;

    /* the log may drop more before the rest of it is read */

    for (tries = 0; /* void */ ; tries++) {

        rc = ngx_http_chat_run_get(local, m, max, &run, &missed);

        if (rc != NGX_BUSY) {
            break;
        }

        if (ngx_http_chat_deliver_missed(local, m, &missed) != NGX_OK) {
            return NGX_ERROR;
        }

        if (tries) {
            /* the log is faster than we are: later */
            return NGX_OK;
        }
    }

    switch (rc) {

    case NGX_OK:
        return ngx_http_chat_deliver_send(m, run);

    case NGX_DECLINED:
        return NGX_OK;

    case NGX_ABORT:
        ngx_http_chat_session_close(m->session, CHAT_WS_RESTART,
                                    "the room was restarted");
        return NGX_ERROR;

    default:
        ngx_http_chat_session_close(m->session, CHAT_WS_INTERNAL,
                                    "no memory");
        return NGX_ERROR;
    }
}


/*
 * The common path: the shared bytes, one system call, nothing of the session
 * or its connection touched.
 */

static ngx_int_t
ngx_http_chat_deliver_send(ngx_http_chat_member_t *m, ngx_http_chat_run_t *run)
{
    ssize_t            n;
    ngx_err_t          err;
    ngx_connection_t  *c;

    if (m->flags & (NGX_HTTP_CHAT_MEMBER_SLOW
                    |NGX_HTTP_CHAT_MEMBER_EXPELLED))
    {
        return ngx_http_chat_deliver_slow(m, run);
    }

    do {
        n = send(m->fd, run->buf, run->len, 0);
    } while (n == -1 && ngx_socket_errno == NGX_EINTR);

    if (n == (ssize_t) run->len) {
        m->cursor = run->to;
        m->bytes += n;
        m->messages += run->nmarks;
        return NGX_OK;
    }

    if (n >= 0) {
        return ngx_http_chat_output_short(m, run, n);
    }

    err = ngx_socket_errno;

    if (err == NGX_EAGAIN) {
        return ngx_http_chat_output_short(m, run, 0);
    }

    c = m->session->connection;

    c->write->error = 1;
    (void) ngx_connection_error(c, err, "send() failed");

    ngx_http_chat_session_finalize(m->session);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_chat_deliver_slow(ngx_http_chat_member_t *m, ngx_http_chat_run_t *run)
{
    uint64_t                seq;
    ngx_int_t               rc;
    ngx_http_chat_local_t  *local;

    if (m->flags & NGX_HTTP_CHAT_MEMBER_EXPELLED) {

        if (ngx_http_chat_deliver_gone(m)) {
            return NGX_OK;
        }

        local = ngx_http_chat_member_local(m);

        seq = ngx_http_chat_room_expelled(local->zone,
                                          ngx_http_chat_member_occupant(m));

        if (seq && seq < run->to.seq) {
            run = ngx_http_chat_run_until(run, seq);
        }
    }

    rc = ngx_http_chat_output_run(m, run);

    if (m->flags & NGX_HTTP_CHAT_MEMBER_EXPELLED) {
        (void) ngx_http_chat_deliver_gone(m);
    }

    return rc;
}


/*
 * 1: it was expelled, and has got the word for that.  Nothing more is sent to
 * it, and its session takes it out of the room when nobody walks over that.
 */

static ngx_uint_t
ngx_http_chat_deliver_gone(ngx_http_chat_member_t *m)
{
    uint64_t                  seq;
    ngx_http_chat_local_t    *local;
    ngx_http_chat_session_t  *s;

    if (m->flags & NGX_HTTP_CHAT_MEMBER_GONE) {
        return 1;
    }

    local = ngx_http_chat_member_local(m);

    seq = ngx_http_chat_room_expelled(local->zone,
                                      ngx_http_chat_member_occupant(m));

    if (seq == 0 || m->cursor.seq <= seq) {
        return 0;
    }

    m->flags |= NGX_HTTP_CHAT_MEMBER_GONE;

    s = m->session;
    s->expelled = 1;

    ngx_http_chat_deliver_flush(s);

    return 1;
}


/*
 * Its cursor was behind a log's tail and stands at the tail now.  In an inbox
 * nobody comes and goes; and to whom a room is closed it says nothing.
 */

static ngx_int_t
ngx_http_chat_deliver_missed(ngx_http_chat_local_t *local,
    ngx_http_chat_member_t *m, ngx_http_chat_missed_t *missed)
{
    ngx_int_t                 rc;
    ngx_http_chat_session_t  *s;

    s = m->session;
    rc = NGX_OK;

    if (missed->from) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "client was too slow for room \"%V\" "
                      "and missed messages %uL to %uL",
                      &local->name, missed->from, m->cursor.seq - 1);

        rc = s->transport->gap(s, &local->name, missed->from,
                               m->cursor.seq - 1);
    }

    if (rc == NGX_OK && missed->passing && !local->inbox
        && !(m->flags & NGX_HTTP_CHAT_MEMBER_EXPELLED))
    {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "client was too slow for room \"%V\" "
                      "and missed who came and went", &local->name);

        rc = s->transport->lost(s, &local->name, missed->users);
    }

    if (rc != NGX_OK) {
        ngx_http_chat_session_close(s, CHAT_WS_TRY_LATER,
                                    "too slow a reader");
    }

    return rc;
}


/* The room is not the one that our members joined: they are to come again. */

static void
ngx_http_chat_deliver_lost(ngx_http_chat_local_t *local)
{
    ngx_uint_t  i;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "chat room \"%V\" was restarted, "
                  "its %uD members here are reconnected",
                  &local->name, local->nmembers);

    for (i = 0; i < local->nmembers; i++) {
        ngx_http_chat_session_close(local->members[i].session,
                                    CHAT_WS_RESTART,
                                    "the room was restarted");
    }

    local->walk = 0;
    local->behind = 0;
}


void
ngx_http_chat_deliver_session(ngx_http_chat_session_t *s)
{
    ngx_uint_t               i;
    ngx_http_chat_member_t  *m;

    for (i = 0; i < s->joined_size; i++) {

        if (s->blocked || s->closing || s->dead) {
            return;
        }

        m = ngx_http_chat_session_member(s, i);

        if (m) {
            ngx_http_chat_deliver_member(m);
        }
    }
}


static void
ngx_http_chat_deliver_member(ngx_http_chat_member_t *m)
{
    ngx_int_t                rc;
    ngx_uint_t               n;
    ngx_http_chat_local_t   *local;
    ngx_http_chat_cursor_t   from;

    local = ngx_http_chat_member_local(m);
    rc = NGX_OK;

    if (m->flags & NGX_HTTP_CHAT_MEMBER_EXPELLED) {
        ngx_http_chat_deliver_queue(local);
        return;
    }

    for (n = 0; n < NGX_HTTP_CHAT_LAGGARD_RUNS; n++) {
        from = m->cursor;

        rc = ngx_http_chat_deliver_one(local, m, NGX_HTTP_CHAT_RUN_LAGGARD);

        if (rc != NGX_OK || ngx_http_chat_cursor_same(&m->cursor, &from)) {
            break;
        }
    }

    if (!local->queued) {
        ngx_http_chat_run_release(local);
    }

    if (rc == NGX_OK && !ngx_http_chat_deliver_done(local, m)) {
        local->behind = 1;
        ngx_http_chat_deliver_queue(local);
    }
}


void
ngx_http_chat_deliver_trim(ngx_http_chat_zone_t *z)
{
    ngx_uint_t              n;
    ngx_msec_t              quiet;
    ngx_queue_t            *q, *last;
    ngx_http_chat_local_t  *local;

    ngx_http_chat_deliver_init();

    q = NULL;
    last = ngx_queue_last(&ngx_http_chat_deliveries.warm);

    for (n = 0;
         n < NGX_HTTP_CHAT_TRIM_ROOMS
             && q != last
             && !ngx_queue_empty(&ngx_http_chat_deliveries.warm);
         n++)
    {
        q = ngx_queue_head(&ngx_http_chat_deliveries.warm);
        local = ngx_queue_data(q, ngx_http_chat_local_t, warmth);

        ngx_queue_remove(q);

        quiet = local->inbox ? NGX_HTTP_CHAT_INBOX_QUIET
                             : NGX_HTTP_CHAT_BACKLOG_TIME;

        if (local->zone != z || ngx_current_msec - local->delivered <= quiet) {

            /* the next time others have their turn */
            ngx_queue_insert_tail(&ngx_http_chat_deliveries.warm, q);
            continue;
        }

        local->warm = 0;

        if (local->inbox) {
            ngx_http_chat_inbox_sleep(local);
            continue;
        }

        ngx_http_chat_room_trim(z, ngx_http_chat_local_room(local),
                                local->epoch, 1);
    }
}
