/*
 * The JSON object that a request brings, strictly: no unknown member, none twice, none
 * of another type than described; UTF-8 without NUL; not nested deeper than need be; and
 * never a private key, which nobody should ever send.
 */
#ifndef AUTHSVC_JSON_BODY_H
#define AUTHSVC_JSON_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"

enum {
    JSON_BODY_MAX = 8192, /* bytes */
    JSON_BODY_DEPTH = 4,
    JSON_BODY_DETAIL = 160
};

/* What a member can be; a set of these. */
enum {
    JSON_BODY_TEXT = 1,
    JSON_BODY_BOOL = 2,
    JSON_BODY_NUMBER = 4, /* an integer, 0 or above */
    JSON_BODY_OBJECT = 8,
    JSON_BODY_LIST = 16,   /* of texts */
    JSON_BODY_OBJECTS = 32 /* a list of objects */
};

struct json_member {
    const char *name; /* NULL ends a list of members */
    unsigned kinds;
    bool required;
};

struct json_body {
    json_t *root;
    char detail[JSON_BODY_DETAIL]; /* what is wrong, for whoever sent it */
};

/*
 * NULL when the text is one object with these members, else the name of the problem
 * ("body", "private-key") with detail set. json_body_clear() it in either case.
 */
const char *json_body_parse(
    struct text text, const struct json_member *members, struct json_body *out);
/* The same for an object within one. */
const char *json_body_check(struct json_body *b, json_t *object,
    const struct json_member *members, const char *within);
void json_body_clear(struct json_body *b);

/* A member that was found good, or what stands for its absence. */
const char *json_body_text(const json_t *object, const char *name);
bool json_body_bool(const json_t *object, const char *name, bool absent);
uint64_t json_body_number(const json_t *object, const char *name, uint64_t absent);

#endif
