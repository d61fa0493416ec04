#include "cli/wallet_line.h"

#include <string.h>

#include "base/str.h"
#include "base/url.h"

static const char *
text_in(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s ? s : "";
}

bool
wallet_line_is_node(const char *issuer, const char *url)
{
    static const enum id_kind kinds[] = {ID_FOLDER, ID_DEVICE, ID_USER};
    struct text id;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (url_is_node(text_of(url), text_of(issuer), kinds[i], &id))
            return true;
    return false;
}

/* A folder's place reaches below it; that of one's own node is the prefix alone. */
bool
wallet_line_is_at(const json_t *line, const char *url)
{
    const char *place = text_in(line, "place");
    size_t len = strlen(place);

    if (!len)
        return false;
    if (json_is_true(json_object_get(line, "whole")))
        return url_is_within(text_of(url), text_of(place));
    return strncmp(url, place, len) == 0 &&
           strcmp(url[len] == '/' ? url + len + 1 : url + len, "") == 0;
}

bool
wallet_line_has(const json_t *line, const char *action)
{
    const json_t *actions = json_object_get(line, "actions");

    for (size_t i = 0; i < json_array_size(actions); i++)
        if (strcmp(json_string_value(json_array_get(actions, i)), action) == 0)
            return true;
    return false;
}

/* What a ticket's own permits say that it is for; NULL without memory. */
json_t *
wallet_line_all(const struct mauth_ticket *t)
{
    json_t *lines = json_array();

    for (size_t a = 0; a < mauth_ticket_audience_count(t); a++)
        for (size_t p = 0; p < mauth_ticket_permit_count(t); p++) {
            json_t *actions = json_array();

            for (size_t k = 0; k < mauth_ticket_permit_action_count(t, p); k++)
                json_array_append_new(
                    actions, json_string(mauth_ticket_permit_action(t, p, k)));
            json_array_append_new(
                lines, json_pack("{s:s, s:s, s:o}", "audience",
                           mauth_ticket_audience(t, a), "resource",
                           mauth_ticket_permit_resource(t, p), "actions", actions));
        }
    return lines;
}

/* Where the place of a folder ends in a URL that lies in it; 0: the folder is not named. */
static size_t
place_of_folder(const char *url, struct text id)
{
    const char *at = memmem(url, strlen(url), id.p, id.len);

    while (at && (at[-1] != '/' || (at[id.len] && at[id.len] != '/')))
        at = memmem(at + 1, strlen(at + 1), id.p, id.len);
    return at ? (size_t)(at - url) + id.len : 0;
}

/* Of one place that was asked for, what the service made of it. */
bool
wallet_line_note_place(
    json_t *line, const char *issuer_url, const struct token_rights *asked)
{
    struct text issuer = text_of(issuer_url), id;
    const char *url = asked->resources == 1 ? asked->resource[0] : NULL;
    size_t len;

    if (!url || wallet_line_is_node(issuer_url, url))
        return true;
    if (asked->by_dpop && json_object_set_new(line, "dpop", json_true()) != 0)
        return false;
    if (url_is_node(text_of(text_in(line, "resource")), issuer, ID_FOLDER, &id)) {
        len = place_of_folder(url, id);
        return !len ||
               (json_object_set_new(line, "place", json_stringn(url, len)) == 0 &&
                   json_object_set_new(line, "whole", json_true()) == 0);
    }
    len = strlen(url);
    len -= url[len - 1] == '/';
    return json_object_set_new(line, "place", json_stringn(url, len)) == 0;
}
