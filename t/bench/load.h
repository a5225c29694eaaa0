/*
 * What the parts of the load generator share: load.c has the options, the
 * connections and the loop, traffic.c the messages and their checks, storm.c
 * those who join and leave, report.c what is measured.
 */


#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H


#include "hist.h"
#include "link.h"
#include "proc.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>


#define LOAD_GROUPS       4
#define LOAD_PIDS         128
#define LOAD_ROOM_NAME    32
#define LOAD_MESSAGE_MAX  1024
#define LOAD_TRACKS       1024

/* "B", room 3, publisher 2, number 5, time 8 digits of 6 bits */

#define LOAD_STAMP        19

#define load_second       UINT64_C(1000000000)
#define load_ms           UINT64_C(1000000)


typedef struct group_s  group_t;
typedef struct room_s   room_t;


typedef struct {
    link_t     link;              /* first: a link is its member */

    room_t    *room;
    uint32_t   number;
    int32_t    publisher;         /* number in the room, or -1 */
    uint32_t   next;              /* number of the next own message */
    uint32_t   ready;
    uint32_t   filled;            /* rooms of a group that fills a zone */
    uint64_t   asked;             /* when it asked to join */
    uint64_t   order;             /* hash of all messages, as they came */
    uint32_t  *expect;            /* next number of each publisher */
} member_t;


/* how many members a message has reached, for the last one's latency */

typedef struct {
    uint32_t   number;
    uint32_t   count;
} track_t;


struct room_s {
    char       name[LOAD_ROOM_NAME];
    group_t   *group;
    uint32_t   number;
    uint32_t   turn;              /* the publisher whose turn it is */
    size_t     hint;              /* where the last event had its text */
    member_t  *members;
    track_t   *tracks;
};


struct group_s {
    char       name[LOAD_ROOM_NAME];
    uint32_t   rooms;
    uint32_t   members;
    uint32_t   publishers;
    uint32_t   inflight;
    uint32_t   rate;
    uint32_t   size;
    uint32_t   all;
    uint32_t   storm;
    uint32_t   fill;

    int        epoll;
    uint32_t   turn;
    uint32_t   ready;
    uint64_t   due;
    room_t    *room;

    uint64_t   sent;
    uint64_t   received;
    uint64_t   measured;
    uint64_t   measured_sent;
    uint64_t   lost;
    uint64_t   repeated;
    uint64_t   astray;
    uint64_t   unordered;
    uint64_t   stalled;
    uint64_t   events;

    hist_t     latency;
    hist_t     last;
};


typedef struct {
    uint64_t   at;
    uint64_t   own_cpu;
    int64_t    server_cpu;
} mark_t;


void load_traffic_init(void);
uint64_t load_pending(void);
void load_publish(member_t *m);
void load_raw(link_t *l, const unsigned char *p, size_t n);
void load_chat(link_t *l, const unsigned char *p, size_t n);
void load_missing(group_t *g);
void load_refuse(const unsigned char *p, size_t n);

/* of groups with storm or fill */
void load_storm(member_t *m, const unsigned char *p, size_t n);
void load_storm_start(group_t *g);

void load_mark(mark_t *mark);
void load_report(const mark_t *from, const mark_t *to);

uint64_t load_clock(clockid_t id);
void load_die(const char *what, const char *detail);


extern group_t   load_groups[LOAD_GROUPS];
extern unsigned  load_ngroups;

extern pid_t     load_pid[LOAD_PIDS];
extern unsigned  load_npids;

extern int       load_is_chat;
extern int       load_running;
extern int       load_measuring;
extern uint64_t  load_now;
extern uint64_t  load_began;
extern int64_t   load_setup;
extern int64_t   load_own;
extern int64_t   load_shared;
extern uint64_t  load_refused;
extern uint64_t  load_gaps;
extern char      load_refusal[256];


#endif /* BENCH_LOAD_H */
