
/*
 * Copyright (C) the chat module's authors
 */


#include <stdlib.h>
#include <string.h>

#include <openssl/opensslv.h>

#include "chat_base64url.h"
#include "chat_jwk.h"


chat_jwa_e
chat_jwa_find(const void *name, size_t len)
{
    unsigned  i;

    static const char  *names[CHAT_JWA_N] = {
        "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384",
        "PS512", "ES256", "ES384", "ES512", "EdDSA"
    };

    for (i = 0; i < CHAT_JWA_N; i++) {

        if (strlen(names[i]) == len
            && memcmp(names[i], name, len) == 0)
        {
            break;
        }
    }

    return (chat_jwa_e) i;
}


#if (OPENSSL_VERSION_NUMBER >= 0x30000000L)

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>


#define CHAT_JWK_FIELD_MAX   66         /* bytes of a coordinate, P-521's */
#define CHAT_JWK_ED25519     32

/* An ECDSA signature in DER: two INTEGERs with a sign byte, in a SEQUENCE. */
#define CHAT_JWK_DER_MAX     (2 * (CHAT_JWK_FIELD_MAX + 4) + 4)


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


static int chat_jwk_set_secret(chat_jwk_set_t *set, const unsigned char *text,
    size_t len, const char **reason);
static int chat_jwk_set_pem(chat_jwk_set_t *set, const unsigned char *text,
    size_t len, const char **reason);
static int chat_jwk_set_pem_block(chat_jwk_set_t *set, const char *name,
    const unsigned char *der, long len, const char **reason);
static int chat_jwk_set_json_keys(chat_jwk_set_t *set, json_t *root,
    const char **reason);
static int chat_jwk_set_add(chat_jwk_set_t *set, json_t *jwk,
    const char **reason);
static chat_jwk_t *chat_jwk_set_next(chat_jwk_set_t *set,
    const char **reason);

static int chat_jwk_wanted(json_t *jwk);
static int chat_jwk_names(chat_jwk_t *key, json_t *jwk, const char **reason);
static int chat_jwk_oct(chat_jwk_t *key, json_t *jwk, const char **reason);
static int chat_jwk_rsa(chat_jwk_t *key, json_t *jwk, const char **reason);
static int chat_jwk_ec(chat_jwk_t *key, json_t *jwk, const char **reason);
static int chat_jwk_okp(chat_jwk_t *key, json_t *jwk, const char **reason);
static const chat_jwk_curve_t *chat_jwk_curve(const char *name, int group);
static EVP_PKEY *chat_jwk_from(const char *type, OSSL_PARAM *params);
static unsigned char *chat_jwk_bytes(json_t *jwk, const char *name,
    size_t max, size_t *len);
static int chat_jwk_member(json_t *jwk, const char *name, const char *value);
static int chat_jwk_check(chat_jwk_t *key, const char **reason);
static int chat_jwk_check_rsa(EVP_PKEY *pkey, const char **reason);
static int chat_jwk_check_ec(chat_jwk_t *key, const char **reason);

static int chat_jwk_fits(const chat_jwk_t *key, chat_jwa_e alg,
    const chat_str_t *kid);
static int chat_jwk_verify_hmac(const chat_jwk_t *key, const EVP_MD *md,
    const unsigned char *input, size_t len, const unsigned char *signature,
    size_t signature_len);
static int chat_jwk_verify_pkey(const chat_jwk_t *key, const chat_jwa_t *jwa,
    const unsigned char *input, size_t len, const unsigned char *signature,
    size_t signature_len);
static size_t chat_jwk_der(const chat_jwk_curve_t *curve, unsigned char *der,
    const unsigned char *signature, size_t len);


static const char  chat_jwk_no_memory[] = "no memory";
static const char  chat_jwk_private[] =
    "it holds a private key, its public part is enough and safer";


/* HMAC secrets are no less than the hash, RFC 7518 3.2: its size says it. */

static const chat_jwa_t  chat_jwas[CHAT_JWA_N] = {
    [CHAT_JWA_HS256] = { CHAT_JWK_OCT, EVP_sha256, 0 },
    [CHAT_JWA_HS384] = { CHAT_JWK_OCT, EVP_sha384, 0 },
    [CHAT_JWA_HS512] = { CHAT_JWK_OCT, EVP_sha512, 0 },
    [CHAT_JWA_RS256] = { CHAT_JWK_RSA, EVP_sha256, 0 },
    [CHAT_JWA_RS384] = { CHAT_JWK_RSA, EVP_sha384, 0 },
    [CHAT_JWA_RS512] = { CHAT_JWK_RSA, EVP_sha512, 0 },
    [CHAT_JWA_PS256] = { CHAT_JWK_RSA, EVP_sha256, 1 },
    [CHAT_JWA_PS384] = { CHAT_JWK_RSA, EVP_sha384, 1 },
    [CHAT_JWA_PS512] = { CHAT_JWK_RSA, EVP_sha512, 1 },
    [CHAT_JWA_ES256] = { CHAT_JWK_P256, EVP_sha256, 0 },
    [CHAT_JWA_ES384] = { CHAT_JWK_P384, EVP_sha384, 0 },
    [CHAT_JWA_ES512] = { CHAT_JWK_P521, EVP_sha512, 0 },
    [CHAT_JWA_EDDSA] = { CHAT_JWK_OKP, NULL, 0 }
};


static const chat_jwk_curve_t  chat_jwk_curves[] = {
    { CHAT_JWK_P256, "P-256", "prime256v1", 32 },
    { CHAT_JWK_P384, "P-384", "secp384r1", 48 },
    { CHAT_JWK_P521, "P-521", "secp521r1", 66 }
};

#define CHAT_JWK_CURVES  (sizeof(chat_jwk_curves) / sizeof(chat_jwk_curves[0]))


chat_jwk_set_t *
chat_jwk_set_file(const unsigned char *text, size_t len, const char **reason)
{
    int              rc;
    size_t           i, n;
    chat_jwk_set_t  *set;

    static const char  begin[] = "-----BEGIN ";

    set = calloc(1, sizeof(chat_jwk_set_t));
    if (set == NULL) {
        *reason = chat_jwk_no_memory;
        return NULL;
    }

    n = sizeof(begin) - 1;

    for (i = 0; i + n <= len && memcmp(text + i, begin, n) != 0; i++) {
        /* void */
    }

    rc = (i + n <= len) ? chat_jwk_set_pem(set, text, len, reason)
                        : chat_jwk_set_secret(set, text, len, reason);

    ERR_clear_error();

    if (rc != 0) {
        chat_jwk_set_free(set);
        return NULL;
    }

    return set;
}


/* What is a public key for others must never become a secret here. */

static int
chat_jwk_set_secret(chat_jwk_set_t *set, const unsigned char *text, size_t len,
    const char **reason)
{
    EVP_PKEY             *pkey;
    chat_jwk_t           *key;
    const unsigned char  *p;

    if (len && text[len - 1] == '\n') {
        len--;

        if (len && text[len - 1] == '\r') {
            len--;
        }
    }

    if (len < CHAT_JWK_SECRET_MIN || len > CHAT_JWK_SECRET_MAX) {
        *reason = "the secret is shorter than 32 or longer than 4096 bytes";
        return -1;
    }

    p = text;
    pkey = d2i_PUBKEY(NULL, &p, (long) len);

    if (pkey != NULL || memcmp(text, "ssh-", 4) == 0
        || memcmp(text, "ecdsa-", 6) == 0)
    {
        EVP_PKEY_free(pkey);
        *reason = "it is a public key, but not in PEM";
        return -1;
    }

    if (text[0] == '{') {
        *reason = "it is JSON: a set of keys is given by \"jwks=\"";
        return -1;
    }

    key = chat_jwk_set_next(set, reason);

    key->kind = CHAT_JWK_OCT;
    key->secret = malloc(len);

    if (key->secret == NULL) {
        *reason = chat_jwk_no_memory;
        return -1;
    }

    memcpy(key->secret, text, len);
    key->secret_len = len;

    return 0;
}


static int
chat_jwk_set_pem(chat_jwk_set_t *set, const unsigned char *text, size_t len,
    const char **reason)
{
    int             rc;
    BIO            *bio;
    char           *name, *header;
    long            n;
    unsigned long   error;
    unsigned char  *der;

    bio = BIO_new_mem_buf(text, (int) len);
    if (bio == NULL) {
        *reason = chat_jwk_no_memory;
        return -1;
    }

    rc = 0;

    while (rc == 0 && PEM_read_bio(bio, &name, &header, &der, &n) == 1) {

        rc = chat_jwk_set_pem_block(set, name, der, n, reason);

        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t) n);
    }

    BIO_free(bio);

    if (rc != 0) {
        return -1;
    }

    /* that is how the end is told, too */

    error = ERR_peek_last_error();

    if (ERR_GET_LIB(error) != ERR_LIB_PEM
        || ERR_GET_REASON(error) != PEM_R_NO_START_LINE
        || set->n == 0)
    {
        *reason = "the PEM is damaged";
        return -1;
    }

    return 0;
}


static int
chat_jwk_set_pem_block(chat_jwk_set_t *set, const char *name,
    const unsigned char *der, long len, const char **reason)
{
    X509                 *x509;
    chat_jwk_t           *key;
    const unsigned char  *p, *end;

    key = chat_jwk_set_next(set, reason);
    if (key == NULL) {
        return -1;
    }

    p = der;
    end = der + len;

    if (strstr(name, "PRIVATE KEY") != NULL) {
        *reason = chat_jwk_private;
        return -1;
    }

    if (strcmp(name, PEM_STRING_PUBLIC) == 0) {
        key->pkey = d2i_PUBKEY(NULL, &p, len);

    } else if (strcmp(name, PEM_STRING_RSA_PUBLIC) == 0) {
        key->pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, len);

    } else if (strcmp(name, PEM_STRING_X509) == 0) {
        x509 = d2i_X509(NULL, &p, len);

        if (x509 != NULL) {
            key->pkey = X509_get_pubkey(x509);
            X509_free(x509);
        }

    } else {
        *reason = "the PEM is of something else than public keys";
        return -1;
    }

    if (key->pkey == NULL || p != end) {
        *reason = "the PEM's key cannot be read";
        return -1;
    }

    return chat_jwk_check(key, reason);
}


chat_jwk_set_t *
chat_jwk_set_json(const unsigned char *text, size_t len, const char **reason)
{
    int              rc;
    json_t          *root;
    chat_jwk_set_t  *set;

    root = chat_json_object(text, len, reason);
    if (root == NULL) {
        return NULL;
    }

    set = calloc(1, sizeof(chat_jwk_set_t));

    if (set == NULL) {
        *reason = chat_jwk_no_memory;
        json_decref(root);
        return NULL;
    }

    rc = chat_jwk_set_json_keys(set, root, reason);

    json_decref(root);
    ERR_clear_error();

    if (rc != 0) {
        chat_jwk_set_free(set);
        return NULL;
    }

    return set;
}


static int
chat_jwk_set_json_keys(chat_jwk_set_t *set, json_t *root, const char **reason)
{
    size_t   i;
    json_t  *keys;

    keys = json_object_get(root, "keys");

    if (keys == NULL && json_object_get(root, "kty") != NULL) {

        if (chat_jwk_set_add(set, root, reason) != 0) {
            return -1;
        }

    } else if (!json_is_array(keys)) {
        *reason = "there is no array \"keys\" in it";
        return -1;
    }

    for (i = 0; i < json_array_size(keys); i++) {

        if (!json_is_object(json_array_get(keys, i))) {
            *reason = "one of \"keys\" is no object";
            return -1;
        }

        if (chat_jwk_set_add(set, json_array_get(keys, i), reason) != 0) {
            return -1;
        }
    }

    /* an empty set verifies nothing: a provider's way to end all tokens */

    if (set->n == 0 && json_array_size(keys) != 0) {
        *reason = "none of its keys is for signatures that are known here";
        return -1;
    }

    return 0;
}


static int
chat_jwk_set_add(chat_jwk_set_t *set, json_t *jwk, const char **reason)
{
    int          rc;
    chat_jwk_t  *key;

    if (!json_is_string(json_object_get(jwk, "kty"))) {
        *reason = "a key has no \"kty\"";
        return -1;
    }

    if (!chat_jwk_wanted(jwk)) {
        return 0;
    }

    key = chat_jwk_set_next(set, reason);
    if (key == NULL) {
        return -1;
    }

    if (chat_jwk_member(jwk, "kty", "oct")) {
        rc = chat_jwk_oct(key, jwk, reason);

    } else if (json_object_get(jwk, "d") != NULL) {
        *reason = chat_jwk_private;
        return -1;

    } else if (chat_jwk_member(jwk, "kty", "RSA")) {
        rc = chat_jwk_rsa(key, jwk, reason);

    } else if (chat_jwk_member(jwk, "kty", "EC")) {
        rc = chat_jwk_ec(key, jwk, reason);

    } else {
        rc = chat_jwk_okp(key, jwk, reason);
    }

    if (rc != 0) {
        return -1;
    }

    return chat_jwk_names(key, jwk, reason);
}


/* It is in the set at once: what it gets is freed with that. */

static chat_jwk_t *
chat_jwk_set_next(chat_jwk_set_t *set, const char **reason)
{
    chat_jwk_t  *key;

    if (set->n == CHAT_JWK_KEYS_MAX) {
        *reason = "there are more than 32 keys in it";
        return NULL;
    }

    key = &set->keys[set->n++];

    key->kind = CHAT_JWK_UNKNOWN;
    key->alg = CHAT_JWA_N;

    return key;
}


void
chat_jwk_set_free(chat_jwk_set_t *set)
{
    unsigned     i;
    chat_jwk_t  *key;

    if (set == NULL) {
        return;
    }

    for (i = 0; i < set->n; i++) {
        key = &set->keys[i];

        if (key->secret != NULL) {
            OPENSSL_cleanse(key->secret, key->secret_len);
            free(key->secret);
        }

        EVP_PKEY_free(key->pkey);
        free(key->kid);
    }

    free(set);
}


/* Sets hold keys for others, too: those are no mistakes. */

static int
chat_jwk_wanted(json_t *jwk)
{
    size_t       i;
    json_t      *ops, *alg;
    const char  *crv;

    if (json_object_get(jwk, "use") != NULL
        && !chat_jwk_member(jwk, "use", "sig"))
    {
        return 0;
    }

    alg = json_object_get(jwk, "alg");

    if (json_is_string(alg)
        && chat_jwa_find(json_string_value(alg), json_string_length(alg))
           == CHAT_JWA_N)
    {
        return 0;
    }

    ops = json_object_get(jwk, "key_ops");

    for (i = 0; i < json_array_size(ops); i++) {

        if (json_is_string(json_array_get(ops, i))
            && strcmp(json_string_value(json_array_get(ops, i)), "verify")
               == 0)
        {
            break;
        }
    }

    if (ops != NULL && i == json_array_size(ops)) {
        return 0;
    }

    crv = json_string_value(json_object_get(jwk, "crv"));

    if (chat_jwk_member(jwk, "kty", "EC")) {
        return crv == NULL || chat_jwk_curve(crv, 0) != NULL;
    }

    if (chat_jwk_member(jwk, "kty", "OKP")) {
        return crv == NULL || strcmp(crv, "Ed25519") == 0;
    }

    return chat_jwk_member(jwk, "kty", "RSA")
           || chat_jwk_member(jwk, "kty", "oct");
}


static int
chat_jwk_names(chat_jwk_t *key, json_t *jwk, const char **reason)
{
    json_t           *kid, *alg;
    chat_jwk_kind_e   kind;

    kid = json_object_get(jwk, "kid");
    alg = json_object_get(jwk, "alg");

    if ((kid != NULL && !json_is_string(kid))
        || (alg != NULL && !json_is_string(alg)))
    {
        *reason = "a key's \"kid\" or \"alg\" is no string";
        return -1;
    }

    if (alg != NULL) {
        key->alg = chat_jwa_find(json_string_value(alg),
                                 json_string_length(alg));
        kind = chat_jwas[key->alg].kind;

        if (kind != key->kind) {
            *reason = "a key's \"alg\" is not one of its kind";
            return -1;
        }

        if (kind == CHAT_JWK_OCT
            && key->secret_len
               < (size_t) EVP_MD_get_size(chat_jwas[key->alg].md()))
        {
            *reason = "a secret is shorter than its \"alg\" needs";
            return -1;
        }
    }

    if (kid == NULL) {
        return 0;
    }

    key->kid_len = json_string_length(kid);
    key->kid = malloc(key->kid_len + 1);

    if (key->kid == NULL) {
        *reason = chat_jwk_no_memory;
        return -1;
    }

    memcpy(key->kid, json_string_value(kid), key->kid_len);

    return 0;
}


static int
chat_jwk_oct(chat_jwk_t *key, json_t *jwk, const char **reason)
{
    key->kind = CHAT_JWK_OCT;
    key->secret = chat_jwk_bytes(jwk, "k", CHAT_JWK_SECRET_MAX,
                                 &key->secret_len);

    if (key->secret == NULL || key->secret_len < CHAT_JWK_SECRET_MIN) {
        *reason = "an \"oct\" key has no \"k\" of 32 to 4096 bytes";
        return -1;
    }

    return 0;
}


static int
chat_jwk_rsa(chat_jwk_t *key, json_t *jwk, const char **reason)
{
    size_t           nlen, elen;
    BIGNUM          *n, *e;
    OSSL_PARAM      *params;
    unsigned char   *nbytes, *ebytes;
    OSSL_PARAM_BLD  *bld;

    n = NULL;
    e = NULL;
    params = NULL;

    nbytes = chat_jwk_bytes(jwk, "n", 2 * CHAT_JWK_SIGNATURE_MAX, &nlen);
    ebytes = chat_jwk_bytes(jwk, "e", 2 * CHAT_JWK_SIGNATURE_MAX, &elen);
    bld = OSSL_PARAM_BLD_new();

    if (nbytes != NULL && ebytes != NULL) {
        n = BN_bin2bn(nbytes, (int) nlen, NULL);
        e = BN_bin2bn(ebytes, (int) elen, NULL);
    }

    if (n != NULL && e != NULL && bld != NULL
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
    {
        params = OSSL_PARAM_BLD_to_param(bld);
    }

    key->pkey = chat_jwk_from("RSA", params);

    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    BN_free(n);
    BN_free(e);
    free(nbytes);
    free(ebytes);

    if (key->pkey == NULL) {
        *reason = "an \"RSA\" key's \"n\" and \"e\" make no key";
        return -1;
    }

    return chat_jwk_check(key, reason);
}


static int
chat_jwk_ec(chat_jwk_t *key, json_t *jwk, const char **reason)
{
    size_t                   xlen, ylen;
    OSSL_PARAM               params[3];
    const char              *crv;
    unsigned char           *x, *y, point[1 + 2 * CHAT_JWK_FIELD_MAX];
    const chat_jwk_curve_t  *curve;

    crv = json_string_value(json_object_get(jwk, "crv"));
    curve = crv ? chat_jwk_curve(crv, 0) : NULL;

    if (curve == NULL) {
        *reason = "an \"EC\" key has no \"crv\"";
        return -1;
    }

    x = chat_jwk_bytes(jwk, "x", CHAT_JWK_FIELD_MAX, &xlen);
    y = chat_jwk_bytes(jwk, "y", CHAT_JWK_FIELD_MAX, &ylen);

    /* full length, with leading zeros, RFC 7518 6.2.1.2 */

    if (x != NULL && y != NULL && xlen == curve->field && ylen == xlen) {

        point[0] = POINT_CONVERSION_UNCOMPRESSED;
        memcpy(point + 1, x, xlen);
        memcpy(point + 1 + xlen, y, ylen);

        params[0] = OSSL_PARAM_construct_utf8_string(
                        OSSL_PKEY_PARAM_GROUP_NAME, (char *) curve->group, 0);
        params[1] = OSSL_PARAM_construct_octet_string(
                        OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * xlen);
        params[2] = OSSL_PARAM_construct_end();

        key->pkey = chat_jwk_from("EC", params);
    }

    free(x);
    free(y);

    if (key->pkey == NULL) {
        *reason = "an \"EC\" key's \"x\" and \"y\" are no point of its curve";
        return -1;
    }

    return chat_jwk_check(key, reason);
}


static int
chat_jwk_okp(chat_jwk_t *key, json_t *jwk, const char **reason)
{
    size_t          len;
    unsigned char  *x;

    x = chat_jwk_bytes(jwk, "x", CHAT_JWK_ED25519, &len);

    if (x != NULL && len == CHAT_JWK_ED25519
        && chat_jwk_member(jwk, "crv", "Ed25519"))
    {
        key->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x,
                                                len);
    }

    free(x);

    if (key->pkey == NULL) {
        *reason = "an \"OKP\" key has no \"crv\", or no \"x\" of 32 bytes";
        return -1;
    }

    return chat_jwk_check(key, reason);
}


static const chat_jwk_curve_t *
chat_jwk_curve(const char *name, int group)
{
    size_t       i;
    const char  *known;

    for (i = 0; i < CHAT_JWK_CURVES; i++) {
        known = group ? chat_jwk_curves[i].group : chat_jwk_curves[i].crv;

        if (strcmp(known, name) == 0) {
            return &chat_jwk_curves[i];
        }
    }

    return NULL;
}


static EVP_PKEY *
chat_jwk_from(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY      *pkey;
    EVP_PKEY_CTX  *ctx;

    pkey = NULL;
    ctx = params ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;

    if (ctx == NULL
        || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
    {
        pkey = NULL;
    }

    EVP_PKEY_CTX_free(ctx);

    return pkey;
}


/* A member's bytes, 1 to max of them, allocated; NULL: there are none. */

static unsigned char *
chat_jwk_bytes(json_t *jwk, const char *name, size_t max, size_t *len)
{
    long            n;
    size_t          size;
    json_t         *value;
    unsigned char  *p;

    value = json_object_get(jwk, name);
    size = json_string_length(value);

    if (size == 0 || size / 4 > max / 3 + 1) {
        return NULL;
    }

    p = malloc(size);
    if (p == NULL) {
        return NULL;
    }

    n = chat_base64url(p, (const unsigned char *) json_string_value(value),
                       size);

    if (n < 1 || (size_t) n > max) {
        OPENSSL_cleanse(p, size);
        free(p);
        return NULL;
    }

    *len = (size_t) n;

    return p;
}


static int
chat_jwk_member(json_t *jwk, const char *name, const char *value)
{
    json_t  *string;

    string = json_object_get(jwk, name);

    return json_is_string(string)
           && json_string_length(string) == strlen(value)
           && memcmp(json_string_value(string), value, strlen(value)) == 0;
}


/* Sets the kind, if the key is one that may be used. */

static int
chat_jwk_check(chat_jwk_t *key, const char **reason)
{
    switch (EVP_PKEY_get_base_id(key->pkey)) {

    case EVP_PKEY_RSA:
        key->kind = CHAT_JWK_RSA;
        return chat_jwk_check_rsa(key->pkey, reason);

    case EVP_PKEY_RSA_PSS:
        key->kind = CHAT_JWK_RSA_PSS;
        return chat_jwk_check_rsa(key->pkey, reason);

    case EVP_PKEY_EC:
        return chat_jwk_check_ec(key, reason);

    case EVP_PKEY_ED25519:
        key->kind = CHAT_JWK_OKP;
        return 0;

    default:
        *reason = "a key is neither RSA nor EC nor Ed25519";
        return -1;
    }
}


/* With e = 1 any signature would do; a large one costs time. */

static int
chat_jwk_check_rsa(EVP_PKEY *pkey, const char **reason)
{
    int      good;
    BIGNUM  *n, *e;

    n = NULL;
    e = NULL;

    if (EVP_PKEY_get_bits(pkey) < CHAT_JWK_RSA_MIN
        || EVP_PKEY_get_bits(pkey) > CHAT_JWK_RSA_MAX)
    {
        *reason = "an RSA key has less than 2048 or more than 8192 bits";
        return -1;
    }

    good = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1
           && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1
           && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e)
           && BN_num_bits(e) <= 64;

    BN_free(n);
    BN_free(e);

    if (!good) {
        *reason = "an RSA key's modulus is even, or its exponent is 1, even "
                  "or over 64 bits";
        return -1;
    }

    return 0;
}


static int
chat_jwk_check_ec(chat_jwk_t *key, const char **reason)
{
    int                      good;
    char                     group[64];
    EVP_PKEY_CTX            *ctx;
    const chat_jwk_curve_t  *curve;

    curve = NULL;

    if (EVP_PKEY_get_group_name(key->pkey, group, sizeof(group), NULL) == 1) {
        curve = chat_jwk_curve(group, 1);
    }

    if (curve == NULL) {
        *reason = "an EC key's curve is none of P-256, P-384 and P-521";
        return -1;
    }

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);

    good = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);

    if (!good) {
        *reason = "an EC key is no point of its curve";
        return -1;
    }

    key->kind = curve->kind;

    return 0;
}


chat_jwk_e
chat_jwk_verify(const chat_jwk_set_t *set, chat_jwa_e alg,
    const chat_str_t *kid, const unsigned char *input, size_t len,
    const unsigned char *signature, size_t signature_len)
{
    int                good;
    unsigned           i;
    chat_jwk_e         rc;
    const chat_jwk_t  *key;
    const chat_jwa_t  *jwa;

    rc = CHAT_JWK_NO_KEY;
    jwa = &chat_jwas[alg];

    for (i = 0; i < set->n && rc != CHAT_JWK_OK; i++) {
        key = &set->keys[i];

        if (!chat_jwk_fits(key, alg, kid)) {
            continue;
        }

        good = (key->kind == CHAT_JWK_OCT)
               ? chat_jwk_verify_hmac(key, jwa->md(), input, len, signature,
                                      signature_len)
               : chat_jwk_verify_pkey(key, jwa, input, len, signature,
                                      signature_len);

        rc = good ? CHAT_JWK_OK : CHAT_JWK_BAD_SIGNATURE;
    }

    /* what is left there would be taken for a connection's error */

    ERR_clear_error();

    return rc;
}


static int
chat_jwk_fits(const chat_jwk_t *key, chat_jwa_e alg, const chat_str_t *kid)
{
    const chat_jwa_t  *jwa;

    jwa = &chat_jwas[alg];

    if (key->kind != jwa->kind
        && !(key->kind == CHAT_JWK_RSA_PSS && jwa->pss))
    {
        return 0;
    }

    if (key->alg != CHAT_JWA_N && key->alg != alg) {
        return 0;
    }

    if (key->kind == CHAT_JWK_OCT
        && key->secret_len < (size_t) EVP_MD_get_size(jwa->md()))
    {
        return 0;
    }

    return kid == NULL || key->kid == NULL
           || (key->kid_len == kid->len
               && memcmp(key->kid, kid->data, kid->len) == 0);
}


static int
chat_jwk_verify_hmac(const chat_jwk_t *key, const EVP_MD *md,
    const unsigned char *input, size_t len, const unsigned char *signature,
    size_t signature_len)
{
    unsigned       n;
    unsigned char  mac[EVP_MAX_MD_SIZE];

    if (HMAC(md, key->secret, (int) key->secret_len, input, len, mac, &n)
        == NULL)
    {
        return 0;
    }

    return signature_len == n && CRYPTO_memcmp(mac, signature, n) == 0;
}


static int
chat_jwk_verify_pkey(const chat_jwk_t *key, const chat_jwa_t *jwa,
    const unsigned char *input, size_t len, const unsigned char *signature,
    size_t signature_len)
{
    int            good;
    size_t         i;
    EVP_MD_CTX    *ctx;
    EVP_PKEY_CTX  *pctx;
    unsigned char  der[CHAT_JWK_DER_MAX];

    for (i = 0; i < CHAT_JWK_CURVES; i++) {

        if (key->kind != chat_jwk_curves[i].kind) {
            continue;
        }

        signature_len = chat_jwk_der(&chat_jwk_curves[i], der, signature,
                                     signature_len);
        signature = der;

        if (signature_len == 0) {
            return 0;
        }
    }

    pctx = NULL;
    ctx = EVP_MD_CTX_new();

    good = ctx != NULL
           && EVP_DigestVerifyInit(ctx, &pctx, jwa->md ? jwa->md() : NULL,
                                   NULL, key->pkey)
              == 1;

    /* the salt is as long as the hash, RFC 7518 3.5 */

    if (good && jwa->pss) {
        good = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1
               && EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
                                                   RSA_PSS_SALTLEN_DIGEST)
                  == 1;
    }

    good = good && EVP_DigestVerify(ctx, signature, signature_len, input, len)
                   == 1;

    EVP_MD_CTX_free(ctx);

    return good;
}


/* OpenSSL wants the two numbers in DER; 0: the length is not the curve's. */

static size_t
chat_jwk_der(const chat_jwk_curve_t *curve, unsigned char *der,
    const unsigned char *signature, size_t len)
{
    int             n;
    BIGNUM         *r, *s;
    ECDSA_SIG      *sig;
    unsigned char  *p;

    if (len != 2 * curve->field) {
        return 0;
    }

    n = 0;
    p = der;
    sig = ECDSA_SIG_new();
    r = BN_bin2bn(signature, (int) curve->field, NULL);
    s = BN_bin2bn(signature + curve->field, (int) curve->field, NULL);

    if (sig == NULL || r == NULL || s == NULL
        || ECDSA_SIG_set0(sig, r, s) != 1)
    {
        BN_free(r);
        BN_free(s);

    } else if (i2d_ECDSA_SIG(sig, NULL) <= CHAT_JWK_DER_MAX) {
        n = i2d_ECDSA_SIG(sig, &p);
    }

    ECDSA_SIG_free(sig);

    return n > 0 ? (size_t) n : 0;
}


#else /* no OpenSSL, or one that has other ways to make keys */


chat_jwk_set_t *
chat_jwk_set_file(const unsigned char *text, size_t len, const char **reason)
{
    (void) text;
    (void) len;

    *reason = "tokens need OpenSSL 3.0 or newer, this nginx is built without";

    return NULL;
}


chat_jwk_set_t *
chat_jwk_set_json(const unsigned char *text, size_t len, const char **reason)
{
    return chat_jwk_set_file(text, len, reason);
}


void
chat_jwk_set_free(chat_jwk_set_t *set)
{
    (void) set;    /* there was none */
}


chat_jwk_e
chat_jwk_verify(const chat_jwk_set_t *set, chat_jwa_e alg,
    const chat_str_t *kid, const unsigned char *input, size_t len,
    const unsigned char *signature, size_t signature_len)
{
    (void) set;
    (void) alg;
    (void) kid;
    (void) input;
    (void) len;
    (void) signature;
    (void) signature_len;

    return CHAT_JWK_NO_KEY;
}


#endif
