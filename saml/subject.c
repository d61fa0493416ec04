#include "saml/subject.h"

#include <string.h>

#include "base/buf.h"
#include "base/fail.h"
#include "saml/xml.h"

#define FORMAT "urn:oasis:names:tc:SAML:2.0:nameid-format:"

/* Names that mean somebody else next time, or no person. */
static const char *const useless[] = {
    FORMAT "transient", FORMAT "encrypted", FORMAT "entity"};

static void
put_part(struct buf *b, const char *part)
{
    for (; *part; part++) {
        if (*part < 0x20 || *part > 0x7e || *part == '!' || *part == '%')
            buf_printf(b, "%%%02X", (unsigned char)*part);
        else
            buf_put(b, part, 1);
    }
}

/* "" for what goes without saying. */
static const char *
qualifier(const xmlNode *n, const char *name, const char *usual)
{
    const char *value = xml_attribute(n, name);

    return value && strcmp(value, usual) != 0 ? value : "";
}

static bool
is_name(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || name[0] == ' ' || name[len - 1] == ' ')
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return true;
}

enum mauth_rc
subject_read(const xmlNode *name_id, const char *provider, const char *us,
    char out[SUBJECT_MAX + 1], struct mauth_err *err)
{
    const char *format = xml_attribute(name_id, "Format"), *name;
    const char *by = qualifier(name_id, "NameQualifier", provider);
    const char *to = qualifier(name_id, "SPNameQualifier", us);
    struct buf b;

    out[0] = '\0';
    for (size_t i = 0; format && i < sizeof(useless) / sizeof(*useless); i++)
        if (strcmp(format, useless[i]) == 0)
            return mauth_fail(err, MAUTH_DENIED, "subject: a name of the format %s",
                useless[i] + sizeof(FORMAT) - 1);
    if (!xml_text(name_id, &name) || !is_name(name))
        return mauth_fail(err, MAUTH_MALFORMED, "subject: not a plain name");
    buf_init_fixed(&b, out, SUBJECT_MAX);
    if (*by || *to) {
        put_part(&b, by);
        buf_str(&b, "!");
        put_part(&b, to);
        buf_str(&b, "!");
    }
    put_part(&b, name);
    out[b.len] = '\0';
    if (buf_ok(&b))
        return MAUTH_OK;
    out[0] = '\0';
    return mauth_fail(
        err, MAUTH_MALFORMED, "subject: more than %d characters", SUBJECT_MAX);
}
