/* The certificate and the key of a server: read, refused, and read again. */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/http_tls_world.h"

static void
shows_the_new_certificate_after_a_reload(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        struct pair under_way, later;

        write_pair(w, &w->a);
        assert_int_equal(http_tls_reload(w->tls, NULL), MAUTH_OK);
        pair_open(w->server, w->tls, &under_way, versions[i], &w->client);
        pair_step(under_way.client, &under_way.client_rc);
        pair_step(
            under_way.server, &under_way.server_rc); /* has the old pair in hand */
        write_pair(w, &w->b);
        assert_int_equal(http_tls_reload(w->tls, NULL), MAUTH_OK);
        connect_well(w, &later, versions[i], &w->client);
        assert_true(shows(&later, &w->b));
        pair_close(&later);
        assert_true(pair_shake_hands(&under_way));
        assert_true(shows(&under_way, &w->a));
        assert_key(&under_way, &w->client);
        pair_close(&under_way);
    }
}

static void
sends_the_chain(void **state)
{
    struct world *w = *state;
    struct identity authority, server;
    const struct identity *const chain[] = {&server, &authority};
    unsigned count = 0;
    const gnutls_datum_t *der;
    struct pair p;

    identity_make(&authority, &identity_p256);
    identity_make(&server, &identity_p256);
    identity_rename(&authority, "CN=authority");
    assert_int_equal(gnutls_x509_crt_sign2(server.certificate, authority.certificate,
                         authority.key, GNUTLS_DIG_SHA256, 0),
        0);
    write_certificates(w, chain, 2);
    write_key(w, &server, FILE_PRIVATE);
    assert_int_equal(http_tls_reload(w->tls, NULL), MAUTH_OK);
    connect_well(w, &p, TLS_1_3, NULL);
    der = gnutls_certificate_get_peers(p.client, &count);
    assert_int_equal(count, 2);
    assert_true(identity_is(&der[0], &server));
    assert_true(identity_is(&der[1], &authority));
    pair_close(&p);
    identity_drop(&authority);
    identity_drop(&server);
}

static void
write_text(const char *path, const char *text, mode_t mode)
{
    assert_int_equal(file_replace(path, text, strlen(text), mode, NULL), MAUTH_OK);
}

static void
no_certificate_file(const struct world *w)
{
    unlink(w->certificate_file);
}

static void
empty_certificate_file(const struct world *w)
{
    write_text(w->certificate_file, "", FILE_PUBLIC);
}

static void
damaged_certificate(const struct world *w)
{
    write_text(w->certificate_file,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", FILE_PUBLIC);
}

static void
second_certificate_damaged(const struct world *w)
{
    struct buf b;

    buf_init(&b);
    assert_int_equal(file_read(w->certificate_file, 65536, &b, NULL), MAUTH_OK);
    buf_str(&b, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    write_text(w->certificate_file, buf_cstr(&b), FILE_PUBLIC);
    buf_clear(&b);
}

static void
nine_certificates(const struct world *w)
{
    const struct identity *const chain[] = {
        &w->a, &w->a, &w->a, &w->a, &w->a, &w->a, &w->a, &w->a, &w->a};

    write_certificates(w, chain, COUNT(chain));
}

/* The second did not issue the first, not even by its name. */
static void
chain_of_strangers(const struct world *w)
{
    struct identity stranger;
    const struct identity *const chain[] = {&w->a, &stranger};

    identity_make(&stranger, &identity_p256);
    identity_rename(&stranger, "CN=stranger");
    write_certificates(w, chain, COUNT(chain));
    identity_drop(&stranger);
}

static void
huge_certificate_file(const struct world *w)
{
    static char text[70000];

    memset(text, '\n', sizeof(text) - 1);
    write_text(w->certificate_file, text, FILE_PUBLIC);
}

static void
no_key_file(const struct world *w)
{
    unlink(w->key_file);
}

static void
key_for_the_group(const struct world *w)
{
    assert_int_equal(chmod(w->key_file, 0640), 0);
}

static void
key_for_everybody(const struct world *w)
{
    assert_int_equal(chmod(w->key_file, 0604), 0);
}

static void
key_of_another_certificate(const struct world *w)
{
    write_key(w, &w->b, FILE_PRIVATE);
}

static void
certificate_as_key(const struct world *w)
{
    struct buf b;

    buf_init(&b);
    assert_int_equal(file_read(w->certificate_file, 65536, &b, NULL), MAUTH_OK);
    write_text(w->key_file, buf_cstr(&b), FILE_PRIVATE);
    buf_clear(&b);
}

static void
encrypted_key(const struct world *w)
{
    gnutls_datum_t pem;

    assert_int_equal(gnutls_x509_privkey_export2_pkcs8(w->a.key, GNUTLS_X509_FMT_PEM,
                         "secret", GNUTLS_PKCS_PBES2_AES_256, &pem),
        0);
    assert_int_equal(
        file_replace(w->key_file, pem.data, pem.size, FILE_PRIVATE, NULL), MAUTH_OK);
    gnutls_free(pem.data);
}

static const struct {
    const char *name;
    void (*spoil)(const struct world *w);
    enum mauth_rc want;
} refusals[] = {
    {"no certificate file", no_certificate_file, MAUTH_NOT_FOUND},
    {"empty certificate file", empty_certificate_file, MAUTH_MALFORMED},
    {"damaged certificate", damaged_certificate, MAUTH_MALFORMED},
    {"second certificate damaged", second_certificate_damaged, MAUTH_MALFORMED},
    {"nine certificates", nine_certificates, MAUTH_TOO_LARGE},
    {"chain of strangers", chain_of_strangers, MAUTH_MALFORMED},
    {"huge certificate file", huge_certificate_file, MAUTH_TOO_LARGE},
    {"no key file", no_key_file, MAUTH_NOT_FOUND},
    {"key for the group", key_for_the_group, MAUTH_DENIED},
    {"key for everybody", key_for_everybody, MAUTH_DENIED},
    {"key of another certificate", key_of_another_certificate, MAUTH_CONFLICT},
    {"certificate as key", certificate_as_key, MAUTH_MALFORMED},
    {"encrypted key", encrypted_key, MAUTH_MALFORMED},
};

/* Neither at start nor as a reload, after which the old pair is still there. */
static void
refuses_bad_files(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct http_tls *fresh = w->tls;
        struct mauth_err err = MAUTH_ERR_INIT;
        enum mauth_rc rc;
        struct pair p;

        write_pair(w, &w->a);
        refusals[i].spoil(w);
        rc = http_tls_new(w->certificate_file, w->key_file, &fresh, &err);
        if (rc != refusals[i].want)
            fail_msg("%s: %s: %s", refusals[i].name, mauth_rc_name(rc), err.text);
        assert_null(fresh);
        assert_non_null(strstr(err.text, w->dir)); /* says which file */
        assert_int_equal(http_tls_reload(w->tls, NULL), refusals[i].want);
        connect_well(w, &p, TLS_1_3, &w->client);
        assert_true(shows(&p, &w->a));
        pair_close(&p);
    }
}

enum {
    THREADS = 2,
    ROUNDS = 25
};

struct visitor {
    pthread_t thread;
    const struct world *w;
    _Atomic size_t *at_work;
    size_t failed;
};

static void *
visit(void *arg)
{
    struct visitor *v = arg;

    for (size_t i = 0; i < ROUNDS; i++) {
        struct pair p;

        pair_open(v->w->server, v->w->tls, &p, versions[i % 2], &v->w->client);
        v->failed +=
            !pair_shake_hands(&p) || !(shows(&p, &v->w->a) || shows(&p, &v->w->b));
        pair_close(&p);
    }
    atomic_fetch_sub(v->at_work, 1);
    return NULL;
}

static void
reloads_beside_handshakes(void **state)
{
    struct world *w = *state;
    struct visitor visitors[THREADS];
    _Atomic size_t at_work = THREADS;
    size_t reloads = 0;

    for (size_t i = 0; i < THREADS; i++) {
        visitors[i] = (struct visitor){.w = w, .at_work = &at_work};
        assert_int_equal(
            pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    for (; atomic_load(&at_work) && reloads < 2000; reloads++) {
        write_pair(w, reloads % 2 ? &w->a : &w->b);
        assert_int_equal(http_tls_reload(w->tls, NULL), MAUTH_OK);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(visitors[i].thread, NULL);
        assert_int_equal(visitors[i].failed, 0);
    }
    assert_true(reloads > 0);
}

int
main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        IN_WORLD(shows_the_new_certificate_after_a_reload),
        IN_WORLD(sends_the_chain),
        IN_WORLD(refuses_bad_files),
        IN_WORLD(reloads_beside_handshakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
