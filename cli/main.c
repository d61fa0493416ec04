/* meshauth: the command for clients, services, admins and auditors. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "cli/command.h"
#include "cli/output.h"
#include "jose/json.h"

static const struct command *const commands[] = {
    &init_command,
    &login_command,
    &status_command,
    &get_command,
    &header_command,
    &curl_command,
    &logout_command,
    &device_list_command,
    &device_show_command,
    &device_rename_command,
    &device_unattended_command,
    &device_release_command,
    &folder_create_command,
    &folder_list_command,
    &folder_show_command,
    &folder_rename_command,
    &folder_delete_command,
    &folder_invite_command,
    &folder_members_command,
    &folder_role_command,
    &folder_remove_command,
    &folder_leave_command,
    &folder_pass_command,
    &folder_map_command,
    &folder_unmap_command,
    &invitation_show_command,
    &invitation_accept_command,
    &invitation_decline_command,
    &invitation_list_command,
    &invitation_revoke_command,
    &ticket_show_command,
    &ticket_verify_command,
    &policy_check_command,
    &policy_test_command,
    &policy_explain_command,
    &trust_bootstrap_command,
    &trust_show_command,
    &trust_fetch_command,
    &trust_watch_command,
    &audit_query_command,
    &audit_count_command,
    &audit_follow_command,
    &audit_who_command,
    &audit_verify_command,
    &audit_prove_command,
    &audit_erase_command,
    &service_add_command,
    &service_update_command,
    &service_list_command,
    &service_show_command,
    &service_remove_command,
    &role_grant_command,
    &role_revoke_command,
    &role_list_command,
    &keys_list_command,
    &keys_prepare_command,
    &keys_activate_command,
    &keys_revoke_command,
    &keys_reseal_command,
    &keys_metadata_command,
    &user_list_command,
    &user_show_command,
    &user_remove_command,
    &revoke_command,
    &authority_show_command,
    &authority_renew_command,
    &authority_sign_command,
    &authority_install_command,
    &backup_command,
    &restore_command,
    &idp_mint_command,
    NULL,
};

/* Of all of them, or of one noun. */
static void
list_commands(FILE *f, const char *noun)
{
    fputs("usage: meshauth COMMAND ...\n\n", f);
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        char words[32];

        if (noun && strcmp(noun, c->noun) != 0)
            continue;
        snprintf(words, sizeof(words), "%s%s%s", c->noun, c->verb ? " " : "",
            c->verb ? c->verb : "");
        fprintf(f, "  %-19s %s\n", words, c->summary);
    }
    fputs("\nOptions and an example of each: meshauth COMMAND --help\n", f);
    if (!noun)
        fputs("Which version this is: meshauth --version\n", f);
}

/* Words that are no command, and those that may be meant where these are few. */
static enum command_exit
complain(int argc, char **argv, bool noun)
{
    int words = noun ? 2 : 1;

    if (argc > words) {
        fputs("meshauth: there is no command '", stderr);
        if (noun)
            fprintf(stderr, "%s ", argv[1]);
        output_text(stderr, argv[words]);
        fputs("'\n", stderr);
    }
    if (noun || argc < 2)
        list_commands(stderr, noun ? argv[1] : NULL);
    else
        fputs("usage: meshauth COMMAND ...\nMore: meshauth --help\n", stderr);
    return COMMAND_USAGE;
}

static bool
is_noun(const char *word)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->noun, word) == 0)
            return true;
    return false;
}

/* The command, and in *words how many words name it. */
static const struct command *
find(int argc, char **argv, int *words)
{
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];

        if (argc < 2 || strcmp(c->noun, argv[1]) != 0)
            continue;
        *words = c->verb ? 2 : 1;
        if (!c->verb || (argc > 2 && strcmp(c->verb, argv[2]) == 0))
            return c;
    }
    return NULL;
}

static bool
is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
           strcmp(word, "-h") == 0;
}

/* "help WORDS" is "WORDS --help". argv[0] is "help". */
static enum command_exit
help(int argc, char **argv)
{
    int words = 0;
    const struct command *command = find(argc, argv, &words);
    char option[] = "--help", *ask[] = {option, option, NULL};
    bool noun = argc > 1 && is_noun(argv[1]);

    if (command && argc == words + 1)
        return command_run(command, 2, ask);
    if (argc > 1 && !(noun && argc == 2))
        return complain(argc, argv, noun);
    list_commands(stdout, noun ? argv[1] : NULL);
    return COMMAND_DONE;
}

static enum command_exit
run(int argc, char **argv)
{
    int words = 0;
    const struct command *command = find(argc, argv, &words);
    bool noun = argc > 1 && is_noun(argv[1]);

    if (command)
        return command_run(command, argc - words, argv + words);
    if (argc > 1 && is_help(argv[1]))
        return help(argc - 1, argv + 1);
    if (noun && argc > 2 && is_help(argv[2])) {
        list_commands(stdout, argv[1]);
        return COMMAND_DONE;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("meshauth " MESHAUTH_VERSION);
        return COMMAND_DONE;
    }
    return complain(argc, argv, noun);
}

int
main(int argc, char **argv)
{
    enum command_exit rc;

    if (!file_guard_standard())
        return COMMAND_FAILED; /* and nowhere to say so */
    (void)process_harden();
    umask(077);
    signal(SIGPIPE, SIG_IGN); /* of a connection; a closed pipe is seen below */
    json_prepare_process();
    rc = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (errno != EPIPE)
            fprintf(stderr, "meshauth: standard output: %s\n", strerror(errno));
        return COMMAND_FAILED;
    }
    return (int)rc;
}
