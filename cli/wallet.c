#include "cli/wallet.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/secret.h"
#include "cli/account_lock.h"
#include "cli/wallet_line.h"
#include <meshauth/credential.h>

struct item {
    json_t *
        kept; /* {"credential", "for": [{"audience", "resource"?, "actions", "place"?}]} */
    struct mauth_ticket *says;
};

struct wallet {
    const struct account *account;
    char *file;
    size_t count;
    struct item item[WALLET_TICKETS];
};

static const char *
text_in(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s ? s : "";
}

static void
item_clear(struct item *item)
{
    json_decref(item->kept);
    mauth_ticket_free(item->says);
    memset(item, 0, sizeof(*item));
}

static void
remove_item(struct wallet *w, size_t i)
{
    item_clear(&w->item[i]);
    w->item[i] = w->item[--w->count];
    memset(&w->item[w->count], 0, sizeof(w->item[w->count]));
}

static void
empty(struct wallet *w)
{
    while (w->count)
        remove_item(w, w->count - 1);
}

void
wallet_close(struct wallet *w)
{
    if (!w)
        return;
    empty(w);
    free(w->file);
    free(w);
}

/* Reading a ticket. */

static bool
is_of_login(const struct wallet *w, const struct mauth_ticket *t)
{
    const struct mauth_ticket *who = grant_ticket(account_grant(w->account), 0);

    return !mauth_ticket_is_identity(t) &&
           grant_is_bound_to(t, account_key(w->account)) &&
           strcmp(mauth_ticket_issuer(t), account_url(w->account)) == 0 &&
           strcmp(mauth_ticket_subject(t), mauth_ticket_subject(who)) == 0 &&
           strcmp(mauth_ticket_session(t), mauth_ticket_session(who)) == 0;
}

/* A line of what a ticket is for. */
static bool
is_line(const json_t *line, const struct mauth_ticket *t)
{
    const json_t *actions = json_object_get(line, "actions");
    const json_t *resource = json_object_get(line, "resource");

    for (size_t i = 0; i < json_array_size(actions); i++)
        if (!json_is_string(json_array_get(actions, i)))
            return false;
    return grant_has_audience(t, text_in(line, "audience")) && json_is_array(actions) &&
           (!resource || json_is_string(resource));
}

static enum mauth_rc
read_ticket(const struct wallet *w, const char *credential, struct mauth_ticket **out,
    struct mauth_err *err)
{
    char xml[MAUTH_TICKET_MAX];
    enum mauth_rc rc;
    size_t len;

    *out = NULL;
    rc = mauth_credential_decode(credential, strlen(credential), xml, &len, err);
    if (rc == MAUTH_OK)
        rc = mauth_ticket_read_untrusted(xml, len, out, err);
    if (rc == MAUTH_OK && !is_of_login(w, *out)) {
        mauth_ticket_free(*out);
        *out = NULL;
        rc = mauth_fail(err, MAUTH_MALFORMED,
            "a ticket is of another kind, issuer, key, subject or session");
    }
    return rc;
}

/* Whether another of the same credential is in it. */
static struct item *
find_credential(struct wallet *w, const char *credential)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(text_in(w->item[i].kept, "credential"), credential) == 0)
            return &w->item[i];
    return NULL;
}

static int64_t
end_of(const struct item *item)
{
    return mauth_ticket_not_on_or_after_s(item->says);
}

static void
make_room(struct wallet *w)
{
    size_t first = 0;

    for (size_t i = 1; i < w->count; i++)
        if (end_of(&w->item[i]) < end_of(&w->item[first]))
            first = i;
    if (w->count == WALLET_TICKETS)
        remove_item(w, first);
}

/* Takes what tickets.json has of a ticket; false when it is of no use. */
static bool
take_kept(struct wallet *w, json_t *kept, int64_t now_s)
{
    const json_t *lines = json_object_get(kept, "for");
    const char *credential = text_in(kept, "credential");
    struct mauth_ticket *says;

    if (find_credential(w, credential) ||
        read_ticket(w, credential, &says, NULL) != MAUTH_OK)
        return false;
    for (size_t i = 0; i < json_array_size(lines); i++)
        if (!is_line(json_array_get(lines, i), says))
            lines = NULL;
    if (!json_array_size(lines) || now_s >= mauth_ticket_not_on_or_after_s(says)) {
        mauth_ticket_free(says);
        return false;
    }
    make_room(w);
    w->item[w->count++] = (struct item){json_incref(kept), says};
    return true;
}

/* The login, and each renewal, bring some along. */
static void
take_login(struct wallet *w, int64_t now_s)
{
    const struct grant *g = account_grant(w->account);

    for (size_t i = 1; i < grant_count(g); i++) {
        json_t *kept = json_pack("{s:s, s:o}", "credential", grant_credential(g, i),
            "for", wallet_line_all(grant_ticket(g, i)));

        (void)take_kept(w, kept, now_s);
        json_decref(kept);
    }
}

/* The file. */

static enum mauth_rc
load(struct wallet *w, int64_t now_s, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct buf file;
    json_t *o, *list;
    enum mauth_rc rc;

    empty(w);
    buf_init_secret(&file);
    rc = file_read_secret(w->file, GRANT_MAX, &file, &why);
    o = rc ? NULL
           : json_loadb(
                 (const char *)file.data, file.len, JSON_REJECT_DUPLICATES, NULL);
    list = json_object_get(o, "tickets");
    for (size_t i = 0; i < json_array_size(list); i++)
        (void)take_kept(w, json_array_get(list, i), now_s);
    json_decref(o);
    buf_clear(&file);
    take_login(w, now_s);
    if (rc == MAUTH_NOT_FOUND || rc == MAUTH_TOO_LARGE) /* none, or no cache of ours */
        return MAUTH_OK;
    return rc ? mauth_fail(err, rc, "%s", why.text) : MAUTH_OK;
}

static enum mauth_rc
save(const struct wallet *w, struct mauth_err *err)
{
    json_t *list = json_array(), *o;
    enum mauth_rc rc = MAUTH_OK;
    char *text = NULL;

    for (size_t i = 0; i < w->count && rc == MAUTH_OK; i++)
        if (json_array_append(list, w->item[i].kept) != 0)
            rc = MAUTH_NO_MEMORY;
    o = json_pack("{s:o}", "tickets", list);
    if (rc == MAUTH_OK)
        text = json_dumps(o, JSON_INDENT(1) | JSON_SORT_KEYS);
    json_decref(o);
    if (!text)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    rc = file_replace(w->file, text, strlen(text), FILE_PRIVATE, err);
    mauth_wipe(text, strlen(text));
    free(text);
    return rc;
}

enum mauth_rc
wallet_open(
    const struct account *a, int64_t now_s, struct wallet **out, struct mauth_err *err)
{
    struct wallet *w = calloc(1, sizeof(*w));
    enum mauth_rc rc = MAUTH_OK;

    *out = NULL;
    if (w)
        w->file = file_join(account_dir(a), ACCOUNT_TICKETS);
    if (!w || !w->file) {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    } else {
        w->account = a;
        rc = load(w, now_s, err);
    }
    if (rc == MAUTH_OK)
        *out = w;
    else
        wallet_close(w);
    return rc;
}

/* Finding. */

size_t
wallet_count(const struct wallet *w)
{
    return w->count;
}

const struct mauth_ticket *
wallet_at(const struct wallet *w, size_t i)
{
    return w->item[i].says;
}

const json_t *
wallet_lines(const struct wallet *w, size_t i)
{
    return json_object_get(w->item[i].kept, "for");
}

/* audience NULL: that of the place; resource NULL: none was asked about. */
static const json_t *
find_line(const struct wallet *w, const json_t *lines, const char *audience,
    const char *resource, const char *action)
{
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        bool fits = wallet_line_has(line, action) &&
                    (!audience || strcmp(text_in(line, "audience"), audience) == 0);

        if (!resource)
            fits = fits && !json_object_get(line, "resource");
        else if (wallet_line_is_node(account_url(w->account), resource))
            fits = fits && audience && strcmp(text_in(line, "resource"), resource) == 0;
        else
            fits = fits && wallet_line_is_at(line, resource);
        if (fits)
            return line;
    }
    return NULL;
}

/* A line of it for each thing that is wanted? The last of them, or NULL. */
static const json_t *
covers(const struct wallet *w, const json_t *lines, const struct token_rights *want)
{
    const json_t *line = NULL;
    size_t audiences = want->audiences ? want->audiences : 1;
    size_t resources = want->resources ? want->resources : 1;

    for (size_t a = 0; a < audiences; a++)
        for (size_t r = 0; r < resources; r++)
            for (size_t k = 0; k < want->actions; k++) {
                line = find_line(w, lines, want->audiences ? want->audience[a] : NULL,
                    want->resources ? want->resource[r] : NULL, want->action[k]);
                if (!line)
                    return NULL;
            }
    return line;
}

bool
wallet_find(const struct wallet *w, const struct token_rights *want, int64_t until_s,
    struct wallet_ticket *out)
{
    uint64_t asof = 0;
    bool found = false;

    for (size_t i = 0; i < w->count; i++) {
        const struct item *item = &w->item[i];
        const json_t *line = end_of(item) > until_s
                                 ? covers(w, json_object_get(item->kept, "for"), want)
                                 : NULL;

        if (!line || (found && mauth_ticket_asof(item->says) <= asof))
            continue;
        found = true;
        asof = mauth_ticket_asof(item->says);
        *out = (struct wallet_ticket){text_in(item->kept, "credential"), item->says,
            want->audiences ? want->audience[0] : text_in(line, "audience"),
            json_is_true(json_object_get(line, "dpop"))};
    }
    return found;
}

/* Taking in. */

/* A line of the answer, added to its ticket, which comes first if it is new. */
static enum mauth_rc
take_line(struct wallet *w, const json_t *from, const struct token_rights *asked,
    struct mauth_err *err)
{
    const char *credential = text_in(from, "credential");
    struct item *item = find_credential(w, credential);
    enum mauth_rc rc = MAUTH_OK;
    json_t *line;

    if (!item) {
        make_room(w);
        item = &w->item[w->count];
        rc = read_ticket(w, credential, &item->says, err);
        if (rc != MAUTH_OK)
            return rc;
        w->count++;
        item->kept = json_pack("{s:s, s:[]}", "credential", credential, "for");
    }
    if (!is_line(from, item->says))
        return mauth_fail(err, MAUTH_MALFORMED,
            "a line of \"tickets\" is not one, or of another audience");
    line = json_pack("{s:O, s:O, s:O*}", "audience", json_object_get(from, "audience"),
        "actions", json_object_get(from, "actions"), "resource",
        json_object_get(from, "resource"));
    if (!line || !wallet_line_note_place(line, account_url(w->account), asked) ||
        json_array_append(json_object_get(item->kept, "for"), line) != 0)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    json_decref(line);
    return rc;
}

static enum mauth_rc
take_answer(struct wallet *w, const json_t *o, const struct token_rights *asked,
    struct mauth_err *err)
{
    const json_t *list = json_object_get(o, "tickets");
    size_t count = json_array_size(list);
    enum mauth_rc rc = MAUTH_OK;

    if (!count || count > WALLET_LINES)
        return mauth_fail(err, MAUTH_MALFORMED,
            "\"tickets\" is not a list of 1 to %d lines", WALLET_LINES);
    for (size_t i = 0; i < count && rc == MAUTH_OK; i++)
        rc = take_line(w, json_array_get(list, i), asked, err);
    return rc;
}

enum mauth_rc
wallet_add(struct wallet *w, struct text answer, const struct token_rights *asked,
    int64_t now_s, struct mauth_err *err)
{
    json_t *o = json_loadb(answer.p, answer.len, JSON_REJECT_DUPLICATES, NULL);
    enum mauth_rc rc;
    int lock;

    rc = account_lock(account_dir(w->account), &lock, err);
    if (rc == MAUTH_OK)
        rc = load(w, now_s, err); /* what others have added meanwhile */
    if (rc == MAUTH_OK)
        rc = take_answer(w, o, asked, err);
    if (rc == MAUTH_OK)
        rc = save(w, err);
    else
        empty(w); /* half of an answer is none */
    account_unlock(lock);
    json_decref(o);
    return rc;
}

enum mauth_rc
wallet_drop(
    struct wallet *w, const char *credential, int64_t now_s, struct mauth_err *err)
{
    char *copy = strdup(credential); /* it may be of the wallet */
    struct item *item;
    enum mauth_rc rc;
    int lock;

    if (!copy)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    rc = account_lock(account_dir(w->account), &lock, err);
    if (rc == MAUTH_OK)
        rc = load(w, now_s, err);
    item = find_credential(w, copy);
    if (rc == MAUTH_OK && item) {
        remove_item(w, (size_t)(item - w->item));
        rc = save(w, err);
    }
    account_unlock(lock);
    free(copy);
    return rc;
}
