
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"

/* nginx itself may be built without PCRE, or with the first one */

#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH  8
#endif

#include <pcre2.h>

#include "chat_utf8.h"


/*
 * What an expression may cost.  PCRE2's own match limit does not see the steps
 * that it takes within one item: "\p{L}+\p{L}+\p{N}" looks at 2,000 letters
 * for seconds and stays below it.  So expressions have a callout in front of
 * each item, which counts itself and how far the place has moved: a unit of
 * work is about 10 ns, and a text has a million of them, which is 10 ms.  The
 * limits below hold the interpreter's memory, and the JIT's.
 */
#define NGX_HTTP_CHAT_MATCH_WORK   1000000
#define NGX_HTTP_CHAT_MATCH_BYTE   16            /* more for each byte */
#define NGX_HTTP_CHAT_MATCH_MOVE   16            /* bytes in a unit of work */
#define NGX_HTTP_CHAT_MATCH_DEPTH  1000
#define NGX_HTTP_CHAT_MATCH_HEAP   1024          /* KiB */
#define NGX_HTTP_CHAT_MATCH_STACK  (256 * 1024)  /* the JIT's */


struct ngx_http_chat_pattern_s {
    pcre2_code                 *code;
    ngx_str_t                   text;      /* for logs */
    const char                 *directive;
};


/* One "chat_filter". */
typedef struct {
    ngx_http_chat_pattern_t    *pattern;
    ngx_str_t                   replacement;
    unsigned                    reject:1;
    unsigned                    stars:1;   /* one for each character */
} ngx_http_chat_filter_t;


/* A location's, in their order. */
typedef struct {
    ngx_array_t                *filters;
    size_t                      max;       /* bytes that a text may become */
} ngx_http_chat_filters_t;


typedef struct {
    u_char                     *data;
    size_t                      len;
    size_t                      size;
} ngx_http_chat_filter_buf_t;


static ngx_uint_t ngx_http_chat_filter_room(void *data, ngx_str_t *room);
static ngx_int_t ngx_http_chat_filter_text(void *data, ngx_str_t *text,
    ngx_str_t *out);
static ngx_int_t ngx_http_chat_filter_mask(ngx_http_chat_filter_t *filter,
    size_t max, ngx_str_t *text, ngx_http_chat_filter_buf_t *buf);
static ngx_int_t ngx_http_chat_filter_replace(ngx_http_chat_filter_t *filter,
    ngx_str_t *match, size_t max, ngx_http_chat_filter_buf_t *buf);
static ngx_int_t ngx_http_chat_filter_add(ngx_http_chat_filter_buf_t *buf,
    u_char *data, size_t len, size_t max);
static ngx_int_t ngx_http_chat_pattern_match(ngx_http_chat_pattern_t *pattern,
    ngx_str_t *text, size_t from, ngx_uint_t options, ngx_str_t *match);
static ngx_int_t ngx_http_chat_pattern_init(void);
static int ngx_http_chat_pattern_callout(pcre2_callout_block *block,
    void *data);
static void ngx_http_chat_pattern_failed(ngx_http_chat_pattern_t *pattern,
    size_t len, int rc);

static ngx_http_chat_pattern_t *ngx_http_chat_pattern_compile(ngx_conf_t *cf,
    ngx_str_t *text, ngx_uint_t options);
static void ngx_http_chat_pattern_cleanup(void *data);
static char *ngx_http_chat_filter_action(ngx_conf_t *cf,
    ngx_http_chat_filter_t *filter);


/* The worker's. */

static struct {
    pcre2_match_context          *context;
    pcre2_match_data             *match;
    uint64_t                      work;    /* that is left for the text */
    size_t                        at;      /* the place, at the last callout */
    time_t                        failed;  /* when the log was last told */
    ngx_http_chat_filter_buf_t    bufs[2]; /* each filter's from the other */
} ngx_http_chat_matcher;


static ngx_uint_t
ngx_http_chat_filter_room(void *data, ngx_str_t *room)
{
    ngx_str_t  match;

    return ngx_http_chat_pattern_match(data, room, 0, 0, &match) == NGX_OK;
}


static ngx_int_t
ngx_http_chat_filter_text(void *data, ngx_str_t *text, ngx_str_t *out)
{
    ngx_http_chat_filters_t *filters = data;

    ngx_int_t                    rc;
    ngx_str_t                    match;
    ngx_uint_t                   i, n;
    ngx_http_chat_filter_t      *filter;
    ngx_http_chat_filter_buf_t  *buf;

    n = 0;
    *out = *text;
    filter = filters->filters->elts;

    for (i = 0; i < filters->filters->nelts; i++) {

        if (filter[i].reject) {
            rc = ngx_http_chat_pattern_match(filter[i].pattern, out, 0, 0,
                                             &match);

            if (rc != NGX_DECLINED) {
                return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DECLINED;
            }

            continue;
        }

        buf = &ngx_http_chat_matcher.bufs[n % 2];

        rc = ngx_http_chat_filter_mask(&filter[i], filters->max, out, buf);

        if (rc == NGX_DONE) {
            out->data = buf->data;
            out->len = buf->len;
            n++;

        } else if (rc != NGX_OK) {
            return rc;
        }
    }

    return n ? NGX_DONE : NGX_OK;
}


/* OK: nothing matches; DONE: it is in buf; DECLINED, ERROR: as the filter's. */

static ngx_int_t
ngx_http_chat_filter_mask(ngx_http_chat_filter_t *filter, size_t max,
    ngx_str_t *text, ngx_http_chat_filter_buf_t *buf)
{
    size_t      from;
    ngx_int_t   rc;
    ngx_str_t   match;
    ngx_uint_t  n;

    from = 0;
    buf->len = 0;

    for (n = 0; /* void */; n++) {

        rc = ngx_http_chat_pattern_match(filter->pattern, text, from,
                                         PCRE2_NOTEMPTY, &match);

        if (rc == NGX_DECLINED) {
            break;
        }

        if (rc != NGX_OK) {
            return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DECLINED;
        }

        rc = ngx_http_chat_filter_add(buf, text->data + from,
                                      match.data - text->data - from, max);
        if (rc == NGX_OK) {
            rc = ngx_http_chat_filter_replace(filter, &match, max, buf);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        from = match.data + match.len - text->data;
    }

    if (n == 0) {
        return NGX_OK;
    }

    rc = ngx_http_chat_filter_add(buf, text->data + from, text->len - from,
                                  max);

    return (rc == NGX_OK) ? NGX_DONE : rc;
}


static ngx_int_t
ngx_http_chat_filter_replace(ngx_http_chat_filter_t *filter, ngx_str_t *match,
    size_t max, ngx_http_chat_filter_buf_t *buf)
{
    size_t     i;
    ngx_int_t  rc;

    if (!filter->stars) {
        return ngx_http_chat_filter_add(buf, filter->replacement.data,
                                        filter->replacement.len, max);
    }

    for (i = 0; i < match->len; i++) {

        /* a character's bytes but the first are 10xxxxxx, RFC 3629 3 */

        if ((match->data[i] & 0xc0) == 0x80) {
            continue;
        }

        rc = ngx_http_chat_filter_add(buf, (u_char *) "*", 1, max);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* DECLINED: that is too long. */

static ngx_int_t
ngx_http_chat_filter_add(ngx_http_chat_filter_buf_t *buf, u_char *data,
    size_t len, size_t max)
{
    size_t   size;
    u_char  *p;

    if (len > max - buf->len) {
        return NGX_DECLINED;
    }

    if (len > buf->size - buf->len) {

        size = ngx_max(2 * buf->size, 4096);
        size = ngx_max(size, buf->len + len);

        p = ngx_alloc(size, ngx_cycle->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (buf->data) {
            ngx_memcpy(p, buf->data, buf->len);
            ngx_free(buf->data);
        }

        buf->data = p;
        buf->size = size;
    }

    if (len) {
        ngx_memcpy(buf->data + buf->len, data, len);
        buf->len += len;
    }

    return NGX_OK;
}


/* OK: it matches there; DECLINED: nowhere; ABORT: it takes too much, which is
 * logged; ERROR: no memory. */

static ngx_int_t
ngx_http_chat_pattern_match(ngx_http_chat_pattern_t *pattern, ngx_str_t *text,
    size_t from, ngx_uint_t options, ngx_str_t *match)
{
    int          rc;
    PCRE2_SIZE  *ovector;

    if (ngx_http_chat_pattern_init() != NGX_OK) {
        return NGX_ERROR;
    }

    /* further matches in a text share what it has */

    if (from == 0) {
        ngx_http_chat_matcher.work = NGX_HTTP_CHAT_MATCH_WORK
                                     + (uint64_t) NGX_HTTP_CHAT_MATCH_BYTE
                                       * text->len;
    }

    ngx_http_chat_matcher.at = from;

    /* names and texts were checked when they came */

    rc = pcre2_match(pattern->code, text->data, text->len, from,
                     options | PCRE2_NO_UTF_CHECK, ngx_http_chat_matcher.match,
                     ngx_http_chat_matcher.context);

    if (rc == PCRE2_ERROR_NOMATCH) {
        return NGX_DECLINED;
    }

    if (rc == PCRE2_ERROR_NOMEMORY) {
        return NGX_ERROR;
    }

    ovector = pcre2_get_ovector_pointer(ngx_http_chat_matcher.match);

    /* with \K in a lookaround a match can end before it begins, or begin
     * before the place it was looked for from */

    if (rc < 0 || ovector[0] > ovector[1] || ovector[0] < from) {
        ngx_http_chat_pattern_failed(pattern, text->len, rc);
        return NGX_ABORT;
    }

    match->data = text->data + ovector[0];
    match->len = ovector[1] - ovector[0];

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_pattern_init(void)
{
    pcre2_jit_stack      *stack;
    pcre2_match_data     *match;
    pcre2_match_context  *context;

    if (ngx_http_chat_matcher.match) {
        return NGX_OK;
    }

    match = pcre2_match_data_create(1, NULL);
    if (match == NULL) {
        return NGX_ERROR;
    }

    context = pcre2_match_context_create(NULL);
    if (context == NULL) {
        pcre2_match_data_free(match);
        return NGX_ERROR;
    }

    (void) pcre2_set_callout(context, ngx_http_chat_pattern_callout, NULL);
    (void) pcre2_set_depth_limit(context, NGX_HTTP_CHAT_MATCH_DEPTH);
    (void) pcre2_set_heap_limit(context, NGX_HTTP_CHAT_MATCH_HEAP);

    /* without one, as where there is no JIT, 32K of the machine's are used */

    stack = pcre2_jit_stack_create(16 * 1024, NGX_HTTP_CHAT_MATCH_STACK, NULL);
    if (stack) {
        pcre2_jit_stack_assign(context, NULL, stack);
    }

    ngx_http_chat_matcher.match = match;
    ngx_http_chat_matcher.context = context;

    return NGX_OK;
}


static int
ngx_http_chat_pattern_callout(pcre2_callout_block *block, void *data)
{
    size_t    at, moved;
    uint64_t  work;

    (void) data;    /* the matcher is the worker's only one */

    at = ngx_http_chat_matcher.at;
    ngx_http_chat_matcher.at = block->current_position;

    moved = (at < block->current_position) ? block->current_position - at
                                           : at - block->current_position;

    work = 1 + moved / NGX_HTTP_CHAT_MATCH_MOVE;

    if (ngx_http_chat_matcher.work < work) {
        return PCRE2_ERROR_MATCHLIMIT;
    }

    ngx_http_chat_matcher.work -= work;

    return 0;
}


/* Clients can repeat it. */

static void
ngx_http_chat_pattern_failed(ngx_http_chat_pattern_t *pattern, size_t len,
    int rc)
{
    u_char  why[128];

    if (ngx_http_chat_matcher.failed == ngx_time()) {
        return;
    }

    ngx_http_chat_matcher.failed = ngx_time();

    if (pcre2_get_error_message(rc, why, sizeof(why)) < 0) {
        (void) ngx_cpystrn(why, (u_char *) "match is not usable", sizeof(why));
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "\"%s\" gave up \"%V\" on a text of %uz bytes, which is "
                  "refused: %s", pattern->directive, &pattern->text, len, why);
}


char *
ngx_http_chat_set_room_names(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t  *value;

    (void) cmd;

    if (chcf->room_names != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                                          "a regular expression");
    }

    chcf->room_names = ngx_http_chat_pattern_compile(cf, &value[1], 0);

    return chcf->room_names ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_chat_set_filter(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_chat_loc_conf_t *chcf = conf;

    ngx_str_t               *value, text;
    ngx_uint_t               options;
    ngx_http_chat_filter_t  *filter;

    (void) cmd;

    value = cf->args->elts;
    text = value[1];

    if (chcf->filters == NULL) {
        return "is duplicate";
    }

    if (cf->args->nelts == 2 && ngx_strcmp(text.data, "off") == 0) {

        if (chcf->filters != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        chcf->filters = NULL;
        return NGX_CONF_OK;
    }

    options = 0;

    if (text.len > 1 && ngx_strncmp(text.data, "~*", 2) == 0) {
        options = PCRE2_CASELESS;
        text.data += 2;
        text.len -= 2;

    } else if (text.len && text.data[0] == '~') {
        text.data++;
        text.len--;

    } else {
        text.len = 0;
    }

    if (text.len == 0) {
        return ngx_http_chat_conf_invalid(cf, &value[1],
                                   "\"off\", or a regular expression with "
                                   "\"~\" or \"~*\" in front");
    }

    if (chcf->filters == NGX_CONF_UNSET_PTR) {
        chcf->filters = ngx_array_create(cf->pool, 4,
                                         sizeof(ngx_http_chat_filter_t));
        if (chcf->filters == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    filter = ngx_array_push(chcf->filters);
    if (filter == NULL) {
        return NGX_CONF_ERROR;
    }

    filter->pattern = ngx_http_chat_pattern_compile(cf, &text, options);
    if (filter->pattern == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_chat_filter_action(cf, filter);
}


static char *
ngx_http_chat_filter_action(ngx_conf_t *cf, ngx_http_chat_filter_t *filter)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    filter->reject = 0;
    filter->stars = (cf->args->nelts < 4);

    if (cf->args->nelts > 2 && ngx_strcmp(value[2].data, "mask") == 0) {

        if (filter->stars) {
            return NGX_CONF_OK;
        }

        filter->replacement = value[3];

        if (chat_utf8_valid(value[3].data, value[3].len)) {
            return NGX_CONF_OK;
        }

        return ngx_http_chat_conf_invalid(cf, &value[3], "UTF-8");
    }

    if (cf->args->nelts == 3 && ngx_strcmp(value[2].data, "reject") == 0) {
        filter->reject = 1;
        return NGX_CONF_OK;
    }

    return ngx_http_chat_conf_invalid(cf, &value[cf->args->nelts > 2 ? 2 : 1],
                                      "followed by \"reject\" alone, or by "
                                      "\"mask\" and perhaps a replacement");
}


/* NULL: an error, which is logged. */

static ngx_http_chat_pattern_t *
ngx_http_chat_pattern_compile(ngx_conf_t *cf, ngx_str_t *text,
    ngx_uint_t options)
{
    int                       rc;
    u_char                    why[128];
    ngx_str_t                *value;
    PCRE2_SIZE                at;
    ngx_pool_cleanup_t       *cln;
    ngx_http_chat_pattern_t  *pattern;

    value = cf->args->elts;

    pattern = ngx_palloc(cf->pool, sizeof(ngx_http_chat_pattern_t));
    if (pattern == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    pattern->text = *text;
    pattern->directive = (const char *) value[0].data;

    /* \C could split a character */

    pattern->code = pcre2_compile(text->data, text->len,
                                  options | PCRE2_UTF | PCRE2_UCP
                                  | PCRE2_NEVER_BACKSLASH_C
                                  | PCRE2_AUTO_CALLOUT,
                                  &rc, &at, NULL);

    if (pattern->code == NULL) {

        if (pcre2_get_error_message(rc, why, sizeof(why)) < 0) {
            why[0] = '\0';
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\" directive, it must "
                           "be a regular expression: %s at \"%s\"",
                           text, &value[0], why, text->data + at);
        return NULL;
    }

    cln->handler = ngx_http_chat_pattern_cleanup;
    cln->data = pattern;

    /* where there is no JIT the interpreter does it */

    (void) pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);

    return pattern;
}


static void
ngx_http_chat_pattern_cleanup(void *data)
{
    ngx_http_chat_pattern_t  *pattern = data;

    pcre2_code_free(pattern->code);
}


char *
ngx_http_chat_filter_merge(ngx_conf_t *cf, ngx_http_chat_loc_conf_t *prev,
    ngx_http_chat_loc_conf_t *conf)
{
    ngx_http_chat_filters_t  *filters;

    ngx_conf_merge_ptr_value(conf->room_names, prev->room_names, NULL);
    ngx_conf_merge_ptr_value(conf->filters, prev->filters, NULL);

    if (conf->zone == NULL) {
        return NGX_CONF_OK;
    }

    if (conf->room_names) {
        conf->settings.room_allowed = ngx_http_chat_filter_room;
        conf->settings.room_names = conf->room_names;
    }

    if (conf->filters) {
        filters = ngx_palloc(cf->pool, sizeof(ngx_http_chat_filters_t));
        if (filters == NULL) {
            return NGX_CONF_ERROR;
        }

        filters->filters = conf->filters;
        filters->max = conf->settings.message_size;

        conf->settings.filter = ngx_http_chat_filter_text;
        conf->settings.filters = filters;
    }

    return NGX_CONF_OK;
}
