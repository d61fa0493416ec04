#include "authsvc/start_check.h"

#include <stdio.h>

#include "authsvc/http_tls.h"
#include "authsvc/own_keys.h"
#include "authsvc/provider.h"
#include "policy/rules_file.h"
#include "store/keystore.h"

/* Its line; what names nothing of itself is named by what. */
static bool
tell(const char *what, enum mauth_rc rc, const struct mauth_err *err)
{
    if (rc == MAUTH_OK)
        printf("%s: good\n", what);
    else
        fprintf(stderr, "meshauthd: %s\n", err->text);
    return rc == MAUTH_OK;
}

static bool
check_rules(const struct config *c)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_rules *rules = NULL;
    enum mauth_rc rc = rules_file_read(c->rules_file, &rules, &err);

    mauth_rules_free(rules);
    return tell(c->rules_file, rc, &err);
}

static bool
check_tls(const struct config *c)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct http_tls *tls = NULL;
    enum mauth_rc rc = http_tls_new(c->listen.certificate, c->listen.key, &tls, &err);

    http_tls_free(tls);
    if (rc == MAUTH_OK)
        printf("%s, %s: good\n", c->listen.certificate, c->listen.key);
    else
        fprintf(stderr, "meshauthd: %s\n", err.text);
    return rc == MAUTH_OK;
}

static bool
check_provider(const struct config_provider *p)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = providers_check_files(p, &err);
    char what[64];

    snprintf(what, sizeof(what), "provider \"%s\"", p->name);
    return tell(what, rc, &err);
}

/* Whether the seal opens the keys is not to be seen while somebody has the store. */
static bool
check_store(const struct config *c, const struct mauth_secret *seal)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct own_keys *keys = NULL;
    struct kv *kv = NULL;
    enum mauth_rc rc = kv_open(c->store, KV_OPEN, &kv, &err);

    if (rc == MAUTH_CONFLICT) {
        printf("%s: in use, so its keys were not looked at\n", c->store);
        return true;
    }
    if (rc == MAUTH_OK)
        rc = own_keys_open(kv, seal, &keys, &err);
    own_keys_close(keys);
    kv_close(kv);
    return tell(c->store, rc, &err);
}

static bool
check_keys(const struct config *c)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_secret *seal = NULL;
    bool good =
        tell(c->seal_key_file, keystore_seal_read(c->seal_key_file, &seal, &err), &err);

    good = good && check_store(c, seal);
    mauth_secret_free(seal);
    return good;
}

bool
start_check(const struct config *c)
{
    bool good = check_rules(c);

    good = check_tls(c) && good;
    for (size_t i = 0; i < c->providers; i++)
        good = check_provider(&c->provider[i]) && good;
    return check_keys(c) && good;
}
