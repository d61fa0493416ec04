#include "config/walk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

static const struct config_rule *
find_rule(const struct config_rule *rules, const char *name)
{
    for (; rules->name; rules++)
        if (strcmp(rules->name, name) == 0)
            return rules;
    return NULL;
}

static void *
member(void *base, size_t offset)
{
    return (char *)base + offset;
}

static enum mauth_rc
no_memory(struct walk *w)
{
    return mauth_fail(w->err, MAUTH_NO_MEMORY, "configuration: no memory");
}

/* "lmdb:DIR" with DIR joined to the folder. */
static char *
join_store(const char *dir, const char *value)
{
    const char *colon = strchr(value, ':');
    char *path = file_join(dir, colon + 1);
    struct buf b;

    buf_init(&b);
    if (path)
        buf_printf(&b, "%.*s:%s", (int)(colon - value), value, path);
    else
        b.failed = true;
    free(path);
    return buf_detach(&b, NULL);
}

static enum mauth_rc
put_text(struct walk *w, const struct config_rule *rule, void *slot, const char *value)
{
    const char **text = slot;

    if (rule->kind == CONFIG_PATH ||
        (rule->kind == CONFIG_SECRET && !file_is_credential(value)))
        *text = file_join(w->config->dir, value);
    else if (rule->kind == CONFIG_STORE)
        *text = join_store(w->config->dir, value);
    else
        *text = strdup(value);
    return *text ? MAUTH_OK : no_memory(w);
}

static void
put_number(const struct config_rule *rule, void *slot, int64_t value)
{
    int narrow = (int)value;

    if (rule->size == sizeof(narrow))
        memcpy(slot, &narrow, sizeof(narrow));
    else
        memcpy(slot, &value, sizeof(value));
}

static int64_t
processors(const struct config_rule *rule)
{
    int64_t n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < rule->min ? rule->min : n > rule->max ? rule->max : n;
}

static enum mauth_rc
put_default(struct walk *w, const struct config_rule *rule, void *base)
{
    void *slot = member(base, rule->offset);

    if (rule->kind == CONFIG_NUMBER)
        put_number(
            rule, slot, rule->number || !rule->min ? rule->number : processors(rule));
    else if (rule->text)
        return put_text(w, rule, slot, rule->text);
    return MAUTH_OK; /* all else is zero, false, none */
}

static enum mauth_rc
read_text(struct walk *w, const config_setting_t *s, const struct config_rule *rule,
    void *slot)
{
    const char *value = config_setting_get_string(s);

    if (!value || !rule->good(value))
        return refuse_value(w, s, rule);
    return put_text(w, rule, slot, value);
}

static enum mauth_rc
read_number(struct walk *w, const config_setting_t *s, const struct config_rule *rule,
    void *slot)
{
    int type = config_setting_type(s);
    int64_t value = config_setting_get_int64(s);

    if ((type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) || value < rule->min ||
        value > rule->max)
        return refuse_value(w, s, rule);
    put_number(rule, slot, value);
    return MAUTH_OK;
}

static enum mauth_rc
read_flag(struct walk *w, const config_setting_t *s, const struct config_rule *rule,
    void *slot)
{
    bool *flag = slot;

    if (config_setting_type(s) != CONFIG_TYPE_BOOL)
        return refuse_value(w, s, rule);
    *flag = config_setting_get_bool(s);
    return MAUTH_OK;
}

static enum mauth_rc
check_length(struct walk *w, const config_setting_t *s, const struct config_rule *rule)
{
    char name[SHOWN_NAME];
    int length = config_setting_length(s);

    if (length >= rule->min && length <= rule->max)
        return MAUTH_OK;
    return complain(w, s, "%s has %d entries, but must be %s",
        complain_name(w, rule, name), length, rule->right);
}

static enum mauth_rc
read_texts(struct walk *w, const config_setting_t *s, const struct config_rule *rule,
    void *base)
{
    const char **texts = member(base, rule->offset);
    size_t *count = member(base, rule->count);
    enum mauth_rc rc;

    if (config_setting_type(s) != CONFIG_TYPE_ARRAY)
        return refuse_value(w, s, rule);
    rc = check_length(w, s, rule);
    for (int i = 0; rc == MAUTH_OK && i < config_setting_length(s); i++) {
        const config_setting_t *entry = config_setting_get_elem(s, (unsigned)i);

        rc = read_text(w, entry, rule, &texts[i]);
        *count += rc == MAUTH_OK;
        for (int j = 0; rc == MAUTH_OK && j < i; j++)
            if (strcmp(texts[i], texts[j]) == 0)
                rc = refuse_repetition(w, entry, rule);
    }
    return rc;
}

static enum mauth_rc read_group(struct walk *w, const config_setting_t *s,
    const struct config_rule *rule, void *base);

static enum mauth_rc
read_groups(struct walk *w, const config_setting_t *s, const struct config_rule *rule,
    void *base)
{
    size_t *count = member(base, rule->count);
    enum mauth_rc rc;

    if (config_setting_type(s) != CONFIG_TYPE_LIST)
        return refuse_value(w, s, rule);
    rc = check_length(w, s, rule);
    for (int i = 0; rc == MAUTH_OK && i < config_setting_length(s); i++) {
        const config_setting_t *entry = config_setting_get_elem(s, (unsigned)i);
        size_t offset = rule->offset + *count * rule->size;

        if (config_setting_type(entry) != CONFIG_TYPE_GROUP)
            return refuse_value(w, entry, rule);
        ++*count;
        rc = read_group(w, entry, rule, member(base, offset));
    }
    return rc;
}

static enum mauth_rc
read_present(struct walk *w, const config_setting_t *s, const struct config_rule *rule,
    void *base)
{
    void *slot = member(base, rule->offset);

    switch (rule->kind) {
    case CONFIG_GROUP: break; /* is read even when it is absent */
    case CONFIG_GROUPS: return read_groups(w, s, rule, base);
    case CONFIG_TEXTS: return read_texts(w, s, rule, base);
    case CONFIG_NUMBER: return read_number(w, s, rule, slot);
    case CONFIG_FLAG: return read_flag(w, s, rule, slot);
    case CONFIG_TEXT:
    case CONFIG_PATH:
    case CONFIG_SECRET:
    case CONFIG_STORE: return read_text(w, s, rule, slot);
    }
    return MAUTH_INTERNAL;
}

static enum mauth_rc
read_member(struct walk *w, const config_setting_t *group,
    const struct config_rule *rule, void *base)
{
    const config_setting_t *s =
        group ? config_setting_get_member(group, rule->name) : NULL;

    if (rule->kind == CONFIG_GROUP)
        return s && config_setting_type(s) != CONFIG_TYPE_GROUP
                   ? refuse_value(w, s, rule)
                   : read_group(w, s, rule, base);
    if (s)
        return read_present(w, s, rule, base);
    return rule->required ? refuse_absence(w, group, rule) : put_default(w, rule, base);
}

/* The group's members, and the defaults of those that are absent, into base. */
static enum mauth_rc
read_members(struct walk *w, const config_setting_t *group,
    const struct config_rule *rules, void *base)
{
    int length = group ? config_setting_length(group) : 0;
    enum mauth_rc rc = MAUTH_OK;

    for (int i = 0; i < length; i++) {
        const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);

        if (!find_rule(rules, config_setting_name(s)))
            return refuse_name(w, s, rules);
    }
    for (; rules->name && rc == MAUTH_OK; rules++)
        rc = read_member(w, group, rules, base);
    return rc;
}

static enum mauth_rc
read_group(struct walk *w, const config_setting_t *s, const struct config_rule *rule,
    void *base)
{
    enum mauth_rc rc;

    w->group = rule->name;
    rc = read_members(w, s, rule->members, base);
    w->group = "";
    return rc;
}

enum mauth_rc
walk_read(struct walk *w, const config_setting_t *root)
{
    w->group = "";
    return read_members(w, root, config_schema, w->config);
}

void
walk_free_text(const char **text)
{
    void *ours;

    memcpy(&ours, text, sizeof(ours));
    free(ours);
    *text = NULL;
}

static void free_members(const struct config_rule *rules, void *base);

static void
free_member(const struct config_rule *rule, void *base)
{
    void *slot = member(base, rule->offset);
    const char **texts = slot;
    size_t *count = member(base, rule->count);

    switch (rule->kind) {
    case CONFIG_GROUP: free_members(rule->members, base); break;
    case CONFIG_GROUPS:
        for (size_t i = 0; i < *count; i++)
            free_members(rule->members, member(slot, i * rule->size));
        break;
    case CONFIG_TEXTS:
        for (size_t i = 0; i < *count; i++)
            walk_free_text(&texts[i]);
        break;
    case CONFIG_TEXT:
    case CONFIG_PATH:
    case CONFIG_SECRET:
    case CONFIG_STORE: walk_free_text(texts); break;
    case CONFIG_NUMBER:
    case CONFIG_FLAG: break;
    }
}

static void
free_members(const struct config_rule *rules, void *base)
{
    for (; rules->name; rules++)
        free_member(rules, base);
}

void
walk_free(struct config *c)
{
    free_members(config_schema, c);
}
