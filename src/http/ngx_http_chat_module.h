
/*
 * The configuration's structs, and what the files of src/http call of each
 * other.
 */


#ifndef _NGX_HTTP_CHAT_MODULE_H_INCLUDED_
#define _NGX_HTTP_CHAT_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "chat_deflate.h"
#include "ngx_http_chat_access.h"
#include "ngx_http_chat_credential.h"
#include "ngx_http_chat_session.h"


#define NGX_HTTP_CHAT_USER_MAX  64         /* bytes, a name's too */
#define NGX_HTTP_CHAT_ROOM_MAX  128


typedef struct ngx_http_chat_log_s      ngx_http_chat_log_t;
typedef struct ngx_http_chat_pattern_s  ngx_http_chat_pattern_t;


typedef struct {
    ngx_array_t                       zones;     /* ngx_http_chat_zone_t * */

    /* the access log's handler, of a request's last phase */
    ngx_http_handler_pt               log_handler;
    ngx_uint_t                        log_format; /* the default one is made */

    /* tokens or API keys are taken somewhere */
    ngx_uint_t                        doors;

    ngx_array_t                      *watched;   /* NULL: no such files */
    ngx_int_t                         access_probe; /* a variable's index */
} ngx_http_chat_main_conf_t;


typedef struct {
    ngx_http_chat_zone_t             *zone;      /* NULL: no chat here */

    ngx_http_complex_value_t         *room;
    ngx_http_complex_value_t         *user;
    ngx_http_complex_value_t         *user_name;
    ngx_http_complex_value_t         *user_color;
    ngx_http_complex_value_t         *user_role;
    ngx_flag_t                        guests;

    /* rules of ngx_http_chat_origin.c; NULL: everyone may come */
    ngx_array_t                      *origins;

    /* of ngx_http_chat_limits.c and _filter.c; NULL: none */
    ngx_array_t                      *rates;
    ngx_array_t                      *filters;

    /* of ngx_http_chat_connections.c; NULL: none */
    ngx_array_t                      *connections;
    ngx_array_t                      *connection_rates;
    ngx_flag_t                        limits_dry_run;

    ngx_http_chat_pattern_t          *room_names;

    ngx_http_chat_doors_t             doors;
    ngx_http_chat_access_t            access;

    ngx_flag_t                        keep_request;
    ngx_http_chat_log_t              *log;       /* NULL: off */

    /* this location's, for what happens when its request is gone */
    ngx_http_conf_ctx_t               ctx;

    ngx_http_chat_settings_t          settings;
} ngx_http_chat_loc_conf_t;


/* A request's context: made by whoever needs it first. */
typedef struct {
    ngx_http_chat_session_t          *session;   /* NULL before it is made */
    ngx_http_chat_identity_t          identity;
    ngx_http_chat_credential_t       *credential; /* NULL: not asked for yet */
    ngx_str_t                         argument;  /* a token that was hidden */
    ngx_uint_t                        limit;     /* NGX_HTTP_CHAT_LIMIT_... */
    ngx_http_chat_act_t              *act;       /* NULL: none at this time */
} ngx_http_chat_ctx_t;


/* A command's "post": how one of nginx's own slots is narrowed, or */
typedef struct {
    char                             *(*slot)(ngx_conf_t *cf,
                                          ngx_command_t *cmd, void *conf);
    ngx_uint_t                        low;
    ngx_uint_t                        high;
    const char                       *expected;  /* "it must be ..." */
} ngx_http_chat_bounds_t;

typedef struct {
    ngx_conf_enum_t                  *values;    /* the words it knows */
    const char                       *expected;
} ngx_http_chat_choices_t;


extern ngx_module_t  ngx_http_chat_module;


/* conf.c */
void *ngx_http_chat_create_main_conf(ngx_conf_t *cf);
void *ngx_http_chat_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_chat_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);

/* At the end of the configuration: is every zone that is used defined? */
ngx_int_t ngx_http_chat_check_zones(ngx_conf_t *cf);

/* For a number, size or time, which are all of a word's size; for words. */
char *ngx_http_chat_set_bounded(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_chat_set_choice(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

char *ngx_http_chat_set_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_chat_set_chat(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_chat_set_history(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_chat_set_compression(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_chat_set_room_members(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* 1: the value is "name" (with its "=") and the rest. */
ngx_uint_t ngx_http_chat_conf_param(ngx_str_t *value, const char *name,
    ngx_str_t *rest);

/* Says what would be right: "it must be <expected>".  NGX_CONF_ERROR. */
char *ngx_http_chat_conf_invalid(ngx_conf_t *cf, ngx_str_t *value,
    const char *expected);

/* Variables in a value.  NGX_CONF_OK, or ERROR, and the log says why. */
char *ngx_http_chat_conf_complex(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_complex_value_t *cv);

/* variables.c */
ngx_int_t ngx_http_chat_add_variables(ngx_conf_t *cf);

/* The zone of that name, which is in lower case; NULL: there is none. */
ngx_http_chat_zone_t *ngx_http_chat_variable_zone_named(ngx_http_request_t *r,
    ngx_str_t *name);

/* handler.c: the content handler; the method, Upgrade and Accept decide. */
ngx_int_t ngx_http_chat_handler(ngx_http_request_t *r);

/* NULL: no memory. */
ngx_http_chat_ctx_t *ngx_http_chat_ctx(ngx_http_request_t *r);

/* Says in the log what is wrong with a request; returns the status.  A value
 * is quoted after the reason, or NULL. */
ngx_int_t ngx_http_chat_refuse(ngx_http_request_t *r, ngx_int_t status,
    const char *reason, ngx_str_t *value);

/* A header of the response.  The value is not copied.  ERROR: no memory. */
ngx_int_t ngx_http_chat_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/* upgrade.c: checks a handshake (RFC 6455 4.2), then starts the transport.
 * Returns what a content handler returns. */
ngx_int_t ngx_http_chat_upgrade(ngx_http_request_t *r);

/* origin.c: the directive "chat_origins", its default when merged, and
 * whether a request with that Origin may come in (1) or not (0). */
char *ngx_http_chat_set_origins(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_chat_origins_merge(ngx_conf_t *cf, ngx_array_t *prev,
    ngx_array_t **origins);
ngx_uint_t ngx_http_chat_origin_allowed(ngx_http_request_t *r,
    ngx_array_t *origins, ngx_str_t *origin);

/* auth.c: who is it, and which room is joined at once.  Fills the identity
 * from the request's pool; OK, or a status to refuse the request with. */
ngx_int_t ngx_http_chat_identify(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *conf, ngx_http_chat_identity_t *identity);
char *ngx_http_chat_set_person(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* The role of "chat_user_role" alone; results as of the whole. */
ngx_int_t ngx_http_chat_identify_role(ngx_http_request_t *r,
    ngx_http_chat_loc_conf_t *conf, ngx_http_chat_identity_t *identity);

/* 1: a room of that name may exist and be joined by name. */
ngx_uint_t ngx_http_chat_room_name(ngx_str_t *name);

/*
 * limits.c: the directive "chat_rate", which is merged into the settings, and
 * at the handshake the keys of a session that is made and not started.  ERROR:
 * no memory.
 */
char *ngx_http_chat_set_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_chat_rate_merge(ngx_conf_t *cf, ngx_array_t *prev,
    ngx_http_chat_loc_conf_t *conf);
ngx_int_t ngx_http_chat_rate_keys(ngx_http_request_t *r,
    ngx_http_chat_session_t *s);

/* A number of tokens in 1000 s, of "5r/s" or "5r/m"; 0: it is no rate. */
ngx_uint_t ngx_http_chat_rate_parse(ngx_str_t *value);

/* filter.c: the directives "chat_filter" and "chat_room_names", merged into
 * the settings. */
char *ngx_http_chat_set_filter(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_chat_set_room_names(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_chat_filter_merge(ngx_conf_t *cf,
    ngx_http_chat_loc_conf_t *prev, ngx_http_chat_loc_conf_t *conf);

/*
 * log_session.c: the directive "chat_log", and a session's line at its end.
 * The line is to be written while the session's connection is still open, and
 * before its kept request, if there is one, is finalized.
 */
char *ngx_http_chat_set_log(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_chat_log_merge(ngx_conf_t *cf, ngx_http_chat_log_t *prev,
    ngx_http_chat_log_t **log);
ngx_int_t ngx_http_chat_log_init(ngx_conf_t *cf);
void ngx_http_chat_log_session(ngx_http_chat_session_t *s);

/* As much of a request as variables may look at, for a session whose own is
 * gone; of that pool.  NULL: no memory. */
ngx_http_request_t *ngx_http_chat_made_request(ngx_http_chat_session_t *s,
    ngx_http_chat_loc_conf_t *chcf, ngx_pool_t *pool);


#endif /* _NGX_HTTP_CHAT_MODULE_H_INCLUDED_ */
