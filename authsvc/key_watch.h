/*
 * Which of our own keys do not sign now, though they are active: a token may be away.
 * Told on the log when it changes. One thread at a time.
 */
#ifndef AUTHSVC_KEY_WATCH_H
#define AUTHSVC_KEY_WATCH_H

#include "store/keystore.h"

struct key_watch {
    size_t away;
    char id[KEYSTORE_KEYS][MAUTH_KEY_ID_LEN + 1];
};

/* Look at all of them. */
void key_watch_look(struct key_watch *w, const struct keystore *keys);

#endif
