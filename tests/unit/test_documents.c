#include <jansson.h>

#include "authsvc/documents.h"
#include "authsvc/housekeeper.h"
#include "tests/unit/press.h"
#include "tests/unit/saml_idp.h"

#define ISSUER "https://a.example"

enum {
    NOW_S = 2000,
    UNTIL_S = 9000
};

struct world {
    struct press press;
    struct documents *documents;
    enum trust_state make;
    char id[MAUTH_KEY_ID_LEN + 1];
};

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    press_set_up(&w.press);
    assert_int_equal(
        documents_open(w.press.s.kv, w.press.seal, ISSUER, &w.documents, NULL),
        MAUTH_OK);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    documents_close(w->documents);
    press_tear_down(&w->press);
    return 0;
}

static enum mauth_rc
add(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static uint8_t nonce[12];
    struct world *w = arg;
    struct keystore_key key = {.state = w->make,
        .from_s = 1000,
        .until_s = UNTIL_S - w->make,
        .audiences = "urn:x"};
    struct signer *signer = NULL;
    struct buf der;
    enum mauth_rc rc;

    nonce[3]++;
    buf_init_secret(&der);
    assert_int_equal(signer_generate(SIGNER_P256, &der, NULL), MAUTH_OK);
    assert_int_equal(signer_from_pkcs8(der.data, der.len, &signer, NULL), MAUTH_OK);
    snprintf(w->id, sizeof(w->id), "%s", mauth_key_id(signer_key(signer)));
    signer_free(signer);
    rc = keystore_key_add(
        txn, w->press.seal, &key, (struct text){(char *)der.data, der.len}, nonce, err);
    buf_clear(&der);
    return rc;
}

static void
refresh(struct world *w, int64_t now_s)
{
    keystore_free(w->press.keys);
    w->press.keys = NULL;
    assert_int_equal(kv_read(w->press.s.kv, press_load, &w->press, NULL), MAUTH_OK);
    assert_int_equal(
        documents_refresh(w->documents, w->press.keys, now_s, NULL), MAUTH_OK);
}

/* The document; malloc'd, with its tag. */
static char *
take(struct world *w, enum document which, char etag[64])
{
    struct shared_ref *ref = NULL;
    struct text text;
    char *copy;

    assert_int_equal(documents_take(w->documents, which, &ref, NULL), MAUTH_OK);
    text = documents_text(ref);
    copy = strndup(text.p, text.len);
    assert_non_null(copy);
    snprintf(etag, 64, "%s", documents_etag(ref));
    shared_drop(ref);
    return copy;
}

/* Is the key in both, in neither? They agree. */
static bool
is_listed(struct world *w, const char *id)
{
    char etag[64], name[64], kid[64];
    char *jwks = take(w, DOCUMENT_JWKS, etag);
    char *saml = take(w, DOCUMENT_METADATA, etag);
    bool found;

    snprintf(name, sizeof(name), "<ds:KeyName>%s</ds:KeyName>", id);
    snprintf(kid, sizeof(kid), "\"kid\":\"%s\"", id);
    found = strstr(jwks, kid) != NULL;
    assert_int_equal(strstr(saml, name) != NULL, found);
    free(jwks);
    free(saml);
    return found;
}

static void
list_keys_that_verify(void **state)
{
    static const struct {
        enum trust_state state;
        bool listed;
    } cases[] = {{TRUST_NEXT, true}, {TRUST_ACTIVE, true}, {TRUST_RETIRING, true},
        {TRUST_REVOKED, false}};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        w->make = cases[i].state;
        assert_int_equal(kv_write(w->press.s.kv, add, w, NULL), MAUTH_OK);
        refresh(w, NOW_S);
        assert_int_equal(is_listed(w, w->id), cases[i].listed);
        refresh(w, UNTIL_S - (int)cases[i].state - 1);
        assert_int_equal(is_listed(w, w->id), cases[i].listed);
        refresh(w, UNTIL_S - (int)cases[i].state); /* its window is over */
        assert_false(is_listed(w, w->id));
    }
}

/* Each entry's certificate is of the entry's key, in the same bytes in both. */
static void
say_the_same(void **state)
{
    struct world *w = *state;
    char etag[64], *jwks, *saml;
    json_t *set, *key;
    size_t i;

    w->make = TRUST_NEXT;
    assert_int_equal(kv_write(w->press.s.kv, add, w, NULL), MAUTH_OK);
    refresh(w, NOW_S);
    jwks = take(w, DOCUMENT_JWKS, etag);
    saml = take(w, DOCUMENT_METADATA, etag);
    set = json_loads(jwks, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(set, "keys")), 2);
    json_array_foreach(json_object_get(set, "keys"), i, key)
    {
        const json_t *x5c = json_object_get(key, "x5c");
        const char *text = json_string_value(json_array_get(x5c, 0));

        assert_int_equal(json_array_size(x5c), 1);
        assert_non_null(text);
        assert_non_null(strstr(saml, text));
        assert_string_equal(json_string_value(json_object_get(key, "use")), "sig");
        assert_string_equal(json_string_value(json_object_get(key, "alg")), "ES256");
    }
    json_decref(set);
    free(jwks);
    free(saml);
}

/* Once per change, and when it is time. */
static void
are_signed_when_something_changes(void **state)
{
    struct world *w = *state;
    char etag[4][64];

    refresh(w, NOW_S);
    free(take(w, DOCUMENT_METADATA, etag[0]));
    refresh(w, NOW_S + 60);
    free(take(w, DOCUMENT_METADATA, etag[1]));
    assert_string_equal(etag[1], etag[0]);
    w->make = TRUST_REVOKED;
    assert_int_equal(kv_write(w->press.s.kv, add, w, NULL), MAUTH_OK);
    refresh(w, NOW_S + 60); /* nobody sees a difference */
    free(take(w, DOCUMENT_METADATA, etag[1]));
    assert_string_equal(etag[1], etag[0]);
    w->make = TRUST_NEXT;
    assert_int_equal(kv_write(w->press.s.kv, add, w, NULL), MAUTH_OK);
    refresh(w, NOW_S + 60);
    free(take(w, DOCUMENT_METADATA, etag[2]));
    assert_string_not_equal(etag[2], etag[0]);
}

static void
are_signed_again_in_time(void **state)
{
    struct world *w = *state;
    char saml[2][64];

    assert_true(DOCUMENTS_METADATA_SIGN_S + 2 * HOUSEKEEPER_PERIOD_S +
                    DOCUMENTS_METADATA_CACHE_S <
                DOCUMENTS_METADATA_LIFE_S);
    refresh(w, 0);
    free(take(w, DOCUMENT_METADATA, saml[0]));
    assert_int_equal(
        documents_refresh(w->documents, w->press.keys, DOCUMENTS_METADATA_SIGN_S, NULL),
        MAUTH_OK);
    free(take(w, DOCUMENT_METADATA, saml[1]));
    assert_string_not_equal(saml[0], saml[1]);
}

/* The key that signs is the same one after a new start. */
static void
keep_their_key(void **state)
{
    struct world *w = *state;
    char etag[64], *first, *second, *a, *b;

    refresh(w, NOW_S);
    first = take(w, DOCUMENT_METADATA, etag);
    documents_close(w->documents);
    assert_int_equal(
        documents_open(w->press.s.kv, w->press.seal, ISSUER, &w->documents, NULL),
        MAUTH_OK);
    refresh(w, NOW_S);
    second = take(w, DOCUMENT_METADATA, etag);
    assert_string_not_equal(first, second);
    a = strstr(first, "<ds:X509Certificate>");
    b = strstr(second, "<ds:X509Certificate>");
    assert_true(a && b);
    assert_memory_equal(a, b, (size_t)(strstr(a, "</ds:X509Certificate>") - a));
    free(first);
    free(second);
}

static void
are_for_whoever_has_the_seal(void **state)
{
    static const uint8_t raw[KEYSTORE_SEAL_BYTES] = {9};
    struct world *w = *state;
    struct mauth_secret *seal = NULL;
    struct documents *others = NULL;
    struct shared_ref *ref = NULL;

    assert_int_equal(
        documents_take(w->documents, DOCUMENT_JWKS, &ref, NULL), MAUTH_UNAVAILABLE);
    assert_null(ref);
    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &seal, NULL), MAUTH_OK);
    assert_int_equal(
        documents_open(w->press.s.kv, seal, ISSUER, &others, NULL), MAUTH_DENIED);
    assert_null(others);
    mauth_secret_free(seal);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(list_keys_that_verify, set_up, tear_down),
        cmocka_unit_test_setup_teardown(say_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            are_signed_when_something_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(are_signed_again_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keep_their_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            are_for_whoever_has_the_seal, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, idp_group_start, idp_group_end);
}
