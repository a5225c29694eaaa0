/*
 * What /proc says of the server under test: processor time and memory of
 * a few processes, summed.  Both fail with -1 when a process is gone.
 */


#ifndef BENCH_PROC_H
#define BENCH_PROC_H


#include <stdint.h>
#include <sys/types.h>


/* nanoseconds on a processor, user and system, of all threads */
int64_t proc_cpu_ns(const pid_t *pids, unsigned n);

/*
 * Bytes of anonymous memory and of shared memory; what is shared between the
 * processes is counted once, mapped files not at all.
 */
typedef struct {
    int64_t  own;
    int64_t  shared;
} proc_memory_t;

int proc_memory(proc_memory_t *memory, const pid_t *pids, unsigned n);


#endif /* BENCH_PROC_H */
