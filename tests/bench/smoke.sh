#!/usr/bin/env bash
# The lines that meshauth-bench prints are well formed and all there. Their
# figures are not judged: a machine that runs tests has other things to do.
set -euo pipefail
bench=$1

# expect LINES UNITS NAME...: each name once, and nothing that is not a line
expect() {
    local lines=$1 units=$2 odd
    shift 2
    for name; do
        [ "$(grep -cE "^${name//./\\.} [0-9]+(\.[0-9]+)? ($units)$" <<<"$lines")" = 1 ] || {
            printf '%s is missing or misshapen in:\n%s\n' "$name" "$lines"
            exit 1
        }
    done
    odd=$(grep -vE '^[a-z0-9_.]+ [0-9]+(\.[0-9]+)? [a-z]+$' <<<"$lines" || true)
    [ -z "$odd" ] || { printf 'not a name, a value and a unit:\n%s\n' "$odd"; exit 1; }
}

refuses() {
    ! "$bench" "$@" 2>/dev/null || { echo "it takes: $*"; exit 1; }
}

lines=$("$bench" verify --seconds 0.2)
for alg in p256 rsa2048; do
    expect "$lines" 'x|us|calls' verify.$alg.{ratio,deflated.ratio,xmlsec.ratio} \
        verify.$alg.varied.{ratio,deflated.ratio,us,deflated.us,raw.us} \
        verify.$alg.{us,deflated.us,xmlsec.us,raw.us,allocations}
done
expect "$lines" us rule.us rule.sync.us
refuses verify --seconds none

# Two connections, one moment: each kind of exchange at a real meshauthd, and none that
# fails. A KDC only where there is one.
lines=$("$bench" issue --users 50 --seconds 0.3 --connections 2)
expect "$lines" 'exchanges|us|ms|answers|commits|x' disk.commit.per_s \
    issue.{login,exchange,p2p}.{per_s,cpu.us,p50.ms,p99.ms,errors,client.cpu.us}
[ ! -x /usr/sbin/krb5kdc ] || [ ! -x /usr/sbin/kadmin.local ] || [ ! -x /usr/bin/kvno ] ||
    expect "$lines" 'exchanges|us|ms|answers|commits|x' issue.kdc.cpu.us \
        issue.exchange.over_kdc.ratio
[ "$(grep -cE '^issue\.[a-z0-9]+\.errors 0 answers$' <<<"$lines")" = 3 ] ||
    { echo "$lines"; exit 1; }
refuses issue --users 3 --connections 2
refuses issue --connections 0
refuses issue --users 9 --seconds 0.1 --connections 1 --build /nonexistent
refuses

# A tiny graph and one that is hardly larger; all of a crowd is listed, or it fails.
lines=$("$bench" graph --base 30 --users 200 --crowd 150 --seconds 0.1)
expect "$lines" 'x|us|s|bytes|pages|ms|kib' graph.{build.s,bytes_per_user} \
    graph.{read,member}.{growth,small.cpu.us,large.cpu.us} \
    graph.{read,member}.{inside.growth,small.inside.us,large.inside.us} \
    graph.{members,folders}.{pages,longest.ms,memory.kib}
refuses graph --users 5

# A short list, a few updaters and revocations; that each is refused, or it fails.
lines=$("$bench" revocation --entries 1000 --seconds 0.2 --updaters 10 --live 20 --revocations 2)
expect "$lines" 'lines|bytes|ms|us|updaters' revocation.list.{entries,bytes,load.ms,check.us,short.check.us} \
    revocation.{updaters,p50.ms,p99.ms}
refuses revocation --updaters 3
refuses revocation --entries 100001
refuses graph --users 200 --crowd 200

# One rotation under load, no ticket refused.
lines=$("$bench" rotation --quick --seconds 3 --rotations 1 --connections 2)
expect "$lines" 'switches|operations|answers|checks' \
    rotation.{switches,per_s,issued,errors,checks,failed}
grep -qx 'rotation.failed 0 checks' <<<"$lines" || { echo "$lines"; exit 1; }
refuses rotation --rotations 0

# A log that is small, but has one file of the index; each question finds what it must.
lines=$("$bench" audit --quick --records 300000 --seconds 0.3)
expect "$lines" 's|records|bytes|us|ms|x|commits|exchanges|answers|logins' audit.{fill.s,records,bytes_per_record,index.cpu.us} \
    audit.{query_user,query_ticket,query_folder,count_day,count_day.hours,count_day.users}.{ms,longest.ms,found} \
    audit.append.{per_s,empty.per_s,ratio} audit.login.{per_s,asked.per_s,ratio,answers} disk.commit.per_s \
    audit.flood.{per_s,logins,records,bytes}
refuses audit --records 5
