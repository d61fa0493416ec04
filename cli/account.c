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
#include "cli/account_parts.h"
#include "cli/device_key.h"

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

enum mauth_rc
account_read_state(struct account *a, struct mauth_err *err)
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

/* The one that would lie at its place; nothing is made, nothing looked at. */
static enum mauth_rc
place(const struct service_url *url, struct account **out, struct mauth_err *err)
{
    char *home = NULL;
    enum mauth_rc rc = account_home_find(&home, err);

    *out = NULL;
    if (rc == MAUTH_OK)
        rc = new_in(home, url, out, err);
    free(home);
    return rc;
}

enum mauth_rc
account_prepare_key(const struct service_url *url, struct buf *pem,
    struct mauth_key **out, struct mauth_err *err)
{
    struct account *a = NULL;
    enum mauth_rc rc = place(url, &a, err);

    *out = NULL;
    if (rc == MAUTH_OK && access(a->dir, F_OK) == 0)
        rc = account_home_check(a->dir, err);
    if (rc == MAUTH_OK)
        rc = device_key_prepare(a->key_file, pem, out, err);
    account_free(a);
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
    enum mauth_rc rc = place(url, &a, err);

    *out = NULL;
    if (rc == MAUTH_OK)
        rc = account_home_make(a->dir, err);
    if (rc == MAUTH_OK && pem.len)
        rc = device_key_put(a->key_file, pem, err);
    if (rc == MAUTH_OK)
        rc = device_key_make(a->key_file, a->certificate_file, err);
    if (rc == MAUTH_OK)
        rc = device_key_load(a->certificate_file, &a->key, err);
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
    enum mauth_rc rc = place(url, &a, err);

    *out = NULL;
    if (rc == MAUTH_OK && a->has_ca)
        rc = account_home_check(a->dir, err);
    if (rc == MAUTH_OK && a->has_ca) {
        *out = a->ca_file;
        a->ca_file = NULL; /* now the caller's */
    }
    account_free(a);
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
        rc = account_read_state(*out, err);
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
