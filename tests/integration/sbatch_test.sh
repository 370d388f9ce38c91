#!/usr/bin/env bash
# Job scripts, submitted as a user would: docs/sbatch.md's example, a journal that needs no scripts, and what is wrong
# with scripts said by file, line and option.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

cluster=scenarios/sbatch/cluster.json
scripts=(scenarios/sbatch/{prepare,sweep,solve,nightly}.sh)

headroom run "$cluster" --out "$tmp/out" --journal "$tmp/run.hrj" --sbatch "${scripts[@]}" >"$tmp/table" 2>"$tmp/notes" ||
  fail "the scripts do not run: $(head -n 5 "$tmp/notes")"
grep -qF 'ignored, as no schedule depends on it: --mail-type, --mail-user, --output' "$tmp/notes" ||
  fail "what is ignored is not said: $(cat "$tmp/notes")"
python3 - "$tmp/out/jobs.csv" <<'PYTHON' || fail "the jobs are not those of the scripts"
import csv, sys
jobs = {row["job_id"]: row for row in csv.DictReader(open(sys.argv[1]))}
assert set(jobs) == {"prepare", "solve", "nightly.sh-1", "nightly.sh-2", "nightly.sh-3"} | {f"sweep_{n}" for n in range(12)}, jobs
assert {row["state"] for row in jobs.values()} == {"COMPLETED"}, {name: row["state"] for name, row in jobs.items()}
start = {name: float(row["start_s"]) for name, row in jobs.items()}
end = {name: float(row["end_s"]) for name, row in jobs.items()}
tasks = [f"sweep_{n}" for n in range(12)]
assert min(start[t] for t in tasks) >= end["prepare"], "afterok:prepare"
for t in tasks:
    running = sum(start[o] <= start[t] < end[o] for o in tasks)
    assert running <= 4, f"{running} tasks run at {start[t]}, %4 allows 4"
assert start["nightly.sh-2"] >= 2 * 3600 + 3600, "every 2 h, --begin an hour later"
assert jobs["solve"]["user"] == "bob" and jobs["prepare"]["user"] == "ann"
PYTHON
mkdir "$tmp/elsewhere"
(cd "$tmp/elsewhere" && headroom replay ../run.hrj >/dev/null) || fail "replay without the scripts"
headroom run "$cluster" --format json --quiet --sbatch "${scripts[@]}" >"$tmp/again.json" 2>"$tmp/quiet" || fail "the second run"
[[ ! -s $tmp/quiet ]] || fail "--quiet says: $(cat "$tmp/quiet")"
python3 - "$tmp/again.json" "$(digest_of "$tmp/out")" <<'PYTHON' || fail "two runs have two digests"
import json, sys
assert json.load(open(sys.argv[1]))["digest"] == sys.argv[2]
PYTHON

# Scripts come on top of a scenario's own jobs; other policies take what they know.
cp scenarios/tutorial.json "$tmp/tutorial.json"
printf '#!/bin/sh\n#SBATCH -N 2 --time=5 -o log\n#HEADROOM runTime=90 submit=1m\nhostname\n' >"$tmp/two.sh"
headroom run "$tmp/tutorial.json" --quiet --out "$tmp/both" --sbatch "$tmp/two.sh" >/dev/null || fail "together with jobs"
for job in two.sh single multi; do
  grep -q "^$job," "$tmp/both/jobs.csv" || fail "$job is not among the jobs: $(cut -d, -f1 "$tmp/both/jobs.csv")"
done
headroom run "$cluster" --sbatch "$tmp/two.sh" --at 2m --show queue >"$tmp/queue" 2>/dev/null || fail "--at"
grep -q 'two.sh' "$tmp/queue" || fail "squeue does not show it: $(cat "$tmp/queue")"

# A script that gives its time limit only.
printf '#!/bin/sh\n#SBATCH -t 5\nhostname\n#SBATCH -N 3\n' >"$tmp/limit.sh"
headroom run "$cluster" --sbatch "$tmp/limit.sh" >/dev/null 2>"$tmp/notes" || fail "without a run time"
grep -qF "$tmp/limit.sh: no #HEADROOM runTime; the job is taken to run for its time limit, 300 s" "$tmp/notes" ||
  fail "no warning: $(cat "$tmp/notes")"
grep -qF "$tmp/limit.sh:4: #SBATCH after the first command (line 3) is a comment" "$tmp/notes" || fail "nor one of line 4"

# wrong STATUS TEXT BODY: a script with this body is refused with this text.
wrong() {
  local status=$1 text=$2 found=0
  printf '%b' "$3" >"$tmp/bad.sh"
  headroom run "$cluster" --out "$tmp/never" --sbatch "$tmp/bad.sh" >"$tmp/stdout" 2>"$tmp/stderr" || found=$?
  ((found == status)) || fail "$3: exit status $found, expected $status"
  grep -qF -- "$text" "$tmp/stderr" || fail "$3: stderr does not say \"$text\": $(head -n 3 "$tmp/stderr")"
  [[ ! -s $tmp/stdout ]] || fail "$3: prints on stdout"
  [[ ! -e $tmp/never/jobs.csv ]] || fail "$3: leaves results behind"
}
note='#HEADROOM runTime=1m\n'
wrong 3 "bad.sh:1: is empty" ''
wrong 3 "bad.sh:1: does not look like a batch script" 'hostname\n'
wrong 3 "bad.sh:1: has DOS line breaks" '#!/bin/sh\r\nhostname\r\n'
wrong 3 "bad.sh:1: nothing says how long the job runs" '#!/bin/sh\nhostname\n'
wrong 3 'bad.sh:3: #SBATCH: "--ntask-per-node" is no option of sbatch; did you mean "ntasks-per-node"?' "#!/bin/sh\n$note#SBATCH --ntask-per-node=2\n"
wrong 3 "bad.sh:3: --nodefile: is not followed" "#!/bin/sh\n$note#SBATCH -F nodes.txt\n"
wrong 3 "bad.sh:3: --time: found \"soon\"" "#!/bin/sh\n$note#SBATCH --time=soon\n"
wrong 3 'bad.sh:4: workload.jobs[0].queue: unknown queue "fast"; known: "compute"' "#!/bin/sh\n$note\n#SBATCH -p fast\n"
wrong 3 'bad.sh:3: workload.jobs[0].dependency: no job has the id "17"' "#!/bin/sh\n$note#SBATCH -d afterok:17\n"
wrong 3 'bad.sh:2: #HEADROOM runtime: unknown word; did you mean "runTime"?' '#!/bin/sh\n#HEADROOM runtime=1m\n#SBATCH -t 5\n'
wrong 3 'bad.sh:1: job "bad.sh": found 9 tasks on 2 nodes' "#!/bin/sh\n$note#SBATCH -N 2 -n 9 --ntasks-per-node=2\n"
headroom run "$cluster" --sbatch "$tmp/absent.sh" >/dev/null 2>"$tmp/stderr" && fail "a script that is not there"
grep -qF 'absent.sh' "$tmp/stderr" || fail "its name is not said"
headroom run "$cluster" --sbatch "$tmp/two.sh" --trace x.swf >/dev/null 2>"$tmp/stderr"
(($? == 2)) || fail "--sbatch with --trace is no usage error"
headroom run scenarios/kth-easy-pool.json --sbatch "$tmp/two.sh" >/dev/null 2>"$tmp/stderr"
(($? == 3)) || fail "--sbatch on top of a log is taken"
grep -qF 'workload.trace: not together with --sbatch' "$tmp/stderr" || fail "the log is not named: $(cat "$tmp/stderr")"
headroom run "$cluster" >/dev/null 2>"$tmp/stderr"
(($? == 3)) || fail "a scenario without a workload runs"

# The shell completes it.
for shell in bash fish; do
  headroom completion "$shell" >"$tmp/completion" || fail "completion $shell"
  grep -q 'sbatch' "$tmp/completion" || fail "$shell does not complete --sbatch"
done
finish
