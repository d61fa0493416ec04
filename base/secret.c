#include "base/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/fail.h"

struct mauth_secret {
    size_t len;
    size_t mapped;
    uint8_t bytes[];
};

void
mauth_wipe(void *data, size_t len)
{
    if (len)
        explicit_bzero(data, len);
}

bool
mauth_equal_ct(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

enum mauth_rc
mauth_random(void *out, size_t len, struct mauth_err *err)
{
    if (len > INT32_MAX || RAND_bytes(out, (int)len) != 1) {
        memset(out, 0, len);
        return mauth_fail(err, MAUTH_INTERNAL, "random: no random bytes to be had");
    }
    return MAUTH_OK;
}

enum mauth_rc
mauth_secret_new(
    const void *data, size_t len, struct mauth_secret **out, struct mauth_err *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (sizeof(struct mauth_secret) + len + page - 1) / page * page;
    struct mauth_secret *s;

    *out = NULL;
    if (len > 1 << 20)
        return mauth_fail(err, MAUTH_INVALID, "secret: %zu bytes", len);
    s = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return mauth_fail(err, MAUTH_NO_MEMORY, "secret: no memory");
    /* Best effort: an unprivileged process may have no right to lock. */
    (void)mlock(s, mapped);
    (void)madvise(s, mapped, MADV_DONTDUMP);
    s->len = len;
    s->mapped = mapped;
    if (len)
        memcpy(s->bytes, data, len);
    *out = s;
    return MAUTH_OK;
}

void
mauth_secret_free(struct mauth_secret *s)
{
    size_t mapped;

    if (!s)
        return;
    mapped = s->mapped;
    mauth_wipe(s, mapped);
    munmap(s, mapped);
}

const uint8_t *
mauth_secret_bytes(const struct mauth_secret *s)
{
    return s->bytes;
}

size_t
mauth_secret_len(const struct mauth_secret *s)
{
    return s->len;
}
