#!/usr/bin/env python3
"""Renews the tables of docs/fidelity.md from the checks, or tells whether they are in step.

    tools/fidelity.py [--check] HEADROOM

HEADROOM is the binary. Recorded runs of Slurm are those of the project's own recorder (tests/data/recorded), and others in
$HEADROOM_SHARED/data/slurm; logs are in HEADROOM_TRACES. A table whose data is not there stays as it is. Exit status: 0 renewed
or in step, 1 not in step.
"""
import argparse
import collections
import glob
import json
import os
import re
import subprocess
import sys

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
page = os.path.join(root, "docs", "fidelity.md")
CLOCKS = {"exact": "exact", "recorded passes": "coarse, passes given", "drifting": "drifting", "coarse": "coarse"}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def check(headroom, files):
    done = subprocess.run([headroom, "check", "--slurm-run", *files, "--format", "json"], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def recorded_runs(headroom):
    files = sorted(glob.glob(os.path.join(os.environ.get("HEADROOM_SHARED", ""), "data", "slurm", "*.json")))
    if not files:
        return None
    report = check(headroom, files)
    groups = collections.OrderedDict()
    for run in report["runs"]:
        key = (run["name"].split(", run")[0].replace(" (exact clock)", ""), CLOCKS[run["clock"]])
        groups.setdefault(key, []).append(run)
    rows = []
    for (name, clock), runs in groups.items():
        total = lambda key: sum(run[key] for run in runs)
        jobs = total("jobs")
        rows.append([
            name, clock, len(runs), jobs,
            "%d (%.1f %%)" % (total("same_nodes"), 100 * total("same_nodes") / jobs),
            total("allocated_within_1s"), total("started_within_1s"), total("exact"), total("traced"),
            "%.3f / %.3f" % (max(r["allocation_error"]["median_s"] for r in runs),
                             max(r["allocation_error"]["max_s"] for r in runs)),
            "%.3f" % max(r["power_error"]["max_s"] for r in runs) if sum(r["node_resumes"]["recorded"] for r in runs) else "-",
        ])
    text = table(["recorded runs", "clock", "runs", "jobs", "same nodes", "given nodes within 1 s", "started within 1 s",
                  "exact", "traced to a race", "allocation error (s), median / largest", "power events (s), largest"], rows)
    text += "\nWhat they have to keep:\n\n"
    text += table(["clock", "limit", "measured", "kept"],
                  [[CLOCKS[t["clock"]], t["limit"], t["measured"], "yes" if t["kept"] else "**no**"]
                   for t in report["tolerances"]])
    text += "\nJobs that do not go as recorded under the exact clock:\n\n"
    text += table(["run", "job", "recorded", "simulated", "why"],
                  [[run["name"], d["job"], d["expected"], d["happened"], d["why"]]
                   for run in report["runs"] if run["clock"] == "exact" for d in run["differences"]])
    return text


def own_recordings(headroom):
    runs = check(headroom, sorted(glob.glob(os.path.join(root, "tests", "data", "recorded", "s*.json"))))["runs"]
    columns = ("jobs", "same_nodes", "allocated_within_1s", "started_within_1s", "exact", "traced")
    rows = [[run["name"].split(" 22.05")[0], *(run[c] for c in columns),
             "%d of %d" % (run["reasons"]["same"], run["reasons"]["compared"]) if run["reasons"]["compared"] else "-"]
            for run in runs]
    rows.append(["all", *(sum(run[c] for run in runs) for c in columns),
                 "%d of %d" % tuple(sum(run["reasons"][c] for run in runs) for c in ("same", "compared"))])
    text = table(["recording", "jobs", "same nodes", "given nodes within 1 s", "started within 1 s", "exact", "traced to a race",
                  "reasons as squeue showed them"], rows)
    text += "\nJobs that do not go as recorded, and are not traced to a race:\n\n"
    text += table(["recording", "job", "recorded", "simulated"],
                  [[run["name"].split(" 22.05")[0], d["job"], d["expected"], d["happened"]]
                   for run in runs for d in run["differences"] if not d["traced"]])
    return text


def published_results(headroom):
    rows = []
    for line in open(os.path.join(root, "tests", "integration", "published_results.txt")):
        if line.startswith("#"):
            continue
        scenario, log, jobs, published = line.split()[:4]
        done = subprocess.run([headroom, "run", os.path.join(root, "scenarios", scenario + ".json"), "--quiet", "--format",
                               "json"], capture_output=True, text=True)
        if done.returncode != 0:
            return None
        mean = json.loads(done.stdout)["bounded_slowdown"]["mean"]
        rows.append(["`%s`" % scenario, log, jobs, published, "%.10f" % mean, "%.0e" % abs(mean - float(published))])
    return table(["scenario", "log", "jobs", "published mean bounded slowdown", "simulated", "difference"], rows)


def theory(_):
    # The golden case of the check holds what it prints.
    rows = []
    for line in open(os.path.join(root, "tests", "golden", "check-theory", "stdout")):
        cells = re.split(r"\s{2,}", line.strip())
        if len(cells) == 8 and cells[1] == "mean wait":
            system, load = cells[0].split(", load ")
            rows.append([system, load, cells[3], cells[4], cells[5] + " to " + cells[6], cells[7]])
    return table(["queue", "load", "mean wait by theory (s)", "simulated (s)", "interval", ""], rows)


def names(text):
    return [line.split(" | ")[0] for line in text.split("\n\n")[0].splitlines()[2:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("headroom")
    arguments = parser.parse_args()
    text = open(page).read()
    for name, make in (("recorded runs", recorded_runs), ("own recordings", own_recordings),
                       ("published results", published_results), ("theory", theory)):
        made = make(arguments.headroom)
        if made is None:
            print("no data for the table of %s: it stays as it is" % name)
            continue
        pattern = re.compile(r"(<!-- %s: begin -->\n\n).*?(<!-- %s: end -->)" % (name, name), re.S)
        if not pattern.search(text):
            sys.exit("docs/fidelity.md has no place for the table of " + name)
        if name != "own recordings" and arguments.check and names(made) != names(pattern.search(text)[0].split(" begin -->\n\n")[1]):
            print("other %s than the page's: not compared" % name)
            continue
        text = pattern.sub(lambda m: m[1] + made + "\n" + m[2], text)
    if arguments.check:
        if text != open(page).read():
            print("docs/fidelity.md is not in step with the checks; renew it with tools/fidelity.py")
            sys.exit(1)
        sys.exit(0)
    with open(page + ".part", "w") as out:
        out.write(text)
    os.replace(page + ".part", page)


main()
