#include "cli/setup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/id.h"
#include "base/secret.h"
#include "base/time.h"
#include "cli/certificate.h"
#include "cli/setup_config.h"
#include "jose/jwks.h"
#include "keys/signer.h"
#include "keys/trust_write.h"
#include "policy/mesh_rules.h"
#include "store/audit.h"
#include "store/graph_service.h"
#include "store/keystore.h"
#include "store/publish.h"
#include "store/rules_mark.h"

enum {
    NONCE = 12,
    EPOCH = 1,
    TRUST_LIFE_S = 3600,
    CLOCKS_DIFFER_S = 3600 /* of clients, from ours */
};

/* Everything under the folder, in the order in which it can be removed. */
static const char *const contents[] = {"meshauth.conf", "mesh.rules", "idp.jwks",
    "idp.key", "trust", "store/lock", "store/lock.mdb", "store/data.mdb", "store",
    "tls.crt", "tls.key", "seal.key", "root.vkey", "root.key"};

struct making {
    const struct setup *s;
    struct setup_result *result;
    struct mauth_secret *root_seed;
    struct mauth_secret *seal;

    /* What goes into the store, made ready outside its transaction. */
    struct keystore_authority authority;
    struct buf delegation;
    struct keystore_key signing;
    struct buf pkcs8;
    uint8_t nonces[2][NONCE];
    struct graph_service storage;
    uint8_t rules_hash[HASH_LEN];
    struct audit_entry *record;

    struct kv *kv;
    struct keystore *keys;
};

static void
making_clear(struct making *m)
{
    keystore_free(m->keys);
    kv_close(m->kv);
    audit_entry_free(m->record);
    buf_clear(&m->pkcs8);
    buf_clear(&m->delegation);
    mauth_secret_free(m->seal);
    mauth_secret_free(m->root_seed);
    mauth_secret_free(m->authority.seed);
}

static enum mauth_rc
create(const struct making *m, const char *name, const void *data, size_t len,
    mode_t mode, struct mauth_err *err)
{
    char *path = file_join(m->s->dir, name);
    enum mauth_rc rc;

    if (path)
        rc = file_create(path, data, len, mode, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "%s: no memory", name);
    free(path);
    return rc;
}

/* "ISSUER/role" without the scheme, and a fresh key for it. */
static enum mauth_rc
make_note_key(const struct making *m, const char *role, struct mauth_secret **seed,
    struct note_verifier *v, struct mauth_err *err)
{
    char name[NOTE_NAME_MAX + 1];
    int n;

    n = snprintf(name, sizeof(name), "%s/%s", service_url_name(&m->s->issuer), role);
    if (n < 0 || (size_t)n >= sizeof(name))
        return mauth_fail(err, MAUTH_INVALID, "the issuer's name is too long");
    return note_secret_new(name, seed, v, err);
}

static enum mauth_rc
make_root(struct making *m, struct mauth_err *err)
{
    char line[NOTE_VKEY_MAX + 2];
    enum mauth_rc rc;
    struct buf pem;
    int n;

    rc = make_note_key(m, "root", &m->root_seed, &m->authority.root, err);
    if (rc)
        return rc;
    rc = note_fingerprint(&m->authority.root, m->result->root_fingerprint, err);
    if (rc)
        return rc;
    note_verifier_format(&m->authority.root, m->result->root_vkey);
    n = snprintf(line, sizeof(line), "%s\n", m->result->root_vkey);
    buf_init_secret(&pem);
    rc = pem_from_seed(mauth_secret_bytes(m->root_seed), &pem, err);
    if (rc == MAUTH_OK)
        rc = create(m, "root.key", pem.data, pem.len, FILE_PRIVATE, err);
    if (rc == MAUTH_OK)
        rc = create(m, "root.vkey", line, (size_t)n, FILE_PUBLIC, err);
    buf_clear(&pem);
    return rc;
}

static enum mauth_rc
make_seal(struct making *m, struct mauth_err *err)
{
    char *path = file_join(m->s->dir, "seal.key");
    enum mauth_rc rc;

    if (path)
        rc = keystore_seal_create(path, &m->seal, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "seal.key: no memory");
    free(path);
    return rc;
}

static enum mauth_rc
make_tls(struct making *m, struct mauth_err *err)
{
    struct certificate c = {
        .common_name = "meshauth",
        .host = m->s->issuer.host,
        .is_address = m->s->issuer.is_address,
        .from_s = m->s->now_s - CLOCKS_DIFFER_S,
        .until_s = m->s->now_s + SETUP_YEAR_S,
    };
    struct buf key, cert;
    enum mauth_rc rc;

    buf_init_secret(&key);
    buf_init(&cert);
    rc = pem_new_p256(&key, err);
    if (rc == MAUTH_OK)
        rc = certificate_self_sign(&c, buf_slice(&key), &cert, err);
    if (rc == MAUTH_OK)
        rc = create(m, "tls.key", key.data, key.len, FILE_PRIVATE, err);
    if (rc == MAUTH_OK)
        rc = create(m, "tls.crt", cert.data, cert.len, FILE_PUBLIC, err);
    buf_clear(&cert);
    buf_clear(&key);
    return rc;
}

/* The authority signs trust files; the root says so, for a year. */
static enum mauth_rc
make_authority(struct making *m, struct mauth_err *err)
{
    struct keystore_authority *a = &m->authority;
    struct trust_delegation d = {
        .issuer = m->s->issuer.text,
        .epoch = EPOCH,
        .authority = &a->verifier,
        .from_s = m->s->now_s,
        .until_s = m->s->now_s + SETUP_YEAR_S,
    };
    enum mauth_rc rc;

    a->epoch = EPOCH;
    rc = make_note_key(m, "authority", &a->seed, &a->verifier, err);
    if (rc == MAUTH_OK)
        rc = trust_write_delegation(
            &d, &a->root, mauth_secret_bytes(m->root_seed), &m->delegation, err);
    a->delegation = buf_slice(&m->delegation);
    return rc;
}

static enum mauth_rc
make_signing_key(struct making *m, struct mauth_err *err)
{
    struct signer *signer = NULL;
    enum mauth_rc rc;

    m->signing = (struct keystore_key){
        .state = TRUST_ACTIVE,
        .from_s = m->s->now_s,
        .until_s = m->s->now_s + SETUP_YEAR_S,
        .audiences = "*",
        .created_s = m->s->now_s,
    };
    rc = signer_generate(SIGNER_P256, &m->pkcs8, err);
    if (rc == MAUTH_OK)
        rc = signer_from_pkcs8(m->pkcs8.data, m->pkcs8.len, &signer, err);
    if (rc == MAUTH_OK)
        snprintf(m->result->signing_key, sizeof(m->result->signing_key), "%s",
            mauth_key_id(signer_key(signer)));
    signer_free(signer);
    return rc;
}

static enum mauth_rc
make_record(struct making *m, struct mauth_err *err)
{
    char actor[32];
    struct audit_record r = {
        .time_us = time_now_us(),
        .actor = actor,
        .action = "init",
        .resources = {m->s->issuer.text},
        .resource_count = 1,
        .outcome = "done",
        .key = m->result->signing_key,
    };

    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)getuid());
    return audit_entry_new(&r, &m->record, err);
}

static enum mauth_rc
fill_store(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct making *m = arg;
    struct text pkcs8 = buf_slice(&m->pkcs8);
    enum mauth_rc rc;

    rc = keystore_key_add(txn, m->seal, &m->signing, pkcs8, m->nonces[0], err);
    if (rc == MAUTH_OK)
        rc = rules_mark_first(txn, m->rules_hash, err);
    if (rc == MAUTH_OK)
        rc = keystore_authority_put(txn, m->seal, &m->authority, m->nonces[1], err);
    if (rc == MAUTH_OK)
        rc = graph_service_create(txn, &m->storage, err);
    if (rc == MAUTH_OK)
        rc = audit_append(txn, m->record, err);
    return rc;
}

static enum mauth_rc
open_store(struct making *m, struct mauth_err *err)
{
    enum mauth_rc rc;
    const char *url;
    struct buf b;

    buf_init(&b);
    buf_printf(&b, "lmdb:%s/store", m->s->dir);
    url = buf_cstr(&b);
    if (url)
        rc = kv_open(url, KV_CREATE, &m->kv, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "store: no memory");
    buf_clear(&b);
    return rc;
}

static enum mauth_rc
make_store(struct making *m, struct mauth_err *err)
{
    enum mauth_rc rc = make_authority(m, err);

    if (rc == MAUTH_OK)
        rc = make_signing_key(m, err);
    if (rc == MAUTH_OK)
        rc = make_record(m, err);
    if (rc == MAUTH_OK)
        rc = mauth_random(m->nonces, sizeof(m->nonces), err);
    m->storage = (struct graph_service){.name = "storage", .created_s = m->s->now_s};
    if (rc == MAUTH_OK)
        rc = id_new(&m->storage.id, err);
    if (rc == MAUTH_OK)
        rc = hash_bytes(mesh_rules, mesh_rules_len, m->rules_hash, err);
    if (rc == MAUTH_OK)
        rc = open_store(m, err);
    if (rc == MAUTH_OK)
        rc = kv_write(m->kv, fill_store, m, err);
    return rc;
}

static enum mauth_rc
load_keys(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct making *m = arg;

    return keystore_load(txn, m->seal, &m->keys, err);
}

static enum mauth_rc
make_trust(struct making *m, struct mauth_err *err)
{
    char *path = file_join(m->s->dir, "trust");
    struct publish_options o = {
        .issuer = m->s->issuer.text,
        .path = path,
        .life_s = TRUST_LIFE_S,
        .now_s = m->s->now_s,
    };
    enum mauth_rc rc = MAUTH_OK;

    if (!path)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    if (rc == MAUTH_OK)
        rc = kv_read(m->kv, load_keys, m, err);
    if (rc == MAUTH_OK)
        rc = publish_trust(m->kv, m->keys, &o, err);
    free(path);
    return rc;
}

static enum mauth_rc
make_demo_provider(struct making *m, struct mauth_err *err)
{
    char *jwks = NULL;
    const char *pem;
    enum mauth_rc rc;
    struct buf key;

    if (!m->s->demo)
        return MAUTH_OK;
    buf_init_secret(&key);
    rc = pem_new_p256(&key, err);
    if (rc)
        goto out;
    pem = buf_cstr(&key);
    if (pem)
        rc = jwks_from_pem(pem, "demo", &jwks, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "idp.key: no memory");
    if (rc == MAUTH_OK)
        rc = create(m, "idp.key", key.data, key.len, FILE_PRIVATE, err);
    if (rc == MAUTH_OK)
        rc = create(m, "idp.jwks", jwks, strlen(jwks), FILE_PUBLIC, err);
    free(jwks);
out:
    buf_clear(&key);
    return rc;
}

static enum mauth_rc
make_rules(struct making *m, struct mauth_err *err)
{
    return create(m, "mesh.rules", mesh_rules, mesh_rules_len, FILE_PUBLIC, err);
}

static enum mauth_rc
make_configuration(struct making *m, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf b;

    buf_init(&b);
    setup_config_write(m->s, &b);
    if (buf_ok(&b))
        rc = create(m, "meshauth.conf", b.data, b.len, FILE_PUBLIC, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "meshauth.conf: no memory");
    buf_clear(&b);
    return rc;
}

/* The folder itself. */

static bool
is_empty(DIR *d)
{
    const struct dirent *entry;

    while ((entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return true;
}

/* Whoever may write to the folder may put other keys in the place of ours. */
static enum mauth_rc
check_folder(DIR *d, const char *dir, struct mauth_err *err)
{
    struct stat st;

    if (fstat(dirfd(d), &st) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    if (!is_empty(d))
        return mauth_fail(err, MAUTH_CONFLICT,
            "%s is not empty; name a folder that is empty, or that does not exist yet",
            dir);
    if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
        return mauth_fail(err, MAUTH_DENIED,
            "%s: others may write to it, and keys are to lie there; name a folder that "
            "is yours alone, or that does not exist yet",
            dir);
    return MAUTH_OK;
}

/* *made tells whether it was us who made it. */
static enum mauth_rc
make_folder(const char *dir, bool *made, struct mauth_err *err)
{
    enum mauth_rc rc;
    DIR *d;

    *made = mkdir(dir, 0755) == 0;
    if (*made && chmod(dir, 0755) == 0) /* services read trust in it */
        return MAUTH_OK;
    if (errno != EEXIST)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    d = opendir(dir);
    if (!d)
        return mauth_fail(err, errno == ENOTDIR ? MAUTH_CONFLICT : MAUTH_UNAVAILABLE,
            "%s: %s", dir, strerror(errno));
    rc = check_folder(d, dir, err);
    closedir(d);
    return rc;
}

static void
remove_all(const char *dir, bool made)
{
    for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++) {
        char *path = file_join(dir, contents[i]);

        if (path)
            remove(path);
        free(path);
    }
    if (made)
        rmdir(dir);
}

enum mauth_rc
setup_make(const struct setup *s, struct setup_result *out, struct mauth_err *err)
{
    static enum mauth_rc (*const steps[])(struct making *, struct mauth_err *) = {
        make_root, make_seal, make_tls, make_store, make_trust, make_demo_provider,
        make_rules, make_configuration};
    struct making m = {.s = s, .result = out};
    bool made = false;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    buf_init(&m.delegation);
    buf_init_secret(&m.pkcs8);
    if (strchr(s->dir, '?')) /* it would begin the options of the store's URL */
        return mauth_fail(err, MAUTH_INVALID, "%s: no '?', please", s->dir);
    rc = make_folder(s->dir, &made, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && rc == MAUTH_OK; i++)
        rc = steps[i](&m, err);
    making_clear(&m);
    if (rc)
        remove_all(s->dir, made);
    return rc;
}
