/*
 * Whole files: read with a bound, replaced so that a reader sees the old or the
 * new one and a power cut leaves one of them.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <meshauth/err.h>

struct buf;

enum {
    FILE_PRIVATE = 0600,
    FILE_PUBLIC = 0644
};

/*
 * Append the file's bytes to out. "-" is standard input.
 *
 * MAUTH_NOT_FOUND    no such file
 * MAUTH_TOO_LARGE    more than max bytes
 * MAUTH_UNAVAILABLE  cannot be read
 */
MAUTH_MUST_USE enum mauth_rc file_read(
    const char *path, size_t max, struct buf *out, struct mauth_err *err);

/*
 * The same for a secret: also refuses (MAUTH_DENIED) a file that group or
 * others may read or write, or that another user than we or root owns.
 *
 * A path that begins with "credential:" names a systemd credential (LoadCredential=): a
 * file in $CREDENTIALS_DIRECTORY, which systemd shows to its service alone. Such a one may
 * be readable by a group: so it looks where it lies under an ACL. MAUTH_NOT_FOUND also
 * without that folder, MAUTH_INVALID when it is no name of a file in it.
 */
MAUTH_MUST_USE enum mauth_rc file_read_secret(
    const char *path, size_t max, struct buf *out, struct mauth_err *err);

bool file_is_credential(const char *path);

/* Write a temporary file beside path, fsync, rename over it, fsync the folder. */
MAUTH_MUST_USE enum mauth_rc file_replace(
    const char *path, const void *data, size_t len, mode_t mode, struct mauth_err *err);

/*
 * Make the file, MAUTH_CONFLICT when there is one already. Whoever sees it, sees
 * all of it.
 */
MAUTH_MUST_USE enum mauth_rc file_create(
    const char *path, const void *data, size_t len, mode_t mode, struct mauth_err *err);

/*
 * The same of a file that is written piece by piece, to fd: it stands at path only once
 * file_draft_create() has returned. file_draft_close() it in any case, also after a
 * failure to open it.
 */
struct file_draft {
    int fd;
    char *path;
    char *name; /* under which it is written */
};

MAUTH_MUST_USE enum mauth_rc file_draft_open(
    const char *path, mode_t mode, struct file_draft *out, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc file_draft_create(
    struct file_draft *d, struct mauth_err *err);
void file_draft_close(struct file_draft *d);

/* Makes what was created, renamed or removed in a folder last. */
MAUTH_MUST_USE enum mauth_rc file_sync_folder(const char *dir, struct mauth_err *err);

/*
 * Opens what is closed of standard input, output and error, on nothing: else the
 * next file to be opened would have its number, and what is printed would go there.
 * Reading and writing still fail. The first thing that a program does.
 */
MAUTH_MUST_USE bool file_guard_standard(void);

/* "dir/name", or name itself when it is absolute; malloc, NULL without memory. */
char *file_join(const char *dir, const char *name);

#endif
