
#include "ngx_http_chat_occupant.h"
#include "ngx_http_chat_nonce.h"
#include "ngx_http_chat_hash.h"
#include "ngx_http_chat_inner.h"


#define NGX_HTTP_CHAT_OCCUPANT_LOOKS  8    /* blocks, for a free place */

#define ngx_http_chat_people(z, n)                                            \
    ((ngx_http_chat_people_sh_t *) ngx_http_chat_block(z, n)->data)


static uint32_t *ngx_http_chat_occupant_bucket(ngx_http_chat_zone_t *z,
    uint32_t room, uint32_t hash);
static uint32_t *ngx_http_chat_occupant_link(ngx_http_chat_zone_t *z,
    uint32_t o);
static uint32_t ngx_http_chat_occupant_make(ngx_http_chat_zone_t *z,
    uint32_t room, ngx_str_t *user, uint32_t hash);
static uint32_t ngx_http_chat_occupant_place(ngx_http_chat_zone_t *z,
    uint32_t room);
static uint32_t ngx_http_chat_occupant_vacant(ngx_http_chat_zone_t *z,
    uint32_t room);
static uint32_t ngx_http_chat_occupant_spare(ngx_http_chat_zone_t *z,
    uint32_t room, uint32_t n);
static uint32_t ngx_http_chat_occupant_heir(ngx_http_chat_zone_t *z,
    uint32_t o);
static void ngx_http_chat_occupant_out(ngx_http_chat_zone_t *z,
    uint32_t o);
static ngx_uint_t ngx_http_chat_occupant_known(ngx_http_chat_zone_t *z,
    uint32_t o, uint64_t now, ngx_uint_t squeeze);
static void ngx_http_chat_occupant_free(ngx_http_chat_zone_t *z, uint32_t o);
static void ngx_http_chat_occupant_free_block(ngx_http_chat_zone_t *z,
    uint32_t room, uint32_t n);
static uint32_t *ngx_http_chat_occupant_block_link(ngx_http_chat_zone_t *z,
    uint32_t room, uint32_t n);


static uint32_t
ngx_http_chat_occupant_hash(ngx_http_chat_zone_t *z, uint32_t room,
    ngx_str_t *user)
{
    uint64_t  hash;

    /* by the room's index, which stays when it gets a new epoch */

    hash = ngx_http_chat_hash(z, room, user->data, user->len);

    return (uint32_t) (hash ^ (hash >> 32));
}


static uint32_t *
ngx_http_chat_occupant_bucket(ngx_http_chat_zone_t *z, uint32_t room,
    uint32_t hash)
{
    uint32_t  stripe;

    /* among those that the room's lock guards */

    stripe = ngx_http_chat_room(z, room)->hash & (NGX_HTTP_CHAT_STRIPES - 1);

    return &z->people[(hash & (z->sh->nbuckets - 1)
                       & ~(NGX_HTTP_CHAT_STRIPES - 1)) | stripe];
}


uint32_t
ngx_http_chat_occupant_find_locked(ngx_http_chat_zone_t *z, uint32_t room,
    ngx_str_t *user)
{
    uint32_t                      o, hash;
    ngx_http_chat_occupant_sh_t  *occupant;

    hash = ngx_http_chat_occupant_hash(z, room, user);

    for (o = *ngx_http_chat_occupant_bucket(z, room, hash);
         o;
         o = occupant->next)
    {
        occupant = ngx_http_chat_occupant(z, o);

        if (occupant->hash == hash
            && occupant->room == room
            && occupant->user_len == user->len
            && ngx_memcmp(occupant->user, user->data, user->len) == 0)
        {
            return o;
        }
    }

    return 0;
}


uint32_t
ngx_http_chat_occupant_get_locked(ngx_http_chat_zone_t *z, uint32_t room,
    ngx_str_t *user)
{
    uint32_t                      o, hash, *bucket;
    ngx_http_chat_occupant_sh_t  *occupant;

    o = ngx_http_chat_occupant_find_locked(z, room, user);

    if (o || user->len == 0 || user->len > NGX_HTTP_CHAT_PERSON_MAX) {
        return o;
    }

    hash = ngx_http_chat_occupant_hash(z, room, user);

    o = ngx_http_chat_occupant_make(z, room, user, hash);

    if (o == 0) {
        return 0;
    }

    bucket = ngx_http_chat_occupant_bucket(z, room, hash);

    occupant = ngx_http_chat_occupant(z, o);
    occupant->next = *bucket;

    ngx_memory_barrier();

    *bucket = o;

    return o;
}


/* Where his name stands in his bucket's chain; NULL: he is not in the table,
 * that is, he was expelled, or somebody died while making or freeing him. */

static uint32_t *
ngx_http_chat_occupant_link(ngx_http_chat_zone_t *z, uint32_t o)
{
    uint32_t                     *link;
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(z, o);

    link = ngx_http_chat_occupant_bucket(z, occupant->room, occupant->hash);

    while (*link) {

        if (*link == o) {
            return link;
        }

        link = &ngx_http_chat_occupant(z, *link)->next;
    }

    return NULL;
}


/* A new one that is not in the table yet. */

static uint32_t
ngx_http_chat_occupant_make(ngx_http_chat_zone_t *z, uint32_t room,
    ngx_str_t *user, uint32_t hash)
{
    uint32_t                      o, n, first;
    ngx_http_chat_room_sh_t      *rm;
    ngx_http_chat_people_sh_t    *people;
    ngx_http_chat_occupant_sh_t  *occupant;

    n = 0;
    o = ngx_http_chat_occupant_place(z, room);

    if (o == 0) {
        n = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_PEOPLE);
        if (n == 0) {
            return 0;
        }

        people = ngx_http_chat_people(z, n);
        people->prev = 0;
        people->reserved = 0;
        people->places[1].user_len = 0;

        o = 2 * n;
    }

    occupant = ngx_http_chat_occupant(z, o);

    ngx_memzero(occupant, sizeof(ngx_http_chat_occupant_sh_t));

    occupant->hash = hash;
    occupant->room = room;
    ngx_memcpy(occupant->user, user->data, user->len);

    ngx_memory_barrier();

    occupant->user_len = (uint8_t) user->len;

    ngx_memory_barrier();

    if (n == 0) {
        return o;
    }

    rm = ngx_http_chat_room(z, room);
    first = rm->people;

    ngx_http_chat_block(z, n)->next = first;

    ngx_memory_barrier();

    rm->people = n;

    /* not before, or it would be believed of a block that is not there */

    ngx_memory_barrier();

    if (first) {
        ngx_http_chat_people(z, first)->prev = n;
    }

    return o;
}


/*
 * A free place in the room's first block, which is the latest, or in one of a
 * few others, where the last search ended: a room that many have left fills up
 * again, and a full one costs no walk.
 */

static uint32_t
ngx_http_chat_occupant_place(ngx_http_chat_zone_t *z, uint32_t room)
{
    uint32_t                  o, n;
    ngx_uint_t                i;
    ngx_http_chat_room_sh_t  *rm;

    rm = ngx_http_chat_room(z, room);

    if (rm->people == 0) {
        return 0;
    }

    o = ngx_http_chat_occupant_spare(z, room, rm->people);

    n = ngx_http_chat_occupant_vacant(z, room);

    for (i = 0; o == 0 && i < NGX_HTTP_CHAT_OCCUPANT_LOOKS; i++) {

        if (n == 0) {
            n = rm->people;
        }

        o = ngx_http_chat_occupant_spare(z, room, n);

        if (o == 0) {
            n = ngx_http_chat_block(z, n)->next;
        }

        rm->vacant = n;
    }

    return o;
}


/* Where the last search ended, if that is one of the room's blocks still: the
 * repair may have cut their list. */

static uint32_t
ngx_http_chat_occupant_vacant(ngx_http_chat_zone_t *z, uint32_t room)
{
    uint32_t                    n;
    ngx_uint_t                  i;
    ngx_http_chat_people_sh_t  *people;

    n = ngx_http_chat_room(z, room)->vacant;

    if (n == 0
        || n > z->sh->nblocks
        || ngx_http_chat_block(z, n)->kind != NGX_HTTP_CHAT_BLOCK_PEOPLE)
    {
        return 0;
    }

    people = ngx_http_chat_people(z, n);

    for (i = 0; i < 2; i++) {

        if (people->places[i].user_len && people->places[i].room == room) {
            return n;
        }
    }

    return 0;
}


static uint32_t
ngx_http_chat_occupant_spare(ngx_http_chat_zone_t *z, uint32_t room,
    uint32_t n)
{
    ngx_http_chat_people_sh_t  *people;

    people = ngx_http_chat_people(z, n);

    if (people->places[0].user_len == 0) {
        return 2 * n;
    }

    if (people->places[1].user_len == 0) {
        return 2 * n + 1;
    }

    return 0;
}


ngx_int_t
ngx_http_chat_occupant_expel_locked(ngx_http_chat_zone_t *z, uint32_t o,
    uint64_t seq)
{
    uint32_t                      heir, nonces, *link;
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(z, o);

    if (occupant->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED) {
        return NGX_OK;
    }

    heir = 0;
    link = ngx_http_chat_occupant_link(z, o);

    if (link && ngx_http_chat_occupant_known(z, o, 0, 0)) {
        heir = ngx_http_chat_occupant_heir(z, o);

        if (heir == 0) {
            return NGX_DECLINED;
        }
    }

    occupant->expelled = seq;

    /* the one store from which on he is out: the flag only says so too */

    if (link) {
        ngx_memory_barrier();

        *link = heir ? heir : occupant->next;

        ngx_memory_barrier();
    }

    ngx_http_chat_occupant_out(z, o);

    if (heir && occupant->nonces) {
        nonces = occupant->nonces;

        /* at no time anybody's and another's */

        occupant->nonces = 0;

        ngx_memory_barrier();

        ngx_http_chat_occupant(z, heir)->nonces = nonces;
    }

    return NGX_OK;
}


/* The one who stands for him in the table when he is out; not there yet. */

static uint32_t
ngx_http_chat_occupant_heir(ngx_http_chat_zone_t *z, uint32_t o)
{
    uint32_t                      n;
    ngx_str_t                     user;
    ngx_http_chat_occupant_sh_t  *occupant, *heir;

    occupant = ngx_http_chat_occupant(z, o);

    user.data = occupant->user;
    user.len = occupant->user_len;

    n = ngx_http_chat_occupant_make(z, occupant->room, &user, occupant->hash);

    if (n == 0) {
        return 0;
    }

    heir = ngx_http_chat_occupant(z, n);

    heir->next = occupant->next;
    heir->read = occupant->read;
    heir->muted = occupant->muted;
    heir->banned = occupant->banned;
    heir->sent = occupant->sent;
    heir->granted = occupant->granted;
    heir->role = occupant->role;
    heir->flags = occupant->flags & (NGX_HTTP_CHAT_OCCUPANT_CHOSEN
                                     |NGX_HTTP_CHAT_OCCUPANT_GUEST);
    heir->name_len = occupant->name_len;

    ngx_memcpy(heir->color, occupant->color, sizeof(heir->color));
    ngx_memcpy(heir->name, occupant->name, sizeof(heir->name));

    return n;
}


/* Says of one who is out of the table that he is. */

static void
ngx_http_chat_occupant_out(ngx_http_chat_zone_t *z, uint32_t o)
{
    uint8_t                       flags;
    ngx_http_chat_room_sh_t      *rm;
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(z, o);
    rm = ngx_http_chat_room(z, occupant->room);

    flags = occupant->flags;

    occupant->flags = (flags & ~NGX_HTTP_CHAT_OCCUPANT_COUNTED)
                      | NGX_HTTP_CHAT_OCCUPANT_EXPELLED;

    if ((flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED) && rm->users) {
        rm->users--;
    }
}


ngx_uint_t
ngx_http_chat_occupant_forget_locked(ngx_http_chat_zone_t *z, uint32_t o,
    uint64_t now, ngx_uint_t squeeze)
{
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(z, o);

    if (ngx_http_chat_occupant_here_locked(z, o)) {
        return 0;
    }

    if (!(occupant->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED)
        && ngx_http_chat_occupant_link(z, o))
    {
        if ((occupant->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED)
            || ngx_http_chat_occupant_known(z, o, now, squeeze))
        {
            return 0;
        }
    }

    ngx_http_chat_occupant_free(z, o);

    return 1;
}


/* Is there anything to know of him when he is not there? */

static ngx_uint_t
ngx_http_chat_occupant_known(ngx_http_chat_zone_t *z, uint32_t o,
    uint64_t now, ngx_uint_t squeeze)
{
    ngx_http_chat_room_sh_t      *rm;
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(z, o);
    rm = ngx_http_chat_room(z, occupant->room);

    if (occupant->granted
        || occupant->banned > now
        || occupant->muted > now
        || (rm->slow && occupant->sent + rm->slow > now))
    {
        return 1;
    }

    if (squeeze || (occupant->flags & NGX_HTTP_CHAT_OCCUPANT_GUEST)) {
        return 0;
    }

    if (occupant->read || occupant->nonces) {
        return 1;
    }

    /* an inbox keeps its owner's profile */

    return (occupant->flags & NGX_HTTP_CHAT_OCCUPANT_CHOSEN)
           && rm->name[0] == '@';
}


void
ngx_http_chat_occupant_clear_locked(ngx_http_chat_zone_t *z, uint32_t room)
{
    uint32_t  o, next;

    next = ngx_http_chat_occupant_next_locked(z, room, 0);

    while (next) {
        o = next;
        next = ngx_http_chat_occupant_next_locked(z, room, o);

        ngx_http_chat_occupant_free(z, o);
    }

    /* blocks in which nobody was left when somebody died */

    while (ngx_http_chat_room(z, room)->people) {
        ngx_http_chat_occupant_free_block(z, room,
                                        ngx_http_chat_room(z, room)->people);
    }
}


static void
ngx_http_chat_occupant_free(ngx_http_chat_zone_t *z, uint32_t o)
{
    uint32_t                     *link;
    ngx_http_chat_room_sh_t      *rm;
    ngx_http_chat_people_sh_t    *people;
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(z, o);
    rm = ngx_http_chat_room(z, occupant->room);

    link = ngx_http_chat_occupant_link(z, o);

    if (link) {
        *link = occupant->next;
        ngx_memory_barrier();
    }

    ngx_http_chat_nonce_clear_locked(z, o);
    ngx_http_chat_here_free_locked(z, o);

    if ((occupant->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED) && rm->users) {
        rm->users--;
    }

    ngx_memory_barrier();

    occupant->user_len = 0;

    people = ngx_http_chat_people(z, o >> 1);

    if (people->places[0].user_len || people->places[1].user_len) {
        rm->vacant = o >> 1;
        return;
    }

    ngx_http_chat_occupant_free_block(z, occupant->room, o >> 1);
}


/*
 * The back link of the next one is turned first: were it the other way round,
 * somebody who dies in between would leave it leading to this block, which
 * would still seem to lead on to the next one.
 */

static void
ngx_http_chat_occupant_free_block(ngx_http_chat_zone_t *z, uint32_t room,
    uint32_t n)
{
    uint32_t                  prev, next, *link;
    ngx_http_chat_room_sh_t  *rm;

    rm = ngx_http_chat_room(z, room);
    link = ngx_http_chat_occupant_block_link(z, room, n);

    if (link == NULL) {
        return;
    }

    next = ngx_http_chat_block(z, n)->next;

    if (rm->vacant == n) {
        rm->vacant = next;
    }

    if (next) {
        prev = ngx_http_chat_people(z, n)->prev;
        ngx_http_chat_people(z, next)->prev = prev;
    }

    ngx_memory_barrier();

    *link = next;

    ngx_memory_barrier();

    ngx_http_chat_block_free(z, n, n, 1);
}


/* What leads to that block of the room: the list is walked only if the back
 * link does not hold. */

static uint32_t *
ngx_http_chat_occupant_block_link(ngx_http_chat_zone_t *z, uint32_t room,
    uint32_t n)
{
    uint32_t                   prev, *link;
    ngx_http_chat_room_sh_t   *rm;
    ngx_http_chat_block_sh_t  *block;

    rm = ngx_http_chat_room(z, room);

    if (rm->people == n) {
        ngx_http_chat_people(z, n)->prev = 0;
        return &rm->people;
    }

    prev = ngx_http_chat_people(z, n)->prev;

    if (prev && prev <= z->sh->nblocks) {
        block = ngx_http_chat_block(z, prev);

        if (block->kind == NGX_HTTP_CHAT_BLOCK_PEOPLE && block->next == n) {
            return &block->next;
        }
    }

    prev = 0;
    link = &rm->people;

    while (*link && *link != n) {
        prev = *link;
        link = &ngx_http_chat_block(z, prev)->next;
    }

    ngx_http_chat_people(z, n)->prev = prev;

    return *link ? link : NULL;
}


uint32_t
ngx_http_chat_occupant_next_locked(ngx_http_chat_zone_t *z, uint32_t room,
    uint32_t o)
{
    uint32_t  n;

    if (o && (o & 1) == 0 && ngx_http_chat_occupant(z, o + 1)->user_len) {
        return o + 1;
    }

    n = o ? ngx_http_chat_block(z, o >> 1)->next
          : ngx_http_chat_room(z, room)->people;

    for ( /* void */ ; n; n = ngx_http_chat_block(z, n)->next) {

        if (ngx_http_chat_occupant(z, 2 * n)->user_len) {
            return 2 * n;
        }

        if (ngx_http_chat_occupant(z, 2 * n + 1)->user_len) {
            return 2 * n + 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_chat_occupant_matters_locked(ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t now)
{
    uint32_t                      o;
    ngx_http_chat_occupant_sh_t  *occupant;

    for (o = ngx_http_chat_occupant_next_locked(z, room, 0);
         o;
         o = ngx_http_chat_occupant_next_locked(z, room, o))
    {
        occupant = ngx_http_chat_occupant(z, o);

        if (occupant->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED) {
            continue;
        }

        if (occupant->granted
            || occupant->banned > now
            || occupant->muted > now)
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_chat_occupant_count_locked(ngx_http_chat_zone_t *z, uint32_t room)
{
    uint32_t                      o;
    ngx_uint_t                    here, users;
    ngx_http_chat_room_sh_t      *rm;
    ngx_http_chat_occupant_sh_t  *occupant;

    rm = ngx_http_chat_room(z, room);
    users = 0;

    for (o = ngx_http_chat_occupant_next_locked(z, room, 0);
         o;
         o = ngx_http_chat_occupant_next_locked(z, room, o))
    {
        occupant = ngx_http_chat_occupant(z, o);

        if (occupant->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED) {
            continue;
        }

        here = ngx_http_chat_occupant_here_locked(z, o);

        if (here == 0 && !(occupant->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED))
        {
            continue;
        }

        if (ngx_http_chat_occupant_link(z, o) == NULL) {

            /* who expelled him died before he could say so */

            ngx_http_chat_occupant_out(z, o);
            rm->changes++;
            continue;
        }

        occupant->flags |= NGX_HTTP_CHAT_OCCUPANT_COUNTED;
        users++;
    }

    rm->users = (uint32_t) users;

    return users;
}


void
ngx_http_chat_occupant_look_locked(ngx_http_chat_zone_t *z, uint32_t room,
    uint32_t o, ngx_http_chat_standing_t *standing)
{
    ngx_http_chat_room_sh_t      *rm;
    ngx_http_chat_occupant_sh_t  *occupant;

    rm = ngx_http_chat_room(z, room);

    ngx_memzero(standing, sizeof(ngx_http_chat_standing_t));

    standing->slow = rm->slow;
    standing->settings = rm->settings;
    standing->users = rm->users;

    if (o == 0) {
        return;
    }

    occupant = ngx_http_chat_occupant(z, o);

    standing->occupant = o;
    standing->granted = occupant->granted;
    standing->role = occupant->role;
    standing->here = ngx_http_chat_occupant_here_locked(z, o);
    standing->flags = occupant->flags;
    standing->since = occupant->since;
    standing->muted = occupant->muted;
    standing->banned = occupant->banned;
    standing->read = occupant->read;
    standing->user_len = occupant->user_len;
    standing->name_len = occupant->name_len;

    ngx_memcpy(standing->color, occupant->color, sizeof(standing->color));
    ngx_memcpy(standing->user, occupant->user, sizeof(standing->user));
    ngx_memcpy(standing->name, occupant->name, sizeof(standing->name));

    if (standing->name_len == 0) {

        /* he never came, or whoever wrote his name died meanwhile */

        standing->name_len = standing->user_len;
        ngx_memcpy(standing->name, standing->user, sizeof(standing->name));
    }
}
