#include "base/b64.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/inflate_differ.h"
#include <meshauth/credential.h>
#include <meshauth/ticket.h>

/* What decodes to XML, encoded again, decodes to the same. */
static void
try_text(const char *text, size_t size)
{
    static char xml[MAUTH_TICKET_MAX], again[MAUTH_TICKET_MAX];
    size_t len, n;
    char *made;

    if (mauth_credential_decode(text, size, xml, &len, NULL)) {
        MUST(len == 0);
        return;
    }
    MUST(len <= MAUTH_TICKET_MAX);
    if (mauth_credential_encode(xml, len, size % 2, &made, NULL))
        return;
    MUST(!mauth_credential_decode(made, strlen(made), again, &n, NULL));
    MUST(n == len && memcmp(xml, again, n) == 0);
    free(made);
}

/* What zlib inflates is inflated to the same, what it refuses is refused. */
static void
try_stream(const uint8_t *stream, size_t len)
{
    if (len > 0 && stream[0] != '<' &&
        b64_encoded_len(B64_URL, len) <= MAUTH_CREDENTIAL_MAX)
        inflate_ask(stream, len);
}

/* The input is a credential, and the stream of one. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t stream[MAUTH_CREDENTIAL_MAX];
    size_t len;

    try_text((const char *)data, size);
    try_stream(data, size);
    if (size <= MAUTH_CREDENTIAL_MAX &&
        b64_decode(B64_URL, (const char *)data, size, stream, sizeof(stream), &len))
        try_stream(stream, len);
    return 0;
}
