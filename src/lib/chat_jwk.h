
/*
 * Keys that signatures of tokens are verified with (RFC 7517, 7518, 8037):
 * a set is read once from a file's text and then only looked at.
 *
 * What a key is decides what it may verify, never the token alone: a public
 * key is no HMAC secret, a curve has one algorithm.  A set holds no private
 * keys: a file with one is refused, as it has no business on a server that
 * only verifies.
 */


#ifndef _CHAT_JWK_H_INCLUDED_
#define _CHAT_JWK_H_INCLUDED_


#include "chat_json.h"


#define CHAT_JWK_KEYS_MAX      32       /* in a set; all may have to be tried */
#define CHAT_JWK_FILE_MAX      (256 * 1024)

#define CHAT_JWK_SECRET_MIN    32       /* bytes; HS384 and HS512 need more */
#define CHAT_JWK_SECRET_MAX    4096
#define CHAT_JWK_RSA_MIN       2048     /* bits */
#define CHAT_JWK_RSA_MAX       8192
#define CHAT_JWK_SIGNATURE_MAX (CHAT_JWK_RSA_MAX / 8)


typedef enum {
    CHAT_JWA_HS256 = 0,
    CHAT_JWA_HS384,
    CHAT_JWA_HS512,
    CHAT_JWA_RS256,
    CHAT_JWA_RS384,
    CHAT_JWA_RS512,
    CHAT_JWA_PS256,
    CHAT_JWA_PS384,
    CHAT_JWA_PS512,
    CHAT_JWA_ES256,
    CHAT_JWA_ES384,
    CHAT_JWA_ES512,
    CHAT_JWA_EDDSA,                     /* with Ed25519 alone */
    CHAT_JWA_N                          /* how many; none of them */
} chat_jwa_e;


typedef enum {
    CHAT_JWK_OK = 0,
    CHAT_JWK_NO_KEY,                    /* no key of that kid and kind */
    CHAT_JWK_BAD_SIGNATURE
} chat_jwk_e;


typedef struct chat_jwk_set_s  chat_jwk_set_t;


/* The algorithm of that name, in its exact case; CHAT_JWA_N: there is none. */
chat_jwa_e chat_jwa_find(const void *name, size_t len);

/*
 * A set from a file's text; NULL: *reason, a static text, says what is wrong
 * with it.  "file" is PEM (public keys or certificates) where there is a
 * "-----BEGIN" in it, else the secret itself, without one line end behind it.
 * "json" is a JWK set, or a single JWK: members of kinds that are not known
 * and of other uses are skipped, one that is malformed or weak is an error.
 */
chat_jwk_set_t *chat_jwk_set_file(const unsigned char *text, size_t len,
    const char **reason);
chat_jwk_set_t *chat_jwk_set_json(const unsigned char *text, size_t len,
    const char **reason);
void chat_jwk_set_free(chat_jwk_set_t *set);

/* 1: there is a key for one of these algorithms, 1 << CHAT_JWA_...; 0 = all */
int chat_jwk_set_serves(const chat_jwk_set_t *set, unsigned algs);

/*
 * kid NULL: the token has none, and each key that fits the algorithm is
 * tried.  Else so are those of that kid, and those that have none.
 */
chat_jwk_e chat_jwk_verify(const chat_jwk_set_t *set, chat_jwa_e alg,
    const chat_str_t *kid, const unsigned char *input, size_t len,
    const unsigned char *signature, size_t signature_len);


#endif /* _CHAT_JWK_H_INCLUDED_ */
