/*
 * A WebSocket client connection.  link_open() connects and shakes hands
 * while it blocks; afterwards the socket does not block and the caller has
 * it in its epoll, level-triggered, and calls link_read() when it is
 * readable.  What came in the same packet as the handshake's answer is kept
 * in the link: call link_feed() once after link_open().
 *
 * All links of a process share one receive buffer; a link has memory of its
 * own only while it holds a part of a frame.
 */


#ifndef BENCH_LINK_H
#define BENCH_LINK_H


#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <openssl/ssl.h>


typedef struct link_s  link_t;

/* called for each text or binary message; p is valid during the call */
typedef void (*link_message_pt)(link_t *l, const unsigned char *p, size_t n);

struct link_s {
    int             fd;
    uint32_t        rest_size;
    unsigned char  *rest;
    SSL            *ssl;
};


typedef struct {
    struct sockaddr_in   to;
    in_addr_t            from;       /* network byte order */
    const char          *target;
    const char          *protocol;   /* a subprotocol to offer, or NULL */
    SSL_CTX             *tls;        /* or NULL */
} link_to_t;


/* 0, or -1 with the reason in link_error */
int link_open(link_t *l, const link_to_t *to);

/* 0, or -1 when the connection is at its end */
int link_read(link_t *l, link_message_pt handler);
int link_feed(link_t *l, link_message_pt handler);

/* 0; 1 when the socket's buffer is full and nothing was sent; -1 */
int link_send(link_t *l, const char *text, size_t n);

void link_close(link_t *l);

extern const char  *link_error;


#endif /* BENCH_LINK_H */
