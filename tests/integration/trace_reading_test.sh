#!/usr/bin/env bash
# One log gives one run, however it is packed: plain, .gz, .zst, standard input, CRLF, unsorted lines.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# 400 made-up jobs, two of them at each submit time.
awk 'BEGIN {
  print "; Computer: made up"; print "; MaxProcs: 64"
  for (i = 1; i <= 400; i++)
    printf "%6d %8d -1 %6d %4d -1 -1 %4d %6d -1 %d %d 1 -1 1 -1 -1 -1\n",
      i, int((i - 1) / 2) * 100, (i * 7919) % 5000 + 1, (i * 31) % 64 + 1, (i * 31) % 64 + 1, (i * 7919) % 5000 + 100, i % 7 != 0, i % 5
}' >"$tmp/log.swf"
gzip -c "$tmp/log.swf" >"$tmp/log.swf.gz"
zstd -qc "$tmp/log.swf" >"$tmp/log.swf.zst"
{ head -n 100 "$tmp/log.swf" | gzip -c; tail -n +101 "$tmp/log.swf" | gzip -c; } >"$tmp/members.swf.gz"
{ head -n 100 "$tmp/log.swf" | zstd -qc; tail -n +101 "$tmp/log.swf" | zstd -qc; } >"$tmp/frames.swf.zst"
sed 's/$/\r/' "$tmp/log.swf" >"$tmp/crlf.swf"
{ printf '\xef\xbb\xbf'; cat "$tmp/log.swf"; } >"$tmp/mark.swf"
head -c -1 "$tmp/log.swf" >"$tmp/no-last-newline.swf"
sed 's/^  */\t/; s/  */ \t /g; s/$/  /' "$tmp/log.swf" >"$tmp/tabs.swf"
sed '/^;/!s/$/ 99 98/' "$tmp/log.swf" >"$tmp/wide.swf"
# What a file is called says nothing about what is in it.
cp "$tmp/log.swf.zst" "$tmp/misnamed.swf"

digest() { # LOG: prints the digest of a run on it
  headroom run scenarios/kth-easy-pool.json --quiet --format json --trace "$1" |
    sed -n 's/^  "digest": "\(.*\)",$/\1/p'
}

expected=$(digest "$tmp/log.swf")
[[ $expected =~ ^[0-9a-f]{16}$ ]] || fail "the plain log does not run"
for log in log.swf.gz log.swf.zst members.swf.gz frames.swf.zst crlf.swf mark.swf no-last-newline.swf tabs.swf wide.swf \
  misnamed.swf; do
  found=$(digest "$tmp/$log")
  [[ $found == "$expected" ]] || fail "$log: digest $found, expected $expected"
done
for log in log.swf log.swf.gz log.swf.zst; do
  found=$(digest - <"$tmp/$log")
  [[ $found == "$expected" ]] || fail "$log on standard input: digest $found, expected $expected"
  found=$(digest - < <(cat "$tmp/$log"))
  [[ $found == "$expected" ]] || fail "$log through a pipe: digest $found, expected $expected"
done

# Another compression of the named log is found too, beside the scenario or in HEADROOM_TRACES.
mkdir "$tmp/folder"
cp "$tmp/log.swf.gz" "$tmp/folder/only.swf.gz"
found=$(HEADROOM_TRACES="$tmp/nowhere:$tmp/folder" digest only.swf.zst)
[[ $found == "$expected" ]] || fail "HEADROOM_TRACES with only.swf.gz for only.swf.zst: digest $found"

# Jobs 8 and 18, each the second of its submit time, go to the end: sorting is stable, so that it restores the log.
{ grep -Ev '^ +(8|18) ' "$tmp/log.swf"; grep -E '^ +(8|18) ' "$tmp/log.swf"; } >"$tmp/unsorted.swf"
for log in log unsorted; do
  headroom run scenarios/kth-easy-pool.json --quiet --trace "$tmp/$log.swf" --out "$tmp/$log" >"$tmp/$log.txt" ||
    fail "$log.swf does not run"
  cut -d , -f 1,6,8 "$tmp/$log/jobs.csv" | sort -n >"$tmp/$log.starts"
done
cmp "$tmp/log.starts" "$tmp/unsorted.starts" || fail "an unsorted log gives other start times"
grep -Eq '^ +[12]  submitted out of order: sorted by submit time$' "$tmp/unsorted.txt" ||
  fail "unsorted log: the summary does not count the lines: $(grep order "$tmp/unsorted.txt")"
headroom trace info "$tmp/unsorted.swf" | grep -Eq '^ +[12] +submitted ' || fail "unsorted log: trace info does not count the lines"

headroom run scenarios/kth-easy-pool.json --quiet --trace "$tmp/wide.swf" | grep -Eq '^ +400  more than 18 columns' ||
  fail "columns beyond the 18th are ignored without a word"
finish
