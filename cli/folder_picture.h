/*
 * A folder, its members and where each has it, as a tree for people to look at:
 *
 *   Trip  fld_...
 *   |-- usr_...  owner, you
 *   |   `-- Alice's PC  this device
 *   `-- usr_...  reader
 */
#ifndef CLI_FOLDER_PICTURE_H
#define CLI_FOLDER_PICTURE_H

#include <stdbool.h>

#include <jansson.h>

/* What it is drawn from; nodes of the service, which may be of any form. */
struct folder_picture {
    const json_t *folder;
    const json_t *members;
    const json_t *mappings;
    const json_t *devices; /* the user's own: others' have no name for us */
    const char *user;      /* who looks at it, usr_... */
    const char *key;       /* of the device where that happens */
    bool utf8;             /* the terminal has box-drawing characters */
};

/* False without memory. */
bool folder_picture_print(const struct folder_picture *p);

/* Does the environment say that the terminal takes UTF-8? */
bool folder_picture_is_utf8(void);

#endif
