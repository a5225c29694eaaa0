
/*
 * An explorer of interleavings of the real code of src/shm.
 *
 * Two or three logical workers, each with a stack and a pid of its own, run
 * in one process.  The code is compiled so that each access to memory calls
 * us (as for a detector of races), and where a worker touches what another one
 * touches too, any of the others may go on, or the worker may die.  All
 * schedules with a bounded number of such switches are run, each from the same
 * copy of the zone; a worker that waits for a lock costs nothing.  Memory is
 * sequentially consistent here, each machine word is read and written at once,
 * and time stands still.
 *
 * A place counts as shared if two workers were ever seen there in the same
 * case, and one of them wrote.  The search is repeated until no place is new.
 */


#ifndef _CHAT_MODEL_H_INCLUDED_
#define _CHAT_MODEL_H_INCLUDED_


#include "shm_kit.h"
#include "test.h"


#define MODEL_WORKERS  3                 /* in the slots 1 to 3 */
#define MODEL_SLOTS    6
#define MODEL_BLOCKS   70
#define MODEL_PID      0x7ff00000        /* of worker 0, no process has it */
#define MODEL_FD       1000000           /* slot 0's, likewise */


typedef void (*model_run_pt)(ngx_http_chat_zone_t *z);


typedef struct {
    const char     *name;
    model_run_pt    setup;               /* as slot 0, before all schedules */
    model_run_pt    run[MODEL_WORKERS];
    model_run_pt    check;               /* behind each schedule */
    ngx_uint_t      switches;            /* at most, in one schedule */
    ngx_uint_t      deaths;              /* of these, at most */
} model_case_t;


/* What a case says is not so ends the search. */
#define model_must(cond)                                                      \
    ((cond) ? (void) 0 : model_broken(__FILE__, __LINE__, #cond))

void model_broken(const char *file, int line, const char *what);

/* Runs a case; its checks are those of t/unit/test.h. */
void model_explore(const model_case_t *c);

/* Schedules of the case just explored. */
ngx_uint_t model_schedules(void);

/* Memory beside the zone that each schedule finds as setup left it. */
void model_keep(void *p, size_t size);

/* The worker that runs: 0 to 2.  Its handle of the zone, for setup. */
ngx_uint_t model_worker(void);
ngx_http_chat_zone_t *model_zone(ngx_uint_t worker);

/* Did that worker, or any, die in this schedule? */
ngx_uint_t model_died(ngx_uint_t worker);
ngx_uint_t model_deaths(void);

/* Sleeps until somebody writes to the descriptor of this worker's slot.  0:
 * all others are done or asleep. */
ngx_uint_t model_sleep(void);

/* For check: goes on as another worker does, buries the dead and repairs. */
void model_settle(ngx_http_chat_zone_t *z);


#endif /* _CHAT_MODEL_H_INCLUDED_ */
