/* What was measured, as one JSON object. */


#define _GNU_SOURCE

#include "load.h"

#include <inttypes.h>
#include <stdio.h>


static void load_report_group(group_t *g, double seconds);


void
load_mark(mark_t *mark)
{
    mark->at = load_clock(CLOCK_MONOTONIC);
    mark->own_cpu = load_clock(CLOCK_PROCESS_CPUTIME_ID);
    mark->server_cpu = proc_cpu_ns(load_pid, load_npids);

    if (mark->server_cpu < 0) {
        load_die("a server process is gone", "");
    }
}


void
load_report(const mark_t *from, const mark_t *to)
{
    double    wall, cpu;
    uint64_t  measured, members;
    unsigned  i;

    measured = 0;
    members = 0;

    for (i = 0; i < load_ngroups; i++) {
        measured += load_groups[i].measured;
        members += load_groups[i].rooms * load_groups[i].members;
    }

    wall = (double) (to->at - from->at);
    cpu = (double) (to->server_cpu - from->server_cpu);

    (void) printf("{\"seconds\":%.3f,\"cpu_per_delivery\":%.2f,"
                  "\"server_busy\":%.3f,\"load_busy\":%.3f,"
                  "\"setup_cpu\":%" PRId64 ",\"members\":%" PRIu64
                  ",\"own\":%" PRId64 ",\"shared\":%" PRId64
                  ",\"refused\":%" PRIu64 ",\"gaps\":%" PRIu64
                  ",\"groups\":{",
                  wall / 1e9, measured ? cpu / (double) measured : 0.0,
                  cpu / wall, (double) (to->own_cpu - from->own_cpu) / wall,
                  load_setup, members, load_own, load_shared,
                  load_refused, load_gaps);

    for (i = 0; i < load_ngroups; i++) {
        (void) printf("%s", i ? "," : "");
        load_report_group(&load_groups[i], wall / 1e9);
    }

    (void) printf("}}\n");
}


static void
load_report_group(group_t *g, double seconds)
{
    (void) printf("\"%s\":{\"messages\":%" PRIu64 ",\"deliveries\":%" PRIu64
                  ",\"deliveries_per_second\":%.0f,\"p50\":%.1f,"
                  "\"p99\":%.1f,\"max\":%.1f,\"last_p50\":%.1f,"
                  "\"lost\":%" PRIu64 ",\"repeated\":%" PRIu64
                  ",\"astray\":%" PRIu64 ",\"unordered\":%" PRIu64
                  ",\"stalled\":%" PRIu64 ",\"events\":%" PRIu64 "}",
                  g->name, g->measured_sent, g->measured,
                  (double) g->measured / seconds,
                  (double) hist_quantile(&g->latency, 0.5) / 1e3,
                  (double) hist_quantile(&g->latency, 0.99) / 1e3,
                  (double) g->latency.max / 1e3,
                  (double) hist_quantile(&g->last, 0.5) / 1e3,
                  g->lost, g->repeated, g->astray, g->unordered, g->stalled,
                  g->events);
}
