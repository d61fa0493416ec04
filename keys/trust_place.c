#include "keys/trust_place.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"

struct trust_place
trust_place_of(const struct mauth_trust *trust)
{
    return (struct trust_place){mauth_trust_epoch(trust), mauth_trust_sequence(trust)};
}

int
trust_place_compare(struct trust_place a, struct trust_place b)
{
    if (a.epoch != b.epoch)
        return a.epoch < b.epoch ? -1 : 1;
    return (a.sequence > b.sequence) - (a.sequence < b.sequence);
}

bool
trust_place_read(struct text t, struct trust_place *out)
{
    struct text epoch;

    *out = (struct trust_place){0};
    return text_cut(&t, '.', &epoch) && str_number(epoch, &out->epoch) &&
           str_number(t, &out->sequence);
}

void
trust_place_format(struct trust_place p, char out[TRUST_PLACE_MAX + 1])
{
    snprintf(out, TRUST_PLACE_MAX + 1, "%" PRIu64 ".%" PRIu64, p.epoch, p.sequence);
}
