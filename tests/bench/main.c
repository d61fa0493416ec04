/* meshauth-bench: what it costs. docs/benchmarks.md says what each line means. */
#include <stdio.h>
#include <string.h>

#include "tests/bench/bench.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"verify", bench_verify},
    {"issue", bench_issue},
    {"graph", bench_graph},
    {"revocation", bench_revocation},
    {"rotation", bench_rotation},
    {"audit", bench_audit},
};

static const char usage[] =
    "usage: meshauth-bench verify [--seconds N]\n"
    "       meshauth-bench issue [--users N] [--seconds N] [--connections N] [--build "
    "DIR] "
    "[--dir DIR]\n"
    "       meshauth-bench graph [--users N] [--base N] [--crowd N] [--seconds N] "
    "[--build "
    "DIR] [--dir DIR]\n"
    "       meshauth-bench revocation [--entries N] [--seconds N] [--updaters N] "
    "[--live N] "
    "[--revocations N] [--build DIR] [--dir DIR]\n"
    "       meshauth-bench rotation [--seconds N] [--rotations N] [--connections N] "
    "[--quick] [--build DIR] [--dir DIR]\n"
    "       meshauth-bench audit [--records N] [--seconds N] [--quick] [--build DIR] "
    "[--dir DIR]\n"
    "\n"
    "  verify  the first verification of a ticket, against raw OpenSSL and xmlsec1\n"
    "  issue   logins and exchanges of tickets at a meshauthd of its own, beside a "
    "KDC\n"
    "  graph   a graph of a million users, against one of a thousand\n"
    "  revocation  from the command to the first refusal; and what a long list costs\n"
    "  rotation  keys follow each other while clients and services work\n"
    "  audit   a log of ten million records: questions, appending, logins meanwhile\n"
    "\n"
    "Prints lines of name, value and unit.\n";

int
main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fputs(usage, stderr);
    return BENCH_USAGE;
}
