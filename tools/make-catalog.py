#!/usr/bin/env python3
"""Writes models/cloud/catalog.csv: the instance type facts that models use, out of a compiled instance-types.json.

    tools/make-catalog.py ../shared/data/aws/instance-types.json [-o FILE]

The format is described by the comment lines at the head of the catalog itself. The same input gives the same bytes.
"""

import argparse
import json
import os
import re
import sys

COLUMNS = ("name", "arch", "vcpus", "cores", "threads_per_core", "memory_mib", "gpus", "gpu_model", "efa_interfaces",
           "network_gbps", "spot", "prices")
ARCHITECTURES = ("x86_64", "arm64")  # what a cluster can boot: no i386, no macOS
PRICE_MARKS = {"K26": "", "S26": "", "L23": "", "L23c": "c", "L23?": "?"}
DEFAULT_OUTPUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models", "cloud", "catalog.csv")


def comments(data):
    """The lines that say what the columns mean, where the figures come from, and what is missing."""
    sources = data["provenance"]["sources"]

    def source(key):
        entry = sources[key]
        day = re.search(r"\d{4}-\d{2}-\d{2}", entry["date"])
        stamp = day.group() if day else "undated; 2026 by content"
        return f'{entry["repo"]} {entry["commit"][:9]} ({stamp})'

    corrected = len(data["provenance"]["karpenter_metal_prices_corrected"])
    unspecified = ", ".join(sorted({n.split(".")[0] for n in data["provenance"]["types_priced_but_without_spec"]}))
    return [
        "EC2 instance types. Written by tools/make-catalog.py: change that, not this file. "
        f'Facts compiled {data["provenance"]["built"]}.',
        "",
        "Rows are sorted by name in byte order; no field is quoted or holds a comma.",
        "arch            x86_64 or arm64",
        "memory_mib      of the whole instance, MiB",
        "gpus            GPUs that the system sees; gpu_model \"... fraction\": each is a slice of one",
        "efa_interfaces  most EFA interfaces, 0: no EFA",
        "network_gbps    baseline of all cards together, Gbit/s (bursts may be higher)",
        "spot            1: sold as Spot too",
        "prices          region=price;... in byte order of the region; empty: none found",
        "",
        f'Price: {data["provenance"]["price_kind"]}.',
        "A region that is absent has no price in the sources; the type may be sold there all the same.",
        "Letter after a price: c = the source's dedicated-tenancy surcharge was recognised and removed;",
        "                      ? = too few sizes to recognise one: could be 6-10 % high.",
        "",
        "Sources:",
        f'  specifications                    {source("specs")}: DescribeInstanceTypes answers merged over regions',
        f'  prices us-east-1, us-gov-*        {source("K26")}; {corrected} metal prices with the surcharge removed',
        f'  prices HPC and large GPU types    {source("S26")}',
        f'  prices in the other regions       {source("L23")}',
        "",
        "Known gaps: no on-demand price for p5e, trn2, x8aedz, dl2q; for hpc8a in GovCloud only. Types launched after",
        "2023-08 mostly have prices for us-east-1 and GovCloud only. Not listed: mac types, and types without a",
        "specification in the sources, mostly older ones:",
        f"  {unspecified}.",
        "Accelerators other than GPUs are not told.",
    ]


def row(entry):
    """One catalog row; None for a type that no cluster can use."""
    arch = next((a for a in ARCHITECTURES if a in entry["arch"]), None)
    if arch is None:
        return None
    name = entry["name"]
    if int(entry["vcpus"]) != int(entry["cores"]) * int(entry["threads_per_core"]):
        raise ValueError(f"{name}: vcpus is not cores x threads_per_core")
    if len(entry["gpus"]) > 1:
        raise ValueError(f"{name}: more than one kind of GPU")
    gpus, gpu_model = 0, ""
    for gpu in entry["gpus"]:
        gpus = int(gpu["logical_count"])
        gpu_model = gpu["model"] + ("" if int(gpu["count"]) == gpus else " fraction")
    marks = entry["od_price_source"]
    prices = ";".join(f"{region}={price}{PRICE_MARKS[marks[region]]}"
                      for region, price in sorted(entry["od_usd_per_hour"].items()))
    return (name, arch, entry["vcpus"], entry["cores"], entry["threads_per_core"], entry["memory_mib"], str(gpus),
            gpu_model, entry["max_efa_interfaces"], entry["network_gbps"]["baseline"],
            "1" if "spot" in entry["usage_classes"] else "0", prices)


def catalog(data):
    rows = [r for r in map(row, data["instance_types"]) if r is not None]
    rows.sort(key=lambda r: r[0].encode("ascii"))
    names = [r[0] for r in rows]
    if len(set(names)) != len(names):
        raise ValueError("a type is listed twice")
    for r in rows:
        if any(c in field for field in r for c in ',"\n'):
            raise ValueError(f"{r[0]}: a field would need quoting")
    lines = [("# " + line).rstrip() for line in comments(data)]
    lines.append(",".join(COLUMNS))
    lines.extend(",".join(r) for r in rows)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Writes the catalog of instance types.")
    parser.add_argument("facts", help="instance-types.json")
    parser.add_argument("-o", "--output", default=os.path.normpath(DEFAULT_OUTPUT), help="default: %(default)s")
    arguments = parser.parse_args()
    with open(arguments.facts, encoding="utf-8") as file:
        # Numbers stay the text they are, so that prices keep the decimals of their source.
        data = json.load(file, parse_float=str, parse_int=str)
    text = catalog(data)
    part = arguments.output + ".part"
    with open(part, "w", encoding="ascii", newline="\n") as file:
        file.write(text)
    os.replace(part, arguments.output)
    print(f"{arguments.output}: {len(text)} bytes, {sum(not l.startswith('#') for l in text.splitlines()) - 1} types",
          file=sys.stderr)


if __name__ == "__main__":
    main()
