
/*
 * Occupants and nonces against a model: plain arrays, to which the same random
 * operations are done.  After each of them the census must find every block,
 * every link and nobody who should not be there; often the zone is full.
 *
 *     shm_people [seed]
 */


#include "shm_people_kit.h"
#include "test.h"


#define PEOPLE_USERS     40
#define PEOPLE_SLOTS     24
#define PEOPLE_EXPELLED  64
#define PEOPLE_NONCES    3000
#define PEOPLE_LIVES     60
#define PEOPLE_STEPS     1500


typedef struct {
    uint64_t       hash;
    uint64_t       seq;
    uint64_t       ts;
} people_nonce_t;


typedef struct {
    uint32_t       o;                    /* 0: there is none */
    uint32_t       room;
    uint32_t       here[PEOPLE_SLOTS];
    uint64_t       read;
    uint64_t       muted;
    uint64_t       banned;
    ngx_uint_t     granted;
    uint64_t       expelled;
    ngx_uint_t     nnonces;
    people_nonce_t nonces[PEOPLE_NONCES];
} people_one_t;


typedef struct {
    uint64_t       now;
    uint64_t       seq;
    uint32_t       rooms[PEOPLE_ROOMS];
    people_one_t   users[PEOPLE_ROOMS][PEOPLE_USERS];
    people_one_t   expelled[PEOPLE_EXPELLED];
} people_model_t;


static uint64_t              people_seed = 1;
static ngx_uint_t            people_full;
static people_model_t        people_model;
static ngx_http_chat_zone_t  people_zone, *z = &people_zone;


static uint64_t
people_random(uint64_t n)
{
    return shm_random(&people_seed, n);
}


static ngx_uint_t
people_here(people_one_t *one)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < PEOPLE_SLOTS; i++) {
        n += one->here[i];
    }

    return n;
}


static ngx_http_chat_occupant_sh_t *
people_sh(people_one_t *one)
{
    return ngx_http_chat_occupant(z, one->o);
}


/* Nothing but a lack of blocks is a reason to refuse. */

static void
people_refused(void)
{
    test_eq(z->sh->pool.nfree, 0);
    people_full++;
}


static void
people_get(ngx_uint_t r, ngx_uint_t u)
{
    uint32_t       o;
    people_one_t  *one;

    one = &people_model.users[r][u];

    o = ngx_http_chat_occupant_get_locked(z, people_model.rooms[r],
                                          people_user(u));
    if (o == 0) {
        test_eq(one->o, 0);
        people_refused();
        return;
    }

    if (one->o) {
        test_eq(o, one->o);
        return;
    }

    ngx_memzero(one, offsetof(people_one_t, nonces));
    one->o = o;
    one->room = people_model.rooms[r];
}


/* Now and then from so many workers that their counts need a block. */

static void
people_enter(people_one_t *one)
{
    ngx_uint_t  n;

    for (n = people_random(6) ? 1 : 14; n; n--) {
        z->slot = people_random(PEOPLE_SLOTS);

        if (ngx_http_chat_occupant_enter_locked(z, one->o) == NGX_OK) {
            one->here[z->slot]++;

        } else {
            test_eq(one->here[z->slot], 0);
            people_refused();
        }
    }
}


static void
people_leave(people_one_t *one)
{
    ngx_uint_t  slot;

    slot = people_random(PEOPLE_SLOTS);

    if (people_random(8) == 0) {
        one->here[slot] = 0;
        test_eq(ngx_http_chat_occupant_reap_locked(z, one->o, slot),
                people_here(one));
        return;
    }

    one->here[slot] -= one->here[slot] ? 1 : 0;

    test_eq(ngx_http_chat_occupant_leave_locked(z, one->o, slot),
            people_here(one));
}


static void
people_fact(people_one_t *one)
{
    uint64_t                      until;
    ngx_http_chat_occupant_sh_t  *sh;

    sh = people_sh(one);

    until = people_random(3) ? people_model.now + people_random(2000) : 0;
    until = people_random(9) ? until : NGX_HTTP_CHAT_FOREVER;

    switch (people_random(5)) {

    case 0:
        sh->read = one->read = people_random(2) * people_model.seq;
        break;

    case 1:
        sh->muted = one->muted = until;
        break;

    case 2:
        sh->banned = one->banned = until;
        break;

    case 3:
        one->granted = people_random(4) ? 0 : people_random(4);
        sh->granted = (uint8_t) one->granted;
        break;

    default:
        sh->read = one->read = 0;
        sh->muted = one->muted = 0;
        sh->banned = one->banned = 0;
        sh->granted = 0;
        one->granted = 0;
    }
}


/* What the chain may have dropped is whole blocks of what is too old. */

static void
people_nonces(people_one_t *one, uint64_t since)
{
    ngx_uint_t                 i;
    people_nonce_t            *n;
    ngx_http_chat_nonce_sh_t  *sh;

    for (i = 0; i < one->nnonces; i++) {
        n = &one->nonces[i];

        sh = ngx_http_chat_nonce_find_locked(z, one->o, n->hash, since);

        if (n->ts < since || one->nnonces - i > NGX_HTTP_CHAT_NONCES_MAX) {
            test_ok(n->ts >= since || sh == NULL);
            continue;
        }

        if (one->nnonces - i
            <= NGX_HTTP_CHAT_NONCES_MAX - NGX_HTTP_CHAT_NONCES)
        {
            test_ok(sh != NULL);
        }

        if (sh) {
            test_eq(sh->seq, n->seq);
            test_eq(sh->ts, n->ts);
        }
    }

    test_ok(ngx_http_chat_nonce_find_locked(z, one->o, 1, 0) == NULL);

    test_ok(shm_chain(z, people_sh(one)->nonces)
            <= NGX_HTTP_CHAT_NONCES_MAX / NGX_HTTP_CHAT_NONCES);
}


static void
people_nonce(people_one_t *one)
{
    uint64_t         hash, since;
    ngx_int_t        rc;
    ngx_uint_t       n;
    people_nonce_t  *last;

    n = people_random(40) ? people_random(30) : people_random(1200);
    since = people_model.now - 500;

    while (n-- && one->nnonces < PEOPLE_NONCES) {
        hash = people_random((uint64_t) 1 << 62) + 2;
        people_model.now += people_random(6) ? 0 : 1;
        people_model.seq++;

        rc = ngx_http_chat_nonce_add_locked(z, one->o, hash, people_model.seq,
                                            people_model.now, since);
        if (rc != NGX_OK) {
            people_refused();
            break;
        }

        last = &one->nonces[one->nnonces++];
        last->hash = hash;
        last->seq = people_model.seq;
        last->ts = people_model.now;
    }

    if (one->nnonces && people_random(3) == 0) {
        last = &one->nonces[one->nnonces - 1];

        ngx_http_chat_nonce_undo_locked(z, one->o, last->seq + 1);

        if (last->ts >= since) {
            test_ok(ngx_http_chat_nonce_find_locked(z, one->o, last->hash,
                                                    since) != NULL);
            ngx_http_chat_nonce_undo_locked(z, one->o, last->seq);
            test_ok(ngx_http_chat_nonce_find_locked(z, one->o, last->hash, 0)
                    == NULL);
            one->nnonces--;
        }
    }

    people_nonces(one, since);
}


/* What is too old for everybody. */

static void
people_trim(people_one_t *one)
{
    uint64_t    since;
    ngx_uint_t  i, n;

    since = people_model.now - people_random(600);

    for (i = 0; i < one->nnonces && one->nonces[i].ts < since; i++) {
        /* void */
    }

    n = ngx_http_chat_nonce_trim_locked(z, one->o, since);

    test_ok(n == (i < one->nnonces));

    if (n == 0) {
        one->nnonces = 0;
    }

    people_nonces(one, since);
}


static ngx_uint_t
people_known(people_one_t *one, uint64_t now, ngx_uint_t squeeze)
{
    return one->granted || one->muted > now || one->banned > now
           || (!squeeze && (one->read || people_sh(one)->nonces));
}


static void
people_expel(people_one_t *one)
{
    uint32_t       room, o;
    ngx_int_t      rc;
    ngx_str_t      user;
    ngx_uint_t     i, known;
    people_one_t  *gone;

    for (i = 0; people_model.expelled[i].o; i++) {

        if (i == PEOPLE_EXPELLED - 1) {
            return;
        }
    }

    gone = &people_model.expelled[i];
    room = one->room;
    known = people_known(one, 0, 0);

    user.data = people_sh(one)->user;
    user.len = people_sh(one)->user_len;

    rc = ngx_http_chat_occupant_expel_locked(z, one->o, ++people_model.seq);

    if (rc != NGX_OK) {
        people_refused();
        test_eq(ngx_http_chat_occupant_find_locked(z, room, &user), one->o);
        test_eq(people_sh(one)->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED, 0);
        return;
    }

    o = ngx_http_chat_occupant_find_locked(z, room, &user);

    test_ok(o != one->o && (o != 0) == known);

    ngx_memcpy(gone, one, offsetof(people_one_t, nonces));
    gone->nnonces = 0;
    gone->expelled = people_model.seq;

    ngx_memzero(one->here, sizeof(one->here));
    one->o = o;
}


static void
people_forget(people_one_t *one)
{
    ngx_uint_t                    squeeze, counted, gone;
    ngx_http_chat_occupant_sh_t  *sh;

    sh = people_sh(one);
    squeeze = people_random(4) == 0;
    counted = !one->expelled && people_random(4) == 0;

    gone = people_here(one) == 0 && !counted
           && (one->expelled || !people_known(one, people_model.now, squeeze));

    /* that it was to be said that he left counts as long as he is counted */

    sh->due = people_random(2);
    sh->flags |= counted ? NGX_HTTP_CHAT_OCCUPANT_COUNTED : 0;

    test_eq(ngx_http_chat_occupant_forget_locked(z, one->o, people_model.now,
                                                 squeeze),
            gone);

    if (gone) {
        one->o = 0;
        one->nnonces = 0;
        one->expelled = 0;
        return;
    }

    sh->flags &= ~NGX_HTTP_CHAT_OCCUPANT_COUNTED;
}


static void
people_clear(ngx_uint_t r)
{
    ngx_uint_t  i;

    ngx_http_chat_occupant_clear_locked(z, people_model.rooms[r]);

    test_eq(ngx_http_chat_room(z, people_model.rooms[r])->people, 0);

    for (i = 0; i < PEOPLE_USERS; i++) {
        people_model.users[r][i].o = 0;
        people_model.users[r][i].nnonces = 0;
    }

    for (i = 0; i < PEOPLE_EXPELLED; i++) {

        if (people_model.expelled[i].room == people_model.rooms[r]) {
            people_model.expelled[i].o = 0;
            people_model.expelled[i].expelled = 0;
        }
    }
}


static void
people_same(people_one_t *one)
{
    ngx_http_chat_standing_t  s;

    ngx_http_chat_occupant_look_locked(z, one->room, one->o, &s);

    test_eq(s.occupant, one->o);
    test_eq(s.here, people_here(one));
    test_eq(s.read, one->read);
    test_eq(s.muted, one->muted);
    test_eq(s.banned, one->banned);
    test_eq(s.granted, one->granted);
    test_ok(s.name_len == s.user_len && s.name[s.name_len - 1]
                                        == s.user[s.user_len - 1]);
    test_eq((s.flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED) != 0,
            one->expelled != 0);

    if (one->expelled) {
        test_eq(people_sh(one)->expelled, one->expelled);
    }
}


/* The room's list has all of them and nobody else, and the same counts. */

static void
people_compare(ngx_uint_t r)
{
    uint32_t       o, room;
    ngx_uint_t     i, n, users, matters;
    people_one_t  *one;

    room = people_model.rooms[r];
    n = 0;
    users = 0;
    matters = 0;

    for (i = 0; i < PEOPLE_USERS; i++) {
        one = &people_model.users[r][i];

        test_eq(ngx_http_chat_occupant_find_locked(z, room, people_user(i)),
                one->o);

        if (one->o == 0) {
            continue;
        }

        n++;
        users += people_here(one) != 0;
        matters |= one->granted || one->muted > people_model.now
                   || one->banned > people_model.now;
        people_same(one);
    }

    for (i = 0; i < PEOPLE_EXPELLED; i++) {
        one = &people_model.expelled[i];

        if (one->o && one->room == room) {
            n++;
            people_same(one);
        }
    }

    for (o = ngx_http_chat_occupant_next_locked(z, room, 0);
         o;
         o = ngx_http_chat_occupant_next_locked(z, room, o))
    {
        n--;

        /* nobody stays counted whom the model does not have */

        ngx_http_chat_occupant(z, o)->flags &=
                                          ~NGX_HTTP_CHAT_OCCUPANT_COUNTED;
    }

    test_eq(n, 0);
    test_eq(ngx_http_chat_occupant_count_locked(z, room), users);
    test_eq(ngx_http_chat_room(z, room)->users, users);
    test_eq(ngx_http_chat_occupant_matters_locked(z, room, people_model.now),
            matters);

    for (i = 0; i < PEOPLE_USERS; i++) {
        one = &people_model.users[r][i];

        if (one->o) {
            people_sh(one)->flags &= ~NGX_HTTP_CHAT_OCCUPANT_COUNTED;
        }
    }

    ngx_http_chat_room(z, room)->users = 0;
}


static void
people_step(void)
{
    ngx_uint_t     r, u;
    people_one_t  *one;

    r = people_random(PEOPLE_ROOMS);
    u = people_random(PEOPLE_USERS);

    if (people_random(600) == 0) {
        people_clear(r);
        return;
    }

    one = &people_model.users[r][u];

    if (people_random(5) == 0) {
        one = &people_model.expelled[people_random(PEOPLE_EXPELLED)];
    }

    people_model.now += people_random(30);

    if (one->o == 0) {
        people_get(r, u);
        return;
    }

    if (one->expelled) {

        if (people_random(2)) {
            people_leave(one);

        } else {
            people_forget(one);
        }

        return;
    }

    switch (people_random(8)) {

    case 0:
    case 1:
        people_enter(one);
        break;

    case 2:
    case 3:
        people_leave(one);
        break;

    case 4:
        people_fact(one);
        break;

    case 5:
        people_forget(one);
        break;

    case 6:
        people_expel(one);
        break;

    default:

        if (people_random(4)) {
            people_nonce(one);

        } else {
            people_trim(one);
        }
    }
}


static void
people_live(ngx_uint_t blocks)
{
    ngx_uint_t        i;
    const char       *wrong;
    people_census_t   census;

    shm_zone_make(z, blocks, PEOPLE_SLOTS);

    ngx_memzero(&people_model, sizeof(people_model));
    people_model.now = SHM_NOW;

    /* two of them under one lock */

    for (i = 0; i < PEOPLE_ROOMS; i++) {
        people_model.rooms[i] = people_room(z, 17 + (uint32_t) (i / 2));
        census.rooms[i] = people_model.rooms[i];
    }

    for (i = 0; i < PEOPLE_STEPS && !test_state()->failed; i++) {
        people_step();

        wrong = people_complete(z, &census);

        if (wrong) {
            printf("# step %u: %s\n", (unsigned) i, wrong);
        }

        test_ok(wrong == NULL);

        if (i % 20 == 0) {
            people_compare(people_random(PEOPLE_ROOMS));
        }
    }

    for (i = 0; i < PEOPLE_ROOMS && !test_state()->failed; i++) {
        people_clear(i);
    }

    test_eq(z->sh->pool.nfree, z->sh->nblocks - PEOPLE_ROOMS);

    shm_zone_free(z);
}


static void
test_model(void)
{
    uint64_t    seed;
    ngx_uint_t  i;

    people_full = 0;

    for (i = 0; i < PEOPLE_LIVES / shm_slowness(); i++) {
        seed = people_seed;

        people_live(i % 3 == 0 ? 70 + people_random(60) : 600);

        if (test_state()->failed) {
            printf("# with seed %llu\n", (unsigned long long) seed);
            return;
        }
    }

    test_ok(people_full > 100 / shm_slowness());
}


/* A room that many come to and leave needs no more blocks than people. */

static void
test_crowd(void)
{
    uint32_t    room, o;
    ngx_uint_t  i, k, n, most;
    u_char      name[8];
    ngx_str_t   user;

    shm_zone_make(z, 2000, PEOPLE_SLOTS);

    room = people_room(z, 5);
    user.data = name;
    n = 0;
    most = 0;

    for (i = 0; i < 40000; i++) {
        k = people_random(1000);
        user.len = ngx_sprintf(name, "%uL", (uint64_t) k) - name;
        o = ngx_http_chat_occupant_find_locked(z, room, &user);

        if (o) {
            test_eq(ngx_http_chat_occupant_forget_locked(z, o, SHM_NOW, 0), 1);
            n--;

        } else {
            test_ok(ngx_http_chat_occupant_get_locked(z, room, &user) != 0);
            n++;
        }

        if (i > 5000) {
            most = ngx_max(most, (z->sh->nblocks - z->sh->pool.nfree) * 100
                                 / n);
        }
    }

    /* two in a block would be 50 */

    printf("# at most %u blocks for 100 people\n", (unsigned) most);
    test_ok(most < 62);

    ngx_http_chat_occupant_clear_locked(z, room);
    test_eq(z->sh->pool.nfree, z->sh->nblocks - 1);

    shm_zone_free(z);
}


int
main(int argc, char **argv)
{
    if (argc > 1) {
        people_seed = strtoull(argv[1], NULL, 10);
    }

    test_run("random lives are as the model's", test_model);
    test_run("a crowd that comes and goes fits", test_crowd);

    return test_done();
}
