# For tests that include tests/unit/alloc.h.
set(alloc_options -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)

mauth_unit_test(predicate mauth::policy)
mauth_unit_test(rules mauth::policy)
mauth_unit_test(rules_file mauth::policy)
target_link_options(test_rules PRIVATE ${alloc_options})
mauth_unit_test(eval mauth::policy Threads::Threads)
target_link_options(test_eval PRIVATE ${alloc_options})
mauth_unit_test(cases mauth::policy_cases)
target_link_options(test_cases PRIVATE ${alloc_options})
mauth_unit_test(eval_naive mauth::policy)
target_sources(test_eval_naive PRIVATE
  ${PROJECT_SOURCE_DIR}/tests/fuzz/naive_rules.c ${PROJECT_SOURCE_DIR}/tests/fuzz/rules_differ.c)
