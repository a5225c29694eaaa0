
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "chat_glob.h"
#include "chat_utf8.h"
#include "ngx_http_chat_member.h"
#include "ngx_http_chat_token.h"


/*
 * API keys are long random strings that the file has hashed.  Nobody can try
 * out what has 128 bits of chance or more, so that a plain, fast hash is
 * right: scrypt and its like are for what people can remember.
 */

#define NGX_HTTP_CHAT_KEYS_MAX    1024
#define NGX_HTTP_CHAT_SECRET_MIN  32
#define NGX_HTTP_CHAT_SECRET_MAX  512
#define NGX_HTTP_CHAT_NAME_MAX    64
#define NGX_HTTP_CHAT_FIELDS      5        /* name, hash, scopes, rooms, time */

#define NGX_HTTP_CHAT_SCOPES_ALL                                              \
    (NGX_HTTP_CHAT_SCOPE_PUBLISH|NGX_HTTP_CHAT_SCOPE_HISTORY                  \
     |NGX_HTTP_CHAT_SCOPE_MODERATE|NGX_HTTP_CHAT_SCOPE_ADMIN)


typedef struct {
    ngx_uint_t            n;
    ngx_uint_t            size;
    ngx_http_chat_key_t  *keys;            /* sorted by their hashes */
    u_char               *text;            /* what the strings lie in */
} ngx_http_chat_keys_t;


static void *ngx_http_chat_keys_parse(ngx_str_t *name, u_char *text,
    size_t len, const char **reason, ngx_uint_t *line);
static const char *ngx_http_chat_keys_line(ngx_http_chat_keys_t *keys,
    ngx_str_t *line);
static const char *ngx_http_chat_keys_fields(ngx_http_chat_key_t *key,
    ngx_str_t *fields);
static ngx_int_t ngx_http_chat_keys_hash(u_char *hash, ngx_str_t *field);
static ngx_int_t ngx_http_chat_keys_hex(u_char *hash, ngx_str_t *hex);
static ngx_int_t ngx_http_chat_keys_scopes(ngx_uint_t *scopes,
    ngx_str_t *list);
static ngx_int_t ngx_http_chat_keys_time(time_t *expires, ngx_str_t *field);
static ngx_int_t ngx_http_chat_keys_number(u_char **p, u_char *end, size_t n,
    ngx_int_t low, ngx_int_t high, ngx_int_t *value);
static int ngx_libc_cdecl ngx_http_chat_keys_cmp(const void *one,
    const void *two);
static void ngx_http_chat_keys_free(void *data);
static ngx_uint_t ngx_http_chat_key_over(ngx_http_chat_key_t *key);
static ngx_http_chat_key_t *ngx_http_chat_key_of(ngx_http_chat_session_t *s);
static ngx_http_chat_key_t *ngx_http_chat_key_now(
    ngx_http_chat_keyfile_t *file, u_char *hash, ngx_log_t *log);
static ngx_uint_t ngx_http_chat_key_own(ngx_http_chat_session_t *s,
    ngx_str_t *room);
static ngx_uint_t ngx_http_chat_key_covers(ngx_http_chat_key_t *key,
    ngx_str_t *room);
static ngx_uint_t ngx_http_chat_key_joined(ngx_http_chat_session_t *s);


static const ngx_http_chat_keyfile_type_t  ngx_http_chat_keys_type = {
    "API keys",
    CHAT_JWK_FILE_MAX,
    ngx_http_chat_keys_parse,
    ngx_http_chat_keys_free
};


static const struct {
    ngx_str_t   name;
    ngx_uint_t  scope;
} ngx_http_chat_scopes[] = {
    { ngx_string("publish"), NGX_HTTP_CHAT_SCOPE_PUBLISH },
    { ngx_string("history"), NGX_HTTP_CHAT_SCOPE_HISTORY },
    { ngx_string("moderate"), NGX_HTTP_CHAT_SCOPE_MODERATE },
    { ngx_string("admin"), NGX_HTTP_CHAT_SCOPES_ALL },
    { ngx_null_string, 0 }
};


/* Of these scopes it takes one; to be in a room is to read it. */

static const ngx_uint_t  ngx_http_chat_act_scopes[NGX_HTTP_CHAT_ACTS] = {
    [NGX_HTTP_CHAT_ACT_JOIN] = NGX_HTTP_CHAT_SCOPE_HISTORY,
    [NGX_HTTP_CHAT_ACT_SEND] = NGX_HTTP_CHAT_SCOPE_PUBLISH,
    [NGX_HTTP_CHAT_ACT_HISTORY] = NGX_HTTP_CHAT_SCOPE_HISTORY,
    [NGX_HTTP_CHAT_ACT_MODERATE] = NGX_HTTP_CHAT_SCOPE_MODERATE,
    [NGX_HTTP_CHAT_ACT_DELETE] = NGX_HTTP_CHAT_SCOPE_PUBLISH
                                 |NGX_HTTP_CHAT_SCOPE_MODERATE
};


static void *
ngx_http_chat_keys_parse(ngx_str_t *name, u_char *text, size_t len,
    const char **reason, ngx_uint_t *line)
{
    u_char                *p, *end, *eol;
    ngx_str_t              s;
    ngx_http_chat_keys_t  *keys;

    (void) name;

    *reason = "no memory";

    keys = ngx_calloc(sizeof(ngx_http_chat_keys_t), ngx_cycle->log);
    if (keys == NULL) {
        return NULL;
    }

    keys->text = ngx_alloc(len + 1, ngx_cycle->log);
    if (keys->text == NULL) {
        ngx_free(keys);
        return NULL;
    }

    ngx_memcpy(keys->text, text, len);

    end = keys->text + len;

    for (p = keys->text; p < end; p = eol + 1) {
        (*line)++;

        eol = ngx_strlchr(p, end, '\n');
        if (eol == NULL) {
            eol = end;
        }

        s.data = p;
        s.len = eol - p;

        if (s.len && s.data[s.len - 1] == '\r') {
            s.len--;
        }

        if (s.len == 0 || s.data[0] == '#') {
            continue;
        }

        *reason = ngx_http_chat_keys_line(keys, &s);

        if (*reason) {
            ngx_http_chat_keys_free(keys);
            return NULL;
        }
    }

    if (keys->n) {
        ngx_qsort(keys->keys, keys->n, sizeof(ngx_http_chat_key_t),
                  ngx_http_chat_keys_cmp);
    }

    return keys;
}


static int ngx_libc_cdecl
ngx_http_chat_keys_cmp(const void *one, const void *two)
{
    const ngx_http_chat_key_t  *first = one;
    const ngx_http_chat_key_t  *second = two;

    return ngx_memcmp(first->hash, second->hash, NGX_HTTP_CHAT_KEY_HASH);
}


/* NULL, or what is wrong with it. */

static const char *
ngx_http_chat_keys_line(ngx_http_chat_keys_t *keys, ngx_str_t *line)
{
    u_char               *p, *end;
    ngx_str_t             fields[NGX_HTTP_CHAT_FIELDS];
    ngx_uint_t            i, size;
    const char           *reason;
    ngx_http_chat_key_t  *key;

    p = line->data;
    end = line->data + line->len;

    /* the time, which is the last one, has colons of its own */

    for (i = 0; i < NGX_HTTP_CHAT_FIELDS; i++) {
        fields[i].data = p;

        while (p < end && (*p != ':' || i == NGX_HTTP_CHAT_FIELDS - 1)) {
            p++;
        }

        fields[i].len = p - fields[i].data;

        if (p < end) {
            p++;

        } else if (i < NGX_HTTP_CHAT_FIELDS - 1) {
            return "there are not five fields";
        }
    }

    if (keys->n == NGX_HTTP_CHAT_KEYS_MAX) {
        return "there are more than 1024 keys";
    }

    if (keys->n == keys->size) {
        size = keys->size ? 2 * keys->size : 8;

        key = ngx_calloc(size * sizeof(ngx_http_chat_key_t), ngx_cycle->log);
        if (key == NULL) {
            return "there is no memory";
        }

        if (keys->n) {
            ngx_memcpy(key, keys->keys,
                       keys->n * sizeof(ngx_http_chat_key_t));
            ngx_free(keys->keys);
        }

        keys->keys = key;
        keys->size = size;
    }

    key = &keys->keys[keys->n];

    reason = ngx_http_chat_keys_fields(key, fields);
    if (reason) {
        return reason;
    }

    for (i = 0; i < keys->n; i++) {

        if (ngx_memcmp(keys->keys[i].hash, key->hash, NGX_HTTP_CHAT_KEY_HASH)
            == 0)
        {
            return "the same hash is there twice";
        }
    }

    keys->n++;

    return NULL;
}


static const char *
ngx_http_chat_keys_fields(ngx_http_chat_key_t *key, ngx_str_t *fields)
{
    key->name = fields[0];
    key->rooms = fields[3];

    if (!chat_utf8_name(key->name.data, key->name.len, 1,
                        NGX_HTTP_CHAT_NAME_MAX))
    {
        return "the name is not 1 to 64 bytes of UTF-8";
    }

    if (ngx_http_chat_keys_hash(key->hash, &fields[1]) != NGX_OK) {
        return "the hash is not \"sha256$\" and 64 hex digits, or base64";
    }

    if (ngx_http_chat_keys_scopes(&key->scopes, &fields[2]) != NGX_OK) {
        return "the scopes are no list of publish, history, moderate, admin";
    }

    if (key->rooms.len == 0) {
        return "there is no pattern of rooms, and \"*\" would be all";
    }

    if (ngx_http_chat_keys_time(&key->expires, &fields[4]) != NGX_OK) {
        return "the time is not \"-\", 2027-12-31 or 2027-12-31T23:59:59Z";
    }

    return NULL;
}


static ngx_int_t
ngx_http_chat_keys_hash(u_char *hash, ngx_str_t *field)
{
    size_t      len;
    u_char      buf[ngx_base64_decoded_length(48)];
    ngx_str_t   text, decoded;

    static const char  prefix[] = "sha256$";

    len = sizeof(prefix) - 1;

    if (field->len < len || ngx_strncmp(field->data, prefix, len) != 0) {
        return NGX_ERROR;
    }

    text.data = field->data + len;
    text.len = field->len - len;

    if (text.len == 2 * NGX_HTTP_CHAT_KEY_HASH) {
        return ngx_http_chat_keys_hex(hash, &text);
    }

    decoded.data = buf;

    if (text.len > 44 || ngx_decode_base64(&decoded, &text) != NGX_OK
        || decoded.len != NGX_HTTP_CHAT_KEY_HASH)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(hash, buf, NGX_HTTP_CHAT_KEY_HASH);

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_keys_hex(u_char *hash, ngx_str_t *hex)
{
    ngx_int_t   n;
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_CHAT_KEY_HASH; i++) {

        n = ngx_hextoi(hex->data + 2 * i, 2);
        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        hash[i] = (u_char) n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_keys_scopes(ngx_uint_t *scopes, ngx_str_t *list)
{
    u_char      *p, *end, *comma;
    ngx_uint_t   i;

    *scopes = 0;
    end = list->data + list->len;

    for (p = list->data; p <= end; p = comma + 1) {

        comma = ngx_strlchr(p, end, ',');

        if (comma == NULL) {
            comma = end;
        }

        for (i = 0; ngx_http_chat_scopes[i].scope; i++) {

            if (ngx_http_chat_scopes[i].name.len == (size_t) (comma - p)
                && ngx_strncmp(ngx_http_chat_scopes[i].name.data, p,
                               comma - p)
                   == 0)
            {
                break;
            }
        }

        if (ngx_http_chat_scopes[i].scope == 0) {
            return NGX_ERROR;
        }

        *scopes |= ngx_http_chat_scopes[i].scope;
    }

    return NGX_OK;
}


/* A day without a time ends with it, UTC. */

static ngx_int_t
ngx_http_chat_keys_time(time_t *expires, ngx_str_t *field)
{
    u_char     *p, *end;
    ngx_int_t   year, month, day, hour, min, sec;
    struct tm   tm;

    *expires = 0;

    p = field->data;
    end = p + field->len;

    if (field->len == 0 || (field->len == 1 && *p == '-')) {
        return NGX_OK;
    }

    hour = 23;
    min = 59;
    sec = 60;

    if (ngx_http_chat_keys_number(&p, end, 4, 1970, 9999, &year) != NGX_OK
        || p == end || *p++ != '-'
        || ngx_http_chat_keys_number(&p, end, 2, 1, 12, &month) != NGX_OK
        || p == end || *p++ != '-'
        || ngx_http_chat_keys_number(&p, end, 2, 1, 31, &day) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (p < end
        && (*p++ != 'T'
            || ngx_http_chat_keys_number(&p, end, 2, 0, 23, &hour) != NGX_OK
            || p == end || *p++ != ':'
            || ngx_http_chat_keys_number(&p, end, 2, 0, 59, &min) != NGX_OK
            || p == end || *p++ != ':'
            || ngx_http_chat_keys_number(&p, end, 2, 0, 60, &sec) != NGX_OK
            || p == end || *p++ != 'Z'))
    {
        return NGX_ERROR;
    }

    ngx_memzero(&tm, sizeof(struct tm));

    tm.tm_year = (int) year - 1900;
    tm.tm_mon = (int) month - 1;
    tm.tm_mday = (int) day;

    *expires = timegm(&tm);

    /* the 31st of a month that has none would be the 1st of the next */

    if (p != end || tm.tm_mday != (int) day || *expires == -1) {
        return NGX_ERROR;
    }

    *expires += hour * 3600 + min * 60 + sec;

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_keys_number(u_char **p, u_char *end, size_t n, ngx_int_t low,
    ngx_int_t high, ngx_int_t *value)
{
    if ((size_t) (end - *p) < n) {
        return NGX_ERROR;
    }

    *value = ngx_atoi(*p, n);
    *p += n;

    return (*value == NGX_ERROR || *value < low || *value > high)
           ? NGX_ERROR : NGX_OK;
}


static void
ngx_http_chat_keys_free(void *data)
{
    ngx_http_chat_keys_t  *keys = data;

    if (keys->keys) {
        ngx_free(keys->keys);
    }

    ngx_free(keys->text);
    ngx_free(keys);
}


ngx_http_chat_key_t *
ngx_http_chat_key_find(ngx_http_chat_keyfile_t *file, ngx_str_t *secret,
    ngx_log_t *log)
{
    u_char                 hash[EVP_MAX_MD_SIZE];
    ngx_uint_t             i, found;
    ngx_http_chat_keys_t  *keys;

    keys = ngx_http_chat_keyfile_data(file, log);

    if (secret->len < NGX_HTTP_CHAT_SECRET_MIN
        || secret->len > NGX_HTTP_CHAT_SECRET_MAX
        || EVP_Digest(secret->data, secret->len, hash, NULL, EVP_sha256(),
                      NULL)
           != 1)
    {
        return NULL;
    }

    found = keys->n;

    for (i = 0; i < keys->n; i++) {

        if (CRYPTO_memcmp(keys->keys[i].hash, hash, NGX_HTTP_CHAT_KEY_HASH)
            == 0)
        {
            found = i;
        }
    }

    if (found == keys->n || ngx_http_chat_key_over(&keys->keys[found])) {
        return NULL;
    }

    return &keys->keys[found];
}


static ngx_uint_t
ngx_http_chat_key_over(ngx_http_chat_key_t *key)
{
    return key->expires && key->expires <= ngx_time();
}


ngx_uint_t
ngx_http_chat_key_role(ngx_uint_t scopes)
{
    if (scopes & NGX_HTTP_CHAT_SCOPE_ADMIN) {
        return NGX_HTTP_CHAT_ROLE_OWNER;
    }

    return (scopes & NGX_HTTP_CHAT_SCOPE_MODERATE)
           ? NGX_HTTP_CHAT_ROLE_MODERATOR : NGX_HTTP_CHAT_ROLE_NONE;
}


ngx_int_t
ngx_http_chat_key_keep(ngx_http_chat_session_t *s, u_char *hash,
    ngx_uint_t role, int64_t ends)
{
    if (ngx_http_chat_token_set(s, hash, NGX_HTTP_CHAT_KEY_HASH, ends)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    s->token->key = 1;
    s->token->role = (uint8_t) role;

    return NGX_OK;
}


ngx_uint_t
ngx_http_chat_key_allows(ngx_http_chat_session_t *s, ngx_uint_t act,
    ngx_str_t *room)
{
    ngx_http_chat_key_t  *key;

    if (s->token == NULL || !s->token->key) {
        return 1;
    }

    key = ngx_http_chat_key_of(s);

    return key && (key->scopes & ngx_http_chat_act_scopes[act])
           && (ngx_http_chat_key_own(s, room)
               || ngx_http_chat_key_covers(key, room));
}


ngx_uint_t
ngx_http_chat_key_opens(ngx_http_chat_keyfile_t *file,
    ngx_http_chat_credential_t *cr, ngx_str_t *room, ngx_log_t *log)
{
    ngx_http_chat_key_t  *key;

    if (cr->kind != NGX_HTTP_CHAT_CREDENTIAL_KEY) {
        return 1;
    }

    key = ngx_http_chat_key_now(file, cr->hash, log);

    return key && ngx_http_chat_key_covers(key, room);
}


static ngx_http_chat_key_t *
ngx_http_chat_key_of(ngx_http_chat_session_t *s)
{
    ngx_http_chat_loc_conf_t  *chcf;

    chcf = s->conf;

    return ngx_http_chat_key_now(chcf->doors.api_keys, s->token->text,
                                 s->connection->log);
}


/* NULL: there is no such line any more, or its time is over. */

static ngx_http_chat_key_t *
ngx_http_chat_key_now(ngx_http_chat_keyfile_t *file, u_char *hash,
    ngx_log_t *log)
{
    ngx_http_chat_key_t    wanted, *key;
    ngx_http_chat_keys_t  *keys;

    keys = ngx_http_chat_keyfile_data(file, log);

    if (keys->n == 0) {
        return NULL;
    }

    ngx_memcpy(wanted.hash, hash, NGX_HTTP_CHAT_KEY_HASH);

    key = bsearch(&wanted, keys->keys, keys->n, sizeof(ngx_http_chat_key_t),
                  ngx_http_chat_keys_cmp);

    return (key == NULL || ngx_http_chat_key_over(key)) ? NULL : key;
}


/* One's inbox is one's own, whatever the patterns are. */

static ngx_uint_t
ngx_http_chat_key_own(ngx_http_chat_session_t *s, ngx_str_t *room)
{
    return room->len == (size_t) s->user_len + 1 && room->data[0] == '@'
           && ngx_memcmp(room->data + 1, ngx_http_chat_session_user(s),
                         s->user_len)
              == 0;
}


static ngx_uint_t
ngx_http_chat_key_covers(ngx_http_chat_key_t *key, ngx_str_t *room)
{
    u_char  *p, *end, *comma;

    end = key->rooms.data + key->rooms.len;

    for (p = key->rooms.data; p <= end; p = comma + 1) {

        comma = ngx_strlchr(p, end, ',');

        if (comma == NULL) {
            comma = end;
        }

        if (chat_glob(p, comma - p, room->data, room->len)) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_chat_key_ends(ngx_http_chat_session_t *s)
{
    int64_t                 ends;
    uint8_t                 role;
    ngx_http_chat_key_t    *key;
    ngx_http_chat_token_t  *token;

    if (s->token == NULL || !s->token->key) {
        return 0;
    }

    key = ngx_http_chat_key_of(s);

    if (key == NULL || !(key->scopes & NGX_HTTP_CHAT_SCOPE_HISTORY)) {
        return 1;
    }

    token = s->token;
    role = token->role;
    ends = (int64_t) key->expires * 1000;

    /* "chat_user_role" may have said something else */

    if (role && role == s->role) {
        role = (uint8_t) ngx_http_chat_key_role(key->scopes);
        s->role = role;
    }

    token->role = role;

    if (ends != token->ends
        && ngx_http_chat_key_keep(s, token->text, role, ends) != NGX_OK)
    {
        return 1;
    }

    return !ngx_http_chat_key_joined(s);
}


/* 1: it may be in all of the rooms that it is in. */

static ngx_uint_t
ngx_http_chat_key_joined(ngx_http_chat_session_t *s)
{
    ngx_str_t                room;
    ngx_uint_t               i;
    ngx_http_chat_member_t  *m;

    if (s->settings->protocol == NGX_HTTP_CHAT_PROTOCOL_RAW) {

        /* the log's name is another one */

        room.data = ngx_http_chat_session_room(s);
        room.len = s->room_len;

        return ngx_http_chat_key_allows(s, NGX_HTTP_CHAT_ACT_JOIN, &room);
    }

    for (i = 0; i < s->joined_size; i++) {

        m = ngx_http_chat_session_member(s, i);

        if (m && !ngx_http_chat_key_allows(s, NGX_HTTP_CHAT_ACT_JOIN,
                                   &ngx_http_chat_member_local(m)->name))
        {
            return 0;
        }
    }

    return 1;
}


char *
ngx_http_chat_set_api_keys(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t                  *value;
    ngx_http_chat_main_conf_t  *chmcf;

    value = cf->args->elts;

    if (chcf->doors.api_keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        chcf->doors.api_keys = NULL;
        return NGX_CONF_OK;
    }

    chmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_chat_module);
    chmcf->doors = 1;

    chcf->doors.api_keys = ngx_http_chat_keyfile_watch(cf, &value[1],
                                                     &ngx_http_chat_keys_type);

    return chcf->doors.api_keys ? NGX_CONF_OK : NGX_CONF_ERROR;
}
