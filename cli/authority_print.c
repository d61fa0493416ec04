#include "cli/authority_print.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/authority_admin.h"
#include "cli/output.h"

json_int_t
authority_epoch_of(const json_t *node)
{
    return json_integer_value(json_object_get(node, "epoch"));
}

bool
authority_print_in_force(const json_t *node)
{
    output_line(STYLE_BOLD, "In force", ": epoch %" JSON_INTEGER_FORMAT ", until %s.",
        authority_epoch_of(node), admin_text(node, "until"));
    output_line(STYLE_PLAIN, "", "%s", admin_text(node, "authority"));
    return true;
}

static void
print_steps(const json_t *pending, const char *file, const char *config)
{
    output_line(STYLE_BOLD, file,
        " is for the root to sign: epoch %" JSON_INTEGER_FORMAT ", until %s,",
        authority_epoch_of(pending), admin_text(pending, "until"));
    output_line(STYLE_PLAIN, "", "%s", admin_text(pending, "authority"));
    output_line(STYLE_PLAIN, "Where the root is",
        ": meshauth authority sign %s --root root.key --out signed", file);
    output_line(STYLE_PLAIN, "Then here",
        ":         meshauth authority install signed -c %s", config);
}

enum command_exit
authority_print_request(
    const struct call *call, const json_t *node, const char *file, const char *config)
{
    const json_t *pending = json_object_get(node, "pending");
    const char *text = admin_text(pending, "request");
    struct mauth_err err = MAUTH_ERR_INIT;

    if (strcmp(file, "-") == 0) {
        fputs(text, stdout);
        return COMMAND_DONE;
    }
    if (file_create(file, text, strlen(text), FILE_PUBLIC, &err) != MAUTH_OK)
        return command_failed(call, &err);
    if (call->json)
        return admin_print(call, node, NULL);
    print_steps(pending, file, config);
    return COMMAND_DONE;
}

void
authority_print_warnings_of(const json_t *node)
{
    const json_t *warnings = json_object_get(node, "warnings");

    for (size_t i = 0; i < json_array_size(warnings); i++)
        output_line(
            STYLE_BAD, "", "%s", json_string_value(json_array_get(warnings, i)));
}

enum command_exit
authority_print_trust(const struct call *call, const char *config)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    const struct authority_place place = {.admin = &admin};
    json_t *node = NULL;
    enum command_exit code = admin_open(call, config, &admin);

    if (code == COMMAND_DONE && authority_admin_show(&place, &node, &err) != MAUTH_OK)
        code = admin_failed(call, &err);
    if (code == COMMAND_DONE) {
        printf("\n  The root of all these: %s\n", admin_text(node, "root_fingerprint"));
        authority_print_warnings_of(node);
    }
    json_decref(node);
    admin_close(&admin);
    return code;
}
