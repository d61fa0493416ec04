#!/bin/sh
# certs.sh DIR: throw-away authorities and certificates for servers on loopback.
#   ca, other          authorities
#   server, wrong      by ca; for 127.0.0.1 and for other.example
#   client             by ca
# Each as DIR/NAME.crt and DIR/NAME.key.
set -eu
cd "$1"
new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
for name in ca other; do
    $new -subj "/CN=$name" -keyout $name.key -out $name.crt
done
by_ca() {
    $new -CA ca.crt -CAkey ca.key -subj "/CN=$1" -addext basicConstraints=CA:FALSE \
        -addext "$2" -keyout "$1.key" -out "$1.crt"
}
by_ca server "subjectAltName=IP:127.0.0.1"
by_ca wrong "subjectAltName=DNS:other.example"
by_ca client "extendedKeyUsage=clientAuth"
