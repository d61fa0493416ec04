#include "keys/note_file.h"

#include <string.h>

#include "base/fail.h"
#include "base/file.h"

enum mauth_rc
note_file_read(const char *path, struct note_verifier *out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf file;

    buf_init(&file);
    rc = file_read(path, NOTE_VKEY_MAX + 1, &file, err);
    if (rc == MAUTH_TOO_LARGE) {
        mauth_err_reset(err);
        rc = mauth_fail(err, MAUTH_MALFORMED, "%s: not a verifier key", path);
    }
    if (rc == MAUTH_OK && file.len && file.data[file.len - 1] == '\n')
        file.len--;
    if (rc == MAUTH_OK)
        rc = note_verifier_parse((const char *)file.data, file.len, out, err);
    buf_clear(&file);
    return rc;
}

enum mauth_rc
note_file_write(const char *path, const struct note_verifier *v, struct mauth_err *err)
{
    char line[NOTE_VKEY_MAX + 2];
    size_t len;

    note_verifier_format(v, line);
    len = strlen(line);
    line[len++] = '\n';
    return file_replace(path, line, len, FILE_PUBLIC, err);
}
