/* meshauth init */
#include <arpa/inet.h>
#include <signal.h>
#include <string.h>

#include "base/fail.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/setup.h"
#include "config/config.h"

enum {
    OPT_ISSUER,
    OPT_DEMO,
    OPT_LISTEN
};

static const struct command_option options[] = {
    [OPT_ISSUER] = {"issuer", 0, "URL", "what the service is called in every ticket"},
    [OPT_DEMO] = {"demo", 0, NULL, "with a provider that vouches for anybody"},
    [OPT_LISTEN] = {"listen", 0, "ADDR:PORT", "where it listens (127.0.0.1:8443)"},
    {NULL, 0, NULL, NULL},
};

static const char DEFAULT_LISTEN[] = "127.0.0.1:8443";

static enum command_exit
read_options(const struct call *call, struct setup *s)
{
    const char *issuer = call->option[OPT_ISSUER];
    const char *listen = call->option[OPT_LISTEN];
    struct mauth_err err = MAUTH_ERR_INIT;

    s->dir = call->arg[0];
    s->demo = call->option[OPT_DEMO] != NULL;
    s->now_s = time_now_s();
    if (s->demo == (issuer != NULL))
        return command_misused(call, "give either --issuer URL or --demo");
    if (!*s->dir)
        return command_misused(call, "DIR is empty");
    if (service_url_from_listen(listen ? listen : DEFAULT_LISTEN, &s->listen, &err) !=
        MAUTH_OK)
        return command_misused(call, "--listen: %s", err.text);
    if (s->demo && !config_is_loopback(s->listen.host))
        return command_misused(call,
            "--demo lets anybody be anybody, so it listens on loopback only: 127.0.0.1 "
            "or [::1], not %s",
            s->listen.host);
    if (s->demo)
        s->issuer = s->listen;
    else if (service_url_parse(issuer, &s->issuer, &err) != MAUTH_OK)
        return command_misused(call, "--issuer: %s", err.text);
    return COMMAND_DONE;
}

static bool
print_contents(const struct setup *s, const struct setup_result *result)
{
    char until[TIME_LEN + 1];
    struct table *t = table_new(2, NULL);

    time_format(s->now_s + SETUP_YEAR_S, until);
    table_cell(t, STYLE_PLAIN, "meshauth.conf");
    table_cell(t, STYLE_DIM, "the configuration, with comments");
    table_cell(t, STYLE_PLAIN, "mesh.rules");
    table_cell(t, STYLE_DIM, "who may do what");
    table_cell(t, STYLE_PLAIN, "store/");
    table_cell(t, STYLE_DIM, "users, sessions, the audit log, keys under seal");
    table_cell(t, STYLE_PLAIN, "seal.key");
    table_cell(t, STYLE_DIM, "opens that seal; keep a copy apart from the store");
    table_cell(t, STYLE_PLAIN, "tls.key tls.crt");
    table_cell(t, STYLE_DIM, "a certificate for %s, signed by itself, until %s",
        s->issuer.host, until);
    table_cell(t, STYLE_PLAIN, "trust root.vkey");
    table_cell(t, STYLE_DIM, "what services need to check tickets");
    table_cell(t, STYLE_PLAIN, "%s", "");
    table_cell(t, STYLE_DIM, "the root's fingerprint: %s", result->root_fingerprint);
    if (s->demo) {
        table_cell(t, STYLE_PLAIN, "idp.key idp.jwks");
        table_cell(t, STYLE_DIM, "the demo's identity provider");
    }
    table_cell(t, STYLE_BOLD, "root.key");
    table_cell(t, STYLE_DIM, "the root of all trust; not needed here until %s", until);
    return table_end(t);
}

static void
print_next_steps(const struct setup *s)
{
    output_line(STYLE_BOLD, "Take root.key away now", ", to where no network reaches.");
    if (!s->demo) {
        output_line(STYLE_PLAIN, "Clients do not trust tls.crt yet",
            ": replace it and tls.key, or give it to them.");
        output_line(STYLE_PLAIN, "Nobody can log in yet",
            ": name an identity provider in %s/meshauth.conf.", s->dir);
    }
    output_line(STYLE_PLAIN, "Then", ": meshauthd -c %s/meshauth.conf", s->dir);
    if (s->demo) {
        output_line(STYLE_PLAIN, "And",
            ":  meshauth idp mint alice -c %s/meshauth.conf |", s->dir);
        output_line(STYLE_PLAIN, "",
            "          meshauth login %s --ca %s/tls.crt --id-token -", s->issuer.text,
            s->dir);
    }
}

/* It takes a moment, and half of it would be of no use. */
static void
hold_signals(void)
{
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    sigprocmask(SIG_BLOCK, &held, NULL);
}

static enum command_exit
run(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct setup_result result;
    struct setup s = {0};
    enum command_exit rc = read_options(call, &s);
    bool printed;

    if (rc != COMMAND_DONE)
        return rc;
    hold_signals();
    if (setup_make(&s, &result, &err) != MAUTH_OK)
        return command_failed(call, &err);
    if (call->json)
        printed = output_json(json_pack("{s:s, s:s, s:b, s:s, s:s, s:s}", "dir", s.dir,
            "issuer", s.issuer.text, "demo", (int)s.demo, "root_vkey", result.root_vkey,
            "root_fingerprint", result.root_fingerprint, "signing_key",
            result.signing_key));
    else {
        output_line(
            STYLE_BOLD, s.dir, " is an account service named %s", s.issuer.text);
        printed = print_contents(&s, &result);
        print_next_steps(&s);
    }
    if (printed)
        return COMMAND_DONE;
    command_complain(call, "it is made, but there is no memory to tell of it");
    return COMMAND_FAILED;
}

const struct command init_command = {
    .noun = "init",
    .synopsis = "DIR (--issuer URL | --demo) [--listen ADDR:PORT] [--json]",
    .summary = "set up an account service in a new folder",
    .about = "Makes keys, store, certificate and configuration of an account service "
             "in DIR,\n"
             "which must not exist or be empty. --demo makes one for this machine "
             "alone, with\n"
             "an identity provider that vouches for any name (`meshauth idp mint`).",
    .example = "  meshauth init /srv/mesh --issuer https://auth.example.org \\\n"
               "      --listen 192.0.2.1:443\n"
               "  meshauth init /tmp/mesh --demo",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
