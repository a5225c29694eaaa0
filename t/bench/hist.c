#include "hist.h"


void
hist_add(hist_t *h, uint64_t value)
{
    unsigned  slot, octave;

    if (value < HIST_STEPS) {
        slot = (unsigned) value;

    } else {
        octave = 63 - (unsigned) __builtin_clzll(value) - HIST_STEP_BITS;
        slot = (octave + 1) * HIST_STEPS
               + (unsigned) ((value >> octave) - HIST_STEPS);
    }

    h->slots[slot]++;
    h->count++;

    if (value > h->max) {
        h->max = value;
    }
}


uint64_t
hist_quantile(const hist_t *h, double q)
{
    uint64_t  below, wanted, low;
    unsigned  slot, octave;

    if (h->count == 0) {
        return 0;
    }

    below = 0;
    wanted = (uint64_t) (q * (double) (h->count - 1)) + 1;

    for (slot = 0; slot < HIST_SLOTS - 1; slot++) {
        below += h->slots[slot];

        if (below >= wanted) {
            break;
        }
    }

    if (slot < HIST_STEPS) {
        return slot;
    }

    octave = slot / HIST_STEPS - 1;
    low = (uint64_t) (HIST_STEPS + slot % HIST_STEPS) << octave;

    return low + (((uint64_t) 1 << octave) >> 1);
}
