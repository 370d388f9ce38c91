// What the scheduler calls instances: a file that says so. Promises that no name stands for two instances.
//
// Either lines "INSTANCE-ID NAME" (# begins a comment), or what `aws ec2 describe-instances` prints: then a name is the
// private DNS name up to its first dot, as slurmd takes it from the host.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headroom {

using NodeNames = std::map<std::string, std::string>;  // by instance id

// Throws InputError.
NodeNames read_node_names(const std::string& path);
NodeNames parse_node_names(std::string_view text, const std::string& name);

// Names in Slurm's short form, sorted: "compute-[1-3,7],login". Those of one prefix and number of digits are joined.
std::string hostlist(std::vector<std::string> names);

}  // namespace headroom
