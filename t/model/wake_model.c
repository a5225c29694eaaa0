
/*
 * Interleavings of those who have news and the worker that is to be woken:
 * src/worker's own code of waking, on an event loop that only sleeps until
 * its descriptor can be read.
 *
 *     wake_model [switches [name]]
 */


#include "cases.h"
#include "ngx_http_chat_notify.h"
#include "ngx_http_chat_deliver.h"
#include "ngx_http_chat_presence.h"


#define WAKE_SLEEPER  2                  /* the worker that is woken */
#define WAKE_NO_ROOM  60                 /* one in which it has nobody */


/* The one worker that sleeps, and what it has. */
static struct {
    ngx_http_chat_worker_t   worker;
    ngx_http_chat_local_t    locals[2];
    ngx_uint_t               news[2];    /* the room is to be looked at */
    ngx_connection_t         wake;
    ngx_event_t              event;
    ngx_event_t              other;
} wake;

static uint32_t       wake_rooms[2];
static uint64_t       wake_epochs[2];
static case_reader_t  wake_readers[2];

ngx_queue_t            ngx_posted_events;
ngx_queue_t            ngx_posted_next_events;
ngx_rbtree_t           ngx_event_timer_rbtree;
ngx_event_actions_t    ngx_event_actions;
ngx_uint_t             ngx_exiting;
sig_atomic_t           ngx_terminate;


/* What src/worker/ngx_http_chat_notify.c calls. */

void
ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
}


void
ngx_rbtree_insert_value(ngx_rbtree_node_t *root, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
}


ngx_connection_t *
ngx_get_connection(ngx_socket_t s, ngx_log_t *log)
{
    wake.wake.read = &wake.event;
    wake.wake.write = &wake.other;
    wake.wake.fd = s;
    wake.event.data = &wake.wake;

    return &wake.wake;
}


void
ngx_free_connection(ngx_connection_t *c)
{
}


static ngx_int_t
wake_add(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
    return NGX_OK;
}


void
ngx_http_chat_deliver_room(ngx_http_chat_local_t *local)
{
    wake.news[local - wake.locals] = 1;
}


void
ngx_http_chat_deliver_trim(ngx_http_chat_zone_t *z)
{
}


void
ngx_http_chat_inbox_wake(ngx_http_chat_zone_t *z, uint32_t room)
{
}


uint32_t
ngx_http_chat_inbox_look(ngx_http_chat_zone_t *z, uint32_t room)
{
    return 0;
}


void
ngx_http_chat_presence_init(ngx_http_chat_zone_t *z)
{
}


void
ngx_http_chat_presence_search(ngx_http_chat_zone_t *z, ngx_msec_t until)
{
}


void
ngx_http_chat_presence_tick(ngx_http_chat_zone_t *z)
{
}


/* One pass of the event loop: the descriptor, what is posted, the members. */

static void
wake_posted(void)
{
    ngx_queue_t  *q;
    ngx_event_t  *ev;

    while (!ngx_queue_empty(&ngx_posted_events)) {
        q = ngx_queue_head(&ngx_posted_events);
        ev = ngx_queue_data(q, ngx_event_t, queue);

        ngx_delete_posted_event(ev);
        ev->handler(ev);
    }
}


static void
wake_deliver(ngx_http_chat_zone_t *z)
{
    uint64_t    seq;
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {

        if (!wake.news[i]) {
            continue;
        }

        wake.news[i] = 0;

        do {
            seq = wake_readers[i].cursor.seq;
            case_read(&wake_readers[i], z);
        } while (wake_readers[i].cursor.seq != seq);
    }
}


static void
wake_loop(ngx_http_chat_zone_t *z)
{
    while (model_sleep()) {
        wake.event.handler(&wake.event);
        wake_posted();
        wake_deliver(z);
    }
}


static void
wake_setup(ngx_http_chat_zone_t *z)
{
    ngx_uint_t              i;
    ngx_array_t             zones;
    ngx_http_chat_local_t  *local;
    ngx_http_chat_zone_t   *sleeper;

    ngx_memzero(&wake, sizeof(wake));

    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);
    ngx_event_actions.add = wake_add;

    sleeper = model_zone(WAKE_SLEEPER);

    wake_rooms[0] = case_join(sleeper, "a", NULL, &wake_epochs[0], NULL);
    wake_rooms[1] = case_join(sleeper, "b", NULL, &wake_epochs[1], NULL);

    /* the worker claims its own slot, as with nobody else there */

    ngx_memzero(&zones, sizeof(ngx_array_t));
    zones.elts = &sleeper;
    zones.nelts = 1;

    sleeper->cycle = &ngx_stub.cycle;
    sleeper->slots[sleeper->slot].pid = 0;

    ngx_pid = MODEL_PID + WAKE_SLEEPER;
    ngx_http_chat_worker_init(&ngx_stub.cycle, &zones);
    ngx_pid = getpid();

    model_must(sleeper->slot == WAKE_SLEEPER + 1);

    /* two rooms, as the whole tree */

    ngx_memcpy(&wake.worker, sleeper->worker, sizeof(ngx_http_chat_worker_t));
    free(sleeper->worker);
    sleeper->worker = &wake.worker;

    ngx_rbtree_init(&wake.worker.rooms, &wake.worker.sentinel,
                    ngx_rbtree_insert_value);
    ngx_rbtree_init(&wake.worker.inboxes, &wake.worker.asleep,
                    ngx_rbtree_insert_value);

    for (i = 0; i < 2; i++) {
        local = &wake.locals[i];

        local->node.key = wake_rooms[i];
        local->node.left = &wake.worker.sentinel;
        local->node.right = &wake.worker.sentinel;

        case_read_from_here(&wake_readers[i], z, wake_rooms[i],
                            wake_epochs[i]);
    }

    wake.worker.rooms.root = &wake.locals[0].node;
    wake.locals[0].node.right = &wake.locals[1].node;

    model_keep(&wake, sizeof(wake));
    model_keep(&ngx_posted_events, sizeof(ngx_queue_t));
    model_keep(&ngx_posted_next_events, sizeof(ngx_queue_t));
    case_start();
}


/* The ring has one place left. */

static void
wake_setup_full(ngx_http_chat_zone_t *z)
{
    ngx_uint_t                i;
    ngx_http_chat_slot_sh_t  *slot;

    wake_setup(z);

    slot = &z->slots[WAKE_SLEEPER + 1];

    for (i = 0; i < NGX_HTTP_CHAT_RING - 1; i++) {
        slot->ring[i] = WAKE_NO_ROOM;
    }

    slot->head = NGX_HTTP_CHAT_RING - 1;
}


/* Appends to a room of one's own, and tells whom the append says. */

static void
wake_say(ngx_http_chat_zone_t *z)
{
    u_char                        text[40];
    ngx_uint_t                    i;
    uint16_t                      slots[NGX_HTTP_CHAT_SLOTS_MAX];
    uint64_t                      number;
    ngx_http_chat_room_append_t   a;

    i = model_worker();
    number = i;

    ngx_memzero(&a, sizeof(ngx_http_chat_room_append_t));
    ngx_memcpy(text, &number, 8);
    shm_text(text + 8, sizeof(text) - 8, number);

    a.entry.head.data = text;
    a.entry.head.len = sizeof(text);
    a.entry.flags = NGX_HTTP_CHAT_ENTRY_TEXT|NGX_HTTP_CHAT_ENTRY_MESSAGE;
    a.retention = &case_keep;
    a.slots = slots;

    model_must(ngx_http_chat_room_append(z, wake_rooms[i], wake_epochs[i], &a)
               == NGX_OK);

    ngx_http_chat_notify(z, wake_rooms[i], slots, a.nslots);
}


static void
wake_say_two(ngx_http_chat_zone_t *z)
{
    wake_say(z);
    wake_say(z);
}


/* Another worker that has news of rooms which the sleeper does not have. */

static void
wake_push(ngx_http_chat_zone_t *z)
{
    uint16_t  slots[1];

    slots[0] = WAKE_SLEEPER + 1;

    ngx_http_chat_notify(z, WAKE_NO_ROOM, slots, 1);
    ngx_http_chat_notify(z, WAKE_NO_ROOM + 1, slots, 1);
}


/* The loop sleeps: it has seen all that was appended, or somebody died, and
 * then its next tick sees it. */

static void
wake_check(ngx_http_chat_zone_t *z)
{
    ngx_uint_t                  i;
    ngx_http_chat_zone_t       *sleeper;
    ngx_http_chat_room_view_t   view;

    if (!model_died(WAKE_SLEEPER)) {
        sleeper = model_zone(WAKE_SLEEPER);

        if (model_deaths()) {
            ngx_pid = MODEL_PID + WAKE_SLEEPER;
            wake.worker.tick.handler(&wake.worker.tick);
            wake_posted();
            wake_deliver(sleeper);
            ngx_pid = getpid();
        }

        for (i = 0; i < 2; i++) {
            model_must(ngx_http_chat_room_view(z, wake_rooms[i],
                                               wake_epochs[i], &view)
                       == NGX_OK);
            model_must(wake_readers[i].cursor.seq == view.next_seq);
            model_must(wake_readers[i].gaps == 0);
        }
    }

    model_settle(z);
}


static const model_case_t  wake_cases[] = {
    { "two tell one",
      wake_setup, { wake_say, wake_say, wake_loop }, wake_check, 2, 1 },
    { "one tells twice, another one of other rooms",
      wake_setup, { wake_say_two, wake_push, wake_loop }, wake_check, 2, 1 },
    { "the ring is full",
      wake_setup_full, { wake_say, wake_say, wake_loop }, wake_check, 1, 1 },
};


int
main(int argc, char **argv)
{
    return case_main(argc, argv, wake_cases,
                     sizeof(wake_cases) / sizeof(wake_cases[0]));
}
