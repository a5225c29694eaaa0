
#include "ngx_http_chat_presence.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_notify.h"
#include "ngx_http_chat_occupant.h"

#include "chat_json.h"


#define NGX_HTTP_CHAT_PRESENCE_TEXT     2048    /* bytes: names escaped */
#define NGX_HTTP_CHAT_PRESENCE_PASS     64      /* departures in one pass */
#define NGX_HTTP_CHAT_PRESENCE_FOUND    128     /* likewise, of a search */
#define NGX_HTTP_CHAT_PRESENCE_SOON     100     /* ms: clocks differ */
#define NGX_HTTP_CHAT_PRESENCE_BUCKETS  4096    /* searched in one pass */
#define NGX_HTTP_CHAT_PRESENCE_TURNS    32      /* in a quiet search */
#define NGX_HTTP_CHAT_PRESENCE_LATE     1000    /* ms: its worker is dead */
#define NGX_HTTP_CHAT_PRESENCE_SEARCH   60000   /* ms, after a death */


/*
 * A user who may have left, or with no user, a room whose number of users is
 * to be told.
 */
typedef struct {
    ngx_rbtree_node_t  node;          /* by the time */
    uint64_t           epoch;
    uint32_t           room;
    uint8_t            user_len;
    u_char             user[1];
} ngx_http_chat_departure_t;


static void ngx_http_chat_presence_texts(ngx_str_t *room,
    ngx_http_chat_person_t *person, const char *role, const char *type,
    ngx_http_chat_announce_t *announce);
static void ngx_http_chat_presence_who(chat_json_writer_t *w, const char *type,
    ngx_str_t *room, ngx_http_chat_person_t *person);
static void ngx_http_chat_presence_later(ngx_http_chat_zone_t *z,
    uint32_t room, uint64_t epoch, ngx_str_t *user, ngx_msec_t wait);
static void ngx_http_chat_presence_insert(ngx_http_chat_zone_t *z,
    ngx_http_chat_departure_t *d);
static void ngx_http_chat_presence_depart_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_chat_presence_left(ngx_http_chat_zone_t *z,
    uint32_t room, uint64_t epoch, ngx_str_t *user, ngx_msec_t *wait);
static void ngx_http_chat_presence_count(ngx_http_chat_zone_t *z,
    uint32_t room, uint64_t epoch);
static void ngx_http_chat_presence_search_handler(ngx_event_t *ev);
static void ngx_http_chat_presence_due(ngx_http_chat_zone_t *z, ngx_uint_t n,
    ngx_msec_t late);
static void ngx_http_chat_presence_inbox(ngx_http_chat_local_t *local);
static ngx_uint_t ngx_http_chat_presence_differs(ngx_http_chat_session_t *s,
    ngx_http_chat_person_t *person);
static void ngx_http_chat_presence_person(ngx_http_chat_standing_t *standing,
    ngx_http_chat_person_t *person);


/* The worker's, for one announcement at a time. */

static struct {
    u_char       event[NGX_HTTP_CHAT_PRESENCE_TEXT];
    u_char       count[NGX_HTTP_CHAT_PRESENCE_TEXT];
    uint16_t     slots[NGX_HTTP_CHAT_SLOTS_MAX];
} ngx_http_chat_presences;


void
ngx_http_chat_presence_init(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_worker_t  *worker;

    worker = z->worker;

    ngx_rbtree_init(&worker->departures, &worker->departed,
                    ngx_rbtree_insert_timer_value);

    worker->depart.handler = ngx_http_chat_presence_depart_handler;
    worker->depart.data = z;
    worker->depart.log = ngx_cycle->log;
    worker->depart.cancelable = 1;

    worker->search.handler = ngx_http_chat_presence_search_handler;
    worker->search.data = z;
    worker->search.log = ngx_cycle->log;
    worker->search.cancelable = 1;
}


void
ngx_http_chat_presence_joined(ngx_http_chat_session_t *s, ngx_str_t *room,
    const char *role, ngx_http_chat_announce_t *announce)
{
    ngx_http_chat_person_t  person;

    ngx_http_chat_session_person(s, &person);
    ngx_http_chat_presence_texts(room, &person, role, "joined", announce);

    announce->presence = s->settings->presence;
    announce->limit = s->settings->presence_limit;
}


/* person NULL: the count alone.  role may be NULL. */

static void
ngx_http_chat_presence_texts(ngx_str_t *room, ngx_http_chat_person_t *person,
    const char *role, const char *type, ngx_http_chat_announce_t *announce)
{
    chat_json_writer_t  w;

    ngx_memzero(announce, sizeof(ngx_http_chat_announce_t));

    announce->slots = ngx_http_chat_presences.slots;

    if (person) {
        chat_json_begin(&w, ngx_http_chat_presences.event,
                        NGX_HTTP_CHAT_PRESENCE_TEXT);

        ngx_http_chat_presence_who(&w, type, room, person);

        if (role) {
            chat_json_lit(&w, ",\"role\":");
            chat_json_string(&w, role, ngx_strlen(role));
        }

        chat_json_lit(&w, ",\"members\":");

        announce->event.flags = NGX_HTTP_CHAT_ENTRY_PASSING;
        announce->event.head.data = w.start;
        announce->event.head.len = w.pos - w.start;
        ngx_str_set(&announce->event.tail, "}");
    }

    chat_json_begin(&w, ngx_http_chat_presences.count,
                    NGX_HTTP_CHAT_PRESENCE_TEXT);

    ngx_http_chat_presence_who(&w, "members", room, NULL);
    chat_json_lit(&w, ",\"members\":");

    announce->count.flags = NGX_HTTP_CHAT_ENTRY_PASSING;
    announce->count.head.data = w.start;
    announce->count.head.len = w.pos - w.start;
    ngx_str_set(&announce->count.tail, "}");
}


static void
ngx_http_chat_presence_who(chat_json_writer_t *w, const char *type,
    ngx_str_t *room, ngx_http_chat_person_t *person)
{
    u_char  color[7];

    chat_json_lit(w, "{\"type\":\"");
    chat_json_put(w, type, ngx_strlen(type));
    chat_json_lit(w, "\",\"room\":");
    chat_json_string(w, room->data, room->len);

    if (person == NULL) {
        return;
    }

    color[0] = '#';
    (void) ngx_hex_dump(color + 1, person->color, 3);

    chat_json_lit(w, ",\"user\":");
    chat_json_string(w, person->user.data, person->user.len);
    chat_json_lit(w, ",\"name\":");
    chat_json_string(w, person->name.data, person->name.len);
    chat_json_lit(w, ",\"color\":");
    chat_json_string(w, color, sizeof(color));
}


void
ngx_http_chat_presence_told(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_http_chat_announce_t *announce)
{
    ngx_http_chat_local_t  *local;

    ngx_http_chat_notify(z, room, announce->slots, announce->nslots);

    if (announce->later == 0) {
        return;
    }

    local = ngx_http_chat_worker_room(z, room);

    if (local) {

        if (local->counting) {
            return;
        }

        local->counting = 1;
    }

    ngx_http_chat_presence_later(z, room, epoch, NULL,
                                 (ngx_msec_t) announce->later);
}


void
ngx_http_chat_presence_away(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_http_chat_settings_t *settings, ngx_str_t *user)
{
    ngx_http_chat_presence_later(z, room, epoch, user, settings->leave_delay);
}


static void
ngx_http_chat_presence_later(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_str_t *user, ngx_msec_t wait)
{
    size_t                      len;
    ngx_http_chat_departure_t  *d;

    len = user ? user->len : 0;

    d = ngx_alloc(sizeof(ngx_http_chat_departure_t) + len, ngx_cycle->log);
    if (d == NULL) {
        /* logged; a quiet search finds who has left, a bit later */
        return;
    }

    d->node.key = ngx_current_msec + wait;
    d->epoch = epoch;
    d->room = room;
    d->user_len = (uint8_t) len;

    if (len) {
        ngx_memcpy(d->user, user->data, len);
    }

    ngx_http_chat_presence_insert(z, d);
}


static void
ngx_http_chat_presence_insert(ngx_http_chat_zone_t *z,
    ngx_http_chat_departure_t *d)
{
    ngx_msec_int_t           wait;
    ngx_rbtree_node_t       *first;
    ngx_http_chat_worker_t  *worker;

    worker = z->worker;

    ngx_rbtree_insert(&worker->departures, &d->node);

    first = ngx_rbtree_min(worker->departures.root, &worker->departed);

    if (first != &d->node) {
        return;
    }

    wait = (ngx_msec_int_t) (d->node.key - ngx_current_msec);

    ngx_add_timer(&worker->depart, (ngx_msec_t) ngx_max(wait, 1));
}


static void
ngx_http_chat_presence_depart_handler(ngx_event_t *ev)
{
    ngx_int_t                   rc;
    ngx_str_t                   user;
    ngx_uint_t                  n;
    ngx_msec_t                  wait;
    ngx_msec_int_t              left;
    ngx_rbtree_node_t          *node;
    ngx_http_chat_zone_t       *z;
    ngx_http_chat_worker_t     *worker;
    ngx_http_chat_departure_t  *d;

    z = ev->data;
    worker = z->worker;

    for (n = 0; worker->departures.root != &worker->departed; n++) {

        node = ngx_rbtree_min(worker->departures.root, &worker->departed);
        d = ngx_rbtree_data(node, ngx_http_chat_departure_t, node);

        left = (ngx_msec_int_t) (node->key - ngx_current_msec);

        if (left > 0 || n == NGX_HTTP_CHAT_PRESENCE_PASS) {
            /* of a crowd that leaves at once, some in each pass */
            ngx_add_timer(ev, (ngx_msec_t) ngx_max(left, 1));
            return;
        }

        ngx_rbtree_delete(&worker->departures, node);

        if (d->user_len == 0) {
            ngx_http_chat_presence_count(z, d->room, d->epoch);
            ngx_free(d);
            continue;
        }

        user.data = d->user;
        user.len = d->user_len;

        rc = ngx_http_chat_presence_left(z, d->room, d->epoch, &user, &wait);

        if (rc == NGX_AGAIN
            && (wait <= NGX_HTTP_CHAT_PRESENCE_SOON
                || wait == NGX_HTTP_CHAT_COUNT_PAUSE))
        {
            /* not quite yet, or there was no memory to say it */

            d->node.key = ngx_current_msec + ngx_max(wait, 1);
            ngx_http_chat_presence_insert(z, d);
            continue;
        }

        /* who is to be left alone for longer was back, and went once more */

        ngx_free(d);
    }
}


static ngx_int_t
ngx_http_chat_presence_left(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_str_t *user, ngx_msec_t *wait)
{
    ngx_int_t                  rc;
    ngx_str_t                  name;
    ngx_http_chat_person_t     person;
    ngx_http_chat_standing_t   standing;
    ngx_http_chat_announce_t   announce;
    u_char                     buf[NGX_HTTP_CHAT_ROOM_NAME_MAX];

    name.data = buf;
    name.len = ngx_http_chat_room_name_of(z, room, epoch, buf);

    if (name.len == 0
        || ngx_http_chat_room_standing(z, room, epoch, user, &standing)
           != NGX_OK
        || standing.occupant == 0)
    {
        return NGX_DECLINED;
    }

    ngx_http_chat_presence_person(&standing, &person);
    ngx_http_chat_presence_texts(&name, &person, NULL, "left", &announce);

    rc = ngx_http_chat_room_left(z, room, epoch, user, &announce, wait);

    if (rc == NGX_OK) {
        ngx_http_chat_presence_told(z, room, epoch, &announce);
    }

    return rc;
}


static void
ngx_http_chat_presence_count(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch)
{
    ngx_str_t                  name;
    ngx_http_chat_local_t     *local;
    ngx_http_chat_announce_t   announce;
    u_char                     buf[NGX_HTTP_CHAT_ROOM_NAME_MAX];

    local = ngx_http_chat_worker_room(z, room);

    if (local) {
        local->counting = 0;
    }

    name.data = buf;
    name.len = ngx_http_chat_room_name_of(z, room, epoch, buf);

    if (name.len == 0) {
        return;
    }

    ngx_http_chat_presence_texts(&name, NULL, NULL, NULL, &announce);

    ngx_http_chat_room_count(z, room, epoch, &announce);
    ngx_http_chat_presence_told(z, room, epoch, &announce);
}


void
ngx_http_chat_presence_fewer(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, ngx_str_t *name)
{
    ngx_http_chat_announce_t  announce;

    ngx_http_chat_presence_texts(name, NULL, NULL, NULL, &announce);

    ngx_http_chat_room_fewer(z, room, epoch, &announce);
    ngx_http_chat_presence_told(z, room, epoch, &announce);
}


void
ngx_http_chat_presence_search(ngx_http_chat_zone_t *z, ngx_msec_t wait)
{
    ngx_http_chat_worker_t  *worker;

    worker = z->worker;

    worker->searching = 1;
    worker->until = ngx_current_msec + NGX_HTTP_CHAT_PRESENCE_SEARCH;
    worker->due = 0;

    if (wait) {
        ngx_add_timer(&worker->search, wait + 1);
    }
}


void
ngx_http_chat_presence_tick(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_worker_t  *worker;

    worker = z->worker;

    if (worker->searching) {

        if (!worker->search.timer_set && !worker->search.posted) {
            worker->due = 0;
            ngx_post_event(&worker->search, &ngx_posted_events);
        }

        if ((ngx_msec_int_t) (ngx_current_msec - worker->until) > 0) {
            worker->searching = 0;
        }

        return;
    }

    /* quietly: whose worker had no memory to think of him */

    ngx_http_chat_presence_due(z, z->sh->nbuckets
                                  / NGX_HTTP_CHAT_PRESENCE_TURNS + 1,
                               NGX_HTTP_CHAT_PRESENCE_LATE);
}


static void
ngx_http_chat_presence_search_handler(ngx_event_t *ev)
{
    ngx_http_chat_zone_t    *z;
    ngx_http_chat_worker_t  *worker;

    z = ev->data;
    worker = z->worker;

    ngx_http_chat_presence_due(z, NGX_HTTP_CHAT_PRESENCE_BUCKETS, 0);

    if (worker->due) {
        ngx_post_event(ev, &ngx_posted_next_events);
    }
}


/* Goes over n more buckets; worker->due is 0 when all have been gone over. */

static void
ngx_http_chat_presence_due(ngx_http_chat_zone_t *z, ngx_uint_t n,
    ngx_msec_t late)
{
    ngx_str_t                user;
    ngx_uint_t               i, ndue, nleft;
    ngx_msec_t               wait;
    ngx_http_chat_due_t      due[NGX_HTTP_CHAT_PRESENCE_FOUND];
    ngx_http_chat_worker_t  *worker;

    worker = z->worker;

    ndue = ngx_http_chat_room_due(z, &worker->due, n, late, due,
                                  NGX_HTTP_CHAT_PRESENCE_FOUND);
    nleft = 0;

    for (i = 0; i < ndue; i++) {
        user.data = due[i].user;
        user.len = due[i].user_len;

        if (ngx_http_chat_presence_left(z, due[i].room, due[i].epoch, &user,
                                        &wait)
            == NGX_OK)
        {
            nleft++;
        }
    }

    if (nleft && ndue == NGX_HTTP_CHAT_PRESENCE_FOUND) {
        /* there are more of them in the last bucket, perhaps */
        worker->due--;
    }

    if (worker->due >= z->sh->nbuckets) {
        worker->due = 0;
    }
}


void
ngx_http_chat_presence_changes(ngx_http_chat_local_t *local)
{
    ngx_uint_t               i, n;
    ngx_http_chat_member_t  *m;

    if (local->inbox) {
        ngx_http_chat_presence_inbox(local);
        return;
    }

    n = 0;

    for (i = 0; i < local->nmembers; i++) {
        m = &local->members[i];

        if (!(m->flags & NGX_HTTP_CHAT_MEMBER_EXPELLED)
            && ngx_http_chat_room_expelled(local->zone,
                                           ngx_http_chat_member_occupant(m)))
        {
            m->flags |= NGX_HTTP_CHAT_MEMBER_EXPELLED;
            n++;
        }
    }

    if (n) {
        /* a walk may have passed them */
        ngx_http_chat_deliver_room(local);
    }
}


/* All members are one user's sessions. */

static void
ngx_http_chat_presence_inbox(ngx_http_chat_local_t *local)
{
    ngx_uint_t                 i;
    ngx_http_chat_member_t    *m;
    ngx_http_chat_person_t     person;
    ngx_http_chat_standing_t   standing;

    if (local->nmembers == 0
        || ngx_http_chat_room_occupant(local->zone,
                                       ngx_http_chat_local_room(local),
                                       local->epoch,
                             ngx_http_chat_member_occupant(&local->members[0]),
                                       &standing)
           != NGX_OK
        || !(standing.flags & NGX_HTTP_CHAT_OCCUPANT_CHOSEN))
    {
        return;
    }

    ngx_http_chat_presence_person(&standing, &person);

    for (i = 0; i < local->nmembers; i++) {
        m = &local->members[i];

        if (ngx_http_chat_presence_differs(m->session, &person)) {
            ngx_http_chat_presence_rename(m->session, &person);
        }
    }
}


void
ngx_http_chat_presence_profile(ngx_http_chat_session_t *s, uint32_t room,
    uint64_t epoch, uint32_t occupant)
{
    ngx_http_chat_person_t    person;
    ngx_http_chat_standing_t  standing;

    if (ngx_http_chat_room_occupant(s->zone, room, epoch, occupant, &standing)
        != NGX_OK
        || !(standing.flags & NGX_HTTP_CHAT_OCCUPANT_CHOSEN))
    {
        return;
    }

    ngx_http_chat_presence_person(&standing, &person);

    if (ngx_http_chat_presence_differs(s, &person)) {
        (void) ngx_http_chat_session_rename(s, &person.name, person.color);
    }
}


static ngx_uint_t
ngx_http_chat_presence_differs(ngx_http_chat_session_t *s,
    ngx_http_chat_person_t *person)
{
    ngx_http_chat_person_t  own;

    ngx_http_chat_session_person(s, &own);

    return own.name.len != person->name.len
           || ngx_memcmp(own.name.data, person->name.data, own.name.len) != 0
           || ngx_memcmp(own.color, person->color, 3) != 0;
}


static void
ngx_http_chat_presence_person(ngx_http_chat_standing_t *standing,
    ngx_http_chat_person_t *person)
{
    ngx_memzero(person, sizeof(ngx_http_chat_person_t));

    person->user.data = standing->user;
    person->user.len = standing->user_len;
    person->name.data = standing->name;
    person->name.len = standing->name_len;

    ngx_memcpy(person->color, standing->color, 3);
}


void
ngx_http_chat_presence_rename(ngx_http_chat_session_t *s,
    ngx_http_chat_person_t *person)
{
    ngx_uint_t                i, nslots;
    chat_json_writer_t        w;
    ngx_http_chat_local_t    *local;
    ngx_http_chat_append_t    event;
    ngx_http_chat_person_t    own;

    if (ngx_http_chat_presence_differs(s, person)
        && ngx_http_chat_session_rename(s, &person->name, person->color)
           != NGX_OK)
    {
        return;
    }

    /* the given one may have been the session's former name */

    ngx_http_chat_session_person(s, &own);

    for (i = 0; i < s->joined_size; i++) {
        local = s->joined[i].local;

        if (local == NULL || local->inbox) {
            continue;
        }

        chat_json_begin(&w, ngx_http_chat_presences.event,
                        NGX_HTTP_CHAT_PRESENCE_TEXT);

        ngx_http_chat_presence_who(&w, "profile", &local->name, &own);
        chat_json_lit(&w, "}");

        ngx_memzero(&event, sizeof(event));

        event.flags = NGX_HTTP_CHAT_ENTRY_PASSING;
        event.head.data = w.start;
        event.head.len = w.pos - w.start;

        if (ngx_http_chat_room_rename(local->zone,
                                      ngx_http_chat_local_room(local),
                                      local->epoch, &own, 0, &event,
                                      ngx_http_chat_presences.slots, &nslots)
            == NGX_OK)
        {
            ngx_http_chat_notify(local->zone, ngx_http_chat_local_room(local),
                                 ngx_http_chat_presences.slots, nslots);
        }
    }
}
