#!/usr/bin/env bash
# The writer lock's naive protocol in bash, speaking the lines of conformance.md: an example, and a peer for tests. It
# needs od, gzip, stat and date. It judges with care, but removes a stale lock before it makes its own, so of two that
# find the same stale lock both may get it: the scenarios contention-over-stale and contention-with-rvf-over-stale fail
# now and then.

id='' lock=''

hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }
number() { od -An -v -tu"$1" -j"$2" -N"$1" "$lock" | tr -d ' '; }
escaped() { local text=$1 out=''; while [ -n "$text" ]; do out+="\\x${text:0:2}"; text=${text:2}; done; printf %s "$out"; }
little() { local value out=''; printf -v value "%0$(($2 * 2))x" "$1"
    while [ -n "$value" ]; do out+=${value: -2}; value=${value%??}; done; printf %s "$out"; }
# gzip's trailer is the CRC-32 and the length, four bytes each, little-endian.
checksum() { printf "$(escaped "$1")" | gzip -c | tail -c 8 | head -c 4 | hex; }
age() { echo $(($(date +%s) - $(stat -c %Y "$lock" 2>/dev/null || stat -f %m "$lock"))); }

host=$(printf %s "$HOSTNAME" | head -c 62 | hex)
while [ ${#host} -lt 128 ]; do host+=00; done

create() {
    id=$(head -c 16 /dev/urandom | hex)
    local body=464c5652$(little $$ 4)$host$(little "$(date +%s)000000000" 8)${id}01000000
    # With noclobber bash creates exclusively; the record is one write.
    local record; record=$(escaped "$body$(checksum "$body")")
    (set -C; printf "$record" >"$lock") 2>/dev/null
}

is_stale() {
    local bytes; bytes=$(head -c 104 "$lock" 2>/dev/null | hex)
    [ ${#bytes} -eq 0 ] && { [ "$(age)" -gt 30 ]; return; }
    { [ ${#bytes} -lt 208 ] || [ "${bytes:0:8}" != 464c5652 ]; } && { [ "$(age)" -gt 30 ]; return; }
    [ "${bytes:200:8}" != "$(checksum "${bytes:0:200}")" ] && [ "$(age)" -le 30 ] && return 1
    [ "${bytes:192:8}" != 01000000 ] && return 1
    local seconds=$((($(date +%s%N | sed s/N\$/000000000/) - $(number 8 72)) / 1000000000))
    # The guard byte is no part of the name.
    if [ "${bytes:16:126}" = "${host:0:126}" ]; then
        ! kill -0 "$(number 4 4)" 2>/dev/null && [ $seconds -gt 30 ]
    else
        [ $seconds -gt 300 ]
    fi
}

holds() { [ -f "$lock" ] && [ "$(hex -j80 -N16 "$lock" 2>/dev/null)" = "$id" ]; }

acquire() {
    lock=$1.lock
    # What is no regular file is opened even with noclobber.
    if [ -L "$lock" ] || { [ -e "$lock" ] && [ ! -f "$lock" ]; }; then echo error no regular file; return; fi
    create && { echo ok guard=0; return; }
    # In a shell of its own: where the file goes in the middle of it, the arithmetic ends the shell.
    (is_stale) 2>/dev/null && rm -f "$lock" && create && { echo ok guard=0; return; }
    echo held
}

while IFS= read -r line; do
    case $line in
        acquire\ *) acquire "${line#acquire }" ;;
        release) if holds; then rm -f "$lock"; echo ok; else echo lost; fi ;;
        validate) if holds; then echo ok; else echo lost; fi ;;
        status\ *) echo unsupported ;;
        exit) exit ;;
        *) echo error unknown request ;;
    esac
done
