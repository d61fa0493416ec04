/* What a declaration of libmeshauth carries. */
#ifndef MESHAUTH_API_H
#define MESHAUTH_API_H

#if defined(__GNUC__) || defined(__clang__)
#define MAUTH_API      __attribute__((visibility("default")))
#define MAUTH_MUST_USE __attribute__((warn_unused_result))
#else
#define MAUTH_API
#define MAUTH_MUST_USE
#endif

#endif
