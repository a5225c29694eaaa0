
#include <ucontext.h>

#include "model.h"


#define MODEL_STACK   (256 * 1024)
#define MODEL_POINTS  65536
#define MODEL_KEPT    12
#define MODEL_SHOWN   24                 /* switches of a bad schedule */


typedef enum {
    model_ready = 0,
    model_waits,                         /* for a lock */
    model_sleeps,                        /* for its descriptor */
    model_done,
    model_dead
} model_state_e;


typedef struct {
    ucontext_t                context;
    model_state_e             state;
    volatile ngx_atomic_t    *lock;      /* the one that was not got last */
    ngx_uint_t                spins;     /* since then */
    ngx_uint_t                news;      /* its descriptor can be read */
    ngx_http_chat_zone_t      zone;
} model_worker_t;


/* A moment at which more than one thing could happen. */
typedef struct {
    uint8_t                   options;
    uint8_t                   chosen;
    uint8_t                   worker;
    void                     *from;
} model_point_t;


typedef struct {
    void                     *p;
    void                     *copy;
    size_t                    size;
} model_kept_t;


static struct {
    const model_case_t       *test;
    ngx_http_chat_zone_t      zone;
    u_char                   *begin;
    size_t                    size;

    model_worker_t            workers[MODEL_WORKERS];
    ucontext_t                scheduler;
    ngx_uint_t                n;         /* workers in this case */
    ngx_uint_t                current;
    ngx_uint_t                running;
    ngx_uint_t                switches;  /* in this schedule */
    ngx_uint_t                deaths;
    ngx_uint_t                bound;

    model_point_t             points[MODEL_POINTS];
    ngx_uint_t                npoints;
    ngx_uint_t                at;

    uint8_t                  *readers;   /* of each word, a bit each */
    uint8_t                  *writers;
    uint8_t                  *hot_read;  /* for whom a place is shared */
    uint8_t                  *hot_write;
    size_t                    words;

    model_kept_t              kept[MODEL_KEPT];
    ngx_uint_t                nkept;

    ngx_uint_t                schedules;
    ngx_uint_t                longest;
    ngx_uint_t                broken;
} model;

static u_char  model_stacks[MODEL_WORKERS][MODEL_STACK];


static void model_pass(void);
static ngx_uint_t model_next(void);
static void model_one(void);
static void model_schedule(void);
static void model_start(void);
static ngx_uint_t model_enabled(ngx_uint_t w);
static ngx_uint_t model_choose(ngx_uint_t options, void *from);
static void model_point(ngx_uint_t shared, ngx_uint_t writes, void *from);
static void model_yield(model_state_e state);
static void model_show(void);
static ngx_uint_t model_heat(void);
static ngx_uint_t model_is_lock(void *p);
static ngx_uint_t model_pid_alive(ngx_atomic_uint_t pid);

void model_access(void *p, size_t size, ngx_uint_t write, void *from);
ngx_atomic_uint_t model_swap(ngx_atomic_t *p, ngx_atomic_uint_t old,
    ngx_atomic_uint_t set, void *from);
ngx_atomic_uint_t model_add(ngx_atomic_t *p, ngx_atomic_uint_t n, void *from);

int __wrap_kill(pid_t pid, int signo);
int __wrap_sched_yield(void);
ssize_t __wrap_write(int fd, const void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);
int __real_kill(pid_t pid, int signo);
int __real_sched_yield(void);
ssize_t __real_write(int fd, const void *buf, size_t n);
ssize_t __real_read(int fd, void *buf, size_t n);


void
model_explore(const model_case_t *c)
{
    u_char      *copy;
    ngx_uint_t   i;

    ngx_memzero(&model, sizeof(model));

    model.test = c;

    for (model.n = 0; model.n < MODEL_WORKERS && c->run[model.n]; model.n++) {
        /* void */
    }

    shm_zone_make(&model.zone, MODEL_BLOCKS, MODEL_SLOTS);

    model.begin = (u_char *) model.zone.sh;
    model.size = shm_zone_size(&model.zone);
    model.words = model.size / 4 + 1;

    for (i = 0; i < MODEL_SLOTS; i++) {
        model.zone.slots[i].fd[0] = MODEL_FD + (ngx_int_t) i;
        model.zone.slots[i].fd[1] = MODEL_FD + (ngx_int_t) i;
    }

    for (i = 0; i < MODEL_WORKERS; i++) {
        model.workers[i].zone = model.zone;
        model.workers[i].zone.slot = i + 1;

        if (i < model.n) {
            model.zone.slots[i + 1].pid = MODEL_PID + i;
        }
    }

    model.readers = calloc(4, model.words);

    if (model.readers == NULL) {
        exit(2);
    }

    model.writers = model.readers + model.words;
    model.hot_read = model.writers + model.words;
    model.hot_write = model.hot_read + model.words;

    c->setup(&model.zone);

    copy = test_copy(model.begin, model.size);
    model.kept[model.nkept].p = model.begin;
    model.kept[model.nkept].copy = copy;
    model.kept[model.nkept++].size = model.size;

    for (i = 0; i + 1 < model.nkept; i++) {
        ngx_memcpy(model.kept[i].copy, model.kept[i].p, model.kept[i].size);
    }

    for (model.bound = 0;
         model.bound <= c->switches && model.broken == 0;
         model.bound++)
    {

        do {
            model_pass();
        } while (model.broken == 0 && model_heat());
    }

    test_eq(model.broken, 0);

    printf("# %s: %lu schedules, at most %lu points in one\n", c->name,
           (unsigned long) model.schedules, (unsigned long) model.longest);

    for (i = 0; i < model.nkept; i++) {
        free(model.kept[i].copy);
    }

    free(model.readers);
    shm_zone_free(&model.zone);
}


/* All schedules within the bound. */

static void
model_pass(void)
{
    model.npoints = 0;
    model.schedules = 0;
    model.longest = 0;

    do {
        model_one();
        model.schedules++;
        model.longest = ngx_max(model.longest, model.npoints);

    } while (model.broken == 0 && model_next());
}


/* The next one in depth-first order: another choice at the last moment that
 * has one left. */

static ngx_uint_t
model_next(void)
{
    model_point_t  *pt;

    while (model.npoints) {
        pt = &model.points[model.npoints - 1];

        if (pt->chosen + 1 < pt->options) {
            pt->chosen++;
            return 1;
        }

        model.npoints--;
    }

    return 0;
}


static void
model_one(void)
{
    ngx_uint_t       i;
    model_worker_t  *w;

    for (i = 0; i < model.nkept; i++) {
        ngx_memcpy(model.kept[i].p, model.kept[i].copy, model.kept[i].size);
    }

    model.at = 0;
    model.switches = 0;
    model.deaths = 0;

    for (i = 0; i < model.n; i++) {
        w = &model.workers[i];
        w->state = model_ready;
        w->lock = NULL;
        w->spins = 0;
        w->news = 0;

        (void) getcontext(&w->context);
        w->context.uc_stack.ss_sp = model_stacks[i];
        w->context.uc_stack.ss_size = MODEL_STACK;
        w->context.uc_link = &model.scheduler;
        makecontext(&w->context, model_start, 0);
    }

    model_schedule();

    ngx_pid = getpid();

    model.test->check(&model.zone);

    if (model.broken) {
        model_show();
    }
}


/* Runs the workers until nobody can go on. */

static void
model_schedule(void)
{
    ngx_uint_t  i, n, last, who[MODEL_WORKERS];

    last = 0;

    for ( ;; ) {

        for (i = 0, n = 0; i < model.n; i++) {

            if (model_enabled(i)) {
                who[n++] = i;
            }
        }

        if (n == 0) {

            for (i = 0; i < model.n; i++) {

                if (model.workers[i].state == model_waits) {
                    model_must(!"somebody waits for ever");
                    return;
                }

                if (model.workers[i].state == model_sleeps) {
                    who[n++] = i;
                }
            }

            if (n == 0) {
                return;
            }
        }

        model.current = last;
        last = who[model_choose(n, NULL)];

        model.current = last;
        model.workers[last].state = model_ready;
        ngx_pid = MODEL_PID + (ngx_pid_t) last;

        model.running = 1;
        (void) swapcontext(&model.scheduler, &model.workers[last].context);
        model.running = 0;

        /* one that was put aside chose who is next: by a point of its own */

        while (model.current != last) {
            last = model.current;
            ngx_pid = MODEL_PID + (ngx_pid_t) last;
            model.workers[last].state = model_ready;

            model.running = 1;
            (void) swapcontext(&model.scheduler,
                               &model.workers[last].context);
            model.running = 0;
        }
    }
}


static void
model_start(void)
{
    model.test->run[model.current](&model.workers[model.current].zone);

    model.workers[model.current].state = model_done;
}


static ngx_uint_t
model_enabled(ngx_uint_t n)
{
    model_worker_t  *w;

    w = &model.workers[n];

    switch (w->state) {

    case model_ready:
        return 1;

    case model_waits:
        return *w->lock == 0 || !model_pid_alive(*w->lock);

    case model_sleeps:
        return w->news != 0;

    default:
        return 0;
    }
}


static ngx_uint_t
model_choose(ngx_uint_t options, void *from)
{
    model_point_t  *pt;

    if (options < 2 || model.broken) {
        return 0;
    }

    if (model.at == MODEL_POINTS) {
        model_must(!"a schedule has no end");
        return 0;
    }

    pt = &model.points[model.at];

    if (model.at == model.npoints) {
        pt->options = (uint8_t) options;
        pt->chosen = 0;
        model.npoints++;
    }

    model.at++;
    pt->from = from;
    pt->worker = (uint8_t) model.current;

    model_must(pt->options == options);

    return pt->chosen;
}


/* Go on, let another one go on, or die. */

static void
model_point(ngx_uint_t shared, ngx_uint_t writes, void *from)
{
    ngx_uint_t       i, n, w, who[MODEL_WORKERS + 1];
    model_worker_t  *me;

    if (model.switches == model.bound) {
        return;
    }

    w = model.current;
    n = 1;

    for (i = 0; shared && i < model.n; i++) {

        if (i != w && model_enabled(i)) {
            who[n++] = i;
        }
    }

    if (writes && model.deaths < model.test->deaths) {
        who[n++] = MODEL_WORKERS;
    }

    i = model_choose(n, from);

    if (i == 0) {
        return;
    }

    model.switches++;
    me = &model.workers[w];

    if (who[i] == MODEL_WORKERS) {
        model.deaths++;
        me->state = model_dead;

    } else {
        model.current = who[i];
    }

    (void) swapcontext(&me->context, &model.scheduler);
}


static void
model_yield(model_state_e state)
{
    model_worker_t  *me;

    me = &model.workers[model.current];
    me->state = state;

    (void) swapcontext(&me->context, &model.scheduler);
}


/* What was seen by now; 1: a place is shared that was not. */

static ngx_uint_t
model_heat(void)
{
    size_t      i;
    uint8_t     bit, r, w;
    ngx_uint_t  n, grown;

    grown = 0;

    for (i = 0; i < model.words; i++) {
        r = 0;
        w = 0;

        for (n = 0; n < model.n; n++) {
            bit = (uint8_t) (1 << n);

            if (model.writers[i] & ~bit) {
                r |= bit;
            }

            if ((model.readers[i] | model.writers[i]) & ~bit) {
                w |= bit;
            }
        }

        /* all read: nothing to see */

        if (r == 0) {
            w &= model.writers[i];
        }

        if (r != model.hot_read[i] || w != model.hot_write[i]) {
            grown = 1;
        }

        model.hot_read[i] = r;
        model.hot_write[i] = w;
    }

    return grown;
}


void
model_access(void *p, size_t size, ngx_uint_t write, void *from)
{
    size_t      i, last;
    uint8_t     bit, hot;
    uintptr_t   off;

    off = (uintptr_t) p - (uintptr_t) model.begin;

    if (!model.running || off >= model.size || size == 0) {
        return;
    }

    /* a lock is looked at again and again until it is free */

    if (!write && model_is_lock(p)) {
        return;
    }

    bit = (uint8_t) (1 << model.current);
    last = ngx_min((off + size - 1) / 4, model.words - 1);
    hot = 0;

    for (i = off / 4; i <= last; i++) {

        if (write) {
            model.writers[i] |= bit;
            hot |= model.hot_write[i] & bit;

        } else {
            model.readers[i] |= bit;
            hot |= model.hot_read[i] & bit;
        }
    }

    if (hot || write) {
        model_point(hot, write, from);
    }
}


ngx_atomic_uint_t
model_swap(ngx_atomic_t *p, ngx_atomic_uint_t old, ngx_atomic_uint_t set,
    void *from)
{
    ngx_atomic_uint_t   was;
    model_worker_t     *me;

    me = &model.workers[model.current];

    if (model.running && !(model_is_lock((void *) p) && me->lock == p)) {
        model_access((void *) p, sizeof(ngx_atomic_t), 1, from);
    }

    was = *p;

    if (was == old) {
        *p = set;
    }

    if (model.running && model_is_lock((void *) p)) {
        me->lock = (was == old) ? NULL : p;
    }

    return was;
}


ngx_atomic_uint_t
model_add(ngx_atomic_t *p, ngx_atomic_uint_t n, void *from)
{
    model_access((void *) p, sizeof(ngx_atomic_t), 1, from);

    *p += n;

    return *p - n;
}


static ngx_uint_t
model_is_lock(void *p)
{
    uintptr_t                 off;
    ngx_uint_t                i;
    ngx_http_chat_zone_sh_t  *sh;

    sh = model.zone.sh;
    off = (uintptr_t) p - (uintptr_t) sh->stripes;

    if (off < sizeof(sh->stripes)) {
        return 1;
    }

    if (p == &sh->pool.lock.word || p == &sh->lru.lock.word) {
        return 1;
    }

    for (i = 0; i < MODEL_SLOTS; i++) {

        if (p == &model.zone.slots[i].lock.word) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
model_pid_alive(ngx_atomic_uint_t pid)
{
    ngx_uint_t  i;

    for (i = 0; i < model.n; i++) {

        if (pid == MODEL_PID + i) {
            return model.workers[i].state != model_dead;
        }
    }

    return pid == (ngx_atomic_uint_t) getpid();
}


int
__wrap_kill(pid_t pid, int signo)
{
    if (signo || model.test == NULL) {
        return __real_kill(pid, signo);
    }

    if (model_pid_alive((ngx_atomic_uint_t) pid)) {
        return 0;
    }

    ngx_set_errno(ESRCH);

    return -1;
}


/* Only who waits for a lock yields; where the holder is dead he goes on. */

int
__wrap_sched_yield(void)
{
    model_worker_t  *me;

    if (!model.running) {
        return __real_sched_yield();
    }

    me = &model.workers[model.current];

    if (me->lock && *me->lock && model_pid_alive(*me->lock)) {
        model_must(*me->lock != (ngx_atomic_uint_t) ngx_pid);
        model_yield(model_waits);
    }

    return 0;
}


ssize_t
__wrap_write(int fd, const void *buf, size_t n)
{
    ngx_uint_t  slot;

    if (fd < MODEL_FD) {
        return __real_write(fd, buf, n);
    }

    slot = (ngx_uint_t) (fd - MODEL_FD);

    if (model.running) {
        model_point(1, 1, __builtin_return_address(0));
    }

    if (slot > 0 && slot <= MODEL_WORKERS) {
        model.workers[slot - 1].news = 1;
    }

    return (ssize_t) n;
}


ssize_t
__wrap_read(int fd, void *buf, size_t n)
{
    if (fd < MODEL_FD) {
        return __real_read(fd, buf, n);
    }

    if (model.running) {
        model_point(1, 0, __builtin_return_address(0));
    }

    model.workers[fd - MODEL_FD - 1].news = 0;

    return 8;
}


ngx_uint_t
model_sleep(void)
{
    model_worker_t  *me;

    me = &model.workers[model.current];

    if (me->news == 0) {
        model_yield(model_sleeps);
    }

    return me->news;
}


void
model_settle(ngx_http_chat_zone_t *z)
{
    const char  *wrong;
    ngx_uint_t   slot;

    for ( ;; ) {
        slot = ngx_http_chat_zone_find_dead(z);

        if (slot == NGX_HTTP_CHAT_NO_SLOT) {
            break;
        }

        ngx_http_chat_room_reap(z, slot, 0);
        ngx_http_chat_zone_release(z, slot);
    }

    if (z->sh->leaks) {
        model_must(ngx_http_chat_repair(z) >= 0);
    }

    wrong = shm_complete(z);

    if (wrong) {
        model_broken("the census", 0, wrong);
    }
}


void
model_keep(void *p, size_t size)
{
    model.kept[model.nkept].p = p;
    model.kept[model.nkept].copy = test_copy(p, size);
    model.kept[model.nkept++].size = size;
}


ngx_uint_t
model_worker(void)
{
    return model.current;
}


ngx_http_chat_zone_t *
model_zone(ngx_uint_t worker)
{
    return &model.workers[worker].zone;
}


ngx_uint_t
model_died(ngx_uint_t worker)
{
    return model.workers[worker].state == model_dead;
}


ngx_uint_t
model_deaths(void)
{
    return model.deaths;
}


ngx_uint_t
model_schedules(void)
{
    return model.schedules;
}


void
model_broken(const char *file, int line, const char *what)
{
    if (model.broken++ == 0) {
        printf("# %s:%d: %s\n", file, line, what);
    }
}


/* The choices that were not the first ones; the addresses are for addr2line. */

static void
model_show(void)
{
    ngx_uint_t      i, n;
    model_point_t  *pt;

    for (i = 0, n = 0; i < model.npoints && n < MODEL_SHOWN; i++) {
        pt = &model.points[i];

        if (pt->chosen) {
            printf("# point %lu, worker %u at %p: choice %u of %u\n",
                   (unsigned long) i, pt->worker, pt->from, pt->chosen,
                   pt->options);
            n++;
        }
    }

    printf("# %lu died\n", (unsigned long) model.deaths);
}
