/*
 * Tokens of SoftHSM, made with its own tools in a folder that is gone afterwards. The
 * environment names its configuration: no threads before softhsm_make().
 */
#ifndef TESTS_SOFTHSM_H
#define TESTS_SOFTHSM_H

#include <stdbool.h>

#define SOFTHSM_PIN "5678"

struct softhsm {
    char dir[64];
    char pin_file[96]; /* with SOFTHSM_PIN and a newline */
};

void softhsm_make(struct softhsm *h);
void softhsm_remove(struct softhsm *h);

/* A token, and a key pair in it: kind is "EC:prime256v1", "rsa:2048"... */
void softhsm_token(const struct softhsm *h, const char *label);
void softhsm_key(const struct softhsm *h, const char *token, const char *label,
    const char *id, const char *kind);
/* Deletes one half: type is "pubkey" or "privkey". */
void softhsm_delete(
    const struct softhsm *h, const char *token, const char *label, const char *type);

/* Takes all tokens away, or puts them back. */
void softhsm_hide(const struct softhsm *h);
void softhsm_show(const struct softhsm *h);

/* A file beside them. */
void softhsm_file(const struct softhsm *h, const char *name, const char *text,
    unsigned mode, char path[96]);

#endif
