#!/usr/bin/env bash
# A recorded run, re-driven through the core, agrees; a damaged journal never does, and never crashes the reader.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

scenarios=(tutorial lublin-on-pcs)
if trace KTH-SP2-1996-2.swf.zst >/dev/null; then
  scenarios+=(kth-easy-pool kth-on-pcs)
else
  printf 'without KTH-SP2-1996-2.swf.zst in HEADROOM_TRACES: synthetic workloads only\n'
fi

for scenario in "${scenarios[@]}"; do
  headroom run "scenarios/$scenario.json" --quiet --journal "$tmp/$scenario.hrj" --out "$tmp/$scenario" >/dev/null ||
    fail "$scenario: the run failed"
  digest=$(digest_of "$tmp/$scenario")
  replayed=$(headroom replay "$tmp/$scenario.hrj" --format json) || fail "$scenario: replay differs: $replayed"
  grep -q "\"agrees\": true, .*\"digest\": \"$digest\", \"recorded_digest\": \"$digest\"" <<<"$replayed" ||
    fail "$scenario: the run's digest is $digest, replay says $replayed"
done
# What scontrol update changes comes from outside, and is in the journal.
cat >"$tmp/updates.json" <<'JSON'
{
  "cluster": {"clusterName": "updates", "scheduler": {"type": "SLURM", "version": "25.05"}, "size": "SMALL"},
  "computeNodeGroups": [{"computeNodeGroupName": "nodes",
    "scalingConfiguration": {"minInstanceCount": 2, "maxInstanceCount": 2},
    "instanceConfigs": [{"instanceType": "c6i.xlarge"}]}],
  "queues": [{"queueName": "work", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "nodes"}]}],
  "scheduler": {"policy": "slurm"},
  "workload": {"jobs": [
    {"id": "long", "nodes": 1, "runTime": 900, "timeLimit": 1200, "exclusive": true},
    {"id": "cut", "nodes": 1, "runTime": 900, "timeLimit": 1200, "exclusive": true},
    {"id": "first", "nodes": 2, "exclusive": true, "submit": 10, "runTime": 60, "timeLimit": 120},
    {"id": "second", "nodes": 2, "exclusive": true, "submit": 20, "runTime": 60, "timeLimit": 120}]},
  "operations": [
    {"at": 60, "action": "update", "job": "cut", "settings": {"TimeLimit": "2"}},
    {"at": 70, "action": "update", "job": "second", "settings": {"Nice": -100}},
    {"at": 80, "action": "update", "queue": "work", "settings": {"State": "DOWN"}},
    {"at": 3000, "action": "update", "queue": "work", "settings": {"State": "UP"}}]
}
JSON
headroom run "$tmp/updates.json" --quiet --journal "$tmp/updates.hrj" --out "$tmp/updates" >/dev/null ||
  fail "updates: the run failed"
awk -F, '
  { start[$1] = $8; state[$1] = $13 }
  END { exit !(state["cut"] == "TIMEOUT" && start["second"] >= 3000 && start["second"] < start["first"]) }
' "$tmp/updates/jobs.csv" || fail "updates: they did not count: $(<"$tmp/updates/jobs.csv")"
replayed=$(headroom replay "$tmp/updates.hrj" --format json) || fail "updates: replay differs: $replayed"
grep -q "\"agrees\": true, .*\"digest\": \"$(digest_of "$tmp/updates")\"" <<<"$replayed" ||
  fail "updates: replay says $replayed"
# Another value is another run: replayed against it the journal does not agree.
python3 - "$tmp/updates.hrj" "$tmp/changed.hrj" <<'PYTHON'
import sys
whole = open(sys.argv[1], "rb").read()
assert whole.count(b'"TimeLimit": "2"') + whole.count(b'"TimeLimit":"2"') == 1
open(sys.argv[2], "wb").write(whole.replace(b'"TimeLimit": "2"', b'"TimeLimit": "9"').replace(b'"TimeLimit":"2"', b'"TimeLimit":"9"'))
PYTHON
headroom replay "$tmp/changed.hrj" >/dev/null 2>&1 && fail "updates: replay agrees with another TimeLimit"

# The same digest with a journal as without.
headroom run scenarios/tutorial.json --quiet --out "$tmp/without" >/dev/null
[[ $(digest_of "$tmp/without") == "$(digest_of "$tmp/tutorial")" ]] || fail "recording a run changes it"

python3 - "$binary" "$tmp" <<'PYTHON' || fail "damaged journals"
import concurrent.futures, os, subprocess, sys
binary, tmp = sys.argv[1:]
whole = open(f"{tmp}/tutorial.hrj", "rb").read()
magic = b"headroom.journal/1\n"
length = int.from_bytes(whole[len(magic):len(magic) + 8], "little")
steps = len(magic) + 8 + length
trailer = whole.rindex(b"\nheadroom.journal.end ")

cases = []  # what, bytes, exit statuses allowed
for cut in sorted({*range(0, steps, 97), *range(steps - 3, len(whole), 3), len(whole) - 1, len(magic), len(magic) + 8}):
    cases.append((f"cut to {cut} of {len(whole)} bytes", whole[:cut], {3}))
for at in [*range(0, len(magic) + 8), *range(len(magic) + 8, steps, 41), *range(steps, len(whole))]:
    damaged = bytearray(whole)
    damaged[at] ^= 1 << (at * 5 % 8)
    cases.append((f"byte {at} changed to {damaged[at]:#04x}", bytes(damaged), {1, 3}))
cases += [
    ("a byte more at the end", whole + b"\n", {3}),
    ("a byte more before the trailer", whole[:trailer] + b"\0" + whole[trailer:], {1, 3}),
    ("one step left out", whole[:steps] + whole[trailer:], {1, 3}),
    ("two journals in one", whole + whole, {1, 3}),
    ("steps of nines", whole[:steps] + b"\xff" * 5000 + whole[trailer:], {1, 3}),
    ("steps of zeros", whole[:steps] + b"\0" * 5000 + whole[trailer:], {1, 3}),
    ("an endless scenario", magic + b"\xff" * 8 + whole[len(magic) + 8:], {3}),
    ("empty", b"", {3}),
    ("text", open("scenarios/README.md", "rb").read(), {3}),
    ("zeros", bytes(100_000), {3}),
]

def replay(number):
    what, content, allowed = cases[number]
    path = f"{tmp}/damaged-{number}.hrj"
    with open(path, "wb") as file:
        file.write(content)
    try:
        done = subprocess.run([binary, "replay", path], capture_output=True, text=True, errors="replace", timeout=60)
    except subprocess.TimeoutExpired:
        return f"{what}: no end within a minute"
    finally:
        os.remove(path)
    said = (done.stdout + done.stderr).strip()
    if done.returncode not in allowed:
        return f"{what}: exit status {done.returncode}, expected one of {sorted(allowed)}: {said[:300]}"
    if done.returncode == 1 and "THEY DIFFER" not in done.stdout:
        return f"{what}: exit status 1, but nothing says that they differ: {said[:300]}"
    if done.returncode == 3 and (path not in done.stderr or len(done.stderr.splitlines()) > 3):
        return f"{what}: not one message that names the file: {said[:300]}"
    return None

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    wrong = [text for text in pool.map(replay, range(len(cases))) if text]
for text in wrong[:15]:
    print("  " + text)
print(f"{len(cases)} damaged journals, {len(wrong)} of them not refused as they should be")
sys.exit(bool(wrong))
PYTHON

for path in "$tmp" "$tmp/no-such.hrj"; do
  status=0
  message=$(headroom replay "$path" 2>&1 >/dev/null) || status=$?
  [[ $status == 3 && $message == *"$path"* ]] || fail "replay $path: exit status $status: $message"
done
finish
