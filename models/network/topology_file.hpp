// What EC2 says of the network below instances: the output of `aws ec2 describe-instance-topology` (ec2.md section 10).
// Hides the JSON and how answers in pages are put together; promises one tree in which every instance hangs on a leaf,
// or an InputError that names file and line of everything that contradicts that.
//
// A file holds what the command printed, page after page: objects with "Instances", or the arrays that
// `--query Instances` leaves of them. Several files are one network.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/topology.hpp"

namespace headroom {

struct TopologyInstance {
  std::string id;
  std::string type;   // "" where it is not told, like the following
  std::string group;  // placement group
  std::string zone;
  std::string capacity_block;
  LeafId leaf = kNoLeaf;   // its last network node
  std::string place = {};  // "file:line"
};

struct TopologyFile {
  // Root: the region; below it the zones, below them network nodes in the order in which the file names them.
  std::shared_ptr<const NetworkTopology> network;
  std::vector<TopologyInstance> instances;  // in the order of the file; no id twice
  std::vector<std::string> remarks;         // "file:line: ...": possible, but no network for one EFA job, or incomplete

  // Null if there is none.
  const TopologyInstance* find(std::string_view id) const;

  std::vector<std::uint32_t> by_id = {};  // positions in `instances`
};

// Refused: no instances at all, an instance twice, one without network nodes, a network node below two others or at two
// depths, one that has instances and other network nodes below it.
TopologyFile read_topology(std::span<const std::string> paths);
// The same of text; `name` stands for the file in messages.
TopologyFile parse_topology(std::string_view text, const std::string& name);

// The layers of network nodes above an instance on that leaf: 3 or 4 with EC2 (ec2.md section 10).
std::uint32_t network_layers(const NetworkTopology& network, LeafId leaf);

}  // namespace headroom
