#!/usr/bin/env python3
"""Recomputes a run directory from its own tables, independently of the program that wrote it.

usage: check_run_directory.py HEADROOM SCENARIO RUN_DIR [LOG]

Money and time are Decimal: sums of them must agree to the last digit. Only means and ratios, which are doubles in
summary.json, have a tolerance. With a log (SWF, plain or .zst) every record must be a job of the run, with the log's
submit time, width and run time; this supposes the map and the filter of kth-on-pcs.json. Prints what is wrong; exit
status 1 if anything is.
"""
import bisect
import collections
import csv
import json
import math
import os
import re
import subprocess
import sys
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

HOUR = Decimal(3600)
MICRO = Decimal("0.000001")
CLUSTER_INSTANCES = {"SMALL": 32, "MEDIUM": 512, "LARGE": 2048}  # PCS-3
FINAL = {"COMPLETED": "completed", "FAILED": "failed", "TIMEOUT": "timed_out", "NODE_FAIL": "node_failed",
         "CANCELLED": "cancelled", "REJECTED": "rejected"}

PARTS = {"busy": "busy_usd", "boot": "boot_usd", "idle": "idle_usd", "failed": "failed_usd"}
END_REASONS = {"END_OF_RUN", "SCHEDULER_REQUESTED", "UNHEALTHY_NODE", "BOOTSTRAP_FAILED", "EXTERNALLY_TERMINATED",
               "REPLACEMENT_REQUESTED", "NODE_GROUP_DELETION"}

NETWORK_LAYERS = 3  # of the fabrics in scenarios that are checked

errors = collections.Counter()


def check(holds, kind, *facts):
    """Prints the first few violations of a kind, counts the rest."""
    if holds:
        return
    errors[kind] += 1
    if errors[kind] <= 3:
        print(f"  {kind}: " + ", ".join(str(fact) for fact in facts))


def same(found, expected, kind, *facts):
    if found != expected:
        check(False, kind, *facts, f"found {found}, expected {expected}")


def close(found, expected, kind, tolerance=1e-9):
    found, expected = float(found), float(expected)
    if not abs(found - expected) <= tolerance * max(1.0, abs(expected)):
        check(False, kind, f"found {found}, expected {expected}")


def read_table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def decimals(row, *columns):
    for column in columns:
        row[column] = Decimal(row[column]) if row[column] != "" else None


def expand(node_list):
    """compute-[1-3,7],login-1 -> compute-1 compute-2 compute-3 compute-7 login-1"""
    names = []
    for name, ranges in re.findall(r"([A-Za-z][A-Za-z0-9-]*?-)(\[[0-9,-]+\]|[0-9]+)(?:,|$)", node_list):
        for part in ranges.strip("[]").split(","):
            first, _, last = part.partition("-")
            names += [f"{name}{i}" for i in range(int(first), int(last or first) + 1)]
    return names


def quantile(ordered, q):
    """R's type 7."""
    position = q * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def check_spread(spread, values, name):
    values = sorted(values)
    close(spread["mean"], math.fsum(values) / len(values), f"{name}.mean")
    for key, q in ("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("max", 1.0):
        close(spread[key], quantile(values, q), f"{name}.{key}")


def peak(periods):
    """The most of half-open periods at one time."""
    now = most = 0
    for _, change in sorted([(start, 1) for start, _ in periods] + [(end, -1) for _, end in periods]):
        now += change
        most = max(most, now)
    return most


def union(periods):
    total, until = Decimal(0), None
    for start, end in sorted(periods):
        if until is None or start > until:
            total, until = total + (end - start), end
        elif end > until:
            total, until = total + (end - until), end
    return total


def records_of(path):
    with open(path) as file:
        return [json.loads(line, parse_float=Decimal) for line in file]


def check_network(jobs, nodes, instances, launches, summary):
    """Leaves and hops of every job from its nodes' network nodes, whose names tell the way (nn-ZONE-1-3-2)."""
    same("network" in summary, "network_node" in (nodes[0] if nodes else {}), "columns of the network")
    if "network" not in summary:
        check(all("leaves" not in job for job in jobs), "columns of the network without one")
        return
    by_hops, by_leaves, by_diameter, wide = (collections.Counter() for _ in range(4))
    for job in jobs:
        paths = []
        for host in job["hosts"] if job["start_s"] is not None else []:
            leaf = instances[host][bisect.bisect_right(launches[host], job["start_s"]) - 1]["network_node"]
            if leaf:
                zone, *way = leaf.removeprefix("nn-").rsplit("-", NETWORK_LAYERS)
                paths.append((zone, *way))
        leaves = len(set(paths))
        same(job["leaves"], str(leaves) if leaves else "", "leaves", job["job_id"])
        pairs = collections.Counter()
        for i, a in enumerate(paths):
            for b in paths[i + 1:]:
                common = next((n for n in range(len(a)) if a[n] != b[n]), len(a))
                pairs[2 * (len(a) - common + 1)] += 1
        if not pairs:
            same((job["diameter_hops"], job["mean_hops"]), ("", ""), "hops of one node", job["job_id"])
            continue
        same(int(job["diameter_hops"]), max(pairs), "diameter_hops", job["job_id"])
        close(job["mean_hops"], sum(h * n for h, n in pairs.items()) / sum(pairs.values()), f"mean_hops {job['job_id']}")
        by_hops.update(pairs)
        by_leaves[leaves] += 1
        by_diameter[max(pairs)] += 1
        wide["jobs"] += 1
    network = summary["network"]
    same(network["jobs"], wide["jobs"], "network.jobs")
    for key, counts in ("pairs", by_hops), ("jobs_by_leaves", by_leaves), ("jobs_by_diameter", by_diameter):
        same(network[key], {str(k): n for k, n in sorted(counts.items())}, f"network.{key}")
    for hops, share in network["pair_share"].items():
        close(share, by_hops[int(hops)] / sum(by_hops.values()), f"network.pair_share {hops}")


def check_logs(folder, nodes, summary):
    """events.jsonl against nodes.csv, scheduler.jsonl against the number of jobs; where they were asked for."""
    if not os.path.exists(f"{folder}/events.jsonl"):
        return
    events = records_of(f"{folder}/events.jsonl")
    times = [event["time_s"] for event in events]
    same(times, sorted(times), "events are in the order of time")
    told = collections.defaultdict(dict)
    for event in events:
        same(event["event_timestamp"], int(event["time_s"]), "event_timestamp", event["time_s"])
        if event["status"] != "PENDING_REPLACEMENT" and event["details"]["instance_id"]:
            told[event["details"]["instance_id"]][event["status"]] = event
    same(sum(event["status"] == "LAUNCH_FAILED" for event in events), summary["nodes"]["launch_failures"], "LAUNCH_FAILED")
    same(dict(collections.Counter(e["details"]["ec2_error_code"] for e in events if e["status"] == "LAUNCH_FAILED")),
         summary["launch_failures"], "ec2_error_code")
    same(set(told), {node["instance_id"] for node in nodes}, "instances of events.jsonl")
    for node in nodes:
        own = told[node["instance_id"]]
        same(own["LAUNCHED"]["time_s"], node["launch_s"], "LAUNCHED", node["instance_id"])
        same(own["LAUNCHED"]["node_id"], node["node"], "node_id", node["instance_id"])
        same(own["LAUNCHED"]["details"]["instance_type"], node["instance_type"], "instance_type", node["instance_id"])
        same("ACTIVE" in own, node["ready_s"] is not None, "ACTIVE", node["instance_id"])
        same("TERMINATED" in own, node["end_reason"] != "END_OF_RUN", "TERMINATED", node["instance_id"])
        if "TERMINATED" in own:
            same((own["TERMINATED"]["time_s"], own["TERMINATED"]["reason"]), (node["end_s"], node["end_reason"]),
                 "TERMINATED", node["instance_id"])
    messages = [record["message"] for record in records_of(f"{folder}/scheduler.jsonl")]
    same(sum("_slurm_rpc_submit_batch_job" in message for message in messages), summary["jobs"]["submitted"],
         "submissions in scheduler.jsonl")
    same(sum("Requeuing" in message for message in messages), summary["jobs"]["requeues"], "requeues in scheduler.jsonl")


def hops_between(a, b):
    """Network nodes of a fabric are named by their way from the zone: nn-us-east-2a-1-3-12."""
    a, b = a.split("-"), b.split("-")
    same_until = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), len(a))
    return 2 * (len(a) - same_until + 1)


def check_stretch(jobs, host_at, scenario, summary):
    """What distance did to run times: the columns against run times, zones and network nodes, the summary against the
    columns. `host_at(job)`: the instances that it had. Small messages of the pattern latency over the defaults of
    hpc6a are computed anew: 13 us at 2 hops and 1.35 for each further one; TCP 34.9, between zones 182 more."""
    if "stretch" not in jobs[0]:
        return check("stretch" not in summary.get("network", {}), "a stretch in summary.json alone")
    inline = {job["id"]: job for job in scenario["workload"].get("jobs", []) if "id" in job}
    profiles = collections.defaultdict(list)
    for job in jobs:
        who = job["job_id"]
        same(job["start_s"] is None, job["stretch"] == "", "stretch of a job that ran", who)
        same(job["stretch"] == "", job["transport"] == "", "transport", who)
        if job["start_s"] is None:
            continue
        stretch, instances = float(job["stretch"]), host_at(job)
        check(stretch >= 1, "no placement is better than the reference", who, stretch)
        zones = {instance["zone"] for instance in instances}
        if len(instances) == 1:
            same(job["transport"], "shm", "transport of one node", who)
        elif len(zones) > 1:
            same(job["transport"], "tcp", "transport between zones", who)
        plan = inline.get(who)
        communication = plan.get("communication") if plan else None
        if communication is None:
            continue
        profiles[communication["name"]].append(job)
        if not isinstance(plan["runTime"], int) or job["requeues"] != "0":
            continue
        run = Decimal(repr(plan["runTime"] * stretch)).quantize(MICRO, ROUND_HALF_UP)
        limit = Decimal(plan.get("timeLimit", 365 * 86400))
        same(job["run_s"], min(run, limit), "run time by stretch", who)
        same(job["state"], "TIMEOUT" if run > limit else "COMPLETED", "time-out by stretch", who)
        if communication["pattern"] == "latency" and communication.get("messageBytes", 8) <= 8 and len(instances) > 1:
            size = communication.get("messageBytes", 8) / 10e3
            leaves = [instance.get("network_node", "") for instance in instances]
            if len(zones) == 1 and job["transport"] == "efa":
                hops = max(hops_between(a, b) if a and b else 2 for a in leaves for b in leaves)
                time = 13.0 + 1.35 * (hops - 2) + size
            elif all(leaves):
                hops = max(hops_between(a, b) for a in leaves for b in leaves)
                time = 34.9 + 1.35 * (hops - 2) + 182 * (len(zones) > 1) + size
            else:
                continue
            close(stretch, 1 + communication["share"] * (time / (13.0 + size) - 1), f"stretch of {who}")
    for name, own in profiles.items():
        entry, values = summary["network"]["stretch"][name], sorted(float(job["stretch"]) for job in own)
        same(entry["jobs"], len(own), "network.stretch jobs", name)
        close(entry["mean"], math.fsum(values) / len(values), f"network.stretch {name} mean")
        close(entry["p95"], quantile(values, 0.95), f"network.stretch {name} p95")
        close(entry["max"], values[-1], f"network.stretch {name} max")
        same(entry["over_tcp"], sum(job["transport"] == "tcp" for job in own), "network.stretch over_tcp", name)
        # Inline jobs here all fit in at the reference placement.
        same(entry["timed_out"], sum(job["state"] == "TIMEOUT" for job in own), "network.stretch timed_out", name)


def main():
    binary, scenario_file, folder = sys.argv[1:4]
    log = sys.argv[4] if len(sys.argv) > 4 else None
    with open(scenario_file) as file:
        scenario = json.load(file)
    with open(f"{folder}/summary.json") as file:
        summary = json.load(file, parse_float=lambda text: Decimal(repr(float(text))))  # the shortest that is the same
    catalog = json.loads(subprocess.run(
        [binary, "catalog", "--region", scenario.get("region", "us-east-1"), "--format", "json"],
        check=True, capture_output=True, text=True).stdout, parse_float=Decimal)
    types = {t["instance_type"]: t for t in catalog}
    groups = {g["computeNodeGroupName"]: g for g in scenario["computeNodeGroups"]}
    maximum = {name: g["scalingConfiguration"]["maxInstanceCount"] for name, g in groups.items()}
    static = {name for name, g in groups.items() if g["scalingConfiguration"]["minInstanceCount"] > 0}
    idle_time = scenario["cluster"].get("slurmConfiguration", {}).get("scaleDownIdleTimeInSeconds", 600)

    jobs = read_table(f"{folder}/jobs.csv")
    nodes = read_table(f"{folder}/nodes.csv")
    timeline = read_table(f"{folder}/timeline.csv")
    for job in jobs:
        decimals(job, "submit_s", "eligible_s", "start_s", "end_s", "wait_s", "run_s", "cost_usd", "boot_cost_usd",
                 "lost_cost_usd")
        job["hosts"] = expand(job["node_list"])
    for node in nodes:
        decimals(node, "launch_s", "running_s", "ready_s", "end_s", "busy_s", "idle_s", "cost_usd", *PARTS.values())
    for job in jobs:
        check(job["boot_cost_usd"] >= 0 and job["lost_cost_usd"] >= 0, "costs of a job", job["job_id"])

    # --- instances: time, money, limits ---
    instances = collections.defaultdict(list)  # by node, in order of launch
    billed = boot = failed = Decimal(0)
    # Nothing was lost, and nobody changed anything: static groups stay, and dynamic nodes go when they are idle.
    undisturbed = not summary["losses"] and not scenario.get("operations") and not scenario.get("faults")
    for node in nodes:
        name, group, type_ = node["node"], node["node_group"], types[node["instance_type"]]
        instances[name].append(node)
        check(int(name.rsplit("-", 1)[1]) <= maximum[group] and name.startswith(group + "-"), "node name", name, group)
        times = [node[t] for t in ("launch_s", "running_s", "ready_s", "end_s") if node[t] is not None]
        check(times == sorted(times), "order of an instance's times", node["instance_id"])
        check(node["ready_s"] is None or node["running_s"] is not None, "a node is ready on an instance that never ran",
              node["instance_id"])
        # One that was given up before it ran is not billed, and one that never got ready boots to its end.
        never_ran = node["running_s"] is None
        node["running_s"] = node["end_s"] if never_ran else node["running_s"]
        node["up_s"] = node["end_s"] if node["ready_s"] is None else node["ready_s"]
        seconds = max(Decimal(60), (node["end_s"] - node["running_s"]).to_integral_value(ROUND_CEILING))
        seconds = Decimal(0) if never_ran else seconds
        price = Decimal(type_["usd_per_hour"])
        if node["purchase"] == "ONDEMAND" and not node["reservation"] and "committed" not in scenario.get("cloud", {}):
            same(node["cost_usd"], (price * seconds / HOUR).quantize(MICRO, ROUND_HALF_UP), "cost of an instance",
                 node["instance_id"])
        same(sum(node[part] for part in PARTS.values()), node["cost_usd"], "parts of a cost", node["instance_id"])
        check(all(node[part] >= 0 for part in PARTS.values()), "a part of a cost is negative", node["instance_id"])
        billed += node["end_s"] - node["running_s"]
        if node["ready_s"] is None and node["end_reason"] != "END_OF_RUN":
            failed += node["up_s"] - node["running_s"]
            same(node["failed_usd"], node["cost_usd"], "cost of an instance that was never ready", node["instance_id"])
        else:
            boot += node["up_s"] - node["running_s"]
        same(node["idle_s"], node["end_s"] - node["up_s"] - node["busy_s"], "idle_s", node["instance_id"])
        check(node["idle_s"] >= 0 <= node["busy_s"], "busy_s and idle_s", node["instance_id"])
        check(node["end_reason"] in END_REASONS, "end_reason", node["instance_id"], node["end_reason"])
        same(node["loss"] != "", node["end_reason"] == "EXTERNALLY_TERMINATED", "loss", node["instance_id"])
        if undisturbed:
            same(node["end_reason"] == "END_OF_RUN", group in static, "end_reason", node["instance_id"])
    for name, list_ in instances.items():
        list_.sort(key=lambda i: i["launch_s"])
        for first, second in zip(list_, list_[1:]):
            check(first["end_s"] <= second["launch_s"], "two instances of one node at a time", name, second["launch_s"])
    launches = {name: [instance["launch_s"] for instance in list_] for name, list_ in instances.items()}
    same(len({node["instance_id"] for node in nodes}), len(nodes), "instance ids are not unique")

    cost, hours = summary["cost_usd"], summary["instance_hours"]
    same(sum(n["cost_usd"] for n in nodes), cost["instances"], "sum of costs")
    same(cost["instances"] + cost["reservations"] + cost["committed"] + cost["controller"] + cost["management"],
         cost["total"], "cost_usd.total")
    for part, column in PARTS.items():
        same(cost[part], sum(n[column] for n in nodes), "cost_usd", part)
    same(sum(cost[part] for part in PARTS), cost["instances"], "parts of cost_usd.instances")
    same(summary["nodes"]["launch_failures"], sum(summary["launch_failures"].values()), "launch_failures")
    same(summary["losses"], dict(collections.Counter(n["loss"] for n in nodes if n["loss"])), "losses")
    same(summary["nodes"]["interruptions"], summary["losses"].get("spot_interruption", 0), "nodes.interruptions")
    # The double nearest to the exact sum.
    same(float(billed / HOUR), float(hours["total"]), "instance_hours.total")
    close(hours["boot"], boot / HOUR, "instance_hours.boot")
    close(hours["busy"], sum(n["busy_s"] for n in nodes) / HOUR, "instance_hours.busy")
    close(hours["idle"], sum(n["idle_s"] for n in nodes) / HOUR, "instance_hours.idle")
    close(hours["failed"], failed / HOUR, "instance_hours.failed")
    close(hours["busy"] + hours["idle"] + hours["boot"] + hours["failed"], hours["total"], "busy + idle + boot + failed")
    same(summary["nodes"]["launched"], len(nodes), "nodes.launched")
    same(summary["nodes"]["terminated"], sum(n["end_reason"] != "END_OF_RUN" for n in nodes), "nodes.terminated")
    same(summary["nodes"]["peak"], peak([(n["launch_s"], n["end_s"]) for n in nodes]), "nodes.peak")
    check(summary["nodes"]["peak"] <= CLUSTER_INSTANCES[scenario["cluster"]["size"]], "instances of the cluster (PCS-3)")
    for name, group in summary["by_node_group"].items():
        own = [n for n in nodes if n["node_group"] == name]
        same(group["launched"], len(own), "by_node_group launched", name)
        same(group["cost_usd"], sum((n["cost_usd"] for n in own), Decimal(0)), "by_node_group cost_usd", name)
        for part, column in PARTS.items():
            same(group["cost_split_usd"][part], sum((n[column] for n in own), Decimal(0)), "cost_split_usd", name, part)
        same(group["peak"], peak([(n["launch_s"], n["end_s"]) for n in own]), "by_node_group peak", name)
        check(group["peak"] <= maximum[name], "instances of a group", name, group["peak"])
        close(group["instance_hours"]["total"], sum(n["end_s"] - n["running_s"] for n in own) / HOUR,
              f"by_node_group {name} hours")

    cloud = scenario.get("cloud", {})
    plain_prices = "committed" not in cloud and all(n["purchase"] == "ONDEMAND" and not n["reservation"] for n in nodes)

    # --- jobs: one final state each, on nodes that were there ---
    same(summary["jobs"]["submitted"], len(jobs), "jobs.submitted")
    same(summary["workload"]["records"] - summary["workload"]["dropped"], len(jobs), "records of the workload")
    same(len({job["job_id"] for job in jobs}), len(jobs), "job ids are not unique")
    states = collections.Counter(job["state"] for job in jobs)
    check(set(states) <= set(FINAL), "a state that is not final", states)
    for state, key in FINAL.items():
        same(summary["jobs"][key], states[state], f"jobs.{key}")
    same(summary["jobs"]["unfinished"], 0, "jobs.unfinished")
    held = collections.defaultdict(list)       # by instance id: (start, end) of its jobs
    earliest = collections.defaultdict(list)   # the same from the submission on
    load = collections.defaultdict(list)       # by node: (time, change of cores in use)
    ran = [job for job in jobs if job["start_s"] is not None]
    users, queues = collections.defaultdict(list), collections.defaultdict(list)
    core_seconds = Decimal(0)
    for job in jobs:
        if job["start_s"] is None:
            check(job["state"] in ("REJECTED", "CANCELLED", "TIMEOUT", "NODE_FAIL"), "a job that never ran", job["job_id"],
                  job["state"])
            check((job["end_s"] is None) == (job["state"] == "REJECTED"), "end of a job that never ran", job["job_id"])
            check(job["wait_s"] is None and job["run_s"] is None and not job["hosts"] and job["cost_usd"] == 0,
                  "a job that never ran has results", job["job_id"])
    # Where no job was requeued or cancelled, and none takes its time to go, jobs.csv says who held which node.
    requeues = sum(int(job["requeues"]) for job in jobs)
    same(summary["jobs"]["requeues"], requeues, "jobs.requeues")
    lost = Decimal(str(summary["jobs"]["lost_core_hours"]))
    check(lost >= 0 and (requeues > 0 or lost == 0), "jobs.lost_core_hours", lost)
    keeps_time = scenario.get("scheduler", {}).get("policy") == "slurm"
    plain = requeues == 0 and not keeps_time
    for job in ran:
        who, start, end, hosts = job["job_id"], job["start_s"], job["end_s"], job["hosts"]
        users[job["user"]].append(job)
        queues[job["queue"]].append(job)
        same(job["wait_s"], start - job["submit_s"], "wait_s", who)
        same(job["run_s"], end - start, "run_s", who)
        check(job["submit_s"] <= job["eligible_s"] <= start <= end, "order of a job's times", who)
        slowdown = max(1.0, float(job["wait_s"] + job["run_s"]) / float(max(job["run_s"], Decimal(10))))
        close(float(job["bounded_slowdown"]), slowdown, f"bounded_slowdown {who}")
        same(len(set(hosts)), int(job["nodes"]), "nodes of node_list", who)
        core_seconds += int(job["cpus"]) * job["run_s"]
        even = int(job["cpus"]) % len(hosts) == 0
        money = Decimal(0)
        for host in hosts:
            at = bisect.bisect_right(launches.get(host, []), start) - 1
            if at < 0:
                check(False, "a job on a node without an instance", who, host)
                continue
            instance = instances[host][at]
            check(instance["ready_s"] is not None and instance["ready_s"] <= start and end <= instance["end_s"],
                  "a job on a node that is not up", who, host, start)
            held[instance["instance_id"]].append((start, end))
            earliest[instance["instance_id"]].append((max(job["submit_s"], instance["up_s"]), end))
            type_ = types[instance["instance_type"]]
            cores = int(job["cpus"]) // len(hosts)
            load[host] += [(start, cores), (end, -cores)]
            node_cost = (Decimal(type_["usd_per_hour"]) * job["run_s"] / HOUR).quantize(MICRO, ROUND_HALF_UP)
            money += Decimal(int(node_cost / MICRO) * cores // type_["cores"]) * MICRO
        if even and plain_prices:
            same(job["cost_usd"], money, "cost of a job", who)
    for host, changes in load.items():
        cores = types[instances[host][0]["instance_type"]]["cores"]
        now = 0
        for time, change in sorted(changes):  # at one time, ends come first
            now += change
            check(now <= cores, "more cores in use than the node has", host, f"{now} of {cores} at {time} s")
    for node in nodes:
        own = held.get(node["instance_id"], [])
        check(union(own) <= node["busy_s"], "busy_s", node["instance_id"])
        # Lost attempts, jobs that were cancelled while their nodes booted, and processes that take a while to go hold
        # nodes too, and jobs.csv does not say which.
        if plain:
            check(node["busy_s"] <= union(earliest.get(node["instance_id"], [])), "busy_s", node["instance_id"])
        if undisturbed and node["end_reason"] == "SCHEDULER_REQUESTED" and node["ready_s"] is not None:
            last = max([node["ready_s"]] + [end for _, end in own])
            check(node["end_s"] - last >= idle_time, "terminated before its idle time was over", node["instance_id"])

    check_spread(summary["wait_s"], [float(job["wait_s"]) for job in ran], "wait_s")
    check_spread(summary["bounded_slowdown"], [float(job["bounded_slowdown"]) for job in ran], "bounded_slowdown")
    same(summary["makespan_s"], max(job["end_s"] for job in ran) - min(job["submit_s"] for job in jobs), "makespan_s")
    serving = {g["computeNodeGroupId"] for q in scenario["queues"] for g in q["computeNodeGroupConfigurations"]}
    offered = sum(types[n["instance_type"]]["cores"] * (n["end_s"] - n["up_s"]) for n in nodes if n["node_group"] in serving)
    close(summary["utilization"], (core_seconds + lost * HOUR) / offered, "utilization")
    check(set(users) <= set(summary["by_user"]) <= {job["user"] for job in jobs}, "by_user", summary["by_user"])
    for kind, key in ("by_user", "user"), ("by_queue", "queue"):
        for name, entry in summary[kind].items():
            own = [job for job in jobs if job[key] == name]
            for column in "cost_usd", "boot_cost_usd", "lost_cost_usd":
                same(entry[column], sum((job[column] for job in own), Decimal(0)), f"{kind} {column}", name)
    for user, own in users.items():
        entry = summary["by_user"][user]
        same(entry["jobs"], len(own), "by_user jobs", user)
        close(entry["wait_mean_s"], sum(job["wait_s"] for job in own) / len(own), f"by_user {user} wait_mean_s")
        close(entry["core_hours"], sum(int(j["cpus"]) * j["run_s"] for j in own) / HOUR, f"by_user {user} core_hours")
    for queue, own in queues.items():
        entry = summary["by_queue"][queue]
        same(entry["jobs"], len(own), "by_queue jobs", queue)
        same(entry["wait_max_s"], max(job["wait_s"] for job in own), "by_queue wait_max_s", queue)
        close(entry["wait_mean_s"], sum(job["wait_s"] for job in own) / len(own), f"by_queue {queue} wait_mean_s")
        close(entry["core_hours"], sum(int(j["cpus"]) * j["run_s"] for j in own) / HOUR, f"by_queue {queue} core_hours")

    def host_at(job):
        return [instances[host][bisect.bisect_right(launches[host], job["start_s"]) - 1] for host in job["hosts"]]

    check_stretch(jobs, host_at, scenario, summary)

    # --- the timeline: every row from the two other tables ---
    changes = []
    for node in nodes:
        # An instance that the run's end cut off is still there in the last row.
        until = [] if node["end_reason"] == "END_OF_RUN" else [node["end_s"]]
        changes += [(node["launch_s"], "pending", 1)]
        if node["ready_s"] is None:
            changes += [(end, "pending", -1) for end in until]
        else:
            changes += [(node["ready_s"], "pending", -1), (node["ready_s"], "actual", 1)]
            changes += [(end, "actual", -1) for end in until]
    for job in jobs:
        if job["state"] == "REJECTED":
            continue
        if job["start_s"] is None:  # cancelled
            changes += [(job["submit_s"], "queued", 1), (job["end_s"], "queued", -1)]
        else:
            changes += [(job["submit_s"], "queued", 1), (job["start_s"], "queued", -1), (job["start_s"], "running", 1),
                        (job["end_s"], "running", -1)]
    changes.sort(key=lambda c: c[0])
    now = collections.Counter()
    at = 0
    limit = min(sum(maximum.values()), CLUSTER_INSTANCES[scenario["cluster"]["size"]])
    previous_time = previous_cost = None
    for row in timeline:
        time, paid = int(row["time_s"]), Decimal(row["cost_usd"])
        while at < len(changes) and changes[at][0] <= time:
            now[changes[at][1]] += changes[at][2]
            at += 1
        actual, desired, idle, utilized, pending = (int(row[c]) for c in (
            "ActualCapacity", "DesiredCapacity", "IdleCapacity", "UtilizedCapacity", "PendingCapacity"))
        same(actual, idle + utilized, "Actual = Idle + Utilized", time)
        same(desired, actual + pending, "Desired = Actual + Pending", time)
        check(0 <= utilized and 0 <= idle and 0 <= pending and desired <= limit, "capacity beyond its limits", time)
        same(float(row["CapacityUtilization"]), utilized / actual if actual else 0.0, "CapacityUtilization", time)
        same((actual, pending), (now["actual"], now["pending"]), "timeline (actual, pending)", time)
        # Lost attempts are not in jobs.csv; in the timeline such a job is not queued while it ran.
        queued, running = int(row["queued_jobs"]), int(row["running_jobs"])
        if requeues == 0:
            same((queued, running), (now["queued"], now["running"]), "timeline (queued, running)", time)
        else:
            check(0 <= queued <= now["queued"] and now["running"] <= running, "timeline (queued, running)", time)
        if previous_time is not None:
            same(time - previous_time, 60, "rows are a minute apart", time)
            check(paid >= previous_cost, "cost falls", time)
        previous_time, previous_cost = time, paid
    same(at, len(changes), "the timeline ends before the run")
    accrued = sum(Decimal(types[n["instance_type"]]["usd_per_hour"]) * (n["end_s"] - n["running_s"]) for n in nodes) / HOUR
    fees = cloud.get("controllerUsdPerHour", 0) or cloud.get("nodeManagementUsdPerHour", 0)
    if plain_prices and not fees and "capacityReservations" not in scenario:
        same(previous_cost, accrued.quantize(MICRO, ROUND_HALF_UP), "cost in the last row")

    check_logs(folder, nodes, summary)
    check_network(jobs, nodes, instances, launches, summary)

    # --- the log: every record is a job ---
    if log:
        text = (subprocess.run(["zstd", "-dcq", "--", log], check=True, capture_output=True).stdout if log.endswith(".zst")
                else open(log, "rb").read()).decode("latin-1")
        found = {job["job_id"]: job for job in jobs}
        for line in text.splitlines():
            fields = line.split()
            if not fields or fields[0].startswith(";"):
                continue
            job = found.pop(fields[0], None)
            if job is None:
                check(False, "a record of the log is no job", fields[0])
                continue
            run, width, limit, status = (Decimal(fields[i]) for i in (3, 7, 8, 10))
            width = width if width > 0 else Decimal(fields[4])
            limit = limit if limit > 0 else max(run, Decimal(1))
            state = ("TIMEOUT" if run > limit else "FAILED" if status in (0, 4) else
                     "CANCELLED" if status == 5 else "COMPLETED")
            same((job["submit_s"], job["run_s"], int(job["nodes"]), job["state"]),
                 (Decimal(fields[1]), min(run, limit), int(width), state), "a job against the log", fields[0])
        check(not found, "jobs that the log does not have", *list(found)[:5])

    wrong = sum(errors.values())
    print(f"{folder.rstrip('/').rsplit('/', 1)[-1]}: {len(jobs)} jobs, {len(nodes)} instances, {len(timeline)} minutes: "
          f"{'all agree' if wrong == 0 else f'{wrong} errors'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
