#!/usr/bin/env bash
# Every test of Headroom, from a fresh clone: set-up, three builds, then the tests on two of them.
# tools/test.sh -h says what it takes.
set -euo pipefail

usage() {
  cat <<'EOT'
usage: tools/test.sh [--quick]

Installs what is missing, builds the presets release, dev (ASan + UBSan) and clang, then runs the tests on release
and on dev. The first failure ends it.

  --quick   only the release build and its tests
  -h        this text

Environment:
  HEADROOM_TRACES   folders with workload logs, colon separated (default: ../shared/data/traces if it is there);
                    tests that need a log they do not find skip themselves and say so
  HEADROOM_SHARED   folder with other optional test data (default: ../shared if it is there)

Exit status: 0 all passed; 1 a build or a test failed; 2 usage; 4 set-up failed.
EOT
}

quick=false
for argument in "$@"; do
  case $argument in
    --quick) quick=true ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      printf 'test.sh: unknown argument: %s\n\n' "$argument" >&2
      usage >&2
      exit 2
      ;;
  esac
done

# The caller's relative folders would point elsewhere after the cd.
if [[ -n ${HEADROOM_TRACES-} ]]; then
  absolute=()
  IFS=: read -r -a folders <<<"$HEADROOM_TRACES"
  for folder in "${folders[@]}"; do
    [[ -z $folder || $folder == /* ]] || folder=$PWD/$folder
    absolute+=("$folder")
  done
  HEADROOM_TRACES=$(IFS=: && printf '%s' "${absolute[*]}")
  export HEADROOM_TRACES
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=$(nproc)

shared=$(cd .. && pwd)/shared
if [[ -z ${HEADROOM_TRACES+set} && -d $shared/data/traces ]]; then
  export HEADROOM_TRACES=$shared/data/traces
fi
if [[ -z ${HEADROOM_SHARED+set} && -d $shared ]]; then
  export HEADROOM_SHARED=$shared
fi
# UBSan only prints by default, and a test that prints still passes.
export UBSAN_OPTIONS=${UBSAN_OPTIONS-halt_on_error=1:print_stacktrace=1}

times=()
phase() {
  local name=$1 start=$SECONDS status=0
  shift
  printf '\n== %s\n' "$name"
  "$@" || status=$?
  times+=("$(printf '%6d s  %s' $((SECONDS - start)) "$name")")
  if ((status != 0)); then
    printf '\n'
    printf '%s\n' "${times[@]}"
    printf 'test.sh: FAILED: %s\n' "$name" >&2
    # Only set-up has exit codes of its own to pass on.
    [[ $name == set-up ]] && exit "$status"
    exit 1
  fi
  printf '== %s: %d s\n' "$name" $((SECONDS - start))
}

build() {
  local preset=$1
  shift
  cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs" "$@"
}

phase set-up tools/setup.sh
phase 'build release' build release
if ! $quick; then
  phase 'build dev' build dev
  phase 'build clang' build clang --target headroom
  # An integration test compares the digests that the three builds give.
  export HEADROOM_DEV_BINARY=$PWD/build/dev/headroom
  export HEADROOM_CLANG_BINARY=$PWD/build/clang/headroom
fi
phase 'test release' ctest --preset release -j "$jobs"
if ! $quick; then
  # Benchmarks say nothing under sanitizers and take long there.
  phase 'test dev' ctest --preset dev -j "$jobs" --label-exclude '^bench-smoke$'
fi

printf '\n'
printf '%s\n' "${times[@]}"
printf 'test.sh: all passed in %d s\n' "$SECONDS"
