#include "authsvc/own_trust.h"

#include "base/buf.h"
#include "base/fail.h"
#include "base/file.h"
#include "keys/trust.h"

static void
free_trust(void *trust)
{
    mauth_trust_free(trust);
}

enum mauth_rc
own_trust_new(struct shared **out, struct mauth_err *err)
{
    return shared_new(free_trust, out, err);
}

enum mauth_rc
own_trust_load(struct shared *s, const char *path,
    const struct note_verifier *authority, struct mauth_err *err)
{
    struct mauth_trust *trust = NULL;
    struct buf file;
    enum mauth_rc rc;

    buf_init(&file);
    rc = file_read(path, MAUTH_TRUST_MAX, &file, err);
    if (rc == MAUTH_OK)
        rc = trust_parse_own(file.data, file.len, authority, &trust, err);
    if (rc == MAUTH_OK)
        rc = shared_set(s, trust, err);
    if (rc != MAUTH_OK)
        mauth_trust_free(trust);
    buf_clear(&file);
    return rc;
}

enum mauth_rc
own_trust_take(struct shared *s, struct shared_ref **out, struct mauth_err *err)
{
    *out = shared_take(s);
    return *out ? MAUTH_OK
                : mauth_fail(err, MAUTH_UNAVAILABLE, "trust: none was loaded yet");
}

const struct mauth_trust *
own_trust_of(const struct shared_ref *ref)
{
    return shared_object(ref);
}
