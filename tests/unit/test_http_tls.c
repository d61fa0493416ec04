/* Real handshakes over a socketpair, our end as libmicrohttpd drives it, the other
 * GnuTLS's client: whose key they show. */
#include "tests/unit/http_tls_world.h"

static void
takes_the_key_of_a_self_signed_certificate(void **state)
{
    const struct world *w = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        struct pair p;

        connect_well(w, &p, versions[i], &w->client);
        assert_int_equal(
            gnutls_protocol_get_version(p.server), i ? GNUTLS_TLS1_3 : GNUTLS_TLS1_2);
        assert_true(shows(&p, &w->a));
        assert_key(&p, &w->client);
        pair_close(&p);
    }
}

static void
lets_clients_come_without_one(void **state)
{
    const struct world *w = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        struct mauth_key *key = (struct mauth_key *)state;
        struct pair p;

        connect_well(w, &p, versions[i], NULL);
        assert_int_equal(http_tls_peer_key(p.server, &key, NULL), MAUTH_OK);
        assert_null(key);
        pair_close(&p);
    }
}

/* Dates and names are never judged. */
static void
takes_the_key_of_an_expired_certificate(void **state)
{
    const struct world *w = *state;
    struct identity old;

    assert_int_equal(gnutls_x509_privkey_init(&old.key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(
                         old.key, identity_p256.algorithm, identity_p256.bits, 0),
        0);
    identity_sign(&old, 1000, 2000);
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct pair p;

        connect_well(w, &p, versions[i], &old);
        assert_key(&p, &old);
        pair_close(&p);
    }
    identity_drop(&old);
}

static void
takes_rsa_keys(void **state)
{
    static const struct identity_kind rsa = {"RSA-2048", GNUTLS_PK_RSA, 2048};
    const struct world *w = *state;
    struct identity who;

    identity_make(&who, &rsa);
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct pair p;

        connect_well(w, &p, versions[i], &who);
        assert_key(&p, &who);
        pair_close(&p);
    }
    identity_drop(&who);
}

/* TLS has no objection, but no ticket can be bound to them. */
static void
refuses_keys_of_other_kinds(void **state)
{
    static const struct identity_kind kinds[] = {
        {"RSA-1024", GNUTLS_PK_RSA, 1024},
        {"P-384", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)},
        {"P-521", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1)},
        {"Ed25519", GNUTLS_PK_EDDSA_ED25519, 256},
    };
    const struct world *w = *state;

    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct identity who;

        identity_make(&who, &kinds[k]);
        for (size_t i = 0; i < COUNT(versions); i++) {
            struct mauth_key *key = (struct mauth_key *)state;
            struct pair p;

            connect_well(w, &p, versions[i], &who);
            if (http_tls_peer_key(p.server, &key, NULL) != MAUTH_MALFORMED)
                fail_msg("taken: %s", kinds[k].name);
            assert_null(key);
            pair_close(&p);
        }
        identity_drop(&who);
    }
}

/* A key of which only the length counts, and a signature of as many bytes. */

static int
sign_nothing(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *arg,
    unsigned flags, const gnutls_datum_t *data, gnutls_datum_t *signature)
{
    const size_t *modulus = arg;

    (void)key, (void)algorithm, (void)flags, (void)data;
    signature->data = gnutls_malloc(*modulus);
    signature->size = (unsigned)*modulus;
    if (!signature->data)
        return GNUTLS_E_MEMORY_ERROR;
    memset(signature->data, 1, *modulus);
    return 0;
}

static int
describe_nothing(gnutls_privkey_t key, unsigned flags, void *arg)
{
    const size_t *modulus = arg;

    (void)key;
    if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
        return GNUTLS_PK_RSA;
    if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
        return (int)(8 * *modulus);
    return flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO ? 1 : -1;
}

static void
forge_rsa(gnutls_x509_crt_t certificate, size_t modulus, size_t exponent)
{
    unsigned char digits[2048];
    gnutls_datum_t n = {digits, (unsigned)modulus}, e = {digits, (unsigned)exponent};
    gnutls_pubkey_t key;

    assert_true(modulus <= sizeof(digits));
    memset(digits, 0xa5, sizeof(digits)); /* odd, with the first bit set */
    assert_int_equal(gnutls_pubkey_init(&key), 0);
    assert_int_equal(gnutls_pubkey_import_rsa_raw(key, &n, &e), 0);
    assert_int_equal(gnutls_x509_crt_set_pubkey(certificate, key), 0);
    gnutls_pubkey_deinit(key);
}

/* How the server ended a handshake with a client of such a key. */
static int
shake_hands_with_rsa(
    const struct world *w, const char *version, size_t modulus, size_t exponent)
{
    struct identity who;
    gnutls_pcert_st shown;
    gnutls_privkey_t key;
    struct pair p;

    identity_make(&who, &identity_p256);
    forge_rsa(who.certificate, modulus, exponent);
    assert_int_equal(gnutls_x509_crt_sign2(who.certificate, w->client.certificate,
                         w->client.key, GNUTLS_DIG_SHA256, 0),
        0);
    assert_int_equal(gnutls_pcert_import_x509(&shown, who.certificate, 0), 0);
    assert_int_equal(gnutls_privkey_init(&key), 0);
    assert_int_equal(gnutls_privkey_import_ext4(key, &modulus, sign_nothing,
                         sign_nothing, NULL, NULL, describe_nothing, 0),
        0);
    pair_open(w->server, w->tls, &p, version, NULL);
    gnutls_certificate_set_flags(p.credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
    assert_true(
        gnutls_certificate_set_key(p.credentials, NULL, 0, &shown, 1, key) >= 0);
    assert_false(pair_shake_hands(&p));
    pair_close(&p); /* shown and key went with the credentials */
    identity_drop(&who);
    return p.server_rc;
}

/* GnuTLS would check signatures of any length: minutes for one stranger. */
static void
looks_at_no_signature_of_an_oversized_key(void **state)
{
    static const struct {
        const char *name;
        size_t modulus, exponent; /* bytes */
        bool looks;
    } keys[] = {
        {"RSA-2048", 256, 3, true},
        {"RSA-4096, the longest exponent", 512, 4, true},
        {"RSA-4104", 513, 3, false},
        {"RSA-16384", 2048, 3, false},
        {"an exponent of five bytes", 256, 5, false},
        {"an exponent as long as the modulus", 512, 512, false},
    };
    const struct world *w = *state;

    for (size_t k = 0; k < COUNT(keys); k++)
        for (size_t i = 0; i < COUNT(versions); i++) {
            int rc =
                shake_hands_with_rsa(w, versions[i], keys[k].modulus, keys[k].exponent);

            if ((rc != GNUTLS_E_CERTIFICATE_ERROR) != keys[k].looks)
                fail_msg("%s, %s: %s", keys[k].name, versions[i], gnutls_strerror(rc));
        }
}

/* Who shows a certificate without having its key gets no further. */
static void
refuses_a_certificate_without_its_key(void **state)
{
    const struct world *w = *state;
    const struct identity thief = {w->b.key, w->client.certificate};

    for (size_t i = 0; i < COUNT(versions); i++) {
        gnutls_x509_crt_t certificate = thief.certificate;
        struct pair p;

        pair_open(w->server, w->tls, &p, versions[i], NULL);
        gnutls_certificate_set_flags(
            p.credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
        assert_true(gnutls_certificate_set_x509_key(
                        p.credentials, &certificate, 1, thief.key) >= 0);
        assert_false(pair_shake_hands(&p));
        assert_true(p.server_rc < 0 && gnutls_error_is_fatal(p.server_rc));
        pair_close(&p);
    }
}

struct request {
    int calls;
    int authorities;
};

static int
on_request(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
    const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
    gnutls_retr2_st *certificate)
{
    struct request *r = gnutls_session_get_ptr(session);

    (void)authorities;
    (void)algorithms;
    (void)algorithm_count;
    r->calls++;
    r->authorities = count;
    memset(certificate, 0, sizeof(*certificate));
    return 0;
}

/* A client that picks its certificate by issuer would find none in any list. */
static void
asks_for_any_certificate(void **state)
{
    const struct world *w = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        struct request seen = {0, -1};
        struct pair p;

        pair_open(w->server, w->tls, &p, versions[i], NULL);
        gnutls_certificate_set_retrieve_function(p.credentials, on_request);
        gnutls_session_set_ptr(p.client, &seen);
        assert_true(pair_shake_hands(&p));
        assert_int_equal(seen.calls, 1);
        assert_int_equal(seen.authorities, 0);
        pair_close(&p);
    }
}

static void
refuses_weak_clients(void **state)
{
    static const struct identity_kind rsa = {"RSA-2048", GNUTLS_PK_RSA, 2048};
    static const struct {
        const char *name;
        const char *priorities;
    } weak[] = {
        {"TLS 1.1", "NORMAL:-VERS-ALL:+VERS-TLS1.1"},
        {"TLS 1.0", "NORMAL:-VERS-ALL:+VERS-TLS1.0"},
        {"no forward secrecy", TLS_1_2 ":-KX-ALL:+RSA"},
        {"finite fields", TLS_1_2 ":-KX-ALL:+DHE-RSA"},
        {"finite fields in TLS 1.3", TLS_1_3 ":-GROUP-ALL:+GROUP-DH-ALL"},
        {"CBC", TLS_1_2 ":-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC"},
        {"no certificate", TLS_1_2 ":-KX-ALL:+ANON-ECDH"},
        {"no encryption", TLS_1_2 ":-CIPHER-ALL:+NULL"},
    };
    struct world *w = *state;
    struct identity server;
    struct pair p;

    identity_make(&server, &rsa); /* with which RSA key exchange could be done */
    write_pair(w, &server);
    assert_int_equal(http_tls_reload(w->tls, NULL), MAUTH_OK);
    connect_well(w, &p, TLS_1_2, NULL);
    assert_true(shows(&p, &server));
    pair_close(&p);
    for (size_t i = 0; i < COUNT(weak); i++) {
        pair_open(w->server, w->tls, &p, weak[i].priorities, NULL);
        if (pair_shake_hands(&p) || p.server_rc == 0)
            fail_msg("taken: %s", weak[i].name);
        pair_close(&p);
    }
    identity_drop(&server);
}

/* Which brings the session's ticket along. */
static void
pass_a_byte(struct pair *p)
{
    char byte = 'x';
    ssize_t n = GNUTLS_E_AGAIN;

    assert_int_equal(gnutls_record_send(p->server, &byte, 1), 1);
    for (int i = 0; i < PAIR_STEPS && n == GNUTLS_E_AGAIN; i++)
        n = gnutls_record_recv(p->client, &byte, 1);
    assert_int_equal(n, 1);
}

/* Only the next one: what comes after that pushes both. */
static void
lets_one_record_wait_for_the_next(void **state)
{
    const struct world *w = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        struct pair p;

        connect_well(w, &p, versions[i], NULL);
        p.way.more = true;
        pass_a_byte(&p); /* a socket of this kind does not wait */
        assert_false(p.way.more);
        pass_a_byte(&p);
        pair_close(&p);
    }
}

/* A resumed connection stands for the key that the first one proved. */
static void
remembers_the_key_of_a_resumed_session(void **state)
{
    const struct world *w = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        gnutls_datum_t ticket = {NULL, 0};
        struct pair first, second;

        connect_well(w, &first, versions[i], &w->client);
        pass_a_byte(&first);
        assert_int_equal(gnutls_session_get_data2(first.client, &ticket), 0);
        pair_close(&first);

        pair_open(w->server, w->tls, &second, versions[i],
            &w->b); /* even if it brings another */
        assert_int_equal(
            gnutls_session_set_data(second.client, ticket.data, ticket.size), 0);
        gnutls_free(ticket.data);
        assert_true(pair_shake_hands(&second));
        assert_true(gnutls_session_is_resumed(second.server));
        assert_key(&second, &w->client);
        pair_close(&second);
    }
}

int
main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        IN_WORLD(takes_the_key_of_a_self_signed_certificate),
        IN_WORLD(lets_clients_come_without_one),
        IN_WORLD(takes_the_key_of_an_expired_certificate),
        IN_WORLD(takes_rsa_keys),
        IN_WORLD(refuses_keys_of_other_kinds),
        IN_WORLD(looks_at_no_signature_of_an_oversized_key),
        IN_WORLD(refuses_a_certificate_without_its_key),
        IN_WORLD(asks_for_any_certificate),
        IN_WORLD(refuses_weak_clients),
        IN_WORLD(lets_one_record_wait_for_the_next),
        IN_WORLD(remembers_the_key_of_a_resumed_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
