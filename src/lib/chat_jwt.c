
/*
 * Copyright (C) the chat module's authors
 */


#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "chat_base64url.h"
#include "chat_jwt.h"


/* Seconds with more digits are meant as milliseconds, or are nonsense. */
#define CHAT_JWT_DATE_DIGITS  11


/* A token's three parts, as they stand in it. */
typedef struct {
    chat_str_t    header;
    chat_str_t    claims;
    chat_str_t    signature;
} chat_jwt_parts_t;


typedef struct {
    chat_jwa_e    alg;
    chat_str_t    kid;                  /* of the header's tree */
    unsigned      has_kid:1;
} chat_jwt_header_t;


static int chat_jwt_split(chat_jwt_parts_t *parts, const unsigned char *token,
    size_t len);
static chat_jwt_e chat_jwt_signed(const chat_jwt_parts_t *parts,
    const chat_jwk_set_t *keys, const chat_jwt_rules_t *rules,
    const char **reason);
static chat_jwt_e chat_jwt_header(chat_jwt_header_t *h, json_t *header,
    const char **reason);
static chat_jwt_e chat_jwt_signature(const chat_jwt_parts_t *parts,
    const chat_jwt_header_t *h, const chat_jwk_set_t *keys,
    const char **reason);
static chat_jwt_e chat_jwt_claims(chat_jwt_t *jwt,
    const chat_jwt_rules_t *rules, int64_t now, const char **reason);
static chat_jwt_e chat_jwt_times(chat_jwt_t *jwt, int64_t leeway, int64_t now,
    const char **reason);
static int chat_jwt_time(chat_jwt_t *jwt, const char *name, int64_t *ms);
static int chat_jwt_audience(const json_t *aud, const chat_jwt_rules_t *rules);
static int chat_jwt_listed(const json_t *string, const chat_str_t *list,
    size_t n);
static json_t *chat_jwt_json(const chat_str_t *part, unsigned char **text,
    size_t *len, const char **reason);
static chat_jwt_e chat_jwt_fail(const char **reason, const char *text);


chat_jwt_e
chat_jwt_verify(chat_jwt_t *jwt, const unsigned char *token, size_t len,
    const chat_jwk_set_t *keys, const chat_jwt_rules_t *rules, int64_t now,
    const char **reason)
{
    chat_jwt_e        rc;
    chat_jwt_parts_t  parts;

    memset(jwt, 0, sizeof(chat_jwt_t));

    if (len > CHAT_JWT_MAX) {
        return chat_jwt_fail(reason, "the token is over 16 KiB");
    }

    if (chat_jwt_split(&parts, token, len) != 0) {
        return chat_jwt_fail(reason, "the token has not three parts");
    }

    rc = chat_jwt_signed(&parts, keys, rules, reason);
    if (rc != CHAT_JWT_OK) {
        return rc;
    }

    jwt->claims = chat_jwt_json(&parts.claims, &jwt->text, &jwt->len, reason);

    rc = (jwt->claims == NULL) ? chat_jwt_fail(reason, *reason)
                               : chat_jwt_claims(jwt, rules, now, reason);

    if (rc != CHAT_JWT_OK) {
        chat_jwt_free(jwt);
    }

    return rc;
}


static int
chat_jwt_split(chat_jwt_parts_t *parts, const unsigned char *token, size_t len)
{
    unsigned              i;
    chat_str_t           *part[3];
    const unsigned char  *p, *end, *dot;

    part[0] = &parts->header;
    part[1] = &parts->claims;
    part[2] = &parts->signature;

    p = token;
    end = token + len;

    for (i = 0; i < 3; i++) {

        dot = (p < end) ? memchr(p, '.', (size_t) (end - p)) : NULL;

        /* one too few, or one too many */

        if ((dot == NULL) != (i == 2)) {
            return -1;
        }

        part[i]->data = p;
        part[i]->len = (size_t) ((dot ? dot : end) - p);

        if (part[i]->len == 0) {
            return -1;
        }

        p = dot ? dot + 1 : end;
    }

    return 0;
}


static chat_jwt_e
chat_jwt_signed(const chat_jwt_parts_t *parts, const chat_jwk_set_t *keys,
    const chat_jwt_rules_t *rules, const char **reason)
{
    size_t              len;
    json_t             *json;
    chat_jwt_e          rc;
    unsigned char      *text;
    chat_jwt_header_t   h;

    json = chat_jwt_json(&parts->header, &text, &len, reason);
    if (json == NULL) {
        return chat_jwt_fail(reason, *reason);
    }

    rc = chat_jwt_header(&h, json, reason);

    if (rc == CHAT_JWT_OK && rules->algs && !(rules->algs & 1u << h.alg)) {
        rc = chat_jwt_fail(reason, "the token's \"alg\" is not one of those "
                                   "that are taken here");
    }

    if (rc == CHAT_JWT_OK) {
        rc = chat_jwt_signature(parts, &h, keys, reason);
    }

    json_decref(json);
    free(text);

    return rc;
}


static chat_jwt_e
chat_jwt_header(chat_jwt_header_t *h, json_t *header, const char **reason)
{
    json_t  *alg, *kid, *typ;

    alg = json_object_get(header, "alg");
    kid = json_object_get(header, "kid");
    typ = json_object_get(header, "typ");

    h->alg = CHAT_JWA_N;

    if (json_is_string(alg)) {
        h->alg = chat_jwa_find(json_string_value(alg),
                               json_string_length(alg));
    }

    if (h->alg == CHAT_JWA_N) {
        return chat_jwt_fail(reason, "the token's \"alg\" is unknown");
    }

    /* no extension is known here, and none may be passed over */

    if (json_object_get(header, "crit") != NULL) {
        return chat_jwt_fail(reason, "the token has a \"crit\"");
    }

    if ((kid != NULL && !json_is_string(kid))
        || (typ != NULL && !json_is_string(typ)))
    {
        return chat_jwt_fail(reason,
                             "the token's \"kid\" or \"typ\" is no string");
    }

    h->has_kid = (kid != NULL);
    h->kid.data = (const unsigned char *) json_string_value(kid);
    h->kid.len = json_string_length(kid);

    return CHAT_JWT_OK;
}


static chat_jwt_e
chat_jwt_signature(const chat_jwt_parts_t *parts, const chat_jwt_header_t *h,
    const chat_jwk_set_t *keys, const char **reason)
{
    long           n;
    size_t         len;
    unsigned char  signature[CHAT_JWK_SIGNATURE_MAX + 3];

    n = -1;

    if (parts->signature.len <= (CHAT_JWK_SIGNATURE_MAX * 4 + 2) / 3) {
        n = chat_base64url(signature, parts->signature.data,
                           parts->signature.len);
    }

    if (n < 0) {
        return chat_jwt_fail(reason, "the token's signature is no base64url, "
                                     "or too long");
    }

    len = parts->header.len + 1 + parts->claims.len;

    switch (chat_jwk_verify(keys, h->alg, h->has_kid ? &h->kid : NULL,
                            parts->header.data, len, signature, (size_t) n))
    {

    case CHAT_JWK_OK:
        return CHAT_JWT_OK;

    case CHAT_JWK_NO_KEY:
        return chat_jwt_fail(reason, "there is no key for the token's \"kid\" "
                                     "and \"alg\"");

    default:
        return chat_jwt_fail(reason, "the token's signature does not hold");
    }
}


static chat_jwt_e
chat_jwt_claims(chat_jwt_t *jwt, const chat_jwt_rules_t *rules, int64_t now,
    const char **reason)
{
    json_t  *iss, *sub, *aud;

    iss = json_object_get(jwt->claims, "iss");
    sub = json_object_get(jwt->claims, "sub");
    aud = json_object_get(jwt->claims, "aud");

    if ((iss != NULL && !json_is_string(iss))
        || (sub != NULL && !json_is_string(sub)))
    {
        return chat_jwt_fail(reason,
                             "the token's \"iss\" or \"sub\" is no string");
    }

    if (rules->niss && !chat_jwt_listed(iss, rules->iss, rules->niss)) {
        return chat_jwt_fail(reason, "the token is of another issuer");
    }

    if (!chat_jwt_audience(aud, rules)) {
        return chat_jwt_fail(reason, "the token is for another audience");
    }

    return chat_jwt_times(jwt, rules->leeway, now, reason);
}


static chat_jwt_e
chat_jwt_times(chat_jwt_t *jwt, int64_t leeway, int64_t now,
    const char **reason)
{
    int64_t  exp, nbf, iat;

    exp = INT64_MAX;
    nbf = INT64_MIN;

    if (chat_jwt_time(jwt, "exp", &exp) != 0
        || chat_jwt_time(jwt, "nbf", &nbf) != 0
        || chat_jwt_time(jwt, "iat", &iat) != 0)
    {
        return chat_jwt_fail(reason, "the token's \"exp\", \"nbf\" or \"iat\" "
                                     "is no number of seconds");
    }

    if (nbf != INT64_MIN && nbf - leeway > now) {
        return chat_jwt_fail(reason, "the token is not valid yet");
    }

    if (exp == INT64_MAX) {
        return CHAT_JWT_OK;
    }

    if (exp + leeway <= now) {
        *reason = "the token has expired";
        return CHAT_JWT_EXPIRED;
    }

    jwt->expires = exp;

    return CHAT_JWT_OK;
}


/*
 * The digits are read as they stand in the text: what jansson makes of them
 * may be another number, and an exponent is not what a clock gives.
 */

static int
chat_jwt_time(chat_jwt_t *jwt, const char *name, int64_t *ms)
{
    int64_t               n;
    unsigned              i, digits, minus;
    chat_str_t            raw;
    const unsigned char  *p, *end;

    if (chat_json_raw(jwt->text, jwt->len, name, &raw) == 0) {
        return 0;
    }

    if (!json_is_number(json_object_get(jwt->claims, name))) {
        return -1;
    }

    p = raw.data;
    end = p + raw.len;
    minus = (*p == '-');
    p += minus;

    n = 0;

    for (digits = 0; p < end && *p >= '0' && *p <= '9'; digits++) {

        if (digits == CHAT_JWT_DATE_DIGITS) {
            return -1;
        }

        n = n * 10 + (*p++ - '0');
    }

    if (p < end && *p == '.') {
        p++;
    }

    for (i = 0; i < 3; i++) {
        n = n * 10 + ((p < end && *p >= '0' && *p <= '9') ? *p++ - '0' : 0);
    }

    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }

    *ms = minus ? -n : n;

    return (p == end) ? 0 : -1;
}


/* A string, or an array of them; whether there are rules or not. */

static int
chat_jwt_audience(const json_t *aud, const chat_jwt_rules_t *rules)
{
    int            found;
    size_t         i;
    const json_t  *one;

    if (aud == NULL) {
        return rules->naud == 0;
    }

    found = chat_jwt_listed(aud, rules->aud, rules->naud);

    if (!json_is_string(aud) && !json_is_array(aud)) {
        return 0;
    }

    for (i = 0; i < json_array_size(aud); i++) {
        one = json_array_get(aud, i);

        if (!json_is_string(one)) {
            return 0;
        }

        found = found || chat_jwt_listed(one, rules->aud, rules->naud);
    }

    return rules->naud == 0 || found;
}


static int
chat_jwt_listed(const json_t *string, const chat_str_t *list, size_t n)
{
    size_t  i;

    if (!json_is_string(string)) {
        return 0;
    }

    for (i = 0; i < n; i++) {

        if (list[i].len == json_string_length(string)
            && memcmp(list[i].data, json_string_value(string), list[i].len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* The object of a part, and its text, which is allocated. */

static json_t *
chat_jwt_json(const chat_str_t *part, unsigned char **text, size_t *len,
    const char **reason)
{
    long     n;
    json_t  *json;

    *text = malloc(part->len);

    if (*text == NULL) {
        *reason = chat_json_no_memory;
        return NULL;
    }

    n = chat_base64url(*text, part->data, part->len);

    json = NULL;

    if (n < 0) {
        *reason = "the token is no base64url";

    } else {
        *len = (size_t) n;
        json = chat_json_object(*text, *len, reason);
    }

    if (json == NULL) {
        free(*text);
        *text = NULL;
    }

    return json;
}


static chat_jwt_e
chat_jwt_fail(const char **reason, const char *text)
{
    *reason = text;

    return (text == chat_json_no_memory) ? CHAT_JWT_NO_MEMORY : CHAT_JWT_BAD;
}


chat_jwt_e
chat_jwt_restore(chat_jwt_t *jwt, const unsigned char *text, size_t len,
    int64_t expires)
{
    const char  *reason;

    jwt->text = malloc(len);
    jwt->len = len;
    jwt->expires = expires;
    jwt->claims = NULL;

    if (jwt->text != NULL) {
        memcpy(jwt->text, text, len);
        jwt->claims = chat_json_object(text, len, &reason);
    }

    if (jwt->claims == NULL) {
        chat_jwt_free(jwt);
        return CHAT_JWT_NO_MEMORY;
    }

    return CHAT_JWT_OK;
}


void
chat_jwt_free(chat_jwt_t *jwt)
{
    json_decref(jwt->claims);
    free(jwt->text);

    jwt->claims = NULL;
    jwt->text = NULL;
}


int
chat_jwt_claim(const chat_jwt_t *jwt, const char *name, size_t len,
    chat_str_t *value)
{
    json_t      *claim, *v;
    unsigned     found;
    const char  *key, *exact;

    claim = NULL;
    exact = NULL;
    found = 0;

    json_object_foreach (jwt->claims, key, v) {

        if (strlen(key) != len || strncasecmp(key, name, len) != 0) {
            continue;
        }

        claim = v;
        exact = key;
        found++;

        if (memcmp(key, name, len) == 0) {
            found = 1;
            break;
        }
    }

    if (found != 1 || json_is_null(claim)) {
        return 0;
    }

    if (json_is_string(claim)) {
        value->data = (const unsigned char *) json_string_value(claim);
        value->len = json_string_length(claim);
        return 1;
    }

    return chat_json_raw(jwt->text, jwt->len, exact, value);
}


int
chat_jwt_subject(const chat_jwt_t *jwt, chat_str_t *sub)
{
    json_t  *claim;

    claim = json_object_get(jwt->claims, "sub");

    sub->data = (const unsigned char *) json_string_value(claim);
    sub->len = json_string_length(claim);

    return claim != NULL;
}


int
chat_jwt_same(const chat_jwt_t *one, const chat_jwt_t *other)
{
    unsigned  i;
    json_t   *a, *b;

    static const char  *names[] = { "iss", "sub" };

    for (i = 0; i < 2; i++) {
        a = json_object_get(one->claims, names[i]);
        b = json_object_get(other->claims, names[i]);

        if ((a != NULL || b != NULL) && !json_equal(a, b)) {
            return 0;
        }
    }

    return 1;
}
