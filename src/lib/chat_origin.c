
/*
 * Copyright (C) the chat module's authors
 */


#include <string.h>
#include <strings.h>

#include "chat_origin.h"


#define CHAT_ORIGIN_PORT_MAX  65535


static const unsigned char *chat_origin_parse_scheme(chat_origin_t *o,
    const unsigned char *p, const unsigned char *last);
static const unsigned char *chat_origin_parse_host(chat_origin_t *o,
    const unsigned char *p, const unsigned char *last);
static int chat_origin_parse_port(chat_origin_t *o, const unsigned char *p,
    const unsigned char *last);
static int chat_origin_word(unsigned char ch);
static int chat_origin_equal(const chat_str_t *a, const chat_str_t *b);
static int chat_origin_ports(const chat_origin_t *a, const chat_origin_t *b,
    unsigned otherwise);
static unsigned chat_origin_default_port(const chat_str_t *scheme);


int
chat_origin_parse(chat_origin_t *o, const unsigned char *text, size_t len)
{
    const unsigned char  *p, *last;

    memset(o, 0, sizeof(chat_origin_t));

    last = text + len;

    p = chat_origin_parse_scheme(o, text, last);
    p = chat_origin_parse_host(o, p, last);

    return p != NULL && chat_origin_parse_port(o, p, last);
}


int
chat_origin_rule(chat_origin_rule_t *rule, const unsigned char *text,
    size_t len)
{
    const unsigned char  *p, *last;

    memset(rule, 0, sizeof(chat_origin_rule_t));

    last = text + len;
    p = chat_origin_parse_scheme(&rule->origin, text, last);

    if (last - p > 2 && memcmp(last - 2, ":*", 2) == 0) {
        rule->any_port = 1;
        last -= 2;
    }

    if (last - p > 2 && memcmp(p, "*.", 2) == 0) {
        rule->suffix = 1;
        p++;
    }

    p = chat_origin_parse_host(&rule->origin, p, last);

    return p != NULL && chat_origin_parse_port(&rule->origin, p, last);
}


/* What is no scheme begins with the host. */

static const unsigned char *
chat_origin_parse_scheme(chat_origin_t *o, const unsigned char *p,
    const unsigned char *last)
{
    const unsigned char  *start;

    start = p;

    while (p < last && (chat_origin_word(*p) || *p == '+')) {
        p++;
    }

    if (p == start || last - p < 3 || memcmp(p, "://", 3) != 0) {
        return start;
    }

    o->scheme.data = start;
    o->scheme.len = (size_t) (p - start);

    return p + 3;
}


/* NULL: there is no host. */

static const unsigned char *
chat_origin_parse_host(chat_origin_t *o, const unsigned char *p,
    const unsigned char *last)
{
    int  literal;

    o->host.data = p;
    literal = (p < last && *p == '[');

    p += literal;

    while (p < last && (chat_origin_word(*p) || *p == '_'
                        || (literal && *p == ':')))
    {
        p++;
    }

    if (literal && (p == last || *p++ != ']')) {
        return NULL;
    }

    o->host.len = (size_t) (p - o->host.data);

    if (o->host.len && p[-1] == '.') {
        o->host.len--;
    }

    return o->host.len ? p : NULL;
}


static int
chat_origin_parse_port(chat_origin_t *o, const unsigned char *p,
    const unsigned char *last)
{
    if (p == last) {
        return 1;
    }

    if (*p++ != ':') {
        return 0;
    }

    for ( /* void */ ; p < last; p++) {

        if (*p < '0' || *p > '9') {
            return 0;
        }

        o->port = o->port * 10 + (unsigned) (*p - '0');

        if (o->port > CHAT_ORIGIN_PORT_MAX) {
            return 0;
        }
    }

    return o->port != 0;
}


/* Of a scheme as of a host. */

static int
chat_origin_word(unsigned char ch)
{
    return ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z')
           || (ch >= '0' && ch <= '9') || ch == '-' || ch == '.';
}


int
chat_origin_match(const chat_origin_rule_t *rule, const chat_origin_t *o)
{
    unsigned           port;
    chat_str_t         host;
    const chat_str_t  *scheme;

    scheme = &rule->origin.scheme;
    port = chat_origin_default_port(&o->scheme);

    if (scheme->len ? !chat_origin_equal(scheme, &o->scheme) : port == 0) {
        return 0;
    }

    host = o->host;

    if (rule->suffix) {

        if (host.len <= rule->origin.host.len) {
            return 0;
        }

        host.data += host.len - rule->origin.host.len;
        host.len = rule->origin.host.len;
    }

    return chat_origin_equal(&host, &rule->origin.host)
           && (rule->any_port || chat_origin_ports(o, &rule->origin, port));
}


/*
 * The Host header is what the browser wrote into its address.  If it names no
 * port then that was the default one of the page's scheme.  Whether the
 * scheme is the same we know over TLS alone: behind a proxy that ends it, an
 * "https" page comes in as a plain request.
 */

int
chat_origin_same(const chat_origin_t *host, const chat_origin_t *o, int tls)
{
    unsigned  port;

    port = chat_origin_default_port(&o->scheme);

    return host->scheme.len == 0 && port != 0 && (!tls || port == 443)
           && chat_origin_equal(&o->host, &host->host)
           && chat_origin_ports(o, host, port);
}


static int
chat_origin_equal(const chat_str_t *a, const chat_str_t *b)
{
    return a->len == b->len
           && strncasecmp((const char *) a->data, (const char *) b->data,
                          a->len)
              == 0;
}


static int
chat_origin_ports(const chat_origin_t *a, const chat_origin_t *b,
    unsigned otherwise)
{
    return (a->port ? a->port : otherwise) == (b->port ? b->port : otherwise);
}


/* 0: it is not a scheme of the web. */

static unsigned
chat_origin_default_port(const chat_str_t *scheme)
{
    static const chat_str_t  http = { (const unsigned char *) "http", 4 };
    static const chat_str_t  https = { (const unsigned char *) "https", 5 };

    if (chat_origin_equal(scheme, &https)) {
        return 443;
    }

    return chat_origin_equal(scheme, &http) ? 80 : 0;
}
