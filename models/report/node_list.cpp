#include "models/report/node_list.hpp"

#include <algorithm>

#include "models/report/format.hpp"

namespace headroom {

NodeLists::NodeLists(const Design& design) : design_(design) {
  std::uint32_t first = 0;
  for (const NodeGroupSpec& group : design_.spec.groups) {
    group_first_.push_back(first);
    first += static_cast<std::uint32_t>(group.nodes);
  }
}

void NodeLists::append(std::string& out, std::span<const HeldShare> shares) const {
  if (shares.empty()) return;
  if (design_.is_pool && !design_.pool_of_nodes) {
    out += design_.groups.front().name;
    return;
  }
  struct Node {
    std::uint32_t group, number;
    auto operator<=>(const Node&) const = default;
  };
  std::vector<Node> nodes;
  for (const HeldShare& s : shares) {
    const auto after = std::upper_bound(group_first_.begin(), group_first_.end(), number(s.node));
    const auto g = static_cast<std::uint32_t>(after - group_first_.begin() - 1);
    nodes.push_back({g, number(s.node) - group_first_[g] + 1});
  }
  std::sort(nodes.begin(), nodes.end());
  const std::size_t start = out.size();
  for (std::size_t i = 0; i < nodes.size();) {
    std::size_t end = i;  // nodes [i, end) are of one group
    while (end < nodes.size() && nodes[end].group == nodes[i].group) ++end;
    if (out.size() > start) out.push_back(',');
    out += design_.groups[nodes[i].group].name;
    out.push_back('-');
    const bool several = end - i > 1;
    if (several) out.push_back('[');
    for (std::size_t k = i; k < end;) {
      std::size_t last = k;
      while (last + 1 < end && nodes[last + 1].number == nodes[last].number + 1) ++last;
      if (k > i) out.push_back(',');
      append_number(out, std::int64_t{nodes[k].number});
      if (last > k) {
        out.push_back('-');
        append_number(out, std::int64_t{nodes[last].number});
      }
      k = last + 1;
    }
    if (several) out.push_back(']');
    i = end;
  }
}

}  // namespace headroom
