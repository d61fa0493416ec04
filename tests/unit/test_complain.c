/* What is said of a configuration that is not as it must be; config/complain.h */
#include "tests/unit/config_file.h"

#define ISSUER(url) "issuer: { url = \"" url "\"; };"
#define URL_RIGHT                                                            \
    ", but must be https://HOST or https://HOST:PORT, lower case, no :443, " \
    "no / at the end"
#define PATH_RIGHT ", but must be the path of a file, in quotes"
#define SYNTAX                                                        \
    "not understood, here or just above; a setting is NAME = VALUE; " \
    "and a group NAME: { ... };"
#define PROVIDER(rest) URL "providers = (\n{ name = \"p\"; " rest " } );"
#define GOOD_PROVIDER  "issuer = \"https://p\"; client_ids = [ \"c\" ]; "
#define SAML_PROVIDER  "type = \"saml\"; issuer = \"urn:idp\"; "
#define CLIENT_IDS_RIGHT \
    ", but must be 1 to 16 texts in brackets, as in [ \"meshauth\" ]"
#define MODULES_RIGHT                               \
    ", but must be 1 to 8 absolute paths, as in [ " \
    "\"/usr/lib/softhsm/libsofthsm2.so\" ]"
#define SCOPES_RIGHT \
    ", but must be 1 to 16 texts beside \"openid\", as in [ \"email\" ]"
#define IDS_8  "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\","
#define IDS_17 IDS_8 "\"9\",\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\""

static const struct {
    const char *name;
    const char *text;
    const char *want; /* after FILE: */
} refusals[] = {
    /* what is not in the language */
    {"empty", "",
        "1: issuer.url is missing; it must be https://HOST or "
        "https://HOST:PORT, lower case, no :443, no / at the end"},
    {"no semicolon", "store = \"lmdb:x\"\n" ISSUER("https://a") "\n\n}", "4: " SYNTAX},
    {"no value", URL "store = ;", "2: " SYNTAX},
    {"include", URL "@include \"/etc/passwd\"",
        "2: there is no @include here; put all settings into this file"},
    {"number that wraps", URL "listen: {\nport = 4294975739; };",
        "3: a number larger than any setting takes"},
    {"open comment", URL "/* listen: { port = 1; };\n",
        "2: this comment never ends; close it with */"},
    {"mixed array", PROVIDER("client_ids = [ \"a\", 1 ];"),
        "3: what stands in one [ ] must be of one kind"},
    /* names */
    {"unknown name, near one", URL "listen: {\n  prot = 1; };",
        "3: there is no \"prot\"; \"port\" may be meant"},
    {"unknown name, a letter off", URL "limits: { connection = 16; };",
        "2: there is no \"connection\"; \"connections\" may be meant"},
    {"unknown name, a unit missing", URL "tickets: { identity = 60; };",
        "2: there is no \"identity\"; \"identity_s\" may be meant"},
    {"unknown name, near none", URL "listen: { colour = 1; };",
        "2: there is no \"colour\"; listen may hold address, port, certificate, key, "
        "admin_socket"},
    {"unknown name at the top", URL "\nmetrics: { };",
        "3: there is no \"metrics\"; the file may hold issuer, listen, store, "
        "seal_key_file, rules_file, pkcs11_modules, providers, tickets, keys, limits, "
        "audit"},
    {"unknown name of a provider", PROVIDER("secret = \"s\";"),
        "3: there is no \"secret\"; what providers may hold stands in "
        "docs/configuration.md"},
    {"name in the wrong group", URL "port = 1;",
        "2: there is no \"port\"; the file may hold issuer, listen, store, "
        "seal_key_file, rules_file, pkcs11_modules, providers, tickets, keys, limits, "
        "audit"},
    {"very long name", URL "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee = 1;",
        "2: there is no \"aaaaaaaaaabbbbbbbbbbccccc...\"; the file may "
        "hold issuer, listen, store, seal_key_file, rules_file, pkcs11_modules, "
        "providers, tickets, keys, limits, audit"},
    {"duplicate", URL "listen: { port = 1;\nport = 2; };",
        "3: this name is there already in the same group"},
    {"duplicate group", URL "listen: { };\n" URL,
        "3: this name is there already in the same group"},
    /* missing */
    {"no url", "\nissuer: {\n };",
        "2: issuer.url is missing; it must be https://HOST or "
        "https://HOST:PORT, lower case, no :443, no / at the end"},
    {"no name", URL "providers = (\n { " GOOD_PROVIDER "} );",
        "3: providers.name is missing; it must be a-z, 0-9 and -, a letter first, at "
        "most 32 of them"},
    {"no issuer", PROVIDER("client_ids = [ \"c\" ];"),
        "3: providers.issuer is missing; it must be a URI, the \"iss\" of its ID "
        "tokens "
        "or its SAML entityID"},
    {"no client ids", PROVIDER("issuer = \"https://p\";"),
        "3: providers.client_ids is missing; it must be 1 to 16 texts in brackets, as "
        "in "
        "[ \"meshauth\" ]"},
    /* types */
    {"group for a text", "issuer: { url: { }; };",
        "1: issuer.url is a group" URL_RIGHT},
    {"number for a text", "issuer: { url = 5; };", "1: issuer.url is 5" URL_RIGHT},
    {"text for a group", "issuer = \"https://a\";",
        "1: issuer is \"https://a\", but must be a group, as in NAME: { ... };"},
    {"list for a group", URL "listen = ( );",
        "2: listen is a list, but must be a group, as in NAME: { ... };"},
    {"text for a number", URL "listen: { port = \"8443\"; };",
        "2: listen.port is \"8443\", but must be a whole number from 1 to 65535"},
    {"fraction for a number", URL "tickets: { rights_s = 600.5; };",
        "2: tickets.rights_s is a number with a fraction, but must be a whole number "
        "from 60 to 43200"},
    {"flag for a number", URL "limits: { threads = true; };",
        "2: limits.threads is true, but must be a whole number from 1 to 64"},
    {"number for a flag", PROVIDER(GOOD_PROVIDER "create_users = 1;"),
        "3: providers.create_users is 1, but must be true or false"},
    {"text for a flag", PROVIDER(GOOD_PROVIDER "demo = \"yes\";"),
        "3: providers.demo is \"yes\", but must be true or false"},
    {"group for the providers", URL "providers: { };",
        "2: providers is a group, but must be a list of at most 16 groups, as in "
        "( { ... }, { ... } )"},
    {"text as a provider", URL "providers = (\n\"x\" );",
        "3: providers is \"x\", but must be a list of at most 16 groups, as in "
        "( { ... }, { ... } )"},
    {"text for the client ids", PROVIDER("issuer = \"https://p\"; client_ids = \"c\";"),
        "3: providers.client_ids is \"c\"" CLIENT_IDS_RIGHT},
    {"number as a client id", PROVIDER("issuer = \"https://p\"; client_ids = [ 7 ];"),
        "3: providers.client_ids is 7" CLIENT_IDS_RIGHT},
    /* tokens */
    {"a module as a text", URL "pkcs11_modules = \"/m.so\";",
        "2: pkcs11_modules is \"/m.so\"" MODULES_RIGHT},
    {"a relative module", URL "pkcs11_modules = [ \"/m.so\", \"m.so\" ];",
        "2: pkcs11_modules is \"m.so\"" MODULES_RIGHT},
    {"no module", URL "pkcs11_modules = [ ];",
        "2: pkcs11_modules has 0 entries" MODULES_RIGHT},
    /* the login of people */
    {"scope with a blank", PROVIDER(GOOD_PROVIDER "scopes = [ \"a b\" ];"),
        "3: providers.scopes is \"a b\"" SCOPES_RIGHT},
    {"scope with a quote", PROVIDER(GOOD_PROVIDER "scopes = [ \"a\\\"\" ];"),
        "3: providers.scopes is \"a\\x22\"" SCOPES_RIGHT},
    {"openid as a scope", PROVIDER(GOOD_PROVIDER "scopes = [ \"openid\" ];"),
        "3: providers.scopes is \"openid\"" SCOPES_RIGHT},
    {"login client that is none", PROVIDER(GOOD_PROVIDER "login_client_id = \"d\";"),
        "3: login_client_id must be one of the client_ids of p"},
    /* ranges */
    {"port 0", URL "listen: { port = 0; };",
        "2: listen.port is 0, but must be a whole number from 1 to 65535"},
    {"port 65536", URL "listen: { port = 65536; };",
        "2: listen.port is 65536, but must be a whole number from 1 to 65535"},
    {"negative", URL "tickets: { trust_s = -1; };",
        "2: tickets.trust_s is -1, but must be a whole number from 120 to 43200"},
    {"key published for less than a trust file lasts",
        URL "keys: { period_s = 86400; publish_ahead_s = 3599; };",
        "2: keys.publish_ahead_s is 3599, but must be as long as a trust file lasts, "
        "tickets.trust_s, 3600"},
    {"key that signs for less than it is published", URL "keys: { period_s = 86400; };",
        "2: keys.period_s is 86400, but must be longer than keys.publish_ahead_s, "
        "86400, or 0"},
    {"key that would outlive its year", URL "keys: { period_s = 31536000; };",
        "2: keys.period_s is 31536000, but must be a whole number from 0 to 25920000"},
    {"algorithm that nobody has", URL "keys: { algorithm = \"ES256\"; };",
        "2: keys.algorithm is \"ES256\", but must be \"P-256\", \"RSA-2048\" or "
        "\"RSA-3072\""},
    {"ticket of more than 12 h", URL "tickets: { identity_s = 43201; };",
        "2: tickets.identity_s is 43201, but must be a whole number from 60 to 43200"},
    {"long number", URL "limits: { idle_s = 601L; };",
        "2: limits.idle_s is 601, but must be a whole number from 1 to 600"},
    {"no client ids in the list", PROVIDER("issuer = \"https://p\"; client_ids = [ ];"),
        "3: providers.client_ids has 0 entries" CLIENT_IDS_RIGHT},
    {"17 client ids", PROVIDER("issuer = \"https://p\"; client_ids = [" IDS_17 "];"),
        "3: providers.client_ids has 17 entries" CLIENT_IDS_RIGHT},
    {"17 providers",
        URL "providers = ({},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{});",
        "2: providers has 17 entries, but must be a list of at most 16 groups, as in "
        "( { ... }, { ... } )"},
    /* the issuer's URL */
    {"http", ISSUER("http://a"), "1: issuer.url is \"http://a\"" URL_RIGHT},
    {"upper case", ISSUER("https://A"), "1: issuer.url is \"https://A\"" URL_RIGHT},
    {"slash at the end", ISSUER("https://a/"),
        "1: issuer.url is \"https://a/\"" URL_RIGHT},
    {"path", ISSUER("https://a/b"), "1: issuer.url is \"https://a/b\"" URL_RIGHT},
    {"query", ISSUER("https://a?b"), "1: issuer.url is \"https://a?b\"" URL_RIGHT},
    {"userinfo", ISSUER("https://u@a"), "1: issuer.url is \"https://u@a\"" URL_RIGHT},
    {"no host", ISSUER("https://"), "1: issuer.url is \"https://\"" URL_RIGHT},
    {"only a port", ISSUER("https://:1"), "1: issuer.url is \"https://:1\"" URL_RIGHT},
    {"default port", ISSUER("https://a:443"),
        "1: issuer.url is \"https://a:443\"" URL_RIGHT},
    {"port 0 of the url", ISSUER("https://a:0"),
        "1: issuer.url is \"https://a:0\"" URL_RIGHT},
    {"leading zero", ISSUER("https://a:08"),
        "1: issuer.url is \"https://a:08\"" URL_RIGHT},
    {"huge port", ISSUER("https://a:65536"),
        "1: issuer.url is \"https://a:65536\"" URL_RIGHT},
    {"no port", ISSUER("https://a:"), "1: issuer.url is \"https://a:\"" URL_RIGHT},
    {"two dots", ISSUER("https://a..b"), "1: issuer.url is \"https://a..b\"" URL_RIGHT},
    {"dot at the end", ISSUER("https://a."),
        "1: issuer.url is \"https://a.\"" URL_RIGHT},
    {"hyphen first", ISSUER("https://-a"), "1: issuer.url is \"https://-a\"" URL_RIGHT},
    {"space", ISSUER("https://a b"), "1: issuer.url is \"https://a b\"" URL_RIGHT},
    {"IPv6, bare", ISSUER("https://::1"), "1: issuer.url is \"https://::1\"" URL_RIGHT},
    {"IPv6, long", ISSUER("https://[0::1]"),
        "1: issuer.url is \"https://[0::1]\"" URL_RIGHT},
    {"IPv6, open", ISSUER("https://[::1"),
        "1: issuer.url is \"https://[::1\"" URL_RIGHT},
    {"foreign bytes", ISSUER("https://a\xc3\xa4\\\"\\n"),
        "1: issuer.url is \"https://a\\xc3\\xa4\\x22\\x0a\"" URL_RIGHT},
    {"long value",
        ISSUER("https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"),
        "1: issuer.url is \"https://aaaaaaaaaaaaaaaaaaaaaaa...\"" URL_RIGHT},
    /* other forms */
    {"host name as address", URL "listen: { address = \"localhost\"; };",
        "2: listen.address is \"localhost\", but must be an IPv4 or IPv6 address, in "
        "quotes"},
    {"empty path", URL "seal_key_file = \"\";", "2: seal_key_file is \"\"" PATH_RIGHT},
    {"control byte in a path", URL "seal_key_file = \"a\\nb\";",
        "2: seal_key_file is \"a\\x0ab\"" PATH_RIGHT},
    {"unknown engine", URL "store = \"sqlite:x\";",
        "2: store is \"sqlite:x\", but must be \"lmdb:\" and the path of a folder, as "
        "in "
        "\"lmdb:store\""},
    {"engine without a folder", URL "store = \"lmdb:\";",
        "2: store is \"lmdb:\", but must be \"lmdb:\" and the path of a folder, as in "
        "\"lmdb:store\""},
    {"store with options", URL "store = \"lmdb:x?twice=1\";",
        "2: store is \"lmdb:x?twice=1\", but must be \"lmdb:\" and the path of a "
        "folder, "
        "as in \"lmdb:store\""},
    {"long socket",
        URL "listen: {\n admin_socket = \"/sock/"
            "0123456789012345678901234567890123456789012345678901234567890123456789"
            "01234567890123456789012345678901\"; };",
        "3: listen.admin_socket is a path of 108 bytes with its folder, but a socket's "
        "must be one of at most 107"},
    {"name of a provider",
        URL "providers = ( { name = \"Company\"; " GOOD_PROVIDER "} );",
        "2: providers.name is \"Company\", but must be a-z, 0-9 and -, a letter first, "
        "at most 32 of them"},
    {"issuer over http", PROVIDER("issuer = \"http://p\"; client_ids = [ \"c\" ];"),
        "3: providers.issuer is \"http://p\", but must be the https:// URL that its ID "
        "tokens have as \"iss\""},
    {"issuer with a query",
        PROVIDER("issuer = \"https://p?x\"; client_ids = [ \"c\" ];"),
        "3: providers.issuer is \"https://p?x\", but must be the https:// URL that its "
        "ID tokens have as \"iss\""},
    {"client id with a space",
        PROVIDER("issuer = \"https://p\"; client_ids = [ \"a b\" ];"),
        "3: providers.client_ids is \"a b\"" CLIENT_IDS_RIGHT},
    /* together */
    {"client id twice",
        PROVIDER("issuer = \"https://p\"; client_ids = [ \"c\",\n\"c\" ];"),
        "4: providers.client_ids: \"c\" is there already, but each must be another"},
    {"name twice",
        URL "providers = ( { name = \"p\"; " GOOD_PROVIDER "},\n"
            "{ name = \"p\"; issuer = \"https://q\"; client_ids = [ \"c\" ]; } );",
        "3: providers.name: another provider has \"p\" already"},
    {"issuer twice",
        URL "providers = ( { name = \"p\"; " GOOD_PROVIDER "},\n"
            "{ name = \"q\"; " GOOD_PROVIDER "} );",
        "3: providers.issuer: another provider has \"https://p\" already"},
    {"a provider that is us",
        PROVIDER("issuer = \"https://a.example\"; client_ids = [ \"c\" ];"),
        "3: providers.issuer is issuer.url, https://a.example, but a provider must be "
        "somebody else"},
    {"a provider that looks like us",
        PROVIDER("issuer = \"https://a.example/\"; client_ids = [ \"c\" ];"),
        "3: providers.issuer is issuer.url, https://a.example, but a provider must be "
        "somebody else"},
    {"demo for the world",
        "listen: { address = \"0.0.0.0\"; };" PROVIDER(
            GOOD_PROVIDER "jwks_file = \"j\";\n demo = true;"),
        "4: anyone can log in with a demo provider, so listen.address must be "
        "loopback, "
        "as 127.0.0.1 is; it is 0.0.0.0"},
    {"demo for the world, address further down",
        PROVIDER(GOOD_PROVIDER
            "jwks_file = \"j\";\n demo = true;") "listen: { address = \"::\"; };",
        "4: anyone can log in with a demo provider, so listen.address must be "
        "loopback, "
        "as 127.0.0.1 is; it is ::"},
    {"a URI of no form", PROVIDER("type = \"saml\"; issuer = \"idp\";"),
        "3: providers.issuer is \"idp\", but must be a URI, the \"iss\" of its ID "
        "tokens or its SAML entityID"},
    {"another type", PROVIDER(GOOD_PROVIDER "type = \"ldap\";"),
        "3: providers.type is \"ldap\", but must be \"oidc\" or \"saml\""},
    {"metadata of an OpenID provider", PROVIDER(GOOD_PROVIDER "metadata_file = \"m\";"),
        "3: providers.metadata_file is for a provider of the type \"saml\", and p is "
        "not"},
    {"client ids of a SAML provider",
        PROVIDER("type = \"saml\"; metadata_file = \"m\"; " GOOD_PROVIDER),
        "3: providers.client_ids is for a provider of the type \"oidc\", and p is not"},
    {"demo of a SAML provider",
        PROVIDER(SAML_PROVIDER "metadata_file = \"m\"; demo = true;"),
        "3: providers.demo is for a provider of the type \"oidc\", and p is not"},
    {"SAML provider without metadata", PROVIDER(SAML_PROVIDER),
        "3: the SAML provider p must have a metadata_file or a metadata_url"},
    {"SAML provider with metadata twice",
        PROVIDER(SAML_PROVIDER "metadata_file = \"m\"; metadata_url = \"https://m/\"; "
                               "metadata_key = \"k\";"),
        "3: the SAML provider p must have a metadata_file or a metadata_url"},
    {"metadata over http", PROVIDER(SAML_PROVIDER "metadata_url = \"http://m/\";"),
        "3: providers.metadata_url is \"http://m/\", but must be an https:// URL"},
    {"metadata of anybody", PROVIDER(SAML_PROVIDER "metadata_url = \"https://m/\";"),
        "3: the SAML provider p must have a metadata_key, with which what comes from "
        "the metadata_url is signed"},
    {"SAML provider named like us",
        PROVIDER("type = \"saml\"; issuer = \"https://a.example\"; "
                 "metadata_file = \"m\";"),
        "3: providers.issuer: https://a.example is our own name, issuer.url"},
    {"nonces of a SAML provider",
        PROVIDER(SAML_PROVIDER "metadata_file = \"m\"; key_in_nonce = true;"),
        "3: providers.key_in_nonce is for a provider of the type \"oidc\", and p is "
        "not"},
    {"demo without keys", PROVIDER(GOOD_PROVIDER "demo = true;"),
        "3: the demo provider p must have a jwks_file"},
};

static void
refuses(void **state)
{
    const struct world *w = *state;

    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct config *c = (struct config *)state;
        struct mauth_err err = MAUTH_ERR_INIT;
        char want[256];

        write_file(w, refusals[i].text);
        if (config_load(w->path, &c, &err) != MAUTH_MALFORMED)
            fail_msg("taken: %s", refusals[i].name);
        snprintf(want, sizeof(want), "%s:%s", w->path, refusals[i].want);
        want[sizeof(err.text) - 1] = '\0';
        if (strcmp(err.text, want) != 0)
            fail_msg("%s: says\n%s\nnot\n%s", refusals[i].name, err.text, want);
        assert_null(c);
    }
}

/* The sentence must not lose its end to the name of the file. */
static void
says_it_all_of_a_file_far_away(void **state)
{
    const struct world *w = *state;
    struct mauth_err err = MAUTH_ERR_INIT;
    struct config *c;
    char path[256];

    write_file(
        w, "issuer: { url = \"http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"; };");
    snprintf(path, sizeof(path),
        "%s/./././././././././././././././././././././././"
        "././././././././././././meshauth.conf",
        w->dir);
    assert_int_equal(config_load(path, &c, &err), MAUTH_MALFORMED);
    assert_non_null(strstr(err.text, "/meshauth.conf:1: issuer.url is \"http://aaaa"));
    assert_string_equal(err.text + strlen(err.text) - 47,
        "HOST:PORT, lower case, no :443, no / at the end");
}

static void
refuses_deep_nesting(void **state)
{
    const struct world *w = *state;
    char *text = malloc(CONFIG_FILE_MAX);
    struct config *c;

    assert_non_null(text);
    memset(text, '(', CONFIG_FILE_MAX - 1);
    memcpy(text, "a=", 2);
    text[CONFIG_FILE_MAX - 1] = '\0';
    write_file(w, text);
    assert_int_equal(config_load(w->path, &c, NULL), MAUTH_MALFORMED);
    assert_null(c);
    free(text);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(says_it_all_of_a_file_far_away),
        cmocka_unit_test(refuses_deep_nesting),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
