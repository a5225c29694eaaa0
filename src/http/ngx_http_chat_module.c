
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"
#include "ngx_http_chat_connections.h"
#include "ngx_http_chat_notify.h"


#define ngx_http_chat_loc_offset(field)                                       \
    offsetof(ngx_http_chat_loc_conf_t, field)
#define ngx_http_chat_set_offset(field)                                       \
    offsetof(ngx_http_chat_loc_conf_t, settings.field)

#define NGX_HTTP_CHAT_ALL_CONF                                                \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF)

#define NGX_HTTP_CHAT_DAY  ((ngx_uint_t) 24 * 60 * 60 * 1000)


static ngx_int_t ngx_http_chat_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_chat_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_chat_init_process(ngx_cycle_t *cycle);
static void ngx_http_chat_exit_process(ngx_cycle_t *cycle);
static ngx_array_t *ngx_http_chat_zones(ngx_cycle_t *cycle);


static ngx_http_chat_bounds_t  ngx_http_chat_message_size_bounds = {
    ngx_conf_set_size_slot, 1, 64 * 1024 * 1024,
    "a size between 1 and 64m"
};

static ngx_http_chat_bounds_t  ngx_http_chat_history_page_bounds = {
    ngx_conf_set_num_slot, 1, 1000,
    "a number between 1 and 1000"
};

static ngx_http_chat_bounds_t  ngx_http_chat_rooms_bounds = {
    ngx_conf_set_num_slot, 1, 1000,
    "a number between 1 and 1000"
};

static ngx_http_chat_bounds_t  ngx_http_chat_room_members_bounds = {
    ngx_conf_set_num_slot, 1, 1000000,
    "\"off\" or a number between 1 and 1000000"
};

static ngx_http_chat_bounds_t  ngx_http_chat_presence_limit_bounds = {
    ngx_conf_set_num_slot, 1, 1000000,
    "a number between 1 and 1000000"
};

static ngx_http_chat_bounds_t  ngx_http_chat_leave_delay_bounds = {
    ngx_conf_set_msec_slot, 0, NGX_HTTP_CHAT_DAY,
    "a time up to 1d"
};

static ngx_http_chat_bounds_t  ngx_http_chat_nonce_window_bounds = {
    ngx_conf_set_msec_slot, 1000, NGX_HTTP_CHAT_DAY,
    "a time between 1s and 1d"
};

/* the most whole days in 31 bits of milliseconds */

static ngx_http_chat_bounds_t  ngx_http_chat_room_idle_bounds = {
    ngx_conf_set_msec_slot, 1000, 24 * NGX_HTTP_CHAT_DAY,
    "a time between 1s and 24d"
};

static ngx_http_chat_bounds_t  ngx_http_chat_backlog_bounds = {
    ngx_conf_set_size_slot, 16 * 1024, 1024 * 1024 * 1024,
    "a size between 16k and 1024m"
};

static ngx_http_chat_bounds_t  ngx_http_chat_ping_interval_bounds = {
    ngx_conf_set_msec_slot, 0, NGX_HTTP_CHAT_DAY,
    "a time up to 1d, or 0 for no pings"
};

static ngx_http_chat_bounds_t  ngx_http_chat_send_timeout_bounds = {
    ngx_conf_set_msec_slot, 1, NGX_HTTP_CHAT_DAY,
    "a time between 1ms and 1d"
};

static ngx_http_chat_bounds_t  ngx_http_chat_close_delay_bounds = {
    ngx_conf_set_msec_slot, 0, NGX_HTTP_CHAT_DAY,
    "a time up to 1d"
};

static ngx_http_chat_bounds_t  ngx_http_chat_delay_bounds = {
    ngx_conf_set_msec_slot, 0, 60 * 1000,
    "a time up to 60s"
};


static ngx_http_chat_bounds_t  ngx_http_chat_auth_timeout_bounds = {
    ngx_conf_set_msec_slot, 0, 60 * 60 * 1000,
    "a time up to 1h, or 0 where a handshake must have it all"
};


static ngx_conf_enum_t  ngx_http_chat_protocol_values[] = {
    { ngx_string("chat.v1"), NGX_HTTP_CHAT_PROTOCOL_V1 },
    { ngx_string("raw"), NGX_HTTP_CHAT_PROTOCOL_RAW },
    { ngx_null_string, 0 }
};

static ngx_http_chat_choices_t  ngx_http_chat_protocols = {
    ngx_http_chat_protocol_values, "\"chat.v1\" or \"raw\""
};


static ngx_conf_enum_t  ngx_http_chat_imitation_values[] = {
    { ngx_string("off"), NGX_HTTP_CHAT_IMITATION_OFF },
    { ngx_string("mark"), NGX_HTTP_CHAT_IMITATION_MARK },
    { ngx_string("reject"), NGX_HTTP_CHAT_IMITATION_REJECT },
    { ngx_null_string, 0 }
};

static ngx_http_chat_choices_t  ngx_http_chat_imitations = {
    ngx_http_chat_imitation_values, "\"off\", \"mark\" or \"reject\""
};


static ngx_conf_enum_t  ngx_http_chat_presence_values[] = {
    { ngx_string("full"), NGX_HTTP_CHAT_PRESENCE_FULL },
    { ngx_string("count"), NGX_HTTP_CHAT_PRESENCE_COUNT },
    { ngx_string("off"), NGX_HTTP_CHAT_PRESENCE_OFF },
    { ngx_null_string, 0 }
};

static ngx_http_chat_choices_t  ngx_http_chat_presences = {
    ngx_http_chat_presence_values, "\"full\", \"count\" or \"off\""
};


static ngx_command_t  ngx_http_chat_commands[] = {

    { ngx_string("chat_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_chat_set_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_chat,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_protocol"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(protocol),
      &ngx_http_chat_protocols },

    { ngx_string("chat_room"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_loc_offset(room),
      NULL },

    { ngx_string("chat_room_names"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_room_names,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_user"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_person,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_loc_offset(user),
      NULL },

    { ngx_string("chat_user_name"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_person,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_loc_offset(user_name),
      NULL },

    { ngx_string("chat_user_color"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_person,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_loc_offset(user_color),
      NULL },

    { ngx_string("chat_user_role"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_person,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_loc_offset(user_role),
      NULL },

    { ngx_string("chat_guests"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_loc_offset(guests),
      NULL },

    { ngx_string("chat_imitation"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(imitation),
      &ngx_http_chat_imitations },

    { ngx_string("chat_jwt"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_1MORE,
      ngx_http_chat_set_jwt,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_jwt_token"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_loc_offset(doors.token),
      NULL },

    { ngx_string("chat_jwt_claims"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_1MORE,
      ngx_http_chat_set_jwt_claims,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_auth_timeout"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_loc_offset(doors.timeout),
      &ngx_http_chat_auth_timeout_bounds },

    { ngx_string("chat_api_keys"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_api_keys,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_access"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE2,
      ngx_http_chat_set_access,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_revoked"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_revoked,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_authorize"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE12,
      ngx_http_chat_set_authorize,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_authorize_cache"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE12,
      ngx_http_chat_set_authorize_cache,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_origins"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_1MORE,
      ngx_http_chat_set_origins,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_message_size"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(message_size),
      &ngx_http_chat_message_size_bounds },

    { ngx_string("chat_rate"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1234,
      ngx_http_chat_set_rate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_connections"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE12,
      ngx_http_chat_set_connections,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_connection_rate"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE123,
      ngx_http_chat_set_connection_rate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_limits_dry_run"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_loc_offset(limits_dry_run),
      NULL },

    { ngx_string("chat_filter"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE123,
      ngx_http_chat_set_filter,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_room_members"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_room_members,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(room_members),
      &ngx_http_chat_room_members_bounds },

    { ngx_string("chat_room_idle"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(retention.idle),
      &ngx_http_chat_room_idle_bounds },

    { ngx_string("chat_presence"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(presence),
      &ngx_http_chat_presences },

    { ngx_string("chat_presence_limit"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(presence_limit),
      &ngx_http_chat_presence_limit_bounds },

    { ngx_string("chat_leave_delay"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(leave_delay),
      &ngx_http_chat_leave_delay_bounds },

    { ngx_string("chat_nonce_window"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(retention.window),
      &ngx_http_chat_nonce_window_bounds },

    { ngx_string("chat_history"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE12,
      ngx_http_chat_set_history,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_history_page"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(history_page),
      &ngx_http_chat_history_page_bounds },

    { ngx_string("chat_rooms_per_connection"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(rooms_max),
      &ngx_http_chat_rooms_bounds },

    { ngx_string("chat_backlog"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(retention.backlog),
      &ngx_http_chat_backlog_bounds },

    { ngx_string("chat_echo"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(echo),
      NULL },

    { ngx_string("chat_ping_interval"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(ping_interval),
      &ngx_http_chat_ping_interval_bounds },

    { ngx_string("chat_send_timeout"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(send_timeout),
      &ngx_http_chat_send_timeout_bounds },

    { ngx_string("chat_compression"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE123,
      ngx_http_chat_set_compression,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("chat_close_delay"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(close_delay),
      &ngx_http_chat_close_delay_bounds },

    { ngx_string("chat_delay"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_TAKE1,
      ngx_http_chat_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_set_offset(delay),
      &ngx_http_chat_delay_bounds },

    { ngx_string("chat_keep_request"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      ngx_http_chat_loc_offset(keep_request),
      NULL },

    { ngx_string("chat_log"),
      NGX_HTTP_CHAT_ALL_CONF|NGX_CONF_1MORE,
      ngx_http_chat_set_log,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_chat_module_ctx = {
    ngx_http_chat_add_variables,           /* preconfiguration */
    ngx_http_chat_init,                    /* postconfiguration */

    ngx_http_chat_create_main_conf,        /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_chat_create_loc_conf,         /* create location configuration */
    ngx_http_chat_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_http_chat_module = {
    NGX_MODULE_V1,
    &ngx_http_chat_module_ctx,             /* module context */
    ngx_http_chat_commands,                /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_chat_init_module,             /* init module */
    ngx_http_chat_init_process,            /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_chat_exit_process,            /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_chat_init(ngx_conf_t *cf)
{
    if (ngx_http_chat_check_zones(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_chat_credential_init(cf) != NGX_OK
        || ngx_http_chat_access_init(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_chat_log_init(cf);
}


static ngx_int_t
ngx_http_chat_init_module(ngx_cycle_t *cycle)
{
    ngx_array_t  *zones;

    /* also where there is no zone any more: there may have been one before */

    ngx_http_chat_worker_outdate(cycle, &ngx_http_chat_module);

    zones = ngx_http_chat_zones(cycle);

    if (zones) {
        ngx_http_chat_worker_master_init(cycle, zones);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_init_process(ngx_cycle_t *cycle)
{
    ngx_array_t  *zones;

    /* the cache manager and its like come here, too */

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    zones = ngx_http_chat_zones(cycle);

    if (zones) {
        ngx_http_chat_worker_init(cycle, zones);
        ngx_http_chat_revoked_start(cycle);
    }

    return NGX_OK;
}


static void
ngx_http_chat_exit_process(ngx_cycle_t *cycle)
{
    ngx_array_t  *zones;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return;
    }

    zones = ngx_http_chat_zones(cycle);

    if (zones) {
        ngx_http_chat_worker_exit(zones);
    }
}


static ngx_array_t *
ngx_http_chat_zones(ngx_cycle_t *cycle)
{
    ngx_http_chat_main_conf_t  *chmcf;

    chmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_chat_module);

    /* NULL: there is no http block */

    if (chmcf == NULL || chmcf->zones.nelts == 0) {
        return NULL;
    }

    return &chmcf->zones;
}
