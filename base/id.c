#include "base/id.h"

#include <string.h>

#include "base/secret.h"

enum {
    PREFIX = 4,
    DIGITS = 26
};

static const char prefixes[ID_KINDS][PREFIX + 1] = {
    [ID_USER] = "usr_",
    [ID_DEVICE] = "dev_",
    [ID_FOLDER] = "fld_",
    [ID_INVITATION] = "inv_",
    [ID_SESSION] = "ses_",
    [ID_SERVICE] = "svc_",
};

static const char crockford[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* What each digit is worth, plus one; zero for every other byte. */
/* clang-format off */
static const uint8_t worth[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 11, 12, 13, 14, 15, 16, 17, 18, 0, 19, 20, 0, 21, 22, 0,
    23, 24, 25, 26, 27, 0, 28, 29, 30, 31, 32,
};
/* clang-format on */

enum mauth_rc
id_new(struct id *out, struct mauth_err *err)
{
    return mauth_random(out->b, sizeof(out->b), err);
}

const char *
id_prefix(enum id_kind kind)
{
    return prefixes[kind];
}

void
id_format(enum id_kind kind, const struct id *id, char out[ID_LEN + 1])
{
    unsigned held = 0, bits = 2; /* 130 bits in 26 digits: two zeros lead */
    size_t at = PREFIX;

    memcpy(out, prefixes[kind], PREFIX);
    for (size_t i = 0; i < ID_BYTES; i++) {
        held = held << 8 | id->b[i];
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            out[at++] = crockford[held >> bits & 31];
        }
        held &= (1U << bits) - 1;
    }
    out[at] = '\0';
}

static bool
parse_digits(const char *p, struct id *out)
{
    unsigned held = 0, bits = 0;
    size_t at = 0;

    if (p[0] < '0' || p[0] > '7')
        return false;
    held = (unsigned)(p[0] - '0');
    bits = 3;
    for (int i = 1; i < DIGITS; i++) {
        unsigned d = worth[(uint8_t)p[i]];

        if (d == 0)
            return false;
        held = held << 5 | (d - 1);
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out->b[at++] = (uint8_t)(held >> bits);
            held &= (1U << bits) - 1;
        }
    }
    return true;
}

bool
id_parse(enum id_kind kind, const char *text, size_t len, struct id *out)
{
    struct id id;

    memset(out, 0, sizeof(*out));
    if (len != ID_LEN || memcmp(text, prefixes[kind], PREFIX) != 0 ||
        !parse_digits(text + PREFIX, &id))
        return false;
    *out = id;
    return true;
}

enum id_kind
id_kind_of(const char *text, size_t len)
{
    struct id id;
    int kind;

    for (kind = 0; kind < ID_KINDS; kind++)
        if (id_parse((enum id_kind)kind, text, len, &id))
            break;
    return (enum id_kind)kind;
}
