#include <string.h>

#include "pkcs11/uri.h"
#include "tests/fuzz/fuzz.h"

/* One text, which the standard's functions take. */
static void
check(const char *field, size_t size)
{
    MUST(memchr(field, '\0', size) != NULL);
    for (; *field; field++)
        MUST((unsigned char)*field >= 0x20 && *field != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pkcs11_uri empty;
    struct pkcs11_uri u;

    if (pkcs11_uri_parse((struct text){(const char *)data, size}, &u, NULL)) {
        MUST(memcmp(&u, &empty, sizeof(u)) == 0);
        return 0;
    }
    MUST(u.module[0] == '/' && (u.token[0] || u.serial[0]));
    MUST((u.object[0] || u.id_len) && u.id_len < sizeof(u.id));
    MUST(!u.pin_file[0] || (u.pin_file[0] == '/' && u.pin_file[1] != '/'));
    check(u.token, sizeof(u.token));
    check(u.serial, sizeof(u.serial));
    check(u.manufacturer, sizeof(u.manufacturer));
    check(u.model, sizeof(u.model));
    check(u.object, sizeof(u.object));
    check(u.module, sizeof(u.module));
    check(u.pin_file, sizeof(u.pin_file));
    return 0;
}
