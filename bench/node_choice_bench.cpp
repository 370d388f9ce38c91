// The cost of choosing nodes by their place in the network. The answer is proved first: where all leaves are below one
// network node, filling the largest ones is the best (its numbers majorise all others, and pairs are convex); elsewhere
// none of many other ways to fill leaves one by one is better.
#include <algorithm>

#include <benchmark/benchmark.h>

#include "engine/node_choice.hpp"
#include "models/random.hpp"

namespace headroom {
namespace {

// A zone as EC2 has it: one node at the top, below it nodes of a second layer, leaves below those (ec2.md section 10).
// How many, and how many slots a leaf has, AWS does not say: 16 as in the largest leaf that was seen (13 of 32
// instances).
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

Locality locality(const Free& free, const std::vector<std::uint32_t>& chosen) {
  std::vector<LeafId> leaves;
  for (const std::uint32_t i : chosen) leaves.push_back(free.nodes[i]);
  return locality_of(free.network, leaves);
}

// Takes leaves in this order until there are enough nodes.
Locality fill(const Free& free, const std::vector<std::uint32_t>& order, std::size_t width) {
  std::vector<LeafId> leaves;
  for (const std::uint32_t leaf : order) {
    for (const LeafId of : free.nodes) {
      if (of == LeafId{leaf} && leaves.size() < width) leaves.push_back(of);
    }
  }
  return locality_of(free.network, leaves);
}

void prove(const Free& free, const std::vector<std::uint32_t>& chosen, std::size_t width, std::uint32_t middle) {
  ensure(chosen.size() == width, "as many nodes as asked for");
  const Locality found = locality(free, chosen);
  const auto leaves = static_cast<std::uint32_t>(free.network.leaf_count());
  std::vector<std::int64_t> size(leaves);
  for (const LeafId leaf : free.nodes) ++size[static_cast<std::size_t>(leaf)];
  Substream dice(2, Purpose::property_suite, 0);
  for (int attempt = 0; attempt < 40; ++attempt) {
    // The nodes of the second layer in a random order, the leaves of each from the largest to the smallest.
    std::vector<std::uint64_t> rank(middle);
    for (std::uint64_t& r : rank) r = attempt == 0 ? 0 : dice.below(1'000'000);
    std::vector<std::uint32_t> order(leaves);
    for (std::uint32_t l = 0; l < leaves; ++l) order[l] = l;
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      const std::uint32_t in_a = a / (leaves / middle);
      const std::uint32_t in_b = b / (leaves / middle);
      if (rank[in_a] != rank[in_b]) return rank[in_a] < rank[in_b];
      return size[a] > size[b];
    });
    const Locality other = fill(free, order, width);
    ensure(found.diameter_hops <= other.diameter_hops, "no other choice has a smaller diameter");
    ensure(found.diameter_hops < other.diameter_hops || found.pair_hops <= other.pair_hops,
           "no other choice has fewer hops");
    if (middle == 1) ensure(found.pair_hops == other.pair_hops, "the largest leaves are the best");
  }
}

void choose_nodes(benchmark::State& state, NodeChoice choice) {
  const std::int64_t nodes = state.range(0);
  const auto width = static_cast<std::size_t>(state.range(1));
  const auto middle = static_cast<std::uint32_t>(state.range(2));
  // Half of the slots are ours.
  const Free free = make(nodes, middle, static_cast<std::uint32_t>(nodes / 8) / middle, 16);
  NodeChooser chooser(free.network, choice);
  std::vector<std::uint32_t> chosen;
  chooser.choose({}, free.nodes, width, chosen);
  if (choice == NodeChoice::compact) prove(free, chosen, width, middle);
  for (auto _ : state) {
    chooser.choose({}, free.nodes, width, chosen);
    benchmark::DoNotOptimize(chosen.data());
  }
  const Locality found = locality(free, chosen);
  state.counters["mean_hops"] = static_cast<double>(found.pair_hops) / static_cast<double>(found.pairs);
  state.counters["leaves"] = found.leaves;
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"nodes", "width", "middle"})->Unit(benchmark::kMicrosecond);
  for (const std::int64_t width : {64, 512}) {
    for (const std::int64_t middle : {1, 10}) bench->Args({2000, width, middle});
  }
  bench->Args({200, 64, 5});
}
BENCHMARK_CAPTURE(choose_nodes, compact, NodeChoice::compact)->Apply(sizes);
BENCHMARK_CAPTURE(choose_nodes, tree, NodeChoice::tree)->Apply(sizes);

}  // namespace
}  // namespace headroom
