#include "cli/vkey.h"

#include <string.h>

#include "keys/note_file.h"

enum command_exit
vkey_read(const struct call *call, size_t option, struct note_verifier *out)
{
    const char *value = call->option[option];
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    if (note_verifier_parse(value, strlen(value), out, NULL) == MAUTH_OK)
        return COMMAND_DONE;
    rc = note_file_read(value, out, &err);
    if (rc == MAUTH_MALFORMED)
        return command_misused(call,
            "--%s: '%s' is neither a verifier key (name+hash+base64) nor a file that "
            "holds one",
            call->command->options[option].name, value);
    return rc == MAUTH_OK ? COMMAND_DONE : command_failed(call, &err);
}
