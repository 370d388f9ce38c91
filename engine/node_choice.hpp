// Which of the nodes that could take a job get it, by where they hang in the network. Hides the search; promises that
// the answer depends on the arguments alone, and is optimal under `compact`.
//
// Compact is an integer programme on a tree, solved exactly. The sum of hops falls with the pairs below each network
// node, a strictly convex function of how many nodes each leaf gives; so in the best choice every leaf but one gives
// all of its candidates or none, and a table over the number of nodes of each subtree is enough. For n candidates on l
// leaves and a job of w nodes that is O(n w) sums, and O(l w) sets of n bits to tell choices that are equally good
// apart. Where leaves hang at different depths (not with one type of instance: ec2.md section 10) there are tables over
// the numbers at each depth, and beyond kMostStates of those the sum of hops is no longer exactly the least: leaves
// that are less deep then count as if they hung at the end of a chain.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/topology.hpp"

namespace headroom {

enum class NodeChoice : std::uint8_t {
  order,    // the first ones, wherever they are
  compact,  // the least network diameter, then the least sum of hops over all pairs, then the first ones
  tree,     // as Slurm's topology/tree: the tightest fit among leaves, else among the network nodes above, leaf by leaf
};

class NodeChooser {
 public:
  static constexpr std::size_t kMostStates = 4096;

  // The network outlives it.
  NodeChooser(const NetworkTopology& network, NodeChoice choice) : network_(&network), choice_(choice) {}

  // Which `count` of `candidates`, given by their leaves in the order of preference, join nodes on the leaves `taken`:
  // into `out` their positions, ascending. Unless the choice is by order, those whose leaf is not known are the last to
  // be chosen, in their order. "The first ones" of two sets: the one that has the first node that is not in both.
  void choose(std::span<const LeafId> taken, std::span<const LeafId> candidates, std::size_t count,
              std::vector<std::uint32_t>& out);

 private:
  struct Leaf {  // one that has nodes of interest
    LeafId leaf{};
    std::uint32_t node = 0;
    std::uint32_t depth = 0;
    std::int64_t taken = 0;
    std::int64_t free = 0;   // candidates
    std::size_t first = 0;   // of them in ranked_
    std::size_t stride = 0;  // what one of them adds to State::at; 0: out of the question
  };
  // So many nodes of a subtree, chosen as well as can be.
  struct State {
    std::size_t at = 0;  // how many at each depth, as one number
    std::int64_t nodes = 0;
    std::int64_t score = 0;  // pairs below each of its network nodes
    std::size_t bits = 0;    // where in Table::bits its candidates are: one bit each, the first one the highest
  };
  struct Table {
    std::vector<State> whole;   // every leaf gives all or nothing
    std::vector<State> parted;  // but for one
    std::vector<std::uint64_t> bits;
  };
  struct Part {  // of the tree: what is below a node on leaves that are no deeper than this
    std::uint32_t node = 0;
    std::uint32_t deepest = 0;
  };
  struct Depth {  // of leaves in the part under way
    std::uint32_t depth = 0;
    std::int64_t taken = 0;
    std::size_t stride = 1;
    std::size_t numbers = 1;  // of nodes that there can be, from 0
  };
  struct Sum {  // two states joined
    std::int64_t score = -1;
    const State* a = nullptr;
    const State* b = nullptr;
  };

  void look_at(std::span<const LeafId> taken, std::span<const LeafId> candidates);
  void choose_compact(std::int64_t count, std::vector<std::uint32_t>& out);
  std::vector<Part> tightest_parts(std::int64_t count) const;
  bool is_in(const Leaf& leaf, const Part& part) const {
    return leaf.depth <= part.deepest && network_->leaves_below(part.node).contains(leaf.leaf);
  }
  void enter(const Part& part, std::int64_t count);
  std::int64_t shallow_pairs(std::size_t at) const;
  Table solve(std::uint32_t node, std::size_t first, std::size_t last, std::int64_t count) const;
  Table of_leaf(const Leaf& leaf, std::int64_t count) const;
  Table join(const Table& a, const Table& b, std::int64_t count) const;
  void choose_by_tree(std::int64_t count, std::vector<std::uint32_t>& out) const;

  const NetworkTopology* network_;
  NodeChoice choice_;
  // of the call under way
  std::vector<Leaf> leaves_;           // by number
  std::vector<std::uint32_t> ranked_;  // candidates whose leaf is known, by leaf, then as they came
  std::int64_t taken_ = 0;             // on leaves that are known
  std::size_t words_ = 0;              // of a set of candidates
  std::vector<Depth> depths_;          // ascending
};

}  // namespace headroom
