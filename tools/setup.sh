#!/usr/bin/env bash
# Installs the Debian packages that building and testing Headroom needs; only the missing ones.
# When nothing is missing it returns at once, needs no network and no rights.
#
#   tools/setup.sh
#
# Exit status: 0 everything is there; 4 it could not be installed.
set -euo pipefail

# All of it is progress: standard output stays free for the scripts that call this one.
exec >&2

packages=(
  # compilers and build; clang is the second compiler that must give the same digests
  g++ clang cmake ninja-build ccache git ca-certificates
  # its sanitizer and fuzzer runtimes: only recommended by clang, so --no-install-recommends would leave them out
  libclang-rt-14-dev
  # libraries
  libboost-graph-dev libeigen3-dev nlohmann-json3-dev libcli11-dev libfmt-dev libzstd-dev zlib1g-dev libxxhash-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  # MPI, for mpi-tests/: two libraries side by side, of which Open MPI is `mpirun`
  libopenmpi-dev openmpi-bin libmpich-dev mpich
  # what the tests call
  zstd gzip python3 python3-jsonschema
  # headroom validate is tried on a real Slurm, and over network namespaces with a slow link
  slurmctld slurmd slurm-client munge iproute2
)

fail() {
  printf 'setup.sh: %s\n' "$1"
  exit 4
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  printf 'setup.sh: this needs Debian 12 or a relative of it: there is no apt-get here.\n'
  printf 'Install what these Debian packages give, then build with\n'
  printf '  cmake --preset release && cmake --build --preset release\n'
  printf '\n'
  printf '  %s\n' "${packages[@]}"
  exit 4
fi

# dpkg-query fails when it does not know one of the packages, and still lists the others.
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null | sed -n 's/^installed //p') ||
  true
missing=()
for package in "${packages[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  exit 0
fi

# `env` carries the variable over sudo, which drops the caller's environment.
as_root=(env DEBIAN_FRONTEND=noninteractive)
if ((EUID != 0)); then
  command -v sudo >/dev/null || fail "not root and no sudo; as root: apt-get install ${missing[*]}"
  as_root=(sudo "${as_root[@]}")
fi

printf 'setup.sh: installing %s\n' "${missing[*]}"
"${as_root[@]}" apt-get -q update || fail 'apt-get update failed'
"${as_root[@]}" apt-get -q -y install --no-install-recommends "${missing[@]}" ||
  fail "apt-get install ${missing[*]} failed"
