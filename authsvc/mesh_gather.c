/* What a request on the graph brings, before any transaction. */
#include <string.h>

#include "authsvc/mesh.h"
#include "authsvc/pace.h"
#include "authsvc/precondition.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "net/form.h"
#include "store/graph_label.h"

bool
mesh_kind_of(char letter, enum id_kind *out)
{
    static const struct {
        char letter;
        enum id_kind kind;
    } letters[] = {
        {'f', ID_FOLDER}, {'d', ID_DEVICE}, {'u', ID_USER}, {'i', ID_INVITATION}};

    for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
        *out = letters[i].kind;
        if (letters[i].letter == letter)
            return true;
    }
    return false;
}

/* The ids of the path, each of its kind; what is none cannot be found. */
static const char *
gather_ids(struct mesh *m)
{
    enum id_kind kind;
    size_t n = 0;

    for (const char *p = m->op->args; *p; p++) {
        struct text id = http_path_id(m->x, n);

        if (!mesh_kind_of(*p, &kind))
            continue;
        if (!id_parse(kind, id.p, id.len, &m->id[n++]))
            return "not-found";
    }
    return NULL;
}

static const char *
gather_fresh(struct mesh *m)
{
    struct text own = http_path_id(m->x, 0);

    if (strcmp(http_method(m->x), "PUT") != 0)
        return id_new(&m->fresh, NULL) == MAUTH_OK ? NULL : "internal";
    if (!id_parse(m->op->kind, own.p, own.len, &m->fresh))
        return "not-found";
    return precondition_is_fresh(http_header(m->x, "If-None-Match"))
               ? NULL
               : "precondition-required";
}

/* ?after= and ?limit= of a list; nothing else has a query. */
static const char *
gather_page(struct mesh *m, const struct form *f)
{
    static const char *const nothing[] = {NULL};
    static const char *const known[] = {"after", "limit", NULL};
    const char *after = form_value(f, "after", 0), *limit = form_value(f, "limit", 0);
    uint64_t n = MESH_PAGE;

    if (form_repeated(f, nothing) || form_unknown(f, known))
        return "query";
    if (after && !id_parse(m->op->kind, after, strlen(after), &m->after))
        return "query";
    if (limit && (!str_number(text_of(limit), &n) || n < 1 || n > MESH_PAGE))
        return "query";
    m->has_after = after != NULL;
    m->limit = n;
    return NULL;
}

static const char *
gather_query(struct mesh *m)
{
    struct text query = text_of(http_query(m->x));
    const char *problem = "query";
    struct form *f = NULL;

    m->limit = MESH_PAGE;
    if (!query.len)
        return NULL;
    if ((m->op->flags & MESH_LISTS) && form_parse(query, &f, NULL) == MAUTH_OK)
        problem = gather_page(m, f);
    form_free(f);
    return problem;
}

static const char *
gather_body(struct mesh *m)
{
    const char *problem;

    if (!m->op->members)
        return NULL;
    problem = json_body_parse(http_body(m->x), m->op->members, &m->body);
    memcpy(m->detail, m->body.detail, sizeof(m->detail));
    if (problem)
        return problem;
    m->role = json_body_text(m->body.root, "role");
    return m->role && !str_is_name(text_of(m->role)) ? "role" : NULL;
}

const char *
mesh_gather_name(struct mesh *m)
{
    const char *name = json_body_text(m->body.root, "name");

    return name && !graph_label_ok(text_of(name)) ? "name" : NULL;
}

const char *
mesh_gather(struct mesh *m, struct mauth_err *err)
{
    const struct mesh_op *op = m->op;
    const char *problem = NULL;

    if (op->flags & MESH_ANYONE)
        principal_take_nobody(m->x, &m->who);
    else
        problem = principal_take(m->x, &m->who, err);
    if (!problem && m->who.caller.ticket && !(op->flags & MESH_READS) &&
        !pace_take(m->service->pace, &m->who.caller.principal, time_monotonic_ms()))
        problem = "too-fast";
    if (!problem)
        problem = gather_ids(m);
    if (!problem)
        problem = gather_query(m);
    if (!problem && (op->flags & MESH_MATCH) && !m->if_match)
        problem = "precondition-required";
    if (!problem && (op->flags & MESH_MAKES))
        problem = gather_fresh(m);
    if (!problem)
        problem = gather_body(m);
    if (!problem && op->gather)
        problem = op->gather(m);
    if (!problem && mauth_random(m->salt, sizeof(m->salt), err) != MAUTH_OK)
        problem = "internal";
    return problem;
}
