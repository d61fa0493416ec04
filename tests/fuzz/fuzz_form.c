#include "base/str.h"
#include "net/form.h"
#include "tests/fuzz/fuzz.h"

/* Every name that a plain search for parameters would see is there, and clean. */
static void
check(const struct form *f, struct text rest)
{
    struct text pair, name;

    while (rest.len) {
        const char *value;
        char copy[16];

        if (!text_cut(&rest, '&', &pair)) {
            pair = rest;
            rest.len = 0;
        }
        if (!text_cut(&pair, '=', &name) || pair.len == 0 || name.len >= sizeof(copy) ||
            memchr(name.p, '%', name.len) || memchr(name.p, '+', name.len))
            continue;
        memcpy(copy, name.p, name.len);
        copy[name.len] = '\0';
        MUST(form_count(f, copy) >= 1 && form_count(f, copy) <= FORM_FIELDS);
        value = form_value(f, copy, form_count(f, copy) - 1);
        MUST(value && value[0]);
        for (; *value; value++)
            MUST((unsigned char)*value >= 0x20 && *value != 0x7f);
        MUST(!form_value(f, copy, form_count(f, copy)));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const none[] = {NULL};
    struct text text = {(const char *)data, size};
    struct form *f = NULL;
    const char *repeated;

    if (form_parse(text, &f, NULL) != MAUTH_OK) {
        MUST(!f);
        return 0;
    }
    check(f, text);
    repeated = form_repeated(f, none);
    MUST(!repeated || form_count(f, repeated) > 1);
    form_free(f);
    return 0;
}
