#include "authsvc/json_body.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/str.h"

enum {
    QUOTED = 72 /* of a foreign name in a sentence */
};

static const char *wrong(struct json_body *b, const char *problem, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

static const char *
wrong(struct json_body *b, const char *problem, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(b->detail, sizeof(b->detail), format, args);
    va_end(args);
    return problem;
}

/* Brackets outside of strings; whether they match, the parser sees. */
static bool
is_shallow(struct text t)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < t.len; i++) {
        char c = t.p[i];

        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']'))
            depth--;
        if (depth > JSON_BODY_DEPTH)
            return false;
    }
    return true;
}

/* RFC 7517: "d", "p", ... of a key with a "kty"; PEM; or by its name. */
static bool
is_private(const char *name, const json_t *value, const json_t *object)
{
    const char *text = json_string_value(value);

    if (text && strstr(text, "PRIVATE KEY-----"))
        return true;
    if (strncasecmp(name, "private", 7) == 0)
        return true;
    return strcmp(name, "d") == 0 && json_object_get(object, "kty");
}

static bool
holds_private_key(const char *name, json_t *value, const json_t *within)
{
    bool found = is_private(name, value, within);
    const char *member;
    json_t *v;

    json_object_foreach(value, member, v)
    {
        found = found || holds_private_key(member, v, value);
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        found = found || holds_private_key("", json_array_get(value, i), within);
    return found;
}

static bool
is_list_of(const json_t *list, json_type type)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_typeof(json_array_get(list, i)) != type)
            return false;
    return json_is_array(list);
}

static bool
is_of_kind(const json_t *value, unsigned kinds)
{
    return ((kinds & JSON_BODY_TEXT) && json_is_string(value)) ||
           ((kinds & JSON_BODY_BOOL) && json_is_boolean(value)) ||
           ((kinds & JSON_BODY_NUMBER) && json_is_integer(value) &&
               json_integer_value(value) >= 0) ||
           ((kinds & JSON_BODY_OBJECT) && json_is_object(value)) ||
           ((kinds & JSON_BODY_LIST) && is_list_of(value, JSON_STRING)) ||
           ((kinds & JSON_BODY_OBJECTS) && is_list_of(value, JSON_OBJECT));
}

static const char *
kind_name(unsigned kinds)
{
    static const char *const names[] = {"text", "true or false", "a whole number",
        "an object", "a list of texts", "a list of objects"};
    size_t i = 0;

    while (i + 1 < sizeof(names) / sizeof(*names) && !(kinds >> i & 1U))
        i++;
    return names[i];
}

static const struct json_member *
find(const struct json_member *members, const char *name)
{
    for (; members->name; members++)
        if (strcmp(members->name, name) == 0)
            return members;
    return NULL;
}

const char *
json_body_check(struct json_body *b, json_t *object, const struct json_member *members,
    const char *within)
{
    char quoted[QUOTED];
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        const struct json_member *m = find(members, name);

        mauth_quote(name, strlen(name), quoted, sizeof(quoted));
        if (!m)
            return wrong(b, "body", "There is no member \"%s\" here.", quoted);
        if (!is_of_kind(value, m->kinds))
            return wrong(b, "body", "The member \"%s\" must be %s.", quoted,
                kind_name(m->kinds));
    }
    for (; members->name; members++)
        if (members->required && !json_object_get(object, members->name))
            return wrong(b, "body", "The member \"%s\" is missing%s%s.", members->name,
                within ? " in " : "", within ? within : "");
    return NULL;
}

const char *
json_body_parse(
    struct text text, const struct json_member *members, struct json_body *out)
{
    json_error_t error;

    memset(out, 0, sizeof(*out));
    if (!is_shallow(text))
        return wrong(out, "body", "The body is nested too deeply.");
    out->root = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!out->root && json_error_code(&error) == json_error_duplicate_key)
        return wrong(out, "body", "A member stands twice, at byte %d.", error.position);
    if (!json_is_object(out->root))
        return wrong(out, "body", "The body must be one JSON object.");
    if (holds_private_key("", out->root, NULL))
        return wrong(out, "private-key",
            "The body holds what looks like a private key. It was not kept; but do not "
            "use that key any more.");
    return json_body_check(out, out->root, members, NULL);
}

void
json_body_clear(struct json_body *b)
{
    json_decref(b->root);
    b->root = NULL;
}

const char *
json_body_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

bool
json_body_bool(const json_t *object, const char *name, bool absent)
{
    const json_t *value = json_object_get(object, name);

    return value ? json_is_true(value) : absent;
}

uint64_t
json_body_number(const json_t *object, const char *name, uint64_t absent)
{
    const json_t *value = json_object_get(object, name);

    return value ? (uint64_t)json_integer_value(value) : absent;
}
