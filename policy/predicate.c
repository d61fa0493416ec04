#include "policy/predicate.h"

#include <string.h>

#include "base/id.h"

enum {
    PRINCIPAL = VALUE_USER | VALUE_SERVICE,
};

static const struct predicate_info infos[PREDICATES] = {
    [PREDICATE_CLAIMED] = {"claimed", 2, {VALUE_DEVICE, VALUE_USER},
        {"--", "+- -+ ++"}},
    [PREDICATE_HOLDER] = {"holder", 1, {VALUE_DEVICE}, {"-", "-"}},
    [PREDICATE_MAPPED] = {"mapped", 2, {VALUE_DEVICE, VALUE_FOLDER},
        {"--", "++ +- -+"}},
    [PREDICATE_MEMBER] = {"member", 3, {VALUE_USER, VALUE_FOLDER, VALUE_NAME},
        {"---", "++- +-- -+-"}},
    [PREDICATE_ROLE] = {"role", 2, {PRINCIPAL, VALUE_NAME}, {"--", "++ +-"}},
    [PREDICATE_SERVICE] = {"service", 1, {VALUE_SERVICE}, {"-", "+"}},
    [PREDICATE_SESSION] = {"session", 1, {VALUE_SESSION}, {"-", "-"}},
    [PREDICATE_SUBJECT] = {"subject", 1, {PRINCIPAL}, {"-", "-"}},

    [PREDICATE_PERMIT] = {"permit", 2, {VALUE_NAME, VALUE_URL}, {"--", NULL}},

    [PREDICATE_ACCOUNT] = {"account", 1, {VALUE_USER}, {NULL, "+"}},
    [PREDICATE_ADDRESSED] = {"addressed", 2, {VALUE_INVITATION, VALUE_USER},
        {NULL, "++"}},
    [PREDICATE_CALLER] = {"caller", 1, {PRINCIPAL}, {NULL, "-"}},
    [PREDICATE_INVITATION] = {"invitation", 3,
        {VALUE_INVITATION, VALUE_FOLDER, VALUE_NAME}, {NULL, "+--"}},
    [PREDICATE_INVITER] = {"inviter", 2, {VALUE_INVITATION, VALUE_USER}, {NULL, "+-"}},
    [PREDICATE_KEY] = {"key", 1, {VALUE_NAME | VALUE_OTHER}, {NULL, "-"}},
    [PREDICATE_LOCAL] = {"local", 0, {0}, {NULL, ""}},
    [PREDICATE_SHARING] = {"sharing", 2, {VALUE_FOLDER, VALUE_NAME}, {NULL, "++ +-"}},
    [PREDICATE_SHOWN] = {"shown", 1, {VALUE_INVITATION}, {NULL, "-"}},

    [PREDICATE_DEVICE] = {"device", 2, {VALUE_URL, VALUE_DEVICE}, {"+-", "+-"}},
    [PREDICATE_FOLDER] = {"folder", 2, {VALUE_URL, VALUE_FOLDER}, {"+-", "+-"}},
    [PREDICATE_USER] = {"user", 2, {VALUE_URL, VALUE_USER}, {"+-", "+-"}},
    [PREDICATE_WITHIN] = {"within", 2, {VALUE_URL, VALUE_URL}, {"++", "++"}},
};

const struct predicate_info *
predicate_info(enum predicate p)
{
    return &infos[p];
}

bool
predicate_is_computed(enum predicate p)
{
    return p >= PREDICATE_DEVICE && p < PREDICATES;
}

enum predicate
predicate_by_name(struct text name)
{
    int p = 0;

    while (p < PREDICATES && !text_is(name, infos[p].name))
        p++;
    return (enum predicate)p;
}

static unsigned
count_bits(unsigned set)
{
    unsigned n = 0;

    for (; set; set &= set - 1)
        n++;
    return n;
}

bool
predicate_key(enum predicate p, enum side side, unsigned bound, unsigned *key)
{
    const char *at = infos[p].patterns[side];
    bool found = false;

    *key = 0;
    while (at) {
        unsigned pattern = 0;

        for (unsigned i = 0; i < infos[p].arity; i++)
            if (at[i] == '+')
                pattern |= 1U << i;
        if ((pattern & ~bound) == 0 &&
            (!found || count_bits(pattern) > count_bits(*key))) {
            found = true;
            *key = pattern;
        }
        at = strchr(at, ' ');
        if (at)
            at++;
    }
    return found;
}

unsigned
value_kind(struct text t)
{
    static const unsigned ids[ID_KINDS] = {
        [ID_USER] = VALUE_USER,
        [ID_DEVICE] = VALUE_DEVICE,
        [ID_FOLDER] = VALUE_FOLDER,
        [ID_INVITATION] = VALUE_INVITATION,
        [ID_SESSION] = VALUE_SESSION,
        [ID_SERVICE] = VALUE_SERVICE,
    };
    enum id_kind id = id_kind_of(t.p, t.len);

    if (id != ID_KINDS)
        return ids[id];
    if (str_is_name(t))
        return VALUE_NAME;
    return str_is_uri(t) ? VALUE_URL : VALUE_OTHER;
}

const char *
value_kind_name(unsigned kinds)
{
    static const char *const names[] = {"a user", "a device", "a folder",
        "an invitation", "a session", "a service", "a name", "a URL", "another value"};
    unsigned i = 0;

    if (kinds == PRINCIPAL)
        return "a user or a service";
    while (i + 1 < sizeof(names) / sizeof(*names) && !(kinds & 1U << i))
        i++;
    return names[i];
}
