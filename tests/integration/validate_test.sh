#!/usr/bin/env bash
# headroom validate with mpirun on this machine, and on recorded files: verdicts, exit statuses, files, interruption.
# Skipped where there is no MPI.
# shellcheck source-path=SCRIPTDIR source=validate_lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/validate_lib.sh"
need_mpi

# Shared memory on this host passes.
run 0 shm.json --hosts localhost --expect shm --format json --max-bytes 1048576 --junit "$tmp/junit.xml" \
  --heat-map "$tmp/map.svg" --out "$tmp/shm"
verdicts shm.json completed=PASS no-hang=PASS one-host=PASS layout=PASS provider=PASS payload=PASS latency=INCONCLUSIVE
for file in hello.json hello.log pingpong.json allpairs.json allreduce.json validation.json; do
  [[ -s $tmp/shm/$file ]] || fail "--out has no $file"
done
cmp -s "$tmp/shm.json" "$tmp/shm/validation.json" || fail 'validation.json is not what --format json prints'
for file in junit.xml map.svg; do
  python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$tmp/$file" || fail "$file is not well formed"
done
grep -q 'tests="9" failures="0"' "$tmp/junit.xml" || fail 'junit.xml does not count 9 requirements without a failure'

# What the programs wrote can be judged again, without an MPI; a limit that nothing meets fails.
run 0 again.json --from "$tmp"/shm/{hello,pingpong,allpairs,allreduce}.{json,log} --expect shm --format json
verdicts again.json one-host=PASS provider=PASS
run 1 strict.json --from "$tmp"/shm/{hello,pingpong,allpairs,allreduce}.{json,log} --expect shm --format json --max-latency-us 0.001
verdicts strict.json latency=FAIL

# The same files do not show two hosts, whatever is expected of them.
run 1 tcp.json --from "$tmp"/shm/{hello,pingpong,allpairs,allreduce}.{json,log} --expect tcp --format json
verdicts tcp.json distinct-hosts=FAIL plausible=INCONCLUSIVE

# There is no EFA here: it does not pass, and says why.
if [[ ! -d /sys/class/infiniband || -z $(ls -A /sys/class/infiniband) ]]; then
  run 1 efa.json --hosts localhost --format json
  verdicts efa.json completed=FAIL provider=FAIL interfaces=FAIL distinct-hosts=FAIL
  says efa.json provider 'libfabric offers Open MPI no provider'
  run 1 as-is.json --hosts localhost --as-is --format json --max-bytes 65536
  verdicts as-is.json completed=PASS provider=FAIL interfaces=FAIL
fi

# Wrong bytes on the way.
HEADROOM_MPI_FAULT=corrupt:0 run 1 corrupt.json --hosts localhost --expect shm --format json --max-bytes 65536 --tests hello,pingpong
verdicts corrupt.json payload=FAIL no-hang=PASS

# A message that never arrives ends with the watch of the programs, well before the time limit.
HEADROOM_MPI_FAULT=mute:0-1 run 1 mute.json --hosts localhost --expect shm --format json --tests hello,pingpong --timeout 8s
verdicts mute.json no-hang=FAIL

# An mpirun that hangs is cut off, with what it started.
cat >"$tmp/mpirun" <<'EOF'
#!/bin/sh
[ "$1" = --version ] && { echo 'mpirun (Open MPI) 4.1.4'; exit 0; }
setsid sh -c 'echo $$ >"$HANG_PID"; exec sleep 1000' &
exec sleep 1000
EOF
chmod +x "$tmp/mpirun"
HANG_PID=$tmp/pid run 1 hang.json --hosts localhost --mpirun "$tmp/mpirun" --expect shm --format json --timeout 2s
verdicts hang.json no-hang=FAIL
says hang.json no-hang 'not even started'
kill -0 "$(cat "$tmp/pid")" 2>/dev/null && fail 'a process is left of an mpirun that hung'

# An interruption ends the ranks and judges what there is.
HANG_PID=$tmp/pid2 "$binary" validate --hosts localhost --mpirun "$tmp/mpirun" --expect shm --quiet >"$tmp/interrupted" 2>"$tmp/stderr" &
pid=$!
for _ in $(seq 100); do [[ -s $tmp/pid2 ]] && break; sleep 0.1; done
kill -INT "$pid"
wait "$pid"
[[ $? == 5 ]] || fail 'an interrupted validation does not end with 5'
grep -q interrupted "$tmp/stderr" || fail 'an interrupted validation does not say so'
kill -0 "$(cat "$tmp/pid2")" 2>/dev/null && fail 'a process is left of an interrupted validation'

# A machine on which nothing can be started is no verdict.
run 4 none --hosts localhost --mpirun "$tmp/no-such-mpirun" --expect shm
grep -q 'cannot be started' "$tmp/stderr" || fail 'a missing mpirun is not named'
run 4 none --hosts localhost --programs "$tmp" --expect shm
grep -q 'no such program' "$tmp/stderr" || fail 'missing programs are not named'
run 4 none --hosts localhost --junit "$tmp/no/such/folder/x.xml" --expect shm

# Bad input.
head -c 300 "$tmp/shm/pingpong.json" >"$tmp/cut.json"
run 3 none --from "$tmp/cut.json"
grep -q 'cut.json:1' "$tmp/stderr" || fail 'a cut document is not named with its line'
sed 's/"boot_id":"[^"]*"/"boot_id":"another"/g' "$tmp/shm/allpairs.json" >"$tmp/mixed.json"
run 3 none --from "$tmp/shm/hello.json" "$tmp/mixed.json" --expect shm
grep -q 'one run' "$tmp/stderr" || fail 'documents of two runs are taken together'
echo 'nothing known' >"$tmp/empty.log"
run 3 none --from "$tmp/empty.log"
printf 'a\nb slots=2\na\n' >"$tmp/hosts"
run 3 none --hostfile "$tmp/hosts"
grep -q 'hosts:3: a: given twice' "$tmp/stderr" || fail 'a host given twice is not named with its line'
printf 'a;reboot\n' >"$tmp/hosts"
run 3 none --hostfile "$tmp/hosts"
run 2 none
run 2 none --hosts a,a
run 2 none --hosts 'a$(x)'
run 2 none --hosts localhost --slurm
run 2 none --hosts localhost --expect ib
run 2 none --hosts localhost --timeout 0
finish
