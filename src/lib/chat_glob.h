
#ifndef _CHAT_GLOB_H_INCLUDED_
#define _CHAT_GLOB_H_INCLUDED_


#include <stddef.h>


/*
 * Whether a pattern matches the whole of a name (1) or not (0): "*" is any
 * number of characters, "?" one, everything else itself.  Both are UTF-8.
 * The time is bounded by the product of both lengths.
 */
int chat_glob(const unsigned char *pattern, size_t len,
    const unsigned char *name, size_t name_len);


#endif /* _CHAT_GLOB_H_INCLUDED_ */
