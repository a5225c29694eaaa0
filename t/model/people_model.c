
/*
 * Interleavings of coming and going, expelling, evicting rooms, burying the
 * dead, and what else is shared.
 *
 *     people_model [switches [name]]
 */


#include "cases.h"
#include "ngx_http_chat_evict.h"
#include "ngx_http_chat_limit.h"


/* Who came, and what he was told. */
typedef struct {
    uint32_t       room;
    uint32_t       occupant;
    uint64_t       epoch;
    uint64_t       expelled;             /* as he saw it, without a lock */
    ngx_int_t      rc;
    ngx_uint_t     told;                 /* rc is set */
    ngx_uint_t     slot;
} people_conn_t;


static struct {
    people_conn_t  conns[MODEL_WORKERS];
    uint32_t       blocks[MODEL_WORKERS][2];
    ngx_uint_t     taken;
} people;

static uint32_t       people_room;
static uint64_t       people_epoch, people_key;


static void
people_start(void)
{
    model_keep(&people, sizeof(people));
    case_start();
}


/* Somebody is there for good, from slot 0. */

static void
people_setup(ngx_http_chat_zone_t *z)
{
    uint32_t  o;

    ngx_memzero(&people, sizeof(people));

    people_room = case_join(z, "a", "zoe", &people_epoch, &o);
    people_start();
}


static void
people_setup_nobody(ngx_http_chat_zone_t *z)
{
    ngx_memzero(&people, sizeof(people));
    people_start();
}


static people_conn_t *
people_me(void)
{
    return &people.conns[model_worker()];
}


static void
people_announce(ngx_http_chat_announce_t *an, uint16_t *slots)
{
    ngx_memzero(an, sizeof(ngx_http_chat_announce_t));

    an->presence = NGX_HTTP_CHAT_PRESENCE_FULL;
    an->limit = 10;
    an->slots = slots;

    an->event.flags = NGX_HTTP_CHAT_ENTRY_EVENT;
    an->event.head.data = (u_char *) "{\"n\":";
    an->event.head.len = 5;
    an->event.tail.data = (u_char *) "}";
    an->event.tail.len = 1;
    an->count = an->event;
}


static void
people_come(ngx_http_chat_zone_t *z, const char *room, const char *user,
    ngx_uint_t max)
{
    uint16_t                    slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_str_t                   name;
    people_conn_t              *c;
    ngx_http_chat_person_t      person;
    ngx_http_chat_announce_t    an;
    ngx_http_chat_room_view_t   view;

    c = people_me();
    people_announce(&an, slots);
    ngx_memzero(&person, sizeof(ngx_http_chat_person_t));

    name.data = (u_char *) room;
    name.len = ngx_strlen(room);

    if (user) {
        person.user.data = (u_char *) user;
        person.user.len = ngx_strlen(user);
        person.name = person.user;
    }

    c->rc = ngx_http_chat_room_join(z, &name, &case_keep,
                                    user ? &person : NULL, max,
                                    user ? &an : NULL, &c->room, &c->occupant,
                                    &view);
    c->epoch = view.epoch;
    c->told = 1;
}


static void
people_go(ngx_http_chat_zone_t *z, const char *user)
{
    uint16_t                    slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_str_t                   name;
    ngx_msec_t                  wait;
    people_conn_t              *c;
    ngx_http_chat_announce_t    an;

    c = people_me();
    name.data = (u_char *) user;
    name.len = ngx_strlen(user);

    if (ngx_http_chat_room_leave(z, c->room, c->epoch, c->occupant, 0)) {
        people_announce(&an, slots);
        (void) ngx_http_chat_room_left(z, c->room, c->epoch, &name, &an,
                                       &wait);
    }

    c->told = 0;
}


static void
people_join_ann(ngx_http_chat_zone_t *z)
{
    people_come(z, "a", "ann", 0);
}


static void
people_join_bob(ngx_http_chat_zone_t *z)
{
    people_come(z, "a", "bob", 0);
}


static void
people_leave_ann(ngx_http_chat_zone_t *z)
{
    people_go(z, "ann");
}


static void
people_pass_through(ngx_http_chat_zone_t *z)
{
    people_come(z, "a", model_worker() ? "ann" : "bob", 0);
    people_go(z, model_worker() ? "ann" : "bob");
}


/* How many connections the workers who live have, and of how many users;
 * the dead have none. */

static void
people_expect(ngx_http_chat_zone_t *z, ngx_uint_t members, ngx_uint_t users)
{
    uint32_t                   n;
    uint64_t                   epoch;
    ngx_str_t                  name;
    ngx_http_chat_room_view_t  view;

    name.data = (u_char *) "a";
    name.len = 1;

    n = ngx_http_chat_room_find(z, &name, &epoch);

    if (n == 0) {
        model_must(members == 0 && users == 0);
        return;
    }

    model_must(ngx_http_chat_room_view(z, n, epoch, &view) == NGX_OK);
    model_must(view.members == members);

    /* who was there with the dead is due to be said to have left */

    model_must(view.users == users || (model_deaths() && view.users > users));
}


static ngx_uint_t
people_alive(void)
{
    ngx_uint_t  w, n;

    for (w = 0, n = 0; w < MODEL_WORKERS; w++) {
        n += people.conns[w].told && people.conns[w].rc == NGX_OK
             && !model_died(w);
    }

    return n;
}


static void
people_check_two(ngx_http_chat_zone_t *z)
{
    model_settle(z);
    people_expect(z, people_alive(), people_alive());
}


static void
people_check_one(ngx_http_chat_zone_t *z)
{
    model_settle(z);
    people_expect(z, people_alive(), people_alive() ? 1 : 0);
}


static void
people_check_and_zoe(ngx_http_chat_zone_t *z)
{
    model_settle(z);
    people_expect(z, people_alive() + 1, people_alive() + 1);
}


/* Ann is there, from worker 1. */

static void
people_setup_ann(ngx_http_chat_zone_t *z)
{
    people_conn_t  *c;

    people_setup(z);

    c = &people.conns[1];
    c->room = case_join(model_zone(1), "a", "ann", &c->epoch, &c->occupant);
    c->slot = 2;
}


/* She has gone, and it is time to say so. */

static void
people_setup_left(ngx_http_chat_zone_t *z)
{
    people_conn_t  *c;

    people_setup_ann(z);

    c = &people.conns[1];
    (void) ngx_http_chat_room_leave(model_zone(1), c->room, c->epoch,
                                    c->occupant, 0);
}


static void
people_left_ann(ngx_http_chat_zone_t *z)
{
    uint16_t                    slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_str_t                   name;
    ngx_msec_t                  wait;
    ngx_http_chat_announce_t    an;

    name.data = (u_char *) "ann";
    name.len = 3;

    people_announce(&an, slots);
    (void) ngx_http_chat_room_left(z, people_room, people_epoch, &name, &an,
                                   &wait);
}


static void
people_kick_ann(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_change_t  change;

    ngx_memzero(&change, sizeof(ngx_http_chat_change_t));

    change.user.data = (u_char *) "ann";
    change.user.len = 3;
    change.what = NGX_HTTP_CHAT_CHANGE_KICK;

    (void) case_say_as(z, people_room, people_epoch, 0, NULL, &change, 0,
                       NULL);
}


static void
people_ban_ann(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_change_t  change;

    ngx_memzero(&change, sizeof(ngx_http_chat_change_t));

    change.user.data = (u_char *) "ann";
    change.user.len = 3;
    change.what = NGX_HTTP_CHAT_CHANGE_BAN;
    change.until = NGX_HTTP_CHAT_FOREVER;

    (void) case_say_as(z, people_room, people_epoch, 0, NULL, &change, 0,
                       NULL);
}


/* What she says after she knows is refused; what she said before is there,
 * in front of the kick. */

static void
people_speak_ann(ngx_http_chat_zone_t *z)
{
    ngx_int_t       rc;
    ngx_uint_t      i;
    people_conn_t  *c;

    c = people_me();

    for (i = 0; i < 2; i++) {
        c->expelled = ngx_http_chat_room_expelled(z, c->occupant);

        rc = case_say_as(z, c->room, c->epoch, c->occupant, NULL, NULL, 0,
                         NULL);

        model_must(rc == NGX_OK || rc == NGX_ABORT);

        if (c->expelled) {
            model_must(rc == NGX_ABORT);
            return;
        }

        if (rc == NGX_ABORT) {
            c->expelled = ngx_http_chat_room_expelled(z, c->occupant);
            model_must(c->expelled != 0);
            return;
        }
    }
}


static void
people_check_kick(ngx_http_chat_zone_t *z)
{
    ngx_uint_t      i;
    case_said_t    *said;
    people_conn_t  *c;

    c = &people.conns[1];

    if (!model_died(0)) {
        model_must(ngx_http_chat_room_expelled(z, c->occupant)
                   == case_said[0].seq);

        said = &case_said[1];

        for (i = 0; i < said->n; i++) {
            model_must(!said->entries[i].told
                       || said->entries[i].rc != NGX_OK
                       || said->entries[i].seq < case_said[0].seq);
        }

        model_must(c->expelled == 0 || c->expelled == case_said[0].seq);
    }

    (void) case_log(z, people_room, people_epoch);

    if (!model_died(1)) {
        (void) ngx_http_chat_room_leave(model_zone(1), c->room, c->epoch,
                                        c->occupant, 0);
    }

    model_settle(z);
    people_expect(z, 1, 1);
}


static void
people_check_kick_leave(ngx_http_chat_zone_t *z)
{
    ngx_str_t                 user;
    ngx_http_chat_standing_t  standing;

    user.data = (u_char *) "ann";
    user.len = 3;

    model_settle(z);
    (void) case_log(z, people_room, people_epoch);

    model_must(ngx_http_chat_room_standing(z, people_room, people_epoch, &user,
                                           &standing)
               == NGX_OK);
    model_must(standing.here == 0);

    if (model_deaths() == 0) {
        model_must(standing.users == 1);
    }
}


/* She is there or not, but never there and not known to be banned. */

static void
people_check_ban(ngx_http_chat_zone_t *z)
{
    ngx_str_t                  user;
    people_conn_t             *c;
    ngx_http_chat_standing_t   standing;

    user.data = (u_char *) "ann";
    user.len = 3;
    c = &people.conns[1];

    model_must(ngx_http_chat_room_standing(z, people_room, people_epoch, &user,
                                           &standing)
               == NGX_OK);

    if (!model_died(0)) {
        model_must(standing.banned != 0);
    }

    if (!model_died(0) && !model_died(1) && c->rc == NGX_OK) {
        model_must(ngx_http_chat_room_occupant(z, people_room, people_epoch,
                                               c->occupant, &standing)
                   == NGX_OK);
        model_must(standing.banned != 0);
    }

    model_settle(z);
    (void) case_log(z, people_room, people_epoch);
}


/* An empty room, the only thing to evict in a zone without a free block. */

static void
people_setup_evict(ngx_http_chat_zone_t *z)
{
    uint64_t  epoch;

    people_setup(z);

    people_room = case_join(model_zone(1), "e", NULL, &epoch, NULL);
    people_epoch = epoch;
    (void) ngx_http_chat_room_leave(model_zone(1), people_room, epoch, 0, 0);

    ngx_stub_time(SHM_NOW + 5000);
}


static void
people_evict(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  tries;

    tries = 2;
    (void) ngx_http_chat_evict(z, &tries, NGX_HTTP_CHAT_EVICT_NEED);
}


static void
people_visit(ngx_http_chat_zone_t *z)
{
    people_conn_t  *c;

    people_come(z, "e", NULL, 0);

    c = people_me();
    model_must(c->rc == NGX_OK || model_deaths());

    if (c->rc == NGX_OK) {
        model_must(case_say(z, c->room, c->epoch, 40) == NGX_OK
                   || model_deaths());
    }
}


static void
people_check_evict(ngx_http_chat_zone_t *z)
{
    people_conn_t  *c;

    c = &people.conns[1];

    if (!model_died(1) && c->rc == NGX_OK) {
        (void) case_log(z, c->room, c->epoch);
    }

    model_settle(z);
}


/* A room that counts: one may be in. */

static void
people_count(ngx_http_chat_zone_t *z)
{
    people_come(z, "\2c", NULL, 1);
    model_must(people_me()->rc == NGX_OK || people_me()->rc == NGX_BUSY);
}


static void
people_check_count(ngx_http_chat_zone_t *z)
{
    ngx_uint_t      w;
    ngx_str_t       name;
    uint64_t        epoch;
    people_conn_t  *c;

    if (model_deaths() == 0) {
        model_must(people_alive() == 1);
    }

    model_must(people_alive() <= 1);

    model_settle(z);

    for (w = 0; w < 2; w++) {
        c = &people.conns[w];

        if (c->told && c->rc == NGX_OK && !model_died(w)) {
            (void) ngx_http_chat_room_leave(model_zone(w), c->room, c->epoch,
                                            0, 0);
        }
    }

    name.data = (u_char *) "\2c";
    name.len = 2;

    if (model_deaths() == 0) {
        model_must(ngx_http_chat_room_find(z, &name, &epoch) == 0);
    }

    model_settle(z);
}


/* A worker has died in slot 4, with a member; two others bury him, one of
 * them to take his slot. */

static void
people_setup_dead(ngx_http_chat_zone_t *z)
{
    uint32_t              o;
    uint64_t              epoch;
    ngx_http_chat_zone_t  other;

    people_setup(z);

    other = *z;
    other.slot = 4;
    z->slots[4].pid = NGX_STUB_DEAD;

    (void) case_join(&other, "a", "ann", &epoch, &o);
}


static void
people_bury(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  slot;

    slot = ngx_http_chat_zone_find_dead(z);

    if (slot != NGX_HTTP_CHAT_NO_SLOT) {
        ngx_http_chat_room_reap(z, slot, 0);
        ngx_http_chat_zone_release(z, slot);
    }
}


static void
people_claim(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  slot, dead;

    dead = 0;
    slot = ngx_http_chat_zone_claim(z, &dead);
    model_must(slot != NGX_HTTP_CHAT_NO_SLOT);

    if (dead) {
        ngx_http_chat_room_reap(z, slot, 0);
    }

    people_me()->slot = slot;
    z->slot = slot;

    people_come(z, "a", model_worker() ? "bob" : "cid", 0);
}


static void
people_check_dead(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  w;

    for (w = 0; w < 2; w++) {
        model_zone(w)->slot = w + 1;
    }

    if (model_deaths() == 0 && people.conns[0].told) {
        model_must(people.conns[0].slot != people.conns[1].slot);
    }

    model_settle(z);

    /* zoe, whoever came, and ann until it is said that she has left */

    people_expect(z, people_alive() + 1, people_alive() + 2);
}


/* A block is lost; while one looks for it, another one goes on. */

static void
people_setup_repair(ngx_http_chat_zone_t *z)
{
    people_setup(z);

    (void) ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
    z->sh->leaks = 1;
}


static void
people_repair(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_repair(z);
}


static void
people_say(ngx_http_chat_zone_t *z)
{
    (void) case_say(z, people_room, people_epoch, 600);
}


static void
people_check_repair(ngx_http_chat_zone_t *z)
{
    (void) case_log(z, people_room, people_epoch);

    if (model_died(0)) {
        z->sh->leaks = 1;
    }

    model_settle(z);
    (void) case_log(z, people_room, people_epoch);
}


/* The pool by itself. */

static void
people_blocks(ngx_http_chat_zone_t *z)
{
    uint32_t  *b;

    b = people.blocks[model_worker()];

    b[0] = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
    b[1] = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);

    model_must(b[0] && b[1] && b[0] != b[1]);

    ngx_http_chat_block_free(z, b[0], b[0], 1);
    b[0] = 0;
    b[0] = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
}


static void
people_check_blocks(ngx_http_chat_zone_t *z)
{
    uint32_t    seen[MODEL_BLOCKS * 2];
    ngx_uint_t  w, i;

    ngx_memzero(seen, sizeof(seen));

    for (w = 0; w < MODEL_WORKERS; w++) {

        for (i = 0; i < 2 && !model_died(w); i++) {
            model_must(people.blocks[w][i] == 0
                       || seen[people.blocks[w][i]]++ == 0);
        }
    }

    z->sh->leaks = 1;
    model_settle(z);
}


/* A bucket with two tokens. */

static void
people_setup_limit(ngx_http_chat_zone_t *z)
{
    ngx_str_t  key;

    people_setup_nobody(z);

    key.data = (u_char *) "ann";
    key.len = 3;
    people_key = ngx_http_chat_limit_key(z, 1, &key);
}


static void
people_take(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {

        if (ngx_http_chat_limit_take(z, people_key, 1, 2, 5000, 0) == 0) {
            people.taken++;
        }
    }
}


static void
people_check_limit(ngx_http_chat_zone_t *z)
{
    model_must(people.taken <= 2);
    model_must(people.taken + model_deaths() >= 2);
    model_settle(z);
}


static const model_case_t  people_cases[] = {
    { "two make a room",
      people_setup_nobody, { people_join_ann, people_join_bob, NULL },
      people_check_two, 2, 1 },
    { "a user comes twice",
      people_setup_nobody, { people_join_ann, people_join_ann, NULL },
      people_check_one, 2, 1 },
    { "two come and go",
      people_setup_nobody, { people_pass_through, people_pass_through, NULL },
      people_check_two, 1, 1 },
    { "one is said to have left, and is back",
      people_setup_left, { people_left_ann, people_join_ann, NULL },
      people_check_and_zoe, 2, 1 },
    { "one is kicked and speaks",
      people_setup_ann, { people_kick_ann, people_speak_ann, NULL },
      people_check_kick, 2, 1 },
    { "one is kicked and leaves",
      people_setup_ann, { people_kick_ann, people_leave_ann, NULL },
      people_check_kick_leave, 2, 1 },
    { "one is banned and comes",
      people_setup, { people_ban_ann, people_join_ann, NULL },
      people_check_ban, 2, 1 },
    { "a room is evicted, and joined",
      people_setup_evict, { people_evict, people_visit, NULL },
      people_check_evict, 2, 1 },
    { "one place for two",
      people_setup_nobody, { people_count, people_count, NULL },
      people_check_count, 2, 1 },
    { "two bury one",
      people_setup_dead, { people_bury, people_bury, people_join_bob },
      people_check_dead, 1, 1 },
    { "one is buried, two take slots",
      people_setup_dead, { people_claim, people_claim, NULL },
      people_check_dead, 1, 0 },
    { "one repairs, one appends",
      people_setup_repair, { people_repair, people_say, NULL },
      people_check_repair, 1, 1 },
    { "blocks taken and given back by three",
      people_setup_nobody, { people_blocks, people_blocks, people_blocks },
      people_check_blocks, 2, 1 },
    { "two tokens for four",
      people_setup_limit, { people_take, people_take, NULL },
      people_check_limit, 3, 1 },
};


int
main(int argc, char **argv)
{
    return case_main(argc, argv, people_cases,
                     sizeof(people_cases) / sizeof(people_cases[0]));
}
