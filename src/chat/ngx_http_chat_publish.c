
#include "ngx_http_chat_publish.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_notify.h"


void
ngx_http_chat_publish(ngx_http_chat_publish_t *p)
{
    uint32_t               room;
    uint16_t               slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_int_t              rc;
    ngx_uint_t             nslots;
    ngx_http_chat_zone_t  *z;

    z = p->local->zone;
    room = ngx_http_chat_local_room(p->local);

    rc = ngx_http_chat_room_append(z, room, p->local->epoch, &p->entry,
                                   p->retention, slots, &nslots);

    if (rc == NGX_OK) {
        ngx_http_chat_deliver_press(p->local,
                                    p->entry.head.len + p->entry.tail.len,
                                    p->retention->backlog);

        /* ours know even if somebody died who owed us the news */

        ngx_http_chat_deliver_room(p->local);
        ngx_http_chat_notify(z, room, slots, nslots);

    } else if (rc == NGX_DECLINED) {
        ngx_http_chat_publish_full(z);
    }

    p->handler(p, rc);
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
