#include "proc.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>


static int64_t
proc_thread_ns(pid_t pid, const char *thread)
{
    int       n;
    FILE     *f;
    char      path[128];
    uint64_t  ns;

    (void) snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat",
                    (int) pid, thread);

    f = fopen(path, "r");
    if (f == NULL) {
        return -1;
    }

    n = fscanf(f, "%" SCNu64, &ns);
    (void) fclose(f);

    return (n == 1) ? (int64_t) ns : -1;
}


static int64_t
proc_process_ns(pid_t pid)
{
    DIR            *dir;
    char            path[64];
    int64_t         sum, ns;
    struct dirent  *entry;

    (void) snprintf(path, sizeof(path), "/proc/%d/task", (int) pid);

    dir = opendir(path);
    if (dir == NULL) {
        return -1;
    }

    sum = 0;

    while ((entry = readdir(dir)) != NULL) {

        if (entry->d_name[0] == '.') {
            continue;
        }

        ns = proc_thread_ns(pid, entry->d_name);

        /* a thread may end between the listing and the reading */

        if (ns > 0) {
            sum += ns;
        }
    }

    (void) closedir(dir);

    return sum;
}


int64_t
proc_cpu_ns(const pid_t *pids, unsigned n)
{
    int64_t   sum, ns;
    unsigned  i;

    sum = 0;

    for (i = 0; i < n; i++) {
        ns = proc_process_ns(pids[i]);

        if (ns < 0) {
            return -1;
        }

        sum += ns;
    }

    return sum;
}


int
proc_memory(proc_memory_t *memory, const pid_t *pids, unsigned n)
{
    FILE     *f;
    char      line[256];
    uint64_t  kb;
    unsigned  i;

    memory->own = 0;
    memory->shared = 0;

    for (i = 0; i < n; i++) {
        (void) snprintf(line, sizeof(line), "/proc/%d/smaps_rollup",
                        (int) pids[i]);

        f = fopen(line, "r");
        if (f == NULL) {
            return -1;
        }

        while (fgets(line, sizeof(line), f) != NULL) {

            if (sscanf(line, "Pss_Anon: %" SCNu64, &kb) == 1) {
                memory->own += (int64_t) kb * 1024;

            } else if (sscanf(line, "Pss_Shmem: %" SCNu64, &kb) == 1) {
                memory->shared += (int64_t) kb * 1024;
            }
        }

        (void) fclose(f);
    }

    return 0;
}
