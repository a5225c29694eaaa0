
/*
 * Interleavings of what is done to a room's log.
 *
 *     log_model [switches]
 */


#include "cases.h"


static uint32_t        log_room, log_other;
static uint64_t        log_epoch, log_other_epoch;
static case_reader_t   log_reader;

static ngx_http_chat_cursor_t  log_first;       /* the first entry */


static void
log_setup(ngx_http_chat_zone_t *z)
{
    log_room = case_join(z, "a", NULL, &log_epoch, NULL);

    case_append(z, log_room, log_epoch, 40, 90);
    ngx_memzero(&log_first, sizeof(ngx_http_chat_cursor_t));
    model_must(ngx_http_chat_room_seek(z, log_room, log_epoch, 1, &log_first)
               == NGX_OK);

    case_read_from_here(&log_reader, z, log_room, log_epoch);
    case_start();
}


static void
log_append(ngx_http_chat_zone_t *z)
{
    (void) case_say(z, log_room, log_epoch, 600);
}


static void
log_append_two(ngx_http_chat_zone_t *z)
{
    (void) case_say(z, log_room, log_epoch, 30);
    (void) case_say(z, log_room, log_epoch, 500);
}


static void
log_read(ngx_http_chat_zone_t *z)
{
    case_read(&log_reader, z);
    case_read(&log_reader, z);
}


static void
log_check(ngx_http_chat_zone_t *z)
{
    case_read_all(&log_reader, z);
    (void) case_log(z, log_room, log_epoch);
    model_settle(z);
    (void) case_log(z, log_room, log_epoch);
}


/* Two entries are all that is kept. */

static void
log_setup_trim(ngx_http_chat_zone_t *z)
{
    case_keep.messages = 2;
    case_keep.backlog = 1;

    log_setup(z);
    case_append(z, log_room, log_epoch, 700, 91);
    case_append(z, log_room, log_epoch, 20, 92);
    case_start();
}


/* Nothing is free, and the history of "b" is the oldest. */

static void
log_setup_full(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    case_keep.messages = 200;
    case_keep.backlog = 65536;

    log_other = case_join(z, "b", NULL, &log_other_epoch, NULL);

    ngx_stub_time(SHM_NOW + 5000);
    log_setup(z);

    for (i = 0; z->sh->pool.nfree; i++) {
        case_append(z, log_other, log_other_epoch, 700, 1000 + i);
    }

    case_read_from(&log_reader, z, log_other, log_other_epoch, 1);
    case_start();
}


static void
log_append_other(ngx_http_chat_zone_t *z)
{
    (void) case_say(z, log_other, log_other_epoch, 100);
}


static void
log_check_full(ngx_http_chat_zone_t *z)
{
    case_read_all(&log_reader, z);
    (void) case_log(z, log_room, log_epoch);
    (void) case_log(z, log_other, log_other_epoch);
    model_settle(z);
    (void) case_log(z, log_room, log_epoch);
    (void) case_log(z, log_other, log_other_epoch);
}


/* Two connections of one user say the same, as after a reconnect. */

static uint32_t  log_author;


static void
log_setup_nonce(ngx_http_chat_zone_t *z)
{
    uint64_t  epoch;

    log_room = case_join(model_zone(0), "a", "ann", &log_epoch, &log_author);
    (void) case_join(model_zone(1), "a", "ann", &epoch, &log_author);

    case_read_from_here(&log_reader, z, log_room, log_epoch);
    case_start();
}


static void
log_append_nonce(ngx_http_chat_zone_t *z)
{
    (void) case_say_as(z, log_room, log_epoch, log_author, "n1", NULL, 0,
                       NULL);
}


static void
log_check_nonce(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  w;

    model_settle(z);
    (void) case_log(z, log_room, log_epoch);

    /* who asks again, after a death too, makes none that was there */

    for (w = 0; w < 2; w++) {

        if (!model_died(w)) {
            model_must(case_said[w].seq == 1);
        }
    }

    (void) case_join(z, "a", "ann", &log_epoch, &log_author);
    (void) case_say_as(z, log_room, log_epoch, log_author, "n1", NULL, 0,
                       NULL);

    model_must(case_log(z, log_room, log_epoch) == 1);
}


/* Edits and deletions of one entry. */

static void
log_amend(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_cursor_t  target;

    target = log_first;

    (void) case_say_as(z, log_room, log_epoch, 0, NULL, NULL,
                       model_worker() ? NGX_HTTP_CHAT_ENTRY_DELETED
                                      : NGX_HTTP_CHAT_ENTRY_EDITED,
                       &target);
}


static const model_case_t  log_cases[] = {
    { "two append",
      log_setup, { log_append, log_append, NULL }, log_check, 2, 1 },
    { "one appends, one reads",
      log_setup, { log_append_two, log_read, NULL }, log_check, 2, 1 },
    { "two append, one reads",
      log_setup, { log_append, log_append, log_read }, log_check, 1, 1 },
    { "one trims, one reads at the tail",
      log_setup_trim, { log_append_two, log_read, NULL }, log_check, 2, 1 },
    { "a full zone: two evict what one reads",
      log_setup_full, { log_append, log_append, log_read }, log_check_full,
      1, 1 },
    { "a full zone: one evicts where one appends",
      log_setup_full, { log_append, log_append_other, NULL }, log_check_full,
      2, 1 },
    { "one nonce, said twice",
      log_setup_nonce, { log_append_nonce, log_append_nonce, NULL },
      log_check_nonce, 2, 1 },
    { "one edits, one deletes, one reads",
      log_setup, { log_amend, log_amend, log_read }, log_check, 1, 1 },
};


int
main(int argc, char **argv)
{
    return case_main(argc, argv, log_cases,
                     sizeof(log_cases) / sizeof(log_cases[0]));
}
