/* A folder of the test's own, removed with all that lies in it. */
#ifndef TESTS_SCRATCH_DIR_H
#define TESTS_SCRATCH_DIR_H

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct scratch_dir {
    char path[64];
};

static inline void
scratch_dir_make(struct scratch_dir *d)
{
    strcpy(d->path, "/tmp/mauth-scratch-XXXXXX");
    assert_non_null(mkdtemp(d->path));
}

static inline void
scratch_dir_remove(struct scratch_dir *d)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -rf '%s'", d->path);
    assert_int_equal(system(command), 0);
}

/* DIR/name; good until the next eight calls. */
static inline const char *
scratch_path(const struct scratch_dir *d, const char *name)
{
    static char path[8][192];
    static unsigned next;
    char *p = path[next++ % 8];

    snprintf(p, sizeof(path[0]), "%s/%s", d->path, name);
    return p;
}

static inline void
scratch_write(
    const struct scratch_dir *d, const char *name, const void *data, size_t len)
{
    FILE *f = fopen(scratch_path(d, name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* The file's text; the caller frees. NULL: there is none. */
static inline char *
scratch_read(const struct scratch_dir *d, const char *name, size_t *len)
{
    FILE *f = fopen(scratch_path(d, name), "rb");
    char *data;
    long size;

    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);
    data = malloc((size_t)size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, f), size);
    data[size] = '\0';
    fclose(f);
    if (len)
        *len = (size_t)size;
    return data;
}

static inline bool
scratch_has(const struct scratch_dir *d, const char *name)
{
    return access(scratch_path(d, name), F_OK) == 0;
}

#endif
