#include "tests/fuzz/inflate_differ.h"

#include <stdbool.h>
#include <zlib.h>

#include "base/b64.h"
#include "tests/fuzz/fuzz.h"
#include <meshauth/credential.h>
#include <meshauth/ticket.h>

struct heard {
    bool taken;
    bool large; /* more than a ticket may have */
    const char *why;
    size_t len;
    uint8_t data[MAUTH_TICKET_MAX + 1];
};

static void
ask_zlib(const uint8_t *stream, size_t len, struct heard *h)
{
    z_stream z = {0};
    uint8_t in[MAUTH_CREDENTIAL_MAX];
    int end;

    memcpy(in, stream, len); /* zlib does not promise to leave it alone */
    MUST(inflateInit2(&z, -15) == Z_OK);
    z.next_in = in;
    z.avail_in = (uInt)len;
    z.next_out = h->data;
    z.avail_out = sizeof(h->data);
    end = inflate(&z, Z_FINISH);
    h->len = (size_t)z.total_out;
    h->large = h->len > MAUTH_TICKET_MAX;
    h->taken = end == Z_STREAM_END && z.avail_in == 0 && !h->large;
    h->why = end == Z_DATA_ERROR ? z.msg : "";
    inflateEnd(&z);
}

static bool
is_loose(const char *why)
{
    static const char *const kinds[] = {"too many length or distance symbols",
        "invalid bit length repeat", "invalid literal/length code",
        "invalid distance code"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(why, kinds[i]) == 0)
            return true;
    return false;
}

enum inflate_verdict
inflate_ask(const uint8_t *stream, size_t len)
{
    static struct heard zlib;
    static char text[MAUTH_CREDENTIAL_MAX + 1], xml[MAUTH_TICKET_MAX];
    struct mauth_err err = MAUTH_ERR_INIT;
    size_t n;

    MUST(b64_encoded_len(B64_URL, len) <= MAUTH_CREDENTIAL_MAX);
    MUST(len == 0 || stream[0] != '<');
    ask_zlib(stream, len, &zlib);
    if (mauth_credential_decode(
            text, b64_encode(B64_URL, stream, len, text), xml, &n, &err)) {
        MUST(!zlib.taken && n == 0);
        MUST(!zlib.large || err.reason == MAUTH_REASON_SIZE);
        return INFLATE_REFUSED;
    }
    if (!zlib.taken) {
        MUST(is_loose(zlib.why));
        return INFLATE_LOOSE;
    }
    MUST(n == zlib.len && memcmp(xml, zlib.data, n) == 0);
    return INFLATE_TAKEN;
}
