/*
 * XML of strangers, parsed by libxml2 so that little can happen: bounded before it is
 * parsed, UTF-8, no DTD, no entities but the five, sound namespaces, no xml:id, no two
 * IDs alike. And what is read of it: elements by namespace and name, attributes
 * without namespace, and text that is all of its element.
 */
#ifndef SAML_XML_H
#define SAML_XML_H

#include <stdbool.h>

#include <libxml/tree.h>

#include "base/buf.h"
#include "saml/message.h"
#include "saml/metadata.h"
#include <meshauth/err.h>

enum xml_kind {
    XML_MESSAGE, /* at most XML_MESSAGE_MAX bytes; no comments, PIs or CDATA at all */
    XML_METADATA /* at most XML_METADATA_MAX; comments and PIs between elements */
};

enum {
    XML_MESSAGE_MAX = MESSAGE_MAX,
    XML_METADATA_MAX = METADATA_MAX,
    XML_TAG_MAX = 4096, /* bytes of one tag: libxml2 compares attributes pair by pair */
};

/*
 * MAUTH_TOO_LARGE  more bytes, elements or namespaces than the kind has, or a tag
 *                  beyond XML_TAG_MAX
 * MAUTH_MALFORMED  no XML, or some that is refused
 */
MAUTH_MUST_USE enum mauth_rc xml_parse(
    enum xml_kind kind, struct text bytes, xmlDoc **out, struct mauth_err *err);

MAUTH_MUST_USE bool xml_is(const xmlNode *n, const char *ns, const char *name);

/* The elements in an element, in order; NULL when there is none (more). */
xmlNode *xml_first(const xmlNode *n);
xmlNode *xml_next(const xmlNode *n);
/* The only one of this name in an element; NULL when there is none, or several. */
xmlNode *xml_only(const xmlNode *n, const char *ns, const char *name);

/* Is there no text beside the elements, but for white space? */
MAUTH_MUST_USE bool xml_holds_elements(const xmlNode *n);
/* The element's text, which belongs to the document; false when there is more in it. */
MAUTH_MUST_USE bool xml_text(const xmlNode *n, const char **out);
/* The value, which belongs to the document, or NULL. */
const char *xml_attribute(const xmlNode *n, const char *name);
/* How many it has, whatever their namespace. */
size_t xml_attributes(const xmlNode *n);

/* The document's elements in their order: the one behind n, or NULL. */
xmlNode *xml_walk(xmlNode *n);

/*
 * Seconds of an xs:dateTime as SAML has it (core 1.3.3): UTC with its "Z", perhaps
 * with a fraction, which is cut off.
 */
MAUTH_MUST_USE bool xml_time(const char *text, int64_t *out_s);

#endif
