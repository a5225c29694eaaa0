#define _GNU_SOURCE

#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>


#define LINK_BUFFER     (1024 * 1024)
#define LINK_SEND_MAX   2048
#define LINK_TIMEOUT    20

/* the key and its answer are the example of RFC 6455, 1.3 */

#define LINK_KEY        "dGhlIHNhbXBsZSBub25jZQ=="
#define LINK_ACCEPT     "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define LINK_TEXT       1
#define LINK_BINARY     2
#define LINK_CLOSE      8
#define LINK_PING       9
#define LINK_PONG       10


static int link_connect(link_t *l, const link_to_t *to);
static int link_tls(link_t *l, SSL_CTX *ctx);
static int link_request(link_t *l, const link_to_t *to);
static int link_response(link_t *l);
static int link_parse(link_t *l, size_t n, link_message_pt handler);
static size_t link_frame(const unsigned char *p, size_t n, size_t *head);
static int link_control(link_t *l, int op, const unsigned char *p, size_t n);
static int link_keep(link_t *l, const unsigned char *p, size_t n);
static int link_send_frame(link_t *l, int op, const void *data, size_t n);
static ssize_t link_recv(link_t *l, void *buf, size_t n);
static ssize_t link_write(link_t *l, const void *buf, size_t n);


const char            *link_error = "";

static unsigned char   link_buffer[LINK_BUFFER];


int
link_open(link_t *l, const link_to_t *to)
{
    int             flags;
    struct timeval  none;

    if (link_connect(l, to) != 0) {
        return -1;
    }

    if (to->tls != NULL && link_tls(l, to->tls) != 0) {
        link_close(l);
        return -1;
    }

    if (link_request(l, to) != 0 || link_response(l) != 0) {
        link_close(l);
        return -1;
    }

    memset(&none, 0, sizeof(none));
    (void) setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
    (void) setsockopt(l->fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));

    flags = fcntl(l->fd, F_GETFL);

    if (flags == -1 || fcntl(l->fd, F_SETFL, flags | O_NONBLOCK) == -1) {
        link_error = "fcntl() failed";
        link_close(l);
        return -1;
    }

    return 0;
}


static int
link_connect(link_t *l, const link_to_t *to)
{
    int                 on;
    struct timeval      timeout;
    struct sockaddr_in  from;

    memset(l, 0, sizeof(link_t));

    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd == -1) {
        link_error = "socket() failed";
        return -1;
    }

    on = 1;
    timeout.tv_sec = LINK_TIMEOUT;
    timeout.tv_usec = 0;

    (void) setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void) setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
                      sizeof(on));
    (void) setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
                      sizeof(timeout));
    (void) setsockopt(l->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
                      sizeof(timeout));

    memset(&from, 0, sizeof(from));
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = to->from;

    if (bind(l->fd, (struct sockaddr *) &from, sizeof(from)) == -1
        || connect(l->fd, (const struct sockaddr *) &to->to, sizeof(to->to))
           == -1)
    {
        link_error = "cannot connect";
        link_close(l);
        return -1;
    }

    return 0;
}


static int
link_tls(link_t *l, SSL_CTX *ctx)
{
    l->ssl = SSL_new(ctx);

    if (l->ssl == NULL
        || SSL_set_fd(l->ssl, l->fd) != 1
        || SSL_connect(l->ssl) != 1)
    {
        link_error = "TLS handshake failed";
        return -1;
    }

    return 0;
}


static int
link_request(link_t *l, const link_to_t *to)
{
    int   n;
    char  request[1024];

    n = snprintf(request, sizeof(request),
                 "GET %s HTTP/1.1\r\n"
                 "Host: localhost\r\n"
                 "Upgrade: websocket\r\n"
                 "Connection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: " LINK_KEY "\r\n"
                 "%s%s%s\r\n",
                 to->target,
                 to->protocol ? "Sec-WebSocket-Protocol: " : "",
                 to->protocol ? to->protocol : "",
                 to->protocol ? "\r\n" : "");

    if (n >= (int) sizeof(request)) {
        link_error = "the request target is too long";
        return -1;
    }

    if (link_write(l, request, (size_t) n) != n) {
        link_error = "cannot send the handshake";
        return -1;
    }

    return 0;
}


static int
link_response(link_t *l)
{
    char     *end, *p;
    size_t    size;
    ssize_t   n;

    size = 0;
    p = (char *) link_buffer;

    for ( ;; ) {
        n = link_recv(l, p + size, 65536 - size - 1);
        if (n <= 0) {
            link_error = "no answer to the handshake";
            return -1;
        }

        size += (size_t) n;
        p[size] = '\0';

        end = strstr(p, "\r\n\r\n");
        if (end != NULL) {
            break;
        }
    }

    if (strncmp(p, "HTTP/1.1 101 ", 13) != 0) {
        p[strcspn(p, "\r\n")] = '\0';
        link_error = p;
        return -1;
    }

    if (memmem(p, (size_t) (end - p), LINK_ACCEPT, sizeof(LINK_ACCEPT) - 1)
        == NULL)
    {
        link_error = "wrong Sec-WebSocket-Accept";
        return -1;
    }

    end += 4;

    return link_keep(l, (unsigned char *) end, size - (size_t) (end - p));
}


int
link_read(link_t *l, link_message_pt handler)
{
    size_t   have;
    ssize_t  n;

    have = l->rest_size;

    if (have > 0) {
        memcpy(link_buffer, l->rest, have);
    }

    n = link_recv(l, link_buffer + have, LINK_BUFFER - have);

    if (n > 0) {
        return link_parse(l, have + (size_t) n, handler);
    }

    if (n == -1 && errno == EAGAIN) {
        return 0;
    }

    link_error = "closed by the server";
    return -1;
}


int
link_feed(link_t *l, link_message_pt handler)
{
    if (l->rest_size == 0) {
        return 0;
    }

    memcpy(link_buffer, l->rest, l->rest_size);

    return link_parse(l, l->rest_size, handler);
}


static int
link_parse(link_t *l, size_t n, link_message_pt handler)
{
    int                   op;
    size_t                head, size;
    const unsigned char  *p, *last;

    p = link_buffer;
    last = p + n;

    for ( ;; ) {
        size = link_frame(p, (size_t) (last - p), &head);

        if (size == 0) {
            break;
        }

        op = p[0] & 0x0f;

        if (op == LINK_TEXT || op == LINK_BINARY) {

            if (!(p[0] & 0x80)) {
                link_error = "fragmented message";
                return -1;
            }

            handler(l, p + head, size - head);

        } else if (link_control(l, op, p + head, size - head) != 0) {
            return -1;
        }

        p += size;
    }

    if (p == link_buffer && n == LINK_BUFFER) {
        link_error = "too large a frame";
        return -1;
    }

    return link_keep(l, p, (size_t) (last - p));
}


/* the whole frame's size, 0 when it is not complete */

static size_t
link_frame(const unsigned char *p, size_t n, size_t *head)
{
    size_t    size;
    unsigned  i;

    if (n < 2) {
        return 0;
    }

    size = p[1] & 0x7f;
    *head = 2;

    if (size == 126) {
        *head = 4;

    } else if (size == 127) {
        *head = 10;
    }

    if (n < *head) {
        return 0;
    }

    if (*head > 2) {
        size = 0;

        for (i = 2; i < *head; i++) {
            size = (size << 8) | p[i];
        }
    }

    return (size <= n - *head) ? *head + size : 0;
}


static int
link_control(link_t *l, int op, const unsigned char *p, size_t n)
{
    switch (op) {

    case LINK_PING:
        return (link_send_frame(l, LINK_PONG, p, n) < 0) ? -1 : 0;

    case LINK_PONG:
        return 0;

    case LINK_CLOSE:
        link_error = "close frame from the server";
        return -1;

    default:
        link_error = "unexpected opcode";
        return -1;
    }
}


static int
link_keep(link_t *l, const unsigned char *p, size_t n)
{
    unsigned char  *rest;

    if (n == 0) {
        free(l->rest);
        l->rest = NULL;
        l->rest_size = 0;
        return 0;
    }

    rest = malloc(n);
    if (rest == NULL) {
        link_error = "no memory";
        return -1;
    }

    memcpy(rest, p, n);
    free(l->rest);

    l->rest = rest;
    l->rest_size = (uint32_t) n;

    return 0;
}


int
link_send(link_t *l, const char *text, size_t n)
{
    return link_send_frame(l, LINK_TEXT, text, n);
}


static int
link_send_frame(link_t *l, int op, const void *data, size_t n)
{
    size_t                i;
    ssize_t               sent;
    unsigned char        *p;
    unsigned char         frame[LINK_SEND_MAX + 8];
    const unsigned char  *payload;

    static const unsigned char  mask[4] = { 0x5a, 0xc3, 0x3c, 0xa5 };

    if (n > LINK_SEND_MAX) {
        link_error = "too long a message";
        return -1;
    }

    p = frame;
    *p++ = (unsigned char) (0x80 | op);

    if (n < 126) {
        *p++ = (unsigned char) (0x80 | n);

    } else {
        *p++ = 0x80 | 126;
        *p++ = (unsigned char) (n >> 8);
        *p++ = (unsigned char) n;
    }

    memcpy(p, mask, 4);
    p += 4;

    payload = data;

    for (i = 0; i < n; i++) {
        p[i] = payload[i] ^ mask[i & 3];
    }

    n += (size_t) (p - frame);
    sent = link_write(l, frame, n);

    if (sent == (ssize_t) n) {
        return 0;
    }

    if (sent == -1 && errno == EAGAIN) {
        return 1;
    }

    link_error = "cannot send";
    return -1;
}


void
link_close(link_t *l)
{
    if (l->ssl != NULL) {
        SSL_free(l->ssl);
        l->ssl = NULL;
    }

    if (l->fd != -1) {
        (void) close(l->fd);
        l->fd = -1;
    }

    free(l->rest);
    l->rest = NULL;
    l->rest_size = 0;
}


/* one TLS record at a time would leave others unseen by epoll */

static ssize_t
link_recv(link_t *l, void *buf, size_t n)
{
    int     rc;
    size_t  got;

    if (l->ssl == NULL) {
        return recv(l->fd, buf, n, 0);
    }

    got = 0;

    do {
        rc = SSL_read(l->ssl, (char *) buf + got, (int) (n - got));

        if (rc <= 0) {
            break;
        }

        got += (size_t) rc;

    } while (SSL_pending(l->ssl) > 0 && got < n);

    if (got > 0) {
        return (ssize_t) got;
    }

    if (SSL_get_error(l->ssl, rc) == SSL_ERROR_WANT_READ) {
        errno = EAGAIN;
        return -1;
    }

    return 0;
}


static ssize_t
link_write(link_t *l, const void *buf, size_t n)
{
    if (l->ssl == NULL) {
        return send(l->fd, buf, n, MSG_NOSIGNAL);
    }

    return SSL_write(l->ssl, buf, (int) n);
}
