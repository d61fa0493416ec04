#include "cli/oauth_error.h"

#include <stdbool.h>
#include <string.h>

#include "base/fail.h"

struct oauth_error
oauth_error_of(const json_t *answer)
{
    return (struct oauth_error){
        json_string_value(json_object_get(answer, "error")),
        json_string_value(json_object_get(answer, "error_description")),
    };
}

static bool
is_failure(const char *code)
{
    return strcmp(code, "server_error") == 0 ||
           strcmp(code, "temporarily_unavailable") == 0;
}

enum mauth_rc
oauth_error_fail(const struct oauth_error *e, struct mauth_err *err)
{
    enum mauth_rc rc = is_failure(e->code) ? MAUTH_UNAVAILABLE : MAUTH_DENIED;
    const char *text = e->text ? e->text : "it does not say why";
    char code[48], words[112];

    mauth_quote(e->code, strlen(e->code), code, sizeof(code));
    mauth_quote(text, strlen(text), words, sizeof(words));
    return mauth_fail(err, rc, "the provider refused: %s (%s)", words, code);
}

enum mauth_rc
oauth_error_check(
    long status, const json_t *answer, const char *whose, struct mauth_err *err)
{
    struct oauth_error e = oauth_error_of(answer);

    if (e.code)
        return oauth_error_fail(&e, err);
    if (status != 200)
        return mauth_fail(err, status >= 500 ? MAUTH_UNAVAILABLE : MAUTH_DENIED,
            "%s answered with status %ld", whose, status);
    return MAUTH_OK;
}
