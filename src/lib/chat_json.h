
/*
 * JSON (RFC 8259).  Reading, but for what is plain, goes through jansson, with
 * duplicate keys, lone surrogates, invalid UTF-8 and trailing bytes refused,
 * and size and depth bounded before it is called.  What a client's value
 * looked like is kept as a slice of the input (a "raw" token), so that numbers
 * and strings are repeated exactly as they came.  Writing goes through a
 * bounded writer.
 */


#ifndef _CHAT_JSON_H_INCLUDED_
#define _CHAT_JSON_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <jansson.h>


#if JANSSON_VERSION_HEX < 0x020b00
#error jansson 2.11 or newer is needed
#endif


/* Objects and arrays in each other, the outermost one counted. */
#define CHAT_JSON_DEPTH_MAX  32

/* jansson counts bytes and lines in an int. */
#define CHAT_JSON_SIZE_MAX   0x3fffffff


typedef struct {
    const unsigned char  *data;
    size_t                len;
} chat_str_t;


#define chat_str(lit)  { (const unsigned char *) (lit), sizeof(lit) - 1 }


/*
 * NULL unless text is exactly one JSON object; *reason then says what is
 * wrong, a static text, and is chat_json_no_memory where that is not the
 * text's fault.  text need not be terminated.  The object is freed with
 * json_decref(); nothing in it points into text.
 *
 * A number that jansson cannot hold (an integer beyond 64 bits, 1e400) is
 * taken all the same: the text's long integers and numbers with exponents are
 * then reals of no particular value in the tree, and their raw tokens are
 * what counts.  A key with \u0000 in it is refused, since jansson has none.
 * The time is linear in len: text that is nested too deeply is refused before
 * jansson sees it, and keys are hashed with a seed that clients don't know.
 */
extern const char  chat_json_no_memory[];

json_t *chat_json_object(const unsigned char *text, size_t len,
    const char **reason);

/*
 * Most commands are plain: an object of a few members with different keys, no
 * object or array in it, no escape in any string, no number but a natural one
 * of at most 18 digits.  Those are read without a tree, for building one is
 * most of the work of a short message.  Returns how many members there are, at
 * least 1; or -1, and then chat_json_object() says what the text is.  What is
 * plain, chat_json_object() takes with the same keys and values, in this order.
 */
typedef struct {
    chat_str_t   key;
    chat_str_t   raw;
    chat_str_t   string;        /* of JSON_STRING: raw without its quotes */
    json_int_t   number;        /* of JSON_INTEGER */
    json_type    type;
} chat_json_plain_t;

int chat_json_plain(const unsigned char *text, size_t len,
    chat_json_plain_t *members, int max);

/*
 * A walk over the members of the outermost object, in the text's order, which
 * is the order in which jansson iterates too.  text is one that
 * chat_json_object() took.  Both slices are raw: the key has its quotes.
 * chat_json_next() returns 0 behind the last member.  Between the tokens of
 * an object or an array a raw value may have spaces and line ends.
 */
typedef struct {
    const unsigned char  *pos;
    const unsigned char  *end;
} chat_json_walk_t;


void chat_json_walk(chat_json_walk_t *walk, const unsigned char *text,
    size_t len);
int chat_json_next(chat_json_walk_t *walk, chat_str_t *key,
    chat_str_t *value);

/*
 * Finds the raw token of a member of a text that chat_json_object() took:
 * name is compared with the keys after their escapes are undone.  Only the
 * outermost object's own members are looked at.  1: found; 0: *raw is empty.
 */
int chat_json_raw(const unsigned char *text, size_t len, const char *name,
    chat_str_t *raw);


/*
 * A writer into memory that somebody else owns.  It never passes end: what
 * does not fit is counted in "lost" and left out, with all that follows, so a
 * caller writes a whole message and asks once, at its end, whether it fitted:
 * lost is 0, or pos - start + lost bytes would have been needed.
 */
typedef struct {
    unsigned char  *start;
    unsigned char  *pos;
    unsigned char  *end;
    size_t          lost;
} chat_json_writer_t;


#define chat_json_begin(w, buf, size)                                         \
    do {                                                                      \
        (w)->start = (w)->pos = (buf);                                        \
        (w)->end = (buf) + (size);                                            \
        (w)->lost = 0;                                                        \
    } while (0)

#define chat_json_lit(w, s)  chat_json_put(w, s, sizeof(s) - 1)

/* As they are. */
void chat_json_put(chat_json_writer_t *w, const void *data, size_t len);
/* A quoted string, escaped as needed: ", \, C0 controls; U+2028 and U+2029
 * and DEL too, so that the text may stand in a script.  data is UTF-8. */
void chat_json_string(chat_json_writer_t *w, const void *data, size_t len);
void chat_json_uint(chat_json_writer_t *w, uint64_t n);


#endif /* _CHAT_JSON_H_INCLUDED_ */
