mauth_unit_test(merkle mauth::audit)
mauth_unit_test(filter mauth::store)
