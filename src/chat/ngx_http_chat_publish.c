
#include "ngx_http_chat_publish.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_notify.h"


void
ngx_http_chat_publish_to(ngx_http_chat_publish_t *p,
    ngx_http_chat_local_t *local, ngx_http_chat_session_t *s)
{
    ngx_memzero(p, sizeof(ngx_http_chat_publish_t));

    p->zone = local->zone;
    p->room = ngx_http_chat_local_room(local);
    p->epoch = local->epoch;
    p->session = s;

    p->append.retention = &s->settings->retention;
    p->append.entry.sender = (uint32_t) s->id;
}


ngx_int_t
ngx_http_chat_publish_named(ngx_http_chat_publish_t *p, ngx_str_t *room,
    ngx_http_chat_session_t *s)
{
    ngx_memzero(p, sizeof(ngx_http_chat_publish_t));

    p->zone = s->zone;
    p->room = ngx_http_chat_room_find(s->zone, room, &p->epoch);
    p->session = s;

    p->append.entry.sender = (uint32_t) s->id;

    return p->room ? NGX_OK : NGX_DECLINED;
}


void
ngx_http_chat_publish(ngx_http_chat_publish_t *p)
{
    uint16_t                 slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_int_t                rc;
    ngx_http_chat_local_t   *local;
    ngx_http_chat_append_t  *entry;

    entry = &p->append.entry;

    p->append.slots = slots;
    p->append.nslots = 0;

    rc = ngx_http_chat_room_append(p->zone, p->room, p->epoch, &p->append);

    if (rc == NGX_OK && !p->append.duplicate) {
        local = ngx_http_chat_worker_room(p->zone, p->room);

        if (local && local->epoch == p->epoch) {

            if (p->append.retention) {
                ngx_http_chat_deliver_press(local,
                                            entry->head.len + entry->tail.len,
                                            p->append.retention->backlog);
            }

            /* ours know even if somebody died who owed us the news */

            ngx_http_chat_deliver_room(local);
        }

        ngx_http_chat_notify(p->zone, p->room, slots, p->append.nslots);

    } else if (rc == NGX_DECLINED && p->append.change == NULL) {
        ngx_http_chat_publish_full(p->zone);
    }

    p->handler(p, rc);
}


void
ngx_http_chat_publish_event(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, u_char *text, size_t len)
{
    uint16_t                      slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_http_chat_local_t        *local;
    ngx_http_chat_room_append_t   a;

    ngx_memzero(&a, sizeof(a));

    a.entry.flags = NGX_HTTP_CHAT_ENTRY_PASSING;
    a.entry.head.data = text;
    a.entry.head.len = len;
    a.slots = slots;

    /* who can do without it is not told that there was no memory for it */

    if (ngx_http_chat_room_append(z, room, epoch, &a) != NGX_OK) {
        return;
    }

    local = ngx_http_chat_worker_room(z, room);

    if (local && local->epoch == epoch) {
        ngx_http_chat_deliver_room(local);
    }

    ngx_http_chat_notify(z, room, slots, a.nslots);
}


void
ngx_http_chat_publish_full(ngx_http_chat_zone_t *z)
{
    static ngx_uint_t  logged;
    static ngx_msec_t  last;

    if (logged && ngx_current_msec - last < NGX_HTTP_CHAT_LOG_PAUSE) {
        return;
    }

    logged = 1;
    last = ngx_current_msec;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "chat_zone \"%V\" is full and has no history left to drop, "
                  "messages are refused: make the zone larger", &z->name);
}
