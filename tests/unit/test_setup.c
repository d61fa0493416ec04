#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/setup.h"
#include "keys/trust.h"
#include "store/audit_find.h"
#include "store/graph_service.h"
#include "store/keystore.h"
#include "tests/unit/unit.h"
#include <meshauth/trust.h>

static const char *const files[] = {"meshauth.conf", "mesh.rules", "idp.jwks",
    "idp.key", "trust", "store/lock", "store/lock.mdb", "store/data.mdb", "store",
    "tls.crt", "tls.key", "seal.key", "root.vkey", "root.key"};

static char parent[64];
static char dir[80];

static int
make_parent(void **state)
{
    (void)state;
    snprintf(parent, sizeof(parent), "/tmp/meshauth-test.XXXXXX");
    if (!mkdtemp(parent))
        return 1;
    snprintf(dir, sizeof(dir), "%s/mesh", parent);
    return 0;
}

static const char *
in_dir(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static int
remove_parent(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++)
        remove(in_dir(files[i]));
    rmdir(dir);
    return rmdir(parent);
}

static struct setup
plan(bool demo)
{
    struct setup s = {.dir = dir, .demo = demo, .now_s = 1800000000};

    assert_int_equal(
        service_url_from_listen("127.0.0.1:8443", &s.listen, NULL), MAUTH_OK);
    if (demo)
        s.issuer = s.listen;
    else
        assert_int_equal(
            service_url_parse("https://auth.example.org", &s.issuer, NULL), MAUTH_OK);
    return s;
}

static mode_t
mode_of(const char *name)
{
    struct stat st;

    if (stat(in_dir(name), &st) != 0)
        fail_msg("no %s", name);
    return st.st_mode & 07777;
}

static char *
slurp(const char *name, size_t *len)
{
    FILE *f = fopen(in_dir(name), "rb");
    char *text = calloc(1, 65536);

    assert_non_null(f);
    assert_non_null(text);
    *len = fread(text, 1, 65535, f);
    fclose(f);
    return text;
}

static void
makes_files_for_those_who_may_read_them(void **state)
{
    static const char *const secret[] = {
        "root.key", "seal.key", "tls.key", "idp.key", "store/data.mdb"};
    static const char *const public[] = {
        "root.vkey", "trust", "tls.crt", "idp.jwks", "meshauth.conf", "mesh.rules"};
    struct setup s = plan(true);
    struct setup_result r;

    (void)state;
    assert_int_equal(setup_make(&s, &r, NULL), MAUTH_OK);
    assert_int_equal(mode_of(""), 0755);
    assert_int_equal(mode_of("store"), 0700);
    for (size_t i = 0; i < COUNT(secret); i++)
        assert_int_equal(mode_of(secret[i]), 0600);
    for (size_t i = 0; i < COUNT(public); i++)
        assert_int_equal(mode_of(public[i]), 0644);
}

static void
publishes_trust_that_leads_to_its_root(void **state)
{
    struct setup s = plan(false);
    struct mauth_trust *trust = NULL;
    const struct trust_key *key;
    struct setup_result r;
    size_t len, vkey_len;
    char *file, *vkey;

    (void)state;
    assert_int_equal(setup_make(&s, &r, NULL), MAUTH_OK);
    file = slurp("trust", &len);
    vkey = slurp("root.vkey", &vkey_len);
    assert_int_equal(vkey[vkey_len - 1], '\n');
    vkey[vkey_len - 1] = '\0';
    assert_string_equal(vkey, r.root_vkey);
    assert_true(text_starts(text_of(vkey), "auth.example.org/root+"));
    assert_int_equal(mauth_trust_parse(file, len, vkey, &trust, NULL), MAUTH_OK);
    assert_string_equal(mauth_trust_issuer(trust), "https://auth.example.org");
    assert_int_equal(mauth_trust_epoch(trust), 1);
    assert_int_equal(mauth_trust_expires_s(trust), s.now_s + 3600);
    assert_int_equal(trust_key_count(trust), 1);
    key = trust_key_find(trust, text_of(r.signing_key));
    assert_non_null(key);
    assert_int_equal(key->state, TRUST_ACTIVE);
    assert_int_equal(key->from_s, s.now_s);
    assert_int_equal(key->until_s, s.now_s + SETUP_YEAR_S);
    assert_true(key->all_audiences);
    assert_true(access(in_dir("idp.key"), F_OK) != 0);
    mauth_trust_free(trust);
    free(vkey);
    free(file);
}

struct found {
    struct mauth_secret *seal;
    char record[1024];
};

static bool
copy(uint64_t sequence, struct text json, void *arg)
{
    struct found *f = arg;

    assert_int_equal(sequence, 0);
    assert_true(json.len < sizeof(f->record));
    memcpy(f->record, json.p, json.len);
    return true;
}

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct graph_service storage;
    struct keystore *keys = NULL;
    struct found *f = arg;

    assert_int_equal(graph_service_by_name(txn, "storage", &storage, err), MAUTH_OK);
    assert_true(storage.live);
    assert_int_equal(storage.spki_len, 0);
    assert_int_equal(keystore_load(txn, f->seal, &keys, err), MAUTH_OK);
    assert_non_null(keystore_signer(keys, NULL, 0));
    assert_string_equal(
        keystore_authority(keys)->verifier.name, "127.0.0.1:8443/authority");
    keystore_free(keys);
    return MAUTH_OK;
}

static void
fills_the_store(void **state)
{
    const struct audit_filter all = {0};
    struct setup s = plan(true);
    struct found f = {0};
    struct setup_result r;
    struct kv *kv = NULL;
    char url[128];

    (void)state;
    assert_int_equal(setup_make(&s, &r, NULL), MAUTH_OK);
    assert_int_equal(keystore_seal_read(in_dir("seal.key"), &f.seal, NULL), MAUTH_OK);
    snprintf(url, sizeof(url), "lmdb:%s/store", dir);
    assert_int_equal(kv_open(url, KV_OPEN, &kv, NULL), MAUTH_OK);
    assert_int_equal(kv_read(kv, look, &f, NULL), MAUTH_OK);
    assert_int_equal(audit_find(kv, NULL, &all, copy, &f, NULL, NULL), MAUTH_OK);
    kv_close(kv);
    mauth_secret_free(f.seal);
    assert_non_null(strstr(f.record, "\"action\":\"init\""));
    assert_non_null(strstr(f.record, "\"resources\":[\"https://127.0.0.1:8443\"]"));
}

static void
takes_an_empty_folder(void **state)
{
    struct setup s = plan(true);
    struct setup_result r;

    (void)state;
    assert_int_equal(mkdir(dir, 0750), 0);
    assert_int_equal(setup_make(&s, &r, NULL), MAUTH_OK);
    assert_int_equal(mode_of(""), 0750); /* as its owner made it */
}

static void
leaves_what_is_not_its_own(void **state)
{
    struct setup s = plan(true);
    struct setup_result r;
    FILE *f;

    (void)state;
    assert_int_equal(mkdir(dir, 0755), 0);
    f = fopen(in_dir("root.key"), "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(setup_make(&s, &r, NULL), MAUTH_CONFLICT);
    assert_int_equal(access(in_dir("root.key"), F_OK), 0);
    assert_int_equal(access(in_dir("meshauth.conf"), F_OK), -1);
    assert_int_equal(unlink(in_dir("root.key")), 0);
    assert_int_equal(rmdir(dir), 0);

    f = fopen(dir, "w"); /* a file of that name */
    assert_non_null(f);
    fclose(f);
    assert_int_equal(setup_make(&s, &r, NULL), MAUTH_CONFLICT);
    assert_int_equal(unlink(dir), 0);

    snprintf(dir, sizeof(dir), "%s/no/mesh", parent);
    assert_int_equal(setup_make(&s, &r, NULL), MAUTH_UNAVAILABLE);
}

/* An issuer that no note could be named after fails in the midst of it. */
static void
leaves_nothing_half_made(void **state)
{
    struct rlimit full = {.rlim_cur = 4096}, before;
    struct setup s = plan(false);
    struct setup_result r;
    enum mauth_rc rc;

    (void)state;
    snprintf(s.issuer.text, sizeof(s.issuer.text), "https://a b");
    assert_int_equal(setup_make(&s, &r, NULL), MAUTH_MALFORMED);
    assert_int_equal(access(dir, F_OK), -1);

    s = plan(false); /* further down, in the certificate */
    s.issuer.is_address = true;
    assert_int_not_equal(setup_make(&s, &r, NULL), MAUTH_OK);
    assert_int_equal(access(dir, F_OK), -1);

    s = plan(false); /* and in the store, on a disk that is full */
    assert_int_equal(signal(SIGXFSZ, SIG_IGN) == SIG_ERR, 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    rc = setup_make(&s, &r, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, MAUTH_UNAVAILABLE);
    assert_int_equal(access(dir, F_OK), -1);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            makes_files_for_those_who_may_read_them, make_parent, remove_parent),
        cmocka_unit_test_setup_teardown(
            publishes_trust_that_leads_to_its_root, make_parent, remove_parent),
        cmocka_unit_test_setup_teardown(fills_the_store, make_parent, remove_parent),
        cmocka_unit_test_setup_teardown(
            takes_an_empty_folder, make_parent, remove_parent),
        cmocka_unit_test_setup_teardown(
            leaves_what_is_not_its_own, make_parent, remove_parent),
        cmocka_unit_test_setup_teardown(
            leaves_nothing_half_made, make_parent, remove_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
