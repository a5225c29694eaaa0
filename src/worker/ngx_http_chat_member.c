
#include "ngx_http_chat_member.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_notify.h"
#include "ngx_http_chat_presence.h"

#include "chat_ws.h"


#define NGX_HTTP_CHAT_RAW_PREFIX  0x01

/* By place, of a session that is limited somewhere; NULL = not there. */
#define ngx_http_chat_allowances(s)                                           \
    ((ngx_http_chat_allowance_t **) ((s)->joined + (s)->joined_size))


static ngx_int_t ngx_http_chat_member_room(ngx_http_chat_session_t *s,
    ngx_str_t *room, const char *role, uint32_t *n, uint32_t *occupant,
    ngx_http_chat_room_view_t *view);
static ngx_int_t ngx_http_chat_member_room_raw(ngx_http_chat_session_t *s,
    ngx_str_t *room, uint32_t *n, ngx_http_chat_room_view_t *view);
static ngx_int_t ngx_http_chat_member_add(ngx_http_chat_session_t *s,
    ngx_str_t *room, uint32_t n, uint32_t occupant,
    ngx_http_chat_room_view_t *view, ngx_http_chat_member_t **m);
static void ngx_http_chat_member_remove(ngx_http_chat_member_t *m);
static void ngx_http_chat_member_left(ngx_http_chat_session_t *s, uint32_t n,
    uint64_t epoch, uint32_t occupant);
static ngx_http_chat_local_t *ngx_http_chat_local_get(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_str_t *name, ngx_http_chat_room_view_t *view);
static ngx_http_chat_member_t *ngx_http_chat_local_add(
    ngx_http_chat_local_t *local);
static void ngx_http_chat_local_free(ngx_http_chat_local_t *local);
static ngx_int_t ngx_http_chat_joined_add(ngx_http_chat_session_t *s);
static ngx_int_t ngx_http_chat_joined_resize(ngx_http_chat_session_t *s,
    ngx_uint_t n, ngx_uint_t limited);
static void ngx_http_chat_allowance_free(ngx_http_chat_session_t *s,
    ngx_uint_t place);
static void ngx_http_chat_inbox_insert(ngx_http_chat_session_t *s,
    ngx_http_chat_inbox_t *inbox);
static void ngx_http_chat_inbox_name(ngx_http_chat_session_t *s,
    ngx_str_t *room, u_char *buf);
static ngx_http_chat_inbox_t *ngx_http_chat_inbox_rouse(
    ngx_http_chat_session_t *s, uint32_t *n);
static ngx_http_chat_member_t *ngx_http_chat_inbox_awake(
    ngx_http_chat_session_t *s);
static ngx_http_chat_inbox_t *ngx_http_chat_inbox_next(
    ngx_http_chat_zone_t *z, uint32_t key);


ngx_int_t
ngx_http_chat_member_join(ngx_http_chat_session_t *s, ngx_str_t *room,
    const char *role, ngx_http_chat_room_view_t *view,
    ngx_http_chat_member_t **mp)
{
    uint32_t   n, occupant;
    ngx_int_t  rc;

    if (ngx_http_chat_member_find(s, room)) {
        return NGX_BUSY;
    }

    occupant = 0;

    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW) {
        rc = ngx_http_chat_member_room_raw(s, room, &n, view);

    } else {
        rc = ngx_http_chat_member_room(s, room, role, &n, &occupant, view);
    }

    if (rc != NGX_OK) {
        return (rc == NGX_BUSY) ? NGX_DONE : rc;
    }

    rc = ngx_http_chat_member_add(s, room, n, occupant, view, mp);

    if (rc != NGX_OK) {
        ngx_http_chat_member_left(s, n, view->epoch, occupant);
        return rc;
    }

    ngx_http_chat_run_seen(ngx_http_chat_member_local(*mp), view);

    return NGX_OK;
}


/*
 * What a room keeps can be read in one protocol only, so each has rooms of
 * its own: in shared memory the names of those of raw mode begin with a byte
 * that no name may have.
 */

static ngx_int_t
ngx_http_chat_member_room_raw(ngx_http_chat_session_t *s, ngx_str_t *room,
    uint32_t *n, ngx_http_chat_room_view_t *view)
{
    u_char      buf[NGX_HTTP_CHAT_ROOM_NAME_MAX];
    uint32_t    occupant;
    ngx_str_t   name;

    if (room->len >= NGX_HTTP_CHAT_ROOM_NAME_MAX) {
        return NGX_DECLINED;
    }

    name.data = buf;
    name.len = room->len + 1;

    buf[0] = NGX_HTTP_CHAT_RAW_PREFIX;
    ngx_memcpy(buf + 1, room->data, room->len);

    return ngx_http_chat_room_join(s->zone, &name, &s->settings->retention,
                                   NULL, s->settings->room_members, NULL, n,
                                   &occupant, view);
}


static ngx_int_t
ngx_http_chat_member_room(ngx_http_chat_session_t *s, ngx_str_t *room,
    const char *role, uint32_t *n, uint32_t *occupant,
    ngx_http_chat_room_view_t *view)
{
    ngx_int_t                  rc;
    ngx_uint_t                 max;
    ngx_http_chat_person_t     person;
    ngx_http_chat_announce_t   announce, *told;

    told = NULL;
    max = 0;

    ngx_http_chat_session_person(s, &person);

    if (room->data[0] != '@') {
        told = &announce;
        max = s->settings->room_members;

        ngx_http_chat_presence_joined(s, room, role, told);
    }

    rc = ngx_http_chat_room_join(s->zone, room, &s->settings->retention,
                                 &person, max, told, n, occupant, view);

    if (rc == NGX_OK && told) {
        ngx_http_chat_presence_told(s->zone, *n, view->epoch, told);
    }

    return rc;
}


/* The session's member at the view's head, in this worker's memory. */

static ngx_int_t
ngx_http_chat_member_add(ngx_http_chat_session_t *s, ngx_str_t *room,
    uint32_t n, uint32_t occupant, ngx_http_chat_room_view_t *view,
    ngx_http_chat_member_t **mp)
{
    ngx_int_t                place;
    ngx_http_chat_local_t   *local;
    ngx_http_chat_member_t  *m;

    place = ngx_http_chat_joined_add(s);
    if (place < 0) {
        return NGX_ERROR;
    }

    local = ngx_http_chat_local_get(s->zone, n, room, view);
    if (local == NULL) {
        return NGX_ERROR;
    }

    m = ngx_http_chat_local_add(local);
    if (m == NULL) {

        if (local->nmembers == 0) {
            ngx_http_chat_local_free(local);
        }

        return NGX_ERROR;
    }

    local->delay = s->settings->delay;

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
    s->joined[place].occupant = occupant;

    if (!local->inbox) {
        s->njoined++;
    }

    *mp = m;

    return NGX_OK;
}


ngx_http_chat_member_t *
ngx_http_chat_member_find(ngx_http_chat_session_t *s, ngx_str_t *room)
{
    ngx_uint_t              i;
    ngx_http_chat_local_t  *local;

    if (s->inboxed
        && room->len == (size_t) s->user_len + 1
        && room->data[0] == '@'
        && ngx_memcmp(room->data + 1, ngx_http_chat_session_user(s),
                      s->user_len)
           == 0)
    {
        return ngx_http_chat_inbox_member(s);
    }

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
    uint32_t                  n, occupant;
    uint64_t                  epoch;
    ngx_http_chat_local_t    *local;
    ngx_http_chat_session_t  *s;

    s = m->session;
    local = ngx_http_chat_member_local(m);
    occupant = ngx_http_chat_member_occupant(m);

    n = ngx_http_chat_local_room(local);
    epoch = local->epoch;

    ngx_http_chat_member_remove(m);

    if (local->nmembers == 0) {
        ngx_http_chat_local_free(local);
    }

    ngx_http_chat_member_left(s, n, epoch, occupant);
}


/* Out of this worker's memory. */

static void
ngx_http_chat_member_remove(ngx_http_chat_member_t *m)
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

    ngx_http_chat_allowance_free(m->session, m->joined);

    if (!local->inbox) {
        m->session->njoined--;
    }

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
}


/* One member of the session less in shared memory. */

static void
ngx_http_chat_member_left(ngx_http_chat_session_t *s, uint32_t n,
    uint64_t epoch, uint32_t occupant)
{
    ngx_str_t  user;

    if (ngx_http_chat_room_leave(s->zone, n, epoch, occupant,
                                 s->settings->leave_delay)
        == 0)
    {
        return;
    }

    user.data = ngx_http_chat_session_user(s);
    user.len = s->user_len;

    ngx_http_chat_presence_away(s->zone, n, epoch, s->settings, &user);
}


void
ngx_http_chat_member_leave_all(ngx_http_chat_session_t *s)
{
    uint32_t                 n;
    ngx_uint_t               i;
    ngx_http_chat_inbox_t   *inbox;
    ngx_http_chat_member_t  *m;

    for (i = 0; i < s->joined_size; i++) {
        m = ngx_http_chat_session_member(s, i);

        if (m) {
            ngx_http_chat_member_leave(m);
        }
    }

    if (s->inboxed) {
        inbox = ngx_http_chat_inbox_rouse(s, &n);

        ngx_http_chat_member_left(s, n, inbox->epoch, inbox->occupant);
    }
}


void
ngx_http_chat_member_leave_gone(ngx_http_chat_session_t *s)
{
    ngx_uint_t               i;
    ngx_http_chat_member_t  *m;

    s->expelled = 0;

    for (i = 0; i < s->joined_size; i++) {
        m = ngx_http_chat_session_member(s, i);

        if (m && (m->flags & NGX_HTTP_CHAT_MEMBER_GONE)) {
            ngx_http_chat_member_leave(m);
        }
    }
}


ngx_int_t
ngx_http_chat_inbox_open(ngx_http_chat_session_t *s)
{
    ngx_int_t                   rc;
    uint32_t                    n, occupant;
    ngx_str_t                   room;
    ngx_http_chat_inbox_t      *inbox;
    ngx_http_chat_room_view_t   view;
    u_char                      buf[NGX_HTTP_CHAT_ROOM_NAME_MAX];

    ngx_http_chat_inbox_name(s, &room, buf);

    rc = ngx_http_chat_member_room(s, &room, NULL, &n, &occupant, &view);

    if (rc != NGX_OK) {
        return rc;
    }

    inbox = ngx_http_chat_session_inbox(s);

    inbox->node.key = n;
    inbox->epoch = view.epoch;
    inbox->cursor = view.head;
    inbox->occupant = occupant;
    inbox->changes = (uint16_t) view.changes;

    ngx_http_chat_inbox_insert(s, inbox);

    ngx_http_chat_presence_profile(s, n, view.epoch, occupant);

    return NGX_OK;
}


static void
ngx_http_chat_inbox_insert(ngx_http_chat_session_t *s,
    ngx_http_chat_inbox_t *inbox)
{
    ngx_http_chat_worker_t  *worker;

    worker = s->zone->worker;

    inbox->offset = s->tail;
    s->inboxed = 1;

    ngx_rbtree_insert(&worker->inboxes, &inbox->node);
}


static void
ngx_http_chat_inbox_name(ngx_http_chat_session_t *s, ngx_str_t *room,
    u_char *buf)
{
    buf[0] = '@';
    ngx_memcpy(buf + 1, ngx_http_chat_session_user(s), s->user_len);

    room->data = buf;
    room->len = 1 + s->user_len;
}


/* It is not asleep any more, and nothing else yet. */

static ngx_http_chat_inbox_t *
ngx_http_chat_inbox_rouse(ngx_http_chat_session_t *s, uint32_t *n)
{
    ngx_http_chat_inbox_t   *inbox;
    ngx_http_chat_worker_t  *worker;

    worker = s->zone->worker;
    inbox = ngx_http_chat_session_inbox(s);

    *n = (uint32_t) inbox->node.key;    /* deleting clears it */

    ngx_rbtree_delete(&worker->inboxes, &inbox->node);
    s->inboxed = 0;

    return inbox;
}


static ngx_http_chat_member_t *
ngx_http_chat_inbox_awake(ngx_http_chat_session_t *s)
{
    uint32_t                    n;
    ngx_str_t                   room;
    ngx_http_chat_inbox_t      *inbox;
    ngx_http_chat_member_t     *m;
    ngx_http_chat_room_view_t   view;
    u_char                      buf[NGX_HTTP_CHAT_ROOM_NAME_MAX];

    inbox = ngx_http_chat_inbox_rouse(s, &n);

    ngx_http_chat_inbox_name(s, &room, buf);

    ngx_memzero(&view, sizeof(view));

    view.epoch = inbox->epoch;
    view.next_seq = inbox->cursor.seq;
    view.changes = inbox->changes;
    view.head = inbox->cursor;

    if (ngx_http_chat_member_add(s, &room, n, inbox->occupant, &view, &m)
        == NGX_OK)
    {
        /* what has changed since then is found by the next look */

        ngx_http_chat_member_local(m)->changes--;
        ngx_http_chat_deliver_room(ngx_http_chat_member_local(m));

        return m;
    }

    ngx_http_chat_member_left(s, n, inbox->epoch, inbox->occupant);
    ngx_http_chat_session_close(s, CHAT_WS_RESTART, "the inbox was lost");

    return NULL;
}


ngx_http_chat_member_t *
ngx_http_chat_inbox_member(ngx_http_chat_session_t *s)
{
    ngx_uint_t              i;
    ngx_http_chat_local_t  *local;

    if (s->inboxed) {
        return ngx_http_chat_inbox_awake(s);
    }

    for (i = 0; i < s->joined_size; i++) {
        local = s->joined[i].local;

        if (local && local->inbox) {
            return &local->members[s->joined[i].index];
        }
    }

    return NULL;
}


void
ngx_http_chat_inbox_wake(ngx_http_chat_zone_t *z, uint32_t room)
{
    u_char                 *p;
    ngx_http_chat_inbox_t  *inbox;

    for ( ;; ) {
        inbox = ngx_http_chat_inbox_next(z, room);

        if (inbox == NULL || inbox->node.key != room) {
            return;
        }

        p = (u_char *) inbox - inbox->offset;

        (void) ngx_http_chat_inbox_awake((ngx_http_chat_session_t *) p);
    }
}


void
ngx_http_chat_inbox_sleep(ngx_http_chat_local_t *local)
{
    ngx_uint_t                i;
    ngx_http_chat_inbox_t    *inbox;
    ngx_http_chat_member_t   *m;
    ngx_http_chat_session_t  *s;

    if (local->queued || local->wait.timer_set) {
        return;
    }

    for (i = local->nmembers; i--; /* void */) {
        m = &local->members[i];
        s = m->session;

        if ((m->flags & NGX_HTTP_CHAT_MEMBER_BLOCKED)
            || m->cursor.seq < local->next_seq
            || m->cursor.passing != local->passing)
        {
            continue;
        }

        inbox = ngx_http_chat_session_inbox(s);

        inbox->node.key = local->node.key;
        inbox->epoch = local->epoch;
        inbox->cursor = m->cursor;
        inbox->occupant = ngx_http_chat_member_occupant(m);
        inbox->changes = (uint16_t) local->changes;

        ngx_http_chat_member_remove(m);
        ngx_http_chat_inbox_insert(s, inbox);
    }

    if (local->nmembers == 0) {
        ngx_http_chat_local_free(local);
    }
}


uint32_t
ngx_http_chat_inbox_look(ngx_http_chat_zone_t *z, uint32_t key)
{
    uint32_t                    room;
    ngx_int_t                   rc;
    ngx_rbtree_node_t          *node;
    ngx_http_chat_inbox_t      *inbox;
    ngx_http_chat_worker_t     *worker;
    ngx_http_chat_room_view_t   view;

    inbox = ngx_http_chat_inbox_next(z, key);

    if (inbox == NULL) {
        return 0;
    }

    worker = z->worker;
    room = (uint32_t) inbox->node.key;

    rc = ngx_http_chat_room_view(z, room, inbox->epoch, &view);

    for (node = &inbox->node;
         node && node->key == room;
         node = ngx_rbtree_next(&worker->inboxes, node))
    {
        inbox = (ngx_http_chat_inbox_t *) node;

        if (rc != NGX_OK
            || inbox->epoch != view.epoch
            || inbox->changes != (uint16_t) view.changes
            || !ngx_http_chat_cursor_same(&inbox->cursor, &view.head))
        {
            ngx_http_chat_inbox_wake(z, room);
            break;
        }
    }

    return room;
}


/* The leftmost one whose room's index is not below key, or NULL. */

static ngx_http_chat_inbox_t *
ngx_http_chat_inbox_next(ngx_http_chat_zone_t *z, uint32_t key)
{
    ngx_rbtree_node_t       *node, *found;
    ngx_http_chat_worker_t  *worker;

    worker = z->worker;

    found = NULL;
    node = worker->inboxes.root;

    while (node != worker->inboxes.sentinel) {

        if (node->key < key) {
            node = node->right;
            continue;
        }

        found = node;
        node = node->left;
    }

    return (ngx_http_chat_inbox_t *) found;
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
    ngx_uint_t  i;

    for (i = 0; i < s->joined_size; i++) {
        if (s->joined[i].local == NULL) {
            return i;
        }
    }

    if (ngx_http_chat_joined_resize(s, 2 * s->joined_size, s->limited)
        != NGX_OK)
    {
        return -1;
    }

    return i;
}


static ngx_int_t
ngx_http_chat_joined_resize(ngx_http_chat_session_t *s, ngx_uint_t n,
    ngx_uint_t limited)
{
    size_t                   size;
    ngx_http_chat_joined_t  *joined;

    size = sizeof(ngx_http_chat_joined_t);

    if (limited) {
        size += sizeof(ngx_http_chat_allowance_t *);
    }

    joined = ngx_calloc(n * size, s->connection->log);
    if (joined == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(joined, s->joined,
               s->joined_size * sizeof(ngx_http_chat_joined_t));

    if (s->limited) {
        ngx_memcpy(joined + n, s->joined + s->joined_size,
                   s->joined_size * sizeof(ngx_http_chat_allowance_t *));
    }

    if (s->joined != &s->joined0) {
        ngx_free(s->joined);
    }

    s->joined = joined;
    s->joined_size = (uint16_t) n;
    s->limited = limited;

    return NGX_OK;
}


ngx_http_chat_allowance_t *
ngx_http_chat_member_allowance(ngx_http_chat_member_t *m)
{
    ngx_http_chat_session_t  *s;

    s = m->session;

    return s->limited ? ngx_http_chat_allowances(s)[m->joined] : NULL;
}


ngx_http_chat_allowance_t *
ngx_http_chat_member_limit(ngx_http_chat_member_t *m)
{
    ngx_http_chat_session_t    *s;
    ngx_http_chat_allowance_t  *allowance;

    s = m->session;

    if (!s->limited
        && ngx_http_chat_joined_resize(s, s->joined_size, 1) != NGX_OK)
    {
        return NULL;
    }

    allowance = ngx_calloc(sizeof(ngx_http_chat_allowance_t),
                           s->connection->log);

    ngx_http_chat_allowances(s)[m->joined] = allowance;

    return allowance;
}


static void
ngx_http_chat_allowance_free(ngx_http_chat_session_t *s, ngx_uint_t place)
{
    ngx_http_chat_allowance_t  **allowance;

    if (!s->limited) {
        return;
    }

    allowance = &ngx_http_chat_allowances(s)[place];

    if (*allowance) {
        ngx_free(*allowance);
        *allowance = NULL;
    }
}


static ngx_http_chat_local_t *
ngx_http_chat_local_get(ngx_http_chat_zone_t *z, uint32_t n, ngx_str_t *name,
    ngx_http_chat_room_view_t *view)
{
    ngx_http_chat_local_t   *local;
    ngx_http_chat_worker_t  *worker;

    local = ngx_http_chat_worker_room(z, n);

    if (local) {

        /*
         * Another epoch: the room was found damaged and began anew, and our
         * members in it have not been told yet.  They are, by the next walk.
         */

        return local->epoch == view->epoch ? local : NULL;
    }

    local = ngx_calloc(sizeof(ngx_http_chat_local_t) + name->len,
                       ngx_cycle->log);
    if (local == NULL) {
        return NULL;
    }

    worker = z->worker;

    local->node.key = n;
    local->zone = z;
    local->epoch = view->epoch;
    local->next_seq = view->next_seq;
    local->passing = view->head.passing;
    local->changes = view->changes;
    local->inbox = (name->data[0] == '@');
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
