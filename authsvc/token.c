#include "authsvc/token.h"

#include <string.h>

#include "authsvc/token_client.h"
#include "authsvc/token_exchange.h"
#include "authsvc/token_request.h"
#include "net/form.h"

static const struct grant {
    const char *type;
    void (*start)(struct http_exchange *x, struct form *form);
} grants[] = {
    {TOKEN_GRANT_EXCHANGE, token_exchange_start},
    {TOKEN_GRANT_CLIENT, token_client_start},
};

/* What is wrong with the form, or NULL. */
static const char *
find_grant(const struct form *f, const struct grant **out)
{
    static const char *const may_repeat[] = {"resource", "audience", NULL};
    const char *type = form_value(f, "grant_type", 0);

    if (form_repeated(f, may_repeat))
        return "repeated";
    if (!type)
        return "grant-type-missing";
    for (size_t i = 0; i < sizeof(grants) / sizeof(*grants); i++)
        if (strcmp(type, grants[i].type) == 0)
            *out = &grants[i];
    return *out ? NULL : "grant-type";
}

void
token_start(struct http_exchange *x)
{
    const struct grant *grant = NULL;
    struct form *form = NULL;
    const char *wrong = "form";

    if (form_parse(http_body(x), &form, NULL) == MAUTH_OK)
        wrong = find_grant(form, &grant);
    if (!wrong) {
        grant->start(x, form);
        return;
    }
    form_free(form);
    token_refuse(x, wrong);
}
