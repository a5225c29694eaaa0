/*
 * A log-scale histogram of 64-bit values (nanoseconds here): 32 steps an
 * octave, so a quantile is off by 3 % at most.  The caller owns the memory
 * and sets it to zero before use; nothing is allocated.
 */


#ifndef BENCH_HIST_H
#define BENCH_HIST_H


#include <stdint.h>


#define HIST_STEP_BITS  5
#define HIST_STEPS      (1 << HIST_STEP_BITS)
#define HIST_SLOTS      (60 * HIST_STEPS)


typedef struct {
    uint64_t  count;
    uint64_t  max;
    uint64_t  slots[HIST_SLOTS];
} hist_t;


void hist_add(hist_t *h, uint64_t value);

/* the middle of the step that holds the quantile q (0..1); 0 when empty */
uint64_t hist_quantile(const hist_t *h, double q);


#endif /* BENCH_HIST_H */
