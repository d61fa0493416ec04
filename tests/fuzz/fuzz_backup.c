#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/backup_file.h"
#include "tests/fuzz/fuzz.h"

/* Nobody hits upon a hash: what is read to its end is the file of the corpus. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct backup_reader *r = NULL;
    struct text key, value;
    bool more = true;
    size_t count = 0;
    enum mauth_rc rc;
    char path[32];
    int fd = memfd_create("backup", MFD_CLOEXEC);

    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    rc = backup_reader_open(path, &r, NULL);
    MUST((rc == MAUTH_OK) == (r != NULL));
    while (rc == MAUTH_OK && more) {
        rc = backup_reader_next(r, &key, &value, &more, NULL);
        count += more;
    }
    MUST(rc != MAUTH_OK || (size == 264 && count == 2));
    backup_reader_free(r);
    close(fd);
    return 0;
}
