
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"


#define NGX_HTTP_CHAT_ACCESS_POOL_SIZE  1024

/* The data of a variable is a pointer, or else a small number. */
#define NGX_HTTP_CHAT_ACCESS_DATA       0xffff


static void ngx_http_chat_act_variables(ngx_http_request_t *r,
    ngx_http_variable_value_t *values);
static ngx_http_get_variable_pt ngx_http_chat_act_auth_request(
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_chat_act_stored(ngx_http_variable_t *v,
    ngx_http_get_variable_pt auth_request);
static ngx_int_t ngx_http_chat_access_probe(ngx_conf_t *cf,
    ngx_module_t *module);


static ngx_conf_enum_t  ngx_http_chat_acts[] = {
    { ngx_string("join"), NGX_HTTP_CHAT_ACT_JOIN },
    { ngx_string("send"), NGX_HTTP_CHAT_ACT_SEND },
    { ngx_string("history"), NGX_HTTP_CHAT_ACT_HISTORY },
    { ngx_string("moderate"), NGX_HTTP_CHAT_ACT_MODERATE },
    { ngx_null_string, 0 }
};


ngx_uint_t
ngx_http_chat_access_allowed(ngx_http_chat_session_t *s, ngx_uint_t act,
    ngx_str_t *room, ngx_uint_t role)
{
    ngx_int_t                  rc;
    ngx_str_t                  value;
    ngx_pool_t                *pool;
    ngx_http_request_t        *r;
    ngx_http_chat_act_t        doing;
    ngx_http_chat_loc_conf_t  *chcf;
    ngx_http_complex_value_t  *rule;

    if (!ngx_http_chat_key_allows(s, act, room)) {
        return 0;
    }

    chcf = s->conf;
    rule = chcf->access.rules[act];

    if (rule == NULL) {
        return 1;
    }

    pool = ngx_create_pool(NGX_HTTP_CHAT_ACCESS_POOL_SIZE, s->connection->log);
    if (pool == NULL) {
        return 0;
    }

    doing.room = *room;
    doing.role = role;

    rc = NGX_ERROR;
    ngx_str_null(&value);

    r = ngx_http_chat_act_request(s, &doing, pool);

    if (r) {
        rc = ngx_http_complex_value(r, rule, &value);
    }

    if (rc == NGX_OK
        && (value.len == 0 || (value.len == 1 && value.data[0] == '0')))
    {
        rc = NGX_DECLINED;
    }

    ngx_destroy_pool(pool);

    return rc == NGX_OK;
}


/*
 * A copy: values are kept by the request that they are asked of, and what a
 * "map" has made of one room is not to be taken for what it makes of another.
 */

ngx_http_request_t *
ngx_http_chat_act_request(ngx_http_chat_session_t *s, ngx_http_chat_act_t *act,
    ngx_pool_t *pool)
{
    ngx_http_request_t         *r, *kept;
    ngx_http_chat_ctx_t        *ctx, *own;
    ngx_http_variable_value_t  *values;

    kept = s->request;

    r = ngx_palloc(pool, sizeof(ngx_http_request_t));
    ctx = ngx_pcalloc(pool, sizeof(ngx_http_chat_ctx_t));

    if (kept == NULL || r == NULL || ctx == NULL) {
        return NULL;
    }

    *r = *kept;

    r->pool = pool;
    r->main = r;
    r->parent = NULL;
    r->cleanup = NULL;
    r->realloc_captures = 1;

    r->ctx = ngx_palloc(pool, sizeof(void *) * ngx_http_max_module);
    if (r->ctx == NULL) {
        return NULL;
    }

    ngx_memcpy(r->ctx, kept->ctx, sizeof(void *) * ngx_http_max_module);

    own = ngx_http_get_module_ctx(kept, ngx_http_chat_module);

    if (own) {
        *ctx = *own;
    }

    ctx->session = s;
    ctx->act = act;

    ngx_http_set_ctx(r, ctx, ngx_http_chat_module);

    values = kept->variables;

    ngx_http_chat_act_variables(r, values);

    return r->variables ? r : NULL;
}


/* What was stored in a variable stays, what was computed is so anew. */

static void
ngx_http_chat_act_variables(ngx_http_request_t *r,
    ngx_http_variable_value_t *values)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_get_variable_pt    auth_request;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    v = cmcf->variables.elts;

    r->variables = ngx_pcalloc(r->pool, cmcf->variables.nelts
                                        * sizeof(ngx_http_variable_value_t));
    if (r->variables == NULL) {
        return;
    }

    auth_request = ngx_http_chat_act_auth_request(r);

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (values[i].valid
            && ngx_http_chat_act_stored(&v[i], auth_request))
        {
            r->variables[i] = values[i];
        }
    }
}


/* Who it is of has said something new of himself. */

void
ngx_http_chat_act_recompute(ngx_http_request_t *r)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_get_variable_pt    auth_request;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    v = cmcf->variables.elts;

    auth_request = ngx_http_chat_act_auth_request(r);

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (!ngx_http_chat_act_stored(&v[i], auth_request)) {
            ngx_memzero(&r->variables[i], sizeof(ngx_http_variable_value_t));
        }
    }
}


static ngx_http_get_variable_pt
ngx_http_chat_act_auth_request(ngx_http_request_t *r)
{
    ngx_http_variable_t        *v;
    ngx_http_chat_main_conf_t  *chmcf;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    chmcf = ngx_http_get_module_main_conf(r, ngx_http_chat_module);
    v = cmcf->variables.elts;

    return (chmcf->access_probe == NGX_ERROR)
           ? NULL : v[chmcf->access_probe].get_handler;
}


/*
 * "set", a location's named captures and "auth_request_set" put a value where
 * no handler finds it again.  "map" and what else may depend on the room have
 * the pointer of their own configuration for data; the other way round that
 * is true of "auth_request_set" alone.
 */

static ngx_uint_t
ngx_http_chat_act_stored(ngx_http_variable_t *v,
    ngx_http_get_variable_pt auth_request)
{
    return v->data <= NGX_HTTP_CHAT_ACCESS_DATA
           || (auth_request && v->get_handler == auth_request);
}


char *
ngx_http_chat_set_access(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_complex_value_t  **rule;

    (void) cmd;

    value = cf->args->elts;

    for (i = 0; ngx_http_chat_acts[i].name.len; i++) {

        if (value[1].len == ngx_http_chat_acts[i].name.len
            && ngx_strcmp(value[1].data, ngx_http_chat_acts[i].name.data)
               == 0)
        {
            break;
        }
    }

    if (ngx_http_chat_acts[i].name.len == 0) {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                              "\"join\", \"send\", \"history\" or "
                              "\"moderate\"");
    }

    rule = &chcf->access.rules[ngx_http_chat_acts[i].value];

    if (*rule != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    *rule = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (*rule == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_chat_conf_complex(cf, &value[2], *rule);
}


void
ngx_http_chat_access_create(ngx_http_chat_access_t *access)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_CHAT_ACTS; i++) {
        access->rules[i] = NGX_CONF_UNSET_PTR;
    }

    access->revoked = NGX_CONF_UNSET_PTR;
    access->valid = NGX_CONF_UNSET_MSEC;
}


ngx_uint_t
ngx_http_chat_access_merge(ngx_http_chat_access_t *prev,
    ngx_http_chat_access_t *conf)
{
    ngx_uint_t  i, any;

    any = 0;

    ngx_conf_merge_ptr_value(conf->revoked, prev->revoked, NULL);

    for (i = 0; i < NGX_HTTP_CHAT_ACTS; i++) {
        ngx_conf_merge_ptr_value(conf->rules[i], prev->rules[i], NULL);

        if (conf->rules[i]) {
            any = 1;
        }
    }

    return any;
}


/* Those that "auth_request_set" stores into are known by one more of them. */

ngx_int_t
ngx_http_chat_access_init(ngx_conf_t *cf)
{
    ngx_uint_t                  i;
    ngx_module_t               *module;
    ngx_http_chat_main_conf_t  *chmcf;

    chmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_chat_module);

    chmcf->access_probe = NGX_ERROR;

    if (chmcf->zones.nelts == 0) {
        return NGX_OK;
    }

    for (i = 0; cf->cycle->modules[i]; i++) {
        module = cf->cycle->modules[i];

        if (ngx_strcmp(module->name, "ngx_http_auth_request_module") == 0) {
            return ngx_http_chat_access_probe(cf, module);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_access_probe(ngx_conf_t *cf, ngx_module_t *module)
{
    char                       *rv;
    void                       *conf;
    ngx_str_t                   args[3];
    ngx_array_t                 array, *saved;
    ngx_command_t              *cmd;
    ngx_http_module_t          *ctx;
    ngx_http_chat_main_conf_t  *chmcf;

    static ngx_str_t  name = ngx_string("chat_auth_request_set");

    ngx_str_set(&args[0], "auth_request_set");
    ngx_str_set(&args[1], "$chat_auth_request_set");
    ngx_str_set(&args[2], "");

    array = *cf->args;
    array.elts = args;
    array.nelts = 3;

    chmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_chat_module);
    ctx = module->ctx;

    conf = ctx->create_loc_conf(cf);
    if (conf == NULL) {
        return NGX_ERROR;
    }

    for (cmd = module->commands; cmd->name.len; cmd++) {

        if (ngx_strcmp(cmd->name.data, "auth_request_set") != 0) {
            continue;
        }

        saved = cf->args;
        cf->args = &array;

        rv = cmd->set(cf, cmd, conf);

        cf->args = saved;

        if (rv != NGX_CONF_OK) {
            return NGX_ERROR;
        }

        chmcf->access_probe = ngx_http_get_variable_index(cf, &name);
    }

    return NGX_OK;
}
