#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "pkcs11/token_signer.h"
#include "tests/unit/faulty_token.h"
#include "tests/unit/softhsm.h"
#include "tests/unit/unit.h"

enum {
    AT_ONCE_MS = 1000,   /* less than a wait for the token */
    COMES_BACK_MS = 5000 /* RETRY_MS, and what SoftHSM takes, with a sanitizer */
};

static struct softhsm hsm;
static struct faulty_token *faulty;
static const struct text piece = {"hello, mesh", 11};

/* A key of the token "mesh". */
static struct text
uri_of(const char *module, const char *object, const char *pin_file)
{
    static char uri[512];

    snprintf(uri, sizeof(uri),
        "pkcs11:token=mesh;object=%s?module-path=%s&pin-source=file:%s", object, module,
        pin_file);
    return text_of(uri);
}

static enum mauth_rc
sign_once(const struct signer *s, struct mauth_err *err)
{
    uint8_t raw[KEY_SIGNATURE_MAX];
    size_t len;
    enum mauth_rc rc = signer_sign(s, &piece, 1, raw, &len, err);

    return rc ? rc : key_check(signer_key(s), &piece, 1, raw, len, err);
}

static void
signs(const struct signer *s)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (sign_once(s, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
}

/* The public half of a key that is there, and signs. */
static struct mauth_key *
find(const char *object)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_key *key = NULL;
    struct signer *s = NULL;
    const uint8_t *spki;
    size_t len;

    if (token_signer_find(uri_of(SOFTHSM_MODULE, object, hsm.pin_file), &s, &err) !=
        MAUTH_OK)
        fail_msg("%s: %s", object, err.text);
    signs(s);
    spki = mauth_key_spki(signer_key(s), &len);
    assert_int_equal(mauth_key_from_spki(spki, len, &key, NULL), MAUTH_OK);
    signer_free(s);
    return key;
}

static struct signer *
signer_of(const char *module, const char *object, const struct mauth_key *key,
    const char *pin_file)
{
    struct signer *s = NULL;

    assert_int_equal(
        token_signer_new(uri_of(module, object, pin_file), key, &s, NULL), MAUTH_OK);
    assert_non_null(s);
    return s;
}

/* Refused for this reason, without a wait. */
static void
refuses(const struct signer *s, const char *why)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    int64_t start_ms = time_monotonic_ms();

    assert_int_equal(sign_once(s, &err), MAUTH_UNAVAILABLE);
    assert_true(time_monotonic_ms() - start_ms < AT_ONCE_MS);
    if (!strstr(err.text, why))
        fail_msg("%s: %s", why, err.text);
    mauth_err_reset(&err);
    assert_int_equal(signer_ready(s, &err), MAUTH_UNAVAILABLE);
    assert_non_null(strstr(err.text, why));
}

static void
comes_back(const struct signer *s)
{
    int64_t end_ms = time_monotonic_ms() + COMES_BACK_MS;
    struct mauth_err err = MAUTH_ERR_INIT;

    while (signer_ready(s, &err) != MAUTH_OK) {
        if (time_monotonic_ms() > end_ms)
            fail_msg("%s", err.text);
        usleep(20000);
        mauth_err_reset(&err);
    }
    signs(s);
}

/* Four threads, each signs and checks. */

struct loop {
    pthread_t thread;
    const struct signer *signer;
    int good;
};

enum {
    ROUNDS = 50
};

static void *
sign_often(void *arg)
{
    struct loop *l = arg;

    for (int i = 0; i < ROUNDS; i++)
        l->good += sign_once(l->signer, NULL) == MAUTH_OK;
    return NULL;
}

static void
signs_in_four_threads(void **state)
{
    static const char *const objects[] = {"p256", "rsa"};

    (void)state;
    for (size_t i = 0; i < COUNT(objects); i++) {
        struct mauth_key *key = find(objects[i]);
        struct signer *s = signer_of(SOFTHSM_MODULE, objects[i], key, hsm.pin_file);
        struct loop loops[4];

        for (size_t k = 0; k < COUNT(loops); k++) {
            loops[k] = (struct loop){.signer = s};
            assert_int_equal(
                pthread_create(&loops[k].thread, NULL, sign_often, &loops[k]), 0);
        }
        for (size_t k = 0; k < COUNT(loops); k++) {
            pthread_join(loops[k].thread, NULL);
            assert_int_equal(loops[k].good, ROUNDS);
        }
        assert_int_equal(signer_ready(s, NULL), MAUTH_OK);
        signer_free(s);
        mauth_key_free(key);
    }
}

static void
one_that_nobody_asked_is_not_opened(void **state)
{
    struct mauth_key *key = find("p256");
    int before = atomic_load(&faulty->initializes);
    struct signer *s = signer_of(FAULTY_MODULE, "p256", key, hsm.pin_file);

    (void)state;
    signer_free(s);
    assert_int_equal(atomic_load(&faulty->initializes), before);
    mauth_key_free(key);
}

/* What cannot be found, or not be used. */

static const struct {
    const char *name;
    const char *module;
    const char *object;
    const char *pin_file; /* below the folder; NULL: the right one */
    const char *why;
} refusals[] = {
    {"no module", "/nowhere/m.so", "p256", NULL, "/nowhere/m.so"},
    {"no library", "/etc/passwd", "p256", NULL, "/etc/passwd"},
    {"a library that is no module", OTHER_LIBRARY, "p256", NULL,
        "is no PKCS#11 module"},
    {"no such key", SOFTHSM_MODULE, "nobody", NULL, "no public key of this name"},
    {"two of one name", SOFTHSM_MODULE, "twice", NULL, "more than one public key"},
    {"without its private half", SOFTHSM_MODULE, "half", NULL, "no private key"},
    {"without its public half", SOFTHSM_MODULE, "other-half", NULL, "no public key"},
    {"another curve", SOFTHSM_MODULE, "p384", NULL, "not on P-256"},
    {"a short RSA key", SOFTHSM_MODULE, "rsa1024", NULL, "RSA of 2048 to 4096"},
    {"no PIN file", SOFTHSM_MODULE, "p256", "nothing", "nothing"},
    {"a PIN file for all to read", SOFTHSM_MODULE, "p256", "open", "open"},
    {"an empty PIN file", SOFTHSM_MODULE, "p256", "empty", "must hold one line"},
    {"two lines", SOFTHSM_MODULE, "p256", "lines", "must hold one line"},
    {"another PIN", SOFTHSM_MODULE, "p256", "wrong", "CKR_PIN_INCORRECT"},
};

static void
refuses_what_does_not_sign(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct signer *found = NULL;
        char path[128];
        enum mauth_rc rc;

        snprintf(path, sizeof(path), "%s/%s", hsm.dir,
            refusals[i].pin_file ? refusals[i].pin_file : "pin");
        rc = token_signer_find(
            uri_of(refusals[i].module, refusals[i].object, path), &found, &err);
        if (rc != MAUTH_UNAVAILABLE || found || !strstr(err.text, refusals[i].why))
            fail_msg("%s: %s, %s", refusals[i].name, mauth_rc_name(rc), err.text);
        assert_null(strstr(err.text, "8765")); /* the wrong PIN */
    }
}

static void
refuses_other_tokens(void **state)
{
    static const struct {
        const char *uri;
        const char *why;
    } uris[] = {
        {"pkcs11:token=other;object=p256", "\"other\" is not present"},
        {"pkcs11:token=mes;object=p256", "is not present"},
        {"pkcs11:token=mesh;model=else;object=p256", "is not present"},
        {"pkcs11:serial=mesh;object=p256", "\"mesh\" is not present"},
        {"pkcs11:token=twins;object=p256", "the name of 2 tokens"},
    };
    char uri[512];

    (void)state;
    for (size_t i = 0; i < COUNT(uris); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct signer *found = NULL;

        snprintf(uri, sizeof(uri), "%s?module-path=%s&pin-source=file:%s", uris[i].uri,
            SOFTHSM_MODULE, hsm.pin_file);
        assert_int_equal(
            token_signer_find(text_of(uri), &found, &err), MAUTH_UNAVAILABLE);
        assert_null(found);
        if (!strstr(err.text, uris[i].why))
            fail_msg("%s: %s", uris[i].uri, err.text);
    }
    assert_int_equal(
        token_signer_find(text_of("pkcs11:"), &(struct signer *){NULL}, NULL),
        MAUTH_MALFORMED);
}

/* The store says one key, the token has another under its name. */
static void
refuses_another_key(void **state)
{
    struct mauth_key *key = find("rsa");
    struct signer *s = signer_of(SOFTHSM_MODULE, "p256", key, hsm.pin_file);

    (void)state;
    refuses(s, "but another");
    signer_free(s);
    mauth_key_free(key);
}

/* The public half is right, and what signs is something else. */
static void
refuses_halves_that_do_not_fit(void **state)
{
    struct mauth_key *key = find("p256");
    struct signer *s = signer_of(FAULTY_MODULE, "p256", key, hsm.pin_file);

    (void)state;
    atomic_store(&faulty->swaps, 1);
    refuses(s, "does not verify");
    comes_back(s);
    signer_free(s);
    mauth_key_free(key);
}

/* Sessions that are lost. */

static const CK_RV losses[] = {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,
    CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_REMOVED, CKR_DEVICE_ERROR, CKR_USER_NOT_LOGGED_IN,
    CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID, CKR_GENERAL_ERROR,
    CKR_CRYPTOKI_NOT_INITIALIZED, CKR_VENDOR_DEFINED + 7};

static void
signs_again_in_a_new_session(void **state)
{
    struct mauth_key *key = find("p256");
    struct signer *s = signer_of(FAULTY_MODULE, "p256", key, hsm.pin_file);

    (void)state;
    for (size_t i = 0; i < COUNT(losses); i++) {
        signs(s);
        atomic_store(&faulty->code, losses[i]);
        atomic_store(i % 2 ? &faulty->sign : &faulty->sign_init, 1);
        signs(s); /* nobody notices */
        assert_int_equal(atomic_load(&faulty->sign), 0);
        assert_int_equal(atomic_load(&faulty->sign_init), 0);
    }
    signer_free(s);
    mauth_key_free(key);
}

/* As long as it fails, whatever it is that fails. */
static void
refuses_at_once_while_it_is_away(void **state)
{
    const struct {
        atomic_int *call;
        CK_RV code;
        const char *why;
    } faults[] = {
        {&faulty->sign, CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED"},
        {&faulty->open_session, CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT"},
        {&faulty->initialize, CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR"},
        {&faulty->login, CKR_VENDOR_DEFINED, "code 0x80000000"},
    };
    struct mauth_key *key = find("p256");

    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct signer *s = signer_of(FAULTY_MODULE, "p256", key, hsm.pin_file);

        atomic_store(&faulty->code, faults[i].code);
        atomic_store(faults[i].call, 1000);
        refuses(s, faults[i].why);
        refuses(s, faults[i].why);
        atomic_store(faults[i].call, 0);
        comes_back(s);
        signer_free(s);
    }
    mauth_key_free(key);
}

/* Signs, with every thread having opened its session: each signs once to do so. */
static struct signer *
signer_at_rest(const struct mauth_key *key)
{
    int64_t end_ms = time_monotonic_ms() + COMES_BACK_MS;
    int signs_then = atomic_load(&faulty->signs) + 4 + 1;
    struct signer *s = signer_of(FAULTY_MODULE, "p256", key, hsm.pin_file);

    signs(s);
    while (atomic_load(&faulty->signs) < signs_then) {
        assert_true(time_monotonic_ms() < end_ms);
        usleep(1000);
    }
    return s;
}

static void
does_not_wait_for_a_module_that_hangs(void **state)
{
    struct mauth_key *key = find("p256");
    struct signer *s = signer_at_rest(key);
    struct mauth_err err = MAUTH_ERR_INIT;
    int64_t start_ms;

    (void)state;
    atomic_store(&faulty->hang_ms, 4000);
    start_ms = time_monotonic_ms();
    assert_int_equal(sign_once(s, &err), MAUTH_UNAVAILABLE);
    assert_true(time_monotonic_ms() - start_ms < 3000);
    assert_non_null(strstr(err.text, "does not answer"));
    refuses(s, "does not answer");
    comes_back(s);
    signer_free(s);
    mauth_key_free(key);
}

/* Ending while a thread is in the module: it frees the rest when it is back. */
static void
ends_while_a_module_hangs(void **state)
{
    struct mauth_key *key = find("p256");
    struct signer *s = signer_at_rest(key);
    int finalizes = atomic_load(&faulty->finalizes);
    int inside = 4 + 3; /* seconds at most: the hang, and what it delays */

    (void)state;
    atomic_store(&faulty->hang_ms, 5000);
    assert_int_equal(sign_once(s, NULL), MAUTH_UNAVAILABLE);
    signer_free(s);
    while (atomic_load(&faulty->finalizes) == finalizes && inside-- > 0)
        sleep(1);
    assert_int_not_equal(atomic_load(&faulty->finalizes), finalizes);
    mauth_key_free(key);
}

/* The token's directory is moved away, and back. */
static void
comes_back_with_its_token(void **state)
{
    struct mauth_key *key = find("p256");
    struct signer *s = signer_of(SOFTHSM_MODULE, "p256", key, hsm.pin_file);

    (void)state;
    signs(s);
    softhsm_hide(&hsm);
    refuses(s, "token: ");
    refuses(s, "token: ");
    softhsm_show(&hsm);
    comes_back(s);

    softhsm_hide(&hsm); /* nobody signs, and still it is noticed */
    for (int i = 0; i < 50 && signer_ready(s, NULL) == MAUTH_OK; i++)
        usleep(100000);
    assert_int_equal(signer_ready(s, NULL), MAUTH_UNAVAILABLE);
    softhsm_show(&hsm);
    comes_back(s);
    signer_free(s);
    mauth_key_free(key);
}

/* PINs. */

static void
never_shows_a_wrong_pin_twice(void **state)
{
    struct mauth_key *key = find("p256");
    char wrong[96];
    struct signer *s;
    int logins = atomic_load(&faulty->logins);

    (void)state;
    softhsm_file(&hsm, "mistyped", "9999\n", 0600, wrong);
    s = signer_of(FAULTY_MODULE, "p256", key, wrong);
    refuses(s, "CKR_PIN_INCORRECT");
    usleep(1500000); /* it was looked at again meanwhile */
    refuses(s, "it refused this PIN before");
    signer_free(s);
    s = signer_of(FAULTY_MODULE, "p256", key, wrong);
    refuses(s, "it refused this PIN before");
    assert_int_equal(atomic_load(&faulty->logins), logins + 1);

    softhsm_file(&hsm, "mistyped", SOFTHSM_PIN, 0600, wrong); /* put right */
    comes_back(s);
    signer_free(s);
    mauth_key_free(key);
}

static void
leaves_the_last_attempt(void **state)
{
    static const struct {
        CK_FLAGS flag;
        const char *why;
    } flags[] = {
        {CKF_USER_PIN_FINAL_TRY, "one attempt"},
        {CKF_USER_PIN_LOCKED, "locked"},
    };
    struct mauth_key *key = find("p256");

    (void)state;
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct signer *s = signer_of(FAULTY_MODULE, "p256", key, hsm.pin_file);
        int logins = atomic_load(&faulty->logins);

        atomic_store(&faulty->token_flags, flags[i].flag);
        refuses(s, flags[i].why);
        assert_int_equal(atomic_load(&faulty->logins), logins);
        atomic_store(&faulty->token_flags, 0);
        comes_back(s);
        signer_free(s);
    }
    mauth_key_free(key);
}

static void
make_tokens(void)
{
    static const struct {
        const char *label;
        const char *id;
        const char *kind;
    } keys[] = {
        {"p256", "01", "EC:prime256v1"},
        {"rsa", "02", "rsa:2048"},
        {"twice", "03", "EC:prime256v1"},
        {"twice", "04", "EC:prime256v1"},
        {"half", "05", "EC:prime256v1"},
        {"other-half", "06", "EC:prime256v1"},
        {"p384", "07", "EC:secp384r1"},
        {"rsa1024", "08", "rsa:1024"},
    };
    char path[96];

    softhsm_token(&hsm, "mesh");
    softhsm_token(&hsm, "twins");
    softhsm_token(&hsm, "twins");
    for (size_t i = 0; i < COUNT(keys); i++)
        softhsm_key(&hsm, "mesh", keys[i].label, keys[i].id, keys[i].kind);
    softhsm_delete(&hsm, "mesh", "half", "privkey");
    softhsm_delete(&hsm, "mesh", "other-half", "pubkey");
    softhsm_file(&hsm, "open", SOFTHSM_PIN "\n", 0644, path);
    softhsm_file(&hsm, "empty", "", 0600, path);
    softhsm_file(&hsm, "lines", SOFTHSM_PIN "\n\n", 0600, path);
    softhsm_file(&hsm, "wrong", "8765\n", 0600, path);
}

static int
set_up(void **state)
{
    void *library;

    (void)state;
    softhsm_make(&hsm);
    make_tokens();
    library = dlopen(FAULTY_MODULE, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    faulty = dlsym(library, "faulty_token");
    assert_non_null(faulty);
    return 0;
}

static int
clean_up(void **state)
{
    (void)state;
    softhsm_remove(&hsm);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_in_four_threads),
        cmocka_unit_test(one_that_nobody_asked_is_not_opened),
        cmocka_unit_test(refuses_what_does_not_sign),
        cmocka_unit_test(refuses_other_tokens),
        cmocka_unit_test(refuses_another_key),
        cmocka_unit_test(refuses_halves_that_do_not_fit),
        cmocka_unit_test(signs_again_in_a_new_session),
        cmocka_unit_test(refuses_at_once_while_it_is_away),
        cmocka_unit_test(does_not_wait_for_a_module_that_hangs),
        cmocka_unit_test(ends_while_a_module_hangs),
        cmocka_unit_test(comes_back_with_its_token),
        cmocka_unit_test(never_shows_a_wrong_pin_twice),
        cmocka_unit_test(leaves_the_last_attempt),
    };

    return cmocka_run_group_tests(tests, set_up, clean_up);
}
