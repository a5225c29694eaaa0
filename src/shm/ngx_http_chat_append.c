
#include "ngx_http_chat_inner.h"
#include "ngx_http_chat_resident.h"
#include "ngx_http_chat_occupant.h"
#include "ngx_http_chat_change.h"
#include "ngx_http_chat_nonce.h"
#include "ngx_http_chat_evict.h"


static ngx_int_t ngx_http_chat_append_locked(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_http_chat_room_append_t *a);
static ngx_int_t ngx_http_chat_append_author(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_http_chat_room_append_t *a);
static ngx_int_t ngx_http_chat_append_nonce(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_room_append_t *a,
    uint64_t now);
static ngx_int_t ngx_http_chat_append_commit(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_http_chat_room_append_t *a, uint64_t now);
static void ngx_http_chat_append_sent(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_room_append_t *a);
static ngx_int_t ngx_http_chat_append_passing(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_http_chat_room_append_t *a);
static ngx_uint_t ngx_http_chat_append_slow(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_room_append_t *a);
static uint64_t ngx_http_chat_append_since(ngx_http_chat_room_sh_t *room,
    uint64_t now);
static uint64_t ngx_http_chat_append_ts(ngx_http_chat_room_sh_t *room);


ngx_int_t
ngx_http_chat_room_append(ngx_http_chat_zone_t *z, uint32_t n, uint64_t epoch,
    ngx_http_chat_room_append_t *a)
{
    uint32_t                  hash;
    ngx_int_t                 rc;
    ngx_uint_t                tries, need, pending;
    ngx_http_chat_room_sh_t  *room;

    a->wait = 0;
    a->duplicate = 0;
    a->nslots = 0;

    rc = NGX_AGAIN;
    tries = NGX_HTTP_CHAT_EVICT_TRIES;
    need = NGX_HTTP_CHAT_EVICT_NEED
           + (a->entry.head.len + a->entry.tail.len)
             / NGX_HTTP_CHAT_BLOCK_DATA;

    do {
        room = ngx_http_chat_room_lock(z, n, epoch);
        if (room == NULL) {
            return (rc == NGX_OK) ? NGX_OK : NGX_ABORT;
        }

        hash = room->hash;

        if (rc == NGX_AGAIN) {
            rc = ngx_http_chat_append_locked(z, n, a);
        }

        /* whom to expel there was no memory for; locking tries it again */

        pending = (rc == NGX_OK && room->intent);

        ngx_http_chat_zone_unlock(z, hash);

    } while ((rc == NGX_AGAIN || pending)
             && ngx_http_chat_evict(z, &tries, need) == NGX_OK);

    return (rc == NGX_AGAIN) ? NGX_DECLINED : rc;
}


/* AGAIN: no blocks are left, and nothing has changed. */

static ngx_int_t
ngx_http_chat_append_locked(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_room_append_t *a)
{
    uint64_t                  now;
    ngx_int_t                 rc;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    rc = ngx_http_chat_append_author(z, n, a);
    if (rc != NGX_OK) {
        return rc;
    }

    if (a->entry.flags == 0
        || (a->entry.flags & NGX_HTTP_CHAT_ENTRY_PASSING))
    {
        return ngx_http_chat_append_passing(z, n, a);
    }

    now = ngx_http_chat_append_ts(room);

    rc = ngx_http_chat_append_nonce(z, room, a, now);
    if (rc != NGX_OK) {
        return (rc == NGX_DONE) ? NGX_OK : rc;
    }

    if (a->change || a->settings) {
        rc = ngx_http_chat_change_prepare_locked(z, n, a);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_chat_append_commit(z, n, a, now);
    }

    if (rc == NGX_ERROR) {
        ngx_http_chat_room_reset_locked(z, n);
        return NGX_ABORT;
    }

    if (rc != NGX_OK) {
        ngx_http_chat_room_settle_locked(z, n);
        return rc;
    }

    if (a->retention) {
        ngx_http_chat_room_keep_locked(room, a->retention);
        ngx_http_chat_log_trim_locked(z, &room->log, a->retention,
                                      room->members, now);
    }

    a->nslots = ngx_http_chat_resident_tell_locked(z, room, a->slots);

    ngx_http_chat_evict_touch_locked(z, n);

    return NGX_OK;
}


/* Who says it: he may have been expelled since he was asked for; who is away
 * has a place made for his nonce. */

static ngx_int_t
ngx_http_chat_append_author(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_room_append_t *a)
{
    uint8_t  flags;

    if (a->user.len && a->nonce.len) {
        a->occupant = ngx_http_chat_occupant_get_locked(z, n, &a->user);

        return a->occupant ? NGX_OK : NGX_AGAIN;
    }

    if (a->occupant == 0) {
        return NGX_OK;
    }

    flags = ngx_http_chat_occupant(z, a->occupant)->flags;

    return (flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED) ? NGX_ABORT : NGX_OK;
}


/*
 * Looks for the nonce, and writes it down, not sure yet.  OK; DONE: it was
 * there; BUSY: slow mode, which does not hold for what was said before;
 * AGAIN: no blocks are left.
 */

static ngx_int_t
ngx_http_chat_append_nonce(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_room_append_t *a,
    uint64_t now)
{
    uint32_t                   o;
    uint64_t                   hash, since;
    ngx_http_chat_nonce_sh_t  *nonce;

    o = a->occupant;

    if (o == 0 || a->nonce.len == 0) {
        return ngx_http_chat_append_slow(z, room, a) ? NGX_BUSY : NGX_OK;
    }

    hash = ngx_http_chat_nonce_hash(z, &a->nonce);
    since = ngx_http_chat_append_since(room, now);

    nonce = ngx_http_chat_nonce_find_locked(z, o, hash, since);

    if (nonce) {
        a->entry.seq = nonce->seq;
        a->entry.ts = nonce->ts;
        a->duplicate = 1;
        return NGX_DONE;
    }

    if (ngx_http_chat_append_slow(z, room, a)) {
        return NGX_BUSY;
    }

    room->unsure = o;

    ngx_memory_barrier();

    if (ngx_http_chat_nonce_add_locked(z, o, hash,
                              ngx_http_chat_log_state(&room->log)->next_seq,
                              now, since)
        != NGX_OK)
    {
        room->unsure = 0;
        return NGX_AGAIN;
    }

    return NGX_OK;
}


/* The entry, and what comes to be with it. */

static ngx_int_t
ngx_http_chat_append_commit(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_room_append_t *a, uint64_t now)
{
    ngx_int_t                 rc;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    rc = ngx_http_chat_log_append_locked(z, &room->log, &a->entry, now);

    if (rc == NGX_DECLINED) {
        return NGX_AGAIN;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    room->unsure = 0;

    (void) ngx_http_chat_change_apply_locked(z, n);

    if (a->occupant && a->user.len == 0) {
        ngx_http_chat_append_sent(z, n, a);
    }

    return NGX_OK;
}


/* Who has sent something has read it, but a guest leaves no marks. */

static void
ngx_http_chat_append_sent(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_room_append_t *a)
{
    ngx_http_chat_occupant_sh_t  *oc;

    oc = ngx_http_chat_occupant(z, a->occupant);

    if (!(a->entry.flags & NGX_HTTP_CHAT_ENTRY_MESSAGE)
        || oc->room != n
        || oc->user_len == 0)
    {
        return;
    }

    oc->sent = ngx_http_chat_room_now();

    if (!(oc->flags & NGX_HTTP_CHAT_OCCUPANT_GUEST)
        && oc->read < a->entry.seq)
    {
        oc->read = a->entry.seq;
    }
}


/* What has no seq.  Its change, if any, is made first: that it was told of
 * is worth nothing if it is not so. */

static ngx_int_t
ngx_http_chat_append_passing(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_room_append_t *a)
{
    ngx_int_t                 rc;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    if (a->change || a->settings) {
        rc = ngx_http_chat_change_prepare_locked(z, n, a);

        if (rc == NGX_OK) {
            rc = ngx_http_chat_change_apply_locked(z, n);
        }

        if (rc != NGX_OK) {
            ngx_http_chat_change_cancel_locked(z, n);
            return rc;
        }
    }

    if (a->entry.flags == 0) {
        return NGX_OK;
    }

    rc = ngx_http_chat_room_pass_locked(z, room, &a->entry);

    if (rc == NGX_OK) {
        a->nslots = ngx_http_chat_resident_tell_locked(z, room, a->slots);
    }

    return rc;
}


ngx_int_t
ngx_http_chat_room_pass_locked(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_append_t *a)
{
    uint64_t   now;
    ngx_int_t  rc;

    now = ngx_http_chat_append_ts(room);

    a->seq = 0;
    a->ts = now;

    if (room->members == 0) {
        return NGX_OK;
    }

    a->flags |= NGX_HTTP_CHAT_ENTRY_PASSING;
    a->sender = (uint32_t) ngx_http_chat_log_state(&room->log)->next_seq;

    rc = ngx_http_chat_log_append_locked(z, &room->passing, a, now);

    if (rc == NGX_ERROR) {
        ngx_http_chat_log_clear_locked(z, &room->passing);
        rc = ngx_http_chat_log_append_locked(z, &room->passing, a, now);
    }

    /* that was the number in the passing log, which is nobody's business */

    a->seq = 0;

    if (rc != NGX_OK) {
        return NGX_AGAIN;
    }

    ngx_http_chat_room_trim_locked(z, room, room->members);

    return NGX_OK;
}


/* 1: the author has to wait.  A clock that was set back makes nobody wait. */

static ngx_uint_t
ngx_http_chat_append_slow(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_room_append_t *a)
{
    uint64_t  now, sent;

    if (!a->slow || room->slow == 0 || a->occupant == 0) {
        return 0;
    }

    now = ngx_http_chat_room_now();
    sent = ngx_http_chat_occupant(z, a->occupant)->sent;

    if (sent == 0 || now < sent || now - sent >= room->slow) {
        return 0;
    }

    a->wait = room->slow - (now - sent);

    return 1;
}


/* Nonces from then on are remembered. */

static uint64_t
ngx_http_chat_append_since(ngx_http_chat_room_sh_t *room, uint64_t now)
{
    uint64_t  window;

    window = (uint64_t) room->window * 1000;

    return (now > window) ? now - window : 0;
}


/* A time for the next entry: neither log's goes back behind the other's. */

static uint64_t
ngx_http_chat_append_ts(ngx_http_chat_room_sh_t *room)
{
    uint64_t                    now;
    ngx_http_chat_log_state_t  *st, *pst;

    now = ngx_http_chat_room_now();
    st = ngx_http_chat_log_state(&room->log);
    pst = ngx_http_chat_log_state(&room->passing);

    now = ngx_max(now, st->last_ts);

    return ngx_max(now, pst->last_ts);
}
