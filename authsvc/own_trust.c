#include "authsvc/own_trust.h"

#include <stdlib.h>

#include "authsvc/trust_deltas.h"
#include "base/fail.h"
#include "base/file.h"
#include "keys/trust.h"
#include "verifier/loaded.h"

struct own_trust {
    struct mauth_trust *trust;
    struct buf file;
    struct trust_deltas *deltas; /* NULL: none */
    uint64_t generation, keys_since;
};

static void
free_trust(void *object)
{
    struct own_trust *t = object;

    if (!t)
        return;
    mauth_trust_free(t->trust);
    trust_deltas_free(t->deltas);
    buf_clear(&t->file);
    free(t);
}

enum mauth_rc
own_trust_new(struct shared **out, struct mauth_err *err)
{
    return shared_new(free_trust, out, err);
}

static struct trust_sheet
sheet_of(const struct own_trust *t)
{
    return (struct trust_sheet){trust_place_of(t->trust), buf_slice(&t->file)};
}

/* What it has from the one before it. */
static void
follow(struct shared *s, struct own_trust *t)
{
    struct shared_ref *ref = shared_take(s);
    const struct own_trust *before = ref ? shared_object(ref) : NULL;

    t->generation = before ? before->generation + 1 : 1;
    t->keys_since = before && loaded_no_key_is_new(before->trust, t->trust)
                        ? before->keys_since
                        : t->generation;
    if (before) {
        const struct trust_sheet older = sheet_of(before), newer = sheet_of(t);

        t->deltas = trust_deltas_new(before->deltas, &older, &newer);
    }
    shared_drop(ref);
}

enum mauth_rc
own_trust_load(struct shared *s, const char *path,
    const struct note_verifier *authority, struct mauth_err *err)
{
    struct own_trust *t = calloc(1, sizeof(*t));
    enum mauth_rc rc;

    if (!t)
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    buf_init(&t->file);
    rc = file_read(path, MAUTH_TRUST_MAX, &t->file, err);
    if (rc == MAUTH_OK)
        rc = trust_parse_own(t->file.data, t->file.len, authority, &t->trust, err);
    if (rc == MAUTH_OK) {
        follow(s, t);
        rc = shared_set(s, t, err);
    }
    if (rc != MAUTH_OK)
        free_trust(t);
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
    const struct own_trust *t = shared_object(ref);

    return t->trust;
}

uint64_t
own_trust_generation(const struct shared_ref *ref)
{
    return ((const struct own_trust *)shared_object(ref))->generation;
}

uint64_t
own_trust_keys_since(const struct shared_ref *ref)
{
    return ((const struct own_trust *)shared_object(ref))->keys_since;
}

struct text
own_trust_text(const struct shared_ref *ref)
{
    const struct own_trust *t = shared_object(ref);

    return buf_slice(&t->file);
}

struct text
own_trust_delta(const struct shared_ref *ref, struct trust_place from)
{
    const struct own_trust *t = shared_object(ref);

    return trust_deltas_find(t->deltas, from);
}
