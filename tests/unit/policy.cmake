mauth_unit_test(utf8 mauth::policy)
mauth_unit_test(url mauth::policy)
