#!/usr/bin/env bash
# A run that is interrupted says so, exits with 5, and leaves whole files of what happened so far.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Some seconds of simulation; the workload is made before the first step.
long=(run scenarios/lublin-on-pcs.json --set workload.jobCount=1000000 --timeline-step 86400)

# At several places: the core may or may not have something to do at a later time.
for case in 'INT 200000' 'TERM 350000' 'INT 500000' 'TERM 800000'; do
  read -r signal bytes <<<"$case"
  rm -rf "$tmp/out"
  # Jobs in the background of a script ignore SIGINT, and a program cannot tell: python starts it with the default.
  python3 - "$signal" "$bytes" "$tmp" "$binary" "${long[@]}" --out "$tmp/out" --journal "$tmp/journal.hrj" <<'PYTHON' || fail "SIG$signal"
import os, signal, subprocess, sys, time
name, size, tmp, command = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
signal.signal(signal.SIGINT, signal.default_int_handler)
with open(f"{tmp}/stdout", "w") as out, open(f"{tmp}/stderr", "w") as err:
    process = subprocess.Popen(command, stdout=out, stderr=err)
    # The journal grows once the simulation is under way: before that a signal ends the program as usual.
    part = f"{tmp}/journal.hrj.part{process.pid}"
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        if os.path.exists(part) and os.path.getsize(part) > size:
            break
        time.sleep(0.01)
    process.send_signal(getattr(signal, "SIG" + name))
    try:
        status = process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        sys.exit("  still running a minute after the signal")
if status != 5:
    sys.exit(f"  exit status {status}, expected 5")
PYTHON
  grep -q interrupted "$tmp/stderr" || fail "SIG$signal: nothing on stderr says that the run was interrupted"
  grep -q interrupted "$tmp/stdout" || fail "SIG$signal: the table does not say that the run was interrupted"
  python3 - "$tmp/out" <<'PYTHON' || fail "SIG$signal: the files"
import csv, json, sys
folder = sys.argv[1]
summary = json.load(open(f"{folder}/summary.json"))
assert summary["interrupted"] is True, "summary.json does not say interrupted"
jobs = summary["jobs"]
assert 0 < jobs["submitted"] < 1_000_000, jobs
for name in "jobs.csv", "nodes.csv", "timeline.csv":
    with open(f"{folder}/{name}", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) > 1 and len({len(row) for row in rows}) == 1, f"{name} is not whole"
    if name == "jobs.csv":
        assert len(rows) - 1 == jobs["submitted"], (len(rows) - 1, jobs)
final = sum(jobs[k] for k in ("completed", "failed", "timed_out", "cancelled", "rejected", "unfinished"))
assert final == jobs["submitted"], jobs
PYTHON
  # The journal ends where the run was cut, so its replay agrees up to there.
  headroom replay "$tmp/journal.hrj" >"$tmp/replay" 2>&1 || fail "SIG$signal after $bytes bytes: replay: $(head -c 500 "$tmp/replay")"
  for file in "$tmp"/*.part* "$tmp"/out/*.part*; do
    [[ ! -e $file ]] || fail "SIG$signal: ${file##*/} was left behind"
  done
done

# While the log is still being read there is nothing to write yet, and nothing may stay behind.
mkdir "$tmp/early"
python3 - "$tmp/early" "$binary" <<'PYTHON' || fail "SIGINT while the log is read"
import os, signal, subprocess, sys, time
folder, binary = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)
process = subprocess.Popen([binary, "run", "scenarios/kth-easy-pool.json", "--trace", "-", "--out", f"{folder}/out",
                            "--journal", f"{folder}/journal.hrj"], stdin=subprocess.PIPE,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
process.stdin.write(b"; a log that does not end\n")
process.stdin.flush()
time.sleep(0.5)
process.send_signal(signal.SIGINT)
try:
    status = process.wait(20)
except subprocess.TimeoutExpired:
    process.kill()
    sys.exit("  still waiting for the log 20 s after the signal")
if status == 0:
    sys.exit("  exit status 0")
left = [name for name in os.listdir(folder) if name != "out"] + os.listdir(f"{folder}/out")  # the folder was asked for
if left:
    sys.exit(f"  left behind: {left}")
PYTHON
finish
