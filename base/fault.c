#include "base/fault.h"

#ifdef MAUTH_FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Threads may pass a point at the same time. */
void
fault_point(const char *name)
{
    static atomic_uint passed;
    const char *want = getenv("MESHAUTH_FAULT");
    size_t len = strlen(name);
    unsigned long number = 1;

    if (!want || strncmp(want, name, len) != 0 || (want[len] && want[len] != ':'))
        return;
    if (want[len])
        number = strtoul(want + len + 1, NULL, 10);
    if (atomic_fetch_add(&passed, 1) + 1 == number)
        raise(SIGKILL);
}

#endif
