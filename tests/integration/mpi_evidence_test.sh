#!/usr/bin/env bash
# What the MPI programs tell about their hosts, and faults on purpose: that a wrong payload, a slow node and pair, and a message
# that never arrives are noticed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=mpi_lib.sh
. "$tests/mpi_lib.sh"
background=()
clean_up() {
  local id
  for id in ${background[@]+"${background[@]}"}; do kill "$id" 2>/dev/null; done
  rm -rf -- "$tmp"
}
trap clean_up EXIT

# 1. Counters of a device that counts while the programs run. The tree is a fake one; the programs cannot tell.
device=$tmp/root/sys/class/infiniband/rdmap0s6
mkdir -p "$device/ports/1/hw_counters" "$device/device" "$tmp/root/sys/devices/virtual/dmi/id"
ln -s ../../../../bus/pci/drivers/efa "$device/device/driver"
printf '10\n' >"$device/ports/1/hw_counters/lifespan"
printf '7\n' >"$device/ports/1/hw_counters/rx_bytes"
printf 'Amazon EC2\n' >"$tmp/root/sys/devices/virtual/dmi/id/sys_vendor"
printf 'i-04927897a9ce3c143\n' >"$tmp/root/sys/devices/virtual/dmi/id/board_asset_tag"
printf 'hpc7g.16xlarge\n' >"$tmp/root/sys/devices/virtual/dmi/id/product_name"
printf '1000\n' >"$device/ports/1/hw_counters/tx_bytes"
(
  count=1000
  while sleep 0.02; do
    printf '%s\n' $((count += 512)) >"$tmp/next" && mv "$tmp/next" "$device/ports/1/hw_counters/tx_bytes"
  done
) &
background+=($!)

# 2. A metadata service that wants its token, as IMDSv2.
python3 - "$tmp/port" <<'PYTHON' &
import http.server, sys
ANSWERS = {"instance-id": "i-0a2c82623cb1393a7", "instance-type": "hpc6a.48xlarge", "placement/availability-zone-id": "use2-az2"}

class Metadata(http.server.BaseHTTPRequestHandler):
    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        asked = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self.answer(200 if asked else 400, "secret" if asked else "")

    def do_GET(self):
        if self.headers["X-aws-ec2-metadata-token"] != "secret":
            return self.answer(401, "")
        item = self.path.removeprefix("/latest/meta-data/")
        self.answer(200 if item in ANSWERS else 404, ANSWERS.get(item, ""))

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
with open(sys.argv[1] + ".part", "w") as file:
    file.write(str(server.server_port))
import os
os.rename(sys.argv[1] + ".part", sys.argv[1])
server.serve_forever()
PYTHON
background+=($!)
for ((i = 0; i < 200; i++)); do
  [[ -s $tmp/port ]] && break
  sleep 0.05
done
[[ -s $tmp/port ]] || fail "the metadata service of this test does not start"
metadata=http://127.0.0.1:$(cat "$tmp/port" 2>/dev/null)

for flavour in "${flavours[@]}"; do
  run() { "run_$flavour" "$@"; }
  # allpairs of one host does nothing but wait for the counters: 0.1 s, five counts of the fake device.
  HEADROOM_SYSFS_ROOT=$tmp/root FI_PROVIDER=tcp run 2 allpairs --json >"$tmp/counters.json" || fail "$flavour: fake devices"
  HEADROOM_SYSFS_ROOT=$tmp/root AWS_EC2_METADATA_SERVICE_ENDPOINT=$metadata run 3 hello --json --imds >"$tmp/imds.json" ||
    fail "$flavour: --imds"
  HEADROOM_SYSFS_ROOT=$tmp AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1 run 2 hello --json --imds \
    >"$tmp/no-imds.json" || fail "$flavour: --imds without a service"
  HEADROOM_SYSFS_ROOT=$tmp/root HEADROOM_INSTANCE_TYPE=c5n.18xlarge HEADROOM_INSTANCE_ZONE=use1-az1 run 1 hello --json \
    >"$tmp/told.json" || fail "$flavour: an instance that is told"
  check "$tmp" <<'PYTHON' || fail "$flavour: evidence"
import sys
from check_mpi_result import load
read = lambda name: load(f"{sys.argv[1]}/{name}.json")
document = read("counters")
for rank in document["ranks"]:
    assert [(d["name"], d["driver"], d["port"]) for d in rank["devices"]] == [("rdmap0s6", "efa", 1)], rank["devices"]
    counters = rank["devices"][0]["counters"]
    assert set(counters) == {"rx_bytes", "tx_bytes"}, counters
    assert counters["rx_bytes"] == {"before": 7, "after": 7}, counters
    moved = counters["tx_bytes"]["after"] - counters["tx_bytes"]["before"]
    assert moved >= 512 and moved % 512 == 0, counters
    assert rank["instance_id"] == "i-04927897a9ce3c143" and rank["instance_type"] == "hpc7g.16xlarge", rank
    assert "availability_zone" not in rank, rank
    assert rank["fabric"]["provider_asked"] == "tcp", rank["fabric"]
    assert rank["providers"] == [], "no libfabric device is in use here"
    # A kernel that is one: what `hosts` counts.
    assert rank["boot_id"] == open("/proc/sys/kernel/random/boot_id").read().strip(), rank
assert document["environment"]["FI_PROVIDER"] == "tcp", document["environment"]
for rank in read("imds")["ranks"]:
    found = (rank["instance_id"], rank["instance_type"], rank["availability_zone"])
    assert found == ("i-0a2c82623cb1393a7", "hpc6a.48xlarge", "use2-az2"), found
silent = read("no-imds")["ranks"]
assert "Connection refused" in silent[0]["instance_metadata_problem"] and "instance_id" not in silent[0], silent[0]
told = read("told")["ranks"][0]
assert told["instance_type"] == "c5n.18xlarge" and told["availability_zone"] == "use1-az1", told
assert told["instance_id"] == "i-04927897a9ce3c143", told
PYTHON

  # 3. Two of Slurm's node names on one machine are one host.
  cat >"$tmp/as-node" <<'SCRIPT'
#!/bin/sh
SLURMD_NODENAME=node-${OMPI_COMM_WORLD_RANK:-$PMI_RANK} exec "$@"
SCRIPT
  chmod +x "$tmp/as-node"
  if [[ $flavour == openmpi ]]; then
    launch=("$mpirun_openmpi" --oversubscribe)
    folder=$openmpi_programs
  else
    launch=("$mpirun_mpich")
    folder=$mpich_programs
  fi
  timeout 60 "${launch[@]}" -n 2 "$tmp/as-node" "$folder/hello" --json >"$tmp/nodes.json" || fail "$flavour: node names"
  check "$tmp/nodes.json" <<'PYTHON' || fail "$flavour: two names of one host are taken for two hosts"
import sys
from check_mpi_result import load
document = load(sys.argv[1])
assert [rank["node"] for rank in document["ranks"]] == ["node-0", "node-1"]
result = document["result"]
assert result["hosts"] == 1 and not result["layout_ok"], result
assert "two names, one host" in result["problems"][0] and "node-1" in result["problems"][0], result
PYTHON

  # 4. Faults on purpose.
  for program in 'hello' 'pingpong --max-bytes 1K --iterations 30' 'allreduce --max-bytes 64 --iterations 30' \
    'allpairs --every-rank --pair-seconds 0.02'; do
    read -r -a words <<<"$program"
    HEADROOM_MPI_FAULT=corrupt:1 run 2 "${words[@]}" --json >"$tmp/corrupt.json" 2>"$tmp/stderr"
    status=$?
    ((status == 1)) || fail "$flavour: ${words[0]} with a wrong payload: exit status $status, expected 1"
    grep -qE 'is not what was sent|is wrong from number' "$tmp/stderr" ||
      fail "$flavour: ${words[0]} with a wrong payload does not say so: $(cat "$tmp/stderr")"
    grep -qF 'this is a test, not a measurement' "$tmp/stderr" || fail "$flavour: ${words[0]} does not announce the fault"
    check "$tmp/corrupt.json" <<'PYTHON' || fail "$flavour: the document of ${words[0]} with a wrong payload"
import sys
from check_mpi_result import load
document = load(sys.argv[1])
assert document["test_fault"] == "corrupt:1"
result = document["result"]
if document["test"] != "hello":
    assert result.get("errors", 0) + sum(pair.get("errors", 0) for pair in result.get("pairs", [])) > 0, result
PYTHON
  done
  # On a small or busy machine ranks wait for processors, with MPICH for milliseconds: only more than that counts.
  noise=(--suspect-us 50000 --suspect-bandwidth 0)
  HEADROOM_MPI_FAULT=slow:1-2:100000 run 3 allpairs --json --every-rank "${noise[@]}" >"$tmp/pair.json" 2>/dev/null || fail "$flavour: slow"
  HEADROOM_MPI_FAULT=slow:2:100000 run 3 allpairs --json --every-rank "${noise[@]}" >"$tmp/node.json" 2>/dev/null || fail "$flavour: slow"
  check "$tmp" <<'PYTHON' || fail "$flavour: who is slow"
import sys
from check_mpi_result import load
pair = load(f"{sys.argv[1]}/pair.json")["result"]
assert [(s["kind"], s.get("a"), s.get("b")) for s in pair["suspects"]] == [("pair", 1, 2)], pair
slow = next(p for p in pair["pairs"] if (p["a"], p["b"]) == (1, 2))
assert slow["retested"] and slow["alone"]["latency_us"] >= 100000, slow
node = load(f"{sys.argv[1]}/node.json")["result"]
assert [(s["kind"], s.get("rank")) for s in node["suspects"]] == [("node", 2)], node
assert all(p["retested"] for p in node["pairs"] if 2 in (p["a"], p["b"])), node["pairs"]
PYTHON
  HEADROOM_MPI_FAULT=mute:1-0 run 2 pingpong --json --stall-limit 1 >"$tmp/stdout" 2>"$tmp/stderr"
  status=$?
  ((status != 0)) || fail "$flavour: a message that never arrives: exit status 0"
  [[ ! -s $tmp/stdout ]] || fail "$flavour: a run that hangs prints a document"
  for line in 'pingpong: rank 0 (.*): no progress for 1 s: ping-pong of 0 bytes with rank 1' \
    'pingpong: rank 1 (.*): no progress for 1 s: ping-pong of 0 bytes with rank 0'; do
    grep -q "$line" "$tmp/stderr" || fail "$flavour: nobody says \"$line\": $(head -n 6 "$tmp/stderr")"
  done
  HEADROOM_MPI_FAULT=oops run 2 hello >"$tmp/stdout" 2>"$tmp/stderr"
  (($? == 2)) || fail "$flavour: a fault that there is not"
done

# 5. Over TCP, where a small machine can be made to.
if [[ -n $openmpi_programs ]]; then
  OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self run_openmpi 2 pingpong --json --max-bytes 64K --iterations 20 >"$tmp/tcp.json" ||
    fail "Open MPI over TCP"
  check "$tmp/tcp.json" <<'PYTHON' || fail "over TCP"
import sys
from check_mpi_result import load
document = load(sys.argv[1])
assert document["environment"]["OMPI_MCA_btl"] == "tcp,self", document["environment"]
assert not any(name.startswith(("OMPI_MCA_orte", "OMPI_MCA_ess")) for name in document["environment"])
for rank in document["ranks"]:
    parts = rank["fabric"]["mpi_components"]
    # Open MPI may have its plug-ins inside of its library: then there is nothing to see.
    assert not parts or ("btl_tcp" in parts and "btl_vader" not in parts), parts
PYTHON
fi

# 6. Three hosts, as far as Open MPI knows: this ssh starts its daemons here, each with a name and a folder of its own. Between
# them there is no shared memory and all bytes go through TCP; and yet it is one kernel.
if [[ -n $openmpi_programs ]]; then
  mkdir "$tmp/bin"
  cat >"$tmp/bin/ssh" <<'SCRIPT'
#!/usr/bin/env bash
while [[ $1 == -* ]]; do shift; done
export SLURMD_NODENAME=$1 TMPDIR=$HOSTS_FOLDER/$1
shift
mkdir -p "$TMPDIR"
exec bash -c "$*"
SCRIPT
  chmod +x "$tmp/bin/ssh"
  on_three_hosts() {
    HOSTS_FOLDER=$tmp/hosts timeout 120 "$mpirun_openmpi" --host node-a:2,node-b:1,node-c:1 --mca plm_rsh_agent "$tmp/bin/ssh" \
      --mca btl_tcp_if_include lo --mca oob_tcp_if_include lo -n 4 "$openmpi_programs/$1" --json "${@:2}"
  }
  on_three_hosts hello >"$tmp/hello.json" 2>"$tmp/stderr" || fail "hello on three hosts: $(head -n 5 "$tmp/stderr")"
  on_three_hosts allpairs >"$tmp/allpairs.json" 2>"$tmp/stderr" || fail "allpairs on three hosts: $(head -n 5 "$tmp/stderr")"
  on_three_hosts pingpong --pairs 0-1,0-3 --max-bytes 4K --iterations 20 >"$tmp/pingpong.json" 2>"$tmp/stderr" ||
    fail "pingpong on three hosts: $(head -n 5 "$tmp/stderr")"
  on_three_hosts allreduce --max-bytes 64 --iterations 20 >"$tmp/allreduce.json" 2>"$tmp/stderr" ||
    fail "allreduce on three hosts: $(head -n 5 "$tmp/stderr")"
  check "$tmp" <<'PYTHON' || fail "three hosts"
import sys
from check_mpi_result import load
read = lambda name: load(f"{sys.argv[1]}/{name}.json")
hello = read("hello")
assert [rank["node"] for rank in hello["ranks"]] == ["node-a", "node-a", "node-b", "node-c"]
assert [rank["shared_memory_group"] for rank in hello["ranks"]] == [0, 0, 2, 3]
assert hello["result"]["shared_memory_groups"] == 3 and hello["result"]["hosts"] == 1, hello["result"]
assert not hello["result"]["layout_ok"], "three names are not three hosts"
# The ring: 0 to 1 stays on node-a, the others leave their hosts.
assert [rank["sent_bytes_off_host"] for rank in hello["ranks"]] == [0, 1024, 1024, 1024]
assert [rank["received_bytes_off_host"] for rank in hello["ranks"]] == [1024, 0, 1024, 1024]
allpairs = read("allpairs")
assert allpairs["result"]["participants"] == [0, 2, 3] and len(allpairs["result"]["pairs"]) == 3, allpairs["result"]
for rank in allpairs["ranks"]:
    assert rank["sent_bytes_off_host"] == rank["sent_bytes"], rank
    assert (rank["sent_bytes"] > 0) == (rank["rank"] != 1), rank
pingpong = read("pingpong")
near, far = pingpong["result"]["pairs"]
there = sum(size["bytes"] * size["messages"] for size in far["sizes"] + far["streaming"])
assert pingpong["ranks"][0]["sent_bytes_off_host"] == pingpong["ranks"][3]["received_bytes_off_host"] == there > 0
assert pingpong["ranks"][1]["sent_bytes"] > 0 == pingpong["ranks"][1]["sent_bytes_off_host"], pingpong["ranks"][1]
allreduce = read("allreduce")
least = allreduce["ranks"][0]["sent_bytes"]
assert [rank["sent_bytes_off_host"] for rank in allreduce["ranks"]] == [least, 0, least, least], "one a host"
PYTHON
fi
finish
