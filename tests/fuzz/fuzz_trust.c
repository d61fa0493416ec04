#include "tests/fuzz/fuzz.h"
#include <meshauth/trust.h>

/* Under the golden root only the golden file passes, whose number is known. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char root[] =
        "auth.mesh.example/root+c3441793+Aegk/JcWJVB0qqKDVHGG/TNVEpz5zKclCABt5dOnj3/r";
    struct mauth_trust *trust = NULL;

    if (mauth_trust_parse(data, size, root, &trust, NULL) == MAUTH_OK)
        MUST(size == 1573 && mauth_trust_sequence(trust) == 42);
    else
        MUST(!trust);
    mauth_trust_free(trust);
    return 0;
}
