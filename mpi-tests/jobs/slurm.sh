#!/bin/bash
#SBATCH -J headroom-mpi
#SBATCH -o headroom-mpi.%j.out
#SBATCH -e headroom-mpi.%j.err
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=30
# Proves with MPI jobs that a Slurm cluster's network works: one rank a node, whole nodes, so that each message between
# ranks has to cross the network. Builds nothing.
#
#   export HEADROOM_MPI_PROGRAMS=/shared/headroom/build/release/mpi-tests
#   sbatch -p demo mpi-tests/jobs/slurm.sh                              # hello, pingpong, allpairs, allreduce
#   sbatch -p demo --nodes=16 mpi-tests/jobs/slurm.sh allpairs          # one of them
#   sbatch -p demo mpi-tests/jobs/slurm.sh pingpong --pairs all-with-0  # with options
#
# Environment (sbatch hands it over to the job):
#   HEADROOM_MPI_PROGRAMS   the folder with the programs, on a file system that all nodes see; required
#   HEADROOM_MPI_FABRIC     efa (default): EFA or nothing; tcp: without EFA; any: what the MPI library finds
#   HEADROOM_MPI_RESULTS    the folder for the JSON (default: mpi-results-JOBID where sbatch was called)
#   HEADROOM_MPI_SRUN       options for srun, such as --mpi=pmix (srun --mpi=list says what there is)
set -euo pipefail

programs=${HEADROOM_MPI_PROGRAMS:?is not set: the folder with hello, pingpong, allpairs and allreduce}
results=${HEADROOM_MPI_RESULTS:-mpi-results-${SLURM_JOB_ID:-0}}
read -r -a srun_options <<<"${HEADROOM_MPI_SRUN-}"

case ${HEADROOM_MPI_FABRIC:-efa} in
  efa)
    # libfabric shows EFA alone. Where there is none, or where it does not work, the job fails; without this it would run over
    # TCP, ten times slower, and say nothing.
    export FI_PROVIDER=efa
    # Open MPI: messages go to libfabric as they are (pml cm, mtl ofi). Left to itself it may choose ob1, which
    # sends over TCP, or over btl/ofi with less than half of the bandwidth (open-mpi/ompi issue 11005).
    export OMPI_MCA_pml=cm OMPI_MCA_mtl=ofi
    # Intel MPI: libfabric between nodes, and the system's own with EFA's provider, not the copy that comes with it.
    # Its debug output names the provider.
    export I_MPI_FABRICS=shm:ofi I_MPI_OFI_PROVIDER=efa I_MPI_OFI_LIBRARY_INTERNAL=0 I_MPI_DEBUG=5
    # MPICH with ch4:ofi.
    export MPIR_CVAR_OFI_USE_PROVIDER=efa
    # EFA locks the memory of its queues; Slurm hands the login node's limit over to the job.
    [[ $(ulimit -l) == unlimited ]] ||
      printf 'slurm.sh: locked memory is limited to %s KiB; EFA may fail (srun --propagate=NONE)\n' "$(ulimit -l)" >&2
    ;;
  tcp)
    export FI_PROVIDER=tcp OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self I_MPI_FABRICS=ofi I_MPI_OFI_PROVIDER=tcp
    export MPIR_CVAR_OFI_USE_PROVIDER=tcp
    ;;
  any) ;;
  *)
    printf 'slurm.sh: HEADROOM_MPI_FABRIC: found "%s", expected efa, tcp or any\n' "$HEADROOM_MPI_FABRIC" >&2
    exit 2
    ;;
esac

mkdir -p "$results"
failed=0
# launch PROGRAM [OPTION]...: text to the job's output, the document to the results. A hang ends after two minutes.
launch() {
  local program=$1 status=0
  shift
  printf '\n== %s %s\n' "$program" "$*"
  srun ${srun_options[@]+"${srun_options[@]}"} "$programs/$program" --output "$results/$program.json" --stall-limit 120 "$@" ||
    status=$?
  ((status == 0)) || printf 'slurm.sh: %s: exit status %d\n' "$program" "$status" >&2
  failed=$((failed | (status != 0)))
}

if (($# > 0)); then
  launch "$@"
else
  launch hello --expect-hosts "${SLURM_NNODES:?runs in a Slurm job: sbatch $0}" --expect-per-host 1
  launch pingpong
  launch allpairs
  launch allreduce
fi
exit "$failed"
