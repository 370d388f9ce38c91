// The network between instances, as EC2 tells of it (DescribeInstanceTopology): zones of a region, layers of network
// nodes below each, instances on the last of them. A tree; built once, then only asked. Hides the graph (Boost.Graph);
// promises that leaves, the last network nodes, are numbered in depth-first order, so that those below any node of the
// tree are neighbours in number.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/types.hpp"

namespace headroom {

// A last network node: what instances hang on.
enum class LeafId : std::uint32_t {};
inline constexpr LeafId kNoLeaf{0xffffffff};  // where an instance is, is not known

// One node of the tree, parents before children. The first is the root (the region); those below it are zones.
struct NetworkNode {
  static constexpr std::uint32_t kRoot = 0xffffffff;
  std::string name;
  std::uint32_t parent = kRoot;
};

class NetworkTopology {
 public:
  // The leaves below a node: first to last - 1.
  struct Leaves {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint32_t count() const { return last - first; }
    bool contains(LeafId leaf) const { return first <= number(leaf) && number(leaf) < last; }
  };

  // Throws Bug unless it is one tree: readers check their input before.
  explicit NetworkTopology(std::vector<NetworkNode> nodes);

  std::size_t size() const { return nodes_.size(); }
  const std::string& name(std::uint32_t node) const { return nodes_[node].name; }
  std::uint32_t parent(std::uint32_t node) const { return nodes_[node].parent; }
  // 0: the root.
  std::uint32_t depth(std::uint32_t node) const { return depth_[node]; }
  Leaves leaves_below(std::uint32_t node) const { return below_[node]; }

  std::size_t leaf_count() const { return node_of_leaf_.size(); }
  std::uint32_t node_of(LeafId leaf) const { return node_of_leaf_[index(leaf)]; }
  const std::string& name(LeafId leaf) const { return name(node_of(leaf)); }
  // The node that the leaf and the root have between them, at that depth; the leaf's own node if it is not so deep.
  std::uint32_t ancestor(LeafId leaf, std::uint32_t depth) const {
    const std::span<const std::uint32_t> path = path_to(leaf);
    return depth < path.size() ? path[depth] : path.back();
  }
  // From the root to the leaf's own node.
  std::span<const std::uint32_t> path_to(LeafId leaf) const {
    return std::span(paths_).subspan(path_begin_[index(leaf)], path_begin_[index(leaf) + 1] - path_begin_[index(leaf)]);
  }
  // The deepest node above both.
  std::uint32_t common(LeafId a, LeafId b) const;
  // Links between two instances on these leaves, as the literature counts them: 2 on one leaf, 4 where the nodes above
  // the leaves are one, and so on. Between leaves at different depths: the longer way counts twice.
  std::int32_t hops(LeafId a, LeafId b) const;

 private:
  std::vector<NetworkNode> nodes_;
  std::vector<std::uint32_t> depth_;
  std::vector<Leaves> below_;
  std::vector<std::uint32_t> node_of_leaf_;
  std::vector<std::uint32_t> paths_;     // by leaf, one after the other
  std::vector<std::size_t> path_begin_;  // by leaf, and the end
};

// How far apart the nodes of one job are.
struct Locality {
  std::uint32_t leaves = 0;        // network nodes that its nodes hang on
  std::int32_t diameter_hops = 0;  // of the two that are furthest apart; 0: one node, or nothing is known
  std::int64_t pairs = 0;
  std::int64_t pair_hops = 0;   // sum over all pairs
  std::int64_t near_pairs = 0;  // on one leaf
  bool operator==(const Locality&) const = default;
};
// `leaves`: of each node its leaf, in any order; nodes whose leaf is not known count for nothing.
Locality locality_of(const NetworkTopology& topology, std::span<const LeafId> leaves);

}  // namespace headroom
