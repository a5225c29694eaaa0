
#include "ngx_http_chat_crowd.h"
#include "ngx_http_chat_inner.h"
#include "ngx_http_chat_occupant.h"
#include "ngx_http_chat_resident.h"
#include "ngx_http_chat_evict.h"


static ngx_uint_t ngx_http_chat_standing_differs(
    ngx_http_chat_occupant_sh_t *oc, ngx_http_chat_person_t *person);
static ngx_uint_t ngx_http_chat_standing_fill(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_http_chat_standing_t *people, ngx_uint_t max);


ngx_int_t
ngx_http_chat_room_standing(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, ngx_str_t *user, ngx_http_chat_standing_t *standing)
{
    uint32_t                  o;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return NGX_ABORT;
    }

    o = ngx_http_chat_occupant_find_locked(z, n, user);

    ngx_http_chat_occupant_look_locked(z, n, o, standing);

    ngx_http_chat_zone_unlock(z, room->hash);

    return NGX_OK;
}


ngx_int_t
ngx_http_chat_room_occupant(ngx_http_chat_zone_t *z, uint32_t n,
    uint64_t epoch, uint32_t occupant, ngx_http_chat_standing_t *standing)
{
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return NGX_ABORT;
    }

    ngx_http_chat_occupant_look_locked(z, n, occupant, standing);

    ngx_http_chat_zone_unlock(z, room->hash);

    return NGX_OK;
}


uint64_t
ngx_http_chat_room_expelled(ngx_http_chat_zone_t *z, uint32_t occupant)
{
    ngx_http_chat_occupant_sh_t  *oc;

    if (occupant == 0) {
        return 0;
    }

    oc = ngx_http_chat_occupant(z, occupant);

    if (!(oc->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED)) {
        return 0;
    }

    ngx_memory_barrier();

    return oc->expelled;
}


ngx_int_t
ngx_http_chat_room_mark(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_str_t *user, uint64_t seq)
{
    uint32_t                      o;
    uint64_t                      last;
    ngx_int_t                     rc;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_occupant_sh_t  *oc;

    room = ngx_http_chat_room_lock(z, n, epoch);
    if (room == NULL) {
        return NGX_ABORT;
    }

    rc = NGX_DECLINED;
    o = ngx_http_chat_occupant_find_locked(z, n, user);

    if (o) {
        oc = ngx_http_chat_occupant(z, o);
        last = ngx_http_chat_log_state(&room->log)->next_seq - 1;
        seq = ngx_min(seq, last);

        if (oc->read < seq) {
            oc->read = seq;
            rc = NGX_OK;
        }
    }

    ngx_http_chat_zone_unlock(z, room->hash);

    return rc;
}


ngx_int_t
ngx_http_chat_room_rename(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_http_chat_person_t *person, ngx_uint_t chosen,
    ngx_http_chat_append_t *event, uint16_t *slots, ngx_uint_t *nslots)
{
    uint32_t                      o;
    ngx_int_t                     rc;
    ngx_uint_t                    tries;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_occupant_sh_t  *oc;

    *nslots = 0;

    rc = NGX_DECLINED;
    tries = NGX_HTTP_CHAT_EVICT_TRIES;

    do {
        room = ngx_http_chat_room_lock(z, n, epoch);
        if (room == NULL) {
            return NGX_ABORT;
        }

        o = ngx_http_chat_occupant_find_locked(z, n, &person->user);

        if (o) {
            oc = ngx_http_chat_occupant(z, o);

            if (ngx_http_chat_standing_differs(oc, person)) {
                ngx_http_chat_standing_call_locked(z, o, person);
                room->changes++;
                rc = NGX_AGAIN;
            }

            if (chosen) {
                oc->flags |= NGX_HTTP_CHAT_OCCUPANT_CHOSEN;
            }
        }

        if (rc == NGX_AGAIN) {
            rc = event ? ngx_http_chat_room_pass_locked(z, room, event)
                       : NGX_OK;

            if (rc == NGX_OK) {
                *nslots = ngx_http_chat_resident_tell_locked(z, room, slots);
            }
        }

        ngx_http_chat_zone_unlock(z, room->hash);

    } while (rc == NGX_AGAIN
             && ngx_http_chat_evict(z, &tries, NGX_HTTP_CHAT_EVICT_NEED)
                == NGX_OK);

    /* he is called so, whether there was memory to say it or not */

    return (rc == NGX_AGAIN) ? NGX_OK : rc;
}


void
ngx_http_chat_standing_call_locked(ngx_http_chat_zone_t *z, uint32_t o,
    ngx_http_chat_person_t *person)
{
    ngx_http_chat_occupant_sh_t  *oc;

    oc = ngx_http_chat_occupant(z, o);

    /* half a name is none */

    oc->name_len = 0;

    ngx_memory_barrier();

    ngx_memcpy(oc->name, person->name.data,
               ngx_min(person->name.len, NGX_HTTP_CHAT_PERSON_MAX));
    ngx_memcpy(oc->color, person->color, sizeof(oc->color));

    ngx_memory_barrier();

    oc->name_len = (uint8_t) ngx_min(person->name.len,
                                     NGX_HTTP_CHAT_PERSON_MAX);
}


static ngx_uint_t
ngx_http_chat_standing_differs(ngx_http_chat_occupant_sh_t *oc,
    ngx_http_chat_person_t *person)
{
    return oc->name_len != person->name.len
           || ngx_memcmp(oc->name, person->name.data, oc->name_len) != 0
           || ngx_memcmp(oc->color, person->color, sizeof(oc->color)) != 0;
}


ngx_int_t
ngx_http_chat_room_people(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_uint_t max, ngx_http_chat_standing_t **people, ngx_uint_t *nusers,
    ngx_http_chat_room_view_t *view)
{
    ngx_uint_t                 size;
    ngx_http_chat_room_sh_t   *room;
    ngx_http_chat_standing_t  *list;

    list = NULL;
    size = 0;

    for ( ;; ) {
        room = ngx_http_chat_room_lock(z, n, epoch);
        if (room == NULL) {
            ngx_free(list);
            return NGX_ABORT;
        }

        if (size >= ngx_min(room->users, max)) {
            break;
        }

        /* a few more, for those who come while the lock is open */

        size = ngx_min((ngx_uint_t) room->users + 8, max);

        ngx_http_chat_zone_unlock(z, room->hash);

        ngx_free(list);

        list = ngx_alloc(size * sizeof(ngx_http_chat_standing_t),
                         ngx_cycle->log);
        if (list == NULL) {
            return NGX_ERROR;
        }
    }

    *nusers = ngx_http_chat_standing_fill(z, n, list, size);
    *people = list;

    ngx_http_chat_room_look_locked(z, room, view);

    ngx_http_chat_zone_unlock(z, room->hash);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_chat_standing_fill(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_standing_t *people, ngx_uint_t max)
{
    uint32_t    o;
    ngx_uint_t  i;

    i = 0;

    for (o = ngx_http_chat_occupant_next_locked(z, n, 0);
         o && i < max;
         o = ngx_http_chat_occupant_next_locked(z, n, o))
    {
        if (ngx_http_chat_occupant(z, o)->flags
            & NGX_HTTP_CHAT_OCCUPANT_COUNTED)
        {
            ngx_http_chat_occupant_look_locked(z, n, o, &people[i++]);
        }
    }

    return i;
}
