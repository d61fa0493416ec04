/* A server's certificate and key in files, and what handshakes with it show. */
#ifndef TESTS_HTTP_TLS_WORLD_H
#define TESTS_HTTP_TLS_WORLD_H

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "tests/unit/tls_pair.h"

#define TLS_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

static const char *const versions[] = {TLS_1_2, TLS_1_3};

/* The key as tickets know it. */
static inline struct mauth_key *
key_of(const struct identity *i)
{
    struct mauth_key *key;
    gnutls_datum_t der;

    assert_int_equal(
        gnutls_x509_crt_export2(i->certificate, GNUTLS_X509_FMT_DER, &der), 0);
    assert_int_equal(
        mauth_key_from_certificate(der.data, der.size, &key, NULL), MAUTH_OK);
    gnutls_free(der.data);
    return key;
}

struct world {
    char dir[64];
    char certificate_file[96];
    char key_file[96];
    struct identity a, b; /* for the server */
    struct identity client;
    struct http_tls *tls;
    gnutls_certificate_credentials_t server;
};

static inline void
write_certificates(
    const struct world *w, const struct identity *const *list, size_t count)
{
    char pem[65536] = "";

    for (size_t i = 0; i < count; i++) {
        gnutls_datum_t one;

        assert_int_equal(
            gnutls_x509_crt_export2(list[i]->certificate, GNUTLS_X509_FMT_PEM, &one),
            0);
        strcat(pem, (const char *)one.data);
        gnutls_free(one.data);
    }
    assert_int_equal(
        file_replace(w->certificate_file, pem, strlen(pem), FILE_PUBLIC, NULL),
        MAUTH_OK);
}

static inline void
write_key(const struct world *w, const struct identity *i, mode_t mode)
{
    gnutls_datum_t pem;

    assert_int_equal(gnutls_x509_privkey_export2_pkcs8(
                         i->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem),
        0);
    assert_int_equal(
        file_replace(w->key_file, pem.data, pem.size, mode, NULL), MAUTH_OK);
    gnutls_free(pem.data);
}

static inline void
write_pair(const struct world *w, const struct identity *i)
{
    write_certificates(w, &i, 1);
    write_key(w, i, FILE_PRIVATE);
}

static inline int
set_up(void **state)
{
    static struct world w;
    struct mauth_err err = MAUTH_ERR_INIT;

    memset(&w, 0, sizeof(w));
    strcpy(w.dir, "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(w.dir));
    snprintf(w.certificate_file, sizeof(w.certificate_file), "%s/tls.crt", w.dir);
    snprintf(w.key_file, sizeof(w.key_file), "%s/tls.key", w.dir);
    identity_make(&w.a, &identity_p256);
    identity_make(&w.b, &identity_p256);
    identity_make(&w.client, &identity_p256);
    write_pair(&w, &w.a);
    if (http_tls_new(w.certificate_file, w.key_file, &w.tls, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    assert_int_equal(gnutls_certificate_allocate_credentials(&w.server), 0);
    gnutls_certificate_set_retrieve_function3(w.server, http_tls_certificate);
    *state = &w;
    return 0;
}

static inline int
tear_down(void **state)
{
    struct world *w = *state;

    gnutls_certificate_free_credentials(w->server);
    http_tls_free(w->tls);
    http_tls_free(NULL);
    identity_drop(&w->a);
    identity_drop(&w->b);
    identity_drop(&w->client);
    unlink(w->certificate_file);
    unlink(w->key_file);
    rmdir(w->dir);
    return 0;
}

/* What the server showed. */
static inline bool
shows(const struct pair *p, const struct identity *i)
{
    unsigned count = 0;
    const gnutls_datum_t *der = gnutls_certificate_get_peers(p->client, &count);

    return count == 1 && identity_is(der, i);
}

static inline void
connect_well(const struct world *w, struct pair *p, const char *priorities,
    const struct identity *who)
{
    pair_open(w->server, w->tls, p, priorities, who);
    if (!pair_shake_hands(p))
        fail_msg("%s: client: %s; server: %s", priorities,
            gnutls_strerror(p->client_rc), gnutls_strerror(p->server_rc));
}

static inline void
assert_key(const struct pair *p, const struct identity *who)
{
    struct mauth_key *want = key_of(who), *key = NULL;

    assert_int_equal(http_tls_peer_key(p->server, &key, NULL), MAUTH_OK);
    assert_non_null(key);
    assert_string_equal(mauth_key_id(key), mauth_key_id(want));
    mauth_key_free(want);
    mauth_key_free(key);
}

#endif
