
/*
 * The zone's layout, its blocks, its locks and its workers' slots.
 */


#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm_kit.h"
#include "test.h"


#define ZONE_MIB     1048576
#define ZONE_WRITERS 4
#define ZONE_ROUNDS  20000


static u_char           zone_tag;
static ngx_shm_zone_t  *zone_former;    /* two of them, or NULL */


static void
test_blocks(void)
{
    uint32_t              n, i, *taken;
    u_char               *seen;
    ngx_http_chat_zone_t  zone, *z;

    z = &zone;
    shm_zone_make(z, 1000, 2);

    n = z->sh->nblocks;
    seen = calloc(1, n + 1);
    taken = calloc(n, sizeof(uint32_t));

    test_ok(n >= 1000);
    test_eq(z->sh->pool.nfree, n);

    for (i = 0; i < n; i++) {
        taken[i] = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);

        /* from the low end, so that what is never needed is never touched */

        test_eq(taken[i], i + 1);

        test_ok(taken[i] >= 1 && taken[i] <= n && !seen[taken[i]]++);
        test_eq(ngx_http_chat_block(z, taken[i])->next, 0);
        test_eq(ngx_http_chat_block(z, taken[i])->kind,
                NGX_HTTP_CHAT_BLOCK_LOG);
        test_eq(z->sh->pool.nfree, n - i - 1);

        ngx_memset(ngx_http_chat_block(z, taken[i])->data, 0xa5,
                   NGX_HTTP_CHAT_BLOCK_DATA);
    }

    test_eq(ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG), 0);
    test_eq(ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_ROOM), 0);
    test_eq(z->sh->pool.nfree, 0);

    /* one, then a chain of all the others */

    ngx_http_chat_block_free(z, taken[5], taken[5], 1);
    test_eq(z->sh->pool.nfree, 1);
    test_eq(ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_ROOM), taken[5]);
    test_eq(ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_ROOM), 0);
    ngx_http_chat_block_free(z, taken[5], taken[5], 1);

    ngx_http_chat_block_free(z, 0, 0, 0);
    test_eq(z->sh->pool.nfree, 1);

    for (i = 0; i + 1 < n; i++) {
        ngx_http_chat_block(z, taken[i])->kind = NGX_HTTP_CHAT_BLOCK_FREE;

        if (i != 5) {
            ngx_http_chat_block(z, taken[i])->next
                                             = taken[i + 1 == 5 ? 6 : i + 1];
        }
    }

    ngx_http_chat_block_free(z, taken[0], taken[n - 1], n - 1);

    test_eq(z->sh->pool.nfree, n);
    test_ok(shm_complete(z) == NULL);

    ngx_memzero(seen, n + 1);

    for (i = 0; i < n; i++) {
        taken[0] = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG);
        test_ok(taken[0] >= 1 && taken[0] <= n && !seen[taken[0]]++);
        test_eq(ngx_http_chat_block(z, taken[0])->next, 0);
    }

    test_eq(ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_LOG), 0);

    free(seen);
    free(taken);
    shm_zone_free(z);
}


/* Any size and any number of slots: nothing lies outside or on another. */

static void
zone_check_layout(u_char *addr, size_t size, ngx_uint_t slots)
{
    u_char                *blocks, *p;
    ngx_http_chat_zone_t   zone, *z;

    z = &zone;
    ngx_memzero(z, sizeof(ngx_http_chat_zone_t));

    if (ngx_http_chat_zone_format(z, addr, size, slots) != NGX_OK) {
        test_ok(size < 64 * NGX_HTTP_CHAT_BLOCK_SIZE
                       + sizeof(ngx_http_chat_zone_sh_t) + 128
                       + slots * sizeof(ngx_http_chat_slot_sh_t));
        return;
    }

    blocks = (u_char *) ngx_http_chat_block(z, 1);
    p = (u_char *) (z->buckets + z->sh->nbuckets);

    test_ok((u_char *) z->slots >= addr + sizeof(ngx_http_chat_zone_sh_t));
    test_ok((u_char *) z->buckets >= (u_char *) (z->slots + slots));
    test_ok(blocks >= p);
    test_ok(ngx_http_chat_block(z, z->sh->nblocks)->data
            + NGX_HTTP_CHAT_BLOCK_DATA <= addr + size);

    /* and little is wasted */

    test_ok(addr + size - (u_char *) ngx_http_chat_block(z, z->sh->nblocks)
            < 3 * NGX_HTTP_CHAT_BLOCK_SIZE);

    test_eq((uintptr_t) z->slots % 64, (uintptr_t) addr % 64);
    test_eq((uintptr_t) blocks % 64, 0);
    test_eq(z->sh->layout, NGX_HTTP_CHAT_LAYOUT);
    test_eq(z->sh->nslots, slots);
    test_ok(z->sh->nbuckets >= NGX_HTTP_CHAT_STRIPES);
    test_eq(z->sh->nbuckets & (z->sh->nbuckets - 1), 0);
    test_ok(z->sh->nblocks >= 60);
    test_eq(z->slots[slots - 1].fd[1], -1);
    test_ok(shm_complete(z) == NULL);
}


static void
test_layout(void)
{
    size_t      size, pages, page;
    u_char     *p;
    ngx_uint_t  slots;

    pages = 4 * ZONE_MIB;
    page = 65536;

    p = mmap(NULL, pages + page, PROT_READ|PROT_WRITE, MAP_ANON|MAP_PRIVATE,
             -1, 0);
    test_ok(p != MAP_FAILED && mprotect(p + pages, page, PROT_NONE) == 0);

    /* the end is where the forbidden page begins, sizes are odd */

    for (slots = 1; slots <= 256; slots = slots * 3 + 1) {

        for (size = 64; size < pages; size += size / 7 + 8) {
            zone_check_layout(p + pages - (size & ~(size_t) 7),
                              size & ~(size_t) 7, slots);
        }

        for (size = 4096; size <= pages; size *= 2) {
            zone_check_layout(p + pages - size, size, slots);
        }
    }

    (void) munmap(p, pages + page);
}


/* What the issue asks for: 64 MiB, tens of thousands of rooms. */

static void
test_room_sizes(void)
{
    char                        name[16];
    uint32_t                    n, i;
    ngx_uint_t                  free;
    ngx_http_chat_zone_t        zone, *z;
    ngx_http_chat_retention_t   keep = { 100, 3600000, 65536, 0, 0 };
    ngx_http_chat_room_view_t   view;

    z = &zone;
    shm_zone_make(z, 64 * ZONE_MIB / NGX_HTTP_CHAT_BLOCK_SIZE - 4800, 64);

    test_ok(shm_zone_size(z) <= 64 * ZONE_MIB);

    free = z->sh->pool.nfree;
    n = shm_join(z, "empty", &keep, &view);
    test_ok(n != 0);
    test_ok((free - z->sh->pool.nfree) * NGX_HTTP_CHAT_BLOCK_SIZE <= 512);

    test_eq(shm_append(z, n, view.epoch, &keep, 128, 1), NGX_OK);
    test_ok((free - z->sh->pool.nfree) * NGX_HTTP_CHAT_BLOCK_SIZE <= 1536);

    for (i = 0; i < 60000; i++) {
        (void) snprintf(name, sizeof(name), "room%u", (unsigned) i);

        n = shm_join(z, name, &keep, &view);

        if (n == 0
            || shm_append(z, n, view.epoch, &keep, 100, i) != NGX_OK)
        {
            break;
        }
    }

    test_eq(i, 60000);
    test_eq(z->sh->evicted, 0);
    test_eq(z->sh->lru.rooms, 60001);
    test_ok(shm_complete(z) == NULL);

    shm_zone_free(z);
}


/* Through nginx's doors: defined, referred to, kept over a reload. */

static ngx_int_t
zone_init(ngx_http_chat_zone_t **z, size_t size, ngx_uint_t workers,
    void *data)
{
    ngx_str_t   name;
    ngx_conf_t  cf;
    ngx_shm_t   shm;

    shm = ngx_stub.zone.shm;
    ngx_stub_conf(&cf);
    ngx_str_set(&name, "chat");

    *z = ngx_http_chat_zone_add(&cf, &name, size, workers, &zone_tag);
    test_ok(*z != NULL);

    if (data) {
        ngx_stub.zone.shm = shm;

    } else {
        ngx_stub_shm(&ngx_stub.zone, size);
    }

    ngx_stub.former.shared_memory.part.elts = zone_former;
    ngx_stub.former.shared_memory.part.nelts = zone_former ? 2 : 0;

    return ngx_stub.zone.init(&ngx_stub.zone, data);
}


/* A zone of the configuration before: does a new one say that it is lost? */

static ngx_uint_t
zone_warns(const char *name, size_t size, void *tag)
{
    ngx_uint_t             level;
    ngx_shm_zone_t         former[2];
    ngx_http_chat_zone_t  *z;

    ngx_memzero(former, sizeof(former));

    former[1].shm.name.data = (u_char *) name;
    former[1].shm.name.len = ngx_strlen(name);
    former[1].shm.size = size;
    former[1].tag = tag;

    zone_former = former;

    test_eq(zone_init(&z, ZONE_MIB, 9, NULL), NGX_OK);
    level = ngx_stub.level;

    zone_former = NULL;

    (void) munmap(ngx_stub.zone.shm.addr, ZONE_MIB);
    free(z);

    return level;
}


static void
test_add(void)
{
    ngx_str_t              name;
    ngx_conf_t             cf;
    ngx_http_chat_zone_t  *z;

    ngx_stub_conf(&cf);
    ngx_str_set(&name, "chat");

    /* referred to before it is defined */

    z = ngx_http_chat_zone_add(&cf, &name, 0, 0, &cf);
    test_ok(z != NULL);
    test_ok(ngx_stub.zone.init == NULL);
    test_eq(z->slot, NGX_HTTP_CHAT_NO_SLOT);

    test_ok(ngx_http_chat_zone_add(&cf, &name, ZONE_MIB, 7, &cf) == z);
    test_ok(ngx_stub.zone.init != NULL);
    test_eq(z->workers, 7);
    test_eq(ngx_stub.logged, 0);

    test_ok(ngx_http_chat_zone_add(&cf, &name, 0, 0, &cf) == z);
    test_eq(z->workers, 7);

    test_ok(ngx_http_chat_zone_add(&cf, &name, ZONE_MIB, 0, &cf) == NULL);
    test_eq(ngx_stub.logged, 1);
    test_eq(ngx_stub.level, NGX_LOG_EMERG);

    free(z);
    ngx_stub_conf(&cf);
    ngx_stub.no_memory = 1;
    test_ok(ngx_http_chat_zone_add(&cf, &name, ZONE_MIB, 0, &cf) == NULL);

    ngx_stub.no_memory = 0;
    name.len = 0;
    test_ok(ngx_http_chat_zone_add(&cf, &name, ZONE_MIB, 0, &cf) == NULL);
}


static void
test_init(void)
{
    size_t                      page;
    ngx_http_chat_zone_t       *z, *old;
    ngx_http_chat_zone_sh_t    *sh;

    /* pages of any size */

    for (page = 4096; page <= 65536; page *= 2) {
        ngx_pagesize = page;

        test_eq(zone_init(&z, 2 * ZONE_MIB, 0, NULL), NGX_OK);
        test_eq(z->sh->nslots, 64);
        test_ok((u_char *) ngx_http_chat_block(z, z->sh->nblocks + 1)
                <= ngx_stub.zone.shm.addr + 2 * ZONE_MIB);
        test_ok(z->sh->nblocks * NGX_HTTP_CHAT_BLOCK_SIZE
                > 2 * ZONE_MIB - 4 * page - 64 * 2400 - 65536);
        test_eq(ngx_stub.logged, 0);

        (void) munmap(ngx_stub.zone.shm.addr, 2 * ZONE_MIB);
        free(z);

        /* too small for its slots */

        test_eq(zone_init(&z, 512 * 1024, 256, NULL), NGX_ERROR);
        test_eq(ngx_stub.logged, 1);
        test_eq(ngx_stub.level, NGX_LOG_EMERG);

        (void) munmap(ngx_stub.zone.shm.addr, 512 * 1024);
        free(z);
    }

    ngx_pagesize = 4096;

    /* a reload takes the zone over, with its slots */

    test_eq(zone_init(&old, ZONE_MIB, 9, NULL), NGX_OK);
    sh = old->sh;
    test_eq(sh->nslots, 9);

    test_eq(zone_init(&z, ZONE_MIB, 9, old), NGX_OK);
    test_ok(z->sh == sh && z->blocks == old->blocks
            && z->slots == old->slots && z->buckets == old->buckets);
    test_eq(ngx_stub.logged, 0);
    free(z);

    test_eq(zone_init(&z, ZONE_MIB, 10, old), NGX_OK);
    test_ok(z->sh == sh);
    test_eq(ngx_stub.level, NGX_LOG_WARN);
    free(z);

    /* but not another version's */

    sh->layout++;
    test_eq(zone_init(&z, ZONE_MIB, 9, old), NGX_ERROR);
    test_eq(ngx_stub.level, NGX_LOG_EMERG);

    (void) munmap(ngx_stub.zone.shm.addr, ZONE_MIB);
    free(z);
    free(old);

    /* a new one, in place of one that had another size */

    test_eq(zone_warns("chat", 2 * ZONE_MIB, &zone_tag), NGX_LOG_WARN);
    test_eq(zone_warns("chat", ZONE_MIB, &zone_tag), 0);
    test_eq(zone_warns("chats", 2 * ZONE_MIB, &zone_tag), 0);
    test_eq(zone_warns("chat", 2 * ZONE_MIB, NULL), 0);
}


static void
test_slots(void)
{
    ngx_uint_t             dead;
    ngx_http_chat_zone_t   zone, *z;

    z = &zone;
    shm_zone_make(z, 64, 4);
    z->slots[0].pid = 0;
    z->slot = NGX_HTTP_CHAT_NO_SLOT;

    /* ours is pid 1's, which lives */

    dead = 9;
    z->slots[0].pid = 1;
    test_eq(ngx_http_chat_zone_claim(z, &dead), 1);
    test_eq(dead, 0);
    test_eq(z->slots[1].pid, ngx_pid);

    /* an own number is an earlier process's */

    test_eq(ngx_http_chat_zone_claim(z, &dead), 1);
    test_eq(dead, 1);

    z->slot = 1;
    z->slots[2].pid = NGX_STUB_DEAD;
    z->slots[2].rescan = 1;
    z->slots[2].signaled = 1;
    z->slots[2].head = 7;

    test_eq(ngx_http_chat_zone_find_dead(z), 2);
    test_eq(z->slots[2].pid, ngx_pid);
    ngx_http_chat_zone_release(z, 2);
    test_eq(ngx_http_chat_zone_find_dead(z), NGX_HTTP_CHAT_NO_SLOT);

    z->slots[1].pid = 1;
    z->slots[2].pid = NGX_STUB_DEAD;

    test_eq(ngx_http_chat_zone_claim(z, &dead), 2);
    test_eq(dead, 1);
    test_eq(z->slots[2].rescan, 0);
    test_eq(z->slots[2].signaled, 0);
    test_eq(z->slots[2].tail, 7);

    z->slots[2].pid = 1;
    z->slots[3].pid = 1;

    test_eq(ngx_http_chat_zone_claim(z, &dead), NGX_HTTP_CHAT_NO_SLOT);

    shm_zone_free(z);
}


/* Once signaled, no more wake-ups until it has looked; no room is forgotten. */

static void
test_ring(void)
{
    uint32_t              i;
    ngx_http_chat_zone_t  zone, *z;

    z = &zone;
    shm_zone_make(z, 64, 2);

    test_eq(ngx_http_chat_zone_pull(z, 1), 0);

    z->slots[1].head = (uint32_t) -3;
    z->slots[1].tail = (uint32_t) -3;

    test_eq(ngx_http_chat_zone_push(z, 1, 11), 1);
    test_eq(ngx_http_chat_zone_push(z, 1, 12), 0);
    test_eq(ngx_http_chat_zone_pull(z, 1), 11);
    test_eq(ngx_http_chat_zone_push(z, 1, 13), 0);

    z->slots[1].signaled = 0;
    test_eq(ngx_http_chat_zone_push(z, 1, 14), 1);

    for (i = 12; i <= 14; i++) {
        test_eq(ngx_http_chat_zone_pull(z, 1), i);
    }

    test_eq(ngx_http_chat_zone_pull(z, 1), 0);
    test_eq(ngx_http_chat_zone_pull(z, 0), 0);

    for (i = 1; i <= NGX_HTTP_CHAT_RING; i++) {
        (void) ngx_http_chat_zone_push(z, 1, i);
    }

    test_eq(z->slots[1].rescan, 0);

    (void) ngx_http_chat_zone_push(z, 1, i);
    test_eq(z->slots[1].rescan, 1);

    for (i = 1; i <= NGX_HTTP_CHAT_RING; i++) {
        test_eq(ngx_http_chat_zone_pull(z, 1), i);
    }

    test_eq(ngx_http_chat_zone_pull(z, 1), 0);

    shm_zone_free(z);
}


static void
zone_writer(ngx_http_chat_lock_t *lock, volatile uint64_t *sum)
{
    uint64_t    x;
    ngx_uint_t  i;

    ngx_pid = getpid();

    for (i = 0; i < ZONE_ROUNDS; i++) {

        if (ngx_http_chat_lock(lock)) {
            _exit(EXIT_FAILURE);
        }

        x = *sum;

        if (i % 64 == 0) {
            ngx_sched_yield();
        }

        *sum = x + 1;
        ngx_http_chat_unlock(lock);
    }

    _exit(EXIT_SUCCESS);
}


/* Nobody is inside together with another, and only the dead are robbed. */

static void
test_lock(void)
{
    int                    status;
    ngx_uint_t             i;
    volatile uint64_t     *sum;
    ngx_http_chat_zone_t   zone;
    ngx_http_chat_lock_t  *lock;

    (void) alarm(30 * (unsigned) shm_slowness());

    shm_zone_make(&zone, 64, 1);

    lock = &zone.sh->stripes[3];
    sum = (uint64_t *) ngx_http_chat_block(&zone, 1)->data;

    test_eq(sizeof(ngx_http_chat_lock_t), 64);

    for (i = 0; i < ZONE_WRITERS; i++) {

        if (fork() == 0) {
            zone_writer(lock, sum);
        }
    }

    for (i = 0; i < ZONE_WRITERS; i++) {
        test_ok(wait(&status) > 0 && status == 0);
    }

    test_eq(*sum, ZONE_WRITERS * ZONE_ROUNDS);
    test_eq(lock->word, 0);

    test_eq(ngx_http_chat_lock(lock), 0);
    test_eq(lock->word, ngx_pid);
    ngx_http_chat_unlock(lock);

    lock->word = NGX_STUB_DEAD;
    test_eq(ngx_http_chat_lock(lock), 1);
    test_eq(lock->word, ngx_pid);

    /* our own number is that of somebody before us */

    test_eq(ngx_http_chat_lock(lock), 1);
    ngx_http_chat_unlock(lock);
    test_eq(lock->word, 0);

    test_eq(ngx_http_chat_pid_alive(0), 0);
    test_eq(ngx_http_chat_pid_alive(ngx_pid), 1);
    test_eq(ngx_http_chat_pid_alive(NGX_STUB_DEAD), 0);

    zone.sh->stripes[5].word = NGX_STUB_DEAD;
    ngx_http_chat_zone_lock(&zone, 5 + NGX_HTTP_CHAT_STRIPES);
    test_eq(zone.sh->leaks, 1);
    ngx_http_chat_zone_unlock(&zone, 5);
    test_eq(zone.sh->stripes[5].word, 0);

    (void) alarm(0);
    shm_zone_free(&zone);
}


int
main(void)
{
    test_run("every block is given once and comes back", test_blocks);
    test_run("zones of any size", test_layout);
    test_run("what a room costs", test_room_sizes);
    test_run("a zone is defined once", test_add);
    test_run("a zone is made, taken over or refused", test_init);
    test_run("slots are claimed and found again", test_slots);
    test_run("rooms with news", test_ring);
    test_run("a lock", test_lock);

    return test_done();
}
