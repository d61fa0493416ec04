#include "authsvc/provider_document.h"

#include "base/fail.h"
#include "base/file.h"

enum mauth_rc
provider_document_fetch(
    struct fetch *fetch, const char *url, struct buf *out, struct mauth_err *err)
{
    const struct fetch_request r = {.url = url};
    long status = 0;
    enum mauth_rc rc = fetch_do(fetch, &r, &status, out, err);

    if (rc == MAUTH_OK && status != 200)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "provider: answered %ld", status);
    return rc;
}

enum mauth_rc
provider_document_read(const char *path, size_t max, provider_document_fn *fn,
    void *arg, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc;
    struct buf file;

    buf_init(&file);
    rc = file_read(path, max, &file, err); /* it names the file itself */
    if (rc == MAUTH_OK) {
        rc = fn(buf_slice(&file), arg, &why);
        if (rc != MAUTH_OK)
            rc = mauth_fail(err, rc, "%s: %s", path, why.text);
    }
    buf_clear(&file);
    return rc;
}
