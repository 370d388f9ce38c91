// Where instances hang in the network: output of `aws ec2 describe-instance-topology` (ec2.md 10). Used to put hosts
// that share network nodes side by side, and to say how far apart two hosts are.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::validate {

struct InstanceTopology {
  // By instance id: network nodes from the top of the tree to the one that the instance hangs on.
  std::map<std::string, std::vector<std::string>> network_nodes;

  // Hops between two instances over network nodes: 2 below one last node, 4 below one node above it, and so on. 0 when
  // it is not known.
  std::size_t hops(const std::string& a, const std::string& b) const;
};

// Throws InputError.
InstanceTopology read_instance_topology(std::string_view text, const std::string& source);

}  // namespace headroom::validate
