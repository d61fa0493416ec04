#include "tickets/ticket.h"

#include "base/id.h"
#include "base/str.h"

static bool
is_principal(struct text t)
{
    enum id_kind kind = id_kind_of(t.p, t.len);

    return kind == ID_USER || kind == ID_SERVICE;
}

static bool
is_device(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_DEVICE;
}

static bool
is_user(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_USER;
}

static bool
is_folder(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_FOLDER;
}

static bool
is_session(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_SESSION;
}

static bool
is_service(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_SERVICE;
}

static bool
is_number(struct text t)
{
    uint64_t n;

    return str_number(t, &n);
}

static const struct {
    const char *name;
    size_t arity;
    ticket_valid arg[TICKET_ARGS];
} relations[FACT_RELATIONS] = {
    [FACT_ASOF] = {"asof", 1, {is_number}},
    [FACT_CLAIMED] = {"claimed", 2, {is_device, is_user}},
    [FACT_HOLDER] = {"holder", 1, {is_device}},
    [FACT_MAPPED] = {"mapped", 2, {is_device, is_folder}},
    [FACT_MEMBER] = {"member", 3, {is_user, is_folder, str_is_name}},
    [FACT_ROLE] = {"role", 2, {is_principal, str_is_name}},
    [FACT_SERVICE] = {"service", 1, {is_service}},
    [FACT_SESSION] = {"session", 1, {is_session}},
};

const char *
ticket_relation_name(enum ticket_relation relation)
{
    return relations[relation].name;
}

size_t
ticket_relation_arity(enum ticket_relation relation)
{
    return relations[relation].arity;
}

ticket_valid
ticket_relation_arg(enum ticket_relation relation, size_t i)
{
    return relations[relation].arg[i];
}

static size_t
count_of(const struct ticket *t, enum ticket_relation relation)
{
    size_t n = 0;

    for (size_t i = 0; i < t->facts; i++)
        n += t->fact[i].relation == relation;
    return n;
}

static struct text
only_arg(const struct ticket *t, enum ticket_relation relation)
{
    for (size_t i = 0; i < t->facts; i++)
        if (t->fact[i].relation == relation)
            return t->fact[i].arg[0];
    return (struct text){"", 0};
}

struct text
ticket_session(const struct ticket *t)
{
    return only_arg(t, FACT_SESSION);
}

struct text
ticket_asof(const struct ticket *t)
{
    return only_arg(t, FACT_ASOF);
}

struct text
ticket_holder(const struct ticket *t)
{
    return only_arg(t, FACT_HOLDER);
}

int
ticket_fact_compare(const struct ticket_fact *a, const struct ticket_fact *b)
{
    int order = (a->relation > b->relation) - (a->relation < b->relation);

    for (size_t i = 0; !order && i < ticket_relation_arity(a->relation); i++)
        order = text_compare(a->arg[i], b->arg[i]);
    return order;
}

static bool
is_audience(struct text t, struct text issuer)
{
    static const char service[] = "urn:meshauth:service:";
    static const char device[] = "urn:meshauth:device:";
    struct text rest = t;

    if (text_equal(t, issuer))
        return true;
    if (text_starts(t, service)) {
        rest.p += sizeof(service) - 1;
        rest.len -= sizeof(service) - 1;
        return str_is_name(rest);
    }
    if (text_starts(t, device)) {
        rest.p += sizeof(device) - 1;
        rest.len -= sizeof(device) - 1;
        return id_kind_of(rest.p, rest.len) == ID_DEVICE;
    }
    return false;
}

static const char *
flaw_of_audiences(const struct ticket *t)
{
    if (t->audiences < 1 || t->audiences > TICKET_AUDIENCES)
        return "it must have 1 to 4 audiences";
    if (!t->holder_spki && t->audiences != 1)
        return "a bearer ticket must have one audience";
    for (size_t i = 0; i < t->audiences; i++) {
        if (!is_audience(t->audience[i], t->issuer))
            return "an audience is neither the issuer nor a service nor a device";
        for (size_t j = 0; j < i; j++)
            if (text_equal(t->audience[i], t->audience[j]))
                return "an audience is named twice";
    }
    return NULL;
}

static const char *
flaw_of_kind(const struct ticket *t)
{
    bool service = id_kind_of(t->subject.p, t->subject.len) == ID_SERVICE;
    bool shown = false;

    if (!t->has_authn) {
        for (size_t i = 0; i < t->audiences; i++)
            if (text_equal(t->audience[i], t->issuer))
                return "a rights ticket is not for the issuer";
        return NULL;
    }
    if (t->permits)
        return "an identity ticket permits nothing";
    if (t->audiences != 1 || !text_equal(t->audience[0], t->issuer))
        return "an identity ticket is for the issuer alone";
    for (size_t i = 0; service && i < t->facts; i++)
        shown |= t->fact[i].relation == FACT_SERVICE &&
                 text_equal(t->fact[i].arg[0], t->subject);
    if (service && !shown)
        return "a service's identity ticket has the fact service(subject)";
    return NULL;
}

static const char *
flaw_of_permits(const struct ticket *t)
{
    for (size_t i = 0; i < t->permits; i++) {
        const struct ticket_permit *p = &t->permit[i];

        if (i && text_compare(t->permit[i - 1].resource, p->resource) >= 0)
            return "the resources are not in ascending order";
        if (!p->count)
            return "a resource without an action";
        for (size_t j = 1; j < p->count; j++)
            if (text_compare(t->action[p->first + j - 1], t->action[p->first + j]) >= 0)
                return "the actions are not in ascending order";
    }
    return NULL;
}

static const char *
flaw_of_facts(const struct ticket *t)
{
    if (count_of(t, FACT_ASOF) != 1 || count_of(t, FACT_SESSION) != 1)
        return "it must have exactly one asof and one session";
    if (count_of(t, FACT_HOLDER) > (t->holder_spki ? 1U : 0U))
        return "more than one holder, or one in a bearer ticket";
    for (size_t i = 1; i < t->facts; i++)
        if (ticket_fact_compare(&t->fact[i - 1], &t->fact[i]) >= 0)
            return "the facts are not in ascending order";
    return NULL;
}

const char *
ticket_flaw(const struct ticket *t)
{
    const char *flaw = NULL;

    if (t->not_before_s >= t->not_on_or_after_s)
        return "NotBefore is not before NotOnOrAfter";
    if (t->alg == KEY_ECDSA_SHA256 && t->signature.len != 64)
        return "an ECDSA signature is 64 bytes long";
    flaw = flaw_of_audiences(t);
    if (!flaw)
        flaw = flaw_of_kind(t);
    if (!flaw)
        flaw = flaw_of_permits(t);
    if (!flaw)
        flaw = flaw_of_facts(t);
    return flaw;
}
