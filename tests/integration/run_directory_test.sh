#!/usr/bin/env bash
# What a run writes hangs together: check_run_directory.py recomputes all of it with exact arithmetic.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

check() { # SCENARIO [LOG]
  headroom run "scenarios/$1.json" --quiet --events --out "$tmp/$1" >/dev/null || fail "$1: the run failed"
  python3 "$tests/check_run_directory.py" "$binary" "scenarios/$1.json" "$tmp/$1" "${@:2}" || fail "$1"
}

check tutorial
check lublin-on-pcs
check placement-effect
check wide-efa
if log=$(trace KTH-SP2-1996-2.swf.zst); then
  check kth-on-pcs "$log"
else
  printf 'kth-on-pcs is left out: KTH-SP2-1996-2.swf.zst is in no folder of HEADROOM_TRACES\n'
fi
finish
