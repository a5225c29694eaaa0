
/*
 * JSON: plain objects at once, others by jansson behind a bounded look at the
 * text, raw tokens by a skipper over what jansson took, writing.
 */


#include <string.h>

#include "chat_json.h"
#include "chat_utf8.h"


#define CHAT_JSON_FLAGS       (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL)

/* An integer of so many digits may be beyond 64 bits. */
#define CHAT_JSON_DIGITS_MAX  18


static const char *chat_json_look(const unsigned char *text, size_t len);
static json_t *chat_json_object_wide(const unsigned char *text, size_t len,
    json_error_t *error);
static unsigned char *chat_json_narrow(unsigned char *p, unsigned char *end);
static const char *chat_json_reason(json_error_t *error);
static const unsigned char *chat_json_plain_member(const unsigned char *p,
    const unsigned char *end, chat_json_plain_t *m);
static const unsigned char *chat_json_plain_string(const unsigned char *p,
    const unsigned char *end, chat_str_t *string);
static const unsigned char *chat_json_plain_value(const unsigned char *p,
    const unsigned char *end, chat_json_plain_t *m);
static const unsigned char *chat_json_plain_number(const unsigned char *p,
    const unsigned char *end, json_int_t *number);
static const unsigned char *chat_json_plain_word(const unsigned char *p,
    const unsigned char *end, const char *word, size_t len);
static int chat_json_plain_again(const chat_json_plain_t *members, int last);
static const unsigned char *chat_json_skip_space(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *chat_json_skip_string(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *chat_json_skip_nested(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *chat_json_skip_value(const unsigned char *p,
    const unsigned char *end);
static int chat_json_key_is(const chat_str_t *key, const char *name);
static size_t chat_json_unescape(const unsigned char **pos,
    const unsigned char *end, unsigned char *out);
static uint32_t chat_json_hex4(const unsigned char *p);
static size_t chat_json_escape(const unsigned char *p,
    const unsigned char *end, unsigned char *out, size_t *used);


const char  chat_json_no_memory[] = "out of memory";


json_t *
chat_json_object(const unsigned char *text, size_t len, const char **reason)
{
    json_t        *root;
    const char    *wrong;
    json_error_t   error;

    wrong = chat_json_look(text, len);

    if (wrong != NULL) {
        *reason = wrong;
        return NULL;
    }

    /* jansson leaves its code unset when an allocation failed */
    error.text[0] = '\0';
    error.text[JSON_ERROR_TEXT_LENGTH - 1] = (char) json_error_unknown;

    root = json_loadb((const char *) text, len, CHAT_JSON_FLAGS, &error);

    if (root == NULL && json_error_code(&error) == json_error_numeric_overflow)
    {
        root = chat_json_object_wide(text, len, &error);
    }

    if (root == NULL) {
        *reason = chat_json_reason(&error);
    }

    return root;
}


/*
 * The look before jansson is called: an object, neither too long nor too deep.
 * Where a text is not JSON, this may see another structure in it than jansson
 * does, but only behind the byte at which jansson gives up.
 */

static const char *
chat_json_look(const unsigned char *text, size_t len)
{
    unsigned              depth;
    const unsigned char  *p, *end;

    if (len == 0) {
        return "not an object";
    }

    if (len > CHAT_JSON_SIZE_MAX) {
        return "the text is too long";
    }

    /* jansson passes over a NUL behind a number or a literal */

    if (memchr(text, '\0', len) != NULL) {
        return "a NUL byte";
    }

    end = text + len;
    p = chat_json_skip_space(text, end);

    if (p == end || *p != '{') {
        return "not an object";
    }

    depth = 0;

    while (p != end) {

        switch (*p++) {

        case '"':
            p = chat_json_skip_string(p - 1, end);
            break;

        case '{':
        case '[':
            if (++depth > CHAT_JSON_DEPTH_MAX) {
                return "nested too deeply";
            }

            break;

        case '}':
        case ']':
            depth--;
            break;
        }
    }

    return NULL;
}


/*
 * RFC 8259 bounds no number, jansson does.  A text with numbers that it
 * cannot hold is read once more from a copy in which they are smaller ones of
 * the same length; the raw tokens come from the text itself.
 */

static json_t *
chat_json_object_wide(const unsigned char *text, size_t len,
    json_error_t *error)
{
    json_t         *root;
    json_free_t     release;
    json_malloc_t   allocate;
    unsigned char  *copy, *p, *end;

    error->text[0] = '\0';
    error->text[JSON_ERROR_TEXT_LENGTH - 1] = (char) json_error_unknown;

    json_get_alloc_funcs(&allocate, &release);

    copy = allocate(len);
    if (copy == NULL) {
        return NULL;
    }

    memcpy(copy, text, len);

    p = copy;
    end = copy + len;

    while (p != end) {

        if (*p == '"') {
            p = copy + (chat_json_skip_string(p, end) - copy);

        } else if (*p >= '0' && *p <= '9') {
            p = chat_json_narrow(p, end);

        } else {
            p++;
        }
    }

    root = json_loadb((const char *) copy, len, CHAT_JSON_FLAGS, error);

    release(copy);

    return root;
}


/*
 * Makes the number at p one that jansson can hold: a long integer part
 * becomes a fraction ("123..." is "1.3..."), an exponent zero.  What is left
 * is a real, so that nobody takes it for an integer, and valid only if the
 * number was.
 */

static unsigned char *
chat_json_narrow(unsigned char *p, unsigned char *end)
{
    int             point;
    unsigned char  *start;

    start = p;

    while (p != end && *p >= '0' && *p <= '9') {
        p++;
    }

    point = (p != end && *p == '.');

    /* what was invalid stays so: "01", "1." */

    if (p - start > CHAT_JSON_DIGITS_MAX && *start != '0'
        && (!point || (end - p > 1 && p[1] >= '0' && p[1] <= '9')))
    {
        if (point) {
            *p = '0';
        }

        start[1] = '.';
    }

    while (p != end && ((*p >= '0' && *p <= '9') || *p == '.')) {
        p++;
    }

    if (p == end || (*p | 0x20) != 'e') {
        return p;
    }

    p++;

    if (p != end && (*p == '+' || *p == '-')) {
        p++;
    }

    while (p != end && *p >= '0' && *p <= '9') {
        *p++ = '0';
    }

    return p;
}


static const char *
chat_json_reason(json_error_t *error)
{
    switch (json_error_code(error)) {

    case json_error_unknown:
    case json_error_out_of_memory:
        return chat_json_no_memory;

    case json_error_duplicate_key:
        return "the same key twice";

    case json_error_invalid_utf8:
        return "invalid UTF-8";

    case json_error_premature_end_of_input:
        return "the text ends too early";

    case json_error_end_of_input_expected:
        return "something follows the object";

    case json_error_null_byte_in_key:
        return "\\u0000 in a key";

    default:
        return "invalid syntax";
    }
}


int
chat_json_plain(const unsigned char *text, size_t len,
    chat_json_plain_t *members, int max)
{
    int                   n;
    const unsigned char  *p, *end;

    if (len == 0) {
        return -1;
    }

    end = text + len;
    p = chat_json_skip_space(text, end);

    if (p == end || *p != '{') {
        return -1;
    }

    n = 0;

    do {
        if (n == max) {
            return -1;
        }

        p = chat_json_plain_member(p + 1, end, &members[n]);

        if (p == NULL || p == end || chat_json_plain_again(members, n)) {
            return -1;
        }

        n++;

    } while (*p == ',');

    if (*p != '}' || chat_json_skip_space(p + 1, end) != end) {
        return -1;
    }

    return n;
}


/* Returns what stands behind the member and spaces; NULL: it is not plain. */

static const unsigned char *
chat_json_plain_member(const unsigned char *p, const unsigned char *end,
    chat_json_plain_t *m)
{
    p = chat_json_plain_string(chat_json_skip_space(p, end), end, &m->key);

    if (p == NULL) {
        return NULL;
    }

    p = chat_json_skip_space(p, end);

    if (p == end || *p != ':') {
        return NULL;
    }

    p = chat_json_skip_space(p + 1, end);

    m->raw.data = p;

    p = chat_json_plain_value(p, end, m);

    if (p == NULL) {
        return NULL;
    }

    m->raw.len = p - m->raw.data;

    return chat_json_skip_space(p, end);
}


static const unsigned char *
chat_json_plain_string(const unsigned char *p, const unsigned char *end,
    chat_str_t *string)
{
    unsigned char  all;

    if (p == end || *p != '"') {
        return NULL;
    }

    string->data = ++p;
    all = 0;

    for ( /* void */ ; p != end && *p != '"'; p++) {

        if (*p < 0x20 || *p == '\\') {
            return NULL;
        }

        all |= *p;
    }

    if (p == end) {
        return NULL;
    }

    string->len = p - string->data;

    if (all >= 0x80 && !chat_utf8_valid(string->data, string->len)) {
        return NULL;
    }

    return p + 1;
}


/* What follows a number or a word, as in 1.5, is looked at by the caller. */

static const unsigned char *
chat_json_plain_value(const unsigned char *p, const unsigned char *end,
    chat_json_plain_t *m)
{
    if (p == end) {
        return NULL;
    }

    switch (*p) {

    case '"':
        m->type = JSON_STRING;
        return chat_json_plain_string(p, end, &m->string);

    case 't':
        m->type = JSON_TRUE;
        return chat_json_plain_word(p, end, "true", 4);

    case 'f':
        m->type = JSON_FALSE;
        return chat_json_plain_word(p, end, "false", 5);

    case 'n':
        m->type = JSON_NULL;
        return chat_json_plain_word(p, end, "null", 4);

    default:
        m->type = JSON_INTEGER;
        return chat_json_plain_number(p, end, &m->number);
    }
}


static const unsigned char *
chat_json_plain_number(const unsigned char *p, const unsigned char *end,
    json_int_t *number)
{
    const unsigned char  *start;

    start = p;
    *number = 0;

    while (p != end && *p >= '0' && *p <= '9') {

        if (p - start == CHAT_JSON_DIGITS_MAX) {
            return NULL;
        }

        *number = *number * 10 + (*p++ - '0');
    }

    if (p == start || (*start == '0' && p - start > 1)) {
        return NULL;
    }

    return p;
}


static const unsigned char *
chat_json_plain_word(const unsigned char *p, const unsigned char *end,
    const char *word, size_t len)
{
    if ((size_t) (end - p) < len || memcmp(p, word, len) != 0) {
        return NULL;
    }

    return p + len;
}


/* 1: the last key was there before. */

static int
chat_json_plain_again(const chat_json_plain_t *members, int last)
{
    int  i;

    for (i = 0; i < last; i++) {

        if (members[i].key.len == members[last].key.len
            && memcmp(members[i].key.data, members[last].key.data,
                      members[last].key.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


void
chat_json_walk(chat_json_walk_t *walk, const unsigned char *text, size_t len)
{
    walk->end = text + len;
    walk->pos = chat_json_skip_space(text, walk->end);

    if (walk->pos != walk->end) {
        walk->pos++;
    }
}


int
chat_json_next(chat_json_walk_t *walk, chat_str_t *key, chat_str_t *value)
{
    const unsigned char  *p, *end;

    end = walk->end;

    p = chat_json_skip_space(walk->pos, end);

    if (p != end && *p == ',') {
        p = chat_json_skip_space(p + 1, end);
    }

    if (p == end || *p != '"') {
        return 0;
    }

    key->data = p;
    p = chat_json_skip_string(p, end);
    key->len = p - key->data;

    p = chat_json_skip_space(p, end);

    if (p == end || *p != ':') {
        return 0;
    }

    p = chat_json_skip_space(p + 1, end);

    value->data = p;
    p = chat_json_skip_value(p, end);
    value->len = p - value->data;

    walk->pos = p;

    return 1;
}


int
chat_json_raw(const unsigned char *text, size_t len, const char *name,
    chat_str_t *raw)
{
    chat_str_t        key;
    chat_json_walk_t  walk;

    chat_json_walk(&walk, text, len);

    while (chat_json_next(&walk, &key, raw)) {

        if (chat_json_key_is(&key, name)) {
            return 1;
        }
    }

    raw->data = NULL;
    raw->len = 0;

    return 0;
}


static const unsigned char *
chat_json_skip_space(const unsigned char *p, const unsigned char *end)
{
    while (p != end
           && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
    {
        p++;
    }

    return p;
}


/*
 * From an opening quote to behind the closing one.  A quote closes unless an
 * odd number of backslashes stands before it; each backslash is counted for
 * the one quote behind it only, so this is linear.
 */

static const unsigned char *
chat_json_skip_string(const unsigned char *p, const unsigned char *end)
{
    const unsigned char  *start, *back;

    start = ++p;

    while (p != end) {

        p = memchr(p, '"', end - p);

        if (p == NULL) {
            break;
        }

        for (back = p; back != start && back[-1] == '\\'; back--) {
            /* void */
        }

        p++;

        if (((p - back) & 1) == 1) {
            return p;
        }
    }

    return end;
}


static const unsigned char *
chat_json_skip_nested(const unsigned char *p, const unsigned char *end)
{
    size_t  depth;

    depth = 0;

    while (p != end) {

        switch (*p++) {

        case '"':
            p = chat_json_skip_string(p - 1, end);
            break;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            if (--depth == 0) {
                return p;
            }

            break;
        }
    }

    return end;
}


static const unsigned char *
chat_json_skip_value(const unsigned char *p, const unsigned char *end)
{
    if (p == end) {
        return end;
    }

    if (*p == '"') {
        return chat_json_skip_string(p, end);
    }

    if (*p == '{' || *p == '[') {
        return chat_json_skip_nested(p, end);
    }

    while (p != end && *p > ' ' && *p != ',' && *p != '}' && *p != ']') {
        p++;
    }

    return p;
}


/* key has its quotes. */

static int
chat_json_key_is(const chat_str_t *key, const char *name)
{
    size_t                n, left;
    unsigned char         out[4];
    const unsigned char  *p, *end;

    if (key->len < 2) {
        return 0;
    }

    p = key->data + 1;
    end = key->data + key->len - 1;
    left = strlen(name);

    if (memchr(p, '\\', end - p) == NULL) {
        return left == (size_t) (end - p) && memcmp(p, name, left) == 0;
    }

    while (p != end) {
        n = chat_json_unescape(&p, end, out);

        if (n > left || memcmp(out, name, n) != 0) {
            return 0;
        }

        name += n;
        left -= n;
    }

    return left == 0;
}


/* One byte, or one escape sequence as UTF-8.  The text is known to be valid. */

static size_t
chat_json_unescape(const unsigned char **pos, const unsigned char *end,
    unsigned char *out)
{
    uint32_t              u;
    const char           *name;
    const unsigned char  *p;

    static const char     names[] = "b\bf\fn\nr\rt\t";

    p = *pos;

    if (*p != '\\' || end - p < 2) {
        out[0] = *p;
        *pos = p + 1;
        return 1;
    }

    if (p[1] != 'u' || end - p < 6) {
        out[0] = p[1];

        for (name = names; *name != '\0'; name += 2) {

            if ((unsigned char) *name == p[1]) {
                out[0] = (unsigned char) name[1];
            }
        }

        *pos = p + 2;
        return 1;
    }

    u = chat_json_hex4(p + 2);
    p += 6;

    if (u >= 0xd800 && u <= 0xdbff && end - p >= 6) {
        u = 0x10000 + ((u - 0xd800) << 10) + (chat_json_hex4(p + 2) - 0xdc00);
        p += 6;
    }

    *pos = p;

    if (u < 0x80) {
        out[0] = (unsigned char) u;
        return 1;
    }

    if (u < 0x800) {
        out[0] = (unsigned char) (0xc0 | (u >> 6));
        out[1] = (unsigned char) (0x80 | (u & 0x3f));
        return 2;
    }

    if (u < 0x10000) {
        out[0] = (unsigned char) (0xe0 | (u >> 12));
        out[1] = (unsigned char) (0x80 | ((u >> 6) & 0x3f));
        out[2] = (unsigned char) (0x80 | (u & 0x3f));
        return 3;
    }

    out[0] = (unsigned char) (0xf0 | (u >> 18));
    out[1] = (unsigned char) (0x80 | ((u >> 12) & 0x3f));
    out[2] = (unsigned char) (0x80 | ((u >> 6) & 0x3f));
    out[3] = (unsigned char) (0x80 | (u & 0x3f));

    return 4;
}


static uint32_t
chat_json_hex4(const unsigned char *p)
{
    uint32_t       u;
    unsigned       i;
    unsigned char  c;

    u = 0;

    for (i = 0; i < 4; i++) {
        c = p[i];
        u = (u << 4) | ((c <= '9') ? c - '0' : ((c | 0x20) - 'a' + 10) & 0xf);
    }

    return u;
}


void
chat_json_put(chat_json_writer_t *w, const void *data, size_t len)
{
    if (w->lost != 0 || len > (size_t) (w->end - w->pos)) {
        w->lost += len;
        return;
    }

    memcpy(w->pos, data, len);
    w->pos += len;
}


void
chat_json_string(chat_json_writer_t *w, const void *data, size_t len)
{
    size_t                n, used;
    unsigned char         out[6];
    const unsigned char  *p, *run, *end;

    p = data;
    run = p;
    end = p + len;

    chat_json_lit(w, "\"");

    while (p != end) {

        n = 0;
        used = 0;

        if (*p < ' ' || *p == '"' || *p == '\\' || *p == 0x7f || *p == 0xe2) {
            n = chat_json_escape(p, end, out, &used);
        }

        if (n == 0) {
            p++;
            continue;
        }

        chat_json_put(w, run, p - run);
        chat_json_put(w, out, n);

        p += used;
        run = p;
    }

    chat_json_put(w, run, p - run);
    chat_json_lit(w, "\"");
}


/*
 * p is at a control, a quote, a backslash or 0xe2, with which U+2028 begins.
 * 0: the byte stands as it is; else the length of what replaces the "used"
 * bytes at p.
 */

static size_t
chat_json_escape(const unsigned char *p, const unsigned char *end,
    unsigned char *out, size_t *used)
{
    const char  *name;

    static const char  hex[] = "0123456789abcdef";
    static const char  names[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    *used = 1;
    out[0] = '\\';

    if (*p == 0xe2 && end - p >= 3 && p[1] == 0x80 && (p[2] | 1) == 0xa9) {
        memcpy(out, (p[2] == 0xa8) ? "\\u2028" : "\\u2029", 6);
        *used = 3;
        return 6;
    }

    if (*p == 0xe2) {
        return 0;
    }

    for (name = names; *name != '\0'; name += 2) {

        if ((unsigned char) *name == *p) {
            out[1] = name[1];
            return 2;
        }
    }

    memcpy(out, "\\u00", 4);
    out[4] = hex[*p >> 4];
    out[5] = hex[*p & 0xf];

    return 6;
}


void
chat_json_uint(chat_json_writer_t *w, uint64_t n)
{
    unsigned char  *p, buf[20];

    p = buf + sizeof(buf);

    do {
        *--p = (unsigned char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    chat_json_put(w, p, buf + sizeof(buf) - p);
}
