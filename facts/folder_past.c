#include "facts/folder_past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/fail.h"

const char *const folder_past_ends[] = {
    "device.release", "device.revoke", "user.delete", NULL};

void
folder_past_init(struct folder_past *p, const struct id *folder)
{
    memset(p, 0, sizeof(*p));
    id_format(ID_FOLDER, folder, p->folder);
}

void
folder_past_clear(struct folder_past *p)
{
    free(p->row);
    p->row = NULL;
    p->count = p->cap = 0;
}

/* What a record says, as far as it matters here. */
struct deed {
    const char *action, *actor, *time;
    uint64_t sequence;
    const json_t *resources;
    /* The first of each kind that it names; "" when there is none. */
    const char *user, *device;
    const char *last; /* resource: the role, where one is given */
};

static const char *
text_of_member(const json_t *record, const char *name)
{
    const char *s = json_string_value(json_object_get(record, name));

    return s ? s : "";
}

/* What a resource is: the end of a URL, all else as it stands. */
static const char *
resource(const json_t *resources, size_t i)
{
    const char *s = json_string_value(json_array_get(resources, i));
    const char *slash = s ? strrchr(s, '/') : NULL;

    return slash ? slash + 1 : s ? s : "";
}

/* Admins' records name the same things in another order. */
static const char *
first_of(const json_t *resources, enum id_kind kind)
{
    for (size_t i = 0; i < json_array_size(resources); i++) {
        const char *s = resource(resources, i);

        if (id_kind_of(s, strlen(s)) == kind)
            return s;
    }
    return "";
}

static void
read_deed(const json_t *record, struct deed *out)
{
    const json_t *resources = json_object_get(record, "resources");
    size_t count = json_array_size(resources);

    out->action = text_of_member(record, "action");
    out->actor = text_of_member(record, "actor");
    out->time = text_of_member(record, "time");
    out->sequence = (uint64_t)json_integer_value(json_object_get(record, "sequence"));
    out->resources = resources;
    out->user = first_of(resources, ID_USER);
    out->device = first_of(resources, ID_DEVICE);
    out->last = count ? resource(resources, count - 1) : "";
}

static struct past_row *
find(const struct folder_past *p, const char *id)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->row[i].id, id) == 0)
            return &p->row[i];
    return NULL;
}

static struct past_row *
add(struct folder_past *p)
{
    size_t cap = p->cap ? p->cap * 2 : 16;
    struct past_row *more;

    if (p->count < p->cap)
        return &p->row[p->count++];
    more = realloc(p->row, cap * sizeof(*more));
    if (!more)
        return NULL;
    p->row = more;
    p->cap = cap;
    return &p->row[p->count++];
}

/* A role that somebody has already is not given by this record. */
static enum mauth_rc
give(struct folder_past *p, const char *id, const char *role, const struct deed *d,
    struct mauth_err *err)
{
    struct past_row *row = find(p, id);

    if (!*id || (row && strcmp(row->role, role) == 0))
        return MAUTH_OK;
    if (!row)
        row = add(p);
    if (!row)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    snprintf(row->id, sizeof(row->id), "%s", id);
    snprintf(row->role, sizeof(row->role), "%s", role);
    snprintf(row->user, sizeof(row->user), "%s", *role ? id : d->actor);
    snprintf(row->since, sizeof(row->since), "%s", d->time);
    snprintf(row->actor, sizeof(row->actor), "%s", d->actor);
    row->sequence = d->sequence;
    return MAUTH_OK;
}

static void
take_away(struct folder_past *p, const char *id)
{
    struct past_row *row = find(p, id);

    if (!row)
        return;
    p->count--;
    memmove(row, row + 1, (size_t)(p->row + p->count - row) * sizeof(*row));
}

/* A member, and with him the folder on his devices. */
static void
take_away_user(struct folder_past *p, const char *user)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->row[i].user, user) != 0)
            p->row[kept++] = p->row[i];
    p->count = kept;
}

static enum mauth_rc
create(struct folder_past *p, const struct deed *d, struct mauth_err *err)
{
    p->is_told = true;
    return give(p, d->actor, "owner", d, err);
}

static enum mauth_rc
end_folder(struct folder_past *p, const struct deed *d, struct mauth_err *err)
{
    (void)d;
    (void)err;
    p->count = 0;
    p->exists = false;
    return MAUTH_OK;
}

static enum mauth_rc
pass(struct folder_past *p, const struct deed *d, struct mauth_err *err)
{
    enum mauth_rc rc = give(p, d->user, "owner", d, err);

    return rc ? rc : give(p, d->actor, "contributor", d, err);
}

static enum mauth_rc
accept_invitation(struct folder_past *p, const struct deed *d, struct mauth_err *err)
{
    return give(p, d->actor, d->last, d, err);
}

static enum mauth_rc
set_role(struct folder_past *p, const struct deed *d, struct mauth_err *err)
{
    return give(p, d->user, d->last, d, err);
}

static enum mauth_rc
leave(struct folder_past *p, const struct deed *d, struct mauth_err *err)
{
    (void)err;
    take_away_user(p, d->actor);
    return MAUTH_OK;
}

static enum mauth_rc
remove_member(struct folder_past *p, const struct deed *d, struct mauth_err *err)
{
    (void)err;
    take_away_user(p, d->user);
    return MAUTH_OK;
}

static enum mauth_rc
map(struct folder_past *p, const struct deed *d, struct mauth_err *err)
{
    return give(p, d->device, "", d, err);
}

static enum mauth_rc
unmap(struct folder_past *p, const struct deed *d, struct mauth_err *err)
{
    (void)err;
    take_away(p, d->device);
    return MAUTH_OK;
}

/* An owner's folders end with him. */
static enum mauth_rc
delete_user(struct folder_past *p, const struct deed *d, struct mauth_err *err)
{
    const struct past_row *row = find(p, d->user);

    if (row && strcmp(row->role, "owner") == 0)
        return end_folder(p, d, err);
    return remove_member(p, d, err);
}

static const struct {
    const char *action;
    bool names_folder;
    enum mauth_rc (*take)(
        struct folder_past *p, const struct deed *d, struct mauth_err *err);
} deeds[] = {
    {"device.release", false, unmap},
    {"device.revoke", false, unmap},
    {"folder.create", true, create},
    {"folder.delete", true, end_folder},
    {"folder.pass", true, pass},
    {"invitation.accept", true, accept_invitation},
    {"mapping.add", true, map},
    {"mapping.remove", true, unmap},
    {"member.leave", true, leave},
    {"member.remove", true, remove_member},
    {"member.role", true, set_role},
    {"user.delete", false, delete_user},
};

enum mauth_rc
folder_past_take(struct folder_past *p, struct text record, struct mauth_err *err)
{
    json_t *o = json_loadb(record.p, record.len, 0, NULL);
    enum mauth_rc rc = MAUTH_OK;
    struct deed d;

    if (!o)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "audit: a record is damaged");
    read_deed(o, &d);
    for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds) && rc == MAUTH_OK; i++) {
        if (strcmp(deeds[i].action, d.action) != 0 ||
            (deeds[i].names_folder &&
                strcmp(first_of(d.resources, ID_FOLDER), p->folder) != 0))
            continue;
        p->exists = p->exists || deeds[i].names_folder;
        rc = deeds[i].take(p, &d, err);
    }
    json_decref(o);
    return rc;
}
