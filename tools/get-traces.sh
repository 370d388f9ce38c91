#!/usr/bin/env bash
# Downloads workload logs from the Parallel Workloads Archive and checks them; tools/get-traces.sh -h says how.
set -euo pipefail

archive=${HEADROOM_ARCHIVE_URL:-https://www.cs.huji.ac.il/labs/parallel/workload}

# name, folder in the archive, SHA-256 of the *uncompressed* log: a recompressed file is still the same log.
# METACENTRUM-2009-2: the sum is of a copy without header lines; a file with them is refused.
logs=$(
  cat <<'EOT'
CTC-SP2-1996-3.1-cln      l_ctc_sp2       8e33a9b597e1ddda2d2164347bac08c9444e1a2620a7947df52f0a1622ec4cde
HPC2N-2002-2.2-cln        l_hpc2n         77b8993c73ae438385f6c0015708251f52dc316267b03ac19a406fbea2802afa
KTH-SP2-1996-2            l_kth_sp2       df76b94e5f670db52179688a98deec3e1887d10adb39f96c900b8e92abb386ab
KTH-SP2-1996-2.1-cln      l_kth_sp2       fba36494c4e4257f72182e8b629ebb0bcb054b3b82851ef957445bd627adcc87
LLNL-Thunder-2007-1.1-cln l_llnl_thunder  aad5a3120a6adf0342d46fb4830e022121cdfbd3de9ecdd9cf10145b8864b6a5
METACENTRUM-2009-2        l_metacentrum   ea27bbff7260e450f06ffce0fa0401b591e878a16afa1d289d9d14d28a20e4da
NASA-iPSC-1993-3.1-cln    l_nasa_ipsc     9d997a2c20a7f7b0b6d81638d756ce8b2c524c4f2e9ec78da36001743ca33d76
RICC-2010-2               l_ricc          986a2a12df85adc3c2a2eb80a31b4ff9a056b92637526ee53fb70637b1bf0518
UniLu-Gaia-2014-1         l_unilu_gaia    e4587af1ae104f023b49b7f6adcd1c5c1d3be42551848f71962dd2c1d49a78c0
EOT
)

usage() {
  cat <<EOT
usage: tools/get-traces.sh [--to DIR] [--timeout SECONDS] NAME...

Downloads workload logs into DIR (default: traces/ in this checkout) as NAME.swf.gz. A log is kept only when the
SHA-256 of its text is the one on record here; one that is there already and good is not downloaded again.
Without a NAME: lists the names.

  --timeout SECONDS   gives up when connecting, or a standstill, takes longer (default: 30)
  -h                  this text

Environment:
  HEADROOM_ARCHIVE_URL   another place with the archive's layout (https, http, or file with curl), e.g. a mirror

The logs come from the Parallel Workloads Archive, https://www.cs.huji.ac.il/labs/parallel/workload/, which makes them
freely available to researchers. It asks that work which uses them names the archive, cites
  D. G. Feitelson, D. Tsafrir, D. Krakov, "Experience with using the Parallel Workloads Archive",
  J. Parallel and Distributed Computing 74(10), 2014
and thanks who provided the log: the Acknowledge line in its header.

Exit status: 0 fine; 2 usage; 3 a log is not the one on record; 4 a download failed. Of several failures, the first.
EOT
}

say() {
  printf 'get-traces.sh: %s\n' "$1" >&2
}

usage_error() {
  say "$1"
  printf '\n' >&2
  usage >&2
  exit 2
}

to=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/traces
timeout=30
names=()
while (($# > 0)); do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --to)
      [[ -n ${2-} ]] || usage_error '--to needs a folder'
      to=$2
      shift
      ;;
    --timeout)
      [[ ${2-} =~ ^[1-9][0-9]{0,4}$ ]] || usage_error '--timeout needs a whole number of seconds'
      timeout=$2
      shift
      ;;
    -*) usage_error "unknown option: $1" ;;
    *) names+=("$1") ;;
  esac
  shift
done

if ((${#names[@]} == 0)); then
  awk '{ print $1 }' <<<"$logs"
  exit 0
fi

# All names are checked before the first download starts.
for name in "${names[@]}"; do
  awk -v name="$name" '$1 == name { found = 1 } END { exit !found }' <<<"$logs" ||
    usage_error "unknown log: $name (without a name this command lists them)"
done

if command -v curl >/dev/null; then
  # The transfer has stalled when it stays under 100 bytes a second for that long.
  download() {
    curl --fail --location --silent --show-error --connect-timeout "$timeout" --speed-limit 100 \
      --speed-time "$timeout" --output "$2" -- "$1"
  }
elif command -v wget >/dev/null; then
  download() {
    wget --no-verbose --tries=1 --timeout="$timeout" --output-document="$2" -- "$1"
  }
else
  say 'neither curl nor wget is installed'
  exit 4
fi

# SHA-256 of a log's text; a file that is no whole gzip file gives another sum, so it counts as a bad one.
sum_of() {
  { gzip -dc -- "$1" 2>/dev/null || printf 'broken'; } | sha256sum | cut -d ' ' -f 1
}

mkdir -p -- "$to" || {
  say "cannot make the folder $to"
  exit 4
}
# In the target's folder, so that the last step is a rename: a log appears whole or not at all.
part=$(mktemp -- "$to/.download.XXXXXX")
trap 'rm -f -- "$part"' EXIT

status=0
failed() {
  say "$2"
  ((status != 0)) || status=$1
}

fetch() {
  local name=$1 folder wanted found url file
  read -r folder wanted < <(awk -v name="$name" '$1 == name { print $2, $3 }' <<<"$logs")
  url=$archive/$folder/$name.swf.gz
  file=$to/$name.swf.gz

  if [[ -f $file ]]; then
    if [[ $(sum_of "$file") == "$wanted" ]]; then
      say "$file is there already"
      return
    fi
    say "$file is not the log on record; downloading it anew"
  fi

  say "$url"
  if ! download "$url" "$part"; then
    failed 4 "download failed: $url"
    return
  fi
  found=$(sum_of "$part")
  if [[ $found != "$wanted" ]]; then
    failed 3 "$name: SHA-256 of the text is $found, on record is $wanted; not kept"
    return
  fi
  # mktemp makes files that only the owner can read.
  chmod 644 -- "$part"
  mv -f -- "$part" "$file"
  say "$file: downloaded, SHA-256 as on record"
}

for name in "${names[@]}"; do
  fetch "$name"
done
exit "$status"
