
/*
 * An Origin, and in the second line of the input the Host header or a rule
 * that it is held against.  What is taken for an origin has nothing but its
 * parts in it, and is let in only where these are the other one's, which is
 * looked at here by text alone.
 */


#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat_origin.h"


#define origin_fuzz_must(cond)                                                \
    if (!(cond)) {                                                            \
        fprintf(stderr, "failed: %s\n", #cond);                               \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void origin_fuzz_whole(const chat_origin_t *o, const uint8_t *text,
    size_t len);
static size_t origin_fuzz_copy(uint8_t *to, const chat_str_t *part);
static size_t origin_fuzz_plain(uint8_t *to, const chat_origin_t *o);
static void origin_fuzz_same(const chat_origin_t *o,
    const chat_origin_t *host);
static void origin_fuzz_match(const chat_origin_t *o,
    const chat_origin_rule_t *rule);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t               len, rest;
    uint8_t             *text, *other;
    const uint8_t       *line;
    chat_origin_t        o, host;
    chat_origin_rule_t   rule;

    line = size ? memchr(data, '\n', size) : NULL;
    len = line ? (size_t) (line - data) : size;
    rest = line ? size - len - 1 : 0;

    /* each in memory of its own, whose ends are known */

    text = malloc(len + 1);
    other = malloc(rest + 1);
    origin_fuzz_must(text && other);

    memcpy(text, data, len);
    memcpy(other, data + size - rest, rest);

    if (chat_origin_parse(&o, text, len)) {
        origin_fuzz_whole(&o, text, len);

        if (o.scheme.len && chat_origin_parse(&host, other, rest)) {
            origin_fuzz_whole(&host, other, rest);
            origin_fuzz_same(&o, &host);
        }

        if (o.scheme.len && chat_origin_rule(&rule, other, rest)) {
            origin_fuzz_match(&o, &rule);
        }
    }

    free(text);
    free(other);

    return 0;
}


/* The parts, and what must be between them, are all there is. */

static void
origin_fuzz_whole(const chat_origin_t *o, const uint8_t *text, size_t len)
{
    size_t          i;
    const uint8_t  *p, *end;

    p = text;
    end = text + len;

    if (o->scheme.len) {
        origin_fuzz_must(o->scheme.data == p);
        p += o->scheme.len;
        origin_fuzz_must(memcmp(p, "://", 3) == 0);
        p += 3;
    }

    origin_fuzz_must(o->host.len && o->host.data == p);

    for (i = 0; i < o->host.len; i++) {
        origin_fuzz_must(strchr("@/\\?#%* \t\r\n", p[i]) == NULL);
        origin_fuzz_must(p[i] > ' ' && p[i] < 0x7f);
    }

    p += o->host.len;
    p += (p < end && *p == '.');

    if (p == end) {
        origin_fuzz_must(o->port == 0);
        return;
    }

    origin_fuzz_must(*p == ':' && o->port >= 1 && o->port <= 65535);

    while (++p < end) {
        origin_fuzz_must(*p >= '0' && *p <= '9');
    }
}


static size_t
origin_fuzz_copy(uint8_t *to, const chat_str_t *part)
{
    size_t  i;

    for (i = 0; i < part->len; i++) {
        to[i] = (uint8_t) tolower(part->data[i]);
    }

    return part->len;
}


/* In small letters, with its port and no last dot. */

static size_t
origin_fuzz_plain(uint8_t *to, const chat_origin_t *o)
{
    size_t    n;
    unsigned  port;

    n = origin_fuzz_copy(to, &o->scheme);

    port = o->port ? o->port : (n == 5 && memcmp(to, "https", n) == 0) ? 443
           : (n == 4 && memcmp(to, "http", n) == 0) ? 80 : 0;

    to[n++] = ' ';
    n += origin_fuzz_copy(to + n, &o->host);

    return n + (size_t) sprintf((char *) to + n, " %u", port);
}


static void
origin_fuzz_same(const chat_origin_t *o, const chat_origin_t *host)
{
    size_t          n, m;
    uint8_t        *plain, *other;
    chat_origin_t   whole;

    whole = *host;
    whole.scheme = o->scheme;

    plain = malloc(o->scheme.len + o->host.len + 16);
    other = malloc(o->scheme.len + host->host.len + 16);
    origin_fuzz_must(plain && other);

    n = origin_fuzz_plain(plain, o);
    m = origin_fuzz_plain(other, &whole);

    if (chat_origin_same(host, o, 0)) {
        origin_fuzz_must(host->scheme.len == 0);
        origin_fuzz_must(n == m && memcmp(plain, other, n) == 0);
        origin_fuzz_must(memcmp(plain, "http ", 5) == 0
                         || memcmp(plain, "https ", 6) == 0);
    }

    origin_fuzz_must(chat_origin_same(host, o, 1)
                     == (chat_origin_same(host, o, 0)
                         && memcmp(plain, "https ", 6) == 0));

    free(plain);
    free(other);
}


static void
origin_fuzz_match(const chat_origin_t *o, const chat_origin_rule_t *rule)
{
    size_t          n, m;
    uint8_t        *plain, *other;
    chat_origin_t   whole;

    whole = rule->origin;

    if (whole.scheme.len == 0) {
        whole.scheme = o->scheme;
    }

    if (rule->suffix) {
        origin_fuzz_must(whole.host.data[0] == '.');

        whole.host = o->host;

        if (o->host.len > rule->origin.host.len) {
            whole.host.data += o->host.len - rule->origin.host.len;
            whole.host.len = rule->origin.host.len;
        }
    }

    n = o->scheme.len + o->host.len + whole.scheme.len + whole.host.len
        + rule->origin.host.len + 32;

    plain = malloc(n);
    other = malloc(n);
    origin_fuzz_must(plain && other);

    if (chat_origin_match(rule, o)) {

        if (rule->suffix) {
            n = origin_fuzz_copy(plain, &whole.host);
            m = origin_fuzz_copy(other, &rule->origin.host);

            origin_fuzz_must(n == m && memcmp(plain, other, n) == 0
                             && o->host.len > n);
            whole.host = o->host;
        }

        if (rule->any_port) {
            whole.port = o->port;
        }

        n = origin_fuzz_plain(plain, o);
        m = origin_fuzz_plain(other, &whole);

        origin_fuzz_must(n == m && memcmp(plain, other, n) == 0);
    }

    free(plain);
    free(other);
}
