#!/usr/bin/env bash
# EASY on the KTH and CTC logs gives the mean bounded slowdown of an independent simulator in the set-up of Gaussier et
# al. (SC'15), and the wait of every single job.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kth=KTH-SP2-1996-2
ctc=CTC-SP2-1996-3.1-cln
trace "$kth.swf.zst" >/dev/null || skip "needs $kth.swf.zst in a folder of HEADROOM_TRACES"
trace "$ctc.swf.zst" >/dev/null || skip "needs $ctc.swf.zst in a folder of HEADROOM_TRACES"

for case in "kth-easy-pool $kth 28481 92.5765397336" "ctc-easy-pool $ctc 77199 49.5712902190"; do
  read -r scenario log jobs slowdown <<<"$case"
  expected=${HEADROOM_SHARED-}/data/expected/$log.easy.txt.zst
  if ! headroom run "scenarios/$scenario.json" --quiet --format json --out "$tmp/$scenario" >"$tmp/summary.json"; then
    fail "$scenario: the run failed"
    continue
  fi
  if [[ -n ${HEADROOM_SHARED-} && -r $expected ]]; then
    zstd -dcq -- "$expected" >"$tmp/expected.txt"
  else
    printf '%s: waits of single jobs are not compared: no expected data in HEADROOM_SHARED\n' "$log"
    rm -f "$tmp/expected.txt"
  fi
  python3 - "$tmp" "$scenario" "$jobs" "$slowdown" <<'PYTHON' || fail "$scenario"
import csv, json, os, sys
folder, scenario, jobs, slowdown = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
summary = json.load(open(f"{folder}/summary.json"))
found = summary["bounded_slowdown"]["mean"]
errors = []
if abs(found - slowdown) > 1e-7:
    errors.append(f"bounded_slowdown.mean is {found}, published {slowdown}")
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
print(f"{scenario}: mean bounded slowdown {found if not compared else summary['bounded_slowdown']['mean']}, "
      f"{compared} jobs compared one by one, {len(errors)} errors")
sys.exit(bool(errors))
PYTHON
done
finish
