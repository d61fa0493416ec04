/* What admin commands have in common behind admin.c: they open, ask, print and close. */
#include "cli/admin.h"
#include "cli/output.h"

static enum command_exit
printed(const struct call *call, bool ok)
{
    if (ok)
        return COMMAND_DONE;
    command_complain(call, "no memory");
    return COMMAND_FAILED;
}

enum command_exit
admin_print(
    const struct call *call, const json_t *node, bool (*print)(const json_t *node))
{
    return printed(call, call->json ? output_json(json_deep_copy(node)) : print(node));
}

enum command_exit
admin_print_list(
    const struct call *call, enum admin_kind kind, bool (*print)(const json_t *items))
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    json_t *items = NULL;
    enum command_exit code = admin_open(call, call->option[0], &admin);

    if (code == COMMAND_DONE &&
        admin_list(&admin, kind, NULL, &items, &err) != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE && call->json)
        code = printed(
            call, output_json(json_pack("{s:O}", admin_kind_name(kind), items)));
    else if (code == COMMAND_DONE)
        code = printed(call, print(items));
    json_decref(items);
    admin_close(&admin);
    return code;
}

enum command_exit
admin_print_one(
    const struct call *call, enum admin_kind kind, bool (*print)(const json_t *node))
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    json_t *node = NULL;
    enum command_exit code = admin_open(call, call->option[0], &admin);

    if (code == COMMAND_DONE &&
        admin_show(&admin, kind, call->arg[0], &node, &err) != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE)
        code = admin_print(call, node, print);
    json_decref(node);
    admin_close(&admin);
    return code;
}

enum command_exit
admin_run(
    const struct call *call, struct admin_change *c, const char *done, const char *what)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    json_t *node = NULL;
    enum command_exit code = admin_open(call, call->option[0], &admin);

    if (code == COMMAND_DONE && admin_do(&admin, c, &node, &err) != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE && call->json)
        code = printed(call, output_json(node ? json_incref(node) : json_object()));
    else if (code == COMMAND_DONE)
        output_line(STYLE_PLAIN, what, ": %s", done);
    json_decref(node);
    admin_close(&admin);
    return code;
}
