#include "facts/missing.h"

#include <string.h>

enum {
    NO_ROOM = 512, /* bytes of a fact in words */
    OTHERS = 4     /* facts of a table that are named */
};

/* "$0" stands for the first argument. known: those that have a value. */
static const struct form {
    enum predicate predicate;
    unsigned known;
    const char *says;
} forms[] = {
    {PREDICATE_CLAIMED, 3, "$0 is not claimed by $1"},
    {PREDICATE_CLAIMED, 1, "$0 is claimed by nobody"},
    {PREDICATE_CLAIMED, 2, "$1 claims no device"},
    {PREDICATE_HOLDER, 1, "the proven key is not that of $0"},
    {PREDICATE_HOLDER, 0, "the proven key is that of no registered device"},
    {PREDICATE_MAPPED, 3, "$1 is not mapped on $0"},
    {PREDICATE_MAPPED, 1, "$0 has no folder mapped"},
    {PREDICATE_MAPPED, 2, "$1 is mapped on no device"},
    {PREDICATE_MEMBER, 7, "$0 is not $2 of $1"},
    {PREDICATE_MEMBER, 3, "$0 is no member of $1"},
    {PREDICATE_MEMBER, 1, "$0 is a member of no folder"},
    {PREDICATE_MEMBER, 2, "$1 has no such member"},
    {PREDICATE_ROLE, 3, "$0 does not have the role $1"},
    {PREDICATE_ROLE, 1, "$0 has no role"},
    {PREDICATE_SERVICE, 1, "$0 is no registered service"},
    {PREDICATE_SUBJECT, 1, "the ticket would not be for $0"},
    {PREDICATE_ACCOUNT, 1, "$0 is no user whose account is open"},
    {PREDICATE_ADDRESSED, 3, "$0 is for somebody else than $1"},
    {PREDICATE_CALLER, 1, "it is not $0 who asks"},
    {PREDICATE_INVITATION, 1, "$0 is no invitation that is still pending"},
    {PREDICATE_INVITER, 1, "there is no invitation $0"},
    {PREDICATE_INVITER, 3, "$0 was not made by $1"},
    {PREDICATE_KEY, 1, "the proven key is not $0"},
    {PREDICATE_LOCAL, 0, "the request did not come in by the admin socket"},
    {PREDICATE_SHARING, 3, "the owner of $0 lets no $1 invite"},
    {PREDICATE_SHARING, 1, "the owner of $0 lets nobody else invite"},
    {PREDICATE_SHOWN, 1, "the secret of $0 was not shown"},
    {PREDICATE_DEVICE, 1, "$0 is neither the URL of a device nor its id"},
    {PREDICATE_FOLDER, 1, "$0 is neither the URL of a folder nor its id"},
    {PREDICATE_USER, 1, "$0 is neither the URL of a user nor its id"},
    {PREDICATE_WITHIN, 3, "$0 does not lie within $1"},
};

static const struct remedy {
    enum predicate predicate;
    const char *says;
} remedies[] = {
    {PREDICATE_CLAIMED, "the user claims the device: meshauth login URL --claim NAME"},
    {PREDICATE_HOLDER, "--holder names the device whose key is proven"},
    {PREDICATE_MAPPED, "a member maps the folder on a device: meshauth folder map"},
    {PREDICATE_MEMBER, "who may share the folder invites: meshauth folder invite"},
    {PREDICATE_ROLE, "meshauth role grant PRINCIPAL ROLE -c FILE"},
    {PREDICATE_SERVICE, "meshauth service add NAME -c FILE"},
    {PREDICATE_SHARING, "the folder's owner lets contributors invite"},
    {PREDICATE_SHOWN, "--shown names the invitation whose secret is shown"},
};

static const char same[] = "$0 and $1 are the same";

/* Foreign values come as a rules file would hold them, without its quotes. */
static void
put_value(struct buf *out, struct text value)
{
    char room[NO_ROOM];
    struct buf b;

    buf_init_fixed(&b, room, sizeof(room));
    rules_write_value(&b, value);
    for (size_t i = 0; buf_ok(&b) && i < b.len; i++)
        if (room[i] == '\\')
            buf_u8(out, '%');
        else if (room[i] != '"')
            buf_u8(out, (uint8_t)room[i]);
}

static void
put_form(struct buf *out, const char *says, const struct text *arg)
{
    for (; *says; says++)
        if (*says == '$')
            put_value(out, arg[*++says - '0']);
        else
            buf_u8(out, (uint8_t)*says);
}

static void
put_fact(struct buf *out, struct text name, const struct text *arg, unsigned arity,
    unsigned known)
{
    buf_text(out, name);
    for (unsigned i = 0; i < arity; i++) {
        buf_str(out, i ? ", " : "(");
        if (known >> i & 1U)
            put_value(out, arg[i]);
        else
            buf_str(out, "_");
    }
    if (arity)
        buf_str(out, ")");
}

/* Would the fact do, with another first argument? */
static bool
is_like(const struct literal *fact, const struct eval_miss *m)
{
    for (unsigned i = 1; i < m->literal->arity; i++)
        if (m->known >> i & 1U && !text_equal(fact->arg[i].text, m->arg[i]))
            return false;
    return true;
}

/* "the rules have no can(reader, write), but can(contributor, write), ..." */
static void
put_table(struct buf *out, const struct eval *e)
{
    const struct eval_miss *m = &e->miss;
    const struct table *t = &e->rules->table[m->literal->table];
    unsigned others = 0;

    buf_str(out, "the rules have no ");
    put_fact(out, t->name, m->arg, t->arity, m->known);
    for (size_t i = 0; t->arity > 1 && m->known & 1U && i < t->count; i++) {
        const struct literal *fact = &e->rules->fact[t->first + i];
        struct text arg[RULES_ARGS_MAX];

        if (!is_like(fact, m) || others == OTHERS)
            continue;
        for (unsigned k = 0; k < t->arity; k++)
            arg[k] = fact->arg[k].text;
        buf_str(out, others++ ? ", " : ", but ");
        put_fact(out, t->name, arg, t->arity, ~0U);
    }
}

static void
put_relation(struct buf *out, const struct eval_miss *m)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
        if (forms[i].predicate == m->literal->predicate && forms[i].known == m->known) {
            put_form(out, forms[i].says, m->arg);
            return;
        }
    buf_str(out, "nothing shows ");
    put_fact(out, m->literal->name, m->arg, m->literal->arity, m->known);
}

void
missing_write(struct buf *out, const struct eval *e)
{
    const struct eval_miss *m = &e->miss;

    if (!m->rule) {
        buf_str(out, "this rule is about something else");
        return;
    }
    switch (m->literal->kind) {
    case LITERAL_SOURCE:
    case LITERAL_COMPUTED: put_relation(out, m); break;
    case LITERAL_TABLE: put_table(out, e); break;
    case LITERAL_DIFFERS: put_form(out, same, m->arg); break;
    }
}

const char *
missing_remedy(const struct eval *e)
{
    const struct literal *l = e->miss.rule ? e->miss.literal : NULL;

    for (size_t i = 0; l && i < sizeof(remedies) / sizeof(*remedies); i++)
        if (l->kind == LITERAL_SOURCE && remedies[i].predicate == l->predicate)
            return remedies[i].says;
    return NULL;
}

/* Whose is the value of a variable? */
enum owner {
    OTHERS_OWN = 0,
    ASKED, /* the question gives it */
    HIS,   /* something of the asker's: his role, a folder of his */
    SELF   /* the asker, his key, the secret that he shows */
};

static bool
is_self(enum predicate p)
{
    static const enum predicate selves[] = {PREDICATE_CALLER, PREDICATE_SUBJECT,
        PREDICATE_HOLDER, PREDICATE_KEY, PREDICATE_SESSION, PREDICATE_SHOWN,
        PREDICATE_LOCAL};

    for (size_t i = 0; i < sizeof(selves) / sizeof(*selves); i++)
        if (selves[i] == p)
            return true;
    return false;
}

static void
give(const struct literal *l, enum owner *owner, enum owner what)
{
    for (unsigned i = 0; i < l->arity; i++)
        if (l->arg[i].kind == TERM_VARIABLE &&
            (l->binds >> i & 1U || owner[l->arg[i].variable] < what))
            owner[l->arg[i].variable] = what;
}

/* Does a link lead from the asker to what it is about? */
static bool
begins_with_self(const struct literal *l, const enum owner *owner)
{
    for (unsigned i = 0; i < l->arity; i++)
        if (l->bound >> i & 1U && l->arg[i].kind == TERM_VARIABLE &&
            owner[l->arg[i].variable] == SELF)
            return true;
    return false;
}

static void
give_new(const struct literal *l, enum owner *owner)
{
    for (unsigned i = 0; i < l->arity; i++)
        if (l->binds >> i & 1U)
            owner[l->arg[i].variable] = HIS;
}

/* Where the question gives this term; the head's arity: it does not. */
static unsigned
asked_at(const struct literal *head, const struct term *t)
{
    unsigned i = 0;

    while (i < head->arity &&
           !(t->kind == TERM_VARIABLE && head->arg[i].kind == TERM_VARIABLE &&
               head->arg[i].variable == t->variable))
        i++;
    return i;
}

bool
missing_write_asked(struct buf *out, const struct mauth_rules *rules,
    const struct rule *rule, const struct text *arg)
{
    for (size_t i = 0; i < rule->count; i++) {
        const struct literal *l = &rules->literal[rule->first + i];
        unsigned a, b;

        if (l->kind != LITERAL_DIFFERS)
            continue;
        a = asked_at(&rule->head, &l->arg[0]);
        b = asked_at(&rule->head, &l->arg[1]);
        if (a < rule->head.arity && b < rule->head.arity &&
            text_equal(arg[a], arg[b])) {
            put_form(out, same, (const struct text[]){arg[a], arg[b]});
            return true;
        }
    }
    return false;
}

size_t
missing_own(const struct mauth_rules *rules, const struct rule *rule)
{
    enum owner owner[RULES_VARIABLES_MAX] = {OTHERS_OWN};
    size_t i = 0;

    give(&rule->head, owner, ASKED);
    for (; i < rule->count; i++) {
        const struct literal *l = &rules->literal[rule->first + i];

        if (l->kind == LITERAL_SOURCE && is_self(l->predicate))
            give(l, owner, SELF);
        else if (l->kind != LITERAL_SOURCE || begins_with_self(l, owner))
            give_new(l, owner);
        else
            break;
    }
    return i;
}
