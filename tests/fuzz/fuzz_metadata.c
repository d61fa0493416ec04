#include "saml/library.h"
#include "saml/metadata.h"
#include "tests/fuzz/fuzz.h"

enum {
    NOW_S = 1795341630
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mauth_key *nobody;
    struct text xml = {(const char *)data, size};
    struct metadata *m;
    size_t count;

    if (!nobody) {
        MUST(saml_library_open(NULL) == MAUTH_OK);
        MUST(mauth_key_from_pem(GOLDEN_P256, sizeof(GOLDEN_P256) - 1, &nobody, NULL) ==
             MAUTH_OK);
    }
    MUST(metadata_parse(xml, "https://idp.example/metadata", nobody, NOW_S, &m, NULL) !=
         MAUTH_OK);
    MUST(!m);
    if (metadata_parse(xml, "https://idp.example/metadata", NULL, NOW_S, &m, NULL) !=
        MAUTH_OK) {
        MUST(!m);
        return 0;
    }
    MUST(metadata_keys(m, &count)[0] && count >= 1 && count <= METADATA_KEYS);
    MUST(metadata_valid_until_s(m) > NOW_S);
    metadata_free(m);
    return 0;
}
