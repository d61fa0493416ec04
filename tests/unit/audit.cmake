mauth_unit_test(merkle mauth::audit)
mauth_unit_test(audit_filter mauth::audit)
mauth_unit_test(audit_terms mauth::audit)
mauth_unit_test(audit_index mauth::audit)
