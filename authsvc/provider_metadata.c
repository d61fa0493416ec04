#include "authsvc/provider_metadata.h"

#include "authsvc/fresh.h"
#include "authsvc/provider_document.h"
#include "base/time.h"
#include "saml/metadata.h"

enum {
    PEM_MAX = 65536
};

static enum mauth_rc
parse_key(struct text pem, void *arg, struct mauth_err *err)
{
    struct mauth_key **out = arg;

    return mauth_key_from_pem(pem.p, pem.len, out, err);
}

static enum mauth_rc
read_pinned(
    const struct config_provider *config, struct mauth_key **out, struct mauth_err *err)
{
    *out = NULL;
    if (!config->metadata_key)
        return MAUTH_OK;
    return provider_document_read(config->metadata_key, PEM_MAX, parse_key, out, err);
}

/* To be made into metadata. */
struct parsing {
    const struct config_provider *config;
    const struct mauth_key *pinned;
    struct metadata *metadata;
};

static enum mauth_rc
parse(struct text xml, void *arg, struct mauth_err *err)
{
    struct parsing *p = arg;

    return metadata_parse(
        xml, p->config->issuer, p->pinned, time_now_s(), &p->metadata, err);
}

static enum mauth_rc
fetch_it(struct fetch *fetch, struct parsing *p, struct mauth_err *err)
{
    struct buf body;
    enum mauth_rc rc;

    buf_init(&body);
    rc = provider_document_fetch(fetch, p->config->metadata_url, &body, err);
    if (rc == MAUTH_OK)
        rc = parse(buf_slice(&body), p, err);
    buf_clear(&body);
    return rc;
}

static enum mauth_rc
load(const struct config_provider *config, struct fetch *fetch, void **out,
    struct mauth_err *err)
{
    struct parsing p = {.config = config};
    struct mauth_key *pinned = NULL;
    enum mauth_rc rc = read_pinned(config, &pinned, err);

    p.pinned = pinned;
    if (rc == MAUTH_OK)
        rc = fetch ? fetch_it(fetch, &p, err)
                   : provider_document_read(
                         config->metadata_file, METADATA_MAX, parse, &p, err);
    *out = p.metadata;
    mauth_key_free(pinned);
    return rc;
}

static void
free_metadata(void *object)
{
    metadata_free(object);
}

static struct fresh_options
options_of(const struct config_provider *config)
{
    return (struct fresh_options){
        .config = config,
        .load = load,
        .free_object = free_metadata,
        .max_bytes = METADATA_MAX,
        .from_file = config->metadata_file != NULL,
    };
}

enum mauth_rc
provider_metadata_open(
    const struct config_provider *config, struct fresh **out, struct mauth_err *err)
{
    const struct fresh_options o = options_of(config);

    return fresh_open(&o, out, err);
}

enum mauth_rc
provider_metadata_check(const struct config_provider *config, struct mauth_err *err)
{
    const struct fresh_options o = options_of(config);
    struct mauth_key *pinned = NULL;
    enum mauth_rc rc = read_pinned(config, &pinned, err);

    mauth_key_free(pinned);
    return rc ? rc : fresh_check(&o, err);
}
