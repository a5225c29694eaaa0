
/*
 * What a request presents to say who it is: a token or an API key; and the
 * files that both are verified by.
 */


#ifndef _NGX_HTTP_CHAT_CREDENTIAL_H_INCLUDED_
#define _NGX_HTTP_CHAT_CREDENTIAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "chat_jwt.h"
#include "ngx_http_chat_session.h"


/* Scopes of an API key. */
#define NGX_HTTP_CHAT_SCOPE_PUBLISH   0x01
#define NGX_HTTP_CHAT_SCOPE_HISTORY   0x02
#define NGX_HTTP_CHAT_SCOPE_MODERATE  0x04
#define NGX_HTTP_CHAT_SCOPE_ADMIN     0x08     /* comes with all others */

#define NGX_HTTP_CHAT_KEY_HASH        32       /* SHA-256 */


/*
 * A file that is read at the start, and again by each process when it has
 * changed: looked at when it is asked for, once a second at most.  If what is
 * new in it is no good, or it is gone, what was read before goes on to hold.
 */
typedef struct ngx_http_chat_keyfile_s  ngx_http_chat_keyfile_t;

/*
 * What the file is made into.  what: in words, for the log.  parse: name is
 * the file's, for the log; NULL: *reason says why not, and *line where, if
 * that is not 0.
 */
typedef struct {
    const char   *what;
    size_t        max;        /* bytes of the file, whole kilobytes */
    void       *(*parse)(ngx_str_t *name, u_char *text, size_t len,
                         const char **reason, ngx_uint_t *line);
    void        (*free)(void *data);
} ngx_http_chat_keyfile_type_t;


/* One line of a file of API keys; the strings are the file's. */
typedef struct {
    ngx_str_t                      name;
    u_char                         hash[NGX_HTTP_CHAT_KEY_HASH];
    ngx_uint_t                     scopes;
    ngx_str_t                      rooms;      /* patterns, commas between */
    time_t                         expires;    /* 0 = never */
} ngx_http_chat_key_t;


/* The directives of this header's files, in a location. */
typedef struct {
    ngx_http_chat_keyfile_t       *jwt;        /* NULL: off */
    uint32_t                       algs;       /* 1 << CHAT_JWA_...; 0 = any */
    ngx_http_complex_value_t      *token;      /* NULL: the usual places */
    ngx_array_t                   *iss;        /* chat_str_t; NULL: any */
    ngx_array_t                   *aud;
    ngx_msec_t                     leeway;
    ngx_http_chat_keyfile_t       *api_keys;   /* NULL: off */
    ngx_msec_t                     timeout;    /* for "auth"; 0: not waited */
} ngx_http_chat_doors_t;


typedef enum {
    NGX_HTTP_CHAT_CREDENTIAL_NONE = 0,
    NGX_HTTP_CHAT_CREDENTIAL_BAD,              /* it was refused */
    NGX_HTTP_CHAT_CREDENTIAL_EXPIRED,          /* it was good */
    NGX_HTTP_CHAT_CREDENTIAL_TOKEN,
    NGX_HTTP_CHAT_CREDENTIAL_KEY
} ngx_http_chat_credential_e;


typedef struct {
    ngx_http_chat_credential_e     kind;
    const char                    *reason;     /* of a refusal */
    void                          *conf;       /* the location's it is of */

    chat_jwt_t                     jwt;        /* a token's, else zeroed */
    int64_t                        ends;       /* ms since 1970; 0 = never */

    ngx_str_t                      name;       /* of the key */
    ngx_uint_t                     scopes;
    u_char                         hash[NGX_HTTP_CHAT_KEY_HASH];
} ngx_http_chat_credential_t;


/* keyfile.c: logs what is wrong; NULL is an error then.  type is kept. */
ngx_http_chat_keyfile_t *ngx_http_chat_keyfile_add(ngx_conf_t *cf,
    ngx_str_t *path, const ngx_http_chat_keyfile_type_t *type);

/*
 * The same, for one that the workers look at twice a second, see revoke.c:
 * several locations' file is one.
 */
ngx_http_chat_keyfile_t *ngx_http_chat_keyfile_watch(ngx_conf_t *cf,
    ngx_str_t *path, const ngx_http_chat_keyfile_type_t *type);

/* 1: looked at now, it has been read anew since this was last asked. */
ngx_uint_t ngx_http_chat_keyfile_news(ngx_http_chat_keyfile_t *file,
    ngx_log_t *log);

/* What is in it now; good until the next call. */
void *ngx_http_chat_keyfile_data(ngx_http_chat_keyfile_t *file,
    ngx_log_t *log);


/* credential.c: the request's, found and verified when it is first asked for.
 * NULL: no memory. */
ngx_http_chat_credential_t *ngx_http_chat_credential(ngx_http_request_t *r);

/* The tokens in the request's line become asterisks, so that none comes into
 * a log; what they were is still found. */
ngx_int_t ngx_http_chat_credential_hide(ngx_http_request_t *r);

/* At the end of the configuration. */
ngx_int_t ngx_http_chat_credential_init(ngx_conf_t *cf);


/* jwt.c */
char *ngx_http_chat_set_jwt(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_chat_set_jwt_claims(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_chat_doors_create(ngx_http_chat_doors_t *doors);
void ngx_http_chat_doors_merge(ngx_http_chat_doors_t *prev,
    ngx_http_chat_doors_t *conf);

/* Verifies a token; sets everything but conf.  cr->jwt is the caller's to
 * free.  ERROR: no memory. */
ngx_int_t ngx_http_chat_jwt_verify(ngx_http_chat_doors_t *doors,
    ngx_str_t *token, ngx_log_t *log, ngx_http_chat_credential_t *cr);

/* The variable $chat_jwt_claim_<name>. */
ngx_int_t ngx_http_chat_jwt_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


/* keys.c */
char *ngx_http_chat_set_api_keys(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Finds the key of a secret, in a time that does not depend on which it is;
 * NULL: there is none, or its time is over.  Good until the next call. */
ngx_http_chat_key_t *ngx_http_chat_key_find(ngx_http_chat_keyfile_t *file,
    ngx_str_t *secret, ngx_log_t *log);

/* The role that a key of these scopes gives, NGX_HTTP_CHAT_ROLE_... */
ngx_uint_t ngx_http_chat_key_role(ngx_uint_t scopes);

/* 1: a request's credential is no key, or one for that room. */
ngx_uint_t ngx_http_chat_key_opens(ngx_http_chat_keyfile_t *file,
    ngx_http_chat_credential_t *cr, ngx_str_t *room, ngx_log_t *log);

/* The session came with the key of that hash, which gives that role.  ERROR: no
 * memory. */
ngx_int_t ngx_http_chat_key_keep(ngx_http_chat_session_t *s, u_char *hash,
    ngx_uint_t role, int64_t ends);

/* 1: the session came with no API key, or its key, as it is in the file now,
 * allows that act, NGX_HTTP_CHAT_ACT_..., in that room. */
ngx_uint_t ngx_http_chat_key_allows(ngx_http_chat_session_t *s,
    ngx_uint_t act, ngx_str_t *room);

/* Gives a session that came with a key what the key gives now.  1: it is to
 * go, as that is less than what it has already. */
ngx_uint_t ngx_http_chat_key_ends(ngx_http_chat_session_t *s);


/* renew.c: the session has its request's, from the start; and what is
 * settings->authenticate. */
ngx_int_t ngx_http_chat_credential_keep(ngx_http_chat_session_t *s,
    ngx_http_request_t *r);
ngx_int_t ngx_http_chat_authenticate(ngx_http_chat_session_t *s,
    ngx_str_t *token);


#endif /* _NGX_HTTP_CHAT_CREDENTIAL_H_INCLUDED_ */
