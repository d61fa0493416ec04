#include "tests/attack/making.h"

const struct attack_group *const making_groups[MAKING_GROUPS] = {&attacks_by_wrapping,
    &attacks_on_references, &attacks_on_signatures, &attacks_on_key_info,
    &attacks_on_xml, &attacks_on_values, &attacks_on_statements, &attacks_on_facts,
    &attacks_on_holders, &attacks_on_credentials, &attacks_on_headers,
    &attacks_on_services};

#define RELAY_URN "urn:meshauth:service:relay"

struct base making_bases[MAKING_BASES] = {
    {.kind = "rights", .alg = "p256", .audience = STORAGE, .is = RIGHTS | P256},
    {.kind = "identity",
        .alg = "p256",
        .audience = GOLDEN_ISSUER,
        .is = IDENTITY | P256},
    {.kind = "bearer", .alg = "rsa2048", .audience = STORAGE, .is = BEARER | RSA2048},
    {.kind = "rights", .alg = "rsa2048", .audience = STORAGE, .is = RIGHTS | RSA2048},
    {.kind = "p2p-shared-folder",
        .alg = "p256",
        .audience = RELAY_URN,
        .is = P2P | P256},
    {.kind = "bearer", .alg = "p256", .audience = STORAGE, .is = BEARER | P256},
    {.kind = "identity",
        .alg = "rsa2048",
        .audience = GOLDEN_ISSUER,
        .is = IDENTITY | RSA2048},
    {.kind = "identity-new-device",
        .alg = "p256",
        .audience = GOLDEN_ISSUER,
        .is = IDENTITY | P256},
    {.kind = "service",
        .alg = "rsa2048",
        .audience = GOLDEN_ISSUER,
        .is = IDENTITY | RSA2048},
    {.kind = "p2p-same-user",
        .alg = "rsa2048",
        .audience = RELAY_URN,
        .is = P2P | RSA2048},
};

bool
making_applies(const struct attack *a, const struct base *b)
{
    unsigned kinds = a->on & (IDENTITY | RIGHTS | BEARER | P2P);
    unsigned algs = a->on & (P256 | RSA2048);

    return (!kinds || kinds & b->is) && (!algs || algs & b->is);
}

static void
finish(struct forgery *f, const struct attack *a)
{
    const struct signer *signer = house_signer(f->house, f->base, a->key);

    if (a->hand == REHASHED || a->hand == SIGNED)
        assert_true(forgery_rehash(f));
    if (a->hand == RESIGNED || a->hand == SIGNED)
        assert_true(forgery_sign(f, signer));
    for (size_t i = 0; i < COUNT(a->after) && a->after[i].put; i++)
        forgery_edit(f, a->after[i].find, a->after[i].put, a->everywhere);
    if (a->finish)
        a->finish(f, a->arg);
}

void
making_make(struct forgery *f, const struct attack *a)
{
    for (size_t i = 0; i < COUNT(a->edit) && a->edit[i].put; i++)
        forgery_edit(f, a->edit[i].find, a->edit[i].put, a->everywhere);
    if (a->make)
        a->make(f, a->arg);
    finish(f, a);
}
