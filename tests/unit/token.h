/* Tokens of any header and claims, signed by the golden keys. */
#ifndef TESTS_TOKEN_H
#define TESTS_TOKEN_H

#include "base/str.h"
#include "tests/unit/golden.h"

static inline void
token_put(struct buf *out, const void *data, size_t len)
{
    char *text;

    if (len == 0)
        return;
    text = buf_space(out, b64_encoded_len(B64_URL, len));
    assert_non_null(text);
    b64_encode(B64_URL, data, len, text);
}

/* The raw signature of the token's signed part. */
static inline size_t
token_signature(const struct buf *part, const struct signer *s, uint8_t *raw)
{
    struct text piece = {(const char *)part->data, part->len};
    size_t len;

    assert_int_equal(signer_sign(s, &piece, 1, raw, &len, NULL), MAUTH_OK);
    return len;
}

/* header and claims are JSON, or whatever a case wants there; the caller frees. */
static inline char *
token_make(const char *header, const char *claims, const struct signer *s)
{
    uint8_t raw[KEY_SIGNATURE_MAX];
    struct buf token;
    size_t len;
    char *out;

    buf_init(&token);
    token_put(&token, header, strlen(header));
    buf_str(&token, ".");
    token_put(&token, claims, strlen(claims));
    len = token_signature(&token, s, raw);
    buf_str(&token, ".");
    token_put(&token, raw, len);
    out = buf_detach(&token, &len);
    assert_non_null(out);
    return out;
}

#endif
