#include "cli/trust_home.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/file.h"
#include "cli/account_lock.h"
#include "cli/device_key.h"
#include "keys/note_file.h"

#define SETTINGS "updater.json"
#define ROOT     "root.vkey"

enum {
    SETTINGS_MAX = 8192,
    FOLDER_MODE = 0755
};

void
trust_home_close(struct trust_home *h)
{
    account_unlock(h->lock);
    free(h->dir);
    free(h->key_file);
    free(h->certificate_file);
    free(h->ca_file);
    free(h->trust_file);
    free(h->witness_file);
    free(h->journals_file);
    free(h->alarm_file);
    memset(h, 0, sizeof(*h));
    h->lock = ACCOUNT_LOCK_NONE;
}

static enum mauth_rc
name_files(struct trust_home *h, const char *dir, struct mauth_err *err)
{
    h->dir = strdup(dir);
    h->certificate_file = file_join(dir, "service.crt");
    h->ca_file = file_join(dir, "ca.pem");
    h->trust_file = file_join(dir, "trust");
    h->witness_file = file_join(dir, "trust.witness");
    h->journals_file = file_join(dir, "trust.journals");
    h->alarm_file = file_join(dir, "trust.alarm");
    if (!h->dir || !h->certificate_file || !h->ca_file || !h->trust_file ||
        !h->witness_file || !h->journals_file || !h->alarm_file)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    return MAUTH_OK;
}

static enum mauth_rc
set_key_file(struct trust_home *h, const char *name, struct mauth_err *err)
{
    free(h->key_file);
    h->key_file = file_join(h->dir, name);
    return h->key_file ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

/* What a process that was killed left behind; nobody else writes now. */
static bool
is_left_over(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".new") == 0 &&
           (strncmp(name, "trust.", 6) == 0 || strncmp(name, SETTINGS, 12) == 0 ||
               strncmp(name, "status.json.", 12) == 0);
}

static void
sweep(const char *dir)
{
    const struct dirent *entry;
    DIR *d = opendir(dir);

    while (d && (entry = readdir(d)) != NULL)
        if (is_left_over(entry->d_name))
            unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        closedir(d);
}

/* What is remembered of the account service. */

static enum mauth_rc
take_settings(struct trust_home *h, const json_t *o, struct mauth_err *err)
{
    const char *url = json_string_value(json_object_get(o, "url"));
    const char *key = json_string_value(json_object_get(o, "key"));
    const char *service = json_string_value(json_object_get(o, "service"));
    struct id id;

    if (!url || service_url_parse(url, &h->url, NULL) != MAUTH_OK || !key || !*key ||
        (service && !id_parse(ID_SERVICE, service, strlen(service), &id)))
        return mauth_fail(err, MAUTH_MALFORMED,
            "%s/" SETTINGS ": not what `meshauth trust bootstrap` writes", h->dir);
    snprintf(h->service, sizeof(h->service), "%s", service ? service : "");
    h->has_ca = json_is_true(json_object_get(o, "ca"));
    return set_key_file(h, key, err);
}

static enum mauth_rc
read_settings(struct trust_home *h, struct mauth_err *err)
{
    char *path = file_join(h->dir, SETTINGS);
    json_t *o = NULL;
    struct buf file;
    enum mauth_rc rc;

    buf_init(&file);
    if (path)
        rc = file_read(path, SETTINGS_MAX, &file, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (rc == MAUTH_OK) {
        o = json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, NULL);
        rc = take_settings(h, o, err);
    }
    json_decref(o);
    buf_clear(&file);
    free(path);
    return rc;
}

/* A key in the folder is named without it, so that the folder can be moved. */
static const char *
key_name(const struct trust_home *h)
{
    size_t len = strlen(h->dir);

    if (strncmp(h->key_file, h->dir, len) == 0 && h->key_file[len] == '/')
        return h->key_file + len + 1;
    return h->key_file;
}

static enum mauth_rc
write_settings(const struct trust_home *h, struct mauth_err *err)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s*, s:b}", "url", h->url.text, "key", key_name(h),
            "service", h->service[0] ? h->service : NULL, "ca", (int)h->has_ca);
    char *text = o ? json_dumps(o, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    char *path = file_join(h->dir, SETTINGS);
    enum mauth_rc rc;

    if (text && path)
        rc = file_replace(path, text, strlen(text), FILE_PUBLIC, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    free(path);
    free(text);
    json_decref(o);
    return rc;
}

static enum mauth_rc
read_root(const struct trust_home *h, struct note_verifier *out, struct mauth_err *err)
{
    char *path = file_join(h->dir, ROOT);
    enum mauth_rc rc;

    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    rc = note_file_read(path, out, err);
    free(path);
    return rc;
}

/* Opening. */

static enum mauth_rc
open_locked(struct trust_home *h, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct note_verifier root;
    enum mauth_rc rc = read_root(h, &root, &why);

    if (rc)
        return mauth_fail(err, rc, "%s/" ROOT ": %s", h->dir, why.text);
    note_verifier_format(&root, h->vkey);
    rc = read_settings(h, err);
    if (rc == MAUTH_OK)
        sweep(h->dir);
    return rc;
}

/* Asked before anything is made there: it may be any folder. */
static bool
is_pinned(const struct trust_home *h)
{
    char *root = file_join(h->dir, ROOT), *settings = file_join(h->dir, SETTINGS);
    bool are_there =
        root && settings && access(root, F_OK) == 0 && access(settings, F_OK) == 0;

    free(settings);
    free(root);
    return are_there;
}

enum mauth_rc
trust_home_open(const char *dir, struct trust_home *out, struct mauth_err *err)
{
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    out->lock = ACCOUNT_LOCK_NONE;
    rc = name_files(out, dir, err);
    if (rc == MAUTH_OK && !is_pinned(out))
        rc = mauth_fail(err, MAUTH_NOT_FOUND,
            "%s: no root is pinned there; `meshauth trust bootstrap` does that", dir);
    if (rc == MAUTH_OK)
        rc = account_lock(dir, &out->lock, err);
    return rc ? rc : open_locked(out, err);
}

/* Pinning. */

static enum mauth_rc
make_folder(const char *dir, struct mauth_err *err)
{
    if (mkdir(dir, FOLDER_MODE) == 0) {
        if (chmod(dir, FOLDER_MODE) == 0) /* whatever the umask says */
            return MAUTH_OK;
    } else if (errno == EEXIST) {
        return MAUTH_OK;
    }
    return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", dir, strerror(errno));
}

/* What was pinned before stays pinned. */
static enum mauth_rc
check_before(struct trust_home *h, const struct trust_pin *pin, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct note_verifier root;
    enum mauth_rc rc = read_settings(h, &why);

    if (rc == MAUTH_OK && strcmp(h->url.text, pin->url->text) != 0)
        return mauth_fail(
            err, MAUTH_CONFLICT, "%s: is pinned to %s", pin->dir, h->url.text);
    if (rc && rc != MAUTH_NOT_FOUND)
        return mauth_fail(err, rc, "%s", why.text);
    mauth_err_reset(&why);
    rc = read_root(h, &root, &why);
    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_OK;
    if (rc == MAUTH_OK && (strcmp(root.name, pin->root->name) != 0 ||
                              memcmp(root.key, pin->root->key, NOTE_KEY_BYTES) != 0))
        return mauth_fail(err, MAUTH_CONFLICT,
            "%s: another root is pinned there; if that one is over, remove " ROOT
            " first",
            pin->dir);
    return rc ? mauth_fail(err, rc, "%s/" ROOT ": %s", pin->dir, why.text) : MAUTH_OK;
}

/* Every file but the root; the certificate is one for the key that is named now. */
static enum mauth_rc
write_files(struct trust_home *h, const struct trust_pin *pin, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    h->url = *pin->url;
    if (pin->service)
        snprintf(h->service, sizeof(h->service), "%s", pin->service);
    if (pin->key_file || !h->key_file)
        rc = set_key_file(h, pin->key_file ? pin->key_file : "service.key", err);
    if (rc == MAUTH_OK && pin->ca.len) {
        rc = file_replace(h->ca_file, pin->ca.p, pin->ca.len, FILE_PUBLIC, err);
        h->has_ca = true;
    }
    if (rc == MAUTH_OK)
        rc = write_settings(h, err);
    if (rc == MAUTH_OK && unlink(h->certificate_file) != 0 && errno != ENOENT)
        rc = mauth_fail(
            err, MAUTH_UNAVAILABLE, "%s: %s", h->certificate_file, strerror(errno));
    if (rc == MAUTH_OK)
        rc = device_key_make(h->key_file, h->certificate_file, err);
    return rc;
}

static enum mauth_rc
pin_root(struct trust_home *h, const struct note_verifier *root, struct mauth_err *err)
{
    char *path = file_join(h->dir, ROOT);
    enum mauth_rc rc;

    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    rc = note_file_write(path, root, err);
    note_verifier_format(root, h->vkey);
    free(path);
    return rc;
}

/* The root last: without it the folder is none. */
enum mauth_rc
trust_home_pin(
    const struct trust_pin *pin, struct trust_home *out, struct mauth_err *err)
{
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    out->lock = ACCOUNT_LOCK_NONE;
    rc = name_files(out, pin->dir, err);
    if (rc == MAUTH_OK)
        rc = make_folder(pin->dir, err);
    if (rc == MAUTH_OK)
        rc = account_lock(pin->dir, &out->lock, err);
    if (rc == MAUTH_OK)
        rc = check_before(out, pin, err);
    if (rc == MAUTH_OK)
        rc = write_files(out, pin, err);
    return rc ? rc : pin_root(out, pin->root, err);
}

enum mauth_rc
trust_home_set_service(struct trust_home *h, const char *service, struct mauth_err *err)
{
    if (strcmp(h->service, service) == 0)
        return MAUTH_OK;
    snprintf(h->service, sizeof(h->service), "%s", service);
    return write_settings(h, err);
}
