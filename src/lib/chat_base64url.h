
#ifndef _CHAT_BASE64URL_H_INCLUDED_
#define _CHAT_BASE64URL_H_INCLUDED_


#include <stddef.h>


/*
 * base64url without padding (RFC 7515 2), in its only spelling: bits that are
 * left over must be 0.  out has room for len * 3 / 4 bytes.  -1: it is none.
 */
long chat_base64url(unsigned char *out, const unsigned char *in, size_t len);


#endif /* _CHAT_BASE64URL_H_INCLUDED_ */
