/*
 * Messages: written with a stamp, read with a check of everything that the
 * stamp says.
 */


#define _GNU_SOURCE

#include "load.h"

#include <stdio.h>
#include <string.h>


static void load_event(member_t *m, const unsigned char *p, size_t n);
static void load_deliver(member_t *m, const unsigned char *p, size_t n);
static void load_check(member_t *m, uint32_t publisher, uint32_t number);
static void load_track(room_t *room, uint32_t number, uint64_t latency);
static void load_put(char *dst, unsigned digits, uint64_t value);
static uint64_t load_get(const unsigned char *p, unsigned digits);


uint64_t              load_refused;
uint64_t              load_gaps;
char                  load_refusal[256];

static const char     load_digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
                                      "WXYZabcdefghijklmnopqrstuvwxyz-_";

static uint8_t        load_values[256];


void
load_traffic_init(void)
{
    unsigned  i;

    for (i = 0; i < 64; i++) {
        load_values[(unsigned char) load_digits[i]] = (uint8_t) i;
    }
}


uint64_t
load_pending(void)
{
    group_t   *g;
    uint64_t   pending, wanted;
    unsigned   i;

    pending = 0;

    for (i = 0; i < load_ngroups; i++) {
        g = &load_groups[i];
        wanted = g->storm ? g->sent : g->sent * g->members;

        pending += (g->received < wanted) ? wanted - g->received : 0;
    }

    return pending;
}


void
load_publish(member_t *m)
{
    int       n, rc;
    char      text[LOAD_MESSAGE_MAX + 1];
    char      command[LOAD_MESSAGE_MAX + 128];
    group_t  *g;

    g = m->room->group;

    memset(text, 'x', g->size);

    text[0] = 'B';
    load_put(text + 1, 3, m->room->number);
    load_put(text + 4, 2, (uint64_t) m->publisher);
    load_put(text + 6, 5, m->next);
    load_put(text + 11, 8, load_clock(CLOCK_MONOTONIC) - load_began);

    if (load_is_chat) {
        n = snprintf(command, sizeof(command),
                     "{\"type\":\"send\",\"room\":\"%s\",\"text\":\"%.*s\"}",
                     m->room->name, (int) g->size, text);

        rc = link_send(&m->link, command, (size_t) n);

    } else {
        rc = link_send(&m->link, text, g->size);
    }

    if (rc < 0 || (rc > 0 && g->rate == 0)) {
        load_die("cannot publish:", link_error);
    }

    if (rc > 0) {
        g->stalled++;
        return;
    }

    m->next++;
    g->sent++;

    if (load_measuring) {
        g->measured_sent++;
    }
}


void
load_raw(link_t *l, const unsigned char *p, size_t n)
{
    /* what is no message of ours is the server's own remark */

    if (n >= LOAD_STAMP && p[0] == 'B') {
        load_deliver((member_t *) l, p, n);
    }
}


void
load_chat(link_t *l, const unsigned char *p, size_t n)
{
    size_t                hint;
    member_t             *m;
    const unsigned char  *text;

    static const char  type[] = "{\"type\":\"message\"";
    static const char  mark[] = "\"text\":\"B";

    m = (member_t *) l;

    if (m->room->group->storm || m->room->group->fill) {
        load_storm(m, p, n);
        return;
    }

    if (n < sizeof(type) || memcmp(p, type, sizeof(type) - 1) != 0) {
        load_event(m, p, n);
        return;
    }

    hint = m->room->hint;
    text = p + hint;

    if (hint == 0 || hint + sizeof(mark) > n
        || memcmp(text, mark, sizeof(mark) - 1) != 0)
    {
        text = memmem(p, n, mark, sizeof(mark) - 1);

        if (text == NULL) {
            load_die("a message without a text of ours", "");
        }

        m->room->hint = (size_t) (text - p);
    }

    text += sizeof(mark) - 2;

    if (p + n - text < m->room->group->size) {
        load_die("a message was cut", "");
    }

    load_deliver(m, text, m->room->group->size);
}


static void
load_event(member_t *m, const unsigned char *p, size_t n)
{
    if (memmem(p, n, "\"type\":\"joined\"", 15) != NULL) {

        if (!m->ready) {
            m->ready = 1;
            m->room->group->ready++;
        }

        return;
    }

    if (memmem(p, n, "\"type\":\"gap\"", 12) != NULL) {
        load_gaps++;
    }

    if (memmem(p, n, "\"type\":\"error\"", 14) != NULL) {
        load_refuse(p, n);
    }
}


void
load_refuse(const unsigned char *p, size_t n)
{
    if (load_refused++ == 0) {
        (void) snprintf(load_refusal, sizeof(load_refusal), "%.*s", (int) n,
                        (const char *) p);
        (void) fprintf(stderr, "load: refused: %s\n", load_refusal);
    }
}


static void
load_deliver(member_t *m, const unsigned char *p, size_t n)
{
    room_t    *room;
    group_t   *g;
    uint64_t   latency, sent;
    uint32_t   publisher, number;

    room = m->room;
    g = room->group;

    publisher = (uint32_t) load_get(p + 4, 2);
    number = (uint32_t) load_get(p + 6, 5);
    sent = load_began + load_get(p + 11, 8);

    if (n != g->size || load_get(p + 1, 3) != room->number
        || publisher >= g->publishers)
    {
        g->astray++;
        return;
    }

    g->received++;
    load_check(m, publisher, number);

    latency = (load_now > sent) ? load_now - sent : 0;

    if (load_measuring) {
        g->measured++;
        hist_add(&g->latency, latency);
    }

    if (g->publishers == 1) {
        load_track(room, number, latency);
    }

    if (m->publisher == (int32_t) publisher && g->rate == 0 && !g->all
        && load_running)
    {
        load_publish(m);
    }
}


static void
load_check(member_t *m, uint32_t publisher, uint32_t number)
{
    group_t   *g;
    uint32_t   expect;

    g = m->room->group;
    expect = m->expect[publisher];

    m->order = (m->order ^ (((uint64_t) publisher << 32) | number))
               * UINT64_C(0x9e3779b97f4a7c15);
    m->order ^= m->order >> 29;

    if (number == expect) {
        m->expect[publisher]++;

    } else if (number > expect) {
        g->lost += number - expect;
        m->expect[publisher] = number + 1;

    } else {
        g->repeated++;
    }
}


static void
load_track(room_t *room, uint32_t number, uint64_t latency)
{
    group_t  *g;
    track_t  *track;

    g = room->group;
    track = &room->tracks[number % LOAD_TRACKS];

    if (track->number != number) {
        track->number = number;
        track->count = 0;
    }

    track->count++;

    if (track->count < g->members) {
        return;
    }

    if (load_measuring) {
        hist_add(&g->last, latency);
    }

    if (g->all && load_running) {
        load_publish(&room->members[g->members - 1]);
    }
}


static void
load_put(char *dst, unsigned digits, uint64_t value)
{
    while (digits-- > 0) {
        dst[digits] = load_digits[value & 63];
        value >>= 6;
    }
}


static uint64_t
load_get(const unsigned char *p, unsigned digits)
{
    uint64_t  value;

    value = 0;

    while (digits-- > 0) {
        value = (value << 6) | load_values[*p++];
    }

    return value;
}


/* what never came, and who saw another order than the first member */

void
load_missing(group_t *g)
{
    room_t    *room;
    member_t  *m;
    uint32_t   i, n, k, sent;

    if (g->storm || g->fill) {
        g->lost += g->sent - g->received;
        return;
    }

    for (i = 0; i < g->rooms; i++) {
        room = &g->room[i];

        for (n = 0; n < g->members; n++) {
            m = &room->members[n];

            for (k = 0; k < g->publishers; k++) {
                sent = room->members[g->members - g->publishers + k].next;
                g->lost += sent - m->expect[k];
            }

            if (m->order != room->members[0].order) {
                g->unordered++;
            }
        }
    }
}
