#!/usr/bin/env bash
# The same scenario gives the same digest and the same files, run after run and from every compiler; another seed gives
# another run. HEADROOM_CLANG_BINARY and HEADROOM_DEV_BINARY name other builds to compare with.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

scenarios=(tutorial lublin-on-pcs)
if trace KTH-SP2-1996-2.swf.zst >/dev/null; then
  scenarios+=(kth-easy-pool kth-on-pcs)
else
  printf 'without KTH-SP2-1996-2.swf.zst in HEADROOM_TRACES: synthetic workloads only\n'
fi

# summary.json without its engine part, the only one that may differ. It comes last.
without_engine() { sed '/^  "engine": {$/,$d' "$1/summary.json"; }

for scenario in "${scenarios[@]}"; do
  for run in first second; do
    headroom run "scenarios/$scenario.json" --quiet --out "$tmp/$run" >"$tmp/$run.txt" || fail "$scenario: the $run run failed"
  done
  cmp -s "$tmp/first.txt" "$tmp/second.txt" || fail "$scenario: two runs print different tables"
  for file in jobs.csv nodes.csv timeline.csv; do
    cmp "$tmp/first/$file" "$tmp/second/$file" || fail "$scenario: two runs write different $file"
  done
  diff <(without_engine "$tmp/first") <(without_engine "$tmp/second") || fail "$scenario: two runs differ in summary.json"
  digest=$(digest_of "$tmp/first")
  [[ $digest =~ ^[0-9a-f]{16}$ ]] || fail "$scenario: \"$digest\" is no digest"

  for other in "${HEADROOM_CLANG_BINARY-}" "${HEADROOM_DEV_BINARY-}"; do
    [[ -n $other ]] || continue
    if [[ ! -x $other ]]; then
      fail "no build at $other"
      continue
    fi
    "$other" run "scenarios/$scenario.json" --quiet --out "$tmp/other" >/dev/null || fail "$scenario: $other failed"
    for file in jobs.csv nodes.csv timeline.csv; do
      cmp "$tmp/first/$file" "$tmp/other/$file" || fail "$scenario: $other writes another $file"
    done
    found=$(digest_of "$tmp/other")
    [[ $found == "$digest" ]] || fail "$scenario: digest $found from $other, $digest from $binary"
  done
done

# Boot times are random, and so are the jobs of a generator: both hang on the seed.
for scenario in tutorial lublin-on-pcs; do
  for seed in 1 2; do
    headroom run "scenarios/$scenario.json" --quiet --seed "$seed" --max-jobs 200 --out "$tmp/seed$seed" >/dev/null ||
      fail "$scenario with seed $seed failed"
  done
  [[ $(digest_of "$tmp/seed1") != "$(digest_of "$tmp/seed2")" ]] || fail "$scenario: the seed changes nothing"
done
finish
