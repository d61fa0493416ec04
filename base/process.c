#include "base/process.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#include "base/secret.h"

enum {
    HEAP = 256 * 1024, /* 64 keys of RSA-3072, and what signs at the moment */
    LEAST = 32         /* bytes of one piece */
};

/* libcrypto does not wipe all of its intermediate results; these do it for them. */

static void *
wiping_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void
wiping_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p)
        mauth_wipe(p, malloc_usable_size(p));
    free(p);
}

static void *
wiping_realloc(void *p, size_t size, const char *file, int line)
{
    size_t before = p ? malloc_usable_size(p) : 0;
    void *fresh;

    if (p && size && size <= before)
        return p;
    fresh = size ? malloc(size) : NULL;
    if (size && !fresh)
        return NULL;
    if (p && size)
        memcpy(fresh, p, before);
    wiping_free(p, file, line);
    return fresh;
}

bool
process_harden(void)
{
    const struct rlimit none = {0, 0};
    bool wipes =
        CRYPTO_set_mem_functions(wiping_malloc, wiping_realloc, wiping_free) == 1;

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0); /* a dump into a pipe knows no limit */
    return CRYPTO_secure_malloc_init(HEAP, LEAST) == 1 && wipes;
}
