
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"


static ssize_t ngx_http_chat_zone_size(ngx_conf_t *cf, ngx_str_t *value,
    ngx_str_t *name);
static ngx_http_chat_zone_t *ngx_http_chat_zone_get(ngx_conf_t *cf,
    ngx_str_t *name, size_t size, ngx_uint_t workers);
static char *ngx_http_chat_history_param(ngx_conf_t *cf,
    ngx_http_chat_retention_t *retention, ngx_str_t *value);
static char *ngx_http_chat_compression_param(ngx_conf_t *cf,
    ngx_http_chat_settings_t *settings, ngx_str_t *value);

static void ngx_http_chat_check_timeout(ngx_conf_t *cf,
    ngx_http_chat_loc_conf_t *conf);
static void ngx_http_chat_merge_zone(ngx_conf_t *cf,
    ngx_http_chat_loc_conf_t *prev, ngx_http_chat_loc_conf_t *conf);
static void ngx_http_chat_merge_settings(ngx_http_chat_settings_t *prev,
    ngx_http_chat_settings_t *conf);
static char *ngx_http_chat_check_room(ngx_conf_t *cf,
    ngx_http_chat_loc_conf_t *conf);


void *
ngx_http_chat_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_chat_main_conf_t  *chmcf;

    chmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_chat_main_conf_t));
    if (chmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&chmcf->zones, cf->pool, 2,
                       sizeof(ngx_http_chat_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return chmcf;
}


void *
ngx_http_chat_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_chat_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_chat_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->zone = NULL;
     *     conf->ctx = { NULL, NULL, NULL };
     *     conf->settings.rates = NULL;
     *     conf->settings.nrates = 0;
     *     conf->settings.room_allowed = NULL;
     *     conf->settings.room_names = NULL;
     *     conf->settings.filter = NULL;
     *     conf->settings.filters = NULL;
     */

    conf->room = NGX_CONF_UNSET_PTR;
    conf->user = NGX_CONF_UNSET_PTR;
    conf->user_name = NGX_CONF_UNSET_PTR;
    conf->user_color = NGX_CONF_UNSET_PTR;
    conf->user_role = NGX_CONF_UNSET_PTR;
    conf->guests = NGX_CONF_UNSET;
    conf->origins = NGX_CONF_UNSET_PTR;
    conf->rates = NGX_CONF_UNSET_PTR;
    conf->filters = NGX_CONF_UNSET_PTR;
    conf->connections = NGX_CONF_UNSET_PTR;
    conf->connection_rates = NGX_CONF_UNSET_PTR;
    conf->limits_dry_run = NGX_CONF_UNSET;
    conf->room_names = NGX_CONF_UNSET_PTR;
    conf->keep_request = NGX_CONF_UNSET;
    ngx_http_chat_doors_create(&conf->doors);
    ngx_http_chat_access_create(&conf->access);
    conf->log = NGX_CONF_UNSET_PTR;

    conf->settings.imitation = NGX_CONF_UNSET_UINT;
    conf->settings.protocol = NGX_CONF_UNSET_UINT;
    conf->settings.message_size = NGX_CONF_UNSET_SIZE;
    conf->settings.retention.messages = NGX_CONF_UNSET_UINT;
    conf->settings.retention.age = NGX_CONF_UNSET_MSEC;
    conf->settings.retention.backlog = NGX_CONF_UNSET_SIZE;
    conf->settings.retention.idle = NGX_CONF_UNSET_MSEC;
    conf->settings.retention.window = NGX_CONF_UNSET_MSEC;
    conf->settings.history_page = NGX_CONF_UNSET_UINT;
    conf->settings.rooms_max = NGX_CONF_UNSET_UINT;
    conf->settings.ping_interval = NGX_CONF_UNSET_MSEC;
    conf->settings.send_timeout = NGX_CONF_UNSET_MSEC;
    conf->settings.close_delay = NGX_CONF_UNSET_MSEC;
    conf->settings.delay = NGX_CONF_UNSET_MSEC;
    conf->settings.compression = NGX_CONF_UNSET;
    conf->settings.compression_min = NGX_CONF_UNSET_SIZE;
    conf->settings.compression_level = NGX_CONF_UNSET;
    conf->settings.echo = NGX_CONF_UNSET;
    conf->settings.presence = NGX_CONF_UNSET_UINT;
    conf->settings.presence_limit = NGX_CONF_UNSET_UINT;
    conf->settings.leave_delay = NGX_CONF_UNSET_MSEC;
    conf->settings.room_members = NGX_CONF_UNSET_UINT;

    return conf;
}


char *
ngx_http_chat_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_chat_loc_conf_t *prev = parent;
    ngx_http_chat_loc_conf_t *conf = child;

    ngx_uint_t  waits;

    conf->ctx = *(ngx_http_conf_ctx_t *) cf->ctx;

    ngx_http_chat_merge_zone(cf, prev, conf);

    ngx_conf_merge_ptr_value(conf->room, prev->room, NULL);
    ngx_conf_merge_ptr_value(conf->user, prev->user, NULL);
    ngx_conf_merge_ptr_value(conf->user_name, prev->user_name, NULL);
    ngx_conf_merge_ptr_value(conf->user_color, prev->user_color, NULL);
    ngx_conf_merge_ptr_value(conf->user_role, prev->user_role, NULL);
    ngx_conf_merge_value(conf->guests, prev->guests, 1);
    ngx_conf_merge_value(conf->keep_request, prev->keep_request, 0);

    ngx_conf_merge_ptr_value(conf->connections, prev->connections, NULL);
    ngx_conf_merge_ptr_value(conf->connection_rates, prev->connection_rates,
                             NULL);
    ngx_conf_merge_value(conf->limits_dry_run, prev->limits_dry_run, 0);

    waits = (conf->doors.timeout != NGX_CONF_UNSET_MSEC);

    ngx_http_chat_doors_merge(&prev->doors, &conf->doors);

    if (conf->doors.jwt) {
        conf->settings.authenticate = ngx_http_chat_authenticate;
    }

    if (ngx_http_chat_access_merge(&prev->access, &conf->access)) {

        /* what the rules look at */

        conf->keep_request = 1;
        conf->settings.access = ngx_http_chat_access_allowed;
    }

    if (conf->doors.api_keys) {
        conf->settings.access = ngx_http_chat_access_allowed;
    }

    ngx_http_chat_merge_settings(&prev->settings, &conf->settings);

    if (waits) {
        ngx_http_chat_check_timeout(cf, conf);
    }

    if (ngx_http_chat_authorize_merge(cf, prev, conf) != NGX_CONF_OK
        || ngx_http_chat_rate_merge(cf, prev->rates, conf) != NGX_CONF_OK
        || ngx_http_chat_filter_merge(cf, prev, conf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_chat_origins_merge(cf, prev->origins, &conf->origins)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_chat_log_merge(cf, prev->log, &conf->log) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_chat_check_room(cf, conf);
}


/* Of one that was written there: others may be meant for other locations. */

static void
ngx_http_chat_check_timeout(ngx_conf_t *cf, ngx_http_chat_loc_conf_t *conf)
{
    if (conf->zone == NULL
        || conf->doors.timeout == 0
        || (conf->doors.jwt && !conf->guests
            && conf->settings.protocol != NGX_HTTP_CHAT_PROTOCOL_RAW))
    {
        return;
    }

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "\"chat_auth_timeout\" waits for nobody here: it is "
                       "for \"chat_jwt\" and \"chat_guests off\", and not "
                       "for \"chat_protocol raw\"");
}


/* "if" and "limit_except" are locations of their own within one. */

static void
ngx_http_chat_merge_zone(ngx_conf_t *cf, ngx_http_chat_loc_conf_t *prev,
    ngx_http_chat_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (conf->zone || prev->zone == NULL) {
        return;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!clcf->noname) {
        return;
    }

    conf->zone = prev->zone;

    if (clcf->lmt_excpt && clcf->handler == NULL) {
        clcf->handler = ngx_http_chat_handler;
    }
}


static void
ngx_http_chat_merge_settings(ngx_http_chat_settings_t *prev,
    ngx_http_chat_settings_t *conf)
{
    ngx_conf_merge_uint_value(conf->protocol, prev->protocol,
                              NGX_HTTP_CHAT_PROTOCOL_V1);
    ngx_conf_merge_uint_value(conf->imitation, prev->imitation,
                              NGX_HTTP_CHAT_IMITATION_OFF);
    ngx_conf_merge_size_value(conf->message_size, prev->message_size,
                              16 * 1024);

    ngx_conf_merge_uint_value(conf->retention.messages,
                              prev->retention.messages, 100);
    ngx_conf_merge_msec_value(conf->retention.age, prev->retention.age,
                              24 * 60 * 60 * 1000);
    ngx_conf_merge_size_value(conf->retention.backlog,
                              prev->retention.backlog, 1024 * 1024);
    ngx_conf_merge_msec_value(conf->retention.idle, prev->retention.idle,
                              60 * 60 * 1000);
    ngx_conf_merge_msec_value(conf->retention.window, prev->retention.window,
                              2 * 60 * 1000);
    ngx_conf_merge_uint_value(conf->history_page, prev->history_page, 100);

    ngx_conf_merge_uint_value(conf->rooms_max, prev->rooms_max, 32);

    ngx_conf_merge_msec_value(conf->ping_interval, prev->ping_interval, 25000);
    ngx_conf_merge_msec_value(conf->send_timeout, prev->send_timeout, 30000);
    ngx_conf_merge_msec_value(conf->close_delay, prev->close_delay, 5000);
    ngx_conf_merge_msec_value(conf->delay, prev->delay, 0);

    ngx_conf_merge_value(conf->compression, prev->compression, 1);
    ngx_conf_merge_size_value(conf->compression_min, prev->compression_min,
                              64);
    ngx_conf_merge_value(conf->compression_level, prev->compression_level, 1);

    ngx_conf_merge_value(conf->echo, prev->echo, 1);

    ngx_conf_merge_uint_value(conf->presence, prev->presence,
                              NGX_HTTP_CHAT_PRESENCE_FULL);
    ngx_conf_merge_uint_value(conf->presence_limit, prev->presence_limit, 200);
    ngx_conf_merge_msec_value(conf->leave_delay, prev->leave_delay, 3000);
    ngx_conf_merge_uint_value(conf->room_members, prev->room_members, 0);
}


static char *
ngx_http_chat_check_room(ngx_conf_t *cf, ngx_http_chat_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_complex_value_t  *room;

    if (conf->zone == NULL) {
        return NGX_CONF_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    room = conf->room;

    if (room == NULL || (room->lengths == NULL && room->value.len == 0)) {

        if (conf->settings.protocol != NGX_HTTP_CHAT_PROTOCOL_RAW) {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"chat_protocol raw\" requires \"chat_room\" "
                           "in location \"%V\"", &clcf->name);
        return NGX_CONF_ERROR;
    }

    if (room->lengths == NULL && !ngx_http_chat_room_name(&room->value)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"chat_room\" directive "
                           "for location \"%V\", it must be 1 to 128 bytes "
                           "of UTF-8 without control characters and without "
                           "\"@\" in front", &room->value, &clcf->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_chat_conf_complex(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_complex_value_t *cv)
{
    ngx_http_compile_complex_value_t  ccv;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = value;
    ccv.complex_value = cv;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
}


char *
ngx_http_chat_conf_invalid(ngx_conf_t *cf, ngx_str_t *value,
    const char *expected)
{
    ngx_str_t  *directive;

    directive = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\" directive, "
                       "it must be %s", value, directive, expected);

    return NGX_CONF_ERROR;
}


char *
ngx_http_chat_set_bounded(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    char                    *rv;
    ngx_str_t               *value;
    ngx_uint_t               n;
    ngx_command_t            plain;
    ngx_http_chat_bounds_t  *bounds;

    bounds = cmd->post;

    plain = *cmd;
    plain.post = NULL;

    rv = bounds->slot(cf, &plain, conf);

    if (rv == NGX_CONF_OK) {
        n = *(ngx_uint_t *) (p + cmd->offset);

        if (n >= bounds->low && n <= bounds->high) {
            return NGX_CONF_OK;
        }

    } else if (rv == NGX_CONF_ERROR || ngx_strcmp(rv, "is duplicate") == 0) {
        return rv;
    }

    value = cf->args->elts;

    return ngx_http_chat_conf_invalid(cf, &value[1], bounds->expected);
}


char *
ngx_http_chat_set_choice(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t                *value;
    ngx_uint_t               *np;
    ngx_conf_enum_t          *e;
    ngx_http_chat_choices_t  *choices;

    np = (ngx_uint_t *) (p + cmd->offset);
    choices = cmd->post;

    if (*np != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (e = choices->values; e->name.len; e++) {

        if (ngx_strcmp(e->name.data, value[1].data) == 0) {
            *np = e->value;
            return NGX_CONF_OK;
        }
    }

    return ngx_http_chat_conf_invalid(cf, &value[1], choices->expected);
}


char *
ngx_http_chat_set_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ssize_t     size;
    ngx_str_t  *value, name, rest;
    ngx_int_t   workers;

    (void) cmd;
    (void) conf;

    value = cf->args->elts;

    size = ngx_http_chat_zone_size(cf, &value[1], &name);
    if (size == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    workers = 0;

    if (cf->args->nelts == 3) {

        if (ngx_http_chat_conf_param(&value[2], "workers=", &rest)) {
            workers = ngx_atoi(rest.data, rest.len);
        }

        if (workers < 1 || workers > NGX_HTTP_CHAT_SLOTS_MAX) {
            return ngx_http_chat_conf_invalid(cf, &value[2],
                                   "\"workers=\" and a number from 1 to 256");
        }
    }

    if (ngx_http_chat_zone_get(cf, &name, size, workers) == NULL) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ssize_t
ngx_http_chat_zone_size(ngx_conf_t *cf, ngx_str_t *value, ngx_str_t *name)
{
    u_char     *p;
    size_t      min;
    ssize_t     size;
    ngx_str_t   s;

    size = NGX_ERROR;
    p = (u_char *) ngx_strchr(value->data, ':');

    if (p && p != value->data) {
        s.data = p + 1;
        s.len = value->data + value->len - s.data;
        size = ngx_parse_size(&s);
    }

    if (size <= 0) {
        (void) ngx_http_chat_conf_invalid(cf, value,
                                          "\"name:size\", as \"chat:64m\"");
        return NGX_ERROR;
    }

    min = ngx_max((size_t) NGX_HTTP_CHAT_ZONE_MIN, 8 * ngx_pagesize);

    if ((size_t) size < min) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" in \"chat_zone\" directive "
                           "is too small, it must be %uzk or more",
                           value, min / 1024);
        return NGX_ERROR;
    }

    name->data = value->data;
    name->len = p - value->data;

    return size;
}


/* Each zone once, whether it is defined or referred to first. */

static ngx_http_chat_zone_t *
ngx_http_chat_zone_get(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    ngx_uint_t workers)
{
    ngx_uint_t                  i;
    ngx_http_chat_zone_t       *zone, **zones;
    ngx_http_chat_main_conf_t  *chmcf;

    zone = ngx_http_chat_zone_add(cf, name, size, workers,
                                  &ngx_http_chat_module);
    if (zone == NULL) {
        return NULL;
    }

    chmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_chat_module);
    zones = chmcf->zones.elts;

    for (i = 0; i < chmcf->zones.nelts; i++) {
        if (zones[i] == zone) {
            return zone;
        }
    }

    zones = ngx_array_push(&chmcf->zones);
    if (zones == NULL) {
        return NULL;
    }

    *zones = zone;

    return zone;
}


char *
ngx_http_chat_set_chat(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    (void) cmd;

    if (chcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0 || ngx_strchr(value[1].data, ':')) {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                                    "the name of a zone set by \"chat_zone\"");
    }

    chcf->zone = ngx_http_chat_zone_get(cf, &value[1], 0, 0);
    if (chcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_chat_handler;

    return NGX_CONF_OK;
}


char *
ngx_http_chat_set_room_members(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (chcf->settings.room_members != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        chcf->settings.room_members = 0;
        return NGX_CONF_OK;
    }

    return ngx_http_chat_set_bounded(cf, cmd, conf);
}


char *
ngx_http_chat_set_history(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_chat_retention_t  *retention;

    (void) cmd;

    retention = &chcf->settings.retention;

    if (retention->messages != NGX_CONF_UNSET_UINT
        || retention->age != NGX_CONF_UNSET_MSEC)
    {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        retention->messages = 0;
        retention->age = 0;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_chat_history_param(cf, retention, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    /* what is not given is the default here, and not what a level above says */

    ngx_conf_init_uint_value(retention->messages, 100);
    ngx_conf_init_msec_value(retention->age, 24 * 60 * 60 * 1000);

    return NGX_CONF_OK;
}


static char *
ngx_http_chat_history_param(ngx_conf_t *cf,
    ngx_http_chat_retention_t *retention, ngx_str_t *value)
{
    ngx_str_t   rest;
    ngx_int_t   n;
    ngx_msec_t  age;

    if (retention->messages == NGX_CONF_UNSET_UINT
        && ngx_http_chat_conf_param(value, "messages=", &rest))
    {
        n = ngx_atoi(rest.data, rest.len);

        if (n < 1 || n > 1000000) {
            return ngx_http_chat_conf_invalid(cf, value,
                             "\"messages=\" and a number from 1 to 1000000");
        }

        retention->messages = n;
        return NGX_CONF_OK;
    }

    if (retention->age == NGX_CONF_UNSET_MSEC
        && ngx_http_chat_conf_param(value, "age=", &rest))
    {
        age = ngx_parse_time(&rest, 0);

        if (age == (ngx_msec_t) NGX_ERROR || age == 0) {
            return ngx_http_chat_conf_invalid(cf, value,
                                           "\"age=\" and a time, as \"24h\"");
        }

        retention->age = age;
        return NGX_CONF_OK;
    }

    return ngx_http_chat_conf_invalid(cf, value,
                                      "\"off\" alone, or one each of "
                                      "\"messages=\" and \"age=\"");
}


char *
ngx_http_chat_set_compression(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_chat_settings_t  *settings;

    (void) cmd;

    settings = &chcf->settings;

    if (settings->compression != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcasecmp(value[1].data, (u_char *) "on") == 0) {
        settings->compression = 1;

    } else if (ngx_strcasecmp(value[1].data, (u_char *) "off") == 0
               && cf->args->nelts == 2)
    {
        settings->compression = 0;

    } else {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                                      "\"on\", which \"min=\" and \"level=\" "
                                      "may follow, or \"off\" alone");
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_chat_compression_param(cf, settings, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    ngx_conf_init_size_value(settings->compression_min, 64);
    ngx_conf_init_value(settings->compression_level, 1);

    return NGX_CONF_OK;
}


static char *
ngx_http_chat_compression_param(ngx_conf_t *cf,
    ngx_http_chat_settings_t *settings, ngx_str_t *value)
{
    ssize_t    min;
    ngx_int_t  level;
    ngx_str_t  rest;

    if (settings->compression_min == NGX_CONF_UNSET_SIZE
        && ngx_http_chat_conf_param(value, "min=", &rest))
    {
        min = ngx_parse_size(&rest);

        if (min == NGX_ERROR || min > 64 * 1024 * 1024) {
            return ngx_http_chat_conf_invalid(cf, value,
                                       "\"min=\" and a size up to 64m");
        }

        settings->compression_min = min;
        return NGX_CONF_OK;
    }

    if (settings->compression_level == NGX_CONF_UNSET
        && ngx_http_chat_conf_param(value, "level=", &rest))
    {
        level = ngx_atoi(rest.data, rest.len);

        if (level < 1 || level > 9) {
            return ngx_http_chat_conf_invalid(cf, value,
                                     "\"level=\" and a number from 1 to 9");
        }

        settings->compression_level = level;
        return NGX_CONF_OK;
    }

    return ngx_http_chat_conf_invalid(cf, value,
                                  "one each of \"min=\" and \"level=\"");
}


ngx_uint_t
ngx_http_chat_conf_param(ngx_str_t *value, const char *name, ngx_str_t *rest)
{
    size_t  len;

    len = ngx_strlen(name);

    if (value->len < len || ngx_strncmp(value->data, name, len) != 0) {
        return 0;
    }

    rest->data = value->data + len;
    rest->len = value->len - len;

    return 1;
}


ngx_int_t
ngx_http_chat_check_zones(ngx_conf_t *cf)
{
    ngx_uint_t                   i;
    ngx_http_chat_zone_t       **zones;
    ngx_http_chat_main_conf_t   *chmcf;

    chmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_chat_module);
    zones = chmcf->zones.elts;

    for (i = 0; i < chmcf->zones.nelts; i++) {

        if (zones[i]->shm_zone->shm.size == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown zone \"%V\" in \"chat\" directive, "
                          "define it: chat_zone %V:16m;",
                          &zones[i]->name, &zones[i]->name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
