
/*
 * How tests let a worker die anywhere in what it does to rooms: on copies of
 * each state that it may leave behind another worker goes on, before and after
 * a repair, and must find either the old or the new state of every log, whole
 * entries, exact counts and, in the end, every block.
 */


#ifndef _SHM_CRASH_KIT_H_INCLUDED_
#define _SHM_CRASH_KIT_H_INCLUDED_


#include "shm_step_kit.h"


#define CRASH_ROOMS     "abcdefgh"
#define CRASH_NROOMS    8
#define CRASH_SLOTS     12
#define CRASH_BUF       65536


typedef struct {
    ngx_uint_t                  present;
    uint64_t                    epoch;
    uint64_t                    first;
    uint64_t                    next;
    ngx_uint_t                  others;  /* members that are not slot 0's */
} crash_room_t;


typedef struct {
    crash_room_t                rooms[CRASH_NROOMS];
} crash_view_t;


/* What the child does, all of it made ready before its first step. */
typedef struct {
    uint32_t                    room;
    uint64_t                    epoch;
    uint32_t                    block;
    ngx_str_t                   name;
    uint32_t                       occupant;
    ngx_http_chat_person_t         person;
    ngx_http_chat_announce_t      *announce;
    ngx_http_chat_room_append_t    append;
    ngx_http_chat_retention_t      keep;
    ngx_http_chat_room_view_t      view;
    uint16_t                       slots[NGX_HTTP_CHAT_SLOTS_MAX];
} crash_op_t;


typedef struct {
    const char                 *name;
    void                      (*setup)(ngx_http_chat_zone_t *z);
    void                      (*run)(ngx_http_chat_zone_t *z);
    ngx_uint_t                  stride;  /* of changes looked at, 0 = all */

    /* of what came with the entry, if that is there */
    void                      (*check)(ngx_http_chat_zone_t *z,
                                  ngx_uint_t there);
} crash_case_t;


extern crash_op_t           crash_op;
extern u_char               crash_text[CRASH_BUF];
extern u_char               crash_buf[CRASH_BUF];

extern ngx_http_chat_retention_t  crash_keep;


double crash_clock(void);

/* Rooms have names of a letter: the i-th one, or 0; a member in it. */
uint32_t crash_find(ngx_http_chat_zone_t *z, ngx_uint_t i);
uint32_t crash_join(ngx_http_chat_zone_t *z, ngx_uint_t i,
    ngx_http_chat_room_view_t *view);

/* What the text of an entry is made of. */
uint64_t crash_number(ngx_uint_t i, uint64_t seq, size_t len);

/* Reads all rooms; every entry must be whole. */
void crash_observe(ngx_http_chat_zone_t *z, crash_view_t *view);

/* As any worker does: joins, appends, reads, leaves. */
ngx_int_t crash_use_room(ngx_http_chat_zone_t *z, ngx_uint_t i);

/* Runs the cases, if a child can be stepped here. */
void crash_run_all(const crash_case_t *cases, ngx_uint_t n);

/* Joins a room from a slot and appends so many entries. */
uint32_t crash_fill(ngx_http_chat_zone_t *z, ngx_uint_t i, ngx_uint_t slot,
    ngx_uint_t entries, size_t len);

/* Three rooms of three seconds; the victim will be in room "a". */
void crash_setup(ngx_http_chat_zone_t *z);

/* The operation is to append so many bytes to that room. */
void crash_entry(ngx_http_chat_zone_t *z, ngx_uint_t i, size_t len);
void crash_run_append(ngx_http_chat_zone_t *z);

/* The operation is to join. */
void crash_run_join(ngx_http_chat_zone_t *z);

/* The entry {"n":seq,"ts":time}. */
void crash_event(ngx_http_chat_append_t *a);


#endif /* _SHM_CRASH_KIT_H_INCLUDED_ */
