#!/usr/bin/env bash
# Builds Headroom, replays a real workload log on a simulated PCS cluster, prints the summary, writes demo-out/.
# Without the log (a folder at hand, else a download) it runs a synthetic workload. No arguments.
set -euo pipefail

log=KTH-SP2-1996-2

if (($# > 0)); then
  printf 'usage: tools/demo.sh\n\nLooks for %s.swf (.zst, .gz) in the folders of HEADROOM_TRACES first.\n' "$log"
  [[ $1 == -h || $1 == --help ]] && exit 0
  exit 2
fi

# Relative folders in HEADROOM_TRACES are the caller's.
caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

candidates=()
IFS=: read -r -a folders <<<"${HEADROOM_TRACES-}"
for folder in ${folders[@]+"${folders[@]}"}; do
  [[ -n $folder ]] || continue
  [[ $folder == /* ]] || folder=$caller/$folder
  candidates+=("$folder")
done
candidates+=("$PWD/../shared/data/traces" "$PWD/traces")

# Prints the file of the log in the first folder that has it.
find_log() {
  local folder suffix
  for folder in "${candidates[@]}"; do
    for suffix in .zst .gz ''; do
      if [[ -r $folder/$log.swf$suffix ]]; then
        printf '%s\n' "$(cd "$folder" && pwd)/$log.swf$suffix"
        return 0
      fi
    done
  done
  return 1
}

# Build output is progress; standard output carries the demo.
tools/setup.sh
{
  cmake --preset release
  cmake --build --preset release -j "$(nproc)" --target headroom
} >&2

from='found at'
if ! file=$(find_log); then
  printf 'demo.sh: %s is not at hand; trying to download it\n' "$log" >&2
  # A demo without a network must not hang: both limits are short.
  if timeout 60 tools/get-traces.sh --timeout 8 "$log" >&2; then
    from='downloaded to'
  else
    printf 'demo.sh: no download; going on with a synthetic workload\n' >&2
  fi
  file=$(find_log) || file=
fi

if [[ -n $file ]]; then
  scenario=scenarios/kth-on-pcs.json
  HEADROOM_TRACES=$(dirname "$file")
  export HEADROOM_TRACES
  printf 'Workload: %s, a real log of the Parallel Workloads Archive, %s %s\n' "$log" "$from" "$file"
else
  scenario=scenarios/lublin-on-pcs.json
  printf 'Workload: synthetic (Lublin-Feitelson model): no %s.swf in HEADROOM_TRACES, ../shared/data/traces or traces\n' \
    "$log"
fi
printf 'Scenario: %s\n\n' "$scenario"

# Files of an earlier demo would be listed as if this one had written them.
rm -rf demo-out
build/release/headroom run "$scenario" --out demo-out

written=(demo-out/*)
printf '\nWritten: %s\n' "${written[*]}"
