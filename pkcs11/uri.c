#include "pkcs11/uri.h"

#include <stdbool.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/utf8.h"

/* RFC 7512 2.3: what may stand for itself, besides letters and digits. */
static const char in_path[] = "-._~:[]@!$'()*+,=&";
static const char in_query[] = "-._~:[]@!$'()*+,=/?|";

#define FIELD(name) \
    offsetof(struct pkcs11_uri, name), sizeof(((struct pkcs11_uri *)0)->name)

struct attribute {
    const char *name;
    size_t offset; /* in struct pkcs11_uri */
    size_t size;   /* of the field there, with its terminator */
    bool binary;
};

static const struct attribute path_attributes[] = {
    {"token", FIELD(token), false},
    {"serial", FIELD(serial), false},
    {"manufacturer", FIELD(manufacturer), false},
    {"model", FIELD(model), false},
    {"object", FIELD(object), false},
    {"id", FIELD(id), true},
    {"type", FIELD(type), false},
    {NULL, 0, 0, false},
};

static const struct attribute query_attributes[] = {
    {"module-path", FIELD(module), false},
    {"pin-source", FIELD(pin_file), false},
    {NULL, 0, 0, false},
};

static bool
stands_for_itself(char c, const char *others)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(others, c));
}

/* One byte of the value, decoded. */
static bool
take_byte(struct reader *r, const char *others, char *out)
{
    char c = (char)reader_u8(r);

    if (c == '%') {
        int high = str_hex_digit((char)reader_u8(r)),
            low = str_hex_digit((char)reader_u8(r));

        if (!reader_ok(r) || high < 0 || low < 0)
            return false;
        *out = (char)(high << 4 | low);
        return true;
    }
    *out = c;
    return stands_for_itself(c, others);
}

/* Valid UTF-8 without control characters. */
static bool
is_text(const char *p, size_t len)
{
    struct reader r;

    reader_init(&r, p, len);
    while (r.left) {
        uint32_t c;
        size_t n = utf8_next(r.p, r.left, &c);

        if (!n || c < 0x20 || c == 0x7f)
            return false;
        (void)reader_bytes(&r, n);
    }
    return true;
}

static bool
decode(struct text value, const char *others, const struct attribute *a, char *field,
    size_t *len)
{
    struct reader r;

    *len = 0;
    reader_init(&r, value.p, value.len);
    while (r.left) {
        if (*len + 1 == a->size || !take_byte(&r, others, &field[*len]))
            return false;
        (*len)++;
    }
    return *len > 0 && (a->binary || is_text(field, *len));
}

static enum mauth_rc
take_attribute(struct text name, struct text value, const struct attribute *a,
    const char *others, struct pkcs11_uri *u, struct mauth_err *err)
{
    char quoted[64], *field;
    size_t len;

    while (a->name && !text_is(name, a->name))
        a++;
    if (!a->name)
        return mauth_fail(err, MAUTH_MALFORMED, "pkcs11 URI: \"%s\" is not taken here",
            mauth_quote(name.p, name.len, quoted, sizeof(quoted)));
    field = (char *)u + a->offset;
    if (field[0] || (a->binary && u->id_len))
        return mauth_fail(err, MAUTH_MALFORMED, "pkcs11 URI: two of %s", a->name);
    if (!decode(value, others, a, field, &len))
        return mauth_fail(
            err, MAUTH_MALFORMED, "pkcs11 URI: not a value for %s", a->name);
    if (a->binary)
        u->id_len = len;
    return MAUTH_OK;
}

/* Attributes, NAME=VALUE, between separators. */
static enum mauth_rc
take_attributes(struct text t, char separator, const struct attribute *known,
    const char *others, struct pkcs11_uri *u, struct mauth_err *err)
{
    bool more = true;

    while (more) {
        struct text one, name;
        enum mauth_rc rc;

        more = text_cut(&t, separator, &one);
        if (!more)
            one = t;
        if (!text_cut(&one, '=', &name))
            return mauth_fail(
                err, MAUTH_MALFORMED, "pkcs11 URI: an attribute is NAME=VALUE");
        /* Said before anything of it could get into a message. */
        if (text_is(name, "pin-value"))
            return mauth_fail(err, MAUTH_MALFORMED,
                "pkcs11 URI: a PIN lies in a file (pin-source), never in the URI");
        rc = take_attribute(name, one, known, others, u, err);
        if (rc != MAUTH_OK)
            return rc;
    }
    return MAUTH_OK;
}

/* "file:/PATH", or "file:///PATH" (RFC 8089), becomes the path. */
static bool
take_file(char *field)
{
    struct text t = text_of(field);

    if (!t.len)
        return true;
    if (!text_starts(t, "file:/"))
        return false;
    t.p += text_starts(t, "file:///") ? 7 : 5;
    if (t.p[1] == '/')
        return false; /* another machine's */
    memmove(field, t.p, strlen(t.p) + 1);
    return true;
}

static enum mauth_rc
check(struct pkcs11_uri *u, struct mauth_err *err)
{
    if (!u->token[0] && !u->serial[0])
        return mauth_fail(err, MAUTH_MALFORMED, "pkcs11 URI: it names no token");
    if (!u->object[0] && !u->id_len)
        return mauth_fail(err, MAUTH_MALFORMED, "pkcs11 URI: it names no object");
    if (u->type[0] && strcmp(u->type, "private") != 0)
        return mauth_fail(
            err, MAUTH_MALFORMED, "pkcs11 URI: an object that signs is private");
    if (u->module[0] != '/')
        return mauth_fail(err, MAUTH_MALFORMED,
            "pkcs11 URI: module-path must be there, and be absolute");
    if (!take_file(u->pin_file))
        return mauth_fail(
            err, MAUTH_MALFORMED, "pkcs11 URI: pin-source is file:/ABSOLUTE/PATH");
    return MAUTH_OK;
}

enum mauth_rc
pkcs11_uri_parse(struct text uri, struct pkcs11_uri *out, struct mauth_err *err)
{
    static const char scheme[] = "pkcs11:";
    struct text path, query = uri;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    if (uri.len > PKCS11_URI_MAX)
        return mauth_fail(err, MAUTH_MALFORMED, "pkcs11 URI: %zu bytes", uri.len);
    if (!text_starts(uri, scheme) || !text_cut(&query, '?', &path))
        return mauth_fail(
            err, MAUTH_MALFORMED, "pkcs11 URI: it must be pkcs11:...?module-path=...");
    path.p += sizeof(scheme) - 1;
    path.len -= sizeof(scheme) - 1;
    rc = take_attributes(path, ';', path_attributes, in_path, out, err);
    if (rc == MAUTH_OK)
        rc = take_attributes(query, '&', query_attributes, in_query, out, err);
    if (rc == MAUTH_OK)
        rc = check(out, err);
    if (rc != MAUTH_OK)
        memset(out, 0, sizeof(*out));
    return rc;
}
