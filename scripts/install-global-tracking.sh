#!/bin/sh
# Installs the orrery command and its hook for this user, and puts the hooks into the agents' settings.
set -eu

usage() {
  cat <<'USAGE'
usage: scripts/install-global-tracking.sh [--yes] [--alias] [--dry-run] [--uninstall] [--from DIR]

Puts orrery and orrery-hook into ~/.local/bin, that folder on the PATH of bash, zsh
and fish, and Orrery's hooks into the settings of Claude Code and Codex. Running it
again changes nothing that is in place.

  --yes        ask nothing
  --alias      make codex mean codex-tracked in new shells (asked for without --yes)
  --dry-run    say what would be done, change nothing
  --uninstall  take all of it away again; the recorded data stays
  --from DIR   take the two programs from DIR instead of building them
  --help       these words
USAGE
}

yes="" dry="" remove="" from="" alias=""
while [ $# -gt 0 ]; do
  case "$1" in
    --yes | -y) yes=1 ;;
    --alias) alias=1 ;;
    --dry-run) dry=1 ;;
    --uninstall) remove=1 ;;
    --from)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      from=$2
      shift
      ;;
    --from=*) from=${1#--from=} ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

say() { printf '%s\n' "$*" >&2; }
fail() { say "install-global-tracking: $*"; exit 1; }
[ -n "${HOME:-}" ] && [ -d "$HOME" ] || fail "HOME is not set to a folder"

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
bin=$HOME/.local/bin
# Where scripts written for the older layout look for the hook.
old_bin=$bin/codex-observability
programs="orrery orrery-hook"
# The block in hand: the PATH, or the alias of Codex.
use_block() {
  kind=$1
  case "$kind" in
    PATH) begin='# >>> orrery >>>' end='# <<< orrery <<<' ;;
    alias) begin='# >>> orrery codex >>>' end='# <<< orrery codex <<<' ;;
  esac
}
use_block PATH

# do_it WORDS COMMAND...: says the words, and runs the command unless this is a dry run.
do_it() {
  words=$1
  shift
  if [ -n "$dry" ]; then
    say "would $words"
  else
    say "$words"
    "$@"
  fi
}

confirm() {
  [ -n "$yes" ] || [ -n "$dry" ] && return 0
  [ -t 0 ] || fail "there is no terminal to ask on; give --yes"
  printf '%s [Y/n] ' "$1" >&2
  read -r answer || answer=n
  case "$answer" in '' | y | Y | yes) return 0 ;; *) return 1 ;; esac
}

same() { [ -f "$2" ] && cmp -s "$1" "$2"; }

# Replaces a program in one step: the old one may be running.
put_program() {
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2.new"
  chmod 755 "$2.new"
  mv -f "$2.new" "$2"
}

build() {
  command -v cargo >/dev/null 2>&1 || fail "cargo is missing: install Rust from https://rustup.rs, or name a folder with the programs with --from"
  [ -f "$root/ui/dist/index.html" ] || say "note: the interface is not built yet (scripts/run builds it); the command works without"
  say "building (a few minutes the first time)"
  (cd "$root" && cargo build --quiet --release -p orrery-cli) || fail "orrery could not be built"
  target=${CARGO_TARGET_DIR:-$root/target}
  hook_target=$target/hook
  # Linked statically the hook starts in half the time; not every system has the libraries for it.
  flags=""
  [ "$(uname -s)" = Linux ] && flags="-C target-feature=+crt-static -C relocation-model=static"
  (cd "$root" && RUSTFLAGS="$flags" CARGO_TARGET_DIR="$hook_target" cargo build --quiet --profile hook -p orrery-client 2>/dev/null) ||
    (cd "$root" && CARGO_TARGET_DIR="$hook_target" cargo build --quiet --profile hook -p orrery-client) ||
    fail "orrery-hook could not be built"
  from=$root/target/install
  mkdir -p "$from"
  cp "$target/release/orrery" "$hook_target/hook/orrery-hook" "$from/"
}

install_programs() {
  if [ -z "$from" ]; then
    if [ -n "$dry" ]; then
      say "would build orrery and orrery-hook"
      for name in $programs; do say "would write $bin/$name"; done
      return
    fi
    build
  fi
  for name in $programs; do
    [ -f "$from/$name" ] || fail "$from/$name is missing"
    for to in "$bin/$name" "$old_bin/$name"; do
      same "$from/$name" "$to" || do_it "write $to" put_program "$from/$name" "$to"
    done
  done
}

# The files that put ~/.local/bin on the PATH: of the login shell, and of every other shell that has one already.
rc_files() {
  shell=$(basename "${SHELL:-sh}")
  zshrc=${ZDOTDIR:-$HOME}/.zshrc
  fish=${XDG_CONFIG_HOME:-$HOME/.config}/fish
  if [ "$shell" = bash ] || [ -f "$HOME/.bashrc" ]; then printf '%s\n' "$HOME/.bashrc"; fi
  if [ "$(uname -s)" = Darwin ] && [ "$shell" = bash ]; then printf '%s\n' "$HOME/.bash_profile"; fi
  if [ "$shell" = zsh ] || [ -f "$zshrc" ]; then printf '%s\n' "$zshrc"; fi
  if [ "$shell" = fish ] || [ -d "$fish" ]; then printf '%s\n' "$fish/conf.d/orrery.fish"; fi
}

# What taking the block out has to put back: the file was made for it, or did not end with a newline.
made='# (this file was made for it)'
unended='# (the line above had no end)'

# block FILE NOTE
block() {
  printf '%s\n' "$begin"
  [ -z "$2" ] || printf '%s\n' "$2"
  case "$kind:$1" in
    alias:*) printf '%s\n' 'alias codex=codex-tracked' ;;
    *.fish)
      # shellcheck disable=SC2016
      printf '%s\n' 'contains -- "$HOME/.local/bin" $PATH; or set -gx PATH "$HOME/.local/bin" $PATH'
      ;;
    *)
      # shellcheck disable=SC2016
      printf '%s\n' 'case ":$PATH:" in *":$HOME/.local/bin:"*) ;; *) export PATH="$HOME/.local/bin:$PATH" ;; esac'
      ;;
  esac
  printf '%s\n' "$end"
}

without_block() {
  awk -v begin="$begin" -v end="$end" '$0 == begin { skip = 1 } !skip { print } $0 == end { skip = 0 }' "$1"
}

# Writes through links: people keep these files in a repository.
put_block() {
  note=""
  mkdir -p "$(dirname "$1")"
  if [ ! -f "$1" ]; then
    note=$made
    : >"$1"
  elif [ -s "$1" ] && [ -n "$(tail -c 1 "$1")" ]; then
    note=$unended
    printf '\n' >>"$1"
  fi
  block "$1" "$note" >>"$1"
}

drop_block() {
  kept=$(mktemp)
  note=$(awk -v begin="$begin" 'found { print; exit } $0 == begin { found = 1 }' "$1")
  without_block "$1" >"$kept"
  if [ ! -s "$kept" ] && [ "$note" = "$made" ]; then
    rm -f "$1"
  elif [ "$note" = "$unended" ]; then
    printf '%s' "$(cat "$kept")" >"$1"
  else
    cat "$kept" >"$1"
  fi
  rm -f "$kept"
}

has_block() { [ -f "$1" ] && grep -qxF "$begin" "$1"; }

edit_rc() {
  rc_files | while IFS= read -r rc; do
    if [ -n "$remove" ]; then
      if has_block "$rc"; then do_it "take the $kind block out of $rc" drop_block "$rc"; fi
    elif ! has_block "$rc"; then
      do_it "add the $kind block to $rc" put_block "$rc"
    fi
  done
}

# The same program under the name by which it runs Codex.
link_tracked() {
  tracked=$bin/codex-tracked
  if [ -e "$tracked" ] && [ ! -L "$tracked" ]; then
    say "note: $tracked is not ours and stays"
    return
  fi
  [ "$(readlink "$tracked" 2>/dev/null)" = orrery ] || do_it "link $tracked to orrery" ln -sf orrery "$tracked"
}

# Takes codex over only for those who say so.
edit_alias() {
  use_block alias
  if [ -n "$remove" ] || [ -n "$alias" ]; then
    edit_rc
  elif [ -z "$yes" ] && [ -z "$dry" ] && [ -t 0 ] && command -v codex >/dev/null 2>&1; then
    if confirm "Let codex mean codex-tracked in new shells? It reports start, end and changes of each run."; then edit_rc; fi
  fi
  use_block PATH
}

hooks() {
  orrery=$bin/orrery
  [ -x "$orrery" ] || orrery=${from:+$from/orrery}
  if [ -z "$orrery" ] || [ ! -x "$orrery" ]; then
    say "would change the hooks of the agents found"
    return 0
  fi
  set -- "$1"
  [ -n "$yes" ] && set -- "$@" --yes
  [ -n "$dry" ] && set -- "$@" --dry-run
  [ "$1" = install ] && [ -z "$dry" ] && set -- "$@" --verify
  "$orrery" "$@"
}

if [ -n "$remove" ]; then
  confirm "Take Orrery's hooks, programs and PATH block away? The recorded data stays." || exit 1
  if [ -x "$bin/orrery" ]; then hooks uninstall || say "note: the hooks could not be taken out; see above"; fi
  edit_rc
  edit_alias
  if [ -L "$bin/codex-tracked" ]; then do_it "remove $bin/codex-tracked" rm -f "$bin/codex-tracked"; fi
  for name in $programs; do
    for file in "$bin/$name" "$old_bin/$name"; do
      if [ -e "$file" ]; then do_it "remove $file" rm -f "$file"; fi
    done
  done
  if [ -z "$dry" ] && [ -d "$old_bin" ]; then rmdir "$old_bin" 2>/dev/null || :; fi
  say "done"
  exit 0
fi

confirm "Install orrery and orrery-hook into $bin?" || exit 1
install_programs
link_tracked
edit_rc
edit_alias
hooked=yes
hooks install || hooked=""

if [ -n "$dry" ]; then
  say "nothing was changed"
  exit 0
fi
"$bin/orrery" --version >/dev/null || fail "$bin/orrery does not start"
printf '' | "$bin/orrery-hook" || fail "$bin/orrery-hook does not start"
say ""
say "Orrery is installed. Next:"
case ":$PATH:" in *":$bin:"*) ;; *) say "  - open a new terminal, so that $bin is on the PATH" ;; esac
[ -n "$hooked" ] || say "  - orrery install     hooks were not (all) put in; this shows why"
say "  - orrery serve       or start the desktop app"
say "  - orrery import      read what your agents did so far"
say "  - orrery doctor      what is seen, what is not, and what to do"
