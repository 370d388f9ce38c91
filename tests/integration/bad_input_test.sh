#!/usr/bin/env bash
# What is wrong is said once, with its name, and with the right exit status; nothing half-written stays behind.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# expect STATUS TEXT COMMAND...: exit status, a fixed text that stderr must hold, and at most 4 lines there.
expect() {
  local status=$1 text=$2 found=0 lines
  shift 2
  "$@" >"$tmp/stdout" 2>"$tmp/stderr" || found=$?
  ((found == status)) || fail "$*: exit status $found, expected $status: $(head -c 300 "$tmp/stderr")"
  grep -qF -- "$text" "$tmp/stderr" || fail "$*: stderr does not say \"$text\": $(head -c 300 "$tmp/stderr")"
  lines=$(wc -l <"$tmp/stderr")
  ((lines >= 1 && lines <= 4)) || fail "$*: $lines lines on stderr"
  (($(wc -c <"$tmp/stderr") <= 1000)) || fail "$*: $(wc -c <"$tmp/stderr") bytes on stderr"
  [[ ! -s $tmp/stdout ]] || fail "$*: prints on stdout: $(head -c 200 "$tmp/stdout")"
  ! grep -qiE 'internal error|terminate called|Sanitizer|runtime error' "$tmp/stderr" || fail "$*: $(head -n 3 "$tmp/stderr")"
  found=$(find "$tmp" scenarios -name '*.part*')
  [[ -z $found ]] || fail "$*: left behind $found"
}

tutorial=scenarios/tutorial.json
pool=scenarios/kth-easy-pool.json
group='computeNodeGroups[compute-1]'
run=(headroom run --quiet)
run_on() { headroom run --quiet "$pool" --trace "$1"; }

# --- usage ---
expect 2 'subcommand' headroom
expect 2 'SCENARIO' headroom run
expect 2 'JOURNAL' headroom replay
expect 2 'FILE' headroom trace info
expect 2 'subcommand' headroom trace
expect 2 'one of FILE..., --policy, --slurm-run, --swarm and --theory' headroom check
expect 2 'FILE excludes --theory' headroom check "$tutorial" --theory
expect 2 '--strict requires FILE' headroom check --policy easy --strict
expect 2 'sarif is for designs' headroom check --policy easy --format sarif
expect 2 '--edition' headroom check "$tutorial" --edition 2025-01
expect 2 '--policy excludes --theory' headroom check --policy easy --theory
expect 2 '--cases is for a policy or a swarm' headroom check --theory --cases 5
expect 2 '--minutes requires --swarm' headroom check --theory --minutes 5
expect 2 '--policy excludes --swarm' headroom check --swarm --policy easy
expect 2 '--replications requires --theory' headroom check --policy easy --replications 5
expect 2 '--jobs requires --theory' headroom check --policy easy --jobs 5000
expect 2 '--run-time-factor requires --theory' headroom check --policy easy --run-time-factor 2
expect 2 'from 1000 to 10000000' headroom check --theory --jobs 10
expect 2 'from 2 to 10000' headroom check --theory --replications 1
expect 2 'from 0.01 to 100' headroom check --theory --run-time-factor 0
expect 2 'from 0.01 to 100' headroom check --theory --run-time-factor twice
expect 2 'frobnicate' headroom frobnicate
expect 2 '--frobnicate' headroom run "$tutorial" --frobnicate
expect 2 '--format' headroom run "$tutorial" --format xml
expect 2 '--max-jobs' headroom run "$tutorial" --max-jobs -3
expect 2 '--max-jobs' headroom run "$tutorial" --max-jobs many
expect 2 '--seed' headroom run "$tutorial" --seed x
expect 2 '--timeline-step' headroom run "$tutorial" --timeline-step 0
for time in -5 -1h '' 5x h 1e3 nan 1h30m 0x10 12345678901234567890 +5 .5; do
  expect 2 'expected seconds, or a duration' headroom run "$tutorial" --at "$time"
done
expect 2 '--at' headroom run "$tutorial" --at
expect 2 '--show requires --at' headroom run "$tutorial" --show queue
expect 2 'jobs not in {queue,nodes,priority,shares,operations,network}' headroom run "$tutorial" --at 5m --show queue,jobs
expect 3 'show shares: only with scheduler.policy slurm' headroom run "$tutorial" --at 5m --show shares
expect 2 'csv is not for --at' headroom run "$tutorial" --at 5m --format csv
expect 3 'no policy "esy"' headroom run "$tutorial" --at 5m --set scheduler.policy=esy

# --- the scenario ---
expect 3 'maxInstanceCount' "${run[@]}" "$tutorial" --set "$group.scalingConfiguration.maxInstanceCuont=4"
expect 3 'found -4' "${run[@]}" "$tutorial" --set "$group.scalingConfiguration.maxInstanceCount=-4"
expect 3 'PCS-11' "${run[@]}" "$tutorial" --set "$group.scalingConfiguration.minInstanceCount=1"
expect 3 'KEY=VALUE' "${run[@]}" "$tutorial" --set nonsense
expect 3 'KEY=VALUE' "${run[@]}" "$tutorial" --set =3
expect 3 'a..b' "${run[@]}" "$tutorial" --set a..b=3
expect 3 'no-such-group' "${run[@]}" "$tutorial" --set 'computeNodeGroups[no-such-group].scalingConfiguration.maxInstanceCount=3'
expect 3 'computeNodeGroups[99]' "${run[@]}" "$tutorial" --set 'computeNodeGroups[99].scalingConfiguration.maxInstanceCount=3'
expect 3 'no policy "esy"' "${run[@]}" "$tutorial" --set scheduler.policy=esy
expect 3 'no policy "esy"' headroom check --policy esy
expect 3 'policies that take it: fcfs, easy, easy-sjbf' "${run[@]}" "$tutorial" --set scheduler.policy=conservative \
  --set scheduler.order=f1
expect 3 'policies that take it: conservative' "${run[@]}" "$tutorial" --set scheduler.compression=false
expect 3 'wfp3' "${run[@]}" "$tutorial" --set scheduler.order=wfp
expect 3 'scheduler.slurm: not with policy "easy"; policies that take it: slurm' "${run[@]}" "$tutorial" \
  --set scheduler.slurm.KillWait=5
expect 3 'scaler.interval: not with policy "slurm"' "${run[@]}" "$tutorial" --set scheduler.policy=slurm --set scaler.interval=5
on_slurm=("${run[@]}" "$tutorial" --set scheduler.policy=slurm)
expect 3 'did you mean "KillWait"' "${on_slurm[@]}" --set scheduler.slurm.KilWait=5
expect 3 'did you mean "bf_interval"' "${on_slurm[@]}" --set scheduler.slurm.SchedulerParameters=bf_intervall=5
expect 3 'unknown queue; known: "demo"' "${on_slurm[@]}" --set scheduler.slurmPartitions.short.MaxTime=5
expect 3 '"24.11", "25.05" or "25.11"' "${on_slurm[@]}" --set scheduler.slurmVersion=20.11
expect 3 'no job has the id "third"' "${on_slurm[@]}" --set workload.jobs[multi].dependency=afterok:third
expect 3 'is not submitted before this job' "${on_slurm[@]}" --set workload.jobs[single].dependency=afterok:multi
expect 3 'found "3-1", expected numbers' "${on_slurm[@]}" --set workload.jobs[multi].array=3-1
expect 3 'memory is no resource' "${on_slurm[@]}" --set workload.jobs[multi].memoryPerNode=100
expect 3 'no node "compute-1-9"; did you mean "compute-1-1"' "${on_slurm[@]}" \
  --set 'operations=[{"at": 1, "action": "drain", "node": "compute-1-9"}]'
expect 3 'no job has the id "third"' "${on_slurm[@]}" --set 'operations=[{"at": 1, "action": "cancel", "job": "third"}]'
expect 3 'faults[0].at: missing' "${on_slurm[@]}" --set 'faults=[{"fault": "node-lost", "node": "compute-1-1"}]'
expect 3 'at most 65536 nodes' "${run[@]}" "$pool" --set scheduler.policy=slurm --set pool.processors=100000
expect 3 'only together with trace' "${run[@]}" "$tutorial" --set workload.filter.requestedTime=run-time
expect 3 'did you mean "c6i.xlarge"' "${run[@]}" "$tutorial" --set "$group.instanceConfigs[0].instanceType=c6i.xlrge"
expect 3 'nowhere-1' "${run[@]}" "$tutorial" --set region=nowhere-1
expect 3 'hpc6a.48xlarge' "${run[@]}" "$tutorial" --set "$group.instanceConfigs[0].instanceType=hpc6a.48xlarge"
expect 3 'no-such-type' headroom catalog no-such-type
expect 3 'scenarios: is a directory' "${run[@]}" scenarios
expect 3 "$tmp/none.json" "${run[@]}" "$tmp/none.json"
expect 3 '/dev/null' "${run[@]}" /dev/null
head -c 300 "$tutorial" >"$tmp/cut.json"
expect 3 "$tmp/cut.json" "${run[@]}" "$tmp/cut.json"
head -c 50000 "$binary" >"$tmp/garbage"
expect 3 "$tmp/garbage" "${run[@]}" "$tmp/garbage"
sed 's/"seed": 1,/"seed": 1, "seed": 2,/' "$tutorial" >"$tmp/twice.json"
expect 3 'seed' "${run[@]}" "$tmp/twice.json"
head -c 100000 /dev/zero | tr '\0' '[' >"$tmp/deep.json"
expect 3 "$tmp/deep.json" "${run[@]}" "$tmp/deep.json"
head -c 20000000 /dev/zero | tr '\0' ' ' >"$tmp/large.json"
expect 3 "$tmp/large.json" "${run[@]}" "$tmp/large.json"

# --- the log ---
awk 'BEGIN {
  print "; MaxProcs: 64"
  for (i = 1; i <= 20000; i++) print i, i * 10, -1, (i * 7919) % 5000 + 1, i % 64 + 1, -1, -1, i % 64 + 1, 5000, -1, 1, i % 9, 1, -1, 1, -1, -1, -1
}' >"$tmp/log.swf"
zstd -qc "$tmp/log.swf" | head -c 50000 >"$tmp/cut.swf.zst"
gzip -c "$tmp/log.swf" | head -c 50000 >"$tmp/cut.swf.gz"
zstd -qc "$tmp/log.swf" | { head -c 20000; head -c 100 /dev/zero; } >"$tmp/bad.swf.zst"
xz -c "$tmp/cut.json" >"$tmp/log.swf.xz" 2>/dev/null || printf '\xfd7zXZ\0' >"$tmp/log.swf.xz"
: >"$tmp/empty.swf"
: | zstd -qc >"$tmp/empty.swf.zst"
printf '; MaxProcs: 64\n;\n\n; nothing else\n' >"$tmp/comments.swf"
printf '1 0 -1 10 1\n' >"$tmp/few.swf"
printf '1 0 -1 ten 1 -1 -1 1 10 -1 1 1 1 -1 1 -1 -1 -1\n' >"$tmp/words.swf"
printf '1 0 -1 1e30 1 -1 -1 1 10 -1 1 1 1 -1 1 -1 -1 -1\n' >"$tmp/huge.swf"
printf '1 0 -1 -1 1 -1 -1 1 10 -1 1 1 1 -1 1 -1 -1 -1\n' >"$tmp/nothing-left.swf"
head -c 200000000 /dev/zero | zstd -qc >"$tmp/zeros.swf.zst"
expect 3 "$tmp/cut.swf.zst: zstd data ends early" run_on "$tmp/cut.swf.zst"
expect 3 "$tmp/cut.swf.gz: gzip data ends early" run_on "$tmp/cut.swf.gz"
expect 3 "$tmp/bad.swf.zst" run_on "$tmp/bad.swf.zst"
expect 3 "$tmp/log.swf.xz: is compressed with xz" run_on "$tmp/log.swf.xz"
expect 3 "$tmp/empty.swf: no jobs" run_on "$tmp/empty.swf"
expect 3 "$tmp/empty.swf.zst: no jobs" run_on "$tmp/empty.swf.zst"
expect 3 "$tmp/comments.swf: no jobs" run_on "$tmp/comments.swf"
expect 3 "$tmp/few.swf:1: found 5 fields" run_on "$tmp/few.swf"
expect 3 "$tmp/words.swf:1: field 4 (run time): found \"ten\"" run_on "$tmp/words.swf"
expect 3 "$tmp/huge.swf:1: field 4" run_on "$tmp/huge.swf"
expect 3 "$tmp/nothing-left.swf: no jobs left" run_on "$tmp/nothing-left.swf"
expect 3 "$tmp/garbage:1: field 1" run_on "$tmp/garbage"
expect 3 "$tmp/zeros.swf.zst:1: line longer than 1 MiB" run_on "$tmp/zeros.swf.zst"
expect 3 ':1: line longer than 1 MiB' run_on - < <(head -c 200000000 /dev/zero | tr '\0' x)
expect 3 'no jobs' run_on - </dev/null
expect 3 "$tmp: is a directory" run_on "$tmp"
expect 3 'no-such.swf' run_on "$tmp/no-such.swf"
expect 3 'no log "no-such.swf"' run_on no-such.swf
expect 3 "$tmp/zeros.swf.zst:1" headroom trace info "$tmp/zeros.swf.zst"
expect 3 "$tmp: is a directory" headroom trace info "$tmp"
expect 3 "$tmp/empty.swf" headroom trace info "$tmp/empty.swf"

# --- where results go ---
: >"$tmp/file"
expect 4 "$tmp/file" "${run[@]}" "$tutorial" --out "$tmp/file"
expect 4 "$tmp/file/below" "${run[@]}" "$tutorial" --out "$tmp/file/below"
expect 4 "$tmp/file/below" "${run[@]}" "$tutorial" --journal "$tmp/file/below"
expect 4 "$tmp" "${run[@]}" "$tutorial" --journal "$tmp"
mkdir -p "$tmp/taken/jobs.csv"
expect 4 "$tmp/taken/jobs.csv" "${run[@]}" "$tutorial" --out "$tmp/taken"
[[ ! -e $tmp/taken/summary.json ]] || fail "summary.json is there although jobs.csv could not be written"
# A run that fails leaves an older journal as it was.
printf 'older' >"$tmp/older.hrj"
expect 3 "$tmp/cut.swf.zst" headroom run --quiet "$pool" --trace "$tmp/cut.swf.zst" --journal "$tmp/older.hrj"
[[ $(<"$tmp/older.hrj") == older ]] || fail "a run that failed overwrote the journal of another"

to_full() { "$@" >/dev/full; }
expect 4 'stdout' to_full "${run[@]}" "$tutorial"
expect 4 'stdout' to_full "${run[@]}" "$tutorial" --format json
expect 4 'stdout' to_full "${run[@]}" "$tutorial" --at 5m
expect 4 'stdout' to_full headroom catalog
expect 4 'stdout' to_full headroom trace info "$tmp/log.swf"

# --- a job wider than every group is rejected; the others run ---
headroom run tests/golden/wide-job-rejected/wide.json --quiet --out "$tmp/wide" >/dev/null || fail "a wide job stops the run"
grep -q '^too-many-nodes,.*,REJECTED,' "$tmp/wide/jobs.csv" || fail "a job over more nodes than there are is not rejected"
grep -q '^too-many-cores,.*,REJECTED,' "$tmp/wide/jobs.csv" || fail "a job over more cores than a node has is not rejected"
grep -q '^fits,.*,COMPLETED,' "$tmp/wide/jobs.csv" || fail "the job that fits does not complete"
finish
