#include <pthread.h>
#include <unistd.h>

#include <libxml/parser.h>

#include "saml/library.h"
#include "tests/unit/unit.h"

static const char with_file[] =
    "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/hostname\">]><a>&b;</a>";

/* Even for who asks libxml2 to put entities in. */
static void
loads_no_entity(void **state)
{
    xmlDoc *doc = xmlReadMemory(with_file, sizeof(with_file) - 1, NULL, NULL,
        XML_PARSE_NOENT | XML_PARSE_DTDLOAD | XML_PARSE_RECOVER);
    xmlChar *text;

    (void)state;
    assert_non_null(doc);
    text = xmlNodeGetContent(xmlDocGetRootElement(doc));
    assert_string_equal((const char *)text, "");
    xmlFree(text);
    xmlFreeDoc(doc);
}

static void *
parse_badly(void *arg)
{
    (void)arg;
    saml_library_hush();
    xmlFreeDoc(xmlReadMemory("<a xml:id='b' xml:id='b'><", 26, NULL, NULL, 0));
    return NULL;
}

/* Handlers of errors are those of a thread. */
static void
says_nothing_in_any_thread(void **state)
{
    FILE *heard = tmpfile();
    int saved = dup(STDERR_FILENO);
    pthread_t thread;

    (void)state;
    assert_true(heard && saved >= 0);
    fflush(stderr);
    dup2(fileno(heard), STDERR_FILENO);
    parse_badly(NULL);
    assert_int_equal(pthread_create(&thread, NULL, parse_badly, NULL), 0);
    pthread_join(thread, NULL);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    fseek(heard, 0, SEEK_END);
    assert_int_equal(ftell(heard), 0);
    fclose(heard);
}

static int
start(void **state)
{
    (void)state;
    return saml_library_open(NULL) != MAUTH_OK;
}

static int
end(void **state)
{
    (void)state;
    saml_library_close();
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_no_entity),
        cmocka_unit_test(says_nothing_in_any_thread),
    };

    return cmocka_run_group_tests(tests, start, end);
}
