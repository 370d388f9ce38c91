# shellcheck shell=bash
# Shared by the integration tests: sourced with the binary as the only argument. Sets `headroom` (a function), $binary,
# $tmp (a fresh folder); stands in the repository's root. A test says what is wrong with `fail` and goes on; its exit
# status comes from `finish`.
set -uo pipefail

if (($# != 1)) || [[ ! -x $1 ]]; then
  printf 'usage: %s HEADROOM\n' "$0" >&2
  exit 2
fi
binary=$(realpath -- "$1")
headroom() { "$binary" "$@"; }

# Relative folders are the caller's.
IFS=: read -r -a trace_folders <<<"${HEADROOM_TRACES-}"
for i in ${trace_folders[@]+"${!trace_folders[@]}"}; do
  [[ -z ${trace_folders[i]} ]] || trace_folders[i]=$(realpath -m -- "${trace_folders[i]}")
done
HEADROOM_TRACES=$(IFS=: && printf '%s' "${trace_folders[*]-}")
export HEADROOM_TRACES
[[ -z ${HEADROOM_SHARED-} ]] || HEADROOM_SHARED=$(realpath -m -- "$HEADROOM_SHARED")

tests=$(realpath -- "$(dirname "${BASH_SOURCE[0]}")")
cd "$tests/../.." || exit 1
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
failures=0

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  failures=$((failures + 1))
}
skip() {
  printf 'skipped: %s\n' "$*"
  exit 77
}
finish() {
  ((failures == 0)) || printf '%s of the checks above FAILED\n' "$failures" >&2
  exit $((failures > 0))
}

# Prints where the log lies; fails if it is in no folder of HEADROOM_TRACES.
trace() {
  local folder
  for folder in ${trace_folders[@]+"${trace_folders[@]}"}; do
    if [[ -r $folder/$1 ]]; then
      printf '%s\n' "$folder/$1"
      return 0
    fi
  done
  return 1
}

digest_of() { # of the summary.json in a run directory
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["digest"])' "$1/summary.json"
}
