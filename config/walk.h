/*
 * From libconfig's tree to a struct config, along the schema: types, ranges,
 * forms, defaults. What concerns several settings at once is config.c's.
 */
#ifndef CONFIG_WALK_H
#define CONFIG_WALK_H

#include "config/complain.h"

/* w has file, config (zero but for dir) and err. MAUTH_MALFORMED, MAUTH_NO_MEMORY. */
MAUTH_MUST_USE enum mauth_rc walk_read(struct walk *w, const config_setting_t *root);

/* Frees what walk_read() put into c, complete or not. */
void walk_free(struct config *c);
void walk_free_text(const char **text); /* of ours, though const for all others */

#endif
