#include "updater/lowest.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "keys/lines.h"

enum {
    STATUS_MAX = 8192,
    START_FIELD = 22, /* of /proc/PID/stat, proc(5) */
    CLOCKS_DIFFER_S = 2
};

/* "4711.status"; 0: another name. */
static pid_t
pid_of(const char *name)
{
    struct text rest = text_of(name), digits;
    uint64_t n;

    if (!text_cut(&rest, '.', &digits) || !text_is(rest, "status") ||
        !str_number(digits, &n) || n > INT32_MAX)
        return 0;
    return (pid_t)n;
}

/* Of the line of /proc/PID/stat: clock ticks from the start of the machine. */
static bool
read_start(const char *line, uint64_t *ticks)
{
    const char *at = strrchr(line, ')'); /* the program's name may be anything */
    char *end;

    for (int field = 2; at && field < START_FIELD; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    if (!at)
        return false;
    *ticks = strtoull(at, &end, 10);
    return end != at;
}

/* A number is given to another process when its owner has ended. */
static bool
has_started_since(pid_t pid, const struct timespec *written)
{
    char path[64], line[1024];
    struct timespec now, up;
    uint64_t ticks = 0;
    bool good;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    f = fopen(path, "re");
    if (!f)
        return false; /* it may be hidden from us, and lives */
    good = fgets(line, sizeof(line), f) && read_start(line, &ticks);
    fclose(f);
    if (!good || clock_gettime(CLOCK_REALTIME, &now) != 0 ||
        clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return false;
    return now.tv_sec - up.tv_sec + (time_t)ticks / sysconf(_SC_CLK_TCK) >
           written->tv_sec + CLOCKS_DIFFER_S;
}

static bool
is_living(pid_t pid, const struct timespec *written)
{
    return (kill(pid, 0) == 0 || errno == EPERM) && !has_started_since(pid, written);
}

/* The first three lines; what is behind them may grow. */
static bool
read_status(const struct buf *file, struct lowest *out)
{
    struct text hash;
    struct reader r;

    reader_init(&r, file->data, file->len);
    lines_expect(&r, "epoch ");
    out->epoch = lines_number(&r, '\n');
    lines_expect(&r, "sequence ");
    out->sequence = lines_number(&r, '\n');
    lines_expect(&r, "hash ");
    hash = reader_until(&r, '\n');
    if (!reader_ok(&r) || !str_is_hex(hash, sizeof(out->hash) - 1))
        return false;
    memcpy(out->hash, hash.p, hash.len);
    out->hash[hash.len] = '\0';
    return true;
}

static bool
is_lower(const struct lowest *a, const struct lowest *b)
{
    return a->epoch != b->epoch ? a->epoch < b->epoch : a->sequence < b->sequence;
}

/* One that vanishes meanwhile is of a process that has ended; another that cannot be read
 * speaks for one that lives, and nobody may think that there is none. */
static enum mauth_rc
read_living(const char *path, struct buf *out, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc = file_read(path, STATUS_MAX, out, &why);

    if (rc != MAUTH_UNAVAILABLE)
        return MAUTH_OK;
    return mauth_fail(err, rc, "%s", why.text);
}

static enum mauth_rc
look_at(const char *dir, const char *name, struct lowest *out, struct mauth_err *err)
{
    char *path = file_join(dir, name);
    struct lowest one = {.processes = 0};
    pid_t pid = pid_of(name);
    enum mauth_rc rc = MAUTH_OK;
    struct stat st;
    struct buf file;

    buf_init(&file);
    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (pid > 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
        is_living(pid, &st.st_mtim))
        rc = read_living(path, &file, err);
    if (rc == MAUTH_OK && file.len && read_status(&file, &one)) {
        one.processes = out->processes + 1;
        if (!out->processes || is_lower(&one, out))
            *out = one;
        out->processes = one.processes;
    }
    buf_clear(&file);
    free(path);
    return rc;
}

enum mauth_rc
lowest_read(const char *dir, struct lowest *out, struct mauth_err *err)
{
    const struct dirent *entry;
    enum mauth_rc rc = MAUTH_OK;
    DIR *d = opendir(dir);

    memset(out, 0, sizeof(*out));
    if (!d)
        return mauth_fail(err, errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE,
            "%s: %s", dir, strerror(errno));
    while (rc == MAUTH_OK && (entry = readdir(d)) != NULL)
        rc = look_at(dir, entry->d_name, out, err);
    closedir(d);
    if (rc != MAUTH_OK)
        memset(out, 0, sizeof(*out));
    return rc;
}
