# Words, timing and small questions shared by scripts/run and scripts/test. Sourced, never run.

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/orrery"

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root; the person sees it first.
as_root() {
  say "  $ $*"
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "this needs root and there is no sudo; run it yourself, then start again"
  fi
}

# Stops a command after so many seconds, where the system can.
with_deadline() {
  local seconds=$1
  shift
  if have timeout; then
    timeout "$seconds" "$@"
  else
    "$@"
  fi
}

hash_of() {
  if have sha256sum; then
    cat "$@" | sha256sum | cut -c1-16
  else
    cat "$@" | shasum -a 256 | cut -c1-16
  fi
}

# A version number as one comparable integer: 1.96.0 -> 1096000.
version_number() {
  printf '%s\n' "$1" | awk -F. '{ printf "%d\n", $1 * 1000000 + $2 * 1000 + $3 }'
}

# Builds of a checking machine are kept between fresh clones and need no incremental data.
use_ci_cache() {
  if [ -n "${CI:-}" ]; then
    export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CACHE/target}"
    export CARGO_INCREMENTAL=0
  fi
  TARGET="${CARGO_TARGET_DIR:-$ROOT/target}"
  export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"
}
