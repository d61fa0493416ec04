#include "cli/vkey.h"

#include <string.h>

#include "base/file.h"

enum command_exit
vkey_read(const struct call *call, size_t option, struct note_verifier *out)
{
    const char *value = call->option[option];
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit rc = COMMAND_DONE;
    struct buf file;
    enum mauth_rc read;

    if (note_verifier_parse(value, strlen(value), out, NULL) == MAUTH_OK)
        return COMMAND_DONE;
    buf_init(&file);
    read = file_read(value, NOTE_VKEY_MAX + 1, &file, &err);
    if (file.len && file.data[file.len - 1] == '\n')
        file.len--;
    if (read != MAUTH_OK && read != MAUTH_TOO_LARGE)
        rc = command_failed(call, &err);
    else if (note_verifier_parse((const char *)file.data, file.len, out, NULL) !=
             MAUTH_OK)
        rc = command_misused(call,
            "--%s: '%s' is neither a verifier key (name+hash+base64) nor a file that "
            "holds one",
            call->command->options[option].name, value);
    buf_clear(&file);
    return rc;
}
