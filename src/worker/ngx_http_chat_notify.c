
#include "ngx_http_chat_notify.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_presence.h"
#include "ngx_http_chat_repair.h"

#if (NGX_HAVE_EVENTFD)
#include <sys/eventfd.h>
#endif


#define NGX_HTTP_CHAT_TICK          1000    /* ms */
#define NGX_HTTP_CHAT_TICK_POLLING  50      /* where there is no descriptor */
#define NGX_HTTP_CHAT_RESCAN_ROOMS  256     /* in one pass */
#define NGX_HTTP_CHAT_SWEEP_PAUSE   900     /* ms, of all workers */
#define NGX_HTTP_CHAT_SWEEP_TURNS   64      /* until all was gone over */


static void ngx_http_chat_worker_start(ngx_cycle_t *cycle,
    ngx_http_chat_zone_t *z);
static void ngx_http_chat_worker_claim(ngx_http_chat_zone_t *z);
static void ngx_http_chat_worker_wake_init(ngx_http_chat_zone_t *z);
static void ngx_http_chat_worker_fd(ngx_http_chat_slot_sh_t *slot,
    ngx_log_t *log);
static void ngx_http_chat_worker_wake_handler(ngx_event_t *rev);
static void ngx_http_chat_worker_pull(ngx_http_chat_zone_t *z);
static void ngx_http_chat_worker_news(ngx_http_chat_zone_t *z, uint32_t room);
static void ngx_http_chat_worker_tick_handler(ngx_event_t *ev);
static void ngx_http_chat_worker_sweep(ngx_http_chat_zone_t *z);
static void ngx_http_chat_worker_bury(ngx_http_chat_zone_t *z);
static void ngx_http_chat_worker_alarm(ngx_http_chat_zone_t *z);
static void ngx_http_chat_worker_rescan_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_chat_worker_rescan(ngx_http_chat_zone_t *z);
static void ngx_http_chat_worker_write(ngx_http_chat_slot_sh_t *slot);
static ngx_rbtree_node_t *ngx_http_chat_worker_next(
    ngx_http_chat_worker_t *worker, ngx_rbtree_key_t key);


void
ngx_http_chat_worker_outdate(ngx_cycle_t *cycle, void *tag)
{
    ngx_uint_t             i;
    ngx_shm_zone_t        *shm_zone;
    ngx_list_part_t       *part;
    ngx_http_chat_zone_t  *z;

    for (part = &cycle->old_cycle->shared_memory.part;
         part;
         part = part->next)
    {
        shm_zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            z = shm_zone[i].data;

            if (shm_zone[i].tag == tag && z && z->sh) {
                (void) ngx_atomic_fetch_add(&z->sh->generation, 1);
            }
        }
    }
}


void
ngx_http_chat_worker_master_init(ngx_cycle_t *cycle, ngx_array_t *zones)
{
    ngx_uint_t              i, n;
    ngx_http_chat_zone_t  **z;

    z = zones->elts;

    for (i = 0; i < zones->nelts; i++) {

        z[i]->generation = ngx_atomic_fetch_add(&z[i]->sh->generation, 1) + 1;

        if (z[i]->generation != 1) {

            /*
             * One made now would be missing in the workers that are there, or
             * be another thing of theirs, and they would write to it.
             */

            continue;
        }

        for (n = 0; n < z[i]->sh->nslots; n++) {

            ngx_http_chat_worker_fd(&z[i]->slots[n], cycle->log);

            if (z[i]->slots[n].fd[0] == -1) {
                /* logged once; those workers look by a timer */
                break;
            }
        }
    }
}


static void
ngx_http_chat_worker_fd(ngx_http_chat_slot_sh_t *slot, ngx_log_t *log)
{
#if (NGX_HAVE_EVENTFD)

    int  fd;

    fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "eventfd() failed, chat workers look for each other's "
                      "messages every %d ms instead of being woken",
                      NGX_HTTP_CHAT_TICK_POLLING);
        return;
    }

    slot->fd[0] = fd;
    slot->fd[1] = fd;

#else

    ngx_uint_t    i;
    ngx_socket_t  fd[2];

    if (pipe(fd) == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "pipe() failed, chat workers look for each other's "
                      "messages every %d ms instead of being woken",
                      NGX_HTTP_CHAT_TICK_POLLING);
        return;
    }

    for (i = 0; i < 2; i++) {
        if (ngx_nonblocking(fd[i]) == -1
            || fcntl(fd[i], F_SETFD, FD_CLOEXEC) == -1)
        {
            ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                          "fcntl() of a chat worker's pipe failed");
            (void) close(fd[0]);
            (void) close(fd[1]);
            return;
        }
    }

    slot->fd[0] = fd[0];
    slot->fd[1] = fd[1];

#endif
}


void
ngx_http_chat_worker_init(ngx_cycle_t *cycle, ngx_array_t *zones)
{
    ngx_uint_t              i;
    ngx_http_chat_zone_t  **z;

    z = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        ngx_http_chat_worker_start(cycle, z[i]);
    }
}


static void
ngx_http_chat_worker_start(ngx_cycle_t *cycle, ngx_http_chat_zone_t *z)
{
    ngx_http_chat_worker_t  *worker;

    worker = ngx_pcalloc(cycle->pool, sizeof(ngx_http_chat_worker_t));
    if (worker == NULL) {
        /* logged; without a slot no session is taken */
        return;
    }

    ngx_rbtree_init(&worker->rooms, &worker->sentinel,
                    ngx_rbtree_insert_value);
    ngx_rbtree_init(&worker->inboxes, &worker->asleep,
                    ngx_rbtree_insert_value);

    worker->tick.handler = ngx_http_chat_worker_tick_handler;
    worker->tick.data = z;
    worker->tick.log = cycle->log;
    worker->tick.cancelable = 1;

    worker->rescan.handler = ngx_http_chat_worker_rescan_handler;
    worker->rescan.data = z;
    worker->rescan.log = cycle->log;

    z->worker = worker;

    ngx_http_chat_presence_init(z);

    ngx_http_chat_worker_claim(z);
    ngx_http_chat_worker_bury(z);

    ngx_add_timer(&worker->tick, worker->wake ? NGX_HTTP_CHAT_TICK
                                              : NGX_HTTP_CHAT_TICK_POLLING);
}


static void
ngx_http_chat_worker_claim(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  slot, dead;

    dead = 0;
    slot = ngx_http_chat_zone_claim(z, &dead);

    if (slot == NGX_HTTP_CHAT_NO_SLOT) {
        return;
    }

    if (dead) {
        ngx_http_chat_room_reap(z, slot, NGX_HTTP_CHAT_PRESENCE_REAP);
        ngx_http_chat_presence_search(z, NGX_HTTP_CHAT_PRESENCE_REAP);
        ngx_http_chat_worker_alarm(z);
    }

    z->slot = slot;

    ngx_http_chat_worker_wake_init(z);
}


static void
ngx_http_chat_worker_wake_init(ngx_http_chat_zone_t *z)
{
    ngx_event_t              *rev;
    ngx_connection_t         *c;
    ngx_http_chat_worker_t   *worker;
    ngx_http_chat_slot_sh_t  *slot;

    worker = z->worker;
    slot = &z->slots[z->slot];

    if (slot->fd[0] == -1) {
        return;
    }

    c = ngx_get_connection((ngx_socket_t) slot->fd[0], ngx_cycle->log);
    if (c == NULL) {
        return;
    }

    c->data = z;
    c->log = ngx_cycle->log;

    rev = c->read;
    rev->log = ngx_cycle->log;
    rev->handler = ngx_http_chat_worker_wake_handler;

    /* as nginx's own channel: not a client's, not closed at a shutdown */

    rev->channel = 1;
    c->write->channel = 1;

    if (ngx_add_event(rev, NGX_READ_EVENT, 0) == NGX_ERROR) {
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
        return;
    }

    worker->wake = c;

    /* what was told between the claim and now */

    ngx_http_chat_worker_pull(z);
}


void
ngx_http_chat_worker_exit(ngx_array_t *zones)
{
    ngx_uint_t               i;
    ngx_connection_t        *c;
    ngx_http_chat_zone_t   **z;
    ngx_http_chat_worker_t  *worker;

    z = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        worker = z[i]->worker;

        if (worker == NULL || z[i]->slot == NGX_HTTP_CHAT_NO_SLOT) {
            continue;
        }

        c = worker->wake;

        if (c) {
            ngx_free_connection(c);
            c->fd = (ngx_socket_t) -1;
            worker->wake = NULL;
        }

        /* after a fast shutdown there are members left */

        ngx_http_chat_room_reap(z[i], z[i]->slot, NGX_HTTP_CHAT_PRESENCE_REAP);
        ngx_http_chat_zone_release(z[i], z[i]->slot);

        z[i]->slot = NGX_HTTP_CHAT_NO_SLOT;

        if (worker->departures.root != &worker->departed
            || worker->rooms.root != &worker->sentinel
            || worker->inboxes.root != &worker->asleep)
        {
            /* others are to say who has left */
            ngx_http_chat_worker_alarm(z[i]);
        }
    }
}


void
ngx_http_chat_notify(ngx_http_chat_zone_t *z, uint32_t room, uint16_t *slots,
    ngx_uint_t nslots)
{
    ngx_uint_t  i;

    for (i = 0; i < nslots; i++) {

        if (slots[i] == z->slot) {
            ngx_http_chat_worker_news(z, room);
            continue;
        }

        if (ngx_http_chat_zone_push(z, slots[i], room)) {
            ngx_http_chat_worker_write(&z->slots[slots[i]]);
        }
    }
}


static void
ngx_http_chat_worker_news(ngx_http_chat_zone_t *z, uint32_t room)
{
    ngx_http_chat_local_t  *local;

    local = ngx_http_chat_worker_room(z, room);

    if (local) {
        ngx_http_chat_deliver_room(local);
    }

    if (local == NULL || local->inbox) {
        ngx_http_chat_inbox_wake(z, room);
    }
}


static void
ngx_http_chat_worker_write(ngx_http_chat_slot_sh_t *slot)
{
    uint64_t  one;

    if (slot->fd[1] == -1) {
        return;
    }

    one = 1;

    if (write((int) slot->fd[1], &one, sizeof(one)) == -1
        && ngx_errno != NGX_EAGAIN)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "waking a chat worker failed, it will look by itself");
    }
}


static void
ngx_http_chat_worker_wake_handler(ngx_event_t *rev)
{
    u_char                    buf[512];
    ngx_connection_t         *c;
    ngx_http_chat_zone_t     *z;

    c = rev->data;
    z = c->data;

    if (c->close) {
        return;
    }

    /* level-triggered: what is not read now makes another event */

    if (ngx_read_fd(c->fd, buf, sizeof(buf)) == -1
        && ngx_errno != NGX_EAGAIN)
    {
        ngx_log_error(NGX_LOG_ERR, rev->log, ngx_errno,
                      "reading a chat worker's descriptor failed");
    }

    ngx_http_chat_worker_pull(z);
}


/* All rooms that this worker was told of. */

static void
ngx_http_chat_worker_pull(ngx_http_chat_zone_t *z)
{
    uint32_t                  room;
    ngx_http_chat_worker_t   *worker;
    ngx_http_chat_slot_sh_t  *slot;

    slot = &z->slots[z->slot];

    /* from here on whoever has news writes to the descriptor again */

    slot->signaled = 0;
    ngx_memory_barrier();

    for ( ;; ) {
        room = ngx_http_chat_zone_pull(z, z->slot);
        if (room == 0) {
            break;
        }

        ngx_http_chat_worker_news(z, room);
    }

    if (slot->rescan) {
        slot->rescan = 0;

        worker = z->worker;
        worker->rescan_key = 0;
        worker->rescan_inbox = 0;

        ngx_http_chat_presence_search(z, 0);

        if (!worker->rescan.posted) {
            ngx_post_event(&worker->rescan, &ngx_posted_events);
        }
    }
}


static void
ngx_http_chat_worker_tick_handler(ngx_event_t *ev)
{
    ngx_int_t                found;
    ngx_http_chat_zone_t    *z;
    ngx_http_chat_worker_t  *worker;

    z = ev->data;
    worker = z->worker;

    if (ngx_terminate || ngx_exiting) {

        if (worker->rooms.root == &worker->sentinel
            && worker->inboxes.root == &worker->asleep)
        {
            return;
        }
    }

    if (z->slot == NGX_HTTP_CHAT_NO_SLOT) {
        ngx_http_chat_worker_claim(z);
    }

    if (z->slot != NGX_HTTP_CHAT_NO_SLOT) {
        ngx_http_chat_worker_bury(z);

        /* a wake-up may have been lost with the one who owed it */

        ngx_http_chat_worker_pull(z);
        ngx_http_chat_worker_sweep(z);
    }

    if (z->sh->leaks) {
        found = ngx_http_chat_repair(z);

        ngx_log_error(NGX_LOG_WARN, ev->log, 0,
                      "chat_zone \"%V\" was repaired after a worker had died "
                      "inside a lock, %i blocks were found",
                      &z->name, found);

        /* rooms that began anew have no residents who would be told of it */

        ngx_http_chat_worker_alarm(z);
    }

    ngx_http_chat_deliver_trim(z);

    ngx_add_timer(ev, worker->wake ? NGX_HTTP_CHAT_TICK
                                   : NGX_HTTP_CHAT_TICK_POLLING);
}


/* One worker a second looks after what nobody comes for. */

static void
ngx_http_chat_worker_sweep(ngx_http_chat_zone_t *z)
{
    ngx_atomic_uint_t  swept;

    swept = z->sh->swept;

    if (ngx_current_msec - swept < NGX_HTTP_CHAT_SWEEP_PAUSE
        || !ngx_atomic_cmp_set(&z->sh->swept, swept, ngx_current_msec))
    {
        return;
    }

    ngx_http_chat_room_sweep(z, z->sh->nbuckets / NGX_HTTP_CHAT_SWEEP_TURNS
                                + 1);
    ngx_http_chat_presence_tick(z);
}


/* Takes the members of workers that have died out of their rooms. */

static void
ngx_http_chat_worker_bury(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  slot, n;

    for (n = 0; /* void */ ; n++) {
        slot = ngx_http_chat_zone_find_dead(z);

        if (slot == NGX_HTTP_CHAT_NO_SLOT) {
            break;
        }

        ngx_http_chat_room_reap(z, slot, NGX_HTTP_CHAT_PRESENCE_REAP);
        ngx_http_chat_zone_release(z, slot);
    }

    if (n) {
        ngx_http_chat_presence_search(z, NGX_HTTP_CHAT_PRESENCE_REAP);
        ngx_http_chat_worker_alarm(z);
    }
}


/*
 * A dead worker may have appended and told nobody: every worker looks at all
 * of its rooms.
 */

static void
ngx_http_chat_worker_alarm(ngx_http_chat_zone_t *z)
{
    ngx_uint_t  i;

    for (i = 0; i < z->sh->nslots; i++) {

        if (z->slots[i].pid == 0) {
            continue;
        }

        z->slots[i].rescan = 1;

        ngx_memory_barrier();

        ngx_http_chat_worker_write(&z->slots[i]);
    }
}


/* Looks at all rooms, for news that nobody told of, some in each pass. */

static void
ngx_http_chat_worker_rescan_handler(ngx_event_t *ev)
{
    ngx_uint_t  n;

    for (n = 0; n < NGX_HTTP_CHAT_RESCAN_ROOMS; n++) {

        if (!ngx_http_chat_worker_rescan(ev->data)) {
            return;
        }
    }

    ngx_post_event(ev, &ngx_posted_next_events);
}


/* The next room, or the next inbox asleep; 0: there are no more. */

static ngx_uint_t
ngx_http_chat_worker_rescan(ngx_http_chat_zone_t *z)
{
    uint32_t                 room;
    ngx_rbtree_node_t       *node;
    ngx_http_chat_worker_t  *worker;

    worker = z->worker;

    node = ngx_http_chat_worker_next(worker, worker->rescan_key);

    if (node) {
        worker->rescan_key = (uint32_t) node->key + 1;

        /* there may be no news: then the walk over its members is short */

        ngx_http_chat_deliver_room((ngx_http_chat_local_t *) node);

        return 1;
    }

    room = ngx_http_chat_inbox_look(z, worker->rescan_inbox);

    if (room == 0) {
        return 0;
    }

    worker->rescan_inbox = room + 1;

    return 1;
}


/* The room with the least index that is not below key. */

static ngx_rbtree_node_t *
ngx_http_chat_worker_next(ngx_http_chat_worker_t *worker, ngx_rbtree_key_t key)
{
    ngx_rbtree_node_t  *node, *found;

    found = NULL;
    node = worker->rooms.root;

    while (node != &worker->sentinel) {

        if (node->key < key) {
            node = node->right;
            continue;
        }

        found = node;
        node = node->left;
    }

    return found;
}


ngx_http_chat_local_t *
ngx_http_chat_worker_room(ngx_http_chat_zone_t *z, uint32_t room)
{
    ngx_rbtree_node_t       *node;
    ngx_http_chat_worker_t  *worker;

    worker = z->worker;
    node = worker->rooms.root;

    while (node != &worker->sentinel) {

        if (room == node->key) {
            return (ngx_http_chat_local_t *) node;
        }

        node = (room < node->key) ? node->left : node->right;
    }

    return NULL;
}
