
/*
 * JSON Web Tokens (RFC 7519) in the compact form of signed ones (RFC 7515):
 * read, verified by a set of keys, and held against the rules of a place.
 * Nothing of a token's claims is looked at before its signature is verified.
 */


#ifndef _CHAT_JWT_H_INCLUDED_
#define _CHAT_JWT_H_INCLUDED_


#include "chat_jwk.h"


#define CHAT_JWT_MAX  (16 * 1024)       /* bytes of a token */


typedef enum {
    CHAT_JWT_OK = 0,
    CHAT_JWT_BAD,                       /* malformed, or not what rules ask */
    CHAT_JWT_EXPIRED,                   /* good but for its time */
    CHAT_JWT_NO_MEMORY
} chat_jwt_e;


/* What a token must be to be taken. */
typedef struct {
    const chat_str_t  *iss;             /* one of these, if there are any */
    size_t             niss;
    const chat_str_t  *aud;             /* one of its audiences is of these */
    size_t             naud;
    int64_t            leeway;          /* ms, for exp and nbf */
    uint32_t           algs;            /* bits 1 << CHAT_JWA_...; 0 = any */
} chat_jwt_rules_t;


/* A token's claims, the caller's to free. */
typedef struct {
    unsigned char     *text;            /* the claims' JSON */
    size_t             len;
    json_t            *claims;
    int64_t            expires;         /* ms since 1970; 0 = never */
} chat_jwt_t;


/*
 * now: ms since 1970.  jwt is set where OK is returned, and chat_jwt_free()
 * is to follow; else *reason is a static text, which says nothing of what the
 * token holds.
 */
chat_jwt_e chat_jwt_verify(chat_jwt_t *jwt, const unsigned char *token,
    size_t len, const chat_jwk_set_t *keys, const chat_jwt_rules_t *rules,
    int64_t now, const char **reason);

/* Claims whose text was kept: OK, or NO_MEMORY. */
chat_jwt_e chat_jwt_restore(chat_jwt_t *jwt, const unsigned char *text,
    size_t len, int64_t expires);

void chat_jwt_free(chat_jwt_t *jwt);

/*
 * A claim as text, which lives as long as jwt: a string's characters, of
 * anything else its JSON.  The name's case counts, unless there is none
 * in that case and exactly one in another.  0: there is none, or it is null.
 */
int chat_jwt_claim(const chat_jwt_t *jwt, const char *name, size_t len,
    chat_str_t *value);

/*
 * "sub", in its exact case alone: others are claims of their own, which an
 * issuer may let users choose.  0: there is none.
 */
int chat_jwt_subject(const chat_jwt_t *jwt, chat_str_t *sub);

/* 1: both name the same issuer and subject, or neither one. */
int chat_jwt_same(const chat_jwt_t *one, const chat_jwt_t *other);


#endif /* _CHAT_JWT_H_INCLUDED_ */
