/* base/ring: what another process has written is read within its bounds, whatever it is. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/tmp/mauth-fuzz-ring-XXXXXX";

static void
remove_file(void)
{
    unlink(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct ring_view v;

    if (fd < 0) {
        fd = mkstemp(path);
        atexit(remove_file);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    if (ring_view_open(path, &v, NULL) != MAUTH_OK)
        return 0;
    for (uint64_t number = 1, before = 0;;) {
        uint8_t *entry = malloc(v.slot);
        size_t len = 0;
        bool found = entry && ring_view_read(&v, &number, entry, &len);

        free(entry);
        if (!found)
            break;
        if (len > v.slot || number <= before)
            abort();
        before = number++;
    }
    ring_view_close(&v);
    return 0;
}
