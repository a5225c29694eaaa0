
/*
 * chat_jwk: sets of keys, which of them a token chooses, and files that must
 * be refused.
 */


#include "jwt_kit.h"
#include "jwt_vectors.h"


static void test_public_form(const unsigned char *text, size_t len);


static void
test_base64url(void)
{
    size_t         i;
    unsigned char  out[16];

    static const struct {
        const char  *text;
        long         len;
    } c[] = {
        { "", 0 }, { "AA", 1 }, { "AAA", 2 }, { "AAAA", 3 }, { "-_-_", 3 },
        { "_w", 1 }, { "__8", 2 },
        { "A", -1 }, { "AAAAA", -1 }, { "AB", -1 }, { "_x", -1 },
        { "__9", -1 }, { "AA==", -1 }, { "AA=", -1 }, { "A+A/", -1 },
        { "AA A", -1 }, { "AAA\n", -1 }, { "AA\x80""A", -1 }
    };

    for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
        test_eq_at(__FILE__, __LINE__, c[i].text,
                   chat_base64url(out, (const unsigned char *) c[i].text,
                                  strlen(c[i].text)),
                   c[i].len);
    }

    test_eq(chat_base64url(out, (const unsigned char *) "A\0AA", 4), -1);

    test_eq(chat_base64url(out, (const unsigned char *) "-_8", 3), 2);
    test_eq(out[0], 0xfb);
    test_eq(out[1], 0xff);
}


/* kid and alg select together. */

static void
test_selection(void)
{
    chat_jwk_set_t  *set;

    /* "0123..." and "abcd...", 32 bytes each */

    static const char  keys[] =
        "{\"keys\":["
        "{\"kty\":\"oct\",\"kid\":\"one\",\"alg\":\"HS256\",\"k\":"
        "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"},"
        "{\"kty\":\"oct\",\"kid\":\"two\",\"k\":"
        "\"YWJjZGVmZ2hpamtsbW5vcGFiY2RlZmdoaWprbG1ub3A\"},"
        "{\"kty\":\"RSA\",\"kid\":\"one\",\"n\":\"" A2_N "\",\"e\":\"AQAB\"},"
        "{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"AA\",\"e\":\"AQAB\"},"
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"},"
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED_X "\"},"
        "{\"kty\":\"RSA\",\"alg\":\"RSA-OAEP\",\"n\":\"AA\"},"
        "{\"kty\":\"oct\",\"key_ops\":[\"sign\"],\"k\":\"AA\"},"
        "{\"kty\":\"new\"}]}";

#define ONE  "0123456789abcdef0123456789abcdef"
#define TWO  "abcdefghijklmnopabcdefghijklmnop"
#define HS(header, secret, bits)                                              \
    jwt_verify(jwt_hs(header, "{}", secret, jwt_md(bits)), set)

    set = jwt_json_keys(keys);
    test_ok(set != NULL);

    test_eq(HS(H256, ONE, 256), CHAT_JWT_OK);
    test_eq(HS(H256, TWO, 256), CHAT_JWT_OK);
    test_eq(HS("{\"alg\":\"HS256\",\"kid\":\"one\"}", ONE, 256), CHAT_JWT_OK);
    test_eq(HS("{\"alg\":\"HS256\",\"kid\":\"two\"}", TWO, 256), CHAT_JWT_OK);
    test_eq(HS("{\"alg\":\"HS256\",\"kid\":\"two\"}", ONE, 256),
            CHAT_JWT_BAD);
    test_eq(HS("{\"alg\":\"HS256\",\"kid\":\"One\"}", ONE, 256),
            CHAT_JWT_BAD);
    test_eq(HS("{\"alg\":\"HS256\",\"kid\":\"\"}", ONE, 256), CHAT_JWT_BAD);

    /* 32 bytes are too few for these, and "one" is for HS256 alone */

    test_eq(HS("{\"alg\":\"HS384\"}", TWO, 384), CHAT_JWT_BAD);
    test_eq(HS("{\"alg\":\"HS512\",\"kid\":\"two\"}", TWO, 512),
            CHAT_JWT_BAD);
    test_eq(HS("{\"alg\":\"HS384\",\"kid\":\"one\"}", ONE, 384),
            CHAT_JWT_BAD);

    test_eq(jwt_verify(A2_TOKEN, set), CHAT_JWT_OK);

    test_ok(chat_jwk_set_serves(set, 0));
    test_ok(chat_jwk_set_serves(set, 1u << CHAT_JWA_HS256));
    test_ok(chat_jwk_set_serves(set, 1u << CHAT_JWA_EDDSA
                                     | 1u << CHAT_JWA_PS512));
    test_ok(!chat_jwk_set_serves(set, 1u << CHAT_JWA_HS512));
    test_ok(!chat_jwk_set_serves(set, 1u << CHAT_JWA_ES256));

    chat_jwk_set_free(set);

    /* one that would be long enough for another */

    set = jwt_json_keys("{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":"
                        "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYw"
                        "MTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg\"}");
    test_eq(HS(H256, ONE ONE, 256), CHAT_JWT_OK);
    test_eq(HS("{\"alg\":\"HS512\"}", ONE ONE, 512), CHAT_JWT_BAD);
    chat_jwk_set_free(set);

    /* a set without keys takes nothing, and is no mistake */

    set = jwt_json_keys("{\"keys\":[]}");
    test_ok(set != NULL);
    test_eq(HS(H256, ONE, 256), CHAT_JWT_BAD);
    chat_jwk_set_free(set);
}


/* What no set is made of, and why. */

static void
test_bad_sets(void)
{
    size_t           i;
    const char      *reason;
    unsigned char   *copy;
    chat_jwk_set_t  *set;

    static const struct {
        const char  *text;
        const char  *reason;
    } c[] = {
        { "", "not an object" },
        { "{}", "no array" },
        { "{\"keys\":{}}", "no array" },
        { "{\"keys\":[1]}", "no object" },
        { "{\"keys\":[{}]}", "kty" },
        { "{\"keys\":[{\"kty\":1}]}", "kty" },
        { "{\"keys\":[{\"kty\":\"new\"}]}", "none of its keys" },
        { "{\"keys\":[],\"keys\":[]}", "twice" },
        { "{\"kty\":\"oct\"}", "\"k\"" },
        { "{\"kty\":\"oct\",\"k\":\"AAAA\"}", "\"k\"" },
        { "{\"kty\":\"oct\",\"alg\":\"HS384\",\"k\":"
          "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}", "shorter" },
        { "{\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":"
          "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}", "kind" },
        { "{\"kty\":\"oct\",\"kid\":1,\"k\":"
          "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}", "kid" },
        { "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "2048" },
        { "{\"kty\":\"RSA\",\"n\":\"" A2_N "\"}", "make no key" },
        { "{\"kty\":\"RSA\",\"n\":\"" A2_N "\",\"e\":\"AQ\"}", "exponent" },
        { "{\"kty\":\"RSA\",\"n\":\"" A2_N "\",\"e\":\"Ag\"}", "exponent" },
        { "{\"kty\":\"RSA\",\"n\":\"" A2_N "\",\"e\":\"AQAAAAAAAAAB\"}",
          "exponent" },
        { "{\"kty\":\"RSA\",\"n\":\"" A2_N "\",\"e\":\"AQAB\",\"d\":\"AA\"}",
          "private" },
        { "{\"kty\":\"RSA\",\"alg\":\"ES256\",\"n\":\"" A2_N
          "\",\"e\":\"AQAB\"}", "kind" },
        { "{\"kty\":\"EC\"}", "crv" },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_Y "\",\"y\":\""
          A3_X "\"}", "point" },
        { "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" A3_X "\",\"y\":\""
          A3_Y "\"}", "point" },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\"}", "point" },
        { "{\"kty\":\"OKP\",\"x\":\"" ED_X "\"}", "crv" },
        { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "32 bytes" }
    };

    for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
        reason = "";
        copy = test_copy(c[i].text, strlen(c[i].text));
        set = chat_jwk_set_json(copy, strlen(c[i].text), &reason);
        free(copy);

        test_ok(set == NULL);

        if (strstr(reason, c[i].reason) == NULL) {
            test_str_at(__FILE__, __LINE__, c[i].text, reason, c[i].reason);
        }
    }
}


static void
test_many_keys(void)
{
    int              i, n;
    char            *text, *p;
    chat_jwk_set_t  *set;

    text = malloc(65536);

    for (n = CHAT_JWK_KEYS_MAX; n <= CHAT_JWK_KEYS_MAX + 1; n++) {
        p = text + sprintf(text, "{\"keys\":[");

        for (i = 0; i < n; i++) {
            p += sprintf(p, "%s%s", i ? "," : "", ED_KEY);
        }

        strcpy(p, "]}");

        set = jwt_json_keys(text);
        test_ok((set != NULL) == (n == CHAT_JWK_KEYS_MAX));
        chat_jwk_set_free(set);
    }

    free(text);
}


static void
test_files(void)
{
    size_t           i;
    char             pem[16384];
    EVP_PKEY        *pkey[5];
    const char      *reason;
    chat_jwk_set_t  *set;

    static const char  *bad[] = {
        "", "short", "0123456789abcdef0123456789abcde\n",
        "{\"keys\":[]}                        ",
        "\n {\"keys\":[]}                        ",
        "\xef\xbb\xbf{\"keys\":[]}                     ",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI 0123456789",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY",
        " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI 0123456789",
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9w",
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAAC3NzaC1lZDI1NTE5AAAAI",
        "-----BEGIN PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN THING-----\nAAAA\n-----END THING-----\n"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_ok(jwt_file_keys(bad[i]) == NULL);
    }

    pkey[0] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 1024);
    pkey[1] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");
    pkey[2] = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    pkey[3] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    pkey[4] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    for (i = 0; i < 3; i++) {
        test_ok(jwt_file_keys(jwt_pem(pkey[i], 0)) == NULL);
    }

    test_ok(chat_jwk_set_file((const unsigned char *) jwt_pem(pkey[3], 1),
                              strlen(jwt_pem(pkey[3], 1)), &reason)
            == NULL);
    test_ok(strstr(reason, "private") != NULL);

    /* several keys, and what people write around them */

    strcpy(pem, "the old one\n");
    strcat(pem, jwt_pem(pkey[3], 0));
    strcat(pem, "\nthe new one\n");
    strcat(pem, jwt_pem(pkey[4], 0));

    set = jwt_file_keys(pem);
    test_ok(set != NULL);
    test_eq(jwt_verify(jwt_pk("{\"alg\":\"ES256\"}", "{}", pkey[3],
                              EVP_sha256(), 0, 32), set), CHAT_JWT_OK);
    test_eq(jwt_verify(jwt_pk("{\"alg\":\"EdDSA\"}", "{}", pkey[4], NULL, 0,
                              0), set), CHAT_JWT_OK);
    chat_jwk_set_free(set);

    /* one damaged block is the end of it */

    strcat(pem, "-----BEGIN PUBLIC KEY-----\n");
    test_ok(jwt_file_keys(pem) == NULL);

    for (i = 0; i < 5; i++) {
        EVP_PKEY_free(pkey[i]);
    }
}


/* DER is not PEM, but no secret either; nor is its base64. */

static void
test_public_forms(void)
{
    int             i, len, n;
    X509           *x509;
    EVP_PKEY       *pkey[2];
    unsigned char  *p, der[3][1024], text[2048];

    pkey[0] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    pkey[1] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 2048);

    x509 = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 60);
    X509_set_pubkey(x509, pkey[0]);
    X509_sign(x509, pkey[0], EVP_sha256());

    for (i = 0; i < 3; i++) {
        p = der[i];

        len = (i == 0) ? i2d_PUBKEY(pkey[0], &p)
              : (i == 1) ? i2d_PublicKey(pkey[1], &p)
                         : i2d_X509(x509, &p);

        test_ok(len > 0 && len <= 1024);
        test_public_form(der[i], (size_t) len);

        n = EVP_EncodeBlock(text + 1, der[i], len);

        test_public_form(text + 1, (size_t) n);

        /* in lines, and with one more around them */

        text[0] = '\n';
        memmove(text + 42, text + 41, (size_t) n - 40);
        text[41] = '\n';
        text[n + 2] = '\n';

        test_public_form(text, (size_t) n + 3);
    }

    X509_free(x509);
    EVP_PKEY_free(pkey[0]);
    EVP_PKEY_free(pkey[1]);
}


static void
test_public_form(const unsigned char *text, size_t len)
{
    const char      *reason;
    chat_jwk_set_t  *set;

    set = chat_jwk_set_file(text, len, &reason);
    test_ok(set == NULL);

    if (set == NULL) {
        test_str(reason, "it is a public key, but not in PEM");
    }

    chat_jwk_set_free(set);
}


int
main(void)
{
    test_run("base64url", test_base64url);
    test_run("kid and alg select a key", test_selection);
    test_run("sets that are refused", test_bad_sets);
    test_run("how many keys", test_many_keys);
    test_run("files of secrets and PEM", test_files);
    test_run("public keys are no secrets", test_public_forms);

    return test_done();
}
