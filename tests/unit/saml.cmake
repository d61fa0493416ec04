pkg_check_modules(xmlsec REQUIRED IMPORTED_TARGET xmlsec1-openssl)
foreach(name IN ITEMS xml shape signature subject assertion message metadata)
  mauth_unit_test(${name} mauth::saml mauth::keys_private PkgConfig::xmlsec PkgConfig::crypto)
endforeach()
