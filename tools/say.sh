# Sourced by the tools: what is for the reader goes to stderr, since stdout may be captured.
say() { printf '%s\n' "tollgate: $*" >&2; }
die() { say "$@"; exit 1; }
