/*
 * What the configuration file may hold: one table, from which the reader checks,
 * fills in defaults, frees, and says what would be right. docs/configuration.md
 * has the same table for people; a test holds the two together.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_kind {
    CONFIG_GROUP,  /* NAME: { ... } */
    CONFIG_GROUPS, /* NAME = ( { ... }, { ... } ) */
    CONFIG_TEXT,
    CONFIG_PATH,   /* of a file, relative to the configuration's folder */
    CONFIG_SECRET, /* the same of a secret, or credential:NAME (base/file.h) */
    CONFIG_STORE,  /* ENGINE:PATH */
    CONFIG_TEXTS,  /* NAME = [ "one", "two" ] */
    CONFIG_NUMBER,
    CONFIG_FLAG
};

struct config_rule {
    const char *name; /* NULL ends a table */
    enum config_kind kind;
    bool required;
    size_t offset;                     /* in struct config, or in a provider */
    size_t size;                       /* of a number, or of one group of a list */
    size_t count;                      /* offset of a list's size_t */
    const struct config_rule *members; /* of a group */
    int64_t min, max;                  /* of a number; of the entries of a list */
    int64_t number;                  /* default; 0 where min is not: from the machine */
    const char *text;                /* default; NULL: none */
    bool (*good)(const char *value); /* of a text, as it stands in the file */
    const char *right;               /* what a good value is: "must be ..." */
};

extern const struct config_rule config_schema[];

#endif
