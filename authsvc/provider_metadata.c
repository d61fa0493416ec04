#include "authsvc/provider_metadata.h"

#include "authsvc/fresh.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/time.h"
#include "saml/metadata.h"

enum {
    PEM_MAX = 65536
};

static enum mauth_rc
read_pinned(const char *path, struct mauth_key **out, struct mauth_err *err)
{
    struct buf pem;
    enum mauth_rc rc;

    *out = NULL;
    if (!path)
        return MAUTH_OK;
    buf_init(&pem);
    rc = file_read(path, PEM_MAX, &pem, err);
    if (rc == MAUTH_OK)
        rc = mauth_key_from_pem((const char *)pem.data, pem.len, out, err);
    buf_clear(&pem);
    return rc;
}

static enum mauth_rc
get(struct fetch *fetch, const char *url, struct buf *body, struct mauth_err *err)
{
    const struct fetch_request r = {.url = url};
    enum mauth_rc rc;
    long status;

    rc = fetch_do(fetch, &r, &status, body, err);
    if (rc == MAUTH_OK && status != 200)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "provider: answered %ld", status);
    return rc;
}

static enum mauth_rc
load(const struct config_provider *config, struct fetch *fetch, void **out,
    struct mauth_err *err)
{
    struct mauth_key *pinned = NULL;
    struct metadata *metadata = NULL;
    struct buf body;
    enum mauth_rc rc;

    buf_init(&body);
    rc = read_pinned(config->metadata_key, &pinned, err);
    if (rc == MAUTH_OK)
        rc = fetch ? get(fetch, config->metadata_url, &body, err)
                   : file_read(config->metadata_file, METADATA_MAX, &body, err);
    if (rc == MAUTH_OK)
        rc = metadata_parse((struct text){(const char *)body.data, body.len},
            config->issuer, pinned, time_now_s(), &metadata, err);
    *out = metadata;
    mauth_key_free(pinned);
    buf_clear(&body);
    return rc;
}

static void
free_metadata(void *object)
{
    metadata_free(object);
}

enum mauth_rc
provider_metadata_open(
    const struct config_provider *config, struct fresh **out, struct mauth_err *err)
{
    const struct fresh_options o = {
        .config = config,
        .load = load,
        .free_object = free_metadata,
        .max_bytes = METADATA_MAX,
        .from_file = config->metadata_file != NULL,
    };

    return fresh_open(&o, out, err);
}
