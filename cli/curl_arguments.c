#include "cli/curl_arguments.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"

enum kind {
    SWITCH,
    VALUE,
    CACERT,
    METHOD,
    HEAD,
    GET,
    DATA,   /* "@-" is standard input */
    FORM,   /* "NAME=@-" and "NAME=<-" are */
    UPLOAD, /* "-" is */
    HEADER,
    PROGRESS
};

static const struct known {
    const char *name;
    char letter; /* 0: none */
    enum kind kind;
} known[] = {
    {"append", 'a', SWITCH},
    {"cacert", 0, CACERT},
    {"capath", 0, VALUE},
    {"compressed", 0, SWITCH},
    {"connect-timeout", 0, VALUE},
    {"connect-to", 0, VALUE},
    {"continue-at", 'C', VALUE},
    {"create-dirs", 0, SWITCH},
    {"data", 'd', DATA},
    {"data-ascii", 0, DATA},
    {"data-binary", 0, DATA},
    {"data-raw", 0, DATA},
    {"data-urlencode", 0, DATA},
    {"fail", 'f', SWITCH},
    {"fail-with-body", 0, SWITCH},
    {"form", 'F', FORM},
    {"form-string", 0, FORM},
    {"get", 'G', GET},
    {"head", 'I', HEAD},
    {"header", 'H', HEADER},
    {"http1.1", 0, SWITCH},
    {"http2", 0, SWITCH},
    {"include", 'i', SWITCH},
    {"ipv4", '4', SWITCH},
    {"ipv6", '6', SWITCH},
    {"json", 0, DATA},
    {"limit-rate", 0, VALUE},
    {"max-filesize", 0, VALUE},
    {"max-time", 'm', VALUE},
    {"no-buffer", 'N', SWITCH},
    {"output", 'o', VALUE},
    {"output-dir", 0, VALUE},
    {"progress-bar", '#', PROGRESS},
    {"range", 'r', VALUE},
    {"referer", 'e', VALUE},
    {"remote-name", 'O', SWITCH},
    {"remote-time", 'R', SWITCH},
    {"request", 'X', METHOD},
    {"resolve", 0, VALUE},
    {"show-error", 'S', SWITCH},
    {"silent", 's', SWITCH},
    {"time-cond", 'z', VALUE},
    {"upload-file", 'T', UPLOAD},
    {"url-query", 0, VALUE},
    {"user-agent", 'A', VALUE},
    {"write-out", 'w', VALUE},
};

/* What people will try, and why not. */
static const struct refused {
    const char *name;
    char letter;
    const char *why;
} refused[] = {
    {"location", 'L',
        "a redirect would take the ticket along; ask for the other URL itself"},
    {"location-trusted", 0,
        "a redirect would take the ticket along; ask for the other URL itself"},
    {"insecure", 'k',
        "the ticket is for the service, not for whoever answers; --cacert "
        "names its authorities"},
    {"url", 0, "a ticket is for one URL"},
    {"next", ':', "a ticket is for one URL"},
    {"verbose", 'v', "it would print the ticket; -i shows what is answered"},
    {"trace", 0, "it would print the ticket; -i shows what is answered"},
    {"trace-ascii", 0, "it would print the ticket; -i shows what is answered"},
    {"dump-header", 'D', "meshauth reads the headers itself; -i shows them"},
    {"user", 'u', "the ticket says who you are"},
    {"oauth2-bearer", 0, "the ticket says who you are"},
    {"netrc", 'n', "the ticket says who you are"},
    {"cert", 'E', "the device's key is what the ticket is bound to"},
    {"key", 0, "the device's key is what the ticket is bound to"},
    {"config", 'K', "what stands in a file is not looked at"},
};

/* How far one has come. */
struct walk {
    char *const *at;
    struct curl_arguments *out;
    bool head, get, body, upload;
};

static enum mauth_rc
refuse(const char *word, const char *name, char letter, struct mauth_err *err)
{
    char quoted[48];

    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        if (name ? strcmp(refused[i].name, name) == 0 : refused[i].letter == letter)
            return mauth_fail(err, MAUTH_INVALID, "--%s is not passed on to curl: %s",
                refused[i].name, refused[i].why);
    return mauth_fail(err, MAUTH_INVALID,
        "%s is not among what is passed on to curl; `man meshauth` lists that",
        mauth_quote(word, strlen(word), quoted, sizeof(quoted)));
}

static bool
is_named(const char *header, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(header, name, len) == 0 &&
           (strchr(": \t;", header[len]) || !header[len]);
}

static enum mauth_rc
take_header(const char *value, struct mauth_err *err)
{
    if (*value == '@')
        return mauth_fail(err, MAUTH_INVALID,
            "--header takes no file here: what stands in it is not looked at");
    if (is_named(value, "Authorization") || is_named(value, "DPoP") ||
        is_named(value, "Host"))
        return mauth_fail(err, MAUTH_INVALID,
            "--header: Authorization, DPoP and Host are made from the ticket and URL");
    return MAUTH_OK;
}

static bool
reads_stdin(enum kind kind, const char *value)
{
    const char *eq = strchr(value, '=');

    switch (kind) {
    case DATA:
        return strcmp(value, "@-") == 0 ||
               (strchr(value, '@') && strcmp(strchr(value, '@'), "@-") == 0);
    case FORM:
        return eq && (eq[1] == '@' || eq[1] == '<') && eq[2] == '-' &&
               (!eq[3] || eq[3] == ';' || eq[3] == ',');
    case UPLOAD: return strcmp(value, "-") == 0 || strcmp(value, ".") == 0;
    case SWITCH:
    case VALUE:
    case CACERT:
    case METHOD:
    case HEAD:
    case GET:
    case HEADER:
    case PROGRESS: break;
    }
    return false;
}

static enum mauth_rc
take_known(
    struct walk *w, const struct known *k, const char *value, struct mauth_err *err)
{
    switch (k->kind) {
    case SWITCH:
    case VALUE: break;
    case CACERT: w->out->cacert = value; break;
    case METHOD:
        w->out->method = value;
        if (!*value || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(value))
            return mauth_fail(
                err, MAUTH_INVALID, "--request: a method is upper-case letters");
        break;
    case HEAD: w->head = true; break;
    case GET: w->get = true; break;
    case DATA:
    case FORM: w->body = true; break;
    case UPLOAD: w->upload = true; break;
    case HEADER: return take_header(value, err);
    case PROGRESS: w->out->progress = true; break;
    }
    w->out->once = w->out->once || (value && reads_stdin(k->kind, value));
    return MAUTH_OK;
}

static bool
has_value(const struct known *k)
{
    return k->kind != SWITCH && k->kind != HEAD && k->kind != GET &&
           k->kind != PROGRESS;
}

/* attached is what follows a letter in its word; NULL: the next word is the value. */
static enum mauth_rc
take_valued(
    struct walk *w, const struct known *k, const char *attached, struct mauth_err *err)
{
    const char *value = attached;

    if (!value) {
        value = w->at[1];
        if (!value)
            return mauth_fail(err, MAUTH_INVALID, "%s needs a value", *w->at);
        w->at++;
    }
    return take_known(w, k, value, err);
}

static enum mauth_rc
take_long(struct walk *w, struct mauth_err *err)
{
    const char *name = *w->at + 2;

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(known[i].name, name) == 0)
            return has_value(&known[i]) ? take_valued(w, &known[i], NULL, err)
                                        : take_known(w, &known[i], NULL, err);
    return refuse(*w->at, name, 0, err);
}

/* "-sSfo FILE": the first letter with a value ends the word. */
static enum mauth_rc
take_letters(struct walk *w, struct mauth_err *err)
{
    const char *word = *w->at;
    enum mauth_rc rc = MAUTH_OK;

    for (const char *p = word + 1; *p && rc == MAUTH_OK; p++) {
        const struct known *k = NULL;

        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
            if (known[i].letter == *p)
                k = &known[i];
        if (!k)
            return refuse(word, NULL, *p, err);
        if (has_value(k))
            return take_valued(w, k, p[1] ? p + 1 : NULL, err);
        rc = take_known(w, k, NULL, err);
    }
    return rc;
}

static const char *
method_of(const struct walk *w)
{
    if (w->out->method)
        return w->out->method;
    if (w->head)
        return "HEAD";
    if (w->upload)
        return "PUT";
    return w->body && !w->get ? "POST" : "GET";
}

enum mauth_rc
curl_arguments_read(
    char *const *argv, struct curl_arguments *out, struct mauth_err *err)
{
    struct walk w = {.at = argv, .out = out};
    enum mauth_rc rc = MAUTH_OK;

    memset(out, 0, sizeof(*out));
    for (; *w.at && rc == MAUTH_OK; w.at++) {
        const char *word = *w.at;

        if (word[0] != '-' || !word[1] || strcmp(word, "--") == 0)
            rc = mauth_fail(err, MAUTH_INVALID,
                "a ticket is for one URL; what follows it are options of curl");
        else if (word[1] == '-')
            rc = take_long(&w, err);
        else
            rc = take_letters(&w, err);
        if (rc != MAUTH_OK)
            return rc;
    }
    out->method = method_of(&w);
    return MAUTH_OK;
}
