#include "cli/wallet_use.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/time.h"
#include "cli/output.h"
#include "cli/when.h"

enum {
    ACTIONS = 64 /* of one line; a ticket has no more */
};

static const char *
text_in(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s ? s : "";
}

/* Would this ticket be taken for what its line says, of this node or place ("": none)? */
static bool
serves_at(const struct wallet *w, const struct mauth_ticket *t,
    const struct wallet_use *u, const char *thing, int64_t now_s)
{
    const char *action[ACTIONS];
    struct token_rights want = {.audience = &u->audience,
        .audiences = 1,
        .resource = &thing,
        .resources = *thing ? 1 : 0,
        .action = action};
    struct wallet_ticket found;

    for (; want.actions < ACTIONS && want.actions < json_array_size(u->actions);
         want.actions++)
        action[want.actions] =
            json_string_value(json_array_get(u->actions, want.actions));
    return wallet_find(w, &want, now_s, &found) && found.says == t;
}

static bool
serves(const struct wallet *w, const struct mauth_ticket *t, const struct wallet_use *u,
    int64_t now_s)
{
    return serves_at(w, t, u, u->resource, now_s) ||
           (*u->place && serves_at(w, t, u, u->place, now_s));
}

static int
compare(const void *a, const void *b)
{
    const struct wallet_use *x = a, *y = b;
    int order = strcmp(x->audience, y->audience);

    if (!order)
        order = strcmp(x->resource, y->resource);
    if (!order)
        order = strcmp(x->place, y->place);
    if (order)
        return order;
    return (json_array_size(x->actions) > json_array_size(y->actions)) -
           (json_array_size(x->actions) < json_array_size(y->actions));
}

static size_t
count_lines(const struct wallet *w)
{
    size_t n = 0;

    for (size_t i = 0; i < wallet_count(w); i++)
        n += json_array_size(wallet_lines(w, i));
    return n;
}

enum mauth_rc
wallet_uses(const struct wallet *w, int64_t now_s, struct wallet_use **out,
    size_t *count, struct mauth_err *err)
{
    struct wallet_use *all = calloc(count_lines(w) + 1, sizeof(*all));

    *out = NULL;
    *count = 0;
    if (!all)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    for (size_t i = 0; i < wallet_count(w); i++) {
        const struct mauth_ticket *t = wallet_at(w, i);
        const json_t *lines = wallet_lines(w, i);

        for (size_t k = 0; k < json_array_size(lines); k++) {
            const json_t *line = json_array_get(lines, k);
            struct wallet_use u = {text_in(line, "audience"), text_in(line, "resource"),
                text_in(line, "place"), json_object_get(line, "actions"),
                mauth_ticket_not_on_or_after_s(t)};

            if (serves(w, t, &u, now_s))
                all[(*count)++] = u;
        }
    }
    qsort(all, *count, sizeof(*all), compare);
    *out = all;
    return MAUTH_OK;
}

json_t *
wallet_use_json(const struct wallet_use *u)
{
    char until[TIME_LEN + 1];

    time_format(u->until_s, until);
    return json_pack("{s:s, s:s*, s:s*, s:O, s:s}", "audience", u->audience, "resource",
        *u->resource ? u->resource : NULL, "place", *u->place ? u->place : NULL,
        "actions", u->actions, "not_on_or_after", until);
}

void
wallet_use_row(struct table *t, const struct wallet_use *u, int64_t now_s)
{
    const char *text;
    char when[WHEN_LEN];
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < json_array_size(u->actions); i++)
        buf_printf(&b, "%s%s", i ? ", " : "",
            json_string_value(json_array_get(u->actions, i)));
    if (*u->resource)
        buf_printf(&b, " on %s", u->resource);
    if (*u->place)
        buf_printf(&b, "%s%s", *u->resource ? ", as " : " at ", u->place);
    text = buf_cstr(&b);
    when_format(u->until_s, now_s, when);
    table_cell(t, STYLE_PLAIN, "%s", u->audience);
    table_cell(t, STYLE_PLAIN, "%s", text ? text : "?");
    table_cell(t, STYLE_GOOD, "%s", when);
    buf_clear(&b);
}
