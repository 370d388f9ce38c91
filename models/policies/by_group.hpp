// Nodes group by group: what is asked of the cloud is about one group at a time.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "engine/cluster.hpp"

namespace headroom {

// Calls `act` for the nodes of each group, ascending and each one once.
template <class Act>
void by_group(const Cluster& cluster, std::vector<NodeId> nodes, Act act) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  for (std::size_t i = 0; i < nodes.size();) {
    std::size_t end = i;
    while (end < nodes.size() && cluster.group_of(nodes[end]) == cluster.group_of(nodes[i])) ++end;
    act(std::span<const NodeId>(nodes).subspan(i, end - i));
    i = end;
  }
}

}  // namespace headroom
