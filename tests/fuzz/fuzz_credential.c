#include "tests/fuzz/fuzz.h"
#include <meshauth/credential.h>
#include <meshauth/ticket.h>

/* What decodes to XML, encoded again, decodes to the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char xml[MAUTH_TICKET_MAX], again[MAUTH_TICKET_MAX];
    size_t len, n;
    char *text;

    if (mauth_credential_decode((const char *)data, size, xml, &len, NULL)) {
        MUST(len == 0);
        return 0;
    }
    MUST(len <= MAUTH_TICKET_MAX);
    if (mauth_credential_encode(xml, len, size % 2, &text, NULL))
        return 0;
    MUST(!mauth_credential_decode(text, strlen(text), again, &n, NULL));
    MUST(n == len && memcmp(xml, again, n) == 0);
    free(text);
    return 0;
}
