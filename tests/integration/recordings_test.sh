#!/usr/bin/env bash
# Every recording of a real slurmctld in tests/data/recorded, replayed: each job is exact and each reason agrees, but
# for those that recordings.txt lists, with how much agrees there and why. A recording that gets worse fails the test,
# and one that gets better, too: then its line is to be changed, or to go.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

least_reasons=2090 # of all recordings together, so that the list cannot grow unnoticed

listed=$tests/recordings.txt
for file in tests/data/recorded/*.json; do
  name=$(basename "$file" .json)
  [[ $name != handmade.* ]] || continue # slurm_check_test.sh
  status=0
  timeout 60 "$binary" check --slurm-run "$file" --format json >"$tmp/$name.json" 2>"$tmp/err" || status=$?
  ((status <= 1)) || fail "$name: exit status $status: $(cat "$tmp/err")"
done
python3 - "$listed" "$least_reasons" "$tmp"/*.json <<'PYTHON' || fail "the recordings are not met as they were"
import json, os, sys

listed = {}
for line in open(sys.argv[1]):
    if line.strip() and not line.startswith("#"):
        name, exact, reasons, why = line.split(None, 3)
        listed[name] = (exact, reasons, why.strip())
bad = agreeing = 0
for file in sys.argv[3:]:
    name = os.path.basename(file).split(".")[0]
    report = json.load(open(file))
    runs = report["runs"]
    said = [run["reasons"] for run in runs if "reasons" in run]
    jobs, exact = (sum(run[key] for run in runs) for key in ("jobs", "exact"))
    compared, same = (sum(each[key] for each in said) for key in ("compared", "same"))
    agreeing += same
    found = (f"{exact}/{jobs}", f"{same}/{compared}")
    expected = listed.pop(name, (f"{jobs}/{jobs}", f"{compared}/{compared}"))[:2]
    complete = found == (f"{jobs}/{jobs}", f"{compared}/{compared}")
    if complete and not report["passed"]:
        print(f"{name}: all agrees, but a tolerance is missed")
        bad += 1
    if found == expected:
        continue
    bad += 1
    print(f"{name}: exact jobs {found[0]}, expected {expected[0]}; reasons {found[1]}, expected {expected[1]}"
          + ("; it agrees now: take it off the list" if complete else ""))
    for run in runs:
        for difference in run["differences"]:
            print("  {job}: expected {expected}; happened {happened}; {why}".format(**difference))
    for each in said:
        for difference in each["differences"]:
            print(f"  {difference}")
for name in listed:
    print(f"{name}: listed, but there is no such recording")
    bad += 1
print(f"{len(sys.argv) - 3} recordings, {agreeing} reasons agree")
if len(sys.argv) - 3 < 55 or agreeing < int(sys.argv[2]):
    print(f"expected at least 55 recordings and {sys.argv[2]} reasons")
    bad += 1
sys.exit(bad > 0)
PYTHON
finish
