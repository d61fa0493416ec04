/*
 * Forged and malformed messages of a SAML provider, each made from a good one: edited,
 * signed by whom the case says, and edited again by somebody without the key.
 */
#ifndef TESTS_SAML_FORGE_H
#define TESTS_SAML_FORGE_H

#include "saml/message.h"
#include "tests/unit/saml_idp.h"

#define ISSUER_END "</saml:Issuer>"

enum forge_base {
    BARE,   /* a signed Assertion */
    INSIDE, /* ... in a Response that is not */
    AROUND, /* a signed Response, its Assertion is not */
    BOTH
};

/*
 * What is found must be there; NULL is all of it. In both texts:
 *
 *   $0  what was found               $M  the signed message
 *   $A  its Assertion                $R  the Response's Signature
 *   $S  the Assertion's Signature    $W  the message without it
 *   $U  the Assertion without it     $X  that, with another ID and subject
 *   $E  $U with another ID and subject           $D  the first DigestValue
 *   $F  $U with another subject                  $K  the stranger's certificate
 *   $G  $E, and $H  $F, with $S in its place
 */
struct forge_edit {
    const char *find, *put;
};

struct forge_case {
    const char *name;
    enum forge_base base;
    enum saml_refusal why;
    struct forge_edit before[2];
    struct forge_edit after[3];
    const char *key; /* who signs; NULL: the provider, with RSA */
};

/* What stands from begin to the end of end, or "". */
static inline char *
forge_cut(const char *text, const char *begin, const char *end)
{
    const char *from = strstr(text, begin), *to = from ? strstr(from, end) : NULL;

    return to ? strndup(from, (size_t)(to - from) + strlen(end)) : strdup("");
}

static inline char *
forge_without(const char *text, const char *part)
{
    return *part ? idp_edit(text, part, "") : strdup(text);
}

static inline char *
forge_evil(const char *text, const char *id)
{
    bool is_alice = strstr(text, ">alice<");
    char *named = is_alice ? idp_edit(text, ">alice<", ">mallory<") : strdup(text),
         *out;

    if (!id)
        return named;
    out = idp_edit(named, id, " ID=\"_evil\"");
    free(named);
    return out;
}

struct forge_parts {
    char *of[128]; /* by letter */
};

static inline void
forge_take_parts(struct forge_parts *p, const char *message)
{
    static const char begin[] = "<ds:Signature ", end[] = "</ds:Signature>";
    char *head = strdup(message), *assertion = strstr(head, "<saml:Assertion ");
    char *digest = forge_cut(message, "<ds:DigestValue>", "</ds:DigestValue>");

    memset(p, 0, sizeof(*p));
    p->of['M'] = strdup(message);
    p->of['A'] = forge_cut(message, "<saml:Assertion ", "</saml:Assertion>");
    p->of['S'] = forge_cut(p->of['A'], begin, end);
    p->of['U'] = forge_without(p->of['A'], p->of['S']);
    p->of['E'] = forge_evil(p->of['U'], " ID=\"_a1\"");
    p->of['F'] = forge_evil(p->of['U'], NULL);
    assertion[0] = '\0';
    p->of['R'] = forge_cut(head, begin, end);
    p->of['W'] = forge_without(message, p->of['R']);
    if (strstr(message, " ID=\"_r1\""))
        p->of['X'] = forge_evil(p->of['W'], " ID=\"_r1\"");
    p->of['D'] = strndup(digest + 16, strlen(digest) - 33);
    p->of['K'] = idp_certificate("device.pem");
    for (int i = 0; i < 2; i++) {
        char **whole = &p->of['G' + i];
        char *with = calloc(1, strlen(ISSUER_END) + strlen(p->of['S']) + 1);

        assert_non_null(with);
        strcat(strcat(with, ISSUER_END), p->of['S']);
        *whole = idp_edit(p->of['E' + i], ISSUER_END, with);
        free(with);
    }
    free(digest);
    free(head);
}

static inline void
forge_free_parts(struct forge_parts *p)
{
    for (size_t i = 0; i < COUNT(p->of); i++)
        free(p->of[i]);
}

static inline char *
forge_expand(const char *text, const char *found, const struct forge_parts *p)
{
    struct buf b;
    size_t len;

    buf_init(&b);
    for (; *text; text++) {
        if (*text != '$')
            buf_put(&b, text, 1);
        else if (*++text == '0')
            buf_str(&b, found);
        else
            buf_str(&b, p->of[(unsigned char)*text]);
    }
    if (b.len == 0)
        return strdup("");
    return buf_detach(&b, &len);
}

/* One edit of *message in place. */
static inline void
forge_apply(char **message, const struct forge_edit *e, const struct forge_parts *p)
{
    char *find = e->find ? forge_expand(e->find, "", p) : strdup(*message);
    char *put = forge_expand(e->put, find, p);
    char *next = idp_edit(*message, find, put);

    free(find);
    free(put);
    free(*message);
    *message = next;
}

static inline char *
forge_make(const struct forge_case *c)
{
    static const char *const bases[] = {
        [BARE] = ASSERTION(SIGNATURE("_a1", "rsa-sha256")),
        [INSIDE] = RESPONSE("", ASSERTION(SIGNATURE("_a1", "rsa-sha256"))),
        [AROUND] = RESPONSE(SIGNATURE("_r1", "rsa-sha256"), ASSERTION("")),
        [BOTH] = RESPONSE(
            SIGNATURE("_r1", "rsa-sha256"), ASSERTION(SIGNATURE("_a1", "rsa-sha256"))),
    };
    struct forge_parts none = {{NULL}}, parts;
    char *text = strdup(bases[c->base]), *message;

    for (size_t i = 0; i < COUNT(c->before) && c->before[i].put; i++)
        forge_apply(&text, &c->before[i], &none);
    message = idp_sign(text, c->key ? c->key : "signing-rsa2048.pem");
    free(text);
    forge_take_parts(&parts, message);
    for (size_t i = 0; i < COUNT(c->after) && c->after[i].put; i++)
        forge_apply(&message, &c->after[i], &parts);
    forge_free_parts(&parts);
    return message;
}

/* What we say of it, with the golden keys as the provider's. */
static inline enum saml_refusal
forge_try(const char *xml, size_t len, struct assertion *out)
{
    static const struct assertion_expect want = {
        IDP, AUDIENCE, RECIPIENT, IDP_NOW_S, 600};
    const char *const files[] = {"signing-p256.pub.pem", "signing-rsa2048.pub.pem"};
    const struct mauth_key *keys[2];
    struct mauth_key *owned[2];
    struct mauth_err err = MAUTH_ERR_INIT;
    enum saml_refusal why = SAML_FINE;
    struct message *m = NULL;
    enum mauth_rc rc;

    memset(out, 0xff, sizeof(*out));
    for (size_t i = 0; i < 2; i++)
        keys[i] = owned[i] = golden_key(files[i]);
    rc = message_parse((struct text){xml, len}, &m, &why, &err);
    assert_true((rc == MAUTH_OK) == (m != NULL));
    if (rc == MAUTH_OK) {
        static const struct assertion zero;

        rc = message_verify(m, keys, 2, &want, out, &why, &err);
        if (rc != MAUTH_OK)
            assert_memory_equal(out, &zero, sizeof(zero));
    }
    assert_int_equal(rc, err.rc);
    assert_true((rc == MAUTH_OK) == (why == SAML_FINE));
    message_free(m);
    for (size_t i = 0; i < 2; i++)
        mauth_key_free(owned[i]);
    return why;
}

#endif
