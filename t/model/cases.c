
#include "cases.h"


#define CASE_MOST  256                   /* entries that are read at once */


ngx_http_chat_retention_t  case_keep = { 100, 86400000, 65536, 3600000, 60000 };
case_said_t                case_said[MODEL_WORKERS];

static const model_case_t  *case_now;

static ngx_uint_t  case_whole(shm_entry_t *e, uint64_t *number);
static ngx_uint_t  case_text_is(u_char *p, size_t len, uint64_t *number);
static void case_tally(uint32_t room, uint64_t number, uint64_t seq);


void
case_start(void)
{
    ngx_memzero(case_said, sizeof(case_said));
    model_keep(case_said, sizeof(case_said));
}


uint32_t
case_join(ngx_http_chat_zone_t *z, const char *name, const char *user,
    uint64_t *epoch, uint32_t *occupant)
{
    uint32_t                   n;
    ngx_http_chat_room_view_t  view;

    n = shm_join_as(z, name, user, &case_keep, occupant, &view);
    *epoch = view.epoch;

    model_must(n != 0);

    return n;
}


/* The number, and bytes made of it. */

static void
case_text(u_char *buf, size_t len, uint64_t number)
{
    ngx_memcpy(buf, &number, 8);
    shm_text(buf + 8, len - 8, number);
}


void
case_append(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch, size_t len,
    uint64_t number)
{
    u_char                       text[1024];
    uint16_t                     slots[NGX_HTTP_CHAT_SLOTS_MAX];
    ngx_http_chat_room_append_t  a;

    ngx_memzero(&a, sizeof(ngx_http_chat_room_append_t));
    case_text(text, len, number);

    a.entry.head.data = text;
    a.entry.head.len = len;
    a.entry.flags = NGX_HTTP_CHAT_ENTRY_TEXT|NGX_HTTP_CHAT_ENTRY_MESSAGE;
    a.retention = &case_keep;
    a.slots = slots;

    model_must(ngx_http_chat_room_append(z, room, epoch, &a) == NGX_OK);
}


void
case_read_from_here(case_reader_t *r, ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch)
{
    ngx_http_chat_room_view_t  view;

    model_must(ngx_http_chat_room_view(z, room, epoch, &view) == NGX_OK);

    ngx_memzero(r, sizeof(case_reader_t));

    r->room = room;
    r->epoch = epoch;
    r->cursor = view.head;

    model_keep(r, sizeof(case_reader_t));
}


void
case_read_from(case_reader_t *r, ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, uint64_t seq)
{
    case_read_from_here(r, z, room, epoch);
    ngx_memzero(&r->cursor, sizeof(ngx_http_chat_cursor_t));

    model_must(ngx_http_chat_room_seek(z, room, epoch, seq, &r->cursor)
               == NGX_OK);
}


ngx_int_t
case_say(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch, size_t len)
{
    u_char                        text[1024];
    uint16_t                      slots[NGX_HTTP_CHAT_SLOTS_MAX];
    case_said_t                  *said;
    case_entry_t                 *e;
    ngx_http_chat_room_append_t   a;

    said = &case_said[model_worker()];
    e = &said->entries[said->n++];
    e->room = room;
    e->number = 10 * (model_worker() + 1) + said->n;

    ngx_memzero(&a, sizeof(ngx_http_chat_room_append_t));
    case_text(text, len, e->number);

    a.entry.head.data = text;
    a.entry.head.len = len;
    a.entry.flags = NGX_HTTP_CHAT_ENTRY_TEXT|NGX_HTTP_CHAT_ENTRY_MESSAGE;
    a.retention = &case_keep;
    a.slots = slots;

    e->rc = ngx_http_chat_room_append(z, room, epoch, &a);
    e->seq = a.entry.seq;
    e->told = 1;
    said->seq = e->seq;

    model_must(e->rc == NGX_OK || model_deaths());

    return e->rc;
}


ngx_int_t
case_say_as(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch,
    uint32_t occupant, const char *nonce, ngx_http_chat_change_t *change,
    ngx_uint_t flags, ngx_http_chat_cursor_t *target)
{
    u_char                        text[32];
    uint16_t                      slots[NGX_HTTP_CHAT_SLOTS_MAX];
    case_said_t                  *said;
    case_entry_t                 *e;
    ngx_http_chat_room_append_t   a;

    said = &case_said[model_worker()];
    e = &said->entries[said->n++];
    e->room = room;
    e->number = 10 * (model_worker() + 1) + said->n;

    ngx_memzero(&a, sizeof(ngx_http_chat_room_append_t));
    case_text(text, sizeof(text), e->number);

    a.entry.head.data = text;
    a.entry.head.len = sizeof(text);
    a.entry.flags = NGX_HTTP_CHAT_ENTRY_TEXT|NGX_HTTP_CHAT_ENTRY_MESSAGE;
    a.retention = &case_keep;
    a.slots = slots;
    a.occupant = occupant;
    a.change = change;

    if (nonce) {
        a.nonce.data = (u_char *) nonce;
        a.nonce.len = ngx_strlen(nonce);
    }

    if (target) {
        a.entry.flags = NGX_HTTP_CHAT_ENTRY_EVENT|NGX_HTTP_CHAT_ENTRY_AMENDS;
        a.entry.head.len = 0;
        a.entry.tail.data = text;
        a.entry.tail.len = 0;
        a.entry.targets = target;
        a.entry.ntargets = 1;
        a.entry.amend = flags;
    }

    e->rc = ngx_http_chat_room_append(z, room, epoch, &a);
    e->seq = a.entry.seq;
    e->told = 1;
    said->seq = e->seq;

    if (a.duplicate) {
        /* it is the other one's */
        e->number = 0;
    }

    return e->rc;
}


void
case_read(case_reader_t *r, ngx_http_chat_zone_t *z)
{
    size_t                      used, need;
    uint64_t                    gap, seq, number;
    ngx_int_t                   rc;
    ngx_uint_t                  i, n;
    shm_entry_t                 entries[CASE_MOST];
    ngx_http_chat_room_view_t   view;
    static u_char               bufs[MODEL_WORKERS][CASE_BUF];

    seq = r->cursor.seq;

    rc = ngx_http_chat_room_read(z, r->room, r->epoch, &r->cursor,
                                 bufs[model_worker()], CASE_BUF, &used, &need,
                                 &gap, &view);

    model_must(rc == NGX_OK);

    if (rc != NGX_OK) {
        return;
    }

    n = shm_entries(bufs[model_worker()], used, entries, CASE_MOST);

    if (gap) {
        model_must(gap == seq && view.first_seq > seq);
        r->gaps++;
        seq = view.first_seq;
    }

    for (i = 0; i < n; i++) {

        if (entries[i].header.flags & NGX_HTTP_CHAT_ENTRY_PASSING) {
            continue;
        }

        model_must(entries[i].header.seq == seq);
        model_must(case_whole(&entries[i], &number));

        seq = entries[i].header.seq + 1;
        r->entries++;
    }

    model_must(r->cursor.seq == seq);
}


void
case_read_all(case_reader_t *r, ngx_http_chat_zone_t *z)
{
    uint64_t                   seq;
    ngx_http_chat_room_view_t  view;

    do {
        seq = r->cursor.seq;
        case_read(r, z);
    } while (r->cursor.seq != seq);

    model_must(ngx_http_chat_room_view(z, r->room, r->epoch, &view) == NGX_OK
               && view.next_seq == seq);
}


/* An event that amends is but its numbers. */

static ngx_uint_t
case_whole(shm_entry_t *e, uint64_t *number)
{
    size_t  len;

    *number = 0;
    len = e->header.len;

    if (e->header.flags & NGX_HTTP_CHAT_ENTRY_AMENDS) {
        return len != 0;
    }

    if (e->header.flags & NGX_HTTP_CHAT_ENTRY_AMENDED) {

        if (e->header.sender > len) {
            return 0;
        }

        len -= e->header.sender;
    }

    return case_text_is(e->text, len, number);
}


static ngx_uint_t
case_text_is(u_char *p, size_t len, uint64_t *number)
{
    if (len < 8) {
        return 0;
    }

    ngx_memcpy(number, p, 8);

    return shm_text_is(p + 8, len - 8, *number);
}


ngx_uint_t
case_log(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch)
{
    size_t                      used, need;
    uint64_t                    gap, seq, number;
    ngx_uint_t                  i, n, w;
    shm_entry_t                 entries[CASE_MOST];
    case_entry_t               *e;
    ngx_http_chat_cursor_t      cursor;
    ngx_http_chat_room_view_t   view;
    static u_char               buf[CASE_BUF];
    static u_char               seen[128];

    ngx_memzero(&cursor, sizeof(ngx_http_chat_cursor_t));
    ngx_memzero(seen, sizeof(seen));

    model_must(ngx_http_chat_room_seek(z, room, epoch, 1, &cursor) == NGX_OK);

    cursor.passing = 0;
    seq = cursor.seq;

    model_must(ngx_http_chat_room_read(z, room, epoch, &cursor, buf, CASE_BUF,
                                       &used, &need, &gap, &view)
               == NGX_OK && gap == 0);

    n = shm_entries(buf, used, entries, CASE_MOST);

    for (i = 0; i < n; i++) {

        if (entries[i].header.flags & NGX_HTTP_CHAT_ENTRY_PASSING) {
            continue;
        }

        model_must(entries[i].header.seq == seq);
        model_must(case_whole(&entries[i], &number));
        case_tally(room, number, seq);

        if (number && number < sizeof(seen)) {
            model_must(seen[number]++ == 0);
        }

        seq++;
    }

    model_must(seq == view.next_seq);

    for (w = 0; w < MODEL_WORKERS; w++) {

        for (i = 0; i < case_said[w].n; i++) {
            e = &case_said[w].entries[i];

            if (e->room != room || !e->told || e->number == 0) {
                continue;
            }

            if (e->rc == NGX_OK && e->seq >= view.first_seq
                && !(entries[e->seq - view.first_seq].header.flags
                     & NGX_HTTP_CHAT_ENTRY_AMENDS))
            {
                model_must(e->seq < view.next_seq && seen[e->number] == 1);
            }

            if (e->rc != NGX_OK) {
                model_must(seen[e->number] == 0);
            }
        }
    }

    return (ngx_uint_t) (view.next_seq - view.first_seq);
}


/* Whoever was told a number finds his entry there. */

static void
case_tally(uint32_t room, uint64_t number, uint64_t seq)
{
    ngx_uint_t     w, i;
    case_entry_t  *e;

    for (w = 0; w < MODEL_WORKERS; w++) {

        for (i = 0; i < case_said[w].n; i++) {
            e = &case_said[w].entries[i];

            if (e->room != room || !e->told || e->rc != NGX_OK) {
                continue;
            }

            if (number && e->number == number) {
                model_must(e->seq == seq);
            }

            if (number && e->seq == seq && e->number) {
                model_must(e->number == number);
            }
        }
    }
}


static void
case_run(void)
{
    model_explore(case_now);
}


int
case_main(int argc, char **argv, const model_case_t *cases, size_t n)
{
    size_t        i;
    ngx_uint_t    more, all;
    model_case_t  c;

    more = (argc > 1) ? strtoul(argv[1], NULL, 10) : 0;
    all = 0;

    if (shm_slowness() > 1) {
        printf("1..0 # skipped: the stacks are not valgrind's\n");
        return EXIT_SUCCESS;
    }

    for (i = 0; i < n; i++) {

        if (argc > 2 && strstr(cases[i].name, argv[2]) == NULL) {
            continue;
        }

        c = cases[i];
        c.switches += more;
        case_now = &c;

        test_run(c.name, case_run);
        all += model_schedules();
    }

    printf("# %lu schedules\n", (unsigned long) all);

    return test_done();
}
