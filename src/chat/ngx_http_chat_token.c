
#include "ngx_http_chat_command.h"
#include "ngx_http_chat_token.h"

#include "chat_ws.h"


#define NGX_HTTP_CHAT_TOKEN_EXPIRED 4001     /* PROTOCOL 6 */
#define NGX_HTTP_CHAT_TOKEN_LEAD    30000    /* ms from the word to the end */
#define NGX_HTTP_CHAT_TOKEN_TRIES   10       /* of one that is pending */

/* Clocks are set: what is far away is looked at again now and then. */
#define NGX_HTTP_CHAT_TOKEN_LOOK    60000
#define NGX_HTTP_CHAT_TOKEN_BATCH   64       /* in one pass of the event loop */


static void ngx_http_chat_token_queue(ngx_http_chat_token_t *token);
static void ngx_http_chat_token_unqueue(ngx_http_chat_token_t *token);
static void ngx_http_chat_token_timer(void);
static void ngx_http_chat_token_handler(ngx_event_t *ev);
static void ngx_http_chat_token_look(ngx_http_chat_token_t *token);
static void ngx_http_chat_token_expiring(ngx_http_chat_session_t *s);
static ngx_uint_t ngx_http_chat_token_tried(ngx_http_chat_session_t *s);


static struct {
    ngx_rbtree_t       tree;
    ngx_rbtree_node_t  sentinel;
    ngx_event_t        event;
} ngx_http_chat_tokens;


ngx_int_t
ngx_http_chat_token_set(ngx_http_chat_session_t *s, u_char *text, size_t len,
    int64_t ends)
{
    int64_t                 lead;
    ngx_http_chat_token_t  *token;

    token = ngx_alloc(offsetof(ngx_http_chat_token_t, text) + len + 1,
                      s->connection->log);
    if (token == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(token, offsetof(ngx_http_chat_token_t, text));

    token->session = s;
    token->ends = ends;
    token->len = len;

    if (len) {
        ngx_memcpy(token->text, text, len);
    }

    /* a short life's half is time enough for both */

    lead = (ends - (int64_t) ngx_http_chat_reply_now()) / 2;
    lead = ngx_min(lead, NGX_HTTP_CHAT_TOKEN_LEAD);

    token->lead = (int32_t) ngx_max(lead, 0);

    ngx_http_chat_token_end(s);

    s->token = token;

    if (ends) {
        ngx_http_chat_token_queue(token);
    }

    return NGX_OK;
}


void
ngx_http_chat_token_end(ngx_http_chat_session_t *s)
{
    if (s->token == NULL) {
        return;
    }

    ngx_http_chat_token_unqueue(s->token);

    ngx_explicit_memzero(s->token->text, s->token->len);
    ngx_free(s->token);

    s->token = NULL;
}


static void
ngx_http_chat_token_queue(ngx_http_chat_token_t *token)
{
    int64_t  wait;

    if (ngx_http_chat_tokens.event.handler == NULL) {
        ngx_rbtree_init(&ngx_http_chat_tokens.tree,
                        &ngx_http_chat_tokens.sentinel,
                        ngx_rbtree_insert_timer_value);

        ngx_http_chat_tokens.event.handler = ngx_http_chat_token_handler;
        ngx_http_chat_tokens.event.data = &ngx_http_chat_tokens;
        ngx_http_chat_tokens.event.log = ngx_cycle->log;
        ngx_http_chat_tokens.event.cancelable = 1;
    }

    wait = token->ends - (int64_t) ngx_http_chat_reply_now();

    if (!token->warned) {
        wait -= token->lead;
    }

    wait = ngx_max(wait, 0);
    wait = ngx_min(wait, NGX_HTTP_CHAT_TOKEN_LOOK);

    token->node.key = ngx_current_msec + (ngx_msec_t) wait;
    token->queued = 1;

    ngx_rbtree_insert(&ngx_http_chat_tokens.tree, &token->node);

    ngx_http_chat_token_timer();
}


static void
ngx_http_chat_token_unqueue(ngx_http_chat_token_t *token)
{
    if (token->queued) {
        token->queued = 0;
        ngx_rbtree_delete(&ngx_http_chat_tokens.tree, &token->node);
    }
}


static void
ngx_http_chat_token_timer(void)
{
    ngx_event_t        *ev;
    ngx_msec_int_t      wait;
    ngx_rbtree_node_t  *node;

    ev = &ngx_http_chat_tokens.event;

    if (ngx_http_chat_tokens.tree.root == &ngx_http_chat_tokens.sentinel) {
        return;
    }

    node = ngx_rbtree_min(ngx_http_chat_tokens.tree.root,
                          &ngx_http_chat_tokens.sentinel);

    wait = (ngx_msec_int_t) (node->key - ngx_current_msec);

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, (ngx_msec_t) ngx_max(wait, 1));
}


static void
ngx_http_chat_token_handler(ngx_event_t *ev)
{
    ngx_uint_t              i;
    ngx_rbtree_node_t      *node;
    ngx_http_chat_token_t  *token;

    (void) ev;    /* the queue is the worker's */

    for (i = 0; i < NGX_HTTP_CHAT_TOKEN_BATCH; i++) {

        if (ngx_http_chat_tokens.tree.root == &ngx_http_chat_tokens.sentinel) {
            return;
        }

        node = ngx_rbtree_min(ngx_http_chat_tokens.tree.root,
                              &ngx_http_chat_tokens.sentinel);

        if ((ngx_msec_int_t) (node->key - ngx_current_msec) > 0) {
            break;
        }

        token = ngx_rbtree_data(node, ngx_http_chat_token_t, node);

        ngx_http_chat_token_unqueue(token);
        ngx_http_chat_token_look(token);
    }

    ngx_http_chat_token_timer();
}


static void
ngx_http_chat_token_look(ngx_http_chat_token_t *token)
{
    int64_t                   left;
    ngx_http_chat_session_t  *s;

    s = token->session;

    if (s->closing || s->dead) {
        return;
    }

    left = token->ends - (int64_t) ngx_http_chat_reply_now();

    if (left <= 0) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      s->pending ? "client has not said in time who it is"
                      : token->key ? "client's API key has expired"
                                   : "client's token has expired");

        ngx_http_chat_session_close(s, NGX_HTTP_CHAT_TOKEN_EXPIRED,
                                    s->pending ? "no token in time"
                                    : token->key ? "the API key has expired"
                                                 : "the token has expired");
        return;
    }

    if (!token->warned && left <= token->lead) {
        token->warned = 1;

        if (!s->pending) {
            ngx_http_chat_token_expiring(s);
        }

        if (s->closing || s->dead) {
            return;
        }
    }

    ngx_http_chat_token_queue(token);
}


static void
ngx_http_chat_token_expiring(ngx_http_chat_session_t *s)
{
    chat_json_writer_t  w;

    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW
        || ngx_http_chat_reply_begin(&w, 128) != NGX_OK)
    {
        return;
    }

    chat_json_lit(&w, "{\"type\":\"expiring\"");
    ngx_http_chat_reply_number(&w, "expires", (uint64_t) s->token->ends);
    chat_json_lit(&w, "}");

    ngx_http_chat_reply_send(s, &w);
}


/* 1: it was closed for trying too often.  Its messages have no rate yet. */

static ngx_uint_t
ngx_http_chat_token_tried(ngx_http_chat_session_t *s)
{
    if (!s->pending || ++s->refused < NGX_HTTP_CHAT_TOKEN_TRIES) {
        return 0;
    }

    s->refused = 0;

    ngx_http_chat_session_close(s, CHAT_WS_POLICY, "no token came");

    return 1;
}


void
ngx_http_chat_command_pending(ngx_http_chat_session_t *s, chat_str_t *id)
{
    if (!ngx_http_chat_token_tried(s)) {
        ngx_http_chat_reply_error(s, id, CHAT_ERR_UNAUTHORIZED, NULL,
                                  "say who you are by \"auth\" first");
    }
}


void
ngx_http_chat_command_auth(ngx_http_chat_session_t *s, chat_command_t *cmd,
    ngx_http_chat_member_t *m)
{
    ngx_int_t           rc;
    ngx_str_t           token;
    ngx_uint_t          pending;
    chat_json_writer_t  w;

    (void) m;    /* no room is needed */

    pending = s->pending;

    token.data = (u_char *) cmd->token.data;
    token.len = cmd->token.len;

    rc = s->settings->authenticate ? s->settings->authenticate(s, &token)
                                   : NGX_DECLINED;

    /* whoever is known now may be one too many */

    if (s->closing || s->dead) {
        return;
    }

    if (rc != NGX_OK && ngx_http_chat_token_tried(s)) {
        return;
    }

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_ABORT:
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_EXPIRED, NULL,
                                  "the token has expired");
        return;

    case NGX_BUSY:
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_FORBIDDEN, NULL,
                                  "the token is of another user");
        return;

    case NGX_DECLINED:
        ngx_http_chat_reply_error(s, &cmd->id, CHAT_ERR_UNAUTHORIZED, NULL,
                                  "the token is not taken here");
        return;

    default:
        ngx_http_chat_fail(s, &cmd->id, NGX_ERROR);
        return;
    }

    if (pending) {
        ngx_http_chat_begin(s);
    }

    if (!s->closing && !s->dead
        && ngx_http_chat_reply_ok(s, &w, &cmd->id, 256 + 6 * s->user_len)
           == NGX_OK)
    {
        ngx_http_chat_reply_field(&w, "user", ngx_http_chat_session_user(s),
                                  s->user_len);

        if (s->token && s->token->ends) {
            ngx_http_chat_reply_number(&w, "expires",
                                       (uint64_t) s->token->ends);

        } else {
            chat_json_lit(&w, ",\"expires\":null");
        }

        chat_json_lit(&w, "}");
        ngx_http_chat_reply_send(s, &w);
    }
}
