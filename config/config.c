#include "config/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/file.h"
#include "config/scan.h"
#include "config/walk.h"

enum {
    HANDOVER_S = 7 * 24 * 3600
};

/* What libconfig says, and what helps. */
static const struct {
    const char *said;
    const char *sentence;
} parse_errors[] = {
    {"syntax error", "not understood, here or just above; a setting is NAME = VALUE; "
                     "and a group NAME: { ... };"},
    {"duplicate setting name", "this name is there already in the same group"},
    {"mismatched element type in array", "what stands in one [ ] must be of one kind"},
    {"memory exhausted", "nested too deeply"},
};

static enum mauth_rc
refuse_syntax(const struct walk *w, const config_t *parsed)
{
    const char *sentence = config_error_text(parsed);

    for (size_t i = 0; i < sizeof(parse_errors) / sizeof(*parse_errors); i++)
        if (strcmp(parse_errors[i].said, config_error_text(parsed)) == 0)
            sentence = parse_errors[i].sentence;
    return mauth_fail(w->err, MAUTH_MALFORMED, "%s:%d: %s", w->file,
        config_error_line(parsed), sentence);
}

/* The kernel's bound, which would show only when the service starts. */
static enum mauth_rc
check_socket(struct walk *w, const config_t *parsed)
{
    const size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
    size_t len = strlen(w->config->listen.admin_socket);

    if (len <= max)
        return MAUTH_OK;
    return complain(w, config_lookup(parsed, "listen.admin_socket"),
        "listen.admin_socket is a path of %zu bytes with its folder, but a socket's "
        "must be one of at most %zu",
        len, max);
}

/* So that whoever trusts a file still knows the next key when it begins to sign. */
static enum mauth_rc
check_keys(struct walk *w, const config_t *parsed)
{
    const struct config *c = w->config;
    int64_t ahead_s = c->keys.publish_ahead_s;

    if (!c->keys.period_s)
        return MAUTH_OK;
    if (ahead_s < c->tickets.trust_s)
        return complain(w, config_lookup(parsed, "keys"),
            "keys.publish_ahead_s is %" PRId64
            ", but must be as long as a trust file lasts, tickets.trust_s, %" PRId64,
            ahead_s, c->tickets.trust_s);
    if (c->keys.period_s <= ahead_s)
        return complain(w, config_lookup(parsed, "keys.period_s"),
            "keys.period_s is %" PRId64
            ", but must be longer than keys.publish_ahead_s, %" PRId64 ", or 0",
            c->keys.period_s, ahead_s);
    return MAUTH_OK;
}

static enum mauth_rc
refuse_second(struct walk *w, const config_setting_t *s)
{
    char value[SHOWN_VALUE];

    return complain(w, s, "providers.%s: another provider has %s already",
        config_setting_name(s), complain_found(s, value));
}

/* What it vouches for must never look like what we do; a slash more is no difference. */
static bool
is_named_like_us(const char *issuer, const char *ours)
{
    size_t len = strlen(ours);

    return strncmp(issuer, ours, len) == 0 &&
           (issuer[len] == '\0' || strcmp(issuer + len, "/") == 0);
}

static enum mauth_rc
check_demo(struct walk *w, const config_setting_t *s, const struct config_provider *p)
{
    if (!config_is_loopback(w->config->listen.address))
        return complain(w, config_setting_get_member(s, "demo"),
            "anyone can log in with a demo provider, so listen.address must be "
            "loopback, as 127.0.0.1 is; it is %s",
            w->config->listen.address);
    if (!p->jwks_file)
        return complain(w, s, "the demo provider %s must have a jwks_file", p->name);
    return MAUTH_OK;
}

/* Settings that only one type of provider has. */
static enum mauth_rc
check_type(struct walk *w, const config_setting_t *s, const struct config_provider *p)
{
    static const struct {
        const char *name;
        bool saml;
    } typed[] = {
        {"client_ids", false},
        {"login_client_id", false},
        {"scopes", false},
        {"jwks_file", false},
        {"demo", false},
        {"key_in_nonce", false},
        {"metadata_file", true},
        {"metadata_url", true},
        {"metadata_key", true},
    };

    for (size_t i = 0; i < sizeof(typed) / sizeof(*typed); i++) {
        const config_setting_t *found = config_setting_get_member(s, typed[i].name);

        if (found && typed[i].saml != config_is_saml(p))
            return complain(w, found,
                "providers.%s is for a provider of the type \"%s\", and %s is not",
                typed[i].name, typed[i].saml ? "saml" : "oidc", p->name);
    }
    return MAUTH_OK;
}

/* OpenID Connect Core 2: https, no query, no fragment; compared byte for byte. */
static enum mauth_rc
check_oidc(struct walk *w, const config_setting_t *s, const struct config_provider *p)
{
    char value[SHOWN_VALUE];
    const config_setting_t *issuer = config_setting_get_member(s, "issuer");

    if (strncmp(p->issuer, "https://", 8) != 0 || strpbrk(p->issuer, "?#@") ||
        !p->issuer[8] || p->issuer[8] == '/')
        return complain(w, issuer,
            "providers.issuer is %s, but must be the https:// URL that its ID tokens "
            "have as \"iss\"",
            complain_found(issuer, value));
    if (p->client_ids == 0)
        return complain(w, s,
            "providers.client_ids is missing; it must be %s, as in [ \"meshauth\" ]",
            "1 to 16 texts in brackets");
    return MAUTH_OK;
}

/* Metadata from the network are good for their signature alone. */
static enum mauth_rc
check_saml(struct walk *w, const config_setting_t *s, const struct config_provider *p)
{
    if (strcmp(p->issuer, w->config->issuer.url) == 0)
        return complain(w, config_setting_get_member(s, "issuer"),
            "providers.issuer: %s is our own name, issuer.url", p->issuer);
    if (!p->metadata_file == !p->metadata_url)
        return complain(w, s,
            "the SAML provider %s must have a metadata_file or a metadata_url",
            p->name);
    if (p->metadata_url && !p->metadata_key)
        return complain(w, s,
            "the SAML provider %s must have a metadata_key, with which what comes from "
            "the metadata_url is signed",
            p->name);
    return MAUTH_OK;
}

/* Tokens for it would be refused. */
static enum mauth_rc
check_login_client(
    struct walk *w, const config_setting_t *s, const struct config_provider *p)
{
    if (!p->login_client_id)
        return MAUTH_OK;
    for (size_t i = 0; i < p->client_ids; i++)
        if (strcmp(p->client_id[i], p->login_client_id) == 0)
            return MAUTH_OK;
    return complain(w, config_setting_get_member(s, "login_client_id"),
        "login_client_id must be one of the client_ids of %s", p->name);
}

static enum mauth_rc
check_provider(struct walk *w, const config_setting_t *s, size_t i)
{
    const struct config_provider *p = w->config->provider;
    enum mauth_rc rc = check_type(w, s, &p[i]);

    if (rc == MAUTH_OK)
        rc = config_is_saml(&p[i]) ? check_saml(w, s, &p[i]) : check_oidc(w, s, &p[i]);
    if (rc == MAUTH_OK)
        rc = check_login_client(w, s, &p[i]);
    if (rc)
        return rc;
    for (size_t j = 0; j < i; j++) {
        if (strcmp(p[i].name, p[j].name) == 0)
            return refuse_second(w, config_setting_get_member(s, "name"));
        if (strcmp(p[i].issuer, p[j].issuer) == 0)
            return refuse_second(w, config_setting_get_member(s, "issuer"));
    }
    if (is_named_like_us(p[i].issuer, w->config->issuer.url))
        return complain(w, config_setting_get_member(s, "issuer"),
            "providers.issuer is issuer.url, %s, but a provider must be somebody else",
            w->config->issuer.url);
    return p[i].demo ? check_demo(w, s, &p[i]) : MAUTH_OK;
}

/* What no setting shows by itself. */
static enum mauth_rc
check_together(struct walk *w, const config_t *parsed)
{
    const config_setting_t *list = config_lookup(parsed, "providers");
    enum mauth_rc rc = check_socket(w, parsed);

    if (rc == MAUTH_OK)
        rc = check_keys(w, parsed);
    for (size_t i = 0; i < w->config->providers && rc == MAUTH_OK; i++)
        rc = check_provider(w, config_setting_get_elem(list, (unsigned)i), i);
    return rc;
}

static enum mauth_rc
parse(struct walk *w, const char *text)
{
    enum mauth_rc rc;
    config_t parsed;

    config_init(&parsed);
    if (config_read_string(&parsed, text) == CONFIG_TRUE)
        rc = walk_read(w, config_root_setting(&parsed));
    else
        rc = refuse_syntax(w, &parsed);
    if (rc == MAUTH_OK)
        rc = check_together(w, &parsed);
    config_destroy(&parsed);
    return rc;
}

static enum mauth_rc
read_file(struct walk *w)
{
    struct buf file;
    struct text text;
    enum mauth_rc rc;

    buf_init(&file);
    rc = file_read(w->config->path, CONFIG_FILE_MAX, &file, w->err);
    if (rc != MAUTH_OK)
        goto out;
    rc = hash_bytes(file.data, file.len, w->config->hash, w->err);
    if (rc != MAUTH_OK)
        goto out;
    buf_str(&file, "\n"); /* libconfig wants one behind a comment */
    text.p = buf_cstr(&file);
    text.len = file.len;
    if (!text.p) {
        rc = mauth_fail(w->err, MAUTH_NO_MEMORY, "configuration: no memory");
        goto out;
    }
    rc = config_scan(w->file, text, w->err);
    if (rc == MAUTH_OK)
        rc = parse(w, text.p);
out:
    buf_clear(&file);
    return rc;
}

/* The folder, absolute, so that the paths hold wherever a process goes. */
static char *
folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder, *absolute = NULL;

    if (!slash)
        return realpath(".", NULL);
    folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (folder)
        absolute = realpath(folder, NULL);
    free(folder);
    return absolute;
}

static enum mauth_rc
locate(struct config *c, const char *path, struct mauth_err *err)
{
    c->path = strdup(path);
    c->dir = folder_of(path);
    if (c->path && c->dir)
        return MAUTH_OK;
    return mauth_fail(err, errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE,
        "%s: %s", path, strerror(errno));
}

/* Messages have little room: of a long path, the end says most. */
static void
name_file(struct walk *w, const char *path)
{
    const size_t room = sizeof(w->file) - 12; /* what mauth_quote() takes whole */
    size_t len = strlen(path);

    if (len > room) {
        strcpy(w->file, "...");
        path += len - room;
        len = room;
    }
    mauth_quote(path, len, w->file + strlen(w->file), sizeof(w->file) - 3);
}

enum mauth_rc
config_load(const char *path, struct config **out, struct mauth_err *err)
{
    struct config *c = calloc(1, sizeof(*c));
    struct walk w = {.config = c, .err = err};
    enum mauth_rc rc;

    *out = NULL;
    if (!c)
        return mauth_fail(err, MAUTH_NO_MEMORY, "configuration: no memory");
    name_file(&w, path);
    rc = locate(c, path, err);
    if (rc == MAUTH_OK)
        rc = read_file(&w);
    if (rc == MAUTH_OK)
        *out = c;
    else
        config_free(c);
    return rc;
}

void
config_free(struct config *c)
{
    if (!c)
        return;
    walk_free(c);
    walk_free_text(&c->path);
    walk_free_text(&c->dir);
    free(c);
}

bool
config_is_saml(const struct config_provider *p)
{
    return p->type && strcmp(p->type, "saml") == 0;
}

bool
config_is_loopback(const char *address)
{
    struct in_addr four;
    struct in6_addr six;

    if (inet_pton(AF_INET, address, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, address, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

int64_t
config_longest_ticket_s(const struct config *c)
{
    return c->tickets.identity_s > c->tickets.rights_s ? c->tickets.identity_s
                                                       : c->tickets.rights_s;
}

int64_t
config_handover_s(const struct config *c)
{
    return c->keys.period_s ? config_longest_ticket_s(c) : HANDOVER_S;
}
