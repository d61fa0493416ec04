#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

bool
progress_wanted(const struct call *call)
{
    return !call->json && isatty(STDERR_FILENO);
}

void
progress_records(uint64_t done, uint64_t of, void *arg)
{
    (void)arg;
    if (done < of)
        fprintf(stderr, "\r  %" PRIu64 " of %" PRIu64 " records", done, of);
    else
        fputs("\r\033[K", stderr);
}
