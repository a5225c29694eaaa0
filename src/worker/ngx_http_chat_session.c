
#include "ngx_http_chat_session.h"
#include "ngx_http_chat_claim.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_member.h"
#include "ngx_http_chat_output.h"
#include "ngx_http_chat_transport.h"

#include "chat_ws.h"


#define NGX_HTTP_CHAT_PINGS      2         /* unanswered, then it is dead */
#define NGX_HTTP_CHAT_FAREWELL   5000      /* ms, for the peer to close */
/* The most bytes of user, room, name and color. */
#define NGX_HTTP_CHAT_SESSION_STRINGS  (64 + 128 + 64 + 7)

#define NGX_HTTP_CHAT_DISCARD    4096      /* bytes read at once, lingering */
#define NGX_HTTP_CHAT_DISCARDS   16        /* reads in one wake-up */


static void ngx_http_chat_session_read_handler(ngx_event_t *rev);
static void ngx_http_chat_session_write_handler(ngx_event_t *wev);
static void ngx_http_chat_session_tick(ngx_http_chat_session_t *s);
static void ngx_http_chat_session_shutdown(ngx_http_chat_session_t *s);
static void ngx_http_chat_session_bye(ngx_http_chat_session_t *s);
static void ngx_http_chat_session_linger(ngx_http_chat_session_t *s);
static void ngx_http_chat_session_drain(ngx_http_chat_session_t *s);
static void ngx_http_chat_session_free(ngx_http_chat_session_t *s);
static void ngx_http_chat_session_throttle_handler(ngx_event_t *ev);
static size_t ngx_http_chat_session_own(ngx_http_chat_settings_t *settings);
static uint64_t ngx_http_chat_session_mix(uint64_t n);


ngx_http_chat_session_t *
ngx_http_chat_session_create(ngx_connection_t *c, ngx_http_chat_zone_t *zone,
    ngx_http_chat_settings_t *settings,
    const ngx_http_chat_transport_t *transport,
    ngx_http_chat_identity_t *id, size_t transport_size)
{
    size_t                    tail;
    ngx_http_chat_session_t  *s;

    tail = offsetof(ngx_http_chat_session_t, strings);

    tail += id->pending ? NGX_HTTP_CHAT_SESSION_STRINGS
                        : id->user.len + id->name.len + id->color.len
                          + id->room.len;

    tail = ngx_align(tail, sizeof(uint64_t));

    s = ngx_calloc(tail + ngx_http_chat_session_own(settings) + transport_size,
                   c->log);
    if (s == NULL) {
        return NULL;
    }

    s->connection = c;
    s->zone = zone;
    s->settings = settings;
    s->transport = transport;
    s->tail = (uint16_t) tail;

    s->joined = &s->joined0;
    s->joined_size = 1;

    s->started = ngx_current_msec;
    s->pending = id->pending;

    ngx_http_chat_session_identify(s, id);

    if (settings->nrates) {
        ngx_memcpy(ngx_http_chat_session_rates(s), id->rates,
                   settings->nrates * sizeof(uint64_t));
    }

    s->id = ngx_atomic_fetch_add(&zone->sh->session, 1) + 1;

#if (NGX_SSL)
    s->tls = (c->ssl != NULL);
#endif

    zone->slots[zone->slot].sessions++;

    return s;
}


void
ngx_http_chat_session_identify(ngx_http_chat_session_t *s,
    ngx_http_chat_identity_t *id)
{
    u_char  *p;

    s->guest = id->guest;
    s->role = (uint8_t) id->role;

    s->user_len = (uint8_t) id->user.len;
    s->room_len = (uint8_t) id->room.len;
    s->name_len = (uint8_t) id->name.len;
    s->color_len = (uint8_t) id->color.len;

    p = ngx_cpymem(s->strings, id->user.data, id->user.len);

    if (id->room.len) {
        p = ngx_cpymem(p, id->room.data, id->room.len);
    }

    p = ngx_cpymem(p, id->name.data, id->name.len);
    ngx_memcpy(p, id->color.data, id->color.len);
}


/* What a session of such a location has in front of the transport's part. */

static size_t
ngx_http_chat_session_own(ngx_http_chat_settings_t *settings)
{
    size_t  size;

    size = settings->nrates * sizeof(uint64_t);

    if (settings->protocol != NGX_HTTP_CHAT_PROTOCOL_RAW) {
        size += sizeof(ngx_http_chat_inbox_t);
    }

    return size;
}


ngx_http_chat_inbox_t *
ngx_http_chat_session_inbox(ngx_http_chat_session_t *s)
{
    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW) {
        return NULL;
    }

    return (ngx_http_chat_inbox_t *) ((u_char *) s + s->tail);
}


uint64_t *
ngx_http_chat_session_rates(ngx_http_chat_session_t *s)
{
    size_t  offset;

    offset = s->tail + ngx_http_chat_session_own(s->settings)
             - s->settings->nrates * sizeof(uint64_t);

    return (uint64_t *) ((u_char *) s + offset);
}


void *
ngx_http_chat_session_private(ngx_http_chat_session_t *s)
{
    return (u_char *) s + s->tail + ngx_http_chat_session_own(s->settings);
}


/* One to one, so no two sessions of a zone have the same. */

void
ngx_http_chat_session_sid(ngx_http_chat_session_t *s, u_char *sid)
{
    u_char    bytes[NGX_HTTP_CHAT_SESSION_ID_LEN / 2];
    uint64_t  n;

    n = s->zone->sh->seed + s->id * 0x9e3779b97f4a7c15ULL;

    n = ngx_http_chat_session_mix(n);
    ngx_memcpy(bytes, &n, 8);

    n = ngx_http_chat_session_mix(n ^ s->zone->sh->seed);
    ngx_memcpy(bytes + 8, &n, 8);

    (void) ngx_hex_dump(sid, bytes, sizeof(bytes));
}


/* Each bit of n decides on each bit of the result: Stafford's Mix13. */

static uint64_t
ngx_http_chat_session_mix(uint64_t n)
{
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9ULL;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebULL;

    return n ^ (n >> 31);
}


void
ngx_http_chat_session_person(ngx_http_chat_session_t *s,
    ngx_http_chat_person_t *person)
{
    u_char      *color;
    ngx_int_t    n;
    ngx_uint_t   i;

    person->user.data = ngx_http_chat_session_user(s);
    person->user.len = s->user_len;
    person->name.data = ngx_http_chat_session_name(s);
    person->name.len = s->name_len;
    person->role = s->role;
    person->guest = s->guest;

    color = ngx_http_chat_session_color(s) + 1;

    for (i = 0; i < 3; i++) {
        n = ngx_hextoi(color + 2 * i, 2);
        person->color[i] = (u_char) ngx_max(n, 0);
    }
}


ngx_int_t
ngx_http_chat_session_rename(ngx_http_chat_session_t *s, ngx_str_t *name,
    u_char color[3])
{
    u_char  *p, *profile;

    profile = ngx_alloc(name->len + sizeof("#rrggbb") - 1,
                        s->connection->log);
    if (profile == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(profile, name->data, name->len);

    *p++ = '#';
    (void) ngx_hex_dump(p, color, 3);

    if (s->profile) {
        ngx_free(s->profile);
    }

    s->profile = profile;
    s->name_len = (uint8_t) name->len;
    s->color_len = sizeof("#rrggbb") - 1;

    /* all of the user's connections hold his name */

    (void) ngx_http_chat_claim_name(s, name, 1);

    return NGX_OK;
}


void
ngx_http_chat_session_start(ngx_http_chat_session_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    c->data = s;
    c->read->handler = ngx_http_chat_session_read_handler;
    c->write->handler = ngx_http_chat_session_write_handler;
    c->read->cancelable = 1;

    c->log->action = "chatting";

    /* nginx tells idle connections when the worker is to go */

    c->idle = 1;
    ngx_reusable_connection(c, 0);

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    if (s->closing) {

        /* its room was lost before the connection was ours */

        c->read->cancelable = 0;
        ngx_add_timer(c->read, NGX_HTTP_CHAT_FAREWELL);
        ngx_http_chat_deliver_flush(s);
        return;
    }

    if (s->settings->ping_interval) {
        ngx_add_timer(c->read, s->settings->ping_interval);
    }

    if (ngx_exiting) {
        ngx_http_chat_session_shutdown(s);
    }
}


ngx_http_chat_session_t *
ngx_http_chat_session_of(ngx_connection_t *c)
{
    if (c->fd == (ngx_socket_t) -1
        || c->read->handler != ngx_http_chat_session_read_handler)
    {
        return NULL;
    }

    return c->data;
}


static void
ngx_http_chat_session_read_handler(ngx_event_t *rev)
{
    ngx_connection_t         *c;
    ngx_http_chat_session_t  *s;

    c = rev->data;
    s = c->data;

    if (s->dead) {
        return;
    }

    if (c->error) {
        /* worker_shutdown_timeout has passed */
        ngx_http_chat_session_finalize(s);
        return;
    }

    if (c->close) {
        c->close = 0;
        ngx_http_chat_session_shutdown(s);
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;
        ngx_http_chat_session_tick(s);
        return;
    }

    if (s->lingering) {
        ngx_http_chat_session_drain(s);
        return;
    }

    if (s->read_blocked || s->throttled) {
        /* the bytes stay in the socket until it has taken our replies */
        return;
    }

    s->transport->read(s);
}


static void
ngx_http_chat_session_write_handler(ngx_event_t *wev)
{
    ngx_connection_t         *c;
    ngx_http_chat_session_t  *s;

    c = wev->data;
    s = c->data;

    if (s->dead) {
        return;
    }

    if (c->error) {
        ngx_http_chat_session_finalize(s);
        return;
    }

    if (wev->timedout) {
        wev->timedout = 0;

        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client has taken nothing for %M ms",
                      s->settings->send_timeout);

        ngx_http_chat_session_close(s, CHAT_WS_TRY_LATER,
                                    "too slow a reader");
        return;
    }

    if (s->blocked && wev->ready) {
        ngx_http_chat_output_unblock(s);

        if (s->closing) {
            ngx_http_chat_deliver_flush(s);
        }
    }
}


/* The read event's timer: time for a ping, or enough of the farewell. */

static void
ngx_http_chat_session_tick(ngx_http_chat_session_t *s)
{
    if (s->closing || s->shutting) {
        ngx_http_chat_session_finalize(s);
        return;
    }

    if (s->heard || s->read_blocked || s->throttled) {

        /* what it answers is not read before it has taken what it asked for */

        s->heard = 0;
        s->pings = 0;

    } else if (s->pings >= NGX_HTTP_CHAT_PINGS) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, NGX_ETIMEDOUT,
                      "client has not answered %d pings", NGX_HTTP_CHAT_PINGS);

        ngx_http_chat_session_close(s, CHAT_WS_GOING_AWAY,
                                    "no answer to pings");
        return;
    }

    if (!s->blocked) {
        s->pings++;
        s->transport->ping(s);
    }

    if (!s->dead) {
        ngx_add_timer(s->connection->read, s->settings->ping_interval);
    }
}


/*
 * The worker is to go.  Sessions are told so a few at a time; until then a
 * timer that is not cancelable holds the worker.
 */

static void
ngx_http_chat_session_shutdown(ngx_http_chat_session_t *s)
{
    if (s->closing || s->shutting) {
        return;
    }

    s->shutting = 1;

    s->connection->read->cancelable = 0;
    ngx_add_timer(s->connection->read, NGX_HTTP_CHAT_FAREWELL);

    ngx_http_chat_deliver_flush(s);
}


static void
ngx_http_chat_session_bye(ngx_http_chat_session_t *s)
{
    ngx_msec_t  reconnect;
    ngx_uint_t  restart;

    /* newer workers are there: it is a reload and not the end */

    restart = (s->zone->sh->generation != s->zone->generation);

    reconnect = ngx_random() % (s->settings->close_delay + 1);

    s->transport->bye(s, restart, reconnect);

    ngx_http_chat_session_close(s, restart ? CHAT_WS_RESTART
                                           : CHAT_WS_GOING_AWAY,
                                restart ? "restart" : "shutdown");
}


void
ngx_http_chat_session_close(ngx_http_chat_session_t *s, ngx_uint_t code,
    const char *reason)
{
    ngx_event_t  *rev;

    if (s->dead || s->closing) {
        return;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, s->connection->log, 0,
                   "chat session close: %ui %s", code, reason);

    s->closing = 1;
    s->close_code = (uint16_t) code;

    ngx_http_chat_member_set(s, NGX_HTTP_CHAT_MEMBER_BLOCKED);

    /* the peer's answer is to be read */

    ngx_http_chat_session_unthrottle(s);

    if (!s->transport->close(s, code, reason)) {
        s->peer_closed = 1;
    }

    rev = s->connection->read;
    rev->cancelable = 0;
    ngx_add_timer(rev, NGX_HTTP_CHAT_FAREWELL);

    ngx_http_chat_deliver_flush(s);
}


/* A timer of its own, for few sessions are throttled at a time. */

void
ngx_http_chat_session_throttle(ngx_http_chat_session_t *s, ngx_msec_t wait)
{
    if (s->closing || s->dead) {
        return;
    }

    if (s->throttle == NULL) {
        s->throttle = ngx_calloc(sizeof(ngx_event_t), s->connection->log);

        if (s->throttle == NULL) {
            ngx_http_chat_session_finalize(s);
            return;
        }

        s->throttle->handler = ngx_http_chat_session_throttle_handler;
        s->throttle->data = s;
        s->throttle->log = s->connection->log;
        s->throttle->cancelable = 1;
    }

    s->throttled = 1;

    ngx_add_timer(s->throttle, wait);
}


static void
ngx_http_chat_session_throttle_handler(ngx_event_t *ev)
{
    ngx_http_chat_session_unthrottle(ev->data);
}


void
ngx_http_chat_session_unthrottle(ngx_http_chat_session_t *s)
{
    if (s->throttle == NULL) {
        return;
    }

    if (s->throttle->timer_set) {
        ngx_del_timer(s->throttle);
    }

    ngx_free(s->throttle);

    s->throttle = NULL;
    s->throttled = 0;

    if (!s->dead && !s->read_blocked) {
        ngx_post_event(s->connection->read, &ngx_posted_events);
    }
}


void
ngx_http_chat_session_finalize(ngx_http_chat_session_t *s)
{
    ngx_connection_t  *c;

    if (s->dead) {
        return;
    }

    s->dead = 1;

    if (s->close_code == 0) {
        s->close_code = CHAT_WS_ABNORMAL;
    }

    ngx_http_chat_member_set(s, NGX_HTTP_CHAT_MEMBER_BLOCKED);

    c = s->connection;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    ngx_http_chat_deliver_flush(s);
}


void
ngx_http_chat_session_turn(ngx_http_chat_session_t *s)
{
    if (s->shutting && !s->closing && !s->dead) {
        ngx_http_chat_session_bye(s);
    }

    if (s->dead) {
        ngx_http_chat_session_free(s);
        return;
    }

    if (s->closing) {
        ngx_http_chat_member_leave_all(s);

    } else if (s->expelled) {
        ngx_http_chat_member_leave_gone(s);
    }

    if (s->blocked
        || ngx_http_chat_output_flush(s) != NGX_OK
        || !s->closing)
    {
        return;
    }

    if (s->peer_closed && !s->lingering) {
        ngx_http_chat_session_linger(s);
    }
}


/*
 * Everything is said on both sides.  Closing the socket while bytes of the
 * peer are unread would make the kernel answer them with RST, which may
 * overtake our last frame: end our side, and read until the peer ends his.
 */

static void
ngx_http_chat_session_linger(ngx_http_chat_session_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

#if (NGX_SSL)

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->shutdown_without_free = 1;

        if (ngx_ssl_shutdown(c) != NGX_OK) {

            /*
             * The socket does not take the alert: who does not read has no
             * use for it.  nginx's waiting for that would end in a handler
             * that takes our data for an HTTP connection's.
             */

            c->ssl->shutdown_without_free = 0;

            c->read->handler = ngx_http_chat_session_read_handler;
            c->write->handler = ngx_http_chat_session_write_handler;

            ngx_http_chat_session_finalize(s);
            return;
        }

        c->ssl->shutdown_without_free = 0;
        c->ssl->no_send_shutdown = 1;
    }

#endif

    if (ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1) {
        ngx_connection_error(c, ngx_socket_errno,
                             ngx_shutdown_socket_n " failed");
        ngx_http_chat_session_finalize(s);
        return;
    }

    s->lingering = 1;

    if (c->read->ready) {
        ngx_http_chat_session_drain(s);
    }
}


static void
ngx_http_chat_session_drain(ngx_http_chat_session_t *s)
{
    ssize_t            n;
    ngx_uint_t         i;
    ngx_connection_t  *c;
    u_char             buf[NGX_HTTP_CHAT_DISCARD];

    c = s->connection;

    for (i = 0; i < NGX_HTTP_CHAT_DISCARDS; i++) {

        n = c->recv(c, buf, NGX_HTTP_CHAT_DISCARD);

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                ngx_http_chat_session_finalize(s);
            }

            return;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_http_chat_session_finalize(s);
            return;
        }
    }

    /* there is more: others have their turn first */

    ngx_post_event(c->read, &ngx_posted_next_events);
}


void
ngx_http_chat_session_counters(ngx_http_chat_session_t *s)
{
    ngx_uint_t               i;
    ngx_http_chat_member_t  *m;

    for (i = 0; i < s->joined_size; i++) {
        m = ngx_http_chat_session_member(s, i);

        if (m) {
            ngx_http_chat_member_count(m);
        }
    }
}


static void
ngx_http_chat_session_free(ngx_http_chat_session_t *s)
{
    ngx_http_chat_member_leave_all(s);

    /* its log goes with the connection */

    ngx_http_chat_session_unthrottle(s);

    s->transport->closed(s);

    ngx_http_chat_session_discard(s);
}


void
ngx_http_chat_session_discard(ngx_http_chat_session_t *s)
{
    if (s->queued) {
        ngx_queue_remove(&s->queue);
    }

    ngx_http_chat_member_leave_all(s);

    s->zone->slots[s->zone->slot].sessions--;

    ngx_http_chat_session_unthrottle(s);
    ngx_http_chat_claim_release(s);

    if (s->out) {
        ngx_free(s->out);
    }

    if (s->profile) {
        ngx_free(s->profile);
    }

    if (s->joined != &s->joined0) {
        ngx_free(s->joined);
    }

    ngx_free(s);
}
