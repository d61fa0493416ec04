#include "authsvc/key_watch.h"

#include <stdbool.h>
#include <string.h>

#include "authsvc/log.h"

static bool
holds(const struct key_watch *w, const char *id)
{
    for (size_t i = 0; i < w->away; i++)
        if (strcmp(w->id[i], id) == 0)
            return true;
    return false;
}

static void
add(struct key_watch *w, const char *id)
{
    memcpy(w->id[w->away++], id, MAUTH_KEY_ID_LEN + 1);
}

void
key_watch_look(struct key_watch *w, const struct keystore *keys)
{
    struct key_watch now = {.away = 0};

    for (size_t i = 0; i < keystore_count(keys); i++) {
        const struct trust_key *key = keystore_at(keys, i);
        const char *id = mauth_key_id(key->key);
        struct mauth_err err = MAUTH_ERR_INIT;

        if (keystore_ready(keys, i, &err) != MAUTH_OK) {
            add(&now, id);
            if (!holds(w, id))
                log_error("the key %s does not sign: %s", id, err.text);
        } else if (key->state == TRUST_ACTIVE && holds(w, id)) {
            log_info("the key %s signs again", id);
        }
    }
    *w = now;
}
