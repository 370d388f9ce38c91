// What the programs of mpi-tests/ measured: documents "headroom.mpi/1" as structures. Hides JSON, and how a document is
// found in output that also holds what a prolog or the MPI library printed. Promises that any bytes give either a
// document that is consistent with itself (ranks numbered from 0, pairs of existing ranks, finite numbers) or an
// InputError that names file, line and key. Keys that are not known are ignored, as the format says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::validate {

// Of a device's port, read before and after the test.
struct Counter {
  std::string name;
  std::int64_t before = 0;
  std::int64_t after = 0;
};

struct Device {
  std::string name;
  std::string driver;  // "efa"
  std::int64_t port = 1;
  std::vector<Counter> counters;

  const Counter* find(std::string_view counter) const;
};

struct Rank {
  std::string host;               // gethostname
  std::string node;               // of Slurm; empty outside
  std::string boot_id;            // equal on two ranks: one running kernel; empty when not known
  std::string network_namespace;  // empty when not known
  std::optional<std::int64_t> shared_memory_group;
  std::string instance_id;  // these three empty when not known
  std::string instance_type;
  std::string availability_zone;
  std::int64_t pid = 0;  // 0: not known
  std::vector<std::string> providers;
  bool fabric_known = false;                // whether the next three could be read
  std::vector<std::string> open_devices;    // RDMA device files: seen
  std::vector<std::string> mapped_devices;  // those with queues: used
  std::vector<std::string> mpi_components;  // Open MPI's plug-ins: btl_tcp, mtl_ofi
  bool devices_known = false;
  std::vector<Device> devices;
  std::optional<std::int64_t> sent_bytes;  // payload to other ranks
  std::optional<std::int64_t> received_bytes;
  std::optional<std::int64_t> sent_off_host_bytes;  // of them, to ranks that it shares no memory with
  std::optional<std::int64_t> received_off_host_bytes;

  // What the rank claims to run on: the node's name under Slurm, otherwise the host's.
  const std::string& claimed_host() const { return node.empty() ? host : node; }
};

struct SizeResult {
  std::int64_t bytes = 0;
  double p50_us = 0;  // one way
  double p99_us = 0;
  double bandwidth_mb_s = 0;  // 10^6 bytes a second
};

struct PairRun {  // of pingpong
  std::size_t a = 0;
  std::size_t b = 0;
  std::int64_t errors = 0;
  std::vector<SizeResult> sizes;
  std::vector<SizeResult> streaming;  // bytes and bandwidth_mb_s only
};

struct PairScore {  // of allpairs
  std::size_t a = 0;
  std::size_t b = 0;
  double latency_us = 0;      // measured while other pairs were busy, or alone where it was measured again
  double bandwidth_mb_s = 0;  // likewise
  bool alone = false;
};

struct Asked {  // of hello
  std::optional<std::int64_t> hosts;
  std::optional<std::int64_t> per_host;
};

struct MpiDocument {
  std::string source;  // file
  std::string test;    // hello, pingpong, allpairs, allreduce
  std::string started_utc;
  std::string vendor;   // openmpi, mpich, intelmpi, other
  std::string library;  // its own words
  std::string fault;    // asked for on purpose (HEADROOM_MPI_FAULT): then nothing here is a measurement
  double elapsed_s = 0;
  std::vector<Rank> ranks;

  Asked asked;                          // hello
  std::optional<bool> layout_ok;        // hello
  std::vector<std::string> problems;    // hello
  std::vector<PairRun> pair_runs;       // pingpong
  std::int64_t latency_bytes = 0;       // allpairs
  std::int64_t bandwidth_bytes = 0;     // allpairs
  std::vector<PairScore> pairs;         // allpairs
  std::vector<std::string> suspicions;  // allpairs: the program's own, in words
  std::vector<SizeResult> collective;   // allreduce
  std::int64_t errors = 0;              // payload errors of the whole test
};

// Output of a program: the document, and what else was printed around it.
struct ProgramOutput {
  std::optional<MpiDocument> document;
  std::string rest;
};

// Throws InputError for a document that is cut, of another schema, or contradicts itself. Without any document in
// it the text is all `rest`.
ProgramOutput read_program_output(std::string_view text, const std::string& source);

}  // namespace headroom::validate
