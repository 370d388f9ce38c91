#!/usr/bin/env bash
# EASY, EASY-SJBF and EASY++ on the KTH and CTC logs, with requested times and with perfect estimates, give the mean bounded
# slowdowns published by Gaussier et al. (SC'15), and the mean waits and the worst slowdowns of an independent simulator
# in their set-up; under EASY, the wait of every single job.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kth=KTH-SP2-1996-2
ctc=CTC-SP2-1996-3.1-cln
trace "$kth.swf.zst" >/dev/null || skip "needs $kth.swf.zst in a folder of HEADROOM_TRACES"
trace "$ctc.swf.zst" >/dev/null || skip "needs $ctc.swf.zst in a folder of HEADROOM_TRACES"

while read -r scenario log jobs slowdown wait worst; do
  expected=${HEADROOM_SHARED-}/data/expected/$log.easy.txt.zst
  [[ $scenario == *-easy-pool ]] || expected=
  if ! headroom run "scenarios/$scenario.json" --quiet --format json --out "$tmp/$scenario" >"$tmp/summary.json"; then
    fail "$scenario: the run failed"
    continue
  fi
  rm -f "$tmp/expected.txt"
  if [[ -n ${HEADROOM_SHARED-} && -r $expected ]]; then
    zstd -dcq -- "$expected" >"$tmp/expected.txt"
  elif [[ -n $expected ]]; then
    printf '%s: waits of single jobs are not compared: no expected data in HEADROOM_SHARED\n' "$log"
  fi
  python3 - "$tmp" "$scenario" "$jobs" "$slowdown" "$wait" "$worst" <<'PYTHON' || fail "$scenario"
import csv, json, os, sys
folder, scenario, jobs = sys.argv[1], sys.argv[2], int(sys.argv[3])
summary = json.load(open(f"{folder}/summary.json"))
slowdown = summary["bounded_slowdown"]
errors = []
for name, found, expected, digits in (("bounded_slowdown.mean", slowdown["mean"], sys.argv[4], 10),
                                      ("wait_s.mean", summary["wait_s"]["mean"], sys.argv[5], 4),
                                      ("bounded_slowdown.max", slowdown["max"], sys.argv[6], 1)):
    if expected != "-" and f"{found:.{digits}f}" != expected:
        errors.append(f"{name} is {found}, expected {expected}")
if summary["jobs"]["submitted"] != jobs:
    errors.append(f"{summary['jobs']['submitted']} jobs, expected {jobs}")
with open(f"{folder}/{scenario}/jobs.csv", newline="") as file:
    rows = {row["job_id"]: row for row in csv.DictReader(file)}
if len(rows) != jobs:
    errors.append(f"{len(rows)} jobs in jobs.csv, expected {jobs}")
compared = 0
if os.path.exists(f"{folder}/expected.txt"):
    for line in open(f"{folder}/expected.txt"):
        if line.startswith("#"):
            continue
        job, submit, wait, run, processors = line.split()
        row = rows.pop(job, None)
        compared += 1
        found = row and tuple(row[c] for c in ("submit_s", "wait_s", "run_s", "cpus"))
        if found != (submit, wait, run, processors):
            errors.append(f"job {job}: submit, wait, run, processors {found}, expected {submit, wait, run, processors}")
    if rows:
        errors.append(f"jobs that the expected data does not have: {', '.join(list(rows)[:5])}, ...")
for error in errors[:10]:
    print("  " + error)
print(f"{scenario}: mean bounded slowdown {slowdown['mean']}, {compared} jobs compared one by one, {len(errors)} errors")
sys.exit(bool(errors))
PYTHON
done < <(grep -v "^#" "$(dirname "$0")/published_results.txt")
finish
