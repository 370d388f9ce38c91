#!/usr/bin/env bash
# `headroom check --slurm-run` on a recording made by hand: it agrees, it finds what was altered, and it refuses what is
# no recording.
#
# The recording, in its own times (slurmctld starts at -15, so the 30 s checks are at 15, 45, 75, 105):
#   a (a node), b (2 CPUs)  sent at 0.1 and 0.2, given n1 and n2 by the pass at 1; power saving resumes both at once
#   c (2 CPUs)              sent at 2, joins n2, which boots and is half free, by the pass at 4: 3 s after the last one
#   n1, n2                  register at 21.08; a, b and c start at the next check, 45; b has a minute: TIMEOUT at 105
#   d (a node)              sent at 60.3, given n1, which is up, at 61; it ends at 69.04, which makes power saving scan at
#                           70; 20 s idle are over for the scan at 92 (70, 81, 92)
#   n2                      told at 105 that b ends, so there is a scan at 105; then 116 and, 20 s idle over, 127
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

recording=tests/data/recorded/handmade.v2505x.json

# Writes the recording with changes made by Python code on `r` (all) and `run` (its run); prints the file's name.
altered() { # NAME CODE
  python3 - "$recording" "$tmp/$1" "$2" <<'PYTHON' || fail "$1: could not be made"
import json, sys
r = json.load(open(sys.argv[1]))
run = r["runs"][0]
jobs = {job["id"]: job for job in run["jobs"]}
nodes = run["nodes"]
exec(sys.argv[3])
json.dump(r, open(sys.argv[2], "w"))
PYTHON
}
check() { # FILE STATUS TEXT...: runs the check; its output has to hold each text
  local file=$1 expected=$2 status=0 text
  shift 2
  timeout 60 "$binary" check --slurm-run "$file" >"$tmp/out" 2>&1 || status=$?
  ((status == expected)) || fail "${file##*/}: exit status $status, expected $expected: $(head -n 5 "$tmp/out")"
  for text; do
    grep -qF -- "$text" "$tmp/out" || fail "${file##*/}: does not say \"$text\": $(cat "$tmp/out")"
  done
}

check "$recording" 0 "kept" "4 of 4 (100.0 %)"
if grep -q MISSED "$tmp/out"; then fail "the recording is not met: $(cat "$tmp/out")"; fi
headroom check --slurm-run "$recording" --format json >"$tmp/json" || fail "--format json: exit status $?"
python3 - "$tmp/json" <<'PYTHON' || fail "--format json does not say that all agree"
import json, sys
report = json.load(open(sys.argv[1]))
run, = report["runs"]
assert report["passed"] and run["clock"] == "exact" and run["jobs"] == run["exact"] == 4, report
assert run["differences"] == [] and run["power_unmatched"] == 0 and run["power_error"]["count"] == 4, run
assert all(t["kept"] for t in report["tolerances"]), report
PYTHON

# --- what was altered is found: which job, what was expected, what happened (in the recording's own times) ---

altered nodes.v2505x.json 'jobs["c"]["alloc"][0][2] = "n1"'
check "$tmp/nodes.v2505x.json" 1 "first difference at c" "c          expected 4.000 n1, start 45, COMPLETED" \
  "happened 4.000 n2, start 45, COMPLETED" "not explained" "MISSED" "3 of 4 (75.0 %)"
altered start.v2505x.json 'jobs["a"]["start"] = 75.0'
check "$tmp/start.v2505x.json" 1 "a          expected 1.000 n1, start 75, COMPLETED" "happened 1.000 n1, start 45" MISSED
altered alloc.v2505x.json 'jobs["d"]["alloc"][0][0] = 63.0; jobs["d"]["start"] = 63.0'
check "$tmp/alloc.v2505x.json" 1 "d          expected 63.000 n1, start 63" "happened 61.000 n1, start 61" MISSED
altered state.v2505x.json 'jobs["b"]["state"] = "COMPLETED"'
check "$tmp/state.v2505x.json" 1 "b          expected 1.000 n2, start 45, COMPLETED" "start 45, TIMEOUT" "not explained" MISSED
altered never.v2505x.json 'jobs["d"].update(alloc=[], start=None, end=None, state="CANCELLED")'
check "$tmp/never.v2505x.json" 1 "d          expected no nodes, CANCELLED" "happened 61.000 n1" MISSED
altered suspend.v2505x.json 'nodes["n1"]["events"][-1][0] -= 11'
check "$tmp/suspend.v2505x.json" 1 "MISSED" "suspend of n1: expected 81.030, happened 92.0" "3 of 4 (75.0 %)"
altered missing.v2505x.json 'nodes["n2"]["events"].append([300.03, "resume"])'
check "$tmp/missing.v2505x.json" 1 "MISSED" "resume of n2: expected 2 times, happened 1 times" "1 missing"

# A job that waits for what never comes ends the run all the same.
altered waits.v2505x.json 'r["input"]["jobs"][3]["dependency"] = "afternotok:a"'
check "$tmp/waits.v2505x.json" 1 "d          expected 61.000 n1, start 61, COMPLETED" "happened no nodes, PENDING" MISSED

# A job that still ran when the recorder left.
altered running.v2505x.json 'jobs["d"].update(state="RUNNING", end=None)'
check "$tmp/running.v2505x.json" 0 "4 of 4 (100.0 %)"

# What slurmctld refused did not happen.
altered requeue.v2505x.json 'run["events"] = [{"t": 50.0, "event": "scontrol", "args": ["requeue", "a"], "rc": 0}]'
check "$tmp/requeue.v2505x.json" 1 "first difference at a" MISSED
altered refused.v2505x.json 'run["events"] = [{"t": 50.0, "event": "scontrol", "args": ["requeue", "a"], "rc": 1}]'
check "$tmp/refused.v2505x.json" 0 "4 of 4 (100.0 %)"

# Tasks of an array that never started are one record.
altered tasks.v2505x.json '
r["input"]["jobs"].append({"id": "e", "submit_s": 62, "runtime_s": 5, "array": "0-3%2", "hold": True, "ntasks": 1})
record = {k: None for k in jobs["d"]} | {"id": "e[0-3%2]", "state": "PENDING", "submit_done": 62.0, "alloc": [], "attempts": []}
run["jobs"].append(record)'
check "$tmp/tasks.v2505x.json" 0 "8 of 8 (100.0 %)"

# How many nodes a minute may change their power depends on a clock that no record tells; any phase of it is allowed.
altered tokens.v2505x.json 'run["slurm_conf"] = run["slurm_conf"].replace("ResumeRate=0", "ResumeRate=6")'
check "$tmp/tokens.v2505x.json" 1 "it is chosen as agrees best"

# Several files are judged together.
status=0
headroom check --slurm-run "$recording" "$tmp/nodes.v2505x.json" >"$tmp/out" 2>&1 || status=$?
((status == 1)) || fail "two files, one of them altered: exit status $status"
grep -qF "7 of 8 (87.5 %)" "$tmp/out" || fail "two files: $(cat "$tmp/out")"

# --- bad input: exit status 3, the file and where in it ---

bad() { # NAME CODE TEXT...
  local name=$1
  altered "$name" "$2"
  shift 2
  check "$tmp/$name" 3 "$tmp/$name: " "$@"
}
printf 'no recording\n' >"$tmp/text.json"
check "$tmp/text.json" 3 "$tmp/text.json: not JSON"
head -c 1000 "$recording" >"$tmp/short.json"
check "$tmp/short.json" 3 "$tmp/short.json: not JSON"
printf '[]\n' >"$tmp/array.json"
check "$tmp/array.json" 3 "a recorded run was expected"
check "$tmp/absent.json" 3 "$tmp/absent.json"
bad schema.json 'r["schema"] = "slurm-golden/2"' "a recorded run was expected" slurm-golden/1
bad no-schema.json 'del r["schema"]' "a recorded run was expected"
bad no-runs.json 'del r["runs"]' '"runs" is missing'
bad no-conf.json 'del run["slurm_conf"]' 'runs[0]: "slurm_conf" is missing'
bad no-state.json 'del run["jobs"][2]["state"]' 'runs[0].jobs[2]: "state" is missing'
bad no-runtime.json 'del r["input"]["jobs"][1]["runtime_s"]' 'input.jobs[1]: "runtime_s" is missing'
bad no-job.json 'del run["jobs"][3]' "runs[0].jobs: no job d"
bad type.json 'jobs["a"]["submit_done"] = "soon"' "runs[0].jobs[0].submit_done: a number was expected"
bad count.json 'r["input"]["jobs"][0]["nodes"] = -1' "input.jobs[0].nodes: a whole number"
bad version.json 'r["slurm_version"] = "slurm newest"' "no version of Slurm"
bad partition.json 'r["input"]["jobs"][0]["partition"] = "z"' "input.jobs[0]: no partition z"
bad node.json 'run["events"] = [{"t": 5, "event": "kill_node", "node": "n9"}]' "runs[0].events[0].node: no node n9"
bad event.json 'run["events"] = [{"t": 5, "event": "eclipse"}]' "runs[0].events[0].event: no event: eclipse"
bad scancel.json 'run["events"] = [{"t": 5, "event": "scancel", "job": "z"}]' "no job z"
bad scontrol.json 'run["events"] = [{"t": 5, "event": "scontrol", "args": ["reboot", "n1"]}]' "scontrol reboot is not followed"
bad update.json 'run["events"] = [{"t": 5, "event": "scontrol", "args": ["update", "nodename=n1", "state=fail"]}]' \
  "runs[0].events[0].args: scontrol update state=fail is not followed"
bad dependency.json 'r["input"]["jobs"][1]["dependency"] = "afterok:z"' "input.jobs[1].dependency: no job z"
bad kind.json 'r["input"]["jobs"][1]["dependency"] = "before:a"' "\"before\" is no kind of dependency"
bad conf-node.json 'run["slurm_conf"] = run["slurm_conf"].replace("Nodes=n[1-2]", "Nodes=n[1-3]")' \
  "runs[0].slurm_conf: a partition has node n3"
bad conf-cpus.json 'run["slurm_conf"] = run["slurm_conf"].replace("CPUs=4", "CPUs=0")' "has no CPUs"
bad conf-empty.json 'run["slurm_conf"] = "ClusterName=x"' "NodeName= and PartitionName= lines were expected"

# Settings that the policy does not know are told, and change nothing.
altered setting.v2505x.json 'run["slurm_conf"] += "HealthCheckProgram=/bin/true\n"'
check "$tmp/setting.v2505x.json" 0 "Settings that are not followed" "HealthCheckProgram=/bin/true is not followed"
altered gang.v2505x.json 'run["slurm_conf"] = run["slurm_conf"].replace("Default=YES", "Default=YES PreemptMode=GANG", 1)'
check "$tmp/gang.v2505x.json" 0 "Settings that are not followed" "PreemptMode=GANG found"
finish
