#include "cli/audit_rows.h"

#include <stdio.h>
#include <string.h>

#include "cli/admin.h"

static const char *const heads[] = {
    "record", "time", "action", "outcome", "actor", "about"};

/* Of a record by itself. */
static const struct widths {
    int record, action, outcome, actor;
} none = {0}, most = {.record = 7, .action = 17, .outcome = 16, .actor = 30};

struct table *
audit_rows_new(void)
{
    return table_new(sizeof(heads) / sizeof(*heads), heads);
}

/* What the node is called in its mesh; anything else as it is. */
static const char *
name_of(const char *resource, const char *issuer)
{
    static const char mesh[] = "/v1/mesh/";
    size_t len = strlen(issuer);

    if (strncmp(resource, issuer, len) != 0 ||
        strncmp(resource + len, mesh, sizeof(mesh) - 1) != 0)
        return resource;
    return resource + len + sizeof(mesh) - 1;
}

/* Resources, else where it came from; and how often, when it was counted. */
static void
cell_about(struct table *t, const json_t *record, const char *issuer)
{
    const json_t *resources = json_object_get(record, "resources");
    json_int_t count = json_integer_value(json_object_get(record, "count"));
    const char *text;
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < json_array_size(resources); i++) {
        const char *s = json_string_value(json_array_get(resources, i));

        buf_printf(&b, "%s%s", i ? ", " : "", s ? name_of(s, issuer) : "?");
    }
    if (!json_array_size(resources) && *admin_text(record, "client"))
        buf_printf(&b, "from %s", admin_text(record, "client"));
    if (count == 1)
        buf_str(&b, " (once)");
    else if (count)
        buf_printf(&b, " (%lld times)", (long long)count);
    text = buf_cstr(&b);
    table_cell(t, STYLE_PLAIN, "%s", text ? text : "");
    buf_clear(&b);
}

static void
add(struct table *t, const json_t *record, const char *issuer, const struct widths *w)
{
    const char *outcome = admin_text(record, "outcome"),
               *reason = admin_text(record, "reason");
    enum style style = strcmp(outcome, "deny") == 0 ? STYLE_BAD : STYLE_GOOD;
    char what[80];

    snprintf(what, sizeof(what), "%s%s%s", outcome, *reason ? ": " : "", reason);
    table_cell(t, STYLE_DIM, "%-*lld", w->record,
        (long long)json_integer_value(json_object_get(record, "sequence")));
    table_cell(t, STYLE_DIM, "%.19sZ", admin_text(record, "time"));
    table_cell(t, STYLE_BOLD, "%-*s", w->action, admin_text(record, "action"));
    table_cell(t, style, "%-*s", w->outcome, what);
    table_cell(t, STYLE_PLAIN, "%-*s", w->actor, admin_text(record, "actor"));
    cell_about(t, record, issuer);
}

void
audit_rows_add(struct table *t, const json_t *record, const char *issuer)
{
    add(t, record, issuer, &none);
}

bool
audit_rows_print(const json_t *record, const char *issuer)
{
    struct table *t = table_new(sizeof(heads) / sizeof(*heads), NULL);

    add(t, record, issuer, &most);
    return table_end(t);
}
