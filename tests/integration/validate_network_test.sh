#!/usr/bin/env bash
# headroom validate over TCP between four network namespaces that a bridge joins: a host with a slow link is named, and so
# are hosts between which packets are lost one way. The link is delayed and limited with tc netem, or only limited (tbf)
# where the kernel has no netem. Needs root and iproute2; skipped where namespaces are not permitted.
# shellcheck source-path=SCRIPTDIR source=validate_lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/validate_lib.sh"
need_mpi
((EUID == 0)) || skip 'network namespaces take root'
for program in ip tc unshare; do command -v "$program" >/dev/null || skip "no $program"; done

# Names of our own: tests may run side by side. Interface names have 15 characters at most.
id=$((RANDOM % 10000))
ns() { printf 'hr%sn%s' "$id" "$1"; }
clean_up() {
  local i
  for i in 1 2 3 4; do ip netns del "$(ns "$i")" 2>/dev/null; done
  ip link del "hr${id}a" 2>/dev/null
  ip link del "hr${id}b" 2>/dev/null
  rm -rf -- "$tmp"
}
trap clean_up EXIT

# Two networks, as mpirun's own messages are not to suffer from what is done to those of the ranks: eth0 for mpirun, eth1 for MPI.
for net in a b; do
  ip link add "hr$id$net" type bridge 2>/dev/null || skip 'no bridge can be made here'
  ip link set "hr$id$net" up
done
for i in 1 2 3 4; do
  ip netns add "$(ns $i)" 2>/dev/null || skip 'no network namespace can be made here'
  ip -n "$(ns $i)" link set lo up
  for net in a b; do
    device=$([[ $net == a ]] && echo eth0 || echo eth1)
    ip link add "hr$id$net$i" type veth peer name "$device" netns "$(ns $i)" || skip 'no veth can be made here'
    ip link set "hr$id$net$i" master "hr$id$net" up
    ip -n "$(ns $i)" addr add "10.$([[ $net == a ]] && echo 231 || echo 232).0.$i/24" dev "$device"
    ip -n "$(ns $i)" link set "$device" up
  done
done

# mpirun starts its daemons with this in place of ssh: in the namespace, under the host name of the same name.
cat >"$tmp/agent" <<'EOF'
#!/bin/bash
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c 'hostname "$1"; shift; exec sh -c "$*"' sh "$host" "$@"
EOF
chmod +x "$tmp/agent"
export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent=$tmp/agent OMPI_MCA_oob_tcp_if_include=eth0 OMPI_MCA_btl_tcp_if_include=eth1
hosts=$(ns 1),$(ns 2),$(ns 3),$(ns 4)

# within STATUS FILE ARGUMENTS...: as `run`, in the first namespace.
within() {
  local expected=$1 file=$2 status=0
  shift 2
  ip netns exec "$(ns 1)" unshare --uts sh -c 'hostname "$1"; shift; exec "$@"' sh "$(ns 1)" \
    "$binary" validate --hosts "$hosts" --expect tcp --max-bytes 65536 --format json "$@" >"$tmp/$file" 2>"$tmp/stderr" </dev/null ||
    status=$?
  if ((status != expected)); then
    fail "validate $*: exit status $status, expected $expected"
    tail -n 60 "$tmp/$file" "$tmp/stderr" >&2
  fi
}

# Namespaces of one kernel are no hosts, unless they are to count as such.
within 1 one-kernel.json --tests hello --slow-factor 20
verdicts one-kernel.json completed=PASS distinct-hosts=FAIL provider=PASS
within 0 good.json --namespaces-are-hosts --tests hello,pingpong,allreduce
verdicts good.json completed=PASS distinct-hosts=PASS layout=PASS provider=PASS plausible=PASS payload=PASS

# A slow link: both ways of host 4's.
how=netem
if ! ip netns exec "$(ns 4)" tc qdisc add dev eth1 root netem delay 2ms rate 20mbit 2>/dev/null; then
  how=tbf
  ip netns exec "$(ns 4)" tc qdisc add dev eth1 root tbf rate 10mbit burst 1600 latency 400ms 2>/dev/null ||
    { echo 'neither netem nor tbf in this kernel: slow links are not tried'; how=; }
fi
if [[ $how == netem ]]; then
  tc qdisc add dev "hr${id}b4" root netem delay 2ms rate 20mbit
elif [[ $how == tbf ]]; then
  tc qdisc add dev "hr${id}b4" root tbf rate 10mbit burst 1600 latency 400ms
fi
if [[ -n $how ]]; then
  echo "slow link: $how"
  within 1 slow.json --namespaces-are-hosts --slow-factor 20 --tests hello,allpairs --heat-map "$tmp/map.svg"
  verdicts slow.json completed=PASS no-hang=PASS distinct-hosts=PASS provider=PASS uniform=FAIL
  # Others may look slow, too, on cores that are busy with something else; nobody as much as this one.
  python3 - "$tmp/slow.json" "$(ns 4)" <<'EOF' || fail 'the host with the slow link is not the first that is named'
import json, sys
r = next(r for r in json.load(open(sys.argv[1]))["requirements"] if r["id"] == "uniform")
print(json.dumps(r, indent=1))
sys.exit(r.get("hosts", [None])[0] != sys.argv[2])
EOF
  python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$tmp/map.svg" || fail 'map.svg is not well formed'
  grep -q 'stroke="#00a5cf"' "$tmp/map.svg" || fail 'map.svg frames no slow pair'
  ip netns exec "$(ns 4)" tc qdisc del dev eth1 root
  tc qdisc del dev "hr${id}b4" root
fi

# Packets from host 3 to host 1 go nowhere, those the other way arrive: a security group that is open in one direction only.
ip -n "$(ns 3)" neigh replace 10.232.0.1 lladdr 02:00:00:00:00:99 dev eth1 nud permanent
within 1 one-way.json --namespaces-are-hosts --timeout 16s
verdicts one-way.json no-hang=FAIL
says one-way.json no-hang 'security group'
python3 - "$tmp/one-way.json" "$(ns 1)" "$(ns 3)" <<'EOF' || fail 'the hosts that do not reach each other are not named'
import json, sys
r = next(r for r in json.load(open(sys.argv[1]))["requirements"] if r["id"] == "no-hang")
print(json.dumps(r, indent=1))
sys.exit(r.get("pairs") != [sys.argv[2:4]])
EOF
for i in 1 2 3 4; do
  [[ -z $(ip netns pids "$(ns $i)") ]] || fail "processes are left in namespace $i"
done
finish
