/* meshauth trust show */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/trust_json.h"
#include "cli/vkey.h"
#include "cli/when.h"
#include "keys/trust.h"
#include <meshauth/ticket.h>

enum {
    OPT_ROOT
};

static const struct command_option options[] = {
    [OPT_ROOT] = {"root", 0, "VKEY",
        "its root's verifier key, or a file that holds it"},
    {NULL, 0, NULL, NULL},
};

struct showing_trust {
    struct mauth_trust *trust;
    bool checked; /* by the root that was given */
    char root[NOTE_VKEY_MAX + 1];
    char fingerprint[NOTE_FINGERPRINT_LEN + 1];
    int64_t now_s;
};

static enum mauth_rc
read_file(const char *path, struct showing_trust *s, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf file;

    buf_init(&file);
    rc = file_read(path, MAUTH_TRUST_MAX, &file, err);
    if (rc == MAUTH_OK && s->checked)
        rc = mauth_trust_parse(file.data, file.len, s->root, &s->trust, err);
    else if (rc == MAUTH_OK)
        rc = trust_parse_untrusted(file.data, file.len, &s->trust, err);
    buf_clear(&file);
    return rc;
}

static enum command_exit
take_root(const struct call *call, struct showing_trust *s)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct note_verifier root;
    enum command_exit code = vkey_read(call, OPT_ROOT, &root);

    if (code != COMMAND_DONE)
        return code;
    note_verifier_format(&root, s->root);
    s->checked = true;
    if (note_fingerprint(&root, s->fingerprint, &err) != MAUTH_OK)
        return command_failed(call, &err);
    return COMMAND_DONE;
}

/* "valid", "expired", or "future": no verifier decides with the last two. */
static const char *
age_of(const struct showing_trust *s)
{
    if (s->now_s < mauth_trust_issued_s(s->trust) - MAUTH_SKEW_DEFAULT_S)
        return "future";
    return s->now_s < mauth_trust_expires_s(s->trust) ? "valid" : "expired";
}

/* What machines read. */

static json_t *
audiences_json(const struct trust_key *k)
{
    json_t *list = json_array();

    for (size_t i = 0; i < k->audiences; i++)
        json_array_append_new(list, json_stringn(k->audience[i].p, k->audience[i].len));
    if (!k->all_audiences)
        return list;
    json_decref(list);
    return json_string("*");
}

static json_t *
keys_json(const struct mauth_trust *trust)
{
    json_t *list = json_array();

    for (size_t i = 0; i < trust_key_count(trust); i++) {
        const struct trust_key *k = trust_key_at(trust, i);

        json_array_append_new(list,
            json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "id", mauth_key_id(k->key),
                "state", trust_state_name(k->state), "alg",
                key_alg_name(key_alg(k->key)), "from", trust_json_time(k->from_s),
                "until", trust_json_time(k->until_s), "audiences", audiences_json(k)));
    }
    if (json_array_size(list) == trust_key_count(trust))
        return list;
    json_decref(list);
    return NULL;
}

static json_t *
root_json(const struct showing_trust *s)
{
    return s->checked
               ? json_pack("{s:s, s:s}", "key", s->root, "fingerprint", s->fingerprint)
               : json_null();
}

static json_t *
authority_json(const struct delegation *d)
{
    char vkey[NOTE_VKEY_MAX + 1];

    note_verifier_format(&d->authority, vkey);
    return json_pack("{s:s, s:o, s:o}", "key", vkey, "from", trust_json_time(d->from_s),
        "until", trust_json_time(d->until_s));
}

static json_t *
describe(const struct showing_trust *s)
{
    json_t *o = trust_json_core(s->trust);
    json_t *more = json_pack("{s:s, s:b, s:o, s:o, s:o}", "age", age_of(s), "checked",
        (int)s->checked, "root", root_json(s), "authority",
        authority_json(trust_authority(s->trust)), "keys", keys_json(s->trust));

    if (!more || json_object_update(o, more) != 0) {
        json_decref(o);
        o = NULL;
    }
    json_decref(more);
    return o;
}

/* What people read. */

static void
row(struct table *t, const char *head, const char *text)
{
    table_cell(t, STYLE_DIM, "%s", head);
    table_cell(t, STYLE_PLAIN, "%s", text);
}

static void
row_time(struct table *t, const char *head, int64_t t_s, int64_t now_s)
{
    char text[TIME_LEN + 1], when[WHEN_LEN];

    time_format(t_s, text);
    when_format(t_s, now_s, when);
    table_cell(t, STYLE_DIM, "%s", head);
    table_cell(t, STYLE_PLAIN, "%s (%s)", text, when);
}

static void
print_head(const struct showing_trust *s)
{
    if (s->checked)
        output_line(STYLE_GOOD, mauth_trust_issuer(s->trust), ": signed for this root");
    else
        output_line(STYLE_BAD, mauth_trust_issuer(s->trust),
            ": its signatures were not checked, because no root was given (--root)");
}

static bool
print_statement(const struct showing_trust *s)
{
    const struct delegation *d = trust_authority(s->trust);
    const char *age = age_of(s);
    struct table *t = table_new(2, NULL);
    char from[TIME_LEN + 1], until[TIME_LEN + 1], hex[2 * HASH_LEN + 1];
    uint8_t tree_root[HASH_LEN];

    table_cell(t, STYLE_DIM, "number");
    table_cell(t, STYLE_PLAIN, "epoch %" PRIu64 ", sequence %" PRIu64,
        mauth_trust_epoch(s->trust), mauth_trust_sequence(s->trust));
    row_time(t, "issued", mauth_trust_issued_s(s->trust), s->now_s);
    row_time(t, "expires", mauth_trust_expires_s(s->trust), s->now_s);
    if (strcmp(age, "valid") != 0) {
        table_cell(t, STYLE_DIM, "age");
        table_cell(t, STYLE_BAD, "%s",
            strcmp(age, "expired") == 0 ? "expired: nothing is decided with it"
                                        : "from the future: set the clock");
    }
    time_format(d->from_s, from);
    time_format(d->until_s, until);
    table_cell(t, STYLE_DIM, "authority");
    table_cell(t, STYLE_PLAIN, "%s, %s to %s", d->authority.name, from, until);
    row(t, "root", s->checked ? s->fingerprint : "unknown");
    table_cell(t, STYLE_DIM, "revocations");
    table_cell(t, STYLE_PLAIN, "%" PRIu64, trust_revocation_count(s->trust));
    table_cell(t, STYLE_DIM, "audit log");
    table_cell(
        t, STYLE_PLAIN, "%" PRIu64 " records", trust_checkpoint(s->trust, tree_root));
    str_hex(trust_hash(s->trust), HASH_LEN, hex);
    row(t, "hash", hex);
    return table_end(t);
}

static void
cell_audiences(struct table *t, const struct trust_key *k)
{
    struct buf b;
    const char *text;

    buf_init(&b);
    for (size_t i = 0; i < k->audiences; i++) {
        buf_str(&b, i ? ", " : "");
        buf_text(&b, k->audience[i]);
    }
    text = buf_cstr(&b);
    table_cell(t, STYLE_PLAIN, "%s", k->all_audiences ? "any" : text ? text : "");
    buf_clear(&b);
}

static bool
print_keys(const struct showing_trust *s)
{
    static const char *const heads[] = {"key", "state", "alg", "from", "until", "for"};
    struct table *t = table_new(sizeof(heads) / sizeof(*heads), heads);

    for (size_t i = 0; i < trust_key_count(s->trust); i++) {
        const struct trust_key *k = trust_key_at(s->trust, i);
        char from[TIME_LEN + 1], until[TIME_LEN + 1];

        time_format(k->from_s, from);
        time_format(k->until_s, until);
        table_cell(t, STYLE_BOLD, "%s", mauth_key_id(k->key));
        table_cell(t, k->state == TRUST_REVOKED ? STYLE_BAD : STYLE_PLAIN, "%s",
            trust_state_name(k->state));
        table_cell(t, STYLE_PLAIN, "%s", key_alg_name(key_alg(k->key)));
        table_cell(t, STYLE_PLAIN, "%s", from);
        table_cell(t, STYLE_PLAIN, "%s", until);
        cell_audiences(t, k);
    }
    return table_end(t);
}

static bool
print(const struct call *call, const struct showing_trust *s)
{
    if (call->json)
        return output_json(describe(s));
    print_head(s);
    if (!print_statement(s))
        return false;
    putchar('\n');
    return print_keys(s);
}

static enum command_exit
run(const struct call *call)
{
    struct showing_trust s = {.now_s = time_now_s()};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code = COMMAND_DONE;

    if (call->option[OPT_ROOT])
        code = take_root(call, &s);
    if (code != COMMAND_DONE)
        return code;
    if (read_file(call->arg[0], &s, &err) != MAUTH_OK) {
        if (err.rc == MAUTH_UNTRUSTED && call->option[OPT_ROOT])
            command_complain(call,
                "%s was altered, or not made under the root of --root", call->arg[0]);
        return command_failed(call, &err);
    }
    if (!print(call, &s)) {
        command_complain(call, "no memory");
        code = COMMAND_FAILED;
    }
    mauth_trust_free(s.trust);
    return code;
}

const struct command trust_show_command = {
    .noun = "trust",
    .verb = "show",
    .synopsis = "FILE|- [--root VKEY] [--json]",
    .summary = "what a trust file says",
    .about =
        "Shows a trust file: its number and age, the authority that signed it, the "
        "keys\n"
        "that sign tickets. Without the root's verifier key nobody vouches for any of\n"
        "it, and that is said. The root's fingerprint is what `trust bootstrap` asks\n"
        "for.",
    .example = "  meshauth trust show /srv/mesh/trust --root /srv/mesh/root.vkey",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
