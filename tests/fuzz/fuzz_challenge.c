#include <string.h>

#include "cli/challenge.h"
#include "tests/fuzz/fuzz.h"

/* What is shown on a terminal, or goes back to a service. */
static void
check(const char *text, size_t size)
{
    MUST(memchr(text, '\0', size) != NULL);
    for (; *text; text++)
        MUST(*text >= 0x20 && *text < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct challenge c;

    challenge_read((struct text){(const char *)data, size}, &c);
    MUST(c.status >= 0 && c.status <= 999);
    check(c.error, sizeof(c.error));
    check(c.text, sizeof(c.text));
    check(c.scope, sizeof(c.scope));
    check(c.metadata, sizeof(c.metadata));
    check(c.nonce, sizeof(c.nonce));
    MUST(!strpbrk(c.nonce, " \"\\"));
    return 0;
}
