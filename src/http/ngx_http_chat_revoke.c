
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"
#include "ngx_http_chat_reply.h"
#include "ngx_http_chat_token.h"


#define NGX_HTTP_CHAT_REVOKED_INTERVAL  500      /* ms between two looks */
#define NGX_HTTP_CHAT_REVOKED_MAX       (4 * 1024 * 1024)
#define NGX_HTTP_CHAT_REVOKED_FIELDS    3        /* of a line */
#define NGX_HTTP_CHAT_REVOKED_TOLD      100      /* lines that are no good */
#define NGX_HTTP_CHAT_REVOKED_TOKEN     4001     /* PROTOCOL 6 */
#define NGX_HTTP_CHAT_REVOKED_USER      4003


typedef enum {
    NGX_HTTP_CHAT_REVOKE_NONE = 0,
    NGX_HTTP_CHAT_REVOKE_USER,
    NGX_HTTP_CHAT_REVOKE_SESSION,
    NGX_HTTP_CHAT_REVOKE_TOKEN
} ngx_http_chat_revoke_e;


/* A line of the file. */
typedef struct {
    ngx_http_chat_revoke_e    kind;
    ngx_str_t                 name;
    int64_t                   since;       /* s since 1970; 0 = for good */
    ngx_uint_t                next;        /* with the same hash, + 1 */
} ngx_http_chat_revoke_t;


/* What a file says: one piece of memory, with the names behind it. */
typedef struct {
    ngx_uint_t                nlines;
    ngx_uint_t                mask;
    ngx_uint_t               *buckets;     /* a line's number + 1, or 0 */
    ngx_http_chat_revoke_t   *lines;
} ngx_http_chat_revoked_t;


static void *ngx_http_chat_revoked_parse(ngx_str_t *name, u_char *text,
    size_t len, const char **reason, ngx_uint_t *line);
static ngx_int_t ngx_http_chat_revoked_line(ngx_http_chat_revoked_t *revoked,
    u_char *p, u_char *end);
static void ngx_http_chat_revoked_keep(ngx_http_chat_revoked_t *revoked,
    ngx_http_chat_revoke_e kind, ngx_str_t *name, time_t since);
static ngx_uint_t ngx_http_chat_revoked_fields(u_char *p, u_char *end,
    ngx_str_t *fields);
static u_char *ngx_http_chat_revoked_quoted(u_char *p, u_char *end,
    ngx_str_t *field);
static ngx_http_chat_revoke_e ngx_http_chat_revoked_kind(ngx_str_t *name);
static ngx_uint_t ngx_http_chat_revoked_hash(ngx_http_chat_revoked_t *revoked,
    ngx_http_chat_revoke_e kind, ngx_str_t *name);
static ngx_uint_t ngx_http_chat_revoked_find(ngx_http_chat_revoked_t *revoked,
    ngx_http_chat_revoke_e kind, ngx_str_t *name, int64_t since);
static int64_t ngx_http_chat_revoked_issued(chat_str_t *claim);
static ngx_http_chat_revoke_e ngx_http_chat_revoked_of(
    ngx_http_chat_revoked_t *revoked, ngx_str_t *user, chat_jwt_t *jwt,
    int64_t since);
static void ngx_http_chat_revoked_handler(ngx_event_t *ev);
static void ngx_http_chat_revoked_walk(ngx_http_chat_keyfile_t *file);


static const ngx_http_chat_keyfile_type_t  ngx_http_chat_revoked_type = {
    "revocations",
    NGX_HTTP_CHAT_REVOKED_MAX,
    ngx_http_chat_revoked_parse,
    ngx_free
};

static ngx_event_t  ngx_http_chat_revoked_event;


/* A line that is no good is said and left out: the others are to hold. */

static void *
ngx_http_chat_revoked_parse(ngx_str_t *name, u_char *text, size_t len,
    const char **reason, ngx_uint_t *line)
{
    u_char                   *p, *copy, *end, *last;
    size_t                    size;
    ngx_uint_t                n, bad, buckets;
    ngx_http_chat_revoked_t  *revoked;

    (void) line;    /* no file is refused for what is in it */

    n = 1;

    for (p = text; p + 1 < text + len; p++) {
        n += (*p == '\n' && p[1] != '\n' && p[1] != '#');
    }

    for (buckets = 16; buckets < n; buckets *= 2) { /* void */ }

    size = sizeof(ngx_http_chat_revoked_t)
           + n * sizeof(ngx_http_chat_revoke_t)
           + buckets * sizeof(ngx_uint_t);

    revoked = ngx_calloc(size + len, ngx_cycle->log);
    if (revoked == NULL) {
        *reason = "there is no memory";
        return NULL;
    }

    revoked->lines = (ngx_http_chat_revoke_t *) (revoked + 1);
    revoked->buckets = (ngx_uint_t *) (revoked->lines + n);
    revoked->mask = buckets - 1;

    copy = (u_char *) revoked + size;
    end = copy + len;

    ngx_memcpy(copy, text, len);

    n = 0;
    bad = 0;

    for (p = copy; p < end; p = last + 1) {

        last = ngx_strlchr(p, end, '\n');

        if (last == NULL) {
            last = end;
        }

        n++;

        if (ngx_http_chat_revoked_line(revoked, p, last) == NGX_OK
            || ++bad > NGX_HTTP_CHAT_REVOKED_TOLD)
        {
            continue;
        }

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "line %ui of \"%V\" is left out, it is none of "
                      "\"user name [since]\", \"session id\" and "
                      "\"token id\"", n, name);
    }

    if (bad > NGX_HTTP_CHAT_REVOKED_TOLD) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "%ui lines of \"%V\" are left out", bad, name);
    }

    return revoked;
}


static ngx_int_t
ngx_http_chat_revoked_line(ngx_http_chat_revoked_t *revoked, u_char *p,
    u_char *end)
{
    time_t                  since;
    ngx_str_t               fields[NGX_HTTP_CHAT_REVOKED_FIELDS];
    ngx_uint_t              nfields;
    ngx_http_chat_revoke_e  kind;

    nfields = ngx_http_chat_revoked_fields(p, end, fields);

    if (nfields == 0) {
        return NGX_OK;
    }

    kind = ngx_http_chat_revoked_kind(&fields[0]);
    since = 0;

    if (nfields == 3) {
        since = (kind == NGX_HTTP_CHAT_REVOKE_USER)
                ? ngx_atotm(fields[2].data, fields[2].len)
                : NGX_ERROR;
    }

    if (kind == NGX_HTTP_CHAT_REVOKE_NONE || nfields < 2 || nfields > 3
        || since == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    ngx_http_chat_revoked_keep(revoked, kind, &fields[1], since);

    return NGX_OK;
}


/* Who logs out every day has one place here: that of the latest time. */

static void
ngx_http_chat_revoked_keep(ngx_http_chat_revoked_t *revoked,
    ngx_http_chat_revoke_e kind, ngx_str_t *name, time_t since)
{
    ngx_uint_t               n, hash;
    ngx_http_chat_revoke_t  *line;

    hash = ngx_http_chat_revoked_hash(revoked, kind, name);

    for (n = revoked->buckets[hash]; n; n = line->next) {
        line = &revoked->lines[n - 1];

        if (line->kind == kind && line->name.len == name->len
            && ngx_memcmp(line->name.data, name->data, name->len) == 0)
        {
            if (since == 0 || (line->since && line->since < since)) {
                line->since = since;
            }

            return;
        }
    }

    line = &revoked->lines[revoked->nlines++];

    line->kind = kind;
    line->name = *name;
    line->since = since;

    line->next = revoked->buckets[hash];
    revoked->buckets[hash] = revoked->nlines;
}


/* How many there are, or one more than there may be. */

static ngx_uint_t
ngx_http_chat_revoked_fields(u_char *p, u_char *end, ngx_str_t *fields)
{
    ngx_str_t   field;
    ngx_uint_t  n;

    for (n = 0; /* void */ ; n++) {

        while (p < end && (*p == ' ' || *p == '\t' || *p == '\r')) {
            p++;
        }

        if (p == end || *p == '#') {
            return n;
        }

        if (*p == '"') {
            p = ngx_http_chat_revoked_quoted(p, end, &field);

        } else {
            field.data = p;

            while (p < end && *p != ' ' && *p != '\t' && *p != '\r') {
                p++;
            }

            field.len = p - field.data;
        }

        if (p == NULL || n == NGX_HTTP_CHAT_REVOKED_FIELDS) {
            return NGX_HTTP_CHAT_REVOKED_FIELDS + 1;
        }

        fields[n] = field;
    }
}


/* A name with blanks, and \ in front of " and \ in it. */

static u_char *
ngx_http_chat_revoked_quoted(u_char *p, u_char *end, ngx_str_t *field)
{
    u_char  *dst;

    field->data = ++p;
    dst = p;

    for ( /* void */ ; p < end; p++) {

        if (*p == '"') {
            field->len = dst - field->data;
            return p + 1;
        }

        if (*p == '\\' && p + 1 < end) {
            p++;
        }

        *dst++ = *p;
    }

    return NULL;
}


static ngx_http_chat_revoke_e
ngx_http_chat_revoked_kind(ngx_str_t *name)
{
    ngx_uint_t  i;

    static const ngx_str_t  kinds[] = {
        ngx_string("user"), ngx_string("session"), ngx_string("token")
    };

    for (i = 0; i < 3; i++) {
        if (name->len == kinds[i].len
            && ngx_memcmp(name->data, kinds[i].data, name->len) == 0)
        {
            return (ngx_http_chat_revoke_e) (i + 1);
        }
    }

    return NGX_HTTP_CHAT_REVOKE_NONE;
}


static ngx_uint_t
ngx_http_chat_revoked_hash(ngx_http_chat_revoked_t *revoked,
    ngx_http_chat_revoke_e kind, ngx_str_t *name)
{
    return (ngx_murmur_hash2(name->data, name->len) + kind) & revoked->mask;
}


static ngx_uint_t
ngx_http_chat_revoked_find(ngx_http_chat_revoked_t *revoked,
    ngx_http_chat_revoke_e kind, ngx_str_t *name, int64_t since)
{
    ngx_uint_t               n;
    ngx_http_chat_revoke_t  *line;

    n = revoked->buckets[ngx_http_chat_revoked_hash(revoked, kind, name)];

    for ( /* void */ ; n; n = line->next) {
        line = &revoked->lines[n - 1];

        if (line->kind == kind && line->name.len == name->len
            && ngx_memcmp(line->name.data, name->data, name->len) == 0
            && (line->since == 0 || since < line->since))
        {
            return 1;
        }
    }

    return 0;
}


/* A fraction of a second does not make a token younger. */

static int64_t
ngx_http_chat_revoked_issued(chat_str_t *claim)
{
    size_t   len;
    u_char  *p;
    time_t   issued;

    p = (u_char *) claim->data;

    for (len = 0; len < claim->len && p[len] >= '0' && p[len] <= '9'; len++) {
        /* void */
    }

    issued = ngx_atotm(p, len);

    return ngx_max(issued, 0);
}


/* since: when it came in, in seconds; its token may be older. */

static ngx_http_chat_revoke_e
ngx_http_chat_revoked_of(ngx_http_chat_revoked_t *revoked, ngx_str_t *user,
    chat_jwt_t *jwt, int64_t since)
{
    ngx_str_t   id;
    chat_str_t  value;

    if (jwt->claims) {

        if (chat_jwt_claim(jwt, "jti", 3, &value)) {
            id.data = (u_char *) value.data;
            id.len = value.len;

            if (ngx_http_chat_revoked_find(revoked,
                                           NGX_HTTP_CHAT_REVOKE_TOKEN, &id, 0))
            {
                return NGX_HTTP_CHAT_REVOKE_TOKEN;
            }
        }

        if (chat_jwt_claim(jwt, "iat", 3, &value)) {
            since = ngx_min(since, ngx_http_chat_revoked_issued(&value));
        }
    }

    return ngx_http_chat_revoked_find(revoked, NGX_HTTP_CHAT_REVOKE_USER, user,
                                      since)
           ? NGX_HTTP_CHAT_REVOKE_USER : NGX_HTTP_CHAT_REVOKE_NONE;
}


ngx_int_t
ngx_http_chat_revoked(ngx_http_chat_access_t *access, ngx_str_t *user,
    chat_jwt_t *jwt, ngx_log_t *log)
{
    ngx_http_chat_revoked_t  *revoked;

    if (access->revoked == NULL) {
        return NGX_OK;
    }

    revoked = ngx_http_chat_keyfile_data(access->revoked, log);

    switch (ngx_http_chat_revoked_of(revoked, user, jwt, ngx_time())) {

    case NGX_HTTP_CHAT_REVOKE_TOKEN:
        return NGX_HTTP_UNAUTHORIZED;

    case NGX_HTTP_CHAT_REVOKE_USER:
        return NGX_HTTP_FORBIDDEN;

    default:
        return NGX_OK;
    }
}


void
ngx_http_chat_revoked_session(ngx_http_chat_session_t *s)
{
    u_char                     sid[NGX_HTTP_CHAT_SESSION_ID_LEN];
    int64_t                    since;
    ngx_str_t                  user, id;
    chat_jwt_t                 jwt;
    ngx_http_chat_revoke_e     kind;
    ngx_http_chat_revoked_t   *revoked;
    ngx_http_chat_loc_conf_t  *chcf;

    chcf = s->conf;

    if (s->closing || s->dead) {
        return;
    }

    if (ngx_http_chat_key_ends(s)) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "client's API key holds no longer, or not for where "
                      "the client is");

        ngx_http_chat_session_close(s, NGX_HTTP_CHAT_REVOKED_TOKEN,
                                    "the API key holds no longer");
        return;
    }

    if (chcf->access.revoked == NULL) {
        return;
    }

    revoked = ngx_http_chat_keyfile_data(chcf->access.revoked,
                                         s->connection->log);

    ngx_memzero(&jwt, sizeof(chat_jwt_t));

    if (s->token && s->token->len && !s->token->key) {

        /* without memory it is held against the rest */

        (void) chat_jwt_restore(&jwt, s->token->text, s->token->len, 0);
    }

    user.data = ngx_http_chat_session_user(s);
    user.len = s->user_len;

    id.data = sid;
    id.len = NGX_HTTP_CHAT_SESSION_ID_LEN;

    ngx_http_chat_session_sid(s, sid);

    since = ((int64_t) ngx_http_chat_reply_now()
             - (int64_t) (ngx_current_msec - s->started)) / 1000;

    kind = ngx_http_chat_revoked_of(revoked, &user, &jwt, since);

    chat_jwt_free(&jwt);

    if (kind == NGX_HTTP_CHAT_REVOKE_NONE
        && ngx_http_chat_revoked_find(revoked, NGX_HTTP_CHAT_REVOKE_SESSION,
                                      &id, 0))
    {
        kind = NGX_HTTP_CHAT_REVOKE_SESSION;
    }

    if (kind == NGX_HTTP_CHAT_REVOKE_NONE) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                  "client's session was revoked by its %s",
                  kind == NGX_HTTP_CHAT_REVOKE_TOKEN ? "token"
                  : kind == NGX_HTTP_CHAT_REVOKE_USER ? "user" : "id");

    if (kind == NGX_HTTP_CHAT_REVOKE_TOKEN) {
        ngx_http_chat_session_close(s, NGX_HTTP_CHAT_REVOKED_TOKEN,
                                    "the token was revoked");
        return;
    }

    ngx_http_chat_session_close(s, NGX_HTTP_CHAT_REVOKED_USER, "revoked");
}


void
ngx_http_chat_revoked_start(ngx_cycle_t *cycle)
{
    ngx_event_t                *ev;
    ngx_http_chat_main_conf_t  *chmcf;

    chmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_chat_module);

    if (chmcf == NULL || chmcf->watched == NULL) {
        return;
    }

    ev = &ngx_http_chat_revoked_event;

    ev->handler = ngx_http_chat_revoked_handler;
    ev->data = chmcf->watched;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_CHAT_REVOKED_INTERVAL);
}


static void
ngx_http_chat_revoked_handler(ngx_event_t *ev)
{
    ngx_uint_t                 i;
    ngx_array_t               *watched;
    ngx_http_chat_keyfile_t  **file;

    watched = ev->data;
    file = watched->elts;

    for (i = 0; i < watched->nelts; i++) {
        if (ngx_http_chat_keyfile_news(file[i], ev->log)) {
            ngx_http_chat_revoked_walk(file[i]);
        }
    }

    ngx_add_timer(ev, NGX_HTTP_CHAT_REVOKED_INTERVAL);
}


/* Those of this worker; the others look for themselves. */

static void
ngx_http_chat_revoked_walk(ngx_http_chat_keyfile_t *file)
{
    ngx_uint_t                 i;
    ngx_connection_t          *c;
    ngx_http_chat_session_t   *s;
    ngx_http_chat_loc_conf_t  *chcf;

    c = ngx_cycle->connections;

    for (i = 0; i < ngx_cycle->connection_n; i++) {

        s = ngx_http_chat_session_of(&c[i]);

        if (s == NULL) {
            continue;
        }

        chcf = s->conf;

        if (chcf->access.revoked == file || chcf->doors.api_keys == file) {
            ngx_http_chat_revoked_session(s);
        }
    }
}


char *
ngx_http_chat_set_revoked(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t  *value;

    (void) cmd;

    if (chcf->access.revoked != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        chcf->access.revoked = NULL;
        return NGX_CONF_OK;
    }

    chcf->access.revoked = ngx_http_chat_keyfile_watch(cf, &value[1],
                                                 &ngx_http_chat_revoked_type);

    return chcf->access.revoked ? NGX_CONF_OK : NGX_CONF_ERROR;
}
