# mauth::flags: warnings, hardening, sanitizers. Private to our own targets, so
# that consumers of the library inherit none of it.
add_library(mauth_flags INTERFACE)
add_library(mauth::flags ALIAS mauth_flags)

target_compile_definitions(mauth_flags INTERFACE _GNU_SOURCE)
target_include_directories(mauth_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(mauth_flags INTERFACE
  -Wall -Wextra -Wshadow -Wvla -Wundef -Wformat=2 -Wconversion -Wstrict-prototypes
  -Wmissing-prototypes -Wwrite-strings -Wcast-qual
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
  -fstack-protector-strong)
target_link_options(mauth_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)

if(MAUTH_WERROR)
  target_compile_options(mauth_flags INTERFACE -Werror)
endif()

if(MAUTH_SANITIZE)
  target_compile_options(mauth_flags INTERFACE
    -fsanitize=${MAUTH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mauth_flags INTERFACE -fsanitize=${MAUTH_SANITIZE})
  if(MAUTH_FUZZ)
    target_compile_options(mauth_flags INTERFACE -fsanitize=fuzzer-no-link)
  endif()
else()
  # FORTIFY needs an optimising build and does not mix with the sanitizers.
  target_compile_options(mauth_flags INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
endif()

if(MAUTH_FAULTS)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    message(FATAL_ERROR "MAUTH_FAULTS is for tests, never for a release")
  endif()
  target_compile_definitions(mauth_flags INTERFACE MAUTH_FAULTS)
endif()

if(MAUTH_COVERAGE)
  target_compile_options(mauth_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(mauth_flags INTERFACE -fprofile-instr-generate)
endif()

# mauth_executable(NAME SOURCE...): a position-independent program of ours.
function(mauth_executable name)
  add_executable(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PRIVATE mauth::flags)
endfunction()
