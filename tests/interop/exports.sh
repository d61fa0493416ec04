#!/bin/sh
# Does the library export exactly what its public headers declare, and need
# nothing but libcrypto, zlib and libc?   exports.sh LIBMESHAUTH.SO .A HEADERS
set -eu
so=$1 a=$2 headers=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat "$headers"/*.h | tr '\n' ' ' | grep -o 'MAUTH_API[^;]*;' |
    grep -o 'mauth_[a-z0-9_]*(' | tr -d '(' | sort -u >"$work/declared"
nm -D --defined-only "$so" | awk '$2 != "A" {print $3}' | sed 's/@.*//' |
    grep -v '^__' | sort -u >"$work/shared"
nm -g --defined-only "$a" | awk 'NF == 3 {print $3}' | grep -v '^__' | sort -u >"$work/static"
[ -s "$work/declared" ]
diff "$work/declared" "$work/shared"
diff "$work/declared" "$work/static"
readelf -d "$so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -v -E '^(libcrypto|libz|libc|libasan|libubsan|libtsan|libgcc_s|ld-linux.*)\.so' \
        >"$work/needed" || true
if [ -s "$work/needed" ]; then
    echo "it also needs:"
    cat "$work/needed"
    exit 1
fi
echo "$(wc -l <"$work/declared") functions"
