/*
 * Members that join and leave: those of a storm, and those that fill a zone
 * with rooms before anything is measured.
 */


#define _GNU_SOURCE

#include "load.h"

#include <stdio.h>
#include <string.h>


/* ids of commands */

#define STORM_JOIN   1
#define STORM_LEAVE  2
#define STORM_SEND   3


static void storm_welcome(member_t *m);
static void storm_done(member_t *m, int id);
static void storm_joined(member_t *m);
static void storm_turn(room_t *room);
static void storm_fill(member_t *m);
static void storm_command(member_t *m, int id, const char *type,
    const char *room, const char *more);
static int storm_is(const unsigned char *p, size_t n, const char *start);


void
load_storm(member_t *m, const unsigned char *p, size_t n)
{
    static const char  ok[] = "{\"type\":\"ok\",\"id\":";

    if (storm_is(p, n, ok) && n > sizeof(ok)) {
        storm_done(m, p[sizeof(ok) - 1] - '0');

    } else if (storm_is(p, n, "{\"type\":\"welcome\"")) {
        storm_welcome(m);

    } else if (storm_is(p, n, "{\"type\":\"error\"")) {
        load_refuse(p, n);

    } else if (load_measuring) {
        m->room->group->events++;
    }
}


void
load_storm_start(group_t *g)
{
    uint32_t  i, n;

    for (i = 0; i < g->rooms; i++) {
        for (n = 0; n < g->inflight; n++) {
            storm_turn(&g->room[i]);
        }
    }
}


/* the first half joins at once */

static void
storm_welcome(member_t *m)
{
    group_t  *g;

    g = m->room->group;

    if (g->fill) {
        storm_fill(m);

    } else if (m->number < g->members / 2) {
        storm_command(m, STORM_JOIN, "join", m->room->name, "");

    } else {
        m->ready = 1;
        g->ready++;
    }
}


static void
storm_done(member_t *m, int id)
{
    switch (id) {

    case STORM_JOIN:

        if (!m->room->group->fill) {
            storm_joined(m);
        }

        break;

    case STORM_SEND:
        m->filled++;
        storm_fill(m);
        break;

    default:
        break;
    }
}


static void
storm_joined(member_t *m)
{
    group_t  *g;

    g = m->room->group;

    if (!m->ready) {
        m->ready = 1;
        g->ready++;
        return;
    }

    g->received++;

    if (load_measuring) {
        g->measured++;
        hist_add(&g->latency, load_now - m->asked);
    }

    if (load_running) {
        storm_turn(m->room);
    }
}


/* One goes, and who is half of the members away from him comes. */

static void
storm_turn(room_t *room)
{
    group_t   *g;
    member_t  *m;
    uint32_t   half;

    g = room->group;
    half = g->members / 2;

    m = &room->members[room->turn % g->members];
    storm_command(m, STORM_LEAVE, "leave", room->name, "");

    m = &room->members[(room->turn + half) % g->members];
    m->asked = load_clock(CLOCK_MONOTONIC);
    storm_command(m, STORM_JOIN, "join", room->name, "");

    room->turn++;
    g->sent++;

    if (load_measuring) {
        g->measured_sent++;
    }
}


/* The member's next room, or there is none. */

static void
storm_fill(member_t *m)
{
    char      room[64];
    group_t  *g;

    g = m->room->group;

    if (m->filled == g->fill) {
        m->ready = 1;
        g->ready++;
        return;
    }

    (void) snprintf(room, sizeof(room), "%s-%u-%u", m->room->name, m->number,
                    m->filled);

    storm_command(m, STORM_JOIN, "join", room, "");
    storm_command(m, STORM_SEND, "send", room, ",\"text\":\"hello\"");
}


static void
storm_command(member_t *m, int id, const char *type, const char *room,
    const char *more)
{
    int   n;
    char  text[256];

    n = snprintf(text, sizeof(text),
                 "{\"type\":\"%s\",\"id\":%d,\"room\":\"%s\"%s}", type, id,
                 room, more);

    if (link_send(&m->link, text, (size_t) n) != 0) {
        load_die("cannot join or leave:", link_error);
    }
}


static int
storm_is(const unsigned char *p, size_t n, const char *start)
{
    size_t  len;

    len = strlen(start);

    return n >= len && memcmp(p, start, len) == 0;
}
