
/*
 * Copyright (C) the chat module's authors
 */


#include <stdlib.h>
#include <string.h>

#include "chat_base64url.h"
#include "chat_jwk_inner.h"


#if (CHAT_JWK_OPENSSL)

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>


#define CHAT_JWK_ED25519     32         /* bytes of a key */


static EVP_PKEY *chat_jwk_from(const char *type, OSSL_PARAM *params);
static unsigned char *chat_jwk_bytes(json_t *jwk, const char *name,
    size_t max, size_t *len);
static int chat_jwk_check_rsa(EVP_PKEY *pkey, const char **reason);
static int chat_jwk_check_ec(chat_jwk_t *key, const char **reason);


const chat_jwk_curve_t  chat_jwk_curves[CHAT_JWK_CURVES] = {
    { CHAT_JWK_P256, "P-256", "prime256v1", 32 },
    { CHAT_JWK_P384, "P-384", "secp384r1", 48 },
    { CHAT_JWK_P521, "P-521", "secp521r1", 66 }
};


int
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


int
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


int
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


int
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


const chat_jwk_curve_t *
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


int
chat_jwk_member(json_t *jwk, const char *name, const char *value)
{
    json_t  *string;

    string = json_object_get(jwk, name);

    return json_is_string(string)
           && json_string_length(string) == strlen(value)
           && memcmp(json_string_value(string), value, strlen(value)) == 0;
}


/* Sets the kind, if the key is one that may be used. */

int
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


#endif /* CHAT_JWK_OPENSSL */
