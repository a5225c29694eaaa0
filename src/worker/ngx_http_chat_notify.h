
/*
 * The worker's own state, and how workers wake each other.
 *
 * The master makes a descriptor (an eventfd, elsewhere a pipe) for each of a
 * zone's slots, once, so that every generation of workers inherits them all.
 * A worker claims a slot when it starts.  Publishing puts the room on the ring
 * of each worker with members there, and writes to its descriptor only if
 * nobody has done so since it last looked.
 */


#ifndef _NGX_HTTP_CHAT_NOTIFY_H_INCLUDED_
#define _NGX_HTTP_CHAT_NOTIFY_H_INCLUDED_


#include "ngx_http_chat_session.h"


/* This worker's part of a zone; zone->worker. */
typedef struct {
    ngx_rbtree_t               rooms;      /* ngx_http_chat_local_t */
    ngx_rbtree_node_t          sentinel;
    ngx_rbtree_t               inboxes;    /* ngx_http_chat_inbox_t, asleep */
    ngx_rbtree_node_t          asleep;     /* their sentinel */
    ngx_rbtree_t               departures; /* of presence.c, by time */
    ngx_rbtree_node_t          departed;   /* its sentinel */
    ngx_event_t                depart;     /* the next one's timer */
    ngx_event_t                search;     /* for the dead's departures */
    uint32_t                   due;        /* bucket, see room_due() */
    ngx_msec_t                 until;      /* the search is on, if searching */
    unsigned                   searching:1;
    ngx_connection_t          *wake;       /* the descriptor's, or NULL */
    ngx_event_t                tick;
    ngx_event_t                rescan;     /* goes on over the rooms */
    uint32_t                   rescan_key; /* from there */
    uint32_t                   rescan_inbox; /* likewise, of those asleep */
} ngx_http_chat_worker_t;


/*
 * From init_module, first: tells the workers of the former configuration that
 * there is a new one, so that they know a reload from the end; also those
 * whose zone has another size now, or is gone.  tag is the zones'.
 */
void ngx_http_chat_worker_outdate(ngx_cycle_t *cycle, void *tag);

/* From init_module: makes the descriptors.  zones: ngx_http_chat_zone_t *. */
void ngx_http_chat_worker_master_init(ngx_cycle_t *cycle, ngx_array_t *zones);

/* From init_process and exit_process.  Never fail: a worker that gets no slot
 * refuses sessions, says so in the log, and tries again each second. */
void ngx_http_chat_worker_init(ngx_cycle_t *cycle, ngx_array_t *zones);
void ngx_http_chat_worker_exit(ngx_array_t *zones);

/* Tells these workers, this one among them maybe, of news in a room. */
void ngx_http_chat_notify(ngx_http_chat_zone_t *z, uint32_t room,
    uint16_t *slots, ngx_uint_t nslots);

/* This worker's view of a room, or NULL. */
ngx_http_chat_local_t *ngx_http_chat_worker_room(ngx_http_chat_zone_t *z,
    uint32_t room);

/* Writes at most this often, in ms, what clients can repeat. */
#define NGX_HTTP_CHAT_LOG_PAUSE  1000


#endif /* _NGX_HTTP_CHAT_NOTIFY_H_INCLUDED_ */
