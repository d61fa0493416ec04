/* A shared library needs a source of its own; everything comes from its parts. */
extern const char mauth_lib_parts;
const char mauth_lib_parts = 3;
