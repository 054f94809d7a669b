# Shared by the scripts beside it; sourced, not run. Needs bash.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The C compiler that comes with Swift is asked, since it is the one that has to find the header.
has_zlib() {
    local compiler
    compiler=$(command -v clang || command -v cc) || return 1
    echo '#include <zlib.h>' | "$compiler" -E -x c - >/dev/null 2>&1
}

# Everything that has to be there before the package builds.
set_up() {
    command -v swift >/dev/null || fail "Swift is not installed; see https://www.swift.org/install (6.3 or later)."
    [ "$(uname)" = Linux ] || return 0
    has_zlib && return 0
    command -v apt-get >/dev/null || fail "zlib's header is missing; install your distribution's zlib development package."
    say "Installing zlib1g-dev …"
    as_root apt-get update -q </dev/null >/dev/null
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y zlib1g-dev </dev/null >/dev/null
}
