#include "cli/audit_replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

const char *const replay_of_folder[] = {"folder.create", "folder.delete", "folder.pass",
    "invitation.accept", "mapping.add", "mapping.remove", "member.leave",
    "member.remove", "member.role", NULL};
const char *const replay_of_all[] = {
    "device.release", "device.revoke", "user.delete", NULL};

void
replay_init(struct replay *r, const char *folder)
{
    memset(r, 0, sizeof(*r));
    snprintf(r->folder, sizeof(r->folder), "%s", folder);
}

void
replay_clear(struct replay *r)
{
    free(r->row);
    r->row = NULL;
    r->count = r->cap = 0;
}

static const char *
text_of_member(const json_t *record, const char *name)
{
    const char *s = json_string_value(json_object_get(record, name));

    return s ? s : "";
}

/* What a resource is: its last segment, "fld_..." of a URL, a role as it is. */
static const char *
resource(const json_t *record, size_t i)
{
    const char *s =
        json_string_value(json_array_get(json_object_get(record, "resources"), i));
    const char *slash = s ? strrchr(s, '/') : NULL;

    return slash ? slash + 1 : s ? s : "";
}

static struct replay_row *
find(struct replay *r, const char *id)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->row[i].id, id) == 0)
            return &r->row[i];
    return NULL;
}

static enum mauth_rc
give(struct replay *r, const char *id, const char *role, const json_t *record,
    struct mauth_err *err)
{
    struct replay_row *row = find(r, id);

    if (!row && r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 16;
        struct replay_row *more = realloc(r->row, cap * sizeof(*more));

        if (!more)
            return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
        r->row = more;
        r->cap = cap;
    }
    if (!row)
        row = &r->row[r->count++];
    memset(row, 0, sizeof(*row));
    snprintf(row->id, sizeof(row->id), "%s", id);
    snprintf(row->role, sizeof(row->role), "%s", role);
    snprintf(row->since, sizeof(row->since), "%s", text_of_member(record, "time"));
    snprintf(row->actor, sizeof(row->actor), "%s", text_of_member(record, "actor"));
    row->sequence = (uint64_t)json_integer_value(json_object_get(record, "sequence"));
    return MAUTH_OK;
}

static void
take_away(struct replay *r, const char *id)
{
    struct replay_row *row = find(r, id);

    if (!row)
        return;
    r->count--;
    memmove(row, row + 1, (size_t)(r->row + r->count - row) * sizeof(*row));
}

/* A user, and with him the devices on which he put the folder. */
static void
take_away_user(struct replay *r, const char *id)
{
    take_away(r, id);
    for (size_t i = r->count; i-- > 0;)
        if (!r->row[i].role[0] && strcmp(r->row[i].actor, id) == 0)
            take_away(r, r->row[i].id);
}

static enum mauth_rc
pass_on(struct replay *r, const json_t *record, struct mauth_err *err)
{
    enum mauth_rc rc = give(r, resource(record, 1), "owner", record, err);

    return rc ? rc
              : give(r, text_of_member(record, "actor"), "contributor", record, err);
}

enum mauth_rc
replay_take(struct replay *r, const json_t *record, struct mauth_err *err)
{
    const char *action = text_of_member(record, "action");
    const char *actor = text_of_member(record, "actor");

    if (strcmp(text_of_member(record, "outcome"), "done") != 0)
        return MAUTH_OK;
    if (strcmp(action, "folder.create") == 0) {
        r->exists = true;
        return give(r, actor, "owner", record, err);
    }
    if (strcmp(action, "invitation.accept") == 0)
        return give(r, actor, resource(record, 2), record, err);
    if (strcmp(action, "member.role") == 0)
        return give(r, resource(record, 1), resource(record, 2), record, err);
    if (strcmp(action, "folder.pass") == 0)
        return pass_on(r, record, err);
    if (strcmp(action, "mapping.add") == 0)
        return give(r, resource(record, 1), "", record, err);
    if (strcmp(action, "mapping.remove") == 0)
        take_away(r, resource(record, 1));
    else if (strcmp(action, "member.leave") == 0)
        take_away_user(r, actor);
    else if (strcmp(action, "member.remove") == 0)
        take_away_user(r, resource(record, 1));
    else if (strcmp(action, "user.delete") == 0)
        take_away_user(r, resource(record, 0));
    else if (strncmp(action, "device.", 7) == 0)
        take_away(r, resource(record, 0));
    else if (strcmp(action, "folder.delete") == 0)
        r->count = r->exists = 0;
    return MAUTH_OK;
}
