/* The verifier, with each allocation failing in turn. */
#include "tests/unit/issuer.h"
#include "tests/unit/starve.h"
#include <meshauth/verifier.h>

struct scene {
    struct issuer issuer;
    struct mauth_verifier_options options;
    struct mauth_verifier *verifier;
    char *header;
};

static enum mauth_rc
open_one(void *arg, struct mauth_err *err)
{
    const struct scene *s = arg;
    struct mauth_verifier *v = NULL;
    enum mauth_rc rc = mauth_verifier_open(&s->options, &v, err);

    assert_true((rc == MAUTH_OK) == (v != NULL));
    mauth_verifier_close(v);
    return rc;
}

/* A file that could not be loaded for want of memory is loaded at the next look. */
static enum mauth_rc
load_newer(void *arg, struct mauth_err *err)
{
    return mauth_verifier_refresh(((struct scene *)arg)->verifier, err);
}

static enum mauth_rc
ask(void *arg, struct mauth_err *err)
{
    const struct scene *s = arg;
    const char *args[] = {FOLDERS TRIP};
    struct mauth_request r = {.size = sizeof(r),
        .authorization = s->header,
        .authorization_len = strlen(s->header),
        .key_spki = s->issuer.device,
        .key_spki_len = s->issuer.device_len,
        .action = "read",
        .args = args,
        .arg_count = 1,
        .now_s = ISSUER_NOW};
    struct mauth_decision d = {.size = sizeof(d)};
    enum mauth_rc rc = mauth_verifier_check(s->verifier, &r, &d);

    assert_true((rc == MAUTH_OK) == (d.verdict == MAUTH_ALLOW));
    err->rc = rc;
    return rc;
}

/* A verifier that knows the ticket already would not allocate at all. */
static enum mauth_rc
ask_anew(void *arg, struct mauth_err *err)
{
    struct scene s = *(struct scene *)arg;
    enum mauth_rc rc = mauth_verifier_open(&s.options, &s.verifier, err);

    if (rc == MAUTH_OK)
        rc = ask(&s, err);
    mauth_verifier_close(s.verifier);
    return rc;
}

/* The first that is handed in begins a file. */
static enum mauth_rc
record(void *arg, struct mauth_err *err)
{
    struct scene s = *(struct scene *)arg;
    struct mauth_request r = {.size = sizeof(r), .action = "read"};
    struct mauth_decision d = {.size = sizeof(d)};
    enum mauth_rc rc = mauth_verifier_open(&s.options, &s.verifier, err);

    if (rc == MAUTH_OK)
        rc = mauth_verifier_record(s.verifier, &d, &r, err);
    mauth_verifier_close(s.verifier);
    return rc;
}

static void
starves_the_verifier(void **state)
{
    struct scene s = {0};
    struct ticket t;
    char *credential, path[128];

    (void)state;
    issuer_make(&s.issuer);
    s.options = (struct mauth_verifier_options){.size = sizeof(s.options),
        .trust_file = s.issuer.trust_file,
        .root_vkey = s.issuer.vkey,
        .audience = STORAGE,
        .rules_file = s.issuer.rules_file,
        .look_ms = 1000000,
        .cache_entries = 64};
    t = issuer_draft(&s.issuer);
    draft_permit(&t, FOLDERS TRIP, "read");
    credential = issuer_sign(&s.issuer, &t, true);
    s.header = malloc(strlen(credential) + 8);
    assert_non_null(s.header);
    memcpy(s.header, "Bearer ", 7);
    memcpy(s.header + 7, credential, strlen(credential) + 1);
    assert_int_equal(mauth_verifier_open(&s.options, &s.verifier, NULL), MAUTH_OK);
    starve("open", open_one, &s);
    s.issuer.sequence++;
    issuer_write_trust(&s.issuer);
    starve("refresh", load_newer, &s);
    starve_or_do_without("ask", ask_anew, &s);
    mauth_verifier_close(s.verifier);
    s.options.status_dir = s.issuer.dir; /* where it says little, for want of memory */
    starve_or_do_without("open and tell", open_one, &s);
    starve_or_do_without("record", record, &s);
    snprintf(path, sizeof(path), "%s/accepted.0", s.issuer.dir);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/decisions.0", s.issuer.dir);
    assert_int_equal(unlink(path), 0);
    issuer_remove(&s.issuer);
    free(credential);
    free(s.header);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(starves_the_verifier)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
