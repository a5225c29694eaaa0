
#include "ngx_http_chat_member.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_notify.h"


#define NGX_HTTP_CHAT_RAW_PREFIX  0x01


static uint32_t ngx_http_chat_member_room(ngx_http_chat_session_t *s,
    ngx_str_t *room, ngx_http_chat_room_view_t *view);
static ngx_http_chat_local_t *ngx_http_chat_local_get(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_str_t *name, uint64_t epoch);
static ngx_http_chat_member_t *ngx_http_chat_local_add(
    ngx_http_chat_local_t *local);
static void ngx_http_chat_local_free(ngx_http_chat_local_t *local);
static ngx_int_t ngx_http_chat_joined_add(ngx_http_chat_session_t *s);


ngx_int_t
ngx_http_chat_member_join(ngx_http_chat_session_t *s, ngx_str_t *room,
    ngx_http_chat_room_view_t *view, ngx_http_chat_member_t **mp)
{
    uint32_t                 n;
    ngx_int_t                place;
    ngx_http_chat_local_t   *local;
    ngx_http_chat_member_t  *m;

    if (ngx_http_chat_member_find(s, room)) {
        return NGX_BUSY;
    }

    place = ngx_http_chat_joined_add(s);
    if (place < 0) {
        return NGX_ERROR;
    }

    n = ngx_http_chat_member_room(s, room, view);
    if (n == 0) {
        return NGX_DECLINED;
    }

    local = ngx_http_chat_local_get(s->zone, n, room, view->epoch);

    m = local ? ngx_http_chat_local_add(local) : NULL;

    if (m == NULL) {
        ngx_http_chat_room_leave(s->zone, n, view->epoch);

        if (local && local->nmembers == 0) {
            ngx_http_chat_local_free(local);
        }

        return NGX_ERROR;
    }

    local->delay = s->settings->delay;
    local->next_seq = ngx_max(local->next_seq, view->next_seq);

    m->session = s;
    m->cursor = view->head;
    m->fd = s->connection->fd;
    m->joined = (uint16_t) place;
    m->form = s->framer;
    m->flags = 0;

    if (s->tls || s->out) {
        m->flags |= NGX_HTTP_CHAT_MEMBER_SLOW;
    }

    if (s->blocked || s->closing || s->dead) {
        m->flags |= NGX_HTTP_CHAT_MEMBER_BLOCKED;
    }

    s->joined[place].local = local;
    s->joined[place].index = local->nmembers - 1;
    s->njoined++;

    *mp = m;

    return NGX_OK;
}


/*
 * What a room keeps can be read in one protocol only, so each has rooms of
 * its own: in shared memory the names of those of raw mode begin with a byte
 * that no name may have.
 */

static uint32_t
ngx_http_chat_member_room(ngx_http_chat_session_t *s, ngx_str_t *room,
    ngx_http_chat_room_view_t *view)
{
    u_char     buf[NGX_HTTP_CHAT_ROOM_NAME_MAX];
    ngx_str_t  name;

    name = *room;

    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW) {

        if (room->len >= NGX_HTTP_CHAT_ROOM_NAME_MAX) {
            return 0;
        }

        name.data = buf;
        name.len = room->len + 1;

        buf[0] = NGX_HTTP_CHAT_RAW_PREFIX;
        ngx_memcpy(buf + 1, room->data, room->len);
    }

    return ngx_http_chat_room_join(s->zone, &name, &s->settings->retention,
                                   view);
}


ngx_http_chat_member_t *
ngx_http_chat_member_find(ngx_http_chat_session_t *s, ngx_str_t *room)
{
    ngx_uint_t              i;
    ngx_http_chat_local_t  *local;

    for (i = 0; i < s->joined_size; i++) {
        local = s->joined[i].local;

        if (local
            && local->name.len == room->len
            && ngx_memcmp(local->name.data, room->data, room->len) == 0)
        {
            return &local->members[s->joined[i].index];
        }
    }

    return NULL;
}


void
ngx_http_chat_member_leave(ngx_http_chat_member_t *m)
{
    uint32_t                 index;
    ngx_http_chat_local_t   *local;
    ngx_http_chat_member_t  *last;
    ngx_http_chat_joined_t  *joined;

    ngx_http_chat_member_count(m);

    joined = &m->session->joined[m->joined];
    local = joined->local;
    index = joined->index;

    joined->local = NULL;
    m->session->njoined--;

    last = &local->members[--local->nmembers];

    if (last != m) {
        *m = *last;
        m->session->joined[m->joined].index = index;
    }

    /*
     * A walk goes downwards, so the one that was moved here has been visited
     * or is visited twice, and none is left out.
     */

    local->walk = ngx_min(local->walk, local->nmembers);

    ngx_http_chat_room_leave(local->zone, ngx_http_chat_local_room(local),
                             local->epoch);

    if (local->nmembers == 0) {
        ngx_http_chat_local_free(local);
    }
}


void
ngx_http_chat_member_leave_all(ngx_http_chat_session_t *s)
{
    ngx_uint_t               i;
    ngx_http_chat_member_t  *m;

    for (i = 0; i < s->joined_size; i++) {
        m = ngx_http_chat_session_member(s, i);

        if (m) {
            ngx_http_chat_member_leave(m);
        }
    }
}


void
ngx_http_chat_member_set(ngx_http_chat_session_t *s, ngx_uint_t flag)
{
    ngx_uint_t               i;
    ngx_http_chat_member_t  *m;

    for (i = 0; i < s->joined_size; i++) {
        m = ngx_http_chat_session_member(s, i);

        if (m) {
            m->flags |= (uint8_t) flag;
        }
    }
}


void
ngx_http_chat_member_clear(ngx_http_chat_session_t *s, ngx_uint_t flag)
{
    ngx_uint_t               i;
    ngx_http_chat_member_t  *m;

    for (i = 0; i < s->joined_size; i++) {
        m = ngx_http_chat_session_member(s, i);

        if (m) {
            m->flags &= (uint8_t) ~flag;
        }
    }
}


void
ngx_http_chat_member_count(ngx_http_chat_member_t *m)
{
    m->session->bytes_out += m->bytes;
    m->session->messages_out += m->messages;

    m->bytes = 0;
    m->messages = 0;
}


/* A free place in the session's list, which grows as needed; < 0: no memory. */

static ngx_int_t
ngx_http_chat_joined_add(ngx_http_chat_session_t *s)
{
    ngx_uint_t               i, n;
    ngx_http_chat_joined_t  *joined;

    for (i = 0; i < s->joined_size; i++) {
        if (s->joined[i].local == NULL) {
            return i;
        }
    }

    n = 2 * s->joined_size;

    joined = ngx_calloc(n * sizeof(ngx_http_chat_joined_t),
                        s->connection->log);
    if (joined == NULL) {
        return -1;
    }

    ngx_memcpy(joined, s->joined,
               s->joined_size * sizeof(ngx_http_chat_joined_t));

    if (s->joined != &s->joined0) {
        ngx_free(s->joined);
    }

    s->joined = joined;
    s->joined_size = (uint16_t) n;

    return i;
}


static ngx_http_chat_local_t *
ngx_http_chat_local_get(ngx_http_chat_zone_t *z, uint32_t n, ngx_str_t *name,
    uint64_t epoch)
{
    ngx_http_chat_local_t   *local;
    ngx_http_chat_worker_t  *worker;

    local = ngx_http_chat_worker_room(z, n);

    if (local) {

        /*
         * Another epoch: the room was found damaged and began anew, and our
         * members in it have not been told yet.  They are, by the next walk.
         */

        return local->epoch == epoch ? local : NULL;
    }

    local = ngx_calloc(sizeof(ngx_http_chat_local_t) + name->len,
                       ngx_cycle->log);
    if (local == NULL) {
        return NULL;
    }

    worker = z->worker;

    local->node.key = n;
    local->zone = z;
    local->epoch = epoch;
    local->name.len = name->len;
    local->name.data = (u_char *) local + sizeof(ngx_http_chat_local_t);
    ngx_memcpy(local->name.data, name->data, name->len);

    ngx_queue_init(&local->runs);
    ngx_http_chat_deliver_prepare(local);

    ngx_rbtree_insert(&worker->rooms, &local->node);

    return local;
}


static void
ngx_http_chat_local_free(ngx_http_chat_local_t *local)
{
    ngx_http_chat_worker_t  *worker;

    worker = local->zone->worker;

    ngx_http_chat_deliver_forget(local);
    ngx_http_chat_run_release(local);

    ngx_rbtree_delete(&worker->rooms, &local->node);

    if (local->members) {
        ngx_free(local->members);
    }

    ngx_free(local);
}


/* One more element, cleared, at the array's end. */

static ngx_http_chat_member_t *
ngx_http_chat_local_add(ngx_http_chat_local_t *local)
{
    uint32_t                 size;
    ngx_http_chat_member_t  *members, *m;

    if (local->nmembers == local->size) {

        /* by a half: large rooms waste less than by doubling */

        size = local->size + ngx_max(local->size / 2, 2);

        members = ngx_alloc(size * sizeof(ngx_http_chat_member_t),
                            ngx_cycle->log);
        if (members == NULL) {
            return NULL;
        }

        if (local->members) {
            ngx_memcpy(members, local->members,
                       local->nmembers * sizeof(ngx_http_chat_member_t));
            ngx_free(local->members);
        }

        local->members = members;
        local->size = size;
    }

    m = &local->members[local->nmembers++];

    ngx_memzero(m, sizeof(ngx_http_chat_member_t));

    return m;
}
