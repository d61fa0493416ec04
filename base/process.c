#include "base/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

enum {
    HEAP = 256 * 1024, /* 64 keys of RSA-3072, and what signs at the moment */
    LEAST = 32         /* bytes of one piece */
};

bool
process_harden(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0); /* a dump into a pipe knows no limit */
    return CRYPTO_secure_malloc_init(HEAP, LEAST) == 1;
}
