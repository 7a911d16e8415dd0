# Everything a fresh machine lacks. Sourced; the entry is `setup run` or `setup test`.

# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

SYSTEM=""
APT_UPDATED=""

# debian (with Ubuntu and relatives), fedora, macos, or empty.
detect_system() {
  case "$(uname -s)" in
    Darwin) SYSTEM=macos ;;
    Linux)
      local ids=""
      [ -r /etc/os-release ] && ids="$(. /etc/os-release && printf '%s %s' "${ID:-}" "${ID_LIKE:-}")"
      case " $ids " in
        *" debian "* | *" ubuntu "*) SYSTEM=debian ;;
        *" fedora "* | *" rhel "*) SYSTEM=fedora ;;
      esac
      ;;
  esac
}

# --- system packages ---------------------------------------------------------------------------------------------

missing_apt() {
  local package installed
  installed="$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | awk '/^ii/ { print $2 }')"
  for package in "$@"; do
    grep -qx "$package" <<<"$installed" || printf '%s ' "$package"
  done
}

install_apt() {
  local missing
  missing="$(missing_apt "$@")"
  [ -n "$missing" ] || return 0
  say "installing: $missing"
  export DEBIAN_FRONTEND=noninteractive
  if [ -z "$APT_UPDATED" ]; then
    as_root apt-get update -q >&2 || say "the package lists could not be refreshed; going on with the old ones"
    APT_UPDATED=yes
  fi
  # shellcheck disable=SC2086
  as_root apt-get install -y -q --no-install-recommends $missing >&2
}

install_dnf() {
  local missing
  missing="$(rpm -q --whatprovides "$@" 2>&1 |
    sed -n -e 's/^no package provides //p' -e 's/^error: file \(.*\): No such file.*/\1/p' | tr '\n' ' ')"
  [ -n "$missing" ] || return 0
  say "installing: $missing"
  # shellcheck disable=SC2086
  as_root dnf install -y $missing >&2
}

install_brew() {
  have brew || die "Homebrew is missing: see https://brew.sh, then start again"
  local package missing=""
  for package in "$@"; do
    [ -d "$(brew --prefix)/opt/$package" ] || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  say "installing:$missing"
  # shellcheck disable=SC2086
  brew install --quiet $missing >&2
}

# Installs the list NAME (RUN, TEST, NODE ...) of this system.
# shellcheck disable=SC2086
install_list() {
  local apt="APT_$1" dnf="DNF_$1" brew="BREW_$1"
  case "$SYSTEM" in
    debian) install_apt ${!apt} ;;
    fedora) install_dnf ${!dnf} ;;
    macos) install_brew ${!brew} ;;
  esac
}

# Any other system: say what is missing and stop.
list_what_is_missing() {
  local missing=() tool
  for tool in cc pkg-config node npm; do
    have "$tool" || missing+=("$tool")
  done
  for tool in webkit2gtk-4.1 ayatana-appindicator3-0.1 dbus-1; do
    have pkg-config && pkg-config --exists "$tool" || missing+=("development files of $tool")
  done
  has_wasm || missing+=("the $WASM_TARGET target: rustup target add $WASM_TARGET")
  if [ "$1" = test ]; then
    for tool in Xvfb dbus-run-session WebKitWebDriver; do
      have "$tool" || missing+=("$tool")
    done
    [ -n "$(find_browser)" ] || missing+=("chromium")
    /usr/bin/python3 -c 'import dbusmock' 2>/dev/null || python3 -c 'import dbusmock' 2>/dev/null || missing+=("python3 with dbusmock")
  fi
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "this system's packages are not known here. Missing:"
  printf '  %s\n' "${missing[@]}" >&2
  exit 1
}

# --- Rust --------------------------------------------------------------------------------------------------------

ensure_rust() {
  have cargo && have rustc || die "no Rust toolchain: see https://rustup.rs, then start again"
  local wanted found
  wanted="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -1)"
  found="$(rustc --version | awk '{ print $2 }' | cut -d- -f1)"
  if [ "$(version_number "$found")" -lt "$(version_number "$wanted.0")" ]; then
    die "Rust $found is too old, $wanted is needed: rustup update stable"
  fi
}

has_wasm_target() { [ -d "$(rustc --print sysroot)/lib/rustlib/$WASM_TARGET/lib" ]; }

has_debian_wasm() {
  [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]
}

has_wasm() { has_wasm_target || has_debian_wasm; }

ensure_wasm() {
  has_wasm && return 0
  if have rustup; then
    say "adding the $WASM_TARGET target to the Rust toolchain"
    with_deadline 90 rustup target add "$WASM_TARGET" >&2 && has_wasm_target && return 0
    say "rustup could not add it"
  fi
  if [ "$SYSTEM" = debian ]; then
    say "using Debian's compiler for wasm instead"
    # shellcheck disable=SC2086
    install_apt $APT_WASM && has_debian_wasm && return 0
  fi
  die "nothing here can compile for $WASM_TARGET; try: rustup target add $WASM_TARGET"
}

# Prints `nextest` or `test`: how native tests are run.
ensure_nextest() {
  have cargo-nextest && return 0
  local system
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) system=linux ;;
    Linux-aarch64) system=linux-arm ;;
    Darwin-*) system=mac ;;
    *) return 0 ;;
  esac
  say "fetching cargo-nextest"
  mkdir -p "${CARGO_HOME:-$HOME/.cargo}/bin"
  if ! curl -LsSf --max-time 60 "https://get.nexte.st/latest/$system" 2>/dev/null |
    tar xzf - -C "${CARGO_HOME:-$HOME/.cargo}/bin" 2>/dev/null; then
    say "cargo-nextest cannot be had; cargo test does its work, a little slower"
  fi
}

# --- Node --------------------------------------------------------------------------------------------------------

has_node() {
  have node && have npm && [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge "$NODE_MIN" ]
}

ensure_node() {
  has_node && return 0
  say "installing Node for the build tools in scripts/node"
  install_list NODE
  has_node || die "Node $NODE_MIN or newer and npm are needed: see https://nodejs.org"
}

ensure_node_modules() {
  local dir="$ROOT/scripts/node" key
  key="$(hash_of "$dir/package.json" "$dir/package-lock.json")"
  if [ "$(cat "$dir/node_modules/.orrery-stamp" 2>/dev/null)" != "$key" ]; then
    say "installing the build tools of scripts/node"
    # Versions come from the lock. `npm ci` would also demand packages of other platforms that a registry may not have.
    (cd "$dir" && npm install --no-save --loglevel=error >&2) || die "npm install failed in scripts/node"
    printf '%s' "$key" >"$dir/node_modules/.orrery-stamp"
  fi
}

# A Chromium that playwright-core can drive; empty when there is none.
find_browser() {
  local name
  if [ -n "${ORRERY_CHROMIUM:-}" ]; then
    printf '%s' "$ORRERY_CHROMIUM"
    return
  fi
  for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    # Ubuntu's /usr/bin/chromium-browser may be a script that asks for a snap.
    if have "$name" && "$name" --version >/dev/null 2>&1; then
      command -v "$name"
      return
    fi
  done
  for name in "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "$HOME"/.cache/ms-playwright/chromium-*/chrome-linux*/chrome; do
    [ -x "$name" ] && printf '%s' "$name" && return
  done
  return 0
}

ensure_browser() {
  local browser
  browser="$(find_browser)"
  if [ -z "$browser" ] && [ "$SYSTEM" = debian ]; then
    # shellcheck disable=SC2086
    (. /etc/os-release && [ "${ID:-}" != ubuntu ]) && install_apt $APT_BROWSER
    browser="$(find_browser)"
  fi
  if [ -z "$browser" ]; then
    say "fetching Chromium for the browser journeys"
    (cd "$ROOT/scripts/node" && as_root npx playwright-core install-deps chromium >&2 &&
      npx playwright-core install chromium >&2) || true
    browser="$(find_browser)"
  fi
  [ -n "$browser" ] || die "no Chromium found for the browser journeys; set ORRERY_CHROMIUM to one"
  export ORRERY_CHROMIUM="$browser"
}

# --- all of it ---------------------------------------------------------------------------------------------------

# The stamp saves the slow questions; the cheap ones are asked every time.
setup() {
  local purpose=$1 stamp key
  ensure_rust
  detect_system
  stamp="$CACHE/setup-$purpose"
  key="$(hash_of "$ROOT/scripts/lib/packages.sh" "$ROOT/scripts/lib/setup.sh")"
  if [ -z "$SYSTEM" ]; then
    list_what_is_missing "$purpose"
  else
    install_list RUN
    [ "$purpose" = run ] || install_list TEST
  fi
  ensure_node
  ensure_wasm
  ensure_node_modules
  if [ "$purpose" = test ]; then
    [ "$(cat "$stamp" 2>/dev/null)" = "$key" ] || ensure_nextest
    ensure_browser
  fi
  mkdir -p "$CACHE"
  printf '%s' "$key" >"$stamp"
}
