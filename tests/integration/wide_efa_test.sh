#!/usr/bin/env bash
# The table and the picture of docs/wide-efa.md are what 600 runs give.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

python3 tools/wide-efa.py --check "$binary" >"$tmp/table" || {
  cat "$tmp/table"
  fail "docs/wide-efa.md is not in step"
}
finish
