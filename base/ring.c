#include "base/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/siphash.h"
#include "base/str.h"
#include "base/time.h"

enum {
    PATH_ROOM = 4096,
    RETRY_MS = 1000,
    CHECK = 8, /* bytes of the check, which covers what is behind it */
    AGAIN = 4  /* times that the writer may pass while one entry is looked for */
};

#define MAGIC "meshauth-ring 1\n"

/* Numbers stay below: more than anybody writes, and nothing overflows. */
static const uint64_t NUMBER_MAX = UINT64_C(1000000000000000000);

struct ring {
    pthread_mutex_t lock;
    const struct ring_kind *kind;
    char *dir;
    pid_t owner; /* whose file it is: not a child's */
    int fd;      /* -1: none */
    int64_t retry_ms;
    uint64_t next;
    uint8_t id[RING_ID];
};

/* The file. */

static bool
is_regular(int fd, struct stat *st)
{
    return fstat(fd, st) == 0 && S_ISREG(st->st_mode);
}

static bool
read_header(int fd, struct ring_view *out)
{
    uint8_t raw[RING_HEADER];
    struct reader r;

    if (pread(fd, raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
        return false;
    reader_init(&r, raw, sizeof(raw));
    reader_expect(&r, MAGIC, sizeof(MAGIC) - 1);
    reader_copy(&r, out->id, RING_ID);
    out->slot = reader_u32(&r);
    out->slots = reader_u32(&r);
    out->fd = fd;
    return reader_ok(&r) && out->slot > RING_OVERHEAD && out->slot <= RING_SLOT_MAX &&
           out->slots > 0 && out->slots <= RING_SLOTS_MAX;
}

static off_t
place_of(uint64_t number, uint32_t slot, uint32_t slots)
{
    return (off_t)(RING_HEADER + number % slots * slot);
}

/* What lies in the slot of this number: the number of an entry, 0: none. */
static uint64_t
read_slot(const struct ring_view *v, uint64_t number, void *data, size_t *len)
{
    uint8_t raw[RING_SLOT_MAX];
    uint64_t check, found;
    const uint8_t *body;
    struct reader r;
    ssize_t n;

    n = pread(v->fd, raw, v->slot, place_of(number, v->slot, v->slots));
    if (n < RING_OVERHEAD)
        return 0;
    reader_init(&r, raw, (size_t)n);
    check = reader_u64(&r);
    found = reader_u64(&r);
    *len = reader_u16(&r);
    body = reader_bytes(&r, *len);
    if (!reader_ok(&r) || found == 0 || found >= NUMBER_MAX ||
        found % v->slots != number % v->slots ||
        siphash(v->id, raw + CHECK, RING_OVERHEAD - CHECK + *len) != check)
        return 0;
    memcpy(data, body, *len);
    return found;
}

/* Writing. */

/* The number behind the last entry that is there. */
static uint64_t
find_next(const struct ring_view *v)
{
    uint8_t data[RING_SLOT_MAX];
    uint64_t last = 0;
    size_t len;

    for (uint32_t i = 0; i < v->slots; i++) {
        uint64_t found = read_slot(v, i, data, &len);

        last = found > last ? found : last;
    }
    return last + 1;
}

/* Empty but for its header, whatever it was. */
static bool
begin_file(const struct ring *r, int fd, struct ring_view *v)
{
    uint8_t raw[RING_HEADER] = {0};
    struct buf b;

    if (mauth_random(v->id, RING_ID, NULL) != MAUTH_OK || ftruncate(fd, 0) != 0)
        return false;
    v->fd = fd;
    v->slot = r->kind->slot;
    v->slots = r->kind->slots;
    buf_init_fixed(&b, raw, sizeof(raw));
    buf_str(&b, MAGIC);
    buf_put(&b, v->id, RING_ID);
    buf_u32(&b, v->slot);
    buf_u32(&b, v->slots);
    return buf_ok(&b) && pwrite(fd, raw, sizeof(raw), 0) == (ssize_t)sizeof(raw);
}

/* A number is only used up by an entry that is written. */
static bool
write_entry(const struct ring *r, uint64_t number, const void *data, size_t len)
{
    uint8_t raw[RING_SLOT_MAX];
    ssize_t size = (ssize_t)(RING_OVERHEAD + len);
    struct buf b;

    if (number >= NUMBER_MAX)
        return false;
    buf_init_fixed(&b, raw + CHECK, sizeof(raw) - CHECK);
    buf_u64(&b, number);
    buf_u16(&b, (uint16_t)len);
    buf_put(&b, data, len);
    buf_init_fixed(&b, raw, CHECK);
    buf_u64(&b, siphash(r->id, raw + CHECK, (size_t)size - CHECK));
    return pwrite(r->fd, raw, (size_t)size,
               place_of(number, r->kind->slot, r->kind->slots)) == size;
}

/* What a loss of power has taken from between others: readers would wait for it. */
static bool
fill_holes(const struct ring *r, const struct ring_view *v)
{
    uint64_t oldest = r->next > v->slots ? r->next - v->slots : 1;
    uint8_t data[RING_SLOT_MAX];
    size_t len;

    for (uint64_t n = oldest; n < r->next; n++)
        if (read_slot(v, n, data, &len) != n && !write_entry(r, n, "", 0))
            return false;
    return true;
}

/* A file that is ours alone: nobody else has made it, or knows it by another name. */
static bool
take_file(struct ring *r, int fd)
{
    struct ring_view v;
    struct stat st;

    if (!is_regular(fd, &st) || st.st_uid != geteuid() || st.st_nlink != 1 ||
        flock(fd, LOCK_EX | LOCK_NB) != 0)
        return false;
    if ((!read_header(fd, &v) || v.slot != r->kind->slot ||
            v.slots != r->kind->slots) &&
        !begin_file(r, fd, &v))
        return false;
    memcpy(r->id, v.id, RING_ID);
    r->next = find_next(&v);
    r->fd = fd;
    if (fill_holes(r, &v))
        return true;
    r->fd = -1;
    return false;
}

static bool
claim_one(struct ring *r, int number)
{
    char path[PATH_ROOM];
    int fd, n;

    n = snprintf(path, sizeof(path), "%s/%s.%d", r->dir, r->kind->name, number);
    if (n < 0 || n >= (int)sizeof(path))
        return false;
    fd =
        open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_PUBLIC);
    if (fd < 0)
        return false;
    (void)!fchmod(fd, FILE_PUBLIC); /* whatever the umask; of another user's it stays */
    if (take_file(r, fd))
        return true;
    close(fd);
    return false;
}

/* With the lock held. */
static bool
claim(struct ring *r)
{
    int64_t now_ms = time_monotonic_ms();
    pid_t self = getpid();

    if (r->owner != self) {
        if (r->fd >= 0)
            close(r->fd); /* of before a fork(): its lock stays the parent's */
        r->fd = -1;
        r->owner = self;
    } else if (now_ms < r->retry_ms) {
        return false;
    }
    r->retry_ms = now_ms + RETRY_MS;
    for (int i = 0; i < RING_FILES; i++)
        if (claim_one(r, i))
            return true;
    return false;
}

enum mauth_rc
ring_open(const char *dir, const struct ring_kind *kind, struct ring **out,
    struct mauth_err *err)
{
    struct ring *r = calloc(1, sizeof(*r));

    *out = NULL;
    if (r)
        r->dir = strdup(dir);
    if (!r || !r->dir) {
        free(r);
        return mauth_fail(err, MAUTH_NO_MEMORY, "ring: no memory");
    }
    pthread_mutex_init(&r->lock, NULL);
    r->kind = kind;
    r->fd = -1;
    (void)!claim(r);
    *out = r;
    return MAUTH_OK;
}

void
ring_close(struct ring *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        close(r->fd);
    pthread_mutex_destroy(&r->lock);
    free(r->dir);
    free(r);
}

enum mauth_rc
ring_put(struct ring *r, const void *data, size_t len, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    if (len > r->kind->slot - RING_OVERHEAD)
        return mauth_fail(err, MAUTH_TOO_LARGE, "%s: an entry has at most %u bytes",
            r->kind->name, r->kind->slot - RING_OVERHEAD);
    pthread_mutex_lock(&r->lock);
    if ((r->fd < 0 || r->owner != getpid()) && !claim(r))
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "%s: none can be written in %s",
            r->kind->name, r->dir);
    else if (!write_entry(r, r->next, data, len))
        rc = mauth_fail(
            err, MAUTH_UNAVAILABLE, "%s: %s", r->kind->name, strerror(errno));
    else
        r->next++;
    pthread_mutex_unlock(&r->lock);
    return rc;
}

/* Reading. */

bool
ring_is_name(const char *kind, const char *name)
{
    size_t len = strlen(kind);
    uint64_t n;

    return strncmp(name, kind, len) == 0 && name[len] == '.' &&
           str_number(text_of(name + len + 1), &n) && n < RING_FILES;
}

enum mauth_rc
ring_view_open(const char *path, struct ring_view *out, struct mauth_err *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    out->fd = -1;
    if (fd < 0)
        return mauth_fail(err, errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE,
            "%s: %s", path, strerror(errno));
    if (!is_regular(fd, &st) || !read_header(fd, out)) {
        close(fd);
        out->fd = -1;
        return mauth_fail(err, MAUTH_MALFORMED, "%s: no ring", path);
    }
    return MAUTH_OK;
}

void
ring_view_close(struct ring_view *v)
{
    if (v->fd >= 0)
        close(v->fd);
    v->fd = -1;
}

/* The oldest that is left when this one is there: what follows it lies behind it, up to
 * the newest, and then what is older by a round. */
static uint64_t
find_oldest(const struct ring_view *v, uint64_t there, void *data, size_t *len)
{
    uint64_t low = 0, high = v->slots;

    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;

        if (read_slot(v, there + middle, data, len) == there + middle)
            low = middle;
        else
            high = middle;
    }
    return there + low - v->slots + 1;
}

/* A slot tells by a later number that the writer has passed. */
bool
ring_view_read(const struct ring_view *v, uint64_t *number, void *data, size_t *len)
{
    for (int i = 0; i < AGAIN; i++) {
        uint64_t found = read_slot(v, *number, data, len);

        if (!found || found < *number)
            return false;
        if (found == *number)
            return true;
        *number = find_oldest(v, found, data, len);
    }
    return false;
}
