
/*
 * A child makes one operation on a zone, an instruction at a time.  After each
 * step that changed the zone, the zone is what it would be had the child been
 * killed there.  The child's pid in the locks is one that no process has.
 */


#ifndef _SHM_STEP_KIT_H_INCLUDED_
#define _SHM_STEP_KIT_H_INCLUDED_


#include "shm_kit.h"
#include "test.h"


typedef struct {
    const char   *name;
    void        (*run)(ngx_http_chat_zone_t *z);

    /* what is to be looked at; it is the callee's to make copies of */
    void        (*state)(ngx_http_chat_zone_t *z, u_char *bytes);

    ngx_uint_t    stride;                /* of changes looked at, 0 = all */
} step_t;


/* To be called first: a test that is stuck from then on fails. */
void step_start(void);
void step_alarm(const char *name);

/* Can a child be stepped here? */
ngx_uint_t step_possible(void);

/* Steps through it: the operation is one that can be interrupted. */
void step_run(ngx_http_chat_zone_t *z, const step_t *step);


#endif /* _SHM_STEP_KIT_H_INCLUDED_ */
