#!/usr/bin/python3
"""Runs a scenario on a real Slurm on this machine, in real time, and writes down what happened.

    record.py SCENARIO.json [--slot K] [--out DIR] [--work DIR]

One slurmctld and one slurmd for each node; with "accounting" also a MariaDB and a slurmdbd of its own. Runs in different
slots can go at the same time. See README.md.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

CLOCK_C = """#define _GNU_SOURCE
#include <time.h>
time_t time(time_t *t) { struct timespec s; clock_gettime(CLOCK_REALTIME, &s); if (t) *t = s.tv_sec; return s.tv_sec; }
"""
LEAD_S = 15
VOID_RUN_LAG_S = 1.0  # a submission or launch as late as this: the machine was busy with something else

# Needed for many daemons on one machine, without influence on what is decided; left out of recordings.
PLUMBING = {
    "AuthType": "auth/munge", "SlurmUser": "root", "SlurmdUser": "root", "ProctrackType": "proctrack/pgid",
    "TaskPlugin": "task/none", "JobAcctGatherType": "jobacct_gather/none", "MpiDefault": "none",
    "JobCompType": "jobcomp/filetxt", "SlurmdParameters": "config_overrides", "MinJobAge": "86400",
    "LogTimeFormat": "iso8601_ms", "SlurmctldDebug": "debug", "SlurmdDebug": "info", "DebugFlags": "Backfill,Priority",
    "TreeWidth": "65533", "SlurmctldTimeout": "120", "InactiveLimit": "0", "PropagateResourceLimits": "NONE",
    "PrivateData": "cloud", "SwitchType": "switch/none",
}
DECIDING = {
    "SelectType": "select/cons_tres", "SelectTypeParameters": "CR_CPU", "SchedulerType": "sched/backfill",
    "PriorityType": "priority/basic", "ReturnToService": "1", "KillWait": "30", "SlurmdTimeout": "300",
}
TERMINAL = {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "DEADLINE", "OUT_OF_MEMORY", "PREEMPTED", "BOOT_FAIL"}


def expand(hosts):
    """n[01-03,07],m -> names"""
    names = []
    for m in re.finditer(r"([^\[,]+)(?:\[([^\]]+)\])?", hosts or ""):
        if not m[2]:
            names.append(m[1])
            continue
        for part in m[2].split(","):
            first, _, last = part.partition("-")
            names += [f"{m[1]}{i:0{len(first)}d}" for i in range(int(first), int(last or first) + 1)]
    return names


def number(word):
    try:
        return json.loads(word)
    except ValueError:
        return word


def group_hosts(group):
    n = group["count"]
    return f"{group['name']}[01-{n:02d}]" if n > 1 else f"{group['name']}01"


def accounting_data(commands):
    """The same as the sacctmgr commands, as data."""
    data = {"accounts": [], "users": [], "qos": []}
    lists = {"account": "accounts", "user": "users", "qos": "qos"}
    plain = {"parent": "parent", "fairshare": "fairshare", "account": "account", "defaultqos": "default_qos", "qos": "qos",
             "priority": "priority", "preempt": "preempt", "preemptmode": "preempt_mode", "gracetime": "grace_time",
             "preemptexempttime": "preempt_exempt_time", "flags": "flags", "usagefactor": "usage_factor",
             "defaultaccount": "default_account"}
    for command in commands:
        words = command.split()
        if len(words) < 3 or words[1] not in lists:
            continue
        rows = data[lists[words[1]]]
        for name in words[2].split(","):
            pairs = [w.partition("=")[::2] for w in words[3:] if "=" in w]
            if words[0] == "modify":
                where = dict(pairs[:len([w for w in words[3:words.index("set")] if "=" in w])]) if "set" in words else {}
                found = [r for r in rows if r["name"] == name and all(r.get(k.lower()) == v for k, v in where.items())]
                row = found[0] if found else {"name": name}
                if not found:
                    rows.append(row)
                pairs = pairs[len(where):]
            else:
                row = {"name": name}
                rows.append(row)
            for key, value in pairs:
                key = key.lower()
                value = int(value) if value.lstrip("-").isdigit() else value
                if key in plain:
                    row[plain[key]] = value
                else:
                    row.setdefault("limits", {})[key] = value
    return data


class Recorder:
    def __init__(self, scenario, slot, work):
        self.sc, self.slot = scenario, slot
        self.run = os.path.join(work, f"{scenario['scenario']}.{slot}.{int(time.time())}")
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SLURM_CONF": self.run + "/slurm.conf", "HOME": "/root", "LANG": "C"}
        # What is left of an earlier run in this slot may still try to report to its slurmctld.
        self.ports = slot * 10 + int(time.time() / 60) % 10
        self.daemons, self.ids, self.sent, self.events, self.views = [], {}, {}, [], []
        self.seen, self.prios, self.where = {}, {}, {}
        self.cloud = any(g.get("state") == "CLOUD" for g in scenario["cluster"]["node_groups"])
        self.dbd = "accounting" in scenario

    def sh(self, *args, **kw):
        return subprocess.run(args, env=self.env, capture_output=True, text=True, stdin=None if "input" in kw else subprocess.DEVNULL, **kw)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.run, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def daemon(self, *args, **env):
        log = open(f"{self.run}/{os.path.basename(args[0])}.out", "a")
        p = subprocess.Popen(args, env={**self.env, **env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.daemons.append(p)
        return p

    # --- set up ---

    def configuration(self):
        cluster, run, host = self.sc["cluster"], self.run, os.uname().nodename
        deciding = {**DECIDING, **cluster.get("slurm_conf", {})}
        if self.dbd:
            deciding.setdefault("AccountingStorageType", "accounting_storage/slurmdbd")
        if self.cloud:
            deciding.setdefault("SlurmctldParameters", "idle_on_node_suspend,cloud_dns")
            static = [group_hosts(g) for g in cluster["node_groups"] if g.get("state") != "CLOUD"]
            if static:
                deciding.setdefault("SuspendExcNodes", ",".join(static))
        lines = [f"{k}={v}" for k, v in deciding.items() if v is not None]
        plumbing = [f"{k}={v}" for k, v in PLUMBING.items() if k not in deciding]
        plumbing += [f"ClusterName=rec{self.slot}", f"SlurmctldHost={host}(127.0.0.1)", f"SlurmctldPort={21000 + self.ports}",
                     f"StateSaveLocation={run}/state", f"SlurmdSpoolDir={run}/spool/%n", f"SlurmctldPidFile={run}/pid/slurmctld",
                     f"SlurmdPidFile={run}/pid/%n", f"SlurmctldLogFile={run}/slurmctld.log", f"SlurmdLogFile={run}/log/%n",
                     f"JobCompLoc={run}/jobcomp.txt"]
        if self.dbd:
            plumbing += ["AccountingStorageHost=localhost", f"AccountingStoragePort={21200 + self.ports}"]
        if self.cloud:
            me = os.path.abspath(__file__)
            for what in ("resume", "suspend"):
                self.write(what, f'#!/bin/sh\nexec /usr/bin/python3 {me} --power {what} "$1" --work {run}\n', 0o755)
                plumbing.append(f"{what.capitalize()}Program={run}/{what}")
        if "prolog_fails" in cluster:  # on these nodes, so many times
            for node, times in cluster["prolog_fails"].items():
                for k in range(times):
                    self.write(f"prolog.{node}.{k}", "")
            self.write("prolog", f'#!/bin/sh\nf=$(ls {run}/prolog.$SLURMD_NODENAME.* 2>/dev/null | head -n1)\n'
                       '[ -z "$f" ] && exit 0\nrm -f $f\nexit 1\n', 0o755)
            plumbing.append(f"Prolog={run}/prolog")
        port = 22000 + self.ports * 50
        shown = list(lines)
        self.nodes = {}
        for g in cluster["node_groups"]:
            what = {"CPUs": g["cpus"], "RealMemory": g.get("mem_mb", 1), "Weight": g.get("weight", 1), **g.get("options", {})}
            state = "CLOUD" if g.get("state") == "CLOUD" else "UNKNOWN"
            line = f"NodeName={group_hosts(g)} " + " ".join(f"{k}={v}" for k, v in what.items()) + f" State={state}"
            shown.append(line)
            lines.append(f"{line} NodeHostname={host} NodeAddr=127.0.0.1 Port=[{port}-{port + g['count'] - 1}]"
                         if g["count"] > 1 else f"{line} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}")
            port += g["count"]
            for n in expand(group_hosts(g)):
                self.nodes[n] = {"group": g["name"], "cloud": state == "CLOUD", "boot_delay_s": g.get("boot_delay_s", 20)}
        groups = {g["name"]: group_hosts(g) for g in cluster["node_groups"]}
        for p in cluster["partitions"]:
            line = f"PartitionName={p['name']} Nodes={','.join(groups[g] for g in p['groups'])} Default={'YES' if p.get('default') else 'NO'} State=UP"
            line += "".join(f" {k}={v}" for k, v in p.get("options", {}).items())
            lines.append(line)
            shown.append(line)
        self.conf_shown = "\n".join(shown) + "\n"
        self.write("slurm.conf", "\n".join(plumbing + lines) + "\n")
        for key in ("topology", "gres"):
            if key + "_conf" in cluster:
                self.write(key + ".conf", "\n".join(cluster[key + "_conf"]) + "\n")
        self.write("nodes.json", json.dumps(self.nodes))

    def users(self):
        names = {j["user"] for j in self.sc["jobs"] if "user" in j}
        for members in self.sc.get("groups", {}).values():
            names.update(members)
        for name in sorted(names):
            if subprocess.run(["id", name], capture_output=True).returncode:
                self.sh("useradd", "-M", "-d", "/tmp", "-s", "/bin/bash", name)
        for group, members in self.sc.get("groups", {}).items():
            self.sh("groupadd", "-f", group)
            for name in members:
                self.sh("usermod", "-aG", group, name)

    def database(self):
        run, port = self.run, 21100 + self.ports
        p = self.sh("mariadb-install-db", f"--datadir={run}/mysql", "--user=root", "--auth-root-authentication-method=normal")
        if p.returncode:
            raise SystemExit("mariadb-install-db: " + p.stderr)
        self.daemon("mariadbd", "--no-defaults", f"--datadir={run}/mysql", f"--socket={run}/mysql.sock", f"--port={port}", "--user=root",
                    "--bind-address=127.0.0.1", "--skip-grant-tables", f"--pid-file={run}/pid/mariadb", "--innodb-buffer-pool-size=64M",
                    "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=0", "--innodb-lock-wait-timeout=900")
        self.write("slurmdbd.conf", "AuthType=auth/munge\nDbdHost=localhost\n" + f"DbdPort={21200 + self.ports}\nSlurmUser=root\n"
                   "DebugLevel=info\n" + f"LogFile={run}/slurmdbd.log\nPidFile={run}/pid/slurmdbd\nStorageType=accounting_storage/mysql\n"
                   f"StorageHost=127.0.0.1\nStoragePort={port}\nStorageUser=root\nStoragePass=none\nStorageLoc=slurm\n", 0o600)
        for _ in range(300):
            if os.path.exists(f"{run}/mysql.sock"):
                break
            time.sleep(0.1)
        # slurmdbd reads slurmdbd.conf from the folder of SLURM_CONF
        self.daemon("slurmdbd", "-D")
        for _ in range(300):
            if self.sh("sacctmgr", "-n", "list", "cluster").returncode == 0:
                break
            time.sleep(0.1)
        for command in [f"add cluster rec{self.slot}"] + self.sc["accounting"]["sacctmgr"]:
            p = self.sh("sacctmgr", "-i", *command.split())
            if p.returncode and "Nothing" not in p.stdout + p.stderr:
                raise SystemExit(f"sacctmgr {command}: {p.stdout} {p.stderr}")

    def start(self):
        for d in ("", "state", "spool", "pid", "log", "joblog"):
            os.makedirs(os.path.join(self.run, d), exist_ok=True)
        os.chmod(self.run + "/joblog", 0o1777)
        os.chmod(self.run, 0o755)
        self.users()
        self.configuration()
        for n in self.nodes:
            os.makedirs(f"{self.run}/spool/{n}", exist_ok=True)
        self.write("jobcomp.txt", "")
        clock = self.write("clock.c", CLOCK_C)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", clock, "-o", self.run + "/clock.so"], check=True)
        if self.dbd:
            self.database()
        # Backfill rounds to whole minutes of the clock on the wall, so 0 is one.
        self.t0 = float(-(-(time.time() + LEAD_S + 0.5) // 60) * 60)
        while time.time() < self.t0 - LEAD_S:
            time.sleep(0.002)
        self.daemon("slurmctld", "-D", "-c", "-f", self.run + "/slurm.conf", LD_PRELOAD=self.run + "/clock.so")
        self.ctld = self.daemons[-1]
        for _ in range(100):
            if " UP" in self.sh("scontrol", "ping").stdout:
                break
            time.sleep(0.1)
        static = [n for n, v in self.nodes.items() if not v["cloud"]]
        for n in static:
            self.sh("slurmd", "-N", n, "-f", self.run + "/slurm.conf")
        while True:
            lines = [x.split() for x in self.sh("sinfo", "-N", "-h", "-o", "%N %T").stdout.splitlines()]
            if all([n, "idle"] in lines for n in static):
                break
            if time.time() > self.t0:
                raise SystemExit(f"nodes did not come up in time: {lines}; see {self.run}")
            time.sleep(0.2)

    # --- while it runs ---

    def now(self, digits=3):
        return round(time.time() - self.t0, digits)

    def poll(self):
        while not self.done:
            t = time.time()
            for line in self.sh("squeue", "-h", "-r", "-a", "-t", "all", "-o", "%i|%T|%Q|%r").stdout.splitlines():
                job, state, priority, reason = line.split("|", 3)
                rows = self.seen.setdefault(job, [])
                if not rows or rows[-1][1:] != [state, reason]:
                    rows.append([round(t - self.t0, 1), state, reason])
                rows = self.prios.setdefault(job, [])
                if not rows or rows[-1][1] != int(priority):
                    rows.append([round(t - self.t0, 1), int(priority)])
            if self.sc.get("details"):
                for line in self.sh("scontrol", "-o", "-a", "-d", "show", "job").stdout.splitlines():
                    m = re.match(r"JobId=(\d+)", line)
                    rows = re.findall(r" Nodes=(\S+) CPU_IDs=(\S+) Mem=\d+ GRES=(\S*)", line)
                    if m and rows and "JobState=RUNNING" in line:
                        self.where[m[1]] = [[n, c, re.sub(r"\(CNT.*?\)", "", g)] for n, c, g in rows]
            time.sleep(max(0.05, 0.5 - (time.time() - t)))

    def options(self, j):
        direct = {"partition", "nodes", "ntasks", "ntasks_per_node", "cpus_per_task", "dependency", "array", "account", "qos", "nice",
                  "priority", "constraint"}
        skip = {"id", "submit_s", "runtime_s", "exit_code", "ignore_term", "het", "name", "user"}
        out = []
        for key, value in j.items():
            if key in skip or value is None or value is False:
                continue
            if key == "mem_mb":
                out.append(f"--mem={value}M")
            elif key == "mem_per_cpu_mb":
                out.append(f"--mem-per-cpu={value}M")
            elif key == "time_limit_min":
                out.append(f"--time={value}")
            elif key == "begin_s":
                out.append(f"--begin=now+{value}")
            elif key == "deadline_s":
                out.append(f"--deadline=now+{value}")
            elif key == "hold":
                out.append("--hold")
            elif key == "dependency":
                out.append("--dependency=" + re.sub(r":([A-Za-z_]\w*)", lambda m: ":" + str(self.ids[m[1]]), value))
            elif value is True:
                out.append("--" + key.replace("_", "-"))
            else:
                assert key in direct or isinstance(value, (str, int, float)), key
                out.append(f"--{key.replace('_', '-')}={value}")
        return out

    def submit(self, j):
        log = f"{self.run}/joblog/{j['id']}.${{SLURM_ARRAY_TASK_ID:-0}}"
        work = f"sleep {j['runtime_s']}"
        if self.sc.get("suspends"):  # a stopped sleep goes on by the clock
            work = f"for ((i = 0; i < {j['runtime_s']}; i++)); do sleep 1; done"
        trap = "trap '' TERM" if j.get("ignore_term") else ""
        script = (f"#!/bin/bash\n{trap}\necho $(date +%s.%N) $$ ${{SLURM_RESTART_COUNT:-0}} >> {log}\n"
                  f"{work}\nexit {j.get('exit_code', 0)}\n")
        args = ["sbatch", "--parsable", "-J", j.get("name", j["id"]), "-o", "/dev/null", "-e", "/dev/null", "-D", "/tmp"]
        if "user" in j:
            args.append("--uid=" + j["user"])
        args += self.options(j)
        for k, component in enumerate(j.get("het", [])):
            args += ([":"] if k else []) + self.options(component)
        t = self.now()
        p = self.sh(*args, input=script)
        if p.returncode:
            error = re.sub(r"^sbatch: error: ", "", p.stderr.strip(), flags=re.M).replace("\n", " | ")
            self.events.append({"t": t, "event": "submit_rejected", "job": j["id"], "rc": p.returncode, "error": error})
            return
        self.ids[j["id"]] = int(p.stdout.strip().split(";")[0])
        self.sent[j["id"]] = self.now()

    def act(self, e):
        t, what = self.now(), e["action"]
        number = lambda m: m[1] + str(self.ids.get(m[2], m[2])) + (m[3] or "")
        if what == "scontrol":
            args = list(e["args"])
            if args[0] in ("hold", "release", "requeue", "requeuehold", "suspend", "resume", "top"):
                args[1:] = [re.sub(r"^()([A-Za-z]\w*)()$", number, a) for a in args[1:]]
            args = [re.sub(r"^(job(?:id)?=)(\w+)(_\d+)?$", number, a, flags=re.I) for a in args]
            p = self.sh("scontrol", *args)
        elif what == "sacctmgr":
            p = self.sh("sacctmgr", "-i", *e["args"])
        elif what == "scancel":
            p = self.sh("scancel", str(self.ids[e["job"]]))
        elif what == "kill_node":
            p = self.sh("pkill", "-KILL", "-F", f"{self.run}/pid/{e['node']}")
        else:
            raise SystemExit("no action " + what)
        row = {"t": t, "event": what, **{k: v for k, v in e.items() if k not in ("at_s", "action")}, "rc": p.returncode}
        if p.returncode:
            row["error"] = p.stderr.strip().replace("\n", " | ")
        self.events.append(row)

    def view(self):
        row = {"t": self.now(2)}
        p = self.sh("sprio", "-h", "-o", "%i|%Y|%A|%B|%F|%J|%P|%Q|%S|%T|%N")
        rows = [[w.strip() for w in line.split("|")] for line in p.stdout.splitlines()]
        names = {str(v): k for k, v in self.ids.items()}
        row["sprio"] = [[names.get(r[0], r[0])] + [number(w) for w in r[1:]] for r in rows]
        if self.dbd:
            p = self.sh("sshare", "-a", "-n", "-P", "-o", "Account,User,RawShares,NormShares,RawUsage,NormUsage,EffectvUsage,FairShare,LevelFS")
            row["sshare"] = [[number(w.strip()) for w in line.split("|")] for line in p.stdout.splitlines()]
        self.views.append(row)

    def go(self):
        acts = [(j["submit_s"], 0, n, self.submit, j) for n, j in enumerate(self.sc["jobs"])]
        acts += [(e["at_s"], 1, n, self.act, e) for n, e in enumerate(self.sc.get("events", []))]
        acts += [(t, 2, 0, lambda _: self.view(), None) for t in self.sc.get("views_at", [])]
        acts.sort(key=lambda a: a[:3])
        self.done = False
        while time.time() < self.t0 + 0.1:
            time.sleep(0.005)
        poller = threading.Thread(target=self.poll, daemon=True)
        poller.start()
        for at, _, _, do, what in acts:
            while time.time() < self.t0 + 0.1 + at:
                time.sleep(0.005)
            do(what)
        until = self.t0 + self.sc.get("until_s", 240)
        while time.time() < until:
            states = self.sh("squeue", "-h", "-r", "-a", "-t", "all", "-o", "%T").stdout.split()
            if all(s in TERMINAL for s in states):
                break
            time.sleep(0.5)
        time.sleep(1.2)
        self.done = True
        poller.join()
        self.shown = self.sh("scontrol", "-o", "-a", "show", "job").stdout
        self.ended = self.now(1)

    def stop(self):
        if hasattr(self, "ctld"):
            ids = " ".join(str(i) for i in self.ids.values()).split()
            if ids:
                self.sh("scancel", "-Q", "-s", "KILL", *ids)
                self.sh("scancel", "-Q", *ids)
                for _ in range(30):
                    if not self.sh("squeue", "-h", "-a", "-t", "running,completing,suspended,configuring").stdout.strip():
                        break
                    time.sleep(0.5)
                time.sleep(1)
        for n in self.nodes:
            for name in (n, f"boot.{n}"):
                try:
                    pid = int(open(f"{self.run}/pid/{name}").read())
                    if n.encode() in open(f"/proc/{pid}/cmdline", "rb").read() or name.startswith("boot."):
                        os.kill(pid, signal.SIGTERM)
                except (OSError, ValueError):
                    pass
        for p in reversed(self.daemons):
            p.terminate()
            try:
                p.wait(30)
            except subprocess.TimeoutExpired:
                p.kill()
        for name in os.listdir(self.run + "/joblog"):  # processes that outlived their daemons
            for line in open(f"{self.run}/joblog/{name}"):
                pid = line.split()[1]
                try:
                    if self.run.encode() in open(f"/proc/{pid}/cmdline", "rb").read():
                        os.kill(int(pid), signal.SIGKILL)
                except OSError:
                    pass

    # --- what happened ---

    def seconds(self, stamp):
        if stamp in (None, "Unknown", "None", "N/A"):
            return None
        return int(time.mktime(time.strptime(stamp, "%Y-%m-%dT%H:%M:%S")) - self.t0)

    def log_lines(self):
        for line in open(self.run + "/slurmctld.log", errors="replace"):
            m = re.match(r"\[(\S+)\.(\d+)\] (.*)", line)
            if m:
                yield round(time.mktime(time.strptime(m[1], "%Y-%m-%dT%H:%M:%S")) + int(m[2]) / 1000 - self.t0, 3), m[3]

    def collect(self):
        job = r"JobId=(\d+)(?:[_+][^ (]*\((\d+)\))?"
        names = {str(v): k for k, v in self.ids.items()}
        alloc, log, passes, cycles, started = {}, {}, [], [], -float(LEAD_S)
        kept = [(r"_job_complete: " + job + r" done", "job_complete done"), (r"Time limit exhausted for " + job, "Time limit exhausted"),
                (r"Resetting " + job + r" start time for node power up", "config_complete"),
                (r"preempted " + job + r" (?:has been|had to be) (.*)", None), (r"(?:[Rr]equeuing|requeue) " + job, "requeue"),
                (r"gang: suspending " + job, "suspend"), (r"gang: resuming " + job, "resume")]
        for t, text in self.log_lines():
            if re.search(r"Running as primary controller|Priority \w+ plugin loaded", text):
                started = max(started, t)  # slurmctld's loops begin
            m = re.search(r"sched: Running job scheduler for (full|default)", text)
            if m:
                passes.append([t, m[1]])
            if "_attempt_backfill: beginning" in text:
                cycles.append(t)
            m = re.search(r"sched: Allocate " + job + r" NodeList=(\S+) #CPUs=(\d+)", text)
            if m:
                alloc.setdefault(m[2] or m[1], []).append([t, "main", m[3], int(m[4])])
            m = re.search(r"backfill: .*Started " + job + r" in \S+ on (\S+)", text)
            if m:
                alloc.setdefault(m[2] or m[1], []).append([t, "backfill", m[3], None])
            m = re.search(r"setting (\d+ sec) preemption grace time for " + job + r" to reclaim resources for " + job, text)
            if m:
                log.setdefault(m[3] or m[2], []).append([t, f"preempted: grace time {m[1]} for {names.get(m[5] or m[4])}"])
            for pattern, what in kept:
                m = re.search(pattern, text)
                if m:
                    said = what or "preempted: " + re.sub(job, lambda k: names.get(k[2] or k[1], k[0]), m[3])
                    rows = log.setdefault(m[2] or m[1], [])
                    if not rows or rows[-1][1] != said or t - rows[-1][0] > 0.5:
                        rows.append([t, said])
            for n, v in self.nodes.items():
                if re.search(rf"[Nn]ode {n} now responding", text):
                    v.setdefault("events", []).append([t, "now_responding"])
                elif re.search(rf"node {n} not resumed by ResumeTimeout", text):
                    v.setdefault("events", []).append([t, "resume_timeout"])
                elif re.search(rf"node {n} state set to DRAIN", text):
                    v.setdefault("events", []).append([t, "drain"])
        power = self.run + "/power.jsonl"
        for line in open(power) if os.path.exists(power) else []:
            t, what, nodes = json.loads(line)
            for n in nodes:
                self.nodes[n].setdefault("events", []).append([round(t - self.t0, 3), what])
        attempts = {}
        for line in open(self.run + "/jobcomp.txt"):
            d = dict(w.split("=", 1) for w in line.split() if "=" in w)
            if "JobState" in d:
                attempts.setdefault(d["JobId"], []).append([self.seconds(d["StartTime"]), self.seconds(d["EndTime"]), d["JobState"]])
        shown = {}
        for line in self.shown.splitlines():
            d = dict(w.split("=", 1) for w in re.findall(r"(?:^| )((?:\w|:|/)+=[^ ]*)", line))
            first = d.get("ArrayJobId") or d.get("HetJobId") or d["JobId"]
            shown.setdefault(first, []).append(d)
        jobs, lag, launch = [], 0, 0
        for j in self.sc["jobs"]:
            if j["id"] not in self.ids:
                jobs.append({"id": j["id"], "state": "REJECTED"})
                continue
            lag = max(lag, self.sent[j["id"]] - j["submit_s"] - 0.1)
            first = str(self.ids[j["id"]])
            for d in sorted(shown[first], key=lambda d: (d.get("ArrayTaskId", "").zfill(6), int(d.get("HetJobOffset", 0)))):
                n, name, key = d["JobId"], j["id"], d["JobId"]
                if "ArrayTaskId" in d:
                    name, key = f"{j['id']}[{d['ArrayTaskId']}]", f"{first}_{d['ArrayTaskId']}"
                elif "HetJobOffset" in d:
                    name, key = f"{j['id']}+{d['HetJobOffset']}", f"{first}+{d['HetJobOffset']}"
                state = d["JobState"]
                had_nodes = state not in ("PENDING",) and d.get("StartTime") and alloc.get(n)
                row = {"id": name, "submit_done": self.sent[j["id"]], "alloc": alloc.get(n, []),
                       "start": self.seconds(d["StartTime"]) if had_nodes else None,
                       "end": self.seconds(d["EndTime"]) if state in TERMINAL else None,
                       "state": state, "priority": int(d["Priority"])}
                if int(d.get("Restarts", 0)):
                    row["restarts"] = int(d["Restarts"])
                if "," in str(j.get("partition")):
                    row["partition"] = d["Partition"]  # of which it got the last nodes
                prios = self.prios.get(key, [])
                if len(prios) > 1:
                    row["priorities"] = prios
                rows = self.seen.get(key, [])
                # start and end tell the rest
                again = "restarts" in row or any(r[1] == "SUSPENDED" for r in rows)
                row["reasons"] = [r for r in rows if again or r[1:] not in (["RUNNING", "None"], ["COMPLETED", "None"])]
                if any(r[1] == "COMPLETING" for r in rows):
                    row["timeline"] = [r[:2] for r in rows]
                if log.get(n):
                    row["log"] = log[n]
                if "restarts" in row:
                    row["attempts"] = attempts.get(n, [])
                if n in self.where:
                    row["where"] = self.where[n]
                jobs.append(row)
                path = f"{self.run}/joblog/{j['id']}.{d.get('ArrayTaskId', 0)}"
                if not self.cloud and os.path.exists(path) and alloc.get(n):
                    t, _, restart = open(path).read().splitlines()[-1].split()
                    if int(restart) < len(alloc[n]) and "+" not in name:
                        launch = max(launch, float(t) - self.t0 - alloc[n][-1][0])
        inputs = {"cluster": self.sc["cluster"], "jobs": self.sc["jobs"], "events": self.sc.get("events", [])}
        if "groups" in self.sc:
            inputs["groups"] = self.sc["groups"]
        if self.dbd:
            inputs["accounting"] = {**self.sc["accounting"], **accounting_data(self.sc["accounting"]["sacctmgr"])}
        run = {"t0_unix": self.t0, "slurmctld_start": -float(LEAD_S), "loops_start": started, "recorded_until": self.ended,
               "quality": {"submit_lag_max_s": round(lag, 2), "launch_lag_max_s": round(launch, 2),
                           "disturbed": max(lag, launch) > VOID_RUN_LAG_S},
               "slurm_conf": self.conf_shown, "jobs": jobs,
               "nodes": {n: {"group": v["group"], "cloud": v["cloud"], "events": sorted(v.get("events", []))}
                         for n, v in self.nodes.items() if v.get("events") or v["cloud"]},
               "events": self.events, "sched_passes": passes, "backfill_passes": cycles}
        if self.views:
            add_views(run, self.views)
        version = self.sh("slurmctld", "-V").stdout.strip()
        return {"schema": "slurm-golden/1", "scenario": self.sc["scenario"], "description": self.sc["description"],
                "slurm_version": version, "input": inputs, "runs": [run]}


def add_views(run, views):
    """What sprio and sshare showed, without the factors that are 0 for all."""
    columns = ["job", "priority", "age", "assoc", "fairshare", "jobsize", "partition", "qos", "site", "tres", "nice"]
    keep = [k for k in range(len(columns)) if k < 2 or any(r[k] not in (0, "0", "") for v in views for r in v["sprio"])]
    run["views_columns"] = {"sprio": [columns[k] for k in keep]}
    if any("sshare" in v for v in views):
        run["views_columns"]["sshare"] = ["account", "user", "raw_shares", "norm_shares", "raw_usage", "norm_usage", "effective_usage",
                                          "fairshare", "level_fs"]
    run["views"] = [{**v, "sprio": [[r[k] for k in keep] for r in v["sprio"]]} for v in views]


def dump(value, depth=0, wide=110):
    """JSON in which what fits on a line is on a line."""
    flat = json.dumps(value)
    if len(flat) + depth <= wide or not isinstance(value, (dict, list)) or not value:
        return flat
    # a record of a list of records stays on one line
    if depth >= 3 and isinstance(value, dict) and ("id" in value or "event" in value) or depth >= 5:
        return flat
    pad = " " * depth
    if isinstance(value, dict):
        body = [f'{pad} {json.dumps(k)}: {dump(v, depth + 1, wide)}' for k, v in value.items()]
        return "{\n" + ",\n".join(body) + f"\n{pad}}}"
    return "[\n" + ",\n".join(f"{pad} {dump(v, depth + 1, wide)}" for v in value) + f"\n{pad}]"


def power(run, what, hosts):
    """ResumeProgram and SuspendProgram"""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # slurmctld's children inherit what it blocks
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SLURM_CONF": run + "/slurm.conf"}
    nodes = json.load(open(run + "/nodes.json"))
    names = expand(hosts)
    with open(run + "/power.jsonl", "a") as f:
        f.write(json.dumps([round(time.time(), 3), what, names]) + "\n")
    for n in names:
        if what == "suspend":
            for name in (n, f"boot.{n}"):
                try:
                    os.kill(int(open(f"{run}/pid/{name}").read()), signal.SIGTERM)
                except (OSError, ValueError):
                    pass
        elif os.fork() == 0:
            os.setsid()
            with open(f"{run}/pid/boot.{n}", "w") as f:
                f.write(str(os.getpid()))
            time.sleep(nodes[n]["boot_delay_s"])
            os.unlink(f"{run}/pid/boot.{n}")
            subprocess.run(["slurmd", "-b", "-N", n, "-f", run + "/slurm.conf"], env=env, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario", nargs="?")
    parser.add_argument("--slot", type=int, default=0)
    parser.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/recorded"))
    parser.add_argument("--work", default=os.path.join(tempfile.gettempdir(), "headroom-recorder"))
    parser.add_argument("--power", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.power:
        return power(args.work, *args.power)
    with open(args.scenario) as f:
        scenario = json.load(f)
    recorder = Recorder(scenario, args.slot, args.work)
    try:
        recorder.start()
        recorder.go()
    finally:
        recorder.stop()
    result = recorder.collect()
    path = os.path.join(args.out, scenario["scenario"] + ".v2205.json")
    with open(path, "w") as f:
        f.write(dump(result) + "\n")
    print(f"{path}: {os.path.getsize(path)} bytes, {result['runs'][0]['quality']}, run directory {recorder.run}")
    return 2 if result["runs"][0]["quality"]["disturbed"] else 0


if __name__ == "__main__":
    sys.exit(main())
