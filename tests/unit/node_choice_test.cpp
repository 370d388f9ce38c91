#include "engine/node_choice.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
std::vector<std::vector<Shape>> trees_of_layers(std::int32_t most, std::int32_t layers) {
  static std::map<std::int32_t, std::vector<std::vector<Shape>>> made;  // by layers, for shapes to point into
  if (const auto at = made.find(layers); at != made.end()) return at->second;
  std::vector<std::vector<Shape>> trees(1);
  if (layers == 1) {
    for (std::int32_t n = 1; n <= most; ++n) trees.push_back({{n}});
    return made[layers] = trees;
  }
  trees_of_layers(most, layers - 1);
  const auto& smaller = made.at(layers - 1);
  for (std::int32_t n = 1; n <= most; ++n) {
    std::vector<Shape> all = trees_of(n, smaller);
    all.erase(all.begin());  // the leaf
    for (const Shape& only : smaller[static_cast<std::size_t>(n)]) all.push_back({n, {&only}});
    trees.push_back(std::move(all));
  }
  return made[layers] = trees;
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

// Every tree of so many instances, jobs of every width.
std::size_t check_all(const std::vector<Shape>& shapes) {
  std::size_t cases = 0;
  std::vector<std::uint32_t> chosen;
  for (const Shape& shape : shapes) {
    const Made made = make(shape);
    const Exhaustive oracle(made.network, made.candidates);
    NodeChooser chooser(made.network, NodeChoice::compact);
    for (std::size_t width = 1; width <= made.candidates.size(); ++width, ++cases) {
      chooser.choose({}, made.candidates, width, chosen);
      std::vector<LeafId> leaves;
      for (const std::uint32_t i : chosen) leaves.push_back(made.candidates[i]);
      const Quality found = quality(made.network, leaves);
      if (leaves.size() == width && found == oracle.best(width)) continue;
      ADD_FAILURE() << "a job of " << width << " nodes: " << found.diameter << " hops at most and " << found.hops
                    << " in all, expected " << oracle.best(width).diameter << " and " << oracle.best(width).hops;
      return cases;
    }
  }
  return cases;
}

// --- compact is optimal ---

TEST(NodeChoice, CompactIsTheBestOfAllOnEveryTreeOfUpTo12Instances) {
  const auto trees = all_trees(12);
  // Such trees are counted by t(n) = 1 + multisets of two and more.
  std::size_t cases = 0;
  for (std::size_t n = 1; n <= 12; ++n) {
    cases += check_all(trees[n]);
    std::fprintf(stderr, "%zu %zu\n", n, trees[n].size());
  }
  EXPECT_GT(cases, 1'000'000u);
}

TEST(NodeChoice, CompactIsTheBestOfAllOnEveryTreeOfThreeLayers) {
  const auto trees = trees_of_layers(12, 3);
  // Partitions of partitions of partitions (OEIS A007713).
  const std::size_t counted[] = {1, 4, 10, 30, 75, 206, 518, 1344, 3357, 8429, 20759, 51044};
  for (std::size_t n = 1; n <= 12; ++n) {
    std::fprintf(stderr, "%zu %zu\n", n, trees[n].size());
    check_all(trees[n]);
  }
}

}  // namespace
}  // namespace headroom
