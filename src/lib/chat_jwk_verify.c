
/*
 * Copyright (C) the chat module's authors
 */


#include <string.h>

#include "chat_jwk_inner.h"


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


#if (CHAT_JWK_OPENSSL)

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>


/* An ECDSA signature in DER: two INTEGERs with a sign byte, in a SEQUENCE. */
#define CHAT_JWK_DER_MAX     (2 * (CHAT_JWK_FIELD_MAX + 4) + 4)


static int chat_jwk_verify_hmac(const chat_jwk_t *key, const EVP_MD *md,
    const unsigned char *input, size_t len, const unsigned char *signature,
    size_t signature_len);
static int chat_jwk_verify_pkey(const chat_jwk_t *key, const chat_jwa_t *jwa,
    const unsigned char *input, size_t len, const unsigned char *signature,
    size_t signature_len);
static size_t chat_jwk_der(const chat_jwk_curve_t *curve, unsigned char *der,
    const unsigned char *signature, size_t len);


const chat_jwa_t  chat_jwas[CHAT_JWA_N] = {
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


int
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


#else /* !CHAT_JWK_OPENSSL */


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


#endif /* CHAT_JWK_OPENSSL */
