#include "models/network/topology_report.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/errors.hpp"
#include "models/report/format.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

constexpr std::uint32_t kZoneDepth = 1;
constexpr std::size_t kMostSizes = 16;  // that a table shows of one layer

// Instances below each node of the tree.
std::vector<std::int64_t> instances_below(const NetworkTopology& network, std::span<const LeafId> leaves) {
  std::vector<std::int64_t> below(network.size());
  for (const LeafId leaf : leaves) {
    if (leaf == kNoLeaf) continue;
    for (const std::uint32_t node : network.path_to(leaf)) ++below[node];
  }
  return below;
}

std::vector<LeafId> leaves_of(const TopologyFile& file) {
  std::vector<LeafId> leaves;
  for (const TopologyInstance& instance : file.instances) leaves.push_back(instance.leaf);
  return leaves;
}

// Of one zone: what is below each network node of each layer, the largest first.
struct Zone {
  std::string name;
  std::int64_t instances = 0;
  std::vector<std::vector<std::int64_t>> layers = {};
};

std::vector<Zone> zones_of(const TopologyFile& file) {
  const NetworkTopology& network = *file.network;
  const std::vector<std::int64_t> below = instances_below(network, leaves_of(file));
  std::vector<Zone> zones;
  std::map<std::uint32_t, std::size_t> of;
  for (std::uint32_t node = 1; node < network.size(); ++node) {  // parents come before children
    const std::uint32_t depth = network.depth(node);
    if (depth == kZoneDepth) {
      of[node] = zones.size();
      zones.push_back({network.name(node), below[node]});
      continue;
    }
    of[node] = of.at(network.parent(node));
    Zone& zone = zones[of[node]];
    zone.layers.resize(std::max<std::size_t>(zone.layers.size(), depth - kZoneDepth));
    zone.layers[depth - kZoneDepth - 1].push_back(below[node]);
  }
  for (Zone& zone : zones) {
    for (auto& layer : zone.layers) std::sort(layer.begin(), layer.end(), std::greater<>());
  }
  return zones;
}

struct Count {
  std::int64_t instances = 0;
  std::set<LeafId> leaves = {};
};

template <class Key>
std::map<std::string, Count> count_by(const TopologyFile& file, Key key) {
  std::map<std::string, Count> counts;
  for (const TopologyInstance& instance : file.instances) {
    Count& count = counts[key(instance)];
    ++count.instances;
    count.leaves.insert(instance.leaf);
  }
  return counts;
}

std::string type_of(const TopologyInstance& instance) { return instance.type; }
std::string group_of(const TopologyInstance& instance) { return instance.group; }

std::string sizes(const std::vector<std::int64_t>& layer) {
  const std::size_t shown = std::min(layer.size(), kMostSizes);
  std::string text =
      fmt::format("{}", fmt::join(layer.begin(), layer.begin() + static_cast<std::ptrdiff_t>(shown), " "));
  return shown < layer.size() ? text + fmt::format(" ... {}", layer.back()) : text;
}

std::int64_t sum(const std::map<std::int32_t, std::int64_t>& pairs) {
  std::int64_t all = 0;
  for (const auto& [hops, count] : pairs) all += count;
  return all;
}

double percent(std::int64_t part, std::int64_t whole) {
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::map<std::int32_t, std::int64_t> pairs_by_hops(const NetworkTopology& network, std::span<const LeafId> leaves) {
  std::map<std::uint32_t, std::vector<LeafId>> by_depth;
  for (const LeafId leaf : leaves) {
    if (leaf != kNoLeaf) by_depth[network.depth(network.node_of(leaf))].push_back(leaf);
  }
  // Pairs whose deepest common node is this one, on leaves no deeper than so much: those below it that are not below
  // one of its children. Of the two leaves the deeper counts.
  std::map<std::int32_t, std::int64_t> pairs;
  std::vector<LeafId> shallow;
  std::vector<std::int64_t> before(network.size());
  for (const auto& [deepest, more] : by_depth) {
    shallow.insert(shallow.end(), more.begin(), more.end());
    const std::vector<std::int64_t> below = instances_below(network, shallow);
    std::vector<std::int64_t> common(network.size());
    for (std::uint32_t node = 0; node < network.size(); ++node) {
      const std::int64_t inside = below[node] * (below[node] - 1) / 2;
      common[node] += inside;
      if (network.parent(node) != NetworkNode::kRoot) common[network.parent(node)] -= inside;
    }
    for (std::uint32_t node = 0; node < network.size(); ++node) {
      const std::int64_t found = common[node] - before[node];
      if (found > 0)
        pairs[2 * (static_cast<std::int32_t>(deepest) - static_cast<std::int32_t>(network.depth(node)) + 1)] += found;
    }
    before = std::move(common);
  }
  return pairs;
}

std::string topology_text(const TopologyFile& file) {
  std::string out = fmt::format("{} instances in {}\n", file.instances.size(), file.network->name(std::uint32_t{0}));
  for (const Zone& zone : zones_of(file)) {
    out += fmt::format("\nzone {}: {} instances\n", zone.name, zone.instances);
    out += fmt::format("  {:<7} {:>13}  {}\n", "layer", "network nodes", "instances below each");
    for (std::size_t l = 0; l < zone.layers.size(); ++l) {
      out += fmt::format("  {:<7} {:>13}  {}\n", l + 1, zone.layers[l].size(), sizes(zone.layers[l]));
    }
  }
  const auto table = [&](std::string_view what, const std::map<std::string, Count>& counts) {
    out += fmt::format("\n{:<32} {:>9} {:>14}\n", what, "instances", "leaves");
    for (const auto& [name, count] : counts) {
      out += fmt::format("{:<32} {:>9} {:>14}\n", name.empty() ? "-" : name, count.instances, count.leaves.size());
    }
  };
  table("instance type", count_by(file, type_of));
  table("placement group", count_by(file, group_of));
  const auto pairs = pairs_by_hops(*file.network, leaves_of(file));
  const std::int64_t all = sum(pairs);
  if (all > 0) out += fmt::format("\n{:<7} {:>13} {:>8}\n", "hops", "pairs", "share");
  for (const auto& [hops, count] : pairs) {
    out += fmt::format("{:<7} {:>13} {:>6.1f} %\n", hops, count, percent(count, all));
  }
  return out;
}

std::string topology_json(const TopologyFile& file) {
  const NetworkTopology& network = *file.network;
  constexpr std::size_t kWhole = 1000;  // bytes of a name
  std::string out = fmt::format("{{\"schema\": \"headroom.topology/1\",\n \"region\": {},\n \"instances\": {},\n",
                                quote(network.name(std::uint32_t{0}), kWhole), file.instances.size());
  out += " \"zones\": [";
  bool first = true;
  for (const Zone& zone : zones_of(file)) {
    out += fmt::format("{}\n  {{\"zone\": {}, \"instances\": {}, \"layers\": [", first ? "" : ",",
                       quote(zone.name, kWhole), zone.instances);
    for (std::size_t l = 0; l < zone.layers.size(); ++l) {
      out += fmt::format("{}[{}]", l == 0 ? "" : ", ", fmt::join(zone.layers[l], ", "));
    }
    out += "]}";
    first = false;
  }
  const auto counts = [&](std::string_view key, const std::map<std::string, Count>& by) {
    out += fmt::format("],\n \"{}\": [", key);
    bool none = true;
    for (const auto& [name, count] : by) {
      out += fmt::format("{}\n  {{\"name\": {}, \"instances\": {}, \"leaves\": {}}}", none ? "" : ",",
                         quote(name, kWhole), count.instances, count.leaves.size());
      none = false;
    }
  };
  counts("instance_types", count_by(file, type_of));
  counts("placement_groups", count_by(file, group_of));
  out += "],\n \"pairs\": [";
  const auto pairs = pairs_by_hops(network, leaves_of(file));
  const std::int64_t all = sum(pairs);
  first = true;
  for (const auto& [hops, count] : pairs) {
    out += fmt::format("{}\n  {{\"hops\": {}, \"pairs\": {}, \"share\": {:.4f}}}", first ? "" : ",", hops, count,
                       percent(count, all) / 100);
    first = false;
  }
  out += "],\n \"leaves\": [";
  const std::vector<std::int64_t> below = instances_below(network, leaves_of(file));
  for (std::uint32_t l = 0; l < network.leaf_count(); ++l) {
    out += fmt::format("{}\n  {{\"network_nodes\": [", l == 0 ? "" : ",");
    const auto path = network.path_to(LeafId{l});
    for (std::size_t d = kZoneDepth + 1; d < path.size(); ++d) {
      out += fmt::format("{}{}", d == kZoneDepth + 1 ? "" : ", ", quote(network.name(path[d]), kWhole));
    }
    out += fmt::format("], \"zone\": {}, \"instances\": {}}}", quote(network.name(path[kZoneDepth]), kWhole),
                       below[path.back()]);
  }
  out += "],\n \"remarks\": [";
  for (std::size_t i = 0; i < file.remarks.size(); ++i) {
    out += fmt::format("{}\n  {}", i == 0 ? "" : ",", quote(file.remarks[i], 10 * kWhole));
  }
  return out + "]}\n";
}

std::string topology_csv(const TopologyFile& file) {
  std::string out = "instance_id,instance_type,zone,placement_group,leaf,network_nodes\n";
  for (const TopologyInstance& instance : file.instances) {
    for (const std::string* text : {&instance.id, &instance.type, &instance.zone, &instance.group}) {
      append_csv_text(out, *text);
      out += ',';
    }
    out += fmt::format("{},", number(instance.leaf));
    std::string nodes;
    const auto path = file.network->path_to(instance.leaf);
    for (std::size_t d = kZoneDepth + 1; d < path.size(); ++d) {
      nodes += (nodes.empty() ? "" : " ") + file.network->name(path[d]);
    }
    append_csv_text(out, nodes);
    out += '\n';
  }
  return out;
}

std::string slurm_topology(const TopologyFile& file, const NodeNames* names, std::vector<std::string>& remarks) {
  const NetworkTopology& network = *file.network;
  std::vector<std::vector<std::string>> on_leaf(network.leaf_count());
  std::vector<std::string> unnamed;
  for (const TopologyInstance& instance : file.instances) {
    const auto name = names == nullptr ? NodeNames::const_iterator() : names->find(instance.id);
    if (names != nullptr && name == names->end()) {
      unnamed.push_back(instance.id);
      continue;
    }
    on_leaf[index(instance.leaf)].push_back(names == nullptr ? instance.id : name->second);
  }
  if (names == nullptr) {
    remarks.push_back("nodes have their instances' ids as names: EC2 tells no others here; --nodes FILE gives them");
  } else if (unnamed.size() == file.instances.size()) {
    throw InputError(
        fmt::format("--nodes: names none of the {} instances; the first is {}", unnamed.size(), unnamed[0]));
  } else if (!unnamed.empty()) {
    remarks.push_back(fmt::format("{} of {} instances have no name and are left out, the first is {}", unnamed.size(),
                                  file.instances.size(), unnamed[0]));
  }
  if (names != nullptr) {
    std::size_t unknown = 0;
    std::string first;
    for (const auto& [id, name] : *names) {
      if (file.find(id) != nullptr) continue;
      if (unknown++ == 0) first = name;
    }
    if (unknown > 0) {
      remarks.push_back(
          fmt::format("{} named instances are not in the topology, the first is {}: Slurm will not give "
                      "their nodes to jobs together with others",
                      unknown, first));
    }
  }
  std::vector<std::string> below(network.size());  // names of switches or nodes
  std::vector<std::int64_t> children(network.size());
  for (std::uint32_t l = 0; l < network.leaf_count(); ++l) below[network.node_of(LeafId{l})] = hostlist(on_leaf[l]);
  std::vector<std::string> lines;
  std::size_t zones = 0;
  for (auto node = static_cast<std::uint32_t>(network.size()); node-- > 1;) {  // children before parents
    if (below[node].empty()) continue;
    const bool is_zone = network.depth(node) == kZoneDepth;
    zones += is_zone;
    if (is_zone && children[node] == 1) continue;
    const bool is_leaf =
        network.leaves_below(node).count() == 1 && network.node_of(LeafId{network.leaves_below(node).first}) == node;
    lines.push_back(
        fmt::format("SwitchName={} {}={}\n", network.name(node), is_leaf ? "Nodes" : "Switches", below[node]));
    if (is_zone) continue;
    std::string& above = below[network.parent(node)];
    above = above.empty() ? network.name(node) : network.name(node) + "," + above;
    ++children[network.parent(node)];
  }
  std::reverse(lines.begin(), lines.end());
  std::string out = "# topology.conf, for TopologyPlugin=topology/tree; from aws ec2 describe-instance-topology\n";
  if (zones > 1) out += "# Zones are not joined: no job gets nodes of two, as EFA does not cross zones.\n";
  for (const std::string& line : lines) out += line;
  return out;
}

std::string fabrics_json(const TopologyFile& file) {
  const NetworkTopology& network = *file.network;
  std::map<std::pair<std::string, std::string>, std::vector<LeafId>> by;  // zone and type
  for (const TopologyInstance& instance : file.instances) {
    by[{instance.zone, instance.type.empty() ? "*" : instance.type}].push_back(instance.leaf);
  }
  std::string out = "{\"network\": {\"fabrics\": [";
  bool first = true;
  for (const auto& [key, leaves] : by) {
    const std::vector<std::int64_t> below = instances_below(network, leaves);
    std::vector<std::int64_t> children(network.size());
    std::vector<std::int64_t> layers;
    std::int64_t slots = 0;
    for (auto node = static_cast<std::uint32_t>(network.size()); node-- > 1;) {
      if (below[node] == 0) continue;
      ++children[network.parent(node)];
      const std::size_t layer = network.depth(node) - kZoneDepth;
      if (layers.size() < layer + 1) layers.resize(layer + 1);
      layers[layer] = std::max(layers[layer], children[node]);
      if (children[node] == 0) slots = std::max(slots, below[node]);
    }
    layers.pop_back();  // below leaves
    out +=
        fmt::format("{}\n  {{\"instanceType\": {}, \"availabilityZone\": {}, \"layers\": [{}], \"slotsPerLeaf\": {}}}",
                    first ? "" : ",", quote(key.second, 1000), quote(key.first, 1000), fmt::join(layers, ", "), slots);
    first = false;
  }
  return out + "]}}\n";
}

}  // namespace headroom
