#include "engine/topology.hpp"

#include <algorithm>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/depth_first_search.hpp>

namespace headroom {
namespace {

using Tree = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

// Depths, and leaves in the order in which they are found.
struct Numbering : boost::default_dfs_visitor {
  Numbering(std::vector<std::uint32_t>& depth, std::vector<NetworkTopology::Leaves>& below,
            std::vector<std::uint32_t>& leaves)
      : depth_(&depth), below_(&below), leaves_(&leaves) {}

  void discover_vertex(std::size_t node, const Tree& tree) {
    (*below_)[node].first = static_cast<std::uint32_t>(leaves_->size());
    if (out_degree(node, tree) == 0) leaves_->push_back(static_cast<std::uint32_t>(node));
  }
  void tree_edge(Tree::edge_descriptor edge, const Tree& tree) {
    (*depth_)[target(edge, tree)] = (*depth_)[source(edge, tree)] + 1;
  }
  void finish_vertex(std::size_t node, const Tree&) {
    (*below_)[node].last = static_cast<std::uint32_t>(leaves_->size());
  }

 private:
  std::vector<std::uint32_t>* depth_;
  std::vector<NetworkTopology::Leaves>* below_;
  std::vector<std::uint32_t>* leaves_;
};

}  // namespace

NetworkTopology::NetworkTopology(std::vector<NetworkNode> nodes)
    : nodes_(std::move(nodes)), depth_(nodes_.size()), below_(nodes_.size()) {
  ensure(!nodes_.empty() && nodes_.front().parent == NetworkNode::kRoot, "a topology begins with its root");
  Tree tree(nodes_.size());
  for (std::uint32_t n = 1; n < nodes_.size(); ++n) {
    ensure(nodes_[n].parent < n, "a topology is one tree, parents before children");
    add_edge(nodes_[n].parent, n, tree);
  }
  std::vector<boost::default_color_type> colors(nodes_.size());
  boost::depth_first_visit(tree, 0, Numbering(depth_, below_, node_of_leaf_), colors.data());

  for (const std::uint32_t leaf : node_of_leaf_) {
    path_begin_.push_back(paths_.size());
    for (std::uint32_t node = leaf; node != NetworkNode::kRoot; node = nodes_[node].parent) paths_.push_back(node);
    std::reverse(paths_.begin() + static_cast<std::ptrdiff_t>(path_begin_.back()), paths_.end());
  }
  path_begin_.push_back(paths_.size());
}

std::uint32_t NetworkTopology::common(LeafId a, LeafId b) const {
  const std::span<const std::uint32_t> to_a = path_to(a);
  const std::span<const std::uint32_t> to_b = path_to(b);
  const auto apart = std::mismatch(to_a.begin(), to_a.end(), to_b.begin(), to_b.end());
  return *std::prev(apart.first);
}

std::int32_t NetworkTopology::hops(LeafId a, LeafId b) const {
  const std::uint32_t deepest = std::max(depth_[node_of(a)], depth_[node_of(b)]);
  return 2 * static_cast<std::int32_t>(deepest - depth_[common(a, b)] + 1);
}

Locality locality_of(const NetworkTopology& topology, std::span<const LeafId> leaves) {
  std::vector<LeafId> sorted;
  std::copy_if(leaves.begin(), leaves.end(), std::back_inserter(sorted), [](LeafId leaf) { return leaf != kNoLeaf; });
  std::sort(sorted.begin(), sorted.end());
  const auto nodes = static_cast<std::int64_t>(sorted.size());
  Locality locality;
  locality.pairs = nodes * (nodes - 1) / 2;
  struct Some {
    LeafId leaf;
    std::int64_t nodes;
  };
  std::vector<Some> groups;
  for (const LeafId leaf : sorted) {
    if (groups.empty() || groups.back().leaf != leaf) groups.push_back({leaf, 0});
    ++groups.back().nodes;
  }
  locality.leaves = static_cast<std::uint32_t>(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const std::int64_t near = groups[i].nodes * (groups[i].nodes - 1) / 2;
    locality.near_pairs += near;
    const auto count = [&](std::int64_t pairs, std::int32_t hops) {
      if (pairs == 0) return;
      locality.pair_hops += pairs * hops;
      locality.diameter_hops = std::max(locality.diameter_hops, hops);
    };
    count(near, topology.hops(groups[i].leaf, groups[i].leaf));
    for (std::size_t j = i + 1; j < groups.size(); ++j) {
      count(groups[i].nodes * groups[j].nodes, topology.hops(groups[i].leaf, groups[j].leaf));
    }
  }
  return locality;
}

}  // namespace headroom
