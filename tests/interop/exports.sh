#!/bin/sh
# Does a library export exactly what its public headers declare, and need nothing
# but what it may?   exports.sh SHARED STATIC|- "NEEDED..." HEADER...
set -eu
so=$1 a=$2 may_need=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat "$@" | tr '\n' ' ' | grep -o 'MAUTH_API[^;]*;' |
    grep -o 'mauth_[a-z0-9_]*(' | tr -d '(' | sort -u >"$work/declared"
nm -D --defined-only "$so" | awk '$2 != "A" {print $3}' | sed 's/@.*//' |
    grep -v '^__' | sort -u >"$work/shared"
[ -s "$work/declared" ]
diff "$work/declared" "$work/shared"
if [ "$a" != - ]; then
    nm -g --defined-only "$a" | awk 'NF == 3 {print $3}' | grep -v '^__' | sort -u >"$work/static"
    diff "$work/declared" "$work/static"
fi
allowed='c asan ubsan tsan gcc_s '$may_need
for library in $(readelf -d "$so" | sed -n 's/.*(NEEDED).*\[lib\(.*\)\.so.*\]/\1/p'); do
    case " $allowed " in
        *" $library "*) ;;
        *) echo "it also needs $library"; exit 1 ;;
    esac
done
echo "$(wc -l <"$work/declared") functions"
