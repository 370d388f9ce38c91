#!/usr/bin/env bash
# The tables of docs/fidelity.md are what the checks give.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

tools/fidelity.py --check "$binary" ||
  fail "docs/fidelity.md is not in step"
finish
