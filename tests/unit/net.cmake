mauth_unit_test(fetch mauth::net PkgConfig::jansson Threads::Threads)
mauth_unit_test(form mauth::form)
