# shellcheck shell=bash
# For the tests of the MPI programs, after lib.sh: $programs (the folder of those built with Open MPI), $mpich_programs (those
# built with MPICH; empty where there is no MPICH), run_openmpi and run_mpich RANKS PROGRAM [ARGUMENT]..., check (python
# with check_mpi_result at hand).
programs=$(dirname "$binary")/mpi-tests
[[ -x $programs/hello ]] || skip "no MPI was found when this was built: mpi-tests/ was left out"
mpich_programs=
# The first MPI that CMake found may be MPICH itself.
if "$programs/hello" --json 2>/dev/null | grep -q '"vendor":"openmpi"'; then
  openmpi_programs=$programs
  [[ -x $programs/mpich/hello ]] && command -v mpirun.mpich >/dev/null && mpich_programs=$programs/mpich
else
  openmpi_programs=
  mpich_programs=$programs
fi

# Tests may run as root and on fewer processors than ranks, and look for no network: shared memory and TCP on this machine.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# Containers often forbid one process to read another's memory.
export OMPI_MCA_btl_vader_single_copy_mechanism=none
unset HEADROOM_MPI_FAULT HEADROOM_SYSFS_ROOT SLURMD_NODENAME

first_of() {
  local candidate
  for candidate in "$@"; do
    if command -v "$candidate" >/dev/null; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}
mpirun_openmpi=$(first_of mpirun.openmpi mpirun) || skip "no mpirun"
mpirun_mpich=$(first_of mpirun.mpich mpiexec.hydra mpirun) || skip "no mpirun"

run_openmpi() {
  local ranks=$1 program=$2
  shift 2
  timeout 120 "$mpirun_openmpi" --oversubscribe -n "$ranks" "$openmpi_programs/$program" "$@"
}
run_mpich() {
  local ranks=$1 program=$2
  shift 2
  timeout 120 "$mpirun_mpich" -n "$ranks" "$mpich_programs/$program" "$@"
}
check() { PYTHONPATH=$tests python3 - "$@"; }

# The MPIs there are; a test runs over all of them. Where a launcher starts nothing at all, it is not the programs' fault.
flavours=()
starts() {
  timeout 60 "$@" true >/dev/null 2>&1 || {
    printf 'left out: "%s" does not start anything here\n' "$* true"
    return 1
  }
}
if [[ -n $openmpi_programs ]]; then
  if starts "$mpirun_openmpi" --oversubscribe -n 2; then flavours+=(openmpi); else openmpi_programs=; fi
fi
if [[ -n $mpich_programs ]]; then
  if starts "$mpirun_mpich" -n 2; then flavours+=(mpich); else mpich_programs=; fi
fi
((${#flavours[@]} > 0)) || skip "no MPI that starts"
