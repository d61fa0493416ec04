#include "tests/unit/starve.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

/* How many allocations are still to succeed; below zero: none is to fail. */
static atomic_int left = -1;
static atomic_bool failed;

static bool
is_refused(void)
{
    if (atomic_load(&left) < 0 || atomic_fetch_sub(&left, 1) != 0)
        return false;
    atomic_store(&failed, true);
    errno = ENOMEM;
    return true;
}

/* What ld --wrap calls in place of the real ones. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t len);

void *
__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __real_realloc(old, size);
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return is_refused() ? NULL : __real_aligned_alloc(alignment, size);
}

char *
__wrap_strdup(const char *s)
{
    return is_refused() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t len)
{
    return is_refused() ? NULL : __real_strndup(s, len);
}

static void
try_all(const char *name, starve_call *call, void *arg, bool may_do_without)
{
    for (int n = 0;; n++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        enum mauth_rc rc;

        atomic_store(&failed, false);
        atomic_store(&left, n);
        rc = call(arg, &err);
        atomic_store(&left, -1);
        if (atomic_load(&failed)) {
            if (rc == MAUTH_OK && may_do_without)
                continue;
            if (rc != MAUTH_NO_MEMORY || err.rc != rc)
                fail_msg("%s: allocation %d fails: %s, \"%s\" (%s)", name, n + 1,
                    mauth_rc_name(rc), err.text, err.where);
            continue;
        }
        if (rc != MAUTH_OK || n == 0)
            fail_msg("%s: with %d allocations: %s, \"%s\"", name, n, mauth_rc_name(rc),
                err.text);
        return;
    }
}

void
starve(const char *name, starve_call *call, void *arg)
{
    try_all(name, call, arg, false);
}

void
starve_or_do_without(const char *name, starve_call *call, void *arg)
{
    try_all(name, call, arg, true);
}
