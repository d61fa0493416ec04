/*
 * What is said about a configuration file that is not as it must be: file and
 * line, what stands there, and what would be right.
 */
#ifndef CONFIG_COMPLAIN_H
#define CONFIG_COMPLAIN_H

#include <libconfig.h>

#include "base/fail.h"
#include "config/config.h"
#include "config/schema.h"

enum {
    SHOWN_FILE = 60,  /* what messages show of a long path: its end */
    SHOWN_VALUE = 40, /* ... and of a value: its beginning */
    SHOWN_NAME = 48   /* GROUP.NAME of the schema */
};

/* A walk over the parsed file, along the schema. */
struct walk {
    char file[SHOWN_FILE];
    const char *group; /* where it is: "" at the top */
    struct config *config;
    struct mauth_err *err;
};

/* A sentence about a setting (or, with NULL, about one that is not there). */
#define complain(w, setting, format, ...)                              \
    mauth_fail((w)->err, MAUTH_MALFORMED, "%s:%u: " format, (w)->file, \
        complain_line(setting), __VA_ARGS__)

unsigned complain_line(const config_setting_t *s);

/* "listen.port" */
const char *complain_name(
    const struct walk *w, const struct config_rule *rule, char out[SHOWN_NAME]);
/* The value that stands in the file. */
const char *complain_found(const config_setting_t *s, char out[SHOWN_VALUE]);

/* All return MAUTH_MALFORMED. */
enum mauth_rc refuse_value(
    struct walk *w, const config_setting_t *s, const struct config_rule *rule);
enum mauth_rc refuse_absence(
    struct walk *w, const config_setting_t *group, const struct config_rule *rule);
enum mauth_rc refuse_repetition(
    struct walk *w, const config_setting_t *s, const struct config_rule *rule);
/* A name that is none of rules. */
enum mauth_rc refuse_name(
    struct walk *w, const config_setting_t *s, const struct config_rule *rules);

#endif
