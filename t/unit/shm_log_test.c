
/*
 * The log against a model: a plain array of what was appended, and the byte
 * at which each entry begins if blocks had no ends.
 *
 *     shm_log [seed]
 */


#include "shm_kit.h"
#include "test.h"


#define LOG_SEEDS    2000
#define LOG_STEPS    200
#define LOG_CURSORS  6
#define LOG_MAX      8192               /* bytes of a text, at most */
#define LOG_READ     16384              /* bytes of a reader's buffer */
#define LOG_DATA     NGX_HTTP_CHAT_BLOCK_DATA


typedef struct {
    uint64_t                 begin;     /* of its header */
    uint64_t                 ts;
    uint64_t                 number;    /* its text was made of */
    size_t                   len;       /* of the text, digits included */
    size_t                   split;     /* an event: bytes before them */
    ngx_uint_t               flags;
} log_entry_t;


typedef struct {
    ngx_http_chat_zone_t     zone;
    ngx_http_chat_log_sh_t   log;

    log_entry_t              entries[LOG_STEPS + 1];
    uint64_t                 first;     /* seq of the oldest kept one */
    uint64_t                 next;
    uint64_t                 head;      /* byte behind the last entry */
    uint64_t                 block;     /* the first kept one's number */
    uint64_t                 last_ts;
    uint64_t                 now;

    ngx_http_chat_cursor_t   cursors[LOG_CURSORS];
    uint64_t                 random;
    uint64_t                 seed;
} log_model_t;


static uint64_t  log_seed;
static u_char    log_text[LOG_MAX];
static u_char    log_buf[LOG_READ];


static ngx_uint_t
log_roll(log_model_t *m, ngx_uint_t n)
{
    return (ngx_uint_t) shm_random(&m->random, n);
}


static void
log_model_init(log_model_t *m, ngx_uint_t blocks, uint64_t seed)
{
    ngx_memzero(m, sizeof(log_model_t));

    shm_zone_make(&m->zone, blocks, 1);
    ngx_http_chat_log_init_locked(&m->log);

    m->first = 1;
    m->next = 1;
    m->now = SHM_NOW;
    m->seed = seed;
    m->random = seed;
}


/* Blocks from the first kept one to that of the head. */

static ngx_uint_t
log_model_blocks(log_model_t *m)
{
    return m->head ? (m->head - 1) / LOG_DATA - m->block + 1 : 0;
}


static uint64_t
log_model_end(log_model_t *m, uint64_t seq)
{
    return m->entries[seq].begin + sizeof(ngx_http_chat_entry_t)
           + m->entries[seq].len;
}


static uint64_t
log_model_bytes(log_model_t *m)
{
    return m->first < m->next ? m->head - m->entries[m->first].begin : 0;
}


static void
log_model_pop(log_model_t *m)
{
    uint64_t  end;

    end = log_model_end(m, m->first);

    m->first++;
    m->block = end / LOG_DATA;

    if (end == m->head && end % LOG_DATA == 0) {
        m->block--;
    }
}


/* The entry of that number, as it must be read; returns its text's length. */

static size_t
log_model_text(log_model_t *m, uint64_t seq, u_char *buf)
{
    size_t        n;
    log_entry_t  *e;

    e = &m->entries[seq];

    shm_text(log_text, e->len, e->number);

    if (e->flags & NGX_HTTP_CHAT_ENTRY_EVENT) {
        ngx_memcpy(buf, log_text, e->split);
        n = e->split;
        n += snprintf((char *) buf + n, 64, "%llu,\"ts\":%llu",
                      (unsigned long long) seq, (unsigned long long) e->ts);
        ngx_memcpy(buf + n, log_text + e->split, e->len - n);
        return e->len;
    }

    ngx_memcpy(buf, log_text, e->len);

    return e->len;
}


static void
log_check(log_model_t *m)
{
    ngx_uint_t                  chain;
    ngx_http_chat_log_state_t  *st;

    st = ngx_http_chat_log_state(&m->log);

    test_eq(st->first_seq, m->first);
    test_eq(st->next_seq, m->next);
    test_eq(st->bytes, log_model_bytes(m));

    chain = shm_chain(&m->zone, st->first_block);

    test_eq(chain, log_model_blocks(m));
    test_eq(m->zone.sh->pool.nfree + chain, m->zone.sh->nblocks);
}


/* Sizes at which something ends exactly are as frequent as any others. */

static size_t
log_size(log_model_t *m)
{
    size_t  left;

    left = LOG_DATA - (m->head + sizeof(ngx_http_chat_entry_t)) % LOG_DATA;

    switch (log_roll(m, 8)) {

    case 0:
        return left;

    case 1:
        return left + LOG_DATA * log_roll(m, 5);

    case 2:
        /* the next header straddles a block's end */
        return left + LOG_DATA - 1 - log_roll(m, 31);

    case 3:
        return 0;

    case 4:
        return log_roll(m, 5000);

    default:
        return log_roll(m, 300);
    }
}


static ngx_uint_t
log_append(log_model_t *m, size_t size, ngx_uint_t flags)
{
    size_t                   digits;
    ngx_int_t                rc;
    log_entry_t             *e;
    ngx_http_chat_append_t   a;
    u_char                   text[64];

    e = &m->entries[m->next];

    e->begin = m->head;
    e->ts = ngx_max(m->now, m->last_ts);
    e->number = m->seed * 1000 + m->next;
    e->flags = flags;
    e->split = size ? log_roll(m, size) : 0;

    digits = 0;

    if (e->flags & NGX_HTTP_CHAT_ENTRY_EVENT) {
        digits = snprintf((char *) text, sizeof(text), "%llu,\"ts\":%llu",
                          (unsigned long long) m->next,
                          (unsigned long long) e->ts);
    }

    e->len = size + digits;

    ngx_memzero(&a, sizeof(ngx_http_chat_append_t));
    shm_text(log_text, size, e->number);

    a.head.data = log_text;
    a.head.len = e->split;
    a.tail.data = log_text + e->split;
    a.tail.len = size - e->split;
    a.sender = (uint32_t) e->number;
    a.flags = e->flags;

    rc = ngx_http_chat_log_append_locked(&m->zone, &m->log, &a, m->now);

    if (rc != NGX_OK) {
        test_eq(rc, NGX_DECLINED);
        return 0;
    }

    test_eq(a.seq, m->next);
    test_eq(a.ts, e->ts);

    m->last_ts = e->ts;
    m->head = log_model_end(m, m->next);
    m->next++;

    return 1;
}


/* An age at which some entry is just too old, or just not yet. */

static ngx_msec_t
log_age(log_model_t *m)
{
    uint64_t  ts;

    if (log_roll(m, 2) || m->first == m->next) {
        return log_roll(m, 2) ? log_roll(m, 60000) : 86400000;
    }

    ts = m->entries[m->first + log_roll(m, m->next - m->first)].ts;

    return ts < m->now ? m->now - ts + log_roll(m, 3) - 1 : 1;
}


static void
log_trim(log_model_t *m)
{
    uint64_t                    e;
    ngx_uint_t                  lag;
    ngx_http_chat_retention_t   keep;

    keep.messages = log_roll(m, 2) ? log_roll(m, 20) : 1000;
    keep.age = log_age(m);
    keep.backlog = log_roll(m, 20000);
    lag = log_roll(m, 2);

    ngx_http_chat_log_trim_locked(&m->zone, &m->log, &keep, lag, m->now);

    for (e = m->first; e < m->next; e++) {

        if (m->next - e <= keep.messages) {

            if (m->entries[e].ts + keep.age > m->now) {
                break;
            }

        } else if (lag && m->head - log_model_end(m, e) <= keep.backlog
                   && m->entries[e].ts + NGX_HTTP_CHAT_BACKLOG_TIME > m->now)
        {
            break;
        }

        log_model_pop(m);
    }

    test_eq(ngx_http_chat_log_visible_locked(&m->log, &keep),
            m->next - ngx_min(m->next - m->first, keep.messages));
}


/* Whole blocks are given, the head's stays, and no entry goes for nothing. */

static void
log_drop(log_model_t *m)
{
    uint64_t    block;
    ngx_uint_t  n, want;

    want = log_roll(m, 12);
    n = ngx_http_chat_log_drop_locked(&m->zone, &m->log, want);

    block = m->block;

    while (m->block - block < want && log_model_blocks(m) > 1) {
        log_model_pop(m);
    }

    test_eq(n, m->block - block);
}


static void
log_compare(log_model_t *m, shm_entry_t *e, uint64_t seq)
{
    size_t         len;
    static u_char  text[LOG_MAX + 64];

    test_eq(e->header.seq, seq);

    if (seq < m->first || seq >= m->next) {
        test_ok(0);
        return;
    }

    len = log_model_text(m, seq, text);

    test_eq(e->header.len, len);
    test_eq(e->header.ts, m->entries[seq].ts);
    test_eq(e->header.flags, m->entries[seq].flags);
    test_eq(e->header.sender, (uint32_t) m->entries[seq].number);
    test_ok(e->header.len == len && ngx_memcmp(e->text, text, len) == 0);
}


/* One read at a cursor, and perhaps the cursor goes to behind any entry. */

static void
log_read(log_model_t *m, ngx_http_chat_cursor_t *cursor, size_t size)
{
    size_t               need, full;
    ssize_t              used;
    uint64_t             seq;
    ngx_uint_t           i, n;
    static shm_entry_t   entries[LOG_STEPS + 1];

    if (cursor->seq < m->first) {
        cursor->seq = m->first;
        cursor->block = 0;
    }

    seq = cursor->seq;
    need = 0;

    used = ngx_http_chat_log_read_locked(&m->zone, &m->log, cursor,
                                         (uint64_t) -1, log_buf, size, &need);
    if (used < 0) {
        test_eq(used, 0);
        return;
    }

    test_ok((size_t) used <= size);

    n = shm_entries(log_buf, used, entries, LOG_STEPS + 1);

    full = 0;

    for (i = 0; i < n; i++) {
        log_compare(m, &entries[i], seq + i);
        full += sizeof(ngx_http_chat_entry_t) + entries[i].header.len;
    }

    test_eq(used, full);
    test_eq(cursor->seq, seq + n);

    if (cursor->seq < m->next) {
        full = sizeof(ngx_http_chat_entry_t) + m->entries[cursor->seq].len;
        test_ok(used + full > size);
        test_eq(need, full);
    }

    if (n && log_roll(m, 4) == 0) {
        i = log_roll(m, n);
        cursor->seq = seq + i + 1;
        cursor->block = entries[i].header.after_block;
        cursor->off = entries[i].header.after_off;
    }
}


/* Any size, or that of some entries, or a byte more or less. */

static size_t
log_read_size(log_model_t *m, ngx_http_chat_cursor_t *cursor)
{
    size_t    size;
    uint64_t  from, last;

    from = ngx_max(cursor->seq, m->first);

    if (log_roll(m, 2) || from == m->next) {
        return log_roll(m, 3) ? log_roll(m, LOG_READ) : log_roll(m, 600);
    }

    last = from + log_roll(m, ngx_min(m->next - from, 10));
    size = log_model_end(m, last) - m->entries[from].begin;
    size += log_roll(m, 3) - 1;

    return ngx_min(size, LOG_READ);
}


static void
log_seek(log_model_t *m, ngx_http_chat_cursor_t *cursor)
{
    uint64_t    seq, from, calls;
    ngx_int_t   rc;
    ngx_uint_t  again, steps;

    seq = m->first + log_roll(m, m->next - m->first + 1);

    if (log_roll(m, 2)) {
        cursor->block = 0;
    }

    from = cursor->seq;

    if (cursor->block == 0 || from < m->first || from > seq) {
        from = m->first;
    }

    steps = 1 + log_roll(m, 10);

    for (again = 0; again <= LOG_STEPS; again++) {
        rc = ngx_http_chat_log_seek_locked(&m->zone, &m->log, cursor, seq,
                                           steps);
        if (rc != NGX_AGAIN) {
            break;
        }

        test_eq(cursor->seq, from + (again + 1) * steps);
    }

    /* to the head in one leap, else no more steps than asked for */

    calls = (seq == m->next || seq == from) ? 0 : (seq - from - 1) / steps;

    test_eq(rc, NGX_OK);
    test_eq(again, calls);
    test_eq(cursor->seq, seq);
}


static void
log_step(log_model_t *m)
{
    ngx_uint_t               roll;
    ngx_http_chat_cursor_t  *cursor;

    cursor = &m->cursors[log_roll(m, LOG_CURSORS)];
    roll = log_roll(m, 100);

    /* clocks jump, backwards too */

    if (log_roll(m, 4) == 0) {
        m->now += log_roll(m, 20000);
        m->now -= log_roll(m, 5000);
    }

    if (roll < 40) {
        log_append(m, log_size(m), log_roll(m, 3) ? NGX_HTTP_CHAT_ENTRY_BINARY
                                                  : NGX_HTTP_CHAT_ENTRY_EVENT);

    } else if (roll < 50) {
        log_trim(m);

    } else if (roll < 60) {
        log_drop(m);

    } else if (roll < 70) {
        log_seek(m, cursor);

    } else if (cursor->seq) {
        log_read(m, cursor, log_read_size(m, cursor));
    }
}


static void
log_run(uint64_t seed)
{
    ngx_uint_t           i;
    log_model_t         *m;
    static log_model_t   model;

    m = &model;
    log_model_init(m, 64 + seed % 300, seed);

    for (i = 0; i < LOG_CURSORS; i++) {
        m->cursors[i].seq = 1;
    }

    for (i = 0; i < LOG_STEPS; i++) {
        log_step(m);
        log_check(m);

        if (test_state()->failed) {
            printf("# seed %llu fails at step %u\n",
                   (unsigned long long) seed, (unsigned) i);
            break;
        }
    }

    ngx_http_chat_log_clear_locked(&m->zone, &m->log);

    test_eq(m->zone.sh->pool.nfree, m->zone.sh->nblocks);
    test_ok(shm_complete(&m->zone) == NULL);

    shm_zone_free(&m->zone);
}


static void
test_random(void)
{
    uint64_t  seed, last;

    if (log_seed) {
        log_run(log_seed);
        return;
    }

    last = LOG_SEEDS / shm_slowness();

    for (seed = 1; seed <= last && !test_state()->failed; seed++) {
        log_run(seed);
    }

    printf("# seeds 1 to %u, %u steps each\n", (unsigned) last, LOG_STEPS);
}


/* A cursor stands at the end of a block, and that block is freed. */

static void
test_block_end(void)
{
    static log_model_t          model;
    ngx_http_chat_cursor_t      cursor;
    ngx_http_chat_log_state_t  *st;

    log_model_init(&model, 64, 1);

    st = ngx_http_chat_log_state(&model.log);
    test_eq(st->first_block, 0);

    /* before the first entry there is no place at all */

    cursor.seq = 1;
    cursor.block = 0;
    cursor.off = 0;

    log_append(&model, 100, NGX_HTTP_CHAT_ENTRY_TEXT);
    log_append(&model, LOG_DATA - 100 - 2 * sizeof(ngx_http_chat_entry_t),
               NGX_HTTP_CHAT_ENTRY_TEXT);

    test_eq(model.head, LOG_DATA);

    log_read(&model, &cursor, LOG_READ);

    test_eq(cursor.seq, 3);
    test_eq(cursor.off, LOG_DATA);

    log_append(&model, 10, NGX_HTTP_CHAT_ENTRY_TEXT);
    test_eq(model.zone.sh->pool.nfree, model.zone.sh->nblocks - 2);

    test_eq(ngx_http_chat_log_drop_locked(&model.zone, &model.log, 1), 1);
    log_model_pop(&model);
    log_model_pop(&model);
    log_check(&model);

    log_read(&model, &cursor, LOG_READ);
    test_eq(cursor.seq, 4);

    shm_zone_free(&model.zone);
}


/* All that an append took is given back if there is not enough. */

static void
log_full(log_model_t *m, ngx_uint_t n)
{
    ngx_uint_t  free;

    while (m->zone.sh->pool.nfree > n) {
        (void) ngx_http_chat_block_alloc(&m->zone, NGX_HTTP_CHAT_BLOCK_LOG);
    }

    free = m->zone.sh->pool.nfree;

    test_eq(log_append(m, (n + 2) * LOG_DATA, NGX_HTTP_CHAT_ENTRY_TEXT), 0);

    test_eq(m->zone.sh->pool.nfree, free);
    test_eq(ngx_http_chat_log_state(&m->log)->next_seq, m->next);
}


static void
test_full(void)
{
    ngx_uint_t          n;
    static log_model_t  model;

    for (n = 0; n < 12; n++) {
        log_model_init(&model, 64, n);

        log_full(&model, n);

        if (n) {
            test_eq(log_append(&model, 10, NGX_HTTP_CHAT_ENTRY_TEXT), 1);
            log_full(&model, n);
        }

        shm_zone_free(&model.zone);
    }
}


int
main(int argc, char **argv)
{
    if (argc > 1) {
        log_seed = strtoull(argv[1], NULL, 10);
    }

    test_run("a log is what its model is", test_random);
    test_run("a cursor at the end of a freed block", test_block_end);
    test_run("an append that finds too few blocks takes none", test_full);

    return test_done();
}
