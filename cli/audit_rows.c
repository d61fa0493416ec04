#include "cli/audit_rows.h"

#include <string.h>

#include "cli/admin.h"

struct table *
audit_rows_new(bool heads)
{
    static const char *const names[] = {
        "record", "time", "action", "outcome", "actor", "about"};

    return table_new(sizeof(names) / sizeof(*names), heads ? names : NULL);
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

void
audit_rows_add(struct table *t, const json_t *record, const char *issuer)
{
    const char *outcome = admin_text(record, "outcome"),
               *reason = admin_text(record, "reason");
    enum style style = strcmp(outcome, "deny") == 0 ? STYLE_BAD : STYLE_GOOD;

    table_cell(t, STYLE_DIM, "%lld",
        (long long)json_integer_value(json_object_get(record, "sequence")));
    table_cell(t, STYLE_DIM, "%.19sZ", admin_text(record, "time"));
    table_cell(t, STYLE_BOLD, "%s", admin_text(record, "action"));
    table_cell(t, style, "%s%s%s", outcome, *reason ? ": " : "", reason);
    table_cell(t, STYLE_PLAIN, "%s", admin_text(record, "actor"));
    cell_about(t, record, issuer);
}
