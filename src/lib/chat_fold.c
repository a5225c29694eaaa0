
/*
 * Copyright (C) the chat module's authors
 */


#include "chat_fold.h"


typedef struct {
    uint32_t       from;
    uint32_t       to;
} chat_fold_range_t;


typedef struct {
    uint16_t       code;
    unsigned char  like;
} chat_fold_like_t;


typedef struct {
    uint16_t       code;
    char           letters[4];
} chat_fold_several_t;


static uint32_t chat_fold_next(const unsigned char **p);
static const char *chat_fold_several(uint32_t code);
static uint32_t chat_fold_code(uint32_t code);
static uint32_t chat_fold_like(uint32_t code);
static uint32_t chat_fold_styled(uint32_t code);
static uint32_t chat_fold_digit(uint32_t code);
static uint32_t chat_fold_case(uint32_t code);
static int chat_fold_unseen(uint32_t code);
static unsigned char *chat_fold_put(unsigned char *p, uint32_t code);
static unsigned char *chat_fold_closer(unsigned char *out, unsigned char *p);


/* What is not seen, or only on the letter before, and what parts words. */

static const chat_fold_range_t  chat_fold_gone[] = {
    { 0x0020, 0x0020 }, { 0x0027, 0x0027 }, { 0x002d, 0x002e },
    { 0x005f, 0x005f }, { 0x00a0, 0x00a0 }, { 0x00ad, 0x00ad },
    { 0x00b7, 0x00b7 }, { 0x0300, 0x036f }, { 0x0483, 0x0489 },
    { 0x061c, 0x061c }, { 0x115f, 0x1160 }, { 0x1680, 0x1680 },
    { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x1ab0, 0x1aff },
    { 0x1dc0, 0x1dff }, { 0x2000, 0x2015 }, { 0x2019, 0x2019 },
    { 0x2024, 0x2024 }, { 0x2027, 0x202f }, { 0x205f, 0x206f },
    { 0x20d0, 0x20ff }, { 0x2212, 0x2212 }, { 0x2800, 0x2800 },
    { 0x2de0, 0x2dff }, { 0x3000, 0x3000 }, { 0x3164, 0x3164 },
    { 0xa66f, 0xa672 }, { 0xa674, 0xa67d }, { 0xfe00, 0xfe0f },
    { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },
    { 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
    { 0xe0000, 0xe0fff }
};


/* U+00C0..U+017F, U+01CD..U+0233, U+1E00..U+1EFF without their accents. */

static const char  chat_fold_latin[] =
    "aaaaaaaceeeeiiiidnooooo-ouuuuypbaaaaaaaceeeeiiiidnooooo-ouuuuypy"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static const char  chat_fold_latin_other[] =
    "aaiioouuuuuuuuuu-aaaa----ggkkoooo--j---gg--nnaa----aaaaeeeeiiiio"
    "ooorrrruuuusstt--hh------aaeeooooooooyy";

static const char  chat_fold_latin_more[] =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
    "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
    "wwwwwwwwwwxxxxyyzzzzzzhtwyas----aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy------";


/* Letters elsewhere that look like a Latin one, by their code. */

static const chat_fold_like_t  chat_fold_likes[] = {
    { 0x00aa, 'a' }, { 0x00b2, '2' }, { 0x00b3, '3' }, { 0x00b9, '1' },
    { 0x00ba, 'o' }, { 0x0196, 'l' }, { 0x01a0, 'o' }, { 0x01a1, 'o' },
    { 0x01af, 'u' }, { 0x01b0, 'u' }, { 0x01c0, 'l' }, { 0x0237, 'j' },
    { 0x0251, 'a' }, { 0x0261, 'g' }, { 0x0262, 'g' }, { 0x0269, 'i' },
    { 0x026a, 'i' }, { 0x0274, 'n' }, { 0x0280, 'r' }, { 0x028f, 'y' },
    { 0x0299, 'b' }, { 0x029c, 'h' }, { 0x029f, 'l' }, { 0x02b0, 'h' },
    { 0x02b2, 'j' }, { 0x02b3, 'r' }, { 0x02b7, 'w' }, { 0x02b8, 'y' },
    { 0x02e1, 'l' }, { 0x02e2, 's' }, { 0x02e3, 'x' }, { 0x0386, 'a' },
    { 0x0388, 'e' }, { 0x0389, 'h' }, { 0x038a, 'i' }, { 0x038c, 'o' },
    { 0x038e, 'y' }, { 0x0391, 'a' }, { 0x0392, 'b' }, { 0x0395, 'e' },
    { 0x0396, 'z' }, { 0x0397, 'h' }, { 0x0399, 'i' }, { 0x039a, 'k' },
    { 0x039c, 'm' }, { 0x039d, 'n' }, { 0x039f, 'o' }, { 0x03a1, 'p' },
    { 0x03a4, 't' }, { 0x03a5, 'y' }, { 0x03a7, 'x' }, { 0x03aa, 'i' },
    { 0x03ab, 'y' }, { 0x03ac, 'a' }, { 0x03ad, 'e' }, { 0x03ae, 'n' },
    { 0x03af, 'i' }, { 0x03b1, 'a' }, { 0x03b2, 'b' }, { 0x03b3, 'y' },
    { 0x03b5, 'e' }, { 0x03b7, 'n' }, { 0x03b9, 'i' }, { 0x03ba, 'k' },
    { 0x03bc, 'u' }, { 0x03bd, 'v' }, { 0x03bf, 'o' }, { 0x03c1, 'p' },
    { 0x03c2, 'c' }, { 0x03c3, 'o' }, { 0x03c4, 't' }, { 0x03c5, 'u' },
    { 0x03c7, 'x' }, { 0x03c9, 'w' }, { 0x03ca, 'i' }, { 0x03cb, 'u' },
    { 0x03cc, 'o' }, { 0x03cd, 'u' }, { 0x03ce, 'w' }, { 0x03f2, 'c' },
    { 0x03f3, 'j' }, { 0x0401, 'e' }, { 0x0404, 'e' }, { 0x0405, 's' },
    { 0x0406, 'i' }, { 0x0407, 'i' }, { 0x0408, 'j' }, { 0x040c, 'k' },
    { 0x040e, 'y' }, { 0x0410, 'a' }, { 0x0412, 'b' }, { 0x0413, 'r' },
    { 0x0415, 'e' }, { 0x041a, 'k' }, { 0x041c, 'm' }, { 0x041d, 'h' },
    { 0x041e, 'o' }, { 0x0420, 'p' }, { 0x0421, 'c' }, { 0x0422, 't' },
    { 0x0423, 'y' }, { 0x0425, 'x' }, { 0x0426, 'u' }, { 0x042c, 'b' },
    { 0x0430, 'a' }, { 0x0432, 'b' }, { 0x0433, 'r' }, { 0x0435, 'e' },
    { 0x043a, 'k' }, { 0x043c, 'm' }, { 0x043d, 'h' }, { 0x043e, 'o' },
    { 0x0440, 'p' }, { 0x0441, 'c' }, { 0x0442, 't' }, { 0x0443, 'y' },
    { 0x0445, 'x' }, { 0x0446, 'u' }, { 0x044c, 'b' }, { 0x0451, 'e' },
    { 0x0454, 'e' }, { 0x0455, 's' }, { 0x0456, 'i' }, { 0x0457, 'i' },
    { 0x0458, 'j' }, { 0x045c, 'k' }, { 0x045e, 'y' }, { 0x0474, 'v' },
    { 0x0475, 'v' }, { 0x0490, 'r' }, { 0x0491, 'r' }, { 0x04ae, 'y' },
    { 0x04af, 'y' }, { 0x04ba, 'h' }, { 0x04bb, 'h' }, { 0x04c0, 'l' },
    { 0x04cf, 'l' }, { 0x04e8, 'o' }, { 0x04e9, 'o' }, { 0x0500, 'd' },
    { 0x0501, 'd' }, { 0x051a, 'q' }, { 0x051b, 'q' }, { 0x051c, 'w' },
    { 0x051d, 'w' }, { 0x0570, 'h' }, { 0x0578, 'n' }, { 0x057d, 'u' },
    { 0x0581, 'g' }, { 0x0585, 'o' }, { 0x1d00, 'a' }, { 0x1d04, 'c' },
    { 0x1d05, 'd' }, { 0x1d07, 'e' }, { 0x1d0a, 'j' }, { 0x1d0b, 'k' },
    { 0x1d0d, 'm' }, { 0x1d0f, 'o' }, { 0x1d18, 'p' }, { 0x1d1b, 't' },
    { 0x1d1c, 'u' }, { 0x1d20, 'v' }, { 0x1d21, 'w' }, { 0x1d22, 'z' },
    { 0x1d2c, 'a' }, { 0x1d2e, 'b' }, { 0x1d30, 'd' }, { 0x1d31, 'e' },
    { 0x1d33, 'g' }, { 0x1d34, 'h' }, { 0x1d35, 'i' }, { 0x1d36, 'j' },
    { 0x1d37, 'k' }, { 0x1d38, 'l' }, { 0x1d39, 'm' }, { 0x1d3a, 'n' },
    { 0x1d3c, 'o' }, { 0x1d3e, 'p' }, { 0x1d3f, 'r' }, { 0x1d40, 't' },
    { 0x1d41, 'u' }, { 0x1d42, 'w' }, { 0x1d43, 'a' }, { 0x1d47, 'b' },
    { 0x1d48, 'd' }, { 0x1d49, 'e' }, { 0x1d4d, 'g' }, { 0x1d4f, 'k' },
    { 0x1d50, 'm' }, { 0x1d52, 'o' }, { 0x1d56, 'p' }, { 0x1d57, 't' },
    { 0x1d58, 'u' }, { 0x1d5b, 'v' }, { 0x1d62, 'i' }, { 0x1d63, 'r' },
    { 0x1d64, 'u' }, { 0x1d65, 'v' }, { 0x1d9c, 'c' }, { 0x1da0, 'f' },
    { 0x1dbb, 'z' }, { 0x2070, '0' }, { 0x2071, 'i' }, { 0x2074, '4' },
    { 0x2075, '5' }, { 0x2076, '6' }, { 0x2077, '7' }, { 0x2078, '8' },
    { 0x2079, '9' }, { 0x207f, 'n' }, { 0x2080, '0' }, { 0x2081, '1' },
    { 0x2082, '2' }, { 0x2083, '3' }, { 0x2084, '4' }, { 0x2085, '5' },
    { 0x2086, '6' }, { 0x2087, '7' }, { 0x2088, '8' }, { 0x2089, '9' },
    { 0x2090, 'a' }, { 0x2091, 'e' }, { 0x2092, 'o' }, { 0x2093, 'x' },
    { 0x2095, 'h' }, { 0x2096, 'k' }, { 0x2097, 'l' }, { 0x2098, 'm' },
    { 0x2099, 'n' }, { 0x209a, 'p' }, { 0x209b, 's' }, { 0x209c, 't' },
    { 0x2102, 'c' }, { 0x210a, 'g' }, { 0x210b, 'h' }, { 0x210c, 'h' },
    { 0x210d, 'h' }, { 0x210e, 'h' }, { 0x2110, 'i' }, { 0x2111, 'i' },
    { 0x2112, 'l' }, { 0x2113, 'l' }, { 0x2115, 'n' }, { 0x2119, 'p' },
    { 0x211a, 'q' }, { 0x211b, 'r' }, { 0x211c, 'r' }, { 0x211d, 'r' },
    { 0x2124, 'z' }, { 0x2128, 'z' }, { 0x212a, 'k' }, { 0x212b, 'a' },
    { 0x212c, 'b' }, { 0x212d, 'c' }, { 0x212f, 'e' }, { 0x2130, 'e' },
    { 0x2131, 'f' }, { 0x2133, 'm' }, { 0x2134, 'o' }, { 0x2139, 'i' },
    { 0x2145, 'd' }, { 0x2146, 'd' }, { 0x2147, 'e' }, { 0x2148, 'i' },
    { 0x2149, 'j' }, { 0x2160, 'i' }, { 0x2164, 'v' }, { 0x2169, 'x' },
    { 0x216c, 'l' }, { 0x216d, 'c' }, { 0x216e, 'd' }, { 0x216f, 'm' },
    { 0x2170, 'i' }, { 0x2174, 'v' }, { 0x2179, 'x' }, { 0x217c, 'l' },
    { 0x217d, 'c' }, { 0x217e, 'd' }, { 0x217f, 'm' }, { 0x2c7c, 'j' },
    { 0x2c7d, 'v' }, { 0xa730, 'f' }, { 0xa731, 's' }, { 0xa7f2, 'c' },
    { 0xa7f3, 'f' }, { 0xa7f4, 'q' }
};


/* Several letters in one; no more bytes than it has itself. */

static const chat_fold_several_t  chat_fold_severals[] = {
    { 0x0132, "ij" }, { 0x0133, "ij" }, { 0x01c4, "dz" },
    { 0x01c5, "dz" }, { 0x01c6, "dz" }, { 0x01c7, "lj" },
    { 0x01c8, "lj" }, { 0x01c9, "lj" }, { 0x01ca, "nj" },
    { 0x01cb, "nj" }, { 0x01cc, "nj" }, { 0x01f1, "dz" },
    { 0x01f2, "dz" }, { 0x01f3, "dz" }, { 0x2161, "ii" },
    { 0x2162, "iii" }, { 0x2163, "iv" }, { 0x2165, "vi" },
    { 0x2166, "vii" }, { 0x2168, "ix" }, { 0x216a, "xi" },
    { 0x216b, "xii" }, { 0x2171, "ii" }, { 0x2172, "iii" },
    { 0x2173, "iv" }, { 0x2175, "vi" }, { 0x2176, "vii" },
    { 0x2178, "ix" }, { 0x217a, "xi" }, { 0x217b, "xii" },
    { 0xfb00, "ff" }, { 0xfb01, "fi" }, { 0xfb02, "fl" },
    { 0xfb03, "ffi" }, { 0xfb04, "ffl" }, { 0xfb05, "st" },
    { 0xfb06, "st" }
};


size_t
chat_fold(unsigned char *out, const unsigned char *text, size_t len, int looks)
{
    size_t                n;
    uint32_t              code;
    const char           *several;
    unsigned char        *p;
    const unsigned char  *t;

    p = out;
    t = text;

    while (t < text + len) {
        code = chat_fold_styled(chat_fold_next(&t));

        if (chat_fold_unseen(code)) {
            continue;
        }

        several = chat_fold_several(code);
        code = several ? (unsigned char) *several++ : chat_fold_code(code);

        do {
            p = chat_fold_put(p, code);

            if (looks) {
                p = chat_fold_closer(out, p);
            }

            code = several ? (unsigned char) *several++ : 0;
        } while (code);
    }

    if (p == out) {

        for (n = 0; n < len; n++) {
            *p++ = text[n];
        }
    }

    return (size_t) (p - out);
}


static uint32_t
chat_fold_next(const unsigned char **p)
{
    int       n;
    uint32_t  code;

    code = *(*p)++;

    if (code < 0x80) {
        return code;
    }

    n = (code >= 0xf0) ? 3 : (code >= 0xe0) ? 2 : 1;
    code &= 0x3f >> n;

    while (n--) {
        code = code << 6 | (*(*p)++ & 0x3f);
    }

    return code;
}


/* NULL: it is one letter. */

static const char *
chat_fold_several(uint32_t code)
{
    size_t  i, n;

    n = sizeof(chat_fold_severals) / sizeof(chat_fold_severals[0]);

    for (i = 0; i < n && chat_fold_severals[i].code < code; i++) {
        /* void */
    }

    return (i < n && chat_fold_severals[i].code == code)
           ? chat_fold_severals[i].letters : NULL;
}


static uint32_t
chat_fold_code(uint32_t code)
{
    uint32_t  like;

    like = chat_fold_like(code);

    /* a capital that looks like none may have a small letter that does */

    if (like == code) {
        like = chat_fold_like(chat_fold_case(code));
    }

    return like;
}


/* The Latin letter that it looks like, or itself. */

static uint32_t
chat_fold_like(uint32_t code)
{
    char    like;
    size_t  low, high, mid;

    if (code < 0x80) {
        return (code >= 'A' && code <= 'Z') ? code | 0x20 : code;
    }

    like = '-';

    if (code >= 0xc0 && code <= 0x17f) {
        like = chat_fold_latin[code - 0xc0];

    } else if (code >= 0x01cd && code <= 0x0233) {
        like = chat_fold_latin_other[code - 0x01cd];

    } else if (code >= 0x1e00 && code <= 0x1eff) {
        like = chat_fold_latin_more[code - 0x1e00];
    }

    if (like != '-') {
        return (uint32_t) like;
    }

    low = 0;
    high = sizeof(chat_fold_likes) / sizeof(chat_fold_likes[0]);

    while (low < high) {
        mid = (low + high) / 2;

        if (chat_fold_likes[mid].code == code) {
            return chat_fold_likes[mid].like;
        }

        if (chat_fold_likes[mid].code < code) {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    return code;
}


/* Letters and digits of another shape: wide, mathematical, in a circle. */

static uint32_t
chat_fold_styled(uint32_t code)
{
    uint32_t  n;

    if (code >= 0xff01 && code <= 0xff5e) {
        return code - 0xff01 + '!';
    }

    if (code >= 0x1d400 && code <= 0x1d6a3) {
        return 'a' + (code - 0x1d400) % 52 % 26;
    }

    if (code == 0x1d6a4 || code == 0x1d6a5) {
        return 'i' + (code - 0x1d6a4);
    }

    /* Greek: 25 capitals, of which one is another theta, and as many small */

    if (code >= 0x1d6a8 && code <= 0x1d7c9) {
        n = (code - 0x1d6a8) % 58;

        return n == 17 ? 0x0398 : n < 25 ? 0x0391 + n
               : n >= 26 && n < 51 ? 0x03b1 + n - 26 : code;
    }

    if (code >= 0x249c && code <= 0x24e9) {
        return 'a' + (code - 0x249c) % 26;
    }

    if (code >= 0x1f110 && code <= 0x1f189) {
        n = (code - 0x1f110) % 32;
        return n < 26 ? 'a' + n : code;
    }

    return chat_fold_digit(code);
}


static uint32_t
chat_fold_digit(uint32_t code)
{
    size_t  i;

    static const chat_fold_range_t  ones[] = {
        { 0x2460, 0x2468 }, { 0x2474, 0x247c }, { 0x2488, 0x2490 },
        { 0x24f5, 0x24fd }, { 0x2776, 0x277e }, { 0x2780, 0x2788 },
        { 0x278a, 0x2792 }
    };

    if (code >= 0x1d7ce && code <= 0x1d7ff) {
        return '0' + (code - 0x1d7ce) % 10;
    }

    if (code >= 0x1fbf0 && code <= 0x1fbf9) {
        return '0' + (code - 0x1fbf0);
    }

    if (code == 0x24ea || code == 0x24ff) {
        return '0';
    }

    for (i = 0; i < sizeof(ones) / sizeof(ones[0]); i++) {
        if (code >= ones[i].from && code <= ones[i].to) {
            return '1' + (code - ones[i].from);
        }
    }

    return code;
}


/* The capitals of Greek, Cyrillic and Armenian. */

static uint32_t
chat_fold_case(uint32_t code)
{
    if ((code >= 0x0391 && code <= 0x03a9)
        || (code >= 0x0410 && code <= 0x042f))
    {
        return code + 0x20;
    }

    if (code >= 0x0400 && code <= 0x040f) {
        return code + 0x50;
    }

    if (code >= 0x0531 && code <= 0x0556) {
        return code + 0x30;
    }

    return code;
}


static int
chat_fold_unseen(uint32_t code)
{
    size_t  low, high, mid;

    low = 0;
    high = sizeof(chat_fold_gone) / sizeof(chat_fold_gone[0]);

    while (low < high) {
        mid = (low + high) / 2;

        if (code < chat_fold_gone[mid].from) {
            high = mid;

        } else if (code > chat_fold_gone[mid].to) {
            low = mid + 1;

        } else {
            return 1;
        }
    }

    return 0;
}


static unsigned char *
chat_fold_put(unsigned char *p, uint32_t code)
{
    if (code < 0x80) {
        *p++ = (unsigned char) code;
        return p;
    }

    if (code < 0x800) {
        *p++ = (unsigned char) (0xc0 | code >> 6);

    } else {

        if (code < 0x10000) {
            *p++ = (unsigned char) (0xe0 | code >> 12);

        } else {
            *p++ = (unsigned char) (0xf0 | code >> 18);
            *p++ = (unsigned char) (0x80 | (code >> 12 & 0x3f));
        }

        *p++ = (unsigned char) (0x80 | (code >> 6 & 0x3f));
    }

    *p++ = (unsigned char) (0x80 | (code & 0x3f));

    return p;
}


/* The last character, by a closer look, with the one before. */

static unsigned char *
chat_fold_closer(unsigned char *out, unsigned char *p)
{
    switch (p[-1]) {

    case '0':
        p[-1] = 'o';
        break;

    case '1':
    case 'i':
    case '|':
    case '!':
        p[-1] = 'l';
        break;

    case 'n':
        if (p - out > 1 && p[-2] == 'r') {
            *--p = 0;
            p[-1] = 'm';
        }

        break;

    case 'v':
        if (p - out > 1 && p[-2] == 'v') {
            *--p = 0;
            p[-1] = 'w';
        }

        break;

    default:
        break;
    }

    return p;
}
