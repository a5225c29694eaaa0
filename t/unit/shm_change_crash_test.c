
/*
 * A worker dies anywhere in an append that does more than to append, or while
 * somebody comes or goes: all of it has been done, or nothing.
 */


#include "shm_crash_kit.h"
#include "ngx_http_chat_nonce.h"


static void
crash_run_change(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                     &crash_op.append);
}


/* Alice, who is the dead worker's, and Bob, in room "a". */

static void
crash_setup_people(ngx_http_chat_zone_t *z)
{
    uint32_t                   bob;
    ngx_http_chat_room_view_t  view;

    crash_setup(z);

    z->slot = 1;
    crash_op.room = shm_join_as(z, "a", "bob", &crash_keep, &bob, &view);
    z->slot = 0;
    (void) shm_join_as(z, "a", "alice", &crash_keep, &crash_op.occupant,
                       &view);

    crash_op.epoch = view.epoch;
    ngx_http_chat_room(z, crash_op.room)->announce =
                               (uint32_t) NGX_HTTP_CHAT_PRESENCE_FULL << 30 | 9;

    crash_event(&crash_op.append.entry);
}


static ngx_str_t *
crash_user(const char *name)
{
    static ngx_str_t  user;

    user.data = (u_char *) name;
    user.len = ngx_strlen(name);

    return &user;
}


static void
crash_standing(ngx_http_chat_zone_t *z, const char *user,
    ngx_http_chat_standing_t *standing)
{
    uint32_t  n;

    n = crash_find(z, 0);

    test_eq(ngx_http_chat_room_standing(z, n, ngx_http_chat_room(z, n)->epoch,
                                        crash_user(user), standing),
            NGX_OK);
}


static void
crash_setup_nonce(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    crash_setup_people(z);

    crash_op.append.retention = &crash_op.keep;
    crash_op.append.slots = crash_op.slots;
    crash_op.append.occupant = crash_op.occupant;
    crash_op.append.entry.flags |= NGX_HTTP_CHAT_ENTRY_MESSAGE;

    /* the last one of a block has been used: the next needs another */

    for (i = 0; i < NGX_HTTP_CHAT_NONCES; i++) {
        crash_op.append.nonce.data = (u_char *) &"abcdefghijklmnopqrstuv"[i];
        crash_op.append.nonce.len = 1;
        (void) ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                         &crash_op.append);
    }

    ngx_str_set(&crash_op.append.nonce, "the one");
}


/* A nonce is known if its message is there, and has its number; one that was
 * never said can be said. */

static void
crash_check_nonce(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    uint64_t                       next;
    ngx_http_chat_room_sh_t       *room;
    ngx_http_chat_nonce_sh_t      *nonce;
    ngx_http_chat_occupant_sh_t   *oc;

    room = ngx_http_chat_room(z, crash_op.room);
    oc = ngx_http_chat_occupant(z, crash_op.occupant);
    next = ngx_http_chat_log_state(&room->log)->next_seq;

    nonce = ngx_http_chat_nonce_find_locked(z, crash_op.occupant,
                      ngx_http_chat_nonce_hash(z, &crash_op.append.nonce), 0);

    test_eq(nonce != NULL, there);
    test_eq(room->unsure, 0);
    test_ok(oc->user_len == 5);

    if (nonce) {
        test_ok(nonce->seq < next);
        test_eq(nonce->seq, 5 + NGX_HTTP_CHAT_NONCES + 1);
    }
}


/* Bob, who has a role, has read and is away on other workers, is banned, and
 * the room gets settings. */

static void
crash_setup_ban(ngx_http_chat_zone_t *z)
{
    ngx_http_chat_occupant_sh_t            *oc;
    static ngx_http_chat_change_t           change;
    static ngx_http_chat_room_settings_t    settings;

    crash_setup_people(z);

    ngx_str_set(&settings.topic, "old");
    settings.given = NGX_HTTP_CHAT_ROOM_TOPIC;

    crash_op.append.slots = crash_op.slots;
    crash_op.append.settings = &settings;
    crash_op.append.entry.flags = 0;
    (void) ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                     &crash_op.append);

    crash_event(&crash_op.append.entry);
    ngx_str_set(&settings.topic, "new");
    settings.given |= NGX_HTTP_CHAT_ROOM_LOCKED|NGX_HTTP_CHAT_ROOM_SLOW;
    settings.flags = NGX_HTTP_CHAT_ROOM_LOCKED;
    settings.slow = 700;

    change.user = *crash_user("bob");
    change.what = NGX_HTTP_CHAT_CHANGE_BAN;
    change.until = NGX_HTTP_CHAT_FOREVER;

    crash_op.append.change = &change;

    oc = ngx_http_chat_occupant(z,
                          ngx_http_chat_occupant_find_locked(z, crash_op.room,
                                                       crash_user("bob")));
    oc->granted = NGX_HTTP_CHAT_ROLE_MODERATOR;
    oc->read = 3;
}


static void
crash_check_ban(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    u_char                         topic[NGX_HTTP_CHAT_TOPIC_MAX];
    uint32_t                       n;
    ngx_http_chat_standing_t       bob;
    ngx_http_chat_room_settings_t  settings;

    n = crash_find(z, 0);

    crash_standing(z, "bob", &bob);

    test_ok(bob.occupant != 0);
    test_eq(bob.banned, there ? NGX_HTTP_CHAT_FOREVER : 0);
    test_eq(bob.granted, NGX_HTTP_CHAT_ROLE_MODERATOR);
    test_eq(bob.read, 3);
    test_eq(bob.here, !there);
    test_eq((bob.flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED) != 0, !there);
    test_eq(ngx_http_chat_room(z, n)->changes != 0, there);

    test_eq(ngx_http_chat_room_topic(z, n, ngx_http_chat_room(z, n)->epoch,
                                     topic, &settings),
            3);
    test_ok(ngx_memcmp(topic, there ? "new" : "old", 3) == 0);
    test_eq(settings.flags, there ? NGX_HTTP_CHAT_ROOM_LOCKED : 0);
    test_eq(settings.slow, there ? 700 : 0);
    test_eq(ngx_http_chat_room(z, n)->intent, 0);
}


/* What is shown of entry seq of room "a": its flags, and the seq of the one
 * that amends it, which is its text's number. */

static ngx_uint_t
crash_amended(ngx_http_chat_zone_t *z, uint64_t seq, uint64_t *by)
{
    size_t                     used, need;
    uint32_t                   n;
    uint64_t                   gap;
    ngx_uint_t                 i, count;
    shm_entry_t                entries[64], *e;
    ngx_http_chat_cursor_t     cursor;
    ngx_http_chat_room_view_t  view;

    n = crash_find(z, 0);

    ngx_memzero(&cursor, sizeof(ngx_http_chat_cursor_t));

    (void) ngx_http_chat_room_view(z, n, ngx_http_chat_room(z, n)->epoch,
                                   &view);
    cursor.passing = view.head.passing;

    (void) ngx_http_chat_room_seek(z, n, view.epoch, seq, &cursor);
    (void) ngx_http_chat_room_read(z, n, view.epoch, &cursor, crash_buf,
                                   8192, &used, &need, &gap, &view);

    count = shm_entries(crash_buf, used, entries, 64);
    test_ok(count > 0);
    *by = 0;

    for (i = 0; i < count; i++) {
        e = &entries[i];

        if (e->header.seq != seq) {
            continue;
        }

        if (ngx_http_chat_entry_amended(&e->header)) {
            *by = strtoull((char *) e->text + e->header.len
                           - e->header.sender + 5, NULL, 10);
        }

        return e->header.flags & NGX_HTTP_CHAT_ENTRY_AMENDED;
    }

    return 0;
}


static ngx_http_chat_cursor_t  crash_targets[3];


static void
crash_target(ngx_http_chat_zone_t *z, ngx_uint_t i, uint64_t seq)
{
    (void) ngx_http_chat_room_seek(z, crash_op.room, crash_op.epoch, seq,
                                   &crash_targets[i]);
    crash_op.append.entry.targets = crash_targets;
    crash_op.append.entry.ntargets = i + 1;
}


static void
crash_setup_edit(ngx_http_chat_zone_t *z)
{
    crash_setup_people(z);

    crash_op.append.slots = crash_op.slots;
    crash_op.append.entry.flags |= NGX_HTTP_CHAT_ENTRY_AMENDS;
    crash_op.append.entry.amend = NGX_HTTP_CHAT_ENTRY_EDITED;

    /* entry 3's header runs on over a block's end */

    crash_target(z, 0, 3);
}


static void
crash_check_edit(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    uint64_t  by;

    test_eq(crash_amended(z, 3, &by),
            there ? NGX_HTTP_CHAT_ENTRY_EDITED : 0);
    test_eq(by, there ? 6 : 0);
}


static void
crash_setup_reedit(ngx_http_chat_zone_t *z)
{
    crash_setup_edit(z);

    test_eq(ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                      &crash_op.append),
            NGX_OK);
    crash_target(z, 0, 3);
}


static void
crash_check_reedit(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    uint64_t  by;

    test_eq(crash_amended(z, 3, &by), NGX_HTTP_CHAT_ENTRY_EDITED);
    test_eq(by, there ? 7 : 6);
    test_eq(crash_amended(z, 6, &by), 0);
}


/* An entry that was edited twice is deleted, with another one. */

static void
crash_setup_purge(ngx_http_chat_zone_t *z)
{
    crash_setup_reedit(z);

    test_eq(ngx_http_chat_room_append(z, crash_op.room, crash_op.epoch,
                                      &crash_op.append),
            NGX_OK);

    crash_op.append.entry.amend = NGX_HTTP_CHAT_ENTRY_DELETED;

    crash_target(z, 0, 3);
    crash_target(z, 1, 5);
}


static void
crash_check_purge(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    uint64_t    by, seq;
    ngx_uint_t  flags;

    for (seq = 1; seq <= 7; seq++) {
        flags = crash_amended(z, seq, &by);

        if (seq == 1 || seq == 2 || seq == 4) {
            test_eq(flags, 0);
            continue;
        }

        test_eq((flags & NGX_HTTP_CHAT_ENTRY_DELETED) != 0, there);
        test_eq(by, there ? 8 : (seq == 3) ? 7 : 0);
    }
}


/* A user's first connection, announced; he is away or there, never half. */

static void
crash_setup_come(ngx_http_chat_zone_t *z)
{
    static ngx_http_chat_announce_t  announce;

    crash_setup_people(z);

    ngx_memzero(&announce, sizeof(ngx_http_chat_announce_t));
    crash_event(&announce.event);
    announce.presence = NGX_HTTP_CHAT_PRESENCE_FULL;
    announce.limit = 9;
    announce.slots = crash_op.slots;

    crash_op.announce = &announce;
    crash_op.name.data = (u_char *) CRASH_ROOMS;
    crash_op.name.len = 1;
    crash_op.person.user = *crash_user("carol");
    crash_op.person.name = crash_op.person.user;
}


static void
crash_check_come(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    ngx_http_chat_standing_t  bob, carol;

    crash_standing(z, "bob", &bob);
    crash_standing(z, "carol", &carol);

    test_eq(bob.here, 1);
    test_ok(carol.name_len == 0 || carol.name_len == 5);
    test_ok(carol.here <= 1);
}


static void
crash_run_go(ngx_http_chat_zone_t *z)
{
    (void) ngx_http_chat_room_leave(z, crash_op.room, crash_op.epoch,
                                    crash_op.occupant, 0);
}


/* Alice was there or is due to be said to have gone, until the reaping; then
 * that she has gone can be said once. */

static void
crash_check_go(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    ngx_msec_t                 wait;
    ngx_http_chat_room_sh_t   *room;
    ngx_http_chat_announce_t   announce;
    ngx_http_chat_standing_t   alice;

    crash_standing(z, "alice", &alice);

    if (z->sh->reaped == 0) {
        test_ok(alice.flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED);
        return;
    }

    room = ngx_http_chat_room(z, crash_op.room);
    test_eq(alice.here, 0);

    ngx_memzero(&announce, sizeof(ngx_http_chat_announce_t));
    crash_event(&announce.event);
    announce.slots = crash_op.slots;

    test_eq(ngx_http_chat_room_left(z, crash_op.room, room->epoch,
                                    crash_user("alice"), &announce, &wait),
            NGX_OK);
    test_eq(room->users, 1);
    test_eq(announce.event.number, 1);
    test_eq(ngx_http_chat_room_left(z, crash_op.room, room->epoch,
                                    crash_user("alice"), &announce, &wait),
            NGX_DECLINED);
}


static void
crash_setup_gone(ngx_http_chat_zone_t *z)
{
    static ngx_http_chat_announce_t  announce;

    crash_setup_people(z);
    crash_run_go(z);

    ngx_memzero(&announce, sizeof(ngx_http_chat_announce_t));
    crash_event(&announce.event);
    announce.slots = crash_op.slots;
    crash_op.announce = &announce;
}


static void
crash_run_gone(ngx_http_chat_zone_t *z)
{
    ngx_msec_t  wait;

    (void) ngx_http_chat_room_left(z, crash_op.room, crash_op.epoch,
                                   crash_user("alice"), crash_op.announce,
                                   &wait);
}


static void
crash_setup_rename(ngx_http_chat_zone_t *z)
{
    crash_setup_people(z);

    crash_op.person.user = *crash_user("bob");
    crash_op.person.name = *crash_user("robert");
}


static void
crash_run_rename(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  n;

    (void) ngx_http_chat_room_rename(z, crash_op.room, crash_op.epoch,
                                     &crash_op.person, 0,
                                     &crash_op.append.entry, crash_op.slots,
                                     &n);
}


static void
crash_check_rename(ngx_http_chat_zone_t *z, ngx_uint_t there)
{
    ngx_http_chat_standing_t  bob;

    crash_standing(z, "bob", &bob);

    test_ok(bob.name_len == 0
            || (bob.name_len == 3 && ngx_memcmp(bob.name, "bob", 3) == 0)
            || (bob.name_len == 6 && ngx_memcmp(bob.name, "robert", 6) == 0));
}


static const crash_case_t  crash_cases[] = {
    { "append with a nonce", crash_setup_nonce, crash_run_append, 0,
      crash_check_nonce },
    { "ban, and settings", crash_setup_ban, crash_run_change, 0,
      crash_check_ban },
    { "edit", crash_setup_edit, crash_run_change, 0, crash_check_edit },
    { "second edit", crash_setup_reedit, crash_run_change, 0,
      crash_check_reedit },
    { "purge", crash_setup_purge, crash_run_change, 0, crash_check_purge },
    { "join of a user", crash_setup_come, crash_run_join, 0,
      crash_check_come },
    { "leave of a user", crash_setup_people, crash_run_go, 0,
      crash_check_go },
    { "a user has left", crash_setup_gone, crash_run_gone, 0, NULL },
    { "rename", crash_setup_rename, crash_run_rename, 0, crash_check_rename }
};


static void
test_steps(void)
{
    crash_run_all(crash_cases, sizeof(crash_cases) / sizeof(crash_cases[0]));
}


int
main(void)
{
    step_start();

    test_run("an entry is there with all that belongs to it", test_steps);

    return test_done();
}
