#include "policy/rules_file.h"

#include "base/buf.h"
#include "base/fail.h"
#include "base/file.h"

enum mauth_rc
rules_file_read(const char *path, struct mauth_rules **out, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct buf text;
    enum mauth_rc rc;

    *out = NULL;
    buf_init(&text);
    rc = file_read(path, MAUTH_RULES_MAX, &text, err);
    if (rc == MAUTH_OK) {
        rc = mauth_rules_compile((const char *)text.data, text.len, out, &why);
        if (rc != MAUTH_OK)
            rc = mauth_fail(err, rc, "%s: %s", path, why.text);
    }
    buf_clear(&text);
    return rc;
}
