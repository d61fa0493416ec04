#include "cli/assertion_file.h"

#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/file.h"

enum {
    FILE_MAX = 2 * ASSERTION_FILE_MAX /* in base64, with line breaks */
};

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The base64 of either alphabet, in that of RFC 4648 5, without padding. */
static void
normalise(const struct buf *file, struct buf *out)
{
    for (size_t i = 0; i < file->len; i++) {
        char c = (char)file->data[i];

        if (c == '+' || c == '/')
            buf_u8(out, c == '+' ? '-' : '_');
        else if (c != '=' && !is_space(c))
            buf_u8(out, (uint8_t)c);
    }
}

/* Is it that of something that may be XML? */
static bool
holds_xml(const struct buf *text)
{
    uint8_t xml[ASSERTION_FILE_MAX];
    size_t len;

    return b64_decode(
               B64_URL, (const char *)text->data, text->len, xml, sizeof(xml), &len) &&
           len > 0 && xml[0] == '<';
}

static void
encode(const struct buf *file, size_t from, struct buf *out)
{
    size_t len = file->len - from;
    char *text = buf_space(out, b64_encoded_len(B64_URL, len));

    if (text)
        b64_encode(B64_URL, file->data + from, len, text);
}

/* Where the XML begins: behind white space and a byte order mark. */
static size_t
find_begin(const struct buf *file)
{
    size_t i = 0;

    if (file->len >= 3 && memcmp(file->data, "\xef\xbb\xbf", 3) == 0)
        i = 3;
    while (i < file->len && is_space((char)file->data[i]))
        i++;
    return i;
}

enum mauth_rc
assertion_file_read(const char *path, struct buf *out, struct mauth_err *err)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    struct buf file, text;
    enum mauth_rc rc;
    size_t begin;

    buf_init_secret(&file);
    buf_init_secret(&text);
    rc = file_read(path, FILE_MAX, &file, err);
    if (rc)
        goto out;
    begin = find_begin(&file);
    if (begin < file.len && file.data[begin] == '<')
        encode(&file, begin, &text);
    else
        normalise(&file, &text);
    if (!buf_ok(&text))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    else if (!holds_xml(&text))
        rc = mauth_fail(err, MAUTH_MALFORMED,
            "%s: not a SAML assertion, which is XML, or XML in base64, of at most %d "
            "bytes",
            name, ASSERTION_FILE_MAX);
    else
        buf_put(out, text.data, text.len);
out:
    buf_clear(&file);
    buf_clear(&text);
    return rc;
}
