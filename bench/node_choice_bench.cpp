// The cost of choosing nodes by their place in the network. The answer is proved first: no choice of as many nodes that
// a climber finds from it, or from random ones, by exchanging nodes of two leaves, is better.
#include <numeric>

#include <benchmark/benchmark.h>

#include "engine/node_choice.hpp"
#include "models/random.hpp"

namespace headroom {
namespace {

// Zones are EC2's: one node at the top, below it nodes of a second layer, leaves below those (ec2.md section 10). How
// many, and how many slots a leaf has, AWS does not say: 16 as in the largest leaf that was seen (13 of 32 instances).
struct Free {
  NetworkTopology network;
  std::vector<LeafId> nodes;  // that could take the job, by name
};

Free make(std::int64_t nodes, std::uint32_t middle, std::uint32_t leaves, std::uint32_t slots) {
  std::vector<NetworkNode> tree = {{"region", NetworkNode::kRoot}, {"zone", 0}, {"top", 1}};
  for (std::uint32_t m = 0; m < middle; ++m) {
    const auto above = static_cast<std::uint32_t>(tree.size());
    tree.push_back({"middle", 2});
    for (std::uint32_t l = 0; l < leaves; ++l) tree.push_back({"leaf", above});
  }
  // Instances landed anywhere: names say nothing of places.
  std::vector<LeafId> places;
  for (std::uint32_t l = 0; l < middle * leaves; ++l) places.insert(places.end(), slots, LeafId{l});
  Substream dice(1, Purpose::property_suite, 0);
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::swap(places[i], places[i + dice.below(places.size() - i)]);
  }
  places.resize(static_cast<std::size_t>(nodes));
  return {NetworkTopology(std::move(tree)), std::move(places)};
}

void choose_nodes(benchmark::State& state, NodeChoice choice) {
  const std::int64_t nodes = state.range(0);
  const auto width = static_cast<std::size_t>(state.range(1));
  const auto leaves = static_cast<std::uint32_t>(nodes / 8 / state.range(2));
  const Free free = make(nodes, static_cast<std::uint32_t>(state.range(2)), leaves, 16);
  NodeChooser chooser(free.network, choice);
  std::vector<std::uint32_t> chosen;
  for (auto _ : state) {
    chooser.choose({}, free.nodes, width, chosen);
    benchmark::DoNotOptimize(chosen.data());
  }
  std::vector<LeafId> at;
  for (const std::uint32_t i : chosen) at.push_back(free.nodes[i]);
  const Locality locality = locality_of(free.network, at);
  state.counters["mean_hops"] = static_cast<double>(locality.pair_hops) / static_cast<double>(locality.pairs);
  state.counters["leaves"] = locality.leaves;
}

BENCHMARK_CAPTURE(choose_nodes, compact, NodeChoice::compact)
    ->ArgNames({"nodes", "width", "middle"})
    ->Args({200, 64, 5})
    ->Args({2000, 64, 1})
    ->Args({2000, 64, 10})
    ->Args({2000, 512, 1})
    ->Args({2000, 512, 10})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(choose_nodes, tree, NodeChoice::tree)
    ->ArgNames({"nodes", "width", "middle"})
    ->Args({200, 64, 5})
    ->Args({2000, 64, 1})
    ->Args({2000, 64, 10})
    ->Args({2000, 512, 1})
    ->Args({2000, 512, 10})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace headroom
