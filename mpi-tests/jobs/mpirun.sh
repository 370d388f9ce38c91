#!/bin/bash
# The same without a scheduler: on a list of hosts with mpirun, over ssh. Builds nothing.
#
#   export HEADROOM_MPI_PROGRAMS=/shared/headroom/build/release/mpi-tests
#   mpi-tests/jobs/mpirun.sh ip-10-3-1-11,ip-10-3-1-12                       # hello, pingpong, allpairs, allreduce
#   mpi-tests/jobs/mpirun.sh ip-10-3-1-11,ip-10-3-1-12 pingpong --max-bytes 1M   # one of them, with options
#   HEADROOM_MPI_FABRIC=any mpi-tests/jobs/mpirun.sh localhost:4 allreduce   # four ranks on this machine
#
# Environment:
#   HEADROOM_MPI_PROGRAMS   the folder with the programs, the same on all hosts; required
#   HEADROOM_MPI_FABRIC     efa (default): EFA or nothing; tcp: without EFA; any: what the MPI library finds
#   HEADROOM_MPI_RESULTS    the folder for the JSON (default: mpi-results)
#   MPIRUN                  the launcher of the MPI that the programs were built with (default: mpirun)
set -euo pipefail

if (($# < 1)); then
  printf 'usage: mpirun.sh HOST[:RANKS][,HOST[:RANKS]]... [PROGRAM [OPTION]...]\n' >&2
  exit 2
fi
programs=${HEADROOM_MPI_PROGRAMS:?is not set: the folder with hello, pingpong, allpairs and allreduce}
results=${HEADROOM_MPI_RESULTS:-mpi-results}
mpirun=${MPIRUN:-mpirun}
IFS=, read -r -a hosts <<<"$1"
shift

ranks=0
for host in "${hosts[@]}"; do
  slots=1
  [[ $host != *:* ]] || slots=${host##*:}
  if [[ -z ${host%%:*} || ! $slots =~ ^[1-9][0-9]{0,5}$ ]]; then
    printf 'mpirun.sh: found "%s", expected HOST or HOST:RANKS\n' "$host" >&2
    exit 2
  fi
  ranks=$((ranks + slots))
done

# Why each of these: slurm.sh.
settings=()
case ${HEADROOM_MPI_FABRIC:-efa} in
  efa)
    settings=(FI_PROVIDER=efa OMPI_MCA_pml=cm OMPI_MCA_mtl=ofi I_MPI_FABRICS=shm:ofi I_MPI_OFI_PROVIDER=efa
      I_MPI_OFI_LIBRARY_INTERNAL=0 I_MPI_DEBUG=5 MPIR_CVAR_OFI_USE_PROVIDER=efa)
    ;;
  tcp)
    settings=(FI_PROVIDER=tcp OMPI_MCA_pml=ob1 "OMPI_MCA_btl=tcp,self" I_MPI_FABRICS=ofi I_MPI_OFI_PROVIDER=tcp
      MPIR_CVAR_OFI_USE_PROVIDER=tcp)
    ;;
  any) ;;
  *)
    printf 'mpirun.sh: HEADROOM_MPI_FABRIC: found "%s", expected efa, tcp or any\n' "$HEADROOM_MPI_FABRIC" >&2
    exit 2
    ;;
esac
forward=()
for setting in ${settings[@]+"${settings[@]}"}; do
  export "${setting?}"
  forward+=("${setting%%=*}")
done

list=$(IFS=, && printf '%s' "${hosts[*]}")
launcher=("$mpirun" -n "$ranks")
version=$("$mpirun" --version 2>/dev/null || true)
if [[ $version == *'Open MPI'* || $version == *OpenRTE* ]]; then
  launcher+=(--host "$list" --map-by slot)
  # Open MPI takes its own variables along, and others only when they are named.
  for name in ${forward[@]+"${forward[@]}"}; do
    [[ $name == OMPI_* ]] || launcher+=(-x "$name")
  done
else
  launcher+=(-hosts "$list")
fi

mkdir -p "$results"
failed=0
launch() {
  local program=$1 status=0
  shift
  printf '\n== %s %s\n' "$program" "$*"
  "${launcher[@]}" "$programs/$program" --output "$results/$program.json" --stall-limit 120 "$@" || status=$?
  ((status == 0)) || printf 'mpirun.sh: %s: exit status %d\n' "$program" "$status" >&2
  failed=$((failed | (status != 0)))
}

if (($# > 0)); then
  launch "$@"
else
  launch hello --expect-hosts "${#hosts[@]}"
  ((ranks < 2)) || launch pingpong
  launch allpairs
  launch allreduce
fi
exit "$failed"
