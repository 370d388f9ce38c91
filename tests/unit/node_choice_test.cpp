#include "engine/node_choice.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/slurm/placement.hpp"
#include "tests/unit/controller_bench.hpp"
#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;

std::vector<std::uint32_t> choose(const NetworkTopology& network, NodeChoice choice, std::vector<LeafId> taken,
                                  const std::vector<LeafId>& candidates, std::size_t count) {
  std::vector<std::uint32_t> out;
  NodeChooser(network, choice).choose(taken, candidates, count, out);
  return out;
}

// --- shapes ---

// A tree: instances on one leaf, or trees below one network node.
struct Shape {
  std::int32_t instances = 0;
  std::vector<const Shape*> below = {};  // none: a leaf
};

// Every tree of `instances` whose network nodes have two children at least: `smaller` has those of fewer instances.
std::vector<Shape> trees_of(std::int32_t instances, const std::vector<std::vector<Shape>>& smaller) {
  std::vector<Shape> all = {{instances}};
  std::vector<const Shape*> below;
  // Multisets: children in no rising order of (instances, number).
  const std::function<void(std::int32_t, std::int32_t, std::size_t)> grow = [&](std::int32_t left, std::int32_t most,
                                                                                std::size_t number) {
    if (left == 0) {
      all.push_back({instances, below});
      return;
    }
    for (std::int32_t n = std::min(left, most); n >= 1; --n) {
      const auto& shapes = smaller[static_cast<std::size_t>(n)];
      const std::size_t last = n == most ? std::min(number, shapes.size() - 1) : shapes.size() - 1;
      for (std::size_t i = 0; i <= last; ++i) {
        below.push_back(&shapes[i]);
        grow(left - n, n, i);
        below.pop_back();
      }
    }
  };
  grow(instances, instances - 1, std::numeric_limits<std::size_t>::max());
  return all;
}

std::vector<std::vector<Shape>> all_trees(std::int32_t most) {
  std::vector<std::vector<Shape>> trees(1);
  for (std::int32_t n = 1; n <= most; ++n) trees.push_back(trees_of(n, trees));
  return trees;
}

// The same with every leaf `layers` below the top: network nodes with one child, too.
const std::vector<std::vector<Shape>>& trees_of_layers(std::int32_t most, std::int32_t layers) {
  static std::map<std::int32_t, std::vector<std::vector<Shape>>> made;  // by layers, for shapes to point into
  if (const auto at = made.find(layers); at != made.end()) return at->second;
  std::vector<std::vector<Shape>> trees(1);
  if (layers == 1) {
    for (std::int32_t n = 1; n <= most; ++n) trees.push_back({{n}});
    return made[layers] = std::move(trees);
  }
  trees_of_layers(most, layers - 1);
  const auto& smaller = made.at(layers - 1);
  for (std::int32_t n = 1; n <= most; ++n) {
    std::vector<Shape> all = trees_of(n, smaller);
    all.erase(all.begin());  // the leaf
    for (const Shape& only : smaller[static_cast<std::size_t>(n)]) all.push_back({n, {&only}});
    trees.push_back(std::move(all));
  }
  return made[layers] = std::move(trees);
}

struct Made {
  NetworkTopology network;
  std::vector<LeafId> candidates;
};

Made make(const Shape& shape) {
  std::vector<NetworkNode> nodes = {{"", NetworkNode::kRoot}};
  std::vector<LeafId> candidates;
  std::uint32_t leaf = 0;
  const std::function<void(const Shape&, std::uint32_t)> add = [&](const Shape& s, std::uint32_t above) {
    const auto own = static_cast<std::uint32_t>(nodes.size());
    nodes.push_back({"", above});
    for (const Shape* child : s.below) add(*child, own);
    if (s.below.empty()) candidates.insert(candidates.end(), static_cast<std::size_t>(s.instances), LeafId{leaf++});
  };
  add(shape, 0);
  return {NetworkTopology(std::move(nodes)), std::move(candidates)};
}

// --- oracles ---

struct Quality {
  std::int32_t diameter = std::numeric_limits<std::int32_t>::max();
  std::int64_t hops = 0;
  auto operator<=>(const Quality&) const = default;
};

// The best of all ways to give each leaf a number of nodes, by the number of nodes in all.
class Exhaustive {
 public:
  static constexpr std::size_t kMost = 12;

  Exhaustive(const NetworkTopology& network, const std::vector<LeafId>& candidates)
      : leaves_(network.leaf_count()), best_(candidates.size() + 1) {
    for (const LeafId leaf : candidates) ++free_[index(leaf)];
    for (std::uint32_t a = 0; a < leaves_; ++a) {
      for (std::uint32_t b = 0; b < leaves_; ++b) hops_[a][b] = network.hops(LeafId{a}, LeafId{b});
    }
    search(0, 0, {0, 0}, {}, {});
  }
  Quality best(std::size_t nodes) const { return best_[nodes]; }

 private:
  using Row = std::array<std::int32_t, kMost>;

  // `to`: hops from the nodes chosen so far to each leaf; `furthest`: from the furthest of them.
  void search(std::size_t leaf, std::size_t nodes, Quality so_far, Row to, Row furthest) {
    if (leaf == leaves_) {
      best_[nodes] = std::min(best_[nodes], so_far);
      return;
    }
    search(leaf + 1, nodes, so_far, to, furthest);
    for (std::int32_t n = 1; n <= free_[leaf]; ++n) {
      so_far.hops += to[leaf];
      so_far.diameter = std::max(so_far.diameter, furthest[leaf]);
      for (std::size_t l = leaf; l < leaves_; ++l) {
        to[l] += hops_[leaf][l];
        furthest[l] = std::max(furthest[l], hops_[leaf][l]);
      }
      search(leaf + 1, nodes + static_cast<std::size_t>(n), so_far, to, furthest);
    }
  }

  std::size_t leaves_;
  Row free_{};
  std::vector<Quality> best_;
  std::array<Row, kMost> hops_{};
};

Quality quality(const NetworkTopology& network, const std::vector<LeafId>& leaves) {
  const Locality locality = locality_of(network, leaves);
  return {locality.diameter_hops, locality.pair_hops};
}

// Of `shapes` every `step`-th from `first`: jobs of every width. Returns how many jobs that were.
std::size_t check_all(const std::vector<Shape>& shapes, std::size_t first = 0, std::size_t step = 1) {
  std::size_t cases = 0;
  std::vector<std::uint32_t> chosen;
  for (std::size_t i = first; i < shapes.size(); i += step) {
    const Made made = make(shapes[i]);
    const Exhaustive oracle(made.network, made.candidates);
    NodeChooser chooser(made.network, NodeChoice::compact);
    for (std::size_t width = 1; width <= made.candidates.size(); ++width, ++cases) {
      chooser.choose({}, made.candidates, width, chosen);
      std::vector<LeafId> leaves;
      for (const std::uint32_t n : chosen) leaves.push_back(made.candidates[n]);
      const Quality found = quality(made.network, leaves);
      const Quality best = oracle.best(width);
      if (leaves.size() == width && found == best) continue;
      ADD_FAILURE() << "tree " << i << ", " << width << " nodes: " << found.diameter << " hops at most and "
                    << found.hops << " in all, expected " << best.diameter << " and " << best.hops;
      return cases;
    }
  }
  return cases;
}

// --- compact is optimal ---

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::int32_t kMostInstances = 10;  // the rest takes minutes there
#else
constexpr std::int32_t kMostInstances = 12;
#endif

// All trees whose network nodes have two children at least, of any depth, leaves at different depths, too; those of 12
// instances, the most, in parts that may run beside each other.
class EveryTree : public testing::TestWithParam<std::size_t> {
 public:
  static constexpr std::size_t kParts = 6;
};

TEST_P(EveryTree, CompactIsTheBestOfAllChoices) {
  // Phylogenetic trees with n unlabelled objects (OEIS A141268).
  const std::size_t counted[] = {1, 2, 4, 11, 30, 96, 308, 1052, 3648, 13003, 47006, 172605};
  const auto trees = all_trees(kMostInstances);
  std::size_t jobs = 0;
  for (std::size_t n = 1; n < trees.size(); ++n) {
    ASSERT_EQ(trees[n].size(), counted[n - 1]);
    jobs += check_all(trees[n], GetParam(), kParts);
  }
  EXPECT_GT(jobs, kMostInstances == 12 ? 400'000u : 20'000u);
}
INSTANTIATE_TEST_SUITE_P(InParts, EveryTree, testing::Range(std::size_t{0}, EveryTree::kParts));

// What EC2 has: every instance below as many network nodes (ec2.md section 10), also such with one child.
TEST(NodeChoice, CompactIsTheBestOfAllChoicesOnEveryTreeOfThreeAndFourLayers) {
  // Multiset partitions of numbers, once and twice (OEIS A001970, A007713).
  const std::size_t three[] = {1, 3, 6, 14, 27, 58, 111, 223, 424, 817, 1527, 2870};
  const std::size_t four[] = {1, 4, 10, 30, 75, 206, 518, 1344, 3357, 8429, 20759, 51044};
  const auto& of_three = trees_of_layers(kMostInstances, 3);
  const auto& of_four = trees_of_layers(kMostInstances, 4);
  for (std::size_t n = 1; n < of_three.size(); ++n) {
    ASSERT_EQ(of_three[n].size(), three[n - 1]);
    ASSERT_EQ(of_four[n].size(), four[n - 1]);
    check_all(of_three[n]);
    check_all(of_four[n]);
  }
}

// A random tree: leaves at any depths.
NetworkTopology random_tree(Draw& draw) {
  std::vector<NetworkNode> nodes = {{"", NetworkNode::kRoot}};
  const std::size_t most = 2 + draw.below(14);
  while (nodes.size() < most) nodes.push_back({"", static_cast<std::uint32_t>(draw.below(nodes.size()))});
  return NetworkTopology(std::move(nodes));
}

// With nodes that the job has already, nodes whose place is not known, and equally good choices: of all sets of nodes.
TEST(NodeChoice, CompactIsTheFirstOfTheBestSetsOfNodes) {
  std::size_t equally_good = 0;
  std::size_t beside_others = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Draw draw(seed);
    const NetworkTopology network = random_tree(draw);
    const auto place = [&] { return LeafId{static_cast<std::uint32_t>(draw.below(network.leaf_count()))}; };
    std::vector<LeafId> taken(draw.below(4));
    std::vector<LeafId> candidates(1 + draw.below(9));
    for (LeafId& leaf : taken) leaf = draw.one_in(5) ? kNoLeaf : place();
    for (LeafId& leaf : candidates) leaf = draw.one_in(8) ? kNoLeaf : place();
    const std::size_t count = draw.below(candidates.size() + 1);

    std::tuple<std::int64_t, Quality, std::vector<std::uint32_t>> best;
    std::get<0>(best) = std::numeric_limits<std::int64_t>::max();
    std::size_t as_good = 0;
    for (std::uint32_t set = 0; set < 1u << candidates.size(); ++set) {
      if (static_cast<std::size_t>(std::popcount(set)) != count) continue;
      std::vector<LeafId> leaves = taken;
      std::vector<std::uint32_t> chosen;
      for (std::uint32_t i = 0; i < candidates.size(); ++i) {
        if ((set >> i & 1) == 0) continue;
        chosen.push_back(i);
        leaves.push_back(candidates[i]);
      }
      const auto unknown = std::count(leaves.begin(), leaves.end(), kNoLeaf);
      const auto found = std::tuple(std::int64_t{unknown}, quality(network, leaves), chosen);
      const bool as = std::get<0>(found) == std::get<0>(best) && std::get<1>(found) == std::get<1>(best);
      as_good = as ? as_good + 1 : found < best ? 1 : as_good;
      best = std::min(best, found);
    }
    equally_good += as_good > 1;
    beside_others += !taken.empty();
    ASSERT_EQ(choose(network, NodeChoice::compact, taken, candidates, count), std::get<2>(best)) << "seed " << seed;
  }
  EXPECT_GT(equally_good, 1000u);
  EXPECT_GT(beside_others, 1000u);
}

// Two zones, `shallow` leaves right below the first, others a layer deeper below the second.
NetworkTopology uneven(std::uint32_t shallow, std::uint32_t deep) {
  std::vector<NetworkNode> nodes = {{"region", NetworkNode::kRoot}, {"a", 0}, {"b", 0}, {"b-1", 2}};
  for (std::uint32_t l = 0; l < shallow; ++l) nodes.push_back({"", 1});
  for (std::uint32_t l = 0; l < deep; ++l) nodes.push_back({"", 3});
  return NetworkTopology(std::move(nodes));
}

// More states than kMostStates: the diameter is still the least, and no leaf is opened for nothing.
TEST(NodeChoice, ManyLeavesAtDifferentDepthsStillHaveTheLeastDiameter) {
  const NetworkTopology network = uneven(10, 10);
  std::vector<LeafId> candidates;
  for (std::uint32_t l = 0; l < 20; ++l) candidates.insert(candidates.end(), 10, LeafId{l});
  for (const std::size_t count : {5u, 10u, 25u, 100u, 150u}) {
    std::vector<LeafId> leaves;
    for (const std::uint32_t i : choose(network, NodeChoice::compact, {}, candidates, count)) {
      leaves.push_back(candidates[i]);
    }
    ASSERT_EQ(leaves.size(), count);
    const Locality locality = locality_of(network, leaves);
    EXPECT_EQ(locality.diameter_hops, count <= 10 ? 2 : count <= 100 ? 4 : 8);
    EXPECT_EQ(locality.leaves, (count + 9) / 10);
  }
}

TEST(NodeChoice, WithoutAPlaceNodesComeLastInTheirOrder) {
  const NetworkTopology network = uneven(2, 0);
  const std::vector<LeafId> candidates = {kNoLeaf, LeafId{1}, kNoLeaf, LeafId{0}, LeafId{1}};
  for (const NodeChoice choice : {NodeChoice::compact, NodeChoice::tree}) {
    EXPECT_THAT(choose(network, choice, {}, candidates, 2), ElementsAre(1, 4));
    EXPECT_THAT(choose(network, choice, {}, candidates, 4), ElementsAre(0, 1, 3, 4));
    EXPECT_THAT(choose(network, choice, {LeafId{0}}, candidates, 1), ElementsAre(3));
    EXPECT_THAT(choose(network, choice, {}, candidates, 0), ElementsAre());
    EXPECT_THAT(choose(network, choice, {}, {kNoLeaf, kNoLeaf}, 1), ElementsAre(0));
  }
  EXPECT_THAT(choose(network, NodeChoice::order, {}, candidates, 2), ElementsAre(0, 1));
}

// --- tree ---

// sbatch -N 3 on leaves with 5, 3 and 2 nodes: the tightest fit; -N 6 over the fullest; what one network node above
// holds stays below it.
TEST(NodeChoice, TreeFillsTheTightestLeafThenTheFullestBelowTheTightestNode) {
  const NetworkTopology flat({{"top", NetworkNode::kRoot}, {"a", 0}, {"b", 0}, {"c", 0}});
  const LeafId a{0};
  const LeafId b{1};
  const LeafId c{2};
  const std::vector<LeafId> nodes = {a, a, a, a, a, b, b, b, c, c};
  EXPECT_THAT(choose(flat, NodeChoice::tree, {}, nodes, 1), ElementsAre(8));
  EXPECT_THAT(choose(flat, NodeChoice::tree, {}, nodes, 3), ElementsAre(5, 6, 7));
  EXPECT_THAT(choose(flat, NodeChoice::tree, {}, nodes, 4), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(choose(flat, NodeChoice::tree, {}, nodes, 6), ElementsAre(0, 1, 2, 3, 4, 8));
  EXPECT_THAT(choose(flat, NodeChoice::tree, {}, nodes, 8), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(choose(flat, NodeChoice::tree, {c}, nodes, 3), ElementsAre(5, 8, 9)) << "those beside what it has first";

  const NetworkTopology two({{"top", NetworkNode::kRoot}, {"x", 0}, {"y", 0}, {"a", 1}, {"b", 1}, {"c", 2}, {"d", 2}});
  const std::vector<LeafId> on_two = {a, a, a, a, b, b, c, c, c, LeafId{3}, LeafId{3}};
  EXPECT_THAT(choose(two, NodeChoice::tree, {}, on_two, 5), ElementsAre(6, 7, 8, 9, 10)) << "y holds them most tightly";
  EXPECT_THAT(choose(two, NodeChoice::tree, {}, on_two, 6), ElementsAre(0, 1, 2, 3, 4, 5));
}

// What policy slurm takes, which follows a real slurmctld: the network as its switches, nodes that the job has already
// as nodes of a lower weight, which are all taken first.
TEST(NodeChoice, TreeIsWhatPolicySlurmTakes) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Draw draw(seed);
    const auto& trees = trees_of_layers(kMostInstances, 1 + draw.small(1, 2));
    const auto& shapes = trees[1 + draw.below(kMostInstances)];
    const Made made = make(shapes[draw.below(shapes.size())]);
    const NetworkTopology& network = made.network;
    std::vector<LeafId> leaf = made.candidates;
    for (std::size_t i = 0; i < leaf.size(); ++i) std::swap(leaf[i], leaf[i + draw.below(leaf.size() - i)]);
    // Not all nodes are free; of those that are some have a lower weight.
    std::vector<std::uint32_t> free;
    std::vector<LeafId> taken;
    std::vector<LeafId> candidates;
    std::vector<std::uint64_t> weights(leaf.size());
    const std::uint64_t light = draw.below(3);
    slurm::NodeBits usable(leaf.size());
    std::vector<std::uint32_t> expected;
    for (std::uint32_t n = 0; n < leaf.size(); ++n) {
      if (draw.one_in(5)) continue;
      usable.set(n);
      if (draw.one_in(5) && light > 0) {
        weights[n] = 1;
        taken.push_back(leaf[n]);
        expected.push_back(n);
      } else {
        weights[n] = 2;
        candidates.push_back(leaf[n]);
        free.push_back(n);
      }
    }
    if (candidates.empty()) continue;
    const std::size_t count = 1 + draw.below(candidates.size());
    for (const std::uint32_t i : choose(network, NodeChoice::tree, taken, candidates, count)) {
      expected.push_back(free[i]);
    }
    std::sort(expected.begin(), expected.end());

    ClusterSpec spec;
    spec.groups = {{static_cast<std::int32_t>(leaf.size()), 1, Supply::permanent, 1}};
    spec.queues = {{{GroupId{0}}}};
    std::vector<std::string> names;
    std::vector<slurm::SwitchSettings> switches;
    for (std::size_t n = 0; n < leaf.size(); ++n) names.push_back(fmt::format("n{:02}", n));
    for (std::uint32_t node = 0; node < network.size(); ++node) {
      slurm::SwitchSettings own;
      own.name = fmt::format("s{}", node);
      std::string& below =
          network.leaves_below(node).count() == 1 && network.node_of(LeafId{network.leaves_below(node).first}) == node
              ? own.nodes
              : own.switches;
      for (std::size_t n = 0; n < leaf.size() && &below == &own.nodes; ++n) {
        if (network.node_of(leaf[n]) == node) below += (below.empty() ? "" : ",") + names[n];
      }
      for (std::uint32_t child = 1; child < network.size() && &below == &own.switches; ++child) {
        if (network.parent(child) == node) below += (below.empty() ? "" : ",") + fmt::format("s{}", child);
      }
      switches.push_back(std::move(own));
    }
    ASSERT_EQ(slurm::Topology::check(switches, names), "");
    const Cluster cluster(spec);
    const slurm::NodeTable table(cluster, slurm::Conf{}, names);
    const slurm::Selector selector(table, slurm::Conf{});
    const slurm::Topology topology(switches, table);
    slurm::Ranking ranking;
    ranking.assign(weights);
    slurm::Ask ask;
    ask.min_nodes = ask.max_nodes = ask.cpus = ask.tasks = static_cast<std::int32_t>(expected.size());
    ask.whole_nodes = true;
    std::vector<slurm::Selector::Share> shares;
    ASSERT_TRUE(slurm::Placement(selector, table, &topology, slurm::Version{})
                    .pick(ask, usable, slurm::Holdings(table.size()), ranking, false, true, true, 0, shares));
    std::vector<std::uint32_t> found;
    for (const slurm::Selector::Share& share : shares) found.push_back(share.node);
    std::sort(found.begin(), found.end());
    ASSERT_EQ(expected, found) << "seed " << seed;
  }
}

// --- in a cluster ---

// Eight nodes in two groups, on leaves of two network nodes.
ClusterSpec eight_nodes(NodeChoice choice) {
  ClusterSpec spec;
  spec.groups = {{4, 4, Supply::dynamic, 1}, {4, 4, Supply::dynamic, 1}};
  spec.queues = {{{GroupId{0}, GroupId{1}}}};
  spec.topology = std::make_shared<const NetworkTopology>(std::vector<NetworkNode>{
      {"region", NetworkNode::kRoot}, {"zone", 0}, {"x", 1}, {"y", 1}, {"a", 2}, {"b", 2}, {"c", 3}, {"d", 3}});
  spec.node_choice = choice;
  return spec;
}

std::vector<std::uint32_t> placed(const Cluster& cluster, const JobRequest& request, Time now) {
  std::vector<NodeShare> shares;
  std::vector<std::uint32_t> nodes;
  if (cluster.place(request, now, shares)) {
    for (const NodeShare& share : shares) nodes.push_back(number(share.node));
  }
  return nodes;
}

// Brings nodes 0 to 7 up, but for one of each group, on these leaves, and leaves them idle.
void bring_up(ControllerBench& bench, const std::vector<std::uint32_t>& leaves) {
  bench.schedule = [&](const View& view, Plan& plan) {
    if (view.jobs().state(JobId{0}) != JobState::pending) return kNever;
    std::vector<NodeShare> shares;
    for (std::uint32_t n = 0; n < leaves.size(); ++n) shares.push_back({NodeId{n}, 4});
    plan.start(JobId{0}, shares);
    return kNever;
  };
  bench.arrive(nodes_for(static_cast<std::int32_t>(leaves.size()), 4, kHour));
  bench.step(0);
  for (std::uint32_t n = 0; n < leaves.size(); ++n) {
    bench.tell(Stimulus::Kind::instance_running, n);
    bench.tell(Stimulus::Kind::instance_placed, n, leaves[n]);
    bench.tell(Stimulus::Kind::node_ready, n);
  }
  bench.step(kMinute);
  bench.finish(JobId{0});
  bench.schedule = nullptr;
  bench.step(2 * kMinute);
}

TEST(NodeChoice, AClusterChoosesAmongTheNodesThatAreUp) {
  ControllerBench bench(eight_nodes(NodeChoice::compact));
  bring_up(bench, {0, 2, 1, 2, 3, 2});  // nodes 6 and 7 are powered down
  EXPECT_THAT(placed(bench.cluster(), nodes_for(1, 4, kHour), kHour), ElementsAre(0));
  EXPECT_THAT(placed(bench.cluster(), nodes_for(2, 4, kHour), kHour), ElementsAre(1, 3)) << "of both groups, on c";
  EXPECT_THAT(placed(bench.cluster(), nodes_for(3, 4, kHour), kHour), ElementsAre(1, 3, 5));
  EXPECT_THAT(placed(bench.cluster(), nodes_for(4, 4, kHour), kHour), ElementsAre(1, 3, 4, 5)) << "below y";
  EXPECT_THAT(placed(bench.cluster(), exclusive(nodes_for(3, 1, kHour)), kHour), ElementsAre(1, 3, 5));
  EXPECT_THAT(placed(bench.cluster(), nodes_for(7, 4, kHour), kHour), ElementsAre(0, 1, 2, 3, 4, 5, 6))
      << "all that are up, then those that boot for it";
  EXPECT_THAT(placed(bench.cluster(), nodes_for(9, 4, kHour), kHour), ElementsAre());
  EXPECT_THAT(placed(bench.cluster(), cores_for(8, kHour), kHour), ElementsAre(0, 1)) << "cores wherever they are";
}

TEST(NodeChoice, AClusterTakesTheFirstNodesUnlessToldToChoose) {
  ClusterSpec spec = eight_nodes(NodeChoice::order);
  ControllerBench bench(spec);
  bring_up(bench, {0, 2, 1, 2, 3, 2});
  EXPECT_THAT(placed(bench.cluster(), nodes_for(3, 4, kHour), kHour), ElementsAre(0, 1, 2));
  spec = eight_nodes(NodeChoice::compact);
  spec.topology = nullptr;  // nothing is known
  const Cluster cluster(spec);
  EXPECT_THAT(placed(cluster, nodes_for(3, 4, kHour), 0), ElementsAre(0, 1, 2));
}

TEST(NodeChoice, WeightComesBeforeTopology) {
  ClusterSpec spec = eight_nodes(NodeChoice::compact);
  spec.groups[1].weight = 2;
  ControllerBench bench(spec);
  bring_up(bench, {0, 1, 2, 2, 2, 2, 0, 0});
  EXPECT_THAT(placed(bench.cluster(), nodes_for(2, 4, kHour), kHour), ElementsAre(2, 3));
  EXPECT_THAT(placed(bench.cluster(), nodes_for(4, 4, kHour), kHour), ElementsAre(0, 1, 2, 3)) << "not 2, 3, 4, 5";
  EXPECT_THAT(placed(bench.cluster(), nodes_for(6, 4, kHour), kHour), ElementsAre(0, 1, 2, 3, 4, 5))
      << "c has two, then c's others: 2 + 2 there is nearer than 1 + 2 on a";
}

TEST(NodeChoice, WithReservedNodesAClusterChoosesAmongTheOthers) {
  ControllerBench bench(eight_nodes(NodeChoice::compact));
  bring_up(bench, {0, 2, 1, 2, 3, 2, 2, 0});
  // Two kinds of jobs: reservations name nodes. Node 3 is kept for a job in half an hour.
  bench.schedule = [](const View& view, Plan& plan) {
    if (view.jobs().state(JobId{1}) == JobState::pending && view.now() == kHour) {
      const std::vector<NodeShare> shares = {{NodeId{3}, 2}};
      plan.reserve(JobId{1}, kHour + kHour / 2, shares);
    }
    return kNever;
  };
  bench.arrive(nodes_for(1, 2, kHour));
  bench.step(kHour);
  EXPECT_THAT(placed(bench.cluster(), nodes_for(3, 4, kHour), kHour), ElementsAre(1, 5, 6));
  EXPECT_THAT(placed(bench.cluster(), nodes_for(4, 4, kHour), kHour), ElementsAre(1, 4, 5, 6));
  EXPECT_THAT(placed(bench.cluster(), nodes_for(4, 4, kMinute), kHour), ElementsAre(1, 3, 5, 6)) << "it is over before";
  std::vector<NodeShare> later;
  ASSERT_EQ(bench.cluster().earliest(nodes_for(4, 4, kHour), kHour + kHour / 2, later), kHour + kHour / 2);
  std::vector<std::uint32_t> nodes;
  for (const NodeShare& share : later) nodes.push_back(number(share.node));
  EXPECT_THAT(nodes, ElementsAre(1, 4, 5, 6)) << "reservations, too, are for nodes that are near";
}

// A random cluster at work: of every request, what place() says is what its rules say, found by looking at all sets.
class RandomCluster {
 public:
  explicit RandomCluster(std::uint64_t seed) : draw_(seed), bench_(spec()) {}

  void step() {
    now_ += kMinute;
    for (std::size_t i = draw_.below(3); i > 0; --i) bench_.arrive(request());
    for (auto job = running_.begin(); job != running_.end();) {
      const bool ends = bench_.state(*job) == JobState::running && draw_.one_in(3);
      if (ends) bench_.finish(*job);
      job = ends ? running_.erase(job) : job + 1;
    }
    for (auto node = booting_.begin(); node != booting_.end();) {
      const bool ready = draw_.one_in(2);
      if (ready) {
        bench_.tell(Stimulus::Kind::instance_running, *node);
        if (!draw_.one_in(6)) {
          bench_.tell(Stimulus::Kind::instance_placed, *node, static_cast<std::uint32_t>(draw_.below(leaves_)));
        }
        bench_.tell(Stimulus::Kind::node_ready, *node);
      }
      node = ready ? booting_.erase(node) : node + 1;
    }
    bench_.step(now_);
    for (const Command& start : bench_.told(Command::Kind::start_job)) running_.push_back(JobId{start.subject});
    for (const std::uint32_t node : bench_.nodes_told(Command::Kind::launch_instances)) booting_.push_back(node);
    bench_.cluster().audit();
  }

  void check(int& found, int& chosen) {
    const Cluster& cluster = bench_.cluster();
    const JobRequest r = request();
    const auto wanted = static_cast<std::size_t>(r.nodes);
    // Tiers: by state, then by weight.
    std::map<std::pair<int, int>, std::vector<NodeId>> tiers;
    for (std::uint32_t n = 0; n < cluster.node_count(); ++n) {
      const NodeId node{n};
      const std::int32_t free = cluster.cores(node) - cluster.cores_in_use(node);
      if (cluster.is_down(node) || cluster.state(node) == NodeState::powering_down) continue;
      if (free < (r.exclusive ? cluster.cores(node) : r.cores)) continue;
      tiers[{static_cast<int>(cluster.state(node)), cluster.spec().groups[index(cluster.group_of(node))].weight}]
          .push_back(node);
    }
    std::vector<std::uint32_t> expected;
    for (const auto& [key, nodes] : tiers) {
      const std::size_t missing = wanted - expected.size();
      if (nodes.size() <= missing) {
        for (const NodeId node : nodes) expected.push_back(number(node));
        continue;
      }
      if (missing == 0) break;
      chosen += 1;
      std::vector<LeafId> taken;
      std::vector<LeafId> candidates;
      for (const std::uint32_t n : expected) taken.push_back(cluster.leaf(NodeId{n}));
      for (const NodeId node : nodes) candidates.push_back(cluster.leaf(node));
      for (const std::uint32_t i :
           choose(*cluster.spec().topology, cluster.spec().node_choice, taken, candidates, missing)) {
        expected.push_back(number(nodes[i]));
      }
      break;
    }
    if (expected.size() < wanted) expected.clear();
    found += expected.empty() ? 0 : 1;
    ASSERT_EQ(placed(cluster, r, now_), expected);
  }

 private:
  JobRequest request() {
    const JobRequest r = nodes_for(draw_.small(1, 6), draw_.small(1, 4), kHour);
    return draw_.one_in(3) ? exclusive(r) : r;
  }
  ClusterSpec spec() {
    ClusterSpec spec;
    for (int g = 0; g < 3; ++g) spec.groups.push_back({draw_.small(1, 5), 4, Supply::dynamic, draw_.small(1, 2)});
    spec.queues = {{{GroupId{0}, GroupId{1}, GroupId{2}}}};
    spec.topology = std::make_shared<const NetworkTopology>(random_tree(draw_));
    leaves_ = spec.topology->leaf_count();
    spec.node_choice = draw_.one_in(2) ? NodeChoice::compact : NodeChoice::tree;
    return spec;
  }

  Draw draw_;
  std::size_t leaves_ = 0;
  ControllerBench bench_;
  Time now_ = 0;
  std::vector<JobId> running_;
  std::vector<std::uint32_t> booting_;
};

TEST(NodeChoice, RandomClustersPlaceByStateThenWeightThenPlace) {
  int found = 0;
  int chosen = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    RandomCluster cluster(seed);
    for (int i = 0; i < 40 && !testing::Test::HasFatalFailure(); ++i) {
      cluster.step();
      cluster.check(found, chosen);
    }
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed;
  }
  EXPECT_GT(found, 1000);
  EXPECT_GT(chosen, 1000);
}

}  // namespace
}  // namespace headroom
