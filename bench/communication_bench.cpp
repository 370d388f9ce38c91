// What it costs to find out what a job's placement does to it: once for each job that starts and communicates.
#include <algorithm>
#include <cmath>

#include <benchmark/benchmark.h>

#include "models/network/communication.hpp"
#include "models/random.hpp"

namespace headroom {
namespace {

constexpr std::uint32_t kMiddle = 16;  // network nodes of the second layer
constexpr std::uint32_t kLeavesOfMiddle = 64;

NetworkTopology tree() {
  std::vector<NetworkNode> nodes = {{"region", NetworkNode::kRoot}, {"zone", 0}, {"top", 1}};
  for (std::uint32_t m = 0; m < kMiddle; ++m) {
    const auto middle = static_cast<std::uint32_t>(nodes.size());
    nodes.push_back({"middle", 2});
    for (std::uint32_t l = 0; l < kLeavesOfMiddle; ++l) nodes.push_back({"leaf", middle});
  }
  return NetworkTopology(std::move(nodes));
}

// A job of so many nodes, on any of so many leaves.
struct Job {
  NetworkTopology topology = tree();
  std::vector<LeafId> leaves;
  std::vector<std::uint32_t> zones;
  Link link;
  Link shm;
  Way way;

  Job(std::int64_t nodes, std::int64_t on_leaves) {
    Substream draw(1, Purpose::workload, 0);
    for (std::int64_t n = 0; n < nodes; ++n) {
      const std::uint64_t leaf = draw.below(static_cast<std::uint64_t>(on_leaves));
      leaves.push_back(
          LeafId{static_cast<std::uint32_t>(leaf * kMiddle * kLeavesOfMiddle) / static_cast<std::uint32_t>(on_leaves)});
    }
    zones.assign(leaves.size(), 0);
    link.segments = {{.latency_us = 10, .bandwidth_gb_s = 1}};
    link.per_hop_us = 1;
    link.streaming_gb_s = 10;
    shm = link;
    way.links = {&link};
    way.shm = &shm;
  }
  JobNodes nodes() const { return {&topology, leaves, zones}; }

  double pair_us(std::size_t a, std::size_t b, std::int64_t bytes) const {
    return way.exchange_us(bytes, 1, topology.hops(leaves[a], leaves[b]), false);
  }
};

// Node by node what the closed form finds by network nodes.
void prove(const Job& job, const CommunicationProfile& profile) {
  double slowest = 0;
  double longest = 0;
  for (std::size_t a = 0; a < job.leaves.size(); ++a) {
    double sum = 0;
    for (std::size_t b = 0; b < job.leaves.size(); ++b) {
      if (a == b) continue;
      const double us = job.pair_us(a, b, profile.message_bytes);
      sum += us;
      slowest = std::max(slowest, us);
    }
    longest = std::max(longest, sum);
  }
  const double found = communication_us(profile, job.way, job.nodes());
  if (profile.pattern == Pattern::latency) ensure(found == slowest, "the slowest pair counts");
  if (profile.pattern == Pattern::all_to_all) {
    ensure(std::abs(found - longest) <= 1e-9 * longest, "the node with the longest way counts");
  }
  if (profile.pattern == Pattern::allreduce) {
    const double rounds = std::log2(static_cast<double>(job.leaves.size()));
    ensure(found <= rounds * slowest * (1 + 1e-12), "no round takes longer than the slowest pair");
    ensure(found >= reference_us(profile, job.way, job.leaves.size()), "nothing is quicker than the reference");
  }
}

void communication(benchmark::State& state, Pattern pattern) {
  const Job job(state.range(0), state.range(1));
  const CommunicationProfile profile{"", pattern, 0.5, 1024, 1};
  prove(job, profile);
  for (auto _ : state) {
    benchmark::DoNotOptimize(communication_us(profile, job.way, job.nodes()));
    benchmark::DoNotOptimize(reference_us(profile, job.way, job.leaves.size()));
  }
}
// Nodes, and leaves that they are drawn from.
void sizes(benchmark::internal::Benchmark* benchmark) { benchmark->Args({64, 8})->Args({512, 64})->Args({512, 512}); }
BENCHMARK_CAPTURE(communication, latency, Pattern::latency)->Apply(sizes);
BENCHMARK_CAPTURE(communication, allreduce, Pattern::allreduce)->Apply(sizes);
BENCHMARK_CAPTURE(communication, all_to_all, Pattern::all_to_all)->Apply(sizes);

}  // namespace
}  // namespace headroom
