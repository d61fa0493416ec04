mauth_unit_test(jwks mauth::jose mauth::keys_private)
mauth_unit_test(jws mauth::jose mauth::keys_private PkgConfig::crypto)
mauth_unit_test(replay mauth::jose Threads::Threads)
mauth_unit_test(dpop mauth::jose mauth::keys_private)
