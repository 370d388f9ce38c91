#!/usr/bin/env bash
# The job scripts of mpi-tests/jobs: mpirun.sh on this machine, slurm.sh with an srun that starts ranks here (a real Slurm is
# another test's), and that "EFA or nothing" is nothing where there is no EFA.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=mpi_lib.sh
. "$tests/mpi_lib.sh"
[[ -n $openmpi_programs ]] || skip "no Open MPI"
unset FI_PROVIDER OMPI_MCA_pml OMPI_MCA_mtl
export HEADROOM_MPI_PROGRAMS=$openmpi_programs MPIRUN=$mpirun_openmpi
jobs=$PWD/mpi-tests/jobs
cd "$tmp" || exit 1

# 1. mpirun.sh: all four, documents in the results; then one with options, over TCP.
HEADROOM_MPI_FABRIC=any timeout 400 "$jobs/mpirun.sh" localhost:2 >"$tmp/stdout" 2>"$tmp/stderr" ||
  fail "mpirun.sh: $(head -n 5 "$tmp/stderr")"
HEADROOM_MPI_FABRIC=tcp HEADROOM_MPI_RESULTS=$tmp/tcp timeout 60 "$jobs/mpirun.sh" localhost:2 pingpong --max-bytes 64 \
  --iterations 10 >/dev/null 2>"$tmp/stderr" || fail "mpirun.sh over TCP: $(head -n 5 "$tmp/stderr")"
check "$tmp" <<'PYTHON' || fail "the documents of mpirun.sh"
import sys
from check_mpi_result import load
for test in ("hello", "pingpong", "allpairs", "allreduce"):
    document = load(f"{sys.argv[1]}/mpi-results/{test}.json")
    assert document["test"] == test and len(document["ranks"]) == 2, document["test"]
    assert document["arguments"]["stall-limit"] == 120
assert load(f"{sys.argv[1]}/mpi-results/hello.json")["result"]["asked"] == {"hosts": 1}
environment = load(f"{sys.argv[1]}/tcp/pingpong.json")["environment"]
assert environment["FI_PROVIDER"] == "tcp" and environment["OMPI_MCA_btl"] == "tcp,self", environment
PYTHON

# 2. EFA or nothing.
if [[ ! -d /sys/class/infiniband ]]; then
  timeout 60 "$jobs/mpirun.sh" localhost:2 hello >/dev/null 2>"$tmp/stderr" && fail "mpirun.sh runs without EFA"
  grep -q 'mpirun.sh: hello: exit status' "$tmp/stderr" || fail "mpirun.sh does not say what failed: $(cat "$tmp/stderr")"
fi

# 3. slurm.sh. This srun knows what the job was given, and takes no options but those asked for.
mkdir "$tmp/bin"
cat >"$tmp/bin/srun" <<'SCRIPT'
#!/usr/bin/env bash
[[ $1 == --mpi=pmix ]] || { printf 'srun: found %s\n' "$1" >&2; exit 1; }
exec "$MPIRUN" --oversubscribe -n "$SLURM_NNODES" "${@:2}"
SCRIPT
chmod +x "$tmp/bin/srun"
sbatch() { PATH=$tmp/bin:$PATH HEADROOM_MPI_SRUN=--mpi=pmix SLURM_NNODES=2 SLURM_JOB_ID=17 timeout 400 bash "$jobs/slurm.sh" "$@"; }
HEADROOM_MPI_FABRIC=any sbatch pingpong --max-bytes 8 --iterations 5 >"$tmp/stdout" 2>"$tmp/stderr" ||
  fail "slurm.sh pingpong: $(head -n 5 "$tmp/stderr")"
# Two ranks on this machine are not two nodes: hello fails, the others go on, and the job fails.
HEADROOM_MPI_FABRIC=any sbatch >"$tmp/stdout" 2>"$tmp/stderr" && fail "slurm.sh: two ranks on one host are two nodes"
grep -qF 'slurm.sh: hello: exit status 1' "$tmp/stderr" || fail "slurm.sh does not say what failed: $(cat "$tmp/stderr")"
grep -qF 'hosts: 2 asked for, 1 found' "$tmp/stdout" || fail "slurm.sh: hello's text is missing: $(head -n 5 "$tmp/stdout")"
check "$tmp" <<'PYTHON' || fail "the documents of slurm.sh"
import sys
from check_mpi_result import load
for test in ("hello", "pingpong", "allpairs", "allreduce"):
    document = load(f"{sys.argv[1]}/mpi-results-17/{test}.json")
    assert document["environment"]["SLURM_JOB_ID"] == "17" and document["environment"]["SLURM_NNODES"] == "2"
PYTHON

# 4. What is wrong is said.
(unset HEADROOM_MPI_PROGRAMS && "$jobs/mpirun.sh" localhost) 2>"$tmp/stderr" && fail "mpirun.sh runs without programs"
grep -q 'HEADROOM_MPI_PROGRAMS: is not set' "$tmp/stderr" || fail "no programs, no message: $(cat "$tmp/stderr")"
for hosts in localhost:0 localhost:x ,localhost :2; do
  HEADROOM_MPI_FABRIC=any "$jobs/mpirun.sh" "$hosts" hello >/dev/null 2>"$tmp/stderr"
  (($? == 2)) || fail "mpirun.sh $hosts: no usage error"
  grep -qF 'expected HOST or HOST:RANKS' "$tmp/stderr" || fail "mpirun.sh $hosts: $(cat "$tmp/stderr")"
done
HEADROOM_MPI_FABRIC=infiniband "$jobs/mpirun.sh" localhost hello >/dev/null 2>"$tmp/stderr"
(($? == 2)) || fail "mpirun.sh with another fabric"
grep -qF 'expected efa, tcp or any' "$tmp/stderr" || fail "mpirun.sh with another fabric: $(cat "$tmp/stderr")"
"$jobs/mpirun.sh" >/dev/null 2>&1
(($? == 2)) || fail "mpirun.sh without hosts"
finish
