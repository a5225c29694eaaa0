
/*
 * What comes with a token or stands in a file of keys.  The first byte says
 * what the rest is: 't' a token, 'c' claims and 'h' a header to be signed
 * here, so that what is behind the signature is reached, 'j' a set of keys,
 * 'k' a file.  A token that is taken must be one that says so by its parts,
 * and no set may take a token that nobody signed.
 */


#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "chat_jwt.h"
#include "jwt_vectors.h"


#define JWT_FUZZ_SECRET  "0123456789abcdef0123456789abcdef"
#define JWT_FUZZ_KEYS    "{\"keys\":["                                        \
                         "{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAx"  \
                         "MjM0NTY3ODlhYmNkZWY\"},"                            \
                         A2_KEY "," A3_KEY "," A4_KEY "," ED_KEY ","          \
                         "{\"kid\":\"k\",\"alg\":\"RS256\",\"kty\":\"RSA\","  \
                         "\"n\":\"" A2_N "\",\"e\":\"AQAB\"}]}"
#define JWT_FUZZ_HEADER  "{\"alg\":\"HS256\"}"
#define JWT_FUZZ_NOW     1300000000000LL


#define jwt_fuzz_check(cond)                                                  \
    do {                                                                      \
        if (!(cond)) {                                                        \
            abort();                                                          \
        }                                                                     \
    } while (0)


int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);


/* An issuer and an audience are asked for. */

static int  jwt_fuzz_strict;


static size_t
jwt_fuzz_encode(unsigned char *out, const unsigned char *data, size_t len)
{
    size_t          n;
    unsigned char  *p;

    n = (size_t) EVP_EncodeBlock(out, data, (int) len);

    while (n && out[n - 1] == '=') {
        n--;
    }

    for (p = out; p < out + n; p++) {
        *p = (*p == '+') ? '-' : (*p == '/') ? '_' : *p;
    }

    return n;
}


/* Claims that were taken: each can be had as text, and says what it is. */

static void
jwt_fuzz_claims(const chat_jwt_t *jwt)
{
    json_t      *v;
    chat_jwt_t   again, nobody;
    chat_str_t   value;
    const char  *key;

    json_object_foreach (jwt->claims, key, v) {

        if (chat_jwt_claim(jwt, key, strlen(key), &value) == 0) {
            jwt_fuzz_check(json_is_null(v));
            continue;
        }

        if (!json_is_string(v)) {
            jwt_fuzz_check(value.data >= jwt->text && value.len > 0
                           && value.data + value.len <= jwt->text + jwt->len);
        }
    }

    jwt_fuzz_check(jwt->expires == 0
                   || jwt->expires + 1000 > JWT_FUZZ_NOW);

    jwt_fuzz_check(chat_jwt_restore(&again, jwt->text, jwt->len, 0)
                   == CHAT_JWT_OK);
    jwt_fuzz_check(chat_jwt_same(jwt, &again));

    /* of claims without a name only others without one are the same */

    jwt_fuzz_check(chat_jwt_restore(&nobody, (const unsigned char *) "{}", 2,
                                    0)
                   == CHAT_JWT_OK);
    jwt_fuzz_check(chat_jwt_same(jwt, &nobody)
                   == (json_object_get(jwt->claims, "iss") == NULL
                       && json_object_get(jwt->claims, "sub") == NULL));

    chat_jwt_free(&nobody);
    chat_jwt_free(&again);
}


static chat_jwt_e
jwt_fuzz_verify(const unsigned char *token, size_t len,
    const chat_jwk_set_t *set)
{
    chat_jwt_e         rc;
    chat_jwt_t         jwt;
    const char        *reason;
    chat_jwt_rules_t   rules;

    static chat_str_t  iss = { (unsigned char *) "a", 1 };
    static chat_str_t  aud = { (unsigned char *) "b", 1 };

    memset(&rules, 0, sizeof(rules));
    rules.leeway = 1000;
    rules.algs = ~(1u << CHAT_JWA_HS512);

    if (jwt_fuzz_strict) {
        rules.iss = &iss;
        rules.niss = 1;
        rules.aud = &aud;
        rules.naud = 1;
    }

    reason = NULL;
    rc = chat_jwt_verify(&jwt, token, len, set, &rules, JWT_FUZZ_NOW, &reason);

    if (rc == CHAT_JWT_OK) {
        jwt_fuzz_claims(&jwt);
        chat_jwt_free(&jwt);

    } else {
        jwt_fuzz_check(reason != NULL && jwt.claims == NULL);
    }

    return rc;
}


static void
jwt_fuzz_signed(const unsigned char *header, size_t header_len,
    const unsigned char *claims, size_t claims_len, const chat_jwk_set_t *set)
{
    size_t          len;
    unsigned        n;
    unsigned char  *token, mac[EVP_MAX_MD_SIZE];

    token = malloc((header_len + claims_len) * 4 / 3 + 128);

    len = jwt_fuzz_encode(token, header, header_len);
    token[len++] = '.';
    len += jwt_fuzz_encode(token + len, claims, claims_len);

    HMAC(EVP_sha256(), JWT_FUZZ_SECRET, sizeof(JWT_FUZZ_SECRET) - 1, token,
         len, mac, &n);

    token[len++] = '.';
    len += jwt_fuzz_encode(token + len, mac, n);

    (void) jwt_fuzz_verify(token, len, set);

    free(token);
}


/* The token of another: whatever the keys are, it was not them. */

static void
jwt_fuzz_set(chat_jwk_set_t *set, const char *reason)
{
    static const char  token[] =
        "eyJhbGciOiJIUzI1NiJ9.e30."
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    if (set == NULL) {
        jwt_fuzz_check(reason != NULL);
        return;
    }

    jwt_fuzz_check(jwt_fuzz_verify((const unsigned char *) token,
                                   sizeof(token) - 1, set)
                   == CHAT_JWT_BAD);

    chat_jwk_set_free(set);
}


int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const char              *reason;
    chat_jwk_set_t          *keys;
    const unsigned char     *header, *claims;
    static chat_jwk_set_t   *set;

    reason = NULL;
    header = (const unsigned char *) JWT_FUZZ_HEADER;
    claims = (const unsigned char *) "{}";

    if (set == NULL) {
        set = chat_jwk_set_json((const unsigned char *) JWT_FUZZ_KEYS,
                                sizeof(JWT_FUZZ_KEYS) - 1, &reason);
        jwt_fuzz_check(set != NULL);
    }

    if (size == 0) {
        return 0;
    }

    jwt_fuzz_strict = (data[0] == 'r');

    switch (data[0]) {

    case 't':
        (void) jwt_fuzz_verify(data + 1, size - 1, set);
        break;

    case 'r':
    case 'c':
        jwt_fuzz_signed(header, sizeof(JWT_FUZZ_HEADER) - 1, data + 1,
                        size - 1, set);
        break;

    case 'h':
        jwt_fuzz_signed(data + 1, size - 1, claims, 2, set);
        break;

    case 'j':
        keys = chat_jwk_set_json(data + 1, size - 1, &reason);
        jwt_fuzz_set(keys, reason);
        break;

    case 'k':
        keys = chat_jwk_set_file(data + 1, size - 1, &reason);
        jwt_fuzz_set(keys, reason);
        break;
    }

    return 0;
}
