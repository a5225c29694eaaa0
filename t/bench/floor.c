/*
 * The floor: what a broadcast over WebSocket costs on bare sockets.  It
 * reads a message and sends one prepared frame to each member of the room,
 * which is named by the whole request target.  There are no checks, pings,
 * history or limits: nothing that a server needs is here but the sends.
 *
 *     floor -p PORT [-b] [-s MEMBERS] [-t THREADS]
 *
 * plain: each message at once, one send a member.  With -b: everything that
 * is readable in an epoll round is read first, then one send a member has
 * it all.  With -s: a walk stops after so many members and the event loop
 * runs in between.  With -t: threads with an epoll and a listening socket
 * each; every message passes a queue of each thread.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>


#define FLOOR_THREADS  16
#define FLOOR_EVENTS   512
#define FLOOR_BUFFER   (256 * 1024)
#define FLOOR_HEAD     10
#define FLOOR_BUCKETS  4096
#define FLOOR_TARGET   256
#define FLOOR_GUID     "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

#ifndef FLOOR_FAULT
#define FLOOR_FAULT    0
#endif


typedef struct room_s    room_t;
typedef struct job_s     job_t;
typedef struct local_s   local_t;
typedef struct thread_s  thread_t;


/* bytes for all members of a room, and how far the walk has come */

struct job_s {
    job_t          *next;
    local_t        *local;
    size_t          size;
    size_t          allocated;
    uint32_t        position;
    unsigned char  *data;
};


/* a room in one thread */

struct local_s {
    int            *members;
    uint32_t        count;
    uint32_t        allocated;
    job_t          *first;
    job_t          *last;
    local_t        *next;          /* of those with jobs */
    unsigned        active:1;
};


struct room_s {
    char            target[FLOOR_TARGET];
    room_t         *next;
    local_t         local[FLOOR_THREADS];
};


typedef struct {
    int             fd;
    room_t         *room;          /* NULL before the handshake */
    size_t          rest_size;
    unsigned char  *rest;
} conn_t;


struct thread_s {
    unsigned         number;
    int              epoll;
    int              listen;
    int              wakeup;
    unsigned         asleep;
    local_t         *active;
    local_t        **active_last;
    job_t           *queue;        /* under the mutex of all queues */
    job_t          **queue_last;
    pthread_t        thread;
    unsigned char    buffer[FLOOR_BUFFER];
    unsigned char    frame[FLOOR_HEAD + FLOOR_BUFFER];
};


static void floor_thread_init(thread_t *t, unsigned number);
static int floor_listen(void);
static void floor_watch(thread_t *t, int fd, void *data);
static void *floor_thread(void *data);
static int floor_sleep(thread_t *t);
static void floor_accept(thread_t *t);
static void floor_read(thread_t *t, conn_t *c);
static size_t floor_handshake(thread_t *t, conn_t *c, size_t n);
static int floor_answer(conn_t *c, const char *key, size_t n);
static void floor_join(thread_t *t, conn_t *c);
static room_t *floor_room(const char *target, size_t n);
static size_t floor_frame(thread_t *t, conn_t *c, unsigned char *p, size_t n);
static void floor_message(thread_t *t, room_t *room, unsigned char *frame,
    size_t n);
static void floor_queue(thread_t *t, room_t *room, const unsigned char *p,
    size_t n);
static void floor_unqueue(thread_t *t);
static void floor_deliver(thread_t *t, local_t *local,
    const unsigned char *p, size_t n);
static void floor_walk(thread_t *t);
static job_t *floor_job(local_t *local, size_t n);
static void floor_plain(int fd, const unsigned char *p, size_t n);
static void floor_send(int fd, const unsigned char *p, size_t n);
static void floor_close(thread_t *t, conn_t *c);
static void *floor_alloc(void *p, size_t n);
static void floor_die(const char *what);


static int              floor_port;
static int              floor_batch;
static uint32_t         floor_slice;
static unsigned         floor_nthreads = 1;

static thread_t        *floor_threads;
static room_t          *floor_rooms[FLOOR_BUCKETS];
static pthread_mutex_t  floor_rooms_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t  floor_queue_mutex = PTHREAD_MUTEX_INITIALIZER;


int
main(int argc, char **argv)
{
    int            opt;
    unsigned       i;
    struct rlimit  limit;

    (void) signal(SIGPIPE, SIG_IGN);

    while ((opt = getopt(argc, argv, "p:bs:t:")) != -1) {

        switch (opt) {

        case 'p':
            floor_port = (int) strtol(optarg, NULL, 10);
            break;

        case 'b':
            floor_batch = 1;
            break;

        case 's':
            floor_slice = (uint32_t) strtoul(optarg, NULL, 10);
            break;

        case 't':
            floor_nthreads = (unsigned) strtoul(optarg, NULL, 10);
            break;

        default:
            return 2;
        }
    }

    if (floor_port <= 0 || floor_port > 65535
        || floor_nthreads == 0 || floor_nthreads > FLOOR_THREADS)
    {
        (void) fprintf(stderr, "usage: floor -p PORT [-b] [-s MEMBERS]"
                               " [-t THREADS]\n");
        return 2;
    }

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }

    floor_threads = floor_alloc(NULL, floor_nthreads * sizeof(thread_t));

    for (i = 0; i < floor_nthreads; i++) {
        floor_thread_init(&floor_threads[i], i);
    }

    for (i = 1; i < floor_nthreads; i++) {
        if (pthread_create(&floor_threads[i].thread, NULL, floor_thread,
                           &floor_threads[i])
            != 0)
        {
            floor_die("pthread_create() failed");
        }
    }

    (void) floor_thread(&floor_threads[0]);

    return 0;
}


static void
floor_thread_init(thread_t *t, unsigned number)
{
    memset(t, 0, sizeof(thread_t));

    t->number = number;
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    t->listen = floor_listen();
    t->wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    t->active_last = &t->active;
    t->queue_last = &t->queue;

    if (t->epoll == -1 || t->wakeup == -1) {
        floor_die("no descriptors");
    }

    floor_watch(t, t->listen, &t->listen);
    floor_watch(t, t->wakeup, &t->wakeup);
}


static int
floor_listen(void)
{
    int                 fd, on;
    struct sockaddr_in  sin;

    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        floor_die("socket() failed");
    }

    on = 1;
    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons((uint16_t) floor_port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (bind(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || listen(fd, 4096) == -1)
    {
        floor_die("cannot listen");
    }

    return fd;
}


static void
floor_watch(thread_t *t, int fd, void *data)
{
    struct epoll_event  ee;

    ee.events = EPOLLIN;
    ee.data.ptr = data;

    if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &ee) == -1) {
        floor_die("epoll_ctl() failed");
    }
}


static void *
floor_thread(void *data)
{
    int                 i, n;
    uint64_t            count;
    thread_t           *t;
    struct epoll_event  events[FLOOR_EVENTS];

    t = data;

    for ( ;; ) {
        n = epoll_wait(t->epoll, events, FLOOR_EVENTS, floor_sleep(t));

        __atomic_store_n(&t->asleep, 0, __ATOMIC_SEQ_CST);

        for (i = 0; i < n; i++) {

            if (events[i].data.ptr == &t->listen) {
                floor_accept(t);

            } else if (events[i].data.ptr == &t->wakeup) {
                (void) !read(t->wakeup, &count, sizeof(count));

            } else {
                floor_read(t, events[i].data.ptr);
            }
        }

        if (floor_nthreads > 1) {
            floor_unqueue(t);
        }

        floor_walk(t);
    }

    return NULL;
}


/* the timeout for epoll: a thread with work to do only looks */

static int
floor_sleep(thread_t *t)
{
    if (t->active != NULL) {
        return 0;
    }

    if (floor_nthreads == 1) {
        return -1;
    }

    __atomic_store_n(&t->asleep, 1, __ATOMIC_SEQ_CST);

    return (__atomic_load_n(&t->queue, __ATOMIC_SEQ_CST) != NULL) ? 0 : -1;
}


static void
floor_accept(thread_t *t)
{
    int      fd, on;
    conn_t  *c;

    for ( ;; ) {
        fd = accept4(t->listen, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd == -1) {
            return;
        }

        on = 1;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

        c = floor_alloc(NULL, sizeof(conn_t));
        memset(c, 0, sizeof(conn_t));
        c->fd = fd;

        floor_watch(t, fd, c);
    }
}


static void
floor_read(thread_t *t, conn_t *c)
{
    size_t          size, used;
    ssize_t         n;
    unsigned char  *p;

    p = t->buffer;
    size = c->rest_size;
    memcpy(p, c->rest, size);

    n = recv(c->fd, p + size, FLOOR_BUFFER - size, 0);

    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) {
            floor_close(t, c);
        }

        return;
    }

    size += (size_t) n;

    if (c->room == NULL) {
        used = floor_handshake(t, c, size);

        if (c->room == NULL) {
            used = 0;
        }

        p += used;
        size -= used;
    }

    while (c->room != NULL && size > 0) {
        used = floor_frame(t, c, p, size);

        if (used == 0) {
            break;
        }

        p += used;
        size -= used;
    }

    if (size > 0) {
        c->rest = floor_alloc(c->rest, size);
        memcpy(c->rest, p, size);
    }

    c->rest_size = size;
}


static size_t
floor_handshake(thread_t *t, conn_t *c, size_t n)
{
    char  *p, *end, *key, *target;

    p = (char *) t->buffer;

    end = memmem(p, n, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }

    *end = '\0';

    key = strcasestr(p, "\r\nSec-WebSocket-Key: ");
    target = strchr(p, ' ');

    if (key == NULL || target == NULL) {
        return 0;
    }

    key += sizeof("\r\nSec-WebSocket-Key: ") - 1;
    target++;

    if (floor_answer(c, key, strcspn(key, "\r ")) != 0) {
        return 0;
    }

    c->room = floor_room(target, strcspn(target, " "));
    floor_join(t, c);

    return (size_t) (end + 4 - p);
}


static int
floor_answer(conn_t *c, const char *key, size_t n)
{
    int            size;
    char           text[256];
    unsigned       length;
    unsigned char  digest[EVP_MAX_MD_SIZE], accept[64];

    size = snprintf(text, sizeof(text), "%.*s" FLOOR_GUID,
                    (n < 64) ? (int) n : 64, key);

    if (EVP_Digest(text, (size_t) size, digest, &length, EVP_sha1(), NULL)
        != 1)
    {
        return -1;
    }

    (void) EVP_EncodeBlock(accept, digest, (int) length);

    size = snprintf(text, sizeof(text),
                    "HTTP/1.1 101 Switching Protocols\r\n"
                    "Upgrade: websocket\r\n"
                    "Connection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: %s\r\n\r\n", accept);

    floor_send(c->fd, (unsigned char *) text, (size_t) size);

    return 0;
}


static void
floor_join(thread_t *t, conn_t *c)
{
    local_t  *local;

    local = &c->room->local[t->number];

    if (local->count == local->allocated) {
        local->allocated = local->allocated ? local->allocated * 2 : 16;
        local->members = floor_alloc(local->members,
                                     local->allocated * sizeof(int));
    }

    local->members[local->count++] = c->fd;
}


static room_t *
floor_room(const char *target, size_t n)
{
    size_t    i;
    room_t   *room, **bucket;
    uint32_t  hash;

    hash = 0;

    for (i = 0; i < n; i++) {
        hash = hash * 31 + (unsigned char) target[i];
    }

    if (n >= FLOOR_TARGET) {
        floor_die("too long a request target");
    }

    (void) pthread_mutex_lock(&floor_rooms_mutex);

    bucket = &floor_rooms[hash % FLOOR_BUCKETS];

    for (room = *bucket; room != NULL; room = room->next) {
        if (strncmp(room->target, target, n) == 0
            && room->target[n] == '\0')
        {
            break;
        }
    }

    if (room == NULL) {
        room = floor_alloc(NULL, sizeof(room_t));
        memset(room, 0, sizeof(room_t));
        memcpy(room->target, target, n);
        room->next = *bucket;
        *bucket = room;
    }

    (void) pthread_mutex_unlock(&floor_rooms_mutex);

    return room;
}


/* one frame of a client: how many bytes it has, 0 when it is not complete */

static size_t
floor_frame(thread_t *t, conn_t *c, unsigned char *p, size_t n)
{
    size_t          head, size, i;
    unsigned char  *mask, *frame;

    if (n < 2) {
        return 0;
    }

    size = p[1] & 0x7f;
    head = (size == 126) ? 4 : (size == 127) ? 10 : 2;

    if (n < head + 4) {
        return 0;
    }

    if (head > 2) {
        for (size = 0, i = 2; i < head; i++) {
            size = (size << 8) | p[i];
        }
    }

    if (size > FLOOR_BUFFER - head - 4) {
        errno = EMSGSIZE;
        floor_die("too large a frame");
    }

    if (n < head + 4 + size) {
        return 0;
    }

    mask = p + head;
    frame = t->frame;

    memcpy(frame, p, head);
    frame[1] &= 0x7f;

    for (i = 0; i < size; i++) {
        frame[head + i] = mask[4 + i] ^ mask[i & 3];
    }

    if ((p[0] & 0x0f) == 1 || (p[0] & 0x0f) == 2) {
        floor_message(t, c->room, frame, head + size);
    }

    return head + 4 + size;
}


static void
floor_message(thread_t *t, room_t *room, unsigned char *frame, size_t n)
{
    if (floor_nthreads > 1) {
        floor_queue(t, room, frame, n);

    } else {
        floor_deliver(t, &room->local[0], frame, n);
    }
}


/* all queues get a message under one lock: one order for all members */

static void
floor_queue(thread_t *t, room_t *room, const unsigned char *p, size_t n)
{
    job_t     *job;
    uint64_t   one;
    unsigned   i;
    thread_t  *other;

    one = 1;

    (void) pthread_mutex_lock(&floor_queue_mutex);

    for (i = 0; i < floor_nthreads; i++) {
        other = &floor_threads[i];

        job = floor_job(&room->local[i], n);
        memcpy(job->data, p, n);
        job->size = n;

        __atomic_store_n(other->queue_last, job, __ATOMIC_SEQ_CST);
        other->queue_last = &job->next;
    }

    (void) pthread_mutex_unlock(&floor_queue_mutex);

    for (i = 0; i < floor_nthreads; i++) {
        other = &floor_threads[i];

        if (other != t
            && __atomic_exchange_n(&other->asleep, 0, __ATOMIC_SEQ_CST))
        {
            (void) !write(other->wakeup, &one, sizeof(one));
        }
    }
}


static void
floor_unqueue(thread_t *t)
{
    job_t  *job, *next;

    (void) pthread_mutex_lock(&floor_queue_mutex);

    job = t->queue;
    t->queue = NULL;
    t->queue_last = &t->queue;

    (void) pthread_mutex_unlock(&floor_queue_mutex);

    for ( /* void */ ; job != NULL; job = next) {
        next = job->next;

        floor_deliver(t, job->local, job->data, job->size);

        free(job->data);
        free(job);
    }
}


static void
floor_deliver(thread_t *t, local_t *local, const unsigned char *p, size_t n)
{
    job_t     *job;
    uint32_t   i;

    if (!floor_batch && floor_slice == 0) {

        for (i = 0; i < local->count; i++) {
            floor_plain(local->members[i], p, n);
        }

        return;
    }

    job = local->last;

    if (!floor_batch || job == NULL || job->position > 0) {
        job = floor_job(local, n);

        if (local->last != NULL) {
            local->last->next = job;

        } else {
            local->first = job;
        }

        local->last = job;
    }

    if (job->allocated - job->size < n) {
        job->allocated = 2 * (job->size + n);
        job->data = floor_alloc(job->data, job->allocated);
    }

    memcpy(job->data + job->size, p, n);
    job->size += n;

    if (!local->active) {
        local->active = 1;
        local->next = NULL;
        *t->active_last = local;
        t->active_last = &local->next;
    }
}


/* one slice of each room that has something to send */

static void
floor_walk(thread_t *t)
{
    job_t     *job;
    local_t   *local, **link;
    uint32_t   last;

    link = &t->active;

    while ((local = *link) != NULL) {
        job = local->first;

        last = local->count;

        if (floor_slice > 0 && last > job->position + floor_slice) {
            last = job->position + floor_slice;
        }

        while (job->position < last) {
            floor_send(local->members[job->position++], job->data, job->size);
        }

        if (job->position < local->count) {
            link = &local->next;
            continue;
        }

        local->first = job->next;

        free(job->data);
        free(job);

        if (local->first != NULL) {
            link = &local->next;
            continue;
        }

        local->last = NULL;
        local->active = 0;
        *link = local->next;
    }

    t->active_last = link;
}


static job_t *
floor_job(local_t *local, size_t n)
{
    job_t  *job;

    job = floor_alloc(NULL, sizeof(job_t));
    memset(job, 0, sizeof(job_t));

    job->local = local;
    job->allocated = n;
    job->data = floor_alloc(NULL, n);

    return job;
}


/*
 * FLOOR_FAULT makes every 500th send go wrong, for the test of the load
 * generator's checks: 1 drops it, 2 repeats it, 3 sends it after the next
 * one to that member, 4 sends it to the member next in number.
 */

static void
floor_plain(int fd, const unsigned char *p, size_t n)
{
#if (FLOOR_FAULT)

    static int            held;
    static size_t         held_size;
    static uint64_t       count;
    static unsigned char  held_data[FLOOR_HEAD + 1024];

    if (++count % 500 == 0) {

        switch (FLOOR_FAULT) {

        case 1:
            return;

        case 2:
            floor_send(fd, p, n);
            break;

        case 3:
            if (held == 0 && n <= sizeof(held_data)) {
                memcpy(held_data, p, n);
                held = fd;
                held_size = n;
                return;
            }

            break;

        default:
            fd++;
        }
    }

    floor_send(fd, p, n);

    if (held == fd) {
        floor_send(fd, held_data, held_size);
        held = 0;
    }

#else

    floor_send(fd, p, n);

#endif
}


/* a full socket is waited for: nothing is dropped and nothing is kept */

static void
floor_send(int fd, const unsigned char *p, size_t n)
{
    ssize_t        sent;
    struct pollfd  pfd;

    while (n > 0) {
        sent = send(fd, p, n, MSG_NOSIGNAL);

        if (sent >= 0) {
            p += sent;
            n -= (size_t) sent;
            continue;
        }

        if (errno != EAGAIN) {
            return;
        }

        pfd.fd = fd;
        pfd.events = POLLOUT;

        (void) poll(&pfd, 1, -1);
    }
}


static void
floor_close(thread_t *t, conn_t *c)
{
    local_t   *local;
    uint32_t   i;

    if (c->room != NULL) {
        local = &c->room->local[t->number];

        for (i = 0; i < local->count; i++) {

            if (local->members[i] == c->fd) {
                local->members[i] = local->members[--local->count];
                break;
            }
        }
    }

    (void) close(c->fd);
    free(c->rest);
    free(c);
}


static void *
floor_alloc(void *p, size_t n)
{
    p = realloc(p, n);

    if (p == NULL) {
        floor_die("no memory");
    }

    return p;
}


static void
floor_die(const char *what)
{
    (void) fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}
