#!/usr/bin/env bash
# Runs one golden case: a command, and what it must print.
#
#   run.sh HEADROOM CASE_DIR             compares; exit 0 the same, 1 different, 77 something the case needs is absent
#   UPDATE=1 run.sh HEADROOM CASE_DIR    rewrites what differs
#
# A case is a folder with
#   command   what to run, in bash with pipefail, from the repository's root; `headroom` is the given binary,
#             $CASE the case's folder, $TMP a fresh folder
#   stdout    what it prints
#   stderr    what it says there; not compared where this file is absent (touch it, then UPDATE=1)
#   status    its exit status; 0 where this file is absent
#   slow      empty; where this file is, the case is left out of sanitizer builds (tests/CMakeLists.txt)
#   needs     things without which the case is skipped, one a line: trace FILE (in a folder of HEADROOM_TRACES)
#             or program NAME
set -euo pipefail

if (($# != 2)) || [[ ! -x $1 || ! -f $2/command ]]; then
  printf 'usage: run.sh HEADROOM CASE_DIR\n' >&2
  exit 2
fi
binary=$(realpath -- "$1")
case_dir=$(realpath -- "$2")
name=${case_dir##*/}
root=$(realpath -- "$(dirname "${BASH_SOURCE[0]}")/../..")

# Relative folders are the caller's.
IFS=: read -r -a folders <<<"${HEADROOM_TRACES-}"
absolute=()
for folder in ${folders[@]+"${folders[@]}"}; do
  [[ -z $folder ]] || absolute+=("$(realpath -m -- "$folder")")
done
HEADROOM_TRACES=$(IFS=: && printf '%s' "${absolute[*]-}")
export HEADROOM_TRACES

has_trace() {
  local folder
  for folder in ${absolute[@]+"${absolute[@]}"}; do
    [[ ! -r $folder/$1 ]] || return 0
  done
  return 1
}
if [[ -f $case_dir/needs ]]; then
  while read -r kind what; do
    case $kind in
      '' | '#'*) continue ;;
      trace) has_trace "$what" && continue ;;
      program) command -v "$what" >/dev/null && continue ;;
      *)
        printf '%s/needs: %s: expected trace or program\n' "$name" "$kind" >&2
        exit 1
        ;;
    esac
    printf 'skipped: %s needs the %s %s\n' "$name" "$kind" "$what"
    exit 77
  done <"$case_dir/needs"
fi

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/tmp"
ln -s "$binary" "$scratch/bin/headroom"

status=0
cd "$root"
PATH=$scratch/bin:$PATH CASE=${case_dir#"$root"/} TMP=$scratch/tmp LC_ALL=C.UTF-8 NO_COLOR=1 \
  bash -o pipefail "$case_dir/command" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null || status=$?

if [[ ${UPDATE-} == 1 ]]; then
  cp -- "$scratch/stdout" "$case_dir/stdout"
  [[ ! -f $case_dir/stderr ]] || cp -- "$scratch/stderr" "$case_dir/stderr"
  rm -f -- "$case_dir/status"
  ((status == 0)) || printf '%s\n' "$status" >"$case_dir/status"
  printf '%s: written, exit status %s\n' "$name" "$status"
  exit 0
fi

different=0
compare() {
  diff --unified --label "$name/$1 (expected)" --label "$name/$1 (found)" -- "$case_dir/$1" "$scratch/$1" ||
    different=1
}
compare stdout
[[ ! -f $case_dir/stderr ]] || compare stderr
expected=0
[[ ! -f $case_dir/status ]] || read -r expected <"$case_dir/status"
if ((status != expected)); then
  printf '%s: exit status %s, expected %s\n' "$name" "$status" "$expected"
  different=1
fi
if ((different)); then
  [[ -f $case_dir/stderr ]] || sed "s/^/$name: stderr: /" "$scratch/stderr"
  printf 'If this is meant, UPDATE=1 tests/golden/run.sh %s %s rewrites it.\n' "$1" "$2"
fi
exit "$different"
