
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"
#include "ngx_http_chat_join.h"
#include "ngx_http_chat_rights.h"


#define NGX_HTTP_CHAT_AUTHORIZE_TIMEOUT  10000
#define NGX_HTTP_CHAT_AUTHORIZE_SLACK    1000    /* ms, of the pause over it */
#define NGX_HTTP_CHAT_AUTHORIZE_KEPT     10000   /* answers, a worker */
#define NGX_HTTP_CHAT_AUTHORIZE_TOLD     512     /* bytes, of what it said */


/* A session that waits for an answer. */
typedef struct {
    ngx_queue_t                queue;
    ngx_http_chat_session_t   *session;
    ngx_http_chat_ask_t       *ask;
    void                      *waiting;    /* the join */
    ngx_event_t                event;      /* it has waited long enough */
    ngx_msec_t                 held;       /* by a rate, until then */
    ngx_http_chat_admission_t  how;        /* role: that was given, or NONE */
    ngx_msec_t                 valid;      /* to be kept so long */
    ngx_str_t                  room;
    ngx_str_t                  key;
} ngx_http_chat_authorization_t;


/* An answer that is kept. */
typedef struct {
    ngx_str_node_t             node;
    ngx_queue_t                queue;      /* the oldest is the last */
    ngx_msec_t                 expires;
    ngx_http_chat_admission_t  how;        /* likewise */
    ngx_uint_t                 allowed;
} ngx_http_chat_authorized_t;


/* A header of the answer.  ERROR: its value is none. */
typedef struct {
    ngx_str_t                  name;
    ngx_int_t                (*parse)(ngx_http_chat_admission_t *how,
                                   ngx_str_t *value);
    const char                *expected;
} ngx_http_chat_authorize_header_t;


static ngx_int_t ngx_http_chat_authorize_key(ngx_http_chat_session_t *s,
    ngx_http_chat_act_t *act, ngx_pool_t *pool, ngx_str_t *key);
static ngx_int_t ngx_http_chat_authorize_ask(ngx_http_chat_session_t *s,
    ngx_http_chat_act_t *act, ngx_str_t *key, void *waiting);
static void ngx_http_chat_authorize_answer(void *data, ngx_uint_t status,
    ngx_http_request_t *r);
static void ngx_http_chat_authorize_failed(ngx_http_chat_authorization_t *a,
    ngx_err_t err, const char *fmt, ...);
static ngx_int_t ngx_http_chat_authorize_headers(
    ngx_http_chat_authorization_t *a, ngx_http_request_t *r);
static ngx_int_t ngx_http_chat_authorize_header(
    ngx_http_chat_authorization_t *a, ngx_table_elt_t *h, ngx_uint_t *given);
static ngx_int_t ngx_http_chat_authorize_role(ngx_http_chat_admission_t *how,
    ngx_str_t *value);
static ngx_int_t ngx_http_chat_authorize_rate(ngx_http_chat_admission_t *how,
    ngx_str_t *value);
static ngx_int_t ngx_http_chat_authorize_burst(ngx_http_chat_admission_t *how,
    ngx_str_t *value);
static ngx_int_t ngx_http_chat_authorize_size(ngx_http_chat_admission_t *how,
    ngx_str_t *value);
static void ngx_http_chat_authorize_timeout(ngx_event_t *ev);
static void ngx_http_chat_authorize_reply(ngx_http_chat_authorization_t *a,
    ngx_int_t rc);
static void ngx_http_chat_authorize_free(ngx_http_chat_authorization_t *a);
static ngx_http_chat_authorized_t *ngx_http_chat_authorize_find(
    ngx_str_t *key);
static void ngx_http_chat_authorize_keep(ngx_http_chat_authorization_t *a,
    ngx_uint_t allowed);
static void ngx_http_chat_authorize_drop(ngx_http_chat_authorized_t *kept);


static const ngx_http_chat_authorize_header_t
    ngx_http_chat_authorize_known[] =
{
    { ngx_string("X-Chat-Role"), ngx_http_chat_authorize_role,
      "\"member\", \"moderator\" or \"owner\"" },

    { ngx_string("X-Chat-Rate"), ngx_http_chat_authorize_rate,
      "\"off\", 0, or a number from 1 to 1000000 with \"r/s\" or \"r/m\" "
      "behind" },

    { ngx_string("X-Chat-Burst"), ngx_http_chat_authorize_burst,
      "a number from 1 to 6000" },

    { ngx_string("X-Chat-Message-Size"), ngx_http_chat_authorize_size,
      "a size of at least 1" },

    { ngx_null_string, NULL, NULL }
};


/* The worker's. */

static struct {
    ngx_queue_t        asked;
    ngx_queue_t        kept;
    ngx_uint_t         nkept;
    ngx_rbtree_t       tree;
    ngx_rbtree_node_t  sentinel;
} ngx_http_chat_authorizations;


ngx_int_t
ngx_http_chat_authorize(ngx_http_chat_session_t *s, ngx_str_t *room,
    ngx_http_chat_admission_t *how, void *waiting)
{
    ngx_int_t                    rc;
    ngx_str_t                    key;
    ngx_pool_t                  *pool;
    ngx_http_chat_act_t          act;
    ngx_http_chat_authorized_t  *kept;

    if (ngx_http_chat_authorizations.asked.next == NULL) {
        ngx_queue_init(&ngx_http_chat_authorizations.asked);
        ngx_queue_init(&ngx_http_chat_authorizations.kept);
        ngx_rbtree_init(&ngx_http_chat_authorizations.tree,
                        &ngx_http_chat_authorizations.sentinel,
                        ngx_str_rbtree_insert_value);
    }

    act.room = *room;
    act.role = s->role;

    pool = ngx_create_pool(1024, s->connection->log);
    if (pool == NULL) {
        return NGX_BUSY;
    }

    rc = NGX_BUSY;

    if (ngx_http_chat_authorize_key(s, &act, pool, &key) == NGX_OK) {

        kept = waiting ? NULL : ngx_http_chat_authorize_find(&key);

        if (kept) {
            *how = kept->how;
            how->role = how->role ? how->role : s->role;
            rc = kept->allowed ? NGX_OK : NGX_DECLINED;

        } else {
            rc = waiting ? ngx_http_chat_authorize_ask(s, &act, &key, waiting)
                         : NGX_AGAIN;
        }
    }

    ngx_destroy_pool(pool);

    return rc;
}


/*
 * Of which location, who, and where; or what is configured, and where.  What
 * is configured and empty says nobody: no answer is theirs.
 */

static ngx_int_t
ngx_http_chat_authorize_key(ngx_http_chat_session_t *s,
    ngx_http_chat_act_t *act, ngx_pool_t *pool, ngx_str_t *key)
{
    u_char                    *p;
    ngx_str_t                  who;
    ngx_http_request_t        *r;
    ngx_http_chat_loc_conf_t  *chcf;

    chcf = s->conf;

    who.data = ngx_http_chat_session_user(s);
    who.len = s->user_len;

    if (chcf->access.key) {
        r = ngx_http_chat_act_request(s, act, pool);

        if (r == NULL
            || ngx_http_complex_value(r, chcf->access.key, &who) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (who.len == 0) {
            ngx_str_set(key, "");
            return NGX_OK;
        }
    }

    key->data = ngx_pnalloc(pool, sizeof(void *) + who.len + act->room.len
                                  + 1);
    if (key->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(key->data, &chcf, sizeof(void *));
    p = ngx_cpymem(p, act->room.data, act->room.len);
    *p++ = '\0';
    p = ngx_cpymem(p, who.data, who.len);

    key->len = p - key->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_authorize_ask(ngx_http_chat_session_t *s,
    ngx_http_chat_act_t *act, ngx_str_t *key, void *waiting)
{
    ngx_http_chat_loc_conf_t       *chcf;
    ngx_http_chat_authorization_t  *a;

    chcf = s->conf;

    a = ngx_calloc(sizeof(ngx_http_chat_authorization_t) + key->len
                   + act->room.len, s->connection->log);
    if (a == NULL) {
        return NGX_BUSY;
    }

    a->session = s;
    a->waiting = waiting;
    a->valid = key->len ? chcf->access.valid : 0;
    a->key.data = (u_char *) (a + 1);
    a->key.len = key->len;

    a->room.data = ngx_cpymem(a->key.data, key->data, key->len);
    a->room.len = act->room.len;

    ngx_memcpy(a->room.data, act->room.data, act->room.len);

    a->event.handler = ngx_http_chat_authorize_timeout;
    a->event.data = a;
    a->event.log = ngx_cycle->log;
    a->event.cancelable = 1;

    a->ask = ngx_http_chat_ask(s, act, &chcf->access.uri,
                               ngx_http_chat_authorize_answer, a);

    if (a->ask == NULL) {
        ngx_free(a);
        return NGX_BUSY;
    }

    s->asking = 1;

    ngx_queue_insert_tail(&ngx_http_chat_authorizations.asked, &a->queue);
    ngx_add_timer(&a->event, chcf->access.timeout);

    a->held = s->throttle ? s->throttle->timer.key : ngx_current_msec;

    /* what it says behind the join is not to overtake it */

    ngx_http_chat_session_throttle(s, chcf->access.timeout
                                      + NGX_HTTP_CHAT_AUTHORIZE_SLACK);
    return NGX_AGAIN;
}


static void
ngx_http_chat_authorize_answer(void *data, ngx_uint_t status,
    ngx_http_request_t *r)
{
    ngx_http_chat_authorization_t *a = data;

    ngx_int_t  rc;

    if (status >= NGX_HTTP_OK && status < NGX_HTTP_SPECIAL_RESPONSE) {
        rc = ngx_http_chat_authorize_headers(a, r);

    } else if (status == NGX_HTTP_UNAUTHORIZED
               || status == NGX_HTTP_FORBIDDEN)
    {
        rc = NGX_DECLINED;

    } else {
        ngx_http_chat_authorize_failed(a, 0, "has answered with %ui", status);
        rc = NGX_BUSY;
    }

    if (rc != NGX_BUSY && a->valid) {
        ngx_http_chat_authorize_keep(a, rc == NGX_OK);
    }

    ngx_http_chat_authorize_reply(a, rc);
    ngx_http_chat_authorize_free(a);
}


static void
ngx_http_chat_authorize_failed(ngx_http_chat_authorization_t *a,
    ngx_err_t err, const char *fmt, ...)
{
    u_char                    *p;
    va_list                    args;
    ngx_http_chat_session_t   *s;
    ngx_http_chat_loc_conf_t  *chcf;
    u_char                     told[NGX_HTTP_CHAT_AUTHORIZE_TOLD];

    s = a->session;
    chcf = s->conf;

    va_start(args, fmt);
    p = ngx_vslprintf(told, told + sizeof(told), fmt, args);
    va_end(args);

    ngx_log_error(NGX_LOG_ERR, s->connection->log, err,
                  "who may join cannot be found out: \"%V\" %*s, "
                  "room: \"%V\"", &chcf->access.uri, p - told, told, &a->room);
}


/* BUSY: what is no value is no answer, and was logged. */

static ngx_int_t
ngx_http_chat_authorize_headers(ngx_http_chat_authorization_t *a,
    ngx_http_request_t *r)
{
    ngx_uint_t        i, given;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    given = 0;
    a->how.burst = NGX_HTTP_CHAT_RATE_BURST;

    for (part = &r->headers_out.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash
                && ngx_http_chat_authorize_header(a, &h[i], &given) != NGX_OK)
            {
                return NGX_BUSY;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_authorize_header(ngx_http_chat_authorization_t *a,
    ngx_table_elt_t *h, ngx_uint_t *given)
{
    ngx_uint_t                               i, bit;
    const ngx_http_chat_authorize_header_t  *known;

    known = ngx_http_chat_authorize_known;

    for (i = 0; known[i].name.len; i++) {

        if (h->key.len != known[i].name.len
            || ngx_strncasecmp(h->key.data, known[i].name.data, h->key.len)
               != 0)
        {
            continue;
        }

        bit = (ngx_uint_t) 1 << i;

        if (!(*given & bit) && known[i].parse(&a->how, &h->value) == NGX_OK) {
            *given |= bit;
            return NGX_OK;
        }

        ngx_http_chat_authorize_failed(a, 0, "has answered with%s \"%V: %V\""
                                       ", it must be %s",
                                       (*given & bit) ? " a second" : "",
                                       &h->key, &h->value, known[i].expected);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_authorize_role(ngx_http_chat_admission_t *how, ngx_str_t *value)
{
    how->role = ngx_http_chat_role_of(value->data, value->len);

    return (how->role == NGX_HTTP_CHAT_ROLE_NONE) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_chat_authorize_rate(ngx_http_chat_admission_t *how, ngx_str_t *value)
{
    if ((value->len == 1 && value->data[0] == '0')
        || (value->len == 3 && ngx_memcmp(value->data, "off", 3) == 0))
    {
        return NGX_OK;
    }

    how->rate = ngx_http_chat_rate_parse(value);

    return how->rate ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_chat_authorize_burst(ngx_http_chat_admission_t *how, ngx_str_t *value)
{
    ngx_int_t  burst;

    burst = ngx_atoi(value->data, value->len);

    if (burst < 1 || burst > NGX_HTTP_CHAT_BURST_MAX) {
        return NGX_ERROR;
    }

    how->burst = burst;

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_authorize_size(ngx_http_chat_admission_t *how, ngx_str_t *value)
{
    ssize_t  size;

    size = ngx_parse_size(value);

    if (size < 1) {
        return NGX_ERROR;
    }

    how->message_size = size;

    return NGX_OK;
}


static void
ngx_http_chat_authorize_timeout(ngx_event_t *ev)
{
    ngx_http_chat_authorization_t *a = ev->data;

    ngx_http_chat_loc_conf_t  *chcf;

    chcf = a->session->conf;

    ngx_http_chat_authorize_failed(a, NGX_ETIMEDOUT,
                                   "has not answered in %M ms",
                                   chcf->access.timeout);

    ngx_http_chat_ask_cancel(a->ask);
    ngx_http_chat_authorize_reply(a, NGX_BUSY);
    ngx_http_chat_authorize_free(a);
}


/* What was said behind the join is read when that is answered. */

static void
ngx_http_chat_authorize_reply(ngx_http_chat_authorization_t *a, ngx_int_t rc)
{
    void                     *waiting;
    ngx_msec_int_t            left;
    ngx_http_chat_session_t  *s;

    s = a->session;

    if (s->closing || s->dead) {
        return;
    }

    /* nobody is to be seen coming who has gone, which is read next */

    if (!s->connection->read->pending_eof) {
        waiting = a->waiting;
        a->waiting = NULL;

        a->how.role = a->how.role ? a->how.role : s->role;

        ngx_http_chat_join_authorized(s, waiting, rc, &a->how);
    }

    left = (ngx_msec_int_t) (a->held - ngx_current_msec);

    if (left > 0) {
        ngx_http_chat_session_throttle(s, (ngx_msec_t) left);
        return;
    }

    ngx_http_chat_session_unthrottle(s);
}


static void
ngx_http_chat_authorize_free(ngx_http_chat_authorization_t *a)
{
    if (a->event.timer_set) {
        ngx_del_timer(&a->event);
    }

    if (a->waiting) {
        ngx_free(a->waiting);
    }

    a->session->asking = 0;

    ngx_queue_remove(&a->queue);
    ngx_free(a);
}


void
ngx_http_chat_authorize_forget(ngx_http_chat_session_t *s)
{
    ngx_queue_t                    *q, *asked;
    ngx_http_chat_authorization_t  *a;

    if (!s->asking) {
        return;
    }

    asked = &ngx_http_chat_authorizations.asked;

    for (q = ngx_queue_head(asked);
         q != ngx_queue_sentinel(asked);
         q = ngx_queue_next(q))
    {
        a = ngx_queue_data(q, ngx_http_chat_authorization_t, queue);

        if (a->session == s) {

            /* it reads nothing while it waits, so there is no other */

            ngx_http_chat_ask_cancel(a->ask);
            ngx_http_chat_authorize_free(a);
            return;
        }
    }
}


static ngx_http_chat_authorized_t *
ngx_http_chat_authorize_find(ngx_str_t *key)
{
    ngx_http_chat_authorized_t  *kept;

    kept = (ngx_http_chat_authorized_t *)
               ngx_str_rbtree_lookup(&ngx_http_chat_authorizations.tree, key,
                                     ngx_crc32_short(key->data, key->len));

    if (kept && (ngx_msec_int_t) (kept->expires - ngx_current_msec) <= 0) {
        ngx_http_chat_authorize_drop(kept);
        return NULL;
    }

    return kept;
}


static void
ngx_http_chat_authorize_keep(ngx_http_chat_authorization_t *a,
    ngx_uint_t allowed)
{
    ngx_queue_t                 *q;
    ngx_http_chat_authorized_t  *kept;

    kept = ngx_http_chat_authorize_find(&a->key);

    if (kept) {
        ngx_http_chat_authorize_drop(kept);
    }

    if (ngx_http_chat_authorizations.nkept == NGX_HTTP_CHAT_AUTHORIZE_KEPT) {
        q = ngx_queue_last(&ngx_http_chat_authorizations.kept);
        ngx_http_chat_authorize_drop(ngx_queue_data(q,
                                        ngx_http_chat_authorized_t, queue));
    }

    kept = ngx_alloc(sizeof(ngx_http_chat_authorized_t) + a->key.len,
                     ngx_cycle->log);
    if (kept == NULL) {
        return;
    }

    kept->node.str.data = (u_char *) (kept + 1);
    kept->node.str.len = a->key.len;
    kept->node.node.key = ngx_crc32_short(a->key.data, a->key.len);

    ngx_memcpy(kept->node.str.data, a->key.data, a->key.len);

    kept->expires = ngx_current_msec + a->valid;
    kept->how = a->how;
    kept->allowed = allowed;

    ngx_rbtree_insert(&ngx_http_chat_authorizations.tree, &kept->node.node);
    ngx_queue_insert_head(&ngx_http_chat_authorizations.kept, &kept->queue);
    ngx_http_chat_authorizations.nkept++;
}


static void
ngx_http_chat_authorize_drop(ngx_http_chat_authorized_t *kept)
{
    ngx_rbtree_delete(&ngx_http_chat_authorizations.tree, &kept->node.node);
    ngx_queue_remove(&kept->queue);
    ngx_http_chat_authorizations.nkept--;

    ngx_free(kept);
}


char *
ngx_http_chat_set_authorize(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t               *value, rest;
    ngx_http_chat_access_t  *access;

    (void) cmd;

    access = &chcf->access;
    value = cf->args->elts;

    if (access->uri.data) {
        return "is duplicate";
    }

    access->timeout = NGX_HTTP_CHAT_AUTHORIZE_TIMEOUT;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts == 3) {
            return ngx_http_chat_conf_invalid(cf, &value[2],
                                              "with a URI, for \"off\" has "
                                              "no parameters");
        }

        ngx_str_set(&access->uri, "");
        return NGX_CONF_OK;
    }

    if (value[1].len == 0 || value[1].data[0] != '/') {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                                          "the URI of a location, or \"off\"");
    }

    access->uri = value[1];

    if (cf->args->nelts == 3) {

        if (ngx_http_chat_conf_param(&value[2], "timeout=", &rest)) {
            access->timeout = ngx_parse_time(&rest, 0);

        } else {
            access->timeout = 0;
        }

        if (access->timeout == 0 || access->timeout > 60 * 1000) {
            return ngx_http_chat_conf_invalid(cf, &value[2],
                                   "\"timeout=\" and a time up to 60s");
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_chat_set_authorize_cache(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t               *value;
    ngx_http_chat_access_t  *access;

    (void) cmd;

    access = &chcf->access;
    value = cf->args->elts;

    if (access->valid != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    access->valid = ngx_parse_time(&value[1], 0);

    if (access->valid > 24 * 60 * 60 * 1000) {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                                          "a time up to 1d, or 0 for none");
    }

    access->key = NULL;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    access->key = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (access->key == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_chat_conf_complex(cf, &value[2], access->key);
}


char *
ngx_http_chat_authorize_merge(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_chat_loc_conf_t *prev = parent;
    ngx_http_chat_loc_conf_t *conf = child;

    ngx_http_chat_access_t  *from, *access;

    from = &prev->access;
    access = &conf->access;

    if (access->uri.data == NULL) {
        access->uri = from->uri;
        access->timeout = from->timeout;
    }

    if (access->valid == NGX_CONF_UNSET_MSEC) {
        access->valid = (from->valid == NGX_CONF_UNSET_MSEC) ? 0 : from->valid;
        access->key = from->key;
    }

    if (access->uri.len == 0 || conf->zone == NULL) {
        return NGX_CONF_OK;
    }

    if (conf->settings.protocol == NGX_HTTP_CHAT_PROTOCOL_RAW) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"chat_authorize\" is not for \"chat_protocol "
                           "raw\", where \"auth_request\" can ask before the "
                           "handshake");
        return NGX_CONF_ERROR;
    }

    /* its headers are the backend's to see */

    conf->keep_request = 1;
    conf->settings.authorize = ngx_http_chat_authorize;

    return NGX_CONF_OK;
}
