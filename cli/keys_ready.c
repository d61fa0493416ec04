#include "cli/keys_ready.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/output.h"
#include "cli/when.h"

enum {
    LOOK_MS = 500,    /* between looks */
    NAME_SHOWN = 24,  /* so that a line has 80 characters */
    PICTURE_ROWS = 12 /* of a picture: terminals are not high */
};

static const json_t *
verifiers_of(const json_t *key)
{
    return json_object_get(key, "verifiers");
}

static bool
is_ready(const json_t *verifier)
{
    return json_is_true(json_object_get(verifier, "ready"));
}

static size_t
count_lacking(const json_t *key)
{
    const json_t *list = verifiers_of(key);
    size_t lacking = 0;

    for (size_t i = 0; i < json_array_size(list); i++)
        lacking += !is_ready(json_array_get(list, i));
    return lacking;
}

/* Name, file and when it was seen. */
static void
cell_verifier(struct table *t, enum style style, const json_t *v)
{
    const char *seen = admin_text(v, "seen");
    char when[WHEN_LEN] = "";
    int64_t seen_s;

    if (time_parse(seen, strlen(seen), &seen_s))
        when_format(seen_s, time_now_s(), when);
    table_cell(t, style, "%.*s", NAME_SHOWN, admin_text(v, "name"));
    table_cell(t, STYLE_PLAIN, "%s", admin_text(v, "loaded"));
    table_cell(t, STYLE_PLAIN, "%s", when);
}

/* All services. */

/* The keys that the nth service lacks: one of them, and how many more. */
static void
cell_lacks(struct table *t, const json_t *keys, size_t n)
{
    const char *first = NULL;
    size_t lacks = 0;

    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);

        if (strcmp(admin_text(key, "state"), "revoked") == 0 ||
            is_ready(json_array_get(verifiers_of(key), n)))
            continue;
        first = first ? first : admin_text(key, "id");
        lacks++;
    }
    if (lacks > 1)
        table_cell(t, STYLE_BAD, "%s +%zu", first, lacks - 1);
    else
        table_cell(t, lacks ? STYLE_BAD : STYLE_DIM, "%s", first ? first : "none");
}

bool
keys_ready_print(const json_t *keys)
{
    static const char *const heads[] = {"service", "has loaded", "seen", "lacks"};
    const json_t *list = verifiers_of(json_array_get(keys, 0)); /* the same of each */
    struct table *t;

    if (!json_array_size(list))
        return true;
    puts("");
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = 0; i < json_array_size(list); i++) {
        cell_verifier(t, STYLE_BOLD, json_array_get(list, i));
        cell_lacks(t, keys, i);
    }
    return table_end(t);
}

/* Waiting for a key. */

struct wait {
    const char *key;
    bool on_terminal;
    size_t lines;   /* of the picture so far */
    json_t *before; /* the key as it was seen last, or NULL */
};

/* Those who lack it first, and others while there is room; their number. */
static size_t
put_rows(struct table *t, const json_t *list, bool ready, size_t room)
{
    size_t rows = 0;

    for (size_t i = 0; i < json_array_size(list) && rows < room; i++) {
        const json_t *v = json_array_get(list, i);

        if (is_ready(v) != ready)
            continue;
        table_cell(t, ready ? STYLE_GOOD : STYLE_BAD, ready ? "has it" : "lacks it");
        cell_verifier(t, STYLE_BOLD, v);
        rows++;
    }
    return rows;
}

static bool
draw(struct wait *w, const json_t *key)
{
    const json_t *list = verifiers_of(key);
    size_t all = json_array_size(list), rows;
    struct table *t;

    if (w->lines)
        printf("\033[%zuA\033[J", w->lines);
    output_line(STYLE_BOLD, w->key, ": %zu of %zu services have loaded it",
        all - count_lacking(key), all);
    t = table_new(4, NULL);
    rows = put_rows(t, list, false, PICTURE_ROWS);
    rows += put_rows(t, list, true, PICTURE_ROWS - rows);
    w->lines = rows + 1;
    return table_end(t);
}

/* What was said of this service; NULL: nothing. */
static const json_t *
find(const json_t *key, const char *id)
{
    const json_t *list = verifiers_of(key);

    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(admin_text(json_array_get(list, i), "id"), id) == 0)
            return json_array_get(list, i);
    return NULL;
}

static void
tell(const struct wait *w, const json_t *key)
{
    const json_t *list = verifiers_of(key);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        const json_t *before = find(w->before, admin_text(v, "id"));

        if (before && is_ready(before) == is_ready(v))
            continue;
        if (is_ready(v))
            output_line(STYLE_PLAIN, admin_text(v, "name"), ": has loaded %s", w->key);
        else
            output_line(STYLE_PLAIN, admin_text(v, "name"),
                ": has loaded %s since %s, which lacks %s", admin_text(v, "loaded"),
                admin_text(v, "since"), w->key);
    }
}

/* False: no memory. */
static bool
show(const struct call *call, struct wait *w, json_t *key)
{
    bool good = true;

    if (!call->json && w->on_terminal)
        good = draw(w, key);
    else if (!call->json)
        tell(w, key);
    fflush(stdout);
    json_decref(w->before);
    w->before = json_incref(key);
    return good;
}

static void
complain_of(const struct call *call, const json_t *key, int64_t timeout_s)
{
    const json_t *list = verifiers_of(key);
    const char *first = "";

    for (size_t i = 0; i < json_array_size(list) && !*first; i++)
        if (!is_ready(json_array_get(list, i)))
            first = admin_text(json_array_get(list, i), "name");
    command_complain(call,
        "after %lld seconds %zu of %zu services have not loaded the key, %s among them",
        (long long)timeout_s, count_lacking(key), json_array_size(list), first);
}

static enum command_exit
look(const struct call *call, const struct admin *admin, struct wait *w, bool *lacks)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code = COMMAND_DONE;
    json_t *key = NULL;

    if (admin_show(admin, ADMIN_KEYS, w->key, &key, &err) != MAUTH_OK)
        return admin_failed(call, &err);
    *lacks = count_lacking(key) > 0;
    if (!show(call, w, key)) {
        command_complain(call, "no memory");
        code = COMMAND_FAILED;
    }
    json_decref(key);
    return code;
}

static enum command_exit
wait_for(const struct call *call, const struct admin *admin, struct wait *w,
    int64_t timeout_s)
{
    const struct timespec pause = {LOOK_MS / 1000, LOOK_MS % 1000 * 1000000L};
    int64_t end_ms = time_monotonic_ms() + 1000 * timeout_s;
    enum command_exit code;
    bool lacks = false;

    for (;;) {
        code = look(call, admin, w, &lacks);
        if (code != COMMAND_DONE || !lacks)
            return code;
        if (time_monotonic_ms() >= end_ms) {
            complain_of(call, w->before, timeout_s);
            return COMMAND_REFUSED;
        }
        nanosleep(&pause, NULL);
    }
}

enum command_exit
keys_ready_wait(
    const struct call *call, const char *config, const char *key, int64_t timeout_s)
{
    struct wait w = {.key = key, .on_terminal = isatty(STDOUT_FILENO)};
    struct admin admin = {.config = NULL};
    enum command_exit code = admin_open(call, config, &admin);

    if (code == COMMAND_DONE && !admin.served) {
        command_complain(call, "meshauthd does not run: nobody can tell it anything");
        code = COMMAND_REFUSED;
    }
    if (code == COMMAND_DONE)
        code = wait_for(call, &admin, &w, timeout_s);
    json_decref(w.before);
    admin_close(&admin);
    return code;
}
