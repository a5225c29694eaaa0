
#include "ngx_http_chat_crowd.h"
#include "ngx_http_chat_inner.h"
#include "ngx_http_chat_resident.h"
#include "ngx_http_chat_occupant.h"
#include "ngx_http_chat_evict.h"


#define NGX_HTTP_CHAT_ANNOUNCE_LIMIT  0x3fffffff


/* Who comes: what of it is done already when memory has to be found. */
typedef struct {
    ngx_str_t                    *name;
    ngx_http_chat_retention_t    *retention;
    ngx_http_chat_person_t       *person;
    ngx_uint_t                    max;
    ngx_http_chat_announce_t     *announce;
    uint32_t                      room;
    uint32_t                      occupant;
    ngx_uint_t                    in;        /* he is, but not announced */
} ngx_http_chat_coming_t;


static ngx_int_t ngx_http_chat_crowd_come(ngx_http_chat_zone_t *z,
    ngx_http_chat_coming_t *c, uint32_t hash);
static ngx_int_t ngx_http_chat_crowd_enter(ngx_http_chat_zone_t *z,
    ngx_http_chat_coming_t *c);
static ngx_uint_t ngx_http_chat_crowd_full(ngx_http_chat_zone_t *z,
    ngx_http_chat_coming_t *c);
static void ngx_http_chat_crowd_person(ngx_http_chat_zone_t *z, uint32_t o,
    ngx_http_chat_person_t *person);
static void ngx_http_chat_crowd_empty(ngx_http_chat_zone_t *z, uint32_t n);
static ngx_uint_t ngx_http_chat_crowd_inbox(ngx_http_chat_zone_t *z,
    uint32_t n, uint32_t o);
static ngx_int_t ngx_http_chat_crowd_announce(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_announce_t *an,
    ngx_uint_t users);
static ngx_int_t ngx_http_chat_crowd_count(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_announce_t *an,
    ngx_uint_t users);
static ngx_int_t ngx_http_chat_crowd_left(ngx_http_chat_zone_t *z, uint32_t n,
    uint32_t o, ngx_http_chat_announce_t *an);
static void ngx_http_chat_crowd_reap(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_uint_t slot, ngx_msec_t delay);
static ngx_uint_t ngx_http_chat_crowd_due(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_msec_t late, ngx_http_chat_due_t *due, ngx_uint_t max);
static uint64_t ngx_http_chat_crowd_later(ngx_msec_t delay);
static ngx_msec_int_t ngx_http_chat_crowd_wait(uint64_t due);


ngx_int_t
ngx_http_chat_room_join(ngx_http_chat_zone_t *z, ngx_str_t *name,
    ngx_http_chat_retention_t *retention, ngx_http_chat_person_t *person,
    ngx_uint_t max, ngx_http_chat_announce_t *announce, uint32_t *n,
    uint32_t *occupant, ngx_http_chat_room_view_t *view)
{
    uint32_t                  hash;
    ngx_int_t                 rc;
    ngx_uint_t                tries;
    ngx_http_chat_coming_t    c;
    ngx_http_chat_room_sh_t  *room;

    if (name->len > NGX_HTTP_CHAT_ROOM_NAME_MAX) {
        return NGX_DECLINED;
    }

    ngx_memzero(&c, sizeof(ngx_http_chat_coming_t));

    c.name = name;
    c.retention = retention;
    c.person = person;
    c.max = max;
    c.announce = announce;

    if (announce) {
        announce->later = 0;
        announce->nslots = 0;
    }

    hash = ngx_murmur_hash2(name->data, name->len);
    tries = NGX_HTTP_CHAT_EVICT_TRIES;

    do {
        ngx_http_chat_zone_lock(z, hash);

        rc = ngx_http_chat_crowd_come(z, &c, hash);

        if (rc == NGX_OK || c.in) {
            room = ngx_http_chat_room(z, c.room);

            ngx_http_chat_room_look_locked(z, room, view);
            ngx_http_chat_evict_touch_locked(z, c.room);
        }

        ngx_http_chat_zone_unlock(z, hash);

    } while (rc == NGX_AGAIN
             && ngx_http_chat_evict(z, &tries, NGX_HTTP_CHAT_EVICT_NEED)
                == NGX_OK);

    if (c.in) {
        *n = c.room;
        *occupant = c.occupant;
        return NGX_OK;
    }

    return (rc == NGX_AGAIN) ? NGX_DECLINED : rc;
}


/* AGAIN: no blocks are left; what is done so far is done. */

static ngx_int_t
ngx_http_chat_crowd_come(ngx_http_chat_zone_t *z, ngx_http_chat_coming_t *c,
    uint32_t hash)
{
    ngx_int_t                 rc;
    ngx_http_chat_room_sh_t  *room;

    if (!c->in) {
        c->room = ngx_http_chat_room_find_locked(z, c->name, hash);

        if (c->room == 0) {
            c->room = ngx_http_chat_room_make_locked(z, c->name, hash);
        }

        if (c->room == 0) {
            return NGX_AGAIN;
        }

        ngx_http_chat_room_settle_locked(z, c->room);

        rc = ngx_http_chat_crowd_enter(z, c);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (c->announce == NULL) {
        return NGX_OK;
    }

    room = ngx_http_chat_room(z, c->room);

    rc = ngx_http_chat_crowd_announce(z, room, c->announce, room->users);

    if (rc == NGX_OK) {
        c->announce = NULL;
    }

    return rc;
}


/*
 * The worker is counted before the person: whoever reaps a dead worker looks
 * for people where it has members.
 */

static ngx_int_t
ngx_http_chat_crowd_enter(ngx_http_chat_zone_t *z, ngx_http_chat_coming_t *c)
{
    uint8_t                       flags;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_resident_t     *re;
    ngx_http_chat_occupant_sh_t  *oc;

    room = ngx_http_chat_room(z, c->room);

    ngx_http_chat_room_keep_locked(room, c->retention);

    if (ngx_http_chat_crowd_full(z, c)) {
        return NGX_BUSY;
    }

    re = ngx_http_chat_resident_get_locked(z, room, z->slot);
    if (re == NULL) {
        return NGX_AGAIN;
    }

    if (c->person) {
        c->occupant = ngx_http_chat_occupant_get_locked(z, c->room,
                                                        &c->person->user);
        if (c->occupant == 0) {
            return NGX_AGAIN;
        }
    }

    re->members++;
    ngx_http_chat_resident_count_locked(z, room);

    if (c->person == NULL) {
        c->announce = NULL;
        c->in = 1;
        return NGX_OK;
    }

    if (ngx_http_chat_occupant_enter_locked(z, c->occupant) != NGX_OK) {
        re->members--;
        ngx_http_chat_resident_count_locked(z, room);
        return NGX_AGAIN;
    }

    oc = ngx_http_chat_occupant(z, c->occupant);
    flags = oc->flags;

    ngx_http_chat_crowd_person(z, c->occupant, c->person);

    oc->due = 0;

    if (!(flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED)) {
        oc->since = ngx_http_chat_room_now();

        ngx_memory_barrier();

        oc->flags |= NGX_HTTP_CHAT_OCCUPANT_COUNTED;
        room->users++;
    }

    if (c->announce) {
        room->announce = (uint32_t)
                         (c->announce->presence << 30
                          | ngx_min(c->announce->limit,
                                    NGX_HTTP_CHAT_ANNOUNCE_LIMIT));

        if (flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED) {
            c->announce = NULL;
        }
    }

    c->in = 1;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_chat_crowd_full(ngx_http_chat_zone_t *z, ngx_http_chat_coming_t *c)
{
    uint32_t                  o;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, c->room);

    if (c->max == 0) {
        return 0;
    }

    if (c->person == NULL) {
        return room->members >= c->max;
    }

    if (room->users < c->max) {
        return 0;
    }

    o = ngx_http_chat_occupant_find_locked(z, c->room, &c->person->user);

    return o == 0 || !(ngx_http_chat_occupant(z, o)->flags
                       & NGX_HTTP_CHAT_OCCUPANT_COUNTED);
}


/* What he is called while he is there is for all of his connections; it is
 * his first one that says it, unless he has chosen it himself. */

static void
ngx_http_chat_crowd_person(ngx_http_chat_zone_t *z, uint32_t o,
    ngx_http_chat_person_t *person)
{
    ngx_http_chat_occupant_sh_t  *oc;

    oc = ngx_http_chat_occupant(z, o);

    oc->role = (uint8_t) person->role;

    if (person->guest) {
        oc->flags |= NGX_HTTP_CHAT_OCCUPANT_GUEST;

    } else {
        oc->flags &= ~NGX_HTTP_CHAT_OCCUPANT_GUEST;
    }

    if (oc->name_len == 0
        || !(oc->flags & (NGX_HTTP_CHAT_OCCUPANT_COUNTED
                          |NGX_HTTP_CHAT_OCCUPANT_CHOSEN)))
    {
        ngx_http_chat_standing_call_locked(z, o, person);
    }
}


ngx_uint_t
ngx_http_chat_room_leave(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    uint32_t occupant, ngx_msec_t delay)
{
    uint32_t                      hash;
    ngx_uint_t                    last;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_resident_t     *re;
    ngx_http_chat_occupant_sh_t  *oc;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return 0;
    }

    hash = room->hash;
    last = 0;

    if (occupant) {
        oc = ngx_http_chat_occupant(z, occupant);

        /* it counts from when nobody is there: whoever is killed before has
         * left no one who is not to be said to have gone */

        oc->due = ngx_http_chat_crowd_later(delay);

        ngx_memory_barrier();

        last = (ngx_http_chat_occupant_leave_locked(z, occupant, z->slot)
                == 0);

        if (oc->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED) {
            (void) ngx_http_chat_occupant_forget_locked(z, occupant,
                                               ngx_http_chat_room_now(), 0);
            last = 0;
        }
    }

    re = ngx_http_chat_resident_find_locked(z, room, z->slot);

    if (re) {
        re->members--;
        ngx_http_chat_resident_count_locked(z, room);
    }

    if (room->members == 0) {
        ngx_http_chat_crowd_empty(z, n);
    }

    ngx_http_chat_zone_unlock(z, hash);

    return last;
}


static void
ngx_http_chat_crowd_empty(ngx_http_chat_zone_t *z, uint32_t n)
{
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    if (room->name[0] == NGX_HTTP_CHAT_COUNTER) {
        ngx_http_chat_room_delete_locked(z, n);
        return;
    }

    ngx_http_chat_room_trim_locked(z, room, 0);

    /* who looks for memory finds some now */

    z->sh->full = 0;
}


ngx_int_t
ngx_http_chat_room_left(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_str_t *user, ngx_http_chat_announce_t *announce, ngx_msec_t *wait)
{
    uint32_t                      o, hash;
    ngx_int_t                     rc;
    ngx_uint_t                    inbox, tries;
    ngx_msec_int_t                ms;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_occupant_sh_t  *oc;

    announce->later = 0;
    announce->nslots = 0;
    *wait = 0;

    tries = NGX_HTTP_CHAT_EVICT_TRIES;

    do {
        room = ngx_http_chat_room_lock(z, n, epoch);
        if (room == NULL) {
            return NGX_DECLINED;
        }

        rc = NGX_DECLINED;
        hash = room->hash;
        o = ngx_http_chat_occupant_find_locked(z, n, user);
        oc = o ? ngx_http_chat_occupant(z, o) : NULL;
        inbox = ngx_http_chat_crowd_inbox(z, n, o);

        if (oc && oc->due
            && (oc->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED)
            && ngx_http_chat_occupant_here_locked(z, o) == 0)
        {
            ms = ngx_http_chat_crowd_wait(oc->due);

            if (ms > 0) {
                *wait = (ngx_msec_t) ms;
                ngx_http_chat_zone_unlock(z, hash);
                return NGX_AGAIN;
            }

            rc = ngx_http_chat_crowd_left(z, n, o, announce);
        }

        if (inbox && rc != NGX_AGAIN && room->members == 0 && room->users == 0
            && ngx_http_chat_occupant_find_locked(z, n, user) == 0)
        {
            ngx_http_chat_room_delete_locked(z, n);
        }

        ngx_http_chat_zone_unlock(z, hash);

    } while (rc == NGX_AGAIN
             && ngx_http_chat_evict(z, &tries, NGX_HTTP_CHAT_EVICT_NEED)
                == NGX_OK);

    if (rc == NGX_AGAIN) {
        /* there is no memory to say it: some time later, perhaps */
        *wait = NGX_HTTP_CHAT_COUNT_PAUSE;
    }

    return rc;
}


/*
 * He is counted until it was said that he has left: somebody who dies in
 * between has it said twice, but never leaves one whom all believe to be
 * there.
 */

static ngx_int_t
ngx_http_chat_crowd_left(ngx_http_chat_zone_t *z, uint32_t n, uint32_t o,
    ngx_http_chat_announce_t *an)
{
    ngx_int_t                     rc;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_occupant_sh_t  *oc;

    room = ngx_http_chat_room(z, n);
    oc = ngx_http_chat_occupant(z, o);

    rc = ngx_http_chat_crowd_announce(z, room, an,
                                      room->users ? room->users - 1 : 0);
    if (rc != NGX_OK) {
        return rc;
    }

    oc->flags &= ~NGX_HTTP_CHAT_OCCUPANT_COUNTED;
    oc->due = 0;

    if (room->users) {
        room->users--;
    }

    (void) ngx_http_chat_occupant_forget_locked(z, o, ngx_http_chat_room_now(),
                                              0);

    return NGX_OK;
}


/* Is it the inbox of a guest, who is nobody when he has gone? */

static ngx_uint_t
ngx_http_chat_crowd_inbox(ngx_http_chat_zone_t *z, uint32_t n, uint32_t o)
{
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_occupant_sh_t  *oc;

    if (o == 0) {
        return 0;
    }

    room = ngx_http_chat_room(z, n);
    oc = ngx_http_chat_occupant(z, o);

    return room->name[0] == '@'
           && (oc->flags & NGX_HTTP_CHAT_OCCUPANT_GUEST)
           && room->name_len == oc->user_len + 1
           && ngx_memcmp(room->name + 1, oc->user, oc->user_len) == 0;
}


void
ngx_http_chat_room_count(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_http_chat_announce_t *announce)
{
    ngx_http_chat_room_sh_t  *room;

    announce->later = 0;
    announce->nslots = 0;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return;
    }

    if (ngx_http_chat_crowd_count(z, room, announce, room->users) != NGX_OK) {
        announce->later = NGX_HTTP_CHAT_COUNT_PAUSE;
    }

    ngx_http_chat_zone_unlock(z, room->hash);
}


void
ngx_http_chat_room_fewer(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_http_chat_announce_t *announce)
{
    ngx_uint_t                presence, limit;
    ngx_http_chat_room_sh_t  *room;

    announce->later = 0;
    announce->nslots = 0;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return;
    }

    presence = room->announce >> 30;
    limit = room->announce & NGX_HTTP_CHAT_ANNOUNCE_LIMIT;

    /* at the limit nobody has been told the names of all the others */

    if ((presence == NGX_HTTP_CHAT_PRESENCE_COUNT
         || (presence == NGX_HTTP_CHAT_PRESENCE_FULL && room->users >= limit))
        && ngx_http_chat_crowd_count(z, room, announce, room->users) != NGX_OK)
    {
        announce->later = NGX_HTTP_CHAT_COUNT_PAUSE;
    }

    ngx_http_chat_zone_unlock(z, room->hash);
}


/* Says who has come or gone, or how many there are now; AGAIN: no blocks. */

static ngx_int_t
ngx_http_chat_crowd_announce(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_announce_t *an,
    ngx_uint_t users)
{
    ngx_int_t   rc;
    ngx_uint_t  presence, limit;

    presence = room->announce >> 30;
    limit = room->announce & NGX_HTTP_CHAT_ANNOUNCE_LIMIT;

    if (presence == NGX_HTTP_CHAT_PRESENCE_OFF) {
        return NGX_OK;
    }

    if (presence == NGX_HTTP_CHAT_PRESENCE_COUNT || users > limit) {
        return ngx_http_chat_crowd_count(z, room, an, users);
    }

    if (users == 0) {
        return NGX_OK;
    }

    an->event.number = users;

    rc = ngx_http_chat_room_pass_locked(z, room, &an->event);

    if (rc == NGX_OK) {
        room->told = (uint32_t) users;
        an->nslots = ngx_http_chat_resident_tell_locked(z, room, an->slots);
    }

    return rc;
}


static ngx_int_t
ngx_http_chat_crowd_count(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_announce_t *an,
    ngx_uint_t users)
{
    ngx_int_t       rc;
    ngx_msec_int_t  ms;

    if (users == room->told || users == 0) {
        return NGX_OK;
    }

    ms = room->counted ? ngx_http_chat_crowd_wait(room->counted) : 0;

    if (ms > 0) {
        an->later = ngx_min(ms, NGX_HTTP_CHAT_COUNT_PAUSE);
        return NGX_OK;
    }

    an->count.number = users;

    rc = ngx_http_chat_room_pass_locked(z, room, &an->count);

    if (rc == NGX_OK) {
        room->told = (uint32_t) users;
        room->counted = ngx_http_chat_crowd_later(NGX_HTTP_CHAT_COUNT_PAUSE);
        an->nslots = ngx_http_chat_resident_tell_locked(z, room, an->slots);
    }

    return rc;
}


void
ngx_http_chat_room_reap(ngx_http_chat_zone_t *z, ngx_uint_t slot,
    ngx_msec_t delay)
{
    uint32_t                   i, n, next;
    ngx_http_chat_room_sh_t   *room;
    ngx_http_chat_resident_t  *re;

    for (i = 0; i < z->sh->nbuckets; i++) {

        /* each lock is taken once, also where there are no rooms: he may have
         * died in it while he made one */

        if (z->buckets[i] == 0 && i >= NGX_HTTP_CHAT_STRIPES) {
            continue;
        }

        /* a bucket's rooms share its lock: there are more of them than locks */

        ngx_http_chat_zone_lock(z, i);

        for (n = z->buckets[i]; n; n = next) {
            room = ngx_http_chat_room(z, n);
            next = room->next;

            ngx_http_chat_room_settle_locked(z, n);
            ngx_http_chat_crowd_reap(z, n, slot, delay);

            re = ngx_http_chat_resident_find_locked(z, room, slot);

            if (re) {
                re->members = 0;
                re->news = 0;
            }

            /* of each room: he may have died between two counts of any */

            ngx_http_chat_resident_count_locked(z, room);

            if (re && room->members == 0) {
                ngx_http_chat_crowd_empty(z, n);
            }
        }

        ngx_http_chat_zone_unlock(z, i);
    }

    z->sh->reaped++;
}


/* Counters of people are set right in each room; people are looked at one by
 * one only where the dead worker had any. */

static void
ngx_http_chat_crowd_reap(ngx_http_chat_zone_t *z, uint32_t n, ngx_uint_t slot,
    ngx_msec_t delay)
{
    uint32_t                      o, next;
    ngx_uint_t                    here;
    ngx_http_chat_occupant_sh_t  *oc;

    (void) ngx_http_chat_occupant_count_locked(z, n);

    if (ngx_http_chat_resident_find_locked(z, ngx_http_chat_room(z, n), slot)
        == NULL)
    {
        return;
    }

    next = ngx_http_chat_occupant_next_locked(z, n, 0);

    while (next) {
        o = next;
        next = ngx_http_chat_occupant_next_locked(z, n, o);

        oc = ngx_http_chat_occupant(z, o);
        here = ngx_http_chat_occupant_here_locked(z, o);

        if (here == 0) {
            continue;
        }

        oc->due = ngx_http_chat_crowd_later(delay);

        ngx_memory_barrier();

        if (ngx_http_chat_occupant_reap_locked(z, o, slot)) {
            continue;
        }

        if (!(oc->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED)) {
            oc->due = 0;
            (void) ngx_http_chat_occupant_forget_locked(z, o,
                                               ngx_http_chat_room_now(), 0);
        }
    }
}


ngx_uint_t
ngx_http_chat_room_due(ngx_http_chat_zone_t *z, uint32_t *bucket, ngx_uint_t n,
    ngx_msec_t late, ngx_http_chat_due_t *due, ngx_uint_t max)
{
    uint32_t    i, room;
    ngx_uint_t  found;

    found = 0;

    for (n = ngx_min(n, z->sh->nbuckets); n && found < max; n--) {
        i = (*bucket)++ & (z->sh->nbuckets - 1);

        if (z->buckets[i] == 0) {
            continue;
        }

        ngx_http_chat_zone_lock(z, i);

        for (room = z->buckets[i];
             room;
             room = ngx_http_chat_room(z, room)->next)
        {
            found += ngx_http_chat_crowd_due(z, room, late, due + found,
                                             max - found);
        }

        ngx_http_chat_zone_unlock(z, i);
    }

    return found;
}


static ngx_uint_t
ngx_http_chat_crowd_due(ngx_http_chat_zone_t *z, uint32_t n, ngx_msec_t late,
    ngx_http_chat_due_t *due, ngx_uint_t max)
{
    uint32_t                      o;
    ngx_uint_t                    i;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_occupant_sh_t  *oc;

    room = ngx_http_chat_room(z, n);

    if (room->users == 0) {
        return 0;
    }

    i = 0;

    for (o = ngx_http_chat_occupant_next_locked(z, n, 0);
         o && i < max;
         o = ngx_http_chat_occupant_next_locked(z, n, o))
    {
        oc = ngx_http_chat_occupant(z, o);

        if (oc->due == 0
            || !(oc->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED)
            || ngx_http_chat_crowd_wait(oc->due + late) > 0
            || ngx_http_chat_occupant_here_locked(z, o))
        {
            continue;
        }

        due[i].room = n;
        due[i].epoch = room->epoch;
        due[i].user_len = oc->user_len;
        ngx_memcpy(due[i].user, oc->user, oc->user_len);
        i++;
    }

    return i;
}


/* Times that are waited for are of the clock that nobody sets; never 0. */

static uint64_t
ngx_http_chat_crowd_later(ngx_msec_t delay)
{
    ngx_msec_t  due;

    due = ngx_current_msec + delay;

    return due ? due : 1;
}


static ngx_msec_int_t
ngx_http_chat_crowd_wait(uint64_t due)
{
    return (ngx_msec_int_t) ((ngx_msec_t) due - ngx_current_msec);
}
