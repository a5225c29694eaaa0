
/*
 * chat_jwt: the vectors of RFC 7515, 7519 and 8037; each algorithm with keys
 * made here; tokens that must be refused.
 */


#include "jwt_kit.h"
#include "jwt_vectors.h"


typedef struct {
    const char  *name;
    const char  *header;       /* alg or the whole header */
    const char  *claims;
    int          rc;
    const char  *reason;       /* a part of it */
} jwt_case_t;


/* Every character of the token changed, and every shorter form, is bad. */

static void
jwt_damage(const char *token, const chat_jwk_set_t *set)
{
    char    copy[4096];
    size_t  i, len;

    len = strlen(token);

    for (i = 0; i < len; i++) {
        strcpy(copy, token);

        copy[i] = (copy[i] == 'A') ? 'B' : 'A';
        test_ok(jwt_verify(copy, set) != CHAT_JWT_OK);

        copy[i] = '\0';
        test_ok(jwt_verify(copy, set) != CHAT_JWT_OK);
    }

    strcpy(copy, token);
    strcat(copy, "A");
    test_ok(jwt_verify(copy, set) != CHAT_JWT_OK);

    strcpy(copy, token);
    strcat(copy, "=");
    test_ok(jwt_verify(copy, set) != CHAT_JWT_OK);

    strcpy(copy, token);
    strcat(copy, ".");
    test_ok(jwt_verify(copy, set) != CHAT_JWT_OK);
}


static void
test_rfc_tokens(void)
{
    unsigned         i;
    chat_jwt_t       jwt;
    chat_str_t       value;
    const char      *reason;
    chat_jwk_set_t  *set;

    static const char  *tokens[] = { A1_TOKEN, A2_TOKEN, A3_TOKEN };
    static const char  *keys[] = { A1_KEY, A2_KEY, A3_KEY };

    for (i = 0; i < 3; i++) {
        set = jwt_json_keys(keys[i]);

        test_eq(jwt_verify_at(tokens[i], set, NULL, NOW, &jwt, &reason),
                CHAT_JWT_OK);

        test_eq(jwt.expires, 1300819380000LL);
        test_eq(chat_jwt_claim(&jwt, "iss", 3, &value), 1);
        test_ok(value.len == 3 && memcmp(value.data, "joe", 3) == 0);
        test_eq(chat_jwt_claim(&jwt, "http://example.com/is_root", 26,
                               &value), 1);
        test_ok(value.len == 4 && memcmp(value.data, "true", 4) == 0);
        chat_jwt_free(&jwt);

        test_eq(jwt_verify_at(tokens[i], set, NULL, 1300819379999LL, &jwt,
                              &reason), CHAT_JWT_OK);
        chat_jwt_free(&jwt);
        test_eq(jwt_verify_at(tokens[i], set, NULL, 1300819380000LL, &jwt,
                              &reason), CHAT_JWT_EXPIRED);

        test_eq(jwt_verify(tokens[(i + 1) % 3], set), CHAT_JWT_BAD);
        test_eq(jwt_verify(A5_TOKEN, set), CHAT_JWT_BAD);

        jwt_damage(tokens[i], set);
        chat_jwk_set_free(set);
    }
}


static void
jwt_signature(const char *key, chat_jwa_e alg, const char *input,
    const char *signature)
{
    long             n;
    unsigned char    sig[256];
    chat_jwk_set_t  *set;

    set = jwt_json_keys(key);
    n = chat_base64url(sig, (const unsigned char *) signature,
                       strlen(signature));

    test_ok(set != NULL && n > 0);

    test_eq(chat_jwk_verify(set, alg, NULL, (const unsigned char *) input,
                            strlen(input), sig, (size_t) n), CHAT_JWK_OK);
    test_eq(chat_jwk_verify(set, alg, NULL, (const unsigned char *) input,
                            strlen(input) - 1, sig, (size_t) n),
            CHAT_JWK_BAD_SIGNATURE);
    test_eq(chat_jwk_verify(set, alg, NULL, (const unsigned char *) input,
                            strlen(input), sig, (size_t) n - 1),
            CHAT_JWK_BAD_SIGNATURE);

    sig[n - 1] ^= 1;
    test_eq(chat_jwk_verify(set, alg, NULL, (const unsigned char *) input,
                            strlen(input), sig, (size_t) n),
            CHAT_JWK_BAD_SIGNATURE);

    chat_jwk_set_free(set);
}


/* Their payload is no JSON object: the signature is all that can hold. */

static void
test_rfc_signatures(void)
{
    jwt_signature(A4_KEY, CHAT_JWA_ES512, A4_INPUT, A4_SIG);
    jwt_signature(ED_KEY, CHAT_JWA_EDDSA, ED_INPUT, ED_SIG);
}


/* One key of each kind, and a token of each algorithm. */

static struct {
    EVP_PKEY        *rsa;
    EVP_PKEY        *ec[3];
    EVP_PKEY        *ed;
    char             token[CHAT_JWA_N][2048];
    chat_jwk_set_t  *set[6];       /* a secret, rsa, ec, ed */
} jwt_kit;


static void
jwt_kit_token(unsigned i)
{
    int          j, bits;
    char         header[64];
    const char  *token, *name;

    static const char  *names[] = { "HS", "RS", "PS", "ES", "EdDSA" };
    static const int    fields[] = { 32, 48, 66 };

    j = (int) i % 3;
    bits = 256 + 128 * j;
    name = names[i / 3];

    if (i == CHAT_JWA_EDDSA) {
        snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", name);
        token = jwt_pk(header, "{}", jwt_kit.ed, NULL, 0, 0);
        strcpy(jwt_kit.token[i], token);
        return;
    }

    snprintf(header, sizeof(header), "{\"alg\":\"%s%d\"}", name, bits);

    if (i <= CHAT_JWA_HS512) {
        token = jwt_hs(header, "{}", SECRET, jwt_md(bits));

    } else if (i <= CHAT_JWA_PS512) {
        token = jwt_pk(header, "{}", jwt_kit.rsa, jwt_md(bits),
                       i <= CHAT_JWA_RS512 ? 0 : bits / 8, 0);

    } else {
        token = jwt_pk(header, "{}", jwt_kit.ec[j], jwt_md(bits), 0,
                       fields[j]);
    }

    strcpy(jwt_kit.token[i], token);
}


static void
jwt_kit_make(void)
{
    unsigned  i;

    static const char  *groups[] = { "P-256", "P-384", "P-521" };

    jwt_kit.rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 2048);
    jwt_kit.ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    jwt_kit.set[0] = jwt_file_keys(SECRET "\n");
    jwt_kit.set[1] = jwt_file_keys(jwt_pem(jwt_kit.rsa, 0));
    jwt_kit.set[5] = jwt_file_keys(jwt_pem(jwt_kit.ed, 0));

    for (i = 0; i < 3; i++) {
        jwt_kit.ec[i] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", groups[i]);
        jwt_kit.set[2 + i] = jwt_file_keys(jwt_pem(jwt_kit.ec[i], 0));
    }

    for (i = 0; i < CHAT_JWA_N; i++) {
        jwt_kit_token(i);
    }
}


static void
jwt_kit_free(void)
{
    unsigned  i;

    EVP_PKEY_free(jwt_kit.rsa);
    EVP_PKEY_free(jwt_kit.ed);

    for (i = 0; i < 3; i++) {
        EVP_PKEY_free(jwt_kit.ec[i]);
    }

    for (i = 0; i < 6; i++) {
        chat_jwk_set_free(jwt_kit.set[i]);
    }
}


/* Who presents which token to a set of which key: only its own is taken. */

static void
test_algorithms(void)
{
    unsigned  i, k, own;

    for (k = 0; k < 6; k++) {
        test_ok(jwt_kit.set[k] != NULL);

        for (i = 0; i < CHAT_JWA_N; i++) {
            own = (i < 3) ? 0 : (i < 9) ? 1 : (i < 12) ? i - 7 : 5;

            test_eq(jwt_verify(jwt_kit.token[i], jwt_kit.set[k]),
                    own == k ? CHAT_JWT_OK : CHAT_JWT_BAD);
        }
    }

    jwt_damage(jwt_kit.token[CHAT_JWA_PS256], jwt_kit.set[1]);
    jwt_damage(jwt_kit.token[CHAT_JWA_ES384], jwt_kit.set[3]);
    jwt_damage(jwt_kit.token[CHAT_JWA_EDDSA], jwt_kit.set[5]);
}


static void
test_confusion(void)
{
    EVP_PKEY         *rsa, *ec;
    chat_jwk_set_t  **set;

    rsa = jwt_kit.rsa;
    ec = jwt_kit.ec[0];
    set = jwt_kit.set;

    /* a salt of another length, and DER where two numbers should stand */

    test_eq(jwt_verify(jwt_pk("{\"alg\":\"PS256\"}", "{}", rsa, EVP_sha256(),
                              20, 0), set[1]), CHAT_JWT_BAD);
    test_eq(jwt_verify(jwt_pk("{\"alg\":\"ES256\"}", "{}", ec, EVP_sha256(),
                              0, 0), set[2]), CHAT_JWT_BAD);

    /* one algorithm under the name of another */

    test_eq(jwt_verify(jwt_pk("{\"alg\":\"ES256\"}", "{}", ec, EVP_sha384(),
                              0, 32), set[2]), CHAT_JWT_BAD);
    test_eq(jwt_verify(jwt_pk("{\"alg\":\"RS256\"}", "{}", rsa, EVP_sha512(),
                              0, 0), set[1]), CHAT_JWT_BAD);
    test_eq(jwt_verify(jwt_pk("{\"alg\":\"RS256\"}", "{}", rsa, EVP_sha256(),
                              32, 0), set[1]), CHAT_JWT_BAD);
    test_eq(jwt_verify(jwt_pk("{\"alg\":\"PS256\"}", "{}", rsa, EVP_sha256(),
                              0, 0), set[1]), CHAT_JWT_BAD);

    /* the public key's text as a secret: who knows it must gain nothing */

    test_eq(jwt_verify(jwt_hs("{\"alg\":\"HS256\"}", "{}", jwt_pem(rsa, 0),
                              EVP_sha256()), set[1]), CHAT_JWT_BAD);

    test_ok(jwt_file_keys(jwt_pem(rsa, 1)) == NULL);
    test_ok(jwt_file_keys(jwt_pem(ec, 1)) == NULL);
}


/* r or s of 0 or of the group's order: signatures that hold for anything. */

static void
test_ecdsa_numbers(void)
{
    unsigned         i, j;
    unsigned char    sig[64];
    chat_jwk_set_t  *set;

    static const unsigned char  order[32] = {
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
        0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51
    };

    set = jwt_json_keys(A3_KEY);

    for (i = 0; i < 3; i++) {
        for (j = 0; j < 3; j++) {
            memset(sig, 0, sizeof(sig));

            if (i == 1) {
                sig[31] = 1;

            } else if (i == 2) {
                memcpy(sig, order, 32);
            }

            if (j == 1) {
                sig[63] = 1;

            } else if (j == 2) {
                memcpy(sig + 32, order, 32);
            }

            test_eq(chat_jwk_verify(set, CHAT_JWA_ES256, NULL, sig, 64, sig,
                                    64), CHAT_JWK_BAD_SIGNATURE);
        }
    }

    chat_jwk_set_free(set);
}


static const jwt_case_t  jwt_cases[] = {
    { "empty claims", H256, "{}", CHAT_JWT_OK, "" },
    { "typ", "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "{}", CHAT_JWT_OK, "" },
    { "kid of no key's", "{\"alg\":\"HS256\",\"kid\":\"x\"}", "{}",
      CHAT_JWT_OK, "" },
    { "keys in the header", "{\"alg\":\"HS256\",\"jku\":\"http://a/\","
      "\"jwk\":{\"kty\":\"oct\",\"k\":\"\"}}", "{}", CHAT_JWT_OK, "" },

    { "alg none", "{\"alg\":\"none\"}", "{}", CHAT_JWT_BAD, "unknown" },
    { "alg None", "{\"alg\":\"None\"}", "{}", CHAT_JWT_BAD, "unknown" },
    { "alg hs256", "{\"alg\":\"hs256\"}", "{}", CHAT_JWT_BAD, "unknown" },
    { "alg empty", "{\"alg\":\"\"}", "{}", CHAT_JWT_BAD, "unknown" },
    { "alg with NUL", "{\"alg\":\"HS256\\u0000\"}", "{}", CHAT_JWT_BAD,
      "unknown" },
    { "no alg", "{}", "{}", CHAT_JWT_BAD, "unknown" },
    { "alg a number", "{\"alg\":256}", "{}", CHAT_JWT_BAD, "unknown" },
    { "alg an array", "{\"alg\":[\"HS256\"]}", "{}", CHAT_JWT_BAD, "unknown" },
    { "alg twice", "{\"alg\":\"HS256\",\"alg\":\"none\"}", "{}", CHAT_JWT_BAD,
      "twice" },
    { "alg of a public key", "{\"alg\":\"RS256\"}", "{}", CHAT_JWT_BAD,
      "no key" },
    { "crit", "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{}", CHAT_JWT_BAD,
      "crit" },
    { "crit empty", "{\"alg\":\"HS256\",\"crit\":[]}", "{}", CHAT_JWT_BAD,
      "crit" },
    { "crit null", "{\"alg\":\"HS256\",\"crit\":null}", "{}", CHAT_JWT_BAD,
      "crit" },
    { "b64", "{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}", "{}",
      CHAT_JWT_BAD, "crit" },
    { "kid a number", "{\"alg\":\"HS256\",\"kid\":1}", "{}", CHAT_JWT_BAD,
      "kid" },
    { "typ a number", "{\"alg\":\"HS256\",\"typ\":1}", "{}", CHAT_JWT_BAD,
      "typ" },
    { "header no object", "[]", "{}", CHAT_JWT_BAD, "object" },
    { "header with a tail", H256 "x", "{}", CHAT_JWT_BAD, "follows" },

    { "claims no object", H256, "[]", CHAT_JWT_BAD, "object" },
    { "claims no JSON", H256, "{a}", CHAT_JWT_BAD, "syntax" },
    { "claims twice", H256, "{\"sub\":\"a\",\"sub\":\"b\"}", CHAT_JWT_BAD,
      "twice" },
    { "claims twice, escaped", H256, "{\"sub\":\"a\",\"s\\u0075b\":\"b\"}",
      CHAT_JWT_BAD, "twice" },
    { "claims not UTF-8", H256, "{\"sub\":\"\xff\"}", CHAT_JWT_BAD, "UTF-8" },
    { "sub a number", H256, "{\"sub\":1}", CHAT_JWT_BAD, "sub" },
    { "iss null", H256, "{\"iss\":null}", CHAT_JWT_BAD, "iss" },
    { "aud a number", H256, "{\"aud\":1}", CHAT_JWT_BAD, "audience" },
    { "aud with a number", H256, "{\"aud\":[\"a\",1]}", CHAT_JWT_BAD,
      "audience" },

    { "exp later", H256, "{\"exp\":1300000001}", CHAT_JWT_OK, "" },
    { "exp a fraction later", H256, "{\"exp\":1300000000.001}", CHAT_JWT_OK,
      "" },
    { "exp now", H256, "{\"exp\":1300000000}", CHAT_JWT_EXPIRED, "expired" },
    { "exp a fraction", H256, "{\"exp\":1299999999.9999}", CHAT_JWT_EXPIRED,
      "expired" },
    { "exp 0", H256, "{\"exp\":0}", CHAT_JWT_EXPIRED, "expired" },
    { "exp below 0", H256, "{\"exp\":-1300000001}", CHAT_JWT_EXPIRED,
      "expired" },
    { "exp a string", H256, "{\"exp\":\"1300000001\"}", CHAT_JWT_BAD, "exp" },
    { "exp null", H256, "{\"exp\":null}", CHAT_JWT_BAD, "exp" },
    { "exp true", H256, "{\"exp\":true}", CHAT_JWT_BAD, "exp" },
    { "exp an array", H256, "{\"exp\":[1300000001]}", CHAT_JWT_BAD, "exp" },
    { "exp with an exponent", H256, "{\"exp\":1e30}", CHAT_JWT_BAD, "exp" },
    { "exp beyond 64 bits", H256, "{\"exp\":18446744073709551617}",
      CHAT_JWT_BAD, "exp" },
    { "exp in ms", H256, "{\"exp\":1300000001000}", CHAT_JWT_BAD, "exp" },
    { "exp in capitals is another", H256, "{\"EXP\":1}", CHAT_JWT_OK, "" },

    { "nbf now", H256, "{\"nbf\":1300000000}", CHAT_JWT_OK, "" },
    { "nbf later", H256, "{\"nbf\":1300000001}", CHAT_JWT_BAD, "yet" },
    { "nbf a fraction later", H256, "{\"nbf\":1300000000.001}", CHAT_JWT_BAD,
      "yet" },
    { "nbf a string", H256, "{\"nbf\":\"0\"}", CHAT_JWT_BAD, "nbf" },
    { "iat a string", H256, "{\"iat\":\"0\"}", CHAT_JWT_BAD, "iat" }
};


static void
test_cases(void)
{
    int                rc;
    size_t             i;
    chat_jwt_t         jwt;
    const char        *reason;
    chat_jwk_set_t    *set;
    const jwt_case_t  *c;

    set = jwt_file_keys(SECRET);

    for (i = 0; i < sizeof(jwt_cases) / sizeof(jwt_cases[0]); i++) {
        c = &jwt_cases[i];

        rc = jwt_verify_at(jwt_hs(c->header, c->claims, SECRET, EVP_sha256()),
                           set, NULL, NOW, &jwt, &reason);

        test_eq_at(__FILE__, __LINE__, c->name, rc, c->rc);

        if (strstr(reason, c->reason) == NULL) {
            test_str_at(__FILE__, __LINE__, c->name, reason, c->reason);
        }

        if (rc == CHAT_JWT_OK) {
            chat_jwt_free(&jwt);
        }
    }

    chat_jwk_set_free(set);
}


static void
test_size(void)
{
    char            *claims;
    size_t           n, len;
    chat_jwt_t       jwt;
    const char      *reason, *token;
    chat_jwk_set_t  *set;

    set = jwt_file_keys(SECRET);
    claims = calloc(1, CHAT_JWT_MAX + 16);

    /* 20 of the header, 43 of the signature, two dots: 16319 are left */

    for (n = 12230; n <= 12245; n++) {
        memset(claims, ' ', n);
        memcpy(claims, "{}", 2);
        claims[n] = '\0';

        token = jwt_hs(H256, claims, SECRET, EVP_sha256());
        len = strlen(token);

        test_eq(jwt_verify_at(token, set, NULL, NOW, &jwt, &reason),
                len <= CHAT_JWT_MAX ? CHAT_JWT_OK : CHAT_JWT_BAD);

        if (len <= CHAT_JWT_MAX) {
            chat_jwt_free(&jwt);

        } else {
            test_str(reason, "the token is over 16 KiB");
        }
    }

    free(claims);

    /* a signature that is longer than any can be */

    for (n = 1300; n <= 1400; n++) {
        token = jwt_input(H256, "{}");
        memset(strchr(token, '\0'), 0, 1500);
        strcat((char *) token, ".");
        memset(strchr(token, '\0'), 'A', n);

        test_eq(jwt_verify(token, set), CHAT_JWT_BAD);
    }

    chat_jwk_set_free(set);
}


static int
jwt_with(const chat_jwk_set_t *set, const chat_jwt_rules_t *rules,
    const char *claims)
{
    int          rc;
    chat_jwt_t   jwt;
    const char  *reason;

    rc = jwt_verify_at(jwt_hs(H256, claims, SECRET, EVP_sha256()), set, rules,
                       NOW, &jwt, &reason);

    if (rc == CHAT_JWT_OK) {
        chat_jwt_free(&jwt);
    }

    return rc;
}


static void
test_rules(void)
{
    chat_jwk_set_t    *set;
    chat_jwt_rules_t   rules;

    static const chat_str_t  names[] = { chat_str("a"), chat_str("b") };

    set = jwt_file_keys(SECRET);

    memset(&rules, 0, sizeof(rules));
    rules.iss = names;
    rules.niss = 2;

    test_eq(jwt_with(set, &rules, "{\"iss\":\"a\"}"), CHAT_JWT_OK);
    test_eq(jwt_with(set, &rules, "{\"iss\":\"b\"}"), CHAT_JWT_OK);
    test_eq(jwt_with(set, &rules, "{\"iss\":\"ab\"}"), CHAT_JWT_BAD);
    test_eq(jwt_with(set, &rules, "{\"iss\":\"A\"}"), CHAT_JWT_BAD);
    test_eq(jwt_with(set, &rules, "{\"iss\":\"\"}"), CHAT_JWT_BAD);
    test_eq(jwt_with(set, &rules, "{\"ISS\":\"a\"}"), CHAT_JWT_BAD);
    test_eq(jwt_with(set, &rules, "{}"), CHAT_JWT_BAD);

    memset(&rules, 0, sizeof(rules));
    rules.aud = names;
    rules.naud = 2;

    test_eq(jwt_with(set, &rules, "{\"aud\":\"a\"}"), CHAT_JWT_OK);
    test_eq(jwt_with(set, &rules, "{\"aud\":[\"x\",\"b\"]}"), CHAT_JWT_OK);
    test_eq(jwt_with(set, &rules, "{\"aud\":\"x\"}"), CHAT_JWT_BAD);
    test_eq(jwt_with(set, &rules, "{\"aud\":[]}"), CHAT_JWT_BAD);
    test_eq(jwt_with(set, &rules, "{\"aud\":[[\"a\"]]}"), CHAT_JWT_BAD);
    test_eq(jwt_with(set, &rules, "{\"aud\":[\"a\",null]}"), CHAT_JWT_BAD);
    test_eq(jwt_with(set, &rules, "{\"aud\":{\"a\":1}}"), CHAT_JWT_BAD);
    test_eq(jwt_with(set, &rules, "{}"), CHAT_JWT_BAD);

    memset(&rules, 0, sizeof(rules));
    rules.leeway = 30000;

    test_eq(jwt_with(set, &rules, "{\"exp\":1299999970}"), CHAT_JWT_EXPIRED);
    test_eq(jwt_with(set, &rules, "{\"exp\":1299999971}"), CHAT_JWT_OK);
    test_eq(jwt_with(set, &rules, "{\"nbf\":1300000030}"), CHAT_JWT_OK);
    test_eq(jwt_with(set, &rules, "{\"nbf\":1300000031}"), CHAT_JWT_BAD);

    memset(&rules, 0, sizeof(rules));
    rules.algs = 1u << CHAT_JWA_HS256;
    test_eq(jwt_with(set, &rules, "{}"), CHAT_JWT_OK);
    rules.algs = 1u << CHAT_JWA_HS384 | 1u << CHAT_JWA_RS256;
    test_eq(jwt_with(set, &rules, "{}"), CHAT_JWT_BAD);

    chat_jwk_set_free(set);
}


static void
test_claims(void)
{
    size_t           i;
    chat_jwt_t       jwt, again;
    chat_str_t       value;
    const char      *reason;
    chat_jwk_set_t  *set;

    static const struct {
        const char  *name;
        const char  *value;      /* NULL: there is none */
    } c[] = {
        { "sub", "j\xc3\xb6""e\"" },
        { "level", "12345678901234567890123" },
        { "rate", "1.50" },
        { "admin", "true" },
        { "roles", "[\"a\", \"b\"]" },
        { "o", "{\"sub\":\"x\"}" },
        { "nothing", NULL },
        { "absent", NULL },
        { "su", NULL },
        { "given_name", "Jo" },
        { "GIVEN_NAME", "Jo" },
        { "two", NULL },
        { "TWO", "2" },
        { "empty", "" }
    };

    set = jwt_file_keys(SECRET);

    test_eq(jwt_verify_at(jwt_hs(H256, "{\"sub\":\"j\\u00f6e\\\"\","
                                 "\"level\":12345678901234567890123,"
                                 "\"rate\":1.50,\"admin\":true,"
                                 "\"roles\":[\"a\", \"b\"],"
                                 "\"o\":{\"sub\":\"x\"},\"nothing\":null,"
                                 "\"Given_Name\":\"Jo\",\"TWO\":2,\"Two\":3,"
                                 "\"empty\":\"\"}", SECRET, EVP_sha256()),
                          set, NULL, NOW, &jwt, &reason), CHAT_JWT_OK);

    test_eq(chat_jwt_restore(&again, jwt.text, jwt.len, 5), CHAT_JWT_OK);
    test_eq(again.expires, 5);
    test_eq(jwt.expires, 0);

    for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
        test_eq_at(__FILE__, __LINE__, c[i].name,
                   chat_jwt_claim(&again, c[i].name, strlen(c[i].name),
                                  &value),
                   c[i].value != NULL);

        if (c[i].value) {
            test_ok(value.len == strlen(c[i].value)
                    && memcmp(value.data, c[i].value, value.len) == 0);
        }
    }

    chat_jwt_free(&again);
    chat_jwt_free(&jwt);
    chat_jwk_set_free(set);
}


static void
test_same(void)
{
    size_t      i;
    chat_jwt_t  one, other;

    static const struct {
        const char  *one;
        const char  *other;
        int          same;
    } c[] = {
        { "{}", "{}", 1 },
        { "{\"sub\":\"a\",\"exp\":1}", "{\"exp\":2,\"sub\":\"a\"}", 1 },
        { "{\"sub\":\"a\"}", "{\"sub\":\"b\"}", 0 },
        { "{\"sub\":\"a\"}", "{}", 0 },
        { "{}", "{\"sub\":\"a\"}", 0 },
        { "{\"sub\":\"a\",\"iss\":\"x\"}", "{\"sub\":\"a\",\"iss\":\"y\"}",
          0 },
        { "{\"sub\":\"a\",\"iss\":\"x\"}", "{\"sub\":\"a\"}", 0 }
    };

    for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
        chat_jwt_restore(&one, (const unsigned char *) c[i].one,
                         strlen(c[i].one), 0);
        chat_jwt_restore(&other, (const unsigned char *) c[i].other,
                         strlen(c[i].other), 0);

        test_eq_at(__FILE__, __LINE__, c[i].other,
                   chat_jwt_same(&one, &other), c[i].same);

        chat_jwt_free(&one);
        chat_jwt_free(&other);
    }
}


int
main(void)
{
    test_run("the tokens of RFC 7515 and 7519", test_rfc_tokens);
    test_run("the signatures of RFC 7515 A.4 and RFC 8037",
             test_rfc_signatures);

    jwt_kit_make();
    test_run("each algorithm with each key", test_algorithms);
    test_run("one algorithm for another", test_confusion);
    jwt_kit_free();

    test_run("signatures of 0 and of the order", test_ecdsa_numbers);
    test_run("headers and claims", test_cases);
    test_run("a token's size", test_size);
    test_run("issuers, audiences, leeway, algorithms", test_rules);
    test_run("claims as text", test_claims);
    test_run("whose token it is", test_same);

    return test_done();
}
