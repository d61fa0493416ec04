#include "config/schema.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"
#include "config/config.h"
#include "keys/signer.h"

enum {
    HOST_MAX = 253, /* RFC 1035 2.3.4 */
    LABEL_MAX = 63,
    ISSUER_MAX = 512, /* as the store has it */
    TEXT_MAX = 255,
    PROVIDER_NAME_MAX = 32
};

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_printable(const char *value, size_t max)
{
    size_t len = strlen(value);

    if (len < 1 || len > max)
        return false;
    for (size_t i = 0; i < len; i++)
        if (value[i] < 0x21 || value[i] > 0x7e)
            return false;
    return true;
}

static bool
is_label(struct text t)
{
    if (t.len < 1 || t.len > LABEL_MAX || t.p[0] == '-' || t.p[t.len - 1] == '-')
        return false;
    for (size_t i = 0; i < t.len; i++)
        if (!is_lower(t.p[i]) && !is_digit(t.p[i]) && t.p[i] != '-')
            return false;
    return true;
}

/* Each address has one spelling here, so that it can be compared as text. */
static bool
is_ipv6(struct text t)
{
    char given[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN];
    struct in6_addr a;

    if (t.len >= sizeof(given))
        return false;
    memcpy(given, t.p, t.len);
    given[t.len] = '\0';
    return inet_pton(AF_INET6, given, &a) == 1 &&
           inet_ntop(AF_INET6, &a, again, sizeof(again)) && strcmp(given, again) == 0;
}

/* Lower-case labels with dots between, or an address. */
static bool
is_host(struct text host)
{
    struct text label;

    if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']') {
        host.p++;
        host.len -= 2;
        return is_ipv6(host);
    }
    if (host.len > HOST_MAX)
        return false;
    while (text_cut(&host, '.', &label))
        if (!is_label(label))
            return false;
    return is_label(host);
}

/* After the host: nothing, or a port that is not the default. */
static bool
is_port(struct text t)
{
    uint64_t port;

    if (t.len == 0)
        return true;
    if (t.p[0] != ':')
        return false;
    t.p++;
    t.len--;
    return str_number(t, &port) && port > 0 && port < 65536 && port != 443;
}

static bool
is_issuer_url(const char *value)
{
    struct text host, rest = text_of(value);
    const char *end;

    if (!text_starts(rest, "https://"))
        return false;
    rest.p += 8;
    rest.len -= 8;
    end = memchr(rest.p, ']', rest.len); /* colons of IPv6 come before it */
    host.p = rest.p;
    host.len = end ? (size_t)(end + 1 - rest.p) : strcspn(rest.p, ":");
    rest.p += host.len;
    rest.len -= host.len;
    return is_host(host) && is_port(rest);
}

/* An entityID may be any URI; config.c asks more of an OpenID provider. */
static bool
is_provider_issuer(const char *value)
{
    struct text t = text_of(value);

    return t.len <= ISSUER_MAX && str_is_uri(t);
}

static bool
is_provider_type(const char *value)
{
    return strcmp(value, "oidc") == 0 || strcmp(value, "saml") == 0;
}

static bool
is_metadata_url(const char *value)
{
    struct text t = text_of(value);

    return t.len <= ISSUER_MAX && text_starts(t, "https://") && str_is_uri(t) &&
           !strpbrk(value, "#@") && value[8] && value[8] != '/';
}

static bool
is_algorithm(const char *value)
{
    enum signer_kind kind;

    return signer_kind_parse(text_of(value), &kind);
}

static bool
is_provider_name(const char *value)
{
    size_t len = strlen(value);

    if (len < 1 || len > PROVIDER_NAME_MAX || !is_lower(value[0]))
        return false;
    for (size_t i = 1; i < len; i++)
        if (!is_lower(value[i]) && !is_digit(value[i]) && value[i] != '-')
            return false;
    return true;
}

static bool
is_client_id(const char *value)
{
    return is_printable(value, TEXT_MAX);
}

/* RFC 6749 3.3, and "openid" is there by itself. */
static bool
is_scope(const char *value)
{
    return is_printable(value, TEXT_MAX) && !strpbrk(value, "\"\\") &&
           strcmp(value, "openid") != 0;
}

static bool
is_email_domain(const char *value)
{
    return is_host(text_of(value)) && value[0] != '[';
}

static bool
is_address(const char *value)
{
    struct in6_addr a;

    return inet_pton(AF_INET, value, &a) == 1 || inet_pton(AF_INET6, value, &a) == 1;
}

static bool
is_path(const char *value)
{
    if (!*value)
        return false;
    for (; *value; value++)
        if ((*value >= 0 && *value < 0x20) || *value == 0x7f)
            return false;
    return true;
}

static bool
is_absolute(const char *value)
{
    return value[0] == '/' && is_path(value);
}

static bool
is_store(const char *value)
{
    return text_starts(text_of(value), "lmdb:") && is_path(value + 5) &&
           !strchr(value, '?'); /* options of the store are for tests */
}

/* Where a member lies, and how wide it is. */
#define AT(type, member) \
    .offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)

#define PATH_RIGHT "the path of a file, in quotes"

static const struct config_rule issuer_rules[] = {
    {"url", CONFIG_TEXT, .required = true, AT(config, issuer.url),
        .good = is_issuer_url,
        .right =
            "https://HOST or https://HOST:PORT, lower case, no :443, no / at the end"},
    {"trust_file", CONFIG_PATH, AT(config, issuer.trust_file), .text = "trust",
        .good = is_path, .right = PATH_RIGHT},
    {0},
};

static const struct config_rule listen_rules[] = {
    {"address", CONFIG_TEXT, AT(config, listen.address), .text = "127.0.0.1",
        .good = is_address, .right = "an IPv4 or IPv6 address, in quotes"},
    {"port", CONFIG_NUMBER, AT(config, listen.port), .min = 1, .max = 65535,
        .number = 8443},
    {"certificate", CONFIG_PATH, AT(config, listen.certificate), .text = "tls.crt",
        .good = is_path, .right = PATH_RIGHT},
    {"key", CONFIG_SECRET, AT(config, listen.key), .text = "tls.key", .good = is_path,
        .right = PATH_RIGHT},
    {"admin_socket", CONFIG_PATH, AT(config, listen.admin_socket), .text = "admin.sock",
        .good = is_path, .right = PATH_RIGHT},
    {0},
};

static const struct config_rule provider_rules[] = {
    {"name", CONFIG_TEXT, .required = true, AT(config_provider, name),
        .good = is_provider_name,
        .right = "a-z, 0-9 and -, a letter first, at most 32 of them"},
    {"issuer", CONFIG_TEXT, .required = true, AT(config_provider, issuer),
        .good = is_provider_issuer,
        .right = "a URI, the \"iss\" of its ID tokens or its SAML entityID"},
    {"type", CONFIG_TEXT, AT(config_provider, type), .text = "oidc",
        .good = is_provider_type, .right = "\"oidc\" or \"saml\""},
    {"client_ids", CONFIG_TEXTS, AT(config_provider, client_id),
        .count = offsetof(struct config_provider, client_ids), .min = 1,
        .max = CONFIG_CLIENT_IDS, .good = is_client_id,
        .right = "1 to 16 texts in brackets, as in [ \"meshauth\" ]"},
    {"login_client_id", CONFIG_TEXT, AT(config_provider, login_client_id),
        .good = is_client_id, .right = "one of the client_ids, in quotes"},
    {"scopes", CONFIG_TEXTS, AT(config_provider, scope),
        .count = offsetof(struct config_provider, scopes), .min = 1,
        .max = CONFIG_SCOPES, .good = is_scope,
        .right = "1 to 16 texts beside \"openid\", as in [ \"email\" ]"},
    {"email_domains", CONFIG_TEXTS, AT(config_provider, email_domain),
        .count = offsetof(struct config_provider, email_domains), .min = 1,
        .max = CONFIG_EMAIL_DOMAINS, .good = is_email_domain,
        .right = "1 to 16 domains, as in [ \"example.org\" ]"},
    {"jwks_file", CONFIG_PATH, AT(config_provider, jwks_file), .good = is_path,
        .right = PATH_RIGHT},
    {"ca_file", CONFIG_PATH, AT(config_provider, ca_file), .good = is_path,
        .right = PATH_RIGHT},
    {"metadata_file", CONFIG_PATH, AT(config_provider, metadata_file), .good = is_path,
        .right = PATH_RIGHT},
    {"metadata_url", CONFIG_TEXT, AT(config_provider, metadata_url),
        .good = is_metadata_url, .right = "an https:// URL"},
    {"metadata_key", CONFIG_PATH, AT(config_provider, metadata_key), .good = is_path,
        .right = PATH_RIGHT},
    {"create_users", CONFIG_FLAG, AT(config_provider, create_users),
        .right = "true or false"},
    {"key_in_nonce", CONFIG_FLAG, AT(config_provider, key_in_nonce),
        .right = "true or false"},
    {"demo", CONFIG_FLAG, AT(config_provider, demo), .right = "true or false"},
    {"max_age_s", CONFIG_NUMBER, AT(config_provider, max_age_s), .min = 60,
        .max = 86400, .number = 600},
    {0},
};

static const struct config_rule tickets_rules[] = {
    {"identity_s", CONFIG_NUMBER, AT(config, tickets.identity_s), .min = 60,
        .max = 43200, .number = 3600},
    {"rights_s", CONFIG_NUMBER, AT(config, tickets.rights_s), .min = 60, .max = 43200,
        .number = 600},
    {"session_s", CONFIG_NUMBER, AT(config, tickets.session_s), .min = 3600,
        .max = 31536000, .number = 2592000},
    {"trust_s", CONFIG_NUMBER, AT(config, tickets.trust_s), .min = 120, .max = 43200,
        .number = 3600},
    {0},
};

static const struct config_rule keys_rules[] = {
    {"period_s", CONFIG_NUMBER, AT(config, keys.period_s), .max = 25920000},
    {"publish_ahead_s", CONFIG_NUMBER, AT(config, keys.publish_ahead_s), .min = 120,
        .max = 2592000, .number = 86400},
    {"algorithm", CONFIG_TEXT, AT(config, keys.algorithm), .good = is_algorithm,
        .right = "\"P-256\", \"RSA-2048\" or \"RSA-3072\""},
    {0},
};

static const struct config_rule limits_rules[] = {
    {"threads", CONFIG_NUMBER, AT(config, limits.threads), .min = 1, .max = 64},
    {"connections", CONFIG_NUMBER, AT(config, limits.connections), .min = 16,
        .max = 100000, .number = 1000},
    {"connections_per_ip", CONFIG_NUMBER, AT(config, limits.connections_per_ip),
        .min = 1, .max = 100000, .number = 100},
    {"changes_per_minute", CONFIG_NUMBER, AT(config, limits.changes_per_minute),
        .min = 1, .max = 1000000, .number = 60},
    {"decisions_per_minute", CONFIG_NUMBER, AT(config, limits.decisions_per_minute),
        .min = 1, .max = 1000000, .number = 600},
    {"disk_reserve_mib", CONFIG_NUMBER, AT(config, limits.disk_reserve_mib),
        .max = 1048576, .number = 64},
    {"request_s", CONFIG_NUMBER, AT(config, limits.request_s), .min = 1, .max = 300,
        .number = 15},
    {"idle_s", CONFIG_NUMBER, AT(config, limits.idle_s), .min = 1, .max = 600,
        .number = 60},
    {0},
};

static const struct config_rule audit_rules[] = {
    {"keep_days", CONFIG_NUMBER, AT(config, audit.keep_days), .max = 36500},
    {"keep_mib", CONFIG_NUMBER, AT(config, audit.keep_mib), .max = 16777216},
    {0},
};

#define GROUP_RIGHT "a group, as in NAME: { ... };"

const struct config_rule config_schema[] = {
    {"issuer", CONFIG_GROUP, .members = issuer_rules, .right = GROUP_RIGHT},
    {"listen", CONFIG_GROUP, .members = listen_rules, .right = GROUP_RIGHT},
    {"store", CONFIG_STORE, AT(config, store), .text = "lmdb:store", .good = is_store,
        .right = "\"lmdb:\" and the path of a folder, as in \"lmdb:store\""},
    {"seal_key_file", CONFIG_SECRET, AT(config, seal_key_file), .text = "seal.key",
        .good = is_path, .right = PATH_RIGHT},
    {"rules_file", CONFIG_PATH, AT(config, rules_file), .text = "mesh.rules",
        .good = is_path, .right = PATH_RIGHT},
    {"pkcs11_modules", CONFIG_TEXTS, AT(config, pkcs11_module),
        .count = offsetof(struct config, pkcs11_modules), .min = 1,
        .max = CONFIG_PKCS11_MODULES, .good = is_absolute,
        .right =
            "1 to 8 absolute paths, as in [ \"/usr/lib/softhsm/libsofthsm2.so\" ]"},
    {"providers", CONFIG_GROUPS, .members = provider_rules, .max = CONFIG_PROVIDERS,
        .offset = offsetof(struct config, provider),
        .size = sizeof(struct config_provider),
        .count = offsetof(struct config, providers),
        .right = "a list of at most 16 groups, as in ( { ... }, { ... } )"},
    {"tickets", CONFIG_GROUP, .members = tickets_rules, .right = GROUP_RIGHT},
    {"keys", CONFIG_GROUP, .members = keys_rules, .right = GROUP_RIGHT},
    {"limits", CONFIG_GROUP, .members = limits_rules, .right = GROUP_RIGHT},
    {"audit", CONFIG_GROUP, .members = audit_rules, .right = GROUP_RIGHT},
    {0},
};
