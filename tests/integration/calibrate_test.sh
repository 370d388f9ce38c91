#!/usr/bin/env bash
# headroom calibrate from outside: its page's example, what is refused, what is bad input, and that a scenario takes what it
# writes. With the MPI programs built, their real output; without, that part is left out.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

data=tests/data/calibrate/hpc6a.txt
efa=(--instance-type hpc6a.48xlarge --transport efa)

headroom calibrate "$data" "${efa[@]}" --out "$tmp/efa.json" >"$tmp/table" 2>"$tmp/messages" || fail "no fit: $(cat "$tmp/messages")"
headroom calibrate - "${efa[@]}" --format json <"$data" >"$tmp/fit.json" || fail "no fit of standard input"
headroom calibrate - "${efa[@]}" --format json <"$data" >"$tmp/again.json" || fail "no fit of standard input again"
cmp -s "$tmp/fit.json" "$tmp/again.json" || fail "two fits of one file differ"
python3 - "$tmp" <<'PYTHON' || fail "docs/calibrate.md, or what is written"
import json, re, sys
folder = sys.argv[1]
page = open("docs/calibrate.md").read()
example = re.search(r"^```console\n\$ headroom calibrate [^\n]*\n(.*?)^```", page, re.M | re.S).group(1)
assert example == open(f"{folder}/table").read(), "the example is not what the command prints"
fragment = re.search(r"^```json\n(.*?)^```", page, re.M | re.S).group(1)
assert fragment == open(f"{folder}/efa.json").read(), "the fragment is not what the command writes"
model = json.loads(fragment)["network"]["model"]["types"]["hpc6a.48xlarge"]["efa"]
ends = [segment.get("upTo") for segment in model["segments"]]
assert ends[-1] is None and None not in ends[:-1] and ends[:-1] == sorted(set(ends[:-1])), ends
assert all(s["latency_us"] > 0 and 0 < s["bandwidth_gb_s"] <= 1e6 for s in model["segments"])
assert model["source"].startswith("headroom calibrate: osu_latency 5.8, 1 run")
fit = json.load(open(f"{folder}/fit.json"))
assert fit["verdict"] == "fitted" and len(fit["latency"]["times"]) == 24 and len(fit["streaming"]["times"]) == 23
# The residuals that it prints are those of the model that it writes.
def model_us(n):
    segment = next(s for s in model["segments"] if n <= s.get("upTo", 1 << 60))
    return segment["latency_us"] + n / segment["bandwidth_gb_s"] / 1e3
for time in fit["latency"]["times"]:
    assert abs(time["time_us"] / model_us(time["bytes"]) - 1 - time["residual"]) < 1e-4, time
PYTHON

# A scenario takes the fragment, where this build has the network's section.
python3 - "$tmp/efa.json" >"$tmp/scenario.json" <<'PYTHON'
import json, sys
scenario = json.load(open("scenarios/tutorial.json"))
scenario.pop("expect", None)
json.dump(scenario | json.load(open(sys.argv[1])), sys.stdout)
PYTHON
if python3 -c 'import json, sys; sys.exit("network" not in json.load(open("scenarios/schema.json"))["properties"])'; then
  headroom run "$tmp/scenario.json" --quiet >/dev/null || fail "a scenario does not take the network's fragment"
else
  printf 'scenarios of this build have no section network: that one takes the fragment is not tried\n'
fi

# --- Refused ---
osu() {
  printf '# OSU MPI Latency Test v5.7.1\n# Size          Latency (us)\n'
  printf '%-10s%18s\n' "$@"
}
osu 0 0.25 1 0.26 2 0.26 4 0.27 >"$tmp/shm.txt"
expect() { # status what command...
  local status=$1 what=$2
  shift 2
  headroom calibrate "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
  local found=$?
  ((found == status)) || fail "calibrate $*: exit status $found, expected $status"
  grep -qF -- "$what" "$tmp/err" || fail "calibrate $*: does not say \"$what\" but: $(cat "$tmp/err")"
}
expect 1 'under 2 us can only be shared memory, and two hosts are claimed' "$tmp/shm.txt" "${efa[@]}" --out "$tmp/no.json"
expect 1 'can only be shared memory' "$tmp/shm.txt"
[[ ! -e $tmp/no.json ]] || fail "a refused measurement makes a fragment"
headroom calibrate "$tmp/shm.txt" --transport shm --quiet >/dev/null || fail "shared memory as such is refused"
headroom calibrate "$tmp/shm.txt" --claims-hosts 1 --quiet >/dev/null || fail "shared memory on one host is refused"

# --- Bad input ---
: >"$tmp/empty"
osu 0 17.23 8 17.2 >"$tmp/cut"
osu 8 17.23 4 17.25 >"$tmp/shrinks"
osu 8 -17.23 >"$tmp/negative"
head -c 120 "$data" >"$tmp/half"
head -c 4096 /dev/urandom | tr -d '\0' >"$tmp/noise"
expect 3 "$tmp/empty: empty" "$tmp/empty"
expect 3 "$tmp/cut:4: " "$tmp/cut"
expect 3 "$tmp/shrinks:4: found 4 bytes after 8" "$tmp/shrinks"
expect 3 "$tmp/negative:3: " "$tmp/negative"
expect 3 "$tmp/half:" "$tmp/half"
expect 3 "$tmp/noise: " "$tmp/noise"
expect 3 "$tmp/no-such: cannot be read" "$tmp/no-such"
expect 3 'is a directory' "$tmp"
expect 3 'expected efa, tcp or shm' "$data" --out "$tmp/no.json"
expect 3 'has no EFA' "$data" --instance-type c6i.xlarge --transport efa
expect 2 'FILE' --transport efa
expect 2 'transport' "$data" --transport roce
expect 2 'excludes' --boot "$data" --transport efa
expect 4 'cannot be written' "$data" "${efa[@]}" --out "$tmp/no-such-folder/no.json"
expect 3 'neither nodes.csv' --boot "$data"

# --- Boot times: what a simulated cluster was told is found again, and a scenario takes it ---
headroom run scenarios/lublin-on-pcs.json --max-jobs 300 --quiet --out "$tmp/run" --events >/dev/null || fail "the run failed"
headroom calibrate --boot "$tmp/run/nodes.csv" --quiet --out "$tmp/boot.json" >/dev/null || fail "no fit of nodes.csv"
headroom calibrate --boot "$tmp/run/nodes.csv" --quiet --format json >"$tmp/boot-fit.json" || fail "no JSON of nodes.csv"
headroom calibrate --boot "$tmp/run/events.jsonl" --quiet --out "$tmp/total.json" >/dev/null || fail "no fit of events.jsonl"
gzip -k "$tmp/run/events.jsonl"
headroom calibrate --boot "$tmp/run/events.jsonl.gz" --quiet >/dev/null || fail "no fit of events.jsonl.gz"
python3 - "$tmp" <<'PYTHON' || fail "boot times are not those of the scenario"
import csv, json, sys
folder = sys.argv[1]
boot = json.load(open(f"{folder}/boot.json"))["cloud"]["boot"]
assert boot["pending"] == {"uniform": [16, 18]}, boot
law = boot["bootstrap"]["lognormal"]
assert abs(law["mean"] - 71.9) < 2 and abs(law["sd"] - 12.2) < 2, law
fit = json.load(open(f"{folder}/boot-fit.json"))
rows = list(csv.DictReader(open(f"{folder}/run/nodes.csv")))
complete = sum(row["ready_s"] != "" for row in rows)
assert sum(row["complete"] for row in fit["rows"] if row["stage"] == "bootstrap") == complete, "boots are lost"
total = json.load(open(f"{folder}/total.json"))["cloud"]["boot"]
assert total["pending"] == 17 and "bootstrap" in total, total
scenario = json.load(open("scenarios/tutorial.json"))
scenario.pop("expect", None)
scenario["cloud"] = {**scenario.get("cloud", {}), "boot": boot}
json.dump(scenario, open(f"{folder}/booted.json", "w"))
PYTHON
headroom run "$tmp/booted.json" --quiet >/dev/null || fail "a scenario does not take the boot times"

# --- The MPI programs' own output, two ranks on this machine ---
pingpong=$(dirname -- "$binary")/mpi-tests/pingpong
if [[ -x $pingpong ]] && command -v mpirun >/dev/null; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
  if timeout 120 mpirun -n 2 --oversubscribe "$pingpong" --max-bytes 64K --time-limit 10 --json >"$tmp/pingpong.json" 2>"$tmp/err"; then
    headroom calibrate "$tmp/pingpong.json" --quiet --out "$tmp/own.json" >/dev/null || fail "our own JSON is not read"
    grep -q '"shm"' "$tmp/own.json" || fail "two ranks on one host are no shared memory: $(cat "$tmp/own.json")"
    expect 1 'are one host (one running kernel)' "$tmp/pingpong.json" --transport efa
  else
    fail "pingpong: $(head -n 3 "$tmp/err")"
  fi
else
  printf 'no mpi-tests/pingpong beside the binary, or no mpirun: its output is not tried\n'
fi
finish
