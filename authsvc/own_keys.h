/*
 * The service's own keys as the store has them: a snapshot that is replaced when they
 * have changed there. Safe from any thread.
 */
#ifndef AUTHSVC_OWN_KEYS_H
#define AUTHSVC_OWN_KEYS_H

#include <stdbool.h>

#include "authsvc/shared.h"
#include "store/keystore.h"
#include <meshauth/key.h>

struct own_keys;

/* Read them. kv and seal are borrowed. Fails as keystore_load() does. */
MAUTH_MUST_USE enum mauth_rc own_keys_open(struct kv *kv,
    const struct mauth_secret *seal, struct own_keys **out, struct mauth_err *err);
void own_keys_close(struct own_keys *o); /* all references were dropped */

/* Read them again if they have changed. On failure the old ones stay. One thread at a
 * time. */
MAUTH_MUST_USE enum mauth_rc own_keys_reload(
    struct own_keys *o, bool *changed, struct mauth_err *err);

/*
 * Take one out of the store that has retired, or whose window is over, with its record:
 * id is its, or "".
 */
MAUTH_MUST_USE enum mauth_rc own_keys_end(struct own_keys *o, int64_t now_s,
    char id[MAUTH_KEY_ID_LEN + 1], struct mauth_err *err);

/* Those of now; to be shared_drop()ped. */
struct shared_ref *own_keys_take(struct own_keys *o);
const struct keystore *own_keys_of(const struct shared_ref *ref);

#endif
