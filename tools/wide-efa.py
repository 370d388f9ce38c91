#!/usr/bin/env python3
"""Renews docs/wide-efa.md and its picture from many runs of scenarios/wide-efa.json, or tells whether they are in step.

    tools/wide-efa.py [--check] [--seeds N] HEADROOM

HEADROOM is the binary. Three variants, each with seeds 1 to N (200): in a cluster placement group, without one, and with a
capacity reservation inside the group. Prints the table. With other seeds than 200 nothing is written. Exit status: 0 renewed or
in step, 1 not in step.
"""
import argparse
import csv
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
scenario = os.path.join(root, "scenarios", "wide-efa.json")
page = os.path.join(root, "docs", "wide-efa.md")
picture = os.path.join(root, "docs", "wide-efa.svg")
SEEDS = 200
HOUR = 3600.0
NEVER = math.inf
RESERVATION = ('capacityReservations=[{"id":"cr-cfd","instanceType":"hpc6a.48xlarge","availabilityZone":"us-east-2b",'
               '"instanceCount":64,"placementGroup":"cfd","end":"34h"}]')
VARIANTS = [
    ("placement group", [], "#1b6ca8"),
    ("no placement group", ["--set", "computeNodeGroups[0].customLaunchTemplate.id=lt-efa-anywhere"], "#c8553d"),
    ("reservation in the group", ["--set", RESERVATION], "#4a7c59"),
]


def run(headroom, changes, seed):
    """What the wide jobs of one run came to: waits (never: infinite), run times, distances; and the run's summary."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([headroom, "run", scenario, "--quiet", "--seed", str(seed), "--out", folder, *changes],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("seed %d: %s" % (seed, done.stderr))
        with open(os.path.join(folder, "jobs.csv"), newline="") as file:
            jobs = [job for job in csv.DictReader(file) if job["queue"] == "wide"]
        with open(os.path.join(folder, "summary.json")) as file:
            summary = json.load(file)
        # Pairs of all jobs are in the summary; of the wide ones alone they follow from their nodes.
        leaf_of = {}
        with open(os.path.join(folder, "nodes.csv"), newline="") as file:
            for node in csv.DictReader(file):
                leaf_of.setdefault(node["node"], []).append((float(node["launch_s"]), node["network_node"]))
        return [(job, pairs(job, leaf_of)) for job in jobs], summary


def expand(node_list):
    """wide-[1-3,7] -> wide-1 wide-2 wide-3 wide-7"""
    for name, ranges in re.findall(r"([A-Za-z][A-Za-z0-9-]*?-)(\[[0-9,-]+\]|[0-9]+)(?:,|$)", node_list):
        for part in ranges.strip("[]").split(","):
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield name + str(number)


def pairs(job, leaf_of):
    """Pairs of the job's nodes by hops: names of network nodes tell the way, nn-ZONE-1-3-2."""
    if not job["start_s"]:
        return {}
    paths = []
    for node in expand(job["node_list"]):
        own = [leaf for launch, leaf in leaf_of[node] if launch <= float(job["start_s"])]
        paths.append(own[-1].split("-")[-3:])
    counts = {}
    for i, a in enumerate(paths):
        for b in paths[i + 1:]:
            common = next((n for n in range(3) if a[n] != b[n]), 3)
            counts[2 * (4 - common)] = counts.get(2 * (4 - common), 0) + 1
    mean = sum(hops * n for hops, n in counts.items()) / sum(counts.values())
    if abs(mean - float(job["mean_hops"])) > 1e-9:
        sys.exit("%s: mean_hops is %s, its nodes say %s" % (job["job_id"], job["mean_hops"], mean))
    return counts


def wilson(share, n, z=1.96):
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def quantile(values, q):
    """The smallest value that so large a share does not exceed: right where some are infinite, too."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def minutes(seconds):
    return "not in the run" if seconds == NEVER else "%.1f min" % (seconds / 60) if seconds < HOUR else "%.1f h" % (seconds / HOUR)


def study(headroom, seeds):
    with open(scenario) as file:
        run_time = {job["id"]: job["runTime"] for job in json.load(file)["workload"]["jobs"]}
    results = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for name, changes, color in VARIANTS:
            runs = list(pool.map(lambda seed: run(headroom, changes, seed), range(1, seeds + 1)))
            jobs = [each for wide, _ in runs for each in wide]
            ran = [(job, hops) for job, hops in jobs if job["start_s"]]
            waits = [float(job["wait_s"]) if job["start_s"] else NEVER for job, _ in jobs]
            hops = {}
            for _, counts in ran:
                for apart, n in counts.items():
                    hops[apart] = hops.get(apart, 0) + n
            all_pairs = sum(hops.values())
            slower = [float(job["run_s"]) / run_time[job["job_id"]] for job, _ in ran if job["state"] == "COMPLETED"]
            results.append({
                "name": name, "color": color, "waits": waits, "share": sum(w <= HOUR for w in waits) / len(waits),
                "hops": {apart: n / all_pairs for apart, n in sorted(hops.items())},
                "leaves": sum(int(job["leaves"]) for job, _ in ran) / len(ran),
                "mean_hops": sum(float(job["mean_hops"]) for job, _ in ran) / len(ran),
                "slower": slower,
                "cost": sum(summary["cost_usd"]["total"] for _, summary in runs) / len(runs),
                "unused": sum(summary["cost_usd"]["reservations"] for _, summary in runs) / len(runs),
                "refused": sum(summary["nodes"]["launch_failures"] for _, summary in runs) / len(runs),
            })
    return results


def table(results, seeds):
    head = ["", *(r["name"] for r in results)]
    rows = [
        ["jobs that start within an hour", *("%.1f %%" % (100 * r["share"]) for r in results)],
        ["95 % confidence interval", *("%.1f to %.1f %%" % tuple(100 * x for x in wilson(r["share"], seeds)) for r in results)],
        ["time until all 64 nodes are there, median", *(minutes(quantile(r["waits"], 0.5)) for r in results)],
        ["the same, 90 % of the jobs", *(minutes(quantile(r["waits"], 0.9)) for r in results)],
        ["jobs that never start", *("%.1f %%" % (100 * r["waits"].count(NEVER) / len(r["waits"])) for r in results)],
        ["pairs of nodes 2 / 4 / 6 hops apart",
         *(" / ".join("%.1f" % (100 * r["hops"].get(h, 0)) for h in (2, 4, 6)) + " %" for r in results)],
        ["hops between two nodes of a job, mean", *("%.2f" % r["mean_hops"] for r in results)],
        ["last network nodes under a job, mean", *("%.1f" % r["leaves"] for r in results)],
        ["run time over that in the scenario, median / 90 %",
         *("%.3f / %.3f" % (quantile(r["slower"], 0.5), quantile(r["slower"], 0.9)) for r in results)],
        ["launches refused in a run, mean", *("%.0f" % r["refused"] for r in results)],
        ["cost of a run, mean", *("%.0f USD" % r["cost"] for r in results)],
        ["of it for a reservation that is not used", *("%.0f USD" % r["unused"] for r in results)],
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def svg(results):
    """On the left what share of the jobs has its nodes after so long; on the right how far apart they are."""
    left, top, width, height = 60, 46, 380, 240
    shortest, longest = 60.0, 24 * HOUR
    x = lambda s: left + width * (math.log(max(s, shortest)) - math.log(shortest)) / (math.log(longest) - math.log(shortest))
    y = lambda share: top + height * (1 - share)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 360" font-family="sans-serif" font-size="12">',
           '<rect width="860" height="360" fill="#ffffff"/>',
           '<text x="%d" y="22" font-size="14" font-weight="bold">Jobs of 64 nodes that have all of them</text>' % left]
    for share in (0, 0.25, 0.5, 0.75, 1):
        out.append('<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#dddddd"/>' % (left, y(share), left + width, y(share)))
        out.append('<text x="%d" y="%.1f" text-anchor="end" fill="#444444">%d %%</text>' % (left - 8, y(share) + 4, 100 * share))
    for seconds, name in ((60, "1 min"), (600, "10 min"), (HOUR, "1 h"), (6 * HOUR, "6 h"), (24 * HOUR, "24 h")):
        dash = ' stroke-dasharray="4 3"' if seconds == HOUR else ""
        out.append('<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s"%s/>'
                   % (x(seconds), top, x(seconds), top + height, "#888888" if seconds == HOUR else "#eeeeee", dash))
        out.append('<text x="%.1f" y="%d" text-anchor="middle" fill="#444444">%s</text>' % (x(seconds), top + height + 18, name))
    out.append('<text x="%d" y="%d" text-anchor="middle" fill="#444444">after its submission</text>'
               % (left + width / 2, top + height + 36))
    for r in results:
        waits = sorted(w for w in r["waits"] if w <= longest)
        path = "M%.1f %.1f" % (left, y(0))
        for i, wait in enumerate(waits, 1):
            path += " H%.1f V%.1f" % (x(wait), y(i / len(r["waits"])))
        out.append('<path d="%s H%.1f" fill="none" stroke="%s" stroke-width="2.5"/>' % (path, left + width, r["color"]))
    bars = left + width + 90
    out.append('<text x="%d" y="22" font-size="14" font-weight="bold">Pairs of their nodes, by hops</text>' % (bars - 30))
    for g, apart in enumerate((2, 4, 6)):
        for k, r in enumerate(results):
            share = r["hops"].get(apart, 0)
            at = bars + 105 * g + 26 * k
            out.append('<rect x="%d" y="%.1f" width="22" height="%.1f" fill="%s"/>'
                       % (at, y(share), top + height - y(share), r["color"]))
            out.append('<text x="%d" y="%.1f" text-anchor="middle" font-size="10" fill="#444444">%.0f</text>'
                       % (at + 11, y(share) - 4, 100 * share))
        out.append('<text x="%d" y="%d" text-anchor="middle" fill="#444444">%d hops</text>'
                   % (bars + 105 * g + 37, top + height + 18, apart))
    out.append('<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#888888"/>' % (bars - 12, top + height, bars + 300, top + height))
    out.append('<text x="%d" y="%d" text-anchor="middle" fill="#444444">per cent of the pairs</text>'
               % (bars + 142, top + height + 36))
    for k, r in enumerate(results):
        out.append('<rect x="%d" y="338" width="14" height="10" fill="%s"/>' % (left + 250 * k, r["color"]))
        out.append('<text x="%d" y="347" fill="#222222">%s</text>' % (left + 20 + 250 * k, r["name"]))
    return "\n".join(out) + "\n</svg>\n"


def replace(path, text):
    with open(path + ".part", "w") as out:
        out.write(text)
    os.replace(path + ".part", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("headroom")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        parser.error("--seeds: expected 1 or more")
    results = study(os.path.abspath(arguments.headroom), arguments.seeds)
    made = table(results, arguments.seeds)
    print(made, end="")
    if arguments.seeds != SEEDS:
        return
    text = open(page).read()
    pattern = re.compile(r"(<!-- runs: begin -->\n\n).*?(<!-- runs: end -->)", re.S)
    if not pattern.search(text):
        sys.exit("docs/wide-efa.md has no place for the table")
    text = pattern.sub(lambda m: m[1] + made + "\n" + m[2], text)
    drawn = svg(results)
    if arguments.check:
        if text != open(page).read() or not os.path.exists(picture) or drawn != open(picture).read():
            print("docs/wide-efa.md or its picture is not in step with the runs; renew them with tools/wide-efa.py")
            sys.exit(1)
        return
    replace(page, text)
    replace(picture, drawn)


main()
