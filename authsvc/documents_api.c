#include "authsvc/documents_api.h"

#include <stdio.h>

#include "authsvc/documents.h"
#include "authsvc/precondition.h"
#include "authsvc/problem.h"
#include "authsvc/service.h"
#include "base/str.h"

struct documents_route {
    enum document document;
    const char *type;
};

const struct documents_route jwks_document = {
    DOCUMENT_JWKS, "application/jwk-set+json"};
const struct documents_route metadata_document = {
    DOCUMENT_METADATA, "application/samlmetadata+xml"};

static void
drop(void *ref)
{
    shared_drop(ref);
}

void
documents_api_start(struct http_exchange *x)
{
    const struct service *service = http_context(x);
    const struct documents_route *route = http_what(x);
    const char *have = http_header(x, "If-None-Match");
    struct mauth_err err = MAUTH_ERR_INIT;
    struct shared_ref *ref = NULL;
    char etag[64], cache[64];
    const char *const headers[] = {etag, cache, NULL};

    if (documents_take(service->documents, route->document, &ref, &err) != MAUTH_OK) {
        problem_fail(x, &err);
        return;
    }
    snprintf(etag, sizeof(etag), "ETag: %s", documents_etag(ref));
    snprintf(
        cache, sizeof(cache), "Cache-Control: public, max-age=%d", DOCUMENTS_CACHE_S);
    if (have && precondition_none_match_tag(have, documents_etag(ref))) {
        http_answer(x, 304, NULL, text_of(NULL), headers);
        shared_drop(ref);
        return;
    }
    http_answer_held(x, 200, route->type,
        &(struct http_held){documents_text(ref), drop, ref}, headers);
}
