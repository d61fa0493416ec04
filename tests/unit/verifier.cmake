mauth_unit_test(cache mauth::verifier)
mauth_unit_test(recall mauth::verifier)
mauth_unit_test(verifier mauth::verifier mauth::tickets_sign Threads::Threads)
mauth_starve_test(verifier mauth::verifier mauth::tickets_sign Threads::Threads)
