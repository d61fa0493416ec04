/* meshauth audit follow */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/audit_ask.h"
#include "cli/audit_rows.h"
#include "cli/command.h"
#include "cli/output.h"

enum {
    OPT_AFTER = AUDIT_OPTIONS,
    OPT_STATE,
    AGAIN_S = 2 /* after a failure */
};

static const struct command_option options[] = {
    AUDIT_OPTION_ROWS,
    {"after", 0, "N", "from behind this record on (from now on)"},
    {"state", 0, "FILE", "go on where FILE says, and keep it there"},
    {NULL, 0, NULL, NULL},
};

struct follow {
    const struct call *call;
    struct audit_source source;
    struct audit_question q;
    bool anywhere; /* after is known */
    uint64_t after;
    bool cut;   /* nobody reads what is printed */
    bool quiet; /* that the service is away was said */
    bool asked; /* once: then it waits for what comes */
};

static bool
note_last(json_t *record, void *arg)
{
    struct follow *f = arg;

    f->after = (uint64_t)json_integer_value(json_object_get(record, "sequence"));
    f->anywhere = true;
    return false;
}

static bool
print(json_t *record, void *arg)
{
    struct follow *f = arg;
    bool printed;

    if (f->call->json) {
        printed = output_json(json_incref(record));
    } else {
        printed = audit_rows_print(record, f->source.admin.config->issuer.url);
    }
    f->cut = !printed || fflush(stdout) != 0 || ferror(stdout);
    if (!f->cut)
        (void)note_last(record, f);
    return !f->cut;
}

/* FILE has the number of the last record that was printed. */
static enum command_exit
read_state(struct follow *f, const char *path)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code = COMMAND_DONE;
    enum mauth_rc rc;
    struct text text;
    struct buf b;

    buf_init(&b);
    rc = file_read(path, 32, &b, &err);
    text = buf_slice(&b);
    if (rc == MAUTH_OK) {
        while (text.len && text.p[text.len - 1] == '\n')
            text.len--;
        f->anywhere = str_number(text, &f->after);
        if (!f->anywhere)
            code =
                command_misused(f->call, "--state: %s holds no sequence number", path);
    } else if (rc != MAUTH_NOT_FOUND) {
        code = command_failed(f->call, &err);
    }
    buf_clear(&b);
    return code;
}

static enum mauth_rc
keep_state(const struct follow *f, struct mauth_err *err)
{
    const char *path = f->call->option[OPT_STATE];
    char text[32];
    int len = snprintf(text, sizeof(text), "%" PRIu64 "\n", f->after);

    return path ? file_replace(path, text, (size_t)len, FILE_PUBLIC, err) : MAUTH_OK;
}

/* The newest record of all: from there on. */
static enum mauth_rc
begin_now(struct follow *f, struct mauth_err *err)
{
    struct audit_question newest = {.filter = {0}};
    enum mauth_rc rc;

    buf_init(&newest.query);
    rc = audit_ask(&f->source, &newest, 1, note_last, f, err);
    buf_clear(&newest.query);
    f->anywhere = true;
    return rc ? rc
              : keep_state(f, err); /* ended before anything came, it goes on here */
}

/* A log that is shorter is not the one that was followed: a restored one, perhaps. */
static enum mauth_rc
check_place(const struct follow *f, struct mauth_err *err)
{
    const struct audit_looked *looked = &f->source.looked;

    if (looked->missing)
        command_complain(f->call,
            "%" PRIu64 " records are left out: their segments are not in the archive",
            looked->missing);
    if (f->after < looked->in_store.next)
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_INVALID,
        "there is no record %" PRIu64 ": the log has %" PRIu64
        ", it is not the one that was followed",
        f->after, looked->in_store.next);
}

/* One question, which waits for its answer up to a minute. */
static enum mauth_rc
ask_once(struct follow *f, struct mauth_err *err)
{
    uint64_t before = f->after;
    struct buf asked = f->q.query;
    enum mauth_rc rc;

    buf_init(&f->q.query);
    buf_text(&f->q.query, buf_slice(&asked));
    buf_printf(&f->q.query, "%sorder=oldest&archive=true%s&after=%" PRIu64,
        asked.len ? "&" : "", f->asked ? "&wait=55" : "", f->after);
    rc = audit_ask_page(&f->source, &f->q, print, f, err);
    if (rc == MAUTH_OK && !f->cut)
        rc = check_place(f, err);
    f->asked = rc == MAUTH_OK;
    buf_clear(&f->q.query);
    f->q.query = asked;
    if (rc == MAUTH_OK && !f->cut && f->after != before)
        rc = keep_state(f, err);
    return rc;
}

/* The service may be away for a while: it is waited for. */
static void
wait_again(struct follow *f, const struct mauth_err *err)
{
    const struct timespec span = {.tv_sec = AGAIN_S};

    if (!f->quiet)
        command_complain(f->call, "%s; trying again", err->text);
    f->quiet = true;
    (void)nanosleep(&span, NULL);
}

static enum command_exit
follow(struct follow *f)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!f->source.admin.served) {
        command_complain(f->call, "meshauthd does not run: there is nothing to follow");
        return COMMAND_FAILED;
    }
    if (!f->anywhere && begin_now(f, &err) != MAUTH_OK)
        return command_failed(f->call, &err);
    while (!f->cut) {
        mauth_err_reset(&err);
        if (ask_once(f, &err) == MAUTH_OK)
            f->quiet = false;
        else if (err.rc == MAUTH_DENIED || err.rc == MAUTH_INVALID)
            return command_failed(f->call, &err);
        else
            wait_again(f, &err);
    }
    return COMMAND_DONE;
}

static enum command_exit
run(const struct call *call)
{
    struct follow f = {.call = call};
    const char *after = call->option[OPT_AFTER], *state = call->option[OPT_STATE];
    enum command_exit code = audit_question_read(call, &f.q);

    f.anywhere = after != NULL;
    if (code == COMMAND_DONE && after && !str_number(text_of(after), &f.after))
        code = command_misused(call, "--after: the number of a record");
    if (code == COMMAND_DONE && state && !after)
        code = read_state(&f, state);
    if (code == COMMAND_DONE)
        code = audit_source_open(call, &f.source);
    if (code == COMMAND_DONE)
        code = follow(&f);
    audit_source_close(&f.source);
    audit_question_clear(&f.q);
    return code;
}

const struct command audit_follow_command = {
    .noun = "audit",
    .verb = "follow",
    .synopsis = "-c FILE [FILTER...] [--after N | --state FILE]\n           [--json]",
    .summary = "records as they come",
    .about =
        "Prints each record that fits all filters as soon as it is there, until it is\n"
        "ended, also across restarts of meshauthd. With --json and --state it ships "
        "the\n"
        "log elsewhere: into a file, or by a pipe into logger(1). It never holds up "
        "an\n"
        "answer of the service.",
    .example =
        "  meshauth audit follow -c /srv/mesh/meshauth.conf --outcome deny\n"
        "  meshauth audit follow -c /srv/mesh/meshauth.conf --json --state at |\n"
        "      logger -t mesh",
    .options = options,
    .run = run,
};
