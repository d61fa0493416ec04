#include "store/key.h"

void
store_key(struct store_key *k, enum store_space space, const void *name, size_t len)
{
    buf_init_fixed(&k->b, k->bytes, sizeof(k->bytes));
    buf_u8(&k->b, (uint8_t)space);
    buf_put(&k->b, name, len);
}

void
store_key_bounds(struct store_key *first, struct store_key *end, enum store_space space)
{
    store_key(first, space, NULL, 0);
    store_key(end, (enum store_space)(space + 1), NULL, 0);
}

struct text
store_key_text(const struct store_key *k)
{
    return buf_ok(&k->b) ? buf_slice(&k->b) : (struct text){"", 0};
}
