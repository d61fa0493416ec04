#include "audit/checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/str.h"

enum {
    ROOT_LEN = 44 /* base64 of a hash */
};

void
audit_checkpoint_origin(const char *issuer, struct buf *out)
{
    static const char scheme[] = "https://";
    size_t skip = strncmp(issuer, scheme, sizeof(scheme) - 1) ? 0 : sizeof(scheme) - 1;

    buf_str(out, issuer + skip);
    buf_str(out, "/audit");
}

enum mauth_rc
audit_checkpoint_write(const char *issuer, const struct audit_checkpoint *c,
    const struct note_verifier *v, const uint8_t seed[NOTE_KEY_BYTES], struct buf *out,
    struct mauth_err *err)
{
    char root[ROOT_LEN];
    struct buf text;
    enum mauth_rc rc;

    buf_init(&text);
    audit_checkpoint_origin(issuer, &text);
    b64_encode(B64_STD, c->root, HASH_LEN, root);
    buf_printf(&text, "\n%" PRIu64 "\n%.*s\n", c->size, ROOT_LEN, root);
    if (buf_ok(&text))
        rc = note_sign(buf_slice(&text), v, seed, out, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "checkpoint: no memory");
    buf_clear(&text);
    return rc;
}

static enum mauth_rc
read_text(struct text text, const char *issuer, struct audit_checkpoint *out,
    struct mauth_err *err)
{
    struct text origin, size, root;
    struct buf want;
    size_t len;
    bool same;

    if (!text_cut(&text, '\n', &origin) || !text_cut(&text, '\n', &size) ||
        !text_cut(&text, '\n', &root) || !str_number(size, &out->size) ||
        !b64_decode(B64_STD, root.p, root.len, out->root, HASH_LEN, &len) ||
        len != HASH_LEN)
        return mauth_fail(err, MAUTH_MALFORMED, "checkpoint: not of its form");
    buf_init(&want);
    audit_checkpoint_origin(issuer, &want);
    same = buf_ok(&want) && text_equal(origin, buf_slice(&want));
    buf_clear(&want);
    return same ? MAUTH_OK
                : mauth_fail(err, MAUTH_UNTRUSTED, "checkpoint: of another log");
}

enum mauth_rc
audit_checkpoint_read(struct text note, const char *issuer,
    const struct note_verifier *v, struct audit_checkpoint *out, struct mauth_err *err)
{
    struct reader r;
    struct text text;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    reader_init(&r, note.p, note.len);
    rc = note_open(&r, v, &text, err);
    if (rc == MAUTH_OK)
        rc = read_text(text, issuer, out, err);
    if (rc == MAUTH_OK && !reader_done(&r))
        rc = mauth_fail(err, MAUTH_MALFORMED, "checkpoint: something stands behind it");
    if (rc)
        memset(out, 0, sizeof(*out));
    return rc;
}
