#!/usr/bin/env bash
# headroom validate --slurm on a real Slurm: one slurmctld and four slurmd, four node names on this one machine. Hello and
# ping-pong run over the four nodes through sbatch; that the nodes are not four hosts is found out. Needs root and Debian's
# slurmctld, slurmd, slurm-client and munge (tools/setup.sh installs them); skipped without.
# shellcheck source-path=SCRIPTDIR source=validate_lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/validate_lib.sh"
need_mpi
((EUID == 0)) || skip 'starting slurmd takes root'
for program in slurmctld slurmd sbatch squeue scancel munged setpriv; do
  command -v "$program" >/dev/null || skip "no $program"
done
if ! id munge >/dev/null 2>&1 || [[ ! -s /etc/munge/munge.key ]]; then skip 'munge has no user or no key'; fi

daemons=()
start() {
  "$@" >>"$tmp/daemons.out" 2>&1 &
  daemons+=($!)
}
stop() {
  ((${#daemons[@]} == 0)) || kill "${daemons[@]}" 2>/dev/null
  wait "${daemons[@]}" 2>/dev/null
  rm -rf -- "$tmp"
}
trap stop EXIT

# A munged of our own beside whatever runs on this machine.
install -d -o munge -g munge -m 755 "$tmp/munge"
chmod 755 "$tmp"
start setpriv --reuid munge --regid munge --clear-groups munged --foreground --force --num-threads=2 \
  --socket="$tmp/munge/socket" --pid-file="$tmp/munge/pid" --log-file="$tmp/munge/log" --seed-file="$tmp/munge/seed"
host=$(hostname -s)
port=$((20000 + RANDOM % 9000))
mkdir -p "$tmp"/{state,log,pid,spool/n1,spool/n2,spool/n3,spool/n4,work}
cat >"$tmp/slurm.conf" <<EOF
ClusterName=validate
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
AuthType=auth/munge
AuthInfo=socket=$tmp/munge/socket
SlurmUser=root
SlurmdUser=root
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
StateSaveLocation=$tmp/state
SlurmdSpoolDir=$tmp/spool/%n
SlurmctldPidFile=$tmp/pid/slurmctld
SlurmdPidFile=$tmp/pid/%n
SlurmctldLogFile=$tmp/log/slurmctld
SlurmdLogFile=$tmp/log/%n
SlurmdParameters=config_overrides
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
TreeWidth=65533
PropagateResourceLimits=NONE
KillWait=5
NodeName=n[1-4] CPUs=2 RealMemory=100 NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 4))] State=UNKNOWN
PartitionName=demo Nodes=n[1-4] Default=YES State=UP
EOF
export SLURM_CONF=$tmp/slurm.conf
start slurmctld -D -c -f "$SLURM_CONF"
for node in n1 n2 n3 n4; do start slurmd -D -N "$node" -f "$SLURM_CONF"; done
for _ in $(seq 300); do
  [[ $(sinfo --noheader --format='%t %D' 2>/dev/null) == 'idle 4' ]] && break
  sleep 0.1
done
[[ $(sinfo --noheader --format='%t %D' 2>/dev/null) == 'idle 4' ]] || {
  tail -n 20 "$tmp"/log/* "$tmp/daemons.out" >&2
  skip 'Slurm does not start on this machine'
}
cd "$tmp/work" || exit 1

# Four node names, one machine: it runs over all of them, and only that requirement fails.
run 1 slurm.json --slurm --nodes 4 --partition demo --expect tcp --tests hello,pingpong --max-bytes 65536 --format json --out "$tmp/out"
verdicts slurm.json completed=PASS no-hang=PASS layout=PASS provider=PASS plausible=PASS payload=PASS distinct-hosts=FAIL
says slurm.json distinct-hosts 'n1, n2, n3, n4 are one machine'
says slurm.json provider 'btl tcp'
blames slurm.json distinct-hosts n1,n2,n3,n4 ''
python3 - "$tmp/out/hello.json" <<'EOF' || fail 'the ranks are not on the four nodes'
import json, sys
ranks = json.load(open(sys.argv[1]))["ranks"]
sys.exit(sorted(r["node"] for r in ranks) != ["n1", "n2", "n3", "n4"])
EOF

# A message that never arrives: the hang is seen, and no job is left.
HEADROOM_MPI_FAULT=mute:0-3 run 1 mute.json --slurm --nodes 4 --expect tcp --tests hello,pingpong --timeout 10s --format json
verdicts mute.json no-hang=FAIL
says mute.json no-hang 'security group'

# Refused, and never to start: the job does not stay in the queue.
run 4 none --slurm --nodes 4 --partition nope
grep -q 'sbatch: .*partition' "$tmp/stderr" || fail 'what sbatch said is not passed on'
run 4 none --slurm --nodes 4 --expect tcp --sbatch-option=--hold --queue-timeout 3s
grep -q 'cancelled' "$tmp/stderr" || fail 'a job that does not start is not given up'

# An interruption cancels the job.
"$binary" validate --slurm --nodes 4 --expect tcp --sbatch-option=--hold --quiet >/dev/null 2>"$tmp/stderr" &
pid=$!
for _ in $(seq 100); do [[ -n $(squeue --noheader 2>/dev/null) ]] && break; sleep 0.1; done
kill -INT "$pid"
wait "$pid"
[[ $? == 5 ]] || fail 'an interrupted validation does not end with 5'
[[ -z $(squeue --noheader --states=PENDING,RUNNING) ]] || fail "jobs are left: $(squeue --noheader)"
[[ -z $(ls "$tmp/work") ]] || fail "files are left: $(ls "$tmp/work")"
finish
