
/*
 * Read in front of each file of src/shm: waiting for a lock takes no time
 * here, and nobody else runs meanwhile.
 */


#ifndef _CHAT_QUICK_H_INCLUDED_
#define _CHAT_QUICK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#undef ngx_cpu_pause
#define ngx_cpu_pause()


#endif /* _CHAT_QUICK_H_INCLUDED_ */
