/*
 * Compiled rules, as the evaluator and those who explain its answers see them.
 * The contract of the language is docs/rules.md.
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "policy/predicate.h"
#include <meshauth/rules.h>

enum {
    RULES_MAX = 256, /* allow and grant */
    RULES_FACTS_MAX = 256,
    RULES_LITERALS_MAX = MAUTH_RULES_LITERALS_MAX,
    RULES_VARIABLES_MAX = 8,
    RULES_ARGS_MAX = PREDICATE_ARGS_MAX
};

enum term_kind {
    TERM_CONSTANT,
    TERM_VARIABLE,
    TERM_ANY
};

struct term {
    enum term_kind kind;
    unsigned variable; /* numbered from 0 within the rule */
    struct text text;  /* the value, or the variable's name; a slice of the source */
};

enum literal_kind {
    LITERAL_SOURCE,   /* asked of the source of facts */
    LITERAL_TABLE,    /* stated in the rules file */
    LITERAL_COMPUTED, /* of a URL */
    LITERAL_DIFFERS   /* arg[0] != arg[1] */
};

struct literal {
    enum literal_kind kind;
    struct text name;
    enum predicate predicate; /* LITERAL_SOURCE, LITERAL_COMPUTED */
    size_t table;             /* LITERAL_TABLE: index into tables */
    unsigned arity;
    unsigned bound;      /* bit i: argument i has a value before this literal */
    unsigned binds;      /* bit i: argument i gives its variable a value */
    unsigned key[SIDES]; /* LITERAL_SOURCE: the declared pattern */
    struct term arg[RULES_ARGS_MAX];
};

enum rule_kind {
    RULE_ALLOW,
    RULE_GRANT
};

struct rule {
    enum rule_kind kind;
    unsigned sides;      /* bit SIDE_x: it can be true there */
    struct literal head; /* the action; bound has all of its arguments */
    size_t first;        /* its literals, in the order of evaluation */
    size_t count;
    unsigned variables;
    unsigned line;
    size_t text_at; /* in texts */
};

/* The facts of one name that the file states. */
struct table {
    struct text name;
    unsigned arity;
    size_t first; /* in facts, which are sorted by table */
    size_t count;
};

struct mauth_rules {
    char *copy;         /* of the file */
    struct text source; /* the same; all slices point into it */
    uint8_t hash[HASH_LEN];
    struct rule *rule; /* as in the file */
    size_t rule_count;
    size_t rule_room;
    size_t *order; /* indexes of rules: by kind, action, arity, place in the file */
    struct literal *literal;
    size_t literal_count;
    size_t literal_room;
    struct literal *fact;
    size_t fact_count;
    size_t fact_room;
    struct table *table;
    size_t table_count;
    struct buf texts; /* each rule in one line, terminated */
};

/* The rules for a question: order[*first] and those behind it. */
size_t rules_find(const struct mauth_rules *rules, enum rule_kind kind,
    struct text action, size_t arity, size_t *first);

/*
 * The actions that some rule of this kind is about, with their number of
 * arguments, one after the other: i from 0 until it says false.
 */
MAUTH_MUST_USE bool rules_action(const struct mauth_rules *rules, enum rule_kind kind,
    size_t i, struct text *action, size_t *arity);

const char *rules_kind_name(enum rule_kind kind);

/* A value as a rules file would hold it, bare or quoted; foreign bytes as \xNN. */
void rules_write_value(struct buf *out, struct text value);

#endif
