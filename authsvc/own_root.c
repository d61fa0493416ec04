#include "authsvc/own_root.h"

#include "keys/note_file.h"

enum mauth_rc
own_root_read(const char *path, struct text delegation, char vkey[NOTE_VKEY_MAX + 1],
    struct mauth_err *err)
{
    struct note_verifier root;
    struct reader r;
    struct text said;
    enum mauth_rc rc = note_file_read(path, &root, err);

    vkey[0] = '\0';
    if (rc)
        return rc;
    reader_init(&r, delegation.p, delegation.len);
    rc = note_open(&r, &root, &said, err);
    if (rc == MAUTH_OK)
        note_verifier_format(&root, vkey);
    return rc;
}
