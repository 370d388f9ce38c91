// Where jobs ran in the network: below which network nodes their instances hung, and how far apart they were. And the
// network at one time, as a tree with the cluster's instances and jobs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/topology.hpp"
#include "models/report/moment.hpp"

namespace headroom {

// Of each of the job's nodes its leaf, as far as it is known.
std::vector<LeafId> leaves_of(const RunRecord& record, const JobRecord& job);
// Pairs of nodes by the links between them.
std::map<std::int32_t, std::int64_t> pairs_by_hops(const NetworkTopology& topology, std::vector<LeafId> leaves);

// A network node below which the cluster has instances.
struct NetworkRow {
  std::uint32_t depth = 0;  // 0: the region, 1: a zone
  std::string name;
  bool is_leaf = false;
  std::int32_t instances = 0;
  std::string node_list;    // of a leaf
  std::vector<JobId> jobs;  // that hold nodes there
};

// Depth first. Instances count once they run: EC2 tells of no others.
std::vector<NetworkRow> network_rows(const Moment& moment);
std::string network_table(const std::vector<NetworkRow>& rows, const Moment& moment);
std::string network_json(const std::vector<NetworkRow>& rows, const Moment& moment);  // an array

}  // namespace headroom
