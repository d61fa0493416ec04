#!/bin/bash
# Is what cmake --install leaves enough to build against, from C and C++, by
# pkg-config and by CMake, after it was moved?   install.sh BUILD CONSUMER GOLDEN
set -euo pipefail
build=$1 consumer=$2 golden=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/first" --component library >/dev/null
mv "$work/first" "$work/moved"
[ -s "$work/moved/share/man/man3/libmeshauth.3" ]
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name meshauth.pc)")
lib=$(pkg-config --variable=libdir meshauth)
export LD_LIBRARY_PATH=$lib

cp -r "$consumer" "$work/consumer"
cd "$work/consumer"
headers=$(cd "$work/moved/include" && echo meshauth/*.h)
printf '#include <%s>\n' $headers >headers.inc
cat "$work"/moved/include/meshauth/*.h | tr '\n' ' ' | grep -o 'MAUTH_API[^;]*;' |
    grep -o 'mauth_[a-z0-9_]*(' | tr -d '(' | sort -u |
    sed 's/.*/    reinterpret_cast<const void *>(\&&),/' >all.inc
[ -s all.inc ]

# Accepted at its time, refused a day later.
check() {
    local good
    good=$("$1" "$golden/bearer.p256.xml" "$golden/signing-p256.pub.pem" \
        https://auth.mesh.example urn:meshauth:service:storage 1795341900)
    [ "$good" = usr_0aaaaaaaaaaaaaaaaaaaaaaaaa ]
    if "$1" "$golden/bearer.p256.xml" "$golden/signing-p256.pub.pem" \
        https://auth.mesh.example urn:meshauth:service:storage 1795428300 >out; then
        return 1
    fi
    grep -q '^expired: ' out
}

strict=(-Wall -Wextra -Wpedantic -Werror)
cc -std=c11 "${strict[@]}" consumer.c -o c_shared $(pkg-config --cflags --libs meshauth)
c++ -std=c++17 "${strict[@]}" consumer.cc -o cxx_shared $(pkg-config --cflags --libs meshauth)
cc -std=c11 "${strict[@]}" consumer.c -o c_static $(pkg-config --cflags meshauth) \
    "$lib/libmeshauth.a" $(pkg-config --static --libs-only-l meshauth | sed 's/-lmeshauth//')
for program in c_shared cxx_shared c_static; do
    check "./$program"
done
readelf -d c_shared | grep -q 'libmeshauth.so.0'
if readelf -d c_static | grep -q libmeshauth; then
    exit 1
fi

cmake -S . -B build -DCMAKE_PREFIX_PATH="$work/moved" >/dev/null
cmake --build build >/dev/null
for program in c_meshauth cxx_meshauth c_meshauth_static cxx_meshauth_static; do
    check "build/$program"
done
