#include "cli/setup_config.h"

static const char configuration[] =
    "# The account service. docs/configuration.md lists every setting; paths are\n"
    "# relative to this file. To check it: meshauthd -c meshauth.conf -t\n"
    "\n"
    "issuer: {\n"
    "    url = \"%s\"; # stands in every ticket: it stays as it is\n"
    "    # trust_file = \"trust\"; # what services read; signed anew each minute\n"
    "};\n"
    "\n"
    "listen: {\n"
    "    address = \"%s\";\n"
    "    port = %d;\n"
    "    certificate = \"tls.crt\"; # SIGHUP reads both again\n"
    "    key = \"tls.key\";\n"
    "    admin_socket = \"admin.sock\"; # for `meshauth audit query` and its like\n"
    "};\n"
    "\n"
    "store = \"lmdb:store\";\n"
    "seal_key_file = \"seal.key\"; # opens the keys in the store: keep a copy "
    "elsewhere\n"
    "rules_file = \"mesh.rules\";   # who may do what: SIGHUP reads it again\n"
    "\n";

static const char demo_providers[] =
    "# Anyone who can read idp.key is anyone (`meshauth idp mint NAME`): for trying\n"
    "# things out, and refused where this does not listen on loopback.\n"
    "providers = (\n"
    "    {\n"
    "        name = \"demo\";\n"
    "        issuer = \"%s/demo-idp\";\n"
    "        client_ids = [ \"meshauth\" ];\n"
    "        jwks_file = \"idp.jwks\";\n"
    "        create_users = true;\n"
    "        demo = true;\n"
    "    }\n"
    ");\n"
    "\n";

static const char no_providers[] =
    "# Whose ID tokens are taken: until one is named here, nobody can log in.\n"
    "# providers = (\n"
    "#     {\n"
    "#         name = \"example\";\n"
    "#         issuer = \"https://login.example.org\"; # \"iss\" of its ID tokens, "
    "exactly\n"
    "#         client_ids = [ \"meshauth\" ];          # \"aud\" of its ID tokens\n"
    "#         # jwks_file = \"example.jwks\";         # else found by OpenID "
    "discovery\n"
    "#         create_users = true;                  # a first login makes the user\n"
    "#         # max_age_s = 600;                    # of an ID token\n"
    "#     }\n"
    "# );\n"
    "\n";

static const char defaults[] =
    "# The key that signs tickets is replaced each 90 days, by itself.\n"
    "keys: { period_s = 7776000; publish_ahead_s = 86400; };\n"
    "\n"
    "# As they are unless set:\n"
    "# tickets: { identity_s = 3600; rights_s = 600; session_s = 2592000; "
    "trust_s = 3600; };\n"
    "# limits: { connections = 1000; connections_per_ip = 100; "
    "changes_per_minute = 60; request_s = 15; "
    "idle_s = 60; disk_reserve_mib = 64; decisions_per_minute = 600; };\n"
    "# audit: { keep_days = 0; keep_mib = 0; }; # 0: records stay in the store for "
    "ever\n";

void
setup_config_write(const struct setup *s, struct buf *out)
{
    buf_printf(out, configuration, s->issuer.text, s->listen.host, s->listen.port);
    if (s->demo)
        buf_printf(out, demo_providers, s->issuer.text);
    else
        buf_str(out, no_providers);
    buf_str(out, defaults);
}
