#include "cli/command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"

enum {
    OWN_OPTIONS = 2, /* --json, --help */
    CODE_JSON = 1000,
    CODE_HELP,
    CODE_FIRST, /* of the command's own */
    CODE_ARGUMENT = 1
};

static size_t
count_options(const struct command *c)
{
    size_t n = 0;

    while (c->options && c->options[n].name)
        n++;
    return n;
}

static void
print_words(FILE *f, const struct command *c)
{
    fprintf(f, "meshauth %s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
}

static void
print_usage(FILE *f, const struct command *c)
{
    fputs("usage: ", f);
    print_words(f, c);
    fprintf(f, " %s\n", c->synopsis);
}

static void
print_option(char letter, const char *name, const char *value, const char *help)
{
    char left[40];

    snprintf(
        left, sizeof(left), "--%s%s%s", name, value ? " " : "", value ? value : "");
    if (letter)
        printf("  -%c, %-22s %s\n", letter, left, help);
    else
        printf("      %-22s %s\n", left, help);
}

static void
print_help(const struct command *c)
{
    print_usage(stdout, c);
    printf("\n%s\n\n", c->about);
    for (size_t i = 0; i < count_options(c); i++)
        print_option(c->options[i].letter, c->options[i].name, c->options[i].value,
            c->options[i].help);
    print_option(0, "json", NULL, "machine output");
    print_option('h', "help", NULL, "this text");
    printf("\nExample:\n%s\n", c->example);
}

static void __attribute__((format(printf, 2, 0)))
complain(const struct call *call, const char *format, va_list ap)
{
    char text[1024];

    vsnprintf(text, sizeof(text), format, ap);
    fflush(stdout);
    print_words(stderr, call->command);
    fputs(": ", stderr);
    output_text(stderr, text);
    fputc('\n', stderr);
}

void
command_complain(const struct call *call, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    complain(call, format, ap);
    va_end(ap);
}

enum command_exit
command_misused(const struct call *call, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    complain(call, format, ap);
    va_end(ap);
    print_usage(stderr, call->command);
    fputs("More: ", stderr);
    print_words(stderr, call->command);
    fputs(" --help\n", stderr);
    return COMMAND_USAGE;
}

enum command_exit
command_failed(const struct call *call, const struct mauth_err *err)
{
    command_complain(call, "%s", err->text);
    switch (err->rc) {
    case MAUTH_INVALID: return COMMAND_USAGE;
    case MAUTH_MALFORMED:
    case MAUTH_TOO_LARGE:
    case MAUTH_UNTRUSTED:
    case MAUTH_EXPIRED:
    case MAUTH_DENIED:
    case MAUTH_NOT_FOUND:
    case MAUTH_CONFLICT: return COMMAND_REFUSED;
    case MAUTH_OK:
    case MAUTH_INTERNAL:
    case MAUTH_NO_MEMORY:
    case MAUTH_UNAVAILABLE: break;
    }
    return COMMAND_FAILED;
}

enum command_exit
command_misconfigured(const struct call *call, const struct mauth_err *err)
{
    enum command_exit rc = command_failed(call, err);

    return err->rc == MAUTH_MALFORMED ? COMMAND_USAGE : rc;
}

const char *
command_value(const struct call *call, size_t option, size_t i)
{
    if (i == 0)
        return call->option[option];
    for (size_t k = 0; k < call->agains; k++)
        if (call->again[k].option == option && --i == 0)
            return call->again[k].value;
    return NULL;
}

/* getopt's two forms of the table. */
static void
fill_tables(const struct command *c, char *letters, struct option *longs)
{
    size_t n = count_options(c), at = 0;

    letters[at++] = '-'; /* arguments in their order, whatever the environment says */
    letters[at++] = ':';
    letters[at++] = 'h';
    for (size_t i = 0; i < n; i++) {
        const struct command_option *o = &c->options[i];

        longs[i] = (struct option){o->name, o->value ? required_argument : no_argument,
            NULL, CODE_FIRST + (int)i};
        if (o->letter) {
            letters[at++] = o->letter;
            if (o->value)
                letters[at++] = ':';
        }
    }
    letters[at] = '\0';
    longs[n] = (struct option){"json", no_argument, NULL, CODE_JSON};
    longs[n + 1] = (struct option){"help", no_argument, NULL, CODE_HELP};
    memset(&longs[n + 2], 0, sizeof(longs[n + 2]));
}

static size_t
option_of(const struct command *c, int code)
{
    size_t n = count_options(c);

    if (code >= CODE_FIRST)
        return (size_t)(code - CODE_FIRST);
    for (size_t i = 0; i < n; i++)
        if (c->options[i].letter && c->options[i].letter == code)
            return i;
    return n;
}

static enum command_exit
take_again(struct call *call, size_t option)
{
    if (call->agains == COMMAND_AGAIN)
        return command_misused(
            call, "--%s is given too often", call->command->options[option].name);
    call->again[call->agains].option = option;
    call->again[call->agains++].value = optarg;
    return COMMAND_DONE;
}

static enum command_exit
take_option(struct call *call, int code)
{
    size_t i = option_of(call->command, code);

    if (call->option[i] && call->command->many & 1U << i)
        return take_again(call, i);
    if (call->option[i])
        return command_misused(
            call, "--%s is given twice", call->command->options[i].name);
    call->option[i] = optarg ? optarg : "";
    return COMMAND_DONE;
}

static enum command_exit
take_argument(struct call *call, size_t *args, const char *text)
{
    if (*args >= call->command->args_max)
        return command_misused(call, "'%s' is one argument too many", text);
    call->arg[(*args)++] = text;
    return COMMAND_DONE;
}

/* Where those options stand that are not the command's own. */
static const char *
behind(const struct call *call)
{
    return call->command->rest ? " here; curl's own stand behind the URL" : "";
}

static enum command_exit
misread(struct call *call, int code, char **argv)
{
    const char *word = argv[optind - 1];

    if (code == ':')
        return command_misused(call, "%s needs a value", word);
    if (optopt >= CODE_JSON)
        return command_misused(call, "%s: that option takes no value", word);
    if (optopt)
        return command_misused(call, "there is no option -%c%s", optopt, behind(call));
    return command_misused(call, "there is no option %s%s", word, behind(call));
}

/* What may be left out: "[--action NAME] [--audience A [--resource U]]". */
static const char *
skip_options(const char *synopsis)
{
    size_t depth = 0;

    for (; *synopsis && (depth || strchr("[ \n", *synopsis)); synopsis++) {
        if (*synopsis == '[')
            depth++;
        else if (*synopsis == ']')
            depth--;
    }
    return synopsis;
}

/*
 * The arguments that must be there stand first in the synopsis, "FOLDER USER ROLE [...]",
 * "FILE|-", but for options that must stand before them.
 */
static enum command_exit
miss_argument(struct call *call, size_t n)
{
    const char *name = skip_options(call->command->synopsis);

    for (; n > 0; n--)
        name += strcspn(name, " ") + 1;
    return command_misused(call, "%.*s is missing", (int)strcspn(name, " |\n"), name);
}

/* *help is set when that is all that is wanted. */
static enum command_exit
parse(struct call *call, int argc, char **argv, bool *help)
{
    struct option longs[COMMAND_OPTIONS + OWN_OPTIONS + 1];
    char letters[2 * COMMAND_OPTIONS + 4];
    enum command_exit rc = COMMAND_DONE;
    size_t args = 0;
    int code;

    fill_tables(call->command, letters, longs);
    optind = 0; /* start anew, also in glibc */
    while (rc == COMMAND_DONE && !*help &&
           (code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        switch (code) {
        case 'h':
        case CODE_HELP: *help = true; break;
        case CODE_JSON: call->json = true; break;
        case CODE_ARGUMENT:
            rc = take_argument(call, &args, optarg);
            if (rc == COMMAND_DONE && call->command->rest &&
                args == call->command->args_max) {
                call->rest = argv + optind;
                return COMMAND_DONE;
            }
            break;
        case '?':
        case ':': rc = misread(call, code, argv); break;
        default: rc = take_option(call, code); break;
        }
    }
    if (*help)
        return COMMAND_DONE;
    while (rc == COMMAND_DONE && optind < argc) /* what stands behind "--" */
        rc = take_argument(call, &args, argv[optind++]);
    if (rc == COMMAND_DONE && args < call->command->args_min)
        rc = miss_argument(call, args);
    return rc;
}

enum command_exit
command_run(const struct command *command, int argc, char **argv)
{
    struct call call = {.command = command};
    bool help = false;
    enum command_exit rc = parse(&call, argc, argv, &help);

    if (rc != COMMAND_DONE)
        return rc;
    if (help) {
        print_help(command);
        return COMMAND_DONE;
    }
    return command->run(&call);
}
