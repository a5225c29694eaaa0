
/*
 * What the tests of occupants share: rooms with nothing but people, and a
 * census of these, which follows every link by itself.
 */


#ifndef _SHM_PEOPLE_KIT_H_INCLUDED_
#define _SHM_PEOPLE_KIT_H_INCLUDED_


#include "shm_kit.h"
#include "ngx_http_chat_nonce.h"


#define PEOPLE_ROOMS  4


typedef struct {
    uint32_t     rooms[PEOPLE_ROOMS];    /* 0: no room */
    ngx_uint_t   held;                   /* blocks, the rooms' own too */
    ngx_uint_t   linked;                 /* occupants in the table */
    ngx_uint_t   stray;                  /* neither there nor expelled */
    ngx_uint_t   empty;                  /* blocks of people with nobody */
} people_census_t;


/* A room of which only the people matter; hash chooses its lock. */
uint32_t people_room(ngx_http_chat_zone_t *z, uint32_t hash);

/* The user of that number, in a buffer that the next call overwrites. */
ngx_str_t *people_user(ngx_uint_t n);

/* Counts what the rooms named in the census have.  NULL, or what is wrong. */
const char *people_census(ngx_http_chat_zone_t *z, people_census_t *census);

/* As above, and nothing is lost, stray or empty, and all links hold. */
const char *people_complete(ngx_http_chat_zone_t *z, people_census_t *census);


#endif /* _SHM_PEOPLE_KIT_H_INCLUDED_ */
