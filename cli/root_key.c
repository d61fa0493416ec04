#include "cli/root_key.h"

#include <string.h>

#include "base/fail.h"
#include "base/file.h"

enum mauth_rc
root_key_read(const char *path, struct note_verifier *out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf file;

    buf_init(&file);
    rc = file_read(path, NOTE_VKEY_MAX + 1, &file, err);
    if (rc == MAUTH_OK && file.len && file.data[file.len - 1] == '\n')
        file.len--;
    if (rc == MAUTH_OK)
        rc = note_verifier_parse((const char *)file.data, file.len, out, err);
    buf_clear(&file);
    return rc;
}

enum command_exit
root_key_take(const struct call *call, const char *value, struct note_verifier *out)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (note_verifier_parse(value, strlen(value), out, NULL) == MAUTH_OK)
        return COMMAND_DONE;
    switch (root_key_read(value, out, &err)) {
    case MAUTH_OK: return COMMAND_DONE;
    case MAUTH_MALFORMED:
    case MAUTH_TOO_LARGE:
        return command_misused(call,
            "--root: '%s' is neither a verifier key (name+hash+base64) nor a file that "
            "holds one",
            value);
    default: return command_failed(call, &err);
    }
}
