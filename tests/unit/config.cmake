mauth_unit_test(scan mauth::config)
mauth_unit_test(schema mauth::config)
mauth_unit_test(config mauth::config)
mauth_unit_test(complain mauth::config)
