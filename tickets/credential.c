#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/b64.h"
#include "base/buf.h"
#include "base/fail.h"
#include <meshauth/credential.h>
#include <meshauth/ticket.h>

enum {
    RAW_BITS = -15, /* zlib's way to ask for raw DEFLATE with its largest window */
    /* For writing: a window of 16 KiB sees all of a ticket, and tables that are
     * small are quick to make; a ticket comes out as short as with the largest.
     * All of them together stay below 128 KiB: what malloc would give back to
     * the system each time, to get it again page by page. */
    OUT_BITS = -14,
    OUT_MEMORY = 6
};

/* One DEFLATE stream that ends with the input, into out of MAUTH_TICKET_MAX bytes. */
static enum mauth_rc
expand(uint8_t *in, size_t len, char *out, size_t *out_len, struct mauth_err *err)
{
    z_stream z = {0};
    uint8_t beyond;
    bool large;
    int end;

    if (inflateInit2(&z, RAW_BITS) != Z_OK)
        return mauth_fail(err, MAUTH_NO_MEMORY, "credential: no memory");
    z.next_in = in;
    z.avail_in = (uInt)len;
    z.next_out = (uint8_t *)out;
    z.avail_out = MAUTH_TICKET_MAX;
    end = inflate(&z, Z_FINISH);
    if (end != Z_STREAM_END && z.avail_out == 0) { /* full: is there more? */
        z.next_out = &beyond;
        z.avail_out = 1;
        end = inflate(&z, Z_FINISH);
    }
    large = z.total_out > MAUTH_TICKET_MAX;
    *out_len = large ? 0 : (size_t)z.total_out;
    if (z.avail_in != 0)
        end = Z_DATA_ERROR;
    inflateEnd(&z);
    if (large)
        return mauth_refuse(err, MAUTH_REASON_SIZE,
            "credential: it inflates to more than %d bytes", MAUTH_TICKET_MAX);
    if (end == Z_STREAM_END)
        return MAUTH_OK;
    *out_len = 0;
    if (end == Z_MEM_ERROR)
        return mauth_fail(err, MAUTH_NO_MEMORY, "credential: no memory");
    return mauth_refuse(
        err, MAUTH_REASON_FORM, "credential: not exactly one DEFLATE stream");
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

/* The raw DEFLATE of xml; empty when it would be taken for XML. */
static enum mauth_rc
squeeze(const char *xml, size_t len, struct buf *out, struct mauth_err *err)
{
    uint8_t in[MAUTH_TICKET_MAX];
    z_stream z = {0};
    uint8_t *room;
    int end;

    memcpy(in, xml, len);
    if (deflateInit2(&z, 9, Z_DEFLATED, OUT_BITS, OUT_MEMORY, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return mauth_fail(err, MAUTH_NO_MEMORY, "credential: no memory");
    z.next_in = in;
    z.avail_in = (uInt)len;
    room = buf_space(out, deflateBound(&z, (uLong)len));
    z.next_out = room;
    z.avail_out = (uInt)out->len;
    end = room ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
    out->len = (size_t)z.total_out;
    deflateEnd(&z);
    if (end != Z_STREAM_END)
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
