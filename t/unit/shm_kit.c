
#include <sys/mman.h>

#include "shm_kit.h"


#define SHM_PAGE  4096


/* What a block was found to be. */
typedef struct {
    u_char         *seen;
    shm_census_t   *sum;
    const char     *wrong;
} shm_count_t;


static void shm_count_block(ngx_http_chat_zone_t *z, shm_count_t *c,
    uint32_t n, ngx_uint_t kind);
static void shm_count_room(ngx_http_chat_zone_t *z, shm_count_t *c,
    uint32_t n);
static void shm_count_log(ngx_http_chat_zone_t *z, shm_count_t *c,
    ngx_http_chat_log_state_t *st);
static void shm_count_intent(ngx_http_chat_zone_t *z, shm_count_t *c,
    ngx_http_chat_room_sh_t *room);
static void shm_count_people(ngx_http_chat_zone_t *z, shm_count_t *c,
    uint32_t room);
static void shm_count_chain(ngx_http_chat_zone_t *z, shm_count_t *c,
    uint32_t n, ngx_uint_t kind);
static void shm_count_residents(ngx_http_chat_zone_t *z, shm_count_t *c,
    ngx_http_chat_room_sh_t *room);
static void shm_count_list(ngx_http_chat_zone_t *z, shm_count_t *c);
static void shm_count_pool(ngx_http_chat_zone_t *z, shm_count_t *c);


ngx_uint_t
shm_slowness(void)
{
    char               line[512];
    FILE              *maps;
    static ngx_uint_t  slowness;

    if (slowness) {
        return slowness;
    }

    slowness = 1;
    maps = fopen("/proc/self/maps", "r");

    while (maps && fgets(line, sizeof(line), maps)) {

        if (strstr(line, "vgpreload")) {
            slowness = 20;
        }
    }

    if (maps) {
        (void) fclose(maps);
    }

    return slowness;
}


uint64_t
shm_random(uint64_t *state, uint64_t n)
{
    uint64_t  x;

    *state += 0x9e3779b97f4a7c15ULL;

    x = *state;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;

    return (x ^ (x >> 31)) % n;
}


void
shm_zone_make(ngx_http_chat_zone_t *z, ngx_uint_t blocks, ngx_uint_t slots)
{
    size_t   size, pages;
    u_char  *p;

    ngx_stub_time(SHM_NOW);

    size = sizeof(ngx_http_chat_zone_sh_t) + 128
           + slots * sizeof(ngx_http_chat_slot_sh_t)
           + (blocks + 2) * NGX_HTTP_CHAT_BLOCK_SIZE
           + 2 * blocks * sizeof(uint32_t);
    size = ngx_align(size + size / 60, 64);
    pages = ngx_align(size, SHM_PAGE);

    p = mmap(NULL, pages + SHM_PAGE, PROT_READ|PROT_WRITE,
             MAP_ANON|MAP_SHARED, -1, 0);

    if (p == MAP_FAILED
        || mprotect(p + pages, SHM_PAGE, PROT_NONE) != 0)
    {
        exit(2);
    }

    ngx_memzero(z, sizeof(ngx_http_chat_zone_t));

    if (ngx_http_chat_zone_format(z, p + pages - size, size, slots)
        != NGX_OK)
    {
        exit(2);
    }

    ngx_pid = getpid();
    z->slot = 0;
    z->slots[0].pid = (ngx_atomic_uint_t) ngx_pid;
}


void
shm_zone_free(ngx_http_chat_zone_t *z)
{
    u_char  *first, *end;

    first = (u_char *) z->sh - (uintptr_t) z->sh % SHM_PAGE;
    end = ngx_align_ptr((u_char *) z->sh + shm_zone_size(z), SHM_PAGE);

    (void) munmap(first, end - first + SHM_PAGE);
}


size_t
shm_zone_size(ngx_http_chat_zone_t *z)
{
    return z->blocks + (z->sh->nblocks + 1) * NGX_HTTP_CHAT_BLOCK_SIZE
           - (u_char *) z->sh;
}


void
shm_zone_at(ngx_http_chat_zone_t *copy, ngx_http_chat_zone_t *z, u_char *addr)
{
    u_char  *from;

    from = (u_char *) z->sh;

    *copy = *z;
    copy->sh = (ngx_http_chat_zone_sh_t *) addr;
    copy->slots = (ngx_http_chat_slot_sh_t *)
                      (addr + ((u_char *) z->slots - from));
    copy->buckets = (uint32_t *) (addr + ((u_char *) z->buckets - from));
    copy->people = (uint32_t *) (addr + ((u_char *) z->people - from));
    copy->limits = (struct ngx_http_chat_limit_sh_s *)
                       (addr + ((u_char *) z->limits - from));
    copy->blocks = addr + (z->blocks - from);
}


void
shm_text(u_char *buf, size_t len, uint64_t number)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        buf[i] = (u_char) ((number >> (8 * (i % 8))) + 7 * i + i / 256);
    }
}


ngx_uint_t
shm_text_is(u_char *buf, size_t len, uint64_t number)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (buf[i]
            != (u_char) ((number >> (8 * (i % 8))) + 7 * i + i / 256))
        {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
shm_chain(ngx_http_chat_zone_t *z, uint32_t first)
{
    ngx_uint_t  n;

    for (n = 0; first; n++) {

        if (first > z->sh->nblocks || n > z->sh->nblocks) {
            return 0;
        }

        first = ngx_http_chat_block(z, first)->next;
    }

    return n;
}


const char *
shm_census(ngx_http_chat_zone_t *z, shm_census_t *census)
{
    uint32_t     i, n;
    shm_count_t  c;

    ngx_memzero(census, sizeof(shm_census_t));

    c.seen = calloc(1, z->sh->nblocks + 1);
    c.sum = census;
    c.wrong = NULL;

    if (c.seen == NULL) {
        exit(2);
    }

    for (i = 0; i < z->sh->nbuckets; i++) {

        for (n = z->buckets[i]; n && c.wrong == NULL; ) {
            shm_count_room(z, &c, n);

            if (c.wrong) {
                break;
            }

            if ((ngx_http_chat_room(z, n)->hash & (z->sh->nbuckets - 1)) != i)
            {
                c.wrong = "a room hangs on another's bucket";
            }

            n = ngx_http_chat_room(z, n)->next;
        }
    }

    shm_count_list(z, &c);
    shm_count_pool(z, &c);

    free(c.seen);

    return c.wrong;
}


const char *
shm_complete(ngx_http_chat_zone_t *z)
{
    const char    *wrong;
    shm_census_t   sum;

    wrong = shm_census(z, &sum);

    if (wrong) {
        return wrong;
    }

    if (sum.held + sum.free + sum.unused != z->sh->nblocks) {
        return "blocks are lost";
    }

    if (sum.free + sum.unused != z->sh->pool.nfree) {
        return "the pool miscounts its blocks";
    }

    if (sum.listed != sum.rooms || z->sh->lru.rooms != sum.rooms) {
        return "the list by use is not complete";
    }

    return NULL;
}


static void
shm_count_block(ngx_http_chat_zone_t *z, shm_count_t *c, uint32_t n,
    ngx_uint_t kind)
{
    if (n == 0 || n > z->sh->nblocks) {
        c->wrong = "an index leads out of the zone";

    } else if (n >= z->sh->pool.unused) {
        c->wrong = "a block is used that was never handed out";

    } else if (c->seen[n]++) {
        c->wrong = "a block is in two places";

    } else if (ngx_http_chat_block(z, n)->kind != kind) {
        c->wrong = "a block is of the wrong kind";
    }

    c->sum->held++;
}


static void
shm_count_room(ngx_http_chat_zone_t *z, shm_count_t *c, uint32_t n)
{
    ngx_http_chat_room_sh_t  *room;

    shm_count_block(z, c, n, NGX_HTTP_CHAT_BLOCK_ROOM);

    if (c->wrong) {
        return;
    }

    c->sum->rooms++;

    room = ngx_http_chat_room(z, n);

    if (room->epoch == 0) {
        c->wrong = "a room has no epoch";
        return;
    }

    shm_count_residents(z, c, room);
    shm_count_log(z, c, ngx_http_chat_log_state(&room->log));
    shm_count_log(z, c, ngx_http_chat_log_state(&room->passing));
    shm_count_people(z, c, n);

    if (room->topic) {
        shm_count_block(z, c, room->topic, NGX_HTTP_CHAT_BLOCK_TOPIC);
    }

    if (room->intent) {
        shm_count_intent(z, c, room);
    }
}


static void
shm_count_intent(ngx_http_chat_zone_t *z, shm_count_t *c,
    ngx_http_chat_room_sh_t *room)
{
    ngx_http_chat_intent_sh_t  *in;

    shm_count_block(z, c, room->intent, NGX_HTTP_CHAT_BLOCK_INTENT);

    if (c->wrong) {
        return;
    }

    in = (ngx_http_chat_intent_sh_t *)
             ngx_http_chat_block(z, room->intent)->data;

    if (in->topic && in->topic != room->topic) {
        shm_count_block(z, c, in->topic, NGX_HTTP_CHAT_BLOCK_TOPIC);
    }
}


/* Who is counted is one of the room's users, and nobody else is. */

static void
shm_count_people(ngx_http_chat_zone_t *z, shm_count_t *c, uint32_t room)
{
    uint32_t                      n, i, users;
    ngx_http_chat_people_sh_t    *people;
    ngx_http_chat_occupant_sh_t  *oc;

    users = 0;

    for (n = ngx_http_chat_room(z, room)->people;
         n && c->wrong == NULL;
         n = ngx_http_chat_block(z, n)->next)
    {
        shm_count_block(z, c, n, NGX_HTTP_CHAT_BLOCK_PEOPLE);

        people = (ngx_http_chat_people_sh_t *) ngx_http_chat_block(z, n)->data;

        for (i = 0; i < 2 && c->wrong == NULL; i++) {
            oc = &people->places[i];

            if (oc->user_len == 0) {
                continue;
            }

            if (oc->room != room) {
                c->wrong = "an occupant is of another room";
            }

            if (oc->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED) {
                users++;
            }

            shm_count_chain(z, c, oc->more, NGX_HTTP_CHAT_BLOCK_HERE);
            shm_count_chain(z, c, oc->nonces, NGX_HTTP_CHAT_BLOCK_NONCES);
        }
    }

    if (c->wrong == NULL && users != ngx_http_chat_room(z, room)->users) {
        c->wrong = "a room miscounts its users";
    }
}


static void
shm_count_chain(ngx_http_chat_zone_t *z, shm_count_t *c, uint32_t n,
    ngx_uint_t kind)
{
    while (n && c->wrong == NULL) {
        shm_count_block(z, c, n, kind);

        if (c->wrong == NULL) {
            n = ngx_http_chat_block(z, n)->next;
        }
    }
}


/* Whole blocks from the tail to the head, and perhaps some in reserve. */

static void
shm_count_log(ngx_http_chat_zone_t *z, shm_count_t *c,
    ngx_http_chat_log_state_t *st)
{
    uint32_t  n;
    uint64_t  bytes;

    bytes = 0;

    for (n = st->first_block; n && c->wrong == NULL; ) {
        shm_count_block(z, c, n, NGX_HTTP_CHAT_BLOCK_LOG);

        if (c->wrong) {
            return;
        }

        if (n == st->last_block) {
            bytes += st->last_off;
            bytes -= st->first_off;

            if (bytes != st->bytes) {
                c->wrong = "a log miscounts its bytes";
            }

            bytes = 0;

        } else {
            bytes += NGX_HTTP_CHAT_BLOCK_DATA;
        }

        n = ngx_http_chat_block(z, n)->next;
    }

    if (st->first_seq > st->next_seq || st->first_seq == 0) {
        c->wrong = "a log's numbers are not in order";
    }
}


static void
shm_count_residents(ngx_http_chat_zone_t *z, shm_count_t *c,
    ngx_http_chat_room_sh_t *room)
{
    uint32_t                   n;
    uint64_t                   members;
    ngx_uint_t                 i;
    ngx_http_chat_resident_t  *re;

    members = 0;

    for (i = 0; i < NGX_HTTP_CHAT_RESIDENTS; i++) {
        members += room->residents[i].members;
    }

    for (n = room->more; n; n = ngx_http_chat_block(z, n)->next) {
        shm_count_block(z, c, n, NGX_HTTP_CHAT_BLOCK_RESIDENTS);

        if (c->wrong) {
            return;
        }

        re = (ngx_http_chat_resident_t *) ngx_http_chat_block(z, n)->data;

        for (i = 0; i < NGX_HTTP_CHAT_RESIDENTS_MORE; i++) {
            members += re[i].members;
        }
    }

    if (members != room->members) {
        c->wrong = "a room miscounts its members";
    }
}


static void
shm_count_list(ngx_http_chat_zone_t *z, shm_count_t *c)
{
    uint32_t                  n, older;
    ngx_http_chat_room_sh_t  *room;

    older = 0;

    for (n = z->sh->lru.oldest; n && c->wrong == NULL; n = room->newer) {

        if (n > z->sh->nblocks || c->seen[n] != 1
            || ngx_http_chat_block(z, n)->kind != NGX_HTTP_CHAT_BLOCK_ROOM)
        {
            c->wrong = "no room, or one twice, on the list by use";
            return;
        }

        room = ngx_http_chat_room(z, n);

        if (room->older != older) {
            c->wrong = "the list by use is broken";
        }

        c->seen[n]++;
        c->sum->listed++;
        older = n;
    }

    if (c->wrong == NULL && z->sh->lru.newest != older) {
        c->wrong = "the list by use ends elsewhere";
    }
}


static void
shm_count_pool(ngx_http_chat_zone_t *z, shm_count_t *c)
{
    uint32_t  n;

    if (c->wrong == NULL && z->sh->pool.unused == 0) {
        c->wrong = "the pool gives block 0";
    }

    for (n = z->sh->pool.free; n && c->wrong == NULL; ) {

        if (n >= z->sh->pool.unused || c->seen[n]++) {
            c->wrong = "no free block in the pool, or one twice";
            return;
        }

        if (ngx_http_chat_block(z, n)->kind != NGX_HTTP_CHAT_BLOCK_FREE) {
            c->wrong = "a free block does not know it";
        }

        c->sum->free++;
        n = ngx_http_chat_block(z, n)->next;
    }

    c->sum->unused = z->sh->nblocks + 1 - z->sh->pool.unused;
}


ngx_uint_t
shm_entries(u_char *buf, size_t used, shm_entry_t *entries, ngx_uint_t max)
{
    size_t      len;
    ngx_uint_t  n;

    len = sizeof(ngx_http_chat_entry_t);

    for (n = 0; used && n < max; n++) {

        if (used < len) {
            return n;
        }

        ngx_memcpy(&entries[n].header, buf, len);
        entries[n].text = buf + len;

        if (used - len < entries[n].header.len) {
            return n;
        }

        buf += len + entries[n].header.len;
        used -= len + entries[n].header.len;
    }

    return n;
}


uint32_t
shm_join(ngx_http_chat_zone_t *z, const char *name,
    ngx_http_chat_retention_t *retention, ngx_http_chat_room_view_t *view)
{
    return shm_join_as(z, name, NULL, retention, NULL, view);
}


uint32_t
shm_join_as(ngx_http_chat_zone_t *z, const char *name, const char *user,
    ngx_http_chat_retention_t *retention, uint32_t *occupant,
    ngx_http_chat_room_view_t *view)
{
    uint32_t                n, o;
    ngx_str_t               s;
    ngx_http_chat_person_t  person;

    s.data = (u_char *) name;
    s.len = ngx_strlen(name);

    n = 0;
    o = 0;

    if (user) {
        ngx_memzero(&person, sizeof(ngx_http_chat_person_t));

        person.user.data = (u_char *) user;
        person.user.len = ngx_strlen(user);
        person.name = person.user;
    }

    if (ngx_http_chat_room_join(z, &s, retention, user ? &person : NULL, 0,
                                NULL, &n, &o, view)
        != NGX_OK)
    {
        return 0;
    }

    if (occupant) {
        *occupant = o;
    }

    return n;
}


ngx_int_t
shm_append(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch,
    ngx_http_chat_retention_t *retention, size_t len, uint64_t number)
{
    uint16_t                     slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_http_chat_room_append_t  a;
    static u_char                text[65536];

    ngx_memzero(&a, sizeof(ngx_http_chat_room_append_t));
    shm_text(text, len, number);

    a.entry.head.data = text;
    a.entry.head.len = len;
    a.entry.sender = (uint32_t) number;
    a.entry.flags = NGX_HTTP_CHAT_ENTRY_TEXT;
    a.retention = retention;
    a.slots = slots;

    return ngx_http_chat_room_append(z, room, epoch, &a);
}
