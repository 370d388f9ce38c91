"""Reads results of the MPI programs (docs/mpi-result.schema.json); used by the mpi_*_test.sh scripts.

load(file) validates against the schema and against what a schema cannot say: percentiles in order, ranks complete, payload
bytes that add up to the messages that the result names. Any difference is an AssertionError."""
import json
import os

import jsonschema

SCHEMA = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "mpi-result.schema.json")


def load(file):
    with open(file) as stream:
        text = stream.read()
    assert text.count("\n") == 1 and text.endswith("\n"), "not one line"
    document = json.loads(text)
    with open(SCHEMA) as stream:
        schema = json.load(stream)
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(document)
    ranks = document["ranks"]
    assert [rank["rank"] for rank in ranks] == list(range(len(ranks))), "ranks in order, each once"
    for rank in ranks:
        assert rank["sent_bytes_off_host"] <= rank["sent_bytes"], rank
        assert ranks[rank["shared_memory_group"]]["shared_memory_group"] == rank["shared_memory_group"], rank
    for sizes in lists_of_sizes(document):
        for size in sizes:
            latency = size["latency_us"]
            assert 0 < latency["min"] <= latency["p50"] <= latency["p95"] <= latency["p99"] <= latency["max"], size
            assert latency["min"] <= latency["mean"] <= latency["max"], size
            assert size["messages"] > size["iterations"], "no warm-up"
        bytes_ = [size["bytes"] for size in sizes]
        assert bytes_ == sorted(set(bytes_)), bytes_
    globals()["check_" + document["test"]](document)
    return document


def lists_of_sizes(document):
    result = document["result"]
    if document["test"] == "pingpong":
        return [pair["sizes"] for pair in result["pairs"]]
    return [result["sizes"]] if document["test"] == "allreduce" else []


def check_hello(document):
    result = document["result"]
    ranks = document["ranks"]
    assert result["ranks"] == len(ranks) == sum(result["ranks_per_host"])
    assert result["hosts"] == len(result["ranks_per_host"]) == len({rank["boot_id"] for rank in ranks})
    assert result["shared_memory_groups"] == len({rank["shared_memory_group"] for rank in ranks})
    assert result["layout_ok"] == (not result["problems"])


def check_pingpong(document):
    sent = [0] * len(document["ranks"])
    received = list(sent)
    for pair in document["result"]["pairs"]:
        a, b = pair["a"], pair["b"]
        there = sum(size["bytes"] * size["messages"] for size in pair["sizes"] + pair["streaming"])
        back = sum(size["bytes"] * size["messages"] for size in pair["sizes"])
        sent[a] += there
        received[b] += there
        sent[b] += back
        received[a] += back
        for size in pair["sizes"]:
            expected = size["bytes"] / size["latency_us"]["p50"]
            assert abs(size["bandwidth_mb_s"] - expected) <= 1e-6 * expected, size
    for rank in document["ranks"]:
        assert rank["sent_bytes"] == sent[rank["rank"]], (rank["rank"], rank["sent_bytes"], sent)
        assert rank["received_bytes"] == received[rank["rank"]], (rank["rank"], rank["received_bytes"], received)


def check_allpairs(document):
    result = document["result"]
    participants = result["participants"]
    met = [(pair["a"], pair["b"]) for pair in result["pairs"]]
    assert len(set(met)) == len(met), "a pair met twice"
    if "rounds_left_out" not in result:
        assert set(met) == {(a, b) for a in participants for b in participants if a < b}, "a pair is missing"
        odd = len(participants) % 2
        assert result["rounds"] == (0 if len(participants) < 2 else len(participants) - 1 + odd), result["rounds"]
    for number in range(result["rounds"]):
        busy = [rank for pair in result["pairs"] if pair["round"] == number for rank in (pair["a"], pair["b"])]
        assert len(busy) == len(set(busy)) == len(participants) // 2 * 2, f"round {number}: {busy}"
    assert [node["rank"] for node in result["nodes"]] == participants
    assert all(pair["latency_us"] > 0 and pair["bandwidth_mb_s"] > 0 for pair in result["pairs"])


def check_allreduce(document):
    result = document["result"]
    assert result["ranks"] == len(document["ranks"])
    least = sum(size["bytes"] * size["messages"] for size in result["sizes"]) if len(document["ranks"]) > 1 else 0
    for rank in document["ranks"]:
        assert rank["sent_bytes"] == rank["received_bytes"] == least, (rank["sent_bytes"], least)
