
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "shm_step_kit.h"


#define STEP_STUCK  60                   /* seconds */


static const char           *step_name;
static ngx_uint_t            step_steps;
static ngx_uint_t            step_states;
static volatile ngx_uint_t  *step_done;


static void
step_stuck(int signo)
{
    printf("Bail out! stuck in \"%s\", step %u\n", step_name,
           (unsigned) step_steps);
    (void) fflush(stdout);
    _exit(EXIT_FAILURE);
}


void
step_start(void)
{
    (void) signal(SIGALRM, step_stuck);

    step_done = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED,
                     -1, 0);
    if (step_done == MAP_FAILED) {
        exit(EXIT_FAILURE);
    }
}


void
step_alarm(const char *name)
{
    step_name = name;
    step_steps = 0;

    (void) alarm(STEP_STUCK * (unsigned) shm_slowness());
}


/* Some containers forbid it, and valgrind would be stepped itself. */

ngx_uint_t
step_possible(void)
{
    int    status;
    pid_t  pid;

    if (shm_slowness() > 1) {
        return 0;
    }

    pid = fork();

    if (pid == 0) {
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
    }

    return waitpid(pid, &status, 0) == pid && status == 0;
}


static pid_t
step_child(ngx_http_chat_zone_t *z, const step_t *step)
{
    pid_t  pid;

    *step_done = 0;

    pid = fork();

    if (pid == 0) {
        (void) alarm(0);

        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(EXIT_FAILURE);
        }

        ngx_pid = NGX_STUB_DEAD;

        (void) raise(SIGSTOP);

        step->run(z);
        *step_done = 1;

        for ( ;; ) {
            (void) pause();
        }
    }

    return pid;
}


static void
step_all(ngx_http_chat_zone_t *z, const step_t *step, pid_t pid, u_char *last)
{
    int         status;
    ngx_uint_t  changes;

    changes = 0;

    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)
           && !*step_done && !test_state()->failed)
    {
        step_steps++;

        if (ngx_memcmp(last, z->sh, shm_zone_size(z)) != 0) {
            ngx_memcpy(last, z->sh, shm_zone_size(z));

            if (step->stride == 0
                || changes++ % step->stride == step->stride / 2)
            {
                step_states++;
                step->state(z, last);
            }
        }

        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0) {
            break;
        }
    }

    test_ok(*step_done);

    if (test_state()->failed) {
        printf("# \"%s\" fails at step %u\n", step->name,
               (unsigned) step_steps);
    }
}


void
step_run(ngx_http_chat_zone_t *z, const step_t *step)
{
    pid_t    pid;
    u_char  *last;

    step_states = 0;

    last = test_copy(z->sh, shm_zone_size(z));

    pid = step_child(z, step);

    if (pid > 0) {
        step_all(z, step, pid, last);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
    }

    test_ok(pid > 0);

    /* the operation was one: something was there to be interrupted */

    test_ok(step_states > 2);

    printf("# %s: %u steps, %u states\n", step->name, (unsigned) step_steps,
           (unsigned) step_states);

    free(last);
}
