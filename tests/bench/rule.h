/* What the rules of policy/mesh.rules take over the facts of one ticket. */
#ifndef TESTS_BENCH_RULE_H
#define TESTS_BENCH_RULE_H

#include <meshauth/err.h>

MAUTH_MUST_USE enum mauth_rc bench_rule(double seconds, struct mauth_err *err);

#endif
