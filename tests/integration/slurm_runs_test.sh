#!/usr/bin/env bash
# The policy slurm beside recorded runs of real Slurms, job by job: all tolerances are kept, and of the runs under an
# exact clock at least 98 % of the jobs are exact.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[[ -n ${HEADROOM_SHARED-} ]] || skip "HEADROOM_SHARED is not set: no recorded runs"
shopt -s nullglob
recordings=("$HEADROOM_SHARED"/data/slurm/*.json)
((${#recordings[@]} > 0)) || skip "no recorded runs in $HEADROOM_SHARED/data/slurm"

headroom check --slurm-run "${recordings[@]}" --format json >"$tmp/report.json" || fail "exit status $?"
python3 - "$tmp/report.json" <<'PYTHON' || fail "the recorded runs are not met"
import json, sys
report = json.load(open(sys.argv[1]))
for tolerance in report["tolerances"]:
    if not tolerance["kept"]:
        print("missed: {clock}: {limit}: {measured}".format(**tolerance))
exact = [run for run in report["runs"] if run["clock"] == "exact"]
jobs = sum(run["jobs"] for run in exact)
met = sum(run["exact"] for run in exact)
print(f"{len(report['runs'])} runs; under an exact clock {met} of {jobs} jobs are exact")
for run in exact:
    for difference in run["differences"]:
        print("{}: {job}: expected {expected}; happened {happened}; {why}".format(run["name"], **difference))
sys.exit(not (report["passed"] and jobs > 0 and met >= 0.98 * jobs))
PYTHON
finish
