
#include "shm_people_kit.h"


typedef struct {
    ngx_http_chat_zone_t  *z;
    people_census_t       *sum;
    u_char                *seen;         /* blocks */
    u_char                *linked;       /* occupants */
    const char            *wrong;
} people_count_t;


static void people_count_room(people_count_t *c, uint32_t room);
static void people_count_occupant(people_count_t *c, uint32_t room,
    uint32_t o);
static void people_count_table(people_count_t *c);
static void people_count_link(people_count_t *c, uint32_t bucket, uint32_t o);
static void people_count_chain(people_count_t *c, uint32_t n,
    ngx_uint_t kind);
static ngx_uint_t people_count_block(people_count_t *c, uint32_t n,
    ngx_uint_t kind);


uint32_t
people_room(ngx_http_chat_zone_t *z, uint32_t hash)
{
    uint32_t                  n;
    ngx_http_chat_room_sh_t  *room;

    n = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_ROOM);

    if (n == 0) {
        exit(2);
    }

    room = ngx_http_chat_room(z, n);

    ngx_memzero(room, sizeof(ngx_http_chat_room_sh_t));
    room->hash = hash;
    room->epoch = n;
    room->name_len = 1;
    room->name[0] = 'r';

    return n;
}


ngx_str_t *
people_user(ngx_uint_t n)
{
    static u_char     buf[NGX_HTTP_CHAT_PERSON_MAX];
    static ngx_str_t  user = { 0, buf };

    /* of any length, and the longest ones differ at their end */

    user.len = 1 + (n * 13) % NGX_HTTP_CHAT_PERSON_MAX;

    ngx_memset(buf, 'u', sizeof(buf));
    buf[user.len - 1] = (u_char) ('0' + n / NGX_HTTP_CHAT_PERSON_MAX);

    return &user;
}


const char *
people_census(ngx_http_chat_zone_t *z, people_census_t *census)
{
    ngx_uint_t      i;
    people_count_t  c;

    census->held = 0;
    census->linked = 0;
    census->stray = 0;
    census->empty = 0;

    c.z = z;
    c.sum = census;
    c.seen = calloc(1, z->sh->nblocks + 1);
    c.linked = calloc(2, z->sh->nblocks + 1);
    c.wrong = NULL;

    if (c.seen == NULL || c.linked == NULL) {
        exit(2);
    }

    people_count_table(&c);

    for (i = 0; i < PEOPLE_ROOMS && c.wrong == NULL; i++) {

        if (census->rooms[i]) {
            people_count_room(&c, census->rooms[i]);
        }
    }

    for (i = 0; i < 2 * (z->sh->nblocks + 1) && c.wrong == NULL; i++) {

        if (c.linked[i] && !c.seen[i / 2]) {
            c.wrong = "the table has one of no room's people";
        }
    }

    free(c.seen);
    free(c.linked);

    return c.wrong;
}


const char *
people_complete(ngx_http_chat_zone_t *z, people_census_t *census)
{
    uint32_t     n, prev;
    const char  *wrong;
    ngx_uint_t   i;

    wrong = people_census(z, census);

    if (wrong) {
        return wrong;
    }

    if (census->stray) {
        return "somebody is not in the table";
    }

    if (census->empty) {
        return "a block has nobody in it";
    }

    if (census->held + z->sh->pool.nfree != z->sh->nblocks) {
        return "blocks are lost";
    }

    for (i = 0; i < PEOPLE_ROOMS; i++) {

        if (census->rooms[i] == 0) {
            continue;
        }

        prev = 0;

        for (n = ngx_http_chat_room(z, census->rooms[i])->people;
             n;
             n = ngx_http_chat_block(z, n)->next)
        {
            if (prev
                && ((ngx_http_chat_people_sh_t *)
                    ngx_http_chat_block(z, n)->data)->prev != prev)
            {
                return "a back link does not hold";
            }

            prev = n;
        }
    }

    return NULL;
}


static void
people_count_room(people_count_t *c, uint32_t room)
{
    uint32_t                   n;
    ngx_http_chat_room_sh_t   *rm;
    ngx_http_chat_people_sh_t *people;

    if (!people_count_block(c, room, NGX_HTTP_CHAT_BLOCK_ROOM)) {
        return;
    }

    rm = ngx_http_chat_room(c->z, room);

    for (n = rm->people; n; n = ngx_http_chat_block(c->z, n)->next) {

        if (!people_count_block(c, n, NGX_HTTP_CHAT_BLOCK_PEOPLE)) {
            return;
        }

        people = (ngx_http_chat_people_sh_t *)
                     ngx_http_chat_block(c->z, n)->data;

        if (!people->places[0].user_len && !people->places[1].user_len) {
            c->sum->empty++;
        }

        people_count_occupant(c, room, 2 * n);
        people_count_occupant(c, room, 2 * n + 1);
    }
}


static void
people_count_occupant(people_count_t *c, uint32_t room, uint32_t o)
{
    ngx_http_chat_occupant_sh_t  *occupant;

    occupant = ngx_http_chat_occupant(c->z, o);

    if (occupant->user_len == 0) {

        if (c->linked[o]) {
            c->wrong = "the table has a free place";
        }

        return;
    }

    if (occupant->room != room) {
        c->wrong = "somebody is in another room's list";
    }

    if (c->linked[o] && (occupant->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED)) {
        c->wrong = "somebody expelled is in the table";
    }

    if (c->linked[o]) {
        c->sum->linked++;

    } else if (!(occupant->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED)) {
        c->sum->stray++;
    }

    people_count_chain(c, occupant->more, NGX_HTTP_CHAT_BLOCK_HERE);
    people_count_chain(c, occupant->nonces, NGX_HTTP_CHAT_BLOCK_NONCES);
}


static void
people_count_table(people_count_t *c)
{
    uint32_t  i, o;

    for (i = 0; i < c->z->sh->nbuckets; i++) {

        for (o = c->z->people[i];
             o && c->wrong == NULL;
             o = ngx_http_chat_occupant(c->z, o)->next)
        {
            people_count_link(c, i, o);
        }
    }
}


static void
people_count_link(people_count_t *c, uint32_t bucket, uint32_t o)
{
    uint32_t                      mask;
    ngx_http_chat_occupant_sh_t  *occupant;

    if (o / 2 == 0 || o / 2 >= c->z->sh->pool.unused) {
        c->wrong = "the table leads out of the zone";
        return;
    }

    if (c->linked[o]++) {
        c->wrong = "the table has somebody twice";
        return;
    }

    occupant = ngx_http_chat_occupant(c->z, o);
    mask = NGX_HTTP_CHAT_STRIPES - 1;

    if ((occupant->hash & (c->z->sh->nbuckets - 1) & ~mask)
        != (bucket & ~mask)
        || (ngx_http_chat_room(c->z, occupant->room)->hash & mask)
           != (bucket & mask))
    {
        c->wrong = "somebody hangs on another's bucket";
    }
}


static void
people_count_chain(people_count_t *c, uint32_t n, ngx_uint_t kind)
{
    while (n && people_count_block(c, n, kind)) {
        n = ngx_http_chat_block(c->z, n)->next;
    }
}


static ngx_uint_t
people_count_block(people_count_t *c, uint32_t n, ngx_uint_t kind)
{
    if (n == 0 || n >= c->z->sh->pool.unused) {
        c->wrong = "an index leads out of the zone";

    } else if (c->seen[n]++) {
        c->wrong = "a block is in two places";

    } else if (ngx_http_chat_block(c->z, n)->kind != kind) {
        c->wrong = "a block is of the wrong kind";
    }

    c->sum->held++;

    return c->wrong == NULL;
}
