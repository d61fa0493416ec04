# mauth_embed(TARGET FILE SYMBOL): a static library with the bytes of FILE as
#     extern const unsigned char SYMBOL[]; extern const unsigned long SYMBOL_len;
function(mauth_embed target file symbol)
  set(from ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set(to ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c)
  add_custom_command(OUTPUT ${to} VERBATIM
    COMMAND ${CMAKE_COMMAND} -DFROM=${from} -DTO=${to} -DSYMBOL=${symbol}
      -P ${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake
    DEPENDS ${from} ${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake)
  add_library(${target} STATIC ${to})
endfunction()
