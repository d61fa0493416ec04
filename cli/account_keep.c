/* What a login brings is kept, renewed and forgotten. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/time.h"
#include "cli/account_lock.h"
#include "cli/account_parts.h"

/* account.json as text; malloc'd. NULL without memory. */
static char *
render(const struct account *a, const struct grant *grant, int64_t now_s)
{
    json_t *o = grant_json(grant);
    char when[TIME_LEN + 1], *text = NULL;

    time_format(now_s, when);
    if (json_object_set_new(o, "url", json_string(a->url.text)) == 0 &&
        json_object_set_new(o, "logged_in", json_string(when)) == 0)
        text = json_dumps(o, JSON_INDENT(1) | JSON_SORT_KEYS);
    json_decref(o);
    return text;
}

/* Under the lock. */
static enum mauth_rc
write_state(const struct account *a, const struct grant *grant, int64_t logged_in_s,
    struct mauth_err *err)
{
    char *text = render(a, grant, logged_in_s);
    enum mauth_rc rc;

    if (!text)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    rc = file_replace(a->state_file, text, strlen(text), FILE_PRIVATE, err);
    free(text);
    return rc;
}

static void
take_grant(struct account *a, struct grant *grant)
{
    grant_free(a->grant);
    a->grant = grant;
}

enum mauth_rc
account_save(struct account *a, struct grant *grant, struct text ca, int64_t now_s,
    struct mauth_err *err)
{
    int lock;
    enum mauth_rc rc = account_lock(a->dir, &lock, err);

    if (rc == MAUTH_OK && ca.len)
        rc = file_replace(a->ca_file, ca.p, ca.len, FILE_PRIVATE, err);
    if (rc == MAUTH_OK)
        rc = write_state(a, grant, now_s, err);
    account_unlock(lock);
    if (rc)
        return rc;
    a->has_ca = a->has_ca || ca.len > 0;
    take_grant(a, grant);
    a->logged_in_s = now_s;
    return MAUTH_OK;
}

static bool
is_same_login(const struct grant *a, const struct grant *b)
{
    const struct mauth_ticket *x = grant_ticket(a, 0), *y = grant_ticket(b, 0);

    return strcmp(mauth_ticket_subject(x), mauth_ticket_subject(y)) == 0 &&
           strcmp(mauth_ticket_session(x), mauth_ticket_session(y)) == 0;
}

/* Is what lies there still of the login that a knows? */
static enum mauth_rc
check_unchanged(const struct account *a, struct mauth_err *err)
{
    struct account now = *a;
    enum mauth_rc rc;

    now.grant = NULL;
    rc = account_read_state(&now, err);
    if (rc == MAUTH_NOT_FOUND ||
        (rc == MAUTH_OK && !is_same_login(now.grant, a->grant))) {
        mauth_err_reset(err);
        rc = mauth_fail(err, MAUTH_CONFLICT,
            "%s: another login has taken its place, or a logout", a->state_file);
    }
    grant_free(now.grant);
    return rc;
}

enum mauth_rc
account_renew(struct account *a, struct grant *grant, struct mauth_err *err)
{
    enum mauth_rc rc;
    int lock;

    if (!is_same_login(a->grant, grant))
        return mauth_fail(err, MAUTH_MALFORMED,
            "%s renewed for another subject or session", a->url.text);
    rc = account_lock(a->dir, &lock, err);
    if (rc == MAUTH_OK)
        rc = check_unchanged(a, err);
    if (rc == MAUTH_OK)
        rc = write_state(a, grant, a->logged_in_s, err);
    account_unlock(lock);
    if (rc == MAUTH_OK)
        take_grant(a, grant);
    return rc;
}

static enum mauth_rc
remove_file(const char *path, struct mauth_err *err)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(errno));
    return MAUTH_OK;
}

enum mauth_rc
account_forget(struct account *a, struct mauth_err *err)
{
    char *tickets = file_join(a->dir, ACCOUNT_TICKETS);
    enum mauth_rc rc;
    int lock;

    if (!tickets)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    rc = account_lock(a->dir, &lock, err);
    if (rc == MAUTH_OK)
        rc = remove_file(a->state_file, err);
    if (rc == MAUTH_OK)
        rc = remove_file(tickets, err);
    account_unlock(lock);
    free(tickets);
    if (rc == MAUTH_OK)
        take_grant(a, NULL);
    return rc;
}
