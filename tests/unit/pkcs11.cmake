mauth_unit_test(uri mauth::pkcs11)

# Tokens of SoftHSM; and a module around it that fails when it is told to.
find_library(OTHER_LIBRARY z REQUIRED)
find_library(SOFTHSM_MODULE softhsm2 PATH_SUFFIXES softhsm REQUIRED)
add_library(faulty_token MODULE faulty_token.c)
set_target_properties(faulty_token PROPERTIES C_VISIBILITY_PRESET default)
target_include_directories(faulty_token PRIVATE ${p11kit_INCLUDE_DIRS})
target_link_libraries(faulty_token PRIVATE mauth::flags ${CMAKE_DL_LIBS})
target_compile_definitions(faulty_token PRIVATE SOFTHSM_MODULE="${SOFTHSM_MODULE}")

mauth_unit_test(token_signer mauth::pkcs11 Threads::Threads ${CMAKE_DL_LIBS})
target_sources(test_token_signer PRIVATE softhsm.c)
target_compile_definitions(test_token_signer PRIVATE SOFTHSM_MODULE="${SOFTHSM_MODULE}"
  FAULTY_MODULE="$<TARGET_FILE:faulty_token>" OTHER_LIBRARY="${OTHER_LIBRARY}")
add_dependencies(test_token_signer faulty_token)
