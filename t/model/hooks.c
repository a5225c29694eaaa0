
/*
 * What the compiler calls at each access to memory, in code compiled with
 * -fsanitize=thread.  The sanitizer's own library is not linked.
 */


#include "model.h"


#define hook_from()  __builtin_return_address(0)

#define hook_access(n)                                                        \
                                                                              \
    void __tsan_read##n(void *p);                                             \
    void __tsan_write##n(void *p);                                            \
    void __tsan_unaligned_read##n(void *p);                                   \
    void __tsan_unaligned_write##n(void *p);                                  \
                                                                              \
    void __tsan_read##n(void *p)                                              \
    {                                                                         \
        model_access(p, n, 0, hook_from());                                   \
    }                                                                         \
                                                                              \
    void __tsan_write##n(void *p)                                             \
    {                                                                         \
        model_access(p, n, 1, hook_from());                                   \
    }                                                                         \
                                                                              \
    void __tsan_unaligned_read##n(void *p)                                    \
    {                                                                         \
        model_access(p, n, 0, hook_from());                                   \
    }                                                                         \
                                                                              \
    void __tsan_unaligned_write##n(void *p)                                   \
    {                                                                         \
        model_access(p, n, 1, hook_from());                                   \
    }


void model_access(void *p, size_t size, ngx_uint_t write, void *from);
ngx_atomic_uint_t model_swap(ngx_atomic_t *p, ngx_atomic_uint_t old,
    ngx_atomic_uint_t set, void *from);
ngx_atomic_uint_t model_add(ngx_atomic_t *p, ngx_atomic_uint_t n, void *from);

void __tsan_init(void);
void __tsan_func_entry(void *pc);
void __tsan_func_exit(void);
void __tsan_read_range(void *p, unsigned long n);
void __tsan_write_range(void *p, unsigned long n);
void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);

ngx_atomic_uint_t __tsan_atomic64_compare_exchange_val(ngx_atomic_t *p,
    ngx_atomic_uint_t old, ngx_atomic_uint_t set, int order, int failure);
int __tsan_atomic64_compare_exchange_strong(ngx_atomic_t *p,
    ngx_atomic_uint_t *old, ngx_atomic_uint_t set, int order, int failure);
ngx_atomic_uint_t __tsan_atomic64_fetch_add(ngx_atomic_t *p,
    ngx_atomic_uint_t n, int order);

void *__wrap_memcpy(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);
void *__wrap_memset(void *to, int c, size_t n);
int __wrap_memcmp(const void *a, const void *b, size_t n);
void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__real_memset(void *to, int c, size_t n);
int __real_memcmp(const void *a, const void *b, size_t n);


hook_access(1)
hook_access(2)
hook_access(4)
hook_access(8)
hook_access(16)


void
__tsan_init(void)
{
}


void
__tsan_func_entry(void *pc)
{
}


void
__tsan_func_exit(void)
{
}


void
__tsan_atomic_thread_fence(int order)
{
}


void
__tsan_atomic_signal_fence(int order)
{
}


void
__tsan_read_range(void *p, unsigned long n)
{
    model_access(p, n, 0, hook_from());
}


void
__tsan_write_range(void *p, unsigned long n)
{
    model_access(p, n, 1, hook_from());
}


ngx_atomic_uint_t
__tsan_atomic64_compare_exchange_val(ngx_atomic_t *p, ngx_atomic_uint_t old,
    ngx_atomic_uint_t set, int order, int failure)
{
    return model_swap(p, old, set, hook_from());
}


int
__tsan_atomic64_compare_exchange_strong(ngx_atomic_t *p,
    ngx_atomic_uint_t *old, ngx_atomic_uint_t set, int order, int failure)
{
    ngx_atomic_uint_t  was, wanted;

    wanted = *old;
    was = model_swap(p, wanted, set, hook_from());
    *old = was;

    return was == wanted;
}


ngx_atomic_uint_t
__tsan_atomic64_fetch_add(ngx_atomic_t *p, ngx_atomic_uint_t n, int order)
{
    return model_add(p, n, hook_from());
}


/* Done in two halves: who dies, or is put aside, may have done one. */

void *
__wrap_memcpy(void *to, const void *from, size_t n)
{
    size_t  half;

    half = n / 2;

    model_access((void *) from, half, 0, hook_from());
    model_access(to, half, 1, hook_from());
    (void) __real_memcpy(to, from, half);

    model_access((u_char *) from + half, n - half, 0, hook_from());
    model_access((u_char *) to + half, n - half, 1, hook_from());
    (void) __real_memcpy((u_char *) to + half, (u_char *) from + half,
                         n - half);

    return to;
}


void *
__wrap_memmove(void *to, const void *from, size_t n)
{
    model_access((void *) from, n, 0, hook_from());
    model_access(to, n, 1, hook_from());

    return __real_memmove(to, from, n);
}


void *
__wrap_memset(void *to, int c, size_t n)
{
    model_access(to, n / 2, 1, hook_from());
    (void) __real_memset(to, c, n / 2);

    model_access((u_char *) to + n / 2, n - n / 2, 1, hook_from());
    (void) __real_memset((u_char *) to + n / 2, c, n - n / 2);

    return to;
}


int
__wrap_memcmp(const void *a, const void *b, size_t n)
{
    model_access((void *) a, n, 0, hook_from());
    model_access((void *) b, n, 0, hook_from());

    return __real_memcmp(a, b, n);
}
