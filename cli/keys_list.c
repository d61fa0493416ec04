/* meshauth keys list: a table, and when each key does what. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/admin.h"
#include "cli/authority_print.h"
#include "cli/keys_line.h"
#include "cli/keys_ready.h"
#include "cli/output.h"
#include "store/keystore.h"

enum {
    OPT_CONFIG,
    AUDIENCE_SHOWN = 17, /* so that a line has 80 characters */
    DAY_LEN = 10         /* of a time */
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {NULL, 0, NULL, NULL},
};

static int64_t
time_of(const json_t *node, const char *name)
{
    const char *text = admin_text(node, name);
    int64_t t_s;

    return time_parse(text, strlen(text), &t_s) ? t_s : 0;
}

static struct keys_line
line_of(const json_t *node)
{
    struct keys_line k = {
        .state = TRUST_NEXT,
        .from_s = time_of(node, "from"),
        .until_s = time_of(node, "until"),
        .active_s = time_of(node, "activated"),
        .retires_s = time_of(node, "retires"),
    };

    if (!trust_state_parse(text_of(admin_text(node, "state")), &k.state))
        k.state = TRUST_NEXT;
    return k;
}

static enum style
style_of(enum trust_state state)
{
    static const enum style styles[] = {
        [TRUST_NEXT] = STYLE_PLAIN,
        [TRUST_ACTIVE] = STYLE_GOOD,
        [TRUST_RETIRING] = STYLE_DIM,
        [TRUST_REVOKED] = STYLE_BAD,
    };

    return styles[state];
}

/* Our services by their names, one of several, and how many more there are. */
static void
cell_audiences(struct table *t, const json_t *node)
{
    static const char ours[] = "urn:meshauth:service:";
    const json_t *list = json_object_get(node, "audiences");
    const char *first = json_string_value(json_array_get(list, 0));
    char more[16] = "";
    int room;

    if (!first) {
        table_cell(t, STYLE_PLAIN, "all");
        return;
    }
    if (json_array_size(list) > 1)
        snprintf(more, sizeof(more), " +%zu", json_array_size(list) - 1);
    if (text_starts(text_of(first), ours))
        first += strlen(ours);
    room = AUDIENCE_SHOWN - (int)strlen(more);
    if (strlen(first) <= (size_t)room)
        table_cell(t, STYLE_PLAIN, "%s%s", first, more);
    else
        table_cell(t, STYLE_PLAIN, "%.*s...%s", room - 3, first, more);
}

/* Of a retiring one until when it is listed, of others until when it is good. */
static bool
print_table(const json_t *items)
{
    static const char *const heads[] = {
        "key", "state", "algorithm", "until", "audiences"};
    struct table *t = table_new(sizeof(heads) / sizeof(*heads), heads);

    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *node = json_array_get(items, i);
        enum trust_state state = line_of(node).state;

        table_cell(t, STYLE_BOLD, "%s", admin_text(node, "id"));
        table_cell(t, style_of(state), "%s", admin_text(node, "state"));
        table_cell(t, STYLE_PLAIN, "%s", admin_text(node, "algorithm"));
        table_cell(t, STYLE_PLAIN, "%s",
            admin_text(node, state == TRUST_RETIRING ? "retires" : "until"));
        cell_audiences(t, node);
    }
    return table_end(t);
}

/* The days at both ends, and "now" above its column, where there is room. */
static void
print_scale(const struct keys_line_scale *s)
{
    static const char word[] = "now";
    char line[KEYS_LINE_WIDTH + 1], day[TIME_LEN + 1];
    size_t now = keys_line_column(s, s->now_s);

    memset(line, ' ', KEYS_LINE_WIDTH);
    line[KEYS_LINE_WIDTH] = '\0';
    time_format(s->first_s, day);
    memcpy(line, day, DAY_LEN);
    time_format(s->last_s, day);
    memcpy(line + KEYS_LINE_WIDTH - DAY_LEN, day, DAY_LEN);
    if (now > DAY_LEN && now + DAY_LEN + sizeof(word) < KEYS_LINE_WIDTH)
        memcpy(line + now, word, strlen(word));
    printf("\n  %*s  %s\n", (int)MAUTH_KEY_ID_LEN, "", line);
    memset(line, ' ', KEYS_LINE_WIDTH);
    line[now] = '|';
    line[now + 1] = '\0';
    printf("  %*s  %s\n", (int)MAUTH_KEY_ID_LEN, "", line);
}

static void
print_lines(const json_t *items, const struct keys_line *k, size_t count)
{
    struct keys_line_scale scale;
    char line[KEYS_LINE_WIDTH + 1];
    size_t end;

    keys_line_scale(k, count, time_now_s(), &scale);
    print_scale(&scale);
    for (size_t i = 0; i < count; i++) {
        keys_line_draw(&k[i], &scale, line);
        for (end = KEYS_LINE_WIDTH; end && line[end - 1] == ' '; end--)
            line[end - 1] = '\0';
        printf("  %.*s  %s\n", (int)MAUTH_KEY_ID_LEN,
            admin_text(json_array_get(items, i), "id"), line);
    }
    puts("\n  . verifies   = signs   - retires   x revoked   | now");
}

static bool
print_list(const json_t *items)
{
    struct keys_line k[KEYSTORE_KEYS];
    size_t count = json_array_size(items);

    if (!count) {
        output_line(STYLE_PLAIN, "", "There is no signing key.");
        return true;
    }
    if (count > KEYSTORE_KEYS)
        count = KEYSTORE_KEYS;
    for (size_t i = 0; i < count; i++)
        k[i] = line_of(json_array_get(items, i));
    if (!print_table(items))
        return false;
    print_lines(items, k, count);
    return keys_ready_print(items);
}

static enum command_exit
list(const struct call *call)
{
    enum command_exit code = admin_print_list(call, ADMIN_KEYS, print_list);

    if (code != COMMAND_DONE || call->json)
        return code;
    return authority_print_warnings(call, call->option[OPT_CONFIG]);
}

const struct command keys_list_command = {
    .noun = "keys",
    .verb = "list",
    .synopsis = "-c FILE [--json]",
    .summary = "the signing keys, when each does what, who knows them",
    .about =
        "Lists the keys that sign tickets, and draws their time: a key is next (it\n"
        "verifies, and does not sign yet), active, retiring (until its last ticket "
        "has\n"
        "expired) or revoked. And the services that have told in the last day what "
        "they\n"
        "have loaded, with the keys that they do not know yet.",
    .example = "  meshauth keys list -c /srv/mesh/meshauth.conf",
    .options = options,
    .run = list,
};
