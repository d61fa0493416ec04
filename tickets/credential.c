#include <libdeflate.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/b64.h"
#include "base/buf.h"
#include "base/fail.h"
#include <meshauth/credential.h>
#include <meshauth/ticket.h>

enum {
    /* The quickest. A ticket comes out some 3 % longer than at level 6, in two
     * thirds of the time; one of 16 KiB has less than 4,000 characters. */
    OUT_LEVEL = 1
};

/* One DEFLATE stream that ends with the input, into out of MAUTH_TICKET_MAX bytes. */
static enum mauth_rc
expand(const uint8_t *in, size_t len, char *out, size_t *out_len, struct mauth_err *err)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    enum libdeflate_result result;
    size_t used = 0, made = 0;

    if (!d)
        return mauth_fail(err, MAUTH_NO_MEMORY, "credential: no memory");
    result = libdeflate_deflate_decompress_ex(
        d, in, len, out, MAUTH_TICKET_MAX, &used, &made);
    libdeflate_free_decompressor(d);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
        return mauth_refuse(err, MAUTH_REASON_SIZE,
            "credential: it inflates to more than %d bytes", MAUTH_TICKET_MAX);
    if (result != LIBDEFLATE_SUCCESS || used != len)
        return mauth_refuse(
            err, MAUTH_REASON_FORM, "credential: not exactly one DEFLATE stream");
    *out_len = made;
    return MAUTH_OK;
}

/* Does it hold XML as it is? Its first byte tells. */
static bool
is_plain(const char *text, size_t len)
{
    uint8_t first[3];
    size_t n;

    return b64_decode(B64_URL, text, len < 4 ? len : 4, first, sizeof(first), &n) &&
           n > 0 && first[0] == '<';
}

static enum mauth_rc
malformed(struct mauth_err *err)
{
    return mauth_refuse(err, MAUTH_REASON_FORM,
        "credential: not base64url without padding (or more than one ticket)");
}

static enum mauth_rc
decode_plain(
    const char *text, size_t len, char *out, size_t *out_len, struct mauth_err *err)
{
    if (len > b64_encoded_len(B64_URL, MAUTH_TICKET_MAX))
        return mauth_refuse(
            err, MAUTH_REASON_SIZE, "credential: %zu characters of plain XML", len);
    if (!b64_decode(B64_URL, text, len, out, MAUTH_TICKET_MAX, out_len))
        return malformed(err);
    return MAUTH_OK;
}

static enum mauth_rc
decode_deflated(
    const char *text, size_t len, char *out, size_t *out_len, struct mauth_err *err)
{
    size_t n, max = b64_decoded_max(len);
    uint8_t *raw = malloc(max);
    enum mauth_rc rc;

    if (!raw)
        return mauth_fail(err, MAUTH_NO_MEMORY, "credential: no memory");
    if (b64_decode(B64_URL, text, len, raw, max, &n))
        rc = expand(raw, n, out, out_len, err);
    else
        rc = malformed(err);
    free(raw);
    return rc;
}

enum mauth_rc
mauth_credential_decode(
    const char *text, size_t len, char *out, size_t *out_len, struct mauth_err *err)
{
    *out_len = 0;
    if (len > MAUTH_CREDENTIAL_MAX)
        return mauth_refuse(err, MAUTH_REASON_SIZE, "credential: %zu characters", len);
    if (is_plain(text, len))
        return decode_plain(text, len, out, out_len, err);
    return decode_deflated(text, len, out, out_len, err);
}

/*
 * A compressor is 130 KB of tables, a part of which is made with it: each thread keeps
 * its own, until it ends. Without a key each one is used once.
 */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void
end_compressor(void *c)
{
    libdeflate_free_compressor(c);
}

static void
make_key(void)
{
    has_key = pthread_key_create(&key, end_compressor) == 0;
}

static struct libdeflate_compressor *
take_compressor(void)
{
    struct libdeflate_compressor *c;

    pthread_once(&once, make_key);
    c = has_key ? pthread_getspecific(key) : NULL;
    return c ? c : libdeflate_alloc_compressor(OUT_LEVEL);
}

static void
keep_compressor(struct libdeflate_compressor *c)
{
    if (!has_key || (c != pthread_getspecific(key) && pthread_setspecific(key, c) != 0))
        libdeflate_free_compressor(c);
}

/*
 * The raw DEFLATE of xml; empty when it would be taken for XML, which a stream of
 * several blocks might be.
 */
static enum mauth_rc
squeeze(const char *xml, size_t len, struct buf *out, struct mauth_err *err)
{
    struct libdeflate_compressor *c = take_compressor();
    uint8_t *room = NULL;

    if (c)
        room = buf_space(out, libdeflate_deflate_compress_bound(c, len));
    if (room) /* as much room as it may need: it does not fail */
        out->len = libdeflate_deflate_compress(c, xml, len, room, out->len);
    keep_compressor(c);
    if (!room)
        return mauth_fail(err, MAUTH_NO_MEMORY, "credential: no memory");
    if (room[0] == '<')
        out->len = 0;
    return MAUTH_OK;
}

enum mauth_rc
mauth_credential_encode(
    const char *xml, size_t len, bool deflated, char **out, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    struct buf small;
    const void *data;
    size_t n;

    *out = NULL;
    if (len == 0 || len > MAUTH_TICKET_MAX || xml[0] != '<')
        return mauth_fail(err, MAUTH_INVALID, "credential: not a ticket's XML");
    buf_init(&small);
    if (deflated)
        rc = squeeze(xml, len, &small, err);
    data = small.len ? (const void *)small.data : xml;
    n = small.len ? small.len : len;
    if (rc == MAUTH_OK) {
        *out = malloc(b64_encoded_len(B64_URL, n) + 1);
        if (*out)
            (*out)[b64_encode(B64_URL, data, n, *out)] = '\0';
        else
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "credential: no memory");
    }
    buf_clear(&small);
    return rc;
}
