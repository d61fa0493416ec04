#include "authsvc/token_exchange.h"

#include <string.h>

#include "authsvc/token_assertion.h"
#include "authsvc/token_id_token.h"
#include "authsvc/token_request.h"

static const struct subject {
    const char *type;
    void (*start)(struct http_exchange *x, struct form *form);
} subjects[] = {
    {"urn:ietf:params:oauth:token-type:id_token", token_id_token_start},
    {TOKEN_TYPE_SAML2, token_assertion_start},
};

/* What is wrong with the parameters (RFC 8693 2.1), or NULL. */
static const char *
find_subject(const struct form *f, const struct subject **out)
{
    const char *type = form_value(f, "subject_token_type", 0);
    const char *want = form_value(f, "requested_token_type", 0);

    *out = NULL;
    if (!type || !form_value(f, "subject_token", 0))
        return "subject-token-missing";
    for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++)
        if (strcmp(type, subjects[i].type) == 0)
            *out = &subjects[i];
    if (!*out)
        return "subject-token-type";
    if (want && strcmp(want, TOKEN_TYPE_SAML2) != 0)
        return "requested-token-type";
    if (form_value(f, "actor_token", 0) || form_value(f, "actor_token_type", 0))
        return "actor-token";
    return NULL;
}

void
token_exchange_start(struct http_exchange *x, struct form *form)
{
    const struct subject *subject;
    const char *wrong = find_subject(form, &subject);

    if (!wrong) {
        subject->start(x, form);
        return;
    }
    form_free(form);
    token_refuse(x, wrong);
}
