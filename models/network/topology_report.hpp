// What a topology file says, for people and programs: how large the leaves are, how far apart the instances, and the
// same network in the words of Slurm and of a scenario.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "models/network/node_names.hpp"
#include "models/network/topology_file.hpp"

namespace headroom {

// Pairs of instances by the links between them. Those whose leaf is not known count for nothing.
std::map<std::int32_t, std::int64_t> pairs_by_hops(const NetworkTopology& network, std::span<const LeafId> leaves);

std::string topology_text(const TopologyFile& file);
std::string topology_json(const TopologyFile& file);  // schema headroom.topology/1
std::string topology_csv(const TopologyFile& file);   // one row an instance

// topology.conf of Slurm's topology/tree: a switch for each network node; zones stay apart (EFA does not cross them).
// Instances that `names` does not name are left out; without any names their ids are taken. `remarks` gets what an
// administrator should know. Throws InputError if nothing is left.
std::string slurm_topology(const TopologyFile& file, const NodeNames* names, std::vector<std::string>& remarks);

// A scenario's part {"network": {"fabrics": [...]}}: for each instance type and zone as many layers, network nodes and
// slots of a leaf as were seen at most. What hardware others use is not to be seen.
std::string fabrics_json(const TopologyFile& file);

}  // namespace headroom
