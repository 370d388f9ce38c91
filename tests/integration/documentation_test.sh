#!/usr/bin/env bash
# docs/output.md names every key and column that a run writes, and no other; its example is what the command prints.
# docs/journal.md is enough to read a journal: this test's reader is written from the page.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

headroom run scenarios/tutorial.json --quiet --out "$tmp/out" --journal "$tmp/tutorial.hrj" >/dev/null || fail "the run failed"
headroom run scenarios/placement-effect.json --quiet --out "$tmp/network" >/dev/null || fail "the run of placement-effect failed"

python3 - "$tmp/out" "$tmp/network" <<'PYTHON' || fail "docs/output.md"
import json, re, sys
folder, with_network = sys.argv[1:]
of_network = ["leaves", "diameter_hops", "mean_hops", "network_node", "stretch", "transport"]
page = open("docs/output.md").read()
wrong = []

def documented(section):
    """The names in the first column of a section's table; `.p90` after `wait_s.mean` is wait_s.p90."""
    body = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", page, re.M | re.S).group(1)
    names = []
    for row in re.findall(r"^\| (`.*?) \|", body, re.M):
        first = None
        for name in re.findall(r"`([^`]+)`", row):
            first = first or name
            names.append(first.rsplit(".", 1)[0] + name if name.startswith(".") else name)
    return names

def flat(value, path=""):
    if isinstance(value, dict):
        names_follow = path in ("by_queue", "by_node_group", "by_user") or re.fullmatch(r"network\.\w+", path)
        for key, entry in value.items():
            yield from flat(entry, f"{path}.{'*' if names_follow else key}".lstrip("."))
    elif isinstance(value, list):
        for entry in value:
            yield from flat(entry, path + "[]")
    else:
        yield path

for section in ("jobs.csv", "nodes.csv", "timeline.csv"):
    columns = open(f"{with_network}/{section}").readline().strip().split(",")
    if documented(section) != columns:
        wrong.append(f"{section} has the columns {columns}, the page {documented(section)}")
    columns = [column for column in columns if column not in of_network]
    if open(f"{folder}/{section}").readline().strip().split(",") != columns:
        wrong.append(f"{section} of a run without a network has other columns than {columns}")
keys = set(flat(json.load(open(f"{folder}/summary.json"))))
if any(key.startswith("network") for key in keys):
    wrong.append("summary.json of a run without a network tells of one")
keys |= set(flat(json.load(open(f"{with_network}/summary.json"))))
listed = set(documented("summary.json"))
if keys - listed:
    wrong.append(f"keys that the page does not have: {sorted(keys - listed)}")
sometimes = {"interrupted"} | {f"jobs.rejected_by_reason.{why}" for why in ("account", "qos", "limits", "partition", "resources", "reservation")}
sometimes |= {key for key in listed if key.startswith("preemption.")}  # tests/unit/slurm_preemption_report_test.cpp
sometimes |= {key for key in listed if key.startswith("operations[]")}  # tests/unit/operations_test.cpp
# tests/unit/bill_test.cpp and meter_test.cpp
sometimes |= {key for key in listed if key.startswith(("budgets[]", "launch_failures.", "losses."))}
if listed - keys - sometimes:
    wrong.append(f"keys that summary.json does not have: {sorted(listed - keys - sometimes)}")

example = re.search(r"^```console\n(.*?)^```", page, re.M | re.S).group(1)
for count, name, text in re.findall(r"^\$ head -n (\d+) out/(\S+)\n((?:[^$].*\n)*)", example, re.M):
    if text != "".join(open(f"{folder}/{name}").readlines()[:int(count)]):
        wrong.append(f"the example from {name} is not what it holds")
for text in wrong:
    print("  " + text)
sys.exit(bool(wrong))
PYTHON

# docs/views.md: its example is what the command prints, and it names every key and no other.
headroom run scenarios/tutorial.json --at 5m >"$tmp/view" || fail "run --at failed"
headroom run scenarios/fair-share.json --at 3d --show queue,nodes,priority,shares --format json >"$tmp/view.json" ||
  fail "run --at --format json failed"
python3 - "$tmp" <<'PYTHON' || fail "docs/views.md"
import json, re, sys
page = open("docs/views.md").read()
example = re.search(r"^```console\n\$ headroom run scenarios/tutorial.json --at 5m\n(.*?)^```", page, re.M | re.S).group(1)
assert example == open(f"{sys.argv[1]}/view").read(), "the example is not what the command prints"
found = json.load(open(f"{sys.argv[1]}/view.json"))
assert list(found) == ["schema", "scenario", "views"] and found["schema"] in page, list(found)
rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page.split("## JSON", 1)[1], re.M))
assert list(found["views"][0]) == list(rows), f"a view has {list(found['views'][0])}, the page {list(rows)}"
for key in ("queue", "nodes", "priority", "shares"):
    names = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", rows[key]))
    assert list(found["views"][0][key][0]) == names, f"{key} has {list(found['views'][0][key][0])}, the page {names}"
PYTHON

# docs/check.md: its example is what the command prints, and it names every key of the JSON and no other.
headroom check tests/data/designs/bad/login.json >"$tmp/check" && fail "check found nothing"
headroom check tests/data/designs/bad/login.json no-such.json --format json >"$tmp/check.json" 2>/dev/null && fail "check found nothing"
python3 - "$tmp" <<'PYTHON' || fail "docs/check.md"
import json, re, sys
page = open("docs/check.md").read()
example = re.search(r"^```console\n\$ headroom check tests/data/designs/bad/login.json\n(.*?)^```", page, re.M | re.S).group(1)
assert example == open(f"{sys.argv[1]}/check").read(), "the example is not what the command prints"
found = json.load(open(f"{sys.argv[1]}/check.json"))
rows = re.findall(r"^\| (`.*?) \| (.*) \|$", page.split("is an object:", 1)[1].split("\n\n", 2)[1], re.M)
keys = [key for names, _ in rows for key in re.findall(r"`(\w+)`", names)]
assert list(found) == keys and found["schema"] in page, f"the object has {list(found)}, the page {keys}"
inner = {re.findall(r"`(\w+)`", names)[0]: re.findall(r"`(\w+)`", text) for names, text in rows}
for key in ("violations", "unreadable"):
    assert list(found[key][0]) == inner[key], f"{key} has {list(found[key][0])}, the page {inner[key]}"
PYTHON

python3 - "$tmp/tutorial.hrj" "$(digest_of "$tmp/out")" <<'PYTHON' || fail "docs/journal.md"
import ctypes, json, re, sys
journal, digest = open(sys.argv[1], "rb").read(), sys.argv[2]
page = open("docs/journal.md").read()
magic = b"headroom.journal/1\n"
assert journal.startswith(magic), "magic"
at = len(magic) + 8
length = int.from_bytes(journal[len(magic):at], "little")
assert json.loads(journal[at:at + length])["name"] == "tutorial", "scenario"
first = at + length
mark = b"\nheadroom.journal.end "
trailer = journal[-(len(mark) + 53):]
assert trailer.startswith(mark) and trailer.endswith(b"\n"), "trailer"
recorded, step_count, scenario_hash, ending = trailer[len(mark):].decode().split()
assert ending == "c", f"a complete run is marked {ending}"
assert recorded == digest, f"the trailer's digest is {recorded}, the summary's {digest}"
steps = journal[first:-len(trailer)]

position = 0
def number():
    global position
    value = shift = 0
    while True:
        byte = steps[position]
        position += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value

time, read, jobs, ends, alive = 0, 0, 0, [], set()
while position < len(steps):
    time += number()
    read += 1
    for _ in range(number()):
        kind, subject = number(), number()
        assert kind <= 8, f"stimulus {kind}"
        if kind == 0:
            assert subject == jobs, "jobs arrive in order"
            jobs += 1
            request = [number() for _ in range(7)]
            assert request[6] < 8, f"flags {request[6]}"
            shape = [number() for _ in range(3)] if request[6] & 2 else [0, 0, 0]
            terms = [number() for _ in range(13)] if request[6] & 4 else []
            dependencies = [[number() for _ in range(3)] for _ in range(terms[-1])] if terms else []
        else:
            detail = number()
            if kind == 1:
                ends.append((subject, time, detail))
    for _ in range(number()):
        kind, subject, detail, shares = number(), number(), number(), number()
        assert kind <= 7, f"command {kind}"
        nodes = [(number(), number())[0] for _ in range(shares)]
        alive = alive | set(nodes) if kind == 3 else alive - set(nodes) if kind == 4 else alive
assert read == int(step_count, 16), f"{read} steps, the trailer says {int(step_count, 16)}"
assert ends == [(0, 147_000_000, 0), (1, 439_000_000, 0)], f"jobs end at {ends}"
assert alive == {0}, f"nodes {alive} are left, expected the login node"

# The page has every kind that the engine has, with its number.
source = open("engine/news.hpp").read()
for struct in ("Stimulus", "Command"):
    body = re.search(rf"^struct {struct} {{\n  enum class Kind : std::uint8_t {{\n(.*?)  }};", source, re.M | re.S).group(1)
    kinds = re.findall(r"^    (\w+),", body, re.M)
    listed = re.findall(r"^\| `(\w+)` \| (\d+) \|", page.split(f"| {struct.lower()} | kind |", 1)[1].split("\n\n", 1)[0], re.M)
    assert listed == [(kind, str(n)) for n, kind in enumerate(kinds)], f"{struct}: the page has {listed}, the engine {kinds}"

example = page.split("### Example", 1)[1].split("## Digest", 1)[0]
dump = bytes.fromhex("".join(
    re.match(r"^    +((?:[0-9a-f]{2} ?)+)(?: |$)", line).group(1) for line in example.splitlines() if line.startswith("    ")))
assert steps.startswith(dump), "the example is not how the tutorial's journal begins: " + steps[:len(dump)].hex(" ")

try:
    xxhash = ctypes.CDLL("libxxhash.so.0")
except OSError:
    print("without libxxhash.so.0: the digest is not recomputed")
else:
    xxhash.XXH3_64bits.restype = ctypes.c_uint64
    xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    found = f"{xxhash.XXH3_64bits(steps, len(steps)):016x}"
    assert found == digest, f"XXH3 of the steps is {found}, the digest {digest}"
    found = f"{xxhash.XXH3_64bits(journal[at:first], length):016x}"
    assert found == scenario_hash, f"XXH3 of the scenario is {found}, the trailer says {scenario_hash}"
PYTHON
finish
