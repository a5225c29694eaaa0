
#include "ngx_http_chat_purge.h"


#define NGX_HTTP_CHAT_PURGE_CHUNK  65536     /* read under one lock, bytes */


static ngx_int_t ngx_http_chat_purge_collect(ngx_http_chat_purge_t *purge,
    uint64_t from);
static ngx_int_t ngx_http_chat_purge_read(ngx_http_chat_purge_t *purge,
    ngx_http_chat_cursor_t *cursor, size_t *used, uint64_t *gap);
static void ngx_http_chat_purge_entries(ngx_http_chat_purge_t *purge,
    size_t used, ngx_http_chat_cursor_t *place);
static void ngx_http_chat_purge_delete(ngx_http_chat_purge_t *purge,
    ngx_http_chat_cursor_t *target, ngx_http_chat_publish_t *p,
    chat_str_t *room);
static void ngx_http_chat_purge_handler(ngx_http_chat_publish_t *p,
    ngx_int_t rc);


ngx_int_t
ngx_http_chat_purge_find(ngx_http_chat_purge_t *purge,
    ngx_http_chat_publish_t *p, chat_str_t *user)
{
    uint64_t                   n;
    chat_json_writer_t         w;
    ngx_http_chat_room_view_t  view;

    purge->zone = p->zone;
    purge->room = p->room;
    purge->epoch = p->epoch;

    chat_json_begin(&w, purge->user, sizeof(purge->user));
    chat_json_string(&w, user->data, user->len);

    purge->len = w.pos - w.start;

    if (ngx_http_chat_room_view(p->zone, p->room, p->epoch, &view) != NGX_OK) {
        return NGX_ABORT;
    }

    purge->passing = view.head.passing;
    purge->size = NGX_HTTP_CHAT_PURGE_CHUNK;
    purge->buf = ngx_alloc(purge->size, ngx_cycle->log);
    purge->targets = ngx_alloc(NGX_HTTP_CHAT_PURGE_ENTRIES
                               * sizeof(ngx_http_chat_cursor_t),
                               ngx_cycle->log);

    if (purge->buf == NULL || purge->targets == NULL) {
        return NGX_ERROR;
    }

    n = ngx_min(view.next_seq - view.first_seq, NGX_HTTP_CHAT_PURGE_ENTRIES);

    return ngx_http_chat_purge_collect(purge, view.next_seq - n);
}


/* The log is read in pieces, each under its lock and looked at outside. */

static ngx_int_t
ngx_http_chat_purge_collect(ngx_http_chat_purge_t *purge, uint64_t from)
{
    size_t                   used;
    uint64_t                 gap;
    ngx_int_t                rc;
    ngx_http_chat_cursor_t   cursor, place;

    purge->ntargets = 0;
    gap = 0;

    ngx_memzero(&cursor, sizeof(cursor));

    for ( ;; ) {

        if (cursor.block == 0 || gap) {

            /* also if the room has dropped what was at the cursor */

            cursor.passing = purge->passing;

            if (ngx_http_chat_room_seek(purge->zone, purge->room,
                                        purge->epoch, from, &cursor)
                != NGX_OK)
            {
                return NGX_ABORT;
            }
        }

        place = cursor;

        rc = ngx_http_chat_purge_read(purge, &cursor, &used, &gap);

        if (rc != NGX_OK) {
            return rc;
        }

        if (gap) {
            from = place.seq;
            continue;
        }

        if (used == 0) {
            purge->next = cursor.seq;
            return NGX_OK;
        }

        ngx_http_chat_purge_entries(purge, used, &place);
    }
}


static ngx_int_t
ngx_http_chat_purge_read(ngx_http_chat_purge_t *purge,
    ngx_http_chat_cursor_t *cursor, size_t *used, uint64_t *gap)
{
    size_t                     need;
    u_char                    *buf;
    ngx_int_t                  rc;
    ngx_http_chat_room_view_t  view;

    for ( ;; ) {
        rc = ngx_http_chat_room_read(purge->zone, purge->room, purge->epoch,
                                     cursor, purge->buf, purge->size, used,
                                     &need, gap, &view);

        if (rc != NGX_DECLINED) {
            return (rc == NGX_OK) ? NGX_OK : NGX_ABORT;
        }

        buf = ngx_alloc(need, ngx_cycle->log);
        if (buf == NULL) {
            return NGX_ERROR;
        }

        ngx_free(purge->buf);

        purge->buf = buf;
        purge->size = need;
    }
}


static void
ngx_http_chat_purge_entries(ngx_http_chat_purge_t *purge, size_t used,
    ngx_http_chat_cursor_t *place)
{
    size_t                  len;
    u_char                 *p, *last;
    chat_str_t              user;
    ngx_http_chat_entry_t   e;

    last = purge->buf + used;

    for (p = purge->buf; p < last; p += e.len) {

        ngx_memcpy(&e, p, sizeof(e));
        p += sizeof(e);

        if (e.flags & NGX_HTTP_CHAT_ENTRY_PASSING) {
            continue;
        }

        place->seq = e.seq;

        if ((e.flags & NGX_HTTP_CHAT_ENTRY_MESSAGE)
            && !(e.flags & NGX_HTTP_CHAT_ENTRY_DELETED)
            && purge->ntargets < NGX_HTTP_CHAT_PURGE_ENTRIES)
        {
            len = ngx_http_chat_entry_amended(&e) ? e.len - e.sender : e.len;

            if (chat_json_raw(p, len, "user", &user)
                && user.len == purge->len
                && ngx_memcmp(user.data, purge->user, user.len) == 0)
            {
                purge->targets[purge->ntargets++] = *place;
            }
        }

        place->block = e.after_block;
        place->off = e.after_off;
    }
}


void
ngx_http_chat_purge_late(ngx_http_chat_purge_t *purge,
    ngx_http_chat_publish_t *p, chat_str_t *room)
{
    uint64_t    end;
    ngx_uint_t  i;

    end = p->append.entry.seq;

    if (purge->next == end
        || ngx_http_chat_purge_collect(purge, purge->next) != NGX_OK)
    {
        return;
    }

    for (i = 0; i < purge->ntargets && purge->targets[i].seq < end; i++) {
        ngx_http_chat_purge_delete(purge, &purge->targets[i], p, room);
    }
}


static void
ngx_http_chat_purge_delete(ngx_http_chat_purge_t *purge,
    ngx_http_chat_cursor_t *target, ngx_http_chat_publish_t *p,
    chat_str_t *room)
{
    size_t                    head;
    chat_json_writer_t        w;
    ngx_http_chat_append_t   *entry;
    ngx_http_chat_publish_t   deletion;
    ngx_http_chat_session_t  *s;

    s = p->session;

    if (ngx_http_chat_reply_begin(&w, 256
                                  + ngx_http_chat_reply_string(room->len)
                                  + ngx_http_chat_reply_string(s->user_len))
        != NGX_OK)
    {
        return;
    }

    chat_json_lit(&w, "{\"type\":\"deleted\"");
    ngx_http_chat_reply_field(&w, "room", room->data, room->len);
    chat_json_lit(&w, ",\"seq\":");

    head = w.pos - w.start;

    ngx_http_chat_reply_number(&w, "target", target->seq);
    ngx_http_chat_reply_field(&w, "user", ngx_http_chat_session_user(s),
                              s->user_len);
    chat_json_lit(&w, "}");

    ngx_memzero(&deletion, sizeof(deletion));

    deletion.zone = purge->zone;
    deletion.room = purge->room;
    deletion.epoch = purge->epoch;
    deletion.handler = ngx_http_chat_purge_handler;
    deletion.session = s;
    deletion.append.retention = p->append.retention;

    entry = &deletion.append.entry;
    entry->flags = NGX_HTTP_CHAT_ENTRY_EVENT | NGX_HTTP_CHAT_ENTRY_AMENDS;
    entry->sender = (uint32_t) s->id;
    entry->head.data = w.start;
    entry->head.len = head;
    entry->tail.data = w.start + head;
    entry->tail.len = w.pos - w.start - head;
    entry->targets = target;
    entry->ntargets = 1;
    entry->amend = NGX_HTTP_CHAT_ENTRY_DELETED;

    ngx_http_chat_publish(&deletion);
}


static void
ngx_http_chat_purge_handler(ngx_http_chat_publish_t *p, ngx_int_t rc)
{
    /* a message that is gone already needs no deletion, and one that stays
     * since the zone is full was answered by nobody's command */

    (void) p;
    (void) rc;
}


void
ngx_http_chat_purge_free(ngx_http_chat_purge_t *purge)
{
    if (purge->targets) {
        ngx_free(purge->targets);
    }

    if (purge->buf) {
        ngx_free(purge->buf);
    }
}
