/* What account.c and account_keep.c share. */
#ifndef CLI_ACCOUNT_PARTS_H
#define CLI_ACCOUNT_PARTS_H

#include "cli/account.h"

struct account {
    struct service_url url;
    char *dir;
    char *key_file;
    char *certificate_file;
    char *ca_file;
    char *state_file;
    bool has_ca;
    struct mauth_key *key;
    struct grant *grant;
    int64_t logged_in_s;
};

/* What account.json says, into an account without a grant. */
MAUTH_MUST_USE enum mauth_rc account_read_state(
    struct account *a, struct mauth_err *err);

#endif
