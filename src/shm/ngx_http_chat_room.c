
#include "ngx_http_chat_inner.h"
#include "ngx_http_chat_amend.h"
#include "ngx_http_chat_resident.h"
#include "ngx_http_chat_occupant.h"
#include "ngx_http_chat_change.h"
#include "ngx_http_chat_nonce.h"
#include "ngx_http_chat_evict.h"


#define NGX_HTTP_CHAT_SEEK_STEPS   1024   /* entries passed under one lock */


static ngx_int_t ngx_http_chat_room_copy(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_cursor_t *cursor,
    u_char *buf, size_t size, size_t *used, size_t *need);
static ngx_int_t ngx_http_chat_room_merge(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_cursor_t *cursor,
    u_char *buf, size_t size, size_t *used, size_t *need);
static void ngx_http_chat_room_passing(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_cursor_t *cursor,
    ngx_http_chat_cursor_t *p);
static uint64_t ngx_http_chat_room_until(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_cursor_t *cursor,
    ngx_http_chat_cursor_t *p);
static ssize_t ngx_http_chat_room_pass_copy(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_cursor_t *cursor,
    ngx_http_chat_cursor_t *p, u_char *buf, size_t size, size_t *need);
static void ngx_http_chat_room_kept(ngx_http_chat_room_sh_t *room,
    ngx_http_chat_retention_t *retention);
static void ngx_http_chat_room_reset_people(ngx_http_chat_zone_t *z,
    uint32_t n);
static uint64_t ngx_http_chat_room_epoch(ngx_http_chat_zone_t *z);


uint64_t
ngx_http_chat_room_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


uint32_t
ngx_http_chat_room_find(ngx_http_chat_zone_t *z, ngx_str_t *name,
    uint64_t *epoch)
{
    uint32_t  n, hash;

    hash = ngx_murmur_hash2(name->data, name->len);

    ngx_http_chat_zone_lock(z, hash);

    n = ngx_http_chat_room_find_locked(z, name, hash);

    if (n) {
        *epoch = ngx_http_chat_room(z, n)->epoch;
    }

    ngx_http_chat_zone_unlock(z, hash);

    return n;
}


ngx_int_t
ngx_http_chat_room_read(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_http_chat_cursor_t *cursor, u_char *buf, size_t size, size_t *used,
    size_t *need, uint64_t *gap, ngx_http_chat_room_view_t *view)
{
    uint32_t                  hash;
    ngx_int_t                 rc;
    ngx_http_chat_room_sh_t  *room;

    *used = 0;
    *gap = 0;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return NGX_ABORT;
    }

    hash = room->hash;

    ngx_http_chat_resident_heard_locked(z, room);
    ngx_http_chat_room_look_locked(z, room, view);

    if (cursor->seq < view->first_seq) {
        *gap = cursor->seq;
        cursor->seq = view->first_seq;
        cursor->block = 0;
    }

    if (cursor->passing == view->head.passing) {
        rc = ngx_http_chat_room_copy(z, room, cursor, buf, size, used, need);

    } else {
        rc = ngx_http_chat_room_merge(z, room, cursor, buf, size, used, need);

        /* it was found damaged, perhaps, and is empty now */

        view->first_passing = (uint16_t)
                         ngx_http_chat_log_state(&room->passing)->first_seq;
    }

    if (rc == NGX_ERROR) {
        *used = 0;
        ngx_http_chat_room_reset_locked(z, n);
    }

    ngx_http_chat_zone_unlock(z, hash);

    return rc;
}


/* Where no passing entry is to come in between. */

static ngx_int_t
ngx_http_chat_room_copy(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_cursor_t *cursor,
    u_char *buf, size_t size, size_t *used, size_t *need)
{
    ssize_t   len;
    uint64_t  end;

    end = ngx_http_chat_log_state(&room->log)->next_seq;

    if (cursor->seq >= end) {
        return NGX_OK;
    }

    len = ngx_http_chat_log_read_locked(z, &room->log, cursor, end, buf, size,
                                        need);
    if (len < 0) {
        return NGX_ERROR;
    }

    *used = len;

    return len ? NGX_OK : NGX_DECLINED;
}


/* Kept and passing entries in the order in which they came. */

static ngx_int_t
ngx_http_chat_room_merge(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_cursor_t *cursor,
    u_char *buf, size_t size, size_t *used, size_t *need)
{
    ssize_t                     len;
    uint64_t                    end;
    ngx_uint_t                  full;
    ngx_http_chat_cursor_t      p;

    ngx_http_chat_room_passing(z, room, cursor, &p);

    do {
        full = 0;
        end = ngx_http_chat_room_until(z, room, cursor, &p);

        if (cursor->seq < end) {
            len = ngx_http_chat_log_read_locked(z, &room->log, cursor, end,
                                                buf + *used, size - *used,
                                                need);
            if (len < 0) {
                return NGX_ERROR;
            }

            *used += len;
            full = (cursor->seq < end);
        }

        if (full
            || p.seq == ngx_http_chat_log_state(&room->passing)->next_seq)
        {
            break;
        }

        len = ngx_http_chat_room_pass_copy(z, room, cursor, &p, buf + *used,
                                           size - *used, need);
        *used += len;

        /* not if it was found damaged, and is empty now */

        full = (len == 0
                && p.seq != ngx_http_chat_log_state(&room->passing)->next_seq);

    } while (!full);

    return (full && *used == 0) ? NGX_DECLINED : NGX_OK;
}


/* The cursor's place in the passing log, looked for from the oldest entry on;
 * a damaged one is emptied. */

static void
ngx_http_chat_room_passing(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_cursor_t *cursor,
    ngx_http_chat_cursor_t *p)
{
    uint64_t                    back;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(&room->passing);

    back = (uint16_t) (st->next_seq - cursor->passing);
    back = ngx_min(back, st->next_seq - st->first_seq);

    p->seq = 0;
    p->block = 0;
    p->off = 0;

    if (ngx_http_chat_log_seek_locked(z, &room->passing, p,
                                      st->next_seq - back, (ngx_uint_t) -1)
        != NGX_OK)
    {
        ngx_http_chat_log_clear_locked(z, &room->passing);

        p->seq = ngx_http_chat_log_state(&room->passing)->next_seq;
    }

    cursor->passing = (uint16_t) p->seq;
}


/* Up to which kept entry none is passing. */

static uint64_t
ngx_http_chat_room_until(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_cursor_t *cursor,
    ngx_http_chat_cursor_t *p)
{
    int32_t                ahead;
    uint64_t               end;
    ngx_http_chat_entry_t  e;

    end = ngx_http_chat_log_state(&room->log)->next_seq;

    if (p->seq == ngx_http_chat_log_state(&room->passing)->next_seq) {
        return end;
    }

    if (ngx_http_chat_log_peek_locked(z, &room->passing, p, &e) != NGX_OK) {
        ngx_http_chat_log_clear_locked(z, &room->passing);

        p->seq = ngx_http_chat_log_state(&room->passing)->next_seq;
        cursor->passing = (uint16_t) p->seq;

        return end;
    }

    ahead = (int32_t) (e.sender - (uint32_t) cursor->seq);

    if (ahead <= 0) {
        return cursor->seq;
    }

    return ngx_min(end, cursor->seq + ahead);
}


/* One passing entry; its copy tells the place of the kept one behind it.  0:
 * it does not fit. */

static ssize_t
ngx_http_chat_room_pass_copy(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_cursor_t *cursor,
    ngx_http_chat_cursor_t *p, u_char *buf, size_t size, size_t *need)
{
    ssize_t                len;
    ngx_http_chat_entry_t  e;

    len = ngx_http_chat_log_read_locked(z, &room->passing, p, p->seq + 1, buf,
                                        size, need);
    if (len < 0) {
        /* its header was read just before: what it says of its length is */

        ngx_http_chat_log_clear_locked(z, &room->passing);

        p->seq = ngx_http_chat_log_state(&room->passing)->next_seq;
        len = 0;
    }

    cursor->passing = (uint16_t) p->seq;

    if (len == 0) {
        return 0;
    }

    ngx_memcpy(&e, buf, sizeof(ngx_http_chat_entry_t));

    e.flags |= NGX_HTTP_CHAT_ENTRY_PASSING;
    e.seq = cursor->seq;
    e.sender = cursor->passing;
    e.after_block = cursor->block;
    e.after_off = cursor->off;

    ngx_memcpy(buf, &e, sizeof(ngx_http_chat_entry_t));

    return len;
}


ngx_int_t
ngx_http_chat_room_seek(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    uint64_t seq, ngx_http_chat_cursor_t *cursor)
{
    uint32_t                    hash;
    ngx_int_t                   rc;
    ngx_http_chat_room_sh_t    *room;
    ngx_http_chat_log_state_t  *st;

    cursor->seq = 0;
    cursor->block = 0;
    cursor->off = 0;

    do {
        room = ngx_http_chat_room_lock(z, n, epoch);
        if (room == NULL) {
            return NGX_ABORT;
        }

        hash = room->hash;
        st = ngx_http_chat_log_state(&room->log);

        seq = ngx_min(ngx_max(seq, st->first_seq), st->next_seq);

        rc = ngx_http_chat_log_seek_locked(z, &room->log, cursor, seq,
                                           NGX_HTTP_CHAT_SEEK_STEPS);
        if (rc == NGX_ERROR) {
            ngx_http_chat_room_reset_locked(z, n);
        }

        ngx_http_chat_zone_unlock(z, hash);

    } while (rc == NGX_AGAIN);

    return rc;
}


ngx_int_t
ngx_http_chat_room_view(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_http_chat_room_view_t *view)
{
    uint32_t                  hash;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return NGX_ABORT;
    }

    hash = room->hash;

    ngx_http_chat_resident_heard_locked(z, room);
    ngx_http_chat_room_look_locked(z, room, view);

    ngx_http_chat_zone_unlock(z, hash);

    return NGX_OK;
}


void
ngx_http_chat_room_trim(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_uint_t lag)
{
    uint32_t                  hash;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return;
    }

    hash = room->hash;

    ngx_http_chat_room_trim_locked(z, room, lag);

    ngx_http_chat_zone_unlock(z, hash);
}


void
ngx_http_chat_room_trim_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_uint_t lag)
{
    uint64_t                    now;
    ngx_http_chat_log_state_t  *st;
    ngx_http_chat_retention_t   retention;

    now = ngx_http_chat_room_now();

    ngx_http_chat_room_kept(room, &retention);
    ngx_http_chat_log_trim_locked(z, &room->log, &retention, lag, now);

    if (ngx_http_chat_log_first(&room->passing) == 0) {
        return;
    }

    /* nothing of it is kept but for who lags, and no cursor has a place in it
     * that is not looked for */

    retention.messages = 0;
    retention.age = 0;
    retention.backlog = NGX_HTTP_CHAT_PASSING_BACKLOG;

    ngx_http_chat_log_trim_locked(z, &room->passing, &retention, lag, now);

    st = ngx_http_chat_log_state(&room->passing);

    if (st->first_seq == st->next_seq) {
        ngx_http_chat_log_clear_locked(z, &room->passing);
    }
}


size_t
ngx_http_chat_room_topic(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    u_char *buf, ngx_http_chat_room_settings_t *settings)
{
    u_char                   *p;
    uint16_t                  len;
    ngx_http_chat_room_sh_t  *room;

    ngx_memzero(settings, sizeof(ngx_http_chat_room_settings_t));

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return 0;
    }

    len = 0;

    if (room->topic && room->topic <= z->sh->nblocks) {
        p = ngx_http_chat_block(z, room->topic)->data;

        ngx_memcpy(&len, p, sizeof(uint16_t));
        len = (uint16_t) ngx_min(len, NGX_HTTP_CHAT_TOPIC_MAX);
        ngx_memcpy(buf, p + sizeof(uint16_t), len);
    }

    settings->flags = room->settings;
    settings->slow = room->slow;

    ngx_http_chat_zone_unlock(z, room->hash);

    settings->topic.data = buf;
    settings->topic.len = len;

    return len;
}


ngx_uint_t
ngx_http_chat_room_unread(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    uint64_t seq, ngx_uint_t max)
{
    uint32_t                    hash;
    ngx_int_t                   rc;
    ngx_uint_t                  count;
    ngx_http_chat_cursor_t      cursor;
    ngx_http_chat_room_sh_t    *room;
    ngx_http_chat_log_state_t  *st;

    count = 0;

    if (ngx_http_chat_room_seek(z, n, epoch, seq, &cursor) != NGX_OK) {
        return 0;
    }

    do {
        room = ngx_http_chat_room_lock(z, n, epoch);
        if (room == NULL) {
            return count;
        }

        hash = room->hash;
        st = ngx_http_chat_log_state(&room->log);

        if (cursor.seq < st->first_seq) {
            cursor.seq = st->first_seq;
        }

        rc = ngx_http_chat_log_count_locked(z, &room->log, &cursor, &count,
                                            max, NGX_HTTP_CHAT_SEEK_STEPS);
        if (rc == NGX_ERROR) {
            ngx_http_chat_room_reset_locked(z, n);
        }

        ngx_http_chat_zone_unlock(z, hash);

    } while (rc == NGX_AGAIN);

    return count;
}


size_t
ngx_http_chat_room_name_of(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, u_char *buf)
{
    size_t                    len;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return 0;
    }

    len = ngx_min(room->name_len, NGX_HTTP_CHAT_ROOM_NAME_MAX);
    ngx_memcpy(buf, room->name, len);

    ngx_http_chat_zone_unlock(z, room->hash);

    return len;
}


uint32_t
ngx_http_chat_room_find_locked(ngx_http_chat_zone_t *z, ngx_str_t *name,
    uint32_t hash)
{
    uint32_t                  n;
    ngx_http_chat_room_sh_t  *room;

    for (n = z->buckets[hash & (z->sh->nbuckets - 1)]; n; n = room->next) {
        room = ngx_http_chat_room(z, n);

        if (room->hash == hash
            && room->name_len == name->len
            && ngx_memcmp(room->name, name->data, name->len) == 0)
        {
            return n;
        }
    }

    return 0;
}


uint32_t
ngx_http_chat_room_make_locked(ngx_http_chat_zone_t *z, ngx_str_t *name,
    uint32_t hash)
{
    uint32_t                  n, *bucket;
    ngx_http_chat_room_sh_t  *room;

    n = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_ROOM);
    if (n == 0) {
        return 0;
    }

    bucket = &z->buckets[hash & (z->sh->nbuckets - 1)];
    room = ngx_http_chat_room(z, n);

    ngx_memzero(room, sizeof(ngx_http_chat_room_sh_t));

    room->next = *bucket;
    room->hash = hash;
    room->epoch = ngx_http_chat_room_epoch(z);
    room->name_len = (uint8_t) name->len;
    ngx_memcpy(room->name, name->data, name->len);

    ngx_http_chat_log_init_locked(&room->log);
    ngx_http_chat_log_init_locked(&room->passing);

    ngx_memory_barrier();

    *bucket = n;

    if (ngx_http_chat_evict_lock(z)) {
        ngx_http_chat_evict_link_locked(z, n);
    }

    ngx_http_chat_evict_unlock(z);

    return n;
}


void
ngx_http_chat_room_delete_locked(ngx_http_chat_zone_t *z, uint32_t n)
{
    uint32_t                 *p, topic;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    if (ngx_http_chat_evict_lock(z)) {
        ngx_http_chat_evict_unlink_locked(z, n);
    }

    ngx_http_chat_evict_unlock(z);

    for (p = &z->buckets[room->hash & (z->sh->nbuckets - 1)];
         *p && *p != n;
         p = &ngx_http_chat_room(z, *p)->next)
    {
        /* void */
    }

    if (*p == n) {
        *p = room->next;
    }

    ngx_memory_barrier();

    ngx_http_chat_change_cancel_locked(z, n);
    ngx_http_chat_log_clear_locked(z, &room->log);
    ngx_http_chat_log_clear_locked(z, &room->passing);
    ngx_http_chat_occupant_clear_locked(z, n);
    ngx_http_chat_resident_clear_locked(z, room);

    topic = room->topic;
    room->topic = 0;

    if (topic) {
        ngx_memory_barrier();
        ngx_http_chat_block_free(z, topic, topic, 1);
    }

    room->epoch = 0;

    ngx_http_chat_block_free(z, n, n, 1);
}


ngx_http_chat_room_sh_t *
ngx_http_chat_room_lock(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch)
{
    uint32_t                  hash;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);
    hash = room->hash;

    ngx_http_chat_zone_lock(z, hash);

    if (ngx_http_chat_block(z, n)->kind == NGX_HTTP_CHAT_BLOCK_ROOM
        && room->hash == hash
        && room->epoch == epoch)
    {
        ngx_http_chat_room_settle_locked(z, n);
        return room;
    }

    ngx_http_chat_zone_unlock(z, hash);

    return NULL;
}


void
ngx_http_chat_room_settle_locked(ngx_http_chat_zone_t *z, uint32_t n)
{
    uint32_t                      o;
    uint64_t                      next_seq;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_occupant_sh_t  *oc;

    room = ngx_http_chat_room(z, n);

    if (!(room->unsure | room->intent | room->log.amending
          | room->passing.amending))
    {
        return;
    }

    next_seq = ngx_http_chat_log_state(&room->log)->next_seq;

    if (room->log.amending) {
        ngx_http_chat_amend_settle_locked(z, &room->log);
    }

    room->passing.amending = 0;

    o = room->unsure;

    if (o && (o >> 1) <= z->sh->nblocks) {
        oc = ngx_http_chat_occupant(z, o);

        if (ngx_http_chat_block(z, o >> 1)->kind == NGX_HTTP_CHAT_BLOCK_PEOPLE
            && oc->user_len && oc->room == n)
        {
            ngx_http_chat_nonce_undo_locked(z, o, next_seq);
        }

        ngx_memory_barrier();
    }

    room->unsure = 0;

    if (room->intent == 0) {
        return;
    }

    if (ngx_http_chat_change_is_sure(z, room)) {
        (void) ngx_http_chat_change_apply_locked(z, n);

    } else {
        ngx_http_chat_change_cancel_locked(z, n);
    }
}


void
ngx_http_chat_room_keep_locked(ngx_http_chat_room_sh_t *room,
    ngx_http_chat_retention_t *retention)
{
    room->messages = (uint32_t) retention->messages;
    room->age = retention->age;
    room->backlog = (uint32_t) ngx_min(retention->backlog, 0xffffffff);
    room->idle = (uint32_t) (retention->idle / 1000);
    room->window = (uint32_t) (retention->window / 1000);
}


static void
ngx_http_chat_room_kept(ngx_http_chat_room_sh_t *room,
    ngx_http_chat_retention_t *retention)
{
    retention->messages = room->messages;
    retention->age = (ngx_msec_t) room->age;
    retention->backlog = (size_t) room->backlog;
    retention->idle = (ngx_msec_t) room->idle * 1000;
    retention->window = (ngx_msec_t) room->window * 1000;
}


void
ngx_http_chat_room_look_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_room_view_t *view)
{
    ngx_http_chat_log_state_t  *st, *pst;
    ngx_http_chat_retention_t   retention;

    /* nobody is shown what has become too old since the last append */

    ngx_http_chat_room_trim_locked(z, room, room->members);

    st = ngx_http_chat_log_state(&room->log);
    pst = ngx_http_chat_log_state(&room->passing);

    ngx_http_chat_room_kept(room, &retention);

    view->epoch = room->epoch;
    view->next_seq = st->next_seq;
    view->first_seq = st->first_seq;
    view->visible_seq = ngx_http_chat_log_visible_locked(&room->log,
                                                         &retention);
    view->members = room->members;
    view->users = room->users;
    view->changes = room->changes;
    view->head.seq = st->next_seq;
    view->head.block = st->last_block;
    view->head.off = st->last_off;
    view->head.passing = (uint16_t) pst->next_seq;
    view->first_passing = (uint16_t) pst->first_seq;
}


void
ngx_http_chat_room_reset_locked(ngx_http_chat_zone_t *z, uint32_t n)
{
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    room->epoch = ngx_http_chat_room_epoch(z);
    room->unsure = 0;

    /* nobody will be told of this room again who is not told now */

    ngx_http_chat_resident_reset_locked(z, room);
    ngx_http_chat_room_reset_people(z, n);

    ngx_http_chat_log_init_locked(&room->log);
    ngx_http_chat_log_init_locked(&room->passing);

    z->sh->leaks = 1;
}


/* Nobody is there; whom there is something to know of is known. */

static void
ngx_http_chat_room_reset_people(ngx_http_chat_zone_t *z, uint32_t n)
{
    uint32_t                      o, next;
    ngx_uint_t                    slot;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_occupant_sh_t  *oc;

    room = ngx_http_chat_room(z, n);

    if (ngx_http_chat_change_apply_locked(z, n) != NGX_OK) {
        ngx_http_chat_change_cancel_locked(z, n);
    }

    next = ngx_http_chat_occupant_next_locked(z, n, 0);

    while (next) {
        o = next;
        next = ngx_http_chat_occupant_next_locked(z, n, o);

        for (slot = 0; slot < z->sh->nslots; slot++) {
            (void) ngx_http_chat_occupant_reap_locked(z, o, slot);
        }

        ngx_http_chat_nonce_clear_locked(z, o);

        oc = ngx_http_chat_occupant(z, o);
        oc->flags &= ~NGX_HTTP_CHAT_OCCUPANT_COUNTED;
        oc->due = 0;
        oc->read = 0;

        (void) ngx_http_chat_occupant_forget_locked(z, o,
                                               ngx_http_chat_room_now(), 0);
    }

    room->users = 0;
}


static uint64_t
ngx_http_chat_room_epoch(ngx_http_chat_zone_t *z)
{
    uint64_t  n;

    n = (uint64_t) ngx_atomic_fetch_add(&z->sh->life, 1) + 1;

    /* an odd factor: n and the product are one to one, so no epoch recurs */

    n = z->sh->seed + n * 0x9e3779b97f4a7c15ULL;

    return n ? n : 1;
}
