#include "cli/redirect.h"

#include <string.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "cli/oauth_error.h"
#include "net/form.h"

static bool
is_same(const char *a, const char *b)
{
    return a && strlen(a) == strlen(b) && mauth_equal_ct(a, b, strlen(b));
}

bool
redirect_is_answer(struct text query, const char *state)
{
    static const char name[] = "state=";
    struct text rest = query, pair;
    bool more, found = false;

    do {
        more = text_cut(&rest, '&', &pair);
        if (!more)
            pair = rest;
        if (text_starts(pair, name) && pair.len == sizeof(name) - 1 + strlen(state))
            found |= mauth_equal_ct(pair.p + sizeof(name) - 1, state, strlen(state));
    } while (more);
    return found;
}

/* RFC 9207 2.4: also where it was not announced, it must be the right one. */
static enum mauth_rc
check_source(
    const struct form *f, const struct redirect_want *want, struct mauth_err *err)
{
    const char *iss = form_value(f, "iss", 0);

    if (!is_same(form_value(f, "state", 0), want->state))
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "what came back is not the answer to this login (its state is another)");
    if (!iss && !want->states_issuer)
        return MAUTH_OK;
    if (!iss || strcmp(iss, want->issuer) != 0)
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "what came back is not from the provider that was asked (RFC 9207)");
    return MAUTH_OK;
}

static enum mauth_rc
take_code(const struct form *f, struct buf *code, struct mauth_err *err)
{
    struct oauth_error e = {
        form_value(f, "error", 0), form_value(f, "error_description", 0)};
    const char *value = form_value(f, "code", 0);

    if (e.code)
        return oauth_error_fail(&e, err);
    if (!value)
        return mauth_fail(
            err, MAUTH_MALFORMED, "what came back holds neither a code nor an error");
    buf_str(code, value);
    return buf_ok(code) ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

enum mauth_rc
redirect_read(struct text query, const struct redirect_want *want, struct buf *code,
    struct mauth_err *err)
{
    static const char *const known[] = {
        "state", "iss", "code", "error", "error_description"};
    struct form *f = NULL;
    enum mauth_rc rc = form_parse(query, &f, NULL);

    if (rc)
        return mauth_fail(err, rc, "what came back is not a query of its form");
    for (size_t i = 0; i < sizeof(known) / sizeof(*known) && rc == MAUTH_OK; i++)
        if (form_count(f, known[i]) > 1)
            rc = mauth_fail(
                err, MAUTH_MALFORMED, "what came back has two of \"%s\"", known[i]);
    if (rc == MAUTH_OK)
        rc = check_source(f, want, err);
    if (rc == MAUTH_OK)
        rc = take_code(f, code, err);
    form_free(f);
    return rc;
}
