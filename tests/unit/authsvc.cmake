mauth_unit_test(claims mauth::authsvc mauth::jose)
mauth_unit_test(provider mauth::authsvc mauth::keys_private PkgConfig::crypto
  Threads::Threads)
mauth_unit_test(provider_keys mauth::authsvc mauth::net mauth::keys_private
  Threads::Threads)
mauth_unit_test(http mauth::authsvc Threads::Threads)
mauth_unit_test(http_gate mauth::authsvc)
mauth_unit_test(form mauth::authsvc)
mauth_unit_test(refusals mauth::authsvc Threads::Threads)
mauth_unit_test(log mauth::authsvc)
mauth_unit_test(oauth mauth::authsvc)
mauth_unit_test(issue mauth::authsvc)
mauth_unit_test(login mauth::authsvc Threads::Threads)
