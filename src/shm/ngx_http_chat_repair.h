
/*
 * The repair of a zone: what only a look at the whole of it can mend.
 */


#ifndef _NGX_HTTP_CHAT_REPAIR_H_INCLUDED_
#define _NGX_HTTP_CHAT_REPAIR_H_INCLUDED_


#include "ngx_http_chat_zone.h"


/*
 * After a worker has died inside a lock: finds the blocks it had in its hands,
 * and builds the pool and the list of rooms anew from what can be reached.
 * Holds all locks for a time in proportion to the zone.  Returns the number of
 * blocks found, or -1 if there was no memory to do it.
 */
ngx_int_t ngx_http_chat_repair(ngx_http_chat_zone_t *z);


#endif /* _NGX_HTTP_CHAT_REPAIR_H_INCLUDED_ */
