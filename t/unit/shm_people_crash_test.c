
/*
 * A worker dies anywhere in what it does to a room's people.
 *
 * Another worker goes on with a copy of each state that it may leave behind:
 * every user must be as before or as after, nobody's block may be another's
 * too, and when the dead one is reaped and the zone repaired nothing is lost
 * or left over.
 */


#include "shm_people_kit.h"
#include "shm_step_kit.h"


#define PCRASH_USERS   8
#define PCRASH_NONCES  63
#define PCRASH_SLOTS   12
#define PCRASH_SINCE   (SHM_NOW - 1000)


typedef struct {
    ngx_uint_t             found;
    ngx_uint_t             here;         /* on slots other than 0 */
    ngx_uint_t             granted;
    uint64_t               banned;
    uint64_t               read;
    uint64_t               nonces;       /* a bit each */
} pcrash_user_t;


typedef struct {
    const char            *name;
    void                 (*setup)(ngx_http_chat_zone_t *z);
    void                 (*run)(ngx_http_chat_zone_t *z);
    ngx_uint_t             loses;        /* nonces, at worst */
} pcrash_case_t;


static uint32_t              pcrash_room;
static uint32_t              pcrash_one;     /* whom the operation is about */
static u_char               *pcrash_copy;
static const pcrash_case_t  *pcrash_now;
static pcrash_user_t         pcrash_old[PCRASH_USERS];
static pcrash_user_t         pcrash_new[PCRASH_USERS];

static ngx_http_chat_retention_t  pcrash_keep = {
    100, 86400000, 65536, 3600000, 120000
};


static void
pcrash_lock(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_zone_lock(z, ngx_http_chat_room(z, pcrash_room)->hash);
}


static void
pcrash_unlock(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_zone_unlock(z, ngx_http_chat_room(z, pcrash_room)->hash);
}


static uint32_t
pcrash_find(ngx_http_chat_zone_t *z, ngx_uint_t i)
{
    return ngx_http_chat_occupant_find_locked(z, pcrash_room, people_user(i));
}


static void
pcrash_observe(ngx_http_chat_zone_t *z, pcrash_user_t *users)
{
    uint32_t                      o;
    ngx_uint_t                    i, k;
    pcrash_user_t                *u;
    ngx_http_chat_occupant_sh_t  *sh;

    ngx_memzero(users, PCRASH_USERS * sizeof(pcrash_user_t));

    for (i = 0; i < PCRASH_USERS; i++) {
        u = &users[i];
        o = pcrash_find(z, i);

        if (o == 0) {
            continue;
        }

        sh = ngx_http_chat_occupant(z, o);

        u->found = 1;
        u->granted = sh->granted;
        u->banned = sh->banned;
        u->read = sh->read;
        u->here = ngx_http_chat_occupant_here_locked(z, o);

        for (k = 0; k < NGX_HTTP_CHAT_OCCUPANT_HERE; k++) {

            if (sh->here[k] >> 24 == 0) {
                u->here -= sh->here[k];
            }
        }

        if (sh->more) {
            u->here -= *(uint32_t *) ngx_http_chat_block(z, sh->more)->data
                       == 1;
        }

        for (k = 0; k < PCRASH_NONCES; k++) {

            if (ngx_http_chat_nonce_find_locked(z, o, 100 * i + k + 1,
                                                PCRASH_SINCE))
            {
                u->nonces |= (uint64_t) 1 << k;
            }
        }
    }
}


static void
pcrash_compare(ngx_http_chat_zone_t *z)
{
    ngx_uint_t      i;
    pcrash_user_t   users[PCRASH_USERS], *u, *old, *new;

    pcrash_observe(z, users);

    for (i = 0; i < PCRASH_USERS; i++) {
        u = &users[i];
        old = &pcrash_old[i];
        new = &pcrash_new[i];

        test_ok(ngx_memcmp(u, old, offsetof(pcrash_user_t, nonces)) == 0
                || ngx_memcmp(u, new, offsetof(pcrash_user_t, nonces)) == 0);

        /* each nonce is there as before or as after */

        test_eq(u->nonces & ~(old->nonces | new->nonces), 0);

        if (u->found && !pcrash_now->loses) {
            test_eq(~u->nonces & old->nonces & new->nonces, 0);
        }
    }
}


static void
pcrash_census(ngx_http_chat_zone_t *z, ngx_uint_t whole)
{
    const char       *wrong;
    people_census_t   census;

    ngx_memzero(&census, sizeof(people_census_t));
    census.rooms[0] = pcrash_room;

    wrong = people_census(z, &census);

    if (wrong == NULL && whole) {
        wrong = census.stray ? "somebody is neither here nor there"
                             : shm_complete(z);
    }

    if (wrong) {
        printf("# %s\n", wrong);
    }

    test_ok(wrong == NULL);

    /* one operation leaves no more than one behind */

    test_ok(census.stray <= 1 && census.empty <= 1);
}


/* What any worker does to all of them. */

static void
pcrash_use(ngx_http_chat_zone_t *z)
{
    uint32_t    o;
    ngx_uint_t  i;

    for (i = 0; i < PCRASH_USERS; i++) {
        o = ngx_http_chat_occupant_get_locked(z, pcrash_room,
                                        people_user((5 * i) % PCRASH_USERS));
        test_ok(o != 0);
        test_eq(ngx_http_chat_occupant_enter_locked(z, o), NGX_OK);
        ngx_http_chat_nonce_undo_locked(z, o, 1000);
        test_eq(ngx_http_chat_nonce_add_locked(z, o, 99999, 1000, SHM_NOW,
                                               PCRASH_SINCE),
                NGX_OK);
        test_ok(ngx_http_chat_nonce_find_locked(z, o, 99999, PCRASH_SINCE)
                != NULL);
        ngx_http_chat_nonce_undo_locked(z, o, 1000);
        (void) ngx_http_chat_nonce_trim_locked(z, o, PCRASH_SINCE);
        (void) ngx_http_chat_occupant_leave_locked(z, o, z->slot);

        if (i == 1) {
            test_eq(ngx_http_chat_occupant_expel_locked(z, o, 1001), NGX_OK);

        } else if (i > 3) {
            (void) ngx_http_chat_occupant_forget_locked(z, o, SHM_NOW, 1);
        }
    }

    pcrash_census(z, 0);
}


/* All go, the last of the list first: back links lead the way. */

static void
pcrash_empty(ngx_http_chat_zone_t *z)
{
    uint32_t                      o, last;
    ngx_uint_t                    i;
    ngx_http_chat_occupant_sh_t  *sh;

    for ( ;; ) {
        last = 0;

        for (o = ngx_http_chat_occupant_next_locked(z, pcrash_room, 0);
             o;
             o = ngx_http_chat_occupant_next_locked(z, pcrash_room, o))
        {
            last = o;
        }

        if (last == 0) {
            break;
        }

        for (i = 0; i < PCRASH_SLOTS; i++) {
            (void) ngx_http_chat_occupant_reap_locked(z, last, i);
        }

        sh = ngx_http_chat_occupant(z, last);
        sh->flags &= ~NGX_HTTP_CHAT_OCCUPANT_COUNTED;
        sh->granted = 0;
        sh->banned = 0;

        test_eq(ngx_http_chat_occupant_forget_locked(z, last, SHM_NOW, 1), 1);
    }

    pcrash_census(z, 0);
}


static void
pcrash_recover(ngx_http_chat_zone_t *z, ngx_uint_t use)
{
    uint32_t  o, next;

    pcrash_lock(z);
    pcrash_census(z, 0);
    pcrash_compare(z);

    if (use == 1) {
        pcrash_use(z);

    } else if (use == 2) {
        pcrash_empty(z);
    }

    next = ngx_http_chat_occupant_next_locked(z, pcrash_room, 0);

    while (next) {
        o = next;
        next = ngx_http_chat_occupant_next_locked(z, pcrash_room, o);
        (void) ngx_http_chat_occupant_reap_locked(z, o, 0);
    }

    (void) ngx_http_chat_occupant_count_locked(z, pcrash_room);

    next = ngx_http_chat_occupant_next_locked(z, pcrash_room, 0);

    while (next) {
        o = next;
        next = ngx_http_chat_occupant_next_locked(z, pcrash_room, o);
        (void) ngx_http_chat_occupant_forget_locked(z, o, SHM_NOW, 0);
    }

    pcrash_unlock(z);

    test_ok(ngx_http_chat_repair(z) >= 0);

    pcrash_lock(z);
    pcrash_census(z, 1);
    pcrash_use(z);
    ngx_http_chat_occupant_clear_locked(z, pcrash_room);
    pcrash_unlock(z);

    test_eq(ngx_http_chat_room(z, pcrash_room)->people, 0);
    test_eq(z->sh->pool.nfree, z->sh->nblocks - 1);
    test_ok(shm_complete(z) == NULL);
}


static void
pcrash_state(ngx_http_chat_zone_t *z, u_char *bytes)
{
    ngx_uint_t            use;
    ngx_http_chat_zone_t  copy;

    for (use = 0; use < 3; use++) {
        ngx_memcpy(pcrash_copy, bytes, shm_zone_size(z));
        shm_zone_at(&copy, z, pcrash_copy);
        copy.slot = 2;

        pcrash_recover(&copy, use);
    }
}


static uint32_t
pcrash_come(ngx_http_chat_zone_t *z, ngx_uint_t i, ngx_uint_t slot,
    ngx_uint_t nonces)
{
    uint32_t    o;
    ngx_uint_t  k;

    z->slot = slot;

    o = ngx_http_chat_occupant_get_locked(z, pcrash_room, people_user(i));

    (void) ngx_http_chat_occupant_enter_locked(z, o);

    for (k = 0; k < nonces; k++) {
        (void) ngx_http_chat_nonce_add_locked(z, o, 100 * i + k + 1, k + 1,
                                              SHM_NOW, PCRASH_SINCE);
    }

    z->slot = 0;

    return o;
}


/* A room of five, of whom the second has said much and may much. */

static void
pcrash_setup(ngx_http_chat_zone_t *z)
{
    ngx_uint_t                    i;
    ngx_http_chat_occupant_sh_t  *sh;
    ngx_http_chat_room_view_t     view;

    pcrash_room = shm_join(z, "a", &pcrash_keep, &view);

    for (i = 0; i < 5; i++) {
        (void) pcrash_come(z, i, 1, i);
    }

    pcrash_one = pcrash_come(z, 1, 0, 45);

    sh = ngx_http_chat_occupant(z, pcrash_one);
    sh->granted = 2;
    sh->banned = NGX_HTTP_CHAT_FOREVER;
    sh->read = 17;

    (void) ngx_http_chat_occupant_count_locked(z, pcrash_room);
}


/* Nobody is counted who should be. */

static void
pcrash_setup_miscounted(ngx_http_chat_zone_t *z)
{
    uint32_t  o;

    pcrash_setup(z);

    for (o = ngx_http_chat_occupant_next_locked(z, pcrash_room, 0);
         o;
         o = ngx_http_chat_occupant_next_locked(z, pcrash_room, o))
    {
        ngx_http_chat_occupant(z, o)->flags = 0;
    }

    ngx_http_chat_room(z, pcrash_room)->users = 1;
}


static void
pcrash_setup_absent(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_occupant_sh_t  *sh;

    pcrash_setup(z);

    (void) ngx_http_chat_occupant_leave_locked(z, pcrash_one, 0);
    (void) ngx_http_chat_occupant_leave_locked(z, pcrash_one, 1);

    sh = ngx_http_chat_occupant(z, pcrash_one);
    sh->granted = 0;
    sh->banned = 0;
    sh->flags = 0;

    (void) ngx_http_chat_occupant_count_locked(z, pcrash_room);
}


/* The other one of his block has gone: it goes, from the middle of the list. */

static void
pcrash_setup_alone(ngx_http_chat_zone_t *z)
{
    uint32_t  o;

    pcrash_setup(z);

    /* the third, in a block with the fourth */

    o = pcrash_find(z, 3);
    (void) ngx_http_chat_occupant_leave_locked(z, o, 1);
    ngx_http_chat_nonce_clear_locked(z, o);
    ngx_http_chat_occupant(z, o)->flags = 0;
    (void) ngx_http_chat_occupant_forget_locked(z, o, SHM_NOW, 0);

    pcrash_one = pcrash_find(z, 2);
    (void) ngx_http_chat_occupant_leave_locked(z, pcrash_one, 1);
    ngx_http_chat_occupant(z, pcrash_one)->flags = 0;

    (void) ngx_http_chat_occupant_count_locked(z, pcrash_room);
}


static void
pcrash_setup_plain(ngx_http_chat_zone_t *z)
{
    pcrash_setup(z);
    pcrash_one = pcrash_find(z, 0);
}


static void
pcrash_setup_ninth(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    pcrash_setup(z);

    for (i = 2; i < 10; i++) {
        pcrash_one = pcrash_come(z, 4, i, 0);
    }
}


static void
pcrash_setup_ten(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    pcrash_setup_ninth(z);
    (void) pcrash_come(z, 4, 0, 0);

    for (i = 1; i < 10; i++) {
        (void) ngx_http_chat_occupant_leave_locked(z, pcrash_one, i);
    }
}


static void
pcrash_setup_full(ngx_http_chat_zone_t *z)
{
    pcrash_setup(z);
    pcrash_one = pcrash_come(z, 3, 1, 17);
}


static void
pcrash_run_get(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_occupant_get_locked(z, pcrash_room, people_user(6));
}


static void
pcrash_run_two(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_occupant_get_locked(z, pcrash_room, people_user(6));
    (void) ngx_http_chat_occupant_get_locked(z, pcrash_room, people_user(7));
}


static void
pcrash_run_enter(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_occupant_enter_locked(z, pcrash_one);
}


static void
pcrash_run_leave(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_occupant_leave_locked(z, pcrash_one, 0);
}


static void
pcrash_run_expel(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_occupant_expel_locked(z, pcrash_one, 50);
}


static void
pcrash_run_forget(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_occupant_forget_locked(z, pcrash_one, SHM_NOW, 1);
}


static void
pcrash_run_clear(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_occupant_clear_locked(z, pcrash_room);
}


static void
pcrash_run_count(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_occupant_count_locked(z, pcrash_room);
}


static void
pcrash_run_nonce(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_nonce_add_locked(z, pcrash_one, 301 + 50, 51,
                                          SHM_NOW, PCRASH_SINCE);
}


static void
pcrash_run_undo(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    for (i = 0; i < 6; i++) {
        ngx_http_chat_nonce_undo_locked(z, pcrash_one, 1);
    }
}


/* All are too old, but the first block's. */

static void
pcrash_run_trim(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_nonces_sh_t    *ns;
    ngx_http_chat_occupant_sh_t  *sh;

    sh = ngx_http_chat_occupant(z, pcrash_one);
    ns = (ngx_http_chat_nonces_sh_t *)
             ngx_http_chat_block(z, sh->nonces)->data;

    ns->nonces[ns->n - 1].ts = SHM_NOW + 1;

    (void) ngx_http_chat_nonce_trim_locked(z, pcrash_one, SHM_NOW + 1);
}


static const pcrash_case_t  pcrash_cases[] = {
    { "get in a free place", pcrash_setup, pcrash_run_get, 0 },
    { "get in a new block", pcrash_setup, pcrash_run_two, 0 },
    { "enter", pcrash_setup_plain, pcrash_run_enter, 0 },
    { "enter from the tenth worker", pcrash_setup_ninth, pcrash_run_enter,
      0 },
    { "leave", pcrash_setup, pcrash_run_leave, 0 },
    { "leave for good", pcrash_setup_ten, pcrash_run_leave, 0 },
    { "expel one with facts", pcrash_setup, pcrash_run_expel, 1 },
    { "expel one without", pcrash_setup_plain, pcrash_run_expel, 0 },
    { "forget one of two", pcrash_setup_absent, pcrash_run_forget, 1 },
    { "forget the last of a block", pcrash_setup_alone, pcrash_run_forget,
      1 },
    { "clear", pcrash_setup, pcrash_run_clear, 1 },
    { "count", pcrash_setup_miscounted, pcrash_run_count, 0 },
    { "nonce", pcrash_setup, pcrash_run_nonce, 0 },
    { "nonce in a new block", pcrash_setup_full, pcrash_run_nonce, 0 },
    { "nonces taken back", pcrash_setup, pcrash_run_undo, 0 },
    { "nonces too old", pcrash_setup, pcrash_run_trim, 0 }
};


/* The child's. */

static void
pcrash_run_locked(ngx_http_chat_zone_t *z)
{
    pcrash_lock(z);
    pcrash_now->run(z);
    pcrash_unlock(z);
}


static void
pcrash_run(const pcrash_case_t *c)
{
    step_t                step;
    ngx_http_chat_zone_t  zone, copy;

    pcrash_now = c;

    step.name = c->name;
    step.run = pcrash_run_locked;
    step.state = pcrash_state;
    step.stride = 0;

    step_alarm(c->name);

    shm_zone_make(&zone, 64, PCRASH_SLOTS);
    c->setup(&zone);
    zone.slot = 0;

    pcrash_copy = malloc(shm_zone_size(&zone) + 64);

    if (pcrash_copy == NULL) {
        exit(2);
    }

    pcrash_observe(&zone, pcrash_old);

    ngx_memcpy(pcrash_copy, zone.sh, shm_zone_size(&zone));
    shm_zone_at(&copy, &zone, pcrash_copy);
    c->run(&copy);
    pcrash_observe(&copy, pcrash_new);

    step_run(&zone, &step);

    free(pcrash_copy);
    shm_zone_free(&zone);
}


static void
test_steps(void)
{
    ngx_uint_t  i;

    if (!step_possible()) {
        printf("# skipped: no child can be stepped here\n");
        return;
    }

    for (i = 0; i < sizeof(pcrash_cases) / sizeof(pcrash_cases[0]); i++) {
        pcrash_run(&pcrash_cases[i]);

        if (test_state()->failed) {
            break;
        }
    }
}


int
main(void)
{
    step_start();

    test_run("whoever dies among a room's people harms nobody", test_steps);

    return test_done();
}
