#include "base/str.h"
#include "pkcs11/uri.h"
#include "tests/unit/unit.h"

#define MODULE  "?module-path=/usr/lib/m.so"
#define SIXTEEN "0123456789abcdef"

static void
reads_what_it_says(void **state)
{
    struct pkcs11_uri u;

    (void)state;
    assert_int_equal(
        pkcs11_uri_parse(
            text_of("pkcs11:token=Our%20mesh;manufacturer=Some%3bone;model=M(1);"
                    "serial=00fF;object=sign&more;id=%00a%fF"
                    "?module-path=/usr/lib/m%2eso&pin-source=file:/etc/mesh/pin"),
            &u, NULL),
        MAUTH_OK);
    assert_string_equal(u.token, "Our mesh");
    assert_string_equal(u.manufacturer, "Some;one");
    assert_string_equal(u.model, "M(1)");
    assert_string_equal(u.serial, "00fF");
    assert_string_equal(u.object, "sign&more");
    assert_int_equal(u.id_len, 3);
    assert_memory_equal(u.id, "\0a\xff", 3);
    assert_string_equal(u.module, "/usr/lib/m.so");
    assert_string_equal(u.pin_file, "/etc/mesh/pin");
}

static void
takes_the_least(void **state)
{
    static const char *const uris[] = {
        "pkcs11:token=t;object=o" MODULE,
        "pkcs11:serial=1;id=%01" MODULE,
        "pkcs11:id=%01;token=t" MODULE "&pin-source=file:///pin",
        "pkcs11:token=t;object=o?pin-source=file:/pin&module-path=/m",
        "pkcs11:token=" SIXTEEN SIXTEEN ";object=o" MODULE,
        "pkcs11:token=t;object=%c3%a4" MODULE,
        "pkcs11:token=t;object=o;type=private" MODULE,
        "pkcs11:token=t;id=" SIXTEEN SIXTEEN SIXTEEN SIXTEEN MODULE,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(uris); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct pkcs11_uri u;

        if (pkcs11_uri_parse(text_of(uris[i]), &u, &err) != MAUTH_OK)
            fail_msg("%s: %s", uris[i], err.text);
        assert_int_equal(u.module[0], '/');
    }
}

static const struct {
    const char *name;
    const char *uri;
} refusals[] = {
    {"nothing", ""},
    {"another scheme", "pkcs12:token=t;object=o" MODULE},
    {"capitals", "PKCS11:token=t;object=o" MODULE},
    {"no module", "pkcs11:token=t;object=o"},
    {"an empty query", "pkcs11:token=t;object=o?"},
    {"a relative module", "pkcs11:token=t;object=o?module-path=m.so"},
    {"a module by name", "pkcs11:token=t;object=o?module-name=m"},
    {"no token", "pkcs11:object=o" MODULE},
    {"no object", "pkcs11:token=t" MODULE},
    {"nothing in the path", "pkcs11:" MODULE},
    {"an empty label", "pkcs11:token=;object=o" MODULE},
    {"an empty id", "pkcs11:token=t;id=" MODULE},
    {"two tokens", "pkcs11:token=t;token=t;object=o" MODULE},
    {"two ids, of zeros", "pkcs11:token=t;id=%00;id=%00" MODULE},
    {"two modules", "pkcs11:token=t;object=o" MODULE "&module-path=/n"},
    {"two PIN files", "pkcs11:token=t;object=o" MODULE "&pin-source=file:/p"
                      "&pin-source=file:/p"},
    {"a PIN", "pkcs11:token=t;object=o" MODULE "&pin-value=1234"},
    {"a PIN in the path", "pkcs11:token=t;object=o;pin-value=1234" MODULE},
    {"a program for the PIN", "pkcs11:token=t;object=o" MODULE "&pin-source=|cat"},
    {"a PIN file by path alone", "pkcs11:token=t;object=o" MODULE "&pin-source=/p"},
    {"a relative PIN file", "pkcs11:token=t;object=o" MODULE "&pin-source=file:p"},
    {"another machine's", "pkcs11:token=t;object=o" MODULE "&pin-source=file://h/p"},
    {"a PIN file of no name", "pkcs11:token=t;object=o" MODULE "&pin-source="},
    {"a slot", "pkcs11:token=t;object=o;slot-id=1" MODULE},
    {"a public key", "pkcs11:token=t;object=o;type=public" MODULE},
    {"a certificate", "pkcs11:token=t;object=o;type=cert" MODULE},
    {"a vendor's attribute", "pkcs11:token=t;object=o;x-mine=1" MODULE},
    {"a vendor's attribute in the query", "pkcs11:token=t;object=o" MODULE "&x-a=1"},
    {"an attribute without value", "pkcs11:token=t;object" MODULE},
    {"an empty attribute", "pkcs11:token=t;;object=o" MODULE},
    {"a last separator", "pkcs11:token=t;object=o;" MODULE},
    {"a last separator in the query", "pkcs11:token=t;object=o" MODULE "&"},
    {"a space", "pkcs11:token=a b;object=o" MODULE},
    {"a fragment", "pkcs11:token=t;object=o" MODULE "#f"},
    {"a slash in the path", "pkcs11:token=a/b;object=o" MODULE},
    {"an escape cut short", "pkcs11:token=t;object=o%4" MODULE},
    {"an escape at the end", "pkcs11:token=t;object=o?module-path=/m%"},
    {"an escape of other digits", "pkcs11:token=t;object=%0g" MODULE},
    {"a zero in a label", "pkcs11:token=a%00b;object=o" MODULE},
    {"a newline in a label", "pkcs11:token=t;object=a%0ab" MODULE},
    {"a zero in a path", "pkcs11:token=t;object=o?module-path=/a%00.so"},
    {"no UTF-8", "pkcs11:token=t;object=%c3%28" MODULE},
    {"bytes above ASCII", "pkcs11:token=t;object=\xc3\xa4" MODULE},
    {"a label of 33 bytes", "pkcs11:token=" SIXTEEN SIXTEEN "x;object=o" MODULE},
    {"a serial number of 17", "pkcs11:serial=" SIXTEEN "x;object=o" MODULE},
    {"an id of 65", "pkcs11:token=t;id=" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "x" MODULE},
};

static void
refuses_all_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        static const struct pkcs11_uri empty;
        struct mauth_err err = MAUTH_ERR_INIT;
        struct pkcs11_uri u;
        enum mauth_rc rc = pkcs11_uri_parse(text_of(refusals[i].uri), &u, &err);

        if (rc != MAUTH_MALFORMED || memcmp(&u, &empty, sizeof(u)) != 0)
            fail_msg("%s: %s", refusals[i].name, mauth_rc_name(rc));
        assert_null(strstr(err.text, "1234")); /* the PIN is not repeated */
    }
}

static void
refuses_what_is_too_long(void **state)
{
    static char uri[PKCS11_URI_MAX + 2];
    struct pkcs11_uri u;

    (void)state;
    memset(uri, 'a', sizeof(uri) - 1);
    memcpy(uri, "pkcs11:token=t;object=o?module-path=/", 37);
    assert_int_equal(pkcs11_uri_parse(text_of(uri), &u, NULL), MAUTH_MALFORMED);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_says),
        cmocka_unit_test(takes_the_least),
        cmocka_unit_test(refuses_all_else),
        cmocka_unit_test(refuses_what_is_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
