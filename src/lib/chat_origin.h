
/*
 * Origins (RFC 6454): what a browser says of the page that opens a WebSocket,
 * and rules that say which of them may.
 */


#ifndef _CHAT_ORIGIN_H_INCLUDED_
#define _CHAT_ORIGIN_H_INCLUDED_


#include "chat_json.h"


/* "scheme://host:port" in its parts, of which only the host must be there. */
typedef struct {
    chat_str_t    scheme;
    chat_str_t    host;                 /* without a last dot */
    unsigned      port;                 /* 0: not given */
} chat_origin_t;


/* A host, or all below it; with no scheme, by http and https. */
typedef struct {
    chat_origin_t  origin;
    unsigned       suffix:1;            /* the host, with its first dot */
    unsigned       any_port:1;
} chat_origin_rule_t;


/* 1; or 0: it is none.  The parts are the text's. */
int chat_origin_parse(chat_origin_t *o, const unsigned char *text, size_t len);
int chat_origin_rule(chat_origin_rule_t *rule, const unsigned char *text,
    size_t len);

/* 1: the rule has that origin, whose scheme is there. */
int chat_origin_match(const chat_origin_rule_t *rule, const chat_origin_t *o);

/*
 * 1: it is that of the server that was asked, whose Host header's parts are
 * in "host".  tls: by TLS, where its scheme is known to be "https".
 */
int chat_origin_same(const chat_origin_t *host, const chat_origin_t *o,
    int tls);


#endif /* _CHAT_ORIGIN_H_INCLUDED_ */
