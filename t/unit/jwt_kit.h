
/*
 * Tokens to try, each good until the next one is made.
 */


#ifndef _CHAT_JWT_KIT_H_INCLUDED_
#define _CHAT_JWT_KIT_H_INCLUDED_


#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "chat_base64url.h"
#include "chat_jwt.h"
#include "test.h"


#define NOW      1300000000000LL        /* ms, before the RFC's exp */
#define H256     "{\"alg\":\"HS256\"}"
#define SECRET   "0123456789abcdef0123456789abcdef"                           \
                 "0123456789abcdef0123456789abcdef"


static inline void
jwt_base64url(char *out, const void *data, size_t len)
{
    char   *p;
    size_t  n;

    n = (size_t) EVP_EncodeBlock((unsigned char *) out, data, (int) len);

    for (p = out; p < out + n; p++) {

        if (*p == '+') {
            *p = '-';

        } else if (*p == '/') {
            *p = '_';

        } else if (*p == '=') {
            *p = '\0';
            break;
        }
    }
}


/* header.claims in the buffer that tokens are made in. */

static inline char *
jwt_input(const char *header, const char *claims)
{
    static char  buf[4 * CHAT_JWT_MAX];

    jwt_base64url(buf, header, strlen(header));
    strcat(buf, ".");
    jwt_base64url(buf + strlen(buf), claims, strlen(claims));

    return buf;
}


static inline const char *
jwt_hs(const char *header, const char *claims, const char *secret,
    const EVP_MD *md)
{
    char          *buf;
    size_t         len;
    unsigned       n;
    unsigned char  mac[EVP_MAX_MD_SIZE];

    buf = jwt_input(header, claims);
    len = strlen(buf);

    HMAC(md, secret, (int) strlen(secret), (unsigned char *) buf, len, mac,
         &n);

    buf[len] = '.';
    jwt_base64url(buf + len + 1, mac, n);

    return buf;
}


/* With a private key; field: an EC curve's bytes, 0 for other keys. */

static inline const char *
jwt_pk(const char *header, const char *claims, EVP_PKEY *pkey,
    const EVP_MD *md, int pss, int field)
{
    char                 *buf;
    size_t                len, n;
    ECDSA_SIG            *sig;
    EVP_MD_CTX           *ctx;
    EVP_PKEY_CTX         *pctx;
    unsigned char         bytes[1024], raw[132];
    const unsigned char  *p;

    buf = jwt_input(header, claims);
    len = strlen(buf);
    n = sizeof(bytes);
    ctx = EVP_MD_CTX_new();

    EVP_DigestSignInit(ctx, &pctx, md, NULL, pkey);

    if (pss) {
        EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, pss);
    }

    EVP_DigestSign(ctx, bytes, &n, (unsigned char *) buf, len);
    EVP_MD_CTX_free(ctx);

    buf[len] = '.';

    if (field == 0) {
        jwt_base64url(buf + len + 1, bytes, n);
        return buf;
    }

    p = bytes;
    sig = d2i_ECDSA_SIG(NULL, &p, (long) n);

    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, field);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + field, field);

    jwt_base64url(buf + len + 1, raw, 2 * (size_t) field);

    ECDSA_SIG_free(sig);

    return buf;
}


static inline chat_jwk_set_t *
jwt_json_keys(const char *text)
{
    const char      *reason;
    unsigned char   *copy;
    chat_jwk_set_t  *set;

    copy = test_copy(text, strlen(text));
    set = chat_jwk_set_json(copy, strlen(text), &reason);
    free(copy);

    if (set == NULL) {
        printf("# %s\n", reason);
    }

    return set;
}


static inline chat_jwk_set_t *
jwt_file_keys(const char *text)
{
    const char      *reason;
    unsigned char   *copy;
    chat_jwk_set_t  *set;

    copy = test_copy(text, strlen(text));
    set = chat_jwk_set_file(copy, strlen(text), &reason);
    free(copy);

    return set;
}


/* A public key's PEM. */

static inline const char *
jwt_pem(EVP_PKEY *pkey, int private)
{
    BIO          *bio;
    char         *p;
    long          n;
    static char   pem[8192];

    bio = BIO_new(BIO_s_mem());

    if (private) {
        PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);

    } else {
        PEM_write_bio_PUBKEY(bio, pkey);
    }

    n = BIO_get_mem_data(bio, &p);
    memcpy(pem, p, (size_t) n);
    pem[n] = '\0';

    BIO_free(bio);

    return pem;
}


static inline int
jwt_verify_at(const char *token, const chat_jwk_set_t *set,
    const chat_jwt_rules_t *rules, int64_t now, chat_jwt_t *jwt,
    const char **reason)
{
    int             rc;
    unsigned char  *copy;

    static const chat_jwt_rules_t  none;

    *reason = "";

    copy = test_copy(token, strlen(token));
    rc = chat_jwt_verify(jwt, copy, strlen(token), set, rules ? rules : &none,
                         now, reason);
    free(copy);

    return rc;
}


static inline int
jwt_verify(const char *token, const chat_jwk_set_t *set)
{
    int          rc;
    chat_jwt_t   jwt;
    const char  *reason;

    rc = jwt_verify_at(token, set, NULL, NOW, &jwt, &reason);

    if (rc == CHAT_JWT_OK) {
        chat_jwt_free(&jwt);
    }

    return rc;
}


static inline const EVP_MD *
jwt_md(int bits)
{
    return bits == 256 ? EVP_sha256() : bits == 384 ? EVP_sha384()
                                                    : EVP_sha512();
}


#endif /* _CHAT_JWT_KIT_H_INCLUDED_ */
