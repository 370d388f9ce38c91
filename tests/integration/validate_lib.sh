# shellcheck shell=bash
# Shared by the tests of headroom validate: sourced in place of lib.sh, which it sources.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Tests run as whoever they are, on machines with few cores: ranks share them.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1
# Memory of another process may not be readable in a container.
export OMPI_MCA_btl_vader_single_copy_mechanism=none
# Open MPI leaves memory behind when it ends; the programs are looked at elsewhere.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0

need_mpi() {
  command -v mpirun >/dev/null || skip 'no mpirun'
  mpirun --version 2>/dev/null | grep -q 'Open MPI' || skip 'mpirun is not of Open MPI'
  [[ -x $(dirname "$binary")/mpi-tests/hello ]] || skip 'the programs of mpi-tests were not built'
}

# run STATUS FILE ARGUMENTS...: stdout to $tmp/FILE, stderr to $tmp/stderr
run() {
  local expected=$1 file=$2 status=0
  shift 2
  "$binary" validate "$@" >"$tmp/$file" 2>"$tmp/stderr" </dev/null || status=$?
  if ((status != expected)); then
    fail "validate $*: exit status $status, expected $expected"
    tail -n 40 "$tmp/$file" "$tmp/stderr" >&2
  fi
}

# verdicts FILE ID=VERDICT...
verdicts() {
  local file=$1
  shift
  python3 - "$tmp/$file" "$@" <<'EOF' || fail "$file: verdicts"
import json, sys
found = {r["id"]: r for r in json.load(open(sys.argv[1]))["requirements"]}
wrong = 0
for pair in sys.argv[2:]:
    name, _, verdict = pair.partition("=")
    if found.get(name, {}).get("verdict") != verdict:
        print(f"{name}: expected {verdict}, found", json.dumps(found.get(name), indent=1), file=sys.stderr)
        wrong += 1
sys.exit(wrong > 0)
EOF
}

# says FILE ID TEXT: in the cause or the evidence
says() {
  python3 - "$tmp/$1" "$2" "$3" <<'EOF' || fail "$1: $2 does not say: $3"
import json, sys
r = next(r for r in json.load(open(sys.argv[1]))["requirements"] if r["id"] == sys.argv[2])
sys.exit(sys.argv[3] not in " ".join(r["evidence"] + [r.get("cause", "")]))
EOF
}

# blames FILE ID HOSTS PAIRS: exactly these hosts (a,b) and pairs (a-b,c-d)
blames() {
  python3 - "$tmp/$1" "$2" "$3" "$4" <<'EOF' || fail "$1: $2 blames others"
import json, sys
r = next(r for r in json.load(open(sys.argv[1]))["requirements"] if r["id"] == sys.argv[2])
hosts = {h for h in sys.argv[3].split(",") if h}
pairs = {tuple(sorted(p.split("-"))) for p in sys.argv[4].split(",") if p}
same = set(r.get("hosts", [])) == hosts and {tuple(sorted(p)) for p in r.get("pairs", [])} == pairs
if not same:
    print(json.dumps(r, indent=1), file=sys.stderr)
sys.exit(not same)
EOF
}
