
/*
 * Token buckets: exact over time, never generous to several processes at once,
 * and harmed neither by clocks that jump nor by words that make no sense.
 *
 *     shm_limit [seed]
 */


#include <sys/mman.h>
#include <sys/wait.h>

#include "shm_kit.h"
#include "test.h"
#include "ngx_http_chat_limit.h"


#define LIMIT_NOW    1000000000          /* ms: some days after the start */
#define LIMIT_TRIES  100000


static uint64_t              limit_seed = 1;
static ngx_http_chat_zone_t  limit_zone;


static ngx_msec_t
limit_take(uint64_t key, ngx_uint_t rate, ngx_uint_t burst, ngx_msec_t now)
{
    return ngx_http_chat_limit_take(&limit_zone, key, rate, burst, now, 0);
}


static ngx_uint_t
limit_all(uint64_t key, ngx_uint_t rate, ngx_uint_t burst, ngx_msec_t now)
{
    ngx_uint_t  n;

    for (n = 0; n < 10000; n++) {

        if (limit_take(key, rate, burst, now)) {
            break;
        }
    }

    return n;
}


/* A key of the set, and that n-th of the set's keys. */

static uint64_t
limit_key(ngx_uint_t set, ngx_uint_t n)
{
    return set + limit_zone.sh->nlimits * (n + 1);
}


static ngx_http_chat_limit_sh_t *
limit_set(ngx_uint_t set)
{
    return limit_zone.limits + set * NGX_HTTP_CHAT_LIMIT_WAYS;
}


static void
limit_wipe(void)
{
    ngx_memzero(limit_zone.limits,
                limit_zone.sh->nlimits * NGX_HTTP_CHAT_LIMIT_WAYS
                * sizeof(ngx_http_chat_limit_sh_t));
}


static void
test_keys(void)
{
    ngx_uint_t  i, n, seen[64];
    u_char      text[2];
    ngx_str_t   s;

    s.data = text;
    s.len = 2;
    ngx_memzero(seen, sizeof(seen));

    for (i = 0; i < 65536; i++) {
        text[0] = (u_char) i;
        text[1] = (u_char) (i >> 8);
        n = ngx_http_chat_limit_key(&limit_zone, 1, &s) % 64;
        seen[n]++;
    }

    for (i = 0; i < 64; i++) {
        test_ok(seen[i] > 1024 - 160 && seen[i] < 1024 + 160);
    }

    test_ok(ngx_http_chat_limit_key(&limit_zone, 1, &s)
            == ngx_http_chat_limit_key(&limit_zone, 1, &s));
    test_ok(ngx_http_chat_limit_key(&limit_zone, 1, &s)
            != ngx_http_chat_limit_key(&limit_zone, 2, &s));
}


static void
test_burst(void)
{
    ngx_uint_t  burst;

    for (burst = 1; burst < 200; burst++) {
        limit_wipe();

        test_eq(limit_all(7, 5000, burst, LIMIT_NOW), burst);
        test_eq(limit_take(7, 5000, burst, LIMIT_NOW), 200);
        test_eq(limit_take(7, 5000, burst, LIMIT_NOW + 199), 1);
        test_eq(limit_take(7, 5000, burst, LIMIT_NOW + 200), 0);
        test_eq(limit_take(7, 5000, burst, LIMIT_NOW + 200), 200);

        /* and never more than that, however long it waits */

        test_eq(limit_all(7, 5000, burst, LIMIT_NOW + 86400000), burst);
    }

    /* 0 is as much as 1 */

    limit_wipe();
    test_eq(limit_all(7, 5000, 0, LIMIT_NOW), 1);
    test_eq(limit_all(9, 0, 1, LIMIT_NOW), 1);
    test_eq(limit_take(9, 0, 1, LIMIT_NOW), 1000000);
}


/* Taken as soon as it is there, for a long time, at any rate. */

static void
test_rates(void)
{
    uint64_t     allowed, span;
    ngx_uint_t   i, n, burst;
    ngx_msec_t   now, wait;
    static const ngx_uint_t  rates[] = { 1, 17, 1000, 3000, 5000, 7000,
                                         33333, 100000, 450000, 900000 };

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        limit_wipe();

        burst = 1 + shm_random(&limit_seed, 20);
        now = LIMIT_NOW;

        for (n = 0; n < 20000; ) {
            wait = limit_take(7, rates[i], burst + 1, now);

            if (wait) {
                now += wait;

            } else {
                n++;
            }
        }

        /* the last one was taken now: as many as the time is worth */

        span = now - LIMIT_NOW;
        allowed = burst + 1 + span * rates[i] / 1000000;

        test_ok(n <= allowed);
        test_ok(n + n / 1000 + 1 >= allowed);
    }
}


/* Random waits: against the same sum in other words. */

static void
test_random(void)
{
    int64_t      tokens, most;
    ngx_uint_t   i, rate, burst;
    ngx_msec_t   now, wait, step;

    for (rate = 1000; rate <= 500000; rate *= 5) {
        limit_wipe();

        burst = 1 + shm_random(&limit_seed, 50);
        most = (int64_t) burst * 1000000;        /* millionths of a token */
        tokens = most;
        now = LIMIT_NOW;

        for (i = 0; i < LIMIT_TRIES / 10; i++) {
            wait = limit_take(7, rate, burst, now);

            test_ok((wait == 0) == (tokens >= 1000000));

            if (wait == 0) {
                tokens -= 1000000;

            } else {
                test_eq(wait, (1000000 - tokens + (int64_t) rate - 1)
                              / (int64_t) rate);
            }

            step = shm_random(&limit_seed, 3)
                       ? 0 : shm_random(&limit_seed, 4000000 / rate + 1);

            now += step;
            tokens = ngx_min(tokens + (int64_t) (step * rate), most);
        }
    }
}


static void
test_force(void)
{
    ngx_uint_t  i;

    limit_wipe();

    test_eq(limit_all(7, 5000, 10, LIMIT_NOW), 10);

    for (i = 1; i <= 20; i++) {
        test_eq(ngx_http_chat_limit_take(&limit_zone, 7, 5000, 10, LIMIT_NOW,
                                         1),
                200 * i);
    }

    test_eq(limit_take(7, 5000, 10, LIMIT_NOW), 200 * 21);
    test_eq(limit_take(7, 5000, 10, LIMIT_NOW + 200 * 21 - 1), 1);
    test_eq(limit_take(7, 5000, 10, LIMIT_NOW + 200 * 21), 0);

    /* with tokens there is nothing to wait for */

    test_eq(ngx_http_chat_limit_take(&limit_zone, 8, 5000, 10, LIMIT_NOW, 1),
            0);

    /* a debt has an end */

    for (i = 0; i < 5000; i++) {
        (void) ngx_http_chat_limit_take(&limit_zone, 9, 5000, 10, LIMIT_NOW,
                                        1);
    }

    test_ok(limit_take(9, 5000, 10, LIMIT_NOW) <= 200 * 1001);
    test_ok(limit_take(9, 5000, 10, LIMIT_NOW) >= 200 * 1000);
    test_eq(limit_take(9, 5000, 10, LIMIT_NOW + 200 * 1001), 0);
}


/* The fifth key of a set takes the place of the one left alone for longest. */

static void
test_eviction(void)
{
    ngx_uint_t  i, k, set;

    set = 5;

    for (k = 0; k < NGX_HTTP_CHAT_LIMIT_WAYS; k++) {
        limit_wipe();

        for (i = 0; i < NGX_HTTP_CHAT_LIMIT_WAYS; i++) {
            test_eq(limit_all(limit_key(set, i), 5000, 3,
                              LIMIT_NOW + (i == k ? 0 : 300)),
                    3);
        }

        test_eq(limit_all(limit_key(set, 9), 5000, 3, LIMIT_NOW + 301), 3);

        for (i = 0; i < NGX_HTTP_CHAT_LIMIT_WAYS; i++) {

            if (i != k) {
                test_eq(limit_all(limit_key(set, i), 5000, 3,
                                  LIMIT_NOW + 301),
                        0);
            }
        }

        /* all were asked for, so it is whoever is nearest to being full */

        test_eq(limit_all(limit_key(set, k), 5000, 3, LIMIT_NOW + 302), 3);
    }

    /* the other sets do not notice */

    limit_wipe();
    test_eq(limit_all(limit_key(6, 0), 5000, 3, LIMIT_NOW), 3);

    for (i = 0; i < 100; i++) {
        test_eq(limit_all(limit_key(set, i), 5000, 3, LIMIT_NOW), 3);
    }

    test_eq(limit_all(limit_key(6, 0), 5000, 3, LIMIT_NOW), 0);
}


static void
test_clock(void)
{
    limit_wipe();

    /* standing still */

    test_eq(limit_all(7, 5000, 10, LIMIT_NOW), 10);
    test_eq(limit_all(7, 5000, 10, LIMIT_NOW), 0);

    /* a little back: nothing is given, and no more is asked for than that */

    test_eq(limit_take(7, 5000, 10, LIMIT_NOW - 1000), 1200);
    test_eq(limit_take(7, 5000, 10, LIMIT_NOW), 200);

    /* to a time long ago, as another boot's: it begins anew */

    test_eq(limit_all(7, 5000, 10, 5), 10);
    test_eq(limit_take(7, 5000, 10, 5), 200);
    test_eq(limit_take(7, 5000, 10, 205), 0);

    /* and forth again */

    test_eq(limit_all(7, 5000, 10, LIMIT_NOW), 10);
}


static void
test_damage(void)
{
    ngx_uint_t                 i, k;
    ngx_http_chat_limit_sh_t  *set;
    static const uint64_t      levels[] = {
        (uint64_t) -1, (uint64_t) 1 << 63, ((uint64_t) 1 << 63) - 1,
        (uint64_t) 1 << 62, (uint64_t) 1 << 61, (uint64_t) 1 << 51
    };

    for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        limit_wipe();
        set = limit_set(7);

        test_eq(limit_all(limit_key(7, 0), 5000, 10, LIMIT_NOW), 10);
        set[0].level = levels[i];
        test_eq(limit_all(limit_key(7, 0), 5000, 10, LIMIT_NOW), 10);
        test_eq(limit_take(limit_key(7, 0), 5000, 10, LIMIT_NOW), 200);

        /* a set of nonsense: no place of it is lost */

        for (k = 0; k < NGX_HTTP_CHAT_LIMIT_WAYS; k++) {
            set[k].key = ~(ngx_atomic_uint_t) k;
            set[k].level = levels[i];
        }

        for (k = 0; k < NGX_HTTP_CHAT_LIMIT_WAYS; k++) {
            test_eq(limit_all(limit_key(7, k), 5000, 10, LIMIT_NOW), 10);
        }

        for (k = 0; k < NGX_HTTP_CHAT_LIMIT_WAYS; k++) {
            test_eq(limit_take(limit_key(7, k), 5000, 10, LIMIT_NOW), 200);
        }
    }
}


/* A key that has two places, as two processes may have made them. */

static void
test_twins(void)
{
    ngx_http_chat_limit_sh_t  *set;

    limit_wipe();
    set = limit_set(7);

    test_eq(limit_all(limit_key(7, 0), 5000, 10, LIMIT_NOW), 10);
    set[3] = set[0];
    set[0].level = (ngx_atomic_uint_t) LIMIT_NOW * 1000 + 200000 * 2;
    set[3].level = (ngx_atomic_uint_t) LIMIT_NOW * 1000 + 200000 * 3;

    test_eq(limit_all(limit_key(7, 0), 5000, 10, LIMIT_NOW), 5);
    test_eq(set[3].key, 0);
    test_eq(limit_take(limit_key(7, 0), 5000, 10, LIMIT_NOW), 200);
}


/* Processes that begin at the same time with keys that nobody has seen yet. */

static ngx_uint_t
limit_race(volatile ngx_atomic_t *start, ngx_uint_t keys, ngx_uint_t round)
{
    ngx_uint_t  n, k, i;
    ngx_msec_t  now;

    n = 0;
    now = LIMIT_NOW + round;

    while (*start <= round) {
        ngx_cpu_pause();
    }

    for (i = 0; i < 12; i++) {

        for (k = 0; k < keys; k++) {
            n += limit_take(limit_key(k, round), 5000, 10, now) == 0;
        }
    }

    return n;
}


static void
limit_child(ngx_atomic_t *shared, ngx_uint_t keys, ngx_uint_t rounds)
{
    ngx_uint_t  round;

    for (round = 0; round < rounds; round++) {
        (void) ngx_atomic_fetch_add(&shared[1],
                              limit_race(&shared[0], keys, round));
        (void) ngx_atomic_fetch_add(&shared[2], 1);
    }

    _exit(0);
}


static void
test_processes(void)
{
    pid_t          pids[3];
    ngx_uint_t     i, keys, round, rounds;
    ngx_atomic_t  *shared;

    keys = 32;
    rounds = 300 / shm_slowness();

    shared = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1,
                  0);
    if (shared == MAP_FAILED) {
        exit(2);
    }

    limit_wipe();

    for (i = 0; i < 3; i++) {
        pids[i] = fork();

        if (pids[i] == 0) {
            limit_child(shared, keys, rounds);
        }
    }

    for (round = 0; round < rounds; round++) {
        shared[1] = 0;
        shared[2] = 0;
        ngx_memory_barrier();
        shared[0] = round + 1;

        while (shared[2] < 3) {
            ngx_sched_yield();
        }

        /* each key gives ten tokens, whoever asks */

        test_eq(shared[1], 10 * keys);
    }

    for (i = 0; i < 3; i++) {
        test_ok(waitpid(pids[i], NULL, 0) == pids[i]);
    }

    (void) munmap((void *) shared, 4096);
}


int
main(int argc, char **argv)
{
    if (argc > 1) {
        limit_seed = strtoull(argv[1], NULL, 10);
    }

    shm_zone_make(&limit_zone, 4096, 2);

    test_run("keys are spread, and kinds keep them apart", test_keys);
    test_run("a burst is given at once, and no more", test_burst);
    test_run("a rate is kept over time", test_rates);
    test_run("random takes are as the sum says", test_random);
    test_run("what is forced makes a debt", test_force);
    test_run("the oldest of a set goes", test_eviction);
    test_run("a clock that stands or jumps", test_clock);
    test_run("words that make no sense", test_damage);
    test_run("two places of one key become one", test_twins);
    test_run("no more for several processes at once", test_processes);

    shm_zone_free(&limit_zone);

    return test_done();
}
