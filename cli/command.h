/*
 * One command of `meshauth`: its words, its options, what it does. Help, usage
 * and parsing all come from the same table, so they cannot differ.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include <meshauth/err.h>

/* What the process ends with. */
enum command_exit {
    COMMAND_DONE = 0,
    COMMAND_REFUSED = 1, /* or not found */
    COMMAND_USAGE = 2,
    COMMAND_FAILED = 3, /* the service or the store */
};

enum {
    COMMAND_OPTIONS = 24,
    COMMAND_ARGS = 17, /* one more than any command takes */
    COMMAND_AGAIN = 32 /* values of options that may be given several times */
};

struct command_option {
    const char *name;  /* without the dashes; NULL ends the table */
    char letter;       /* 0: none */
    const char *value; /* what it takes, "FILE"; NULL: a switch */
    const char *help;
};

struct call;

struct command {
    const char *noun;
    const char *verb;     /* NULL: the noun is the whole command */
    const char *synopsis; /* what follows the words, first the arguments */
    const char *summary;  /* one line, for the list of commands */
    const char *about;    /* paragraphs, for --help */
    const char *example;
    const struct command_option *options; /* --json and --help come by themselves */
    size_t args_min;
    size_t args_max;
    unsigned many; /* a bit for each option that may be given several times */
    bool rest;     /* what follows the args_max arguments is not ours to read */
    enum command_exit (*run)(const struct call *call);
};

/* A command as it was typed. */
struct call {
    const struct command *command;
    /* In the order of command->options: the value, "" for a switch, NULL when absent. */
    const char *option[COMMAND_OPTIONS];
    const char *arg[COMMAND_ARGS]; /* NULL when absent */
    /* Of an option of command->many, the values behind the first. */
    struct {
        size_t option;
        const char *value;
    } again[COMMAND_AGAIN];
    size_t agains;
    char *const *rest; /* ended by NULL; NULL unless command->rest */
    bool json;
};

/* The i-th value of an option, or NULL. */
const char *command_value(const struct call *call, size_t option, size_t i);

/*
 * Read argv, of which argv[0] is the command's last word, and run it. Says
 * itself what is wrong (COMMAND_USAGE), and answers --help.
 */
enum command_exit command_run(const struct command *command, int argc, char **argv);

/* "meshauth WORDS: ..." and the usage, to standard error; COMMAND_USAGE. */
enum command_exit command_misused(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "meshauth WORDS: what err says"; the exit code that fits err. */
enum command_exit command_failed(const struct call *call, const struct mauth_err *err);

/* The same for a configuration that could not be read: one of the wrong form is misuse. */
enum command_exit command_misconfigured(
    const struct call *call, const struct mauth_err *err);

/* A complaint in the same form, with nothing to return. */
void command_complain(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Every command there is, ended by NULL. */
extern const struct command init_command;
extern const struct command idp_mint_command;
extern const struct command login_command;
extern const struct command status_command;
extern const struct command get_command;
extern const struct command header_command;
extern const struct command curl_command;
extern const struct command logout_command;
extern const struct command device_list_command;
extern const struct command device_show_command;
extern const struct command device_rename_command;
extern const struct command device_unattended_command;
extern const struct command device_release_command;
extern const struct command folder_create_command;
extern const struct command folder_list_command;
extern const struct command folder_show_command;
extern const struct command folder_rename_command;
extern const struct command folder_delete_command;
extern const struct command folder_invite_command;
extern const struct command folder_members_command;
extern const struct command folder_role_command;
extern const struct command folder_remove_command;
extern const struct command folder_leave_command;
extern const struct command folder_pass_command;
extern const struct command folder_map_command;
extern const struct command folder_unmap_command;
extern const struct command invitation_show_command;
extern const struct command invitation_accept_command;
extern const struct command invitation_decline_command;
extern const struct command invitation_list_command;
extern const struct command invitation_revoke_command;
extern const struct command ticket_show_command;
extern const struct command ticket_verify_command;
extern const struct command policy_check_command;
extern const struct command policy_test_command;
extern const struct command policy_explain_command;
extern const struct command trust_bootstrap_command;
extern const struct command trust_show_command;
extern const struct command trust_fetch_command;
extern const struct command trust_watch_command;
extern const struct command audit_query_command;
extern const struct command audit_count_command;
extern const struct command audit_follow_command;
extern const struct command audit_who_command;
extern const struct command audit_verify_command;
extern const struct command audit_erase_command;
extern const struct command audit_prove_command;
extern const struct command service_add_command;
extern const struct command service_update_command;
extern const struct command service_list_command;
extern const struct command service_show_command;
extern const struct command service_remove_command;
extern const struct command role_grant_command;
extern const struct command role_revoke_command;
extern const struct command role_list_command;
extern const struct command revoke_command;
extern const struct command keys_list_command;
extern const struct command keys_prepare_command;
extern const struct command keys_activate_command;
extern const struct command keys_revoke_command;
extern const struct command keys_reseal_command;
extern const struct command keys_metadata_command;
extern const struct command authority_show_command;
extern const struct command authority_renew_command;
extern const struct command authority_sign_command;
extern const struct command authority_install_command;
extern const struct command backup_command;
extern const struct command restore_command;
extern const struct command user_list_command;
extern const struct command user_show_command;
extern const struct command user_remove_command;

#endif
