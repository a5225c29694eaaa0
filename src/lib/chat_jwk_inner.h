
/*
 * What the parts of chat_jwk have of each other: a key, and what there is to
 * know of algorithms and curves.
 */


#ifndef _CHAT_JWK_INNER_H_INCLUDED_
#define _CHAT_JWK_INNER_H_INCLUDED_


#include <openssl/opensslv.h>

#include "chat_jwk.h"


/* No OpenSSL, or one that has other ways to make keys: there are no sets. */
#ifndef CHAT_JWK_OPENSSL
#define CHAT_JWK_OPENSSL     (OPENSSL_VERSION_NUMBER >= 0x30000000L)
#endif

#if (CHAT_JWK_OPENSSL)

#include <openssl/evp.h>


#define CHAT_JWK_FIELD_MAX   66         /* bytes of a coordinate, P-521's */
#define CHAT_JWK_CURVES      3


typedef enum {
    CHAT_JWK_OCT = 0,
    CHAT_JWK_RSA,
    CHAT_JWK_RSA_PSS,                   /* of a PEM that says so */
    CHAT_JWK_P256,
    CHAT_JWK_P384,
    CHAT_JWK_P521,
    CHAT_JWK_OKP,                       /* Ed25519 */
    CHAT_JWK_UNKNOWN
} chat_jwk_kind_e;


typedef struct {
    chat_jwk_kind_e   kind;
    chat_jwa_e        alg;              /* CHAT_JWA_N: any of its kind */
    EVP_PKEY         *pkey;
    unsigned char    *secret;
    size_t            secret_len;
    unsigned char    *kid;              /* NULL: it has none */
    size_t            kid_len;
} chat_jwk_t;


struct chat_jwk_set_s {
    unsigned          n;
    chat_jwk_t        keys[CHAT_JWK_KEYS_MAX];
};


typedef struct {
    chat_jwk_kind_e   kind;
    const EVP_MD    *(*md)(void);
    unsigned          pss;
} chat_jwa_t;


typedef struct {
    chat_jwk_kind_e   kind;
    const char       *crv;
    const char       *group;            /* OpenSSL's name */
    size_t            field;            /* bytes of a coordinate */
} chat_jwk_curve_t;


/* HMAC secrets are no less than the hash, RFC 7518 3.2: its size says it. */
extern const chat_jwa_t        chat_jwas[CHAT_JWA_N];
extern const chat_jwk_curve_t  chat_jwk_curves[CHAT_JWK_CURVES];


/*
 * A key of a JWK's members, or of a PEM's that is in it: sets its kind, if it
 * is one that may be used.  0; -1: *reason says what is wrong with it.
 */
int chat_jwk_oct(chat_jwk_t *key, json_t *jwk, const char **reason);
int chat_jwk_rsa(chat_jwk_t *key, json_t *jwk, const char **reason);
int chat_jwk_ec(chat_jwk_t *key, json_t *jwk, const char **reason);
int chat_jwk_okp(chat_jwk_t *key, json_t *jwk, const char **reason);
int chat_jwk_check(chat_jwk_t *key, const char **reason);

/* 1: it may verify what is signed by that algorithm and names that kid. */
int chat_jwk_fits(const chat_jwk_t *key, chat_jwa_e alg,
    const chat_str_t *kid);

/* 1: the member is that string. */
int chat_jwk_member(json_t *jwk, const char *name, const char *value);

/* The curve of that "crv", or of OpenSSL's name for its group; or NULL. */
const chat_jwk_curve_t *chat_jwk_curve(const char *name, int group);


#endif /* CHAT_JWK_OPENSSL */


#endif /* _CHAT_JWK_INNER_H_INCLUDED_ */
