mauth_unit_test(ticket mauth::tickets_sign)
mauth_unit_test(encode mauth::tickets_sign)
mauth_unit_test(credential mauth::tickets_sign PkgConfig::zlib)
