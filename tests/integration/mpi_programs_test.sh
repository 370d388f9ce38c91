#!/usr/bin/env bash
# The four MPI programs under Open MPI and MPICH: their documents against the schema, what was sent against what was counted,
# usage errors, output that appears whole or not at all.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=mpi_lib.sh
. "$tests/mpi_lib.sh"

# wrong FLAVOUR STATUS TEXT RANKS PROGRAM [ARGUMENT]...: ends so, says this once, and prints nothing.
wrong() {
  local flavour=$1 status=$2 text=$3 found=0
  shift 3
  "run_$flavour" "$@" >"$tmp/stdout" 2>"$tmp/stderr" || found=$?
  ((found == status)) || fail "$flavour: $*: exit status $found, expected $status"
  (($(grep -cF -- "$text" "$tmp/stderr") == 1)) || fail "$flavour: $*: not once \"$text\": $(head -n 5 "$tmp/stderr")"
  [[ ! -s $tmp/stdout ]] || fail "$flavour: $*: prints on stdout"
}

for flavour in "${flavours[@]}"; do
  run() { "run_$flavour" "$@"; }

  # 1. Every program, and documents that keep their promises.
  run 4 hello --json >"$tmp/hello.json" || fail "$flavour: hello"
  run 3 pingpong --json --max-bytes 64K --iterations 50 >"$tmp/pingpong.json" || fail "$flavour: pingpong"
  run 4 pingpong --json --max-bytes 4K --min-bytes 4K --iterations 20 --pairs 1-3,2-0 --no-streaming \
    >"$tmp/pairs.json" || fail "$flavour: pingpong --pairs"
  run 3 pingpong --json --max-bytes 8 --iterations 5 --pairs all-with-0 >"$tmp/star.json" ||
    fail "$flavour: pingpong --pairs all-with-0"
  run 4 allpairs --json --every-rank --pair-seconds 0.02 >"$tmp/even.json" || fail "$flavour: allpairs"
  run 3 allpairs --json --every-rank --pair-seconds 0.02 >"$tmp/odd.json" || fail "$flavour: allpairs, an odd number"
  run 2 allpairs --json >"$tmp/one-host.json" || fail "$flavour: allpairs on one host"
  run 3 allreduce --json --max-bytes 1K --size-seconds 0.05 >"$tmp/allreduce.json" || fail "$flavour: allreduce"
  check "$tmp" "$flavour" <<'PYTHON' || fail "$flavour: a document is not what it should be"
import sys
from check_mpi_result import load
folder, flavour = sys.argv[1:]
read = lambda name: load(f"{folder}/{name}.json")
hello = read("hello")
assert hello["mpi"]["vendor"] == flavour, hello["mpi"]
assert hello["result"]["ranks"] == 4 and hello["result"]["hosts"] == 1, hello["result"]
assert hello["result"]["layout_ok"], hello["result"]
for rank in hello["ranks"]:
    assert rank["sent_bytes"] == rank["received_bytes"] == 1024, rank
    assert rank["sent_bytes_off_host"] == 0, rank
pingpong = read("pingpong")["result"]["pairs"]
assert [(pair["a"], pair["b"], pair["errors"]) for pair in pingpong] == [(0, 2, 0)], pingpong
powers = [2**n for n in range(17)]
assert [size["bytes"] for size in pingpong[0]["sizes"]] == [0] + powers
assert [size["bytes"] for size in pingpong[0]["streaming"]] == powers
assert all(size["iterations"] <= 50 for size in pingpong[0]["sizes"])
pairs = read("pairs")
assert [(p["a"], p["b"]) for p in pairs["result"]["pairs"]] == [(1, 3), (2, 0)]
assert [s["bytes"] for p in pairs["result"]["pairs"] for s in p["sizes"]] == [4096, 4096]
assert all(not p["streaming"] for p in pairs["result"]["pairs"])
assert pairs["arguments"]["pairs"] == "1-3,2-0" and pairs["arguments"]["max-bytes"] == 4096
assert [(p["a"], p["b"]) for p in read("star")["result"]["pairs"]] == [(0, 1), (0, 2)]
assert read("even")["result"]["participants"] == [0, 1, 2, 3]
assert read("odd")["result"]["participants"] == [0, 1, 2]
lonely = read("one-host")["result"]
assert lonely["participants"] == [0] and lonely["pairs"] == [] and lonely["rounds"] == 0
reduced = read("allreduce")["result"]
assert [size["bytes"] for size in reduced["sizes"]] == [2**n for n in range(3, 11)] and reduced["errors"] == 0
PYTHON

  # 2. Text: two columns, as OSU's.
  run 2 pingpong --max-bytes 4 --iterations 5 >"$tmp/text" || fail "$flavour: pingpong as text"
  grep -qE '^# Size +Latency \(us\)$' "$tmp/text" || fail "$flavour: no heading: $(cat "$tmp/text")"
  grep -qE '^# Size +Bandwidth \(MB/s\)$' "$tmp/text" || fail "$flavour: no second heading: $(cat "$tmp/text")"
  (($(grep -cE '^[0-9]+ +[0-9]+\.[0-9]{2}$' "$tmp/text") == 7)) || fail "$flavour: not 4 + 3 rows: $(cat "$tmp/text")"

  # 3. Usage: one message, whatever the number of ranks.
  wrong "$flavour" 2 'pingpong: unknown option "--max-byte"' 3 pingpong --max-byte 8
  wrong "$flavour" 2 'pingpong: --max-bytes: found "lots"' 3 pingpong --max-bytes lots
  wrong "$flavour" 2 'pingpong: --pairs: found "0-3"' 3 pingpong --pairs 0-3
  wrong "$flavour" 2 'a rank has no pair with itself' 3 pingpong --pairs 1-1
  wrong "$flavour" 2 '--min-bytes is more than --max-bytes' 2 pingpong --min-bytes 16 --max-bytes 8
  wrong "$flavour" 2 'pingpong: needs at least 2 ranks, and there is 1' 1 pingpong
  wrong "$flavour" 2 'hello: unexpected argument "now"' 2 hello now
  run 2 allpairs --help >"$tmp/help" || fail "$flavour: --help"
  (($(grep -c '^usage:' "$tmp/help") == 1)) || fail "$flavour: --help is not printed once"
  run 2 hello --version | grep -qx 'hello [0-9.]*' || fail "$flavour: --version"

  # 4. Output: whole or not at all.
  run 2 hello --json --output "$tmp/new.json" >"$tmp/stdout" || fail "$flavour: --output"
  [[ ! -s $tmp/stdout ]] || fail "$flavour: --json --output prints, too"
  check "$tmp/new.json" <<'PYTHON' || fail "$flavour: the file of --output"
import sys
from check_mpi_result import load
assert load(sys.argv[1])["arguments"]["output"] == sys.argv[1]
PYTHON
  run 2 hello --output "$tmp/new.json" | grep -q '^Hello from rank 1' || fail "$flavour: --output alone prints no text"
  wrong "$flavour" 4 "$tmp/absent/new.json: No such file or directory" 2 hello --json --output "$tmp/absent/new.json"
  mkdir -p "$tmp/folder.json"
  wrong "$flavour" 4 "$tmp/folder.json: Is a directory" 2 hello --json --output "$tmp/folder.json"
  [[ -z $(find "$tmp" -name '*.part-*') ]] || fail "$flavour: leaves $(find "$tmp" -name '*.part-*')"

  # 5. The layout that was asked for.
  run 2 hello --json --expect-hosts 1 --expect-per-host 2 >"$tmp/asked.json" || fail "$flavour: the layout that is there"
  run 2 hello --json --expect-hosts 2 --expect-per-host 1 >"$tmp/missed.json" 2>/dev/null
  (($? == 1)) || fail "$flavour: another layout than asked for is no failure"
  check "$tmp" <<'PYTHON' || fail "$flavour: layouts"
import sys
from check_mpi_result import load
asked = load(f"{sys.argv[1]}/asked.json")["result"]
assert asked["asked"] == {"ranks": 2, "hosts": 1, "per_host": 2} and asked["layout_ok"], asked
missed = load(f"{sys.argv[1]}/missed.json")["result"]
assert not missed["layout_ok"] and "hosts: 2 asked for, 1 found" in missed["problems"], missed
PYTHON

  # 6. Time limits end what would take long, and say what is missing.
  run 2 pingpong --json --max-bytes 16M --time-limit 0.02 >"$tmp/hasty.json" || fail "$flavour: --time-limit"
  run 3 allpairs --json --every-rank --time-limit 0 >"$tmp/no-time.json" || fail "$flavour: allpairs --time-limit"
  check "$tmp" <<'PYTHON' || fail "$flavour: time limits"
import sys
from check_mpi_result import load
pair = load(f"{sys.argv[1]}/hasty.json")["result"]["pairs"][0]
assert pair["sizes_left_out"], "nothing was left out"
assert 16777216 in pair["sizes_left_out"], pair["sizes_left_out"]
assert len(pair["sizes"]) + len(pair["streaming"]) + len(pair["sizes_left_out"]) == 26 + 25
assert load(f"{sys.argv[1]}/no-time.json")["result"]["rounds_left_out"] == 3
PYTHON
done

# 7. Without CMake, with the compiler wrapper alone: as the README says.
wrapper=$(first_of mpicxx.mpich mpicxx.openmpi mpicxx) || fail "no compiler wrapper"
if ! $wrapper -std=c++20 -O1 -pthread -I. mpi-tests/hello.cpp mpi-tests/common/*.cpp -o "$tmp/hello" 2>"$tmp/stderr"; then
  fail "$wrapper alone does not build hello: $(head -n 5 "$tmp/stderr")"
fi
"$tmp/hello" | grep -q '^Hello from rank 0' || fail "hello of $wrapper"
finish
