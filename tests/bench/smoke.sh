#!/usr/bin/env bash
# The lines that meshauth-bench prints are well formed and all there. Their
# figures are not judged: a machine that runs tests has other things to do.
set -euo pipefail
lines=$("$1" verify --seconds 0.2)

for alg in p256 rsa2048; do
    for name in ratio deflated.ratio xmlsec.ratio us deflated.us xmlsec.us raw.us allocations; do
        grep -qE "^verify\.$alg\.$name [0-9]+(\.[0-9]+)? (x|us|calls)$" <<<"$lines" || {
            printf 'verify.%s.%s is missing or misshapen in:\n%s\n' "$alg" "$name" "$lines"
            exit 1
        }
    done
done
odd=$(grep -vE '^[a-z0-9.]+ [0-9]+(\.[0-9]+)? [a-z]+$' <<<"$lines" || true)
[ -z "$odd" ] || { printf 'not a name, a value and a unit:\n%s\n' "$odd"; exit 1; }
! "$1" verify --seconds none 2>/dev/null || { echo 'it takes "none" for a number'; exit 1; }
