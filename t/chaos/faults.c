
/*
 * Faults inside of nginx, loaded before it: the module's src/shm is built with
 * -fsanitize-coverage=trace-pc, which calls __sanitizer_cov_trace_pc() at each
 * basic block.  That is a fault point at each step of all that is done in the
 * zone.  Which one kills is said by a page that the driver writes:
 *
 *   clock   armed   lo   hi   count   master   died   sweep   where
 *
 * The count'th basic block between lo and hi, from now on and whatever worker
 * comes there, is the end of that worker, by SIGKILL.  lo and hi are offsets
 * in the module's file.  "clock" is added to the wall clock of all.  With
 * "sweep" on, each sweep goes over the whole zone: what takes a minute, so
 * that nobody notices it, is over in a second.
 *
 * CHAOS_FAULTS names the page's file.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


#define CHAOS_MODULE_MAX  (16 * 1024 * 1024)
#define CHAOS_SWEEP       (1 << 30)              /* buckets: all */


typedef void (*chaos_sweep_pt)(void *zone, uintptr_t n);

typedef struct {
    volatile int64_t   clock;          /* ms */
    volatile uint32_t  armed;
    volatile uint32_t  lo;
    volatile uint32_t  hi;
    volatile int32_t   count;
    volatile int32_t   master;         /* is spared */
    volatile int32_t   died;
    volatile uint32_t  sweep;
    volatile uint64_t  where;
} chaos_page_t;


void __sanitizer_cov_trace_pc(void);
void ngx_http_chat_room_sweep(void *zone, uintptr_t n);


static chaos_page_t   chaos_none;
static chaos_page_t  *chaos_page = &chaos_none;
static uintptr_t      chaos_base;


static void __attribute__((constructor))
chaos_begin(void)
{
    int          fd;
    void        *p;
    const char  *name;

    name = getenv("CHAOS_FAULTS");

    if (name == NULL) {
        return;
    }

    fd = open(name, O_RDWR | O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(chaos_page_t), PROT_READ | PROT_WRITE, MAP_SHARED,
             fd, 0);

    if (p != MAP_FAILED) {
        chaos_page = p;
    }

    (void) close(fd);
}


/* A reload may have brought the module to another place. */
static uintptr_t
chaos_offset(uintptr_t pc)
{
    Dl_info  info;

    if (pc < chaos_base || pc - chaos_base > CHAOS_MODULE_MAX) {

        if (dladdr((void *) pc, &info) == 0) {
            return 0;
        }

        chaos_base = (uintptr_t) info.dli_fbase;
    }

    return pc - chaos_base;
}


void
__sanitizer_cov_trace_pc(void)
{
    pid_t          pid;
    uintptr_t      at;
    chaos_page_t  *page;

    page = chaos_page;

    if (!page->armed) {
        return;
    }

    at = chaos_offset((uintptr_t) __builtin_return_address(0));

    if (at < page->lo || at >= page->hi) {
        return;
    }

    pid = getpid();

    if (pid == page->master || __sync_sub_and_fetch(&page->count, 1) != 0) {
        return;
    }

    page->armed = 0;
    page->where = at;
    page->died = pid;

    (void) kill(pid, SIGKILL);

    for ( ;; ) {
        (void) pause();
    }
}


int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    int64_t          ms;
    struct timespec  ts;

    (void) tz;

    if (clock_gettime(CLOCK_REALTIME, &ts) != 0) {
        return -1;
    }

    ms = (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + chaos_page->clock;

    tv->tv_sec = ms / 1000;
    tv->tv_usec = ms % 1000 * 1000 + ts.tv_nsec / 1000 % 1000;

    return 0;
}


/* The worker calls this one instead of the module's. */
void
ngx_http_chat_room_sweep(void *zone, uintptr_t n)
{
    static chaos_sweep_pt  sweep;

    if (sweep == NULL) {
        *(void **) &sweep = dlsym(RTLD_NEXT, "ngx_http_chat_room_sweep");
    }

    if (sweep == NULL) {
        abort();
    }

    sweep(zone, chaos_page->sweep ? CHAOS_SWEEP : n);
}
