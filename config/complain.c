#include "config/complain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

enum {
    SHOWN_RIGHT = 80, /* what would be right */
    SHOWN_OTHER = 32  /* a name that is not ours */
};

unsigned
complain_line(const config_setting_t *s)
{
    unsigned line = s ? config_setting_source_line(s) : 0;

    return line ? line : 1; /* what is not in the file is missed at its start */
}

const char *
complain_name(
    const struct walk *w, const struct config_rule *rule, char out[SHOWN_NAME])
{
    snprintf(out, SHOWN_NAME, "%s%s%s", w->group, w->group[0] ? "." : "", rule->name);
    return out;
}

static const char *
right_of(const struct config_rule *rule, char out[SHOWN_RIGHT])
{
    if (rule->kind == CONFIG_NUMBER)
        snprintf(out, SHOWN_RIGHT, "a whole number from %" PRId64 " to %" PRId64,
            rule->min, rule->max);
    else
        snprintf(out, SHOWN_RIGHT, "%s", rule->right);
    return out;
}

/* What stands in the file, for people. */
const char *
complain_found(const config_setting_t *s, char out[SHOWN_VALUE])
{
    char quoted[SHOWN_VALUE - 2];
    const char *text;

    switch (config_setting_type(s)) {
    case CONFIG_TYPE_GROUP: return "a group";
    case CONFIG_TYPE_LIST: return "a list";
    case CONFIG_TYPE_ARRAY: return "an array";
    case CONFIG_TYPE_FLOAT: return "a number with a fraction";
    case CONFIG_TYPE_BOOL: return config_setting_get_bool(s) ? "true" : "false";
    case CONFIG_TYPE_STRING:
        text = config_setting_get_string(s);
        snprintf(out, SHOWN_VALUE, "\"%s\"",
            mauth_quote(text, strlen(text), quoted, sizeof(quoted)));
        return out;
    default:
        snprintf(out, SHOWN_VALUE, "%lld", config_setting_get_int64(s));
        return out;
    }
}

/* "listen.port is 70000, but must be a whole number from 1 to 65535" */
enum mauth_rc
refuse_value(struct walk *w, const config_setting_t *s, const struct config_rule *rule)
{
    char name[SHOWN_NAME], value[SHOWN_VALUE], right[SHOWN_RIGHT];

    return complain(w, s, "%s is %s, but must be %s", complain_name(w, rule, name),
        complain_found(s, value), right_of(rule, right));
}

enum mauth_rc
refuse_absence(
    struct walk *w, const config_setting_t *group, const struct config_rule *rule)
{
    char name[SHOWN_NAME], right[SHOWN_RIGHT];

    return complain(w, group, "%s is missing; it must be %s",
        complain_name(w, rule, name), right_of(rule, right));
}

enum mauth_rc
refuse_repetition(
    struct walk *w, const config_setting_t *s, const struct config_rule *rule)
{
    char name[SHOWN_NAME], value[SHOWN_VALUE];

    return complain(w, s, "%s: %s is there already, but each must be another",
        complain_name(w, rule, name), complain_found(s, value));
}

static const struct config_rule *
nearest(const struct config_rule *rules, const char *name)
{
    const struct config_rule *best = NULL;
    size_t least = STR_FAR;

    for (; rules->name; rules++)
        if (str_is_nearer(name, rules->name, &least))
            best = rules;
    return best;
}

enum mauth_rc
refuse_name(struct walk *w, const config_setting_t *s, const struct config_rule *rules)
{
    const char *name = config_setting_name(s);
    const struct config_rule *near = nearest(rules, name);
    const char *where = w->group[0] ? w->group : "the file";
    char quoted[SHOWN_OTHER], known[128];
    struct buf list;

    mauth_quote(name, strlen(name), quoted, sizeof(quoted));
    if (near)
        return complain(
            w, s, "there is no \"%s\"; \"%s\" may be meant", quoted, near->name);
    buf_init_fixed(&list, known, sizeof(known));
    for (; rules->name; rules++)
        buf_printf(&list, "%s%s", list.len ? ", " : "", rules->name);
    if (!buf_cstr(&list)) /* more of them than a message holds */
        return complain(w, s,
            "there is no \"%s\"; what %s may hold stands in docs/configuration.md",
            quoted, where);
    return complain(
        w, s, "there is no \"%s\"; %s may hold %s", quoted, where, buf_cstr(&list));
}
