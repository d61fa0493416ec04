#include <sys/stat.h>

#include "store/revocations.h"
#include "tests/unit/config_file.h"

/*
 * Of one user alone the list of revocations never gets full. A change is two lines at
 * most, and each further one counts as a change.
 */
static void
check_pace(const struct config *c)
{
    int64_t minutes = REVOKED_FOR_S / 60 + 1; /* and as many at once at first */

    assert_int_equal(c->limits.changes_per_minute, 60);
    assert_true((minutes + 1) * 2 * c->limits.changes_per_minute < REVOKED_MAX);
}

static void
fills_in_defaults(void **state)
{
    const struct world *w = *state;
    struct config *c = load(w, URL);
    char store[128];

    assert_string_equal(c->path, w->path);
    assert_string_equal(c->dir, w->dir);
    assert_string_equal(c->issuer.url, "https://a.example");
    assert_path(w, c->issuer.trust_file, "trust");
    assert_string_equal(c->listen.address, "127.0.0.1");
    assert_int_equal(c->listen.port, 8443);
    assert_path(w, c->listen.certificate, "tls.crt");
    assert_path(w, c->listen.key, "tls.key");
    assert_path(w, c->listen.admin_socket, "admin.sock");
    snprintf(store, sizeof(store), "lmdb:%s/store", w->dir);
    assert_string_equal(c->store, store);
    assert_path(w, c->seal_key_file, "seal.key");
    assert_path(w, c->rules_file, "mesh.rules");
    assert_int_equal(c->pkcs11_modules, 0);
    assert_int_equal(c->providers, 0);
    assert_int_equal(c->tickets.identity_s, 3600);
    assert_int_equal(c->tickets.rights_s, 600);
    assert_int_equal(c->tickets.session_s, 2592000);
    assert_int_equal(c->tickets.trust_s, 3600);
    assert_int_equal(c->keys.period_s, 0);
    assert_int_equal(c->keys.publish_ahead_s, 86400);
    assert_null(c->keys.algorithm);
    assert_int_equal(config_longest_ticket_s(c), 3600);
    assert_in_range(c->limits.threads, 1, 64);
    assert_int_equal(c->limits.connections, 1000);
    assert_int_equal(c->limits.connections_per_ip, 100);
    check_pace(c);
    assert_int_equal(c->limits.request_s, 15);
    assert_int_equal(c->limits.idle_s, 60);
    config_free(c);
}

static void
reads_every_setting(void **state)
{
    static const char text[] =
        "# all of them\n"
        "store = \"lmdb:/var/lib/meshauth\";\n"
        "seal_key_file = \"/etc/meshauth/seal\";\n"
        "rules_file = \"/etc/meshauth/rules\";\n"
        "pkcs11_modules = [ \"/a.so\", \"/b.so\" ];\n"
        "issuer: { url = \"https://[2001:db8::1]:8443\"; trust_file = \"t\"; };\n"
        "listen: { address = \"::1\"; port = 65535; certificate = \"c\"; key = \"k\";\n"
        "    admin_socket = \"s\"; };\n"
        "providers = (\n"
        "    { name = \"a-1\"; issuer = \"https://A.example/x/\"; client_ids = [ "
        "\"1\",\n"
        "      \"2\" ]; jwks_file = \"j\"; ca_file = \"/ca\"; create_users = true;\n"
        "      key_in_nonce = true;\n"
        "      demo = true; max_age_s = 60; login_client_id = \"2\";\n"
        "      scopes = [ \"email\", \"a:b\" ]; },\n"
        "    { name = \"b\"; issuer = \"https://b\"; client_ids = [ \"1\" ]; },\n"
        "    { name = \"s\"; type = \"saml\"; issuer = \"http://s?x\"; metadata_url = "
        "\"https://m\";\n"
        "      metadata_key = \"p\"; },\n"
        "    { name = \"t\"; type = \"saml\"; issuer = \"urn:t\"; metadata_file = "
        "\"f\";"
        " } );\n"
        "tickets: { identity_s = 60; rights_s = 43200; session_s = 3600;\n"
        "    trust_s = 120; };\n"
        "keys: { period_s = 7200; publish_ahead_s = 120; algorithm = \"RSA-3072\"; "
        "};\n"
        "limits: { threads = 64; connections = 16; connections_per_ip = 1;\n"
        "    request_s = 300; idle_s = 600; }; // no line feed at the end";
    const struct world *w = *state;
    struct config *c = load(w, text);
    const struct config_provider *a = &c->provider[0], *b = &c->provider[1];

    assert_string_equal(c->store, "lmdb:/var/lib/meshauth");
    assert_string_equal(c->seal_key_file, "/etc/meshauth/seal");
    assert_string_equal(c->rules_file, "/etc/meshauth/rules");
    assert_int_equal(c->pkcs11_modules, 2);
    assert_string_equal(c->pkcs11_module[1], "/b.so");
    assert_string_equal(c->issuer.url, "https://[2001:db8::1]:8443");
    assert_path(w, c->issuer.trust_file, "t");
    assert_string_equal(c->listen.address, "::1");
    assert_int_equal(c->listen.port, 65535);
    assert_path(w, c->listen.certificate, "c");
    assert_path(w, c->listen.key, "k");
    assert_path(w, c->listen.admin_socket, "s");
    assert_int_equal(c->providers, 4);
    assert_string_equal(a->name, "a-1");
    assert_string_equal(a->issuer, "https://A.example/x/");
    assert_int_equal(a->client_ids, 2);
    assert_string_equal(a->client_id[0], "1");
    assert_string_equal(a->client_id[1], "2");
    assert_path(w, a->jwks_file, "j");
    assert_string_equal(a->ca_file, "/ca");
    assert_true(a->create_users && a->demo && a->key_in_nonce);
    assert_int_equal(a->max_age_s, 60);
    assert_string_equal(a->login_client_id, "2");
    assert_int_equal(a->scopes, 2);
    assert_string_equal(a->scope[1], "a:b");
    assert_null(b->login_client_id);
    assert_int_equal(b->scopes, 0);
    assert_string_equal(b->name, "b");
    assert_int_equal(b->client_ids, 1);
    assert_null(b->jwks_file);
    assert_null(b->ca_file);
    assert_false(b->create_users || b->demo || b->key_in_nonce);
    assert_int_equal(b->max_age_s, 600);
    assert_false(config_is_saml(a) || config_is_saml(b));
    assert_true(config_is_saml(&b[1]) && config_is_saml(&b[2]));
    assert_string_equal(b[1].issuer, "http://s?x");
    assert_string_equal(b[1].metadata_url, "https://m");
    assert_path(w, b[1].metadata_key, "p");
    assert_path(w, b[2].metadata_file, "f");
    assert_int_equal(c->tickets.identity_s, 60);
    assert_int_equal(c->tickets.rights_s, 43200);
    assert_int_equal(c->tickets.session_s, 3600);
    assert_int_equal(c->tickets.trust_s, 120);
    assert_int_equal(c->keys.period_s, 7200);
    assert_int_equal(c->keys.publish_ahead_s, 120);
    assert_string_equal(c->keys.algorithm, "RSA-3072");
    assert_int_equal(config_longest_ticket_s(c), 43200);
    assert_int_equal(c->limits.threads, 64);
    assert_int_equal(c->limits.connections, 16);
    assert_int_equal(c->limits.connections_per_ip, 1);
    assert_int_equal(c->limits.request_s, 300);
    assert_int_equal(c->limits.idle_s, 600);
    config_free(c);
}

static void
refuses_files_that_it_cannot_read(void **state)
{
    const struct world *w = *state;
    struct mauth_err err = MAUTH_ERR_INIT;
    struct config *c = (struct config *)state;
    char *large = malloc(CONFIG_FILE_MAX + 2);

    assert_non_null(large);
    unlink(w->path);
    assert_int_equal(config_load(w->path, &c, &err), MAUTH_NOT_FOUND);
    assert_null(c);
    assert_int_equal(config_load("/nonexistent/x.conf", &c, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(config_load(w->dir, &c, NULL), MAUTH_UNAVAILABLE);
    assert_null(c);
    memset(large, '\n', CONFIG_FILE_MAX + 1);
    large[CONFIG_FILE_MAX + 1] = '\0';
    memcpy(large, URL, strlen(URL));
    write_file(w, large);
    assert_int_equal(config_load(w->path, &c, NULL), MAUTH_TOO_LARGE);
    assert_null(c);
    large[CONFIG_FILE_MAX] = '\0';
    config_free(load(w, large));
    free(large);
}

static void
finds_its_folder(void **state)
{
    const struct world *w = *state;
    char *before = getcwd(NULL, 0);
    struct config *c;

    write_file(w, URL);
    assert_int_equal(chdir(w->dir), 0);
    assert_int_equal(config_load("meshauth.conf", &c, NULL), MAUTH_OK);
    assert_int_equal(chdir(before), 0);
    assert_string_equal(c->dir, w->dir);
    assert_path(w, c->listen.key, "tls.key");
    config_free(c);
    free(before);
}

static void
knows_loopback(void **state)
{
    static const char *const far[] = {"0.0.0.0", "128.0.0.1", "192.0.2.1", "::", "::2",
        "::ffff:127.0.0.1", "localhost", "127.1", "", "127.0.0.1 "};

    (void)state;
    assert_true(config_is_loopback("127.0.0.1"));
    assert_true(config_is_loopback("127.255.255.255"));
    assert_true(config_is_loopback("::1"));
    assert_true(config_is_loopback("0:0:0:0:0:0:0:1"));
    for (size_t i = 0; i < COUNT(far); i++)
        if (config_is_loopback(far[i]))
            fail_msg("taken: %s", far[i]);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_defaults),
        cmocka_unit_test(reads_every_setting),
        cmocka_unit_test(refuses_files_that_it_cannot_read),
        cmocka_unit_test(finds_its_folder),
        cmocka_unit_test(knows_loopback),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
