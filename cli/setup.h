/* The folder of a new account service: its keys, store, certificate, configuration. */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/service_url.h"
#include "keys/note.h"
#include <meshauth/key.h>

#define SETUP_YEAR_S INT64_C(31536000) /* authority, signing key, certificate */

struct setup {
    const char *dir;
    struct service_url issuer;
    struct service_url listen;
    bool demo; /* with a provider that signs whatever name it is asked for */
    int64_t now_s;
};

/* What there is to tell. */
struct setup_result {
    char root_vkey[NOTE_VKEY_MAX + 1];
    char root_fingerprint[NOTE_FINGERPRINT_LEN + 1];
    char signing_key[MAUTH_KEY_ID_LEN + 1];
};

/*
 * Make it. The folder must not exist or be empty; whatever was made is removed
 * again when something fails. The configuration comes last, so that a folder
 * that was left by a crash is not taken for a service.
 *
 * MAUTH_CONFLICT     the folder is not empty, or something else is there
 * MAUTH_UNAVAILABLE  the disk
 */
MAUTH_MUST_USE enum mauth_rc setup_make(
    const struct setup *s, struct setup_result *out, struct mauth_err *err);

#endif
