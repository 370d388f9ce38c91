// The network as topology/tree has it: switches above switches above nodes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/policies/slurm/nodes.hpp"

namespace headroom::slurm {

class Topology {
 public:
  static constexpr std::int32_t kNotConnected = 1 << 28;

  // Returns what is wrong, "" if nothing: names that there are not, a switch with two parents, a ring.
  static std::string check(const std::vector<SwitchSettings>& settings, const std::vector<std::string>& node_names);
  Topology(const std::vector<SwitchSettings>& settings, const NodeTable& table);

  std::size_t size() const { return nodes_.size(); }
  const NodeBits& nodes(std::size_t s) const { return nodes_[s]; }  // below it
  std::int32_t level(std::size_t s) const { return level_[s]; }     // 0: a leaf
  bool is_leaf(std::size_t s) const { return level_[s] == 0; }
  // Its own number at the top.
  std::size_t parent(std::size_t s) const { return parent_[s]; }
  // Links between two switches.
  std::int32_t distance(std::size_t a, std::size_t b) const { return distance_[a * size() + b]; }

 private:
  std::vector<NodeBits> nodes_;
  std::vector<std::int32_t> level_;
  std::vector<std::size_t> parent_;
  std::vector<std::int32_t> distance_;
};

}  // namespace headroom::slurm
