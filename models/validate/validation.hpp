// The verdict on a cluster's MPI and EFA: one requirement after the other, each with what was measured, the cause when
// it is not met, and what to do about it. Hides how evidence is weighed (docs/validate.md has the table). Promises that
// nothing passes for want of evidence: what is missing or not known makes INCONCLUSIVE, what contradicts makes FAIL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/network/link_model.hpp"
#include "models/validate/launch.hpp"
#include "models/validate/launch_log.hpp"
#include "models/validate/mpi_document.hpp"

namespace headroom::validate {

enum class Verdict : std::uint8_t { pass, fail, inconclusive };

constexpr std::string_view name_of(Verdict verdict) {
  return verdict == Verdict::pass ? "PASS" : verdict == Verdict::fail ? "FAIL" : "INCONCLUSIVE";
}

struct Requirement {
  std::string id;     // "distinct-hosts"
  std::string title;  // one sentence: what has to hold
  Verdict verdict = Verdict::inconclusive;
  bool required = true;               // whether INCONCLUSIVE here makes the whole INCONCLUSIVE; FAIL always fails
  std::vector<std::string> evidence;  // sentences
  std::string cause;                  // when not met
  std::string remedy;
  std::vector<std::string> hosts;                          // at fault
  std::vector<std::pair<std::string, std::string>> pairs;  // of hosts, at fault
};

// What was asked for.
struct Demand {
  Transport transport = Transport::efa;
  std::vector<std::string> tests;  // that were to run; empty: those there are
  std::optional<std::int64_t> hosts;
  std::optional<std::int64_t> tasks_per_node;  // of hello and allreduce
  std::string instance_type;                   // empty: from the ranks
  std::optional<std::int64_t> interfaces;      // EFA interfaces of a host; otherwise the catalog's
  std::optional<double> max_latency_us;        // over the table of expectations
  std::optional<double> min_bandwidth_mb_s;    // likewise
  std::optional<double> slow_factor;           // of "uniform", in place of the transport's own
  bool namespaces_are_hosts = false;           // network namespaces of one kernel count as hosts
};

struct Evidence {
  std::vector<MpiDocument> documents;                           // of the tests
  std::optional<MpiDocument> fallback;                          // of hello without the transport asked for
  std::vector<LaunchLog> logs;                                  // of the tests
  std::vector<ProgramRun> runs;                                 // empty for recorded files
  std::vector<std::pair<std::string, std::string>> unreadable;  // test and why its output is no document
};

struct HostFacts {
  std::string name;
  std::string boot_id;
  std::string instance_id;
  std::string instance_type;
  std::string availability_zone;
  std::size_t ranks = 0;
};

struct PairLatency {
  std::size_t a = 0;  // indices into Validation::hosts
  std::size_t b = 0;
  double latency_us = 0;
  double bandwidth_mb_s = 0;
  bool slow = false;
};

struct Validation {
  Verdict verdict = Verdict::inconclusive;
  Transport transport = Transport::efa;
  std::string instance_type;  // empty: not known
  std::string mpi;            // the library's own words
  std::vector<HostFacts> hosts;
  std::vector<Requirement> requirements;
  std::vector<PairLatency> pairs;    // of allpairs
  std::vector<std::string> sources;  // files
};

// Throws InputError when documents are of different runs: hosts that have nothing to do with each other, or one host
// with two identities.
Validation judge(const Demand& demand, const Evidence& evidence);

// Every requirement there is, for the documentation: id and title.
std::vector<std::pair<std::string, std::string>> all_requirements();

}  // namespace headroom::validate
