#include "saml/xml.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "base/utf8.h"
#include "saml/library.h"

enum {
    FRACTION_MAX = 9, /* digits of a second's fraction */
};

static const struct bounds {
    size_t bytes, elements, namespaces;
    bool comments;
} bounds[] = {
    [XML_MESSAGE] = {XML_MESSAGE_MAX, 8192, 1024, false},
    [XML_METADATA] = {XML_METADATA_MAX, 1 << 20, 1 << 18, true},
};

/* Before the parser. */

static enum mauth_rc
check_utf8(struct text rest, struct mauth_err *err)
{
    uint32_t c;
    size_t n;

    for (; rest.len; rest.p += n, rest.len -= n) {
        n = utf8_next(rest.p, rest.len, &c);
        if (n == 0 || c == 0)
            return mauth_fail(err, MAUTH_MALFORMED, "xml: not UTF-8");
    }
    return MAUTH_OK;
}

/* Moves behind the first end; to the end of it all where there is none. */
static void
skip_past(struct text *rest, const char *end)
{
    const char *found = memmem(rest->p, rest->len, end, strlen(end));
    size_t skipped =
        found ? (size_t)(found - rest->p) + strlen(end) : rest->len; /* not XML */

    rest->p += skipped;
    rest->len -= skipped;
}

/* How long the tag is that begins here; 0 when it is too long. */
static size_t
tag_length(struct text t)
{
    char quote = '\0';

    for (size_t i = 0; i < t.len && i < XML_TAG_MAX; i++) {
        char c = t.p[i];

        if (!quote && c == '>')
            return i + 1;
        if (!quote && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote)
            quote = '\0';
    }
    return t.len < XML_TAG_MAX ? t.len : 0;
}

/*
 * libxml2 2.9 takes time with the square of the attributes of one element, and asks
 * nobody before it is through.
 */
static enum mauth_rc
check_tags(struct text rest, struct mauth_err *err)
{
    static const struct {
        const char *begin, *end;
    } others[] = {{"<!--", "-->"}, {"<?", "?>"}, {"<![CDATA[", "]]>"}};
    const char *at;

    while ((at = memchr(rest.p, '<', rest.len))) {
        size_t n, i = 0;

        rest.len -= (size_t)(at - rest.p);
        rest.p = at;
        while (i < 3 && !text_starts(rest, others[i].begin))
            i++;
        if (i < 3) {
            skip_past(&rest, others[i].end);
            continue;
        }
        n = tag_length(rest);
        if (n == 0)
            return mauth_fail(
                err, MAUTH_TOO_LARGE, "xml: a tag of more than %d bytes", XML_TAG_MAX);
        rest.p += n;
        rest.len -= n;
    }
    return MAUTH_OK;
}

static enum mauth_rc
check_bytes(const struct bounds *b, struct text bytes, struct mauth_err *err)
{
    enum mauth_rc rc;

    if (bytes.len > b->bytes)
        return mauth_fail(err, MAUTH_TOO_LARGE, "xml: %zu bytes", bytes.len);
    /* What begins otherwise might be read in another encoding. */
    if (!text_starts(bytes, "<"))
        return mauth_fail(err, MAUTH_MALFORMED, "xml: does not begin with <");
    rc = check_utf8(bytes, err);
    return rc ? rc : check_tags(bytes, err);
}

/* The parser. */

/* At a DOCTYPE, before anything is declared in it. */
static void
refuse_doctype(
    void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlParserCtxt *parser = context;

    (void)name;
    (void)external;
    (void)system;
    xmlStopParser(parser); /* which leaves errNo set */
}

static enum mauth_rc
read_document(struct text bytes, xmlDoc **out, struct mauth_err *err)
{
    xmlParserCtxt *parser = xmlNewParserCtxt();
    xmlDoc *doc;
    bool good;

    if (!parser)
        return mauth_fail(err, MAUTH_NO_MEMORY, "xml: no memory");
    parser->sax->internalSubset = refuse_doctype;
    doc = xmlCtxtReadMemory(parser, bytes.p, (int)bytes.len, NULL, "UTF-8",
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    /* A document is made of what is refused, too: only these three tell. */
    good = doc && parser->wellFormed && parser->nsWellFormed && parser->errNo == 0 &&
           !doc->intSubset && !doc->extSubset && xmlDocGetRootElement(doc);
    xmlFreeParserCtxt(parser);
    if (!good) {
        xmlFreeDoc(doc);
        return mauth_fail(err, MAUTH_MALFORMED, "xml: not well-formed, or with a DTD");
    }
    *out = doc;
    return MAUTH_OK;
}

/* Behind the parser. */

/* What the walk over a document has seen. */
struct seen {
    const struct bounds *bounds;
    size_t elements, namespaces;
    struct buf ids; /* pointers to their values */
};

static const char *
value_of(const xmlAttr *a)
{
    if (!a->children)
        return "";
    if (a->children->type != XML_TEXT_NODE || a->children->next)
        return NULL;
    return (const char *)a->children->content;
}

static bool
is_id_name(const xmlAttr *a)
{
    static const char *const names[] = {"ID", "Id", "id", "AssertionID"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp((const char *)a->name, names[i]) == 0)
            return true;
    return false;
}

static enum mauth_rc
see_attributes(struct seen *seen, const xmlNode *n, struct mauth_err *err)
{
    for (const xmlAttr *a = n->properties; a; a = a->next) {
        const char *value = value_of(a);

        if (!value)
            return mauth_fail(
                err, MAUTH_MALFORMED, "xml: an attribute that is not text");
        if (!is_id_name(a))
            continue;
        if (a->ns &&
            strcmp((const char *)a->ns->href, (const char *)XML_XML_NAMESPACE) == 0)
            return mauth_fail(err, MAUTH_MALFORMED, "xml: xml:id");
        buf_put(&seen->ids, &value, sizeof(value));
    }
    return MAUTH_OK;
}

/* Relative ones cannot be made canonical (Canonical XML 1.0, 1.3). */
static enum mauth_rc
see_namespaces(struct seen *seen, const xmlNode *n, struct mauth_err *err)
{
    for (const xmlNs *ns = n->nsDef; ns; ns = ns->next) {
        struct text href = text_of((const char *)ns->href);

        seen->namespaces++;
        if (href.len && !str_is_uri(href))
            return mauth_fail(
                err, MAUTH_MALFORMED, "xml: a namespace that is no absolute URI");
    }
    return MAUTH_OK;
}

static enum mauth_rc
see_element(struct seen *seen, const xmlNode *n, struct mauth_err *err)
{
    enum mauth_rc rc = see_namespaces(seen, n, err);

    seen->elements++;
    if (seen->elements > seen->bounds->elements ||
        seen->namespaces > seen->bounds->namespaces)
        return mauth_fail(err, MAUTH_TOO_LARGE, "xml: too many elements or namespaces");
    return rc ? rc : see_attributes(seen, n, err);
}

static enum mauth_rc
see(struct seen *seen, const xmlNode *n, struct mauth_err *err)
{
    if (n->type == XML_ELEMENT_NODE)
        return see_element(seen, n, err);
    if (n->type == XML_TEXT_NODE)
        return MAUTH_OK;
    if (seen->bounds->comments &&
        (n->type == XML_COMMENT_NODE || n->type == XML_PI_NODE))
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_MALFORMED,
        "xml: a comment, processing instruction, CDATA section or entity");
}

/* Depth first; NULL behind the last. */
static xmlNode *
node_behind(xmlNode *n)
{
    if (n->type == XML_ELEMENT_NODE && n->children)
        return n->children;
    while (n && !n->next)
        n = n->parent && n->parent->type == XML_ELEMENT_NODE ? n->parent : NULL;
    return n ? n->next : NULL;
}

static int
compare_ids(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;

    return strcmp(*left, *right);
}

static enum mauth_rc
check_ids(struct seen *seen, struct mauth_err *err)
{
    size_t count = seen->ids.len / sizeof(char *);
    char **ids = (char **)(void *)seen->ids.data; /* of malloc: aligned */

    if (!buf_ok(&seen->ids))
        return mauth_fail(err, MAUTH_NO_MEMORY, "xml: no memory");
    if (count > 1)
        qsort(ids, count, sizeof(*ids), compare_ids);
    for (size_t i = 1; i < count; i++)
        if (strcmp(ids[i - 1], ids[i]) == 0)
            return mauth_fail(err, MAUTH_MALFORMED, "xml: the same ID twice");
    return MAUTH_OK;
}

static enum mauth_rc
check_document(const struct bounds *b, const xmlDoc *doc, struct mauth_err *err)
{
    struct seen seen = {.bounds = b};
    enum mauth_rc rc = MAUTH_OK;

    buf_init(&seen.ids);
    for (xmlNode *n = doc->children; n && rc == MAUTH_OK; n = node_behind(n))
        rc = see(&seen, n, err);
    if (rc == MAUTH_OK)
        rc = check_ids(&seen, err);
    buf_clear(&seen.ids);
    return rc;
}

enum mauth_rc
xml_parse(enum xml_kind kind, struct text bytes, xmlDoc **out, struct mauth_err *err)
{
    const struct bounds *b = &bounds[kind];
    xmlDoc *doc = NULL;
    enum mauth_rc rc;

    *out = NULL;
    saml_library_hush();
    if (text_starts(bytes, "\xef\xbb\xbf")) { /* a byte order mark */
        bytes.p += 3;
        bytes.len -= 3;
    }
    rc = check_bytes(b, bytes, err);
    if (rc == MAUTH_OK)
        rc = read_document(bytes, &doc, err);
    if (rc == MAUTH_OK)
        rc = check_document(b, doc, err);
    if (rc) {
        xmlFreeDoc(doc);
        return rc;
    }
    *out = doc;
    return MAUTH_OK;
}

/* Reading. */

bool
xml_is(const xmlNode *n, const char *ns, const char *name)
{
    return n && n->type == XML_ELEMENT_NODE && n->ns && n->ns->href &&
           strcmp((const char *)n->ns->href, ns) == 0 &&
           strcmp((const char *)n->name, name) == 0;
}

static xmlNode *
element_from(xmlNode *n)
{
    while (n && n->type != XML_ELEMENT_NODE)
        n = n->next;
    return n;
}

xmlNode *
xml_first(const xmlNode *n)
{
    return n ? element_from(n->children) : NULL;
}

xmlNode *
xml_next(const xmlNode *n)
{
    return n ? element_from(n->next) : NULL;
}

xmlNode *
xml_only(const xmlNode *n, const char *ns, const char *name)
{
    xmlNode *found = NULL;

    for (xmlNode *c = xml_first(n); c; c = xml_next(c)) {
        if (!xml_is(c, ns, name))
            continue;
        if (found)
            return NULL;
        found = c;
    }
    return found;
}

bool
xml_holds_elements(const xmlNode *n)
{
    for (const xmlNode *c = n->children; c; c = c->next)
        if (c->type == XML_TEXT_NODE && !xmlIsBlankNode(c))
            return false;
    return true;
}

bool
xml_text(const xmlNode *n, const char **out)
{
    *out = NULL;
    if (!n->children)
        *out = "";
    else if (n->children->type == XML_TEXT_NODE && !n->children->next)
        *out = (const char *)n->children->content;
    return *out != NULL;
}

const char *
xml_attribute(const xmlNode *n, const char *name)
{
    for (const xmlAttr *a = n->properties; a; a = a->next)
        if (!a->ns && strcmp((const char *)a->name, name) == 0)
            return value_of(a);
    return NULL;
}

size_t
xml_attributes(const xmlNode *n)
{
    size_t count = 0;

    for (const xmlAttr *a = n->properties; a; a = a->next)
        count++;
    return count;
}

xmlNode *
xml_walk(xmlNode *n)
{
    do
        n = node_behind(n);
    while (n && n->type != XML_ELEMENT_NODE);
    return n;
}

bool
xml_time(const char *text, int64_t *out_s)
{
    size_t len = text ? strlen(text) : 0, digits = 0;
    char whole[TIME_LEN + 1];

    *out_s = 0;
    if (len < TIME_LEN || len > TIME_LEN + 1 + FRACTION_MAX)
        return false;
    memcpy(whole, text, TIME_LEN - 1);
    whole[TIME_LEN - 1] = 'Z';
    whole[TIME_LEN] = '\0';
    if (text[TIME_LEN - 1] == '.') {
        digits = strspn(text + TIME_LEN, "0123456789");
        if (digits == 0)
            return false;
        digits++;
    }
    return strcmp(text + TIME_LEN - 1 + digits, "Z") == 0 &&
           time_parse(whole, TIME_LEN, out_s);
}
