# Steps of scripts/test: each is timed, a failed one does not hide the next. Sourced, never run.

STEP_LINES=()
STEPS_FAILED=0

step() {
  local name=$1 started status=0 line
  shift
  started=$(date +%s)
  printf '\n== %s\n' "$name"
  # Set-up changes our environment (the browser's path), so steps run in this shell.
  "$@" || status=$?
  line="$(printf '%-34s %5d s' "$name" "$(($(date +%s) - started))")"
  if [ "$status" = 0 ]; then
    line="passed  $line"
  else
    line="FAILED  $line"
    STEPS_FAILED=$((STEPS_FAILED + 1))
  fi
  STEP_LINES+=("$line")
  printf '%s\n' "$line"
}

summary() {
  printf '\n== summary (%d s)\n' "$SECONDS"
  printf '%s\n' "${STEP_LINES[@]}"
  if [ "$STEPS_FAILED" = 0 ]; then
    printf 'everything passed\n'
  else
    printf '%d of %d steps failed\n' "$STEPS_FAILED" "${#STEP_LINES[@]}"
    exit 1
  fi
}
