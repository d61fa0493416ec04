#include <inttypes.h>
#include <stdbool.h>

#include "config/schema.h"
#include "tests/unit/unit.h"

/* The beginning of a setting's row in docs/configuration.md. */
static void
row_of(const struct config_rule *r, char *out, size_t size)
{
    static const char *const kinds[] = {
        [CONFIG_TEXT] = "text",
        [CONFIG_PATH] = "path",
        [CONFIG_SECRET] = "secret",
        [CONFIG_STORE] = "text",
        [CONFIG_TEXTS] = "texts",
        [CONFIG_FLAG] = "true or false",
    };
    size_t len = strlen(r->name);
    char value[64], fallback[64];

    if (r->kind == CONFIG_NUMBER)
        snprintf(value, sizeof(value), "%" PRId64 " to %" PRId64 "%s", r->min, r->max,
            strcmp(r->name + len - 2, "_s") == 0 ? " seconds" : "");
    else
        snprintf(value, sizeof(value), "%s", kinds[r->kind]);
    if (r->required)
        snprintf(fallback, sizeof(fallback), "required");
    else if (r->kind == CONFIG_NUMBER && r->number)
        snprintf(fallback, sizeof(fallback), "`%" PRId64 "`", r->number);
    else if (r->kind == CONFIG_NUMBER && !r->min)
        snprintf(fallback, sizeof(fallback), "`0`");
    else if (r->kind == CONFIG_NUMBER)
        snprintf(fallback, sizeof(fallback), "one for each processor");
    else if (r->kind == CONFIG_FLAG)
        snprintf(fallback, sizeof(fallback), "`false`");
    else if (r->text)
        snprintf(fallback, sizeof(fallback), "`\"%s\"`", r->text);
    else
        snprintf(fallback, sizeof(fallback), "none");
    snprintf(out, size, "| `%s` | %s | %s | ", r->name, value, fallback);
}

/* All rows of the table stand in the section, in their order; returns their number. */
static size_t
check_section(const char *section, const struct config_rule *rules)
{
    size_t rows = 0;

    for (; rules->name; rules++) {
        char row[256];

        if (rules->kind == CONFIG_GROUP || rules->kind == CONFIG_GROUPS)
            continue;
        row_of(rules, row, sizeof(row));
        section = strstr(section, row);
        if (!section)
            fail_msg("docs/configuration.md lacks, or has elsewhere: %s", row);
        rows++;
    }
    return rows;
}

static size_t
count(const char *text, const char *what)
{
    size_t n = 0;

    while ((text = strstr(text, what)) != NULL) {
        text += strlen(what);
        n++;
    }
    return n;
}

static void
is_what_the_manual_says(void **state)
{
    char *manual = test_data("../../docs/configuration.md", NULL);
    size_t rows = 0;

    (void)state;
    for (const struct config_rule *r = config_schema; r->name; r++) {
        char heading[64];
        char *section, *next;

        if (!r->members)
            continue;
        snprintf(heading, sizeof(heading), "\n## `%s`", r->name);
        section = strstr(manual, heading);
        if (!section)
            fail_msg("docs/configuration.md has no section on %s", r->name);
        next = strstr(section + 1, "\n## ");
        if (next)
            *next = '\0';
        rows += check_section(section, r->members);
        if (next)
            *next = '\n';
    }
    rows += check_section(manual, config_schema);
    assert_int_equal(count(manual, "\n| `"), rows); /* and no others */
    free(manual);
}

/* A message of 207 bytes must hold FILE:LINE: NAME is VALUE, but must be RIGHT. */
static void
leaves_room_in_messages(void **state)
{
    (void)state;
    for (const struct config_rule *g = config_schema; g->name; g++) {
        const struct config_rule *r = g->members ? g->members : g;

        for (; r->name && (g->members || r == g); r++) {
            size_t name = strlen(g->name) + (r == g ? 0 : 1 + strlen(r->name));

            if (r->right && name + strlen(r->right) > 207 - 59 - 8 - 4 - 39 - 14)
                fail_msg("%s.%s: too wordy", g->name, r->name);
        }
    }
}

static void
has_defaults_that_are_good(void **state)
{
    (void)state;
    for (const struct config_rule *g = config_schema; g->name; g++) {
        const struct config_rule *r = g->members ? g->members : g;

        for (; r->name && (g->members || r == g); r++) {
            if (r->number && (r->number < r->min || r->number > r->max))
                fail_msg("%s: the default is out of range", r->name);
            if (r->text && !r->good(r->text))
                fail_msg("%s: the default is not well formed", r->name);
            if (r->required && (r->number || r->text))
                fail_msg("%s: required, with a default", r->name);
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_the_manual_says),
        cmocka_unit_test(leaves_room_in_messages),
        cmocka_unit_test(has_defaults_that_are_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
