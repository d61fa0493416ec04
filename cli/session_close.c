#include "cli/session_close.h"

#include <string.h>

#include "base/fail.h"
#include "cli/account.h"
#include "net/fetch.h"

enum mauth_rc
session_close(struct fetch *f, const struct account *a, long *status,
    struct buf *answer, struct mauth_err *err)
{
    const char *credential = grant_credential(account_grant(a), 0);
    struct fetch_request r = {
        .method = "POST", .content_type = "application/x-www-form-urlencoded"};
    struct buf url, body;
    enum mauth_rc rc;

    buf_init(&url);
    buf_init_secret(&body);
    buf_printf(&url, "%s/v1/revoke", account_url(a));
    buf_str(&body, "token=");
    fetch_form_escape(&body, credential, strlen(credential));
    r.url = buf_cstr(&url);
    r.body = buf_slice(&body);
    if (r.url && buf_ok(&body))
        rc = fetch_do(f, &r, status, answer, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&body);
    buf_clear(&url);
    return rc;
}
