
/*
 * What the cases share: workers that say things, and readers that look whether
 * everything is there once, whole and in order.
 */


#ifndef _CHAT_CASES_H_INCLUDED_
#define _CHAT_CASES_H_INCLUDED_


#include "model.h"


#define CASE_SAID  4                     /* entries of a worker */
#define CASE_BUF   65536


/* What a worker has appended, or has tried to. */
typedef struct {
    uint32_t                   room;
    uint64_t                   number;
    uint64_t                   seq;      /* 0: it was not told */
    ngx_int_t                  rc;
    ngx_uint_t                 told;     /* rc is set */
} case_entry_t;


typedef struct {
    case_entry_t               entries[CASE_SAID];
    ngx_uint_t                 n;
    uint64_t                   seq;      /* the last one's */
} case_said_t;


typedef struct {
    uint32_t                   room;
    uint64_t                   epoch;
    ngx_http_chat_cursor_t     cursor;
    ngx_uint_t                 entries;
    ngx_uint_t                 gaps;
} case_reader_t;


extern ngx_http_chat_retention_t  case_keep;
extern case_said_t                case_said[MODEL_WORKERS];


/* For setup: the end of it; a member and, if given, its user. */
void case_start(void);
uint32_t case_join(ngx_http_chat_zone_t *z, const char *name,
    const char *user, uint64_t *epoch, uint32_t *occupant);
void case_append(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch,
    size_t len, uint64_t number);

/* A reader at the head, or at an entry. */
void case_read_from_here(case_reader_t *r, ngx_http_chat_zone_t *z,
    uint32_t room, uint64_t epoch);
void case_read_from(case_reader_t *r, ngx_http_chat_zone_t *z, uint32_t room,
    uint64_t epoch, uint64_t seq);

/* For workers.  The entry, from 8 bytes on; with a nonce; amending another. */
ngx_int_t case_say(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch,
    size_t len);
ngx_int_t case_say_as(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch,
    uint32_t occupant, const char *nonce, ngx_http_chat_change_t *change,
    ngx_uint_t flags, ngx_http_chat_cursor_t *target);
void case_read(case_reader_t *r, ngx_http_chat_zone_t *z);

/* For check.  To the end: then it has seen everything. */
void case_read_all(case_reader_t *r, ngx_http_chat_zone_t *z);

/* The log has what was said, once, in order, whole; returns the entries. */
ngx_uint_t case_log(ngx_http_chat_zone_t *z, uint32_t room, uint64_t epoch);

/* Explores the cases, with more switches if the first argument says so. */
int case_main(int argc, char **argv, const model_case_t *cases, size_t n);


#endif /* _CHAT_CASES_H_INCLUDED_ */
