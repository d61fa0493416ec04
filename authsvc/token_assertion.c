#include "authsvc/token_assertion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/issue.h"
#include "authsvc/service.h"
#include "authsvc/token_id_token.h"
#include "authsvc/token_ticket.h"
#include "base/b64.h"
#include "base/str.h"

bool
token_assertion_is_foreign(struct text token, const char *issuer)
{
    size_t cap = b64_decoded_max(token.len) + 1, len;
    char *xml = malloc(cap), ours[ISSUE_URL_MAX + sizeof("Issuer></")];
    bool foreign;

    snprintf(ours, sizeof(ours), "Issuer>%s</", issuer);
    foreign = xml && b64_decode(B64_URL, token.p, token.len, xml, cap, &len) &&
              len > 0 && (xml[0] == '<' || xml[0] == '\xef') &&
              !memmem(xml, len, ours, strlen(ours));
    free(xml);
    return foreign;
}

void
token_assertion_start(struct http_exchange *x, struct form *form)
{
    static const struct token_identity_kind assertion = {
        providers_check_assertion, providers_fetch_assertion};
    const struct service *service = http_context(x);
    struct text token = text_of(form_value(form, "subject_token", 0));

    if (providers_have_saml(service->providers) &&
        token_assertion_is_foreign(token, service->config->issuer.url))
        token_identity_start(x, form, &assertion);
    else
        token_ticket_start(x, form);
}
