
/*
 * Several workers, each a process, do anything at random in the same rooms of
 * a zone that is often full; now and then one is killed and reaped.  When all
 * stand still, each room has those people whom the workers have there, every
 * count is right, and no block is lost or in two places.
 *
 *     shm_stress [seed]
 */


#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "shm_kit.h"
#include "test.h"
#include "ngx_http_chat_crowd.h"
#include "ngx_http_chat_occupant.h"


#define STRESS_WORKERS  3                /* slots 1 to 3; ours is 0 */
#define STRESS_ROOMS    4
#define STRESS_USERS    12
#define STRESS_CONNS    40               /* of a worker */
#define STRESS_ROUNDS   60
#define STRESS_STUCK    120              /* seconds */


typedef struct {
    uint32_t                 room;
    uint32_t                 occupant;
    uint64_t                 epoch;
    ngx_uint_t               user;
    ngx_http_chat_cursor_t   cursor;
} stress_conn_t;


/* What the workers show when they are asked to stop. */
typedef struct {
    volatile ngx_atomic_t    stop;
    volatile ngx_uint_t      errors[STRESS_WORKERS + 1];
    volatile ngx_atomic_t    joined;
    volatile ngx_atomic_t    appended;
    volatile ngx_atomic_t    read;
    volatile ngx_atomic_t    expelled;
    volatile ngx_atomic_t    refused;    /* for lack of memory */
    ngx_uint_t               n[STRESS_WORKERS + 1];
    stress_conn_t            conns[STRESS_WORKERS + 1][STRESS_CONNS];
} stress_shared_t;


static uint64_t              stress_seed = 1;
static uint64_t              stress_start;
static stress_shared_t      *stress;
static ngx_http_chat_zone_t  stress_zone, *z = &stress_zone;
static uint16_t              stress_slots[NGX_HTTP_CHAT_SLOTS_MAX];

static ngx_http_chat_retention_t  stress_keep = {
    40, 86400000, 4096, 3600000, 1000
};


static void
stress_stuck(int signo)
{
    printf("Bail out! stuck\n");
    (void) fflush(stdout);
    _exit(EXIT_FAILURE);
}


static uint64_t
stress_random(uint64_t n)
{
    return shm_random(&stress_seed, n);
}


/* One clock for all. */

static void
stress_clock(void)
{
    uint64_t         ms;
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    ms = (uint64_t) ts.tv_sec * 1000 + (uint64_t) ts.tv_nsec / 1000000;

    if (stress_start == 0) {
        stress_start = ms;
    }

    ngx_stub_time(SHM_NOW + ms - stress_start);
}


static void
stress_person(ngx_http_chat_person_t *person, u_char *buf, ngx_uint_t user)
{
    ngx_memzero(person, sizeof(ngx_http_chat_person_t));

    buf[0] = (u_char) ('A' + user);
    buf[1] = (u_char) ('a' + stress_random(3));

    person->user.data = buf;
    person->user.len = 1;
    person->name.data = buf + 1;
    person->name.len = 1;
}


static void
stress_announce(ngx_http_chat_announce_t *an)
{
    ngx_memzero(an, sizeof(ngx_http_chat_announce_t));

    an->presence = NGX_HTTP_CHAT_PRESENCE_FULL;
    an->limit = STRESS_USERS / 2;
    an->slots = stress_slots;

    an->event.flags = NGX_HTTP_CHAT_ENTRY_EVENT;
    an->event.head.data = (u_char *) "came:";
    an->event.head.len = 5;
    an->event.tail = an->event.head;
    an->count = an->event;
}


static void
stress_join(ngx_uint_t w)
{
    u_char                      buf[2], room;
    ngx_int_t                   rc;
    ngx_str_t                   name;
    stress_conn_t              *c;
    ngx_http_chat_person_t      person;
    ngx_http_chat_announce_t    an;
    ngx_http_chat_room_view_t   view;

    if (stress->n[w] == STRESS_CONNS) {
        return;
    }

    c = &stress->conns[w][stress->n[w]];
    c->user = stress_random(STRESS_USERS);

    room = (u_char) ('a' + stress_random(STRESS_ROOMS));
    name.data = &room;
    name.len = 1;

    stress_person(&person, buf, c->user);
    stress_announce(&an);

    rc = ngx_http_chat_room_join(z, &name, &stress_keep, &person,
                                 stress_random(4) ? 0 : 6, &an, &c->room,
                                 &c->occupant, &view);
    if (rc == NGX_OK) {
        c->epoch = view.epoch;
        c->cursor = view.head;
        stress->n[w]++;
        (void) ngx_atomic_fetch_add(&stress->joined, 1);

    } else if (rc == NGX_DECLINED) {
        (void) ngx_atomic_fetch_add(&stress->refused, 1);

    } else if (rc != NGX_BUSY) {
        stress->errors[w]++;
    }
}


static void
stress_leave(ngx_uint_t w, ngx_uint_t i)
{
    u_char                     user;
    ngx_str_t                  s;
    ngx_msec_t                 wait;
    ngx_uint_t                 last;
    stress_conn_t              c;
    ngx_http_chat_announce_t   an;

    c = stress->conns[w][i];

    /* out of the list first: who is killed in between is reaped */

    stress->conns[w][i] = stress->conns[w][--stress->n[w]];

    last = ngx_http_chat_room_leave(z, c.room, c.epoch, c.occupant,
                                    stress_random(3));
    if (last && stress_random(2)) {
        user = (u_char) ('A' + c.user);
        s.data = &user;
        s.len = 1;

        stress_announce(&an);
        (void) ngx_http_chat_room_left(z, c.room, c.epoch, &s, &an, &wait);
    }
}


static void
stress_append(ngx_uint_t w, stress_conn_t *c)
{
    size_t                        len;
    uint64_t                      number;
    u_char                        nonce[2], user;
    ngx_int_t                     rc;
    ngx_http_chat_change_t        change;
    ngx_http_chat_room_append_t   a;
    static u_char                 text[4096];

    ngx_memzero(&a, sizeof(ngx_http_chat_room_append_t));

    number = stress_random((uint64_t) 1 << 32);
    len = stress_random(5) ? stress_random(200) : stress_random(2000);
    shm_text(text, len, number);

    a.entry.head.data = text;
    a.entry.head.len = len;
    a.entry.sender = (uint32_t) number;
    a.entry.flags = NGX_HTTP_CHAT_ENTRY_TEXT|NGX_HTTP_CHAT_ENTRY_MESSAGE;
    a.retention = &stress_keep;
    a.slots = stress_slots;
    a.occupant = c->occupant;

    if (stress_random(2)) {
        nonce[0] = (u_char) stress_random(256);
        nonce[1] = (u_char) stress_random(4);
        a.nonce.data = nonce;
        a.nonce.len = 2;
    }

    if (stress_random(6) == 0) {
        ngx_memzero(&change, sizeof(ngx_http_chat_change_t));

        user = (u_char) ('A' + stress_random(STRESS_USERS));
        change.user.data = &user;
        change.user.len = 1;
        change.what = 1 + stress_random(4);
        change.until = stress_random(2) ? SHM_NOW + stress_random(3000) : 0;
        change.role = stress_random(3);
        a.change = &change;
    }

    rc = ngx_http_chat_room_append(z, c->room, c->epoch, &a);

    if (rc == NGX_OK) {
        (void) ngx_atomic_fetch_add(&stress->appended, 1);
    }

    /* the room stays while we are in it */

    if (rc == NGX_ABORT
        && ngx_http_chat_room_expelled(z, c->occupant) == 0)
    {
        stress->errors[w]++;
    }
}


static void
stress_read(ngx_uint_t w, stress_conn_t *c)
{
    size_t                      used, need;
    uint64_t                    gap, seq;
    ngx_int_t                   rc;
    ngx_uint_t                  i, n;
    shm_entry_t                 entries[128];
    ngx_http_chat_room_view_t   view;
    static u_char               buf[16384];

    seq = c->cursor.seq;

    rc = ngx_http_chat_room_read(z, c->room, c->epoch, &c->cursor, buf,
                                 sizeof(buf), &used, &need, &gap, &view);
    if (rc != NGX_OK) {
        stress->errors[w]++;
        return;
    }

    n = shm_entries(buf, used, entries, 128);

    for (i = 0; i < n; i++) {

        if (entries[i].header.flags & NGX_HTTP_CHAT_ENTRY_PASSING) {
            continue;
        }

        if ((gap == 0 && entries[i].header.seq != seq)
            || entries[i].header.seq < seq
            || !shm_text_is(entries[i].text, entries[i].header.len,
                            entries[i].header.sender))
        {
            stress->errors[w]++;
        }

        seq = entries[i].header.seq + 1;
        gap = 0;
        (void) ngx_atomic_fetch_add(&stress->read, 1);
    }
}


static void
stress_person_op(ngx_uint_t w, stress_conn_t *c)
{
    u_char                      buf[2];
    ngx_uint_t                  n;
    ngx_http_chat_append_t      event;
    ngx_http_chat_person_t      person;
    ngx_http_chat_announce_t    an;
    ngx_http_chat_room_view_t   view;
    ngx_http_chat_standing_t    standing, *people;

    stress_person(&person, buf, c->user);
    stress_announce(&an);
    event = an.event;

    switch (stress_random(5)) {

    case 0:
        (void) ngx_http_chat_room_rename(z, c->room, c->epoch, &person,
                                         stress_random(2), &event,
                                         stress_slots, &n);
        break;

    case 1:
        (void) ngx_http_chat_room_mark(z, c->room, c->epoch, &person.user,
                                       c->cursor.seq);
        break;

    case 2:
        ngx_http_chat_room_count(z, c->room, c->epoch, &an);
        break;

    case 3:

        if (ngx_http_chat_room_occupant(z, c->room, c->epoch, c->occupant,
                                        &standing)
            != NGX_OK
            || standing.here == 0 || standing.user[0] != buf[0])
        {
            stress->errors[w]++;
        }

        break;

    default:

        if (ngx_http_chat_room_people(z, c->room, c->epoch, 5, &people, &n,
                                      &view)
            != NGX_OK
            || n > 5 || n > view.users)
        {
            stress->errors[w]++;
            break;
        }

        ngx_free(people);
    }
}


static void
stress_op(ngx_uint_t w)
{
    ngx_uint_t      i;
    stress_conn_t  *c;

    stress_clock();

    if (stress_random(300) == 0) {
        ngx_http_chat_room_sweep(z, z->sh->nbuckets);
    }

    if (stress->n[w] == 0 || stress_random(6) == 0) {
        stress_join(w);
        return;
    }

    i = stress_random(stress->n[w]);
    c = &stress->conns[w][i];

    if (ngx_http_chat_room_expelled(z, c->occupant)) {
        (void) ngx_atomic_fetch_add(&stress->expelled, 1);
        stress_leave(w, i);
        return;
    }

    switch (stress_random(8)) {

    case 0:
    case 1:
        stress_leave(w, i);
        break;

    case 2:
    case 3:
        stress_append(w, c);
        break;

    case 4:
    case 5:
        stress_read(w, c);
        break;

    default:
        stress_person_op(w, c);
    }
}


static pid_t
stress_fork(ngx_uint_t w)
{
    pid_t     pid;
    uint64_t  seed;

    seed = stress_random((uint64_t) 1 << 62);
    stress->n[w] = 0;

    (void) fflush(stdout);

    pid = fork();

    if (pid == 0) {
        (void) alarm(0);
        stress_seed = seed;
        ngx_pid = getpid();
        z->slot = w;
        z->slots[w].pid = (ngx_atomic_uint_t) ngx_pid;

        while (stress->stop == 0) {
            stress_op(w);
        }

        _exit(0);
    }

    if (pid < 0) {
        exit(2);
    }

    return pid;
}


static void
stress_reap(ngx_uint_t w, pid_t pid)
{
    test_ok(waitpid(pid, NULL, 0) == pid);

    stress_clock();

    ngx_http_chat_room_reap(z, w, 0);
    ngx_http_chat_zone_release(z, w);

    if (z->sh->leaks) {
        test_ok(ngx_http_chat_repair(z) >= 0);
    }
}


/* How many connections the workers say that the occupant has. */

static ngx_uint_t
stress_here(uint32_t o)
{
    ngx_uint_t  w, i, n;

    n = 0;

    for (w = 1; w <= STRESS_WORKERS; w++) {

        for (i = 0; i < stress->n[w]; i++) {
            n += stress->conns[w][i].occupant == o;
        }
    }

    return n;
}


static void
stress_check_room(uint32_t n)
{
    uint32_t                      o;
    uint64_t                      seen[2];
    ngx_uint_t                    here, members, users, out;
    ngx_http_chat_room_sh_t      *room;
    ngx_http_chat_occupant_sh_t  *oc;

    room = ngx_http_chat_room(z, n);
    members = 0;
    users = 0;
    seen[0] = 0;
    seen[1] = 0;

    for (o = ngx_http_chat_occupant_next_locked(z, n, 0);
         o;
         o = ngx_http_chat_occupant_next_locked(z, n, o))
    {
        oc = ngx_http_chat_occupant(z, o);
        here = ngx_http_chat_occupant_here_locked(z, o);
        out = (oc->flags & NGX_HTTP_CHAT_OCCUPANT_EXPELLED) != 0;

        test_eq(here, stress_here(o));
        members += here;

        if (out) {
            test_ok(oc->expelled != 0);
            test_ok(!(oc->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED));
            continue;
        }

        /* of each user one */

        test_ok(!(seen[0] & (uint64_t) 1 << (oc->user[0] - 'A')));
        seen[0] |= (uint64_t) 1 << (oc->user[0] - 'A');

        if (oc->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED) {
            users++;
            test_ok(here || oc->due);

        } else {
            test_eq(here, 0);
        }
    }

    test_eq(room->members, members);
    test_eq(room->users, users);
}


/* All have stopped where they were: nobody has left. */

static void
stress_check(void)
{
    uint32_t        b, n;
    const char     *wrong;
    ngx_uint_t      w, i;
    stress_conn_t  *c;

    for (w = 1; w <= STRESS_WORKERS; w++) {
        test_eq(stress->errors[w], 0);

        for (i = 0; i < stress->n[w]; i++) {
            c = &stress->conns[w][i];

            test_ok(ngx_http_chat_room(z, c->room)->epoch == c->epoch);
            test_eq(ngx_http_chat_occupant(z, c->occupant)->room, c->room);
            test_eq(ngx_http_chat_occupant(z, c->occupant)->user[0],
                    'A' + c->user);
        }
    }

    for (b = 0; b < z->sh->nbuckets; b++) {

        for (n = z->buckets[b]; n; n = ngx_http_chat_room(z, n)->next) {
            stress_check_room(n);
        }
    }

    wrong = shm_complete(z);

    if (wrong) {
        printf("# %s\n", wrong);
    }

    test_ok(wrong == NULL);
}


/* Whoever was there is said to have left, and nobody is there then. */

static void
stress_drain(void)
{
    uint32_t                   b, n, bucket;
    ngx_str_t                  s;
    ngx_msec_t                 wait;
    ngx_uint_t                 i, found;
    ngx_http_chat_due_t        due[8];
    ngx_http_chat_announce_t   an;

    ngx_stub_time(ngx_current_msec + 1000);

    do {
        bucket = 0;
        found = ngx_http_chat_room_due(z, &bucket, z->sh->nbuckets, 0, due, 8);

        for (i = 0; i < found; i++) {
            s.data = due[i].user;
            s.len = due[i].user_len;

            stress_announce(&an);
            test_eq(ngx_http_chat_room_left(z, due[i].room, due[i].epoch, &s,
                                            &an, &wait),
                    NGX_OK);
        }

    } while (found && !test_state()->failed);

    for (b = 0; b < z->sh->nbuckets; b++) {

        for (n = z->buckets[b]; n; n = ngx_http_chat_room(z, n)->next) {
            test_eq(ngx_http_chat_room(z, n)->users, 0);
            test_eq(ngx_http_chat_room(z, n)->members, 0);
        }
    }

    ngx_http_chat_room_sweep(z, z->sh->nbuckets);
    test_ok(shm_complete(z) == NULL);
}


static void
stress_sleep(void)
{
    struct timespec  ts;

    ts.tv_sec = 0;
    ts.tv_nsec = 1000000 + (long) stress_random(14000000);

    (void) nanosleep(&ts, NULL);
}


static void
test_stress(void)
{
    pid_t        pids[STRESS_WORKERS + 1];
    uint64_t     seed;
    ngx_uint_t   i, w, rounds, kills, repairs, evicted;

    (void) alarm(STRESS_STUCK);

    seed = stress_seed;
    kills = 0;
    repairs = 0;
    evicted = 0;
    rounds = STRESS_ROUNDS / shm_slowness();

    for (i = 0; i < rounds && !test_state()->failed; i++) {

        if (i % 10 == 0) {

            if (i) {
                repairs += z->sh->repairs;
                evicted += z->sh->evicted;
                shm_zone_free(z);
            }

            shm_zone_make(z, i % 20 ? 90 : 400, STRESS_WORKERS + 1);
        }

        stress->stop = 0;

        for (w = 1; w <= STRESS_WORKERS; w++) {
            pids[w] = stress_fork(w);
        }

        while (stress_random(4)) {
            stress_sleep();

            w = 1 + stress_random(STRESS_WORKERS);
            (void) kill(pids[w], SIGKILL);
            stress_reap(w, pids[w]);
            pids[w] = stress_fork(w);
            kills++;
        }

        stress_sleep();
        stress->stop = 1;

        for (w = 1; w <= STRESS_WORKERS; w++) {
            test_ok(waitpid(pids[w], NULL, 0) == pids[w]);
        }

        stress_clock();

        if (z->sh->leaks) {
            test_ok(ngx_http_chat_repair(z) >= 0);
        }

        stress_check();

        for (w = 1; w <= STRESS_WORKERS; w++) {
            stress->n[w] = 0;
            ngx_http_chat_room_reap(z, w, 0);
            ngx_http_chat_zone_release(z, w);
        }

        stress_drain();
    }

    printf("# seed %llu: %u killed; %u joined, %u appended, %u read, "
           "%u expelled, %u without memory\n", (unsigned long long) seed,
           (unsigned) kills, (unsigned) stress->joined,
           (unsigned) stress->appended, (unsigned) stress->read,
           (unsigned) stress->expelled, (unsigned) stress->refused);
    printf("# %u repairs, %u evictions\n", (unsigned) repairs,
           (unsigned) evicted);

    test_ok(stress->joined > rounds * 100);
    test_ok(stress->appended > rounds * 100);
    test_ok(stress->read > rounds * 100);
    test_ok(stress->expelled > rounds);

    shm_zone_free(z);
}


int
main(int argc, char **argv)
{
    if (argc > 1) {
        stress_seed = strtoull(argv[1], NULL, 10);
    }

    (void) signal(SIGALRM, stress_stuck);

    stress = mmap(NULL, sizeof(stress_shared_t), PROT_READ|PROT_WRITE,
                  MAP_ANON|MAP_SHARED, -1, 0);
    if (stress == MAP_FAILED) {
        return EXIT_FAILURE;
    }

    test_run("workers that do anything and are killed", test_stress);

    return test_done();
}
