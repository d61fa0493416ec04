#include "cli/resource_lookup.h"

#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "net/fetch.h"

enum {
    TIMEOUT_MS = 3000
};

enum mauth_rc
resource_lookup_fetch(
    const char *url, const char *ca_file, struct buf *out, struct mauth_err *err)
{
    const struct fetch_options o = {.ca_file = ca_file,
        .max_bytes = RESOURCE_METADATA_MAX,
        .timeout_ms = TIMEOUT_MS};
    const struct fetch_request r = {.url = url};
    struct fetch *f = NULL;
    enum mauth_rc rc = net_init(err);
    long status = 0;

    if (rc == MAUTH_OK)
        rc = fetch_open(&o, &f, err);
    if (rc == MAUTH_OK)
        rc = fetch_do(f, &r, &status, out, err);
    if (rc == MAUTH_OK && status != 200)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE,
            "where the service describes itself it says %ld", status);
    fetch_close(f);
    return rc;
}

/* What it says of this resource, which lies above the place or at it. */
static enum mauth_rc
read_at(const struct resource_lookup *l, size_t resource_len,
    struct resource_metadata *out, struct mauth_err *err)
{
    const struct text resource = {l->place, resource_len};
    struct buf url, known, answer;
    enum mauth_rc rc;

    buf_init(&url);
    buf_init(&known);
    buf_init(&answer);
    resource_metadata_url(resource, &url);
    rc = buf_cstr(&url) ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (rc == MAUTH_OK)
        rc = resource_metadata_place(buf_cstr(&url), l->place, &known, err);
    if (rc == MAUTH_OK)
        rc = resource_lookup_fetch(buf_cstr(&url), l->ca_file, &answer, err);
    if (rc == MAUTH_OK)
        rc = resource_metadata_read(buf_slice(&answer), buf_cstr(&known), out, err);
    buf_clear(&answer);
    buf_clear(&known);
    buf_clear(&url);
    return rc;
}

/* The place's first segment, then the host alone: a service is seldom deeper. */
void
resource_lookup(struct resource_lookup *l)
{
    const char *host = strstr(l->place, "://");
    size_t origin, first;

    if (l->done || !host)
        return;
    l->done = true;
    origin = (size_t)(host + 3 - l->place);
    origin += strcspn(l->place + origin, "/");
    first = origin;
    if (l->place[origin] && l->place[origin + 1])
        first += 1 + strcspn(l->place + origin + 1, "/");
    if (first > origin)
        l->known = read_at(l, first, &l->says, NULL) == MAUTH_OK;
    if (!l->known)
        l->known = read_at(l, origin, &l->says, NULL) == MAUTH_OK;
}

void
resource_lookup_clear(struct resource_lookup *l)
{
    resource_metadata_clear(&l->says);
    l->known = false;
}
