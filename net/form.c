#include "net/form.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/utf8.h"

enum {
    SHOWN = 40, /* what a message quotes of a foreign name */
    BLOCK = 32  /* bytes that are looked at together */
};

struct field {
    const char *name;
    const char *value;
};

/* Names and values, decoded and terminated, stand one after the other in text. */
struct form {
    size_t fields;
    struct field field[FORM_FIELDS];
    char *end; /* of what is written to text */
    char text[];
};

/* 0 when a byte stands for itself. */
static uint8_t
is_other(uint8_t c)
{
    return (uint8_t)((c <= ' ') | (c >= 0x7f) | (c == '%') | (c == '+'));
}

/* Most of a form is base64url, thousands of bytes of it: a compiler has them looked at
 * many at once. */
static bool
is_plain_block(const char *p)
{
    uint8_t other = 0;

    for (size_t i = 0; i < BLOCK; i++)
        other |= is_other((uint8_t)p[i]);
    return !other;
}

static size_t
plain_length(struct text t)
{
    size_t n = 0;

    while (t.len - n >= BLOCK && is_plain_block(t.p + n))
        n += BLOCK;
    while (n < t.len && !is_other((uint8_t)t.p[n]))
        n++;
    return n;
}

/* One decoded byte off in; false when it had to be encoded, or is so wrongly. */
static bool
take_byte(struct text *in, char *out)
{
    size_t size = *in->p == '%' ? 3 : 1;
    int high, low;

    if (in->len < size || *in->p <= ' ' || *in->p >= 0x7f)
        return false;
    *out = *in->p;
    if (*out == '+')
        *out = ' ';
    if (size == 3) {
        high = str_hex_digit(in->p[1]);
        low = str_hex_digit(in->p[2]);
        if (high < 0 || low < 0)
            return false;
        *out = (char)(high * 16 + low);
    }
    in->p += size;
    in->len -= size;
    return true;
}

/* UTF-8 without control characters. */
static bool
is_clean(const char *text, size_t len)
{
    while (len) {
        uint32_t c = (uint8_t)*text;
        size_t n = c >= 0x20 && c < 0x7f ? 1 : utf8_next(text, len, &c);

        if (n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
            return false;
        text += n;
        len -= n;
    }
    return true;
}

/* Decodes in to the form's text; NULL when it is not as it must be. */
static const char *
decode(struct form *f, struct text in)
{
    char *start = f->end;
    bool is_all_plain = true;

    while (in.len) {
        size_t plain = plain_length(in);

        memcpy(f->end, in.p, plain);
        f->end += plain;
        in.p += plain;
        in.len -= plain;
        if (!in.len)
            break;
        is_all_plain = false;
        if (!take_byte(&in, f->end++))
            return NULL;
    }
    if (!is_all_plain && !is_clean(start, (size_t)(f->end - start)))
        return NULL;
    *f->end++ = '\0';
    return start;
}

/* What stands before the first '=', and behind it. */
static void
split(struct text pair, struct text *name, struct text *value)
{
    *value = pair;
    if (text_cut(value, '=', name))
        return;
    *name = pair;
    value->len = 0;
}

static enum mauth_rc
add_field(struct form *f, struct text pair, struct mauth_err *err)
{
    char *start = f->end, shown[SHOWN];
    struct text name, value;
    struct field field;

    split(pair, &name, &value);
    field.name = decode(f, name);
    field.value = field.name ? decode(f, value) : NULL;
    if (!field.value)
        return mauth_fail(err, MAUTH_MALFORMED,
            "form: \"%s\" is not UTF-8 without control characters, percent-encoded",
            mauth_quote(name.p, name.len, shown, sizeof(shown)));
    if (!field.value[0]) {
        f->end = start;
        return MAUTH_OK;
    }
    if (!field.name[0])
        return mauth_fail(err, MAUTH_MALFORMED, "form: a value without a name");
    if (f->fields == FORM_FIELDS)
        return mauth_fail(
            err, MAUTH_TOO_LARGE, "form: more than %d fields", FORM_FIELDS);
    f->field[f->fields++] = field;
    return MAUTH_OK;
}

enum mauth_rc
form_parse(struct text text, struct form **out, struct mauth_err *err)
{
    /* Decoded is no longer than encoded, but for the terminators of the last field. */
    struct form *f = calloc(1, sizeof(*f) + text.len + 2);
    enum mauth_rc rc = MAUTH_OK;
    struct text pair;

    *out = NULL;
    if (!f)
        return mauth_fail(err, MAUTH_NO_MEMORY, "form: no memory");
    f->end = f->text;
    while (text.len && rc == MAUTH_OK) {
        if (!text_cut(&text, '&', &pair)) {
            pair = text;
            text.len = 0;
        }
        rc = add_field(f, pair, err);
    }
    if (rc == MAUTH_OK)
        *out = f;
    else
        form_free(f);
    return rc;
}

void
form_free(struct form *f)
{
    free(f);
}

size_t
form_count(const struct form *f, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < f->fields; i++)
        count += strcmp(f->field[i].name, name) == 0;
    return count;
}

const char *
form_value(const struct form *f, const char *name, size_t i)
{
    for (size_t k = 0; k < f->fields; k++)
        if (strcmp(f->field[k].name, name) == 0 && i-- == 0)
            return f->field[k].value;
    return NULL;
}

static bool
is_among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

const char *
form_repeated(const struct form *f, const char *const *allowed)
{
    for (size_t i = 0; i < f->fields; i++) {
        const char *name = f->field[i].name;

        if (!is_among(name, allowed) && form_count(f, name) > 1)
            return name;
    }
    return NULL;
}

const char *
form_unknown(const struct form *f, const char *const *known)
{
    for (size_t i = 0; i < f->fields; i++)
        if (!is_among(f->field[i].name, known))
            return f->field[i].name;
    return NULL;
}
