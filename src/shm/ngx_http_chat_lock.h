
/*
 * A lock that lies in shared memory and outlives its holder.
 *
 * The word is 0 or the holder's pid.  Who waits spins a little, then yields,
 * and from time to time asks whether the holder still lives: if not, it takes
 * the lock over.  What such a lock guards must therefore be valid after each
 * single store of its holder; blocks of memory may at worst be lost, and are
 * found again by ngx_http_chat_repair().
 */


#ifndef _NGX_HTTP_CHAT_LOCK_H_INCLUDED_
#define _NGX_HTTP_CHAT_LOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* 64 bytes: no two locks share a cache line. */
typedef struct {
    ngx_atomic_t  word;
    u_char        pad[64 - sizeof(ngx_atomic_t)];
} ngx_http_chat_lock_t;


/* Returns 1 if the lock was taken from a dead holder, 0 otherwise.  Not
 * recursive. */
ngx_uint_t ngx_http_chat_lock(ngx_http_chat_lock_t *lock);
void ngx_http_chat_unlock(ngx_http_chat_lock_t *lock);

/* 1: a process with that pid exists.  0 is nobody. */
ngx_uint_t ngx_http_chat_pid_alive(ngx_pid_t pid);


#endif /* _NGX_HTTP_CHAT_LOCK_H_INCLUDED_ */
