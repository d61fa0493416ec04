#include "cli/account.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/account_home.h"
#include "cli/account_lock.h"
#include "cli/device_key.h"

struct account {
    struct service_url url;
    char *dir;
    char *key_file;
    char *certificate_file;
    char *ca_file;
    char *state_file;
    bool has_ca;
    struct mauth_key *key;
    struct grant *grant;
    int64_t logged_in_s;
};

void
account_free(struct account *a)
{
    if (!a)
        return;
    grant_free(a->grant);
    mauth_key_free(a->key);
    free(a->state_file);
    free(a->ca_file);
    free(a->certificate_file);
    free(a->key_file);
    free(a->dir);
    free(a);
}

/* Files. */

/* Injective on URLs of services: only brackets and colons become '_'. */
static enum mauth_rc
name_files(struct account *a, const char *home, struct mauth_err *err)
{
    char name[SERVICE_URL_MAX + 1];

    snprintf(name, sizeof(name), "%s", service_url_name(&a->url));
    for (char *p = name; *p; p++)
        if (*p == ':' || *p == '[' || *p == ']')
            *p = '_';
    a->dir = file_join(home, name);
    if (a->dir) {
        a->key_file = file_join(a->dir, "device.key");
        a->certificate_file = file_join(a->dir, "device.crt");
        a->ca_file = file_join(a->dir, "ca.pem");
        a->state_file = file_join(a->dir, "account.json");
    }
    if (!a->dir || !a->key_file || !a->certificate_file || !a->ca_file ||
        !a->state_file)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    return MAUTH_OK;
}

/* What the last login brought. */

static enum mauth_rc
read_state(struct account *a, const json_t *o, struct mauth_err *err)
{
    const struct grant_owner owner = {a->url.text, a->key};
    const char *url = json_string_value(json_object_get(o, "url"));
    const char *when = json_string_value(json_object_get(o, "logged_in"));
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    if (!url || strcmp(url, a->url.text) != 0)
        return mauth_fail(
            err, MAUTH_MALFORMED, "%s: not of %s", a->state_file, a->url.text);
    if (!when || !time_parse(when, strlen(when), &a->logged_in_s))
        return mauth_fail(err, MAUTH_MALFORMED,
            "%s: does not say when the login was; log in again", a->state_file);
    rc = grant_from_json(o, &owner, &a->grant, &why);
    if (rc)
        return mauth_fail(err, rc, "%s: %s; log in again", a->state_file, why.text);
    return MAUTH_OK;
}

static enum mauth_rc
load_state(struct account *a, struct mauth_err *err)
{
    json_t *o = NULL;
    enum mauth_rc rc;
    struct buf file;

    buf_init(&file);
    rc = file_read_secret(a->state_file, GRANT_MAX, &file, err);
    if (rc)
        goto out;
    o = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(o))
        rc = read_state(a, o, err);
    else
        rc = mauth_fail(
            err, MAUTH_MALFORMED, "%s: not JSON; log in again", a->state_file);
out:
    json_decref(o);
    buf_clear(&file);
    return rc;
}

static enum mauth_rc
new_in(const char *home, const struct service_url *url, struct account **out,
    struct mauth_err *err)
{
    struct account *a = calloc(1, sizeof(*a));
    enum mauth_rc rc;

    *out = a;
    if (!a)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    a->url = *url;
    rc = name_files(a, home, err);
    if (rc == MAUTH_OK)
        a->has_ca = access(a->ca_file, F_OK) == 0;
    return rc;
}

enum mauth_rc
account_prepare_key(const struct service_url *url, struct buf *pem,
    struct mauth_key **out, struct mauth_err *err)
{
    struct account *a = NULL;
    char *home = NULL;
    enum mauth_rc rc = account_home_find(&home, err);

    *out = NULL;
    if (rc == MAUTH_OK)
        rc = new_in(home, url, &a, err);
    if (rc == MAUTH_OK && access(a->dir, F_OK) == 0)
        rc = account_home_check(a->dir, err);
    if (rc == MAUTH_OK)
        rc = device_key_prepare(a->key_file, pem, out, err);
    account_free(a);
    free(home);
    return rc;
}

enum mauth_rc
account_open(const struct service_url *url, struct account **out, struct mauth_err *err)
{
    return account_open_with(url, text_of(NULL), out, err);
}

enum mauth_rc
account_open_with(const struct service_url *url, struct text pem, struct account **out,
    struct mauth_err *err)
{
    struct account *a = NULL;
    char *home = NULL;
    enum mauth_rc rc = account_home_find(&home, err);

    *out = NULL;
    if (rc == MAUTH_OK)
        rc = new_in(home, url, &a, err);
    if (rc == MAUTH_OK)
        rc = account_home_make(a->dir, err);
    if (rc == MAUTH_OK && pem.len)
        rc = device_key_put(a->key_file, pem, err);
    if (rc == MAUTH_OK)
        rc = device_key_make(a->key_file, a->certificate_file, err);
    if (rc == MAUTH_OK)
        rc = device_key_load(a->certificate_file, &a->key, err);
    free(home);
    if (rc == MAUTH_OK)
        *out = a;
    else
        account_free(a);
    return rc;
}

enum mauth_rc
account_find_ca(const struct service_url *url, char **out, struct mauth_err *err)
{
    struct account *a = NULL;
    char *home = NULL;
    enum mauth_rc rc = account_home_find(&home, err);

    *out = NULL;
    if (rc == MAUTH_OK)
        rc = new_in(home, url, &a, err);
    if (rc == MAUTH_OK && a->has_ca)
        rc = account_home_check(a->dir, err);
    if (rc == MAUTH_OK && a->has_ca) {
        *out = a->ca_file;
        a->ca_file = NULL; /* now the caller's */
    }
    account_free(a);
    free(home);
    return rc;
}

const char *
account_url(const struct account *a)
{
    return a->url.text;
}

const char *
account_dir(const struct account *a)
{
    return a->dir;
}

const char *
account_key_file(const struct account *a)
{
    return a->key_file;
}

const char *
account_certificate_file(const struct account *a)
{
    return a->certificate_file;
}

const char *
account_ca_file(const struct account *a)
{
    return a->has_ca ? a->ca_file : NULL;
}

const struct mauth_key *
account_key(const struct account *a)
{
    return a->key;
}

const struct grant *
account_grant(const struct account *a)
{
    return a->grant;
}

int64_t
account_logged_in_s(const struct account *a)
{
    return a->logged_in_s;
}

/* Saving. */

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
    rc = load_state(&now, err);
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

/* Walking. */

/* The URL of an account by its folder's name: what was written is the judge. */
static enum mauth_rc
read_url(const char *state_file, struct service_url *out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf file;
    const char *url;
    json_t *o;

    buf_init(&file);
    rc = file_read_secret(state_file, GRANT_MAX, &file, err);
    if (rc == MAUTH_OK) {
        o = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, NULL);
        url = json_string_value(json_object_get(o, "url"));
        if (!url || service_url_parse(url, out, NULL) != MAUTH_OK)
            rc = mauth_fail(
                err, MAUTH_MALFORMED, "%s: names no service; log in again", state_file);
        json_decref(o);
    }
    buf_clear(&file);
    return rc;
}

/* All of an account that has logged in; dir is where it must lie, NULL: anywhere. */
static enum mauth_rc
load_in(const char *home, const struct service_url *url, const char *dir,
    struct account **out, struct mauth_err *err)
{
    enum mauth_rc rc = new_in(home, url, out, err);

    if (rc == MAUTH_OK && dir && strcmp((*out)->dir, dir) != 0)
        rc = mauth_fail(
            err, MAUTH_MALFORMED, "%s/account.json: not of this folder", dir);
    if (rc == MAUTH_OK)
        rc = account_home_check((*out)->dir, err);
    if (rc == MAUTH_OK)
        rc = device_key_load((*out)->certificate_file, &(*out)->key, err);
    if (rc == MAUTH_OK)
        rc = load_state(*out, err);
    if (rc != MAUTH_OK) {
        account_free(*out);
        *out = NULL;
    }
    return rc;
}

enum mauth_rc
account_load(const struct service_url *url, struct account **out, struct mauth_err *err)
{
    char *home = NULL;
    enum mauth_rc rc = account_home_find(&home, err);

    *out = NULL;
    if (rc == MAUTH_OK)
        rc = load_in(home, url, NULL, out, err);
    free(home);
    return rc;
}

static enum mauth_rc
visit(const char *home, const char *name, account_each *each, void *arg,
    struct mauth_err *err)
{
    char *dir = file_join(home, name);
    char *state = dir ? file_join(dir, "account.json") : NULL;
    struct account *a = NULL;
    enum mauth_rc rc = MAUTH_OK;
    struct service_url url;

    if (!state) {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
        goto out;
    }
    if (access(state, F_OK) != 0)
        goto out; /* a key, and no login yet */
    rc = account_home_check(dir, err);
    if (rc == MAUTH_OK)
        rc = read_url(state, &url, err);
    if (rc == MAUTH_OK)
        rc = load_in(home, &url, dir, &a, err);
    if (rc == MAUTH_OK)
        each(a, arg);
out:
    account_free(a);
    free(state);
    free(dir);
    return rc;
}

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

enum mauth_rc
account_walk(account_each *each, void *arg, struct mauth_err *err)
{
    struct dirent **list = NULL;
    char *home = NULL;
    enum mauth_rc rc = account_home_find(&home, err);
    int count;

    if (rc)
        return rc;
    count = scandir(home, &list, is_visible, alphasort);
    if (count < 0 && errno != ENOENT)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", home, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (rc == MAUTH_OK)
            rc = visit(home, list[i]->d_name, each, arg, err);
        free(list[i]);
    }
    free(list);
    free(home);
    return rc;
}
