
/*
 * Copyright (C) the chat module's authors
 */


#include <stdlib.h>
#include <string.h>

#include "chat_jwk_inner.h"


#if (CHAT_JWK_OPENSSL)

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>


static int chat_jwk_set_secret(chat_jwk_set_t *set, const unsigned char *text,
    size_t len, const char **reason);
static const unsigned char *chat_jwk_beginning(const unsigned char *p,
    const unsigned char *end);
static int chat_jwk_public_der(const unsigned char *der, size_t len);
static int chat_jwk_public_text(const unsigned char *p,
    const unsigned char *end);
static int chat_jwk_set_pem(chat_jwk_set_t *set, const unsigned char *text,
    size_t len, const char **reason);
static int chat_jwk_set_pem_block(chat_jwk_set_t *set, const char *name,
    const unsigned char *der, long len, const char **reason);
static int chat_jwk_set_json_keys(chat_jwk_set_t *set, json_t *root,
    const char **reason);
static int chat_jwk_set_add(chat_jwk_set_t *set, json_t *jwk,
    const char **reason);
static chat_jwk_set_t *chat_jwk_set_made(chat_jwk_set_t *set, int rc);
static chat_jwk_t *chat_jwk_set_next(chat_jwk_set_t *set,
    const char **reason);
static int chat_jwk_wanted(json_t *jwk);
static int chat_jwk_names(chat_jwk_t *key, json_t *jwk, const char **reason);


static const char  chat_jwk_no_memory[] = "no memory";
static const char  chat_jwk_private[] =
    "it holds a private key, its public part is enough and safer";


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

    return chat_jwk_set_made(set, rc);
}


/* What is a public key for others must never become a secret here. */

static int
chat_jwk_set_secret(chat_jwk_set_t *set, const unsigned char *text, size_t len,
    const char **reason)
{
    int                   public;
    chat_jwk_t           *key;
    const unsigned char  *p, *end;

    public = chat_jwk_public_der(text, len);

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

    end = text + len;
    p = chat_jwk_beginning(text, end);

    if (public || chat_jwk_public_text(p, end)) {
        *reason = "it is a public key, but not in PEM";
        return -1;
    }

    if (p < end && *p == '{') {
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


/* Behind what editors put in front of a text. */

static const unsigned char *
chat_jwk_beginning(const unsigned char *p, const unsigned char *end)
{
    if (end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
    }

    while (p < end && strchr(" \t\r\n", *p) && *p) {
        p++;
    }

    return p;
}


static int
chat_jwk_public_der(const unsigned char *der, size_t len)
{
    X509                 *x509;
    EVP_PKEY             *pkey;
    const unsigned char  *p;

    p = der;
    pkey = d2i_PUBKEY(NULL, &p, (long) len);

    if (pkey == NULL) {
        p = der;
        pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long) len);
    }

    p = der;
    x509 = pkey ? NULL : d2i_X509(NULL, &p, (long) len);

    EVP_PKEY_free(pkey);
    X509_free(x509);

    return pkey != NULL || x509 != NULL;
}


/* OpenSSH's lines, and PEM's base64 alone, as identity providers show it. */

static int
chat_jwk_public_text(const unsigned char *p, const unsigned char *end)
{
    int              n, rest, public;
    size_t           i, len;
    unsigned char    der[CHAT_JWK_SECRET_MAX];
    EVP_ENCODE_CTX  *ctx;

    static const char  *forms[] = {
        "ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN "
    };

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        len = strlen(forms[i]);

        if ((size_t) (end - p) >= len && memcmp(p, forms[i], len) == 0) {
            return 1;
        }
    }

    ctx = EVP_ENCODE_CTX_new();
    if (ctx == NULL) {
        return 1;
    }

    EVP_DecodeInit(ctx);

    public = EVP_DecodeUpdate(ctx, der, &n, p, (int) (end - p)) >= 0
             && EVP_DecodeFinal(ctx, der + n, &rest) >= 0
             && chat_jwk_public_der(der, (size_t) n + (size_t) rest);

    EVP_ENCODE_CTX_free(ctx);

    return public;
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

    return chat_jwk_set_made(set, rc);
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


/* What OpenSSL has left behind would be taken for a connection's error. */

static chat_jwk_set_t *
chat_jwk_set_made(chat_jwk_set_t *set, int rc)
{
    ERR_clear_error();

    if (rc != 0) {
        chat_jwk_set_free(set);
        return NULL;
    }

    return set;
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


int
chat_jwk_set_serves(const chat_jwk_set_t *set, unsigned algs)
{
    unsigned  i, alg;

    for (i = 0; i < set->n; i++) {

        for (alg = 0; alg < CHAT_JWA_N; alg++) {

            if ((algs == 0 || (algs & 1u << alg))
                && chat_jwk_fits(&set->keys[i], (chat_jwa_e) alg, NULL))
            {
                return 1;
            }
        }
    }

    return 0;
}


#else /* !CHAT_JWK_OPENSSL */


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


int
chat_jwk_set_serves(const chat_jwk_set_t *set, unsigned algs)
{
    (void) set;
    (void) algs;

    return 0;
}


#endif /* CHAT_JWK_OPENSSL */
