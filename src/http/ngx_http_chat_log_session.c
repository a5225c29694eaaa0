
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"


#define NGX_HTTP_CHAT_LOG_POOL_SIZE  4096


/*
 * The lines are written by nginx's own access log, whose structs are private
 * to it.  So each "chat_log" becomes an "access_log" in a location
 * configuration of that module which no location has, and the log's handler
 * is called for a request in whose location it stands.
 */
struct ngx_http_chat_log_s {
    void                     *conf;        /* NULL: "chat_log off" */
    void                     *outer;       /* of the level it stands at */
    ngx_uint_t                merged;      /* unsigned  merged:1; */
};


static void ngx_http_chat_log_kept(ngx_http_chat_session_t *s,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_request_t *r);
static void ngx_http_chat_log_made(ngx_http_chat_session_t *s,
    ngx_http_chat_loc_conf_t *chcf);
static ngx_int_t ngx_http_chat_log_request_init(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf);
static void ngx_http_chat_log_request_fill(ngx_http_request_t *r,
    ngx_http_chat_session_t *s);
static void **ngx_http_chat_log_loc_conf(ngx_pool_t *pool, void **loc_conf,
    ngx_http_chat_loc_conf_t *chcf);
static void ngx_http_chat_log_write(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf);

static ngx_http_chat_log_t *ngx_http_chat_log_create(ngx_conf_t *cf,
    ngx_uint_t off);
static char *ngx_http_chat_log_add(ngx_conf_t *cf, ngx_http_chat_log_t *log);
static char *ngx_http_chat_log_format(ngx_conf_t *cf);
static char *ngx_http_chat_log_command(ngx_conf_t *cf, const char *name,
    ngx_array_t *args, void *conf);


extern ngx_module_t  ngx_http_log_module;


static ngx_str_t  ngx_http_chat_log_format_args[] = {
    ngx_string("log_format"),
    ngx_string("chat_session"),
    ngx_string("$remote_addr [$time_local] \"$chat_user\" \"$chat_room\" "
               "$chat_session $chat_protocol $chat_transport "
               "in=$chat_messages_in/$chat_bytes_in "
               "out=$chat_messages_out/$chat_bytes_out "
               "$chat_close_code $chat_duration")
};


void
ngx_http_chat_log_session(ngx_http_chat_session_t *s)
{
    ngx_http_chat_loc_conf_t  *chcf;

    chcf = s->conf;

    if (chcf->log == NULL) {
        return;
    }

    if (s->request) {
        ngx_http_chat_log_kept(s, chcf, s->request);
        return;
    }

    ngx_http_chat_log_made(s, chcf);
}


static void
ngx_http_chat_log_kept(ngx_http_chat_session_t *s,
    ngx_http_chat_loc_conf_t *chcf, ngx_http_request_t *r)
{
    void                 **loc_conf, **saved;
    ngx_http_chat_ctx_t   *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);

    if (ctx) {
        ctx->session = s;
    }

    saved = r->loc_conf;

    loc_conf = ngx_http_chat_log_loc_conf(r->pool, saved, chcf);
    if (loc_conf == NULL) {
        return;
    }

    r->loc_conf = loc_conf;
    ngx_http_chat_log_write(r, chcf);
    r->loc_conf = saved;
}


static void
ngx_http_chat_log_made(ngx_http_chat_session_t *s,
    ngx_http_chat_loc_conf_t *chcf)
{
    ngx_pool_t          *pool;
    ngx_http_request_t  *r;

    pool = ngx_create_pool(NGX_HTTP_CHAT_LOG_POOL_SIZE, s->connection->log);
    if (pool == NULL) {
        return;
    }

    r = ngx_http_chat_made_request(s, chcf, pool);

    if (r) {
        ngx_http_chat_log_write(r, chcf);
    }

    ngx_destroy_pool(pool);
}


ngx_http_request_t *
ngx_http_chat_made_request(ngx_http_chat_session_t *s,
    ngx_http_chat_loc_conf_t *chcf, ngx_pool_t *pool)
{
    ngx_http_request_t  *r;

    r = ngx_pcalloc(pool, sizeof(ngx_http_request_t));
    if (r == NULL) {
        return NULL;
    }

    r->pool = pool;
    r->connection = s->connection;
    r->main = r;

    if (ngx_http_chat_log_request_init(r, chcf) != NGX_OK) {
        return NULL;
    }

    ngx_http_chat_log_request_fill(r, s);

    return r;
}


static ngx_int_t
ngx_http_chat_log_request_init(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *chcf)
{
    ngx_http_chat_ctx_t        *ctx;
    ngx_http_connection_t      *hc;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_http_core_main_conf_t  *cmcf;

    r->main_conf = chcf->ctx.main_conf;
    r->srv_conf = chcf->ctx.srv_conf;

    r->loc_conf = ngx_http_chat_log_loc_conf(r->pool, chcf->ctx.loc_conf, chcf);
    if (r->loc_conf == NULL) {
        return NGX_ERROR;
    }

    r->ctx = ngx_pcalloc(r->pool, sizeof(void *) * ngx_http_max_module);
    if (r->ctx == NULL) {
        return NGX_ERROR;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_chat_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_chat_module);

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    r->variables = ngx_pcalloc(r->pool, cmcf->variables.nelts
                                        * sizeof(ngx_http_variable_value_t));
    if (r->variables == NULL) {
        return NGX_ERROR;
    }

    hc = ngx_pcalloc(r->pool, sizeof(ngx_http_connection_t));
    if (hc == NULL) {
        return NGX_ERROR;
    }

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    hc->conf_ctx = cscf->ctx;
    r->http_connection = hc;

    if (ngx_list_init(&r->headers_in.headers, r->pool, 1,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_list_init(&r->headers_out.headers, r->pool, 1,
                         sizeof(ngx_table_elt_t));
}


static void
ngx_http_chat_log_request_fill(ngx_http_request_t *r,
    ngx_http_chat_session_t *s)
{
    ngx_msec_t                 duration;
    ngx_time_t                *tp;
    ngx_msec_int_t             start;
    ngx_http_chat_ctx_t       *ctx;
    ngx_http_core_loc_conf_t  *clcf;

    /* "$request_time" is the session's then */

    tp = ngx_timeofday();
    duration = ngx_current_msec - s->started;
    start = (ngx_msec_int_t) tp->msec - (ngx_msec_int_t) (duration % 1000);

    r->start_sec = tp->sec - (time_t) (duration / 1000) - (start < 0);
    r->start_msec = start < 0 ? start + 1000 : start;

    r->signature = NGX_HTTP_MODULE;
    r->count = 1;
    r->method = NGX_HTTP_GET;
    r->http_version = NGX_HTTP_VERSION_11;
    ngx_str_set(&r->method_name, "GET");
    ngx_str_set(&r->http_protocol, "HTTP/1.1");

    /* paths made of the URI count on the location's prefix being in it */

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    r->uri = clcf->name;
    r->unparsed_uri = clcf->name;

    r->headers_in.content_length_n = -1;
    r->headers_in.keep_alive_n = -1;
    r->headers_out.content_length_n = -1;
    r->headers_out.last_modified_time = -1;
    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;

    r->request_length = s->bytes_in;
    r->internal = 1;
    r->header_sent = 1;
    r->valid_location = 1;
    r->root_tested = 1;

    ctx = ngx_http_get_module_ctx(r, ngx_http_chat_module);
    ctx->session = s;
}


/* The location's configurations, but for the log's. */

static void **
ngx_http_chat_log_loc_conf(ngx_pool_t *pool, void **loc_conf,
    ngx_http_chat_loc_conf_t *chcf)
{
    void    **copy;
    size_t    size;

    size = sizeof(void *) * ngx_http_max_module;

    copy = ngx_palloc(pool, size);
    if (copy == NULL) {
        return NULL;
    }

    ngx_memcpy(copy, loc_conf, size);

    if (chcf->log) {
        copy[ngx_http_log_module.ctx_index] = chcf->log->conf;
    }

    return copy;
}


static void
ngx_http_chat_log_write(ngx_http_request_t *r, ngx_http_chat_loc_conf_t *chcf)
{
    ngx_http_chat_main_conf_t  *chmcf;

    chmcf = chcf->ctx.main_conf[ngx_http_chat_module.ctx_index];

    /* what failed is logged, and nothing waits for the line */

    (void) chmcf->log_handler(r);
}


char *
ngx_http_chat_set_log(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   off;

    (void) cmd;

    value = cf->args->elts;
    off = (ngx_strcmp(value[1].data, "off") == 0);

    if (value[1].len == 0 || (off && cf->args->nelts > 2)) {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                                          "a path that a format may follow, "
                                          "or \"off\" alone");
    }

    /* as "access_log" it may be repeated, but not beside an "off" */

    if (chcf->log == NGX_CONF_UNSET_PTR) {
        chcf->log = ngx_http_chat_log_create(cf, off);

        if (chcf->log == NULL) {
            return NGX_CONF_ERROR;
        }

    } else if (off || chcf->log->conf == NULL) {
        return "is duplicate";
    }

    if (off) {
        return NGX_CONF_OK;
    }

    return ngx_http_chat_log_add(cf, chcf->log);
}


static ngx_http_chat_log_t *
ngx_http_chat_log_create(ngx_conf_t *cf, ngx_uint_t off)
{
    ngx_http_module_t    *module;
    ngx_http_chat_log_t  *log;

    log = ngx_pcalloc(cf->pool, sizeof(ngx_http_chat_log_t));
    if (log == NULL || off) {
        return log;
    }

    module = ngx_http_log_module.ctx;

    log->outer = ngx_http_conf_get_module_loc_conf(cf, ngx_http_log_module);

    log->conf = module->create_loc_conf(cf);
    if (log->conf == NULL) {
        return NULL;
    }

    return log;
}


static char *
ngx_http_chat_log_add(ngx_conf_t *cf, ngx_http_chat_log_t *log)
{
    ngx_str_t    *value, path_format[3];
    ngx_array_t   args;

    value = cf->args->elts;
    args = *cf->args;

    if (args.nelts == 2) {
        path_format[0] = value[0];
        path_format[1] = value[1];
        path_format[2] = ngx_http_chat_log_format_args[1];

        args.elts = path_format;
        args.nelts = 3;
        value = path_format;
    }

    if (ngx_strcmp(value[2].data, ngx_http_chat_log_format_args[1].data) == 0
        && ngx_http_chat_log_format(cf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_chat_log_command(cf, "access_log", &args, log->conf);
}


/* The default format, made when it is first asked for. */

static char *
ngx_http_chat_log_format(ngx_conf_t *cf)
{
    ngx_array_t                 args;
    ngx_http_chat_main_conf_t  *chmcf;

    chmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_chat_module);

    if (chmcf->log_format) {
        return NGX_CONF_OK;
    }

    chmcf->log_format = 1;

    args = *cf->args;
    args.elts = ngx_http_chat_log_format_args;
    args.nelts = sizeof(ngx_http_chat_log_format_args) / sizeof(ngx_str_t);

    return ngx_http_chat_log_command(cf, "log_format", &args,
                 ngx_http_conf_get_module_main_conf(cf, ngx_http_log_module));
}


/* Has the log module do one of its own directives with these arguments. */

static char *
ngx_http_chat_log_command(ngx_conf_t *cf, const char *name, ngx_array_t *args,
    void *conf)
{
    char           *rv;
    ngx_array_t    *saved;
    ngx_command_t  *cmd;

    for (cmd = ngx_http_log_module.commands; cmd->name.len; cmd++) {

        if (ngx_strcmp(cmd->name.data, name) != 0) {
            continue;
        }

        saved = cf->args;
        cf->args = args;

        rv = cmd->set(cf, cmd, conf);

        cf->args = saved;

        return rv;
    }

    return "needs the log module's directives, which this nginx lacks";
}


char *
ngx_http_chat_log_merge(ngx_conf_t *cf, ngx_http_chat_log_t *prev,
    ngx_http_chat_log_t **log)
{
    ngx_http_module_t  *module;

    if (*log == NGX_CONF_UNSET_PTR) {
        *log = (prev == NGX_CONF_UNSET_PTR) ? NULL : prev;
    }

    if (*log && (*log)->conf == NULL) {
        *log = NULL;
    }

    if (*log == NULL || (*log)->merged) {
        return NGX_CONF_OK;
    }

    /* takes "open_log_file_cache" over from where the directive stands */

    (*log)->merged = 1;
    module = ngx_http_log_module.ctx;

    return module->merge_loc_conf(cf, (*log)->outer, (*log)->conf);
}


ngx_int_t
ngx_http_chat_log_init(ngx_conf_t *cf)
{
    ngx_array_t                *handlers;
    ngx_http_handler_pt        *handler;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_chat_main_conf_t  *chmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    chmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_chat_module);

    /*
     * The phase's first handler is the access log's: that module is the
     * second of nginx's HTTP modules, behind the core that has no handler
     * there, and modules add theirs in their order.
     */

    handlers = &cmcf->phases[NGX_HTTP_LOG_PHASE].handlers;

    if (handlers->nelts == 0) {
        return NGX_ERROR;
    }

    handler = handlers->elts;
    chmcf->log_handler = handler[0];

    return NGX_OK;
}
