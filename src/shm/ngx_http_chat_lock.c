
#include "ngx_http_chat_lock.h"


#define NGX_HTTP_CHAT_LOCK_SPINS   1024     /* pauses before a yield, at most */
#define NGX_HTTP_CHAT_LOCK_YIELDS  64       /* yields between two looks */


static ngx_uint_t ngx_http_chat_lock_spin(ngx_http_chat_lock_t *lock);


ngx_uint_t
ngx_http_chat_lock(ngx_http_chat_lock_t *lock)
{
    ngx_uint_t         n;
    ngx_atomic_uint_t  holder;

    if (ngx_atomic_cmp_set(&lock->word, 0, (ngx_atomic_uint_t) ngx_pid)) {
        return 0;
    }

    for (n = 1; /* void */ ; n++) {

        if (ngx_http_chat_lock_spin(lock)) {
            return 0;
        }

        ngx_sched_yield();

        if (n % NGX_HTTP_CHAT_LOCK_YIELDS != 0) {
            continue;
        }

        holder = lock->word;

        /*
         * A holder with our own pid is a dead one too: the lock is not
         * recursive, so it was an earlier process that had this number.
         */

        if (holder == 0
            || (holder != (ngx_atomic_uint_t) ngx_pid
                && ngx_http_chat_pid_alive((ngx_pid_t) holder)))
        {
            continue;
        }

        if (ngx_atomic_cmp_set(&lock->word, holder,
                               (ngx_atomic_uint_t) ngx_pid))
        {
            return 1;
        }
    }
}


static ngx_uint_t
ngx_http_chat_lock_spin(ngx_http_chat_lock_t *lock)
{
    ngx_uint_t  i, n;

    for (n = 1; n <= NGX_HTTP_CHAT_LOCK_SPINS; n <<= 1) {

        for (i = 0; i < n; i++) {
            ngx_cpu_pause();
        }

        if (lock->word == 0
            && ngx_atomic_cmp_set(&lock->word, 0, (ngx_atomic_uint_t) ngx_pid))
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_chat_unlock(ngx_http_chat_lock_t *lock)
{
    ngx_memory_barrier();

    lock->word = 0;
}


ngx_uint_t
ngx_http_chat_pid_alive(ngx_pid_t pid)
{
    if (pid == 0) {
        return 0;
    }

    return (kill(pid, 0) == 0 || ngx_errno != NGX_ESRCH);
}
